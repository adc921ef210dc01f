package web

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// movable is a clock that several goroutines read.
type movable struct{ millis atomic.Int64 }

func newMovable() *movable {
	m := &movable{}
	m.millis.Store(newClock().t.UnixMilli())
	return m
}

func (m *movable) now() time.Time       { return time.UnixMilli(m.millis.Load()) }
func (m *movable) pass(d time.Duration) { m.millis.Add(d.Milliseconds()) }

func TestLoginAndOut(t *testing.T) {
	s, _ := newOpen(t, nil)
	b := s.reader(t).remote()
	b.header.Set("Sec-Fetch-Mode", "navigate")
	res, _ := b.do(http.MethodGet, "/?quiet", nil)
	if res.code != http.StatusSeeOther || res.header.Get("Location") != "/login?next=%2F%3Fquiet" {
		t.Fatalf("a person is led to %d %s", res.code, res.header.Get("Location"))
	}
	if _, text := b.do(http.MethodGet, res.header.Get("Location"), nil); !strings.Contains(text, `name="next" value="/?quiet"`) ||
		strings.Contains(text, "<script") || strings.Contains(text, " style=") || !strings.Contains(text, `<html lang="es">`) {
		t.Errorf("login page:\n%s", text)
	}
	res, text := b.do(http.MethodPost, "/login", url.Values{"name": {"VERA"}, "password": {testPassword + "!"}, "next": {"/?quiet"}})
	if res.code != http.StatusUnauthorized || len(b.cookies) != 0 || !strings.Contains(text, `role="alert">El nombre o la contraseña`) ||
		!strings.Contains(text, `name="next" value="/?quiet"`) || strings.Contains(text, testPassword) {
		t.Errorf("a wrong password: %d, %v\n%s", res.code, b.cookies, text)
	}
	res, _ = b.do(http.MethodPost, "/login", url.Values{"name": {"VERA"}, "password": {testPassword}, "next": {"/?quiet"}})
	if res.code != http.StatusSeeOther || res.header.Get("Location") != "/?quiet" || len(b.cookies) != 1 {
		t.Fatalf("login: %d to %s with %v", res.code, res.header.Get("Location"), b.cookies)
	}
	for name, c := range b.cookies {
		if !strings.HasPrefix(name, "__Host-gondola-session") || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("cookie %+v", c)
		}
	}
	if res, text := b.do(http.MethodGet, "/", nil); res.code != http.StatusOK || !strings.Contains(text, "Entró como vera.") || strings.Contains(text, "approve?of") {
		t.Errorf("the page: %d\n%s", res.code, text)
	}
	old := b.cookies
	token := b.token("/")
	if res, _ := b.do(http.MethodPost, "/logout", url.Values{}); res.code != http.StatusForbidden {
		t.Errorf("logged out by a form of somebody else: %d", res.code)
	}
	if res, _ := b.do(http.MethodPost, "/logout", url.Values{"csrf": {token}}); res.code != http.StatusSeeOther || len(b.cookies) != 0 {
		t.Errorf("logout: %d, %v", res.code, b.cookies)
	}
	for name, c := range old {
		b.cookies[name] = c
	}
	if res, _ := b.do(http.MethodGet, "/status.json", nil); res.code != http.StatusUnauthorized {
		t.Errorf("after the logout the cookie is still good: %d", res.code)
	}
	// Over plain HTTP at the machine the cookie must go there, too.
	here := s.reader(t)
	here.login("todo", testPassword)
	for name, c := range here.cookies {
		if strings.HasPrefix(name, "__Host-") || c.Secure || !c.HttpOnly {
			t.Errorf("cookie %+v", c)
		}
	}
	if res, text := here.do(http.MethodGet, "/", nil); res.code != http.StatusOK || !strings.Contains(text, "approve?of=F7") || !strings.Contains(text, `href="pause"`) {
		t.Errorf("the page at the machine: %d\n%s", res.code, text)
	}
}

// TestNoFixation logs in on a browser into which somebody else has put the id of a session, and of none.
func TestNoFixation(t *testing.T) {
	s, _ := newOpen(t, nil)
	attacker := s.reader(t).remote()
	attacker.login("vera", testPassword)
	for name, planted := range attacker.cookies {
		for _, id := range []string{planted.Value, "chosen"} {
			victim := s.reader(t).remote()
			victim.cookies[name] = &http.Cookie{Name: name, Value: id}
			victim.login("todo", testPassword)
			if got := victim.cookies[name].Value; got == id || len(got) < 43 {
				t.Errorf("the session has the id %q, planted was %q", got, id)
			}
		}
		if res, _ := attacker.do(http.MethodGet, "/status.json", nil); res.code != http.StatusUnauthorized {
			t.Errorf("the planted session is still good: %d", res.code)
		}
	}
}

// TestLoginEnds lets time pass, changes the password, and removes it.
func TestLoginEnds(t *testing.T) {
	clock := newMovable()
	var hash atomic.Value
	hash.Store(testHash())
	var unread atomic.Bool
	s, _ := newOpen(t, func(c *Config) {
		c.Now = clock.now
		c.Users = []User{{Name: "vera", Roles: []Role{RoleView}, Hash: func() (string, error) {
			if unread.Load() {
				return "", errors.New("no such file")
			}
			return hash.Load().(string), nil
		}}}
	})
	b := s.reader(t).remote()
	expect := func(what string, want int) {
		t.Helper()
		if res, _ := b.do(http.MethodGet, "/status.json", nil); res.code != want {
			t.Errorf("%s: %d, want %d", what, res.code, want)
		}
	}
	login := func() {
		t.Helper()
		if res := b.login("vera", testPassword); res.code != http.StatusSeeOther {
			t.Fatalf("login: %d", res.code)
		}
		expect("logged in", 200)
	}
	login()
	clock.pass(sessionIdle)
	expect("after two idle hours", 401)
	login()
	for range 11 {
		clock.pass(time.Hour)
		expect("used every hour", 200)
	}
	clock.pass(time.Hour)
	expect("after a day's work", 401)
	login()
	unread.Store(true)
	expect("while the hash can't be read", 401)
	if res := b.login("vera", testPassword); res.code != http.StatusServiceUnavailable {
		t.Errorf("login while the hash can't be read: %d", res.code)
	}
	unread.Store(false)
	expect("once it can be read again", 200)
	hash.Store(strings.Replace(testHash(), "$argon2id", " $argon2id", 1))
	expect("after another password", 401)
}

// TestRestartLogsOut: sessions are in memory only.
func TestRestartLogsOut(t *testing.T) {
	first, _ := newOpen(t, nil)
	b := first.reader(t).remote()
	b.login("vera", testPassword)
	second, _ := newOpen(t, nil)
	for _, c := range b.cookies {
		c.Name = "__Host-gondola-session-" + second.url[strings.LastIndex(second.url, ":")+1:]
	}
	b.url = second.url
	if res, _ := b.do(http.MethodGet, "/status.json", nil); res.code != http.StatusUnauthorized {
		t.Errorf("a session of another process is taken: %d", res.code)
	}
}

// TestNextServerKnowsLogins puts a server by another config in the place of one, as a reload does: who is logged in stays, with the roles
// that they have now, and so do the forms that they have open. Who is no longer a user, or has another password, does not.
func TestNextServerKnowsLogins(t *testing.T) {
	logins := NewLogins(time.Now)
	address := freeAddress(t)
	users := func(roles Role, hash string) []User {
		gone, other := testUser("gone", RoleView), testUser("other", RoleView)
		other.Hash = func() (string, error) { return hash, nil }
		return append([]User{testUser("vera", roles), other}, gone)
	}
	c := Config{Listen: address, Language: "es", Look: fixed(Page{State: "ok"}), Hosts: []string{"page.example.net"}, Logins: logins, Users: users(RoleView, testHash())}
	var first served
	stop := serve(t, c, func(s *Server) { first = served{s, "http://" + address} })
	readers := map[string]*reader{}
	for _, name := range []string{"vera", "other", "gone"} {
		readers[name] = first.reader(t).remote()
		if res := readers[name].login(name, testPassword); res.code != http.StatusSeeOther {
			t.Fatalf("%s: %d", name, res.code)
		}
	}
	token, guest := readers["vera"].token("/"), first.token
	guesser := first.reader(t).remote()
	guesser.header.Set("X-Forwarded-For", "192.0.2.66")
	for range freeTries {
		guesser.login("vera", "guess")
	}
	stop()
	hash, err := HashPassword("another password of theirs")
	if err != nil {
		t.Fatal(err)
	}
	c.Users = users(RoleDrop, hash)[:2]
	c.Drops = &fakeDrops{}
	var second *Server
	serve(t, c, func(s *Server) { second = s })
	for path, want := range map[string]int{"/drop": http.StatusOK, "/": http.StatusForbidden} {
		if res, _ := readers["vera"].do(http.MethodGet, path, nil); res.code != want {
			t.Errorf("vera, who only drops now, at %s: %d, want %d", path, res.code, want)
		}
	}
	if got := readers["vera"].token("/drop"); got != token || second.token != guest {
		t.Error("forms that are open are stale")
	}
	for _, name := range []string{"other", "gone"} {
		if res, _ := readers[name].do(http.MethodGet, "/status.json", nil); res.code != http.StatusUnauthorized {
			t.Errorf("%s is still in: %d", name, res.code)
		}
	}
	if res := guesser.login("vera", "guess"); res.code != http.StatusTooManyRequests {
		t.Errorf("who guesses begins anew: %d", res.code)
	}
}

// TestBusyIsNoGuess logs in while too many others do: that nobody looked at the password does not count against it.
func TestBusyIsNoGuess(t *testing.T) {
	s, _ := newOpen(t, nil)
	for range maxWaiting {
		s.hasher.waiting <- struct{}{}
	}
	b := s.reader(t).remote()
	for i := range 3 * freeTries {
		if res := b.login("vera", testPassword); res.code != http.StatusServiceUnavailable {
			t.Fatalf("attempt %d: %d", i, res.code)
		}
	}
	for range maxWaiting {
		<-s.hasher.waiting
	}
	if res := b.login("vera", testPassword); res.code != http.StatusSeeOther {
		t.Errorf("afterwards: %d", res.code)
	}
}

// TestLoginLeadsWhereTheReaderMayGo logs in without having been anywhere: who may not look at the status page is not sent there.
func TestLoginLeadsWhereTheReaderMayGo(t *testing.T) {
	s, _ := newOpen(t, nil)
	for name, want := range map[string]string{"vera": "/", "todo": "/", "dora": "/drop", "Ana": "/pause"} {
		if res := s.reader(t).remote().login(name, testPassword); res.header.Get("Location") != want {
			t.Errorf("%s is led to %q, want %q", name, res.header.Get("Location"), want)
		}
	}
	b := s.reader(t).remote()
	b.login("Ana", testPassword)
	res, _ := b.do(http.MethodPost, "/resume", url.Values{"csrf": {b.token("/pause")}, "store": {"*"}})
	if to := res.header.Get("Location"); res.code != http.StatusSeeOther || to != "/pause" {
		t.Errorf("who only decides is led to %d %q", res.code, to)
	}
}

// TestGuessing tries passwords: it is told to wait, in words and in the header, and the right one is not even looked at.
func TestGuessing(t *testing.T) {
	clock := newMovable()
	s, _ := newOpen(t, func(c *Config) { c.Now = clock.now })
	attacker := s.reader(t).remote()
	for i := range freeTries {
		if res := attacker.login([]string{"vera", "nobody"}[i%2], "guess"); res.code != http.StatusUnauthorized {
			t.Fatalf("attempt %d: %d", i, res.code)
		}
	}
	res, text := attacker.do(http.MethodPost, "/login", url.Values{"name": {"vera"}, "password": {testPassword}})
	if after, _ := strconv.Atoi(res.header.Get("Retry-After")); res.code != http.StatusTooManyRequests || after < 1 || !strings.Contains(text, "Demasiados intentos") {
		t.Errorf("too many: %d, %v\n%s", res.code, res.header, text)
	}
	// A program from the same place is held up like a person.
	attacker.header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("vera:"+testPassword)))
	if res, _ := attacker.do(http.MethodGet, "/metrics", nil); res.code != http.StatusTooManyRequests {
		t.Errorf("HTTP Basic is a way around: %d", res.code)
	}
	attacker.header.Del("Authorization")
	clock.pass(2 * time.Second)
	if res := attacker.login("vera", testPassword); res.code != http.StatusSeeOther {
		t.Errorf("after the wait: %d", res.code)
	}
	// The address that a proxy names is the last one: those before are what the client says.
	for range freeTries + 1 {
		attacker.header.Set("X-Forwarded-For", strconv.Itoa(int(clock.millis.Add(1)))+".0.0.1, 192.0.2.99")
		res = attacker.login("dora", "guess")
	}
	if res.code != http.StatusTooManyRequests {
		t.Errorf("an invented address is a way around: %d", res.code)
	}
}

// TestManyLogins log in at once, right and wrong: nobody gets in who should not, and nothing else happens than being told to wait.
func TestManyLogins(t *testing.T) {
	s, _ := newOpen(t, nil)
	var wait sync.WaitGroup
	var in, turned atomic.Int64
	for i := range 60 {
		wait.Go(func() {
			b := s.reader(t).remote()
			b.header = b.header.Clone()
			b.header.Set("X-Forwarded-For", "198.51.100."+strconv.Itoa(i))
			password := []string{testPassword, "guess"}[i%2]
			switch res := b.login("todo", password); {
			case res.code == http.StatusSeeOther && password == testPassword:
				in.Add(1)
			case slices.Contains([]int{401, 429, 503}, res.code):
				turned.Add(1)
			default:
				t.Errorf("%q: %d", password, res.code)
			}
		})
	}
	wait.Wait()
	if in.Load() == 0 || turned.Load() < 30 {
		t.Errorf("%d are in, %d were turned away", in.Load(), turned.Load())
	}
	if n := len(s.hasher.waiting) + len(s.hasher.turn); n != 0 {
		t.Errorf("%d passwords are still being checked", n)
	}
}

// TestScrapesAreCheap lets a program ask over and over with its password: it is hashed once a minute, and a new one counts at once.
func TestScrapesAreCheap(t *testing.T) {
	clock := newMovable()
	var asked atomic.Int64
	var hash atomic.Value
	hash.Store(testHash())
	s, _ := newOpen(t, func(c *Config) {
		c.Now = clock.now
		c.Users = []User{{Name: "prometheus", Roles: []Role{RoleView}, Hash: func() (string, error) {
			asked.Add(1)
			return hash.Load().(string), nil
		}}}
	})
	b := s.reader(t).remote()
	scrape := func(password string) int {
		t.Helper()
		b.header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("prometheus:"+password)))
		res, _ := b.do(http.MethodGet, "/metrics", nil)
		return res.code
	}
	if code := scrape(testPassword); code != http.StatusOK {
		t.Fatalf("%d", code)
	}
	s.hasher.turn <- struct{}{} // nothing can be hashed now
	if code := scrape(testPassword); code != http.StatusOK {
		t.Errorf("the second one is hashed, too: %d", code)
	}
	<-s.hasher.turn
	if code := scrape("guess"); code != http.StatusUnauthorized {
		t.Errorf("a wrong one after a right one: %d", code)
	}
	clock.pass(recallFor)
	if code := scrape(testPassword); code != http.StatusOK {
		t.Errorf("a minute later: %d", code)
	}
	other, err := HashPassword("dulce de leche casero")
	if err != nil {
		t.Fatal(err)
	}
	hash.Store(other)
	if code := scrape(testPassword); code != http.StatusUnauthorized {
		t.Errorf("after another password: %d", code)
	}
}

func TestNext(t *testing.T) {
	for text, want := range map[string]string{
		"": "/", "/": "/", "/?quiet": "/?quiet", "/approve?of=F7": "/approve?of=F7", "/sku?q=a%20b": "/sku?q=a%20b",
		"//evil.example": "/", "/\\evil.example": "/", "https://evil.example/": "/", "javascript:alert(1)": "/", "/%2fevil.example": "/",
		"/login": "/", "/logout": "/", "x": "/", "/a\r\nSet-Cookie: x": "/", "/a#b": "/a", "/%0d%0aX": "/%0D%0AX",
	} {
		if got := nextOf(text); got != want {
			t.Errorf("%q leads to %q, want %q", text, got, want)
		}
	}
}

func FuzzNext(f *testing.F) {
	f.Add("/approve?of=F7")
	f.Add("//evil.example/\\")
	f.Fuzz(func(t *testing.T, text string) {
		got := nextOf(text)
		base, _ := url.Parse("https://page.example.net/login")
		to, err := base.Parse(got)
		if err != nil || to.Host != base.Host || to.Scheme != "https" || strings.ContainsAny(got, "\r\n\\") || strings.HasPrefix(got, "//") {
			t.Fatalf("%q leads to %q", text, got)
		}
	})
}

// TestOpenPort serves a page to other machines: only with TLS and users, and then nothing without a login.
func TestOpenPort(t *testing.T) {
	dir := newPair(t, "first")
	for name, c := range map[string]Config{
		"no TLS":   {Users: []User{testUser("vera", RoleView)}},
		"no users": {Certificate: dir.certificate, Key: dir.key},
	} {
		c.Listen = "0.0.0.0:0"
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), "web.certificate and web.users") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(Config{Listen: "127.0.0.1:0", Certificate: dir.key, Key: dir.key}); err == nil || !strings.Contains(err.Error(), "web.certificate and web.key") {
		t.Errorf("a key for a certificate: %v", err)
	}
	var told atomic.Value
	s, _ := newOpen(t, func(c *Config) {
		c.Listen, c.Certificate, c.Key, c.Open = "0.0.0.0:0", dir.certificate, dir.key, []Role{RoleView}
		c.Trouble = func(what, problem string) { told.Store(what + ": " + problem) }
	})
	_, port, _ := strings.Cut(strings.TrimPrefix(s.url, "http://[::]"), ":")
	s.url = "https://127.0.0.1:" + port
	b := s.reader(t)
	shown := ""
	b.client.Transport = &http.Transport{DisableKeepAlives: true, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, VerifyConnection: func(c tls.ConnectionState) error {
			shown = c.PeerCertificates[0].Subject.CommonName
			return nil
		},
	}}
	// Even this machine has no roles here, because the config can't mean it.
	if res, _ := b.do(http.MethodGet, "/status.json", nil); res.code != http.StatusUnauthorized || shown != "first" {
		t.Errorf("without a login: %d, the certificate is %s", res.code, shown)
	}
	if res := b.login("vera", testPassword); res.code != http.StatusSeeOther {
		t.Fatalf("login: %d", res.code)
	}
	for name, c := range b.cookies {
		if !strings.HasPrefix(name, "__Host-") || !c.Secure {
			t.Errorf("cookie %+v", c)
		}
	}
	dir.write(t, "second")
	if res, _ := b.do(http.MethodGet, "/status.json", nil); res.code != http.StatusOK || shown != "second" {
		t.Errorf("after the certificate was changed: %d, it is %s", res.code, shown)
	}
	dir.spoil(t)
	if res, _ := b.do(http.MethodGet, "/status.json", nil); res.code != http.StatusOK || shown != "second" {
		t.Errorf("after it was spoilt: %d, it is %s", res.code, shown)
	}
	if text, _ := told.Load().(string); !strings.Contains(text, "certificate: the new certificate can't be used") {
		t.Errorf("told: %q", text)
	}
	// Who forgets the s is told so, and old TLS is refused.
	res, text := ask(t, http.MethodGet, "http://127.0.0.1:"+port+"/")
	if res.code != http.StatusBadRequest || !strings.Contains(text, "HTTPS server") {
		t.Errorf("plain HTTP: %d %q", res.code, text)
	}
	if c, err := tls.Dial("tcp", "127.0.0.1:"+port, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		c.Close()
		t.Error("TLS 1.1 is taken")
	}
}
