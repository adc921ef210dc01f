package inbox

import (
	"context"
	"errors"
	"time"
)

// The group commit. Whoever calls while a transaction is on its way to the disk shares the next one.
const (
	maxBatch      = 256     // events in one transaction: other writers wait for it
	maxBatchBytes = 4 << 20 // of their bodies, at which no more are added
)

// waiting is an event whose sender waits for the answer.
type waiting struct {
	event Event
	done  chan error // takes one
}

// keep returns nil once the event is durable.
func (s *Server) keep(ctx context.Context, e Event) error {
	w := waiting{e, make(chan error, 1)}
	late := time.NewTimer(s.limits.keep)
	defer late.Stop()
	select {
	case s.queue <- w:
	case <-late.C:
		return errBusy
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-w.done:
		return err
	case <-late.C:
		return errBusy // it may be kept all the same: sent again, it is a repeat
	}
}

// keepLoop makes durable what comes until ctx ends. It is the only one that does.
func (s *Server) keepLoop(ctx context.Context) {
	for {
		var batch []waiting
		select {
		case <-ctx.Done():
			return
		case w := <-s.queue:
			batch = s.gather(w)
		}
		events := make([]Event, len(batch))
		for i, w := range batch {
			events[i] = w.event
		}
		within, cancel := context.WithTimeout(ctx, s.limits.keep)
		err := s.c.Keeper.AcceptEvents(within, events)
		cancel()
		s.came.Add(int64(len(batch)))
		for _, w := range batch {
			w.done <- err
		}
		if err == nil || !errors.Is(err, context.Canceled) {
			s.trouble("webhook", textOf(err))
		}
	}
}

// gather adds to an event those that wait beside it.
func (s *Server) gather(first waiting) []waiting {
	batch, size := []waiting{first}, len(first.event.Body)
	for len(batch) < maxBatch && size < maxBatchBytes {
		select {
		case w := <-s.queue:
			batch, size = append(batch, w), size+len(w.event.Body)
		default:
			return batch
		}
	}
	return batch
}
