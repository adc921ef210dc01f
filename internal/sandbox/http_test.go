package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fetch gets a page of the sandbox.
func fetch(t testing.TB, s *Sandbox, path string) (status int, kind, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.HTTPURL()+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Content-Type"), string(data)
}

func TestJSON(t *testing.T) {
	s := newTestSandbox(t, func(o *Options) { o.Fate = Eat })
	for _, path := range []string{"/jobs.json", "/operations.json"} {
		if _, _, body := fetch(t, s, path); strings.TrimSpace(body) != "[]" {
			t.Errorf("%s is %s at first", path, body)
		}
	}
	put(t, s, "catalog/gondola_290056.csv", "sku,price\nA-1,5\nx,1\n")
	s.Scan()
	at := "2026-03-01T12:00:00Z"
	for path, want := range map[string]string{
		"/shelf/290056.json": `[{"sku":"A-1","barcode":"07790001","name":"Arroz","price":"5","active":true,"sales_buffer":3,"maximum_sales_quantity":0},
			{"sku":"B-2","barcode":"","name":"Yerba","price":"120","active":true,"sales_buffer":1,"maximum_sales_quantity":0}]`,
		"/jobs.json": `[{"job_id":"00000000-0000-4000-8000-000000000001","at":"` + at + `","file":"catalog/gondola_290056.csv",
			"sha256":"` + digestOf("sku,price\nA-1,5\nx,1\n") + `","vendor":"290056","status":"COMPLETED","rows":2,"applied":1,"rejected":1,
			"errors":[{"line":3,"sku":"x","reason":"missing sku"}]}]`,
		"/operations.json": `[{"n":1,"at":"` + at + `","session":0,"kind":"eat","path":"catalog/gondola_290056.csv"}]`,
	} {
		status, kind, body := fetch(t, s, path)
		if status != http.StatusOK || kind != "application/json" {
			t.Errorf("%s: %d, %s", path, status, kind)
		}
		var got, expected any
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if err := json.Unmarshal([]byte(want), &expected); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(expected, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

func TestPromotionsJSON(t *testing.T) {
	s := newPromotionSandbox(t, nil)
	if _, _, body := fetch(t, s, "/promotions/290056.json"); strings.TrimSpace(body) != "[]" {
		t.Errorf("it is %s at first", body)
	}
	put(t, s, centroPromotions, promotionsOf(strikeRow, offRow))
	s.Scan()
	bundle := `{"sku":"A-1","campaign_name":"2do al 40","reason":"competitiveness","start":"2026-03-01T00:00:00Z","end":"2026-03-08T00:00:00Z",
		"promotion_type":"same_item_bundle","promotion_sub_type":"percentage_value_off","buy":1,"benefit":1,"bundle_discount":"40",
		"discount_usage_limit":3,"label":"2nd at 40% off","file":"promotions/gondola_290056.csv","state":"STATE","shown":SHOWN},`
	strike := `{"sku":"B-2","campaign_name":"Semana","reason":"competitiveness","start":"2026-03-01T09:00:00Z","end":"2026-03-08T09:00:00Z",
		"promotion_type":"strikethrough","discounted_price":"99","max_no_of_orders":999,"label":"99",
		"file":"promotions/gondola_290056.csv","state":"running","shown":true}`
	now := "[" + strings.NewReplacer("STATE", "running", "SHOWN", "true").Replace(bundle) + strike + "]"
	later := "[" + strings.NewReplacer("STATE", "over", "SHOWN", "false").Replace(bundle) + strike + "]"
	for path, want := range map[string]string{
		"/promotions/290056.json":                         now,
		"/promotions/290056.json?at=2026-03-08T08:00:00Z": later,
	} {
		status, kind, body := fetch(t, s, path)
		if status != http.StatusOK || kind != "application/json" {
			t.Errorf("%s: %d, %s", path, status, kind)
		}
		var got, expected any
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if err := json.Unmarshal([]byte(want), &expected); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(expected, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

func TestOtherAddresses(t *testing.T) {
	s := newTestSandbox(t, nil)
	for path, want := range map[string]int{
		"/healthz": 200, "/": 200, "/shelf/zzz.json": 404, "/shelf/290056": 404, "/other": 404,
		"/promotions/zzz.json": 404, "/promotions/290056": 404, "/promotions/290056.json?at=today": 400,
	} {
		if status, _, _ := fetch(t, s, path); status != want {
			t.Errorf("%s answers %d, want %d", path, status, want)
		}
	}
}

func TestPage(t *testing.T) {
	s := newTestSandbox(t, func(o *Options) {
		o.Vendors[1].Name = "<b>Puerto</b>"
		for i := range pageRows {
			o.Vendors[0].Articles = append(o.Vendors[0].Articles, Article{SKU: "Z-" + strconv.Itoa(i), Name: "Fideos"})
		}
	})
	put(t, s, "catalog/gondola_290056.csv", "sku,price\nA-1,4321.5\nx,1\n")
	put(t, s, "catalog/gondola_000.csv", "sku,price\n")
	s.Scan()
	status, kind, body := fetch(t, s, "/")
	if status != http.StatusOK || kind != "text/html; charset=utf-8" {
		t.Fatalf("%d, %s", status, kind)
	}
	for _, want := range []string{
		"Almacenes Prueba", "Centro", "Arroz", "4321.5", "202 articles, 2 on sale", "the first 200 are shown",
		"COMPLETED", "FAILED", "unknown vendor", "line 3: missing sku x", "1 of 2", "1 rejected",
		`http-equiv="refresh" content="2"`, s.HostKey(), "&lt;b&gt;Puerto",
	} {
		if !strings.Contains(body, want) && !strings.Contains(body, strings.ReplaceAll(want, "+", "&#43;")) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(body, "open sesame") || strings.Contains(body, "<b>") {
		t.Error("the page shows what it must not")
	}
	if got := strings.Count(body, "Fideos"); got != pageRows-2 {
		t.Errorf("%d of the long shelf's articles are shown", got)
	}
}

func TestPageShowsPromotions(t *testing.T) {
	s := newPromotionSandbox(t, func(o *Options) {
		var err error
		if o.Zone, err = time.LoadLocation("America/Montevideo"); err != nil {
			t.Fatal(err)
		}
	})
	rows := []string{
		strikeRow, freeRow, with(t, freeRow, "campaign_name", "<b>Gone</b>", "end_date", "2026-03-01 01:00:00"),
		with(t, strikeRow, "sku", "zzz"),
	}
	for range pageErrors {
		rows = append(rows, with(t, strikeRow, "discounted_price", "0"))
	}
	for i := range pageRows {
		rows = append(rows, with(t, strikeRow, "campaign_name", "Futuro"+strconv.Itoa(i), "start_date", "2026-03-07"))
	}
	put(t, s, centroPromotions, promotionsOf(rows...))
	put(t, s, "promotions/gondola.csv", promotionHead+",vendors\n"+with(t, strikeRow, "campaign_name", "Todos", "sku", "A-1", "discounted_price", "10")+",s8ym\n"+
		with(t, strikeRow, "campaign_name", "Todos", "discounted_price", "10")+",s8ym\n")
	s.Scan()
	_, _, body := fetch(t, s, "/")
	for _, want := range []string{
		"<s>120</s> <b>99</b>", `<span class="deal">2+1</span>`, "<s>11</s> <b>10</b>", "Semana", "2026-03-01 09:00 –</span> <span>2026-03-08 09:00",
		"203 known, 2 running", "the first 200 are listed", "America/Montevideo", `<span class="good">running</span>`,
		"line 5: missing sku zzz", "line 6: invalid cell: discounted_price B-2", "and 1 more", "line 3: missing sku B-2 at s8ym",
	} {
		if !strings.Contains(body, want) && !strings.Contains(body, strings.ReplaceAll(want, "+", "&#43;")) {
			t.Errorf("the page lacks %q", want)
		}
	}
	// 9 in the morning in Montevideo is the test's noon in UTC: the campaign has just begun. The one that is over comes last.
	if strings.Contains(body, "<b>Gone") || strings.Contains(body, "Gone") {
		t.Error("of too many promotions the one that is over is listed, or its name is not escaped")
	}
}
