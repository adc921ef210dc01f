package sftp

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"gondola/internal/outbox"
)

const (
	// cancelGrace is how long a cancelled call may still tidy up behind itself before the connection is cut under it.
	cancelGrace = 2 * time.Second
	// closeGrace is how long a server may take to say goodbye. Nothing depends on its answer.
	closeGrace = 2 * time.Second
)

// Remote is one connection to the server; it implements [outbox.Remote]. Its methods may be called by several goroutines at once.
// Cancelling one call may cut the connection, and with it the other calls, when the server does not answer.
type Remote struct {
	c          Config
	wire       *wire
	ssh        *ssh.Client
	ftp        *sftp.Client
	advertised bool // the server says that it renames over files

	answers pulse        // the last byte of an SFTP answer, or the begin of a call
	calls   atomic.Int64 // under way

	files quota // on their way at once
	bytes quota // of them, sent or read back and not answered yet

	// The same of those that have begun: some more, which are written down before or after.
	begun, begunBytes quota

	// swaps is held for reading while names change hands. Cancelling waits for it: a connection that is cut between two renames
	// leaves the final name empty.
	swaps sync.RWMutex

	homeDue atomic.Bool // to be swept with a folder

	cutOnce    sync.Once
	down       chan struct{} // closed when the connection is no more
	cause      error         // why; written before down is closed
	background sync.WaitGroup

	known    sync.Mutex      // guards passport; held while Learned is called
	passport outbox.Passport // what the server allows, as far as is known

	mu       sync.Mutex               // guards the rest
	claims   map[string]chan struct{} // remote files that a call has to itself; closed when it lets go
	asides   map[string][]string      // by final path: old files without a successor yet
	saw      map[string]lying         // by path: what a sweep saw there; not told of those whose turn it was
	listed   map[string]bool          // the folders of which a sweep saw all
	resolve  sync.Mutex               // guards the rest; held while folders are listed and made
	folders  map[string]string        // by configured name: as spelled on the server
	listings map[string][]fs.FileInfo // by folder: what was in it when it was first listed
}

var _ outbox.Remote = (*Remote)(nil)

func newRemote(c Config, w *wire, client *ssh.Client) *Remote {
	r := &Remote{
		c: c, wire: w, ssh: client,
		answers:  pulse{start: w.pulse.start},
		down:     make(chan struct{}),
		claims:   make(map[string]chan struct{}),
		asides:   make(map[string][]string),
		folders:  make(map[string]string),
		listings: make(map[string][]fs.FileInfo),
		saw:      make(map[string]lying),
		listed:   make(map[string]bool),
	}
	r.bytes.set(bytesAhead)
	r.begunBytes.set(lanes(bytesAhead))
	r.passport = c.Passport
	r.limit()
	return r
}

// limit makes room for as many files at once as we may send and the server takes. Of those that it was seen to stand twice as many are
// tried: it may have refused one for a reason that is over.
func (r *Remote) limit() {
	n, known := r.c.Parallel, r.Passport()
	if files := known.Files; files > 0 && files < askedFor && (n == 0 || files < n) {
		n = files
	}
	if most := 2 * known.Most; most > 0 && (n == 0 || most < n) {
		n = most
	}
	r.files.set(int64(n))
}

// side does things at once that do not wait for each other's answers; one after the other where one file at a time is wanted.
func (r *Remote) side(one func(), others ...func()) {
	if r.c.Parallel == 1 {
		one()
		for _, other := range others {
			other()
		}
		return
	}
	var wait sync.WaitGroup
	for _, other := range others {
		wait.Go(other)
	}
	one()
	wait.Wait()
}

// Close ends the connection and waits for what runs behind it. Calls under way fail. It takes two seconds at most when nobody
// answers, and its error is always nil: by then every receipt is given or will not be.
func (r *Remote) Close() error {
	timer := time.AfterFunc(closeGrace, func() { r.cut(net.ErrClosed) })
	_ = r.ftp.Close()
	_ = r.ssh.Close()
	timer.Stop()
	r.cut(net.ErrClosed)
	r.background.Wait()
	return nil
}

// cut closes the connection under everything that uses it. The first cause counts.
func (r *Remote) cut(cause error) {
	r.cutOnce.Do(func() {
		r.cause = cause
		close(r.down)
		// Who waits for a share hears of it, too.
		for _, q := range []*quota{&r.files, &r.bytes, &r.begun, &r.begunBytes} {
			q.set(0)
		}
	})
	_ = r.wire.Close()
}

// lost returns why the connection is no more, nil while it is.
func (r *Remote) lost() error {
	select {
	case <-r.down:
		return r.cause
	default:
		return nil
	}
}

// enter begins a call: from here on answers are expected, and the end of ctx has consequences. Leave must be called.
func (r *Remote) enter(ctx context.Context, doing string) (leave func(), err error) {
	if ctx.Err() != nil {
		return nil, transient(doing, ctx.Err(), "stopped")
	}
	if cause := r.lost(); cause != nil {
		return nil, r.fail(doing, cause)
	}
	r.answers.touch()
	r.calls.Add(1)
	left, done := make(chan struct{}), make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		r.cutAfter(left, context.Cause(ctx))
	})
	return func() {
		close(left)
		if !stop() {
			<-done
		}
		r.calls.Add(-1)
	}, nil
}

// cutAfter cuts the connection when a cancelled call has not left within the grace, and no name is changing hands.
func (r *Remote) cutAfter(left <-chan struct{}, cause error) {
	timer := time.NewTimer(cancelGrace)
	defer timer.Stop()
	select {
	case <-left:
		return
	case <-timer.C:
	}
	r.swaps.Lock()
	defer r.swaps.Unlock()
	select {
	case <-left:
	default:
		r.cut(cause)
	}
}

// claim gives a call a remote file to itself, and waits for others to let go of it.
func (r *Remote) claim(ctx context.Context, file string) (release func(), err error) {
	for {
		release, held := r.tryClaim(file)
		if release != nil {
			return release, nil
		}
		select {
		case <-held:
		case <-r.down:
			return nil, r.cause
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// tryClaim gives the file, or the channel that is closed when whoever has it lets go.
func (r *Remote) tryClaim(file string) (release func(), held <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if held, ok := r.claims[file]; ok {
		return nil, held
	}
	free := make(chan struct{})
	r.claims[file] = free
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.claims, file)
		close(free)
	}, nil
}

// keepAlive makes the server say something now and then. OpenSSH's request is used because it is the one servers know; one that
// does not must refuse it, which is an answer too.
func (r *Remote) keepAlive() {
	ticker := time.NewTicker(r.c.KeepAlive)
	defer ticker.Stop()
	for {
		select {
		case <-r.down:
			return
		case <-ticker.C:
		}
		if _, _, err := r.ssh.SendRequest("keepalive@openssh.com", true, nil); err != nil {
			return // the connection is no more; others notice too
		}
	}
}

// watch cuts a connection on which nothing moves.
func (r *Remote) watch() {
	ticker := time.NewTicker(min(max(r.c.StallTimeout/10, 5*time.Millisecond), watchEvery))
	defer ticker.Stop()
	for {
		select {
		case <-r.down:
			return
		case <-ticker.C:
		}
		quiet := r.wire.pulse.quiet()
		if r.calls.Load() > 0 {
			quiet = max(quiet, r.answers.quiet())
		}
		if quiet > r.c.StallTimeout {
			r.cut(fmt.Errorf("the server said nothing for %s (sftp.stall_timeout)", r.c.StallTimeout))
			return
		}
	}
}

// pulse is when something last moved, on the monotonic clock.
type pulse struct {
	start time.Time
	last  atomic.Int64 // nanoseconds after start
}

func (p *pulse) touch() { p.last.Store(int64(time.Since(p.start))) }

func (p *pulse) quiet() time.Duration { return time.Since(p.start) - time.Duration(p.last.Load()) }

// wire is a network connection that notes when the peer last said something. What we write does not count: the kernel takes bytes
// for a peer that is long gone.
type wire struct {
	net.Conn
	pulse   pulse
	written atomic.Int64 // bytes that were handed to the kernel
}

func newWire(c net.Conn) *wire { return &wire{Conn: c, pulse: pulse{start: time.Now()}} }

// Read implements io.Reader.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if n > 0 {
		w.pulse.touch()
	}
	return n, err
}

// Write implements io.Writer.
func (w *wire) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	w.written.Add(int64(n))
	return n, err
}
