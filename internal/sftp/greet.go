package sftp

import (
	"context"
	"fmt"
	"strings"
)

// ShownKey is a host key that a server shows.
type ShownKey struct {
	Type        string // as SSH names it: ssh-ed25519
	Fingerprint string // SHA256:…
}

// ShownKeys asks the server for its host keys, one of each type that it has, in the order in which OpenSSH would ask for them. Nothing
// of a login leaves: every handshake ends at the key. Errors are *outbox.Failure, as of [Dial]. What it returns proves nothing: whoever
// pins one has asked the platform.
func ShownKeys(ctx context.Context, c Config) ([]ShownKey, error) {
	c = c.withDefaults()
	keys := &hostKeys{address: c.address(), pins: map[string]bool{}}
	keys.algorithms = keys.offer()
	for {
		r, err := connect(ctx, c, &login{user: c.User}, keys)
		if err == nil {
			_ = r.Close()
			return nil, nonsense("connect to "+c.address(), fmt.Errorf("a handshake without a host key"))
		}
		if keys.refused && ctx.Err() == nil && keys.another() {
			continue
		}
		if !keys.exhausted(err) || ctx.Err() != nil {
			return nil, err
		}
		return keys.list(), nil
	}
}

// list returns the refused keys.
func (h *hostKeys) list() []ShownKey {
	all := make([]ShownKey, len(h.shown))
	for i, shown := range h.shown {
		all[i].Type, all[i].Fingerprint, _ = strings.Cut(shown, " ")
	}
	return all
}

// Home lists the names in the login's home folder, sorted. It is the least that shows that a login works. When ctx ends the connection is
// cut.
func (r *Remote) Home(ctx context.Context) ([]string, error) {
	defer context.AfterFunc(ctx, func() { r.cut(ctx.Err()) })()
	r.resolve.Lock()
	defer r.resolve.Unlock()
	infos, err := r.list(".")
	if err != nil {
		return nil, r.fail("list the home folder", err)
	}
	return namesOf(infos), nil
}
