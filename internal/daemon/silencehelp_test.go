package daemon

import (
	"net"
	"regexp"
	"sync"
	"testing"
)

// shortName is a pattern of file names that nothing is read by here.
var shortName = regexp.MustCompile("x")

// hangingPort returns the address of a server that takes connections and says nothing.
func hangingPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	var conns []net.Conn
	wait.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, conn)
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wait.Wait()
		for _, conn := range conns {
			_ = conn.Close()
		}
	})
	return l.Addr().String()
}
