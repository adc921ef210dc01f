package daemon

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/report"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

// Undo is what an admin wants put back.
type Undo struct {
	To     time.Time // what was wanted at this time is wanted again
	Vendor string    // a store's id; "" = every store
	Feed   string    // a feed's name; "" = every feed
	Who    string    // asks for it
}

// ErrNoHistory says that nobody knows what was wanted at a time.
var ErrNoHistory = errors.New("nothing is known of that time")

// UndonePart is the part of one feed in one store, or in all of them.
type UndonePart struct {
	Feed     string      `json:"feed"`
	Vendor   string      `json:"vendor"`  // * where it is of all stores
	Records  int         `json:"records"` // articles or promotions that read otherwise than now
	Findings []IssueText `json:"findings,omitempty"`
}

// UndonePlan is what a store's next plan would be.
type UndonePlan struct {
	Vendor  string       `json:"vendor"` // * where one file is for all stores
	Kind    catalog.Kind `json:"kind"`
	Differs int          `json:"differs"` // articles and promotions
	Change  shelf.Change `json:"change"`
	Held    []IssueText  `json:"held,omitempty"` // what the brake would have against rows of it
}

// Undoing is what a rollback would change.
type Undoing struct {
	To     time.Time    `json:"to"`
	Parts  []UndonePart `json:"parts"`
	Stores []UndonePlan `json:"stores"`
	Left   []string     `json:"left,omitempty"` // feeds that speak for all stores, where only one was asked for
}

// PreviewRollback works out what a rollback would change, without changing anything. It works beside a running daemon.
func (h *House) PreviewRollback(ctx context.Context, u Undo) (_ Undoing, err error) {
	temp, err := os.MkdirTemp("", "gondola-rollback-*")
	if err != nil {
		return Undoing{}, fmt.Errorf("make work folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	// Whoever looks may be another user: what would be put back is written elsewhere.
	look := newHouse(h.setup, h.store, h.opts)
	look.files.Scratch = temp
	out := Undoing{To: u.To, Parts: []UndonePart{}, Stores: []UndonePlan{}}
	layers, left, err := look.putBack(ctx, u)
	out.Left = left
	if err != nil {
		return out, err
	}
	var files []store.LayerFile
	for _, l := range layers {
		l.Seq = math.MaxInt64 // above every drop
		files = append(files, l.LayerFile)
		part := UndonePart{Feed: l.Feed, Vendor: l.Scope, Records: l.differs}
		findings, err := look.expect(ctx, l.LayerFile)
		if err != nil {
			return out, err
		}
		for _, f := range findings {
			words := look.words(f)
			words.Text, _ = report.Sentence(look.cfg.Chain.Language, f)
			part.Findings = append(part.Findings, words)
		}
		out.Parts = append(out.Parts, part)
	}
	for _, t := range look.targets {
		if !slices.ContainsFunc(files, func(l store.LayerFile) bool { return slices.Contains(look.targetsOf(l.Feed, l.Scope), t) }) {
			continue
		}
		p, err := look.previewUndone(ctx, t, files)
		if err != nil {
			return out, err
		}
		out.Stores = append(out.Stores, p)
	}
	return out, nil
}

// previewUndone works out the plan of a target with some files on top of their layers.
func (h *House) previewUndone(ctx context.Context, t Target, top []store.LayerFile) (UndonePlan, error) {
	p := UndonePlan{Vendor: t.Vendor, Kind: t.Kind}
	due, err := h.store.TargetOf(ctx, t.String())
	if err != nil {
		return p, err
	}
	q, err := h.question(ctx, due, func(ctx context.Context, feed, scope string) ([]store.LayerFile, error) {
		files, err := h.judged(ctx, feed, scope)
		for _, l := range top {
			if l.Feed == feed && l.Scope == scope {
				l.State = store.LayerPassed
				files, _ = with(files, l)
			}
		}
		return standing(files), err
	})
	if err != nil {
		return p, err
	}
	s, err := h.files.Diff(q)
	p.Differs, p.Change = s.Differs, s.Change
	for _, f := range s.Findings {
		words := h.words(f.Issue())
		words.Text, _ = report.Sentence(h.cfg.Chain.Language, f.Issue())
		p.Held = append(p.Held, words)
	}
	return p, err
}

// AskRollback leaves a rollback for the daemon that runs beside us, which does it within a second, and returns its number.
func (h *House) AskRollback(ctx context.Context, u Undo) (int64, error) {
	if _, err := h.undoes(ctx, u); err != nil {
		return 0, err
	}
	return h.store.AskRollback(ctx, store.Rollback{Back: u.To, Vendor: u.Vendor, Feed: u.Feed, Who: u.Who, Asked: h.now()})
}

// RollbackNow does what AskRollback asks for itself, plans and sends.
func (h *House) RollbackNow(ctx context.Context, u Undo) (store.Rollback, Outcome, error) {
	id, err := h.AskRollback(ctx, u)
	if err == nil {
		err = h.rollBackDue(ctx)
	}
	if err != nil {
		return store.Rollback{}, Outcome{}, err
	}
	before, err := h.store.Newest(ctx) // it is no export that was taken
	if err != nil {
		return store.Rollback{}, Outcome{}, err
	}
	out, err := h.finish(ctx, before)
	done, lookErr := h.Rollback(ctx, id)
	return done, out, errors.Join(err, lookErr)
}

// Rollback returns how far a rollback has come.
func (h *House) Rollback(ctx context.Context, id int64) (store.Rollback, error) {
	b, _, err := h.store.LastRollback(ctx, id)
	return b, err
}

// undoes returns the feeds that a rollback is about, or why there can't be one.
func (h *House) undoes(ctx context.Context, u Undo) ([]feedSetup, error) {
	if _, ok := h.vendor(u.Vendor); !ok && u.Vendor != "" {
		return nil, fmt.Errorf("%w: %q; the config has: %s", ErrNoVendor, u.Vendor, strings.Join(h.VendorIDs(), ", "))
	}
	feeds := h.feeds
	if u.Feed != "" {
		f, ok := h.feed(u.Feed)
		if !ok {
			return nil, fmt.Errorf("%w: %q; the config has: %s", ErrNoFeed, u.Feed, strings.Join(h.feedNames(), ", "))
		}
		feeds = []feedSetup{f}
	}
	if u.To.After(h.now()) {
		return nil, fmt.Errorf("%w: %s is still to come", ErrNoHistory, u.To.In(h.zone).Format("2006-01-02 15:04"))
	}
	begins, err := h.store.HistoryBegins(ctx)
	if err != nil {
		return nil, err
	}
	if begins.IsZero() {
		return nil, fmt.Errorf("%w: nothing was ever wanted here", ErrNoHistory)
	}
	if u.To.Before(begins) {
		return nil, fmt.Errorf("%w: history reaches back to %s (retention.layers says how far)", ErrNoHistory,
			begins.In(h.zone).Format("2006-01-02 15:04:05"))
	}
	return feeds, nil
}

// undoneLayer is a file that puts a layer back, and how many of its records read otherwise than now.
type undoneLayer struct {
	store.LayerFile
	differs int
}

// putBack writes the files that put layers back to what they were, and names the feeds that can't be put back for a store alone.
func (h *House) putBack(ctx context.Context, u Undo) (layers []undoneLayer, left []string, err error) {
	feeds, err := h.undoes(ctx, u)
	if err != nil {
		return nil, nil, err
	}
	for _, f := range feeds {
		scopes, err := h.store.HistoryScopes(ctx, f.Name)
		if err != nil {
			return nil, nil, err
		}
		for _, scope := range scopes {
			if _, ok := h.vendor(scope); !ok && scope != catalog.AllVendors {
				continue // of a store that left the config
			}
			if u.Vendor != "" && scope != u.Vendor {
				if scope == catalog.AllVendors {
					left = append(left, f.Name)
				}
				continue
			}
			l, err := h.putBackLayer(ctx, f, scope, u.To)
			if err != nil {
				return nil, nil, fmt.Errorf("put back layer %s of feed %s: %w", scope, f.Name, err)
			}
			if l.differs > 0 {
				layers = append(layers, l)
			}
		}
	}
	return layers, left, nil
}

func (h *House) putBackLayer(ctx context.Context, f feedSetup, scope string, to time.Time) (undoneLayer, error) {
	stood, err := h.store.StoodAt(ctx, f.Name, scope, to)
	if err != nil {
		return undoneLayer{}, err
	}
	all, err := h.store.Layer(ctx, f.Name, scope)
	if err != nil {
		return undoneLayer{}, err
	}
	// What the brake has not looked at, and is expected to hold, is not put back from, either.
	files := hopeful(slices.DeleteFunc(all, func(l store.LayerFile) bool { return l.State == store.LayerNew && len(l.Findings) > 0 }))
	then := make([]shelf.Digest, len(stood))
	for i, s := range stood {
		then[i] = s.Digest
	}
	l, differs, err := h.files.PutBack(shelf.PutBackSpec{
		Kind: f.kind, Then: then, Now: digests(files), Owner: f.Name + " " + scope, Today: shelf.DayOf(h.now()),
	})
	if err != nil || differs == 0 {
		return undoneLayer{}, err
	}
	out := undoneLayer{differs: differs, LayerFile: store.LayerFile{
		Feed: f.Name, Scope: scope, Full: true, Digest: l.Digest, Present: l.Present, Tombstones: l.Tombstones, State: store.LayerNew,
		Undo: true,
	}}
	for _, old := range files {
		out.Owned |= old.Owned
		// It makes no export older than it is: what is dropped next is held against the exports before.
		if old.Modified.After(out.Modified) {
			out.Modified = old.Modified
		}
	}
	return out, nil
}

// rollBackDue does the rollbacks that were asked for. One that can't be done says why, to who asked, and is not tried again.
func (h *House) rollBackDue(ctx context.Context) error {
	asked, err := h.store.RollbacksAsked(ctx)
	if err != nil {
		return err
	}
	for _, b := range asked {
		err := h.rollBack(ctx, b)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			continue
		}
		h.tell(Event{Kind: EventTrouble, Text: fmt.Sprintf("roll back to %s: %v", b.Back.In(h.zone).Format(time.RFC3339), err)})
		if err := h.store.RollbackFailed(ctx, b.ID, err.Error()); err != nil {
			return err
		}
	}
	return nil
}

// rollBack makes a drop of what was wanted at a time. From here on it is like any other: the brake looks at it, a plan sends it.
func (h *House) rollBack(ctx context.Context, b store.Rollback) error {
	h.shelfMu.Lock()
	defer h.shelfMu.Unlock()
	layers, _, err := h.putBack(ctx, Undo{To: b.Back, Vendor: b.Vendor, Feed: b.Feed, Who: b.Who})
	if err != nil {
		return err
	}
	if len(layers) == 0 {
		return h.store.RolledBack(ctx, b, store.Drop{}, store.Reading{}, nil)
	}
	seq, err := h.store.NextSeq(ctx)
	if err != nil {
		return err
	}
	d := store.Drop{Seq: seq, Name: "rollback to " + b.Back.In(h.zone).Format("2006-01-02 15:04:05"), Owner: b.Who, Modified: b.Asked, FirstSeen: h.now()}
	r := store.Reading{Seq: seq, State: store.DropRead, At: h.now()}
	var due []string
	effects := map[Target]bool{}
	for _, l := range layers {
		l.Seq = seq
		r.Outcome.Records += l.differs
		if l.Findings, err = h.expect(ctx, l.LayerFile); err != nil {
			return err
		}
		r.Layers = append(r.Layers, l.LayerFile)
		targets := h.targetsOf(l.Feed, l.Scope)
		held, err := h.expectRows(ctx, seq, []store.LayerFile{l.LayerFile})
		if err != nil {
			return err
		}
		for n, t := range targets {
			if effects[t] {
				continue // two feeds of one store: the first one's change stands for both
			}
			effects[t] = true
			e := store.Effect{Seq: seq, Target: t.String(), State: store.EffectWaiting, Held: held[0][n]}
			if e.Change, e.Moves, err = h.previewLayer(ctx, l.LayerFile, t); err != nil {
				return err
			}
			r.Effects = append(r.Effects, e)
			due = append(due, t.String())
		}
	}
	if err := h.store.RolledBack(ctx, b, d, r, due); err != nil {
		return err
	}
	h.tell(Event{Kind: EventRead, Seq: seq, Name: d.Name, Records: r.Outcome.Records, Text: "asked for by " + b.Who})
	return nil
}

// RollbackLine is the last rollback in short.
type RollbackLine struct {
	Seq   int64     `json:"drop"` // the number that it has among drops, 0 before it is done
	To    time.Time `json:"to"`
	At    time.Time `json:"at"` // when it was asked for
	Who   string    `json:"who"`
	State string    `json:"state"` // asked, done, failed
	Error string    `json:"error,omitempty"`
}

// rollbackStatus returns the last rollback, nil where later exports have taken its place.
func (h *House) rollbackStatus(ctx context.Context) (*RollbackLine, error) {
	b, ok, err := h.store.LastRollback(ctx, 0)
	if err != nil || !ok {
		return nil, err
	}
	layers, err := h.store.LayersOf(ctx, b.Seq)
	if err != nil || b.State == store.RollbackDone && len(layers) == 0 {
		return nil, err
	}
	return &RollbackLine{Seq: b.Seq, To: b.Back, At: b.Asked, Who: b.Who, State: string(b.State), Error: b.Error}, nil
}
