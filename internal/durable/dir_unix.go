//go:build !windows

package durable

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// rename gives a file another name, in one step.
func rename(from, to string) error { return os.Rename(from, to) }

// SyncDir makes the names in a folder durable: call it after a rename or removal that went past this package.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	err = d.Sync()
	_ = d.Close() // only read: nothing to lose
	// Some network and FUSE file systems can't sync a folder and say so; there is nothing more to be had from them.
	if err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return fmt.Errorf("sync folder %s: %w", dir, err)
	}
	return nil
}
