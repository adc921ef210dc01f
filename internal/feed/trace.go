package feed

import (
	"context"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"gondola/internal/catalog"
	"gondola/internal/table"
)

// Trace is one row of an export for one store or several: what stands in it, and what became of that, step by step.
type Trace struct {
	Row    int
	Sheet  string // "" of a text file
	Stores []string
	Cells  []TracedCell
	Steps  []Step
	// Record is what was handed on, without a store; of a row that rules leave out it has the identity alone.
	Record   Record
	Excluded bool // rules leave the row out
	Issues   []catalog.Issue
}

// TracedCell is a cell that was looked at.
type TracedCell struct {
	Cell   string // as spreadsheets name it: B17
	Header string
	Role   Role   // of a column that only rules ask for, what they ask it for
	Text   string // as a person sees it
}

// Step is one thing that was done to a field.
type Step struct {
	Rule   string // the key below the feed's rules; "read" for what the cell was understood as
	Field  string // as the config's columns spell it
	Before string // what it was; "" = nothing
	After  string // what it is from here on; "" = nothing
}

// StepRead is the rule of the first step of a field.
const StepRead = "read"

// Explain is Convert for looking at single articles: it returns what became of every row about one that is wanted.
func Explain(ctx context.Context, spec Spec, path, name string, wanted func(catalog.Item) bool) ([]Trace, Result, error) {
	t := &tracer{wanted: wanted}
	c := newConverter(spec, t.emit)
	t.c, c.trace, c.watch = c, t, t.begin
	err := c.convert(ctx, path, name)
	return t.found, c.result(), err
}

// tracer gathers what becomes of rows. A nil one, which every conversion has that nobody looks at, does nothing.
type tracer struct {
	c      *converter
	wanted func(catalog.Item) bool
	found  []Trace

	row    table.Row // the current one; valid until the next
	steps  []Step    // of the current group of stores
	read   []Step    // of the row, whatever the store
	issues []catalog.Issue
}

// begin takes the next row.
func (t *tracer) begin(r table.Row) { t.row, t.steps, t.read, t.issues = r, nil, nil, nil }

// group begins the steps of stores that share their rules.
func (t *tracer) group() {
	if t != nil {
		t.steps = nil
	}
}

// add keeps an issue of the current row.
func (t *tracer) add(is catalog.Issue) {
	if t != nil && is.Row != 0 && is.Row == t.row.Line {
		t.issues = append(t.issues, is)
	}
}

// step adds a step, unless it changed nothing.
func (t *tracer) step(rule, field, before, after string) {
	if t != nil && before != after {
		t.steps = append(t.steps, Step{rule, field, before, after})
	}
}

// fields adds a step for each field that a rule has changed.
func (t *tracer) fields(rule string, before, after catalog.Item) {
	if t == nil {
		return
	}
	for _, f := range [...]catalog.Fields{catalog.Price, catalog.Active, catalog.Quantity, catalog.MaxSales} {
		t.step(rule, f.Names()[0], fieldText(before, f), fieldText(after, f))
	}
}

// fieldText returns a field's value, "" where it has none.
func fieldText(it catalog.Item, f catalog.Fields) string {
	switch {
	case !it.Set.Has(f):
		return ""
	case f == catalog.Price:
		return it.Price.String()
	case f == catalog.Active:
		return strconv.FormatBool(it.Active)
	case f == catalog.Quantity:
		return strconv.FormatInt(it.Quantity, 10)
	}
	return strconv.FormatInt(it.MaxSales, 10)
}

// cells adds a step for each cell that was understood as a field.
func (t *tracer) cells(item catalog.Item) {
	if t == nil {
		return
	}
	for _, one := range []struct {
		field catalog.Fields
		col   *column
	}{{catalog.Price, t.c.price}, {catalog.Active, t.c.active}, {catalog.Quantity, t.c.quantity}, {catalog.MaxSales, t.c.maxSales}} {
		if one.col != nil && item.Set.Has(one.field) {
			t.read = append(t.read, Step{StepRead, one.field.Names()[0], excerpt(shown(t.row, one.col)), fieldText(item, one.field)})
		}
	}
}

// excluded keeps a row that rules leave out, if its article is wanted.
func (t *tracer) excluded(r table.Row, stores []string, word string) {
	if t == nil {
		return
	}
	item, ok := t.c.identify(r, false)
	if !ok || !t.wanted(item) {
		return
	}
	t.keep(Record{Item: item, Row: r.Line}, stores, []Step{{Rule: "exclude", Before: word}}, true)
}

// emit takes what is handed on.
func (t *tracer) emit(r Record) error {
	if !t.wanted(r.Item) {
		return nil
	}
	if last := len(t.found) - 1; last >= 0 && t.found[last].Row == r.Row && !t.found[last].Excluded && t.sameGroup(last) {
		t.found[last].Stores = append(t.found[last].Stores, r.Vendor)
		return nil
	}
	if t.row.Line != r.Row { // its cells have shifted
		t.begin(table.Row{})
	}
	t.keep(r, []string{r.Vendor}, t.steps, false)
	return nil
}

// sameGroup reports whether the last trace is of stores for which the same was done.
func (t *tracer) sameGroup(last int) bool {
	return slices.Equal(t.found[last].Steps, append(slices.Clone(t.read), t.steps...))
}

func (t *tracer) keep(r Record, stores []string, steps []Step, excluded bool) {
	r.Vendor = ""
	r.Item.SKU, r.Item.Barcode = strings.Clone(r.Item.SKU), strings.Clone(r.Item.Barcode)
	found := Trace{
		Row: r.Row, Stores: slices.Clone(stores), Record: r, Excluded: excluded, Issues: t.issues, Cells: t.looked(),
		Steps: append(slices.Clone(t.read), steps...),
	}
	if t.c.sheet != nil {
		found.Sheet = t.c.sheet.Name
	}
	t.found = append(t.found, found)
}

// looked returns the cells of the current row that have a say in it, from left to right.
func (t *tracer) looked() []TracedCell {
	if t.row.Line == 0 {
		return nil
	}
	roles := map[int]Role{}
	look := func(columns []*column, as func(*column) Role) {
		for _, col := range columns {
			if _, known := roles[col.Index]; !known {
				roles[col.Index] = as(col)
			}
		}
	}
	own := func(col *column) Role { return col.Role }
	look(t.c.columns, own)
	look(t.c.askedColumns(), own)
	if t.c.rules != nil {
		for _, set := range t.c.rules.sets {
			look(set.columns, func(*column) Role { return roleExcluded })
		}
	}
	cells := make([]TracedCell, 0, len(roles))
	for _, i := range slices.Sorted(maps.Keys(roles)) {
		cells = append(cells, TracedCell{
			Cell: cellName(i, t.row.Line), Header: t.c.header.names[i], Role: roles[i], Text: excerpt(t.row.Shown(i)),
		})
	}
	return cells
}

// cellName names a cell as spreadsheets do. The first column is 0, the first row 1.
func cellName(column, row int) string {
	letters := ""
	for n := column + 1; n > 0; n = (n - 1) / 26 {
		letters = string(rune('A'+(n-1)%26)) + letters
	}
	return letters + strconv.Itoa(row)
}

// text returns the amount with as many decimals as it has, up to six.
func (e exact) text() string {
	n := new(big.Int).Lsh(new(big.Int).SetUint64(e.hi), 64)
	n.Add(n, new(big.Int).SetUint64(e.lo))
	text := new(big.Rat).SetFrac(n, new(big.Int).Mul(new(big.Int).SetUint64(e.den), big.NewInt(1000))).FloatString(6)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".")
}

// amount is step for prices that are not rounded yet.
func (t *tracer) amount(rule string, before, after exact) {
	if t != nil {
		t.step(rule, string(RolePrice), before.text(), after.text())
	}
}
