package shelf

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gondola/internal/catalog"
)

// layerOf makes a layer file from a number of articles in each state, numbered through in the order on, off, gone.
func layerOf(on, off, gone int) table {
	file := table{}
	for i := range on + off + gone {
		r := shown(fmt.Sprintf("%05d", i), i < on)
		if i >= on+off {
			r.Gone = today
		}
		file[r.Key] = r
	}
	return file
}

// stocked is layerOf for a feed that speaks of stock only.
func stocked(some, none int) table {
	file := table{}
	for i := range some + none {
		r := Record{Key: fmt.Sprintf("%05d", i), Item: catalog.Item{Set: catalog.Quantity}}
		if i < some {
			r.Item.Quantity = 9
		}
		file[r.Key] = r
	}
	return file
}

func TestBrake(t *testing.T) {
	brake := Brake{Deactivate: 0.2, Shrink: 0.3, New: 1, Equal: 1, FirstDeactivate: 1, MinRows: 50}
	inactive := func(count, of int) Finding {
		return Finding{Code: catalog.BrakeInactive, Share: float64(count) / float64(of), Count: count, Of: of, Limit: 0.2}
	}
	shrunk := func(left, of int) Finding {
		return Finding{Code: catalog.BrakeShrunk, Share: float64(of-left) / float64(of), Count: left, Of: of, Limit: 0.3}
	}
	for _, tc := range []struct {
		name              string
		passed, candidate []table
		want              []Finding
	}{
		{"first export", nil, []table{layerOf(0, 500, 0)}, nil},
		{"the same again", []table{layerOf(100, 0, 0)}, []table{layerOf(100, 0, 0)}, nil},
		{"exactly the share", []table{layerOf(100, 0, 0)}, []table{layerOf(80, 20, 0)}, nil},
		{"one more", []table{layerOf(100, 0, 0)}, []table{layerOf(79, 21, 0)}, []Finding{inactive(21, 100)}},
		{"out of stock counts as off", []table{stocked(100, 0)}, []table{stocked(79, 21)}, []Finding{inactive(21, 100)}},
		{"back in stock", []table{stocked(10, 90)}, []table{stocked(100, 0)}, nil},
		{"few articles, min_rows is not reached", []table{layerOf(49, 0, 0)}, []table{layerOf(0, 49, 0)}, nil},
		{"min_rows is reached", []table{layerOf(50, 0, 0)}, []table{layerOf(39, 11, 0)}, []Finding{inactive(11, 50)}},
		{"min_rows counts what there was, not what comes", []table{layerOf(10, 0, 0)}, []table{layerOf(0, 500, 0)}, nil},
		{"those that were off are not on sale", []table{layerOf(60, 40, 0)}, []table{layerOf(47, 53, 0)}, []Finding{inactive(13, 60)}},
		{"all of it off before", []table{layerOf(0, 100, 0)}, []table{layerOf(0, 100, 0)}, nil},
		{"exactly the shrink", []table{layerOf(100, 0, 0)}, []table{layerOf(70, 0, 0)}, nil},
		{"shrunk", []table{layerOf(100, 0, 0)}, []table{layerOf(69, 0, 0)}, []Finding{shrunk(69, 100)}},
		{"gone altogether", []table{layerOf(100, 0, 0)}, []table{{}}, []Finding{shrunk(0, 100)}},
		{"new ones make up for lost ones", []table{layerOf(100, 0, 0)}, []table{{}, layerOf(100, 0, 0)}, nil},
		{"growing", []table{layerOf(100, 0, 0)}, []table{layerOf(1000, 0, 0)}, nil},
		{"tombstones are switched off, and lacked", []table{layerOf(100, 0, 0)}, []table{layerOf(69, 0, 31)}, []Finding{inactive(31, 100), shrunk(69, 100)}},
		{"tombstones within the shrink", []table{layerOf(100, 0, 0)}, []table{layerOf(75, 0, 25)}, []Finding{inactive(25, 100)}},
		{"old tombstones are not counted", []table{layerOf(60, 0, 500)}, []table{layerOf(48, 12, 0)}, nil},
		{"tombstones only", []table{layerOf(0, 0, 100)}, []table{{}}, nil},
		{"partial exports count by their sum", []table{layerOf(100, 0, 0)}, []table{layerOf(100, 0, 0), layerOf(0, 15, 0), layerOf(0, 25, 0)}, []Finding{inactive(25, 100)}},
		{"a partial one lacks nothing", []table{layerOf(100, 0, 0)}, []table{layerOf(100, 0, 0), layerOf(3, 0, 0)}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := newTestFiles(t)
			candidate := writeAll(t, files, tc.candidate)
			got, err := files.Check(brake, candidate, writeAll(t, files, tc.passed), candidate)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got, cmpopts.IgnoreFields(Finding{}, "Worst")); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// 0.29 * 100 is a bit less than 29 in floats; 29 of 100 is not more than 29 %. The numbers are those that floats get wrong.
func TestBrakeIsExactAtTheLimit(t *testing.T) {
	files := newTestFiles(t)
	passed := writeAll(t, files, []table{layerOf(100, 0, 0)})
	for _, percent := range []int{0, 7, 14, 28, 29, 55, 56, 57, 58, 99} {
		limit := float64(percent) / 100
		for _, tc := range []struct {
			candidate table
			want      int
		}{{layerOf(100-percent, percent, 0), 0}, {layerOf(99-percent, percent+1, 0), 1}, {layerOf(100-percent, 0, 0), 0}, {layerOf(99-percent, 0, 0), 1}} {
			got, err := files.Check(Brake{Deactivate: limit, Shrink: limit, New: 1, Equal: 1}, writeAll(t, files, []table{tc.candidate}), passed, nil)
			if err != nil || len(got) != tc.want {
				t.Errorf("limit %d %%: %+v, %v; want %d findings", percent, got, err, tc.want)
			}
		}
	}
}

func TestFindingIssue(t *testing.T) {
	got := Finding{
		Code: catalog.BrakePrice, Share: 0.256, Count: 25, Of: 98, Limit: 0.4, Cause: Cause{CauseDecimals, "100"},
		Worst: []Move{{Key: "A1", Old: 10500, New: 1050000, Line: 7}, {Key: "B", Old: 990}},
	}.Issue()
	want := catalog.Issue{Code: catalog.BrakePrice, Severity: catalog.Error, Args: []string{
		"25", "98", "26%", "40%", "decimals", "100", "A1|10.5|1050|7", "B|0.99||",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBrakeOnDamage(t *testing.T) {
	files := newTestFiles(t)
	good, bad := write(t, files, layerOf(100, 0, 0)), write(t, files, layerOf(99, 0, 0))
	damage(t, files, bad)
	for _, stacks := range [][2]Digest{{good, bad}, {bad, good}} {
		if got, err := files.Check(Brake{}, []Digest{stacks[0]}, []Digest{stacks[1]}, nil); err == nil || got != nil {
			t.Errorf("Check = %v, %v; want an error and no finding", got, err)
		}
	}
}
