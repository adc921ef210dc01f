package daemon

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gondola/internal/outbox"
	"gondola/internal/sandbox"
)

// probes counts the probes that the platform has seen: each makes a folder once.
func (l *live) probes() (n int) {
	for _, op := range l.platform.Operations() {
		if op.Kind == sandbox.OpMkdir && op.Path == "gondola-probe" {
			n++
		}
	}
	return n
}

// resend sends everything once more and waits for it.
func (l *live) resend() {
	l.Helper()
	before := len(l.heard(EventSent))
	if err := l.house.Push(l.Context(), Ask{Full: true}); err != nil {
		l.Fatal(err)
	}
	l.awaitEvent(EventSent, before+2)
}

// TestFirstConnectionProbes learns what the server allows with the first files, keeps it over a restart, and says it.
func TestFirstConnectionProbes(t *testing.T) {
	l := newLive(t, liveOptions{sandbox: sandbox.Options{Limits: sandbox.Limits{NoReadBack: true}, ClockAhead: 5 * time.Minute}})
	if s, err := l.house.Status(t.Context()); err != nil || s.Passport != "" {
		t.Errorf("before anything was sent the status says %q (%v)", s.Passport, err)
	}
	if _, ok, err := l.house.ClockSkew(t.Context()); ok || err != nil {
		t.Errorf("the server's clock is known: %t (%v)", ok, err)
	}
	l.put("precios.csv", liveExport)
	l.awaitEvent(EventRead, 1)
	l.push()
	l.awaitEvent(EventSent, 2)
	for name := range l.shelves() {
		if filepath.Dir(name) != "catalog" {
			t.Errorf("%s is left behind", name)
		}
	}
	for range 2 {
		if n := l.probes(); n != 1 {
			t.Errorf("probed %d times, want once", n)
		}
		s, err := l.house.Status(t.Context())
		if err != nil || !strings.HasPrefix(s.Passport, "aside: ") || !strings.Contains(s.Passport, "proof by size") {
			t.Errorf("the status says %q (%v)", s.Passport, err)
		}
		clock, ok, err := l.house.ClockSkew(t.Context())
		if off := (clock.Skew - 5*time.Minute).Abs(); err != nil || !ok || off > 3*time.Second || clock.At.IsZero() {
			t.Errorf("the server's clock: %+v, %t (%v); want five minutes ahead", clock, ok, err)
		}
		l.stop()
		l.start()
		l.resend()
	}
}

// TestContradictedPassport begins with a passport that promises too much: files arrive all the same, the server is probed again, and use
// counts for more than the probe.
func TestContradictedPassport(t *testing.T) {
	l := newLive(t, liveOptions{})
	c, err := l.house.server(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	claims := outbox.Passport{At: time.Now()}.With(outbox.PosixRename, outbox.Can).With(outbox.Rename, outbox.Can)
	if err := l.house.store.SetPassport(t.Context(), c.Account(), claims); err != nil {
		t.Fatal(err)
	}
	l.put("precios.csv", liveExport)
	l.awaitEvent(EventRead, 1)
	l.push()
	l.awaitEvent(EventSent, 2)
	if n := l.probes(); n != 0 {
		t.Errorf("probed %d times before anything contradicted the passport", n)
	}
	known := func() outbox.Passport {
		t.Helper()
		p, err := l.house.store.Passport(t.Context(), c.Account())
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if p := known(); !slices.Contains(p.Doubts, outbox.PosixRename) {
		t.Errorf("passport %+v, want posix-rename in doubt", p)
	}
	l.resend()
	if p := known(); l.probes() != 1 || p.Stale() || !p.Lacks(outbox.PosixRename) || !p.Has(outbox.RenameAcross) {
		t.Errorf("after %d probes the passport is %+v", l.probes(), p)
	}
}

// TestProbeThatBreaksOffHoldsNothingUp probes a server that cuts the line at one of its steps: files go out all the same.
func TestProbeThatBreaksOffHoldsNothingUp(t *testing.T) {
	l := newLive(t, liveOptions{})
	l.platform.Faults().CutOn(sandbox.OpSetstat, false)
	l.put("precios.csv", liveExport)
	l.awaitEvent(EventRead, 1)
	l.push()
	l.awaitEvent(EventSent, 2)
	if failed := l.heard(EventFailed); len(failed) > 0 {
		t.Errorf("told of %q", failed)
	}
	c, err := l.house.server(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if p, err := l.house.store.Passport(t.Context(), c.Account()); err != nil || p.Broke != "setstat" {
		t.Errorf("passport %+v (%v), want one that broke off at setstat", p, err)
	}
}

// TestAcceptHostKey changes the server's key under a running house. Nothing goes until the new one is accepted, and then it goes by itself.
func TestAcceptHostKey(t *testing.T) {
	l := newLive(t, liveOptions{})
	old := l.platform.HostKey()
	key, err := l.platform.Faults().RotateHostKey()
	if err != nil {
		t.Fatal(err)
	}
	l.put("precios.csv", liveExport)
	l.awaitEvent(EventRead, 1)
	l.push()
	l.await("told of the key", func() bool {
		return slices.ContainsFunc(l.heard(EventFailed), func(text string) bool {
			return strings.Contains(text, old) && strings.Contains(text, "gondola hostkey accept "+key)
		})
	})
	if n := l.platform.Faults().LoginAttempts(); n != 0 {
		t.Errorf("%d logins at a server that is not known", n)
	}
	keys, err := l.house.HostKeys(t.Context())
	if err != nil || len(keys.Keys) != 1 || keys.Keys[0].Fingerprint != old || !strings.Contains(keys.Trouble, key) {
		t.Errorf("known keys: %+v (%v)", keys, err)
	}
	if err := l.house.AcceptHostKey(t.Context(), "SHA256:short", "ana"); err == nil {
		t.Error("something that is no fingerprint was accepted")
	}
	if err := l.house.AcceptHostKey(t.Context(), key, "ana"); err != nil {
		t.Fatal(err)
	}
	l.awaitEvent(EventSent, 2)
	keys, err = l.house.HostKeys(t.Context())
	if err != nil || len(keys.Keys) != 2 || keys.Keys[1].Fingerprint != key || keys.Keys[1].Who != "ana" || keys.Trouble != "" {
		t.Errorf("known keys: %+v (%v)", keys, err)
	}
	if there, err := l.house.ForgetHostKey(t.Context(), key, "ana"); !there || err != nil {
		t.Errorf("forgotten: %t (%v)", there, err)
	}
}

// TestProbeByHand probes before anything has run, with the right login and with a wrong one.
func TestProbeByHand(t *testing.T) {
	l := newLive(t, liveOptions{sandbox: sandbox.Options{Features: sandbox.Features{PosixRename: true}}})
	l.stop()
	l.cfg.State.Dir = filepath.Join(l.dir, "fresh")
	p, err := Probe(t.Context(), l.cfg, Options{})
	if err != nil || p.Problem != "" || !strings.HasPrefix(p.Line, "posix-rename: ") || len(p.Features) != len(outbox.Features()) || p.Hold != "" {
		t.Errorf("Probe = %+v, %v", p, err)
	}
	if all := l.shelves(); len(all) > 0 {
		t.Errorf("left behind: %v", all)
	}
	l.writeFile("password", "wrong")
	before := l.platform.Faults().LoginAttempts()
	if p, err = Probe(t.Context(), l.cfg, Options{}); err != nil || !strings.Contains(p.Problem, "the password was refused") {
		t.Errorf("Probe = %+v, %v", p, err)
	}
	if n := l.platform.Faults().LoginAttempts() - before; n != 1 {
		t.Errorf("a refused login was tried %d times", n)
	}
	if p, err = Probe(t.Context(), l.cfg, Options{}); err != nil || !strings.Contains(p.Problem, "not asked") || !strings.Contains(p.Hold, "refused") {
		t.Errorf("once more: Probe = %+v, %v", p, err)
	}
	if n := l.platform.Faults().LoginAttempts() - before; n != 1 {
		t.Errorf("asked once more, a refused login was tried %d times", n)
	}
	h, err := Attach(context.Background(), l.cfg, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	s, err := h.Status(t.Context())
	if err != nil || !strings.Contains(s.Hold, "the password was refused") || !strings.HasPrefix(s.Passport, "posix-rename: ") {
		t.Errorf("status: hold %q, passport %q (%v)", s.Hold, s.Passport, err)
	}
	l.cfg.SFTP.Folders.Promotions = "./"
	if _, err := Probe(t.Context(), l.cfg, Options{}); err == nil || !strings.Contains(err.Error(), "sftp.folders") {
		t.Errorf("probed in a folder that the platform reads: %v", err)
	}
}
