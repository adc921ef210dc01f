// Package supervisor knows who starts, watches and stops the daemon: systemd on Linux, the service manager on Windows.
//
// It has two sides. From within, [Run] lets the daemon work as the supervisor wants it: it is told when the daemon is ready, how it is
// and that it stops, and the daemon is told to stop by a context, as it is by a signal. A daemon that lives but does nothing any more
// is not told alive, so that the supervisor starts another one. From outside, a [Manager] installs the daemon as a service, starts and
// stops it, and tells how it is.
//
// What it promises: without a supervisor Run only works, and nothing that a supervisor does not answer ends the work. A service gets
// the rights on the folders that its config names and no others; a folder that somebody else owns keeps its owner.
package supervisor

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// The time that the supervisor gives the daemon, in every kind of it. A file on its way may go on for 20 s and be put back for 8 s more
// (packages outbox and sftp); what is left over is for the database.
const (
	StopWithin  = 45 * time.Second
	StartWithin = 15 * time.Minute // a larger state may have to be migrated, with a copy of it made before
	AliveWithin = 3 * time.Minute  // without a sign of life for so long the daemon is started anew
)

// aliveTries is how many signs of life fit into the time that one is awaited in: a single one that comes late ends nothing.
const aliveTries = 3

// healthWithin is how long the daemon may take to find out whether it is healthy.
const healthWithin = 10 * time.Second

// Health is what the daemon knows of itself, for the supervisor.
type Health struct {
	Healthy func(context.Context) error           // nil error: its loops run and its database answers
	Line    func(context.Context) (string, error) // how things stand, in a line
	Log     *slog.Logger
}

// Process is the running daemon as its supervisor sees it. Without one, nothing that it is told goes anywhere.
type Process struct {
	tell  func(state ...string) // in the words of sd_notify; nil: there is nobody to be told
	alive time.Duration         // a sign of life is awaited within; 0: none is
	ready func()                // Windows' own word for it; may be nil
	asked chan struct{}         // holds one at most
}

// Asked tells, by a value, that somebody asks the daemon to read its config once more: by SIGHUP, or Windows' paramchange.
func (p *Process) Asked() <-chan struct{} { return p.asked }

// ask passes on that somebody asks. Who asks again before the daemon comes to it asks once.
func (p *Process) ask() {
	select {
	case p.asked <- struct{}{}:
	default:
	}
}

// Reloading says that the daemon goes over to another config. Ready says that it has.
func (p *Process) Reloading() {
	p.say("RELOADING=1", monotonic(), "STATUS=going over to another config")
}

// Ready says that the daemon works from now on.
func (p *Process) Ready() {
	p.say("READY=1", "STATUS=working")
	if p.ready != nil {
		p.ready()
	}
}

// Stopping says that the daemon was told to end and does.
func (p *Process) Stopping() { p.say("STOPPING=1", "STATUS=finishing what is on its way") }

func (p *Process) say(state ...string) {
	if p.tell != nil {
		p.tell(state...)
	}
}

// statusEvery is how often the supervisor's line of status is written anew where no sign of life is awaited.
const statusEvery = time.Minute

// Watch tells the supervisor that the daemon lives, and how it is, until ctx ends. A daemon that is not healthy is not told alive.
func (p *Process) Watch(ctx context.Context, h Health) {
	if p.tell == nil {
		return
	}
	every := statusEvery
	if p.alive > 0 {
		every = p.alive / aliveTries
	}
	ill := ""
	last := ""
	for {
		err := p.look(ctx, h, &last)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && err.Error() != ill:
			ill = err.Error()
			h.Log.Error("not healthy", "error", ill, "restarted_by_supervisor_after", p.alive.String())
		case err == nil && ill != "":
			ill = ""
			h.Log.Info("healthy again")
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
	}
}

// look asks the daemon how it is, and passes it on.
func (p *Process) look(ctx context.Context, h Health, last *string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, healthWithin, errors.New("no answer in time"))
	defer cancel()
	if err := h.Healthy(ctx); err != nil {
		return err
	}
	if p.alive > 0 {
		p.say("WATCHDOG=1")
	}
	// The line is for people; that it can't be told says nothing of the daemon's health.
	if line, err := h.Line(ctx); err == nil && line != *last {
		*last = line
		p.say("STATUS=" + oneLine(line))
	}
	return nil
}
