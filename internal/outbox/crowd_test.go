package outbox

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// gauge tells how many were at something at once.
type gauge struct{ now, most atomic.Int32 }

func (g *gauge) in() {
	n := g.now.Add(1)
	for m := g.most.Load(); n > m && !g.most.CompareAndSwap(m, n); m = g.most.Load() {
	}
}

func (g *gauge) out() { g.now.Add(-1) }

// TestFlushGoesNarrowAfterALoss has a server that hangs up on more than ten files at once: all arrive over the next connection, fewer go
// at once from then on, and more again as connections last.
func TestFlushGoesNarrowAfterALoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := int32(10)
		var at gauge
		q := newFakeQueue(deliveries(100)...)
		o, dials := newTestOutbox(q, &fakeRemote{replace: func(context.Context, Delivery) (Receipt, error) {
			at.in()
			defer at.out()
			time.Sleep(time.Millisecond)
			if at.now.Load() > limit {
				return Receipt{}, fmt.Errorf("put: %w", ErrLost)
			}
			return Receipt{}, nil
		}})
		o.Parallel = 64
		rep := flushed(t, o)
		if *dials != 2 || at.most.Load() != 64 {
			t.Fatalf("%d dials, %d at once: want a loss and a second try", *dials, at.most.Load())
		}
		if n := len(rep.Arrived) + len(rep.Failures); n != 100 || len(rep.Failures) > 64 {
			t.Errorf("%d arrived, %d failed; want all but those of the first connection", len(rep.Arrived), len(rep.Failures))
		}
		// What is too much stays too much: it is tried now and then, and not at every second flush.
		*dials = 0
		for range 40 {
			flushed(t, o)
		}
		if lost := *dials - 40; lost > 6 {
			t.Errorf("%d connections lost in 40 flushes", lost)
		}
		// Where it was by chance, or has been mended, there are as many as ever in the end.
		limit = 1000
		for at.most.Store(0); *dials < 200 && at.most.Load() < 64; {
			flushed(t, o)
		}
		if at.most.Load() < 64 {
			t.Errorf("%d at once after 160 connections that lasted, want 64", at.most.Load())
		}
	})
}

// TestFlushLooksAtManyAtOnce has a hundred earlier files to look at: they do not wait for each other.
func TestFlushLooksAtManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at gauge
		q := newFakeQueue()
		for i := range 100 {
			q.pending = append(q.pending, Pending{ID: int64(i + 1), Folder: "catalog", Name: fmt.Sprint(i, ".csv"), VerifiedAt: noon})
		}
		o, _ := newTestOutbox(q, &fakeRemote{look: func(string) (Seen, error) {
			at.in()
			defer at.out()
			time.Sleep(80 * time.Millisecond)
			return Seen{}, nil
		}})
		o.Parallel = 50
		began := time.Now()
		rep := flushed(t, o)
		if len(rep.Fates) != 100 || at.most.Load() != 50 || time.Since(began) != 160*time.Millisecond {
			t.Errorf("%d fates, %d looks at once, %v; want 100, 50 and two round trips", len(rep.Fates), at.most.Load(), time.Since(began))
		}
		for i, f := range rep.Fates {
			if f.Pending.ID != int64(i+1) {
				t.Fatalf("fate %d is of file %d: they are not in order", i, f.Pending.ID)
			}
		}
	})
}
