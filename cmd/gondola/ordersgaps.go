package main

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"gondola/internal/config"
	"gondola/internal/daemon"
)

// newOrdersGapsCommand shows where events and answers differ.
func newOrdersGapsCommand(a *app) *cobra.Command {
	var since string
	var limit int
	c := &cobra.Command{
		Use:   "gaps",
		Short: "Show orders that the platform's events and its answers tell differently",
		Long: `Orders come by webhook and by asking; each makes good what the other misses. not-told is a state that only an
answer had: the event did not come. not-listed is an order that only an event told of, and differs a state that
only an event had: both are asked for again. repaired is made good, confirmed is what the platform says when
asked, gone is an order that it does not know.`,
		Example:     "  gondola orders gaps --since 24h\n  gondola orders gaps --json",
		Args:        cobra.NoArgs,
		Annotations: codes(),
		RunE:        func(c *cobra.Command, _ []string) error { return a.orderGaps(c.Context(), since, limit) },
	}
	c.Flags().StringVar(&since, "since", "7d", "found at this `TIME` or later: 2006-01-02T15:04 in the chain's zone, RFC 3339 or 6h for six hours ago")
	c.Flags().IntVar(&limit, "limit", 100, "at most so `MANY`")
	return c
}

// gapList is what orders gaps --json prints.
type gapList struct {
	Gaps []daemon.Gap `json:"gaps"`
}

func (a *app) orderGaps(ctx context.Context, since string, limit int) error {
	if limit < 1 {
		return usagef("--limit is 1 or more, found %d", limit)
	}
	return a.attached(ctx, func(cfg *config.Config, h *daemon.House) error {
		zone := zoneOf(cfg.Chain.TimeZone)
		from, err := momentOf("--since", since, time.Now(), zone)
		if err != nil {
			return err
		}
		all, err := h.Gaps(ctx, from, limit)
		if err != nil {
			return err
		}
		if a.JSON {
			return a.printJSON(gapList{all})
		}
		if len(all) == 0 {
			a.printf("No gaps.\n")
			return nil
		}
		rows := make([][]string, len(all))
		for i, g := range all {
			outcome := g.Outcome
			if outcome == "" {
				outcome = "asked " + strconv.Itoa(g.Checked) + "x"
			}
			rows[i] = []string{clock(g.Found, zone), g.Kind, storeName(cfg, g.Vendor), g.Code, g.State, clock(g.Seen, zone), g.Now, outcome, g.ID}
		}
		a.table([]string{"FOUND", "GAP", "STORE", "CODE", "STATE", "SEEN", "STANDS", "OUTCOME", "ID"}, rows)
		return nil
	}, nothingYet)
}
