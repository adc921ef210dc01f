package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"gondola/internal/daemon"
)

// newAlertCommand tries the alarms.
func newAlertCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "alert test",
		Short: "Send a test to everybody that alarms are told to",
		Long: `Sends every target under alerts: in the config a test and says what came back. A check as healthchecks.io
has them logs it, and takes it neither for success nor for failure; an address that takes JSON gets the
state "test" without problems; people get a message or a mail that says it is a test. Addresses are not
shown. It works beside the running daemon. Exit code 4 is of a target that refused the test or could not
be reached.`,
		Example: "  gondola alert test\n  gondola alert test --json",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] != "test" {
				return fmt.Errorf("write gondola alert test")
			}
			return nil
		},
		ValidArgs:   []string{"test"},
		Annotations: codes(exitRemote),
		RunE:        func(c *cobra.Command, _ []string) error { return a.alertTest(c.Context()) },
	}
}

func (a *app) alertTest(ctx context.Context) error {
	cfg, err := a.look()
	if err != nil {
		return err
	}
	if len(cfg.Alerts) == 0 {
		return usagef("the config has nobody to tell; write alerts: with a ping:, a post: or a mail:, config.example.yaml says how")
	}
	trials, err := daemon.TryAlerts(ctx, cfg)
	if err != nil {
		return usagef("%s", err)
	}
	code := exitDone
	for _, t := range trials {
		switch {
		case t.Config:
			code = exitUsage
		case t.Error != "" && code == exitDone:
			code = exitRemote
		}
	}
	if a.JSON {
		if err := a.printJSON(trials); err != nil {
			return err
		}
		return ended(code)
	}
	for _, t := range trials {
		result := "ok    " + t.Answer
		if t.Error != "" {
			result = "failed  " + t.Error
		}
		a.printf("%s  %s  %s\n", t.Target, t.Way, plain(result))
	}
	return ended(code)
}
