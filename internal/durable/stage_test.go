package durable

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestPublish gives a staged file its name, and never takes another's place.
func TestPublish(t *testing.T) {
	dir := t.TempDir()
	staged, path := filepath.Join(dir, ".a.tmp"), filepath.Join(dir, "a.csv")
	write := func(text string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, text); return err }
	}
	for range 2 { // once more over what a crash left
		if err := Stage(staged, 0o640, write("one")); err != nil {
			t.Fatal(err)
		}
	}
	if err := Publish(staged, path); err != nil {
		t.Fatal(err)
	}
	if err := Stage(staged, 0o640, write("two")); err != nil {
		t.Fatal(err)
	}
	for name, publish := range map[string]func(string, string) error{"at once": Publish, "looking first": renameUnlessThere} {
		if err := publish(staged, path); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: over another file: %v", name, err)
		}
	}
	for name, want := range map[string]string{staged: "two", path: "one"} {
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v", name, got, err)
		}
	}
	broken := errors.New("broken")
	if err := Stage(staged, 0o640, func(io.Writer) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if _, err := os.Lstat(staged); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a half file is left: %v", err)
	}
	if err := Publish(staged, filepath.Join(dir, "b.csv")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
}
