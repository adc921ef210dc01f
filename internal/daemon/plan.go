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
	"gondola/internal/platform"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

// longStack is how many files a layer or sent may be made of before they are written as one: opening and merging costs a little for
// each, writing a whole shelf costs more, so it is done now and then.
const longStack = 24

// planDue makes the plans that a slot or an admin asked for. One target's trouble does not keep the others from theirs.
func (h *House) planDue(ctx context.Context) error {
	due, err := h.store.TargetsDue(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, t := range due {
		if t.Begun || ctx.Err() != nil {
			// Its files are on their way; they are finished first.
			continue
		}
		if _, ok := h.vendor(vendorOf(t.Target)); !ok {
			// A store that left the config gets no plans and deactivates nothing.
			continue
		}
		if err := h.planTarget(ctx, t); err != nil && !errors.Is(err, store.ErrBegun) {
			errs = append(errs, fmt.Errorf("plan %s: %w", t.Target, err))
		}
	}
	return errors.Join(errs...)
}

// planTarget asks the brake, compares wanted with sent, writes the documents and enqueues them.
func (h *House) planTarget(ctx context.Context, t store.Target) error {
	h.shelfMu.Lock()
	defer h.shelfMu.Unlock()
	vendor := vendorOf(t.Target)
	upto, err := h.store.Newest(ctx)
	if err != nil {
		return err
	}
	for _, f := range h.feeds {
		for _, scope := range []string{catalog.AllVendors, vendor} {
			if err := h.judge(ctx, f, scope); err != nil {
				return err
			}
		}
	}
	if err := h.compactSent(ctx, t.Target); err != nil {
		return err
	}
	q, err := h.question(ctx, t, h.stands)
	if err != nil {
		return err
	}
	summary, err := h.rows(&q)
	if err != nil {
		return err
	}
	p := store.Plan{
		Target: t.Target, Full: q.Full, Parts: q.Parts, Upto: upto, Differs: summary.Differs, Rows: summary.Rows, Change: summary.Change,
		At: h.now(),
	}
	if q.Full {
		if p.Below, err = h.files.SwitchedOff(q.Sent); err != nil {
			return err
		}
	}
	for _, part := range summary.Parts {
		d, err := h.writeDocument(vendor, part)
		if err != nil {
			return err
		}
		p.Documents = append(p.Documents, d)
	}
	if _, err := h.store.Enqueue(ctx, p); err != nil {
		return err
	}
	kind := EventPlanned
	if len(p.Documents) == 0 {
		kind = EventNothing
	}
	h.tell(Event{Kind: kind, Vendor: vendor, Rows: p.Rows, Differs: p.Differs})
	for _, d := range p.Documents {
		h.tell(Event{Kind: EventDocument, Vendor: vendor, Name: d.Folder + "/" + d.Name, Rows: d.Rows, SHA256: d.SHA256})
	}
	return nil
}

// question gathers what a plan is made from; stack chooses the files of one layer. It writes nothing: whoever only looks may be
// another user, whose files the daemon could not read.
func (h *House) question(ctx context.Context, t store.Target, stack layerStack) (shelf.Question, error) {
	q := shelf.Question{Full: t.FullDue, Parts: t.Parts, Says: h.says}
	var err error
	if q.Wanted, err = h.wanted(ctx, vendorOf(t.Target), stack); err != nil {
		return q, err
	}
	if q.Sent, err = h.store.Sent(ctx, t.Target); err != nil {
		return q, err
	}
	q.Unsettled, err = h.store.Unsettled(ctx, t.Target)
	return q, err
}

// rows writes a plan's rows. When a document would have too many, they are spread over more; then every document is written anew.
func (h *House) rows(q *shelf.Question) (shelf.Summary, error) {
	limit := min(h.cfg.Send.Catalog.MaxRows, platform.MaxCatalogRows)
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

// writeDocument renders one part as a file in the platform's format, durable before the row that names it.
func (h *House) writeDocument(vendor string, part shelf.Part) (store.Document, error) {
	dir := filepath.Join(h.cfg.State.Dir, documentDir)
	file, err := durable.Create(filepath.Join(dir, "new"), 0o600)
	if err != nil {
		return store.Document{}, fmt.Errorf("write document: %w", err)
	}
	defer file.Abort()
	sum := sha256.New()
	counter := &countingWriter{w: io.MultiWriter(file, sum)}
	w := bufio.NewWriterSize(counter, 256<<10)
	rows, err := platform.WriteCatalog(w, h.format(part.Fields), items(h.files, part.Digest))
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		return store.Document{}, fmt.Errorf("write document: %w", err)
	}
	digest := hex.EncodeToString(sum.Sum(nil))
	if err := file.CommitAs(filepath.Join(dir, digest+".csv")); err != nil {
		return store.Document{}, fmt.Errorf("write document: %w", err)
	}
	return store.Document{
		Part: part.Number, Folder: h.cfg.SFTP.Folders.Catalog, Name: platform.CatalogName(h.cfg.SFTP.Prefix, vendor, part.Number),
		Path: documentDir + "/" + digest + ".csv", Size: counter.n, SHA256: digest, Rows: rows, Records: part.Digest,
	}, nil
}

func (s *setup) format(fields catalog.Fields) platform.CatalogFormat {
	return platform.CatalogFormat{Brand: s.brand, By: s.by, Fields: fields, PriceDecimals: s.cfg.Chain.PriceDecimals}
}

// items streams the items of a record file.
func items(files shelf.Files, d shelf.Digest) iter.Seq2[catalog.Item, error] {
	return func(yield func(catalog.Item, error) bool) {
		o, err := files.Overlay([]shelf.Digest{d})
		if err != nil {
			yield(catalog.Item{}, err)
			return
		}
		defer func() { _ = o.Close() }() // it was only read
		for o.Next() {
			if !yield(o.Record().Item, nil) {
				return
			}
		}
		if err := o.Err(); err != nil {
			yield(catalog.Item{}, err)
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
