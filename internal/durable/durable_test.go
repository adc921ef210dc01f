package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestWriteFilePutsTheWholeFileUnderItsName(t *testing.T) {
	for _, name := range []string{"a.csv", "precios *.csv", "con espacio y ñ.csv", strings.Repeat("n", 250), ".hidden"} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS == "windows" && strings.Contains(name, "*") {
				t.Skip("Windows has no such names")
			}
			path := filepath.Join(t.TempDir(), name)
			for _, text := range []string{"first", strings.Repeat("second", 50_000)} { // the second is larger than the buffer
				err := WriteFile(path, 0o640, func(w io.Writer) error {
					_, err := io.WriteString(w, text)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				wantFile(t, path, text)
				wantNames(t, filepath.Dir(path), name)
			}
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != 0o640 && runtime.GOOS != "windows" { // which has no such bits
				t.Errorf("mode %v, want 0640", info.Mode().Perm())
			}
		})
	}
}

func TestWriteFileThatFailsLeavesWhatWasThere(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.csv")
	write(t, path, "old")
	boom := errors.New("boom")
	err := WriteFile(path, 0o640, func(w io.Writer) error {
		fmt.Fprint(w, strings.Repeat("half", 100_000))
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatalf("got %v, want the error of write", err)
	}
	wantFile(t, path, "old")
	wantNames(t, dir, "a.csv")
}

func TestCommitThatCannotRenameRemovesTheTemporaryFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.csv")
	f, err := Create(path, 0o640)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(path, "in the way"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); err == nil {
		t.Fatal("a file took the place of a folder")
	}
	wantNames(t, dir, "a.csv")
	if err := f.Commit(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("second Commit: %v, want ErrClosed", err)
	}
}

func TestAbort(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.csv")
	f, err := Create(path, 0o640)
	if err != nil {
		t.Fatal(err)
	}
	f.Abort()
	wantNames(t, dir)

	f, err = Create(path, 0o640)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	f.Abort() // deferred by callers: must not touch a committed file
	wantNames(t, dir, "a.csv")
}

func TestSweepRemovesOnlyWhatACrashOfOursLeft(t *testing.T) {
	dir := t.TempDir()
	f, err := Create(filepath.Join(dir, "a.csv"), 0o640)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, "half a row")
	write(t, filepath.Join(dir, ".mine.tmp"), "somebody else's")
	write(t, filepath.Join(dir, "b.csv"), "whole")
	if err := os.Mkdir(filepath.Join(dir, ".d"+tempMark+"1"+TempSuffix), 0o750); err != nil {
		t.Fatal(err)
	}
	// The process stops here: f is neither committed nor aborted. Its files are closed for it.
	if err := f.f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Sweep(dir); err != nil {
		t.Fatal(err)
	}
	wantNames(t, dir, ".d"+tempMark+"1"+TempSuffix, ".mine.tmp", "b.csv")
}

func TestErrorsNameTheFileAndNotTheTemporaryOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none", "x.csv")
	_, err := Create(path, 0o640)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("got %v, want ErrNotExist", err)
	}
	if !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), tempMark) {
		t.Errorf("error %q", err)
	}
}

func TestRemove(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	write(t, path, "x")
	for range 2 { // the second finds nothing, which is what was asked for
		if err := Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	wantNames(t, filepath.Dir(path))
}

func TestMkdirAll(t *testing.T) {
	dir := t.TempDir()
	deep := filepath.Join(dir, "a", "b", "c")
	for range 2 {
		if err := MkdirAll(deep); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(deep); err != nil || !info.IsDir() {
		t.Fatalf("no folder: %v", err)
	}
	t.Chdir(dir)
	if err := MkdirAll("relative/x"); err != nil {
		t.Error(err)
	}
	write(t, filepath.Join(dir, "file"), "x")
	if err := MkdirAll(filepath.Join(dir, "file")); err == nil {
		t.Error("a file counts as a folder")
	}
	if err := MkdirAll(filepath.Join(dir, "file", "below")); err == nil {
		t.Error("a folder below a file")
	}
}

func TestCopyFile(t *testing.T) {
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "src"), filepath.Join(dir, "dst")
	write(t, src, "abc")
	size, sum, err := CopyFile(dst, src)
	if err != nil {
		t.Fatal(err)
	}
	// The SHA-256 of "abc" from FIPS 180-2, appendix B.1.
	if size != 3 || sum != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("got %d %s", size, sum)
	}
	wantFile(t, dst, "abc")
	wantFile(t, src, "abc")
	if got, err := Digest(dst); err != nil || got != sum {
		t.Errorf("Digest: %s %v", got, err)
	}
	if _, _, err := CopyFile(filepath.Join(dir, "none", "dst"), src); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("copy into a missing folder: %v", err)
	}
	if _, _, err := CopyFile(dst, filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("copy of nothing: %v", err)
	}
	wantNames(t, dir, "dst", "src")
}

func TestConcurrentWritersLeaveOneWholeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	errs := make(chan error)
	for i := range 8 {
		go func() {
			errs <- WriteFile(path, 0o640, func(w io.Writer) error {
				_, err := io.WriteString(w, strings.Repeat(string(rune('a'+i)), 200_000))
				return err
			})
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) != 200_000 || strings.Trim(string(data), string(data[:1])) != "" {
		t.Error("the file mixes two writers")
	}
	wantNames(t, filepath.Dir(path), "x")
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func wantFile(t testing.TB, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s holds %d bytes, want %d", filepath.Base(path), len(got), len(want))
	}
}

func wantNames(t testing.TB, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("folder holds %q, want %q", got, want)
	}
}
