package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Sandbox is a running simulated platform. Its methods may be called from any goroutine, also after Close.
type Sandbox struct {
	opts   Options
	faults Faults
	files  *tree
	server *server
	stores *stores
	reader *reader
	orders *orders
	jobs   *apiJobs
	sender *sender
	rest   *rest

	page     *http.Server
	pageAddr net.Listener

	stop    context.CancelFunc
	running sync.WaitGroup
	once    sync.Once

	mu     sync.Mutex
	closed bool // nothing may be added to running any more; guarded by mu
}

// Start makes a sandbox and begins to serve; all addresses answer when it returns. The sandbox ends with Close, or with ctx.
func Start(ctx context.Context, o Options) (_ *Sandbox, err error) {
	s := &Sandbox{}
	if s.opts, err = o.fill(); err != nil {
		return nil, err
	}
	if s.stores, err = newStores(s.opts.Vendors, s.opts.Rules); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = s.release() // the error that stopped us counts
		}
	}()
	if err := os.MkdirAll(s.Home(), 0o755); err != nil {
		return nil, fmt.Errorf("make home folder: %w", err)
	}
	root, err := os.OpenRoot(s.Home())
	if err != nil {
		return nil, fmt.Errorf("open home folder: %w", err)
	}
	s.files = &tree{root: root, opts: &s.opts, faults: &s.faults, log: oplog{now: s.opts.Now, names: map[string]*content{}}}
	s.reader = newReader(&s.opts, s.files, s.stores)
	if s.opts.Limits.EatsOnClose {
		s.files.closed = s.reader.closed
	}
	if s.server, err = newServer(ctx, &s.opts, s.files); err != nil {
		return nil, err
	}
	s.sender = newSender(&s.opts, &s.faults)
	s.orders = newOrders(&s.opts, s.stores, &s.faults, s.sender.send)
	s.jobs = newAPIJobs(&s.opts, &s.reader.scan, s.jobEnded)
	s.reader.ended = s.fileEnded
	if s.rest, err = newREST(ctx, s); err != nil {
		return nil, err
	}
	s.faults.gate = s.rest.gate
	var lc net.ListenConfig
	if s.pageAddr, err = lc.Listen(ctx, "tcp", s.opts.HTTPListen); err != nil {
		return nil, fmt.Errorf("listen for the page on %s: %w; choose another address", s.opts.HTTPListen, err)
	}
	s.page = &http.Server{Handler: s.guard(s.handler()), ReadHeaderTimeout: 10 * time.Second}
	s.run(ctx)
	return s, nil
}

// run starts the loops. Each ends when Close or the end of ctx takes away what it works on.
func (s *Sandbox) run(ctx context.Context) {
	ctx, s.stop = context.WithCancel(ctx)
	context.AfterFunc(ctx, func() { _ = s.Close() }) // nobody is there to be told
	s.running.Go(s.server.serve)
	s.running.Go(func() { s.rest.serve(ctx) })
	s.running.Go(func() { s.jobs.agenda.run(ctx) })
	for _, lane := range s.sender.lanes {
		s.running.Go(func() { lane.run(ctx) })
	}
	s.page.BaseContext = func(net.Listener) context.Context { return ctx }
	s.running.Go(func() {
		if err := s.page.Serve(s.pageAddr); !errors.Is(err, http.ErrServerClosed) {
			s.opts.Log.Error("page stopped; start the sandbox again", "error", err)
		}
	})
	if s.opts.ScanEvery > 0 {
		s.running.Go(func() { s.scanLoop(ctx) })
	}
}

// scanLoop scans on real time: the injected clock stamps, it does not tick.
func (s *Sandbox) scanLoop(ctx context.Context) {
	tick := time.NewTicker(s.opts.ScanEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.Scan()
		}
	}
}

// guard makes Close wait for the requests that are being answered. Those that come later are not.
func (s *Sandbox) guard(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			cutHTTP(w)
			return
		}
		s.running.Add(1)
		s.mu.Unlock()
		defer s.running.Done()
		h.ServeHTTP(w, q)
	})
}

// Close cuts all connections, stops the loops and waits for them. Closing again waits for the end too.
func (s *Sandbox) Close() error {
	var err error
	s.once.Do(func() {
		s.stop()
		err = s.release()
	})
	s.running.Wait()
	return err
}

// release lets go of what Start took, as far as it got.
func (s *Sandbox) release() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	var errs []error
	if s.server != nil {
		s.server.close()
	}
	if s.rest != nil {
		errs = append(errs, s.rest.close())
	}
	if s.page != nil {
		errs = append(errs, s.page.Close())
	} else if s.pageAddr != nil {
		errs = append(errs, s.pageAddr.Close())
	}
	s.running.Wait()
	if s.sender != nil {
		s.sender.client.CloseIdleConnections()
	}
	if s.files != nil {
		errs = append(errs, s.files.root.Close())
	}
	return errors.Join(errs...)
}

// Home returns the real folder that SFTP shows as the login's home. It is empty at first: the client has to make the catalogue's
// folder, as on the real platform, or a test does it here.
func (s *Sandbox) Home() string { return filepath.Join(s.opts.Dir, "home") }

// Faults returns the switches that break things.
func (s *Sandbox) Faults() *Faults { return &s.faults }

// SFTPAddr returns where the SFTP server listens.
func (s *Sandbox) SFTPAddr() (host string, port int) {
	addr, ok := s.server.listener.Addr().(*net.TCPAddr)
	if !ok {
		return "", 0
	}
	return addr.IP.String(), addr.Port
}

// HTTPURL returns the address of the page, without a slash at the end.
func (s *Sandbox) HTTPURL() string { return "http://" + s.pageAddr.Addr().String() }
