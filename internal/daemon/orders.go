package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"gondola/internal/order"
	"gondola/internal/platform"
	"gondola/internal/store"
)

// OrderAsk says which orders are listed.
type OrderAsk struct {
	Vendor       string // "" = all
	State        string // "" = all
	Since, Until time.Time
	Waiting      bool // something of it waits to be handed over
	Limit        int
}

// OrderLine is an order in short. Nothing in it is personal.
type OrderLine struct {
	ID            string    `json:"order_id"`
	ExternalID    string    `json:"external_id,omitempty"`
	Code          string    `json:"order_code,omitempty"`
	Vendor        string    `json:"vendor"`
	Listed        bool      `json:"in_config"` // the store is in the config
	State         string    `json:"state"`     // "" where only unknown ones were seen
	Before        string    `json:"before,omitempty"`
	Unknown       string    `json:"unknown_state,omitempty"`
	Contradiction bool      `json:"contradiction,omitempty"` // it went on after it was cancelled, or may have
	Total         string    `json:"total,omitempty"`
	Items         int       `json:"items"`
	Created       time.Time `json:"created,omitzero"`
	Changed       time.Time `json:"changed"`
	Waiting       bool      `json:"waiting"` // something of it waits to be handed over
	Purged        time.Time `json:"purged,omitzero"`
}

// OrderDetail is all that is known of an order.
type OrderDetail struct {
	OrderLine
	Reason    string           `json:"cancel_reason,omitempty"`
	Sightings []order.Sighting `json:"sightings"`
	HandOvers []OrderHandOver  `json:"hand_overs"`
	Newest    string           `json:"newest,omitempty"` // the state whose body is in Body
	Body      json.RawMessage  `json:"body,omitempty"`   // the order, as files for the ERP have it
	Order     platform.Order   `json:"-"`                // the same, for printing
}

// OrderHandOver is one hand-over of an order to the ERP.
type OrderHandOver struct {
	Asked    string    `json:"asked"`
	Seen     string    `json:"state"`
	Skipped  bool      `json:"skipped,omitempty"`
	Revision int       `json:"revision"`
	Replay   bool      `json:"replay,omitempty"`
	Stands   string    `json:"stands"` // due, staged, done or dropped
	At       time.Time `json:"due_at"`
	File     string    `json:"file,omitempty"`
	Done     time.Time `json:"done_at,omitzero"`
}

// ErrNoOrder says that no order is known by a word.
var ErrNoOrder = errors.New("no such order")

// Orders lists orders, the one that changed last first.
func (h *House) Orders(ctx context.Context, a OrderAsk) ([]OrderLine, error) {
	if a.Vendor != "" {
		for _, v := range h.vendors {
			if order.Key(v.ID) == order.Key(a.Vendor) {
				a.Vendor = v.ID
			}
		}
	}
	all, err := h.store.ListOrders(ctx, store.OrderQuery{
		Vendor: a.Vendor, State: platform.OrderState(a.State), Since: a.Since, Until: a.Until, Waiting: a.Waiting, Limit: a.Limit,
	})
	lines := make([]OrderLine, len(all))
	for i, o := range all {
		lines[i] = h.orderLine(o.Head)
		lines[i].Waiting = o.Waiting
	}
	return lines, err
}

func (h *House) orderLine(o order.Head) OrderLine {
	_, listed := h.vendor(o.Vendor)
	line := OrderLine{
		ID: o.ID, ExternalID: o.ExternalID, Code: o.Code, Vendor: o.Vendor, Listed: listed, State: string(o.State), Unknown: string(o.Strange),
		Contradiction: o.Contradiction, Total: string(o.Total), Items: o.Items, Created: o.Created, Changed: o.Changed, Purged: o.Purged,
	}
	if o.State == platform.StateCancelled {
		line.Before = string(o.Reached)
	}
	return line
}

// OrderDetails returns all that is known of the orders that a word finds: an id, what customers call an order, or the rider's code. What
// is personal is masked, but where it is asked for. It returns ErrNoOrder where there is none.
func (h *House) OrderDetails(ctx context.Context, word string, personal bool) ([]OrderDetail, error) {
	heads, err := h.store.FindOrders(ctx, word)
	if err != nil {
		return nil, err
	}
	if len(heads) == 0 {
		return nil, fmt.Errorf("%w: %q; an id, an external id or a code is looked for", ErrNoOrder, word)
	}
	all := make([]OrderDetail, len(heads))
	for i, head := range heads {
		if all[i], err = h.orderDetail(ctx, head, personal); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (h *House) orderDetail(ctx context.Context, head order.Head, personal bool) (OrderDetail, error) {
	d := OrderDetail{OrderLine: h.orderLine(head), Reason: head.Reason}
	o, _, err := h.store.Order(ctx, head.ID)
	if err != nil {
		return d, err
	}
	d.Sightings = o.Sightings
	overs, err := h.store.HandOvers(ctx, head.ID)
	if err != nil {
		return d, err
	}
	for _, v := range overs {
		d.HandOvers = append(d.HandOvers, OrderHandOver{
			Asked: string(v.Asked), Seen: string(v.Seen), Skipped: v.Skipped, Revision: v.Revision, Replay: v.Replay, Stands: v.State,
			At: v.At, File: v.File, Done: v.Done,
		})
		d.Waiting = d.Waiting || v.State == "due" || v.State == string(store.FileStaged)
	}
	body, err := h.store.OrderBody(ctx, head.ID, o.Cart.State)
	if err != nil || body == nil {
		return d, err
	}
	over := order.HandOver{Due: order.Due{Seen: o.Cart.State}, Contradiction: o.Contradiction}
	if over.Vendor, _ = h.vendor(o.Vendor); over.Vendor.ID == "" {
		over.Vendor.ID = o.Vendor
	}
	if over.Order, err = platform.ParseOrder(body); err != nil {
		return d, fmt.Errorf("read order %s: %w", head.ID, err)
	}
	if !personal {
		over.Order = order.Masked(over.Order)
	}
	d.Newest, d.Order, d.Body = string(o.Cart.State), over.Order, order.JSON(over)
	return d, nil
}

// ReplayAsk says which orders are handed over once more.
type ReplayAsk struct {
	IDs   []string // of orders, or what else finds exactly one
	Range OrderAsk // or all of these
	State string   // only what was asked for with this state; "" = all
	Who   string
}

// replayPage is how many orders are made due in one transaction: events wait for it.
const replayPage = 500

// maxReplay is how many orders one replay may have: more is a mistake in the time.
const maxReplay = 100_000

// FindReplay returns the ids of the orders that a replay is about. It returns ErrNoOrder where a word finds none.
func (h *House) FindReplay(ctx context.Context, a ReplayAsk) ([]string, error) {
	if len(a.IDs) == 0 {
		a.Range.Limit = maxReplay
		lines, err := h.Orders(ctx, a.Range)
		ids := make([]string, 0, len(lines))
		for _, l := range lines {
			if l.Listed {
				ids = append(ids, l.ID)
			}
		}
		return ids, err
	}
	var ids []string
	for _, word := range a.IDs {
		heads, err := h.store.FindOrders(ctx, word)
		switch {
		case err != nil:
			return nil, err
		case len(heads) == 0:
			return nil, fmt.Errorf("%w: %q; an id, an external id or a code is looked for", ErrNoOrder, word)
		case len(heads) > 1:
			return nil, fmt.Errorf("%w: %q is not one order but %d; name it by its id", ErrNoOrder, word, len(heads))
		}
		ids = append(ids, heads[0].ID)
	}
	return ids, nil
}

// Replay makes orders due once more, and returns how many hand-overs that are. The daemon that runs beside us makes the files.
func (h *House) Replay(ctx context.Context, ids []string, a ReplayAsk) (int, error) {
	if h.orders.dir == "" {
		return 0, ErrNoOrderFolder
	}
	n := 0
	for page := range slices.Chunk(ids, replayPage) {
		due, err := h.store.ReplayOrders(ctx, store.Again{IDs: page, State: platform.OrderState(a.State), Who: a.Who, At: h.now()})
		if n += due; err != nil {
			return n, err
		}
	}
	return n, nil
}

// ErrNoOrderFolder says that orders are not handed over at all.
var ErrNoOrderFolder = errors.New("orders are not handed over: orders.export.dir is off")

// HandOverNow hands over what is due, whenever it would be its time, and returns how many hand-overs wait still. It is for a house that
// nobody else works in.
func (h *House) HandOverNow(ctx context.Context) (left int, err error) {
	if h.orders.dir == "" {
		return 0, ErrNoOrderFolder
	}
	err = h.handOver(ctx, true)
	left, countErr := h.store.CountDue(ctx, h.VendorIDs())
	return left, errors.Join(err, countErr)
}

// AskHandOver asks the daemon that runs beside us to hand over what is due now.
func (h *House) AskHandOver(ctx context.Context) error {
	if h.orders.dir == "" {
		return ErrNoOrderFolder
	}
	return h.store.SetFact(ctx, orderAskFact, h.now().UTC().Format(time.RFC3339))
}

// HandedOver reports whether the daemon has done what AskHandOver asked for, and how many hand-overs wait.
func (h *House) HandedOver(ctx context.Context) (done bool, left int, err error) {
	asked, err := h.store.Fact(ctx, orderAskFact)
	if err != nil {
		return false, 0, err
	}
	left, err = h.store.CountDue(ctx, h.VendorIDs())
	return asked == "", left, err
}

// OrderPreview is a file that would be made now.
type OrderPreview struct {
	Name   string   `json:"name"`
	Orders []string `json:"orders"` // ids
	Text   string   `json:"text"`   // in the encoding of the file
	Error  string   `json:"error,omitempty"`
}

// PreviewOrders returns the files that would be made now, of at most a page of hand-overs a store. It writes nothing.
func (h *House) PreviewOrders(ctx context.Context) ([]OrderPreview, error) {
	if h.orders.dir == "" {
		return nil, ErrNoOrderFolder
	}
	oldest, err := h.store.OldestDue(ctx)
	if err != nil {
		return nil, err
	}
	var all []OrderPreview
	for _, vendors := range h.dueGroups(oldest, true) {
		page, err := h.duePage(ctx, vendors, map[string]int64{})
		if err != nil {
			return nil, err
		}
		good, bad := h.readable(page, map[string]bool{})
		if bad != nil {
			all = append(all, OrderPreview{Error: bad.Error()})
		}
		for len(good) > 0 {
			n := 1
			if h.orders.every > 0 {
				n = len(good)
			}
			all = append(all, h.previewFile(good[:n]))
			good = good[n:]
		}
	}
	return all, nil
}

func (h *House) previewFile(in []dueWork) OrderPreview {
	overs := make([]order.HandOver, len(in))
	var p OrderPreview
	for i, w := range in {
		overs[i] = w.over
		p.Orders = append(p.Orders, w.due.Head.ID)
	}
	data, err := h.orders.format.Render(overs)
	p.Name, p.Text = h.orders.name.Of(overs, h.now())+h.orders.format.Extension(), string(data)
	if err != nil {
		p.Error = err.Error()
	}
	return p
}
