package platform

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// errInside says that an address from outside leads inside.
var errInside = errors.New("the address leads to this machine or into a private network; nothing is fetched from there")

// global is where all servers of the internet with an IPv6 address are; the rest is reserved, or means an IPv4 address in another way.
var global = netip.MustParsePrefix("2000::/3")

// reserved are networks that no server in the internet has and that [netip.Addr]'s own questions do not cover.
var reserved = [...]netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // carriers' own
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), // examples, as four more
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("3fff::/20"),
	netip.MustParsePrefix("192.88.99.0/24"), // the way into 6to4
	netip.MustParsePrefix("198.18.0.0/15"),  // benchmarks
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("2001::/23"), // protocols' own, such as Teredo, which means an IPv4 address
	netip.MustParsePrefix("2002::/16"), // 6to4: as above
}

// isPublic reports whether an address can be that of a server in the internet.
func isPublic(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsValid() || !a.IsGlobalUnicast() || a.IsPrivate() || a.Is6() && !global.Contains(a) {
		return false
	}
	for _, p := range reserved {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// guardDial is asked for every connection, after the name was resolved and before anything is sent: a name that means another address
// the second time it is looked up gains nothing.
func guardDial(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !isPublic(to.Addr()) {
		return errInside
	}
	return nil
}

// newTransport returns a transport whose connections are kept for a while, and with a guard only lead to public addresses.
func newTransport(timeout time.Duration, guarded bool) *http.Transport {
	dialer := &net.Dialer{Timeout: min(timeout, 15*time.Second), KeepAlive: 30 * time.Second}
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
		MaxIdleConns: 4, MaxIdleConnsPerHost: 4, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: min(timeout, 15*time.Second),
		ResponseHeaderTimeout: timeout, MaxResponseHeaderBytes: 64 << 10,
	}
	if guarded {
		// Through a proxy it would be the proxy that resolves the name and connects, and nobody could look at the address.
		t.Proxy = nil
		dialer.ControlContext = guardDial
	}
	return t
}

// isLoopbackHost reports whether a host is this machine by its name alone.
func isLoopbackHost(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.Unmap().IsLoopback()
}

// parseBase reads the address of the interface. Tokens go there, so it is https, unless it is this machine.
func parseBase(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(text, "/"))
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
		return nil, fmt.Errorf("the address of the platform's interface is none: %q; correct api.url", text)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !isLoopbackHost(u.Hostname())) {
		return nil, fmt.Errorf("the address of the platform's interface %q does not begin with https://; correct api.url", text)
	}
	return u, nil
}

// sameOrigin reports whether an address is at the interface's own host.
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && portOf(a) == portOf(b)
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "http" {
		return "80"
	}
	return "443"
}
