package platform

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/catalog"
)

func terms(t *testing.T, stores ...string) string {
	t.Helper()
	zone, err := time.LoadLocation("America/Montevideo")
	if err != nil {
		t.Fatal(err)
	}
	text, err := RequestTerms{Vendors: stores, All: len(stores) == 0, Locale: "es_UY", Zone: zone}.Text()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// week is a promotion of one week, in summer time.
func week(sku, stores string) catalog.Promotion {
	return catalog.Promotion{
		SKU: sku, Campaign: "Semana", Reason: "competitiveness", Stores: stores, Active: true,
		Start: catalog.WallAt(2026, 5, 1, 9, 0, 0), End: catalog.WallAt(2026, 5, 8, 23, 59, 59),
	}
}

func priceOff(p catalog.Promotion, price catalog.Money) catalog.Promotion {
	p.Type, p.Price = catalog.Strikethrough, price
	return p
}

func bundle(p catalog.Promotion, b catalog.Benefit, buy, get int) catalog.Promotion {
	p.Type, p.Benefit, p.Buy, p.Get = catalog.SameItemBundle, b, buy, get
	return p
}

// The bodies in testdata were written by hand, from what the platform documents.
func TestPromotionRequestGolden(t *testing.T) {
	one := terms(t, "s8ym")
	ended := func(p catalog.Promotion) catalog.Promotion { p.Active = false; return p }
	half := bundle(week("D14", one), catalog.PercentOff, 1, 1)
	half.Percent = 50_000
	off := bundle(week("D15", one), catalog.AmountOff, 1, 1)
	off.Amount = 120_500
	limited := priceOff(week("LIM", one), 9000)
	limited.MaxOrders, limited.UsageLimit, limited.MaxSales, limited.Reason = 100, 2, 6, "vencimiento próximo"
	for golden, rows := range map[string][]catalog.Promotion{
		"offer-prices.json": {priceOff(week("ABCEx3", one), 15_110), priceOff(week("D14", one), 5310), priceOff(week("D15", one), 5310)},
		"offer-bundle.json": {bundle(week("1002", one), catalog.FreeItem, 1, 1), half, off},
		"offer-leaves.json": {priceOff(week("ABCEx3", one), 15_110), ended(priceOff(week("D14", one), 5310))},
		"offer-ends.json":   {ended(priceOff(week("ABCEx3", one), 15_110)), ended(priceOff(week("D14", one), 5310))},
		"offer-limits.json": {limited},
		"offer-chain.json":  {priceOff(week("ABCEx3", terms(t)), 15_110)},
	} {
		t.Run(golden, func(t *testing.T) {
			var got bytes.Buffer
			n, err := WritePromotionRequest(&got, rows, slices.ContainsFunc(rows, func(p catalog.Promotion) bool { return p.Active }))
			if err != nil || n != len(rows) {
				t.Fatalf("%d rows, %v", n, err)
			}
			want, err := os.ReadFile(filepath.Join("testdata", golden))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(decoded(t, want), decoded(t, got.Bytes())); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
}

func decoded(t *testing.T, text []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return v
}

// TestRequestOf has what the platform takes for one promotion go together, and nothing else.
func TestRequestOf(t *testing.T) {
	base := priceOff(week("A", terms(t, "1")), 1000)
	name := func(p catalog.Promotion) string {
		t.Helper()
		text, err := RequestOf(p)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	same := map[string]func(*catalog.Promotion){
		"article":                           func(p *catalog.Promotion) { p.SKU = "B" },
		"price":                             func(p *catalog.Promotion) { p.Price = 900 },
		"end":                               func(p *catalog.Promotion) { p.Active = false },
		"reason in other words of the same": func(p *catalog.Promotion) { p.Reason = "precio de la competencia" },
	}
	other := map[string]func(*catalog.Promotion){
		"campaign": func(p *catalog.Promotion) { p.Campaign = "Mes" },
		"start":    func(p *catalog.Promotion) { p.Start++ },
		"last day": func(p *catalog.Promotion) { p.End++ },
		"bundle":   func(p *catalog.Promotion) { *p = bundle(week("A", p.Stores), catalog.FreeItem, 2, 1) },
		"reason":   func(p *catalog.Promotion) { p.Reason = "overstock" },
		"limit":    func(p *catalog.Promotion) { p.MaxOrders = 5 },
		"stores":   func(p *catalog.Promotion) { p.Stores = terms(t, "2") },
	}
	for what, change := range same {
		p := base
		change(&p)
		if name(p) != name(base) {
			t.Errorf("another %s makes another request: %s", what, name(p))
		}
	}
	seen := map[string]string{name(base): "base"}
	for what, change := range other {
		p := base
		change(&p)
		if before, ok := seen[name(p)]; ok {
			t.Errorf("another %s is the same request as that of %s", what, before)
		}
		seen[name(p)] = what
	}
}

// TestPartOfPromotionEndsItsOwn has one request of a promotion that is divided hold articles that end and no other: the rest goes on.
func TestPartOfPromotionEndsItsOwn(t *testing.T) {
	var got bytes.Buffer
	p := priceOff(week("A", terms(t, "1")), 1000)
	p.Active = false
	if _, err := WritePromotionRequest(&got, []catalog.Promotion{p}, true); err != nil {
		t.Fatal(err)
	}
	var body offerBody
	if err := json.Unmarshal(got.Bytes(), &body); err != nil || !body.Active || body.Discount[0].Active {
		t.Errorf("%s, %v", got.String(), err)
	}
}

func TestPromotionRequestRefuses(t *testing.T) {
	for what, p := range map[string]catalog.Promotion{
		"no terms":       priceOff(week("A", ""), 1000),
		"terms of files": priceOff(week("A", "1,2;"), 1000),
		"no SKU":         priceOff(week("", terms(t, "1")), 1000),
		"no price":       priceOff(week("A", terms(t, "1")), 0),
		"no campaign":    func() catalog.Promotion { p := priceOff(week("A", terms(t, "1")), 1000); p.Campaign = " "; return p }(),
	} {
		if _, err := WritePromotionRequest(&bytes.Buffer{}, []catalog.Promotion{p}, true); err == nil {
			t.Errorf("%s: written", what)
		}
	}
	if _, err := WritePromotionRequest(&bytes.Buffer{}, nil, false); err == nil {
		t.Error("nothing: written")
	}
}

func TestReasonOf(t *testing.T) {
	for text, want := range map[string]PromotionReason{
		"competitiveness": PromotionCompetitiveness, "": PromotionCompetitiveness, "expiring soon": PromotionExpiringSoon, "NMR": PromotionNMR,
		"Liquidación": PromotionDelisting, "sobrestock": PromotionOverstock, "Vencimiento próximo": PromotionExpiringSoon, "trading": PromotionTrading,
	} {
		if got := ReasonOf(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestCatalogRequest(t *testing.T) {
	off := with(priced("A", 10_500), switched("", false), stocked("", 8))
	var b strings.Builder
	n, err := WriteCatalogRequest(&b, all(off, with(stocked("B", 0), limited("", 6)), catalog.Item{SKU: "silent"}))
	want := `{"products":[{"sku":"A","price":10.5,"active":false},{"sku":"B","quantity":0,"maximum_sales_quantity":6}]}`
	if got := strings.ReplaceAll(b.String(), "\n", ""); err != nil || n != 2 || got != want {
		t.Errorf("%d, %v\n got %s\nwant %s", n, err, got, want)
	}
	for what, it := range map[string]catalog.Item{
		"no SKU": {Barcode: "7791234567898", Set: catalog.Price, Price: 1000}, "no price": priced("A", 0), "negative": stocked("A", -1),
	} {
		if _, err := WriteCatalogRequest(&strings.Builder{}, all(it)); err == nil {
			t.Errorf("%s: written", what)
		}
	}
	if _, err := WriteCatalogRequest(&strings.Builder{}, all()); err == nil {
		t.Error("an empty request was written")
	}
}
