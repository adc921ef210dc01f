// Package sftp is the platform's server as the outbox sees it: dial it, put files there safely, look at them. It hides SSH, the
// SFTP protocol, and what servers get wrong.
//
// # What is promised
//
//   - The final name never shows a partial file, on any server that renames. Bytes go under a temporary name in the home folder, which
//     the platform ignores, or, where files can't be renamed from one folder to another, under a dot-name that no scan for *.csv
//     takes; only a whole, closed and measured file is renamed.
//   - An old file is never lost to a failed replace. Where the server can rename over a file, there is no moment without one. Where
//     it can't, the old file is moved aside first and put back when the new one does not take its place. If the connection breaks
//     between the two renames, the old file stays under its aside name until the next replace of that name succeeded. It is not put
//     back by then: the document that was on its way is sent again first thing, and it contains everything the old one said.
//   - Where no rename works at all, or the server takes files away as they are closed, a file is written under its final name: there
//     is nothing better. When that fails, the old document, which the state folder still has, is written back; when the connection is
//     gone, the new one is sent again first thing.
//   - Nothing hangs. Dialling has a deadline that covers the SSH handshake, and a connection on which nothing moves is cut.
//   - The server is one that is pinned or was accepted, or not a byte of the login leaves.
//   - A refused password is offered once.
//   - Sending asks nothing of the server that managed cloud services are known to refuse: no chmod, no times, no append, no resume, no
//     open for reading and writing at once. The probe asks for some of it, once and on a file of its own, and takes no for an answer.
//
// # What a server allows
//
// [Remote.Probe] tries everything that matters in the login's home folder and writes a passport; a Remote chooses its way by it. What
// was not tried is taken for the weaker case. What turns out otherwise in use corrects the passport at once ([Config.Learned]), and the
// attempt goes on another way where it can.
//
// # Many files at once
//
// On a long line every answer is waited for, so hundreds of files go side by side over the one session. Of a file, what waits for no
// answer of its own goes together; requests of all files share the packets of the connection. How many files there are is bounded by
// [Config.Parallel] and by what the server was seen to stand, how many bytes by a quota of all of them: large files go a few at a time.
// A file that is refused beside others is tried again beside fewer, before anything is concluded from it. With one file at a time
// nothing goes side by side at all.
//
// # How a stall is noticed
//
// A stalled peer keeps TCP alive and blocks Write, Read and even Close for ever. Two clocks watch a connection. One counts from the
// last byte of any kind; keep-alive requests, which every SSH server answers, make sure that bytes come when nothing else goes on.
// The other counts from the last byte of an SFTP answer while a call is under way, because a server can be alive and its storage
// dead. When either passes the stall timeout, the connection is closed under everybody, and every call returns: within 31 seconds, by
// default, and within 20 where the handshake falls silent.
package sftp

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"gondola/internal/outbox"
)

// Defaults of a [Config].
const (
	DefaultPort         = 22
	DefaultDialTimeout  = 20 * time.Second // a handshake takes four round trips and some arithmetic
	DefaultStallTimeout = 30 * time.Second // longer than a line needs to recover, shorter than a person's patience
	DefaultKeepAlive    = 15 * time.Second // half the stall timeout, and below the idle limits of firewalls
)

// watchEvery is how often a connection is looked at, at most: a stall is noticed that much later than its timeout.
const watchEvery = time.Second

// Config says which server, how to know it, and how to log in. The functions are called at every Dial, so that a changed secret
// counts at once.
type Config struct {
	Host string
	Port int // optional: 22
	User string

	Password      func() (string, error) // optional where there is a key
	KeyPEM        func() ([]byte, error) // optional where there is a password
	KeyPassphrase func() (string, error) // optional: for an encrypted key
	Salt          []byte                 // keys the fingerprint that Login returns; the same for as long as the state lives

	HostKeys   []string                 // SHA256:… fingerprints, any of which is accepted
	KnownHosts string                   // path of a known_hosts file; with or instead of HostKeys
	Accepted   func() ([]string, error) // optional: more fingerprints, which an admin accepted since

	Passport outbox.Passport       // optional: what is known of the server
	Learned  func(outbox.Passport) // optional: hears of every correction in use; called by several goroutines, one at a time
	ReadBack int64                 // files of up to so many bytes are read back where the server allows it; 0 = none

	DialTimeout  time.Duration    // optional: from the first packet to the first SFTP answer, for each connection made
	StallTimeout time.Duration    // optional: nothing moved for so long: the connection is cut
	KeepAlive    time.Duration    // optional: how often the server is asked for a sign of life
	Parallel     int              // optional: files on their way at once, over the one connection; default as many as are asked for. 1 = one request at a time
	Log          *slog.Logger     // optional: discarded
	Now          func() time.Time // optional: time.Now, for receipts
}

func (c Config) withDefaults() Config {
	c.Port = cmp.Or(c.Port, DefaultPort)
	c.DialTimeout = cmp.Or(c.DialTimeout, DefaultDialTimeout)
	c.StallTimeout = cmp.Or(c.StallTimeout, DefaultStallTimeout)
	c.KeepAlive = cmp.Or(c.KeepAlive, DefaultKeepAlive)
	if c.KeepAlive >= c.StallTimeout {
		c.KeepAlive = c.StallTimeout / 2 // or an idle connection would look stalled
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// Lanes returns how many deliveries keep a connection busy: beside those on their way some are written down, before and after.
func (c Config) Lanes() int { return int(lanes(int64(c.Parallel))) }

func (c Config) address() string { return net.JoinHostPort(c.Host, strconv.Itoa(c.Port)) }

// Login returns a fingerprint of the login that Dial would use now: server, user and secrets. Two are equal when the logins are,
// and nobody without Salt can test a guessed password against one.
func (c Config) Login() (string, error) {
	c = c.withDefaults()
	s, err := c.secrets()
	if err != nil {
		return "", err
	}
	return c.fingerprint(strings.ToLower(c.Host), strconv.Itoa(c.Port), c.User, s.password, string(s.keyPEM), s.passphrase), nil
}

// Account returns a fingerprint of server and user, without the secrets: what is known of a server outlives a changed password.
func (c Config) Account() string {
	c = c.withDefaults()
	return c.fingerprint(strings.ToLower(c.Host), strconv.Itoa(c.Port), c.User)
}

func (c Config) fingerprint(fields ...string) string {
	mac := hmac.New(sha256.New, c.Salt)
	for _, field := range fields {
		// Lengths keep ("ab", "c") and ("a", "bc") apart.
		mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(field))))
		mac.Write([]byte(field))
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// secrets are the parts of a login that are resolved when they are needed.
type secrets struct {
	password   string
	keyPEM     []byte
	passphrase string
}

func (c Config) secrets() (s secrets, err error) {
	if c.Password != nil {
		if s.password, err = c.Password(); err != nil {
			return s, local("read the SFTP password", err, "check sftp.password")
		}
	}
	if c.KeyPEM != nil {
		if s.keyPEM, err = c.KeyPEM(); err != nil {
			return s, local("read the SFTP key", err, "check sftp.key")
		}
	}
	if c.KeyPassphrase != nil {
		if s.passphrase, err = c.KeyPassphrase(); err != nil {
			return s, local("read the passphrase of the SFTP key", err, "check sftp.key_passphrase")
		}
	}
	if s.password == "" && len(s.keyPEM) == 0 {
		return s, local("log in", fmt.Errorf("no password and no key for user %q", c.User), "set sftp.password or sftp.key")
	}
	return s, nil
}

func local(doing string, err error, hint string) error {
	return &outbox.Failure{Class: outbox.Local, Err: fmt.Errorf("%s: %w: %s", doing, err, hint)}
}
