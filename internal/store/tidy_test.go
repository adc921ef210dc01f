package store

import (
	"testing"
	"time"

	"gondola/internal/outbox"
	"gondola/internal/shelf"
)

// long is when all that tests did is past every retention.
var long = noon.AddDate(1, 0, 0)

func TestPurgeableKeepsWhatCounts(t *testing.T) {
	b := newTestStore(t)
	scopes := map[LayerState]int64{}
	for _, state := range []LayerState{LayerNew, LayerPassed, LayerHeld, LayerPast} {
		seq := b.commit("precios", true, "1")
		if state != LayerNew {
			b.judge(state, seq, "1")
		}
		scopes[state] = seq
	}
	half := b.commit("precios", true, "1", "2")
	b.judge(LayerPast, half, "1")
	rejected, unread := b.drop("precios"), b.drop("precios")
	b.ok(b.Commit(t.Context(), Reading{Seq: rejected, State: DropRejected, At: noon}))
	_ = unread
	list := func(before time.Time) (seqs []int64) {
		for _, d := range must(b.Purgeable(t.Context(), before))(t) {
			seqs = append(seqs, d.Seq)
		}
		return seqs
	}
	same(t, "old", list(long), []int64{scopes[LayerPast], rejected})
	same(t, "young", list(noon), nil)
	b.ok(b.Purged(t.Context(), rejected))
	same(t, "purged once", list(long), []int64{scopes[LayerPast]})
}

// inUse returns whether what rows point to is still named.
func (b *bench) inUse(records ...shelf.Digest) (missing []shelf.Digest) {
	b.t.Helper()
	have, documents, err := b.Referenced(b.t.Context())
	b.ok(err)
	for _, d := range records {
		if !have[string(d)] {
			missing = append(missing, d)
		}
	}
	if have[""] || documents[""] {
		b.t.Error("nothing is in use under an empty name")
	}
	return missing
}

func TestReferencedNamesAllInUse(t *testing.T) {
	b := newTestStore(t)
	anew := b.commit("precios", true, "1")
	was := b.layer(anew, "1").Digest
	b.judge(LayerPassed, anew, "1")
	r := reading(anew, "precios", true, "1")
	r.Layers[0].Digest = "read-anew"
	b.ok(b.Commit(t.Context(), r))
	held := b.commit("precios", true, "2")
	b.judge(LayerHeld, held, "2", "2")

	sent := b.plan("1", false, "a.csv")[0]
	b.verify(sent, noon, false)
	one := shelf.Digest("compacted")
	b.ok(b.SentCompacted(t.Context(), "1", b.records(sent), one))
	open := b.plan("1", false, "a.csv")[0]
	unsettled := b.plan("2", false, "b.csv")[0]
	b.begin(unsettled, noon)
	b.ok(b.queue().Parked(t.Context(), unsettled, outbox.Foreign, "x"))
	b.plan("2", false)

	b.ok(b.Forget(t.Context(), long))
	all := append(b.records(open, unsettled), was, "read-anew", b.layer(held, "2").Digest, one)
	same(t, "in use and not named", b.inUse(all...), nil)
	_, documents, err := b.Referenced(t.Context())
	b.ok(err)
	for _, d := range []string{"doc-a.csv-1", "doc-a.csv-2", "doc-b.csv-3"} {
		if !documents[d] {
			t.Errorf("document %s is not named in %v", d, documents)
		}
	}
}

func TestForget(t *testing.T) {
	b := newTestStore(t)
	past, counts := b.commit("precios", true, "1"), b.commit("precios", true, "1")
	gone := b.layer(past, "1").Digest
	b.judge(LayerPassed, counts, "1")
	b.judge(LayerPast, past, "1")

	settled := b.plan("1", false, "a.csv")[0]
	b.verify(settled, noon, false)
	superseded := b.plan("1", false, "a.csv")[0]
	last := b.plan("1", false, "a.csv")[0]
	b.verify(last, noon, true)
	b.ok(b.queue().Fate(t.Context(), last, outbox.FateKept, at(window)))
	forgotten := b.records(settled, superseded)
	sent := b.records(settled, last)
	size := b.delivery(last).Size
	b.ok(b.Approve(t.Context(), []Approval{{Feed: "precios", Scope: "1", Code: "x", Until: at(time.Hour)}}, nil, noon))

	b.ok(b.Forget(t.Context(), noon)) // nothing is older than noon
	b.state(settled, "verified")
	b.state(superseded, "superseded")
	same(t, "in use before", b.inUse(append(forgotten, gone)...), nil)
	if n := len(must(b.Approvals(t.Context(), "precios", "1", noon))(t)); n != 1 {
		t.Errorf("%d approvals, want 1", n)
	}

	for range 2 {
		b.ok(b.Forget(t.Context(), long))
	}
	same(t, "no longer in use", b.inUse(forgotten[1], gone), []shelf.Digest{forgotten[1], gone})
	same(t, "sent", must(b.Sent(t.Context(), "1"))(t), sent)
	same(t, "in use", b.inUse(append(sent, b.layer(counts, "1").Digest)...), nil)
	all := must(b.Deliveries(t.Context(), 0))(t)
	if len(all) != 1 || all[0].ID != last {
		t.Errorf("deliveries %+v, want the last under its name", all)
	}
	if n := len(b.plans()); n != 1 {
		t.Errorf("%d plans, want the one that has a delivery", n)
	}
	if n := len(must(b.Approvals(t.Context(), "precios", "1", noon))(t)); n != 0 {
		t.Errorf("%d approvals, want none", n)
	}
	// Its size is still known as ours.
	b.plan("1", false, "a.csv")
	due := must(b.queue().Due(t.Context(), noon))(t)
	if len(due) != 1 {
		t.Fatalf("due %+v", due)
	}
	same(t, "known sizes", due[0].Known, []int64{size})
}

// TestForgetBehindClockAhead forgets what came after a drop that was seen while the clock was ahead, and nothing that may be young.
func TestForgetBehindClockAhead(t *testing.T) {
	b := newTestStore(t)
	b.Now = func() time.Time { return long.AddDate(0, 1, 0) }
	seen := func(seq int64, when time.Time) {
		b.ok(b.exec(t.Context(), "date", `UPDATE drops SET first_seen = $1 WHERE seq = $2`, millis(when), seq))
	}
	past := func() (int64, shelf.Digest) {
		seq := b.commit("precios", true, "1")
		digest := b.layer(seq, "1").Digest
		b.judge(LayerPast, seq, "1")
		return seq, digest
	}
	before, gone := past()
	seen(before, noon)
	seen(b.drop("precios"), long.AddDate(10, 0, 0))
	_, alsoGone := past()
	b.ok(b.Forget(t.Context(), long))
	same(t, "no longer in use without a young one", b.inUse(gone, alsoGone), []shelf.Digest{gone})
	young, stays := past()
	seen(young, long.Add(time.Hour))
	b.ok(b.Forget(t.Context(), long))
	same(t, "no longer in use", b.inUse(alsoGone, stays), []shelf.Digest{alsoGone})
}

func TestForgetKeepsWhatIsOpenOrUnsettled(t *testing.T) {
	b := newTestStore(t)
	ids := b.plan("1", false, "a.csv", "a2.csv")
	b.verify(ids[0], noon, false)
	b.begin(ids[1], noon)
	b.ok(b.queue().Parked(t.Context(), ids[1], outbox.Foreign, "x"))
	// Superseded by a plan that is open, and not begun; the parked one stays unsettled.
	next := b.plan("1", false, "a.csv")[0]
	b.ok(b.Forget(t.Context(), long))
	b.state(ids[0], "verified")
	b.state(ids[1], "superseded")
	b.state(next, "queued")
	b.unsettled("1", ids...)
	same(t, "in use", b.inUse(b.records(ids[0], ids[1], next)...), nil)
	b.verify(next, at(time.Minute), true)
	b.ok(b.Forget(t.Context(), long))
	b.unsettled("1", ids[1], next)
	b.sent("1", next)
}
