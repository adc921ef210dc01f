package feed

import (
	"unicode/utf8"

	"gondola/internal/catalog"
	"gondola/internal/table"
)

// maxPromotionDecimals is how many decimals a promotion's amounts have at most [partner]: fewer than those of the catalogue.
const maxPromotionDecimals = 2

// maxLabel is how long a campaign's name and a reason may be, in characters [assumed: the platform names no limit, and a longer one
// has been a description that slipped into the column].
const maxLabel = 100

// promotionColumns are the columns of promotions by role, nil where there is none.
type promotionColumns struct {
	campaign, reason, start, end, status *column
	offer, price, percent                *column
	kind, benefit, details, discount     *column
	uses, orders                         *column
}

// bindPromotions makes the columns of promotions known by their roles, and refuses an export without those that are needed.
func (c *converter) bindPromotions() {
	c.promo = promotionColumns{
		campaign: c.column(RoleCampaign), reason: c.column(RoleReason), start: c.column(RoleStart), end: c.column(RoleEnd),
		status: c.column(RoleStatus), offer: c.column(RoleOffer), price: c.column(RoleOfferPrice), percent: c.column(RolePercent),
		kind: c.column(RoleType), benefit: c.column(RoleBenefit), details: c.column(RoleDetails), discount: c.column(RoleDiscount),
		uses: c.column(RoleUsageLimit), orders: c.column(RoleMaxOrders),
	}
	has := map[Role]bool{}
	for _, col := range c.columns {
		has[col.Role] = true
	}
	for _, role := range []Role{RoleStart, RoleEnd} {
		if !has[role] {
			c.refuse(catalog.HeadMissing, append([]string{string(role)}, c.header.listed()...)...)
		}
	}
	if !isOffering(has) {
		c.refuse(catalog.HeadNothing, c.header.listed()...)
	}
}

// promotion reads what the row says of a promotion of its article, and hands it on for every store that it is about.
func (c *converter) promotion(r table.Row, item catalog.Item, stores []string) error {
	p := &catalog.Promotion{SKU: item.SKU, Barcode: item.Barcode}
	// Every cell is read even after a wrong one, so that a person gets to know all that is wrong at once.
	ok := c.readOffered(r, p)
	ok = c.readPeriod(r, p) && ok
	ok = c.readLabels(r, p) && ok
	ok = c.readLimits(r, p) && ok
	ok = c.readStatus(r, p) && ok
	if !ok {
		c.res.Rejected++
		return c.handOn(stores, Record{Item: item, Row: r.Line, Rejected: true})
	}
	c.res.Records += len(stores)
	if c.rules == nil {
		return c.handOn(stores, Record{Item: item, Promotion: p, Row: r.Line})
	}
	told := false
	for _, g := range c.rules.groups(stores) {
		each := *p
		if word, col := c.excludedBy(r, g.set); word != "" && !g.set.Exclude.Skip {
			each.Active = false
			if !told {
				told = true
				c.note(r, col, catalog.RuleExcluded, excerpt(word))
			}
		}
		if err := c.handOn(g.stores, Record{Item: item, Promotion: &each, Row: r.Line}); err != nil {
			return err
		}
	}
	return nil
}

// readPeriod reads both dates; false rejects the row.
func (c *converter) readPeriod(r table.Row, p *catalog.Promotion) bool {
	var ok, okEnd bool
	p.Start, ok = c.readDay(r, c.promo.start, firstSecond)
	p.End, okEnd = c.readDay(r, c.promo.end, lastSecond)
	if !ok || !okEnd {
		return false
	}
	if p.End <= p.Start { // also one that ends as it begins never holds
		c.fail(r, c.promo.end, catalog.DateOrder, p.Start.String(), p.End.String())
		return false
	}
	return true
}

// readLabels reads the campaign's name and the reason; false rejects the row.
func (c *converter) readLabels(r table.Row, p *catalog.Promotion) bool {
	name, ok := label(r, c.promo.campaign)
	if !ok {
		c.fail(r, c.promo.campaign, catalog.PromoCampaign, excerpt(shown(r, c.promo.campaign)))
	}
	reason, okReason := label(r, c.promo.reason)
	if !okReason {
		c.fail(r, c.promo.reason, catalog.PromoField, string(RoleReason), excerpt(shown(r, c.promo.reason)))
	}
	for _, other := range []string{name, c.spec.Campaign, DefaultCampaign} {
		if p.Campaign == "" {
			p.Campaign = other
		}
	}
	for _, other := range []string{reason, c.spec.Reason, DefaultReason} {
		if p.Reason == "" {
			p.Reason = other
		}
	}
	return ok && okReason
}

// label returns the text of a cell that people read, "" where it is blank; false where the platform could not take it.
func label(r table.Row, col *column) (string, bool) {
	text := unwrap(cell(r, col))
	if text == "" {
		return "", true
	}
	switch typed(r, col).Kind {
	case table.Text, table.Number:
		return text, isLabel(text)
	}
	return "", false
}

// isLabel reports whether the platform can take the text: one line, not too long, nothing lost.
func isLabel(text string) bool {
	return trim(text) != "" && utf8.RuneCountInString(text) <= maxLabel && printable(text) && !isSheetError(text)
}

// readLimits reads the three limits, each a whole number where 0 is none; false rejects the row.
func (c *converter) readLimits(r table.Row, p *catalog.Promotion) bool {
	ok := true
	for _, l := range []struct {
		col *column
		to  *int64
	}{{c.promo.uses, &p.UsageLimit}, {c.promo.orders, &p.MaxOrders}, {c.maxSales, &p.MaxSales}} {
		text := unwrap(cell(r, l.col))
		if text == "" {
			continue
		}
		if code := noAmount(typed(r, l.col), catalog.PromoLimit, catalog.PromoLimit); code == catalog.CellError || code == catalog.CellFormula {
			c.fail(r, l.col, code, excerpt(text))
			ok = false
			continue
		} else if code == "" {
			n, read := readCount(text, decimalMark(r, l.col))
			if read && !n.negative && !n.fraction {
				*l.to = n.units
				continue
			}
		}
		c.fail(r, l.col, catalog.PromoLimit, string(l.col.Role), excerpt(shown(r, l.col)))
		ok = false
	}
	return ok
}

// readStatus reads whether the promotion holds; it does where nothing is said. false rejects the row.
func (c *converter) readStatus(r table.Row, p *catalog.Promotion) bool {
	p.Active = true
	text := unwrap(cell(r, c.promo.status))
	if text == "" {
		return true
	}
	if code := unreadable(typed(r, c.promo.status)); code != "" {
		c.fail(r, c.promo.status, code, excerpt(text))
		return false
	}
	on, ok := c.flag(text)
	if !ok {
		c.fail(r, c.promo.status, catalog.ActiveText, excerpt(shown(r, c.promo.status)))
		return false
	}
	p.Active = on
	return true
}
