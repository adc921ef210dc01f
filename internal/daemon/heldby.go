package daemon

import (
	"context"
	"slices"

	"gondola/internal/catalog"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

// heldByDrop returns what a plan's findings about rows are of each drop that counts: whose rows they are shows only now, for what else
// is wanted and was sent may have changed since a drop was read.
func (h drafter) heldByDrop(ctx context.Context, t Target, q shelf.Question, findings []shelf.Finding) (map[int64][]catalog.Issue, error) {
	if len(findings) == 0 {
		return nil, nil
	}
	keys := map[string]bool{}
	for _, f := range findings {
		for key, err := range records(h.files, f.Rows, func(r shelf.Record) string { return r.Key }) {
			if err != nil {
				return nil, err
			}
			keys[key] = true
		}
	}
	held := map[int64][]catalog.Issue{}
	for _, scope := range t.scopes() {
		for _, f := range h.byPriority(t) {
			files, err := h.stands(ctx, f.Name, scope)
			if err != nil {
				return nil, err
			}
			for _, l := range files {
				issues, err := h.heldOfFile(ctx, t, q, l, keys, findings)
				if err != nil {
					return nil, err
				}
				if len(issues) > 0 {
					held[l.Seq] = append(held[l.Seq], issues...)
				}
			}
		}
	}
	return held, nil
}

// heldOfFile is heldByDrop for one layer file. keys are those of all rows that are held.
func (h *House) heldOfFile(ctx context.Context, t Target, q shelf.Question, l store.LayerFile, keys map[string]bool, findings []shelf.Finding,
) ([]catalog.Issue, error) {
	some := false
	for key, err := range records(h.files, l.Digest, func(r shelf.Record) string { return r.Key }) {
		if err != nil {
			return nil, err
		}
		if some = keys[key]; some {
			break
		}
	}
	if !some {
		return nil, nil
	}
	q.Of = []shelf.Digest{l.Digest}
	s, err := h.files.Diff(q)
	if err != nil {
		return nil, err
	}
	effects, err := h.store.Effects(ctx, l.Seq)
	if err != nil {
		return nil, err
	}
	var told []catalog.Issue // with the lines of the export
	for _, e := range effects {
		if e.Target == t.String() {
			told = e.Held
		}
	}
	same := func(f shelf.Finding) int {
		is := f.Issue()
		return slices.IndexFunc(told, func(old catalog.Issue) bool { return old.Code == is.Code && old.Args[0] == is.Args[0] })
	}
	for i, f := range s.Findings {
		if !slices.ContainsFunc(findings, func(all shelf.Finding) bool { return all.Code == f.Code }) {
			s.Findings[i].Code = findings[0].Code // too few rows of this export alone to show what they have in common with others
		}
	}
	if slices.ContainsFunc(s.Findings, func(f shelf.Finding) bool { return same(f) < 0 }) {
		if err := h.findLines(ctx, l.Seq, l.Feed, map[string][]shelf.Finding{l.Scope: s.Findings}); err != nil {
			h.log.Debug("find the lines of what is held", "drop", l.Seq, "error", err) // the export is not there any more
		}
	}
	var issues []catalog.Issue
	for _, f := range s.Findings {
		if i := same(f); i >= 0 {
			issues = append(issues, told[i])
		} else {
			issues = append(issues, f.Issue())
		}
	}
	return issues, nil
}
