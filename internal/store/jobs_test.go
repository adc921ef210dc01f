package store

import (
	"testing"
	"time"

	"gondola/internal/outbox"
)

// requestBench returns a bench with one verified request that has a job.
func requestBench(t *testing.T) (*bench, Queue, int64) {
	t.Helper()
	b := newTestStore(t)
	doc := b.document("1/1-abc")
	doc.By = outbox.ByAPI
	b.ok(b.RecordSlot(t.Context(), "catalog", noon, []string{"1"}, false))
	must(b.Enqueue(t.Context(), Plan{Target: "1", Documents: []Document{doc}, At: noon}))(t)
	q := b.queue()
	q.By = outbox.ByAPI
	due := must(q.Due(t.Context(), noon))(t)
	if len(due) != 1 {
		t.Fatalf("due: %+v", due)
	}
	if ok := must(q.Begin(t.Context(), due[0].ID, noon))(t); !ok {
		t.Fatal("not begun")
	}
	b.ok(q.Verified(t.Context(), due[0].ID, outbox.Receipt{Proof: outbox.ProofAccepted, Way: outbox.WayRequest, Job: "j1", At: noon}))
	return b, q, due[0].ID
}

func (b *bench) heard(h Heed) bool {
	b.t.Helper()
	j, _, err := b.JobOf(b.t.Context(), h.ID)
	b.ok(err)
	h.Delivery = j.Delivery
	return must(b.JobHeard(b.t.Context(), h))(b.t)
}

func ended(id string, at time.Time, how Heard) Heed {
	return Heed{Job: Job{ID: id, Status: "COMPLETED", Ended: at, Heard: how}, At: at}
}

// TestQueuesAreApart has each way see its own deliveries and its own hold.
func TestQueuesAreApart(t *testing.T) {
	b, q, _ := requestBench(t)
	b.ok(b.RecordSlot(t.Context(), "catalog", noon, []string{"2"}, false))
	must(b.Enqueue(t.Context(), Plan{Target: "2", Documents: []Document{b.document("a.csv")}, At: noon}))(t)
	if due := must(q.Due(t.Context(), noon))(t); len(due) != 0 {
		t.Errorf("files are due as requests: %+v", due)
	}
	files := b.queue()
	if due := must(files.Due(t.Context(), noon))(t); len(due) != 1 || due[0].Name != "a.csv" {
		t.Errorf("due as files: %+v", due)
	}
	b.ok(q.SetHold(t.Context(), &outbox.Hold{Class: outbox.Credentials, Login: "x", At: noon}))
	if h := must(files.Held(t.Context()))(t); h != nil {
		t.Errorf("files are held: %+v", h)
	}
	b.ok(files.SetHold(t.Context(), nil))
	if h := must(q.Held(t.Context()))(t); h == nil || h.Login != "x" {
		t.Errorf("requests: %+v", h)
	}
}

// TestJobSettlesItsRequest follows one request through its job's life.
func TestJobSettlesItsRequest(t *testing.T) {
	b, q, id := requestBench(t)
	if target := b.target("1"); !target.Working {
		t.Errorf("not worked on: %+v", target)
	}
	if n := len(must(b.Unsettled(t.Context(), "1"))(t)); n != 1 {
		t.Fatalf("%d unsettled", n)
	}
	due := must(b.JobsDue(t.Context(), noon, 9))(t)
	if len(due) != 1 || due[0].Delivery != id || due[0].Rows == 0 {
		t.Fatalf("jobs due: %+v", due)
	}
	b.heard(Heed{Job: Job{ID: "j1", Status: "QUEUED", Asked: 1, Next: at(time.Minute)}, At: noon})
	if due := must(b.JobsDue(t.Context(), noon, 9))(t); len(due) != 0 {
		t.Errorf("asked for again at once: %+v", due)
	}
	h := ended("j1", at(time.Minute), HeardEvent)
	h.Answered = map[string]bool{"A": true, "B": true}
	h.Feedback = []Feedback{{Vendor: "1", Key: "A", SKU: "A", Reason: "odd"}}
	if !b.heard(h) {
		t.Error("its end is no news")
	}
	if b.heard(h) {
		t.Error("a repeat is news")
	}
	if n := len(must(b.Unsettled(t.Context(), "1"))(t)); n != 0 {
		t.Errorf("%d unsettled after its end", n)
	}
	if d := must(b.Deliveries(t.Context(), 0))(t)[0]; d.State != "confirmed" || d.Fate != string(outbox.FateConfirmed) {
		t.Errorf("delivery: %+v", d)
	}
	if f := must(b.FeedbackOf(t.Context(), "1"))(t); len(f) != 1 || f[0].Key != "A" || f[0].Job != "j1" {
		t.Errorf("feedback: %+v", f)
	}
	if target := b.target("1"); target.Working {
		t.Error("still worked on")
	}
	if next := must(q.Next(t.Context(), noon))(t); !next.IsZero() {
		t.Errorf("the outbox has work at %s", next)
	}
}

// TestJobIsToldOfBeforeItsAnswer has an event be read while the answer that names its job is not written down, and written down behind it:
// that the job is of a request was not known, so that nothing is made of it, and it is asked for.
func TestJobIsToldOfBeforeItsAnswer(t *testing.T) {
	b, _, id := requestBench(t)
	h := ended("j1", at(time.Second), HeardEvent)
	h.Status = "FAILED"
	if fresh := must(b.JobHeard(t.Context(), h))(t); fresh {
		t.Error("what was read as nobody's job has ended a request")
	}
	if n := len(must(b.Unsettled(t.Context(), "1"))(t)); n != 1 {
		t.Errorf("%d unsettled", n)
	}
	if due := must(b.JobsDue(t.Context(), at(time.Minute), 9))(t); len(due) != 1 || due[0].Delivery != id {
		t.Errorf("jobs to ask for: %+v", due)
	}
}

// TestLongJobIsUnread has the platform work long on a request: an audit soon after does not take it for seen by customers.
func TestLongJobIsUnread(t *testing.T) {
	b, _, _ := requestBench(t)
	b.heard(ended("j1", at(50*time.Minute), HeardPoll))
	for since, want := range map[time.Duration]int{10 * time.Minute: 1, time.Hour: 0} {
		if got := must(b.Unread(t.Context(), "1", at(since)))(t); len(got) != want {
			t.Errorf("unread since %s: %v", since, got)
		}
	}
}

// TestFailedJobsAreSentAgain has a request go again, be parked, and be contained in the next plan.
func TestFailedJobsAreSentAgain(t *testing.T) {
	b, q, id := requestBench(t)
	h := ended("j1", at(time.Minute), HeardPoll)
	h.Status, h.Failed, h.Again, h.Error = "FAILED", true, at(time.Hour), "odd"
	b.heard(h)
	if due := must(q.Due(t.Context(), at(time.Minute)))(t); len(due) != 0 {
		t.Errorf("due before its time: %+v", due)
	}
	due := must(q.Due(t.Context(), at(time.Hour)))(t)
	if len(due) != 1 || due[0].ID != id {
		t.Fatalf("due: %+v", due)
	}
	must(q.Begin(t.Context(), id, at(time.Hour)))(t)
	b.ok(q.Verified(t.Context(), id, outbox.Receipt{Proof: outbox.ProofAccepted, Job: "j2", At: at(time.Hour)}))
	h = ended("j2", at(2*time.Hour), HeardPoll)
	h.Status, h.Failed, h.Error = "FAILED", true, "odd"
	b.heard(h)
	waiting := must(b.Waiting(t.Context()))(t)
	if len(waiting) != 1 || waiting[0].State != "parked" {
		t.Fatalf("waiting: %+v", waiting)
	}
	if n := len(must(b.Unsettled(t.Context(), "1"))(t)); n != 1 {
		t.Errorf("%d unsettled", n)
	}
	doc := b.document("1/1-def")
	doc.By = outbox.ByAPI
	b.ok(b.RecordSlot(t.Context(), "catalog", at(3*time.Hour), []string{"1"}, false))
	must(b.Enqueue(t.Context(), Plan{Target: "1", Documents: []Document{doc}, At: at(3 * time.Hour)}))(t)
	due = must(q.Due(t.Context(), at(3*time.Hour)))(t)
	if len(due) != 1 || due[0].ID == id {
		t.Fatalf("due after the next plan: %+v", due)
	}
	must(q.Begin(t.Context(), due[0].ID, at(3*time.Hour)))(t)
	b.ok(q.Verified(t.Context(), due[0].ID, outbox.Receipt{Proof: outbox.ProofAccepted, Job: "j3", At: at(3 * time.Hour)}))
	b.heard(ended("j3", at(4*time.Hour), HeardPoll))
	if n := len(must(b.Unsettled(t.Context(), "1"))(t)); n != 0 {
		t.Errorf("%d unsettled after a plan that contains it", n)
	}
}

// TestForeignJobIsKept has an event tell of a job that nobody here sent.
func TestForeignJobIsKept(t *testing.T) {
	b, _, _ := requestBench(t)
	h := ended("foreign", noon, HeardEvent)
	h.Vendor, h.Kind = "9", "catalog"
	if !b.heard(h) || b.heard(h) {
		t.Error("want it heard once")
	}
	jobs := must(b.Jobs(t.Context(), time.Time{}))(t)
	if len(jobs) != 2 {
		t.Errorf("jobs: %+v", jobs)
	}
}
