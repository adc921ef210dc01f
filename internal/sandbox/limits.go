package sandbox

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// Features is what the SFTP server does beyond the strictest one. The zero value is that one.
type Features struct {
	PosixRename bool // advertises posix-rename@openssh.com and obeys it
	RenameOver  bool // a plain rename replaces an existing file, as servers built on a bare rename(2) do
	Setstat     bool // chmod and chtimes, by path or handle; sizes are never set
	Append      bool // opening an existing file for writing without truncating it
	ReadWrite   bool // opening for reading and writing at once
}

// Limits is what a server may refuse on top. The zero value refuses nothing of it.
type Limits struct {
	NoReadBack       bool // files can't be opened for reading
	NoStat           bool // nothing is told of a single path or an open file
	NoList           bool // folders can't be listed
	NoRename         bool // files can't be renamed at all, whatever the features say
	NoDelete         bool // files and folders can't be removed
	NoDotNames       bool // nothing may be given a name that begins with a dot
	NoHome           bool // nothing can be made in the home itself, only in folders that are there
	OneFolderRenames bool // a file can only be renamed within its folder
	// EatsOnClose takes a file away as soon as a client has closed it, or is gone, whatever its name; before the close is answered. If
	// it is a final name in a scanned folder it is read first.
	EatsOnClose    bool
	Delay          time.Duration // every operation, and every write, takes so long more
	MaxFiles       int           // open for writing at once; further ones are refused; 0: no limit
	MaxConnections int           // further ones are closed after the login; 0: no limit
	MaxSessions    int           // SFTP sessions on one connection; default DefaultSessions
}

// servers are the switches of the SFTP server that have a name.
var servers = map[string]func(o *Options){
	"posix-rename":       func(o *Options) { o.Features.PosixRename = true },
	"rename-over":        func(o *Options) { o.Features.RenameOver = true },
	"setstat":            func(o *Options) { o.Features.Setstat = true },
	"append":             func(o *Options) { o.Features.Append = true },
	"read-write":         func(o *Options) { o.Features.ReadWrite = true },
	"no-read-back":       func(o *Options) { o.Limits.NoReadBack = true },
	"no-stat":            func(o *Options) { o.Limits.NoStat = true },
	"no-list":            func(o *Options) { o.Limits.NoList = true },
	"no-rename":          func(o *Options) { o.Limits.NoRename = true },
	"no-delete":          func(o *Options) { o.Limits.NoDelete = true },
	"no-dot-names":       func(o *Options) { o.Limits.NoDotNames = true },
	"no-home":            func(o *Options) { o.Limits.NoHome = true },
	"one-folder-renames": func(o *Options) { o.Limits.OneFolderRenames = true },
	"eats-on-close":      func(o *Options) { o.Limits.EatsOnClose = true },
	"slow":               func(o *Options) { o.Limits.Delay = 100 * time.Millisecond },
	"one-session":        func(o *Options) { o.Limits.MaxConnections, o.Limits.MaxSessions = 1, 1 },
	"one-file":           func(o *Options) { o.Limits.MaxFiles = 1 },
	"clock-ahead":        func(o *Options) { o.ClockAhead = 5 * time.Minute },
}

// ServerNames lists the names that SetServer takes.
func ServerNames() []string { return slices.Sorted(maps.Keys(servers)) }

// SetServer turns one of the SFTP server's features or limits on, by its name.
func (o *Options) SetServer(name string) error {
	set, ok := servers[name]
	if !ok {
		return fmt.Errorf("unknown kind of server %q (known: %s)", name, strings.Join(ServerNames(), ", "))
	}
	set(o)
	return nil
}

// forbids returns why the limits refuse an operation, with its paths relative to home; nil where they don't.
func (l Limits) forbids(op *Op) error {
	made := ""
	switch op.Kind {
	case OpOpenWrite, OpMkdir:
		made = op.Path
	case OpRename, OpPosixRename:
		if l.NoRename {
			return errUnsupported
		}
		if l.OneFolderRenames && path.Dir(op.Path) != path.Dir(op.To) {
			return errDenied
		}
		made = op.To
	case OpRemove, OpRmdir:
		if l.NoDelete || l.NoHome && path.Dir(op.Path) == "." {
			return errDenied
		}
	case OpOpenRead:
		if l.NoReadBack {
			return errDenied
		}
	case OpStat:
		if l.NoStat {
			return errDenied
		}
	case OpList:
		if l.NoList {
			return errDenied
		}
	}
	if made != "" && (l.NoDotNames && strings.HasPrefix(path.Base(made), ".") || l.NoHome && path.Dir(made) == ".") {
		return errDenied
	}
	return nil
}

// ahead is a file's info with the time that a server with another clock tells.
type ahead struct {
	fs.FileInfo
	by time.Duration
}

// ModTime implements fs.FileInfo.
func (a ahead) ModTime() time.Time { return a.FileInfo.ModTime().Add(a.by) }

// told returns what the server tells of a file.
func (o *Options) told(info fs.FileInfo) fs.FileInfo {
	if info == nil || o.ClockAhead == 0 {
		return info
	}
	return ahead{info, o.ClockAhead}
}
