package store

import (
	"database/sql"
	"errors"
	"testing"
	"time"

	"gondola/internal/outbox"
	"gondola/internal/shelf"
)

func TestEnqueueAPlan(t *testing.T) {
	b := newTestStore(t)
	p := Plan{
		Target: "1", Full: true, Parts: 2, Upto: 7, Differs: 3, Rows: 9, Change: shelf.Change{New: 1, PriceUp: 2}, At: noon,
		Documents: []Document{b.document("a.csv"), b.document("a2.csv")},
	}
	p.Documents[1].Part = 2
	b.ok(b.RecordSlot(t.Context(), "catalog", noon, []string{"1"}, true))
	id := must(b.Enqueue(t.Context(), p))(t)
	want := planRow{Plan: p, ID: id, State: "open"}
	want.Parts, want.Documents = 0, nil
	same(t, "plans", b.plans(), []planRow{want})
	all := must(b.Deliveries(t.Context(), 0))(t)
	if len(all) != 2 {
		t.Fatalf("%d deliveries", len(all))
	}
	same(t, "delivery", all[1], Delivery{
		ID: all[1].ID, Plan: id, Target: "1", Folder: "catalog", Name: "a2.csv", Size: p.Documents[1].Size, SHA256: "bb", Rows: 4, State: "queued", By: outbox.BySFTP,
	})
	same(t, "target", b.target("1"), Target{Target: "1", Parts: 2, FullDue: true})
	if due := must(b.TargetsDue(t.Context()))(t); len(due) > 0 {
		t.Errorf("due after its plan: %+v", due)
	}
	for _, d := range all {
		b.verify(d.ID, at(time.Minute), false)
	}
	want.State, want.DoneAt = "done", at(time.Minute)
	same(t, "plans when it arrived", b.plans(), []planRow{want})
	same(t, "target", b.target("1"), Target{Target: "1", Parts: 2})
	b.plan("1", false, "a.csv")
	if n := b.target("1").Parts; n != 2 {
		t.Errorf("%d parts after a plan of one, want 2: they only grow", n)
	}
}

func TestEnqueueNothing(t *testing.T) {
	b := newTestStore(t)
	b.ok(b.RecordSlot(t.Context(), "catalog", noon, []string{"1"}, true))
	id := must(b.Enqueue(t.Context(), Plan{Target: "1", Full: true, At: noon}))(t)
	if id != 0 || len(b.plans()) > 0 {
		t.Errorf("a plan without documents has number %d", id)
	}
	same(t, "target", b.target("1"), Target{Target: "1", Parts: 1})
	same(t, "a target never heard of", b.target("9"), Target{Target: "9", Parts: 1})
}

func TestEnqueueSupersedesWhatHasNotBegun(t *testing.T) {
	b := newTestStore(t)
	seq := b.commit("precios", true, "1")
	old := b.plan("1", false, "a.csv")[0]
	other := b.plan("2", false, "b.csv")[0]
	next := b.plan("1", false, "a.csv")[0]
	b.state(old, "superseded")
	b.state(next, "queued")
	b.state(other, "queued")
	same(t, "states of plans", []string{planState(b, old), planState(b, next), planState(b, other)}, []string{"superseded", "open", "open"})
	same(t, "due", b.due(noon), []int64{other, next})
	same(t, "effects", b.effects(seq), map[string]EffectState{"1": EffectPlanned})
	b.unsettled("1")
	if ok := must(b.queue().Begin(t.Context(), old, noon))(t); ok {
		t.Error("a superseded delivery can begin")
	}
	b.verify(next, at(time.Minute), false)
	b.sent("1", next)
	same(t, "effects", b.effects(seq), map[string]EffectState{"1": EffectVerified})
}

// TestEnqueueInStages follows a drop of which a part waits for the end of other promotions: what arrived is told, and the later plan is
// its own as well.
func TestEnqueueInStages(t *testing.T) {
	b := newTestStore(t)
	seq := b.commit("promos", false, "1")
	effect := func(state EffectState, plan int64, waiting int) {
		t.Helper()
		e := must(b.Effects(t.Context(), seq))(t)[0]
		if e.State != state || e.Plan != plan || e.Waiting != waiting {
			t.Errorf("the effect is %s in plan %d with %d waiting, want %s, %d, %d", e.State, e.Plan, e.Waiting, state, plan, waiting)
		}
	}
	told := func(what string) {
		t.Helper()
		r, ok, err := b.ReceiptDue(t.Context(), seq)
		if b.ok(err); !ok {
			t.Errorf("the receipt is not due: %s", what)
			return
		}
		b.ok(b.ReceiptWritten(t.Context(), r))
	}
	enqueue := func(waiting int, docs ...Document) int64 {
		t.Helper()
		return must(b.Enqueue(t.Context(), Plan{Target: "1", Upto: seq, Waiting: waiting, Documents: docs, At: noon}))(t)
	}
	effect(EffectWaiting, 0, 0)
	ends := enqueue(3, b.document("a.csv"))
	effect(EffectPlanned, ends, 3)
	b.verify(must(b.Deliveries(t.Context(), 0))(t)[0].ID, at(time.Minute), false)
	effect(EffectVerified, ends, 3)
	told("the ends arrived")
	// A slot before they have settled finds nothing to send.
	if id := enqueue(3); id != 0 {
		t.Errorf("a plan without documents has number %d", id)
	}
	effect(EffectVerified, ends, 3)
	// Another drop in the meantime waits as well, and is not called unchanged.
	other := b.commit("promos", false, "1")
	must(b.Enqueue(t.Context(), Plan{Target: "1", Upto: other, Waiting: 3, At: noon}))(t)
	same(t, "effects of another drop", b.effects(other), map[string]EffectState{"1": EffectWaiting})
	starts := enqueue(0, b.document("a.csv"))
	effect(EffectPlanned, starts, 0)
	told("the starts are on their way")
	b.verify(must(b.Deliveries(t.Context(), 1))(t)[0].ID, at(3*time.Hour), false)
	effect(EffectVerified, starts, 0)
	// Nothing of it is left for plans to come.
	enqueue(0, b.document("a.csv"))
	effect(EffectVerified, starts, 0)
}

// planRow is a plan as the database has it.
type planRow struct {
	Plan
	ID     int64
	State  string
	DoneAt time.Time
}

// plans lists all plans, the newest first.
func (b *bench) plans() []planRow {
	b.t.Helper()
	scan := func(rows *sql.Rows) (p planRow, err error) {
		var change string
		var at, done int64
		err = rows.Scan(&p.ID, &p.Target, &p.Full, &p.State, &p.Upto, &p.Differs, &p.Rows, &change, &p.Below, &at, &done)
		if err != nil {
			return p, err
		}
		p.At, p.DoneAt = fromMillis(at), fromMillis(done)
		p.Change, err = fromJSON[shelf.Change](change)
		return p, err
	}
	return must(list(b.t.Context(), b.read, scan, `SELECT id, target, is_full, state, upto, differs, rows_total, change, below, created, done_at
		FROM plans ORDER BY id DESC`))(b.t)
}

func planState(b *bench, delivery int64) string {
	b.t.Helper()
	for _, p := range b.plans() {
		if p.ID == b.delivery(delivery).Plan {
			return p.State
		}
	}
	return "none"
}

// A plan that turns out to be about nothing ends an open one too: what it was about was taken back.
func TestEnqueueNothingSupersedes(t *testing.T) {
	b := newTestStore(t)
	seq := b.commit("precios", true, "1")
	old := b.plan("1", false, "a.csv")[0]
	b.plan("1", false)
	b.state(old, "superseded")
	same(t, "effects", b.effects(seq), map[string]EffectState{"1": EffectUnchanged})
}

func TestEnqueueWaitsForWhatHasBegun(t *testing.T) {
	for _, tc := range []struct {
		name    string
		prepare func(b *bench, id int64)
		begun   bool
	}{
		{"queued", func(*bench, int64) {}, false},
		{"sending", func(b *bench, id int64) { b.begin(id, noon) }, true},
		{"cut by a crash", func(b *bench, id int64) { b.begin(id, noon); b.restart() }, true},
		{"deferred after an attempt", func(b *bench, id int64) {
			b.begin(id, noon)
			b.ok(b.queue().Deferred(b.t.Context(), id, at(time.Hour), outbox.Transient, "x"))
		}, true},
		{"deferred before any attempt", func(b *bench, id int64) {
			b.ok(b.queue().Deferred(b.t.Context(), id, at(time.Hour), outbox.Transient, "no line"))
		}, false},
		{"parked", func(b *bench, id int64) {
			b.begin(id, noon)
			b.ok(b.queue().Parked(b.t.Context(), id, outbox.Foreign, "x"))
		}, false},
		{"another chance", func(b *bench, id int64) {
			b.begin(id, noon)
			b.ok(b.queue().Parked(b.t.Context(), id, outbox.Foreign, "x"))
			b.ok(b.Request(b.t.Context(), []string{"1"}, false, true))
		}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newTestStore(t)
			b.ok(b.RecordSlot(t.Context(), "catalog", noon, []string{"1"}, false))
			id := b.plan("1", false, "a.csv")[0]
			tc.prepare(b, id)
			b.ok(b.RecordSlot(t.Context(), "catalog", noon, []string{"1"}, false))
			if got := b.target("1").Begun; got != tc.begun {
				t.Errorf("Begun = %t, want %t", got, tc.begun)
			}
			before := b.delivery(id).State
			_, err := b.Enqueue(t.Context(), Plan{Target: "1", At: noon, Documents: []Document{b.document("a.csv")}})
			if errors.Is(err, ErrBegun) != tc.begun || err != nil && !tc.begun {
				t.Fatalf("Enqueue = %v", err)
			}
			if !tc.begun {
				b.state(id, "superseded")
				return
			}
			b.state(id, before)
			if len(must(b.Deliveries(t.Context(), id))(t)) > 0 || !b.target("1").PlanDue {
				t.Error("the refused plan left something, or is not due any more")
			}
		})
	}
}

// What an attempt may have shown stays unsettled when its plan is superseded, until a later file under that name is verified.
func TestUnsettledOutlivesItsPlan(t *testing.T) {
	b := newTestStore(t)
	ids := b.plan("1", false, "a.csv", "a2.csv")
	b.verify(ids[0], noon, false)
	b.begin(ids[1], noon)
	b.unsettled("1", ids...)
	b.ok(b.queue().Parked(t.Context(), ids[1], outbox.Foreign, "x"))
	next := b.plan("1", false, "a2.csv", "a.csv")
	b.state(ids[0], "verified")
	b.state(ids[1], "superseded")
	b.sent("1")
	b.unsettled("1", ids...)
	b.verify(next[0], at(time.Minute), false)
	b.unsettled("1", ids[0], next[0])
	b.sent("1")
	b.verify(next[1], at(time.Minute), true)
	b.unsettled("1", next...)
	b.sent("1", next...)
}

func TestFullIsOwedUntilItArrives(t *testing.T) {
	b := newTestStore(t)
	b.plan("1", true, "a.csv")
	b.ok(b.RecordSlot(t.Context(), "catalog", noon, []string{"1"}, false))
	due := must(b.TargetsDue(t.Context()))(t)
	if len(due) != 1 || !due[0].FullDue {
		t.Fatalf("due %+v: the full plan that has not arrived is forgotten", due)
	}
	id := b.plan("1", true, "a.csv")[0]
	b.verify(id, at(time.Minute), false)
	b.ok(b.RecordSlot(t.Context(), "catalog", at(time.Hour), []string{"1"}, false))
	if b.target("1").FullDue {
		t.Error("a full plan is owed although one arrived")
	}
}

// While a plan is in the making, an admin asks for a full one.
func TestFullAskedForInBetween(t *testing.T) {
	b := newTestStore(t)
	b.ok(b.RecordSlot(t.Context(), "catalog", noon, []string{"1"}, false))
	b.ok(b.Request(t.Context(), []string{"1"}, true, false))
	b.plan("1", false, "a.csv")
	same(t, "target", b.target("1"), Target{Target: "1", Parts: 1, PlanDue: true, FullDue: true})
	id := b.plan("1", true, "a.csv")[0]
	b.verify(id, noon, false)
	same(t, "target", b.target("1"), Target{Target: "1", Parts: 1})
}

func TestSentCompacted(t *testing.T) {
	b := newTestStore(t)
	var ids []int64
	push := func(full bool) {
		id := b.plan("1", full, "a.csv")[0]
		b.verify(id, noon, len(ids) > 0)
		ids = append(ids, id)
	}
	push(true)
	push(false)
	other := b.plan("2", false, "b.csv")[0]
	b.verify(other, noon, false)
	old := must(b.Sent(t.Context(), "1"))(t)
	push(false) // arrives while the two are compacted
	b.ok(b.SentCompacted(t.Context(), "1", old, "one"))
	same(t, "sent", must(b.Sent(t.Context(), "1"))(t), append([]shelf.Digest{"one"}, b.records(ids[2])...))
	b.sent("2", other)

	stack := must(b.Sent(t.Context(), "1"))(t)
	b.ok(b.SentCompacted(t.Context(), "1", stack, "two"))
	same(t, "sent, compacted again", must(b.Sent(t.Context(), "1"))(t), []shelf.Digest{"two"})
	push(false)
	same(t, "sent", must(b.Sent(t.Context(), "1"))(t), append([]shelf.Digest{"two"}, b.records(ids[3])...))

	// A full one arrives while a stack is compacted: that stack is history.
	stack = must(b.Sent(t.Context(), "1"))(t)
	push(true)
	b.ok(b.SentCompacted(t.Context(), "1", stack, "three"))
	b.sent("1", ids[4])
	b.ok(b.SentCompacted(t.Context(), "1", old[:1], "four"))
	b.sent("1", ids[4])
}
