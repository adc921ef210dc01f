package feed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gondola/internal/catalog"
	"gondola/internal/table"
)

// checkEvery is how many rows pass between two looks at the context.
const checkEvery = 1024

// converter is one call of Convert: its steps share what they find out in it. It belongs to one goroutine and is used once.
type converter struct {
	spec     Spec
	emit     func(Record) error
	watch    func(table.Row) // where not nil, sees every row about an article whose cells have not shifted
	headings headings
	stores   *directory
	journal  *journal
	trace    *tracer // nil where nobody looks
	res      Result

	sheets  []*table.Sheet
	sheet   *table.Sheet // the one with the articles; nil until it is found
	header  headerRow
	columns []*column // those with a role
	last    int       // the largest index of them
	keys    keyShape
	// The columns by role, nil where there is none. key is sku or barcode.
	key, sku, barcode, price, active, quantity, maxSales, vendor *column
	promo                                                        promotionColumns

	flags     map[string]bool    // what stands for yes and no, folded
	flagsRead map[string]bool    // the same as the export writes it
	fixed     []string           // the stores of every row, nil when a column tells
	occurs    map[string]bool    // ids of the stores that occur
	one       [1]string          // the store of one row
	hidden    int                // rows about articles that are hidden
	ends      ends               // of the rows read so far
	rules     *ruler             // nil where there are none
	asked     map[string]*column // those that only formulas ask for, by squeezed header
	scratch   []byte

	barcodeCell string // the last barcode
	barcodeRead barcodeReading

	offersRead map[string]wording     // offers in words as the export writes them, each told once
	datesRead  map[string]dateReading // dates likewise; the zero value is none
}

// newConverter prepares everything that does not depend on the file.
func newConverter(spec Spec, emit func(Record) error) *converter {
	c := &converter{
		spec: spec, emit: emit, headings: newHeadings(spec), stores: newDirectory(spec.Vendors), journal: newJournal(),
		flags: map[string]bool{}, flagsRead: map[string]bool{}, occurs: map[string]bool{},
		offersRead: map[string]wording{}, datesRead: map[string]dateReading{},
		rules: newRuler(spec.Rules), asked: map[string]*column{},
	}
	c.res.Keyless = map[string]int{}
	for _, w := range yesWords {
		c.flags[fold(w)] = true
	}
	for _, w := range noWords {
		c.flags[fold(w)] = false
	}
	return c
}

// convert runs the steps: each may refuse the export, and then the later ones don't happen.
func (c *converter) convert(ctx context.Context, path, name string) (err error) {
	// The name is judged first: when it does not tell the store, nothing in the file can.
	if c.fixStores(name); c.res.Refused {
		return nil
	}
	t, err := table.Open(path, table.Options{Encoding: c.spec.Encoding})
	if err != nil {
		return c.readFailed(name, err)
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	c.sheets = t.Sheets()
	for _, step := range []func(context.Context) error{c.findHeader, c.gatherProofs, c.readRows} {
		if err := step(ctx); err != nil {
			return c.readFailed(name, err)
		}
		if c.res.Refused {
			return nil
		}
	}
	c.conclude()
	return nil
}

// fixStores finds out which stores every row is about, where the rows themselves don't tell.
func (c *converter) fixStores(name string) {
	switch source := c.spec.Source; {
	case source.All:
		c.fixed = []string{catalog.AllVendors}
	case len(source.IDs) > 0:
		c.fixed = source.IDs
	case source.FileName != nil:
		id, found, ok := c.stores.fromName(source, name)
		if !ok {
			c.refuse(catalog.VendorName, name, excerpt(found))
			return
		}
		c.fixed = []string{id}
	}
	for _, id := range c.fixed {
		c.occurs[id] = true
	}
	if c.rules != nil {
		c.rules.fix(c.fixed)
	}
}

// readFailed turns what the table refuses into an issue, and anything else into an error.
func (c *converter) readFailed(name string, err error) error {
	refusal, ok := errors.AsType[*table.Refusal](err)
	if !ok {
		return fmt.Errorf("convert %q: %w", name, err)
	}
	is := catalog.Issue{Severity: catalog.Error, Args: refusal.Args}
	switch refusal.Kind {
	case table.RefusedEmpty:
		is.Code = catalog.FileEmpty
	case table.RefusedKind:
		is.Code = catalog.FileKind
	case table.RefusedEncoding:
		is.Code, is.Args, is.Row = catalog.FileEncoding, refusal.Args[:2], atLine(refusal.Args[2:])
	case table.RefusedLimit:
		is.Code, is.Args, is.Row = catalog.FileLimit, refusal.Args[:2], atLine(refusal.Args[2:])
	case table.RefusedQuote:
		is.Code, is.Args, is.Row = catalog.FileQuote, nil, atLine(refusal.Args)
	case table.RefusedGuess:
		is.Code, is.Args, is.Row = catalog.FileGuess, refusal.Args[:4], atLine(refusal.Args[4:])
	case table.RefusedNUL:
		is.Code, is.Args, is.Row = catalog.FileNUL, nil, atLine(refusal.Args)
	case table.RefusedDamaged:
		is.Code, is.Args, is.Row = catalog.FileDamaged, refusal.Args[:1], atLine(refusal.Args[1:])
	}
	c.add(is)
	c.res.Refused = true
	return nil
}

// atLine reads the line number in a refusal's arguments; 0, the whole export, where there is none.
func atLine(args []string) int {
	if len(args) == 0 {
		return 0
	}
	line, err := strconv.Atoi(args[0])
	if err != nil {
		return 0
	}
	return line
}

// bind makes the columns known by their roles, and checks that those are there without which the export says nothing.
func (c *converter) bind() {
	c.sku, c.barcode = c.column(RoleSKU), c.column(RoleBarcode)
	c.price, c.active = c.column(RolePrice), c.column(RoleActive)
	c.quantity, c.maxSales = c.column(RoleQuantity), c.column(RoleMaxSales)
	c.vendor = c.column(RoleVendor)
	if c.key = c.sku; c.spec.By == catalog.ByBarcode {
		c.key = c.barcode
	}
	if c.key == nil {
		c.refuse(catalog.HeadMissing, append([]string{string(keyRole(c.spec.By))}, c.header.listed()...)...)
		return
	}
	for _, col := range c.columns {
		c.last = max(c.last, col.Index)
	}
	if c.promotions() {
		c.bindPromotions()
		return
	}
	c.res.Owned = 0 // bind is called again when a column of roleEither has got its role
	for field, col := range map[catalog.Fields]*column{
		catalog.Price: c.price, catalog.Active: c.active, catalog.Quantity: c.quantity, catalog.MaxSales: c.maxSales,
	} {
		if col != nil {
			c.res.Owned |= field
		}
	}
	if c.res.Owned == 0 && c.column(roleEither) == nil && !c.rules.gives() {
		c.refuse(catalog.HeadNothing, c.header.listed()...)
	}
	c.ownByRules()
}

// column returns the column with the role, nil when there is none.
func (c *converter) column(role Role) *column {
	for _, col := range c.columns {
		if col.Role == role {
			return col
		}
	}
	return nil
}

// each calls do for every row below the header that is not blank, with at least the cells of some columns.
func (c *converter) each(ctx context.Context, columns []*column, do func(table.Row) error) (err error) {
	rows, err := c.rows(columns)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for n := 1; rows.Next(); n++ {
		if n%checkEvery == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r := rows.Row()
		// Rows above the header are titles; their lines are smaller, because lines only grow.
		if r.Line <= c.header.line || firstFilled(r.Cells) < 0 {
			continue
		}
		if err := do(r); err != nil {
			return err
		}
	}
	return rows.Err()
}

// rows begins a pass over the rows. Where nobody looks at them beside the converter, only the cells of some columns are asked for, and
// the identifier's.
func (c *converter) rows(columns []*column) (table.Rows, error) {
	if c.watch != nil || c.trace != nil {
		return c.sheet.Rows()
	}
	want := table.Selection{Cells: []int{c.key.Index}, Key: c.key.Index, IsKey: isPlainKey, Width: len(c.header.names)}
	for _, col := range columns {
		want.Cells = append(want.Cells, col.Index)
	}
	return c.sheet.RowsOf(want)
}

// isPlainKey reports whether a cell can be nothing but the identifier of an article: such a row is no total, no title, no page and no
// remark, whatever else stands in it.
func isPlainKey(cell []byte) bool {
	digit := false
	for _, b := range cell {
		switch {
		case isDigit(b):
			digit = true
		case b >= 'A' && b <= 'Z', b >= 'a' && b <= 'z', b == '-', b == '_':
		default:
			return false
		}
	}
	return digit
}

// conclude says what only the whole export can tell.
func (c *converter) conclude() {
	good := c.res.Rows - c.res.Rejected
	if c.hidden > 0 {
		c.add(catalog.Issue{Code: catalog.RowHidden, Severity: catalog.Note, Args: []string{strconv.Itoa(c.hidden)}})
	}
	switch {
	case c.res.Rows == 0:
		c.refuse(catalog.FileNoRows)
	case good == 0:
		c.refuse(catalog.DropNoGood, strconv.Itoa(c.res.Rows))
	// Only a column of stores lets one forget a store. A store that is missing is told and nothing more: to switch off a whole
	// shop because an export was cut off would be the worst reading of it.
	case c.spec.Full && c.vendor != nil && c.fixed == nil:
		for _, v := range c.spec.Vendors {
			if !c.occurs[v.ID] {
				c.add(catalog.Issue{Code: catalog.VendorAbsent, Severity: catalog.Warning, Args: []string{v.ID, v.Name}})
			}
		}
	}
}

// refuse rejects the export as a whole.
func (c *converter) refuse(code catalog.Code, args ...string) {
	c.res.Refused = true
	c.add(catalog.Issue{Code: code, Severity: catalog.Error, Args: args})
}

// add notes an issue, with the sheet that it is about.
func (c *converter) add(is catalog.Issue) {
	if c.sheet != nil {
		is.Sheet = c.sheet.Name
	}
	c.trace.add(is)
	c.journal.add(is)
}

// result puts together what was found out so far; it makes sense after an error too.
func (c *converter) result() Result {
	res := c.res
	res.Issues, res.Counts = c.journal.list(), c.journal.counts
	for _, role := range c.headings.order {
		if col := c.column(role); col != nil {
			res.Header.Columns = append(res.Header.Columns, col.HeaderColumn)
		}
	}
	if c.occurs[catalog.AllVendors] {
		res.Vendors = []string{catalog.AllVendors}
	}
	for _, v := range c.spec.Vendors {
		if c.occurs[v.ID] {
			res.Vendors = append(res.Vendors, v.ID)
		}
	}
	return res
}

// cell returns the row's cell in the column, "" where there is no such column or the row ends before it.
func cell(r table.Row, col *column) string {
	if col == nil || col.Index >= len(r.Cells) {
		return ""
	}
	return r.Cells[col.Index]
}

// isTotal reports whether the row is one of totals: its first word says so, and it has no identifier besides.
func (c *converter) isTotal(r table.Row) bool {
	at := firstFilled(r.Cells)
	// The first letter spares nearly every row the folding.
	text := unwrap(r.Cells[at])
	if at == c.key.Index && isDepartmentTotal(text) {
		return true
	}
	if text == "" || !strings.ContainsRune("tTsSgG", rune(text[0])) {
		return false
	}
	if trim(cell(r, c.key)) != "" && at != c.key.Index {
		return false
	}
	c.scratch = appendFold(c.scratch[:0], text)
	return slices.ContainsFunc(totalWords, func(w string) bool {
		if len(c.scratch) < len(w) || string(c.scratch[:len(w)]) != w {
			return false
		}
		// TOTAL-5 may be an identifier, "Total:" and "Total 6.000 artículos" are none.
		return len(text) == len(w) || text[len(w)] == ' ' || text[len(w)] == ':' || text[len(w)] == '.'
	})
}

// isHeaderAgain reports whether the row is the header once more, as reports print it on every page; or one row of it, where it has two.
func (c *converter) isHeaderAgain(r table.Row) bool {
	if c.header.rows == nil {
		return c.repeats(r, c.header.names)
	}
	return slices.ContainsFunc(c.header.rows, func(names []string) bool { return c.repeats(r, names) })
}

// repeats reports whether the row has these names where its columns have a role.
func (c *converter) repeats(r table.Row, names []string) bool {
	some := false
	for _, col := range c.columns {
		name := ""
		if col.Index < len(names) {
			name = names[col.Index]
		}
		if !strings.EqualFold(trim(cell(r, col)), name) {
			return false
		}
		some = some || name != ""
	}
	return some
}
