package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRuleNotations(t *testing.T) {
	for text, want := range map[string]Rate{
		"8%": 8000, "+8%": 8000, "-5.5%": -5500, "0%": 0, "0.001%": 1, "1000%": 1_000_000, "-99.999%": -99_999, " 8 %": -1,
		"8": -1, "8,5%": -1, "-100%": -1, "1000.001%": -1, "0.0001%": -1, "%": -1, "": -1, "+-8%": -1, "1e1%": -1,
	} {
		if got, err := ParseRate(text); (err != nil) != (want == -1) || err == nil && got != want {
			// A blank inside is none of the number.
			if text != " 8 %" {
				t.Errorf("rate %q: %d, %v", text, got, err)
			}
		}
	}
	for text, want := range map[string]VAT{"+22%": 22_000, "-22%": -22_000, "0%": 0, "+10.5%": 10_500, "22%": -1, "+100%": -1, "": -1} {
		if got, err := ParseVAT(text); (err != nil) != (want == -1) || err == nil && got != want {
			t.Errorf("vat %q: %d, %v", text, got, err)
		}
	}
	for text, want := range map[string]Amount{
		"0.10": 100, ".5": 500, "99999": 99_999_000, "off": 0, "0": 0, "1.005": 1005, "-1": -1, "1,5": -1, "1.0005": -1, "1_0": -1, ".": -1,
	} {
		if got, err := ParseAmount(text); (err != nil) != (want == -1) || err == nil && got != want {
			t.Errorf("amount %q: %d, %v", text, got, err)
		}
	}
	for text, want := range map[string]Ending{
		".90": {900, 1000}, "0.90": {900, 1000}, ".9": {900, 1000}, ".00": {0, 1000}, "9": {9000, 10_000}, "9.90": {9900, 10_000},
		"90": {90_000, 100_000}, "990": {990_000, 1_000_000}, "99999": {99_999_000, 100_000_000}, "off": {},
		"090": {-1, 0}, "0": {-1, 0}, "100000": {-1, 0}, "-9": {-1, 0}, "": {-1, 0},
	} {
		if got, err := ParseEnding(text); (err != nil) != (want.Tail == -1) || err == nil && got != want {
			t.Errorf("ending %q: %+v, %v", text, got, err)
		}
	}
	for a, want := range map[Amount]string{0: "0", 100: "0.1", 99_990: "99.99", 5: "0.005", 100_000: "100"} {
		if got := a.String(); got != want {
			t.Errorf("%d is written %q, want %q", a, got, want)
		}
	}
}

// What a store says takes the place of what all say, key by key; a formula and markup take each other's place.
func TestRulesOfAStore(t *testing.T) {
	c := mustParse(t, "vendor: {column: Sucursal}", `vendor: {column: Sucursal}
    rules: {
    price: {vat: +22%, markup: 8%, floor: 1, ceiling: 50, above_ceiling: inactive},
    quantity: {threshold: 3}, active: {default: true}, maximum_sales_quantity: {ceiling: 6},
    exclude: {columns: [Nombre], words: [muestra]},
    stores: {
      "290056": {price: {markup: 0%, floor: off}, quantity: {threshold: 0}, active: {default: false}, exclude: {words: []}},
      norte-2: {price: {expr: price * 2}, maximum_sales_quantity: {default: 2}, exclude: {then: skip}}}}`)
	r := c.Feeds[0].Rules
	rate, vat := func(n Rate) *Rate { return &n }, func(n VAT) *VAT { return &n }
	amount, number, flag := func(n Amount) *Amount { return &n }, func(n int) *int { return &n }, func(b bool) *bool { return &b }
	all := StoreRules{
		Price:    PriceRules{VAT: vat(22_000), Markup: rate(8000), Floor: amount(1000), Ceiling: amount(50_000), AboveCeiling: RuleInactive},
		Quantity: QuantityRules{Threshold: number(3)}, Active: ActiveRules{Default: flag(true)}, MaxSales: MaxSalesRules{Ceiling: number(6)},
		Exclude: Exclusion{Columns: []string{"Nombre"}, Words: []string{"muestra"}},
	}
	centro, norte := all, all
	centro.Price.Markup, centro.Price.Floor, centro.Quantity.Threshold = rate(0), amount(0), number(0)
	centro.Active.Default, centro.Exclude.Words = flag(false), []string{}
	norte.Price.Expr, norte.Price.VAT, norte.Price.Markup = "price * 2", nil, nil
	norte.MaxSales.Default, norte.Exclude.Then = number(2), RuleSkip
	for id, want := range map[string]StoreRules{"": all, "other": all, "290056": centro, "norte-2": norte} {
		if diff := cmp.Diff(want, r.For(id)); diff != "" {
			t.Errorf("store %q (-want +got):\n%s", id, diff)
		}
	}
	r = Rules{Price: PriceRules{Expr: "price"}, Stores: map[string]StoreRules{"1": {Price: PriceRules{Markup: rate(1)}}}}
	if got := r.For("1").Price; got.Expr != "" || *got.Markup != 1 {
		t.Errorf("a markup did not take the formula's place: %+v", got)
	}
}

// TestRequestRows has the default of rows depend on how they are sent, and a written one count.
func TestRequestRows(t *testing.T) {
	t.Setenv(testPassword, "x")
	text := string(readFile(t, "testdata/good/api-only.yaml"))
	for _, c := range []struct {
		old, new string
		want     int
	}{
		{"", "", DefaultRequestRows},
		{"catalog: {by: api}", "catalog: {by: api, max_rows: 50}", 50},
	} {
		cfg, err := Parse("x.yaml", []byte(strings.Replace(text, c.old, c.new, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if got := cfg.Send.Catalog.MaxRows; got != c.want {
			t.Errorf("%s: %d rows, want %d", c.new, got, c.want)
		}
	}
}
