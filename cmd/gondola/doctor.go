package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"gondola/internal/config"
	"gondola/internal/daemon"
)

// newDoctorCommand looks at everything that the daemon needs.
func newDoctorCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Look at everything the daemon needs, one line each, and say what to do where it is not well",
		Long: `Looks at the config and its secrets, the state (rights, space, disk, whether the daemon runs), the database,
the clocks, every drop folder (rights, renaming, space, whether the system tells of new files there, its clock), the
platform's server (name, line, host key, login, folders, what it is known to allow), the tokens, the way that
webhooks come, alarms, and how the work stands. Each is ok, warn, fail or skipped, and what is not ok says what to
do. It works beside the running daemon and without it, as the daemon's user best; it changes nothing, and is over in
half a minute even where the network is dead. A refused login is tried once and then held, as gondola probe does. The
exit code is of the first that fails: the config (2), this machine (1), the platform (4); warnings are none.`,
		Example:     "  gondola doctor\n  gondola doctor --json",
		Args:        cobra.NoArgs,
		Annotations: codes(exitRemote),
		RunE:        func(c *cobra.Command, _ []string) error { return a.doctor(c.Context()) },
	}
}

// diagnosis is what doctor --json prints.
type diagnosis struct {
	At     time.Time        `json:"at"`
	OK     bool             `json:"ok"` // nothing fails
	Checks []daemon.Checkup `json:"checks"`
}

func (a *app) doctor(ctx context.Context) error {
	d := diagnosis{At: time.Now(), OK: true}
	cfg, err := a.look()
	problems, mistaken := errors.AsType[config.Problems](err)
	if err != nil && !mistaken {
		return err
	}
	for _, p := range problems {
		if !p.Warning {
			d.Checks = append(d.Checks, daemon.Checkup{
				Group: "config", Name: "file", State: daemon.CheckFail, Text: p.Error(), Do: "correct it; gondola check shows the line",
			})
		}
	}
	if mistaken {
		// What else there is to look at, only a config says: the one that the daemon goes on by, where one runs.
		cfg, _ = daemon.LiveConfig(config.StateDir(a.configPath()))
	}
	if cfg != nil {
		d.Checks = append(d.Checks, daemon.Examine(ctx, cfg, daemon.Options{Version: buildVersion().Version})...)
	}
	if ctx.Err() != nil {
		return errors.New("stopped by a signal before everything was looked at")
	}
	code := doctorCode(d.Checks)
	d.OK = code == exitDone
	if a.JSON {
		if err := a.printJSON(d); err != nil {
			return err
		}
		return ended(code)
	}
	a.printDiagnosis(d)
	return ended(code)
}

// doctorCode chooses the one exit code.
func doctorCode(checks []daemon.Checkup) int {
	own, remote := false, false
	for _, c := range checks {
		switch {
		case c.State != daemon.CheckFail:
		case c.Config():
			return exitUsage
		case c.Remote():
			remote = true
		default:
			own = true
		}
	}
	switch {
	case own:
		return exitError
	case remote:
		return exitRemote
	}
	return exitDone
}

func (a *app) printDiagnosis(d diagnosis) {
	ink := paintFor(a.Stdout)
	mark := map[string]string{
		daemon.CheckOK: "ok     ", daemon.CheckWarn: ink.yellow("warn   "), daemon.CheckFail: ink.red("FAIL   "), daemon.CheckSkipped: "skipped",
	}
	n := map[string]int{}
	for _, c := range d.Checks {
		n[c.State]++
		a.printf("%s  %-8s  %s: %s\n", mark[c.State], c.Group, plain(c.Name), plain(c.Text))
		if c.State != daemon.CheckOK && c.Do != "" {
			a.printf("                   -> %s\n", plain(c.Do))
		}
	}
	a.printf("\n%d ok, %d to be looked at, %d failed, %d skipped.\n", n[daemon.CheckOK], n[daemon.CheckWarn], n[daemon.CheckFail], n[daemon.CheckSkipped])
}
