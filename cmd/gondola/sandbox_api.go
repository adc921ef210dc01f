package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gondola/internal/sandbox"
)

// The environment variables that the config's example names for tokens, and for the secret of events.
const (
	tokenCatalogVar    = "GONDOLA_TOKEN_CATALOG"
	tokenPromotionsVar = "GONDOLA_TOKEN_PROMOTIONS"
	tokenOrdersVar     = "GONDOLA_TOKEN_ORDERS"
	webhookSecretVar   = "GONDOLA_WEBHOOK_SECRET"
)

// sandboxAPIFlags are what the simulated platform's REST interface, its events and its orders are to be like.
type sandboxAPIFlags struct {
	rest, chain string
	jobDelay    time.Duration
	seed        uint64
	webhook     string
	secretEnv   string
	retries     []time.Duration
	faults      []string
	orders      streamFlags
}

func (f *sandboxAPIFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.rest, "rest", sandbox.DefaultListen, "`ADDRESS` of the REST interface; port 0 takes a free one")
	flags.StringVar(&f.chain, "chain", sandbox.DefaultChainID, "the chain's `ID` in paths and events")
	flags.DurationVar(&f.jobDelay, "job-delay", time.Second, "`DURATION` that a job waits, and then again takes")
	flags.StringVar(&f.webhook, "webhook", "", "`URL` that events are sent to (default: nobody is told)")
	flags.StringVar(&f.secretEnv, "webhook-secret-env", webhookSecretVar,
		"environment `VARIABLE` with the secret of events; where it is not set, a secret is made up")
	flags.DurationSliceVar(&f.retries, "webhook-retry", nil, "`DURATION`s to wait before an event is sent again, such as 5s,1m (default: once and no more)")
	flags.StringArrayVar(&f.faults, "fault", nil, "what goes wrong from the start, such as duplicate-events; may be repeated; `FAULT` help lists them")
	flags.Uint64Var(&f.seed, "seed", 1, "`NUMBER` that makes orders and customers")
	flags.StringVar(&f.orders.rate, "orders", "", "make orders all the time, at a `RATE` such as 20/s or 6/m")
}

// options sets what the flags say, and returns what was made up because no variable had it.
func (f *sandboxAPIFlags) options(o *sandbox.Options) (madeUp map[string]string, err error) {
	madeUp = map[string]string{}
	secret := func(variable string) string {
		if text := os.Getenv(variable); text != "" {
			return text
		}
		madeUp[variable] = rand.Text()
		return madeUp[variable]
	}
	if f.jobDelay <= 0 {
		return nil, usagef("--job-delay must be longer than nothing; found %s", f.jobDelay)
	}
	o.API = sandbox.API{
		Listen: f.rest, ChainID: f.chain, JobDelay: f.jobDelay, OrderSeed: f.seed,
		Tokens: sandbox.Tokens{
			Catalog: secret(tokenCatalogVar), Promotions: secret(tokenPromotionsVar), Orders: secret(tokenOrdersVar),
		},
	}
	if f.webhook != "" {
		o.Webhook = sandbox.Webhook{URL: f.webhook, Secret: secret(f.secretEnv), Retries: f.retries}
	}
	for _, name := range f.faults {
		if name == "help" {
			return nil, usagef("the faults: %s", strings.Join(sandbox.FaultNames(), ", "))
		}
		if !slices.Contains(sandbox.FaultNames(), name) {
			return nil, usagef("unknown fault %q (known: %s)", name, strings.Join(sandbox.FaultNames(), ", "))
		}
	}
	return madeUp, nil
}

// begin breaks what is to be broken from the start, and makes orders until ctx ends. The channel is closed when it no longer does.
func (f *sandboxAPIFlags) begin(ctx context.Context, s *sandbox.Sandbox, log *slog.Logger) (<-chan struct{}, error) {
	over := make(chan struct{})
	for _, name := range f.faults {
		if err := s.Faults().Set(name, true); err != nil {
			return nil, err
		}
	}
	if f.orders.rate == "" {
		close(over)
		return over, nil
	}
	f.orders.cancel, f.orders.cart, f.orders.step = usualShare, usualShare, usualStep
	stream, err := f.orders.stream()
	if err != nil {
		return nil, err
	}
	go func() {
		defer close(over)
		if _, err := s.StreamOrders(ctx, stream); err != nil {
			log.Error("no more orders are made; give the stores articles", "error", err)
		}
	}()
	return over, nil
}

// The usual life of made-up orders.
const (
	usualShare = "5%"
	usualStep  = 2 * time.Second
)

// streamFlags are what a random stream of orders is to be like.
type streamFlags struct {
	rate                  string
	during                time.Duration
	count                 int
	step                  time.Duration
	seed                  uint64
	cancel, cart, unknown string
	vendors               []string
}

// stream reads the flags.
func (f *streamFlags) stream() (sandbox.Stream, error) {
	st := sandbox.Stream{For: f.during, Count: f.count, Step: f.step, Seed: f.seed, Vendors: f.vendors}
	var err error
	if st.Rate, err = parseRate(f.rate); err != nil {
		return st, err
	}
	for _, share := range []struct {
		flag, text string
		into       *float64
	}{{"cancel", f.cancel, &st.Cancel}, {"cart", f.cart, &st.Cart}, {"unknown", f.unknown, &st.Unknown}} {
		number, percent := strings.CutSuffix(cmp.Or(share.text, "0"), "%")
		n, err := strconv.ParseFloat(number, 64)
		if percent {
			n /= 100
		}
		if err != nil || math.IsNaN(n) || n < 0 || n > 1 {
			return st, usagef("--%s is no share; write it as 5%%, found %q", share.flag, share.text)
		}
		*share.into = n
	}
	return st, nil
}

// parseRate reads 20/s, 6/m or 100/h as orders a second.
func parseRate(text string) (float64, error) {
	number, unit, _ := strings.Cut(text, "/")
	seconds, known := map[string]float64{"s": 1, "m": 60, "h": 3600}[cmp.Or(unit, "s")]
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !known || math.IsNaN(n) || n <= 0 || n > 10_000 {
		return 0, usagef("unknown rate %q; write it as 20/s, 6/m or 100/h", text)
	}
	return n / seconds, nil
}
