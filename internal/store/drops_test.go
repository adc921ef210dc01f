package store

import (
	"fmt"
	"testing"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/outbox"
	"gondola/internal/shelf"
)

func TestSeenOnce(t *testing.T) {
	b := newTestStore(t)
	want := Drop{
		Seq: 5, Feed: "stock", Name: "stock ñ.xlsx", Size: 99, SHA256: "ab", Modified: at(-time.Hour), FirstSeen: noon, Owner: "ana",
		Archived: "archive/5", State: DropSeen,
	}
	b.ok(b.Seen(t.Context(), want))
	again := want
	again.Name, again.FirstSeen = "other", at(time.Hour)
	b.ok(b.Seen(t.Context(), again))
	got, found, err := b.Drop(t.Context(), 5)
	if err != nil || !found {
		t.Fatal(found, err)
	}
	same(t, "drop", got, want)
	if _, found, err := b.Drop(t.Context(), 6); found || err != nil {
		t.Errorf("a drop that is not there: %t, %v", found, err)
	}
	if _, due, err := b.ReceiptDue(t.Context(), 6); due || err != nil {
		t.Errorf("its receipt: %t, %v", due, err)
	}
	if b.answered(5) {
		t.Error("a receipt is due for a drop that was not read")
	}
}

func TestCommitTwice(t *testing.T) {
	b := newTestStore(t)
	seq := b.drop("precios")
	r := reading(seq, "precios", true, "1", "2")
	r.Outcome.Issues = []catalog.Issue{{Code: catalog.PriceZero, Severity: catalog.Error, Row: 4, Column: "Precio", Args: []string{"0"}}}
	r.Outcome.Counts = map[catalog.Code]int{catalog.PriceZero: 1}
	r.Outcome.Columns = []Column{{Role: "price", Header: "Precio", Decimal: "comma"}}
	b.ok(b.Commit(t.Context(), r))
	once := must(b.Layers(t.Context()))(t)
	effects := must(b.Effects(t.Context(), seq))(t)
	b.ok(b.Commit(t.Context(), r))
	same(t, "layers", must(b.Layers(t.Context()))(t), once)
	same(t, "effects", must(b.Effects(t.Context(), seq))(t), effects)
	d, _, err := b.Drop(t.Context(), seq)
	b.ok(err)
	same(t, "outcome", d.Outcome, r.Outcome)
	if d.State != DropRead || !d.ReadAt.Equal(noon) || d.Fingerprint != "f1" {
		t.Errorf("drop %+v", d)
	}
	want := []LayerFile{
		{Feed: "precios", Scope: "1", Seq: seq, Full: true, Digest: r.Layers[0].Digest, Present: 2, Modified: noon, State: LayerNew},
		{Feed: "precios", Scope: "2", Seq: seq, Full: true, Digest: r.Layers[1].Digest, Present: 2, Modified: noon, State: LayerNew},
	}
	same(t, "layers", once, want)
	same(t, "effects", effects, []Effect{
		{Seq: seq, Target: "1", State: EffectWaiting, Change: shelf.Change{New: 2}, At: noon},
		{Seq: seq, Target: "2", State: EffectWaiting, Change: shelf.Change{New: 2}, At: noon},
	})
}

func TestCommitOfARejectedDrop(t *testing.T) {
	b := newTestStore(t)
	seq := b.drop("precios")
	b.ok(b.Commit(t.Context(), Reading{Seq: seq, State: DropRejected, At: noon}))
	if !b.answered(seq) {
		t.Error("no receipt is due for a rejected drop")
	}
	if all := must(b.Layers(t.Context()))(t); len(all) > 0 {
		t.Errorf("layers %+v", all)
	}
}

// judge sets the state of files as the brake would.
func (b *bench) judge(state LayerState, seq int64, scope string, targets ...string) {
	b.t.Helper()
	for _, l := range must(b.Layers(b.t.Context()))(b.t) {
		if l.Seq == seq && l.Scope == scope {
			l.State = state
			if state == LayerHeld {
				l.Findings = []catalog.Issue{issue(catalog.BrakeInactive)}
			}
			if state == LayerPassed {
				l.Was = ""
			}
			b.ok(b.Judged(b.t.Context(), []LayerFile{l}, targets, at(time.Minute)))
			return
		}
	}
	b.t.Fatalf("no layer of drop %d for %s", seq, scope)
}

func (b *bench) layer(seq int64, scope string) LayerFile {
	b.t.Helper()
	for _, l := range must(b.Layers(b.t.Context()))(b.t) {
		if l.Seq == seq && l.Scope == scope {
			return l
		}
	}
	return LayerFile{State: LayerPast}
}

// Read again with another mapping, what had passed counts until the brake has passed the new file too.
func TestCommitAnewKeepsWhatPassed(t *testing.T) {
	b := newTestStore(t)
	seq := b.commit("precios", true, "1")
	first := b.layer(seq, "1").Digest
	anew := func(digest shelf.Digest) LayerFile {
		r := reading(seq, "precios", true, "1")
		r.Fingerprint, r.Layers[0].Digest = "f2", digest
		b.ok(b.Commit(t.Context(), r))
		return b.layer(seq, "1")
	}
	if l := anew("before-the-brake"); l.State != LayerNew || l.Was != "" {
		t.Errorf("read again before it passed: %+v, want nothing that counts", l)
	}
	r := reading(seq, "precios", true, "1")
	b.ok(b.Commit(t.Context(), r))
	b.judge(LayerPassed, seq, "1")
	if l := anew("second"); l.State != LayerNew || l.Digest != "second" || l.Was != first {
		t.Errorf("read again: %+v, want new with was = %s", l, first)
	}
	b.judge(LayerHeld, seq, "1", "1")
	if l := anew("third"); l.State != LayerNew || l.Digest != "third" || l.Was != first || l.Findings != nil {
		t.Errorf("read again while held: %+v, want new with was = %s", l, first)
	}
	b.judge(LayerPassed, seq, "1")
	if l := b.layer(seq, "1"); l.Was != "" || l.Digest != "third" {
		t.Errorf("passed: %+v", l)
	}
	b.judge(LayerPast, seq, "1")
	anew("fourth")
	if all := must(b.Layers(t.Context()))(t); len(all) > 0 {
		t.Errorf("read again when it was past: %+v, want it past", all)
	}
}

func TestMisread(t *testing.T) {
	b := newTestStore(t)
	old, past, held := b.commit("precios", true, "1"), b.commit("precios", true, "2"), b.commit("precios", true, "3")
	partial, other, purged := b.commit("precios", false, "1"), b.commit("stock", true, "1"), b.commit("precios", true, "4")
	b.judge(LayerPast, past, "2")
	b.judge(LayerHeld, held, "3")
	b.ok(b.Purged(t.Context(), purged))
	rejected := b.drop("precios")
	b.ok(b.Commit(t.Context(), Reading{Seq: rejected, State: DropRejected, At: noon}))
	list := func(fingerprint string, full bool) (seqs []int64) {
		for _, d := range must(b.Misread(t.Context(), "precios", fingerprint, full))(t) {
			seqs = append(seqs, d.Seq)
		}
		return seqs
	}
	same(t, "full, other fingerprint", list("f2", true), []int64{old, held})
	same(t, "partial", list("f2", false), []int64{partial})
	same(t, "the same fingerprint", list("f1", true), nil)
	_ = other
}

func TestReceiptLifeCycle(t *testing.T) {
	b := newTestStore(t)
	seq := b.commit("precios", true, "1")
	due := must(b.ReceiptsDue(t.Context()))(t)
	if len(due) != 1 || due[0].Seq != seq {
		t.Fatalf("receipts due: %+v", due)
	}
	r, ok, err := b.ReceiptDue(t.Context(), seq)
	if err != nil || !ok || r.Seq != seq || r.Outcome.Rows != 3 {
		t.Fatalf("ReceiptDue = %+v, %t, %v", r, ok, err)
	}
	// Between reading what to write and having written it, something changes.
	b.plan("1", false, "a.csv")
	b.ok(b.ReceiptWritten(t.Context(), r))
	if !b.answered(seq) {
		t.Fatal("the receipt says what was true before the plan and is not due any more")
	}
	if b.answered(seq) || len(must(b.ReceiptsDue(t.Context()))(t)) > 0 {
		t.Error("the receipt is due although it was written")
	}
	b.ok(b.ReceiptWritten(t.Context(), r))
	if b.answered(seq) {
		t.Error("written twice, the receipt is due again")
	}
}

func TestReceiptsDueOldestFirst(t *testing.T) {
	b := newTestStore(t)
	first, second, third := b.commit("precios", true, "1"), b.commit("stock", true, "1"), b.commit("precios", true, "1")
	b.answered(second)
	same(t, "due", must(b.ReceiptsDue(t.Context()))(t), []Drop{{Seq: first, Feed: "precios"}, {Seq: third, Feed: "precios"}})
}

// The life of what a drop means for a store, from the drop to the platform.
func TestEffectLifeCycle(t *testing.T) {
	b := newTestStore(t)
	seq := b.commit("precios", true, "1", "2")
	b.answered(seq)
	b.plan("2", false) // nothing to send there
	same(t, "after the plans", b.effects(seq), map[string]EffectState{"1": EffectWaiting, "2": EffectUnchanged})
	if !b.answered(seq) {
		t.Error("unchanged, and no receipt due")
	}
	id := b.plan("1", false, "a.csv")[0]
	same(t, "planned", b.effects(seq), map[string]EffectState{"1": EffectPlanned, "2": EffectUnchanged})
	if !b.answered(seq) {
		t.Error("planned, and no receipt due")
	}
	b.begin(id, at(time.Minute))
	if b.answered(seq) {
		t.Error("an attempt that begins is not worth a receipt")
	}
	b.ok(b.queue().Deferred(t.Context(), id, at(time.Hour), outbox.Transient, "line is dead"))
	e := must(b.Effects(t.Context(), seq))(t)[0]
	if e.Class != string(outbox.Transient) || !e.Next.Equal(at(time.Hour)) || !e.Began.Equal(at(time.Minute)) || !e.Verified.IsZero() {
		t.Errorf("effect of a deferred plan: %+v", e)
	}
	if !b.answered(seq) {
		t.Error("deferred, and no receipt due")
	}
	for range 3 {
		b.begin(id, at(time.Hour))
		b.ok(b.queue().Deferred(t.Context(), id, at(2*time.Hour), outbox.Transient, "line is dead"))
		if b.answered(seq) {
			t.Fatal("the same failure again is told again")
		}
	}
	b.begin(id, at(time.Hour))
	b.ok(b.queue().Deferred(t.Context(), id, at(2*time.Hour), outbox.NoSpace, "server full"))
	if !b.answered(seq) {
		t.Error("another failure, and no receipt due")
	}
	b.verify(id, at(3*time.Hour), false)
	e = must(b.Effects(t.Context(), seq))(t)[0]
	if e.State != EffectVerified || !e.Verified.Equal(at(3*time.Hour)) || e.Class != "" || !e.Next.IsZero() || !e.At.Equal(at(3*time.Hour)) {
		t.Errorf("effect of a plan that arrived: %+v", e)
	}
	if !b.answered(seq) {
		t.Error("verified, and no receipt due")
	}
	b.ok(b.queue().Fate(t.Context(), id, outbox.FateAgain, at(4*time.Hour)))
	b.ok(b.queue().Deferred(t.Context(), id, at(5*time.Hour), outbox.Transient, "line is dead"))
	if e = must(b.Effects(t.Context(), seq))(t)[0]; !e.Next.IsZero() || b.answered(seq) {
		t.Errorf("a file that goes once more is no news for a drop that arrived: %+v", e)
	}
	b.plan("1", false, "a.csv")
	same(t, "a later plan changes nothing here", b.effects(seq), map[string]EffectState{"1": EffectVerified, "2": EffectUnchanged})
	if b.answered(seq) {
		t.Error("a later plan makes the receipt due")
	}
}

func TestEnqueueMovesEffectsUpToItsDrop(t *testing.T) {
	b := newTestStore(t)
	first, second := b.commit("precios", true, "1"), b.commit("precios", true, "1")
	must(b.Enqueue(t.Context(), Plan{Target: "1", Upto: first, At: noon, Documents: []Document{b.document("a.csv")}}))(t)
	same(t, "the drop it knows", b.effects(first), map[string]EffectState{"1": EffectPlanned})
	same(t, "the drop that came after", b.effects(second), map[string]EffectState{"1": EffectWaiting})
}

func TestJudgedHoldsAndFrees(t *testing.T) {
	b := newTestStore(t)
	held := b.commit("precios", true, "1", "2")
	b.answered(held)
	b.judge(LayerHeld, held, "1", "1")
	same(t, "held", b.effects(held), map[string]EffectState{"1": EffectHeld, "2": EffectWaiting})
	if !b.answered(held) {
		t.Error("held, and no receipt due")
	}
	l := b.layer(held, "1")
	if len(l.Findings) != 1 || l.Findings[0].Code != catalog.BrakeInactive {
		t.Errorf("findings of %+v", l)
	}
	b.judge(LayerHeld, held, "1", "1")
	if b.answered(held) {
		t.Error("held once more is no news")
	}
	b.plan("1", false, "a.csv")
	same(t, "a plan leaves held ones alone", b.effects(held), map[string]EffectState{"1": EffectHeld, "2": EffectWaiting})
	later := b.commit("precios", true, "1")
	b.judge(LayerPassed, later, "1", "1")
	b.judge(LayerPast, held, "1", "1")
	same(t, "replaced", b.effects(held), map[string]EffectState{"1": EffectReplaced, "2": EffectWaiting})
	defer func() {
		b.judge(LayerPast, held, "2", "2")
		same(t, "replaced before a plan", b.effects(held), map[string]EffectState{"1": EffectReplaced, "2": EffectReplaced})
	}()
	if !b.answered(held) {
		t.Error("replaced, and no receipt due")
	}
	same(t, "the later one", b.effects(later), map[string]EffectState{"1": EffectWaiting})
}

func TestApprove(t *testing.T) {
	b := newTestStore(t)
	both, single := b.commit("precios", true, "1", "2"), b.commit("stock", true, "1")
	for _, scope := range []string{"1", "2"} {
		b.judge(LayerHeld, both, scope, scope)
	}
	b.judge(LayerHeld, single, "1", "1")
	b.answered(both)
	approvals := []Approval{
		{Feed: "precios", Scope: "1", Code: catalog.BrakeInactive, Share: 0.25, Until: at(time.Hour), Who: "ana"},
		{Feed: "precios", Scope: "1", Code: catalog.BrakeShrunk, Share: 0.4, Until: at(time.Hour), Who: "ana"},
	}
	b.ok(b.Approve(t.Context(), approvals, []string{"1"}, at(time.Minute)))
	if s := b.layer(both, "1").State; s != LayerNew {
		t.Errorf("the approved layer is %s, want it before the brake again", s)
	}
	if b.layer(both, "2").State != LayerHeld || b.layer(single, "1").State != LayerHeld {
		t.Error("another store's file, or another feed's, was freed too")
	}
	same(t, "effects", b.effects(both), map[string]EffectState{"1": EffectWaiting, "2": EffectHeld})
	same(t, "effects of the other feed", b.effects(single), map[string]EffectState{"1": EffectHeld})
	if !b.answered(both) {
		t.Error("approved, and no receipt due")
	}
	if !b.target("1").PlanDue || b.target("2").PlanDue {
		t.Error("the approved target, and it alone, is to be planned at once")
	}
	list := func(feed, scope string, now time.Time) int {
		return len(must(b.Approvals(t.Context(), feed, scope, now))(t))
	}
	same(t, "approvals", must(b.Approvals(t.Context(), "precios", "1", noon))(t), approvals)
	if list("precios", "2", noon) != 0 || list("stock", "1", noon) != 0 || list("precios", "1", at(time.Hour)) != 0 {
		t.Error("an approval holds elsewhere, or after its time")
	}
	approvals[0].Share, approvals[0].Until = 0.5, at(2*time.Hour)
	b.ok(b.Approve(t.Context(), approvals[:1], nil, at(time.Minute)))
	same(t, "approved anew", must(b.Approvals(t.Context(), "precios", "1", at(90*time.Minute)))(t), approvals[:1])
}

func TestCompacted(t *testing.T) {
	b := newTestStore(t)
	var old []LayerFile
	for range 3 {
		seq := b.commit("stock", false, "1", "2")
		b.judge(LayerPassed, seq, "1")
		old = append(old, b.layer(seq, "1"))
	}
	later := b.commit("stock", false, "1")
	one := old[2]
	one.Digest, one.Present, one.Tombstones, one.Full = "one", 9, 1, true
	for range 2 {
		b.ok(b.Compacted(t.Context(), old, one))
		same(t, "layer", must(b.Layer(t.Context(), "stock", "1"))(t), []LayerFile{one, b.layer(later, "1")})
	}
	if n := len(must(b.Layer(t.Context(), "stock", "2"))(t)); n != 3 {
		t.Errorf("%d files of the other store, want 3", n)
	}
	// The file stands for three drops: neither reading one of them again nor a list of misread ones may touch it.
	b.ok(b.Commit(t.Context(), reading(one.Seq, "stock", false, "1")))
	same(t, "layer after its last drop was read again", b.layer(one.Seq, "1"), one)
	for _, d := range must(b.Misread(t.Context(), "stock", "f2", true))(t) {
		t.Errorf("drop %d is to be read again for a file that stands for others too", d.Seq)
	}
}

func TestLists(t *testing.T) {
	b := newTestStore(t)
	if d, found, err := b.LastDrop(t.Context(), "stock"); found || err != nil {
		t.Errorf("last drop of nothing: %+v, %v", d, err)
	}
	if n := must(b.Newest(t.Context()))(t); n != 0 {
		t.Errorf("newest of nothing: %d", n)
	}
	a, s, c := b.commit("precios", true, "1"), b.commit("stock", true, "1"), b.commit("precios", true, "1")
	unread := b.drop("stock")
	numbers := func(all []Drop, err error) string {
		b.ok(err)
		var seqs []int64
		for _, d := range all {
			seqs = append(seqs, d.Seq)
		}
		return fmt.Sprint(seqs)
	}
	same(t, "read after the first", numbers(b.DropsAfter(t.Context(), a)), fmt.Sprint([]int64{s, c}))
	same(t, "newest read", must(b.Newest(t.Context()))(t), c)
	d, found, err := b.LastDrop(t.Context(), "stock")
	if err != nil || !found || d.Seq != unread {
		t.Errorf("last drop of stock: %d, %t, %v; want %d", d.Seq, found, err, unread)
	}
	layers := must(b.LayersOf(t.Context(), s))(t)
	if len(layers) != 1 || layers[0].Feed != "stock" {
		t.Errorf("layers of drop %d: %+v", s, layers)
	}
}

func TestHasNewer(t *testing.T) {
	b := newTestStore(t)
	first := b.commit("precios", true, "1")
	d, _, err := b.Drop(t.Context(), first)
	b.ok(err)
	has := func() bool { return must(b.HasNewer(t.Context(), d))(t) }
	b.commit("precios", true, "1") // another name
	other := d
	other.Feed, other.Seq = "stock", must(b.NextSeq(t.Context()))(t)
	b.ok(b.Seen(t.Context(), other))
	b.ok(b.Commit(t.Context(), Reading{Seq: other.Seq, State: DropRead, At: noon}))
	if has() {
		t.Error("a file of another name, or for another feed, counts as newer")
	}
	again := d
	again.Seq = must(b.NextSeq(t.Context()))(t)
	b.ok(b.Seen(t.Context(), again))
	if has() {
		t.Error("a drop that nobody has read yet counts as newer")
	}
	b.ok(b.Commit(t.Context(), Reading{Seq: again.Seq, State: DropRejected, At: noon}))
	if !has() {
		t.Error("the same name again does not count")
	}
}
