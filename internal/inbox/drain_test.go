package inbox

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// pile is a queue of events that are all due.
type pile struct{ left int }

func (p *pile) DueEvents(_ context.Context, _ time.Time, most int) ([]Event, error) {
	return make([]Event, min(p.left, most)), nil
}
func (p *pile) DeferEvent(context.Context, int64, Failure) error              { return nil }
func (p *pile) PutEventAside(context.Context, int64, *Aside, time.Time) error { return nil }

// TestCallersGoFirst hands nothing on while callers come in a rush, but not for ever, and does not wait for a few, or for nobody.
func TestCallersGoFirst(t *testing.T) {
	for _, c := range []struct {
		name         string
		kept         int           // events that wait to be handed on
		every        time.Duration // between two callers
		rush         time.Duration // how long they come
		begin, ended time.Duration // when handing on begins, at the latest, and when it is over
		neverBefore  time.Duration
		noServer     bool
	}{
		{name: "nobody calls", kept: 1000, begin: rushLook, ended: rushLook},
		{name: "no server", kept: 1000, noServer: true},
		{name: "one by one", kept: 1000, every: 100 * time.Millisecond, rush: time.Minute, begin: rushLook, ended: 41 * rushLook},
		{name: "few wait", kept: drainBatch - 1, every: time.Millisecond, rush: time.Minute},
		{name: "a rush", kept: 1000, every: time.Millisecond, rush: 2 * time.Second, neverBefore: 2 * time.Second, begin: 2*time.Second + 2*rushLook, ended: 2*time.Second + 2*rushLook},
		{name: "a rush without an end", kept: 1000, every: time.Millisecond, rush: time.Minute, neverBefore: rushWithin, begin: rushWithin + rushLook, ended: rushWithin + rushLook},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancel(t.Context())
				var callers sync.WaitGroup
				defer callers.Wait()
				defer stop()
				var came atomic.Int64
				if c.rush > 0 {
					callers.Go(func() {
						for begun := time.Now(); time.Since(begun) < c.rush && ctx.Err() == nil; time.Sleep(c.every) {
							came.Add(1)
						}
					})
				}
				synctest.Wait()
				begun, first, p := time.Now(), time.Duration(-1), pile{c.kept}
				d := Drain{Queue: &p, Came: came.Load, Log: slog.New(slog.DiscardHandler), Now: time.Now}
				if c.noServer {
					d.Came = nil
				}
				d.Handle = func(_ context.Context, events []Event) error {
					if first < 0 {
						first = time.Since(begun)
					}
					p.left -= len(events)
					return nil
				}
				if err := d.Flush(ctx); err != nil {
					t.Fatal(err)
				}
				if ended := time.Since(begun); first < c.neverBefore || first > c.begin || ended > c.ended || p.left != 0 {
					t.Errorf("began after %s, ended after %s with %d left; want from %s to %s, and %s", first, ended, p.left, c.neverBefore, c.begin, c.ended)
				}
			})
		})
	}
}
