package main

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"gondola/internal/daemon"
	"gondola/internal/store"
)

// newApproveCommand lets a held export pass.
func newApproveCommand(a *app) *cobra.Command {
	var who string
	c := &cobra.Command{
		Use:   "approve DROP",
		Short: "Let an export pass that the brake holds",
		Long: `Accepts what the brake has against an export: it counts from now on, and the daemon sends it. DROP is its
number, which gondola status shows. The same finding does not ask again for a while (brake.approval); a
worse one does. Where no daemon runs, gondola push or gondola once sends it.`,
		Example:     "  gondola approve 12 --who ana",
		Args:        oneArg("DROP"),
		Annotations: codes(),
		RunE: func(c *cobra.Command, args []string) error {
			drop, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || drop < 1 {
				return usagef("DROP is a number such as 12, which gondola status shows; found %q", args[0])
			}
			return a.approve(c.Context(), drop, who)
		},
	}
	c.Flags().StringVar(&who, "who", "", "`NAME` of who approves, kept beside it (default: the system's user)")
	return c
}

// approval is what approve --json prints.
type approval struct {
	Drop  int64   `json:"drop"`
	Freed int     `json:"freed"` // parts of it that were held, one a store
	Who   string  `json:"who"`
	Along []int64 `json:"along,omitempty"` // other drops, held in the same places, that the brake looks at again
}

func (a *app) approve(ctx context.Context, drop int64, who string) (err error) {
	cfg, err := a.look()
	if err != nil {
		return err
	}
	if who == "" {
		u, err := user.Current()
		if err != nil {
			return usagef("find out who approves: %w; say it with --who", err)
		}
		who = u.Username
	}
	h, err := daemon.Attach(ctx, cfg, daemon.Options{})
	if errors.Is(err, store.ErrNone) {
		return usagef("nothing has run here yet, so nothing is held")
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	held, err := h.HeldExports(ctx)
	if err != nil {
		return err
	}
	freed, err := h.Approve(ctx, drop, who)
	if err != nil {
		return err
	}
	if freed == 0 {
		return usagef("the brake does not hold drop %d; gondola status shows what it holds", drop)
	}
	along := heldAlong(held, drop)
	if a.JSON {
		return a.printJSON(approval{Drop: drop, Freed: freed, Who: who, Along: along})
	}
	a.printf("Drop %d counts now. Approved by %s.\n", drop, plain(who))
	if len(along) > 0 {
		numbers := strings.Trim(fmt.Sprint(along), "[]")
		a.printf("The same was held of drop %s, which the brake looks at again: the newest one that passes counts.\n",
			strings.ReplaceAll(numbers, " ", ", "))
	}
	return nil
}

// heldAlong returns the other drops that are held in a place where drop is: an approval is of what the brake has found there, so it is
// asked about them once more.
func heldAlong(held []daemon.Held, drop int64) []int64 {
	type place struct{ feed, vendor string }
	places := map[place]bool{}
	for _, d := range held {
		if d.Seq == drop {
			places[place{d.Feed, d.Vendor}] = true
		}
	}
	var along []int64
	for _, d := range held {
		if d.Seq != drop && places[place{d.Feed, d.Vendor}] {
			along = append(along, d.Seq)
		}
	}
	slices.Sort(along)
	return slices.Compact(along)
}
