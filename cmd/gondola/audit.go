package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"gondola/internal/config"
	"gondola/internal/daemon"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

// auditWait is how long a running daemon is waited for: hundreds of pages at some fifty a minute.
const auditWait = time.Hour

// auditFlags are what audit is asked.
type auditFlags struct {
	daemon.AuditAsk
	export string // a file that the platform exported
	csv    string
	last   bool
	show   int
	wait   time.Duration
}

// newAuditCommand compares the platform's catalogue with what was sent.
func newAuditCommand(a *app) *cobra.Command {
	var f auditFlags
	c := &cobra.Command{
		Use:   "audit",
		Short: "Compare the platform's catalogue with what was sent",
		Long: `Fetches the catalogue that each store has at the platform and compares it with what was sent: articles that
the platform does not know, articles there of which nothing was ever sent, and prices and states that are others.
What left less than an hour ago is not judged. A quantity is not kept by the platform, so that states are compared
only where a state was sent. It needs a token for the catalogue (api), or a file that Partner Portal exported. A
running daemon is asked to do it and waited for; it takes its time, because orders come first.`,
		Example: "  gondola audit --vendor 290056 --csv differences.csv\n  gondola audit --last\n" +
			"  gondola audit --vendor 290056 --export portal.csv --set-sent",
		Args:        cobra.NoArgs,
		Annotations: codes(exitData, exitRemote),
		RunE:        func(c *cobra.Command, _ []string) error { return a.audit(c.Context(), f) },
	}
	flags := c.Flags()
	flags.StringArrayVar(&f.Vendors, "vendor", nil, "only the store with this `ID`; may be repeated (default all stores)")
	flags.BoolVar(&f.ByExport, "by-export", false, "let the platform make a file, whose address comes by webhook, instead of asking page by page")
	flags.StringVar(&f.export, "export", "", "compare this `FILE` that Partner Portal exported of the one store of --vendor; nobody is asked")
	flags.BoolVar(&f.SetSent, "set-sent", false, "what the platform has counts as sent, where nothing was ever sent: then the first push sends only what differs")
	flags.BoolVar(&f.last, "last", false, "show what the last audits found; nobody is asked")
	flags.StringVar(&f.csv, "csv", "", "write every difference into `FILE`")
	flags.IntVar(&f.show, "show", 20, "show so many differences of each store")
	flags.DurationVar(&f.wait, "wait", auditWait, "wait at most this `DURATION` for a running daemon; 0s only asks it")
	return c
}

// audited is what audit --json prints.
type audited struct {
	Stores []auditedStore `json:"stores"`
	Asked  bool           `json:"asked,omitempty"` // the daemon goes on with it
}

// auditedStore is one store of an audit.
type auditedStore struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	Source      string            `json:"source"` // list, export or file
	State       string            `json:"state"`  // asked, exporting, done or failed
	At          time.Time         `json:"at,omitzero"`
	Counts      shelf.AuditCounts `json:"counts"`
	SetSent     bool              `json:"set_sent"` // what the platform has counts as sent from now on
	Error       string            `json:"error,omitempty"`
	Differences []daemon.AuditRow `json:"differences,omitempty"` // the first ones, without those of which nothing was sent

	audit store.Audit
	more  int // differences that are not shown
}

func (a *app) audit(ctx context.Context, f auditFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	f.Who = "somebody"
	if one, err := user.Current(); err == nil {
		f.Who = one.Username
	}
	cfg, err := a.lookBeside()
	if err != nil {
		return err
	}
	running, err := store.Running(cfg.State.Dir)
	if err != nil {
		return err
	}
	if f.last || running {
		return a.attached(ctx, func(cfg *config.Config, h *daemon.House) error { return a.auditBeside(ctx, cfg, h, f) }, nothingYet)
	}
	if cfg, err = a.load(); err != nil {
		return err
	}
	_, err = a.withHouse(ctx, cfg, daemon.Options{}, func(h *daemon.House) (daemon.Outcome, error) {
		return daemon.Outcome{}, a.auditAlone(ctx, cfg, h, f)
	})
	if errors.Is(err, store.ErrLocked) { // it was started just now
		return a.attached(ctx, func(cfg *config.Config, h *daemon.House) error { return a.auditBeside(ctx, cfg, h, f) }, nothingYet)
	}
	return err
}

// check refuses flags that don't go together.
func (f auditFlags) check() error {
	switch {
	case f.export != "" && len(f.Vendors) != 1:
		return usagef("--export is one store's: say which with one --vendor")
	case f.export != "" && (f.ByExport || f.last), f.ByExport && f.last, f.last && f.SetSent:
		return usagef("--export, --by-export, and --last with or without --set-sent, are different ways; choose one")
	}
	return nil
}

// auditBeside audits beside a daemon.
func (a *app) auditBeside(ctx context.Context, cfg *config.Config, h *daemon.House, f auditFlags) error {
	switch {
	case f.last:
		all, err := h.LastAudits(ctx)
		if err != nil {
			return err
		}
		if len(f.Vendors) > 0 {
			all = slices.DeleteFunc(all, func(one store.Audit) bool { return !slices.Contains(f.Vendors, one.Vendor) })
		}
		return a.printAudits(ctx, cfg, h, all, f)
	case f.export != "":
		return a.auditFile(ctx, cfg, h, f)
	}
	run, err := h.Audit(ctx, f.AuditAsk)
	if err != nil {
		return auditFailure(err)
	}
	over := time.After(f.wait)
	look := time.NewTicker(pushLook)
	defer look.Stop()
	for {
		all, err := h.AuditRun(ctx, run)
		if err != nil {
			return err
		}
		if f.wait <= 0 || !slices.ContainsFunc(all, func(one store.Audit) bool { return !daemon.Ended(one) }) {
			return a.printAudits(ctx, cfg, h, all, f)
		}
		select {
		case <-ctx.Done():
			return errors.New("stopped by a signal; the daemon goes on, and gondola audit --last shows what it finds")
		case <-over:
			f.wait = 0
		case <-look.C:
		}
	}
}

// auditAlone audits without a daemon.
func (a *app) auditAlone(ctx context.Context, cfg *config.Config, h *daemon.House, f auditFlags) error {
	if f.export != "" {
		return a.auditFile(ctx, cfg, h, f)
	}
	run, err := h.Audit(ctx, f.AuditAsk)
	if err != nil {
		return auditFailure(err)
	}
	if err := h.AuditNow(ctx, run); err != nil {
		return err
	}
	all, err := h.AuditRun(ctx, run)
	if err != nil {
		return err
	}
	return a.printAudits(ctx, cfg, h, all, f)
}

// auditFile compares with a file.
func (a *app) auditFile(ctx context.Context, cfg *config.Config, h *daemon.House, f auditFlags) error {
	one, err := h.AuditFile(ctx, f.export, f.Vendors[0], f.SetSent, f.Who)
	if err != nil {
		return auditFailure(err)
	}
	return a.printAudits(ctx, cfg, h, []store.Audit{one}, f)
}

// auditFailure chooses the exit code of an audit that there is not.
func auditFailure(err error) error {
	switch {
	case errors.Is(err, daemon.ErrCannotAudit), errors.Is(err, fs.ErrNotExist):
		return &failure{exitUsage, err}
	case errors.Is(err, daemon.ErrNotExport):
		return &failure{exitData, err}
	}
	return err
}

// printAudits prints what audits found, and ends with the exit code for it.
func (a *app) printAudits(ctx context.Context, cfg *config.Config, h *daemon.House, all []store.Audit, f auditFlags) error {
	out := audited{Stores: []auditedStore{}}
	code := exitDone
	for _, one := range all {
		s := auditedStore{
			ID: one.Vendor, Name: vendorName(cfg, one.Vendor), Source: string(one.Source), State: string(one.State), At: one.Done, Counts: one.Counts,
			SetSent: one.Took, Error: one.Error, audit: one,
		}
		out.Asked = out.Asked || !daemon.Ended(one)
		if one.State == store.AuditFailed {
			code = exitRemote
		}
		out.Stores = append(out.Stores, s)
	}
	if err := a.collectDifferences(ctx, h, out.Stores, f); err != nil {
		return err
	}
	if a.JSON {
		if err := a.printJSON(out); err != nil {
			return err
		}
		return ended(code)
	}
	a.printAudited(out, zoneOf(cfg.Chain.TimeZone), f)
	return ended(code)
}

// collectDifferences fills in the first differences of each store, and writes all of them into a file where that is wanted.
func (a *app) collectDifferences(ctx context.Context, h *daemon.House, stores []auditedStore, f auditFlags) (err error) {
	var file *csv.Writer
	if f.csv != "" {
		out, err := os.Create(f.csv)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, out.Close()) }()
		file = csv.NewWriter(out)
		if err := file.Write([]string{"store", "sku", "barcode", "finding", "field", "sent", "at_platform"}); err != nil {
			return err
		}
	}
	for i := range stores {
		s := &stores[i]
		if s.audit.State != store.AuditDone {
			continue
		}
		err := h.AuditRows(ctx, s.audit, func(r daemon.AuditRow) error {
			switch {
			case r.Finding == string(shelf.AuditUnsent):
			case len(s.Differences) < f.show:
				s.Differences = append(s.Differences, r)
			default:
				s.more++
			}
			if file == nil {
				return nil
			}
			return file.Write([]string{r.Vendor, harmless(r.SKU), r.Barcode, r.Finding, r.Field, r.Sent, r.There})
		})
		if err != nil && !errors.Is(err, daemon.ErrOldAudit) {
			return err
		}
	}
	if file == nil {
		return nil
	}
	file.Flush()
	return file.Error()
}

// harmless keeps a spreadsheet from taking a code for a formula.
func harmless(cell string) string {
	if cell != "" && slices.Contains([]byte("=+-@\t\r"), cell[0]) {
		return "'" + cell
	}
	return cell
}

func (a *app) printAudited(out audited, zone *time.Location, f auditFlags) {
	if len(out.Stores) == 0 {
		a.printf("No audit was made yet; gondola audit makes one.\n")
		return
	}
	rows := make([][]string, 0, len(out.Stores))
	for _, s := range out.Stores {
		row := []string{s.ID, s.Name, clock(s.At, zone)}
		if s.State != string(store.AuditDone) {
			rows = append(rows, append(row, s.State))
			continue
		}
		c := s.Counts
		for _, n := range []int{c.There, c.Sent, c.Same, c.Unknown, c.Price, c.State, c.MaxSales, c.Unsent, c.Unread} {
			row = append(row, strconv.Itoa(n))
		}
		rows = append(rows, row)
	}
	a.table([]string{"STORE", "NAME", "AT", "THERE", "SENT", "SAME", "UNKNOWN", "PRICE", "STATE", "MAX", "UNSENT", "UNREAD"}, rows)
	for _, s := range out.Stores {
		a.printDifferences(s)
	}
	if out.Asked {
		a.printf("The daemon goes on; gondola audit --last shows what it finds.\n")
	}
	if f.csv != "" {
		a.printf("Every difference is in %s.\n", f.csv)
	}
}

// printDifferences prints what is to be said of one store.
func (a *app) printDifferences(s auditedStore) {
	if s.Error != "" {
		a.printf("%s: %s\n", s.ID, plain(s.Error))
	}
	if s.SetSent {
		a.printf("%s: what the platform has counts as sent; the next push sends what differs.\n", s.ID)
	} else if s.audit.SetSent && s.State == string(store.AuditDone) {
		a.printf("%s: something was sent before, so that stays what was sent.\n", s.ID)
	}
	if s.Counts.Odd > 0 {
		a.printf("%s: %s there without what identifies them here.\n", s.ID, are(s.Counts.Odd, "article"))
	}
	if len(s.Differences) == 0 {
		return
	}
	rows := make([][]string, 0, len(s.Differences))
	for _, r := range s.Differences {
		rows = append(rows, []string{r.SKU, r.Barcode, r.Finding, r.Field, r.Sent, r.There})
	}
	a.printf("\n%s %s:\n", s.ID, plain(s.Name))
	a.table([]string{"SKU", "BARCODE", "FINDING", "FIELD", "SENT", "AT PLATFORM"}, rows)
	if s.more > 0 {
		a.printf("and %d more; --csv FILE has all\n", s.more)
	}
}

// auditLines says what the newest audits found, in status; nothing of stores that show what they were sent.
func auditLines(all []daemon.AuditLine, zone *time.Location) []string {
	var lines []string
	for _, a := range all {
		line := fmt.Sprintf("audit     store %s, %s: ", a.Vendor, clock(a.At, zone))
		switch c := a.Counts; {
		case a.Error != "":
			line += "failed: " + a.Error
		case c.Unknown+c.Drifted > 0:
			line += fmt.Sprintf("%d sent are unknown there, %d prices and %d states are others; gondola audit --last", c.Unknown, c.Price, c.State)
		default:
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// vendorName returns a store's name alone.
func vendorName(cfg *config.Config, id string) string {
	for _, v := range cfg.Vendors {
		if v.ID == id {
			return v.Name
		}
	}
	return ""
}

// are says how many of something there are.
func are(n int, noun string) string {
	if n == 1 {
		return count(n, noun) + " is"
	}
	return count(n, noun) + " are"
}
