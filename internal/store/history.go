package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"gondola/internal/shelf"
)

// Stood is a file of a layer and the time in which it counted.
type Stood struct {
	Feed, Scope string
	Seq         int64
	Digest      shelf.Digest
	Full        bool
	Merged      bool // it stands for the drops before it, too
	Since       time.Time
	Until       time.Time // zero: it counts now
}

// keepHistory brings the history of a layer in line with the files that count from now on. Whatever changes which files of a layer
// count, or what they say, calls it in the same transaction.
func keepHistory(ctx context.Context, tx *sql.Tx, feed, scope string, now time.Time) error {
	// A file that was read anew counts as it was before until the brake has passed it.
	const counts = `l.state <> 'past' AND (l.state = 'passed' OR l.was <> '')`
	const digest = `CASE l.state WHEN 'passed' THEN l.digest ELSE l.was END`
	_, err := tx.ExecContext(ctx, `UPDATE layer_history SET until = $3 WHERE feed = $1 AND scope = $2 AND until = 0 AND NOT EXISTS
		(SELECT 1 FROM layers l WHERE l.feed = $1 AND l.scope = $2 AND l.seq = layer_history.seq AND `+counts+`
			AND `+digest+` = layer_history.digest AND l.is_full = layer_history.is_full)`, feed, scope, millis(now))
	if err == nil {
		_, err = tx.ExecContext(ctx, `INSERT INTO layer_history (feed, scope, seq, digest, is_full, merged, since, until)
			SELECT l.feed, l.scope, l.seq, `+digest+`, l.is_full, l.merged, $3, 0 FROM layers l INDEXED BY layers_now WHERE l.feed = $1 AND l.scope = $2 AND `+counts+`
				AND NOT EXISTS (SELECT 1 FROM layer_history h WHERE h.feed = $1 AND h.scope = $2 AND h.seq = l.seq AND h.until = 0)`,
			feed, scope, millis(now))
	}
	return wrap(err, "keep the history of layer %s of %s", feed, scope)
}

// keepHistories is keepHistory for the layers of some files.
func keepHistories(ctx context.Context, tx *sql.Tx, files []LayerFile, now time.Time) error {
	kept := map[[2]string]bool{}
	for _, l := range files {
		if layer := [2]string{l.Feed, l.Scope}; !kept[layer] {
			kept[layer] = true
			if err := keepHistory(ctx, tx, l.Feed, l.Scope, now); err != nil {
				return err
			}
		}
	}
	return nil
}

const stoodColumns = `feed, scope, seq, digest, is_full, merged, since, until`

func scanStood(rows *sql.Rows) (s Stood, err error) {
	var since, until int64
	err = rows.Scan(&s.Feed, &s.Scope, &s.Seq, &s.Digest, &s.Full, &s.Merged, &since, &until)
	s.Since, s.Until = fromMillis(since), fromMillis(until)
	return s, err
}

// StoodAt lists the files of one layer that counted at a time, the lowest first, from the last full one on.
func (s *Store) StoodAt(ctx context.Context, feed, scope string, at time.Time) ([]Stood, error) {
	all, err := list(ctx, s.read, scanStood, `SELECT `+stoodColumns+` FROM layer_history
		WHERE feed = $1 AND scope = $2 AND since <= $3 AND (until = 0 OR until > $3) ORDER BY seq, since`, feed, scope, millis(at))
	if err != nil {
		return nil, fmt.Errorf("read history of layer %s of %s: %w", feed, scope, err)
	}
	for i := len(all) - 1; i > 0; i-- {
		if all[i].Full {
			return all[i:], nil
		}
	}
	return all, nil
}

// StoodBefore lists all files of one layer that ever counted up to a time and are still kept, the newest first.
func (s *Store) StoodBefore(ctx context.Context, feed, scope string, at time.Time) ([]Stood, error) {
	all, err := list(ctx, s.read, scanStood, `SELECT `+stoodColumns+` FROM layer_history
		WHERE feed = $1 AND scope = $2 AND since <= $3 ORDER BY seq DESC, since DESC`, feed, scope, millis(at))
	return all, wrap(err, "read history of layer %s of %s", feed, scope)
}

// HistoryBegins returns from when on it is known which files counted: when the first one began to, or how far back retention reaches.
func (s *Store) HistoryBegins(ctx context.Context) (time.Time, error) {
	var at int64
	err := s.read.QueryRowContext(ctx, `SELECT COALESCE(MAX(at), 0) FROM (SELECT MIN(since) AS at FROM layer_history WHERE since > 0
		UNION ALL SELECT CAST(value AS BIGINT) FROM facts WHERE name = 'history since')`).Scan(&at)
	return fromMillis(at), wrap(err, "read where history begins")
}

// HistoryFrom makes history begin at a time: what stood before can't be told of any more.
func (s *Store) HistoryFrom(ctx context.Context, at time.Time) error {
	return s.SetFact(ctx, "history since", fmt.Sprint(millis(at)))
}

// HistoryScopes lists the scopes in which a feed ever had a layer that is kept.
func (s *Store) HistoryScopes(ctx context.Context, feed string) ([]string, error) {
	all, err := list(ctx, s.read, scanOne[string], `SELECT scope FROM layer_history WHERE feed = $1
		UNION SELECT scope FROM layers WHERE feed = $1 AND state <> 'past' ORDER BY 1`, feed)
	return all, wrap(err, "list layers of %s", feed)
}

// RollbackState is how far a rollback has come.
type RollbackState string

// The states of a rollback.
const (
	RollbackAsked  RollbackState = "asked"
	RollbackDone   RollbackState = "done"
	RollbackFailed RollbackState = "failed"
)

// Rollback is what an admin wants put back: what was wanted at a time, of a store or all, by a feed or all.
type Rollback struct {
	ID                int64
	Back              time.Time
	Vendor, Feed, Who string
	Asked             time.Time
	State             RollbackState
	Seq               int64 // the drop that it became; 0 before, and where there was nothing to put back
	Error             string
}

// AskRollback leaves a rollback for the process that works on the state, and returns its number.
func (s *Store) AskRollback(ctx context.Context, r Rollback) (id int64, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		if id, err = nextNumber(ctx, tx, "rollbacks"); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO rollbacks (id, back_to, vendor, feed, who, asked_at, state, seq, error)
			VALUES ($1, $2, $3, $4, $5, $6, 'asked', 0, '')`, id, millis(r.Back), r.Vendor, r.Feed, r.Who, millis(r.Asked))
		return err
	})
	return id, wrap(err, "ask for a rollback")
}

const rollbackColumns = `id, back_to, vendor, feed, who, asked_at, state, seq, error`

func scanRollback(rows *sql.Rows) (r Rollback, err error) {
	var back, asked int64
	err = rows.Scan(&r.ID, &back, &r.Vendor, &r.Feed, &r.Who, &asked, &r.State, &r.Seq, &r.Error)
	r.Back, r.Asked = fromMillis(back), fromMillis(asked)
	return r, err
}

// RollbacksAsked lists the rollbacks that nobody has done yet, the oldest first.
func (s *Store) RollbacksAsked(ctx context.Context) ([]Rollback, error) {
	all, err := list(ctx, s.read, scanRollback, `SELECT `+rollbackColumns+` FROM rollbacks WHERE state = 'asked' ORDER BY id`)
	return all, wrap(err, "list rollbacks")
}

// LastRollback returns the rollback of a number or, for 0, the newest one that put something back, or has not yet; false where there is
// none.
func (s *Store) LastRollback(ctx context.Context, id int64) (Rollback, bool, error) {
	all, err := list(ctx, s.read, scanRollback, `SELECT `+rollbackColumns+` FROM rollbacks WHERE id = $1 OR $1 = 0 AND NOT (state = 'done' AND seq = 0)
		ORDER BY id DESC LIMIT 1`, id)
	if err != nil || len(all) == 0 {
		return Rollback{}, false, wrap(err, "read rollback %d", id)
	}
	return all[0], true, nil
}

// RolledBack records a rollback that was done, in one transaction with what it became: a drop with its layers and effects, or, where r
// has none, nothing. The targets are planned at once. Doing it again changes nothing.
func (s *Store) RolledBack(ctx context.Context, b Rollback, d Drop, r Reading, targets []string) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE rollbacks SET state = 'done', seq = $2 WHERE id = $1 AND state = 'asked'`, b.ID, d.Seq)
		if err != nil {
			return fmt.Errorf("record rollback %d: %w", b.ID, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 || d.Seq == 0 {
			return wrap(err, "record rollback %d", b.ID)
		}
		if _, err = insertDrop(ctx, tx, d); err == nil {
			err = commitReading(ctx, tx, r)
		}
		if err == nil {
			err = note(ctx, tx, r.At, EntryRollback, Facts{Drop: d.Seq, Back: b.Back, Who: b.Who, Scope: b.Vendor, Feed: b.Feed})
		}
		if err == nil {
			err = markDue(ctx, tx, targets, false)
		}
		return wrap(err, "record rollback %d", b.ID)
	})
}

// RollbackFailed records why a rollback can't be done.
func (s *Store) RollbackFailed(ctx context.Context, id int64, why string) error {
	return s.exec(ctx, fmt.Sprintf("record failure of rollback %d", id),
		`UPDATE rollbacks SET state = 'failed', error = $2 WHERE id = $1 AND state = 'asked'`, id, why)
}

// SentDocument is a document of a plan, with the rows that it was made of.
type SentDocument struct {
	Delivery
	Records shelf.Digest
	Path    string // of the bytes, below the state folder
	Full    bool   // its plan said everything
	Planned time.Time
}

// Documents calls fn for the documents of a target that were planned, begun or verified between two times, the newest first, until it
// returns false.
func (s *Store) Documents(ctx context.Context, target string, from, to time.Time, fn func(SentDocument) (more bool, err error)) error {
	// They are few, and fn opens files: a query that stays open meanwhile would keep the database from tidying up.
	all, err := list(ctx, s.read, scanSentDocument, sentDocuments+`
		WHERE p_created BETWEEN $2 AND $3 OR began_at BETWEEN $2 AND $3 OR verified_at BETWEEN $2 AND $3 ORDER BY id DESC`,
		target, millis(from), millis(to)-1)
	if err != nil {
		return wrap(err, "list documents of %s", target)
	}
	for _, d := range all {
		if more, err := fn(d); err != nil || !more {
			return err
		}
	}
	return nil
}

// UnsettledDocuments lists the documents of a target that began to leave and have not settled, the oldest first.
func (s *Store) UnsettledDocuments(ctx context.Context, target string) ([]SentDocument, error) {
	all, err := list(ctx, s.read, scanSentDocument, sentDocuments+` WHERE unsettled = 1 ORDER BY id`, target)
	return all, wrap(err, "list what is unsettled at %s", target)
}

const sentDocuments = `SELECT ` + deliveryColumns + `, records, path, p_full, p_created FROM
	(SELECT d.*, p.is_full AS p_full, p.created AS p_created FROM deliveries d JOIN plans p ON p.id = d.plan WHERE d.target = $1)`

func scanSentDocument(rows *sql.Rows) (d SentDocument, err error) {
	var began, verified, next, planned int64
	err = rows.Scan(&d.ID, &d.Plan, &d.Target, &d.Folder, &d.Name, &d.Size, &d.SHA256, &d.Rows, &d.State, &d.Class, &d.Error, &d.Proof,
		&d.Way, &d.Fate, &d.Attempts, &began, &verified, &next, &d.Unsettled, &d.By, &d.Records, &d.Path, &d.Full, &planned)
	d.Began, d.Verified, d.Next, d.Planned = fromMillis(began), fromMillis(verified), fromMillis(next), fromMillis(planned)
	return d, err
}
