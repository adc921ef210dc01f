package sandbox

import (
	"cmp"
	"slices"
	"strings"
)

// How much the page shows of what came and went by REST and events.
const (
	pageOrders   = 30
	pageAPIJobs  = 20
	pageEvents   = 20
	pageRequests = 20
)

// pageAPI is what the page shows of the REST interface. Lists are newest first.
type pageAPI struct {
	Orders                            []pageOrder
	States                            []stateCount
	Jobs                              []APIJob
	Events                            []Delivery
	Requests                          []Request
	AllOrders, AllEvents, AllRequests int
	Taken, Pending                    int
}

// stateCount is how many orders are in a state.
type stateCount struct {
	Name  string
	Count int
}

// pageOrder is one order on the page. It shows nothing of the customer, as a page for onlookers should not.
type pageOrder struct {
	Order
	Store string
	Way   string // the states before
	Class string
	Over  bool
	Told  []pageTold
}

// pageTold is one attempt to tell of an order.
type pageTold struct {
	Mark, Text string
	Good       bool
}

// last returns the end of a list, newest first.
func last[T any](list []T, n int) []T {
	out := slices.Clone(list[max(0, len(list)-n):])
	slices.Reverse(out)
	return out
}

// pageAPI looks at what came and went.
func (s *Sandbox) pageAPI() pageAPI {
	orders, tries, asks := s.Orders(), s.Deliveries(), s.Requests()
	d := pageAPI{
		Jobs: last(s.APIJobs(), pageAPIJobs), Events: last(tries, pageEvents), Requests: last(asks, pageRequests),
		AllOrders: len(orders), AllEvents: len(tries), AllRequests: len(asks), Pending: s.PendingEvents(),
	}
	told := map[string][]pageTold{}
	for _, t := range tries {
		mark := pageTold{Mark: "✓", Good: true, Text: t.State}
		switch {
		case t.Acknowledged():
			d.Taken++
		case t.Dropped:
			mark = pageTold{Mark: "–", Text: t.State + ", not sent"}
		default:
			mark = pageTold{Mark: "✗", Text: t.State + ", not taken over"}
		}
		told[t.ID] = append(told[t.ID], mark)
	}
	counts := map[string]int{}
	for _, o := range orders {
		counts[o.State]++
	}
	for name, n := range counts {
		d.States = append(d.States, stateCount{name, n})
	}
	slices.SortFunc(d.States, func(a, b stateCount) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Name, b.Name)) })
	names := map[string]string{}
	for _, v := range s.stores.order {
		names[v.ID] = either(v.Name, v.ID)
	}
	for _, o := range last(orders, pageOrders) {
		p := pageOrder{Order: o, Store: names[o.Vendor], Told: told[o.ID], Class: "good", Way: strings.Join(o.States[:len(o.States)-1], " › ")}
		switch o.State {
		case StateCancelled:
			p.Class, p.Over = "bad", true
		case StatePickedUp, StateDelivered:
			p.Class, p.Over = "", true
		case StateReceived, StateAccepted:
			p.Class = ""
		case StateReady, StateDispatch:
		default:
			p.Class = "note"
		}
		d.Orders = append(d.Orders, p)
	}
	return d
}
