package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"gondola/internal/outbox"
)

// Queue is an outbox's view of the database: of the deliveries that travel one way. Dir is the state folder, which documents' paths are
// below; Window is how long a file must lie there to count as read.
type Queue struct {
	*Store
	By     outbox.By // "" = files
	Dir    string
	Window time.Duration
}

func (q Queue) by() outbox.By { return cmp.Or(q.By, outbox.BySFTP) }

var _ outbox.Queue = Queue{}

// The conditions on a delivery d of those that are to be attempted, and of those that no older one under the same name stands before,
// not even one that waits for its next attempt: a name is written in one order. One that is "sending" while the outbox asks for work
// is of an attempt whose end could not be written down, because the disk was full, say. The states are spelled as in the partial index,
// which is used for exactly these words.
const (
	attemptable = `d.state IN ('queued', 'deferred', 'sending', 'uncertain')`
	firstOfName = `NOT EXISTS (SELECT 1 FROM deliveries o WHERE o.folder = d.folder AND o.name = d.name AND o.id < d.id
		AND o.state IN ('queued', 'deferred', 'sending', 'uncertain'))`
	// In which order the platform works on two requests is not known, so that those of a plan wait until it has worked on all before.
	noOpenJob = `NOT EXISTS (SELECT 1 FROM jobs j JOIN deliveries o ON o.id = j.delivery
		WHERE j.target = d.target AND j.ended_at = 0 AND o.plan < d.plan)`
)

// unfinished holds for deliveries that are to be attempted or wait for a person, spelled as in the partial index.
const unfinished = `state IN ('queued', 'deferred', 'sending', 'uncertain', 'parked')`

// longestDelay is beyond every delay of the outbox and of the inbox: what is due later was put off by a clock that has been set back since.
const longestDelay = 2 * time.Hour

// What the loops ask once a second, of a table that may hold a hundred thousand deliveries. A + keeps SQLite from walking the whole
// table for the sake of its order.
const (
	dueQuery = `SELECT d.id, d.target, d.folder, d.name, d.path, d.size, d.sha256, d.doc_rows, d.attempts, d.class = 'foreign', COALESCE(t.adopt, 0),
			(SELECT group_concat(size) FROM (SELECT size FROM deliveries k WHERE k.folder = d.folder AND k.name = d.name AND k.began_at > 0
				ORDER BY k.id DESC LIMIT $4)),
			p.path, p.size, p.sha256
		FROM deliveries d LEFT JOIN targets t ON t.target = d.target
			LEFT JOIN deliveries p ON p.id = (SELECT e.id FROM deliveries e WHERE e.folder = d.folder AND e.name = d.name AND e.id < d.id
				AND e.verified_at > 0 AND e.path <> '' ORDER BY e.id DESC LIMIT 1)
		WHERE ` + attemptable + ` AND (d.next_at <= $1 OR d.next_at > $2) AND ` + firstOfName + ` AND NOT ` + pausedDelivery + `
			AND +d.sent_by = $3 AND ` + noOpenJob + ` ORDER BY +d.id`
	nextQuery = `SELECT MIN(at) FROM (
		SELECT CASE WHEN d.next_at > $1 THEN 1 ELSE MAX(d.next_at, 1) END AS at FROM deliveries d
			WHERE ` + attemptable + ` AND ` + firstOfName + ` AND NOT ` + pausedDelivery + `
				AND +d.sent_by = $2 AND ` + noOpenJob + `
		UNION ALL SELECT look_at FROM deliveries WHERE state = 'verified' AND look_at > 0 AND +sent_by = $2)`
	pendingQuery = `SELECT id, folder, name, size, replaced, verified_at FROM deliveries
		WHERE state = 'verified' AND look_at > 0 AND +sent_by = $2 AND (look_at <= $1 OR EXISTS (SELECT 1 FROM deliveries n
			WHERE n.folder = deliveries.folder AND n.name = deliveries.name AND n.id > deliveries.id
			AND n.state IN ('queued', 'deferred', 'sending', 'uncertain') AND n.next_at <= $1))
		AND NOT EXISTS (SELECT 1 FROM deliveries n WHERE n.folder = deliveries.folder AND n.name = deliveries.name AND n.id > deliveries.id
			AND n.began_at > 0 AND n.verified_at = 0) ORDER BY +id`
	replacedUpdate = `UPDATE deliveries SET unsettled = 0, look_at = 0
		WHERE target = $1 AND unsettled = 1 AND +folder = $2 AND +name = $3 AND id < $4`
	heldUpReceipts = `UPDATE drops SET receipt_due = receipt_due + 1 WHERE seq IN
		(SELECT seq FROM effects WHERE ` + openEffects + ` AND state = 'planned')`
	waitingQuery = `SELECT ` + deliveryColumns + ` FROM deliveries WHERE ` + unfinished + ` AND (+verified_at = 0 OR +sent_by = 'api') ORDER BY +id`
)

// knownSizes is how many earlier files under a name are remembered as ours.
const knownSizes = 100

// Due implements outbox.Queue. With each delivery come the sizes of what was begun under its name, and the last document that was verified
// there. Its own is none: one that goes once more has nothing older to fall back on.
func (q Queue) Due(ctx context.Context, now time.Time) ([]outbox.Delivery, error) {
	scan := func(rows *sql.Rows) (d outbox.Delivery, err error) {
		var known, path, sum sql.NullString
		var size sql.NullInt64
		err = rows.Scan(&d.ID, &d.Target, &d.Folder, &d.Name, &d.Path, &d.Size, &d.SHA256, &d.Rows, &d.Attempts, &d.Foreign, &d.Adopt,
			&known, &path, &size, &sum)
		if err != nil {
			return d, err
		}
		d.Path = q.file(d.Path)
		if path.Valid {
			d.Previous = &outbox.Document{Path: q.file(path.String), Size: size.Int64, SHA256: sum.String}
		}
		d.Known, err = sizes(known.String)
		return d, err
	}
	due, err := list(ctx, q.read, scan, dueQuery, millis(now), millis(now.Add(longestDelay)), q.by(), knownSizes)
	return due, wrap(err, "list deliveries due")
}

// file returns where a document of ours lies.
func (q Queue) file(below string) string { return filepath.Join(q.Dir, filepath.FromSlash(below)) }

// sizes reads a list of numbers as the database joins them.
func sizes(joined string) (all []int64, err error) {
	if joined == "" {
		return nil, nil
	}
	for word := range strings.SplitSeq(joined, ",") {
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read the size of an earlier document: %w", err)
		}
		all = append(all, n)
	}
	return all, nil
}

// Deferred implements outbox.Queue.
func (q Queue) Deferred(ctx context.Context, id int64, next time.Time, class outbox.Class, text string) error {
	return q.failed(ctx, id, "deferred", next, class, text)
}

// Parked implements outbox.Queue.
func (q Queue) Parked(ctx context.Context, id int64, class outbox.Class, text string) error {
	return q.failed(ctx, id, "parked", time.Time{}, class, text)
}

func (q Queue) failed(ctx context.Context, id int64, state string, next time.Time, class outbox.Class, text string) error {
	return q.share(ctx, func(tx *sharedTx) error {
		if err := q.noteFailed(ctx, tx, id, class); err != nil {
			return err
		}
		// Receipts are told when the words change, not at every attempt.
		_, err := tx.ExecContext(ctx, `UPDATE drops SET receipt_due = receipt_due + 1 WHERE seq IN (SELECT e.seq FROM effects e
			JOIN deliveries d ON d.plan = e.plan WHERE d.id = $1 AND d.class <> $2 AND e.state = 'planned')`, id, class)
		if err == nil {
			// One that was superseded in the meantime, or that a newer file contains, stays what it is.
			_, err = tx.ExecContext(ctx, `UPDATE deliveries SET state = $2, next_at = $3, class = $4, error = $5
				WHERE id = $1 AND state IN ('queued', 'deferred', 'sending', 'uncertain')`, id, state, millis(next), class, text)
		}
		return wrap(err, "record failure of delivery %d", id)
	})
}

// Pending implements outbox.Queue. A name that an attempt has begun to replace is left out: what lies there may be ours already.
func (q Queue) Pending(ctx context.Context, now time.Time) ([]outbox.Pending, error) {
	scan := func(rows *sql.Rows) (p outbox.Pending, err error) {
		var at int64
		err = rows.Scan(&p.ID, &p.Folder, &p.Name, &p.Size, &p.Replaced, &at)
		p.VerifiedAt = fromMillis(at)
		return p, err
	}
	all, err := list(ctx, q.read, scan, pendingQuery, millis(now), q.by())
	return all, wrap(err, "list fates to look at")
}

// Fate implements outbox.Queue. What was read settles with its plan at the earliest: until then what was sent does not have it, so a
// plan in place of this one, which may want the old value back, would not know that the platform shows another.
func (q Queue) Fate(ctx context.Context, id int64, fate outbox.Fate, now time.Time) error {
	return q.share(ctx, func(tx *sharedTx) error {
		var before outbox.Fate
		err := tx.QueryRowContext(ctx, `SELECT fate FROM deliveries WHERE id = $1`, id).Scan(&before)
		if err == nil {
			err = settle(ctx, tx.Tx, id, fate, now.Add(q.Window))
		}
		if err == nil && fate != before { // one that stays open is looked at again and again
			err = noteDelivery(ctx, tx, now, EntryFate, id, func(f *Facts) { f.Fate = string(fate) })
		}
		return wrap(err, "record fate of delivery %d", id)
	})
}

// settle writes down what became of a document; one whose fate is still open is looked at once more at again.
func settle(ctx context.Context, tx *sql.Tx, id int64, fate outbox.Fate, again time.Time) (err error) {
	const settled = `look_at = 0, unsettled = NOT EXISTS (SELECT 1 FROM plans p WHERE p.id = deliveries.plan AND p.state = 'done')`
	switch fate {
	case outbox.FateTaken:
		_, err = tx.ExecContext(ctx, `UPDATE deliveries SET state = 'taken', fate = $2, `+settled+` WHERE id = $1`, id, fate)
	case outbox.FateKept:
		_, err = tx.ExecContext(ctx, `UPDATE deliveries SET fate = $2, `+settled+` WHERE id = $1`, id, fate)
	case outbox.FateAgain:
		// Once more under a name that is absent now, unless a newer file for the name is on its way: that one contains it.
		_, err = tx.ExecContext(ctx, `UPDATE deliveries SET fate = $2, look_at = 0, next_at = 0,
			state = CASE WHEN EXISTS (SELECT 1 FROM deliveries n WHERE n.folder = deliveries.folder AND n.name = deliveries.name
				AND n.id > deliveries.id AND n.state <> 'superseded') THEN state ELSE 'queued' END WHERE id = $1`, id, fate)
	default:
		_, err = tx.ExecContext(ctx, `UPDATE deliveries SET fate = $2, look_at = $3 WHERE id = $1`, id, fate, millis(again))
	}
	return err
}

// Held implements outbox.Queue.
func (q Queue) Held(ctx context.Context) (*outbox.Hold, error) { return q.Hold(ctx, q.by()) }

// Hold returns the hold that is in force on a way, or nil.
func (s *Store) Hold(ctx context.Context, by outbox.By) (*outbox.Hold, error) {
	var h outbox.Hold
	var at int64
	err := s.read.QueryRowContext(ctx, `SELECT class, login, error, at FROM holds WHERE sent_by = $1`, by).Scan(&h.Class, &h.Login, &h.Text, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // no hold is the normal case, and says so by its absence
	}
	if err != nil {
		return nil, fmt.Errorf("read hold: %w", err)
	}
	h.At = fromMillis(at)
	return &h, nil
}

// SetHold implements outbox.Queue.
func (q Queue) SetHold(ctx context.Context, h *outbox.Hold) error {
	return q.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM holds WHERE sent_by = $1`, q.by())
		if err == nil && h != nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO holds (sent_by, class, login, error, at) VALUES ($1, $2, $3, $4, $5)`,
				q.by(), h.Class, h.Login, h.Text, millis(h.At))
		}
		if err == nil {
			// The answers about what waits say why.
			_, err = tx.ExecContext(ctx, heldUpReceipts)
		}
		return wrap(err, "set or end the hold")
	})
}

// Next implements outbox.Queue.
func (q Queue) Next(ctx context.Context, now time.Time) (time.Time, error) {
	var next sql.NullInt64
	err := q.read.QueryRowContext(ctx, nextQuery, millis(now.Add(longestDelay)), q.by()).Scan(&next)
	if err != nil {
		return time.Time{}, fmt.Errorf("read when the outbox is due: %w", err)
	}
	if !next.Valid {
		return time.Time{}, nil
	}
	if t := fromMillis(next.Int64); t.After(now) {
		return t, nil
	}
	return now, nil
}

// Delivery is a document on its way, as pages and status show it.
type Delivery struct {
	ID                              int64
	Plan                            int64
	Target, Folder, Name            string
	Size                            int64
	SHA256                          string
	Rows                            int
	State, Class, Error, Proof, Way string
	Fate                            string
	Attempts                        int
	Began, Verified, Next           time.Time
	Unsettled                       bool
	By                              outbox.By
}

const deliveryColumns = `id, plan, target, folder, name, size, sha256, doc_rows, state, class, error, proof, way, fate, attempts, began_at,
	verified_at, next_at, unsettled, sent_by`

func scanDelivery(rows *sql.Rows) (d Delivery, err error) {
	var began, verified, next int64
	err = rows.Scan(&d.ID, &d.Plan, &d.Target, &d.Folder, &d.Name, &d.Size, &d.SHA256, &d.Rows, &d.State, &d.Class, &d.Error, &d.Proof,
		&d.Way, &d.Fate, &d.Attempts, &began, &verified, &next, &d.Unsettled, &d.By)
	d.Began, d.Verified, d.Next = fromMillis(began), fromMillis(verified), fromMillis(next)
	return d, err
}

// Deliveries lists deliveries newer than after, the oldest first.
func (s *Store) Deliveries(ctx context.Context, after int64) ([]Delivery, error) {
	all, err := list(ctx, s.read, scanDelivery, `SELECT `+deliveryColumns+` FROM deliveries WHERE id > $1 ORDER BY id`, after)
	return all, wrap(err, "list deliveries")
}

// Waiting lists deliveries of open plans that have not arrived, the oldest first.
func (s *Store) Waiting(ctx context.Context) ([]Delivery, error) {
	all, err := list(ctx, s.read, scanDelivery, waitingQuery)
	return all, wrap(err, "list waiting deliveries")
}

const (
	arrivedQuery = `SELECT ` + deliveryColumns + `, records, path, p_full, p_created FROM
		(SELECT d.*, p.is_full AS p_full, p.created AS p_created FROM deliveries d JOIN plans p ON p.id = d.plan
		WHERE d.verified_at > 0 ORDER BY d.id DESC LIMIT $1)`
	fatesQuery = `SELECT id, at, kind, body, before, hash FROM ledger WHERE kind = $1 ORDER BY id DESC LIMIT $2`
)

// Arrived lists the deliveries that were made last of those that arrived, the newest first, at most limit.
func (s *Store) Arrived(ctx context.Context, limit int) ([]SentDocument, error) {
	all, err := list(ctx, s.read, scanSentDocument, arrivedQuery, limit)
	return all, wrap(err, "list what arrived last")
}

// Fates returns when it was last found what became of documents, by delivery, of the newest limit findings.
func (s *Store) Fates(ctx context.Context, limit int) (map[int64]time.Time, error) {
	found := map[int64]time.Time{}
	err := scanEntries(ctx, s.read, func(e Entry) error {
		if _, newer := found[e.Facts.Delivery]; !newer {
			found[e.Facts.Delivery] = e.At
		}
		return nil
	}, nil, fatesQuery, EntryFate, limit)
	return found, err
}

// LastVerified returns when a target's last document arrived, zero where none did.
func (s *Store) LastVerified(ctx context.Context, target string) (time.Time, error) {
	var at int64
	err := s.read.QueryRowContext(ctx, `SELECT COALESCE(MAX(verified_at), 0) FROM deliveries WHERE target = $1`, target).Scan(&at)
	return fromMillis(at), wrap(err, "read last receipt of %s", target)
}
