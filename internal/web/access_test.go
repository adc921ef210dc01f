package web

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const testPassword = "pan con membrillo"

// testHash is the hash of testPassword, as cheap as one may be.
var testHash = sync.OnceValue(func() string {
	h := hash{memory: leastMemory, passes: leastCost / leastMemory, threads: 1, salt: []byte("sal gruesa")}
	h.sum = h.of(testPassword, hashBytes)
	return h.String()
})

func testUser(name string, roles ...Role) User {
	return User{Name: name, Hash: func() (string, error) { return testHash(), nil }, Roles: roles}
}

// testDesk takes every decision, and remembers it.
type testDesk struct {
	mu   sync.Mutex
	did  []string
	seen string // of the question
	no   error  // what everything is answered with, nil for done
}

func (d *testDesk) note(format string, args ...any) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.did = append(d.did, fmt.Sprintf(format, args...))
	return d.no
}

func (d *testDesk) done() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.did)
}

func (d *testDesk) Question(_ context.Context, what string) (Question, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return Question{
		What: what, Seen: d.seen, Rejects: what != "F1", Covers: 4 * time.Hour,
		Findings: []HeldPart{{Store: "Centro", Text: "2 precios cambian <mucho>.", Worst: []HeldRow{{"A<1>", 7, "10.00", "90.00"}}}},
	}, nil
}

func (d *testDesk) Decide(_ context.Context, is Decision) error {
	if is.Seen != d.seen {
		return &Declined{Phrase: Changed}
	}
	return d.note("%s approve=%v by %s", is.What, is.Approve, is.Who)
}

func (d *testDesk) Pauses(context.Context) (Pauses, error) {
	return Pauses{Now: []PauseNow{{"290056", "Centro, por ana"}}, Stores: []StoreName{{"290056", "Centro"}, {"290057", "Puerto"}}}, nil
}

func (d *testDesk) Pause(_ context.Context, p PauseOrder) error {
	return d.note("pause %v until %s for %q by %s", p.Stores, p.Until.Format(time.RFC3339), p.Reason, p.Who)
}

func (d *testDesk) Resume(_ context.Context, store, who string) (int, error) {
	return 1, d.note("resume %q by %s", store, who)
}

// reader is what a browser is to a server: it keeps cookies, and does not follow redirects.
type reader struct {
	t      *testing.T
	url    string
	header http.Header
	host   string
	client *http.Client

	cookies map[string]*http.Cookie
}

func (s served) reader(t *testing.T) *reader {
	return &reader{
		t: t, url: s.url, header: http.Header{}, cookies: map[string]*http.Cookie{},
		client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}

// remote makes a reader one that asks through a proxy that has TLS.
func (b *reader) remote() *reader {
	b.host = "page.example.net"
	b.header.Set("X-Forwarded-For", "192.0.2.7")
	b.header.Set("X-Forwarded-Proto", "https")
	return b
}

// do makes a request; form is nil for one without a body.
func (b *reader) do(method, path string, form url.Values) (answered, string) {
	b.t.Helper()
	var body io.Reader = http.NoBody
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	maps.Copy(req.Header, b.header)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if b.host != "" {
		req.Host = b.host
	}
	for _, c := range b.cookies {
		req.AddCookie(c)
	}
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range res.Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c
		}
	}
	return answered{res.StatusCode, res.Header}, string(text)
}

func (b *reader) login(name, password string) answered {
	b.t.Helper()
	res, _ := b.do(http.MethodPost, "/login", url.Values{"name": {name}, "password": {password}})
	return res
}

var tokenForm = regexp.MustCompile(`name="csrf" value="([^"]*)"`)

// token returns what a form of a page brings back.
func (b *reader) token(path string) string {
	b.t.Helper()
	_, text := b.do(http.MethodGet, path, nil)
	found := tokenForm.FindStringSubmatch(text)
	if found == nil {
		b.t.Fatalf("%s has no form:\n%s", path, text)
	}
	return found[1]
}

// newOpen serves a page with a desk and users, to which all roles are given one by one.
func newOpen(t *testing.T, change func(*Config)) (served, *testDesk) {
	t.Helper()
	desk := &testDesk{seen: "s1"}
	c := Config{
		Language: "es", Look: fixed(fullPage()), Measure: measured, Desk: desk, Drops: &fakeDrops{}, Hosts: []string{"page.example.net"},
		Story:  func(context.Context, About) (Story, error) { return Story{}, ErrNoArticle },
		Answer: func(context.Context, int64) (string, error) { return "Todo bien.", nil },
		Users:  []User{testUser("vera", RoleView), testUser("Ana", RoleApprove), testUser("dora", RoleDrop), testUser("todo", RoleView, RoleDrop, RoleApprove)},
	}
	if change != nil {
		change(&c)
	}
	return newServed(t, c), desk
}

// access says who may take each route: what a visitor without the role gets depends on whether they are a person or a program.
var access = map[string]Role{
	"GET /{$}":         RoleView,
	"GET /status.json": RoleView,
	"GET /metrics":     RoleView,
	"GET /events":      RoleView,
	"GET /sku":         RoleView,
	"GET /answer":      RoleView,
	"GET /status.css":  anybody,
	"GET /live.js":     anybody,
	"GET /favicon.svg": anybody,
	"GET /healthz":     anybody,
	"GET /readyz":      anybody,
	"GET /login":       anybody,
	"POST /login":      anybody,
	"POST /logout":     anybody,
	"GET /approve":     RoleApprove,
	"POST /approve":    RoleApprove,
	"GET /reject":      RoleApprove,
	"POST /reject":     RoleApprove,
	"GET /pause":       RoleApprove,
	"POST /pause":      RoleApprove,
	"POST /resume":     RoleApprove,

	"GET /drop":                       RoleDrop,
	"POST /drop/preview":              RoleDrop,
	"POST /drop/send":                 RoleDrop,
	"GET /drop/sent/{id}":             RoleDrop,
	"GET /drop/answer/{seq}":          RoleDrop,
	"GET /drop/answer/{seq}/workbook": RoleDrop,
	"GET /starter/{name}":             RoleDrop,
}

const anybody = Role("anybody")

// routePattern is what routes are written as.
var routePattern = regexp.MustCompile(`^(GET|HEAD|POST|PUT|PATCH|DELETE) /`)

// TestEveryRouteIsDecided looks into the code for routes: one that says not who may take it is a hole.
func TestEveryRouteIsDecided(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	consts := map[string]string{"healthPath": healthPath, "readyPath": readyPath, "actApprove": actApprove, "actReject": actReject}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if ok && lit.Kind == token.STRING {
				if text, err := strconv.Unquote(lit.Value); err == nil && routePattern.MatchString(text+"/") {
					found[text] = true
				}
			}
			return true
		})
	}
	// These are put together from two parts.
	delete(found, "GET ")
	found["GET "+consts["healthPath"]], found["GET "+consts["readyPath"]] = true, true
	for _, method := range []string{"GET /", "POST /"} {
		if !found[method] {
			t.Errorf("%s is not found: the routes of decisions are written otherwise", method)
		}
		delete(found, method)
		found[method+consts["actApprove"]], found[method+consts["actReject"]] = true, true
	}
	for name := range assets {
		found["GET /"+name] = true
	}
	want := slices.Sorted(maps.Keys(access))
	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, want) {
		t.Errorf("the code has the routes\n%q\ndecided are\n%q", got, want)
	}
}

// TestWhoMayWhat asks for every route as everybody.
func TestWhoMayWhat(t *testing.T) {
	open, _ := newOpen(t, nil)
	closed, _ := newOpen(t, func(c *Config) { c.Open = []Role{} })
	wide, _ := newOpen(t, func(c *Config) { c.Open = []Role{RoleView, RoleApprove} })
	alone, _ := newOpen(t, func(c *Config) { c.Open, c.Users = []Role{}, nil })
	as := func(s served, name string) *reader {
		b := s.reader(t).remote()
		if res := b.login(name, testPassword); res.code != http.StatusSeeOther {
			t.Fatalf("%s can't log in: %d", name, res.code)
		}
		return b
	}
	basic := func(s served, name, password string) *reader {
		b := s.reader(t).remote()
		b.header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(name+":"+password)))
		return b
	}
	program := map[string]bool{"GET /status.json": true, "GET /metrics": true}
	for name, c := range map[string]struct {
		browser *reader
		roles   []Role
		program bool // it may do so where programs ask
		away    int  // what it gets elsewhere
	}{
		"at the machine":                 {open.reader(t), []Role{RoleView}, false, 401},
		"at the machine, closed":         {closed.reader(t), nil, false, 401},
		"at the machine, wide open":      {wide.reader(t), []Role{RoleView, RoleApprove}, false, 401},
		"at the machine, no users":       {alone.reader(t), nil, false, 403},
		"through a proxy":                {open.reader(t).remote(), nil, false, 401},
		"through a proxy, wide open":     {wide.reader(t).remote(), nil, false, 401},
		"vera":                           {as(open, "vera"), []Role{RoleView}, false, 403},
		"dora, who may look at nothing":  {as(open, "dora"), []Role{RoleDrop}, false, 403},
		"ana, who may only decide":       {as(open, "ana"), []Role{RoleApprove}, false, 403},
		"todo":                           {as(closed, " TODO "), []Role{RoleView, RoleDrop, RoleApprove}, false, 403},
		"the program vera":               {basic(open, "vera", testPassword), []Role{RoleView}, true, 401},
		"the program vera, wrong":        {basic(open, "vera", "x"), nil, true, 401},
		"the program todo, who may view": {basic(open, "todo", testPassword), []Role{RoleView}, true, 401},
	} {
		for route, role := range access {
			method, path, _ := strings.Cut(route, " ")
			path = strings.NewReplacer("{$}", "", "{id}", "sent-by-page", "{seq}", "1", "{name}", "catalogo.xlsx").Replace(path)
			if role == anybody || c.program && !program[route] && slices.Contains(c.roles, role) {
				continue
			}
			var form url.Values
			if method == http.MethodPost {
				form = url.Values{}
			}
			want := http.StatusOK
			switch {
			case !slices.Contains(c.roles, role):
				want = c.away
			case method == http.MethodPost:
				want = http.StatusForbidden // its form brings nothing back; see TestForeignForms
			}
			if path == "/events" && want == http.StatusOK {
				continue // it does not end; the tests of events.go read it
			}
			if path == "/answer" {
				path += "?drop=1"
			}
			res, text := c.browser.do(method, path, form)
			if res.code != want {
				t.Errorf("%s, %s: %d, want %d\n%s", name, route, res.code, want, text)
			}
			if challenge := res.header.Get("Www-Authenticate"); (challenge != "") != (want == 401 && program[route]) {
				t.Errorf("%s, %s: %d with the challenge %q", name, route, want, challenge)
			}
		}
	}
	for route, role := range access {
		method, path, _ := strings.Cut(route, " ")
		if role == anybody && method == http.MethodGet {
			if res, _ := closed.reader(t).remote().do(method, path, nil); res.code != http.StatusOK {
				t.Errorf("%s is for anybody: %d", route, res.code)
			}
		}
	}
	// A session's password is not for programs' routes only: what changes something takes no HTTP Basic.
	b := basic(open, "todo", testPassword)
	if res, _ := b.do(http.MethodGet, "/approve?of=F7", nil); res.code != http.StatusUnauthorized {
		t.Errorf("HTTP Basic reaches decisions: %d", res.code)
	}
}

// TestOtherHosts asks under names that the page does not have.
func TestOtherHosts(t *testing.T) {
	s, _ := newOpen(t, nil)
	for host, want := range map[string]int{
		"page.example.net": 401, "PAGE.example.net:443": 401, "localhost": 200, "[::1]:1": 200,
		"page.example.net.evil.example": 421, "evil.example": 421, "": 200, "page.example.net.": 421, "192.0.2.7": 421,
	} {
		b := s.reader(t)
		b.host = host
		for path, want := range map[string]int{"/status.json": want, "/healthz": 200, "/readyz": 200, "/status.css": min(max(want, 200), 421)} {
			if path == "/status.css" && want == 401 {
				want = 200
			}
			if res, _ := b.do(http.MethodGet, path, nil); res.code != want {
				t.Errorf("%q, %s: %d, want %d", host, path, res.code, want)
			}
		}
	}
}

// TestForeignForms sends forms that another site made, and forms of somebody else.
func TestForeignForms(t *testing.T) {
	s, desk := newOpen(t, func(c *Config) { c.Open = []Role{RoleView, RoleApprove} })
	b := s.reader(t).remote()
	b.login("ana", testPassword)
	here := s.reader(t)
	other := s.reader(t).remote()
	other.login("todo", testPassword)
	form := func(token string) url.Values { return url.Values{"of": {"F7"}, "seen": {"s1"}, "csrf": {token}} }
	for name, c := range map[string]struct {
		browser *reader
		token   string
		header  []string
		want    int
	}{
		"ours":                         {b, b.token("/approve?of=F7"), nil, 303},
		"ours, as browsers say":        {b, b.token("/approve?of=F7"), []string{"Sec-Fetch-Site", "same-origin"}, 303},
		"ours, by the origin":          {b, b.token("/approve?of=F7"), []string{"Origin", "https://page.example.net"}, 303},
		"at the machine":               {here, here.token("/approve?of=F7"), nil, 303},
		"no token":                     {b, "", nil, 403},
		"somebody else's token":        {b, other.token("/approve?of=F7"), nil, 403},
		"the machine's token":          {b, here.token("/approve?of=F7"), nil, 403},
		"another site":                 {b, b.token("/approve?of=F7"), []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"another port of this host":    {b, b.token("/approve?of=F7"), []string{"Sec-Fetch-Site", "same-site"}, 403},
		"another origin":               {b, b.token("/approve?of=F7"), []string{"Origin", "https://evil.example"}, 403},
		"a page from a file":           {b, b.token("/approve?of=F7"), []string{"Origin", "null"}, 403},
		"another site, at the machine": {here, here.token("/approve?of=F7"), []string{"Origin", "http://evil.example"}, 403},
	} {
		before := len(desk.done())
		for i := 0; i < len(c.header); i += 2 {
			c.browser.header.Set(c.header[i], c.header[i+1])
		}
		res, text := c.browser.do(http.MethodPost, "/approve", form(c.token))
		for i := 0; i < len(c.header); i += 2 {
			c.browser.header.Del(c.header[i])
		}
		if res.code != c.want || len(desk.done())-before != map[int]int{303: 1, 403: 0}[c.want] {
			t.Errorf("%s: %d, want %d; done: %v\n%s", name, res.code, c.want, desk.done(), text)
		}
	}
	// The login is protected, too: nobody is to work under a name that another site chose.
	for _, header := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}} {
		b := s.reader(t).remote()
		b.header.Set(header[0], header[1])
		if res := b.login("ana", testPassword); res.code != http.StatusForbidden || len(b.cookies) > 0 {
			t.Errorf("login from elsewhere: %d, %v", res.code, b.cookies)
		}
	}
}

// TestForms sends what is no form.
func TestForms(t *testing.T) {
	s, desk := newOpen(t, func(c *Config) { c.Open = []Role{RoleView, RoleApprove} })
	token := s.reader(t).token("/approve?of=F7")
	for name, c := range map[string]struct {
		kind, body string
		want       int
	}{
		"JSON":            {"application/json", `{"of":"F7"}`, 415},
		"text":            {"text/plain", "of=F7&seen=s1&csrf=" + token, 415},
		"nothing said":    {"", "of=F7&seen=s1&csrf=" + token, 415},
		"in the address":  {"application/x-www-form-urlencoded", "", 403},
		"broken":          {"application/x-www-form-urlencoded", "of=%zz&csrf=" + token, 400},
		"much":            {"application/x-www-form-urlencoded", "csrf=" + token + "&of=" + strings.Repeat("x", formMost), 413},
		"with a charset":  {"application/x-www-form-urlencoded; charset=utf-8", "of=F7&seen=s1&csrf=" + token, 303},
		"something older": {"application/x-www-form-urlencoded", "of=F7&seen=s0&csrf=" + token, 409},
	} {
		before := len(desk.done())
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/approve?of=F7&seen=s1&csrf="+token, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", c.kind)
		res, err := s.reader(t).client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != c.want {
			t.Errorf("%s: %d, want %d\n%s", name, res.StatusCode, c.want, text)
		}
		if done := len(desk.done()) - before; (done > 0) != (c.want == 303) {
			t.Errorf("%s: %d done", name, done)
		}
	}
}

// TestLogs logs in, fails to, and types a password where the name goes: no log has anything of it.
func TestLogs(t *testing.T) {
	var logged bytes.Buffer
	var mu sync.Mutex
	s, _ := newOpen(t, func(c *Config) {
		c.Log = slog.New(slog.NewTextHandler(locked{&mu, &logged}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	b := s.reader(t).remote()
	b.login("vera", "wrong "+testPassword)
	b.login("secreto de eva", "xyzzy plugh")
	b.login("vera", testPassword)
	token := tokenOf(s, "vera")
	_, page := b.do(http.MethodGet, "/", nil)
	b.do(http.MethodPost, "/logout", url.Values{"csrf": {token}})
	mu.Lock()
	defer mu.Unlock()
	text := logged.String()
	for _, secret := range []string{testPassword, "secreto", "xyzzy", "membrillo", testHash(), token} {
		if strings.Contains(text, secret) {
			t.Errorf("the log has %q:\n%s", secret, text)
		}
	}
	for _, id := range []string{testHash(), testPassword} {
		if strings.Contains(page, id) {
			t.Errorf("the page has %q", id)
		}
	}
	if n := strings.Count(text, `msg="login refused"`); n != 2 || !strings.Contains(text, `msg="logged in" user=vera from=192.0.2.0`) && !strings.Contains(text, `msg="logged in" user=vera from=192.0.2.7`) {
		t.Errorf("%d refused:\n%s", n, text)
	}
}

// tokenOf returns the token of a user's only session.
func tokenOf(s served, name string) string {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	for _, one := range s.sessions.all {
		if one.user == name {
			return one.token
		}
	}
	return ""
}

// locked is a writer for several goroutines.
type locked struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
