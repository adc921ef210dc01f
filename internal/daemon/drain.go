package daemon

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gondola/internal/inbox"
	"gondola/internal/order"
	"gondola/internal/platform"
	"gondola/internal/store"
)

// Why events are put aside, beside inbox.ReasonFailed.
const (
	asideMalformed = "malformed" // it is no event
	asideForeign   = "foreign"   // it is about another chain
)

// judgedFact is by what events were last judged: another program, or another chain in the config, may understand what was put aside.
const judgedFact = "events judged by"

// drainInbox hands on the events that came. It is a loop of the daemon.
func (h *House) drainInbox(ctx context.Context) error {
	if !h.rejudged {
		if err := h.judgeAgain(ctx); err != nil {
			return err
		}
		h.rejudged = true
	}
	d := inbox.Drain{Queue: h.store, Handle: h.handleEvents, Log: h.log.With("component", "inbox"), Now: h.now}
	if h.webhook != nil {
		d.Came = h.webhook.Came
	}
	if err := d.Flush(ctx); err != nil {
		return err
	}
	var err error
	h.eventsNext, err = h.store.NextEvent(ctx, h.now())
	return err
}

// judgeAgain gives events that were put aside another chance where they are judged by something else now.
func (h *House) judgeAgain(ctx context.Context) error {
	by := h.opts.Version + " " + h.cfg.Chain.ID
	was, err := h.store.Fact(ctx, judgedFact)
	if err != nil || was == by {
		return err
	}
	if was != "" {
		if _, err := h.store.RetryEvents(ctx, nil); err != nil {
			return err
		}
	}
	return h.store.SetFact(ctx, judgedFact, by)
}

// handleEvents handles events of the inbox: orders are merged, all of them in one transaction, jobs go to whoever waits for them.
func (h *House) handleEvents(ctx context.Context, events []inbox.Event) error {
	var seen []order.Seen
	for _, e := range events {
		parsed, err := platform.ParseEvent(e.Body)
		if err != nil {
			return &inbox.Aside{Reason: asideMalformed, Err: err}
		}
		if parsed.Order != nil {
			// [assumed] client.chain_id is the chain's id as the config has it. Where it is not, an alarm says so, and nothing is lost.
			if c := parsed.Order.Chain; c != "" && !strings.EqualFold(c, h.cfg.Chain.ID) {
				return &inbox.Aside{Reason: asideForeign, Err: fmt.Errorf("it is of chain %.40q; chain.id is another one", c)}
			}
			seen = append(seen, order.Seen{Order: *parsed.Order, By: order.ByWebhook, At: e.At, Event: e.ID})
			continue
		}
		ready, err := h.ExportReady(ctx, *parsed.Job)
		if err == nil && !ready {
			err = h.jobEvent(ctx, *parsed.Job)
		}
		if err != nil {
			return err
		}
		if err := h.store.EventHandled(ctx, e.ID, string(parsed.Kind), h.now()); err != nil {
			return err
		}
	}
	if len(seen) == 0 {
		return nil
	}
	err := h.store.MergeOrders(ctx, seen, nil)
	if errors.Is(err, store.ErrNoOrderID) {
		return &inbox.Aside{Reason: asideMalformed, Err: err}
	}
	return err
}

// AsideEvents lists the newest events that could not be handled, without what they said.
func (h *House) AsideEvents(ctx context.Context, most int) ([]store.AsideEvent, error) {
	return h.store.AsideEvents(ctx, most)
}

// RetryEvents has events that were put aside handled once more, and returns how many.
func (h *House) RetryEvents(ctx context.Context) (int64, error) { return h.store.RetryEvents(ctx, nil) }
