package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// The states of orders, as documented. [Sandbox.Advance] takes others too, as the platform may have states that no page names.
const (
	StateReceived  = "RECEIVED"
	StateAccepted  = "ACCEPTED" // at some brands, see RESTRules.AcceptedOrders
	StateReady     = "READY_FOR_PICKUP"
	StateDispatch  = "DISPATCHED"
	StatePickedUp  = "PICKED_UP"
	StateDelivered = "DELIVERED"
	StateCancelled = "CANCELLED"
)

// The values of an order's fields.
const (
	TypeDelivery      = "DELIVERY"
	TypePickup        = "PICKUP"
	TransportPlatform = "LOGISTICS_DELIVERY"
	TransportVendor   = "VENDOR_DELIVERY"

	pricedByUnit   = "UNIT"
	pricedByWeight = "KG"

	itemUntouched = "NOT_PROCESSED"
	itemInCart    = "IN_CART"
	itemNotFound  = "NOT_FOUND"
	itemReplaced  = "REPLACED"
	itemAddition  = "ADDITION"
)

// keptFor is how long the platform gives orders out, as documented.
const keptFor = 60 * 24 * time.Hour

// NewOrder is an order to be. What is not set is made up, by the seed.
type NewOrder struct {
	Vendor    string      // needed
	Type      string      // TypeDelivery or TypePickup
	Transport string      // TransportPlatform or TransportVendor
	Lines     []OrderLine // of the store's articles
	Comment   string
	// Created is when; the zero value is now, by the platform's clock.
	Created time.Time
}

// OrderLine is one article of an order to be.
type OrderLine struct {
	SKU      string
	Quantity int    // pieces
	Weight   string // kilograms as decimal text, for an article sold by weight
}

// Order is where an order stands, and an element of /orders.json.
type Order struct {
	ID       string    `json:"order_id"`
	External string    `json:"external_order_id"`
	Code     string    `json:"order_code"`
	Vendor   string    `json:"vendor"`
	State    string    `json:"status"` // in capitals, whatever the rules
	Created  time.Time `json:"created_at"`
	Updated  time.Time `json:"updated_at"`
	Items    int       `json:"items"`
	Total    string    `json:"order_total"`
	Carts    int       `json:"cart_changes"`
	States   []string  `json:"states"` // all of them so far, the first one first
}

// orders are all orders.
type orders struct {
	opts   *Options
	stores *stores
	faults *Faults
	told   func(event) // sends an event, without waiting

	mu   sync.Mutex
	dice *rand.Rand // guarded by mu
	list []*order   // in the order in which they were made; guarded by mu
	byID map[string]*order
}

// order is one order. Guarded by orders.mu.
type order struct {
	body   *orderBody
	state  string // in capitals
	carts  int
	states []string
}

func newOrders(o *Options, s *stores, f *Faults, told func(event)) *orders {
	return &orders{
		opts: o, stores: s, faults: f, told: told, byID: map[string]*order{},
		dice: rand.New(rand.NewPCG(o.API.OrderSeed, 2)), // made-up orders are to be the same each time
	}
}

// now is the platform's clock. Orders are stamped in milliseconds.
func (o *orders) now() time.Time {
	return o.opts.Now().Add(o.opts.ClockAhead + o.faults.clockOff()).UTC().Truncate(time.Millisecond)
}

var errNoOrder = errors.New("no such order")

// AddOrder makes an order, RECEIVED, and returns its id. It is an error when the store is not there or has no articles, when an article
// of the lines is not there, or when a weight or a type is none.
func (s *Sandbox) AddOrder(n NewOrder) (id string, err error) {
	o := s.orders
	o.mu.Lock()
	defer o.mu.Unlock()
	body, err := o.makeUp(n)
	if err != nil {
		return "", fmt.Errorf("add order: %w", err)
	}
	made := &order{body: body, state: StateReceived, states: []string{StateReceived}}
	o.list = append(o.list, made)
	o.byID[body.ID] = made
	o.tell(made)
	return body.ID, nil
}

// Advance puts an order in a state, any state, and tells of it where the platform does.
func (s *Sandbox) Advance(id, state string) error {
	return s.orders.change(id, func(o *order) error {
		o.enter(strings.ToUpper(state))
		return nil
	})
}

// Cancel cancels an order, for one of the documented reasons or any other, by VENDOR, CUSTOMER or PLATFORM.
func (s *Sandbox) Cancel(id, reason, by string) error {
	return s.orders.change(id, func(o *order) error {
		o.body.Cancelled = cancelBody{Reason: reason, By: by}
		o.enter(StateCancelled)
		return nil
	})
}

// ChangeCart changes what is in an order without changing its state: of one line the quantity, or that it could not be found, by the
// seed.
func (s *Sandbox) ChangeCart(id string) error {
	return s.orders.change(id, func(o *order) error {
		body := o.body.clone()
		item := &body.Items[s.orders.dice.IntN(len(body.Items))]
		if !item.counts() || s.orders.dice.IntN(4) > 0 || len(body.Items) == 1 {
			item.State = itemInCart
			item.Pricing.Quantity++
			item.Pricing.Weight += item.Pricing.Weight / 10
			item.total()
		} else {
			item.State = itemNotFound
		}
		body.sum()
		o.body = body
		o.carts++
		return nil
	})
}

// enter puts an order in a state.
func (o *order) enter(state string) {
	o.state = state
	o.states = append(o.states, state)
	if state != StateReceived && state != StateAccepted && state != StateCancelled {
		body := o.body.clone()
		for i := range body.Items {
			if body.Items[i].State == itemUntouched {
				body.Items[i].State = itemInCart
			}
		}
		o.body = body
	}
}

// change carries out what happens to an order, stamps it and tells of it.
func (o *orders) change(id string, do func(*order) error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	it, ok := o.byID[id]
	if !ok {
		return fmt.Errorf("change order %q: %w", id, errNoOrder)
	}
	before, carts := it.state, it.carts
	if err := do(it); err != nil {
		return fmt.Errorf("change order %q: %w", id, err)
	}
	body := *it.body
	body.Sys.Updated = stamped{o.now()}
	if !body.Sys.Updated.After(it.body.Sys.Updated.Time) { // a clock that stands still, or goes back
		body.Sys.Updated = stamped{it.body.Sys.Updated.Add(time.Millisecond)}
	}
	it.body = &body
	if it.state != before || it.carts != carts && !o.opts.Rules.SilentCarts {
		o.tell(it)
	}
	return nil
}

// tell sends an event about an order where the platform does. Which states are told is documented; that unknown ones are is assumed.
func (o *orders) tell(it *order) {
	rules := o.opts.Rules
	silent := false
	switch it.state {
	case StateReceived:
		silent = !rules.PartnerPicking
	case StateAccepted:
		silent = !rules.PartnerPicking || !rules.AcceptedOrders
	case StateDispatch, StateDelivered:
		silent = !rules.PartnerPicking
	case StatePickedUp:
		silent = !rules.PickedUpEvents
	}
	if !silent {
		o.told(event{kind: EventOrder, id: it.body.ID, state: it.state, revision: it.carts, body: o.render(it)})
	}
}

// render writes an order as answers and events have it.
func (o *orders) render(it *order) []byte {
	body := *it.body
	body.State = it.state
	if o.opts.Rules.LowerStates {
		body.State = strings.ToLower(it.state)
	}
	data, err := json.Marshal(body)
	if err != nil {
		panic("sandbox: order is no JSON: " + err.Error()) // it is a type of ours
	}
	if o.opts.Rules.FewFields {
		data = withoutEmpty(data)
	}
	if o.opts.Rules.MoreFields {
		data = append(bytes.TrimSuffix(data, []byte("}")), `,"new_field":{"list":[1,"two",null]},"logistics":{"rider":"ETA"}}`...)
	}
	return data
}

// withoutEmpty leaves out what has no value: null, "", 0, false, and lists and objects of nothing else.
func withoutEmpty(data []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return data // it was written by us
	}
	out, err := json.Marshal(pruned(v))
	if err != nil {
		return data // likewise
	}
	return out
}

// pruned returns a JSON value without what is empty in it; nil for an empty one.
func pruned(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			if v[k] = pruned(inner); v[k] == nil {
				delete(v, k)
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		if len(v) == 0 {
			return nil
		}
		for i := range v {
			v[i] = pruned(v[i])
		}
	case json.Number:
		if v == "0" {
			return nil
		}
	case string:
		if v == "" {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	}
	return v
}

// look describes an order.
func (o *order) look() Order {
	b := o.body
	return Order{
		ID: b.ID, External: b.External, Code: b.Code, Vendor: b.Client.StoreID, State: o.state,
		Created: b.Sys.Created.Time, Updated: b.Sys.Updated.Time, Items: len(b.Items), Total: b.Payment.Total.String(),
		Carts: o.carts, States: slices.Clone(o.states),
	}
}

// Orders returns all orders, in the order in which they were made.
func (s *Sandbox) Orders() []Order {
	s.orders.mu.Lock()
	defer s.orders.mu.Unlock()
	out := make([]Order, 0, len(s.orders.list))
	for _, o := range s.orders.list {
		out = append(out, o.look())
	}
	return out
}

// OrderBody returns an order as the platform would show it now. ok is false where there is none.
func (s *Sandbox) OrderBody(id string) (body []byte, ok bool) {
	s.orders.mu.Lock()
	defer s.orders.mu.Unlock()
	o, ok := s.orders.byID[id]
	if !ok {
		return nil, false
	}
	return s.orders.render(o), true
}
