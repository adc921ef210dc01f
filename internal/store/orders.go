package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"gondola/internal/order"
	"gondola/internal/platform"
)

// Watermark is up to when the platform was asked for the orders of a store, by the platform's clock.
type Watermark struct {
	Vendor string
	Upto   time.Time
}

// OrderMark returns the watermark of a store; the zero time where it was never asked.
func (s *Store) OrderMark(ctx context.Context, vendor string) (time.Time, error) {
	var upto int64
	err := s.read.QueryRowContext(ctx, `SELECT upto FROM order_marks WHERE vendor = $1`, vendor).Scan(&upto)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return fromMillis(upto), wrap(err, "read up to when orders of %s were asked for", vendor)
}

// ErrNoOrderID says that an order has no id: nobody could tell it from any other.
var ErrNoOrderID = errors.New("an order without an id")

// MergeOrders adds what was seen to the orders, in this order and in one transaction, with the hand-overs that come to be due by
// Store.OrderRules, the events that are handled by it, and the watermark where there is one. The same things again change nothing. It
// returns ErrNoOrderID, and changes nothing, where one of them has no id.
func (s *Store) MergeOrders(ctx context.Context, seen []order.Seen, mark *Watermark) error {
	for _, one := range seen {
		if order.Key(one.Order.ID) == "" {
			return ErrNoOrderID
		}
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		doubtful, err := ordersDoubtful(ctx, tx)
		if err != nil {
			return err
		}
		for _, one := range seen {
			if err := s.mergeOrder(ctx, tx, one, doubtful); err != nil {
				return fmt.Errorf("merge order %q: %w", one.Order.ID, err)
			}
			if one.Event == 0 {
				continue
			}
			if err := eventHandled(ctx, tx, one.Event, string(platform.EventOrder), one.At); err != nil {
				return err
			}
		}
		if mark == nil {
			return nil
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO order_marks (vendor, upto) VALUES ($1, $2)
			ON CONFLICT (vendor) DO UPDATE SET upto = excluded.upto`, mark.Vendor, millis(mark.Upto))
		return wrap(err, "note up to when orders of %s were asked for", mark.Vendor)
	})
}

// doubtfulFact has when a state was restored from a backup: what the platform told before that may have been handed over by the state that
// was lost.
const doubtfulFact = "orders doubtful"

// ordersDoubtful returns up to which time orders may have been handed over without our knowing; the zero time where that can't be.
func ordersDoubtful(ctx context.Context, tx *sql.Tx) (time.Time, error) {
	all, err := list(ctx, tx, scanOne[int64], `SELECT CAST(value AS BIGINT) FROM facts WHERE name = $1`, doubtfulFact)
	if err != nil || len(all) == 0 {
		return time.Time{}, wrap(err, "ask whether the state was restored")
	}
	return fromMillis(all[0]), nil
}

// mergeOrder adds one sighting.
func (s *Store) mergeOrder(ctx context.Context, tx *sql.Tx, seen order.Seen, doubtful time.Time) error {
	key := order.Key(seen.Order.ID)
	was, err := storedOrder(ctx, tx, key)
	if err != nil {
		return err
	}
	now, change := order.Merge(was, seen, s.OrderRules)
	if change.Row {
		if err := putOrder(ctx, tx, key, now.Head); err != nil {
			return err
		}
	}
	if change.Body {
		c := now.Bodies[change.State]
		_, err := tx.ExecContext(ctx, `INSERT INTO order_bodies (key, state, updated, cart, body) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (key, state) DO UPDATE SET updated = excluded.updated, cart = excluded.cart, body = excluded.body`,
			key, c.State, millis(c.Updated), c.Digest, []byte(seen.Order.Raw))
		if err != nil {
			return fmt.Errorf("keep its body: %w", err)
		}
	}
	if v := change.Sighting; v != nil {
		_, err := tx.ExecContext(ctx, `INSERT INTO order_sightings (key, state, source, cart, at, updated) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (key, state, source, cart) DO UPDATE SET at = excluded.at, updated = excluded.updated`,
			key, v.State, v.By, v.Digest, millis(v.At), millis(v.Updated))
		if err != nil {
			return fmt.Errorf("note how it was told: %w", err)
		}
	}
	for _, d := range change.Due {
		row := dueRow{Due: d, key: key, vendor: now.Vendor, at: seen.At, replay: seen.At.Before(doubtful)}
		if !seen.Order.Updated.IsZero() {
			row.replay = seen.Order.Updated.Before(doubtful)
		}
		if err := putDue(ctx, tx, row); err != nil {
			return err
		}
	}
	return nil
}

// dueRow is a hand-over that is to be noted.
type dueRow struct {
	order.Due
	key, vendor string
	at          time.Time
	replay      bool
}

// putDue notes a hand-over, or that one which was not begun has another cart.
func putDue(ctx context.Context, tx *sql.Tx, d dueRow) error {
	n, err := tx.ExecContext(ctx, `UPDATE order_dues SET cart = $4 WHERE key = $1 AND asked = $2 AND revision = $3 AND state = 'due'`,
		d.key, d.Asked, d.Revision, d.Digest)
	if err != nil {
		return fmt.Errorf("note what is due: %w", err)
	}
	if rows, err := n.RowsAffected(); err != nil || rows > 0 {
		return err
	}
	seq, err := nextNumber(ctx, tx, "order dues")
	if err == nil {
		_, err = tx.ExecContext(ctx, `INSERT INTO order_dues (seq, key, asked, revision, vendor, seen, skipped, cart, replay, state, at, file)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'due', $10, 0)`,
			seq, d.key, d.Asked, d.Revision, d.vendor, d.Seen, d.Skipped, d.Digest, d.replay, millis(d.at))
	}
	return wrap(err, "note what is due")
}

const headColumns = `id, external, code, vendor, partner, kind, transport, preorder, state, reached, strange, contradiction,
	cart_state, cart_at, cart, total, items, reason, created, updated, first, changed, purged`

func scanHeadAlone(rows *sql.Rows) (order.Head, error) { return scanHead(rows) }

// scanHead reads a row of headColumns, and what comes behind them.
func scanHead(rows *sql.Rows, more ...any) (h order.Head, err error) {
	var cart, created, updated, first, changed, purged int64
	err = rows.Scan(append([]any{
		&h.ID, &h.ExternalID, &h.Code, &h.Vendor, &h.Partner, &h.Type, &h.Transport, &h.Preorder, &h.State, &h.Reached,
		&h.Strange, &h.Contradiction, &h.Cart.State, &cart, &h.Cart.Digest, &h.Total, &h.Items, &h.Reason,
		&created, &updated, &first, &changed, &purged,
	}, more...)...)
	h.Cart.Updated, h.Created, h.Updated = fromMillis(cart), fromMillis(created), fromMillis(updated)
	h.First, h.Changed, h.Purged = fromMillis(first), fromMillis(changed), fromMillis(purged)
	return h, err
}

// putOrder writes the row of an order.
func putOrder(ctx context.Context, tx *sql.Tx, key string, h order.Head) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO orders (key, final, `+headColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)
		ON CONFLICT (key) DO UPDATE SET final = excluded.final, external = excluded.external, code = excluded.code,
			vendor = excluded.vendor, partner = excluded.partner, kind = excluded.kind, transport = excluded.transport,
			preorder = excluded.preorder, state = excluded.state, reached = excluded.reached, strange = excluded.strange,
			contradiction = excluded.contradiction, cart_state = excluded.cart_state, cart_at = excluded.cart_at, cart = excluded.cart,
			total = excluded.total, items = excluded.items, reason = excluded.reason, created = excluded.created,
			updated = excluded.updated, first = excluded.first, changed = excluded.changed, purged = excluded.purged`,
		key, order.Final(h.State), h.ID, h.ExternalID, h.Code, h.Vendor, h.Partner, h.Type, h.Transport, h.Preorder, h.State, h.Reached,
		h.Strange, h.Contradiction, h.Cart.State, millis(h.Cart.Updated), h.Cart.Digest, h.Total, h.Items, h.Reason,
		millis(h.Created), millis(h.Updated), millis(h.First), millis(h.Changed), millis(h.Purged))
	return wrap(err, "keep it")
}

// The queries by which one order is read. A test holds them, as the others of orders, to their indexes.
const (
	headQuery      = `SELECT ` + headColumns + ` FROM orders WHERE key = $1`
	cartsQuery     = `SELECT state, updated, cart, length(body) = 0 FROM order_bodies WHERE key = $1`
	sightingsQuery = `SELECT state, source, cart, at, updated FROM order_sightings WHERE key = $1 ORDER BY at, state, source, cart`
	owedQuery      = `SELECT asked, seen, skipped, revision, cart, state <> 'due' FROM order_dues WHERE key = $1 ORDER BY asked, revision`
)

// storedOrder reads what is known of an order; the zero value where nothing is.
func storedOrder(ctx context.Context, q querier, key string) (o order.Stored, err error) {
	heads, err := list(ctx, q, scanHeadAlone, headQuery, key)
	if err != nil || len(heads) == 0 {
		return o, wrap(err, "read it")
	}
	o = order.Stored{Head: heads[0], Bodies: map[platform.OrderState]order.Cart{}, Owed: map[platform.OrderState]order.Due{}}
	carts, err := list(ctx, q, func(rows *sql.Rows) (c order.Cart, err error) {
		var updated int64
		err = rows.Scan(&c.State, &updated, &c.Digest, &c.Gone)
		c.Updated = fromMillis(updated)
		return c, err
	}, cartsQuery, key)
	if err != nil {
		return o, fmt.Errorf("read its bodies: %w", err)
	}
	for _, c := range carts {
		o.Bodies[c.State] = c
	}
	o.Sightings, err = list(ctx, q, func(rows *sql.Rows) (v order.Sighting, err error) {
		var at, updated int64
		err = rows.Scan(&v.State, &v.By, &v.Digest, &at, &updated)
		v.At, v.Updated = fromMillis(at), fromMillis(updated)
		return v, err
	}, sightingsQuery, key)
	if err != nil {
		return o, fmt.Errorf("read how it was told: %w", err)
	}
	dues, err := list(ctx, q, func(rows *sql.Rows) (d order.Due, err error) {
		return d, rows.Scan(&d.Asked, &d.Seen, &d.Skipped, &d.Revision, &d.Digest, &d.Begun)
	}, owedQuery, key)
	for _, d := range dues {
		o.Owed[d.Asked] = d // the last revision comes last
	}
	return o, wrap(err, "read what is due of it")
}

// Order returns what is known of an order by its id, false where nothing is.
func (s *Store) Order(ctx context.Context, id string) (order.Stored, bool, error) {
	o, err := storedOrder(ctx, s.read, order.Key(id))
	return o, o.ID != "", wrap(err, "look for order %q", id)
}

// OrderBody returns the newest body of an order in a state, as the platform wrote it; nil where none is kept. It is personal.
func (s *Store) OrderBody(ctx context.Context, id string, state platform.OrderState) (json.RawMessage, error) {
	all, err := list(ctx, s.read, scanOne[[]byte], `SELECT body FROM order_bodies WHERE key = $1 AND state = $2 AND length(body) > 0`,
		order.Key(id), state)
	if err != nil || len(all) == 0 {
		return nil, wrap(err, "read the body of order %q", id)
	}
	return all[0], nil
}

// FindOrders looks for orders by their id, what customers call them, or the rider's code, the newest first, at most 50: codes are short and come
// again.
func (s *Store) FindOrders(ctx context.Context, word string) ([]order.Head, error) {
	word = strings.TrimSpace(word)
	all, err := list(ctx, s.read, scanHeadAlone, findQuery, order.Key(word), word)
	return all, wrap(err, "look for order %q", word)
}

const findQuery = `SELECT ` + headColumns + ` FROM orders WHERE key = $1 OR external = $2 OR code = $2 ORDER BY changed DESC LIMIT 50`
