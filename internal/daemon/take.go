package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/drop"
	"gondola/internal/durable"
	"gondola/internal/feed"
	"gondola/internal/report"
	"gondola/internal/shelf"
	"gondola/internal/store"
	"gondola/internal/table"
)

// maxIssues is how many issues of one drop are kept with their places. All are counted.
const maxIssues = 500

// taker hands the drops of one folder to the house.
type taker struct {
	*House
	feeds []feedSetup // that share the folder; their patterns tell whose a file is
}

var _ drop.Taker = taker{}

// prepareWatchers makes one watcher for each drop folder.
func (h *House) prepareWatchers() error {
	names := report.FolderNames(h.cfg.Chain.Language)
	shared := map[string][]feedSetup{}
	var folders []string
	for _, f := range h.feeds {
		if shared[f.Drop] == nil {
			folders = append(folders, f.Drop)
		}
		shared[f.Drop] = append(shared[f.Drop], f)
	}
	for _, folder := range folders {
		feeds := shared[folder]
		var match []string
		for _, f := range feeds {
			match = append(match, withCorrections(f.Match)...)
		}
		if h.cfg.Brake.ApproveByFile {
			match = append(match, approvalPatterns()...)
		}
		w, err := drop.New(drop.Folder{
			Path: folder, Match: match, Archive: filepath.Join(h.cfg.State.Dir, archiveDir),
			Rejected: names.Rejected, Answers: names.Answers, AnswerSuffixes: answerSuffixes(), Guides: guideNames(),
			Settle: time.Duration(h.cfg.Drops.Settle), Quiet: time.Duration(h.cfg.Drops.Quiet),
			MaxWait: time.Duration(h.cfg.Drops.MaxWait), Scan: time.Duration(h.cfg.Drops.Scan),
			Complete: h.complete, Now: h.now,
		}, taker{h, feeds}, h.log.With("component", "drop"))
		if err != nil {
			return fmt.Errorf("watch drop folder %s: %w", folder, err)
		}
		h.watchers = append(h.watchers, watcher{folder, w})
	}
	return nil
}

// complete reports whether a file in a drop folder looks whole. An approval does as soon as it is there: most have nothing in them.
func (h *House) complete(path string) (bool, error) {
	if h.isApproval(filepath.Base(path)) {
		return true, nil
	}
	return table.Complete(path)
}

// answerSuffixes returns what answers end in, in every language: those from before the config changed its language still lie there, and
// would be taken for exports.
func answerSuffixes() []string {
	var all []string
	for _, language := range report.Languages() {
		all = append(all, report.FolderNames(language).AnswerSuffix)
	}
	return all
}

// guideNames returns the names of the page for staff in every language, likewise.
func guideNames() []string {
	var all []string
	for _, language := range report.Languages() {
		all = append(all, report.FolderNames(language).Guide)
	}
	return all
}

// feedOf returns the feed that takes a file. One whose patterns no longer match, because the config changed after the claim, goes
// to the folder's first.
func (t taker) feedOf(name string) feedSetup {
	for _, n := range []string{correctionOf(name), name} {
		for _, f := range t.feeds {
			if drop.Takes(f.Match, n) {
				return f
			}
		}
	}
	return t.feeds[0]
}

// isNobodys reports whether a file was taken for its likeness to an approval alone: no feed asks for it.
func (t taker) isNobodys(name string) bool {
	return t.cfg.Brake.ApproveByFile && drop.Takes(approvalPatterns(), name) && !slices.ContainsFunc(t.feeds, func(f feedSetup) bool {
		return drop.Takes(f.Match, name) || drop.Takes(f.Match, correctionOf(name))
	})
}

// NextSeq implements drop.Taker. With too little space left no drop is taken: what is on its way out needs the rest.
func (t taker) NextSeq(ctx context.Context) (int64, error) {
	free, err := freeSpace(t.cfg.State.Dir)
	if err == nil && free < int64(t.cfg.State.MinFree) {
		return 0, fmt.Errorf("only %d MB are free in %s and state.min_free asks for %d MB: exports wait until there is more space",
			free/1e6, t.cfg.State.Dir, int64(t.cfg.State.MinFree)/1e6)
	}
	return t.store.NextSeq(ctx)
}

// Known implements drop.Taker. It is asked for what lies in the work folder, which may know numbers that the state, restored from a
// backup, has not given out yet.
func (t taker) Known(ctx context.Context, seq int64) (drop.Verdict, bool, error) {
	if err := t.store.Reserve(ctx, seq); err != nil {
		return drop.Read, false, err
	}
	d, ok, err := t.store.Drop(ctx, seq)
	return verdictOf(d.State), ok && d.State != store.DropSeen, err
}

func verdictOf(s store.DropState) drop.Verdict {
	if s == store.DropRejected {
		return drop.Rejected
	}
	return drop.Read
}

// Take implements drop.Taker: it reads an archived drop and commits what it says.
func (t taker) Take(ctx context.Context, c drop.Claim) (drop.Verdict, error) {
	if t.isApproval(c.Name) {
		return t.approveByFile(ctx, c)
	}
	if t.isNobodys(c.Name) {
		t.tell(Event{Kind: EventTrouble, Name: c.Name, Text: "named like an approval, but without the number of what it approves, as in APROBAR-12"})
		return drop.Rejected, nil
	}
	f := t.feedOf(c.Name)
	d := store.Drop{
		Seq: c.Seq, Feed: f.Name, Name: c.Name, Size: c.Size, SHA256: c.SHA256, Modified: c.ModTime, FirstSeen: c.FirstSeen,
		Owner: c.Owner, Archived: c.Archived,
	}
	var err error
	if d.Modified, err = t.modified(ctx, d); err != nil {
		return drop.Read, err
	}
	if err := t.store.Seen(ctx, d); err != nil {
		return drop.Read, err
	}
	t.tell(Event{Kind: EventTaken, Seq: c.Seq, Feed: f.Name, Name: c.Name})
	r, err := t.read(ctx, f, d)
	if err != nil {
		return drop.Read, fmt.Errorf("read drop %d (%s): %w", c.Seq, c.Name, err)
	}
	t.tell(readEvent(r, d))
	// The answer at once; when it can't be written now, the loop goes on trying.
	if err := t.writeReceipt(ctx, f.Name, c.Seq); err != nil {
		t.log.Debug("receipt waits", "drop", c.Seq, "error", err)
	}
	return verdictOf(r.State), nil
}

// modified returns how old a drop is. A corrected copy is as old as what it is of, whenever it was corrected: its other rows say what held
// then.
func (h *House) modified(ctx context.Context, d store.Drop) (time.Time, error) {
	of := correctionOf(d.Name)
	if of == d.Name {
		return d.Modified, nil
	}
	original, ok, err := h.store.LastNamed(ctx, d.Feed, of, d.Seq)
	if err != nil || !ok {
		return d.Modified, err
	}
	return original.Modified, nil
}

func readEvent(r store.Reading, d store.Drop) Event {
	e := Event{
		Kind: EventRead, Seq: d.Seq, Feed: d.Feed, Name: d.Name,
		Rows: r.Outcome.Rows, Records: r.Outcome.Records, Issues: issueCount(r.Outcome.Counts),
	}
	if r.State == store.DropRejected {
		e.Kind = EventRejected
	}
	return e
}

func issueCount(counts map[catalog.Code]int) int {
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}

// read understands an archived drop and commits it: outcome, layers, effects.
func (h *House) read(ctx context.Context, f feedSetup, d store.Drop) (store.Reading, error) {
	r, err := h.understand(ctx, f, d)
	if err != nil {
		return r, err
	}
	err = h.commit(ctx, &r)
	return r, err
}

// understand reads an archived drop and writes its layer files.
func (h *House) understand(ctx context.Context, f feedSetup, d store.Drop) (_ store.Reading, err error) {
	sorter := shelf.NewSorter(h.by, h.sorting())
	defer func() { err = errors.Join(err, sorter.Close()) }()
	if f.spec.Earlier, err = h.earlier(ctx, d); err != nil {
		return store.Reading{}, err
	}
	var result feed.Result
	err = sorter.Fill(func(put func(shelf.Row) error) (err error) {
		result, err = feed.Convert(ctx, f.spec, d.Archived, correctionOf(d.Name), func(r feed.Record) error {
			return put(shelf.Row{Vendor: r.Vendor, Item: r.Item, Promotion: r.Promotion, Line: r.Row, Rejected: r.Rejected})
		})
		return err
	})
	if err != nil {
		return store.Reading{}, err
	}
	r := store.Reading{Seq: d.Seq, State: store.DropRead, At: h.now(), Fingerprint: f.fingerprint, Outcome: outcomeOf(result)}
	if result.Refused {
		r.State = store.DropRejected
		return r, nil
	}
	if correctionOf(d.Name) != d.Name {
		// What is hidden in a copy of ours is hidden by its filter: all the rows that are right.
		r.Outcome.Issues = slices.DeleteFunc(r.Outcome.Issues, func(is catalog.Issue) bool { return is.Code == catalog.RowHidden })
		delete(r.Outcome.Counts, catalog.RowHidden)
	}
	twice := twiceIssues(&r.Outcome)
	group := &durable.Group{}
	defer group.Abort()
	err = sorter.Each(func(vendor string, rows *shelf.Rows) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		spec, err := h.layer(ctx, f, d, vendor, result)
		if err != nil {
			return err
		}
		l, err := h.files.In(group).BuildLayer(spec, rows)
		if err != nil {
			return err
		}
		if l.Suspended > 0 && keyless(result, vendor) > result.Counts[catalog.RowCut] {
			addIssue(&r.Outcome, catalog.Issue{
				Code: catalog.RowSwitchSkipped, Severity: catalog.Warning, Args: []string{strconv.Itoa(keyless(result, vendor))},
			})
		}
		r.Layers = append(r.Layers, store.LayerFile{
			Feed: f.Name, Scope: vendor, Seq: d.Seq, Full: l.Full, Digest: l.Digest, Present: l.Present, Tombstones: l.Tombstones,
			Owned: result.Owned, Modified: d.Modified, State: store.LayerNew,
		})
		return nil
	}, twice)
	if err != nil {
		return r, err
	}
	return r, group.Commit()
}

// earlier tells what the last text of a feed before a drop was like. One that broke off tells nothing about how the feed's files end, but
// for one that only has fewer rows: the next one of its length is as it should be.
func (h *House) earlier(ctx context.Context, d store.Drop) (*feed.Earlier, error) {
	drops, err := h.store.RecentDrops(ctx, []string{d.Feed}, maxEarlier)
	if err != nil {
		return nil, err
	}
	for _, e := range drops {
		isText := e.Outcome.Encoding != ""
		if e.Seq >= d.Seq || e.State != store.DropRead || !isText || e.Outcome.Counts[catalog.RowCut] > 0 && !e.Outcome.Fewer {
			continue
		}
		// A file that is no longer there, or can't be read, tells nothing.
		if ended, err := table.Complete(e.Archived); err == nil {
			return &feed.Earlier{Ended: ended, Rows: e.Outcome.Rows}, nil
		}
	}
	return &feed.Earlier{}, nil
}

// maxEarlier is how many drops of a feed are looked through for one that tells how its files end.
const maxEarlier = 50

// layer says how one store's part of an export becomes a file of its layer.
func (h *House) layer(ctx context.Context, f feedSetup, d store.Drop, vendor string, result feed.Result) (shelf.LayerSpec, error) {
	files, err := h.store.Layer(ctx, f.Name, vendor)
	if err != nil {
		return shelf.LayerSpec{}, err
	}
	// Read again, a drop lies where it lay: on what came before it, and what it said before is not forgotten.
	was := shelf.Digest("")
	if i := slices.IndexFunc(files, func(l store.LayerFile) bool { return l.Seq == d.Seq }); i >= 0 && !h.rekeyed {
		was = files[i].Digest
	}
	files = slices.DeleteFunc(files, func(l store.LayerFile) bool { return l.Seq >= d.Seq })
	return shelf.LayerSpec{
		Kind: f.kind, Full: f.spec.Full, Missing: f.missing, Owned: result.Owned, Keyless: keyless(result, vendor) > 0,
		Below: digests(hopeful(files)), Was: was, Owner: f.Name + " " + vendor, Today: shelf.DayOf(h.now()),
	}, nil
}

// keyless returns how many rows without a readable identifier may be about a store: its own, and those whose store is not known.
func keyless(r feed.Result, vendor string) int {
	n := r.Keyless[vendor]
	if vendor != catalog.AllVendors {
		n += r.Keyless[catalog.AllVendors]
	}
	return n
}

// commit previews what a reading changes, for the receipt, looks what is wrong with it beside what else is wanted, and commits it.
func (h *House) commit(ctx context.Context, r *store.Reading) error {
	h.shelfMu.Lock()
	defer h.shelfMu.Unlock()
	if err := h.weigh(ctx, r); err != nil {
		return err
	}
	if err := h.store.Commit(ctx, *r); err != nil {
		return err
	}
	return h.judgeLong(ctx, r.Layers)
}

// weigh adds to a reading what it changes in each store, what the brake will have against it, and what is wrong with it beside what else
// is wanted. It changes nothing but the reading.
func (h *House) weigh(ctx context.Context, r *store.Reading) error {
	held, err := h.expectRows(ctx, r.Seq, r.Layers)
	if err != nil {
		return err
	}
	for i, l := range r.Layers {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		for n, t := range h.targetsOf(l.Feed, l.Scope) {
			e := store.Effect{Seq: r.Seq, Target: t.String(), State: store.EffectWaiting, Held: held[i][n]}
			if e.Change, e.Moves, err = h.previewLayer(ctx, l, t); err != nil {
				return err
			}
			r.Effects = append(r.Effects, e)
		}
		findings, err := h.expect(ctx, l)
		if err != nil {
			return err
		}
		r.Layers[i].Findings = findings
		if err := h.compare(ctx, r, l); err != nil {
			return err
		}
	}
	sortIssues(&r.Outcome)
	return nil
}

// previewLayer counts what a layer file changes on the shelf of a target, and gathers the largest price changes: from what was wanted
// without it. What else waits to be sent is other exports' news.
func (h *House) previewLayer(ctx context.Context, l store.LayerFile, t Target) (shelf.Change, []shelf.Move, error) {
	hopefully := func(ctx context.Context, feed, scope string) ([]store.LayerFile, error) {
		files, err := h.store.Layer(ctx, feed, scope)
		return hopeful(files), err
	}
	before, err := h.wanted(ctx, t, hopefully)
	if err != nil {
		return shelf.Change{}, nil, err
	}
	after, err := h.wanted(ctx, t, h.together(l))
	if err != nil {
		return shelf.Change{}, nil, err
	}
	if before, after, err = h.asCustomersSee(ctx, t, before, after, l); err != nil {
		return shelf.Change{}, nil, err
	}
	prices, err := h.prices(ctx, t, hopefully)
	if err != nil {
		return shelf.Change{}, nil, err
	}
	var largest []report.Move
	s, err := h.files.Rows(shelf.Question{
		Wanted: after, Sent: before, Says: h.says, Now: h.wall(t), Prices: prices, Decimals: h.cfg.Chain.PriceDecimals,
	}, func(row, sent shelf.Record, differs bool) error {
		if differs && row.Promotion == nil && row.Item.Set.Has(catalog.Price) && sent.Item.Set.Has(catalog.Price) {
			largest = report.KeepMove(largest, report.Move{Key: row.Key, Old: sent.Item.Price, New: row.Item.Price})
		}
		return nil
	})
	moves := make([]shelf.Move, len(largest))
	for i, m := range largest {
		moves[i] = shelf.Move{Key: m.Key, Old: m.Old, New: m.New}
	}
	s.Change.Started -= s.Unstarted // what can't start is no change that customers see
	return s.Change, moves, err
}

// together is a layerStack in which a new file of a layer has its place.
func (h *House) together(l store.LayerFile) layerStack {
	return func(ctx context.Context, feed, scope string) ([]store.LayerFile, error) {
		files, err := h.store.Layer(ctx, feed, scope)
		if feed == l.Feed && scope == l.Scope {
			files, _ = with(files, l)
		}
		return hopeful(files), err
	}
}

// outcomeOf takes over what feed says of an export.
func outcomeOf(r feed.Result) store.Outcome {
	o := store.Outcome{
		Rows: r.Rows, Records: r.Records, Rejected: r.Rejected, Issues: r.Issues, Counts: r.Counts, Fewer: r.Fewer,
		Encoding: string(r.Format.Encoding), Evidence: r.Format.Evidence, Sheet: r.Format.Sheet, HeaderRow: r.Header.Row,
	}
	if r.Format.Delimiter != 0 {
		o.Delimiter = string(r.Format.Delimiter)
	}
	if o.Counts == nil {
		o.Counts = map[catalog.Code]int{}
	}
	for _, c := range r.Header.Columns {
		o.Columns = append(o.Columns, store.Column{
			Role: string(c.Role), Header: c.Name, Number: c.Index + 1, Decimal: c.Decimal, Date: c.Date, Proof: c.Proof, ProofRow: c.ProofRow,
		})
	}
	return o
}

// twiceIssues returns what tells of articles that an export names twice.
func twiceIssues(o *store.Outcome) func(shelf.Twice) {
	return func(t shelf.Twice) {
		code, severity := catalog.RowConflict, catalog.Warning
		if t.Same {
			code, severity = catalog.RowTwice, catalog.Note
		}
		addIssue(o, catalog.Issue{Code: code, Severity: severity, Row: t.Line, Args: []string{t.Key, strconv.Itoa(t.Other)}})
	}
}

func addIssue(o *store.Outcome, is catalog.Issue) {
	o.Counts[is.Code]++
	if len(o.Issues) < maxIssues {
		o.Issues = append(o.Issues, is)
	}
}

// sortIssues puts what the sorter, the layers and the comparison with other exports found where a reader looks for it.
func sortIssues(o *store.Outcome) {
	slices.SortStableFunc(o.Issues, func(a, b catalog.Issue) int { return cmp.Compare(a.Row, b.Row) })
}
