package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"gondola/internal/catalog"
	"gondola/internal/durable"
	"gondola/internal/outbox"
	"gondola/internal/report"
	"gondola/internal/store"
	"gondola/internal/table"
)

// receiptRetry is how long a receipt waits that could not be written: the share is offline, or the folder read-only.
const receiptRetry = 15 * time.Second

// answering is the writing of receipts into one drop folder. Each folder has its own, so that a share which hangs holds up nobody
// else's answers, and nobody else's drops.
type answering struct {
	mu    sync.Mutex // held while one is written: of two drops with one name the newer one has the last word
	slow  map[int64]lateReceipt
	swept bool                      // what a stopped process left half written is gone
	busy  atomic.Pointer[time.Time] // since when mu was found held, over and over
}

// lateReceipt is one that could not be written.
type lateReceipt struct {
	until time.Time // when it is tried again
	why   string    // as last told
}

// newAnswerings returns one answering for each drop folder, and one, under "", for drops of feeds that left the config.
func (s *setup) newAnswerings() map[string]*answering {
	all := map[string]*answering{"": {slow: map[int64]lateReceipt{}}}
	for _, f := range s.feeds {
		all[f.Drop] = &answering{slow: map[int64]lateReceipt{}}
	}
	return all
}

// answerFolder returns the drop folder that the answers of a feed are written into, "" for a feed that left the config.
func (s *setup) answerFolder(feed string) string {
	f, _ := s.feed(feed)
	return f.Drop
}

// writeReceipts writes the answers that are due in every folder.
func (h *House) writeReceipts(ctx context.Context) error {
	for folder := range h.answers {
		if err := h.writeReceiptsIn(ctx, folder); err != nil {
			return err
		}
	}
	return nil
}

// writeReceiptsIn writes the answers that are due in one folder. One that can't be written waits; it never fails its drop.
func (h *House) writeReceiptsIn(ctx context.Context, folder string) error {
	due, err := h.store.ReceiptsDue(ctx)
	if err != nil {
		return err
	}
	for _, r := range due {
		if ctx.Err() != nil {
			return nil
		}
		if h.answerFolder(r.Feed) != folder {
			continue
		}
		if err := h.writeReceipt(ctx, r.Feed, r.Seq); err != nil {
			h.log.Warn("answer can't be written", "drop", r.Seq, "folder", folder, "error", err)
		}
	}
	return nil
}

// writeReceipt writes the answer for one drop of a feed as things stand now, unless it was tried a moment ago. It returns an error
// when it can't be written for a reason that was not told before.
func (h *House) writeReceipt(ctx context.Context, feed string, seq int64) error {
	folder := h.answerFolder(feed)
	a := h.answers[folder]
	a.mu.Lock()
	defer a.mu.Unlock()
	late := a.slow[seq]
	if wait := late.until.Sub(h.now()); wait > 0 && wait <= receiptRetry { // longer is of a clock that has been set back since
		return nil
	}
	h.sweepAnswers(a, folder)
	err := h.writeReceiptNow(ctx, folder, seq)
	if err == nil {
		delete(a.slow, seq)
		return nil
	}
	a.slow[seq] = lateReceipt{until: h.now().Add(receiptRetry), why: err.Error()}
	if late.why == err.Error() {
		return nil
	}
	return err
}

// sweepAnswers removes, before the first answer is written, what a process that died over one left in the shop's folder. That answer is
// still due, so this comes by. What can't be removed is only litter: it keeps no answer back.
func (h *House) sweepAnswers(a *answering, folder string) {
	if a.swept || folder == "" {
		return
	}
	answers := filepath.Join(folder, report.FolderNames(h.cfg.Chain.Language).Answers)
	for _, dir := range []string{folder, answers} {
		if err := durable.Sweep(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			h.log.Debug("sweep half answers", "folder", dir, "error", err)
			return
		}
	}
	a.swept = true
}

func (h *House) writeReceiptNow(ctx context.Context, folder string, seq int64) error {
	d, ok, err := h.store.ReceiptDue(ctx, seq)
	if err != nil || !ok {
		return err
	}
	newer, err := h.store.HasNewer(ctx, d.Drop)
	if err != nil {
		return err
	}
	// Where the feed left the config, nobody would look. Where a file of that name was dropped again, the answer is about that one.
	if folder == "" || newer {
		return h.store.ReceiptWritten(ctx, d)
	}
	a, err := h.answer(ctx, d.Drop)
	if err != nil {
		return err
	}
	if d.Workbook == store.WorkbookDue && report.Marked(a) {
		// Nobody waits for the answer because the sheet is long and its copy takes a while.
		if err := report.Write(folder, a); err != nil {
			return err
		}
	}
	if a.Workbook, err = h.writeWorkbook(ctx, folder, d.Drop, a); err != nil {
		return err
	}
	if err := report.Write(folder, a); err != nil {
		return err
	}
	if err := h.writeIndex(ctx, folder); err != nil {
		return err
	}
	return h.store.ReceiptWritten(ctx, d)
}

// writeWorkbook writes the annotated copy of a drop, once, and reports whether there is one.
func (h *House) writeWorkbook(ctx context.Context, folder string, d store.Drop, a report.Answer) (written bool, err error) {
	if d.Workbook != store.WorkbookDue {
		return d.Workbook == store.WorkbookWritten, nil
	}
	state := store.WorkbookNone
	if f, ok := h.feed(d.Feed); ok && report.Marked(a) {
		t, err := table.Open(d.Archived, table.Options{Encoding: f.spec.Encoding})
		if _, refused := errors.AsType[*table.Refusal](err); err != nil && !refused && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
		if err == nil {
			written, err = report.WriteWorkbook(folder, a, sheetOf(t, d.Outcome.Sheet))
			if err = errors.Join(err, t.Close()); err != nil {
				return false, err
			}
		}
	}
	if written {
		state = store.WorkbookWritten
	}
	return written, h.store.WorkbookMade(ctx, d.Seq, state)
}

// sheetOf returns the sheet of a name, nil where there is none. A text has one sheet, without a name.
func sheetOf(t *table.Table, name string) *table.Sheet {
	for _, s := range t.Sheets() {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// writeIndex writes the page that lists the last answers of a folder.
func (h *House) writeIndex(ctx context.Context, folder string) error {
	var feeds []string
	for _, f := range h.feeds {
		if f.Drop == folder {
			feeds = append(feeds, f.Name)
		}
	}
	drops, err := h.store.RecentDrops(ctx, feeds, report.MaxIndexed)
	if err != nil {
		return err
	}
	answers, err := h.indexed(ctx, drops)
	if err != nil {
		return err
	}
	return report.WriteIndex(folder, h.cfg.Chain.Language, h.zone, answers)
}

// indexed returns what a list of answers says of drops.
func (h *House) indexed(ctx context.Context, drops []store.Drop) ([]report.Answer, error) {
	answers := make([]report.Answer, len(drops))
	for i, d := range drops {
		held, err := h.heldOf(ctx, d)
		if err != nil {
			return nil, err
		}
		a := report.Answer{Name: d.Name, Seq: d.Seq, Time: d.ReadAt}
		if a.Issues, err = h.issuesOf(ctx, d); err != nil {
			return nil, err
		}
		for _, findings := range held {
			a.Held = append(a.Held, findings...)
		}
		a.Verdict = verdict(d, a)
		answers[i] = a
	}
	return answers, nil
}

// answer gathers what the receipt of a drop says now.
func (h *House) answer(ctx context.Context, d store.Drop) (report.Answer, error) {
	a := h.reading(d)
	put, _, err := h.store.PutOf(ctx, d.Seq)
	if err != nil {
		return a, err
	}
	a.By = put.Who
	if a.Issues, err = h.issuesOf(ctx, d); err != nil {
		return a, err
	}
	feedback, err := h.store.FeedbackOn(ctx, d.Seq)
	if err != nil {
		return a, err
	}
	effects, err := h.store.Effects(ctx, d.Seq)
	if err != nil {
		return a, err
	}
	held, err := h.heldOf(ctx, d)
	if err != nil {
		return a, err
	}
	holds := map[outbox.By]*outbox.Hold{}
	for _, by := range h.ways() {
		if holds[by], err = h.store.Hold(ctx, by); err != nil {
			return a, err
		}
	}
	open, err := h.store.OpenFindings(ctx)
	if err != nil {
		return a, err
	}
	pauses, err := h.Paused(ctx)
	if err != nil {
		return a, err
	}
	for _, e := range effects {
		s := h.storeAnswer(e, held, holds[e.By])
		s.HeldRows, s.RejectedRows, s.NotTaken = stillHeld(e, open), e.Rejected, notTaken(feedback, e.Target)
		if f, ok := stopped(e.Target, open); ok && e.State == store.EffectWaiting {
			s.OnlyHeld = true
			if !slices.ContainsFunc(s.HeldRows, func(is catalog.Issue) bool { return is.Code == f.Code }) {
				s.HeldRows = append(s.HeldRows, f.Issue()) // that it would have to wait was not known when the drop was read
			}
		}
		if e.State == store.EffectWaiting || e.State == store.EffectPlanned {
			var p Paused
			p, s.Paused = PauseOf(pauses, parseTarget(e.Target))
			s.PausedUntil = p.Until
		}
		a.Stores = append(a.Stores, s)
	}
	a.Verdict = verdict(d, a)
	return a, nil
}

// reading is the part of an answer that says how a drop was understood.
func (h *House) reading(d store.Drop) report.Answer {
	o := d.Outcome
	a := report.Answer{
		Language: h.cfg.Chain.Language, Zone: h.zone, Name: d.Name, Feed: d.Feed, Seq: d.Seq, Time: d.ReadAt, Updated: h.now(),
		Rows: o.Rows, RowsRejected: o.Rejected, Counts: o.Counts,
		Reading: report.Reading{Encoding: o.Encoding, Evidence: o.Evidence, Sheet: o.Sheet, HeaderRow: o.HeaderRow},
	}
	if f, ok := h.feed(d.Feed); ok {
		a.Kind, a.Partial = f.kind, !f.spec.Full
	}
	a.Reading.Delimiter, _ = utf8.DecodeRuneInString(o.Delimiter)
	if o.Delimiter == "" {
		a.Reading.Delimiter = 0
	}
	for _, c := range o.Columns {
		a.Reading.Columns = append(a.Reading.Columns, report.Column{
			Role: c.Role, Header: c.Header, Number: c.Number, Decimal: c.Decimal, Date: c.Date, Proof: c.Proof, ProofRow: c.ProofRow,
		})
	}
	return a
}

func verdict(d store.Drop, a report.Answer) report.Verdict {
	serious := func(is catalog.Issue) bool { return is.Severity != catalog.Note }
	switch {
	case d.State == store.DropRejected:
		return report.Rejected
	case len(a.Held) > 0, slices.ContainsFunc(a.Stores, func(s report.StoreAnswer) bool { return len(s.Held) > 0 }):
		return report.Held
	case slices.ContainsFunc(a.Issues, serious),
		slices.ContainsFunc(a.Stores, func(s report.StoreAnswer) bool { return len(s.HeldRows)+len(s.RejectedRows) > 0 }):
		return report.AcceptedWithIssues
	}
	return report.Accepted
}

// storeAnswer says what a drop does to one store, and how far it has come. held is what the brake has against it, by scope; hold is
// what stops all sending, or nil.
func (h *House) storeAnswer(e store.Effect, held map[string][]catalog.Issue, hold *outbox.Hold) report.StoreAnswer {
	t := parseTarget(e.Target)
	vendor := t.Vendor
	s := report.StoreAnswer{ID: vendor, Name: vendor, Changes: changesOf(e), Waiting: e.Waiting}
	if e.State != store.EffectUnchanged {
		s.Withheld = e.Withheld
	}
	if v, ok := h.vendor(vendor); ok {
		s.Name = v.Name
	}
	for _, m := range e.Moves {
		s.Moves = append(s.Moves, report.Move{Key: m.Key, Old: m.Old, New: m.New})
	}
	switch e.State {
	case store.EffectUnchanged:
		s.Unchanged = true
	case store.EffectReplaced:
		s.Superseded = true
	case store.EffectRejected:
		s.Rejected = true
	case store.EffectRowsHeld:
		s.OnlyHeld = true
	case store.EffectVerified:
		s.Sent, s.Verified = e.Began, e.Verified
		s.Requested, s.Answered, s.Unanswered = e.By == outbox.ByAPI, e.Answer, e.Silent
	case store.EffectPlanned:
		s.Sent = e.Began
		if e.Class != "" {
			s.Trouble, s.Next = report.Trouble(h.cfg.Chain.Language, e.Class), e.Next
		}
		if hold != nil {
			s.Trouble = report.Trouble(h.cfg.Chain.Language, string(hold.Class))
		}
	case store.EffectWaiting, store.EffectHeld:
		s.Next = h.nextSlots(t, h.now()).Next
		s.Held = slices.Concat(held[catalog.AllVendors], held[vendor])
		if vendor == catalog.AllVendors {
			s.Held = held[vendor]
		}
	}
	return s
}

func changesOf(e store.Effect) report.Changes {
	c := e.Change
	return report.Changes{
		New: c.New, PriceUp: c.PriceUp, PriceDown: c.PriceDown, SwitchedOn: c.SwitchedOn, SwitchedOff: c.SwitchedOff,
		Other: c.Other, Same: c.Same, Started: c.Started, Ended: c.Ended, Changed: c.Changed,
	}
}

// stillHeld returns what the brake has against rows of a drop in a store: what was expected, until a plan has shown whether it is so.
func stillHeld(e store.Effect, open []store.Finding) []catalog.Issue {
	var all []catalog.Issue
	for _, is := range e.Held {
		found := slices.ContainsFunc(open, func(f store.Finding) bool { return f.Target == e.Target && f.Code == is.Code })
		if found || e.State == store.EffectWaiting && e.Plan == 0 {
			all = append(all, is)
		}
	}
	return all
}

// stopped returns the finding that nothing at all is sent to a target for, false where there is none.
func stopped(target string, open []store.Finding) (store.Finding, bool) {
	i := slices.IndexFunc(open, func(f store.Finding) bool {
		return f.Target == target && (f.Code == catalog.BrakeFirst || f.Code == catalog.BrakeLate)
	})
	if i < 0 {
		return store.Finding{}, false
	}
	return open[i], true
}

// heldOf returns, by scope, what the brake has, or at the next slot will have, against a drop.
func (h *House) heldOf(ctx context.Context, d store.Drop) (map[string][]catalog.Issue, error) {
	files, err := h.store.LayersOf(ctx, d.Seq)
	if err != nil {
		return nil, err
	}
	held := map[string][]catalog.Issue{}
	for _, l := range files {
		if l.State == store.LayerHeld || l.State == store.LayerNew {
			held[l.Scope] = append(held[l.Scope], l.Findings...)
		}
	}
	return held, nil
}

// findingText is what the brake found in words, for the log.
func findingText(findings []catalog.Issue) string {
	texts := make([]string, len(findings))
	for i, f := range findings {
		what, do := report.Sentence(report.English, f)
		texts[i] = fmt.Sprintf("%s: %s %s", f.Code, what, do)
	}
	return strings.Join(texts, "; ")
}
