package shelf

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"gondola/internal/catalog"
)

// out is what came out of a sorter.
type out struct {
	Vendors []string
	Rows    []sortedRow
	Twice   []Twice
}

func sortRows(t fataler, by catalog.IdentifyBy, dir string, buffer int, rows []Row) (out, int) {
	t.Helper()
	s := NewSorter(by, dir)
	s.buffer = buffer
	for _, r := range rows {
		if err := s.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	runs := len(s.runs)
	var o out
	err := s.Each(func(vendor string, rows *Rows) error {
		o.Vendors = append(o.Vendors, vendor)
		for row, ok := rows.next(); ok; row, ok = rows.next() {
			o.Rows = append(o.Rows, row)
		}
		return nil
	}, func(tw Twice) { o.Twice = append(o.Twice, tw) })
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	return o, runs
}

// naiveSort is what a sorter should do, on a slice.
func naiveSort(by catalog.IdentifyBy, rows []Row) out {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b Row) int {
		if c := strings.Compare(a.Vendor, b.Vendor); c != 0 {
			return c
		}
		return strings.Compare(a.Item.Key(by), b.Item.Key(by))
	})
	var o out
	for i := 0; i < len(rows); {
		vendor, key := rows[i].Vendor, rows[i].Item.Key(by)
		best := rows[i]
		for i++; i < len(rows) && rows[i].Vendor == vendor && rows[i].Item.Key(by) == key; i++ {
			again := rows[i]
			if again.Rejected {
				continue
			}
			if !best.Rejected {
				same := true
				for _, f := range fields {
					a, b := cell(best.Item, f), cell(again.Item, f)
					same = same && strings.TrimPrefix(a, ".") == strings.TrimPrefix(b, ".")
				}
				o.Twice = append(o.Twice, Twice{Vendor: vendor, Key: key, Line: again.Line, Other: best.Line, Same: same})
			}
			best = again
		}
		if !slices.Contains(o.Vendors, vendor) {
			o.Vendors = append(o.Vendors, vendor)
		}
		o.Rows = append(o.Rows, sortedRow{Vendor: vendor, Record: Record{Key: key, Item: best.Item}, Line: best.Line, Rejected: best.Rejected})
	}
	return o
}

func TestSorterSortsLikeTheModel(t *testing.T) {
	dir := t.TempDir()
	vendors := []string{"*", "1", "1-2", "12", "A", "a"}
	spilled := 0
	rapid.Check(t, func(t *rapid.T) {
		by := rapid.SampledFrom([]catalog.IdentifyBy{catalog.BySKU, catalog.ByBarcode}).Draw(t, "by")
		rows := make([]Row, rapid.IntRange(0, 60).Draw(t, "rows"))
		for i := range rows {
			rows[i] = Row{
				Vendor: rapid.SampledFrom(vendors).Draw(t, "vendor"), Item: anItem().Draw(t, "item"),
				Line: i + 2, Rejected: rapid.IntRange(0, 3).Draw(t, "rejected") == 0,
			}
			rows[i].Item.SKU = rapid.SampledFrom(keys).Draw(t, "sku")
			if by == catalog.ByBarcode {
				rows[i].Item.Barcode = rapid.SampledFrom([]string{"7", "07", "0", "00", "70", "0070"}).Draw(t, "barcode")
			}
		}
		got, runs := sortRows(t, by, dir, rapid.IntRange(1, 600).Draw(t, "buffer"), rows)
		if runs > 1 {
			spilled++
		}
		if diff := cmp.Diff(naiveSort(by, rows), got); diff != "" {
			t.Fatalf("%d rows in %d runs (-want +got):\n%s", len(rows), runs, diff)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Fatalf("Close left %v", left)
		}
	})
	if spilled == 0 {
		t.Error("no case spilled: the test says nothing about merging")
	}
}

func TestSorterTwice(t *testing.T) {
	row := func(line int, price catalog.Money, rejected bool) Row {
		return Row{Vendor: "1", Item: priced("a", price).Item, Line: line, Rejected: rejected}
	}
	for _, tc := range []struct {
		name     string
		rows     []Row
		line     int
		rejected bool
		twice    []Twice
	}{
		{"the same", []Row{row(2, 5, false), row(3, 5, false)}, 3, false, []Twice{{"1", "a", 3, 2, true}}},
		{"different", []Row{row(2, 5, false), row(3, 6, false)}, 3, false, []Twice{{"1", "a", 3, 2, false}}},
		{"three", []Row{row(2, 5, false), row(3, 6, false), row(4, 6, false)}, 4, false, []Twice{{"1", "a", 3, 2, false}, {"1", "a", 4, 3, true}}},
		{"rejected first", []Row{row(2, 0, true), row(3, 6, false)}, 3, false, nil},
		{"rejected last", []Row{row(2, 5, false), row(3, 0, true)}, 2, false, nil},
		{"rejected between", []Row{row(2, 5, false), row(3, 0, true), row(4, 5, false)}, 4, false, []Twice{{"1", "a", 4, 2, true}}},
		{"both rejected", []Row{row(2, 0, true), row(3, 0, true)}, 2, true, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, _ := sortRows(t, catalog.BySKU, t.TempDir(), 1, tc.rows)
			if len(got.Rows) != 1 || got.Rows[0].Line != tc.line || got.Rows[0].Rejected != tc.rejected {
				t.Errorf("rows = %+v, want line %d, rejected %t", got.Rows, tc.line, tc.rejected)
			}
			if diff := cmp.Diff(tc.twice, got.Twice); diff != "" {
				t.Errorf("twice (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSorterPassesOverWhatIsNotRead(t *testing.T) {
	s := NewSorter(catalog.BySKU, t.TempDir())
	s.buffer = 1
	defer s.Close()
	for i, v := range []string{"2", "1", "3", "2", "1", "2"} {
		if err := s.Add(Row{Vendor: v, Item: priced(fmt.Sprint("k", i), 1).Item, Line: i}); err != nil {
			t.Fatal(err)
		}
	}
	read := map[string]int{}
	err := s.Each(func(vendor string, rows *Rows) error {
		read[vendor] = 0
		if vendor == "2" {
			_, _ = rows.next()
			read[vendor]++
		}
		return nil
	}, nil)
	if diff := cmp.Diff(map[string]int{"1": 0, "2": 1, "3": 0}, read); diff != "" || err != nil {
		t.Errorf("stores and rows read, error %v (-want +got):\n%s", err, diff)
	}
}

func TestSorterStopsOnErrors(t *testing.T) {
	s := NewSorter(catalog.BySKU, t.TempDir())
	s.buffer = 1
	defer s.Close()
	for _, bad := range []Row{
		{Vendor: "1", Item: catalog.Item{Barcode: "77"}, Line: 4},
		{Vendor: "1", Item: priced("a\nb", 1).Item, Line: 5},
		{Vendor: "1\t", Item: priced("a", 1).Item, Line: 6},
	} {
		if err := s.Add(bad); err == nil || !strings.Contains(err.Error(), fmt.Sprint("line ", bad.Line)) {
			t.Errorf("Add(%+v) = %v, want an error that names the line", bad, err)
		}
	}
	for _, v := range []string{"1", "2"} {
		if err := s.Add(Row{Vendor: v, Item: priced("a", 1).Item}); err != nil {
			t.Fatal(err)
		}
	}
	boom := errors.New("boom")
	calls := 0
	err := s.Each(func(string, *Rows) error { calls++; return boom }, nil)
	if !errors.Is(err, boom) || calls != 1 {
		t.Errorf("Each = %v after %d calls, want the first one's error", err, calls)
	}
	// What a disk loses must not look like a shorter export.
	if err := s.runs[1].Truncate(5); err != nil {
		t.Fatal(err)
	}
	if err := s.Each(func(string, *Rows) error { return nil }, nil); err == nil {
		t.Error("Each over a run that lost its end succeeded")
	}
}

func TestSorterMemoryIsFlat(t *testing.T) {
	const rows, limit = 300_000, 8 << 20
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, peak := heap(), uint64(0)
	s := NewSorter(catalog.BySKU, t.TempDir())
	s.buffer = 512 << 10
	defer s.Close()
	for i := range rows {
		// An order that is far from sorted, and the same keys in three stores.
		key := fmt.Sprintf("%08d", i/3*7919%100_003)
		if err := s.Add(Row{Vendor: string(rune('1' + i%3)), Item: priced(key, 1).Item, Line: i}); err != nil {
			t.Fatal(err)
		}
	}
	peak = max(peak, heap())
	n := 0
	err := s.Each(func(_ string, rows *Rows) error {
		for _, ok := rows.next(); ok; _, ok = rows.next() {
			if n++; n%50_000 == 0 {
				peak = max(peak, heap())
			}
		}
		return nil
	}, nil)
	if err != nil || n != rows {
		t.Fatalf("%d rows, %v; want %d", n, err, rows)
	}
	if peak > before+limit {
		t.Errorf("%d KB of heap for %d rows, want at most %d KB: it must not grow with the export", (peak-before)>>10, rows, limit>>10)
	}
}

// A spill that fails while more rows come is told, at the latest by Close, and nothing goes on behind that.
func TestSorterTellsOfASpillThatFailed(t *testing.T) {
	defer goleak.VerifyNone(t)
	row := Row{Vendor: "1", Item: priced("k", 1).Item}
	failing := func(t *testing.T) *Sorter {
		readOnly, err := os.Open(os.DevNull) // as a full disk takes nothing
		if err != nil {
			t.Fatal(err)
		}
		defer readOnly.Close()
		p := &pile{arena: []byte("1\tk\n"), lines: []sortLine{{end: 4}}}
		s := NewSorter(catalog.BySKU, t.TempDir())
		s.buffer = 1
		s.spilling = make(chan spilled, 1)
		s.spilling <- spilled{p, p.write(readOnly, []int{0})}
		return s
	}
	for name, do := range map[string]func(*Sorter) error{
		"Add":  func(s *Sorter) error { return s.Add(row) },
		"Each": func(s *Sorter) error { return s.Each(func(string, *Rows) error { return nil }, nil) },
	} {
		s := failing(t)
		if err := do(s); err == nil {
			t.Errorf("%s after a spill that failed succeeded", name)
		}
		if err := s.Close(); err != nil {
			t.Errorf("Close after %s: %v", name, err)
		}
	}
	if err := failing(t).Close(); err == nil {
		t.Error("Close after a spill that failed succeeded")
	}
	s := NewSorter(catalog.BySKU, t.TempDir())
	s.buffer = 1
	if err := errors.Join(s.Add(row), s.Add(row), s.Close()); err != nil {
		t.Error(err)
	}
}

// TestSorterFill fills one while rows are made: they come out as if they had been added, and one that can't be sorted is told of.
func TestSorterFill(t *testing.T) {
	const rows = 3*aheadRecords + 5
	for _, bad := range []int{-1, 0, rows - 1} {
		s := NewSorter(catalog.BySKU, t.TempDir())
		s.buffer = 4 << 10 // some are spilled
		err := s.Fill(func(put func(Row) error) error {
			for i := range rows {
				row := Row{Vendor: "1", Item: priced(fmt.Sprintf("k%06d", rows-i), catalog.Money(i)).Item, Line: i}
				if i == bad {
					row.Item.SKU = ""
				}
				if err := put(row); err != nil {
					return err
				}
			}
			return nil
		})
		if (err != nil) != (bad >= 0) || err != nil && !strings.Contains(err.Error(), fmt.Sprintf("line %d has no key", bad)) {
			t.Errorf("line %d is bad: %v", bad, err)
		}
		if bad < 0 {
			n := 0
			err := s.Each(func(_ string, rows *Rows) error {
				for r, ok := rows.next(); ok; r, ok = rows.next() {
					if n++; r.Key != fmt.Sprintf("k%06d", n) {
						t.Fatalf("row %d is %q", n, r.Key)
					}
				}
				return nil
			}, nil)
			if err != nil || n != rows {
				t.Errorf("%d of %d rows came out: %v", n, rows, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestSorterFillEndsEarly tells what ended the making of rows, when all that were put are added.
func TestSorterFillEndsEarly(t *testing.T) {
	defer goleak.VerifyNone(t)
	broken := errors.New("broken")
	s := NewSorter(catalog.BySKU, t.TempDir())
	err := s.Fill(func(put func(Row) error) error {
		if err := put(Row{Vendor: "1", Item: priced("a", 1).Item}); err != nil {
			t.Error(err)
		}
		return broken
	})
	if !errors.Is(err, broken) || len(s.now.lines) != 1 {
		t.Errorf("%v, with %d rows", err, len(s.now.lines))
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
