package inbox

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const testSecret = "invented:for the tests"

// box keeps events in memory, and fails or waits where a test wants that.
type box struct {
	fail func(context.Context) error

	mu      sync.Mutex
	events  []Event
	refused map[string]int64
}

func (b *box) AcceptEvents(ctx context.Context, events []Event) error {
	if b.fail != nil {
		if err := b.fail(ctx); err != nil {
			return err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, events...)
	return nil
}

func (b *box) CountRefused(_ context.Context, refused []Refused) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range refused {
		b.refused[r.Reason] += r.Count
	}
	return nil
}

func (b *box) kept() []Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Event(nil), b.events...)
}

// served is a server that runs until the test ends.
type served struct {
	*Server
	*box
	t    *testing.T
	url  string
	stop func()

	mu       sync.Mutex
	troubles []string
}

// newServed runs a server, and looks for what it left behind.
func newServed(t *testing.T, c Config, set ...func(*Server)) *served {
	t.Helper()
	none := goleak.IgnoreCurrent()
	files := openFiles(t)
	v := &served{t: t, box: &box{refused: map[string]int64{}}}
	c.Listen, c.Path = "127.0.0.1:0", "/webhook"
	if c.Keeper == nil {
		c.Keeper = v.box
	}
	if c.Secrets == nil {
		c.Secrets = []func() (string, error){func() (string, error) { return testSecret, nil }}
	}
	c.Trouble = func(what, problem string) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.troubles = append(v.troubles, what+": "+problem)
	}
	var err error
	if v.Server, err = New(c); err != nil {
		t.Fatal(err)
	}
	for _, f := range set {
		f(v.Server)
	}
	v.url = "http://" + v.Addr().String() + "/webhook"
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- v.Run(ctx) }()
	var once sync.Once
	v.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("run: %v", err)
			}
		})
	}
	t.Cleanup(func() {
		v.stop()
		http.DefaultClient.CloseIdleConnections()
		goleak.VerifyNone(t, none)
		if now := openFiles(t); now > files {
			t.Errorf("%d files are open, %d were", now, files)
		}
	})
	return v
}

// openFiles counts this process's open files.
func openFiles(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func (v *served) told() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]string(nil), v.troubles...)
}

// post sends a body and returns the answer, whose body was read.
func (v *served) post(body io.Reader, headers ...string) *reply {
	v.t.Helper()
	res, err := v.try(http.MethodPost, v.url, body, headers...)
	if err != nil {
		v.t.Fatal(err)
	}
	return res
}

func (v *served) try(method, url string, body io.Reader, headers ...string) (*reply, error) {
	req, err := http.NewRequestWithContext(v.t.Context(), method, url, body)
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return &reply{res.StatusCode, res.Header}, err
}

// TestSecretForms shows a secret in every form that the platform may send it in, and some that it does not.
func TestSecretForms(t *testing.T) {
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, c := range []struct {
		secret, header string
		want           bool
	}{
		{"abc", "abc", true},
		{"abc", "Bearer abc", true},
		{"abc", "bearer abc", true},
		{"abc", "Bearer  abc", true},
		{"Bearer abc", "Bearer abc", true},
		{"user:pass", "Basic " + encode("user:pass"), true},
		{"user:pass", "basic " + encode("user:pass"), true},
		{"user:pass", "user:pass", true},
		{"Basic " + encode("user:pass"), "Basic " + encode("user:pass"), true},
		{encode("user:pass"), "Basic " + encode("user:pass"), true},
		{"with spaces in it", "with spaces in it", true},
		{"ñandú:ç", "Basic " + encode("ñandú:ç"), true},

		{"abc", "", false},
		{"abc", "ABC", false},
		{"abc", "ab", false},
		{"abc", "abcd", false},
		{"abc", "Bearer", false},
		{"abc", "Bearer ", false},
		{"abc", "Digest abc", false},
		{"abc", "Bearer Bearer abc", false},
		{"Bearer abc", "abc", false},
		{"user:pass", "Basic " + encode("user:pass2"), false},
		{"user:pass", "Basic " + encode("user:"), false},
		{"user:pass", "Basic !!!", false},
	} {
		callers := &callers{now: time.Now, secrets: []func() (string, error){
			func() (string, error) { return "another", nil }, func() (string, error) { return c.secret, nil },
		}}
		found, unread := callers.check([]string{c.header})
		if got := found != nil; got != c.want || unread != nil {
			t.Errorf("secret %q, header %q: %t, %v", c.secret, c.header, got, unread)
		}
		if found != nil && string(found) != c.secret {
			t.Errorf("secret %q was taken for %q", c.secret, found)
		}
		if found, _ := callers.check([]string{c.header, c.header}); found != nil {
			t.Errorf("two headers %q are accepted", c.header)
		}
	}
}

func TestAccepted(t *testing.T) {
	v := newServed(t, Config{})
	res := v.post(strings.NewReader(`{"order_id":"made up"}`), "Authorization", testSecret)
	if res.status != http.StatusOK || res.header.Get(ProofHeader) != "" {
		t.Errorf("%d %v", res.status, res.header)
	}
	res = v.post(strings.NewReader("{}"), "Authorization", "Bearer "+testSecret, TestHeader, "n1")
	if res.status != http.StatusOK || res.header.Get(ProofHeader) != proof([]byte(testSecret), "n1") {
		t.Errorf("sample: %d %v", res.status, res.header)
	}
	kept := v.kept()
	if len(kept) != 2 || string(kept[0].Body) != `{"order_id":"made up"}` || kept[0].Test || !kept[1].Test || kept[0].Digest == kept[1].Digest {
		t.Errorf("kept: %+v", kept)
	}
}

// TestRefused makes every call that is none of the platform's. Nothing is kept of any, and nothing is told but that.
func TestRefused(t *testing.T) {
	var log bytes.Buffer
	v := newServed(t, Config{Log: slog.New(slog.NewTextHandler(&log, nil))})
	const right = "Authorization: " + testSecret + "\r\n"
	for name, c := range map[string]struct {
		request string // head without Host; a body follows where it says so
		body    string
		code    int
	}{
		"no secret":          {"POST /webhook", "{}", 401},
		"wrong secret":       {"POST /webhook\r\nAuthorization: guessed\r\n", "{}", 401},
		"empty secret":       {"POST /webhook\r\nAuthorization:\r\n", "{}", 401},
		"two secrets":        {"POST /webhook\r\n" + right + right, "{}", 401},
		"get":                {"GET /webhook\r\n" + right, "", 405},
		"get without secret": {"GET /webhook", "", 405},
		"put":                {"PUT /webhook\r\n" + right, "{}", 405},
		"options":            {"OPTIONS /webhook\r\n" + right, "", 405},
		"root":               {"POST /\r\n" + right, "{}", 404},
		"slash behind":       {"POST /webhook/\r\n" + right, "{}", 404},
		"two slashes":        {"POST //webhook\r\n" + right, "{}", 404},
		"dots":               {"POST /x/../webhook\r\n" + right, "{}", 404},
		"dot":                {"POST /./webhook\r\n" + right, "{}", 404},
		"escaped slash":      {"POST /%2fwebhook\r\n" + right, "{}", 404},
		"escaped letter":     {"POST /web%68ook\r\n" + right, "{}", 404},
		"escaped dots":       {"POST /%2e%2e/webhook\r\n" + right, "{}", 404},
		"capitals":           {"POST /Webhook\r\n" + right, "{}", 404},
		"backslash":          {"POST /webhook\\\r\n" + right, "{}", 404},
		"zero byte":          {"POST /webhook%00\r\n" + right, "{}", 404},
		"gzip":               {"POST /webhook\r\nContent-Encoding: gzip\r\n" + right, "{}", 415},
		"11 MiB told":        {"POST /webhook\r\nContent-Length: 11534336\r\n" + right, "-", 413},
		"11 MiB by a guess":  {"POST /webhook\r\nContent-Length: 11534336\r\n", "-", 401},
		"broken chunks":      {"POST /webhook\r\nTransfer-Encoding: chunked\r\n" + right, "-zz\r\n", 400},
		"large header":       {"POST /webhook\r\nX-Large: " + strings.Repeat("x", 64<<10) + "\r\n" + right, "{}", 431},
	} {
		line, rest, _ := strings.Cut(c.request, "\r\n")
		request := line + " HTTP/1.1\r\nHost: localhost\r\n" + rest
		if after, ok := strings.CutPrefix(c.body, "-"); ok {
			request += "\r\n" + after
		} else {
			request += fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(c.body), c.body)
		}
		code, header, left := v.raw(request)
		if code != c.code {
			t.Errorf("%s: %d, want %d", name, code, c.code)
		}
		if !left {
			t.Errorf("%s: the connection stays open", name)
		}
		if c.code == 405 && header.Get("Allow") != "POST" {
			t.Errorf("%s: Allow is %q", name, header.Get("Allow"))
		}
	}
	if kept := v.kept(); len(kept) > 0 {
		t.Errorf("kept: %+v", kept)
	}
	v.stop()
	if v.refused[refusedSecret] != 5 || v.refused[refusedPath] != 11 {
		t.Errorf("counted: %v", v.refused)
	}
	if text := log.String(); strings.Count(text, "reason=secret") != 1 || strings.Contains(text, "guessed") || strings.Contains(text, testSecret) {
		t.Errorf("log:\n%s", text)
	}
}

// raw sends bytes as they are, and returns the answer and whether the connection was closed behind it.
func (v *served) raw(request string) (int, http.Header, bool) {
	v.t.Helper()
	conn, err := net.Dial("tcp", v.Addr().String())
	if err != nil {
		v.t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		v.t.Fatal(err)
	}
	_, _ = io.WriteString(conn, request) // it may have been refused already
	from := bufio.NewReader(conn)
	res, err := http.ReadResponse(from, nil)
	if err != nil {
		v.t.Fatalf("%.60q: %v", request, err)
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	if err != nil {
		v.t.Errorf("%.60q: %v", request, err)
	}
	_, err = from.ReadByte()
	return res.StatusCode, res.Header, err != nil && !os.IsTimeout(err)
}

// TestTooLarge sends 11 MiB without saying so first.
func TestTooLarge(t *testing.T) {
	v := newServed(t, Config{})
	res, err := v.try(http.MethodPost, v.url, io.LimitReader(zeros{}, 11<<20), "Authorization", testSecret)
	if err == nil && res.status != http.StatusRequestEntityTooLarge {
		t.Errorf("%d", res.status)
	}
	if kept := v.kept(); len(kept) > 0 || v.held.Load() != 0 {
		t.Errorf("kept %d events, holds %d bytes", len(kept), v.held.Load())
	}
	if res := v.post(io.LimitReader(zeros{}, 10<<20), "Authorization", testSecret); res.status != http.StatusOK {
		t.Errorf("10 MiB: %d", res.status)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// TestMemory keeps what many large bodies take below a limit.
func TestMemory(t *testing.T) {
	v := newServed(t, Config{})
	v.held.Store(maxHeld - 1<<20)
	res := v.post(io.LimitReader(zeros{}, 2<<20), "Authorization", testSecret)
	if res.status != http.StatusServiceUnavailable || res.header.Get("Retry-After") != "10" {
		t.Errorf("%d %v", res.status, res.header)
	}
	if res := v.post(strings.NewReader("{}"), "Authorization", testSecret); res.status != http.StatusOK {
		t.Errorf("small: %d", res.status)
	}
	if held := v.held.Load(); held != maxHeld-1<<20 {
		t.Errorf("holds %d", held)
	}
}

// TestSlowLoris sends headers and bodies byte by byte.
func TestSlowLoris(t *testing.T) {
	v := newServed(t, Config{}, func(s *Server) {
		s.limits = limits{300 * time.Millisecond, 600 * time.Millisecond, time.Second, time.Second}
	})
	for name, c := range map[string]struct {
		start, drip string
		within      time.Duration
	}{
		"header": {"POST /webhook HTTP/1.1\r\nX-Slow: ", "x", 2 * time.Second},
		"body": {
			"POST /webhook HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + testSecret + "\r\nContent-Length: 1000000\r\n\r\n", "x",
			3 * time.Second,
		},
		"nothing": {"", "", 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", v.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			begun := time.Now()
			if _, err := io.WriteString(conn, c.start); err != nil {
				t.Fatal(err)
			}
			gone := make(chan struct{})
			go func() {
				defer close(gone)
				_, _ = io.Copy(io.Discard, conn) // until the server closes
			}()
			for {
				select {
				case <-gone:
					if took := time.Since(begun); took > c.within {
						t.Errorf("took %s", took)
					}
					return
				case <-time.After(20 * time.Millisecond):
					_, _ = io.WriteString(conn, c.drip)
				}
			}
		})
	}
	if kept := v.kept(); len(kept) > 0 || v.held.Load() != 0 {
		t.Errorf("kept %d events, holds %d bytes", len(kept), v.held.Load())
	}
}

// TestIdleConnections opens a thousand connections that say nothing, or half a header, and keeps them open: who has an order is served.
func TestIdleConnections(t *testing.T) {
	v := newServed(t, Config{}, func(s *Server) { s.crowd.most = 100 })
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	for i := range 1000 {
		conn, err := net.Dial("tcp", v.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
		if i%2 == 0 {
			_, _ = io.WriteString(conn, "POST /webhook HTTP/1.1\r\nX: ")
		}
		if i%100 == 50 {
			begun := time.Now()
			if res := v.post(strings.NewReader(fmt.Sprint(i)), "Authorization", testSecret); res.status != http.StatusOK {
				t.Errorf("after %d: %d", i, res.status)
			}
			if took := time.Since(begun); took > time.Second {
				t.Errorf("after %d: %s", i, took)
			}
		}
	}
	v.crowd.mu.Lock()
	open := len(v.crowd.conns)
	v.crowd.mu.Unlock()
	if open > 101 {
		t.Errorf("%d connections are open", open)
	}
	if kept := v.kept(); len(kept) != 10 {
		t.Errorf("%d events were kept, want 10", len(kept))
	}
}

// TestRotation changes the secret while the server runs.
func TestRotation(t *testing.T) {
	var mu sync.Mutex
	text, unread, now := "old", error(nil), time.Now()
	locked := func(f func()) { mu.Lock(); defer mu.Unlock(); f() }
	v := newServed(t, Config{
		Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now },
		Secrets: []func() (string, error){
			func() (string, error) { mu.Lock(); defer mu.Unlock(); return text, unread },
			func() (string, error) { return "second", nil },
		},
	})
	code := func(secret string) int { return v.post(strings.NewReader("{}"), "Authorization", secret).status }
	expect := func(when, secret string, want int) {
		t.Helper()
		if got := code(secret); got != want {
			t.Errorf("%s: %q is answered with %d, want %d", when, secret, got, want)
		}
	}
	expect("before", "old", 200)
	expect("before", "new", 401)
	expect("before", "second", 200)
	locked(func() { text, now = "new", now.Add(time.Second) })
	expect("after", "new", 200)
	expect("after", "old", 401)
	locked(func() {
		unread, now = errors.New("read secret env:HOOK: no such environment variable"), now.Add(time.Second)
	})
	expect("unreadable", "new", 503) // it may be right
	expect("unreadable", "second", 200)
	locked(func() { unread, now = nil, now.Add(-time.Hour) }) // the clock was set back
	expect("again", "new", 200)
	want := []string{"secret: read secret env:HOOK: no such environment variable", "secret: "}
	if got := v.told(); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("told: %q", got)
	}
}

// TestNotKept answers what can't be kept with a time to come back, whatever keeps it from the disk.
func TestNotKept(t *testing.T) {
	var mu sync.Mutex
	var fail func(context.Context) error
	b := &box{refused: map[string]int64{}, fail: func(ctx context.Context) error {
		mu.Lock()
		f := fail
		mu.Unlock()
		if f == nil {
			return nil
		}
		return f(ctx)
	}}
	v := newServed(t, Config{Keeper: b}, func(s *Server) { s.limits.keep = 200 * time.Millisecond })
	for name, f := range map[string]func(context.Context) error{
		"full":   func(context.Context) error { return errors.New("database or disk is full") },
		"locked": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		mu.Lock()
		fail = f
		mu.Unlock()
		res := v.post(strings.NewReader("{}"), "Authorization", testSecret)
		if res.status != http.StatusServiceUnavailable || res.header.Get("Retry-After") != "10" {
			t.Errorf("%s: %d %v", name, res.status, res.header)
		}
	}
	mu.Lock()
	fail = nil
	mu.Unlock()
	if res := v.post(strings.NewReader("{}"), "Authorization", testSecret); res.status != http.StatusOK {
		t.Errorf("again: %d", res.status)
	}
	told := v.told()
	if len(told) != 3 || told[2] != "webhook: " {
		t.Errorf("told: %q", told)
	}
}

// TestStop stops the server while events are on their way to the disk: whoever is answered 200 is kept, and nobody waits for ever.
func TestStop(t *testing.T) {
	v := newServed(t, Config{})
	v.fail = func(context.Context) error { time.Sleep(20 * time.Millisecond); return nil }
	var wait sync.WaitGroup
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for c := range 8 {
		wait.Go(func() {
			for i := 0; ; i++ {
				body := fmt.Sprintf("%d %d", c, i)
				req, _ := http.NewRequest(http.MethodPost, v.url, strings.NewReader(body))
				req.Header.Set("Authorization", testSecret)
				res, err := client.Do(req)
				if err != nil {
					return
				}
				res.Body.Close()
				if res.StatusCode == http.StatusOK {
					mu.Lock()
					acknowledged[body] = true
					mu.Unlock()
				}
			}
		})
	}
	time.Sleep(200 * time.Millisecond)
	v.stop()
	wait.Wait()
	for _, e := range v.kept() {
		delete(acknowledged, string(e.Body))
	}
	if len(acknowledged) > 0 {
		t.Errorf("acknowledged and not kept: %v", acknowledged)
	}
}

// TestRemote tells whom a call comes from, behind proxies that are trusted or not.
func TestRemote(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		peer      string
		forwarded []string
		want      string
	}{
		{"203.0.113.9:1", nil, "203.0.113.9"},
		{"203.0.113.9:1", []string{"198.51.100.1"}, "203.0.113.9"}, // anybody may say so
		{"10.0.0.1:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:1", []string{"1.1.1.1, 198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:1", []string{"1.1.1.1", "198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"10.0.0.1:1", []string{"nonsense"}, "10.0.0.1"},
		{"10.0.0.1:1", []string{"198.51.100.1, nonsense, 10.0.0.2"}, "10.0.0.2"},
		{"10.0.0.1:1", nil, "10.0.0.1"},
		{"[::ffff:10.0.0.1]:1", []string{"2001:db8::7"}, "2001:db8::7"},
		{"[fe80::1%eth0]:1", nil, "fe80::1"},
		{"", nil, ""},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{"X-Forwarded-For": c.forwarded}}
		if got := remoteOf(r, trusted); got != c.want {
			t.Errorf("%s %q: %s, want %s", c.peer, c.forwarded, got, c.want)
		}
	}
}

func TestNewNeedsASecret(t *testing.T) {
	if _, err := New(Config{Listen: "127.0.0.1:0", Path: "/webhook"}); err == nil || !strings.Contains(err.Error(), "orders.webhook.secrets") {
		t.Errorf("without a secret: %v", err)
	}
}
