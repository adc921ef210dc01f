package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gondola/internal/config"
	"gondola/internal/daemon"
	"gondola/internal/store"
)

// usualReplay is how many exports of each feed are read again where nothing is said: a week of one a day, and some that were dropped twice.
const usualReplay = 10

// rehearsed is what check --replay --json prints.
type rehearsed struct {
	Drops     []daemon.RehearsedDrop `json:"drops"`
	Documents []rehearsedDocument    `json:"documents"`
	Notes     []string               `json:"notes"`
}

// rehearsedDocument is a document with its rows as plan shows them.
type rehearsedDocument struct {
	daemon.RehearsedDocument
	Changed int            `json:"changed"`
	Worst   []rehearsedRow `json:"worst"`
}

// rehearsedRow is one row that changes.
type rehearsedRow struct {
	Key       string            `json:"key"`
	Before    *article          `json:"before,omitempty"`
	After     *article          `json:"after,omitempty"`
	Promotion *plannedPromotion `json:"promotion,omitempty"` // as it would be, or as it was where it is gone
	Gone      bool              `json:"gone,omitempty"`
}

// rehearse runs a config that is fine over the last exports, and shows what would be different.
func (a *app) rehearse(ctx context.Context, cfg *config.Config, f checkFlags) error {
	as := daemon.RehearseAs{Config: cfg, Drops: f.replay}
	if isTerminal(a.Stderr) {
		as.Reading = func(at, of int, name string) {
			_, _ = fmt.Fprintf(a.Stderr, "reading export %d of %d: %s\n", at, of, plain(name))
		}
	}
	if f.against != "" {
		live, err := config.Look(f.against)
		if err != nil {
			return &failure{exitUsage, err}
		}
		as.Against = live
	}
	r, err := daemon.Rehearse(ctx, as, daemon.Options{})
	if errors.Is(err, store.ErrNone) {
		return usagef("nothing to rehearse with: no state in %s; state.dir of the changed config must be that of the config that is live: "+
			"put the one beside the other", cfg.State.Dir)
	}
	if err != nil {
		return err
	}
	out := rehearsed{Drops: r.Drops, Documents: []rehearsedDocument{}, Notes: append([]string{}, r.Notes...)}
	for _, d := range r.Documents {
		shown := rehearsedDocument{RehearsedDocument: d, Changed: d.Changed(), Worst: []rehearsedRow{}}
		for _, row := range d.Worst {
			shown.Worst = append(shown.Worst, rehearsedRowOf(row))
		}
		out.Documents = append(out.Documents, shown)
	}
	if a.JSON {
		err = a.printJSON(out)
	} else {
		a.printRehearsal(cfg, out)
	}
	if err != nil {
		return err
	}
	return ended(out.code())
}

// code returns how the command ends: what could be read must be readable, what went must go.
func (r rehearsed) code() int {
	switch {
	case slices.ContainsFunc(r.Drops, func(d daemon.RehearsedDrop) bool { return d.After.Rejected && !d.Before.Rejected }):
		return exitData
	case slices.ContainsFunc(r.Documents, func(d rehearsedDocument) bool { return d.Holds() }):
		return exitBrake
	}
	return exitDone
}

func rehearsedRowOf(row daemon.RehearsedRow) rehearsedRow {
	out := rehearsedRow{Key: row.Key, Gone: row.After == nil && row.AfterPromotion == nil}
	if row.Before != nil {
		out.Before = new(articleOf(*row.Before))
	}
	if row.After != nil {
		out.After = new(articleOf(*row.After))
	}
	promotion := row.AfterPromotion
	if promotion == nil {
		promotion = row.BeforePromotion
	}
	if promotion != nil {
		out.Promotion = new(promotionOf(daemon.PlannedRow{Key: row.Key, Promotion: promotion, New: row.BeforePromotion == nil, Differs: true}))
	}
	return out
}

func (a *app) printRehearsal(cfg *config.Config, r rehearsed) {
	zone := zoneOf(cfg.Chain.TimeZone)
	if len(r.Drops) == 0 {
		a.printf("No export of a feed of this config was dropped yet.\n")
	} else {
		rows := make([][]string, len(r.Drops))
		for i, d := range r.Drops {
			rows[i] = []string{
				fmt.Sprint(d.Seq), clock(d.At, zone), d.Feed, d.Name, understood(d.Before), "->", understoodAfter(d),
			}
		}
		a.table([]string{"DROP", "SEEN", "FEED", "FILE", "NOW", "", "WITH THIS CONFIG"}, rows)
	}
	for _, d := range r.Drops {
		for _, is := range d.Issues {
			line := fmt.Sprintf("drop %d: %s %d -> %d", d.Seq, is.Code, is.Before, is.After)
			if is.First != nil && is.After > is.Before {
				line += ", such as " + issuePlace(*is.First) + is.First.Text
			}
			a.printf("  %s\n", plain(line))
		}
	}
	for _, d := range r.Documents {
		a.printf("\n%s: %s\n", shelfName(cfg, d.Vendor, d.Kind), plain(documentLine(d)))
		for _, row := range d.Worst {
			a.printf("  %s\n", plain(rehearsedLine(row)))
		}
		if more := d.Added + d.Gone + d.Changed - len(d.Worst); more > 0 {
			a.printf("  and %s more, all of them smaller\n", count(more, "row"))
		}
		for _, h := range d.HeldDrops {
			a.printf("  the brake would hold drop %d (%s): %s; gondola codes explains them\n", h.Seq, h.Feed, strings.Join(h.Findings, ", "))
		}
		for _, f := range d.HeldRows {
			a.printf("  the brake would hold %s: %s\n", plain(heldLine(f)), f.Code)
		}
	}
	for _, note := range r.Notes {
		a.printf("\nnote: %s\n", plain(note))
	}
	a.printf("\nNothing was sent, and nothing was changed.\n")
}

// understood says how much of an export was understood.
func understood(u daemon.Understood) string {
	if u.Rejected {
		return "rejected"
	}
	return fmt.Sprintf("%d of %s, %s", u.Records, count(u.Rows, "row"), count(u.Issues, "issue"))
}

func understoodAfter(d daemon.RehearsedDrop) string {
	switch {
	case d.Gone:
		return "no longer in the archive"
	case d.After.Rejected:
		return fmt.Sprintf("rejected, %s", count(d.After.Issues, "issue"))
	case d.After == d.Before && len(d.Issues) == 0:
		return "the same"
	case d.Before.Rejected:
		return understood(d.After) + "; drop it again once this is live"
	}
	return understood(d.After)
}

// documentLine says in one line what becomes of a document.
func documentLine(d rehearsedDocument) string {
	line := d.Name
	if d.Was != "" {
		line = d.Was + " -> " + d.Name
	}
	if d.Ends {
		return line + ": not written any more"
	}
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{
		{d.Added, "new"},
		{d.Gone, "not told any more"},
		{d.Dearer, "dearer"},
		{d.Cheaper, "cheaper"},
		{d.On, "back on sale"},
		{d.Off, "off sale"},
		{d.Other, "otherwise"},
	} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	if parts == nil {
		return fmt.Sprintf("%s: %s, as now", line, count(d.After, "row"))
	}
	line += fmt.Sprintf(": %d -> %s: %s", d.Before, count(d.After, "row"), strings.Join(parts, ", "))
	if d.Next > 0 {
		line += fmt.Sprintf("; the next slot would send %d", d.Next)
	}
	return line
}

// rehearsedLine shows one row as plan does, and what is gone.
func rehearsedLine(row rehearsedRow) string {
	switch {
	case row.Promotion != nil && row.Gone:
		return fmt.Sprintf("- %s not told any more: %s, %s", row.Key, row.Promotion.Campaign, strings.TrimSpace(row.Promotion.Details+" "+row.Promotion.Offer))
	case row.Promotion != nil:
		return promotionLine(*row.Promotion)
	case row.Gone:
		return fmt.Sprintf("- %s not told any more: %s", row.Key, strings.Join(told(values(*row.Before)), ", "))
	}
	planned := plannedArticle{Key: row.Key, New: row.Before == nil, Differs: true, Row: *row.After}
	if row.Before != nil {
		planned.Sent = *row.Before
	}
	return articleLine(planned)
}
