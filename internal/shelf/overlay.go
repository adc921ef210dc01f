package shelf

import (
	"bytes"
	"errors"

	"gondola/internal/catalog"
)

// Overlay walks several record files as one: for each key the records lie on top of each other, field by field, those of later
// files above those of earlier ones. Of a promotion one record holds as a whole, for its cells mean nothing without each other: the topmost, but
// for tombstones of other layers.
// Memory does not depend on the number of records.
type Overlay struct {
	cursors []*cursor
	at      []*cursor // those that stand at the current key, the lowest first; empty before the first and after the last
	current Record
	err     error

	merged, spare []byte // reused by line
}

// Overlay opens the files of a stack, the lowest first. An empty stack has no records. The caller closes it.
func (f Files) Overlay(stack []Digest) (*Overlay, error) {
	o := &Overlay{}
	for _, d := range stack {
		c, err := f.open(d)
		if err == nil {
			o.cursors = append(o.cursors, c)
			err = c.next()
		}
		if err != nil {
			return nil, errors.Join(err, o.Close())
		}
	}
	return o, nil
}

// Next moves to the record with the next key, in ascending order. It returns false at the end and on an error.
func (o *Overlay) Next() bool {
	o.current = Record{}
	if !o.advance() {
		return false
	}
	o.current = o.load()
	return o.err == nil
}

// Record returns the current record, the zero one before the first Next and after the last.
func (o *Overlay) Record() Record { return o.current }

// Err returns what ended the walk early.
func (o *Overlay) Err() error { return o.err }

// Close closes the files.
func (o *Overlay) Close() error {
	var errs []error
	for _, c := range o.cursors {
		errs = append(errs, c.file.Close())
	}
	return errors.Join(errs...)
}

// advance moves to the next key and parses nothing but that. It returns false at the end and on an error.
func (o *Overlay) advance() bool {
	if o.err != nil {
		return false
	}
	for _, c := range o.at {
		if o.err = c.next(); o.err != nil {
			o.at = nil
			return false
		}
	}
	o.at = o.at[:0]
	for _, c := range o.cursors {
		if c.done {
			continue
		}
		if len(o.at) > 0 {
			order := bytes.Compare(c.key, o.at[0].key)
			if order > 0 {
				continue
			}
			if order < 0 {
				o.at = o.at[:0]
			}
		}
		o.at = append(o.at, c)
	}
	return len(o.at) > 0
}

// key returns the current key, nil at the end. It is valid until advance.
func (o *Overlay) key() []byte {
	if len(o.at) == 0 {
		return nil
	}
	return o.at[0].key
}

// load parses what the files say of the current key. On an error it returns the zero record and the walk is over.
func (o *Overlay) load() Record {
	var sum Record
	at := o.at
	if len(at) > 1 && isPromotion(at[0].key) {
		return o.loadPromotion()
	}
	for i, c := range at {
		r, err := c.record()
		if err != nil {
			o.err, o.at = err, nil
			return Record{}
		}
		if i > 0 {
			spoken := r.Item.Set.Has(catalog.Active)
			r.Item = r.Item.Over(sum.Item)
			// A record above a tombstone speaks of an article again, but switches it on only where it says so. One that says no is a
			// no of its own, which the article's return does not undo.
			if r.Gone == 0 && sum.Gone != 0 && !spoken && !r.Item.On() {
				r.Gone = sum.Gone
			}
		}
		sum = r
	}
	return sum
}

// loadPromotion is load where several files speak of a promotion. The topmost one counts, but a tombstone only for its own layer: what
// one export no longer names another one may still want.
func (o *Overlay) loadPromotion() Record {
	var top Record
	gone := map[string]bool{} // owners whose own promotion went missing
	for i := len(o.at) - 1; i >= 0; i-- {
		r, err := o.at[i].record()
		if err != nil {
			o.err, o.at = err, nil
			return Record{}
		}
		switch {
		case r.Gone == 0 && !gone[r.Owner]:
			return r
		case r.Gone != 0:
			gone[r.Owner] = true
		}
		if top.Key == "" {
			top = r
		}
	}
	return top
}

// line returns what the files say of the current key as one line. It reads like load, but that the day of a tombstone below may
// stay although the article is on again. It is valid until the next call of line or advance.
func (o *Overlay) line() []byte {
	if top := len(o.at) - 1; top > 0 && isPromotion(o.at[top].key) {
		return o.at[top].line
	}
	line := o.at[0].line
	for _, c := range o.at[1:] {
		o.merged, o.spare = mergeLines(o.spare[:0], line, c.line), o.merged
		line = o.merged
	}
	return line
}

// mergeLines appends to dst what two lines say together: for each field the upper one, unless it is absent there.
func mergeLines(dst, lower, upper []byte) []byte {
	for {
		var below, field []byte
		var more, moreUpper bool
		below, lower, more = bytes.Cut(lower, []byte{'\t'})
		field, upper, moreUpper = bytes.Cut(upper, []byte{'\t'})
		if len(field) == 0 {
			field = below
		}
		dst = append(dst, field...)
		if !more || !moreUpper {
			return dst
		}
		dst = append(dst, '\t')
	}
}

// aligned is several overlays that are walked side by side.
type aligned struct {
	key      []byte // the current one; valid until next
	overlays []*Overlay
	has      []bool // whether each has the current key
	records  []Record
}

// next moves to the next key that any of the overlays has. It returns false at the end.
func (a *aligned) next() (bool, error) {
	var key []byte
	for i, o := range a.overlays {
		if a.has[i] && !o.advance() && o.err != nil {
			return false, o.err
		}
		if k := o.key(); k != nil && (key == nil || bytes.Compare(k, key) < 0) {
			key = k
		}
	}
	for i, o := range a.overlays {
		// No overlay's key is smaller, and nil is no key.
		a.has[i] = key != nil && bytes.Equal(o.key(), key)
	}
	a.key = key
	return key != nil, nil
}

// same reports whether two of the overlays say the same of the current key: the cheap way to see that they agree, without a parse.
func (a *aligned) same(i, j int) bool {
	return a.has[i] && a.has[j] && bytes.Equal(a.overlays[i].line(), a.overlays[j].line())
}

// load parses the record of each overlay, a zero one (no key) where it has none.
func (a *aligned) load() error {
	for i, o := range a.overlays {
		a.records[i] = Record{}
		if !a.has[i] {
			continue
		}
		a.records[i] = o.load()
		if o.err != nil {
			return o.err
		}
	}
	return nil
}

// walk opens the stacks and runs their overlays side by side: for every key that any of them has, in ascending order, fn gets the
// record of each, a zero one (no key) where it has none. Keys for which skip returns true are not parsed; nil skips none.
func (f Files) walk(stacks [][]Digest, skip func(*aligned) bool, fn func(records []Record) error) (err error) {
	a := &aligned{}
	defer func() {
		for _, o := range a.overlays {
			err = errors.Join(err, o.Close())
		}
	}()
	for _, s := range stacks {
		o, err := f.Overlay(s)
		if err != nil {
			return err
		}
		a.overlays, a.has, a.records = append(a.overlays, o), append(a.has, true), append(a.records, Record{})
	}
	for {
		ok, err := a.next()
		if err != nil || !ok {
			return err
		}
		if skip != nil && skip(a) {
			continue
		}
		if err := a.load(); err != nil {
			return err
		}
		if err := fn(a.records); err != nil {
			return err
		}
	}
}
