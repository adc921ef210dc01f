package drop

import (
	"log/slog"
	"os"
	"sync"

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
