package daemon

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"gondola/internal/inbox"
	"gondola/internal/order"
	"gondola/internal/platform"
	"gondola/internal/store"
)

const (
	// askRound is how often orders are asked for alone, and the look for gaps is taken.
	askRound = 30 * time.Second
	// pollRest is how long nothing is asked for after the platform could not answer at all.
	pollRest = time.Minute
	// mergeBatch is how many orders are merged in one transaction: events wait for it.
	mergeBatch = 50
	// otherPageSize is the size of pages when a list of several is read once more. What moves from page to page while a list is read is
	// missed on a border; this one has its borders elsewhere.
	otherPageSize = 487
)

// poller is what the loop of polling remembers between two looks. What must not be forgotten is in rows.
type poller struct {
	rest  time.Time // nothing is asked for before
	asked time.Time // when orders were last asked for alone
	next  time.Time // when there is something to ask, zero where nothing is asked for
	past  bool      // windows end now: the platform refused one that ends in the future
	told  string    // what was last told of the platform not answering
}

// poll is pollDue as a loop of the daemon. What the platform can't answer is in the rows of the stores, and no trouble of the loop.
func (h *House) poll(ctx context.Context) error {
	err := h.pollDue(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	text := ""
	if _, theirs := errors.AsType[*askError](err); theirs {
		text, err = err.Error(), nil
	}
	if text != "" && text != h.polled.told {
		h.tell(Event{Kind: EventTrouble, Text: "orders can't be asked for: " + text + "; they are asked for again"})
	}
	if err == nil {
		h.polled.told = text
	}
	return err
}

// pollDue asks the platform for orders: for those of each store whose time has come, then for single ones.
func (h *House) pollDue(ctx context.Context) error {
	if _, on := OrderSweep(h.cfg); !on {
		return nil
	}
	now := h.now()
	if now.Before(h.polled.rest) && h.polled.rest.Sub(now) <= pollRest {
		h.polled.next = h.polled.rest
		return nil
	}
	next, err := h.pollStores(ctx)
	if err == nil && (now.Sub(h.polled.asked) >= askRound || now.Before(h.polled.asked)) {
		h.polled.asked = now
		err = errors.Join(h.askOrders(ctx), h.lookForGaps(ctx))
	}
	h.polled.next = earlier(next, h.polled.asked.Add(askRound))
	if _, theirs := errors.AsType[*askError](err); theirs && !isRefusal(err) {
		h.polled.rest = h.now().Add(pollRest)
		h.polled.next = h.polled.rest
	}
	return err
}

// takeOrders takes what came and asks for what did not, once. What the platform can't answer is the platform's trouble.
func (h *House) takeOrders(ctx context.Context, out *Outcome) error {
	err := h.pollDue(ctx)
	if _, theirs := errors.AsType[*askError](err); theirs {
		out.Remote, err = cmp.Or(out.Remote, err.Error()), nil
	}
	return errors.Join(err, h.drainInbox(ctx))
}

// askError is an error of the platform, or of the way to it, and none of ours.
type askError struct{ err error }

// Error implements error.
func (e *askError) Error() string { return e.err.Error() }

// Unwrap implements errors.Unwrap.
func (e *askError) Unwrap() error { return e.err }

// isRefusal reports whether the platform refused one question. Any other error would meet the next question, too.
func isRefusal(err error) bool {
	e, isAnswer := errors.AsType[*platform.APIError](err)
	return isAnswer && !e.Temporary() && e.Status != http.StatusUnauthorized
}

// pollStores asks for the orders of the stores whose time has come. A store that the platform refuses keeps no other from its turn. It
// returns when the time of the next one comes.
func (h *House) pollStores(ctx context.Context) (next time.Time, err error) {
	polls, err := h.store.Polls(ctx)
	if err != nil {
		return next, err
	}
	every := time.Duration(h.cfg.Orders.Poll.Every)
	var errs []error
	for _, v := range h.vendors {
		p, now := polls[v.ID], h.now()
		p.Vendor = v.ID
		if age := now.Sub(p.Tried); age >= 0 && age < every {
			next = earlier(next, p.Tried.Add(every))
			continue
		}
		err := h.pollStore(ctx, v.ID)
		if ctx.Err() != nil {
			return next, ctx.Err()
		}
		next = earlier(next, now.Add(every))
		p.Tried = now
		if err != nil {
			p.Failures, p.Error = p.Failures+1, err.Error()
			errs = append(errs, err)
		} else {
			p.Failures, p.Error, p.Done = 0, "", now
		}
		if err := h.store.SetPoll(ctx, p); err != nil {
			return next, errors.Join(append(errs, err)...)
		}
		if err != nil && !isRefusal(err) {
			break
		}
	}
	return next, errors.Join(errs...)
}

// pollStore reads the orders of a store since the last time, all pages of them, and only then moves its mark.
func (h *House) pollStore(ctx context.Context, vendor string) error {
	api, err := h.client()
	if err != nil {
		return err
	}
	mark, err := h.store.OrderMark(ctx, vendor)
	if err != nil {
		return err
	}
	now := h.now()
	q := platform.OrderQuery{Vendor: vendor}
	q.From, q.To = order.Window(mark, now, time.Duration(h.cfg.Orders.Poll.Overlap))
	if h.polled.past {
		q.To = now
	}
	next := order.NextMark(mark, now, nil)
	last, pages, err := h.readOrders(ctx, api, q, now, &next)
	if e, ok := errors.AsType[*platform.APIError](err); ok && e.Status == http.StatusBadRequest && !h.polled.past {
		// [unknown] whether a window may end in the future. One that ends now finds the same, a platform with a slow clock aside.
		h.polled.past = true
		q.To = now
		last, pages, err = h.readOrders(ctx, api, q, now, &next)
	}
	if err == nil && pages > 1 {
		var more []order.Seen
		q.PageSize = otherPageSize
		more, _, err = h.readOrders(ctx, api, q, now, &next)
		last = append(last, more...)
	}
	if err != nil {
		return err
	}
	return h.mergePolled(ctx, last, &store.Watermark{Vendor: vendor, Upto: next})
}

// readOrders reads a window wholly and merges what is in it, but for a last part that it returns. It raises the mark to the newest order.
func (h *House) readOrders(ctx context.Context, api *platform.Client, q platform.OrderQuery, now time.Time, mark *time.Time) (
	last []order.Seen, pages int, err error,
) {
	var ours error
	err = api.AllOrders(ctx, q, func(p platform.OrderPage) (err error) {
		defer func() { ours = err }()
		pages++
		*mark = order.NextMark(*mark, now, p.Orders)
		if err := h.keepUnread(ctx, p.Unread); err != nil {
			return err
		}
		for _, o := range p.Orders {
			last = append(last, order.Seen{Order: h.ofVendor(o, q.Vendor), By: order.ByPoll, At: now})
			if len(last) == mergeBatch {
				if err := h.mergePolled(ctx, last, nil); err != nil {
					return err
				}
				last = nil
			}
		}
		return nil
	})
	if err != nil && ours == nil && ctx.Err() == nil {
		err = &askError{err}
	}
	return last, pages, err
}

// ofVendor gives an order the store that it was asked for with, where the platform's own name for the store is none of the config.
func (h *House) ofVendor(o platform.Order, vendor string) platform.Order {
	for _, v := range h.vendors {
		if strings.EqualFold(v.ID, o.Vendor) || strings.EqualFold(v.ID, o.Partner) {
			return o
		}
	}
	o.Vendor = vendor
	return o
}

// keepUnread keeps what stands among orders and is none, as an event that can't be understood is kept.
func (h *House) keepUnread(ctx context.Context, all []json.RawMessage) error {
	if len(all) == 0 {
		return nil
	}
	events := make([]inbox.Event, len(all))
	for i, raw := range all {
		events[i] = inbox.Event{Digest: sha256.Sum256(raw), Body: raw, At: h.now(), Asked: true}
	}
	return h.store.AcceptEvents(ctx, events)
}

// mergePolled merges what an answer told; the mark moves with it, where there is one.
func (h *House) mergePolled(ctx context.Context, seen []order.Seen, mark *store.Watermark) error {
	if len(seen) == 0 && mark == nil {
		return nil
	}
	if err := h.store.MergeOrders(ctx, seen, mark); err != nil {
		return err
	}
	ids := make([]string, len(seen))
	for i, s := range seen {
		ids[i] = s.Order.ID
	}
	return h.store.OrdersAsked(ctx, ids, h.now(), true)
}

// askOrders asks for single orders that something is expected of: a list by the time of creation does not show that one moved on. It
// takes at most half of what may be asked for in that time.
func (h *House) askOrders(ctx context.Context) error {
	ids, err := h.store.OrdersToAsk(ctx, h.now(), order.AskSteps(), h.askBudget())
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range ids {
		if _, err := h.askOrder(ctx, id); err != nil {
			errs = append(errs, err)
			if !isRefusal(err) {
				break
			}
		}
	}
	return errors.Join(errs...)
}

func (h *House) askBudget() int {
	return max(1, h.cfg.API.PerMinute*int(askRound/time.Second)/60/2)
}

// askOrder asks for one order and merges the answer. It reports false where the platform does not know the order, or nobody can ask for
// it. One that the platform refuses has had its turn, too: it must not come before the others each time.
func (h *House) askOrder(ctx context.Context, id string) (known bool, err error) {
	api, err := h.client()
	if err != nil {
		return false, err
	}
	o, err := api.Order(ctx, id)
	if err == nil && order.Key(o.ID) != order.Key(id) {
		err = fmt.Errorf("%w: the answer is about another one", platform.ErrOddOrder)
	}
	switch {
	case errors.Is(err, platform.ErrOddOrder):
		h.log.Warn("order can't be asked for", "order", fmt.Sprintf("%.60q", id), "err", err)
		return false, h.store.OrdersAsked(ctx, []string{id}, h.now(), false)
	case errors.Is(err, platform.ErrNotFound):
		return false, h.store.OrdersAsked(ctx, []string{id}, h.now(), false)
	case isRefusal(err):
		return false, errors.Join(&askError{err}, h.store.OrdersAsked(ctx, []string{id}, h.now(), true))
	case err != nil:
		return false, &askError{err}
	}
	return true, h.mergePolled(ctx, []order.Seen{{Order: o, By: order.ByPoll, At: h.now()}}, nil)
}
