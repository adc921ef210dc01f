package shelf

import "gondola/internal/catalog"

// UndercutQuestion is what a new catalogue file of a store is held against.
type UndercutQuestion struct {
	Layer      Digest       // the file that an export has just become
	Before     []Digest     // what the catalogue shelf should show without it
	After      []Digest     // and with it
	Promotions []Digest     // what the promotions shelf should show
	Sent       []Digest     // what the platform was sent of promotions
	Now        catalog.Wall // local time of the store
}

// Undercut is an article whose price falls to that of an offer or below it.
type Undercut struct {
	Key          string
	Price, Offer catalog.Money
}

// Undercuts calls fn for the articles whose price an export lowers to or below that of an offer that runs or is to come, so that the offer
// lowers nothing any more; in the order of their keys, each once. Offers that end, and shares that no price was fixed for, are none.
func (f Files) Undercuts(q UndercutQuestion, fn func(Undercut) error) error {
	if len(q.Promotions)+len(q.Sent) == 0 {
		return nil
	}
	var hit Undercut
	var before catalog.Money
	// Most articles keep their price, and the promotions of those are not asked for.
	skip := func(a *aligned) bool {
		if isPromotion(a.key) {
			return hit.Key == "" || ItemKey(string(a.key)) != hit.Key
		}
		hit = Undercut{}
		return !a.has[0] || a.same(1, 2)
	}
	return f.walk([][]Digest{{q.Layer}, q.Before, q.After, q.Promotions, q.Sent}, skip, func(r []Record) error {
		wanted, sent := r[3].Promotion, r[4].Promotion
		if wanted == nil && sent == nil {
			was, is := r[1].Item, r[2].Item
			if r[0].Item.Set.Has(catalog.Price) && was.Set.Has(catalog.Price) && is.Price < was.Price {
				hit, before = Undercut{Key: r[2].Key, Price: is.Price}, was.Price
			}
			return nil
		}
		p := sent
		if wanted != nil {
			p = wanted
		}
		price := p.Price
		if price == 0 && sent != nil && sent.Percent == p.Percent {
			price = sent.Price // fixed when it was first sent
		}
		if !p.Active || p.Over(q.Now) || p.Type != catalog.Strikethrough || price < hit.Price || price >= before {
			return nil
		}
		hit.Offer = price
		found := hit
		hit = Undercut{}
		return fn(found)
	})
}
