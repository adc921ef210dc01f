package sftp

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pkg/sftp"

	"gondola/internal/outbox"
	"gondola/internal/sftp/sshdtest"
)

// across is the passport of a server that renames out of the home folder.
func across() outbox.Passport {
	return outbox.Passport{At: time.Now()}.With(outbox.RenameAcross, outbox.Can)
}

// TestSweepLeavesWhatWaitsForItsName sweeps while a file lies in the home folder, whole and without its name.
func TestSweepLeavesWhatWaitsForItsName(t *testing.T) {
	both(t, func(t *testing.T, p place) {
		p.put(t, "catalog/other", "x")
		p.config.Passport = across()
		r := dial(t, p.config)
		d := document(t, 7, 1000)
		up := &replacement{r: r, d: d, folder: "catalog", final: "catalog/" + final}
		proof, err := up.upload(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := sweep(t.Context(), r, "catalog"); err != nil {
			t.Errorf("Sweep: %v", err)
		}
		if _, _, err := up.take(t.Context(), proof); err != nil {
			t.Errorf("swept away: %v", err)
		}
		holds(t, p.folder("catalog"), d, map[string]string{final: "", "other": "x"})
		up.releaseTemp()

		temp := "." + final + ".7.tmp"
		p.put(t, temp, "left")
		if err := sweep(t.Context(), r, "catalog"); err != nil {
			t.Errorf("Sweep: %v", err)
		}
		if _, err := os.Stat(p.folder(temp)); err == nil {
			t.Error("what nobody has any more stays in the home folder")
		}
	})
}

// TestSweepLooksBeforeAnAsideGoes has three old files whose names are taken when the folder is listed. One name is free by the time its
// old file would be removed, and of one the server does not tell any more: both may be the last that the platform has.
func TestSweepLooksBeforeAnAsideGoes(t *testing.T) {
	s := newServer(t)
	for _, name := range []string{"free.csv", "mute.csv", "taken.csv"} {
		s.put(t, "catalog/"+name, old)
		s.put(t, "catalog/."+name+".3.old", old)
	}
	var once sync.Once
	s.before = func(op, name, _ string) error {
		switch {
		case op == "Stat" && name == "catalog/free.csv":
			once.Do(func() { _ = os.Remove(s.local(name)) }) // by the platform, since the listing
		case op == "Stat" && name == "catalog/mute.csv", op == "List" && len(s.operations("List catalog")) > 1:
			return sftp.ErrSSHFxPermissionDenied
		}
		return nil
	}
	r := dial(t, s.client())
	if err := sweep(t.Context(), r, "catalog"); err != nil {
		t.Errorf("Sweep: %v", err)
	}
	want := map[string]string{".free.csv.3.old": old, ".mute.csv.3.old": old, "mute.csv": old, "taken.csv": old}
	holds(t, s.local("catalog"), outbox.Delivery{}, want)

	// With a successor it goes.
	d := document(t, 7, 1000)
	d.Name = "free.csv"
	if _, err := r.Replace(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	delete(want, ".free.csv.3.old")
	want["free.csv"] = ""
	holds(t, s.local("catalog"), d, want)
}

// TestSweepManyFolders looks for many folders before the first is cleared. The home folder is cleared once with all of them, also where
// one of them is missing.
func TestSweepManyFolders(t *testing.T) {
	s := newServer(t)
	c := s.client()
	c.Parallel, c.Passport = 64, across()
	for i := range 5 {
		s.put(t, fmt.Sprintf("folder%d/.a.csv.1.tmp", i), "left")
	}
	s.put(t, ".a.csv.2.tmp", "left")
	r := dial(t, c)
	var rests []func(context.Context) error
	for i := range 6 {
		rest, err := r.Sweep(t.Context(), fmt.Sprint("folder", i), nil)
		if err != nil {
			t.Fatal(err)
		}
		rests = append(rests, rest)
	}
	listed := len(s.operations("List")) // of the missing folder
	var wg sync.WaitGroup
	for _, rest := range rests {
		wg.Go(func() {
			if err := rest(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if ops := s.operations("List"); len(ops)-listed != 6 {
		t.Errorf("for five folders and the home there was %q", ops[listed:])
	}
	if n := len(s.operations("Remove")); n != 6 {
		t.Errorf("%d of 6 leftovers removed", n)
	}
	s.put(t, ".a.csv.2.tmp", "left")
	if err := sweep(t.Context(), r, "missing"); err != nil {
		t.Error(err)
	}
	if n := len(s.operations("Remove")); n != 7 {
		t.Error("nothing was cleared beside a folder that is missing")
	}
}

// TestSweepInOrder removes one after the other where one thing at a time is wanted, in the same order each time.
func TestSweepInOrder(t *testing.T) {
	s := newServer(t)
	c := s.client()
	c.Parallel = 1
	for i := range 10 {
		s.put(t, fmt.Sprintf("catalog/.%c.csv.1.tmp", 'a'+i), "left")
	}
	if err := sweep(t.Context(), dial(t, c), "catalog"); err != nil {
		t.Fatal(err)
	}
	if ops := s.operations("Remove"); len(ops) != 10 || !slices.IsSorted(ops) {
		t.Errorf("removed were %q", ops)
	}
}

// TestSweepAfterTheEnd begins to clear a folder when it is too late.
func TestSweepAfterTheEnd(t *testing.T) {
	s := newServer(t)
	s.put(t, "catalog/.a.csv.1.tmp", "left")
	r := dial(t, s.client())
	rest, err := r.Sweep(t.Context(), "catalog", nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := rest(ctx); !errors.Is(err, context.Canceled) || r.lost() != nil {
		t.Errorf("stopped: %v, connection %v", err, r.lost())
	}
	_ = r.Close()
	if err := rest(t.Context()); !errors.Is(err, outbox.ErrLost) {
		t.Errorf("closed: %v", err)
	}
	holds(t, s.local("catalog"), outbox.Delivery{}, map[string]string{".a.csv.1.tmp": "left"})
}

// TestLookAhead believes what was seen of a name once, whether it was looked at or listed, and whichever came first.
func TestLookAhead(t *testing.T) {
	s := newServer(t)
	for _, name := range []string{"seen.csv", "listed.csv", "early.csv"} {
		s.put(t, "catalog/"+name, old)
	}
	c := s.client()
	c.Parallel = 2
	r := dial(t, c)
	rest, err := r.Sweep(t.Context(), "catalog", []string{"seen.csv", "absent.csv", "early.csv", "fourth.csv"})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(s.operations("Stat catalog/")); n != 3 {
		t.Errorf("%d names were looked at, want as many as may begin", n)
	}
	there, absent, silent := lying{Seen: outbox.Seen{Exists: true, Size: 12}, told: true}, lying{told: true}, lying{}
	tells := func(name string, want lying) {
		t.Helper()
		for _, want := range []lying{want, silent} {
			got, ok := r.sawAt("catalog", "catalog/"+name)
			got.at = time.Time{}
			if got != want || ok != want.told {
				t.Errorf("%s: %+v, %v; want %+v", name, got, ok, want)
			}
		}
	}
	tells("early.csv", there)
	tells("never.csv", silent)
	if err := rest(t.Context()); err != nil {
		t.Fatal(err)
	}
	tells("early.csv", silent) // its turn was before the listing
	tells("never.csv", silent)
	tells("seen.csv", there)
	tells("absent.csv", absent)
	tells("listed.csv", there)
	tells("fourth.csv", absent)
}

// TestLookAheadInTurn looks at no name before its turn where one thing at a time is wanted.
func TestLookAheadInTurn(t *testing.T) {
	s := newServer(t)
	s.put(t, "catalog/"+final, old)
	c := s.client()
	c.Parallel = 1
	if _, err := dial(t, c).Sweep(t.Context(), "catalog", []string{final}); err != nil {
		t.Fatal(err)
	}
	if ops := s.operations(""); !slices.Equal(ops, []string{"Stat catalog"}) {
		t.Errorf("the server was asked for %q", ops)
	}
}

// TestForeignFileAfterTheLookAhead has somebody else's file come once its name was looked at. It is found before the name is taken.
func TestForeignFileAfterTheLookAhead(t *testing.T) {
	for _, extensions := range [][]string{nil, {posix}} {
		s := newServer(t, extensions...)
		s.put(t, "catalog/other", "x")
		r := dial(t, s.client())
		if _, err := r.Sweep(t.Context(), "catalog", []string{final}); err != nil {
			t.Fatal(err)
		}
		s.put(t, "catalog/"+final, "somebody else's file")
		_, err := r.Replace(t.Context(), document(t, 7, 1000))
		wantClass(t, err, outbox.Foreign, "20 bytes")
		holds(t, s.local("catalog"), outbox.Delivery{}, map[string]string{final: "somebody else's file", "other": "x"})
		ops := s.operations("")
		opened := slices.IndexFunc(ops, func(op string) bool { return strings.HasPrefix(op, "Open") })
		if opened < 0 {
			t.Fatalf("nothing was written, the server was asked for %q", ops)
		}
		before := slices.DeleteFunc(ops[:opened], func(op string) bool { return op != "Stat catalog/"+final })
		if len(before) != 1 {
			t.Errorf("the name was looked at %d times before anything was written, want once and ahead", len(before))
		}
	}
}

// TestLookingTakesOneRoundTrip looks for many folders, and at what is due in them, before anything is sent.
func TestLookingTakesOneRoundTrip(t *testing.T) {
	s := sshdtest.Start(t, sshdtest.Options{})
	c := sshdConfig(s)
	c.Parallel = 256
	line := newLongLine(t, c.Port, 150*time.Millisecond) // longer than a busy machine keeps a goroutine waiting
	c.Port = line.port()
	for i := range 20 {
		s.Put(fmt.Sprintf("folder%d/other.txt", i), "makes the folder")
	}
	r := dial(t, c)
	var wg sync.WaitGroup
	line.trips.Store(0)
	for i := range 20 {
		wg.Go(func() {
			if _, err := r.Sweep(t.Context(), fmt.Sprint("folder", i), []string{"a.csv", "b.csv", "c.csv"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := line.trips.Load(); n != 1 {
		t.Errorf("it took %d round trips, want one", n)
	}
	if l, ok := r.sawAt("folder7", "folder7/b.csv"); !ok || l.Exists {
		t.Errorf("of a name in it was seen %+v, %v", l, ok)
	}
}
