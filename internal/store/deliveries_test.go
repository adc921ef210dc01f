package store

import (
	"path/filepath"
	"testing"
	"time"

	"gondola/internal/outbox"
	"gondola/internal/shelf"
)

func TestDueOldestFirstAndOneOfAName(t *testing.T) {
	b := newTestStore(t)
	first := b.plan("1", false, "a.csv", "a2.csv")
	second := b.plan("2", false, "b.csv")
	same(t, "due", b.due(noon), []int64{first[0], first[1], second[0]})
	b.begin(first[0], noon)
	b.ok(b.queue().Deferred(t.Context(), first[0], at(time.Minute), outbox.Transient, "x"))
	same(t, "due while one waits", b.due(at(time.Minute-1)), []int64{first[1], second[0]})
	same(t, "due when it has waited", b.due(at(time.Minute)), []int64{first[0], first[1], second[0]})
	b.ok(b.queue().Parked(t.Context(), first[1], outbox.Local, "x"))
	same(t, "due without the parked one", b.due(at(time.Minute)), []int64{first[0], second[0]})

	d := must(b.queue().Due(t.Context(), at(time.Minute)))(t)[0]
	doc := b.delivery(first[0])
	if d.Target != "1" || d.Folder != "catalog" || d.Name != "a.csv" || d.Size != doc.Size || d.SHA256 != "bb" || d.Rows != 4 || d.Attempts != 1 || d.Adopt {
		t.Errorf("due %+v", d)
	}
	if want := filepath.Join(b.dir, "documents", "doc-a.csv-1.csv"); d.Path != want {
		t.Errorf("path %s, want %s", d.Path, want)
	}
}

// Of one name only the oldest is due, whatever it waits for. Two plans of one target can't get there; a file that goes once more and
// could not be written down as sent can.
func TestDueKeepsTheOrderOfAName(t *testing.T) {
	b := newTestStore(t)
	first := b.plan("1", false, "a.csv")[0]
	b.verify(first, noon, true)
	second := b.plan("1", false, "a.csv")[0]
	for _, state := range []string{"queued", "deferred", "sending", "uncertain"} {
		must(b.write.Exec(`UPDATE deliveries SET state = $2, next_at = $3 WHERE id = $1`, first, state, millis(at(time.Hour))))(t)
		for _, id := range b.due(noon) {
			t.Errorf("delivery %d is due while the one before it is %s", id, state)
		}
		if next := must(b.queue().Next(t.Context(), noon))(t); !next.Equal(at(time.Hour)) {
			t.Errorf("while it is %s, the outbox is due at %v, want when it has waited", state, next)
		}
	}
	must(b.write.Exec(`UPDATE deliveries SET state = 'verified' WHERE id = $1`, first))(t)
	same(t, "due", b.due(noon), []int64{second})
}

func TestBegin(t *testing.T) {
	b := newTestStore(t)
	id := b.plan("1", false, "a.csv")[0]
	b.unsettled("1")
	b.begin(id, noon)
	b.unsettled("1", id)
	b.ok(b.queue().Deferred(t.Context(), id, noon, outbox.Transient, "x"))
	b.unsettled("1", id)
	b.begin(id, at(time.Hour))
	d := b.delivery(id)
	if d.Attempts != 2 || !d.Began.Equal(noon) || d.State != "sending" || !d.Unsettled || d.Error != "x" {
		t.Errorf("after the second attempt began: %+v", d)
	}
	b.ok(b.queue().Verified(t.Context(), id, outbox.Receipt{At: at(time.Hour)}))
	for _, id := range []int64{id, 99} {
		if ok := must(b.queue().Begin(t.Context(), id, noon))(t); ok {
			t.Errorf("delivery %d can begin", id)
		}
	}
}

func TestVerifiedMovesSentOnce(t *testing.T) {
	b := newTestStore(t)
	first := b.plan("1", false, "a.csv")[0]
	b.verify(first, noon, false)
	d := b.delivery(first)
	if d.State != "verified" || d.Proof != string(outbox.ProofDigest) || d.Way != "rename" || !d.Verified.Equal(noon) || d.Error != "" || !d.Next.IsZero() {
		t.Errorf("verified: %+v", d)
	}
	b.sent("1", first)
	ids := b.plan("1", false, "a.csv", "a2.csv", "a3.csv")
	b.begin(ids[2], noon)
	b.ok(b.queue().Deferred(t.Context(), ids[2], noon, outbox.Transient, "x"))
	b.verify(ids[1], noon, false)
	b.verify(ids[0], noon, true)
	b.sent("1", first)
	same(t, "state", planState(b, ids[0]), "open")
	b.verify(ids[2], at(time.Minute), false)
	b.sent("1", first, ids[0], ids[1], ids[2])
	same(t, "state", planState(b, ids[0]), "done")
	// Told twice, as after a crash between the row and the answer.
	b.ok(b.queue().Verified(t.Context(), ids[2], outbox.Receipt{At: at(time.Minute)}))
	b.sent("1", first, ids[0], ids[1], ids[2])

	full := b.plan("1", true, "a.csv", "a2.csv")
	b.verify(full[0], noon, true)
	b.sent("1", first, ids[0], ids[1], ids[2])
	b.verify(full[1], noon, true)
	b.sent("1", full...)
	if err := b.queue().Verified(t.Context(), 99, outbox.Receipt{At: noon}); err == nil {
		t.Error("a receipt for no delivery was taken")
	}
}

func TestVerifiedSettlesWhatItReplaced(t *testing.T) {
	b := newTestStore(t)
	first := b.plan("1", false, "a.csv", "a2.csv")
	other := b.plan("2", false, "b.csv")[0]
	for _, id := range append(first, other) {
		b.verify(id, noon, false)
	}
	second := b.plan("1", false, "a.csv")[0]
	b.begin(second, at(time.Minute))
	b.unsettled("1", first[0], first[1], second)
	b.ok(b.queue().Verified(t.Context(), second, outbox.Receipt{At: at(time.Minute)}))
	b.unsettled("1", first[1], second)
	b.unsettled("2", other)
	same(t, "looks left", b.pending(at(24*time.Hour)), []int64{first[1], other, second})
}

func TestAFailureDoesNotWakeWhatIsOver(t *testing.T) {
	b := newTestStore(t)
	old := b.plan("1", false, "a.csv")[0]
	b.plan("1", false, "a.csv")
	b.ok(b.queue().Deferred(t.Context(), old, at(time.Hour), outbox.Transient, "no line"))
	b.state(old, "superseded")
	b.ok(b.queue().Parked(t.Context(), old, outbox.Foreign, "x"))
	b.state(old, "superseded")
}

func TestFailures(t *testing.T) {
	b := newTestStore(t)
	id := b.plan("1", false, "a.csv")[0]
	b.begin(id, noon)
	b.ok(b.queue().Deferred(t.Context(), id, at(time.Hour), outbox.NoSpace, "server full"))
	d := b.delivery(id)
	if d.State != "deferred" || d.Class != string(outbox.NoSpace) || d.Error != "server full" || !d.Next.Equal(at(time.Hour)) {
		t.Errorf("deferred: %+v", d)
	}
	same(t, "waiting", must(b.Waiting(t.Context()))(t), []Delivery{d})
	b.begin(id, at(time.Hour))
	b.ok(b.queue().Parked(t.Context(), id, outbox.Foreign, "not ours"))
	d = b.delivery(id)
	if d.State != "parked" || d.Class != string(outbox.Foreign) || d.Error != "not ours" || !d.Next.IsZero() || !d.Unsettled {
		t.Errorf("parked: %+v", d)
	}
	same(t, "waiting", must(b.Waiting(t.Context()))(t), []Delivery{d})
	if next := must(b.queue().Next(t.Context(), at(time.Hour)))(t); !next.IsZero() {
		t.Errorf("due at %v with nothing but a parked delivery", next)
	}
}

// A clock that was set back must not leave a delivery waiting for a time that is far off.
func TestDueAfterTheClockWasSetBack(t *testing.T) {
	b := newTestStore(t)
	id := b.plan("1", false, "a.csv")[0]
	b.ok(b.queue().Deferred(t.Context(), id, at(longestDelay), outbox.Transient, "x"))
	same(t, "due within the longest delay", b.due(noon), nil)
	same(t, "due a year before", b.due(noon.AddDate(-1, 0, 0)), []int64{id})
	past := noon.AddDate(-1, 0, 0)
	if next := must(b.queue().Next(t.Context(), past))(t); !next.Equal(past) {
		t.Errorf("a year before, due at %v, want at once", next)
	}
}

func TestPending(t *testing.T) {
	b := newTestStore(t)
	first, other := b.plan("1", false, "a.csv")[0], b.plan("2", false, "b.csv")[0]
	b.verify(first, noon, true)
	b.verify(other, at(time.Minute), false)
	same(t, "within the window", b.pending(at(window-1)), nil)
	same(t, "when it is over for one", b.pending(at(window)), []int64{first})
	p := must(b.queue().Pending(t.Context(), at(window)))(t)[0]
	same(t, "look", p, outbox.Pending{ID: first, Folder: "catalog", Name: "a.csv", Size: b.delivery(first).Size, Replaced: true, VerifiedAt: noon})
	// The name is about to be replaced: now or never. Once an attempt began, what lies there says nothing.
	next := b.plan("1", false, "a.csv")[0]
	same(t, "about to be replaced", b.pending(at(5*time.Minute)), []int64{first})
	b.ok(b.queue().Deferred(t.Context(), next, at(time.Hour), outbox.Transient, "no line"))
	same(t, "not yet about to be replaced", b.pending(at(5*time.Minute)), nil)
	same(t, "about to be replaced after a delay", b.pending(at(time.Hour)), []int64{first})
	b.begin(next, at(time.Hour))
	same(t, "begun", b.pending(at(window)), nil)
	b.ok(b.queue().Verified(t.Context(), next, outbox.Receipt{At: at(time.Hour)}))
	same(t, "replaced", b.pending(at(window+time.Hour)), []int64{other, next})
}

func TestFates(t *testing.T) {
	later := at(window)
	for _, tc := range []struct {
		fate      outbox.Fate
		state     string
		unsettled bool
		next      time.Time // when the outbox has work again
	}{
		{outbox.FateKept, "verified", false, time.Time{}},
		{outbox.FateTaken, "taken", false, time.Time{}},
		{outbox.FateAlien, "verified", true, later.Add(window)},
		{outbox.FateAgain, "queued", true, later},
	} {
		t.Run(string(tc.fate), func(t *testing.T) {
			b := newTestStore(t)
			id := b.plan("1", false, "a.csv")[0]
			b.verify(id, noon, true)
			b.ok(b.queue().Fate(t.Context(), id, tc.fate, later))
			d := b.delivery(id)
			if d.State != tc.state || d.Unsettled != tc.unsettled || d.Fate != string(tc.fate) {
				t.Errorf("delivery %+v", d)
			}
			b.sent("1", id)
			if next := must(b.queue().Next(t.Context(), later))(t); !next.Equal(tc.next) {
				t.Errorf("next work at %v, want %v", next, tc.next)
			}
			same(t, "looks", b.pending(later), nil)
		})
	}
}

// A fate that is known before the plan is whole settles with the plan: until then what was sent does not have the rows.
func TestFateSettlesWithThePlan(t *testing.T) {
	for _, fate := range []outbox.Fate{outbox.FateKept, outbox.FateTaken} {
		b := newTestStore(t)
		ids := b.plan("1", false, "a.csv", "a2.csv")
		b.ok(b.Request(t.Context(), []string{"1"}, false, true))
		b.verify(ids[0], noon, false)
		b.ok(b.queue().Fate(t.Context(), ids[0], fate, at(window)))
		b.unsettled("1", ids[0])
		b.verify(ids[1], at(window), false)
		b.unsettled("1", ids[1])
		b.sent("1", ids...)
		if b.target("1").Adopt {
			t.Errorf("%s: adopting goes on after the plan has arrived", fate)
		}
	}
}

func TestAgain(t *testing.T) {
	again := func(t *testing.T) (*bench, int64) {
		b := newTestStore(t)
		id := b.plan("1", false, "a.csv")[0]
		b.verify(id, noon, true)
		return b, id
	}
	t.Run("goes once more and settles like any other", func(t *testing.T) {
		b, id := again(t)
		b.ok(b.queue().Fate(t.Context(), id, outbox.FateAgain, at(window)))
		same(t, "due", b.due(at(window)), []int64{id})
		b.verify(id, at(window), false)
		if d := b.delivery(id); d.State != "verified" || d.Fate != "" || d.Attempts != 2 || !d.Verified.Equal(at(window)) {
			t.Errorf("sent once more: %+v", d)
		}
		b.sent("1", id)
		same(t, "looks", b.pending(at(2*window)), []int64{id})
	})
	t.Run("not when a newer file is on its way", func(t *testing.T) {
		b, id := again(t)
		next := b.plan("1", false, "a.csv")[0]
		b.ok(b.queue().Fate(t.Context(), id, outbox.FateAgain, at(window)))
		b.state(id, "verified")
		b.unsettled("1", id)
		same(t, "due", b.due(at(window)), []int64{next})
		b.verify(next, at(window), false)
		b.unsettled("1", next)
	})
	t.Run("after all, when the newer file does not come", func(t *testing.T) {
		b, id := again(t)
		b.plan("1", false, "a.csv")
		b.ok(b.queue().Fate(t.Context(), id, outbox.FateAgain, at(window)))
		b.plan("1", false) // what the newer file was about was taken back
		same(t, "due", b.due(at(window)), []int64{id})
		b.unsettled("1", id)
	})
	t.Run("a superseded file is no newer one", func(t *testing.T) {
		b, id := again(t)
		b.plan("1", false, "a.csv")
		b.plan("1", false)
		b.ok(b.queue().Fate(t.Context(), id, outbox.FateAgain, at(window)))
		same(t, "due", b.due(at(window)), []int64{id})
	})
	for _, state := range []string{"queued", "deferred", "parked", "uncertain"} {
		t.Run("contained in a newer file while it is "+state, func(t *testing.T) {
			b, id := again(t)
			b.ok(b.queue().Fate(t.Context(), id, outbox.FateAgain, at(window)))
			switch state {
			case "deferred":
				b.ok(b.queue().Deferred(t.Context(), id, at(window), outbox.Transient, "x"))
			case "parked":
				b.begin(id, at(window))
				b.ok(b.queue().Parked(t.Context(), id, outbox.Foreign, "x"))
			case "uncertain":
				b.begin(id, at(window))
				b.restart()
			}
			b.state(id, state)
			next := b.plan("1", false, "a.csv")[0]
			b.state(id, "verified")
			b.ok(b.Request(t.Context(), []string{"1"}, false, false))
			same(t, "due", b.due(at(window)), []int64{next})
			b.unsettled("1", id)
			b.verify(next, at(window), false)
			b.unsettled("1", next)
			b.sent("1", id, next)
		})
	}
	t.Run("another target's plan has nothing to do with it", func(t *testing.T) {
		b, id := again(t)
		b.ok(b.queue().Fate(t.Context(), id, outbox.FateAgain, at(window)))
		other := b.plan("2", false, "b.csv")[0]
		same(t, "due", b.due(at(window)), []int64{id, other})
	})
}

func TestKnownSizes(t *testing.T) {
	b := newTestStore(t)
	var want []int64
	for i := range 4 {
		id := b.plan("1", false, "a.csv")[0]
		switch i {
		case 0, 2: // arrived
			b.verify(id, noon, i > 0)
		case 1: // never begun
			b.plan("1", false)
			continue
		case 3: // nobody knows
			b.begin(id, noon)
		}
		want = append([]int64{b.delivery(id).Size}, want...)
	}
	b.verify(b.plan("2", false, "b.csv")[0], noon, false)
	b.restart()
	due := must(b.queue().Due(t.Context(), at(time.Hour)))(t)
	if len(due) != 1 {
		t.Fatalf("due %+v", due)
	}
	same(t, "known sizes", due[0].Known, want)
}

func TestRecover(t *testing.T) {
	b := newTestStore(t)
	ids := b.plan("1", false, "a.csv", "a2.csv", "a3.csv", "a4.csv")
	b.begin(ids[0], noon)
	b.verify(ids[1], noon, false)
	b.ok(b.queue().Deferred(t.Context(), ids[2], at(time.Hour), outbox.Transient, "x"))
	b.restart()
	for i, want := range []string{"uncertain", "verified", "deferred", "queued"} {
		b.state(ids[i], want)
	}
	same(t, "due at once", b.due(noon), []int64{ids[0], ids[3]})
	b.unsettled("1", ids[0], ids[1])
	if d := b.delivery(ids[0]); d.Attempts != 1 {
		t.Errorf("%d attempts, want 1", d.Attempts)
	}
	for _, id := range []int64{ids[0], ids[2], ids[3]} {
		b.verify(id, at(time.Minute), false)
	}
	b.sent("1", ids...)
}

// An attempt whose end could not be written down is made again without a restart.
func TestSendingIsDueAgain(t *testing.T) {
	b := newTestStore(t)
	id := b.plan("1", false, "a.csv")[0]
	b.begin(id, noon)
	same(t, "due", b.due(noon), []int64{id})
	b.verify(id, at(time.Minute), false)
	b.sent("1", id)
}

func TestNext(t *testing.T) {
	b := newTestStore(t)
	next := func(now time.Time) time.Time { return must(b.queue().Next(t.Context(), now))(t) }
	if got := next(noon); !got.IsZero() {
		t.Errorf("nothing to do, and due at %v", got)
	}
	id := b.plan("1", false, "a.csv")[0]
	if got := next(noon); !got.Equal(noon) {
		t.Errorf("due at %v, want now", got)
	}
	b.ok(b.queue().Deferred(t.Context(), id, at(time.Minute), outbox.Transient, "x"))
	if got := next(noon); !got.Equal(at(time.Minute)) {
		t.Errorf("due at %v, want when it has waited", got)
	}
	b.verify(id, at(time.Minute), false)
	if got := next(at(time.Minute)); !got.Equal(at(time.Minute + window)) {
		t.Errorf("due at %v, want at the end of the read window", got)
	}
	if got := next(at(3 * window)); !got.Equal(at(3 * window)) {
		t.Errorf("due at %v, want now", got)
	}
}

func TestHold(t *testing.T) {
	b := newTestStore(t)
	q := b.queue()
	if h, err := q.Held(t.Context()); h != nil || err != nil {
		t.Errorf("hold %+v, %v", h, err)
	}
	first := outbox.Hold{Class: outbox.Credentials, Login: "l1", Text: "refused", At: noon}
	second := outbox.Hold{Class: outbox.Credentials, Login: "l2", Text: "refused again", At: at(time.Hour)}
	b.ok(q.SetHold(t.Context(), &first))
	b.ok(q.SetHold(t.Context(), &second))
	b.restart()
	same(t, "hold", must(b.queue().Held(t.Context()))(t), &second)
	for range 2 {
		b.ok(b.queue().SetHold(t.Context(), nil))
	}
	if h := must(b.Hold(t.Context(), outbox.BySFTP))(t); h != nil {
		t.Errorf("hold %+v after it ended", h)
	}
}

func TestReceiptTimes(t *testing.T) {
	b := newTestStore(t)
	if !must(b.LastVerified(t.Context(), "1"))(t).IsZero() {
		t.Error("a receipt of nothing")
	}
	first, other := b.plan("1", false, "a.csv")[0], b.plan("2", false, "b.csv")[0]
	b.verify(other, at(time.Hour), false)
	b.verify(first, noon, false)
	waits := b.plan("1", false, "a.csv")[0]
	if got := must(b.LastVerified(t.Context(), "1"))(t); !got.Equal(noon) {
		t.Errorf("last receipt of 1 of %v", got)
	}
	same(t, "waiting", must(b.Waiting(t.Context()))(t), []Delivery{b.delivery(waits)})
}

// What is unsettled is listed the oldest first, for the newest lies on top.
func TestUnsettledInOrder(t *testing.T) {
	b := newTestStore(t)
	ids := b.plan("1", false, "z.csv", "y.csv", "x.csv")
	for _, i := range []int{2, 0, 1} {
		b.begin(ids[i], noon)
	}
	same(t, "unsettled", must(b.Unsettled(t.Context(), "1"))(t), []shelf.Digest{"rows-z.csv-1", "rows-y.csv-1", "rows-x.csv-1"})
}
