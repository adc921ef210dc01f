package daemon

import (
	"context"
	"fmt"
	"slices"

	"gondola/internal/catalog"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

// compare holds a new layer file against what other exports want, and adds what it finds to the reading's issues: promotions that the
// catalogue has something against, and fields that another feed speaks of too.
func (h *House) compare(ctx context.Context, r *store.Reading, l store.LayerFile) error {
	f, ok := h.feed(l.Feed)
	if !ok {
		return nil
	}
	if f.kind == catalog.KindPromotions {
		return h.lint(ctx, r, l)
	}
	return h.rivals(ctx, r, f, l)
}

// lint looks what is wrong with the promotions of a new layer file in each store that it is for.
func (h *House) lint(ctx context.Context, r *store.Reading, l store.LayerFile) error {
	vendors := []string{l.Scope}
	if l.Scope == catalog.AllVendors && !h.chainPrices {
		vendors = h.VendorIDs()
	}
	told := map[string]bool{} // what was said of another store already, and is the same in each
	for _, vendor := range vendors {
		t := Target{catalog.KindPromotions, vendor}
		prices, err := h.wanted(ctx, Target{catalog.KindCatalog, vendor}, h.together(l))
		if err != nil {
			return err
		}
		err = h.files.Lint(shelf.LintQuestion{
			Promotions: []shelf.Digest{l.Digest}, Prices: prices, Now: h.wall(t), Decimals: h.cfg.Chain.PriceDecimals,
		}, func(one shelf.Lint) error {
			is := catalog.Issue{Code: one.Code, Severity: one.Severity, Sheet: r.Outcome.Sheet, Row: one.Line, Args: one.Args}
			switch one.Code {
			case catalog.PromoNotBelow, catalog.PromoNoPrice, catalog.PromoUnknown:
				if v, ok := h.vendor(vendor); ok && len(h.vendors) > 1 {
					is.Args = append(slices.Clone(is.Args), v.Name)
				}
			}
			key := fmt.Sprint(is.Code, is.Row, is.Args)
			if !told[key] {
				told[key] = true
				addIssue(&r.Outcome, is)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rivals warns where another feed of the same priority speaks of the same fields of the same stores: which of the two counts is then
// nothing but the order of the config.
func (h *House) rivals(ctx context.Context, r *store.Reading, f feedSetup, l store.LayerFile) error {
	for _, other := range h.feeds {
		if other.Name == f.Name || other.kind != f.kind || other.Priority != f.Priority {
			continue
		}
		files, err := h.store.Layer(ctx, other.Name, l.Scope)
		if err != nil {
			return err
		}
		var both catalog.Fields
		for _, file := range hopeful(files) {
			both |= file.Owned & l.Owned
		}
		for _, name := range both.Names() {
			is := catalog.Issue{Code: catalog.FeedRival, Severity: catalog.Warning, Args: []string{name, other.Name}}
			known := func(old catalog.Issue) bool { return old.Code == is.Code && slices.Equal(old.Args, is.Args) }
			if !slices.ContainsFunc(r.Outcome.Issues, known) { // said of another store already
				addIssue(&r.Outcome, is)
			}
		}
	}
	return nil
}
