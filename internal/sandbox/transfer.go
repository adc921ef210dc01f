package sandbox

import (
	"errors"
	"io"
	"os"
	"sync"

	"github.com/pkg/sftp"
)

// Fileread implements sftp.FileReader.
func (s *session) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	d := &download{session: s, path: r.Filepath}
	err := s.do(Op{Kind: OpOpenRead, Path: r.Filepath}, func(op *Op) (err error) {
		d.f, err = s.tree.root.Open(op.Path)
		return err
	}, nil)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// download is a file that a client reads.
type download struct {
	session *session
	path    string
	f       *os.File

	mu   sync.Mutex
	read int64 // guarded by mu
}

// ReadAt implements io.ReaderAt.
func (d *download) ReadAt(p []byte, off int64) (int, error) {
	n, err := d.f.ReadAt(p, off)
	d.mu.Lock()
	d.read += int64(n)
	d.mu.Unlock()
	if err != nil && !errors.Is(err, io.EOF) {
		err = status(err)
	}
	return n, err
}

// Close implements io.Closer.
func (d *download) Close() error {
	return d.session.do(Op{Kind: OpRead, Path: d.path, Bytes: d.read}, func(*Op) error { return d.f.Close() }, nil)
}

// Filewrite implements sftp.FileWriter.
func (s *session) Filewrite(r *sftp.Request) (io.WriterAt, error) { return s.openWrite(r) }

// OpenFile implements sftp.OpenFileWriter: opening for reading and writing at once.
func (s *session) OpenFile(r *sftp.Request) (sftp.WriterAtReaderAt, error) { return s.openWrite(r) }

// openWrite opens a file for a client to fill, and hands it the fault that is armed for the next upload.
func (s *session) openWrite(r *sftp.Request) (*upload, error) {
	t := s.tree
	u := &upload{session: s}
	err := s.change(Op{Kind: OpOpenWrite, Path: r.Filepath}, func(op *Op) (err error) {
		if most := t.opts.Limits.MaxFiles; most > 0 && t.open >= most {
			return errTooMany
		}
		u.f, err = t.openFile(op.Path, r.Pflags())
		return err
	}, func(n int, op Op) {
		t.open++
		u.opened, u.c = op.Path, t.log.opened(n, op.Path)
		u.strike = t.faults.takeStrike()
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}

// openFile opens a file for a client as the features allow. On disk it is always open for reading too, to take its digest.
func (t *tree) openFile(name string, want sftp.FileOpenFlags) (*os.File, error) {
	_, err := t.root.Lstat(name)
	exists := err == nil
	switch {
	case want.Read && !t.opts.Features.ReadWrite:
		return nil, errUnsupported
	case !t.opts.Features.Append && (want.Append || (exists && !want.Trunc && !want.Excl)):
		// Without truncation it is an append too, or the resuming of an upload.
		return nil, errUnsupported
	}
	flags := os.O_RDWR
	if want.Creat {
		flags |= os.O_CREATE
	}
	if want.Trunc {
		flags |= os.O_TRUNC
	}
	if want.Excl {
		flags |= os.O_EXCL
	}
	return t.root.OpenFile(name, flags, 0o644)
}

// upload is a file that a client writes, visible under its name from the first moment, as on a real server.
type upload struct {
	session *session
	f       *os.File
	opened  string   // the name it was opened under, relative to home
	c       *content // guarded by the tree's lock

	mu     sync.Mutex
	taken  int64  // bytes that arrived; guarded by mu
	strike strike // what is going to happen; guarded by mu
	struck bool   // it has happened; guarded by mu
	short  bool   // a write was refused; guarded by mu
	lost   bool   // the connection ended before the client closed the file; guarded by mu
}

// ReadAt implements io.ReaderAt.
func (u *upload) ReadAt(p []byte, off int64) (int, error) { return u.f.ReadAt(p, off) }

// WriteAt implements io.WriterAt: at any offset, from several goroutines at once.
func (u *upload) WriteAt(p []byte, off int64) (written int, err error) {
	u.session.dawdle()
	for {
		n, hit := u.grant(int64(len(p)))
		w, err := u.f.WriteAt(p[:n], off)
		written += w
		if err == nil && hit == noStrike && n < int64(len(p)) {
			err = errNoSpace
		}
		if err != nil {
			u.refused()
			return written, status(plain(err))
		}
		if hit == noStrike {
			return written, nil
		}
		if err := u.suffer(hit); err != nil {
			return written, err
		}
		p, off = p[n:], off+n
	}
}

// grant returns how many of n bytes may be written now, and what happens after them.
func (u *upload) grant(n int64) (int64, strikeKind) {
	u.mu.Lock()
	defer u.mu.Unlock()
	hit := noStrike
	if u.strike.kind != noStrike && u.taken+n >= u.strike.after {
		n, hit = max(0, u.strike.after-u.taken), u.strike.kind
	}
	n = u.session.tree.faults.space(u.taken, n)
	u.taken += n
	return n, hit
}

// refused remembers that the file lacks something that the client wrote.
func (u *upload) refused() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.short = true
}

// suffer lets a strike happen. It returns nil when the upload goes on afterwards.
func (u *upload) suffer(kind strikeKind) error {
	l := u.session.line
	switch kind {
	case strikeCut:
		l.cut()
		return errCut
	case strikeHang:
		<-l.over
		return errCut
	}
	u.mu.Lock()
	if !u.struck {
		u.struck = true
		l.freeze()
	}
	u.mu.Unlock()
	if !l.wait() {
		return errCut
	}
	u.mu.Lock()
	u.strike = strike{}
	u.mu.Unlock()
	return nil
}

// TransferError implements sftp.TransferError: the session ends while the file is open.
func (u *upload) TransferError(error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.lost = true
}

// errLost is the log's word for a file that its client never closed.
var errLost = errors.New("connection lost")

// Close implements io.Closer. From here on the content counts as complete, unless the client never asked for the close or was told
// that a write failed.
func (u *upload) Close() error {
	name, err := u.close()
	if u.session.tree.closed != nil && name != "" {
		u.session.tree.closed(name)
	}
	return err
}

// close closes the file and returns the name that it lies under by then, "" where it has none.
func (u *upload) close() (name string, _ error) {
	s := u.session
	t := s.tree
	u.mu.Lock()
	lost, short, taken := u.lost, u.short, u.taken
	u.mu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open--
	var err error
	if lost {
		err = errLost
	} else if t.faults.cutNow(OpClose, false) {
		s.line.cut()
		err = errCut
	}
	size, digest, sumErr := sum(u.f)
	closeErr := u.f.Close()
	err = errors.Join(err, sumErr, closeErr)
	u.c.size, u.c.sha256, u.c.complete = size, digest, err == nil && !short
	// The name is the file's last one: it may have been renamed since it was opened, or be gone.
	op := Op{Session: s.n, Kind: OpClose, Path: either(u.c.path, u.opened), Bytes: taken, Size: size, SHA256: digest}
	t.log.closed(t.log.add(op, err), u.c)
	if t.faults.cutNow(OpClose, true) {
		s.line.cut()
	}
	return u.c.path, err
}
