package sandbox

import (
	"cmp"
	"slices"
	"time"
)

// State is where a promotion is in its life at some moment.
type State string

// The states.
const (
	Coming  State = "coming"  // before its start
	Running State = "running" // from its start on, and before its end
	Ended   State = "ended"   // by campaign_status=0, whatever the time
	Over    State = "over"    // its end has passed
)

// Promotion is one promotion of one article at one store, and an element of /promotions/<vendor>.json.
type Promotion struct {
	SKU      string `json:"sku"`
	Campaign string `json:"campaign_name"`
	Reason   string `json:"reason"`
	// Start and End are instants, shown in the store's zone. It runs from Start on, and no longer at End.
	Start   time.Time `json:"start"`
	End     time.Time `json:"end"`
	Type    string    `json:"promotion_type"`
	SubType string    `json:"promotion_sub_type,omitempty"`
	Price   string    `json:"discounted_price,omitempty"` // decimal text in its shortest form, of a strikethrough
	// Buy and Benefit are the articles of a bundle: so many at the full price, then so many at the benefit.
	Buy      int    `json:"buy,omitempty"`
	Benefit  int    `json:"benefit,omitempty"`
	Discount string `json:"bundle_discount,omitempty"` // percentage or amount, decimal text in its shortest form
	// The limits; 0 is none.
	UsageLimit int `json:"discount_usage_limit,omitempty"`
	MaxOrders  int `json:"max_no_of_orders,omitempty"`
	MaxSales   int `json:"maximum_sales_quantity,omitempty"`

	Label string `json:"label"`            // what the customer reads: "9.9", "2+1", "2nd at 40% off"
	File  string `json:"file"`             // the file that started or ended it last, relative to home; "" for one made by API
	Job   string `json:"job_id,omitempty"` // the job that did, of one made by API
	State State  `json:"state"`
	Shown bool   `json:"shown"` // it runs, and of those of its article that run it is the one that customers see
}

// taken is a promotion that a store has. It is never changed, only replaced.
type taken struct {
	offer *offer
	ended bool
	file  string
	job   string // of one made by API
	n     int    // counts what was started: the higher one of two began to be known later
}

// promotion returns what a store has under an identity, or nil.
func (s *stores) promotion(at promotionAt) *taken {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.promos[at.vendor][at.identity]
}

// price returns an article's price without promotions.
func (s *stores) price(at place) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byID[at.vendor][at.sku].Price
}

// promote takes a row's promotion at one store, or says why it is rejected there. Nothing is visible before the file ends.
func (t *table) promote(at place, ch change, o *offer) (why string) {
	id := promotionAt{at.vendor, o.identity(at.sku, t.rules)}
	if t.rules.FirstRowWins && t.seen[id] {
		return ""
	}
	now := t.takes[id]
	if now == nil {
		now = t.stores.promotion(id)
	}
	if now == nil && t.rules.CrossedWays {
		if crossed, other := t.stores.crossed(at, []string{o.cells[colCampaign]}, o); other != nil {
			id, now = crossed, &taken{offer: o, ended: other.ended, n: other.n} // the cells of a request are nothing to be held against
		}
	}
	same := now != nil && unchanged(now.offer.cells, o.cells, t.rules.LooseVendors)
	live := now != nil && !now.ended
	switch {
	case o.ends && now == nil:
		return RowNoPromotion
	case o.ends && !same:
		return RowEndChanged
	case !o.ends && live && !same && !t.rules.UpdateInPlace:
		return RowChanged
	case !o.ends && now != nil && !live && t.rules.EndIsFinal:
		return RowEnded
	}
	idle := o.ends || (live && same)
	if why := t.below(at, ch, o); why != "" && (!idle || t.rules.PriceWithEnds) {
		return why
	}
	t.seen[id] = true
	switch {
	case o.ends && live:
		t.takes[id] = &taken{offer: now.offer, ended: true, file: t.job.File, n: now.n}
	case !idle:
		t.started++
		t.takes[id] = &taken{offer: o, file: t.job.File, n: t.started}
	}
	return ""
}

// crossed returns the promotion of an article that was made the other way than an offer is, under one of the names and for the same
// time; nil where there is none.
func (s *stores) crossed(at place, names []string, o *offer) (promotionAt, *taken) {
	zone := s.zone(at.vendor)
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, p := range s.promos[at.vendor] {
		if id.sku == at.sku && p.offer.instant != o.instant && slices.Contains(names, p.offer.cells[colCampaign]) &&
			p.offer.from(zone).Equal(o.from(zone)) && p.offer.until(zone).Equal(o.until(zone)) {
			return promotionAt{at.vendor, id}, p
		}
	}
	return promotionAt{}, nil
}

// unchanged reports whether a row says the same as an earlier one, letter for letter, but for campaign_status. That vendors and
// exclude belong to what must not change is assumed; loose leaves them out.
func unchanged(was, is cells, loose bool) bool {
	was[colStatus], is[colStatus] = "", ""
	// These belong to the article, in the single-file format; maximum_sales_quantity belongs to both.
	for _, col := range []column{colPrice, colActive, colQuantity} {
		was[col], is[col] = "", ""
	}
	if loose {
		for _, col := range []column{colVendors, colExclude} {
			was[col], is[col] = "", ""
		}
	}
	return was == is
}

// below reports why an offer is none at the article's current price.
func (t *table) below(at place, ch change, o *offer) (why string) {
	limit := o.price
	if limit == "" && o.cells[colSubType] == SubTypeAmount && !t.rules.AnyDiscount {
		limit = o.discount
	}
	if limit == "" {
		return ""
	}
	price := t.stores.price(at)
	if before, twice := t.changes[at]; twice && t.rules.FirstRowWins {
		ch = before
	}
	if ch.price != nil && !t.rules.OldPrice {
		price = *ch.price
	}
	switch {
	case price == "":
		return RowNoPrice
	case thousandths(limit) >= thousandths(price):
		return RowNotBelow
	}
	return ""
}

// state returns where a promotion is at a moment, in a zone.
func (p *taken) state(at time.Time, zone *time.Location) State {
	switch {
	case p.ended:
		return Ended
	case at.Before(p.offer.from(zone)):
		return Coming
	case at.Before(p.offer.until(zone)):
		return Running
	}
	return Over
}

// zone returns the zone in which a store's dates are read.
func (s *stores) zone(vendor string) *time.Location {
	if s.rules.UTCDates || s.zones[vendor] == nil {
		return time.UTC
	}
	return s.zones[vendor]
}

// view is a store's promotions at a moment.
type view struct {
	list  []Promotion
	shown map[string]Promotion // by SKU
}

// promotions returns a store's promotions at a moment: sorted by SKU, then start, then the order in which they were taken.
func (s *stores) promotions(vendor string, at time.Time) view {
	zone := s.zone(vendor)
	s.mu.Lock()
	defer s.mu.Unlock()
	type entry struct {
		sku string
		*taken
	}
	all := make([]entry, 0, len(s.promos[vendor]))
	for id, p := range s.promos[vendor] {
		all = append(all, entry{id.sku, p})
	}
	slices.SortFunc(all, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.sku, b.sku), a.offer.from(zone).Compare(b.offer.from(zone)), cmp.Compare(a.n, b.n))
	})
	v := view{list: make([]Promotion, 0, len(all)), shown: map[string]Promotion{}}
	best := map[string]int{} // SKU -> index of the shown one
	for i, e := range all {
		p := e.look(e.sku, at, zone)
		v.list = append(v.list, p)
		if _, earlier := best[e.sku]; p.State == Running && (!earlier || !s.rules.EarlierShown) {
			best[e.sku] = i
		}
	}
	for sku, i := range best {
		v.list[i].Shown = true
		v.shown[sku] = v.list[i]
	}
	return v
}

// look describes a promotion at a moment.
func (p *taken) look(sku string, at time.Time, zone *time.Location) Promotion {
	o := p.offer
	return Promotion{
		SKU: sku, Campaign: o.cells[colCampaign], Reason: o.cells[colReason], Start: o.from(zone), End: o.until(zone),
		Type: o.cells[colType], SubType: o.cells[colSubType], Price: o.price, Buy: o.buy, Benefit: o.benefit, Discount: o.discount,
		UsageLimit: o.usage, MaxOrders: o.orders, MaxSales: o.maxSale,
		Label: o.label(), File: p.file, Job: p.job, State: p.state(at, zone),
	}
}

// effective returns the price of one article, given the promotion that is shown for it. Bundles leave it as it is.
func (r Rules) effective(price string, shown Promotion) string {
	if shown.Type != TypeStrikethrough || (!r.RaisedPrice && thousandths(shown.Price) >= thousandths(price)) {
		return price
	}
	return shown.Price
}

// Promotions returns the promotions of a store as they are now, by the sandbox's clock, those that ended or are over included:
// sorted by SKU, then start, then the order in which they were taken. It is empty for a store that is not there.
func (s *Sandbox) Promotions(vendor string) []Promotion { return s.PromotionsAt(vendor, s.opts.Now()) }

// PromotionsAt is Promotions at another moment, as far as it is known by now.
func (s *Sandbox) PromotionsAt(vendor string, at time.Time) []Promotion {
	return s.stores.promotions(vendor, at).list
}

// EffectivePrice returns what one unit of an article costs a customer now: the discounted price of the promotion that is shown, where
// that is a strikethrough, or the price of the shelf. ok is false where the store has no such article.
func (s *Sandbox) EffectivePrice(vendor, sku string) (price string, ok bool) {
	return s.EffectivePriceAt(vendor, sku, s.opts.Now())
}

// EffectivePriceAt is EffectivePrice at another moment, with the shelf as it is now.
func (s *Sandbox) EffectivePriceAt(vendor, sku string, at time.Time) (price string, ok bool) {
	if _, ok := s.stores.find(vendor, sku, ""); !ok {
		return "", false
	}
	shown := s.stores.promotions(vendor, at).shown[sku]
	return s.opts.Rules.effective(s.stores.price(place{vendor, sku}), shown), true
}
