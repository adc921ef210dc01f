package web

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// policy lets the page load its own style, scripts and pictures, ask here, and nothing else. No script stands in a page.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " +
	"form-action 'self'; frame-ancestors 'none'"

// guard refuses what was made for another host, and tells browsers what the page needs: its style and scripts, and nothing else. A page
// somewhere on the internet can make a browser here ask with a name of its own, which it lets lead here (DNS rebinding): under that name
// nothing is answered but whether the daemon lives.
//
// There is no Strict-Transport-Security: it would hold for every port of the host, and other programs may have theirs there. Nothing is
// lost by it, because the port of the page has TLS alone, and its cookie goes nowhere else.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !s.answersTo(r.Host) && r.URL.Path != healthPath {
			http.Error(w, "this page is not called that: use localhost, or a name under web.hosts", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// answersTo reports whether a Host header names the page. The port may be another one: of a tunnel or a proxy, say.
func (s *Server) answersTo(host string) bool {
	return isLocal(host) || slices.ContainsFunc(s.c.Hosts, func(h string) bool { return strings.EqualFold(h, hostOf(host)) })
}

// hostOf returns the name in a Host header.
func hostOf(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

// isLocal reports whether a Host header names this machine.
func isLocal(host string) bool {
	host = hostOf(host)
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// passedOn are the headers by which a proxy says that it asks for somebody else.
var passedOn = []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Forwarded", "Via"}

// isHere reports whether a request was made on this machine, or through a tunnel to it, for a name of this machine: not by a proxy for
// anybody.
func isHere(r *http.Request) bool {
	return peer(r).IsLoopback() && isLocal(r.Host) && !slices.ContainsFunc(passedOn, func(name string) bool { return r.Header.Get(name) != "" })
}

// peer returns the address at the other end of the connection.
func peer(r *http.Request) netip.Addr {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap().WithZone("")
}

// place returns whose attempts count together: an address, and of IPv6 the network that one customer has. A proxy on this machine says
// whom it asks for; nobody else is believed.
func place(r *http.Request) netip.Prefix {
	a := peer(r)
	if a.IsLoopback() {
		all := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		if client, err := netip.ParseAddr(strings.TrimSpace(all[len(all)-1])); err == nil {
			a = client.Unmap().WithZone("")
		}
	}
	bits := 64
	if a.Is4() {
		bits = 32
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// isSecure reports whether the browser has TLS to here, or to a proxy that says so. A lie about it makes only the liar's cookie another.
func isSecure(r *http.Request) bool {
	return r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// cookieName returns the name of the cookie that holds a session's id. Cookies of one host are shared by all of its ports, so it names
// ours; with TLS the prefix makes browsers refuse it from anybody but this very host.
func (s *Server) cookieName(r *http.Request) string {
	name := "gondola-session"
	if a, ok := s.listener.Addr().(*net.TCPAddr); ok {
		name += "-" + strconv.Itoa(a.Port)
	}
	if isSecure(r) {
		return "__Host-" + name
	}
	return name
}

// cookie returns the id of the session that a browser names, "" for none.
func (s *Server) cookie(r *http.Request) string {
	c, err := r.Cookie(s.cookieName(r))
	if err != nil {
		return ""
	}
	return c.Value
}

// setCookie gives a browser a session's id, or with "" takes it away. It lasts as long as the browser is open, at most. SameSite is Lax and
// not Strict, so that the link in an alarm leads to the page and not to the login; nothing is changed by following a link.
func (s *Server) setCookie(w http.ResponseWriter, r *http.Request, id string) {
	c := &http.Cookie{Name: s.cookieName(r), Value: id, Path: "/", HttpOnly: true, Secure: isSecure(r), SameSite: http.SameSiteLaxMode}
	if id == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

func isTooLarge(err error) bool {
	_, is := errors.AsType[*http.MaxBytesError](err)
	return is
}
