package store

import (
	"testing"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/shelf"
)

// slipped is a finding about rows.
func slipped(rows shelf.Digest, count int) shelf.Finding {
	return shelf.Finding{Code: catalog.BrakePrice, Count: count, Of: 10, Rows: rows}
}

// brake enqueues a plan without documents that knows the decisions up to a number.
func (b *bench) brake(target string, decisions int64, now time.Time, findings ...shelf.Finding) {
	b.t.Helper()
	must(b.Enqueue(b.t.Context(), Plan{Target: target, Upto: 1000, At: now, Findings: findings, Decisions: decisions}))(b.t)
}

// open returns the numbers of the findings that wait, with the rows that they are about.
func (b *bench) openFindings() map[int64]shelf.Digest {
	b.t.Helper()
	all := map[int64]shelf.Digest{}
	for _, f := range must(b.OpenFindings(b.t.Context()))(b.t) {
		all[f.ID] = f.Rows
	}
	return all
}

func (b *bench) decide(id int64, state FindingState, now time.Time) {
	b.t.Helper()
	if ok := must(b.Decide(b.t.Context(), id, state, "ana", now, now.Add(time.Hour)))(b.t); !ok {
		b.t.Fatalf("finding %d is not open", id)
	}
}

// TestDecisionWhileAPlanIsMade decides between the moment that a plan asks what was decided and the moment that it is enqueued.
func TestDecisionWhileAPlanIsMade(t *testing.T) {
	for _, state := range []FindingState{FindingApproved, FindingRejected} {
		b := newTestStore(t)
		b.brake("1", 0, noon, slipped("r1", 1))
		knows := must(b.Decisions(t.Context(), "1"))(t)
		b.decide(1, state, noon)
		b.brake("1", knows, noon, slipped("r1", 1))
		same(t, "open findings", b.openFindings(), map[int64]shelf.Digest{})
		if due := must(b.TargetsDue(t.Context()))(t); len(due) != 1 {
			t.Errorf("%s: due: %+v", state, due)
		}
		b.brake("1", must(b.Decisions(t.Context(), "1"))(t), noon)
		if due := must(b.TargetsDue(t.Context()))(t); len(due) != 0 {
			t.Errorf("%s: due after a plan that knew it: %+v", state, due)
		}
	}
}

// TestOtherRowsAreAnotherFinding: a number that somebody has read goes on meaning what they have read.
func TestOtherRowsAreAnotherFinding(t *testing.T) {
	b := newTestStore(t)
	b.brake("1", 0, noon, slipped("r1", 1))
	b.brake("1", 0, at(time.Hour), slipped("r1", 1))
	same(t, "the same rows", b.openFindings(), map[int64]shelf.Digest{1: "r1"})
	b.brake("1", 0, at(2*time.Hour), slipped("r2", 3))
	same(t, "other rows", b.openFindings(), map[int64]shelf.Digest{2: "r2"})
	if ok := must(b.Decide(t.Context(), 1, FindingApproved, "ana", noon, noon))(t); ok {
		t.Error("the old number was approved")
	}
	f, _, err := b.Finding(t.Context(), 2)
	if b.ok(err); !f.First.Equal(noon) {
		t.Errorf("held since %s, want %s", f.First, noon)
	}
}

// TestHowLongAnApprovalHolds looks an hour after its end.
func TestHowLongAnApprovalHolds(t *testing.T) {
	late := at(2 * time.Hour)
	for _, tc := range []struct {
		name string
		then func(b *bench)
		want bool
	}{
		{"no plan knew it", func(*bench) {}, true},
		{"nothing was to be sent", func(b *bench) { b.brake("1", 1, at(time.Minute)) }, false},
		{"it is on its way", func(b *bench) { b.plan("1", false, "a.csv") }, true},
		{"it arrived", func(b *bench) { b.verify(b.plan("1", false, "a.csv")[0], at(time.Minute), false) }, false},
		{"the first of two stages arrived", func(b *bench) {
			must(b.Enqueue(t.Context(), Plan{Target: "1", Waiting: 1, Documents: []Document{b.document("a.csv")}, Decisions: 1, At: noon}))(t)
			b.verify(must(b.highest())(t), at(time.Minute), false)
		}, true},
		{"something else is on its way later", func(b *bench) {
			b.brake("1", 1, at(time.Minute))
			must(b.Enqueue(t.Context(), Plan{Target: "1", Documents: []Document{b.document("a.csv")}, Decisions: 1, At: late}))(t)
		}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newTestStore(t)
			b.brake("1", 0, noon, slipped("r1", 1))
			b.decide(1, FindingApproved, noon)
			tc.then(b)
			if got := must(b.Decided(t.Context(), "1", late))(t); len(got.Approved) == 1 != tc.want {
				t.Errorf("it holds: %t, want %t", !tc.want, tc.want)
			}
		})
	}
}
