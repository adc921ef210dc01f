package feed

import (
	"strings"

	"gondola/internal/catalog"
)

// noStore is what finding a store returns when none is meant, or more than one could be.
const noStore = -1

// maxKnown bounds how many different cells are remembered, so that a column of garbage does not fill the memory.
const maxKnown = 4096

// directory finds stores by what an export calls them.
type directory struct {
	vendors []catalog.Vendor
	codes   map[string]int // by ERP code
	ids     map[string]int
	names   map[string]int // by folded code, id and name
	numbers map[string]int // by code and id that are numbers, without leading zeros
	known   map[string]int // what was asked before

	last  string // what was asked last
	found int    // and the answer
}

// newDirectory enters every store under all that it may be called.
func newDirectory(vendors []catalog.Vendor) *directory {
	d := &directory{
		vendors: vendors, codes: map[string]int{}, ids: map[string]int{}, names: map[string]int{}, numbers: map[string]int{},
		known: map[string]int{}, found: noStore,
	}
	for i, v := range vendors {
		enter(d.codes, v.ERPCode, i)
		enter(d.ids, v.ID, i)
		for _, name := range []string{v.ERPCode, v.ID, v.Name} {
			enter(d.names, fold(name), i)
		}
		for _, code := range []string{v.ERPCode, v.ID} {
			if isNumber(code) {
				enter(d.numbers, significant(code), i)
			}
		}
	}
	return d
}

// enter notes that a store goes by key; a key of two stores is nobody's.
func enter(m map[string]int, key string, i int) {
	if key == "" {
		return
	}
	if other, ok := m[key]; ok && other != i {
		i = noStore
	}
	m[key] = i
}

// find returns the index of the store that the cell means, or noStore. What is written exactly wins over what is written alike, and
// the ERP's code over the id, because the export is the ERP's. "1" means "001" only where no other store goes by that number.
func (d *directory) find(cell string) int {
	if cell == d.last {
		return d.found // every row asks twice, and many rows in a row are of one store
	}
	i, ok := d.known[cell]
	if !ok {
		i = d.lookUp(unwrap(cell))
		if len(d.known) < maxKnown {
			d.known[strings.Clone(cell)] = i
		}
	}
	d.last, d.found = cell, i
	return i
}

// lookUp is find without memory, from the exact to the alike. A key of two stores ends the search: it must not become clear by
// chance further down.
func (d *directory) lookUp(s string) int {
	if i, ok := d.codes[s]; ok {
		return i
	}
	if i, ok := d.ids[s]; ok {
		return i
	}
	if i, ok := d.names[fold(s)]; ok {
		return i
	}
	if isNumber(s) {
		if i, ok := d.numbers[significant(s)]; ok {
			return i
		}
	}
	return noStore
}

// fromName returns the store that a file's name tells, what was found in the name, and whether there is such a store.
func (d *directory) fromName(source VendorSource, name string) (id, found string, ok bool) {
	match := source.FileName.FindStringSubmatch(name)
	if match == nil {
		return "", "", false
	}
	for i, group := range source.FileName.SubexpNames() {
		if (group == groupCode || group == groupID) && match[i] != "" {
			found = match[i]
			break
		}
	}
	if i := d.find(found); found != "" && i != noStore {
		return d.vendors[i].ID, found, true
	}
	return "", found, false
}

// The groups of VendorSource.FileName.
const (
	groupCode = "erp_code"
	groupID   = "id"
)

// significant returns a number without its leading zeros.
func significant(s string) string {
	for len(s) > 1 && s[0] == '0' {
		s = s[1:]
	}
	return s
}

// isNumber reports whether s is digits only, and at least one.
func isNumber(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}
