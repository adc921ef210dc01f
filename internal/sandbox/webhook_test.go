package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAuthorization(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(*Options)
		want string
	}{
		"verbatim": {func(*Options) {}, "user:any string"},
		"basic":    {func(o *Options) { o.Rules.BasicSecret = true }, "Basic dXNlcjphbnkgc3RyaW5n"},
		"bearer":   {func(o *Options) { o.Rules.BearerSecret = true }, "Bearer user:any string"},
		"none":     {func(o *Options) { o.Webhook.Secret = "" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			l := newListener(t)
			s := newRESTSandbox(t, func(o *Options) { o.Webhook = Webhook{URL: l.URL, Secret: "user:any string"}; c.set(o) })
			id := addOrder(t, s, NewOrder{Vendor: "290056"})
			advance(t, s, id, StateReady)
			body := l.got(t, s)[0]
			if got := l.headers[0].Get("Authorization"); got != c.want || l.headers[0].Get("Content-Type") != "application/json" {
				t.Errorf("Authorization %q, want %q", got, c.want)
			}
			if want, _ := s.OrderBody(id); body != string(want) {
				t.Errorf("the event is not the order: %s", body)
			}
		})
	}
}

func TestRetries(t *testing.T) {
	l := newListener(t)
	l.answer = func(n int) int { return []int{503, 302, 200, 500, 500, 500, 200}[n-1] }
	s := newRESTSandbox(t, func(o *Options) {
		o.Webhook = Webhook{URL: l.URL, Retries: []time.Duration{time.Millisecond, time.Millisecond}}
	})
	first := addOrder(t, s, NewOrder{Vendor: "290056"})
	advance(t, s, first, StateReady)
	l.got(t, s)
	advance(t, s, addOrder(t, s, NewOrder{Vendor: "290056"}), StateReady)
	bodies := l.got(t, s)
	if len(bodies) != 6 || bodies[0] != bodies[2] || bodies[3] != bodies[5] {
		t.Fatalf("%d attempts", len(bodies))
	}
	var got []string
	for _, d := range s.Deliveries() {
		got = append(got, fmt.Sprint(d.N, d.Event, d.Attempt, d.Status, d.Acknowledged()))
	}
	want := []string{"1 1 1 503 false", "2 1 2 302 false", "3 1 3 200 true", "4 2 1 500 false", "5 2 2 500 false", "6 2 3 500 false"}
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

// TestNoAnswer: who listens does not answer, or is not there; the platform's own work goes on.
func TestNoAnswer(t *testing.T) {
	block := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-block }))
	defer slow.Close()
	defer close(block)
	s := newRESTSandbox(t, func(o *Options) { o.Webhook = Webhook{URL: slow.URL, Timeout: 300 * time.Millisecond} })
	id := addOrder(t, s, NewOrder{Vendor: "290056"})
	begun := time.Now()
	advance(t, s, id, StateReady, StatePickedUp)
	if took := time.Since(begun); took > 200*time.Millisecond {
		t.Errorf("the order waited %s for whoever listens", took)
	}
	eventually(t, "the attempt ends", func() bool { return s.PendingEvents() == 0 })
	s.SetWebhook("http://127.0.0.1:1/none")
	advance(t, s, id, StateCancelled)
	eventually(t, "the attempt ends", func() bool { return s.PendingEvents() == 0 })
	log := s.Deliveries()
	if len(log) != 2 || log[0].Status != 0 || !strings.Contains(log[0].Err, "deadline") || !strings.Contains(log[1].Err, "refused") {
		t.Errorf("%+v", log)
	}
	s.SetWebhook("")
	advance(t, s, id, StateReady)
	if len(s.Deliveries()) != 2 || s.PendingEvents() != 0 {
		t.Error("an event went nowhere")
	}
}

// TestCloseWithEvents: what is under way when the sandbox ends is cut off.
func TestCloseWithEvents(t *testing.T) {
	block := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-block }))
	defer slow.Close()
	defer close(block)
	s := newRESTSandbox(t, func(o *Options) { o.Webhook = Webhook{URL: slow.URL, Timeout: time.Hour} })
	for range 20 {
		advance(t, s, addOrder(t, s, NewOrder{Vendor: "290056"}), StateReady)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestEventsOfAnOrderStayInOrder(t *testing.T) {
	l := newListener(t)
	s := newRESTSandbox(t, func(o *Options) { o.Webhook.URL, o.Rules.PartnerPicking = l.URL, true })
	for range 50 {
		advance(t, s, addOrder(t, s, NewOrder{Vendor: "290056"}), StateReady, StateDelivered)
	}
	l.got(t, s)
	last := map[string]int{}
	for _, d := range s.Deliveries() {
		if d.Event < last[d.ID] {
			t.Errorf("%+v came after event %d", d, last[d.ID])
		}
		last[d.ID] = d.Event
	}
	if len(last) != 50 {
		t.Errorf("%d orders", len(last))
	}
}

func TestDuplicatesAndReordering(t *testing.T) {
	l := newListener(t)
	s := newRESTSandbox(t, func(o *Options) { o.Webhook.URL, o.Rules.PartnerPicking = l.URL, true })
	s.Faults().DuplicateEvents(0.5)
	s.Faults().ReorderEvents(50 * time.Millisecond)
	for range 50 {
		advance(t, s, addOrder(t, s, NewOrder{Vendor: "290056"}), StateReady, StateDelivered)
	}
	bodies := l.got(t, s)
	copies, reordered := 0, 0
	last := map[string]int{}
	for _, d := range s.Deliveries() {
		if d.Copy {
			copies++
		}
		if d.Event < last[d.ID] {
			reordered++
		}
		last[d.ID] = d.Event
	}
	slices.Sort(bodies)
	if different := len(slices.Compact(slices.Clone(bodies))); different != 150 || len(bodies) != 150+copies || copies < 40 || copies > 110 || reordered == 0 {
		t.Errorf("%d events, %d of them different, %d copies, %d reordered", len(bodies), different, copies, reordered)
	}
}

func TestRepeatedEvents(t *testing.T) {
	l := newListener(t)
	s := newRESTSandbox(t, func(o *Options) { o.Webhook.URL = l.URL })
	s.Faults().RepeatEvents(10)
	advance(t, s, addOrder(t, s, NewOrder{Vendor: "290056"}), StateReady)
	bodies := l.got(t, s)
	if len(bodies) != 10 || len(slices.Compact(bodies)) != 1 {
		t.Errorf("%d events", len(bodies))
	}
}

func TestSilence(t *testing.T) {
	c := newClock()
	l := newListener(t)
	s := newRESTSandbox(t, func(o *Options) { o.Webhook.URL, o.Now = l.URL, c.Now })
	s.Faults().SilentBetween(c.Now().Add(time.Hour), c.Now().Add(2*time.Hour))
	id := addOrder(t, s, NewOrder{Vendor: "290056"})
	for range 3 { // before, in and after that hour
		advance(t, s, id, StateReady)
		if err := s.ChangeCart(id); err != nil {
			t.Fatal(err)
		}
		c.add(time.Hour)
	}
	s.Faults().DropEvents(true)
	advance(t, s, id, StateCancelled)
	bodies := l.got(t, s)
	dropped := 0
	for _, d := range s.Deliveries() {
		if d.Dropped {
			dropped++
			if d.Acknowledged() {
				t.Errorf("%+v", d)
			}
		}
	}
	// READY is told once, each changed cart, and the cancellation.
	if len(bodies) != 3 || dropped != 2 {
		t.Errorf("%d told, %d dropped", len(bodies), dropped)
	}
}

func TestForeignChainAndWrongSecret(t *testing.T) {
	l := newListener(t)
	s := newRESTSandbox(t, func(o *Options) { o.Webhook = Webhook{URL: l.URL, Secret: "right"} })
	s.Faults().ForeignChain(true)
	s.Faults().WrongSecret(true)
	advance(t, s, addOrder(t, s, NewOrder{Vendor: "290056"}), StateReady)
	var b struct {
		Client struct {
			Chain string `json:"chain_id"`
		}
	}
	if err := json.Unmarshal([]byte(l.got(t, s)[0]), &b); err != nil || b.Client.Chain == DefaultChainID || b.Client.Chain == "" {
		t.Errorf("%+v (%v)", b, err)
	}
	if l.headers[0].Get("Authorization") == "right" {
		t.Error("the secret is right")
	}
	s.Faults().Clear()
	s.SendEvent(json.RawMessage(`not even JSON`))
	if bodies := l.got(t, s); bodies[1] != "not even JSON" || l.headers[1].Get("Authorization") != "right" {
		t.Errorf("%v", bodies)
	}
}
