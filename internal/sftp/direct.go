package sftp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/pkg/sftp"

	"gondola/internal/outbox"
)

// backGrace is how long the old document may take to be written back after the caller has given up. Together with the outbox's own
// grace it stays below the 30 s after which service managers kill.
const backGrace = 8 * time.Second

// direct writes the document under its final name, where there is no better way. A failure that leaves the connection alive is made
// good: the old document is written back, or what was begun is removed where there was none.
func (p *replacement) direct(ctx context.Context) (string, outbox.Proof, error) {
	// No listing tells: what lies there is gone with the opening.
	if p.before = p.look(); p.before.err != nil {
		return "", "", p.before.err
	}
	if err := p.checkDigest(ctx, &p.d); err != nil {
		return "", "", err // found out before the old file is touched
	}
	eats := p.r.Passport().Has(outbox.EatsOnClose)
	file, err := p.openInPlace(ctx)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			p.r.forget(p.d.Folder)
		}
		return "", "", p.fail("open for writing in place", err)
	}
	proof := outbox.ProofClosed
	var short error
	err = p.fill(ctx, file, &p.d, filling{atEnd: func(failed error) {
		switch {
		case !eats:
		case failed != nil:
			// Closed under its name it would be taken, half as it is.
			p.undo()
		default:
			proof, short = p.measureOpen(file)
			if short != nil {
				p.undo()
			}
		}
	}})
	err = errors.Join(err, short)
	if err == nil {
		proof, err = p.proveInPlace(ctx, proof, eats)
	}
	if err == nil {
		return outbox.WayDirect, proof, nil
	}
	f, classed := errors.AsType[*outbox.Failure](err)
	// Where files are taken the name is free again. What lay there all the same was not taken, and is put back as anywhere.
	if foreign := classed && f.Class == outbox.Foreign; p.r.lost() == nil && (!eats || p.before.Exists) && !foreign {
		err = p.putBack(p.before.lying, err)
	}
	return "", "", err
}

// openInPlace opens the final name for writing. Where that waited for others it is looked at once more.
func (p *replacement) openInPlace(ctx context.Context) (*sftp.File, error) {
	waited := false
	return p.beside(ctx, func() (*sftp.File, error) {
		if waited {
			now := p.look()
			if now.err != nil {
				return nil, now.err
			}
			p.before, p.over = now, p.over || now.Exists
		}
		waited = true
		return p.r.ftp.OpenFile(p.final, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	})
}

// measureOpen asks for the size of a file that is about to be taken away. A server that does not tell leaves the weakest proof.
func (p *replacement) measureOpen(file interface{ Stat() (fs.FileInfo, error) }) (outbox.Proof, error) {
	info, err := file.Stat()
	switch {
	case err != nil && p.r.isGone(err):
		return "", p.fail("verify", err)
	case err != nil:
		return outbox.ProofClosed, nil
	case info.Size() != p.d.Size:
		return "", p.fail("verify", fmt.Errorf("the server has %d of %d bytes", info.Size(), p.d.Size))
	default:
		p.at, p.ended = info.ModTime(), time.Now()
		return outbox.ProofSize, nil
	}
}

// proveInPlace looks at what was written. What is gone already was taken: the proof is what was measured before.
func (p *replacement) proveInPlace(ctx context.Context, proof outbox.Proof, eats bool) (outbox.Proof, error) {
	l, err := p.r.standing(p.final)
	switch {
	case errors.Is(err, outbox.ErrLost):
		return proof, nil // the server has said that it is closed
	case err != nil:
		return "", err
	case !l.told:
		return p.readInPlace(ctx, proof)
	case !l.Exists:
		return proof, nil
	case l.Size > p.d.Size:
		// Too little may be the server's fault. Too much is somebody else's, who is not written over.
		return p.confirm(proof)
	case l.Size < p.d.Size:
		return "", p.fail("verify", fmt.Errorf("the server has %d of %d bytes", l.Size, p.d.Size))
	}
	p.at = l.at
	if eats {
		p.r.contradict(outbox.EatsOnClose, outbox.Cannot, nil)
	}
	return p.readInPlace(ctx, outbox.ProofSize)
}

// readInPlace reads back what lies under the final name.
func (p *replacement) readInPlace(ctx context.Context, proof outbox.Proof) (outbox.Proof, error) {
	if !p.readable() {
		return proof, nil
	}
	err := p.openToRead(ctx, p.final)
	defer p.stopReading()
	return p.readBack(ctx, err, proof)
}

// undo removes a file that was begun in place.
func (p *replacement) undo() {
	if p.r.lost() != nil {
		return
	}
	if err := p.r.ftp.Remove(p.final); err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.r.c.Log.Debug("remove what was begun", "file", p.final, "err", err)
	}
}

// putBack makes good what a failed upload did to the final name. It returns the failure, with what became of the old file.
func (p *replacement) putBack(before lying, failure error) error {
	var class outbox.Class
	if f, ok := errors.AsType[*outbox.Failure](failure); ok {
		class = f.Class
	}
	old := p.d.Previous
	switch {
	case before.told && !before.Exists:
		p.undo()
		return failure
	case old == nil || before.told && before.Size != old.Size:
		return &outbox.Failure{Class: class, Err: fmt.Errorf("%w; the old file is not one that is kept here, so it could not be put back", failure)}
	}
	// The end of the caller's patience waits for this: a part of a file is worse than either whole.
	p.r.swaps.RLock()
	defer p.r.swaps.RUnlock()
	ctx, cancel := context.WithTimeoutCause(context.Background(), backGrace, fmt.Errorf("it took longer than %s", backGrace))
	defer cancel()
	file, err := p.r.ftp.OpenFile(p.final, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err == nil {
		err = p.fill(ctx, file, &outbox.Delivery{Path: old.Path, Size: old.Size, SHA256: old.SHA256}, filling{})
	}
	if err != nil {
		return &outbox.Failure{Class: class, Err: fmt.Errorf("%w; the old file could not be written back: %w", failure, err)}
	}
	p.r.c.Log.Info("old document written back", "file", p.final, "size", old.Size)
	return &outbox.Failure{Class: class, Err: fmt.Errorf("%w; the old file was written back", failure)}
}
