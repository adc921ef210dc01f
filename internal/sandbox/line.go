package sandbox

import (
	"encoding/binary"
	"io"
	"net"
	"slices"
	"sync"
)

// line is a client's TCP connection, which can be frozen.
type line struct {
	net.Conn
	over chan struct{} // closed when the connection has ended for whatever reason
	once sync.Once

	mu    sync.Mutex
	flows chan struct{} // closed by thaw; nil while bytes flow; guarded by mu
}

func newLine(c net.Conn) *line { return &line{Conn: c, over: make(chan struct{})} }

// Read implements net.Conn. What arrives while the line is frozen is not seen before it thaws.
func (l *line) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if !l.wait() {
		return 0, net.ErrClosed
	}
	return n, err
}

// Write implements net.Conn.
func (l *line) Write(p []byte) (int, error) {
	if !l.wait() {
		return 0, net.ErrClosed
	}
	return l.Conn.Write(p)
}

// Close implements net.Conn, and wakes everybody who waits for the line.
func (l *line) Close() error {
	l.once.Do(func() { close(l.over) })
	return l.Conn.Close()
}

// cut ends the connection at once: the peer gets a reset, and what is not sent yet is lost.
func (l *line) cut() {
	if c, ok := l.Conn.(*net.TCPConn); ok {
		_ = c.SetLinger(0) // fails only on a connection that is gone already
	}
	_ = l.Close()
}

// freeze lets no byte pass in either direction from now on.
func (l *line) freeze() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.flows == nil {
		l.flows = make(chan struct{})
	}
}

// thaw lets bytes pass again, those that waited first.
func (l *line) thaw() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.flows != nil {
		close(l.flows)
		l.flows = nil
	}
}

// wait returns once bytes may flow, or false when the line was closed.
func (l *line) wait() bool {
	l.mu.Lock()
	flows := l.flows
	l.mu.Unlock()
	if flows == nil {
		return true
	}
	select {
	case <-flows:
		return true
	case <-l.over:
		return false
	}
}

// versionFilter is an SFTP server's channel whose first packet, the server's version, loses the extensions that are not wanted.
//
// It is needed because the SFTP library keeps one list of extensions for the whole process, while every sandbox has features of
// its own. Only the first packet that the server sends is touched; by the protocol it is the SSH_FXP_VERSION.
type versionFilter struct {
	io.ReadWriteCloser
	keep  func(extension string) bool
	first []byte // what is there of the first packet; used by the server's one sender only
	done  bool
}

// packetHead is the length of an SFTP packet's length field, which does not count itself.
const packetHead = 4

// Write implements io.Writer for packets in any pieces.
func (v *versionFilter) Write(p []byte) (int, error) {
	if v.done {
		return v.ReadWriteCloser.Write(p)
	}
	v.first = append(v.first, p...)
	if len(v.first) < packetHead {
		return len(p), nil
	}
	size := packetHead + int(binary.BigEndian.Uint32(v.first))
	if len(v.first) < size {
		return len(p), nil
	}
	v.done = true
	out := append(filterVersion(v.first[:size], v.keep), v.first[size:]...)
	v.first = nil
	if _, err := v.ReadWriteCloser.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// filterVersion returns an SSH_FXP_VERSION packet with the extensions that keep wants. A packet that is none is returned as it is.
func filterVersion(packet []byte, keep func(extension string) bool) []byte {
	const (
		typeVersion = 2
		fixed       = packetHead + 1 + 4 // length, type, protocol version
	)
	if len(packet) < fixed || packet[packetHead] != typeVersion {
		return packet
	}
	out := slices.Clone(packet[:fixed])
	for rest := packet[fixed:]; len(rest) > 0; {
		name, afterName, ok := cutString(rest)
		if !ok {
			return packet
		}
		_, afterData, ok := cutString(afterName)
		if !ok {
			return packet
		}
		if keep(string(name)) {
			out = append(out, rest[:len(rest)-len(afterData)]...)
		}
		rest = afterData
	}
	binary.BigEndian.PutUint32(out, uint32(len(out)-packetHead)) // shorter than the packet that came with such a field
	return out
}

// cutString splits an SSH string, a length and its bytes, from what follows it.
func cutString(b []byte) (s, rest []byte, ok bool) {
	if len(b) < packetHead {
		return nil, nil, false
	}
	n := uint64(binary.BigEndian.Uint32(b))
	if n > uint64(len(b)-packetHead) {
		return nil, nil, false
	}
	return b[packetHead : packetHead+n], b[packetHead+n:], true
}
