package platform

import (
	"errors"
	"fmt"
)

// EventKind says what an event is about.
type EventKind string

// The kinds of events.
const (
	EventOrder        EventKind = "order"
	EventCatalogJob   EventKind = "catalog job"
	EventPromotionJob EventKind = "promotion job"
)

// Event is what the platform told by webhook. Of Order and Job one is not nil.
type Event struct {
	Kind  EventKind
	Order *Order
	Job   *Job
}

// ParseEvent reads an event. Events have no envelope and no name [partner], so that their kind is told by their shape: an order has an
// order_id, a job a job_id. What is neither is an error, which holds nothing of what was sent.
func ParseEvent(body []byte) (Event, error) {
	o, err := parseObject(body)
	if err != nil {
		return Event{}, fmt.Errorf("read event: %w", err)
	}
	switch {
	case o.text("order_id") != "":
		order, err := orderOf(o, body)
		return Event{Kind: EventOrder, Order: &order}, err
	case o.text("job_id") != "":
		job, err := jobOf(o, "", body)
		kind := EventCatalogJob
		if job.Kind == JobPromotion {
			kind = EventPromotionJob
		}
		return Event{Kind: kind, Job: &job}, err
	}
	return Event{}, errors.New("read event: neither an order (order_id) nor a job (job_id)")
}
