package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// smallDisk mounts a file system of a few megabytes, which needs root.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8m"); err != nil {
		if os.Getenv("CI") == "1" {
			t.Fatalf("can't mount a small disk, which needs root: %v", err)
		}
		t.Skipf("can't mount a small disk, which needs root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

func fill(t *testing.T, file string, size int) {
	t.Helper()
	// A full disk takes less than asked for; that is the point.
	_ = os.WriteFile(file, make([]byte, size), 0o600)
}

func TestLowDiskTakesNoDrops(t *testing.T) {
	disk := smallDisk(t)
	ballast := filepath.Join(disk, "ballast")
	l := newLive(t, liveOptions{stateDir: filepath.Join(disk, "state"), minFree: 4_000_000})
	fill(t, ballast, 5_000_000)
	l.put("precios.csv", liveExport)
	l.await("the folder's problem", func() bool { return strings.Contains(l.house.watchers[0].Status().Problem, "min_free") })
	if _, err := os.Stat(filepath.Join(l.drops, "precios.csv")); err != nil {
		t.Errorf("the export does not lie where it was dropped: %v", err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	l.awaitEvent(EventRead, 1)
}

func TestFullDisk(t *testing.T) {
	disk := smallDisk(t)
	ballast := filepath.Join(disk, "ballast")
	l := newLive(t, liveOptions{stateDir: filepath.Join(disk, "state")})
	fill(t, ballast, 20_000_000)
	l.put("precios.csv", liveExport)
	l.await("the folder's problem", func() bool { return strings.Contains(l.house.watchers[0].Status().Problem, "free some space") })
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	l.awaitEvent(EventRead, 1)
	l.push()
	l.awaitEvent(EventSent, 2)
	if got := l.remote("gondola_290056.csv"); got != liveCentro {
		t.Errorf("Centro's document:\n%s", got)
	}
}

func TestReadOnlyDropFolder(t *testing.T) {
	disk := smallDisk(t)
	l := newLive(t, liveOptions{dropDir: filepath.Join(disk, "drop")})
	l.stop()
	l.put("precios.csv", liveExport)
	remount := func(flags uintptr) {
		if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT|flags, ""); err != nil {
			t.Fatalf("remount: %v", err)
		}
	}
	remount(syscall.MS_RDONLY)
	l.start()
	l.await("the folder's problem", func() bool { return strings.Contains(l.house.watchers[0].Status().Problem, "read-only") })
	remount(0)
	l.awaitEvent(EventRead, 1)
	l.await("the answer", func() bool { return l.receipt("precios.csv") != "" })
}

// TestFullDiskAtStart starts the daemon where nothing can be written from the first moment on: it waits instead of ending.
func TestFullDiskAtStart(t *testing.T) {
	disk := smallDisk(t)
	ballast := filepath.Join(disk, "ballast")
	l := newLive(t, liveOptions{stateDir: filepath.Join(disk, "state"), before: func() { fill(t, ballast, 20_000_000) }})
	l.await("trouble", func() bool { return len(l.heard(EventTrouble)) > 0 })
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	l.put("precios.csv", liveExport)
	l.awaitEvent(EventRead, 1)
}

// TestBackupOnAFullDisk leaves nothing behind where there is no room, and says whose disk it is.
func TestBackupOnAFullDisk(t *testing.T) {
	disk := smallDisk(t)
	c := newRules(t, oneFullFeed, "")
	c.export("full", articles(3, 0, "10.50"))
	c.push(false)
	ballast := filepath.Join(disk, "ballast")
	fill(t, ballast, 20_000_000)
	path := filepath.Join(disk, "backup")
	if _, err := c.house.Backup(t.Context(), path); err == nil || !strings.Contains(err.Error(), disk) {
		t.Errorf("backup: %v", err)
	}
	rest, err := os.ReadDir(disk)
	if err != nil || len(rest) != 1 {
		t.Errorf("left behind: %v, %v", rest, err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if _, err := c.house.Backup(t.Context(), path); err != nil {
		t.Errorf("with room: %v", err)
	}
}
