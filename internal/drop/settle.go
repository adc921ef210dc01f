package drop

import (
	"io/fs"
	"path/filepath"
	"time"
)

// file is what is remembered of a file between looks.
type file struct {
	name  string
	size  int64
	mod   time.Time
	taken bool      // a feed takes the name
	first time.Time // when it was first seen
	same  time.Time // since when it looks as it does; zero before the first look
	look  int       // the number of the last one that saw it

	asked  bool      // Complete was asked about what it looks like now
	whole  bool      // and said yes
	unread error     // or could not read it
	askAt  time.Time // and is asked again then

	claimed // in the work folder only
}

// see takes note of what a file looks like now, and reports whether that is as before.
func (x *file) see(info fs.FileInfo, now time.Time) bool {
	same := !x.same.IsZero() && x.size == info.Size() && x.mod.Equal(info.ModTime())
	if x.first.IsZero() {
		x.first = now
	}
	if !same {
		x.size, x.mod, x.same = info.Size(), info.ModTime(), now
		x.asked, x.whole, x.unread = false, false, nil
	}
	if now.Before(x.same) { // somebody set the clock back
		x.same = now
	}
	return same
}

// unsettled returns why a file may not be whole yet, or "". It opens the file, which lies under a path below the folder, once at most for
// what it looks like now.
func (f Folder) unsettled(x *file, path string, now time.Time) (reason Reason, detail string) {
	age := now.Sub(x.same)
	if age < f.Settle { // so it was looked at twice, at least
		if x.size == 0 {
			return Empty, ""
		}
		return Writing, ""
	}
	if x.size == 0 { // many writers create first and write later
		if age < f.Quiet {
			return Empty, ""
		}
		return "", ""
	}
	if !x.asked || (x.unread != nil && !now.Before(x.askAt)) {
		x.whole, x.unread = f.Complete(filepath.Join(f.Path, path))
		x.asked, x.askAt = true, now.Add(f.Scan)
	}
	switch {
	case x.unread != nil:
		return Unreadable, x.unread.Error()
	case !x.whole && age < f.Quiet:
		return Unfinished, ""
	}
	return "", ""
}

// soon reports whether time alone can settle a file that waits for this reason.
func (r Reason) soon() bool { return r == Writing || r == Unfinished || r == Empty }
