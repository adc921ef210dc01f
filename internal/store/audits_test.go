package store

import (
	"testing"
	"time"

	"gondola/internal/shelf"
)

// ask asks for audits and returns those of the run.
func (b *bench) ask(ask AuditAsk) []Audit {
	b.t.Helper()
	run := must(b.AskAudits(b.t.Context(), ask))(b.t)
	return must(b.AuditRun(b.t.Context(), run))(b.t)
}

func TestAuditsInTheirOrder(t *testing.T) {
	b := newTestStore(t)
	slot := AuditAsk{Vendors: []string{"1", "2"}, Source: AuditList, At: noon, Schedule: "audit"}
	if got := b.ask(slot); len(got) != 2 || got[0].Vendor != "1" || got[0].State != AuditAsked || !got[0].Asked.Equal(noon) {
		t.Fatalf("asked %+v", got)
	}
	if got := must(b.LastSlot(t.Context(), "audit"))(t); !got.Equal(noon) {
		t.Errorf("slot %s", got)
	}
	if got := b.ask(slot); len(got) != 0 {
		t.Errorf("a slot asks for what is asked for already: %+v", got)
	}
	person := b.ask(AuditAsk{Vendors: []string{"2"}, Source: AuditExport, Who: "ana", At: noon})[0]
	next := func(now time.Time) (Audit, bool) {
		a, ok, err := b.NextAudit(t.Context(), now)
		b.ok(err)
		return a, ok
	}
	if a, _ := next(noon); a.ID != person.ID {
		t.Errorf("next is %+v: a person waits for another one", a)
	}
	person.State, person.Job, person.Next, person.Tries, person.Error = AuditExporting, "j1", at(time.Hour), 2, "was busy"
	b.ok(b.DelayAudit(t.Context(), person))
	if a, _ := next(noon); a.Vendor != "1" {
		t.Errorf("next is %+v", a)
	}
	if waited := must(b.AuditExported(t.Context(), "j0", "https://x"))(t); waited {
		t.Error("somebody waits for another job")
	}
	if waited := must(b.AuditExported(t.Context(), "j1", "https://x"))(t); !waited {
		t.Error("nobody waits for the job")
	}
	person.URL, person.Next = "https://x", time.Time{}
	if a, _ := next(noon); a.URL != "https://x" {
		t.Errorf("next is %+v, want %+v", a, person)
	}
	for range 3 {
		a, ok := next(noon)
		if !ok {
			t.Fatal("nothing is next")
		}
		b.ok(b.FailAudit(t.Context(), a.ID, "refused", at(time.Minute)))
	}
	if a, ok := next(at(time.Hour)); ok {
		t.Errorf("next is %+v when all have failed", a)
	}
	last := must(b.LastAudits(t.Context()))(t)
	if len(last) != 2 || last[1].ID != person.ID || last[1].Error != "refused" || last[1].URL != "" {
		t.Errorf("last %+v", last)
	}
}

func TestAuditsEnd(t *testing.T) {
	b := newTestStore(t)
	end := func(there shelf.Digest) Audit {
		a := b.ask(AuditAsk{Vendors: []string{"1"}, Source: AuditList, At: noon})[0]
		a.Done, a.There, a.Sent, a.Unread = at(time.Minute), there, []shelf.Digest{"s" + there}, []shelf.Digest{"u" + there}
		a.Counts = shelf.AuditCounts{There: 9, Price: 3}
		return must(b.EndAudit(t.Context(), a, "catalog/1"))(t)
	}
	first, second := end("t1"), end("t2")
	last := must(b.LastAudits(t.Context()))(t)
	second.Next = last[0].Next
	same(t, "last audits", last, []Audit{second})
	if a := must(b.AuditRun(t.Context(), first.Run))(t)[0]; a.There != "" || a.Sent != nil || a.Counts != first.Counts {
		t.Errorf("of the older one %+v is kept", a)
	}
	records, _, err := b.Referenced(t.Context())
	b.ok(err)
	for d, want := range map[string]bool{"t1": false, "st1": false, "t2": true, "st2": true, "ut2": true} {
		if records[d] != want {
			t.Errorf("%s is in use: %t", d, !want)
		}
	}
	b.ok(b.Forget(t.Context(), at(time.Hour)))
	if left := must(b.AuditRun(t.Context(), first.Run))(t); len(left) != 0 {
		t.Errorf("%+v is not forgotten", left)
	}
	if left := must(b.LastAudits(t.Context()))(t); len(left) != 1 {
		t.Error("the newest one was forgotten")
	}
}

// TestTakeForSentOnlyOnce takes what the platform has for what was sent where nothing was, and nowhere else.
func TestTakeForSentOnlyOnce(t *testing.T) {
	b := newTestStore(t)
	take := func(there shelf.Digest) bool {
		a := Audit{Vendor: "1", Source: AuditFile, Who: "ana", SetSent: true, Asked: noon, Done: noon, There: there}
		return must(b.EndAudit(t.Context(), a, "1"))(t).Took
	}
	// A plan that was made and has not begun is no reason against it: it is made anew.
	b.plan("1", true, "a.csv")
	if !take("t1") {
		t.Error("nothing was sent, and it was not taken")
	}
	same(t, "sent", must(b.Sent(t.Context(), "1"))(t), []shelf.Digest{"t1"})
	if target := b.target("1"); !target.PlanDue {
		t.Errorf("%+v: the plan is not made anew", target)
	}
	var entries []Entry
	b.ok(b.Entries(t.Context(), noon.Add(-time.Hour), EntryTaken, func(e Entry) error { entries = append(entries, e); return nil }))
	if len(entries) != 1 || entries[0].Facts.Who != "ana" || entries[0].Facts.SHA256 != "t1" {
		t.Errorf("ledger %+v", entries)
	}
	if take("t2") {
		t.Error("taken although something was sent")
	}
	same(t, "sent", must(b.Sent(t.Context(), "1"))(t), []shelf.Digest{"t1"})
	if left := must(b.Waiting(t.Context()))(t); len(left) != 0 {
		t.Errorf("%+v is still to be sent", left)
	}
}
