package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gondola/internal/sandbox"
)

// sandboxOrdersFlags are which orders a running sandbox is to have.
type sandboxOrdersFlags struct {
	page   string
	script string
	streamFlags
}

// newSandboxOrdersCommand gives a running sandbox orders.
func newSandboxOrdersCommand(a *app) *cobra.Command {
	var f sandboxOrdersFlags
	c := &cobra.Command{
		Use:   "orders --page URL",
		Short: "Let a running simulated platform have orders",
		Long: `Makes orders at a simulated platform that runs already, and lets them live: they are received, picked and
taken away, some are cancelled, the carts of some change, and events tell of it where the platform would.
Orders, customers and articles are made up; the same seed makes the same lives. It ends when the last
order's life is over, and says what was made.

With --script the orders and what happens to them come from a file, "-" for the standard input. Each line is
a time since the beginning, a name for the order, and what happens:

  0s   a  new 290056 DELIVERY A-1:2 B-2:0.35kg
  5s   a  READY_FOR_PICKUP
  7s   a  cart
  9s   a  cancel ITEM_UNAVAILABLE CUSTOMER
  9s   -  fault duplicate-events`,
		Example:     "  gondola sandbox orders --page http://127.0.0.1:8482/ --rate 20/s --for 1m --cancel 5%",
		Args:        cobra.NoArgs,
		Annotations: codes(exitRemote),
		RunE:        func(c *cobra.Command, _ []string) error { return a.sandboxOrders(c.Context(), f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.page, "page", "", "`URL` of the sandbox's page, as it said at its start")
	flags.StringVar(&f.rate, "rate", "1/s", "how many orders: a `RATE` such as 20/s, 6/m or 100/h")
	flags.DurationVar(&f.during, "for", time.Minute, "`DURATION` in which orders are made; 0s: until --count or Ctrl-C")
	flags.IntVar(&f.count, "count", 0, "`N` orders at most; 0: as many as come")
	flags.DurationVar(&f.step, "step", usualStep, "`DURATION` from one state of an order to the next, give or take a half")
	flags.Uint64Var(&f.seed, "seed", 1, "`NUMBER` that makes the lives")
	flags.StringVar(&f.cancel, "cancel", usualShare, "`SHARE` of orders that are cancelled")
	flags.StringVar(&f.cart, "cart", usualShare, "`SHARE` of orders whose cart changes under a state")
	flags.StringVar(&f.unknown, "unknown", "0%", "`SHARE` of orders that pass through a state that no page names")
	flags.StringSliceVar(&f.vendors, "store", nil, "`ID` of a store; may be repeated (default: all with articles)")
	flags.StringVar(&f.script, "script", "", "`FILE` with orders and what happens to them, instead of random ones")
	if err := c.MarkFlagRequired("page"); err != nil {
		panic("gondola: require flag: " + err.Error()) // it was made above
	}
	return c
}

func (a *app) sandboxOrders(ctx context.Context, f sandboxOrdersFlags) error {
	u, err := url.Parse(f.page)
	if err != nil || u.Host == "" {
		return usagef("--page is no address; write the one that gondola sandbox said, such as http://127.0.0.1:8482/")
	}
	path, body, err := f.request(a.Stdin)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.JoinPath(path).String(), bytes.NewReader(body))
	if err != nil {
		return usagef("--page: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if ctx.Err() != nil {
		return nil // Ctrl-C: the sandbox makes no more
	}
	if err != nil {
		return &failure{exitRemote, fmt.Errorf("ask the sandbox for orders: %w; is it running", err)}
	}
	defer func() { _ = resp.Body.Close() }() // read only
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return &failure{exitRemote, fmt.Errorf("ask the sandbox for orders: %w", err)}
	}
	if resp.StatusCode != http.StatusOK {
		return &failure{exitRemote, fmt.Errorf("ask the sandbox for orders: %s: %s", resp.Status, strings.TrimSpace(string(data)))}
	}
	var made sandbox.Streamed
	if err := json.Unmarshal(data, &made); err != nil {
		return &failure{exitRemote, fmt.Errorf("ask the sandbox for orders: %w; is the page that of gondola sandbox", err)}
	}
	if a.JSON {
		if err := a.printJSON(made); err != nil {
			return err
		}
	} else {
		a.printf("%s\n", count(len(made.Orders), "order"))
	}
	if made.Error != "" {
		return &failure{exitRemote, fmt.Errorf("the sandbox stopped: %s", made.Error)}
	}
	return nil
}

// request returns what the sandbox is asked.
func (f *sandboxOrdersFlags) request(stdin io.Reader) (path string, body []byte, err error) {
	if f.script == "-" {
		body, err = io.ReadAll(stdin)
	} else if f.script != "" {
		body, err = os.ReadFile(f.script)
	}
	if err != nil {
		return "", nil, usagef("read script: %w", err)
	}
	if f.script != "" {
		return "control/script", body, nil
	}
	st, err := f.stream()
	if err != nil {
		return "", nil, err
	}
	if body, err = json.Marshal(st); err != nil {
		return "", nil, fmt.Errorf("write the stream: %w", err)
	}
	return "control/orders", body, nil
}
