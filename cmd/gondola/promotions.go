package main

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/daemon"
)

// newPromotionsCommand lists promotions.
func newPromotionsCommand(a *app) *cobra.Command {
	var q daemon.PromotionQuery
	var state string
	c := &cobra.Command{
		Use:   "promotions",
		Short: "List promotions: how far each has come, and what the platform said of it",
		Long: `Lists the promotions that are wanted or were sent, by store and article, each with the last that is known of it:

` + promotionStates() + `
Of what goes as files nobody tells more than that the file was there to be read; of requests (send: by: api) the
platform tells what it did not take. Those that have ended are left out, unless they are asked for.`,
		Example:     "  gondola promotions\n  gondola promotions --state rejected --vendor 290056\n  gondola promotions --sku 1234 --ended --json",
		Args:        cobra.NoArgs,
		Annotations: codes(),
		RunE: func(c *cobra.Command, _ []string) error {
			q.State = daemon.PromotionState(state)
			return a.promotions(c.Context(), q)
		},
	}
	flags := c.Flags()
	flags.StringVar(&q.Vendor, "vendor", "", "only of the store with this `ID` (default all stores)")
	flags.StringVar(&q.Article, "sku", "", "only of the article with this `SKU`")
	flags.StringVar(&state, "state", "", "only those in this `STATE`")
	flags.BoolVar(&q.Ended, "ended", false, "also those that have ended")
	return c
}

// promotionStates explains the states, one a line.
func promotionStates() string {
	return `  planned    nothing of it has begun to leave
  sending    it began to leave
  sent       its file has arrived and may not have been read yet
  read       its file was there to be read
  accepted   the platform took the request and works on it
  confirmed  the platform has worked on it and took the article
  rejected   the platform did not take the article
  ended      its end was told, or its last day is over
`
}

func (a *app) promotions(ctx context.Context, q daemon.PromotionQuery) error {
	if q.State != "" && !slices.Contains(daemon.PromotionStates(), q.State) {
		names := make([]string, len(daemon.PromotionStates()))
		for i, s := range daemon.PromotionStates() {
			names[i] = string(s)
		}
		return usagef("unknown state %q (known: %s)", q.State, strings.Join(names, ", "))
	}
	return a.attached(ctx, func(cfg *config.Config, h *daemon.House) error {
		all, err := h.Promotions(ctx, q)
		if err != nil {
			return err
		}
		if a.JSON {
			return a.printJSON(all)
		}
		if len(all) == 0 {
			a.printf("No promotions.\n")
			return nil
		}
		zone := zoneOf(cfg.Chain.TimeZone)
		rows := make([][]string, len(all))
		for i, p := range all {
			vendor := p.Vendor
			if vendor == catalog.AllVendors {
				vendor = "all"
			}
			rows[i] = []string{
				vendor, p.Article, p.Name, offerText(p.Says), p.Start, p.End, promotionState(p), promotionNote(p, zone),
			}
		}
		a.table([]string{"STORE", "ARTICLE", "NAME", "OFFER", "FROM", "TO", "STATE", ""}, rows)
		return nil
	}, nothingYet)
}

// offerText says what a promotion offers.
func offerText(s daemon.Saying) string {
	for _, name := range []string{"discounted_price", "discount_percent"} {
		if v := s.Values[name]; v != "" && s.Values["bundle_details"] == "" {
			return v
		}
	}
	parts := []string{s.Values["bundle_details"]}
	for _, name := range []string{"promotion_sub_type", "discount_percent", "bundle_discount"} {
		if v := s.Values[name]; v != "" {
			parts = append(parts, v)
		}
	}
	return strings.Join(parts, " ")
}

// promotionState says how far a promotion has come.
func promotionState(p daemon.PromotionLine) string {
	text := string(p.State)
	if p.By != "" {
		text += " (" + string(p.By) + ")"
	}
	if p.Ending {
		text = "end " + text
	}
	return text
}

// promotionNote says what else is known of a promotion.
func promotionNote(p daemon.PromotionLine, zone *time.Location) string {
	var notes []string
	if !p.Since.IsZero() {
		notes = append(notes, "since "+clock(p.Since, zone))
	}
	if p.Reason != "" {
		notes = append(notes, p.Reason)
	}
	if p.Drop != 0 {
		notes = append(notes, "row "+strconv.Itoa(p.Row)+" of drop "+strconv.FormatInt(p.Drop, 10))
	}
	if p.Changes {
		notes = append(notes, "wanted otherwise by now")
	}
	return plain(strings.Join(notes, ", "))
}
