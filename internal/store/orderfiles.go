package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gondola/internal/order"
	"gondola/internal/platform"
)

// DueOrder is a hand-over that is to go into a file.
type DueOrder struct {
	order.Due
	Seq    int64
	Key    string // of the order
	Vendor string
	Replay bool
	At     time.Time // when it came to be due
	Head   order.Head
	Body   json.RawMessage // in the state Seen; empty where it is not kept. It is personal
}

// dueOrdersQuery reads what is due of one store. Revisions of one order go in their order, because all hand-overs do.
const dueOrdersQuery = `SELECT d.seq, d.key, d.asked, d.revision, d.vendor, d.seen, d.skipped, d.cart, d.replay, d.at,
	COALESCE(b.body, x''), o.id, o.external, o.code, o.state, o.reached, o.contradiction
	FROM order_dues d JOIN orders o ON o.key = d.key LEFT JOIN order_bodies b ON b.key = d.key AND b.state = d.seen
	WHERE d.state = 'due' AND d.vendor = $1 AND d.seq > $2 ORDER BY d.seq LIMIT $3`

// DueOrders lists what is due of a store behind a number, the oldest first, at most so many.
func (s *Store) DueOrders(ctx context.Context, vendor string, after int64, limit int) ([]DueOrder, error) {
	scan := func(rows *sql.Rows) (d DueOrder, err error) {
		var at int64
		var body []byte
		err = rows.Scan(&d.Seq, &d.Key, &d.Asked, &d.Revision, &d.Vendor, &d.Seen, &d.Skipped, &d.Digest, &d.Replay, &at,
			&body, &d.Head.ID, &d.Head.ExternalID, &d.Head.Code, &d.Head.State, &d.Head.Reached, &d.Head.Contradiction)
		d.At, d.Body = fromMillis(at), body
		return d, err
	}
	all, err := list(ctx, s.read, scan, dueOrdersQuery, vendor, after, limit)
	return all, wrap(err, "list what is due of %s for the ERP", vendor)
}

// OldestDue returns of each store that something is due of, since when. Stores with nothing due are not in it.
func (s *Store) OldestDue(ctx context.Context) (map[string]time.Time, error) {
	type line struct {
		vendor string
		at     int64
	}
	all, err := list(ctx, s.read, func(rows *sql.Rows) (l line, err error) { return l, rows.Scan(&l.vendor, &l.at) }, oldestDueQuery)
	if err != nil {
		return nil, fmt.Errorf("look for orders that are due: %w", err)
	}
	oldest := map[string]time.Time{}
	for _, l := range all {
		oldest[l.vendor] = fromMillis(l.at)
	}
	return oldest, nil
}

// oldestDueQuery jumps from store to store on the index, so that a million hand-overs that wait cost nothing more than one of each.
const oldestDueQuery = `WITH RECURSIVE v (vendor) AS (
		SELECT MIN(vendor) FROM order_dues WHERE state = 'due'
		UNION ALL SELECT (SELECT MIN(vendor) FROM order_dues WHERE state = 'due' AND vendor > v.vendor) FROM v WHERE v.vendor IS NOT NULL)
	SELECT v.vendor, (SELECT at FROM order_dues d WHERE d.state = 'due' AND d.vendor = v.vendor ORDER BY seq LIMIT 1)
	FROM v WHERE v.vendor IS NOT NULL`

// OrderFile is a file for the ERP.
type OrderFile struct {
	ID     int64 // the number of the first hand-over in it
	Dir    string
	Temp   string // its name until it is handed over
	Name   string
	SHA256 string
	Size   int64
	Orders int
	// Personal says that the customer is in it.
	Personal bool
	State    FileState
	At       time.Time // when it was staged
	Done     time.Time // when it was handed over
}

// FileState is how far a file for the ERP is.
type FileState string

// The states of files.
const (
	FileStaged FileState = "staged" // it lies complete under a name that the ERP does not read
	FileDone   FileState = "done"   // it was handed over
)

const orderFileColumns = `id, dir, temp, name, sha256, size, orders, personal, state, at, done`

func scanOrderFile(rows *sql.Rows) (f OrderFile, err error) {
	var at, done int64
	err = rows.Scan(&f.ID, &f.Dir, &f.Temp, &f.Name, &f.SHA256, &f.Size, &f.Orders, &f.Personal, &f.State, &at, &done)
	f.At, f.Done = fromMillis(at), fromMillis(done)
	return f, err
}

// StagedOrderFiles lists the files that are not known to be handed over, in their order.
func (s *Store) StagedOrderFiles(ctx context.Context) ([]OrderFile, error) {
	all, err := list(ctx, s.read, scanOrderFile, stagedFilesQuery)
	return all, wrap(err, "list staged files for the ERP")
}

const stagedFilesQuery = `SELECT ` + orderFileColumns + ` FROM order_files WHERE state = 'staged' ORDER BY id`

// LastOrderFile returns the newest file that was handed over, false where there is none.
func (s *Store) LastOrderFile(ctx context.Context) (OrderFile, bool, error) {
	all, err := list(ctx, s.read, scanOrderFile, `SELECT `+orderFileColumns+` FROM order_files WHERE state = 'done' ORDER BY id DESC LIMIT 1`)
	if err != nil || len(all) == 0 {
		return OrderFile{}, false, wrap(err, "look for the last file for the ERP")
	}
	return all[0], true, nil
}

// OrderFileNamed reports whether a file for the ERP has, or had, a name. Case does not count: on some systems it is the same file.
func (s *Store) OrderFileNamed(ctx context.Context, name string) (named bool, err error) {
	err = s.read.QueryRowContext(ctx, fileNamedQuery, name).Scan(&named)
	return named, wrap(err, "look for a file for the ERP named %q", name)
}

const fileNamedQuery = `SELECT EXISTS (SELECT 1 FROM order_files WHERE name = $1 COLLATE NOCASE)`

// ErrOrderChanged says that an order has another cart than a file which was made meanwhile says.
var ErrOrderChanged = errors.New("the order changed meanwhile")

// StageOrderFile notes that a complete file lies in its folder and holds these hand-overs. It returns ErrOrderChanged, and changes
// nothing, where one of them is not what it was when the file was made: it is to be made anew.
func (s *Store) StageOrderFile(ctx context.Context, f OrderFile, in []DueOrder) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO order_files (`+orderFileColumns+`, removed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'staged', $9, 0, 0)`,
			f.ID, f.Dir, f.Temp, f.Name, f.SHA256, f.Size, len(in), f.Personal, millis(f.At))
		if err != nil {
			return fmt.Errorf("note file %q for the ERP: %w", f.Name, err)
		}
		for _, d := range in {
			done, err := tx.ExecContext(ctx, `UPDATE order_dues SET state = 'staged', file = $2 WHERE seq = $1 AND state = 'due' AND cart = $3`,
				d.Seq, f.ID, d.Digest)
			if err != nil {
				return fmt.Errorf("note what is in file %q for the ERP: %w", f.Name, err)
			}
			if n, err := done.RowsAffected(); err != nil || n != 1 {
				return errors.Join(fmt.Errorf("%w: %s", ErrOrderChanged, d.Head.ID), err)
			}
		}
		return nil
	})
}

// UnstageOrderFile forgets a staged file, because what lies there is not what was written: what was in it is due once more.
func (s *Store) UnstageOrderFile(ctx context.Context, id int64) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `DELETE FROM order_files WHERE id = $1 AND state = 'staged'`, id)
		if err != nil {
			return fmt.Errorf("forget a file for the ERP: %w", err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE order_dues SET state = 'due', file = 0 WHERE file = $1 AND state = 'staged'`, id)
		return wrap(err, "make due what was in a file for the ERP")
	})
}

// RenameOrderFile gives a staged file another name, because something else lies under the one that it was to have.
func (s *Store) RenameOrderFile(ctx context.Context, id int64, name string) error {
	return s.exec(ctx, "rename a file for the ERP", `UPDATE order_files SET name = $2 WHERE id = $1 AND state = 'staged'`, id, name)
}

// OrderFileDone notes that a file was handed over, with what is in it, and tells the ledger.
func (s *Store) OrderFileDone(ctx context.Context, f OrderFile, at time.Time) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE order_files SET state = 'done', done = $2 WHERE id = $1 AND state = 'staged'`, f.ID, millis(at))
		if err != nil {
			return fmt.Errorf("note that file %q was handed over: %w", f.Name, err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err // it was noted before
		}
		if _, err := tx.ExecContext(ctx, `UPDATE order_dues SET state = 'done' WHERE file = $1`, f.ID); err != nil {
			return fmt.Errorf("note what was handed over: %w", err)
		}
		ids, err := list(ctx, tx, scanOne[string], `SELECT key FROM order_dues WHERE file = $1 ORDER BY seq`, f.ID)
		if err != nil {
			return fmt.Errorf("list what was handed over: %w", err)
		}
		return note(ctx, tx, at, EntryOrders, Facts{Document: f.Name, SHA256: f.SHA256, Size: f.Size, Rows: f.Orders, Orders: ids})
	})
}

// Again is what somebody wants handed over once more.
type Again struct {
	IDs   []string            // of orders
	State platform.OrderState // only what was asked for with this state; "" = all
	Who   string
	At    time.Time
}

// ReplayOrders makes hand-overs of orders due once more, as new revisions, and tells the ledger. It returns how many came to be due.
// Orders that are not known, or whose body is not kept any more, have none.
func (s *Store) ReplayOrders(ctx context.Context, a Again) (n int, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		var ids []string
		for _, id := range a.IDs {
			key := order.Key(id)
			o, err := storedOrder(ctx, tx, key)
			if err != nil {
				return fmt.Errorf("look for order %q: %w", id, err)
			}
			dues := order.Replay(o, s.OrderRules, a.State)
			for _, d := range dues {
				if err := putDue(ctx, tx, dueRow{Due: d, key: key, vendor: o.Vendor, at: a.At, replay: true}); err != nil {
					return err
				}
			}
			if len(dues) > 0 {
				ids = append(ids, key)
			}
			n += len(dues)
		}
		if n == 0 {
			return nil
		}
		return note(ctx, tx, a.At, EntryReplay, Facts{Who: a.Who, Rows: n, Orders: ids})
	})
	return n, err
}
