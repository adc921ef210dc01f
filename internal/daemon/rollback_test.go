package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/store"
)

// rollBack asks for a rollback, lets the loop do it, and returns what it became.
func (c *caseRun) rollBack(u Undo) store.Rollback {
	c.Helper()
	c.clock = c.clock.Add(time.Minute)
	u.Who = "ana"
	id, err := c.house.AskRollback(c.Context(), u)
	if err != nil {
		c.Fatal(err)
	}
	if err := c.house.planDue(c.Context()); err != nil {
		c.Fatal(err)
	}
	c.flush()
	b, err := c.house.Rollback(c.Context(), id)
	if err != nil {
		c.Fatal(err)
	}
	return b
}

// entries returns the ledger's rows of a kind.
func (c *caseRun) entries(kind store.EntryKind) []store.Entry {
	c.Helper()
	var all []store.Entry
	err := c.house.store.Entries(c.Context(), time.Time{}, kind, func(e store.Entry) error {
		all = append(all, e)
		return nil
	})
	if err != nil {
		c.Fatal(err)
	}
	return all
}

func TestRollbackPutsBackPrices(t *testing.T) {
	c := newRules(t, oneFullFeed, "brake: {min_rows: 1000, price_change: off, same_factor: off}")
	c.export("full", "sku,precio,activo\nA,10.50,S\nB,20.00,S\nC,30.00,N\n")
	c.push(false)
	right := c.clock
	c.clock = c.clock.Add(time.Hour)
	// Wrong prices, B went missing, D is new.
	c.export("full", "sku,precio,activo\nA,1050.00,S\nC,30.00,S\nD,40.00,S\n")
	c.push(false)

	seen, err := c.house.PreviewRollback(c.Context(), Undo{To: right})
	if err != nil {
		t.Fatal(err)
	}
	if len(seen.Parts) != 1 || seen.Parts[0].Records != 3 || len(seen.Stores) != 1 || seen.Stores[0].Differs != 3 ||
		seen.Stores[0].Change.PriceDown != 1 || seen.Stores[0].Change.SwitchedOn != 1 || seen.Stores[0].Change.SwitchedOff != 1 {
		t.Errorf("preview: %+v", seen)
	}
	if put := c.put(); len(put) != 0 {
		t.Fatalf("a look sent something: %v", put)
	}

	b := c.rollBack(Undo{To: right})
	if b.State != store.RollbackDone || b.Seq != 3 || b.Who != "ana" {
		t.Errorf("rollback: %+v", b)
	}
	want := "sku,price,active\nA,10.50,1\nB,20.00,1\nC,30.00,0\nD,40.00,1\n"
	if put := c.put()["catalog/gondola_1.csv"]; put != want {
		t.Errorf("put:\n%s\nwant (D was not spoken of then, and is repeated for being unsettled):\n%s", put, want)
	}
	if rows := c.entries(store.EntryRollback); len(rows) != 1 || rows[0].Facts.Who != "ana" || rows[0].Facts.Drop != 3 || !rows[0].Facts.Back.Equal(right) {
		t.Errorf("ledger: %+v", rows)
	}
	d, ok, err := c.house.store.Drop(c.Context(), 3)
	if err != nil || !ok || !strings.HasPrefix(d.Name, "rollback to 20") || d.Feed != "" {
		t.Errorf("drop: %+v, %t, %v", d, ok, err)
	}

	// The same once more changes nothing, and what the ERP exports next counts as ever.
	if b := c.rollBack(Undo{To: right}); b.State != store.RollbackDone || b.Seq != 0 {
		t.Errorf("a second rollback: %+v", b)
	}
	c.export("full", "sku,precio,activo\nA,11.00,S\nB,20.00,S\nC,30.00,N\n")
	if put := c.push(false)["catalog/gondola_1.csv"]; !strings.Contains(put, "A,11.00,1\n") || !strings.Contains(put, "D,40.00,0\n") {
		t.Errorf("the next export: %s", put)
	}
	// And the rollback can be undone like anything else: to when the wrong prices were there.
	if b := c.rollBack(Undo{To: right.Add(time.Hour + 2*time.Minute)}); b.Seq == 0 {
		t.Errorf("undo of the undo: %+v", b)
	}
	if put := c.put()["catalog/gondola_1.csv"]; !strings.Contains(put, "A,1050.00,1\n") {
		t.Errorf("undo of the undo: %s", put)
	}
}

// TestRollbackBesideAnExportThatWillBeHeld rolls back while an export waits that lacks half of the articles: none of them is switched off.
func TestRollbackBesideAnExportThatWillBeHeld(t *testing.T) {
	c := newRules(t, oneFullFeed, `brake: {equal_prices: off, price_change: off, same_factor: off}`)
	c.export("full", articles(30, 0, "10.50"))
	c.push(false)
	right := c.clock
	c.clock = c.clock.Add(time.Hour)
	c.export("full", articles(60, 0, "11.50"))
	c.push(false)
	c.export("full", articles(5, 0, "11.50"))
	c.rollBack(Undo{To: right})
	put := c.put()["catalog/gondola_1.csv"]
	if !strings.Contains(put, "A029,10.50,1\n") || strings.Contains(put, ",0\n") {
		t.Errorf("put: %s", put)
	}
}

// TestRollbackThroughCompaction goes back to a moment whose files have been written as one since.
func TestRollbackThroughCompaction(t *testing.T) {
	c := newRules(t, `  - {name: part, drop: drop, export: partial, vendor: {ids: ["1"]}}`, "brake: {min_rows: 1000, price_change: off, same_factor: off}")
	var times []time.Time
	for i := range longStack + 3 {
		c.export("part", fmt.Sprintf("sku,precio\nA,%d.00\nB%02d,1.00\n", 10+i, i))
		c.push(false)
		times = append(times, c.clock)
	}
	if files, err := c.house.store.Layer(c.Context(), "part", "1"); err != nil || len(files) >= longStack {
		t.Fatalf("the layer was not compacted: %d files, %v", len(files), err)
	}
	c.put()
	for _, i := range []int{5, longStack + 1, longStack - 2} {
		c.rollBack(Undo{To: times[i]})
		if put := c.put()["catalog/gondola_1.csv"]; !strings.Contains(put, fmt.Sprintf("A,%d.00\n", 10+i)) {
			t.Errorf("back to price %d: %s", 10+i, put)
		}
	}
	// Retention takes what is older, and says so.
	c.clock = c.clock.Add(100 * 24 * time.Hour)
	if err := c.house.tidy(c.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := c.house.AskRollback(c.Context(), Undo{To: times[5]})
	if !errors.Is(err, ErrNoHistory) || !strings.Contains(err.Error(), "history reaches back to") {
		t.Errorf("before history: %v", err)
	}
	if _, err := c.house.PreviewRollback(c.Context(), Undo{To: c.clock.Add(-time.Hour)}); err != nil {
		t.Errorf("what stands is still known: %v", err)
	}
}

func TestRollbackOfPromotions(t *testing.T) {
	c := newRules(t, `  - {name: full, drop: drop, export: full, missing: deactivate, vendor: {ids: ["1"]}}
  - {name: promos, kind: promotions, drop: promos, export: full, missing: deactivate, vendor: {ids: ["1"]}}`, "")
	day := func(n int) string { return c.clock.AddDate(0, 0, n).Format("2006-01-02") }
	c.export("full", "sku,precio\nA,100.00\nB,200.00\nC,300.00\n")
	promo := func(rows string) {
		c.export("promos", "sku,campaign_name,start_date,end_date,discounted_price\n"+rows)
	}
	promo("A,uno," + day(-1) + "," + day(20) + ",90.00\nC,corta," + day(-1) + "," + day(1) + ",250.00\n")
	c.push(false)
	right := c.clock
	c.clock = c.clock.AddDate(0, 0, 5) // C's is over by itself
	c.push(false)
	promo("B,dos," + day(-1) + "," + day(20) + ",150.00\n")
	c.push(false)
	c.clock = c.clock.Add(3 * time.Hour) // everything has been read
	c.push(false)
	c.put()
	c.rollBack(Undo{To: right, Feed: "promos"})
	put := c.put()["promotions/gondola_1.csv"]
	var got []string
	for line := range strings.Lines(put) {
		f := strings.Split(line, ",")
		switch {
		case strings.Contains(line, ",uno,"), strings.Contains(line, "uno"):
			got = append(got, f[0]+" uno "+strings.TrimSpace(f[len(f)-1]))
		case strings.Contains(line, "dos"):
			got = append(got, f[0]+" dos "+strings.TrimSpace(f[len(f)-1]))
		case strings.Contains(line, "corta"):
			t.Errorf("what is over is spoken of: %s", line)
		}
	}
	if want := " uno 1, dos 0"; strings.Join(got, ",") != want {
		t.Errorf("got %q, want the one of then started and the one since ended:\n%s", strings.Join(got, ","), put)
	}
}

func TestRollbackGoesThroughTheBrake(t *testing.T) {
	c := newRules(t, oneFullFeed, "brake: {min_rows: 10, equal_prices: off}")
	c.export("full", articles(20, 10, "10.50"))
	c.push(false)
	then := c.clock
	c.clock = c.clock.Add(time.Hour)
	c.export("full", articles(20, 0, "10.50"))
	c.push(false)
	seen, err := c.house.PreviewRollback(c.Context(), Undo{To: then})
	if err != nil || len(seen.Parts) != 1 || len(seen.Parts[0].Findings) != 1 || seen.Parts[0].Findings[0].Code != catalog.BrakeInactive {
		t.Fatalf("preview: %+v, %v", seen, err)
	}
	b := c.rollBack(Undo{To: then})
	if put := c.put(); len(put) != 0 {
		t.Fatalf("it passed the brake: %v", put)
	}
	held, err := c.house.HeldExports(c.Context())
	if err != nil || len(held) != 1 || held[0].Seq != b.Seq || !strings.HasPrefix(held[0].Name, "rollback to") {
		t.Fatalf("held: %+v, %v", held, err)
	}
	if n, err := c.house.Approve(c.Context(), b.Seq, nil, "ana"); err != nil || n != 1 {
		t.Fatalf("approve: %d, %v", n, err)
	}
	if put := c.push(false)["catalog/gondola_1.csv"]; !strings.Contains(put, "A000,10.50,0\n") {
		t.Errorf("approved: %s", put)
	}
	if rows := c.entries(store.EntryApproval); len(rows) != 1 || rows[0].Facts.Who != "ana" {
		t.Errorf("ledger: %+v", rows)
	}
}

func TestRollbackOfOneStore(t *testing.T) {
	c := newRules(t, `  - {name: all, drop: drop, vendor: all}
  - {name: own, drop: own, vendor: {column: tienda}}`, "")
	c.export("all", "sku,precio\nA,10.00\n")
	c.export("own", "tienda,sku,precio\n1,B,20.00\n2,B,21.00\n")
	c.push(false)
	then := c.clock
	c.clock = c.clock.Add(time.Hour)
	c.export("all", "sku,precio\nA,11.00\n")
	c.export("own", "tienda,sku,precio\n1,B,22.00\n2,B,23.00\n")
	c.push(false)
	seen, err := c.house.PreviewRollback(c.Context(), Undo{To: then, Vendor: "1"})
	if err != nil || len(seen.Parts) != 1 || len(seen.Left) != 1 || seen.Left[0] != "all" {
		t.Errorf("preview: %+v, %v", seen, err)
	}
	c.put()
	c.rollBack(Undo{To: then, Vendor: "1"})
	put := c.put()
	if len(put) != 1 || !strings.Contains(put["catalog/gondola_1.csv"], "B,20.00\n") || strings.Contains(put["catalog/gondola_1.csv"], "A,10.00") {
		t.Errorf("put: %v", put)
	}
	for u, want := range map[Undo]error{
		{To: then, Vendor: "7"}:         ErrNoVendor,
		{To: then, Feed: "x"}:           ErrNoFeed,
		{To: c.clock.Add(time.Hour)}:    ErrNoHistory,
		{To: then.AddDate(-1, 0, 0)}:    ErrNoHistory,
		{To: then.Add(-24 * time.Hour)}: ErrNoHistory,
	} {
		if _, err := c.house.AskRollback(c.Context(), u); !errors.Is(err, want) {
			t.Errorf("%+v: %v, want %v", u, err, want)
		}
	}
}

// TestRollbackWithDamage asks for something whose file is gone: it fails with words, and is not tried for ever.
func TestRollbackWithDamage(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	c.export("full", articles(3, 0, "10.50"))
	c.push(false)
	then := c.clock
	stood, err := c.house.store.StoodAt(c.Context(), "full", "1", then)
	if err != nil || len(stood) != 1 {
		t.Fatalf("stood: %+v, %v", stood, err)
	}
	c.export("full", articles(3, 0, "11.50"))
	c.push(false)
	if err := os.Remove(c.house.files.Path(stood[0].Digest)); err != nil {
		t.Fatal(err)
	}
	c.put()
	b := c.rollBack(Undo{To: then})
	if b.State != store.RollbackFailed || !strings.Contains(b.Error, string(stood[0].Digest)) {
		t.Errorf("rollback: %+v", b)
	}
	if put := c.put(); len(put) != 0 {
		t.Errorf("put: %v", put)
	}
	if asked, err := c.house.store.RollbacksAsked(c.Context()); err != nil || len(asked) != 0 {
		t.Errorf("still asked: %+v, %v", asked, err)
	}
}

// TestLooksWriteNothing holds looks, which may be another user's, to leaving the state folder as it is.
func TestLooksWriteNothing(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	c.export("full", articles(3, 0, "10.50"))
	c.push(false)
	then := c.clock
	c.export("full", articles(3, 0, "11.50"))
	c.push(false)
	lying := func() (names []string) {
		err := filepath.WalkDir(c.house.cfg.State.Dir, func(path string, e os.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				names = append(names, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	before := lying()
	if seen, err := c.house.PreviewRollback(c.Context(), Undo{To: then}); err != nil || len(seen.Parts) != 1 {
		t.Fatalf("preview: %+v, %v", seen, err)
	}
	c.explain(About{Article: "A001"})
	c.explain(About{Article: "A001", Day: c.clock})
	if _, _, err := c.house.EvidenceOf(c.Context(), About{Article: "A001"}); err != nil {
		t.Fatal(err)
	}
	if v, err := c.house.Verify(c.Context()); err != nil || len(v.Damage) > 0 {
		t.Fatalf("verify: %+v, %v", v, err)
	}
	if diff := cmp.Diff(before, lying()); diff != "" {
		t.Errorf("files before and after the looks:\n%s", diff)
	}
}

// TestRollbackNotAcrossIdentifiers: articles that were known by another identifier can't be put back.
func TestRollbackNotAcrossIdentifiers(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	c.export("full", "sku,barcode,precio\nA,7790895000997,10.50\n")
	c.push(false)
	then := c.clock
	c.clock = c.clock.Add(time.Hour)
	c.restart(func(cfg *config.Config) { cfg.Chain.IdentifyBy = "barcode" })
	c.push(false)
	if _, err := c.house.AskRollback(c.Context(), Undo{To: then}); !errors.Is(err, ErrNoHistory) {
		t.Errorf("back to before: %v", err)
	}
}
