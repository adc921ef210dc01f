package daemon

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"gondola/internal/catalog"
	"gondola/internal/platform"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

// causes finds the rows of exports that rows which the platform did not take come from, and fills them in. What can't be found, because an
// admin asked for it or the export is not there any more, stays without.
func (h *House) causes(ctx context.Context, t Target, all []store.Feedback) error {
	open := map[string][]int{} // by key, where in all
	for i, f := range all {
		if f.Key != "" {
			open[f.Key] = append(open[f.Key], i)
		}
	}
	for _, scope := range slices.Backward(t.scopes()) {
		for _, f := range slices.Backward(h.byPriority(t)) {
			files, err := h.stands(ctx, f.Name, scope)
			if err != nil {
				return err
			}
			for _, l := range slices.Backward(files) {
				if len(open) == 0 {
					return nil
				}
				if err := h.causedBy(ctx, f, l, all, open); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// moveFeedback finds the rows anew that feedback about a target is shown with: a newer export that says the same is the one that somebody
// reads the answer of. It does nothing where no export has come since the last time.
func (h *House) moveFeedback(ctx context.Context, t Target, upto int64) error {
	if h.attributed[t.String()] == upto {
		return nil
	}
	all, err := h.store.FeedbackOf(ctx, t.String())
	if err != nil {
		return err
	}
	before := slices.Clone(all)
	if err := h.causes(ctx, t, all); err != nil {
		return err
	}
	var moved []store.Feedback
	for i, f := range all {
		if f != before[i] {
			moved = append(moved, f)
		}
	}
	if err := h.store.FeedbackMoved(ctx, moved); err != nil {
		return err
	}
	h.attributed[t.String()] = upto
	return nil
}

// causedBy looks for open keys in one file of a layer, and takes those that it has out of them: what lies below says nothing of them.
func (h *House) causedBy(ctx context.Context, f feedSetup, l store.LayerFile, all []store.Feedback, open map[string][]int) error {
	found := map[string]int{} // the lines, 0 where the file does not tell
	for r, err := range records(h.files, l.Digest, func(r shelf.Record) shelf.Record { return r }) {
		if err != nil {
			return err
		}
		if open[r.Key] != nil {
			found[r.Key] = r.Line
		}
	}
	if len(found) == 0 {
		return nil
	}
	for key := range found {
		// Known already, from the last look.
		if i := open[key][0]; all[i].Seq == l.Seq && all[i].Line > 0 {
			delete(open, key)
			delete(found, key)
		}
	}
	candidates := []int64{l.Seq}
	earlier, err := h.store.StoodBefore(ctx, f.Name, l.Scope, h.now())
	if err != nil {
		return err
	}
	for _, e := range earlier {
		if e.Seq < l.Seq && !slices.Contains(candidates, e.Seq) && len(candidates) < longestSearch {
			candidates = append(candidates, e.Seq)
		}
	}
	for _, seq := range candidates {
		left := slices.DeleteFunc(slices.Collect(maps.Keys(found)), func(key string) bool { return open[key] == nil })
		if len(left) == 0 {
			break
		}
		if err := h.rowsBehind(ctx, f, seq, l, found, left, all, open); err != nil {
			return err
		}
	}
	for key := range found {
		delete(open, key)
	}
	return nil
}

// rowsBehind looks for the rows of some keys in one export, and fills in what it finds.
func (h *House) rowsBehind(ctx context.Context, f feedSetup, seq int64, l store.LayerFile, found map[string]int, keys []string,
	all []store.Feedback, open map[string][]int,
) error {
	d, ok, err := h.store.Drop(ctx, seq)
	if err != nil || !ok || d.Feed != f.Name || d.Archived == "" {
		return err // a rollback has no rows, and one that was purged shows none
	}
	items := map[string]bool{}
	for _, key := range keys {
		if found[key] == 0 || seq != l.Seq {
			items[shelf.ItemKey(key)] = true
		}
	}
	var lines map[string]map[string]int
	if len(items) > 0 {
		lines, err = h.rowsOf(ctx, seq, f, map[string]map[string]bool{l.Scope: items})
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	for _, key := range keys {
		line := found[key]
		if line == 0 || seq != l.Seq {
			line = lines[l.Scope][shelf.ItemKey(key)]
		}
		if line == 0 {
			continue
		}
		for _, i := range open[key] {
			all[i].Seq, all[i].Sheet, all[i].Line = seq, d.Outcome.Sheet, line
		}
		delete(open, key)
	}
	return nil
}

// issuesOf returns what is wrong with a drop: what was found when it was read, and what the platform did not take of it.
func (h *House) issuesOf(ctx context.Context, d store.Drop) ([]catalog.Issue, error) {
	feedback, err := h.store.FeedbackOn(ctx, d.Seq)
	if err != nil || len(feedback) == 0 {
		return d.Outcome.Issues, err
	}
	all := slices.Clone(d.Outcome.Issues)
	at := map[[3]string]int{}
	for _, f := range feedback {
		is := h.feedbackIssue(d, f)
		key := [3]string{f.Key, f.Reason, f.Sheet}
		if i, told := at[key]; told {
			// The same row, in another store.
			if stores := &all[i].Args[2]; !slices.Contains(strings.Split(*stores, ", "), is.Args[2]) {
				*stores += ", " + is.Args[2]
			}
			continue
		}
		at[key] = len(all)
		all = append(all, is)
	}
	return all, nil
}

// feedbackIssue is a row that the platform did not take, as an issue with its export.
func (h *House) feedbackIssue(d store.Drop, f store.Feedback) catalog.Issue {
	return catalog.Issue{
		Code: catalog.PlatformRow, Severity: catalog.Error, Sheet: f.Sheet, Row: f.Line, Column: columnBlamed(d.Outcome, f.Reason),
		Args: []string{f.SKU, f.Reason, h.nameFor(f.Vendor)},
	}
}

// columnBlamed returns the header of the column that the platform's words are about, "" where they name none: it says what it refuses by
// the name of the field [partner].
func columnBlamed(o store.Outcome, reason string) string {
	field, _, _ := strings.Cut(strings.ToLower(reason), ":")
	roles := []string{strings.TrimSpace(field)}
	switch reason {
	case platform.ReasonMissing:
		roles = []string{"sku"}
	case platform.ReasonDiscounted:
		roles = []string{"discounted_price", "discount_percent", "offer"}
	}
	for _, role := range roles {
		for _, c := range o.Columns {
			if c.Role == role {
				return c.Header
			}
		}
	}
	return ""
}

// notTaken counts the rows of a drop that the platform did not take in a target.
func notTaken(feedback []store.Feedback, target string) (n int) {
	keys := map[string]bool{}
	for _, f := range feedback {
		if f.Target == target {
			keys[f.Key] = true
		}
	}
	return len(keys)
}
