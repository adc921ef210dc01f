package order

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/platform"
)

// at is a time of the tests, in minutes.
func at(minutes int) time.Time {
	return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(minutes) * time.Minute)
}

func TestWindow(t *testing.T) {
	now, day := at(0), 24*time.Hour
	for name, c := range map[string]struct{ mark, from time.Time }{
		"never asked":        {time.Time{}, now.Add(-30 * time.Minute)},
		"a moment ago":       {at(-5), at(-35)},
		"down for a week":    {now.Add(-7 * day), now.Add(-7*day - 30*time.Minute)},
		"down for a year":    {now.Add(-365 * day), now.Add(-60*day + 2*time.Hour)},
		"clock was set back": {at(600), at(-30)},
	} {
		from, to := Window(c.mark, now, 30*time.Minute)
		if !from.Equal(c.from) || !to.Equal(at(60)) {
			t.Errorf("%s: %s to %s, want %s", name, from, to, c.from)
		}
		if to.Sub(from) > platform.MaxOrderRange-time.Second {
			t.Errorf("%s: the window is too long", name)
		}
	}
	// The longest overlap there is does not make it longer than the platform allows.
	if from, to := Window(now.Add(-59*day), now, 7*day); to.Sub(from) > platform.MaxOrderRange-time.Second {
		t.Errorf("%s to %s", from, to)
	}
}

func TestNextMark(t *testing.T) {
	orders := func(minutes ...int) (all []platform.Order) {
		for _, m := range minutes {
			all = append(all, platform.Order{Created: at(m), Updated: at(m + 30)})
		}
		return all
	}
	for name, c := range map[string]struct {
		mark time.Time
		read []platform.Order
		want time.Time
	}{
		"first, and nothing": {time.Time{}, nil, at(0)},
		"nothing new":        {at(-50), nil, at(-50)},
		"the newest":         {at(-50), orders(-20, -10, -40), at(-10)},
		"never back":         {at(-5), orders(-20), at(-5)},
		"not beyond now":     {at(-50), orders(-20, 5), at(-20)}, // the platform's clock is ahead
		"clock was ahead":    {at(600), orders(-20), at(0)},
		"without times":      {at(-50), []platform.Order{{}}, at(-50)},
	} {
		if got := NextMark(c.mark, at(0), c.read); !got.Equal(c.want) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestGaps(t *testing.T) {
	told := func(state platform.OrderState, m int) Sighting {
		return Sighting{State: state, By: ByWebhook, At: at(m)}
	}
	asked := func(state platform.OrderState, m int) Sighting { return Sighting{State: state, By: ByPoll, At: at(m)} }
	const ready, picked, cancelled, received = platform.StateReady, platform.StatePickedUp, platform.StateCancelled, platform.StateReceived
	since, listed := at(-600), at(0)
	for name, c := range map[string]struct {
		seen          []Sighting
		since, listed time.Time
		want          []Gap
	}{
		"both":                    {[]Sighting{told(ready, -30), asked(ready, -28), asked(picked, -5)}, since, listed, nil},
		"only asked, early":       {[]Sighting{asked(received, -60)}, since, listed, nil},
		"only asked":              {[]Sighting{asked(received, -60), asked(ready, -30)}, since, listed, []Gap{{GapNotTold, ready, at(-30)}}},
		"only asked, jumped over": {[]Sighting{asked(picked, -30)}, since, listed, []Gap{{GapNotTold, ready, at(-30)}}},
		"only asked just now":     {[]Sighting{asked(ready, -9)}, since, listed, nil},
		"event of a later state":  {[]Sighting{asked(ready, -30), told(picked, -20), asked(picked, -20)}, since, listed, nil},
		"nobody listens":          {[]Sighting{asked(ready, -30)}, time.Time{}, listed, nil},
		"before anybody listened": {[]Sighting{asked(ready, -30)}, at(-20), listed, nil},
		"cancelled, not told":     {[]Sighting{told(ready, -60), asked(ready, -60), asked(cancelled, -30)}, since, listed, []Gap{{GapNotTold, cancelled, at(-30)}}},
		"cancelled before ready":  {[]Sighting{asked(received, -60), told(cancelled, -30), asked(cancelled, -28)}, since, listed, nil},
		"only told":               {[]Sighting{told(ready, -30), told(cancelled, -20)}, since, listed, []Gap{{GapNotListed, ready, at(-30)}}},
		"only told, not asked":    {[]Sighting{told(ready, -30)}, since, at(-25), nil},
		"only told, never asked":  {[]Sighting{told(ready, -30)}, since, time.Time{}, nil},
		"differs":                 {[]Sighting{asked(ready, -60), told(ready, -61), told(cancelled, -30)}, since, listed, []Gap{{GapDiffers, cancelled, at(-30)}}},
		"cancelled when asked":    {[]Sighting{told(ready, -30), told(cancelled, -29), asked(cancelled, -28)}, since, listed, nil},
		"picked up or cancelled":  {[]Sighting{told(picked, -30), asked(cancelled, -60)}, since, listed, []Gap{{GapNotTold, cancelled, at(-60)}, {GapDiffers, picked, at(-30)}}},
		"asked is further":        {[]Sighting{told(ready, -60), asked(picked, -30)}, since, listed, nil},
		"unknown state":           {[]Sighting{told(ready, -60), asked(ready, -60), told("PARKED", -30)}, since, listed, nil},
	} {
		got := Gaps(c.seen, GapRules{Now: at(0), Told: c.since, Listed: c.listed})
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}
