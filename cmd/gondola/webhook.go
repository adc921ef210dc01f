package main

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"gondola/internal/config"
	"gondola/internal/daemon"
	"gondola/internal/store"
)

// newWebhookCommand is the parent of what is about the platform's events.
func newWebhookCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "webhook",
		Short: "Try the way that events come, and show those that could not be handled",
		Long: `The platform tells of orders and of jobs by webhook; the running daemon listens at orders.webhook.listen. test
sends a sample the whole way; aside shows events that could not be handled, and hands them on once more.`,
		Example:     "  gondola webhook test\n  gondola webhook aside --retry",
		Annotations: codes(exitRemote),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unknown %q", args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newWebhookTestCommand(a), newWebhookAsideCommand(a))
	return c
}

func newWebhookTestCommand(a *app) *cobra.Command {
	var address string
	c := &cobra.Command{
		Use:   "test",
		Short: "Send a sample order through the public address, as the platform would",
		Long: `Sends a made-up order to orders.webhook.public_url with the first of orders.webhook.secrets, and says what
happened on the way: a name that leads nowhere, a port nobody listens on, a certificate that would not be
accepted, a proxy that answers itself, another gondola. A second call with a wrong secret must be refused. The
running daemon keeps the sample as what it is; it becomes no order. Run it on another network to see what the
platform sees. Exit code 4 is of a sample that did not arrive.`,
		Example:     "  gondola webhook test\n  gondola webhook test --url http://127.0.0.1:8480/webhook",
		Args:        cobra.NoArgs,
		Annotations: codes(exitRemote),
		RunE:        func(c *cobra.Command, _ []string) error { return a.webhookTest(c.Context(), address) },
	}
	c.Flags().StringVar(&address, "url", "", "send it to this `ADDRESS` (default orders.webhook.public_url)")
	return c
}

func (a *app) webhookTest(ctx context.Context, address string) error {
	cfg, err := a.look()
	if err != nil {
		return err
	}
	if len(cfg.Orders.Webhook.Secrets) == 0 {
		return usagef("the config has no secret to show; write orders.webhook.secrets: [env:GONDOLA_WEBHOOK_SECRET]")
	}
	if address == "" && cfg.Orders.Webhook.PublicURL == "" {
		return usagef("the config does not say what the platform was told; write orders.webhook.public_url, or give --url")
	}
	if u, err := url.Parse(address); address != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return usagef("--url: want a whole address such as https://orders.example.net/webhook, found %q", address)
	}
	t, err := daemon.TryWebhook(ctx, cfg, address, nil)
	if err != nil {
		return err
	}
	code := exitDone
	if !t.OK() {
		code = exitRemote
	}
	if a.JSON {
		if err := a.printJSON(t); err != nil {
			return err
		}
		return ended(code)
	}
	a.printf("%s  %s\n%s\n", map[bool]string{true: "ok    ", false: "failed"}[t.OK()], plain(t.URL), plain(t.Text))
	return ended(code)
}

func newWebhookAsideCommand(a *app) *cobra.Command {
	var retry bool
	var limit int
	c := &cobra.Command{
		Use:   "aside",
		Short: "Show events that could not be handled",
		Long: `Lists events that were answered with 200 and put aside, the newest first: malformed is neither an order nor a
job, foreign is of another chain than chain.id, failed could not be handled for a day. What they said is
personal and not shown. --retry hands all of them on once more, which a new program does by itself.`,
		Example:     "  gondola webhook aside\n  gondola webhook aside --retry",
		Args:        cobra.NoArgs,
		Annotations: codes(),
		RunE:        func(c *cobra.Command, _ []string) error { return a.webhookAside(c.Context(), retry, limit) },
	}
	c.Flags().BoolVar(&retry, "retry", false, "hand them on once more")
	c.Flags().IntVar(&limit, "limit", 100, "at most so `MANY`")
	return c
}

// asideList is what webhook aside --json prints.
type asideList struct {
	Events  []store.AsideEvent `json:"events"`
	Retried int64              `json:"retried"` // with --retry
}

func (a *app) webhookAside(ctx context.Context, retry bool, limit int) error {
	if limit < 1 {
		return usagef("--limit is 1 or more, found %d", limit)
	}
	return a.attached(ctx, func(cfg *config.Config, h *daemon.House) error {
		all, err := h.AsideEvents(ctx, limit)
		if err != nil {
			return err
		}
		out := asideList{Events: slices.Concat([]store.AsideEvent{}, all)}
		if retry {
			if out.Retried, err = h.RetryEvents(ctx); err != nil {
				return err
			}
		}
		if a.JSON {
			return a.printJSON(out)
		}
		if len(all) == 0 {
			a.printf("No events are aside.\n")
			return nil
		}
		rows := make([][]string, len(all))
		for i, e := range all {
			rows[i] = []string{strconv.FormatInt(e.ID, 10), clock(e.At, zoneOf(cfg.Chain.TimeZone)), e.Reason, strconv.Itoa(e.Size), plain(e.Detail)}
		}
		a.table([]string{"EVENT", "CAME", "REASON", "BYTES", "DETAIL"}, rows)
		if retry {
			a.printf("%s handed on once more, by the running daemon or the next start.\n", count(int(out.Retried), "event"))
		}
		return nil
	}, nothingYet)
}
