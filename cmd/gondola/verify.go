package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gondola/internal/config"
	"gondola/internal/daemon"
)

// verifyFlags are what verify is asked.
type verifyFlags struct{ sku, day, vendor string }

// newVerifyCommand holds the state against its digests.
func newVerifyCommand(a *app) *cobra.Command {
	var f verifyFlags
	c := &cobra.Command{
		Use:   "verify",
		Short: "Hold every file against its digest, or show the proof of one article's day",
		Long: `Reads every archived export, shelf file and document and compares it with its digest, walks the ledger from
its first row to its last, and asks the database whether it is whole. What is missing or damaged is named,
with what to do; the exit code is then 1. It prints the digest of the ledger's newest row: written down
elsewhere, it proves everything up to that row.
With --sku it prints the proof of one article instead: which documents named it, with which values, under which
remote name, with which digest and size, how it is known that they arrived, and what became of them.`,
		Example:     "  gondola verify\n  gondola verify --sku 1234 --day 2026-11-25 --vendor 290056",
		Args:        cobra.NoArgs,
		Annotations: codes(),
		RunE:        func(c *cobra.Command, _ []string) error { return a.verify(c.Context(), f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.sku, "sku", "", "the proof of the article with this `SKU`, or barcode")
	flags.StringVar(&f.day, "day", "", "of this `DAY`, such as 2026-11-25 (default the last documents)")
	flags.StringVar(&f.vendor, "vendor", "", "only of the store with this `ID` (default all stores)")
	return c
}

func (a *app) verify(ctx context.Context, f verifyFlags) error {
	if f.sku == "" && (f.day != "" || f.vendor != "") {
		return usagef("--day and --vendor go with --sku")
	}
	return a.attached(ctx, func(cfg *config.Config, h *daemon.House) error {
		if f.sku != "" {
			return a.proof(ctx, cfg, h, f)
		}
		v, err := h.Verify(ctx)
		if err != nil {
			return err
		}
		code := exitDone
		if len(v.Damage) > 0 {
			code = exitError
		}
		if a.JSON {
			if err := a.printJSON(v); err != nil {
				return err
			}
			return ended(code)
		}
		a.printVerification(cfg, v)
		return ended(code)
	}, nothingYet)
}

func (a *app) printVerification(cfg *config.Config, v daemon.Verification) {
	for _, d := range v.Damage {
		a.printf("%s %s: %s\n  %s\n", d.What, plain(d.Is), plain(d.Path), d.Do)
	}
	a.printf("exports    %d\nshelves    %s\ndocuments  %d\n", v.Exports, count(v.Records, "file"), v.Documents)
	a.printf("read       %.1f MB\n", float64(v.Bytes)/1e6)
	if v.Ledger.Rows > 0 {
		a.printf("ledger     %s since %s, up to row %d: %s\n", count(v.Ledger.Rows, "row"), clock(v.Ledger.Since, zoneOf(cfg.Chain.TimeZone)),
			v.Ledger.Last, v.Ledger.Head)
	}
	if len(v.Damage) == 0 {
		a.printf("Everything is as it was written.\n")
	}
}

// proven is what verify --sku --json prints.
type proven struct {
	Article string                 `json:"article"`
	Key     string                 `json:"key"`
	Day     string                 `json:"day,omitempty"`
	Stores  []daemon.StoreEvidence `json:"stores"`
}

func (a *app) proof(ctx context.Context, cfg *config.Config, h *daemon.House, f verifyFlags) error {
	zone := zoneOf(cfg.Chain.TimeZone)
	day, err := dayOf(f.day, zone)
	if err != nil {
		return err
	}
	key, stores, err := h.EvidenceOf(ctx, daemon.About{Article: f.sku, Vendor: f.vendor, Day: day})
	if err != nil {
		return err
	}
	if a.JSON {
		return a.printJSON(proven{Article: f.sku, Key: key, Day: f.day, Stores: stores})
	}
	for _, s := range stores {
		a.printf("%s of %s:\n", s.Kind, whichStore(cfg, s.Vendor))
		a.printEvidence(s.Documents, s.Before, zone)
	}
	return nil
}

// printEvidence prints documents that name an article.
func (a *app) printEvidence(documents []daemon.Evidence, before *daemon.Evidence, zone *time.Location) {
	if len(documents) == 0 {
		a.printf("  no document named it\n")
	}
	for _, e := range documents {
		a.printDocument(e, zone)
	}
	if before != nil {
		a.printf("  before that day, last by:\n")
		a.printDocument(*before, zone)
	}
}

func (a *app) printDocument(e daemon.Evidence, zone *time.Location) {
	kind := "differences"
	if e.Full {
		kind = "everything"
	}
	a.printf("  %s (delivery %d, %s)\n", plain(e.Document), e.Delivery, kind)
	for _, s := range e.Says {
		a.printf("    says      %s\n", sayingLine(s))
	}
	a.printf("    planned   %s, begun %s\n", moment(e.Planned, zone), moment(e.Began, zone))
	if e.Verified.IsZero() {
		a.printf("    state     %s, not verified\n", e.State)
	} else {
		if string(e.By) == config.ByAPI {
			a.printf("    accepted  %s by the platform\n", moment(e.Verified, zone))
		} else {
			a.printf("    verified  %s by %s (%s)\n", moment(e.Verified, zone), e.Proof, e.Way)
		}
		a.printf("    fate      %s\n", fateText(e))
	}
	a.printf("    bytes     %d in %s, sha256 %s\n    our copy  %s\n", e.Size, count(e.Rows, "row"), e.SHA256, e.File)
}

// moment is clock with seconds.
func moment(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(zone).Format(time.DateTime)
}

func fateText(e daemon.Evidence) string {
	if string(e.By) == config.ByAPI {
		switch e.Fate {
		case "confirmed":
			return "confirmed: the platform has worked on it"
		case "silent":
			return "silent: the platform never told what it made of it"
		}
		return "the platform has not told the end of its job"
	}
	settled := "not known to have been read yet"
	if e.Settled {
		settled = "it was there to be read, or a later file contains it"
	}
	if e.Fate == "" {
		return settled
	}
	return fmt.Sprintf("%s; %s", e.Fate, settled)
}
