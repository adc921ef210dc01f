package sftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"gondola/internal/outbox"
)

// Dial connects, proves that the server is the right one, logs in and starts SFTP. Errors are *outbox.Failure: HostKey for another
// server, Credentials for a refused login, Local for a login that can't be read, else Transient. Ending ctx ends the dialling at any
// point; a Remote that was returned lives on.
func Dial(ctx context.Context, c Config) (*Remote, error) {
	c = c.withDefaults()
	s, err := c.secrets()
	if err != nil {
		return nil, err
	}
	var signer ssh.Signer
	if len(s.keyPEM) > 0 {
		if signer, err = parseKey(s); err != nil {
			return nil, local("read the SFTP key", err, "check sftp.key and sftp.key_passphrase")
		}
	}
	keys, err := newHostKeys(c)
	if err != nil {
		return nil, err
	}
	// A pin does not tell the key's type, and the server shows one key per handshake. So while it shows keys we do not know, it is
	// asked again for another type. No handshake gets to the login that way, so nothing here can lock an account.
	for {
		r, err := connect(ctx, c, &login{user: c.User, password: s.password, signer: signer}, keys)
		switch {
		case err == nil:
			return r, nil
		case keys.refused && ctx.Err() == nil && keys.another():
			continue
		case keys.exhausted(err):
			return nil, keys.mismatch()
		default:
			return nil, err
		}
	}
}

func parseKey(s secrets) (ssh.Signer, error) {
	if s.passphrase != "" {
		return ssh.ParsePrivateKeyWithPassphrase(s.keyPEM, []byte(s.passphrase))
	}
	return ssh.ParsePrivateKey(s.keyPEM)
}

// connect makes one connection. The deadline, and ctx, close it under the handshake: the timeout that the SSH library knows covers
// TCP only.
func connect(ctx context.Context, c Config, l *login, keys *hostKeys) (*Remote, error) {
	dialing, cancel := context.WithTimeout(ctx, c.DialTimeout)
	defer cancel()
	var dialer net.Dialer
	raw, err := dialer.DialContext(dialing, "tcp", c.address())
	if err != nil {
		return nil, transient("connect to "+c.address(), err, "tried again by itself; if it lasts, check sftp.host and the network")
	}
	w := newWire(raw)
	stop := context.AfterFunc(dialing, func() { _ = raw.Close() })
	r, err := handshake(w, c, l, keys)
	if !stop() && err == nil {
		_ = r.Close()
		err = dialing.Err()
	}
	if err == nil {
		return r, nil
	}
	_ = raw.Close()
	return nil, dialFailure(dialing, c, l, err)
}

func handshake(w *wire, c Config, l *login, keys *hostKeys) (*Remote, error) {
	keys.refused = false
	conn, chans, reqs, err := ssh.NewClientConn(w, c.address(), &ssh.ClientConfig{
		User:              l.user,
		Auth:              l.methods(),
		AuthCallback:      l.next,
		HostKeyCallback:   keys.check,
		HostKeyAlgorithms: keys.algorithms,
		ClientVersion:     "SSH-2.0-gondola",
	})
	if err != nil {
		return nil, err
	}
	l.accepted = true
	client := ssh.NewClient(conn, chans, reqs)
	r := newRemote(c, w, client)
	if err := r.start(); err != nil {
		_ = client.Close()
		r.background.Wait()
		return nil, fmt.Errorf("start SFTP: %w", err)
	}
	return r, nil
}

// start opens the SFTP subsystem. It is done by hand, not by the library's NewClient, to see the bytes of the answers.
func (r *Remote) start() error {
	session, err := r.ssh.NewSession()
	if err != nil {
		return err
	}
	in, err := session.StdinPipe()
	if err != nil {
		return err
	}
	out, err := session.StdoutPipe()
	if err != nil {
		return err
	}
	stderr, err := session.StderrPipe()
	if err != nil {
		return err
	}
	if err := session.RequestSubsystem("sftp"); err != nil {
		return err
	}
	// Unread, what the server says on the side would fill the channel's window and stop it.
	r.background.Go(func() { _, _ = io.Copy(io.Discard, stderr) })
	requests := newSaid(in)
	r.background.Go(requests.send)
	r.ftp, err = sftp.NewClientPipe(newHeard(out, &r.answers), requests,
		sftp.UseConcurrentWrites(true), // under a temporary name that is measured before it counts
		sftp.UseConcurrentReads(true),  // of what is read back, whose size is known
		sftp.MaxConcurrentRequestsPerFile(writesAhead),
	)
	if err != nil {
		return err
	}
	_, r.advertised = r.ftp.HasExtension("posix-rename@openssh.com")
	r.background.Go(func() { r.cut(lostCause(r.ftp.Wait())) })
	r.background.Go(r.keepAlive)
	r.background.Go(r.watch)
	return nil
}

// lostCause names what ended a connection; a server that just hangs up leaves no error, or one that says nothing.
func lostCause(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return errHungUp
	}
	return err
}

var (
	errHungUp       = errors.New("the server hung up")
	errRefused      = errors.New("the password was refused")
	errUnanswerable = errors.New("the server asks for more than a password")
)

// login answers the server's questions about who we are, once.
type login struct {
	user     string
	password string
	signer   ssh.Signer

	offered  bool // the password left
	accepted bool
}

// methods lists the ways to log in, the harmless one first.
func (l *login) methods() []ssh.AuthMethod {
	var m []ssh.AuthMethod
	if l.signer != nil {
		m = append(m, ssh.PublicKeys(l.signer))
	}
	if l.password != "" {
		m = append(m, ssh.PasswordCallback(func() (string, error) {
			l.offered = true
			return l.password, nil
		}), ssh.KeyboardInteractive(l.answer))
	}
	return m
}

// next is asked before every way that is tried. Left alone, the library would offer a refused password once more as the answer to
// a prompt; servers count that as a second attempt.
func (l *login) next(ctx *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	if l.offered && (slices.Contains(ctx.TriedMethods, "password") || slices.Contains(ctx.TriedMethods, "keyboard-interactive")) {
		return nil, errRefused
	}
	return nil, nil // the library's word for: you choose
}

// answer gives the password to a single hidden prompt, and to nothing else.
func (l *login) answer(_, _ string, questions []string, echos []bool) ([]string, error) {
	if len(questions) == 0 {
		return nil, nil
	}
	if len(questions) > 1 || echos[0] || l.offered {
		return nil, errUnanswerable
	}
	l.offered = true
	return []string{l.password}, nil
}

// dialFailure gives an error of the handshake its class.
func dialFailure(ctx context.Context, c Config, l *login, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return transient("connect to "+c.address(), fmt.Errorf("no SSH answer within %s", c.DialTimeout),
			"tried again by itself; if it lasts, check sftp.host, sftp.port and the firewall")
	case ctx.Err() != nil:
		return transient("connect to "+c.address(), ctx.Err(), "stopped")
	case l.isRefusal(err):
		return &outbox.Failure{Class: outbox.Credentials, Err: fmt.Errorf("log in to %s as %q: %w: %s", c.address(), l.user, err,
			"correct sftp.user, sftp.password or sftp.key; nothing is sent until the login changes or somebody says gondola push")}
	case isNonsense(err):
		return nonsense("connect to "+c.address(), err)
	default:
		return transient("connect to "+c.address(), err, "tried again by itself")
	}
}

// isRefusal tells a refused login from a broken line. The library has no error type for either the exhausted methods or the
// server's disconnect message, whose reasons 2 (protocol error, OpenSSH's "too many failures"), 14 (no more methods) and 15
// (illegal user) are about the login once a secret was offered.
func (l *login) isRefusal(err error) bool {
	if l.accepted {
		return false
	}
	if errors.Is(err, errRefused) || errors.Is(err, errUnanswerable) {
		return true
	}
	s := err.Error()
	if strings.Contains(s, "ssh: unable to authenticate") {
		return true
	}
	return (l.offered || l.signer != nil) && (strings.Contains(s, "disconnect, reason 2:") ||
		strings.Contains(s, "disconnect, reason 14:") || strings.Contains(s, "disconnect, reason 15:"))
}

func transient(doing string, err error, hint string) error {
	return &outbox.Failure{Class: outbox.Transient, Err: fmt.Errorf("%s: %w: %s", doing, err, hint)}
}
