package daemon

import (
	"context"
	"maps"
	"slices"
	"time"

	"gondola/internal/alert"
	"gondola/internal/store"
)

const (
	// silentAfter is how long the platform must have told nothing that it should have, and silentOrders how many orders it may be until
	// then: one event can get lost.
	silentAfter  = time.Hour
	silentOrders = 3
	// silentReach is how far back that is looked at: a store that sells little may have been closed since.
	silentReach = 24 * time.Hour
	// asideFor is how long an alarm speaks of events that were put aside, unless somebody has them handled.
	asideFor = 7 * 24 * time.Hour
)

// incomingProblems finds what keeps orders from coming in.
func (h *House) incomingProblems(ctx context.Context, l *problemList) error {
	aside, err := h.store.AsideSince(ctx, h.now().Add(-asideFor))
	if err != nil {
		return err
	}
	for _, reason := range slices.Sorted(maps.Keys(aside)) {
		l.add(alert.Problem{Key: "aside/" + reason, Kind: alert.Aside, Detail: reason}, int64(aside[reason]), l.say.SayOr("aside."+reason, reason))
	}
	if _, asks := OrderSweep(h.cfg); !asks {
		return nil
	}
	polls, err := h.store.Polls(ctx)
	if err != nil {
		return err
	}
	h.pollProblems(l, polls)
	if h.cfg.Orders.Webhook.Listen == "" {
		return nil
	}
	n, since, err := h.silence(ctx)
	if err == nil && n > 0 {
		l.add(alert.Problem{Key: "silent", Kind: alert.Silent}, int64(n), since.Format(time.RFC3339))
	}
	return err
}

// pollProblems finds stores whose orders can't be asked for. Where it is all of them it is one problem.
func (h *House) pollProblems(l *problemList, polls map[string]store.Poll) {
	var failing []store.Poll
	for _, v := range h.vendors {
		if p := polls[v.ID]; p.Failures > 0 {
			failing = append(failing, p)
		}
	}
	if len(failing) == 0 {
		return
	}
	same := !slices.ContainsFunc(failing, func(p store.Poll) bool { return p.Error != failing[0].Error })
	if len(failing) > 1 && (same || len(failing) == len(h.vendors)) {
		l.add(alert.Problem{Key: "poll", Kind: alert.Poll, Detail: failing[0].Error}, l.say.SayOr("store.all", ""))
		return
	}
	for _, p := range failing {
		l.add(alert.Problem{Key: "poll/" + p.Vendor, Kind: alert.Poll, Store: p.Vendor, Detail: p.Error}, h.storeName(l.say, p.Vendor))
	}
}

// silence returns how many orders came by asking that an event should have told of, since the last event; 0 where that is none, or too
// few to mean anything yet.
func (h *House) silence(ctx context.Context) (n int, since time.Time, err error) {
	in, err := h.store.Inbox(ctx)
	if err != nil {
		return 0, since, err
	}
	after := h.now().Add(-silentReach)
	for _, at := range []time.Time{in.Accepted.Last, in.Repeats.Last} {
		if at.After(after) {
			after = at
		}
	}
	n, since, err = h.store.Untold(ctx, after)
	if n < silentOrders && h.now().Sub(since) < silentAfter {
		n = 0
	}
	return n, since, err
}

// Incoming is how orders come.
type Incoming struct {
	Listens bool             `json:"listens"` // for webhooks
	Webhook store.InboxState `json:"webhook"`
	Asks    bool             `json:"asks"` // the platform for orders
	Stores  int              `json:"stores,omitempty"`
	Failing int              `json:"failing_stores,omitempty"` // that could not be asked for the last time
	Oldest  time.Time        `json:"oldest,omitzero"`          // when the store that waits longest was asked for; zero = one never was
}

// incoming returns how orders come, nil where they don't.
func (h *House) incoming(ctx context.Context) (*Incoming, error) {
	in := Incoming{Listens: h.cfg.Orders.Webhook.Listen != ""}
	_, in.Asks = OrderSweep(h.cfg)
	if !in.Listens && !in.Asks {
		return nil, nil
	}
	var err error
	if in.Webhook, err = h.store.Inbox(ctx); err != nil {
		return nil, err
	}
	if in.Asks {
		polls, err := h.store.Polls(ctx)
		if err != nil {
			return nil, err
		}
		in.Stores = len(h.vendors)
		in.Oldest, in.Failing = h.pollAge(polls)
	}
	return &in, nil
}

// pollAge returns when the store that waits longest was last asked for, and how many could not be the last time.
func (h *House) pollAge(polls map[string]store.Poll) (oldest time.Time, failing int) {
	for i, v := range h.vendors {
		p := polls[v.ID]
		if p.Failures > 0 {
			failing++
		}
		if i == 0 || p.Done.Before(oldest) {
			oldest = p.Done
		}
	}
	return oldest, failing
}
