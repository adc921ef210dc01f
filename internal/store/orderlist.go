package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"gondola/internal/order"
	"gondola/internal/platform"
)

// OrderQuery says which orders are listed.
type OrderQuery struct {
	Vendor  string              // "" = all
	State   platform.OrderState // "" = all; one that is not known finds the orders in which it was seen last
	Since   time.Time           // changed at or after; zero = any time
	Until   time.Time           // changed before; zero = any time
	Waiting bool                // something of it is to be handed over
	Limit   int
}

// ListedOrder is an order in a list.
type ListedOrder struct {
	order.Head
	Waiting bool
}

// waitingOrder says of an order that something of it is to be handed over.
const waitingOrder = `EXISTS (SELECT 1 FROM order_dues d WHERE d.key = orders.key AND d.state <> 'done' AND d.state <> 'dropped')`

// ListOrders lists orders, the one that changed last first.
func (s *Store) ListOrders(ctx context.Context, q OrderQuery) ([]ListedOrder, error) {
	query, args := q.query()
	all, err := list(ctx, s.read, func(rows *sql.Rows) (l ListedOrder, err error) {
		l.Head, err = scanHead(rows, &l.Waiting)
		return l, err
	}, query, args...)
	return all, wrap(err, "list orders")
}

// query writes the question. Each combination is answered on an index: what is not asked for is not mentioned.
func (q OrderQuery) query() (string, []any) {
	var where []string
	var args []any
	add := func(condition string, value any) {
		args = append(args, value)
		where = append(where, fmt.Sprintf(condition, len(args)))
	}
	if q.Vendor != "" {
		add("vendor = $%d", q.Vendor)
	}
	switch {
	case q.State != "" && order.Known(q.State):
		add("state = $%d", q.State)
	case q.State != "":
		where = append(where, "strange <> ''")
		add("strange = $%d", q.State)
	}
	if !q.Since.IsZero() {
		add("changed >= $%d", millis(q.Since))
	}
	if !q.Until.IsZero() {
		add("changed < $%d", millis(q.Until))
	}
	if q.Waiting {
		where = append(where, "key IN (SELECT key FROM order_dues WHERE state = 'due' UNION SELECT key FROM order_dues WHERE state = 'staged')")
	}
	waits := waitingOrder
	if q.Waiting {
		waits = "1"
	}
	text := `SELECT ` + headColumns + `, ` + waits + ` FROM orders`
	if len(where) > 0 {
		text += ` WHERE ` + strings.Join(where, " AND ")
	}
	by := "changed"
	if q.Waiting {
		by = "+changed" // few wait: they are looked up and sorted, instead of walking all orders in their order
	}
	args = append(args, q.Limit)
	return text + fmt.Sprintf(` ORDER BY %s DESC LIMIT $%d`, by, len(args)), args
}

// HandedOver is one hand-over of an order, as history has it.
type HandedOver struct {
	order.Due
	Replay bool
	State  string    // due, staged, done, or dropped where it could not be made before it was to be forgotten
	At     time.Time // when it came to be due
	File   string    // "" = none yet
	Done   time.Time // when it was handed over
}

// HandOvers lists the hand-overs of an order in their order.
func (s *Store) HandOvers(ctx context.Context, id string) ([]HandedOver, error) {
	all, err := list(ctx, s.read, func(rows *sql.Rows) (h HandedOver, err error) {
		var at, done int64
		err = rows.Scan(&h.Asked, &h.Seen, &h.Skipped, &h.Revision, &h.Digest, &h.Replay, &h.State, &at, &h.File, &done)
		h.At, h.Done, h.Begun = fromMillis(at), fromMillis(done), h.State != "due"
		return h, err
	}, handOversQuery, order.Key(id))
	return all, wrap(err, "list hand-overs of order %q", id)
}

const handOversQuery = `SELECT d.asked, d.seen, d.skipped, d.revision, d.cart, d.replay, d.state, d.at,
	COALESCE(f.name, ''), COALESCE(f.done, 0)
	FROM order_dues d LEFT JOIN order_files f ON f.id = d.file WHERE d.key = $1 ORDER BY d.seq`

// OrderCounts are numbers about orders for the status.
type OrderCounts struct {
	States         map[platform.OrderState]int // orders that changed since the time, by their state
	Strange        int                         // orders that changed since the time and are in a state that is not known
	StrangeState   platform.OrderState         // one of those states
	Contradictions int                         // since the time
	Foreign        int                         // orders that changed since the time, of stores that are not in the config
}

// CountOrders counts orders that changed since a time; vendors are the stores of the config.
func (s *Store) CountOrders(ctx context.Context, since time.Time, vendors []string) (c OrderCounts, err error) {
	c.States = map[platform.OrderState]int{}
	for _, state := range order.States() {
		var n int
		if err := s.read.QueryRowContext(ctx, countStateQuery, state, millis(since)).Scan(&n); err != nil {
			return c, fmt.Errorf("count orders: %w", err)
		}
		if n > 0 {
			c.States[state] = n
		}
	}
	err = s.read.QueryRowContext(ctx, countStrangeQuery, millis(since)).Scan(&c.Strange, &c.StrangeState)
	if err != nil {
		return c, fmt.Errorf("count orders in unknown states: %w", err)
	}
	if err := s.read.QueryRowContext(ctx, countContradictionsQuery, millis(since)).Scan(&c.Contradictions); err != nil {
		return c, fmt.Errorf("count contradictions: %w", err)
	}
	err = s.read.QueryRowContext(ctx, countForeignQuery, millis(since), toJSON(vendors)).Scan(&c.Foreign)
	return c, wrap(err, "count orders of other stores")
}

const (
	countStateQuery          = `SELECT COUNT(*) FROM orders WHERE state = $1 AND changed >= $2`
	countStrangeQuery        = `SELECT COUNT(*), COALESCE(MAX(strange), '') FROM orders WHERE strange <> '' AND final = 0 AND changed >= $1`
	countContradictionsQuery = `SELECT COUNT(*) FROM orders WHERE contradiction = 1 AND changed >= $1`
	// countForeignQuery jumps from store to store, and counts only where the store is another's.
	countForeignQuery = `WITH RECURSIVE v (vendor) AS (
			SELECT MIN(vendor) FROM orders
			UNION ALL SELECT (SELECT MIN(vendor) FROM orders WHERE vendor > v.vendor) FROM v WHERE v.vendor IS NOT NULL)
		SELECT COALESCE(SUM((SELECT COUNT(*) FROM orders o WHERE o.vendor = v.vendor AND o.changed >= $1)), 0)
		FROM v WHERE v.vendor IS NOT NULL AND v.vendor NOT IN (SELECT value FROM json_each($2))`
)

// CountDue counts the hand-overs that wait, of some stores.
func (s *Store) CountDue(ctx context.Context, vendors []string) (n int, err error) {
	err = s.read.QueryRowContext(ctx, countDueQuery, toJSON(vendors)).Scan(&n)
	return n, wrap(err, "count what is due for the ERP")
}

const countDueQuery = `SELECT (SELECT COUNT(*) FROM json_each($1) v JOIN order_dues d ON d.state = 'due' AND d.vendor = v.value)
	+ (SELECT COUNT(*) FROM order_dues WHERE state = 'staged')`
