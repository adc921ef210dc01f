package sandbox

import (
	"crypto/sha256"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The values of a promotion's request.
const (
	apiStrikethrough = "STRIKETHROUGH"    // documented
	apiBundle        = "SAME_ITEM_BUNDLE" // known from partners
	apiFinalPrice    = "FINAL_PRICE"      // documented
	apiPercentage    = "PERCENTAGE"       // known from partners
	apiAbsolute      = "ABSOLUTE"         // likewise
	everyVendor      = "*"                // documented
	maxPairs         = 2_000_000          // articles times stores in a request, documented
)

// promotionReasons are the known ones, from partners.
func promotionReasons() []string {
	return []string{"OVERSTOCK", "DELISTING", "COMPETITIVENESS", "EXPIRING_SOON", "NMR", "TRADING"}
}

// localeForm is that of a language and a country, ll_CC.
var localeForm = regexp.MustCompile(`^[a-z]{2}_[A-Z]{2}$`)

// promotionBody is a request about a promotion.
type promotionBody struct {
	Vendors    []string          `json:"vendors"`
	Type       string            `json:"type"`
	Active     *bool             `json:"active"`
	Reason     string            `json:"reason"`
	Names      map[string]string `json:"display_name"`
	Conditions struct {
		Start      string `json:"start_time"`
		End        string `json:"end_time"`
		Purchased  int    `json:"purchased_quantity"`
		Discounted int    `json:"discounted_quantity"`
	} `json:"conditions"`
	Limits struct {
		Orders   int    `json:"global_limit"`
		Discount amount `json:"max_discount_per_order"`
		Items    int    `json:"max_items_per_order"`
	} `json:"limits"`
	Discounts []discountBody `json:"discount"`

	from, until time.Time // of conditions, once checked
}

// discountBody is what some articles of a promotion get.
type discountBody struct {
	SubType string   `json:"discount_subtype"`
	Value   amount   `json:"discount_value"`
	SKUs    []string `json:"sku"`
	Active  *bool    `json:"active"`
	Most    int      `json:"max_quantity"`
}

// off reports whether a switch that is on unless it says otherwise is off.
func off(active *bool) bool { return active != nil && !*active }

// check says what is wrong with a request.
func (b *promotionBody) check() (why string) {
	switch {
	case len(b.Vendors) == 0:
		return "no vendors"
	case len(b.Vendors) > 1 && slices.Contains(b.Vendors, everyVendor):
		return "vendors: * stands alone"
	case b.Type != apiStrikethrough && b.Type != apiBundle:
		return "unknown type"
	case !slices.Contains(promotionReasons(), b.Reason):
		return "unknown reason"
	case len(b.Names) == 0:
		return "no display_name"
	case len(b.Discounts) == 0:
		return "no discount"
	}
	for locale, name := range b.Names {
		if !localeForm.MatchString(locale) || name == "" {
			return "display_name: want ll_CC and a text"
		}
	}
	var okStart, okEnd bool
	b.from, okStart = readInstant(b.Conditions.Start)
	b.until, okEnd = readInstant(b.Conditions.End)
	if !okStart || !okEnd || !b.until.After(b.from) {
		return "conditions: want start_time and a later end_time, in UTC"
	}
	if b.Type == apiBundle && (b.Conditions.Purchased < 1 || b.Conditions.Discounted < 1) {
		return "conditions: a bundle needs purchased_quantity and discounted_quantity"
	}
	pairs := 0
	for i, d := range b.Discounts {
		if why := d.check(b.Type); why != "" {
			return "discount[" + strconv.Itoa(i) + "]: " + why
		}
		pairs += len(d.SKUs) * len(b.Vendors)
	}
	if pairs > maxPairs {
		return "too many articles and vendors"
	}
	return ""
}

// check says what is wrong with one discount.
func (d discountBody) check(kind string) (why string) {
	known := []string{apiFinalPrice, apiPercentage, apiAbsolute}
	if kind == apiBundle {
		known = known[1:]
	}
	const all = 100_000 // percent in thousandths
	switch {
	case !slices.Contains(known, d.SubType):
		return "discount_subtype does not go with the type"
	case d.Value <= 0 || d.SubType == apiPercentage && (d.Value > all || d.Value == all && kind == apiStrikethrough):
		return "discount_value is out of range"
	case len(d.SKUs) == 0 || slices.Contains(d.SKUs, ""):
		return "sku is missing or empty"
	}
	return ""
}

// readInstant reads an ISO 8601 time in UTC.
func readInstant(text string) (time.Time, bool) {
	at, err := time.Parse(time.RFC3339Nano, text)
	return at, err == nil && strings.HasSuffix(text, "Z")
}

// putPromotion takes a promotion: a new one, or one that is known by its names, stores and times.
func (r *rest) putPromotion(c *call) answer {
	var body promotionBody
	if why := r.decode(c, &body); why != "" {
		return r.invalid(why)
	}
	if why := body.check(); why != "" {
		return r.invalid(why)
	}
	return accepted(r.jobs.add(JobPromotion, "", func(id string) jobResult { return r.promote(id, &body) }))
}

// campaign is an upsert on its way.
type campaign struct {
	*promotionBody
	job    string
	key    identity // without the article
	result jobResult
	takes  map[promotionAt]*taken
	known  map[string]map[string]bool // vendor -> SKUs that are in the promotion already
	named  map[string]map[string]bool // vendor -> SKUs that the body has
}

// promote carries out an upsert. The reader's turn is ours.
func (r *rest) promote(job string, body *promotionBody) jobResult {
	names, _ := json.Marshal(body.Names) // texts only
	k := &campaign{
		promotionBody: body, job: job, takes: map[promotionAt]*taken{}, known: map[string]map[string]bool{}, named: map[string]map[string]bool{},
		key: identity{
			campaign: string(names), start: body.from.UnixNano(), end: body.until.UnixNano(),
			typ: "api", detail: strings.Join(slices.Sorted(slices.Values(body.Vendors)), ","),
		},
	}
	whole, _ := json.Marshal(body) // numbers and texts only
	digest := sha256.Sum256(whole)
	if r.lastPromotion[k.key] == digest && !r.opts.Rules.NoDuplicates {
		return jobResult{status: Duplicate}
	}
	vendors := body.Vendors
	if slices.Equal(vendors, []string{everyVendor}) {
		vendors = nil
		for _, v := range r.stores.order {
			vendors = append(vendors, v.ID)
		}
	}
	for _, v := range vendors {
		if !r.stores.has(v) {
			k.result.badVendors = append(k.result.badVendors, v)
			continue
		}
		k.known[v] = r.stores.inPromotion(v, k.key)
		k.named[v] = map[string]bool{}
		for _, d := range body.Discounts {
			for _, sku := range d.SKUs {
				k.named[v][sku] = true
				r.discount(k, place{v, sku}, d)
			}
		}
		r.leave(k, v)
	}
	r.stores.apply(nil, k.takes)
	clean := len(k.result.badVendors) == 0 && k.result.refused == 0
	switch {
	case len(k.result.badVendors) == len(vendors), !clean && r.opts.Rules.RejectionsFail:
		k.result.status = Failed
	case clean:
		r.lastPromotion[k.key] = digest
	}
	if !clean {
		delete(r.lastPromotion, k.key)
	}
	return k.result
}

// leave ends the promotion of articles that the body says nothing about: all of them when the promotion as a whole ends, and those that
// a later body lacks where that is how it is read.
func (r *rest) leave(k *campaign, vendor string) {
	if !off(k.Active) && !r.opts.Rules.PutReplaces {
		return
	}
	for sku := range k.known[vendor] {
		if !k.named[vendor][sku] {
			id := k.key
			id.sku = sku
			k.stop(promotionAt{vendor, id}, r.stores.promotion(promotionAt{vendor, id}))
		}
	}
}

// stop ends one article's promotion.
func (k *campaign) stop(at promotionAt, now *taken) {
	if now != nil && !now.ended {
		k.takes[at] = &taken{offer: now.offer, ended: true, file: now.file, job: k.job, n: now.n}
	}
}

// discount takes one article at one store, or notes why not.
func (r *rest) discount(k *campaign, at place, d discountBody) {
	k.result.pairs++
	reject := func(into *map[string][]string) {
		k.result.refused++
		if *into == nil {
			*into = map[string][]string{}
		}
		(*into)[at.vendor] = append((*into)[at.vendor], at.sku)
	}
	if _, ok := r.stores.find(at.vendor, at.sku, ""); !ok {
		reject(&k.result.missing)
		return
	}
	id := promotionAt{at.vendor, k.key}
	id.sku = at.sku
	o, ok := k.offer(amountOf(r.stores.price(at)), d, r.opts.Rules)
	now := r.stores.promotion(id)
	if r.opts.Rules.CrossedWays && now == nil {
		if crossed, other := r.stores.crossed(at, slices.Collect(maps.Values(k.Names)), o); other != nil {
			id, now = crossed, other
		}
	}
	switch {
	case off(k.Active) || off(d.Active):
		k.stop(id, now)
	case !ok:
		reject(&k.result.badPrices)
	case now != nil && !now.ended && same(now.offer, o):
	default:
		r.reader.started++
		k.takes[id] = &taken{offer: o, job: k.job, n: r.reader.started}
	}
}

// same reports whether two offers from requests are alike.
func same(a, b *offer) bool {
	return a.cells == b.cells && a.price == b.price && a.usage == b.usage && a.orders == b.orders && a.maxSale == b.maxSale
}

// offer is what the request gives an article of some price; ok is false where that is none.
func (k *campaign) offer(price amount, d discountBody, rules Rules) (_ *offer, ok bool) {
	o := &offer{start: k.from, end: k.until, usage: k.Limits.Items, orders: k.Limits.Orders, maxSale: d.Most, instant: true}
	locales := slices.Sorted(maps.Keys(k.Names))
	o.cells[colCampaign], o.cells[colReason] = k.Names[locales[0]], k.Reason
	o.cells[colStart], o.cells[colEnd] = k.Conditions.Start, k.Conditions.End
	const all = 100_000 // percent in thousandths
	if k.Type == apiStrikethrough {
		final := d.Value
		switch d.SubType {
		case apiPercentage:
			final = price - price.times(d.Value/100)
		case apiAbsolute:
			final = price - d.Value
		}
		o.cells[colType], o.price = TypeStrikethrough, final.String()
		o.cells[colDiscounted] = o.price
		return o, final > 0 && final < price
	}
	o.cells[colType], o.buy, o.benefit = TypeBundle, k.Conditions.Purchased, k.Conditions.Discounted
	if rules.BundleTotal {
		o.buy -= o.benefit
	}
	o.cells[colDetails] = "B" + strconv.Itoa(o.buy) + "G" + strconv.Itoa(o.benefit)
	o.discount, o.cells[colSubType] = d.Value.String(), SubTypeAmount
	if d.SubType == apiPercentage {
		o.cells[colSubType] = SubTypePercent
	}
	if d.SubType == apiPercentage && d.Value == all {
		o.discount, o.cells[colSubType] = "", SubTypeFree // that all off is how a free article is asked for is assumed
	}
	o.cells[colDiscount] = o.discount
	return o, o.buy > 0 && (d.SubType != apiAbsolute || d.Value < price || rules.AnyDiscount)
}

// inPromotion returns the articles of a promotion that was made by API, at a store.
func (s *stores) inPromotion(vendor string, key identity) map[string]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[string]bool{}
	for id := range s.promos[vendor] {
		sku := id.sku
		if id.sku = ""; id == key {
			found[sku] = true
		}
	}
	return found
}
