package daemon

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"gondola/internal/config"
	"gondola/internal/inbox"
)

const hookSecret = "invented:hook"

// newHook starts a house that takes webhooks.
func newHook(t *testing.T, o liveOptions) *live {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "secret")
	if err := os.WriteFile(path, []byte(hookSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o.config = "orders: {webhook: {listen: 127.0.0.1:1, secrets: ['file:" + path + "']}}\n"
	o.change = func(c *config.Config) {
		c.Orders.Webhook.Listen = "127.0.0.1:0"
		if o.page {
			c.Web.Listen = "localhost:0" // one address is one port, whoever listens there
		}
	}
	return newLive(t, o)
}

func (l *live) hookURL() string { return "http://" + l.house.WebhookAddr() + "/webhook" }

// hook sends an event and returns the code of the answer.
func (l *live) hook(body string) int {
	l.Helper()
	req, err := http.NewRequestWithContext(l.Context(), http.MethodPost, l.hookURL(), strings.NewReader(body))
	if err != nil {
		l.Fatal(err)
	}
	req.Header.Set("Authorization", hookSecret)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		l.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

// TestWebhookTest sends a sample to the daemon, and to another one that has the same secret.
func TestWebhookTest(t *testing.T) {
	l := newHook(t, liveOptions{})
	got, err := TryWebhook(t.Context(), l.cfg, l.hookURL(), nil)
	if err != nil || !got.OK() {
		t.Errorf("%+v, %v", got, err)
	}
	l.cfg.Orders.Webhook.PublicURL = l.hookURL()
	if got, err = TryWebhook(t.Context(), l.cfg, "", nil); err != nil || !got.OK() || got.URL != l.hookURL() {
		t.Errorf("%+v, %v", got, err)
	}
	other := newHook(t, liveOptions{})
	if got, err = TryWebhook(t.Context(), l.cfg, other.hookURL(), nil); err != nil || got.Verdict != inbox.VerdictAlien {
		t.Errorf("%+v, %v", got, err)
	}
	state, err := l.house.store.Inbox(t.Context())
	if err != nil || state.Accepted.N != 0 || state.Waiting != 0 {
		t.Errorf("a sample became an event: %+v, %v", state, err)
	}
}

// TestWebhookIsTheDaemons leaves the port to the process that runs.
func TestWebhookIsTheDaemons(t *testing.T) {
	l := newHook(t, liveOptions{})
	l.stop()
	h, err := Open(t.Context(), l.cfg, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if h.WebhookAddr() != "" {
		t.Error("a process that does not serve has the port")
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	secrets := l.cfg.Orders.Webhook.Secrets
	l.cfg.Orders.Webhook.Secrets = nil
	if _, err := Open(t.Context(), l.cfg, Options{Serve: true}); err == nil || !strings.Contains(err.Error(), "orders.webhook.secrets") {
		t.Errorf("without a secret: %v", err)
	}
	l.cfg.Orders.Webhook.Secrets = secrets
	l.start() // the state is free again
}

// TestWebhookLog keeps secret and body out of the log.
func TestWebhookLog(t *testing.T) {
	l := newHook(t, liveOptions{})
	l.stop()
	var log bytes.Buffer
	h, err := Open(t.Context(), l.cfg, Options{Serve: true, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	l.house = h
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	if code := l.hook(`{"customer": "nobody real`); code != http.StatusOK {
		t.Errorf("%d", code)
	}
	time.Sleep(1500 * time.Millisecond) // a look of the drain
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if text := log.String(); strings.Contains(text, hookSecret) || strings.Contains(text, "nobody real") {
		t.Errorf("log:\n%s", text)
	}
}

// TestMetricsAreWellNamed holds the names of all numbers against Prometheus' own rules, as a scrape sees them.
func TestMetricsAreWellNamed(t *testing.T) {
	l := newHook(t, liveOptions{page: true})
	if code := l.hook("{}"); code != http.StatusOK {
		t.Errorf("%d", code)
	}
	res, err := http.Get("http://" + l.house.PageAddr() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || !bytes.Contains(text, []byte("gondola_webhook_events_total 1")) {
		t.Errorf("%d %v\n%s", res.StatusCode, err, text)
	}
	problems, err := promlint.New(bytes.NewReader(text)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}
