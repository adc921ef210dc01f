package sshdtest

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestNothingStays stops a server in the middle of its work, and looks for what it could have left on the machine.
func TestNothingStays(t *testing.T) {
	before := accounts(t)
	s := Start(t, Options{})
	host, port := s.Addr()
	address := net.JoinHostPort(host, strconv.Itoa(port))
	greeting := func() string {
		t.Helper()
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(c).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		// A session that waits for the client's keys has two processes: sshd's privileged half and the other one.
		_, err = fmt.Fprint(c, "SSH-2.0-test\r\n")
		if err != nil {
			t.Fatal(err)
		}
		return line
	}
	if got := greeting(); !strings.HasPrefix(got, "SSH-2.0-OpenSSH_") {
		t.Errorf("the server says %q", got)
	}
	if n := s.Sessions(); n != 1 || len(s.processes(t)) == 0 {
		t.Errorf("%d sessions with the processes %v, want one", n, s.processes(t))
	}
	s.Stop()
	if left := s.processes(t); len(left) > 0 || s.Sessions() != 0 {
		t.Errorf("processes %v of %d sessions run on", left, s.Sessions())
	}
	if c, err := net.Dial("tcp", address); err == nil {
		_ = c.Close()
		t.Error("a stopped server takes connections")
	}
	s.Restart()
	_ = greeting()
	s.Stop()
	if got := accounts(t); got != before {
		t.Error("the machine's accounts have changed")
	}
}

// accounts returns the machine's files of accounts, as far as the test may read them.
func accounts(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, name := range []string{"/etc/passwd", "/etc/group", "/etc/shadow"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Log(err) // Start says why it can't go on
		}
		b.Write(data)
	}
	return b.String()
}

// processes lists the processes of the machine that have been started in the server's root, or in a folder below it.
func (s *Server) processes(t *testing.T) (ids []string) {
	t.Helper()
	roots, err := filepath.Glob("/proc/[0-9]*/root")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range roots {
		if at, err := os.Readlink(link); err == nil && strings.HasPrefix(at, s.root) {
			ids = append(ids, link)
		}
	}
	return ids
}
