package daemon

import (
	"strings"
	"testing"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/config"
)

const agedFeed = `  - {name: full, drop: drop, export: full, missing: deactivate, max_age: 24h, vendor: {ids: ["1"]}}`

// exportOf drops an export that was written at a time.
func (c *caseRun) exportOf(at time.Time, feed, text string) {
	c.Helper()
	now := c.clock
	c.clock = at.Add(-time.Second)
	c.export(feed, text)
	c.clock = now
}

// TestOldExportIsHeld drops an export that is too old already; approving it lets it pass.
func TestOldExportIsHeld(t *testing.T) {
	c := newRules(t, agedFeed, "")
	c.exportOf(c.clock.Add(-36*time.Hour), "full", articles(3, 0, "10.50"))
	if put := c.slot(false); len(put) > 0 {
		t.Errorf("put: %v", put)
	}
	held := c.status().Held
	if len(held) != 1 || held[0].Findings[0].Code != catalog.DropStale {
		t.Fatalf("held: %+v", held)
	}
	if got := c.answered(1); !strings.Contains(got, "tiene más de 1 día") {
		t.Errorf("the answer does not say why:\n%s", got)
	}
	if _, err := c.house.Approve(t.Context(), 1, nil, "ana"); err != nil {
		t.Fatal(err)
	}
	if put := c.send(); !strings.Contains(put["catalog/gondola_1.csv"], "A000,10.50,1") {
		t.Errorf("approved, put: %v", put)
	}
}

// TestPlanThatWaitedTooLong has an export count in time, and the server away for longer than the feed's max_age: what waits is not sent
// when it is back, before somebody has looked at it or a newer export has come.
func TestPlanThatWaitedTooLong(t *testing.T) {
	for _, newer := range []bool{true, false} {
		c := newRules(t, agedFeed, `send: {catalog: {full: "off"}}`)
		c.export("full", articles(3, 0, "10.50"))
		c.slot(false)
		c.settle()
		c.export("full", articles(3, 0, "11.50"))
		if err := c.house.store.PlanSoon(t.Context(), c.house.targetNames()); err != nil {
			t.Fatal(err)
		}
		if err := c.house.planDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.clock = c.clock.Add(25 * time.Hour)
		if put := c.slot(false); len(put) > 0 {
			t.Fatalf("put: %v", put)
		}
		rows := c.status().Rows
		if len(rows) != 1 || rows[0].Code != catalog.BrakeLate {
			t.Fatalf("held: %+v", rows)
		}
		if newer {
			c.export("full", articles(3, 0, "12.50"))
		} else if ok, err := c.house.ApproveFinding(t.Context(), 1, "ana"); err != nil || !ok {
			t.Fatalf("approve: %v, %v", ok, err)
		}
		want := map[bool]string{true: "A000,12.50,1", false: "A000,11.50,1"}[newer]
		if put := c.slot(false); !strings.Contains(put["catalog/gondola_1.csv"], want) {
			t.Errorf("newer export %v, put: %v", newer, put)
		}
		if rows := c.status().Rows; len(rows) != 0 {
			t.Errorf("still held: %+v", rows)
		}
	}
}

// TestExportThatWaitedTooLong is fresh when it comes, and old when the daemon is back a week later. What was sent before stays, and
// the next export goes its way.
func TestExportThatWaitedTooLong(t *testing.T) {
	c := newRules(t, agedFeed, `send: {catalog: {full: "off"}}`)
	c.export("full", articles(3, 0, "10.50"))
	c.slot(false)
	c.settle()
	c.export("full", articles(3, 0, "11.50"))
	if got := c.answered(2); strings.Contains(got, "máximo") {
		t.Errorf("the answer calls a fresh export old:\n%s", got)
	}
	c.clock = c.clock.AddDate(0, 0, 7)
	c.restart(func(*config.Config) {})
	if put := c.slot(false); len(put) > 0 {
		t.Errorf("put: %v", put)
	}
	if held := c.status().Held; len(held) != 1 || held[0].Seq != 2 || held[0].Findings[0].Code != catalog.DropStale {
		t.Errorf("held: %+v", held)
	}
	if got := c.answered(2); !strings.Contains(got, "tiene más de 1 día") {
		t.Errorf("the answer does not say why:\n%s", got)
	}
	// What counted before is repeated by a full slot, however old it is by now: nobody has said anything newer.
	if put := c.slot(true); !strings.Contains(put["catalog/gondola_1.csv"], "A000,10.50,1") {
		t.Errorf("full: %v", put)
	}
	c.settle()
	c.export("full", articles(3, 0, "12.50"))
	if put := c.slot(false); !strings.Contains(put["catalog/gondola_1.csv"], "A000,12.50,1") {
		t.Errorf("a fresh one: %v", put)
	}
	if held := c.status().Held; len(held) > 0 {
		t.Errorf("still held: %+v", held)
	}
}

// TestRollbackIsNeverTooOld puts prices back after a weekend in which the ERP was silent.
func TestRollbackIsNeverTooOld(t *testing.T) {
	c := newRules(t, agedFeed, `send: {catalog: {full: "off"}}`)
	c.export("full", articles(3, 0, "10.50"))
	c.push(false)
	right := c.clock
	c.clock = c.clock.Add(time.Hour)
	c.export("full", articles(3, 0, "11.50"))
	c.push(false)
	c.clock = c.clock.AddDate(0, 0, 3)
	seen, err := c.house.PreviewRollback(t.Context(), Undo{To: right})
	if err != nil || len(seen.Parts) != 1 || len(seen.Parts[0].Findings) > 0 {
		t.Errorf("preview: %+v, %v", seen, err)
	}
	c.rollBack(Undo{To: right})
	if put := c.put(); !strings.Contains(put["catalog/gondola_1.csv"], "A000,10.50,1") {
		t.Errorf("put: %v, held: %+v", put, c.status().Held)
	}
}

// TestAgeIsNoPartOfTheReading: another limit does not read exports again, and what counts is not held when it is read again.
func TestAgeIsNoPartOfTheReading(t *testing.T) {
	c := newRules(t, agedFeed, "")
	c.export("full", articles(3, 0, "10.50"))
	c.slot(false)
	c.settle()
	before := c.house.feeds[0].fingerprint
	c.clock = c.clock.AddDate(0, 0, 7)
	c.restart(func(cfg *config.Config) { cfg.Feeds[0].MaxAge = config.Duration(time.Hour) })
	if c.house.feeds[0].fingerprint != before {
		t.Error("max_age is in the fingerprint")
	}
	c.restart(func(cfg *config.Config) {
		vat := config.VAT(10_000)
		cfg.Feeds[0].Rules.Price.VAT = &vat
	})
	if put := c.slot(false); !strings.Contains(put["catalog/gondola_1.csv"], "A000,11.55,1") || len(c.status().Held) > 0 {
		t.Errorf("read again by other rules: %v, held %+v", put, c.status().Held)
	}
}

// TestAnyAgeIsTheDefault takes what is years old.
func TestAnyAgeIsTheDefault(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	c.exportOf(c.clock.AddDate(-10, 0, 0), "full", articles(3, 0, "10.50"))
	if put := c.slot(false); len(put) != 1 {
		t.Errorf("put: %v", put)
	}
}
