package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// stuckAfter is how long one turn of a loop may take. A turn of a large chain's sending over a slow line takes hours, and cutting it off
// would help nobody; one that takes longer than this waits for something that never comes.
const stuckAfter = 6 * time.Hour

// life is what is known of the loops: whether they run, and since when each is at its work.
type life struct {
	mu      sync.Mutex
	running bool
	ending  bool // Run was told to end, and finishes what is in flight
	turns   map[*turn]struct{}
}

// turn is a loop at its work.
type turn struct {
	loop  string
	since time.Time
}

// run says that the loops run from now on, or no longer.
func (l *life) run(running bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running, l.ending = running, false
}

// end says that Run was told to end.
func (l *life) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ending = true
}

// isEnding reports whether Run was told to end.
func (l *life) isEnding() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ending
}

// begin begins a turn, and returns what ends it.
func (l *life) begin(loop string, now time.Time) (end func()) {
	t := &turn{loop, now}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.turns == nil {
		l.turns = map[*turn]struct{}{}
	}
	l.turns[t] = struct{}{}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.turns, t)
	}
}

// check reports whether the loops run and none of them is stuck.
func (l *life) check(now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.running {
		return errors.New("the loops do not run")
	}
	for t := range l.turns {
		if took := now.Sub(t.since); took > stuckAfter {
			return fmt.Errorf("the loop %q has been at one turn for %s", t.loop, took.Round(time.Minute))
		}
	}
	return nil
}

// Healthy reports whether the loops run, none of them is stuck, and the database answers. Trouble with the platform is none of the
// daemon's health: another start would not mend it. It is meant for the process whose Run runs.
func (h *House) Healthy(ctx context.Context) error {
	if err := h.life.check(h.now()); err != nil {
		return err
	}
	if _, err := h.store.Newest(ctx); err != nil {
		return fmt.Errorf("ask the database: %w", err)
	}
	return nil
}

// readyName is the file by which it is found out whether the state folder can be written to.
const readyName = ".ready"

// Ready reports whether the daemon can do its work now: it is healthy and not about to end, and its state folder can be written to. Its
// ports are taken before anybody can ask. As with health, the platform is no part of it.
func (h *House) Ready(ctx context.Context) error {
	if h.life.isEnding() {
		return errors.New("it is about to end")
	}
	if err := h.Healthy(ctx); err != nil {
		return err
	}
	name := filepath.Join(h.cfg.State.Dir, readyName)
	err := os.WriteFile(name, []byte("?"), 0o600)
	// Somebody who asks at the same time may have removed it already.
	if removeErr := os.Remove(name); !errors.Is(removeErr, fs.ErrNotExist) {
		err = errors.Join(err, removeErr)
	}
	if err != nil {
		return fmt.Errorf("write to the state folder: %w", err)
	}
	return nil
}

// Line tells in a line how things stand, for who supervises the process: the state that alarms know, and what they call it for.
func (h *House) Line(ctx context.Context) (string, error) {
	book, err := h.readBook(ctx)
	if err != nil {
		return "", err
	}
	line := fmt.Sprintf("stores %d, feeds %d", len(h.cfg.Vendors), len(h.cfg.Feeds))
	if book.State != "" {
		line = string(book.State) + "; " + line
	}
	kinds := make([]string, 0, len(book.Entries))
	for _, e := range book.Entries {
		if !e.Gone.IsZero() {
			continue
		}
		kinds = append(kinds, string(e.Kind))
	}
	if len(kinds) > 0 {
		line += "; " + strings.Join(kinds, ", ") + " (gondola status says more)"
	}
	return line, nil
}
