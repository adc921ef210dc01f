package sftp

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gondola/internal/outbox"
)

// TestLargeFilesRefusedTogether has all files refused that share what may be on its way, beside others that wait for a share: each is
// tried again beside fewer, and none waits for another for ever.
func TestLargeFilesRefusedTogether(t *testing.T) {
	s := newServer(t, posix)
	s.before = func(op, name, _ string) error {
		if op == "Open" && strings.HasPrefix(path.Base(name), ".") {
			return errors.New("no")
		}
		return nil
	}
	c := s.client()
	c.Parallel = 64
	r := dial(t, c)

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	var all [8]outbox.Delivery
	for i := range all {
		all[i] = document(t, int64(i+1), writesAhead*writeSize)
		all[i].Name = fmt.Sprintf("gondola_%d.csv", i)
	}
	for _, d := range all {
		wg.Go(func() {
			if _, err := r.Replace(ctx, d); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// few has a server take so many open files at once, whether they are written or read.
func few(s *server, takes int64) {
	var open atomic.Int64
	s.before = func(op, _, _ string) error {
		switch op {
		case "Open", "Read":
			if open.Add(1) > takes {
				open.Add(-1)
				return errors.New("too many open files")
			}
		case "Close", "Done":
			open.Add(-1)
		}
		return nil
	}
}

// besideAnother puts a document while another file is on its way, which ends once the document waits for that.
func besideAnother(t *testing.T, r *Remote, d outbox.Delivery) (outbox.Receipt, error) {
	t.Helper()
	if _, err := r.files.take(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for waits(&r.files) == 0 {
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
			}
		}
		r.files.give(1)
	})
	got, err := r.Replace(t.Context(), d)
	close(done)
	wg.Wait()
	return got, err
}

// TestReadRefusedBesideAnother has a file not opened to be read back while another one is open: nothing else is concluded from it.
func TestReadRefusedBesideAnother(t *testing.T) {
	s := newServer(t, posix)
	s.reads = true
	var refused atomic.Bool
	s.before = func(op, _, _ string) error {
		if op == "Read" && !refused.Swap(true) {
			return errors.New("too many open files")
		}
		return nil
	}
	c := s.client()
	c.Parallel, c.ReadBack = 64, 1<<20
	r := dial(t, c)
	got, err := besideAnother(t, r, document(t, 1, 1000))
	if err != nil || got.Proof != outbox.ProofDigest || !r.Passport().Has(outbox.ReadBack) {
		t.Errorf("%+v, %v, can be read back: %q", got, err, r.Passport().Says(outbox.ReadBack))
	}
}

// TestFewOpenFilesInPlace has more files on their way than a server has open at once, where they are written under their names.
func TestFewOpenFilesInPlace(t *testing.T) {
	s := newServer(t)
	s.reads = true
	few(s, 5)
	c := s.client()
	c.Parallel, c.ReadBack = 64, 1<<20
	c.Passport = outbox.Passport{At: time.Now()}.With(outbox.Rename, outbox.Cannot)
	crowd(t, dial(t, c), 0, 60)
}

// TestForeignFileWhileWaiting has somebody else's file come while one that is to be written in place waits for its turn.
func TestForeignFileWhileWaiting(t *testing.T) {
	s := newServer(t)
	var refused atomic.Bool
	s.before = func(op, name, _ string) error {
		if op != "Open" || refused.Swap(true) {
			return nil
		}
		if err := os.WriteFile(s.local(name), []byte("somebody else's"), 0o600); err != nil {
			t.Error(err)
		}
		return errors.New("too many open files")
	}
	c := s.client()
	c.Parallel = 64
	c.Passport = outbox.Passport{At: time.Now()}.With(outbox.Rename, outbox.Cannot)
	_, err := besideAnother(t, dial(t, c), document(t, 2, 1000))
	wantClass(t, err, outbox.Foreign)
	if got, _ := os.ReadFile(s.local("catalog/gondola_s1.csv")); string(got) != "somebody else's" {
		t.Errorf("in place of somebody else's file lies %q", got)
	}
}

// TestWaitingEndsWithTheConnection has a file wait for its turn beside one that never ends, and the connection break.
func TestWaitingEndsWithTheConnection(t *testing.T) {
	s := newServer(t, posix)
	c := s.client()
	c.Parallel = 1
	r := dial(t, c)
	if _, err := r.files.take(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	failed := make(chan error)
	go func() {
		_, err := r.Replace(t.Context(), document(t, 1, 1000))
		failed <- err
	}()
	for waits(&r.files) == 0 {
		time.Sleep(time.Millisecond)
	}
	r.cut(errHungUp)
	select {
	case err := <-failed:
		wantClass(t, err, outbox.Transient)
	case <-time.After(10 * time.Second):
		t.Fatal("it waits for ever")
	}
}

// TestGrowsAgain has a server refuse a file once beside another. That few are not what it takes for ever.
func TestGrowsAgain(t *testing.T) {
	s := newServer(t, posix)
	var refused atomic.Bool
	s.before = func(op, _, _ string) error {
		if op == "Open" && !refused.Swap(true) {
			return errors.New("not now")
		}
		return nil
	}
	c := s.client()
	c.Parallel, c.Passport = 64, outbox.Passport{At: time.Now()}
	var mu sync.Mutex
	c.Learned = func(p outbox.Passport) {
		mu.Lock()
		defer mu.Unlock()
		c.Passport = p
	}
	if _, err := besideAnother(t, dial(t, c), document(t, 100, 1000)); err != nil {
		t.Fatal(err)
	}
	if c.Passport.Most != 1 {
		t.Fatalf("it was learned that it takes %d files, want 1", c.Passport.Most)
	}
	for _, want := range []int{2, 4, 8} {
		r := dial(t, c)
		if _, err := r.files.take(t.Context(), int64(want-1)); err != nil {
			t.Fatal(err)
		}
		d := document(t, int64(want), 1000)
		d.Name = fmt.Sprintf("gondola_%d.csv", want)
		if _, err := r.Replace(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		if c.Passport.Most != want {
			t.Errorf("after one more connection it takes %d files, want %d", c.Passport.Most, want)
		}
	}
}

// TestRoom lets as many files begin as keep the line busy, by their bytes and by their number, and nobody once the connection is gone.
func TestRoom(t *testing.T) {
	c := newServer(t, posix).client()
	c.Parallel = 8
	r := dial(t, c)
	for _, tc := range []struct {
		name string
		size int64
		want int
	}{
		{"by bytes", 100 << 20, 3},
		{"by number", 8 << 10, 12},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var leaves []func()
			soon := func() error {
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer cancel()
				leave, err := r.Room(ctx, outbox.Delivery{Folder: "catalog", Name: "gondola_1.csv", Size: tc.size})
				if err == nil {
					leaves = append(leaves, leave)
				}
				return err
			}
			for soon() == nil {
			}
			if len(leaves) != tc.want {
				t.Errorf("%d may begin, want %d", len(leaves), tc.want)
			}
			leaves[0]()
			if err := soon(); err != nil {
				t.Errorf("one has ended, and no other may begin: %v", err)
			}
			for _, leave := range leaves[1:] {
				leave()
			}
		})
	}
	for range 3 {
		if _, err := r.Room(t.Context(), outbox.Delivery{Name: "x", Size: 100 << 20}); err != nil {
			t.Fatal(err)
		}
	}
	waits := make(chan error, 1)
	go func() {
		_, err := r.Room(t.Context(), outbox.Delivery{Name: "x", Size: 100 << 20})
		waits <- err
	}()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-waits; !errors.Is(err, outbox.ErrLost) {
		t.Errorf("got %v, want that the connection is lost", err)
	}
}
