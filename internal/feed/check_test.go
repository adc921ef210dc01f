package feed

import (
	"regexp"
	"slices"
	"testing"

	"gondola/internal/catalog"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name string
		spec Spec
		want []string // paths
	}{
		{"nothing wrong", specFor(withColumn(RolePrice, Column{From: "Precio", Decimal: DecimalComma})), nil},
		{"no source", Spec{}, []string{"vendor"}},
		{"two sources", specFor(func(s *Spec) { s.Source.All = true }), []string{"vendor"}},
		{"a store that is not there", specFor(func(s *Spec) { s.Source.IDs = []string{"A1", "Z9"} }), []string{"vendor.ids[1]"}},
		{"a name without a group", specFor(func(s *Spec) { s.Source = VendorSource{FileName: regexp.MustCompile(`stock_(\d+)`)} }), []string{"vendor.file_name"}},
		{"a name with one", specFor(func(s *Spec) { s.Source = VendorSource{FileName: regexp.MustCompile(`stock_(?P<id>\d+)`)} }), nil},
		{"headers of signs only", specFor(func(s *Spec) {
			s.Source = VendorSource{Column: "--"}
			s.Columns = map[string]Column{"sku": {From: "#"}}
		}), []string{"vendor.column", "columns.sku.from"}},
		{"no such field", specFor(withColumn("precio", Column{From: "Precio"})), []string{"columns.precio"}},
		{"the store is no field", specFor(withColumn(RoleVendor, Column{From: "Sucursal"})), []string{"columns.vendor"}},
		{"one column for two", specFor(func(s *Spec) {
			s.Columns = map[string]Column{"sku": {From: "Código"}, "barcode": {From: "CODIGO"}}
		}), []string{"columns.sku.from"}},
		{"decimals", specFor(func(s *Spec) {
			s.Columns = map[string]Column{"sku": {Decimal: DecimalComma}, "price": {Decimal: ","}, "quantity": {Decimal: DecimalPoint}}
		}), []string{"columns.price.decimal", "columns.sku.decimal"}},
		{"the key in a chain by barcode", specFor(byBarcode), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			if err := c.spec.Check(); err != nil {
				joined, ok := err.(interface{ Unwrap() []error })
				if !ok {
					t.Fatalf("%T is not joined", err)
				}
				for _, e := range joined.Unwrap() {
					placed, ok := e.(interface{ ConfigPath() string })
					if !ok {
						t.Fatalf("%v has no config path", e)
					}
					got = append(got, placed.ConfigPath())
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("faults at %q, want %q", got, c.want)
			}
		})
	}
}

func TestDirectory(t *testing.T) {
	d := newDirectory([]catalog.Vendor{
		{ID: "290056", Name: "Centro", ERPCode: "001"},
		{ID: "7", Name: "Sur", ERPCode: "01"},
		{ID: "s8ym", Name: "Cordón", ERPCode: "7"},
		{ID: "x1", Name: "Sur"},
		{ID: "x2", Name: "Único", ERPCode: "0"},
	})
	for cell, want := range map[string]int{
		"001": 0, "01": 1, "1": noStore, "0001": noStore, // two stores go by the number one
		"7":   2,       // the ERP's code before the id
		"007": noStore, // nearly both
		"sur": noStore, "CENTRO": 0, "cordon": 2, "S8YM": 2, "0290056": 0, "'001": 0, "unico": 4, "00": 4, "": noStore, "Cordo": noStore,
	} {
		for range 2 { // the second answer comes from what is known
			if got := d.find(cell); got != want {
				t.Errorf("%q is store %d, want %d", cell, got, want)
			}
		}
	}
}
