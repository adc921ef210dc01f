package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"gondola/internal/config"
	"gondola/internal/daemon"
	"gondola/internal/store"
)

// How push waits for a running daemon.
const (
	pushWait = 2 * time.Minute        // an upload of some megabytes on a slow line
	pushLook = 500 * time.Millisecond // as often as the daemon itself looks
)

// pushFlags are what push is asked.
type pushFlags struct {
	daemon.Ask
	wait time.Duration
}

// newPushCommand sends now.
func newPushCommand(a *app) *cobra.Command {
	var f pushFlags
	c := &cobra.Command{
		Use:   "push",
		Short: "Send what differs now, without waiting for the schedule",
		Long: `Sends what differs from what was sent before, now. A running daemon is asked to do it and waited for;
without one this command does it itself. Exports that are still in a drop folder don't count. A push also
tries again where the server had refused the login or a file. It does not override gondola pause.`,
		Example:     "  gondola push --vendor 290056\n  gondola push --full --wait 10m",
		Args:        cobra.NoArgs,
		Annotations: codes(exitRemote, exitBrake),
		RunE:        func(c *cobra.Command, _ []string) error { return a.push(c.Context(), f) },
	}
	flags := c.Flags()
	flags.StringArrayVar(&f.Vendors, "vendor", nil, "only the store with this `ID`; may be repeated (default all stores)")
	flags.BoolVar(&f.Full, "full", false, "send everything, not only what differs")
	flags.BoolVar(&f.Adopt, "adopt", false, "replace files that lie under our names though we did not put them there")
	flags.DurationVar(&f.wait, "wait", pushWait, "wait at most this `DURATION` for a running daemon; 0s only asks it")
	return c
}

// pushed is what push --json prints when a running daemon was asked; otherwise it prints what once prints.
type pushed struct {
	Done bool   `json:"done"`           // everything that was asked for has arrived
	Held int    `json:"held"`           // exports that the brake holds
	Rows int    `json:"held_rows"`      // rows that it holds of shelves
	Text string `json:"text,omitempty"` // what keeps it from being done

	Paused  bool `json:"paused,omitempty"`  // it waits for the end of a pause
	Working bool `json:"working,omitempty"` // done, and the platform still works on requests that it has accepted

	stopped bool // and it is not tried again by itself
}

func (a *app) push(ctx context.Context, f pushFlags) error {
	cfg, err := a.lookBeside()
	if err != nil {
		return err
	}
	running, err := store.Running(cfg.State.Dir)
	if err != nil {
		return err
	}
	if running {
		return a.pushBeside(ctx, cfg, f)
	}
	if cfg, err = a.load(); err != nil {
		return err
	}
	out, err := a.withHouse(ctx, cfg, daemon.Options{}, func(h *daemon.House) (daemon.Outcome, error) { return h.PushNow(ctx, f.Ask) })
	if errors.Is(err, store.ErrLocked) { // it was started just now
		return a.pushBeside(ctx, cfg, f)
	}
	if err != nil {
		return err
	}
	return a.printOutcome(out)
}

// pushBeside asks the running daemon and waits for it.
func (a *app) pushBeside(ctx context.Context, cfg *config.Config, f pushFlags) (err error) {
	h, err := daemon.Attach(ctx, cfg, daemon.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	return a.askAndWait(ctx, h, f, func() error { return h.Push(ctx, f.Ask) })
}

// askAndWait leaves a request for the running daemon and waits until it is done.
func (a *app) askAndWait(ctx context.Context, h *daemon.House, f pushFlags, ask func() error) error {
	if err := ask(); err != nil {
		return err
	}
	if f.wait <= 0 {
		if a.JSON {
			return a.printJSON(pushed{Text: "asked the running daemon"})
		}
		a.printf("Asked the running daemon; gondola status says how far it is.\n")
		return nil
	}
	a.shows.say("waiting for the running daemon")
	p, err := waitPushed(ctx, h, f)
	if err != nil {
		return err
	}
	if err := p.countHeld(ctx, h); err != nil {
		return err
	}
	return a.printPushed(p, f.wait)
}

// countHeld counts what the brake holds.
func (p *pushed) countHeld(ctx context.Context, h *daemon.House) error {
	held, err := h.HeldExports(ctx)
	if err != nil {
		return err
	}
	p.Held = len(held)
	rows, err := h.HeldFindings(ctx)
	for _, r := range rows {
		p.Rows += r.Count
	}
	return err
}

// waitPushed waits until everything has arrived or nobody tries any more, at most for as long as was asked for.
func waitPushed(ctx context.Context, h *daemon.House, f pushFlags) (pushed, error) {
	over := time.After(f.wait)
	look := time.NewTicker(pushLook)
	defer look.Stop()
	for {
		p, err := h.Pushed(ctx, f.Vendors)
		if err != nil || p.Done || p.Stopped {
			return pushed{Done: p.Done, Working: p.Working && p.Done, Text: p.Trouble, Paused: p.Paused, stopped: p.Stopped}, err
		}
		select {
		case <-ctx.Done():
			return pushed{}, errors.New("stopped by a signal; the daemon goes on with what it was asked for")
		case <-over:
			return pushed{Text: p.Trouble}, nil
		case <-look.C:
		}
	}
}

// pushedCode chooses the one exit code.
func pushedCode(p pushed) int {
	switch {
	case p.Paused:
		return exitBrake
	case !p.Done && p.Text != "":
		return exitRemote
	case !p.Done:
		return exitError
	case p.Held > 0 || p.Rows > 0:
		return exitBrake
	}
	return exitDone
}

// printPushed prints how a push through the daemon ended, and ends with the exit code for it.
func (a *app) printPushed(p pushed, wait time.Duration) error {
	code := pushedCode(p)
	if a.JSON {
		if err := a.printJSON(p); err != nil {
			return err
		}
		return ended(code)
	}
	switch {
	case p.Working:
		a.printf("Everything has been sent and accepted; the platform still works on it, and gondola jobs tells the end.\n")
	case p.Done:
		a.printf("Everything has been sent and verified.\n")
	case p.stopped:
		a.printf("Not done: %s\n", plain(p.Text))
	case p.Text != "":
		a.printf("Not done after %s: %s\nThe daemon tries again by itself; gondola status says when.\n", wait, plain(p.Text))
	default:
		a.printf("Not done after %s; the daemon goes on. gondola status says how far it is.\n", wait)
	}
	if p.Held > 0 {
		a.printf("The brake holds %s; gondola status says why.\n", count(p.Held, "export"))
	}
	if p.Rows > 0 {
		a.printf("The brake holds %s; gondola status says why.\n", count(p.Rows, "row"))
	}
	return ended(code)
}
