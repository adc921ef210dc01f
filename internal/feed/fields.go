package feed

import (
	"strconv"
	"strings"

	"gondola/internal/catalog"
	"gondola/internal/table"
)

// said returns the cell as it is meant, and false when there is nothing to read: no such column, or a blank cell. A full export
// that leaves a cell blank speaks of the field; a partial one does not.
func (c *converter) said(r table.Row, col *column, field catalog.Fields, item *catalog.Item) (string, bool) {
	if col == nil {
		return "", false
	}
	text := unwrap(cell(r, col))
	if text == "" {
		c.leaveBlank(field, item)
		return "", false
	}
	return text, true
}

// leaveBlank notes that the row says nothing about the field.
func (c *converter) leaveBlank(field catalog.Fields, item *catalog.Item) {
	if c.spec.Full {
		item.Blank |= field
	}
}

// readPrice reads the price cell into item; false rejects the row.
func (c *converter) readPrice(r table.Row, item *catalog.Item) bool {
	text, ok := c.said(r, c.price, catalog.Price, item)
	if !ok {
		return true
	}
	if code := noAmount(typed(r, c.price), catalog.PriceText, catalog.PricePercent); code != "" {
		c.fail(r, c.price, code, excerpt(shown(r, c.price)))
		return false
	}
	if mixed(r, c.price, text) {
		c.fail(r, c.price, catalog.PriceCurrency, excerpt(text))
		return false
	}
	m, code := readMoney(text, decimalMark(r, c.price), c.spec.PriceDecimals)
	switch code {
	case "":
	case catalog.PriceRounded:
		if c.rules != nil && c.rules.computes {
			var lost bool
			if m, lost = unrounded(text, decimalMark(r, c.price), m); lost {
				c.note(r, c.price, code, excerpt(text), m.Text(catalog.MoneyScale))
			}
			break
		}
		c.note(r, c.price, code, excerpt(text), m.Text(c.spec.PriceDecimals))
	case catalog.PriceAmbiguous:
		c.fail(r, c.price, code, excerpt(text), excerpt(c.price.Name))
		return false
	default:
		c.fail(r, c.price, code, excerpt(text))
		return false
	}
	item.Price = m
	item.Set |= catalog.Price
	return true
}

// unrounded returns an amount that was rounded to m with all the decimals that catalog.Money has: what is worked with is rounded at the
// end. lost tells that the amount has more of them.
func unrounded(text string, mark byte, m catalog.Money) (exact catalog.Money, lost bool) {
	if n, ok := scanNumeral(text, currencyWords); ok {
		if exact, lost, ok := n.thousandths(mark, catalog.MoneyScale); ok {
			return exact, lost
		}
	}
	return m, true
}

// smallestRounded is the smallest amount that is rounded to a currency without cents. There 1.99 is a thousand and 990 that a
// spreadsheet has misunderstood, or a price in dollars, before it is two.
const smallestRounded catalog.Money = 100_000

// readMoney reads an amount where mark is the decimal one of its column. The code says what is wrong with it, or that it was rounded.
func readMoney(text string, mark byte, decimals int) (catalog.Money, catalog.Code) {
	n, ok := scanNumeral(text, currencyWords)
	switch {
	case !ok:
		return 0, catalog.PriceText
	case !n.reads(comma) && !n.reads(point):
		return 0, catalog.PriceText
	// 1.234 in a column that proves nothing, and also 1.234,50 in one that proves both: which of its neighbours lie is not known.
	case n.doubtful(mark), n.glued && mark&^doubts != comma && decimals > 0:
		return 0, catalog.PriceAmbiguous
	case !n.reads(mark):
		return 0, catalog.PriceText
	case n.negative:
		return 0, catalog.PriceZero
	}
	m, lost, ok := n.thousandths(mark, decimals)
	switch {
	case !ok:
		return 0, catalog.PriceLarge
	// Asked after rounding: what rounds to nothing would leave as nothing.
	case m == 0:
		return 0, catalog.PriceZero
	case lost && decimals == 0 && (m < smallestRounded || n.open()):
		return 0, catalog.PriceAmbiguous
	case lost:
		return m, catalog.PriceRounded
	}
	return m, ""
}

// readActive reads the active cell into item; false rejects the row.
func (c *converter) readActive(r table.Row, item *catalog.Item) bool {
	text, ok := c.said(r, c.active, catalog.Active, item)
	if !ok {
		return true
	}
	if code := unreadable(typed(r, c.active)); code != "" {
		c.fail(r, c.active, code, excerpt(text))
		return false
	}
	on, ok := c.flag(text)
	if !ok {
		c.fail(r, c.active, catalog.ActiveText, excerpt(shown(r, c.active)))
		return false
	}
	item.Active = on
	item.Set |= catalog.Active
	return true
}

// flag reads a yes or a no; false when the text is neither. What was read is remembered as it was written, because taking accents
// off is slow and a column has few words.
func (c *converter) flag(text string) (on, ok bool) {
	if on, ok = c.flagsRead[text]; ok {
		return on, true
	}
	on, ok = c.yesOrNo(strings.TrimSuffix(text, "\ufe0f")) // the mark that asks for colour
	if ok && len(c.flagsRead) < maxKnown {
		c.flagsRead[strings.Clone(text)] = on
	}
	return on, ok
}

// yesOrNo is flag without its memory.
func (c *converter) yesOrNo(text string) (on, ok bool) {
	switch text {
	case "\u2713", "\u2714", "\u2611", "\u2705": // ticks
		return true, true
	case "\u2717", "\u2718", "\u2610", "\u274c": // crosses, and the box without a tick
		return false, true
	}
	// What folding drops must not make a word: "sí?" is a doubt, "s/" is without, "Nº" a number.
	if strings.ContainsAny(text, "?/\u00ba\u00b0\u2116") {
		return false, false
	}
	// Of numbers only 1 and 0 are flags, also as 1,00. Folded, 1/0 and -1 would be too.
	if strings.ContainsAny(text, "0123456789") {
		whole, decimals := text, ""
		if i := strings.IndexAny(text, ".,"); i >= 0 {
			whole, decimals = text[:i], text[i+1:]
		}
		return whole == "1", (whole == "0" || whole == "1") && allZeros(decimals)
	}
	on, ok = c.flags[fold(text)]
	return on, ok
}

// count is a quantity cell as it reads.
type count struct {
	units    int64 // rounded down, 0 where negative
	negative bool
	fraction bool // something was cut
}

// readCount reads a quantity where mark is the decimal one of its column; false when it is none, or not a clear one.
func readCount(text string, mark byte) (count, bool) {
	n, ok := scanNumeral(text, unitWords)
	// 12,000 that nothing explains is not read: twelve and twelve thousand are both likely. Where decimals are proved it is twelve:
	// scales and ERPs write three of them.
	if !ok || n.glued || n.doubtful(mark&^twoDecimals) || !n.reads(mark) {
		return count{}, false
	}
	whole, fraction, ok := n.floor(mark)
	if !ok {
		return count{}, false
	}
	if n.negative {
		return count{negative: whole > 0 || fraction}, true
	}
	return count{units: whole, fraction: fraction}, true
}

// readQuantity reads the stock cell into item; false rejects the row. Stock below zero is a booking that is late, and means that
// there is none.
func (c *converter) readQuantity(r table.Row, item *catalog.Item) bool {
	text, ok := c.said(r, c.quantity, catalog.Quantity, item)
	if !ok {
		return true
	}
	if code := noAmount(typed(r, c.quantity), catalog.QuantityText, catalog.QuantityText); code != "" {
		c.fail(r, c.quantity, code, excerpt(shown(r, c.quantity)))
		return false
	}
	n, ok := readCount(text, decimalMark(r, c.quantity))
	switch {
	case !ok:
		c.fail(r, c.quantity, catalog.QuantityText, excerpt(text))
		return false
	case n.negative:
		c.warn(r, c.quantity, catalog.QuantityNegative, excerpt(text))
	case n.fraction:
		c.note(r, c.quantity, catalog.QuantityFraction, excerpt(text), strconv.FormatInt(n.units, 10))
	}
	item.Quantity = n.units
	item.Set |= catalog.Quantity
	return true
}

// readMaxSales reads how many units one order may hold into item; false rejects the row. Zero is how ERPs say "no limit".
func (c *converter) readMaxSales(r table.Row, item *catalog.Item) bool {
	text, ok := c.said(r, c.maxSales, catalog.MaxSales, item)
	if !ok {
		return true
	}
	if code := noAmount(typed(r, c.maxSales), catalog.QuantityText, catalog.QuantityText); code != "" {
		c.fail(r, c.maxSales, code, excerpt(shown(r, c.maxSales)))
		return false
	}
	n, ok := readCount(text, decimalMark(r, c.maxSales))
	switch {
	case !ok || n.negative || n.fraction:
		c.fail(r, c.maxSales, catalog.QuantityText, excerpt(text))
		return false
	case n.units == 0:
		c.leaveBlank(catalog.MaxSales, item)
		return true
	}
	item.MaxSales = n.units
	item.Set |= catalog.MaxSales
	return true
}
