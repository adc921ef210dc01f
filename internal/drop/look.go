package drop

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// look is one look at a folder and what it found.
type look struct {
	now   time.Time
	root  *os.Root
	locks map[string]Reason // names in lower case beside which a lock file lies

	problem error     // the first trouble met: becomes the folder's problem
	stopped bool      // for that reason nothing new is taken in this look
	blocked bool      // an earlier drop is not settled
	soon    bool      // something may settle within moments
	settles time.Time // when the first of what is being written has looked the same for long enough, if it stays so; zero where nothing is
	waiting []Waiting
	never   []Waiting
}

// stop ends the taking of new files for this look, because of trouble with the folder or with us.
func (l *look) stop(err error) {
	l.stopped = true
	if l.problem == nil {
		l.problem = err
	}
}

func (l *look) wait(x *file, r Reason, detail string) {
	l.waiting = append(l.waiting, Waiting{Name: x.name, Reason: r, Detail: detail, Size: x.size, Since: x.first})
}

// look looks once: it goes on with what is in work, then takes what has settled. It is all that Run and Once do.
func (w *Watcher) look(ctx context.Context) *look {
	l := &look{now: w.f.Now(), locks: map[string]Reason{}}
	w.lookThrough(ctx, l)
	if ctx.Err() == nil { // what a stopping process sees is not the folder's doing
		w.publish(l)
	}
	return l
}

func (w *Watcher) lookThrough(ctx context.Context, l *look) {
	root, err := os.OpenRoot(w.f.Path)
	if err != nil {
		l.stop(w.f.readTrouble(err))
		return
	}
	defer func() { _ = root.Close() }() // a handle to a folder: nothing to lose
	l.root = root
	if err := root.MkdirAll(workDir, 0o750); err != nil {
		l.stop(w.f.writeTrouble("make "+workDir, err))
	} else {
		w.finishWork(ctx, l)
	}
	if err := w.readFolder(l); err != nil {
		l.stop(w.f.readTrouble(err))
		return
	}
	w.takeSettled(ctx, l)
}

// readFolder brings what is remembered of the folder's files up to date: one reading of the folder, one stat a file.
func (w *Watcher) readFolder(l *look) error {
	entries, err := readDir(l.root, ".")
	if err != nil {
		return err
	}
	w.looks++
	for _, e := range entries {
		name := e.Name()
		x := w.files[name] // of a known one the name says nothing new
		if x == nil {
			if of, reason, ok := lockOf(name); ok {
				l.locks[of] = reason
			}
			if w.f.leftAlone(name) {
				continue
			}
		}
		if e.IsDir() && (name == w.f.Rejected || name == w.f.Answers) {
			continue
		}
		if e.Type() != 0 {
			l.never = append(l.never, Waiting{Name: name, Reason: odd(e.Type())})
			continue
		}
		info, err := infoOf(l.root, e)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue // gone between the two calls
		case err != nil:
			return err
		case !info.Mode().IsRegular():
			continue // replaced between the two calls: the next look will tell
		}
		if x == nil {
			x = &file{name: name, taken: Takes(w.f.Match, shortName(name))}
			w.files[name], w.order = x, append(w.order, x)
		}
		x.see(info, l.now)
		x.look = w.looks
	}
	for name, x := range w.files {
		if x.look != w.looks {
			delete(w.files, name)
		}
	}
	return nil
}

// takeSettled takes, in the order first seen, every file that has settled and that no earlier one holds up.
func (w *Watcher) takeSettled(ctx context.Context, l *look) {
	// In the order of the last look they need hardly any sorting.
	w.order = slices.DeleteFunc(w.order, func(x *file) bool { return w.files[x.name] != x })
	slices.SortFunc(w.order, before)
	for _, x := range w.order {
		if ctx.Err() != nil {
			return
		}
		if !x.taken {
			l.never = append(l.never, Waiting{Name: x.name, Reason: Unmatched, Size: x.size, Since: x.first})
			continue
		}
		reason, detail := w.f.unsettled(x, x.name, l.now)
		if reason == "" && len(l.locks) > 0 && l.now.Sub(x.same) < w.f.MaxWait { // a lock older than that is a left-over
			reason = l.locks[strings.ToLower(x.name)]
		}
		switch {
		case reason != "":
			l.wait(x, reason, detail)
			w.holdUp(l, x, reason)
		case l.stopped:
			l.wait(x, Trouble, "")
		case l.blocked:
			l.wait(x, Behind, "")
		default:
			w.claim(ctx, l, x)
		}
	}
}

// holdUp makes later drops wait for x, which is not settled, until it has had its time.
func (w *Watcher) holdUp(l *look, x *file, reason Reason) {
	if l.now.Sub(x.first) >= w.f.MaxWait {
		return // looked at again with the next scan: a file that is written all day must not be looked at twice a second
	}
	l.soon = l.soon || reason.soon()
	if at := x.same.Add(w.f.Settle); at.After(l.now) && (l.settles.IsZero() || at.Before(l.settles)) {
		l.settles = at
	}
	// A single run can't wait for somebody to close a spreadsheet, and the next one would not remember how long this one waited.
	if reason.soon() || !w.once {
		l.blocked = true
	}
}

// before compares files in the order in which they are taken: first seen first; those seen in one look by their own time, then by name.
func before(a, b *file) int {
	if c := cmp.Or(cmp.Compare(a.seq, b.seq), a.first.Compare(b.first), a.mod.Compare(b.mod)); c != 0 {
		return c
	}
	return cmp.Compare(a.name, b.name)
}

func odd(t fs.FileMode) Reason {
	switch {
	case t&fs.ModeSymlink != 0:
		return Symlink
	case t.IsDir():
		return SubFolder
	}
	return Special
}

// readDir reads a folder without sorting it.
func readDir(root *os.Root, name string) ([]fs.DirEntry, error) {
	d, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = d.Close() }() // a handle to a folder: nothing to lose
	return d.ReadDir(-1)
}
