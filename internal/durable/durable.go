// Package durable knows how a file comes into being so that it survives a crash: it is whole under its name, or it is not there.
//
// What it promises, once a call has returned without error: the bytes are on the disk and so is the name, whatever happens to the
// process or the power afterwards. When a call fails, or the process stops in the middle, the name is what it was before. What can
// stay behind after a crash is a temporary file: a dot-name that ends in [TempSuffix], which [Sweep] removes.
//
// The order is always the same: temporary name in the target's folder, write, fsync the file, close, rename, fsync the folder.
// The first fsync must come before the rename, because a file system may write the new name before the bytes; the second one makes
// the name itself last. A rename that replaces a file is atomic on every system the daemon runs on.
//
// A [Group] takes the same steps for many files at once: all are written, all are fsynced, all are renamed, and each folder is fsynced
// once. A disk that needs ten milliseconds to say that something is on it is asked some times instead of hundreds of times.
package durable

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gondola/internal/seam"
)

// TempSuffix is what temporary names end in.
const TempSuffix = ".tmp"

// bufferSize is how much is gathered before a write: writers here produce short rows, and a system call per row is what costs.
const bufferSize = 64 << 10

// File is a file that is being written and that nobody sees under its name until Commit. It must be ended by Commit or Abort,
// and is used by one goroutine.
type File struct {
	f    *os.File
	buf  *bufio.Writer
	path string
	done bool
}

// Create begins a file that will be path. The folder must exist; a file that lies at path stays as it is until Commit.
func Create(path string, perm fs.FileMode) (*File, error) {
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	seam.Point("before create")
	f, err := os.CreateTemp(dir, tempPattern(base))
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", path, cause(err))
	}
	// CreateTemp makes files for the owner only; the caller's wish is set before the first byte, so that it holds all along.
	if err := f.Chmod(perm); err != nil {
		_ = f.Close()
		_ = os.Remove(f.Name())
		return nil, fmt.Errorf("set mode of %s: %w", path, cause(err))
	}
	seam.Point("after create")
	return &File{f: f, buf: bufio.NewWriterSize(f, bufferSize), path: path}, nil
}

// Write implements io.Writer. Writes are buffered: an error may belong to an earlier one, and Commit reports what is left.
func (f *File) Write(p []byte) (int, error) {
	n, err := f.buf.Write(p)
	if err != nil {
		return n, fmt.Errorf("write %s: %w", f.path, cause(err))
	}
	return n, nil
}

// Commit makes the file durable under its name, in place of whatever lay there. On error the name is as it was and nothing is left.
// After Commit or Abort it returns fs.ErrClosed.
func (f *File) Commit() (err error) {
	if f.done {
		return fmt.Errorf("commit %s: %w", f.path, fs.ErrClosed)
	}
	f.done = true
	temp := f.f.Name()
	defer func() {
		if err != nil {
			_ = os.Remove(temp)
		}
	}()
	if err := f.sync(); err != nil {
		_ = f.f.Close()
		return err
	}
	// Some network file systems report a write that failed only here.
	if err := f.f.Close(); err != nil {
		return fmt.Errorf("close %s: %w", f.path, cause(err))
	}
	seam.Point("after close")
	if err := rename(temp, f.path); err != nil {
		return fmt.Errorf("put %s under its name: %w", f.path, cause(err))
	}
	seam.Point("after rename")
	err = SyncDir(filepath.Dir(f.path))
	seam.Point("after fsync of the folder")
	return err
}

// CommitAs is Commit under another name, for files that are named by what is in them. The path must be on the same file system.
func (f *File) CommitAs(path string) error {
	f.path = path
	return f.Commit()
}

// sync brings every byte written so far to the disk.
func (f *File) sync() error {
	if err := f.buf.Flush(); err != nil {
		return fmt.Errorf("write %s: %w", f.path, cause(err))
	}
	seam.Point("after write")
	if err := f.f.Sync(); err != nil {
		return fmt.Errorf("flush %s: %w", f.path, cause(err))
	}
	seam.Point("after fsync")
	return nil
}

// cause returns what is below an error that names a temporary file: the name is another one each time, and a person, or a log that
// tells an error once, takes it for another error.
func cause(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	var linkErr *os.LinkError
	if errors.As(err, &linkErr) {
		return linkErr.Err
	}
	return err
}

// Abort throws the file away. It does nothing after Commit, so that it can be deferred.
func (f *File) Abort() {
	if f.done {
		return
	}
	f.done = true
	_ = f.f.Close()
	_ = os.Remove(f.f.Name())
}

// WriteFile makes path hold what write writes, or leaves it as it was. Errors of write are returned as they are.
func WriteFile(path string, perm fs.FileMode, write func(w io.Writer) error) error {
	f, err := Create(path, perm)
	if err != nil {
		return err
	}
	defer f.Abort()
	if err := write(f); err != nil {
		return err
	}
	return f.Commit()
}

// Remove deletes a file for good. A file that is not there is no error.
func Remove(path string) error {
	if err := os.Remove(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	seam.Point("after remove")
	return SyncDir(filepath.Dir(path))
}

// MkdirAll makes a folder and the ones above it (owner and group only), durably. Folders that exist are left alone.
func MkdirAll(path string) error {
	path = filepath.Clean(path)
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return fmt.Errorf("make folder %s: a file is in its place", path)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("make folder: %w", err)
	}
	parent := filepath.Dir(path)
	if parent != path {
		if err := MkdirAll(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, dirPerm); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make folder: %w", err)
	}
	seam.Point("after mkdir")
	return SyncDir(parent)
}

// dirPerm keeps exports (prices before they are public) from other users of the machine.
const dirPerm fs.FileMode = 0o750

// Sweep removes temporary files that a crash left in a folder. Call it before anything is written there.
func Sweep(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("sweep temporary files: %w", err)
	}
	var errs []error
	for _, e := range entries {
		if e.Type().IsRegular() && isTemp(e.Name()) {
			errs = append(errs, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return errors.Join(errs...)
}

// tempMark stands in every temporary name of this package, so that Sweep never takes somebody else's.
const tempMark = ".durable-"

// tempPattern returns a CreateTemp pattern for a base name. The base is cut so that the whole stays under 255 bytes, the limit of
// most file systems.
func tempPattern(base string) string {
	const room = 200
	if len(base) > room {
		base = base[:room]
	}
	// A star in the name would be taken for the place of the random part.
	return "." + strings.ReplaceAll(base, "*", "_") + tempMark + "*" + TempSuffix
}

func isTemp(name string) bool {
	return strings.HasPrefix(name, ".") && strings.Contains(name, tempMark) && strings.HasSuffix(name, TempSuffix)
}
