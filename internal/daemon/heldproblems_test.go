package daemon

import (
	"slices"
	"testing"

	"gondola/internal/catalog"
	"gondola/internal/report"
)

// TestHeldRowsOfEachStore: rows that are held in another store are another problem, told while the first one's is open.
func TestHeldRowsOfEachStore(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	l := problemList{say: report.NewPhrases(c.house.cfg.Chain.Language, c.house.zone)}
	row := func(id, vendor string) HeldRows {
		return HeldRows{ID: id, Vendor: vendor, Kind: catalog.KindCatalog, IssueText: IssueText{Code: catalog.BrakeEqual}}
	}
	l.heldRows(c.house, []HeldRows{row("F1", "1"), row("F2", "2"), row("F3", "1")})
	var keys []string
	for _, p := range l.all {
		keys = append(keys, p.Key)
	}
	if len(keys) != 2 || len(slices.Compact(slices.Sorted(slices.Values(keys)))) != 2 || l.all[0].Store != "1" || l.all[1].Store != "2" {
		t.Errorf("problems: %+v", l.all)
	}
}
