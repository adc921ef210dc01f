package daemon

import (
	"errors"
	"strings"
	"testing"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/config"
)

// TestWhatWaitedTooLongIsAskedUntilSomebodyAnswers has a row held in an export that waits too long as well: the slots after the first
// send nothing either.
func TestWhatWaitedTooLongIsAskedUntilSomebodyAnswers(t *testing.T) {
	c := newRules(t, agedFeed, `send: {catalog: {full: "off"}}`)
	c.export("full", "sku,precio\nA,10\nB,10\nC,10\n")
	c.slot(false)
	c.settle()
	c.export("full", "sku,precio\nA,11\nB,30\nC,11\n")
	if err := c.house.store.PlanSoon(t.Context(), c.house.targetNames()); err != nil {
		t.Fatal(err)
	}
	if err := c.house.planDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.clock = c.clock.Add(25 * time.Hour)
	for range 3 {
		if put := c.slot(false); len(put) > 0 {
			t.Fatalf("put: %v", put)
		}
		c.clock = c.clock.Add(time.Hour)
	}
	rows := c.status().Rows
	if len(rows) != 1 || rows[0].Code != catalog.BrakeLate {
		t.Fatalf("held: %+v", rows)
	}
	if got := c.answered(2); !strings.Contains(got, "no pudo salir hasta ahora") {
		t.Errorf("the answer does not say what it waits for:\n%s", got)
	}
	id, _ := FindingID(rows[0].ID)
	if ok, err := c.house.ApproveFinding(t.Context(), id, "ana"); err != nil || !ok {
		t.Fatalf("approve: %v, %v", ok, err)
	}
	if put := c.slot(false)["catalog/gondola_1.csv"]; !strings.Contains(put, "A,11.00") || strings.Contains(put, "B,30.00") {
		t.Errorf("approved, put: %s", put)
	}
}

// TestPromotionThatCantStartMakesNothingLate has a promotion wait for longer than max_age because its price is not below the article's:
// a fresh export goes its way.
func TestPromotionThatCantStartMakesNothingLate(t *testing.T) {
	for _, format := range []string{"double", "single"} {
		c := newRules(t, agedFeed+`
  - {name: promos, kind: promotions, drop: promos, export: full, missing: deactivate, max_age: 24h, vendor: {ids: ["1"]}}`, "")
		c.restart(func(cfg *config.Config) { cfg.Chain.Brand, cfg.Send.Format = "talabat", format })
		day := func(n int) string { return c.clock.AddDate(0, 0, n).Format(time.DateOnly) }
		c.export("full", "sku,precio\nA,10\nB,10\n")
		c.slot(false)
		c.settle()
		c.export("promos", "sku,campaign_name,start_date,end_date,discounted_price\nB,dos,"+day(-1)+","+day(20)+",12.00\n")
		c.slot(false)
		c.clock = c.clock.Add(25 * time.Hour)
		c.export("full", "sku,precio\nA,11\nB,10\n")
		put := c.slot(false)
		if rows := c.status().Rows; len(rows) > 0 {
			t.Errorf("%q: held: %+v", format, rows)
		}
		found := false
		for _, text := range put {
			found = found || strings.Contains(text, "A,11.00")
		}
		if !found {
			t.Errorf("%q: put: %v", format, put)
		}
	}
}

// TestFreshExportIsNotCalledLate drops a fresh export with a slip after one that waits too long.
func TestFreshExportIsNotCalledLate(t *testing.T) {
	c := newRules(t, agedFeed, `send: {catalog: {full: "off"}}`)
	c.export("full", "sku,precio\nA,10\nB,10\n")
	c.slot(false)
	c.settle()
	c.export("full", "sku,precio\nA,11\nB,10\n")
	if err := errors.Join(c.house.store.PlanSoon(t.Context(), c.house.targetNames()), c.house.planDue(t.Context())); err != nil {
		t.Fatal(err)
	}
	c.clock = c.clock.Add(25 * time.Hour)
	c.slot(false)
	c.export("full", "sku,precio\nA,11\nB,90\n")
	effects, err := c.house.store.Effects(t.Context(), 3)
	if err != nil || len(effects) != 1 || len(effects[0].Held) != 1 || effects[0].Held[0].Code != catalog.BrakePrice {
		t.Errorf("held of the fresh export: %+v, %v", effects, err)
	}
}

// TestCorrectionAfterARejection: customers never saw the slip, so its correction is no price that falls.
func TestCorrectionAfterARejection(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	c.export("full", "sku,precio\nA,10\n")
	c.slot(false)
	c.export("full", "sku,precio\nA,90\n")
	c.slot(false)
	if ok, err := c.house.RejectFinding(t.Context(), c.finding(), "ana"); !ok || err != nil {
		t.Fatal(ok, err)
	}
	c.slot(false)
	c.export("full", "sku,precio\nA,11\n")
	effects, err := c.house.store.Effects(t.Context(), 3)
	if err != nil || len(effects) != 1 || effects[0].Change.PriceUp != 1 || effects[0].Change.PriceDown != 0 {
		t.Errorf("effects: %+v, %v", effects, err)
	}
}
