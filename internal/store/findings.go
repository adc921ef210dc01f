package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/shelf"
)

// FindingState says what became of a finding about rows.
type FindingState string

// The states of a finding.
const (
	FindingOpen     FindingState = "open"     // it waits for a person
	FindingApproved FindingState = "approved" // its rows may leave
	FindingRejected FindingState = "rejected" // its rows stay away, and nobody is asked again as long as they are wanted like that
	FindingGone     FindingState = "gone"     // nothing is wanted any more that it is about
)

// Finding is what the brake has against rows of a target, or against sending anything to it.
type Finding struct {
	ID     int64
	Target string
	State  FindingState
	shelf.Finding
	First, At time.Time // when it was found first, and when it came to its state
	Until     time.Time // approved: for so long
	Who       string    // decided
}

const findingColumns = `id, target, state, finding, first_at, at, until, who`

func scanFinding(rows *sql.Rows) (f Finding, err error) {
	var text string
	var first, at, until int64
	if err = rows.Scan(&f.ID, &f.Target, &f.State, &text, &first, &at, &until, &f.Who); err != nil {
		return f, err
	}
	f.First, f.At, f.Until = fromMillis(first), fromMillis(at), fromMillis(until)
	f.Finding, err = fromJSON[shelf.Finding](text)
	return f, err
}

const openFindingsQuery = `SELECT ` + findingColumns + ` FROM findings INDEXED BY findings_open WHERE state = 'open' ORDER BY id`

// OpenFindings lists the findings that wait for a person, by their numbers.
func (s *Store) OpenFindings(ctx context.Context) ([]Finding, error) {
	all, err := list(ctx, s.read, scanFinding, openFindingsQuery)
	return all, wrap(err, "list findings")
}

// Finding returns one finding, false where there is none of that number.
func (s *Store) Finding(ctx context.Context, id int64) (Finding, bool, error) {
	all, err := list(ctx, s.read, scanFinding, `SELECT `+findingColumns+` FROM findings WHERE id = $1`, id)
	if err != nil || len(all) == 0 {
		return Finding{}, false, wrap(err, "read finding %d", id)
	}
	return all[0], true, nil
}

// Approved lists the findings about a target that were approved, by their numbers.
func (s *Store) Approved(ctx context.Context, target string) ([]Finding, error) {
	all, err := list(ctx, s.read, scanFinding, `SELECT `+findingColumns+` FROM findings WHERE target = $1 AND state = 'approved' ORDER BY id`, target)
	return all, wrap(err, "list approvals of %s", target)
}

// HoldsRows reports whether rows of a target are held, or somebody decided that they stay away.
func (s *Store) HoldsRows(ctx context.Context, target string) (holds bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM findings WHERE target = $1 AND held <> '' AND state IN ('open', 'rejected'))`,
		target).Scan(&holds)
	return holds, wrap(err, "look for held rows of %s", target)
}

// Decisions are what people decided about the rows of a target.
type Decisions struct {
	Approved, Rejected []shelf.Digest // the oldest first
	First              bool           // the first files may leave
	Late               bool           // so may what waited too long
}

// Decisions returns the number of the newest decision about a target. A plan that knows it is asked for again where one comes later.
func (s *Store) Decisions(ctx context.Context, target string) (n int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT COALESCE(MAX(decided), 0) FROM findings WHERE target = $1`, target).Scan(&n)
	return n, wrap(err, "count decisions about %s", target)
}

// inUse holds for the target $1 while what was approved is on its way, or waits for the next stage.
const inUse = `(EXISTS (SELECT 1 FROM plans p WHERE p.target = $1 AND p.state = 'open')
	OR EXISTS (SELECT 1 FROM targets t WHERE t.target = $1 AND t.waiting > 0))`

// Decided returns the decisions about a target that hold at now. An approval holds for its time, and longer while no plan has known it
// yet or what was planned has not arrived: nobody should be asked again because a server was down.
func (s *Store) Decided(ctx context.Context, target string, now time.Time) (Decisions, error) {
	var d Decisions
	all, err := list(ctx, s.read, scanFinding, `SELECT `+findingColumns+` FROM findings WHERE target = $1 AND (state = 'rejected' OR state = 'approved'
		AND (until > $2 OR `+inUse+` OR decided > COALESCE((SELECT t.decided FROM targets t WHERE t.target = $1), 0))) ORDER BY decided, at, id`,
		target, millis(now))
	for _, f := range all {
		switch {
		case f.Code == catalog.BrakeFirst:
			d.First = d.First || f.State == FindingApproved
		case f.Code == catalog.BrakeLate:
			d.Late = d.Late || f.State == FindingApproved
		case f.State == FindingApproved:
			d.Approved = append(d.Approved, f.Rows)
		default:
			d.Rejected = append(d.Rejected, f.Rows)
		}
	}
	return d, wrap(err, "read decisions about %s", target)
}

// Decide approves or rejects an open finding. What it holds of drops waits for the next plan then, which is due at once when it was
// approved. It returns false when the finding is not open any more.
func (s *Store) Decide(ctx context.Context, id int64, state FindingState, who string, now, until time.Time) (ok bool, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		n, err := nextNumber(ctx, tx, "decisions")
		if err != nil {
			return fmt.Errorf("number decision: %w", err)
		}
		var target, code string
		err = tx.QueryRowContext(ctx, `UPDATE findings SET state = $2, who = $3, at = $4, until = $5, decided = $6 WHERE id = $1 AND state = 'open'
			RETURNING target, code`, id, state, who, millis(now), millis(until), n).Scan(&target, &code)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("decide on finding %d: %w", id, err)
		}
		ok = true
		kind := EntryRejection
		if state == FindingApproved {
			kind = EntryApproval
		}
		if err := note(ctx, tx, now, kind, Facts{Finding: id, Target: target, Codes: []string{code}, Who: who, Until: until}); err != nil {
			return err
		}
		if err := errors.Join(receiptsOfHeld(ctx, tx, target), decideRows(ctx, tx, target, catalog.Code(code), state, now)); err != nil {
			return fmt.Errorf("decide on finding %d: %w", id, err)
		}
		return markDue(ctx, tx, []string{target}, false)
	})
	return ok, err
}

// decideRows takes what was decided on off the drops that count and have rows of it: approved, they wait for the next plan; rejected,
// their receipts go on telling it.
func decideRows(ctx context.Context, tx *sql.Tx, target string, code catalog.Code, state FindingState, now time.Time) error {
	type drop struct {
		seq            int64
		held, rejected string
	}
	scan := func(rows *sql.Rows) (d drop, err error) { return d, rows.Scan(&d.seq, &d.held, &d.rejected) }
	drops, err := list(ctx, tx, scan, `SELECT seq, held, rejected FROM effects WHERE target = $1 AND held <> '' AND held LIKE '%"' || $2 || '"%' AND EXISTS
		(SELECT 1 FROM layers l WHERE l.seq = effects.seq AND l.state = 'passed' AND (l.scope = '*' OR '/' || effects.target LIKE '%/' || l.scope))`,
		target, code)
	if err != nil {
		return err
	}
	for _, d := range drops {
		held, err := fromJSON[[]catalog.Issue](d.held)
		if err != nil {
			return err
		}
		rejected, err := fromJSON[[]catalog.Issue](d.rejected)
		if err != nil {
			return err
		}
		var rest []catalog.Issue
		for _, is := range held {
			switch {
			case is.Code != code:
				rest = append(rest, is)
			case state == FindingRejected:
				rejected = append(rejected, is)
			}
		}
		_, err = tx.ExecContext(ctx, `UPDATE effects SET held = $3, rejected = $4,
			at = CASE WHEN $5 AND state IN ('verified', 'rows held') THEN $6 ELSE at END,
			state = CASE WHEN $5 AND state IN ('verified', 'rows held') THEN 'waiting' ELSE state END WHERE seq = $1 AND target = $2`,
			d.seq, target, listJSON(rest), listJSON(rejected), state == FindingApproved, millis(now))
		if err != nil {
			return err
		}
	}
	return nil
}

// endApprovals ends the approvals of a target whose time is over and that nothing needs any more, as a new plan is made: what leaves later
// has nothing to do with them.
func endApprovals(ctx context.Context, tx *sql.Tx, p Plan) error {
	_, err := tx.ExecContext(ctx, `UPDATE findings SET state = 'gone' WHERE target = $1 AND state = 'approved' AND until <= $2
		AND decided <= COALESCE((SELECT t.decided FROM targets t WHERE t.target = $1), 0) AND NOT `+inUse, p.Target, millis(p.At))
	return err
}

const heldReceipts = `UPDATE drops SET receipt_due = receipt_due + 1 WHERE seq IN (SELECT seq FROM effects WHERE target = $1 AND held <> '')`

// receiptsOfHeld makes the receipts of drops due that have rows which the brake holds in a target.
func receiptsOfHeld(ctx context.Context, tx *sql.Tx, target string) error {
	_, err := tx.ExecContext(ctx, heldReceipts, target)
	return err
}

// found records what a plan's brake has against a target: what was open and is not found any more is gone. Other rows than were open
// are another finding, with a number of its own: whoever decides on a number means the rows that were shown to them. It reports nothing
// where nothing changed.
func found(ctx context.Context, tx *sql.Tx, p Plan) error {
	open, err := list(ctx, tx, scanFinding, `SELECT `+findingColumns+` FROM findings WHERE target = $1 AND state = 'open' ORDER BY id`, p.Target)
	if err != nil {
		return err
	}
	changed := false
	for _, old := range open {
		if slices.ContainsFunc(p.Findings, func(f shelf.Finding) bool { return f.Code == old.Code && f.Rows == old.Rows }) {
			continue
		}
		changed = true
		if _, err := tx.ExecContext(ctx, `UPDATE findings SET state = 'gone', at = $2 WHERE id = $1`, old.ID, millis(p.At)); err != nil {
			return err
		}
	}
	for _, f := range p.Findings {
		i := slices.IndexFunc(open, func(old Finding) bool { return old.Code == f.Code })
		switch {
		case i < 0:
			err = newFinding(ctx, tx, p, f, p.At)
		case open[i].Rows != f.Rows:
			err = newFinding(ctx, tx, p, f, open[i].First)
		case open[i].Count != f.Count:
			_, err = tx.ExecContext(ctx, `UPDATE findings SET finding = $2 WHERE id = $1`, open[i].ID, toJSON(f))
			err = errors.Join(err, noteRowsHeld(ctx, tx, p.At, open[i].ID, p.Target, f))
		default:
			continue
		}
		if err != nil {
			return err
		}
		changed = true
	}
	if !changed {
		return nil
	}
	return receiptsOfHeld(ctx, tx, p.Target)
}

// newFinding opens a finding, unless somebody has decided on these rows while the plan was being made: the next plan knows it.
func newFinding(ctx context.Context, tx *sql.Tx, p Plan, f shelf.Finding, first time.Time) error {
	var late bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM findings WHERE target = $1 AND code = $2 AND held = $3 AND decided > $4)`,
		p.Target, f.Code, f.Rows, p.Decisions).Scan(&late)
	if err != nil || late {
		return err
	}
	id, err := nextNumber(ctx, tx, "findings")
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO findings (id, target, code, state, finding, held, first_at, at, until, who)
		VALUES ($1, $2, $3, 'open', $4, $5, $6, $7, 0, '')`, id, p.Target, f.Code, toJSON(f), f.Rows, millis(first), millis(p.At))
	if err != nil {
		return err
	}
	return noteRowsHeld(ctx, tx, p.At, id, p.Target, f)
}

// noteRowsHeld tells the ledger of rows that the brake holds: how many, and the file that has them.
func noteRowsHeld(ctx context.Context, tx *sql.Tx, now time.Time, id int64, target string, f shelf.Finding) error {
	return note(ctx, tx, now, EntryHeld, Facts{Finding: id, Target: target, Codes: []string{string(f.Code)}, Rows: f.Count, SHA256: string(f.Rows)})
}
