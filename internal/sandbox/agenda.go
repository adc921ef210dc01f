package sandbox

import (
	"container/heap"
	"context"
	"math"
	"sync"
	"time"
)

// agenda carries out one thing after the other, each when its time has come. It runs on real time: the injected clock stamps, it
// does not tick.
type agenda struct {
	wake chan struct{} // has room for one; something was added

	mu   sync.Mutex
	list earliest[due] // guarded by mu
	n    int           // of things ever added: the order of those with one due time; guarded by mu
}

func newAgenda() *agenda { return &agenda{wake: make(chan struct{}, 1)} }

// due is one thing to be done.
type due struct {
	at time.Time
	n  int
	do func(ctx context.Context)
}

// Before reports whether d comes first.
func (d due) Before(other due) bool {
	return d.at.Before(other.at) || d.at.Equal(other.at) && d.n < other.n
}

// after adds something to be done once a while has passed. It never blocks.
func (a *agenda) after(wait time.Duration, do func(ctx context.Context)) {
	a.mu.Lock()
	a.n++
	heap.Push(&a.list, due{time.Now().Add(wait), a.n, do})
	a.mu.Unlock()
	select {
	case a.wake <- struct{}{}:
	default: // it is awake already
	}
}

// run does what is due until ctx ends. What is not due by then is forgotten.
func (a *agenda) run(ctx context.Context) {
	timer := time.NewTimer(math.MaxInt64)
	defer timer.Stop()
	for {
		do, wait := a.next()
		if do != nil {
			do(ctx)
			if ctx.Err() != nil {
				return
			}
			continue
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-a.wake:
		}
	}
}

// next takes what is due, or says how long nothing is.
func (a *agenda) next() (do func(context.Context), wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.list) == 0 {
		return nil, math.MaxInt64
	}
	if wait := time.Until(a.list[0].at); wait > 0 {
		return nil, wait
	}
	d, _ := heap.Pop(&a.list).(due) // nothing else is in there
	return d.do, 0
}
