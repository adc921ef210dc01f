package main

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"time"

	"github.com/spf13/cobra"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/daemon"
	"gondola/internal/store"
)

// rollbackFlags are what rollback is asked.
type rollbackFlags struct {
	to, vendor, feed, who string
	yes                   bool
	wait                  time.Duration
}

// newRollbackCommand puts back what was wanted.
func newRollbackCommand(a *app) *cobra.Command {
	var f rollbackFlags
	c := &cobra.Command{
		Use:   "rollback",
		Short: "Put back what was wanted at an earlier time",
		Long: `Makes what was wanted at a time wanted again, as a new entry on top of what was dropped since: with a number
of its own, through the brake, sent like any other change. Nothing is sent a second time as it was.
Articles that no export spoke of then stay as they are. Promotions that were wanted then and are not over
come back; those that were not are ended. An export that comes later counts as ever, so stop a wrong one at
its source. What the brake held until now is replaced.
Without --yes it only shows what would change. A running daemon is asked to do it; without one this command
does it itself.`,
		Example:     "  gondola rollback --to 6h\n  gondola rollback --to 2026-11-25T09:00 --vendor 290056 --feed precios --yes",
		Args:        cobra.NoArgs,
		Annotations: codes(exitRemote, exitBrake),
		RunE:        func(c *cobra.Command, _ []string) error { return a.rollback(c.Context(), f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.to, "to", "", "`TIME` to go back to: 2006-01-02T15:04 in the chain's zone, RFC 3339 or 6h for six hours ago; needed")
	flags.StringVar(&f.vendor, "vendor", "", "only the store with this `ID` (default all stores)")
	flags.StringVar(&f.feed, "feed", "", "only what the feed of this `NAME` says (default all feeds)")
	flags.StringVar(&f.who, "who", "", "`NAME` of who asks for it, kept beside it (default: the system's user)")
	flags.BoolVar(&f.yes, "yes", false, "do it")
	flags.DurationVar(&f.wait, "wait", pushWait, "wait at most this `DURATION` for a running daemon; 0s only asks it")
	_ = c.MarkFlagRequired("to") // it is there
	return c
}

func (a *app) rollback(ctx context.Context, f rollbackFlags) error {
	var u daemon.Undo
	var running bool
	err := a.attached(ctx, func(cfg *config.Config, h *daemon.House) (err error) {
		if u, err = a.undo(cfg, f); err != nil {
			return err
		}
		if !f.yes {
			return a.showRollback(ctx, cfg, h, u)
		}
		if running, err = store.Running(cfg.State.Dir); err != nil || !running {
			return err
		}
		return a.rollbackBeside(ctx, h, u, f)
	}, nothingYet)
	if err != nil || !f.yes || running {
		return err
	}
	return a.rollbackAlone(ctx, u, f)
}

// undo reads the flags.
func (a *app) undo(cfg *config.Config, f rollbackFlags) (daemon.Undo, error) {
	u := daemon.Undo{Vendor: f.vendor, Feed: f.feed, Who: f.who}
	var err error
	if u.To, err = momentOf("--to", f.to, time.Now(), zoneOf(cfg.Chain.TimeZone)); err != nil {
		return u, err
	}
	if u.Who == "" {
		one, err := user.Current()
		if err != nil {
			return u, usagef("find out who asks for it: %w; say it with --who", err)
		}
		u.Who = one.Username
	}
	return u, nil
}

// showRollback shows what would change.
func (a *app) showRollback(ctx context.Context, cfg *config.Config, h *daemon.House, u daemon.Undo) error {
	seen, err := h.PreviewRollback(ctx, u)
	if err != nil {
		return err
	}
	if a.JSON {
		return a.printJSON(seen)
	}
	zone := zoneOf(cfg.Chain.TimeZone)
	if len(seen.Parts) == 0 {
		a.printf("What was wanted at %s is wanted now: there is nothing to put back.\n", moment(seen.To, zone))
	} else {
		a.printf("Back to %s:\n", moment(seen.To, zone))
	}
	for _, p := range seen.Parts {
		a.printf("  feed %s, %s: %d read otherwise than now\n", p.Feed, whichStore(cfg, p.Vendor), p.Records)
		for _, issue := range p.Findings {
			a.printf("    the brake would hold it: %s\n", plain(issue.Text))
		}
	}
	for _, s := range seen.Stores {
		a.printf("  %s of %s would then change: %s\n", s.Kind, whichStore(cfg, s.Vendor), changeText(s))
		for _, issue := range s.Held {
			a.printf("    the brake would hold rows until somebody approves them: %s\n", plain(issue.Text))
		}
	}
	for _, feed := range seen.Left {
		a.printf("  feed %s speaks for all stores and stays as it is; leave --vendor out to put it back in all of them\n", feed)
	}
	if len(seen.Parts) > 0 {
		a.printf("Nothing was changed. Say it again with --yes to do it.\n")
	}
	return nil
}

// whichStore names a store, or all of them.
func whichStore(cfg *config.Config, id string) string {
	if id == catalog.AllVendors {
		return "all stores"
	}
	return "store " + storeName(cfg, id)
}

// changeText counts what changes.
func changeText(s daemon.UndonePlan) string {
	if s.Differs == 0 {
		return "nothing"
	}
	return fmt.Sprintf("%d (%s)", s.Differs, changeParts(s.Change))
}

// rolledBack is what rollback --yes --json prints.
type rolledBack struct {
	Drop int64     `json:"drop"` // 0: there was nothing to put back
	To   time.Time `json:"to"`
	Who  string    `json:"who"`
	pushed
}

// rollbackBeside asks the running daemon and waits for it.
func (a *app) rollbackBeside(ctx context.Context, h *daemon.House, u daemon.Undo, f rollbackFlags) error {
	id, err := h.AskRollback(ctx, u)
	if err != nil {
		return err
	}
	if f.wait <= 0 {
		if a.JSON {
			return a.printJSON(rolledBack{To: u.To, Who: u.Who, pushed: pushed{Text: "asked the running daemon"}})
		}
		a.printf("Asked the running daemon; gondola ledger --kind rollback says when it was done.\n")
		return nil
	}
	over := time.Now().Add(f.wait)
	b, err := waitRolledBack(ctx, h, id, over)
	if err != nil {
		return err
	}
	var vendors []string
	if u.Vendor != "" {
		vendors = []string{u.Vendor}
	}
	p, err := waitPushed(ctx, h, pushFlags{Ask: daemon.Ask{Vendors: vendors}, wait: time.Until(over)})
	if err != nil {
		return err
	}
	if err := p.countHeld(ctx, h); err != nil {
		return err
	}
	if a.JSON {
		if err := a.printJSON(rolledBack{Drop: b.Seq, To: u.To, Who: u.Who, pushed: p}); err != nil {
			return err
		}
		return ended(pushedCode(p))
	}
	a.printRolledBack(b)
	return a.printPushed(p, f.wait)
}

// waitRolledBack waits until a rollback is done.
func waitRolledBack(ctx context.Context, h *daemon.House, id int64, over time.Time) (store.Rollback, error) {
	look := time.NewTicker(pushLook)
	defer look.Stop()
	for {
		b, err := h.Rollback(ctx, id)
		switch {
		case err != nil || b.State == store.RollbackDone:
			return b, err
		case b.State == store.RollbackFailed:
			return b, fmt.Errorf("roll back: %s", b.Error)
		case time.Now().After(over):
			return b, errors.New("the daemon has not come to it yet; it goes on with what it was asked for")
		}
		select {
		case <-ctx.Done():
			return b, errors.New("stopped by a signal; the daemon goes on with what it was asked for")
		case <-look.C:
		}
	}
}

// rollbackAlone does it without a daemon.
func (a *app) rollbackAlone(ctx context.Context, u daemon.Undo, f rollbackFlags) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	var b store.Rollback
	out, err := a.withHouse(ctx, cfg, daemon.Options{}, func(h *daemon.House) (out daemon.Outcome, err error) {
		b, out, err = h.RollbackNow(ctx, u)
		return out, err
	})
	if errors.Is(err, store.ErrLocked) { // it was started just now
		return a.attached(ctx, func(_ *config.Config, h *daemon.House) error { return a.rollbackBeside(ctx, h, u, f) }, nothingYet)
	}
	if err != nil {
		return err
	}
	if b.State == store.RollbackFailed {
		return fmt.Errorf("roll back: %s", b.Error)
	}
	if a.JSON {
		done := pushed{Done: out.Remote == "", Held: out.Held, Rows: out.HeldRows, Paused: out.Paused > 0, Text: out.Remote}
		if err := a.printJSON(rolledBack{Drop: b.Seq, To: u.To, Who: u.Who, pushed: done}); err != nil {
			return err
		}
		return ended(outcomeCode(out))
	}
	a.printRolledBack(b)
	return a.printOutcome(out)
}

func (a *app) printRolledBack(b store.Rollback) {
	if b.Seq == 0 {
		a.printf("What was wanted then is wanted now: there was nothing to put back.\n")
		return
	}
	a.printf("Put back as drop %d, asked for by %s.\n", b.Seq, plain(b.Who))
}

// rollbackLines says what was put back, in status; nothing where nothing was.
func rollbackLines(r *daemon.RollbackLine, zone *time.Location) []string {
	if r == nil {
		return nil
	}
	line := fmt.Sprintf("rollback  to %s by %s, asked for %s", moment(r.To, zone), r.Who, clock(r.At, zone))
	switch r.State {
	case string(store.RollbackDone):
		line += fmt.Sprintf(": counts as drop %d", r.Seq)
	case string(store.RollbackFailed):
		line += ": failed: " + r.Error
	}
	return []string{line}
}
