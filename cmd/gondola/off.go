package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/daemon"
	"gondola/internal/store"
)

// switchFlags are what off and on are asked.
type switchFlags struct {
	daemon.OffAsk
	until string
	list  bool
	wait  time.Duration
}

// newOffCommand switches articles off by hand.
func newOffCommand(a *app) *cobra.Command {
	var f switchFlags
	c := &cobra.Command{
		Use:   "off SKU...",
		Short: "Switch articles off at once, whatever exports say",
		Long: `Takes articles off sale, in all stores or in some, and sends that right away: through a running daemon, or by
itself. It stands above every export, and the brake has no say in it, until gondola on or the time of --until;
then what the exports say holds again. SKU is a barcode where the chain identifies by those. What is paused
stays paused. --list shows what is switched off, and changes nothing.`,
		Example:     "  gondola off 7730241003654 --reason recalled\n  gondola off A-17 A-18 --vendor 290056 --until 2026-12-24T18:00\n  gondola off --list",
		Annotations: codes(exitRemote, exitBrake),
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case f.list && len(args) > 0:
				return fmt.Errorf("--list takes no SKU")
			case !f.list && len(args) == 0:
				return fmt.Errorf("SKU is missing; --list shows what is switched off")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if f.list {
				return a.listOff(c.Context())
			}
			f.Articles = args
			return a.switchArticles(c.Context(), f, (*daemon.House).SwitchOff)
		},
	}
	f.register(c)
	c.Flags().StringVar(&f.until, "until", "", untilUsage)
	c.Flags().StringVar(&f.Reason, "reason", "", "`TEXT` that says why, shown by gondola off --list")
	c.Flags().BoolVar(&f.list, "list", false, "show what is switched off")
	return c
}

func (f *switchFlags) register(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.Vendors, "vendor", nil, "only in the store with this `ID`; may be repeated (default all stores)")
	c.Flags().StringVar(&f.Who, "who", "", whoUsage)
	c.Flags().DurationVar(&f.wait, "wait", pushWait, "wait at most this `DURATION` for a running daemon; 0s only asks it")
}

// switchArticles has a change made by the running daemon, or makes it.
func (a *app) switchArticles(ctx context.Context, f switchFlags, change func(*daemon.House, context.Context, daemon.OffAsk) error) error {
	cfg, err := a.lookBeside()
	if err != nil {
		return err
	}
	if f.Until, err = untilOf(f.until, zoneOf(cfg.Chain.TimeZone)); err != nil {
		return err
	}
	if f.Who, err = account(f.Who); err != nil {
		return err
	}
	running, err := store.Running(cfg.State.Dir)
	if err != nil {
		return err
	}
	beside := func() error {
		return a.beside(ctx, cfg, func(h *daemon.House) error {
			return a.askAndWait(ctx, h, pushFlags{Ask: daemon.Ask{Vendors: f.Vendors}, wait: f.wait}, func() error { return change(h, ctx, f.OffAsk) })
		})
	}
	if running {
		return beside()
	}
	if cfg, err = a.load(); err != nil {
		return err
	}
	out, err := a.withHouse(ctx, cfg, daemon.Options{}, func(h *daemon.House) (daemon.Outcome, error) {
		return h.SwitchNow(ctx, func(ctx context.Context, ask daemon.OffAsk) error { return change(h, ctx, ask) }, f.OffAsk)
	})
	if errors.Is(err, store.ErrLocked) { // it was started just now
		return beside()
	}
	if err != nil {
		return err
	}
	return a.printOutcome(out)
}

// offList is what off --list --json prints.
type offList struct {
	Off []daemon.Off `json:"off"`
}

func (a *app) listOff(ctx context.Context) error {
	cfg, err := a.lookBeside()
	if err != nil {
		return err
	}
	return a.beside(ctx, cfg, func(h *daemon.House) error {
		all, err := h.Offs(ctx)
		if err != nil {
			return err
		}
		if a.JSON {
			return a.printJSON(offList{all})
		}
		if len(all) == 0 {
			a.printf("Nothing is switched off by hand.\n")
			return nil
		}
		a.table([]string{"ARTICLE", "STORE", "SINCE", "UNTIL", "WHO", "REASON"}, offRows(cfg, all))
		return nil
	})
}

func offRows(cfg *config.Config, all []daemon.Off) [][]string {
	zone := zoneOf(cfg.Chain.TimeZone)
	rows := make([][]string, len(all))
	for i, o := range all {
		where := storeName(cfg, o.Vendor)
		if o.Vendor == catalog.AllVendors {
			where = "all"
		}
		rows[i] = []string{o.Key, where, clock(o.Since, zone), clock(o.Until, zone), o.Who, o.Reason}
	}
	return rows
}
