package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"gondola/internal/outbox"
)

// What a crowd of small files tells of its attempts was most of the work on them when it took a few statements each. Those who share a
// transaction hand in what they have to tell, and one statement writes it down for all. What they hand in is JSON: [[number, ...], ...].
const (
	beginMany = `UPDATE deliveries SET state = 'sending', attempts = attempts + 1, unsettled = 1,
			began_at = CASE WHEN began_at = 0 THEN v.at ELSE began_at END
		FROM (SELECT value ->> 0 AS n, value ->> 1 AS at FROM json_each($1)) v
		WHERE id = v.n AND +state IN ('queued', 'deferred', 'sending', 'uncertain') AND NOT ` + pausedTarget + `
		RETURNING id, attempts, ` + deliveryFacts
	// Whether there is more to do than to write it down is found out at once: mostly there is not.
	verifyMany = `UPDATE deliveries SET state = 'verified', verified_at = v.at, proof = v.proof, way = v.way, replaced = v.replaced,
			next_at = 0, class = '', error = '', look_at = v.look, fate = '', unsettled = 1
		FROM (SELECT value ->> 0 AS n, value ->> 1 AS at, value ->> 2 AS proof, value ->> 3 AS way, value ->> 4 AS replaced, value ->> 5 AS look
			FROM json_each($1)) v
		WHERE id = v.n RETURNING id, folder, name,
			EXISTS (SELECT 1 FROM deliveries o WHERE o.target = deliveries.target AND o.unsettled = 1 AND o.id <> deliveries.id),
			EXISTS (SELECT 1 FROM targets t WHERE t.target = deliveries.target AND t.adopt <> 0), ` + deliveryFacts
	finishMany = `UPDATE plans SET state = 'done', done_at = v.at
		FROM (SELECT value ->> 0 AS n, value ->> 1 AS at FROM json_each($1)) v
		WHERE id = v.n AND +state = 'open' AND NOT EXISTS (SELECT 1 FROM deliveries WHERE plan = plans.id AND verified_at = 0)
		RETURNING id, target, done_at, is_full, below <> '', EXISTS (SELECT 1 FROM deliveries WHERE plan = plans.id AND fate <> ''),
			EXISTS (SELECT 1 FROM effects WHERE plan = plans.id)`
	sendMany = `INSERT INTO sent (target, pos, digest) SELECT d.target, d.id, d.records
		FROM json_each($1) v JOIN deliveries d ON d.plan = v.value`
)

// beginning is an attempt that is about to begin.
type beginning struct {
	id    int64
	now   time.Time
	began bool
}

// arrival is a delivery that arrived, and what is written down about it.
type arrival struct {
	receipt outbox.Receipt
	look    time.Time // when to see what became of it

	facts         Facts
	folder, name  string
	others, adopt bool // whether its target has more that is not settled, and takes what lies there
}

// Begin implements outbox.Queue.
func (q Queue) Begin(ctx context.Context, id int64, now time.Time) (bool, error) {
	b := &beginning{id: id, now: now}
	stop := ctx.Done()
	// What is shared is not cut for one of those who share it.
	err := q.share(context.WithoutCancel(ctx), func(tx *sharedTx) error {
		b.began = false
		select {
		case <-stop: // while it waited for the others
		default:
			tx.begins = append(tx.begins, b)
		}
		return nil
	})
	return b.began && err == nil, wrap(err, "begin delivery %d", id)
}

// Verified implements outbox.Queue: it records the receipt and, when it is the plan's last, moves what was sent.
func (q Queue) Verified(ctx context.Context, id int64, r outbox.Receipt) error {
	if q.by() == outbox.ByAPI {
		return q.accepted(ctx, id, r)
	}
	err := q.share(ctx, func(tx *sharedTx) error {
		tx.arrivals = append(tx.arrivals, &arrival{
			receipt: r, look: r.At.Add(q.Window), facts: Facts{Delivery: id, Proof: string(r.Proof), Way: r.Way},
		})
		return nil
	})
	return wrap(err, "record receipt of delivery %d", id)
}

// writeDown does what those who share the transaction have handed in.
func (tx *sharedTx) writeDown(ctx context.Context) error {
	for again := tx.begins; len(again) > 0; {
		var now []*beginning
		now, again = once(again, func(b *beginning) int64 { return b.id })
		if err := tx.beginAll(ctx, now); err != nil {
			return err
		}
	}
	for again := tx.arrivals; len(again) > 0; {
		var now []*arrival
		now, again = once(again, func(a *arrival) int64 { return a.facts.Delivery })
		if err := tx.arriveAll(ctx, now); err != nil {
			return err
		}
	}
	return tx.tell(ctx)
}

// once returns those that one statement can do, and those whose number has come before.
func once[T any](all []T, number func(T) int64) (now, again []T) {
	seen := make(map[int64]bool, len(all))
	for _, one := range all {
		if n := number(one); seen[n] {
			again = append(again, one)
		} else {
			seen[n] = true
			now = append(now, one)
		}
	}
	return now, again
}

// beginAll begins attempts. With them their rows become unsettled: from here on the platform may read them. What stopped the last
// attempt stays until this one has an end: receipts are told when that changes.
func (tx *sharedTx) beginAll(ctx context.Context, all []*beginning) error {
	rows, of := make([][2]int64, 0, len(all)), make(map[int64]*beginning, len(all))
	for _, b := range all {
		rows = append(rows, [2]int64{b.id, millis(b.now)})
		of[b.id] = b
	}
	type begun struct {
		attempts int
		facts    Facts
	}
	scan := func(rows *sql.Rows) (b begun, err error) {
		return b, rows.Scan(append([]any{&b.facts.Delivery, &b.attempts}, b.facts.ofDelivery()...)...)
	}
	found, err := list(ctx, tx, scan, beginMany, toJSON(rows))
	if err != nil {
		return err
	}
	for _, f := range found {
		b := of[f.facts.Delivery]
		b.began = true
		if f.attempts > 1 {
			continue
		}
		if err := tx.note(ctx, b.now, EntryBegun, f.facts); err != nil {
			return err
		}
	}
	return nil
}

// arriveAll writes receipts down, and ends the plans of which they were the last.
func (tx *sharedTx) arriveAll(ctx context.Context, all []*arrival) error {
	rows, of := make([][]any, 0, len(all)), make(map[int64]*arrival, len(all))
	for _, a := range all {
		r := a.receipt
		rows = append(rows, []any{a.facts.Delivery, millis(r.At), r.Proof, r.Way, r.Replaced, millis(a.look)})
		of[a.facts.Delivery] = a
	}
	scan := func(rows *sql.Rows) (*arrival, error) {
		var id int64
		var found arrival
		err := rows.Scan(append([]any{&id, &found.folder, &found.name, &found.others, &found.adopt}, found.facts.ofDelivery()...)...)
		if err != nil {
			return nil, err
		}
		a := of[id]
		found.receipt, found.look = a.receipt, a.look
		found.facts.Delivery, found.facts.Proof, found.facts.Way = id, a.facts.Proof, a.facts.Way
		*a = found
		return a, nil
	}
	found, err := list(ctx, tx, scan, verifyMany, toJSON(rows))
	if err != nil {
		return err
	}
	if len(found) < len(all) {
		return fmt.Errorf("%d of %d deliveries are there: %w", len(found), len(all), sql.ErrNoRows)
	}
	ended := make(map[int64]time.Time, len(found))
	for _, a := range found {
		ended[a.facts.Plan] = a.receipt.At
		if err := tx.settleReplaced(ctx, a); err != nil {
			return err
		}
		if err := tx.note(ctx, a.receipt.At, EntryVerified, a.facts); err != nil {
			return err
		}
	}
	if err := finishPlans(ctx, tx.Tx, ended); err != nil {
		return err
	}
	for _, a := range found {
		if !a.others {
			continue
		}
		// The files of a whole plan settle what requests left behind, which have other names.
		_, err := tx.ExecContext(ctx, `UPDATE deliveries SET unsettled = 0 WHERE target = $1 AND unsettled = 1 AND sent_by = 'api' AND plan < $2
			AND EXISTS (SELECT 1 FROM plans p WHERE p.id = $2 AND p.state = 'done')`, a.facts.Target, a.facts.Plan)
		if err != nil {
			return fmt.Errorf("settle requests before delivery %d: %w", a.facts.Delivery, err)
		}
	}
	return nil
}

// settleReplaced settles what a file took the place of: it holds everything that was unsettled under its name. What has settled already,
// which is months of history, is not written again.
func (tx *sharedTx) settleReplaced(ctx context.Context, a *arrival) (err error) {
	if a.others {
		_, err = tx.ExecContext(ctx, replacedUpdate, a.facts.Target, a.folder, a.name, a.facts.Delivery)
	}
	if err == nil && a.adopt {
		_, err = tx.ExecContext(ctx, `UPDATE targets SET adopt = 0 WHERE target = $1 AND NOT EXISTS
			(SELECT 1 FROM deliveries WHERE plan = $2 AND verified_at = 0)`, a.facts.Target, a.facts.Plan)
	}
	return wrap(err, "settle what delivery %d replaced", a.facts.Delivery)
}

// finished is a plan that has ended.
type finished struct {
	id                        int64
	target                    string
	at                        int64 // milliseconds
	full, below, fates, drops bool  // whether there is more to do: mostly there is not
}

// finishPlans ends those plans whose documents are all verified, with the time of each. Only here does sent move.
func finishPlans(ctx context.Context, tx *sql.Tx, plans map[int64]time.Time) error {
	rows := make([][2]int64, 0, len(plans))
	for _, id := range slices.Sorted(maps.Keys(plans)) {
		rows = append(rows, [2]int64{id, millis(plans[id])})
	}
	scan := func(rows *sql.Rows) (p finished, err error) {
		return p, rows.Scan(&p.id, &p.target, &p.at, &p.full, &p.below, &p.fates, &p.drops)
	}
	done, err := list(ctx, tx, scan, finishMany, toJSON(rows))
	if err != nil {
		return fmt.Errorf("finish plans: %w", err)
	}
	var sent []int64 // of as many targets: each has one open plan
	for _, p := range done {
		sent = append(sent, p.id)
		if err := p.finish(ctx, tx); err != nil {
			return fmt.Errorf("finish plan %d: %w", p.id, err)
		}
	}
	if len(sent) > 0 {
		_, err = tx.ExecContext(ctx, sendMany, toJSON(sent))
	}
	return wrap(err, "move what was sent")
}

// finish does what a plan's end means besides.
func (p finished) finish(ctx context.Context, tx *sql.Tx) (err error) {
	if p.full {
		_, err = tx.ExecContext(ctx, `DELETE FROM sent WHERE target = $1`, p.target)
	}
	if err == nil && p.below {
		_, err = tx.ExecContext(ctx, `INSERT INTO sent (target, pos, digest)
			SELECT target, 0, below FROM plans WHERE id = $1 AND below <> ''`, p.id)
	}
	if err == nil && p.fates {
		// A document whose fate was known before the plan was whole.
		_, err = tx.ExecContext(ctx, `UPDATE deliveries SET unsettled = 0 WHERE plan = $1 AND fate IN ($2, $3, $4, $5)`,
			p.id, outbox.FateKept, outbox.FateTaken, outbox.FateConfirmed, outbox.FateSilent)
	}
	if err == nil && p.drops {
		_, err = tx.ExecContext(ctx, `UPDATE drops SET receipt_due = receipt_due + 1
			WHERE seq IN (SELECT seq FROM effects WHERE plan = $1 AND state = 'planned')`, p.id)
	}
	if err == nil && p.drops {
		_, err = tx.ExecContext(ctx, `UPDATE effects SET state = 'verified', at = $2 WHERE plan = $1 AND state = 'planned'`, p.id, p.at)
	}
	return err
}
