package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"gondola/internal/inbox"
)

// The names of counts.
const (
	countAccepted = "accepted"
	countRepeats  = "repeats"
	countAside    = "aside/"
	countRefused  = "refused/"
)

// AcceptEvents implements [inbox.Keeper].
func (s *Store) AcceptEvents(ctx context.Context, events []inbox.Event) error {
	return s.tx(ctx, func(tx *sql.Tx) error { return acceptEvents(ctx, tx, events) })
}

func acceptEvents(ctx context.Context, tx *sql.Tx, events []inbox.Event) error {
	const add = `INSERT INTO inbox
		(digest, at, state, kind, reason, detail, body, size, repeats, last_at, attempts, next_at, done_at)
		VALUES ($1, $2, $3, '', '', '', $4, $5, 0, $2, 0, 0, $6)
		-- Somebody may have tried the way with an order that comes now.
		ON CONFLICT (digest) DO UPDATE SET at = excluded.at, state = 'new', body = excluded.body, last_at = excluded.at, done_at = 0
			WHERE state = 'test' AND excluded.state = 'new'`
	// A transaction ends by its time as a whole. A watch over each of its statements costs more than the statement.
	ctx = context.WithoutCancel(ctx)
	var accepted, repeats int64
	var last time.Time
	for _, e := range events {
		state, done := "new", time.Time{}
		if e.Test {
			state, done = "test", e.At
		}
		body := e.Body
		if body == nil {
			body = []byte{} // nil would be NULL
		}
		res, err := tx.ExecContext(ctx, add, e.Digest[:], millis(e.At), state, body, len(e.Body), millis(done))
		if err != nil {
			return fmt.Errorf("keep event: %w", err)
		}
		added, err := res.RowsAffected()
		if err != nil {
			return fmt.Errorf("keep event: %w", err)
		}
		came := !e.Test && !e.Asked
		if added == 0 {
			_, err := tx.ExecContext(ctx, `UPDATE inbox SET repeats = repeats + 1, last_at = $2 WHERE digest = $1`, e.Digest[:], millis(e.At))
			if err != nil {
				return fmt.Errorf("count repeated event: %w", err)
			}
		}
		switch {
		case came && added == 0:
			repeats++
		case came:
			accepted++
		}
		if came {
			last = e.At
		}
	}
	if err := count(ctx, tx, countAccepted, accepted, last, ""); err != nil {
		return err
	}
	return count(ctx, tx, countRepeats, repeats, last, "")
}

// count adds to a count of the inbox.
func count(ctx context.Context, tx *sql.Tx, what string, n int64, last time.Time, remote string) error {
	if n == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO inbox_counts (what, n, last_at, remote) VALUES ($1, $2, $3, $4)
		ON CONFLICT (what) DO UPDATE SET n = n + excluded.n, last_at = excluded.last_at, remote = excluded.remote`, what, n, millis(last), remote)
	return wrap(err, "count %s", what)
}

// CountRefused implements [inbox.Keeper].
func (s *Store) CountRefused(ctx context.Context, refused []inbox.Refused) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, r := range refused {
			if err := count(ctx, tx, countRefused+r.Reason, r.Count, r.Last, r.Remote); err != nil {
				return err
			}
		}
		return nil
	})
}

// HasEvent reports whether an event is kept, by the digest of its body.
func (s *Store) HasEvent(ctx context.Context, digest [32]byte) (bool, error) {
	n, err := list(ctx, s.read, scanOne[int64], `SELECT id FROM inbox WHERE digest = $1`, digest[:])
	return len(n) > 0, wrap(err, "look for an event")
}

const dueEventsQuery = `SELECT id, at, body, attempts FROM inbox WHERE state = 'new' AND (next_at <= $1 OR next_at > $2) ORDER BY next_at, id LIMIT $3`

// maxDueBytes is how large the bodies may be that are handed on at once, one more not counted.
const maxDueBytes = 16 << 20

// DueEvents implements [inbox.Queue].
func (s *Store) DueEvents(ctx context.Context, now time.Time, most int) (_ []inbox.Event, err error) {
	rows, err := s.read.QueryContext(ctx, dueEventsQuery, millis(now), millis(now.Add(longestDelay)), most)
	if err != nil {
		return nil, fmt.Errorf("list events to hand on: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var all []inbox.Event
	for size := 0; size < maxDueBytes && rows.Next(); {
		var e inbox.Event
		var at int64
		if err := rows.Scan(&e.ID, &at, &e.Body, &e.Attempts); err != nil {
			return nil, fmt.Errorf("list events to hand on: %w", err)
		}
		e.At = fromMillis(at)
		all, size = append(all, e), size+len(e.Body)
	}
	return all, wrap(rows.Err(), "list events to hand on")
}

const nextEventQuery = `SELECT MIN(next_at) FROM inbox WHERE state = 'new' AND next_at > 0 AND next_at <= $1`

// NextEvent returns when an event that failed is to be handed on again, the zero time where none is.
func (s *Store) NextEvent(ctx context.Context, now time.Time) (time.Time, error) {
	var next sql.NullInt64
	err := s.read.QueryRowContext(ctx, nextEventQuery, millis(now.Add(longestDelay))).Scan(&next)
	return fromMillis(next.Int64), wrap(err, "read when events are due")
}

// DeferEvent implements [inbox.Queue].
func (s *Store) DeferEvent(ctx context.Context, id int64, f inbox.Failure) error {
	return s.exec(ctx, "defer event", `UPDATE inbox SET attempts = $2, next_at = $3, detail = $4 WHERE id = $1 AND state = 'new'`,
		id, f.Attempts, millis(f.Next), f.Text)
}

// PutEventAside implements [inbox.Queue].
func (s *Store) PutEventAside(ctx context.Context, id int64, a *inbox.Aside, at time.Time) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		detail := ""
		if a.Err != nil {
			detail = a.Err.Error()
		}
		res, err := tx.ExecContext(ctx, `UPDATE inbox SET state = 'aside', reason = $2, detail = $3, done_at = $4 WHERE id = $1 AND state = 'new'`,
			id, a.Reason, detail, millis(at))
		if err != nil {
			return fmt.Errorf("put event %d aside: %w", id, err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return fmt.Errorf("put event %d aside: %w", id, err)
		}
		return count(ctx, tx, countAside+a.Reason, n, at, "")
	})
}

// RetryEvents hands events on once more that were put aside and whose bodies are still there: those with these ids, or all. It returns how
// many.
func (s *Store) RetryEvents(ctx context.Context, ids []int64) (n int64, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE inbox SET state = 'new', attempts = 0, next_at = 0, reason = '', done_at = 0
			WHERE state = 'aside' AND (body <> X'' OR size = 0) AND ($1 = '' OR id IN (SELECT value FROM json_each($1)))`, idList(ids))
		if err != nil {
			return fmt.Errorf("hand events on once more: %w", err)
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}

func idList(ids []int64) string {
	if ids == nil {
		return ""
	}
	return toJSON(ids)
}

// EventHandled records that an event was handled, for one that changes nothing else in the database. The kind is what it was
// understood as.
func (s *Store) EventHandled(ctx context.Context, id int64, kind string, at time.Time) error {
	return s.tx(ctx, func(tx *sql.Tx) error { return eventHandled(ctx, tx, id, kind, at) })
}

// eventHandled is EventHandled within the transaction of what the event changes.
func eventHandled(ctx context.Context, tx *sql.Tx, id int64, kind string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE inbox SET state = 'handled', kind = $2, detail = '', done_at = $3 WHERE id = $1 AND state = 'new'`,
		id, kind, millis(at))
	return wrap(err, "mark event %d as handled", id)
}

// forgetAtOnce is how many events are forgotten in one transaction: what comes in waits for it, and after a long standstill there may be
// hundreds of thousands.
const forgetAtOnce = 500

// ForgetEvents removes the bodies of events that came before a time, unless they wait still, and every trace of those that were done before
// an earlier one: until then the same event is known again. It returns how many bodies it removed, also where it came no further. What a
// body says is personal, and no younger for being handed on once more.
func (s *Store) ForgetEvents(ctx context.Context, bodies, rows time.Time) (n int64, err error) {
	n, err = s.forgetEvents(ctx, purgeableEvents, `UPDATE inbox SET body = X'' WHERE id IN (SELECT value FROM json_each($1))`, bodies)
	if err == nil {
		_, err = s.forgetEvents(ctx, forgottenEvents, `DELETE FROM inbox WHERE id IN (SELECT value FROM json_each($1))`, rows)
	}
	return n, wrap(err, "forget old events")
}

// forgetEvents forgets what find finds before a time, a few at a time. They are looked for outside of the transaction: looking takes longer
// than writing.
func (s *Store) forgetEvents(ctx context.Context, find, forget string, before time.Time) (n int64, err error) {
	for {
		ids, err := list(ctx, s.read, scanOne[int64], find+fmt.Sprint(forgetAtOnce), millis(before))
		if err != nil || len(ids) == 0 {
			return n, err
		}
		if err := s.exec(ctx, "forget some", forget, toJSON(ids)); err != nil {
			return n, err
		}
		n += int64(len(ids))
	}
}

const (
	purgeableEvents = `SELECT id FROM inbox WHERE state <> 'new' AND body <> X'' AND MIN(at, done_at) < $1 ORDER BY MIN(at, done_at) LIMIT `
	forgottenEvents = `SELECT id FROM inbox WHERE state <> 'new' AND done_at < $1 ORDER BY done_at LIMIT `
)

// AsideEvent is an event that could not be handled, without what it said.
type AsideEvent struct {
	ID     int64     `json:"id"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
	Detail string    `json:"detail,omitempty"`
	Size   int       `json:"size"`
	SHA256 string    `json:"sha256"`
}

// AsideEvents lists the newest events that could not be handled.
func (s *Store) AsideEvents(ctx context.Context, most int) ([]AsideEvent, error) {
	scan := func(rows *sql.Rows) (e AsideEvent, err error) {
		var at int64
		var digest []byte
		err = rows.Scan(&e.ID, &at, &e.Reason, &e.Detail, &e.Size, &digest)
		e.At, e.SHA256 = fromMillis(at), fmt.Sprintf("%x", digest)
		return e, err
	}
	all, err := list(ctx, s.read, scan, `SELECT id, at, reason, detail, size, digest FROM inbox WHERE state = 'aside' ORDER BY id DESC LIMIT $1`, most)
	return all, wrap(err, "list events that were put aside")
}

// AsideSince counts the events that were put aside since a time, by reason.
func (s *Store) AsideSince(ctx context.Context, since time.Time) (map[string]int, error) {
	type row struct {
		reason string
		n      int
	}
	scan := func(rows *sql.Rows) (r row, err error) { return r, rows.Scan(&r.reason, &r.n) }
	all, err := list(ctx, s.read, scan, `SELECT reason, COUNT(*) FROM inbox WHERE state = 'aside' AND done_at >= $1 GROUP BY reason`, millis(since))
	if err != nil {
		return nil, fmt.Errorf("count events that were put aside: %w", err)
	}
	by := map[string]int{}
	for _, r := range all {
		by[r.reason] = r.n
	}
	return by, nil
}

// InboxCount is how often something came, or was refused, since the beginning.
type InboxCount struct {
	N      int64     `json:"n"`
	Last   time.Time `json:"last,omitzero"`
	Remote string    `json:"remote,omitempty"` // where the last refused call came from
}

// InboxState is how things stand with what comes by webhook.
type InboxState struct {
	Accepted InboxCount            `json:"accepted"`
	Repeats  InboxCount            `json:"repeats"`
	Aside    map[string]InboxCount `json:"aside,omitempty"`   // by reason
	Refused  map[string]InboxCount `json:"refused,omitempty"` // by reason
	Waiting  int64                 `json:"waiting"`           // to be handled
	Oldest   time.Time             `json:"oldest,omitzero"`   // of these
	Failing  int64                 `json:"failing"`           // of these, that failed before
}

// Inbox returns how things stand with what comes by webhook.
func (s *Store) Inbox(ctx context.Context) (InboxState, error) {
	st := InboxState{Aside: map[string]InboxCount{}, Refused: map[string]InboxCount{}}
	scan := func(rows *sql.Rows) (struct{}, error) {
		var what string
		var c InboxCount
		var last int64
		if err := rows.Scan(&what, &c.N, &last, &c.Remote); err != nil {
			return struct{}{}, err
		}
		c.Last = fromMillis(last)
		if reason, is := strings.CutPrefix(what, countAside); is {
			st.Aside[reason] = c
		} else if reason, is := strings.CutPrefix(what, countRefused); is {
			st.Refused[reason] = c
		} else if what == countAccepted {
			st.Accepted = c
		} else if what == countRepeats {
			st.Repeats = c
		}
		return struct{}{}, nil
	}
	if _, err := list(ctx, s.read, scan, `SELECT what, n, last_at, remote FROM inbox_counts`); err != nil {
		return st, wrap(err, "read what came by webhook")
	}
	var oldest int64
	err := s.read.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(MIN(at), 0), COALESCE(SUM(attempts > 0), 0) FROM inbox WHERE state = 'new'`).
		Scan(&st.Waiting, &oldest, &st.Failing)
	st.Oldest = fromMillis(oldest)
	return st, wrap(err, "count events to hand on")
}
