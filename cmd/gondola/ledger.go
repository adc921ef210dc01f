package main

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gondola/internal/config"
	"gondola/internal/daemon"
	"gondola/internal/store"
)

// ledgerFlags are what ledger is asked.
type ledgerFlags struct{ since, kind string }

// newLedgerCommand prints the ledger.
func newLedgerCommand(a *app) *cobra.Command {
	var f ledgerFlags
	c := &cobra.Command{
		Use:   "ledger",
		Short: "Print what was dropped, held, approved, sent and proved, row by row",
		Long: `Prints the rows of the ledger, the oldest first. Rows are only added, and each names the one before it by its
digest: gondola verify finds one that was changed or taken out. There are no prices and nobody's data in
them, but the account that a dropped file belonged to and the names that admins gave. With --json every line
is one object. retention.ledger says how long rows are kept.`,
		Example:     "  gondola ledger --since 24h\n  gondola ledger --kind approval --json",
		Args:        cobra.NoArgs,
		Annotations: codes(),
		RunE:        func(c *cobra.Command, _ []string) error { return a.ledger(c.Context(), f) },
	}
	c.Flags().StringVar(&f.since, "since", "", "rows from this `TIME` on: 2006-01-02T15:04 in the chain's zone, RFC 3339 or 6h for six hours ago (default all)")
	c.Flags().StringVar(&f.kind, "kind", "", "only rows of this `KIND`: "+kindNames())
	return c
}

func kindNames() string {
	var names []string
	for _, k := range store.EntryKinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

func (a *app) ledger(ctx context.Context, f ledgerFlags) error {
	if f.kind != "" && !slices.Contains(store.EntryKinds(), store.EntryKind(f.kind)) {
		return usagef("unknown kind %q (known: %s)", f.kind, kindNames())
	}
	return a.attached(ctx, func(cfg *config.Config, h *daemon.House) error {
		zone := zoneOf(cfg.Chain.TimeZone)
		var since time.Time
		if f.since != "" {
			var err error
			if since, err = momentOf("--since", f.since, time.Now(), zone); err != nil {
				return err
			}
		}
		lines := json.NewEncoder(a.Stdout)
		lines.SetEscapeHTML(false)
		return h.Ledger(ctx, since, store.EntryKind(f.kind), func(e store.Entry) error {
			if a.JSON {
				return lines.Encode(e)
			}
			a.printf("%6d  %s  %-9s %s\n", e.ID, e.At.In(zone).Format(time.DateTime), e.Kind, plain(factsLine(e.Facts)))
			return nil
		})
	}, nothingYet)
}

// factsLine writes what a row says in one line.
func factsLine(f store.Facts) string {
	var words []string
	add := func(name, value string) {
		if value != "" && value != "0" {
			words = append(words, name+" "+value)
		}
	}
	number := func(name string, n int64) { add(name, strconv.FormatInt(n, 10)) }
	short := func(digest string) string { return digest[:min(len(digest), 12)] }
	when := func(name string, t time.Time) {
		if !t.IsZero() {
			add(name, t.UTC().Format(time.RFC3339))
		}
	}
	number("drop", f.Drop)
	add("feed", f.Feed)
	add("store", f.Scope)
	add("target", f.Target)
	number("finding", f.Finding)
	add("article", strings.Join(f.Articles, " "))
	add("order", strings.Join(f.Orders, " "))
	number("plan", f.Plan)
	if f.Full {
		words = append(words, "full")
	}
	number("differs", int64(f.Differs))
	number("delivery", f.Delivery)
	add("document", f.Document)
	number("rows", int64(f.Rows))
	number("rejected", int64(f.Rejected))
	number("issues", int64(f.Issues))
	add("", strings.Join(f.Codes, " "))
	add("proof", f.Proof)
	add("way", f.Way)
	add("fate", f.Fate)
	add("job", f.Job)
	add("class", f.Class)
	add("sha256", short(f.SHA256))
	number("bytes", f.Size)
	add("version", f.Version)
	add("owner", f.Owner)
	add("by", f.Who)
	when("until", f.Until)
	when("back to", f.Back)
	add("", f.Text)
	return strings.TrimSpace(strings.Join(words, ", "))
}
