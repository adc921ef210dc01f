package inbox

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// secretsFor is how long secrets are believed to be what they were: a change works within it, and a burst does not read a file for
// every call.
const secretsFor = time.Second

// callers knows who may call.
type callers struct {
	secrets []func() (string, error)
	now     func() time.Time

	mu     sync.Mutex
	at     time.Time // when they were read; guarded by mu, as what follows
	valid  []secret
	unread error // of a secret that can't be read now
}

// secret is a valid secret and its digest.
type secret struct {
	digest [sha256.Size]byte
	text   []byte
}

// check returns the secret that an Authorization header shows, nil where it shows none, and what keeps other secrets from being read.
// The time it takes depends on the header and on the number of secrets, not on what they are.
func (c *callers) check(headers []string) (found []byte, unread error) {
	valid, unread := c.read()
	if len(headers) != 1 {
		return nil, unread
	}
	for _, shown := range shows(headers[0]) {
		digest := sha256.Sum256([]byte(shown))
		for _, s := range valid {
			// Digests have one length and no order that tells of the secret.
			if subtle.ConstantTimeCompare(digest[:], s.digest[:]) == 1 {
				found = s.text
			}
		}
	}
	return found, unread
}

// shows returns what may be the secret in a header: all of it [doc], what follows Bearer [partner], and what Basic encodes [doc], in
// whatever form it was written into the config. Letters beyond ASCII come as UTF-8 or, from some languages' libraries, as Latin-1; as
// which the platform sends them is [unknown].
func shows(header string) []string {
	all := []string{header}
	scheme, rest, _ := strings.Cut(header, " ")
	rest = strings.TrimSpace(rest)
	switch {
	case rest == "":
	case strings.EqualFold(scheme, "Bearer"):
		all = append(all, rest)
	case strings.EqualFold(scheme, "Basic"):
		all = append(all, rest)
		if text, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(rest, "=")); err == nil {
			all = append(all, string(text))
		}
	}
	for _, text := range all {
		if !utf8.ValidString(text) {
			all = append(all, fromLatin1(text))
		}
	}
	return all
}

func fromLatin1(text string) string {
	runes := make([]rune, len(text))
	for i := range len(text) {
		runes[i] = rune(text[i])
	}
	return string(runes)
}

// read returns the secrets as they are now.
func (c *callers) read() ([]secret, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if age := now.Sub(c.at); !c.at.IsZero() && age >= 0 && age < secretsFor {
		return c.valid, c.unread
	}
	c.at, c.valid, c.unread = now, nil, nil
	for _, ask := range c.secrets {
		text, err := ask()
		if err != nil {
			c.unread = err
			continue
		}
		if text != "" {
			c.valid = append(c.valid, secret{sha256.Sum256([]byte(text)), []byte(text)})
		}
	}
	return c.valid, c.unread
}

// remoteOf returns the address that a call comes from. What a proxy says of it is believed only where the proxy is trusted.
func remoteOf(r *http.Request, trusted []netip.Prefix) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	at := peer.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	// Each proxy adds behind the others' whom it was called by, so the truth ends where the first untrusted one is met.
	for i := len(hops) - 1; i >= 0 && isTrusted(at, trusted); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		at = next.Unmap()
	}
	return at.WithZone("").String()
}

func isTrusted(a netip.Addr, trusted []netip.Prefix) bool {
	for _, p := range trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
