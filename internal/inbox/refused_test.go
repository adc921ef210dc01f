package inbox

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestRefusedHoldNoPlace has a crowd without a secret announce bodies that never come: who has an order is served all the same.
func TestRefusedHoldNoPlace(t *testing.T) {
	v := newServed(t, Config{}, func(s *Server) { s.crowd.most = 50 })
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	for i := range 120 {
		conn, err := net.Dial("tcp", v.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
		_, err = io.WriteString(conn, "POST /webhook HTTP/1.1\r\nHost: localhost\r\nAuthorization: guessed\r\nContent-Length: 100000\r\n\r\n{")
		if err != nil {
			continue // closed already
		}
		if i%20 != 19 {
			continue
		}
		time.Sleep(50 * time.Millisecond) // so that all of them are refused
		res, err := v.try(http.MethodPost, v.url, strings.NewReader(fmt.Sprint(i)), "Authorization", testSecret)
		if err != nil || res.status != http.StatusOK {
			t.Errorf("beside %d who were refused: %v", i+1, err)
		}
	}
	v.crowd.mu.Lock()
	open := len(v.crowd.conns)
	v.crowd.mu.Unlock()
	if open > 51 {
		t.Errorf("%d connections are open", open)
	}
	time.Sleep(2 * time.Second)
	v.crowd.mu.Lock()
	open = len(v.crowd.conns)
	v.crowd.mu.Unlock()
	if open > 1 {
		t.Errorf("%d connections of who was refused are open", open)
	}
}

// TestSlowBodyComesAgain looks that a body which does not come in time is asked for again, not refused for good.
func TestSlowBodyComesAgain(t *testing.T) {
	v := newServed(t, Config{}, func(s *Server) { s.limits.read = 300 * time.Millisecond })
	code, header, closed := v.raw("POST /webhook HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + testSecret + "\r\nContent-Length: 10\r\n\r\n{")
	if code != http.StatusServiceUnavailable || header.Get("Retry-After") == "" || !closed {
		t.Errorf("%d %v, closed: %t", code, header, closed)
	}
}
