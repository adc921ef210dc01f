package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gondola/internal/outbox"
)

// EntryKind is what a row of the ledger is about.
type EntryKind string

// The kinds of rows.
const (
	EntryStart     EntryKind = "start"     // the program began to work, with this version and config
	EntryConfig    EntryKind = "config"    // it goes on by another config
	EntryDrop      EntryKind = "drop"      // an export was claimed and archived
	EntryRead      EntryKind = "read"      // it was understood
	EntryRejected  EntryKind = "rejected"  // it was not taken as a whole
	EntryHeld      EntryKind = "held"      // the brake has something against an export
	EntryApproval  EntryKind = "approval"  // somebody accepted a finding
	EntryRejection EntryKind = "rejection" // somebody decided that what is held does not count
	EntryPause     EntryKind = "pause"     // somebody stopped sending
	EntryResume    EntryKind = "resume"    // somebody, or its time, ended that
	EntryOff       EntryKind = "off"       // somebody switched articles off
	EntryOn        EntryKind = "on"        // somebody undid that
	EntryHostKey   EntryKind = "host-key"  // somebody accepted a key of the platform's server, or took that back
	EntryPlan      EntryKind = "plan"      // what is to be sent was decided
	EntryBegun     EntryKind = "begun"     // the first attempt of a delivery began
	EntryFailed    EntryKind = "failed"    // an attempt failed in another way than the one before
	EntryVerified  EntryKind = "verified"  // a delivery arrived, with proof
	EntryFate      EntryKind = "fate"      // what became of a document on the server
	EntryJob       EntryKind = "job"       // the platform has worked on a request, or is taken to have
	EntryAnswer    EntryKind = "answer"    // the answer about a drop was written
	EntryRollback  EntryKind = "rollback"  // what was wanted before was put back
	EntryTaken     EntryKind = "taken"     // what the platform has was taken for what it was sent
	EntryRestored  EntryKind = "restored"  // the state is one from a backup
	EntryOrders    EntryKind = "orders"    // a file with orders was handed to the ERP
	EntryReplay    EntryKind = "replay"    // somebody had orders handed over once more
	EntryPurge     EntryKind = "purge"     // what is personal in old orders was removed
	EntryRetention EntryKind = "retention" // rows of the ledger were removed
)

// EntryKinds lists the kinds that rows of the ledger have.
func EntryKinds() []EntryKind {
	return []EntryKind{
		EntryStart, EntryConfig, EntryDrop, EntryRead, EntryRejected, EntryHeld, EntryApproval, EntryRejection,
		EntryPause, EntryResume, EntryOff, EntryOn, EntryHostKey, EntryPlan, EntryBegun, EntryFailed, EntryVerified,
		EntryFate, EntryJob, EntryAnswer, EntryRollback, EntryTaken, EntryRestored, EntryOrders, EntryReplay, EntryPurge, EntryRetention,
	}
}

// Facts are what a row of the ledger says: numbers, digests and codes, no secrets and nobody's data. Of people there are the account
// that a file belonged to, and the name that an admin gave. Fields that say nothing about the kind are zero.
type Facts struct {
	Drop     int64     `json:"drop,omitempty"`
	Feed     string    `json:"feed,omitempty"`
	Scope    string    `json:"scope,omitempty"` // of a layer: a store's id, or * for all
	Owner    string    `json:"owner,omitempty"` // the account that a dropped file belonged to
	Who      string    `json:"who,omitempty"`   // the name that an admin gave, or the visitor who dropped it on the page
	Codes    []string  `json:"codes,omitempty"`
	Finding  int64     `json:"finding,omitempty"`  // about rows of a shelf
	Articles []string  `json:"articles,omitempty"` // that were switched off or on
	Orders   []string  `json:"orders,omitempty"`   // ids
	Share    float64   `json:"share,omitempty"`    // what an approval covers
	Until    time.Time `json:"until,omitzero"`
	Back     time.Time `json:"back,omitzero"` // the time that a rollback went back to
	Target   string    `json:"target,omitempty"`
	Plan     int64     `json:"plan,omitempty"`
	Full     bool      `json:"full,omitempty"`
	Differs  int       `json:"differs,omitempty"`
	Delivery int64     `json:"delivery,omitempty"`
	Document string    `json:"document,omitempty"` // remote folder and name
	SHA256   string    `json:"sha256,omitempty"`   // of the drop, the document or the config
	Size     int64     `json:"size,omitempty"`
	Rows     int       `json:"rows,omitempty"`
	Rejected int       `json:"rejected,omitempty"` // rows
	Issues   int       `json:"issues,omitempty"`
	Class    string    `json:"class,omitempty"` // of a failure
	Proof    string    `json:"proof,omitempty"`
	Way      string    `json:"way,omitempty"`
	Fate     string    `json:"fate,omitempty"`
	Job      string    `json:"job,omitempty"`     // the platform's
	Version  string    `json:"version,omitempty"` // of the program
	Text     string    `json:"text,omitempty"`    // anything else, in words
}

// Entry is one row of the ledger.
type Entry struct {
	ID     int64     `json:"id"`
	At     time.Time `json:"at"`
	Kind   EntryKind `json:"kind"`
	Facts  Facts     `json:"facts"`
	Before string    `json:"before"` // the hash of the row before
	Hash   string    `json:"hash"`
}

// Note adds a row to the ledger in a transaction of its own, for what changes nothing else in the database.
func (s *Store) Note(ctx context.Context, at time.Time, kind EntryKind, f Facts) error {
	return s.tx(ctx, func(tx *sql.Tx) error { return note(ctx, tx, at, kind, f) })
}

// note adds a row to the ledger within the transaction of what it tells.
func note(ctx context.Context, tx *sql.Tx, at time.Time, kind EntryKind, f Facts) error {
	alone := &sharedTx{Tx: tx}
	if err := alone.note(ctx, at, kind, f); err != nil {
		return err
	}
	return alone.tell(ctx)
}

// ledgerEnd is the newest row of the ledger.
type ledgerEnd struct {
	id   int64
	hash string
}

// note is the same for those who share a transaction: the end of the ledger is read once, and the rows are added together, by tell.
func (tx *sharedTx) note(ctx context.Context, at time.Time, kind EntryKind, f Facts) error {
	if tx.last == nil {
		var last ledgerEnd
		// Where all rows have gone with retention the numbers go on, and the chain with them: the newest row is never removed.
		err := tx.QueryRowContext(ctx, `SELECT id, hash FROM ledger ORDER BY id DESC LIMIT 1`).Scan(&last.id, &last.hash)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("read the end of the ledger: %w", err)
		}
		tx.last = &last
	}
	id, before, body := tx.last.id+1, tx.last.hash, toJSON(f)
	hash := entryHash(id, millis(at), kind, body, before)
	tx.entries = append(tx.entries, []any{id, millis(at), kind, body, before, hash})
	tx.last = &ledgerEnd{id, hash}
	return nil
}

// tell adds the rows that were noted.
func (tx *sharedTx) tell(ctx context.Context) error {
	if len(tx.entries) == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO ledger (id, at, kind, body, before, hash) SELECT value ->> 0, value ->> 1, value ->> 2,
		value ->> 3, value ->> 4, value ->> 5 FROM json_each($1) ORDER BY key`, toJSON(tx.entries))
	tx.entries = nil
	return wrap(err, "add to the ledger")
}

// noteReading tells what a drop was understood as.
func noteReading(ctx context.Context, tx *sql.Tx, r Reading) error {
	f := Facts{Drop: r.Seq, Rows: r.Outcome.Rows, Rejected: r.Outcome.Rejected}
	for _, n := range r.Outcome.Counts {
		f.Issues += n
	}
	kind := EntryRead
	if r.State == DropRejected {
		kind = EntryRejected
	}
	return note(ctx, tx, r.At, kind, f)
}

// noteJudged tells of a file that the brake holds.
func noteJudged(ctx context.Context, tx *sql.Tx, l LayerFile, now time.Time) error {
	if l.State != LayerHeld {
		return nil
	}
	f := Facts{Drop: l.Seq, Feed: l.Feed, Scope: l.Scope}
	for _, is := range l.Findings {
		f.Codes = append(f.Codes, string(is.Code))
	}
	return note(ctx, tx, now, EntryHeld, f)
}

// deliveryFacts are the columns of what is told of a delivery; ofDelivery returns where they go.
const deliveryFacts = `plan, target, folder || '/' || name, size, sha256, doc_rows`

func (f *Facts) ofDelivery() []any {
	return []any{&f.Plan, &f.Target, &f.Document, &f.Size, &f.SHA256, &f.Rows}
}

// noteDelivery tells of a delivery; more adds what is special about it.
func noteDelivery(ctx context.Context, tx *sharedTx, at time.Time, kind EntryKind, id int64, more func(*Facts)) error {
	f := Facts{Delivery: id}
	err := tx.QueryRowContext(ctx, `SELECT `+deliveryFacts+` FROM deliveries WHERE id = $1`, id).Scan(f.ofDelivery()...)
	if err != nil {
		return fmt.Errorf("read delivery %d for the ledger: %w", id, err)
	}
	more(&f)
	return tx.note(ctx, at, kind, f)
}

// noteFailed tells of an attempt that failed in another way than the one before it.
func (q Queue) noteFailed(ctx context.Context, tx *sharedTx, id int64, class outbox.Class) error {
	var before string
	err := tx.QueryRowContext(ctx, `SELECT class FROM deliveries WHERE id = $1`, id).Scan(&before)
	if errors.Is(err, sql.ErrNoRows) || err == nil && before == string(class) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read delivery %d for the ledger: %w", id, err)
	}
	return noteDelivery(ctx, tx, q.Now(), EntryFailed, id, func(f *Facts) { f.Class = string(class) })
}

// entryHash names a row and, through the hash of the one before, all rows before it. No part but the last holds a line end.
func entryHash(id, at int64, kind EntryKind, body, before string) string {
	text := strings.Join([]string{before, strconv.FormatInt(id, 10), strconv.FormatInt(at, 10), string(kind), body}, "\n")
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Entries calls fn for the rows of the ledger from a time on, the oldest first; of one kind, where it is given.
func (s *Store) Entries(ctx context.Context, since time.Time, kind EntryKind, fn func(Entry) error) error {
	return scanEntries(ctx, s.read, fn, nil, entriesQuery(since, kind), millis(since), kind)
}

// entriesQuery asks for the rows from a time on. A year of them is not walked to find where that is.
func entriesQuery(since time.Time, kind EntryKind) string {
	query := `SELECT id, at, kind, body, before, hash FROM ledger WHERE at >= $1`
	if !since.IsZero() {
		query += ` AND id >= (SELECT MIN(id) FROM ledger INDEXED BY ledger_at WHERE at >= $1)`
	}
	if kind != "" {
		query += ` AND kind = $2`
	}
	return query + ` ORDER BY id`
}

// NewestEntry returns when the newest row of the ledger was written, by the clock of then; the zero time where there is none.
func (s *Store) NewestEntry(ctx context.Context) (time.Time, error) {
	var at int64
	err := s.read.QueryRowContext(ctx, `SELECT COALESCE((SELECT at FROM ledger ORDER BY id DESC LIMIT 1), 0)`).Scan(&at)
	return fromMillis(at), wrap(err, "read the end of the ledger")
}

func scanEntries(ctx context.Context, db querier, fn func(Entry) error, raw func(e Entry, at int64, body string) error, query string,
	args ...any,
) (err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var e Entry
		var at int64
		var body string
		if err := rows.Scan(&e.ID, &at, &e.Kind, &body, &e.Before, &e.Hash); err != nil {
			return fmt.Errorf("read the ledger: %w", err)
		}
		e.At = fromMillis(at)
		if raw != nil {
			err = raw(e, at, body)
		} else if e.Facts, err = fromJSON[Facts](body); err == nil {
			err = fn(e)
		}
		if err != nil {
			return err
		}
	}
	return wrap(rows.Err(), "read the ledger")
}

// Chain is what walking the ledger found.
type Chain struct {
	Rows  int       `json:"rows"`
	Since time.Time `json:"since,omitzero"` // of the first row that is kept
	Last  int64     `json:"last"`           // number of the newest row
	Head  string    `json:"head"`           // its hash: written down elsewhere, it proves everything up to it
}

// BrokenChain says that the ledger is not what was written.
type BrokenChain struct {
	Row  int64
	What string
}

// Error implements error.
func (b *BrokenChain) Error() string { return fmt.Sprintf("row %d of the ledger %s", b.Row, b.What) }

// VerifyLedger walks the ledger and holds every row against its hash and the row before it. It returns a [BrokenChain] at the first one
// that does not fit: what comes after it proves nothing.
func (s *Store) VerifyLedger(ctx context.Context) (c Chain, err error) {
	// Retention may run meanwhile: what is kept, and the rows, are looked at as of one moment.
	tx, err := s.read.BeginTx(ctx, nil)
	if err != nil {
		return c, fmt.Errorf("begin to read the ledger: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	var first int64
	if err := tx.QueryRowContext(ctx, `SELECT first FROM ledger_kept`).Scan(&first); err != nil {
		return c, fmt.Errorf("read what the ledger keeps: %w", err)
	}
	check := func(e Entry, at int64, body string) error {
		switch {
		case c.Rows == 0 && e.ID != first:
			return &BrokenChain{first, "is missing"}
		case c.Rows > 0 && e.ID != c.Last+1:
			return &BrokenChain{c.Last + 1, "is missing"}
		case c.Rows > 0 && e.Before != c.Head || e.ID == 1 && e.Before != "":
			return &BrokenChain{e.ID, "does not follow the one before it"}
		case e.Hash != entryHash(e.ID, at, e.Kind, body, e.Before):
			return &BrokenChain{e.ID, "is not what was written"}
		}
		if c.Rows == 0 {
			c.Since = e.At
		}
		c.Rows, c.Last, c.Head = c.Rows+1, e.ID, e.Hash
		return nil
	}
	err = scanEntries(ctx, tx, nil, check, `SELECT id, at, kind, body, before, hash FROM ledger ORDER BY id`)
	return c, err
}

// ForgetEntries removes the rows of the ledger that are older than a time. The chain stays verifiable from the first row that is kept,
// and the newest row is always kept, so that the next one follows it.
func (s *Store) ForgetEntries(ctx context.Context, before, now time.Time) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		var first, last int64
		err := tx.QueryRowContext(ctx, `SELECT first, COALESCE((SELECT MAX(id) FROM ledger), 0) FROM ledger_kept`).Scan(&first, &last)
		if err != nil {
			return fmt.Errorf("read what the ledger keeps: %w", err)
		}
		var keep int64
		// The first young row: what a clock that was set back wrote behind it stays, too.
		err = tx.QueryRowContext(ctx, `SELECT COALESCE(MIN(id), $2) FROM ledger WHERE at >= $1`, millis(before), last).Scan(&keep)
		if err != nil || keep <= first {
			return wrap(err, "look for old rows of the ledger")
		}
		if _, err = tx.ExecContext(ctx, `UPDATE ledger_kept SET first = $1`, keep); err == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM ledger WHERE id < $1`, keep)
		}
		if err != nil {
			return fmt.Errorf("forget old rows of the ledger: %w", err)
		}
		return note(ctx, tx, now, EntryRetention, Facts{Rows: int(keep - first), Until: before})
	})
}
