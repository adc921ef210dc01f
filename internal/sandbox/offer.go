package sandbox

import (
	"strconv"
	"strings"
	"time"
)

// The values of promotion_type and promotion_sub_type, as documented.
const (
	TypeStrikethrough = "strikethrough"        // a final price
	TypeBundle        = "same_item_bundle"     // several of one article
	SubTypeFree       = "free_item"            // the further articles are free
	SubTypePercent    = "percentage_value_off" // the further articles are cheaper by a percentage
	SubTypeAmount     = "absolute_value_off"   // the further articles are cheaper by an amount
)

// identity is what makes a promotion the same one at a store. That it is all of this is assumed, see PromotionRules.BriefIdentity.
type identity struct {
	sku, campaign    string
	start, end       int64 // as written, in seconds of no zone
	typ, sub, detail string
}

// promotionAt is one promotion at one store.
type promotionAt struct {
	vendor string
	identity
}

// offer is a row about a promotion, well formed by itself. It is shared by all stores that the row is for and never changed.
type offer struct {
	cells                  cells     // as they came, to be held against what comes later
	start, end             time.Time // as written, in no zone: UTC stands for it
	price                  string    // of a strikethrough
	buy, benefit           int       // of a bundle: so many at full price, so many more at the benefit
	discount               string    // of a bundle with a value off
	usage, orders, maxSale int       // limits; 0 is none
	ends                   bool      // campaign_status is 0
	instant                bool      // start and end are instants, as requests have them, and not local times
}

// from and until return when the offer runs, at a store in a zone.
func (o *offer) from(zone *time.Location) time.Time  { return o.when(o.start, zone) }
func (o *offer) until(zone *time.Location) time.Time { return o.when(o.end, zone) }

func (o *offer) when(at time.Time, zone *time.Location) time.Time {
	if o.instant {
		return at.In(zone)
	}
	return in(at, zone)
}

// identity returns what makes the offer's promotion the same one, for an article.
func (o *offer) identity(sku string, r Rules) identity {
	id := identity{sku: sku, campaign: o.cells[colCampaign], start: o.start.Unix(), end: o.end.Unix()}
	if !r.BriefIdentity {
		id.typ, id.sub, id.detail = o.cells[colType], o.cells[colSubType], o.cells[colDetails]
	}
	return id
}

// label says in few words what the customer gets.
func (o *offer) label() string {
	if o.cells[colType] == TypeStrikethrough {
		return o.price
	}
	count := strconv.Itoa(o.buy) + "+" + strconv.Itoa(o.benefit)
	off := o.discount + " off"
	switch o.cells[colSubType] {
	case SubTypeFree:
		return count
	case SubTypePercent:
		off = o.discount + "% off"
	}
	if o.benefit == 1 {
		return ordinal(o.buy+1) + " at " + off
	}
	return count + ", " + strconv.Itoa(o.benefit) + " at " + off
}

// ordinal returns 2nd for 2.
func ordinal(n int) string {
	suffix := "th"
	if n/10%10 != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return strconv.Itoa(n) + suffix
}

// about names the column that a row error is about.
func about(reason string, c column) string { return reason + " " + c.String() }

// offer reads the promotion of a row: nil where a single-file row has none. Everything that can be told without the shelf is checked
// here.
func (t *table) offer(c cells) (o *offer, why string) {
	if t.kind == kindCatalog {
		return nil, ""
	}
	if c[colSKU] == "" && t.rules.NoBarcodes && (t.kind == kindPromotions || hasPromotion(c)) {
		return nil, RowBarcodeKey
	}
	if t.kind == kindAssortment && !hasPromotion(c) {
		return nil, ""
	}
	for _, col := range mandatoryColumns() {
		switch {
		case c[col] != "":
		case t.kind == kindAssortment:
			return nil, RowHalf
		default:
			return nil, about(RowEmpty, col)
		}
	}
	o = &offer{cells: c}
	if why := o.period(c, t.rules); why != "" {
		return nil, why
	}
	switch c[colStatus] {
	case "", "1":
	case "0":
		o.ends = true
	default:
		return nil, about(RowInvalid, colStatus)
	}
	for _, limit := range []struct {
		column
		into *int
	}{{colUsageLimit, &o.usage}, {colMaxOrders, &o.orders}, {colMaxSales, &o.maxSale}} {
		n, ok := readCount(c[limit.column])
		if !ok {
			return nil, about(RowInvalid, limit.column)
		}
		if n != nil {
			*limit.into = *n
		}
	}
	return o, o.benefits(c, t.rules)
}

// hasPromotion reports whether a single-file row fills any promotion column.
func hasPromotion(c cells) bool {
	for _, col := range promotionColumns() {
		if c[col] != "" {
			return true
		}
	}
	return false
}

// period reads the dates.
func (o *offer) period(c cells, r Rules) (why string) {
	var ok, day bool
	if o.start, _, ok = readDate(c[colStart]); !ok {
		return about(RowInvalid, colStart)
	}
	if o.end, day, ok = readDate(c[colEnd]); !ok {
		return about(RowInvalid, colEnd)
	}
	if day && r.EndDayCounts {
		o.end = o.end.AddDate(0, 0, 1)
	}
	if !o.end.After(o.start) {
		return RowPeriod
	}
	return ""
}

// readDate reads a date in one of the two documented forms, and says whether it is one without a time. It is in no zone yet.
func readDate(s string) (at time.Time, day, ok bool) {
	for _, layout := range []string{time.DateTime, time.DateOnly} {
		// The length matters because the parser takes fractions of a second that the layout does not have.
		if at, err := time.Parse(layout, s); err == nil && len(s) == len(layout) {
			return at, layout == time.DateOnly, true
		}
	}
	return time.Time{}, false, false
}

// in returns a written time as an instant of a zone.
func in(at time.Time, zone *time.Location) time.Time {
	return time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), 0, zone)
}

// benefits reads what the customer gets, by type and sub-type.
func (o *offer) benefits(c cells, r Rules) (why string) {
	var idle []column
	switch c[colType] {
	case TypeStrikethrough:
		idle = []column{colSubType, colDetails, colDiscount}
		why = o.strike(c, r)
	case TypeBundle:
		idle = []column{colDiscounted}
		if c[colSubType] == SubTypeFree {
			idle = append(idle, colDiscount)
		}
		why = o.bundle(c, r)
	default:
		return about(RowInvalid, colType)
	}
	for _, col := range idle {
		if c[col] != "" && !r.IdleCells {
			return about(RowIdle, col)
		}
	}
	return why
}

// strike reads the final price.
func (o *offer) strike(c cells, r Rules) (why string) {
	const decimals = 2
	text := c[colDiscounted]
	if text == "" {
		return about(RowEmpty, colDiscounted)
	}
	_, frac, _ := strings.Cut(text, ".")
	price, ok := readPrice(text, r.RoundPrices)
	if !ok || (len(frac) > decimals && !r.ManyDecimals) {
		return about(RowInvalid, colDiscounted)
	}
	o.price = price
	return ""
}

// bundle reads how many articles are at what benefit.
func (o *offer) bundle(c cells, r Rules) (why string) {
	for _, col := range []column{colSubType, colDetails} {
		if c[col] == "" {
			return about(RowEmpty, col)
		}
	}
	var ok bool
	if o.buy, o.benefit, ok = readBundle(c[colDetails], r.BundleTotal); !ok {
		return about(RowInvalid, colDetails)
	}
	switch c[colSubType] {
	case SubTypeFree:
		return ""
	case SubTypePercent, SubTypeAmount:
	default:
		return about(RowInvalid, colSubType)
	}
	if c[colDiscount] == "" {
		return about(RowEmpty, colDiscount)
	}
	if o.discount, ok = readPrice(c[colDiscount], r.RoundPrices); !ok {
		return about(RowInvalid, colDiscount)
	}
	if c[colSubType] == SubTypePercent && thousandths(o.discount) >= 100_000 && !r.AnyDiscount {
		return about(RowInvalid, colDiscount)
	}
	return ""
}

// readBundle reads B<n>G<m>: both 1 to 99, without leading zeros. The form is known from partners; how to read it is assumed: n
// articles at full price and m more at the benefit. With total, n is all of them.
func readBundle(s string, total bool) (buy, benefit int, ok bool) {
	const maxDigits = 2
	rest, prefix := strings.CutPrefix(s, "B")
	n, m, cut := strings.Cut(rest, "G")
	for _, part := range []string{n, m} {
		if !isDigits(part) || len(part) > maxDigits || part[0] == '0' {
			return 0, 0, false
		}
	}
	buy, _ = strconv.Atoi(n) // two digits, as checked above
	benefit, _ = strconv.Atoi(m)
	if total {
		buy -= benefit
	}
	return buy, benefit, prefix && cut && buy > 0
}

// thousandths returns a price that readPrice returned as a whole number to compare by; 0 for "".
func thousandths(price string) int64 {
	whole, frac, _ := strings.Cut(price, ".")
	n, _ := strconv.ParseInt(whole+(frac + "000")[:3], 10, 64) // readPrice took no more digits than fit
	return n
}
