package shelf

import "gondola/internal/catalog"

// PutBackSpec says how a layer is brought back to what it was.
type PutBackSpec struct {
	Kind  catalog.Kind // what the feed is about; "" = catalog
	Then  []Digest     // the layer's files at the time that is gone back to, the lowest first
	Now   []Digest     // its files now
	Owner string       // names the layer among those of a shelf
	Today Day
}

// PutBack writes a file that, on top of a layer and as a full one, makes it say again what it said before. It returns how many records
// read otherwise than they do now; with none there is nothing to put back, and no file.
//
// An article that nothing was said of then is left as it is now, and so is each field of one. An article that was switched off for being
// missing, then or since, is so or is not, as it was then. A promotion that was wanted then comes back; one that was not is ended.
func (f Files) PutBack(spec PutBackSpec) (_ Layer, differs int, err error) {
	w, err := f.Create()
	if err != nil {
		return Layer{}, 0, err
	}
	defer w.Abort()
	layer := Layer{Full: true}
	err = f.walk([][]Digest{spec.Then, spec.Now}, nil, func(r []Record) error {
		then, now := r[0], r[1]
		rec, ok := spec.article(then, now)
		if spec.Kind == catalog.KindPromotions {
			rec, ok = spec.promotion(then, now)
		}
		if !ok {
			return nil
		}
		if !rec.reads(now) {
			differs++
		}
		if rec.Gone != 0 {
			layer.Tombstones++
		} else {
			layer.Present++
		}
		return w.Add(rec)
	})
	if err != nil || differs == 0 {
		return Layer{}, 0, err
	}
	layer.Digest, err = w.Commit()
	return layer, differs, err
}

// article returns what is to be said of an article, false where that is nothing.
func (s PutBackSpec) article(then, now Record) (Record, bool) {
	switch {
	case then.Promotion != nil || now.Promotion != nil: // from before the feed was about something else
		return Record{}, false
	case then.Key == "" || then.Gone != 0 && now.Gone != 0:
		return now, true
	case then.Gone != 0:
		then.Gone = s.Today // switched off anew, so that it goes with every full document for as long as any other
		return then, true
	case now.Gone != 0:
		// What switched it off was said since.
		off := catalog.Active | catalog.Quantity
		now.Item.Set, now.Item.Blank = now.Item.Set&^off, now.Item.Blank&^off
	}
	then.Item = then.Item.Over(now.Item)
	return then, true
}

// promotion is article for promotions.
func (s PutBackSpec) promotion(then, now Record) (Record, bool) {
	rec := then
	switch {
	case then.Promotion == nil && now.Promotion == nil: // from before the feed was about promotions
		return Record{}, false
	case then.Promotion != nil && then.Gone == 0:
	case now.active() && now.Gone == 0:
		rec = now.ended()
		rec.Gone = s.Today
	case now.Promotion != nil:
		rec = now
	}
	rec.Line, rec.Owner = 0, s.Owner // its line was another export's
	return rec, !rec.forgotten(s.Today)
}

// reads reports whether a record says the same as another one.
func (r Record) reads(other Record) bool {
	if r.Key != other.Key || (r.Gone != 0) != (other.Gone != 0) || (r.Promotion != nil) != (other.Promotion != nil) {
		return false
	}
	if r.Promotion != nil {
		return *r.Promotion == *other.Promotion
	}
	return r.Item == other.Item
}
