package feed

import (
	"slices"
	"testing"

	"gondola/internal/catalog"
)

func TestCloseTable(t *testing.T) {
	table := reviewed(t, "headclose.tsv", 120)
	for _, c := range table {
		h := newHeadings(Spec{Kind: catalog.Kind(c[1])})
		got := "none"
		if found := h.closest([]string{c[0]}, nil, nil); len(found) > 0 {
			got = string(found[0].role)
		}
		if got != c[2] {
			t.Errorf("%q of %s is suggested for %s, want %s", c[0], c[1], got, c[2])
		}
		if role, ok := h.role(c[0]); ok && c[2] != "none" {
			t.Errorf("%q is known as %s and needs no suggestion", c[0], role)
		}
	}
	apart := slices.DeleteFunc(table, func(c []string) bool { return c[2] != "none" })
	if len(apart) < 50 {
		t.Errorf("only %d that must not be suggested", len(apart))
	}
}

// What is suggested is never read.
func TestSuggestedIsNotRead(t *testing.T) {
	for _, c := range []struct {
		name    string
		spec    Spec
		lines   []string
		refused bool
		issues  []string
	}{
		{
			"the key", specFor(),
			[]string{"Codgo;Precio", "1001;10,50"},
			true,
			[]string{"G-HEAD-02 error 0  [sku|Codgo|Precio]", "G-HEAD-08 warning 1 Codgo [sku|Codgo|código]"},
		},
		{
			"the key and the price", specFor(),
			[]string{"Cod. Barr;Preico;Stock", "1001;10,50;3"},
			true,
			[]string{
				"G-HEAD-02 error 0  [sku|Cod. Barr|Preico|Stock]",
				"G-HEAD-08 warning 1 Cod. Barr [barcode|Cod. Barr|cod de barra]", "G-HEAD-08 warning 1 Preico [price|Preico|precio]",
			},
		},
		{
			"nothing about articles", specFor(),
			[]string{"Código;Pcio.;Costo", "1001;10,50;8,10"},
			true,
			[]string{"G-HEAD-05 error 0  [Código|Pcio.|Costo]", "G-HEAD-08 warning 1 Pcio. [price|Pcio.|precio]"},
		},
		{
			"no header at all", specFor(),
			[]string{"Lista del mes;;", "Codgo;Preico;Marca", "1001;10,50;Sur"},
			true,
			[]string{
				"G-HEAD-01 error 0  [SKU|Código|Código de barras|EAN|Precio|Preço|Price|Stock|Estoque|Activo|Ativo]",
				"G-HEAD-08 warning 2 Codgo [sku|Codgo|código]", "G-HEAD-08 warning 2 Preico [price|Preico|precio]",
			},
		},
		{
			"one word alone is chance", specFor(),
			[]string{"Codgo;Marca", "1001;Sur"},
			true,
			[]string{"G-HEAD-01 error 0  [SKU|Código|Código de barras|EAN|Precio|Preço|Price|Stock|Estoque|Activo|Ativo]"},
		},
		{
			"what the config names", specFor(withColumn(RolePrice, Column{From: "Importe web"})),
			[]string{"Código;Inporte web", "1001;10,50"},
			true,
			[]string{"G-HEAD-04 error 0  [price|Importe web|Código|Inporte web]", "G-HEAD-08 warning 1 Inporte web [price|Inporte web|Importe web]"},
		},
		{
			"a name of small words alone", specFor(withColumn(RolePrice, Column{From: "de la"})),
			[]string{"Código;Precioventa2", "1001;10,50"},
			true,
			[]string{"G-HEAD-04 error 0  [price|de la|Código|Precioventa2]"},
		},
		{
			"the store", specFor(byColumn),
			[]string{"Sucusal;Código;Precio", "001;1001;10,50"},
			true,
			[]string{
				"G-HEAD-04 error 0  [vendor|Sucursal|Sucusal|Código|Precio]", "G-HEAD-08 warning 1 Sucusal [vendor|Sucusal|Sucursal]",
			},
		},
		{
			"another word for the store", specFor(byColumn),
			[]string{"Tienda;Código;Precio", "001;1001;10,50"},
			true,
			[]string{
				"G-HEAD-04 error 0  [vendor|Sucursal|Tienda|Código|Precio]", "G-HEAD-08 warning 1 Tienda [vendor|Tienda|Sucursal]",
			},
		},
		{
			"a column that the export can do without", specFor(),
			[]string{"Código;Precio;Stok", "1001;10,50;3"},
			false,
			[]string{"G-HEAD-08 note 1 Stok [quantity|Stok|stock]"},
		},
		{
			"a column that is there", specFor(), []string{"Código;Precio;Stock;Stok", "1001;10,50;3;4"}, false, []string{},
		},
		{
			"other prices beside it", specFor(), []string{"Código;Precio costo;Precio lista;Precio mayorista;Stock", "1001;9;10;8;3"}, false, []string{},
		},
		{
			"a promotion's dates", specFor(promotions),
			[]string{"Código;Oferta;Desde;Hata", "1001;3x2;01/05/2026;31/05/2026"},
			true,
			[]string{
				"G-HEAD-02 error 0  [end_date|Código|Oferta|Desde|Hata]", "G-HEAD-08 warning 1 Hata [end_date|Hata|hasta]",
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			records, res := converted(t, c.spec, c.lines...)
			if res.Refused != c.refused || c.refused != (len(records) == 0) {
				t.Errorf("refused %v with %d records", res.Refused, len(records))
			}
			wantLines(t, "issues", told(res.Issues), c.issues...)
			for _, r := range records {
				if r.Item.Set.Has(catalog.Quantity) && c.name == "a column that the export can do without" {
					t.Errorf("a suggestion was read: %+v", r)
				}
			}
		})
	}
}
