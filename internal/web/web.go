// Package web is what a browser sees of the house: one page that says what is wanted, sent, held and failing, the same as JSON, and
// whether the daemon lives. It only shows; nothing can be changed through it.
//
// What it promises: it answers this machine alone. Its port is on loopback, and a request that was made for another host's name is
// refused, because a page somewhere on the internet can make a browser here ask with a name of its own. It runs no script, and loads
// nothing but its own style. However many readers reload it, how things stand is worked out at most once at a time and once in a few
// seconds: for large shelves that is work.
package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"gondola/internal/report"
	"gondola/templates"
)

// Config is what a Server shows, and where.
type Config struct {
	Listen   string                                     // address:port, on loopback
	Bind     func(address string) (net.Listener, error) // optional: net.Listen
	Language string                                     // es, pt or en; any other is answered in Spanish
	Zone     *time.Location                             // whose local time the page tells; nil is UTC

	// Open are the roles of whoever asks without a login. Empty is RoleView.
	Open []Role

	Look    func(ctx context.Context) (View, error) // how things stand now; never called twice at once
	Healthy func(ctx context.Context) error         // whether the daemon works
	// Measure returns the numbers of /metrics; never called twice at once. Optional: there are none.
	Measure func(ctx context.Context) ([]Metric, error)

	Drops Drops // the drop page; nil: there is none

	Log *slog.Logger     // optional: discarded
	Now func() time.Time // optional: time.Now
}

// View is how things stand, for people and for scripts.
type View struct {
	Page   Page
	Status any // what /status.json answers
}

// Server serves the page. Make it with New, then call Run, or Close.
type Server struct {
	c        Config
	listener net.Listener
	layout   *template.Template
	style    []byte
	views    cache
	drops    *dropPages // nil where there is no drop page

	measuring sync.Mutex // held for one scrape
}

// The limits of a request. Answers may take a while where a large shelf has to be looked through.
const (
	readTimeout  = 10 * time.Second
	writeTimeout = 2 * time.Minute
	idleTimeout  = time.Minute
	maxHeader    = 16 << 10
	stopGrace    = 3 * time.Second
	healthWithin = 2 * time.Second
)

// New takes the port. Nothing is answered before Run.
func New(c Config) (*Server, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if len(c.Open) == 0 {
		c.Open = []Role{RoleView}
	}
	s := &Server{c: c, views: cache{look: c.Look, now: c.Now}}
	var err error
	if s.layout, err = layout(); err != nil {
		return nil, fmt.Errorf("read page: %w", err)
	}
	if s.style, err = fs.ReadFile(templates.Files, "status.css"); err != nil {
		return nil, fmt.Errorf("read style of the page: %w", err)
	}
	if c.Drops != nil {
		if s.drops, err = s.newDropPages(); err != nil {
			return nil, err
		}
	}
	if c.Bind == nil {
		c.Bind = func(address string) (net.Listener, error) { return net.Listen("tcp", address) }
	}
	s.listener, err = c.Bind(c.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("serve the page on %s: another program has this port; write another one under web.listen, or off", c.Listen)
	}
	if err != nil {
		return nil, fmt.Errorf("serve the page on %s: %w; correct web.listen", c.Listen, err)
	}
	if a, ok := s.listener.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		return nil, errors.Join(fmt.Errorf("serve the page on %s: not an address of this machine alone; correct web.listen", c.Listen), s.Close())
	}
	return s, nil
}

// Addr returns the address that the page is served on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Close gives the port free. It is for who has no use for Run any more.
func (s *Server) Close() error {
	if err := s.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close the page's port: %w", err)
	}
	return nil
}

// Run answers until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	// What was begun for a reader ends with the server, not with the reader: others wait for it, too.
	working, stop := context.WithCancel(ctx)
	defer s.views.wait()
	defer stop()
	server := &http.Server{
		Handler: s.handler(working), ReadHeaderTimeout: readTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(s.c.Log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return working },
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(s.listener) }()
	select {
	case err := <-done:
		return fmt.Errorf("serve the page: %w", err)
	case <-ctx.Done():
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
	defer cancel()
	err := server.Shutdown(closing)
	if err != nil {
		err = server.Close()
	}
	if served := <-done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// handler routes requests. What this page answers is for readers here alone, so everything else is refused first.
func (s *Server) handler(working context.Context) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.only(RoleView, func(w http.ResponseWriter, r *http.Request) { s.page(working, w, r) }))
	mux.HandleFunc("GET /status.css", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, "text/css; charset=utf-8", s.style)
	})
	mux.HandleFunc("GET /status.json", s.only(RoleView, func(w http.ResponseWriter, r *http.Request) { s.status(working, w, r) }))
	mux.HandleFunc("GET /healthz", s.health)
	if s.c.Measure != nil {
		mux.HandleFunc("GET /metrics", s.metrics)
	}
	if s.drops != nil {
		s.drops.route(mux)
	}
	return guard(http.NewCrossOriginProtection().Handler(s.known(mux)))
}

// policy lets the page load its own style and scripts, ask here, and nothing else. No script stands in a page.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; " +
	"form-action 'self'; frame-ancestors 'none'"

// guard refuses what is not meant for this machine, and tells browsers what the page needs: its style, and nothing else.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case !isLocal(r.Host):
			http.Error(w, "this page is for localhost alone", http.StatusMisdirectedRequest)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// isLocal reports whether a Host header names this machine. The port may be another one: of a tunnel, say.
func isLocal(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// page answers with the page.
func (s *Server) page(working context.Context, w http.ResponseWriter, r *http.Request) {
	view, err := s.views.get(working, r.Context())
	var text []byte
	if err == nil {
		text, err = s.render(view.Page, r.URL.Query().Has("quiet"))
	}
	if err != nil {
		s.broken(w, err)
		return
	}
	answer(w, http.StatusOK, "text/html; charset=utf-8", text)
}

// broken answers when how things stand can't be told. The reason is in the log: the page is no place for a database's words.
func (s *Server) broken(w http.ResponseWriter, err error) {
	s.c.Log.Warn("page can't be shown", "error", err.Error())
	text, err := report.NewPhrases(s.c.Language, s.c.Zone).Say("page.broken")
	if err != nil {
		text = ""
	}
	w.Header().Set("Refresh", fmt.Sprint(refreshEvery))
	answer(w, http.StatusServiceUnavailable, "text/plain; charset=utf-8", []byte(text+"\n"))
}

// status answers as gondola status --json prints.
func (s *Server) status(working context.Context, w http.ResponseWriter, r *http.Request) {
	view, err := s.views.get(working, r.Context())
	var text []byte
	if err == nil {
		text, err = json.MarshalIndent(view.Status, "", "  ")
	}
	if err != nil {
		s.broken(w, err)
		return
	}
	answer(w, http.StatusOK, "application/json", append(text, '\n'))
}

// health answers whether the daemon works: nothing about the platform, which a restart would not mend.
func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), healthWithin)
	defer cancel()
	if err := s.c.Healthy(ctx); err != nil {
		s.c.Log.Warn("not healthy", "error", err.Error())
		answer(w, http.StatusServiceUnavailable, "text/plain; charset=utf-8", []byte("not ok\n"))
		return
	}
	answer(w, http.StatusOK, "text/plain; charset=utf-8", []byte("ok\n"))
}

// answer writes an answer. A reader who is gone needs none.
func answer(w http.ResponseWriter, code int, kind string, text []byte) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(code)
	_, _ = w.Write(text)
}
