package daemon

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"gondola/internal/alert"
	"gondola/internal/sandbox"
)

// problem returns the problem of a kind, nil where there is none.
func (m *market) problem(kind alert.Kind) *alert.Problem {
	m.Helper()
	all, err := m.house.problems(m.Context(), alert.Book{})
	if err != nil {
		m.Fatal(err)
	}
	for _, p := range all {
		if p.Kind == kind {
			return &p
		}
	}
	return nil
}

// gaps returns the gaps that were found, as kind, state and outcome.
func (m *market) gaps() []string {
	m.Helper()
	all, err := m.house.Gaps(m.Context(), time.Time{}, 1000)
	if err != nil {
		m.Fatal(err)
	}
	var texts []string
	for _, g := range all {
		texts = append(texts, g.Kind+" "+g.State+" "+g.Outcome)
	}
	return texts
}

// advance puts an order into states, five minutes apart.
func (m *market) advance(id string, states ...string) {
	m.Helper()
	for _, s := range states {
		if err := m.platform.Advance(id, s); err != nil {
			m.Fatal(err)
		}
		m.pass(5 * time.Minute)
	}
}

// TestSilentWebhook has the platform stop telling: orders come all the same, the gaps are found, and somebody is told. Once it tells
// again, it is over.
func TestSilentWebhook(t *testing.T) {
	m := newMarket(t, marketOptions{webhook: true})
	m.pass(time.Minute)
	m.advance(m.order(), sandbox.StateReady)
	m.plans = nil
	if m.problem(alert.Silent) != nil {
		t.Error("the webhook is silent, and it told just now")
	}
	m.platform.Faults().DropEvents(true)
	lost := m.order()
	m.plans = nil
	m.advance(lost, sandbox.StateReady, sandbox.StatePickedUp)
	m.pass(15 * time.Minute)
	if got := fmt.Sprint(m.gaps()); got != "[not-told READY_FOR_PICKUP repaired]" {
		t.Errorf("gaps: %s", got)
	}
	if m.problem(alert.Silent) != nil {
		t.Error("one event may get lost")
	}
	m.pass(time.Hour)
	p := m.problem(alert.Silent)
	if p == nil || !strings.Contains(p.Text, "1 ") || strings.Contains(p.Text, "{{") {
		t.Errorf("an hour later: %+v", p)
	}
	m.platform.Faults().DropEvents(false)
	m.advance(m.order(), sandbox.StateReady)
	m.plans = nil
	if p := m.problem(alert.Silent); p != nil {
		t.Errorf("it tells again: %+v", p)
	}
	m.same()
}

// TestSilentThoughAnswersAreOdd has an entry in the lists that is no order: that it was kept is no sign of the webhook.
func TestSilentThoughAnswersAreOdd(t *testing.T) {
	m := newMarket(t, marketOptions{webhook: true})
	m.front(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/290057/orders") {
			return false
		}
		_, _ = w.Write([]byte(`{"orders":[{"odd":true}],"page_number":1,"total_pages":1}`))
		return true
	})
	m.pass(time.Minute)
	m.platform.Faults().DropEvents(true)
	lost, err := m.platform.AddOrder(sandbox.NewOrder{Vendor: "290056"})
	if err != nil {
		t.Fatal(err)
	}
	m.advance(lost, sandbox.StateReady)
	m.pass(90 * time.Minute)
	if m.problem(alert.Silent) == nil {
		t.Error("the webhook is silent, and nobody says so")
	}
	in, err := m.house.store.Inbox(t.Context())
	if err != nil || in.Accepted.N+in.Repeats.N != 0 || in.Aside[asideMalformed].N != 1 {
		t.Errorf("%+v, %v", in, err)
	}
}

// TestSilentWithoutListening says nothing of events where nobody listens.
func TestSilentWithoutListening(t *testing.T) {
	m := newMarket(t, marketOptions{})
	m.pass(time.Minute)
	m.advance(m.order(), sandbox.StateReady)
	m.pass(2 * time.Hour)
	if gaps := m.gaps(); len(gaps) > 0 || m.problem(alert.Silent) != nil {
		t.Errorf("gaps: %v", gaps)
	}
}

// TestEventsAside keeps what is no event, and what is another chain's, where people see it; with another program they are handled
// once more.
func TestEventsAside(t *testing.T) {
	m := newMarket(t, marketOptions{webhook: true})
	l := live{T: t, house: m.house}
	for _, body := range []string{
		`{"order_id":`, `[]`, `{"hello":"world"}`, ``,
		`{"order_id":"5b0f7c1e-0000-4000-8000-000000000001","status":"READY_FOR_PICKUP","client":{"chain_id":"another"}}`,
	} {
		if code := l.hook(body); code != 200 {
			t.Errorf("%q: %d", body, code)
		}
	}
	good := `{"order_id":"5b0f7c1e-0000-4000-8000-000000000002","status":"READY_FOR_PICKUP","client":{"chain_id":"` + strings.ToUpper(m.cfg.Chain.ID) + `","store_id":"290056"}}`
	strange := `{"order_id":"5b0f7c1e-0000-4000-8000-000000000003","status":"READY_FOR_PICKUP","client":{"store_id":"nowhere"}}`
	job := `{"job_id":"j1","status":"COMPLETED","platform_vendor_id":"290056"}`
	for _, body := range []string{good, strange, job} {
		if code := l.hook(body); code != 200 {
			t.Errorf("%q: %d", body, code)
		}
	}
	if err := m.house.drainInbox(t.Context()); err != nil {
		t.Fatal(err)
	}
	in, err := m.house.store.Inbox(t.Context())
	if err != nil || in.Waiting != 0 || in.Accepted.N != 8 || in.Aside[asideMalformed].N != 4 || in.Aside[asideForeign].N != 1 {
		t.Errorf("%+v, %v", in, err)
	}
	for id, vendor := range map[string]string{"2": "290056", "3": "nowhere"} {
		o, known, err := m.house.store.Order(t.Context(), "5b0f7c1e-0000-4000-8000-00000000000"+id)
		if err != nil || !known || o.Vendor != vendor {
			t.Errorf("order %s: %+v, %t, %v", id, o.Head, known, err)
		}
	}
	if p := m.problem(alert.Aside); p == nil || !strings.Contains(p.Do, "webhook aside") {
		t.Errorf("problem: %+v", p)
	}
	all, err := m.house.AsideEvents(t.Context(), 10)
	if err != nil || len(all) != 5 {
		t.Fatalf("%+v, %v", all, err)
	}
	for _, e := range all {
		if strings.Contains(e.Detail, "world") || strings.Contains(e.Detail, "5b0f") {
			t.Errorf("it tells what came: %s", e.Detail)
		}
	}
	// The chain was the wrong one in the config.
	m.stop()
	m.cfg.Chain.ID = "another"
	m.start()
	if err := m.house.drainInbox(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, known, err := m.house.store.Order(t.Context(), "5b0f7c1e-0000-4000-8000-000000000001"); err != nil || !known {
		t.Errorf("the other chain's order: %t, %v", known, err)
	}
	if all, err = m.house.AsideEvents(t.Context(), 10); err != nil || len(all) != 4 {
		t.Errorf("%+v, %v", all, err)
	}
}

// TestGapDiffers has an event that the platform, when asked, does not stand by; and one about an order that it does not know.
func TestGapDiffers(t *testing.T) {
	m := newMarket(t, marketOptions{webhook: true})
	m.pass(time.Minute)
	id := m.order()
	m.plans = nil
	m.advance(id, sandbox.StateReady)
	m.pass(10 * time.Minute)
	l := live{T: t, house: m.house}
	for _, body := range []string{
		`{"order_id":"` + id + `","status":"CANCELLED","client":{"store_id":"290056"}}`,
		`{"order_id":"5b0f7c1e-0000-4000-8000-000000000009","status":"CANCELLED","client":{"store_id":"290056"}}`,
	} {
		if code := l.hook(body); code != 200 {
			t.Errorf("%d", code)
		}
	}
	m.pass(2 * time.Hour)
	got := fmt.Sprint(m.gaps())
	if !strings.Contains(got, "differs CANCELLED confirmed") || !strings.Contains(got, "not-listed CANCELLED gone") || len(m.gaps()) != 2 {
		t.Errorf("gaps: %s", got)
	}
}

// TestPollProblem tells that orders can't be asked for, and that they can again.
func TestPollProblem(t *testing.T) {
	m := newMarket(t, marketOptions{})
	m.pass(time.Minute)
	m.platform.Faults().Unauthorized(-1)
	m.mu.Lock()
	m.clock = m.clock.Add(6 * time.Minute)
	m.mu.Unlock()
	if err := m.house.poll(t.Context()); err != nil {
		t.Errorf("it is no trouble of the loop: %v", err)
	}
	p := m.problem(alert.Poll)
	if p == nil || !strings.Contains(p.Detail, "401") || strings.Contains(p.Detail, "made-up") {
		t.Errorf("problem: %+v", p)
	}
	n := m.requests()
	if err := m.house.poll(t.Context()); err != nil || m.requests() != n {
		t.Errorf("it is asked again at once: %d requests, then %d, %v", n, m.requests(), err)
	}
	m.platform.Faults().Unauthorized(0)
	m.pass(7 * time.Minute)
	if p := m.problem(alert.Poll); p != nil {
		t.Errorf("problem: %+v", p)
	}
}

// TestOneStoreRefused asks for the others all the same.
func TestOneStoreRefused(t *testing.T) {
	m := newMarket(t, marketOptions{})
	m.cfg.Vendors[0].ID = "unknown"
	m.stop()
	m.start()
	if err := m.house.poll(t.Context()); err != nil {
		t.Error(err)
	}
	p := m.problem(alert.Poll)
	if p == nil || p.Store != "unknown" {
		t.Errorf("problem: %+v", p)
	}
	polls, err := m.house.store.Polls(t.Context())
	if err != nil || polls["290057"].Done.IsZero() || polls["unknown"].Failures == 0 {
		t.Errorf("%+v, %v", polls, err)
	}
}

// TestMeasure shows numbers of everything that came, by names and labels that Prometheus finds in order.
func TestMeasure(t *testing.T) {
	m := newMarket(t, marketOptions{webhook: true})
	m.pass(time.Minute)
	m.advance(m.order(), sandbox.StateReady)
	m.plans = nil
	l := live{T: t, house: m.house}
	l.hook("{}")
	m.pass(20 * time.Minute)
	all, err := m.house.measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, metric := range all {
		for _, s := range metric.Samples {
			got[metric.Name+" "+s.Label] = s.Value
		}
	}
	for name, want := range map[string]float64{
		"gondola_orders READY_FOR_PICKUP": 1, "gondola_orders CANCELLED": 0, "gondola_webhook_events_total ": 2,
		"gondola_webhook_aside_total malformed": 1, "gondola_webhook_waiting ": 0, "gondola_order_gaps not-told": 0, "gondola_poll_failing_stores ": 0,
	} {
		if v, is := got[name]; !is || v != want {
			t.Errorf("%s is %v, %t, want %v", name, v, is, want)
		}
	}
}
