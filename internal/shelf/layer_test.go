package shelf

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"gondola/internal/catalog"
)

const today Day = 1000

// build runs rows of one store through a sorter and BuildLayer.
func build(t fataler, files Files, dir string, spec LayerSpec, rows []Row) Layer {
	t.Helper()
	s := NewSorter(catalog.BySKU, dir)
	defer func() { _ = s.Close() }()
	s.buffer = 300
	// Stores before and after, so that a layer that takes more than its own shows.
	for i, r := range slices.Concat([]Row{{Vendor: "0", Item: priced("A", 77).Item}}, rows, []Row{{Vendor: "2", Item: priced("a", 78).Item}}) {
		r.Line = i
		if r.Vendor == "" {
			r.Vendor = "1"
		}
		if err := s.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	var layer Layer
	err := s.Each(func(vendor string, rows *Rows) (err error) {
		if vendor == "1" {
			layer, err = files.BuildLayer(spec, rows)
		}
		return err
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return layer
}

// naiveLayer is what a layer file should hold, from what lay there before and one row a key.
func naiveLayer(spec LayerSpec, old table, rows map[string]Row) (table, Layer) {
	file, l := table{}, Layer{Full: spec.Full}
	for key, r := range rows {
		before, known := old[key]
		switch {
		case !r.Rejected:
			file[key] = Record{Key: key, Item: r.Item}
			l.Present++
		case spec.Full && known:
			file[key] = before
			l.Present++
		}
	}
	if !spec.Full {
		return file, l
	}
	for key, before := range old {
		_, present := rows[key]
		deactivate := spec.Missing == Deactivate
		switch {
		case present:
		case before.Gone != 0:
			if deactivate && before.Gone > spec.Today-30 {
				file[key] = before
				l.Tombstones++
			}
		case spec.Keyless:
			file[key] = before
			if deactivate {
				l.Suspended++
			}
		case deactivate:
			grave := Record{Key: key, Gone: spec.Today, Item: catalog.Item{SKU: before.Item.SKU, Barcode: before.Item.Barcode}}
			if spec.Owned.Has(catalog.Quantity) && !spec.Owned.Has(catalog.Active) {
				setCell(&grave.Item, catalog.Quantity, "0")
			} else {
				setCell(&grave.Item, catalog.Active, "false")
			}
			file[key] = grave
			l.Tombstones++
		}
	}
	return file, l
}

func TestBuildLayerLikeTheModel(t *testing.T) {
	files, dir := newTestFiles(t), t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		below := someTables(3).Draw(t, "below")
		spec := LayerSpec{
			Full: rapid.Bool().Draw(t, "full"), Missing: rapid.SampledFrom([]Missing{Keep, Deactivate}).Draw(t, "missing"),
			Owned: catalog.Fields(rapid.IntRange(1, 15).Draw(t, "owned")), Keyless: rapid.IntRange(0, 3).Draw(t, "keyless") == 0,
			Below: writeAll(t, files, below), Today: today,
		}
		rows := map[string]Row{}
		for key, r := range aTable(false).Draw(t, "rows") {
			rows[key] = Row{Item: r.Item, Rejected: rapid.IntRange(0, 3).Draw(t, "rejected") == 0}
		}
		got := build(t, files, dir, spec, slices.Collect(maps.Values(rows)))
		want, wantLayer := naiveLayer(spec, overlaid(below), rows)
		if len(rows) == 0 {
			// A store without rows is not called for at all.
			return
		}
		wantLayer.Digest = got.Digest
		if diff := cmp.Diff(wantLayer, got); diff != "" {
			t.Fatalf("layer (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(sorted(want), read(t, files, []Digest{got.Digest})); diff != "" {
			t.Fatalf("%+v over %v (-want +got):\n%s", spec, below, diff)
		}
	})
}

func TestCompactReadsTheSame(t *testing.T) {
	files := newTestFiles(t)
	rapid.Check(t, func(t *rapid.T) {
		stack := writeAll(t, files, someTables(4).Draw(t, "stack"))
		want := read(t, files, stack)
		one, err := files.Compact(stack, today)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, read(t, files, []Digest{one.Digest})); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		graves := len(slices.DeleteFunc(slices.Clone(want), func(r Record) bool { return r.Gone == 0 }))
		if !one.Full || one.Present != len(want)-graves || one.Tombstones != graves {
			t.Fatalf("%+v of %d records with %d tombstones", one, len(want), graves)
		}
		again, err := files.Compact([]Digest{one.Digest}, today)
		if err != nil || again != one {
			t.Fatalf("compacted once more: %+v, %v; want %+v", again, err, one)
		}
	})
}

// A tombstone goes with every full export for thirty days, and the count starts when the article went missing, not anew each day.
func TestTombstoneLivesThirtyDays(t *testing.T) {
	files, dir := newTestFiles(t), t.TempDir()
	spec := LayerSpec{Full: true, Missing: Deactivate, Owned: catalog.Price}
	stays, goes := Row{Item: priced("a", 5).Item}, Row{Item: priced("b", 6).Item}
	day := DayOf(time.Date(2026, 12, 20, 23, 59, 59, 0, time.UTC))
	spec.Today = day
	l := build(t, files, dir, spec, []Row{stays, goes})
	lived := 0
	for range 40 {
		spec.Today++
		spec.Below = []Digest{l.Digest}
		l = build(t, files, dir, spec, []Row{stays})
		all := read(t, files, []Digest{l.Digest})
		if len(all) != 1+l.Tombstones || all[0] != (Record{Key: "a", Item: stays.Item}) {
			t.Fatalf("day %d: %+v in %+v", spec.Today-day, all, l)
		}
		if l.Tombstones == 1 {
			lived++
			want := Record{Key: "b", Gone: day + 1, Item: catalog.Item{SKU: "b", Set: catalog.Active}}
			if all[1] != want || lived != int(spec.Today-day) {
				t.Fatalf("day %d: tombstone %+v, want %+v", spec.Today-day, all[1], want)
			}
		}
	}
	if lived != TombstoneDays {
		t.Errorf("the tombstone went with %d daily exports, want %d", lived, TombstoneDays)
	}
}

func TestDayOf(t *testing.T) {
	montevideo := time.FixedZone("-03", -3*3600)
	for _, tc := range []struct {
		at   time.Time
		want Day
	}{
		{time.Unix(0, 0), 0},
		{time.Date(1970, 1, 1, 23, 59, 59, 0, time.UTC), 0},
		{time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC), 1},
		{time.Date(1970, 1, 1, 21, 0, 0, 0, montevideo), 1},
		{time.Date(2000, 3, 1, 12, 0, 0, 0, time.UTC), 11017},
	} {
		if got := DayOf(tc.at); got != tc.want {
			t.Errorf("DayOf(%v) = %d, want %d", tc.at, got, tc.want)
		}
	}
}

// An error below must not end as a layer that lacks the rest.
func TestBuildLayerWithDamageBelow(t *testing.T) {
	files := newTestFiles(t)
	below := write(t, files, table{"a": priced("a", 1), "b": priced("b", 2), "c": priced("c", 3)})
	damage(t, files, below)
	s := NewSorter(catalog.BySKU, t.TempDir())
	defer s.Close()
	if err := s.Add(Row{Vendor: "1", Item: priced("a", 9).Item, Line: 2}); err != nil {
		t.Fatal(err)
	}
	err := s.Each(func(_ string, rows *Rows) error {
		l, err := files.BuildLayer(LayerSpec{Full: true, Missing: Keep, Below: []Digest{below}, Today: today}, rows)
		if l != (Layer{}) {
			t.Errorf("layer %+v beside the error", l)
		}
		return err
	}, nil)
	if err == nil {
		t.Error("BuildLayer succeeded over a damaged file")
	}
	if all := lying(t, files.Dir); len(all) != 1 {
		t.Errorf("files = %v, want only the damaged one", all)
	}
}
