package sftp

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gondola/internal/outbox"
	"gondola/internal/sftp/sshdtest"
)

// sshdConfig is a client of OpenSSH's server that logs in with the password.
func sshdConfig(s *sshdtest.Server) Config {
	host, port := s.Addr()
	return Config{
		Host: host, Port: port, User: sshdtest.User, HostKeys: []string{s.Fingerprint(sshdtest.Ed25519)},
		Password: func() (string, error) { return sshdtest.Password, nil },
	}
}

// ownKey adds the account's key.
func ownKey(c *Config, s *sshdtest.Server) {
	c.KeyPEM = func() ([]byte, error) { return s.Key(), nil }
}

// ended waits until the server has forgotten all connections: only then has it counted what they did.
func ended(t *testing.T, s *sshdtest.Server) {
	t.Helper()
	waitFor(t, func() bool { return s.Sessions() == 0 })
}

func TestOpenSSHLogin(t *testing.T) {
	password := func(text string) func(*Config, *sshdtest.Server) {
		return func(c *Config, _ *sshdtest.Server) { c.Password = func() (string, error) { return text, nil } }
	}
	strangersKey := func(c *Config, _ *sshdtest.Server) {
		c.KeyPEM = func() ([]byte, error) {
			_, key, err := ed25519.GenerateKey(rand.Reader)
			return pemOf(t, key), err
		}
	}
	for _, tc := range []struct {
		name      string
		options   sshdtest.Options
		change    []func(*Config, *sshdtest.Server)
		words     []string // of the refusal; none where the login succeeds
		passwords int      // how often one was offered
		key       bool     // whether one was
	}{
		{name: "password", passwords: 1},
		{name: "key", options: sshdtest.Options{KeyOnly: true}, change: []func(*Config, *sshdtest.Server){ownKey, password("")}, key: true},
		{name: "key and a password that is not needed", change: []func(*Config, *sshdtest.Server){ownKey, password("wrong")}, key: true},
		{name: "a stranger's key and the password", change: []func(*Config, *sshdtest.Server){strangersKey}, passwords: 1, key: true},
		{
			name: "wrong password", change: []func(*Config, *sshdtest.Server){password("wrong")}, passwords: 1,
			words: []string{`"gondola"`, "sftp.password"},
		},
		{
			name: "a stranger's key", change: []func(*Config, *sshdtest.Server){strangersKey, password("")}, key: true,
			words: []string{`"gondola"`, "sftp.key"},
		},
		{name: "password where only keys are taken", options: sshdtest.Options{KeyOnly: true}, words: []string{`"gondola"`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := sshdtest.Start(t, tc.options)
			c := sshdConfig(s)
			for _, change := range tc.change {
				change(&c, s)
			}
			r, err := Dial(t.Context(), c)
			if tc.words != nil {
				wantClass(t, err, outbox.Credentials, tc.words...)
			} else if err != nil {
				t.Fatal(err)
			} else {
				_ = r.Close()
			}
			ended(t, s)
			if n := s.Attempts("password"); n != tc.passwords {
				t.Errorf("the password was offered %d times, want %d", n, tc.passwords)
			}
			if n := s.Attempts("publickey"); n > 0 != tc.key {
				t.Errorf("a key was offered %d times", n)
			}
		})
	}
}

// The server shows a key of any type; a client that knows one of them asks for that one, and a client that knows another server sends
// nothing of the login.
func TestOpenSSHHostKeys(t *testing.T) {
	s := sshdtest.Start(t, sshdtest.Options{})
	other := sshdtest.Start(t, sshdtest.Options{})
	kinds := []string{sshdtest.Ed25519, sshdtest.ECDSA, sshdtest.RSA}
	known := func(lines string) string {
		name := filepath.Join(t.TempDir(), "known_hosts")
		if err := os.WriteFile(name, []byte(lines), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, kind := range kinds {
		t.Run("one pin, "+kind, func(t *testing.T) {
			c := sshdConfig(s)
			c.HostKeys = []string{s.Fingerprint(kind)}
			_ = dial(t, c)
		})
		t.Run("one type in known_hosts, "+kind, func(t *testing.T) {
			c := sshdConfig(s)
			c.HostKeys, c.KnownHosts = nil, known(s.KnownHosts(kind))
			_ = dial(t, c)
		})
	}
	if s.Attempts("none") == 0 || s.Attempts("password") == 0 {
		t.Error("the server does not tell of logins: what follows shows nothing")
	}
	// The client knows the keys of one server, and meets the other one under its address.
	_, port := other.Addr()
	for _, tc := range []struct {
		name   string
		change func(*Config)
		words  []string
	}{
		{name: "pins", change: func(c *Config) { c.HostKeys = []string{s.Fingerprint(sshdtest.ECDSA)} }, words: []string{"sftp.host_keys"}},
		{
			name: "known_hosts", words: []string{"known_hosts"},
			change: func(c *Config) {
				_, own := s.Addr()
				line := strings.Replace(s.KnownHosts(sshdtest.ECDSA), fmt.Sprintf(":%d ", own), fmt.Sprintf(":%d ", port), 1)
				c.HostKeys, c.KnownHosts = nil, known(line)
			},
		},
	} {
		t.Run("changed, "+tc.name, func(t *testing.T) {
			c := sshdConfig(other)
			tc.change(&c)
			_, err := Dial(t.Context(), c)
			wantClass(t, err, outbox.HostKey, tc.words...)
			for _, kind := range kinds {
				if !strings.Contains(err.Error(), other.Fingerprint(kind)) {
					t.Errorf("the message does not say the %s key: %v", kind, err)
				}
			}
			if !strings.Contains(err.Error(), s.Fingerprint(sshdtest.ECDSA)) {
				t.Errorf("the message does not say what was expected: %v", err)
			}
		})
	}
	ended(t, other)
	for _, method := range []string{"none", "password", "publickey"} {
		if n := other.Attempts(method); n != 0 {
			t.Errorf("%d attempts to log in by %q at a server that is not ours", n, method)
		}
	}
}

func TestOpenSSHWays(t *testing.T) {
	s := sshdtest.Start(t, sshdtest.Options{})
	for _, login := range []string{"password", "key"} {
		t.Run(login, func(t *testing.T) {
			c := sshdConfig(s)
			if login == "key" {
				ownKey(&c, s)
				c.Password = nil
			}
			for _, tc := range []struct {
				name, folder string
				posixRename  bool
				ways         []string
			}{
				{name: "with posix-rename", folder: "catalog", posixRename: true, ways: []string{"posix-rename", "posix-rename"}},
				{name: "without", folder: "plain/deep", ways: []string{"rename", "aside"}},
			} {
				t.Run(tc.name, func(t *testing.T) {
					r := dial(t, c)
					if !r.advertised {
						t.Fatal("OpenSSH does not announce posix-rename any more")
					}
					r.advertised = tc.posixRename
					d := document(t, 1, 5_000_000)
					d.Folder = login + "/" + tc.folder
					for i, way := range tc.ways {
						got, err := r.Replace(t.Context(), d)
						if err != nil || got.Way != way || got.Proof != outbox.ProofSize || got.Replaced != (i > 0) {
							t.Fatalf("Replace = %+v, %v; want %s", got, err, way)
						}
						d.Known = []int64{d.Size}
					}
					holds(t, filepath.Join(s.Home(), filepath.FromSlash(d.Folder)), d, map[string]string{final: ""})
				})
			}
		})
	}
}

// A jailed account, as file-exchange services give them out, owns its folders and can make no others.
func TestOpenSSHJail(t *testing.T) {
	s := sshdtest.Start(t, sshdtest.Options{Jail: true})
	r := dial(t, sshdConfig(s))
	d := document(t, 1, 100_000)
	for range 2 {
		if _, err := r.Replace(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		d.Known = []int64{d.Size}
	}
	holds(t, filepath.Join(s.Home(), "catalog"), d, map[string]string{final: ""})
	d.Folder = "prices"
	_, err := r.Replace(t.Context(), d)
	wantClass(t, err, outbox.Permission, "make folder", `"gondola"`)
	if seen, err := r.Look(t.Context(), "prices", final); err != nil || seen.Exists {
		t.Errorf("Look in a missing folder = %+v, %v", seen, err)
	}
}

// The server dies in the middle of an upload and is started again: the old file is intact, and the next connection sweeps what stayed.
func TestOpenSSHDiesInUpload(t *testing.T) {
	s := sshdtest.Start(t, sshdtest.Options{})
	s.Put("catalog/"+final, old)
	line := newProxy(t, sshdConfig(s).Port)
	line.limit.Store(2_000_000) // no more than that arrives, so that it is the middle
	c := sshdConfig(s)
	c.Port = line.port
	d := document(t, 7, 30_000_000)
	d.Known = []int64{int64(len(old))}
	r := dial(t, c)
	failed := make(chan error, 1)
	go func() {
		_, err := r.Replace(t.Context(), d)
		failed <- err
	}()
	waitFor(t, line.frozen.Load)
	s.Stop()
	line.cut()
	err := <-failed
	wantClass(t, err, outbox.Transient)
	if !errors.Is(err, outbox.ErrLost) {
		t.Errorf("%v is not ErrLost", err)
	}
	_, err = Dial(t.Context(), sshdConfig(s))
	wantClass(t, err, outbox.Transient, "connect to")
	left := filepath.Join(s.Home(), "catalog", "."+final+".7.tmp")
	if info, err := os.Stat(left); err != nil || info.Size() == 0 || info.Size() >= d.Size {
		t.Errorf("nothing for the sweep to do: %v, %v", info, err)
	}
	if got := readFile(t, filepath.Join(s.Home(), "catalog", final)); got != old {
		t.Errorf("final name holds %.20q", got)
	}
	s.Restart()
	again := dial(t, sshdConfig(s))
	if err := sweep(t.Context(), again, "catalog"); err != nil {
		t.Fatal(err)
	}
	holds(t, filepath.Join(s.Home(), "catalog"), d, map[string]string{final: old})
	if got, err := again.Replace(t.Context(), d); err != nil || !got.Replaced {
		t.Errorf("Replace = %+v, %v", got, err)
	}
	holds(t, filepath.Join(s.Home(), "catalog"), d, map[string]string{final: ""})
}
