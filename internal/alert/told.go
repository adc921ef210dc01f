package alert

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Way is how a target is told.
type Way string

// The ways.
const (
	Ping Way = "ping"
	Post Way = "post"
	Mail Way = "mail"
)

// Told is what a target was last told: kept as JSON. The zero Told is that of a new target.
type Told struct {
	Run      string          `json:"run,omitempty"`
	Outcome  Outcome         `json:"outcome,omitempty"`  // of that run
	Problems map[string]Kind `json:"problems,omitempty"` // by key
	At       time.Time       `json:"at,omitzero"`        // when a post or a mail was last heard
}

// Message is one thing to tell.
type Message struct {
	Way  Way
	Step string // of a ping: start, "" for success, fail, log
	Run  string // of a ping

	State    State
	Since    time.Time
	Problems []Entry

	At       time.Time // when it is said, for who keeps when it was
	Reminder bool      // nothing has changed: it says once a day what still stands
}

// The steps of a ping, as healthchecks.io names them.
const (
	stepStart = "start"
	stepOK    = ""
	stepFail  = "fail"
	stepLog   = "log"
)

// Next returns what a target is to be told now, false when it knows. Problems that are gone are forgotten on the way: when they come back
// they are told again. What stands for days is said again once a day; a check that is pinged does that itself.
func (t Told) Next(way Way, b Book, now time.Time, daily Daily) (Message, bool) {
	m := Message{Way: way, Run: b.Run.ID, State: b.State, Since: b.Since, Problems: b.loud(), At: now.UTC().Truncate(time.Second)}
	if way == Ping {
		switch {
		case b.Run.ID == "", t.Run == b.Run.ID && t.Outcome == b.Run.Outcome, t.Run == b.Run.ID && b.Run.Outcome == "":
			return m, false
		case t.Run != b.Run.ID:
			m.Step = stepStart
		case b.Run.Outcome == Done:
			m.Step = stepOK
		default:
			m.Step = stepFail
		}
		return m, true
	}
	switch {
	case len(m.Problems) == 0:
		return m, len(t.Problems) > 0
	case slices.ContainsFunc(m.Problems, func(e Entry) bool { return t.Problems[e.Key] != e.Loud }):
		return m, true
	}
	m.Reminder = daily.due(t.At, now)
	return m, m.Reminder
}

// Heard returns what the target knows once it has got a message.
func (t Told) Heard(m Message) Told {
	switch {
	case m.Way == Ping && m.Step == stepStart:
		return Told{Run: m.Run}
	case m.Way == Ping && m.Step == stepFail:
		return Told{Run: m.Run, Outcome: Failed}
	case m.Way == Ping:
		return Told{Run: m.Run, Outcome: Done}
	}
	t.Problems, t.At = map[string]Kind{}, m.At
	for _, e := range m.Problems {
		t.Problems[e.Key] = e.Loud
	}
	return t
}

// Forget returns a Told without problems that are gone while others are left. When none is left, that is still to be told. A time that
// has not come yet was written by a clock that has been set back since, and becomes now: reminders would be missing until it comes.
func (t Told) Forget(b Book, now time.Time) Told {
	if t.At.After(now) {
		t.At = now.UTC().Truncate(time.Second)
	}
	left := maps.Clone(t.Problems)
	maps.DeleteFunc(left, func(key string, _ Kind) bool {
		return !slices.ContainsFunc(b.Entries, func(e Entry) bool { return e.Key == key })
	})
	if len(left) > 0 {
		t.Problems = left
	}
	return t
}

// ID names what a message says. Two attempts to say the same have the same.
func (m Message) ID() string {
	parts := []string{string(m.Way), m.Run, m.Step}
	if m.Way != Ping {
		parts = []string{string(m.Way), string(m.State)}
		if m.Reminder {
			parts = append(parts, "reminder")
		}
		for _, e := range m.Problems {
			parts = append(parts, e.Key+" "+string(e.Loud))
		}
	}
	return strings.Join(parts, "\n")
}

// Trial returns a message that only tries the way to a target. A check logs it, and counts it neither as success nor as failure.
func Trial(way Way, id string, now time.Time) Message {
	return Message{Way: way, Step: stepLog, Run: id, State: Test, Since: now.UTC().Truncate(time.Second)}
}

// The back-off of messages that did not get through. After a day it goes on, seldom: an alarm that still stands is never given up.
const (
	firstRetry = 5 * time.Second
	oftenRetry = 15 * time.Minute
	seldomFrom = 24 * time.Hour
	// LongestRetry is the longest time between two attempts.
	LongestRetry = 3 * time.Hour
)

// Retry returns when a message is to be tried again that was due since a time and has failed so often.
func Retry(now, since time.Time, failures int) time.Time {
	if now.Sub(since) >= seldomFrom {
		return now.Add(LongestRetry)
	}
	wait := firstRetry
	for range failures - 1 {
		wait = min(2*wait, oftenRetry)
	}
	return now.Add(wait)
}
