package daemon

import (
	"context"
	"fmt"

	"gondola/internal/catalog"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

// PlannedRow is one row that the next plan would hold.
type PlannedRow struct {
	Key     string
	Row     catalog.Item // what the document would say
	Sent    catalog.Item // what the platform was told before; nothing set for a new article
	New     bool
	Differs bool // false: repeated, because it is unsettled or the plan full
}

// PlanPreview is what the next plan of a store would be.
type PlanPreview struct {
	Summary shelf.Summary
	Held    []store.LayerFile // files that the brake holds, or would
	Full    bool
}

// Preview works out what the next slot would send to a vendor, without changing anything. fn, where given, gets the rows.
func (h *House) Preview(ctx context.Context, vendor string, full bool, fn func(PlannedRow) error) (PlanPreview, error) {
	p, err := h.previewVendor(ctx, vendor, full, fn)
	if err != nil {
		return p, fmt.Errorf("plan store %s: %w", vendor, err)
	}
	return p, nil
}

func (h *House) previewVendor(ctx context.Context, vendor string, full bool, fn func(PlannedRow) error) (PlanPreview, error) {
	var p PlanPreview
	t, err := h.store.TargetOf(ctx, targetOf(vendor))
	if err != nil {
		return p, err
	}
	t.FullDue = t.FullDue || full
	p.Full = t.FullDue
	// As the slot would: new files that the brake lets pass count, held ones do not.
	q, err := h.question(ctx, t, func(ctx context.Context, feed, scope string) ([]store.LayerFile, error) {
		files, err := h.judged(ctx, feed, scope)
		for _, l := range files {
			if l.State == store.LayerHeld {
				p.Held = append(p.Held, l)
			}
		}
		return standing(files), err
	})
	if err != nil {
		return p, err
	}
	p.Summary, err = h.files.Rows(q, func(row, sent shelf.Record, differs bool) error {
		if fn == nil {
			return nil
		}
		return fn(PlannedRow{Key: row.Key, Row: row.Item, Sent: sent.Item, New: sent.Key == "", Differs: differs})
	})
	return p, err
}
