package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"gondola/internal/config"
	"gondola/internal/daemon"
)

// newOnceCommand does what the daemon would, and ends.
func newOnceCommand(a *app) *cobra.Command {
	var logs logFlags
	c := &cobra.Command{
		Use:   "once",
		Short: "Take, plan and send what there is now, then end",
		Long: `Takes what lies in the drop folders, sends what differs to every store whatever the schedule says,
writes the answers, and ends. For those who would rather start gondola from their own scheduler than
keep the daemon running. Of several reasons to end badly the exit code names the first of 1, 4, 5, 3.`,
		Example:     "  gondola once --config shop/config.yaml",
		Args:        cobra.NoArgs,
		Annotations: codes(exitData, exitRemote, exitBrake),
		RunE:        func(c *cobra.Command, _ []string) error { return a.once(c.Context(), logs) },
	}
	logs.register(c, "error")
	return c
}

func (a *app) once(ctx context.Context, logs logFlags) error {
	log, err := logs.open(a.Stderr)
	if err != nil {
		return err
	}
	cfg, err := a.load()
	if err != nil {
		return err
	}
	out, err := a.withHouse(ctx, cfg, daemon.Options{Log: log}, func(h *daemon.House) (daemon.Outcome, error) { return h.Once(ctx) })
	if err != nil {
		return err
	}
	return a.printOutcome(out)
}

// withHouse opens the house for this process alone, lets it work, and closes it.
func (a *app) withHouse(ctx context.Context, cfg *config.Config, o daemon.Options,
	work func(*daemon.House) (daemon.Outcome, error),
) (out daemon.Outcome, err error) {
	o.Version, o.Tell, o.Progress = buildVersion().Version, a.shows.heard, a.shows.counted
	h, err := daemon.Open(ctx, cfg, o)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	out, err = work(h)
	if err == nil && ctx.Err() != nil {
		err = errors.New("stopped by a signal; what was begun goes on at the next start")
	}
	return out, err
}

// printOutcome prints what was done and ends with the exit code for it.
func (a *app) printOutcome(out daemon.Outcome) error {
	if a.JSON {
		if err := a.printJSON(out); err != nil {
			return err
		}
		return ended(outcomeCode(out))
	}
	if out.Drops > 0 {
		a.printf("drops      %d taken, %d rejected, %s\n", out.Drops, out.Rejected, count(out.Issues, "issue"))
	}
	if out.Documents > 0 {
		a.printf("documents  %d of %d sent and verified\n", out.Verified, out.Documents)
	} else {
		a.printf("documents  nothing to send\n")
	}
	if out.Paused > 0 {
		a.printf("paused     %s until gondola resume; gondola status says who paused what\n", waits(out.Paused, "document"))
	}
	if out.Held > 0 {
		a.printf("brake      %s held; gondola status says why\n", count(out.Held, "export"))
	}
	if out.HeldRows > 0 {
		a.printf("brake      %s held; gondola status says why\n", count(out.HeldRows, "row"))
	}
	if out.Remote != "" {
		a.printf("server     %s\n", plain(out.Remote))
	}
	return ended(outcomeCode(out))
}

// waits says how many of something wait.
func waits(n int, noun string) string {
	if n == 1 {
		return count(n, noun) + " waits"
	}
	return count(n, noun) + " wait"
}

// outcomeCode chooses the one exit code: the server's trouble concerns everything, the brake's one export, and whoever dropped a file
// that was rejected has been told in the folder.
func outcomeCode(out daemon.Outcome) int {
	switch {
	case out.Remote != "":
		return exitRemote
	case out.Held > 0, out.HeldRows > 0, out.Paused > 0:
		return exitBrake
	case out.Rejected > 0:
		return exitData
	}
	return exitDone
}
