package web

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// The cost of new hashes: the least memory that OWASP's password storage cheat sheet recommends for argon2id with two passes. A small
// machine that also runs an ERP has 19 MiB to spare for a moment, and takes some 50 ms.
const (
	hashMemory  = 19 << 10 // KiB
	hashPasses  = 2
	hashThreads = 1
	saltBytes   = 16
	hashBytes   = 32
)

// The bounds of hashes that are taken. Below, a stolen config gives passwords away; above, a login is a way to stop the machine.
const (
	leastMemory = 7 << 10
	mostMemory  = 64 << 10
	mostPasses  = 16
	mostThreads = 4
	leastCost   = 5 * (7 << 10) // memory times passes: the least of OWASP's list
	leastSalt   = 8
	leastBytes  = 16
	mostBytes   = 64 // of salt and of hash
)

// The lengths of passwords.
const (
	MinPassword = 12   // characters; NIST asks for 15 where there is no second factor and for 8 where there is, and guesses are slowed down here
	MaxPassword = 1024 // bytes; beyond this nobody types
)

// hash is a parsed argon2id hash.
type hash struct {
	memory, passes uint32
	threads        uint8
	salt, sum      []byte
}

// notHash ends what is said of a text that is no hash.
const notHash = "; run `gondola web password` and write what it prints"

// HashPassword returns what the config keeps of a password: its argon2id hash, in the PHC notation.
func HashPassword(password string) (string, error) {
	if utf8.RuneCountInString(password) < MinPassword || len(password) > MaxPassword {
		return "", fmt.Errorf("want a password of %d to %d characters; choose one, several words are easy to keep in mind", MinPassword, MaxPassword)
	}
	salt := make([]byte, saltBytes)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("make salt: %w", err)
	}
	h := hash{memory: hashMemory, passes: hashPasses, threads: hashThreads, salt: salt}
	h.sum = h.of(password, hashBytes)
	return h.String(), nil
}

// CheckHash reports what keeps a text from being the hash of a password: another form, or a cost that is too low or too high. The error
// does not contain the text, which may be somebody's password.
func CheckHash(text string) error {
	_, err := parseHash(text)
	return err
}

// String returns the hash in the PHC notation.
func (h hash) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.passes, h.threads,
		b64.EncodeToString(h.salt), b64.EncodeToString(h.sum))
}

// of returns what a password's hash of so many bytes is.
func (h hash) of(password string, n uint32) []byte {
	return argon2.IDKey([]byte(password), h.salt, h.passes, h.memory, h.threads, n)
}

// parseHash reads the PHC notation: $argon2id$v=19$m=19456,t=2,p=1$SALT$HASH.
func parseHash(text string) (h hash, err error) {
	parts := strings.Split(strings.TrimSpace(text), "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return h, errors.New("is not an argon2id hash" + notHash)
	}
	if parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return h, errors.New("is an argon2id hash of another version" + notHash)
	}
	costs := strings.Split(parts[3], ",")
	if len(costs) != 3 {
		return h, errors.New("is an argon2id hash without its costs m, t and p" + notHash)
	}
	var values [3]uint32
	for i, name := range []string{"m=", "t=", "p="} {
		digits, ok := strings.CutPrefix(costs[i], name)
		n, err := strconv.ParseUint(digits, 10, 32)
		if !ok || err != nil {
			return h, errors.New("is an argon2id hash without its costs m, t and p" + notHash)
		}
		values[i] = uint32(n)
	}
	h.memory, h.passes = values[0], values[1]
	switch {
	case h.memory > mostMemory, h.passes > mostPasses, values[2] > mostThreads:
		return h, fmt.Errorf("is an argon2id hash that costs too much: at most m=%d, t=%d and p=%d%s", mostMemory, mostPasses, mostThreads, notHash)
	case h.memory < leastMemory, values[2] < 1, uint64(h.memory)*uint64(h.passes) < leastCost:
		return h, fmt.Errorf("is an argon2id hash that costs too little to protect a password: at least m=%d,t=%d%s", leastMemory,
			leastCost/leastMemory, notHash)
	}
	h.threads = uint8(values[2])
	b64 := base64.RawStdEncoding.Strict()
	if h.salt, err = b64.DecodeString(parts[4]); err != nil || len(h.salt) < leastSalt || len(h.salt) > mostBytes {
		return h, errors.New("is an argon2id hash with a broken salt" + notHash)
	}
	if h.sum, err = b64.DecodeString(parts[5]); err != nil || len(h.sum) < leastBytes || len(h.sum) > mostBytes {
		return h, errors.New("is an argon2id hash that is cut off or broken" + notHash)
	}
	return h, nil
}

// The limits of checking passwords. One is checked at a time, so that however many people try, memory is needed once.
const (
	maxWaiting  = 8 // who wait for their turn
	checkWithin = 5 * time.Second
)

// errBusy says that too many passwords are to be checked at once.
var errBusy = errors.New("too many passwords to check at once")

// hasher checks passwords, one at a time.
type hasher struct {
	waiting chan struct{}
	turn    chan struct{}
}

func newHasher() *hasher {
	return &hasher{waiting: make(chan struct{}, maxWaiting), turn: make(chan struct{}, 1)}
}

// matches reports whether a password is the one of a hash. It returns errBusy when there is no turn soon.
func (h *hasher) matches(ctx context.Context, kept hash, password string) (bool, error) {
	select {
	case h.waiting <- struct{}{}:
		defer func() { <-h.waiting }()
	default:
		return false, errBusy
	}
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return false, errBusy
	}
	return subtle.ConstantTimeCompare(kept.of(password, uint32(len(kept.sum))), kept.sum) == 1, nil
}

// nobodysHash is what the password of a name that there is not is held against: it takes as long, so that the time tells nobody which
// names there are. It costs what the hashes of users cost, and matches nothing.
func (s *Server) nobodysHash() hash {
	h := hash{memory: hashMemory, passes: hashPasses, threads: hashThreads, salt: make([]byte, saltBytes), sum: make([]byte, hashBytes)}
	if len(s.c.Users) > 0 {
		if text, err := s.c.Users[0].Hash(); err == nil {
			if kept, err := parseHash(text); err == nil {
				h.memory, h.passes, h.threads = kept.memory, kept.passes, kept.threads
			}
		}
	}
	return h
}
