package daemon

import (
	"context"
	"time"

	"gondola/internal/alert"
	"gondola/internal/order"
	"gondola/internal/store"
)

// ordersLoop is what the loop is called that hands orders over.
const ordersLoop = "orders"

// orderTrouble is how long orders count that need a person: what is older was seen to, or nobody ever will.
const orderTrouble = 24 * time.Hour

// OrderStatus is how orders stand.
type OrderStatus struct {
	Today          map[string]int `json:"today"` // orders that changed today, by state
	Due            int            `json:"due"`   // hand-overs that wait
	File           string         `json:"last_file,omitempty"`
	FileAt         time.Time      `json:"last_file_at,omitzero"`
	Unknown        int            `json:"unknown_state,omitempty"` // orders in states that are not known, of one day
	Contradictions int            `json:"contradictions,omitempty"`
	Foreign        int            `json:"other_stores,omitempty"` // orders that changed today, of stores that are not in the config
}

// orderStatus returns how orders stand, nil where there are none to speak of.
func (h *House) orderStatus(ctx context.Context) (*OrderStatus, error) {
	newest, err := h.store.ListOrders(ctx, store.OrderQuery{Limit: 1})
	if err != nil || len(newest) == 0 && h.orders.dir == "" {
		return nil, err
	}
	s := &OrderStatus{Today: map[string]int{}}
	now := h.now().In(h.zone)
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, h.zone)
	today, err := h.store.CountOrders(ctx, midnight, h.VendorIDs())
	if err != nil {
		return nil, err
	}
	for state, n := range today.States {
		s.Today[string(state)] = n
	}
	s.Foreign = today.Foreign
	lately, err := h.store.CountOrders(ctx, h.now().Add(-orderTrouble), h.VendorIDs())
	if err != nil {
		return nil, err
	}
	s.Unknown, s.Contradictions = lately.Strange, lately.Contradictions
	if s.Due, err = h.store.CountDue(ctx, h.VendorIDs()); err != nil {
		return nil, err
	}
	f, _, err := h.store.LastOrderFile(ctx)
	s.File, s.FileAt = f.Name, f.Done
	return s, err
}

// orderProblems finds orders that need a person.
func (h *House) orderProblems(ctx context.Context, l *problemList) error {
	c, err := h.store.CountOrders(ctx, h.now().Add(-orderTrouble), h.VendorIDs())
	if err != nil {
		return err
	}
	if c.Strange > 0 {
		l.add(alert.Problem{Key: "order-state/" + string(c.StrangeState), Kind: alert.OrderState}, string(c.StrangeState), c.Strange)
	}
	if c.Contradictions > 0 {
		l.add(alert.Problem{Key: "conflict", Kind: alert.Conflict}, c.Contradictions)
	}
	return l.phrase
}

// stateNumbers lists how many orders are in which state, in the order of the lifecycle.
func (s *OrderStatus) stateNumbers() (names []string, numbers []int) {
	for _, state := range order.States() {
		if n := s.Today[string(state)]; n > 0 {
			names, numbers = append(names, string(state)), append(numbers, n)
		}
	}
	return names, numbers
}
