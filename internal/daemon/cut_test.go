package daemon

import (
	"strings"
	"testing"

	"gondola/internal/catalog"
)

// TestFeedThatNeverEndsItsLastLine loses an article for good: the first export without it may be cut, the next of its length is not.
func TestFeedThatNeverEndsItsLastLine(t *testing.T) {
	c := newRules(t, oneFullFeed, "brake: {equal_prices: off, min_rows: 1000, price_change: off, same_factor: off}")
	open := func(n int, price string) string { return strings.TrimSuffix(articles(n, 0, price), "\n") }
	for i, step := range []struct {
		rows int
		cut  int
	}{{8, 0}, {8, 0}, {7, 1}, {7, 0}, {7, 0}, {6, 1}, {6, 0}, {8, 0}} {
		c.export("full", open(step.rows, "10.50"))
		d, ok, err := c.house.store.Drop(t.Context(), int64(i+1))
		if err != nil || !ok || d.Outcome.Counts[catalog.RowCut] != step.cut {
			t.Errorf("export %d of %d rows: issues %v, %v", i+1, step.rows, d.Outcome.Issues, err)
		}
		c.push(false)
	}
}
