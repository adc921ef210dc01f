package sftp

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gondola/internal/outbox"
)

// direct starts a server without a rename, with a document of ours under the final name, and returns the delivery that follows it.
func direct(t *testing.T, size int) (s rig, r *Remote, first, next outbox.Delivery) {
	t.Helper()
	s = sandboxed(nil, "no-rename")(t)
	r = dial(t, s.config)
	if p, err := r.Probe(t.Context()); err != nil || p.Way() != outbox.WayDirect {
		t.Fatalf("Probe = %+v, %v; want the direct way", p, err)
	}
	first, next = document(t, 1, 2000), document(t, 2, size)
	if _, err := r.Replace(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	next.Known = []int64{first.Size}
	next.Previous = &outbox.Document{Path: first.Path, Size: first.Size, SHA256: first.SHA256}
	return s, r, first, next
}

// TestDirectPutsBack fills the disk in the middle of a file that can only be written in place.
func TestDirectPutsBack(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(s rig, d *outbox.Delivery) error
		words  string
		left   string // old, none, or part
	}{
		{name: "the old document is kept", change: func(rig, *outbox.Delivery) error { return nil }, words: "the old file was written back", left: "old"},
		{
			name: "it is purged", words: "could not be written back", left: "part",
			change: func(_ rig, d *outbox.Delivery) error { d.Previous.Path += "-gone"; return nil },
		},
		{
			name: "it is another one", words: "is not one that is kept here", left: "part",
			change: func(_ rig, d *outbox.Delivery) error { d.Previous.Size++; return nil },
		},
		{
			name: "there is none", words: "is not one that is kept here", left: "part",
			change: func(_ rig, d *outbox.Delivery) error { d.Previous = nil; return nil },
		},
		{
			name: "the name was free", words: "no space", left: "none",
			change: func(s rig, _ *outbox.Delivery) error { return os.Remove(filepath.Join(s.home, "catalog", final)) },
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, r, first, d := direct(t, 500_000)
			if err := tc.change(s, &d); err != nil {
				t.Fatal(err)
			}
			s.sandbox.Faults().NoSpaceAfter(100_000)
			_, err := r.Replace(t.Context(), d)
			wantClass(t, err, outbox.NoSpace, tc.words)
			switch tc.left {
			case "old":
				holds(t, filepath.Join(s.home, "catalog"), first, map[string]string{final: ""})
			case "none":
				holds(t, filepath.Join(s.home, "catalog"), first, map[string]string{})
			}
			// Once there is room it goes, whatever lies there.
			s.sandbox.Faults().Clear()
			d.Attempts = 1
			if _, err := r.Replace(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			holds(t, filepath.Join(s.home, "catalog"), d, map[string]string{final: ""})
		})
	}
}

// TestDirectPutsBackWhereFilesAreNotTaken has a passport that is wrong about a server: it takes no files, so the old one still lies there.
func TestDirectPutsBackWhereFilesAreNotTaken(t *testing.T) {
	s, r, first, d := direct(t, 500_000)
	r.contradict(outbox.EatsOnClose, outbox.Can, nil)
	s.sandbox.Faults().NoSpaceAfter(100_000)
	_, err := r.Replace(t.Context(), d)
	wantClass(t, err, outbox.NoSpace, "the old file was written back")
	holds(t, filepath.Join(s.home, "catalog"), first, map[string]string{final: ""})
}

// TestDirectKnowsItsOwnPart meets a file that was cut in the middle: the delivery that began it may write over it, another one may not.
func TestDirectKnowsItsOwnPart(t *testing.T) {
	s, r, _, d := direct(t, 500_000)
	s.put("catalog/"+final, "a part of something")
	_, err := r.Replace(t.Context(), d)
	wantClass(t, err, outbox.Foreign, "19 bytes")
	// That it was tried does not make the file ours.
	d.Attempts, d.Foreign = 1, true
	_, err = r.Replace(t.Context(), d)
	wantClass(t, err, outbox.Foreign, "19 bytes")
	d.Foreign = false
	if _, err := r.Replace(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	holds(t, filepath.Join(s.home, "catalog"), d, map[string]string{final: ""})
}

// TestDirectCancelled gives up in the middle: the old document is back when Replace returns, and the connection is fit for more.
func TestDirectCancelled(t *testing.T) {
	s, r, first, d := direct(t, 8_000_000)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	begun := r.wire.written.Load()
	go func() {
		for r.wire.written.Load() < begun+300_000 && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if _, err := r.Replace(ctx, d); !errors.Is(err, context.Canceled) {
		t.Fatalf("Replace: %v", err)
	}
	holds(t, filepath.Join(s.home, "catalog"), first, map[string]string{final: ""})
	if seen, err := r.Look(t.Context(), "catalog", final); err != nil || seen.Size != first.Size {
		t.Errorf("Look = %+v, %v", seen, err)
	}
}
