package sandbox

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"path"
	"slices"
	"sync"
	"time"
)

// The defaults of Webhook.
const (
	DefaultWebhookTimeout = 10 * time.Second // nobody outside knows
	DefaultSenders        = 4
)

// Webhook is where events go. How long the platform waits for an answer, and whether it tries again, nobody outside knows.
type Webhook struct {
	// URL is the address; "" is nobody to tell.
	URL string
	// Secret goes into Authorization, verbatim unless the rules say otherwise.
	Secret string
	// Retries are the times to wait after each attempt that was not answered 200; none is one attempt.
	Retries []time.Duration
	// Timeout is how long an answer may take. Default DefaultWebhookTimeout.
	Timeout time.Duration
	// Senders is how many events are under way at once. Events about one order wait for each other. Default DefaultSenders.
	Senders int
}

// EventKind is what an event is about.
type EventKind string

// The kinds.
const (
	EventOrder        EventKind = "order"
	EventCatalogJob   EventKind = "catalog job"
	EventPromotionJob EventKind = "promotion job"
)

// event is something to be told.
type event struct {
	n        int
	kind     EventKind
	id       string // of the order or job
	state    string
	revision int
	body     []byte
}

// Delivery is one attempt to tell an event, and an element of /deliveries.json.
type Delivery struct {
	N        int           `json:"n"`     // from 1, in the order in which attempts ended
	Event    int           `json:"event"` // counts events, from 1; a duplicate has the number of the event
	Kind     EventKind     `json:"kind"`
	ID       string        `json:"id"`                     // of the order or job
	State    string        `json:"state"`                  // of the order or job, in capitals
	Revision int           `json:"cart_changes,omitempty"` // of the order's cart by then
	Attempt  int           `json:"attempt"`                // from 1
	Copy     bool          `json:"copy,omitempty"`         // the event is told once more on purpose
	At       time.Time     `json:"at"`                     // when it was answered, or given up
	Status   int           `json:"status"`                 // of the answer; 0: none came
	Err      string        `json:"error,omitempty"`        // why none came
	Took     time.Duration `json:"took_ns"`
	Dropped  bool          `json:"dropped,omitempty"` // kept to itself on purpose: nothing was sent
}

// Acknowledged reports whether the receiver took the event over.
func (d Delivery) Acknowledged() bool { return d.Status == http.StatusOK }

// sender tells events.
type sender struct {
	opts   *Options
	faults *Faults
	client *http.Client
	lanes  []*agenda

	mu     sync.Mutex
	url    string // guarded by mu
	n      int    // events so far; guarded by mu
	dice   *rand.Rand
	tries  []Delivery // guarded by mu
	active int        // events that are not through; guarded by mu
}

func newSender(o *Options, f *Faults) *sender {
	s := &sender{
		opts: o, faults: f, url: o.Webhook.URL, dice: rand.New(rand.NewPCG(o.API.OrderSeed, 3)), // as repeatable as time lets it be
		client: &http.Client{
			Timeout:       o.Webhook.Timeout,
			Transport:     &http.Transport{MaxIdleConnsPerHost: o.Webhook.Senders},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	for range o.Webhook.Senders {
		s.lanes = append(s.lanes, newAgenda())
	}
	return s
}

// send tells an event soon, without waiting for it.
func (s *sender) send(e event) {
	f := s.faults.ofEvents()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	e.n = s.n
	now := s.opts.Now()
	if s.url == "" {
		return
	}
	if f.drop || !now.Before(f.from) && now.Before(f.to) {
		s.tries = append(s.tries, Delivery{
			N: len(s.tries) + 1, Event: e.n, Kind: e.kind, ID: e.id, State: e.state, Revision: e.revision, At: now, Dropped: true,
		})
		return
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(e.id)) // a hash takes everything
	lane := s.lanes[hash.Sum32()%uint32(len(s.lanes))]
	copies := max(1, f.times)
	if f.duplicate > 0 && s.dice.Float64() < f.duplicate {
		copies++
	}
	for n := range copies {
		wait := time.Duration(0)
		if f.reorder > 0 {
			wait = time.Duration(s.dice.Int64N(int64(f.reorder)))
		}
		s.active++
		lane.after(wait, func(ctx context.Context) { s.attempt(ctx, lane, e, n > 0, 1) })
	}
}

// attempt tells an event once, and plans the next attempt where it has to be.
func (s *sender) attempt(ctx context.Context, lane *agenda, e event, again bool, n int) {
	begun := time.Now()
	status, err := s.post(ctx, e)
	d := Delivery{
		Event: e.n, Kind: e.kind, ID: e.id, State: e.state, Revision: e.revision, Attempt: n, Copy: again,
		At: s.opts.Now(), Status: status, Took: time.Since(begun),
	}
	if err != nil {
		d.Err = err.Error()
	}
	retries := s.opts.Webhook.Retries
	s.mu.Lock()
	defer s.mu.Unlock()
	d.N = len(s.tries) + 1
	s.tries = append(s.tries, d)
	if status != http.StatusOK && n <= len(retries) {
		lane.after(retries[n-1], func(ctx context.Context) { s.attempt(ctx, lane, e, again, n+1) })
		return
	}
	s.active--
	if status != http.StatusOK {
		s.opts.Log.Warn("event was not taken over", "kind", string(e.kind), "id", e.id, "state", e.state, "status", status, "error", d.Err)
	}
}

// post sends an event and returns the answer's status.
func (s *sender) post(ctx context.Context, e event) (status int, err error) {
	f := s.faults.ofEvents()
	body := e.body
	if f.foreign {
		body = bytes.ReplaceAll(body, []byte(s.opts.API.ChainID), []byte("00000000-0000-4000-8000-00000000f0e1"))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.to(), bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	secret := s.opts.Webhook.Secret
	if f.wrongToken {
		secret = "not " + secret
	}
	switch {
	case s.opts.Rules.BasicSecret:
		secret = "Basic " + base64.StdEncoding.EncodeToString([]byte(secret))
	case s.opts.Rules.BearerSecret:
		secret = "Bearer " + secret
	}
	if secret != "" {
		req.Header.Set("Authorization", secret)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, err
	}
	const enough = 4 << 10 // for the connection to be used again
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, enough))
	return resp.StatusCode, resp.Body.Close()
}

// to returns where events go.
func (s *sender) to() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// SetWebhook changes where events to come go, and what is tried again goes; "" is nobody to tell.
func (s *Sandbox) SetWebhook(url string) {
	s.sender.mu.Lock()
	defer s.sender.mu.Unlock()
	s.sender.url = url
}

// Deliveries returns all attempts to tell an event so far, in the order in which they ended.
func (s *Sandbox) Deliveries() []Delivery {
	s.sender.mu.Lock()
	defer s.sender.mu.Unlock()
	return slices.Clone(s.sender.tries)
}

// PendingEvents returns how many events are not through: neither answered 200 nor given up. Copies of one count by themselves.
func (s *Sandbox) PendingEvents() int {
	s.sender.mu.Lock()
	defer s.sender.mu.Unlock()
	return s.sender.active
}

// jobEnded tells that a job ended, where the platform does.
func (s *Sandbox) jobEnded(job *apiJob) {
	rules := s.opts.Rules
	told, _ := s.jobs.find(job.ID) // it is there
	e := event{kind: EventCatalogJob, id: told.ID, state: string(told.Status)}
	if told.Kind == JobPromotion {
		if rules.NoPromotionEvent {
			return
		}
		e.kind = EventPromotionJob
	}
	var body any
	switch {
	case told.Kind == JobPromotion && !rules.PromotionEvent:
		body = s.rest.jobBody(&told)
	case told.Kind == JobPromotion:
		body = s.catalogEvent(told.ID, told.Status, told.Vendor, "")
	default:
		body = s.catalogEvent(told.ID, told.Status, told.Vendor, s.rest.downloadURL(told.ID))
	}
	e.body = reply(http.StatusOK, body).body
	s.sender.send(e)
}

// fileEnded tells that a file was read, where the platform does.
func (s *Sandbox) fileEnded(job *Job) {
	if !s.opts.Rules.SFTPEvents || job.Status == Ignored {
		return
	}
	s.jobs.addFile(job, s.opts.kind(path.Dir(job.File)) == kindPromotions, s.rest.feedbackCSV)
}

// catalogEvent is the documented body of an event about a job, or the one that some partners see.
func (s *Sandbox) catalogEvent(id string, status Status, vendor, download string) any {
	body := map[string]any{"job_id": id}
	if s.opts.Rules.JobNames {
		body["job_status"], body["vendor_id"] = status, vendor
	} else {
		body["status"], body["platform_vendor_id"] = status, vendor
	}
	if download != "" {
		body["download_url"] = download
	}
	return body
}

// SendEvent tells an event with any body, as tests need it that try what no platform would send.
func (s *Sandbox) SendEvent(body json.RawMessage) {
	s.sender.send(event{kind: EventOrder, body: slices.Clone([]byte(body))})
}
