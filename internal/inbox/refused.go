package inbox

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// logEvery is how often refused calls are logged, for each reason: who hammers at the door fills no log.
	logEvery = time.Minute
	// countEvery is how often they are counted where others can see it.
	countEvery = 10 * time.Second
)

// refusals counts refused calls.
type refusals struct {
	log *slog.Logger
	now func() time.Time

	mu       sync.Mutex
	byReason map[string]*refusal // guarded by mu
}

// refusal is what is known of calls that were refused for one reason.
type refusal struct {
	logged    time.Time // when last
	unlogged  int64
	uncounted Refused
}

// note counts a refused call. The log tells of the first and then of how many there were, with the address of the last; never of
// what was sent.
func (r *refusals) note(reason, remote string) {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.byReason[reason]
	if f == nil {
		f = &refusal{}
		r.byReason[reason] = f
	}
	f.unlogged++
	u := &f.uncounted
	u.Reason, u.Count, u.Last, u.Remote = reason, u.Count+1, now, remote
	if f.logged.IsZero() || now.Sub(f.logged) >= logEvery || now.Before(f.logged) {
		r.log.Warn("webhook call refused", "reason", reason, "remote", remote, "times", f.unlogged)
		f.logged, f.unlogged = now, 0
	}
}

// take returns what was not counted yet.
func (r *refusals) take() []Refused {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []Refused
	for _, f := range r.byReason {
		if f.uncounted.Count > 0 {
			all = append(all, f.uncounted)
			f.uncounted = Refused{}
		}
	}
	return all
}

// putBack takes back what could not be counted.
func (r *refusals) putBack(all []Refused) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range all {
		u := &r.byReason[one.Reason].uncounted
		one.Count += u.Count
		if u.Count > 0 {
			one.Last, one.Remote = u.Last, u.Remote
		}
		*u = one
	}
}

// countLoop counts refused calls now and then, and once more at the end.
func (s *Server) countLoop(ctx context.Context) {
	tick := time.NewTicker(countEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.count(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			s.count(last)
			cancel()
			return
		}
	}
}

func (s *Server) count(ctx context.Context) {
	all := s.refusals.take()
	if len(all) == 0 {
		return
	}
	if err := s.c.Keeper.CountRefused(ctx, all); err != nil {
		s.refusals.putBack(all) // a disk that is full takes them later
	}
}
