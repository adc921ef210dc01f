package daemon

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Each of these breaks something in the middle of the work, reads what an admin would read, mends it, and expects the rest to happen
// by itself.

func TestConnectionCutDuringUpload(t *testing.T) {
	l := newLive(t, liveOptions{})
	l.put("precios.csv", liveExport)
	l.awaitEvent(EventRead, 1)
	l.acquaint()
	l.platform.Faults().CutAfter(10)
	l.push()
	l.await("both documents", func() bool {
		return l.remote("gondola_290056.csv") == liveCentro && l.remote("gondola_290057.csv") == livePuerto
	})
	l.awaitEvent(EventSent, 2)
	if failed := l.heard(EventFailed); len(failed) == 0 {
		t.Error("the cut was not told")
	}
	l.whole()
}

func TestWrongPasswordIsTriedOnce(t *testing.T) {
	l := newLive(t, liveOptions{})
	l.writeFile("password", "not this one")
	l.put("precios.csv", liveExport)
	l.awaitEvent(EventRead, 1)
	l.push()
	l.awaitEvent(EventFailed, 1)
	if text := l.heard(EventFailed)[0]; !strings.Contains(text, "credentials") {
		t.Errorf("told: %s", text)
	}
	// Several looks later it is still one attempt.
	time.Sleep(2500 * time.Millisecond)
	if n := l.platform.Faults().LoginAttempts(); n != 1 {
		t.Errorf("%d login attempts, want 1", n)
	}
	s, err := l.house.Status(context.Background())
	if err != nil || s.Hold == "" || s.OK() {
		t.Errorf("status: %+v, %v", s, err)
	}
	if p, err := l.house.Pushed(context.Background(), nil); err != nil || p.Done || !p.Stopped || p.Trouble != s.Hold {
		t.Errorf("the push: %+v, %v; want it stopped", p, err)
	}
	l.await("the answer to say what keeps it", func() bool { return strings.Contains(l.receipt("precios.csv"), "contraseña") })
	l.writeFile("password", casePassword)
	l.awaitEvent(EventSent, 2)
}

func TestHostKeyChanged(t *testing.T) {
	l := newLive(t, liveOptions{})
	l.put("precios.csv", liveExport)
	l.awaitEvent(EventRead, 1)
	old := l.platform.HostKey()
	changed, err := l.platform.Faults().RotateHostKey()
	if err != nil {
		t.Fatal(err)
	}
	l.push()
	l.awaitEvent(EventFailed, 1)
	if text := l.heard(EventFailed)[0]; !strings.Contains(text, old) || !strings.Contains(text, changed) {
		t.Errorf("the message names not both keys (%s, %s): %s", old, changed, text)
	}
	if n := l.platform.Faults().LoginAttempts(); n != 0 {
		t.Errorf("%d login attempts at a server that is not the pinned one", n)
	}
	// The admin pins the new key and starts again.
	l.stop()
	l.cfg.SFTP.HostKeys = []string{changed}
	l.start()
	l.awaitEvent(EventSent, 2)
}

func TestRemoteDiskFull(t *testing.T) {
	l := newLive(t, liveOptions{})
	l.put("precios.csv", liveExport)
	l.awaitEvent(EventRead, 1)
	l.platform.Faults().NoSpaceAfter(3)
	l.push()
	l.awaitEvent(EventFailed, 2)
	if text := l.heard(EventFailed)[0]; !strings.Contains(text, "no-space") {
		t.Errorf("told: %s", text)
	}
	l.platform.Faults().NoSpaceAfter(-1)
	l.awaitEvent(EventSent, 2)
	l.whole()
}

func TestFrozenServer(t *testing.T) {
	l := newLive(t, liveOptions{})
	l.put("precios.csv", liveExport)
	l.awaitEvent(EventRead, 1)
	l.acquaint()
	l.platform.Faults().StallAfter(5)
	l.push()
	l.awaitEvent(EventFailed, 1)
	l.platform.Faults().Clear()
	l.awaitEvent(EventSent, 2)
	l.whole()
}

// TestForeignFile holds back when a file lies under our name that we did not put there, until an admin adopts it.
func TestForeignFile(t *testing.T) {
	l := newLive(t, liveOptions{})
	folder := filepath.Join(l.platform.Home(), "catalog")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "gondola_290056.csv"), []byte("an old script's file"), 0o600); err != nil {
		t.Fatal(err)
	}
	l.put("precios.csv", liveExport)
	l.awaitEvent(EventRead, 1)
	l.push()
	l.awaitEvent(EventFailed, 1)
	l.awaitEvent(EventSent, 1)
	if got := l.remote("gondola_290056.csv"); got != "an old script's file" {
		t.Errorf("a foreign file was replaced: %q", got)
	}
	if err := l.house.Push(context.Background(), Ask{Adopt: true}); err != nil {
		t.Fatal(err)
	}
	l.await("Centro's document", func() bool { return l.remote("gondola_290056.csv") == liveCentro })
}
