package platform

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestDownload(t *testing.T) {
	var told string
	elsewhere := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		told += r.Header.Get("Authorization")
		_, _ = io.WriteString(w, "presigned")
	}))
	t.Cleanup(elsewhere.Close)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+testToken {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, elsewhere.URL+"/f", http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		case "/cut":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "ha")
		case "/slow":
			_, _ = io.WriteString(w, "ha")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		default:
			_, _ = io.WriteString(w, "own "+r.URL.RawQuery)
		}
	})
	c := newTestClient(t, s, func(cfg *ClientConfig) { cfg.Timeout = 300 * time.Millisecond })
	trusting := newTestClient(t, s, func(cfg *ClientConfig) { cfg.Transport = elsewhere.Client().Transport })
	for _, test := range []struct {
		client     *Client
		path, want string
	}{
		{c, "/file?a=b", "own a=b"},
		{trusting, "/away", "presigned"},
		{c, "/away", "error " + errInside.Error()},
		{c, "/round", "error download from"},
		{c, "/cut", "error unexpected EOF"},
		{c, "/slow", "error " + errStalled.Error()},
	} {
		if got := fetched(test.client, s.URL+test.path); !strings.HasPrefix(got, test.want) && !strings.Contains(got, strings.TrimPrefix(test.want, "error ")) {
			t.Errorf("%s: %s, want %s", test.path, got, test.want)
		}
	}
	if told != "" {
		t.Errorf("a foreign host was told %q", told)
	}
}

// fetched returns what a download has, or "error" and why it has not.
func fetched(c *Client, address string) string {
	body, err := c.Download(context.Background(), address, UseCatalog)
	if err != nil {
		return "error " + err.Error()
	}
	defer body.Close()
	data, err := io.ReadAll(body)
	if err != nil {
		return "error " + err.Error()
	}
	return string(data)
}

// TestDownloadFromInside tries addresses that lead inside, by every way of writing them.
func TestDownloadFromInside(t *testing.T) {
	inside := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("something inside was asked") }))
	t.Cleanup(inside.Close)
	_, port, _ := net.SplitHostPort(inside.Listener.Addr().String())
	s := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the interface was asked") })
	c := newTestClient(t, s, nil)
	for _, address := range []string{
		"https://127.0.0.1:" + port, "https://localhost:" + port, "https://[::1]:" + port, "https://[::ffff:127.0.0.1]:" + port,
		"https://2130706433:" + port, "https://0.0.0.0:" + port, "https://169.254.169.254/latest", "https://[fe80::1]/", "https://[fd00::1]/",
		"http://127.0.0.1:" + port, "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "//example.com/x", "", "https://",
		"https://u:p@example.com/", "\x7f", strings.Replace(s.URL, "http:", "https:", 1),
	} {
		if got := fetched(c, address); !strings.HasPrefix(got, "error ") {
			t.Errorf("%s: %s", address, got)
		}
	}
}

func TestPublicAddresses(t *testing.T) {
	for text, want := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1::1": true, "::ffff:93.184.216.34": true,
		"127.0.0.1": false, "10.1.2.3": false, "172.31.0.1": false, "192.168.0.1": false, "169.254.169.254": false, "100.64.0.1": false,
		"0.0.0.0": false, "255.255.255.255": false, "224.0.0.1": false, "::1": false, "::": false, "fe80::1": false, "fc00::1": false,
		"::ffff:10.0.0.1": false, "64:ff9b::a00:1": false, "2002:a00:1::": false, "fe80::1%eth0": false, "0.1.2.3": false,
	} {
		if got := isPublic(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: public %t", text, got)
		}
	}
}

func TestBaseURLs(t *testing.T) {
	for text, ok := range map[string]bool{
		"https://pedidosya.partner.deliveryhero.io/": true, "http://127.0.0.1:8080": true, "http://localhost": true, "http://[::1]:1/x": true,
		"http://pedidosya.partner.deliveryhero.io": false, "http://127.0.0.1.example.com": false, "": false, "pedidosya": false,
		"https://u:p@h": false, "https://h?x": false,
	} {
		if _, err := parseBase(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
	c := NewClient(ClientConfig{BaseURL: "http://example.com", Token: func(Use) (string, error) { t.Error("asked for a token"); return "", nil }})
	defer c.Close()
	if _, err := c.Order(t.Context(), "o"); err == nil || !strings.Contains(err.Error(), "api.url") {
		t.Error(err)
	}
	for _, name := range BrandNames() {
		if b, _ := LookupBrand(name); b.API != "https://"+name+".partner.deliveryhero.io" {
			t.Errorf("%s is at %s", name, b.API)
		}
	}
}

// TestIDsStayInTheirPath tries ids that would lead elsewhere.
func TestIDsStayInTheirPath(t *testing.T) {
	c := newTestClient(t, serve(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked %s", r.URL) }), nil)
	for _, id := range []string{"", ".", "..", "a/b", "a?b", "a%2fb", "a b", "ñ", strings.Repeat("a", 201)} {
		_, err1 := c.Order(t.Context(), id)
		_, err2 := c.PromotionJob(t.Context(), id)
		_, err3 := c.ExportCatalog(t.Context(), id)
		if err1 == nil || err2 == nil || err3 == nil {
			t.Errorf("%q: %v, %v, %v", id, err1, err2, err3)
		}
	}
	if _, err := c.Send(t.Context(), UseCatalog, "PUT", "/v2/../x", nil); err == nil {
		t.Error("a path out of the interface was taken")
	}
}

func TestCloseEndsWhatIsUnderWay(t *testing.T) {
	asked := make(chan struct{}, 1)
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { asked <- struct{}{}; <-r.Context().Done() })
	c := newTestClient(t, s, nil)
	done := make(chan error)
	go func() { _, err := c.Order(context.Background(), "o"); done <- err }()
	<-asked
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err == nil {
		t.Error("no error")
	}
	if _, err := c.Order(t.Context(), "o"); !errors.Is(err, errClosed) {
		t.Errorf("error %v of a closed client", err)
	}
}
