package daemon

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"gondola/internal/config"
	"gondola/internal/platform"
)

// TestClientOfTheHouse looks that the config becomes a client, and that what the client finds out outlives it.
func TestClientOfTheHouse(t *testing.T) {
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path+" "+r.Header.Get("Authorization"))
		if r.URL.Path != "/v2/orders/o1" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = io.WriteString(w, `{"order_id":"o1"}`)
	}))
	t.Cleanup(s.Close)
	t.Setenv("ORDERS_TOKEN", "o-token")
	l := newLive(t, liveOptions{})
	l.stop()
	if c, err := l.house.client(); c != nil || err != nil {
		t.Errorf("client %v, %v without tokens", c, err)
	}
	dir := l.cfg.State.Dir
	l.cfg = parseMore(t, l, "api: {url: "+s.URL+", tokens: {orders: env:ORDERS_TOKEN}}\n")
	l.cfg.State.Dir = dir
	for range 2 {
		h, err := Open(t.Context(), l.cfg, Options{API: func(cfg *platform.ClientConfig) { cfg.PerMinute = 600_000 }})
		if err != nil {
			t.Fatal(err)
		}
		c, err := h.client()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Order(t.Context(), "o1"); err != nil {
			t.Error(err)
		}
		if _, err := c.CatalogJob(t.Context(), "j"); err == nil {
			t.Error("there is no token for the catalogue, and it was asked for")
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
	chain := "/v2/chains/" + l.cfg.Chain.ID + "/orders/o1 Bearer o-token"
	if len(asked) != 3 || asked[0] != chain || asked[1] != asked[2] {
		t.Errorf("asked %q", asked)
	}
	beside, err := Attach(t.Context(), l.cfg, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := beside.client(); err == nil {
		t.Error("a command beside the daemon got a client")
	}
	if err := beside.Close(); err != nil {
		t.Error(err)
	}
}

// parseMore returns a live house's config with more behind it.
func parseMore(t *testing.T, l *live, more string) *config.Config {
	t.Helper()
	cfg, err := config.Parse(l.dir+"/config.yaml", []byte(liveConfig(l.drops)+more))
	if err != nil {
		t.Fatal(err)
	}
	pointAt(cfg, l.platform)
	return cfg
}

func TestOrderSweep(t *testing.T) {
	cfg := &config.Config{Vendors: make([]config.Vendor, 100)}
	cfg.API.PerMinute, cfg.API.OAuth.ClientID = 50, "id"
	cfg.Orders.Poll.Every = config.Duration(5 * time.Minute)
	s, ok := OrderSweep(cfg)
	if want := (Sweep{100, 50, 2 * time.Minute, 5 * time.Minute}); s != want || !ok {
		t.Errorf("%+v, %t, want %+v", s, ok, want)
	}
	cfg.Orders.Poll.Every = 0
	if _, ok := OrderSweep(cfg); ok {
		t.Error("orders are asked for that are not")
	}
}
