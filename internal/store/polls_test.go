package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"gondola/internal/order"
	"gondola/internal/platform"
)

// TestPollQueriesUseTheirIndex asks SQLite how it would answer what is asked every half a minute.
func TestPollQueriesUseTheirIndex(t *testing.T) {
	s := newTestOrders(t)
	for name, query := range map[string]string{
		"ask": askQuery, "told": toldQuery, "gaps": gapsQuery + `WHERE g.found_at >= $1 ORDER BY g.found_at DESC, g.key LIMIT $2`,
		"gaps to check": gapsQuery + gapsToCheck, "due events": dueEventsQuery,
		"bodies to purge": purgeableEvents + "1", "events to forget": forgottenEvents + "1",
	} {
		var args []any
		for i := range strings.Count(query, "$") {
			args = append(args, i)
		}
		steps, err := list(t.Context(), s.read, scanStep, "EXPLAIN QUERY PLAN "+query, args...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, step := range steps {
			if strings.HasPrefix(step, "SCAN") && !strings.Contains(step, "USING") {
				t.Errorf("%s walks a table:\n%s", name, strings.Join(steps, "\n"))
			}
		}
	}
}

// TestOrdersToAsk asks for young orders often and for old ones rarely, and not for those that are done or not known any more.
func TestOrdersToAsk(t *testing.T) {
	s := newTestOrders(t)
	start := testSeen("x", platform.StateReady, "1", 0).At
	merge(t, s, testSeen("open", platform.StateReady, "5", 0), testSeen("done", platform.StatePickedUp, "5", 0))
	steps := order.AskSteps()
	asked, last := []string{}, time.Duration(0)
	for d := time.Duration(0); d < 61*24*time.Hour; d += time.Minute {
		if d > 3*time.Hour { // minutes matter at first only
			d += 29 * time.Minute
		}
		ids, err := s.OrdersToAsk(t.Context(), start.Add(d), steps, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			if id != "open" {
				t.Fatalf("%s is asked for", id)
			}
			if len(asked) < 26 || d-last > 5*time.Hour && len(asked) < 80 {
				asked = append(asked, (d - last).String())
			}
			last = d
		}
		if err := s.OrdersAsked(t.Context(), ids, start.Add(d), true); err != nil {
			t.Fatal(err)
		}
	}
	if asked[0] != "5m0s" || asked[22] != "5m0s" || asked[23] != "30m0s" {
		t.Errorf("at first: %v", asked[:26])
	}
	if last < 58*24*time.Hour || last > 60*24*time.Hour {
		t.Errorf("asked for the last time after %s", last)
	}
	// What moves on is young again, and what the platform does not know three times is let go.
	moved := testSeen("open", platform.StateDispatch, "5", 61*24*60)
	merge(t, s, moved)
	now := moved.At
	for n := range 5 {
		now = now.Add(10 * time.Minute)
		ids, err := s.OrdersToAsk(t.Context(), now, steps, 10)
		if err != nil || len(ids) != map[bool]int{true: 1, false: 0}[n < forgotten] {
			t.Errorf("%d: %v, %v", n, ids, err)
		}
		if err := s.OrdersAsked(t.Context(), ids, now, false); err != nil {
			t.Fatal(err)
		}
	}
}

// TestToldSince hands out orders with all their sightings, and ends with the first error.
func TestToldSince(t *testing.T) {
	s := newTestOrders(t)
	poll := testSeen("a", platform.StateReady, "5", 3)
	poll.By = order.ByPoll
	merge(t, s, testSeen("a", platform.StateReceived, "5", 1), testSeen("b", platform.StateReady, "5", 2), poll, testSeen("old", platform.StateReady, "5", -500))
	var got []string
	err := s.ToldSince(t.Context(), poll.At.Add(-10*time.Minute), func(t Told) error {
		got = append(got, fmt.Sprintf("%s %s %d", t.ID, t.Vendor, len(t.Sightings)))
		return nil
	})
	if err != nil || strings.Join(got, ", ") != "b nbet 1, a nbet 2" {
		t.Errorf("%v, %v", got, err)
	}
	stop := errors.New("stop")
	if err := s.ToldSince(t.Context(), time.Time{}, func(Told) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("%v", err)
	}
}
