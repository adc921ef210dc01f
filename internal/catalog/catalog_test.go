package catalog_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"gondola/internal/catalog"
)

func TestMoneyText(t *testing.T) {
	for _, c := range []struct {
		money    catalog.Money
		decimals int
		want     string
	}{
		{10_500, 0, "10.5"},
		{10_500, 2, "10.50"},
		{10_500, 3, "10.500"},
		{990_000, 0, "990"},
		{990_000, 2, "990.00"},
		{1, 2, "0.001"},
		{-250, 0, "-0.25"},
		{-250, 2, "-0.25"},
		{0, 0, "0"},
		{0, 2, "0.00"},
		{catalog.MaxMoney, 0, "1000000000"},
	} {
		if got := c.money.Text(c.decimals); got != c.want {
			t.Errorf("Money(%d).Text(%d) = %q, want %q", int64(c.money), c.decimals, got, c.want)
		}
	}
}

func TestMoneyRound(t *testing.T) {
	for _, c := range []struct {
		money    catalog.Money
		decimals int
		want     catalog.Money
	}{
		{10_494, 2, 10_490},
		{10_495, 2, 10_500},
		{-10_495, 2, -10_500},
		{10_499, 0, 10_000},
		{10_500, 0, 11_000},
		{10_501, 3, 10_501},
		{-499, 0, 0},
		{50, 1, 100},
	} {
		if got := c.money.Round(c.decimals); got != c.want {
			t.Errorf("Money(%d).Round(%d) = %d, want %d", int64(c.money), c.decimals, int64(got), int64(c.want))
		}
	}
}

func TestGTINValid(t *testing.T) {
	for code, want := range map[string]bool{
		"96385074": true, "614141007349": true, "7790580123457": false, "9520000010010": true, "10614141007346": true,
		"4006381333931": true, "4006381333932": false, "400638133393": false, "": false, "400638133393x": false, "00000000": true,
	} {
		if got := catalog.GTINValid(code); got != want {
			t.Errorf("GTINValid(%q) = %t, want %t", code, got, want)
		}
	}
}

func TestKey(t *testing.T) {
	it := catalog.Item{SKU: "00123", Barcode: "00012345678905"}
	if got := it.Key(catalog.BySKU); got != "00123" {
		t.Errorf("by SKU: %q: a SKU is text, its zeros count", got)
	}
	if got := it.Key(catalog.ByBarcode); got != "12345678905" {
		t.Errorf("by barcode: %q: padding is not part of a barcode", got)
	}
	if got := (catalog.Item{}).Key(catalog.ByBarcode); got != "" {
		t.Errorf("no barcode: %q", got)
	}
}

// items draws an item whose values come from a few, so that equal ones occur.
func items(t *rapid.T, name string) catalog.Item {
	var it catalog.Item
	for _, f := range []catalog.Fields{catalog.Price, catalog.Active, catalog.Quantity, catalog.MaxSales} {
		switch rapid.IntRange(0, 2).Draw(t, name) {
		case 0:
			it.Set |= f
		case 1:
			it.Blank |= f
		}
	}
	n := rapid.Int64Range(1, 3).Draw(t, name+" value")
	if it.Set.Has(catalog.Price) {
		it.Price = catalog.Money(n)
	}
	if it.Set.Has(catalog.Active) {
		it.Active = n > 1
	}
	if it.Set.Has(catalog.Quantity) {
		it.Quantity = n - 1
	}
	if it.Set.Has(catalog.MaxSales) {
		it.MaxSales = n
	}
	return it
}

func TestOver(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		above, below := items(t, "above"), items(t, "below")
		got := above.Over(below)
		if got.Set&got.Blank != 0 {
			t.Fatalf("a field is both set and blank: %+v", got)
		}
		// A field that is set or blank above hides the one below; an absent one lets it show.
		if want := above.Set | below.Set&^above.Blank; got.Set != want {
			t.Errorf("set %b, want %b", got.Set, want)
		}
		if want := above.Blank | below.Blank&^above.Set; got.Blank != want {
			t.Errorf("blank %b, want %b", got.Blank, want)
		}
		if above.Set != 0 && (catalog.Item{
			Set: above.Set, Price: above.Price, Active: above.Active, Quantity: above.Quantity,
			MaxSales: above.MaxSales,
		}).Differs(got) != 0 {
			t.Errorf("a value above does not show: %+v over %+v = %+v", above, below, got)
		}
		if got.Over(below) != got {
			t.Errorf("laying it over the same again changes it")
		}
	})
}

// TestFilledHoldsBoth is what unsettled rows rest on: the row says everything that the item says, and what the older one said besides.
func TestFilledHoldsBoth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		it, older := items(t, "item"), items(t, "older")
		got := it.Filled(older)
		if got.Blank != 0 || got.Set != it.Set|older.Set || it.Differs(got) != 0 {
			t.Errorf("%+v filled with %+v = %+v", it, older, got)
		}
		older.Set &^= it.Set
		if older.Differs(got) != 0 {
			t.Errorf("%+v filled with %+v = %+v: an older value is lost", it, older, got)
		}
	})
}

func TestOn(t *testing.T) {
	for _, c := range []struct {
		item catalog.Item
		want bool
	}{
		{catalog.Item{}, true},
		{catalog.Item{Set: catalog.Active, Active: true}, true},
		{catalog.Item{Set: catalog.Active}, false},
		{catalog.Item{Set: catalog.Quantity, Quantity: 1}, true},
		{catalog.Item{Set: catalog.Quantity}, false},
		{catalog.Item{Set: catalog.Active | catalog.Quantity, Quantity: 5}, false},
		{catalog.Item{Set: catalog.Active | catalog.Quantity, Active: true}, false},
	} {
		if got := c.item.On(); got != c.want {
			t.Errorf("%+v: on %t, want %t", c.item, got, c.want)
		}
	}
}

func TestCodesAreAllDifferent(t *testing.T) {
	sorted := slices.Sorted(slices.Values(catalog.Codes))
	if n := len(slices.Compact(sorted)); n != len(catalog.Codes) {
		t.Errorf("%d codes, %d different ones", len(catalog.Codes), n)
	}
}
