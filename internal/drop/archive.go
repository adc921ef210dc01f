package drop

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"gondola/internal/durable"
)

// archive copies a file in work to the archive and describes it, but for its owner. Doing it again, for the same number, replaces
// the copy.
func (w *Watcher) archive(x *file, path string, now time.Time) (*Claim, error) {
	name := numbered(x.seq, archiveName(x.name))
	dir, err := w.archiveDir(x, name, now)
	if err != nil {
		return nil, err
	}
	if err := durable.MkdirAll(dir); err != nil {
		return nil, w.f.archiveTrouble(err)
	}
	to := filepath.Join(dir, name)
	size, sum, err := durable.CopyFile(to, path)
	if err != nil {
		return nil, w.f.archiveTrouble(err)
	}
	return &Claim{
		Seq: x.seq, Name: x.name, Work: path, Archived: to, Size: size, SHA256: sum,
		ModTime: x.mod, FirstSeen: x.first,
	}, nil
}

// archiveDir returns the day's folder, or the one that has a copy of an earlier attempt: an archive with two copies of one drop
// would raise the question which of them was taken.
func (w *Watcher) archiveDir(x *file, name string, now time.Time) (string, error) {
	today := filepath.Join(w.f.Archive, now.Format("2006-01-02"))
	if !x.restart {
		return today, nil
	}
	days, err := os.ReadDir(w.f.Archive)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", w.f.archiveTrouble(err)
	}
	for _, day := range days {
		dir := filepath.Join(w.f.Archive, day.Name())
		if _, err := os.Lstat(filepath.Join(dir, name)); day.IsDir() && err == nil {
			return dir, nil
		}
	}
	return today, nil
}

// readTrouble explains why the folder can't be looked at, and what to do.
func (f Folder) readTrouble(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("drop folder %s does not exist (%w): create it, or connect the share that it lies on", f.Path, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("drop folder %s can't be read (%w): give %s read and write permission", f.Path, err, userName())
	case isNotFolder(err) || isFile(f.Path):
		return fmt.Errorf("drop folder %s is not a folder (%w): put a folder in its place, or correct the path in the config", f.Path, err)
	}
	return fmt.Errorf("drop folder %s does not answer (%w): check the disk or the share; gondola goes on when it is back", f.Path, err)
}

// writeTrouble explains why files can't be moved in the folder, and what to do.
func (f Folder) writeTrouble(doing string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission) || isReadOnly(err):
		return fmt.Errorf("drop folder %s is read-only (%s: %w): gondola moves the files it takes; give %s write permission",
			f.Path, doing, err, userName())
	case isFull(err):
		return fmt.Errorf("the disk of drop folder %s is full (%s: %w): make room on it", f.Path, doing, err)
	case isNotFolder(err) || errors.Is(err, fs.ErrExist):
		return fmt.Errorf("drop folder %s has a file where gondola needs a folder (%s: %w): move that file away", f.Path, doing, err)
	}
	return fmt.Errorf("drop folder %s does not let gondola %s (%w): check the disk or the share; gondola goes on when it is back",
		f.Path, doing, err)
}

// archiveTrouble explains why a drop can't be copied to the archive, and what to do.
func (f Folder) archiveTrouble(err error) error {
	switch {
	case isFull(err):
		return fmt.Errorf("the disk of %s is full (%w): make room on it; drops wait in the drop folder meanwhile", f.Archive, err)
	case errors.Is(err, fs.ErrPermission) || isReadOnly(err):
		return fmt.Errorf("copy a drop from %s to %s: %w: give %s permission to read the one and write the other",
			f.Path, f.Archive, err, userName())
	}
	return fmt.Errorf("copy a drop to %s: %w: check the disk; gondola tries again every %s", f.Archive, err, f.Scan)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}
