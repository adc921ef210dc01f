package sandbox

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Stream is a random stream of orders, each with its life. The same seed makes the same lives in the same order; what is in the orders
// is the sandbox's seed's.
type Stream struct {
	Rate    float64       `json:"rate"`    // orders a second; 0: all at once
	For     time.Duration `json:"for_ns"`  // how long orders are made; 0: until Count
	Count   int           `json:"count"`   // how many at most; 0: no limit but For
	Step    time.Duration `json:"step_ns"` // from one state to the next, give or take a half; 0: at once
	Seed    uint64        `json:"seed"`
	Vendors []string      `json:"vendors"` // default all that have articles
	// Shares from 0 to 1 of orders that are cancelled at some point, whose cart changes under a state, and that pass through a state that
	// no page names.
	Cancel  float64 `json:"cancel"`
	Cart    float64 `json:"cart"`
	Unknown float64 `json:"unknown"`
}

// UnknownState is a state that no page names.
const UnknownState = "WAITING_AT_COUNTER"

// check says what is wrong with a stream.
func (st Stream) check() error {
	switch {
	case st.Rate < 0, st.For < 0, st.Count < 0, st.Step < 0:
		return errors.New("rate, time, number and step of an order stream must not be negative")
	case st.Rate == 0 && st.Count == 0:
		return errors.New("an order stream without a rate needs a number of orders")
	}
	for _, share := range []float64{st.Cancel, st.Cart, st.Unknown} {
		if share < 0 || share > 1 {
			return errors.New("shares of an order stream are from 0 to 1")
		}
	}
	return nil
}

// deed is something that happens to an order of a stream.
type deed struct {
	at    time.Duration // since the stream began
	n     int           // the order of those at one time
	order int
	do    string // newDeed, cartDeed, or a state
}

const (
	newDeed  = "new"
	cartDeed = "cart"
)

// Before reports whether d comes first.
func (d deed) Before(other deed) bool { return d.at < other.at || d.at == other.at && d.n < other.n }

// stream is a stream on its way.
type stream struct {
	Stream
	sandbox *Sandbox
	dice    *rand.Rand
	vendors []string
	todo    earliest[deed]
	n       int
	ids     []string
}

// StreamOrders makes orders and lets them live, until the last one's life is over or ctx ends. It returns the ids of those that were
// made. Several streams may run at once.
func (s *Sandbox) StreamOrders(ctx context.Context, st Stream) (ids []string, err error) {
	if err := st.check(); err != nil {
		return nil, fmt.Errorf("stream orders: %w", err)
	}
	run := &stream{Stream: st, sandbox: s, dice: rand.New(rand.NewPCG(st.Seed, 4)), vendors: st.Vendors} // a repeatable stream is the point
	for _, v := range s.stores.order {
		if len(st.Vendors) == 0 && len(s.Shelf(v.ID)) > 0 {
			run.vendors = append(run.vendors, v.ID)
		}
	}
	if len(run.vendors) == 0 {
		return nil, errors.New("stream orders: no store has articles; give the sandbox some")
	}
	run.add(0, 0, newDeed)
	begun := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for len(run.todo) > 0 {
		timer.Reset(run.todo[0].at - time.Since(begun))
		select {
		case <-ctx.Done():
			return run.ids, nil
		case <-timer.C:
		}
		d, _ := heap.Pop(&run.todo).(deed)
		if err := run.do(d); err != nil {
			return run.ids, fmt.Errorf("stream orders: %w", err)
		}
	}
	return run.ids, nil
}

// add plans a deed.
func (r *stream) add(at time.Duration, order int, do string) {
	r.n++
	heap.Push(&r.todo, deed{at, r.n, order, do})
}

// do carries a deed out. Making an order plans its life and the next order.
func (r *stream) do(d deed) error {
	s := r.sandbox
	switch d.do {
	case newDeed:
	case cartDeed:
		return s.ChangeCart(r.ids[d.order])
	case StateCancelled:
		reason := []string{"ITEM_UNAVAILABLE", "TOO_BUSY", "CLOSED", "CUSTOMER_REQUEST"}[r.dice.IntN(4)]
		return s.Cancel(r.ids[d.order], reason, []string{"VENDOR", "CUSTOMER", "PLATFORM"}[r.dice.IntN(3)])
	default:
		return s.Advance(r.ids[d.order], d.do)
	}
	id, err := s.AddOrder(NewOrder{Vendor: r.vendors[r.dice.IntN(len(r.vendors))]})
	if err != nil {
		return err
	}
	r.ids = append(r.ids, id)
	r.live(d.at, len(r.ids)-1, s.orders.transport(id))
	next := d.at
	if r.Rate > 0 {
		next = time.Duration(float64(len(r.ids)) / r.Rate * float64(time.Second))
	}
	if (r.Count == 0 || len(r.ids) < r.Count) && (r.For == 0 || next < r.For) {
		r.add(next, 0, newDeed)
	}
	return nil
}

// transport returns who delivers an order.
func (o *orders) transport(id string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.byID[id].body.Transport
}

// live plans an order's life.
func (r *stream) live(at time.Duration, order int, transport string) {
	rules := r.sandbox.opts.Rules
	var states []string
	if rules.AcceptedOrders {
		states = append(states, StateAccepted)
	}
	switch {
	case !rules.PartnerPicking:
		states = append(states, StateReady, StatePickedUp)
	case transport == TransportVendor:
		states = append(states, StateDispatch, StateDelivered)
	default:
		states = append(states, StateReady, StatePickedUp, StateDelivered)
	}
	cart, cancel := -1, -1 // before which state
	if r.dice.Float64() < r.Cart {
		cart = r.dice.IntN(len(states))
	}
	if r.dice.Float64() < r.Unknown {
		states = append(states[:1:1], append([]string{UnknownState}, states[1:]...)...)
	}
	if r.dice.Float64() < r.Cancel {
		cancel = r.dice.IntN(len(states))
	}
	for i, state := range states {
		if i == cart {
			at += r.step()
			r.add(at, order, cartDeed)
		}
		at += r.step()
		if i == cancel {
			r.add(at, order, StateCancelled)
			return
		}
		r.add(at, order, state)
	}
}

// step is the time to the next deed: half of Step to one and a half.
func (r *stream) step() time.Duration {
	if r.Step == 0 {
		return 0
	}
	return r.Step/2 + time.Duration(r.dice.Int64N(int64(r.Step)))
}
