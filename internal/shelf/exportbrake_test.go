package shelf

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gondola/internal/catalog"
)

// stall makes a layer file of n articles, each with the price and quantity that of returns; 0 is none.
func stall(n int, of func(i int) (price catalog.Money, quantity int64)) table {
	file := table{}
	for i := range n {
		r := Record{Key: fmt.Sprintf("%05d", i)}
		price, quantity := of(i)
		if price != 0 {
			r.Item.Set, r.Item.Price = r.Item.Set|catalog.Price, price
		}
		if quantity != 0 {
			r.Item.Set, r.Item.Quantity = r.Item.Set|catalog.Quantity, quantity
		}
		file[r.Key] = r
	}
	return file
}

func prices(i int) (catalog.Money, int64) { return catalog.Money(1000 * (i + 10)), 0 }

func samePrice(int) (catalog.Money, int64) { return 99000, 0 }

// TestBrakeOnWholeExports is about what is wrong with an export whatever becomes of single rows.
func TestBrakeOnWholeExports(t *testing.T) {
	brake := Brake{Deactivate: 0.2, Shrink: 0.3, New: 0.5, Equal: 0.9, FirstDeactivate: 0.8, MinRows: 50}
	both := func(swap bool) table {
		return stall(100, func(i int) (catalog.Money, int64) {
			if swap {
				return catalog.Money(1000 * (i + 1)), int64(i + 500)
			}
			return catalog.Money(1000 * (i + 500)), int64(i + 1)
		})
	}
	renamed := func(n int) table {
		file := table{}
		for key, r := range stall(n, prices) {
			r.Key = "x" + key
			file[r.Key] = r
		}
		return file
	}
	equal := stall(100, samePrice)
	mixed := func(same, others int) table {
		return stall(same+others, func(i int) (catalog.Money, int64) {
			if i < same {
				return 99000, 0
			}
			return prices(i)
		})
	}
	for _, tc := range []struct {
		name        string
		passed, own table
		want        []Finding
	}{
		{"nothing wrong", stall(100, prices), stall(100, prices), nil},
		{"all prices equal", stall(100, prices), equal, []Finding{{Code: catalog.BrakeEqual, Share: 1, Count: 100, Of: 100, Limit: 0.9}}},
		{"nine of ten are allowed", stall(100, prices), mixed(90, 10), nil},
		{"one more is not", stall(100, prices), mixed(91, 9), []Finding{{Code: catalog.BrakeEqual, Share: 0.91, Count: 91, Of: 100, Limit: 0.9}}},
		{"a shop of one price stays one", equal, equal, nil},
		{"a first export of one price", nil, equal, []Finding{{Code: catalog.BrakeEqual, Share: 1, Count: 100, Of: 100, Limit: 0.9}}},
		{"few articles of one price", nil, stall(49, samePrice), nil},
		{"price and quantity changed places", both(false), both(true), []Finding{{Code: catalog.BrakeSwapped, Share: 1, Count: 100, Of: 100, Limit: 0.5}}},
		{"price and quantity as they were", both(false), both(false), nil},
		{"other articles altogether", stall(100, prices), renamed(100), []Finding{{Code: catalog.BrakeNew, Share: 1, Count: 100, Of: 100, Limit: 0.5}}},
		{"a few new ones of another kind", stall(100, prices), renamed(49), nil},
		{"first export, most of it off", nil, layerOf(19, 81, 0), []Finding{{Code: catalog.BrakeInactive, Share: 0.81, Count: 81, Of: 100, Limit: 0.8}}},
		{"first export, as much off as allowed", nil, layerOf(20, 80, 0), nil},
		{"first export of few articles", nil, layerOf(0, 49, 0), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := newTestFiles(t)
			var passed []Digest
			if tc.passed != nil {
				passed = []Digest{write(t, files, tc.passed)}
			}
			own := []Digest{write(t, files, tc.own)}
			got, err := files.Check(brake, append(passed[:len(passed):len(passed)], own...), passed, own)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got, cmpopts.IgnoreFields(Finding{}, "Worst")); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBrakeNamesTheWorst(t *testing.T) {
	files := newTestFiles(t)
	passed := write(t, files, stall(100, func(i int) (catalog.Money, int64) { return catalog.Money(1000 * (i + 1)), 5 }))
	none := table{}
	for key, r := range stall(100, func(i int) (catalog.Money, int64) { return catalog.Money(1000 * (i + 1)), 5 }) {
		r.Item.Quantity = 0
		none[key] = r
	}
	own := write(t, files, none)
	got, err := files.Check(Brake{Deactivate: 0.2, Shrink: 1, New: 1, Equal: 1}, []Digest{passed, own}, []Digest{passed}, []Digest{own})
	if err != nil || len(got) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if w := got[0].Worst; len(w) != MaxWorst || w[0] != (Move{Key: "00099", Old: 100000}) || w[9].Key != "00090" {
		t.Errorf("worst %+v; want the ten dearest", w)
	}
}
