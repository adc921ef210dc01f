package daemon

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"slices"

	"gondola/internal/catalog"
	"gondola/internal/durable"
	"gondola/internal/outbox"
	"gondola/internal/platform"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

// longStack is how many files a layer or sent may be made of before they are written as one: opening and merging costs a little for
// each, writing a whole shelf costs more, so it is done now and then.
const longStack = 24

// planDue puts back what an admin asked for, and makes the plans that a slot or an admin asked for.
func (h *House) planDue(ctx context.Context) error {
	if err := errors.Join(h.endPauses(ctx), h.applyOffs(ctx)); err != nil {
		return err
	}
	errs := []error{h.rollBackDue(ctx)}
	due, err := h.store.TargetsDue(ctx)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	due = slices.DeleteFunc(due, func(t store.Target) bool {
		// What has documents on their way, or being worked on, is finished first. A store that left the config gets no plans and
		// deactivates nothing.
		return t.Begun || t.Working || !h.isTarget(t.Target)
	})
	for len(due) > 0 && ctx.Err() == nil {
		n, err := h.planTargets(ctx, due[:drafts(due)])
		errs, due = append(errs, err), due[n:]
	}
	return errors.Join(errs...)
}

// How many plans have their files made durable together at most, and how many articles they may be about: a drop that was read meanwhile
// waits until they are enqueued.
const (
	draftedTogether = 16
	draftedArticles = 100_000
)

// drafts returns how many of the targets, from the first on, are planned together: those of one kind, for a store's promotions are held
// against its catalogue.
func drafts(due []store.Target) int {
	n := 1
	for n < min(len(due), draftedTogether) && parseTarget(due[n].Target).Kind == parseTarget(due[0].Target).Kind {
		n++
	}
	return n
}

// planTargets makes plans and enqueues them, for the first of the targets or all of them, and returns for how many. One target's trouble
// does not keep the others from theirs.
func (h *House) planTargets(ctx context.Context, due []store.Target) (n int, err error) {
	h.shelfMu.Lock()
	defer h.shelfMu.Unlock()
	group := &durable.Group{}
	defer group.Abort()
	d := drafter{House: h, group: group, files: h.files.In(group)}
	var errs []error
	failed := func(t store.Target, err error) {
		if err != nil && !errors.Is(err, store.ErrBegun) {
			errs = append(errs, fmt.Errorf("plan %s: %w", t.Target, err))
		}
	}
	var plans []store.Plan
	for articles := 0; n < len(due) && articles < draftedArticles && ctx.Err() == nil; n++ {
		p, err := d.plan(ctx, due[n])
		if failed(due[n], err); err == nil {
			plans = append(plans, p)
			articles += p.Change.Same + p.Rows
		}
	}
	if err := group.Commit(); err != nil {
		return n, errors.Join(append(errs, fmt.Errorf("write documents: %w", err))...)
	}
	for _, p := range plans {
		failed(store.Target{Target: p.Target}, h.enqueue(ctx, p))
	}
	return n, errors.Join(errs...)
}

// drafter makes plans whose files become durable together.
type drafter struct {
	*House
	group *durable.Group
	files shelf.Files // the house's, in the group: what has been drafted can be read from it alone
}

// plan asks the brake, compares wanted with sent, and writes the documents.
func (h drafter) plan(ctx context.Context, due store.Target) (store.Plan, error) {
	t := parseTarget(due.Target)
	p := store.Plan{Target: due.Target}
	var err error
	if p.Upto, err = h.store.Newest(ctx); err != nil {
		return p, err
	}
	for _, f := range h.byPriority(t) {
		for _, scope := range t.scopes() {
			if err := h.judge(ctx, f, scope); err != nil {
				return p, err
			}
		}
	}
	if err := h.compactSent(ctx, due.Target); err != nil {
		return p, err
	}
	if p.Decisions, err = h.store.Decisions(ctx, due.Target); err != nil {
		return p, err
	}
	q, err := h.question(ctx, due, h.stands)
	if err != nil {
		return p, err
	}
	summary, err := h.rows(t, &q)
	if err != nil {
		return p, err
	}
	p.At, p.Full, p.Parts, p.Differs, p.Rows = h.now(), q.Full, q.Parts, summary.Differs, summary.Rows
	p.Change, p.Waiting = summary.Change, summary.Waiting
	for _, n := range summary.Withheld {
		p.Withheld += n
	}
	if p.Findings, err = h.stop(ctx, t, q, summary); err != nil {
		return p, err
	}
	if p.Findings != nil {
		summary.Parts = nil // nothing leaves before somebody has approved it
	} else {
		p.Findings = summary.Findings
		if p.Held, err = h.heldByDrop(ctx, t, q, p.Findings); err != nil {
			return p, err
		}
	}
	if q.Full {
		if p.Below, err = h.files.Remembered(q.Sent, shelf.DayOf(h.now())); err != nil {
			return p, err
		}
	}
	for _, part := range summary.Parts {
		docs, err := h.documents(ctx, t, q, part)
		if err != nil {
			return p, err
		}
		p.Documents = append(p.Documents, docs...)
	}
	return p, nil
}

// enqueue enqueues a plan whose documents are durable.
func (h *House) enqueue(ctx context.Context, p store.Plan) error {
	t := parseTarget(p.Target)
	before, err := h.store.OpenFindings(ctx)
	if err != nil {
		return err
	}
	if _, err := h.store.Enqueue(ctx, p); err != nil {
		return err
	}
	if len(p.Documents) > 0 {
		if err := h.askedFirst(ctx, t); err != nil {
			return err
		}
	}
	h.tellPlan(t, p)
	h.tellHeldRows(t, before, p.Findings)
	return h.moveFeedback(ctx, t, p.Upto)
}

// tellPlan tells of a plan and its documents.
func (h *House) tellPlan(t Target, p store.Plan) {
	e := Event{Kind: EventPlanned, Vendor: t.Vendor, Shelf: t.Kind, Rows: p.Rows, Differs: p.Differs}
	if len(p.Documents) == 0 {
		e.Kind = EventNothing
	}
	if p.Waiting > 0 {
		e.Text = fmt.Sprintf("promotions that wait until the end of others has been read: %d", p.Waiting)
	}
	h.tell(e)
	for _, d := range p.Documents {
		h.tell(Event{Kind: EventDocument, Vendor: t.Vendor, Shelf: t.Kind, Name: d.Folder + "/" + d.Name, Rows: d.Rows, SHA256: d.SHA256})
	}
}

// question gathers what a plan is made from; stack chooses the files of one layer. It writes nothing: whoever only looks may be
// another user, whose files the daemon could not read.
func (h *House) question(ctx context.Context, due store.Target, stack layerStack) (shelf.Question, error) {
	t := parseTarget(due.Target)
	q := shelf.Question{
		Full: due.FullDue, Parts: due.Parts, Says: h.saysOf(t), Now: h.wall(t), Decimals: h.cfg.Chain.PriceDecimals,
		Elsewhere: h.elsewhere(t),
	}
	var err error
	if q.Stores, err = h.storesText(t); err != nil {
		return q, err
	}
	if q.Wanted, err = h.wanted(ctx, t, stack); err != nil {
		return q, err
	}
	if q.Prices, err = h.prices(ctx, t, stack); err != nil {
		return q, err
	}
	if q.Sent, err = h.store.Sent(ctx, due.Target); err != nil {
		return q, err
	}
	if q.Unsettled, err = h.store.Unsettled(ctx, due.Target); err != nil {
		return q, err
	}
	return q, h.brakes(ctx, t, &q)
}

// rows writes a plan's rows. When a file would have too many, they are spread over more; then every file is written anew. Requests have
// no names that stay, so that theirs are divided when they are written.
func (h drafter) rows(t Target, q *shelf.Question) (shelf.Summary, error) {
	if h.wayOf(t) == outbox.ByAPI {
		q.Parts = 1
		return h.files.Plan(*q)
	}
	limit := h.maxRows(t)
	for {
		s, err := h.files.Plan(*q)
		if err != nil {
			return s, err
		}
		if !slices.ContainsFunc(s.Parts, func(p shelf.Part) bool { return p.Rows > limit }) {
			return s, nil
		}
		q.Full = true
		q.Parts = max(max(q.Parts, 1)+1, (s.Rows+limit-1)/limit)
	}
}

// documents renders one part of a plan in the platform's format: as one file, or as requests.
func (h drafter) documents(ctx context.Context, t Target, q shelf.Question, part shelf.Part) ([]store.Document, error) {
	if h.wayOf(t) == outbox.ByAPI {
		if part.Rows > h.maxRows(t) { // its rows are read while requests are written
			if err := h.group.Flush(); err != nil {
				return nil, fmt.Errorf("write rows: %w", err)
			}
		}
		return h.requests(ctx, t, q, part.Digest)
	}
	d, err := h.writeBytes(".csv", func(w io.Writer) (int, error) { return h.render(w, t, part) })
	d.By, d.Part, d.Folder, d.Name, d.Records = outbox.BySFTP, part.Number, h.folderOf(t), h.fileOf(t, part.Number), part.Digest
	return []store.Document{d}, err
}

// writeBytes writes the bytes of a document.
func (h drafter) writeBytes(ending string, render func(io.Writer) (int, error)) (store.Document, error) {
	dir := filepath.Join(h.cfg.State.Dir, documentDir)
	file, err := durable.Create(filepath.Join(dir, "new"), 0o600)
	if err != nil {
		return store.Document{}, fmt.Errorf("write document: %w", err)
	}
	defer file.Abort()
	sum := sha256.New()
	counter := &countingWriter{w: io.MultiWriter(file, sum)}
	w := bufio.NewWriterSize(counter, 256<<10)
	rows, err := render(w)
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		return store.Document{}, fmt.Errorf("write document: %w", err)
	}
	digest := hex.EncodeToString(sum.Sum(nil))
	if err := file.CommitIn(h.group, filepath.Join(dir, digest+ending)); err != nil {
		return store.Document{}, fmt.Errorf("write document: %w", err)
	}
	return store.Document{Path: documentDir + "/" + digest + ending, Size: counter.n, SHA256: digest, Rows: rows}, nil
}

// render writes one part in the format of the target's kind and returns how many rows it has.
func (h drafter) render(w io.Writer, t Target, part shelf.Part) (int, error) {
	decimals := h.cfg.Chain.PriceDecimals
	switch t.Kind {
	case catalog.KindPromotions:
		return platform.WritePromotions(w, platform.PromotionFormat{
			Brand: h.brand, By: h.by, MaxSales: part.Fields.Has(catalog.MaxSales), Stores: h.stores(t),
		}, records(h.files, part.Digest, func(r shelf.Record) (p catalog.Promotion) {
			if r.Promotion != nil {
				p = *r.Promotion
			}
			return p
		}))
	case catalog.KindAssortment:
		return platform.WriteAssortment(w, platform.AssortmentFormat{
			Brand: h.brand, By: h.by, Fields: part.Fields, PriceDecimals: decimals,
		}, records(h.files, part.Digest, func(r shelf.Record) platform.AssortmentRow {
			return platform.AssortmentRow{Item: r.Item, Promotion: r.Promotion}
		}))
	default:
		return platform.WriteCatalog(w, platform.CatalogFormat{
			Brand: h.brand, By: h.by, Fields: part.Fields, PriceDecimals: decimals, Stores: h.stores(t),
		}, records(h.files, part.Digest, func(r shelf.Record) catalog.Item { return r.Item }))
	}
}

// records streams the records of a file as what a writer takes.
func records[T any](files shelf.Files, d shelf.Digest, of func(shelf.Record) T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for r, err := range files.Records(d) {
			if !yield(of(r), err) {
				return
			}
		}
	}
}

type countingWriter struct {
	w io.Writer
	n int64
}

// Write implements io.Writer.
func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
