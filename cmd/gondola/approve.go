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

	"gondola/internal/catalog"
	"gondola/internal/daemon"
	"gondola/internal/store"
)

// newApproveCommand lets pass what the brake holds.
func newApproveCommand(a *app) *cobra.Command {
	var who string
	c := &cobra.Command{
		Use:   "approve DROP|FINDING [CODE...]",
		Short: "Let pass what the brake holds: an export, or rows",
		Long: `Accepts what the brake has found. DROP is the number of an export, such as 12, of which all or some rows are
held; with codes such as G-BRAKE-01 only those findings about it are accepted. FINDING is the name of what is held of a store's rows,
such as F7: prices that move too far, promotions that take too much off. gondola status shows both. It
counts from now on, and the daemon sends it. The same finding does not ask again for a while
(brake.approval); a worse one does. Where no daemon runs, gondola push or gondola once sends it.`,
		Example: "  gondola approve 12 --who ana\n  gondola approve F7",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("DROP or FINDING is missing")
			}
			return nil
		},
		Annotations: codes(),
		RunE: func(c *cobra.Command, args []string) error {
			d, err := decisionOf(args, who)
			if err != nil {
				return err
			}
			return a.decided(c.Context(), d, a.approve)
		},
	}
	whoFlag(c, &who)
	return c
}

// newRejectCommand puts aside what the brake holds.
func newRejectCommand(a *app) *cobra.Command {
	var who string
	c := &cobra.Command{
		Use:   "reject DROP|FINDING",
		Short: "Put aside what the brake holds: an export, or rows",
		Long: `Decides that what the brake holds does not count. Of an export (DROP, a number such as 12) nothing is sent;
what was sent before stays. Rows (FINDING, such as F7) stay as they were sent, and nobody is asked about them
again as long as they are wanted like that; the next other value is judged anew. gondola status shows
both.`,
		Example:     "  gondola reject 12 --who ana\n  gondola reject F7",
		Args:        oneArg("DROP or FINDING"),
		Annotations: codes(),
		RunE: func(c *cobra.Command, args []string) error {
			d, err := decisionOf(args, who)
			if err != nil {
				return err
			}
			return a.decided(c.Context(), d, a.reject)
		},
	}
	whoFlag(c, &who)
	return c
}

// whoFlag adds the flag that names who decides.
func whoFlag(c *cobra.Command, who *string) {
	c.Flags().StringVar(who, "who", "", "`NAME` of who decides, kept beside it (default: the system's user)")
}

// decision is what somebody decides about.
type decision struct {
	drop    int64 // 0: a finding
	finding int64
	codes   []catalog.Code
	who     string
}

// decisionOf reads the arguments of approve and reject.
func decisionOf(args []string, who string) (decision, error) {
	d := decision{who: who}
	var ok bool
	if d.finding, ok = daemon.FindingID(args[0]); !ok {
		var err error
		if d.drop, err = strconv.ParseInt(args[0], 10, 64); err != nil || d.drop < 1 {
			return d, usagef("want the number of a drop, such as 12, or a finding, such as F7; gondola status shows them; found %q", args[0])
		}
	}
	for _, text := range args[1:] {
		code := catalog.Code(strings.ToUpper(text))
		if !slices.Contains(catalog.Codes, code) || d.finding != 0 {
			return d, usagef("%q is no code of what can be held; gondola status shows them; a finding such as F7 takes none", text)
		}
		d.codes = append(d.codes, code)
	}
	if d.who == "" {
		u, err := user.Current()
		if err != nil {
			return d, usagef("find out who decides: %w; say it with --who", err)
		}
		d.who = u.Username
	}
	return d, nil
}

// decided opens the state beside a running daemon, or without one, and takes a decision there.
func (a *app) decided(ctx context.Context, d decision, take func(context.Context, *daemon.House, decision) error) (err error) {
	cfg, err := a.lookBeside()
	if err != nil {
		return err
	}
	h, err := daemon.Attach(ctx, cfg, daemon.Options{})
	if errors.Is(err, store.ErrNone) {
		return usagef("nothing has run here yet, so nothing is held")
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	return take(ctx, h, d)
}

// approval is what approve --json and reject --json print.
type approval struct {
	Drop    int64   `json:"drop,omitempty"`
	Finding string  `json:"finding,omitempty"`
	Parts   int     `json:"parts"` // of the drop that were held, one a store, and findings about its rows; 1 for a finding
	Who     string  `json:"who"`
	Along   []int64 `json:"along,omitempty"` // other drops, held in the same places, that the brake looks at again
}

func (a *app) approve(ctx context.Context, h *daemon.House, d decision) error {
	if d.finding != 0 {
		ok, err := h.ApproveFinding(ctx, d.finding, d.who)
		return a.foundDecided(d, ok, err, "The rows of finding F%d leave now. Approved by %s.\n")
	}
	held, err := h.HeldExports(ctx)
	if err != nil {
		return err
	}
	parts, err := h.Approve(ctx, d.drop, d.codes, d.who)
	if err != nil {
		return err
	}
	if parts == 0 {
		return notHeld(d.drop)
	}
	along := heldAlong(held, d.drop)
	if a.JSON {
		return a.printJSON(approval{Drop: d.drop, Parts: parts, Who: d.who, Along: along})
	}
	if left := leftOf(held, d); len(left) > 0 {
		a.printf("Approved by %s. Drop %d is still held for %s.\n", plain(d.who), d.drop, strings.Join(left, ", "))
		return nil
	}
	a.printf("What was held of drop %d counts now. Approved by %s.\n", d.drop, plain(d.who))
	if len(along) > 0 {
		numbers := strings.Trim(fmt.Sprint(along), "[]")
		a.printf("The same was held of drop %s, which the brake looks at again: the newest one that passes counts.\n",
			strings.ReplaceAll(numbers, " ", ", "))
	}
	return nil
}

// leftOf returns the codes of what is still held against a drop of which only some were accepted.
func leftOf(held []daemon.Held, d decision) []string {
	var left []string
	for _, one := range held {
		for _, f := range one.Findings {
			if one.Seq == d.drop && len(d.codes) > 0 && !slices.Contains(d.codes, f.Code) && !slices.Contains(left, string(f.Code)) {
				left = append(left, string(f.Code))
			}
		}
	}
	return left
}

func (a *app) reject(ctx context.Context, h *daemon.House, d decision) error {
	if d.finding != 0 {
		ok, err := h.RejectFinding(ctx, d.finding, d.who)
		return a.foundDecided(d, ok, err, "The rows of finding F%d stay as they were sent. Rejected by %s.\n")
	}
	parts, err := h.Reject(ctx, d.drop, d.who)
	if err != nil {
		return err
	}
	if parts == 0 {
		return notHeld(d.drop)
	}
	if a.JSON {
		return a.printJSON(approval{Drop: d.drop, Parts: parts, Who: d.who})
	}
	a.printf("What was held of drop %d does not count. Rejected by %s.\n", d.drop, plain(d.who))
	return nil
}

// foundDecided prints what became of a finding. said has room for its number and for who decided.
func (a *app) foundDecided(d decision, ok bool, err error, said string) error {
	if err != nil {
		return err
	}
	if !ok {
		return usagef("finding F%d does not wait for anybody; gondola status shows those that do", d.finding)
	}
	if a.JSON {
		return a.printJSON(approval{Finding: fmt.Sprintf("F%d", d.finding), Parts: 1, Who: d.who})
	}
	a.printf(said, d.finding, plain(d.who))
	return nil
}

func notHeld(drop int64) error {
	return usagef("the brake does not hold drop %d; gondola status shows what it holds", drop)
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
