package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestPelicanEvents(t *testing.T) {
	l := newListener(t)
	s := newRESTSandbox(t, func(o *Options) { o.Webhook = Webhook{URL: l.URL, Secret: "any string"} })
	id, err := s.AddOrder(NewOrder{Vendor: "290056", Lines: []OrderLine{{SKU: "A-1", Quantity: 2}, {SKU: "B-2", Weight: "0.35"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{StateReady, StatePickedUp} {
		if err := s.Advance(id, state); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Cancel(id, "CLOSED", "VENDOR"); err != nil {
		t.Fatal(err)
	}
	bodies := l.got(t, s)
	if len(bodies) != 2 || !strings.Contains(bodies[0], `"status":"READY_FOR_PICKUP"`) || !strings.Contains(bodies[1], `"status":"CANCELLED"`) {
		t.Fatalf("events: %s", bodies)
	}
	if got := l.headers[0].Get("Authorization"); got != "any string" {
		t.Errorf("Authorization is %q", got)
	}
	t.Log(bodies[0])
	for _, d := range s.Deliveries() {
		if !d.Acknowledged() || d.ID != id || d.Attempt != 1 {
			t.Errorf("%+v", d)
		}
	}
	status, body := ask(t, s, "GET", chainPath+"/orders/"+id, "")
	if status != http.StatusOK || body != bodies[1] {
		t.Errorf("%d %s", status, body)
	}
	status, body = ask(t, s, "GET", vendorPath+"/orders?start_time=2026-03-01T00:00:00&end_time=2026-03-02T00:00:00", "")
	var page struct {
		Orders []json.RawMessage
	}
	if err := json.Unmarshal([]byte(body), &page); err != nil || status != 200 || len(page.Orders) != 1 || string(page.Orders[0]) != bodies[1] {
		t.Errorf("%d %s (%v)", status, body, err)
	}
}
