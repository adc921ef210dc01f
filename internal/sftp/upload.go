package sftp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"gondola/internal/outbox"
)

// upload puts the document under the temporary name and measures it there. What it began to write is removed when it fails.
func (p *replacement) upload(ctx context.Context) (outbox.Proof, error) {
	doc, err := os.Open(p.d.Path)
	if err != nil {
		return "", p.unreadable(err)
	}
	defer func() { _ = doc.Close() }()

	var proof outbox.Proof
	// The digest is looked at beside the upload, not in its path: it proves that what leaves is what was rendered.
	digesting, cancel := context.WithCancel(ctx)
	digest := make(chan error, 1)
	go func() { digest <- p.checkDigest(digesting) }()
	err = p.write(ctx, doc)
	if err != nil {
		cancel()
	}
	if derr := <-digest; err == nil {
		err = derr
	}
	cancel()
	if err == nil {
		proof, err = p.measure()
	}
	if err != nil {
		p.discard()
		return "", err
	}
	return proof, nil
}

// write copies the document into a new temporary file: write-only, created, truncated, as the strictest servers want it.
func (p *replacement) write(ctx context.Context, doc *os.File) error {
	file, err := p.r.ftp.OpenFile(p.temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			p.r.forget(p.d.Folder)
		}
		return p.fail("create temporary file of", err)
	}
	src := &source{ctx: ctx, r: doc}
	ahead := int(min(p.d.Size/writeSize+1, writesAhead))
	n, err := file.ReadFromWithConcurrency(src, ahead)
	// The server may find out only now that it has no room, so the answer to close counts as much as those to the writes.
	cerr := file.Close()
	switch {
	case ctx.Err() != nil:
		return p.fail("upload", ctx.Err())
	case src.err != nil:
		return p.unreadable(src.err)
	case err != nil:
		return p.fail("upload", err)
	case n != p.d.Size:
		return p.unreadable(fmt.Errorf("it has %d bytes instead of %d", n, p.d.Size))
	case cerr != nil:
		return p.fail("finish upload of", cerr)
	}
	return nil
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
		return "", p.fail("verify", errors.New("the temporary file vanished after the upload"))
	case l.Size != p.d.Size:
		return "", p.fail("verify", fmt.Errorf("the server has %d of %d bytes", l.Size, p.d.Size))
	default:
		return outbox.ProofSize, nil
	}
}

func (p *replacement) checkDigest(ctx context.Context) error {
	doc, err := os.Open(p.d.Path)
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
	if got := hex.EncodeToString(h.Sum(nil)); !strings.EqualFold(got, p.d.SHA256) {
		return p.unreadable(fmt.Errorf("its SHA-256 is %s instead of %s", got, p.d.SHA256))
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
