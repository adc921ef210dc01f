package store

import (
	"testing"
	"time"

	"gondola/internal/catalog"
)

// TestPausedDeliveriesAreNotDue holds deliveries of all kinds of targets against pauses of one store, of all, and of none.
func TestPausedDeliveriesAreNotDue(t *testing.T) {
	for _, one := range []struct {
		scopes []string
		due    []string
	}{
		{nil, []string{"catalog/1", "catalog/11", "promotions/1", "promotions/*"}},
		{[]string{"1"}, []string{"catalog/11"}},
		{[]string{"11"}, []string{"catalog/1", "promotions/1"}},
		{[]string{"other"}, []string{"catalog/1", "catalog/11", "promotions/1"}}, // a file for all stores waits with any
		{[]string{"*"}, nil},
	} {
		b := newTestStore(t)
		ids := map[int64]string{}
		for _, target := range []string{"catalog/1", "catalog/11", "promotions/1", "promotions/*"} {
			ids[b.plan(target, false, target)[0]] = target
		}
		for _, scope := range one.scopes {
			b.ok(b.Pause(t.Context(), []Pause{{Scope: scope, Who: "ana", At: noon}}))
		}
		var got []string
		for _, id := range b.due(noon) {
			got = append(got, ids[id])
		}
		same(t, "due", got, one.due)
		for id, target := range ids {
			may := must(b.queue().Begin(t.Context(), id, noon))(t)
			want := false
			for _, due := range one.due {
				want = want || due == target
			}
			if may != want {
				t.Errorf("paused %v: %s may begin: %t", one.scopes, target, may)
			}
		}
		if next := must(b.queue().Next(t.Context(), noon))(t); next.IsZero() != (one.due == nil) {
			t.Errorf("paused %v: next at %v", one.scopes, next)
		}
	}
}

// TestResumePlansAnew: what was planned under a pause is planned anew, and only that; the drops' receipts are due both times.
func TestResumePlansAnew(t *testing.T) {
	b := newTestStore(t)
	seq := b.commit("precios", true, "catalog/1", "catalog/2")
	b.plan("catalog/1", false, "a")
	b.verify(b.plan("catalog/2", false, "b")[0], noon, false)
	b.answered(seq)
	b.ok(b.Pause(t.Context(), []Pause{{Scope: "1", At: noon}, {Scope: "2", At: noon, Until: at(time.Hour)}}))
	if !b.answered(seq) {
		t.Error("the receipt does not tell of the pause")
	}
	same(t, "over already", len(must(b.EndPauses(t.Context(), at(time.Hour-time.Millisecond)))(t)), 0)
	ended := must(b.EndPauses(t.Context(), at(time.Hour)))(t)
	same(t, "over", ended, []Pause{{Scope: "2", At: noon, Until: at(time.Hour)}})
	if b.target("catalog/1").PlanDue || b.target("catalog/2").PlanDue {
		t.Error("a plan is due that nobody asked for")
	}
	same(t, "of a store without one", len(must(b.Resume(t.Context(), []string{"2"}, "ana", noon))(t)), 0)
	same(t, "ended", len(must(b.Resume(t.Context(), nil, "ana", noon))(t)), 1)
	if !b.target("catalog/1").PlanDue || b.target("catalog/2").PlanDue {
		t.Error("what was planned under the pause is not planned anew, or something else is")
	}
	if !b.answered(seq) {
		t.Error("the receipt does not tell that the pause is over")
	}
}

// TestHistoryOfWhatIsDoneByHand keeps what is in force for ever, and what is over for as long as history.
func TestHistoryOfWhatIsDoneByHand(t *testing.T) {
	b := newTestStore(t)
	b.ok(b.Pause(t.Context(), []Pause{{Scope: "1", At: noon}, {Scope: "2", At: noon}}))
	must(b.Resume(t.Context(), []string{"2"}, "ana", noon))(t)
	b.ok(b.SwitchOff(t.Context(), []Off{{Scope: "*", Key: "A", SKU: "A", At: noon}, {Scope: "1", Key: "A", SKU: "A", At: noon}}))
	offs := must(b.Offs(t.Context()))(t)
	layer := LayerFile{Feed: "(off)", Scope: "1", Digest: "d1", Present: 1, Owned: catalog.Active, Modified: noon}
	b.ok(b.OffApplied(t.Context(), layer, []int64{offs[1].ID}, []string{"catalog/1"}))
	same(t, "layer", len(must(b.Layer(t.Context(), "(off)", "1"))(t)), 1)
	if !b.target("catalog/1").PlanDue {
		t.Error("what is switched off is not planned")
	}
	same(t, "not in the layer yet", len(must(b.OffsNew(t.Context()))(t)), 1)
	b.ok(b.SwitchOn(t.Context(), []int64{offs[1].ID}, "ana", noon))
	same(t, "in need of a layer", len(must(b.OffsNew(t.Context()))(t)), 2)
	layer.Digest = ""
	b.ok(b.OffApplied(t.Context(), layer, []int64{offs[1].ID}, nil))
	same(t, "layer after that", len(must(b.Layer(t.Context(), "(off)", "1"))(t)), 0)

	rows := func(table string) (n int) {
		b.ok(b.read.QueryRow(`SELECT COUNT(*) FROM ` + table).Scan(&n))
		return n
	}
	b.ok(b.Forget(t.Context(), noon))
	same(t, "young", []int{rows("pauses"), rows("offs")}, []int{2, 2})
	b.ok(b.Forget(t.Context(), long))
	same(t, "old", []int{rows("pauses"), rows("offs")}, []int{1, 1})
	same(t, "off", must(b.Offs(t.Context()))(t)[0].Scope, "*")
}
