package daemon

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"gondola/internal/store"
)

const onePartialFeed = `  - {name: precios, drop: drop, export: partial, vendor: {ids: ["1"]}}`

// finding returns the number of the only finding that waits.
func (c *caseRun) finding() int64 {
	c.Helper()
	rows := c.status().Rows
	if len(rows) != 1 {
		c.Fatalf("held: %+v", rows)
	}
	id, _ := FindingID(rows[0].ID)
	return id
}

// TestDropDecidesOnItsOwnRowsOnly approves by the number of a drop what is held together with rows of another one.
func TestDropDecidesOnItsOwnRowsOnly(t *testing.T) {
	c := newRules(t, onePartialFeed, "")
	c.export("precios", "sku,precio\nA,10\nB,10\nC,10\n")
	c.slot(false)
	c.export("precios", "sku,precio\nA,30\n")
	c.slot(false)
	first := c.finding()
	c.export("precios", "sku,precio\nB,1\nC,999\n")
	c.slot(false)
	for _, seq := range []int64{2, 3} {
		n, err := c.house.Approve(t.Context(), seq, nil, "ana")
		if _, ok := errors.AsType[*OthersRowsError](err); !ok || n != 0 {
			t.Errorf("approve drop %d: %d, %v", seq, n, err)
		}
		if n, err := c.house.Reject(t.Context(), seq, "ana"); err == nil || n != 0 {
			t.Errorf("reject drop %d: %d, %v", seq, n, err)
		}
	}
	if ok, err := c.house.ApproveFinding(t.Context(), first, "ana"); ok || err != nil {
		t.Errorf("the finding as it was: %v, %v", ok, err)
	}
	if put := c.slot(false); len(put) > 0 {
		t.Errorf("put: %v", put)
	}
	if ok, err := c.house.ApproveFinding(t.Context(), c.finding(), "ana"); !ok || err != nil {
		t.Errorf("the finding: %v, %v", ok, err)
	}
	if put := c.slot(false)["catalog/gondola_1.csv"]; !strings.Contains(put, "A,30.00\nB,1.00\nC,999.00\n") {
		t.Errorf("put: %s", put)
	}
}

// TestReplacedDropDecidesNothing approves by the number of a drop whose place a later full one has taken.
func TestReplacedDropDecidesNothing(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	c.export("full", "sku,precio\nA,10\nB,10\nC,10\n")
	c.slot(false)
	c.export("full", "sku,precio\nA,30\nB,10\nC,10\n")
	c.slot(false)
	c.export("full", "sku,precio\nA,30\nB,1\nC,999\n")
	c.slot(false)
	if n, err := c.house.Approve(t.Context(), 2, nil, "ana"); n != 0 || err != nil {
		t.Errorf("approve drop 2: %d, %v", n, err)
	}
	if n, err := c.house.Approve(t.Context(), 3, nil, "ana"); n != 1 || err != nil {
		t.Errorf("approve drop 3: %d, %v", n, err)
	}
}

// TestRejectOfADropLeavesTheStoreWaiting rejects an export of a store that waits for its first files.
func TestRejectOfADropLeavesTheStoreWaiting(t *testing.T) {
	c := newRules(t, oneFullFeed, "brake: {first_push: {ask: true}, min_rows: 5}")
	c.export("full", "sku,precio\nA,10\nB,11\nC,12\nD,13\nE,14\nF,15\n")
	c.slot(false)
	c.export("full", articles(6, 0, "10.50"))
	c.slot(false)
	if n, err := c.house.Reject(t.Context(), 2, "ana"); n != 1 || err != nil {
		t.Errorf("reject: %d, %v", n, err)
	}
	if n, err := c.house.Reject(t.Context(), 2, "ana"); n != 0 || err != nil {
		t.Errorf("reject once more: %d, %v", n, err)
	}
	c.finding()
}

// TestWhatWaitedTooLongCantBeRejected: there is nothing older to stay with, so it would be asked about again at once.
func TestWhatWaitedTooLongCantBeRejected(t *testing.T) {
	c := newRules(t, agedFeed, `send: {catalog: {full: "off"}}`)
	c.export("full", articles(3, 0, "10.50"))
	c.slot(false)
	c.settle()
	c.export("full", articles(3, 0, "11.50"))
	if err := errors.Join(c.house.store.PlanSoon(t.Context(), c.house.targetNames()), c.house.planDue(t.Context())); err != nil {
		t.Fatal(err)
	}
	c.clock = c.clock.Add(25 * time.Hour)
	c.slot(false)
	if ok, err := c.house.RejectFinding(t.Context(), c.finding(), "ana"); ok || err == nil || !strings.Contains(err.Error(), "drop a newer export") {
		t.Errorf("reject: %v, %v", ok, err)
	}
	if n, err := c.house.Approve(t.Context(), 2, nil, "ana"); n != 1 || err != nil {
		t.Errorf("approve the drop: %d, %v", n, err)
	}
	if effects, err := c.house.store.Effects(t.Context(), 2); err != nil || !slices.ContainsFunc(effects, func(e store.Effect) bool {
		return e.State == store.EffectWaiting
	}) {
		t.Errorf("effects: %+v, %v", effects, err)
	}
	if put := c.slot(false); len(put) != 1 {
		t.Errorf("put: %v", put)
	}
}

// TestApprovalThatNothingUsedEnds approves a slip that was corrected already; days later the same slip comes again.
func TestApprovalThatNothingUsedEnds(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	c.export("full", "sku,precio\nA,10\n")
	c.slot(false)
	c.export("full", "sku,precio\nA,90\n")
	c.slot(false)
	c.export("full", "sku,precio\nA,10\n")
	if ok, err := c.house.ApproveFinding(t.Context(), c.finding(), "ana"); !ok || err != nil {
		t.Fatal(ok, err)
	}
	c.send()
	c.clock = c.clock.AddDate(0, 0, 10)
	c.export("full", "sku,precio\nA,90\n")
	if put := c.slot(false)["catalog/gondola_1.csv"]; strings.Contains(put, "90") {
		t.Errorf("put: %s", put)
	}
	c.finding()
}

// TestReceiptTellsOfARejection does not say that a price was sent which an administrator has rejected.
func TestReceiptTellsOfARejection(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	c.export("full", "sku,precio\nA,10\nB,10\n")
	c.slot(false)
	c.export("full", "sku,precio\nA,11\nB,90\n")
	c.slot(false)
	if n, err := c.house.Reject(t.Context(), 2, "ana"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	c.slot(false)
	if got := c.answered(2); !strings.Contains(got, "Un administrador decidió que esto no cuenta") || strings.Contains(got, "gondola approve") {
		t.Errorf("the answer does not tell of the rejection:\n%s", got)
	}
}

// TestReplacedDropOfHeldRows: of a drop that had rows held nothing was sent later, whatever is approved of the one in its place.
func TestReplacedDropOfHeldRows(t *testing.T) {
	for _, first := range []string{"A,90", "A,90\nB,11"} { // nothing but what is held, or something beside it
		c := newRules(t, oneFullFeed, "")
		c.export("full", "sku,precio\nA,10\nB,10\n")
		c.slot(false)
		c.export("full", "sku,precio\n"+first+"\nB,10\n")
		c.slot(false)
		before, err := c.house.store.Effects(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		c.export("full", "sku,precio\nA,91\nB,12\n")
		c.slot(false)
		if ok, err := c.house.ApproveFinding(t.Context(), c.finding(), "ana"); !ok || err != nil {
			t.Fatal(ok, err)
		}
		c.slot(false)
		after, err := c.house.store.Effects(t.Context(), 2)
		want := before[0].State
		if want == store.EffectRowsHeld {
			want = store.EffectReplaced
		}
		if err != nil || after[0].State != want || !after[0].Verified.Equal(before[0].Verified) || len(after[0].Held) > 0 {
			t.Errorf("%s: effects: %+v, %v; want %s", first, after, err, want)
		}
	}
}

// TestReceiptTellsWhatShowsAtTheSlot has a correction look right when it is read, because what it corrects had not arrived yet; at the
// slot it is held.
func TestReceiptTellsWhatShowsAtTheSlot(t *testing.T) {
	c := newRules(t, oneFullFeed+`
  - {name: promos, kind: promotions, drop: promos, export: full, missing: deactivate, vendor: {ids: ["1"]}}`, "")
	day := func(n int) string { return c.clock.AddDate(0, 0, n).Format(time.DateOnly) }
	c.export("promos", "sku,campaign_name,start_date,end_date,discounted_price\nA,uno,"+day(-1)+","+day(20)+",1.00\n")
	c.export("full", "sku,precio\nA,10\nB,10\n")
	c.slot(false)
	c.finding()
	if got := c.answered(1); !strings.Contains(got, "gondola approve") {
		t.Errorf("the answer says nothing of what is held:\n%s", got)
	}
}
