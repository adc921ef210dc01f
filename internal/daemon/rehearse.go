package daemon

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/durable"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

// Rehearsal is what a changed config would make of the exports that were dropped before it, and of the documents.
type Rehearsal struct {
	Drops     []RehearsedDrop     `json:"drops"` // the newest of each feed, the oldest first
	Documents []RehearsedDocument `json:"documents"`
	Notes     []string            `json:"notes,omitempty"` // what else going live would mean
}

// RehearsedDrop is one export, as it was understood and as it would be.
type RehearsedDrop struct {
	Seq    int64             `json:"drop"`
	Feed   string            `json:"feed"`
	Name   string            `json:"name"`
	At     time.Time         `json:"at"` // when it was first seen
	Before Understood        `json:"before"`
	After  Understood        `json:"after"`
	Issues []RehearsedIssues `json:"issues,omitempty"` // those whose number changes
	Gone   bool              `json:"gone,omitempty"`   // no longer in the archive, or not readable there: After says nothing
}

// Understood is how much of an export was understood.
type Understood struct {
	Rejected bool `json:"rejected,omitempty"` // as a whole
	Rows     int  `json:"rows"`
	Records  int  `json:"records"`
	Issues   int  `json:"issues"`
}

// RehearsedIssues is a kind of issue that an export has more of, or fewer.
type RehearsedIssues struct {
	Code   catalog.Code `json:"code"`
	Before int          `json:"before"`
	After  int          `json:"after"`
	First  *IssueText   `json:"first,omitempty"` // one of those after
}

// RehearseAs is what is rehearsed.
type RehearseAs struct {
	Config  *config.Config // the changed one
	Against *config.Config // the one that is live; nil where the exports that count now say enough of it
	Drops   int            // how many exports of each feed are read
	// Reading, where given, hears which of how many exports is read, from 1.
	Reading func(at, of int, name string)
}

// rehearsalDirs is what the folders are called in which rehearsals work. One that was killed leaves its folder behind, with a copy of the
// database; the next one removes it.
const (
	rehearsalDirs  = "gondola-rehearsal-"
	rehearsalStays = time.Hour // longer than one takes
)

// Rehearse goes live with a config on a copy of the database, in a folder that is removed again: the exports behind the shelves are read
// again as they would be, and the newest ones of each feed whether or not their feed has changed. It works beside a running daemon, sends
// nothing and changes nothing. It returns store.ErrNone where nothing ran yet.
func Rehearse(ctx context.Context, as RehearseAs, opts Options) (_ Rehearsal, err error) {
	live, err := Attach(ctx, as.Config, opts)
	if err != nil {
		return Rehearsal{}, err
	}
	defer func() { err = errors.Join(err, live.Close()) }()
	sweepRehearsals(live.now())
	temp, err := os.MkdirTemp("", rehearsalDirs+"*")
	if err != nil {
		return Rehearsal{}, fmt.Errorf("make work folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	if _, err := live.store.Backup(ctx, temp, store.Mark{At: live.now()}); err != nil {
		return Rehearsal{}, fmt.Errorf("rehearse: %w", err)
	}
	st, err := store.Open(ctx, temp)
	if err != nil {
		return Rehearsal{}, fmt.Errorf("rehearse: %w", err)
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if err := durable.MkdirAll(filepath.Join(temp, sortDir)); err != nil {
		return Rehearsal{}, fmt.Errorf("rehearse: %w", err)
	}
	stage := stage{store: st, dir: temp, shelf: live.files.Dir, opts: Options{Now: opts.Now}}
	r, err := stage.rehearse(ctx, as)
	if err != nil {
		return r, fmt.Errorf("rehearse: %w", err)
	}
	return r, nil
}

// sweepRehearsals removes what rehearsals that were killed have left. What can't be removed is somebody else's.
func sweepRehearsals(now time.Time) {
	left, err := filepath.Glob(filepath.Join(os.TempDir(), rehearsalDirs+"*"))
	if err != nil {
		return
	}
	for _, dir := range left {
		if info, err := os.Lstat(dir); err == nil && info.IsDir() && now.Sub(info.ModTime()) > rehearsalStays {
			_ = os.RemoveAll(dir)
		}
	}
}

// stage is where a rehearsal happens: a copy of the database, and a folder for what is written.
type stage struct {
	store *store.Store
	dir   string
	shelf string // of the house that is live: looked at, never written to
	opts  Options
}

// house returns a house on the stage.
func (g stage) house(cfg *config.Config, tell func(Event)) (*House, error) {
	copied := *cfg
	copied.State.Dir = g.dir
	s, err := newSetup(&copied)
	if err != nil {
		return nil, config.Problems(cfg.Locate(err))
	}
	opts := g.opts
	opts.Tell = tell
	h := newHouse(s, g.store, opts)
	h.files = shelf.Files{Dir: g.shelf, Scratch: filepath.Join(g.dir, shelfDir)}
	return h, nil
}

func (g stage) rehearse(ctx context.Context, as RehearseAs) (Rehearsal, error) {
	out := Rehearsal{Drops: []RehearsedDrop{}, Documents: []RehearsedDocument{}}
	against := as.Against
	if against == nil {
		against = as.Config
	}
	old, err := g.house(against, nil)
	if err != nil {
		return out, err
	}
	var notes []string
	changed, err := g.house(as.Config, func(e Event) {
		if e.Kind == EventTrouble {
			notes = append(notes, noteOf(e))
		}
	})
	if err != nil {
		return out, err
	}
	before, err := old.wholeDocuments(ctx)
	if err != nil {
		return out, err
	}
	drops, err := changed.lastDrops(ctx, as.Drops)
	if err != nil {
		return out, err
	}
	if notes, err = changed.leftFeeds(ctx, as.Against != nil); err != nil {
		return out, err
	}
	if err := changed.followConfig(ctx); err != nil {
		return out, err
	}
	for i, d := range drops {
		if as.Reading != nil {
			as.Reading(i+1, len(drops), d.Name)
		}
		one, err := changed.rehearseDrop(ctx, d)
		if err != nil {
			return out, err
		}
		out.Drops = append(out.Drops, one)
	}
	after, err := changed.wholeDocuments(ctx)
	if err != nil {
		return out, err
	}
	out.Documents, err = changed.compareDocuments(ctx, old, before, after)
	out.Notes = notes
	return out, err
}

// noteOf puts an event into a line.
func noteOf(e Event) string {
	var about []string
	if e.Seq != 0 {
		about = append(about, fmt.Sprintf("drop %d (%s)", e.Seq, e.Name))
	} else if e.Name != "" {
		about = append(about, e.Name)
	}
	return strings.Join(append(about, e.Text), ": ")
}

// lastDrops returns the newest drops of each feed, the oldest first.
func (h *House) lastDrops(ctx context.Context, limit int) ([]store.Drop, error) {
	var all []store.Drop
	for _, f := range h.feeds {
		drops, err := h.store.RecentDrops(ctx, []string{f.Name}, limit)
		if err != nil {
			return nil, err
		}
		all = append(all, drops...)
	}
	slices.SortFunc(all, func(a, b store.Drop) int { return int(a.Seq - b.Seq) })
	return all, nil
}

// leftFeeds names the feeds whose exports count now and that the config no longer has.
func (h *House) leftFeeds(ctx context.Context, told bool) ([]string, error) {
	layers, err := h.store.Layers(ctx)
	if err != nil {
		return nil, err
	}
	var notes []string
	for i, l := range layers {
		if _, ok := h.feed(l.Feed); ok || l.Feed == offFeed || i > 0 && layers[i-1].Feed == l.Feed {
			continue
		}
		note := fmt.Sprintf("exports of feed %q count now, and the config has no such feed: what they say counts no more", l.Feed)
		if !told {
			note += "; with --against and the config that is live, the difference is among the documents"
		}
		notes = append(notes, note)
	}
	return notes, nil
}

// rehearseDrop reads a drop again, unless following the config has done so already. One that was rejected stays out of the shelves: it has
// to be dropped once more.
func (h *House) rehearseDrop(ctx context.Context, d store.Drop) (RehearsedDrop, error) {
	out := RehearsedDrop{Seq: d.Seq, Feed: d.Feed, Name: d.Name, At: d.FirstSeen, Before: understoodOf(d.State, d.Outcome)}
	f, ok := h.feed(d.Feed)
	if !ok || d.Archived == "" {
		out.Gone = true
		return out, nil
	}
	now, _, err := h.store.Drop(ctx, d.Seq)
	if err != nil {
		return out, err
	}
	state, outcome := now.State, now.Outcome
	if now.Fingerprint == d.Fingerprint {
		r, err := h.understand(ctx, f, d)
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		if err != nil { // the archive was emptied
			out.Gone = true
			return out, nil
		}
		if d.State == store.DropRead && r.State == store.DropRead {
			if err := h.commit(ctx, &r); err != nil {
				return out, err
			}
		}
		state, outcome = r.State, r.Outcome
	}
	out.After = understoodOf(state, outcome)
	out.Issues = h.changedIssues(d.Outcome, outcome)
	return out, nil
}

func understoodOf(s store.DropState, o store.Outcome) Understood {
	return Understood{Rejected: s == store.DropRejected, Rows: o.Rows, Records: o.Records, Issues: issueCount(o.Counts)}
}

// changedIssues returns the kinds of issues that there are more of, or fewer.
func (h *House) changedIssues(before, after store.Outcome) []RehearsedIssues {
	codes := maps.Clone(after.Counts)
	if codes == nil {
		codes = map[catalog.Code]int{}
	}
	for code := range before.Counts {
		codes[code] += 0
	}
	var all []RehearsedIssues
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		is := RehearsedIssues{Code: code, Before: before.Counts[code], After: after.Counts[code]}
		if is.Before == is.After {
			continue
		}
		if i := slices.IndexFunc(after.Issues, func(one catalog.Issue) bool { return one.Code == code }); i >= 0 {
			text := h.words(after.Issues[i])
			is.First = &text
		}
		all = append(all, is)
	}
	return all
}
