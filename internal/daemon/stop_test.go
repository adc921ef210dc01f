package daemon

import (
	"strings"
	"testing"
	"time"

	"gondola/internal/catalog"
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
