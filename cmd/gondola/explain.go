package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gondola/internal/config"
	"gondola/internal/daemon"
)

// newExplainCommand tells why a shelf shows what it shows.
func newExplainCommand(a *app) *cobra.Command {
	var vendor, day string
	c := &cobra.Command{
		Use:   "explain SKU",
		Short: "Tell why a shelf shows of an article what it shows: cell, rules, document, proof",
		Long: `Tells for one article, store by store: what is wanted, which exports say so and which ones lie below them, in
which cells, what the feed's rules made of those step by step, what was sent, in which document, under which
name, and how that is proved. SKU may be a barcode. With --day it tells how things stood at the end of that
day, as far back as retention.layers and retention.drops reach. It reads the archived exports once more,
works beside the running daemon, and changes nothing.`,
		Example:     "  gondola explain 1234\n  gondola explain 7790895000997 --vendor 290056 --day 2026-11-25 --json",
		Args:        oneArg("SKU"),
		Annotations: codes(),
		RunE: func(c *cobra.Command, args []string) error {
			return a.explain(c.Context(), args[0], vendor, day)
		},
	}
	c.Flags().StringVar(&vendor, "vendor", "", "only in the store with this `ID` (default all stores)")
	c.Flags().StringVar(&day, "day", "", "at the end of this `DAY`, such as 2026-11-25 (default now)")
	return c
}

func (a *app) explain(ctx context.Context, article, vendor, day string) error {
	return a.attached(ctx, func(cfg *config.Config, h *daemon.House) error {
		zone := zoneOf(cfg.Chain.TimeZone)
		at, err := dayOf(day, zone)
		if err != nil {
			return err
		}
		e, err := h.Explain(ctx, daemon.About{Article: article, Vendor: vendor, Day: at})
		if err != nil {
			return err
		}
		if a.JSON {
			return a.printJSON(e)
		}
		for i, s := range e.Stores {
			if i > 0 {
				a.printf("\n")
			}
			a.printExplained(cfg, e, s, zone)
		}
		a.printf("\nfeedback  %s\n", e.Feedback)
		return nil
	}, nothingYet)
}

func (a *app) printExplained(cfg *config.Config, e daemon.Explanation, s daemon.StoreExplanation, zone *time.Location) {
	a.printf("%s: %s of %s, %s\n", plain(e.Key), s.Kind, whichStore(cfg, s.Vendor), moment(e.At, zone))
	if len(s.Wanted) == 0 {
		a.printf("  wanted    nothing is said of it\n")
	}
	for _, w := range s.Wanted {
		a.printf("  wanted    %s\n", sayingLine(w))
	}
	for _, source := range s.Sources {
		a.printSource(source, zone)
	}
	for _, source := range s.Pending {
		a.printSource(source, zone)
	}
	for _, w := range s.Sent {
		a.printf("  sent      %s\n", sayingLine(w))
	}
	for _, f := range s.Feedback {
		where := ""
		if f.Row > 0 {
			where = fmt.Sprintf(" (row %d of drop %d)", f.Row, f.Drop)
		}
		a.printf("  not taken %s, %s: %s%s\n", moment(f.At, zone), whichStore(cfg, f.Vendor), plain(f.Reason), where)
	}
	if s.Next != nil {
		a.printf("  next      %s\n", nextText(s.Next))
	}
	a.printEvidence(s.Documents, s.Before, zone)
}

func (a *app) printSource(s daemon.Source, zone *time.Location) {
	wins := "hidden by what is above"
	switch {
	case s.State != "counts":
		wins = s.State
		if len(s.Codes) > 0 {
			wins += ": " + strings.Join(s.Codes, " ")
		}
	case len(s.Wins) > 0:
		wins = "counts for " + strings.Join(s.Wins, ", ")
	}
	a.printf("  from      feed %s, drop %d %s, %s: %s\n", s.Feed, s.Drop, plain(s.Name), moment(s.Came, zone), plain(wins))
	for _, say := range s.Says {
		a.printf("    says    %s\n", sayingLine(say))
	}
	for _, o := range s.Origin {
		sheet := ""
		if o.Sheet != "" {
			sheet = ", sheet " + plain(o.Sheet)
		}
		a.printf("    row     %d of drop %d %s%s\n", o.Row, o.Drop, plain(o.Name), sheet)
		for _, c := range o.Cells {
			a.printf("      %-5s %s (%s): %s\n", c.Cell, plain(c.Header), c.Role, plain(c.Text))
		}
		for _, step := range o.Steps {
			a.printf("      %s\n", plain(fmt.Sprintf("%s %s: %s -> %s", step.Rule, step.Field, orNothing(step.Before), orNothing(step.After))))
		}
		switch {
		case o.Rejected:
			a.printf("      the row was not taken: what was said before holds on\n")
		case o.Excluded:
			a.printf("      rules leave the row out\n")
		}
		for _, is := range o.Issues {
			a.printf("      %s %s\n", is.Code, plain(is.Text))
		}
	}
	if s.Note != "" {
		a.printf("    note    %s\n", plain(s.Note))
	}
}

func orNothing(text string) string {
	if text == "" {
		return "nothing"
	}
	return text
}

// nextText says what the next slot does about an article.
func nextText(n *daemon.NextOfArticle) string {
	var parts []string
	switch {
	case len(n.Held) > 0:
		parts = append(parts, "the brake keeps it as it was sent: "+strings.Join(n.Held, ", "))
	case n.Differs:
		var says []string
		for _, s := range n.Says {
			says = append(says, sayingLine(s))
		}
		parts = append(parts, "the next slot sends "+strings.Join(says, "; "))
	default:
		parts = append(parts, "it is as it was sent")
	}
	if n.Unsettled {
		parts = append(parts, "what left may not have been read yet, so the next file repeats it")
	}
	if n.Waiting > 0 {
		parts = append(parts, count(n.Waiting, "promotion")+" start once the end of others has been read")
	}
	for _, code := range n.Withheld {
		parts = append(parts, "a promotion is withheld: "+string(code))
	}
	return strings.Join(parts, "; ")
}

// sayingOrder is the order in which values are told; others come after it.
var sayingOrder = []string{
	"price", "active", "quantity", "maximum_sales_quantity", "campaign_name", "start_date", "end_date", "promotion_type",
	"promotion_sub_type", "bundle_details", "discounted_price", "discount_percent", "bundle_discount", "campaign_status",
}

// sayingLine writes what is said of an article, or of a promotion, in one line.
func sayingLine(s daemon.Saying) string {
	var parts []string
	for _, name := range sayingOrder {
		if value, ok := s.Values[name]; ok {
			parts = append(parts, name+" "+plain(value))
		}
	}
	if s.Missing {
		parts = append(parts, "(no longer in a full export)")
	}
	return strings.Join(parts, ", ")
}
