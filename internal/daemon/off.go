package daemon

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

// offFeed names the layer of what is switched off by hand: the top one of every shelf with articles. No feed of a config can have this
// name. Each scope has one file, made anew from the rows of the database whenever they change; it is made by the process that plans,
// because a command beside the daemon may run as another user, whose files the daemon could not read.
//
// Its records are tombstones. So an article that is on again, and of which no feed says whether it is on sale, is switched on like one
// that was missing and came back.
const offFeed = "(off)"

// Off is an article that is switched off by hand.
type Off struct {
	Vendor string    `json:"vendor"` // * = all stores
	Key    string    `json:"key"`    // of the article
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until,omitzero"` // zero = until gondola on
	Who    string    `json:"who"`
	Reason string    `json:"reason,omitempty"`
}

// OffAsk is which articles an admin wants switched off, or on again.
type OffAsk struct {
	Articles []string // SKUs, or barcodes where the chain identifies by those
	Vendors  []string // ids; none = all stores
	Until    time.Time
	Who      string
	Reason   string
}

// SwitchOff switches articles off, above whatever exports say, until it is undone or a time has come. The brake has no say in it. The
// stores are planned as soon as possible: by the daemon that runs beside us, or by SwitchNow.
func (h *House) SwitchOff(ctx context.Context, a OffAsk) error {
	scopes, err := h.offScopes(a.Vendors)
	if err != nil {
		return err
	}
	var offs []store.Off
	for _, scope := range scopes {
		known, err := h.articlesIn(ctx, scope, a.Articles)
		if err != nil {
			return err
		}
		for _, it := range known {
			offs = append(offs, store.Off{
				Scope: scope, Key: it.Key(h.by), SKU: it.SKU, Barcode: it.Barcode, Who: a.Who, Reason: a.Reason, At: h.now(), Until: a.Until,
			})
		}
	}
	if err := h.store.SwitchOff(ctx, offs); err != nil {
		return err
	}
	return h.hurryOff(ctx, scopes)
}

// SwitchOn undoes SwitchOff: in the stores that are named, or wherever the articles are switched off. What feeds say of them holds again.
func (h *House) SwitchOn(ctx context.Context, a OffAsk) error {
	if _, err := h.offScopes(a.Vendors); err != nil {
		return err
	}
	all, err := h.store.Offs(ctx)
	if err != nil {
		return err
	}
	var ids []int64
	var scopes []string
	for _, text := range a.Articles {
		key := h.itemOf(text).Key(h.by)
		missing := slices.Clone(a.Vendors)
		found := false
		for _, o := range all {
			named := slices.Contains(a.Vendors, o.Scope)
			switch {
			case o.Key != key:
			case o.Scope == catalog.AllVendors && len(a.Vendors) > 0 && !named:
				return fmt.Errorf("%w: %q is switched off in all stores; say gondola on without --vendor, then gondola off for the stores where it stays off",
					ErrNoArticle, text)
			case named || len(a.Vendors) == 0:
				found, ids, scopes = true, append(ids, o.ID), append(scopes, o.Scope)
				missing = slices.DeleteFunc(missing, func(v string) bool { return v == o.Scope })
			}
		}
		if !found || len(missing) > 0 {
			return fmt.Errorf("%w: %q is not switched off%s; gondola off --list shows what is", ErrNoArticle, text, inStores(missing))
		}
	}
	if err := h.store.SwitchOn(ctx, ids, a.Who, h.now()); err != nil {
		return err
	}
	return h.hurryOff(ctx, scopes)
}

func inStores(vendors []string) string {
	if len(vendors) == 0 {
		return ""
	}
	return " in store " + strings.Join(vendors, ", ")
}

// SwitchNow does what SwitchOff, or SwitchOn, asks for: it plans and sends at once, and takes no drops.
func (h *House) SwitchNow(ctx context.Context, change func(context.Context, OffAsk) error, a OffAsk) (Outcome, error) {
	before, err := h.store.Newest(ctx)
	if err != nil {
		return Outcome{}, err
	}
	if err := change(ctx, a); err != nil {
		return Outcome{}, err
	}
	return h.finish(ctx, before)
}

// Offs lists what is switched off by hand, by store and article.
func (h *House) Offs(ctx context.Context) ([]Off, error) {
	all, err := h.store.Offs(ctx)
	if err != nil {
		return nil, err
	}
	offs := make([]Off, 0, len(all))
	for _, o := range all {
		// One whose time has come is switched on by whoever plans next.
		if o.Until.IsZero() || o.Until.After(h.now()) {
			offs = append(offs, Off{Vendor: o.Scope, Key: o.Key, Since: o.At, Until: o.Until, Who: o.Who, Reason: o.Reason})
		}
	}
	return offs, nil
}

// offScopes returns the scopes of layers that stores stand for.
func (h *House) offScopes(vendors []string) ([]string, error) {
	targets, err := h.Targets(vendors)
	if err != nil {
		return nil, err
	}
	targets = slices.DeleteFunc(targets, func(t Target) bool { return !t.holds(catalog.KindCatalog) })
	if len(targets) == 0 {
		return nil, fmt.Errorf("%w: no feed of the config is about articles; write one with kind: catalog", ErrNoArticle)
	}
	if len(vendors) == 0 {
		return []string{catalog.AllVendors}, nil
	}
	if targets[0].Vendor == catalog.AllVendors {
		return nil, fmt.Errorf("%w: one file goes to all stores (send.catalog.shape: chain), so an article can't be off in one of them; leave --vendor out",
			ErrNoArticle)
	}
	return slices.Compact(slices.Sorted(slices.Values(vendors))), nil
}

// offTargets returns the targets whose shelf shows what is switched off in a scope.
func (h *House) offTargets(scope string) []Target {
	return slices.DeleteFunc(slices.Clone(h.targets), func(t Target) bool {
		return !t.holds(catalog.KindCatalog) || !slices.Contains(t.scopes(), scope)
	})
}

// hurryOff asks for plans of everything that shows what is off in scopes. What is held, or parked, stays so.
func (h *House) hurryOff(ctx context.Context, scopes []string) error {
	var targets []string
	for _, scope := range scopes {
		targets = append(targets, names(h.offTargets(scope))...)
	}
	return h.store.PlanSoon(ctx, targets)
}

// itemOf returns an article with what an admin wrote as its identity.
func (h *House) itemOf(text string) catalog.Item {
	text = strings.TrimSpace(text)
	if h.by == catalog.ByBarcode {
		return catalog.Item{Barcode: text}
	}
	return catalog.Item{SKU: text}
}

// articlesIn looks articles up in what the shelves of a scope should show, or were sent. One that none of them ever had is an error
// with those that it could be.
func (h *House) articlesIn(ctx context.Context, scope string, articles []string) ([]catalog.Item, error) {
	var stacks [][]shelf.Digest
	for _, t := range h.offTargets(scope) {
		wanted, err := h.wanted(ctx, t, func(ctx context.Context, feed, scope string) ([]store.LayerFile, error) {
			files, err := h.store.Layer(ctx, feed, scope)
			return hopeful(files), err
		})
		if err != nil {
			return nil, err
		}
		sent, err := h.store.Sent(ctx, t.String())
		if err != nil {
			return nil, err
		}
		stacks = append(stacks, slices.Concat(sent, wanted))
	}
	found := make([]catalog.Item, len(articles))
	look := make([]shelf.Lookup, len(articles))
	for i, text := range articles {
		look[i].Key = h.itemOf(text).Key(h.by)
	}
	for _, stack := range stacks {
		if err := h.files.Look(stack, look); err != nil {
			return nil, err
		}
	}
	for i, l := range look {
		if l.Found.Key(h.by) != "" {
			found[i] = l.Found
			continue
		}
		where := "no store"
		if scope != catalog.AllVendors {
			where = "store " + scope + " never"
		}
		err := fmt.Errorf("%w: %s had %q in an export", ErrNoArticle, where, articles[i])
		if len(l.Near) > 0 {
			err = fmt.Errorf("%w; near it: %s", err, strings.Join(l.Near, ", "))
		}
		return nil, err
	}
	return found, nil
}

// applyOffs makes the layers say what was switched off or on by hand since they were made, or is on again because its time has come.
func (h *House) applyOffs(ctx context.Context) error {
	if err := h.store.EndOffs(ctx, h.now()); err != nil {
		return err
	}
	fresh, err := h.store.OffsNew(ctx)
	if err != nil || len(fresh) == 0 {
		return err
	}
	all, err := h.store.Offs(ctx)
	if err != nil {
		return err
	}
	ids := map[string][]int64{}
	for _, o := range fresh {
		ids[o.Scope] = append(ids[o.Scope], o.ID)
	}
	for scope := range ids {
		l, err := h.offLayer(scope, all)
		if err != nil {
			return err
		}
		if err := h.store.OffApplied(ctx, l, ids[scope], names(h.offTargets(scope))); err != nil {
			return err
		}
		h.log.Info("articles switched by hand", "vendor", scope, "off", l.Present)
	}
	return nil
}

// offLayer writes the layer file of what is switched off in a scope. Without any there is no file.
func (h *House) offLayer(scope string, all []store.Off) (store.LayerFile, error) {
	l := store.LayerFile{Feed: offFeed, Scope: scope, Owned: catalog.Active, Modified: h.now()}
	var records []shelf.Record
	for _, o := range all {
		it := catalog.Item{SKU: o.SKU, Barcode: o.Barcode, Set: catalog.Active}
		// The chain may have been known by the other identifier when it was said.
		if key := it.Key(h.by); o.Scope == scope && key != "" {
			records = append(records, shelf.Record{Key: key, Item: it, Gone: shelf.DayOf(o.At)})
		}
	}
	slices.SortFunc(records, func(a, b shelf.Record) int { return strings.Compare(a.Key, b.Key) })
	records = slices.CompactFunc(records, func(a, b shelf.Record) bool { return a.Key == b.Key })
	if l.Present = len(records); l.Present == 0 {
		return l, nil
	}
	w, err := h.files.Create()
	if err != nil {
		return l, err
	}
	defer w.Abort()
	for _, r := range records {
		if err := w.Add(r); err != nil {
			return l, err
		}
	}
	l.Digest, err = w.Commit()
	return l, err
}
