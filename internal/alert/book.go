package alert

import (
	"slices"
	"time"
)

// Book is what is known of the state: kept as JSON, between looks and between processes. The zero Book is a new one.
type Book struct {
	State   State     `json:"state"`
	Since   time.Time `json:"since"` // of the state
	Entries []Entry   `json:"entries,omitempty"`
	Run     Run       `json:"run"`
}

// Entry is a problem in the book.
type Entry struct {
	Problem
	Since time.Time `json:"since"` // when it was first seen
	Turn  time.Time `json:"turn"`  // when it became the kind that it is
	Gone  time.Time `json:"gone,omitzero"`
	Loud  Kind      `json:"loud,omitempty"` // the kind that deserves an alarm, "" while none does
}

// Run is what pings are about: one slot of the schedule, or one gondola once.
type Run struct {
	ID      string    `json:"id,omitempty"` // "" before the first one
	Slot    time.Time `json:"slot,omitzero"`
	Outcome Outcome   `json:"outcome,omitempty"`
}

// Outcome is how a run ended, "" while it goes on.
type Outcome string

// The outcomes. One that failed may still end well: everything is tried again by itself.
const (
	Done   Outcome = "ok"
	Failed Outcome = "fail"
)

// Seen is what a look finds.
type Seen struct {
	Problems []Problem
	Slot     time.Time     // of the last slot of any schedule: another one than before begins a run
	Begin    bool          // a run begins whatever the slot
	Idle     bool          // no plan is due and no document on its way: everything there was to do is verified
	After    time.Duration // what may pass by itself must have lasted so long
	RunID    string        // for the run that begins, if one does
}

// Look returns the book after a look.
func (b Book) Look(now time.Time, s Seen) Book {
	now = now.UTC().Truncate(time.Second)
	next := Book{State: b.State, Since: b.Since, Run: b.Run}
	if now.Before(next.Since) {
		next.Since = now // the clock was set back
	}
	for _, p := range s.Problems {
		next.Entries = append(next.Entries, b.meet(p, now, s.After))
	}
	for _, e := range b.Entries {
		if !slices.Contains(fleeting, e.Kind) || slices.ContainsFunc(s.Problems, func(p Problem) bool { return p.Key == e.Key }) {
			continue
		}
		if e.Gone.IsZero() || e.Gone.After(now) {
			e.Gone = now
		}
		if now.Sub(e.Gone) < linger {
			next.Entries = append(next.Entries, e)
		}
	}
	var loud []Kind
	for _, e := range next.Entries {
		if e.Loud != "" {
			loud = append(loud, e.Loud)
		}
	}
	if state := stateOf(loud); state != b.State {
		next.State, next.Since = state, now
	}
	next.Run = b.run(s, len(loud) > 0)
	return next
}

// meet returns the entry of a problem that was seen.
func (b Book) meet(p Problem, now time.Time, after time.Duration) Entry {
	e := Entry{Problem: p, Since: now, Turn: now}
	if i := slices.IndexFunc(b.Entries, func(e Entry) bool { return e.Key == p.Key }); i >= 0 {
		was := b.Entries[i]
		e.Loud = was.Loud
		// A time in the future is of a clock that has been set back since.
		if was.Since.Before(now) {
			e.Since = was.Since
		}
		if was.Kind == p.Kind && was.Turn.Before(now) {
			e.Turn = was.Turn
		}
	}
	if !slices.Contains(slow, p.Kind) || now.Sub(e.Turn) >= after {
		e.Loud = p.Kind
	}
	if p.Kind == Alarm {
		e.Loud = ""
	}
	return e
}

// run returns the run after a look.
func (b Book) run(s Seen, loud bool) Run {
	r := b.Run
	switch {
	case s.Begin, !r.Slot.IsZero() && !s.Slot.Equal(r.Slot):
		r = Run{ID: s.RunID, Slot: s.Slot}
	case b.State == "":
		// The slot that a new book finds is where the schedule began, or one of before there was an alarm.
		r.Slot = s.Slot
	case r.Slot.IsZero() && !s.Slot.IsZero():
		r.Slot = s.Slot // where the schedule began
	}
	if loud && r.ID == "" {
		r.ID = s.RunID // trouble before the first slot is told all the same
	}
	switch {
	case r.ID == "":
	case loud:
		r.Outcome = Failed
	case s.Idle:
		r.Outcome = Done
	}
	return r
}

// loud returns the entries that deserve an alarm.
func (b Book) loud() []Entry {
	return slices.DeleteFunc(slices.Clone(b.Entries), func(e Entry) bool { return e.Loud == "" })
}
