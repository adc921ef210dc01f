package daemon

import (
	"errors"
	"strings"
	"testing"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/store"
	"gondola/internal/web"
)

// pageNow returns what the page shows.
func (c *caseRun) pageNow() web.Page {
	c.Helper()
	v, err := c.house.view(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	return v.Page
}

// TestPageShowsWhatIsHeld: the ten worst rows with the old and the new price, beside the sentence and not in it.
func TestPageShowsWhatIsHeld(t *testing.T) {
	c := newRules(t, oneFullFeed, "brake: {equal_prices: off, same_factor: off, min_rows: 10}")
	c.export("full", articles(20, 0, "10.50"))
	c.push(false)
	c.settle()
	c.export("full", articles(20, 0, "95.25"))
	c.push(false)
	p := c.pageNow()
	if len(p.Held) != 1 || p.Held[0].Finding == "" || p.Held[0].Store != "Uno" || len(p.Held[0].Findings) != 1 {
		t.Fatalf("held: %+v", p.Held)
	}
	f := p.Held[0].Findings[0]
	if len(f.Worst) != 10 || f.Worst[0] != (web.Move{Key: "A000", Old: "10.5", New: "95.25"}) {
		t.Errorf("worst rows: %+v", f.Worst)
	}
	if f.Text == "" || strings.Contains(f.Text, "A000") {
		t.Errorf("the sentence is %q", f.Text)
	}
	if rows := c.status().Rows; len(rows) != 1 || !strings.Contains(rows[0].Text, "A000") {
		t.Errorf("status names no article: %+v", rows)
	}
	for _, s := range p.Stores {
		if s.Held != (s.ID == "1" && s.Shelf == "catalog") {
			t.Errorf("held at %+v", s)
		}
	}
	// An export that is held as a whole: too much would go off sale.
	c.export("full", articles(4, 0, "10.50"))
	c.push(false)
	p = c.pageNow()
	whole := p.Held[0]
	if whole.Drop == 0 || len(whole.Findings) == 0 || len(whole.Findings[0].Worst) == 0 || whole.Findings[0].Worst[0].Key == "" {
		t.Errorf("held export: %+v", p.Held)
	}
}

// TestPageShowsWhatArrived: each state of a document with its own time.
func TestPageShowsWhatArrived(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	c.export("full", articles(3, 0, "10.50"))
	before := c.clock
	c.push(false)
	p := c.pageNow()
	if len(p.Done) != 1 || p.Done[0].Name != "catalog/gondola_1.csv" || p.Done[0].Store != "Uno" || p.Done[0].Rows != 3 || p.Done[0].Proof == "" {
		t.Fatalf("arrived: %+v", p.Done)
	}
	d := p.Done[0]
	if d.Planned.Before(before) || d.Began.Before(d.Planned) || d.Verified.Before(d.Began) || d.Fate != "" || !d.FateAt.IsZero() {
		t.Errorf("times: %+v", d)
	}
	c.settle()
	settled := c.pageNow().Done[0]
	if settled.Fate != "kept" || settled.FateAt.Before(d.Verified.Add(2*time.Hour)) || settled.FateAt.After(c.clock) {
		t.Errorf("what became of it: %+v; it is %s", settled, c.clock)
	}
	c.switchOff(OffAsk{Articles: []string{"A000"}, Who: "ana", Reason: "retirado"})
	if all := c.pageNow().ByHand; len(all) != 1 || !strings.Contains(all[0], "A000") || !strings.Contains(all[0], "ana") || !strings.HasSuffix(all[0], ": retirado") {
		t.Errorf("by hand: %q", all)
	}
}

// TestPageTellsStories: what gondola explain tells, and why it can't.
func TestPageTellsStories(t *testing.T) {
	c := newRules(t, `  - {name: erp, drop: drop, export: full, missing: deactivate, vendor: {column: tienda}, rules: {price: {markup: 10%}}}`, "")
	c.export("erp", "tienda;sku;barcode;precio;activo\n1;A;7790895000997;100,00;S\n2;A;7790895000997;120,00;N\n2;B;;1,00;S\n")
	c.push(false)
	s, err := c.house.story(t.Context(), web.About{Article: "7790895000997"})
	if err != nil || s.Key != "A" || len(s.Shelves) != 2 || s.Answers {
		t.Fatalf("%+v, %v", s, err)
	}
	one := s.Shelves[0]
	price := web.Value{Name: "price", Text: "110", Amount: true}
	if one.Store != "Uno" || one.Shelf != "catalog" || one.Wanted[0].Values[0] != price || one.Sent[0].Values[1] != (web.Value{Name: "active", Text: "true"}) || one.Next == nil {
		t.Errorf("shelf: %+v", one)
	}
	steps := one.Sources[0].Rows[0].Steps
	if read := steps[0]; read.Before != (web.Value{Text: "100,00"}) || read.After != (web.Value{Name: "price", Text: "100", Amount: true}) {
		t.Errorf("steps: %+v", steps)
	}
	if d := one.Documents[0]; d.Name != "catalog/gondola_1.csv" || !d.Whole || len(d.SHA256) != 64 || d.Says[0].Values[0] != price || d.Verified.IsZero() {
		t.Errorf("document: %+v", d)
	}
	if s, err := c.house.story(t.Context(), web.About{Article: "B"}); err != nil || len(s.Shelves) != 1 || s.Shelves[0].Store != "Dos" {
		t.Errorf("an article of one store: %+v, %v", s, err)
	}
	for _, q := range []struct {
		about web.About
		want  error
	}{
		{web.About{Article: "Z"}, web.ErrNoArticle},
		{web.About{Article: "A", Store: "9"}, web.ErrNoStore},
		{web.About{Article: "A", Day: c.clock.AddDate(0, 0, 2)}, web.ErrNoHistory},
	} {
		if _, err := c.house.story(t.Context(), q.about); !errors.Is(err, q.want) {
			t.Errorf("%+v: %v, want %v", q.about, err, q.want)
		}
	}
	if text, err := c.house.answerText(t.Context(), 1); err != nil || !strings.Contains(text, "RECIBIDO") {
		t.Errorf("answer: %q, %v", text, err)
	}
	if _, err := c.house.answerText(t.Context(), 99); !errors.Is(err, web.ErrNoDrop) {
		t.Errorf("no answer: %v", err)
	}
}

// TestPageSaysEverything: a switched off article, a rollback in every state and what stands above an export have words.
func TestPageSaysEverything(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	for _, state := range []store.RollbackState{store.RollbackAsked, store.RollbackDone, store.RollbackFailed} {
		texts := c.house.byHandTexts(Status{Rollback: &RollbackLine{State: string(state), To: c.clock, At: c.clock, Who: "ana"}})
		if len(texts) != 1 || !strings.Contains(texts[0], "ana") {
			t.Errorf("%s: %q", state, texts)
		}
	}
	many := make([]Off, pageOff+3)
	for i := range many {
		many[i] = Off{Vendor: catalog.AllVendors, Key: "A", Since: c.clock, Who: "ana"}
	}
	texts := c.house.byHandTexts(Status{Off: many})
	if len(texts) != pageOff+1 || !strings.Contains(texts[pageOff], "3") || strings.Contains(texts[0], "hasta") {
		t.Errorf("many: %q", texts)
	}
}
