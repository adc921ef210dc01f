package platform

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Priority says who goes first when requests wait for the limiter. The lower one goes first.
type Priority int

// The priorities.
const (
	PriorityOrders Priority = iota // an order that comes late is cooked late
	PriorityJobs                   // what was sent, and what became of it
	PriorityAudit                  // looking, which can always wait
)

// DefaultPerMinute is how many requests a minute are made. More than 60 from one address get it blocked [doc]; the distance is for
// requests that leave evenly and arrive in a bunch.
const DefaultPerMinute = 50

const (
	// mostPerMinute is what must never be exceeded in any minute, whenever it begins [doc: 60].
	mostPerMinute = 60
	// maxBurst is how many requests may leave at once after a quiet time: one order that somebody waits for, and what belongs to it.
	maxBurst = 5
	// patience is how long a request waits before it goes ahead of all others, so that a busy hour of orders can't keep jobs and
	// audits from ever going on.
	patience = 10 * time.Minute
)

// errClosed says that the client is not used any more.
var errClosed = errors.New("the client was closed")

// limiter spaces requests out. Tokens come evenly, a few can be saved up, and it begins with none: so a process that is killed and
// started again and again makes no more requests than one that runs on, though it knows nothing of those before it. In any minute,
// also one with a restart in it, there are at most rate + burst requests, and the two are chosen so that this stays below 60.
//
// It counts elapsed time, not the time of day: a clock that is set changes nothing.
type limiter struct {
	gap   time.Duration // between two tokens
	burst int

	mu      sync.Mutex
	next    time.Time // when the bucket will be one token further from empty: GCRA's theoretical arrival time
	paused  time.Time // nothing leaves before
	waiting []*waiter
	timer   *time.Timer
	closed  bool
}

// waiter is a request that waits.
type waiter struct {
	priority Priority
	since    time.Time
	granted  chan struct{} // closed when it may go, or when the limiter was closed
	refused  bool          // written before granted is closed
}

func newLimiter(perMinute int) *limiter {
	if perMinute <= 0 {
		perMinute = DefaultPerMinute
	}
	l := &limiter{gap: gapOf(perMinute), burst: burstOf(perMinute)}
	l.next = time.Now().Add(time.Duration(l.burst) * l.gap)
	return l
}

// gapOf returns the time between two requests, rounded up.
func gapOf(perMinute int) time.Duration {
	return (time.Minute + time.Duration(perMinute) - 1) / time.Duration(perMinute)
}

// burstOf returns how many requests may leave at once.
func burstOf(perMinute int) int { return min(max(mostPerMinute-1-perMinute, 1), maxBurst) }

// wait returns when a request may leave. It returns the context's error, or errClosed.
func (l *limiter) wait(ctx context.Context, p Priority) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := &waiter{priority: p, since: time.Now(), granted: make(chan struct{})}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return errClosed
	}
	l.waiting = append(l.waiting, w)
	l.grant()
	l.mu.Unlock()
	select {
	case <-w.granted:
	case <-ctx.Done():
		l.mu.Lock()
		defer l.mu.Unlock()
		l.forget(w) // where it was granted just now, the token is spent, which only makes the next one later
		return ctx.Err()
	}
	if w.refused {
		return errClosed
	}
	return nil
}

// forget takes a request out of the queue, where it may not be any more. The lock is held.
func (l *limiter) forget(w *waiter) {
	if i := slices.Index(l.waiting, w); i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
	}
}

// grant lets go who may, and sets the timer for the next one. The lock is held.
func (l *limiter) grant() {
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	for len(l.waiting) > 0 && !l.closed {
		now := time.Now()
		at := l.next.Add(-time.Duration(l.burst-1) * l.gap)
		if at.Before(l.paused) {
			at = l.paused
		}
		if d := at.Sub(now); d > 0 {
			l.timer = time.AfterFunc(d, func() {
				l.mu.Lock()
				defer l.mu.Unlock()
				l.grant()
			})
			return
		}
		if l.next.Before(now) {
			l.next = now
		}
		l.next = l.next.Add(l.gap)
		w := l.first(now)
		l.forget(w)
		close(w.granted)
	}
}

// first returns who goes next: the most urgent one, of these the one that came first. Nobody is more urgent than who has waited out its
// patience.
func (l *limiter) first(now time.Time) *waiter {
	best, rank := l.waiting[0], Priority(0)
	for i, w := range l.waiting {
		r := w.priority
		if now.Sub(w.since) >= patience {
			r = -1
		}
		if i == 0 || r < rank {
			best, rank = w, r
		}
	}
	return best
}

// pause keeps all requests back for a time. Tokens are not saved up meanwhile: whoever asked for a pause wants no burst behind it.
func (l *limiter) pause(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	until := time.Now().Add(d)
	if !until.After(l.paused) {
		return
	}
	l.paused = until
	if empty := until.Add(time.Duration(l.burst-1) * l.gap); l.next.Before(empty) {
		l.next = empty
	}
	l.grant()
}

// pausedFor returns how long nothing leaves from now on.
func (l *limiter) pausedFor() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(time.Until(l.paused), 0)
}

// close refuses everybody who waits and will come.
func (l *limiter) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.timer != nil {
		l.timer.Stop()
	}
	for _, w := range l.waiting {
		w.refused = true
		close(w.granted)
	}
	l.waiting = nil
}

// SweepTime returns how long n requests take at so many a minute when nothing else is asked for; perMinute 0 is the default.
func SweepTime(perMinute, n int) time.Duration {
	if perMinute <= 0 {
		perMinute = DefaultPerMinute
	}
	return time.Duration(n) * (time.Minute / time.Duration(perMinute))
}
