package daemon

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gondola/internal/config"
	"gondola/internal/platform"
	"gondola/internal/sandbox"
	"gondola/internal/store"
)

// market is a platform on which people order, and a house that hears of it, by one clock that the test moves.
type market struct {
	*testing.T
	platform *sandbox.Sandbox
	house    *House
	cfg      *config.Config
	dice     *rand.Rand
	stop     func()

	mu    sync.Mutex
	clock time.Time

	orders []string
	plans  []step // what befalls orders, by time
}

// step is what befalls an order.
type step struct {
	at time.Time
	do func()
}

type marketOptions struct {
	change  func(*sandbox.Options)
	webhook bool
	config  string // lines behind the usual ones
}

func newMarket(t *testing.T, o marketOptions) *market {
	t.Helper()
	m := &market{T: t, dice: rand.New(rand.NewPCG(7, 7)), clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	articles := []sandbox.Article{{SKU: "A1", Price: "10.5", Active: true}, {SKU: "A2", Price: "99", Active: true}}
	options := sandbox.Options{
		Password: casePassword, Now: m.now, Vendors: []sandbox.Vendor{{ID: "290056", Articles: articles}, {ID: "290057", Articles: articles}},
	}
	options.Webhook.Secret, options.Webhook.Retries = hookSecret, []time.Duration{time.Millisecond}
	options.API.Tokens.Orders = "made-up"
	options.Rules.NoBan = true
	if o.change != nil {
		o.change(&options)
	}
	m.platform = newTestSandbox(t, options)
	t.Setenv("GONDOLA_CASE_PASSWORD", casePassword)
	t.Setenv("MARKET_TOKEN", "made-up")
	t.Setenv("MARKET_SECRET", hookSecret)
	listen := "off"
	if o.webhook {
		listen = "127.0.0.1:1"
	}
	text := fmt.Sprintf(`
chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Montevideo}
vendors: [{id: "290056", name: Centro, erp_code: "001"}, {id: "290057", name: Puerto, erp_code: "002"}]
sftp: {host: sandbox, user: gondola, password: "env:GONDOLA_CASE_PASSWORD", host_keys: ["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]}
feeds: [{name: precios, drop: drop, vendor: {column: Sucursal}}]
api: {url: %q, tokens: {orders: env:MARKET_TOKEN}}
orders: {webhook: {listen: %s, secrets: [env:MARKET_SECRET]}}
%s
`, m.platform.RESTURL(), listen, o.config)
	var err error
	if m.cfg, err = config.Parse(filepath.Join(t.TempDir(), "config.yaml"), []byte(text)); err != nil {
		t.Fatal(err)
	}
	pointAt(m.cfg, m.platform)
	if o.webhook {
		m.cfg.Orders.Webhook.Listen = "127.0.0.1:0"
	}
	m.start()
	t.Cleanup(func() { m.stop() })
	return m
}

// start opens the house, and runs what hears events.
func (m *market) start() {
	m.Helper()
	h, err := Open(context.Background(), m.cfg, Options{Now: m.now, Serve: true, API: func(c *platform.ClientConfig) {
		c.PerMinute, c.Pause = 600_000, time.Millisecond
	}})
	if err != nil {
		m.Fatal(err)
	}
	m.house = h
	ctx, cancel := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	if h.webhook != nil {
		wait.Go(func() { h.runWebhook(ctx) })
		m.platform.SetWebhook("http://" + h.WebhookAddr() + "/webhook")
	}
	var once sync.Once
	m.stop = func() {
		once.Do(func() {
			cancel()
			wait.Wait()
			if err := h.Close(); err != nil {
				m.Error(err)
			}
		})
	}
}

func (m *market) now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.clock
}

// pass lets time pass: what is to happen does, and the house works every few minutes, as its loops would more often.
func (m *market) pass(d time.Duration) {
	m.Helper()
	for d > 0 {
		stride := min(d, 5*time.Minute)
		d -= stride
		m.mu.Lock()
		m.clock = m.clock.Add(stride)
		m.mu.Unlock()
		m.befall()
		m.work()
	}
}

func (m *market) work() {
	m.Helper()
	for m.platform.PendingEvents() > 0 {
		time.Sleep(time.Millisecond)
	}
	if err := m.house.drainInbox(m.Context()); err != nil {
		m.Fatal(err)
	}
	if err := m.house.pollDue(m.Context()); err != nil {
		m.Fatal(err)
	}
}

// befall does what is to happen by now.
func (m *market) befall() {
	later := m.plans[:0]
	for _, s := range m.plans {
		if s.at.After(m.now()) {
			later = append(later, s)
			continue
		}
		s.do()
	}
	m.plans = later
}

// order makes an order, now, and plans its life: most are picked up, some are cancelled early or late, some change.
func (m *market) order() string {
	m.Helper()
	return m.orderFrom([]string{"290056", "290057"}[m.dice.IntN(2)])
}

func (m *market) orderFrom(vendor string) string {
	m.Helper()
	id, err := m.platform.AddOrder(sandbox.NewOrder{Vendor: vendor})
	if err != nil {
		m.Fatal(err)
	}
	m.orders = append(m.orders, id)
	at := m.now()
	then := func(do func() error) {
		at = at.Add(time.Duration(1+m.dice.IntN(25)) * time.Minute)
		m.plans = append(m.plans, step{at, func() {
			if err := do(); err != nil {
				m.Error(err)
			}
		}})
	}
	if m.dice.IntN(10) == 0 {
		then(func() error { return m.platform.Cancel(id, "ITEM_UNAVAILABLE", "VENDOR") })
		return id
	}
	if m.dice.IntN(4) == 0 {
		then(func() error { return m.platform.ChangeCart(id) })
	}
	then(func() error { return m.platform.Advance(id, sandbox.StateReady) })
	switch m.dice.IntN(10) {
	case 0:
		then(func() error { return m.platform.Cancel(id, "CUSTOMER", "CUSTOMER") })
	case 1: // nobody comes for it
	default:
		then(func() error { return m.platform.Advance(id, sandbox.StatePickedUp) })
	}
	return id
}

// trade lets an order come every few minutes for a while.
func (m *market) trade(d, each time.Duration) {
	m.Helper()
	for ; d > 0; d -= each {
		m.order()
		m.pass(each)
	}
}

// settle lets time pass without orders, until all that began is over, and compares both sides.
func (m *market) settle() {
	m.Helper()
	m.pass(3 * time.Hour)
	m.same()
}

// same compares what the platform knows with what the house knows.
func (m *market) same() {
	m.Helper()
	var wrong []string
	for _, want := range m.platform.Orders() {
		got, known, err := m.house.store.Order(m.Context(), want.ID)
		if err != nil {
			m.Fatal(err)
		}
		switch {
		case !known:
			wrong = append(wrong, "missing: "+want.ID+" "+want.State)
		case string(got.State) != want.State:
			wrong = append(wrong, fmt.Sprintf("%s is %s, want %s", want.ID, got.State, want.State))
		case got.Vendor != want.Vendor:
			wrong = append(wrong, fmt.Sprintf("%s is of %s, want %s", want.ID, got.Vendor, want.Vendor))
		}
	}
	if len(wrong) > 0 {
		m.Errorf("%d of %d orders:\n%s", len(wrong), len(m.orders), strings.Join(wrong[:min(len(wrong), 10)], "\n"))
	}
	all, err := m.house.store.ListOrders(m.Context(), store.OrderQuery{Limit: 100_000})
	if err != nil || len(all) != len(m.platform.Orders()) {
		m.Errorf("%d orders are known, the platform has %d: %v", len(all), len(m.platform.Orders()), err)
	}
}

// requests counts the requests that the platform answered so far.
func (m *market) requests() int { return len(m.platform.Requests()) }

// TestPollAlone has no webhook for a day: asking alone finds the same orders and last states, and keeps to its share of the limit.
func TestPollAlone(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*sandbox.Options)
		lasts  time.Duration
	}{
		"by creation": {func(*sandbox.Options) {}, 24 * time.Hour},
		"by update":   {func(o *sandbox.Options) { o.Rules.WindowByUpdate, o.Rules.OldOrderPath = true, true }, 6 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMarket(t, marketOptions{change: c.change})
			m.pass(time.Minute) // the first look: what came before does not count
			m.trade(c.lasts, 10*time.Minute)
			m.settle()
			if n := m.requests(); n > int((c.lasts+3*time.Hour).Minutes())*25 {
				t.Errorf("%d requests: more than half of what may be asked for", n)
			}
			t.Logf("%d orders, %d requests", len(m.orders), m.requests())
		})
	}
}

// TestPollWakes has the loop of polling wait for the next question, not for the next look around.
func TestPollWakes(t *testing.T) {
	m := newMarket(t, marketOptions{})
	next := func() time.Duration {
		t.Helper()
		for _, l := range m.house.loops() {
			if l.name == "poll" {
				return l.due().Sub(m.now())
			}
		}
		t.Fatal("no such loop")
		return 0
	}
	m.pass(time.Minute)
	if got := next(); got != askRound {
		t.Errorf("after a round: %s, want %s, when single orders are asked for", got, askRound)
	}
	m.pass(time.Duration(m.cfg.Orders.Poll.Every) - 2*time.Second)
	if got := next(); got != 2*time.Second {
		t.Errorf("shortly before the next one: %s", got)
	}
	m.pass(2 * time.Second)
	if got := next(); got != askRound-2*time.Second {
		t.Errorf("after that: %s", got)
	}
	m.house.polled.rest = m.now().Add(20 * time.Second)
	m.work()
	if got := next(); got != 20*time.Second {
		t.Errorf("while the platform rests: %s", got)
	}
}

// TestBoth hears events and asks: nothing is there twice, nothing is missing, and where both tell the same there is no gap.
func TestBoth(t *testing.T) {
	m := newMarket(t, marketOptions{webhook: true, config: ""})
	m.pass(time.Minute)
	m.trade(2*time.Hour, 5*time.Minute)
	m.settle()
	gaps, err := m.house.Gaps(t.Context(), time.Time{}, 100)
	if err != nil || len(gaps) > 0 {
		t.Errorf("gaps: %+v, %v", gaps, err)
	}
}

// TestClockOff has a platform whose clock is ten minutes off, in either direction and by either kind of window.
func TestClockOff(t *testing.T) {
	for _, off := range []time.Duration{10 * time.Minute, -10 * time.Minute} {
		for _, byUpdate := range []bool{false, true} {
			t.Run(fmt.Sprint(off, byUpdate), func(t *testing.T) {
				m := newMarket(t, marketOptions{change: func(o *sandbox.Options) {
					o.ClockAhead, o.Rules.WindowByUpdate = off, byUpdate
				}})
				m.pass(time.Minute)
				m.trade(2*time.Hour, 7*time.Minute)
				m.settle()
			})
		}
	}
}

// TestDowntime stops the house for three days: the next start asks for all of it, over several pages, of which one can't be read at
// first.
func TestDowntime(t *testing.T) {
	m := newMarket(t, marketOptions{})
	m.pass(time.Minute)
	m.trade(time.Hour, 10*time.Minute)
	for range 3 * 24 * 60 / 8 {
		m.mu.Lock()
		m.clock = m.clock.Add(8 * time.Minute)
		m.mu.Unlock()
		m.befall()
		m.orderFrom("290056") // more than a page
	}
	before := m.markOf("290056")
	broken := true
	m.behind(func(q url.Values) int {
		if broken && q.Get("page") == "2" {
			return http.StatusForbidden
		}
		return 0
	})
	if err := m.house.pollDue(t.Context()); err == nil {
		t.Error("the second page can't be read, and nobody says so")
	}
	if after := m.markOf("290056"); !after.Equal(before) {
		t.Errorf("the mark moved from %s to %s after half a window", before, after)
	}
	broken = false
	m.platform.Faults().ShiftPages(true) // an order between two pages is on none
	m.pass(6 * time.Minute)
	if n, err := m.house.store.ListOrders(t.Context(), store.OrderQuery{Limit: 10_000}); err != nil || len(n) != len(m.platform.Orders()) {
		t.Errorf("%d of %d orders, %v", len(n), len(m.platform.Orders()), err)
	}
	m.settle()
}

// TestClockWasAhead begins with a clock that is a year ahead, is set right, and stops for a while: the gap is filled.
func TestClockWasAhead(t *testing.T) {
	m := newMarket(t, marketOptions{})
	year := 365 * 24 * time.Hour
	m.clock = m.clock.Add(year)
	m.pass(time.Minute)
	m.clock = m.clock.Add(-year)
	m.pass(time.Minute)
	m.stop()
	m.order()
	m.clock = m.clock.Add(3 * time.Hour)
	m.start()
	m.pass(6 * time.Minute)
	m.same()
}

// TestFirstPoll does not fetch what was before.
func TestFirstPoll(t *testing.T) {
	m := newMarket(t, marketOptions{})
	m.order()
	m.mu.Lock()
	m.clock = m.clock.Add(5 * time.Hour)
	m.mu.Unlock()
	fresh := m.order()
	m.pass(time.Minute)
	all, err := m.house.store.ListOrders(t.Context(), store.OrderQuery{Limit: 10})
	if err != nil || len(all) != 1 || all[0].ID != fresh {
		t.Errorf("%+v, %v", all, err)
	}
}

// TestMarkMovesWhole keeps the mark where it is when nothing can be read, and forgets nothing of it.
func TestMarkMovesWhole(t *testing.T) {
	m := newMarket(t, marketOptions{})
	m.pass(time.Minute)
	before := m.markOf("290056")
	m.mu.Lock()
	m.clock = m.clock.Add(5 * time.Minute)
	m.mu.Unlock()
	for range 20 {
		m.order()
	}
	m.platform.Faults().ServerErrors(-1)
	if err := m.house.pollDue(t.Context()); err == nil {
		t.Error("the platform answers 500, and nobody says so")
	}
	if after := m.markOf("290056"); !after.Equal(before) {
		t.Errorf("the mark moved from %s to %s", before, after)
	}
	polls, err := m.house.store.Polls(t.Context())
	if err != nil || polls["290056"].Failures != 1 || polls["290057"].Failures != 0 {
		t.Errorf("%+v, %v", polls, err)
	}
	m.platform.Faults().ServerErrors(0)
	m.pass(10 * time.Minute)
	m.settle()
}

func (m *market) markOf(vendor string) time.Time {
	m.Helper()
	at, err := m.house.store.OrderMark(m.Context(), vendor)
	if err != nil {
		m.Fatal(err)
	}
	return at
}

// behind restarts the house with something in front of the platform that refuses requests with a code, 0 for none.
func (m *market) behind(refuse func(url.Values) int) {
	m.Helper()
	target, err := url.Parse(m.platform.RESTURL())
	if err != nil {
		m.Fatal(err)
	}
	through := httputil.NewSingleHostReverseProxy(target)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if code := refuse(r.URL.Query()); code != 0 {
			w.WriteHeader(code)
			return
		}
		through.ServeHTTP(w, r)
	}))
	m.Cleanup(front.Close)
	m.stop()
	m.cfg.API.URL = front.URL
	m.start()
}

// TestNoFuture has a platform that refuses windows which end in the future.
func TestNoFuture(t *testing.T) {
	m := newMarket(t, marketOptions{})
	refused := 0
	m.behind(func(q url.Values) int {
		end, err := time.Parse("2006-01-02T15:04:05", q.Get("end_time"))
		if err != nil || !end.After(m.now().Add(time.Second)) {
			return 0
		}
		refused++
		return http.StatusBadRequest
	})
	m.pass(time.Minute)
	m.trade(time.Hour, 7*time.Minute)
	m.settle()
	if refused != 1 {
		t.Errorf("%d windows were refused, want 1", refused)
	}
}
