package sftp

import (
	"bufio"
	"encoding/binary"
	"io"
	"sync"

	"gondola/internal/seam"
)

const (
	// maxSaid is how many bytes of requests may wait for the line: more wait with those who ask.
	maxSaid = 256 << 10
	// heardSize is how much of the answers is taken from the connection at once.
	heardSize = 64 << 10
)

// said is the pipe to the SFTP subsystem. What is asked while the line is busy goes with the next packet of the connection: each packet
// costs both ends a system call, and a request is a hundred bytes.
type said struct {
	to io.WriteCloser

	mu      sync.Mutex
	changed *sync.Cond // with mu: there is something to send, or room, or an end
	waiting []byte     // guarded by mu; requests, in their order
	left    int        // guarded by mu; bytes of the last request that were not written yet
	sending bool       // guarded by mu
	closed  bool       // guarded by mu
	err     error      // guarded by mu; of the line
}

func newSaid(to io.WriteCloser) *said {
	s := &said{to: to}
	s.changed = sync.NewCond(&s.mu)
	return s
}

// Write implements io.Writer. It is called for a request or a piece of one, and by one goroutine at a time. Errors of the line are told
// to whoever writes next; who waits for an answer hears of them by the end of the connection.
func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.waiting) > maxSaid && s.err == nil && !s.closed {
		s.changed.Wait()
	}
	if s.err == nil && s.closed {
		s.err = io.ErrClosedPipe
	}
	if s.err != nil {
		return 0, s.err
	}
	if s.left == 0 && len(p) >= 4 {
		seam.Point("sftp request")
		s.left = 4 + int(binary.BigEndian.Uint32(p))
	}
	s.left = max(s.left-len(p), 0)
	s.waiting = append(s.waiting, p...)
	if s.left == 0 {
		s.changed.Broadcast()
	}
	return len(p), nil
}

// send passes on what is asked, until the pipe is closed and empty, or the line breaks.
func (s *said) send() {
	var spare []byte // of what was sent last: two pieces of memory take turns
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		for (len(s.waiting) == 0 || s.left > 0 && len(s.waiting) <= maxSaid) && !s.closed {
			s.changed.Wait()
		}
		if len(s.waiting) == 0 {
			return
		}
		out := s.waiting
		s.waiting, s.sending = spare[:0], true
		s.mu.Unlock()
		_, err := s.to.Write(out)
		s.mu.Lock()
		s.sending, s.err, spare = false, err, out
		s.changed.Broadcast()
		if err != nil {
			return
		}
	}
}

// Close implements io.Closer. What is waiting is still sent, for as long as there is a line.
func (s *said) Close() error {
	s.mu.Lock()
	s.closed = true
	s.changed.Broadcast()
	for (len(s.waiting) > 0 || s.sending) && s.err == nil {
		s.changed.Wait()
	}
	s.mu.Unlock()
	return s.to.Close()
}

// heard is what the SFTP subsystem says.
type heard struct{ from *bufio.Reader }

// newHeard returns a reader of answers that notes when the subsystem last said something.
func newHeard(from io.Reader, p *pulse) heard {
	return heard{bufio.NewReaderSize(&pulsing{from, p}, heardSize)}
}

// Read implements io.Reader.
func (h heard) Read(p []byte) (int, error) {
	n, err := h.from.Read(p)
	if n > 0 {
		seam.Point("sftp answer")
	}
	return n, err
}

// pulsing notes when something was read.
type pulsing struct {
	io.Reader
	pulse *pulse
}

// Read implements io.Reader.
func (r *pulsing) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if n > 0 {
		r.pulse.touch()
	}
	return n, err
}
