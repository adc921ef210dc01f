package main

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/daemon"
	"gondola/internal/store"
)

// pauseFlags are what pause is asked.
type pauseFlags struct {
	vendors            []string
	until, reason, who string
}

// newPauseCommand is the stop button.
func newPauseCommand(a *app) *cobra.Command {
	var f pauseFlags
	c := &cobra.Command{
		Use:   "pause",
		Short: "Stop sending, to all stores or to some",
		Long: `Nothing begins to leave any more, within a second, until gondola resume or the time of --until. A file that
is on its way finishes. Exports go on being read and plans being made, so that nothing is lost: what leaves
after the pause is the newest state. A pause outlives the daemon; gondola push does not override it. One file
for all stores waits while any of them is paused. Pausing again takes the place of the pause before.`,
		Example:     "  gondola pause --reason stocktaking\n  gondola pause --vendor 290056 --until 2h\n  gondola pause --until 2026-12-24T18:00",
		Args:        cobra.NoArgs,
		Annotations: codes(),
		RunE:        func(c *cobra.Command, _ []string) error { return a.pause(c.Context(), f) },
	}
	c.Flags().StringArrayVar(&f.vendors, "vendor", nil, "only the store with this `ID`; may be repeated (default all stores)")
	c.Flags().StringVar(&f.until, "until", "", untilUsage)
	c.Flags().StringVar(&f.reason, "reason", "", "`TEXT` that says why, shown by gondola status")
	c.Flags().StringVar(&f.who, "who", "", whoUsage)
	return c
}

// The flags that what is done by hand has in common.
const (
	untilUsage = "ends by itself at this `TIME`, local to the chain (2026-12-24T18:00), or after a duration (2h, 3d)"
	whoUsage   = "`NAME` of who asks, kept beside it (default: the system's user)"
)

// pausedNow is what pause --json and resume --json print.
type pausedNow struct {
	Ended  []daemon.Paused `json:"ended,omitempty"` // by this command
	Paused []daemon.Paused `json:"paused"`          // in force now
}

func (a *app) pause(ctx context.Context, f pauseFlags) error {
	cfg, err := a.lookBeside()
	if err != nil {
		return err
	}
	until, err := untilOf(f.until, zoneOf(cfg.Chain.TimeZone))
	if err != nil {
		return err
	}
	who, err := account(f.who)
	if err != nil {
		return err
	}
	return a.beside(ctx, cfg, func(h *daemon.House) error {
		if err := h.Pause(ctx, daemon.PauseAsk{Vendors: f.vendors, Until: until, Reason: f.reason, Who: who}); err != nil {
			return err
		}
		return a.printPaused(ctx, h, cfg, nil)
	})
}

// printPaused prints which pauses were ended and which are in force.
func (a *app) printPaused(ctx context.Context, h *daemon.House, cfg *config.Config, ended []daemon.Paused) error {
	paused, err := h.Paused(ctx)
	if err != nil {
		return err
	}
	if a.JSON {
		return a.printJSON(pausedNow{Ended: ended, Paused: paused})
	}
	zone := zoneOf(cfg.Chain.TimeZone)
	for _, p := range ended {
		what := "All stores go on."
		if p.Vendor != catalog.AllVendors {
			what = "Store " + p.Vendor + " goes on."
		}
		a.printf("%s\n", what)
	}
	for _, p := range paused {
		a.printf("%s; gondola resume ends it\n", plain(capital(p.Text(zone))))
	}
	return nil
}

// beside opens the state beside a running daemon, or without one, and closes it.
func (a *app) beside(ctx context.Context, cfg *config.Config, work func(*daemon.House) error) (err error) {
	h, err := daemon.Attach(ctx, cfg, daemon.Options{})
	if errors.Is(err, store.ErrNone) {
		return usagef("nothing has run here yet; run gondola once or gondola run first")
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	return work(h)
}

// account returns who asks.
func account(named string) (string, error) {
	if named != "" {
		return named, nil
	}
	u, err := user.Current()
	if err != nil {
		return "", usagef("find out who asks: %w; say it with --who", err)
	}
	return u.Username, nil
}

// untilOf reads --until: a local time, or a duration from now. "" is the zero time.
func untilOf(text string, zone *time.Location) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	now := time.Now()
	until, err := localTime(text, zone)
	if err != nil {
		d, err := config.ParseDuration(text)
		if err != nil {
			return time.Time{}, usagef("--until wants a time such as 2026-12-24T18:00, or a duration such as 2h or 3d; found %q", text)
		}
		until = now.Add(time.Duration(d))
	}
	if !until.After(now) {
		return time.Time{}, usagef("--until %s is over already: it is %s in %s", text, clock(now, zone), zone)
	}
	return until, nil
}

// localTime reads a time as the clock of a zone shows it, with a T or a blank between day and time.
func localTime(text string, zone *time.Location) (time.Time, error) {
	return time.ParseInLocation(wallForm, strings.Replace(text, "T", " ", 1), zone)
}

// capital writes the first letter of a sentence large. It is one of ours, so it is plain.
func capital(text string) string {
	if text == "" {
		return ""
	}
	return fmt.Sprintf("%c", text[0]-'a'+'A') + text[1:]
}
