package shelf

import (
	"errors"
	"hash/fnv"

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
	// Stores is, of a shelf whose files are for several stores, what they say of them now: catalog.Promotion.Stores. "" for one store.
	Stores string
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
	// one of the article is sent. Nil where there are none.
	Withheld map[catalog.Code]int
	// Unstarted is how many of those Change counts as Started.
	Unstarted int
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
	var s Summary
	err := f.diff(q, &s, func(Record, bool) error { return nil })
	return s, err
}

// Rows calls fn for every row that a plan would hold, in order of keys, with what the platform was sent before (a record without key
// where nothing was) and whether the row differs from it; a row that does not is repeated because it is unsettled or the plan full.
func (f Files) Rows(q Question, fn func(row, sent Record, differs bool) error) (Summary, error) {
	var s Summary
	return s, f.diffSent(q, &s, fn)
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
	err = f.diff(q, &s, func(r Record, _ bool) error {
		// An article and its promotions stay together: an end and the start that waited for it must not be in two files that are read in
		// any order.
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
		return writers[n].Add(r)
	})
	if err != nil {
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

// partOf returns the part, from 0, that a key belongs to. It must never change: parts are told apart by it for years.
func partOf(key string, parts int) int {
	if parts < 2 {
		return 0
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(key))
	return int(h.Sum32() % uint32(parts)) //nolint:gosec // parts is small and positive
}

// diff hands the plan's rows to emit, with whether each differs.
func (f Files) diff(q Question, s *Summary, emit func(r Record, differs bool) error) error {
	return f.diffSent(q, s, func(row, _ Record, differs bool) error { return emit(row, differs) })
}

func (f Files) diffSent(q Question, s *Summary, emit func(row, sent Record, differs bool) error) (err error) {
	agree := func(a *aligned) bool {
		// Nearly all articles are like this, nearly always. What was sent says something, so the article counts.
		same := !q.Full && !a.has[2] && a.same(0, 1) && !isPromotion(a.key)
		if same {
			s.Change.Same++
		}
		return same
	}
	campaigns := newCampaigns(f, q, s, emit)
	if campaigns.former, err = f.formerStores(q); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, campaigns.prices.close()) }()
	err = f.walk([][]Digest{q.Wanted, q.Sent, q.Unsettled}, agree, func(r []Record) error {
		if promotion, err := campaigns.take(r); promotion || err != nil {
			return err
		}
		sent, unsettled := r[1], r[2]
		wanted := back(r[0], sent, unsettled)
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
