package drop

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// events turns what the system tells about a folder into hints that a look may be worth it. Everything may be missing: network
// shares tell nothing, queues overflow, folders are replaced. Owned by Run.
type events struct {
	path    string
	log     *slog.Logger
	hints   chan struct{}     // holds one at most
	watcher *fsnotify.Watcher // nil = the system has none for us
	done    sync.WaitGroup
	watched os.FileInfo // the folder that is watched, nil = none
	failure string      // why it is not, as last logged
}

func newEvents(path string, log *slog.Logger) *events {
	e := &events{path: path, log: log, hints: make(chan struct{}, 1)}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		log.Info("no folder events, files are noticed by looking", "error", err)
		return e
	}
	e.watcher = watcher
	e.done.Go(e.forward)
	return e
}

// forward empties the system's queue, whatever Run is doing: a full one would hold up nobody but ourselves.
func (e *events) forward() {
	for {
		select {
		case _, ok := <-e.watcher.Events:
			if !ok {
				return
			}
		case _, ok := <-e.watcher.Errors: // an overflow, say: something happened
			if !ok {
				return
			}
		}
		select {
		case e.hints <- struct{}{}:
		default: // one is waiting already
		}
	}
}

// follow makes sure that the folder that now lies under the path is the one that is watched.
func (e *events) follow() {
	if e.watcher == nil {
		return
	}
	now, err := os.Stat(e.path)
	if err != nil {
		e.watched = nil // the look says what is wrong with it
		return
	}
	if e.watched != nil && os.SameFile(e.watched, now) {
		return
	}
	if e.watched != nil {
		_ = e.watcher.Remove(e.path) // often gone by itself with the folder
	}
	if err := e.watcher.Add(e.path); err != nil {
		if e.failure != err.Error() {
			e.failure = err.Error()
			e.log.Info("no folder events, files are noticed by looking", "error", err)
		}
		return
	}
	e.watched, e.failure = now, ""
}

func (e *events) close() {
	if e.watcher == nil {
		return
	}
	_ = e.watcher.Close() // it ends forward; there is nothing else to release
	e.done.Wait()
}

// Delivers reports whether the system tells of what happens in a folder: it watches, has something happen, and waits. Where it does not
// tell, as on most network shares, drops are noticed by looking, every [Folder.Scan]. The error is of watching, or of happen.
func Delivers(ctx context.Context, folder string, wait time.Duration, happen func() error) (bool, error) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return false, fmt.Errorf("watch %s: %w", folder, err)
	}
	defer func() { _ = watcher.Close() }() // nothing is lost with it
	if err := watcher.Add(folder); err != nil {
		return false, fmt.Errorf("watch %s: %w", folder, err)
	}
	if err := happen(); err != nil {
		return false, err
	}
	late := time.NewTimer(wait)
	defer late.Stop()
	select {
	case <-watcher.Events:
		return true, nil
	case err := <-watcher.Errors:
		return false, fmt.Errorf("watch %s: %w", folder, err)
	case <-late.C:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}
