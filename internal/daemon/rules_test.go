package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

// newRules starts a house with a config of one store, "1", on a clock that only the test moves.
func newRules(t *testing.T, feeds, rest string) *caseRun {
	t.Helper()
	dir := t.TempDir()
	text := fmt.Sprintf(`
chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Santiago}
vendors: [{id: "1", name: Uno, erp_code: "001"}, {id: "2", name: Dos, erp_code: "002"}]
sftp: {host: sandbox, user: gondola, password: "env:GONDOLA_CASE_PASSWORD",
  host_keys: ["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]}
feeds:
%s
%s
`, feeds, rest)
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return newCase(t, dir)
}

const oneFullFeed = `  - {name: full, drop: drop, export: full, missing: deactivate, vendor: {ids: ["1"]}}`

// export drops an export of a feed and reads it.
func (c *caseRun) export(feed, text string) {
	c.Helper()
	file := filepath.Join(c.TempDir(), "export.csv")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		c.Fatal(err)
	}
	c.take(feed, file)
}

// push makes the plans of all stores and sends them.
func (c *caseRun) push(full bool) map[string]string {
	c.Helper()
	c.clock = c.clock.Add(time.Minute)
	if err := c.house.store.RecordSlot(c.Context(), "test", c.clock, c.house.targetNames(), full); err != nil {
		c.Fatal(err)
	}
	if err := c.house.planDue(c.Context()); err != nil {
		c.Fatal(err)
	}
	c.flush()
	return c.put()
}

// articles returns an export with n articles of a price, the first off of them switched off.
func articles(n, off int, price string) string {
	var b strings.Builder
	b.WriteString("sku,precio,activo\n")
	for i := range n {
		active := "S"
		if i < off {
			active = "N"
		}
		fmt.Fprintf(&b, "A%03d,%s,%s\n", i, price, active)
	}
	return b.String()
}

func TestApproveFreesWhatTheBrakeHolds(t *testing.T) {
	c := newRules(t, oneFullFeed, "brake: {equal_prices: off, min_rows: 10, approval: 2h}")
	c.export("full", articles(20, 0, "10.50"))
	c.push(false)
	c.export("full", articles(20, 8, "10.50"))
	if put := c.push(false); len(put) != 0 {
		t.Fatalf("a held export left: %v", put)
	}
	held, err := c.house.HeldExports(c.Context())
	if err != nil || len(held) != 1 || held[0].Findings[0].Code != catalog.BrakeInactive {
		t.Fatalf("held: %+v, %v", held, err)
	}
	if n, err := c.house.Approve(c.Context(), held[0].Seq, nil, "somebody"); err != nil || n != 1 {
		t.Fatalf("approve: %d, %v", n, err)
	}
	if put := c.push(false); !strings.Contains(put["catalog/gondola_1.csv"], "A007,10.50,0\n") {
		t.Errorf("approved and pushed: %v", put)
	}
	// The same finding does not ask again while the approval lasts; a worse one does, and so does the same one later.
	c.export("full", articles(20, 0, "10.50"))
	c.push(false)
	c.export("full", articles(20, 8, "11.50"))
	if put := c.push(false); len(put) != 1 {
		t.Errorf("an approved share asked again")
	}
	c.export("full", articles(20, 0, "10.50"))
	c.push(false)
	c.export("full", articles(20, 12, "10.50"))
	if put := c.push(false); len(put) != 0 {
		t.Errorf("a worse share passed on the approval of a smaller one: %v", put)
	}
	c.clock = c.clock.Add(3 * time.Hour)
	c.export("full", articles(20, 8, "10.50"))
	if put := c.push(false); len(put) != 0 {
		t.Errorf("an approval outlived its time: %v", put)
	}
}

func TestBetterExportReplacesHeldOne(t *testing.T) {
	c := newRules(t, oneFullFeed, "brake: {equal_prices: off, min_rows: 10}")
	c.export("full", articles(20, 0, "10.50"))
	c.push(false)
	c.export("full", articles(5, 0, "10.50")) // cut off in the middle
	c.push(false)
	c.export("full", articles(20, 1, "10.50"))
	if put := c.push(false); !strings.Contains(put["catalog/gondola_1.csv"], "A000,10.50,0\n") || strings.Contains(put["catalog/gondola_1.csv"], "A019,,0") {
		t.Errorf("put: %v", put)
	}
	held, err := c.house.HeldExports(c.Context())
	if err != nil || len(held) != 0 {
		t.Errorf("still held: %+v, %v", held, err)
	}
	effects, err := c.house.store.Effects(c.Context(), 2)
	if err != nil || len(effects) != 1 || effects[0].State != store.EffectReplaced {
		t.Errorf("effects of the export that was held: %+v, %v", effects, err)
	}
}

// TestNewerExportReplacesWaitingOne sees that nobody is told that their export was sent when a newer one went in its place.
func TestNewerExportReplacesWaitingOne(t *testing.T) {
	c := newRules(t, oneFullFeed, "brake: {equal_prices: off, min_rows: 10}")
	c.export("full", articles(20, 0, "10.50"))
	c.push(false)
	c.export("full", articles(20, 0, "11.00"))
	c.export("full", articles(20, 0, "12.00"))
	c.push(false)
	c.export("full", articles(5, 0, "13.00"))
	c.export("full", articles(5, 0, "14.00"))
	c.push(false) // both are held
	if n, err := c.house.Approve(c.Context(), 4, nil, "somebody"); err != nil || n != 1 {
		t.Fatalf("approve: %d, %v", n, err)
	}
	if put := c.push(false)["catalog/gondola_1.csv"]; !strings.Contains(put, "A000,14.00,") {
		t.Errorf("put: %s", put)
	}
	for seq, want := range map[int64]store.EffectState{
		2: store.EffectReplaced, 3: store.EffectVerified, 4: store.EffectReplaced, 5: store.EffectVerified,
	} {
		if effects, err := c.house.store.Effects(c.Context(), seq); err != nil || len(effects) != 1 || effects[0].State != want {
			t.Errorf("effects of export %d: %+v, %v; want %s", seq, effects, err, want)
		}
	}
}

func TestSeveralSmallSwitchOffsAreJudgedByTheirSum(t *testing.T) {
	c := newRules(t, oneFullFeed, "brake: {equal_prices: off, min_rows: 10}")
	c.export("full", articles(20, 0, "10.50"))
	c.push(false)
	c.export("full", articles(20, 3, "10.50")) // 15 %
	c.export("full", articles(20, 6, "10.50")) // 30 %, 15 more than the one before
	if put := c.push(false); strings.Contains(put["catalog/gondola_1.csv"], "A005,10.50,0") {
		t.Errorf("30 %% were switched off in two steps: %v", put)
	}
}

func TestOlderExportIsHeld(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	c.export("full", articles(3, 0, "10.50"))
	now := c.clock
	c.clock = now.Add(-24 * time.Hour)
	c.export("full", articles(3, 0, "9.50"))
	c.clock = now
	if put := c.push(false); !strings.Contains(put["catalog/gondola_1.csv"], "A000,10.50,1") {
		t.Errorf("put: %v", put)
	}
	held, err := c.house.HeldExports(c.Context())
	if err != nil || len(held) != 1 || held[0].Findings[0].Code != catalog.DropOlder {
		t.Fatalf("held: %+v, %v", held, err)
	}
	if _, err := c.house.Approve(c.Context(), 2, nil, "somebody"); err != nil {
		t.Fatal(err)
	}
	if put := c.push(false); !strings.Contains(put["catalog/gondola_1.csv"], "A000,9.50,1") {
		t.Errorf("approved and pushed: %v", put)
	}
}

func TestPartsOverTheRowLimit(t *testing.T) {
	c := newRules(t, oneFullFeed, "send: {catalog: {max_rows: 4}}\nbrake: {equal_prices: off, min_rows: 1000}")
	c.export("full", articles(3, 0, "10.50"))
	if put := c.push(false); len(put) != 1 || put["catalog/gondola_1.csv"] == "" {
		t.Fatalf("three rows fit one document: %v", put)
	}
	c.export("full", articles(11, 0, "10.50"))
	put := c.push(false)
	rows, names := 0, map[string]string{}
	for name, text := range put {
		n := strings.Count(text, "\n") - 1
		if n > 4 {
			t.Errorf("%s has %d rows", name, n)
		}
		rows += n
		for _, line := range strings.Split(text, "\n")[1:] {
			if sku, _, ok := strings.Cut(line, ","); ok {
				names[sku] = name
			}
		}
	}
	if rows != 11 || len(names) != 11 {
		t.Errorf("%d rows of %d articles in %v, want every one of 11 once", rows, len(names), put)
	}
	if put["catalog/gondola2_1.csv"] == "" {
		t.Errorf("no second part: %v", put)
	}
	// A key stays in its part.
	c.export("full", strings.Replace(articles(11, 0, "10.50"), "A004,10.50", "A004,11.50", 1))
	for name, text := range c.push(false) {
		if strings.Contains(text, "A004,11.50") && name != names["A004"] {
			t.Errorf("A004 moved from %s to %s", names["A004"], name)
		}
	}
}

// TestTombstonesGoAfterThirtyDays follows an article that a full export lost.
func TestTombstonesGoAfterThirtyDays(t *testing.T) {
	c := newRules(t, oneFullFeed, "brake: {equal_prices: off, min_rows: 1000}")
	c.export("full", articles(3, 0, "10.50"))
	c.push(false)
	c.clock = c.clock.Add(3 * time.Hour)
	c.flush()
	c.export("full", articles(2, 0, "10.50"))
	if put := c.push(false); put["catalog/gondola_1.csv"] != "sku,active\nA002,0\n" {
		t.Fatalf("put: %q", put)
	}
	start := c.clock
	for _, day := range []int{1, 29, 31} {
		c.clock = start.Add(time.Duration(day) * 24 * time.Hour)
		c.flush()
		c.export("full", articles(2, 0, "10.50"))
		put := c.push(true)["catalog/gondola_1.csv"]
		if got, want := strings.Contains(put, "A002"), day < 30; got != want {
			t.Errorf("day %d: the tombstone is in the full document: %t, want %t\n%s", day, got, want, put)
		}
	}
}

func TestChangedMappingReadsAgain(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	c.export("full", "sku,precio,precio oferta\nA,10.50,9.50\nB,20,19\n")
	if put := c.push(false)["catalog/gondola_1.csv"]; put != "sku,price\nA,10.50\nB,20.00\n" {
		t.Fatalf("put: %q", put)
	}
	c.restart(func(cfg *config.Config) {
		cfg.Feeds[0].Columns = map[string]config.Column{"price": {From: "precio oferta"}}
	})
	if put := c.push(false)["catalog/gondola_1.csv"]; put != "sku,price\nA,9.50\nB,19.00\n" {
		t.Errorf("with another column: %q", put)
	}
	// A mapping that can't read the export leaves what it said.
	c.restart(func(cfg *config.Config) {
		cfg.Feeds[0].Columns = map[string]config.Column{"price": {From: "no such column"}}
	})
	if put := c.push(true)["catalog/gondola_1.csv"]; put != "sku,price\nA,9.50\nB,19.00\n" {
		t.Errorf("with a column that is not there: %q", put)
	}
}

// restart closes the house and opens it with a changed config.
func (c *caseRun) restart(change func(*config.Config)) {
	c.Helper()
	if err := c.house.Close(); err != nil {
		c.Fatal(err)
	}
	change(c.house.cfg)
	h, err := Open(context.Background(), c.house.cfg, Options{Now: func() time.Time { return c.clock }})
	if err != nil {
		c.Fatal(err)
	}
	c.house = h
}

func TestStoreThatLeftTheConfigGetsNoPlan(t *testing.T) {
	c := newRules(t, `  - {name: full, drop: drop, export: full, vendor: all}`, "")
	c.export("full", articles(3, 0, "10.50"))
	if err := c.house.store.RecordSlot(c.Context(), "test", c.clock, []string{"catalog/gone"}, false); err != nil {
		t.Fatal(err)
	}
	if put := c.push(false); len(put) != 2 || put["catalog/gondola_gone.csv"] != "" {
		t.Errorf("put: %v", put)
	}
}

// TestSlots runs the schedule on a clock that jumps: no slot is lost, none runs twice, and missed ones are one run.
func TestSlots(t *testing.T) {
	c := newRules(t, oneFullFeed, `send: {catalog: {schedule: "30 0 * * *", full: "off"}}`)
	zone := c.house.zone
	// The night in which Chile's clock jumps from 0:00 to 1:00: the slot of 0:30 does not exist and runs at 1:00.
	c.clock = time.Date(2026, 9, 5, 12, 0, 0, 0, zone)
	if err := c.house.startSchedules(c.Context()); err != nil {
		t.Fatal(err)
	}
	due := func() bool {
		t.Helper()
		if err := c.house.runSlots(c.Context()); err != nil {
			t.Fatal(err)
		}
		targets, err := c.house.store.TargetsDue(c.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := c.house.planDue(c.Context()); err != nil {
			t.Fatal(err)
		}
		return len(targets) > 0
	}
	for _, step := range []struct {
		at   time.Time
		want bool
	}{
		{time.Date(2026, 9, 5, 23, 59, 0, 0, zone), false},
		{time.Date(2026, 9, 6, 1, 0, 0, 0, zone), true},
		{time.Date(2026, 9, 6, 1, 1, 0, 0, zone), false},
		{time.Date(2026, 9, 7, 0, 30, 0, 0, zone), true},
		{time.Date(2026, 9, 7, 0, 30, 30, 0, zone), false},
		{time.Date(2026, 9, 14, 9, 0, 0, 0, zone), true}, // a week asleep: once
		{time.Date(2026, 9, 14, 9, 1, 0, 0, zone), false},
	} {
		c.clock = step.at
		if got := due(); got != step.want {
			t.Errorf("at %s: due %t, want %t", step.at, got, step.want)
		}
	}
	c.restart(func(*config.Config) {})
	if due() {
		t.Error("a restart ran the last slot again")
	}
}

// TestCheckNamesPlaces finds what only rooms can see, each with its place in the file.
func TestCheckNamesPlaces(t *testing.T) {
	text := `chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Montevideo, brand: pedidosyaa}
vendors: [{id: "1"}]
sftp: {host: sandbox, user: gondola, password: "env:GONDOLA_CASE_PASSWORD",
  host_keys: ["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]}
feeds:
  - name: full
    drop: drop
    vendor: {column: "--"}
send:
  catalog:
    schedule: "0 0 31 2 *"
    full: "TZ="
`
	cfg, err := config.Parse("config.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range Check(cfg) {
		got = append(got, fmt.Sprintf("%d:%s", p.Line, p.Path))
	}
	want := []string{"1:chain.brand", "8:feeds[0].vendor.column", "11:send.catalog.schedule", "12:send.catalog.full"}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("problems at %v, want %v\n%v", got, want, Check(cfg))
	}
}

func TestOpenTwice(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	if _, err := Open(c.Context(), c.house.cfg, Options{}); !errors.Is(err, store.ErrLocked) {
		t.Errorf("a second house on the same state: %v", err)
	}
	if s, err := c.house.Status(c.Context()); err != nil || !s.Running {
		t.Errorf("status: %+v, %v", s, err)
	}
}

// TestAnswerTellsWhatThisExportChanges drops a small change on top of a large export that still waits for its slot.
func TestAnswerTellsWhatThisExportChanges(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	c.export("full", articles(20, 0, "10.50"))
	c.export("full", strings.Replace(articles(20, 0, "10.50"), "A004,10.50", "A004,11.50", 1))
	for seq, want := range map[int64]shelf.Change{1: {New: 20}, 2: {PriceUp: 1, Same: 19}} {
		effects, err := c.house.store.Effects(c.Context(), seq)
		if err != nil || len(effects) != 1 || effects[0].Change != want {
			t.Errorf("drop %d: %+v, %v, want %+v", seq, effects, err, want)
		}
	}
}

func TestOtherPrefixMakesTheNextPlanFull(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	c.export("full", articles(3, 0, "10.50"))
	c.push(false)
	c.restart(func(cfg *config.Config) { cfg.SFTP.Prefix = "delta" })
	c.export("full", strings.Replace(articles(3, 0, "10.50"), "A001,10.50", "A001,11.50", 1))
	put := c.push(false)
	if got := put["catalog/delta_1.csv"]; got != "sku,price,active\nA000,10.50,1\nA001,11.50,1\nA002,10.50,1\n" || len(put) != 1 {
		t.Errorf("put: %q", put)
	}
	c.restart(func(*config.Config) {})
	if target, err := c.house.store.TargetOf(c.Context(), "catalog/1"); err != nil || target.FullDue {
		t.Errorf("after the full one under the new name another is owed: %+v, %v", target, err)
	}
}

// TestStoreThatLeavesTheConfig leaves a document in the queue and an export held of a store that is gone then.
func TestStoreThatLeavesTheConfig(t *testing.T) {
	c := newRules(t, `  - {name: full, drop: drop, export: full, vendor: {ids: ["2"]}}`, "brake: {equal_prices: off, min_rows: 10}")
	c.export("full", articles(20, 0, "10.50"))
	c.push(false)
	c.export("full", articles(20, 1, "10.50"))
	if err := c.house.store.RecordSlot(c.Context(), "test", c.clock, c.house.targetNames(), false); err != nil {
		t.Fatal(err)
	}
	if err := c.house.planDue(c.Context()); err != nil {
		t.Fatal(err)
	}
	c.restart(func(cfg *config.Config) {
		cfg.Vendors = cfg.Vendors[:1]
		cfg.Feeds[0].Vendor.IDs = []string{"1"}
	})
	c.flush()
	if put := c.put(); len(put) != 0 {
		t.Errorf("a store that is gone was sent %v", put)
	}
}

// TestSeasonalArticleComesBack switches an article off for being missing, forgets its tombstone, and finds it listed again by a feed
// that only knows prices.
func TestSeasonalArticleComesBack(t *testing.T) {
	c := newRules(t, oneFullFeed, "brake: {equal_prices: off, min_rows: 1000}")
	both, one := "sku,precio\nA,10.50\nB,20\n", "sku,precio\nA,10.50\n"
	c.export("full", both)
	c.push(false)
	c.export("full", one)
	if put := c.push(false)["catalog/gondola_1.csv"]; !strings.Contains(put, "B,20.00,0\n") {
		t.Fatalf("a missing article was not switched off: %q", put)
	}
	for range 2 {
		c.clock = c.clock.Add(20 * 24 * time.Hour)
		c.flush()
		c.export("full", one)
		c.push(true)
	}
	c.clock = c.clock.Add(24 * time.Hour)
	c.flush()
	c.export("full", both)
	if put := c.push(false)["catalog/gondola_1.csv"]; !strings.Contains(put, "B,20.00,1\n") {
		t.Errorf("back on the list, it is not switched on: %q", put)
	}
}

// TestEveryArrivalIsTold sends twice within one instant of the clock.
func TestEveryArrivalIsTold(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	var told []string
	c.house.opts.Tell = func(e Event) {
		if e.Kind == EventSent {
			told = append(told, e.SHA256)
		}
	}
	instant := c.clock
	for _, price := range []string{"10.50", "11.50"} {
		c.export("full", articles(3, 0, price))
		c.clock = instant
		if err := c.house.store.RecordSlot(c.Context(), "test", c.clock, c.house.targetNames(), false); err != nil {
			t.Fatal(err)
		}
		if err := c.house.planDue(c.Context()); err != nil {
			t.Fatal(err)
		}
		c.flush()
	}
	if len(told) != 2 || told[0] == told[1] {
		t.Errorf("told of %d arrivals, want 2 different ones: %v", len(told), told)
	}
}
