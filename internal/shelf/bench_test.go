package shelf

import (
	"fmt"
	"runtime"
	"testing"

	"gondola/internal/catalog"
)

const benchRecords = 1_000_000

// benchRecord is the i-th article of a large shelf, with every field that a shop has.
func benchRecord(i int) Record {
	return Record{Key: fmt.Sprintf("%08d", i), Item: catalog.Item{
		SKU: fmt.Sprintf("%08d", i), Barcode: fmt.Sprintf("779%010d", i), Set: catalog.Price | catalog.Active | catalog.Quantity,
		Price: catalog.Money(990 + i%100_000*10), Active: i%10 != 0, Quantity: int64(i % 50),
	}}
}

// benchFile writes the large shelf with every n-th price changed; 0 changes none.
func benchFile(b *testing.B, files Files, n int, change func(*Record)) Digest {
	b.Helper()
	w, err := files.Create()
	if err != nil {
		b.Fatal(err)
	}
	defer w.Abort()
	for i := range benchRecords {
		r := benchRecord(i)
		if n > 0 && i%n == 0 {
			change(&r)
		}
		if err := w.Add(r); err != nil {
			b.Fatal(err)
		}
	}
	d, err := w.Commit()
	if err != nil {
		b.Fatal(err)
	}
	return d
}

// perRecord reports what a record costs, when the benchmark ends.
func perRecord(b *testing.B, records int) {
	b.Helper()
	b.ReportAllocs()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b.Cleanup(func() {
		runtime.ReadMemStats(&after)
		n := float64(records) * float64(b.N)
		b.ReportMetric(float64(after.Mallocs-before.Mallocs)/n, "allocs/record")
		b.ReportMetric(n/b.Elapsed().Seconds(), "records/s")
	})
}

// BenchmarkDiff is the everyday question: a large shelf of which next to nothing has changed.
func BenchmarkDiff(b *testing.B) {
	dearer := func(r *Record) { r.Item.Price++ }
	files := newTestFiles(b)
	sent := benchFile(b, files, 0, nil)
	wanted := benchFile(b, files, benchRecords/10, dearer)
	prices := benchFile(b, files, 1, func(r *Record) { r.Item.Set &= catalog.Price | catalog.Active })
	stock := benchFile(b, files, 1, func(r *Record) { r.Item.Set &= catalog.Quantity })
	for _, bm := range []struct {
		name   string
		wanted []Digest
		differ int
	}{{"one layer", []Digest{wanted}, 10}, {"prices and stock from two feeds", []Digest{prices, stock}, 0}} {
		b.Run(bm.name, func(b *testing.B) {
			perRecord(b, benchRecords)
			for b.Loop() {
				s, err := files.Diff(Question{Wanted: bm.wanted, Sent: []Digest{sent}})
				if err != nil || s.Differs != bm.differ {
					b.Fatalf("%d differ, %v; want %d", s.Differs, err, bm.differ)
				}
			}
		})
	}
}

// BenchmarkPlan writes the rows of ten changes on a large shelf.
func BenchmarkPlan(b *testing.B) {
	files := newTestFiles(b)
	sent := benchFile(b, files, 0, nil)
	wanted := benchFile(b, files, benchRecords/10, func(r *Record) { r.Item.Price++ })
	perRecord(b, benchRecords)
	for b.Loop() {
		s, err := files.Plan(Question{Wanted: []Digest{wanted}, Sent: []Digest{sent}})
		if err != nil || s.Rows != 10 {
			b.Fatalf("%d rows, %v; want 10", s.Rows, err)
		}
	}
}

// BenchmarkSorter brings an export of ten stores, in the order of an ERP's table, into the order of layers.
func BenchmarkSorter(b *testing.B) {
	const rows = 200_000
	items := make([]catalog.Item, rows/10)
	for i := range items {
		items[i] = benchRecord(i * 7919 % 1_000_003).Item
	}
	stores := make([]string, 10)
	for i := range stores {
		stores[i] = fmt.Sprint(290_000 + i)
	}
	dir := b.TempDir()
	for _, buffer := range []int{sortBuffer, 2 << 20} {
		b.Run(fmt.Sprintf("%d MB", buffer>>20), func(b *testing.B) {
			perRecord(b, rows)
			for b.Loop() {
				s := NewSorter(catalog.BySKU, dir)
				s.buffer = buffer
				for i := range rows {
					if err := s.Add(Row{Vendor: stores[i%10], Item: items[i/10], Line: i}); err != nil {
						b.Fatal(err)
					}
				}
				if err := s.Each(func(string, *Rows) error { return nil }, nil); err != nil {
					b.Fatal(err)
				}
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkBuildLayer writes a full export over the layer it replaces, sorting not timed.
func BenchmarkBuildLayer(b *testing.B) {
	const rows = 100_000
	files, dir := newTestFiles(b), b.TempDir()
	s := NewSorter(catalog.BySKU, dir)
	for i := range rows {
		if err := s.Add(Row{Vendor: "1", Item: benchRecord(i * 2).Item, Line: i}); err != nil {
			b.Fatal(err)
		}
	}
	defer s.Close()
	below := benchFile(b, files, 0, nil)
	perRecord(b, benchRecords)
	for b.Loop() {
		err := s.Each(func(_ string, rows *Rows) error {
			_, err := files.BuildLayer(LayerSpec{Full: true, Missing: Deactivate, Owned: catalog.Price, Below: []Digest{below}, Today: today}, rows)
			return err
		}, nil)
		if err != nil {
			b.Fatal(err)
		}
	}
}
