package daemon

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"net/http"

	"gondola/internal/config"
	"gondola/internal/inbox"
	"gondola/internal/store"
)

// WebhookTrial is what became of a sample order.
type WebhookTrial struct {
	URL string `json:"url"`
	inbox.Result
	Millis int64 `json:"ms"`
}

// OK reports whether the way is free: the sample was taken by this gondola, and a wrong secret was not.
func (t WebhookTrial) OK() bool { return t.Verdict == inbox.VerdictOK }

// TryWebhook sends a made-up order to an address, or to orders.webhook.public_url where it is "", as the platform would. The order is
// marked as a sample and never handed on. The error is of the config; what went wrong on the way is in the result.
func TryWebhook(ctx context.Context, cfg *config.Config, address string, client *http.Client) (WebhookTrial, error) {
	t := WebhookTrial{URL: address}
	if t.URL == "" {
		t.URL = cfg.Orders.Webhook.PublicURL
	}
	secret, err := cfg.Orders.Webhook.Secrets[0].Value()
	if err != nil {
		return t, err
	}
	body := sampleOrder(cfg)
	t.Result = inbox.Trial{URL: t.URL, Secret: secret, Body: body, Client: client}.Do(ctx)
	t.Millis = t.Took.Milliseconds()
	if !t.OK() {
		return t, nil
	}
	st, err := store.OpenShared(ctx, cfg.State.Dir)
	if errors.Is(err, store.ErrNone) {
		return t, nil // the daemon runs on another machine
	}
	if err != nil {
		return t, err
	}
	here, err := st.HasEvent(ctx, sha256.Sum256(body))
	if err := errors.Join(err, st.Close()); err != nil {
		return t, err
	}
	if !here {
		t.Verdict = inbox.VerdictAlien
		t.Text = "taken by another gondola, which has the same secret: it is not in state.dir here; let the address lead to this one"
	}
	return t, nil
}

// sampleOrder returns an order that nobody made.
func sampleOrder(cfg *config.Config) []byte {
	vendor := ""
	if len(cfg.Vendors) > 0 {
		vendor = cfg.Vendors[0].ID
	}
	return []byte(encode(map[string]any{
		"order_id": "gondola-test-" + rand.Text(), "status": "RECEIVED", "items": []any{},
		"client": map[string]string{"chain_id": cfg.Chain.ID, "store_id": vendor},
	}))
}
