package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Fact returns a small value that outlives a process, "" where there is none.
func (s *Store) Fact(ctx context.Context, name string) (string, error) {
	var v string
	err := s.read.QueryRowContext(ctx, `SELECT value FROM facts WHERE name = $1`, name).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read fact %s: %w", name, err)
	}
	return v, nil
}

// SetFact keeps a small value.
func (s *Store) SetFact(ctx context.Context, name, value string) error {
	return s.exec(ctx, "keep fact "+name,
		`INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
}

// LastSlot returns the last slot of a schedule that was run, zero where none was.
func (s *Store) LastSlot(ctx context.Context, schedule string) (time.Time, error) {
	var n int64
	err := s.read.QueryRowContext(ctx, `SELECT last FROM slots WHERE name = $1`, schedule).Scan(&n)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, fmt.Errorf("read last slot of %s: %w", schedule, err)
	}
	return fromMillis(n), nil
}

// RecordSlot records that a slot of a schedule has come, and with it that the targets are to be planned: one transaction, so that a slot
// is neither lost nor run twice. Without targets it only sets where the schedule starts.
func (s *Store) RecordSlot(ctx context.Context, schedule string, slot time.Time, targets []string, full bool) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO slots (name, last) VALUES ($1, $2)
			ON CONFLICT (name) DO UPDATE SET last = excluded.last`, schedule, millis(slot))
		if err != nil {
			return fmt.Errorf("record slot of %s: %w", schedule, err)
		}
		return markDue(ctx, tx, targets, full)
	})
}

// Request asks for a plan of the targets as soon as possible, as a slot would. An admin who asks also ends the hold after a refused
// login, and with adopt says that foreign files under our names may be replaced.
func (s *Store) Request(ctx context.Context, targets []string, full, adopt bool) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if err := markDue(ctx, tx, targets, full); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM holds`); err != nil {
			return fmt.Errorf("end hold: %w", err)
		}
		for _, t := range targets {
			// What waits for its next attempt goes now; what was parked gets another chance. All of it is of the open plan, or of a done
			// one and to go once more.
			_, err := tx.ExecContext(ctx, `UPDATE deliveries INDEXED BY deliveries_open SET state = CASE state WHEN 'parked' THEN 'queued' ELSE state END, next_at = 0
				WHERE target = $1 AND `+unfinished+` AND state IN ('deferred', 'parked', 'queued')`, t)
			if err == nil && adopt {
				_, err = tx.ExecContext(ctx, `UPDATE targets SET adopt = 1 WHERE target = $1`, t)
			}
			if err != nil {
				return fmt.Errorf("hurry %s: %w", t, err)
			}
		}
		return nil
	})
}

// PlanSoon asks for a plan of the targets as soon as possible.
func (s *Store) PlanSoon(ctx context.Context, targets []string) error {
	return s.tx(ctx, func(tx *sql.Tx) error { return markDue(ctx, tx, targets, false) })
}

func markDue(ctx context.Context, tx *sql.Tx, targets []string, full bool) error {
	for _, t := range targets {
		_, err := tx.ExecContext(ctx, `INSERT INTO targets (target, parts, plan_due, full_due, adopt) VALUES ($1, 1, 1, $2, 0)
			ON CONFLICT (target) DO UPDATE SET plan_due = 1, full_due = MAX(full_due, excluded.full_due)`, t, full)
		if err != nil {
			return fmt.Errorf("mark %s as due: %w", t, err)
		}
	}
	return nil
}
