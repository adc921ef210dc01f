package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"gondola/internal/config"
	"gondola/internal/daemon"
)

// manyOrders is how many orders are handed over once more without --yes: a few are what somebody has typed.
const manyOrders = 20

// replayFlags are what orders replay is asked.
type replayFlags struct {
	orderFlags
	who string
	yes bool
}

func newOrdersReplayCommand(a *app) *cobra.Command {
	var f replayFlags
	c := &cobra.Command{
		Use:   "replay {ID... | --since TIME}",
		Short: "Hand orders over once more",
		Long: `Makes orders due once more: those named by id, external id or code, or all that changed in a time. They go into
new files, marked as replay and with a higher revision than before, one for each state of orders.export.on
that they reached; --state takes one of these only. That is also how orders get to the ERP that were there
before orders.export was, or whose store was not in the config. What is not kept any more can't be handed over.
The ledger keeps who asked. More than 20 orders need --yes.`,
		Example:     "  gondola orders replay 12345678 --who ana\n  gondola orders replay --since 2026-11-25 --until 2026-11-26 --state READY_FOR_PICKUP --yes",
		Annotations: codes(),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 && (f.since != "" || f.until != "" || f.vendor != "") {
				return fmt.Errorf("name orders, or a time; not both")
			}
			if len(args) == 0 && f.since == "" {
				return fmt.Errorf("ID or --since is missing")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return a.replayOrders(c.Context(), args, f) },
	}
	f.register(c)
	c.Flags().StringVar(&f.until, "until", "", "changed before this `TIME`")
	c.Flags().StringVar(&f.who, "who", "", whoUsage)
	c.Flags().BoolVar(&f.yes, "yes", false, "also where they are many")
	return c
}

// replayed is what orders replay --json prints.
type replayed struct {
	Orders int `json:"orders"` // that were found
	Due    int `json:"due"`    // hand-overs that are due now
}

func (a *app) replayOrders(ctx context.Context, ids []string, f replayFlags) error {
	who, err := account(f.who)
	if err != nil {
		return err
	}
	return a.attached(ctx, func(cfg *config.Config, h *daemon.House) error {
		ask := daemon.ReplayAsk{IDs: ids, Who: who}
		if ask.Range, err = f.ask(cfg); err != nil {
			return err
		}
		// Of what was handed over, the state that was asked for; the orders themselves may be further.
		ask.State, ask.Range.State = ask.Range.State, ""
		found, err := h.FindReplay(ctx, ask)
		if err != nil {
			return err
		}
		if len(found) > manyOrders && !f.yes {
			return usagef("that is about %s; say --yes if it is meant", count(len(found), "order"))
		}
		due, err := h.Replay(ctx, found, ask)
		if err != nil {
			return err
		}
		if a.JSON {
			return a.printJSON(replayed{len(found), due})
		}
		a.printf("%s found, %s due now; a running daemon makes the files, or gondola orders export.\n", count(len(found), "order"), count(due, "hand-over"))
		return nil
	}, nothingYet)
}
