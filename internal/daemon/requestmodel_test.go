package daemon

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/config"
	"gondola/internal/platform"
	"gondola/internal/sandbox"
)

// requestModel is a house that sends all by requests, a simulated platform that works on them when the dice say so, and what a shop wants.
type requestModel struct {
	*caseRun
	dice   *rand.Rand
	prices map[string]int // wanted, in hundredths
	offers map[string]int // wanted, of the articles on offer
}

// modelArticles is how many articles the platform has; the shop speaks of one more, which it does not.
const modelArticles = 8

func newRequestModel(t *testing.T, seed uint64, change func(*sandbox.Options)) *requestModel {
	t.Helper()
	m := &requestModel{
		caseRun: &caseRun{T: t, dir: t.TempDir(), work: t.TempDir(), clock: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)},
		dice:    rand.New(rand.NewPCG(seed, 1)), prices: map[string]int{}, offers: map[string]int{},
	}
	v := sandbox.Vendor{ID: "1"}
	for i := range modelArticles {
		v.Articles = append(v.Articles, sandbox.Article{SKU: fmt.Sprintf("A%d", i), Price: "100", Active: true})
	}
	o := sandbox.Options{Password: casePassword, Now: func() time.Time { return m.clock }, Vendors: []sandbox.Vendor{v}, Zone: m.zone()}
	o.API.Tokens = sandbox.Tokens{Catalog: "made-up-1", Promotions: "made-up-2"}
	o.API.JobSeed, o.Rules.NoBan = seed, true
	change(&o)
	m.platform = newTestSandbox(t, o)
	t.Setenv("MODEL_TOKEN_1", "made-up-1")
	t.Setenv("MODEL_TOKEN_2", "made-up-2")
	text := fmt.Sprintf(`
chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Montevideo}
vendors: [{id: "1", name: Uno}]
feeds:
  - {name: precios, drop: drop/p, vendor: {ids: ["1"]}}
  - {name: promos, kind: promotions, drop: drop/o, vendor: {ids: ["1"]}}
send: {catalog: {by: api, max_rows: 3}, promotions: {by: api}}
api: {url: %q, tokens: {catalog: env:MODEL_TOKEN_1, promotions: env:MODEL_TOKEN_2}, locale: es_UY}
brake: {equal_prices: off, min_rows: 1000, price_change: off, discount: off, same_factor: off, new_articles: off, unknown_articles: send}
`, m.platform.RESTURL())
	if err := os.WriteFile(filepath.Join(m.dir, "config.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	m.start()
	t.Cleanup(func() { m.close() })
	return m
}

func (m *requestModel) zone() *time.Location {
	zone, err := time.LoadLocation("America/Montevideo")
	if err != nil {
		m.Fatal(err)
	}
	return zone
}

// start opens the house, as after a stop.
func (m *requestModel) start() {
	m.Helper()
	cfg, err := config.Load(filepath.Join(m.dir, "config.yaml"))
	if err != nil {
		m.Fatal(err)
	}
	cfg.State.Dir, cfg.State.MinFree = filepath.Join(m.work, "state"), 0
	m.house, err = Open(context.Background(), cfg, Options{Now: func() time.Time { return m.clock }, API: func(c *platform.ClientConfig) {
		c.PerMinute, c.Pause = 600_000, time.Millisecond
	}})
	if err != nil {
		m.Fatal(err)
	}
}

// want has the shop want something else, and drops the export that says so.
func (m *requestModel) want() {
	m.Helper()
	var b strings.Builder
	if m.dice.IntN(2) == 0 {
		b.WriteString("sku,precio\n")
		for range 1 + m.dice.IntN(5) {
			sku := fmt.Sprintf("A%d", m.dice.IntN(modelArticles+1))
			m.prices[sku] = 5000 + m.dice.IntN(5000)
			fmt.Fprintf(&b, "%s,%d.%02d\n", sku, m.prices[sku]/100, m.prices[sku]%100)
		}
		m.export("precios", b.String())
		return
	}
	b.WriteString("sku,campaña,desde,hasta,precio oferta,activa\n")
	for range 1 + m.dice.IntN(4) {
		sku := fmt.Sprintf("A%d", m.dice.IntN(modelArticles))
		price, active := 1000+m.dice.IntN(3900), "si"
		if m.offers[sku] = price; m.dice.IntN(3) == 0 {
			delete(m.offers, sku)
			active = "no"
		}
		fmt.Fprintf(&b, "%s,Semana,2026-11-20,2026-12-31,%d.%02d,%s\n", sku, price/100, price%100, active)
	}
	m.export("promos", b.String())
}

// turn does what the loops of the house do.
func (m *requestModel) turn() {
	m.Helper()
	if err := m.house.askJobs(m.Context()); err != nil {
		m.Fatal(err)
	}
	if err := m.house.planDue(m.Context()); err != nil {
		m.Fatal(err)
	}
	if _, err := m.house.flushAll(m.Context()); err != nil {
		m.Fatal(err)
	}
}

// slot is the time for a plan.
func (m *requestModel) slot(full bool) {
	m.Helper()
	if err := m.house.store.RecordSlot(m.Context(), "test", m.clock, m.house.targetNames(), full); err != nil {
		m.Fatal(err)
	}
}

// quiet lets time pass until nothing is left to do.
func (m *requestModel) quiet() {
	m.Helper()
	for range 12 {
		m.clock = m.clock.Add(10 * time.Minute)
		m.slot(false)
		m.turn()
		m.platform.ProcessJobs()
	}
	m.clock = m.clock.Add(10 * time.Minute)
	m.turn()
}

// shows compares what customers see with what the shop wants.
func (m *requestModel) shows() {
	m.Helper()
	prices, offers := map[string]string{}, map[string]string{}
	wantPrices, wantOffers := map[string]string{}, map[string]string{}
	for _, a := range m.platform.Shelf("1") {
		prices[a.SKU] = a.Price
		if wantPrices[a.SKU] = "100"; m.prices[a.SKU] != 0 {
			wantPrices[a.SKU] = moneyText(m.prices[a.SKU])
		}
	}
	for _, p := range m.platform.Promotions("1") {
		if p.State == sandbox.Running {
			offers[p.SKU] += p.Price + " " + p.Campaign + ";"
		}
	}
	for sku, price := range m.offers {
		wantOffers[sku] = moneyText(price) + " Semana;"
	}
	if diff := cmp.Diff(wantPrices, prices); diff != "" {
		m.Errorf("prices (-want +platform):\n%s", diff)
	}
	if diff := cmp.Diff(wantOffers, offers); diff != "" {
		m.Errorf("offers (-want +platform):\n%s", diff)
	}
}

func moneyText(hundredths int) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%d.%02d", hundredths/100, hundredths%100), "0"), ".")
}

// TestShelfEqualsWantedByRequests has a shop change its mind at random, the platform work on jobs in any order and at any time, and the
// house stop and start: after quiet time customers see what is wanted, and whatever the platform did not take is known.
func TestShelfEqualsWantedByRequests(t *testing.T) {
	for seed, c := range []struct {
		name   string
		change func(*sandbox.Options)
	}{
		{"as assumed", func(*sandbox.Options) {}},
		{"bodies replace", func(o *sandbox.Options) { o.Rules.PutReplaces = true }},
		{"no duplicates", func(o *sandbox.Options) { o.Rules.NoDuplicates = true }},
		{"rejections fail", func(o *sandbox.Options) { o.Rules.RejectionsFail = true }},
		{"only rejected", func(o *sandbox.Options) { o.Rules.OnlyRejected, o.Rules.OneProductNow = true, true }},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newRequestModel(t, uint64(seed)+1, c.change) //nolint:gosec // an index
			for range 30 {
				m.clock = m.clock.Add(time.Duration(m.dice.IntN(240)) * time.Second)
				m.want()
				if m.dice.IntN(4) > 0 {
					m.slot(m.dice.IntN(12) == 0)
				}
				m.turn()
				if m.dice.IntN(3) == 0 {
					m.platform.ProcessJobs()
				}
				if m.dice.IntN(10) == 0 {
					m.close()
					m.start()
				}
			}
			m.quiet()
			m.shows()
			m.unknownArticle()
		})
	}
}

// unknownArticle holds that what is wanted of the article which the platform does not have is known not to have been taken.
func (m *requestModel) unknownArticle() {
	m.Helper()
	unknown := fmt.Sprintf("A%d", modelArticles)
	feedback, err := m.house.store.FeedbackOf(m.Context(), "catalog/1")
	if err != nil {
		m.Fatal(err)
	}
	var skus []string
	for _, f := range feedback {
		skus = append(skus, f.SKU)
		if f.Line == 0 || f.Seq == 0 {
			m.Errorf("where it comes from is not known: %+v", f)
		}
	}
	var want []string
	if m.prices[unknown] != 0 {
		want = []string{unknown}
	}
	if !slices.Equal(skus, want) {
		m.Errorf("not taken: %v, want %v", skus, want)
	}
	if jobs, err := m.house.JobList(m.Context(), m.clock); err != nil || len(jobs) > 0 {
		m.Errorf("jobs are open: %+v, %v", jobs, err)
	}
}
