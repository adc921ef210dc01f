package sftp

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gondola/internal/outbox"
	"gondola/internal/sandbox"
	"gondola/internal/sftp/sshdtest"
)

// longLine passes on what comes later, as a long line would, and counts how often the client waits for the server: a round trip is
// everything that is asked before an answer comes.
type longLine struct {
	net.Listener
	trips  atomic.Int64
	answer atomic.Bool // the last bytes were the server's
	wg     sync.WaitGroup
}

func newLongLine(t *testing.T, to int, delay time.Duration) *longLine {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	line := &longLine{Listener: l}
	line.wg.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(to)))
			if err != nil {
				_ = near.Close()
				continue
			}
			line.wg.Go(func() {
				line.pass(far, near, delay, func() {
					if line.answer.Swap(false) {
						line.trips.Add(1)
					}
				})
			})
			line.wg.Go(func() { line.pass(near, far, delay, func() { line.answer.Store(true) }) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		line.wg.Wait()
	})
	return line
}

func (l *longLine) port() int { return l.Addr().(*net.TCPAddr).Port }

// pass copies from one end to the other, each piece so much later. It calls came when a piece comes in.
func (l *longLine) pass(to, from net.Conn, delay time.Duration, came func()) {
	type piece struct {
		due  time.Time
		data []byte
	}
	way := make(chan piece, 1<<12)
	l.wg.Go(func() {
		defer close(way)
		for {
			data := make([]byte, 64<<10)
			n, err := from.Read(data)
			if n > 0 {
				came()
				way <- piece{time.Now().Add(delay), data[:n]}
			}
			if err != nil {
				return
			}
		}
	})
	for p := range way {
		time.Sleep(time.Until(p.due))
		if _, err := to.Write(p.data); err != nil {
			_ = from.Close()
		}
	}
	_ = to.Close()
}

// crowd puts many small files at once, numbered from a number on.
func crowd(t *testing.T, r *Remote, from, n int) {
	t.Helper()
	var wg sync.WaitGroup
	for i := from; i < from+n; i++ {
		d := document(t, int64(i+1), 2000+i)
		d.Name = fmt.Sprintf("gondola_%d.csv", i)
		wg.Go(func() {
			got, err := r.Replace(t.Context(), d)
			if err != nil || got.Replaced || got.Proof != outbox.ProofDigest {
				t.Errorf("%s: %+v, %v", d.Name, got, err)
			}
		})
	}
	wg.Wait()
}

// TestRoundTrips counts what a file waits for, and shows that many wait together.
func TestRoundTrips(t *testing.T) {
	s := sshdtest.Start(t, sshdtest.Options{})
	c := sshdConfig(s)
	c.ReadBack, c.Parallel = 1<<20, 256
	pass, err := dial(t, c).Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.Put("catalog/other.txt", "makes the folder")
	line := newLongLine(t, c.Port, 80*time.Millisecond) // longer than a busy machine keeps a goroutine waiting
	c.Port, c.Passport = line.port(), pass
	r := dial(t, c)
	line.trips.Store(0)
	if err := sweep(t.Context(), r, "catalog"); err != nil {
		t.Fatal(err)
	}
	if n := line.trips.Load(); n > 5 {
		t.Errorf("the sweep took %d round trips, want those of one listing", n)
	}
	line.trips.Store(0)
	crowd(t, r, 0, 1)
	// Open, write, close and open, measure and read and look, close and rename, look.
	if n := line.trips.Load(); n > 6 {
		t.Errorf("a file took %d round trips, want 6 at most", n)
	}
	line.trips.Store(0)
	crowd(t, r, 1, 60)
	if n := line.trips.Load(); n > 60 {
		t.Errorf("60 files took %d round trips, want hardly more than one", n)
	}
	if err := r.Close(); err != nil { // it may ask whether the server is there
		t.Fatal(err)
	}
	c.ReadBack = 0
	r = dial(t, c)
	if err := sweep(t.Context(), r, "catalog"); err != nil {
		t.Fatal(err)
	}
	line.trips.Store(0)
	if got, err := r.Replace(t.Context(), document(t, 100, 1000)); err != nil || got.Proof != outbox.ProofSize {
		t.Errorf("a file that is not read back: %+v, %v", got, err)
	}
	// Open, write, close and measure and look, rename, look.
	if n := line.trips.Load(); n > 5 {
		t.Errorf("a file that is not read back took %d round trips, want 5 at most", n)
	}
}

// TestServerRefusesSoMany has more files on their way than a server takes. All arrive, nothing else is learned about the server than
// how many it takes, and the next connection tries no more than twice as many.
func TestServerRefusesSoMany(t *testing.T) {
	const takes = 10
	s := sandboxed(func(o *sandbox.Options) { o.Limits.MaxFiles = takes }, "posix-rename")(t)
	c := s.config
	c.ReadBack, c.Parallel = 1<<20, 64
	pass, err := dial(t, c).Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if pass.Files != askedFor || pass.Most != 0 {
		t.Fatalf("the probe found %d files at once, at most %d", pass.Files, pass.Most)
	}
	var mu sync.Mutex
	c.Passport = pass
	c.Learned = func(p outbox.Passport) {
		mu.Lock()
		defer mu.Unlock()
		pass = p
	}
	crowd(t, dial(t, c), 0, 60)
	// A file that has its turn may not be open yet, or not any more: what is learned is about right, and is corrected in use.
	if pass.Most < 1 || pass.Most > 3*takes || len(pass.Doubts) > 0 {
		t.Errorf("of a server that takes %d files at once it was learned that it takes %d; doubts %q", takes, pass.Most, pass.Doubts)
	}
	c.Passport = pass
	r := dial(t, c)
	if most, _ := r.files.state(); most != int64(2*pass.Most) {
		t.Errorf("the next connection tries %d at once, want twice %d", most, pass.Most)
	}
}

// TestRefusedForAnotherReason has a name refused that would be refused alone, too: the others keep their width.
func TestRefusedForAnotherReason(t *testing.T) {
	s := newServer(t, posix)
	s.before = func(op, name, _ string) error {
		if op == "Open" && (name == "catalog/.gondola_s1.csv.77.tmp" || name == "catalog/gondola_s1.csv.77.gondola.tmp") {
			return errors.New("no")
		}
		return nil
	}
	c := s.client()
	c.Parallel = 64
	r := dial(t, c)
	var wg sync.WaitGroup
	for i := range 20 {
		d := document(t, int64(i+1), 1000)
		d.Name = fmt.Sprintf("gondola_%d.csv", i)
		wg.Go(func() {
			if _, err := r.Replace(t.Context(), d); err != nil {
				t.Error(err)
			}
		})
	}
	_, err := r.Replace(t.Context(), document(t, 77, 1000))
	wg.Wait()
	wantClass(t, err, outbox.Transient)
	if most, used := r.files.state(); most != 64 || used != 0 {
		t.Errorf("afterwards %d may be on their way and %d are, want 64 and none", most, used)
	}
}

// TestBytesOnTheirWay has large files side by side: together they have no more on the way than a few may.
func TestBytesOnTheirWay(t *testing.T) {
	s := newServer(t, posix)
	var r *Remote
	var most atomic.Int64
	s.written = func(string, int64) error {
		_, used := r.bytes.state()
		for m := most.Load(); used > m && !most.CompareAndSwap(m, used); m = most.Load() {
		}
		return nil
	}
	c := s.client()
	c.Parallel = 256
	r = dial(t, c)
	var wg sync.WaitGroup
	for i := range 8 {
		d := document(t, int64(i+1), 4_500_000)
		d.Name = fmt.Sprintf("gondola_%d.csv", i)
		wg.Go(func() {
			if _, err := r.Replace(t.Context(), d); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most.Load() > bytesAhead || most.Load() < 2*1_000_000 {
		t.Errorf("%d bytes were on their way at once, want at most %d", most.Load(), int64(bytesAhead))
	}
	if _, used := r.bytes.state(); used != 0 {
		t.Errorf("%d bytes are never given back", used)
	}
}

func TestQuota(t *testing.T) {
	q := &quota{}
	q.set(10)
	must := func(share, want int64) {
		t.Helper()
		if got, err := q.take(t.Context(), share); got != want || err != nil {
			t.Fatalf("asked for %d, got %d, %v", share, got, err)
		}
	}
	must(4, 4)
	must(6, 6)
	large := make(chan int64)
	go func() { n, _ := q.take(t.Context(), 99); large <- n }() // all there is
	for waits(q) != 1 {
		time.Sleep(time.Millisecond)
	}
	small := make(chan int64)
	go func() { n, _ := q.take(t.Context(), 1); small <- n }()
	for waits(q) != 2 {
		time.Sleep(time.Millisecond)
	}
	q.give(6)
	select {
	case <-small:
		t.Fatal("a small share went before a large one that waits longer")
	case <-large:
		t.Fatal("all was given while a part was in use")
	case <-time.After(20 * time.Millisecond):
	}
	q.give(4)
	if n := <-large; n != 10 {
		t.Errorf("of 10 it got %d", n)
	}
	q.give(10)
	if n := <-small; n != 1 {
		t.Errorf("it got %d of 1", n)
	}
	if !q.halve(8) || q.halve(1) {
		t.Error("half of eight is no less, or half of one is")
	}
	if most, _ := q.state(); most != 4 {
		t.Errorf("%d are left, want 4", most)
	}
	if q.halve(8); q.most != 4 {
		t.Errorf("what was refused beside the same eight halves once, %d are left", q.most)
	}
}

func waits(q *quota) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

// slowPipe takes one piece at a time, when it is told to.
type slowPipe struct {
	pieces chan []byte
	err    error
}

func (p *slowPipe) Write(b []byte) (int, error) {
	p.pieces <- append([]byte(nil), b...)
	return len(b), p.err
}

func (p *slowPipe) Close() error { close(p.pieces); return nil }

// TestSaid has requests come while the line is busy: they go together, whole and in their order, and none is lost at the end.
func TestSaid(t *testing.T) {
	p := &slowPipe{pieces: make(chan []byte)}
	s := newSaid(p)
	var wg sync.WaitGroup
	wg.Go(s.send)
	request := func(n byte) {
		if _, err := s.Write([]byte{0, 0, 0, 3, n}); err != nil {
			t.Error(err)
		}
		if _, err := s.Write([]byte{n, n}); err != nil {
			t.Error(err)
		}
	}
	request(1)
	for !s.busy() {
		time.Sleep(time.Millisecond)
	}
	request(2)
	request(3)
	if got := string(<-p.pieces); got != "\x00\x00\x00\x03\x01\x01\x01" {
		t.Errorf("first went %q", got)
	}
	wg.Go(func() { _ = s.Close() })
	if got := string(<-p.pieces); got != "\x00\x00\x00\x03\x02\x02\x02\x00\x00\x00\x03\x03\x03\x03" {
		t.Errorf("then went %q", got)
	}
	if more, ok := <-p.pieces; ok {
		t.Errorf("at last went %q", more)
	}
	wg.Wait()
	if _, err := s.Write([]byte{0, 0, 0, 0}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("after the end: %v", err)
	}
}

func (s *said) busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sending
}
