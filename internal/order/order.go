// Package order knows how an order moves on, and what the ERP is owed of it.
//
// The platform tells of one order several times, by events and by answers to questions, late, twice and in any order. [Merge] makes one
// order of all that: its state only moves forward, a body that is older than what is known changes nothing, and hearing the same thing
// again changes nothing either. From the same step come the hand-overs that the ERP is owed ([Due]), each of them once.
//
// Merge is pure. What it works on is read, and what comes of it is written, in one transaction of the database.
package order

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"gondola/internal/platform"
)

// Source is how an order came to be known.
type Source string

// The sources of orders.
const (
	ByWebhook Source = "webhook" // the platform told
	ByPoll    Source = "poll"    // we asked
)

// Seen is an order as one event or one answer told it.
type Seen struct {
	Order platform.Order
	By    Source
	At    time.Time // by our clock
	Event int64     // the event of the inbox that is handled with it, 0 = none
}

// Head is an order as lists show it. It holds nothing personal.
type Head struct {
	ID         string // as the platform wrote it first
	ExternalID string
	Code       string
	Vendor     string // the config's id where the store is in the config, else as the platform wrote it
	Partner    string
	Type       string
	Transport  string
	Preorder   bool

	State   platform.OrderState // how far it is; "" where only unknown states were seen
	Reached platform.OrderState // how far it came without regard to a cancellation; "" = not known
	Strange platform.OrderState // the newest state that was seen and is not known; "" = none
	// Contradiction says that the platform went on with the order after it was cancelled, or may have.
	Contradiction bool

	Cart   Cart            // of its newest body
	Total  platform.Number // what all of it costs, by that body
	Items  int             // lines of that body
	Reason string          // why it was cancelled
	// Created and Updated are by the platform's clock, First and Changed by ours. Purged is when what is personal was removed; zero =
	// it is there.
	Created, Updated, First, Changed, Purged time.Time
}

// Stored is an order with all that is kept of it but its bodies. The zero value is an order that nothing is known of.
type Stored struct {
	Head
	Bodies    map[platform.OrderState]Cart // the newest body in each state
	Sightings []Sighting                   // each way in which it was told, once
	Owed      map[platform.OrderState]Due  // the last hand-over of each state that is asked for
}

// Cart is what one body says is bought.
type Cart struct {
	State   platform.OrderState
	Updated time.Time // by the platform's clock; zero where it did not say
	Digest  string    // see [Digest]
	Gone    bool      // the body itself is not kept any more
}

// Sighting is one way in which an order was told: a state, by whom, with which cart.
type Sighting struct {
	State   platform.OrderState `json:"state"`
	By      Source              `json:"by"`
	Digest  string              `json:"cart"`
	At      time.Time           `json:"at"`                     // the first time, by our clock
	Updated time.Time           `json:"platform_time,omitzero"` // the newest time that came with it, by the platform's clock
}

// Due is one hand-over of an order to the ERP. Order, Asked and Revision name it.
type Due struct {
	Asked    platform.OrderState // the state that the config asks for
	Seen     platform.OrderState // the state that the order was in: another one where Asked was jumped over
	Skipped  bool                // Asked itself was not seen
	Revision int                 // from 1; higher ones for the same state tell of another cart
	Digest   string              // of the cart
	Begun    bool                // it is in a file, or on its way into one: it says what it says
}

// Rules are what decides about hand-overs. The zero value asks for none.
type Rules struct {
	On       []platform.OrderState // the states that are handed over
	OnChange bool                  // another cart in the same state is handed over once more
	Vendors  []string              // ids of the stores in the config: orders of other stores are kept, not handed over
}

// Key is what an order is known by: its id without regard to case and to blanks around it.
func Key(id string) string { return strings.ToLower(strings.TrimSpace(id)) }

// vendor returns the id of the config for the store that an order is of, or what the platform wrote. Which of its two ids the platform
// puts into client.store_id where the partner has mapped one is [unknown]: either is taken.
func (r Rules) vendor(o platform.Order) string {
	for _, written := range []string{o.Vendor, o.Partner} {
		for _, id := range r.Vendors {
			if strings.EqualFold(id, written) {
				return id
			}
		}
	}
	return o.Vendor
}

// asked returns the states that are asked for in the order of the lifecycle, cancelled at last.
func (r Rules) asked() []platform.OrderState {
	on := slices.Clone(r.On)
	slices.SortFunc(on, func(a, b platform.OrderState) int { return cmp.Compare(place(a), place(b)) })
	return slices.Compact(on)
}

// listed reports whether a store is in the config.
func (r Rules) listed(vendor string) bool {
	return vendor != "" && slices.Contains(r.Vendors, vendor)
}
