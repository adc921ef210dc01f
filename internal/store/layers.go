package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/shelf"
)

// LayerFile is one file of a layer's stack.
type LayerFile struct {
	Feed, Scope string
	Seq         int64
	Full        bool
	Digest      shelf.Digest
	Was         shelf.Digest // read anew: what counts until the brake has passed Digest; else ""
	Present     int
	Tombstones  int
	Owned       catalog.Fields // what the export speaks of
	Modified    time.Time
	State       LayerState
	Findings    []catalog.Issue // what the brake has against it; of a new file, what it is expected to have
	Undo        bool            // a rollback made it, and no export
}

// LayerState says whether a file of a layer counts.
type LayerState string

// The states of a layer file.
const (
	LayerNew    LayerState = "new"    // not yet seen by the brake
	LayerPassed LayerState = "passed" // it counts
	LayerHeld   LayerState = "held"   // the brake has something against it
	LayerPast   LayerState = "past"   // a later full one took its place
)

const layerColumns = `feed, scope, seq, is_full, digest, was, present, tombstones, owned, modified, state, findings,
	EXISTS (SELECT 1 FROM drops WHERE drops.seq = layers.seq AND drops.feed = '')`

// The files that are not past are few, and have an index of their own.
const (
	layerQuery  = `SELECT ` + layerColumns + ` FROM layers INDEXED BY layers_now WHERE feed = $1 AND scope = $2 AND state <> 'past' ORDER BY seq`
	layersQuery = `SELECT ` + layerColumns + ` FROM layers INDEXED BY layers_now WHERE state <> 'past' ORDER BY feed, scope, seq`
)

func scanLayer(rows *sql.Rows) (l LayerFile, err error) {
	var modified int64
	var findings string
	err = rows.Scan(&l.Feed, &l.Scope, &l.Seq, &l.Full, &l.Digest, &l.Was, &l.Present, &l.Tombstones, &l.Owned, &modified, &l.State, &findings, &l.Undo)
	if err != nil {
		return l, err
	}
	l.Modified = fromMillis(modified)
	l.Findings, err = fromJSON[[]catalog.Issue](findings)
	return l, err
}

// Layer lists the files of one layer that are not past, the lowest first.
func (s *Store) Layer(ctx context.Context, feed, scope string) ([]LayerFile, error) {
	all, err := list(ctx, s.read, scanLayer, layerQuery, feed, scope)
	return all, wrap(err, "read layer %s of %s", feed, scope)
}

// LayersOf lists the files that a drop made and that are not past, by feed and scope.
func (s *Store) LayersOf(ctx context.Context, seq int64) ([]LayerFile, error) {
	all, err := list(ctx, s.read, scanLayer, `SELECT `+layerColumns+` FROM layers WHERE seq = $1 AND state <> 'past' ORDER BY feed, scope`, seq)
	return all, wrap(err, "list layers of drop %d", seq)
}

// Layers lists the files of every layer that are not past, by feed, scope and age.
func (s *Store) Layers(ctx context.Context) ([]LayerFile, error) {
	all, err := list(ctx, s.read, scanLayer, layersQuery)
	return all, wrap(err, "list layers")
}

// Judged records what the brake decided on the files of one layer: their State and Findings. A held file holds the effects of its
// drop on the targets; the effects of one that is past, where nothing of it was planned yet, never come.
func (s *Store) Judged(ctx context.Context, files []LayerFile, targets []string, now time.Time) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, l := range files {
			_, err := tx.ExecContext(ctx, `UPDATE layers SET state = $4, findings = $5, was = $6 WHERE feed = $1 AND scope = $2 AND seq = $3`,
				l.Feed, l.Scope, l.Seq, l.State, toJSON(l.Findings), l.Was)
			if err == nil {
				err = noteJudged(ctx, tx, l, now)
			}
			switch {
			case err != nil:
			case l.State == LayerHeld:
				err = moveEffects(ctx, tx, l.Seq, targets, EffectWaiting, EffectHeld, now)
			case l.State == LayerPast:
				// Whether it was held or would have gone with the next slot: what leaves is what the later one says.
				err = errors.Join(moveEffects(ctx, tx, l.Seq, targets, EffectHeld, EffectReplaced, now),
					moveEffects(ctx, tx, l.Seq, targets, EffectWaiting, EffectReplaced, now),
					moveEffects(ctx, tx, l.Seq, targets, EffectRowsHeld, EffectReplaced, now),
					forgetHeld(ctx, tx, l.Seq, targets),
					replaceStaged(ctx, tx, l.Seq, targets, now))
			}
			if err != nil {
				return fmt.Errorf("record judgement of drop %d: %w", l.Seq, err)
			}
		}
		return keepHistories(ctx, tx, files, now)
	})
}

// forgetHeld forgets what the brake has against rows of a drop that does not count any more: whoever decides on them decides on others'.
func forgetHeld(ctx context.Context, tx *sql.Tx, seq int64, targets []string) error {
	for _, t := range targets {
		if _, err := tx.ExecContext(ctx, `UPDATE effects SET held = '' WHERE seq = $1 AND target = $2 AND held <> ''`, seq, t); err != nil {
			return err
		}
	}
	return nil
}

// replaceStaged moves the effects of a drop that arrived but for promotions which wait: the later export says what becomes of those.
func replaceStaged(ctx context.Context, tx *sql.Tx, seq int64, targets []string, now time.Time) error {
	for _, t := range targets {
		_, err := tx.ExecContext(ctx, `UPDATE effects SET state = $3, at = $4 WHERE seq = $1 AND target = $2 AND state = 'verified'
			AND plan IN (SELECT id FROM plans WHERE target = $2 AND waiting > 0)`, seq, t, EffectReplaced, millis(now))
		if err != nil {
			return err
		}
	}
	return nil
}

// moveEffects moves the effects of a drop on the targets from one state to another; where any moved, the receipt is due.
func moveEffects(ctx context.Context, tx *sql.Tx, seq int64, targets []string, from, to EffectState, now time.Time) error {
	for _, t := range targets {
		res, err := tx.ExecContext(ctx, `UPDATE effects SET state = $4, at = $5 WHERE seq = $1 AND target = $2 AND state = $3`,
			seq, t, from, to, millis(now))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		if _, err := tx.ExecContext(ctx, `UPDATE drops SET receipt_due = receipt_due + 1 WHERE seq = $1`, seq); err != nil {
			return err
		}
	}
	return nil
}

// Compacted replaces the passed files of a layer by one that reads the same. It keeps the newest one's number.
func (s *Store) Compacted(ctx context.Context, old []LayerFile, one LayerFile) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, l := range old {
			_, err := tx.ExecContext(ctx, `UPDATE layers SET state = 'past' WHERE feed = $1 AND scope = $2 AND seq = $3 AND seq <> $4`,
				l.Feed, l.Scope, l.Seq, one.Seq)
			if err != nil {
				return fmt.Errorf("compact layer %s of %s: %w", one.Feed, one.Scope, err)
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE layers SET is_full = $7, merged = 1, digest = $4, present = $5, tombstones = $6
			WHERE feed = $1 AND scope = $2 AND seq = $3`, one.Feed, one.Scope, one.Seq, one.Digest, one.Present, one.Tombstones, one.Full)
		if err == nil {
			err = keepHistory(ctx, tx, one.Feed, one.Scope, s.Now())
		}
		return wrap(err, "compact layer %s of %s", one.Feed, one.Scope)
	})
}

// Approval is a finding that an admin accepted.
type Approval struct {
	Feed, Scope string
	Code        catalog.Code
	Share       float64
	Until       time.Time
	Who         string
}

// Approve records approvals and brings the held files of their layers before the brake again; the targets are planned at once.
func (s *Store) Approve(ctx context.Context, approvals []Approval, targets []string, now time.Time) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, a := range approvals {
			_, err := tx.ExecContext(ctx, `INSERT INTO approvals (feed, scope, code, share, until, who) VALUES ($1, $2, $3, $4, $5, $6)
				ON CONFLICT (feed, scope, code) DO UPDATE SET share = excluded.share, until = excluded.until, who = excluded.who`,
				a.Feed, a.Scope, a.Code, a.Share, millis(a.Until), a.Who)
			if err == nil {
				err = unhold(ctx, tx, a, targets, now)
			}
			if err == nil {
				err = note(ctx, tx, now, EntryApproval, Facts{
					Feed: a.Feed, Scope: a.Scope, Who: a.Who, Codes: []string{string(a.Code)}, Share: a.Share, Until: a.Until,
				})
			}
			if err != nil {
				return fmt.Errorf("approve %s of %s: %w", a.Feed, a.Scope, err)
			}
		}
		return markDue(ctx, tx, targets, false)
	})
}

// Reject records that held files of a drop do not count, by the word of who: what they would have changed stays as it is.
func (s *Store) Reject(ctx context.Context, files []LayerFile, targets []string, who string, now time.Time) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, l := range files {
			_, err := tx.ExecContext(ctx, `UPDATE layers SET state = 'past' WHERE feed = $1 AND scope = $2 AND seq = $3 AND state = 'held'`,
				l.Feed, l.Scope, l.Seq)
			if err == nil {
				err = errors.Join(moveEffects(ctx, tx, l.Seq, targets, EffectHeld, EffectRejected, now), forgetHeld(ctx, tx, l.Seq, targets))
			}
			if err == nil {
				err = note(ctx, tx, now, EntryRejection, Facts{Drop: l.Seq, Feed: l.Feed, Scope: l.Scope, Who: who})
			}
			if err != nil {
				return fmt.Errorf("reject drop %d: %w", l.Seq, err)
			}
		}
		return keepHistories(ctx, tx, files, now)
	})
}

// unhold brings the held files of an approval's layer before the brake again. The targets matter: another store's file of the same
// drop may be held on.
func unhold(ctx context.Context, tx *sql.Tx, a Approval, targets []string, now time.Time) error {
	held, err := list(ctx, tx, scanOne[int64], `UPDATE layers INDEXED BY layers_now SET state = 'new'
		WHERE feed = $1 AND scope = $2 AND state <> 'past' AND state = 'held' RETURNING seq`,
		a.Feed, a.Scope)
	for _, seq := range held {
		if err == nil {
			err = moveEffects(ctx, tx, seq, targets, EffectHeld, EffectWaiting, now)
		}
	}
	return err
}

// Approvals lists the approvals of a layer that still hold at now.
func (s *Store) Approvals(ctx context.Context, feed, scope string, now time.Time) ([]Approval, error) {
	scan := func(rows *sql.Rows) (a Approval, err error) {
		var until int64
		err = rows.Scan(&a.Feed, &a.Scope, &a.Code, &a.Share, &until, &a.Who)
		a.Until = fromMillis(until)
		return a, err
	}
	all, err := list(ctx, s.read, scan, `SELECT feed, scope, code, share, until, who FROM approvals
		WHERE feed = $1 AND scope = $2 AND until > $3`, feed, scope, millis(now))
	return all, wrap(err, "read approvals of %s", feed)
}
