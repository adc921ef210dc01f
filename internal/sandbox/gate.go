package sandbox

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"strings"
	"sync"
	"time"
)

// loginsPerMinute is how many tokens an address may ask for in a minute; known from partners.
const loginsPerMinute = 50

// gate knows who may come in: tokens, and how often an address may ask.
type gate struct {
	opts *Options

	mu     sync.Mutex
	issued map[string]time.Time   // token -> its end; guarded by mu
	asked  map[string][]time.Time // address -> its requests of the last minute; guarded by mu
	until  map[string]time.Time   // address -> the end of its block; guarded by mu
	logins []time.Time            // of the last minute; guarded by mu
}

func newGate(o *Options) *gate {
	return &gate{opts: o, issued: map[string]time.Time{}, asked: map[string][]time.Time{}, until: map[string]time.Time{}}
}

// banned counts a request and reports whether its address is blocked, or is so from now on.
func (g *gate) banned(address string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.opts.Now()
	if end, ok := g.until[address]; ok && now.Before(end) {
		return true
	}
	recent := append(lastMinute(g.asked[address], now), now)
	g.asked[address] = recent
	if len(recent) <= g.opts.API.PerMinute {
		return false
	}
	g.until[address], g.asked[address] = now.Add(g.opts.API.BanFor), nil
	g.opts.Log.Warn("address is blocked: too many requests in a minute", "address", address, "for", g.opts.API.BanFor)
	return true
}

// lastMinute keeps the times that are less than a minute ago.
func lastMinute(times []time.Time, now time.Time) []time.Time {
	for len(times) > 0 && now.Sub(times[0]) >= time.Minute {
		times = times[1:]
	}
	return times
}

// use returns what the token in Authorization is for; "" where there is none that is good.
func (g *gate) use(header string) use {
	token, ok := strings.CutPrefix(header, "Bearer ")
	if !ok {
		return ""
	}
	if named := g.opts.API.Tokens.of(token); named != "" {
		return named
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if end, ok := g.issued[token]; ok && g.opts.Now().Before(end) {
		return useClient
	}
	return ""
}

// issue makes a token.
func (g *gate) issue() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	token := rand.Text()
	g.issued[token] = g.opts.Now().Add(g.opts.API.TokenTTL)
	return token
}

// mayLogin counts a login, and reports whether it is not one too many.
func (g *gate) mayLogin() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.opts.Now()
	g.logins = append(lastMinute(g.logins, now), now)
	return len(g.logins) <= loginsPerMinute
}

// expire ends all tokens that were issued.
func (g *gate) expire() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.issued)
}

// pardon forgets who is blocked.
func (g *gate) pardon() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.until)
	clear(g.asked)
}

// login answers the request for a token by client credentials. The client's id and secret may come in the form, as documented, or as
// Basic authorization, as OAuth 2.0 has it.
func (r *rest) login(c *call) answer {
	if !r.gate.mayLogin() {
		return r.refuse(http.StatusTooManyRequests, "TOO_MANY_REQUESTS", "too many tokens asked for")
	}
	if err := c.ParseForm(); err != nil {
		return r.invalid("malformed form")
	}
	id, secret, basic := c.BasicAuth()
	if !basic {
		id, secret = c.PostForm.Get("client_id"), c.PostForm.Get("client_secret")
	}
	want := r.opts.API
	switch {
	case c.PostForm.Get("grant_type") != "client_credentials":
		return reply(http.StatusBadRequest, map[string]string{"error": "unsupported_grant_type"})
	case want.ClientID == "" || id != want.ClientID || subtle.ConstantTimeCompare([]byte(secret), []byte(want.ClientSecret)) == 0:
		return reply(http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
	}
	return reply(http.StatusOK, struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int    `json:"expires_in"`
	}{r.gate.issue(), "Bearer", int(r.opts.API.TokenTTL / time.Second)})
}
