package daemon

import (
	"context"
	"time"

	"gondola/internal/config"
	"gondola/internal/outbox"
	"gondola/internal/sftp"
	"gondola/internal/store"
)

// HostKeys are the keys by which the platform's server is known.
type HostKeys struct {
	Address string    `json:"address"`
	Keys    []HostKey `json:"keys"`
	Trouble string    `json:"trouble,omitempty"` // what the server showed instead, where files wait because of it
}

// HostKey is one of them.
type HostKey struct {
	Fingerprint string    `json:"fingerprint"`
	From        string    `json:"from"` // config, known_hosts or accepted
	Who         string    `json:"who,omitempty"`
	At          time.Time `json:"at,omitzero"`
}

// HostKeys lists the keys by which the server is known, those of the config first.
func (h *House) HostKeys(ctx context.Context) (HostKeys, error) {
	out, err := ConfigHostKeys(h.cfg)
	if err != nil {
		return out, err
	}
	accepted, err := h.store.HostKeys(ctx, out.Address)
	if err != nil {
		return out, err
	}
	for _, k := range accepted {
		out.Keys = append(out.Keys, HostKey{Fingerprint: k.Fingerprint, From: "accepted", Who: k.Who, At: k.At})
	}
	waiting, err := h.store.Waiting(ctx)
	for _, d := range waiting {
		if d.Class == string(outbox.HostKey) {
			out.Trouble = d.Error
		}
	}
	return out, err
}

// ConfigHostKeys lists the keys of the config and its known_hosts file, which is all there is before anything has run.
func ConfigHostKeys(cfg *config.Config) (HostKeys, error) {
	c := sftp.Config{Host: cfg.SFTP.Host, Port: cfg.SFTP.Port, KnownHosts: cfg.SFTP.KnownHosts}
	out := HostKeys{Address: c.Address(), Keys: []HostKey{}}
	for _, k := range cfg.SFTP.HostKeys {
		out.Keys = append(out.Keys, HostKey{Fingerprint: k, From: "config"})
	}
	known, err := c.KnownKeys()
	for _, k := range known {
		out.Keys = append(out.Keys, HostKey{Fingerprint: k, From: "known_hosts"})
	}
	return out, err
}

// AcceptHostKey accepts a key of the server, now or ahead of time, and lets what waits because of another one go. It trusts the
// fingerprint that it is given and nothing else: whoever accepts it has asked the platform.
func (h *House) AcceptHostKey(ctx context.Context, fingerprint, who string) error {
	if err := sftp.CheckFingerprint(fingerprint); err != nil {
		return err
	}
	c, err := h.server(ctx)
	if err != nil {
		return err
	}
	return h.store.AcceptHostKey(ctx, c.Address(), store.HostKey{Fingerprint: fingerprint, Who: who, At: h.now()})
}

// ForgetHostKey takes the acceptance of a key back, and returns whether there was one. Keys of the config are the config's.
func (h *House) ForgetHostKey(ctx context.Context, fingerprint, who string) (bool, error) {
	c, err := h.server(ctx)
	if err != nil {
		return false, err
	}
	return h.store.ForgetHostKey(ctx, c.Address(), store.HostKey{Fingerprint: fingerprint, Who: who, At: h.now()})
}

// CheckHostKey says what is wrong with a fingerprint, nil where it is one.
func CheckHostKey(fingerprint string) error { return sftp.CheckFingerprint(fingerprint) }
