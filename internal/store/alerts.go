package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// AlertBook returns what is known of the state, as package alert wrote it; "" where nothing is.
func (s *Store) AlertBook(ctx context.Context) (string, error) {
	var book string
	err := s.read.QueryRowContext(ctx, `SELECT book FROM alert_book`).Scan(&book)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return book, wrap(err, "read what alarms are about")
}

// SetAlertBook keeps what is known of the state.
func (s *Store) SetAlertBook(ctx context.Context, book string) error {
	return s.exec(ctx, "keep what alarms are about", `INSERT INTO alert_book (id, book) VALUES (1, $1)
		ON CONFLICT (id) DO UPDATE SET book = excluded.book`, book)
}

// AlertTarget is one place that is told, and how far it is.
type AlertTarget struct {
	Target   string // fingerprint of way and address
	Place    string // in the config
	Told     string // what it was told last, as package alert wrote it
	Due      string // names the message that does not get through, "" for none
	DueAt    time.Time
	Failures int
	Next     time.Time // of the next attempt; zero where there were failures = with the next change
	Error    string
}

// AlertTargets lists the places that were or are to be told.
func (s *Store) AlertTargets(ctx context.Context) ([]AlertTarget, error) {
	scan := func(rows *sql.Rows) (t AlertTarget, err error) {
		var due, next int64
		err = rows.Scan(&t.Target, &t.Place, &t.Told, &t.Due, &due, &t.Failures, &next, &t.Error)
		t.DueAt, t.Next = fromMillis(due), fromMillis(next)
		return t, err
	}
	all, err := list(ctx, s.read, scan, `SELECT target, place, told, due, due_at, failures, next_at, error FROM alert_targets
		ORDER BY place, target`)
	return all, wrap(err, "list who is told")
}

// SetAlertTarget keeps how far a target is.
func (s *Store) SetAlertTarget(ctx context.Context, t AlertTarget) error {
	return s.exec(ctx, "keep what "+t.Place+" was told", `INSERT INTO alert_targets
		(target, place, told, due, due_at, failures, next_at, error) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (target) DO UPDATE SET place = excluded.place, told = excluded.told, due = excluded.due, due_at = excluded.due_at,
			failures = excluded.failures, next_at = excluded.next_at, error = excluded.error`,
		t.Target, t.Place, t.Told, t.Due, millis(t.DueAt), t.Failures, millis(t.Next), t.Error)
}

// KeepAlertTargets forgets targets that are not among these: nobody tells them any more.
func (s *Store) KeepAlertTargets(ctx context.Context, targets []string) error {
	if targets == nil {
		targets = []string{} // null would be one unknown target, and nothing is known not to be that one
	}
	return s.exec(ctx, "forget who is not told any more",
		`DELETE FROM alert_targets WHERE target NOT IN (SELECT value FROM json_each($1))`, toJSON(targets))
}
