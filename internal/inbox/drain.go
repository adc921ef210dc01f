package inbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Queue is what was kept and not handled yet.
type Queue interface {
	// DueEvents returns events that are to be handed on: new ones in the order in which they came, then those that failed before and
	// whose time has come.
	DueEvents(ctx context.Context, now time.Time, most int) ([]Event, error)
	// DeferEvent records that handing an event on failed.
	DeferEvent(ctx context.Context, id int64, f Failure) error
	// PutEventAside ends an event that can't be handled.
	PutEventAside(ctx context.Context, id int64, a *Aside, at time.Time) error
}

// Failure is an attempt at handing an event on that failed.
type Failure struct {
	Attempts int // with this one
	Next     time.Time
	Text     string
}

// Aside says that an event can never be handled, so it is put aside where people see it.
type Aside struct {
	Reason string // one of a fixed few, such as malformed
	Err    error  // without a word of the event's body
}

// Error implements error.
func (a *Aside) Error() string {
	if a.Err == nil {
		return a.Reason
	}
	return fmt.Sprintf("%s: %v", a.Reason, a.Err)
}

// Unwrap implements errors.Unwrap.
func (a *Aside) Unwrap() error { return a.Err }

// ReasonFailed is why an event is put aside that could not be handled however often it was tried.
const ReasonFailed = "failed"

// Drain hands on what was kept until it is handled.
type Drain struct {
	Queue Queue
	// Handle handles events and, in the same transaction, marks them as handled. It may be given an event again that it handled. Of
	// several that fail together each is tried alone; it returns an Aside for one that can never be handled.
	Handle func(ctx context.Context, events []Event) error
	Log    *slog.Logger
	Now    func() time.Time
}

const (
	drainBatch = 25
	fewBytes   = 1 << 20 // of bodies: a queue may hand out fewer events where they are large
	// An event that fails is tried again after a second, then twice as long each time; all of it takes a day.
	firstRetry   = time.Second
	lastRetry    = 30 * time.Minute
	mostAttempts = 58
)

// Flush hands on everything that is due. An event that fails keeps no other waiting. The few that come meanwhile wait for the next time:
// one by one they would cost a transaction each, for which those that come next would wait. The error is of the queue itself.
func (d *Drain) Flush(ctx context.Context) error {
	for {
		events, err := d.Queue.DueEvents(ctx, d.Now(), drainBatch)
		if err != nil {
			return err
		}
		size := 0
		for _, e := range events {
			size += len(e.Body)
		}
		if err := d.handle(ctx, events); err != nil {
			return err
		}
		if len(events) < drainBatch && size < fewBytes {
			return nil
		}
	}
}

func (d *Drain) handle(ctx context.Context, events []Event) error {
	if len(events) == 0 {
		return nil
	}
	err := d.Handle(ctx, events)
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	if len(events) == 1 {
		return d.failed(ctx, events[0], err)
	}
	for _, e := range events {
		if err := d.handle(ctx, []Event{e}); err != nil {
			return err
		}
	}
	return nil
}

// failed writes down what became of an event that could not be handled. Where that can't be written down either, it is not the event's
// fault: nothing is counted against it.
func (d *Drain) failed(ctx context.Context, e Event, err error) error {
	attempts := e.Attempts + 1
	aside, is := errors.AsType[*Aside](err)
	if !is && attempts >= mostAttempts {
		aside, is = &Aside{ReasonFailed, err}, true
	}
	if is {
		d.Log.Error("event put aside", "event", e.ID, "reason", aside.Reason, "error", textOf(aside.Err))
		return d.Queue.PutEventAside(ctx, e.ID, aside, d.Now())
	}
	if attempts == 1 {
		d.Log.Warn("event not handled, tried again later", "event", e.ID, "error", err.Error())
	}
	wait := lastRetry
	if attempts < 12 {
		wait = min(lastRetry, firstRetry<<(attempts-1))
	}
	return d.Queue.DeferEvent(ctx, e.ID, Failure{Attempts: attempts, Next: d.Now().Add(wait), Text: err.Error()})
}
