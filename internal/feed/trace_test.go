package feed

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gondola/internal/catalog"
)

// traced drops lines as a file and returns what became of the rows of one article.
func traced(t *testing.T, s Spec, sku string, lines ...string) []Trace {
	t.Helper()
	path := filepath.Join(t.TempDir(), "export.csv")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	found, _, err := Explain(t.Context(), s, path, "export.csv", func(it catalog.Item) bool { return it.SKU == sku })
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// traceLines writes traces as tests compare them.
func traceLines(all []Trace) []string {
	var out []string
	for _, tr := range all {
		what := said([]Record{tr.Record})[0]
		if tr.Excluded {
			what += " left out"
		}
		out = append(out, strings.Join(tr.Stores, "+")+": "+what)
		for _, c := range tr.Cells {
			out = append(out, fmt.Sprintf("  %s %s %s %q", c.Cell, c.Header, c.Role, c.Text))
		}
		for _, s := range tr.Steps {
			out = append(out, fmt.Sprintf("  %s %s %s -> %s", s.Rule, s.Field, s.Before, s.After))
		}
		for _, is := range tr.Issues {
			out = append(out, "  "+string(is.Code))
		}
	}
	return out
}

func TestExplain(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spec  Spec
		lines []string
		want  []string
	}{
		{
			name: "as it stands", spec: specFor(), lines: []string{"Código;Precio;Activo", "X;1,00;S", "Q;1.234,50;N"},
			want: []string{
				"A1: 3  Q/ price=1234.5 active=false", `  A3 Código sku "Q"`, `  B3 Precio price "1.234,50"`, `  C3 Activo active "N"`,
				"  read price 1.234,50 -> 1234.5", "  read active N -> false",
			},
		},
		{
			name: "every rule of a price", spec: specFor(priceRules(PriceRules{
				VAT: -22_000, Markup: 8000, Round: 500, Ending: Ending{900, 1000}, Ceiling: 1_000_000,
			})),
			lines: []string{"Código;Precio", "Q;100,00"},
			want: []string{
				"A1: 2  Q/ price=88.9", `  A2 Código sku "Q"`, `  B2 Precio price "100,00"`, "  read price 100,00 -> 100",
				"  price.vat price 100 -> 81.967213", "  price.markup price 81.967213 -> 88.52459", "  price.round price 88.52459 -> 88.5",
				"  price.ending price 88.5 -> 88.9",
			},
		},
		{
			name: "rejected by a rule", spec: specFor(priceRules(PriceRules{Markup: 10_000, Ceiling: 50_000})),
			lines: []string{"Código;Precio", "Q;100,00"},
			want: []string{
				"A1: 2  Q/ rejected", `  A2 Código sku "Q"`, `  B2 Precio price "100,00"`, "  read price 100,00 -> 100",
				"  price.markup price 100 -> 110", "  G-RULE-02",
			},
		},
		{
			name: "a formula over a column without a role", spec: specFor(ruled(RuleSet{Price: PriceRules{Formula: `number("Costo") * 1.5`}})),
			lines: []string{"Código;Costo", "Q;10,01"},
			want: []string{
				"A1: 2  Q/ price=15.02", `  A2 Código sku "Q"`, `  B2 Costo formula "10,01"`, "  price.expr price  -> 15.015",
				"  chain.price_decimals price 15.015 -> 15.02",
			},
		},
		{
			name: "defaults, ceilings, threshold", spec: specFor(ruled(RuleSet{
				ActiveDefault: new(bool), MaxDefault: 12, MaxCeiling: 6, StockThreshold: 3,
			})),
			lines: []string{"Código;Stock", "Q;3"},
			want: []string{
				"A1: 2  Q/ active=false quantity=0 max=6", `  A2 Código sku "Q"`, `  B2 Stock quantity "3"`, "  read quantity 3 -> 3",
				"  active.default active  -> false", "  maximum_sales_quantity.default maximum_sales_quantity  -> 12",
				"  maximum_sales_quantity.ceiling maximum_sales_quantity 12 -> 6", "  quantity.threshold quantity 3 -> 0",
			},
		},
		{
			name: "left out by a word", spec: specFor(ruled(RuleSet{Exclude: Exclusion{Columns: []string{"Rubro"}, Words: []string{"tabaco"}, Skip: true}})),
			lines: []string{"Código;Precio;Rubro", "Q;10,00;Tabaco rubio"},
			want: []string{
				"A1: 2  Q/ left out", `  A2 Código sku "Q"`, `  B2 Precio price "10,00"`, `  C2 Rubro exclude "Tabaco rubio"`, "  exclude  tabaco -> ",
				"  G-RULE-04",
			},
		},
		{
			name: "switched off by a word", spec: specFor(ruled(RuleSet{Exclude: Exclusion{Columns: []string{"Rubro"}, Words: []string{"tabaco"}}})),
			lines: []string{"Código;Precio;Rubro", "Q;10,00;Tabaco rubio"},
			want: []string{
				"A1: 2  Q/ active=false", `  A2 Código sku "Q"`, `  B2 Precio price "10,00"`, `  C2 Rubro exclude "Tabaco rubio"`,
				"  exclude  tabaco -> switched off", "  G-RULE-04",
			},
		},
		{
			name: "unreadable", spec: specFor(), lines: []string{"Código;Precio", "Q;consultar"},
			want: []string{"A1: 2  Q/ rejected", `  A2 Código sku "Q"`, `  B2 Precio price "consultar"`, "  G-PRICE-01"},
		},
		{
			name: "two rows", spec: specFor(), lines: []string{"Código;Precio", "Q;10,00", "Q;11,00"},
			want: []string{
				"A1: 2  Q/ price=10", `  A2 Código sku "Q"`, `  B2 Precio price "10,00"`, "  read price 10,00 -> 10",
				"A1: 3  Q/ price=11", `  A3 Código sku "Q"`, `  B3 Precio price "11,00"`, "  read price 11,00 -> 11",
			},
		},
		{name: "not in it", spec: specFor(), lines: []string{"Código;Precio", "X;10,00"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			wantLines(t, "trace", traceLines(traced(t, tc.spec, "Q", tc.lines...)), tc.want...)
		})
	}
}

// TestExplainStores tells stores apart for which a row becomes something else.
func TestExplainStores(t *testing.T) {
	s := specFor(func(s *Spec) {
		s.Source = VendorSource{IDs: []string{"A1", "B2", "C3"}}
		s.Rules.Stores = map[string]RuleSet{"B2": {Price: PriceRules{Markup: 10_000}}}
	})
	var got []string
	for _, tr := range traced(t, s, "Q", "Código;Precio", "Q;100,00") {
		got = append(got, fmt.Sprintf("%s %s", strings.Join(tr.Stores, "+"), tr.Record.Item.Price))
	}
	wantLines(t, "stores", got, "A1+C3 100", "B2 110")
}

func TestExplainPromotion(t *testing.T) {
	s := specFor(func(s *Spec) { s.Kind = catalog.KindPromotions })
	found := traced(t, s, "Q", "Código;Promo;Desde;Hasta", "Q;3x2;2026-03-01;2026-03-31")
	if len(found) != 1 || found[0].Record.Promotion == nil || found[0].Record.Promotion.Buy != 2 || found[0].Cells[1].Cell != "B2" {
		t.Errorf("trace: %+v", found)
	}
}

func TestCellName(t *testing.T) {
	for column, want := range map[int]string{0: "A1", 25: "Z1", 26: "AA1", 51: "AZ1", 52: "BA1", 701: "ZZ1", 702: "AAA1"} {
		if got := cellName(column, 1); got != want {
			t.Errorf("column %d: %s, want %s", column, got, want)
		}
	}
}
