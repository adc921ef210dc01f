package store

import (
	"context"
	"testing"
	"time"
)

// TestVersion is another one after every commit, of this process and of one beside it, and the same while nobody writes.
func TestVersion(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	beside, err := OpenShared(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	last, err := s.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		what  string
		do    func(context.Context) error
		moves bool
	}{
		{"nothing", func(context.Context) error { return nil }, false},
		{"a read", func(ctx context.Context) error { _, err := s.Fact(ctx, "x"); return err }, false},
		{"a write of ours", func(ctx context.Context) error { return s.SetFact(ctx, "x", "1") }, true},
		{"nothing again", func(context.Context) error { return nil }, false},
		{"a write of another process", func(ctx context.Context) error { return beside.SetFact(ctx, "x", "2") }, true},
		{"a transaction", func(ctx context.Context) error { return s.RecordSlot(ctx, "x", time.Now(), nil, false) }, true},
	} {
		if err := step.do(t.Context()); err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		now, err := s.Version(t.Context())
		if err != nil || now != last != step.moves {
			t.Errorf("after %s: %d became %d, %v", step.what, last, now, err)
		}
		last = now
	}
}
