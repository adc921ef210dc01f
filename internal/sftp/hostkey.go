package sftp

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"

	"gondola/internal/outbox"
)

// hostKeys decides whether a server is ours, over the handshakes of one Dial.
type hostKeys struct {
	address string
	pins    map[string]bool // fingerprints
	file    string
	known   *knownhosts.HostKeyDB // nil without a known_hosts file

	algorithms []string // what the next handshake may be asked for
	refused    bool     // the last handshake ended because of its key
	shown      []string // the refused keys, for people: type and fingerprint
	lastType   string
	revoked    bool
}

var errHostKey = errors.New("host key not known")

func newHostKeys(c Config) (*hostKeys, error) {
	h := &hostKeys{address: c.address(), pins: make(map[string]bool), file: c.KnownHosts}
	pins := c.HostKeys
	if c.Accepted != nil {
		accepted, err := c.Accepted()
		if err != nil {
			return nil, local("read the accepted host keys", err, "check the disk under the state folder")
		}
		pins = slices.Concat(pins, accepted)
	}
	for _, pin := range pins {
		pin = strings.TrimRight(strings.TrimSpace(pin), "=")
		if !strings.HasPrefix(pin, "SHA256:") {
			return nil, hostKeyFailure(fmt.Errorf("pin %q is no SHA256 fingerprint: write it as SHA256:… in sftp.host_keys", pin))
		}
		h.pins[pin] = true
	}
	if c.KnownHosts != "" {
		db, err := knownhosts.NewDB(c.KnownHosts)
		if err != nil {
			return nil, hostKeyFailure(fmt.Errorf("read known hosts: %w: check sftp.known_hosts", err))
		}
		h.known = db
	}
	if len(h.pins) == 0 && h.known == nil {
		return nil, hostKeyFailure(fmt.Errorf("no host key of %s is configured: ask the platform for its fingerprint, "+
			"then put it in sftp.host_keys or run gondola hostkey accept", h.address))
	}
	h.algorithms = h.offer()
	return h, nil
}

// offer lists the algorithms to ask for: those of known keys first, so that a server with several keys shows the known one. Then the
// plain ones, in the order in which OpenSSH asks, since the fingerprint that people copy is the one their ssh showed. Certificates
// are worth nothing without an authority in known_hosts, and SHA-1 signatures are worth nothing at all.
func (h *hostKeys) offer() []string {
	var algorithms []string
	if h.known != nil {
		algorithms = h.known.HostKeyAlgorithms(h.address)
	}
	for _, a := range []string{
		ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256,
	} {
		if !slices.Contains(algorithms, a) {
			algorithms = append(algorithms, a)
		}
	}
	return algorithms
}

// check is called in the handshake, before anything of the login leaves.
func (h *hostKeys) check(host string, remote net.Addr, key ssh.PublicKey) error {
	fingerprint := ssh.FingerprintSHA256(bare(key))
	if h.known != nil {
		err := h.known.HostKeyCallback()(host, remote, key)
		if err == nil {
			return nil
		}
		if _, ok := errors.AsType[*xknownhosts.RevokedError](err); ok {
			h.revoked = true // stronger than a pin
		}
	}
	if h.pins[fingerprint] && !h.revoked {
		return nil
	}
	h.refused, h.lastType = true, key.Type()
	h.shown = append(h.shown, key.Type()+" "+fingerprint)
	return errHostKey
}

// bare returns the key that a certificate is about: pins are of keys.
func bare(key ssh.PublicKey) ssh.PublicKey {
	if cert, ok := key.(*ssh.Certificate); ok {
		return cert.Key
	}
	return key
}

// another prepares a handshake that asks for other types than those refused so far. It returns false when there is none left.
func (h *hostKeys) another() bool {
	h.algorithms = slices.DeleteFunc(h.algorithms, func(a string) bool { return keyType(a) == keyType(h.lastType) })
	return len(h.algorithms) > 0 && !h.revoked
}

// keyType returns the type of the key behind an algorithm: the RSA ones are three signatures over one kind of key.
func keyType(algorithm string) string {
	switch algorithm {
	case ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512:
		return ssh.KeyAlgoRSA
	case ssh.CertAlgoRSASHA256v01, ssh.CertAlgoRSASHA512v01:
		return ssh.CertAlgoRSAv01
	default:
		return algorithm
	}
}

// exhausted reports whether err is the end of asking: the server has no key of another type than those refused.
func (h *hostKeys) exhausted(err error) bool {
	if h.refused {
		return true
	}
	negotiation, ok := errors.AsType[*ssh.AlgorithmNegotiationError](err)
	return ok && len(h.shown) > 0 && strings.Contains(negotiation.What, "host key")
}

// mismatch says which keys were shown, which were expected, and what to do.
func (h *hostKeys) mismatch() error {
	shown := strings.Join(h.shown, ", ")
	if h.revoked {
		return hostKeyFailure(fmt.Errorf("%s shows a host key that %s marks as revoked (%s): nothing was sent; ask the platform",
			h.address, h.file, shown))
	}
	var expected []string
	for pin := range h.pins {
		expected = append(expected, pin)
	}
	slices.Sort(expected)
	if h.known != nil {
		for _, k := range h.known.HostKeys(h.address) {
			expected = append(expected, ssh.FingerprintSHA256(k)+" in "+h.file)
		}
		if len(expected) == 0 {
			expected = append(expected, "none for this host in "+h.file)
		}
	}
	one := h.shown[0]
	one = one[strings.LastIndexByte(one, ' ')+1:]
	return hostKeyFailure(fmt.Errorf("%s is not the server we know: it shows %s; expected %s: nothing was sent; "+
		"ask the platform; once it confirms the new key, run gondola hostkey accept %s, or put it in sftp.host_keys",
		h.address, shown, strings.Join(expected, ", "), one))
}

func hostKeyFailure(err error) error {
	return &outbox.Failure{Class: outbox.HostKey, Err: err}
}

// CheckFingerprint says what is wrong with the fingerprint of a host key, nil where it is one.
func CheckFingerprint(text string) error {
	rest, ok := strings.CutPrefix(text, "SHA256:")
	sum, err := base64.RawStdEncoding.Strict().DecodeString(rest)
	if !ok || err != nil || len(sum) != sha256.Size {
		return fmt.Errorf("%q is no fingerprint: write SHA256: and 43 characters, as ssh-keygen -l prints it", text)
	}
	return nil
}

// KnownKeys returns the fingerprints that the known_hosts file has for the server, none without a file.
func (c Config) KnownKeys() ([]string, error) {
	if c.KnownHosts == "" {
		return nil, nil
	}
	db, err := knownhosts.NewDB(c.KnownHosts)
	if err != nil {
		return nil, fmt.Errorf("read known hosts: %w: check sftp.known_hosts", err)
	}
	var all []string
	for _, k := range db.HostKeys(c.withDefaults().address()) {
		all = append(all, ssh.FingerprintSHA256(k))
	}
	return all, nil
}

// Address returns the server's host and port, as accepted keys are kept by.
func (c Config) Address() string { return c.withDefaults().address() }
