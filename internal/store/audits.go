package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"gondola/internal/shelf"
)

// AuditSource says where what the platform has was learned from.
type AuditSource string

// The sources.
const (
	AuditList   AuditSource = "list"   // the pages of the REST interface
	AuditExport AuditSource = "export" // a file that the platform was asked to make
	AuditFile   AuditSource = "file"   // a file that a person brought
)

// AuditState is how far an audit is.
type AuditState string

// The states of audits.
const (
	AuditAsked     AuditState = "asked"
	AuditExporting AuditState = "exporting" // the platform makes the file
	AuditDone      AuditState = "done"
	AuditFailed    AuditState = "failed"
)

// Audit is one store's comparison.
type Audit struct {
	ID, Run int64
	Vendor  string
	Source  AuditSource
	Who     string // asked for it, "" = the schedule
	SetSent bool
	State   AuditState
	Asked   time.Time
	Next    time.Time // when it is gone on with
	Tries   int
	Job     string
	URL     string
	Done    time.Time
	Counts  shelf.AuditCounts
	Took    bool // what the platform has was taken for what it was sent
	Error   string

	There        shelf.Digest // "" once a newer audit of the store is done
	Sent, Unread []shelf.Digest
}

// AuditAsk asks for audits of some stores.
type AuditAsk struct {
	Vendors []string
	Source  AuditSource
	Who     string
	SetSent bool
	At      time.Time
	// Schedule names the schedule whose slot at At it is, "" for a person. A slot asks for nothing where an audit of the store is open.
	Schedule string
}

// AskAudits records what is asked for and returns the number of the run. A slot is recorded in the same transaction, so that it is
// neither lost nor run twice.
func (s *Store) AskAudits(ctx context.Context, ask AuditAsk) (run int64, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		if run, err = nextNumber(ctx, tx, "audit runs"); err != nil {
			return fmt.Errorf("number audit: %w", err)
		}
		if ask.Schedule != "" {
			if _, err := tx.ExecContext(ctx, `INSERT INTO slots (name, last) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET last = excluded.last`,
				ask.Schedule, millis(ask.At)); err != nil {
				return fmt.Errorf("record slot of %s: %w", ask.Schedule, err)
			}
		}
		for _, vendor := range ask.Vendors {
			if _, err := askAudit(ctx, tx, ask, run, vendor); err != nil {
				return fmt.Errorf("ask for an audit of %s: %w", vendor, err)
			}
		}
		return nil
	})
	return run, err
}

// askAudit records that one store is to be audited and returns the audit's number, 0 where a slot asks for what is asked for already.
func askAudit(ctx context.Context, tx *sql.Tx, ask AuditAsk, run int64, vendor string) (id int64, err error) {
	if ask.Schedule != "" {
		var open int
		err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM audits WHERE vendor = $1 AND state IN ('asked', 'exporting')`, vendor).Scan(&open)
		if err != nil || open > 0 {
			return 0, err
		}
	}
	if id, err = nextNumber(ctx, tx, "audits"); err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO audits (id, run, vendor, source, who, set_sent, state, asked_at, next_at, tries, job, url, done_at,
			counts, there, sent, unread, took, error)
		VALUES ($1, $2, $3, $4, $5, $6, 'asked', $7, 0, 0, '', '', 0, '', '', '', '', 0, '')`,
		id, run, vendor, ask.Source, ask.Who, ask.SetSent, millis(ask.At))
	return id, err
}

const auditColumns = `id, run, vendor, source, who, set_sent, state, asked_at, next_at, tries, job, url, done_at, counts, there, sent, unread,
	took, error`

func scanAudit(rows *sql.Rows) (a Audit, err error) {
	var asked, next, done int64
	var counts, sent, unread string
	err = rows.Scan(&a.ID, &a.Run, &a.Vendor, &a.Source, &a.Who, &a.SetSent, &a.State, &asked, &next, &a.Tries, &a.Job, &a.URL, &done, &counts,
		&a.There, &sent, &unread, &a.Took, &a.Error)
	a.Asked, a.Next, a.Done = fromMillis(asked), fromMillis(next), fromMillis(done)
	if err == nil {
		a.Counts, err = fromJSON[shelf.AuditCounts](counts)
	}
	if err == nil {
		a.Sent, err = fromJSON[[]shelf.Digest](sent)
	}
	if err == nil {
		a.Unread, err = fromJSON[[]shelf.Digest](unread)
	}
	return a, err
}

const auditQuery = `SELECT ` + auditColumns + ` FROM audits a WHERE state IN ('asked', 'exporting') AND next_at <= $1 ORDER BY who = '', id LIMIT 1`

// NextAudit returns the audit that is to be gone on with now, false where there is none. What a person asked for comes before a slot's.
func (s *Store) NextAudit(ctx context.Context, now time.Time) (Audit, bool, error) {
	all, err := list(ctx, s.read, scanAudit, auditQuery, millis(now))
	if err != nil || len(all) == 0 {
		return Audit{}, false, wrap(err, "look for audits")
	}
	return all[0], true, nil
}

// AuditRun lists the audits of a run, in the order in which they were asked for.
func (s *Store) AuditRun(ctx context.Context, run int64) ([]Audit, error) {
	all, err := list(ctx, s.read, scanAudit, `SELECT `+auditColumns+` FROM audits WHERE run = $1 ORDER BY id`, run)
	return all, wrap(err, "list audits")
}

// lastAuditsQuery jumps from store to store, and looks at the newest ones of each.
const lastAuditsQuery = `WITH RECURSIVE v (vendor) AS (
		SELECT MIN(vendor) FROM audits
		UNION ALL SELECT (SELECT MIN(vendor) FROM audits WHERE vendor > v.vendor) FROM v WHERE v.vendor IS NOT NULL)
	SELECT ` + auditColumns + ` FROM audits WHERE id IN (SELECT (SELECT MAX(a.id) FROM audits a
		WHERE a.vendor = v.vendor AND a.state IN ('done', 'failed')) FROM v WHERE v.vendor IS NOT NULL) ORDER BY vendor`

// LastAudits returns the newest audit of each store that is done or has failed, by store.
func (s *Store) LastAudits(ctx context.Context) ([]Audit, error) {
	all, err := list(ctx, s.read, scanAudit, lastAuditsQuery)
	return all, wrap(err, "list audits")
}

// DelayAudit records that an audit did not come to its end, and when it is gone on with. The job and the state are kept with it.
func (s *Store) DelayAudit(ctx context.Context, a Audit) error {
	return s.exec(ctx, "delay audit", `UPDATE audits SET state = $2, next_at = $3, tries = $4, job = $5, url = $6, error = $7
		WHERE id = $1 AND state IN ('asked', 'exporting')`, a.ID, a.State, millis(a.Next), a.Tries, a.Job, a.URL, a.Error)
}

// AuditExported records where the file of an export lies, and reports whether an audit waits for it.
func (s *Store) AuditExported(ctx context.Context, job, url string) (waited bool, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE audits SET url = $2, next_at = 0 WHERE job = $1 AND state = 'exporting'`, job, url)
		if err != nil {
			return fmt.Errorf("record an exported catalogue: %w", err)
		}
		n, err := res.RowsAffected()
		waited = n > 0
		return err
	})
	return waited, err
}

// FailAudit ends an audit that can't be made.
func (s *Store) FailAudit(ctx context.Context, id int64, why string, at time.Time) error {
	return s.exec(ctx, "end audit", `UPDATE audits SET state = 'failed', done_at = $2, error = $3, url = ''
		WHERE id = $1 AND state IN ('asked', 'exporting')`, id, millis(at), why)
}

// EndAudit records what an audit found, in place of what older ones of the store keep. Where a.SetSent and nothing was ever sent to the
// target, nor began to leave, what the platform has becomes what was sent. An audit without a number was asked for by nobody before, and
// gets one. It returns the audit as it is recorded.
func (s *Store) EndAudit(ctx context.Context, a Audit, target string) (Audit, error) {
	a.State = AuditDone
	err := s.tx(ctx, func(tx *sql.Tx) (err error) {
		if a.ID == 0 {
			ask := AuditAsk{Source: a.Source, Who: a.Who, SetSent: a.SetSent, At: a.Asked}
			if a.ID, err = askAudit(ctx, tx, ask, 0, a.Vendor); err != nil {
				return fmt.Errorf("record audit of %s: %w", a.Vendor, err)
			}
		}
		if a.Took, err = takeForSent(ctx, tx, a, target); err != nil {
			return fmt.Errorf("take what the platform has for what was sent to %s: %w", target, err)
		}
		_, err = tx.ExecContext(ctx, `UPDATE audits SET state = 'done', done_at = $2, counts = $3, there = $4, sent = $5, unread = $6, took = $7,
			url = '', error = '' WHERE id = $1`, a.ID, millis(a.Done), toJSON(a.Counts), a.There, toJSON(a.Sent), toJSON(a.Unread), a.Took)
		if err == nil {
			_, err = tx.ExecContext(ctx, `UPDATE audits SET there = '', sent = '', unread = '' WHERE vendor = $1 AND id < $2 AND there <> ''`, a.Vendor, a.ID)
		}
		return wrap(err, "record audit")
	})
	return a, err
}

// takeForSent makes what the platform has what was sent, where nothing ever was.
func takeForSent(ctx context.Context, tx *sql.Tx, a Audit, target string) (bool, error) {
	if !a.SetSent {
		return false, nil
	}
	var sent int
	err := tx.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM sent WHERE target = $1) +
		(SELECT COUNT(*) FROM deliveries WHERE target = $1 AND (began_at > 0 OR verified_at > 0))`, target).Scan(&sent)
	if err != nil || sent > 0 {
		return false, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO sent (target, pos, digest) VALUES ($1, 0, $2)`, target, a.There)
	if err != nil {
		return false, err
	}
	// A plan that was made before this would send everything: it has not begun, so it is made anew.
	var open int
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM plans WHERE target = $1 AND state = 'open'`, target).Scan(&open); err != nil {
		return false, err
	}
	if open > 0 {
		if err := supersede(ctx, tx, target); err != nil {
			return false, err
		}
		if err := markDue(ctx, tx, []string{target}, false); err != nil {
			return false, err
		}
	}
	return true, note(ctx, tx, a.Done, EntryTaken, Facts{Target: target, Who: a.Who, Rows: a.Counts.There, SHA256: string(a.There)})
}

// Unread returns the rows that began to leave for a target and may not have been seen by the platform at a time: what is unsettled, and
// what was on its way, or worked on, since then.
func (s *Store) Unread(ctx context.Context, target string, since time.Time) ([]shelf.Digest, error) {
	all, err := list(ctx, s.read, scanOne[shelf.Digest], `SELECT DISTINCT records FROM deliveries WHERE target = $1 AND records <> ''
		AND (unsettled = 1 OR began_at >= $2 OR verified_at >= $2 OR state IN ('sending', 'uncertain')
			OR EXISTS (SELECT 1 FROM jobs j WHERE j.delivery = deliveries.id AND j.ended_at >= $2))`, target, millis(since))
	slices.Sort(all)
	return all, wrap(err, "read what %s may not have read", target)
}

// forgetAudits deletes audits that are older than a time and not the newest of their store.
func forgetAudits(ctx context.Context, tx *sql.Tx, before time.Time) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM audits WHERE state IN ('done', 'failed') AND asked_at < $1
		AND EXISTS (SELECT 1 FROM audits n WHERE n.vendor = audits.vendor AND n.id > audits.id AND n.state = 'done')`, millis(before))
	return wrap(err, "forget old audits")
}
