package daemon

import (
	"context"
	"slices"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

// brakes puts into a question what the brake needs to hold rows back: its limits, what people decided, and the prices that promotions
// are held against.
func (h *House) brakes(ctx context.Context, t Target, q *shelf.Question) error {
	decided, err := h.store.Decided(ctx, t.String(), h.now())
	if err != nil {
		return err
	}
	q.Brake, q.Approved, q.Rejected = &h.brake, decided.Approved, decided.Rejected
	if q.Prices != nil {
		if q.Catalog, err = h.catalogOf(ctx, t); err != nil {
			return err
		}
	}
	q.Clock, err = h.clockWrong(ctx)
	return err
}

// catalogOf returns how the catalogue shelf stands that a target's promotions are priced by, nil where there is none.
func (h *House) catalogOf(ctx context.Context, t Target) (*shelf.CatalogShelf, error) {
	for _, vendor := range []string{t.Vendor, catalog.AllVendors} {
		name := Target{catalog.KindCatalog, vendor}.String()
		if !h.isTarget(name) {
			continue
		}
		var c shelf.CatalogShelf
		var err error
		if c.Sent, err = h.store.Sent(ctx, name); err != nil {
			return nil, err
		}
		if c.Unsettled, err = h.store.Unsettled(ctx, name); err != nil {
			return nil, err
		}
		decided, err := h.store.Decided(ctx, name, h.now())
		if err != nil {
			return nil, err
		}
		c.Approved, c.Rejected = decided.Approved, decided.Rejected
		open, err := h.store.OpenFindings(ctx)
		for _, f := range open {
			if f.Target == name && f.Code == catalog.BrakeFactor {
				c.Slip = f.Cause
			}
		}
		return &c, err
	}
	return nil, nil //nolint:nilnil // no catalogue is known, and says so by its absence
}

// stop returns what stands against sending anything at all to a target: nothing was ever sent to it, and the config wants somebody to
// look before that; or what waits could not leave for so long that its feed's max_age is over. Nil where it may leave.
func (h *House) stop(ctx context.Context, t Target, q shelf.Question, s shelf.Summary) ([]shelf.Finding, error) {
	if s.Rows == 0 {
		return nil, nil
	}
	decided, err := h.store.Decided(ctx, t.String(), h.now())
	if err != nil {
		return nil, err
	}
	if first, err := h.first(ctx, t, q, s, decided); first != nil || err != nil {
		return first, err
	}
	late, err := h.late(ctx, t)
	if err != nil || late.IsZero() || decided.Late {
		return nil, err
	}
	return []shelf.Finding{{
		Code: catalog.BrakeLate, Count: s.Rows, Of: s.Rows, Share: 1,
		Cause: shelf.Cause{Kind: shelf.CauseLate, Factor: late.UTC().Format(time.RFC3339)},
	}}, nil
}

// first returns that somebody has to look before the first files leave for a target, and nobody has: where the config wants that, and
// where what the brake held can't be compared with anything any more (see askFirst).
func (h *House) first(ctx context.Context, t Target, q shelf.Question, s shelf.Summary, decided store.Decisions) ([]shelf.Finding, error) {
	if decided.First || s.Rows == 0 {
		return nil, nil
	}
	ask, err := h.store.Fact(ctx, askFact+t.String())
	if err != nil || ask == "" && (!h.brake.FirstAsk || len(q.Sent) > 0) {
		return nil, err
	}
	return []shelf.Finding{{Code: catalog.BrakeFirst, Count: s.Rows, Of: s.Rows, Share: 1}}, nil
}

// late returns when the newest export of a target was read that has waited longer than its feed allows and never arrived, zero where
// there is none. An export that somebody has let pass because it was too old is not asked about twice.
func (h *House) late(ctx context.Context, t Target) (time.Time, error) {
	for _, f := range h.byPriority(t) {
		if f.MaxAge == 0 {
			continue
		}
		for _, scope := range t.scopes() {
			read, err := h.unsentSince(ctx, f.Name, scope, t)
			if err != nil {
				return time.Time{}, err
			}
			if read.IsZero() || h.now().Sub(read) <= time.Duration(f.MaxAge) {
				continue
			}
			approvals, err := h.store.Approvals(ctx, f.Name, scope, h.now())
			if err != nil || !approved(approvals, catalog.DropStale, 0) {
				return read, err
			}
		}
	}
	return time.Time{}, nil
}

// unsentSince returns when the newest export of a layer was read, where nothing of it has arrived for a target yet; zero where it has, or
// there is nothing to send. What a plan has looked at and left waiting, for the end of another promotion or for a price below, did not
// stay for want of a way out.
func (h *House) unsentSince(ctx context.Context, feed, scope string, t Target) (time.Time, error) {
	files, err := h.stands(ctx, feed, scope)
	if err != nil || len(files) == 0 {
		return time.Time{}, err
	}
	seq := files[len(files)-1].Seq
	effects, err := h.store.Effects(ctx, seq)
	if err != nil {
		return time.Time{}, err
	}
	d, _, err := h.store.Drop(ctx, seq)
	if err != nil {
		return time.Time{}, err
	}
	for _, e := range effects {
		if e.Target == t.String() && (e.State == store.EffectPlanned || e.State == store.EffectWaiting && !e.At.After(d.ReadAt)) {
			return d.ReadAt, nil
		}
	}
	return time.Time{}, nil
}

// expectRows returns what the brake will have against rows of the new layer files of a feed in each of their targets, if nothing else
// comes: what the receipt of their drop says until the slot, and as long as nobody has decided on it.
func (h *House) expectRows(ctx context.Context, seq int64, layers []store.LayerFile) ([][][]catalog.Issue, error) {
	all := make([][][]shelf.Finding, len(layers))
	byScope := map[string][]shelf.Finding{}
	for i, l := range layers {
		for _, t := range h.targetsOf(l.Feed, l.Scope) {
			findings, err := h.expectFindings(ctx, l, t)
			if err != nil {
				return nil, err
			}
			all[i] = append(all[i], findings)
			byScope[l.Scope] = append(byScope[l.Scope], findings...)
		}
	}
	if len(layers) == 0 {
		return nil, nil
	}
	if err := h.findLines(ctx, seq, layers[0].Feed, byScope); err != nil {
		return nil, err
	}
	issues := make([][][]catalog.Issue, len(layers))
	for i, targets := range all {
		for _, findings := range targets {
			var one []catalog.Issue
			for _, f := range findings {
				one = append(one, f.Issue())
			}
			issues[i] = append(issues[i], one)
		}
	}
	return issues, nil
}

// expectFindings is expectRows for one target.
func (h *House) expectFindings(ctx context.Context, l store.LayerFile, t Target) ([]shelf.Finding, error) {
	q, err := h.question(ctx, store.Target{Target: t.String(), Parts: 1}, h.together(l))
	if err != nil {
		return nil, err
	}
	if len(q.Sent) == 0 && !h.brake.FirstAsk && t.Kind == catalog.KindCatalog {
		return nil, nil // nothing to compare with
	}
	q.Of = []shelf.Digest{l.Digest}
	s, err := h.files.Diff(q)
	if err != nil {
		return nil, err
	}
	// That something waits too long is not said of it: it has only come.
	decided, err := h.store.Decided(ctx, t.String(), h.now())
	if err != nil {
		return nil, err
	}
	first, err := h.first(ctx, t, q, s, decided)
	return append(first, s.Findings...), err
}

// asCustomersSee puts on top of what is wanted without and with a new layer file what the brake has left of the prices: an export that
// comes after one with a slip would else look as if it undid what nobody has seen.
func (h *House) asCustomersSee(ctx context.Context, t Target, before, after []shelf.Digest, l store.LayerFile) ([]shelf.Digest, []shelf.Digest, error) {
	open, err := h.store.OpenFindings(ctx)
	if err != nil {
		return nil, nil, err
	}
	var held []shelf.Digest
	for _, f := range open {
		if f.Target == t.String() && f.Rows != "" {
			held = append(held, f.Rows)
		}
	}
	decided, err := h.store.Decided(ctx, t.String(), h.now())
	if err != nil {
		return nil, nil, err
	}
	if held = append(held, decided.Rejected...); len(held) == 0 {
		return before, after, nil
	}
	sent, err := h.store.Sent(ctx, t.String())
	if err != nil {
		return nil, nil, err
	}
	was, is, err := h.files.Standing(held, sent, l.Digest)
	for _, top := range []struct {
		file  shelf.Digest
		stack *[]shelf.Digest
	}{{was, &before}, {is, &after}} {
		if top.file != "" {
			*top.stack = append(slices.Clip(*top.stack), top.file)
		}
	}
	return before, after, err
}

// findLines looks up the lines of the articles that findings name, by the scope that they are in, for whoever is to look at them in the
// export: it is read once more for all of them, of however many stores. Promotions know theirs.
func (h *House) findLines(ctx context.Context, seq int64, feed string, findings map[string][]shelf.Finding) error {
	keys := map[string]map[string]bool{}
	for scope, all := range findings {
		for _, f := range all {
			for _, m := range f.Worst {
				if m.Line == 0 && keys[scope] == nil {
					keys[scope] = map[string]bool{}
				}
				if m.Line == 0 {
					keys[scope][m.Key] = true
				}
			}
		}
	}
	f, ok := h.feed(feed)
	if len(keys) == 0 || !ok {
		return nil
	}
	lines, err := h.rowsOf(ctx, seq, f, keys)
	for scope, all := range findings {
		for _, f := range all {
			for i, m := range f.Worst {
				if m.Line == 0 {
					f.Worst[i].Line = lines[scope][m.Key]
				}
			}
		}
	}
	return err
}

// tellHeldRows tells of rows that the brake holds and did not hold, or not as many of, before.
func (h *House) tellHeldRows(t Target, before []store.Finding, now []shelf.Finding) {
	for _, f := range now {
		if slices.ContainsFunc(before, func(old store.Finding) bool {
			return old.Target == t.String() && old.Code == f.Code && old.Count == f.Count && old.Rows == f.Rows
		}) {
			continue
		}
		h.tell(Event{Kind: EventRowsHeld, Vendor: t.Vendor, Shelf: t.Kind, Rows: f.Count, Text: findingText([]catalog.Issue{f.Issue()})})
	}
}
