package daemon

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"gondola/internal/alert"
	"gondola/internal/config"
)

// silent returns the keys of what is told of silence now, with what it says.
func (c *caseRun) silent() (keys []string, texts string) {
	c.Helper()
	c.house.quiet.at = time.Time{}
	if err := c.house.expectFrom(c.Context()); err != nil {
		c.Fatal(err)
	}
	book, err := c.house.bookNow(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	for _, e := range book.Entries {
		if slices.Contains([]alert.Kind{alert.NoExport, alert.SameExport, alert.NoOrders}, e.Kind) {
			keys = append(keys, e.Key)
			texts += e.Text + " " + e.Do + "\n"
		}
	}
	return keys, texts
}

// at sets the clock to a time in Santiago.
func (c *caseRun) at(local string) {
	c.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", local, c.house.zone)
	if err != nil {
		c.Fatal(err)
	}
	c.clock = at
}

// TestNoExport expects exports on weekdays by half past nine.
func TestNoExport(t *testing.T) {
	c := newRules(t, `  - {name: full, drop: drop, export: full, vendor: {ids: ["1"]}, expect: {by: "09:30", same_for: 0s}}`, "brake: {equal_prices: off}")
	for _, step := range []struct{ at, export, want string }{
		{"2026-11-23 10:00", "", ""}, // Monday: what should have come before somebody expected it is nobody's alarm
		{"2026-11-24 09:29", "", ""},
		{"2026-11-24 09:30", "", "no-export/full"},
		{"2026-11-24 11:00", "sku,precio\nA,1.00\n", ""},
		{"2026-11-24 23:59", "", ""},
		{"2026-11-25 09:29", "", ""},
		{"2026-11-25 09:31", "", "no-export/full"},
		{"2026-11-25 10:00", "nothing\n", "no-export/full"}, // one that can't be used is none
		{"2026-11-25 10:01", "sku,precio\nA,1.00\n", ""},
		{"2026-11-26 00:30", "sku,precio\nA,2.00\n", ""},
		{"2026-11-26 09:31", "", ""},
		{"2026-11-27 09:31", "", "no-export/full"}, // Friday
		{"2026-11-29 12:00", "", "no-export/full"}, // it lasts
		{"2026-11-29 12:01", "sku,precio\nA,3.00\n", ""},
		{"2026-12-06 12:00", "", "no-export/full"},
	} {
		c.at(step.at)
		if step.export != "" {
			c.export("full", step.export)
		}
		keys, text := c.silent()
		if got := strings.Join(keys, " "); got != step.want {
			t.Errorf("%s: %q, want %q", step.at, got, step.want)
		}
		if step.want != "" && (!strings.Contains(text, "09:30") || !strings.Contains(text, "drop")) {
			t.Errorf("%s: told %q", step.at, text)
		}
	}
}

// TestNoExportSinceWhen has a clock that was ahead when the feed was new, and an admin who expects exports anew: what should have come
// while nobody expected it is nobody's alarm, and what is missing later is one.
func TestNoExportSinceWhen(t *testing.T) {
	c := newRules(t, `  - {name: full, drop: drop, export: full, vendor: {ids: ["1"]}, expect: {by: "09:30", same_for: 0s}}`, "brake: {equal_prices: off}")
	for _, step := range []struct {
		at   string
		off  bool
		want string
	}{
		{"2029-01-01 10:00", false, ""},
		{"2026-11-23 10:00", false, ""}, // the clock is put right
		{"2026-11-24 10:00", false, "no-export/full"},
		{"2026-11-25 08:00", true, ""},
		{"2026-11-26 10:00", false, ""},
		{"2026-11-27 10:00", false, "no-export/full"},
	} {
		c.at(step.at)
		c.house.feeds[0].Expect.By.On = !step.off
		keys, _ := c.silent()
		if got := strings.Join(keys, " "); got != step.want {
			t.Errorf("%s: %q, want %q", step.at, got, step.want)
		}
	}
}

// TestNoExportOfOneStore has files of their own for every store.
func TestNoExportOfOneStore(t *testing.T) {
	c := newRules(t, `  - {name: full, drop: drop, export: full, vendor: {column: local}, expect: {by: "09:30"}}`, "brake: {equal_prices: off}")
	c.at("2026-11-23 08:00")
	c.silent()
	c.export("full", "local,sku,precio\n001,A,1.00\n002,A,1.00\n")
	c.at("2026-11-24 08:00")
	c.export("full", "local,sku,precio\n001,A,2.00\n")
	c.at("2026-11-24 10:00")
	if keys, _ := c.silent(); len(keys) > 0 {
		t.Errorf("one export for several stores: %v", keys)
	}
	c.house.feeds[0].spec.Source.FileName = shortName
	if keys, text := c.silent(); len(keys) != 1 || keys[0] != "no-export/full/2" || !strings.Contains(text, "Dos") {
		t.Errorf("%v: %s", keys, text)
	}
}

// TestSameExport has an ERP that writes an old file over and over.
func TestSameExport(t *testing.T) {
	c := newRules(t, `  - {name: full, drop: drop, export: full, vendor: {column: local}}`, "brake: {equal_prices: off}")
	one, other, both := "local,sku,precio\n001,A,1.00\n", "local,sku,precio\n002,A,%d.00\n", "local,sku,precio\n001,A,9.00\n002,A,9.00\n"
	for i, step := range []struct{ export, want string }{
		{one, ""},
		{one, ""},
		{one, ""},
		{one, "same-export/full"},
		{fmt.Sprintf(other, 1), "same-export/full/1"},
		{one, "same-export/full/1"},
		{"", "same-export/full/1"},
		{both, ""},
		{both, ""},
		{"", ""},
		{"", ""},
		{"", ""}, // nothing comes any more: that is another thing
		{both, "same-export/full"},
	} {
		c.at(fmt.Sprintf("2026-11-%02d 08:00", 10+i))
		if step.export != "" {
			c.export("full", step.export)
		}
		keys, text := c.silent()
		if got := strings.Join(keys, " "); got != step.want {
			t.Errorf("day %d: %q, want %q", i, got, step.want)
		}
		if step.want != "" && !strings.Contains(text, "expect.same_for") {
			t.Errorf("day %d: told %q", i, text)
		}
	}
	c.house.feeds[0].Expect.SameFor = 0
	if keys, _ := c.silent(); len(keys) > 0 {
		t.Errorf("switched off: %v", keys)
	}
}

// TestNoOrders has a chain that sells at the same hours every week, until it does not.
func TestNoOrders(t *testing.T) {
	r := newOrders(t, "format: csv")
	r.cfg.Orders.Webhook.Listen = "elsewhere:1" // orders come in; nobody here listens
	c := &caseRun{T: t, house: r.house}
	look := func(at time.Time) int {
		t.Helper()
		r.clock = at
		keys, text := c.silent()
		if len(keys) > 0 && (keys[0] != "no-orders" || !strings.Contains(text, "Partner Portal")) {
			t.Errorf("told %v: %s", keys, text)
		}
		return len(keys)
	}
	day := time.Date(2026, 5, 1, 15, 0, 0, 0, time.UTC)
	sell := func(at time.Time, n int) {
		t.Helper()
		for i := range n {
			r.clock = at.Add(time.Duration(i) * 10 * time.Minute)
			r.told(fmt.Sprintf("%s-%d", at.Format("0102"), i), "1", "DELIVERED", "10")
		}
	}
	for week := range 4 {
		if n := look(day.AddDate(0, 0, 7*week).Add(-time.Hour)); n > 0 {
			t.Errorf("week %d: told with less than four weeks before", week)
		}
		sell(day.AddDate(0, 0, 7*week), 13)
	}
	today := day.AddDate(0, 0, 28)
	sell(today, 1)
	for _, s := range []struct {
		after time.Duration
		want  int
	}{
		{30 * time.Minute, 0}, // too short to mean anything
		{70 * time.Minute, 1},
		{5 * time.Hour, 1}, // at these hours there are none, and the silence lasts
		{30 * time.Hour, 1},
	} {
		if got := look(today.Add(s.after)); got != s.want {
			t.Errorf("%s after the last order: told %d, want %d", s.after, got, s.want)
		}
	}
	sell(today.Add(31*time.Hour), 1)
	if look(today.Add(33*time.Hour)) != 0 {
		t.Error("an order has come, at a time at which there are few")
	}
	r.cfg.Orders.Expect = config.ExpectOff
	if look(today.AddDate(0, 0, 7).Add(3*time.Hour)) != 0 {
		t.Error("switched off")
	}
}

// TestHangingServicesDelayNoRun has every way to tell somebody hang while a run goes on and while it ends.
func TestHangingServicesDelayNoRun(t *testing.T) {
	mail := hangingPort(t)
	a := newAlarmed(t, `alerts:
  - {ping: "env:GONDOLA_TEST_PING"}
  - {post: "env:GONDOLA_TEST_POST"}
  - {post: "env:GONDOLA_TEST_POST", as: telegram, chat: "1"}
  - mail: {to: [a@example.com], from: b@example.com, server: "`+mail+`", tls: none}`)
	a.answer(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	a.export("full", articles(3, 0, "10.50"))
	a.house.alarm.timeout = 2 * time.Second
	began := time.Now()
	out, err := a.house.Once(t.Context())
	if err != nil || out.Verified != 1 {
		t.Errorf("once: %+v, %v", out, err)
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it took %s", took)
	}
	// Something is wrong, so everybody is to be told; nobody hears it, and the stop waits for nobody.
	t.Setenv("GONDOLA_CASE_PASSWORD", "not-this-one")
	a.house.alarm.client.Timeout = time.Hour
	a.clock = a.clock.Add(time.Hour)
	a.slot()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, cancel)
	began = time.Now()
	if err := a.house.lookForAlarms(ctx); err != nil && ctx.Err() == nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the stop took %s", took)
	}
}
