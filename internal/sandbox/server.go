package sandbox

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// handshakeTime is how long a client may take from connecting to being logged in.
const handshakeTime = 30 * time.Second

// keyFile is the host key's name in the sandbox's folder.
const keyFile = "host_key"

var errLogin = errors.New("login refused")

// server is the SSH side: connections, logins, host key.
type server struct {
	opts     *Options
	tree     *tree
	faults   *Faults
	listener net.Listener
	users    map[string]bool // authorized keys, in wire format
	wg       sync.WaitGroup  // the accept loop and every connection

	mu     sync.Mutex
	key    ssh.Signer     // guarded by mu
	lines  map[*line]bool // of live connections; guarded by mu
	count  int            // of connections that logged in; guarded by mu
	live   int            // of them, how many are there now; guarded by mu
	closed bool           // guarded by mu
}

// newServer binds the address and loads the host key, making one where there is none.
func newServer(ctx context.Context, o *Options, t *tree) (*server, error) {
	s := &server{opts: o, tree: t, faults: t.faults, users: map[string]bool{}, lines: map[*line]bool{}}
	for _, text := range o.AuthorizedKeys {
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("read authorized key %q: %w", text, err)
		}
		s.users[string(key.Marshal())] = true
	}
	data, err := os.ReadFile(filepath.Join(o.Dir, keyFile))
	if errors.Is(err, fs.ErrNotExist) {
		_, err = s.rotateKey()
	} else if err == nil {
		s.key, err = ssh.ParsePrivateKey(data)
	}
	if err != nil {
		return nil, fmt.Errorf("load host key %s: %w; delete the file to get a new one", keyFile, err)
	}
	var lc net.ListenConfig
	if s.listener, err = lc.Listen(ctx, "tcp", o.SFTPListen); err != nil {
		return nil, fmt.Errorf("listen for SFTP on %s: %w; choose another address", o.SFTPListen, err)
	}
	s.faults.connections, s.faults.rotate = s.clients, s.rotateKey
	return s, nil
}

// rotateKey makes a new host key, keeps it on disk and returns its fingerprint.
func (s *server) rotateKey() (string, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", fmt.Errorf("make host key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(private, "sandbox")
	if err != nil {
		return "", fmt.Errorf("encode host key: %w", err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		return "", fmt.Errorf("use host key: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := os.WriteFile(filepath.Join(s.opts.Dir, keyFile), pem.EncodeToMemory(block), 0o600); err != nil {
		return "", fmt.Errorf("keep host key: %w", err)
	}
	s.key = signer
	return ssh.FingerprintSHA256(signer.PublicKey()), nil
}

// hostKey returns the key that the next connection will see.
func (s *server) hostKey() ssh.Signer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.key
}

// clients returns the connections that are there now.
func (s *server) clients() []*line {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*line, 0, len(s.lines))
	for l := range s.lines {
		out = append(out, l)
	}
	return out
}

// serve accepts connections until the listener is closed, and returns when all of them have ended.
func (s *server) serve() {
	defer s.wg.Wait()
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		l := newLine(c)
		down, silent := s.faults.mood()
		if silent {
			l.freeze()
		}
		if down || !s.admit(l) {
			l.cut()
			continue
		}
		s.wg.Go(func() {
			defer s.dismiss(l)
			s.connection(l)
		})
	}
}

// close ends the listener and cuts all connections; serve returns then.
func (s *server) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	_ = s.listener.Close()
	for _, l := range s.clients() {
		l.cut()
	}
}

// admit takes note of a connection, or returns false when the server is closing.
func (s *server) admit(l *line) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.lines[l] = true
	}
	return !s.closed
}

// dismiss ends a connection and forgets it.
func (s *server) dismiss(l *line) {
	_ = l.Close() // the client may have closed it already
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.lines, l)
}

// loggedIn counts a connection in and returns its number, or false when there are too many.
func (s *server) loggedIn() (n int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opts.Limits.MaxConnections > 0 && s.live >= s.opts.Limits.MaxConnections {
		return 0, false
	}
	s.live++
	s.count++
	return s.count, true
}

// loggedOut counts a connection out.
func (s *server) loggedOut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live--
}

// connection serves one client from its handshake to its end.
func (s *server) connection(l *line) {
	log := s.opts.Log.With("client", l.RemoteAddr().String())
	_ = l.SetDeadline(time.Now().Add(handshakeTime)) // a real deadline on a real socket, whatever the injected clock says
	conn, channels, requests, err := ssh.NewServerConn(l, s.config())
	if err != nil {
		log.Info("login failed", "error", err)
		return
	}
	_ = l.SetDeadline(time.Time{})
	n, ok := s.loggedIn()
	if !ok {
		log.Info("too many connections")
		_ = conn.Close()
		return
	}
	defer s.loggedOut()
	log = log.With("session", n)
	log.Info("session begins")
	defer log.Info("session ends")

	var wg sync.WaitGroup
	defer wg.Wait()
	// Keep-alives are global requests; they are answered with "no", as they are by OpenSSH.
	wg.Go(func() { ssh.DiscardRequests(requests) })
	// The end of the connection has to be told to uploads that a fault holds up.
	wg.Go(func() {
		_ = conn.Wait()
		_ = l.Close()
	})
	slots := make(chan struct{}, s.opts.Limits.MaxSessions)
	for offer := range channels {
		s.offer(offer, slots, &wg, &session{tree: s.tree, n: n, line: l})
	}
}

// offer takes or refuses a channel that a client wants to open.
func (s *server) offer(offer ssh.NewChannel, slots chan struct{}, wg *sync.WaitGroup, sess *session) {
	if offer.ChannelType() != "session" {
		_ = offer.Reject(ssh.UnknownChannelType, "only sessions")
		return
	}
	select {
	case slots <- struct{}{}:
	default:
		_ = offer.Reject(ssh.ResourceShortage, "too many sessions on this connection")
		return
	}
	channel, requests, err := offer.Accept()
	if err != nil {
		<-slots
		return
	}
	wg.Go(func() {
		defer func() { <-slots }()
		s.channel(channel, requests, sess)
	})
}

// channel waits for the request for SFTP and serves it. Shells and commands are refused.
func (s *server) channel(channel ssh.Channel, requests <-chan *ssh.Request, sess *session) {
	defer func() { _ = channel.Close() }()
	for r := range requests {
		var subsystem struct{ Name string }
		ok := r.Type == "subsystem" && ssh.Unmarshal(r.Payload, &subsystem) == nil && subsystem.Name == "sftp"
		if r.WantReply {
			_ = r.Reply(ok, nil)
		}
		if !ok {
			continue
		}
		var rest sync.WaitGroup
		rest.Go(func() { ssh.DiscardRequests(requests) })
		s.serveSFTP(channel, sess)
		_ = channel.Close()
		rest.Wait()
		return
	}
}

// serveSFTP speaks SFTP on a channel until the client leaves.
func (s *server) serveSFTP(channel ssh.Channel, sess *session) {
	filtered := &versionFilter{ReadWriteCloser: channel, keep: func(extension string) bool {
		return extension == "posix-rename@openssh.com" && s.opts.Features.PosixRename
	}}
	handlers := sftp.Handlers{FileGet: sess, FilePut: sess, FileCmd: sess, FileList: sess}
	server := sftp.NewRequestServer(filtered, handlers, sftp.WithStartDirectory(s.opts.Home))
	if err := server.Serve(); err != nil {
		s.opts.Log.LogAttrs(context.Background(), slog.LevelDebug, "sftp ends", slog.Int("session", sess.n), slog.Any("error", err))
	}
	_ = server.Close()
}

// config returns the rules of a login as they are now.
func (s *server) config() *ssh.ServerConfig {
	c := &ssh.ServerConfig{ServerVersion: "SSH-2.0-Sandbox"}
	c.AddHostKey(s.hostKey())
	if s.opts.Password != "" {
		c.PasswordCallback = func(meta ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			if s.faults.attempt() || meta.User() != s.opts.User || string(password) != s.opts.Password {
				return nil, errLogin
			}
			return nil, nil
		}
	}
	if len(s.users) > 0 {
		c.PublicKeyCallback = func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if s.faults.attempt() || meta.User() != s.opts.User || !s.users[string(key.Marshal())] {
				return nil, errLogin
			}
			return nil, nil
		}
	}
	return c
}

// HostKey returns the fingerprint of the host key, "SHA256:…".
func (s *Sandbox) HostKey() string { return ssh.FingerprintSHA256(s.server.hostKey().PublicKey()) }
