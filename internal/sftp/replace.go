package sftp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"gondola/internal/outbox"
)

const (
	// writesAhead is how many writes of a file may be unanswered. With 32 KiB each that is 2 MiB on their way: a full pipe on any
	// line that stores have, and as much as the window of an SSH channel holds anyway.
	writesAhead = 64
	writeSize   = 32 << 10
)

// Suffixes of the names that are ours besides the final ones: .<final name>.<delivery id><suffix>.
const (
	suffixTemp  = ".tmp"
	suffixAside = ".old"
)

// The ways a final name is taken, as receipts name them.
const (
	wayPosixRename = "posix-rename" // renamed over the old file, in one step
	wayRename      = "rename"       // renamed to a name that was free
	wayAside       = "aside"        // the old file was moved aside first
)

// replacement is one file on its way to its name.
type replacement struct {
	r     *Remote
	d     outbox.Delivery
	final string
	temp  string
	aside string
}

// Replace implements [outbox.Remote]. When ctx ends while bytes are on their way, it stops, removes what it wrote and returns within
// seconds; a swap of names that began is finished.
func (r *Remote) Replace(ctx context.Context, d outbox.Delivery) (outbox.Receipt, error) {
	doing := fmt.Sprintf("put %q", path.Join(d.Folder, d.Name))
	leave, err := r.enter(ctx, doing)
	if err != nil {
		return outbox.Receipt{}, err
	}
	defer leave()
	if r.slots != nil {
		select {
		case r.slots <- struct{}{}:
			defer func() { <-r.slots }()
		case <-ctx.Done():
			return outbox.Receipt{}, r.fail(doing, ctx.Err())
		}
	}
	if d.Name == "" || strings.ContainsRune(d.Name, '/') {
		return outbox.Receipt{}, local(doing, fmt.Errorf("%q is no file name", d.Name), "report it to whoever maintains gondola")
	}
	folder, err := r.folder(d.Folder, true)
	if err != nil {
		return outbox.Receipt{}, err
	}
	hidden := path.Join(folder, "."+d.Name+"."+strconv.FormatInt(d.ID, 10))
	p := &replacement{r: r, d: d, final: path.Join(folder, d.Name), temp: hidden + suffixTemp, aside: hidden + suffixAside}
	release, err := r.claim(ctx, p.final)
	if err != nil {
		return outbox.Receipt{}, r.fail(doing, err)
	}
	defer release()
	return p.run(ctx)
}

func (p *replacement) run(ctx context.Context) (outbox.Receipt, error) {
	before, err := p.r.standing(p.final)
	if err != nil {
		return outbox.Receipt{}, err
	}
	if err := p.ours(before); err != nil {
		return outbox.Receipt{}, err
	}
	proof, err := p.upload(ctx)
	if err != nil {
		return outbox.Receipt{}, err
	}

	way, proof, err := p.take(ctx, before, proof)
	if err != nil {
		p.discard()
		return outbox.Receipt{}, err
	}
	return outbox.Receipt{
		Size: p.d.Size, SHA256: p.d.SHA256, Proof: proof, Way: way, At: p.r.c.Now(),
		// Where the server does not tell, the careful answer is yes: the file goes once more if it vanishes.
		Replaced: before.Exists || !before.told || way == wayAside,
	}, nil
}

// take gives the uploaded file its final name and looks at it there. The end of ctx waits for that: the swap is a few round trips,
// and half of one is worse than either whole.
func (p *replacement) take(ctx context.Context, before lying, proof outbox.Proof) (string, outbox.Proof, error) {
	p.r.swaps.RLock()
	defer p.r.swaps.RUnlock()
	if ctx.Err() != nil {
		return "", "", p.fail("put", ctx.Err())
	}
	way, err := p.swap(before)
	if err != nil {
		return "", "", err
	}
	if proof, err = p.confirm(proof); err != nil {
		return "", "", err
	}
	p.dropAsides()
	return way, proof, nil
}

func (p *replacement) fail(verb string, err error) error {
	return p.r.fail(fmt.Sprintf("%s %q", verb, p.final), err)
}

// ours refuses to replace what we did not put there: a second daemon, an old script, a person. A delivery that was tried before may
// have got as far as its name.
func (p *replacement) ours(l lying) error {
	retried := p.d.Attempts > 0 && l.Size == p.d.Size
	if !l.Exists || p.d.Adopt || retried || slices.Contains(p.d.Known, l.Size) {
		return nil
	}
	return &outbox.Failure{Class: outbox.Foreign, Err: fmt.Errorf("replace %q: a file of %d bytes lies there that gondola did not put, "+
		"ours has %d: find out who else writes there, then run gondola push --adopt to replace it", p.final, l.Size, p.d.Size)}
}

// swap gives the temporary file its final name. The caller holds swaps.
func (p *replacement) swap(before lying) (string, error) {
	ftp := p.r.ftp
	if p.r.posixRename {
		err := ftp.PosixRename(p.temp, p.final)
		if err == nil {
			return wayPosixRename, nil
		}
		// Some servers announce the extension and refuse it, or refuse it over a file.
		if p.r.isGone(err) || (status(err) != codeUnsupported && status(err) != codeFailure) || isFull(err) {
			return "", p.fail("rename over", err)
		}
	}
	if before.Exists {
		return wayAside, p.swapAside()
	}
	err := ftp.Rename(p.temp, p.final)
	if err == nil {
		return wayRename, nil
	}
	if p.r.isGone(err) || (status(err) != codeFailure && status(err) != codeExists) {
		return "", p.fail("rename to", err)
	}
	// Version 3 says "failure" for a name that is taken. Whatever came there in the meantime must be ours, too.
	now, serr := p.r.standing(p.final)
	if serr != nil {
		return "", serr
	}
	if now.told && !now.Exists {
		return "", p.fail("rename to", err)
	}
	if serr := p.ours(now); serr != nil {
		return "", serr
	}
	return wayAside, p.swapAside()
}

// swapAside moves the old file out of the way, the new one in, and puts the old one back if that fails.
func (p *replacement) swapAside() error {
	ftp := p.r.ftp
	err := ftp.Rename(p.final, p.aside)
	if s := status(err); s == codeFailure || s == codeExists {
		// An earlier attempt of this delivery may have left its aside file. The final name is taken, so that one has a successor.
		if ftp.Remove(p.aside) == nil {
			err = ftp.Rename(p.final, p.aside)
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist): // taken by the platform this very moment: the name is free
	case err != nil:
		return p.fail("move aside", err)
	}
	moved := err == nil
	if err = ftp.Rename(p.temp, p.final); err == nil {
		if moved {
			p.r.remember(p.final, p.aside)
		}
		return nil
	}
	if !moved {
		return p.fail("rename to", err)
	}
	if back := ftp.Rename(p.aside, p.final); back != nil {
		p.r.remember(p.final, p.aside)
		return p.fail("rename to", fmt.Errorf("%w; the old file could not be put back and lies at %q: %w", err, p.aside, back))
	}
	return p.fail("rename to", err)
}

// confirm looks at the final name. A file that is gone already was taken by the platform; its proof is what was measured before.
// So is that of one which can't be looked at because the connection broke: the server has said that the swap is done.
func (p *replacement) confirm(proof outbox.Proof) (outbox.Proof, error) {
	l, err := p.r.standing(p.final)
	switch {
	case errors.Is(err, outbox.ErrLost):
		return proof, nil
	case err != nil:
		return "", err
	case !l.told, !l.Exists:
		return proof, nil
	case l.Size != p.d.Size:
		return "", &outbox.Failure{Class: outbox.Foreign, Err: fmt.Errorf("verify %q: it has %d bytes right after ours of %d "+
			"took the name: somebody else writes there; find out who, then run gondola push --adopt", p.final, l.Size, p.d.Size)}
	default:
		return outbox.ProofSize, nil
	}
}

// discard removes the temporary file of a failed replace. It may take as long as any call, and no longer than cancelGrace once the
// caller has given up; Sweep gets what stays.
func (p *replacement) discard() {
	if p.r.lost() != nil {
		return
	}
	if err := p.r.ftp.Remove(p.temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.r.c.Log.Debug("remove temporary file", "file", p.temp, "err", err)
	}
}
