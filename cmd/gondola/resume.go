package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gondola/internal/catalog"
	"gondola/internal/daemon"
)

// newResumeCommand ends pauses.
func newResumeCommand(a *app) *cobra.Command {
	var vendors []string
	var who string
	c := &cobra.Command{
		Use:   "resume",
		Short: "Go on sending after a pause",
		Long: `Ends pauses: all of them, or those of some stores. What a slot asked for meanwhile leaves at once, as things
stand now; without a daemon gondola once or gondola push sends it.`,
		Example:     "  gondola resume\n  gondola resume --vendor 290056",
		Args:        cobra.NoArgs,
		Annotations: codes(),
		RunE:        func(c *cobra.Command, _ []string) error { return a.resume(c.Context(), vendors, who) },
	}
	c.Flags().StringArrayVar(&vendors, "vendor", nil, "only the pause of the store with this `ID`; may be repeated (default all pauses)")
	c.Flags().StringVar(&who, "who", "", whoUsage)
	return c
}

func (a *app) resume(ctx context.Context, vendors []string, who string) error {
	cfg, err := a.lookBeside()
	if err != nil {
		return err
	}
	if who, err = account(who); err != nil {
		return err
	}
	return a.beside(ctx, cfg, func(h *daemon.House) error {
		paused, err := h.Paused(ctx)
		if err != nil {
			return err
		}
		for _, id := range vendors {
			of := func(scope string) bool {
				return slices.ContainsFunc(paused, func(p daemon.Paused) bool { return p.Vendor == scope })
			}
			if !of(id) && of(catalog.AllVendors) {
				return usagef("all stores are paused, not store %s alone; say gondola resume without --vendor, then pause those that shall wait", id)
			}
		}
		ended, err := h.Resume(ctx, vendors, who)
		if err != nil {
			return err
		}
		if len(ended) == 0 {
			what := "nothing"
			if len(vendors) > 0 {
				what = "none of the stores " + strings.Join(vendors, ", ")
			}
			return usagef("%s is paused", what)
		}
		return a.printPaused(ctx, h, cfg, ended)
	})
}
