package store

import (
	"testing"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/outbox"
	"gondola/internal/shelf"
)

func TestFacts(t *testing.T) {
	b := newTestStore(t)
	if got := must(b.Fact(t.Context(), "salt"))(t); got != "" {
		t.Errorf("fact %q before it was kept", got)
	}
	b.ok(b.SetFact(t.Context(), "salt", "a"))
	b.ok(b.SetFact(t.Context(), "salt", "b"))
	b.ok(b.SetFact(t.Context(), "other", "c"))
	b.restart()
	if got := must(b.Fact(t.Context(), "salt"))(t); got != "b" {
		t.Errorf("fact %q, want b", got)
	}
}

func TestRecordSlotIsOneTransaction(t *testing.T) {
	b := newTestStore(t)
	last := func() time.Time { return must(b.LastSlot(t.Context(), "catalog"))(t) }
	if !last().IsZero() {
		t.Errorf("last slot %v before any", last())
	}
	b.ok(b.RecordSlot(t.Context(), "catalog", noon, nil, false))
	if !last().Equal(noon) || len(must(b.TargetsDue(t.Context()))(t)) > 0 {
		t.Errorf("a start without targets: slot %v", last())
	}
	b.ok(b.RecordSlot(t.Context(), "catalog", at(time.Hour), []string{"2", "1"}, false))
	want := []Target{{Target: "1", Parts: 1, PlanDue: true}, {Target: "2", Parts: 1, PlanDue: true}}
	same(t, "due", must(b.TargetsDue(t.Context()))(t), want)
	b.ok(b.RecordSlot(t.Context(), "full", at(time.Hour), []string{"2"}, true))
	b.ok(b.RecordSlot(t.Context(), "catalog", at(2*time.Hour), []string{"1", "2"}, false))
	want[1].FullDue = true
	same(t, "due: a full one stays full", must(b.TargetsDue(t.Context()))(t), want)

	must(b.write.Exec(`CREATE TRIGGER broken BEFORE UPDATE ON targets BEGIN SELECT RAISE(ABORT, 'disk on fire'); END`))(t)
	if err := b.RecordSlot(t.Context(), "catalog", at(3*time.Hour), []string{"1"}, false); err == nil {
		t.Fatal("RecordSlot succeeded")
	}
	if !last().Equal(at(2 * time.Hour)) {
		t.Errorf("the slot %v is taken for run although its plans are not due", last())
	}
}

func TestRequest(t *testing.T) {
	b := newTestStore(t)
	ids := b.plan("1", false, "a.csv", "a2.csv", "a3.csv")
	other := b.plan("2", false, "b.csv")[0]
	b.begin(ids[0], noon)
	b.ok(b.queue().Parked(t.Context(), ids[0], outbox.Foreign, "not ours"))
	for _, id := range []int64{ids[1], other} {
		b.ok(b.queue().Deferred(t.Context(), id, at(time.Hour), outbox.Transient, "x"))
	}
	b.ok(b.queue().SetHold(t.Context(), &outbox.Hold{Class: outbox.Credentials, At: noon}))
	same(t, "due before", b.due(noon), []int64{ids[2]})
	for range 2 {
		b.ok(b.Request(t.Context(), []string{"1"}, false, false))
		if h := must(b.Hold(t.Context(), outbox.BySFTP))(t); h != nil {
			t.Error("the hold goes on")
		}
		same(t, "due", b.due(noon), ids)
		b.state(other, "deferred")
		target := b.target("1")
		if !target.PlanDue || target.FullDue || target.Adopt || b.target("2").PlanDue {
			t.Errorf("targets %+v, %+v", target, b.target("2"))
		}
	}
	b.ok(b.Request(t.Context(), []string{"1"}, true, true))
	target := b.target("1")
	if !target.FullDue || !target.Adopt {
		t.Errorf("target %+v, want full and adopt", target)
	}
	if d := must(b.queue().Due(t.Context(), noon))(t)[0]; !d.Adopt {
		t.Error("the delivery may not adopt")
	}
	// Adopting ends with the plan, not with its first document.
	b.verify(ids[0], noon, true)
	if !b.target("1").Adopt {
		t.Error("adopting ended in the middle of a plan")
	}
	b.verify(ids[1], noon, true)
	b.verify(ids[2], noon, true)
	if b.target("1").Adopt {
		t.Error("adopting goes on after the plan")
	}
}

func TestRequestLeavesTheSupersededAlone(t *testing.T) {
	b := newTestStore(t)
	old := b.plan("1", false, "a.csv")[0]
	b.begin(old, noon)
	b.ok(b.queue().Parked(t.Context(), old, outbox.Foreign, "x"))
	next := b.plan("1", false, "a.csv")[0]
	b.ok(b.Request(t.Context(), []string{"1"}, false, false))
	b.state(old, "superseded")
	same(t, "due", b.due(noon), []int64{next})
}

// A file that was to go once more and was parked has no open plan, and yet its rows must arrive.
func TestRequestWakesAParkedAgain(t *testing.T) {
	b := newTestStore(t)
	id := b.plan("1", false, "a.csv")[0]
	b.verify(id, noon, true)
	b.ok(b.queue().Fate(t.Context(), id, outbox.FateAgain, at(window)))
	b.begin(id, at(window))
	b.ok(b.queue().Parked(t.Context(), id, outbox.Foreign, "not ours"))
	b.ok(b.Request(t.Context(), []string{"1"}, false, true))
	same(t, "due", b.due(at(window)), []int64{id})
	b.verify(id, at(window), true)
	if b.target("1").Adopt {
		t.Error("adopting goes on")
	}
}

// TestAdoptEndsWhereNothingIsSent: what was said of files that lie there now is not done to one that comes next year.
func TestAdoptEndsWhereNothingIsSent(t *testing.T) {
	for name, c := range map[string]struct {
		plan  Plan
		adopt bool
	}{
		"nothing to send": {Plan{}, false},
		"held rows":       {Plan{Findings: []shelf.Finding{{Code: catalog.BrakeLate}}}, true},
		"waiting":         {Plan{Waiting: 1}, true},
	} {
		b := newTestStore(t)
		b.ok(b.Request(t.Context(), []string{"1"}, false, true))
		c.plan.Target, c.plan.At = "1", noon
		_ = must(b.Enqueue(t.Context(), c.plan))(t)
		if got := b.target("1").Adopt; got != c.adopt {
			t.Errorf("%s: adopt is %t, want %t", name, got, c.adopt)
		}
	}
}
