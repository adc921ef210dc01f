package daemon

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/store"
)

// sayingText writes a saying as tests compare it.
func sayingText(all []Saying) string {
	var out []string
	for _, s := range all {
		var one []string
		for _, name := range slices.Sorted(maps.Keys(s.Values)) {
			one = append(one, name+"="+s.Values[name])
		}
		if s.Missing {
			one = append(one, "missing")
		}
		out = append(out, strings.Join(one, " "))
	}
	return strings.Join(out, ", ")
}

// sourceLines writes sources as tests compare them.
func sourceLines(all []Source) []string {
	var out []string
	for _, s := range all {
		line := fmt.Sprintf("%s %s drop %d %s: %s", s.Feed, s.Vendor, s.Drop, s.State, sayingText(s.Says))
		if len(s.Wins) > 0 {
			line += " wins " + strings.Join(s.Wins, "+")
		}
		if s.Note != "" {
			line += " (" + s.Note + ")"
		}
		out = append(out, line)
		for _, o := range s.Origin {
			line := fmt.Sprintf("  drop %d row %d", o.Drop, o.Row)
			for _, c := range o.Cells {
				line += fmt.Sprintf(" %s=%s", c.Cell, c.Text)
			}
			if o.Rejected {
				line += " rejected " + string(o.Issues[0].Code)
			}
			out = append(out, line)
			for _, st := range o.Steps {
				out = append(out, fmt.Sprintf("    %s %s %s -> %s", st.Rule, st.Field, st.Before, st.After))
			}
		}
	}
	return out
}

func (c *caseRun) explain(a About) Explanation {
	c.Helper()
	e, err := c.house.Explain(c.Context(), a)
	if err != nil {
		c.Fatal(err)
	}
	return e
}

func wantText(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n  %s\nwant:\n  %s", what, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestExplainFromCellToProof(t *testing.T) {
	c := newRules(t, `  - {name: erp, drop: drop, export: full, missing: deactivate, vendor: {column: tienda}, rules: {price: {markup: 10%, ending: .90}}}
  - {name: mano, drop: mano, vendor: all, priority: -1}`, "")
	c.export("erp", "tienda;sku;barcode;precio\n1;A;7790895000997;100,00\n1;B;;5,00\n2;A;7790895000997;120,00\n")
	c.export("mano", "sku,precio,stock\nA,1.00,7\n")
	c.push(false)

	for _, article := range []string{"A", "7790895000997", "07790895000997"} {
		e := c.explain(About{Article: article, Vendor: "1"})
		if len(e.Stores) != 1 || e.Key != "A" || e.Feedback == "" {
			t.Fatalf("%s: %+v", article, e)
		}
		s := e.Stores[0]
		wantText(t, "sources", sourceLines(s.Sources),
			"erp 1 drop 1 counts: price=109.9 wins price",
			"  drop 1 row 2 A2=1 B2=A C2=7790895000997 D2=100,00",
			"    read price 100,00 -> 100",
			"    price.markup price 100 -> 110",
			"    price.ending price 110 -> 109.9",
			"mano * drop 2 counts: price=1 quantity=7 wins quantity",
			"  drop 2 row 2 A2=A B2=1.00 C2=7",
			"    read price 1.00 -> 1",
			"    read quantity 7 -> 7",
		)
		if got, want := sayingText(s.Wanted), "price=109.9 quantity=7"; got != want || sayingText(s.Sent) != want {
			t.Errorf("wanted %s, sent %s; want %s", got, sayingText(s.Sent), want)
		}
		if len(s.Documents) != 1 {
			t.Fatalf("documents: %+v", s.Documents)
		}
		d := s.Documents[0]
		if d.Document != "catalog/gondola_1.csv" || d.Proof == "" || d.File != "whole" || d.Settled || d.Verified.IsZero() ||
			sayingText(d.Says) != "price=109.9 quantity=7" {
			t.Errorf("document: %+v", d)
		}
		if n := s.Next; n == nil || n.Differs || !n.Unsettled {
			t.Errorf("next: %+v", n)
		}
	}

	_, err := c.house.Explain(c.Context(), About{Article: "nothing like it"})
	if !errors.Is(err, ErrNoArticle) || !strings.Contains(err.Error(), "by their SKU") {
		t.Errorf("unknown: %v", err)
	}
	if _, err := c.house.Explain(c.Context(), About{Article: "A", Vendor: "7"}); !errors.Is(err, ErrNoVendor) {
		t.Errorf("unknown store: %v", err)
	}
	if _, err := c.house.Explain(c.Context(), About{Article: "A", Day: c.clock.AddDate(0, 0, 1)}); !errors.Is(err, ErrNoHistory) {
		t.Errorf("tomorrow: %v", err)
	}
}

// TestExplainDays explains a day that is over, with what was wanted and sent then.
func TestExplainDays(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	first := c.clock
	c.export("full", "sku,precio\nA,10.00\nB,1.00\n")
	c.push(false)
	c.clock = c.clock.AddDate(0, 0, 2)
	c.export("full", "sku,precio\nA,11.00\nB,1.00\n")
	c.push(false)
	c.clock = c.clock.AddDate(0, 0, 1)
	c.export("full", "sku,precio\nB,1.00\n")
	c.push(false)

	for _, tc := range []struct {
		days      int
		wanted    string
		documents int
		before    string
	}{{0, "price=10", 1, ""}, {1, "price=10", 0, "price=10"}, {2, "price=11", 1, "price=10"}, {3, "active=false missing", 1, "price=11"}} {
		s := c.explain(About{Article: "A", Vendor: "1", Day: first.AddDate(0, 0, tc.days)}).Stores[0]
		before := ""
		if s.Before != nil {
			before = sayingText(s.Before.Says)
		}
		if got := sayingText(s.Wanted); got != tc.wanted || len(s.Documents) != tc.documents || before != tc.before || s.Next != nil {
			t.Errorf("day %d: wanted %q, %d documents, before %q; want %+v", tc.days, got, len(s.Documents), before, tc)
		}
	}
	key, stores, err := c.house.EvidenceOf(c.Context(), About{Article: "A", Day: first})
	if err != nil || key != "A" || len(stores) != 2 || len(stores[0].Documents) != 1 || len(stores[1].Documents) != 0 {
		t.Errorf("evidence: %s, %+v, %v", key, stores, err)
	}
	if _, _, err := c.house.EvidenceOf(c.Context(), About{Article: "A", Day: first.AddDate(0, 0, -1)}); !errors.Is(err, ErrNoHistory) {
		t.Errorf("the day before anything: %v", err)
	}
}

// TestExplainWhatIsNotSoSimple: rejected rows, held exports, compaction, a rollback, another config, and an archive with a gap.
func TestExplainWhatIsNotSoSimple(t *testing.T) {
	c := newRules(t, oneFullFeed, "brake: {min_rows: 2}")
	c.export("full", "sku,precio\nA,10.00\nB,1.00\nC,1.00\n")
	c.push(false)
	then := c.clock
	c.export("full", "sku,precio\nA,consultar\nB,2.00\nC,1.00\n")
	c.push(false)
	wantText(t, "a rejected row keeps what was", sourceLines(c.explain(About{Article: "A", Vendor: "1"}).Stores[0].Sources),
		"full 1 drop 2 counts: price=10 wins price",
		"  drop 2 row 2 A2=A B2=consultar rejected G-PRICE-01",
		"  drop 1 row 2 A2=A B2=10.00",
		"    read price 10.00 -> 10",
	)
	c.export("full", "sku,precio\nA,12.00\n") // lacks two of three
	c.push(false)
	s := c.explain(About{Article: "A", Vendor: "1"}).Stores[0]
	wantText(t, "held", sourceLines(s.Pending),
		"full 1 drop 3 held: price=12", "  drop 3 row 2 A2=A B2=12.00", "    read price 12.00 -> 12")
	if len(s.Pending[0].Codes) == 0 {
		t.Errorf("held without a reason: %+v", s.Pending)
	}
	c.rollBack(Undo{To: then})
	wantText(t, "put back", sourceLines(c.explain(About{Article: "B", Vendor: "1"}).Stores[0].Sources),
		"full 1 drop 4 counts: price=1 wins price (put back by ana)",
		"  drop 1 row 3 A3=B B3=1.00",
		"    read price 1.00 -> 1",
	)
	c.export("full", "sku,precio\nA,13.00\nB,1.00\nC,1.00\n")
	c.push(false)
	d, _, err := c.house.store.Drop(c.Context(), 5)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(d.Archived); err != nil {
		t.Fatal(err)
	}
	sources := c.explain(About{Article: "A", Vendor: "1"}).Stores[0].Sources
	if len(sources) != 1 || !strings.Contains(sources[0].Note, "drop 5 is missing from the archive: gondola verify") {
		t.Errorf("without its export: %+v", sources)
	}
	v, err := c.house.Verify(c.Context())
	if err != nil || len(v.Damage) != 1 || v.Damage[0].What != damagedExport || v.Damage[0].Is != "missing" {
		t.Errorf("verify: %+v, %v", v, err)
	}
}

func TestExplainOfALongLayer(t *testing.T) {
	c := newRules(t, `  - {name: part, drop: drop, export: partial, vendor: {ids: ["1"]}}`, "")
	for i := range longStack + 1 {
		c.export("part", fmt.Sprintf("sku,precio\nB%02d,%d.00\n", i, i+1))
		c.push(false)
	}
	sources := c.explain(About{Article: "B03", Vendor: "1"}).Stores[0].Sources
	if len(sources) != 1 || !strings.Contains(sources[0].Note, "stands for several exports") || len(sources[0].Origin) != 1 ||
		sources[0].Origin[0].Drop != 4 {
		t.Errorf("sources: %+v", sources)
	}
}

func TestExplainAnotherConfig(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	c.export("full", "sku,precio\nA,10.00\n")
	c.push(false)
	if err := os.RemoveAll(filepath.Join(c.house.cfg.State.Dir, archiveDir)); err != nil {
		t.Fatal(err)
	}
	c.restart(func(cfg *config.Config) { cfg.Feeds[0].Encoding = "utf-8" })
	if s := c.explain(About{Article: "A", Vendor: "1"}).Stores[0].Sources[0]; !strings.Contains(s.Note, "missing from the archive") {
		t.Errorf("note: %s", s.Note)
	}
}

// TestExplainPromotions tells of a promotion that runs, one that waits for the end of another, and one that the platform would refuse.
func TestExplainPromotions(t *testing.T) {
	c := newRules(t, `  - {name: full, drop: drop, export: full, vendor: {ids: ["1"]}}
  - {name: promos, kind: promotions, drop: promos, export: full, missing: deactivate, vendor: {ids: ["1"]}}`, "")
	day := func(n int) string { return c.clock.AddDate(0, 0, n).Format("2006-01-02") }
	c.export("full", "sku,precio\nA,100.00\nB,200.00\n")
	promo := func(rows string) {
		c.export("promos", "sku,campaign_name,start_date,end_date,discounted_price\n"+rows)
		c.push(false)
	}
	promo("A,uno," + day(-1) + "," + day(20) + ",90.00\nB,dos," + day(-1) + "," + day(20) + ",250.00\n")
	promotions := func(article string) StoreExplanation {
		t.Helper()
		for _, s := range c.explain(About{Article: article, Vendor: "1"}).Stores {
			if s.Kind == catalog.KindPromotions {
				return s
			}
		}
		t.Fatal("no promotions")
		return StoreExplanation{}
	}
	if s := promotions("A"); len(s.Wanted) != 1 || s.Wanted[0].Values["discounted_price"] != "90" || len(s.Documents) != 1 || s.Next.Differs ||
		len(s.Sources) != 1 || len(s.Sources[0].Origin) != 1 || s.Sources[0].Origin[0].Row != 2 {
		t.Errorf("what runs: %+v", s)
	}
	if s := promotions("B"); !slices.Equal(s.Next.Withheld, []catalog.Code{catalog.PromoNotBelow}) || len(s.Documents) != 0 {
		t.Errorf("what the platform would refuse: %+v", s.Next)
	}
	promo("A,uno," + day(-1) + "," + day(20) + ",80.00\nB,dos," + day(-1) + "," + day(20) + ",250.00\n")
	if s := promotions("A"); s.Next.Waiting != 1 || !s.Next.Unsettled {
		t.Errorf("what waits: %+v", s.Next)
	}
}

// TestExplainAtTheEndOfTheDay counts days by the store's clock.
func TestExplainAtTheEndOfTheDay(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	zone := c.house.zone
	c.clock = time.Date(2026, 11, 25, 23, 50, 0, 0, zone)
	c.export("full", "sku,precio\nA,10.00\n")
	c.push(false)
	c.clock = time.Date(2026, 11, 26, 0, 10, 0, 0, zone)
	c.export("full", "sku,precio\nA,11.00\n")
	c.push(false)
	for day, want := range map[int]string{25: "price=10", 26: "price=11"} {
		s := c.explain(About{Article: "A", Vendor: "1", Day: time.Date(2026, 11, day, 12, 0, 0, 0, zone)}).Stores[0]
		if got := sayingText(s.Wanted); got != want || len(s.Documents) != 1 {
			t.Errorf("day %d: %s and %d documents, want %s and 1", day, got, len(s.Documents), want)
		}
	}
}

// TestExplainWhatIsSaidByHand tells of an article that an admin switched off, and of one whose new price the brake holds.
func TestExplainWhatIsSaidByHand(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	c.export("full", "sku,precio,activo\nA,10.00,S\nB,1.00,S\n")
	c.push(false)
	on := c.clock
	c.clock = c.clock.AddDate(0, 0, 1)
	if err := c.house.SwitchOff(c.Context(), OffAsk{Articles: []string{"A"}, Vendors: []string{"1"}, Who: "ana"}); err != nil {
		t.Fatal(err)
	}
	c.push(false)
	s := c.explain(About{Article: "A", Vendor: "1"}).Stores[0]
	if len(s.Sources) != 2 || s.Sources[0].Name != "switched off by hand" || strings.Join(s.Sources[0].Wins, "") != "active" ||
		strings.Join(s.Sources[1].Wins, "") != "price" {
		t.Errorf("sources: %+v", s.Sources)
	}
	if s := c.explain(About{Article: "A", Vendor: "1", Day: on}).Stores[0]; sayingText(s.Wanted) != "active=true price=10" || len(s.Sources) != 1 {
		t.Errorf("the day before: %+v", s)
	}
	// A rollback changes what exports say, not what is said by hand.
	c.export("full", "sku,precio,activo\nA,11.00,S\nB,1.00,S\n")
	c.push(false)
	c.rollBack(Undo{To: on})
	if put := c.put()["catalog/gondola_1.csv"]; !strings.Contains(put, "A,10.00,0\n") {
		t.Errorf("put back below what is off: %s", put)
	}
	c.export("full", "sku,precio,activo\nA,10.00,S\nB,100.00,S\n")
	c.push(false)
	s = c.explain(About{Article: "B", Vendor: "1"}).Stores[0]
	if sayingText(s.Wanted) != "active=true price=100" || sayingText(s.Sent) != "active=true price=1" || len(s.Next.Held) != 1 ||
		!strings.HasPrefix(s.Next.Held[0], "F1 G-BRAKE-") {
		t.Errorf("held: wanted %s, sent %s, %+v", sayingText(s.Wanted), sayingText(s.Sent), s.Next)
	}
	if n := c.explain(About{Article: "A", Vendor: "1"}).Stores[0].Next; n.Differs || len(n.Held) > 0 {
		t.Errorf("the other one is held, too: %+v", n)
	}
	if ok, err := c.house.RejectFinding(c.Context(), 1, "ana"); err != nil || !ok {
		t.Fatalf("reject: %t, %v", ok, err)
	}
	if n := c.explain(About{Article: "B", Vendor: "1"}).Stores[0].Next; strings.Join(n.Held, "") != "rejected" {
		t.Errorf("rejected: %+v", n)
	}
	var kinds []string
	err := c.house.Ledger(c.Context(), time.Time{}, "", func(e store.Entry) error {
		if e.Facts.Who != "" {
			kinds = append(kinds, string(e.Kind))
		}
		return nil
	})
	if got := strings.Join(kinds, " "); err != nil || got != "off rollback rejection" {
		t.Errorf("the ledger names who: %s, %v", got, err)
	}
}

// TestExplainWhatIsOffEverywhere has one article off in a store, and another one in every store.
func TestExplainWhatIsOffEverywhere(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	c.export("full", "sku,precio,activo\nA,10.00,S\nB,1.00,S\n")
	c.push(false)
	c.switchOff(OffAsk{Articles: []string{"A"}})
	c.switchOff(OffAsk{Articles: []string{"B"}, Vendors: []string{"1"}})
	c.push(false)
	for _, article := range []string{"A", "B"} {
		s := c.explain(About{Article: article, Vendor: "1"}).Stores[0]
		if len(s.Sources) != 2 || s.Sources[0].Name != "switched off by hand" {
			t.Errorf("%s: sources: %+v", article, s.Sources)
		}
	}
}
