package daemon

import (
	"context"
	"errors"
	"fmt"

	"gondola/internal/config"
	"gondola/internal/outbox"
	"gondola/internal/sftp"
)

// ShownKey is a host key that a server showed. Nothing proves yet that the server is the platform's.
type ShownKey struct {
	Type        string `json:"type"`
	Fingerprint string `json:"fingerprint"`
}

// ShownKeys asks the installation's server for its host keys. Nothing of the login leaves. The error is for people: what it may be, and
// what can be done about it.
func (in Installation) ShownKeys(ctx context.Context) ([]ShownKey, error) {
	in = in.withDefaults()
	found, err := sftp.ShownKeys(ctx, sftp.Config{Host: in.Host, Port: in.Port, User: in.User})
	if err != nil {
		return nil, in.plainly(err)
	}
	keys := make([]ShownKey, len(found))
	for i, k := range found {
		keys[i] = ShownKey(k)
	}
	return keys, nil
}

// TryLogin logs in to the installation's server as the config would, if it shows one of the pinned keys, looks what is in the login's home
// folder, and leaves. dir is where the config will lie: references count from there. Nothing is written on the server or here, and a
// refused password is offered once. The error is for people.
func (in Installation) TryLogin(ctx context.Context, dir string) (home []string, err error) {
	in = in.withDefaults()
	password := func() (string, error) { return in.Secret, nil }
	if in.Secret == "" {
		secret := config.SecretOf(in.Password, dir)
		password = secret.Value
	}
	r, err := sftp.Dial(ctx, sftp.Config{Host: in.Host, Port: in.Port, User: in.User, HostKeys: in.HostKeys, Password: password})
	if err != nil {
		return nil, in.plainly(err)
	}
	defer func() { _ = r.Close() }()
	if home, err = r.Home(ctx); err != nil {
		return nil, in.plainly(err)
	}
	return home, nil
}

// plainly says what a failure means to somebody who sits before the terminal: nothing is tried again by itself here.
func (in Installation) plainly(err error) error {
	f, ok := errors.AsType[*outbox.Failure](err)
	if !ok {
		return err
	}
	at := sftp.Config{Host: in.Host, Port: in.Port}.Address()
	switch f.Class {
	case outbox.HostKey:
		return fmt.Errorf("%s shows another host key than the one that you pinned, so nothing of the login was sent: "+
			"it is another server, or the platform changed its key; ask the account manager", at)
	case outbox.Credentials:
		return fmt.Errorf("%s refused user %q with this password: check both with the account manager; after a few wrong tries servers lock "+
			"an account", at, in.User)
	case outbox.Permission:
		return fmt.Errorf("the login works, but %q may not look into its folder: ask the account manager", in.User)
	case outbox.Protocol:
		return fmt.Errorf("what answers at %s is no SFTP server: check host and port", at)
	case outbox.Local:
		return f
	}
	return fmt.Errorf("%s can't be reached: check the host's name, the port and this machine's network; many firewalls let port 22 out only when "+
		"they are told to (%w)", at, cause(f))
}

// cause returns the innermost reason, without what was being done and what happens next.
func cause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
