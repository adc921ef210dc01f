package sftp

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"gondola/internal/config"
	"gondola/internal/outbox"
	"gondola/internal/sandbox"
)

// noticed is how long a frozen connection may go unnoticed.
const noticed = 35 * time.Second

// TestFrozenIsNoticedByDefault adds up what the clocks of a connection may take as they are set.
func TestFrozenIsNoticedByDefault(t *testing.T) {
	c := Config{}.withDefaults()
	if got := c.StallTimeout + watchEvery; got > noticed {
		t.Errorf("silence on the line, or of the storage behind it, is noticed after %v, want %v", got, noticed)
	}
	if c.KeepAlive >= c.StallTimeout {
		t.Errorf("a healthy idle line is asked for a sign of life every %v, and cut after %v", c.KeepAlive, c.StallTimeout)
	}
	if c.DialTimeout > noticed {
		t.Errorf("silence during the handshake is noticed after %v, want %v", c.DialTimeout, noticed)
	}
	if got := time.Duration(config.DefaultStallTimeout); got != c.StallTimeout {
		t.Errorf("the config says %v, want %v", got, c.StallTimeout)
	}
}

// TestFrozenIsNoticed freezes a connection in each way, with shorter clocks.
func TestFrozenIsNoticed(t *testing.T) {
	const timeout = 400 * time.Millisecond
	for _, tc := range []struct {
		name   string
		freeze func(s *sandbox.Sandbox)
		words  string
	}{
		{"silence on the line", func(s *sandbox.Sandbox) { s.Faults().StallAfter(50_000) }, "said nothing for 400ms"},
		{"the storage hangs", func(s *sandbox.Sandbox) { s.Faults().HangAfter(50_000) }, "said nothing for 400ms"},
		{"silence during the handshake", func(s *sandbox.Sandbox) { s.Faults().Silent(true) }, "no SSH answer within 400ms"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := sandboxed(nil)(t)
			tc.freeze(s.sandbox)
			s.config.StallTimeout, s.config.DialTimeout = timeout, timeout
			start := time.Now()
			r, err := Dial(t.Context(), s.config)
			if err == nil {
				defer func() { _ = r.Close() }()
				start = time.Now()
				_, err = r.Replace(t.Context(), document(t, 1, 1_000_000))
			}
			took := time.Since(start)
			wantClass(t, err, outbox.Transient, tc.words)
			if took > 10*time.Second { // a loaded machine is slow, a frozen line is for ever
				t.Errorf("noticed after %v, want some %v", took, timeout)
			}
		})
	}
}

// TestNonsense meets servers that answer what they should not.
func TestNonsense(t *testing.T) {
	t.Run("no SSH", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan struct{})
		go func() {
			defer close(served)
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, strings.Repeat("HTTP/1.1 400 Bad Request ", 50)+"\r\n")
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
		}()
		c := newServer(t).client()
		c.Port = l.Addr().(*net.TCPAddr).Port
		_, err = Dial(t.Context(), c)
		wantClass(t, err, outbox.Protocol, "make no sense", "sftp.port")
		_ = l.Close()
		<-served
	})
	version := packet(2, binary.BigEndian.AppendUint32(nil, 3))
	for name, answer := range map[string][]byte{
		"an answer to nothing":       packet(101, binary.BigEndian.AppendUint32(nil, 4711)),
		"an answer without its kind": {0, 0, 0, 0},
		"an endless answer":          {0xff, 0xff, 0xff, 0xff, 101},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.speak = func(c io.ReadWriter) {
				asked := make([]byte, 4<<10)
				if _, err := c.Read(asked); err == nil {
					_, _ = c.Write(version)
				}
				if _, err := c.Read(asked); err == nil {
					_, _ = c.Write(answer)
				}
				_, _ = io.Copy(io.Discard, c)
			}
			r := dial(t, s.client())
			_, err := r.Replace(t.Context(), document(t, 1, 10))
			wantClass(t, err, outbox.Protocol, "make no sense")
			if !errors.Is(err, outbox.ErrLost) {
				t.Errorf("%v is not ErrLost: nothing on that connection can be believed", err)
			}
		})
	}
}

// packet is an SFTP packet.
func packet(kind byte, body []byte) []byte {
	p := binary.BigEndian.AppendUint32(nil, uint32(1+len(body)))
	return append(append(p, kind), body...)
}
