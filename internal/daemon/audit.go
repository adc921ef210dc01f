package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/platform"
	"gondola/internal/schedule"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

const (
	auditEvery = 2 * time.Second
	// auditSchedule names the row with the last slot.
	auditSchedule = "audit"
	// visibleAfter is how long the platform may go on showing what it had before it read something [assumed: pages say up to 30 minutes
	// for the catalogue and 50 for promotions]. What left less than that before an audit is no drift.
	visibleAfter = time.Hour
	// exportLook and exportWithin are how often the platform is asked for a file that it makes, and how long that may take [assumed].
	exportLook   = time.Minute
	exportWithin = 2 * time.Hour
	auditTries   = 4
	auditRest    = time.Minute // after a try that failed, doubling
)

// setAudit reads the audit's schedule.
func (s *setup) setAudit() error {
	spec := s.cfg.Audit.Schedule
	if spec == "" {
		return nil
	}
	var errs []error
	plan, err := schedule.Parse(spec, s.zone)
	if err != nil {
		errs = append(errs, config.PathError{Path: "audit.schedule", Err: err})
	}
	if !s.hasFeed(catalog.KindCatalog) {
		errs = append(errs, config.PathError{Path: "audit.schedule", Err: errors.New("no feed has a catalogue, so there is nothing to compare; write off")})
	}
	if !s.canAudit() {
		errs = append(errs, config.PathError{Path: "audit.schedule", Err: errors.New(
			"the platform is asked with a token for the catalogue; write api.tokens.catalog or api.oauth, or off here")})
	}
	s.auditPlan, s.audits = plan, len(errs) == 0
	return errors.Join(errs...)
}

// canAudit reports whether there is a token that catalogues can be asked for with.
func (s *setup) canAudit() bool {
	return s.cfg.API.Tokens.Catalog.IsSet() || s.cfg.API.OAuth.ClientID != ""
}

// catalogTarget returns the target that tells a store about its articles.
func (s *setup) catalogTarget(vendor string) (Target, bool) {
	for _, t := range s.targets {
		if t.holds(catalog.KindCatalog) && (t.Vendor == vendor || t.Vendor == catalog.AllVendors) {
			return t, true
		}
	}
	return Target{}, false
}

// AuditAsk is what an audit is asked for.
type AuditAsk struct {
	Vendors  []string // ids; none = all stores
	ByExport bool     // the platform makes a file, instead of being asked page by page
	SetSent  bool     // what it has becomes what was sent, where nothing was
	Who      string
}

// ErrCannotAudit says that an audit can't be made as it was asked for.
var ErrCannotAudit = errors.New("no audit")

// checkAudit names the stores of an audit, or says why there can be none.
func (h *House) checkAudit(vendors []string, setSent bool) ([]string, error) {
	if len(vendors) == 0 {
		vendors = h.VendorIDs()
	}
	for _, v := range vendors {
		if _, ok := h.vendor(v); !ok {
			return nil, fmt.Errorf("%w: the config has no store %q", ErrCannotAudit, v)
		}
		t, ok := h.catalogTarget(v)
		switch {
		case !ok:
			return nil, fmt.Errorf("%w: no feed has a catalogue, so there is nothing to compare with", ErrCannotAudit)
		case setSent && t.Vendor != v:
			return nil, fmt.Errorf("%w: one file is for all stores here, and one store's catalogue says nothing of the others; leave --set-sent out",
				ErrCannotAudit)
		}
	}
	return vendors, nil
}

// Audit asks for audits and returns the number of the run. The running daemon makes them, or [House.AuditNow].
func (h *House) Audit(ctx context.Context, ask AuditAsk) (run int64, err error) {
	vendors, err := h.checkAudit(ask.Vendors, ask.SetSent)
	if err != nil {
		return 0, err
	}
	if !h.canAudit() {
		return 0, fmt.Errorf("%w: the platform is asked with a token for the catalogue; write api.tokens.catalog or api.oauth", ErrCannotAudit)
	}
	source := store.AuditList
	if ask.ByExport {
		source = store.AuditExport
	}
	return h.store.AskAudits(ctx, store.AuditAsk{Vendors: vendors, Source: source, Who: ask.Who, SetSent: ask.SetSent, At: h.now()})
}

// AuditNow makes the audits of a run, where no daemon does. It returns when all have ended, or the context has.
func (h *House) AuditNow(ctx context.Context, run int64) error {
	for {
		if err := h.makeAudits(ctx); err != nil {
			return err
		}
		all, err := h.store.AuditRun(ctx, run)
		if err != nil || !slices.ContainsFunc(all, func(a store.Audit) bool { return !Ended(a) }) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(auditEvery):
		}
	}
}

// Ended reports whether an audit has come to its end.
func Ended(a store.Audit) bool { return a.State == store.AuditDone || a.State == store.AuditFailed }

// AuditRun lists the audits of a run.
func (h *House) AuditRun(ctx context.Context, run int64) ([]store.Audit, error) {
	return h.store.AuditRun(ctx, run)
}

// LastAudits returns the newest audit of each store that has ended, by store.
func (h *House) LastAudits(ctx context.Context) ([]store.Audit, error) {
	return h.store.LastAudits(ctx)
}

// audit asks for what the schedule wants and makes what was asked for.
func (h *House) audit(ctx context.Context) error {
	if h.audits {
		if err := h.auditSlot(ctx); err != nil {
			return err
		}
	}
	return h.makeAudits(ctx)
}

// auditSlot asks for audits of all stores when a slot has come.
func (h *House) auditSlot(ctx context.Context) error {
	last, err := h.store.LastSlot(ctx, auditSchedule)
	if err != nil {
		return err
	}
	if last.IsZero() {
		return h.store.RecordSlot(ctx, auditSchedule, h.now(), nil, false)
	}
	slot, ok, err := h.dueSlot(ctx, auditSchedule, h.auditPlan)
	if err != nil || !ok {
		return err
	}
	vendors, err := h.checkAudit(nil, false)
	if err != nil {
		return err
	}
	_, err = h.store.AskAudits(ctx, store.AuditAsk{Vendors: vendors, Source: store.AuditList, At: slot, Schedule: auditSchedule})
	return err
}

// makeAudits makes what is to be made now.
func (h *House) makeAudits(ctx context.Context) error {
	for ctx.Err() == nil {
		a, ok, err := h.store.NextAudit(ctx, h.now())
		if err != nil || !ok {
			return err
		}
		if err := h.makeAudit(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// makeAudit goes on with one audit. What the platform says against it ends it or delays it; an error is our own.
func (h *House) makeAudit(ctx context.Context, a store.Audit) error {
	client, err := h.client()
	if err != nil || client == nil {
		return errors.Join(err, h.failAudit(ctx, a, "there is no token for the platform's interface any more"))
	}
	t, ok := h.catalogTarget(a.Vendor)
	if !ok {
		return h.failAudit(ctx, a, "the store is in the config no more")
	}
	read := func(ctx context.Context, add func(catalog.Item) error) (int, error) {
		return h.readPages(ctx, client, a.Vendor, add)
	}
	if a.Source == store.AuditExport {
		if ready, err := h.exported(ctx, client, &a); err != nil || !ready {
			return h.delayAudit(ctx, a, err)
		}
		read = func(ctx context.Context, add func(catalog.Item) error) (int, error) {
			return h.readExport(ctx, client, a.URL, add)
		}
	}
	_, err = h.compareCatalog(ctx, a, t, read)
	if bad, ok := errors.AsType[*sourceError](err); ok {
		return h.delayAudit(ctx, a, bad.err)
	}
	return err
}

// sourceError is what went wrong where the catalogue is read from.
type sourceError struct{ err error }

// Error implements error.
func (e *sourceError) Error() string { return e.err.Error() }

// Unwrap returns what went wrong.
func (e *sourceError) Unwrap() error { return e.err }

// delayAudit makes an audit wait. Where err is not nil it is for another try, unless there is no use in one.
func (h *House) delayAudit(ctx context.Context, a store.Audit, err error) error {
	if ctx.Err() != nil {
		return nil // the next start begins anew
	}
	if err == nil {
		return h.store.DelayAudit(ctx, a)
	}
	a.Tries++
	a.Error = err.Error()
	rest := auditRest << min(a.Tries, auditTries)
	e, answered := errors.AsType[*platform.APIError](err)
	if answered {
		rest = max(rest, e.RetryAfter)
	}
	// A person who waits wants an answer, and the client has tried several times by then.
	if a.Who != "" || a.Tries >= auditTries || answered && (!e.Temporary() || e.Status == 401) || errors.Is(err, errExport) {
		return h.failAudit(ctx, a, a.Error)
	}
	a.Next = h.now().Add(rest)
	h.log.Warn("audit is tried again", "store", a.Vendor, "at", a.Next, "err", a.Error)
	return h.store.DelayAudit(ctx, a)
}

func (h *House) failAudit(ctx context.Context, a store.Audit, why string) error {
	h.tell(Event{Kind: EventAuditFailed, Vendor: a.Vendor, Text: why})
	return h.store.FailAudit(ctx, a.ID, why, h.now())
}

// errExport says that there is no use in asking for the file again.
var errExport = errors.New("the platform made no file")

// exported goes on with a file that the platform makes, and reports whether it can be read.
func (h *House) exported(ctx context.Context, client *platform.Client, a *store.Audit) (bool, error) {
	if a.State == store.AuditAsked {
		ref, err := client.ExportCatalog(ctx, a.Vendor)
		if err != nil {
			return false, err
		}
		if ref.ID == "" {
			return false, fmt.Errorf("%w: it named no job; ask without --by-export", errExport)
		}
		a.State, a.Job, a.Next = store.AuditExporting, ref.ID, h.now().Add(exportLook)
		return false, nil
	}
	if a.URL != "" {
		return true, nil
	}
	// The address comes by webhook [doc]. Whether the job tells it as well is [unknown], so it is looked for there, too.
	job, err := client.CatalogJob(ctx, a.Job)
	switch {
	case err != nil && !errors.Is(err, platform.ErrNotFound):
		return false, err
	case job.DownloadURL != "":
		a.URL = job.DownloadURL
		return true, nil
	case job.Status == platform.JobFailed:
		return false, fmt.Errorf("%w: job %s failed; ask without --by-export", errExport, a.Job)
	case h.now().Sub(a.Asked) > exportWithin:
		return false, fmt.Errorf("%w: no event told where it is within %s; see that the webhook is set in Partner Portal, or ask without --by-export",
			errExport, exportWithin)
	}
	a.Next = h.now().Add(exportLook)
	return false, nil
}

// ExportReady hears of a catalogue's job and reports whether it is the file that an audit waits for.
func (h *House) ExportReady(ctx context.Context, job platform.Job) (bool, error) {
	if job.DownloadURL == "" {
		return false, nil
	}
	return h.store.AuditExported(ctx, job.ID, job.DownloadURL)
}

// reading reads a catalogue: it calls add for every article and returns how many pages or bytes there were.
type reading func(ctx context.Context, add func(catalog.Item) error) (int, error)

// readPages reads a store's catalogue page by page.
func (h *House) readPages(ctx context.Context, client *platform.Client, vendor string, add func(catalog.Item) error) (int, error) {
	return client.AllCatalog(ctx, vendor, func(p platform.CatalogPage) error {
		for range p.Odd {
			if err := add(catalog.Item{}); err != nil {
				return err
			}
		}
		for _, it := range p.Products {
			if err := add(it); err != nil {
				return err
			}
		}
		return nil
	})
}

// readExport reads a store's catalogue from the file that the platform made.
func (h *House) readExport(ctx context.Context, client *platform.Client, url string, add func(catalog.Item) error) (_ int, err error) {
	body, err := client.Download(ctx, url, platform.UseCatalog)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	count := &counter{r: body}
	err = platform.ReadExport(count, func(it catalog.Item, _ int) error { return add(it) })
	return count.n, err
}

// counter counts what is read.
type counter struct {
	r io.Reader
	n int
}

// Read implements io.Reader.
func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

// compareCatalog reads what a store has at the platform, sorts it, compares it with what was sent, and records what it found.
func (h *House) compareCatalog(ctx context.Context, a store.Audit, t Target, read reading) (_ store.Audit, err error) {
	began := h.now()
	// What was sent is looked at before: what leaves meanwhile is unread below, on either side of it.
	if a.Sent, err = h.store.Sent(ctx, t.String()); err != nil {
		return a, err
	}
	var odd, size int
	if a.There, odd, size, err = h.stock(ctx, a.Vendor, read); err != nil {
		return a, err
	}
	if a.Unread, err = h.store.Unread(ctx, t.String(), began.Add(-visibleAfter)); err != nil {
		return a, err
	}
	a.Counts, err = h.files.Audit(auditQuestion(a), func(shelf.Audited) error { return ctx.Err() })
	if err != nil {
		return a, err
	}
	a.Counts.Odd, a.Counts.Size = odd, size
	a.Done = h.now()
	if a, err = h.store.EndAudit(ctx, a, t.String()); err != nil {
		return a, err
	}
	h.tell(Event{
		Kind: EventAudited, Vendor: a.Vendor, Rows: a.Counts.There, Differs: a.Counts.Unknown + a.Counts.Drifted, Text: auditText(a.Counts),
	})
	return a, nil
}

func auditText(c shelf.AuditCounts) string {
	return fmt.Sprintf("%d sent are unknown there, %d prices and %d states are others, of %d there nothing was sent", c.Unknown, c.Price, c.State, c.Unsent)
}

func auditQuestion(a store.Audit) shelf.AuditQuestion {
	return shelf.AuditQuestion{There: []shelf.Digest{a.There}, Sent: a.Sent, Unread: a.Unread}
}

// stock writes what a store has at the platform as a record file. Odd is how many articles have nothing that identifies them here.
func (h *House) stock(ctx context.Context, vendor string, read reading) (there shelf.Digest, odd, size int, err error) {
	dir := filepath.Join(h.cfg.State.Dir, sortDir)
	if h.outbox == nil { // the daemon clears that one when it starts
		if dir, err = os.MkdirTemp("", "gondola-audit-"); err != nil {
			return "", 0, 0, fmt.Errorf("make a folder to sort in: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	sorter := shelf.NewSorter(h.by, dir)
	defer func() { err = errors.Join(err, sorter.Close()) }()
	line := 0
	var own error
	size, err = read(ctx, func(it catalog.Item) error {
		line++
		if it.Key(h.by) == "" || strings.ContainsFunc(it.SKU, unicode.IsControl) {
			odd++
			return nil
		}
		own = sorter.Add(shelf.Row{Vendor: vendor, Item: it, Line: line})
		return own
	})
	if err != nil && own == nil {
		return "", 0, 0, &sourceError{err}
	}
	if err != nil {
		return "", 0, 0, err
	}
	err = sorter.Each(func(_ string, rows *shelf.Rows) (err error) {
		there, _, err = h.files.Stock(rows)
		return err
	}, func(shelf.Twice) {})
	if err == nil && there == "" {
		there, _, err = h.files.Stock(nil)
	}
	return there, odd, size, err
}
