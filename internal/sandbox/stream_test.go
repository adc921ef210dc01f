package sandbox

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestStream(t *testing.T) {
	lives := func(seed uint64) []string {
		s := newRESTSandbox(t, nil)
		ids, err := s.StreamOrders(t.Context(), Stream{Count: 200, Seed: seed, Cancel: 0.2, Cart: 0.3, Unknown: 0.1})
		if err != nil || len(ids) != 200 {
			t.Fatalf("%d orders (%v)", len(ids), err)
		}
		var out []string
		for _, o := range s.Orders() {
			out = append(out, o.Vendor+" "+strings.Join(o.States, " ")+strings.Repeat(" cart", o.Carts))
		}
		return out
	}
	one := lives(1)
	if !slices.Equal(one, lives(1)) || slices.Equal(one, lives(2)) {
		t.Error("the seed does not make the lives")
	}
	counts := map[string]int{}
	for _, life := range one {
		for _, word := range []string{StateCancelled, UnknownState, " cart", "290056", "s8ym"} {
			if strings.Contains(life, word) {
				counts[word]++
			}
		}
		final := strings.TrimSuffix(life, " cart")
		if !strings.HasSuffix(final, StatePickedUp) && !strings.HasSuffix(final, StateCancelled) {
			t.Errorf("a life without an end: %s", life)
		}
	}
	for word, about := range map[string]int{StateCancelled: 40, UnknownState: 18, " cart": 55, "290056": 100, "s8ym": 100} {
		if n := counts[word]; n < about/2 || n > about*2 {
			t.Errorf("%d of 200 lives have %s", n, word)
		}
	}
}

func TestStreamRate(t *testing.T) {
	s := newRESTSandbox(t, func(o *Options) { o.Rules.PartnerPicking = true })
	begun := time.Now()
	ids, err := s.StreamOrders(t.Context(), Stream{Rate: 100, For: 200 * time.Millisecond, Step: 10 * time.Millisecond, Vendors: []string{"s8ym"}})
	if took := time.Since(begun); err != nil || len(ids) != 20 || took < 190*time.Millisecond {
		t.Errorf("%d orders in %s (%v)", len(ids), took, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if ids, err := s.StreamOrders(ctx, Stream{Rate: 0.001}); err != nil || len(ids) > 1 {
		t.Errorf("stopped: %d orders (%v)", len(ids), err)
	}
}

func TestRefusedStreams(t *testing.T) {
	s := newRESTSandbox(t, nil)
	for _, st := range []Stream{{}, {Rate: -1}, {Rate: 1, For: -1}, {Count: -1}, {Rate: 1, Cancel: 2}, {Count: 1, Vendors: []string{"zzz"}}} {
		if _, err := s.StreamOrders(t.Context(), st); err == nil {
			t.Errorf("%+v runs", st)
		}
	}
	s = newRESTSandbox(t, func(o *Options) { o.Vendors = nil })
	if _, err := s.StreamOrders(t.Context(), Stream{Count: 1}); err == nil {
		t.Error("orders without stores")
	}
}

func TestScript(t *testing.T) {
	l := newListener(t)
	s := newRESTSandbox(t, func(o *Options) { o.Webhook.URL = l.URL })
	ids, err := s.RunScript(t.Context(), strings.NewReader(`
# two orders
0s   a new 290056 PICKUP A-1:2 B-2:0.35kg
20ms a cancel CLOSED VENDOR   # the last line of a
0s   b new s8ym
10ms a ready_for_pickup
12ms - fault silence
13ms b READY_FOR_PICKUP
14ms - fault silence off
15ms a cart
`))
	if err != nil || len(ids) != 2 {
		t.Fatal(ids, err)
	}
	orders := s.Orders()
	if got := orders[0]; !slices.Equal(got.States, []string{StateReceived, StateReady, StateCancelled}) || got.Carts != 1 || got.Items != 2 || got.ID != ids[0] {
		t.Errorf("%+v", got)
	}
	if orders[1].Vendor != "s8ym" || orders[1].State != StateReady {
		t.Errorf("%+v", orders[1])
	}
	if n := len(l.got(t, s)); n != 3 {
		t.Errorf("%d events", n)
	}
}

func TestRefusedScripts(t *testing.T) {
	s := newRESTSandbox(t, nil)
	for text, want := range map[string]string{
		"0s a": "want a time", "soon a new 290056": "no time", "-1s a new 290056": "no time", "0s a READY_FOR_PICKUP": "no order",
		"0s a new zzz": "no store", "0s a new 290056 PICKUP A-1:x": "no article", "0s - fault rain": "unknown fault",
	} {
		if _, err := s.RunScript(t.Context(), strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestControl(t *testing.T) {
	l := newListener(t)
	s := newRESTSandbox(t, nil)
	post := func(path, body string, header http.Header) answered {
		t.Helper()
		a, err := askWith(t, s.HTTPURL(), "POST", path, body, header)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	if a := post("/control/webhook?url="+l.URL, "", nil); a.status != http.StatusNoContent {
		t.Errorf("%v", a)
	}
	var made Streamed
	a := post("/control/orders", `{"count":3}`, nil)
	if err := json.Unmarshal([]byte(a.body), &made); err != nil || len(made.Orders) != 3 || len(l.bodies) != 3 {
		t.Errorf("%v (%v), %d events", a, err, len(l.bodies))
	}
	a = post("/control/script", "0s a new 290056", nil)
	if err := json.Unmarshal([]byte(a.body), &made); err != nil || len(made.Orders) != 1 {
		t.Errorf("%v (%v)", a, err)
	}
	if a := post("/control/script", "x", nil); !strings.Contains(a.body, `"error":"read order script`) {
		t.Errorf("%v", a)
	}
	if a := post("/control/orders", `{"rat":3}`, nil); a.status != http.StatusBadRequest {
		t.Errorf("%v", a)
	}
	if a := post("/control/faults/server-errors", "", nil); a.status != http.StatusNoContent {
		t.Errorf("%v", a)
	}
	if got, _ := statuses(t, s, 1); got[0] != 500 {
		t.Errorf("%v", got)
	}
	post("/control/faults/server-errors?on=false", "", nil)
	if got, _ := statuses(t, s, 1); got[0] != 200 {
		t.Errorf("%v", got)
	}
	if a := post("/control/faults/rain", "", nil); a.status != http.StatusNotFound {
		t.Errorf("%v", a)
	}
	if a := post("/control/orders", `{"count":3}`, http.Header{"Sec-Fetch-Site": {"cross-site"}}); a.status != http.StatusForbidden {
		t.Errorf("from another site: %v", a)
	}
	for path, n := range map[string]int{"/orders.json": 4, "/deliveries.json": 3, "/requests.json": 2, "/api-jobs.json": 0} {
		_, _, body := fetch(t, s, path)
		var list []any
		if err := json.Unmarshal([]byte(body), &list); err != nil || len(list) != n {
			t.Errorf("%s: %s (%v)", path, body, err)
		}
	}
}

// TestAmounts reads and writes money and weights.
func TestAmounts(t *testing.T) {
	for text, want := range map[string]amount{"0": 0, "39.75": 39_750, "-0.5": -500, "12.3456": 12_345, "7": 7000, "null": 0, "0.00": 0} {
		var a amount
		if err := json.Unmarshal([]byte(text), &a); err != nil || a != want {
			t.Errorf("%s: %d (%v)", text, a, err)
		}
	}
	for _, text := range []string{`"1"`, "1e3", "{}", "true"} {
		var a amount
		if err := json.Unmarshal([]byte(text), &a); err == nil {
			t.Errorf("%s is %d", text, a)
		}
	}
	got := []string{amount(39_750).String(), amount(-500).String(), amount(0).String(), amount(7000).String(), amount(1).String()}
	if diff := cmp.Diff([]string{"39.75", "-0.5", "0", "7", "0.001"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := amount(10_500).times(350); got != 3_680 {
		t.Errorf("0.35 kg at 10.50 is %s", got)
	}
}
