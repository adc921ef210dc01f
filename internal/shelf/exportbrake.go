package shelf

import "gondola/internal/catalog"

// Check compares a layer as it would be with what it was when it last passed. own are the files of the export itself, which a full
// candidate ends in and a partial one has on top. Of a first export there is nothing to compare with; it is only looked at for itself.
//
// It counts articles, so layers of promotions pass always: that half of them end, or that next week's export names none of this
// week's, is what promotions are for. An export that ends them by mistake costs a discount, and takes nothing off the shelf.
func (f Files) Check(b Brake, candidate, passed, own []Digest) ([]Finding, error) {
	c := exportCheck{brake: b, first: len(passed) == 0, equal: map[catalog.Money]int{}, was: map[catalog.Money]int{}}
	promotions := func(a *aligned) bool { return isPromotion(a.key) }
	err := f.walk([][]Digest{candidate, passed, own}, promotions, func(r []Record) error {
		c.article(r[0], r[1], r[2])
		return nil
	})
	if err != nil {
		return nil, err
	}
	return c.findings(), nil
}

// exportCheck counts what the brake compares.
type exportCheck struct {
	brake Brake
	first bool // nothing has passed yet

	on, off       int // articles that were on sale, and those of them that would not be
	before, after int // articles of the layer
	rows, unknown int // articles of the export, and those of them that the layer did not know
	both, swapped int // articles with price and quantity then and now, and those of them in which the two have changed places
	offAtFirst    int

	equal map[catalog.Money]int // articles of the export by price
	was   map[catalog.Money]int // likewise, those that had that price before
	price int                   // articles of the export that have one

	goesOff, goes, comes worst
}

func (c *exportCheck) article(now, then, own Record) {
	there := now.Key != "" && now.Gone == 0
	if there {
		c.after++
	}
	if own.Key != "" && own.Gone == 0 {
		c.ownArticle(own, then)
	}
	if then.Key == "" || then.Gone != 0 {
		return
	}
	c.before++
	if !there {
		c.goes.add(Move{Key: then.Key, Old: then.Item.Price})
	}
	if then.Item.On() {
		c.on++
		if now.Key != "" && !now.Item.On() {
			c.off++
			c.goesOff.add(Move{Key: then.Key, Old: then.Item.Price})
		}
	}
}

// ownArticle looks at an article of the export itself.
func (c *exportCheck) ownArticle(own, then Record) {
	c.rows++
	now, old := own.Item, then.Item
	if then.Key == "" {
		c.unknown++
		c.comes.add(Move{Key: own.Key, New: now.Price})
	}
	if c.first && !now.On() {
		c.offAtFirst++
		c.goesOff.add(Move{Key: own.Key, Old: now.Price})
	}
	if !now.Set.Has(catalog.Price) {
		return
	}
	c.price++
	c.equal[now.Price]++
	if old.Set.Has(catalog.Price) && old.Price == now.Price {
		c.was[now.Price]++
	}
	if two := catalog.Price | catalog.Quantity; now.Set.Has(two) && old.Set.Has(two) {
		c.both++
		if old.Price != now.Price && whole(now.Price) == old.Quantity && whole(old.Price) == now.Quantity {
			c.swapped++
		}
	}
}

// whole returns the whole units of an amount: what is left of it in a column of quantities.
func whole(m catalog.Money) int64 { return int64(m.Round(0) / 1000) }

// findings says what is over the limits. Shares are compared, not counts with a share of the rest: 29 of 100 is 29 % then, whatever
// floats make of 0.29 * 100.
func (c *exportCheck) findings() []Finding {
	b := c.brake
	var found []Finding
	add := func(code catalog.Code, count, of int, share, limit float64, w worst) {
		if share > limit {
			found = append(found, Finding{Code: code, Share: share, Count: count, Of: of, Limit: limit, Worst: w})
		}
	}
	enough := c.before >= b.MinRows && !c.first
	switch {
	case c.first && c.rows >= b.MinRows:
		add(catalog.BrakeInactive, c.offAtFirst, c.rows, shareOf(c.offAtFirst, c.rows), b.FirstDeactivate, c.goesOff)
	case enough:
		add(catalog.BrakeInactive, c.off, c.on, shareOf(c.off, c.on), b.Deactivate, c.goesOff)
		add(catalog.BrakeShrunk, c.after, c.before, shareOf(c.before-c.after, c.before), b.Shrink, c.goes)
	}
	if c.price >= max(b.MinRows, 2) {
		if price, n := c.mostCommon(); shareOf(c.was[price], c.price) <= b.Equal {
			add(catalog.BrakeEqual, n, c.price, shareOf(n, c.price), b.Equal, worst{{New: price}})
		}
	}
	if enough && c.both >= max(b.MinRows, 2) && shareOf(c.swapped, c.both) > swapped {
		add(catalog.BrakeSwapped, c.swapped, c.both, shareOf(c.swapped, c.both), swapped, nil)
	}
	if enough && c.rows >= b.MinRows {
		add(catalog.BrakeNew, c.unknown, c.rows, shareOf(c.unknown, c.rows), b.New, c.comes)
	}
	return found
}

// mostCommon returns the price that most articles of the export have; of equals the lower one, so that the same export is told the same.
func (c *exportCheck) mostCommon() (price catalog.Money, n int) {
	for p, count := range c.equal {
		if count > n || count == n && p < price {
			price, n = p, count
		}
	}
	return price, n
}
