package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/pkg/sftp"
)

// tree is the login's home: a real folder that clients can't leave, and the log of what happens in it.
type tree struct {
	root   *os.Root
	opts   *Options
	faults *Faults

	closed func(name string) // takes away what was closed; set where the limits say so

	mu   sync.Mutex // held over an operation on names together with its entry in the log; not over the moving of bytes
	log  oplog      // guarded by mu
	open int        // files that clients write; guarded by mu
}

var (
	errUnsupported = errors.New("operation unsupported")
	errExists      = errors.New("file already exists")
	errIsFolder    = errors.New("is a folder")
	errNotFolder   = errors.New("not a folder")
	errTooMany     = errors.New("too many open files")
	errDenied      = errors.New("permission denied")
)

// status turns an error into what the server answers: the SFTP code that fits, and never a path of this machine.
func status(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return sftp.ErrSSHFxNoSuchFile
	case errors.Is(err, fs.ErrPermission), errors.Is(err, errDenied), errors.Is(err, errReadOnly):
		return sftp.ErrSSHFxPermissionDenied
	case errors.Is(err, errUnsupported):
		return sftp.ErrSSHFxOpUnsupported
	}
	return plain(err)
}

// plain takes the path off an error of package os.
func plain(err error) error {
	var pathErr *fs.PathError
	var linkErr *os.LinkError
	switch {
	case errors.As(err, &pathErr):
		return pathErr.Err
	case errors.As(err, &linkErr):
		return linkErr.Err
	}
	return err
}

// rel returns a client's path relative to home.
func (t *tree) rel(p string) (string, error) {
	p = path.Clean(p)
	if p == t.opts.Home {
		return ".", nil
	}
	rest, ok := strings.CutPrefix(p, strings.TrimSuffix(t.opts.Home, "/")+"/")
	if !ok {
		return p, errDenied
	}
	return rest, nil
}

// digest returns what a file holds now, as complete content.
func (t *tree) digest(name string) (*content, error) {
	f, err := t.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // read only
	c := &content{complete: true}
	c.size, c.sha256, err = sum(f)
	return c, err
}

// sum returns the size and the digest of a whole file.
func sum(f *os.File) (size int64, digest string, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, "", err
	}
	h := sha256.New()
	if size, err = io.Copy(h, io.NewSectionReader(f, 0, info.Size())); err != nil {
		return 0, "", fmt.Errorf("hash what was written: %w", err)
	}
	return size, hex.EncodeToString(h.Sum(nil)), nil
}

// session is one client connection's view of the tree. It implements the handlers of package sftp, which may call them from
// several goroutines.
type session struct {
	tree *tree
	n    int
	line *line
}

// do carries out one operation and logs it in one step. op has the client's paths; act gets it with paths relative to home.
// effect, where there is one, is called with the operation's number when act succeeded.
func (s *session) do(op Op, act func(op *Op) error, effect func(n int, op Op)) error {
	t := s.tree
	s.dawdle()
	t.mu.Lock()
	defer t.mu.Unlock()
	op.Session = s.n
	var err, toErr error
	op.Path, err = t.rel(op.Path)
	if op.To != "" {
		op.To, toErr = t.rel(op.To)
	}
	if err = errors.Join(err, toErr); err == nil && t.faults.cutNow(op.Kind, false) {
		s.line.cut()
		err = errCut
	}
	if err == nil {
		err = t.opts.Limits.forbids(&op)
	}
	if err == nil {
		err = act(&op)
	}
	err = plain(err)
	n := t.log.add(op, err)
	if err == nil && effect != nil {
		effect(n, op)
	}
	if t.faults.cutNow(op.Kind, true) {
		s.line.cut()
	}
	return status(err)
}

// dawdle takes the time that a slow server does.
func (s *session) dawdle() {
	if s.tree.opts.Limits.Delay <= 0 {
		return
	}
	select {
	case <-time.After(s.tree.opts.Limits.Delay):
	case <-s.line.over:
	}
}

// change is do for an operation that changes files.
func (s *session) change(op Op, act func(op *Op) error, effect func(n int, op Op)) error {
	return s.do(op, func(op *Op) error {
		if s.tree.faults.isReadOnly() {
			return errReadOnly
		}
		return act(op)
	}, effect)
}

// Filecmd implements sftp.FileCmder.
func (s *session) Filecmd(r *sftp.Request) error {
	switch r.Method {
	case "Rename":
		return s.rename(OpRename, r, s.tree.opts.Features.RenameOver)
	case "Remove":
		return s.remove(OpRemove, r, false)
	case "Rmdir":
		return s.remove(OpRmdir, r, true)
	case "Mkdir":
		return s.change(Op{Kind: OpMkdir, Path: r.Filepath}, func(op *Op) error {
			return s.tree.root.Mkdir(op.Path, 0o755)
		}, nil)
	case "Setstat":
		return s.setstat(r)
	case "Link", "Symlink":
		// Target is the new name in both.
		return s.change(Op{Kind: OpLink, Path: r.Target}, func(*Op) error { return errUnsupported }, nil)
	}
	return sftp.ErrSSHFxOpUnsupported
}

// PosixRename implements sftp.PosixRenameFileCmder: it is called for the extension whether or not it was advertised.
func (s *session) PosixRename(r *sftp.Request) error {
	if !s.tree.opts.Features.PosixRename {
		return s.do(Op{Kind: OpPosixRename, Path: r.Filepath, To: r.Target}, func(*Op) error { return errUnsupported }, nil)
	}
	return s.rename(OpPosixRename, r, true)
}

// rename renames a file. With over, what lies under the new name goes in the same step.
func (s *session) rename(kind Kind, r *sftp.Request, over bool) error {
	t := s.tree
	var c *content
	return s.change(Op{Kind: kind, Path: r.Filepath, To: r.Target}, func(op *Op) error {
		info, err := t.root.Lstat(op.Path)
		if err != nil {
			return err
		}
		if info.IsDir() {
			return errIsFolder
		}
		if _, err := t.root.Lstat(op.To); err == nil && !over {
			return errExists
		}
		if t.log.names[op.Path] == nil {
			if c, err = t.digest(op.Path); err != nil {
				return err
			}
		}
		return t.root.Rename(op.Path, op.To)
	}, func(n int, op Op) { t.log.moved(n, kind, op.Path, op.To, c) })
}

// remove removes a file, or an empty folder: SFTP has an operation for each, and servers refuse the wrong one.
func (s *session) remove(kind Kind, r *sftp.Request, folder bool) error {
	t := s.tree
	return s.change(Op{Kind: kind, Path: r.Filepath}, func(op *Op) error {
		info, err := t.root.Lstat(op.Path)
		switch {
		case err != nil:
			return err
		case folder && !info.IsDir():
			return errNotFolder
		case !folder && info.IsDir():
			return errIsFolder
		}
		return t.root.Remove(op.Path)
	}, func(n int, op Op) {
		if !folder {
			t.log.removed(n, kind, op.Path)
		}
	})
}

// setstat sets mode and times. A size is never set: a file cut short behind the log's back would still count as complete.
func (s *session) setstat(r *sftp.Request) error {
	return s.change(Op{Kind: OpSetstat, Path: r.Filepath}, func(op *Op) error {
		flags, attrs := r.AttrFlags(), r.Attributes()
		if !s.tree.opts.Features.Setstat || flags.Size || attrs == nil {
			return errUnsupported
		}
		if flags.Permissions {
			if err := s.tree.root.Chmod(op.Path, attrs.FileMode().Perm()); err != nil {
				return err
			}
		}
		if flags.Acmodtime {
			return s.tree.root.Chtimes(op.Path, attrs.AccessTime(), attrs.ModTime())
		}
		return nil
	}, nil)
}

// Filelist implements sftp.FileLister for listings and stat.
func (s *session) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	switch r.Method {
	case "List":
		return s.list(r)
	case "Stat":
		return s.stat(r, s.tree.root.Stat)
	}
	return nil, sftp.ErrSSHFxOpUnsupported
}

// Lstat implements sftp.LstatFileLister.
func (s *session) Lstat(r *sftp.Request) (sftp.ListerAt, error) { return s.stat(r, s.tree.root.Lstat) }

// stat answers with what look finds.
func (s *session) stat(r *sftp.Request, look func(string) (fs.FileInfo, error)) (sftp.ListerAt, error) {
	var out infos
	err := s.do(Op{Kind: OpStat, Path: r.Filepath}, func(op *Op) error {
		info, err := look(op.Path)
		out = infos{s.tree.opts.told(info)}
		return err
	}, nil)
	return out, err
}

// list answers with all entries at once; package sftp deals them out in portions.
func (s *session) list(r *sftp.Request) (sftp.ListerAt, error) {
	var out infos
	err := s.do(Op{Kind: OpList, Path: r.Filepath}, func(op *Op) error {
		entries, err := fs.ReadDir(s.tree.root.FS(), op.Path)
		for _, e := range entries {
			// The platform itself, or a test, may delete an entry at this moment: then it is not listed.
			if info, err := e.Info(); err == nil {
				out = append(out, s.tree.opts.told(info))
			}
		}
		return err
	}, nil)
	return out, err
}

// infos implements sftp.ListerAt.
type infos []fs.FileInfo

// ListAt implements sftp.ListerAt.
func (in infos) ListAt(p []fs.FileInfo, offset int64) (int, error) {
	if offset >= int64(len(in)) {
		return 0, io.EOF
	}
	n := copy(p, in[offset:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
