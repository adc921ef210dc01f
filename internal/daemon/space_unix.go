//go:build unix

package daemon

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// freeSpace returns the bytes that we may still write on the disk of a folder.
func freeSpace(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("ask for the free space of %s: %w", dir, err)
	}
	return int64(s.Bavail) * int64(s.Bsize), nil //nolint:gosec,unconvert // sizes of disks fit, and the types differ by system
}
