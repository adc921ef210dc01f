package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// getOrder answers with one order. Those of before 60 days are not given out.
func (r *rest) getOrder(c *call) answer {
	o := r.orders
	o.mu.Lock()
	defer o.mu.Unlock()
	it, ok := o.byID[c.PathValue("order")]
	if !ok || o.now().Sub(it.body.Sys.Created.Time) > keptFor {
		return r.noOrder()
	}
	return answer{status: http.StatusOK, body: o.render(it)}
}

// noOrder is the answer about an order that is not there.
func (r *rest) noOrder() answer {
	if r.opts.Rules.NotFoundBody {
		return r.refuse(http.StatusNotFound, "ORDER_NOT_FOUND", "no such order")
	}
	return answer{status: http.StatusNotFound}
}

// readWindow reads the times of a list: UTC, without a zone, as documented. That the range is half open is assumed.
func readWindow(from, to string) (start, end time.Time, why string) {
	const layout = "2006-01-02T15:04:05"
	start, err := time.Parse(layout, from)
	if err != nil || len(from) != len(layout) {
		return start, end, "start_time is no time; write it as 2024-09-11T10:40:00"
	}
	end, err = time.Parse(layout, to)
	if err != nil || len(to) != len(layout) {
		return start, end, "end_time is no time; write it as 2024-09-11T10:40:00"
	}
	switch {
	case !end.After(start):
		return start, end, "end_time is not after start_time"
	case end.Sub(start) > keptFor:
		return start, end, "the range is more than 60 days"
	}
	return start, end, ""
}

// listOrders answers with a page of a store's orders of a time.
func (r *rest) listOrders(c *call) answer {
	q := c.URL.Query()
	start, end, why := readWindow(q.Get("start_time"), q.Get("end_time"))
	if why != "" {
		return r.invalid(why)
	}
	page, size, why := r.paging(q, 1)
	if why != "" {
		return r.invalid(why)
	}
	o := r.orders
	o.mu.Lock()
	defer o.mu.Unlock()
	found := o.between(c.PathValue("vendor"), start, end)
	shown, pages := pageOf(found, page-1, size, r.faults.shifted(page-1))
	bodies := make([]json.RawMessage, 0, len(shown))
	for _, it := range shown {
		bodies = append(bodies, o.render(it))
	}
	return reply(http.StatusOK, struct {
		Orders []json.RawMessage `json:"orders"`
		Page   int               `json:"page_number"`
		Size   int               `json:"page_size"`
		Pages  int               `json:"total_pages"`
	}{bodies, page, size, pages})
}

// between returns a store's orders of a time, those of before 60 days left out. o.mu is held.
func (o *orders) between(vendor string, start, end time.Time) []*order {
	oldest := o.now().Add(-keptFor)
	stamp := func(it *order) time.Time {
		if o.opts.Rules.WindowByUpdate {
			return it.body.Sys.Updated.Time
		}
		return it.body.Sys.Created.Time
	}
	var found []*order
	for _, it := range o.list {
		at := stamp(it)
		if it.body.Client.StoreID == vendor && !at.Before(start) && at.Before(end) && !it.body.Sys.Created.Before(oldest) {
			found = append(found, it)
		}
	}
	slices.SortStableFunc(found, func(a, b *order) int { return stamp(a).Compare(stamp(b)) })
	if !o.opts.Rules.OldestFirst {
		slices.Reverse(found)
	}
	return found
}

// orderChange is what a store's own picker says about an order.
type orderChange struct {
	ID     string       `json:"order_id"`
	State  string       `json:"status"`
	Items  []itemChange `json:"items"`
	Cancel struct {
		Reason string `json:"reason"`
	} `json:"cancellation"`
}

// itemChange is what became of a line.
type itemChange struct {
	ID       string `json:"_id"`
	SKU      string `json:"sku"`
	State    string `json:"status"`
	Replaces string `json:"replaced_id"`
	Pricing  struct {
		Type      string `json:"pricing_type"`
		Quantity  int    `json:"quantity"`
		UnitPrice amount `json:"unit_price"`
		Weight    amount `json:"weight"`
	} `json:"pricing"`
}

// updateCart is the state of a change that leaves the order where it is.
const updateCart = "UPDATE_CART"

// putOrder changes an order, where the store's own pickers pick. The answer is assumed to be the order as it is then.
func (r *rest) putOrder(c *call) answer {
	if !r.opts.Rules.PartnerPicking {
		return r.refuse(http.StatusForbidden, "FORBIDDEN", "the platform's pickers pick this order")
	}
	var body orderChange
	if why := r.decode(c, &body); why != "" {
		return r.invalid(why)
	}
	id := c.PathValue("order")
	if body.ID != id {
		return r.invalid("order_id is not that of the path")
	}
	why := ""
	err := r.orders.change(id, func(o *order) error {
		why = r.orders.pick(o, body)
		return nil
	})
	switch {
	case err != nil:
		return r.noOrder()
	case why != "":
		return r.refuse(http.StatusConflict, "INVALID_STATE", why)
	}
	data, _ := r.OrderBody(id) // it is there
	return answer{status: http.StatusOK, body: data}
}

// pick carries out what a picker says, or says why not. o.mu is held.
func (o *orders) pick(it *order, c orderChange) (why string) {
	final := []string{StateReady, StateDispatch, StatePickedUp, StateDelivered, StateCancelled}
	if slices.Contains(final, it.state) {
		return "the order is " + it.state
	}
	last := StateReady
	if it.body.Transport == TransportVendor {
		last = StateDispatch
	}
	body := it.body.clone()
	for _, ch := range c.Items {
		if why := o.pickItem(body, ch); why != "" {
			return why
		}
	}
	body.sum()
	switch c.State {
	case updateCart:
		it.body = body
		it.carts++
	case StateCancelled:
		if !slices.Contains([]string{"CLOSED", "ITEM_UNAVAILABLE", "TOO_BUSY"}, c.Cancel.Reason) {
			return "unknown cancellation reason"
		}
		body.Cancelled = cancelBody{c.Cancel.Reason, "VENDOR"}
		it.body = body
		it.enter(StateCancelled)
	case last:
		it.body = body
		it.enter(last)
	default:
		return "status must be " + strings.Join([]string{updateCart, last, StateCancelled}, ", ")
	}
	return ""
}

// pickItem carries out what became of one line. o.mu is held.
func (o *orders) pickItem(body *orderBody, ch itemChange) (why string) {
	if ch.State == itemAddition {
		shelf := o.stores.shelf(body.Client.StoreID)
		at := slices.IndexFunc(shelf, func(a Article) bool { return a.SKU == ch.SKU })
		if at < 0 {
			return "no such article: " + ch.SKU
		}
		item, err := o.item(shelf[at], OrderLine{SKU: ch.SKU, Quantity: ch.Pricing.Quantity}, Promotion{})
		if err != nil {
			return err.Error()
		}
		item.State, item.Replaces = itemAddition, ch.Replaces
		body.Items = append(body.Items, item)
		return ""
	}
	at := slices.IndexFunc(body.Items, func(i itemBody) bool { return i.ID == ch.ID })
	if at < 0 {
		return "no such item: " + ch.ID
	}
	if !slices.Contains([]string{itemUntouched, itemInCart, itemNotFound, itemReplaced}, ch.State) {
		return "unknown item status: " + ch.State
	}
	item := &body.Items[at]
	item.State = ch.State
	if ch.Pricing.Quantity > 0 {
		item.Pricing.Quantity = ch.Pricing.Quantity
	}
	if ch.Pricing.Weight > 0 {
		item.Pricing.Weight = ch.Pricing.Weight
	}
	if ch.Pricing.UnitPrice > 0 {
		item.Pricing.UnitPrice = ch.Pricing.UnitPrice
	}
	item.total()
	return ""
}
