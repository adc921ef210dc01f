package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"gondola/internal/order"
)

// ForgetBodies removes the bodies of an order, and returns how many there were. They are taken again when the platform tells of it.
func (s *Store) ForgetBodies(ctx context.Context, id string) (int64, error) {
	done, err := s.write.ExecContext(ctx, `UPDATE order_bodies SET body = x'' WHERE key = $1 AND length(body) > 0`, order.Key(id))
	if err != nil {
		return 0, fmt.Errorf("forget the bodies of order %q: %w", id, err)
	}
	return done.RowsAffected()
}

// Purge is what a purge of old orders removed.
type Purge struct {
	Orders  int // whose personal data were removed
	Dropped int // hand-overs of them that were never made and now can't be
}

const (
	// purgePage is how many orders are purged in one transaction: others that write wait for it.
	purgePage  = 500
	purgeQuery = `SELECT key FROM orders WHERE purged = 0 AND changed < $1 ORDER BY changed LIMIT $2`
)

// PurgeOrders removes what is personal in orders that did not change since a time: all that the platform told of them. What stays says
// which order it was, of which store, when it was in which state, and what it cost. What was never handed over is dropped; the
// ledger has how many.
func (s *Store) PurgeOrders(ctx context.Context, before, now time.Time) (p Purge, err error) {
	for {
		var page Purge
		err := s.tx(ctx, func(tx *sql.Tx) (err error) {
			page, err = purge(ctx, tx, before, now)
			return err
		})
		p.Orders, p.Dropped = p.Orders+page.Orders, p.Dropped+page.Dropped
		if err != nil {
			return p, fmt.Errorf("purge old orders: %w", err)
		}
		if page.Orders < purgePage {
			break
		}
	}
	return p, nil
}

// Scrub writes the database anew, so that nothing which was removed stands in it any more: when SQLite makes room in its pages it copies
// rows, and leaves the old copies where nothing writes them over. Nobody else can write for as long as it takes, some seconds a
// gigabyte, and it needs twice the size of the database in free space.
func (s *Store) Scrub(ctx context.Context) error {
	if _, err := s.write.ExecContext(ctx, `VACUUM`); err != nil {
		return fmt.Errorf("write the database anew: %w", advise(err))
	}
	return s.EmptyLog(ctx)
}

// Size returns how large the database is, in bytes, without its log.
func (s *Store) Size(ctx context.Context) (n int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()`).Scan(&n)
	return n, wrap(err, "ask for the size of the database")
}

// purge purges some orders.
func purge(ctx context.Context, tx *sql.Tx, before, now time.Time) (p Purge, err error) {
	keys, err := list(ctx, tx, scanOne[string], purgeQuery, millis(before), purgePage)
	if err != nil || len(keys) == 0 {
		return p, err
	}
	in := toJSON(keys)
	for _, step := range []string{
		`UPDATE order_bodies SET body = x'' WHERE key IN (SELECT value FROM json_each($1)) AND length(body) > 0`,
		`UPDATE orders SET purged = $2 WHERE key IN (SELECT value FROM json_each($1))`,
	} {
		if _, err := tx.ExecContext(ctx, step, in, millis(now)); err != nil {
			return p, err
		}
	}
	dropped, err := tx.ExecContext(ctx, `UPDATE order_dues SET state = 'dropped' WHERE state = 'due' AND key IN (SELECT value FROM json_each($1))`, in)
	if err != nil {
		return p, err
	}
	n, err := dropped.RowsAffected()
	if err != nil {
		return p, err
	}
	p.Orders, p.Dropped = len(keys), int(n)
	return p, note(ctx, tx, now, EntryPurge, Facts{Rows: p.Orders, Rejected: p.Dropped, Until: before})
}

// EmptyLog writes the database's log into the database and cuts it off, so that nothing which was removed stands in it any more. While
// somebody reads that can't be done; the log is then written over bit by bit, and the next purge tries again.
func (s *Store) EmptyLog(ctx context.Context) error {
	var busy, pages, moved int
	err := s.write.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &moved)
	return wrap(err, "empty the database's log")
}

// redact removes from a copy of the database what is personal and needed by nothing that is still to be done: bodies of orders that wait
// to be handed over stay, and events that were not handled yet. The poller asks for the others again.
func redact(ctx context.Context, copied *sql.DB) error {
	for table, statement := range map[string]string{
		"order_bodies": `UPDATE order_bodies SET body = x'' WHERE length(body) > 0 AND NOT EXISTS (
			SELECT 1 FROM order_dues d WHERE d.key = order_bodies.key AND d.seen = order_bodies.state AND d.state = 'due')`,
		"inbox": `UPDATE inbox SET body = x'' WHERE state <> 'new' AND length(body) > 0`,
	} {
		var there bool // a copy may be of an older version
		err := copied.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1)`, table).Scan(&there)
		if err == nil && there {
			_, err = copied.ExecContext(ctx, statement)
		}
		if err != nil {
			return fmt.Errorf("remove what is personal from a copy of the database: %w", err)
		}
	}
	// Pages that the removal left free, and parts of them that were moved, go with it.
	if _, err := copied.ExecContext(ctx, `VACUUM`); err != nil {
		return fmt.Errorf("remove what is personal from a copy of the database: %w", err)
	}
	return nil
}

// OldOrderFiles lists the files with personal data that were made before a time and may still lie where they were put.
func (s *Store) OldOrderFiles(ctx context.Context, before time.Time) ([]OrderFile, error) {
	all, err := list(ctx, s.read, scanOrderFile, oldFilesQuery, millis(before))
	return all, wrap(err, "list old files for the ERP")
}

const oldFilesQuery = `SELECT ` + orderFileColumns + ` FROM order_files WHERE removed = 0 AND at < $1 AND +state = 'done' AND personal = 1 ORDER BY at`

// OrderFileRemoved notes that a file does not lie there any more, or is not ours any more.
func (s *Store) OrderFileRemoved(ctx context.Context, id int64, now time.Time) error {
	return s.exec(ctx, "note that a file for the ERP is gone", `UPDATE order_files SET removed = $2 WHERE id = $1`, id, millis(now))
}
