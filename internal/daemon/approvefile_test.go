package daemon

import (
	"testing"

	"gondola/internal/drop"
)

// TestApprovalFileTakenTwice takes an approval again after a crash between the decision and the file's end; a file that is only named like
// an approval is put aside.
func TestApprovalFileTakenTwice(t *testing.T) {
	c := newRules(t, `  - {name: full, drop: drop, match: ["full*.csv"], export: full, missing: deactivate, vendor: {ids: ["1"]}}`,
		"brake: {approve_by_file: true, min_rows: 5}")
	taken := func(name string) drop.Verdict {
		t.Helper()
		v, err := taker{c.house, c.house.feeds}.Take(t.Context(), drop.Claim{Seq: 90, Name: name, FirstSeen: c.clock, ModTime: c.clock, Owner: "ana"})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	c.export("full", "sku,precio\nA,10\nB,11\nC,12\nD,13\nE,14\nF,15\n")
	c.slot(false)
	c.export("full", "sku,precio\nA,90\nB,11\nC,12\nD,13\nE,14\nF,15\n")
	c.slot(false)
	for _, name := range []string{"APROBAR-F1", "APROBAR-F1.txt", "APROBAR-2"} {
		if got := taken(name); got != drop.Read {
			t.Errorf("%s: %v", name, got)
		}
	}
	c.slot(false)
	c.export("full", "sku,precio\nA,90\n")
	c.slot(false)
	for range 2 {
		if got := taken("APROBAR-3"); got != drop.Read {
			t.Errorf("a held export: %v", got)
		}
	}
	for _, name := range []string{"approve-list.csv", "aprobar precios.xlsx", "APROBAR-F9"} {
		if got := taken(name); got != drop.Rejected {
			t.Errorf("%s: %v", name, got)
		}
	}
}
