package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"gondola/internal/config"
)

// reloaded is a house that is run by a Reloader, and its config file.
type reloaded struct {
	*testing.T
	dir   string
	path  string
	r     *Reloader
	asked chan struct{}
	log   *sharedLog
	stop  func()
}

// sharedLog is a log that a test reads while it is written.
type sharedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *sharedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *sharedLog) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), text)
}

func (l *sharedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newReloaded(t *testing.T, more string) *reloaded {
	t.Helper()
	c := &reloaded{T: t, dir: t.TempDir(), asked: make(chan struct{}, 1), log: &sharedLog{}}
	c.path = filepath.Join(c.dir, "config.yaml")
	for _, dir := range []string{"drop", "erp"} {
		if err := os.Mkdir(filepath.Join(c.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c.file("password", casePassword)
	c.file("config.yaml", c.text(more))
	cfg, err := config.Load(c.path)
	if err != nil {
		t.Fatal(err)
	}
	h, err := Open(t.Context(), cfg, Options{Serve: true, Log: slog.New(slog.NewTextHandler(c.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	c.r = NewReloader(c.path, h, Telling{})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.r.Run(ctx, c.asked) }()
	c.stop = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-done, c.r.Close()); err != nil {
			t.Errorf("end: %v", err)
		}
	})
	t.Cleanup(c.stop)
	return c
}

func (c *reloaded) text(more string) string {
	text := liveConfig(filepath.Join(c.dir, "drop"))
	return text + "state: {min_free: 1MB}\n" + more
}

func (c *reloaded) file(name, text string) {
	c.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o600); err != nil {
		c.Fatal(err)
	}
}

// change writes a config and has it read.
func (c *reloaded) change(more string) {
	c.Helper()
	c.file("config.yaml", c.text(more))
	c.ask()
}

func (c *reloaded) ask() { c.asked <- struct{}{} }

func (c *reloaded) await(text string, n int) {
	c.Helper()
	for deadline := time.Now().Add(30 * time.Second); c.log.count(text) < n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.Fatalf("in vain: %d times %q\n%s", n, text, c.log)
		}
	}
}

func pageAt(address string) string { return fmt.Sprintf("web: {listen: %q}\n", address) }

// unused returns an address that nobody listens on.
func unused(t *testing.T) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// webhookAt is a webhook at an address, and orders that go to the ERP.
func webhookAt(address string) string {
	return fmt.Sprintf("orders: {webhook: {listen: %q, secrets: [\"file:password\"]}, poll: {every: 0s}}\n", address)
}

// TestReloadsLeaveNothingBehind changes the config over and over: goroutines and open files stay as many as they are.
func TestReloadsLeaveNothingBehind(t *testing.T) {
	page, hook, third := unused(t), unused(t), unused(t)
	c := newReloaded(t, pageAt(page)+webhookAt(hook))
	// The webhook moves, ports are given back, and the webhook takes the page's.
	configs := []string{pageAt(page) + webhookAt(hook), pageAt(page) + webhookAt(third), "brake: {min_rows: 7}\n", pageAt(third) + webhookAt(page)}
	n := 0
	round := func() {
		for _, more := range configs {
			n++
			c.change(more)
			c.await("msg=\"config changed\"", n)
		}
	}
	for range 3 {
		round()
	}
	goroutines, files := settledGoroutines(), openFiles(t)
	for range 10 {
		round()
	}
	if more := settledGoroutines(); more > goroutines+2 {
		buf := make([]byte, 1<<20)
		t.Errorf("%d goroutines after %d changes, %d before\n%s", more, n, goroutines, buf[:runtime.Stack(buf, true)])
	}
	if more := openFiles(t); more > files+2 {
		t.Errorf("%d open files after %d changes, %d before", more, n, files)
	}
	if got := c.r.House().WebhookAddr(); got != page {
		t.Errorf("the webhook is at %s, want %s", got, page)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", hook)
	if err != nil {
		t.Fatalf("a port that no config has is still taken: %v", err)
	}
	_ = l.Close()
	c.stop()
	if l, err = lc.Listen(t.Context(), "tcp", page); err != nil {
		t.Fatalf("a port is still taken after the end: %v", err)
	}
	_ = l.Close()
}

// settledGoroutines counts goroutines once their number has stopped falling.
func settledGoroutines() int {
	n := runtime.NumGoroutine()
	for range 100 {
		time.Sleep(20 * time.Millisecond)
		n = min(n, runtime.NumGoroutine())
	}
	return n
}

// openFiles counts the open files of this process, 0 where the system does not tell.
func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

// TestReloadSeesEveryKindOfReplacing replaces the file as editors and orchestrators do, without anybody asking for a reload.
func TestReloadSeesEveryKindOfReplacing(t *testing.T) {
	c := newReloaded(t, "")
	rows := func(n int) string { return c.text(fmt.Sprintf("brake: {min_rows: %d}\n", n)) }
	c.file("config.yaml", rows(1)) // in place
	c.await("msg=\"config changed\"", 1)

	c.file("new.yaml", rows(2)) // renamed over
	if err := os.Rename(filepath.Join(c.dir, "new.yaml"), c.path); err != nil {
		t.Fatal(err)
	}
	c.await("msg=\"config changed\"", 2)

	// A symbolic link to a folder that is replaced as a whole.
	for n := 3; n <= 4; n++ {
		dir := fmt.Sprintf("data%d", n)
		if err := os.Mkdir(filepath.Join(c.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
		c.file(dir+"/config.yaml", rows(n))
		if err := errors.Join(os.Symlink(dir, filepath.Join(c.dir, "data.new")), os.Rename(filepath.Join(c.dir, "data.new"), filepath.Join(c.dir, "data"))); err != nil {
			t.Fatal(err)
		}
		if n == 3 {
			if err := errors.Join(os.Remove(c.path), os.Symlink("data/config.yaml", c.path)); err != nil {
				t.Fatal(err)
			}
		}
		c.await("msg=\"config changed\"", n)
	}
	if got := c.r.House().cfg.Brake.MinRows; got != 4 {
		t.Errorf("brake.min_rows is %d, want 4", got)
	}

	if err := os.Remove(c.path); err != nil {
		t.Fatal(err)
	}
	c.await("config refused", 1)
	if s, err := c.r.House().Status(t.Context()); err != nil || s.Refused == nil || len(s.Problems) == 0 || !strings.Contains(s.Problems[0].Text, "config.yaml") {
		t.Errorf("status: %+v, %v", s, err)
	}
	c.file("config.yaml", rows(4))
	c.await("config is well again", 1)
	if s, err := c.r.House().Status(t.Context()); err != nil || s.Refused != nil {
		t.Errorf("status: %+v, %v", s.Refused, err)
	}
}

// TestHalfAConfigIsNotTaken has a look see a file that is being written: a config that ends after its first stores is one, too.
func TestHalfAConfigIsNotTaken(t *testing.T) {
	c := newReloaded(t, "")
	c.stop()
	r := c.r
	for i, text := range []string{c.text("brake: {min_rows: 1}\n"), c.text("brake: {min_rows: 12}\n"), c.text("brake: {min_rows: 123}\n")} {
		c.file("config.yaml", text)
		before := r.tried
		r.look(t.Context())
		if r.tried != before {
			t.Errorf("look %d took a file that was another one a look before", i)
		}
	}
}

// TestReloadThatCanNotBegin has a state folder in which no house can begin for a while: the one before is back as soon as it can.
func TestReloadThatCanNotBegin(t *testing.T) {
	page, hook := unused(t), unused(t)
	c := newReloaded(t, pageAt(page)+webhookAt(hook))
	documents := filepath.Join(c.dir, "state", documentDir)
	if err := os.Rename(documents, documents+".away"); err != nil {
		t.Fatal(err)
	}
	c.file("state/"+documentDir, "in the way")
	c.change(pageAt(page) + webhookAt(unused(t)) + "brake: {min_rows: 7}\n")
	c.await("config before can't be taken up again", 1)
	if err := c.r.Healthy(t.Context()); err != nil {
		t.Errorf("not healthy in the middle of the change: %v", err)
	}
	if err := errors.Join(os.Remove(documents), os.Rename(documents+".away", documents)); err != nil {
		t.Fatal(err)
	}
	c.await("config refused", 1)
	if got := c.r.House(); got.cfg.Brake.MinRows == 7 || got.PageAddr() != page || got.WebhookAddr() != hook {
		t.Errorf("the house goes by min_rows %d at %s", got.cfg.Brake.MinRows, got.PageAddr())
	}
	if err := c.r.Healthy(t.Context()); err != nil {
		t.Errorf("not healthy afterwards: %v", err)
	}
	c.ask()
	c.await("msg=\"config changed\"", 1)
	if got := c.r.House().cfg.Brake.MinRows; got != 7 {
		t.Errorf("brake.min_rows is %d, want 7", got)
	}
}

// TestReloadKeepsLogins logs in on the page and has another config taken over: nobody has to log in again.
func TestReloadKeepsLogins(t *testing.T) {
	hash, err := HashPassword(pagePassword)
	if err != nil {
		t.Fatal(err)
	}
	address := unused(t)
	page := func(roles string) string {
		return fmt.Sprintf("web: {listen: %q, open: [], users: [{name: ana, password: '%s', roles: [%s]}]}\n", address, hash, roles)
	}
	c := newReloaded(t, page("view"))
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}}
	ask := func(req *http.Request, err error) int {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		return res.StatusCode
	}
	form := url.Values{"name": {"ana"}, "password": {pagePassword}}.Encode()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/login", strings.NewReader(form))
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	ask(req, err)
	expect := func(path string, want int) {
		t.Helper()
		if got := ask(http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, http.NoBody)); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	expect("/status.json", http.StatusOK)
	c.change(page("view, drop"))
	c.await("msg=\"config changed\"", 1)
	expect("/status.json", http.StatusOK)
	expect("/drop", http.StatusOK)
	c.change(page("drop"))
	c.await("msg=\"config changed\"", 2)
	expect("/status.json", http.StatusForbidden)
}
