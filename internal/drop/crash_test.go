package drop

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestCrashAtEveryStep leaves a claim in every state that a stopped process can leave it in, starts again, and looks from outside:
// the drop is committed once, with its bytes, and the archive has it once.
func TestCrashAtEveryStep(t *testing.T) {
	boom := errors.New("the process stops here")
	for _, c := range []struct {
		name  string
		crash func(b *bench)
		seq   string
	}{
		{"before the number", func(b *bench) {
			b.h.seqErr = boom
			b.pass(3 * time.Second)
			b.h.seqErr = nil
		}, "1"},
		{"after the number, before the rename", func(b *bench) {
			b.pass(time.Second)
			b.h.seq++ // given out and lost
		}, "2"},
		{"after the rename", func(b *bench) {
			b.pass(glance)
			b.h.seq++
			b.rename("a.csv", filepath.Join(workDir, "1-a.csv"))
		}, "1"},
		{"in the middle of the copy", func(b *bench) {
			b.pass(glance)
			b.h.seq++
			b.rename("a.csv", filepath.Join(workDir, "1-a.csv"))
			day := filepath.Join(b.f.Archive, "2026-11-21")
			if err := os.MkdirAll(day, 0o750); err != nil {
				b.t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(day, ".1-a.csv.durable-123.tmp"), []byte("1"), 0o600); err != nil {
				b.t.Fatal(err)
			}
		}, "1"},
		{"after the copy", func(b *bench) {
			b.h.takeErr = boom
			b.pass(3 * time.Second)
			b.h.takeErr = nil
		}, "1"},
		{"after the copy, started on another day", func(b *bench) {
			b.h.takeErr = boom
			b.pass(3 * time.Second)
			b.h.takeErr = nil
			b.now = b.now.AddDate(0, 0, 1)
		}, "1"},
		{"after the commit", func(b *bench) {
			b.h.lostErr = boom
			b.pass(3 * time.Second)
			b.h.lostErr = nil
		}, "1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			b.write("a.csv", "1\n2\n")
			c.crash(b)
			for range 2 { // the second start finds nothing to do
				b.restart()
				b.pass(5 * time.Second)
			}
			b.wantTaken("a.csv 1\n2")
			b.wantWork()
			var copies []string
			days, err := os.ReadDir(b.f.Archive)
			if err != nil {
				t.Fatal(err)
			}
			for _, day := range days {
				for _, name := range names(t, filepath.Join(b.f.Archive, day.Name())) {
					if !strings.HasPrefix(name, ".") {
						copies = append(copies, name)
					}
				}
			}
			if diff := cmp.Diff([]string{c.seq + "-a.csv"}, copies); diff != "" {
				t.Errorf("archive (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWorkIsFinishedInOrderBeforeAnythingNew(t *testing.T) {
	b := newBench(t)
	b.pass(glance)
	b.write("new.csv", "new\n")
	for _, name := range []string{"10-j.csv", "9-i.csv", "2-b.csv"} {
		b.write(filepath.Join(workDir, name), name+"\n")
	}
	b.h.seq = 10
	b.h.committed[9] = "already"
	b.restart()
	b.pass(5 * time.Second)
	b.wantTaken("b.csv 2-b.csv", "j.csv 10-j.csv", "new.csv new")
	b.wantWork()
}

func TestRejectedDropThatCannotBePutAsideYet(t *testing.T) {
	b := newBench(t)
	b.h.rejected = func(string) bool { return true }
	b.write("rechazados", "a file where the folder should be\n")
	b.write("a.csv", "?\n")
	b.pass(5 * time.Second)
	b.wantWork("1-a.csv")
	if got := b.w.Status().Problem; !strings.Contains(got, "move that file away") {
		t.Errorf("problem %q", got)
	}
	b.remove("rechazados")
	b.pass(DefaultScan + time.Second)
	b.wantTaken("a.csv ?") // once
	if diff := cmp.Diff([]string{"1-a.csv"}, names(t, b.path("rechazados"))); diff != "" {
		t.Errorf("quarantine (-want +got):\n%s", diff)
	}
	if got := b.w.Status().Problem; got != "" {
		t.Errorf("problem %q", got)
	}
}

// TestRejectedDropIsPutAsideAfterARestart stops between the commit and the quarantine.
func TestRejectedDropIsPutAsideAfterARestart(t *testing.T) {
	b := newBench(t)
	b.h.rejected = func(string) bool { return true }
	b.write("rechazados", "a file where the folder should be\n")
	b.write("a.csv", "?\n")
	b.pass(5 * time.Second)
	b.remove("rechazados")
	b.restart()
	b.pass(DefaultScan + time.Second)
	b.wantTaken("a.csv ?") // once
	if diff := cmp.Diff([]string{"1-a.csv"}, names(t, b.path("rechazados"))); diff != "" {
		t.Errorf("quarantine (-want +got):\n%s", diff)
	}
}

func TestTakeThatFailsIsRepeatedInOrder(t *testing.T) {
	b := newBench(t)
	b.h.takeErr = errors.New("database is locked")
	b.write("a.csv", "1\n")
	b.pass(3 * time.Second)
	b.write("b.csv", "2\n")
	b.pass(5 * time.Minute)
	b.wantTaken()
	b.wantWaiting("a.csv: "+string(Trouble), "b.csv: "+string(Behind))
	if got := strings.Count(b.logs.String(), "database is locked"); got != 1 {
		t.Errorf("told %d times, want once:\n%s", got, b.logs)
	}
	b.h.takeErr = nil
	b.pass(DefaultScan + 3*time.Second)
	b.wantTaken("a.csv 1", "b.csv 2")
	if b.w.Status().Problem != "" || !strings.Contains(b.logs.String(), "well again") {
		t.Errorf("the recovery was not told:\n%s", b.logs)
	}
}

func TestCursedDropHoldsOthersUpNotForEver(t *testing.T) {
	b := newBench(t)
	b.h.takeErr = errors.New("boom")
	b.write("cursed.csv", "1\n")
	b.pass(DefaultMaxWait + time.Minute)
	b.write("b.csv", "2\n")
	b.pass(3 * time.Second)
	b.wantWork("1-cursed.csv", "2-b.csv")
}

func TestNumbersThatCannotBeUsedAreKept(t *testing.T) {
	b := newBench(t)
	b.write("a.csv", "1\n")
	b.pass(2 * time.Second)
	b.h.onSeq = func() { b.remove("a.csv") }
	b.pass(time.Second)
	b.h.onSeq = nil
	b.wantTaken()
	b.write("b.csv", "2\n")
	b.pass(3 * time.Second)
	b.wantTaken("b.csv 2")
	if b.h.claims[0].Seq != 1 || b.h.seq != 1 {
		t.Errorf("number %d of %d, want the first", b.h.claims[0].Seq, b.h.seq)
	}
}

func TestNoNumberNoClaim(t *testing.T) {
	b := newBench(t)
	b.h.seqErr = errors.New("only 3 MB are free: make room")
	b.write("a.csv", "1\n")
	b.pass(5 * time.Second)
	b.wantWork()
	if got := b.w.Status(); !strings.Contains(got.Problem, "only 3 MB are free: make room") || got.Waiting[0].Reason != Trouble {
		t.Errorf("status %+v", got)
	}
	b.h.seqErr = nil
	b.pass(DefaultScan + time.Second)
	b.wantTaken("a.csv 1")
}

func TestFolderTroublesAreToldOnceAndEnd(t *testing.T) {
	for _, c := range []trouble{
		{
			"missing", func(b *bench) { b.rename("", "../elsewhere") }, func(b *bench) { b.rename("../elsewhere", "") },
			"does not exist",
		},
		{
			"a file in its place",
			func(b *bench) { b.rename("", "../elsewhere"); b.write("", "x") },
			func(b *bench) { b.remove(""); b.rename("../elsewhere", "") },
			"is not a folder",
		},
		{
			"a file where work should be",
			func(b *bench) {
				if err := os.RemoveAll(b.path(".gondola")); err != nil {
					b.t.Fatal(err)
				}
				b.write(".gondola", "x")
			},
			func(b *bench) { b.remove(".gondola") },
			"has a file where gondola needs a folder",
		},
	} {
		t.Run(c.name, c.run)
	}
}

// trouble breaks a folder, or what lies behind it, and repairs it.
type trouble struct {
	name       string
	spoil, fix func(b *bench)
	says       string
}

// run holds that a trouble is told once, says what to do, and is over when it is repaired.
func (c trouble) run(t *testing.T) {
	b := newBench(t)
	b.pass(glance)
	b.logs.Reset()
	c.spoil(b)
	b.pass(time.Minute)
	got := b.w.Status()
	if !strings.Contains(got.Problem, c.says) || !strings.Contains(got.Problem, "): ") {
		t.Errorf("problem %q, want %q and what to do", got.Problem, c.says)
	}
	if n := strings.Count(b.logs.String(), "drop folder in trouble"); n != 1 {
		t.Errorf("told %d times, want once:\n%s", n, b.logs)
	}
	c.fix(b)
	b.pass(DefaultScan + time.Second)
	b.h.order = nil
	b.write("a.csv", "1\n")
	b.pass(DefaultScan + 3*time.Second)
	b.wantTaken("a.csv 1")
	if got := b.w.Status().Problem; got != "" {
		t.Errorf("problem %q", got)
	}
}

func TestStoppedLookTellsNoTrouble(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	b.write("a.csv", "1\n")
	b.pass(2 * time.Second)
	b.h.onSeq = cancel
	b.h.takeErr = context.Canceled
	b.w.look(ctx)
	if strings.Contains(b.logs.String(), "trouble") {
		t.Errorf("told as trouble:\n%s", b.logs)
	}
	b.h.onSeq, b.h.takeErr = nil, nil
	b.restart()
	b.pass(3 * time.Second)
	b.wantTaken("a.csv 1")
}
