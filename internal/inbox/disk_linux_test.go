package inbox_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestFullDisk answers 503 while the disk is full, and goes on by itself once it is not.
func TestFullDisk(t *testing.T) {
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
	st := newTestStore(t, filepath.Join(dir, "state"))
	url := run(t, st)
	client := &http.Client{}
	defer client.CloseIdleConnections()
	ballast := filepath.Join(dir, "ballast")
	_ = os.WriteFile(ballast, make([]byte, 20_000_000), 0o600) // a full disk takes less than asked for
	acknowledged, refused := 0, 0
	padding := strings.Repeat("x", 8<<10)
	for i := range 20 {
		code, err := post(client, url, strconv.Itoa(i)+padding)
		switch {
		case err != nil:
			t.Fatal(err)
		case code == http.StatusOK:
			acknowledged++
		case code == http.StatusServiceUnavailable:
			refused++
		default:
			t.Errorf("%d", code)
		}
	}
	if refused == 0 {
		t.Error("nothing was refused: the disk was not full")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if code, err := post(client, url, "room again"); code != http.StatusOK {
		t.Errorf("with room: %d, %v", code, err)
	}
	if kept := all(t, st); len(kept) != acknowledged+1 {
		t.Errorf("%d were acknowledged, %d kept", acknowledged+1, len(kept))
	}
}
