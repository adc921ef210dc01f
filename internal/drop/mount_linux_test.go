package drop

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestDiskTroublesAreToldOnceAndEnd does the same as TestFolderTroublesAreToldOnceAndEnd with disks that really are full or read-only.
func TestDiskTroublesAreToldOnceAndEnd(t *testing.T) {
	for _, c := range []trouble{
		{
			"read-only", func(b *bench) { mount(b.t, b.dir, ""); remount(b.t, b.dir, syscall.MS_RDONLY) },
			func(b *bench) { remount(b.t, b.dir, 0) }, "is read-only",
		},
		{
			"archive is full",
			func(b *bench) {
				if err := os.MkdirAll(b.f.Archive, 0o750); err != nil {
					b.t.Fatal(err)
				}
				mount(b.t, b.f.Archive, "size=64k")
				fill := filepath.Join(b.f.Archive, "fill")
				if err := os.WriteFile(fill, make([]byte, 64<<10), 0o600); err != nil && !errors.Is(err, syscall.ENOSPC) {
					b.t.Fatal(err)
				}
				b.write("full.csv", strings.Repeat("1\n", 1000))
			},
			func(b *bench) {
				if err := os.Remove(filepath.Join(b.f.Archive, "fill")); err != nil {
					b.t.Fatal(err)
				}
				if err := os.Remove(b.path("full.csv")); err != nil && !errors.Is(err, os.ErrNotExist) {
					b.t.Fatal(err)
				}
			},
			"is full",
		},
	} {
		t.Run(c.name, c.run)
	}
}

// mount puts a small file system of its own over a folder, so that a disk can really be full or read-only. It needs root.
func mount(t testing.TB, dir, options string) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		if os.Getenv("CI") == "1" {
			t.Fatalf("can't mount a small disk, which needs root: %v", err)
		}
		t.Skipf("can't mount a small disk, which needs root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

func remount(t testing.TB, dir string, flags uintptr) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|flags, ""); err != nil {
		t.Fatal(err)
	}
}
