package shelf

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"gondola/internal/catalog"
)

func TestOverlayReadsLikeTheModel(t *testing.T) {
	files := newTestFiles(t)
	rapid.Check(t, func(t *rapid.T) {
		stack := someTables(4).Draw(t, "stack")
		if diff := cmp.Diff(sorted(overlaid(stack)), read(t, files, writeAll(t, files, stack))); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

// The cases a person would ask about, by hand.
func TestOverlayFieldByField(t *testing.T) {
	item := func(set, blank catalog.Fields) catalog.Item {
		it := catalog.Item{Set: set, Blank: blank}
		if set.Has(catalog.Price) {
			it.Price = 500
		}
		if set.Has(catalog.Quantity) {
			it.Quantity = 4
		}
		return it
	}
	const price, active, quantity = catalog.Price, catalog.Active, catalog.Quantity
	on := func(it catalog.Item) catalog.Item { it.Active = true; return it }
	for _, tc := range []struct {
		name         string
		below, above Record
		want         Record
	}{
		{"absent shows through", Record{Item: item(price, 0)}, Record{Item: item(quantity, 0)}, Record{Item: item(price|quantity, 0)}},
		{"blank hides", Record{Item: item(price, 0)}, Record{Item: item(0, price)}, Record{Item: item(0, price)}},
		{"a value hides a blank", Record{Item: item(0, price)}, Record{Item: item(price, 0)}, Record{Item: item(price, 0)}},
		{"a blank shows through", Record{Item: item(0, price)}, Record{Item: item(quantity, 0)}, Record{Item: item(quantity, price)}},
		{
			"a price alone does not switch on",
			Record{Item: item(active, 0), Gone: 7},
			Record{Item: item(price, 0)},
			Record{Item: item(price|active, 0), Gone: 7},
		},
		{
			"switched on again",
			Record{Item: item(active, 0), Gone: 7},
			Record{Item: on(item(active, 0))},
			Record{Item: on(item(active, 0))},
		},
		{
			"a tombstone on top",
			Record{Item: on(item(active|price, 0))},
			Record{Item: item(active, 0), Gone: 9},
			Record{Item: item(active|price, 0), Gone: 9},
		},
		{"the newer of two tombstones", Record{Item: item(active, 0), Gone: 7}, Record{Item: item(active, 0), Gone: 9}, Record{Item: item(active, 0), Gone: 9}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := newTestFiles(t)
			tc.below.Key, tc.above.Key, tc.want.Key = "k", "k", "k"
			got := read(t, files, writeAll(t, files, []table{{"k": tc.below}, {"k": tc.above}}))
			if diff := cmp.Diff([]Record{tc.want}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What a walk has handed out stays as it was while the walk goes on: readers keep records.
func TestOverlayRecordsOutliveTheWalk(t *testing.T) {
	files := newTestFiles(t)
	want := table{}
	for i := range 20_000 {
		r := priced(string(rune('a'+i/10_000))+string(rune(0x4e00+i%10_000)), catalog.Money(i))
		want[r.Key] = r
	}
	if diff := cmp.Diff(sorted(want), read(t, files, []Digest{write(t, files, want)})); diff != "" {
		t.Errorf("(-want +got):\n%.2000s", diff)
	}
}
