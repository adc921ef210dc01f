package daemon

import (
	"strconv"
	"testing"

	"gondola/internal/catalog"
	"gondola/internal/store"
)

// TestDrafts: targets of one kind are planned together, in the order in which they are due, and not too many of them.
func TestDrafts(t *testing.T) {
	due := func(kinds ...catalog.Kind) (all []store.Target) {
		for i, kind := range kinds {
			all = append(all, store.Target{Target: Target{Vendor: strconv.Itoa(i), Kind: kind}.String()})
		}
		return all
	}
	many := make([]catalog.Kind, draftedTogether+1)
	for i := range many {
		many[i] = catalog.KindPromotions
	}
	for _, tc := range []struct {
		kinds []catalog.Kind
		want  int
	}{
		{[]catalog.Kind{catalog.KindCatalog}, 1},
		{[]catalog.Kind{catalog.KindCatalog, catalog.KindCatalog, catalog.KindPromotions, catalog.KindCatalog}, 2},
		{[]catalog.Kind{catalog.KindPromotions, catalog.KindCatalog}, 1},
		{many, draftedTogether},
	} {
		if got := drafts(due(tc.kinds...)); got != tc.want {
			t.Errorf("%v: %d, want %d", tc.kinds, got, tc.want)
		}
	}
}
