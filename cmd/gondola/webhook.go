package main

import (
	"context"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"gondola/internal/daemon"
)

// newWebhookCommand tries the way that the platform's events come.
func newWebhookCommand(a *app) *cobra.Command {
	var address string
	c := &cobra.Command{
		Use:   "webhook test",
		Short: "Send a sample order through the public address, as the platform would",
		Long: `Sends a made-up order to orders.webhook.public_url with the first of orders.webhook.secrets, and says what
happened on the way: a name that leads nowhere, a port nobody listens on, a certificate that would not be
accepted, a proxy that answers itself, another gondola. A second call with a wrong secret must be refused. The
running daemon keeps the sample as what it is; it becomes no order. Run it on another network to see what the
platform sees. Exit code 4 is of a sample that did not arrive.`,
		Example: "  gondola webhook test\n  gondola webhook test --url http://127.0.0.1:8480/webhook",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] != "test" {
				return fmt.Errorf("write gondola webhook test")
			}
			return nil
		},
		ValidArgs:   []string{"test"},
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
