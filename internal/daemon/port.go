package daemon

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
)

// ports are the sockets that page and webhook listen on. They outlive the house: one by another config takes them over, and who calls in
// between waits a moment instead of being refused.
type ports struct {
	mu   sync.Mutex
	open []*port // guarded by mu
}

// port is one of them.
type port struct {
	address  string // as the config writes it
	listener net.Listener
	calls    chan call
	closed   chan struct{}
	done     sync.WaitGroup
}

// call is what accepting on a port gave.
type call struct {
	conn net.Conn
	err  error
}

// bind returns a listener on an address, whose end leaves the port open. An address that is listened on already is shared: whoever
// accepts first has the next connection.
func (p *ports) bind(address string) (net.Listener, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, known := range p.open {
		if known.is(address) {
			return &lease{port: known, ended: make(chan struct{})}, nil
		}
	}
	listener, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		for _, known := range p.open {
			if samePort(known.listener.Addr(), address) {
				return nil, fmt.Errorf("gondola itself listens there, as %s; another port can be had while it runs, this needs a restart", known.address)
			}
		}
	}
	if err != nil {
		return nil, err
	}
	one := &port{address: address, listener: listener, calls: make(chan call), closed: make(chan struct{})}
	one.done.Go(one.accept)
	p.open = append(p.open, one)
	return &lease{port: one, ended: make(chan struct{})}, nil
}

// is reports whether an address is the port's.
func (p *port) is(address string) bool {
	if p.address == address {
		return true
	}
	a, err := net.ResolveTCPAddr("tcp", address)
	return err == nil && a.Port != 0 && a.String() == p.listener.Addr().String()
}

// samePort reports whether an address has the number of one that is listened on.
func samePort(listening net.Addr, address string) bool {
	a, err := net.ResolveTCPAddr("tcp", address)
	have, ok := listening.(*net.TCPAddr)
	return err == nil && ok && a.Port == have.Port
}

// accept hands on whoever calls to whoever answers, until the port is closed.
func (p *port) accept() {
	for {
		conn, err := p.listener.Accept()
		select {
		case p.calls <- call{conn, err}:
		case <-p.closed:
			if conn != nil {
				_ = conn.Close() // nobody answers any more
			}
			return
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

// keep closes every port that none of the listeners is on.
func (p *ports) keep(in ...net.Listener) error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	used := map[*port]bool{}
	for _, l := range in {
		if l, ok := l.(*lease); ok {
			used[l.port] = true
		}
	}
	var kept []*port
	var errs []error
	for _, one := range p.open {
		if used[one] {
			kept = append(kept, one)
			continue
		}
		close(one.closed)
		errs = append(errs, one.listener.Close())
		one.done.Wait()
	}
	p.open = kept
	return errors.Join(errs...)
}

// lease is a port as one server has it: a net.Listener.
type lease struct {
	port  *port
	once  sync.Once
	ended chan struct{}
}

// Accept implements net.Listener.
func (l *lease) Accept() (net.Conn, error) {
	select {
	case <-l.ended: // who calls now is for the next one
		return nil, net.ErrClosed
	default:
	}
	select {
	case c := <-l.port.calls:
		return c.conn, c.err
	case <-l.ended:
	case <-l.port.closed:
	}
	return nil, net.ErrClosed
}

// Close implements net.Listener. The port stays open.
func (l *lease) Close() error {
	l.once.Do(func() { close(l.ended) })
	return nil
}

// Addr implements net.Listener.
func (l *lease) Addr() net.Addr { return l.port.listener.Addr() }
