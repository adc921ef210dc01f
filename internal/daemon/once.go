package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gondola/internal/outbox"
	"gondola/internal/store"
)

// Outcome is what Once did, and how it ended.
type Outcome struct {
	Drops     int    `json:"drops"`            // read or rejected
	Rejected  int    `json:"rejected"`         // of them
	Issues    int    `json:"issues"`           // in them
	Held      int    `json:"held"`             // exports that the brake holds, whenever they came
	HeldRows  int    `json:"held_rows"`        // rows that it holds of shelves
	Documents int    `json:"documents"`        // that were to be sent
	Verified  int    `json:"verified"`         // of them, those that arrived
	Paused    int    `json:"paused,omitempty"` // of them, those that wait for the end of a pause
	Remote    string `json:"remote,omitempty"`
}

// Once does everything there is to do: takes what lies in the drop folders (waiting for it to settle), plans every store, sends,
// and writes the answers. It ends when nothing is left that it could do now.
func (h *House) Once(ctx context.Context) (Outcome, error) {
	var out Outcome
	h.hurryAlarms()
	before, err := h.store.Newest(ctx)
	if err != nil {
		return out, err
	}
	var errs []error
	for _, w := range h.watchers {
		if _, err := w.Once(ctx); err != nil {
			errs = append(errs, fmt.Errorf("drop folder %s: %w", w.folder, err))
		}
	}
	if err := h.startSchedules(ctx); err != nil {
		return out, err
	}
	for _, t := range h.timetables {
		// A slot that comes while we are at it is this one.
		slot := h.now()
		full := false
		if last, err := h.store.LastSlot(ctx, t.name); err == nil {
			_, full = t.plan.Last(slot, last)
		}
		if t.full && !full {
			continue
		}
		if err := h.store.RecordSlot(ctx, t.name, slot, t.targets, t.full); err != nil {
			return out, err
		}
	}
	// The alarm hears of the beginning while the work goes on, and of the end once it is done.
	begun := make(chan error, 1)
	go func() { begun <- h.tellAlarms(ctx, true) }()
	out, err = h.finish(ctx, before)
	errs = append(errs, err, h.takeOrders(ctx, &out), h.handOver(ctx, true), h.reportWatch(ctx), <-begun, h.lookForAlarms(ctx))
	return out, errors.Join(errs...)
}

// PushNow does what Push asks for itself: it plans and sends at once, and takes no drops.
func (h *House) PushNow(ctx context.Context, a Ask) (Outcome, error) {
	before, err := h.store.Newest(ctx)
	if err != nil {
		return Outcome{}, err
	}
	h.hurryAlarms()
	if err := h.Push(ctx, a); err != nil {
		return Outcome{}, err
	}
	out, err := h.finish(ctx, before)
	return out, errors.Join(err, h.lookForAlarms(ctx))
}

// finish plans what is due, sends it, writes the answers, and counts what was done since the drop numbered before.
func (h *House) finish(ctx context.Context, before int64) (out Outcome, err error) {
	err = h.askJobs(ctx) // what is known to have ended keeps nothing back
	report, sendErr := h.sendAll(ctx)
	err = errors.Join(err, sendErr, h.askJobs(ctx), h.writeReceipts(ctx), h.tidy(ctx))
	return out, errors.Join(err, h.count(ctx, before, report, &out))
}

// sendAll plans and flushes until nothing is due now. It plans again after files have arrived: a store whose files were still on
// their way got no plan before.
func (h *House) sendAll(ctx context.Context) (sum outbox.Report, err error) {
	for {
		planErr := h.planDue(ctx)
		r, flushErr := h.flushAll(ctx)
		arrived := len(r.Arrived) > 0
		r.Arrived, r.Failures = append(sum.Arrived, r.Arrived...), append(sum.Failures, r.Failures...)
		sum = r
		if err := errors.Join(planErr, flushErr); err != nil || !arrived {
			return sum, err
		}
	}
}

// flushAll flushes until nothing is due now.
func (h *House) flushAll(ctx context.Context) (outbox.Report, error) {
	var sum outbox.Report
	for {
		r, err := h.flush(ctx)
		sum.Attempted += r.Attempted
		sum.Arrived = append(sum.Arrived, r.Arrived...)
		sum.Held, sum.Dial, sum.Failures = r.Held, r.Dial, append(sum.Failures, r.Failures...)
		if err != nil || ctx.Err() != nil || r.Attempted == 0 {
			return sum, err
		}
	}
}

// count fills in what was done since the drop numbered before.
func (h *House) count(ctx context.Context, before int64, r outbox.Report, out *Outcome) error {
	drops, err := h.store.DropsAfter(ctx, before)
	if err != nil {
		return err
	}
	for _, d := range drops {
		out.Drops++
		out.Issues += issueCount(d.Outcome.Counts)
		if d.State == store.DropRejected {
			out.Rejected++
		}
	}
	held, err := h.HeldExports(ctx)
	if err != nil {
		return err
	}
	out.Held = len(held)
	rows, err := h.HeldFindings(ctx)
	if err != nil {
		return err
	}
	for _, f := range rows {
		out.HeldRows += f.Count
	}
	waiting, err := h.store.Waiting(ctx)
	if err != nil {
		return err
	}
	out.Verified, out.Documents = len(r.Arrived), len(r.Arrived)+len(waiting)
	pauses, err := h.Paused(ctx)
	if err != nil {
		return err
	}
	waiting = slices.DeleteFunc(waiting, func(d store.Delivery) bool {
		_, paused := PauseOf(pauses, parseTarget(d.Target))
		return paused
	})
	out.Paused = out.Documents - len(r.Arrived) - len(waiting)
	switch {
	case r.Held != nil:
		out.Remote = r.Held.Text
	case r.Dial != nil:
		out.Remote = r.Dial.Error()
	case len(r.Failures) > 0:
		out.Remote = r.Failures[0].Err.Error()
	case len(waiting) > 0:
		out.Remote = waiting[0].Error
		if out.Remote == "" {
			out.Remote = "the next attempt is at " + waiting[0].Next.In(h.zone).Format(time.DateTime)
		}
	}
	return nil
}
