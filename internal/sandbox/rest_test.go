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
	resp, answer, err := askWith(t, s.RESTURL(), method, path, body, http.Header{"Authorization": {"Bearer " + tokenFor(path)}})
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp.StatusCode, answer
}

// askWith makes a request with any header.
func askWith(t testing.TB, base, method, path, body string, header http.Header) (*http.Response, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, "", err
	}
	data, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	return resp, string(data), err
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
		resp, body, err := askWith(t, s.RESTURL(), "GET", c.path, "", http.Header{"Authorization": {c.token}})
		if err != nil || resp.StatusCode != c.want {
			t.Errorf("%s: %v %s (%v), want %d", name, resp.StatusCode, body, err, c.want)
		}
	}
	if status, body := ask(t, s, "GET", "/v2/whatever", ""); status != 404 || body != "" {
		t.Errorf("unknown path: %d %q, want an empty 404", status, body)
	}
}

func TestOAuthLogin(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var mu sync.Mutex
	s := newRESTSandbox(t, func(o *Options) {
		o.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	})
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	login := func(secret string) (int, string) {
		resp, body, err := askWith(t, s.RESTURL(), "POST", "/v2/oauth/token", "grant_type=client_credentials&client_id=client&client_secret="+secret, form)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, body
	}
	if status, _ := login("wrong"); status != 401 {
		t.Errorf("a wrong secret is answered %d", status)
	}
	status, body := login("secret")
	var got struct {
		Token string `json:"access_token"`
		Type  string `json:"token_type"`
		In    int    `json:"expires_in"`
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil || status != 200 || got.Type != "Bearer" || got.In != 7200 || got.Token == "" {
		t.Fatalf("%d %s (%v)", status, body, err)
	}
	try := func() int {
		resp, _, err := askWith(t, s.RESTURL(), "GET", vendorPath+"/orders?start_time=2026-03-01T00:00:00&end_time=2026-03-02T00:00:00", "",
			http.Header{"Authorization": {"Bearer " + got.Token}})
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode
	}
	if status := try(); status != 200 {
		t.Errorf("with the token: %d", status)
	}
	mu.Lock()
	now = now.Add(2 * time.Hour)
	mu.Unlock()
	if status := try(); status != 401 {
		t.Errorf("two hours later: %d", status)
	}
	for range 50 {
		status, _ = login("secret")
	}
	if status != 429 && status != 200 {
		t.Errorf("%d", status)
	}
	if reqs := s.Requests(); reqs[2].Token != "client" || reqs[2].Status != 200 || reqs[3].Token != "" || strings.Contains(toJSON(t, reqs), got.Token) {
		t.Errorf("the log: %+v", reqs[:4])
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
