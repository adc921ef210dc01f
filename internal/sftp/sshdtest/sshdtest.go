// Package sshdtest starts OpenSSH's own server for tests, so that what works with the simulated platform is shown to work with the
// server that most of the world runs.
//
// # What it leaves behind: nothing
//
// Password login needs an account whose password sshd can check, and sshd needs root. A test must not add an account to the machine
// of whoever runs it: a test that is killed would leave a login behind. So sshd runs in a root of its own, a folder of the test into
// which the program, its libraries and an /etc with two invented accounts are copied. It sees no other file of the machine and
// writes no log, no wtmp and no account outside that folder, which goes when the test ends. Changing the root works in ordinary
// containers too, where mount namespaces are refused. The account's number belongs to nobody, and its password is in this file: for
// as long as a test runs, who can reach the loopback address can read and write the test's folder and nothing else.
//
// # How it runs
//
// The package listens itself and gives every connection to a process "sshd -i", as Debian's ssh@.service does. So the port
// needs no guessing and no waiting, and every process is known and can be ended with all its children: in this mode they stay in one
// process group.
package sshdtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// The account on the server. It also has a key, which is made anew for each server.
const (
	User     = "gondola"
	Password = "invented for the sshd tests"

	// hash is what perl -e 'print crypt("the password", q($6$gondolatests$))' makes of Password.
	hash = "$6$gondolatests$aMGrWOdWrI5PZ4.QufbA/WASoBIP9a8fQx.sR03kz2G5qkAT3No75UE8WIDRYxeB1OfPjFl4T9a.CUiuhSblm."
)

// The types of the server's host keys, for Fingerprint and KnownHosts. OpenSSH shows the first that the client asks for.
const (
	Ed25519 = "ed25519"
	ECDSA   = "ecdsa"
	RSA     = "rsa"
)

// The numbers of the account and of the one that sshd becomes before a login. Debian gives neither to anybody by itself.
const (
	userID = 59871
	sshdID = 59872
)

// The programs, where Debian has them.
const (
	sshdProgram   = "/usr/sbin/sshd"
	keygenProgram = "/usr/bin/ssh-keygen"
)

// Options says what kind of server it is.
type Options struct {
	// KeyOnly refuses passwords.
	KeyOnly bool
	// Jail locks the account into its home, where it owns the folders catalog and promotions and can make no others.
	Jail bool
}

// Server is OpenSSH's server on the loopback address. It is ended when the test ends.
type Server struct {
	t      testing.TB
	root   string // its root directory
	home   string
	port   int
	client []byte
	log    lockedBuffer

	mu       sync.Mutex // guards what is below
	listener net.Listener
	sessions map[int]bool // process groups
	wg       sync.WaitGroup
}

// Start starts a server. Without Linux, OpenSSH or root the test is skipped, but fails where CI is 1: there they must be.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	need(t, runtime.GOOS == "linux", "sshd is run in a root of its own, which is done on Linux only")
	need(t, os.Getuid() == 0, "sshd needs root")
	for _, program := range []string{sshdProgram, keygenProgram} {
		_, err := os.Stat(program)
		need(t, err == nil, program+" is missing: install openssh-server and openssh-client")
	}
	s := &Server{t: t, root: t.TempDir(), sessions: map[int]bool{}}
	s.home = filepath.Join(s.root, "home")
	if err := errors.Join(s.build(o), s.listen("127.0.0.1:0")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Stop()
		if t.Failed() {
			t.Logf("sshd:\n%s", s.log.String())
		}
	})
	return s
}

func need(t testing.TB, there bool, why string) {
	t.Helper()
	switch {
	case there:
	case os.Getenv("CI") == "1":
		t.Fatal(why)
	default:
		t.Skip(why)
	}
}

// Addr returns the host and port to connect to. They stay the same over Stop and Restart.
func (s *Server) Addr() (host string, port int) { return "127.0.0.1", s.port }

// Home returns the account's home folder, as the test sees it.
func (s *Server) Home() string { return s.home }

// Put writes a file below the home that belongs to the account, as do the folders that are made for it.
func (s *Server) Put(name, content string) {
	s.t.Helper()
	path := s.home
	for part := range strings.SplitSeq(filepath.Dir(filepath.FromSlash(name)), string(filepath.Separator)) {
		path = filepath.Join(path, part)
		if err := os.Mkdir(path, 0o755); os.IsExist(err) {
			continue
		} else if err = errors.Join(err, os.Chown(path, userID, userID)); err != nil {
			s.t.Fatal(err)
		}
	}
	path = filepath.Join(path, filepath.Base(name))
	if err := errors.Join(os.WriteFile(path, []byte(content), 0o600), os.Chown(path, userID, userID)); err != nil {
		s.t.Fatal(err)
	}
}

// Key returns the account's private key, PEM-encoded.
func (s *Server) Key() []byte { return bytes.Clone(s.client) }

// Fingerprint returns the SHA256:… fingerprint of the host key of a type.
func (s *Server) Fingerprint(kind string) string {
	s.t.Helper()
	fields := strings.Fields(s.public(kind))
	blob, err := base64.StdEncoding.DecodeString(fields[1])
	if err != nil {
		s.t.Fatal(err)
	}
	sum := sha256.Sum256(blob)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// KnownHosts returns lines for a known_hosts file, with the host keys of these types only.
func (s *Server) KnownHosts(kinds ...string) string {
	s.t.Helper()
	var b strings.Builder
	for _, kind := range kinds {
		fmt.Fprintf(&b, "[127.0.0.1]:%d %s", s.port, s.public(kind))
	}
	return b.String()
}

// public returns the line of a host key's public half: type, base64, comment.
func (s *Server) public(kind string) string {
	s.t.Helper()
	line, err := os.ReadFile(filepath.Join(s.root, "etc", "host_"+kind+".pub"))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(line)
}

// Attempts returns how often a client that accepted the host key asked to log in by a method: "password", "publickey", or "none",
// with which OpenSSH counts the question which methods there are. What a session has done is complete when it has ended.
func (s *Server) Attempts(method string) int {
	return strings.Count(s.log.String(), "userauth-request for user "+User+" service ssh-connection method "+method+" [preauth]")
}

// Sessions returns how many connections are being served.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

// Stop ends the server as a power cut would: nobody listens any more, and all connections are gone in the middle of whatever they
// did. It returns when every process has ended. Stopping twice does nothing.
func (s *Server) Stop() {
	s.mu.Lock()
	if s.listener != nil {
		_ = s.listener.Close() // nobody can be told, and the port is free in any case
		s.listener = nil
	}
	for group := range s.sessions {
		end(group)
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// Restart starts a stopped server again, on the same port and with the same files, keys and account.
func (s *Server) Restart() {
	s.t.Helper()
	if err := s.listen(net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port))); err != nil {
		s.t.Fatal(err)
	}
}

func (s *Server) listen(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.listener, s.port = l, l.Addr().(*net.TCPAddr).Port
	s.mu.Unlock()
	s.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if err := s.serve(c.(*net.TCPConn), l); err != nil {
				s.t.Errorf("start sshd: %v", err)
			}
		}
	})
	return nil
}

// serve gives a connection to a process of its own, unless the listener that it came from has been closed.
func (s *Server) serve(c *net.TCPConn, from net.Listener) error {
	defer func() { _ = c.Close() }() // the process has a copy
	socket, err := c.File()
	if err != nil {
		return err
	}
	defer func() { _ = socket.Close() }()
	cmd := exec.Command(sshdProgram, "-i", "-e", "-f", "/etc/sshd_config")
	cmd.Dir, cmd.Env = "/", []string{}
	confine(cmd, s.root)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = socket, socket, &s.log
	// Under the lock, so that Stop finds every process.
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != from {
		return nil
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	group := cmd.Process.Pid
	s.sessions[group] = true
	s.wg.Go(func() {
		// Returns when all children have closed the log, too. How sshd ended is in there.
		_ = cmd.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.sessions, group)
	})
	return nil
}

// lockedBuffer is a buffer that processes write to while a test reads it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String returns what was written so far.
func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
