package supervisor

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestLogFiles follows a log over the end of a day, over files that are full, a start anew, and more files than are kept.
func TestLogFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	now := time.Date(2026, 11, 26, 23, 59, 58, 0, time.UTC)
	clock := func() time.Time { return now }
	open := func() *LogFiles {
		l, err := openLog(dir, clock)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	names := func() []string {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, e := range entries {
			all = append(all, e.Name())
		}
		return all
	}
	write := func(l *LogFiles, text string) {
		t.Helper()
		if n, err := l.Write([]byte(text)); err != nil || n != len(text) {
			t.Fatalf("wrote %d: %v", n, err)
		}
	}
	l := open()
	write(l, "a\n")
	now = now.Add(time.Second)
	write(l, "b\n")
	now = now.Add(time.Second) // midnight
	write(l, "c\n")
	now = now.Add(time.Second)
	write(l, strings.Repeat("x", logFileMax-2)) // with the line before it, just full
	now = now.Add(time.Second)
	write(l, "d\n")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Second)
	want := []string{
		"gondola-2026-11-26T235958.000Z.log", "gondola-2026-11-27T000000.000Z.log", "gondola-2026-11-27T000002.000Z.log",
	}
	got := names()
	if !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
	text, err := os.ReadFile(filepath.Join(dir, want[0]))
	if err != nil || string(text) != "a\nb\n" {
		t.Errorf("first file %q, %v", text, err)
	}
	// Another start begins another file; a foreign file is not counted or removed.
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l = open()
	for range logKept + 5 {
		now = now.Add(24 * time.Hour)
		write(l, "e\n")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := names(); len(got) != logKept+1 || got[0] != "a.txt" || slices.Contains(got, want[0]) {
		t.Errorf("%d files are kept: %v", len(got), got)
	}
	// A folder that is gone costs lines, and no more than those.
	gone := filepath.Join(t.TempDir(), "gone")
	if err := os.Rename(dir, gone); err != nil {
		t.Fatal(err)
	}
	now = now.Add(24 * time.Hour)
	if _, err := l.Write([]byte("lost\n")); err == nil {
		t.Error("a line that is lost is not told")
	}
	if err := os.Rename(gone, dir); err != nil {
		t.Fatal(err)
	}
	write(l, "there again\n")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}
