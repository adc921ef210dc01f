package shelf

import (
	"errors"
	"hash/fnv"
	"slices"
	"time"

	"gondola/internal/catalog"
)

// Question is what a plan is made from: what a shelf should show and what the platform was told.
type Question struct {
	Wanted    []Digest // the overlay of the shelf's layers, the lowest first
	Sent      []Digest // what the platform has verifiably been sent
	Unsettled []Digest // what began to leave and is not known to have been read, the oldest first

	Full  bool // everything, not only what differs
	Parts int  // documents that the rows are spread over; a key's part never changes while this does not

	// Says returns the fields that a document in the platform's format would hold for an item. Nil means all that are set.
	Says func(catalog.Item) catalog.Fields

	// Now is the local time of the store: promotions that have ended by themselves are not spoken of. 0: none has.
	Now catalog.Wall
	// Prices is what the store's catalogue shelf should show, where the shelf of the question holds promotions alone. Without it the
	// articles are looked for in Wanted. Where neither has a price, a promotion's price is not compared with it, and a share off nothing
	// waits until there is one.
	Prices   []Digest
	Decimals int // the currency's; of a promotion's price the platform keeps two at most [partner]
	// Catalog is how the shelf that Prices is of stands, where it is known: a promotion is held against the price that the brake lets
	// through.
	Catalog *CatalogShelf
	// Stores is, of a shelf whose files are for several stores, what they say of them now: catalog.Promotion.Stores. "" for one store.
	Stores string
	// Elsewhere reports whether a promotion was sent in a way that this plan does not go, by its catalog.Promotion.Stores: it can be ended in
	// that way only, so it runs on as it is. Nil: none was.
	Elsewhere func(stores string) bool

	// Brake holds rows back; nil holds none. Approved and Rejected are the rows, as they were wanted, that people let pass, or want to
	// stay away without being asked again. Where Of is not nil findings speak of its articles alone: those of one export, say.
	Brake              *Brake
	Approved, Rejected []Digest
	Of                 []Digest

	// Clock is how far the clock that Now comes from is wrong, where that is too much: promotions neither start nor end then, for their
	// times would be wrong too. 0: it is right.
	Clock time.Duration

	// slip is the factor, counted from 1, that too many prices change by: what changes by it is held. Set when a first look has found it.
	slip int
}

// CatalogShelf is how the catalogue shelf stands that promotions get their prices from: as in a question about it.
type CatalogShelf struct {
	Sent, Unsettled, Approved, Rejected []Digest
	Slip                                Cause // the factor that too many of its prices change by
}

// Change counts what a plan changes on the shelf. An article whose price and availability both change counts under each. Promotions
// are counted by what is wanted and what was sent; what a plan leaves for later is counted too, and Summary tells how much that is.
type Change struct {
	New         int `json:"new"` // articles that the platform was never told of
	PriceUp     int `json:"price_up"`
	PriceDown   int `json:"price_down"`
	SwitchedOn  int `json:"switched_on"`
	SwitchedOff int `json:"switched_off"`
	Other       int `json:"other"` // stock levels, limits, first prices
	Same        int `json:"same"`  // articles, and promotions that are not over, of which wanted and sent agree

	Started int `json:"started,omitempty"` // promotions that were not sent, or sent as ended
	Ended   int `json:"ended,omitempty"`
	Changed int `json:"changed,omitempty"` // promotions with another price, limit or reason: they end and start again
}

// Move is one article whose price changes.
type Move struct {
	Key string        `json:"key"`
	Old catalog.Money `json:"old"`
	New catalog.Money `json:"new"`
	// Line is that of the export, 0 where it is not known.
	Line int `json:"line,omitempty"`
}

// Summary is what comparing wanted with sent found.
type Summary struct {
	Change  Change
	Differs int // articles and promotions whose wanted value is not what was sent, or not what began to leave
	Rows    int // rows of the plan, unsettled ones included
	Parts   []Part

	// Waiting is how many promotions start only once ends of promotions of their article are settled. Nothing but a later plan starts
	// them, whether or not a drop comes until then.
	Waiting int
	// Withheld is how many promotions don't start: catalog.PromoNoPrice, catalog.PromoNotBelow, and catalog.PromoOverlap where a better
	// one of the article is sent; and how many neither end nor change, catalog.PromoElsewhere. Nil where there are none.
	Withheld map[catalog.Code]int
	// Unstarted is how many promotions that Change counts as Started don't start: those withheld, and those that the brake holds.
	Unstarted int
	// Findings is what the brake has against rows, in the order of its codes. Held is how many rows it holds. Change counts a price that
	// is held as the same.
	Findings []Finding
	Held     int
}

// Part is the rows of one document.
type Part struct {
	Number int            // from 1
	Rows   int            // promotions included
	Fields catalog.Fields // that any article's row fills, as Question.Says tells; MaxSales also where a promotion sets that limit
	Digest Digest         // the record file with the rows

	Promotions int // rows that are promotions
}

// Diff compares wanted with sent and returns the counts alone: nothing is written.
func (f Files) Diff(q Question) (Summary, error) {
	s, _, err := f.look(q, func(Record, Record, bool) error { return nil })
	return s, err
}

// Rows calls fn for every row that a plan would hold, in order of keys, with what the platform was sent before (a record without key
// where nothing was) and whether the row differs from it; a row that does not is repeated because it is unsettled or the plan full.
func (f Files) Rows(q Question, fn func(row, sent Record, differs bool) error) (Summary, error) {
	if q.Brake != nil {
		// What the brake holds for being the same slip in most rows shows only at the end of a first look.
		s, slip, err := f.look(q, func(Record, Record, bool) error { return nil })
		if err != nil {
			return s, err
		}
		q.slip = slip
	}
	s, _, err := f.look(q, fn)
	return s, err
}

// look compares without writing anything. It returns the factor, counted from 1, that too many prices change by, 0 for none.
func (f Files) look(q Question, fn func(row, sent Record, differs bool) error) (s Summary, slip int, err error) {
	brake := newRowBrake(q, nil)
	if err := f.diffSent(q, brake, &s, fn); err != nil {
		return s, 0, err
	}
	if slip := brake.most(); slip != 0 && q.slip == 0 {
		q.slip = slip
		return f.look(q, func(Record, Record, bool) error { return nil })
	}
	return s, q.slip, s.brakes(brake)
}

// brakes takes over what the brake found.
func (s *Summary) brakes(b *rowBrake) (err error) {
	if s.Findings, err = b.findings(); err != nil {
		return err
	}
	for _, f := range s.Findings {
		s.Held += f.Count
	}
	return nil
}

// Plan compares wanted with sent and writes the rows of each document as a record file. A part without rows is left out. When no
// article differs and q is not full, the plan has no parts: files that are unsettled still lie where they were put.
//
// A row holds every field that is wanted of its article. Where the article is unsettled, fields that are no longer wanted keep the
// value that began to leave, so that a file which replaces an unread one takes no update with it.
func (f Files) Plan(q Question) (_ Summary, err error) {
	var s Summary
	parts := max(q.Parts, 1)
	writers := make([]*Writer, parts)
	all := make([]Part, parts)
	defer func() {
		for _, w := range writers {
			if w != nil {
				w.Abort()
			}
		}
	}()
	brake := newRowBrake(q, &f)
	defer brake.abort()
	// Comparing takes about as long as writing what came of it.
	write := func(l planned) error { return l.to.Add(l.record) }
	err = beside(write, func(put func(planned) error) error {
		return f.diffSent(q, brake, &s, func(r, _ Record, _ bool) (err error) {
			// An article and its promotions stay together: an end and the start that waited for it must not be in two files that are read
			// in any order.
			n := partOf(ItemKey(r.Key), parts)
			if writers[n] == nil {
				if writers[n], err = f.Create(); err != nil {
					return err
				}
			}
			if r.Promotion != nil {
				all[n].Promotions++
				if r.Promotion.MaxSales != 0 {
					all[n].Fields |= catalog.MaxSales
				}
			} else {
				all[n].Fields |= q.says(r.Item)
			}
			return put(planned{writers[n], r})
		})
	})
	if err != nil {
		return s, err
	}
	if at := brake.most(); at != 0 && q.slip == 0 {
		// Most prices change by one factor, and only now that is known: the rows are chosen once more. It happens once in years.
		q.slip = at
		return f.Plan(q)
	}
	if err := s.brakes(brake); err != nil {
		return s, err
	}
	if s.Differs == 0 && !q.Full {
		s.Rows = 0
		return s, nil
	}
	for n, w := range writers {
		if w == nil {
			continue
		}
		p := all[n]
		p.Number, p.Rows = n+1, w.Rows()
		if p.Digest, err = w.Commit(); err != nil {
			return s, err
		}
		s.Parts = append(s.Parts, p)
	}
	return s, nil
}

// planned is a row of a plan on its way into its part.
type planned struct {
	to     *Writer
	record Record
}

// partOf returns the part, from 0, that a key belongs to. It must never change: parts are told apart by it for years.
func partOf(key string, parts int) int {
	if parts < 2 {
		return 0
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(key))
	return int(h.Sum32() % uint32(parts)) //nolint:gosec // parts is small and positive
}

// stacks are what a plan walks side by side, in this order. The last three are there where they are given.
const (
	atWanted = iota
	atSent
	atUnsettled
	atApproved
	atRejected
	atOf
)

// diffSent hands the plan's rows to emit, each with what was sent of it before and whether it differs from that.
func (f Files) diffSent(q Question, brake *rowBrake, s *Summary, emit func(row, sent Record, differs bool) error) (err error) {
	agree := func(a *aligned) bool {
		if !a.has[atWanted] && !a.has[atSent] && !a.has[atUnsettled] {
			return true // somebody decided about it once
		}
		// Nearly all articles are like this, nearly always. What was sent says something, so the article counts.
		same := !q.Full && !a.has[atUnsettled] && a.same(atWanted, atSent) && !isPromotion(a.key)
		if same {
			n := 1 + a.skipAlike(atWanted, atSent)
			s.Change.Same += n
			brake.known += n
		}
		return same
	}
	campaigns := newCampaigns(f, q, s, emit)
	campaigns.brake = brake
	if campaigns.former, err = f.formerStores(q); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, campaigns.prices.close()) }()
	err = f.walkPlan(q, agree, func(r []Record) error {
		people := decided{r[atApproved], r[atRejected]}
		told := q.Of == nil || r[atOf].Key != ""
		if promotion, err := campaigns.take(r, people, told); promotion || err != nil {
			return err
		}
		sent, unsettled := r[atSent], r[atUnsettled]
		wanted, err := brake.article(back(r[atWanted], sent, unsettled), sent, unsettled, people, told)
		if err != nil {
			return err
		}
		s.Change.count(wanted, sent)
		row := rowOf(wanted, unsettled)
		said := q.says(row.Item) != 0
		// Of a field that began to leave with no value, what was sent before still holds.
		left := wanted.Item.Differs(unsettled.Item) & unsettled.Item.Set
		differs := said && (wanted.Item.Differs(sent.Item) != 0 || left != 0)
		if differs {
			s.Differs++
		}
		if !said || !differs && !q.Full && unsettled.Key == "" {
			return nil
		}
		s.Rows++
		return emit(row, sent, differs)
	})
	if err != nil {
		return err
	}
	return campaigns.flush()
}

// walkPlan walks the stacks of a plan side by side. Where nothing was ever said of the shelf everything on it is looked at: then it is
// read ahead.
func (f Files) walkPlan(q Question, skip func(*aligned) bool, fn func(records []Record) error) error {
	others := [][]Digest{q.Sent, q.Unsettled, q.Approved, q.Rejected, q.Of}
	if slices.ContainsFunc(others, func(stack []Digest) bool { return len(stack) > 0 }) {
		return f.walk(append([][]Digest{q.Wanted}, others...), skip, fn)
	}
	if len(q.Wanted) == 0 {
		return nil
	}
	all := make([]Record, 1+len(others))
	for r, err := range f.overlaid(q.Wanted) {
		if err != nil {
			return err
		}
		all[atWanted] = r
		if err := fn(all); err != nil {
			return err
		}
	}
	return nil
}

// back returns what is wanted of an article that went missing, was switched off for it, and is there again: no feed may have a
// word for that, yet it must be switched on, or it stays off for ever.
func back(wanted, sent, unsettled Record) Record {
	if wanted.Key == "" || wanted.Gone != 0 || wanted.Item.Set.Has(catalog.Active) {
		return wanted
	}
	for _, told := range [...]Record{sent, unsettled} {
		if told.Gone != 0 && told.Item.Set.Has(catalog.Active) && !told.Item.Active {
			wanted.Item.Set |= catalog.Active
			wanted.Item.Active = true
		}
	}
	return wanted
}

func (q Question) says(it catalog.Item) catalog.Fields {
	if q.Says == nil {
		return it.Set
	}
	return q.Says(it)
}

// rowOf returns what a document must say of an article.
func rowOf(wanted, unsettled Record) Record {
	row := wanted
	row.Item = wanted.Item.Filled(unsettled.Item)
	if wanted.Key == "" {
		row.Key, row.Gone = unsettled.Key, unsettled.Gone
	}
	return row
}

// count adds what becomes of one article.
func (c *Change) count(wanted, sent Record) {
	diff := wanted.Item.Differs(sent.Item)
	switch {
	case wanted.Item.Set == 0:
		return
	case diff == 0:
		c.Same++
		return
	case sent.Key == "":
		c.New++
		return
	}
	counted := false
	if diff.Has(catalog.Price) && sent.Item.Set.Has(catalog.Price) {
		counted = true
		if wanted.Item.Price > sent.Item.Price {
			c.PriceUp++
		} else {
			c.PriceDown++
		}
	}
	if on := wanted.Item.On(); on != sent.Item.On() {
		counted = true
		if on {
			c.SwitchedOn++
		} else {
			c.SwitchedOff++
		}
	}
	if !counted {
		c.Other++
	}
}
