package sandbox

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

func sizeOf(s *Sandbox, name string) int64 {
	info, err := os.Stat(filepath.Join(s.Home(), name))
	if err != nil {
		return -1
	}
	return info.Size()
}

// lastChange returns the newest content of a name once a lost connection's file has been closed.
func lastChange(t *testing.T, s *Sandbox, name string) Change {
	t.Helper()
	var h []Change
	eventually(t, "the server closes "+name, func() bool {
		h = s.History(name)
		return len(h) > 0 && h[len(h)-1].By == OpClose
	})
	return h[len(h)-1]
}

func TestCutAfter(t *testing.T) {
	for _, n := range []int64{0, 7, 100_000} {
		s := newTestSandbox(t, nil)
		c := newTestClient(t, s, sftp.UseConcurrentWrites(true))
		s.Faults().CutAfter(n)
		if err := send(c, "catalog/g_1.csv", bytes.Repeat([]byte("x"), 300_000)); err == nil {
			t.Fatalf("cut after %d: the upload went through", n)
		}
		if got := lastChange(t, s, "catalog/g_1.csv"); got.Complete {
			t.Errorf("cut after %d: the final name shows %+v", n, got)
		}
		ops := s.Operations()
		last := ops[len(ops)-1]
		if last.Kind != OpClose || last.Err != "connection lost" || last.Bytes != n {
			t.Errorf("cut after %d: last operation is %+v", n, last)
		}
		if err := send(newTestClient(t, s), "catalog/g_1.csv", []byte("again")); err != nil {
			t.Errorf("cut after %d: the next upload fails too: %v", n, err)
		}
		if got := lastChange(t, s, "catalog/g_1.csv"); !got.Complete || got.SHA256 != digestOf("again") {
			t.Errorf("after the next upload the name shows %+v", got)
		}
	}
}

func TestStallAfter(t *testing.T) {
	s := newTestSandbox(t, nil)
	c := newTestClient(t, s)
	s.Faults().StallAfter(5)
	done := make(chan error, 1)
	go func() { done <- send(c, "catalog/g_1.csv", []byte("0123456789")) }()
	eventually(t, "the line freezes", func() bool {
		l := s.server.clients()[0]
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.flows != nil
	})
	if got := sizeOf(s, "catalog/g_1.csv"); got != 5 {
		t.Errorf("%d bytes arrived, want 5", got)
	}
	select {
	case err := <-done:
		t.Errorf("the upload ended: %v", err)
	default:
	}
	s.Faults().Clear()
	if err := <-done; err != nil {
		t.Errorf("after the thaw: %v", err)
	}
	if got := lastChange(t, s, "catalog/g_1.csv"); !got.Complete || got.SHA256 != digestOf("0123456789") {
		t.Errorf("after the thaw the name shows %+v", got)
	}
}

func TestStalledSandboxCloses(t *testing.T) {
	s := newTestSandbox(t, nil)
	c := newTestClient(t, s)
	s.Faults().StallAfter(0)
	done := make(chan error, 1)
	go func() { done <- send(c, "catalog/g_1.csv", []byte("x")) }()
	eventually(t, "the upload begins", func() bool { return len(s.Operations()) > 0 })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil {
		t.Error("the upload went through")
	}
}

func TestHangAfter(t *testing.T) {
	s := newTestSandbox(t, nil)
	conn, err := login(t, s)
	if err != nil {
		t.Fatal(err)
	}
	c, err := sftp.NewClient(conn)
	if err != nil {
		t.Fatal(err)
	}
	s.Faults().HangAfter(5)
	done := make(chan error, 1)
	go func() { done <- send(c, "catalog/g_1.csv", []byte("0123456789")) }()
	eventually(t, "the bytes arrive", func() bool { return sizeOf(s, "catalog/g_1.csv") == 5 })
	if _, _, err := conn.SendRequest("keepalive@openssh.com", true, nil); err != nil {
		t.Errorf("keep-alive: %v", err)
	}
	select {
	case err := <-done:
		t.Errorf("the upload ended: %v", err)
	default:
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil {
		t.Error("the upload went through")
	}
	if got := lastChange(t, s, "catalog/g_1.csv"); got.Complete || got.Size != 5 {
		t.Errorf("the name shows %+v", got)
	}
}

func TestCutOn(t *testing.T) {
	tests := []struct {
		kind Kind
		done bool
		do   func(c *sftp.Client) error
		took func(s *Sandbox) bool
	}{
		{OpRename, false, func(c *sftp.Client) error { return c.Rename("catalog/a", "catalog/b") }, func(s *Sandbox) bool { return sizeOf(s, "catalog/b") == 1 }},
		{OpRename, true, func(c *sftp.Client) error { return c.Rename("catalog/a", "catalog/b") }, func(s *Sandbox) bool { return sizeOf(s, "catalog/b") == 1 }},
		{OpRemove, false, func(c *sftp.Client) error { return c.Remove("catalog/a") }, func(s *Sandbox) bool { return sizeOf(s, "catalog/a") < 0 }},
		{OpRemove, true, func(c *sftp.Client) error { return c.Remove("catalog/a") }, func(s *Sandbox) bool { return sizeOf(s, "catalog/a") < 0 }},
		{OpOpenWrite, false, func(c *sftp.Client) error { return send(c, "catalog/b", []byte("b")) }, func(s *Sandbox) bool { return sizeOf(s, "catalog/b") >= 0 }},
		{OpOpenWrite, true, func(c *sftp.Client) error { return send(c, "catalog/b", []byte("b")) }, func(s *Sandbox) bool { return sizeOf(s, "catalog/b") >= 0 }},
		{OpClose, false, func(c *sftp.Client) error { return send(c, "catalog/b", []byte("b")) }, func(s *Sandbox) bool { return s.History("catalog/b")[1].Complete }},
		{OpClose, true, func(c *sftp.Client) error { return send(c, "catalog/b", []byte("b")) }, func(s *Sandbox) bool { return s.History("catalog/b")[1].Complete }},
	}
	for _, tt := range tests {
		t.Run(string(tt.kind), func(t *testing.T) {
			s := newTestSandbox(t, nil)
			put(t, s, "catalog/a", "a")
			c := newTestClient(t, s)
			s.Faults().CutOn(tt.kind, tt.done)
			if _, err := c.Stat("catalog/a"); err != nil {
				t.Fatalf("an operation of another kind: %v", err)
			}
			if err := tt.do(c); err == nil || errors.As(err, new(*sftp.StatusError)) {
				t.Errorf("the client got an answer: %v", err)
			}
			if got := tt.took(s); got != tt.done {
				t.Errorf("done: %t, it took effect: %t", tt.done, got)
			}
			if _, err := newTestClient(t, s).Stat("catalog"); err != nil {
				t.Errorf("the next connection: %v", err)
			}
		})
	}
}

func TestNoSpaceAfter(t *testing.T) {
	s := newTestSandbox(t, nil)
	c := newTestClient(t, s)
	s.Faults().NoSpaceAfter(3)
	err := send(c, "catalog/g_1.csv", []byte("0123456789"))
	if code(err) != failure || !strings.Contains(err.Error(), "no space") {
		t.Errorf("got %v", err)
	}
	if got := lastChange(t, s, "catalog/g_1.csv"); got.Complete || got.Size != 3 {
		t.Errorf("the name shows %+v", got)
	}
	s.Faults().NoSpaceAfter(-1)
	if err := send(c, "catalog/g_1.csv", []byte("0123456789")); err != nil {
		t.Error(err)
	}
}

func TestReadOnly(t *testing.T) {
	s := newTestSandbox(t, nil)
	put(t, s, "catalog/a", "a")
	c := newTestClient(t, s)
	s.Faults().ReadOnly(true)
	for name, err := range map[string]error{
		"upload": send(c, "catalog/b", nil), "rename": c.Rename("catalog/a", "b"), "mkdir": c.Mkdir("more"), "remove": c.RemoveDirectory("catalog"),
	} {
		if code(err) != denied {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.Stat("catalog/a"); err != nil {
		t.Errorf("stat: %v", err)
	}
	s.Faults().Clear()
	if err := send(c, "catalog/b", nil); err != nil {
		t.Errorf("after Clear: %v", err)
	}
}

func TestRefuseLogin(t *testing.T) {
	s := newTestSandbox(t, nil)
	c := newTestClient(t, s)
	before := s.Faults().LoginAttempts()
	s.Faults().RefuseLogin(true)
	if _, err := login(t, s); err == nil || !strings.Contains(err.Error(), "unable to authenticate") {
		t.Errorf("login: %v", err)
	}
	if got := s.Faults().LoginAttempts() - before; got != 1 {
		t.Errorf("%d attempts were counted, want 1", got)
	}
	if _, err := c.Stat("catalog"); err != nil {
		t.Errorf("an existing session: %v", err)
	}
	s.Faults().RefuseLogin(false)
	newTestClient(t, s)
}

func TestDown(t *testing.T) {
	s := newTestSandbox(t, nil)
	c := newTestClient(t, s)
	s.Faults().Down(true)
	if err := c.Wait(); err == nil {
		t.Error("an existing session ended in peace")
	}
	if _, err := login(t, s); err == nil {
		t.Error("a new connection was taken")
	}
	s.Faults().Down(false)
	newTestClient(t, s)
}

func TestSilent(t *testing.T) {
	s := newTestSandbox(t, nil)
	s.Faults().Silent(true)
	done := make(chan error, 1)
	go func() {
		_, err := login(t, s)
		done <- err
	}()
	eventually(t, "the connection is taken", func() bool { return len(s.server.clients()) == 1 })
	select {
	case err := <-done:
		t.Errorf("the login ended: %v", err)
	default:
	}
	s.Faults().Clear()
	if err := <-done; err != nil {
		t.Errorf("after Clear: %v", err)
	}
}

func TestRotateHostKey(t *testing.T) {
	s := newTestSandbox(t, nil)
	before := s.HostKey()
	next, err := s.Faults().RotateHostKey()
	if err != nil {
		t.Fatal(err)
	}
	if next == before || next != s.HostKey() {
		t.Errorf("key was %s, was replaced by %s, is %s", before, next, s.HostKey())
	}
	newTestClient(t, s) // which compares the key that it sees
	pem, err := os.ReadFile(filepath.Join(s.opts.Dir, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := ssh.ParsePrivateKey(pem)
	if err != nil {
		t.Fatal(err)
	}
	if got := ssh.FingerprintSHA256(kept.PublicKey()); got != next {
		t.Errorf("the key on disk is %s, want %s", got, next)
	}
}
