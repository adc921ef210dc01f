package shelf

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"gondola/internal/catalog"
)

// TombstoneDays is how long a tombstone goes with every full document: long enough that a store which was closed for its holidays,
// or a platform that lost an update, still learns that the article is gone.
const TombstoneDays = 30

// Missing says what becomes of articles that a full export no longer has.
type Missing string

// The two ways.
const (
	Keep       Missing = "keep"       // nothing is said of them any more; the platform leaves them as they are
	Deactivate Missing = "deactivate" // they are switched off
)

// LayerSpec says how one store's rows of an export become a file of its layer.
type LayerSpec struct {
	Kind    catalog.Kind   // what the feed is about; "" = catalog
	Full    bool           // the export is all there is; else it changes only what it names
	Missing Missing        // only for full ones
	Owned   catalog.Fields // what the feed speaks of; decides how a tombstone switches off
	Keyless bool           // rows of the store had no readable identifier: whatever is missing may be one of them
	Below   []Digest       // the layer's files so far, the lowest first
	// Was is what the same export was understood as before, where it is read again; it belongs on top of Below. What it said and is not
	// understood of the export any more ends, for nobody else would end it.
	Was   Digest
	Owner string // names the layer among those of a shelf
	Today Day
}

// Layer is one file of a layer's stack.
type Layer struct {
	Digest     Digest
	Full       bool
	Present    int // articles, or promotions, that the export has, those that a rejected row keeps included
	Tombstones int
	Suspended  int // articles, or promotions, that would have become tombstones, had every row had an identifier
}

// DayOf returns the day of t in UTC.
func DayOf(t time.Time) Day { return Day(t.Unix() / 86400) }

// BuildLayer writes one store's rows of an export as a layer file. A rejected row keeps the values that the layer has so far; of a
// promotions feed, all promotions that the layer has of its article.
func (f Files) BuildLayer(spec LayerSpec, rows *Rows) (_ Layer, err error) {
	stack := spec.Below
	if spec.Was != "" {
		stack = append(slices.Clone(stack), spec.Was)
	}
	below, err := f.Overlay(stack)
	if err != nil {
		return Layer{}, err
	}
	defer func() { err = errors.Join(err, below.Close()) }()
	w, err := f.Create()
	if err != nil {
		return Layer{}, err
	}
	defer w.Abort()
	b := layerBuilder{spec: spec, out: w, layer: Layer{Full: spec.Full}}
	if spec.Kind == catalog.KindPromotions {
		below.Next()
		if b.was, err = f.keys(spec.Was); err == nil {
			err = b.promotions(below, rows)
		}
	} else {
		err = b.articles(below, rows)
	}
	if err := errors.Join(err, below.err, rows.m.err); err != nil {
		return Layer{}, err
	}
	b.layer.Digest, err = w.Commit()
	return b.layer, err
}

type layerBuilder struct {
	spec  LayerSpec
	out   *Writer
	layer Layer
	was   map[string]bool // keys of LayerSpec.Was, of promotions
}

// keys returns the keys of a file, nil where there is none.
func (f Files) keys(d Digest) (_ map[string]bool, err error) {
	if d == "" {
		return nil, nil
	}
	o, err := f.Overlay([]Digest{d})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	keys := map[string]bool{}
	for o.Next() {
		keys[o.Record().Key] = true
	}
	return keys, o.Err()
}

// articles walks the layer so far and the export side by side.
func (b *layerBuilder) articles(below *Overlay, rows *Rows) error {
	below.advance()
	for {
		row, ok := rows.nextLine()
		for below.key() != nil && (!ok || bytes.Compare(below.key(), row.key()) < 0) {
			old := below.load()
			if below.err != nil {
				return nil
			}
			if err := b.missing(old); err != nil {
				return err
			}
			below.advance()
		}
		if !ok {
			return nil
		}
		known := bytes.Equal(below.key(), row.key())
		if err := b.present(row, below, known); err != nil {
			return err
		}
		if known {
			below.advance()
		}
	}
}

// present adds an article that the export has, of which the layer so far stands at its key where it knows it. What an export says goes into
// the file as it came out of the sorter.
func (b *layerBuilder) present(row sortedText, below *Overlay, known bool) error {
	if !row.rejected {
		b.layer.Present++
		return b.out.addLine(row.line, row.keyEnd)
	}
	if !b.spec.Full || !known {
		// A partial export changes nothing here, and of an article never seen before nothing is known.
		return nil
	}
	old := below.load()
	if below.err != nil {
		return nil
	}
	b.layer.Present++
	return b.out.Add(old)
}

// missing decides on an article that the layer has and a full export has not.
func (b *layerBuilder) missing(old Record) error {
	switch {
	case !b.spec.Full:
		return nil
	case old.Gone != 0:
		if b.spec.Missing != Deactivate || b.spec.Today-old.Gone >= TombstoneDays {
			return nil
		}
		b.layer.Tombstones++
		return b.out.Add(old)
	case b.spec.Keyless:
		if b.spec.Missing == Deactivate {
			b.layer.Suspended++
		}
		return b.out.Add(old)
	case b.spec.Missing != Deactivate:
		return nil
	}
	b.layer.Tombstones++
	return b.out.Add(b.tombstone(old))
}

// tombstone switches an article off in the words of its feed: a feed that speaks of stock says none is left.
func (b *layerBuilder) tombstone(old Record) Record {
	it := catalog.Item{SKU: old.Item.SKU, Barcode: old.Item.Barcode}
	if b.spec.Owned.Has(catalog.Quantity) && !b.spec.Owned.Has(catalog.Active) {
		it.Set, it.Quantity = catalog.Quantity, 0
	} else {
		it.Set, it.Active = catalog.Active, false
	}
	return Record{Key: old.Key, Item: it, Gone: b.spec.Today}
}

// Remembered writes what a stack of what was sent goes on knowing when a full document takes its place, "" where that is nothing; it
// belongs under the documents. That is:
//
//   - articles that were switched off for being missing and said no more since: a full document says nothing of them once their
//     tombstones have gone, and without this memory one that comes back would stay off;
//   - promotions until RememberDays past their end, literally as they were sent: one that nothing is said of may still run, and can
//     only be ended in the same words.
func (f Files) Remembered(sent []Digest, today Day) (_ Digest, err error) {
	w, err := f.Create()
	if err != nil {
		return "", err
	}
	defer w.Abort()
	err = f.walk([][]Digest{sent}, nil, func(r []Record) error {
		if r[0].Promotion != nil {
			if r[0].forgotten(today) {
				return nil
			}
			return w.Add(r[0])
		}
		if it := r[0].Item; r[0].Gone == 0 || !it.Set.Has(catalog.Active) || it.Active {
			return nil
		}
		return w.Add(Record{Key: r[0].Key, Gone: r[0].Gone, Item: catalog.Item{
			SKU: r[0].Item.SKU, Barcode: r[0].Item.Barcode, Set: catalog.Active,
		}})
	})
	if err != nil || w.Rows() == 0 {
		return "", err
	}
	return w.Commit()
}

// Compact writes a stack as one file that reads the same, but for promotions that ended more than RememberDays before today: those are
// left out.
func (f Files) Compact(stack []Digest, today Day) (_ Layer, err error) {
	w, err := f.Create()
	if err != nil {
		return Layer{}, err
	}
	defer w.Abort()
	layer := Layer{Full: true}
	err = f.walk([][]Digest{stack}, nil, func(r []Record) error {
		if r[0].forgotten(today) {
			return nil
		}
		if r[0].Gone != 0 {
			layer.Tombstones++
		} else {
			layer.Present++
		}
		return w.Add(r[0])
	})
	if err != nil {
		return Layer{}, err
	}
	layer.Digest, err = w.Commit()
	return layer, err
}
