package sftp

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"gondola/internal/outbox"
)

func TestDialLogin(t *testing.T) {
	for _, tc := range []struct {
		name     string
		methods  []string
		password string
		class    outbox.Class
		attempts int32
	}{
		{name: "password", password: testPassword, attempts: 1},
		{name: "prompt", methods: []string{"keyboard-interactive"}, password: testPassword, attempts: 1},
		{name: "wrong password", password: "wrong", class: outbox.Credentials, attempts: 1},
		{
			name: "wrong password, prompt too", methods: []string{"password", "keyboard-interactive"}, password: "wrong",
			class: outbox.Credentials, attempts: 1,
		},
		{name: "wrong answer to the prompt", methods: []string{"keyboard-interactive"}, password: "wrong", class: outbox.Credentials, attempts: 1},
		{name: "no password", password: "", class: outbox.Local},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newServer(t)
			s.methods = tc.methods
			c := s.client()
			c.Password = func() (string, error) { return tc.password, nil }
			r, err := Dial(t.Context(), c)
			if n := s.passwords.Load(); n != tc.attempts {
				t.Errorf("%d password attempts, want %d", n, tc.attempts)
			}
			if tc.class != "" {
				wantClass(t, err, tc.class, "sftp.password")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			_ = r.Close()
		})
	}
}

func TestDialSecretUnreadable(t *testing.T) {
	s := newServer(t)
	c := s.client()
	c.Password = func() (string, error) { return "", os.ErrNotExist }
	_, err := Dial(t.Context(), c)
	wantClass(t, err, outbox.Local, "sftp.password")
	c.Password = nil
	c.KeyPEM = func() ([]byte, error) { return []byte("no key"), nil }
	_, err = Dial(t.Context(), c)
	wantClass(t, err, outbox.Local, "sftp.key")
}

func TestDialHostKeys(t *testing.T) {
	s := newServer(t)
	plain, second, stranger := s.keys[0], newRSA(t), newEd25519(t)
	s.keys = append(s.keys, second)
	address := "[127.0.0.1]:" + portOf(s)
	file := func(lines ...string) string {
		name := filepath.Join(t.TempDir(), "known_hosts")
		if err := os.WriteFile(name, []byte(strings.Join(lines, "")), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, tc := range []struct {
		name  string
		pins  []string
		file  string
		class outbox.Class
		words []string
	}{
		{name: "pinned", pins: []string{fingerprint(plain)}},
		{name: "one of several pins", pins: []string{fingerprint(stranger), fingerprint(plain)}},
		{name: "pin of the type asked for last", pins: []string{fingerprint(second)}},
		{name: "known host", file: file(authorizedLine(address, plain.PublicKey()))},
		{name: "known host by its other key", file: file(authorizedLine(address, second.PublicKey()))},
		{name: "unknown to the file, pinned", pins: []string{fingerprint(second)}, file: file()},
		{
			name: "changed", pins: []string{fingerprint(stranger)}, class: outbox.HostKey,
			words: []string{fingerprint(plain), fingerprint(second), fingerprint(stranger), "gondola hostkey accept SHA256:", "sftp.host_keys"},
		},
		{
			name: "changed in the file", file: file(authorizedLine(address, stranger.PublicKey())), class: outbox.HostKey,
			words: []string{fingerprint(stranger), "known_hosts"},
		},
		{name: "unknown to the file", file: file(), class: outbox.HostKey, words: []string{"none for this host"}},
		{
			name: "revoked beats pinned", pins: []string{fingerprint(plain), fingerprint(second)}, class: outbox.HostKey, words: []string{"revoked"},
			file: file("@revoked "+authorizedLine(address, plain.PublicKey()), "@revoked "+authorizedLine(address, second.PublicKey())),
		},
		{name: "no file", file: "/does/not/exist", class: outbox.HostKey, words: []string{"sftp.known_hosts"}},
		{name: "not a fingerprint", pins: []string{"aa:bb"}, class: outbox.HostKey, words: []string{"aa:bb"}},
		{name: "nothing configured", class: outbox.HostKey, words: []string{"sftp.host_keys"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := s.passwords.Load()
			c := s.client()
			c.HostKeys, c.KnownHosts = tc.pins, tc.file
			r, err := Dial(t.Context(), c)
			if tc.class == "" {
				if err != nil {
					t.Fatal(err)
				}
				_ = r.Close()
				return
			}
			wantClass(t, err, tc.class, tc.words...)
			if s.passwords.Load() != before {
				t.Error("the password went to a server that is not ours")
			}
		})
	}
}

func portOf(s *server) string { _, p, _ := net.SplitHostPort(s.listener.Addr().String()); return p }

// A peer that accepts and says nothing is given up after the dial timeout, and at once when ctx ends.
func TestDialSilentPeer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	s := newServer(t)
	c := s.client()
	c.Port, c.DialTimeout = l.Addr().(*net.TCPAddr).Port, 200*time.Millisecond
	start := time.Now()
	_, err = Dial(t.Context(), c)
	wantClass(t, err, outbox.Transient, "no SSH answer within 200ms", "firewall")
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}

	c.DialTimeout = time.Minute
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errors.New("stop"))
	defer cancel()
	start = time.Now()
	if _, err = Dial(ctx, c); err == nil || time.Since(start) > 2*time.Second {
		t.Errorf("Dial after the end of ctx: %v, %v", time.Since(start), err)
	}
}

func TestDialNobodyThere(t *testing.T) {
	s := newServer(t)
	_ = s.listener.Close()
	_, err := Dial(t.Context(), s.client())
	wantClass(t, err, outbox.Transient, "sftp.host")
}

// A peer that falls silent after the login, while SFTP starts.
func TestDialSilentAfterLogin(t *testing.T) {
	s := newServer(t)
	p := newProxy(t, s.port)
	s.loggedIn = func() { p.frozen.Store(true) }
	c := s.client()
	c.Port, c.DialTimeout = p.port, 300*time.Millisecond
	_, err := Dial(t.Context(), c)
	wantClass(t, err, outbox.Transient, "within 300ms")
}

// SSH answers and the storage behind it does not.
func TestStallBehindSSH(t *testing.T) {
	s := newServer(t)
	release := make(chan struct{})
	s.before = func(op, name, _ string) error {
		if op == "Open" {
			<-release
		}
		return nil
	}
	c := s.client()
	c.StallTimeout = 300 * time.Millisecond
	r := dial(t, c)
	t.Cleanup(func() { close(release) })
	start := time.Now()
	_, err := r.Replace(t.Context(), document(t, 7, 10))
	wantClass(t, err, outbox.Transient, "said nothing")
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
}

// A cancelled call to a server that does not answer returns after the grace.
func TestCancelAgainstSilence(t *testing.T) {
	s := newServer(t)
	release := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	s.before = func(op, _, _ string) error {
		if op == "Open" {
			cancel()
			<-release
		}
		return nil
	}
	r := dial(t, s.client())
	t.Cleanup(func() { close(release) })
	start := time.Now()
	_, err := r.Replace(ctx, document(t, 7, 10))
	if err == nil || time.Since(start) > cancelGrace+2*time.Second {
		t.Errorf("Replace after %v: %v", time.Since(start), err)
	}
}

func TestLogin(t *testing.T) {
	base := Config{Host: "sftp.example.net", User: "u", Salt: []byte("salt"), Password: func() (string, error) { return "p", nil }}
	login := func(change func(*Config)) string {
		t.Helper()
		c := base
		change(&c)
		l, err := c.Login()
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	same := login(func(*Config) {})
	for name, change := range map[string]func(*Config){
		"host case": func(c *Config) { c.Host = "SFTP.example.net" },
		"port":      func(c *Config) { c.Port = 22 },
		"pins":      func(c *Config) { c.HostKeys = []string{"SHA256:x"} },
	} {
		if login(change) != same {
			t.Errorf("%s makes it another login", name)
		}
	}
	for name, change := range map[string]func(*Config){
		"host":     func(c *Config) { c.Host = "other" },
		"port":     func(c *Config) { c.Port = 2222 },
		"user":     func(c *Config) { c.User = "v" },
		"password": func(c *Config) { c.Password = func() (string, error) { return "q", nil } },
		"key":      func(c *Config) { c.KeyPEM = func() ([]byte, error) { return []byte("k"), nil } },
		"salt":     func(c *Config) { c.Salt = []byte("pepper") },
		"borders":  func(c *Config) { c.User, c.Password = "", func() (string, error) { return "up", nil } },
	} {
		if login(change) == same {
			t.Errorf("%s does not make it another login", name)
		}
	}
	if _, err := hex.DecodeString(same); err != nil || len(same) != 64 {
		t.Errorf("Login() = %q, want 64 hex digits", same)
	}
}

func TestParseKeyWithPassphrase(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte("open"))
	if err != nil {
		t.Fatal(err)
	}
	locked := pem.EncodeToMemory(block)
	if _, err := parseKey(secrets{keyPEM: locked, passphrase: "open"}); err != nil {
		t.Errorf("right passphrase: %v", err)
	}
	for _, passphrase := range []string{"", "shut"} {
		if _, err := parseKey(secrets{keyPEM: locked, passphrase: passphrase}); err == nil {
			t.Errorf("passphrase %q opened the key", passphrase)
		}
	}
}
