package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"gondola/internal/outbox"
	"gondola/internal/store"
)

// How often the loops look for work. None needs to be told: each asks the store whether anything was written, which costs next to nothing,
// and looks closer if so.
const (
	lookEvery   = time.Second      // for slots, for what is due, for what other processes asked for
	answerEvery = time.Second      // for answers that are due
	folderEvery = 2 * time.Second  // for what the watchers see
	tidyEvery   = 12 * time.Hour   // for what is older than its retention
	quietEvery  = 15 * time.Second // nobody wrote anything since: for what comes by time alone
	restEvery   = 15 * time.Second // after trouble of our own, such as a full disk: it does not go away in a second
)

// loop is work that is done over and over.
type loop struct {
	name  string
	every time.Duration
	work  func(context.Context) error
	due   func() time.Time // optional: when there is something to do although nobody writes anything; zero = not known. Asked by the loop
}

// Run runs every loop until ctx ends, then finishes what is in flight and returns. Nothing that a loop meets ends it, a full disk
// from the first moment on included: the error is nil unless a loop can't go on at all.
func (h *House) Run(ctx context.Context) error { return h.start(ctx, nil).wait() }

// running is a house at its work. Its parts end with the context that it was started with, or each by itself.
type running struct{ loops, page, webhook *part }

// start begins everything that runs. A webhook that runs already, since before this house, goes on by its config.
func (h *House) start(ctx context.Context, webhook *part) *running {
	h.life.run(true)
	r := &running{loops: startPart(ctx, h.runLoops)}
	if h.page != nil {
		r.page = startPart(ctx, func(ctx context.Context) error {
			if err := h.page.run(ctx); err != nil {
				h.tell(Event{Kind: EventTrouble, Text: "page: " + err.Error()}) // sending goes on without it
			}
			return nil
		})
	}
	switch {
	case h.changeWebhook != nil:
		h.changeWebhook()
		h.changeWebhook, r.webhook = nil, webhook
	case h.webhook != nil:
		r.webhook = startPart(ctx, func(ctx context.Context) error { h.runWebhook(ctx); return nil })
	}
	return r
}

// wait returns when everything has ended. Loops that can't go on end the rest.
func (r *running) wait() error {
	err := r.loops.wait()
	for _, p := range []*part{r.page, r.webhook} {
		err = errors.Join(err, p.end())
	}
	return err
}

// part is work that goes on until it is ended.
type part struct {
	cancel context.CancelFunc
	done   chan struct{}
	err    error // once done is closed
}

func startPart(ctx context.Context, work func(context.Context) error) *part {
	ctx, cancel := context.WithCancel(ctx)
	p := &part{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.err = work(ctx)
	}()
	return p
}

func (p *part) wait() error {
	<-p.done
	p.cancel()
	return p.err
}

// end ends the work, lets it finish what is in flight, and returns when it has. There may be none.
func (p *part) end() error {
	if p == nil {
		return nil
	}
	p.cancel()
	return p.wait()
}

// loops lists the work of the house as a whole.
func (h *House) loops() []loop {
	return []loop{
		{name: "send", every: lookEvery, work: h.send, due: func() time.Time { return h.sendsNext }},
		{name: "jobs", every: lookEvery, work: h.askJobs, due: func() time.Time { return h.jobsNext }},
		{name: "inbox", every: lookEvery, work: h.drainInbox, due: func() time.Time { return h.eventsNext }},
		{name: "poll", every: lookEvery, work: h.poll, due: func() time.Time { return h.polled.next }},
		{name: ordersLoop, every: lookEvery, work: h.handOverOrders, due: func() time.Time { return h.ordersNext }},
		{name: "folders", every: folderEvery, work: h.reportWatch, due: h.now}, // no watcher writes down that it sees something
		{name: "tidy", every: tidyEvery, work: h.tidy},
		{name: "alarm", every: alarmEvery, work: h.lookForAlarms},
		{name: "audit", every: auditEvery, work: h.audit},
	}
}

// runLoops runs the loops until ctx ends.
func (h *House) runLoops(ctx context.Context) error {
	defer h.life.run(false)
	g, ctx := errgroup.WithContext(ctx)
	defer context.AfterFunc(ctx, h.life.end)()
	g.Go(func() error { h.pulse.run(ctx, h.store.Version); return nil })
	for _, w := range h.watchers {
		g.Go(func() error { return w.Run(ctx) })
	}
	for _, l := range h.loops() {
		g.Go(func() error { return h.loop(ctx, l) })
	}
	for folder := range h.answers {
		g.Go(func() error {
			return h.loop(ctx, loop{
				name: "answers", every: answerEvery, work: func(ctx context.Context) error { return h.writeReceiptsIn(ctx, folder) },
			})
		})
	}
	err := g.Wait()
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return err
}

// loop does its work over and over until ctx ends. Trouble is told when its words change, not at every try.
func (h *House) loop(ctx context.Context, l loop) error {
	last := ""
	for {
		wait := l.every
		written := h.pulse.next() // asked before the work, so that what is written meanwhile is looked at, too
		end := h.life.begin(l.name, h.now())
		err := l.work(ctx)
		end()
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil && last != "":
			h.log.Info("works again", "loop", l.name)
			last = ""
			h.troubles.note(l.name, "")
		case err != nil:
			if err.Error() != last {
				last = err.Error()
				h.troubles.note(l.name, last)
				h.tell(Event{Kind: EventTrouble, Text: fmt.Sprintf("%s: %s; it is tried again", l.name, last)})
			}
			wait = max(wait, restEvery)
		}
		if !pass(ctx, inStep(wait), nil) || !pass(ctx, l.quiet(h.now())-wait, written) {
			return nil
		}
	}
}

// pass waits for a time, or until something was written. It returns false when ctx ends.
func pass(ctx context.Context, wait time.Duration, written <-chan struct{}) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(wait):
	case <-written:
	}
	return true
}

// quiet returns how long nothing has to be looked at if nobody writes anything.
func (l loop) quiet(now time.Time) time.Duration {
	calm := inStep(quietEvery)
	if l.due == nil {
		return calm
	}
	if due := l.due(); !due.IsZero() {
		return min(calm, due.Sub(now))
	}
	return calm
}

// earlier returns the earlier of two times, of which a zero one is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// send runs the slots that have come, makes the plans that are due, and flushes the outbox.
func (h *House) send(ctx context.Context) error {
	err := errors.Join(h.startSchedules(ctx), h.runSlots(ctx), h.measureClock(ctx), h.planDue(ctx))
	for _, queue := range []store.Queue{h.queue, h.queueAPI} {
		next, nextErr := queue.Next(ctx, h.now())
		if nextErr != nil {
			return errors.Join(err, nextErr)
		}
		if !next.IsZero() && !next.After(h.now()) {
			_, flushErr := h.flush(ctx)
			return errors.Join(err, flushErr)
		}
		if !next.IsZero() && next.Before(h.sendsNext) {
			h.sendsNext = next
		}
	}
	return err
}

// flush sends what is due, on both ways at once, and tells what became of it. Trouble of one way is told by its own report; what comes
// back is both together.
func (h *House) flush(ctx context.Context) (outbox.Report, error) {
	var requests outbox.Report
	var requestsErr error
	var wait sync.WaitGroup
	if h.outAPI != nil {
		wait.Go(func() { requests, requestsErr = h.outAPI.Flush(ctx) })
	}
	files, filesErr := h.outbox.Flush(ctx)
	wait.Wait()
	err := errors.Join(filesErr, h.tellFlush(ctx, outbox.BySFTP, files))
	if h.outAPI != nil {
		err = errors.Join(err, requestsErr, h.tellFlush(ctx, outbox.ByAPI, requests))
	}
	return together(files, requests), err
}

// together returns two reports as one. Of what stops a way, the files' comes first.
func together(a, b outbox.Report) outbox.Report {
	a.Attempted, a.Deferred, a.Parked, a.Cut = a.Attempted+b.Attempted, a.Deferred+b.Deferred, a.Parked+b.Parked, a.Cut+b.Cut
	a.Held, a.Dial = cmp.Or(a.Held, b.Held), cmp.Or(a.Dial, b.Dial)
	a.Arrived, a.Failures, a.Fates = append(a.Arrived, b.Arrived...), append(a.Failures, b.Failures...), append(a.Fates, b.Fates...)
	a.Next = earlier(a.Next, b.Next)
	return a
}

// tellFlush tells what became of what was due on one way.
func (h *House) tellFlush(ctx context.Context, by outbox.By, r outbox.Report) error {
	for _, a := range r.Arrived {
		d, t := a.Delivery, parseTarget(a.Delivery.Target)
		text := fmt.Sprintf("verified by %s, %s", a.Receipt.Proof, a.Receipt.Way)
		if by == outbox.ByAPI {
			text = "accepted by the platform"
			if a.Receipt.Job != "" {
				text += ", which works on it as job " + a.Receipt.Job
			}
		}
		h.tell(Event{
			Kind: EventSent, Vendor: t.Vendor, Shelf: t.Kind, Name: d.Folder + "/" + d.Name, Rows: d.Rows, SHA256: d.SHA256, Text: text,
		})
	}
	for _, f := range r.Failures {
		t := parseTarget(f.Delivery.Target)
		h.tell(Event{
			Kind: EventFailed, Vendor: t.Vendor, Shelf: t.Kind, Name: f.Delivery.Folder + "/" + f.Delivery.Name,
			Text: string(f.Class) + ": " + f.Err.Error(),
		})
	}
	for _, f := range r.Fates {
		h.tell(fateEvent(f))
	}
	h.tellDial(by, r)
	return h.noteClock(ctx, r)
}

// tellDial tells why the server could not be talked to, once for each change of the words.
func (h *House) tellDial(by outbox.By, r outbox.Report) {
	text := ""
	switch {
	case r.Dial != nil:
		text = string(r.Dial.Class) + ": " + r.Dial.Error()
	case r.Held != nil:
		text = string(r.Held.Class) + ": " + r.Held.Text
	}
	if text != "" && text != h.lastDial[by] {
		h.tell(Event{Kind: EventFailed, Name: h.serverOf(by), Text: text})
	}
	h.lastDial[by] = text
}

// serverOf returns what is talked to on a way.
func (s *setup) serverOf(by outbox.By) string {
	if by == outbox.ByAPI {
		return s.apiURL()
	}
	return s.cfg.SFTP.Host
}

// fateEvent tells what became of a document. Only one that was there to be read has settled.
func fateEvent(f outbox.Settled) Event {
	e := Event{Kind: EventSettled, Name: f.Pending.Folder + "/" + f.Pending.Name, Text: string(f.Fate)}
	switch f.Fate {
	case outbox.FateKept, outbox.FateTaken:
	case outbox.FateAgain:
		e.Kind, e.Text = EventAgain, "gone, but it had replaced another file: which of the two was read is not known, so it is sent once more"
	case outbox.FateAlien:
		e.Kind = EventFailed
		e.Text = "another file lies under this name, which gondola did not put: look for a second gondola or an old script that writes there"
	}
	return e
}
