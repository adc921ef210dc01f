package platform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Use says what a token is for. Static tokens are made in Partner Portal by use [doc]; those of OAuth are for all.
type Use string

// The uses.
const (
	UseCatalog    Use = "catalog"
	UsePromotions Use = "promotions"
	UseOrders     Use = "orders"
)

// OAuthLogin is a client that gets tokens by client credentials.
type OAuthLogin struct {
	ClientID string
	Secret   func() (string, error) // asked at every renewal, so that a changed secret is found without a restart
}

const (
	tokenPath = "/v2/oauth/token" //nolint:gosec // the path of tokens, none itself
	// usualLife is how long a token lives that does not say so [doc: 2 h].
	usualLife = 2 * time.Hour
	// renewBefore is how long before its end a token is renewed: longer than clocks of servers are apart, and than a request takes.
	renewBefore = 5 * time.Minute
	// firstTokenPause and lastTokenPause space out renewals that fail. More than 50 a minute are refused [partner], and a login that
	// is wrong does not become right by asking.
	firstTokenPause = 5 * time.Second
	lastTokenPause  = 5 * time.Minute
)

// tokens hands out bearer tokens: static ones as they are now, those of OAuth from memory, renewed before their end. Of many callers
// who need a new one, one renewal serves all.
type tokens struct {
	client *Client

	mu      sync.Mutex
	token   string
	renewAt time.Time
	renewal *renewal  // under way, else nil
	failed  error     // of the last renewal
	notAt   time.Time // after a failed renewal: none before
	pause   time.Duration
}

// renewal is one that is under way. Its results are written before done is closed.
type renewal struct {
	done  chan struct{}
	token string
	err   error
}

// get returns a token for a use.
func (t *tokens) get(ctx context.Context, use Use) (string, error) {
	c := t.client
	if c.cfg.OAuth == nil {
		if c.cfg.Token == nil {
			return "", fmt.Errorf("get token for %s: none is configured; write api.tokens.%s, or api.oauth", use, use)
		}
		token, err := c.cfg.Token(use)
		if err != nil {
			return "", fmt.Errorf("get token for %s: %w", use, err)
		}
		return checkToken(token)
	}
	t.mu.Lock()
	now := c.now()
	if t.token != "" && now.Before(t.renewAt) {
		defer t.mu.Unlock()
		return t.token, nil
	}
	r := t.renewal
	if r == nil {
		if now.Before(t.notAt) {
			defer t.mu.Unlock()
			return "", t.failed
		}
		r = &renewal{done: make(chan struct{})}
		t.renewal = r
		// It belongs to no caller: who stops waiting does not take it from the others.
		if !c.goes(func() { t.renew(r) }) {
			t.renewal = nil
			t.mu.Unlock()
			return "", errClosed
		}
	}
	t.mu.Unlock()
	select {
	case <-r.done:
		return r.token, r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// drop forgets a token that was refused. One that is newer stays.
func (t *tokens) drop(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token == token {
		t.token = ""
	}
}

// renew gets a new token for everybody who waits.
func (t *tokens) renew(r *renewal) {
	token, life, err := t.client.login()
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.client.now()
	if err != nil {
		t.pause = min(max(2*t.pause, firstTokenPause), lastTokenPause)
		if e, ok := errors.AsType[*APIError](err); ok && e.RetryAfter > t.pause {
			t.pause = min(e.RetryAfter, maxRetryAfter)
		}
		t.failed, t.notAt = err, now.Add(t.pause)
	} else {
		t.token, t.renewAt = token, now.Add(life-min(renewBefore, life/5))
		t.pause, t.failed = 0, nil
	}
	r.token, r.err = token, err
	t.renewal = nil
	close(r.done)
}

// login asks for a token once. It waits for no job or audit, whoever began it: orders need the token, too.
func (c *Client) login() (token string, life time.Duration, err error) {
	secret, err := c.cfg.OAuth.Secret()
	if err != nil {
		return "", 0, fmt.Errorf("get token: %w", err)
	}
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	if err := c.limiter.wait(ctx, PriorityOrders); err != nil {
		return "", 0, fmt.Errorf("get token: %w", err)
	}
	ctx, cancelTimeout := context.WithTimeout(ctx, c.timeout())
	defer cancelTimeout()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.cfg.OAuth.ClientID}, "client_secret": {secret}}
	ctx = c.counted(ctx, PriorityOrders)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base.String()+tokenPath, strings.NewReader(form.Encode()))
	if err != nil {
		return "", 0, fmt.Errorf("get token: %w", c.clean(err, secret))
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	resp, err := c.own.RoundTrip(req)
	if err != nil {
		return "", 0, fmt.Errorf("get token: %w", c.clean(err, secret))
	}
	defer func() { drain(resp.Body); _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		e := c.apiError(resp, tokenPath, secret)
		if resp.StatusCode == http.StatusTooManyRequests {
			c.slowDown(e)
		}
		return "", 0, fmt.Errorf("get token: %w%s", e, loginHint(resp.StatusCode))
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxTokenAnswer))
	if err != nil {
		return "", 0, fmt.Errorf("get token: read answer: %w", c.clean(err, secret))
	}
	return tokenOf(body)
}

// maxTokenAnswer is how long an answer with a token may be: those with many claims have a few kB.
const maxTokenAnswer = 64 << 10

// tokenOf reads the answer of the token's endpoint.
func tokenOf(body []byte) (string, time.Duration, error) {
	var o object
	if err := json.Unmarshal(body, &o); err != nil {
		return "", 0, errors.New("get token: the answer is no JSON; look at api.url")
	}
	token, err := checkToken(o.text("access_token"))
	if err != nil {
		return "", 0, errors.New("get token: the answer has no access_token that can be used; look at api.oauth and api.url")
	}
	life := usualLife
	if seconds, err := strconv.ParseFloat(o.text("expires_in"), 64); err == nil && seconds > 0 && seconds < 1e9 {
		life = time.Duration(seconds * float64(time.Second))
	}
	return token, life, nil
}

// checkToken returns a token that can stand in a header. The error does not show it.
func checkToken(token string) (string, error) {
	token = strings.TrimSpace(token)
	if token == "" {
		return "", errors.New("get token: it is empty; copy it from Partner Portal > Shops Integrations")
	}
	for i := range len(token) {
		if token[i] <= ' ' || token[i] > '~' {
			return "", errors.New("get token: it holds a blank or a character that no token has; copy it from Partner Portal once more")
		}
	}
	return token, nil
}

func loginHint(status int) string {
	if status == http.StatusUnauthorized || status == http.StatusBadRequest || status == http.StatusForbidden {
		return "; look at api.oauth"
	}
	return ""
}
