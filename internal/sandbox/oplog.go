package sandbox

import (
	"path"
	"slices"
	"time"
)

// Kind is what an operation does.
type Kind string

// The kinds of operations. A client's writes are no operations of their own: the close has their sum.
const (
	OpOpenRead    Kind = "open-read"
	OpOpenWrite   Kind = "open-write" // also a refused read-write or append open
	OpRead        Kind = "read"       // close of a file opened for reading, Bytes is what was read
	OpClose       Kind = "close"      // close of a file opened for writing
	OpRename      Kind = "rename"
	OpPosixRename Kind = "posix-rename"
	OpRemove      Kind = "remove"
	OpRmdir       Kind = "rmdir"
	OpMkdir       Kind = "mkdir"
	OpStat        Kind = "stat" // lstat and fstat too
	OpList        Kind = "list"
	OpSetstat     Kind = "setstat"
	OpLink        Kind = "link" // hard and symbolic, always refused
	OpEat         Kind = "eat"  // the platform deletes a file that it has read; Session is 0
	OpMove        Kind = "move" // the platform moves a file that it has read; Session is 0
)

// Op is one operation on the SFTP server's files, and an element of /operations.json. Operations on names are numbered in the
// order in which they took effect.
type Op struct {
	N       int       `json:"n"` // from 1
	At      time.Time `json:"at"`
	Session int       `json:"session"` // the connection's number, from 1; 0 is the platform itself
	Kind    Kind      `json:"kind"`
	Path    string    `json:"path"`             // relative to home, "." is home
	To      string    `json:"to,omitempty"`     // of renames
	Bytes   int64     `json:"bytes,omitempty"`  // of read and close: what the client moved, repeated bytes counted again
	Size    int64     `json:"size,omitempty"`   // of close: the file's size afterwards
	SHA256  string    `json:"sha256,omitempty"` // of close: the file's digest afterwards, hex
	Err     string    `json:"error,omitempty"`  // why it was refused, or "connection lost" for a close that the client never asked for
}

// Change is one new content that could be seen under a name.
type Change struct {
	N    int       `json:"n"` // the operation that made it
	At   time.Time `json:"at"`
	Path string    `json:"path"` // relative to home
	By   Kind      `json:"by"`
	// Gone: nothing lies under the name any more; the fields below are zero then.
	Gone bool `json:"gone"`
	// Complete: a client closed the file, none of its writes was refused, and it has not begun to write it again. From the opening of
	// a final name for writing until its close, or for ever when the connection is lost, a reader may see any part of the file.
	Complete bool   `json:"complete"`
	Size     int64  `json:"size"`
	SHA256   string `json:"sha256"` // hex; of the content as it is for good when Complete
}

// content is what is known of one file's bytes. Handles and names point to it, so that a file renamed while it is still being
// written stays known as partial.
type content struct {
	path     string // "" once it has no name
	complete bool
	size     int64
	sha256   string
}

// oplog is the record of operations and of what names showed. Its owner holds the files' lock, under which the operation itself
// happens too, so that the order of the log is the order of events.
type oplog struct {
	now     func() time.Time
	ops     []Op
	changes []Change
	names   map[string]*content
}

// add records an operation.
func (l *oplog) add(op Op, err error) int {
	op.N, op.At = len(l.ops)+1, l.now()
	if err != nil {
		op.Err = err.Error()
	}
	l.ops = append(l.ops, op)
	return op.N
}

// opened records that name shows an emptied, or a growing, file from now on.
func (l *oplog) opened(n int, name string) *content {
	l.unlink(name)
	c := &content{path: name}
	l.names[name] = c
	l.show(n, OpOpenWrite, name, c)
	return c
}

// closed records what c holds at its end.
func (l *oplog) closed(n int, c *content) {
	if c.path != "" {
		l.show(n, OpClose, c.path, c)
	}
}

// moved records that the file from now lies under to. Without a record of it, c is taken for what it holds.
func (l *oplog) moved(n int, by Kind, from, to string, c *content) {
	if known := l.names[from]; known != nil {
		c = known
	}
	l.unlink(to)
	delete(l.names, from)
	c.path = to
	l.names[to] = c
	l.changes = append(l.changes, Change{N: n, At: l.now(), Path: from, By: by, Gone: true})
	l.show(n, by, to, c)
}

// removed records that nothing lies under name any more.
func (l *oplog) removed(n int, by Kind, name string) {
	l.unlink(name)
	l.changes = append(l.changes, Change{N: n, At: l.now(), Path: name, By: by, Gone: true})
}

// unlink takes a name away from the content it had.
func (l *oplog) unlink(name string) {
	if c := l.names[name]; c != nil {
		c.path = ""
		delete(l.names, name)
	}
}

// show records what a name shows from now on.
func (l *oplog) show(n int, by Kind, name string, c *content) {
	l.changes = append(l.changes, Change{
		N: n, At: l.now(), Path: name, By: by, Complete: c.complete, Size: c.size, SHA256: c.sha256,
	})
}

// Operations returns everything that was asked of the SFTP server so far, oldest first.
func (s *Sandbox) Operations() []Op {
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	return slices.Clone(s.files.log.ops)
}

// Changes returns what the final names in the scanned folders have shown over time, oldest first: names that the platform
// would read, so neither hidden nor other than .csv. Files that a test puts into a folder by hand are not seen before they are renamed.
func (s *Sandbox) Changes() []Change {
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	var out []Change
	for _, c := range s.files.log.changes {
		if s.opts.scanned(s.opts.kind(path.Dir(c.Path))) && isFinal(path.Base(c.Path)) {
			out = append(out, c)
		}
	}
	return out
}

// History returns what one name has shown over time, oldest first; any name, also a temporary one. The path is relative to home.
func (s *Sandbox) History(name string) []Change {
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	var out []Change
	for _, c := range s.files.log.changes {
		if c.Path == path.Clean(name) {
			out = append(out, c)
		}
	}
	return out
}
