package platform

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// oauthServer hands out tokens t1, t2 … and takes only the newest one.
type oauthServer struct {
	logins, calls atomic.Int32
	refuse        atomic.Bool
}

// ServeHTTP implements http.Handler.
func (s *oauthServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != tokenPath {
		s.calls.Add(1)
		if r.Header.Get("Authorization") != fmt.Sprintf("Bearer t%d", s.logins.Load()) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, `{"job_id":"j"}`)
		return
	}
	if s.refuse.Load() {
		s.logins.Add(1)
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"invalid_client"}`)
		return
	}
	time.Sleep(50 * time.Millisecond) // so that many come meanwhile
	if r.Method != http.MethodPost || r.FormValue("grant_type") != "client_credentials" || r.FormValue("client_id") != "delta" ||
		r.FormValue("client_secret") != "hush" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	_, _ = fmt.Fprintf(w, `{"access_token":"t%d","token_type":"Bearer","expires_in":7200}`, s.logins.Add(1))
}

// newOAuthClient returns a client whose clock is moved by hand.
func newOAuthClient(t *testing.T, s *oauthServer, now *atomic.Int64) *Client {
	t.Helper()
	start := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	return newTestClient(t, serve(t, s.ServeHTTP), func(cfg *ClientConfig) {
		cfg.Token = nil
		cfg.OAuth = &OAuthLogin{ClientID: "delta", Secret: func() (string, error) { return "hush", nil }}
		cfg.Now = func() time.Time { return start.Add(time.Duration(now.Load())) }
	})
}

func TestOneRenewalForMany(t *testing.T) {
	var s oauthServer
	var now atomic.Int64
	c := newOAuthClient(t, &s, &now)
	many := func(want int32) {
		t.Helper()
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if _, err := c.CatalogJob(t.Context(), "j"); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got := s.logins.Load(); got != want {
			t.Errorf("%d renewals, want %d", got, want)
		}
	}
	many(1)
	many(1)
	now.Store(int64(2*time.Hour - renewBefore)) // before its end, which the server does not know
	many(2)
	s.logins.Add(1) // revoked: 20 are refused
	many(4)
}

// TestRefusedLoginIsNotHammered looks that a login which is refused is tried at most as often as the back-off says.
func TestRefusedLoginIsNotHammered(t *testing.T) {
	var s oauthServer
	var now atomic.Int64
	s.refuse.Store(true)
	c := newOAuthClient(t, &s, &now)
	for range 600 { // ten minutes, once a second
		_, err := c.CatalogJob(t.Context(), "j")
		if e, ok := errors.AsType[*APIError](err); !ok || e.Status != 401 || !strings.Contains(err.Error(), "api.oauth") {
			t.Fatal(err)
		}
		now.Add(int64(time.Second))
	}
	if got := s.logins.Load(); got < 4 || got > 9 {
		t.Errorf("%d logins in ten minutes", got)
	}
	s.refuse.Store(false)
	now.Add(int64(lastTokenPause))
	if _, err := c.CatalogJob(t.Context(), "j"); err != nil {
		t.Error(err)
	}
	if s.calls.Load() != 1 {
		t.Errorf("%d calls without a token", s.calls.Load()-1)
	}
}

func TestStaticTokenIsReadAtEachNeed(t *testing.T) {
	token := "old"
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer new" {
			token = "new" // changed by somebody between the refusal and the next try
			w.WriteHeader(401)
		}
		_, _ = io.WriteString(w, `{"job_id":"j"}`)
	})
	c := newTestClient(t, s, func(cfg *ClientConfig) { cfg.Token = func(Use) (string, error) { return token, nil } })
	if _, err := c.CatalogJob(t.Context(), "j"); err != nil {
		t.Error(err)
	}
}

func TestTokenAnswers(t *testing.T) {
	for answer, want := range map[string]string{
		`{"access_token":"a","expires_in":"60"}`: "a 1m0s <nil>",
		`{"access_token":"a"}`:                   "a 2h0m0s <nil>",
		`{"access_token":"a","expires_in":-1}`:   "a 2h0m0s <nil>",
		`{"access_token":"a b"}`:                 " 0s get token: the answer has no access_token that can be used; look at api.oauth and api.url",
		`{"access_token":"a\r\nX: y"}`:           " 0s get token: the answer has no access_token that can be used; look at api.oauth and api.url",
		`{}`:                                     " 0s get token: the answer has no access_token that can be used; look at api.oauth and api.url",
		`<html>`:                                 " 0s get token: the answer is no JSON; look at api.url",
	} {
		token, life, err := tokenOf([]byte(answer))
		if got := fmt.Sprint(token, " ", life, " ", err); got != want {
			t.Errorf("%s: %s\nwant %s", answer, got, want)
		}
	}
}
