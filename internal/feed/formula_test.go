package feed

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/table"
)

func TestFormulaResults(t *testing.T) {
	item := catalog.Item{
		SKU: "LS-33", Barcode: "95200019", Set: catalog.Price | catalog.Quantity | catalog.Active,
		Price: 10_500, Quantity: 7, Active: true,
	}
	plain := func(i int) *column {
		return &column{HeaderColumn: HeaderColumn{Role: roleFormula, Index: i, Name: "x"}, convention: convention{mark: comma}}
	}
	columns := map[string]*column{"costo": plain(0), "rubro": plain(1), "vacio": plain(2), "malo": plain(3)}
	row := table.Row{Line: 2, Cells: []string{" $ 1.234,50 ", "  Vinos  finos ", "", "consultar"}}
	for text, want := range map[string]string{
		"0.1 + 0.2":          "3/10",
		"price * 1.05":       "441/40", // 11.025
		"price / 3 * 3":      "21/2",
		"1/3 + 1/3 + 1/3":    "1",
		"-price":             "-21/2",
		"+price - -1":        "23/2",
		"price > 10 ? 1 : 2": "1",
		"price >= 10.5 and price <= 10.5 ? 1 : 2":               "1",
		"price == 10.50 && price != 11 ? 1 : 2":                 "1",
		"not (price < 10.5) ? 1 : 2":                            "1",
		"active ? 1 : 2":                                        "1",
		"!active || false ? 1 : 2":                              "2",
		`sku == "LS-33" ? 1 : 2`:                                "1",
		`sku startsWith "LS" and barcode endsWith "19" ? 1 : 2`: "1",
		`vendor == "A1" ? 1 : 2`:                                "1",
		`number("Costo")`:                                       "2469/2", // 1234.50
		`number("COSTO", "comma") * 2`:                          "2469",
		`text("Rubro") == "Vinos finos" ? 1.4 : 1.25`:           "7/5",
		`lower(text("rubro")) contains "vino" ? 1 : 2`:          "1",
		`upper(trim(text("rubro"))) in ["VINOS FINOS"] ? 1 : 2`: "1",
		`text("rubro") not in ["Vinos"] ? 1 : 2`:                "1",
		`text("rubro") matches "^V.*s$" ? 1 : 2`:                "1",
		`text("vacio") == "" ? price : number("vacio")`:         "21/2",
		`number("vacio") * 2`:                                   "blank",
		`maximum_sales_quantity * 2`:                            "blank",
		`number("malo")`:                                        "x: consultar",
		"price / (quantity - 7)":                                "÷ 0",
		"round(2.5)":                                            "3",
		"round(-2.5)":                                           "-3",
		"round(2.345, 2)":                                       "47/20", // 2.35
		"round(-2.344, 2)":                                      "-117/50",
		"round(1, 12)":                                          "round(…, 12)",
		"floor(2.9) + ceil(2.1)":                                "5",
		"floor(-2.1) - ceil(-2.9)":                              "-1",
		"abs(0 - 3) + min(1, 2) + max(1, 2)":                    "6",
		"quantity - 5":                                          "2",
		"1_000 + 1e3":                                           "2000",
		"if price > 1 { 1 } else { 2 }":                         "1",
	} {
		f, err := compileFormula(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		f.bind(columns)
		got := ""
		x, err := f.result(row, "A1", item)
		var none *noResult
		switch {
		case errors.Is(err, errBlank):
			got = "blank"
		case errors.As(err, &none) && none.col != nil:
			got = none.col.Name + ": " + none.text
		case errors.As(err, &none):
			got = none.text
		default:
			got = x.RatString()
		}
		if got != want {
			t.Errorf("%s = %s, want %s", text, got, want)
		}
	}
}

// What is wrong with a formula is told on one line, with what would be right.
func TestFormulaMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"precio * 1.05":                       `at character 1: unknown name "precio" (known: price, quantity, maximum_sales_quantity, active, sku, barcode, vendor; `,
		"price * (1 + 2":                      "at character 14: unexpected token EOF",
		"price * \"2\"":                       "at character 7: ",
		"price > 3":                           "the result is no number; ",
		`"10"`:                                "the result is no number; ",
		"price and 1":                         "at character 7: ",
		"price ? 1 : 2":                       "at character 1: ",
		"price ** 2":                          "at character 7: the operator ** is not for formulas",
		"price ^ 2":                           "at character 7: the operator ^ is not for formulas",
		"price % 2":                           "at character 7: the operator % is not for formulas",
		"number(\"--\")":                      "at character 1: number needs the header of a column in quotes",
		"number(text(\"Costo\"))":             "at character 1: number needs the header of a column in quotes",
		"number(\"Costo\", \",\")":            "at character 1: \",\" is no decimal mark; write \"comma\" or \"point\"",
		"number(\"Costo\", sku)":              "at character 1: the decimal mark must stand in quotes",
		"text(\"Costo\") matches sku ? 1 : 2": "at character 15: matches needs a pattern in quotes",
		"sku matches \"(\" ? 1 : 2":           "at character ",
		"price in [1, 2] ? 1 : 2":             "at character ",
		"price in [\"1\"] ? 1 : 2":            "at character 7: ",
		"sku in sku ? 1 : 2":                  "at character 5: in needs a list of texts",
		"price | round":                       "at character ",
		"true ? price : sku":                  "the result is no number; ",
		"nil":                                 "at character 1: this is not for formulas",
		"_add(1, 2)":                          "at character 1: unknown name \"_add\"",
		"$env":                                "at character 1: unknown name \"$env\"",
		"price.Num()":                         "at character ",
		"len(sku)":                            "at character ",
	} {
		_, err := compileFormula(text)
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// Whoever writes a config may err, and must not stop the house: what would run long or eat memory does not compile, or has an end.
func TestHostileFormulas(t *testing.T) {
	letters := "let a = sku; "
	for i := range 40 {
		letters += fmt.Sprintf("let a%d = a + a + a + a; ", i)
	}
	hostile := []string{
		"1..1000000000", "len(1..1000000000)", "sum(map(1..100000000, # * 2))", "all(1..1000000, true) ? 1 : 2",
		"reduce(1..1000000, #acc + #) ", "filter([1], true)[0]", letters + "price",
		"repeat(\"x\", 1000000000)", "[1,2,3][0]", "{\"a\": 1}.a", "sku[0:1] == \"\" ? 1 : 2", "sku?.x ?? 1", "1; price", "let x = 1; x",
		strings.Repeat("(", 3000) + "1" + strings.Repeat(")", 3000), strings.Repeat("-", 3999) + "1", strings.Repeat("not ", 900) + "true ? 1 : 2",
		strings.Repeat("price*", 2000) + "price", "9" + strings.Repeat("9", 3900), "1e308 * 1e308", "1e999999999", "0x" + strings.Repeat("f", 300),
		strings.Repeat("price > 1 ? ", 300) + "1" + strings.Repeat(": 2", 300), "\"" + strings.Repeat("\\u0041", 600) + "\" == sku ? 1 : 2",
		"sku matches \"" + strings.Repeat("(a*)*", 500) + "b\" ? 1 : 2", "sku matches \"((a{1000}){1000}){1000}\" ? 1 : 2",
		"now()", "date(\"2026\")", "fromJSON(sku)", "toBase64(sku)", "panic()", "exit(1)", "Rat", "price.Rat", "\x00", "\xff", "", " ", "// x", "/* ",
		strings.Repeat("price/3*", 60) + "1.000000000000001", strings.Repeat("round(", 90) + "price" + strings.Repeat(")", 90),
	}
	item := catalog.Item{SKU: strings.Repeat("a", 100), Set: catalog.Price, Price: catalog.MaxMoney}
	for _, text := range hostile {
		began := time.Now()
		if f, err := compileFormula(text); err == nil {
			f.bind(map[string]*column{})
			for range 100 {
				if x, err := f.result(table.Row{}, "A1", item); err == nil {
					_, _ = resultOf(x)
				}
			}
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%.40q took %v", text, took)
		}
	}
}

func FuzzFormula(f *testing.F) {
	for _, seed := range []string{"price * 1.05", `number("a") + 1`, "price > 1 ? 2 : 3", "1..9", `sku matches "a"`, "round(price / 3, 2)"} {
		f.Add(seed)
	}
	row := table.Row{Cells: []string{"1,5"}}
	item := catalog.Item{Set: catalog.Price | catalog.Quantity | catalog.Active | catalog.MaxSales, Price: 1000, MaxSales: 1}
	f.Fuzz(func(t *testing.T, text string) {
		form, err := compileFormula(text)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("%q", err)
			}
			return
		}
		columns := map[string]*column{}
		for _, h := range form.headers {
			columns[squeeze(h)] = &column{convention: convention{mark: comma}}
		}
		form.bind(columns)
		x, err := form.result(row, "A1", item)
		var none *noResult
		if err == nil && x == nil || err != nil && !errors.Is(err, errBlank) && !errors.As(err, &none) {
			t.Errorf("%q: %v, %v", text, x, err)
		}
	})
}

func TestFormulasInExports(t *testing.T) {
	for _, c := range []struct {
		name    string
		spec    Spec
		lines   []string
		records []string
		issues  []string
	}{
		{
			"a price of other columns, in an export without a price",
			specFor(full, priceRules(PriceRules{Formula: `number("Costo") * (text("Rubro") == "Vinos" ? 1.40 : 1.25)`})),
			[]string{"sku;Costo;Rubro", "1;10,01;Vinos", "2;10,01;Quesos", "3;;Vinos", "4;consultar;Vinos", "5;-1;Vinos", "6;0;Vinos"},
			[]string{"2 A1 1/ price=14.01", "3 A1 2/ price=12.51", "4 A1 3/ price blank", "5 A1 4/ rejected", "6 A1 5/ rejected", "7 A1 6/ rejected"},
			[]string{"G-RULE-05 error 5 Costo [price|consultar]", "G-RULE-05 error 6  [price|-1.4]", "G-RULE-05 error 7  [price|0]"},
		},
		{
			"its numbers are read as the column proves, or not at all",
			specFor(priceRules(PriceRules{Formula: `number("Costo") * 2`})),
			[]string{"sku;Costo", "1;1.234", "2;990"},
			[]string{"2 A1 1/ rejected", "3 A1 2/ price=1980"},
			[]string{"G-RULE-05 error 2 Costo [price|1.234]"},
		},
		{
			"or as the formula says", specFor(priceRules(PriceRules{Formula: `number("Costo", "comma") * 2`})),
			[]string{"sku;Costo", "1;1.234", "2;990"},
			[]string{"2 A1 1/ price=2468", "3 A1 2/ price=1980"},
			[]string{},
		},
		{
			"the result is rounded and limited like any other", specFor(priceRules(PriceRules{Formula: "price / 3", Ending: Ending{990, 1000}, Floor: 1000})),
			[]string{"sku;precio", "1;10,00", "2;9,00", "3;1,00"},
			[]string{"2 A1 1/ price=2.99", "3 A1 2/ price=2.99", "4 A1 3/ rejected"},
			[]string{"G-RULE-01 error 4 precio [0.33|1.00]"},
		},
		{
			"stock", specFor(ruled(RuleSet{Stock: "quantity / 2 - 1", StockThreshold: 1})),
			[]string{"sku;stock", "1;7", "2;5", "3;1", "4;"},
			[]string{"2 A1 1/ quantity=2", "3 A1 2/ quantity=0", "4 A1 3/ quantity=0", "5 A1 4/"},
			[]string{},
		},
		{
			"formulas know the row, not each other", specFor(ruled(RuleSet{Price: PriceRules{Formula: "price + quantity"}, Stock: "quantity + price"})),
			[]string{"sku;precio;stock", "1;10;5"},
			[]string{"2 A1 1/ price=15 quantity=15"},
			[]string{},
		},
		{
			"dividing by nothing", specFor(priceRules(PriceRules{Formula: "price / quantity"})),
			[]string{"sku;precio;stock", "1;10;0", "2;10;4"},
			[]string{"2 A1 1/ rejected", "3 A1 2/ price=2.5 quantity=4"},
			[]string{"G-RULE-05 error 2  [price|÷ 0]"},
		},
		{
			"a column that is missing, and one that is there twice",
			specFor(priceRules(PriceRules{Formula: `number("Costo") + number("Flete")`})),
			[]string{"sku;Flete;FLETE;precio", "1;1;1;5"},
			[]string{},
			[]string{"G-HEAD-04 error 0  [price|Costo|sku|Flete|FLETE|precio]", "G-HEAD-03 error 0  [price|Flete|FLETE]"},
		},
		{
			"each store is asked for", specFor(func(s *Spec) {
				s.Source.IDs = []string{"A1", "B2"}
				s.Rules.Price.Formula = `vendor == "B2" ? price * 2 : price`
			}),
			[]string{"sku;precio", "1;10"},
			[]string{"2 A1 1/ price=10", "2 B2 1/ price=20"},
			[]string{},
		},
		{
			"too large", specFor(priceRules(PriceRules{Formula: "price * price * price"})),
			[]string{"sku;precio", "1;99999"},
			[]string{"2 A1 1/ rejected"},
			[]string{"G-DROP-02 error 0  [1]", "G-RULE-05 error 2  [price|999970000299999]"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.spec.Check(); err != nil {
				t.Error(err)
			}
			records, res := converted(t, c.spec, c.lines...)
			wantLines(t, "records", said(records), c.records...)
			issues := told(res.Issues)
			wantLines(t, "issues", issues, c.issues...)
		})
	}
}
