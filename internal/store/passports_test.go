package store

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/outbox"
)

// TestPassports keeps one for each account, over a restart, the newest one.
func TestPassports(t *testing.T) {
	b := newTestStore(t)
	if p := must(b.Passport(t.Context(), "a"))(t); !p.At.IsZero() || !p.Stale() {
		t.Errorf("passport of nobody: %+v", p)
	}
	want := outbox.Passport{At: noon, Server: "SSH-2.0-x"}.With(outbox.PosixRename, outbox.Can)
	b.ok(b.SetPassport(t.Context(), "a", outbox.Passport{At: at(-time.Hour)}))
	b.ok(b.SetPassport(t.Context(), "a", want))
	b.ok(b.SetPassport(t.Context(), "b", outbox.Passport{At: at(time.Hour)}))
	b.restart()
	if diff := cmp.Diff(want, must(b.Passport(t.Context(), "a"))(t)); diff != "" {
		t.Errorf("passport (-want +got):\n%s", diff)
	}
}

// TestHostKeys accepts, accepts again, and forgets keys of two servers. What waits because of a key goes at once, what waits for
// something else does not.
func TestHostKeys(t *testing.T) {
	b := newTestStore(t)
	ids := b.plan("1", false, "a.csv", "b.csv")
	b.ok(b.queue().Deferred(t.Context(), ids[0], at(time.Hour), outbox.HostKey, "another key"))
	b.ok(b.queue().Deferred(t.Context(), ids[1], at(time.Hour), outbox.NoSpace, "full"))
	first, second := HostKey{"SHA256:1", "ana", noon}, HostKey{"SHA256:2", "luis", at(time.Minute)}
	b.ok(b.AcceptHostKey(t.Context(), "one:22", first))
	b.ok(b.AcceptHostKey(t.Context(), "one:22", HostKey{"SHA256:1", "luis", at(time.Hour)}))
	b.ok(b.AcceptHostKey(t.Context(), "one:22", second))
	b.ok(b.AcceptHostKey(t.Context(), "two:22", second))
	same(t, "due", b.due(noon), []int64{ids[0]})
	b.restart()
	if diff := cmp.Diff([]HostKey{first, second}, must(b.HostKeys(t.Context(), "one:22"))(t)); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	for _, there := range []bool{true, false} {
		if got := must(b.ForgetHostKey(t.Context(), "one:22", HostKey{"SHA256:1", "luis", at(2 * time.Hour)}))(t); got != there {
			t.Errorf("forgotten: %t, want %t", got, there)
		}
	}
	if n := len(must(b.HostKeys(t.Context(), "one:22"))(t)) + len(must(b.HostKeys(t.Context(), "two:22"))(t)); n != 2 {
		t.Errorf("%d keys are left, want one of each server", n)
	}
}

// TestHostKeysAreInTheLedger finds who accepted and who forgot.
func TestHostKeysAreInTheLedger(t *testing.T) {
	b := newTestStore(t)
	b.ok(b.AcceptHostKey(t.Context(), "one:22", HostKey{"SHA256:1", "ana", noon}))
	for range 2 { // there is nothing to forget the second time, and nothing to tell
		must(b.ForgetHostKey(t.Context(), "one:22", HostKey{"SHA256:1", "luis", at(time.Hour)}))(t)
	}
	var got []string
	b.ok(b.Entries(t.Context(), noon.Add(-time.Hour), EntryHostKey, func(e Entry) error {
		got = append(got, e.Facts.Who+" "+e.Facts.Text)
		return nil
	}))
	same(t, "ledger", got, []string{"ana accepted SHA256:1 of one:22", "luis forgot SHA256:1 of one:22"})
}

// TestDueNamesThePreviousDocument tells a delivery which document was the last to arrive under its name.
func TestDueNamesThePreviousDocument(t *testing.T) {
	b := newTestStore(t)
	previous := func() *outbox.Document {
		t.Helper()
		return must(b.queue().Due(t.Context(), at(2*time.Hour)))(t)[0].Previous
	}
	first := b.plan("1", false, "a.csv")[0]
	if p := previous(); p != nil {
		t.Errorf("the first document of a name follows %+v", p)
	}
	b.verify(first, noon, false)
	second := b.plan("1", false, "a.csv")[0]
	doc := b.delivery(first)
	want := outbox.Document{Path: filepath.Join(b.dir, "documents", "doc-a.csv-1.csv"), Size: doc.Size, SHA256: doc.SHA256}
	if p := previous(); p == nil || *p != want {
		t.Errorf("the second one follows %+v, want %+v", p, want)
	}
	b.begin(second, noon)
	b.ok(b.queue().Deferred(t.Context(), second, at(time.Hour), outbox.Transient, "x"))
	if p := previous(); p == nil || *p != want {
		t.Errorf("after a failed attempt it follows %+v, want %+v", p, want)
	}
}
