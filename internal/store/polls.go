package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"gondola/internal/order"
	"gondola/internal/platform"
)

// Poll is how far asking for a store's orders is.
type Poll struct {
	Vendor   string
	Tried    time.Time // last
	Done     time.Time // last read wholly; zero = never
	Failures int       // one after the other
	Error    string    // of the last one
}

// Polls returns how far asking is, by store.
func (s *Store) Polls(ctx context.Context) (map[string]Poll, error) {
	scan := func(rows *sql.Rows) (p Poll, err error) {
		var tried, done int64
		err = rows.Scan(&p.Vendor, &tried, &done, &p.Failures, &p.Error)
		p.Tried, p.Done = fromMillis(tried), fromMillis(done)
		return p, err
	}
	all, err := list(ctx, s.read, scan, `SELECT vendor, tried_at, done_at, failures, error FROM polls`)
	if err != nil {
		return nil, fmt.Errorf("read how far asking for orders is: %w", err)
	}
	byVendor := map[string]Poll{}
	for _, p := range all {
		byVendor[p.Vendor] = p
	}
	return byVendor, nil
}

// SetPoll keeps how far asking is.
func (s *Store) SetPoll(ctx context.Context, p Poll) error {
	return s.exec(ctx, "keep how far asking for orders is", `INSERT INTO polls (vendor, tried_at, done_at, failures, error) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (vendor) DO UPDATE SET tried_at = excluded.tried_at, done_at = excluded.done_at, failures = excluded.failures,
			error = excluded.error`, p.Vendor, millis(p.Tried), millis(p.Done), p.Failures, p.Error)
}

// askQuery walks the orders that something is expected of and that were not asked for lately.
const askQuery = `SELECT id FROM orders INDEXED BY orders_ask WHERE final = 0 AND missing < $1 AND asked_at <= $2 AND changed <= $2
	AND asked_at <= CASE WHEN changed > $3 THEN $4 WHEN changed > $5 THEN $6 WHEN changed > $7 THEN $8 WHEN changed > $9 THEN $10 ELSE -1 END
	ORDER BY changed DESC LIMIT $11`

// forgotten is how often the platform must not know an order, one time after the other, until it is not asked for any more.
const forgotten = 3

// OrdersToAsk lists the ids of orders that the platform is to be asked for alone, those that moved last first. There are four steps.
func (s *Store) OrdersToAsk(ctx context.Context, now time.Time, steps []order.AskStep, limit int) ([]string, error) {
	args := []any{forgotten, millis(now.Add(-steps[0].Every))}
	for _, step := range steps {
		args = append(args, millis(now.Add(-step.Within)), millis(now.Add(-step.Every)))
	}
	all, err := list(ctx, s.read, scanOne[string], askQuery, append(args, limit)...)
	return all, wrap(err, "list orders to ask for")
}

// OrdersAsked records that the platform answered about orders, by their ids, and whether it knew them.
func (s *Store) OrdersAsked(ctx context.Context, ids []string, at time.Time, known bool) error {
	if len(ids) == 0 {
		return nil
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = order.Key(id)
	}
	return s.exec(ctx, "record what was asked for", `UPDATE orders SET asked_at = $2, missing = CASE WHEN $3 THEN 0 ELSE missing + 1 END
		WHERE key IN (SELECT value FROM json_each($1))`, toJSON(keys), millis(at), known)
}

// Told is an order with how it was told.
type Told struct {
	Key       string
	ID        string
	Vendor    string
	Sightings []order.Sighting
}

const toldQuery = `SELECT o.key, o.id, o.vendor, s.state, s.source, s.at FROM orders o JOIN order_sightings s ON s.key = o.key
	WHERE o.changed >= $1 ORDER BY o.changed, o.key`

// ToldSince calls fn for each order that changed since a time, with how it was told.
func (s *Store) ToldSince(ctx context.Context, since time.Time, fn func(Told) error) (err error) {
	rows, err := s.read.QueryContext(ctx, toldQuery, millis(since))
	if err != nil {
		return fmt.Errorf("read how orders were told: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var last Told
	for rows.Next() {
		var t Told
		var v order.Sighting
		var at int64
		if err := rows.Scan(&t.Key, &t.ID, &t.Vendor, &v.State, &v.By, &at); err != nil {
			return fmt.Errorf("read how orders were told: %w", err)
		}
		v.At = fromMillis(at)
		if t.Key != last.Key {
			if last.Key != "" {
				if err := fn(last); err != nil {
					return err
				}
			}
			last = t
		}
		last.Sightings = append(last.Sightings, v)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read how orders were told: %w", err)
	}
	if last.Key != "" {
		return fn(last)
	}
	return nil
}

// GapOutcome is what became of a gap.
type GapOutcome string

// The outcomes.
const (
	GapOpen      GapOutcome = ""
	GapRepaired  GapOutcome = "repaired"  // what one side missed is known from the other
	GapConfirmed GapOutcome = "confirmed" // the platform was asked, and says something else than its event
	GapGone      GapOutcome = "gone"      // the platform was asked, and does not know the order
)

// OrderGap is a gap of an order.
type OrderGap struct {
	order.Gap
	Key     string
	ID      string
	Vendor  string
	Code    string
	Now     platform.OrderState // the order's
	Found   time.Time
	Checked int // how often the platform was asked because of it
	Next    time.Time
	Outcome GapOutcome
	Ended   time.Time
}

// AddGaps keeps gaps that are not known yet.
func (s *Store) AddGaps(ctx context.Context, all []OrderGap) error {
	if len(all) == 0 {
		return nil
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, g := range all {
			_, err := tx.ExecContext(ctx, `INSERT INTO order_gaps (key, kind, state, seen_at, found_at, checked, next_at, outcome, ended_at)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
				g.Key, g.Kind, g.State, millis(g.Seen), millis(g.Found), g.Checked, millis(g.Next), g.Outcome, millis(g.Ended))
			if err != nil {
				return fmt.Errorf("keep gap of order %q: %w", g.Key, err)
			}
		}
		return nil
	})
}

// SetGap keeps what became of a gap.
func (s *Store) SetGap(ctx context.Context, g OrderGap) error {
	return s.exec(ctx, "keep what became of a gap", `UPDATE order_gaps SET checked = $4, next_at = $5, outcome = $6, ended_at = $7
		WHERE key = $1 AND kind = $2 AND state = $3`, g.Key, g.Kind, g.State, g.Checked, millis(g.Next), g.Outcome, millis(g.Ended))
}

// DropGap forgets a gap that was none.
func (s *Store) DropGap(ctx context.Context, g OrderGap) error {
	return s.exec(ctx, "forget a gap", `DELETE FROM order_gaps WHERE key = $1 AND kind = $2 AND state = $3`, g.Key, g.Kind, g.State)
}

const gapsQuery = `SELECT g.key, g.kind, g.state, g.seen_at, g.found_at, g.checked, g.next_at, g.outcome, g.ended_at,
	COALESCE(o.id, g.key), COALESCE(o.vendor, ''), COALESCE(o.code, ''), COALESCE(o.state, '')
	FROM order_gaps g LEFT JOIN orders o ON o.key = g.key `

func scanGap(rows *sql.Rows) (g OrderGap, err error) {
	var seen, found, next, ended int64
	err = rows.Scan(&g.Key, &g.Kind, &g.State, &seen, &found, &g.Checked, &next, &g.Outcome, &ended, &g.ID, &g.Vendor, &g.Code, &g.Now)
	g.Seen, g.Found, g.Next, g.Ended = fromMillis(seen), fromMillis(found), fromMillis(next), fromMillis(ended)
	return g, err
}

// GapsSince lists the gaps that were found since a time, the newest first, at most so many.
func (s *Store) GapsSince(ctx context.Context, since time.Time, limit int) ([]OrderGap, error) {
	all, err := list(ctx, s.read, scanGap, gapsQuery+`WHERE g.found_at >= $1 ORDER BY g.found_at DESC, g.key LIMIT $2`, millis(since), limit)
	return all, wrap(err, "list gaps of orders")
}

const gapsToCheck = `WHERE g.ended_at = 0 AND g.next_at <= $1 ORDER BY g.next_at LIMIT $2`

// GapsToCheck lists gaps that the platform is to be asked about.
func (s *Store) GapsToCheck(ctx context.Context, now time.Time, limit int) ([]OrderGap, error) {
	all, err := list(ctx, s.read, scanGap, gapsQuery+gapsToCheck, millis(now), limit)
	return all, wrap(err, "list gaps of orders to ask about")
}

// GapCount is how many gaps of a kind there are with an outcome.
type GapCount struct {
	Kind    order.GapKind
	Outcome GapOutcome
	N       int
}

const countGapsQuery = `SELECT kind, outcome, COUNT(*) FROM order_gaps WHERE found_at >= $1 GROUP BY +kind, outcome ORDER BY +kind, outcome`

// CountGaps counts the gaps that were found since a time.
func (s *Store) CountGaps(ctx context.Context, since time.Time) ([]GapCount, error) {
	scan := func(rows *sql.Rows) (c GapCount, err error) { return c, rows.Scan(&c.Kind, &c.Outcome, &c.N) }
	all, err := list(ctx, s.read, scan, countGapsQuery, millis(since))
	return all, wrap(err, "count gaps of orders")
}

// Untold counts the states that answers had and no event told, first seen after a time; the first of them is when that began.
func (s *Store) Untold(ctx context.Context, after time.Time) (n int, first time.Time, err error) {
	var at int64
	err = s.read.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(MIN(seen_at), 0) FROM order_gaps WHERE kind = $1 AND seen_at > $2`,
		order.GapNotTold, millis(after)).Scan(&n, &at)
	return n, fromMillis(at), wrap(err, "count what no event told")
}

// ForgetGaps removes gaps that were found before a time.
func (s *Store) ForgetGaps(ctx context.Context, before time.Time) error {
	return s.exec(ctx, "forget old gaps", `DELETE FROM order_gaps WHERE found_at < $1`, millis(before))
}
