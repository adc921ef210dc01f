package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"gondola/internal/daemon"
	"gondola/internal/supervisor"
)

// newRunCommand is the daemon.
func newRunCommand(a *app) *cobra.Command {
	var logs logFlags
	var name string
	c := &cobra.Command{
		Use:   "run",
		Short: "Watch, plan and send until stopped: the daemon",
		Long: `Takes what is put into the drop folders, sends what differs when the schedule says so, and writes the
answers, until it gets SIGINT (Ctrl-C) or SIGTERM. Then it finishes the file that is on its way and ends;
a second signal ends it at once. It may be killed at any moment: the next start goes on where this one
was. A config file that changes is taken over without a stop; SIGHUP has it read at once. One that has
mistakes changes nothing, and status, page and alarms say so. One process at a time works on a state
folder. The log goes to the standard error, or with --log-dir into files. Started by systemd or as a
Windows service (gondola service) it tells when it is ready, how it is, and that it lives.`,
		Example:     "  gondola run --config /etc/gondola/config.yaml",
		Args:        cobra.NoArgs,
		Annotations: codes(),
		RunE: func(c *cobra.Command, _ []string) error {
			return supervisor.Run(c.Context(), name, func(ctx context.Context, p *supervisor.Process) error { return a.run(ctx, logs, p) })
		},
	}
	logs.register(c, "info")
	c.Flags().StringVar(&logs.dir, "log-dir", "", "write the log into files in this `DIR`: a new one each day, the oldest removed")
	// Said by Windows' service manager, because gondola service install told it to.
	c.Flags().StringVar(&name, "service-name", "", "`NAME` of the Windows service that this is")
	if err := c.Flags().MarkHidden("service-name"); err != nil {
		panic(err) // it was defined in the line above
	}
	return c
}

func (a *app) run(ctx context.Context, logs logFlags, p *supervisor.Process) (err error) {
	log, end, err := logs.openAll(a.Stderr)
	if err != nil {
		return err
	}
	defer func() {
		// Where the log goes into files, nobody reads what is said last on the standard error.
		if logs.dir != "" && err != nil {
			log.Error("ended", "error", err.Error())
		}
		err = errors.Join(err, end())
	}()
	cfg, err := a.load()
	if err != nil {
		return err
	}
	for _, w := range cfg.Warnings {
		log.Warn("config", "problem", w.Error())
	}
	h, err := daemon.Open(ctx, cfg, daemon.Options{Log: log, Serve: true, Version: buildVersion().Version})
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	log.Info("started", "version", buildVersion().Version, "config", a.configPath(), "state", cfg.State.Dir,
		"stores", len(cfg.Vendors), "feeds", len(cfg.Feeds))
	p.Ready()
	r := daemon.NewReloader(a.configPath(), h, daemon.Telling{Reloading: p.Reloading, Reloaded: p.Ready})
	watching, stop := context.WithCancel(ctx)
	var watched sync.WaitGroup
	watched.Go(func() { p.Watch(watching, supervisor.Health{Healthy: r.Healthy, Line: r.Line, Log: log}) })
	err = a.runReloading(ctx, r, p.Asked())
	stop()
	watched.Wait()
	if err := errors.Join(err, r.Close()); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	log.Info("stopped")
	return nil
}

// runReloading runs the house until ctx ends, or the terminal that it was started on is gone. Without a terminal a hang-up asks for the
// config to be read once more.
func (a *app) runReloading(ctx context.Context, r *daemon.Reloader, hangups <-chan struct{}) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	onTerminal := a.onTerminal()
	asked := make(chan struct{}, 1)
	var passing sync.WaitGroup
	defer passing.Wait()
	defer stop()
	passing.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangups:
			}
			if onTerminal && !a.onTerminal() {
				stop()
				return
			}
			select {
			case asked <- struct{}{}:
			default: // it has not come to the last one yet
			}
		}
	})
	return r.Run(ctx, asked)
}

// onTerminal reports whether the program was started on a terminal that is still there.
func (a *app) onTerminal() bool {
	f, ok := a.Stdin.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
