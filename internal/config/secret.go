package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// masked is all that a Secret ever prints.
const masked = "<secret>"

// maxSecret is the size in bytes of the largest secret file that is read: anything larger is a wrong path.
const maxSecret = 64 << 10

// credentialsVar names the folder in which systemd puts a service's credentials.
const credentialsVar = "CREDENTIALS_DIRECTORY"

// Secret is a password by reference: env:NAME is an environment variable, file:PATH a file (relative to the config file; one line
// end behind the secret is ignored), systemd:NAME a credential that systemd hands to the service. Anything else is the secret
// itself, which works and earns a warning.
//
// However it is printed, logged or marshalled, it shows as <secret>; only [Secret.Value] gives it away. The zero Secret is not set.
type Secret struct {
	// A function, because fmt looks through pointers, and calls no method of ours when a Secret is in somebody's unexported field:
	// of a function it can only print the address. nil = not set.
	ref func() reference
}

// reference is a parsed secret.
type reference struct {
	scheme string // env, file, systemd, or "" for an inline one
	text   string // the name, the absolute path, or the secret itself
}

// newSecret reads a reference; relative file names count from dir.
func newSecret(text, dir string) Secret {
	ref := parseReference(text, dir)
	return Secret{func() reference { return ref }}
}

// parseReference splits a reference. An unknown scheme is no mistake but a colon in a password.
func parseReference(text, dir string) reference {
	switch scheme, rest, found := strings.Cut(text, ":"); {
	case !found:
	case scheme == "env", scheme == "systemd":
		return reference{scheme: scheme, text: rest}
	case scheme == "file":
		return reference{scheme: scheme, text: absolute(dir, rest)}
	}
	return reference{text: text}
}

// IsSet reports whether the file names a secret. It says nothing about whether the reference leads anywhere.
func (s Secret) IsSet() bool { return s.ref != nil }

// Value returns the secret as it is now: references are followed at every call, so that a changed password is found without a
// restart. The error names the reference and what to do, never the secret.
func (s Secret) Value() (string, error) {
	if s.ref == nil {
		return "", errors.New("read secret: not set; add it to the config, best as env:NAME or file:PATH")
	}
	ref := s.ref()
	value, err := ref.read()
	if err == nil && value == "" {
		err = errors.New("it is empty; put the secret there")
	}
	if err != nil {
		return "", fmt.Errorf("read secret %s: %w", ref.name(), err)
	}
	return value, nil
}

// String returns "<secret>".
func (s Secret) String() string { return masked }

// GoString returns "<secret>".
func (s Secret) GoString() string { return masked }

// Format writes "<secret>" for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, masked) }

// MarshalText returns "<secret>", for JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }

// LogValue returns "<secret>".
func (s Secret) LogValue() slog.Value { return slog.StringValue(masked) }

// withoutLogin returns what may be shown of a text that is no secret: all of it, unless it is an address with a login in it.
func withoutLogin(text string) string {
	_, address, isURL := strings.Cut(text, "://")
	if !isURL {
		address = text
	}
	if login, _, found := strings.Cut(address, "@"); found && (isURL || strings.Contains(login, ":")) {
		return masked
	}
	return text
}

// name returns what may be shown of a reference: where the secret is, never what it is.
func (r reference) name() string {
	if r.scheme == "" {
		return masked
	}
	return r.scheme + ":" + r.text
}

// read follows the reference.
func (r reference) read() (string, error) {
	switch r.scheme {
	case "env":
		value, found := os.LookupEnv(r.text)
		if !found {
			return "", errors.New("no such environment variable; set it for the service and for this shell")
		}
		return value, nil
	case "file":
		return readSecret(r.text)
	case "systemd":
		dir := os.Getenv(credentialsVar)
		if dir == "" {
			return "", fmt.Errorf("$%s is not set; run as a systemd service with LoadCredential=%s:PATH", credentialsVar, r.text)
		}
		if !filepath.IsLocal(r.text) {
			return "", errors.New("not a credential's name; write the name that LoadCredential= gives it")
		}
		return readSecret(filepath.Join(dir, r.text))
	}
	return r.text, nil
}

// readSecret returns a file's text without the line end that editors and echo put behind it.
func readSecret(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("%w; create the file or correct the path", bare(err))
	}
	defer f.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("%w; the path must lead to a file", bare(err))
	}
	if len(data) > maxSecret {
		return "", fmt.Errorf("larger than %d bytes; correct the path", maxSecret)
	}
	text, ended := strings.CutSuffix(string(data), "\n")
	if ended {
		text = strings.TrimSuffix(text, "\r")
	}
	return text, nil
}

// check follows the reference once and says what is wrong with it; warn marks what need not keep the daemon from starting.
func (s Secret) check() (message string, warn bool) {
	ref := s.ref()
	if ref.scheme == "" {
		return "inline secret; better: env:NAME, file:PATH or systemd:NAME", true
	}
	if _, err := s.Value(); err != nil {
		// A person who checks a service's config from a shell has no credentials folder: that proves nothing about the service.
		return err.Error(), ref.scheme == "systemd" && os.Getenv(credentialsVar) == ""
	}
	// Windows has no such bits: Go makes them up there.
	if ref.scheme == "file" && runtime.GOOS != "windows" {
		if info, err := os.Stat(ref.text); err == nil && info.Mode().Perm()&0o044 != 0 {
			return fmt.Sprintf("%s can be read by other users; run chmod 600 %s", ref.name(), ref.text), true
		}
	}
	return "", false
}

// bare strips the operation and the path from a file error whose path the message names already.
func bare(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// SecretOf returns the secret that a config in the folder dir means by text.
func SecretOf(text, dir string) Secret { return newSecret(text, dir) }
