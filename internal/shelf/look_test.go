package shelf

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/catalog"
)

// TestLook finds articles in a stack, and what a slip of the finger may have meant.
func TestLook(t *testing.T) {
	files := Files{Dir: t.TempDir()}
	lower, upper := table{}, table{}
	for _, key := range []string{"7730241003654", "7730241003661", "A-17", "A-18", "a-19", "0042"} {
		lower[key] = Record{Key: key, Item: catalog.Item{SKU: key}}
	}
	upper["A-17"] = Record{Key: "A-17", Item: catalog.Item{Barcode: "7790895000430"}}
	stack := writeAll(t, files, []table{lower, upper})
	all := []Lookup{{Key: "A-17"}, {Key: "7730241003645"}, {Key: "A-19"}, {Key: "42"}, {Key: "Z"}, {Key: "nothing near"}, {Key: ""}}
	if err := files.Look(stack, all); err != nil {
		t.Fatal(err)
	}
	if got := all[0].Found; got.SKU != "A-17" || got.Barcode != "7790895000430" {
		t.Errorf("found %+v", got)
	}
	var near [][]string
	for _, l := range all[1:] {
		if l.Found.SKU != "" {
			t.Errorf("%q was found: %+v", l.Key, l.Found)
		}
		near = append(near, l.Near)
	}
	want := [][]string{{"7730241003654", "7730241003661"}, {"a-19", "A-17", "A-18"}, {"0042"}, nil, nil, nil}
	if diff := cmp.Diff(want, near); diff != "" {
		t.Errorf("near (-want +got):\n%s", diff)
	}
}
