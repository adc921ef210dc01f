package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"gondola/internal/shelf"
)

// Off is an article that an admin switched off in a store, or in all of them.
type Off struct {
	ID           int64
	Scope        string // a store's id, or * for all
	Key          string // of the article, as the chain identified it then
	SKU, Barcode string // as far as they were known
	Who, Reason  string
	At           time.Time
	Until        time.Time // zero = until somebody undoes it
}

const offColumns = `id, scope, item_key, sku, barcode, who, reason, at, until`

func scanOff(rows *sql.Rows) (o Off, err error) {
	var at, until int64
	err = rows.Scan(&o.ID, &o.Scope, &o.Key, &o.SKU, &o.Barcode, &o.Who, &o.Reason, &at, &until)
	o.At, o.Until = fromMillis(at), fromMillis(until)
	return o, err
}

// SwitchOff records articles as switched off, each in place of what was said of it in its scope before. The layer follows with OffApplied.
func (s *Store) SwitchOff(ctx context.Context, offs []Off) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, o := range offs {
			id, err := nextNumber(ctx, tx, "offs")
			if err == nil {
				_, err = tx.ExecContext(ctx, `UPDATE offs SET ended = $3, ended_by = $4 WHERE scope = $1 AND item_key = $2 AND ended = 0`,
					o.Scope, o.Key, millis(o.At), o.Who)
			}
			if err == nil {
				_, err = tx.ExecContext(ctx, `INSERT INTO offs (`+offColumns+`, ended, ended_by, applied) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, '', 0)`,
					id, o.Scope, o.Key, o.SKU, o.Barcode, o.Who, o.Reason, millis(o.At), millis(o.Until))
			}
			if err == nil {
				err = note(ctx, tx, o.At, EntryOff, Facts{Scope: o.Scope, Articles: []string{o.Key}, Who: o.Who, Until: o.Until})
			}
			if err != nil {
				return fmt.Errorf("switch %s off: %w", o.Key, err)
			}
		}
		return nil
	})
}

// SwitchOn undoes what SwitchOff recorded under numbers.
func (s *Store) SwitchOn(ctx context.Context, ids []int64, who string, now time.Time) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		ended, err := list(ctx, tx, scanOff, `UPDATE offs SET ended = $2, ended_by = $3, applied = 0
			WHERE ended = 0 AND id IN (SELECT value FROM json_each($1)) RETURNING `+offColumns, toJSON(ids), millis(now), who)
		return wrap(noteOn(ctx, tx, ended, who, now, err), "switch articles on")
	})
}

// noteOn tells the ledger of articles that are on again. who is "" where their time was over; err is why they are not.
func noteOn(ctx context.Context, tx *sql.Tx, ended []Off, who string, now time.Time, err error) error {
	for _, o := range ended {
		if err == nil {
			err = note(ctx, tx, now, EntryOn, Facts{Scope: o.Scope, Articles: []string{o.Key}, Who: who})
		}
	}
	return err
}

// EndOffs ends what is switched off until a time that has come.
func (s *Store) EndOffs(ctx context.Context, now time.Time) error {
	const isOver = `ended = 0 AND until > 0 AND until <= $1`
	var over bool
	if err := s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM offs WHERE `+isOver+`)`, millis(now)).Scan(&over); err != nil || !over {
		return wrap(err, "look for articles that are on again")
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		ended, err := list(ctx, tx, scanOff, `UPDATE offs SET ended = until, applied = 0 WHERE `+isOver+` RETURNING `+offColumns, millis(now))
		return wrap(noteOn(ctx, tx, ended, "", now, err), "switch articles on again")
	})
}

// Offs lists what is switched off, by scope and article.
func (s *Store) Offs(ctx context.Context) ([]Off, error) {
	all, err := list(ctx, s.read, scanOff, `SELECT `+offColumns+` FROM offs WHERE ended = 0 ORDER BY scope, item_key`)
	return all, wrap(err, "list what is switched off")
}

// OffsNew lists what was switched off or on, and the layer doesn't say so yet.
func (s *Store) OffsNew(ctx context.Context) ([]Off, error) {
	all, err := list(ctx, s.read, scanOff, `SELECT `+offColumns+` FROM offs WHERE applied = 0 ORDER BY id`)
	return all, wrap(err, "list what is to be switched")
}

// OffApplied records the layer of what is switched off in a scope: one file, without a drop behind it, or none where nothing is off any
// more (an empty digest). It covers the rows with the numbers, and the targets are planned at once.
func (s *Store) OffApplied(ctx context.Context, l LayerFile, ids []int64, targets []string) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM layers WHERE feed = $1 AND scope = $2`, l.Feed, l.Scope)
		if err == nil && l.Digest != shelf.Digest("") {
			_, err = tx.ExecContext(ctx, `INSERT INTO layers (feed, scope, seq, is_full, merged, digest, was, present, tombstones, owned, modified, state,
				findings) VALUES ($1, $2, 0, 1, 1, $3, '', $4, 0, $5, $6, 'passed', '')`, l.Feed, l.Scope, l.Digest, l.Present, l.Owned, millis(l.Modified))
		}
		if err == nil {
			err = keepHistory(ctx, tx, l.Feed, l.Scope, l.Modified)
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, `UPDATE offs SET applied = 1 WHERE id IN (SELECT value FROM json_each($1))`, toJSON(ids))
		}
		if err == nil {
			err = markDue(ctx, tx, targets, false)
		}
		return wrap(err, "record what is switched off in %s", l.Scope)
	})
}

// RetellOffs has the layers of what is switched off made anew: articles are known by another identifier.
func (s *Store) RetellOffs(ctx context.Context) error {
	return s.exec(ctx, "make what is switched off anew", `UPDATE offs SET applied = 0 WHERE ended = 0`)
}
