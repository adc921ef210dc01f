package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gondola/internal/sandbox"
)

// soak is how long TestSoak goes on. Only one of several minutes can say whether something grows.
var soak = flag.Duration("soak", soakSample, "how long TestSoak drops, sends, orders and breaks things")

const (
	soakSample = 20 * time.Second
	// soakTells is from when on a run is long enough to judge growth: the caches of the first minutes are full then.
	soakTells = 10 * time.Minute
	// soakLooks is how many looks there are at the process; soakWarm of them come first and are not judged.
	soakLooks, soakWarm = 120, 30
)

// TestSoak lets one daemon run through drops, pushes, orders, readers of its page, and one fault of the platform after another. In the end
// the shelves are right and every order was handed over once; memory, goroutines and open files are what they were after the first
// quarter; and nothing that was said anywhere on the way has a secret or something about a customer in it.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := newSoakRun(t, rand.New(rand.NewPCG(seed, 1)))
	r.dropSome(0)
	d := r.start()
	defer d.kill()
	ctx, stop := context.WithTimeout(t.Context(), *soak)
	defer stop()
	var others sync.WaitGroup
	defer others.Wait()
	eating, fed := context.WithCancel(t.Context())
	defer fed()
	others.Go(func() { r.erp.eat(eating) })
	lives := r.rand.Uint64()
	made := make(chan struct{})
	others.Go(func() {
		defer close(made)
		r.makeOrders(ctx, lives)
	})
	breaks := rand.New(rand.NewPCG(seed, 2))
	others.Go(func() { r.breakThings(ctx, breaks) })
	var looks []soakLook
	others.Go(func() { looks = r.watch(ctx) })
	for n := 1; ctx.Err() == nil; n++ {
		r.dropSome(n)
		r.dropPromotions()
		r.sleep(1000, 3000)
		r.push(false)
		r.sleep(500, 2000)
	}
	<-made
	r.finishOrders()
	fed()
	others.Wait()
	r.killRun.finish() // what was dropped last; finishOrders has waited for the orders
	r.listen("the end", d.out.String())
	r.judge(looks)
	r.checkShelves()
	r.checkOrders()
	r.checkSilence()
}

// soakRun is the world of TestSoak.
type soakRun struct {
	*orderKillRun
	page    string
	secrets map[string]string // what it is, by what it says

	mu   sync.Mutex
	said map[string]*strings.Builder // by who said it; guarded by mu
}

func newSoakRun(t *testing.T, rnd *rand.Rand) *soakRun {
	r := &soakRun{
		orderKillRun: &orderKillRun{killRun: &killRun{
			T: t, rand: rnd, dir: t.TempDir(), want: map[string]map[string]string{}, offers: map[string]map[string]string{},
		}},
		page: freeAddress(t), said: map[string]*strings.Builder{}, secrets: map[string]string{},
	}
	r.binary = buildBinary(t)
	secret := func(name, what string) string {
		value := fmt.Sprintf("invented-%016x", rnd.Uint64())
		r.secrets[value] = what
		t.Setenv(name, value)
		return value
	}
	webhook := freeAddress(t)
	o := sandbox.Options{
		Dir: t.TempDir(), User: "gondola", Password: secret("GONDOLA_SOAK_PASSWORD", "the password"), ScanEvery: 200 * time.Millisecond,
		OrderSeed: rnd.Uint64(),
		API:       sandbox.API{OrderSeed: rnd.Uint64(), Tokens: sandbox.Tokens{Orders: secret("GONDOLA_SOAK_TOKEN", "the token")}},
		Webhook: sandbox.Webhook{
			URL: "http://" + webhook + "/webhook", Secret: secret("GONDOLA_SOAK_SECRET", "the webhook's secret"), Timeout: 5 * time.Second,
		},
	}
	for range 100 {
		o.Webhook.Retries = append(o.Webhook.Retries, time.Second)
	}
	for _, id := range killVendors {
		o.Vendors = append(o.Vendors, r.shelf(id))
	}
	var err error
	if r.platform, err = sandbox.Start(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.platform.Close() })
	// An alarm whose address is a secret and leads nowhere.
	t.Setenv("GONDOLA_SOAK_ALARM", "http://"+freeAddress(t)+"/"+secret("GONDOLA_SOAK_NOTHING", "the alarm's address"))
	host, port := r.platform.SFTPAddr()
	r.write("config.yaml", fmt.Sprintf(`
chain: {id: %s, time_zone: America/Montevideo}
vendors: [{id: s1}, {id: s2}, {id: s3}]
state: {dir: state, min_free: 1MB}
sftp:
  {host: %s, port: %d, user: gondola, password: "env:GONDOLA_SOAK_PASSWORD", host_keys: ["%s"], read_window: 1s, stall_timeout: 5s}
drops: {settle: 100ms, quiet: 1s, scan: 1s}
feeds:
  - {name: full, drop: drop/full, export: full, vendor: {column: tienda}}
  - {name: partial, drop: drop/partial, export: partial, vendor: {column: tienda}}
  - {name: promos, kind: promotions, drop: drop/promos, export: partial, vendor: {column: tienda}}
send: {catalog: {schedule: "* * * * *", full: "0 4 * * *"}, promotions: {schedule: "* * * * *"}}
brake: {min_rows: 100000, price_change: off, discount: off, unknown_articles: send}
api: {url: %s, tokens: {orders: "env:GONDOLA_SOAK_TOKEN"}}
orders:
  webhook: {listen: "%s", secrets: ["env:GONDOLA_SOAK_SECRET"]}
  poll: {every: 30s}
  export: {dir: erp, format: json, on: [READY_FOR_PICKUP, CANCELLED], on_change: ignore, customer: true}
alerts: [{post: "env:GONDOLA_SOAK_ALARM"}]
alerts_after: 0s
web: {listen: "%s"}
`, sandbox.DefaultChainID, host, port, r.platform.HostKey(), r.platform.RESTURL(), webhook, r.page))
	for _, dir := range []string{"drop/full", "drop/partial", "drop/promos", "erp"} {
		r.write(dir+"/.keep", "")
	}
	r.erp = &eatingERP{T: t, dir: filepath.Join(r.dir, "erp"), eaten: map[handedOver]int{}}
	return r
}

// shelf returns a store as TestKill has them, and notes what it shows.
func (r *soakRun) shelf(id string) sandbox.Vendor {
	v := sandbox.Vendor{ID: id, Name: id}
	r.want[id], r.offers[id] = map[string]string{}, map[string]string{}
	for i := range killSKUs {
		v.Articles = append(v.Articles, sandbox.Article{SKU: fmt.Sprintf("A%03d", i), Price: "1", Active: true})
	}
	for i := range killOffers {
		sku := fmt.Sprintf("P%02d", i)
		v.Articles = append(v.Articles, sandbox.Article{SKU: sku, Price: killPrice, Active: true})
		r.offers[id][sku] = killPrice
	}
	return v
}

// makeOrders lets orders live until ctx ends. A good one a second is a busy chain.
func (r *soakRun) makeOrders(ctx context.Context, seed uint64) {
	// The last ones shall have lived their lives before the time is over.
	st := sandbox.Stream{Rate: 2, For: *soak * 3 / 4, Step: 500 * time.Millisecond, Seed: seed, Cancel: 0.3, Cart: 0.2}
	if _, err := r.platform.StreamOrders(ctx, st); err != nil && ctx.Err() == nil {
		r.Error(err)
	}
}

// breakThings breaks one thing after another, and mends it.
func (r *soakRun) breakThings(ctx context.Context, rnd *rand.Rand) {
	f := r.platform.Faults()
	defer f.Clear()
	breaks := []func(){
		func() { f.CutAfter(int64(rnd.IntN(2000))) },
		func() { f.StallAfter(int64(rnd.IntN(2000))) },
		func() { f.HangAfter(int64(rnd.IntN(2000))) },
		func() { f.NoSpaceAfter(100) },
		func() { f.ReadOnly(true) },
		func() { f.RefuseLogin(true) },
		func() { f.Down(true) },
		func() { f.Silent(true) },
		f.CutAll,
		func() { f.CutOn(sandbox.OpRename, rnd.IntN(2) == 0) },
	}
	for _, name := range []string{"server-errors", "resets", "truncated-bodies", "slow-bodies", "duplicate-events", "reordered-events", "too-many-once"} {
		breaks = append(breaks, func() { r.set(name, true) })
	}
	longest := int(min(20*time.Second, *soak/5) / time.Second)
	for ctx.Err() == nil {
		breaks[rnd.IntN(len(breaks))]()
		wait(ctx, time.Duration(1+rnd.IntN(longest))*time.Second)
		f.Clear()
		for _, name := range sandbox.FaultNames() {
			if name != "expired-tokens" {
				r.set(name, false)
			}
		}
		wait(ctx, time.Duration(1+rnd.IntN(longest))*time.Second)
	}
}

func (r *soakRun) set(fault string, on bool) {
	if err := r.platform.Faults().Set(fault, on); err != nil {
		r.Error(err)
	}
}

// wait waits, at most until ctx ends.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// soakLook is what a look at the process found.
type soakLook struct {
	at         time.Duration
	memory     float64 // resident, in MiB
	cpu        float64 // seconds so far
	goroutines float64
	open       float64        // file descriptors
	drops      int            // so far
	files      map[string]int // in the state folder, by its folders
}

// watch looks at the process until ctx ends, and reads what it says as readers would.
func (r *soakRun) watch(ctx context.Context) []soakLook {
	var looks []soakLook
	begin := time.Now()
	for ctx.Err() == nil {
		wait(ctx, *soak/soakLooks)
		for _, path := range []string{"/", "/status.json", "/healthz"} {
			_, _ = r.ask(path)
		}
		text, err := r.ask("/metrics")
		if err != nil {
			continue // it is starting, or another one asks just now
		}
		numbers := readMetrics(text)
		looks = append(looks, soakLook{
			at: time.Since(begin), memory: numbers["process_resident_memory_bytes"] / (1 << 20), cpu: numbers["process_cpu_seconds_total"],
			goroutines: numbers["go_goroutines"], open: numbers["process_open_fds"], drops: r.dropped(), files: r.files(),
		})
	}
	return looks
}

// ask asks the page, and keeps what it says.
func (r *soakRun) ask(path string) (string, error) {
	resp, err := http.Get("http://" + r.page + path)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", path, resp.Status)
	}
	r.listen("the page "+path, string(text))
	return string(text), err
}

// readMetrics reads the numbers that have no label.
func readMetrics(text string) map[string]float64 {
	numbers := map[string]float64{}
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		var v float64
		if _, err := fmt.Sscan(rest, &v); err == nil {
			numbers[name] = v
		}
	}
	return numbers
}

// listen keeps what somebody said.
func (r *soakRun) listen(who, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.said[who] == nil {
		r.said[who] = &strings.Builder{}
	}
	r.said[who].WriteString(text)
}

// dropped returns how many exports were taken so far.
func (r *soakRun) dropped() int { return r.files()["archive"] }

// files counts the files of the state folder, by the folder below it.
func (r *soakRun) files() map[string]int {
	counts := map[string]int{}
	root := filepath.Join(r.dir, "state")
	_ = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(root, path)
			folder, _, below := strings.Cut(filepath.ToSlash(rel), "/")
			if !below {
				folder = "."
			}
			counts[folder]++
		}
		return nil // what is gone since it was listed is gone
	})
	return counts
}

// finishOrders waits until every order was handed over.
func (r *soakRun) finishOrders() {
	r.platform.Faults().Clear()
	deadline := time.Now().Add(2 * time.Minute)
	for r.platform.PendingEvents() > 0 || r.erp.count() < len(r.asked()) {
		if time.Now().After(deadline) {
			r.Errorf("in vain: %d events are not taken over, %d of %d hand-overs are there", r.platform.PendingEvents(), r.erp.count(), len(r.asked()))
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// judge says whether anything grew, and prints the figures.
func (r *soakRun) judge(looks []soakLook) {
	if len(looks) < 5 {
		r.Fatalf("only %d looks at the process: this run shows nothing", len(looks))
	}
	r.Log("  time   RSS MiB  CPU s  goroutines  open files  drops  files in state")
	for i := 0; i < len(looks); i += max(1, len(looks)/20) {
		l := looks[i]
		r.Logf("%6s  %7.1f  %5.1f  %10.0f  %10.0f  %5d  %v", l.at.Round(time.Second), l.memory, l.cpu, l.goroutines, l.open, l.drops, l.files)
	}
	if *soak < soakTells {
		return
	}
	looks = looks[min(soakWarm, len(looks)/4):]
	first, second := looks[:len(looks)/2], looks[len(looks)/2:]
	for _, m := range []struct {
		what  string
		of    func(soakLook) float64
		share float64 // by which the second half may be more
		slack float64
	}{
		{"memory in MiB", func(l soakLook) float64 { return l.memory }, 0.10, 4},
		{"goroutines", func(l soakLook) float64 { return l.goroutines }, 0, 3},
		{"open files", func(l soakLook) float64 { return l.open }, 0, 3},
		// Drops, layers and documents are kept for their retention, so there are more with every drop; but not more for each.
		{"files for each drop", func(l soakLook) float64 { return total(l.files) / max(1, float64(l.drops)) }, 0.05, 0.2},
	} {
		before, after := median(first, m.of), median(second, m.of)
		r.Logf("%s: %.1f, later %.1f", m.what, before, after)
		if after > before*(1+m.share)+m.slack {
			r.Errorf("%s grew from %.1f to %.1f", m.what, before, after)
		}
	}
}

func total(counts map[string]int) float64 {
	n := 0
	for c := range maps.Values(counts) {
		n += c
	}
	return float64(n)
}

func median(looks []soakLook, of func(soakLook) float64) float64 {
	values := make([]float64, len(looks))
	for i, l := range looks {
		values[i] = of(l)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// checkShelves compares what customers see with what was dropped.
func (r *soakRun) checkShelves() {
	for _, wrong := range r.wrong() {
		r.Error(wrong)
		r.tellWhy(wrong)
	}
	if got := r.dropped(); got != r.drops {
		r.Errorf("%d exports in the archive, %d were dropped", got, r.drops)
	}
}

// tellWhy asks the program about an article whose shelf is not right, and the platform about what it was told.
func (r *soakRun) tellWhy(wrong string) {
	vendor, rest, _ := strings.Cut(strings.TrimPrefix(wrong, "store "), ", ")
	sku, _, _ := strings.Cut(rest, ":")
	for _, args := range [][]string{{"explain", sku, "--vendor", vendor}, {"promotions", "--ended", "--sku", sku, "--vendor", vendor}, {"plan"}, {"status"}} {
		out, err := exec.Command(r.binary, append(args, "--config", filepath.Join(r.dir, "config.yaml"))...).CombinedOutput()
		r.Logf("gondola %v: %v\n%s", args, err, out)
	}
	for _, p := range r.platform.Promotions(vendor) {
		if p.SKU == sku {
			r.Logf("the platform has %+v", p)
		}
	}
}

// checkOrders compares what the ERP ate with what customers ordered.
func (r *soakRun) checkOrders() {
	want, got := r.asked(), r.erp.all()
	r.Logf("%d drops, %d orders, %d hand-overs", r.drops, len(r.platform.Orders()), len(got))
	for h := range want {
		if got[h] != 1 {
			r.Errorf("handed over %d times: order %s, %s", got[h], h.ID, h.Asked)
		}
	}
}

// checkSilence looks for secrets, and for what is said of customers, in everything that was said: log, page, metrics, ledger, status, and
// the answers in the drop folders.
func (r *soakRun) checkSilence() {
	for _, args := range [][]string{{"ledger"}, {"ledger", "--json"}, {"status"}, {"status", "--json"}, {"orders", "list", "--json"}} {
		out, err := exec.Command(r.binary, append(args, "--config", filepath.Join(r.dir, "config.yaml"))...).CombinedOutput()
		if len(out) == 0 {
			r.Errorf("%v says nothing: %v", args, err)
		}
		r.listen(strings.Join(args, " "), string(out))
	}
	err := filepath.WalkDir(filepath.Join(r.dir, "drop"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		r.listen("an answer", string(text))
		return err
	})
	if err != nil {
		r.Error(err)
	}
	private := maps.Clone(r.secrets)
	for _, o := range r.platform.Orders() {
		body, _ := r.platform.OrderBody(o.ID)
		for _, text := range personal(r.T, body) {
			private[text] = "of a customer"
		}
	}
	if len(private) < 20 {
		r.Errorf("only %d things to look for: this run shows nothing", len(private))
	}
	size := 0
	for who, b := range r.said {
		text := b.String()
		size += len(text)
		for secret, what := range private {
			if at := strings.Index(text, secret); at >= 0 {
				r.Errorf("%s tells %s: %q, in %q", who, what, secret, text[max(0, at-80):min(len(text), at+80)])
			}
		}
	}
	r.Logf("looked for %d secrets and things of customers in %d KiB of %d kinds", len(private), size>>10, len(r.said))
}

// personal returns what an order says of its customer, as far as it can be told from other texts.
func personal(t *testing.T, order []byte) []string {
	var body struct {
		Comment  string         `json:"comment"`
		Customer map[string]any `json:"customer"`
	}
	if err := json.Unmarshal(order, &body); err != nil {
		t.Fatal(err)
	}
	all := []string{body.Comment}
	var collect func(v any)
	collect = func(v any) {
		switch v := v.(type) {
		case string:
			all = append(all, v)
		case map[string]any:
			for _, one := range v {
				collect(one)
			}
		}
	}
	collect(body.Customer)
	const short = 8 // house numbers and first names are found in other texts
	return slices.DeleteFunc(all, func(s string) bool { return len(s) < short })
}
