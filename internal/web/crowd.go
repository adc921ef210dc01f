package web

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// crowd keeps connections from piling up: beyond so many the one goes that has waited longest without asking for anything, or where all of
// them ask for something the one that has just come.
type crowd struct {
	most int

	mu      sync.Mutex
	conns   map[net.Conn]*list.Element // nil for one that asks for something; guarded by mu, as what follows
	waiting *list.List                 // of net.Conn, the longest first
}

func newCrowd(most int) *crowd {
	return &crowd{most: most, conns: map[net.Conn]*list.Element{}, waiting: list.New()}
}

// changed is told by the server of every change of a connection.
func (c *crowd) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := c.conns[conn]; at != nil {
		c.waiting.Remove(at)
	}
	switch state {
	case http.StateNew, http.StateIdle:
		c.conns[conn] = c.waiting.PushBack(conn)
	case http.StateActive:
		c.conns[conn] = nil
	case http.StateClosed, http.StateHijacked:
		delete(c.conns, conn)
	}
	c.thin()
}

// leave closes whatever asks for nothing, and whatever comes: the server stops, and one that never asked would hold it up for its grace.
func (c *crowd) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.most = 0
	c.thin()
}

// thin closes what is too many. The caller holds mu.
func (c *crowd) thin() {
	for len(c.conns) > c.most && c.waiting.Len() > 0 {
		gone, _ := c.waiting.Remove(c.waiting.Front()).(net.Conn)
		delete(c.conns, gone)
		if t, ok := gone.(*tls.Conn); ok {
			gone = t.NetConn() // without the farewell, which would wait for who may not read
		}
		_ = gone.Close() // it is gone either way; the server sees that
	}
}
