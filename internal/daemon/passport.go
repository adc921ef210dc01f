package daemon

import (
	"context"
	"errors"
	"fmt"
	"path"

	"gondola/internal/config"
	"gondola/internal/outbox"
	"gondola/internal/sftp"
	"gondola/internal/store"
)

// server returns how the platform's server is reached, with the keys that were accepted for it.
func (h *House) server(ctx context.Context) (sftp.Config, error) {
	salt, err := h.salt(ctx)
	if err != nil {
		return sftp.Config{}, err
	}
	c := h.sftpConfig(salt)
	c.ReadBack = int64(h.cfg.SFTP.ReadBack)
	c.Accepted = func() ([]string, error) {
		keys, err := h.store.HostKeys(context.WithoutCancel(ctx), c.Address())
		var all []string
		for _, k := range keys {
			all = append(all, k.Fingerprint)
		}
		return all, err
	}
	return c, nil
}

// dialServer connects to the platform by what is known of its server, and probes it where nothing is known yet, or where use
// contradicts what is known.
func (h *House) dialServer(ctx context.Context, c sftp.Config) (outbox.Remote, error) {
	known, err := h.store.Passport(ctx, c.Account())
	if err != nil {
		return nil, err
	}
	c.Passport = known
	c.Learned = func(p outbox.Passport) { h.keepPassport(ctx, c, p) }
	r, err := sftp.Dial(ctx, c)
	if err != nil {
		return nil, err
	}
	if !known.Stale() || !h.homeIsFree() {
		return r, nil
	}
	found, err := r.Probe(ctx)
	if ctx.Err() == nil {
		h.keepPassport(ctx, c, found)
		if found.SkewKnown {
			if err := h.keepClock(ctx, found.Skew); err != nil {
				h.log.Warn("keep the server's clock", "err", err)
			}
		}
		h.log.Info("server probed", "component", "sftp", "passport", found.Line(c.ReadBack), "broke", found.Broke)
	}
	if err == nil {
		return r, nil
	}
	// It broke off in the middle. What it told until then counts, and sending does not wait for the rest.
	_ = r.Close()
	if ctx.Err() != nil {
		return nil, err
	}
	c.Passport = found
	again, err := sftp.Dial(ctx, c)
	if err != nil {
		return nil, err
	}
	return again, nil
}

// homeIsFree reports whether nothing is sent to the login's home itself: a probe writes there.
func (h *House) homeIsFree() bool {
	f := h.cfg.SFTP.Folders
	for _, folder := range []string{f.Catalog, f.Promotions, f.Assortment} {
		if path.Clean(folder) == "." {
			return false
		}
	}
	return true
}

// keepPassport keeps what was learned. Without it the server is asked once more, so trouble is only logged.
func (h *House) keepPassport(ctx context.Context, c sftp.Config, p outbox.Passport) {
	if err := h.store.SetPassport(context.WithoutCancel(ctx), c.Account(), p); err != nil {
		h.log.Warn("keep passport", "err", err)
	}
}

// passportLine says in one line what is known of the server, "" where nothing is yet.
func (h *House) passportLine(ctx context.Context) (string, error) {
	c, err := h.server(ctx)
	if err != nil {
		return "", err
	}
	p, err := h.store.Passport(ctx, c.Account())
	if err != nil || p.At.IsZero() {
		return "", err
	}
	return p.Line(c.ReadBack), nil
}

// Probed is what a probe found.
type Probed struct {
	Address  string          `json:"address"`
	User     string          `json:"user"`
	Passport outbox.Passport `json:"passport"`
	Line     string          `json:"line"`              // the way, the guarantee and the proof
	Features []ProbedFeature `json:"features"`          // in the order in which people read them
	Problem  string          `json:"problem,omitempty"` // why the server could not be talked to, or not to the end
	Hold     string          `json:"hold,omitempty"`    // why nothing is sent all the same
}

// ProbedFeature is one thing that servers differ in.
type ProbedFeature struct {
	Name string `json:"name"`
	Has  string `json:"has"` // yes, no, or unknown
}

// Probe asks the platform's server what it allows, in the login's home, and keeps the answer for all connections to come. It works
// beside a running daemon and before anything has run. A server that can't be talked to is a result, in Problem; the error is ours.
func Probe(ctx context.Context, cfg *config.Config, opts Options) (out Probed, err error) {
	if cfg.SFTP.Host == "" {
		return out, errors.New("the config has no SFTP server (sftp.host): everything goes by requests, and there is nothing to probe")
	}
	h, err := AttachOrMake(ctx, cfg, opts)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	c, err := h.server(ctx)
	if err != nil {
		return out, err
	}
	out = Probed{Address: c.Address(), User: c.User, Features: []ProbedFeature{}}
	if !h.homeIsFree() {
		return out, errors.New("a folder of sftp.folders is the login's home itself, where a probe would write; give each kind a folder")
	}
	if hold, err := h.holdOn(ctx, c); hold != nil || err != nil {
		if hold != nil {
			out.Problem, out.Hold = "not asked: this login was refused, and servers lock out who tries it again", hold.Text
		}
		return out, err
	}
	r, err := sftp.Dial(ctx, c)
	if f, ok := errors.AsType[*outbox.Failure](err); ok && f.Class == outbox.Local {
		return out, err // the server has no part in it
	}
	if err != nil {
		out.Problem = err.Error()
		return out, h.noteRefusal(ctx, c, err)
	}
	defer func() { _ = r.Close() }()
	found, err := r.Probe(ctx)
	if err != nil {
		out.Problem = err.Error()
	}
	if ctx.Err() != nil {
		return out, fmt.Errorf("probe %s: %w", out.Address, ctx.Err())
	}
	out.Passport, out.Line = found, found.Line(c.ReadBack)
	for _, f := range outbox.Features() {
		has := string(found.Says(f))
		if has == "" {
			has = "unknown"
		}
		out.Features = append(out.Features, ProbedFeature{Name: string(f), Has: has})
	}
	hold, err := h.store.Hold(ctx, outbox.BySFTP)
	if err != nil {
		return out, err
	}
	if hold != nil {
		out.Hold = hold.Text
	}
	if found.SkewKnown {
		if err := h.keepClock(ctx, found.Skew); err != nil {
			return out, err
		}
	}
	return out, h.store.SetPassport(ctx, c.Account(), found)
}

// holdOn returns the hold that a refused login left, where it is the one that would be tried now.
func (h *House) holdOn(ctx context.Context, c sftp.Config) (*outbox.Hold, error) {
	hold, err := h.store.Hold(ctx, outbox.BySFTP)
	if err != nil || hold == nil {
		return nil, err
	}
	if login, err := c.Login(); err != nil || login != hold.Login {
		return nil, nil //nolint:nilerr,nilnil // what is wrong with the secrets is said by who dials
	}
	return hold, nil
}

// noteRefusal holds everything after a refused login: the daemon must not try the same one again.
func (h *House) noteRefusal(ctx context.Context, c sftp.Config, failure error) error {
	f, ok := errors.AsType[*outbox.Failure](failure)
	if !ok || f.Class != outbox.Credentials {
		return nil
	}
	login, err := c.Login()
	if err != nil {
		return err
	}
	return h.queue.SetHold(ctx, &outbox.Hold{Class: f.Class, Login: login, Text: f.Error(), At: h.now()})
}

// AttachOrMake is [Attach] for commands that keep something before anything has run: it makes the state where there is none.
func AttachOrMake(ctx context.Context, cfg *config.Config, opts Options) (*House, error) {
	h, err := Attach(ctx, cfg, opts)
	if !errors.Is(err, store.ErrNone) {
		return h, err
	}
	made, err := store.Open(ctx, cfg.State.Dir)
	if err != nil {
		return nil, err
	}
	if err := made.Close(); err != nil {
		return nil, err
	}
	return Attach(ctx, cfg, opts)
}
