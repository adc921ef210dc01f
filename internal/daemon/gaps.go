package daemon

import (
	"context"
	"errors"
	"time"

	"gondola/internal/order"
	"gondola/internal/store"
)

const (
	// gapReach is how far back gaps are looked for at most.
	gapReach = 7 * 24 * time.Hour
	// gapRetry is when the platform is asked again about a gap, and gapChecks how often at most.
	gapRetry  = 15 * time.Minute
	gapChecks = 3
)

// Facts about gaps.
const (
	gapsFact    = "gaps looked for" // up to when
	webhookFact = "webhook since"   // since when events are listened to
)

// lookForGaps finds orders of which events and answers tell different things, and asks the platform about those that an answer can repair.
func (h *House) lookForGaps(ctx context.Context) error {
	told, err := h.webhookSince(ctx)
	if err != nil {
		return err
	}
	polls, err := h.store.Polls(ctx)
	if err != nil {
		return err
	}
	now := h.now()
	since, err := h.gapsSince(ctx, polls)
	if err != nil {
		return err
	}
	var found []store.OrderGap
	err = h.store.ToldSince(ctx, since, func(t store.Told) error {
		for _, g := range order.Gaps(t.Sightings, order.GapRules{Now: now, Told: told, Listed: polls[t.Vendor].Done}) {
			one := store.OrderGap{Gap: g, Key: t.Key, Found: now}
			if g.Kind == order.GapNotTold { // the answer that showed the gap has repaired it
				one.Outcome, one.Ended = store.GapRepaired, g.Seen
			}
			found = append(found, one)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := h.store.AddGaps(ctx, found); err != nil {
		return err
	}
	if err := h.store.SetFact(ctx, gapsFact, now.UTC().Format(time.RFC3339)); err != nil {
		return err
	}
	return h.checkGaps(ctx)
}

// gapsSince returns since when orders must have changed to be looked at: a gap shows itself only after Grace, and after the store was
// asked for.
func (h *House) gapsSince(ctx context.Context, polls map[string]store.Poll) (time.Time, error) {
	now := h.now()
	since := now
	text, err := h.store.Fact(ctx, gapsFact)
	if err != nil {
		return since, err
	}
	if last, err := time.Parse(time.RFC3339, text); err != nil {
		since = now.Add(-gapReach)
	} else if last.Before(since) {
		since = last
	}
	for _, v := range h.vendors {
		if done := polls[v.ID].Done; done.Before(since) {
			since = done
		}
	}
	since = since.Add(-order.Grace - 2*askRound - time.Duration(h.cfg.Orders.Poll.Every))
	if oldest := now.Add(-gapReach); since.Before(oldest) {
		since = oldest
	}
	return since, nil
}

// checkGaps asks the platform about gaps.
func (h *House) checkGaps(ctx context.Context) error {
	open, err := h.store.GapsToCheck(ctx, h.now(), h.askBudget())
	if err != nil {
		return err
	}
	var errs []error
	for _, g := range open {
		if err := h.checkGap(ctx, g); err != nil {
			errs = append(errs, err)
			if !isRefusal(err) {
				break
			}
		}
	}
	return errors.Join(errs...)
}

// checkGap asks the platform about the order of a gap.
func (h *House) checkGap(ctx context.Context, g store.OrderGap) error {
	known, err := h.askOrder(ctx, g.ID)
	if err != nil && !isRefusal(err) {
		return err
	}
	now := h.now()
	g.Checked++
	g.Next, g.Outcome, g.Ended = now.Add(gapRetry), store.GapOpen, time.Time{}
	stored, _, readErr := h.store.Order(ctx, g.ID)
	if readErr != nil {
		return readErr
	}
	last := g.Checked >= gapChecks
	switch {
	case err != nil: // asked again, as long as it is worth it
	case known && g.Kind == order.GapNotListed:
		g.Outcome, g.Ended = store.GapRepaired, now
	case known && !stillOpen(stored.Sightings, g.Gap):
		// It was never one: the platform says what its event said, and had only not been asked since.
		return h.store.DropGap(ctx, g)
	case known && last:
		g.Outcome, g.Ended = store.GapConfirmed, now
	case !known && last:
		g.Outcome, g.Ended = store.GapGone, now
	}
	if last && g.Ended.IsZero() {
		g.Outcome, g.Ended = store.GapConfirmed, now
	}
	return errors.Join(err, h.store.SetGap(ctx, g))
}

// stillOpen reports whether a gap is one by what is known now.
func stillOpen(all []order.Sighting, g order.Gap) bool {
	at := time.Unix(1<<40, 0)
	for _, now := range order.Gaps(all, order.GapRules{Now: at, Listed: at}) {
		if now.Kind == g.Kind && now.State == g.State {
			return true
		}
	}
	return false
}

// webhookSince returns since when events are listened to, zero where they are not. A listener that was off in between missed events
// that nobody sent to it.
func (h *House) webhookSince(ctx context.Context) (time.Time, error) {
	text, err := h.store.Fact(ctx, webhookFact)
	if err != nil {
		return time.Time{}, err
	}
	listens := h.cfg.Orders.Webhook.Listen != ""
	at, parseErr := time.Parse(time.RFC3339, text)
	switch {
	case !listens && text != "":
		return time.Time{}, h.store.SetFact(ctx, webhookFact, "")
	case listens && parseErr != nil:
		at = h.now()
		return at, h.store.SetFact(ctx, webhookFact, at.UTC().Format(time.RFC3339))
	case !listens:
		return time.Time{}, nil
	}
	return at, nil
}

// Gap is an order of which events and answers tell different things.
type Gap struct {
	Kind    string    `json:"kind"` // not-told, not-listed, differs
	ID      string    `json:"order_id"`
	Code    string    `json:"order_code,omitempty"`
	Vendor  string    `json:"vendor"`
	State   string    `json:"state"`       // that one side does not have
	Now     string    `json:"order_state"` // where the order stands
	Seen    time.Time `json:"seen_at"`     // when the other side had it
	Found   time.Time `json:"found_at"`
	Checked int       `json:"asked"`             // how often the platform was asked because of it
	Outcome string    `json:"outcome,omitempty"` // repaired, confirmed, gone; "" = not known yet
	Ended   time.Time `json:"ended_at,omitzero"`
}

// Gaps lists gaps that were found since a time, the newest first, at most so many. What was not asked about yet is no gap yet.
func (h *House) Gaps(ctx context.Context, since time.Time, limit int) ([]Gap, error) {
	rows, err := h.store.GapsSince(ctx, since, limit)
	if err != nil {
		return nil, err
	}
	all := []Gap{}
	for _, g := range rows {
		if g.Checked == 0 && g.Ended.IsZero() {
			continue
		}
		all = append(all, Gap{
			Kind: string(g.Kind), ID: g.ID, Code: g.Code, Vendor: g.Vendor, State: string(g.State), Now: string(g.Now), Seen: g.Seen,
			Found: g.Found, Checked: g.Checked, Outcome: string(g.Outcome), Ended: g.Ended,
		})
	}
	return all, nil
}
