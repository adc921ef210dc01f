package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"gondola/internal/daemon"
)

// newRunCommand is the daemon.
func newRunCommand(a *app) *cobra.Command {
	var logs logFlags
	c := &cobra.Command{
		Use:   "run",
		Short: "Watch, plan and send until stopped: the daemon",
		Long: `Takes what is put into the drop folders, sends what differs when the schedule says so, and writes the
answers, until it gets SIGINT (Ctrl-C) or SIGTERM. Then it finishes the file that is on its way and ends;
a second signal ends it at once. It may be killed at any moment: the next start goes on where this one
was. One process at a time works on a state folder. The log goes to the standard error.`,
		Example:     "  gondola run --config /etc/gondola/config.yaml",
		Args:        cobra.NoArgs,
		Annotations: codes(),
		RunE:        func(c *cobra.Command, _ []string) error { return a.run(c.Context(), logs) },
	}
	logs.register(c, "info")
	return c
}

func (a *app) run(ctx context.Context, logs logFlags) (err error) {
	log, err := logs.open(a.Stderr)
	if err != nil {
		return err
	}
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
	defer func() { err = errors.Join(err, h.Close()) }()
	log.Info("started", "version", buildVersion().Version, "config", a.configPath(), "state", cfg.State.Dir,
		"stores", len(cfg.Vendors), "feeds", len(cfg.Feeds))
	if err := h.Run(ctx); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	log.Info("stopped")
	return nil
}
