package sftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"gondola/internal/outbox"
)

// Status codes of SFTP that the client library has no names for. Version 3, which everybody speaks, ends at 8; some servers send
// the later ones all the same.
const (
	codeFailure      = 4
	codeUnsupported  = 8
	codeExists       = 11
	codeWriteProtect = 12
	codeNoSpace      = 14
	codeQuota        = 15
)

// status returns the server's status code, or 0 when err is not a status.
func status(err error) uint32 {
	if s, ok := errors.AsType[*sftp.StatusError](err); ok {
		return s.Code
	}
	return 0
}

// isGone reports whether err means that the connection is no more, as opposed to a server that answered with a refusal.
func (r *Remote) isGone(err error) bool {
	if r.lost() != nil {
		return true
	}
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, sftp.ErrSSHFxConnectionLost) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// fail gives a remote error its class, and says what to do next.
func (r *Remote) fail(doing string, err error) error {
	if f, ok := errors.AsType[*outbox.Failure](err); ok {
		return f
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return transient(doing, err, "stopped")
	}
	if isNonsense(err) {
		r.cut(err) // nothing else that comes over it can be believed
	}
	if r.isGone(err) {
		if errors.Is(err, sftp.ErrSSHFxConnectionLost) {
			err = r.ftp.Wait() // the library's receiver has ended, and knows why
		}
		r.cut(lostCause(err))
		lost := fmt.Errorf("%w: %w", outbox.ErrLost, r.cause)
		if isNonsense(r.cause) {
			return nonsense(doing, lost)
		}
		return transient(doing, lost, "tried again by itself")
	}
	switch {
	case errors.Is(err, os.ErrPermission), status(err) == codeWriteProtect,
		says(err, "permission denied", "access denied", "not permitted"):
		return &outbox.Failure{Class: outbox.Permission, Err: fmt.Errorf("%s: %w: ask the platform to let user %q write there; "+
			"it is tried again by itself", doing, err, r.c.User)}
	case isFull(err):
		return &outbox.Failure{Class: outbox.NoSpace, Err: fmt.Errorf("%s: %w: tell the platform that its server is full; "+
			"it is tried again by itself", doing, err)}
	default:
		return transient(doing, err, "tried again by itself")
	}
}

// isFull reports whether the server says that it has no room. Version 3 has no code for it, so the words decide.
func isFull(err error) bool {
	switch status(err) {
	case codeNoSpace, codeQuota:
		return true
	default:
		return says(err, "no space", "quota", "disk full", "disk is full", "not enough space", "insufficient space",
			"out of space")
	}
}

// says reports whether a failure that the server has no code for is explained by one of the phrases, which are in lower case.
func says(err error, phrases ...string) bool {
	if status(err) != codeFailure {
		return false
	}
	text := strings.ToLower(err.Error())
	return slices.ContainsFunc(phrases, func(p string) bool { return strings.Contains(text, p) })
}

// isNonsense reports whether err is about answers that no SFTP or SSH server should give. Neither library has types for all of them.
func isNonsense(err error) bool {
	if err == nil {
		return false
	}
	if _, ok := errors.AsType[*ssh.AlgorithmNegotiationError](err); ok {
		return true
	}
	text := err.Error()
	return slices.ContainsFunc([]string{
		"sftp: unexpected", "sftp: unimplemented packet", "packet too short", "packet too long", "sid not found",
		"ssh: overflow reading version", "ssh: unexpected message", "ssh: parse error", "ssh: invalid packet length", "ssh: max packet",
		"ssh: packet too large", "ssh: short packet", "ssh: MAC failure", "ssh: unmarshal error",
	}, func(p string) bool { return strings.Contains(text, p) })
}

func nonsense(doing string, err error) error {
	return &outbox.Failure{Class: outbox.Protocol, Err: fmt.Errorf("%s: %w: the server's answers make no sense; check sftp.host and "+
		"sftp.port, and tell the platform; it is tried again by itself", doing, err)}
}
