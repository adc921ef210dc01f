package inbox

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// answers serves what a proxy, or a stranger, would.
func answers(t *testing.T, f http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return s.URL + "/webhook"
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// TestTrial sends samples into everything that can be at the end of a public address.
func TestTrial(t *testing.T) {
	v := newServed(t, Config{})
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + closed.Addr().String() + "/webhook"
	closed.Close()
	selfSigned := httptest.NewUnstartedServer(status(200))
	selfSigned.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	selfSigned.StartTLS()
	t.Cleanup(selfSigned.Close)
	for name, c := range map[string]struct {
		url, secret string
		verdict     Verdict
		status      int
		text        string
	}{
		"gondola":        {v.url, testSecret, VerdictOK, 200, "wrong secret is refused"},
		"another secret": {v.url, "another", VerdictStatus, 401, "secret"},
		"another path":   {v.url + "s", testSecret, VerdictStatus, 404, "orders.webhook.path"},
		"no name":        {"http://gondola.invalid/webhook", testSecret, VerdictNoName, 0, "gondola.invalid"},
		"nobody":         {nobody, testSecret, VerdictRefused, 0, "nobody listens"},
		"stranger":       {answers(t, status(200)), testSecret, VerdictAlien, 200, "lost"},
		"moved":          {answers(t, http.RedirectHandler("https://elsewhere.example/", http.StatusMovedPermanently).ServeHTTP), testSecret, VerdictRedirect, 301, "elsewhere.example"},
		"no post":        {answers(t, status(405)), testSecret, VerdictStatus, 405, "POST"},
		"bad gateway":    {answers(t, status(502)), testSecret, VerdictStatus, 502, "proxy"},
		"broken":         {answers(t, status(500)), testSecret, VerdictStatus, 500, "500"},
		"self-signed":    {selfSigned.URL, testSecret, VerdictTLS, 0, "chain"},
		"no TLS":         {strings.Replace(v.url, "http:", "https:", 1), testSecret, VerdictTLS, 0, "does not speak TLS"},
		"any secret": {answers(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(ProofHeader, proof([]byte(testSecret), r.Header.Get(TestHeader)))
		}), testSecret, VerdictOpen, 200, "Authorization"},
		"limited": {answers(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != testSecret {
				w.WriteHeader(http.StatusTooManyRequests)
			}
			w.Header().Set(ProofHeader, proof([]byte(testSecret), r.Header.Get(TestHeader)))
		}), testSecret, VerdictStatus, 429, "wrong secret was answered with 429"},
		"cut": {answers(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), testSecret, VerdictNetwork, 0, "broke"},
	} {
		got := Trial{URL: c.url, Secret: c.secret, Body: []byte("{}")}.Do(t.Context())
		if got.Verdict != c.verdict || got.Status != c.status || !strings.Contains(got.Text, c.text) {
			t.Errorf("%s: %+v", name, got)
		}
		if strings.Contains(got.Text, testSecret) {
			t.Errorf("%s tells the secret: %s", name, got.Text)
		}
	}
	if kept := v.kept(); len(kept) != 1 || !kept[0].Test {
		t.Errorf("kept: %+v", kept)
	}
}

// TestTrialTLS tells apart why a certificate is not accepted.
func TestTrialTLS(t *testing.T) {
	dir := t.TempDir()
	path, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certificate, private := pair(t, "a store")
	for name, text := range map[string][]byte{path: certificate, key: private} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	v := newServed(t, Config{Certificate: path, Key: key})
	trust := func(change func(*tls.Config)) *http.Client {
		c := &tls.Config{RootCAs: newPool(t, certificate)}
		change(c)
		return &http.Client{Transport: &http.Transport{TLSClientConfig: c, DisableKeepAlives: true}}
	}
	_, port, _ := net.SplitHostPort(v.Addr().String())
	for name, c := range map[string]struct {
		host    string
		change  func(*tls.Config)
		verdict Verdict
		text    string
	}{
		"good":       {"127.0.0.1", func(*tls.Config) {}, VerdictOK, "taken"},
		"other name": {"localhost", func(*tls.Config) {}, VerdictTLS, "another name than localhost"},
		"expired":    {"127.0.0.1", func(c *tls.Config) { c.Time = func() time.Time { return time.Now().AddDate(1, 0, 0) } }, VerdictTLS, "expired"},
		"too old":    {"127.0.0.1", func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11; c.MinVersion = tls.VersionTLS10 }, VerdictTLS, "TLS was refused"},
	} {
		got := Trial{URL: "https://" + net.JoinHostPort(c.host, port) + "/webhook", Secret: testSecret, Client: trust(c.change)}.Do(t.Context())
		if got.Verdict != c.verdict || !strings.Contains(got.Text, c.text) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
