package outbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// session is the work done over one connection.
type session struct {
	*flush
	remote Remote
	lost   atomic.Bool // the connection is gone: begin nothing more over it
}

// work sweeps, looks and sends. It returns the deliveries that were not begun because the connection was lost or ctx ended.
func (s *session) work(ctx context.Context, looks []Pending, due []Delivery) ([]Delivery, error) {
	rests := s.sweep(ctx, due)
	if s.o.parallel() > 1 {
		defer s.clearBeside(ctx, rests)()
	} else {
		s.clear(ctx, ctx, rests)
	}
	if err := s.look(ctx, looks, due); err != nil {
		return nil, err
	}
	lanes := byTarget(due)
	left := make([][]Delivery, len(lanes)) // one element a lane, so that lanes share nothing
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(s.o.parallel())
	for i, lane := range lanes {
		group.Go(func() error {
			for n, d := range lane {
				if gctx.Err() != nil || s.lost.Load() {
					left[i] = lane[n:]
					return nil
				}
				leave, err := s.remote.Room(gctx, d)
				if err != nil {
					s.noteLost(err)
					left[i] = lane[n:]
					return nil
				}
				err = s.send(gctx, d)
				leave()
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := group.Wait()
	return slices.Concat(left...), err
}

// byTarget splits deliveries, which come in the order of their ids, into one lane a target: within a target the order is kept.
func byTarget(due []Delivery) [][]Delivery {
	var lanes [][]Delivery
	index := make(map[string]int)
	for _, d := range due {
		i, ok := index[d.Target]
		if !ok {
			i = len(lanes)
			index[d.Target] = i
			lanes = append(lanes, nil)
		}
		lanes[i] = append(lanes[i], d)
	}
	return lanes
}

// sweep looks for each folder, and returns what clears them of what earlier attempts left. Leftovers take room and harm nobody, so a
// server that refuses does not keep anything from being sent, and nothing waits for that.
func (s *session) sweep(ctx context.Context, due []Delivery) []func(context.Context) {
	names := make(map[string][]string)
	for _, d := range due {
		names[d.Folder] = append(names[d.Folder], d.Name)
	}
	folders := slices.Sorted(maps.Keys(names))
	rests := make([]func(context.Context), len(folders))
	var group errgroup.Group
	group.SetLimit(s.o.parallel())
	for i, folder := range folders {
		group.Go(func() error {
			rests[i] = func(context.Context) {}
			if s.lost.Load() || ctx.Err() != nil {
				return nil
			}
			rest, err := s.remote.Sweep(ctx, folder, names[folder])
			if err != nil {
				s.unswept(folder, err)
				return nil
			}
			rests[i] = func(ctx context.Context) {
				if err := rest(ctx); err != nil {
					s.unswept(folder, err)
				}
			}
			return nil
		})
	}
	_ = group.Wait() // nothing of it is an error here
	return rests
}

// clearBeside clears while files are sent, and returns what waits for the end of it. The stop cuts a sweep only then: with it goes the
// connection, which files need that are still on their way.
func (s *session) clearBeside(ctx context.Context, rests []func(context.Context)) (wait func()) {
	patient, end := context.WithCancel(context.WithoutCancel(ctx))
	var clearing sync.WaitGroup
	clearing.Go(func() { s.clear(ctx, patient, rests) })
	return func() {
		defer end()
		defer context.AfterFunc(ctx, end)()
		clearing.Wait()
	}
}

// clear does what is left of sweeping, a few folders at once: most of what a server does at once are files. When ctx ends nothing more of
// it begins; what has begun may go on for as long as patient does.
func (s *session) clear(ctx, patient context.Context, rests []func(context.Context)) {
	var group errgroup.Group
	group.SetLimit(max(s.o.parallel()/4, 1))
	for _, rest := range rests {
		group.Go(func() error {
			if !s.lost.Load() && ctx.Err() == nil {
				rest(patient)
			}
			return nil
		})
	}
	_ = group.Wait()
}

func (s *session) unswept(folder string, err error) {
	s.noteLost(err)
	s.log.Debug("sweep leftovers", "folder", folder, "err", err)
}

func (s *session) noteLost(err error) {
	if errors.Is(err, ErrLost) {
		s.lost.Store(true)
	}
}

// send makes one attempt and writes down how it went. It returns an error only when the queue does. The books are kept even while
// the daemon stops: what the server has and the queue does not know would be sent twice.
func (s *session) send(ctx context.Context, d Delivery) error {
	books := context.WithoutCancel(ctx)
	ok, err := s.o.Queue.Begin(ctx, d.ID, s.o.now())
	if err != nil {
		return fmt.Errorf("begin delivery %d: %w", d.ID, err)
	}
	if !ok {
		return nil
	}
	s.count(func(r *Report) { r.Attempted++ })
	work, stop := s.graceful(ctx)
	defer stop()
	receipt, err := s.remote.Replace(work, d)
	switch {
	case err == nil:
		return s.verified(books, d, receipt)
	case work.Err() != nil:
		s.log.Info("delivery cut by the stop, sent again at the next start", "delivery", d.ID, "name", d.Name, "err", err)
		s.count(func(r *Report) { r.Cut++ })
		return nil
	default:
		s.noteLost(err)
		return s.failed(books, d, failureOf(err))
	}
}

// graceful returns a context that outlives ctx by the grace period.
func (s *session) graceful(ctx context.Context) (context.Context, func()) {
	grace := s.o.Grace
	if grace <= 0 {
		grace = DefaultGrace
	}
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-work.Done():
		}
	})
	return work, func() { stop(); cancel() }
}

func (s *session) verified(ctx context.Context, d Delivery, r Receipt) error {
	if err := s.o.Queue.Verified(ctx, d.ID, r); err != nil {
		return fmt.Errorf("record the receipt of delivery %d: %w", d.ID, err)
	}
	s.count(func(rep *Report) { rep.Arrived = append(rep.Arrived, Arrived{Delivery: d, Receipt: r}) })
	s.log.Debug("delivery verified", "delivery", d.ID, "target", d.Target, "name", d.Name, "rows", d.Rows, "size", r.Size,
		"proof", string(r.Proof), "way", r.Way, "attempt", d.Attempts+1)
	return nil
}

// failed defers or parks a delivery, by the class of its failure.
func (s *session) failed(ctx context.Context, d Delivery, failure *Failure) error {
	now := s.o.now()
	failed := Failed{Delivery: d, Class: failure.Class, Err: failure}
	if failure.Class.Parks() {
		if err := s.o.Queue.Parked(ctx, d.ID, failure.Class, text(failure)); err != nil {
			return fmt.Errorf("park delivery %d: %w", d.ID, err)
		}
		s.count(func(r *Report) { r.Parked++; r.Failures = append(r.Failures, failed) })
		return nil
	}
	failed.Next = now.Add(s.o.Backoff.Delay(failure.Class, d.Attempts))
	if err := s.o.Queue.Deferred(ctx, d.ID, failed.Next, failure.Class, text(failure)); err != nil {
		return fmt.Errorf("defer delivery %d: %w", d.ID, err)
	}
	s.count(func(r *Report) { r.Deferred++; r.Failures = append(r.Failures, failed) })
	if failure.Class != Credentials {
		return nil
	}
	// Some servers take the login and refuse it later. The rest must not knock again.
	s.lost.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hold(ctx, failure, now)
}

func (s *session) count(change func(*Report)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.report)
}
