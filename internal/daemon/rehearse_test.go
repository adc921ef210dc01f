package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/store"
)

// changed returns the config of the case with something else in it, as one that is not live yet.
func (c *caseRun) changed(change func(*config.Config)) *config.Config {
	c.Helper()
	cfg := c.config(filepath.Join(c.dir, "config.yaml"))
	cfg.State.Dir = c.house.cfg.State.Dir
	change(cfg)
	return cfg
}

// rehearse rehearses a config, and holds it to leaving everything as it is.
func (c *caseRun) rehearse(as RehearseAs) Rehearsal {
	c.Helper()
	temp := c.TempDir()
	c.Setenv("TMPDIR", temp)
	before := c.everything()
	r, err := Rehearse(c.Context(), as, Options{Now: func() time.Time { return c.clock }})
	if err != nil {
		c.Fatal(err)
	}
	if diff := cmp.Diff(before, c.everything()); diff != "" {
		c.Errorf("the state is not what it was (-before +after):\n%s", diff)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		c.Errorf("left in the temporary folder: %v, %v", left, err)
	}
	return r
}

// everything returns what the state folder has: files by size, and what the database says of drops, layers and plans.
func (c *caseRun) everything() map[string]string {
	c.Helper()
	all := map[string]string{}
	err := filepath.Walk(c.house.cfg.State.Dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() && !strings.Contains(path, "gondola.db") {
			all[path] = fmt.Sprint(info.Size(), info.ModTime())
		}
		return err
	})
	if err != nil {
		c.Fatal(err)
	}
	drops, errD := c.house.store.DropsAfter(c.Context(), 0)
	layers, errL := c.house.store.Layers(c.Context())
	if err := errors.Join(errD, errL); err != nil {
		c.Fatal(err)
	}
	all["drops"], all["layers"] = fmt.Sprintf("%+v", drops), fmt.Sprintf("%+v", layers)
	for _, t := range c.house.targets {
		due, err := c.house.store.TargetOf(c.Context(), t.String())
		if err != nil {
			c.Fatal(err)
		}
		all[t.String()] = fmt.Sprintf("%+v", due)
	}
	entries := 0
	if err := c.house.store.Entries(c.Context(), time.Time{}, "", func(store.Entry) error { entries++; return nil }); err != nil {
		c.Fatal(err)
	}
	all["ledger"] = fmt.Sprint(entries)
	return all
}

func documentOf(t *testing.T, r Rehearsal, target Target) RehearsedDocument {
	t.Helper()
	for _, d := range r.Documents {
		if (Target{d.Kind, d.Vendor}) == target {
			return d
		}
	}
	t.Fatalf("no document of %s: %+v", target, r.Documents)
	return RehearsedDocument{}
}

var storeOne = Target{catalog.KindCatalog, "1"}

// TestRehearsalOfAnotherMapping reads three partial exports with another column for prices and a markup.
func TestRehearsalOfAnotherMapping(t *testing.T) {
	c := newRules(t, `  - {name: full, drop: drop, export: partial, vendor: {ids: ["1"]}}`, "brake: {equal_prices: off, min_rows: 1000}")
	c.export("full", "sku,precio,precio oferta\nA,10.00,9.00\nB,20.00,20.00\nC,30.00,\n")
	c.push(false)
	c.export("full", "sku,precio,precio oferta\nB,22.00,11.00\nD,5.00,5.00\n")
	c.push(false)
	c.export("full", "sku,precio,precio oferta\nF,2.00,2.00\nE,1.00,abc\n")
	cfg := c.changed(func(cfg *config.Config) {
		cfg.Feeds[0].Columns = map[string]config.Column{"price": {From: "precio oferta"}}
	})
	var told []string
	r := c.rehearse(RehearseAs{Config: cfg, Drops: 10, Reading: func(at, of int, name string) { told = append(told, fmt.Sprintln(at, of, name)) }})
	if want := []string{"1 3 export.csv\n", "2 3 export.csv\n", "3 3 export.csv\n"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	if len(r.Drops) != 3 || r.Drops[0].Seq != 1 || r.Drops[2].Name != "export.csv" {
		t.Fatalf("drops %+v", r.Drops)
	}
	want := Understood{Rows: 3, Records: 3}
	if d := r.Drops[0]; d.Before != want || d.After.Rejected || d.After.Rows != 3 {
		t.Errorf("first drop %+v", d)
	}
	if d := r.Drops[2]; d.Before.Issues != 0 || d.After.Issues == 0 || len(d.Issues) == 0 || d.Issues[0].First == nil || d.Issues[0].First.Row != 3 {
		t.Errorf("a price that is none: %+v", d)
	}
	d := documentOf(t, r, storeOne)
	if d.Before != 6 || d.After != 4 || d.Gone != 2 || d.Added != 0 || d.Cheaper != 2 || d.Dearer != 0 || d.Name != "catalog/gondola_1.csv" || d.Was != "" || d.Ends {
		t.Errorf("document %+v", d)
	}
	if len(d.Worst) != 4 || d.Worst[0].Key != "B" || d.Worst[3].Key != "A" || d.Worst[3].After == nil || d.Worst[1].After != nil {
		t.Errorf("worst %+v", d.Worst)
	}
	if d.Next == 0 {
		t.Error("nothing would be sent")
	}
	if other := documentOf(t, r, Target{catalog.KindCatalog, "2"}); other.Before != 0 || other.After != 0 {
		t.Errorf("the other store %+v", other)
	}
	if !slices.ContainsFunc(d.Worst, func(w RehearsedRow) bool { return w.Key == "B" && w.Before.Price == 2*w.After.Price }) {
		t.Errorf("B is not among the worst: %+v", d.Worst)
	}
	// What is live goes on as it was.
	if put := c.push(true); !strings.Contains(put["catalog/gondola_1.csv"], "B,22.00\n") {
		t.Errorf("live: %v", put)
	}
}

// TestRehearsalIsWhatComes goes live with a config that was rehearsed: the documents are as was said.
func TestRehearsalIsWhatComes(t *testing.T) {
	c := newRules(t, oneFullFeed, "brake: {equal_prices: off, min_rows: 10, price_change: 50%, same_factor: off}")
	c.export("full", articles(12, 1, "100.00"))
	c.push(false)
	c.export("full", articles(12, 1, "110.00"))
	c.push(false)
	markup := config.Rate(10_000)
	change := func(cfg *config.Config) { cfg.Feeds[0].Rules.Price.Markup = &markup }
	d := documentOf(t, c.rehearse(RehearseAs{Config: c.changed(change), Drops: 2}), storeOne)
	if d.Dearer != 12 || d.Changed() != 12 || d.Next != 12 || d.Holds() || len(d.Worst) != maxWorst {
		t.Errorf("rehearsed %+v", d)
	}
	c.restart(change)
	if put := c.push(false); strings.Count(put["catalog/gondola_1.csv"], "121.00") != d.Next {
		t.Errorf("live: %v", put)
	}
}

// TestRehearsalOfWhatTheBrakeHolds: a slip in the config is held, and the rehearsal says so.
func TestRehearsalOfWhatTheBrakeHolds(t *testing.T) {
	c := newRules(t, oneFullFeed, "brake: {equal_prices: off, min_rows: 10}")
	c.export("full", articles(20, 0, "100.00"))
	c.push(false)
	d := documentOf(t, c.rehearse(RehearseAs{Config: c.changed(func(cfg *config.Config) {
		cfg.Feeds[0].Rules.Exclude = config.Exclusion{Columns: []string{"sku"}, Words: []string{"A000", "A001", "A002", "A003", "A004", "A005", "A006"}}
	}), Drops: 1}), storeOne)
	if len(d.HeldDrops) != 1 || d.HeldDrops[0].Seq != 1 || !slices.Equal(d.HeldDrops[0].Findings, []string{string(catalog.BrakeInactive)}) || d.Off != 7 {
		t.Errorf("an export that switches off too much: %+v", d)
	}
	markup := config.Rate(100_000)
	d = documentOf(t, c.rehearse(RehearseAs{Config: c.changed(func(cfg *config.Config) { cfg.Feeds[0].Rules.Price.Markup = &markup }), Drops: 1}), storeOne)
	if len(d.HeldDrops) != 0 || len(d.HeldRows) == 0 || d.Dearer != 20 {
		t.Errorf("prices that double: %+v", d)
	}
}

// TestRehearsalOfRejectedExports: one that could not be read would be, and the other way round.
func TestRehearsalOfRejectedExports(t *testing.T) {
	c := newRules(t, oneFullFeed, "brake: {min_rows: 1000}")
	c.export("full", "codigo raro,precio\nA,1.00\n")
	c.export("full", "sku,precio\nA,1.00\n")
	c.push(false)
	r := c.rehearse(RehearseAs{Config: c.changed(func(cfg *config.Config) {
		cfg.Feeds[0].Columns = map[string]config.Column{"sku": {From: "codigo raro"}}
	}), Drops: 5})
	if len(r.Drops) != 2 || !r.Drops[0].Before.Rejected || r.Drops[0].After.Rejected || r.Drops[1].Before.Rejected || !r.Drops[1].After.Rejected {
		t.Errorf("drops %+v", r.Drops)
	}
	if d := documentOf(t, r, storeOne); d.Before != 1 || d.After != 1 || d.Changed()+d.Added+d.Gone != 0 {
		t.Errorf("what can't be read any more stays as it was: %+v", d)
	}
	if len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "drop 2 (export.csv): with the new config this export can't be read any more") {
		t.Errorf("notes %q", r.Notes)
	}
}

// TestRehearsalOfOtherStoresAndFeeds: what stands in the config besides the mapping.
func TestRehearsalOfOtherStoresAndFeeds(t *testing.T) {
	c := newRules(t, `  - {name: full, drop: drop, export: full, vendor: {column: Sucursal}}
  - {name: stock, drop: stock, export: partial, vendor: {column: Sucursal}}`, "brake: {min_rows: 1000}")
	c.export("full", "Sucursal,sku,precio\n1,A,1.00\n1,B,2.00\n2,A,3.00\n")
	c.export("stock", "Sucursal,sku,stock\n1,A,5\n")
	c.push(false)
	live := c.changed(func(*config.Config) {})
	cfg := c.changed(func(cfg *config.Config) {
		cfg.Vendors, cfg.Feeds, cfg.SFTP.Prefix = cfg.Vendors[:1], cfg.Feeds[:1], "otra"
	})
	r := c.rehearse(RehearseAs{Config: cfg, Against: live, Drops: 5})
	one, two := documentOf(t, r, storeOne), documentOf(t, r, Target{catalog.KindCatalog, "2"})
	if one.Was != "catalog/gondola_1.csv" || one.Name != "catalog/otra_1.csv" || one.Other != 1 || one.Before != 2 || one.After != 2 {
		t.Errorf("store 1: %+v", one)
	}
	if !two.Ends || two.Gone != 1 || two.After != 0 {
		t.Errorf("store 2: %+v", two)
	}
	notes := strings.Join(r.Notes, "\n")
	if !strings.Contains(notes, `exports of feed "stock" count now`) || !strings.Contains(notes, "from now on documents are named catalog/otra_1.csv") {
		t.Errorf("notes %s", notes)
	}
}

// TestRehearsalOfPromotions: another campaign is another promotion, and a price that promotions are shares of moves them, too.
func TestRehearsalOfPromotions(t *testing.T) {
	c := newRules(t, `  - {name: full, drop: drop, export: full, vendor: {ids: ["1"]}}
  - {name: promos, kind: promotions, drop: promos, export: full, vendor: {ids: ["1"]}}`, "brake: {min_rows: 1000}")
	c.export("full", "sku,precio\nA,100.00\nB,50.00\n")
	c.export("promos", "sku,promo,desde,hasta\nA,-20%,2026-11-20,2026-12-20\nB,-10%,2026-11-20,2026-12-20\n")
	c.push(false)
	target := Target{catalog.KindPromotions, "1"}
	same := documentOf(t, c.rehearse(RehearseAs{Config: c.changed(func(*config.Config) {}), Drops: 1}), target)
	if same.Before != 2 || same.After != 2 || same.Changed()+same.Added+same.Gone != 0 || same.Next != 0 {
		t.Errorf("the same config: %+v", same)
	}
	renamed := documentOf(t, c.rehearse(RehearseAs{Config: c.changed(func(cfg *config.Config) { cfg.Feeds[1].Campaign = "Verano" }), Drops: 1}), target)
	if renamed.Added != 2 || renamed.Gone != 2 || len(renamed.Worst) != 4 || renamed.Worst[0].BeforePromotion == nil || renamed.Worst[0].Key != "A" {
		t.Errorf("another campaign: %+v", renamed)
	}
	markup := config.Rate(10_000)
	dearer := documentOf(t, c.rehearse(RehearseAs{Config: c.changed(func(cfg *config.Config) { cfg.Feeds[0].Rules.Price.Markup = &markup }), Drops: 1}), target)
	if dearer.Other != 2 || dearer.Worst[0].AfterPromotion.Price != 88_000 {
		t.Errorf("another price: %+v, %+v", dearer, dearer.Worst)
	}
}

// TestRehearsalWithoutArchive: exports that were purged are named, and nothing fails.
func TestRehearsalWithoutArchive(t *testing.T) {
	c := newRules(t, oneFullFeed, "brake: {min_rows: 1000}")
	c.export("full", articles(3, 0, "1.00"))
	c.push(false)
	if err := os.RemoveAll(filepath.Join(c.house.cfg.State.Dir, archiveDir)); err != nil {
		t.Fatal(err)
	}
	r := c.rehearse(RehearseAs{Config: c.changed(func(*config.Config) {}), Drops: 5})
	if len(r.Drops) != 1 || !r.Drops[0].Gone {
		t.Errorf("drops %+v", r.Drops)
	}
}

func TestRehearsalWithoutState(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	cfg := c.changed(func(cfg *config.Config) { cfg.State.Dir = t.TempDir() })
	if _, err := Rehearse(t.Context(), RehearseAs{Config: cfg, Drops: 1}, Options{}); !errors.Is(err, store.ErrNone) {
		t.Errorf("without a state: %v", err)
	}
}

// TestRehearsalSweeps removes what one that was killed has left, and nothing younger.
func TestRehearsalSweeps(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	old, young := filepath.Join(temp, rehearsalDirs+"1"), filepath.Join(temp, rehearsalDirs+"2")
	for _, dir := range []string{old, young} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(old, time.Time{}, time.Now().Add(-2*rehearsalStays)); err != nil {
		t.Fatal(err)
	}
	sweepRehearsals(time.Now())
	if entries, err := os.ReadDir(temp); err != nil || len(entries) != 1 || entries[0].Name() != filepath.Base(young) {
		t.Errorf("left: %v, %v", entries, err)
	}
}
