package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// weekBody is a promotion of a week; the test's now is in it.
const weekBody = `{"vendors":["290056"],"type":"STRIKETHROUGH","active":true,"reason":"COMPETITIVENESS","display_name":{"es_UY":"Semana"},
	"conditions":{"start_time":"2026-03-01T09:00:00.000Z","end_time":"2026-03-08T09:00:00.000Z"},
	"discount":[{"discount_subtype":"FINAL_PRICE","discount_value":99.5,"active":true,"sku":["B-2"]},
	            {"discount_subtype":"FINAL_PRICE","discount_value":9,"active":true,"sku":["A-1"]}]}`

// promote puts a promotion, ends the job, and returns its status and result.
func putPromotion(t *testing.T, s *Sandbox, body string) (status, result string) {
	t.Helper()
	code, answer := ask(t, s, "PUT", chainPath+"/promotion", body)
	job := jobOf(t, code, answer)
	s.ProcessJobs()
	_, answer = ask(t, s, "GET", chainPath+"/promotion/jobs/"+job, "")
	var got struct {
		ID     string          `json:"job_id"`
		Status string          `json:"job_status"`
		Result json.RawMessage `json:"result"`
	}
	if err := json.Unmarshal([]byte(answer), &got); err != nil || got.ID != job {
		t.Fatalf("%s (%v)", answer, err)
	}
	return got.Status, string(got.Result)
}

// labels says what runs at a store: SKU and what customers read.
func labels(s *Sandbox, vendor string) map[string]string {
	got := map[string]string{}
	for _, p := range s.Promotions(vendor) {
		if p.Shown {
			got[p.SKU] = p.Label
		}
	}
	return got
}

func wantLabels(t *testing.T, s *Sandbox, vendor string, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, labels(s, vendor)); diff != "" {
		t.Errorf("promotions of %s (-want +got):\n%s", vendor, diff)
	}
}

func TestPromotionByAPI(t *testing.T) {
	l := newListener(t)
	s := newRESTSandbox(t, func(o *Options) { o.Webhook.URL = l.URL })
	const none = `{"invalid_vendors":[],"missing_skus":{},"invalid_discounted_skus":{}}`
	if status, result := putPromotion(t, s, weekBody); status != "COMPLETED" || result != none {
		t.Fatal(status, result)
	}
	wantLabels(t, s, "290056", map[string]string{"A-1": "9", "B-2": "99.5"})
	p := s.Promotions("290056")[0]
	if p.Campaign != "Semana" || p.Job == "" || p.File != "" || !p.Start.Equal(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", p)
	}
	if price, _ := s.EffectivePrice("290056", "B-2"); price != "99.5" {
		t.Errorf("B-2 costs %s", price)
	}
	// The same again is a duplicate; another value changes it; one article leaves; all of it ends; and it can begin again.
	if status, _ := putPromotion(t, s, weekBody); status != "DUPLICATE" {
		t.Error(status)
	}
	if status, _ := putPromotion(t, s, strings.Replace(weekBody, "99.5", "98", 1)); status != "COMPLETED" {
		t.Error(status)
	}
	wantLabels(t, s, "290056", map[string]string{"A-1": "9", "B-2": "98"})
	putPromotion(t, s, strings.Replace(weekBody, `9,"active":true`, `9,"active":false`, 1))
	wantLabels(t, s, "290056", map[string]string{"B-2": "99.5"})
	putPromotion(t, s, strings.Replace(weekBody, `"active":true`, `"active":false`, 1))
	wantLabels(t, s, "290056", map[string]string{})
	putPromotion(t, s, weekBody)
	wantLabels(t, s, "290056", map[string]string{"A-1": "9", "B-2": "99.5"})
	events := l.got(t, s)
	if len(events) != 6 || !strings.Contains(events[1], `"job_status":"DUPLICATE"`) || !strings.Contains(events[1], `"invalid_vendors":[]`) {
		t.Errorf("%d events: %s", len(events), events[1])
	}
}

func TestPromotionFeedback(t *testing.T) {
	s := newRESTSandbox(t, nil)
	body := strings.NewReplacer(`["290056"]`, `["290056","s8ym","zzz"]`, "99.5", "120").Replace(weekBody)
	status, result := putPromotion(t, s, body)
	sameJSON(t, status, result, `{"invalid_vendors":["zzz"],"missing_skus":{"s8ym":["B-2"]},"invalid_discounted_skus":{"290056":["B-2"]}}`)
	if status != "COMPLETED" {
		t.Error(status)
	}
	wantLabels(t, s, "s8ym", map[string]string{"A-1": "9"})
	if status, _ := putPromotion(t, s, body); status != "COMPLETED" {
		t.Errorf("what was not taken whole is no duplicate: %s", status)
	}
	if status, _ := putPromotion(t, s, strings.Replace(weekBody, "290056", "zzz", 1)); status != "FAILED" {
		t.Errorf("only unknown stores: %s", status)
	}
	if status, _ := putPromotion(t, s, strings.Replace(weekBody, `["290056"]`, `["*"]`, 1)); status != "COMPLETED" {
		t.Error(status)
	}
}

func TestBundlesByAPI(t *testing.T) {
	bundle := strings.NewReplacer("STRIKETHROUGH", "SAME_ITEM_BUNDLE", "FINAL_PRICE", "PERCENTAGE", "99.5", "100",
		`.000Z"}`, `.000Z","purchased_quantity":2,"discounted_quantity":1},"limits":{"global_limit":999,"max_items_per_order":2}`).Replace(weekBody)
	s := newRESTSandbox(t, nil)
	if status, _ := putPromotion(t, s, bundle); status != "COMPLETED" {
		t.Error(status)
	}
	wantLabels(t, s, "290056", map[string]string{"A-1": "3rd at 9% off", "B-2": "2+1"})
	if p := s.Promotions("290056")[0]; p.MaxOrders != 999 || p.UsageLimit != 2 || p.Buy != 2 || p.Benefit != 1 {
		t.Errorf("%+v", p)
	}
	s = newRESTSandbox(t, func(o *Options) { o.Rules.BundleTotal = true })
	putPromotion(t, s, bundle)
	wantLabels(t, s, "290056", map[string]string{"A-1": "2nd at 9% off", "B-2": "1+1"})
}

func TestDiscountsOfStrikethrough(t *testing.T) {
	s := newRESTSandbox(t, nil)
	putPromotion(t, s, strings.NewReplacer("99.5", "25", "FINAL_PRICE", "PERCENTAGE").Replace(weekBody))
	wantLabels(t, s, "290056", map[string]string{"A-1": "9.55", "B-2": "90"}) // 10.5 less 9 %: cents are rounded
	s = newRESTSandbox(t, nil)
	_, result := putPromotion(t, s, strings.NewReplacer("99.5", "120", "FINAL_PRICE", "ABSOLUTE").Replace(weekBody))
	wantLabels(t, s, "290056", map[string]string{"A-1": "1.5"})
	if !strings.Contains(result, `"invalid_discounted_skus":{"290056":["B-2"]}`) {
		t.Error(result)
	}
}

func TestRefusedPromotions(t *testing.T) {
	s := newRESTSandbox(t, func(o *Options) { o.Rules.NoBan = true })
	for _, c := range [][3]string{
		{`["290056"]`, `[]`, "no vendors"},
		{`["290056"]`, `["*","s8ym"]`, "stands alone"},
		{"STRIKETHROUGH", "GIFT", "type"},
		{"COMPETITIVENESS", "competitiveness", "reason"},
		{"es_UY", "es", "display_name"},
		{`{"es_UY":"Semana"}`, `{}`, "display_name"},
		{"2026-03-08T09:00:00.000Z", "2026-03-08T09:00:00", "conditions"},
		{"2026-03-08T09", "2026-03-01T09", "conditions"},
		{"2026-03-08T09:00:00.000Z", "2026-03-08T09:00:00+00:00", "conditions"},
		{"FINAL_PRICE", "CHEAP", "discount_subtype"},
		{"99.5", "0", "discount_value"},
		{"99.5", "-1", "discount_value"},
		{`["B-2"]`, `[]`, "sku"},
		{`["B-2"]`, `"B-2"`, "malformed"},
		{"STRIKETHROUGH", "SAME_ITEM_BUNDLE", "purchased_quantity"},
		{"reason", "why", "why"},
	} {
		status, got := ask(t, s, "PUT", chainPath+"/promotion", strings.Replace(weekBody, c[0], c[1], 1))
		if status != http.StatusBadRequest || !strings.Contains(got, c[2]) {
			t.Errorf("%s for %s: %d %s, want %q", c[1], c[0], status, got, c[2])
		}
	}
}

// weekRows is the same promotion as a file.
const weekRows = "sku,campaign_name,reason,start_date,end_date,promotion_type,discounted_price,campaign_status\n" +
	"B-2,Semana,COMPETITIVENESS,2026-03-01 09:00:00,2026-03-08 09:00:00,strikethrough,99.5,"

func TestTheOtherWay(t *testing.T) {
	for _, crossed := range []bool{false, true} {
		newBoth := func() *Sandbox { return newPromotionRESTSandbox(t, crossed) }

		// Made by API, ended by SFTP.
		s := newBoth()
		putPromotion(t, s, weekBody)
		put(t, s, centroPromotions, weekRows+"0\n")
		job := s.Scan()[0]
		_, runs := labels(s, "290056")["B-2"]
		if runs == crossed || (job.Rejected == 0) != crossed {
			t.Errorf("crossed %v: runs %v, %+v", crossed, runs, job)
		}

		// Made by SFTP, ended by API.
		s = newBoth()
		put(t, s, centroPromotions, weekRows+"1\n")
		s.Scan()
		if got := labels(s, "290056")["B-2"]; got != "99.5" {
			t.Fatalf("%q", got)
		}
		putPromotion(t, s, strings.Replace(weekBody, `"active":true`, `"active":false`, 1))
		if _, runs := labels(s, "290056")["B-2"]; runs == crossed {
			t.Errorf("crossed %v: runs %v", crossed, runs)
		}
	}
}

func newPromotionRESTSandbox(t *testing.T, crossed bool) *Sandbox {
	t.Helper()
	return newPromotionSandbox(t, func(o *Options) {
		o.API.Tokens = Tokens{Catalog: catalogToken, Promotions: promotionToken, Orders: orderToken}
		o.Rules.CrossedWays = crossed
	})
}

func TestPromotionSwitches(t *testing.T) {
	l := newListener(t)
	s := newRESTSandbox(t, func(o *Options) {
		o.Webhook.URL = l.URL
		o.Rules.NoDuplicates, o.Rules.PutReplaces, o.Rules.RejectionsFail, o.Rules.PromotionEvent = true, true, true, true
	})
	putPromotion(t, s, weekBody)
	if status, _ := putPromotion(t, s, weekBody); status != "COMPLETED" {
		t.Error(status)
	}
	var body map[string]any
	if err := json.Unmarshal([]byte(weekBody), &body); err != nil {
		t.Fatal(err)
	}
	discounts, _ := body["discount"].([]any)
	body["discount"] = discounts[:1]
	putPromotion(t, s, toJSON(t, body))
	wantLabels(t, s, "290056", map[string]string{"B-2": "99.5"})
	if status, _ := putPromotion(t, s, strings.Replace(weekBody, "B-2", "zzz", 1)); status != "FAILED" {
		t.Error(status)
	}
	if e := l.got(t, s)[0]; !strings.Contains(e, `"platform_vendor_id"`) || !strings.Contains(e, `"status":"COMPLETED"`) {
		t.Error(e)
	}
	s = newRESTSandbox(t, func(o *Options) { o.Webhook.URL, o.Rules.NoPromotionEvent = l.URL, true })
	putPromotion(t, s, weekBody)
	if len(s.Deliveries()) != 0 {
		t.Errorf("%+v", s.Deliveries())
	}
}
