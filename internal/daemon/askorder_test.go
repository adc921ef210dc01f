package daemon

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gondola/internal/order"
	"gondola/internal/platform"
	"gondola/internal/sandbox"
)

// front puts a server before the platform that may answer itself; where it does not, the platform does.
func (m *market) front(answers func(http.ResponseWriter, *http.Request) bool) {
	m.Helper()
	target := m.platform.RESTURL()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answers(w, r) {
			return
		}
		req, err := http.NewRequestWithContext(r.Context(), r.Method, target+r.URL.RequestURI(), r.Body)
		if err != nil {
			m.Error(err)
			return
		}
		req.Header = r.Header
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer res.Body.Close()
		w.WriteHeader(res.StatusCode)
		var body json.RawMessage
		_ = json.NewDecoder(res.Body).Decode(&body)
		_, _ = w.Write(body)
	}))
	m.Cleanup(s.Close)
	m.stop()
	m.cfg.API.URL = s.URL
	m.start()
}

// TestOddOrdersDoNotStopOthers has orders that can't be asked for alone, each in another way. They are the youngest, so that they would
// come first each time.
func TestOddOrdersDoNotStopOthers(t *testing.T) {
	for name, tc := range map[string]struct {
		ids    []string
		answer func(w http.ResponseWriter)
	}{
		"an id that no path can have": {[]string{"a b/c?d", "../x"}, nil},
		"refused":                     {nil, func(w http.ResponseWriter) { w.WriteHeader(http.StatusUnprocessableEntity) }},
		"no order":                    {nil, func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"hello":"world"}`)) }},
		"another order":               {nil, func(w http.ResponseWriter) { _, _ = w.Write([]byte(`{"order_id":"another","status":"RECEIVED"}`)) }},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMarket(t, marketOptions{})
			asked := map[string]int{}
			m.front(func(w http.ResponseWriter, r *http.Request) bool {
				_, id, found := strings.Cut(r.URL.Path, "/orders/")
				if !found || !strings.HasPrefix(id, "odd") {
					return false
				}
				asked[id]++
				tc.answer(w)
				return true
			})
			m.pass(time.Minute)
			good := m.order()
			m.plans = nil
			m.pass(6 * time.Minute) // it is in a list
			ids := tc.ids
			if ids == nil {
				for i := range m.house.askBudget() {
					ids = append(ids, "odd-"+string(rune('a'+i)))
				}
			}
			m.clock = m.clock.Add(40 * time.Minute)
			for range 8 { // others come, so that it is in no list any more
				m.order()
			}
			m.plans = nil
			m.pass(6 * time.Minute)
			for _, id := range ids {
				m.toldOf(id)
			}
			if err := m.platform.Advance(good, sandbox.StateReady); err != nil {
				t.Fatal(err)
			}
			for range 30 {
				m.clock = m.clock.Add(time.Minute)
				_ = m.house.pollDue(t.Context())
			}
			if o, _, err := m.house.store.Order(t.Context(), good); err != nil || o.State != platform.StateReady {
				t.Errorf("the order behind them is %s, %v", o.State, err)
			}
			for id, n := range asked {
				if n > 2*8 { // each by two forms of path, every five minutes
					t.Errorf("%s was asked for %d times in half an hour", id, n)
				}
			}
			if err := m.house.poll(t.Context()); err != nil {
				t.Errorf("it is no trouble of the loop: %v", err)
			}
		})
	}
}

// toldOf has an event tell of an order that is received.
func (m *market) toldOf(id string) {
	m.Helper()
	body, err := json.Marshal(map[string]any{"order_id": id, "status": "RECEIVED", "client": map[string]string{"store_id": "290056"}})
	if err != nil {
		m.Fatal(err)
	}
	m.merge(body)
}

// merge merges an order as an event would tell it.
func (m *market) merge(body []byte) {
	m.Helper()
	o, err := platform.ParseOrder(body)
	if err != nil {
		m.Fatal(err)
	}
	if err := m.house.store.MergeOrders(m.Context(), []order.Seen{{Order: o, By: order.ByWebhook, At: m.now()}}, nil); err != nil {
		m.Fatal(err)
	}
}
