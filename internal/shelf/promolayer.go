package shelf

import (
	"maps"
	"slices"

	"gondola/internal/catalog"
)

// promotions walks the layer so far and an export of promotions side by side, one article at a time: what becomes of one of its
// promotions depends on the others.
func (b *layerBuilder) promotions(below *Overlay, rows *Rows) error {
	row, ok := rows.next()
	for below.current.Key != "" || ok {
		item := ItemKey(below.current.Key)
		if key := ItemKey(row.Key); ok && (item == "" || key < item) {
			item = key
		}
		group := offers{old: map[string]Record{}, now: map[string]Record{}}
		for ; below.current.Key != "" && ItemKey(below.current.Key) == item; below.Next() {
			// What an earlier mapping of the feed took for articles is none of this layer's.
			if below.current.Promotion != nil {
				group.old[below.current.Key] = below.current
			}
		}
		for ; ok && ItemKey(row.Key) == item; row, ok = rows.next() {
			if row.Promotion == nil {
				group.rejected = true
				continue
			}
			group.now[row.Key] = row.Record
		}
		if err := b.addOffers(group); err != nil {
			return err
		}
	}
	return nil
}

// offers is what there is of one article: the promotions that the layer had, and those that the export names.
type offers struct {
	old, now map[string]Record
	rejected bool // a row of the article could not be read: any of the old ones may be meant by it
}

// addOffers writes one article's promotions, in the order of their keys.
func (b *layerBuilder) addOffers(g offers) error {
	file := maps.Clone(g.now)
	b.layer.Present += len(g.now)
	for key, r := range g.old {
		if _, again := g.now[key]; again || r.forgotten(b.spec.Today) {
			continue
		}
		// Its line was another export's.
		r.Line = 0
		if r, stays := b.unnamed(r, g); stays {
			file[key] = r
		}
	}
	for _, key := range slices.Sorted(maps.Keys(file)) {
		r := file[key]
		r.Owner = b.spec.Owner
		if err := b.out.Add(r); err != nil {
			return err
		}
	}
	return nil
}

// unnamed decides on a promotion that the layer has and the export does not name: what the file says of it, if anything.
func (b *layerBuilder) unnamed(old Record, g offers) (_ Record, stays bool) {
	// What an export says in place of something ends that, whatever becomes of what an export merely lacks: else both would run.
	replaced := !g.rejected && old.Gone == 0 && old.active() && (g.corrects(*old.Promotion) || b.was[old.Key] && !b.spec.Keyless)
	if !b.spec.Full {
		// A tombstone of the same export, as it was understood before, goes on; what lies below is still there.
		if replaced {
			return b.tombstoneOf(old), true
		}
		return old, b.was[old.Key]
	}
	switch {
	case old.Gone != 0:
		// With missing: keep too: a partial export may have ended it, and nobody knows yet whether that has left.
		b.layer.Tombstones++
		return old, true
	case g.rejected:
		b.layer.Present++
		return old, true
	case replaced:
		return b.tombstoneOf(old), true
	case b.spec.Keyless:
		if b.spec.Missing == Deactivate {
			b.layer.Suspended++
		}
		return old, true
	case b.spec.Missing != Deactivate:
		return old, false
	}
	return b.tombstoneOf(old), true
}

// tombstoneOf ends a promotion.
func (b *layerBuilder) tombstoneOf(old Record) Record {
	old = old.ended()
	old.Gone = b.spec.Today
	b.layer.Tombstones++
	return old
}

// corrects reports whether an export has a promotion in place of an old one of the article: the same campaign at the same time, with
// other dates or another mechanic. That is how somebody who corrects a row means it.
func (g offers) corrects(old catalog.Promotion) bool {
	for _, r := range g.now {
		if r.active() && r.Promotion.Campaign == old.Campaign && r.Promotion.Overlaps(old) {
			return true
		}
	}
	return false
}
