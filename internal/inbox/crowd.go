package inbox

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// crowd keeps connections from piling up. A limit on accepting would let whoever opens enough of them and says nothing shut everybody
// else out; here the one that has waited longest goes, and who has something to say is served.
type crowd struct {
	most int

	mu    sync.Mutex
	conns map[net.Conn]*list.Element // nil while a request is being served; guarded by mu
	idle  *list.List                 // of net.Conn that say nothing, or not a whole header, the longest first; guarded by mu
}

func newCrowd(most int) *crowd {
	return &crowd{most: most, conns: map[net.Conn]*list.Element{}, idle: list.New()}
}

// changed is told by the server of every change of a connection.
func (c *crowd) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.conns[conn]; e != nil {
		c.idle.Remove(e)
	}
	switch state {
	case http.StateNew, http.StateIdle:
		c.conns[conn] = c.idle.PushBack(conn)
	case http.StateActive:
		c.conns[conn] = nil
	case http.StateClosed, http.StateHijacked:
		delete(c.conns, conn)
	}
	for len(c.conns) > c.most && c.idle.Len() > 0 {
		oldest := c.idle.Front()
		conn, _ := c.idle.Remove(oldest).(net.Conn)
		delete(c.conns, conn)
		if t, ok := conn.(*tls.Conn); ok {
			conn = t.NetConn() // without the farewell, which would wait for who may not read
		}
		_ = conn.Close() // it is gone either way; the server sees that
	}
}
