package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"gondola/internal/seam"
)

const (
	// groupSize is how many files wait for each other at most: each is open until then.
	groupSize = 64
	// sideBySide is how many of them are brought to the disk at a time. A journal writes down what several ask for at once in one go;
	// beyond a few that gains nothing.
	sideBySide = 8
)

// Group is files that become durable together, which takes a fraction of what each alone would. They are for content that is looked for by
// its digest: on an error some may have their names although nothing will ever refer to them. Not one is durable before Commit has
// returned. A group is used by one goroutine and ended by Commit or Abort; then it may be filled again. The zero value is empty.
type Group struct {
	files []*File
	err   error // what kept earlier files of it from becoming durable: then it can't be committed
}

// CommitIn hands a file over to a group, which gives it the name path, in a folder that it makes where there is none. Where that makes
// the group a large one, all so far become durable at once. After CommitIn or Abort it returns fs.ErrClosed.
func (f *File) CommitIn(g *Group, path string) error {
	if f.done {
		return fmt.Errorf("commit %s: %w", path, fs.ErrClosed)
	}
	f.path = path
	if err := f.buf.Flush(); err != nil {
		f.Abort()
		return fmt.Errorf("write %s: %w", path, cause(err))
	}
	seam.Point("after write")
	f.done, f.buf = true, nil
	g.files = append(g.files, f)
	if len(g.files) < groupSize {
		return g.err
	}
	return g.Flush()
}

// Flush makes the files of the group durable under their names, before it is complete. Call it before one of them is read for as long as
// others come: Windows gives no new name to a file that is open. Where it fails Commit fails, too.
func (g *Group) Flush() error {
	if g.err == nil {
		g.err = g.commit()
	}
	return g.err
}

// Lies returns where a file of the group can be read, "" where it has none of that name or has given it to it.
func (g *Group) Lies(path string) string {
	for _, f := range slices.Backward(g.files) {
		if f.path == path {
			return f.f.Name()
		}
	}
	return ""
}

// Commit makes all files of the group durable under their names, in place of whatever lay there. On an error those that have no name yet
// are gone; also where those went wrong that became durable before, for what refers to some may refer to others.
func (g *Group) Commit() error {
	err := g.Flush()
	g.Abort()
	return err
}

// commit makes the files that the group has now durable.
func (g *Group) commit() (err error) {
	files := g.files
	g.files = nil
	if len(files) == 0 {
		return nil
	}
	named := 0
	defer func() {
		for _, f := range files[named:] {
			_ = os.Remove(f.f.Name())
		}
	}()
	err = each(len(files), func(i int) error { return files[i].finish() })
	if err != nil {
		return err
	}
	seam.Point("after fsync")
	var dirs []string
	for _, f := range files {
		dirs = append(dirs, filepath.Dir(f.path))
	}
	slices.Sort(dirs)
	dirs = slices.Compact(dirs)
	if err := mkdirs(dirs); err != nil {
		return err
	}
	for _, f := range files {
		if err := rename(f.f.Name(), f.path); err != nil {
			return fmt.Errorf("put %s under its name: %w", f.path, cause(err))
		}
		named++
		seam.Point("after rename")
	}
	err = each(len(dirs), func(i int) error { return SyncDir(dirs[i]) })
	seam.Point("after fsync of the folder")
	return err
}

// Abort throws the files of the group away, as far as they have no name. It does nothing after Commit, so that it can be deferred.
func (g *Group) Abort() {
	for _, f := range g.files {
		_ = f.f.Close()
		_ = os.Remove(f.f.Name())
	}
	g.files, g.err = nil, nil
}

// finish brings the bytes of a file to the disk and closes it.
func (f *File) finish() error {
	if err := f.f.Sync(); err != nil {
		_ = f.f.Close()
		return fmt.Errorf("flush %s: %w", f.path, cause(err))
	}
	if err := f.f.Close(); err != nil {
		return fmt.Errorf("close %s: %w", f.path, cause(err))
	}
	return nil
}

// mkdirs makes those of the folders that are missing, durably: each folder above them is synced once.
func mkdirs(dirs []string) error {
	var above []string
	for _, dir := range dirs {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			continue
		}
		if err := MkdirAll(filepath.Dir(dir)); err != nil {
			return err
		}
		if err := os.Mkdir(dir, dirPerm); err != nil && !errors.Is(err, fs.ErrExist) { // somebody else may just have made it
			return fmt.Errorf("make folder: %w", err)
		}
		seam.Point("after mkdir")
		above = append(above, filepath.Dir(dir))
	}
	slices.Sort(above)
	for _, dir := range slices.Compact(above) {
		if err := SyncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

// each calls do for the numbers below n, several at a time. There is no seam within: which comes first is chance.
func each(n int, do func(i int) error) error {
	errs := make([]error, n)
	var running sync.WaitGroup
	for first := range min(n, sideBySide) {
		running.Go(func() {
			for i := first; i < n; i += sideBySide {
				errs[i] = do(i)
			}
		})
	}
	running.Wait()
	return errors.Join(errs...)
}
