package daemon

import (
	"context"
	"fmt"
	"net/netip"

	"gondola/internal/inbox"
)

// listenWebhook takes the port that the platform's events come to, where the config has one and this process is to serve it. before is the
// server of the house before this one, nil for none: it goes on, by this config, where it has the right port.
func (h *House) listenWebhook(before *inbox.Server) error {
	w := h.cfg.Orders.Webhook
	if w.Listen == "" || !h.opts.Serve {
		return nil
	}
	proxies, err := h.trustedProxies()
	if err != nil {
		return err
	}
	c := inbox.Config{
		Listen: w.Listen, Bind: h.bind, Path: w.Path, Secrets: h.webhookSecrets(), Certificate: w.Certificate, Key: w.Key, TrustedProxies: proxies,
		Keeper: h.store, Trouble: h.webhookTrouble, Log: h.log.With("component", "inbox"), Now: h.now,
	}
	if before != nil && before.Fits(c) {
		if h.changeWebhook, err = before.Change(c); err != nil {
			return err
		}
		h.webhook = before
		_, err := h.bind(w.Listen) // the port is this house's, too
		return err
	}
	h.webhook, err = inbox.New(c)
	if err != nil {
		h.webhook = nil
		return err
	}
	h.log.Info("webhook", "address", h.webhook.Addr().String(), "path", w.Path)
	return nil
}

// runWebhook takes events until ctx ends.
func (h *House) runWebhook(ctx context.Context) {
	if err := h.webhook.Run(ctx); err != nil {
		h.webhookTrouble("webhook", err.Error()) // sending goes on without it
	}
}

// closeWebhook gives the port free. There may be none.
func (h *House) closeWebhook() error {
	if h.webhook == nil || h.changeWebhook != nil {
		return nil // or it is still the one of the house before
	}
	return h.webhook.Close()
}

// WebhookAddr returns the address that webhooks are taken on, "" where none are.
func (h *House) WebhookAddr() string {
	if h.webhook == nil {
		return ""
	}
	return h.webhook.Addr().String()
}

// webhookTrouble tells what keeps events from being taken, as of a loop.
func (h *House) webhookTrouble(what, problem string) {
	loop := "webhook"
	if what != loop {
		loop += " " + what
	}
	h.troubles.note(loop, problem)
	if problem == "" {
		h.log.Info("works again", "loop", loop)
		return
	}
	h.tell(Event{Kind: EventTrouble, Text: fmt.Sprintf("%s: %s", loop, problem)})
}

// webhookSecrets returns how each secret is read.
func (s *setup) webhookSecrets() []func() (string, error) {
	all := make([]func() (string, error), len(s.cfg.Orders.Webhook.Secrets))
	for i, secret := range s.cfg.Orders.Webhook.Secrets {
		all[i] = secret.Value
	}
	return all
}

// trustedProxies returns the networks of the config; an address is a network of one.
func (s *setup) trustedProxies() ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, text := range s.cfg.Orders.Webhook.TrustedProxies {
		p, err := netip.ParsePrefix(text)
		if a, addrErr := netip.ParseAddr(text); addrErr == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("read orders.webhook.trusted_proxies: %w", err)
		}
		all = append(all, p.Masked())
	}
	return all, nil
}
