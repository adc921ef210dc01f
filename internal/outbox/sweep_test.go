package outbox

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// folders gives each delivery a folder of its own.
func folders(ds []Delivery) []Delivery {
	for i := range ds {
		ds[i].Folder = fmt.Sprint("folder", ds[i].ID)
	}
	return ds
}

// TestFlushSweepsBesideFiles has a sweep that takes a minute: no file waits for it, and the connection does.
func TestFlushSweepsBesideFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, r := newFakeQueue(deliveries(6)...), &fakeRemote{}
		r.rest = func(context.Context, string) error {
			time.Sleep(time.Minute)
			q.mu.Lock()
			defer q.mu.Unlock()
			if len(q.verified) != 6 || r.closed.Load() != 0 {
				t.Errorf("at the end of the sweep %d files were sent, %d connections closed", len(q.verified), r.closed.Load())
			}
			return nil
		}
		o, _ := newTestOutbox(q, r)
		began := time.Now()
		flushed(t, o)
		if took := time.Since(began); took != time.Minute || r.closed.Load() != 1 {
			t.Errorf("took %v, %d closed", took, r.closed.Load())
		}
	})
}

// TestFlushClearsAFewAtOnce has many folders to clear: they leave most of what goes at once to files.
func TestFlushClearsAFewAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at gauge
		q := newFakeQueue(folders(deliveries(40))...)
		o, _ := newTestOutbox(q, &fakeRemote{rest: func(context.Context, string) error {
			at.in()
			defer at.out()
			time.Sleep(time.Second)
			return nil
		}})
		o.Parallel = 16
		began := time.Now()
		if flushed(t, o); at.most.Load() != 4 || time.Since(began) != 10*time.Second {
			t.Errorf("%d folders were cleared at once, in %v", at.most.Load(), time.Since(began))
		}
	})
}

// TestFlushSweepsFirst does one thing at a time, in the same order each time.
func TestFlushSweepsFirst(t *testing.T) {
	q := newFakeQueue(folders(deliveries(3))...)
	o, _ := newTestOutbox(q, &fakeRemote{})
	o.Parallel = 1
	flushed(t, o)
	var got []string
	for _, line := range q.log {
		if strings.HasPrefix(line, "sw") || strings.HasPrefix(line, "replace") {
			got = append(got, line)
		}
	}
	want := []string{
		"sweep folder1 0", "sweep folder2 0", "sweep folder3 0", "swept folder1 0", "swept folder2 0", "swept folder3 0",
		"replace 1", "replace 2", "replace 3",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestFlushLostWhileClearing loses the connection while files are sent: what had not begun goes over the next one.
func TestFlushLostWhileClearing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, r := newFakeQueue(deliveries(6)...), &fakeRemote{}
		o, dials := newTestOutbox(q, r)
		o.Parallel = 2
		var first atomic.Int32
		r.rest = func(context.Context, string) error {
			time.Sleep(time.Second)
			if r.closed.Load() == 0 {
				return fmt.Errorf("list: %w", ErrLost)
			}
			return nil
		}
		r.replace = func(context.Context, Delivery) (Receipt, error) {
			if r.closed.Load() == 0 {
				first.Add(1)
			}
			time.Sleep(2 * time.Second)
			return Receipt{}, nil
		}
		if rep := flushed(t, o); len(rep.Arrived) != 6 || rep.Attempted != 6 || *dials != 2 || first.Load() != 2 {
			t.Errorf("report %+v after %d dials, %d begun over the first: want all sent, two of them before", rep, *dials, first.Load())
		}
	})
}

// TestFlushStoppedWhileClearing stops while a file is on its way beside a sweep. What would cut the connection comes after the file's grace,
// and nothing more is swept.
func TestFlushStoppedWhileClearing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, r := newFakeQueue(folders(deliveries(5))...), &fakeRemote{}
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		r.replace = func(context.Context, Delivery) (Receipt, error) {
			time.Sleep(time.Second)
			cancel()
			time.Sleep(5 * time.Second)
			return Receipt{}, nil
		}
		r.rest = func(ctx context.Context, folder string) error {
			<-ctx.Done() // as a server that does not answer
			if after := time.Since(began); after != 6*time.Second {
				t.Errorf("the sweep of %s was ended after %v", folder, after)
			}
			return ctx.Err()
		}
		o, _ := newTestOutbox(q, r)
		o.Parallel = 2
		rep, err := o.Flush(ctx)
		if err != nil || len(rep.Arrived) != 2 || time.Since(began) != 6*time.Second {
			t.Errorf("Flush = %+v, %v after %v", rep, err, time.Since(began))
		}
		if n := count(q.log, "swept folder3 0") + count(q.log, "swept folder4 0") + count(q.log, "swept folder5 0"); n != 0 {
			t.Errorf("%d sweeps began after the stop", n)
		}
	})
}
