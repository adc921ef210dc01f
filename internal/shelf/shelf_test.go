package shelf

import (
	"maps"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"gondola/internal/catalog"
)

// table is the naive form of what a record file, or a stack, says: every record by its key.
type table map[string]Record

// fields are all fields of an item, in no order that matters.
var fields = [...]catalog.Fields{catalog.Price, catalog.Active, catalog.Quantity, catalog.MaxSales}

// cell is the naive form of one field: "" is absent, "." blank, else the value. Models compute with cells, so that they share no
// bit arithmetic with the code.
func cell(it catalog.Item, f catalog.Fields) string {
	switch {
	case it.Blank&f != 0:
		return "."
	case it.Set&f == 0:
		return ""
	}
	switch f {
	case catalog.Price:
		return strconv.FormatInt(int64(it.Price), 10)
	case catalog.Active:
		return strconv.FormatBool(it.Active)
	case catalog.Quantity:
		return strconv.FormatInt(it.Quantity, 10)
	}
	return strconv.FormatInt(it.MaxSales, 10)
}

func setCell(it *catalog.Item, f catalog.Fields, text string) {
	it.Set &^= f
	it.Blank &^= f
	if text == "." {
		it.Blank |= f
		text = ""
	}
	if text != "" {
		it.Set |= f
	}
	n, _ := strconv.ParseInt(text, 10, 64)
	switch f {
	case catalog.Price:
		it.Price = catalog.Money(n)
	case catalog.Active:
		it.Active = text == "true"
	case catalog.Quantity:
		it.Quantity = n
	case catalog.MaxSales:
		it.MaxSales = n
	}
}

func off(it catalog.Item) bool {
	return cell(it, catalog.Active) == "false" || cell(it, catalog.Quantity) == "0"
}

// overlaid is the naive overlay.
func overlaid(stack []table) table {
	all := table{}
	for _, file := range stack {
		for key, r := range file {
			below, ok := all[key]
			if !ok {
				all[key] = r
				continue
			}
			spoken := r.Item.Set.Has(catalog.Active)
			for _, f := range fields {
				if cell(r.Item, f) == "" {
					setCell(&r.Item, f, cell(below.Item, f))
				}
			}
			if r.Item.SKU == "" {
				r.Item.SKU = below.Item.SKU
			}
			if r.Item.Barcode == "" {
				r.Item.Barcode = below.Item.Barcode
			}
			if r.Gone == 0 && !spoken && off(r.Item) {
				r.Gone = below.Gone
			}
			all[key] = r
		}
	}
	return all
}

func anItem() *rapid.Generator[catalog.Item] {
	return rapid.Custom(func(t *rapid.T) catalog.Item {
		it := catalog.Item{Barcode: rapid.SampledFrom([]string{"", "7790001", "7790002"}).Draw(t, "barcode")}
		values := map[catalog.Fields][]string{
			catalog.Price: {"", ".", "1000", "2500"}, catalog.Active: {"", ".", "true", "false"},
			catalog.Quantity: {"", ".", "0", "3"}, catalog.MaxSales: {"", "", ".", "9"},
		}
		for _, f := range fields {
			setCell(&it, f, rapid.SampledFrom(values[f]).Draw(t, "field"))
		}
		return it
	})
}

// keys are few, so that files meet at them; one is the beginning of another, and one sorts below letters.
var keys = []string{"-1", "10", "100", "A", "a", "b c", "ñ"}

// aTable generates a record file.
func aTable(tombstones bool) *rapid.Generator[table] {
	return rapid.Custom(func(t *rapid.T) table {
		file := table{}
		for _, key := range keys {
			if !rapid.Bool().Draw(t, "has") {
				continue
			}
			r := Record{Key: key, Item: anItem().Draw(t, "item")}
			r.Item.SKU = key
			if tombstones {
				r.Gone = rapid.SampledFrom([]Day{0, 0, 950, 969, 970, 971, 999}).Draw(t, "gone")
			}
			file[key] = r
		}
		return file
	})
}

func someTables(most int) *rapid.Generator[[]table] { return rapid.SliceOfN(aTable(true), 0, most) }

// fataler is what testing.TB and rapid.T have in common.
type fataler interface {
	Helper()
	Fatal(args ...any)
}

func write(t fataler, files Files, file table) Digest {
	t.Helper()
	w, err := files.Create()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	for _, key := range slices.Sorted(maps.Keys(file)) {
		if err := w.Add(file[key]); err != nil {
			t.Fatal(err)
		}
	}
	d, err := w.Commit()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func writeAll(t fataler, files Files, stack []table) []Digest {
	t.Helper()
	var all []Digest
	for _, file := range stack {
		all = append(all, write(t, files, file))
	}
	return all
}

// read walks a stack and returns its records in the order they came.
func read(t fataler, files Files, stack []Digest) []Record {
	t.Helper()
	o, err := files.Overlay(stack)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
	}()
	var all []Record
	for o.Next() {
		all = append(all, o.Record())
	}
	if o.Err() != nil || o.Record() != (Record{}) {
		t.Fatal("after the walk:", o.Err(), o.Record())
	}
	return all
}

// sorted returns a table's records in the order of their keys.
func sorted(file table) []Record {
	var all []Record
	for _, key := range slices.Sorted(maps.Keys(file)) {
		all = append(all, file[key])
	}
	return all
}

func newTestFiles(t testing.TB) Files {
	t.Helper()
	return Files{Dir: t.TempDir()}
}
