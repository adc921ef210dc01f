package drop

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"
)

// TestWriters plays what programs do when they write into a folder. Each must be taken once, whole, and not before it can be known
// to be whole.
func TestWriters(t *testing.T) {
	type act struct {
		at time.Duration
		do func(b *bench)
	}
	for _, c := range []struct {
		name  string
		acts  []act
		until time.Duration
		want  []string
		// notBefore and notAfter bound when the first drop is taken.
		notBefore, notAfter time.Duration
	}{
		{
			name: "cp: all at once",
			acts: []act{{0, func(b *bench) { b.write("a.csv", "1\n2\n") }}},
			want: []string{"a.csv 1\n2"}, notBefore: 2 * time.Second, notAfter: 3 * time.Second,
		},
		{
			name: "slow append, whole lines, pauses shorter than settle",
			acts: []act{
				{0, func(b *bench) { b.write("a.csv", "1\n") }},
				{1500 * time.Millisecond, func(b *bench) { b.add("a.csv", "2\n") }},
				{3 * time.Second, func(b *bench) { b.add("a.csv", "3\n") }},
			},
			want: []string{"a.csv 1\n2\n3"}, notBefore: 5 * time.Second, notAfter: 6 * time.Second,
		},
		{
			name: "block buffer: long pauses in the middle of a line",
			acts: []act{
				{0, func(b *bench) { b.write("a.csv", "1\n2") }},
				{20 * time.Second, func(b *bench) { b.add("a.csv", "2\n3") }},
				{40 * time.Second, func(b *bench) { b.add("a.csv", "3\n") }},
			},
			want: []string{"a.csv 1\n22\n33"}, notBefore: 42 * time.Second, notAfter: 43 * time.Second,
		},
		{
			name:  "last line never ended",
			acts:  []act{{0, func(b *bench) { b.write("a.csv", "1\n2") }}},
			until: 2 * time.Minute,
			want:  []string{"a.csv 1\n2"}, notBefore: DefaultQuiet, notAfter: DefaultQuiet + time.Second,
		},
		{
			name: "created empty, written later",
			acts: []act{
				{0, func(b *bench) { b.write("a.csv", "") }},
				{50 * time.Second, func(b *bench) { b.add("a.csv", "1\n") }},
			},
			want: []string{"a.csv 1"}, notBefore: 52 * time.Second, notAfter: 53 * time.Second,
		},
		{
			name:  "empty for good",
			acts:  []act{{0, func(b *bench) { b.write("a.csv", "") }}},
			until: 2 * time.Minute,
			want:  []string{"a.csv "}, notBefore: DefaultQuiet, notAfter: DefaultQuiet + time.Second,
		},
		{
			name: "temporary name, then rename",
			acts: []act{
				{0, func(b *bench) { b.write("a.csv.tmp", "1\n") }},
				{10 * time.Second, func(b *bench) { b.add("a.csv.tmp", "2\n") }},
				{20 * time.Second, func(b *bench) { b.rename("a.csv.tmp", "a.csv") }},
			},
			want: []string{"a.csv 1\n2"}, notBefore: 22 * time.Second, notAfter: 23 * time.Second,
		},
		{
			name: "upload with a .part that is copied over",
			acts: []act{
				{0, func(b *bench) { b.write("a.csv.part", "1\n") }},
				{time.Second, func(b *bench) { b.write("a.csv", "") }},
				{2 * time.Second, func(b *bench) { b.write("a.csv", "1\n") }},
				{3 * time.Second, func(b *bench) { b.remove("a.csv.part") }},
			},
			want: []string{"a.csv 1"}, notBefore: 4 * time.Second, notAfter: 5 * time.Second,
		},
		{
			name: "Excel saves: writes aside, swaps, and keeps its lock until it closes",
			acts: []act{
				{0, func(b *bench) { b.write("~$a.xlsx", "who"); b.write("a.xlsx", "old\n") }},
				{time.Second, func(b *bench) { b.write("1F2A.tmp", "new\n"); b.rename("a.xlsx", "2B3C.tmp") }},
				{time.Second + 1, func(b *bench) { b.rename("1F2A.tmp", "a.xlsx"); b.remove("2B3C.tmp") }},
				{90 * time.Second, func(b *bench) { b.remove("~$a.xlsx") }},
			},
			want: []string{"a.xlsx new"}, notBefore: 90 * time.Second, notAfter: 91 * time.Second,
		},
		{
			name: "a lock that Excel left when it crashed",
			acts: []act{
				{0, func(b *bench) { b.write("~$a.xlsx", "who"); b.write("a.xlsx", "x\n") }},
			},
			until: 15 * time.Minute,
			want:  []string{"a.xlsx x"}, notBefore: DefaultMaxWait, notAfter: DefaultMaxWait + time.Second,
		},
		{
			name: "truncate and rewrite before it was taken",
			acts: []act{
				{0, func(b *bench) { b.write("a.csv", "old\n") }},
				{1500 * time.Millisecond, func(b *bench) { b.write("a.csv", "") }},
				{2500 * time.Millisecond, func(b *bench) { b.write("a.csv", "new\n") }},
			},
			want: []string{"a.csv new"}, notBefore: 4500 * time.Millisecond, notAfter: 5500 * time.Millisecond,
		},
		{
			name: "size set first, filled afterwards",
			acts: []act{
				{0, func(b *bench) { b.write("a.csv", "\x00\x00\x00\x00") }},
				{30 * time.Second, func(b *bench) { b.write("a.csv", "1\n\x00\x00") }},
				{50 * time.Second, func(b *bench) { b.write("a.csv", "1\n2\n") }},
			},
			want: []string{"a.csv 1\n2"}, notBefore: 52 * time.Second, notAfter: 53 * time.Second,
		},
		{
			name: "same size rewritten",
			acts: []act{
				{0, func(b *bench) { b.write("a.csv", "1\n") }},
				{1500 * time.Millisecond, func(b *bench) { b.write("a.csv", "2\n") }},
			},
			want: []string{"a.csv 2"}, notBefore: 3500 * time.Millisecond, notAfter: 4500 * time.Millisecond,
		},
		{
			name: "taken back by its owner",
			acts: []act{
				{0, func(b *bench) { b.write("a.csv", "1\n") }},
				{time.Second, func(b *bench) { b.remove("a.csv") }},
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			begin, when := b.now, time.Duration(-1)
			acts := slices.Clone(c.acts)
			until := max(c.until, acts[len(acts)-1].at+5*time.Second)
			for b.now.Sub(begin) < until {
				for len(acts) > 0 && acts[0].at <= b.now.Sub(begin) {
					acts[0].do(b)
					acts = acts[1:]
				}
				b.pass(glance)
				if when < 0 && len(b.h.order) > 0 {
					when = b.now.Sub(begin) - glance
				}
			}
			b.wantTaken(c.want...)
			if len(c.want) > 0 && (when < c.notBefore || when > c.notAfter) {
				t.Errorf("taken after %v, want %v to %v", when, c.notBefore, c.notAfter)
			}
			b.wantWork()
		})
	}
}

func TestWriterThatGoesOnAfterTheClaim(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a file that is open is not renamed on Windows: it is busy until its writer ends")
	}
	b := newBench(t)
	b.write("a.csv", "1\n")
	f, err := os.OpenFile(b.path("a.csv"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	// Between the last look and the rename, the writer wakes up. Its open file moves along.
	b.h.onSeq = func() { fmt.Fprint(f, "2\n") }
	b.pass(3 * time.Second)
	b.wantTaken()
	b.wantWork("1-a.csv")
	b.wantWaiting("a.csv: " + string(Writing))
	fmt.Fprint(f, "3\n")
	b.pass(glance)
	b.write("b.csv", "later\n")
	b.pass(glance)
	b.wantTaken()
	b.pass(5 * time.Second)
	b.wantTaken("a.csv 1\n2\n3", "b.csv later")
}

func TestLaterFilesWaitForEarlierOnes(t *testing.T) {
	b := newBench(t)
	b.write("b.csv", "half a li")
	b.pass(time.Second)
	b.write("a.csv", "1\n")
	b.pass(10 * time.Second)
	b.wantTaken()
	b.wantWaiting("b.csv: "+string(Unfinished), "a.csv: "+string(Behind))
	b.add("b.csv", "ne\n")
	b.pass(5 * time.Second)
	b.wantTaken("b.csv half a line", "a.csv 1")
}

func TestLaterFilesWaitNotForEver(t *testing.T) {
	b := newBench(t)
	b.write("log.csv", "1\n")
	begin := b.now
	b.pass(time.Second)
	b.write("a.csv", "1\n")
	for len(b.h.order) == 0 && b.now.Sub(begin) < time.Hour {
		b.add("log.csv", "more\n")
		b.pass(glance)
	}
	b.wantTaken("a.csv 1")
	if waited := b.now.Sub(begin); waited < DefaultMaxWait || waited > DefaultMaxWait+time.Second {
		t.Errorf("waited %v, want %v", waited, DefaultMaxWait)
	}
	b.wantWaiting("log.csv: " + string(Writing))
	if d := b.w.delay(b.w.look(t.Context())); d != DefaultScan {
		t.Errorf("a file that never ends is looked at every %v", d)
	}
}

func TestFilesSeenTogetherAreTakenByTheirOwnTime(t *testing.T) {
	b := newBench(t)
	b.now = b.now.Add(-time.Hour)
	b.write("z.csv", "older\n")
	b.now = b.now.Add(time.Hour)
	b.write("a.csv", "newer\n")
	b.write("b.csv", "newer\n")
	b.pass(3 * time.Second)
	b.wantTaken("z.csv older", "a.csv newer", "b.csv newer")
}

func TestUnreadableFileStaysAndIsAskedAgain(t *testing.T) {
	asked, locked := 0, true
	b := newBench(t, func(f *Folder) {
		f.Complete = func(path string) (bool, error) {
			asked++
			if locked && filepath.Base(path) == "a.csv" {
				return false, errors.New("held by another program")
			}
			return true, nil
		}
	})
	b.write("a.csv", "1\n")
	b.pass(2 * time.Minute) // longer than Quiet: what can't be read is never whole
	b.wantTaken()
	if got := b.w.Status().Waiting; len(got) != 1 || got[0].Reason != Unreadable || got[0].Detail != "held by another program" {
		t.Errorf("status %+v", got)
	}
	if most := int(2*time.Minute/DefaultScan) + 1; asked > most {
		t.Errorf("asked %d times, want %d at most", asked, most)
	}
	locked = false
	b.pass(DefaultScan + time.Second)
	b.wantTaken("a.csv 1")
}

func TestClockThatIsSetBack(t *testing.T) {
	b := newBench(t)
	b.write("a.csv", "1\n")
	b.pass(time.Second)
	b.now = b.now.Add(-time.Hour)
	b.pass(3 * time.Second)
	b.wantTaken("a.csv 1")
}
