package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestAlertRows writes, rewrites and forgets what alarms know.
func TestAlertRows(t *testing.T) {
	s := newTestStore(t)
	ctx := t.Context()
	if book, err := s.AlertBook(ctx); err != nil || book != "" {
		t.Errorf("a new book: %q, %v", book, err)
	}
	for _, book := range []string{`{"a":1}`, `{"a":2}`} {
		if err := s.SetAlertBook(ctx, book); err != nil {
			t.Fatal(err)
		}
		if got, err := s.AlertBook(ctx); err != nil || got != book {
			t.Errorf("the book: %q, %v", got, err)
		}
	}
	at := time.UnixMilli(1_790_000_000_000).UTC()
	one := AlertTarget{Target: "aa", Place: "alerts[0]", Told: "{}"}
	two := AlertTarget{
		Target: "bb", Place: "alerts[1]", Told: `{"run":"x"}`, Due: "ping\nx\n", DueAt: at, Failures: 2, Next: at.Add(time.Second), Error: "it answered 500",
	}
	for _, row := range []AlertTarget{two, one, one} {
		if err := s.SetAlertTarget(ctx, row); err != nil {
			t.Fatal(err)
		}
	}
	same := func(what string, want ...AlertTarget) {
		t.Helper()
		got, err := s.AlertTargets(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	same("both", one, two)
	two.Due, two.DueAt, two.Failures, two.Next, two.Error = "", time.Time{}, 0, time.Time{}, ""
	if err := s.SetAlertTarget(ctx, two); err != nil {
		t.Fatal(err)
	}
	same("it got through", one, two)
	for _, c := range []struct {
		keep []string
		want []AlertTarget
	}{{[]string{"aa", "bb"}, []AlertTarget{one, two}}, {[]string{"bb", "cc"}, []AlertTarget{two}}, {nil, nil}} {
		if err := s.KeepAlertTargets(ctx, c.keep); err != nil {
			t.Fatal(err)
		}
		same("after forgetting", c.want...)
	}
}
