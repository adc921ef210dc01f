package daemon

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gondola/internal/config"
	"gondola/internal/outbox"
	"gondola/internal/sandbox"
)

// live is a house that runs with all its loops, on real folders, beside a real SFTP server.
type live struct {
	*testing.T
	dir      string
	drops    string           // the drop folder
	platform *sandbox.Sandbox // nil where the server is another one
	home     string           // the account's home on the server
	cfg      *config.Config
	house    *House
	stop     func()
	before   func() // done between opening the house and running it, nil for nothing

	mu     sync.Mutex
	events []Event
}

type liveOptions struct {
	sandbox  sandbox.Options
	server   func(*live) // sets home and the config's server, instead of a sandbox
	stateDir string      // default below dir
	dropDir  string      // default below dir
	minFree  config.Size
	before   func() // done between opening the house and running it
	config   string // lines behind the usual ones
	change   func(*config.Config)
	page     bool // of newHook
}

// newLive starts a platform with the stores 290056 and 290057 and a house with one feed that names the store in a column.
func newLive(t *testing.T, o liveOptions) *live {
	t.Helper()
	l := &live{T: t, dir: t.TempDir()}
	if o.sandbox.Vendors == nil {
		o.sandbox.Vendors = []sandbox.Vendor{{ID: "290056", Name: "Centro"}, {ID: "290057", Name: "Puerto"}}
	}
	o.sandbox.Password = casePassword
	l.writeFile("password", casePassword)
	if err := os.Chmod(filepath.Join(l.dir, "password"), 0o600); err != nil {
		t.Fatal(err)
	}
	l.drops = o.dropDir
	if l.drops == "" {
		l.drops = filepath.Join(l.dir, "drop")
	}
	if err := os.MkdirAll(l.drops, 0o755); err != nil {
		t.Fatal(err)
	}
	text := liveConfig(l.drops)
	var err error
	if l.cfg, err = config.Parse(filepath.Join(l.dir, "config.yaml"), []byte(text+o.config)); err != nil {
		t.Fatal(err)
	}
	if o.change != nil {
		o.change(l.cfg)
	}
	if o.server != nil {
		o.server(l)
	} else {
		l.platform = newTestSandbox(t, o.sandbox)
		l.home = l.platform.Home()
		pointAt(l.cfg, l.platform)
	}
	l.cfg.State.Dir, l.cfg.State.MinFree = o.stateDir, o.minFree
	if o.stateDir == "" {
		l.cfg.State.Dir = filepath.Join(l.dir, "state")
	}
	l.before = o.before
	l.start()
	t.Cleanup(func() { l.stop() })
	return l
}

// liveConfig returns the config of a live house.
func liveConfig(drops string) string {
	return fmt.Sprintf(`
chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Montevideo}
vendors: [{id: "290056", name: Centro, erp_code: "001"}, {id: "290057", name: Puerto, erp_code: "002"}]
sftp: {host: sandbox, user: gondola, password: "file:password", stall_timeout: 1s,
  host_keys: ["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]}
drops: {settle: 100ms, quiet: 500ms, scan: 300ms}
feeds:
  - {name: precios, drop: %q, export: full, missing: deactivate, vendor: {column: Sucursal}}
send: {catalog: {schedule: "0 3 1 1 *", full: "off"}}
`, drops)
}

// start opens the house and runs it until stop.
func (l *live) start() {
	l.Helper()
	h, err := Open(context.Background(), l.cfg, Options{Tell: l.hear, Serve: true})
	if err != nil {
		l.Fatal(err)
	}
	// What is slow for a real server's sake is fast here.
	h.outbox.Backoff = outbox.Backoff{
		First: 50 * time.Millisecond, Last: 200 * time.Millisecond, SlowFirst: 50 * time.Millisecond, SlowLast: 200 * time.Millisecond,
	}
	h.outbox.Grace = time.Second
	if l.before != nil {
		l.before()
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	var once sync.Once
	l.house = h
	l.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				l.Errorf("run: %v", err)
			}
			if err := h.Close(); err != nil {
				l.Errorf("close: %v", err)
			}
		})
	}
}

func (l *live) hear(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
}

// heard returns the texts of the events of a kind.
func (l *live) heard(kind EventKind) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, e := range l.events {
		if e.Kind == kind {
			all = append(all, e.Text)
		}
	}
	return all
}

func (l *live) writeFile(name, text string) {
	l.Helper()
	if err := os.WriteFile(filepath.Join(l.dir, name), []byte(text), 0o600); err != nil {
		l.Fatal(err)
	}
}

// put drops an export as a careful writer does: written elsewhere, renamed in.
func (l *live) put(name, text string) {
	l.Helper()
	temp := filepath.Join(l.drops, "."+name+".tmp")
	if err := os.WriteFile(temp, []byte(text), 0o600); err != nil {
		l.Fatal(err)
	}
	if err := os.Rename(temp, filepath.Join(l.drops, name)); err != nil {
		l.Fatal(err)
	}
}

// acquaint probes the server, so that a fault which is armed for the next upload does not strike the probe of the first connection.
func (l *live) acquaint() {
	l.Helper()
	if p, err := Probe(l.Context(), l.cfg, Options{}); err != nil || p.Problem != "" {
		l.Fatalf("Probe = %+v, %v", p, err)
	}
}

func (l *live) push() {
	l.Helper()
	if err := l.house.Push(context.Background(), Ask{}); err != nil {
		l.Fatal(err)
	}
}

// await waits until something is true that other goroutines bring about.
func (l *live) await(what string, true func() bool) {
	l.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !true() {
		if time.Now().After(deadline) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.Fatalf("still waiting for: %s; events so far: %+v", what, l.events)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (l *live) awaitEvent(kind EventKind, n int) {
	l.Helper()
	l.await(fmt.Sprintf("%d x %s", n, kind), func() bool { return len(l.heard(kind)) >= n })
}

// receipt returns the answer beside where an export was dropped, "" while there is none.
func (l *live) receipt(name string) string {
	data, err := os.ReadFile(filepath.Join(l.drops, name+".respuesta.txt"))
	if err != nil {
		return ""
	}
	return strings.ReplaceAll(strings.TrimPrefix(string(data), "\ufeff"), "\r\n", "\n")
}

// remote returns what lies under a remote name, "" where nothing does.
func (l *live) remote(name string) string {
	data, err := os.ReadFile(filepath.Join(l.home, "catalog", name))
	if err != nil {
		return ""
	}
	return string(data)
}

// whole fails the test if a final name ever showed a partial file.
func (l *live) whole() {
	l.Helper()
	for _, c := range l.platform.Changes() {
		if !c.Gone && !c.Complete {
			l.Errorf("a final name showed a partial file: %+v", c)
		}
	}
}

const (
	liveExport = "Sucursal;Código;Precio;Activo\n001;A1;10,50;S\n001;A2;1.299,00;N\n002;A1;11,00;S\n"
	liveCentro = "sku,price,active\nA1,10.50,1\nA2,1299.00,0\n"
	livePuerto = "sku,price,active\nA1,11.00,1\n"
)

// TestEndToEnd follows one export from the drop folder to the platform's shelf, and the answer beside it on its way.
func TestEndToEnd(t *testing.T) {
	l := newLive(t, liveOptions{sandbox: sandbox.Options{Vendors: []sandbox.Vendor{
		{ID: "290056", Articles: []sandbox.Article{{SKU: "A1", Price: "9", Active: true}, {SKU: "A2", Price: "9", Active: true}}},
		{ID: "290057", Articles: []sandbox.Article{{SKU: "A1", Price: "9", Active: false}}},
	}}})
	l.put("precios.csv", liveExport)
	l.await("the answer", func() bool { return l.receipt("precios.csv") != "" })
	if got := l.receipt("precios.csv"); !strings.Contains(got, "Centro") || !strings.Contains(got, "Puerto") {
		t.Errorf("the answer does not name the stores:\n%s", got)
	}
	if ops := l.platform.Operations(); len(ops) > 0 {
		t.Errorf("a drop alone reached the server: %+v", ops)
	}
	l.push()
	l.awaitEvent(EventSent, 2)
	if got := l.remote("gondola_290056.csv"); got != liveCentro {
		t.Errorf("Centro's document:\n%s\nwant:\n%s", got, liveCentro)
	}
	if got := l.remote("gondola_290057.csv"); got != livePuerto {
		t.Errorf("Puerto's document:\n%s\nwant:\n%s", got, livePuerto)
	}
	l.await("the answer to be up to date", func() bool {
		_, due, err := l.house.store.ReceiptDue(context.Background(), 1)
		return err == nil && !due
	})
	t.Logf("the answer:\n%s", l.receipt("precios.csv"))
	if got := l.receipt("precios.csv"); strings.Count(got, "comprob") != 2 {
		t.Errorf("the answer does not say that both documents arrived:\n%s", got)
	}
	l.platform.Scan()
	for vendor, want := range map[string]string{"290056": "A1 10.5 true, A2 1299 false", "290057": "A1 11 true"} {
		var got []string
		for _, a := range l.platform.Shelf(vendor) {
			got = append(got, fmt.Sprintf("%s %s %t", a.SKU, a.Price, a.Active))
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("shelf of %s: %s, want %s", vendor, strings.Join(got, ", "), want)
		}
	}
	l.whole()
}

// TestAnswersAreNoExportsInAnotherLanguage changes the language of a house whose drop folder holds answers in the one before.
func TestAnswersAreNoExportsInAnotherLanguage(t *testing.T) {
	l := newLive(t, liveOptions{})
	l.put("precios.csv", liveExport)
	l.await("the answer", func() bool { return l.receipt("precios.csv") != "" })
	l.stop()
	l.cfg.Chain.Language = "pt"
	l.start()
	l.put("precios2.csv", liveExport)
	l.await("an answer in Portuguese", func() bool {
		_, err := os.Stat(filepath.Join(l.drops, "precios2.csv.resposta.txt"))
		return err == nil
	})
	if l.receipt("precios.csv") == "" {
		t.Error("the Spanish answer was taken for an export")
	}
	if d, _, err := l.house.store.LastDrop(context.Background(), "precios"); err != nil || d.Seq != 2 {
		t.Errorf("the last drop is %d, %s (%v), want 2", d.Seq, d.Name, err)
	}
}

// TestReceiptInTime measures how long an answer to 10,000 rows takes once the file has settled.
func TestReceiptInTime(t *testing.T) {
	l := newLive(t, liveOptions{})
	var b strings.Builder
	b.WriteString("Sucursal;Código;Descripción;Precio;Activo\n")
	for i := range 10_000 {
		fmt.Fprintf(&b, "00%d;A%05d;Artículo de prueba %d;%d,%02d;S\n", 1+i%2, i/2, i, 1+i%900, i%100)
	}
	start := time.Now()
	l.put("precios.csv", b.String())
	l.await("the answer", func() bool { return l.receipt("precios.csv") != "" })
	// Two looks 500 ms apart settle the file; the race detector makes everything several times slower.
	took := time.Since(start)
	t.Logf("10,000 rows: answered %v after the drop", took.Round(time.Millisecond))
	if took > 8*time.Second {
		t.Errorf("the answer took %v", took)
	}
}

// TestStopFinishes stops the house while work is under way: it ends promptly, and the next start goes on.
func TestStopFinishes(t *testing.T) {
	l := newLive(t, liveOptions{})
	l.put("precios.csv", liveExport)
	l.awaitEvent(EventRead, 1)
	l.acquaint()
	l.platform.Faults().StallAfter(5)
	l.push()
	l.await("an upload under way", func() bool {
		for _, op := range l.platform.Operations() {
			if op.Kind == sandbox.OpOpenWrite && strings.Contains(op.Path, "gondola_") {
				return true
			}
		}
		return false
	})
	start := time.Now()
	l.stop()
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("stopping took %v", took)
	}
	l.platform.Faults().Clear()
	l.start()
	l.await("both documents", func() bool {
		return l.remote("gondola_290056.csv") == liveCentro && l.remote("gondola_290057.csv") == livePuerto
	})
	l.whole()
}
