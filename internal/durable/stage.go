package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"gondola/internal/seam"
)

// Stage makes path, a name that nobody reads, hold what write writes, durably, so that Publish can give it its real name later: in
// between, a row can say that this is to happen. What lies under the name is written over. On error nothing is left there. Errors of
// write are returned as they are.
func Stage(path string, perm fs.FileMode, write func(w io.Writer) error) (err error) {
	seam.Point("before create")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return fmt.Errorf("create %s: %w", path, cause(err))
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(path)
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	seam.Point("after write")
	if err := f.Sync(); err != nil {
		return fmt.Errorf("flush %s: %w", path, cause(err))
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("close %s: %w", path, cause(err))
	}
	err = SyncDir(filepath.Dir(path))
	seam.Point("after fsync of the folder")
	return err
}

// Publish gives a staged file its real name, in the same folder, durably. It never takes the place of a file: where one lies under the
// name it returns an error that is fs.ErrExist, and the staged one stays.
func Publish(staged, path string) error {
	seam.Point("before rename")
	if err := renameAway(staged, path); err != nil {
		return fmt.Errorf("put %s under its name: %w", path, cause(err))
	}
	seam.Point("after rename")
	err := SyncDir(filepath.Dir(path))
	seam.Point("after fsync of the folder")
	return err
}

// renameUnlessThere looks before it renames, for systems that can't do both at once: a file that comes up in between is written over.
func renameUnlessThere(from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return fs.ErrExist
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(from, to)
}
