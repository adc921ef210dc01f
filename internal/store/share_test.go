package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gondola/internal/outbox"
	"gondola/internal/shelf"
)

// commits counts the transactions since the write-ahead log was emptied: the frames that end one say how large the database is after it.
func (b *bench) commits() (n int) {
	b.t.Helper()
	log := must(os.ReadFile(filepath.Join(b.dir, databaseName+"-wal")))(b.t)
	const head, frameHead = 32, 24
	if len(log) < head {
		return 0
	}
	page := int(binary.BigEndian.Uint32(log[8:]))
	for at := head; at+frameHead+page <= len(log); at += frameHead + page {
		if string(log[at+8:at+16]) != string(log[16:24]) {
			break // of an earlier round of the log
		}
		if binary.BigEndian.Uint32(log[at+4:]) > 0 {
			n++
		}
	}
	return n
}

// crowd lets a call for each id wait until all do, and returns what they returned.
func (b *bench) crowd(ids []int64, call func(id int64) error) map[int64]error {
	b.t.Helper()
	b.shared.turn <- struct{}{}
	var mu sync.Mutex
	errs := map[int64]error{}
	var all sync.WaitGroup
	for _, id := range ids {
		all.Go(func() {
			err := call(id)
			mu.Lock()
			defer mu.Unlock()
			errs[id] = err
		})
	}
	b.untilWait(len(ids))
	<-b.shared.turn
	all.Wait()
	return errs
}

// untilWait returns when so many calls wait to share a transaction.
func (b *bench) untilWait(calls int) {
	for waiting := 0; waiting < calls; time.Sleep(time.Millisecond) {
		b.shared.mu.Lock()
		waiting = len(b.shared.waiting)
		b.shared.mu.Unlock()
	}
}

// ofItsOwn is a time that no other delivery has.
func ofItsOwn(id int64) time.Time { return at(time.Duration(id) * time.Millisecond) }

// told counts the rows of the ledger of a kind, each of which has its delivery's time.
func (b *bench) told(kind EntryKind) (n int) {
	b.t.Helper()
	b.ok(b.Entries(b.t.Context(), time.Time{}, kind, func(e Entry) error {
		n++
		same(b.t, "time of delivery "+fmt.Sprint(e.Facts.Delivery), e.At, ofItsOwn(e.Facts.Delivery))
		return nil
	}))
	return n
}

// TestManyShareATransaction has a hundred files leave at once: what is written down about them takes two transactions.
func TestManyShareATransaction(t *testing.T) {
	b := newTestStore(t)
	var ids []int64
	for i := range 100 {
		ids = append(ids, b.plan(fmt.Sprint(i), false, fmt.Sprintf("a_%d.csv", i))...)
	}
	must(b.write.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`))(t)
	began := b.crowd(ids, func(id int64) error {
		ok, err := b.queue().Begin(t.Context(), id, noon)
		if err == nil && !ok {
			err = fmt.Errorf("delivery %d did not begin", id)
		}
		return err
	})
	verified := b.crowd(ids, func(id int64) error {
		return b.queue().Verified(t.Context(), id, outbox.Receipt{Size: 1, Proof: outbox.ProofSize, Way: outbox.WayRename, At: at(time.Minute)})
	})
	if n := b.commits(); n != 2 {
		t.Errorf("%d files took %d transactions, want one to begin and one for the receipts", len(ids), n)
	}
	for _, id := range ids {
		b.ok(began[id])
		b.ok(verified[id])
		if d := b.delivery(id); d.State != "verified" || d.Attempts != 1 {
			t.Errorf("delivery %d is %s after %d attempts", id, d.State, d.Attempts)
		}
	}
	if _, err := b.VerifyLedger(t.Context()); err != nil {
		t.Error(err)
	}
	// What they did is there when the process dies now.
	b.restart()
	if n := len(b.due(at(time.Hour))); n > 0 {
		t.Errorf("%d deliveries are due again", n)
	}
}

// TestReceiptsOfOneTargetTogether has receipts of a whole plan, one of them twice, in one transaction: what was sent is what it would be
// had they come one after the other.
func TestReceiptsOfOneTargetTogether(t *testing.T) {
	b := newTestStore(t)
	first := b.plan("1", false, "a.csv", "a2.csv")
	other := b.plan("2", false, "b.csv")
	for _, id := range append(slices.Clone(first), other...) {
		b.begin(id, noon)
	}
	verify := func(id int64) error {
		return b.queue().Verified(t.Context(), id, outbox.Receipt{Size: 1, Proof: outbox.ProofSize, Way: outbox.WayRename, At: ofItsOwn(id)})
	}
	must(b.write.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`))(t)
	for id, err := range b.crowd(append(slices.Clone(first), first[0], other[0]), verify) {
		if err != nil {
			t.Errorf("delivery %d: %v", id, err)
		}
	}
	same(t, "transactions", b.commits(), 1)
	b.sent("1", first...)
	b.sent("2", other...)
	same(t, "state", planState(b, first[0]), "done")
	same(t, "receipts told", b.told(EntryVerified), 4)
	if _, err := b.VerifyLedger(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestBeginTwiceTogether begins an attempt twice in one transaction, as if one had failed in between.
func TestBeginTwiceTogether(t *testing.T) {
	b := newTestStore(t)
	ids := append(b.plan("1", false, "a.csv"), b.plan("2", false, "b.csv")...)
	var began atomic.Int64
	for id, err := range b.crowd([]int64{ids[0], ids[1], ids[0], 99}, func(id int64) error {
		ok, err := b.queue().Begin(t.Context(), id, ofItsOwn(id))
		if ok {
			began.Add(1)
		}
		return err
	}) {
		if err != nil {
			t.Errorf("delivery %d: %v", id, err)
		}
	}
	same(t, "begun", began.Load(), int64(3))
	same(t, "attempts", []int{b.delivery(ids[0]).Attempts, b.delivery(ids[1]).Attempts}, []int{2, 1})
	same(t, "attempts told", b.told(EntryBegun), 2)
}

// TestABeginningIsUndoneWithItsTransaction has an attempt begin in a transaction that fails for another's sake, and the daemon told to
// stop before it is run alone: it has not begun.
func TestABeginningIsUndoneWithItsTransaction(t *testing.T) {
	b := newTestStore(t)
	id := b.plan("1", false, "a.csv")[0]
	ctx, cancel := context.WithCancel(t.Context())
	const unknown, alone = 12345, 2
	runs := 0
	errs := b.crowd([]int64{unknown, id}, func(n int64) error {
		if n == unknown {
			return b.share(t.Context(), func(tx *sharedTx) error {
				if runs++; runs == alone {
					cancel()
				}
				tx.arrivals = append(tx.arrivals, &arrival{facts: Facts{Delivery: unknown}})
				return nil
			})
		}
		b.untilWait(1)
		if ok, err := b.queue().Begin(ctx, id, noon); ok || err != nil {
			return fmt.Errorf("it began: %v, %w", ok, err)
		}
		return nil
	})
	if errs[unknown] == nil || runs != alone {
		t.Fatalf("the transaction did not fail: %v after %d runs", errs[unknown], runs)
	}
	b.ok(errs[id])
	b.state(id, "queued")
}

// TestPlansEndTogether has two plans end in one transaction: a full one, with what holds on beside its documents, and one of files for a
// shelf that was sent by requests, which it settles. The drop that is in both is answered.
func TestPlansEndTogether(t *testing.T) {
	b, _, request := requestBench(t)
	b.verify(b.plan("2", false, "b.csv")[0], noon, false)
	seq := b.commit("f", false, "1", "2")
	b.answered(seq)
	files, full := b.document("a.csv"), b.document("b.csv")
	full.Records = "full"
	must(b.Enqueue(t.Context(), Plan{Target: "1", Upto: seq, Documents: []Document{files}, At: noon}))(t)
	must(b.Enqueue(t.Context(), Plan{Target: "2", Upto: seq, Full: true, Below: "below", Documents: []Document{full}, At: noon}))(t)
	last := must(b.highest())(t)
	for _, id := range []int64{last - 1, last} {
		b.begin(id, noon)
	}
	b.unsettled("1", request, last-1)
	b.answered(seq)
	must(b.write.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`))(t)
	for _, err := range b.crowd([]int64{last - 1, last}, func(id int64) error {
		return b.queue().Verified(t.Context(), id, outbox.Receipt{Proof: outbox.ProofSize, Way: outbox.WayRename, At: ofItsOwn(id)})
	}) {
		b.ok(err)
	}
	same(t, "transactions", b.commits(), 1)
	b.unsettled("1", last-1)
	b.sent("1", request, last-1)
	same(t, "sent to 2", must(b.Sent(t.Context(), "2"))(t), []shelf.Digest{"below", "full"})
	for i, e := range must(b.Effects(t.Context(), seq))(t) {
		same(t, "effect of "+e.Target, e.State, EffectVerified)
		same(t, "its time", e.At, ofItsOwn(last-1+int64(i)))
	}
	if !b.answered(seq) {
		t.Error("the drop is not answered")
	}
}

// TestOneOfManyFails has one of those that share a transaction fail: the others are not held up by it, and leave nothing twice.
func TestOneOfManyFails(t *testing.T) {
	b := newTestStore(t)
	var ids []int64
	for i := range 30 {
		ids = append(ids, b.plan(fmt.Sprint(i), false, fmt.Sprintf("a_%d.csv", i))...)
	}
	const unknown = 12345
	errs := b.crowd(slices.Insert(slices.Clone(ids), 25, int64(unknown)), func(id int64) error {
		return b.queue().Verified(t.Context(), id, outbox.Receipt{Size: 1, Proof: outbox.ProofSize, Way: outbox.WayRename, At: noon})
	})
	if errs[unknown] == nil {
		t.Error("the receipt of a delivery that does not exist was written down")
	}
	for _, id := range ids {
		b.ok(errs[id])
		if d := b.delivery(id); d.State != "verified" {
			t.Errorf("delivery %d is %s", id, d.State)
		}
	}
	told := 0
	b.ok(b.Entries(t.Context(), time.Time{}, EntryVerified, func(Entry) error { told++; return nil }))
	if told != len(ids) {
		t.Errorf("the ledger tells of %d receipts, want %d", told, len(ids))
	}
}

// TestNothingBeginsAfterTheStop has deliveries wait for a shared transaction to begin when the daemon is told to stop: none begins, and
// those who share it with them are not held up.
func TestNothingBeginsAfterTheStop(t *testing.T) {
	b := newTestStore(t)
	var ids []int64
	for i := range 20 {
		ids = append(ids, b.plan(fmt.Sprint(i), false, fmt.Sprintf("a_%d.csv", i))...)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var left atomic.Int64
	left.Store(int64(len(ids)))
	errs := b.crowd(ids, func(id int64) error {
		if left.Add(-1) == 0 {
			cancel()
		}
		if id%2 == 0 {
			return b.queue().Verified(t.Context(), id, outbox.Receipt{Size: 1, Proof: outbox.ProofSize, Way: outbox.WayRename, At: noon})
		}
		if ok, err := b.queue().Begin(ctx, id, noon); ok || err != nil {
			return fmt.Errorf("it began: %v, %w", ok, err)
		}
		return nil
	})
	for _, id := range ids {
		b.ok(errs[id])
		want := "queued"
		if id%2 == 0 {
			want = "verified"
		}
		if d := b.delivery(id); d.State != want || d.Attempts != 0 {
			t.Errorf("delivery %d is %s after %d attempts, want %s after none", id, d.State, d.Attempts, want)
		}
	}
}
