package sftp

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"gondola/internal/outbox"
)

// TestShownKeys sees every key of a server, without a login, and pins one of them.
func TestShownKeys(t *testing.T) {
	s := newServer(t)
	s.keys = append(s.keys, newRSA(t))
	c := s.client()
	c.HostKeys, c.Password = nil, nil
	got, err := ShownKeys(t.Context(), c)
	want := []ShownKey{
		{Type: "ssh-ed25519", Fingerprint: ssh.FingerprintSHA256(s.keys[0].PublicKey())},
		{Type: "ssh-rsa", Fingerprint: ssh.FingerprintSHA256(s.keys[1].PublicKey())},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("%v, %v; want %v", got, err, want)
	}
	if n := s.passwords.Load(); n != 0 {
		t.Errorf("%d logins were tried", n)
	}
	for _, k := range got {
		c := s.client()
		c.HostKeys = []string{k.Fingerprint}
		r, err := Dial(t.Context(), c)
		if err != nil {
			t.Fatalf("with %v pinned: %v", k, err)
		}
		_ = r.Close()
	}
}

// TestShownKeysFails has nobody there, something else there, somebody who says nothing, and a caller who leaves.
func TestShownKeysFails(t *testing.T) {
	closed := newServer(t)
	_ = closed.listener.Close()
	_, err := ShownKeys(t.Context(), Config{Host: "127.0.0.1", Port: closed.port, User: "u"})
	wantClass(t, err, outbox.Transient, "connection refused")

	for name, tt := range map[string]struct {
		greet string
		class outbox.Class
	}{"another service": {"HTTP/1.1 400 Bad Request\r\n\r\n" + string(make([]byte, 300)), outbox.Protocol}, "silence": {"", outbox.Transient}} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				conn, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = io.WriteString(conn, tt.greet)
				_, _ = io.Copy(io.Discard, conn)
				_ = conn.Close()
			}()
			defer func() { _ = l.Close(); <-done }()
			c := Config{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, User: "u", DialTimeout: 300 * time.Millisecond}
			_, err = ShownKeys(t.Context(), c)
			wantClass(t, err, tt.class, "")
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := newServer(t)
	if _, err := ShownKeys(ctx, s.client()); err == nil {
		t.Error("keys for a caller who has left")
	}
}

// TestHome lists what lies in the login's home.
func TestHome(t *testing.T) {
	s := newServer(t)
	for _, name := range []string{"promotions", "catalog"} {
		if err := os.Mkdir(filepath.Join(s.dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	r, err := Dial(t.Context(), s.client())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if got, err := r.Home(t.Context()); err != nil || !slices.Equal(got, []string{"catalog", "promotions"}) {
		t.Errorf("%v, %v", got, err)
	}
}
