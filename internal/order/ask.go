package order

import (
	"slices"
	"time"

	"gondola/internal/platform"
)

// How the platform is asked for orders.
const (
	// Lead is how far behind now a window of time ends: a platform whose clock is ahead stamps orders with times that have not come here.
	Lead = time.Hour
	// oldestAsked is how far back a window begins at most. Orders are given out for 60 days [doc]; the rest is for Lead, and for clocks
	// that differ.
	oldestAsked = platform.MaxOrderRange - 2*Lead
)

// Window returns the range of time that a store's orders are asked for. The mark is the time, by the platform's clock, of the newest
// order that is known, zero where the store was never asked: then only what came within the overlap is asked for, because whoever begins
// today does not want the orders of two months handed over.
//
// What a time means, creation or last change, is [unknown]; either way what came since is in the window, whatever our clock says: it
// begins at an order's time, less the overlap, and ends in the future.
func Window(mark, now time.Time, overlap time.Duration) (from, to time.Time) {
	if mark.IsZero() || mark.After(now) {
		mark = now
	}
	from = mark.Add(-overlap)
	if oldest := now.Add(-oldestAsked); from.Before(oldest) {
		from = oldest
	}
	return from, now.Add(Lead)
}

// NextMark returns the mark after a window was read wholly: the time of the newest order in it. It counts when orders were made, which is
// never later than when they changed. A clock that is far ahead moves it no further than now.
func NextMark(mark, now time.Time, read []platform.Order) time.Time {
	if mark.IsZero() || mark.After(now) { // it was set while our clock was ahead: a gap after now would not be asked for
		mark = now
	}
	for _, o := range read {
		if o.Created.After(mark) && !o.Created.After(now) {
			mark = o.Created
		}
	}
	return mark
}

// AskStep says how often the platform is asked for an order alone that something is still expected of.
type AskStep struct {
	Within time.Duration // since the order last moved
	Every  time.Duration
}

// AskSteps returns the steps, the youngest orders first: an order is picked within the hour, and what is not done after a day hardly ever
// will be. Beyond the last one the platform does not know it any more [doc].
func AskSteps() []AskStep {
	return []AskStep{
		{2 * time.Hour, 5 * time.Minute},
		{24 * time.Hour, 30 * time.Minute},
		{7 * 24 * time.Hour, 6 * time.Hour},
		{platform.MaxOrderRange, 24 * time.Hour},
	}
}

// GapKind is in which way events and answers about an order differ.
type GapKind string

// The kinds of gaps.
const (
	GapNotTold   GapKind = "not-told"   // an answer had a state that no event told
	GapNotListed GapKind = "not-listed" // an event told of an order that the list of the store does not have
	GapDiffers   GapKind = "differs"    // an event told a state that the platform, when asked, does not know of
)

// Gap is one of them.
type Gap struct {
	Kind  GapKind
	State platform.OrderState // that one side does not have
	Seen  time.Time           // when the other side told it first, by our clock
}

// Grace is how long the other side has before it is a gap: events are told again after minutes, and lists are asked for in minutes.
const Grace = 10 * time.Minute

// GapRules are what gaps are looked for with.
type GapRules struct {
	Now    time.Time
	Told   time.Time // since when events are listened to; zero = they are not
	Listed time.Time // when the store's orders were last read wholly; zero = never
}

// Gaps returns in which ways what events and answers told of an order differs. One that Listed does not reach yet is none.
func Gaps(all []Sighting, r GapRules) []Gap {
	var gaps []Gap
	told, asked := by(all, ByWebhook), by(all, ByPoll)
	if !r.Told.IsZero() {
		for _, state := range eventStates() {
			answer, has := reached(asked, state)
			if _, hasEvent := reached(told, state); has && !hasEvent && !answer.Before(r.Told) && !answer.Add(Grace).After(r.Now) {
				gaps = append(gaps, Gap{GapNotTold, state, answer})
			}
		}
	}
	if len(told) == 0 || r.Listed.IsZero() {
		return gaps
	}
	if len(asked) == 0 {
		if first := told[0]; !first.At.Add(Grace).After(r.Listed) {
			gaps = append(gaps, Gap{GapNotListed, first.State, first.At})
		}
		return gaps
	}
	_, over := reached(asked, platform.StateCancelled)
	for _, s := range told {
		if over && !Final(s.State) {
			continue // an answer does not say how far a cancelled order was
		}
		if _, has := reached(asked, s.State); !has && Known(s.State) && !s.At.Add(Grace).After(r.Listed) {
			gaps = append(gaps, Gap{GapDiffers, s.State, s.At})
		}
	}
	return gaps
}

// eventStates are the states that the platform tells of by event in every way of picking [doc]; a store's own pickers are told of more.
func eventStates() []platform.OrderState {
	return []platform.OrderState{platform.StateReady, platform.StateCancelled}
}

// by returns the sightings of one side, the first one first.
func by(all []Sighting, source Source) []Sighting {
	some := slices.DeleteFunc(slices.Clone(all), func(s Sighting) bool { return s.By != source })
	slices.SortFunc(some, func(a, b Sighting) int { return a.At.Compare(b.At) })
	return some
}

// reached returns when one side first told of a state, or of one that comes after it.
func reached(some []Sighting, state platform.OrderState) (time.Time, bool) {
	for _, s := range some {
		if s.State == state || state != platform.StateCancelled && rank(s.State) >= rank(state) && rank(state) > 0 {
			return s.At, true
		}
	}
	return time.Time{}, false
}
