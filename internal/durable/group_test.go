package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// joined writes a file that a group is to name.
func joined(t *testing.T, g *Group, dir, path, text string) {
	t.Helper()
	f, err := Create(filepath.Join(dir, "new"), 0o640)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, text)
	if err := f.CommitIn(g, path); err != nil {
		t.Fatal(err)
	}
	if err := f.CommitIn(g, path); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("twice: %v, want ErrClosed", err)
	}
	f.Abort() // deferred by callers: must not touch what is the group's
}

func TestGroupNamesAllItsFiles(t *testing.T) {
	dir := t.TempDir()
	g := &Group{}
	if err := g.Commit(); err != nil {
		t.Fatal("an empty group:", err)
	}
	for range 2 { // filled again
		paths := []string{filepath.Join(dir, "a"), filepath.Join(dir, "x", "y", "b"), filepath.Join(dir, "x", "z", "c"), filepath.Join(dir, "a")}
		for i, path := range paths {
			joined(t, g, dir, path, fmt.Sprint("text ", i))
		}
		wantFile(t, g.Lies(paths[0]), "text 3") // the last of that name
		wantFile(t, g.Lies(paths[2]), "text 2")
		if err := g.Commit(); err != nil {
			t.Fatal(err)
		}
		wantFile(t, paths[0], "text 3")
		wantFile(t, paths[1], "text 1")
		wantFile(t, paths[2], "text 2")
		wantNames(t, dir, "a", "x")
		if lies := g.Lies(paths[0]); lies != "" {
			t.Errorf("after the commit it lies in %s", lies)
		}
		g.Abort() // deferred by callers
	}
}

func TestGroupDoesNotGrow(t *testing.T) {
	dir := t.TempDir()
	g := &Group{}
	for i := range groupSize + 1 {
		joined(t, g, dir, filepath.Join(dir, fmt.Sprint("f", i)), "x")
	}
	if len(g.files) != 1 {
		t.Errorf("%d files wait, want 1", len(g.files))
	}
	wantFile(t, filepath.Join(dir, "f0"), "x")
	g.Abort()
	if _, err := os.Lstat(filepath.Join(dir, fmt.Sprint("f", groupSize))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was given up has a name: %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != groupSize {
		t.Errorf("%d files lie there, %v; want %d", len(entries), err, groupSize)
	}
}

func TestGroupThatFailsLeavesNoTemporaryFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "b", "in the way"), 0o750); err != nil {
		t.Fatal(err)
	}
	g := &Group{}
	for _, name := range []string{"a", "b", "c"} {
		joined(t, g, dir, filepath.Join(dir, name), "x")
	}
	if err := g.Commit(); err == nil {
		t.Error("a file took the place of a folder")
	}
	wantNames(t, dir, "a", "b") // the first was named already
	g = &Group{}
	joined(t, g, dir, filepath.Join(dir, "c"), "x")
	joined(t, g, dir, filepath.Join(dir, "d"), "x")
	if err := g.files[1].f.Close(); err != nil { // stands for a disk that does not take it
		t.Fatal(err)
	}
	if err := g.Commit(); err == nil {
		t.Error("a file that could not be flushed counts as durable")
	}
	wantNames(t, dir, "a", "b")
}

// TestGroupThatFailedOnTheWayCannotBeCommitted: some of its files were to become durable before the others, because there were many. Whoever
// put them there was told nothing, so that Commit has to tell.
func TestGroupThatFailedOnTheWayCannotBeCommitted(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "b", "in the way"), 0o750); err != nil {
		t.Fatal(err)
	}
	g := &Group{}
	put := func(name string) error {
		f, err := Create(filepath.Join(dir, "new"), 0o640)
		if err != nil {
			t.Fatal(err)
		}
		return f.CommitIn(g, filepath.Join(dir, name))
	}
	var errs []error
	for i := range groupSize - 1 {
		errs = append(errs, put(fmt.Sprint("z", i)))
	}
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if put("b") == nil {
		t.Error("a file took the place of a folder")
	}
	if put("behind") == nil {
		t.Error("a group that failed took a file")
	}
	if g.Commit() == nil {
		t.Error("a group of which files are gone was committed")
	}
	if _, err := os.Lstat(filepath.Join(dir, "behind")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what came behind has a name: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".*"+TempSuffix)); err != nil || len(left) > 0 {
		t.Errorf("left: %q, %v", left, err)
	}
	joined(t, g, dir, filepath.Join(dir, "c"), "x") // filled again
	if err := g.Flush(); err != nil || g.Lies(filepath.Join(dir, "c")) != "" {
		t.Errorf("what was flushed lies elsewhere: %v", err)
	}
	if err := g.Commit(); err != nil {
		t.Error(err)
	}
}
