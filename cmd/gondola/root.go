package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"gondola/internal/config"
)

// configVar names the environment variable with the path of the config.
const configVar = "GONDOLA_CONFIG"

// defaultConfig is the path of the config where nothing else is said.
const defaultConfig = "config.yaml"

// app is what every command works with: the streams, and the flags that are the same everywhere.
type app struct {
	Stdin  io.Reader
	Stdout io.Writer // results
	Stderr io.Writer // logs and complaints

	ConfigPath string // --config as given; see configPath
	JSON       bool   // --json: one object instead of text

	shows *progress // what a command that takes long says meanwhile; nil where nobody looks

	began bool // a command was found, its flags and arguments are right: what goes wrong from here on is no usage error
}

// run runs one command line and returns the process's exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{Stdin: stdin, Stdout: stdout, Stderr: stderr}
	root := newRoot(a)
	root.SetArgs(args)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}
	complain(stderr, err)
	if !a.began {
		_, _ = fmt.Fprintf(stderr, "Run '%s --help' for how to use it.\n", command.CommandPath())
		return exitUsage
	}
	return exitCode(err)
}

// newRoot builds the command tree.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "gondola",
		Short: "Carries what an ERP exports to the shelf that customers see on the quick-commerce platform",
		Long: `Gondola watches drop folders, reads the exports (CSV or Excel) that an ERP or a person puts there, and sends
what differs from what was sent before to the quick-commerce platform, as files over SFTP or as requests.
Whoever dropped a file finds the answer beside it: what was understood, and which cell is wrong.

  gondola demo         see it work, with nothing but this program
  gondola init shop    make a folder with a config, by a few questions
  gondola check        name everything in the config that is missing or wrong
  gondola run          the daemon`,
		SilenceUsage: true, SilenceErrors: true,
	}
	root.SetIn(a.Stdin)
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	flags := root.PersistentFlags()
	flags.StringVar(&a.ConfigPath, "config", "", "path of the config `FILE` (default $"+configVar+", else "+defaultConfig+")")
	flags.BoolVar(&a.JSON, "json", false, "print one JSON object instead of text")
	root.AddCommand(
		newInitCommand(a),
		newCheckCommand(a),
		newSchemaCommand(a),
		newInspectCommand(a),
		newConvertCommand(a),
		newRunCommand(a),
		newOnceCommand(a),
		newStatusCommand(a),
		newPlanCommand(a),
		newPushCommand(a),
		newApproveCommand(a),
		newAuditCommand(a),
		newRejectCommand(a),
		newPauseCommand(a),
		newResumeCommand(a),
		newOffCommand(a),
		newOnCommand(a),
		newScheduleCommand(a),
		newAlertCommand(a),
		newWebhookCommand(a),
		newWebCommand(a),
		newRollbackCommand(a),
		newPromotionsCommand(a),
		newJobsCommand(a),
		newExplainCommand(a),
		newVerifyCommand(a),
		newDoctorCommand(a),
		newLedgerCommand(a),
		newOrdersCommand(a),
		newBackupCommand(a),
		newProbeCommand(a),
		newHostKeyCommand(a),
		newServiceCommand(a),
		newSandboxCommand(a),
		newDemoCommand(a),
		newCodesCommand(a),
		newVersionCommand(a),
		newManCommand(a),
	)
	completeFlags(a, root)
	finish(a, root)
	return root
}

// finish gives the tree what all of its commands have: exit codes in their help, and the note that a command began.
func finish(a *app, root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	root.SetHelpCommand(newHelpCommand())
	root.SetUsageTemplate(root.UsageTemplate() + `{{with index .Annotations "` + codesKey + `"}}
Exit codes:{{.}}
{{end}}`)
	for _, command := range root.Commands() {
		if command.Name() == "completion" {
			command.Annotations = codes()
			// As the library makes it, it would explain itself when asked for a shell that it doesn't know, and call that a success.
			command.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		}
	}
	begin(a, root)
}

// begin gives a command and all below it the note that it began.
func begin(a *app, command *cobra.Command) {
	if inner := command.RunE; inner != nil {
		command.RunE = func(c *cobra.Command, args []string) error {
			a.began = true
			defer a.showProgress(c)()
			return inner(c, args)
		}
	}
	for _, below := range command.Commands() {
		begin(a, below)
	}
}

// newHelpCommand replaces the library's, which takes an unknown topic for a success.
func newHelpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Explain a command",
		RunE: func(c *cobra.Command, args []string) error {
			target, rest, err := c.Root().Find(args)
			if err == nil && len(rest) > 0 {
				err = fmt.Errorf("unknown command %q for %q", rest[0], target.CommandPath())
			}
			if err != nil {
				return &failure{exitUsage, err}
			}
			target.InitDefaultHelpFlag()
			return target.Help()
		},
	}
}

// oneArg demands the one argument of a command, by the name that the usage line gives it.
func oneArg(name string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return fmt.Errorf("%s is missing", name)
		case len(args) > 1:
			return fmt.Errorf("one %s at a time; %q is too much", name, args[1])
		}
		return nil
	}
}

// configPath returns the path of the config: the flag, the environment, or config.yaml here.
func (a *app) configPath() string {
	return cmp.Or(a.ConfigPath, os.Getenv(configVar), defaultConfig)
}

// load reads the config of a command that sends.
func (a *app) load() (*config.Config, error) { return a.loaded(config.Load) }

// look reads the config of a command that sends nothing. The password may be there for the daemon alone; that must not keep anybody
// from looking how things stand, or from trying out a mapping.
func (a *app) look() (*config.Config, error) { return a.loaded(config.Look) }

func (a *app) loaded(load func(path string) (*config.Config, error)) (*config.Config, error) {
	cfg, err := load(a.configPath())
	if err != nil {
		return nil, &failure{exitUsage, err}
	}
	return cfg, nil
}

// printJSON prints the one object that --json asks for.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.Stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("print result: %w", err)
	}
	return nil
}

// printf prints a part of a result. Where nobody listens any more (a closed pipe), there is nobody to be told.
func (a *app) printf(format string, args ...any) { _, _ = fmt.Fprintf(a.Stdout, format, args...) }
