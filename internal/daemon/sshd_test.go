package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/config"
	"gondola/internal/sftp/sshdtest"
)

// The house against OpenSSH's server, from the drop folder to the files in the account's home.

// at points a house at a server: one host key is pinned, and the login is the password.
func at(s *sshdtest.Server) func(*live) {
	return func(l *live) {
		l.Helper()
		l.home = s.Home()
		l.cfg.SFTP.Host, l.cfg.SFTP.Port = s.Addr()
		l.cfg.SFTP.User = sshdtest.User
		l.cfg.SFTP.HostKeys = []string{s.Fingerprint(sshdtest.Ed25519)}
		l.writeFile("password", sshdtest.Password)
	}
}

// withKey makes the house log in with the account's key.
func withKey(l *live, s *sshdtest.Server) {
	l.Helper()
	l.writeFile("id", string(s.Key()))
	l.cfg.SFTP.Password, l.cfg.SFTP.Key = config.Secret{}, filepath.Join(l.dir, "id")
}

// withKnownHosts makes the house know the server by its keys of these types, from a known_hosts file.
func withKnownHosts(l *live, s *sshdtest.Server, kinds ...string) {
	l.Helper()
	l.writeFile("known_hosts", s.KnownHosts(kinds...))
	l.cfg.SFTP.HostKeys, l.cfg.SFTP.KnownHosts = nil, filepath.Join(l.dir, "known_hosts")
}

// shelves returns all that lies in the account's home, by path.
func (l *live) shelves() map[string]string {
	l.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(l.home, func(path string, e os.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil // renamed in between
		}
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		name, rerr := filepath.Rel(l.home, path)
		all[filepath.ToSlash(name)] = string(data)
		return errors.Join(err, rerr)
	})
	if err != nil {
		l.Fatal(err)
	}
	return all
}

// awaitShelves waits until the account's home holds these files and no others.
func (l *live) awaitShelves(want map[string]string) {
	l.Helper()
	l.await("what lies on the server", func() bool { return cmp.Equal(want, l.shelves()) })
}

const (
	dearerExport = "Sucursal;Código;Precio;Activo\n001;A1;11,20;S\n001;A2;1.299,00;N\n002;A1;11,00;S\n"
	dearerCentro = "sku,price,active\nA1,11.20,1\nA2,1299.00,0\n"
)

// TestOpenSSH follows two exports to the server, for every way to log in and to know the server.
func TestOpenSSH(t *testing.T) {
	for _, tc := range []struct {
		name      string
		options   sshdtest.Options
		change    func(*live, *sshdtest.Server)
		passwords bool // whether one was offered
	}{
		{name: "password", passwords: true, change: func(*live, *sshdtest.Server) {}},
		{
			name: "password, one type of key in known_hosts", passwords: true,
			change: func(l *live, s *sshdtest.Server) { withKnownHosts(l, s, sshdtest.ECDSA) },
		},
		{name: "key", options: sshdtest.Options{KeyOnly: true}, change: withKey},
		{
			name: "key, jailed, one type of key in known_hosts", options: sshdtest.Options{Jail: true},
			change: func(l *live, s *sshdtest.Server) {
				withKey(l, s)
				withKnownHosts(l, s, sshdtest.RSA)
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := sshdtest.Start(t, tc.options)
			l := newLive(t, liveOptions{server: func(l *live) {
				at(s)(l)
				tc.change(l, s)
			}})
			l.put("precios.csv", liveExport)
			l.awaitEvent(EventRead, 1)
			if got := l.shelves(); len(got) > 0 {
				t.Errorf("a drop alone reached the server: %v", got)
			}
			l.push()
			l.awaitEvent(EventSent, 2)
			want := map[string]string{"catalog/gondola_290056.csv": liveCentro, "catalog/gondola_290057.csv": livePuerto}
			if diff := cmp.Diff(want, l.shelves()); diff != "" {
				t.Errorf("what lies on the server (-want +got):\n%s", diff)
			}
			l.await("the answer to say that both documents arrived", func() bool {
				return strings.Count(l.receipt("precios.csv"), "comprob") == 2
			})
			l.put("precios.csv", dearerExport)
			l.awaitEvent(EventRead, 2)
			l.push()
			l.awaitEvent(EventSent, 3)
			want["catalog/gondola_290056.csv"] = dearerCentro
			if diff := cmp.Diff(want, l.shelves()); diff != "" {
				t.Errorf("what lies on the server after the second export (-want +got):\n%s", diff)
			}
			l.stop()
			l.await("the end of all connections", func() bool { return s.Sessions() == 0 })
			if n := s.Attempts("password"); n > 0 != tc.passwords {
				t.Errorf("the password was offered %d times", n)
			}
			if n := s.Attempts("publickey"); n > 0 == tc.passwords {
				t.Errorf("a key was offered %d times", n)
			}
		})
	}
}

// TestOpenSSHIsAnother meets another server under the address: nothing of the login is sent, until an admin has pinned its key.
func TestOpenSSHIsAnother(t *testing.T) {
	s, known := sshdtest.Start(t, sshdtest.Options{}), sshdtest.Start(t, sshdtest.Options{})
	l := newLive(t, liveOptions{server: func(l *live) {
		at(s)(l)
		l.cfg.SFTP.HostKeys = []string{known.Fingerprint(sshdtest.ECDSA)}
	}})
	l.put("precios.csv", liveExport)
	l.awaitEvent(EventRead, 1)
	l.push()
	l.awaitEvent(EventFailed, 1)
	text := l.heard(EventFailed)[0]
	for _, key := range []string{known.Fingerprint(sshdtest.ECDSA), s.Fingerprint(sshdtest.Ed25519), s.Fingerprint(sshdtest.ECDSA)} {
		if !strings.Contains(text, key) {
			t.Errorf("the message does not name the key %s: %s", key, text)
		}
	}
	l.stop()
	l.await("the end of all connections", func() bool { return s.Sessions() == 0 })
	for _, method := range []string{"none", "password", "publickey"} {
		if n := s.Attempts(method); n > 0 {
			t.Errorf("%d attempts to log in by %q at a server that is not the pinned one", n, method)
		}
	}
	if got := l.shelves(); len(got) > 0 {
		t.Errorf("something was sent: %v", got)
	}
	l.cfg.SFTP.HostKeys = []string{s.Fingerprint(sshdtest.ECDSA)}
	l.start()
	l.awaitEvent(EventSent, 2)
	if s.Attempts("password") == 0 {
		t.Error("the server does not tell of logins: none before shows nothing")
	}
}

// TestOpenSSHRefusesThePassword holds everything after one attempt, and goes on by itself when the password has been corrected.
func TestOpenSSHRefusesThePassword(t *testing.T) {
	s := sshdtest.Start(t, sshdtest.Options{})
	l := newLive(t, liveOptions{server: at(s)})
	l.writeFile("password", "not this one")
	l.put("precios.csv", liveExport)
	l.awaitEvent(EventRead, 1)
	l.push()
	l.awaitEvent(EventFailed, 1)
	if text := l.heard(EventFailed)[0]; !strings.Contains(text, "credentials") {
		t.Errorf("told: %s", text)
	}
	l.await("the answer to say what keeps it", func() bool { return strings.Contains(l.receipt("precios.csv"), "contraseña") })
	// Until another export has been read and answered, the house has looked for something to send several times.
	l.put("precios2.csv", dearerExport)
	l.await("the second answer", func() bool { return l.receipt("precios2.csv") != "" })
	l.await("the end of all connections", func() bool { return s.Sessions() == 0 })
	if n := s.Attempts("password"); n != 1 {
		t.Errorf("the password was offered %d times, want once", n)
	}
	status, err := l.house.Status(context.Background())
	if err != nil || status.Hold == "" || status.OK() {
		t.Errorf("status: %+v, %v", status, err)
	}
	if p, err := l.house.Pushed(context.Background(), nil); err != nil || p.Done || !p.Stopped || p.Trouble != status.Hold {
		t.Errorf("the push: %+v, %v; want it stopped", p, err)
	}
	if got := l.shelves(); len(got) > 0 {
		t.Errorf("something was sent: %v", got)
	}
	l.writeFile("password", sshdtest.Password)
	l.awaitEvent(EventSent, 2)
	l.push()
	l.awaitShelves(map[string]string{"catalog/gondola_290056.csv": dearerCentro, "catalog/gondola_290057.csv": livePuerto})
}

// TestOpenSSHDies kills the server in the middle of an upload over a file that is there. That file stays whole, and when the server
// is started again, the upload is repeated and leftovers are swept away.
func TestOpenSSHDies(t *testing.T) {
	s := sshdtest.Start(t, sshdtest.Options{})
	c := newTap(t, s)
	l := newLive(t, liveOptions{server: func(l *live) {
		at(s)(l)
		l.cfg.SFTP.Port = c.port
	}})
	before, beforeWant := manyArticles(3)
	after, afterWant := manyArticles(4)
	l.put("precios.csv", before)
	l.awaitEvent(EventRead, 1)
	l.push()
	l.awaitEvent(EventSent, 1)
	l.awaitShelves(map[string]string{"catalog/gondola_290056.csv": beforeWant})
	l.put("precios.csv", after)
	l.awaitEvent(EventRead, 2)
	c.after(int64(len(afterWant)/2), s.Stop)
	l.push()
	l.awaitEvent(EventFailed, 1)
	<-c.done
	left := l.shelves()
	if got := left["catalog/gondola_290056.csv"]; got != beforeWant {
		t.Errorf("the old file has %d bytes, want its %d", len(got), len(beforeWant))
	}
	if len(left) != 2 {
		t.Errorf("%d files on the server: it did not die in the middle of an upload", len(left))
	}
	// What the next attempt writes over is no proof of a sweep; what a delivery left that is not tried again is.
	s.Put("catalog/.gondola_290057.csv.99.tmp", "left")
	s.Restart()
	l.awaitEvent(EventSent, 2)
	l.awaitShelves(map[string]string{"catalog/gondola_290056.csv": afterWant})
}

// manyArticles is an export that is large enough to be interrupted, and the document that it becomes.
func manyArticles(cents int) (export, document string) {
	var e, d strings.Builder
	e.WriteString("Sucursal;Código;Precio;Activo\n")
	d.WriteString("sku,price,active\n")
	for i := range 20_000 {
		fmt.Fprintf(&e, "001;A%05d;%d,0%d;S\n", i, 10+i%900, cents)
		fmt.Fprintf(&d, "A%05d,%d.0%d,1\n", i, 10+i%900, cents)
	}
	return e.String(), d.String()
}

// tap is a line to a server on which something can be made to happen after so many bytes.
type tap struct {
	port  int
	to    string
	count atomic.Int64 // bytes that may still pass to the server; below zero, what was to happen has begun
	then  func()
	done  chan struct{} // closed when it has happened

	mu    sync.Mutex
	conns []net.Conn
	wg    sync.WaitGroup
}

func newTap(t *testing.T, s *sshdtest.Server) *tap {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host, port := s.Addr()
	p := &tap{port: l.Addr().(*net.TCPAddr).Port, to: net.JoinHostPort(host, strconv.Itoa(port)), done: make(chan struct{})}
	p.count.Store(1 << 60)
	p.wg.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", p.to)
			if err != nil {
				_ = in.Close() // the server is down
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, in, out)
			p.mu.Unlock()
			p.wg.Go(func() { p.pass(out, in, true) })
			p.wg.Go(func() { p.pass(in, out, false) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.mu.Lock()
		for _, c := range p.conns {
			_ = c.Close()
		}
		p.mu.Unlock()
		p.wg.Wait()
	})
	return p
}

// after makes then happen once so many more bytes have passed to the server.
func (p *tap) after(bytes int64, then func()) {
	p.then = then
	p.count.Store(bytes)
}

// pass copies until one side ends, and ends the other.
func (p *tap) pass(to, from net.Conn, counted bool) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buf := make([]byte, 4<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && counted {
			if left := p.count.Add(-int64(n)); left < 0 && left+int64(n) >= 0 {
				p.then()
				close(p.done)
			}
		}
		if _, werr := to.Write(buf[:n]); werr != nil || err != nil {
			return
		}
	}
}
