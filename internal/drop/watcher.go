package drop

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Watcher watches one folder. Run or Once is called by one goroutine at a time; Status and Wake at any time by anyone.
type Watcher struct {
	f     Folder
	taker Taker
	log   *slog.Logger
	wake  chan struct{}

	// Owned by Run and Once.
	files map[string]*file // in the drop folder, by name
	looks int              // how often the folder was looked through
	order []*file          // those of the last look, in the order in which they are taken
	work  map[string]*file // in the work folder, by name
	spare int64            // a number that was given out and not used; 0 = none
	once  bool             // a single run: see holdUp
	taken Outcome          // counts since the start

	mu     sync.Mutex
	status Status // guarded by mu
}

// New returns a watcher for a folder, which need not exist yet. An error is a Folder that makes no sense.
func New(f Folder, t Taker, log *slog.Logger) (*Watcher, error) {
	f, err := f.prepared()
	if err != nil {
		return nil, err
	}
	return &Watcher{
		f: f, taker: t, log: log.With("folder", f.Path), wake: make(chan struct{}, 1),
		files: map[string]*file{}, work: map[string]*file{}, status: Status{Path: f.Path},
	}, nil
}

// Run watches until ctx ends, and returns nil then. It begins with what an earlier process left in work.
func (w *Watcher) Run(ctx context.Context) error {
	e := newEvents(w.f.Path, w.log)
	defer e.close()
	w.once = false
	rest := firstRest
	for ctx.Err() == nil {
		e.follow() // before the look: what comes after it must make a hint
		l := w.look(ctx)
		if pause(ctx, w.delay(l), rest, w.wake, e.hints) {
			rest = min(2*rest, glance)
		} else {
			rest = firstRest
		}
	}
	return nil
}

// Once takes what lies in the folder and returns what it took and what it left. It waits for files that may settle by themselves, at
// most MaxWait, and not for those that somebody has open. The error is what keeps the folder, or a drop, from being dealt with.
func (w *Watcher) Once(ctx context.Context) (Outcome, error) {
	w.once = true
	before, begin := w.taken, w.f.Now()
	for {
		l := w.look(ctx)
		out := Outcome{
			Read: w.taken.Read - before.Read, Rejected: w.taken.Rejected - before.Rejected,
			Waiting: slices.Concat(l.waiting, l.never),
		}
		if err := ctx.Err(); err != nil {
			return out, err
		}
		if l.problem != nil || !l.soon || w.f.Now().Sub(begin) >= w.f.MaxWait {
			return out, l.problem
		}
		pause(ctx, w.delay(l), glance, nil, nil)
	}
}

// Wake asks for a look soon: a hint, never needed.
func (w *Watcher) Wake() {
	select {
	case w.wake <- struct{}{}:
	default: // one is on its way already
	}
}

// Status returns what the last look found. Its list is for all who ask, to be read only.
func (w *Watcher) Status() Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status
}

// publish makes a look's findings the status, and logs what changed.
func (w *Watcher) publish(l *look) {
	problem := ""
	if l.problem != nil {
		problem = l.problem.Error()
	}
	slices.SortFunc(l.never, func(a, b Waiting) int { return cmp.Compare(a.Name, b.Name) })
	w.mu.Lock()
	was := w.status.Problem
	if problem != was {
		w.status.Problem, w.status.Since = problem, l.now
	}
	w.status.Looked, w.status.Waiting = l.now, slices.Concat(l.waiting, l.never)
	w.mu.Unlock()
	switch problem {
	case was:
	case "":
		w.log.Info("drop folder is well again")
	default:
		w.log.Warn("drop folder in trouble", "problem", problem)
	}
}

// delay returns how long to wait before the next look, when nobody hints at one.
func (w *Watcher) delay(l *look) time.Duration {
	switch wait := l.settles.Sub(l.now); {
	case !l.soon:
		return w.f.Scan
	case l.settles.IsZero():
		return min(glance, w.f.Scan)
	default: // what has settled is taken at once, and not with the next glance
		return min(glance, w.f.Scan, wait)
	}
}

// pause waits for d, or for a hint (nil = there are none), and reports whether there was one. Hints count only after a rest: a file that
// grows makes thousands of them.
func pause(ctx context.Context, d, rest time.Duration, wake, event <-chan struct{}) (hinted bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	first := time.NewTimer(min(d, rest))
	defer first.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-first.C:
	}
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-wake:
		return true
	case <-event:
		return true
	}
	return false
}
