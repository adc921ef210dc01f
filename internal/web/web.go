// Package web is what a browser sees of the house: a page that says what is wanted, sent, held and failing and keeps itself up to date,
// the story of every article, the same as JSON, whether the daemon lives; and the forms in which people decide.
//
// Who may what. Everybody who asks has roles: those of the user that they logged in as, and where they ask from this machine those that are
// open to it. Every route wants one, or says that it is for anybody. Other machines reach the page by TLS and with a login only. What is
// changed is changed by POST, from a form that this page gave to that visitor.
//
// What it promises: a request that was made for another host's name is refused, because a page somewhere on the internet can make a browser
// here ask with a name of its own. It works without its script; no script and no style stands in a page, and nothing is loaded but its own
// files. Passwords are checked one at a time and slower the more of them were wrong, so that neither guessing them nor the memory that this
// takes is of use to anybody. However many readers watch it, how things stand is worked out at most once at a time and once in a few
// seconds, and not at all when nobody does: for large shelves that is work.
package web

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"gondola/internal/certificate"
	"gondola/internal/report"
	"gondola/templates"
)

// Config is what a Server shows, and where.
type Config struct {
	Listen   string                                     // address:port; beyond loopback it needs a certificate and users
	Bind     func(address string) (net.Listener, error) // optional: net.Listen
	Language string                                     // es, pt or en; any other is answered in Spanish
	Zone     *time.Location                             // whose local time the page tells; nil is UTC

	// Certificate and Key are paths of PEM files, for TLS; they are read again when they change. "" is plain HTTP.
	Certificate, Key string
	// Hosts are the names that browsers call the page by, besides those of this machine for itself.
	Hosts []string

	// Open are the roles of whoever asks from this machine without a login, where the port is on loopback. Nil is RoleView.
	Open  []Role
	Users []User // who can log in
	// Logins are those of a Server by another config whose place this one takes. Optional: nobody is logged in.
	Logins *Logins

	Look    func(ctx context.Context) (View, error) // how things stand now; never called twice at once
	Healthy func(ctx context.Context) error         // whether the daemon works
	// Ready is whether it can do its work now: it has started, is not about to stop, and has what it needs. Optional: as Healthy.
	Ready func(ctx context.Context) error
	// Story tells of one article; never called twice at once. Its errors are ErrNoArticle, ErrNoHistory and ErrNoStore, or ours.
	// Optional: there is no page for it.
	Story func(ctx context.Context, a About) (Story, error)
	// Answer returns the answer to a drop, as text in the chain's language, or ErrNoDrop. Optional: there is no page for it.
	Answer func(ctx context.Context, drop int64) (string, error)
	Stores []Named // that stories can be asked for

	// Measure returns the numbers of /metrics; never called twice at once. Optional: there are none.
	Measure func(ctx context.Context) ([]Metric, error)
	// Desk takes decisions. Optional: there is nothing to decide.
	Desk Desk

	// Trouble hears what does not work, and "" once it works again. Optional.
	Trouble func(what, problem string)

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
	forms    *template.Template
	assets   map[string][]byte // by name
	views    cache
	drops    *dropPages // nil where there is no drop page

	watchers chan struct{} // one for each reader who is told what is new
	telling  chan struct{} // one for the story that is told
	watch    time.Duration // watchEvery, and
	still    time.Duration // sayEvery, and
	patience time.Duration // writeTimeout; tests have less time

	measuring sync.Mutex // held for one scrape

	certificate *certificate.Pair // nil for plain HTTP
	open        []Role            // of whoever asks from this machine
	*Logins
	hasher  *hasher
	notices notices
}

// healthPath and readyPath say whether the daemon lives and can do its work, to anybody under any name: they say nothing else.
const (
	healthPath = "/healthz"
	readyPath  = "/readyz"
)

// assets are the files that pages load, and what they are.
var assets = map[string]string{
	"status.css":  "text/css; charset=utf-8",
	"live.js":     "text/javascript; charset=utf-8",
	"favicon.svg": "image/svg+xml",
}

// The limits of a request. Answers may take a while where a large shelf has to be looked through.
const (
	readTimeout  = 10 * time.Second
	writeTimeout = 2 * time.Minute
	idleTimeout  = time.Minute
	maxHeader    = 16 << 10
	maxConns     = 256 // beyond, who waits for nothing goes: files of ours need descriptors, too
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
	if c.Ready == nil {
		c.Ready = c.Healthy
	}
	if c.Logins == nil {
		c.Logins = NewLogins(c.Now)
	}
	s := &Server{
		c: c, views: cache{look: c.Look, now: c.Now}, Logins: c.Logins, hasher: newHasher(), notices: notices{all: map[string]string{}}, assets: map[string][]byte{},
		watchers: make(chan struct{}, maxWatchers), telling: make(chan struct{}, 1),
		watch: watchEvery, still: sayEvery, patience: writeTimeout,
	}
	var err error
	if s.layout, err = layout(); err == nil {
		s.forms, err = formLayout()
	}
	if err != nil {
		return nil, fmt.Errorf("read page: %w", err)
	}
	for name := range assets {
		if s.assets[name], err = fs.ReadFile(templates.Files, name); err != nil {
			return nil, fmt.Errorf("read %s of the page: %w", name, err)
		}
	}
	if c.Drops != nil {
		if s.drops, err = s.newDropPages(); err != nil {
			return nil, err
		}
	}
	if c.Certificate != "" {
		if s.certificate, err = certificate.Open(c.Certificate, c.Key, s.trouble); err != nil {
			return nil, fmt.Errorf("%w; correct web.certificate and web.key", err)
		}
	}
	if s.listener, err = s.listen(); err != nil {
		return nil, err
	}
	a, ok := s.listener.Addr().(*net.TCPAddr)
	alone := ok && a.IP.IsLoopback()
	if !alone && (s.certificate == nil || len(c.Users) == 0) {
		return nil, errors.Join(fmt.Errorf("serve the page on %s: other machines can reach it, so it needs web.certificate and web.users", c.Listen), s.Close())
	}
	switch {
	case !alone: // nothing is open where others come to the same port
	case c.Open == nil:
		s.open = []Role{RoleView}
	default:
		s.open = c.Open
	}
	return s, nil
}

// listen takes the port.
func (s *Server) listen() (net.Listener, error) {
	address, bind := s.c.Listen, s.c.Bind
	if bind == nil {
		bind = func(address string) (net.Listener, error) { return net.Listen("tcp", address) }
	}
	l, err := bind(address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("serve the page on %s: another program has this port; write another one under web.listen, or off", address)
	}
	if err != nil {
		return nil, fmt.Errorf("serve the page on %s: %w; correct web.listen", address, err)
	}
	return l, nil
}

// trouble tells what is wrong with the certificate.
func (s *Server) trouble(problem string) {
	if s.c.Trouble != nil {
		s.c.Trouble("certificate", problem)
	}
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
	crowd := newCrowd(maxConns)
	server := &http.Server{
		Handler: s.handler(working), ReadHeaderTimeout: readTimeout, ReadTimeout: readTimeout, WriteTimeout: s.patience,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader, ConnState: crowd.changed, ErrorLog: slog.NewLogLogger(s.c.Log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return working },
	}
	server.RegisterOnShutdown(crowd.leave)
	done := make(chan error, 1)
	go func() { done <- s.serve(server) }()
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

// serve answers on the port. Who talks plain HTTP to one with TLS is told so by net/http.
func (s *Server) serve(server *http.Server) error {
	if s.certificate == nil {
		return server.Serve(s.listener)
	}
	server.TLSConfig = &tls.Config{GetCertificate: s.certificate.Certificate, MinVersion: tls.VersionTLS12}
	return server.ServeTLS(s.listener, "", "")
}

// handler routes requests. Every route says who may take it; what was made for another host is refused first.
func (s *Server) handler(working context.Context) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.only(RoleView, func(w http.ResponseWriter, r *http.Request) { s.page(working, w, r) }))
	for name, kind := range assets {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, kind, s.assets[name]) })
	}
	mux.HandleFunc("GET /events", s.only(RoleView, func(w http.ResponseWriter, r *http.Request) { s.events(working, w, r) }))
	if s.c.Story != nil {
		mux.HandleFunc("GET /sku", s.only(RoleView, s.sku))
	}
	if s.c.Answer != nil {
		mux.HandleFunc("GET /answer", s.only(RoleView, s.answered))
	}
	mux.HandleFunc("GET /status.json", s.scripts(RoleView, func(w http.ResponseWriter, r *http.Request) { s.status(working, w, r) }))
	mux.HandleFunc("GET "+healthPath, func(w http.ResponseWriter, r *http.Request) { s.probe(w, r, "not healthy", s.c.Healthy) })
	mux.HandleFunc("GET "+readyPath, func(w http.ResponseWriter, r *http.Request) { s.probe(w, r, "not ready", s.c.Ready) })
	if s.c.Measure != nil {
		mux.HandleFunc("GET /metrics", s.scripts(RoleView, s.metrics))
	}
	if s.drops != nil {
		s.drops.route(mux)
	}
	s.routeLogin(mux)
	s.routeActs(mux)
	return s.guard(http.NewCrossOriginProtection().Handler(s.known(mux)))
}

// page answers with the page.
func (s *Server) page(working context.Context, w http.ResponseWriter, r *http.Request) {
	k, err := s.views.get(working, r.Context())
	var text []byte
	if err == nil {
		text, err = s.render(r, k)
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
	k, err := s.views.get(working, r.Context())
	var text []byte
	if err == nil {
		text, err = json.MarshalIndent(k.view.Status, "", "  ")
	}
	if err != nil {
		s.broken(w, err)
		return
	}
	answer(w, http.StatusOK, "application/json", append(text, '\n'))
}

// probe answers whether the daemon works, or can: nothing about the platform, which a restart would not mend.
func (s *Server) probe(w http.ResponseWriter, r *http.Request, wrong string, check func(context.Context) error) {
	ctx, cancel := context.WithTimeout(r.Context(), healthWithin)
	defer cancel()
	if err := check(ctx); err != nil {
		s.c.Log.Warn(wrong, "error", err.Error())
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
