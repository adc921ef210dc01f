package durable

import (
	"errors"

	"golang.org/x/sys/unix"
)

// renameAway renames a file to a name that nothing has.
func renameAway(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	// Network file systems and old kernels don't know the flag.
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.ENOTSUP) {
		return renameUnlessThere(from, to)
	}
	return err
}
