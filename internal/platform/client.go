package platform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"time"
)

const userAgent = "gondola"

// The limits of one request.
const (
	// DefaultTimeout is how long one request may take: a list of 500 orders takes seconds.
	DefaultTimeout = 30 * time.Second
	// maxAnswer is how many bytes an answer may have. 500 orders have 3 MB, what is said of a job with many refused articles more.
	maxAnswer = 64 << 20
	// attempts is how often a request is made before its error is told. Whoever asked comes again later.
	attempts = 4
	// firstDelay and lastDelay space them out: a random time up to a limit that doubles.
	firstDelay = time.Second
	lastDelay  = 20 * time.Second
	// maxDelay is how long a request waits for itself because the platform asks for it. For longer the error is the answer, and says how long.
	maxDelay = time.Minute
	// defaultPause is how long nothing is asked after a 429 that does not say how long [assumed: the limit is counted by the minute,
	// and a quarter of it makes room]. It doubles with every further 429, up to longestPause.
	defaultPause = 15 * time.Second
	longestPause = 4 * time.Minute
)

// ClientConfig is what a [Client] needs. Only BaseURL, Chain and one of Token and OAuth are needed.
type ClientConfig struct {
	BaseURL string // see [Brand.API]; https, or http on this machine
	Chain   string // its id
	// Token returns the static token for a use. It is asked for every request, so that a changed one is found without a restart.
	Token func(Use) (string, error)
	OAuth *OAuthLogin // instead of Token

	PerMinute int           // requests, all together; default DefaultPerMinute
	Timeout   time.Duration // of one request; default DefaultTimeout
	Pause     time.Duration // after a 429 without Retry-After; default 15s

	// Forms are the forms of paths that were found to work earlier; FormsFound is told when that changes, and must not block.
	Forms      Forms
	FormsFound func(Forms)

	Now       func() time.Time  // for ends of tokens and dates of answers; default time.Now
	Log       *slog.Logger      // default discarded
	Transport http.RoundTripper // for tests: to the interface itself and, unguarded, to where downloads lie
}

// Client talks to the platform's REST interface. Its methods may be called by many at once; all of them share one limiter, repeat what
// may be repeated, and wait when the platform asks for it. An error that the platform gave is an [*APIError].
type Client struct {
	cfg     ClientConfig
	base    *url.URL
	baseErr error
	log     *slog.Logger
	limiter *limiter
	tokens  tokens
	own     http.RoundTripper // to the interface
	foreign http.RoundTripper // to where downloads lie; neither follows a redirect by itself: a token would go along

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	life   sync.Mutex // guards closed, and that nothing is added to going behind it
	closed bool
	going  sync.WaitGroup

	mu     sync.Mutex // guards the rest
	forms  Forms
	refuse int // 429s one after the other
}

// NewClient returns a client. A base URL that can't be used is told by every call. Close it after its last use.
func NewClient(cfg ClientConfig) *Client {
	c := &Client{cfg: cfg, log: cfg.Log, limiter: newLimiter(cfg.PerMinute), forms: cfg.Forms}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.base, c.baseErr = parseBase(cfg.BaseURL); c.baseErr != nil {
		c.base = &url.URL{}
	}
	c.tokens.client = c
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if c.own, c.foreign = cfg.Transport, cfg.Transport; cfg.Transport == nil {
		c.own, c.foreign = newTransport(c.timeout(), false), newTransport(c.timeout(), true)
	}
	return c
}

// Close ends all that is under way and waits for it.
func (c *Client) Close() error {
	c.life.Lock()
	c.closed = true
	c.life.Unlock()
	c.cancel()
	c.limiter.close()
	c.going.Wait()
	for _, t := range []http.RoundTripper{c.own, c.foreign} {
		if t, ok := t.(interface{ CloseIdleConnections() }); ok {
			t.CloseIdleConnections()
		}
	}
	return nil
}

// goes runs fn beside the caller, for Close to wait for. It reports false when the client is closed.
func (c *Client) goes(fn func()) bool {
	c.life.Lock()
	defer c.life.Unlock()
	if c.closed {
		return false
	}
	c.going.Go(fn)
	return true
}

func (c *Client) now() time.Time {
	if c.cfg.Now != nil {
		return c.cfg.Now()
	}
	return time.Now()
}

func (c *Client) timeout() time.Duration {
	if c.cfg.Timeout > 0 {
		return c.cfg.Timeout
	}
	return DefaultTimeout
}

// SweepTime returns how long n requests take when nothing else is asked for.
func (c *Client) SweepTime(n int) time.Duration { return SweepTime(c.cfg.PerMinute, n) }

// PausedFor returns how long nothing is asked from now on, because the platform wants a pause.
func (c *Client) PausedFor() time.Duration { return c.limiter.pausedFor() }

// request is a call of the interface.
type request struct {
	use      Use
	priority Priority
	method   string
	path     string // with its parts escaped
	query    url.Values
	body     []byte
	most     int64 // bytes of the answer
}

// do makes a request until it succeeds, can't succeed, or has been tried often enough, and returns the body of a 2xx answer, which is
// JSON or empty.
//
// Repeating is safe for all that we ask: reading changes nothing; a catalogue update sets values, so the second one finds them set; a
// promotion is known by what it says, so the second one is the same or answers DUPLICATE [partner]; an export is only made once more.
// So a request whose answer was lost is made again, too.
func (c *Client) do(ctx context.Context, r request) ([]byte, error) {
	if c.baseErr != nil {
		return nil, c.baseErr
	}
	var last string
	for attempt, again := 1, false; ; attempt++ {
		body, token, err := c.once(ctx, r)
		if err == nil {
			return body, nil
		}
		if ctx.Err() != nil || errors.Is(err, errClosed) {
			return nil, err
		}
		var delay time.Duration
		switch e, isAnswer := errors.AsType[*APIError](err); {
		case token == "": // there is none to ask with; the renewal has its own back-off
			return nil, err
		case isAnswer && e.Status == http.StatusUnauthorized:
			if again {
				return nil, err
			}
			again = true
			c.tokens.drop(token)
			attempt-- // it is no sign that the platform can't
			continue
		case isAnswer && e.Status == http.StatusTooManyRequests:
			c.slowDown(e) // and the limiter makes everybody wait
			delay = e.RetryAfter
		case isAnswer && !e.Temporary():
			return nil, err
		case isAnswer && e.RetryAfter > 0:
			delay = e.RetryAfter
		default:
			delay = jitter(attempt)
		}
		if attempt >= attempts || delay > maxDelay {
			return nil, err
		}
		if text := err.Error(); text != last {
			last = text
			c.log.Debug("request is made once more", "method", r.method, "path", r.path, "err", text)
		}
		if err := c.sleep(ctx, delay); err != nil {
			return nil, err
		}
	}
}

// jitter returns how long to wait after some attempts: the randomness covers the whole span, so that callers do not come back in step.
func jitter(attempt int) time.Duration {
	ceiling := min(firstDelay<<(attempt-1), lastDelay)
	return time.Duration(rand.Int64N(int64(ceiling)) + 1) //nolint:gosec // no secret
}

// sleep waits for a time, or returns why not.
func (c *Client) sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-c.ctx.Done():
		return errClosed
	}
}

// slowDown makes all callers wait, because the platform wants fewer requests. What was under way when the first one was refused may be
// refused beside it: that is no further refusal.
func (c *Client) slowDown(e *APIError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.limiter.pausedFor() == 0 {
		c.refuse++
	}
	pause := e.RetryAfter
	if pause == 0 {
		if pause = c.cfg.Pause; pause == 0 {
			pause = defaultPause
		}
		for n := 1; n < c.refuse && pause < longestPause; n++ {
			pause *= 2
		}
	}
	c.limiter.pause(pause)
	c.log.Warn("the platform wants fewer requests", "pause", pause, "asked", e.RetryAfter > 0)
}

// once makes a request one time. The token is returned with it, "" when there was none.
func (c *Client) once(ctx context.Context, r request) (_ []byte, token string, err error) {
	if token, err = c.tokens.get(ctx, r.use); err != nil {
		return nil, "", err
	}
	if err := c.limiter.wait(ctx, r.priority); err != nil {
		return nil, token, err
	}
	ctx, cancel := c.bound(ctx)
	defer cancel()
	address := c.base.String() + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(c.counted(ctx, r.priority), r.method, address, bytes.NewReader(r.body))
	if err != nil {
		return nil, token, fmt.Errorf("%s %s: %w", r.method, r.path, c.clean(err, token))
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.own.RoundTrip(req)
	if err != nil {
		return nil, token, fmt.Errorf("%s %s: %w", r.method, r.path, c.clean(err, token))
	}
	defer func() { drain(resp.Body); _ = resp.Body.Close() }()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		e := c.apiError(resp, r.path, token)
		e.private = r.use == UseOrders
		return nil, token, e
	}
	c.mu.Lock()
	c.refuse = 0
	c.mu.Unlock()
	body, err := readAnswer(resp.Body, r.most)
	if err != nil {
		return nil, token, fmt.Errorf("%s %s: read answer: %w", r.method, r.path, c.clean(err, token))
	}
	return body, token, nil
}

// counted has every try at a request wait for the limiter, but for the first one, which has. A connection that was kept may be dead,
// and then the transport sends a request again by itself.
func (c *Client) counted(ctx context.Context, p Priority) context.Context {
	first := true
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GetConn: func(string) {
		if !first {
			_ = c.limiter.wait(ctx, p) // what ends the wait ends the request
		}
		first = false
	}})
}

// bound gives one request its time, and ends it with the client.
func (c *Client) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout())
	stop := context.AfterFunc(c.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// readAnswer reads a body that is JSON or empty. What ends in the middle is an error, so that it is asked for again.
func readAnswer(r io.Reader, most int64) ([]byte, error) {
	if most == 0 {
		most = maxAnswer
	}
	body, err := io.ReadAll(io.LimitReader(r, most+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(body)) > most:
		return nil, fmt.Errorf("more than %d bytes", most)
	case len(bytes.TrimSpace(body)) > 0 && !json.Valid(body):
		return nil, errors.New("no whole JSON")
	}
	return body, nil
}
