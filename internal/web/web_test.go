package web

import (
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "write the golden pages anew; read the difference before keeping it")

// served is a server that runs, and its address.
type served struct {
	*Server
	url string
}

// newServed runs a server until the test ends, and then looks for what it left behind.
func newServed(t *testing.T, c Config) served {
	t.Helper()
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	none := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, none) }) // after the server has stopped
	var out served
	serve(t, c, func(s *Server) { out = served{s, "http://" + s.Addr().String()} })
	return out
}

// serve runs a server, as it is set up, until the test ends or the function that it returns is called.
func serve(t *testing.T, c Config, set func(*Server)) (stop func()) {
	t.Helper()
	if c.Healthy == nil {
		c.Healthy = func(context.Context) error { return nil }
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	set(s)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		began := time.Now()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
		if took := time.Since(began); took > stopGrace {
			t.Errorf("it took %s to stop", took)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	t.Cleanup(stop)
	began(t, s.Addr().String())
	return stop
}

// TestStopsAtOnce stops although somebody is connected who never asked for anything, as browsers are to be quicker later.
func TestStopsAtOnce(t *testing.T) {
	var s *Server
	stop := serve(t, Config{Listen: "127.0.0.1:0", Look: fixed(Page{})}, func(it *Server) { s = it })
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	time.Sleep(100 * time.Millisecond) // the server has taken it
	begun := time.Now()
	stop()
	if took := time.Since(begun); took > stopGrace/2 {
		t.Errorf("it took %s", took)
	}
}

// began waits until a server answers, so that what it runs is none of another server's that the same test starts.
func began(t *testing.T, address string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, c) // what it says of that
}

// answered is an answer that was read.
type answered struct {
	code   int
	header http.Header
}

// ask makes a request and returns the answer with its body.
func ask(t *testing.T, method, url string, headers ...string) (answered, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answered{res.StatusCode, res.Header}, string(body)
}

func fixed(p Page) func(context.Context) (View, error) {
	return func(context.Context) (View, error) {
		return View{Page: p, Status: map[string]string{"state": p.State}}, nil
	}
}

// TestPages compares the page in every language, with everything on it and with nothing, to goldens.
func TestPages(t *testing.T) {
	zone, err := time.LoadLocation("America/Montevideo")
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]Page{"full": fullPage(), "empty": {At: fullPage().At, State: "ok"}} {
		for _, language := range []string{"es", "pt", "en"} {
			t.Run(name+" "+language, func(t *testing.T) {
				s := newServed(t, Config{Language: language, Zone: zone, Look: fixed(p)})
				res, got := ask(t, http.MethodGet, s.url+"/")
				if res.code != http.StatusOK || res.header.Get("Content-Type") != "text/html; charset=utf-8" {
					t.Errorf("%d, %s", res.code, res.header.Get("Content-Type"))
				}
				golden := filepath.Join("testdata", name+"."+language+".html")
				if *update {
					if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("page (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// fullPage has something of everything, and text from outside that means something in HTML.
func fullPage() Page {
	at := time.Date(2026, 11, 26, 17, 5, 0, 0, time.UTC)
	return Page{
		At: at, State: "failing", Since: at.Add(-time.Hour), Paused: "hasta mañana", Server: "OpenSSH: posix-rename",
		Problems: []Problem{
			{Kind: "permission", Text: "Sin permiso.", Do: "Pídalo.", Detail: `open "<b>": denied`, Since: at.Add(-time.Hour), Told: true},
			{Kind: "unreachable", Text: "Sin conexión.", Do: "Espere.", Since: at.Add(-time.Minute)},
		},
		Held: []Held{
			{Finding: "F7", Store: "Puerto", Since: at.Add(-time.Hour), Findings: []Finding{{
				Text:  "2 prices change by more than 40%.",
				Worst: []Move{{Key: "7790895<b>", Row: "17", Old: "1234.5", New: "12.34"}, {Key: "0042", New: "99"}},
			}}},
			{Drop: 12, Name: "<script>.csv", Feed: "precios", Store: "Centro", Findings: []Finding{{Text: "Se desactivarían 9 de 10."}}},
			{Drop: 13, Name: "todo.csv", Feed: "precios", Findings: []Finding{{Text: "Más viejo."}}},
		},
		Stores: []Store{
			{ID: "290056", Name: "Centro", Shelf: "catalog", Same: 12345, Differs: 2, Verified: at.Add(-2 * time.Hour), Next: at.Add(10 * time.Minute), Problem: "Avise."},
			{ID: "290057", Name: "Puerto", Shelf: "promotions", Same: 3, Pending: 1, Withheld: 2, Next: at.Add(time.Hour), Settled: true, Held: true, Paused: true, Jobs: 1, NotTaken: 3},
			{Shelf: "assortment", Verified: at, Settled: true},
		},
		Feeds: []Feed{
			{Name: "precios", Folder: "/srv/drop", Drop: "12 a.csv", Seq: 12, Came: at, State: "read", Rows: 10, Issues: 1, Waiting: []string{"b.csv", "~$c.xlsx"}},
			{Name: "stock", Folder: "/srv/stock", Problem: "no such folder"},
		},
		Deliveries: []Delivery{
			{Name: "catalog/gondola_290056.csv", Store: "Centro", State: "deferred", Attempts: 3, Next: at.Add(time.Minute), Why: "Se reintenta.", Detail: "EOF"},
			{Name: "catalog/gondola.csv", State: "parked", Attempts: 1, Stopped: true, Why: "Avise."},
			{Name: "catalog/gondola_9.csv", Store: "Nueve", State: "queued"},
		},
		Done: []Delivery{
			{
				Name: "catalog/gondola_290056.csv", Store: "Centro", State: "taken", Rows: 1204, Planned: at.Add(-3 * time.Minute), Began: at.Add(-2 * time.Minute),
				Verified: at.Add(-time.Minute), Proof: "digest", Fate: "taken", FateAt: at,
			},
			{Name: "promotions/gondola.csv", State: "verified", Rows: 2, Planned: at, Began: at, Verified: at, Proof: "new-proof"},
		},
		Jobs: []Job{
			{
				ID: "job-1", Kind: "catalog", Store: "Centro", Ours: true, Drops: []int64{12, 13}, Rows: 100, Made: at.Add(-time.Hour), Ended: at, Heard: "event", NotTaken: 1,
				Refused: []Refusal{{Article: "0042", Reason: "Product <not> found", Drop: 12, Row: 7, At: at, Store: "Centro"}},
			},
			{ID: "job-2", Kind: "promotion", Made: at, Problem: "job failed"},
		},
		Incoming: &Incoming{Listens: true, Events: 1204, Last: at, Waiting: 1, Aside: 2, Refused: 3, Asks: true, Oldest: at.Add(-time.Minute), Failing: 1},
		Gaps:     []Gap{{Kind: "not-told", Order: "A-1", Store: "Centro", State: "PICKED_UP", Found: at, Outcome: "repaired"}, {Kind: "differs", Order: "A-2", State: "NEW", Found: at}},
		Audits: []Audit{
			{Store: "Centro", At: at, Sent: 100, Same: 90, Unknown: 3, Drifted: 7, Unsent: 1}, {Store: "Puerto", At: at, Error: "404"}, {Store: "Norte", At: at, Sent: 5, Same: 5},
		},
		ByHand: []string{"Artículo 0042 apagado en Centro"},
		Orders: &Orders{
			States: []string{"READY_FOR_PICKUP", "PICKED_UP", "CANCELLED"}, Numbers: []int{3, 1204, 2}, Due: 1,
			File: "290056_20260501-120004_a_CANCELLED.csv", FileAt: at, Foreign: 7,
		},
	}
}

// TestEveryAnswerIsGuarded asks for everything, and for what there is not.
func TestEveryAnswerIsGuarded(t *testing.T) {
	s := newServed(t, Config{Look: fixed(Page{State: "ok"})})
	for _, c := range []struct {
		method, path string
		want         int
		headers      []string
	}{
		{http.MethodGet, "/", 200, nil},
		{http.MethodHead, "/", 200, nil},
		{http.MethodGet, "/?quiet", 200, nil},
		{http.MethodGet, "/status.css", 200, nil},
		{http.MethodGet, "/status.json", 200, nil},
		{http.MethodGet, "/healthz", 200, nil},
		{http.MethodGet, "/readyz", 200, nil},
		{http.MethodGet, "/live.js", 200, nil},
		{http.MethodGet, "/favicon.svg", 200, nil},
		{http.MethodGet, "/favicon.ico", 404, nil},
		{http.MethodGet, "/sku", 404, nil}, // where nobody tells stories
		{http.MethodGet, "/answer?drop=1", 404, nil},
		{http.MethodGet, "/%2e%2e/etc/passwd", 404, nil},
		{http.MethodPost, "/", 405, nil},
		{http.MethodDelete, "/status.json", 405, nil},
		{http.MethodOptions, "/", 405, nil},
		{http.MethodGet, "/", 200, []string{"Host", "localhost:9"}},
		{http.MethodGet, "/", 200, []string{"Host", "LOCALHOST"}},
		{http.MethodGet, "/", 200, []string{"Host", "[::1]:8481"}},
		{http.MethodGet, "/", 200, []string{"Host", "127.0.0.2"}},
		// A page of the internet whose name leads here since a moment ago.
		{http.MethodGet, "/status.json", 421, []string{"Host", "evil.example"}},
		{http.MethodGet, "/", 421, []string{"Host", "localhost.evil.example:8481"}},
		{http.MethodGet, "/", 421, []string{"Host", "127.0.0.1.evil.example"}},
		{http.MethodGet, "/", 421, []string{"Host", "192.0.2.7"}},
	} {
		res, body := ask(t, c.method, s.url+c.path, c.headers...)
		if res.code != c.want {
			t.Errorf("%s %s %v: %d, want %d", c.method, c.path, c.headers, res.code, c.want)
		}
		policy := res.header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; style-src 'self'") || !strings.Contains(policy, "frame-ancestors 'none'") ||
			strings.Contains(policy, "unsafe") || res.header.Get("X-Content-Type-Options") != "nosniff" || res.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: headers %v", c.method, c.path, res.header)
		}
		if c.method == http.MethodHead && body != "" {
			t.Errorf("HEAD has a body: %q", body)
		}
	}
	if _, body := ask(t, http.MethodGet, s.url+"/status.json"); body != "{\n  \"state\": \"ok\"\n}\n" {
		t.Errorf("JSON: %q", body)
	}
	if _, body := ask(t, http.MethodGet, s.url+"/?quiet"); strings.Contains(body, "http-equiv=\"refresh\"") || !strings.Contains(body, `href="?"`) {
		t.Errorf("a page that is to be quiet refreshes itself:\n%s", body)
	}
}

// TestManyReaders reload all at once: how things stand is worked out once, and again when it has aged.
func TestManyReaders(t *testing.T) {
	var looks, now atomic.Int64
	now.Store(time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC).UnixMilli())
	begun, goOn := make(chan struct{}), make(chan struct{})
	s := newServed(t, Config{
		Now: func() time.Time { return time.UnixMilli(now.Load()) },
		Look: func(context.Context) (View, error) {
			if looks.Add(1) == 1 {
				close(begun)
				<-goOn
				now.Add(10_000) // a large shelf
			}
			return View{Page: Page{State: "ok"}}, nil
		},
	})
	// One who does not wait takes nothing away from the others.
	impatient, leave := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		req, _ := http.NewRequestWithContext(impatient, http.MethodGet, s.url, http.NoBody)
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			res.Body.Close()
		}
		gone <- err
	}()
	<-begun
	leave()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("the impatient reader got %v", err)
	}
	var readers sync.WaitGroup
	for range 20 {
		readers.Go(func() {
			if res, _ := ask(t, http.MethodGet, s.url+"/"); res.code != http.StatusOK {
				t.Errorf("%d", res.code)
			}
		})
	}
	close(goOn)
	readers.Wait()
	for _, c := range []struct {
		pass time.Duration
		want int64
	}{{0, 1}, {39 * time.Second, 1}, {2 * time.Second, 2}, {2 * time.Second, 2}, {2 * time.Second, 3}, {-24 * time.Hour, 4}} {
		now.Add(c.pass.Milliseconds())
		ask(t, http.MethodGet, s.url+"/")
		if got := looks.Load(); got != c.want {
			t.Errorf("after %s more: looked %d times, want %d", c.pass, got, c.want)
		}
	}
}

// TestTrouble shows nothing of what went wrong inside, and tries again.
func TestTrouble(t *testing.T) {
	s := newServed(t, Config{
		Language: "en",
		Look:     func(context.Context) (View, error) { return View{}, errors.New("SELECT secret") },
		Healthy:  func(context.Context) error { return errors.New("SELECT secret") },
	})
	for _, path := range []string{"/", "/status.json", "/healthz", "/readyz"} {
		res, body := ask(t, http.MethodGet, s.url+path)
		if res.code != http.StatusServiceUnavailable || strings.Contains(body, "SELECT") {
			t.Errorf("%s: %d, %q", path, res.code, body)
		}
	}
}

func TestPort(t *testing.T) {
	s := newServed(t, Config{Look: fixed(Page{State: "ok"})})
	_, err := New(Config{Listen: s.Addr().String()})
	if err == nil || !strings.Contains(err.Error(), "another program has this port; write another one under web.listen") {
		t.Errorf("a port that is taken: %v", err)
	}
	if _, err := New(Config{Listen: "0.0.0.0:0"}); err == nil || !strings.Contains(err.Error(), "it needs web.certificate and web.users") {
		t.Errorf("an open address: %v", err)
	}
	if _, err := New(Config{Listen: "no such address"}); err == nil {
		t.Error("no address was taken")
	}
	idle, err := New(Config{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := idle.Close(); err != nil {
			t.Error(err)
		}
	}
}
