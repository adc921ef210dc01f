package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Pause is a time in which nothing begins to leave for a store, or for any.
type Pause struct {
	Scope       string // a store's id, or * for all
	Who, Reason string
	At          time.Time
	Until       time.Time // zero = until somebody ends it
}

// What a row of deliveries, of effects or of targets has to do with pauses, by its target. A file for all stores is paused with any of
// them, for it can't leave one out. Vendor ids hold nothing that LIKE has a meaning for.
const (
	pausedTarget = `EXISTS (SELECT 1 FROM pauses p WHERE p.ended = 0
		AND (p.scope = '*' OR target LIKE '%/*' OR target LIKE '%/' || p.scope))`
	pausedDelivery = `EXISTS (SELECT 1 FROM pauses p WHERE p.ended = 0
		AND (p.scope = '*' OR d.target LIKE '%/*' OR d.target LIKE '%/' || p.scope))`
	inScope = `($1 = '*' OR target LIKE '%/*' OR target LIKE '%/' || $1)`
)

const pauseColumns = `scope, who, reason, at, until`

func scanPause(rows *sql.Rows) (p Pause, err error) {
	var at, until int64
	err = rows.Scan(&p.Scope, &p.Who, &p.Reason, &at, &until)
	p.At, p.Until = fromMillis(at), fromMillis(until)
	return p, err
}

// Pause puts pauses in force, each in place of one that its scope has. What was not begun stays where it is.
func (s *Store) Pause(ctx context.Context, pauses []Pause) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, p := range pauses {
			id, err := nextNumber(ctx, tx, "pauses")
			if err == nil {
				_, err = tx.ExecContext(ctx, `UPDATE pauses SET ended = $2, ended_by = $3 WHERE scope = $1 AND ended = 0`, p.Scope, millis(p.At), p.Who)
			}
			if err == nil {
				_, err = tx.ExecContext(ctx, `INSERT INTO pauses (id, scope, who, reason, at, until, ended, ended_by) VALUES ($1, $2, $3, $4, $5, $6, 0, '')`,
					id, p.Scope, p.Who, p.Reason, millis(p.At), millis(p.Until))
			}
			if err == nil {
				err = tellScope(ctx, tx, p.Scope)
			}
			if err == nil {
				err = note(ctx, tx, p.At, EntryPause, Facts{Scope: p.Scope, Who: p.Who, Until: p.Until})
			}
			if err != nil {
				return fmt.Errorf("pause %s: %w", p.Scope, err)
			}
		}
		return nil
	})
}

// Pauses lists the pauses in force, those of all stores first.
func (s *Store) Pauses(ctx context.Context) ([]Pause, error) {
	all, err := list(ctx, s.read, scanPause, `SELECT `+pauseColumns+` FROM pauses WHERE ended = 0 ORDER BY scope`)
	return all, wrap(err, "list pauses")
}

// Resume ends the pauses of scopes, all of them where none is named, and returns those that were in force. What a slot asked for
// meanwhile is planned anew, so that what leaves is the newest state.
func (s *Store) Resume(ctx context.Context, scopes []string, who string, now time.Time) (ended []Pause, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		ended, err = list(ctx, tx, scanPause, `UPDATE pauses SET ended = $1, ended_by = $2
			WHERE ended = 0 AND ($3 = 'null' OR scope IN (SELECT value FROM json_each($3))) RETURNING `+pauseColumns, millis(now), who, toJSON(scopes))
		if err != nil {
			return fmt.Errorf("end pauses: %w", err)
		}
		return afterPauses(ctx, tx, ended, who, now)
	})
	return ended, err
}

// EndPauses ends the pauses whose time is over, as Resume does, and returns them.
func (s *Store) EndPauses(ctx context.Context, now time.Time) (ended []Pause, err error) {
	const isOver = `ended = 0 AND until > 0 AND until <= $1`
	var over bool
	if err := s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM pauses WHERE `+isOver+`)`, millis(now)).Scan(&over); err != nil || !over {
		return nil, wrap(err, "look for pauses that are over")
	}
	err = s.tx(ctx, func(tx *sql.Tx) error {
		ended, err = list(ctx, tx, scanPause, `UPDATE pauses SET ended = until WHERE `+isOver+` RETURNING `+pauseColumns, millis(now))
		if err != nil {
			return fmt.Errorf("end pauses that are over: %w", err)
		}
		return afterPauses(ctx, tx, ended, "", now)
	})
	return ended, err
}

// afterPauses has what was planned under a pause planned anew: it may be days old. who is "" where its time was over.
func afterPauses(ctx context.Context, tx *sql.Tx, ended []Pause, who string, now time.Time) error {
	for _, p := range ended {
		_, err := tx.ExecContext(ctx, `UPDATE targets SET plan_due = 1 WHERE `+inScope+` AND EXISTS
			(SELECT 1 FROM plans WHERE plans.target = targets.target AND plans.state = 'open')`, p.Scope)
		if err == nil {
			err = tellScope(ctx, tx, p.Scope)
		}
		if err == nil {
			err = note(ctx, tx, now, EntryResume, Facts{Scope: p.Scope, Who: who})
		}
		if err != nil {
			return fmt.Errorf("end pause of %s: %w", p.Scope, err)
		}
	}
	return nil
}

// tellScope makes the receipts due of drops that wait for something to leave in a scope.
func tellScope(ctx context.Context, tx *sql.Tx, scope string) error {
	_, err := tx.ExecContext(ctx, `UPDATE drops SET receipt_due = receipt_due + 1 WHERE seq IN
		(SELECT seq FROM effects WHERE `+openEffects+` AND `+inScope+`)`, scope)
	return err
}
