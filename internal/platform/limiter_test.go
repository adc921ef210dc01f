package platform

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// busiest returns how many of some times lie within one minute, whichever it is.
func busiest(times []time.Time) int {
	most, from := 0, 0
	for i, at := range times {
		for at.Sub(times[from]) >= time.Minute {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

// TestNeverMoreThanSixtyInAnyMinute asks as fast as it can, rests, and starts again and again.
func TestNeverMoreThanSixtyInAnyMinute(t *testing.T) {
	for _, perMinute := range []int{1, 7, 50, 55, 58, 59} {
		synctest.Test(t, func(t *testing.T) {
			var times []time.Time
			ask := func(l *limiter, n int) {
				for range n {
					if err := l.wait(t.Context(), PriorityOrders); err != nil {
						t.Fatal(err)
					}
					times = append(times, time.Now())
				}
			}
			l := newLimiter(perMinute)
			ask(l, 3*perMinute)
			time.Sleep(10 * time.Minute) // all that can be saved up is
			ask(l, 2*perMinute)
			for range 20 { // killed and started again, also right after a burst
				time.Sleep(3 * time.Minute)
				ask(l, maxBurst)
				l.close()
				l = newLimiter(perMinute)
				ask(l, perMinute/2+1)
				l.close()
				l = newLimiter(perMinute)
			}
			if got := busiest(times); got > mostPerMinute-1 {
				t.Errorf("%d a minute: %d in one", perMinute, got)
			}
			l.close()
		})
	}
}

// TestTheRateIsReached looks that nothing is wasted, either.
func TestTheRateIsReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, start := newLimiter(50), time.Now()
		defer l.close()
		for range 500 {
			if err := l.wait(t.Context(), PriorityAudit); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := time.Since(start), SweepTime(50, 500); got > want {
			t.Errorf("500 requests took %s, want %s", got, want)
		}
	})
}

func TestOrdersGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(50)
		defer l.close()
		went := make(chan string, 6)
		for _, p := range []Priority{PriorityAudit, PriorityJobs, PriorityOrders} {
			for i := range 2 {
				go func() {
					if l.wait(t.Context(), p) == nil {
						went <- fmt.Sprint(p, ".", i)
					}
				}()
				synctest.Wait() // so that they come in this order
			}
		}
		var order []string
		for range cap(went) {
			order = append(order, <-went)
		}
		if want := []string{"0.0", "0.1", "1.0", "1.1", "2.0", "2.1"}; !slices.Equal(order, want) {
			t.Errorf("order %v, want %v", order, want)
		}
	})
}

// TestNobodyWaitsForEver has orders take every token, and an audit that waits among them.
func TestNobodyWaitsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, start := newLimiter(50), time.Now()
		defer l.close()
		ctx, stop := context.WithCancel(t.Context())
		for range 3 {
			go func() {
				for l.wait(ctx, PriorityOrders) == nil { //nolint:revive // taking is all
				}
			}()
		}
		if err := l.wait(t.Context(), PriorityAudit); err != nil {
			t.Fatal(err)
		}
		if got := time.Since(start); got < patience || got > patience+time.Minute {
			t.Errorf("the audit waited %s, want %s", got, patience)
		}
		stop()
		synctest.Wait()
	})
}

func TestWaitingCanBeStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.wait(ctx, PriorityOrders); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		// Its place is free: the next one waits for the first token, not for the second.
		start := time.Now()
		if err := l.wait(t.Context(), PriorityJobs); err != nil || time.Since(start) > time.Minute {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		closed := make(chan error)
		go func() { closed <- l.wait(t.Context(), PriorityOrders) }()
		synctest.Wait()
		l.close()
		if err := <-closed; !errors.Is(err, errClosed) {
			t.Errorf("error %v of a closed limiter", err)
		}
		if err := l.wait(t.Context(), PriorityOrders); !errors.Is(err, errClosed) {
			t.Errorf("error %v of a closed limiter", err)
		}
	})
}

// TestAPauseEndsWithoutABurst looks that all wait, also for the shorter of two pauses, and that what waited leaves evenly.
func TestAPauseEndsWithoutABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(50)
		defer l.close()
		time.Sleep(time.Minute)
		start := time.Now()
		l.pause(30 * time.Second)
		l.pause(10 * time.Second)
		if got := l.pausedFor(); got != 30*time.Second {
			t.Errorf("paused for %s", got)
		}
		for i := range 4 {
			if err := l.wait(t.Context(), PriorityOrders); err != nil {
				t.Fatal(err)
			}
			if got, want := time.Since(start), 30*time.Second+time.Duration(i)*l.gap; got != want {
				t.Errorf("request %d left after %s, want %s", i, got, want)
			}
		}
	})
}
