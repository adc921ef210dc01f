package feed

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gondola/internal/catalog"
)

// A chain of three stores, none of which exists.
func stores() []catalog.Vendor {
	return []catalog.Vendor{
		{ID: "A1", Name: "Centro", ERPCode: "001"}, {ID: "B2", Name: "Estación Norte", ERPCode: "002"}, {ID: "C3", Name: "Puerto", ERPCode: "010"},
	}
}

// specFor is what most tests convert with: SKUs, one fixed store, partial.
func specFor(change ...func(*Spec)) Spec {
	s := Spec{By: catalog.BySKU, Vendors: stores(), Source: VendorSource{IDs: []string{"A1"}}, PriceDecimals: 2}
	for _, c := range change {
		c(&s)
	}
	return s
}

func byBarcode(s *Spec) { s.By = catalog.ByBarcode }
func full(s *Spec)      { s.Full = true }
func byColumn(s *Spec)  { s.Source = VendorSource{Column: "Sucursal"} }

func withColumn(role Role, c Column) func(*Spec) {
	return func(s *Spec) { s.Columns = map[string]Column{string(role): c} }
}

// converted drops lines as a file and converts it.
func converted(t testing.TB, s Spec, lines ...string) ([]Record, Result) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "export.csv")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var records []Record
	res, err := Convert(t.Context(), s, path, "export.csv", func(r Record) error {
		records = append(records, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return records, res
}

// said writes records and issues as tests compare them: "2 A1 1001 price=10.5", "G-PRICE-01 error 3 Precio [consultar]".
func said(records []Record) []string {
	out := []string{}
	for _, r := range records {
		parts := []string{fmt.Sprint(r.Row), r.Vendor, r.Item.SKU + "/" + r.Item.Barcode}
		if r.Rejected {
			parts = append(parts, "rejected")
		}
		for _, f := range []struct {
			field catalog.Fields
			name  string
			value any
		}{
			{catalog.Price, "price", r.Item.Price},
			{catalog.Active, "active", r.Item.Active},
			{catalog.Quantity, "quantity", r.Item.Quantity},
			{catalog.MaxSales, "max", r.Item.MaxSales},
		} {
			if r.Item.Set.Has(f.field) {
				parts = append(parts, fmt.Sprintf("%s=%v", f.name, f.value))
			}
			if r.Item.Blank.Has(f.field) {
				parts = append(parts, f.name+" blank")
			}
		}
		out = append(out, strings.Join(parts, " "))
	}
	return out
}

func told(issues []catalog.Issue) []string {
	out := []string{}
	for _, is := range issues {
		line := fmt.Sprintf("%s %s %d %s [%s]", is.Code, is.Severity, is.Row, is.Column, strings.Join(is.Args, "|"))
		out = append(out, line)
	}
	return out
}

func wantLines(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n  %s\nwant:\n  %s", what, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}
