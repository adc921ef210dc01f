package alert

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// step is one look at the house, and what both kinds of target are told after it.
type step struct {
	after time.Duration // since the look before
	seen  string        // problems: key=kind ..., then slot, begin, busy
	state State
	ping  string // steps, comma between
	post  string // "", or the state and the keys that are told
}

// TestBook follows targets through what happens to a house. Between any two looks everything is written down and read again, as by a
// process that was killed.
func TestBook(t *testing.T) {
	const down, refused = "server=unreachable", "server=credentials"
	for name, steps := range map[string][]step{
		"all well, a slot and nothing to do": {
			{0, "slot", OK, "", ""}, // where the schedule begins
			{time.Minute, "", OK, "", ""},
			{time.Minute, "slot busy", OK, "start", ""},
			{time.Second, "busy", OK, "", ""},
			{time.Second, "", OK, "ok", ""},
			{time.Minute, "busy", OK, "", ""}, // a push in between
			{time.Minute, "slot", OK, "start,ok", ""},
		},
		"a lost packet wakes nobody": {
			{0, "slot", OK, "", ""},
			{time.Minute, "slot busy " + down, OK, "start", ""},
			{time.Minute, "busy " + down, OK, "", ""},
			{time.Second, "", OK, "ok", ""},
		},
		"an outage is told once, and its end": {
			{0, "slot", OK, "", ""},
			{time.Minute, "slot busy " + down, OK, "start", ""},
			{14 * time.Minute, "busy " + down, OK, "", ""},
			{time.Minute, "busy " + down, Failing, "fail", "failing server"},
			{time.Minute, "busy " + down, Failing, "", ""},
			{time.Minute, "slot busy " + down, Failing, "start,fail", ""},
			{time.Minute, "busy", OK, "", "ok"},
			{time.Minute, "", OK, "ok", ""},
			{time.Minute, "busy " + down, OK, "", ""},
			{time.Minute, "", OK, "", ""},
		},
		"a refused login is told at once, also before the first slot": {
			{0, "busy " + refused, Stopped, "start,fail", "stopped server"},
			{time.Hour, "busy " + refused, Stopped, "", ""},
			{time.Hour, "", OK, "ok", "ok"},
		},
		"what becomes something else is told, what becomes something slow when that lasts": {
			{0, "busy " + down, OK, "", ""},
			{time.Second, "busy " + refused, Stopped, "start,fail", "stopped server"},
			{time.Second, "busy " + down, Stopped, "", ""},
			{time.Second, "busy " + refused, Stopped, "", ""},
			{time.Second, "busy " + down, Stopped, "", ""},
			{15 * time.Minute, "busy " + down, Failing, "", "failing server"},
			{time.Second, "", OK, "ok", "ok"},
		},
		"a second problem is told with the first, one that comes back once more": {
			{0, "held/a=held", Waiting, "start,fail", "held held/a"},
			{time.Second, "held/a=held permission/x=permission", Failing, "", "failing held/a permission/x"},
			{time.Second, "held/a=held", Waiting, "", ""},
			{time.Second, "held/a=held permission/x=permission", Failing, "", "failing held/a permission/x"},
			{time.Second, "", OK, "ok", "ok"},
		},
		"what only the daemon knows outlasts a restart": {
			{0, "trouble/send=trouble", OK, "", ""},
			{15 * time.Minute, "trouble/send=trouble", Failing, "start,fail", "failing trouble/send"},
			{time.Second, "", Failing, "", ""}, // it has just started
			{30 * time.Second, "trouble/send=trouble", Failing, "", ""},
			{time.Second, "", Failing, "", ""},
			{time.Minute, "", OK, "ok", "ok"},
		},
		"an alarm that does not get through is no reason for an alarm": {
			{0, "alarm/x=alarm", OK, "", ""},
			{24 * time.Hour, "alarm/x=alarm", OK, "", ""},
		},
		"once begins a run without a slot": {
			{0, "begin busy", OK, "start", ""},
			{time.Second, "", OK, "ok", ""},
			{time.Hour, "begin busy", OK, "start", ""},
			{time.Second, "busy " + refused, Stopped, "fail", "stopped server"},
			{time.Hour, "begin busy " + refused, Stopped, "start,fail", ""},
		},
		"the clock is set back": {
			{0, "slot", OK, "", ""},
			{time.Minute, "busy " + down, OK, "", ""},
			{-time.Hour, "busy " + down, OK, "", ""},
			{15 * time.Minute, "busy " + down, Failing, "start,fail", "failing server"},
		},
	} {
		t.Run(name, func(t *testing.T) { follow(t, steps) })
	}
}

// follow takes the steps.
func follow(t *testing.T, steps []step) {
	t.Helper()
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	var book Book
	var ping, post Told
	var slot time.Time
	for i, s := range steps {
		now = now.Add(s.after)
		seen := Seen{After: 15 * time.Minute, Idle: true, RunID: "run " + now.String()}
		for word := range strings.FieldsSeq(s.seen) {
			switch key, kind, _ := strings.Cut(word, "="); key {
			case "slot":
				slot = now
			case "begin":
				seen.Begin = true
			case "busy":
				seen.Idle = false
			default:
				seen.Problems = append(seen.Problems, Problem{Key: key, Kind: Kind(kind)})
			}
		}
		seen.Slot = slot
		book = again(t, book.Look(now, seen))
		if book.State != s.state {
			t.Errorf("step %d: the state is %s, want %s", i, book.State, s.state)
		}
		var steps []string
		ping, steps = tellAll(t, ping, Ping, book, now)
		if got := strings.Join(steps, ","); got != s.ping {
			t.Errorf("step %d: pings %q, want %q", i, got, s.ping)
		}
		post, steps = tellAll(t, post, Post, book, now)
		if got := strings.Join(steps, ","); got != s.post {
			t.Errorf("step %d: posts %q, want %q", i, got, s.post)
		}
	}
}

// tellAll tells a target until it knows everything.
func tellAll(t *testing.T, told Told, way Way, book Book, now time.Time) (Told, []string) {
	t.Helper()
	told = again(t, told.Forget(book, now))
	var steps []string
	for {
		m, ok := told.Next(way, book, now, Daily{})
		if !ok || len(steps) > 3 {
			return told, steps
		}
		told = again(t, told.Heard(m))
		says := map[string]string{"": "ok"}[m.Step] + m.Step
		if way == Post {
			says = string(m.State)
			for _, e := range m.Problems {
				says += " " + e.Key
			}
		}
		steps = append(steps, says)
	}
}

// again writes a value down and reads it.
func again[T any](t *testing.T, v T) (out T) {
	t.Helper()
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	if back, _ := json.Marshal(out); string(back) != string(text) {
		t.Fatalf("%s became %s", text, back)
	}
	return out
}

// TestLookIsStable looks twice at the same: nothing would have to be written down.
func TestLookIsStable(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	seen := Seen{Problems: []Problem{{Key: "server", Kind: Unreachable}}, Slot: now, After: time.Hour, RunID: "a"}
	first := Book{}.Look(now, seen)
	seen.RunID = "b"
	if diff := cmp.Diff(first, first.Look(now.Add(time.Minute), seen)); diff != "" {
		t.Errorf("the second look (-first +second):\n%s", diff)
	}
}

func TestRetry(t *testing.T) {
	start := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	now, waits := start, []time.Duration{}
	for failures := 1; now.Sub(start) < 48*time.Hour; failures++ {
		next := Retry(now, start, failures)
		waits = append(waits, next.Sub(now))
		now = next
	}
	if diff := cmp.Diff([]time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second}, waits[:3]); diff != "" {
		t.Errorf("first waits (-want +got):\n%s", diff)
	}
	day := slices.Index(waits, LongestRetry)
	if before := waits[day-1]; before != 15*time.Minute || waits[len(waits)-1] != LongestRetry || len(waits)-day != 8 {
		t.Errorf("the last wait of the first day is %s, the next day has %v", before, waits[day:])
	}
}
