package platform

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/catalog"
)

func brand(t *testing.T, name string) Brand {
	t.Helper()
	b, ok := LookupBrand(name)
	if !ok {
		t.Fatalf("no brand %q", name)
	}
	return b
}

func all(items ...catalog.Item) iter.Seq2[catalog.Item, error] {
	return func(yield func(catalog.Item, error) bool) {
		for _, it := range items {
			if !yield(it, nil) {
				return
			}
		}
	}
}

func priced(sku string, price catalog.Money) catalog.Item {
	return catalog.Item{SKU: sku, Set: catalog.Price, Price: price}
}

func switched(sku string, on bool) catalog.Item {
	return catalog.Item{SKU: sku, Set: catalog.Active, Active: on}
}

func stocked(sku string, n int64) catalog.Item {
	return catalog.Item{SKU: sku, Set: catalog.Quantity, Quantity: n}
}

func limited(sku string, n int64) catalog.Item {
	return catalog.Item{SKU: sku, Set: catalog.MaxSales, MaxSales: n}
}

// with joins what several items say of the first one's article.
func with(it catalog.Item, more ...catalog.Item) catalog.Item {
	for _, m := range more {
		it = it.Over(m)
	}
	return it
}

// The files in testdata were written by hand, from what the platform documents.
func TestWriteCatalogGolden(t *testing.T) {
	every := catalog.Price | catalog.Active | catalog.Quantity | catalog.MaxSales
	barcoded := priced("7", 39750)
	barcoded.Barcode = "06281100875093"
	for _, c := range []struct {
		golden string
		format CatalogFormat
		items  []catalog.Item
		rows   int
	}{
		{
			"prices.csv",
			CatalogFormat{Brand: brand(t, "pedidosya"), By: catalog.BySKU, Fields: catalog.Price, PriceDecimals: 2},
			[]catalog.Item{priced("00123", 10500), priced("LS-33", 990000), priced("X", 10), priced("Y", 1234567)},
			4,
		},
		{
			"whole-prices.csv",
			CatalogFormat{Brand: brand(t, "pedidosya"), Fields: catalog.Price},
			[]catalog.Item{priced("1", 990000), priced("2", 1_250_000_000), priced("3", 10500)},
			3,
		},
		{
			"active-or-quantity.csv",
			CatalogFormat{Brand: brand(t, "pedidosya"), By: catalog.BySKU, Fields: every, PriceDecimals: 2},
			[]catalog.Item{
				with(priced("off", 10500), switched("", false), stocked("", 8)),
				with(priced("on", 10500), switched("", true), stocked("", 8)),
				with(priced("on-empty", 10500), switched("", true), stocked("", 0)),
				switched("only-off", false),
				switched("only-on", true),
				stocked("only-stock", 3),
				{SKU: "nothing"},
				{SKU: "blank", Blank: every},
				limited("only-limit", 6), // PedidosYa has no column for it
				with(priced("limit", 2000), limited("", 6)),
			},
			7,
		},
		{
			"limits.csv",
			CatalogFormat{Brand: brand(t, "foodpanda"), By: catalog.BySKU, Fields: every, PriceDecimals: 2},
			[]catalog.Item{limited("a", 6), with(priced("b", 2000), limited("", 12), stocked("", 5))},
			2,
		},
		{
			"barcodes.csv",
			CatalogFormat{Brand: brand(t, "foodpanda"), By: catalog.ByBarcode, Fields: catalog.Price | catalog.Active, PriceDecimals: 2},
			[]catalog.Item{barcoded, {Barcode: "7791234567898", Set: catalog.Active}},
			2,
		},
		{
			"quotes.csv",
			CatalogFormat{Brand: brand(t, "pedidosya"), Fields: catalog.Price, PriceDecimals: 2},
			[]catalog.Item{priced(`A,1`, 1000), priced(`5"`, 1000), priced("Ñandú 1", 1000)},
			3,
		},
		{
			"empty.csv", CatalogFormat{Brand: brand(t, "pedidosya"), Fields: catalog.Price | catalog.Active, PriceDecimals: 2}, nil, 0,
		},
	} {
		t.Run(c.golden, func(t *testing.T) {
			var b bytes.Buffer
			rows, err := WriteCatalog(&b, c.format, all(c.items...))
			if err != nil {
				t.Fatal(err)
			}
			if rows != c.rows {
				t.Errorf("%d rows, want %d", rows, c.rows)
			}
			want, err := os.ReadFile(filepath.Join("testdata", c.golden))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Errorf("file differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWriteCatalogRefuses(t *testing.T) {
	bad := errors.New("disk gone")
	format := CatalogFormat{Fields: catalog.Price | catalog.Active | catalog.Quantity | catalog.MaxSales, PriceDecimals: 2}
	format.Brand = brand(t, "foodpanda")
	for _, c := range []struct {
		name  string
		items iter.Seq2[catalog.Item, error]
		want  string
	}{
		{"no identifier", all(catalog.Item{Barcode: "7791234567898", Set: catalog.Price, Price: 1}), "identifier is missing"},
		{"line break", all(priced("a\nb", 1)), "U+000A"},
		{"NUL", all(priced("a\x00", 1)), "U+0000"},
		{"C1 control", all(priced("a\u0085", 1)), "U+0085"},
		{"not UTF-8", all(priced("a\xff", 1)), "not UTF-8"},
		{"free", all(priced("a", 0)), "price 0 is not above zero"},
		{"negative", all(priced("a", -10)), "price -0.01 is not above zero"},
		{"negative stock", all(stocked("a", -1)), "quantity -1"},
		{"no limit", all(limited("a", 0)), "maximum sales quantity 0"},
		{"source fails", func(yield func(catalog.Item, error) bool) {
			_ = yield(priced("a", 1), nil) && yield(catalog.Item{}, bad)
		}, "row 3: disk gone"},
	} {
		var b bytes.Buffer
		_, err := WriteCatalog(&b, format, c.items)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
		if c.name == "source fails" && !errors.Is(err, bad) {
			t.Errorf("%s: %v does not wrap the cause", c.name, err)
		}
	}
}

// A field without a column would be lost in silence.
func TestWriteCatalogRefusesFieldWithoutColumn(t *testing.T) {
	format := CatalogFormat{Brand: brand(t, "pedidosya"), Fields: catalog.Price}
	_, err := WriteCatalog(&bytes.Buffer{}, format, all(with(priced("a", 1), switched("", false))))
	if err == nil || !strings.Contains(err.Error(), "no column") {
		t.Errorf("error %v, want one about the column", err)
	}
}

func TestWriteCatalogStopsAtTheLimit(t *testing.T) {
	row := func(yield func(catalog.Item, error) bool) {
		it := switched("a", true)
		for range MaxCatalogRows + 1 {
			if !yield(it, nil) {
				return
			}
		}
	}
	rows, err := WriteCatalog(io.Discard, CatalogFormat{Fields: catalog.Active}, row)
	if !errors.Is(err, ErrTooManyRows) || rows != MaxCatalogRows {
		t.Errorf("%d rows and %v, want %d and %v", rows, err, MaxCatalogRows, ErrTooManyRows)
	}
}

func TestWriteCatalogReportsFailedWrites(t *testing.T) {
	_, err := WriteCatalog(full{}, CatalogFormat{Fields: catalog.Active}, all(switched("a", true)))
	if !errors.Is(err, errFull) {
		t.Errorf("error %v, want %v", err, errFull)
	}
}

func TestCatalogFieldsNeverBoth(t *testing.T) {
	for set := range catalog.Fields(16) {
		for _, on := range []bool{false, true} {
			it := catalog.Item{Set: set, Active: on}
			got := CatalogFields(it)
			if !set.Has(got) || got.Has(catalog.Active|catalog.Quantity) {
				t.Errorf("CatalogFields(set %b, active %v) = %b", set, on, got)
			}
			if rest := catalog.Price | catalog.MaxSales; got&rest != set&rest {
				t.Errorf("CatalogFields(set %b, active %v) = %b: other fields changed", set, on, got)
			}
			both := catalog.Active | catalog.Quantity
			switch {
			case set&both == 0 && got&both != 0, set&both != 0 && got&both == 0:
				t.Errorf("CatalogFields(set %b, active %v) = %b: availability lost or invented", set, on, got)
			case set.Has(both) && !on && !got.Has(catalog.Active):
				t.Errorf("CatalogFields(set %b, active false) = %b: a quantity could switch it on", set, got)
			}
		}
	}
}

func BenchmarkWriteCatalog(b *testing.B) {
	format := CatalogFormat{Fields: catalog.Price | catalog.Quantity, PriceDecimals: 2}
	it := with(priced("7791234", 10500), stocked("", 8))
	b.ReportAllocs()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	rows := 0
	for b.Loop() {
		n, err := WriteCatalog(io.Discard, format, func(yield func(catalog.Item, error) bool) {
			for range 10_000 {
				if !yield(it, nil) {
					return
				}
			}
		})
		if err != nil {
			b.Fatal(err)
		}
		rows += n
	}
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(rows), "allocs/row")
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

var errFull = errors.New("disk full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
