package daemon

import (
	"strings"
	"testing"

	"gondola/internal/catalog"
	"gondola/internal/config"
)

// TestHeldRowsOutliveAChangeOfTheConfig: what the brake holds, or somebody has rejected, does not leave as if it were new because articles
// are known by another identifier, or go in files of another shape.
func TestHeldRowsOutliveAChangeOfTheConfig(t *testing.T) {
	for name, change := range map[string]func(*config.Config){
		"another identifier": func(c *config.Config) { c.Chain.IdentifyBy = "barcode" },
		"another shape":      func(c *config.Config) { c.Send.Catalog.Shape = config.ShapeChain },
	} {
		t.Run(name, func(t *testing.T) {
			c := newRules(t, `  - {name: full, drop: drop, export: full, vendor: all}`, "")
			c.export("full", "sku,barcode,precio\nA,7501031311309,10.00\nB,7501055363513,10.00\n")
			c.slot(false)
			c.settle()
			c.export("full", "sku,barcode,precio\nA,7501031311309,90.00\nB,7501055363513,11.00\n")
			c.slot(false)
			if ok, err := c.house.RejectFinding(t.Context(), 1, "ana"); err != nil || !ok {
				t.Fatal(ok, err)
			}
			c.restart(change)
			if put := c.slot(false); strings.Contains(put["catalog/gondola_1.csv"]+put["catalog/gondola.csv"], "90.00") {
				t.Fatalf("put: %v", put)
			}
			rows := c.status().Rows
			if len(rows) == 0 || rows[0].Code != catalog.BrakeFirst {
				t.Fatalf("held: %+v", rows)
			}
			for _, r := range rows {
				id, _ := FindingID(r.ID)
				if _, err := c.house.ApproveFinding(t.Context(), id, "ana"); err != nil {
					t.Fatal(err)
				}
			}
			put := c.slot(false)
			if !strings.Contains(put["catalog/gondola_1.csv"]+put["catalog/gondola.csv"], "90.00") {
				t.Errorf("approved, put: %v", put)
			}
			c.settle()
			c.export("full", "sku,barcode,precio\nA,7501031311309,91.00\nB,7501055363513,11.00\n")
			if put := c.slot(false); len(put) == 0 || len(c.status().Rows) != 0 {
				t.Errorf("asked again: %v, %+v", put, c.status().Rows)
			}
		})
	}
}
