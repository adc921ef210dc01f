package alert

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"
)

// The limits of one message.
const (
	// DefaultTimeout is how long one message may take, from the name's look-up to the last byte of the answer.
	DefaultTimeout = 10 * time.Second
	maxAnswer      = 2 << 10
	maxNote        = 4 << 10 // of a ping's text: services keep 10 kB and more
	maxRedirects   = 3
)

// Client tells targets. Fill in the fields; it may be used by several goroutines.
type Client struct {
	Chain     string        // id of the chain, said in every post
	Say       Say           // the words of messages that people read
	UserAgent string        // optional: gondola
	Timeout   time.Duration // optional: DefaultTimeout, for mail 30 s

	roots *x509.CertPool // of mail servers; nil = those of this machine
}

// TooMany is the error of a service that wants to be left alone for a while.
type TooMany struct {
	Wait time.Duration
	Text string
}

// Error implements error.
func (e *TooMany) Error() string { return e.Text }

// Answer is what came back, fit to be shown: the address is not in it.
type Answer struct {
	Status string // such as 200 OK
	Text   string // the beginning of the body, in one line
	Note   string // what went otherwise than the config says although the message was taken, and what to do; "" = nothing
}

// Tell sends a message to a target. The error, which contains neither address nor password, says what to do where that is known; it is a
// *TooMany where the service says when to come again.
func (c *Client) Tell(ctx context.Context, t Target, m Message) (Answer, error) {
	if t.Way == Mail {
		return c.mail(ctx, t.Mail, m)
	}
	timeout := cmp.Or(c.Timeout, DefaultTimeout)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	own, note := c.own(t, m)
	req, secret, err := c.request(ctx, t, m, own)
	if err != nil {
		return Answer{}, err
	}
	// A connection of its own for every message: they are hours apart.
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true
	defer transport.CloseIdleConnections()
	res, err := (&http.Client{Transport: transport, CheckRedirect: sameHost}).Do(req)
	if err != nil {
		return Answer{}, errors.New(secret.clean(reason(ctx, err, timeout)))
	}
	defer res.Body.Close() //nolint:errcheck // only read
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	a := Answer{Status: res.Status, Text: secret.clean(line(string(body))), Note: note}
	switch {
	case res.StatusCode >= 300 && res.StatusCode < 400:
		return a, fmt.Errorf("it redirects elsewhere (%s), which is not followed; put the address that it leads to in its place", res.Status)
	case res.StatusCode == http.StatusTooManyRequests:
		return a, &TooMany{Wait: waitOf(res.Header, body), Text: secret.clean(fmt.Sprintf("it answered %s: too much is said to it", res.Status))}
	case res.StatusCode < 200 || res.StatusCode > 299:
		return a, errors.New(secret.clean(refusal(t, res.Status, a.Text)))
	case err != nil:
		return a, errors.New(secret.clean("read its answer: " + reason(ctx, err, timeout)))
	}
	return a, accepted(t, a.Text, body)
}

// request makes the request for a message. own is what the target's template makes of it, "" for our words.
func (c *Client) request(ctx context.Context, t Target, m Message, own string) (*http.Request, scrubber, error) {
	u, err := url.Parse(t.Address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, scrubber{}, errors.New("what the config refers to is no address; put the whole address there, from https:// on")
	}
	secret := newScrubber(u)
	text, kind := m.note(), "text/plain; charset=utf-8"
	if t.Way == Ping {
		if m.Step != "" {
			u = u.JoinPath(m.Step)
		}
		q := u.Query()
		q.Set("rid", m.Run)
		u.RawQuery = q.Encode()
	} else {
		text, kind, u = c.body(t, m, own, u)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(text))
	if err != nil {
		return nil, secret, errors.New("what the config refers to is no address; put the whole address there, from https:// on")
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("User-Agent", cmp.Or(c.UserAgent, "gondola"))
	return req, newScrubber(u).and(secret), nil
}

// note is the text that goes with a ping.
func (m Message) note() []byte {
	var b strings.Builder
	switch m.Step {
	case stepFail:
		for _, e := range m.Problems {
			fmt.Fprintf(&b, "%s\n%s\n", e.Text, e.Do)
			if e.Detail != "" {
				fmt.Fprintf(&b, "(%s)\n", e.Detail)
			}
		}
	case stepLog:
		b.WriteString("gondola alert test\n")
	}
	return []byte(strings.ToValidUTF8(b.String()[:min(b.Len(), maxNote)], ""))
}

// sameHost follows a redirect only to where the message was meant for, as what it was: what is said here is for one service, and a
// POST that becomes a GET says nothing.
func sameHost(req *http.Request, via []*http.Request) error {
	first := via[0]
	downgraded := first.URL.Scheme == "https" && req.URL.Scheme != "https"
	if len(via) > maxRedirects || req.URL.Host != first.URL.Host || req.Method != first.Method || downgraded {
		return http.ErrUseLastResponse
	}
	return nil
}

// reason says why no answer came. The library's errors begin with the address.
func reason(ctx context.Context, err error, timeout time.Duration) string {
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "the name of its host is not found; check the address and the network"
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Sprintf("no answer within %s", timeout)
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return "nobody answers at its port (connection refused)"
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		err = op.Err
	}
	return err.Error()
}

// scrubber removes an address, and each part of it that could give it away, from what others say.
type scrubber struct{ parts []string }

// shortest is how long a part of a path must be to be a secret; shorter ones occur in any text.
const shortest = 4

// openParts are parts of paths that are no secret: what we add to them, and words of the services' own addresses.
var openParts = []string{"/" + stepStart, stepStart, stepFail, sendMessage, "hooks", "services", "api", "webhooks"}

func newScrubber(u *url.URL) scrubber {
	parts := []string{u.String(), u.Host, u.Hostname(), u.RequestURI(), u.Path}
	parts = append(parts, strings.Split(u.Path, "/")...)
	parts = append(parts, strings.Split(u.EscapedPath(), "/")...)
	for key, values := range u.Query() {
		if key != "rid" {
			parts = append(parts, values...)
		}
	}
	if password, ok := u.User.Password(); ok {
		parts = append(parts, password)
	}
	parts = slices.DeleteFunc(parts, func(p string) bool { return len(p) < shortest || slices.Contains(openParts, p) })
	slices.SortFunc(parts, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return scrubber{parts}
}

// and returns a scrubber that removes what either removes.
func (s scrubber) and(other scrubber) scrubber {
	parts := append(slices.Clone(s.parts), other.parts...)
	slices.SortFunc(parts, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return scrubber{slices.Compact(parts)}
}

func (s scrubber) clean(text string) string {
	for _, p := range s.parts {
		text = strings.ReplaceAll(text, p, "…")
	}
	return text
}

// line returns text as one line of moderate length.
func line(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	text = strings.Join(strings.Fields(text), " ")
	const most = 200
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return text
}
