package daemon

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gondola/internal/config"
	"gondola/internal/sandbox"
)

var (
	modelTime = flag.Duration("model", 25*time.Second, "how long TestModel goes on; it runs every kind of platform once at least")
	modelMost = flag.Int("model.steps", 16, "how long TestModel's histories are at most; half of it at least")
	modelSeed = flag.Uint64("model.seed", 0, "what TestModel's histories are made from; 0 = another one each time")
)

// modelPlatform is a kind of platform, in what nobody outside knows of the real one.
type modelPlatform struct {
	every        time.Duration // between two looks
	shuffles     bool          // files are read in another order each time
	fate         sandbox.Fate
	firstRowWins bool
	renamesOver  bool
}

func (p modelPlatform) String() string {
	return fmt.Sprintf("reads every %s, shuffled %t, fate %s, first row wins %t, renames over %t",
		p.every, p.shuffles, p.fate, p.firstRowWins, p.renamesOver)
}

// modelPlatforms lists every combination. A platform that looks less often than once in a read window can't be served, by anybody.
func modelPlatforms() (all []modelPlatform) {
	for _, every := range []time.Duration{3 * time.Minute, 25 * time.Minute, 95 * time.Minute} {
		for _, fate := range []sandbox.Fate{sandbox.Keep, sandbox.Eat, sandbox.Move} {
			for i := range 8 {
				all = append(all, modelPlatform{every, i&1 != 0, fate, i&2 != 0, i&4 != 0})
			}
		}
	}
	return all
}

// TestModel lives through random histories against a real server: exports, ticks, sends that break off anywhere, deaths, restarts, clocks
// that are wrong, a platform that reads at any moment. From the server's log each name shows whole contents in the order of the
// deliveries, no row is ever refused, and after quiet time the platform's shelf is what is wanted.
func TestModel(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	seed, begin := cmp.Or(*modelSeed, uint64(time.Now().UnixNano())), time.Now()
	t.Logf("seed %d, at most %d steps (-model.seed, -model.steps)", seed, *modelMost)
	platforms := modelPlatforms()
	runs, did := 0, map[string]int{}
	for ; runs < len(platforms) || time.Since(begin) < *modelTime; runs++ {
		p := platforms[runs%len(platforms)]
		rnd := rand.New(rand.NewPCG(seed, uint64(runs)))
		steps := modelSteps(rnd)
		if err := runModel(t, p, steps, did); err != nil {
			steps, err = shrinkModel(t, p, steps, err)
			t.Fatalf("run %d, a platform that %s:\n%s\n%v", runs, p, strings.Join(modelNames(steps), "\n"), err)
		}
	}
	t.Logf("%d runs against %d kinds of platforms in %s: %v", runs, len(platforms), time.Since(begin).Round(time.Second), did)
	for _, what := range []string{"changes", "promotions", "faults", "deaths", "jumps", "reads within"} {
		if did[what] < runs/4 {
			t.Errorf("%s: only %d in %d runs; they show little", what, did[what], runs)
		}
	}
}

// modelStep is one thing that happens. What it needs of chance comes from its own seed, so that a history without the steps around it is
// the same otherwise.
type modelStep struct {
	name string
	seed uint64
}

func modelSteps(rnd *rand.Rand) []modelStep {
	names := []string{
		"push", "push", "push", "push", "catalogue", "promotions", "promotions", "tick", "flush", "flush", "time", "time", "time",
		"restart", "die", "jump", "read within", "read within",
	}
	least := max(1, *modelMost/2)
	steps := make([]modelStep, least+rnd.IntN(max(1, *modelMost-least+1)))
	for i := range steps {
		steps[i] = modelStep{names[rnd.IntN(len(names))], rnd.Uint64()}
	}
	return steps
}

func modelNames(steps []modelStep) (names []string) {
	for _, s := range steps {
		names = append(names, fmt.Sprintf("  %s %d", s.name, s.seed))
	}
	return names
}

// shrinkModel leaves out the steps without which a history fails too.
func shrinkModel(t *testing.T, p modelPlatform, steps []modelStep, err error) ([]modelStep, error) {
	end := time.Now().Add(time.Minute)
	for i := len(steps) - 1; i >= 0 && time.Now().Before(end); i-- {
		fewer := slices.Delete(slices.Clone(steps), i, i+1)
		if e := runModel(t, p, fewer, map[string]int{}); e != nil {
			steps, err = fewer, e
		}
	}
	return steps, err
}

// modelTB makes failures of a history panics, which runModel turns into errors: shrinking needs histories that may fail.
type modelTB struct{ rapid.TB }

type modelFailure string

// Fatal implements rapid.TB.
func (modelTB) Fatal(args ...any) { panic(modelFailure(fmt.Sprint(args...))) }

// Fatalf implements rapid.TB.
func (modelTB) Fatalf(format string, args ...any) { panic(modelFailure(fmt.Sprintf(format, args...))) }

// Errorf implements rapid.TB.
func (modelTB) Errorf(format string, args ...any) { panic(modelFailure(fmt.Sprintf(format, args...))) }

var modelConfig = strings.Replace(unsettledConfig, "price_change: off", "price_change: off, unknown_articles: send", 1) + `
send: {catalog: {full: "off"}, promotions: {full: "off"}}
`

// model is a history under way.
type model struct {
	*world
	tb       modelTB
	p        modelPlatform
	platform *sandbox.Sandbox
	actual   time.Time                 // what time it is; the house's clock may be wrong
	told     atomic.Pointer[time.Time] // the same, for the server: it may be busy yet with a connection that was cut
	scanned  time.Time                 // when the platform looked last
	within   func()                    // happens when the platform has read the next file and not yet taken it away
	offers   map[string]string
	did      map[string]int
}

// modelOffers are the articles that have promotions; they cost modelPrice without one.
var modelOffers = []string{"P0", "P1", "P2"}

const modelPrice = "1000"

// runModel goes through a history, and returns what is wrong at its end.
func runModel(t *testing.T, p modelPlatform, steps []modelStep, did map[string]int) (err error) {
	dir, err := os.MkdirTemp("", "model-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	defer func() {
		if failure, ok := recover().(modelFailure); ok {
			err = fmt.Errorf("%s", string(failure))
		}
	}()
	m := newModel(t, dir, p, did)
	defer func() { _ = m.platform.Close() }()
	m.start(m.tb)
	defer func() { _ = m.house.Close() }()
	for _, s := range steps {
		m.step(s.name, rand.New(rand.NewPCG(s.seed, 7)))
	}
	m.within = nil
	m.settle(m.tb, 5, m.pass)
	m.check()
	return nil
}

func newModel(t *testing.T, dir string, p modelPlatform, did map[string]int) *model {
	begin := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	m := &model{tb: modelTB{t}, p: p, actual: begin, scanned: begin, did: did, offers: map[string]string{}}
	m.told.Store(&begin)
	o := sandbox.Options{
		Dir: filepath.Join(dir, "platform"), User: "gondola", Password: casePassword, Fate: p.fate, Now: func() time.Time { return *m.told.Load() },
		OnRead: func(string) {
			if m.within != nil {
				happen := m.within
				m.within = nil
				happen()
			}
		},
	}
	o.Features.PosixRename, o.Rules.FirstRowWins = p.renamesOver, p.firstRowWins
	if p.shuffles {
		o.OrderSeed = 1
	}
	v := sandbox.Vendor{ID: "1", Name: "Uno"}
	for _, sku := range []string{"A", "B", "C", "D"} {
		v.Articles = append(v.Articles, sandbox.Article{SKU: sku, Price: "1", Active: true})
	}
	for _, sku := range modelOffers {
		m.offers[sku] = modelPrice
		v.Articles = append(v.Articles, sandbox.Article{SKU: sku, Price: modelPrice, Active: true})
	}
	o.Vendors = []sandbox.Vendor{v}
	var err error
	if m.platform, err = sandbox.Start(context.Background(), o); err != nil {
		m.tb.Fatal(err)
	}
	m.world = &world{
		dir: dir, clock: begin, erp: func() time.Time { return m.actual }, point: func(c *config.Config) { pointAt(c, m.platform) },
		config: strings.Replace(modelConfig, "brake:",
			"  - {name: promos, kind: promotions, drop: drop/promos, export: partial, vendor: {ids: [\"1\"]}}\nbrake:", 1),
	}
	return m
}

func (m *model) step(name string, rnd *rand.Rand) {
	switch name {
	case "push": // all at once, so that files follow each other closely
		m.catalogue(rnd)
		m.tickNow(m.tb, rnd.IntN(5) == 0)
		m.flush(rnd)
	case "catalogue":
		m.catalogue(rnd)
	case "promotions":
		m.promotions(rnd)
	case "tick":
		m.tickNow(m.tb, rnd.IntN(5) == 0)
	case "flush":
		m.flush(rnd)
	case "time":
		m.pass(time.Duration(1+rnd.IntN(90)) * time.Minute)
	case "restart":
		m.restart()
	case "die":
		m.did["deaths"]++
		m.house.outbox.Queue = deadQueue{m.house.queue}
		_, _ = m.house.flush(context.Background()) // it dies of what it was to write down
		m.restart()
	case "jump":
		// A clock that was set back makes a read window longer. One that is set ahead makes it shorter, and is no more wrong here than
		// the window has room for, beyond the platform's interval.
		m.did["jumps"]++
		m.clock = m.actual.Add(time.Duration(rnd.IntN(180)-160) * time.Minute)
	case "read within":
		seed := rnd.Uint64()
		m.within = func() {
			m.did["reads within"]++
			inner := rand.New(rand.NewPCG(seed, 8))
			m.catalogue(inner)
			m.tickNow(m.tb, false)
			m.flush(inner)
		}
		m.scan()
	}
}

func (m *model) restart() {
	if err := m.house.Close(); err != nil {
		m.tb.Fatal(err)
	}
	m.start(m.tb)
}

// now moves the time on, for the house too.
func (m *model) now(d time.Duration) {
	m.actual, m.clock = m.actual.Add(d), m.clock.Add(d)
	at := m.actual
	m.told.Store(&at)
}

// pass lets time go by, and the platform look when it is time for it.
func (m *model) pass(d time.Duration) {
	for d > 0 {
		step := min(d, m.scanned.Add(m.p.every).Sub(m.actual))
		m.now(max(step, 0))
		d -= max(step, 0)
		if !m.actual.Before(m.scanned.Add(m.p.every)) {
			m.scan()
		}
	}
}

func (m *model) scan() {
	m.scanned = m.actual
	m.platform.Scan()
}

// catalogue drops a full or a partial export.
func (m *model) catalogue(rnd *rand.Rand) {
	m.now(time.Second)
	var b strings.Builder
	b.WriteString("sku,precio,activo\n")
	for _, sku := range []string{"A", "B", "C", "D"} {
		if rnd.IntN(3) == 0 {
			continue
		}
		price := ""
		if rnd.IntN(2) == 0 {
			price = fmt.Sprintf("%d.50", 1+rnd.IntN(3))
		}
		fmt.Fprintf(&b, "%s,%s,%s\n", sku, price, []string{"", "S", "N"}[rnd.IntN(3)])
	}
	m.export(m.tb, rnd.IntN(2), b.String())
}

// promotions drops an export that starts, changes and ends promotions.
func (m *model) promotions(rnd *rand.Rand) {
	m.now(time.Second)
	m.did["promotions"]++
	var b strings.Builder
	b.WriteString("sku;campaña;precio oferta;desde;hasta;activa\n")
	for _, sku := range modelOffers {
		if rnd.IntN(3) == 0 {
			continue
		}
		price, active := fmt.Sprint(700+10*rnd.IntN(3)), "sí"
		m.offers[sku] = price
		if rnd.IntN(4) == 0 {
			m.offers[sku], active = modelPrice, "no"
		}
		fmt.Fprintf(&b, "%s;Semana;%s;2026-11-20;2027-01-31;%s\n", sku, price, active)
	}
	m.export(m.tb, 2, b.String())
}

// flush sends, and something may be in the way.
func (m *model) flush(rnd *rand.Rand) {
	f := m.platform.Faults()
	m.did["faults"]++
	switch rnd.IntN(9) {
	case 0:
		f.CutAfter(int64(rnd.IntN(120)))
	case 1, 2, 3:
		kinds := []sandbox.Kind{
			sandbox.OpOpenWrite, sandbox.OpClose, sandbox.OpRename, sandbox.OpPosixRename, sandbox.OpRemove, sandbox.OpStat, sandbox.OpList,
			sandbox.OpMkdir,
		}
		f.CutOn(kinds[rnd.IntN(len(kinds))], rnd.IntN(2) == 0)
	case 4:
		f.NoSpaceAfter(int64(rnd.IntN(60)))
	case 5:
		f.ReadOnly(true)
	case 6:
		f.Down(true)
	default:
		m.did["faults"]--
	}
	if _, err := m.house.flush(context.Background()); err != nil {
		m.tb.Fatal(err)
	}
	f.Clear()
}

func (m *model) check() {
	shelf := map[string]sandbox.Article{}
	for _, a := range m.platform.Shelf("1") {
		shelf[a.SKU] = a
	}
	m.compare(m.tb, func(sku string) (price, active string) {
		return shelf[sku].Price, map[bool]string{true: "1", false: "0"}[shelf[sku].Active]
	})
	for sku, want := range m.offers {
		if got, ok := m.platform.EffectivePriceAt("1", sku, m.actual); !ok || got != want {
			m.tb.Errorf("customers pay %s for %s, wanted %s", got, sku, want)
		}
	}
	for _, job := range m.platform.Jobs() {
		// An end may come before the platform has read the start: it has nothing to end then, and that is what was wanted.
		refused := slices.ContainsFunc(job.Errors, func(e sandbox.RowError) bool { return e.Reason != sandbox.RowNoPromotion })
		if job.Status != sandbox.Completed || refused {
			m.tb.Errorf("the platform refused something: %+v", job)
		}
	}
	m.ordered()
}

// ordered holds that each name has shown nothing but the deliveries for it, whole, in their order.
func (m *model) ordered() {
	all, err := m.house.store.Deliveries(context.Background(), 0)
	if err != nil {
		m.tb.Fatal(err)
	}
	deliveries, at, last := map[string][]string{}, map[string]int{}, map[string]string{}
	for _, d := range all {
		name := d.Folder + "/" + d.Name
		deliveries[name] = append(deliveries[name], d.SHA256)
	}
	for _, c := range m.platform.Changes() {
		if c.Gone || c.SHA256 == last[c.Path] && c.Complete {
			continue
		}
		m.did["changes"]++
		if !c.Complete {
			m.tb.Errorf("%s showed a partial file: %+v", c.Path, c)
		}
		i := slices.Index(deliveries[c.Path][at[c.Path]:], c.SHA256)
		if i < 0 {
			m.tb.Errorf("%s shows %s, which is no delivery after the one that it showed before", c.Path, c.SHA256)
		}
		at[c.Path] += i
		last[c.Path] = c.SHA256
	}
}
