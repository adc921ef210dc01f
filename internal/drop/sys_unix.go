//go:build !windows

package drop

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// infoOf returns what a file looks like. Reading a folder below a root asks that of each file already.
func infoOf(_ *os.Root, e fs.DirEntry) (fs.FileInfo, error) { return e.Info() }

// ownerOf returns the name of the user a file belongs to, or the number where the machine knows no name for it.
func ownerOf(info fs.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return nameOf(strconv.FormatUint(uint64(stat.Uid), 10))
}

// userName names the user we run as, for messages.
func userName() string { return "user " + nameOf(strconv.Itoa(os.Geteuid())) }

func nameOf(uid string) string {
	if u, err := user.LookupId(uid); err == nil {
		return u.Username
	}
	return uid
}

func isFull(err error) bool      { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }
func isReadOnly(err error) bool  { return errors.Is(err, syscall.EROFS) }
func isNotFolder(err error) bool { return errors.Is(err, syscall.ENOTDIR) }

// isBusy reports whether another program holds the one file an operation was about.
func isBusy(err error) bool { return errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.ETXTBSY) }
