package main

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gondola/internal/daemon"
)

// newInitCommand makes a new installation's files.
func newInitCommand(a *app) *cobra.Command {
	language := "es"
	c := &cobra.Command{
		Use:   "init DIR",
		Short: "Make a folder with a config to fill in",
		Long: `Makes a folder ready for a chain: a commented config.yaml in which only what you alone know is left
to fill in, the drop folders it names, and a spreadsheet for each that store staff fill in: prices and
stock, promotions. Existing files are never overwritten.`,
		Example:     "  gondola init shop --language es\n  gondola check --config shop/config.yaml",
		Args:        oneArg("DIR"),
		Annotations: codes(),
		RunE:        func(_ *cobra.Command, args []string) error { return a.initialize(args[0], language) },
	}
	c.Flags().StringVar(&language, "language", language, "`LANGUAGE` that store staff read: es, pt or en")
	return c
}

// initialized is what init --json prints.
type initialized struct {
	Dir  string   `json:"dir"`
	Made []string `json:"made"`
	Next string   `json:"next"` // the command to run next
}

func (a *app) initialize(dir, language string) error {
	if languages := []string{"es", "pt", "en"}; !slices.Contains(languages, language) {
		return usagef("unknown language %q (known: %s)", language, strings.Join(languages, ", "))
	}
	made, err := daemon.Init(dir, language)
	if err != nil {
		return err
	}
	next := "gondola check --config " + filepath.Join(dir, defaultConfig)
	if a.JSON {
		return a.printJSON(initialized{Dir: dir, Made: made, Next: next})
	}
	for _, name := range made {
		// Join would drop the separator that marks a folder.
		a.printf("made %s\n", filepath.Clean(dir)+string(filepath.Separator)+name)
	}
	a.printf("\nNow fill in every CHANGE-ME in %s, then run:\n\n  %s\n", filepath.Join(dir, defaultConfig), next)
	return nil
}
