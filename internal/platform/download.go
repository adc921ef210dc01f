package platform

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	// maxDownload is how large a file may be. A catalogue of a million and a half articles has 100 MB.
	maxDownload = 1 << 30
	// maxHops is how many redirects a download follows, each looked at like the first address.
	maxHops = 4
)

// Download opens a file whose address the platform told. The token goes along only to the interface's own host; a foreign one must be
// https and a public address, which is looked at when the connection is made. It is not repeated: whoever reads it to its end, or not,
// knows best. A file that stops coming for longer than the timeout, or is larger than a gigabyte, ends with an error.
func (c *Client) Download(ctx context.Context, address string, use Use) (io.ReadCloser, error) {
	if c.baseErr != nil {
		return nil, c.baseErr
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("download: the address that the platform told is none")
	}
	for hop, again := 0, false; ; {
		resp, token, err := c.fetch(ctx, u, use)
		if err != nil {
			return nil, fmt.Errorf("download from %s: %w", u.Host, err)
		}
		switch status := resp.StatusCode; {
		case status == http.StatusOK:
			return resp.Body, nil
		case status == http.StatusUnauthorized && token != "" && !again:
			again = true
			c.tokens.drop(token)
			_ = resp.Body.Close()
			continue
		case status >= 300 && status < 400 && hop < maxHops:
			next, err := resp.Location()
			_ = resp.Body.Close()
			if err != nil {
				return nil, fmt.Errorf("download from %s: it sends elsewhere and does not say where", u.Host)
			}
			u = next
			hop++
			continue
		}
		// The path of a presigned address is not secret, its query is.
		e := c.apiError(resp, u.EscapedPath(), append(signatures(u), token)...)
		_ = resp.Body.Close()
		if e.Status == http.StatusTooManyRequests && token != "" {
			c.slowDown(e)
		}
		return nil, fmt.Errorf("download from %s: %w", u.Host, e)
	}
}

// fetch makes one request of a download. The body of the response watches itself, and ends the request when it is closed.
func (c *Client) fetch(ctx context.Context, u *url.URL, use Use) (_ *http.Response, token string, err error) {
	to := c.foreign
	if sameOrigin(u, c.base) {
		to = c.own
		if token, err = c.tokens.get(ctx, use); err != nil {
			return nil, "", err
		}
		if err := c.limiter.wait(ctx, PriorityJobs); err != nil {
			return nil, token, err
		}
		ctx = c.counted(ctx, PriorityJobs)
	} else if isLoopbackHost(c.base.Hostname()) && strings.EqualFold(u.Hostname(), c.base.Hostname()) && u.User == nil && u.Scheme == "http" {
		// A simulated platform on this machine, whose files lie at another port. No token goes there either.
		to = c.own
	} else if u.Scheme != "https" || u.Host == "" || u.User != nil {
		return nil, "", errors.New("nothing is fetched from there: the address is neither the platform's own nor a https one")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(c.ctx, func() { cancel(errClosed) })
	b := &watchedBody{end: func() { stop(); cancel(nil) }, timeout: c.timeout(), left: maxDownload}
	b.timer = time.AfterFunc(b.timeout, func() { cancel(errStalled) })
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		b.finish()
		return nil, token, errors.New("the address that the platform told is none")
	}
	req.Header.Set("User-Agent", userAgent)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := to.RoundTrip(req)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil && errors.Is(err, context.Canceled) {
			err = cause
		}
		b.finish()
		return nil, token, c.clean(err, token)
	}
	b.timer.Stop()
	b.body, b.cause = resp.Body, func() error { return context.Cause(ctx) }
	resp.Body = b
	return resp, token, nil
}

// signatures returns what may be one in an address.
func signatures(u *url.URL) []string {
	const shortest = 8 // of anything worth hiding
	var all []string
	for _, values := range u.Query() {
		for _, v := range values {
			if len(v) >= shortest {
				all = append(all, v)
			}
		}
	}
	return all
}

// errStalled says that a download stopped coming.
var errStalled = errors.New("nothing came for longer than api.timeout")

// watchedBody is a body that is given up when nothing comes for a while, or too much.
type watchedBody struct {
	body    io.ReadCloser
	timeout time.Duration
	timer   *time.Timer
	left    int64
	cause   func() error // why the request was ended
	end     func()
	once    sync.Once
}

// Read implements io.Reader.
func (b *watchedBody) Read(p []byte) (int, error) {
	b.timer.Reset(b.timeout)
	n, err := b.body.Read(p)
	b.timer.Stop() // what the reader does meanwhile is its own time
	b.left -= int64(n)
	if b.left < 0 {
		return n, fmt.Errorf("the file is larger than %d bytes", maxDownload)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		if cause := b.cause(); cause != nil {
			err = cause
		}
	}
	return n, err
}

// Close implements io.Closer.
func (b *watchedBody) Close() error {
	err := b.body.Close()
	b.finish()
	return err
}

func (b *watchedBody) finish() {
	b.once.Do(func() {
		b.timer.Stop()
		b.end()
	})
}
