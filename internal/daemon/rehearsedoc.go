package daemon

import (
	"context"
	"math"
	"slices"

	"gondola/internal/catalog"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

// RehearsedDocument is what a document that says everything would say, before and after.
type RehearsedDocument struct {
	Vendor  string       `json:"vendor"` // * where one file is for all stores
	Kind    catalog.Kind `json:"kind"`
	Name    string       `json:"name"`             // folder and file
	Was     string       `json:"was,omitempty"`    // likewise, where it is another one now
	Before  int          `json:"before"`           // rows
	After   int          `json:"after"`            // rows
	Added   int          `json:"added"`            // rows that are new
	Gone    int          `json:"gone"`             // rows that are not there any more
	Ends    bool         `json:"ends,omitempty"`   // nothing goes there any more
	Dearer  int          `json:"dearer,omitempty"` // of the rows that change, as the next ones
	Cheaper int          `json:"cheaper,omitempty"`
	On      int          `json:"on,omitempty"`  // back on sale
	Off     int          `json:"off,omitempty"` // off sale
	Other   int          `json:"otherwise,omitempty"`

	Worst []RehearsedRow `json:"-"` // at most ten, the worst first
	// Next is how many articles and promotions the next slot would send, once the brake has let them pass.
	Next int `json:"next"`
	// HeldDrops and HeldRows are what the brake would hold and does not hold now.
	HeldDrops []HeldDrop      `json:"held_drops,omitempty"`
	HeldRows  []shelf.Finding `json:"held_rows,omitempty"`
}

// Changed is how many rows say something else.
func (d RehearsedDocument) Changed() int { return d.Dearer + d.Cheaper + d.On + d.Off + d.Other }

// Holds reports whether the brake would hold something.
func (d RehearsedDocument) Holds() bool { return len(d.HeldDrops)+len(d.HeldRows) > 0 }

// HeldDrop is an export that the brake would hold.
type HeldDrop struct {
	Seq      int64    `json:"drop"`
	Feed     string   `json:"feed"`
	Findings []string `json:"findings"`
}

// RehearsedRow is one row that changes, of an article or, where a promotion is there, of that.
type RehearsedRow struct {
	Key             string        // of the article
	Before          *catalog.Item // what the document holds of it; nil = nothing
	After           *catalog.Item
	BeforePromotion *catalog.Promotion
	AfterPromotion  *catalog.Promotion

	weight float64
}

// maxWorst is how many rows of a document are shown.
const maxWorst = 10

// wholeDocument is a document that says everything, and what would be sent.
type wholeDocument struct {
	rows []shelf.Digest
	n    int
	next PlanPreview
}

// wholeDocuments writes what a document of each target would say that says everything, once the brake has let pass what is new.
func (h *House) wholeDocuments(ctx context.Context) (map[Target]wholeDocument, error) {
	all := map[Target]wholeDocument{}
	for _, t := range h.targets {
		q := shelf.Question{Full: true, Says: h.says, Now: h.wall(t), Decimals: h.cfg.Chain.PriceDecimals}
		stack := func(ctx context.Context, feed, scope string) ([]store.LayerFile, error) {
			files, err := h.store.Layer(ctx, feed, scope)
			return hopeful(files), err
		}
		var err error
		if q.Wanted, err = h.wanted(ctx, t, stack); err != nil {
			return nil, err
		}
		if q.Prices, err = h.prices(ctx, t, stack); err != nil {
			return nil, err
		}
		s, err := h.files.Plan(q)
		if err != nil {
			return nil, err
		}
		d := wholeDocument{n: s.Rows}
		for _, part := range s.Parts {
			d.rows = append(d.rows, part.Digest)
		}
		if d.next, err = h.Preview(ctx, t, false, nil); err != nil {
			return nil, err
		}
		all[t] = d
	}
	return all, nil
}

// compareDocuments compares the documents of two houses, target by target.
func (h *House) compareDocuments(ctx context.Context, old *House, before, after map[Target]wholeDocument) ([]RehearsedDocument, error) {
	targets := slices.Clone(h.targets)
	for _, t := range old.targets {
		if !slices.Contains(targets, t) {
			targets = append(targets, t)
		}
	}
	all := []RehearsedDocument{}
	for _, t := range targets {
		if ctx.Err() != nil {
			return all, ctx.Err()
		}
		was, is := before[t], after[t]
		d := RehearsedDocument{Vendor: t.Vendor, Kind: t.Kind, Before: was.n, After: is.n, Next: is.next.Summary.Differs}
		d.Name = h.folderOf(t) + "/" + h.fileOf(t, 1)
		if name := old.folderOf(t) + "/" + old.fileOf(t, 1); name != d.Name {
			d.Was = name
		}
		if _, stays := after[t]; !stays {
			d.Ends = true
		}
		err := h.files.Differences(was.rows, is.rows, func(before, after shelf.Record) error {
			d.add(before, after, old.says, h.says)
			return nil
		})
		if err != nil {
			return all, err
		}
		d.held(was.next, is.next)
		all = append(all, d)
	}
	return all, nil
}

// held notes what the brake would hold after and does not hold before.
func (d *RehearsedDocument) held(before, after PlanPreview) {
	known := func(l store.LayerFile) bool {
		return slices.ContainsFunc(before.Held, func(old store.LayerFile) bool {
			return old.Seq == l.Seq && old.Scope == l.Scope && old.Feed == l.Feed && old.Digest == l.Digest
		})
	}
	for _, l := range after.Held {
		if !known(l) {
			one := HeldDrop{Seq: l.Seq, Feed: l.Feed, Findings: []string{}}
			for _, is := range l.Findings {
				one.Findings = append(one.Findings, string(is.Code))
			}
			d.HeldDrops = append(d.HeldDrops, one)
		}
	}
	for _, f := range after.Summary.Findings {
		if !slices.ContainsFunc(before.Summary.Findings, func(old shelf.Finding) bool { return old.Code == f.Code && old.Count >= f.Count }) {
			d.HeldRows = append(d.HeldRows, f)
		}
	}
}

// says is what a document of a brand holds of an item.
type says func(catalog.Item) catalog.Fields

// add counts one row that the documents don't have in the same words.
func (d *RehearsedDocument) add(before, after shelf.Record, saysBefore, saysAfter says) {
	row := RehearsedRow{Key: shelf.ItemKey(after.Key), BeforePromotion: before.Promotion, AfterPromotion: after.Promotion}
	if after.Key == "" {
		row.Key = shelf.ItemKey(before.Key)
	}
	if before.Promotion == nil && after.Promotion == nil {
		if before.Key != "" {
			row.Before = shown(before.Item, saysBefore)
		}
		if after.Key != "" {
			row.After = shown(after.Item, saysAfter)
		}
	}
	switch {
	case before.Key == "":
		d.Added, row.weight = d.Added+1, 0.1
	case after.Key == "":
		d.Gone, row.weight = d.Gone+1, asHalved
	case row.Before == nil:
		if *before.Promotion == *after.Promotion {
			return // they have other lines in the export
		}
		d.Other, row.weight = d.Other+1, 0.2
	default:
		if !d.changed(&row) {
			return
		}
	}
	d.keep(row)
}

// asHalved is how much it weighs that an article can't be bought any more, or is not spoken of: as much as a price that is halved.
const asHalved = math.Ln2

// changed counts a row of an article that both documents have. It reports whether they say something else of it.
func (d *RehearsedDocument) changed(row *RehearsedRow) bool {
	was, is := *row.Before, *row.After
	differs := is.Differs(was) | was.Differs(is)
	on, priced := is.On() != was.On(), differs.Has(catalog.Price) && is.Set.Has(catalog.Price) && was.Set.Has(catalog.Price)
	switch {
	case differs == 0:
		return false
	case on && is.On():
		d.On, row.weight = d.On+1, 0.1
	case on:
		d.Off, row.weight = d.Off+1, asHalved
	case priced && is.Price > was.Price:
		d.Dearer++
	case priced:
		d.Cheaper++
	default:
		d.Other++
	}
	if priced && was.Price > 0 && is.Price > 0 {
		row.weight = max(row.weight, math.Abs(math.Log(float64(is.Price)/float64(was.Price))))
	}
	return true
}

// shown returns of an item what a document holds.
func shown(it catalog.Item, says says) *catalog.Item {
	fields := says(it)
	it.Set &= fields
	it.Blank = 0
	return &it
}

// keep keeps a row while it is among the worst ones. Of equal ones the first stay.
func (d *RehearsedDocument) keep(row RehearsedRow) {
	at := slices.IndexFunc(d.Worst, func(other RehearsedRow) bool { return other.weight < row.weight })
	if at < 0 {
		at = len(d.Worst)
	}
	if at < maxWorst {
		d.Worst = slices.Insert(d.Worst, at, row)[:min(len(d.Worst)+1, maxWorst)]
	}
}
