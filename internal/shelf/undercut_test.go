package shelf

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUndercuts(t *testing.T) {
	for _, tc := range []struct {
		name, before, layer, promotions, sent string
		want                                  []string // key, price, offer
	}{
		{"to the offer", "k:1000", "k:900", "A=900", "", []string{"k 900 900"}},
		{"below it", "k:1000", "k:800", "A=900", "", []string{"k 800 900"}},
		{"still above", "k:1000", "k:901", "A=900", "", nil},
		{"it was below before", "k:850", "k:800", "A=900", "", nil},
		{"it rises", "k:800", "k:900", "A=900", "", nil},
		{"one that is to come", "k:1000", "k:900", "A=900 coming", "", []string{"k 900 900"}},
		{"one that is over", "k:1000", "k:900", "A=900 past", "", nil},
		{"one that ends", "k:1000", "k:900", "A=900 off gone", "A=900", nil},
		{"one that runs and that no layer has", "k:1000", "k:900", "", "A=900", []string{"k 900 900"}},
		{"a share, at the price it was sent with", "k:1000", "k:800", "A=20%", "A=20%@800", []string{"k 800 800"}},
		{"a share that follows the price", "k:1000", "k:800", "A=20%", "", nil},
		{"a bundle", "k:1000", "k:1", "A=2G1", "", nil},
		{"two offers, told once", "k:1000", "k:800", "A=900, B=850 next", "", []string{"k 800 900"}},
		{"another article", "b:1000, k:1000", "b:900", "A=900", "", nil},
		{"an article without a price before", "k:0", "k:900", "A=900", "", nil},
		{"two articles", "a:10, b:10, k:10", "a:5, b:9, k:5", "a/A=7, b/A=7, k/A=7", "", []string{"a 5 7", "k 5 7"}},
		{"no promotions", "k:1000", "k:900", "", "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := newTestFiles(t)
			before, layer := stackOf(t, files, tc.before), stackOf(t, files, tc.layer)
			q := UndercutQuestion{
				Layer: layer[0], Before: before, After: slices.Concat(before, layer), Promotions: stackOf(t, files, tc.promotions),
				Sent: stackOf(t, files, tc.sent), Now: noon,
			}
			var got []string
			err := files.Undercuts(q, func(u Undercut) error {
				got = append(got, fmt.Sprintf("%s %s %s", u.Key, u.Price, u.Offer))
				return nil
			})
			if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			boom := errors.New("boom")
			if err := files.Undercuts(q, func(Undercut) error { return boom }); len(tc.want) > 0 && !errors.Is(err, boom) {
				t.Errorf("error %v", err)
			}
		})
	}
}
