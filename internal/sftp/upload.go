package sftp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pkg/sftp"

	"gondola/internal/outbox"
)

// upload puts the document under a temporary name and proves what lies there. What it began to write is removed when it fails. One
// vanished file may be somebody who tidies up: another name is tried before the server is taken for one that takes files as they are closed.
func (p *replacement) upload(ctx context.Context) (outbox.Proof, error) {
	spots := p.spots()
	proof, err := p.uploadTo(ctx, spots)
	if !errors.Is(err, errVanished) || p.d.Attempts == 0 || path.Dir(p.temp) != p.folder {
		return proof, err
	}
	first := p.temp
	others := slices.DeleteFunc(spots, func(at spot) bool { return p.tempAt(at) == first || at.dir != p.folder })
	if len(others) == 0 {
		others = []spot{{dir: p.folder, dot: !strings.HasPrefix(path.Base(first), ".")}}
	}
	proof, again := p.uploadTo(ctx, others)
	switch {
	case again != nil && p.temp == "" && p.r.lost() == nil:
		return "", err // there is no other name
	case errors.Is(again, errVanished) && p.temp != first:
		p.r.contradict(outbox.EatsOnClose, outbox.Can, nil)
	}
	return proof, again
}

// errVanished says that the temporary file was not there any more once it was written.
var errVanished = errors.New("the temporary file vanished after the upload")

// uploadTo uploads to the first of some places that the server takes.
func (p *replacement) uploadTo(ctx context.Context, spots []spot) (outbox.Proof, error) {
	p.again, p.measuredAt = nil, time.Time{}
	file, err := p.create(ctx, spots)
	if err != nil {
		return "", err
	}
	err = p.fill(ctx, file, &p.d, filling{beside: p.proveAhead})
	var proof outbox.Proof
	if err == nil {
		proof, err = p.prove(ctx)
	}
	if err != nil {
		p.discard()
		return "", err
	}
	return proof, nil
}

// spot is where a temporary file can lie, and what the server would have to allow for it.
type spot struct {
	dir     string
	dot     bool
	feature outbox.Feature // that is not there when this place is refused and a later one is not
}

// spots lists where a temporary file may lie by what is known of the server, the best one first.
func (p *replacement) spots() []spot {
	known := p.r.Passport()
	var all []spot
	if known.Has(outbox.RenameAcross) && p.folder != "." {
		all = append(all, spot{".", !known.Lacks(outbox.DotNames), outbox.RenameAcross})
	}
	if !known.Lacks(outbox.DotNames) {
		all = append(all, spot{p.folder, true, outbox.DotNames})
	}
	return append(all, spot{dir: p.folder})
}

func (p *replacement) tempAt(at spot) string {
	return path.Join(at.dir, nameOf(p.d.Name, p.d.ID, suffixTemp, at.dot))
}

// create opens a new temporary file: write-only, created, truncated, as the strictest servers want it. The name is the call's own
// until it ends or takes another one.
func (p *replacement) create(ctx context.Context, spots []spot) (file *sftp.File, err error) {
	var refused []spot
	for _, at := range spots {
		p.releaseTemp()
		p.temp = p.tempAt(at)
		if p.release, err = p.r.claim(ctx, p.temp); err != nil {
			return nil, p.fail("upload", err)
		}
		var oerr error
		file, oerr = p.beside(ctx, func() (*sftp.File, error) {
			if p.r.Passport().Lacks(at.feature) {
				return nil, fs.ErrPermission // as another one has found out meanwhile
			}
			return p.r.ftp.OpenFile(p.temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
		})
		if oerr != nil && p.d.Attempts > 0 && !p.r.isGone(oerr) && p.r.ftp.Remove(p.temp) == nil {
			// What an earlier attempt left can't be written again on some servers.
			file, oerr = p.r.ftp.OpenFile(p.temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
		}
		if oerr == nil {
			for _, no := range refused {
				p.r.contradict(no.feature, outbox.Cannot, err)
			}
			return file, nil
		}
		if err = oerr; !p.refused(err) && !errors.Is(err, fs.ErrPermission) {
			break
		}
		refused = append(refused, at)
	}
	p.temp = ""
	if errors.Is(err, fs.ErrNotExist) {
		p.r.forget(p.d.Folder)
	}
	return nil, p.fail("create temporary file of", err)
}

// releaseTemp lets others have the temporary file: it has its name, or never will.
func (p *replacement) releaseTemp() {
	if p.release != nil {
		p.release()
		p.release = nil
	}
}

// beside opens a remote file. A refusal while other files are on their way may be one of yet another: then fewer are, and it is tried
// again beside those. Only what is refused alone is refused, and only what goes among fewer says how many the server stands. Who waits
// here has no share of anything: those whose turn it is may wait for what is left of it.
func (p *replacement) beside(ctx context.Context, open func() (*sftp.File, error)) (*sftp.File, error) {
	narrowed := false
	for {
		most, beside := p.r.files.state()
		file, err := open()
		switch {
		case err != nil:
		case narrowed:
			p.r.stands(int(most))
		default:
			p.r.stoodMore(beside)
		}
		if !p.refused(err) || errors.Is(err, fs.ErrPermission) {
			return file, err
		}
		if !p.r.files.halve(beside) {
			p.r.limit() // it was not for the others
			return nil, err
		}
		narrowed = true
		p.give()
		if err := p.begin(ctx); err != nil {
			return nil, err
		}
	}
}

// filling is what else is to be done when a remote file is filled; the zero value is nothing.
type filling struct {
	atEnd  func(failed error) // before the close: it may look at the open file, or spoil it when it failed
	beside func()             // while the answer to the close is on its way; only when nothing failed
}

// fill copies a document of ours into a remote file and closes it. The digest is looked at beside the upload, not in its path: it
// proves that what leaves is what was rendered.
func (p *replacement) fill(ctx context.Context, file *sftp.File, d *outbox.Delivery, also filling) error {
	doc, err := os.Open(d.Path)
	if err != nil {
		err = p.unreadable(err)
	} else {
		defer func() { _ = doc.Close() }()
		if d.Size <= writeSize {
			err = p.writeWhole(ctx, file, doc, d)
		} else {
			err = p.writePieces(ctx, file, doc, d)
		}
	}
	if also.atEnd != nil {
		also.atEnd(err)
	}
	if also.beside == nil || err != nil {
		also.beside = func() {}
	}
	// The server may find out only now that it has no room, so the answer to close counts as much as those to the writes.
	var cerr error
	p.r.side(func() {
		cerr = file.Close()
		p.ended = time.Now()
	}, also.beside)
	if err == nil && cerr != nil {
		err = p.fail("finish upload of", cerr)
	}
	return err
}

// pieces is memory for documents that fit into one request, of which hundreds are on their way at once.
var pieces = sync.Pool{New: func() any { return new([]byte) }}

// piece returns so many bytes of memory, which go back to pieces.
func piece(size int64) *[]byte {
	p := pieces.Get().(*[]byte)
	*p = slices.Grow((*p)[:0], int(size))[:size]
	return p
}

// writeWhole copies a document that fits into one request, and is hashed before.
func (p *replacement) writeWhole(ctx context.Context, file *sftp.File, doc *os.File, d *outbox.Delivery) error {
	memory := piece(d.Size + 1) // one more than it should have
	defer pieces.Put(memory)
	data := *memory
	n, err := io.ReadFull(doc, data)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return p.unreadable(err)
	}
	if data = data[:n]; int64(n) != d.Size {
		return p.unreadable(fmt.Errorf("it has %d bytes instead of %d", n, d.Size))
	}
	h := sha256.New()
	h.Write(data)
	if err := p.sameDigest(h, d); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return p.fail("upload", ctx.Err())
	}
	p.begun = time.Now()
	if len(data) == 0 {
		return nil
	}
	if _, err := file.Write(data); err != nil {
		return p.fail("upload", err)
	}
	return nil
}

// writePieces copies a document with as many requests unanswered as the line takes.
func (p *replacement) writePieces(ctx context.Context, file *sftp.File, doc *os.File, d *outbox.Delivery) error {
	digesting, cancel := context.WithCancel(ctx)
	defer cancel()
	digest := make(chan error, 1)
	go func() { digest <- p.checkDigest(digesting, d) }()
	err := p.write(ctx, file, doc, d.Size)
	if err != nil {
		cancel()
	}
	if derr := <-digest; err == nil {
		err = derr
	}
	return err
}

// write copies the document's bytes.
func (p *replacement) write(ctx context.Context, file *sftp.File, doc *os.File, size int64) error {
	p.begun = time.Now()
	src := &source{ctx: ctx, r: doc}
	ahead := int(min(size/writeSize+1, writesAhead))
	n, err := file.ReadFromWithConcurrency(src, ahead)
	switch {
	case ctx.Err() != nil:
		return p.fail("upload", ctx.Err())
	case src.err != nil:
		return p.unreadable(src.err)
	case err != nil:
		return p.fail("upload", err)
	case n != size:
		return p.unreadable(fmt.Errorf("it has %d bytes instead of %d", n, size))
	}
	return nil
}

// prove measures the temporary file and reads it back, as far as the server lets us.
func (p *replacement) prove(ctx context.Context) (proof outbox.Proof, err error) {
	if !p.measuredAt.IsZero() {
		if p.ended.Sub(p.measuredAt) < overtaken {
			return outbox.ProofSize, nil
		}
		p.again = nil
	}
	if !p.readable() {
		p.r.side(func() { proof, err = p.measure() }, p.lookAgain)
		return proof, err
	}
	if p.reading != nil {
		same := false
		p.r.side(func() { proof, err = p.measure() }, func() { same = p.readAhead(ctx) }, func() {
			if p.d.Size <= writeSize { // a larger one takes longer to read, and what a look found would be old
				p.lookAgain()
			}
		})
		switch {
		case err != nil:
			return "", err
		case same:
			return outbox.ProofDigest, nil
		case ctx.Err() != nil:
			return "", p.fail("verify", ctx.Err())
		}
		p.again = nil
	}
	var oerr error
	p.r.side(func() { proof, err = p.measure() }, func() { oerr = p.openToRead(ctx, p.temp) })
	if err != nil {
		return "", err
	}
	return p.readBack(ctx, oerr, proof)
}

// measure asks the server for the size of the temporary file.
func (p *replacement) measure() (outbox.Proof, error) {
	l, err := p.r.standing(p.temp)
	switch {
	case err != nil:
		return "", err
	case !l.told:
		return outbox.ProofClosed, nil
	case !l.Exists:
		return "", p.fail("verify", errVanished)
	case l.Size != p.d.Size:
		return "", p.fail("verify", fmt.Errorf("the server has %d of %d bytes", l.Size, p.d.Size))
	default:
		p.at = l.at
		return outbox.ProofSize, nil
	}
}

// readSize is how much is read back at once: enough requests to fill the line.
const readSize = 1 << 20

// readable reports whether the file is to be read back: where the server lets us and it is not too large.
func (p *replacement) readable() bool {
	return p.r.c.ReadBack > 0 && p.d.Size <= p.r.c.ReadBack && !p.r.Passport().Lacks(outbox.ReadBack)
}

// openToRead opens a file to read it back. It is one more open file, as one that is written.
func (p *replacement) openToRead(ctx context.Context, name string) (err error) {
	p.reading, err = p.beside(ctx, func() (*sftp.File, error) {
		if p.r.Passport().Lacks(outbox.ReadBack) {
			return nil, fs.ErrPermission // as another one has found out meanwhile
		}
		return p.r.ftp.Open(name)
	})
	return err
}

// proveAhead begins to prove the temporary file without waiting for the answer to its close. That saves a round trip with servers that
// work in the order in which they are asked, and tells nothing of others: what they refuse, or have otherwise so far, is asked for again
// in its turn. It is not done at a second attempt, which may owe its failure to that, and may find what the first one left; nor where
// the server takes one file at a time, and may take one call as well.
func (p *replacement) proveAhead() {
	switch most, _ := p.r.files.state(); {
	case most == 1 || p.d.Attempts > 0:
	case p.readable():
		p.openAhead(most)
	case !p.r.Passport().Lacks(outbox.Stat):
		p.measureAhead()
	}
}

// overtaken is by how much answers may come before that to the close before which they were asked for: by more they were not given in
// the order of the questions, and tell of a file that was still being closed.
const overtaken = 100 * time.Millisecond

// measureAhead measures the temporary file, and looks at the final name, where nothing is to be read back.
func (p *replacement) measureAhead() {
	var proof outbox.Proof
	var err error
	p.r.side(func() { proof, err = p.measure() }, p.lookAgain)
	if err == nil && proof == outbox.ProofSize && p.again.err == nil && p.again.told {
		p.measuredAt = time.Now()
	} else {
		p.again = nil
	}
}

// openAhead opens the temporary file to read it back. It is not done where the server was seen to count open files, for this may be one
// more.
func (p *replacement) openAhead(most int64) {
	known := p.r.Passport()
	if most != int64(p.r.c.Parallel) || known.Most > 0 || known.Files > 0 && known.Files < askedFor {
		return
	}
	if file, err := p.r.ftp.Open(p.temp); err == nil {
		p.reading = file
	}
}

// readAhead reports whether the file that was opened ahead holds the document. Where it does not, it may have been opened before it was
// whole, and is closed.
func (p *replacement) readAhead(ctx context.Context) bool {
	got, err := digestOf(ctx, p.reading, p.d.Size)
	if err == nil && strings.EqualFold(got, p.d.SHA256) {
		p.r.prove(outbox.ReadBack)
		return true
	}
	p.stopReading()
	return false
}

// stopReading closes the file that was read back, before its name changes for good: there are servers that rename no open file.
func (p *replacement) stopReading() {
	if p.reading != nil {
		_ = p.reading.Close() // it was only read
		p.reading = nil
	}
}

// readBack reads the file that was opened for it and compares it with the document. It returns the proof that is reached with it.
func (p *replacement) readBack(ctx context.Context, err error, proof outbox.Proof) (outbox.Proof, error) {
	if err == nil {
		var got string
		if got, err = digestOf(ctx, p.reading, p.d.Size); err == nil {
			p.r.prove(outbox.ReadBack)
			if !strings.EqualFold(got, p.d.SHA256) {
				return "", p.fail("verify", fmt.Errorf("the server holds other bytes than were sent: their SHA-256 is %s instead of %s",
					got, p.d.SHA256))
			}
			return outbox.ProofDigest, nil
		}
	}
	switch {
	case ctx.Err() != nil:
		return "", p.fail("verify", ctx.Err())
	case p.r.isGone(err) && !errors.Is(err, io.ErrUnexpectedEOF):
		return "", p.fail("verify", err)
	case errors.Is(err, fs.ErrPermission), p.refused(err):
		p.r.contradict(outbox.ReadBack, outbox.Cannot, err)
		return proof, nil
	default:
		return "", p.fail("verify", fmt.Errorf("read it back: %w", err))
	}
}

// digestOf reads size bytes and hashes them.
func digestOf(ctx context.Context, file io.ReaderAt, size int64) (string, error) {
	h := sha256.New()
	var buffer []byte
	if size <= writeSize {
		memory := piece(size)
		defer pieces.Put(memory)
		buffer = *memory
	} else {
		buffer = make([]byte, min(size, readSize))
	}
	for at := int64(0); at < size; {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		n, err := file.ReadAt(buffer[:min(size-at, int64(len(buffer)))], at)
		h.Write(buffer[:n])
		at += int64(n)
		if err != nil && at < size {
			if errors.Is(err, io.EOF) {
				err = fmt.Errorf("%w: it ends after %d of %d bytes", os.ErrInvalid, at, size)
			}
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func (p *replacement) checkDigest(ctx context.Context, d *outbox.Delivery) error {
	doc, err := os.Open(d.Path)
	if err != nil {
		return p.unreadable(err)
	}
	defer func() { _ = doc.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, &source{ctx: ctx, r: doc}); err != nil {
		if ctx.Err() != nil {
			return p.fail("upload", ctx.Err())
		}
		return p.unreadable(err)
	}
	return p.sameDigest(h, d)
}

// sameDigest holds what was read of a document against what it was when it was rendered.
func (p *replacement) sameDigest(h hash.Hash, d *outbox.Delivery) error {
	if got := hex.EncodeToString(h.Sum(nil)); !strings.EqualFold(got, d.SHA256) {
		return p.unreadable(fmt.Errorf("its SHA-256 is %s instead of %s", got, d.SHA256))
	}
	return nil
}

func (p *replacement) unreadable(err error) error {
	return local(fmt.Sprintf("read the document for %q", p.final), err,
		"check the disk under the state folder, then run gondola push")
}

// source is the document as the upload reads it. It ends with ctx, and keeps an error of the disk apart from those of the server.
type source struct {
	ctx context.Context
	r   io.Reader
	err error
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}
