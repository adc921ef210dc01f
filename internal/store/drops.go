package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/outbox"
	"gondola/internal/shelf"
)

// DropState is how far a drop has come.
type DropState string

// The states of a drop.
const (
	DropSeen     DropState = "seen"     // claimed and archived
	DropRead     DropState = "read"     // understood; its rows are in the layers
	DropRejected DropState = "rejected" // not taken as a whole
)

// Drop is an export that was claimed.
type Drop struct {
	Seq                 int64
	Feed, Name          string
	Size                int64
	SHA256              string
	Modified, FirstSeen time.Time
	Owner, Archived     string
	State               DropState
	ReadAt              time.Time
	Fingerprint         string
	Outcome             Outcome
	Workbook            Workbook
}

// Workbook says what became of the annotated copy of a drop, which is made once.
type Workbook string

// The states of an annotated copy.
const (
	WorkbookDue     Workbook = ""        // not tried yet, or in vain
	WorkbookWritten Workbook = "written" // it lies among the answers, or lay there
	WorkbookNone    Workbook = "none"    // there is nothing to mark, or the drop can't be copied
)

// Outcome is what a drop was understood as.
type Outcome struct {
	Rows     int                  `json:"rows"`
	Records  int                  `json:"records"`
	Rejected int                  `json:"rejected"` // rows
	Issues   []catalog.Issue      `json:"issues,omitempty"`
	Counts   map[catalog.Code]int `json:"counts,omitempty"` // of all issues, also of those not listed
	Fewer    bool                 `json:"fewer,omitempty"`  // nothing but the number of rows told that it breaks off

	Encoding  string   `json:"encoding,omitempty"`
	Evidence  string   `json:"evidence,omitempty"` // why that encoding
	Delimiter string   `json:"delimiter,omitempty"`
	Sheet     string   `json:"sheet,omitempty"` // "" for CSV
	HeaderRow int      `json:"header_row,omitempty"`
	Columns   []Column `json:"columns,omitempty"`
}

// Column is a column of an export that was used.
type Column struct {
	Role     string `json:"role"`
	Header   string `json:"header"`
	Number   int    `json:"number,omitempty"` // that of the first column is 1
	Decimal  string `json:"decimal,omitempty"`
	Date     string `json:"date,omitempty"`
	Proof    string `json:"proof,omitempty"` // the cell that proves Decimal or Date
	ProofRow int    `json:"proof_row,omitempty"`
}

// openEffects holds for effects that have not come to their end, spelled as in the partial index.
const openEffects = `state IN ('waiting', 'planned')`

// EffectState is how far a drop has come for one store.
type EffectState string

// The states of an effect.
const (
	EffectWaiting   EffectState = "waiting"   // for the next slot
	EffectHeld      EffectState = "held"      // by the brake
	EffectPlanned   EffectState = "planned"   // on its way
	EffectUnchanged EffectState = "unchanged" // the platform has been told all of it already
	EffectVerified  EffectState = "verified"  // it arrived
	EffectReplaced  EffectState = "replaced"  // a later export took its place before it counted
	EffectRowsHeld  EffectState = "rows held" // all that is left of it are rows that the brake holds
	EffectRejected  EffectState = "rejected"  // held by the brake, and somebody decided that it does not count
)

// Effect is what a drop means for one store.
type Effect struct {
	Seq    int64
	Target string
	State  EffectState
	Change shelf.Change
	Moves  []shelf.Move    // the largest price changes among them
	Held   []catalog.Issue // what the brake has, or at the next slot will have, against rows of it
	// Rejected is what it had against rows that do not count, by the word of a person.
	Rejected []catalog.Issue
	Plan     int64
	At       time.Time

	Began, Verified, Next time.Time // of the plan's deliveries, zero before
	Class                 string    // of the last failure of the plan's deliveries

	By     outbox.By // how the plan's deliveries travel, "" before
	Silent bool      // of one of the plan's requests the platform never told the end
	Answer time.Time // when it had told the end of them all, zero before
	// Waiting is how many promotions of the target start only with a later plan than the one that the effect is in; of one that is in
	// none, than the newest one.
	Waiting int
	// Withheld is how many promotions of the target can't start as they are, by the newest plan.
	Withheld int
}

// NextSeq returns the next sequence number of drops. Numbers never repeat.
func (s *Store) NextSeq(ctx context.Context) (seq int64, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		seq, err = nextNumber(ctx, tx, "drops")
		return err
	})
	return seq, err
}

// Reserve makes sure that a number found outside the database is not given out by NextSeq: the state may have been restored from a
// time before that drop was claimed, and drops count in the order of their numbers.
func (s *Store) Reserve(ctx context.Context, seq int64) error {
	return s.exec(ctx, fmt.Sprintf("reserve number %d", seq), `INSERT INTO numbers (name, last) VALUES ('drops', $1)
		ON CONFLICT (name) DO UPDATE SET last = MAX(last, excluded.last)`, seq)
}

// Seen records a drop that lies in the archive, durably, and whose it is where the page put it there. A drop that is known already stays
// as it is.
func (s *Store) Seen(ctx context.Context, d Drop) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		isNew, err := insertDrop(ctx, tx, d)
		var who string
		if err == nil && isNew {
			who, err = matchPut(ctx, tx, d)
		}
		if err == nil && isNew {
			err = note(ctx, tx, s.Now(), EntryDrop, Facts{Drop: d.Seq, Feed: d.Feed, Owner: d.Owner, Who: who, SHA256: d.SHA256, Size: d.Size})
		}
		return wrap(err, "record drop %d", d.Seq)
	})
}

// insertDrop adds a drop that was seen, and returns false where it is known already.
func insertDrop(ctx context.Context, tx *sql.Tx, d Drop) (isNew bool, err error) {
	res, err := tx.ExecContext(ctx, `INSERT INTO drops (seq, feed, name, size, sha256, modified, first_seen, owner,
			archived, state, read_at, fingerprint, outcome, receipt_due)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, '', '', 0) ON CONFLICT (seq) DO NOTHING`,
		d.Seq, d.Feed, d.Name, d.Size, d.SHA256, millis(d.Modified), millis(d.FirstSeen), d.Owner, d.Archived, DropSeen)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// Reading is everything that reading a drop changes.
type Reading struct {
	Seq         int64
	State       DropState // DropRead or DropRejected
	At          time.Time
	Fingerprint string
	Outcome     Outcome
	Layers      []LayerFile
	Effects     []Effect
}

// Commit records what a drop was understood as, in one transaction: outcome, layer files, effects and the receipt that is due.
// Doing it again for the same drop replaces what the first time wrote.
func (s *Store) Commit(ctx context.Context, r Reading) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if err := commitReading(ctx, tx, r); err != nil {
			return err
		}
		return noteReading(ctx, tx, r)
	})
}

// commitReading is Commit within a transaction.
func commitReading(ctx context.Context, tx *sql.Tx, r Reading) error {
	_, err := tx.ExecContext(ctx, `UPDATE drops SET state = $2, read_at = $3, fingerprint = $4, outcome = $5, workbook = '',
		receipt_due = receipt_due + 1 WHERE seq = $1`, r.Seq, r.State, millis(r.At), r.Fingerprint, toJSON(r.Outcome))
	if err != nil {
		return fmt.Errorf("commit drop %d: %w", r.Seq, err)
	}
	for _, l := range r.Layers {
		// Read anew, what passed the brake before stands until the new file has passed it too. What a later full one has replaced
		// stays replaced, and a file that stands for several drops is not one drop's to write.
		_, err := tx.ExecContext(ctx, `INSERT INTO layers (feed, scope, seq, is_full, merged, digest, was, present, tombstones, owned, modified, state,
				findings)
			VALUES ($1, $2, $3, $4, 0, $5, '', $6, $7, $8, $9, 'new', $10)
			ON CONFLICT (feed, scope, seq) DO UPDATE SET is_full = excluded.is_full, digest = excluded.digest,
				was = CASE state WHEN 'passed' THEN digest ELSE was END, present = excluded.present,
				tombstones = excluded.tombstones, owned = excluded.owned, state = CASE state WHEN 'past' THEN state ELSE 'new' END, findings = excluded.findings
			WHERE merged = 0`,
			l.Feed, l.Scope, r.Seq, l.Full, l.Digest, l.Present, l.Tombstones, l.Owned, millis(l.Modified), toJSON(l.Findings))
		if err != nil {
			return fmt.Errorf("commit layer of drop %d: %w", r.Seq, err)
		}
	}
	for _, e := range r.Effects {
		_, err := tx.ExecContext(ctx, `INSERT INTO effects (seq, target, state, change, moves, held, plan, at) VALUES ($1, $2, $3, $4, $5, $7, 0, $6)
			ON CONFLICT (seq, target) DO UPDATE SET state = excluded.state, change = excluded.change, moves = excluded.moves, held = excluded.held,
				at = excluded.at`,
			r.Seq, e.Target, e.State, toJSON(e.Change), listJSON(e.Moves), millis(r.At), listJSON(e.Held))
		if err != nil {
			return fmt.Errorf("commit effect of drop %d: %w", r.Seq, err)
		}
	}
	return nil
}

const dropColumns = `seq, feed, name, size, sha256, modified, first_seen, owner, archived, state, read_at, fingerprint, outcome,
	workbook`

const (
	lastNamedQuery = `SELECT ` + dropColumns + ` FROM drops INDEXED BY drops_name WHERE feed = $1 AND name = $2 COLLATE NOCASE AND seq < $3
		ORDER BY seq DESC LIMIT 1`
	newerNamedQuery = `SELECT EXISTS (SELECT 1 FROM drops INDEXED BY drops_name WHERE feed = $1 AND name = $3 COLLATE NOCASE AND seq > $2
		AND name = $3 AND state <> 'seen')`
	recentQuery = `SELECT ` + dropColumns + ` FROM drops WHERE state <> 'seen' AND feed IN (SELECT value FROM json_each($1)) ORDER BY seq DESC LIMIT $2`
)

func scanDrop(rows *sql.Rows) (d Drop, err error) {
	var modified, seen, read int64
	var outcome string
	err = rows.Scan(&d.Seq, &d.Feed, &d.Name, &d.Size, &d.SHA256, &modified, &seen, &d.Owner, &d.Archived, &d.State, &read,
		&d.Fingerprint, &outcome, &d.Workbook)
	if err != nil {
		return d, err
	}
	d.Modified, d.FirstSeen, d.ReadAt = fromMillis(modified), fromMillis(seen), fromMillis(read)
	d.Outcome, err = fromJSON[Outcome](outcome)
	return d, err
}

// Drop returns one drop, false where there is none of that number.
func (s *Store) Drop(ctx context.Context, seq int64) (Drop, bool, error) {
	all, err := list(ctx, s.read, scanDrop, `SELECT `+dropColumns+` FROM drops WHERE seq = $1`, seq)
	if err != nil || len(all) == 0 {
		return Drop{}, false, wrap(err, "read drop %d", seq)
	}
	return all[0], true, nil
}

// DropsAfter lists the drops that were read after one, the oldest first; no rollbacks, which nobody dropped.
func (s *Store) DropsAfter(ctx context.Context, seq int64) ([]Drop, error) {
	all, err := list(ctx, s.read, scanDrop, `SELECT `+dropColumns+` FROM drops WHERE seq > $1 AND state <> 'seen' AND feed <> ''
		ORDER BY seq`, seq)
	return all, wrap(err, "list drops")
}

// Misread lists the drops behind the current layers of a feed that were read with another fingerprint and are still in the archive,
// the oldest first. A file that stands for several drops was compacted: it is not one drop's any more.
func (s *Store) Misread(ctx context.Context, feed, fingerprint string, full bool) ([]Drop, error) {
	all, err := list(ctx, s.read, scanDrop, `SELECT `+dropColumns+` FROM drops WHERE feed = $1 AND fingerprint <> $2 AND archived <> ''
		AND state = 'read' AND seq IN (SELECT seq FROM layers INDEXED BY layers_now WHERE feed = $1 AND state <> 'past' AND merged = 0 AND is_full = $3) ORDER BY seq`,
		feed, fingerprint, full)
	return all, wrap(err, "list exports to read again")
}

// LastDrop returns the newest drop of a feed, false where there is none.
func (s *Store) LastDrop(ctx context.Context, feed string) (Drop, bool, error) {
	all, err := list(ctx, s.read, scanDrop, `SELECT `+dropColumns+` FROM drops WHERE feed = $1 ORDER BY seq DESC LIMIT 1`, feed)
	if err != nil || len(all) == 0 {
		return Drop{}, false, wrap(err, "read last drop of %s", feed)
	}
	return all[0], true, nil
}

// LastNamed returns the newest drop of a feed with a name, whatever the case, that came before another one; false where there is none.
func (s *Store) LastNamed(ctx context.Context, feed, name string, before int64) (Drop, bool, error) {
	all, err := list(ctx, s.read, scanDrop, lastNamedQuery, feed, name, before)
	if err != nil || len(all) == 0 {
		return Drop{}, false, wrap(err, "look for %s", name)
	}
	return all[0], true, nil
}

// Effects lists what a drop means for each of its stores.
func (s *Store) Effects(ctx context.Context, seq int64) ([]Effect, error) {
	scan := func(rows *sql.Rows) (e Effect, err error) {
		var change, moves, held, rejected string
		var at, began, verified, next, answer int64
		err = rows.Scan(&e.Seq, &e.Target, &e.State, &change, &moves, &held, &rejected, &e.Plan, &at, &began, &verified, &next, &e.Class, &e.By, &e.Silent, &answer,
			&e.Waiting, &e.Withheld)
		if err != nil {
			return e, err
		}
		e.At, e.Began, e.Verified, e.Next = fromMillis(at), fromMillis(began), fromMillis(verified), fromMillis(next)
		e.Answer = fromMillis(answer)
		if e.Moves, err = fromJSON[[]shelf.Move](moves); err == nil {
			e.Change, err = fromJSON[shelf.Change](change)
		}
		if err == nil {
			e.Held, err = fromJSON[[]catalog.Issue](held)
		}
		if err == nil {
			e.Rejected, err = fromJSON[[]catalog.Issue](rejected)
		}
		return e, err
	}
	all, err := list(ctx, s.read, scan, `SELECT e.seq, e.target, e.state, e.change, e.moves, e.held, e.rejected, e.plan, e.at,
			COALESCE((SELECT MAX(d.began_at) FROM deliveries d WHERE d.plan = e.plan), 0),
			COALESCE((SELECT MAX(d.verified_at) FROM deliveries d WHERE d.plan = e.plan), 0),
			COALESCE((SELECT MAX(d.next_at) FROM deliveries d WHERE d.plan = e.plan AND d.verified_at = 0), 0),
			COALESCE((SELECT d.class FROM deliveries d WHERE d.plan = e.plan AND d.error <> '' ORDER BY d.id LIMIT 1), ''),
			COALESCE((SELECT MIN(d.sent_by) FROM deliveries d WHERE d.plan = e.plan), ''),
			COALESCE((SELECT MAX(d.fate = 'silent') FROM deliveries d WHERE d.plan = e.plan), 0),
			COALESCE((SELECT CASE MIN(d.fate IN ('confirmed', 'silent')) WHEN 1 THEN MAX(MAX(d.verified_at, COALESCE(j.ended_at, 0))) END
				FROM deliveries d LEFT JOIN jobs j ON j.delivery = d.id WHERE d.plan = e.plan), 0),
			COALESCE((SELECT p.waiting FROM plans p WHERE p.id = e.plan), (SELECT t.waiting FROM targets t WHERE t.target = e.target), 0),
			COALESCE((SELECT t.withheld FROM targets t WHERE t.target = e.target), 0)
		FROM effects e WHERE e.seq = $1 ORDER BY e.target`, seq)
	return all, wrap(err, "read effects of drop %d", seq)
}

// listJSON is toJSON for lists that are often empty.
func listJSON[T any](all []T) string {
	if len(all) == 0 {
		return ""
	}
	return toJSON(all)
}

// RecentDrops lists the newest drops of feeds that were read or rejected, the newest first, at most limit.
func (s *Store) RecentDrops(ctx context.Context, feeds []string, limit int) ([]Drop, error) {
	all, err := list(ctx, s.read, scanDrop, recentQuery, toJSON(feeds), limit)
	return all, wrap(err, "list recent drops")
}

// WorkbookMade records what became of a drop's annotated copy.
func (s *Store) WorkbookMade(ctx context.Context, seq int64, w Workbook) error {
	return s.exec(ctx, fmt.Sprintf("record workbook of drop %d", seq), `UPDATE drops SET workbook = $2 WHERE seq = $1`, seq, w)
}

// ReceiptDue is a drop whose receipt is to be written, and why often enough.
type ReceiptDue struct {
	Drop
	Reasons int64
}

// receiptsQuery is asked all the time, of years of drops. The + keeps SQLite from walking all of them for the sake of their order.
const receiptsQuery = `SELECT seq, feed FROM drops WHERE receipt_due > 0 ORDER BY +seq`

// ReceiptsDue lists drops, by their Seq and Feed, whose receipt is not what it should say, the oldest first.
func (s *Store) ReceiptsDue(ctx context.Context) ([]Drop, error) {
	scan := func(rows *sql.Rows) (d Drop, err error) { return d, rows.Scan(&d.Seq, &d.Feed) }
	all, err := list(ctx, s.read, scan, receiptsQuery)
	return all, wrap(err, "list receipts due")
}

// HasNewer reports whether a file of the same name was dropped for the same feed after a drop, and understood or rejected.
func (s *Store) HasNewer(ctx context.Context, d Drop) (newer bool, err error) {
	err = s.read.QueryRowContext(ctx, newerNamedQuery, d.Feed, d.Seq, d.Name).Scan(&newer)
	return newer, wrap(err, "look for a drop after %d", d.Seq)
}

// ReceiptDue returns one drop whose receipt is due, false where it is not.
func (s *Store) ReceiptDue(ctx context.Context, seq int64) (ReceiptDue, bool, error) {
	r := ReceiptDue{}
	// The count comes first: what changes after it keeps the receipt due.
	err := s.read.QueryRowContext(ctx, `SELECT receipt_due FROM drops WHERE seq = $1`, seq).Scan(&r.Reasons)
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	if err != nil || r.Reasons == 0 {
		return r, false, wrap(err, "read receipt of drop %d", seq)
	}
	var ok bool
	r.Drop, ok, err = s.Drop(ctx, seq)
	return r, ok, err
}

// ReceiptWritten records that a receipt says what was true when it was due. What came since keeps it due.
func (s *Store) ReceiptWritten(ctx context.Context, r ReceiptDue) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE drops SET receipt_due = receipt_due - $2 WHERE seq = $1 AND receipt_due >= $2`, r.Seq, r.Reasons)
		if err == nil {
			err = note(ctx, tx, s.Now(), EntryAnswer, Facts{Drop: r.Seq, Feed: r.Feed})
		}
		return wrap(err, "record receipt of drop %d", r.Seq)
	})
}
