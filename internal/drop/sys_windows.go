package drop

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"syscall"
)

// Numbers from winerror.h that package syscall has no names for.
const (
	errWriteProtect     syscall.Errno = 19
	errSharingViolation syscall.Errno = 32
	errLockViolation    syscall.Errno = 33
	errHandleDiskFull   syscall.Errno = 39
	errDiskFull         syscall.Errno = 112
	errDirectory        syscall.Errno = 267
)

// infoOf returns what a file looks like. What a folder says of a file that is being written is old.
func infoOf(root *os.Root, e fs.DirEntry) (fs.FileInfo, error) { return root.Lstat(e.Name()) }

// ownerOf returns "": the owner of a file on Windows is, more often than not, a group.
func ownerOf(fs.FileInfo) string { return "" }

// userName names the user we run as, for messages.
func userName() string {
	if u, err := user.Current(); err == nil {
		return "user " + u.Username
	}
	return "the service's user"
}

func isFull(err error) bool     { return errors.Is(err, errDiskFull) || errors.Is(err, errHandleDiskFull) }
func isReadOnly(err error) bool { return errors.Is(err, errWriteProtect) }
func isNotFolder(err error) bool {
	return errors.Is(err, syscall.ENOTDIR) || errors.Is(err, errDirectory)
}

// isBusy reports whether another program holds the one file an operation was about.
func isBusy(err error) bool {
	return errors.Is(err, errSharingViolation) || errors.Is(err, errLockViolation)
}
