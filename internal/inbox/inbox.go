// Package inbox takes what the platform tells by webhook: it looks who calls, keeps the event, and only then answers 200. What was
// kept is handed on until it was handled.
//
// What it promises. An event that was answered with 200 is on disk. One that could not be kept is answered with 503 and a time to come
// back, so a full disk or a stop costs a delay and no order. The same bytes again are answered with 200 and change nothing: an event
// has no number of its own [partner], so the digest of its body is what it is known by. Nobody without the secret learns more than that
// he has none, and no part of a secret or of a body reaches a log or an error.
//
// What it does not know: what an event says. Whether a body can be understood, and whose chain it is of, is for whoever it is handed
// to; one that is not understood is put aside, where people see it, and not sent back, because the platform would send it again for
// ever.
package inbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gondola/internal/certificate"
)

// Event is one body that came.
type Event struct {
	ID       int64    // given when it is kept
	Digest   [32]byte // SHA-256 of Body, which is what it is known by
	Body     []byte
	At       time.Time // when it came first
	Test     bool      // a sample of our own, which is kept and never handed on
	Asked    bool      // it stood in an answer: no call brought it, so it says nothing of the webhook
	Attempts int       // at handing it on, that failed
}

// Keeper makes durable what came.
type Keeper interface {
	// AcceptEvents keeps events in one transaction; when it returns nil they are durable. One whose digest is known is counted and
	// changes nothing.
	AcceptEvents(ctx context.Context, events []Event) error
	// CountRefused adds to the counts of refused calls.
	CountRefused(ctx context.Context, refused []Refused) error
}

// Refused is how many calls were refused for one reason since they were last counted.
type Refused struct {
	Reason string // one of a fixed few, such as secret
	Count  int64
	Last   time.Time
	Remote string // the address of the last one
}

// Config is where a Server listens, whom it believes, and what keeps what came.
type Config struct {
	Listen         string                                     // address:port
	Bind           func(address string) (net.Listener, error) // optional: net.Listen
	Path           string                                     // the only one that is answered
	Secrets        []func() (string, error)                   // any of which is valid; asked again within a second
	Certificate    string                                     // path of a PEM file, "" for plain HTTP
	Key            string                                     // path of its key
	TrustedProxies []netip.Prefix                             // whose X-Forwarded-For is believed
	Keeper         Keeper                                     // never called twice at once with events
	Trouble        func(what, problem string)                 // optional: hears what does not work, and "" once it works again
	Log            *slog.Logger                               // optional: discarded
	Now            func() time.Time                           // optional: time.Now
}

// Server takes events. Make it with New, then call Run, or Close.
type Server struct {
	c        Config // of the start; what may change is in terms
	terms    atomic.Pointer[terms]
	listener net.Listener
	crowd    *crowd
	refusals *refusals
	queue    chan waiting
	held     atomic.Int64 // bytes of bodies in memory
	came     atomic.Int64 // events that callers waited for, kept or not
	limits   limits

	troubleMu sync.Mutex
	troubles  map[string]string // what was told last; guarded by troubleMu
}

// terms are what may change while a server runs.
type terms struct {
	path        string
	callers     *callers
	certificate *certificate.Pair // nil for plain HTTP
	proxies     []netip.Prefix
	trouble     func(what, problem string) // may be nil
}

// The limits of a call. An order has 4 KB; what the platform sends of a catalogue is an address.
const (
	MaxBody       = 10 << 20
	maxHeader     = 16 << 10
	maxHeld       = 64 << 20 // of all bodies that are being read or kept
	headerTimeout = 5 * time.Second
	readTimeout   = 30 * time.Second
	idleTimeout   = time.Minute
	maxConns      = 512 // more than any sender has; beyond, those that only wait are closed
	// keepWithin is how long a caller waits for the disk, and for other writers of the database, before it is told to come back.
	// [unknown] how long the platform waits; this is below the shortest time-out in common use.
	keepWithin = 8 * time.Second
)

// limits are these of a server; tests have less patience.
type limits struct {
	header, read, idle, keep time.Duration
}

// New takes the port. Nothing is answered before Run. It refuses to be without a secret.
func New(c Config) (_ *Server, err error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Server{
		c: c, crowd: newCrowd(maxConns), queue: make(chan waiting), troubles: map[string]string{},
		limits:   limits{headerTimeout, readTimeout, idleTimeout, keepWithin},
		refusals: &refusals{log: c.Log, now: c.Now, byReason: map[string]*refusal{}},
	}
	t, err := s.newTerms(c)
	if err != nil {
		return nil, err
	}
	s.terms.Store(t)
	if c.Bind == nil {
		c.Bind = func(address string) (net.Listener, error) { return net.Listen("tcp", address) }
	}
	s.listener, err = c.Bind(c.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("take webhooks on %s: another program has this port; write another one under orders.webhook.listen, or off", c.Listen)
	}
	if err != nil {
		return nil, fmt.Errorf("take webhooks on %s: %w; correct orders.webhook.listen", c.Listen, err)
	}
	return s, nil
}

func (s *Server) newTerms(c Config) (_ *terms, err error) {
	if len(c.Secrets) == 0 {
		return nil, errors.New("take webhooks without a secret: anybody could send orders; write one under orders.webhook.secrets")
	}
	t := &terms{path: c.Path, callers: &callers{secrets: c.Secrets, now: s.c.Now}, proxies: c.TrustedProxies, trouble: c.Trouble}
	if c.Certificate != "" {
		if t.certificate, err = certificate.Open(c.Certificate, c.Key, func(p string) { s.trouble("certificate", p) }); err != nil {
			return nil, fmt.Errorf("%w; correct orders.webhook.certificate and key", err)
		}
	}
	return t, nil
}

// Came returns how many events came since the server was made.
func (s *Server) Came() int64 { return s.came.Load() }

// Fits reports whether a server that runs can go by another config, as far as its port is concerned.
func (s *Server) Fits(c Config) bool {
	return c.Listen == s.c.Listen && (c.Certificate == "") == (s.terms.Load().certificate == nil)
}

// Change checks a config that Fits and returns what lets the server go by it: its path, secrets, certificate, proxies, and who hears of
// trouble. No connection is closed and no call is refused for it.
func (s *Server) Change(c Config) (apply func(), err error) {
	t, err := s.newTerms(c)
	if err != nil {
		return nil, err
	}
	return func() {
		s.troubleMu.Lock()
		defer s.troubleMu.Unlock()
		s.terms.Store(t)
		clear(s.troubles) // who hears of them now has not heard of any
	}, nil
}

// Addr returns the address that is listened on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Close gives the port free. It is for who has no use for Run any more.
func (s *Server) Close() error {
	if err := s.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close the webhook's port: %w", err)
	}
	return nil
}

// Run answers until ctx ends; then what is under way is kept and answered before it returns.
func (s *Server) Run(ctx context.Context) error {
	keeping, stopKeeping := context.WithCancel(context.WithoutCancel(ctx))
	var loops sync.WaitGroup
	loops.Go(func() { s.keepLoop(keeping) })
	loops.Go(func() { s.countLoop(keeping) })
	defer loops.Wait()
	defer stopKeeping()
	server := &http.Server{
		Handler: s, ReadHeaderTimeout: s.limits.header, ReadTimeout: s.limits.read, IdleTimeout: s.limits.idle,
		WriteTimeout: s.limits.read + s.limits.keep + 10*time.Second, MaxHeaderBytes: maxHeader,
		ConnState: s.crowd.changed, ConnContext: withConn, ErrorLog: slog.NewLogLogger(s.c.Log.Handler(), slog.LevelDebug),
	}
	listener := s.listener
	if s.terms.Load().certificate != nil {
		// One request at a time on a connection is all that a sender needs; streams would be limits of their own to get right.
		listener = tls.NewListener(listener, &tls.Config{NextProtos: []string{"http/1.1"}, GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return s.terms.Load().certificate.Certificate(hello)
		}})
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	select {
	case err := <-done:
		return fmt.Errorf("take webhooks: %w", errors.Join(err, server.Close()))
	case <-ctx.Done():
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.limits.keep+time.Second)
	defer cancel()
	err := server.Shutdown(closing)
	if err != nil {
		err = server.Close() // who still sends has no answer, and comes again
	}
	if served := <-done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// trouble tells what does not work, once for each change of the words.
func (s *Server) trouble(what, problem string) {
	s.troubleMu.Lock()
	defer s.troubleMu.Unlock()
	if s.troubles[what] == problem {
		return
	}
	s.troubles[what] = problem
	if hears := s.terms.Load().trouble; hears != nil {
		hears(what, problem)
	}
}
