package durable

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// SyncDir does nothing: Windows has no way to flush a folder, and NTFS logs the change of a name before it answers.
func SyncDir(string) error { return nil }

// renameWithin is how long a rename is tried again while another program has one of the names: a virus scanner looks at every new file
// for a moment. Who holds it for longer, as Excel does, holds it until a person lets go.
const renameWithin = 2 * time.Second

// errSharingViolation is ERROR_SHARING_VIOLATION, which package syscall has no name for.
const errSharingViolation syscall.Errno = 32

// rename is os.Rename for a Windows on which other programs look at new files.
func rename(from, to string) error {
	for over := time.Now().Add(renameWithin); ; time.Sleep(20 * time.Millisecond) {
		err := os.Rename(from, to)
		held := errors.Is(err, errSharingViolation) || errors.Is(err, syscall.ERROR_ACCESS_DENIED)
		if !held || time.Now().After(over) {
			return err
		}
	}
}
