package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"gondola/internal/config"
)

// newSchemaCommand prints the JSON Schema of the config.
func newSchemaCommand(a *app) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the config, for editors",
		Long: `Prints the JSON Schema of the config: with it editors complete its keys, explain them and mark mistakes while
you type. A config names it in its first line, as a file beside it:

  ` + config.SchemaLine + `

gondola init writes that file; write it anew when a new version of gondola knows more keys. What ties several
values together only gondola check sees.`,
		Example:     "  gondola schema\n  gondola schema --out shop/" + config.SchemaName,
		Args:        cobra.NoArgs,
		Annotations: codes(),
		RunE:        func(*cobra.Command, []string) error { return a.schema(out) },
	}
	c.Flags().StringVar(&out, "out", "", "write it into `FILE` instead")
	return c
}

// schema prints one JSON object as it is, with --json and without. Into a file it goes as bytes: some shells redirect text as UTF-16.
func (a *app) schema(out string) error {
	if out == "" {
		a.printf("%s", config.Schema())
		return nil
	}
	if err := os.WriteFile(out, config.Schema(), 0o644); err != nil {
		return fmt.Errorf("write schema: %w", err)
	}
	return nil
}
