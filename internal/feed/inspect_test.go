package feed

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/catalog"
)

// inspectedLines inspects lines as a file and returns the columns and stores as tests compare them.
func inspectedLines(t testing.TB, s Spec, lines ...string) (found Inspection, columns, stores []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "export.csv")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := Inspect(t.Context(), s, path, "export.csv", func(Record) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range found.Columns {
		if c.Index != i {
			t.Errorf("column %d has the index %d", i, c.Index)
		}
		columns = append(columns, fmt.Sprintf("%s|%s|%s|%s", c.Name, c.Role, c.How, c.Decimal))
	}
	for _, s := range found.Stores {
		for _, cell := range s.Cells {
			stores = append(stores, fmt.Sprintf("%s: %s=%s x%d", s.Name, cell.Text, cell.Vendor, cell.Rows))
		}
	}
	return found, columns, stores
}

func forAll(s *Spec)   { s.Source = VendorSource{All: true} }
func noStores(s *Spec) { s.Vendors = nil }

func TestInspectColumns(t *testing.T) {
	tests := []struct {
		name            string
		spec            Spec
		lines           []string
		columns, stores []string
	}{
		{
			"a known word for the store is a find where nothing else tells it",
			specFor(forAll, noStores),
			[]string{"Sucursal;SKU;;Precio", "001;A;x;1,5", "2;B;;2,5", "001;C;;3,5", ";D;;1,5", "Total;;;9,0"},
			[]string{"Sucursal|vendor|name|", "SKU|sku|name|", "|||", "Precio|price|name|comma"},
			[]string{"Sucursal: 001= x2", "Sucursal: 2= x1"},
		},
		{
			"of two, a person has to choose",
			specFor(forAll),
			[]string{"Sucursal;Local;SKU;Precio", "001;1;A;1,5"},
			[]string{"Sucursal|vendor||", "Local|vendor||", "SKU|sku|name|", "Precio|price|name|comma"},
			[]string{"Sucursal: 001=A1 x1", "Local: 1=A1 x1"},
		},
		{
			"an export for fixed stores has such a column for something else",
			specFor(),
			[]string{"Depósito;SKU;Precio", "001;A;1,5"},
			[]string{"Depósito|||", "SKU|sku|name|", "Precio|price|name|comma"},
			nil,
		},
		{
			"the config's column for the store",
			specFor(byColumn),
			[]string{"Local;Sucursal;SKU;Precio", "9;001;A;1,5", "9;77;B;1,5"},
			[]string{"Local|||", "Sucursal|vendor|config|", "SKU|sku|name|", "Precio|price|name|comma"},
			[]string{"Sucursal: 001=A1 x1", "Sucursal: 77= x1"},
		},
		{
			"a flag that the cells decided",
			specFor(),
			[]string{"SKU;Disponible", "A;S", "B;N"},
			[]string{"SKU|sku|name|", "Disponible|active|name|"},
			nil,
		},
		{
			"what the headers alone don't decide",
			specFor(),
			[]string{"SKU;Precio;PVP;Disponible", "A;1;2;S"},
			[]string{"SKU|sku|name|", "Precio|price||", "PVP|price||", "Disponible|active or quantity||"},
			nil,
		},
		{
			"the config decided between two prices",
			specFor(withColumn(RolePrice, Column{From: "PVP", Decimal: DecimalPoint})),
			[]string{"SKU;Precio;PVP", "A;1;2"},
			[]string{"SKU|sku|name|", "Precio|||", "PVP|price|config|point"},
			nil,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, columns, stores := inspectedLines(t, tt.spec, tt.lines...)
			wantLines(t, "columns", columns, tt.columns...)
			wantLines(t, "stores", stores, tt.stores...)
		})
	}
}

// TestInspectReadsLikeConvert compares the two on an export that has a bit of everything: looking must not change what is read.
func TestInspectReadsLikeConvert(t *testing.T) {
	lines := []string{
		"Lista;;", "Sucursal;SKU;Precio;Stock", "001;A;1.234,50;1", "9;B;1;2", "001;;1;2", "010;C;x;3", "001;D;1;2;3;4", "Total;;;",
		"002;E;1",
	}
	for _, s := range []Spec{specFor(byColumn, full), specFor(forAll), specFor(), specFor(byBarcode)} {
		_, want := converted(t, s, lines...)
		found, _, _ := inspectedLines(t, s, lines...)
		if diff := cmp.Diff(want, found.Result); diff != "" {
			t.Errorf("(-Convert +Inspect):\n%s", diff)
		}
	}
}

func TestInspectBoundsStores(t *testing.T) {
	lines := []string{"Local;SKU;Precio"}
	for i := range MaxStoreCells + 2 {
		lines = append(lines, fmt.Sprintf("%d;A-%d;10", i, i))
	}
	lines = append(lines, "0;B;10")
	found, _, stores := inspectedLines(t, Spec{By: catalog.BySKU, Source: VendorSource{All: true}}, lines...)
	if len(stores) != MaxStoreCells || stores[0] != "Local: 0= x2" || !found.Stores[0].More {
		t.Errorf("%d stores, the first is %q, more: %v", len(stores), stores[0], found.Stores[0].More)
	}
}
