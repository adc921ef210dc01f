package daemon

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

// standing returns the files that a layer's stack is made of: those that count, in the order of their drops, from the last full one
// on. A file that was read anew counts as it was before until the brake has passed it.
func standing(files []store.LayerFile) []store.LayerFile {
	var stack []store.LayerFile
	for _, l := range files {
		switch {
		case l.State == store.LayerPassed:
		case l.Was != "" && l.State != store.LayerPast:
			l.Digest = l.Was
		default:
			continue
		}
		if l.Full {
			stack = stack[:0]
		}
		stack = append(stack, l)
	}
	return stack
}

// hopeful returns the files of a layer as if everything that the brake has not seen yet will pass.
func hopeful(files []store.LayerFile) []store.LayerFile {
	files = slices.Clone(files)
	for i := range files {
		if files[i].State == store.LayerNew {
			files[i].State = store.LayerPassed
		}
	}
	return standing(files)
}

// with returns the files of a layer with a new one in its place, or in place of the one that its drop made before, and where it is.
func with(files []store.LayerFile, l store.LayerFile) ([]store.LayerFile, int) {
	files = slices.DeleteFunc(slices.Clone(files), func(old store.LayerFile) bool { return old.Seq == l.Seq })
	i := len(files)
	if above := slices.IndexFunc(files, func(old store.LayerFile) bool { return old.Seq > l.Seq }); above >= 0 {
		i = above
	}
	return slices.Insert(files, i, l), i
}

func digests(files []store.LayerFile) []shelf.Digest {
	all := make([]shelf.Digest, len(files))
	for i, l := range files {
		all[i] = l.Digest
	}
	return all
}

// layerStack chooses the files that one layer is made of.
type layerStack func(ctx context.Context, feed, scope string) ([]store.LayerFile, error)

// wanted returns the files whose overlay a target's shelf should show: layers for all stores below the store's own, and within each
// by priority, then in the order of the config. stack chooses the files of one layer.
func (h *House) wanted(ctx context.Context, t Target, stack layerStack) ([]shelf.Digest, error) {
	var all []shelf.Digest
	for _, scope := range t.scopes() {
		for _, f := range h.byPriority(t) {
			files, err := stack(ctx, f.Name, scope)
			if err != nil {
				return nil, err
			}
			all = append(all, digests(files)...)
		}
	}
	if !t.holds(catalog.KindCatalog) {
		return all, nil
	}
	// What an admin switched off by hand is above all of them.
	for _, scope := range t.scopes() {
		files, err := stack(ctx, offFeed, scope)
		if err != nil {
			return nil, err
		}
		all = append(all, digests(files)...)
	}
	return all, nil
}

// byPriority returns the feeds that a target's shelf shows, the one that counts most last.
func (s *setup) byPriority(t Target) []feedSetup {
	var feeds []feedSetup
	for _, f := range s.feeds {
		if t.holds(f.kind) {
			feeds = append(feeds, f)
		}
	}
	slices.SortStableFunc(feeds, func(a, b feedSetup) int { return cmp.Compare(a.Priority, b.Priority) })
	return feeds
}

// stands returns the files of a layer that count now.
func (h *House) stands(ctx context.Context, feed, scope string) ([]store.LayerFile, error) {
	files, err := h.store.Layer(ctx, feed, scope)
	return standing(files), err
}

// compactSent writes what a target was sent as one file when it has become many.
func (h *House) compactSent(ctx context.Context, target string) error {
	stack, err := h.store.Sent(ctx, target)
	if err != nil || len(stack) < longStack {
		return err
	}
	one, err := h.files.Compact(stack, shelf.DayOf(h.now()))
	if err != nil {
		return err
	}
	return h.store.SentCompacted(ctx, target, stack, one.Digest)
}

// judge puts the new files of a layer before the brake, in the order of their drops. Each is compared with what the layer was when
// this slot came, together with the ones before it that passed: three exports that each switch off a bit are judged by their sum.
func (h *House) judge(ctx context.Context, f feedSetup, scope string) error {
	files, err := h.store.Layer(ctx, f.Name, scope)
	if err != nil || !slices.ContainsFunc(files, func(l store.LayerFile) bool { return l.State == store.LayerNew }) {
		return err
	}
	approvals, err := h.store.Approvals(ctx, f.Name, scope, h.now())
	if err != nil {
		return err
	}
	changed, err := h.verdicts(files, approvals)
	if err != nil {
		return err
	}
	if err := h.store.Judged(ctx, changed, names(h.targetsOf(f.Name, scope)), h.now()); err != nil {
		return err
	}
	for _, l := range changed {
		if l.State == store.LayerHeld {
			h.tell(Event{Kind: EventHeld, Seq: l.Seq, Feed: f.Name, Vendor: scope, Text: findingText(l.Findings)})
		}
	}
	return h.compactLayer(ctx, f.Name, scope)
}

// judgeLong puts layers before the brake ahead of the slot when so many exports wait for it that every further one, which is compared
// with them, would take noticeably longer: an ERP that drops one for each sale has thousands in a night without slots.
func (h *House) judgeLong(ctx context.Context, layers []store.LayerFile) error {
	for _, l := range layers {
		files, err := h.store.Layer(ctx, l.Feed, l.Scope)
		if err != nil {
			return err
		}
		f, ok := h.feed(l.Feed)
		if waiting := len(files) - len(standing(files)); !ok || waiting < longStack {
			continue
		}
		if err := h.judge(ctx, f, l.Scope); err != nil {
			return err
		}
	}
	return nil
}

// judged returns the files of a layer as they will be after the next slot, if nothing else comes.
func (h *House) judged(ctx context.Context, feed, scope string) ([]store.LayerFile, error) {
	files, err := h.store.Layer(ctx, feed, scope)
	if err != nil {
		return nil, err
	}
	approvals, err := h.store.Approvals(ctx, feed, scope, h.now())
	if err != nil {
		return nil, err
	}
	_, err = h.verdicts(files, approvals)
	return files, err
}

// verdicts decides on the new files of a layer, in place, and returns those that change their state.
func (h *House) verdicts(files []store.LayerFile, approvals []store.Approval) ([]store.LayerFile, error) {
	base := digests(standing(files))
	// Nearly always there is nothing against any of them, and one look at all together tells.
	clean, err := h.allPass(files, base, approvals)
	if err != nil {
		return nil, err
	}
	changed := map[int64]bool{}
	for i := range files {
		l := &files[i]
		if l.State != store.LayerNew {
			continue
		}
		changed[l.Seq] = true
		l.State, l.Findings = store.LayerPassed, nil
		if !clean {
			if l.Findings, err = h.against(files, i, standing(files), base, approvals); err != nil {
				return nil, err
			}
		}
		if len(l.Findings) > 0 {
			l.State = store.LayerHeld
			continue
		}
		l.Was = ""
		if l.Full {
			for j := range files[:i] {
				files[j].State = store.LayerPast
				changed[files[j].Seq] = true
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(files), func(l store.LayerFile) bool { return !changed[l.Seq] }), nil
}

// allPass reports whether there is nothing against the new files of a layer, all taken together.
func (h *House) allPass(files []store.LayerFile, base []shelf.Digest, approvals []store.Approval) (bool, error) {
	for i, l := range files {
		_, older := olderThan(files[:i], l)
		if _, stale := h.stale(l); (older || stale) && l.State == store.LayerNew {
			return false, nil
		}
	}
	fresh := slices.DeleteFunc(slices.Clone(files), func(l store.LayerFile) bool { return l.State != store.LayerNew })
	findings, err := h.files.Check(h.brake, digests(hopeful(files)), base, digests(fresh))
	return len(disapproved(findings, approvals)) == 0, err
}

// against returns what there is against file i of a layer, which with it would be candidate and is base now.
func (h *House) against(files []store.LayerFile, i int, candidate []store.LayerFile, base []shelf.Digest, approvals []store.Approval,
) ([]catalog.Issue, error) {
	findings, err := h.files.Check(h.brake, digests(candidate), base, []shelf.Digest{files[i].Digest})
	if err != nil {
		return nil, err
	}
	open := disapproved(findings, approvals)
	if older, ok := olderThan(files[:i], files[i]); ok && !approved(approvals, catalog.DropOlder, 0) {
		open = append(open, older)
	}
	if stale, ok := h.stale(files[i]); ok && !approved(approvals, catalog.DropStale, 0) {
		open = append(open, stale)
	}
	return open, nil
}

// expect returns what the brake will have against a new file of a layer, if nothing else comes: what its receipt says until the slot.
// New files before it that are not expected to pass are left out, as the brake will.
func (h *House) expect(ctx context.Context, l store.LayerFile) ([]catalog.Issue, error) {
	files, err := h.store.Layer(ctx, l.Feed, l.Scope)
	if err != nil {
		return nil, err
	}
	approvals, err := h.store.Approvals(ctx, l.Feed, l.Scope, h.now())
	if err != nil {
		return nil, err
	}
	base := digests(standing(files))
	files = slices.DeleteFunc(files, func(old store.LayerFile) bool {
		return old.Seq != l.Seq && old.State == store.LayerNew && len(old.Findings) > 0
	})
	files, i := with(files, l)
	return h.against(files, i, hopeful(files), base, approvals)
}

// olderThan reports that an export is older than one that was taken before it: somebody may have dropped yesterday's file.
func olderThan(before []store.LayerFile, l store.LayerFile) (catalog.Issue, bool) {
	for _, b := range slices.Backward(before) {
		if b.State == store.LayerHeld || !l.Modified.Before(b.Modified) {
			continue
		}
		return catalog.Issue{
			Code: catalog.DropOlder, Severity: catalog.Warning,
			Args: []string{l.Modified.Format(time.RFC3339), b.Modified.Format(time.RFC3339)},
		}, true
	}
	return catalog.Issue{}, false
}

// disapproved returns the findings that no approval covers: a worse one asks again.
func disapproved(findings []shelf.Finding, approvals []store.Approval) []catalog.Issue {
	var open []catalog.Issue
	for _, f := range findings {
		if !approved(approvals, f.Code, f.Share) {
			open = append(open, f.Issue())
		}
	}
	return open
}

func approved(approvals []store.Approval, code catalog.Code, share float64) bool {
	return slices.ContainsFunc(approvals, func(a store.Approval) bool { return a.Code == code && share <= a.Share })
}

// compactLayer writes a layer that partial exports made long as few files: each run of files that count, as one. A held file keeps its
// place in the order until somebody decides on it, so a run ends there.
func (h *House) compactLayer(ctx context.Context, feed, scope string) error {
	files, err := h.store.Layer(ctx, feed, scope)
	if err != nil {
		return err
	}
	for _, run := range runs(files) {
		if len(run) < longStack {
			continue
		}
		one, err := h.files.Compact(digests(run), shelf.DayOf(h.now()))
		if err != nil {
			return err
		}
		newest := run[len(run)-1]
		// With nothing below, it is all there is.
		newest.Full = run[0].Seq == files[0].Seq
		newest.Digest, newest.Present, newest.Tombstones = one.Digest, one.Present, one.Tombstones
		if err := h.store.Compacted(ctx, run, newest); err != nil {
			return err
		}
	}
	return nil
}

// runs returns the files of a layer that have passed the brake, split where others lie in between, from the last full one on.
func runs(files []store.LayerFile) [][]store.LayerFile {
	var all [][]store.LayerFile
	follows := false
	for _, l := range files {
		passed := l.State == store.LayerPassed
		switch {
		case passed && follows && !l.Full:
			all[len(all)-1] = append(all[len(all)-1], l)
		case passed:
			all = append(all, []store.LayerFile{l})
		}
		follows = passed
	}
	return all
}

// rereadChanged reads the exports behind the current layers again where the reader or the mapping is another one than they were read
// with. What comes out goes through the brake like a new export; until then the layers count as they were. An export that can't be
// read any more leaves its layer as it is.
func (h *House) rereadChanged(ctx context.Context) error {
	for _, f := range h.feeds {
		drops, err := h.store.Misread(ctx, f.Name, f.fingerprint, f.spec.Full)
		if err != nil {
			return err
		}
		for _, d := range drops {
			r, err := h.understand(ctx, f, d)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				// The archive was emptied, or a backup restored without it. That must not keep the daemon from starting.
				h.tell(Event{
					Kind: EventTrouble, Seq: d.Seq, Feed: f.Name, Name: d.Name,
					Text: fmt.Sprintf("the feed's config has changed and this export can't be read again (%v); what it said before still counts. "+
						"Drop it once more", err),
				})
				continue
			}
			if r.State == store.DropRejected {
				h.tell(Event{
					Kind: EventTrouble, Seq: d.Seq, Feed: f.Name, Name: d.Name,
					Text: "with the new config this export can't be read any more; what it said before still counts. Compare its columns with the feed's",
				})
				continue
			}
			if err := h.commit(ctx, &r); err != nil {
				return err
			}
			h.tell(Event{
				Kind: EventRead, Seq: d.Seq, Feed: f.Name, Name: d.Name, Rows: r.Outcome.Rows, Records: r.Outcome.Records,
				Issues: issueCount(r.Outcome.Counts), Text: "read again: the feed's config has changed",
			})
		}
	}
	return nil
}
