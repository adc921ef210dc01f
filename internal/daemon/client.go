package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gondola/internal/config"
	"gondola/internal/platform"
)

// formsFact is where the forms of paths that work at the platform are kept.
const formsFact = "forms of paths"

// errBeside says that a command beside the daemon may not talk to the platform: two that each keep to the limit exceed it together.
var errBeside = errors.New("only the process that works on the state folder asks the platform; leave it a request")

// client returns the client of the platform's REST interface, nil where none is configured. All loops share one, and with it one limiter.
func (h *House) client() (*platform.Client, error) {
	if !h.cfg.API.IsSet() {
		return nil, nil
	}
	if h.api == nil {
		return nil, errBeside
	}
	return h.api, nil
}

// openClient makes the client.
func (h *House) openClient(ctx context.Context) error {
	if !h.cfg.API.IsSet() {
		return nil
	}
	cfg := h.clientConfig()
	text, err := h.store.Fact(ctx, formsFact)
	if err != nil {
		return err
	}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &cfg.Forms); err != nil {
			return fmt.Errorf("read the forms of paths: %w", err)
		}
	}
	cfg.FormsFound = func(f platform.Forms) { h.keepForms(context.WithoutCancel(ctx), f) }
	if h.opts.API != nil {
		h.opts.API(&cfg)
	}
	h.api = platform.NewClient(cfg)
	return nil
}

// keepForms writes down which forms of paths work, so that the next start need not find it out again. Without it nothing is lost but a
// request or two.
func (h *House) keepForms(ctx context.Context, f platform.Forms) {
	text, err := json.Marshal(f)
	if err == nil {
		err = h.store.SetFact(ctx, formsFact, string(text))
	}
	if err != nil {
		h.log.Warn("forms of paths were not kept", "err", err)
	}
}

func (s *setup) apiURL() string {
	if s.cfg.API.URL != "" {
		return s.cfg.API.URL
	}
	return s.brand.API
}

func (h *House) clientConfig() platform.ClientConfig {
	a := h.cfg.API
	cfg := platform.ClientConfig{
		BaseURL: h.apiURL(), Chain: h.cfg.Chain.ID, PerMinute: a.PerMinute, Timeout: time.Duration(a.Timeout), Now: h.now,
		Log: h.log.With("component", "platform"),
	}
	if a.OAuth.ClientID != "" {
		cfg.OAuth = &platform.OAuthLogin{ClientID: a.OAuth.ClientID, Secret: a.OAuth.ClientSecret.Value}
		return cfg
	}
	cfg.Token = h.token
	return cfg
}

// closeClient ends what is under way with the platform.
func (h *House) closeClient() error {
	if h.api == nil {
		return nil
	}
	return h.api.Close()
}

// Sweep is how long it takes to ask the platform for the orders of every store once.
type Sweep struct {
	Stores    int
	PerMinute int // requests
	Takes     time.Duration
	Every     time.Duration // how often it is done
}

// OrderSweep returns how long a sweep of all stores takes. It reports false where orders are not asked for.
func OrderSweep(cfg *config.Config) (Sweep, bool) {
	s := Sweep{Stores: len(cfg.Vendors), PerMinute: cfg.API.PerMinute, Every: time.Duration(cfg.Orders.Poll.Every)}
	s.Takes = platform.SweepTime(s.PerMinute, s.Stores)
	return s, s.Every > 0 && (cfg.API.Tokens.Orders.IsSet() || cfg.API.OAuth.ClientID != "")
}

// sweepProblems warns where a sweep of all stores takes longer than the time between two of them: then orders come in later than the
// config says, and nothing else gets its turn.
func sweepProblems(cfg *config.Config) []config.Problem {
	s, ok := OrderSweep(cfg)
	if !ok || s.Takes <= s.Every {
		return nil
	}
	p := cfg.Problem("orders.poll.every", "asking for the orders of %d stores takes %s at %d requests a minute; write at least that",
		s.Stores, s.Takes.Round(time.Second), s.PerMinute)
	p.Warning = true
	return []config.Problem{p}
}
