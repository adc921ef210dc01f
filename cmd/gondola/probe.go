package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"gondola/internal/daemon"
)

// newProbeCommand asks the server what it allows.
func newProbeCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "probe",
		Short: "Ask the platform's server what it allows, and say what is guaranteed there",
		Long: `Logs in and tries, with small files in the login's home folder, what decides how safely a file can be
replaced there: renames, dot-names, looking, reading back, deleting, sessions, the server's clock. Folders
that the platform reads are not touched, and what was written is removed. What is found is kept, and all
sending goes by it; the daemon does the same at its first connection. The first line says which way is
taken, what holds meanwhile and how arrival is proved. A refused login is tried once, and then held: it
is not tried again before it changes, or gondola push ends the hold.`,
		Example:     "  gondola probe\n  gondola probe --json",
		Args:        cobra.NoArgs,
		Annotations: codes(exitRemote),
		RunE:        func(c *cobra.Command, _ []string) error { return a.probe(c.Context()) },
	}
}

func (a *app) probe(ctx context.Context) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	p, err := daemon.Probe(ctx, cfg, daemon.Options{})
	if err != nil {
		return err
	}
	code := exitDone
	if p.Problem != "" {
		code = exitRemote
	}
	if a.JSON {
		if err := a.printJSON(p); err != nil {
			return err
		}
		return ended(code)
	}
	a.printProbed(p)
	return ended(code)
}

// printProbed prints the guarantee first, then what it rests on.
func (a *app) printProbed(p daemon.Probed) {
	if p.Line != "" {
		a.printf("%s\n\n", plain(p.Line))
		a.printf("server            %s, %s as %s\n", p.Address, plain(p.Passport.Server), plain(p.User))
		for _, f := range p.Features {
			a.printf("%-17s %s\n", f.Name, f.Has)
		}
		a.printf("%-17s %s\n", "sessions", atLeast(p.Passport.Sessions))
		a.printf("%-17s %s\n", "files at once", atLeast(p.Passport.Files))
		clock := "unknown"
		if p.Passport.SkewKnown {
			clock = fmt.Sprintf("%s ahead of ours", p.Passport.Skew.Round(1e9))
		}
		a.printf("%-17s %s\n", "clock", clock)
		for _, name := range p.Passport.Left {
			a.printf("left behind       %s, which the server would not remove\n", plain(name))
		}
	}
	if p.Problem != "" {
		a.printf("%s\n", plain(p.Problem))
	}
	if p.Hold != "" {
		a.printf("\nNothing is sent all the same: %s\ngondola push ends that.\n", plain(p.Hold))
	}
}

// atLeast writes a number that was counted as far as it is of use.
func atLeast(n int) string {
	switch {
	case n == 0:
		return "unknown"
	case n >= 4:
		return "4 or more"
	}
	return fmt.Sprint(n)
}
