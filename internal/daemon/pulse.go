package daemon

import (
	"context"
	"runtime/debug"
	"sync"
	"time"
)

// calmLooks is how many looks in a row must find nothing new before memory that is not used any more goes back to the system.
const calmLooks = 20

// pulse asks the store, for all loops, whether anything was written: it costs next to nothing, so the machine sleeps while nothing
// happens. It is a hint: a loop looks for work now and then without it.
type pulse struct {
	mu      sync.Mutex
	changed chan struct{} // closed when something was written; nil before the first loop waits. Guarded by mu
}

// next returns what is closed once something was written after this call, and perhaps for what was written shortly before.
func (p *pulse) next() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.changed == nil {
		p.changed = make(chan struct{})
	}
	return p.changed
}

// beat tells everybody who waits.
func (p *pulse) beat() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
}

// run asks until ctx ends. A store that can't be asked may have been written to.
func (p *pulse) run(ctx context.Context, version func(context.Context) (int64, error)) {
	var last int64
	calm := 0 // looks in a row at which nothing was written
	for {
		// A question that nobody can give up needs no goroutine that waits for it.
		now, err := version(context.WithoutCancel(ctx))
		if err != nil || now != last {
			p.beat()
			calm = -1
		}
		last = now
		// What an export took is of use to others while there is none.
		if calm++; calm == calmLooks {
			debug.FreeOSMemory()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(inStep(lookEvery)):
		}
	}
}

// inStep returns about d, half a look more or less, so that everybody who waits wakes at the same moments: waking costs a machine at rest
// more than what is looked at. It is meant for times of at least [lookEvery].
func inStep(d time.Duration) time.Duration {
	now := time.Now()
	return now.Add(d).Round(lookEvery).Sub(now)
}
