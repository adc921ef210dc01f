// Package outbox knows what must leave the house: deliveries, their attempts, and the proof that each of them arrived.
//
// It decides when a delivery is tried, what a failure means and when the next attempt is due. Where deliveries are kept is the
// [Queue]'s business, how bytes travel is the [Remote]'s. There is one call, [Outbox.Flush], and these are its rules:
//
//   - Nothing is sent that was not begun: [Queue.Begin] is durable before the first byte leaves, because from then on the platform
//     may read the file. What stopped before that (no network, a refused login, a stopping daemon) leaves no trace on a delivery.
//   - A refused login is tried once. It puts a [Hold] in force that only another login or an admin ends: platforms lock accounts,
//     and a locked account can't be helped at night.
//   - An unknown host key is never talked to. It is asked for again now and then, because that happens before any login.
//   - A server whose answers make no sense is not believed: its connection is cut, and it is asked again as rarely as one that a person
//     has to mend.
//   - One file is nobody else's business: a delivery that fails does not stop the others. Only a lost connection does; it is dialled
//     once more, then the rest waits. What was too much at once for a server that hangs up is less then, and grows again.
//   - What a second attempt could heal is deferred, with exponential back-off and jitter, for ever: prices that are stuck must get
//     out once the cause is gone, without anybody being there. What it can't heal (a foreign file, an unreadable document, a request whose
//     content is refused) is parked.
//   - A stopping daemon begins nothing more and gives what is on its way a grace period. What is cut then stays "sending" in the
//     queue and is sent again at the next start, which is harmless: every document sets states, and replaces itself.
//   - Files and requests go by an outbox each, over one queue: a login that is refused on one way stops nothing of the other.
//   - Looks at what became of earlier files happen before anything is replaced, since afterwards nobody could tell. They never fail
//     a flush.
package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Defaults of an [Outbox].
const (
	// DefaultParallel is how many targets are sent to at once where nobody says more: few enough for any server.
	DefaultParallel = 4
	// DefaultGrace is how long a file on its way may go on after the stop: a few megabytes on a slow line, and shorter than the 30 s
	// after which service managers kill.
	DefaultGrace = 20 * time.Second
	// DefaultReadWindow is how long a file must lie there to count as read. How often the platform looks is not known to anyone
	// outside; two hours is our judgement.
	DefaultReadWindow = 2 * time.Hour
)

// Outbox sends what is due. Fill in the fields, then call Flush from one goroutine; the zero value of a field marked optional is
// its default.
type Outbox struct {
	Queue Queue
	// Dial connects to the server. Its errors should be *Failure; others count as Transient.
	Dial func(ctx context.Context) (Remote, error)
	// Login returns the fingerprint of the login that Dial would use now; it is compared with Hold.Login.
	Login func() (string, error)

	Now        func() time.Time // optional: time.Now
	Parallel   int              // optional: targets sent to at once
	Backoff    Backoff          // optional
	Grace      time.Duration    // optional: what is on its way at the stop may go on for so long
	ReadWindow time.Duration    // optional: a file that lay there for so long was there to be read
	Log        *slog.Logger     // optional: discarded

	// The dialling that failed lately; owned by Flush. Not durable: a restart may dial at once.
	dialFailures int
	quietUntil   time.Time // looks alone do not dial before
	narrow       int       // since a connection was lost: targets sent to at once, 0 = as many as Parallel says
	ceiling      int       // of narrow: with twice as many a connection was lost
	lasted       int       // connections that lasted since then
}

// Report is what one Flush did.
type Report struct {
	Attempted int // deliveries begun
	Deferred  int // due again later, whether or not an attempt began
	Parked    int // waiting for a person
	Cut       int // begun, cut by the stop; the next start sends them again

	Held     *Hold     // nothing is sent until this ends; nil when nothing is held
	Dial     *Failure  // why the server could not be talked to; nil when it could, or need not be
	Arrived  []Arrived // those that were verified, in that order
	Failures []Failed  // one for each attempt that failed, in no order
	Fates    []Settled // what became of earlier files
	Next     time.Time // when Flush has work again by itself; zero when only something new or a person brings it
}

// Arrived is a delivery that was verified.
type Arrived struct {
	Delivery Delivery
	Receipt  Receipt
}

// Failed is an attempt that failed.
type Failed struct {
	Delivery Delivery
	Class    Class
	Err      error
	Next     time.Time // when it is tried again; zero when it is parked
}

// Settled is an earlier file whose fate was found.
type Settled struct {
	Pending Pending
	Fate    Fate
}

// Flush sends every delivery that is due and looks at what became of earlier ones. It dials only when there is work and no hold.
// The error is about our own trouble, the queue's; everything the server or the network did is in the report. After ctx ends no
// attempt begins, and Flush returns within Grace and the time it takes to write down what happened.
func (o *Outbox) Flush(ctx context.Context) (Report, error) {
	f := &flush{o: o, log: o.Log, dialNow: o.now()}
	if f.log == nil {
		f.log = slog.New(slog.DiscardHandler)
	}
	err := f.run(ctx)
	if err == nil && ctx.Err() == nil {
		err = f.next(ctx)
	}
	return f.report, err
}

func (o *Outbox) now() time.Time {
	if o.Now == nil {
		return time.Now()
	}
	return o.Now()
}

func (o *Outbox) parallel() int {
	most := cmp.Or(max(o.Parallel, 0), DefaultParallel)
	if o.narrow > 0 {
		return min(o.narrow, most)
	}
	return most
}

// manyLasted is how many connections must last before as much goes at once again as when one was lost.
const manyLasted = 10

// learn makes less go at once after a connection was lost, whatever the reason: some servers hang up on what is too much for them. Each
// one that lasts makes it four times as much again, up to half of what was too much; that one is tried again much later.
func (o *Outbox) learn(lost bool) {
	switch {
	case lost:
		o.ceiling = max(o.parallel()/2, DefaultParallel)
		o.narrow, o.lasted = DefaultParallel, 0
	case o.narrow > 0:
		if o.lasted++; o.lasted%manyLasted == 0 {
			o.ceiling *= 2
		}
		if o.narrow = min(o.narrow*4, o.ceiling); o.ceiling >= o.Parallel {
			o.narrow = 0
		}
	}
}

// flush is the state of one call of Flush.
type flush struct {
	o       *Outbox
	log     *slog.Logger
	dialNow time.Time
	login   string // resolved before dialling, so that a hold names the login that was refused

	mu     sync.Mutex
	report Report // guarded by mu while lanes run
}

func (f *flush) run(ctx context.Context) error {
	held, err := f.held(ctx)
	if err != nil || held {
		return err
	}
	due, err := f.o.Queue.Due(ctx, f.dialNow)
	if err != nil {
		return fmt.Errorf("list due deliveries: %w", err)
	}
	looks, err := f.o.Queue.Pending(ctx, f.dialNow)
	if err != nil {
		return fmt.Errorf("list files to look at: %w", err)
	}
	if len(due) == 0 && (len(looks) == 0 || f.dialNow.Before(f.o.quietUntil)) {
		return nil
	}
	slices.SortFunc(due, func(a, b Delivery) int { return cmp.Compare(a.ID, b.ID) })

	// A connection that is lost half-way is dialled once more: servers cut long connections. Twice in a row is an outage.
	left := due
	for range 2 {
		remote, failure := f.dial(ctx)
		if failure != nil {
			return f.undialled(ctx, failure, left)
		}
		s := &session{flush: f, remote: remote}
		left, err = s.work(ctx, looks, left)
		f.o.learn(s.lost.Load())
		if cerr := remote.Close(); cerr != nil {
			f.log.Debug("close connection", "err", cerr)
		}
		if err != nil || len(left) == 0 || ctx.Err() != nil || f.report.Held != nil {
			return err
		}
		looks = nil
	}
	return f.undialled(ctx, &Failure{Class: Transient, Err: errLostTwice}, left)
}

var errLostTwice = fmt.Errorf("%w twice before this file's turn: it is sent again by itself", ErrLost)

// held reports whether a hold is in force, and ends one whose login is no longer the configured one.
func (f *flush) held(ctx context.Context) (bool, error) {
	hold, err := f.o.Queue.Held(ctx)
	if err != nil {
		return false, fmt.Errorf("read the hold: %w", err)
	}
	if f.o.Login != nil {
		// A login that can't be resolved is the empty one: it is refused, held and released like any other.
		if f.login, err = f.o.Login(); err != nil {
			f.log.Debug("resolve login", "err", err)
			f.login = ""
			if hold != nil {
				// A secret that can't be read this moment is no new one.
				f.report.Held = hold
				return true, nil
			}
		}
	}
	if hold == nil {
		return false, nil
	}
	if hold.Login == f.login {
		f.report.Held = hold
		return true, nil
	}
	if err := f.o.Queue.SetHold(ctx, nil); err != nil {
		return false, fmt.Errorf("end the hold: %w", err)
	}
	f.log.Info("login changed, hold ended", "since", hold.At)
	return false, nil
}

func (f *flush) dial(ctx context.Context) (Remote, *Failure) {
	remote, err := f.o.Dial(ctx)
	if err != nil {
		return nil, failureOf(err)
	}
	f.o.dialFailures, f.o.quietUntil = 0, time.Time{}
	return remote, nil
}

// undialled deals with a server that could not be talked to: a refused login holds everything and touches no delivery, anything
// else defers what was due. No attempt began, so the deliveries' own counts can't space the dialling out; dialFailures does.
func (f *flush) undialled(ctx context.Context, failure *Failure, due []Delivery) error {
	if ctx.Err() != nil {
		return nil // the stop, not the server, ended the dialling
	}
	f.report.Dial = failure
	now := f.o.now()
	if failure.Class == Credentials {
		return f.hold(ctx, failure, now)
	}
	next := now.Add(f.o.Backoff.Delay(failure.Class, f.o.dialFailures))
	f.o.dialFailures++
	f.o.quietUntil = next
	for _, d := range due {
		if err := f.o.Queue.Deferred(ctx, d.ID, next, failure.Class, text(failure)); err != nil {
			return fmt.Errorf("defer delivery %d: %w", d.ID, err)
		}
		f.report.Deferred++
	}
	return nil
}

// hold stops all sending until the login changes.
func (f *flush) hold(ctx context.Context, failure *Failure, now time.Time) error {
	h := &Hold{Class: failure.Class, Login: f.login, Text: text(failure), At: now}
	if err := f.o.Queue.SetHold(ctx, h); err != nil {
		return fmt.Errorf("hold all deliveries: %w", err)
	}
	f.report.Held = h
	return nil
}

// next works out when a Flush has work by itself. Work that was found and could not be done, because a server does not answer the
// looks, would otherwise be due at once for ever.
func (f *flush) next(ctx context.Context) error {
	if f.report.Held != nil {
		return nil
	}
	at, err := f.o.Queue.Next(ctx, f.o.now())
	if err != nil {
		return fmt.Errorf("find the next due time: %w", err)
	}
	if !at.IsZero() && at.Before(f.o.quietUntil) {
		at = f.o.quietUntil
	}
	f.report.Next = at
	return nil
}

// failureOf gives an error its class: what nobody classified is Transient, since trying again is the harmless mistake.
func failureOf(err error) *Failure {
	if f, ok := errors.AsType[*Failure](err); ok {
		return &Failure{Class: cmp.Or(f.Class, Transient), Err: err}
	}
	return &Failure{Class: Transient, Err: err}
}

// maxText is how much of an error's text is kept, in bytes: a server's words go into rows and mails.
const maxText = 600

func text(err error) string {
	s := err.Error()
	if len(s) > maxText {
		// The end says what to do next, so the middle goes.
		s = s[:maxText/2] + " … " + s[len(s)-maxText/2:]
	}
	return s
}
