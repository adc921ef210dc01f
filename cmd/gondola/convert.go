package main

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"gondola/internal/daemon"
)

// newConvertCommand turns one export into documents, and nothing else.
func newConvertCommand(a *app) *cobra.Command {
	var feed, out string
	c := &cobra.Command{
		Use:   "convert --feed NAME --out DIR EXPORT",
		Short: "Turn one export into catalogue files, without sending anything",
		Long: `Reads one export as a feed of the config would, prints what is wrong with its rows, and writes the
files that a first full push of it would send into a folder. Nothing is remembered and nobody is
connected to: this is how to try out a mapping. The export itself stays where it is.`,
		Example:     "  gondola convert --config shop/config.yaml --feed precios --out /tmp/out export.csv",
		Args:        oneArg("EXPORT"),
		Annotations: codes(exitData),
		RunE:        func(c *cobra.Command, args []string) error { return a.convert(c.Context(), feed, out, args[0]) },
	}
	c.Flags().StringVar(&feed, "feed", "", "`NAME` of the feed in the config")
	c.Flags().StringVar(&out, "out", "", "`DIR` to write the files into, made when missing")
	for _, name := range []string{"feed", "out"} {
		if err := c.MarkFlagRequired(name); err != nil {
			panic("gondola: require flag: " + err.Error()) // it was made two lines above
		}
	}
	return c
}

func (a *app) convert(ctx context.Context, feed, out, export string) error {
	cfg, err := a.look()
	if err != nil {
		return err
	}
	if info, err := os.Stat(export); err != nil {
		return usagef("open export: %w", err)
	} else if !info.Mode().IsRegular() {
		return usagef("open export: %s is not a file", export)
	}
	result, err := daemon.Convert(ctx, cfg, feed, export, out)
	if err != nil {
		return err
	}
	code := exitDone
	if result.Rejected {
		code = exitData
	}
	if a.JSON {
		if err := a.printJSON(result); err != nil {
			return err
		}
		return ended(code)
	}
	for _, is := range result.Issues {
		a.printf("%s\n", plain(issuePlace(is)+is.Text))
	}
	if result.Rejected {
		a.printf("The export was rejected: no file was written.\n")
		return ended(code)
	}
	for _, d := range result.Documents {
		a.printf("wrote %s: %s\n", filepath.Join(out, filepath.FromSlash(path.Join(d.Folder, d.Name))), count(d.Rows, "row"))
	}
	a.printf("%s, %s understood, %s\n", count(result.Rows, "row"), count(result.Records, rowNoun(result.Kind)), count(len(result.Issues), "issue"))
	return nil
}

// issuePlace says where an issue is, in front of its text; nothing for the export as a whole.
func issuePlace(is daemon.IssueText) string {
	var parts []string
	if is.Sheet != "" {
		parts = append(parts, "sheet "+is.Sheet)
	}
	if is.Row > 0 {
		parts = append(parts, fmt.Sprintf("row %d", is.Row))
	}
	if is.Column != "" {
		parts = append(parts, is.Column)
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, ", ") + ": "
}
