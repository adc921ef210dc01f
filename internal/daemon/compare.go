package daemon

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gondola/internal/catalog"
	"gondola/internal/feed"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

// compare holds a new layer file against what other exports want, and adds what it finds to the reading's issues: promotions that the
// catalogue has something against, prices that make an offer pointless, and fields that another feed speaks of too.
func (h *House) compare(ctx context.Context, r *store.Reading, l store.LayerFile) error {
	f, ok := h.feed(l.Feed)
	if !ok {
		return nil
	}
	if f.kind == catalog.KindPromotions {
		return h.lint(ctx, r, l)
	}
	if err := h.rivals(ctx, r, f, l); err != nil {
		return err
	}
	return h.undercuts(ctx, r, f, l)
}

// lint looks what is wrong with the promotions of a new layer file in each store that it is for.
func (h *House) lint(ctx context.Context, r *store.Reading, l store.LayerFile) error {
	vendors, known := []string{l.Scope}, true
	if l.Scope == catalog.AllVendors && !h.chainPrices {
		if vendors = h.VendorIDs(); h.isTarget(Target{catalog.KindPromotions, l.Scope}.String()) {
			// One file for all stores, each with prices of its own: the plan knows no price that holds in all of them.
			vendors, known = []string{l.Scope}, false
		}
	}
	told := map[string]bool{} // what was said of another store already, and is the same in each
	for _, vendor := range vendors {
		t := Target{catalog.KindPromotions, vendor}
		var prices []shelf.Digest
		var err error
		if known {
			prices, err = h.wanted(ctx, Target{catalog.KindCatalog, vendor}, h.together(l))
		}
		if err != nil {
			return err
		}
		sent, err := h.sentPromotions(ctx, l.Feed, vendor)
		if err != nil {
			return err
		}
		err = h.files.Lint(shelf.LintQuestion{
			Promotions: []shelf.Digest{l.Digest}, Prices: prices, Sent: sent, Now: h.wall(t), Decimals: h.cfg.Chain.PriceDecimals,
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

// sentPromotions returns what the platform was sent for a store by the target that a feed's promotions go to.
func (h *House) sentPromotions(ctx context.Context, name, vendor string) ([]shelf.Digest, error) {
	for _, t := range h.targetsOf(name, vendor) {
		if t.Vendor == vendor {
			return h.store.Sent(ctx, t.String())
		}
	}
	return h.store.Sent(ctx, Target{catalog.KindPromotions, catalog.AllVendors}.String())
}

// maxUndercuts is how many undercut offers are told of one export: enough to see that it is not one slip.
const maxUndercuts = 100

// undercuts warns where a new catalogue file lowers a price to that of an offer, or below it.
func (h *House) undercuts(ctx context.Context, r *store.Reading, f feedSetup, l store.LayerFile) error {
	at := slices.IndexFunc(h.feeds, func(f feedSetup) bool { return f.kind == catalog.KindPromotions })
	if at < 0 {
		return nil
	}
	vendors := []string{l.Scope}
	if l.Scope == catalog.AllVendors {
		vendors = h.VendorIDs()
	}
	found := map[shelf.Undercut]string{} // with the first store that it was found in
	for _, vendor := range vendors {
		q, err := h.undercutQuestion(ctx, h.feeds[at].Name, vendor, l)
		if err != nil {
			return err
		}
		err = h.files.Undercuts(q, func(one shelf.Undercut) error {
			if _, ok := found[one]; !ok && len(found) < maxUndercuts {
				found[one] = vendor
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if len(found) == 0 {
		return nil
	}
	keys := map[string]bool{}
	for one := range found {
		keys[one.Key] = true
	}
	lines, err := h.rowsOf(ctx, r.Seq, f, map[string]map[string]bool{l.Scope: keys})
	if err != nil {
		return err
	}
	for _, one := range slices.SortedFunc(maps.Keys(found), func(a, b shelf.Undercut) int { return strings.Compare(a.Key, b.Key) }) {
		is := catalog.Issue{
			Code: catalog.PromoUndercut, Severity: catalog.Warning, Sheet: r.Outcome.Sheet, Row: lines[l.Scope][one.Key],
			Args: []string{one.Key, one.Price.String(), one.Offer.String()},
		}
		if v, ok := h.vendor(found[one]); ok && len(h.vendors) > 1 {
			is.Args = append(is.Args, v.Name)
		}
		addIssue(&r.Outcome, is)
	}
	return nil
}

// undercutQuestion puts together what a catalogue file is held against in one store.
func (h *House) undercutQuestion(ctx context.Context, promotions, vendor string, l store.LayerFile) (q shelf.UndercutQuestion, err error) {
	t := Target{catalog.KindPromotions, vendor}
	before := func(ctx context.Context, name, scope string) ([]store.LayerFile, error) {
		files, err := h.store.Layer(ctx, name, scope)
		if name == l.Feed && scope == l.Scope {
			files = slices.DeleteFunc(slices.Clone(files), func(old store.LayerFile) bool { return old.Seq >= l.Seq })
		}
		return hopeful(files), err
	}
	q = shelf.UndercutQuestion{Layer: l.Digest, Now: h.wall(t)}
	if q.Before, err = h.wanted(ctx, Target{catalog.KindCatalog, vendor}, before); err != nil {
		return q, err
	}
	if q.After, err = h.wanted(ctx, Target{catalog.KindCatalog, vendor}, h.together(l)); err != nil {
		return q, err
	}
	if q.Promotions, err = h.wanted(ctx, t, before); err != nil {
		return q, err
	}
	q.Sent, err = h.sentPromotions(ctx, promotions, vendor)
	return q, err
}

// rowsOf reads a drop once more for the rows of some articles, by their scope. Layer files of the catalogue have no lines: they would be
// another file whenever an export is sorted otherwise.
func (h *House) rowsOf(ctx context.Context, seq int64, f feedSetup, keys map[string]map[string]bool) (map[string]map[string]int, error) {
	rows := map[string]map[string]int{}
	for scope := range keys {
		rows[scope] = map[string]int{}
	}
	d, ok, err := h.dropOf(ctx, seq)
	if err != nil || !ok {
		return nil, err
	}
	_, err = feed.Convert(ctx, f.spec, d.Archived, d.Name, func(r feed.Record) error {
		if key := r.Item.Key(h.by); !r.Rejected && keys[r.Vendor][key] {
			rows[r.Vendor][key] = r.Row
		}
		return nil
	})
	return rows, err
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
