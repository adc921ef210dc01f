package drop

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"gondola/internal/durable"
	"gondola/internal/seam"
)

// claimed is what a file in the work folder is known by.
type claimed struct {
	seq     int64
	restart bool // found in work, not claimed by this process: the Taker may know it already
	copied  *Claim
	verdict *Verdict // what the Taker said, while the last step could not be done

	failing time.Time // since when it can't go on for trouble of ours
	retry   time.Time // when it is tried again
	failure error     // why it failed last
}

// claim takes a settled file out of the folder and goes as far with it as it can. Trouble stops the look.
func (w *Watcher) claim(ctx context.Context, l *look, x *file) {
	// A number that could not be used is kept: a folder that turns read-only must not eat one with every look.
	if w.spare == 0 {
		seq, err := w.taker.NextSeq(ctx)
		if err != nil {
			l.stop(fmt.Errorf("nothing is taken from %s: %w", w.f.Path, err))
			l.wait(x, Trouble, "")
			return
		}
		w.spare = seq
	}
	name := numbered(w.spare, shortName(x.name))
	seam.Point("before claim")
	switch err := l.root.Rename(x.name, filepath.Join(workDir, name)); {
	case errors.Is(err, fs.ErrNotExist):
		delete(w.files, x.name) // its owner took it back
		return
	case err != nil && isBusy(err):
		l.wait(x, Unreadable, err.Error())
		w.holdUp(l, x, Unreadable)
		return
	case err != nil:
		l.stop(w.f.writeTrouble("move "+x.name, err))
		l.wait(x, Trouble, "")
		return
	}
	seam.Point("after claim")
	delete(w.files, x.name)
	x.name, x.seq, w.spare = shortName(x.name), w.spare, 0
	w.work[name] = x
	w.goOn(ctx, l, name, x)
}

// syncClaim makes a claim's rename durable before anything is committed under its number. A claim that a power cut undid after its
// drop was committed would come back as a new drop.
func (w *Watcher) syncClaim() error {
	if err := durable.SyncDir(filepath.Join(w.f.Path, workDir)); err != nil {
		return err
	}
	return durable.SyncDir(w.f.Path)
}

// finishWork goes on with everything in the work folder, lowest number first.
func (w *Watcher) finishWork(ctx context.Context, l *look) {
	entries, err := readDir(l.root, workDir)
	if err != nil {
		l.stop(w.f.readTrouble(err))
		return
	}
	present := make(map[string]bool, len(entries))
	for _, e := range entries {
		name := e.Name()
		seq, rest, ok := parseNumbered(name)
		if !ok || e.Type() != 0 {
			l.never = append(l.never, Waiting{Name: filepath.Join(workDir, name), Reason: Stranger})
			continue
		}
		present[name] = true
		if w.work[name] == nil {
			w.work[name] = &file{name: rest, first: l.now, claimed: claimed{seq: seq, restart: true}}
		}
	}
	for name := range w.work {
		if !present[name] {
			delete(w.work, name) // somebody took it away
		}
	}
	for _, x := range slices.SortedFunc(maps.Values(w.work), before) {
		if ctx.Err() != nil {
			return
		}
		if l.blocked {
			l.wait(x, Behind, "")
			continue
		}
		w.goOn(ctx, l, numbered(x.seq, x.name), x)
	}
}

// goOn brings a file in work as far as it gets, and tells the look what keeps it.
func (w *Watcher) goOn(ctx context.Context, l *look, name string, x *file) {
	if x.failure != nil && l.now.Before(x.retry) {
		w.fail(l, x, x.failure)
		return
	}
	reason, detail, err := w.finish(ctx, l, name, x)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		if x.failure == nil {
			x.failing = l.now
		}
		x.retry = l.now.Add(w.f.Scan)
		w.fail(l, x, err)
	case reason != "":
		x.failure = nil
		l.wait(x, reason, detail)
		w.holdUp(l, x, reason)
	default:
		delete(w.work, name)
	}
}

// fail records trouble of ours with x. Later drops wait, in order; but not for ever, because it may be this one drop that is cursed.
func (w *Watcher) fail(l *look, x *file, err error) {
	x.failure = err
	l.wait(x, Trouble, err.Error())
	if l.now.Sub(x.failing) < w.f.MaxWait {
		l.blocked = true
	}
	if l.problem == nil {
		l.problem = err
	}
}

// finish does what is left to do with a file in work: settle once more, archive, hand over, remove. It returns why the file waits,
// or an error that is trouble of ours; neither, when it is done.
func (w *Watcher) finish(ctx context.Context, l *look, name string, x *file) (Reason, string, error) {
	if x.verdict == nil && x.restart {
		verdict, done, err := w.taker.Known(ctx, x.seq)
		if err != nil {
			return "", "", fmt.Errorf("ask about drop %d (%s): %w", x.seq, x.name, err)
		}
		if done {
			x.verdict = &verdict
		}
	}
	if x.verdict == nil {
		if reason, detail, err := w.handOver(ctx, l, name, x); reason != "" || err != nil {
			return reason, detail, err
		}
	}
	return "", "", w.putAway(l, name, x)
}

// handOver archives a file that is settled and gives it to the Taker.
func (w *Watcher) handOver(ctx context.Context, l *look, name string, x *file) (Reason, string, error) {
	path := filepath.Join(workDir, name)
	for range 2 { // before and after the copy: a writer that has the file open goes on writing wherever it lies
		info, err := l.root.Lstat(path)
		if err != nil {
			return "", "", w.f.readTrouble(err)
		}
		if !x.see(info, l.now) {
			x.copied = nil
		}
		if reason, detail := w.f.unsettled(x, path, l.now); reason != "" {
			return reason, detail, nil
		}
		if x.copied == nil {
			if err := w.syncClaim(); err != nil {
				return "", "", w.f.writeTrouble("flush "+workDir, err)
			}
			if x.copied, err = w.archive(x, filepath.Join(w.f.Path, path), l.now); err != nil {
				return "", "", err
			}
			x.copied.Owner = ownerOf(info)
		}
	}
	verdict, err := w.taker.Take(ctx, *x.copied)
	if err != nil {
		x.restart = true // it may have been committed all the same
		return "", "", fmt.Errorf("take drop %d (%s): %w; it is kept and tried again every %s", x.seq, x.name, err, w.f.Scan)
	}
	x.verdict = &verdict
	return "", "", nil
}

// putAway does the last step with a drop that is committed, and counts it.
func (w *Watcher) putAway(l *look, name string, x *file) error {
	path := filepath.Join(workDir, name)
	seam.Point("before putting away")
	if *x.verdict == Rejected {
		if err := l.root.MkdirAll(w.f.Rejected, 0o770); err != nil {
			return w.f.writeTrouble("make "+w.f.Rejected, err)
		}
		if err := l.root.Rename(path, filepath.Join(w.f.Rejected, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return w.f.writeTrouble("move "+x.name+" to "+w.f.Rejected, err)
		}
		seam.Point("after putting aside")
		// Otherwise a power cut could bring it back to work, from where it would be removed as known.
		if err := durable.SyncDir(filepath.Join(w.f.Path, w.f.Rejected)); err != nil {
			return w.f.writeTrouble("flush "+w.f.Rejected, err)
		}
		w.taken.Rejected++
	} else {
		if err := l.root.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return w.f.writeTrouble("remove "+x.name+" from "+workDir, err)
		}
		w.taken.Read++
	}
	seam.Point("after putting away")
	w.log.Debug("drop put away", "drop", x.seq, "name", x.name, "bytes", x.size, "rejected", *x.verdict == Rejected)
	return nil
}
