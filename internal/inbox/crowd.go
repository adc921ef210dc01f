package inbox

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// crowd keeps connections from piling up. A limit on accepting would let whoever opens enough of them and says nothing shut everybody
// else out; here the one that has waited longest goes, and who has something to say is served. Connections that have shown the secret
// go last: their owner may be about to send the next order, and must not find the line dead.
type crowd struct {
	most int

	mu     sync.Mutex
	conns  map[net.Conn]place // guarded by mu, as what follows
	silent *list.List         // of net.Conn that were refused, then of those that have not sent a whole header yet, the longest first
	known  *list.List         // of net.Conn between two requests that were taken: a refused one ends the connection
}

// place is where a connection waits; zero while a request is being served.
type place struct {
	in *list.List
	at *list.Element
}

func newCrowd(most int) *crowd {
	return &crowd{most: most, conns: map[net.Conn]place{}, silent: list.New(), known: list.New()}
}

// changed is told by the server of every change of a connection.
func (c *crowd) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.conns[conn]; p.in != nil {
		p.in.Remove(p.at)
	}
	switch state {
	case http.StateNew:
		c.conns[conn] = place{c.silent, c.silent.PushBack(conn)}
	case http.StateIdle:
		c.conns[conn] = place{c.known, c.known.PushBack(conn)}
	case http.StateActive:
		c.conns[conn] = place{}
	case http.StateClosed, http.StateHijacked:
		delete(c.conns, conn)
	}
	for len(c.conns) > c.most && c.silent.Len()+c.known.Len() > 0 {
		from := c.silent
		if from.Len() < 2 && c.known.Len() > 0 {
			from = c.known // the newest is who has just come: it may have an order
		}
		conn, _ := from.Remove(from.Front()).(net.Conn)
		delete(c.conns, conn)
		if t, ok := conn.(*tls.Conn); ok {
			conn = t.NetConn() // without the farewell, which would wait for who may not read
		}
		_ = conn.Close() // it is gone either way; the server sees that
	}
}

// connKey is where the context of a call has its connection.
type connKey struct{}

func withConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

// refused is told that nothing more is wanted of the connection of a call. It is the first to go: the body that it announced may
// never come, and until then the server counts it as busy.
func (c *crowd) refused(ctx context.Context) {
	conn, ok := ctx.Value(connKey{}).(net.Conn)
	c.mu.Lock()
	defer c.mu.Unlock()
	if p, known := c.conns[conn]; ok && known && p.in == nil {
		c.conns[conn] = place{c.silent, c.silent.PushFront(conn)}
	}
}
