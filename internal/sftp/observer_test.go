package sftp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gondola/internal/outbox"
	"gondola/internal/sandbox"
	"gondola/internal/sftp/sshdtest"
)

// replacements is how often a name is replaced while somebody watches.
const replacements = 1000

// whole makes a document that shows by itself whether it is whole: its number stands at both ends, its length in between.
func whole(n int) []byte {
	size := 100 + n*37%3000
	return fmt.Appendf(nil, "begin %06d %06d\n%s\nend %06d\n", n, size, strings.Repeat("x", size), n)
}

// isWhole says whether content is one of those documents.
func isWhole(content []byte) error {
	var n, size int
	if _, err := fmt.Sscanf(string(content[:min(len(content), 20)]), "begin %06d %06d\n", &n, &size); err != nil {
		return fmt.Errorf("%d bytes that are no document: %w", len(content), err)
	}
	if !bytes.Equal(content, whole(n)) {
		return fmt.Errorf("document %d in part: %d bytes", n, len(content))
	}
	return nil
}

// watched is what an observer has seen of the final name.
type watched struct {
	looks, reads    int
	absences        int           // looks that did not find it
	longest         time.Duration // between the first look that missed it and the next that did not
	nothing, partly []string      // what must not be: neither old nor new, or a part
}

// watch lists and reads the final name as fast as it can until done. Where the name is absent, the old file must lie aside.
func watch(r *Remote, done *atomic.Bool) (w watched, err error) {
	var missing time.Time
	for !done.Load() {
		infos, err := r.ftp.ReadDir("catalog")
		if err != nil {
			return w, err
		}
		now := time.Now()
		w.looks++
		there, aside := false, ""
		for _, info := range infos {
			there = there || info.Name() == final
			if _, suffix, ok := leftover(info.Name()); ok && suffix == suffixAside {
				aside = info.Name()
			}
		}
		switch {
		case there && !missing.IsZero():
			w.longest, missing = max(w.longest, now.Sub(missing)), time.Time{}
		case !there:
			w.absences++
			if missing.IsZero() {
				missing = now
			}
			if aside == "" {
				w.nothing = append(w.nothing, fmt.Sprintf("look %d finds neither the name nor an old file", w.looks))
			}
		}
		name := final
		if !there {
			name = aside
		}
		content, err := read(r, "catalog/"+name)
		switch {
		case errors.Is(err, fs.ErrNotExist): // moved since the look
			if there && r.advertised {
				w.nothing = append(w.nothing, fmt.Sprintf("look %d finds the name, and nothing to open under it", w.looks))
			}
		case err != nil:
			return w, err
		default:
			w.reads++
			if err := isWhole(content); err != nil {
				w.partly = append(w.partly, fmt.Sprintf("%s: %v", name, err))
			}
		}
	}
	return w, nil
}

func read(r *Remote, name string) ([]byte, error) {
	f, err := r.ftp.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // read only
	return io.ReadAll(f)
}

// observe replaces a name over and over while another client watches it.
func observe(t *testing.T, s rig, way string) watched {
	t.Helper()
	r, observer := dial(t, s.config), dial(t, s.config)
	if _, err := r.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := outbox.Delivery{Folder: "catalog", Name: final, Path: filepath.Join(t.TempDir(), "doc"), Adopt: true}
	put := func(n int) {
		t.Helper()
		content := whole(n)
		if err := os.WriteFile(d.Path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		d.ID, d.Size, d.SHA256 = int64(n), int64(len(content)), digestOfBytes(content)
		got, err := r.Replace(t.Context(), d)
		if err != nil {
			t.Fatalf("document %d: %v", n, err)
		}
		if n > 1 && got.Way != way {
			t.Fatalf("document %d took its name by %s, want %s", n, got.Way, way)
		}
	}
	put(1)
	var done atomic.Bool
	var w watched
	failed := make(chan error, 1)
	go func() {
		var err error
		w, err = watch(observer, &done)
		failed <- err
	}()
	defer done.Store(true)
	start := time.Now()
	for n := range replacements {
		put(n + 2)
	}
	took := time.Since(start)
	done.Store(true)
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	t.Logf("%d replaces by %s in %v: %d looks, %d reads, absent in %d looks, for %v at most", replacements, way,
		took.Round(time.Millisecond), w.looks, w.reads, w.absences, w.longest)
	for _, text := range append(w.nothing, w.partly...) {
		t.Error(text)
	}
	if w.looks < 50 || w.reads < 50 {
		t.Errorf("the observer looked %d times and read %d times: that shows nothing", w.looks, w.reads)
	}
	return w
}

// TestObserverPosixRename watches servers that rename over files: the name is never absent and never shows a part of a file.
func TestObserverPosixRename(t *testing.T) {
	for name, start := range map[string]func(t *testing.T) rig{
		"sandbox": sandboxed(nil, "posix-rename"), "OpenSSH": openSSH(sshdtest.Options{}),
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			if w := observe(t, s, outbox.WayPosixRename); w.absences > 0 {
				t.Errorf("the name was absent in %d looks", w.absences)
			}
			if s.sandbox != nil {
				for _, c := range s.sandbox.History("catalog/" + final) {
					if c.Gone || !c.Complete {
						t.Errorf("by the server's log the name showed %+v", c)
					}
				}
			}
		})
	}
}

// TestObserverAside watches a server that renames to free names only. By the server's own log the name is absent for two round trips
// of ours at most, and at every moment either it or the old file aside is there.
func TestObserverAside(t *testing.T) {
	s := sandboxed(nil)(t)
	observe(t, s, outbox.WayAside)
	ops := s.sandbox.Operations()
	trips, longest, absences := 0, time.Duration(0), 0
	var gone *sandbox.Change
	for _, c := range s.sandbox.History("catalog/" + final) {
		switch {
		case c.Gone:
			gone = &c
		case !c.Complete:
			t.Errorf("by the server's log the name showed %+v", c)
		case gone != nil:
			absences++
			longest = max(longest, c.At.Sub(gone.At))
			n, writer := 0, ops[c.N-1].Session
			for _, op := range ops[gone.N:c.N] { // after it went, up to its return
				if op.Session == writer {
					n++
				}
			}
			trips, gone = max(trips, n), nil
		}
	}
	t.Logf("by the server's log: absent %d times, for %d round trips and %v at most", absences, trips, longest)
	if gone != nil || absences != replacements {
		t.Errorf("absent %d times, want once for each of %d replaces, and not at the end", absences, replacements)
	}
	if trips > 2 {
		t.Errorf("absent for %d round trips, want two at most", trips)
	}
}
