package supervisor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
)

// failedCode is the exit code that the service manager is told when the daemon ended with an error: with it, it is started anew.
const failedCode = 1

// hintEvery is how often the service manager is told that a start or a stop goes on. It gives up on one that it hears nothing of.
const hintEvery = 2 * time.Second

// Run lets work run as the daemon: as the Windows service called name, or as a program of a console where name is "". As a service, ctx ends
// for work when the service is told to stop or the machine goes down. What work returns, Run returns; as a service its errors are in the
// event log, too.
func Run(ctx context.Context, name string, work func(context.Context, *Process) error) error {
	if name == "" {
		return work(ctx, &Process{asked: make(chan struct{}, 1)})
	}
	h := &handler{ctx: ctx, name: name, work: work}
	err := svc.Run(name, h)
	if errors.Is(err, windows.ERROR_FAILED_SERVICE_CONTROLLER_CONNECT) {
		return fmt.Errorf("run as the service %q: only the service manager starts it so; say gondola service start", name)
	}
	if err != nil {
		return fmt.Errorf("run as the service %q: %w", name, err)
	}
	return h.err
}

// handler does what the service manager asks for.
type handler struct {
	ctx  context.Context
	name string
	work func(context.Context, *Process) error
	err  error // what work returned
}

// Execute implements svc.Handler.
func (h *handler) Execute(_ []string, asked <-chan svc.ChangeRequest, tell chan<- svc.Status) (bool, uint32) {
	ctx, stop := context.WithCancel(h.ctx)
	defer stop()
	state := svc.Status{State: svc.StartPending, WaitHint: uint32((2 * hintEvery).Milliseconds())}
	tell <- state
	ready, done := make(chan struct{}, 1), make(chan error, 1)
	p := &Process{asked: make(chan struct{}, 1)}
	var once sync.Once
	p.ready = func() { once.Do(func() { ready <- struct{}{} }) }
	go func() { done <- h.work(ctx, p) }()
	hint := time.NewTicker(hintEvery)
	defer hint.Stop()
	for {
		select {
		case <-ready:
			if state.State == svc.StartPending {
				state = svc.Status{State: svc.Running, Accepts: svc.AcceptStop | svc.AcceptPreShutdown | svc.AcceptParamChange}
				tell <- state
			}
		case <-hint.C:
			if state.State == svc.StartPending || state.State == svc.StopPending {
				state.CheckPoint++
				tell <- state
			}
		case r := <-asked:
			switch r.Cmd {
			case svc.Interrogate:
				tell <- state
			case svc.ParamChange:
				p.ask()
			case svc.Stop, svc.Shutdown, svc.PreShutdown:
				state = svc.Status{State: svc.StopPending, WaitHint: uint32((2 * hintEvery).Milliseconds())}
				tell <- state
				stop() // what is on its way is finished; the service manager is told meanwhile that it goes on
			}
		case h.err = <-done:
			return true, h.ended()
		}
	}
}

// ended returns the exit code for what work returned. An error is written to the event log as well: where the log files can't be
// written, say, nobody would hear of it.
func (h *handler) ended() uint32 {
	if h.err == nil {
		return 0
	}
	if log, err := eventlog.Open(h.name); err == nil {
		_ = log.Error(1, h.err.Error()) // nobody is left to be told
		_ = log.Close()
	}
	return failedCode
}
