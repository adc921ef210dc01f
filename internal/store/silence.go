package store

import (
	"context"
	"database/sql"
	"time"
)

// LastExport returns when the newest export of a feed that was not rejected was first seen; zero where there is none. With a scope (a
// store, or * for exports for all of them) only exports count that were read and speak of it.
func (s *Store) LastExport(ctx context.Context, feed, scope string) (time.Time, error) {
	query, args := lastExportQuery, []any{feed}
	if scope != "" {
		query, args = lastExportOfQuery, []any{feed, scope}
	}
	all, err := list(ctx, s.read, scanOne[int64], query, args...)
	if err != nil || len(all) == 0 {
		return time.Time{}, wrap(err, "read when the last export of %s came", feed)
	}
	return fromMillis(all[0]), nil
}

const (
	lastExportQuery   = `SELECT first_seen FROM drops WHERE feed = $1 AND state <> 'rejected' ORDER BY seq DESC LIMIT 1`
	lastExportOfQuery = `SELECT d.first_seen FROM layers l JOIN drops d ON d.seq = l.seq WHERE l.feed = $1 AND l.scope = $2
		ORDER BY l.seq DESC LIMIT 1`
)

// SameExports is a row of exports that are the same byte for byte, the newest one of a layer and those before it.
type SameExports struct {
	Exports     int
	First, Last time.Time // when the first and the last one were first seen
}

// SameExports returns how long the exports that speak of a scope (a store, or *) have been the same; the zero value where there are none.
// What retention has removed is not seen.
func (s *Store) SameExports(ctx context.Context, feed, scope string) (same SameExports, err error) {
	var first, last int64
	err = s.read.QueryRowContext(ctx, sameExportsQuery, feed, scope).Scan(&same.Exports, &first, &last)
	same.First, same.Last = fromMillis(first), fromMillis(last)
	return same, wrap(err, "read since when exports of %s are the same", feed)
}

// It goes back from the newest one to the first that differs, each by the layers' key.
const sameExportsQuery = `WITH newest AS (
		SELECT l.seq, d.sha256 FROM layers l JOIN drops d ON d.seq = l.seq WHERE l.feed = $1 AND l.scope = $2 ORDER BY l.seq DESC LIMIT 1
	), other AS (
		SELECT l.seq FROM layers l JOIN drops d ON d.seq = l.seq
		WHERE l.feed = $1 AND l.scope = $2 AND d.sha256 <> (SELECT sha256 FROM newest) ORDER BY l.seq DESC LIMIT 1
	)
	SELECT COUNT(*), COALESCE(MIN(d.first_seen), 0), COALESCE(MAX(d.first_seen), 0) FROM layers l JOIN drops d ON d.seq = l.seq
	WHERE l.feed = $1 AND l.scope = $2 AND l.seq > COALESCE((SELECT seq FROM other), -1)`

// LastOrder returns when an order last came or changed; zero where none ever did.
func (s *Store) LastOrder(ctx context.Context) (time.Time, error) {
	var at sql.NullInt64
	err := s.read.QueryRowContext(ctx, lastOrderQuery).Scan(&at)
	return fromMillis(at.Int64), wrap(err, "read when an order last came")
}

const lastOrderQuery = `SELECT MAX(changed) FROM orders`

// OrdersWithin returns how many orders changed for the last time, or came and never changed, from one time on until another one.
func (s *Store) OrdersWithin(ctx context.Context, from, until time.Time) (n int, err error) {
	err = s.read.QueryRowContext(ctx, ordersWithinQuery, millis(from), millis(until)).Scan(&n)
	return n, wrap(err, "count the orders of some hours")
}

const ordersWithinQuery = `SELECT COUNT(*) FROM orders WHERE changed >= $1 AND changed < $2`
