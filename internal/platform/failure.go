package platform

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// ErrNotFound says that the platform does not know what was asked for.
var ErrNotFound = errors.New("the platform does not know it")

const (
	maxErrorBody = 2 << 10 // of an answer, that an error keeps
	maxErrorText = 200     // of it, that the error's text shows
	// maxRetryAfter is how long a pause that the platform asks for may be. A longer one is a mistake, or not meant for us.
	maxRetryAfter = 15 * time.Minute
)

// APIError is an answer that is none: the platform refused, or can't now.
type APIError struct {
	Status       int
	Method, Path string
	// Body is the first 2 KiB of the answer. It is in the error's text only in part, and not at all where it may hold a customer's data.
	Body       string
	RetryAfter time.Duration // as asked for, 0 = not at all

	private bool // the body may hold a customer's data
}

// Error implements error. It says what to do where that is known.
func (e *APIError) Error() string {
	text := fmt.Sprintf("%s %s: %d %s", e.Method, e.Path, e.Status, http.StatusText(e.Status))
	if body := shorten(e.Body); body != "" && !e.private {
		text += ": " + body
	}
	switch e.Status {
	case http.StatusUnauthorized:
		text += "; look at the token under api: it was refused"
	case http.StatusForbidden:
		text += "; the token is not for this, or this address is blocked: ask the platform"
	case http.StatusTooManyRequests:
		text += "; more requests than the platform takes: look who else uses this address, or lower api.per_minute"
	}
	if e.Status >= 300 && e.Status < 400 {
		text += "; it sends elsewhere, where no token is sent: correct api.url"
	}
	return text
}

// Is makes a 404 an [ErrNotFound].
func (e *APIError) Is(target error) bool {
	return target == ErrNotFound && e.Status == http.StatusNotFound
}

// Temporary reports whether the same request may succeed later. What the platform says about the request itself stays so.
func (e *APIError) Temporary() bool {
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusUnauthorized:
		// A refused token is mended outside, and then the request is good.
		return true
	}
	return e.Status >= 500 && e.Status != http.StatusNotImplemented
}

// shorten makes the beginning of a body fit for one line.
func shorten(body string) string {
	body = strings.Join(strings.FieldsFunc(body, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if len(body) > maxErrorText {
		body = strings.ToValidUTF8(body[:maxErrorText], "") + "…"
	}
	return body
}

// apiError reads what went wrong. Secrets that the platform repeats are taken out.
func (c *Client) apiError(resp *http.Response, path string, secrets ...string) *APIError {
	now := c.now()
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		now = date // the platform's clock may be another one
	}
	// A body that ends early is no other error than the one it tells of.
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	return &APIError{
		Status: resp.StatusCode, Method: resp.Request.Method, Path: path,
		Body: redact(strings.ToValidUTF8(string(body), "\ufffd"), secrets...), RetryAfter: retryAfter(resp.Header.Get("Retry-After"), now),
	}
}

// redact takes secrets out of a text, also when it ends within one.
func redact(text string, secrets ...string) string {
	for _, s := range secrets {
		if s == "" {
			continue
		}
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s)} {
			text = strings.ReplaceAll(text, form, "<secret>")
		}
		for n := min(len(s)-1, len(text)); n >= minSecretPart; n-- {
			if strings.HasSuffix(text, s[:n]) {
				text = text[:len(text)-n] + "<secret>"
				break
			}
		}
	}
	return text
}

// minSecretPart is how much of a secret at the end of a cut text is worth hiding.
const minSecretPart = 4

// cleanError is an error whose text had a secret in it. What it was can still be asked.
type cleanError struct {
	text string
	err  error
}

// Error implements error.
func (e *cleanError) Error() string { return e.text }

// Unwrap returns the error itself.
func (e *cleanError) Unwrap() error { return e.err }

// clean makes an error of the transport fit to be shown: without the query of an address, which may hold a signature, and without secrets.
func (c *Client) clean(err error, secrets ...string) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	text := err.Error()
	if safe := redact(text, secrets...); safe != text {
		return &cleanError{safe, err}
	}
	return err
}

// retryAfter reads the header: seconds, or a date. 0 is none.
func retryAfter(text string, now time.Time) time.Duration {
	text = strings.TrimSpace(text)
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		if !(seconds > 0) { // also what is not a number
			return 0
		}
		return time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second))
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

// drain reads what little is left of a body, so that the connection can be used again.
func drain(body io.Reader) { _, _ = io.CopyN(io.Discard, body, maxErrorBody) }
