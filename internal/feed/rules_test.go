package feed

import (
	"fmt"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"gondola/internal/catalog"
)

func ruled(r RuleSet) func(*Spec) { return func(s *Spec) { s.Rules.RuleSet = r } }

func priceRules(p PriceRules) func(*Spec) { return ruled(RuleSet{Price: p}) }

// Each expectation is worked out by hand.
func TestPriceRules(t *testing.T) {
	point90, point99 := Ending{900, 1000}, Ending{990, 1000}
	nine, nine90 := Ending{9000, 10_000}, Ending{990_000, 1_000_000}
	for _, c := range []struct {
		price    catalog.Money
		rules    PriceRules
		decimals int
		want     string
	}{
		{33_330, PriceRules{Markup: 8000}, 2, "36.00"},               // 35.9964
		{121_000, PriceRules{VAT: -21_000}, 2, "100.00"},             // exactly
		{100_000, PriceRules{VAT: 22_000}, 2, "122.00"},              // exactly
		{10_000, PriceRules{VAT: -22_000}, 2, "8.20"},                // 8.1967
		{99_990, PriceRules{VAT: 22_000, Markup: 8000}, 2, "131.75"}, // 131.746824
		{1020, PriceRules{VAT: 25_000, Markup: 10_000}, 2, "1.40"},   // 1.4025; rounded in between it would be 1.41
		{100_000, PriceRules{Markup: -5500}, 2, "94.50"},
		{1_234_567_890, PriceRules{Markup: 1}, 2, "1234580.24"}, // 1234580.2356789
		{990_000, PriceRules{VAT: 19_000}, 0, "1178"},           // 1178.1
		{10_000, PriceRules{Markup: 5000}, 0, "11"},             // 10.5, half up
		{1_050_000, PriceRules{VAT: -19_000}, 0, "882"},         // 882.35
		{1234, PriceRules{Markup: 5000}, 3, "1.296"},            // 1.2957
		{10_250, PriceRules{Round: 100}, 2, "10.30"},            // half up
		{10_249, PriceRules{Round: 100}, 2, "10.20"},
		{40, PriceRules{Round: 100}, 2, "0.10"}, // never to nothing
		{12_500, PriceRules{Round: 5000}, 2, "15.00"},
		{12_490, PriceRules{Round: 5000}, 2, "10.00"},
		{1_020, PriceRules{Round: 50}, 2, "1.00"},
		{1_030, PriceRules{Round: 50}, 2, "1.05"},
		{10_390, PriceRules{Ending: point90}, 2, "9.90"},
		{10_400, PriceRules{Ending: point90}, 2, "10.90"}, // as near to either: up
		{10_900, PriceRules{Ending: point90}, 2, "10.90"},
		{11_390, PriceRules{Ending: point90}, 2, "10.90"},
		{390, PriceRules{Ending: point90}, 2, "0.39"}, // -0.10 would be nearer
		{400, PriceRules{Ending: point90}, 2, "0.90"},
		{5480, PriceRules{Ending: point99}, 2, "4.99"},
		{5490, PriceRules{Ending: point99}, 2, "5.99"},
		{400, PriceRules{Ending: Ending{0, 1000}}, 2, "0.40"},
		{500, PriceRules{Ending: Ending{0, 1000}}, 2, "1.00"},
		{13_990, PriceRules{Ending: nine}, 2, "9.00"},
		{14_000, PriceRules{Ending: nine}, 2, "19.00"},
		{3_990, PriceRules{Ending: nine}, 2, "3.99"},
		{1_489_000, PriceRules{Ending: nine90}, 0, "990"},
		{1_490_000, PriceRules{Ending: nine90}, 0, "1990"},
		{10_370, PriceRules{Round: 100, Ending: point90}, 2, "10.90"},
		{9_900, PriceRules{Markup: 5000, Ending: point90}, 2, "9.90"}, // 10.395 is below the middle
		{4, PriceRules{Markup: 1}, 2, "0.00"},                         // the caller refuses it
		{catalog.MaxMoney, PriceRules{VAT: -99_999, Markup: -99_999}, 2, "5000.03"},
		{catalog.MaxMoney, PriceRules{}, 2, "1000000000.00"},
		{catalog.MaxMoney, PriceRules{Markup: 1}, 2, "too large"},
		{catalog.MaxMoney, PriceRules{VAT: 99_999, Markup: 1_000_000, Round: maxStep, Ending: Ending{99_999_000, maxStep}}, 2, "too large"},
	} {
		got := "too large"
		if m, ok := c.rules.priced(rated(c.price, c.rules.VAT, c.rules.Markup), c.decimals, nil); ok {
			got = m.Text(c.decimals)
		}
		if got != c.want {
			t.Errorf("%s by %+v is %s, want %s", c.price.Text(2), c.rules, got, c.want)
		}
	}
}

func drawRules(t *rapid.T, decimals int) PriceRules {
	step := roundingStep(decimals)
	p := PriceRules{
		VAT: Rate(rapid.Int64Range(-99_999, 99_999).Draw(t, "vat")), Markup: Rate(rapid.Int64Range(-99_999, 1_000_000).Draw(t, "markup")),
	}
	if rapid.Bool().Draw(t, "rounds") {
		p.Round = step * catalog.Money(rapid.Int64Range(1, int64(maxStep/step)).Draw(t, "round"))
	}
	if rapid.Bool().Draw(t, "ends") {
		p.Ending.Every = rapid.SampledFrom([]catalog.Money{1000, 10_000, 100_000, maxStep}).Draw(t, "every")
		p.Ending.Tail = step * catalog.Money(rapid.Int64Range(0, int64(p.Ending.Every/step)-1).Draw(t, "tail"))
	}
	return p
}

// A result has the currency's decimals, never falls where the price rises, and is what exact fractions say.
func TestPriceRulesHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		decimals := rapid.IntRange(0, 3).Draw(t, "decimals")
		rules := drawRules(t, decimals)
		low := catalog.Money(rapid.Int64Range(1, int64(catalog.MaxMoney)).Draw(t, "low"))
		high := min(low+catalog.Money(rapid.Int64Range(0, 1_000_000).Draw(t, "more")), catalog.MaxMoney)
		a, okA := rules.priced(rated(low, rules.VAT, rules.Markup), decimals, nil)
		b, okB := rules.priced(rated(high, rules.VAT, rules.Markup), decimals, nil)
		if okB && !okA || okA && okB && a > b {
			t.Fatalf("%d becomes %d (%v), %d becomes %d (%v)", low, a, okA, high, b, okB)
		}
		if okA && (a < 0 || a > catalog.MaxMoney || a != a.Round(decimals)) {
			t.Fatalf("%d becomes %d", low, a)
		}
		if want, ok := slowly(low, rules, decimals); ok != okA || ok && want != a {
			t.Fatalf("%d by %+v becomes %d (%v), by fractions %d (%v)", low, rules, a, okA, want, ok)
		}
	})
}

// slowly works price rules with fractions.
func slowly(price catalog.Money, p PriceRules, decimals int) (catalog.Money, bool) {
	x := big.NewRat(int64(price), 1)
	rate := func(r Rate) *big.Rat { return big.NewRat(int64(hundred+r), int64(hundred)) }
	if p.VAT < 0 {
		x.Quo(x, rate(-p.VAT))
	} else {
		x.Mul(x, rate(p.VAT))
	}
	x.Mul(x, rate(p.Markup))
	nearest := func(tail, every catalog.Money) catalog.Money {
		k := new(big.Rat).Sub(x, big.NewRat(int64(tail), 1))
		k.Quo(k, big.NewRat(int64(every), 1)).Add(k, big.NewRat(1, 2))
		n := new(big.Int).Div(k.Num(), k.Denom())
		if !n.IsInt64() || n.Int64() > int64(catalog.MaxMoney/every) {
			return catalog.MaxMoney + 1
		}
		return tail + catalog.Money(n.Int64())*every
	}
	if p.Round > 0 {
		m := max(nearest(0, p.Round), p.Round)
		if m > catalog.MaxMoney {
			return 0, false
		}
		x.SetInt64(int64(m))
	}
	if p.Ending.Every > 0 {
		if m := nearest(p.Ending.Tail, p.Ending.Every); m > 0 {
			return m, m <= catalog.MaxMoney
		}
	}
	m := nearest(0, roundingStep(decimals))
	return m, m <= catalog.MaxMoney
}

func TestRules(t *testing.T) {
	yes, no := true, false
	exclude := Exclusion{Columns: []string{"DESCRIPCION"}, Words: []string{"muestra", "Envase  retornable"}}
	skip := exclude
	skip.Skip = true
	for _, c := range []struct {
		name    string
		spec    Spec
		lines   []string
		records []string
		issues  []string
	}{
		{
			// 27.045 becomes 32.9949; of 27.05 it would be 33.00.
			"markup works with three decimals, and tells where there were more",
			specFor(priceRules(PriceRules{VAT: 22_000})),
			[]string{"sku;precio", "1;27,0451", "2;27,05", "3;27,0450"},
			[]string{"2 A1 1/ price=32.99", "3 A1 2/ price=33", "4 A1 3/ price=32.99"},
			[]string{"G-PRICE-05 note 2 precio [27,0451|27.045]"},
		},
		{
			"without arithmetic it is told as ever", specFor(priceRules(PriceRules{Floor: 1000})),
			[]string{"sku;precio", "1;27,0491", "2;1,00"},
			[]string{"2 A1 1/ price=27.05", "3 A1 2/ price=1"},
			[]string{"G-PRICE-05 note 2 precio [27,0491|27.05]"},
		},
		{
			"floor and ceiling, after the arithmetic", specFor(priceRules(PriceRules{Markup: 100_000, Floor: 10_000, Ceiling: 20_000})),
			[]string{"sku;precio", "1;4,99", "2;5,00", "3;10,00", "4;10,01"},
			[]string{"2 A1 1/ rejected", "3 A1 2/ price=10", "4 A1 3/ price=20", "5 A1 4/ rejected"},
			[]string{"G-RULE-01 error 2 precio [9.98|10.00]", "G-RULE-02 error 5 precio [20.02|20.00]"},
		},
		{
			"above the ceiling it goes off, and the others say that they are on",
			specFor(full, priceRules(PriceRules{Ceiling: 20_000, CeilingOff: true})),
			[]string{"sku;precio", "1;999999", "2;20", "3;"},
			[]string{"2 A1 1/ price blank active=false", "3 A1 2/ price=20 active=true", "4 A1 3/ price blank active=true"},
			[]string{"G-RULE-03 warning 2 precio [999999.00|20.00]"},
		},
		{
			"in a feed of stock it goes off by stock", specFor(full, priceRules(PriceRules{Ceiling: 20_000, CeilingOff: true})),
			[]string{"sku;precio;stock", "1;999999;5", "2;20;5"},
			[]string{"2 A1 1/ price blank quantity=0", "3 A1 2/ price=20 quantity=5"},
			[]string{"G-RULE-03 warning 2 precio [999999.00|20.00]"},
		},
		{
			"a default of another store does not change how a store goes off", specFor(func(s *Spec) {
				s.Source.IDs = []string{"A1", "B2"}
				s.Rules = Rules{RuleSet: RuleSet{Exclude: exclude}, Stores: map[string]RuleSet{"B2": {Exclude: exclude, ActiveDefault: &yes}}}
			}),
			[]string{"sku;Descripcion;stock", "1;muestra;5", "2;Vino;5"},
			[]string{"2 A1 1/ quantity=0", "2 B2 1/ active=false", "3 A1 2/ quantity=5", "3 B2 2/ active=true quantity=5"},
			[]string{"G-RULE-04 note 2 Descripcion [muestra]"},
		},
		{
			"threshold", specFor(ruled(RuleSet{StockThreshold: 3})),
			[]string{"sku;stock", "1;3", "2;4", "3;", "4;-2"},
			[]string{"2 A1 1/ quantity=0", "3 A1 2/ quantity=4", "4 A1 3/", "5 A1 4/ quantity=0"},
			[]string{"G-QTY-02 warning 5 stock [-2]"},
		},
		{
			"defaults fill blanks, also those of a full export", specFor(full, ruled(RuleSet{ActiveDefault: &no, MaxDefault: 12, MaxCeiling: 24})),
			[]string{"sku;activo;max qty", "1;;", "2;S;24", "3;N;25"},
			[]string{"2 A1 1/ active=false max=12", "3 A1 2/ active=true max=24", "4 A1 3/ active=false max=24"},
			[]string{},
		},
		{
			"a default without a column", specFor(ruled(RuleSet{ActiveDefault: &yes})),
			[]string{"sku;precio", "1;5"},
			[]string{"2 A1 1/ price=5 active=true"},
			[]string{},
		},
		{
			"words switch off, whatever else the row says", specFor(full, ruled(RuleSet{Exclude: exclude})),
			[]string{"sku;Descripción;precio;activo", "1;MUESTRA gratis;x;S", "2;Muestrario;5;S", "3;(envase  Retornable!);7;S", "4;envase no retornable;8;N"},
			[]string{"2 A1 1/ price blank active=false", "3 A1 2/ price=5 active=true", "4 A1 3/ price blank active=false", "5 A1 4/ price=8 active=false"},
			[]string{"G-RULE-04 note 2 Descripción [muestra]", "G-RULE-04 note 4 Descripción [Envase retornable]"},
		},
		{
			"or leave the row out", specFor(ruled(RuleSet{Exclude: skip})),
			[]string{"sku;Descripción;precio", ";muestra;x", "2;Vino;5"},
			[]string{"3 A1 2/ price=5"},
			[]string{"G-RULE-04 note 2 Descripción [muestra]"},
		},
		{
			"the column is missing", specFor(ruled(RuleSet{Exclude: exclude})),
			[]string{"sku;precio", "1;5"},
			[]string{},
			[]string{"G-HEAD-04 error 0  [exclude|DESCRIPCION|sku|precio]"},
		},
		{
			"every store by its own rules", specFor(func(s *Spec) {
				s.Source.IDs = []string{"A1", "B2", "C3"}
				s.Rules = Rules{Stores: map[string]RuleSet{"B2": {Price: PriceRules{Markup: 10_000}}, "C3": {Price: PriceRules{Ceiling: 5000}}}}
			}),
			[]string{"sku;precio", "1;10", "2;4"},
			[]string{"2 A1 1/ price=10", "2 B2 1/ price=11", "2 C3 1/ rejected", "3 A1 2/ price=4", "3 B2 2/ price=4.4", "3 C3 2/ price=4"},
			[]string{"G-RULE-02 error 2 precio [10.00|5.00]"},
		},
		{
			"left out of one store alone", specFor(func(s *Spec) {
				s.Source.IDs = []string{"A1", "B2", "C3"}
				s.Rules = Rules{Stores: map[string]RuleSet{"B2": {Exclude: skip}}}
			}),
			[]string{"sku;Descripción;precio", "1;muestra;10", "2;Vino;4"},
			[]string{"2 A1 1/ price=10", "2 C3 1/ price=10", "3 A1 2/ price=4", "3 C3 2/ price=4", "3 B2 2/ price=4"},
			[]string{"G-RULE-04 note 2 Descripción [muestra]"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.spec.Check(); err != nil {
				t.Error(err)
			}
			records, res := converted(t, c.spec, c.lines...)
			wantLines(t, "records", said(records), c.records...)
			wantLines(t, "issues", told(res.Issues), c.issues...)
		})
	}
}

// What no store takes is rejected; what one takes is not. Left out is not there.
func TestRuledRowsAreCounted(t *testing.T) {
	_, res := converted(t, specFor(func(s *Spec) {
		s.Source.IDs = []string{"A1", "B2"}
		s.Rules = Rules{
			RuleSet: RuleSet{Exclude: Exclusion{Columns: []string{"Nombre"}, Words: []string{"bolsa"}, Skip: true}, Price: PriceRules{Floor: 5000}},
			Stores:  map[string]RuleSet{"B2": {Price: PriceRules{Floor: 2000}}},
		}
	}), "sku;Nombre;precio", "1;a;1", "2;b;3", "3;c;9", "4;Bolsa;9")
	if got := fmt.Sprint(res.Rows, res.Records, res.Rejected); got != "4 4 1" {
		t.Errorf("rows, records, rejected: %s", got)
	}
}

// An export whose every row is left out has no articles.
func TestEverythingLeftOut(t *testing.T) {
	_, res := converted(t, specFor(ruled(RuleSet{Exclude: Exclusion{Columns: []string{"Nombre"}, Words: []string{"a"}, Skip: true}})),
		"sku;Nombre;precio", "1;a;1")
	if !res.Refused || res.Counts[catalog.FileNoRows] != 1 {
		t.Errorf("%+v", res)
	}
}

func TestPromotionsAreExcluded(t *testing.T) {
	lines := []string{
		"sku;Nombre;offer;start_date;end_date", "1;Muestra;3x2;2026-01-01;2026-02-01", "2;Vino;3x2;2026-01-01;2026-02-01",
	}
	for skip, want := range map[bool]string{false: "1:false 2:true ", true: "2:true "} {
		spec := promoSpec(ruled(RuleSet{Exclude: Exclusion{Columns: []string{"Nombre"}, Words: []string{"muestra"}, Skip: skip}}))
		records, res := converted(t, spec, lines...)
		got := ""
		for _, r := range records {
			got += fmt.Sprintf("%s:%v ", r.Item.SKU, r.Promotion.Active)
		}
		if got != want || res.Counts[catalog.RuleExcluded] != 1 {
			t.Errorf("skip %v: %s, want %s; %v", skip, got, want, told(res.Issues))
		}
	}
}

func TestCheckRules(t *testing.T) {
	_, err := compileFormula("1 + ")
	if err == nil {
		t.Fatal("half a formula compiled")
	}
	spec := specFor(func(s *Spec) {
		s.PriceDecimals = 0
		s.Rules.RuleSet = RuleSet{
			Price: PriceRules{Formula: "precio * 2", Round: 500, Ending: Ending{900, 1000}}, Stock: "quantity > 3",
			Exclude: Exclusion{Columns: []string{"--"}, Words: []string{"ok", "!"}},
		}
		own := s.Rules.RuleSet
		own.Price.Formula = "price /"
		s.Rules.Stores = map[string]RuleSet{"B2": own}
	})
	var got []string
	for _, e := range spec.Check().(interface{ Unwrap() []error }).Unwrap() {
		got = append(got, e.(interface{ ConfigPath() string }).ConfigPath())
	}
	wantLines(t, "faults", got, "rules.price.round", "rules.price.ending", "rules.price.expr", "rules.quantity.expr",
		"rules.exclude.columns[0]", "rules.exclude.words[1]", "rules.stores.B2.price.expr")
	all := specFor(func(s *Spec) {
		s.Source = VendorSource{All: true}
		s.Rules.Price.Formula = `vendor == "A1" ? price : price * 2`
	})
	if err := all.Check(); err == nil {
		t.Error("a formula asks for a store that nobody tells")
	}
}
