package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"gondola/internal/alert"
	"gondola/internal/store"
)

// Status is how things stand, for people and for scripts.
type Status struct {
	At      time.Time      `json:"at"`
	Running bool           `json:"running"` // a daemon works on this state
	Stores  []StoreStatus  `json:"stores"`  // one for each store and kind, or for all stores where one file is for all of them
	Feeds   []FeedStatus   `json:"feeds"`
	Held    []Held         `json:"held"`              // exports that wait for approval
	Rows    []HeldRows     `json:"held_rows"`         // rows that do
	Hold    string         `json:"hold,omitempty"`    // why nothing is sent at all
	Paused  []Paused       `json:"paused,omitempty"`  // stores for which nothing begins to leave
	Off     []Off          `json:"off,omitempty"`     // articles that are switched off by hand
	Waiting []DeliveryLine `json:"waiting,omitempty"` // documents on their way

	State    alert.State   `json:"state"` // ok, held, failing or stopped: as alarms have it
	Since    time.Time     `json:"since,omitzero"`
	Problems []alert.Entry `json:"problems,omitempty"` // what is wrong, in the chain's language
	Orders   *OrderStatus  `json:"orders,omitempty"`   // nil where none ever came and none are handed over
	Rollback *RollbackLine `json:"rollback,omitempty"` // the last one, while something of it counts or it is not done
	Audits   []AuditLine   `json:"audits,omitempty"`   // the newest of each store
	Incoming *Incoming     `json:"incoming,omitempty"` // how orders come, where they do
	Passport string        `json:"passport,omitempty"` // what the server is known to allow, and what holds there

	Refused *RefusedConfig `json:"config_refused,omitempty"` // a changed config that the running daemon does not take
}

// StoreStatus is how one shelf of a store stands.
type StoreStatus struct {
	ID       string    `json:"id"` // * where one file is for all stores
	Name     string    `json:"name"`
	Kind     string    `json:"kind"`                // catalog, promotions or assortment
	Differs  int       `json:"differs"`             // articles or promotions that the next slot would change
	Same     int       `json:"same"`                // articles or promotions that are wanted as they were sent
	Pending  int       `json:"pending,omitempty"`   // promotions that start only once the end of others has been read
	Withheld int       `json:"withheld,omitempty"`  // promotions that can't start as they are; gondola plan says why
	Verified time.Time `json:"verified,omitzero"`   // the last document that arrived
	Next     time.Time `json:"next,omitzero"`       // the next slot
	Settled  bool      `json:"settled"`             // everything that left is known to have been there to be read, or worked on
	Jobs     int       `json:"jobs,omitempty"`      // requests that the platform has accepted and works on
	NotTaken int       `json:"not_taken,omitempty"` // rows that the platform did not take, by its last word
	Problem  string    `json:"problem,omitempty"`   // why something is not sent
}

// FeedStatus is how one feed stands.
type FeedStatus struct {
	Name    string        `json:"name"`
	Folder  string        `json:"folder"`
	Last    *DropLine     `json:"last,omitempty"`
	Problem string        `json:"problem,omitempty"` // of the folder
	Waiting []WaitingFile `json:"waiting,omitempty"` // files that lie there and are not taken yet
}

// DropLine is one drop in short.
type DropLine struct {
	Seq    int64     `json:"drop"`
	Name   string    `json:"name"`
	At     time.Time `json:"at"`
	State  string    `json:"state"`
	Rows   int       `json:"rows"`
	Issues int       `json:"issues"`
}

// WaitingFile is a file in a drop folder that is not taken yet.
type WaitingFile struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// DeliveryLine is one document on its way in short.
type DeliveryLine struct {
	Vendor   string    `json:"vendor"`
	Kind     string    `json:"kind"`
	Name     string    `json:"name"`
	State    string    `json:"state"`
	Attempts int       `json:"attempts"`
	Next     time.Time `json:"next,omitzero"`
	Class    string    `json:"class,omitempty"` // of the failure: transient, credentials, host-key, permission, no-space, protocol, foreign or local
	Error    string    `json:"error,omitempty"`
}

// OK reports whether nobody is needed.
func (s Status) OK() bool {
	if s.Hold != "" || s.Refused != nil || len(s.Held)+len(s.Rows)+len(s.Paused) > 0 {
		return false
	}
	for _, f := range s.Feeds {
		if f.Problem != "" {
			return false
		}
	}
	for _, v := range s.Stores {
		if v.Problem != "" {
			return false
		}
	}
	return true
}

// Status gathers how things stand. It works beside a running daemon.
func (h *House) Status(ctx context.Context) (Status, error) {
	s := Status{At: h.now(), Held: []Held{}, Rows: []HeldRows{}}
	var err error
	if s.Running, err = store.Running(h.cfg.State.Dir); err != nil {
		return s, err
	}
	if s.Held, err = h.HeldExports(ctx); err != nil {
		return s, err
	}
	if s.Rows, err = h.HeldFindings(ctx); err != nil {
		return s, err
	}
	for _, by := range h.ways() {
		hold, err := h.store.Hold(ctx, by)
		if err != nil {
			return s, err
		}
		if hold != nil && s.Hold == "" {
			s.Hold = hold.Text
		}
	}
	if s.Refused, err = h.refusedConfig(ctx); err != nil {
		return s, err
	}
	if s.Paused, err = h.Paused(ctx); err != nil {
		return s, err
	}
	if s.Off, err = h.Offs(ctx); err != nil {
		return s, err
	}
	if s.Passport, err = h.passportLine(ctx); err != nil {
		return s, err
	}
	problems, err := h.waitingLines(ctx, &s)
	if err != nil {
		return s, err
	}
	for _, t := range h.targets {
		line, err := h.storeStatus(ctx, t)
		if err != nil {
			return s, err
		}
		line.Problem = problems[t.String()]
		s.Stores = append(s.Stores, line)
	}
	if s.Feeds, err = h.feedStatus(ctx); err != nil {
		return s, err
	}
	book, err := h.bookNow(ctx)
	if err != nil {
		return s, err
	}
	s.State, s.Since, s.Problems = book.State, book.Since, book.Entries
	if s.Audits, err = h.auditLines(ctx); err != nil {
		return s, err
	}
	if s.Orders, err = h.orderStatus(ctx); err != nil {
		return s, err
	}
	if s.Incoming, err = h.incoming(ctx); err != nil {
		return s, err
	}
	s.Rollback, err = h.rollbackStatus(ctx)
	return s, err
}

// waitingLines lists the documents on their way and returns the problem of each target.
func (h *House) waitingLines(ctx context.Context, s *Status) (map[string]string, error) {
	waiting, err := h.store.Waiting(ctx)
	if err != nil {
		return nil, err
	}
	problems := map[string]string{}
	for _, d := range waiting {
		t := parseTarget(d.Target)
		s.Waiting = append(s.Waiting, DeliveryLine{
			Vendor: t.Vendor, Kind: string(t.Kind), Name: d.Folder + "/" + d.Name, State: d.State, Attempts: d.Attempts, Next: d.Next,
			Class: d.Class, Error: d.Error,
		})
		if d.Error != "" {
			problems[d.Target] = d.Error
		}
	}
	return problems, nil
}

func (h *House) storeStatus(ctx context.Context, t Target) (StoreStatus, error) {
	line := StoreStatus{ID: t.Vendor, Kind: string(t.Kind), Next: h.nextSlots(t, h.now()).Next}
	if v, ok := h.vendor(t.Vendor); ok {
		line.Name = v.Name
	}
	p, err := h.preview(ctx, t, false, nil)
	if err != nil {
		return line, fmt.Errorf("look at %s: %w", t, err)
	}
	line.Differs, line.Same, line.Pending = p.Summary.Differs, p.Summary.Change.Same, p.Summary.Waiting
	for _, n := range p.Summary.Withheld {
		line.Withheld += n
	}
	unsettled, err := h.store.Unsettled(ctx, t.String())
	if err != nil {
		return line, err
	}
	line.Settled = len(unsettled) == 0
	standing, err := h.store.StandingOf(ctx, t.String())
	if err != nil {
		return line, err
	}
	line.Jobs, line.NotTaken = standing.Open, standing.NotTaken
	line.Verified, err = h.store.LastVerified(ctx, t.String())
	return line, err
}

func (h *House) feedStatus(ctx context.Context) ([]FeedStatus, error) {
	reports, err := h.readWatch(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]FeedStatus, 0, len(h.feeds))
	for _, f := range h.feeds {
		line := reports[f.Drop]
		line.Name, line.Folder = f.Name, f.Drop
		d, ok, err := h.store.LastDrop(ctx, f.Name)
		if err != nil {
			return nil, err
		}
		if ok {
			line.Last = &DropLine{
				Seq: d.Seq, Name: d.Name, At: d.FirstSeen, State: string(d.State), Rows: d.Outcome.Rows, Issues: issueCount(d.Outcome.Counts),
			}
		}
		all = append(all, line)
	}
	return all, nil
}

// watchFact is where the daemon leaves what its watchers see, for commands in other processes.
const watchFact = "watch"

// reportWatch writes down what the watchers see, when it is something else than before. Where nobody has looked since there is nothing to
// compare: ten thousand files may lie there.
func (h *House) reportWatch(ctx context.Context) error {
	reports, looked := map[string]FeedStatus{}, map[string]time.Time{}
	for _, w := range h.watchers {
		looked[w.folder] = w.Status().Looked
	}
	if h.reported != nil && maps.EqualFunc(looked, h.reported, time.Time.Equal) {
		return nil
	}
	for _, w := range h.watchers {
		s := w.Status()
		line := FeedStatus{Problem: s.Problem}
		for _, f := range s.Waiting {
			line.Waiting = append(line.Waiting, WaitingFile{Name: f.Name, Reason: string(f.Reason)})
		}
		reports[w.folder] = line
	}
	text, err := json.Marshal(reports)
	if err != nil {
		return fmt.Errorf("write down what the watchers see: %w", err)
	}
	old, err := h.store.Fact(ctx, watchFact)
	if err == nil && old != string(text) {
		err = h.store.SetFact(ctx, watchFact, string(text))
	}
	if err == nil {
		h.reported = looked
	}
	return err
}

func (h *House) readWatch(ctx context.Context) (map[string]FeedStatus, error) {
	reports := map[string]FeedStatus{}
	text, err := h.store.Fact(ctx, watchFact)
	if err != nil || text == "" {
		return reports, err
	}
	if err := json.Unmarshal([]byte(text), &reports); err != nil {
		return reports, fmt.Errorf("read what the watchers saw: %w", err)
	}
	return reports, nil
}
