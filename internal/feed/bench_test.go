package feed

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"gondola/internal/catalog"
)

// bulk writes an export of so many rows, of the shape that ERPs write: semicolons, Windows-1252, decimal commas.
func bulk(tb testing.TB, rows int) (path string, size int64) {
	tb.Helper()
	path = filepath.Join(tb.TempDir(), "bulk.csv")
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	w := bufio.NewWriter(f)
	write := func(format string, args ...any) {
		if _, err := fmt.Fprintf(w, format, args...); err != nil {
			tb.Fatal(err)
		}
	}
	write("Sucursal;C\xf3d. Art\xedculo;Descripci\xf3n;C\xf3digo de barras;Rubro;Precio c/IVA;Stock;Activo\r\n")
	for i := range rows {
		write("001;%06d;Galletitas de lim\xf3n %d g;95200019;Almac\xe9n;%d.%03d,%02d;%d;S\xed\r\n", i, i%500, 1+i%9, i%1000, i%100, i%300)
	}
	if err := w.Flush(); err != nil {
		tb.Fatal(err)
	}
	if err := f.Close(); err != nil {
		tb.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		tb.Fatal(err)
	}
	return path, info.Size()
}

// perRow reports what a row costs, when the benchmark ends.
func perRow(b *testing.B, rows int) {
	b.ReportAllocs()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b.Cleanup(func() {
		runtime.ReadMemStats(&after)
		n := float64(rows) * float64(b.N)
		b.ReportMetric(float64(after.Mallocs-before.Mallocs)/n, "allocs/row")
		b.ReportMetric(n/b.Elapsed().Seconds(), "rows/s")
	})
}

func BenchmarkConvert(b *testing.B) {
	const rows = 100_000
	path, size := bulk(b, rows)
	b.SetBytes(size)
	perRow(b, rows)
	for b.Loop() {
		res, err := Convert(b.Context(), specFor(byColumn), path, "bulk.csv", func(Record) error { return nil })
		if err != nil || res.Records != rows {
			b.Fatalf("%d records, %v", res.Records, err)
		}
	}
}

func BenchmarkConvertWithRules(b *testing.B) {
	const rows = 100_000
	for name, rules := range map[string]RuleSet{
		"declarative": {
			Price:          PriceRules{VAT: 22_000, Markup: 8000, Round: 100, Ending: Ending{900, 1000}, Floor: 1000, Ceiling: 99_999_000},
			StockThreshold: 3, MaxDefault: 12,
		},
		"words":   {Exclude: Exclusion{Columns: []string{"Descripci\u00f3n"}, Words: []string{"muestra", "envase retornable"}}},
		"formula": {Price: PriceRules{Formula: `price * (text("Rubro") == "Vinos" ? 1.40 : 1.25)`}},
	} {
		b.Run(name, func(b *testing.B) {
			path, size := bulk(b, rows)
			b.SetBytes(size)
			perRow(b, rows)
			for b.Loop() {
				res, err := Convert(b.Context(), specFor(byColumn, ruled(rules)), path, "bulk.csv", func(Record) error { return nil })
				if err != nil || res.Records == 0 {
					b.Fatalf("%d records, %v", res.Records, err)
				}
			}
		})
	}
}

func BenchmarkConvertPromotions(b *testing.B) {
	const rows = 20_000
	path := filepath.Join(b.TempDir(), "promos.csv")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "Sucursal;Código;Oferta;Precio oferta;Desde;Hasta;Activa")
	for i := range rows {
		fmt.Fprintf(w, "001;%06d;%s;01/%02d/2026;31/12/2026;Sí\n", i, []string{"3x2;", "2da al 50%;", "-20%;", ";990,50"}[i%4], 1+i%12)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	perRow(b, rows)
	for b.Loop() {
		res, err := Convert(b.Context(), promoSpec(byColumn), path, "promos.csv", func(Record) error { return nil })
		if err != nil || res.Records != rows {
			b.Fatalf("%d records, %v", res.Records, err)
		}
	}
}

// BenchmarkCells reads cells by themselves: prices in both conventions, and barcodes.
func BenchmarkCells(b *testing.B) {
	const rows = 1000
	b.Run("price", func(b *testing.B) {
		perRow(b, rows)
		for b.Loop() {
			for i := range rows {
				if n, ok := scanNumeral([]string{"$ 1.234,56", "12,50", "990", "1'234,5"}[i%4], currencyWords); !ok || n.core == "" {
					b.Fatal(i)
				}
			}
		}
	})
	b.Run("barcode", func(b *testing.B) {
		perRow(b, rows)
		for b.Loop() {
			for range rows {
				if !catalog.GTINValid("7791234567898") {
					b.Fatal("no barcode")
				}
			}
		}
	})
}

// Ten times the rows must not take more memory.
func TestMemoryIsFlat(t *testing.T) {
	peak := func(rows int) uint64 {
		path, _ := bulk(t, rows)
		var most uint64
		var m runtime.MemStats
		n := 0
		res, err := Convert(t.Context(), specFor(byColumn), path, "bulk.csv", func(Record) error {
			if n++; n%(rows/4) == 0 {
				runtime.GC()
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
			return nil
		})
		if err != nil || res.Records != rows {
			t.Fatalf("%d records, %v", res.Records, err)
		}
		return most
	}
	small, large := peak(5_000), peak(50_000)
	if large > small+1<<20 {
		t.Errorf("%d bytes live for 5,000 rows, %d for 50,000", small, large)
	}
}
