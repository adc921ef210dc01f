package web

import (
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// TestCrowd opens far more connections than there may be, and says nothing on them: who asks for the page gets it all the same.
func TestCrowd(t *testing.T) {
	s := newServed(t, Config{Look: fixed(Page{State: "ok"})})
	for i := range 3 * maxConns {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if i == 0 {
			defer func() {
				if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
					t.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, c); n > 0 || isTimeout(err) {
					t.Errorf("the first connection is still open: %d bytes, %v", n, err)
				}
			}()
		}
	}
	if res, _ := ask(t, http.MethodGet, s.url+"/"); res.code != http.StatusOK {
		t.Errorf("%d", res.code)
	}
}

func isTimeout(err error) bool {
	e, ok := err.(net.Error) //nolint:errorlint // as io.Copy returns it
	return ok && e.Timeout()
}

// TestCrowdOfTheBusy has every connection ask for something: the one that has just come goes.
func TestCrowdOfTheBusy(t *testing.T) {
	c := newCrowd(2)
	var busy []net.Conn
	for range 2 {
		a, b := net.Pipe()
		defer b.Close()
		c.changed(a, http.StateNew)
		c.changed(a, http.StateActive)
		busy = append(busy, a)
	}
	a, b := net.Pipe()
	c.changed(a, http.StateNew)
	if _, err := b.Read(make([]byte, 1)); err == nil {
		t.Error("one too many is kept")
	}
	c.changed(busy[0], http.StateIdle)
	c.changed(busy[0], http.StateClosed)
	c.changed(busy[1], http.StateHijacked)
	if len(c.conns) != 0 || c.waiting.Len() != 0 {
		t.Errorf("%d connections are kept, %d wait", len(c.conns), c.waiting.Len())
	}
}
