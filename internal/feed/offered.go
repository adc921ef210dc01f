package feed

import (
	"strings"

	"gondola/internal/catalog"
	"gondola/internal/table"
)

// claim is what one of the columns of a row says is offered.
type claim struct {
	offer offer
	text  string // as a person sees it; "" = the column says nothing
	// zero: the cell says 0, as ERPs do that have nothing to say. It is wrong where no other column says something.
	zero bool
}

// said reports whether there is an offer in the claim.
func (cl claim) said() bool { return cl.text != "" && !cl.zero }

// terms are what a row says in the platform's own columns for bundles. A column that says nothing has the text "".
type terms struct {
	kind    catalog.PromotionType
	benefit catalog.Benefit

	detailsText string
	buy, get    int

	// The discount is a share or an amount: which, the benefit says. It is read both ways; the codes say why it is not the one or the
	// other.
	discountText string
	share        catalog.Percent
	shareCode    catalog.Code
	amount       catalog.Money
	amountCode   catalog.Code
}

// readOffered reads what the row offers into p. Several columns may say it, and must say the same; with one exception: a final price
// with the share that led to it beside. Only the price is what customers pay, and only with the normal price could one check the
// share; so the column of shares is not asked there. false rejects the row.
func (c *converter) readOffered(r table.Row, p *catalog.Promotion) bool {
	words, ok := c.readWords(r)
	price, okPrice := c.readOfferPrice(r)
	percent, okPercent := c.readPercent(r)
	t, okTerms := c.readTerms(r)
	if !ok || !okPrice || !okPercent || !okTerms {
		return false
	}
	main, ok := c.mainClaim(r, words, price, percent, t)
	if !ok {
		return false
	}
	if other := t.contradicts(main.offer); other != "" {
		c.fail(r, nil, catalog.PromoBoth, excerpt(main.text), excerpt(other))
		return false
	}
	for _, other := range []claim{price, percent} {
		if !other.said() || other.offer == main.offer || other.offer.percent != 0 && main.offer.price != 0 {
			continue
		}
		c.fail(r, nil, catalog.PromoBoth, excerpt(main.text), excerpt(other.text))
		return false
	}
	o := main.offer
	p.Type, p.Benefit, p.Buy, p.Get = o.kind, o.benefit, o.buy, o.get
	p.Price, p.Percent, p.Amount = o.price, o.percent, o.amount
	return true
}

// mainClaim returns the claim that the others are held against: the first that is there of words, bundle, price and share.
func (c *converter) mainClaim(r table.Row, words, price, percent claim, t terms) (claim, bool) {
	switch {
	case words.said():
		return words, true
	case t.kind == catalog.SameItemBundle, t.kind == "" && (t.benefit != "" || t.detailsText != ""):
		return c.bundle(r, t)
	case price.said():
		return price, true
	case percent.said():
		return percent, true
	case price.zero:
		c.fail(r, c.promo.price, catalog.PriceZero, excerpt(price.text))
	case percent.zero:
		c.fail(r, c.promo.percent, catalog.PromoPercent, excerpt(percent.text))
	default:
		c.fail(r, nil, catalog.PromoMissing)
	}
	return claim{}, false
}

// bundle returns the offer that the platform's own columns make; false when they leave something open.
func (c *converter) bundle(r table.Row, t terms) (claim, bool) {
	o := offer{kind: catalog.SameItemBundle, benefit: t.benefit, buy: t.buy, get: t.get}
	switch {
	case t.benefit == "":
		c.fail(r, c.promo.benefit, catalog.PromoField, string(RoleBenefit), "")
		return claim{}, false
	case t.detailsText == "":
		c.fail(r, c.promo.details, catalog.PromoField, string(RoleDetails), "")
		return claim{}, false
	case t.benefit == catalog.FreeItem:
	case t.discountText == "":
		c.fail(r, c.promo.discount, catalog.PromoField, string(RoleDiscount), "")
		return claim{}, false
	case t.benefit == catalog.PercentOff && t.shareCode != "":
		c.fail(r, c.promo.discount, t.shareCode, excerpt(t.discountText))
		return claim{}, false
	case t.benefit == catalog.PercentOff:
		o.percent = t.share
	default:
		if t.amountCode != "" && !c.tellMoney(r, c.promo.discount, t.amountCode, t.amount) {
			return claim{}, false
		}
		o.amount = t.amount
	}
	return claim{offer: o, text: t.detailsText}, true
}

// contradicts returns what the platform's own columns say that is another thing than the offer, "" when they agree.
func (t terms) contradicts(o offer) string {
	switch {
	case t.kind != "" && t.kind != o.kind:
		return string(t.kind)
	case t.benefit != "" && t.benefit != o.benefit:
		return string(t.benefit)
	case t.detailsText != "" && (t.buy != o.buy || t.get != o.get):
		return t.detailsText
	case t.discountText == "":
		return ""
	case o.benefit == catalog.PercentOff && t.share != o.percent, o.benefit == catalog.AmountOff && t.amount != o.amount,
		o.benefit != catalog.PercentOff && o.benefit != catalog.AmountOff:
		return t.discountText
	}
	return ""
}

// readTerms reads the platform's own columns for bundles; false when one of them holds what the platform does not know.
func (c *converter) readTerms(r table.Row) (t terms, ok bool) {
	name, okName := c.readName(r, c.promo.kind, string(catalog.Strikethrough), string(catalog.SameItemBundle))
	t.kind = catalog.PromotionType(name)
	benefit, okBenefit := c.readName(r, c.promo.benefit, string(catalog.FreeItem), string(catalog.PercentOff), string(catalog.AmountOff))
	t.benefit = catalog.Benefit(benefit)
	ok = okName && okBenefit
	if text := unwrap(cell(r, c.promo.details)); text != "" {
		var err error
		t.detailsText = text
		if t.buy, t.get, err = catalog.ParseDetails(strings.ReplaceAll(text, " ", "")); err != nil {
			ok = c.failField(r, c.promo.details)
		}
	}
	text := unwrap(cell(r, c.promo.discount))
	if text == "" {
		return t, ok
	}
	if code := unreadable(typed(r, c.promo.discount)); code != "" {
		c.fail(r, c.promo.discount, code, excerpt(text))
		return t, false
	}
	percent, shareCode, zero := c.shareIn(r, c.promo.discount, true)
	if zero { // a bundle without a discount of its own
		return t, ok
	}
	t.discountText = unwrap(shown(r, c.promo.discount))
	t.share, t.shareCode = percent, shareCode
	if t.amountCode = noAmount(typed(r, c.promo.discount), catalog.PriceText, catalog.PricePercent); t.amountCode == "" {
		t.amount, t.amountCode = readMoney(text, decimalMark(r, c.promo.discount), c.promotionDecimals())
	}
	return t, ok
}

// readName reads a cell that holds one of the platform's own words, "" where it is blank. Case does not count, nor what stands
// between the parts of the word.
func (c *converter) readName(r table.Row, col *column, known ...string) (string, bool) {
	text := unwrap(cell(r, col))
	if text == "" {
		return "", true
	}
	for _, k := range known {
		if squeeze(text) == squeeze(k) {
			return k, true
		}
	}
	return "", c.failField(r, col)
}

// failField reports a cell that holds what the platform does not know, and returns false.
func (c *converter) failField(r table.Row, col *column) bool {
	if code := unreadable(typed(r, col)); code != "" {
		c.fail(r, col, code, excerpt(shown(r, col)))
	} else {
		c.fail(r, col, catalog.PromoField, string(col.Role), excerpt(shown(r, col)))
	}
	return false
}

// readWords reads the column of offers; false when it holds something that is not known.
func (c *converter) readWords(r table.Row) (claim, bool) {
	col := c.promo.offer
	text := unwrap(cell(r, col))
	if text == "" {
		return claim{}, true
	}
	see := unwrap(shown(r, col))
	cell := typed(r, col)
	switch {
	case unreadable(cell) != "":
		c.fail(r, col, unreadable(cell), excerpt(text))
		return claim{}, false
	case cell.Kind == table.Bool, cell.Kind == table.Date:
		c.fail(r, col, catalog.PromoText, excerpt(see))
		return claim{}, false
	case cell.Kind == table.Number && isClass(cell, table.FormatPercent):
		text = see
	}
	if m, code, isAmount := readOfferAmount(text, decimalMark(r, col), c.promotionDecimals()); isAmount {
		if code != "" && !c.tellMoney(r, col, code, m) {
			return claim{}, false
		}
		return claim{offer: offer{kind: catalog.Strikethrough, price: m}, text: see}, true
	}
	w := c.wordingOf(r, text)
	if w.code != "" {
		c.fail(r, col, w.code, excerpt(see))
		return claim{}, false
	}
	return claim{offer: w.offer, text: see}, true
}

// wordingOf is readOffer with memory. How a text was understood is told once, where it stands first: a person can check twenty
// wordings, and not twenty thousand rows.
func (c *converter) wordingOf(r table.Row, text string) wording {
	w, known := c.offersRead[text]
	if known {
		return w
	}
	w = readOffer(text)
	if len(c.offersRead) < maxKnown {
		c.offersRead[strings.Clone(text)] = w
	}
	if o := w.offer; w.code == "" {
		value, details := "", catalog.Promotion{Type: o.kind, Buy: o.buy, Get: o.get}.Details()
		if o.percent != 0 {
			value = o.percent.String()
		}
		c.note(r, c.promo.offer, catalog.PromoRead, excerpt(text), string(o.kind), string(o.benefit), details, value)
	}
	return w
}

// readOfferPrice reads the column of final prices; false when it holds none.
func (c *converter) readOfferPrice(r table.Row) (claim, bool) {
	col := c.promo.price
	text := unwrap(cell(r, col))
	if text == "" {
		return claim{}, true
	}
	cl := claim{text: unwrap(shown(r, col))}
	if code := noAmount(typed(r, col), catalog.PriceText, catalog.PricePercent); code != "" {
		c.fail(r, col, code, excerpt(cl.text))
		return claim{}, false
	}
	if mixed(r, col, text) {
		c.fail(r, col, catalog.PriceCurrency, excerpt(cl.text))
		return claim{}, false
	}
	m, code := readMoney(text, decimalMark(r, col), c.promotionDecimals())
	if n, ok := scanNumeral(text, currencyWords); ok && code == catalog.PriceZero && n.isZero() {
		cl.zero = true
		return cl, true
	}
	if code != "" && !c.tellMoney(r, col, code, m) {
		return claim{}, false
	}
	cl.offer = offer{kind: catalog.Strikethrough, price: m}
	return cl, true
}

// tellMoney reports what is wrong with an amount, or that it was rounded; false when it was not taken.
func (c *converter) tellMoney(r table.Row, col *column, code catalog.Code, m catalog.Money) bool {
	text := excerpt(unwrap(shown(r, col)))
	switch code {
	case catalog.PriceRounded:
		c.note(r, col, code, text, m.Text(c.promotionDecimals()))
		return true
	case catalog.PriceAmbiguous:
		c.fail(r, col, code, text, excerpt(col.Name))
	default:
		c.fail(r, col, code, text)
	}
	return false
}

// promotionDecimals is how many decimals the amounts of promotions are rounded to.
func (c *converter) promotionDecimals() int { return min(c.spec.PriceDecimals, maxPromotionDecimals) }

// readPercent reads the column of shares off; false when it holds none.
func (c *converter) readPercent(r table.Row) (claim, bool) {
	col := c.promo.percent
	if unwrap(cell(r, col)) == "" {
		return claim{}, true
	}
	cl := claim{text: unwrap(shown(r, col))}
	if code := unreadable(typed(r, col)); code != "" {
		c.fail(r, col, code, excerpt(cl.text))
		return claim{}, false
	}
	p, code, zero := c.shareIn(r, col, col.How == HowConfig || isShareHeader(col.Name))
	if code != "" && !zero {
		c.fail(r, col, code, excerpt(cl.text))
		return claim{}, false
	}
	cl.offer, cl.zero = offer{kind: catalog.Strikethrough, percent: p}, zero
	return cl, true
}

// isShareHeader reports whether a header says that the numbers below it are shares. "Descuento" does not: 20 may be twenty pesos.
func isShareHeader(name string) bool {
	s := squeeze(name)
	for _, word := range []string{"%", "porc", "percent", "pct"} {
		if strings.Contains(s, word) {
			return true
		}
	}
	return false
}

// shareIn reads the row's cell in a column as a share off: 20%, -20, 20 % off. bare tells whether numbers without their sign are
// shares in the column. A bare number below one is none: 0.2 is a fifth to one and next to nothing to the other. zero tells that the
// cell says 0.
func (c *converter) shareIn(r table.Row, col *column, bare bool) (p catalog.Percent, code catalog.Code, zero bool) {
	text := unwrap(cell(r, col))
	cell := typed(r, col)
	switch cell.Kind {
	case table.Bool, table.Date:
		return 0, catalog.PromoPercent, false
	case table.Number:
		if isClass(cell, table.FormatPercent) {
			text = shown(r, col)
		}
	}
	return readShare(text, decimalMark(r, col), bare)
}

// readShare reads a share off where mark is the decimal one that the config names, noMark where it names none.
func readShare(text string, mark byte, bare bool) (p catalog.Percent, code catalog.Code, zero bool) {
	s := strings.ReplaceAll(plain(text), " %", "%")
	s, signed := strings.CutSuffix(strings.TrimSuffix(strings.TrimPrefix(s, "-"), " off"), "%")
	s = trim(s)
	n, ok := scanNumeral(s, nil)
	if !ok || n.negative || s[0] == '+' {
		return 0, catalog.PromoPercent, false
	}
	if n.isZero() {
		return 0, catalog.PromoPercent, true
	}
	p, ok = percentOf(s)
	if !ok || mark != noMark && n.marked() && n.last != mark || !signed && (!bare || p < catalog.Hundred/100) {
		return 0, catalog.PromoPercent, false
	}
	return p, "", false
}
