// Package drop knows how a file that somebody puts into a folder becomes a drop: it notices it, waits until its writer is done,
// takes it away under a number, keeps a copy, hands it over, and puts it aside when it was not understood.
//
// # When a file is whole
//
// Nobody tells when a writer is done. A file counts as settled when its size and time were the same in two looks at least
// [Folder.Settle] apart, and it either looks whole ([Folder.Complete]: the last line is ended) or was left alone for [Folder.Quiet].
// Folder events only hasten the next look; the look every [Folder.Scan] is what counts, because events do not exist on network
// shares and are dropped under load. Files are taken in the order in which they were first seen; a later one waits for an earlier
// one at most [Folder.MaxWait].
//
// # What survives a crash
//
// A file moves by one rename at a time, and where it lies says how far it has come:
//
//	<folder>/<name>                            not ours yet
//	<folder>/.gondola/work/<number>-<name>     claimed; compared with what was settled, because a rename does not stop a writer
//	<archive>/<day>/<number>-<name>            copied, flushed, read back; only then is it handed to the [Taker]
//	gone, or <folder>/<rejected>/<number>-…    the Taker has committed it
//
// Every look begins with the work folder, in the order of the numbers, so that starting again and going on are the same code. The
// Taker is asked first whether it has committed the number before; then only the last step is missing. No drop is lost, none is
// taken twice.
//
// # Troubles
//
// A missing or read-only folder, a full disk, a share that is offline: none ends the watch. Each is told once, when it begins, in the
// log and in [Status], with what to do; the watch goes on by itself when it is over.
package drop

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// Defaults for the durations of a Folder; zero means these.
const (
	DefaultSettle  = 2 * time.Second  // ERPs write row by row, with pauses below a second
	DefaultQuiet   = time.Minute      // long enough for a slow export to write its next block
	DefaultMaxWait = 10 * time.Minute // one stuck file must not stop a shop's prices for a morning
	DefaultScan    = 15 * time.Second // how late a file on a network share is noticed at worst
)

const (
	// glance is how often unsettled files are looked at.
	glance = 500 * time.Millisecond
	// firstRest is how long the folder is left alone after the first hint: most files are whole right after they were made, and settle
	// from the first look that sees all of them. While hints go on it is twice as long each time, up to a glance.
	firstRest = 50 * time.Millisecond
)

// Folder is a drop folder and how it is watched. It does not change while it is watched, and nobody else watches it: its work folder
// belongs to one watch.
type Folder struct {
	Path           string   // the folder; it may be missing for a while
	Match          []string // name patterns as of path.Match, case ignored; none = every name
	Archive        string   // folder of ours on a local disk; drops are kept in <Archive>/2006-01-02/<number>-<name>
	Rejected       string   // name of the folder inside Path for drops that were not understood
	Answers        string   // name of the folder inside Path with our answers; never looked into
	AnswerSuffixes []string // files inside Path that end in one of these are our answers
	Guides         []string // files inside Path that tell people how it works; left alone, whatever Match says

	Settle  time.Duration // unchanged for so long = settled
	Quiet   time.Duration // unchanged for so long = settled, though it does not look whole
	MaxWait time.Duration // the longest that an unsettled file holds up later ones
	Scan    time.Duration // the folder is looked through at least so often

	// Complete reports whether a file looks whole; nil = they all do. An error means that the file can't be read now.
	Complete func(path string) (bool, error)
	Now      func() time.Time // nil = time.Now
}

// Claim is a drop: a file that was taken out of the folder and lies in the archive.
type Claim struct {
	Seq       int64     // its identity
	Name      string    // as it was dropped, shortened where a number would not fit before it; may be no valid UTF-8
	Work      string    // path in the work folder
	Archived  string    // path in the archive
	Size      int64     // bytes
	SHA256    string    // of the bytes, hex
	ModTime   time.Time // of the file
	FirstSeen time.Time // in the drop folder; after a restart in between, in the work folder
	Owner     string    // who owns the file: user name, or number where there is no name; "" on Windows
}

// Verdict is what became of a drop.
type Verdict int

// The verdicts.
const (
	Read     Verdict = iota // understood: the file goes
	Rejected                // not understood: the file is put aside for people to look at
)

// Taker gives numbers to drops and takes them in. Its methods are called by one goroutine at a time.
type Taker interface {
	// NextSeq returns a number that was never returned before. An error keeps files where they are: nothing is taken.
	NextSeq(ctx context.Context) (int64, error)
	// Known reports whether the drop with this number was committed before, and what became of it.
	Known(ctx context.Context, seq int64) (v Verdict, done bool, err error)
	// Take understands a drop and commits what it says. An error is our own trouble (disk, database): the file stays and Take is
	// called again later with the same number.
	Take(ctx context.Context, c Claim) (Verdict, error)
}

// Reason is why a file waits.
type Reason string

// The reasons.
const (
	Writing     Reason = "still being written"                                      // it changed within the settling time
	Unfinished  Reason = "last line not ended"                                      // it does not look whole
	Empty       Reason = "empty so far"                                             // no byte in it
	Excel       Reason = "open in Excel"                                            // a lock file lies beside it; close it there
	LibreOffice Reason = "open in LibreOffice"                                      // likewise
	Unreadable  Reason = "can't be read"                                            // no permission, or held by another program
	Behind      Reason = "waits for an earlier file"                                // which is not settled
	Unmatched   Reason = "no feed takes this name"                                  // rename it, or add a pattern to the feed
	Symlink     Reason = "a symbolic link, which is not followed"                   // put the file itself here
	SubFolder   Reason = "a folder, which is not looked into"                       // put the files themselves here
	Special     Reason = "not a regular file"                                       // a pipe, a device
	Trouble     Reason = "taken, waits until gondola can go on"                     // see the folder's problem
	Stranger    Reason = "not a drop of gondola, though it lies in its work folder" // somebody put it there; move it out
)

// Waiting is a file that was not taken yet.
type Waiting struct {
	Name   string
	Reason Reason
	Detail string // the error, where there is one
	Size   int64
	Since  time.Time // first seen
}

// Status is a folder as of the last look.
type Status struct {
	Path    string
	Problem string    // what keeps the folder from being watched, and what to do; "" = nothing
	Since   time.Time // when Problem began
	Looked  time.Time // when the last look ended; zero before the first
	Waiting []Waiting // in the order in which they will be taken, then those that never will
}

// Outcome counts what a run took.
type Outcome struct {
	Read, Rejected int
	Waiting        []Waiting // what is left in the folder
}

// prepared returns f with defaults filled in, or what is wrong with it.
func (f Folder) prepared() (Folder, error) {
	if f.Path == "" || f.Archive == "" || f.Rejected == "" {
		return f, errors.New("watch drop folder: path, archive and folder for rejected files must be set")
	}
	for _, name := range []string{f.Rejected, f.Answers} {
		if name != "" && (!filepath.IsLocal(name) || strings.ContainsAny(name, `/\`)) {
			return f, fmt.Errorf("watch drop folder: %q must be the plain name of a folder inside it", name)
		}
	}
	for _, pattern := range f.Match {
		if _, err := path.Match(strings.ToLower(pattern), ""); err != nil {
			return f, fmt.Errorf("watch drop folder: %q is not a name pattern: write one such as *.csv", pattern)
		}
	}
	for _, d := range []struct {
		value  *time.Duration
		normal time.Duration
	}{{&f.Settle, DefaultSettle}, {&f.Quiet, DefaultQuiet}, {&f.MaxWait, DefaultMaxWait}, {&f.Scan, DefaultScan}} {
		if *d.value <= 0 {
			*d.value = d.normal
		}
	}
	if f.Complete == nil {
		f.Complete = func(string) (bool, error) { return true, nil }
	}
	if f.Now == nil {
		f.Now = time.Now
	}
	return f, nil
}
