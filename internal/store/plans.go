package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/outbox"
	"gondola/internal/shelf"
)

// Target is what is to be decided about one shelf.
type Target struct {
	Target  string
	Parts   int
	PlanDue bool
	FullDue bool
	Adopt   bool
	Begun   bool // an open plan's attempt has begun: it is finished first
	Working bool // the platform works on requests that it has accepted: that is finished first, too
}

// TargetsDue lists the targets for which a plan is due.
func (s *Store) TargetsDue(ctx context.Context) ([]Target, error) {
	all, err := list(ctx, s.read, scanTarget, targetQuery+` WHERE t.plan_due = 1 ORDER BY t.target`)
	return all, wrap(err, "list targets")
}

// TargetOf returns one target, as a new one where it was never planned.
func (s *Store) TargetOf(ctx context.Context, target string) (Target, error) {
	all, err := list(ctx, s.read, scanTarget, targetQuery+` WHERE t.target = $1`, target)
	if err != nil || len(all) == 0 {
		return Target{Target: target, Parts: 1}, wrap(err, "read target %s", target)
	}
	return all[0], nil
}

// A full plan that is superseded before it arrived is owed: the one in its place is full too.
const targetQuery = `SELECT t.target, t.parts, t.plan_due,
	MAX(t.full_due, EXISTS (SELECT 1 FROM plans p WHERE p.target = t.target AND p.state = 'open' AND p.is_full)), t.adopt,
	EXISTS (SELECT 1 FROM plans p JOIN deliveries d ON d.plan = p.id
		WHERE p.target = t.target AND p.state = 'open' AND ` + underWay + `),
	EXISTS (SELECT 1 FROM jobs j WHERE j.target = t.target AND j.ended_at = 0 AND j.delivery > 0) FROM targets t`

// underWay holds for deliveries whose attempt began and will go on. Verified ones and parked ones do not keep a plan from being
// superseded: their rows are unsettled, so the next plan contains them.
const underWay = `d.began_at > 0 AND d.state IN ('queued', 'deferred', 'sending', 'uncertain')`

func scanTarget(rows *sql.Rows) (t Target, err error) {
	return t, rows.Scan(&t.Target, &t.Parts, &t.PlanDue, &t.FullDue, &t.Adopt, &t.Begun, &t.Working)
}

// Sent returns the stack of what a target was verifiably sent, the lowest first.
func (s *Store) Sent(ctx context.Context, target string) ([]shelf.Digest, error) {
	all, err := list(ctx, s.read, scanOne[shelf.Digest], `SELECT digest FROM sent WHERE target = $1 ORDER BY pos`, target)
	return all, wrap(err, "read what was sent to %s", target)
}

// Unsettled returns the rows that began to leave for a target and are not known to have been read, the oldest first.
func (s *Store) Unsettled(ctx context.Context, target string) ([]shelf.Digest, error) {
	all, err := list(ctx, s.read, scanOne[shelf.Digest], `SELECT records FROM deliveries WHERE target = $1 AND unsettled = 1 ORDER BY id`, target)
	return all, wrap(err, "read what is unsettled at %s", target)
}

// SentCompacted replaces a target's stack by one file that reads the same. It does nothing when the stack is another one by now.
func (s *Store) SentCompacted(ctx context.Context, target string, old []shelf.Digest, one shelf.Digest) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		now, err := list(ctx, tx, scanOne[shelf.Digest], `SELECT digest FROM sent WHERE target = $1 ORDER BY pos`, target)
		if err != nil || len(now) < len(old) {
			return wrap(err, "compact what was sent to %s", target)
		}
		for i, d := range old {
			if now[i] != d {
				return nil
			}
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM sent WHERE target = $1 AND pos IN
			(SELECT pos FROM sent WHERE target = $1 ORDER BY pos LIMIT $2)`, target, len(old))
		if err == nil {
			// Below everything that may have come on top in the meantime: positions of plans start at 1.
			_, err = tx.ExecContext(ctx, `INSERT INTO sent (target, pos, digest) VALUES ($1, 0, $2)`, target, one)
		}
		return wrap(err, "compact what was sent to %s", target)
	})
}

// Document is one document of a plan.
type Document struct {
	By           outbox.By // "" = as a file
	Part         int
	Folder, Name string
	Path         string // below the state folder
	Size         int64
	SHA256       string
	Rows         int
	Records      shelf.Digest
}

// Plan is what is to be sent to one target.
type Plan struct {
	Target    string
	Full      bool
	Parts     int // that rows are spread over from now on
	Upto      int64
	Differs   int
	Rows      int
	Change    shelf.Change
	Documents []Document // empty: there is nothing to send
	// Waiting is how many promotions start only with a later plan, once the ends in this one have settled.
	Waiting int
	// Withheld is how many promotions can't start as they are: the platform would refuse them.
	Withheld int
	// Findings is what the brake has against rows that are not in the plan, or against sending anything at all.
	Findings []shelf.Finding
	// Held is what the findings about rows are of the drops that count, by their numbers.
	Held map[int64][]catalog.Issue
	// Decisions is the newest decision about the target that the plan knows, as Store.Decisions told before it was made.
	Decisions int64
	// Below is, of a full plan, what was sent before and holds on beside what its documents say; "" = nothing.
	Below shelf.Digest
	At    time.Time
}

// stopped reports whether nothing at all leaves before somebody has approved it, whatever rows a drop has that are held as well.
func (p Plan) stopped() bool {
	return slices.ContainsFunc(p.Findings, func(f shelf.Finding) bool { return f.Code == catalog.BrakeFirst || f.Code == catalog.BrakeLate })
}

// ErrBegun says that an attempt of the open plan has begun, so that it can't be superseded.
var ErrBegun = errors.New("an attempt of the open plan has begun")

// Enqueue records a plan and its documents as queued deliveries, in place of an open plan of the target that has not begun. It
// moves the effects of all drops up to p.Upto: with documents to planned, without to unchanged, or, where promotions wait for a later
// plan or can't start, back to waiting. Drops that an earlier plan had promotions of that waited are moved along: this is the plan that has them. The
// target is not due any more, unless a full plan was asked for in the meantime and this is none, or somebody has decided on a finding
// that the plan does not know of. It returns the plan's id, 0 for one
// without documents.
func (s *Store) Enqueue(ctx context.Context, p Plan) (id int64, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		if err := endApprovals(ctx, tx, p); err != nil {
			return fmt.Errorf("end approvals of %s: %w", p.Target, err)
		}
		if err := supersede(ctx, tx, p.Target); err != nil {
			return err
		}
		state := EffectUnchanged
		switch {
		case p.stopped() || p.Waiting > 0 || p.Withheld > 0:
			state = EffectWaiting
		case len(p.Findings) > 0:
			state = EffectRowsHeld
		}
		if len(p.Documents) > 0 {
			if id, err = insertPlan(ctx, tx, p); err != nil {
				return err
			}
			state = EffectPlanned
			f := Facts{Target: p.Target, Plan: id, Full: p.Full, Differs: p.Differs, Rows: p.Rows}
			if err := note(ctx, tx, p.At, EntryPlan, f); err != nil {
				return err
			}
		}
		err := heldOfDrops(ctx, tx, p)
		if err == nil {
			err = enqueueEffects(ctx, tx, p, id, state)
		}
		if err == nil {
			err = found(ctx, tx, p)
		}
		if err == nil {
			// Where nothing is sent there is nothing to adopt: what was said for now must not be done to a file that comes next year.
			nothing := id == 0 && len(p.Findings) == 0 && p.Waiting == 0 && p.Withheld == 0
			_, err = tx.ExecContext(ctx, `INSERT INTO targets (target, parts, plan_due, full_due, adopt, waiting, withheld, decided)
				VALUES ($1, $2, 0, 0, 0, $4, $5, $6)
				ON CONFLICT (target) DO UPDATE SET parts = MAX(parts, excluded.parts), waiting = excluded.waiting,
					withheld = excluded.withheld, decided = excluded.decided, full_due = MIN(full_due, $3),
					plan_due = MAX(MIN(full_due, $3), EXISTS (SELECT 1 FROM findings WHERE target = $1 AND decided > $6)),
					adopt = CASE WHEN $7 AND NOT EXISTS (SELECT 1 FROM deliveries INDEXED BY deliveries_open WHERE target = $1 AND `+unfinished+`) THEN 0 ELSE adopt END`,
				p.Target, max(p.Parts, 1), !p.Full, p.Waiting, p.Withheld, p.Decisions, nothing)
		}
		return wrap(err, "enqueue plan for %s", p.Target)
	})
	return id, err
}

// What a plan asks of the drops of its target, most of which arrived months ago. A + keeps SQLite from walking those.
const (
	// heldQuery finds the drops that have rows which were held, or are held now.
	heldQuery = `SELECT seq, held FROM effects WHERE target = $1 AND held <> '' AND seq <= $2 AND state <> 'held'
		UNION SELECT seq, held FROM effects WHERE seq IN (SELECT value FROM json_each($3)) AND target = $1 AND seq <= $2 AND state <> 'held'`

	openOfTarget = `target = $1 AND seq <= $2 AND state IN ('waiting', 'planned', 'rows held')`
	// What arrived of them is not all: some of their promotions waited.
	stagedOfTarget = `+target = $1 AND +seq <= $2 AND +state = 'verified' AND plan IN (SELECT id FROM plans WHERE target = $1 AND waiting > 0)`
	knownByPlan    = `UPDATE drops SET receipt_due = receipt_due + 1 WHERE seq IN
		(SELECT seq FROM effects WHERE ` + openOfTarget + ` UNION SELECT seq FROM effects WHERE ` + stagedOfTarget + `)`
)

// heldOfDrops writes down which rows of each drop a plan has found to be held. What was expected when a drop was read is over then.
func heldOfDrops(ctx context.Context, tx *sql.Tx, p Plan) error {
	if p.stopped() {
		return nil // rows are looked at once something may leave
	}
	type drop struct {
		seq  int64
		held string
	}
	scan := func(rows *sql.Rows) (d drop, err error) { return d, rows.Scan(&d.seq, &d.held) }
	drops, err := list(ctx, tx, scan, heldQuery, p.Target, p.Upto, toJSON(slices.Collect(maps.Keys(p.Held))))
	if err != nil {
		return err
	}
	for _, d := range drops {
		now := listJSON(p.Held[d.seq])
		if now == d.held {
			continue
		}
		_, err := tx.ExecContext(ctx, `UPDATE effects SET held = $3 WHERE seq = $1 AND target = $2`, d.seq, p.Target, now)
		if err == nil {
			_, err = tx.ExecContext(ctx, `UPDATE drops SET receipt_due = receipt_due + 1 WHERE seq = $1`, d.seq)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// enqueueEffects moves the effects of the drops that a plan knows, and makes their receipts due.
func enqueueEffects(ctx context.Context, tx *sql.Tx, p Plan, id int64, state EffectState) error {
	args := []any{p.Target, p.Upto, millis(p.At), state, id}
	_, err := tx.ExecContext(ctx, knownByPlan, args[:2]...)
	switch late := slices.ContainsFunc(p.Findings, func(f shelf.Finding) bool { return f.Code == catalog.BrakeLate }); {
	case err != nil:
	case late && id == 0:
		// What was on its way has waited since it was read, and goes on waiting.
		_, err = tx.ExecContext(ctx, `UPDATE effects SET state = 'waiting', plan = 0,
			at = CASE state WHEN 'planned' THEN COALESCE((SELECT read_at FROM drops d WHERE d.seq = effects.seq), at) ELSE at END WHERE `+openOfTarget, args[:2]...)
	case state == EffectRowsHeld:
		// Of a drop that has none of the rows nothing is left to be sent.
		rest := EffectUnchanged
		if slices.ContainsFunc(p.Findings, func(f shelf.Finding) bool { return f.Code == catalog.BrakeClock }) {
			rest = EffectWaiting // that it would have to wait was not known when the drop was read
		}
		_, err = tx.ExecContext(ctx, `UPDATE effects SET state = CASE held WHEN '' THEN $6 ELSE $4 END, plan = $5, at = $3 WHERE `+openOfTarget, append(args, rest)...)
	default:
		_, err = tx.ExecContext(ctx, `UPDATE effects SET state = $4, plan = $5, at = $3 WHERE `+openOfTarget, args...)
	}
	if err == nil && id != 0 {
		_, err = tx.ExecContext(ctx, `UPDATE effects SET state = $4, plan = $5, at = $3 WHERE `+stagedOfTarget, args...)
	}
	if err == nil && (id != 0 || p.Waiting == 0) {
		// Nothing waits for the earlier plans any more.
		_, err = tx.ExecContext(ctx, `UPDATE plans SET waiting = 0 WHERE target = $1 AND waiting > 0 AND id <> $2`, p.Target, id)
	}
	return err
}

// supersede ends the open plan of a target, unless an attempt of it has begun.
func supersede(ctx context.Context, tx *sql.Tx, target string) error {
	var begun int
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM plans p JOIN deliveries d ON d.plan = p.id
		WHERE p.target = $1 AND p.state = 'open' AND `+underWay, target).Scan(&begun)
	if err != nil {
		return fmt.Errorf("look for an open plan of %s: %w", target, err)
	}
	if begun > 0 {
		return fmt.Errorf("supersede plan of %s: %w", target, ErrBegun)
	}
	_, err = tx.ExecContext(ctx, `UPDATE deliveries SET state = 'superseded' WHERE verified_at = 0 AND plan IN
		(SELECT id FROM plans WHERE target = $1 AND state = 'open')`, target)
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE plans SET state = 'superseded' WHERE target = $1 AND state = 'open'`, target)
	}
	if err == nil {
		// A file that was to go once more, and did not because the plan contained it, goes by itself now.
		_, err = tx.ExecContext(ctx, `UPDATE deliveries SET state = 'queued', next_at = 0
			WHERE target = $1 AND state = 'verified' AND fate = $2 AND unsettled = 1 AND NOT EXISTS (SELECT 1 FROM deliveries n
				WHERE n.folder = deliveries.folder AND n.name = deliveries.name AND n.id > deliveries.id AND n.state <> 'superseded')`,
			target, outbox.FateAgain)
	}
	if err == nil {
		// So does a request whose job failed.
		_, err = tx.ExecContext(ctx, `UPDATE deliveries SET state = 'queued', next_at = 0
			WHERE target = $1 AND sent_by = 'api' AND state = 'verified' AND failures > 0 AND unsettled = 1
				AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.delivery = deliveries.id AND j.ended_at = 0)
				AND NOT EXISTS (SELECT 1 FROM deliveries n WHERE n.target = $1 AND n.plan > deliveries.plan AND n.state <> 'superseded')`,
			target)
	}
	return wrap(err, "supersede plan of %s", target)
}

// containedUpdate ends what arrived and was to go once more, where a document contains it.
const containedUpdate = `UPDATE deliveries INDEXED BY deliveries_open SET state = 'verified', next_at = 0, class = '', error = ''
	WHERE target = $1 AND ` + unfinished + ` AND verified_at > 0 AND (folder = $2 AND name = $3 OR sent_by = $4 AND $4 = 'api')`

func insertPlan(ctx context.Context, tx *sql.Tx, p Plan) (int64, error) {
	id, err := nextNumber(ctx, tx, "plans")
	if err != nil {
		return 0, fmt.Errorf("number plan: %w", err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO plans (id, target, is_full, state, upto, differs, rows_total, change, below, created, done_at, waiting)
		VALUES ($1, $2, $3, 'open', $4, $5, $6, $7, $8, $9, 0, $10)`,
		id, p.Target, p.Full, p.Upto, p.Differs, p.Rows, toJSON(p.Change), p.Below, millis(p.At), p.Waiting)
	if err != nil {
		return 0, fmt.Errorf("insert plan: %w", err)
	}
	for _, d := range p.Documents {
		n, err := nextNumber(ctx, tx, "deliveries")
		if err != nil {
			return 0, fmt.Errorf("number delivery: %w", err)
		}
		by := cmp.Or(d.By, outbox.BySFTP)
		// A verified file that was to go once more is contained in this one; of requests, in this plan.
		_, err = tx.ExecContext(ctx, containedUpdate, p.Target, d.Folder, d.Name, by)
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO deliveries (id, plan, target, part, folder, name, path, size, sha256, doc_rows, records,
					state, attempts, next_at, class, error, began_at, verified_at, proof, way, replaced, unsettled, look_at, fate, sent_by)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'queued', 0, 0, '', '', 0, 0, '', '', 0, 0, 0, '', $12)`,
				n, id, p.Target, d.Part, d.Folder, d.Name, d.Path, d.Size, d.SHA256, d.Rows, d.Records, by)
		}
		if err != nil {
			return 0, fmt.Errorf("insert delivery of %s: %w", d.Name, err)
		}
	}
	return id, nil
}

// Newest returns the number of the newest drop that was read.
func (s *Store) Newest(ctx context.Context) (seq int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT COALESCE(MAX(seq), 0) FROM drops WHERE state <> 'seen'`).Scan(&seq)
	return seq, wrap(err, "read newest drop")
}

// Abandon ends the open plans of targets that are not to be kept, unless an attempt of them is under way.
func (s *Store) Abandon(ctx context.Context, keep []string) error {
	open, err := list(ctx, s.read, scanOne[string], `SELECT DISTINCT target FROM plans WHERE state = 'open'`)
	if err != nil {
		return wrap(err, "list open plans")
	}
	for _, target := range open {
		if slices.Contains(keep, target) {
			continue
		}
		err := s.tx(ctx, func(tx *sql.Tx) error { return supersede(ctx, tx, target) })
		if err != nil && !errors.Is(err, ErrBegun) {
			return err
		}
	}
	return nil
}

// SentName is where a target's first document was sent last, and how.
type SentName struct {
	Target, Folder, Name string
	By                   outbox.By
}

// SentNames lists where each target was sent to last.
func (s *Store) SentNames(ctx context.Context) ([]SentName, error) {
	scan := func(rows *sql.Rows) (n SentName, err error) {
		return n, rows.Scan(&n.Target, &n.Folder, &n.Name, &n.By)
	}
	all, err := list(ctx, s.read, scan, `SELECT target, folder, name, sent_by FROM deliveries WHERE id IN
		(SELECT MAX(id) FROM deliveries WHERE part = 1 AND began_at > 0 GROUP BY target) ORDER BY target`)
	return all, wrap(err, "list remote names")
}

// SeedSent replaces what a target was sent by what it knows of what others were sent, in whose place it is.
func (s *Store) SeedSent(ctx context.Context, target string, known shelf.Digest) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM sent WHERE target = $1`, target)
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO sent (target, pos, digest) VALUES ($1, 0, $2)`, target, known)
		}
		return wrap(err, "hand on what was sent to %s", target)
	})
}

// Switch ends what waits to leave for a target by another way than the one that it goes by now, and follows no jobs of it any more. What
// began to leave stays unsettled, so that the next plan contains it.
func (s *Store) Switch(ctx context.Context, target string, by outbox.By, now time.Time) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE plans SET state = 'superseded' WHERE target = $1 AND state = 'open'
			AND EXISTS (SELECT 1 FROM deliveries d WHERE d.plan = plans.id AND d.sent_by <> $2)`, target, by)
		if err == nil {
			_, err = tx.ExecContext(ctx, `UPDATE deliveries INDEXED BY deliveries_open
				SET state = CASE WHEN verified_at > 0 THEN 'verified' ELSE 'superseded' END, next_at = 0 WHERE target = $1 AND sent_by <> $2 AND `+unfinished, target, by)
		}
		if err == nil && by != outbox.ByAPI {
			// Nothing of it goes once more that way.
			_, err = tx.ExecContext(ctx, `UPDATE deliveries SET failures = 0 WHERE target = $1 AND unsettled = 1 AND failures > 0`, target)
		}
		if err == nil && by != outbox.ByAPI {
			// Whoever sends files may have no token any more to ask with, and a job that is open keeps the next plan back.
			_, err = tx.ExecContext(ctx, `UPDATE jobs SET ended_at = $2, heard = $3, next_at = 0 WHERE target = $1 AND ended_at = 0 AND delivery > 0`,
				target, millis(now), HeardLost)
		}
		return wrap(err, "switch %s to another way", target)
	})
}

// OweFull makes the next plan of a target say everything.
func (s *Store) OweFull(ctx context.Context, target string) error {
	return s.exec(ctx, "owe "+target+" a full plan", `UPDATE targets SET full_due = 1 WHERE target = $1`, target)
}
