package drop

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// counter is a Taker that other goroutines may look at.
type counter struct {
	seq, taken atomic.Int64
}

func (c *counter) NextSeq(context.Context) (int64, error)              { return c.seq.Add(1), nil }
func (c *counter) Known(context.Context, int64) (Verdict, bool, error) { return Read, false, nil }
func (c *counter) Take(context.Context, Claim) (Verdict, error) {
	c.taken.Add(1)
	return Read, nil
}

// TestRunHearsOfFiles runs in real time with a scan interval that never comes: only folder events can wake it.
func TestRunHearsOfFiles(t *testing.T) {
	b := newBench(t, func(f *Folder) { f.Scan, f.Settle, f.Now = time.Hour, 100*time.Millisecond, nil })
	c := &counter{}
	w, err := New(b.f, c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- w.Run(ctx) }()
	waitFor(t, "the first look", func() bool { return !w.Status().Looked.IsZero() })

	begin := time.Now()
	if err := os.WriteFile(b.path("a.csv"), []byte("1\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the drop", func() bool { return c.taken.Load() == 1 })
	t.Logf("taken after %v", time.Since(begin))

	// One that is seen before it is whole settles from the moment at which it is, not from half a second later.
	f, err := os.Create(b.path("c.csv"))
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond)
	begin = time.Now()
	if _, err := f.WriteString("3\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the drop that was made first and written then", func() bool { return c.taken.Load() == 2 })
	if took := time.Since(begin); took >= glance {
		t.Errorf("taken after %v, want little more than %v", took, b.f.Settle)
	}

	// The folder is replaced by another one of that name; a hint makes the watch notice, events must work in the new one.
	if err := os.Rename(b.dir, b.dir+".old"); err != nil {
		t.Fatal(err)
	}
	w.Wake()
	waitFor(t, "the problem", func() bool { return w.Status().Problem != "" })
	if err := os.Mkdir(b.dir, 0o750); err != nil {
		t.Fatal(err)
	}
	w.Wake()
	waitFor(t, "the recovery", func() bool { return w.Status().Problem == "" })
	if err := os.WriteFile(b.path("b.csv"), []byte("2\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the drop in the new folder", func() bool { return c.taken.Load() == 3 })

	stop()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestRunEndsWithItsContextAndRefusesNonsense(t *testing.T) {
	b := newBench(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	w, err := New(b.f, b.h, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Run(ctx); err != nil {
		t.Errorf("Run: %v", err)
	}
	if _, err := New(Folder{}, b.h, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("New takes a folder without a path")
	}
}

// once takes what lies in the bench's folder.
func (b *bench) once(ctx context.Context) (Outcome, error) {
	w, err := New(b.f, b.h, slog.New(slog.DiscardHandler))
	if err != nil {
		return Outcome{}, err
	}
	return w.Once(ctx)
}

func TestOnceTakesAllThereIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(f *Folder) { f.Now = nil })
		b.h.rejected = func(name string) bool { return name == "malo.csv" }
		b.write("a.csv", "1\n")
		b.write("malo.csv", "?\n")
		b.write("no-end.csv", "2")
		b.write("open.xlsx", "x\n")
		b.write("~$open.xlsx", "who")
		b.write("lista.pdf", "x")
		begin := time.Now()
		out, err := b.once(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if out.Read != 2 || out.Rejected != 1 {
			t.Errorf("read %d, rejected %d", out.Read, out.Rejected)
		}
		var left []string
		for _, x := range out.Waiting {
			left = append(left, x.Name+": "+string(x.Reason))
		}
		if diff := cmp.Diff([]string{"open.xlsx: " + string(Excel), "lista.pdf: " + string(Unmatched)}, left); diff != "" {
			t.Errorf("left (-want +got):\n%s", diff)
		}
		if took := time.Since(begin); took < DefaultQuiet || took > DefaultQuiet+5*time.Second {
			t.Errorf("took %v, want little more than %v", took, DefaultQuiet)
		}
	})
}

// TestSettledIsTakenAtOnce looks at the moment at which a file has settled, wherever that lies between two glances.
func TestSettledIsTakenAtOnce(t *testing.T) {
	for _, settle := range []time.Duration{100 * time.Millisecond, 2*glance + time.Millisecond, 3*glance - time.Millisecond, 3 * glance} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, func(f *Folder) { f.Now, f.Settle = nil, settle })
			b.write("a.csv", "1\n")
			begin := time.Now()
			out, err := b.once(t.Context())
			if err != nil || out.Read != 1 {
				t.Fatalf("settle %v: %+v, %v", settle, out, err)
			}
			if took := time.Since(begin); took != settle {
				t.Errorf("settle %v: took %v", settle, took)
			}
		})
	}
}

func TestOnceEndsWithAFileThatNeverEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(f *Folder) {
			f.Now = nil
			f.Complete = func(string) (bool, error) { return false, nil }
			f.Quiet = 24 * time.Hour
		})
		b.write("a.csv", "1")
		out, err := b.once(t.Context())
		if err != nil || len(out.Waiting) != 1 || out.Waiting[0].Reason != Unfinished {
			t.Errorf("got %+v %v", out, err)
		}
	})
}

func TestOnceReportsTrouble(t *testing.T) {
	b := newBench(t, func(f *Folder) { f.Path = filepath.Join(f.Path, "none"); f.Now = nil })
	if _, err := b.once(t.Context()); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "create it") {
		t.Errorf("missing folder: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := b.once(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}

// waitFor waits in real time, for what happens in another goroutine and on the disk.
func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited too long for %s", what)
		}
	}
}
