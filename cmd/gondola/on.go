package main

import (
	"github.com/spf13/cobra"

	"gondola/internal/daemon"
)

// newOnCommand undoes off.
func newOnCommand(a *app) *cobra.Command {
	var f switchFlags
	c := &cobra.Command{
		Use:   "on SKU...",
		Short: "Undo gondola off",
		Long: `What the exports say of the articles holds again, and is sent right away; where no export says whether an
article is on sale, it is switched on. Without --vendor it ends every gondola off of the articles.`,
		Example:     "  gondola on 7730241003654\n  gondola on A-17 --vendor 290056",
		Annotations: codes(exitRemote, exitBrake),
		Args:        cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			f.Articles = args
			return a.switchArticles(c.Context(), f, (*daemon.House).SwitchOn)
		},
	}
	f.register(c)
	return c
}
