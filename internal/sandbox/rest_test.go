package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// The tokens of tests.
const (
	catalogToken   = "token for the catalogue"
	promotionToken = "token for promotions"
	orderToken     = "token for orders"
	chainPath      = "/v2/chains/" + DefaultChainID
	vendorPath     = chainPath + "/vendors/290056"
)

// newRESTSandbox starts a sandbox with tokens, whose jobs wait to be processed.
func newRESTSandbox(t testing.TB, change func(*Options)) *Sandbox {
	t.Helper()
	return newTestSandbox(t, func(o *Options) {
		o.API.Tokens = Tokens{Catalog: catalogToken, Promotions: promotionToken, Orders: orderToken}
		o.API.ClientID, o.API.ClientSecret = "client", "secret"
		if change != nil {
			change(o)
		}
	})
}

// tokenFor returns the token that a path needs.
func tokenFor(path string) string {
	switch {
	case strings.Contains(path, "/promotion"):
		return promotionToken
	case strings.Contains(path, "/orders"):
		return orderToken
	}
	return catalogToken
}

// ask makes a request to the REST interface with the right token, and returns status and body.
func ask(t testing.TB, s *Sandbox, method, path, body string) (status int, answer string) {
	t.Helper()
	a, err := askWith(t, s.RESTURL(), method, path, body, http.Header{"Authorization": {"Bearer " + tokenFor(path)}})
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return a.status, a.body
}

// answered is what came back.
type answered struct {
	status int
	header http.Header
	body   string
}

// askWith makes a request with any header.
func askWith(t testing.TB, base, method, path, body string, header http.Header) (answered, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return answered{}, err
	}
	data, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	return answered{resp.StatusCode, resp.Header, string(data)}, err
}

// jobOf takes the id out of a 202.
func jobOf(t testing.TB, status int, body string) string {
	t.Helper()
	var job struct {
		ID     string `json:"job_id"`
		Status string `json:"job_status"`
	}
	if err := json.Unmarshal([]byte(body), &job); err != nil || status != http.StatusAccepted || job.Status != "QUEUED" || job.ID == "" {
		t.Fatalf("want 202 and a queued job, got %d %s (%v)", status, body, err)
	}
	return job.ID
}

// listener takes events as a partner would.
type listener struct {
	*httptest.Server
	mu      sync.Mutex
	answer  func(n int) int // what the n-th event is answered, from 1
	bodies  []string
	headers []http.Header
}

// newListener listens, and answers 200.
func newListener(t testing.TB) *listener {
	t.Helper()
	l := &listener{answer: func(int) int { return http.StatusOK }}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		data, _ := io.ReadAll(q.Body)
		l.mu.Lock()
		l.bodies = append(l.bodies, string(data))
		l.headers = append(l.headers, q.Header.Clone())
		status := l.answer(len(l.bodies))
		l.mu.Unlock()
		w.WriteHeader(status)
	}))
	t.Cleanup(l.Close)
	return l
}

// got waits until nothing is under way and returns what came.
func (l *listener) got(t testing.TB, s *Sandbox) []string {
	t.Helper()
	eventually(t, "all events are through", func() bool { return s.PendingEvents() == 0 })
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.bodies...)
}

func TestStaticTokens(t *testing.T) {
	s := newRESTSandbox(t, nil)
	for name, c := range map[string]struct {
		path, token string
		want        int
	}{
		"right":          {vendorPath + "/catalog", "Bearer " + catalogToken, 200},
		"none":           {vendorPath + "/catalog", "", 401},
		"wrong":          {vendorPath + "/catalog", "Bearer x", 401},
		"no bearer":      {vendorPath + "/catalog", catalogToken, 401},
		"of another use": {vendorPath + "/catalog", "Bearer " + orderToken, 403},
		"foreign chain":  {strings.Replace(vendorPath, "7d3f", "0000", 1) + "/catalog", "Bearer " + catalogToken, 403},
		"no such store":  {chainPath + "/vendors/zzz/catalog", "Bearer " + catalogToken, 404},
	} {
		a, err := askWith(t, s.RESTURL(), "GET", c.path, "", http.Header{"Authorization": {c.token}})
		if err != nil || a.status != c.want {
			t.Errorf("%s: %v (%v), want %d", name, a, err, c.want)
		}
	}
	if status, body := ask(t, s, "GET", "/v2/whatever", ""); status != 404 || body != "" {
		t.Errorf("unknown path: %d %q, want an empty 404", status, body)
	}
}

// clock is a clock that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// getToken asks for a token.
func getToken(t testing.TB, s *Sandbox, secret string) (status int, token string) {
	t.Helper()
	a, err := askWith(t, s.RESTURL(), "POST", "/v2/oauth/token", "grant_type=client_credentials&client_id=client&client_secret="+secret,
		http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Token string `json:"access_token"`
		Type  string `json:"token_type"`
		In    int    `json:"expires_in"`
	}
	if err := json.Unmarshal([]byte(a.body), &got); a.status == http.StatusOK && (err != nil || got.Type != "Bearer" || got.In != 7200) {
		t.Errorf("token: %s (%v)", a.body, err)
	}
	return a.status, got.Token
}

func TestClientLogin(t *testing.T) {
	c := newClock()
	s := newRESTSandbox(t, func(o *Options) { o.Now, o.Rules.NoBan = c.Now, true })
	if status, _ := getToken(t, s, "wrong"); status != http.StatusUnauthorized {
		t.Errorf("a wrong secret is answered %d", status)
	}
	status, token := getToken(t, s, "secret")
	if status != http.StatusOK || token == "" {
		t.Fatal(status)
	}
	try := func(token string) int {
		a, err := askWith(t, s.RESTURL(), "GET", vendorPath+"/catalog", "", http.Header{"Authorization": {"Bearer " + token}})
		if err != nil {
			t.Fatal(err)
		}
		return a.status
	}
	if status := try(token); status != http.StatusOK {
		t.Errorf("with the token: %d", status)
	}
	c.add(2*time.Hour - time.Second)
	if status := try(token); status != http.StatusOK {
		t.Errorf("just before its end: %d", status)
	}
	c.add(time.Second)
	if status := try(token); status != http.StatusUnauthorized {
		t.Errorf("two hours later: %d", status)
	}
	_, token = getToken(t, s, "secret")
	s.Faults().ExpireTokens()
	if status := try(token); status != http.StatusUnauthorized {
		t.Errorf("expired on purpose: %d", status)
	}
	log := s.Requests()
	if log[2].Token != "client" || log[2].Status != http.StatusOK || log[4].Token != "" || strings.Contains(toJSON(t, log), token) {
		t.Errorf("the log: %+v", log)
	}
	for range loginsPerMinute - 1 {
		if status, _ = getToken(t, s, "secret"); status != http.StatusOK {
			t.Fatal(status)
		}
	}
	if status, _ = getToken(t, s, "secret"); status != http.StatusTooManyRequests {
		t.Errorf("the 51st token in a minute is answered %d", status)
	}
}

func TestBan(t *testing.T) {
	c := newClock()
	s := newRESTSandbox(t, func(o *Options) { o.Now = c.Now })
	get := func() int {
		status, _ := ask(t, s, "GET", vendorPath+"/categories", "")
		return status
	}
	for n := range DefaultPerMinute {
		if status := get(); status != http.StatusOK {
			t.Fatalf("request %d is answered %d", n+1, status)
		}
	}
	if status := get(); status != http.StatusTooManyRequests {
		t.Errorf("the 61st request in a minute is answered %d", status)
	}
	c.add(DefaultBan - time.Second)
	if status := get(); status != http.StatusTooManyRequests {
		t.Errorf("while blocked: %d", status)
	}
	log := s.Requests()
	if log[len(log)-1].Fault != "banned" || log[len(log)-1].Address != "127.0.0.1" {
		t.Errorf("the log: %+v", log[len(log)-1])
	}
	c.add(time.Second)
	if status := get(); status != http.StatusOK {
		t.Errorf("after the block: %d", status)
	}
	for range DefaultPerMinute {
		get()
	}
	s.Faults().Pardon()
	if status := get(); status != http.StatusOK {
		t.Errorf("pardoned: %d", status)
	}
	// A request a second is no minute of more than 60.
	for range 3 * DefaultPerMinute {
		c.add(time.Second)
		if status := get(); status != http.StatusOK {
			t.Fatal(status)
		}
	}
}

func TestSwitchesOfTokensAndErrors(t *testing.T) {
	s := newRESTSandbox(t, func(o *Options) { o.Rules.AnyUseToken, o.Rules.PlainErrors, o.Rules.NoBan = true, true, true })
	a, err := askWith(t, s.RESTURL(), "GET", vendorPath+"/catalog", "", http.Header{"Authorization": {"Bearer " + orderToken}})
	if err != nil || a.status != http.StatusOK {
		t.Errorf("%v (%v)", a, err)
	}
	a, err = askWith(t, s.RESTURL(), "GET", vendorPath+"/catalog", "", nil)
	if err != nil || a.status != http.StatusUnauthorized || strings.HasPrefix(a.body, "{") || !strings.HasPrefix(a.header.Get("Content-Type"), "text/plain") {
		t.Errorf("%v (%v)", a, err)
	}
	for range 2 * DefaultPerMinute {
		if status, _ := ask(t, s, "GET", vendorPath+"/categories", ""); status != http.StatusOK {
			t.Fatal(status)
		}
	}
}

func toJSON(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestStartWithoutAPort: what is taken already is named.
func TestStartWithoutAPort(t *testing.T) {
	other := newTestSandbox(t, nil)
	for what, set := range map[string]func(o *Options, address string){
		"page": func(o *Options, address string) { o.HTTPListen = address },
		"REST": func(o *Options, address string) { o.API.Listen = address },
	} {
		o := testOptions(t)
		set(&o, strings.TrimPrefix(other.RESTURL(), "http://"))
		s, err := Start(t.Context(), o)
		if err == nil {
			_ = s.Close()
			t.Fatalf("%s: the port is taken", what)
		}
		if !strings.Contains(err.Error(), what) || !strings.Contains(err.Error(), "choose another address") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
