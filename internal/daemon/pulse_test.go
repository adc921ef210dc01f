package daemon

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestPulse tells loops of what is written within a second, and lets them sleep otherwise.
func TestPulse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pulse
		var version atomic.Int64
		var broken atomic.Bool
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			p.run(ctx, func(context.Context) (int64, error) {
				if broken.Load() {
					return 0, errors.New("disk I/O error")
				}
				return version.Load(), nil
			})
		}()
		heard := func(c <-chan struct{}) bool {
			select {
			case <-c:
				return true
			default:
				return false
			}
		}
		synctest.Wait()
		quiet := p.next()
		time.Sleep(time.Hour)
		if heard(quiet) {
			t.Error("woke although nobody wrote anything")
		}
		version.Add(1)
		time.Sleep(lookEvery)
		synctest.Wait()
		if !heard(quiet) {
			t.Error("slept although somebody wrote something")
		}
		quiet = p.next()
		broken.Store(true)
		time.Sleep(lookEvery)
		synctest.Wait()
		if !heard(quiet) {
			t.Error("slept although nobody knows whether somebody wrote something")
		}
		stop()
		<-done
	})
}

// TestLoopSleeps works when something was written, when something is due, and now and then.
func TestLoopSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &House{now: time.Now}
		ctx, stop := context.WithCancel(t.Context())
		var turns atomic.Int64
		done := make(chan error, 1)
		go func() {
			done <- h.loop(ctx, loop{
				name: "test", every: lookEvery, work: func(context.Context) error { turns.Add(1); return nil },
			})
		}()
		after := func(d time.Duration, want int64) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if got := turns.Load(); got != want {
				t.Errorf("%d turns, want %d", got, want)
			}
		}
		after(quietEvery/2, 1)
		h.pulse.beat()
		after(time.Millisecond, 2)
		h.pulse.beat() // too soon: it has just looked, and looks again when its time has come
		after(lookEvery/2, 2)
		after(lookEvery, 3)
		after(quietEvery+time.Millisecond, 4)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestInStep lets whoever waits wake at the same moments, and nobody long before or after their time.
func TestInStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, offset := range []time.Duration{0, time.Millisecond, 499 * time.Millisecond, 500 * time.Millisecond, 999 * time.Millisecond} {
			time.Sleep(offset)
			for _, d := range []time.Duration{lookEvery, configEvery, folderEvery, quietEvery} {
				wait := inStep(d)
				if at := time.Now().Add(wait); !at.Equal(at.Truncate(lookEvery)) {
					t.Errorf("%s after %s: wakes at %s", d, offset, at.Format("05.000"))
				}
				if (wait - d).Abs() > lookEvery/2 {
					t.Errorf("%s after %s: waits for %s", d, offset, wait)
				}
			}
		}
	})
}
