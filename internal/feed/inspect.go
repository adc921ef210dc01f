package feed

import (
	"context"
	"slices"

	"gondola/internal/table"
)

// MaxStoreCells is how many different cells of a column of stores an Inspection lists. More are no stores.
const MaxStoreCells = 500

// Inspection is how an export was understood, for a person who sets up a feed for it.
type Inspection struct {
	Result Result
	// Columns are all columns of the header. Those that are ignored have no Role. Those for which the headers alone don't decide have
	// one and no How: two that mean the same, and one that may be a flag or a count (its Role is both names) and was never asked,
	// because the export was refused before.
	Columns []HeaderColumn
	// Stores are the columns that tell the store. Where the spec takes the rows for every store, they are those whose header is a
	// known word for it, and have RoleVendor in Columns though nothing was read by them: that the config has to say.
	Stores []StoreColumn
}

// StoreColumn is a column that tells the store, and what stands in it.
type StoreColumn struct {
	Name  string // the header as written
	Cells []StoreCell
	More  bool // there are more than MaxStoreCells
}

// StoreCell is what one or more rows call their store.
type StoreCell struct {
	Text   string // as a person sees it
	Vendor string // the store's id; "" where the spec knows no such store
	Rows   int
}

// Inspect is Convert for looking: it also tells of the columns that have no role, and what the stores are called.
func Inspect(ctx context.Context, spec Spec, path, name string, emit func(Record) error) (Inspection, error) {
	c := newConverter(spec, emit)
	l := &storeList{c: c}
	c.watch = l.add
	err := c.convert(ctx, path, name)
	l.find() // no row was asked where there are none
	found := Inspection{Result: c.result(), Columns: c.allColumns(), Stores: l.columns}
	for _, i := range l.at {
		found.Columns[i].Role = RoleVendor
		if c.vendor == nil && len(l.at) == 1 {
			found.Columns[i].How = HowName
		}
	}
	return found, err
}

// allColumns returns every column of the header, with what is known of it.
func (c *converter) allColumns() []HeaderColumn {
	all := make([]HeaderColumn, len(c.header.names))
	for i, name := range c.header.names {
		all[i] = HeaderColumn{Name: name, Index: i}
	}
	at := map[Role]int{}
	for _, col := range c.columns {
		all[col.Index], at[col.Role] = col.HeaderColumn, col.Index
		if col.Role == roleEither {
			all[col.Index].How = ""
		}
	}
	// What is left over with a known word means the same as a column that has its role by name.
	for i, name := range c.header.names {
		role, _ := c.headings.role(name)
		if first, ok := at[role]; ok && all[i].Role == "" && all[first].How != HowConfig {
			all[i].Role, all[first].How = role, ""
		}
	}
	return all
}

// storeList gathers what stands in the columns that tell the store.
type storeList struct {
	c       *converter
	found   bool // at and columns are filled in
	at      []int
	columns []StoreColumn
}

// find finds the columns, once: the one of the spec, or those that look like it where the spec has no use for one. An export for
// fixed stores may have such a column for something else.
func (l *storeList) find() {
	if l.found {
		return
	}
	l.found = true
	for i, name := range l.c.header.names {
		if l.tells(i, name) {
			l.at, l.columns = append(l.at, i), append(l.columns, StoreColumn{Name: name})
		}
	}
}

func (l *storeList) tells(i int, name string) bool {
	if !l.c.spec.Source.All {
		return l.c.vendor != nil && l.c.vendor.Index == i
	}
	taken := slices.ContainsFunc(l.c.columns, func(col *column) bool { return col.Index == i })
	return !taken && l.c.headings.words[squeeze(name)] == RoleVendor
}

// add takes one row about an article into account.
func (l *storeList) add(r table.Row) {
	l.find()
	for n, at := range l.at {
		text := excerpt(unwrap(r.Shown(at)))
		if text == "" {
			continue
		}
		s := &l.columns[n]
		i := slices.IndexFunc(s.Cells, func(cell StoreCell) bool { return cell.Text == text })
		switch {
		case i >= 0:
			s.Cells[i].Rows++
		case len(s.Cells) == MaxStoreCells:
			s.More = true
		default:
			s.Cells = append(s.Cells, StoreCell{Text: text, Vendor: l.vendor(r.Shown(at)), Rows: 1})
		}
	}
}

// vendor returns the id of the store that a cell means, "" where there is none.
func (l *storeList) vendor(cell string) string {
	if i := l.c.stores.find(cell); i != noStore {
		return l.c.spec.Vendors[i].ID
	}
	return ""
}
