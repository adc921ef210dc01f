package alert

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// token is in the path of every address here. No error and no answer may show it.
const token = "s3cr3t-t0ken"

func entries() []Entry {
	since := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	return []Entry{{
		Problem: Problem{Key: "server", Kind: Credentials, Text: "No se envía nada.", Do: "Corrija la contraseña.", Detail: `log in as "x"`},
		Since:   since, Turn: since, Loud: Credentials,
	}}
}

func TestRequests(t *testing.T) {
	since := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	all := Message{Run: "0a-1b", State: Stopped, Since: since, Problems: entries()}
	const note = "No se envía nada.\nCorrija la contraseña.\n(log in as \"x\")\n"
	for name, c := range map[string]struct {
		way  Way
		step string
		tail string // behind the token
		want string
	}{
		"start":               {Ping, "start", "", "POST /x/s3cr3t-t0ken/start?rid=0a-1b text/plain; charset=utf-8\n"},
		"ok":                  {Ping, "", "", "POST /x/s3cr3t-t0ken?rid=0a-1b text/plain; charset=utf-8\n"},
		"fail":                {Ping, "fail", "", "POST /x/s3cr3t-t0ken/fail?rid=0a-1b text/plain; charset=utf-8\n" + note},
		"an end slash":        {Ping, "fail", "/", "POST /x/s3cr3t-t0ken/fail?rid=0a-1b text/plain; charset=utf-8\n" + note},
		"a query of its own":  {Ping, "start", "?create=1", "POST /x/s3cr3t-t0ken/start?create=1&rid=0a-1b text/plain; charset=utf-8\n"},
		"a test":              {Ping, "log", "", "POST /x/s3cr3t-t0ken/log?rid=0a-1b text/plain; charset=utf-8\ngondola alert test\n"},
		"the state as a post": {Post, "", "?k=v", "POST /x/s3cr3t-t0ken?k=v application/json\n" + postBody},
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = fmt.Sprintf("%s %s %s\n%s", r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"), body)
				_, _ = io.WriteString(w, "OK\n")
			}))
			defer server.Close()
			m := all
			m.Way, m.Step = c.way, c.step
			a, err := (&Client{Chain: "7d3f"}).Tell(t.Context(), Target{Way: m.Way, Address: server.URL + "/x/" + token + c.tail}, m)
			if err != nil || a != (Answer{Status: "200 OK", Text: "OK"}) {
				t.Errorf("answer %+v, %v", a, err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

const postBody = `{
  "chain": "7d3f",
  "state": "stopped",
  "since": "2026-11-26T12:00:00Z",
  "problems": [
    {
      "key": "server",
      "kind": "credentials",
      "text": "No se envía nada.",
      "do": "Corrija la contraseña.",
      "detail": "log in as \"x\"",
      "since": "2026-11-26T12:00:00Z"
    }
  ]
}
`

// TestServices are services as they are on a bad day. What is said of them helps, and shows nothing of the address.
func TestServices(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect to another host was followed") }))
	defer elsewhere.Close()
	for name, c := range map[string]struct {
		way    Way
		handle func(w http.ResponseWriter, r *http.Request)
		want   string // part of the error, "" for none
		answer string
	}{
		"broken": {Post, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, "no route to "+r.URL.Path+"\n\x00 try later")
		}, "it answered 500", "no route to … try later"},
		"unknown check":         {Ping, say("OK (not found)"), "took the ping for nothing: OK (not found)", "OK (not found)"},
		"a post answered in OK": {Post, say("OK (whatever)"), "", "OK (whatever)"},
		"redirects elsewhere": {Ping, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusTemporaryRedirect)
		}, "redirects elsewhere (307", ""},
		"redirects to itself": {Ping, func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.URL.Path, "/moved") {
				http.Redirect(w, r, "/moved"+r.URL.RequestURI(), http.StatusPermanentRedirect)
				return
			}
			say("moved here")(w, r)
		}, "", "moved here"},
		"a redirect that makes a GET of it": {Post, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/moved", http.StatusFound)
		}, "redirects elsewhere (302", ""},
		"redirects for ever": {Ping, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.RequestURI(), http.StatusTemporaryRedirect)
		}, "redirects elsewhere (307", ""},
		"talks for ever": {Post, func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, strings.Repeat("bla ", 1000)); err != nil {
					return
				}
			}
		}, "", strings.Repeat("bla ", 50) + "…"},
		"never answers":    {Ping, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "no answer within 300ms", ""},
		"answers in drops": {Ping, drip, "read its answer: no answer within 300ms", "x"},
		"hangs up":         {Post, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF", ""},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				c.handle(w, r)
			}))
			defer server.Close()
			began := time.Now()
			a, err := (&Client{Timeout: 300 * time.Millisecond}).Tell(t.Context(), Target{Way: c.way, Address: server.URL + "/x/" + token},
				Message{Way: c.way, Step: stepFail, Run: "r"})
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
			if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if !strings.HasPrefix(a.Text, c.answer) {
				t.Errorf("answer %q, want %q", a.Text, c.answer)
			}
			secret(t, server.URL, a, err)
		})
	}
}

func say(text string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

func drip(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, "x")
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

// secret fails the test where something shows a part of the address.
func secret(t *testing.T, address string, a Answer, err error) {
	t.Helper()
	text := fmt.Sprintf("%+v %v", a, err)
	for _, part := range []string{token, strings.TrimPrefix(address, "http://")} {
		if strings.Contains(text, part) {
			t.Errorf("the address shows: %s", text)
		}
	}
}

func TestDeadServices(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for name, c := range map[string]struct{ address, want string }{
		"nobody there":        {gone.URL + "/" + token, "connection refused"},
		"no such host":        {"http://no-such-host.invalid/" + token, "the name of its host is not found"},
		"no address":          {token, "is no address"},
		"not an address":      {"http://[::1/" + token, "is no address"},
		"another protocol":    {"ftp://localhost/" + token, "is no address"},
		"no TLS on the port":  {"https://" + plainPort(t) + "/" + token, "HTTP response to HTTPS client"},
		"a control character": {"http://localhost/" + token + "\x7f", "is no address"},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := (&Client{Timeout: 5 * time.Second}).Tell(t.Context(), Target{Way: Post, Address: c.address}, Message{Way: Post})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			secret(t, "http://no-such-host.invalid", a, err)
		})
	}
}

// plainPort returns the address of a server that speaks no TLS.
func plainPort(t *testing.T) string {
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// TestStop ends a message that is on its way.
func TestStop(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // a server hears of the end of a request that it has read
		<-r.Context().Done()
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	began := time.Now()
	if _, err := (&Client{}).Tell(ctx, Target{Way: Post, Address: server.URL}, Message{Way: Post}); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}
