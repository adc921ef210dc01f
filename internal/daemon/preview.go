package daemon

import (
	"context"
	"fmt"

	"gondola/internal/catalog"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

// PlannedRow is one row that the next plan would hold: of an article or, where Promotion is there, of a promotion.
type PlannedRow struct {
	Key     string       // of the article
	Row     catalog.Item // what the document would say
	Sent    catalog.Item // what the platform was told before; nothing set for a new article
	New     bool         // the platform was told nothing of the article, or of the promotion
	Differs bool         // false: repeated, because it is unsettled or the plan full

	Promotion     *catalog.Promotion // what the document would say of it; nil = the row is an article's
	SentPromotion *catalog.Promotion // what the platform was told of it before; nil = nothing
}

// PlanPreview is what the next plan of a target would be.
type PlanPreview struct {
	Summary shelf.Summary
	Held    []store.LayerFile // files that the brake holds, or would
	Full    bool
	Stopped bool // nothing of it leaves before somebody has approved it
}

// Preview works out what the next slot would send to a target, without changing anything. fn, where given, gets the rows.
func (h *House) Preview(ctx context.Context, t Target, full bool, fn func(PlannedRow) error) (PlanPreview, error) {
	p, err := h.preview(ctx, t, full, fn)
	if err != nil {
		return p, fmt.Errorf("plan %s: %w", t, err)
	}
	return p, nil
}

func (h *House) preview(ctx context.Context, t Target, full bool, fn func(PlannedRow) error) (PlanPreview, error) {
	var p PlanPreview
	due, err := h.store.TargetOf(ctx, t.String())
	if err != nil {
		return p, err
	}
	due.FullDue = due.FullDue || full
	p.Full = due.FullDue
	// As the slot would: new files that the brake lets pass count, held ones do not.
	q, err := h.question(ctx, due, func(ctx context.Context, feed, scope string) ([]store.LayerFile, error) {
		files, err := h.judged(ctx, feed, scope)
		f, _ := h.feed(feed)
		for _, l := range files {
			// Promotions look at prices, too, whose hold is another target's.
			if l.State == store.LayerHeld && t.holds(f.kind) {
				p.Held = append(p.Held, l)
			}
		}
		return standing(files), err
	})
	if err != nil {
		return p, err
	}
	if fn == nil {
		p.Summary, err = h.files.Diff(q)
	} else {
		p.Summary, err = h.files.Rows(q, func(row, sent shelf.Record, differs bool) error {
			return fn(PlannedRow{
				Key: shelf.ItemKey(row.Key), Row: row.Item, Sent: sent.Item, New: sent.Key == "", Differs: differs,
				Promotion: row.Promotion, SentPromotion: sent.Promotion,
			})
		})
	}
	if err != nil {
		return p, err
	}
	stop, err := h.stop(ctx, t, q, p.Summary)
	if stop != nil {
		p.Summary.Findings, p.Stopped = stop, true
	}
	return p, err
}
