package feed

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"gondola/internal/catalog"
	"gondola/internal/table"
)

// gatherProofs is the first pass over the rows: it decides how each column of numbers is to be read.
func (c *converter) gatherProofs(ctx context.Context) error {
	// Columns that the config leaves to the evidence, those of prices whose decimal mark it tells, and those of dates.
	var open, told, dates []*column
	for _, col := range c.columns {
		switch col.Role {
		case RoleStart, RoleEnd:
			dates = append(dates, col) // whatever the config says of the order, the time of day is open
		case RolePrice, RoleQuantity, RoleMaxSales, roleEither,
			RoleOffer, RoleOfferPrice, RolePercent, RoleDiscount, RoleUsageLimit, RoleMaxOrders:
			var ok bool
			if col.convention, ok = configured(c.spec.Columns[string(col.Role)].Decimal); !ok {
				open = append(open, col)
			} else if col.Role == RolePrice || col.Role == RoleOfferPrice {
				told = append(told, col) // the mark says nothing about the currency
			}
			col.Decimal = col.convention.name()
		}
	}
	open = append(open, c.askedColumns()...)
	if len(open)+len(told)+len(dates) == 0 {
		return nil // one pass over the file saved
	}
	var seen ends
	err := c.each(ctx, slices.Concat(open, told, dates), func(r table.Row) error {
		if c.breaksOff(r, &seen) {
			return nil // what is left of a cell proves nothing
		}
		// Lines without identifier are totals and remarks: they prove nothing about the articles.
		if trim(cell(r, c.key)) == "" || c.tooLong(r) {
			return nil
		}
		c.shape(r)
		for _, col := range open {
			if text := unwrap(cell(r, col)); text != "" {
				col.weigh(text, r.Line, typed(r, col).Kind)
			}
		}
		for _, col := range told {
			col.weighCurrency(unwrap(cell(r, col)))
		}
		for _, col := range dates {
			c.weighDate(r, col)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, col := range open {
		c.settle(col)
	}
	c.settleDates(dates)
	return nil
}

// weigh takes one cell of an open column into account.
func (col *column) weigh(text string, line int, kind table.Kind) {
	words := unitWords
	switch col.Role {
	case RolePrice, RoleOfferPrice, RoleDiscount, roleFormula:
		n, ok := scanNumeral(text, currencyWords)
		if !ok {
			return
		}
		col.weighMoney(text, &n)
		if kind == table.Text {
			col.evidence.weigh(text, line, &n)
		}
		return
	case RoleOffer:
		text, words = bareAmount(text), currencyWords
	case RolePercent:
		return // below a hundred every mark is the decimal one
	}
	// Only how people and programs write numbers as text proves anything about how they do.
	if kind == table.Text {
		col.evidence.add(text, line, words)
	}
	if col.Role != roleEither || kind == table.ErrorValue || kind == table.Uncalculated {
		return
	}
	if kind == table.Bool {
		col.flags++
	} else if n, ok := scanNumeral(text, unitWords); !ok {
		col.flags++
	} else if n.core != "0" && n.core != "1" {
		col.counts++
	}
}

// weighCurrency counts an amount that is not in dollars or euros by its own words.
func (col *column) weighCurrency(text string) {
	if n, ok := scanNumeral(text, currencyWords); ok {
		col.weighMoney(text, &n)
	}
}

// weighMoney is weighCurrency for what was taken apart already.
func (col *column) weighMoney(text string, n *numeral) {
	if !reckoned(text) && !n.isZero() {
		col.local++
	}
}

// settle decides a column by its evidence.
func (c *converter) settle(col *column) {
	switch {
	case col.Role == RolePrice, col.Role == RoleOffer, col.Role == RoleOfferPrice, col.Role == RoleDiscount, col.Role == roleFormula:
		col.convention = col.evidence.decide()
	// A column of nothing but 0 and 1 is a flag: read as stock, a single piece would lie at or below the platform's sales buffer
	// and switch the article off.
	case col.Role == roleEither && (col.flags > 0 || col.counts == 0):
		c.settleEither(col, RoleActive)
		return
	case col.Role == roleEither:
		c.settleEither(col, RoleQuantity)
		col.convention, _ = configured(c.spec.Columns[string(RoleQuantity)].Decimal)
		if col.convention.mark != noMark {
			break
		}
		fallthrough // a count like any other
	default:
		col.convention = col.evidence.decideQuantity()
	}
	col.Decimal, col.Proof, col.ProofRow = col.convention.name(), col.convention.text, col.convention.row
}

// settleEither gives the column its role, now that its cells told which one, unless another column has it already.
func (c *converter) settleEither(col *column, role Role) {
	if other := c.column(role); other != nil {
		c.refuse(catalog.HeadTwice, string(role), excerpt(other.Name), excerpt(col.Name))
		return
	}
	col.Role = role
	c.bind()
}

// readRows is the second pass: it reads every row and hands its records on.
func (c *converter) readRows(ctx context.Context) error {
	columns := slices.Concat(c.columns, c.askedColumns())
	if c.rules != nil {
		for _, set := range c.rules.sets {
			columns = append(columns, set.columns...)
		}
	}
	return c.each(ctx, columns, c.row)
}

// row reads one row: first whether it is about an article at all, then which store and which article, then what it says.
func (c *converter) row(r table.Row) error {
	switch {
	case c.isTotal(r):
		c.note(r, nil, catalog.RowTotal, excerpt(r.Cells[firstFilled(r.Cells)]))
		return nil
	case c.breaksOff(r, &c.ends):
		return c.cutRow(r)
	case c.isRemark(r), c.isHeaderAgain(r), c.isPage(r), c.isHeading(r):
		return nil
	}
	c.res.Rows++
	c.open(r)
	if r.Hidden { // a filter that somebody left on hides articles and does not take them away
		c.hidden++
	}
	if c.tooLong(r) {
		return c.longRow(r)
	}
	if c.watch != nil {
		c.watch(r)
	}
	if r.Typed == nil && len(r.Cells) <= c.last { // a sheet has no cells where nothing was entered
		c.warn(r, nil, catalog.RowShort, strconv.Itoa(len(r.Cells)), strconv.Itoa(len(c.header.names)))
	}
	stores, known := c.storesOf(r, true)
	if known {
		if stores = c.offered(r, stores); len(stores) == 0 {
			c.res.Rows--
			return nil
		}
	}
	item, hasKey := c.identify(r, true)
	switch {
	case !known:
		// The row may be about any store, unless it names one that is not ours. Even with its identifier nobody knows where the
		// article must not count as missing.
		if trim(cell(r, c.vendor)) == "" {
			c.res.Keyless[catalog.AllVendors]++
		}
	case !hasKey:
		c.keyless(stores)
	default:
		return c.fields(r, item, stores)
	}
	c.res.Rejected++
	return nil
}

// fields reads what the row says about its article, and hands it on for every store that it is about.
func (c *converter) fields(r table.Row, item catalog.Item, stores []string) error {
	if c.promotions() {
		return c.promotion(r, item, stores)
	}
	if c.rules != nil {
		return c.ruled(r, item, stores)
	}
	full, ok := c.readFields(r, item)
	if !ok {
		c.res.Rejected++
		return c.handOn(stores, Record{Item: item, Row: r.Line, Rejected: true})
	}
	c.res.Records += len(stores)
	return c.handOn(stores, Record{Item: full, Row: r.Line})
}

// readFields reads the cells about the article; false rejects the row. Every cell is read even after a wrong one, so that a person gets
// to know all that is wrong at once.
func (c *converter) readFields(r table.Row, item catalog.Item) (catalog.Item, bool) {
	ok := c.readPrice(r, &item)
	ok = c.readActive(r, &item) && ok
	ok = c.readQuantity(r, &item) && ok
	ok = c.readMaxSales(r, &item) && ok
	c.trace.cells(item)
	return item, ok
}

// handOn calls emit once for each store.
func (c *converter) handOn(stores []string, r Record) error {
	for _, id := range stores {
		r.Vendor = id
		if err := c.emit(r); err != nil {
			return fmt.Errorf("hand on row %d: %w", r.Row, err)
		}
	}
	return nil
}

// tooLong reports whether the row has something to say beyond the last header. In a sheet cells don't shift: what stands beside the
// table there is a remark.
func (c *converter) tooLong(r table.Row) bool {
	return r.Typed == nil && len(r.Cells) > len(c.header.names) && firstFilled(r.Cells[len(c.header.names):]) >= 0
}

// longRow rejects a row whose cells have shifted, most likely by a delimiter inside a text that is not quoted. Store and identifier
// are believed only where they stand before every such text.
func (c *converter) longRow(r table.Row) error {
	c.fail(r, nil, catalog.RowLong, strconv.Itoa(len(r.Cells)), strconv.Itoa(len(c.header.names)))
	c.res.Rejected++
	stores, known := c.storesOf(r, false)
	if !known || c.vendor != nil && !c.unshifted(c.vendor) {
		c.res.Keyless[catalog.AllVendors]++
		return nil
	}
	item, hasKey := c.identify(r, false)
	if !hasKey || !c.unshifted(c.key) {
		c.keyless(stores)
		return nil
	}
	// The other identifier stands where the shift may have reached it.
	if c.spec.By == catalog.ByBarcode {
		item.SKU = ""
	} else {
		item.Barcode = ""
	}
	return c.handOn(stores, Record{Item: item, Row: r.Line, Rejected: true})
}

// unshifted reports whether nothing but stores and identifiers stands before the column.
func (c *converter) unshifted(col *column) bool {
	before := 0
	for _, other := range []*column{c.sku, c.barcode, c.vendor} {
		if other != nil && other.Index < col.Index {
			before++
		}
	}
	return before == col.Index
}

// keyless counts a row whose article nobody knows, for each store that it is about.
func (c *converter) keyless(stores []string) {
	for _, id := range stores {
		c.res.Keyless[id]++
	}
}

// isRemark reports whether the row is a line of text between the articles: none of its cells that have a role say anything, but
// perhaps the store's, and that one names no store.
func (c *converter) isRemark(r table.Row) bool {
	for _, col := range c.columns {
		text := cell(r, col)
		if col != c.vendor && trim(text) != "" || col == c.vendor && trim(text) != "" && c.stores.find(text) != noStore {
			return false
		}
	}
	return true
}

// storesOf returns the ids of the stores that the row is about, and false when it names none of ours. The slice is valid until the
// next call. tell says whether to report what is wrong.
func (c *converter) storesOf(r table.Row, tell bool) ([]string, bool) {
	if c.vendor == nil {
		return c.fixed, true
	}
	text := shown(r, c.vendor) // 001 where that is what the format makes of 1
	i := noStore
	if trim(text) != "" {
		i = c.stores.find(text)
	}
	if i != noStore {
		if id := c.spec.Vendors[i].ID; c.one[0] != id {
			c.one[0] = id
			c.occurs[id] = true
		}
		return c.one[:], true
	}
	switch {
	case !tell:
	case trim(text) == "":
		c.fail(r, c.vendor, catalog.VendorMissing)
	case unreadable(typed(r, c.vendor)) != "":
		c.fail(r, c.vendor, unreadable(typed(r, c.vendor)), excerpt(text))
	default:
		c.fail(r, c.vendor, catalog.VendorUnknown, excerpt(text))
	}
	return nil, false
}

// identify reads SKU and barcode, and returns false when the row has no identifier. The one that only is an attribute is dropped
// where it is wrong. tell says whether to report what is wrong.
func (c *converter) identify(r table.Row, tell bool) (catalog.Item, bool) {
	var item catalog.Item
	text, wrong := identifier(r, c.sku, catalog.KeyInvalid, catalog.KeyInvalid)
	var ok bool
	if item.SKU, ok = readSKU(text); !ok {
		wrong = catalog.KeyInvalid
	}
	if tell {
		c.tellIdentity(r, c.sku, wrong, item.SKU == "")
	}
	text, wrong = identifier(r, c.barcode, catalog.BarcodeLost, catalog.BarcodeLength)
	if text != c.barcodeCell || text == "" { // an article comes once for each store, often in a row
		c.barcodeCell, c.barcodeRead = text, c.spec.InStore.read(text)
	}
	read := c.barcodeRead
	item.Barcode = read.digits
	zeros := read.code == catalog.BarcodeZeros
	if wrong == "" && !zeros {
		wrong = read.code
	}
	if tell {
		c.tellIdentity(r, c.barcode, wrong, item.Barcode == "")
		if zeros {
			c.note(r, c.barcode, read.code, excerpt(text), read.digits)
		}
	}
	return item, item.Key(c.spec.By) != ""
}

// tellIdentity reports what is wrong with one identifier: an error where it is the key, else a warning. A key must be there.
func (c *converter) tellIdentity(r table.Row, col *column, wrong catalog.Code, blank bool) {
	switch {
	case col == nil:
	case wrong != "" && col == c.key:
		c.fail(r, col, wrong, excerpt(shown(r, col)))
	case wrong != "":
		c.warn(r, col, wrong, excerpt(shown(r, col)))
	case blank && col == c.key:
		c.fail(r, col, catalog.KeyMissing, string(col.Role))
	}
}

// note, warn and fail add an issue about the row, or about its cell in col where col is not nil. Only fail rejects anything, and
// it is the caller's to do so.
func (c *converter) note(r table.Row, col *column, code catalog.Code, args ...string) {
	c.tell(r, col, catalog.Issue{Code: code, Severity: catalog.Note, Args: args})
}

func (c *converter) warn(r table.Row, col *column, code catalog.Code, args ...string) {
	c.tell(r, col, catalog.Issue{Code: code, Severity: catalog.Warning, Args: args})
}

func (c *converter) fail(r table.Row, col *column, code catalog.Code, args ...string) {
	c.tell(r, col, catalog.Issue{Code: code, Severity: catalog.Error, Args: args})
}

func (c *converter) tell(r table.Row, col *column, is catalog.Issue) {
	is.Row = r.Line
	if col != nil {
		is.Column = col.Name
	}
	c.add(is)
}
