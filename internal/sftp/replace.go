package sftp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pkg/sftp"

	"gondola/internal/outbox"
)

const (
	// writesAhead is how many writes of a file may be unanswered. With 32 KiB each that is twice what the window of an SSH channel holds
	// with OpenSSH: the window decides how much is on its way, and never has to wait for an answer.
	writesAhead = 128
	writeSize   = 32 << 10
	// bytesAhead is how much of all files together may be on its way, in either direction. Hundreds of small files are, a few large
	// ones fill the line just as well.
	bytesAhead = 2 * writesAhead * writeSize
)

// replacement is one file on its way to its name.
type replacement struct {
	r      *Remote
	d      outbox.Delivery
	folder string
	final  string
	aside  string
	over   bool    // something lay under the final name when it was taken
	before *looked // at the final name, before a byte was written
	again  *looked // once the document was uploaded
	// measuredAt is when the temporary file was seen in its size beside its close, zero for never.
	measuredAt time.Time

	temp    string // the temporary file, once it was opened
	release func() // gives up its name

	files, bytes int64      // the shares of the quotas that it has
	reading      *sftp.File // being read back

	begun, ended time.Time // of the upload
	at           time.Time // of the file, by the server
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
	if d.Name == "" || strings.ContainsRune(d.Name, '/') {
		return outbox.Receipt{}, local(doing, fmt.Errorf("%q is no file name", d.Name), "report it to whoever maintains gondola")
	}
	folder, err := r.folder(d.Folder, true)
	if err != nil {
		return outbox.Receipt{}, err
	}
	p := &replacement{r: r, d: d, folder: folder, final: path.Join(folder, d.Name)}
	release, err := r.claim(ctx, p.final)
	if err != nil {
		return outbox.Receipt{}, r.fail(doing, err)
	}
	defer release()
	defer p.releaseTemp()
	defer p.give()
	if err := p.begin(ctx); err != nil {
		return outbox.Receipt{}, err
	}
	return p.run(ctx)
}

// begin waits until the file may be on its way beside the others.
func (p *replacement) begin(ctx context.Context) (err error) {
	if p.files, err = p.r.files.take(ctx, 1); err == nil {
		p.bytes, err = p.r.bytes.take(ctx, shareOf(p.d))
	}
	if err != nil {
		return p.fail("put", err)
	}
	return nil
}

// give lets the next file be on its way: this one has its name, or never will.
func (p *replacement) give() {
	p.r.bytes.give(p.bytes)
	p.r.files.give(p.files)
	p.bytes, p.files = 0, 0
}

func (p *replacement) run(ctx context.Context) (outbox.Receipt, error) {
	put := p.viaTemp
	if p.r.Passport().Way() == outbox.WayDirect {
		put = p.direct
	}
	way, proof, err := put(ctx)
	if err != nil {
		return outbox.Receipt{}, err
	}
	before := p.before.lying
	r := outbox.Receipt{
		Size: p.d.Size, SHA256: p.d.SHA256, Proof: proof, Way: way, At: p.r.c.Now(),
		// Where the server does not tell, the careful answer is yes: the file goes once more if it vanishes.
		Replaced: before.Exists || !before.told || p.over || way == outbox.WayAside,
	}
	if known := p.r.Passport(); !known.At.IsZero() {
		r.Passport = known.Line(p.r.c.ReadBack)
	}
	r.Skew, r.SkewKnown = skewOf(p.begun, p.ended, p.at)
	return r, nil
}

// looked is what a look found, and what there is against replacing it.
type looked struct {
	lying
	err error
}

// look finds out what lies under the final name, and refuses to replace what is not ours.
func (p *replacement) look() *looked {
	l, err := p.r.standing(p.final)
	if err == nil {
		err = p.ours(l)
	}
	return &looked{l, err}
}

// lookFirst looks before anything is written. What the sweep saw there is enough, since it is looked at once more before the names are
// swapped; nothing is refused for what is old.
func (p *replacement) lookFirst() *looked {
	if before, ok := p.r.sawAt(p.folder, p.final); ok && p.ours(before) == nil {
		return &looked{before, nil}
	}
	return p.look()
}

// lookAgain looks at the final name once more right before it is taken.
func (p *replacement) lookAgain() { p.again = p.look() }

// viaTemp uploads under a temporary name, proves what lies there, and gives it the final one.
func (p *replacement) viaTemp(ctx context.Context) (string, outbox.Proof, error) {
	if p.before = p.lookFirst(); p.before.err != nil {
		return "", "", p.before.err
	}
	proof, err := p.upload(ctx)
	if err != nil {
		return "", "", err
	}
	// Only now is it known for sure which names the server takes.
	p.aside = path.Join(p.folder, nameOf(p.d.Name, p.d.ID, suffixAside, !p.r.Passport().Lacks(outbox.DotNames)))
	way, proof, err := p.take(ctx, proof)
	if err != nil {
		p.discard()
		return "", "", err
	}
	return way, proof, nil
}

// take gives the uploaded file its final name and looks at it there. The end of ctx waits for that: the swap is a few round trips,
// and half of one is worse than either whole.
func (p *replacement) take(ctx context.Context, proof outbox.Proof) (string, outbox.Proof, error) {
	p.r.swaps.RLock()
	defer p.r.swaps.RUnlock()
	if ctx.Err() != nil {
		return "", "", p.fail("put", ctx.Err())
	}
	// The upload may have taken minutes, in which somebody else's file can have come.
	ahead := p.again != nil && p.reading != nil && p.r.renamesOver(p.r.Passport())
	if !ahead {
		p.r.side(func() {
			if p.again == nil {
				p.lookAgain()
			}
		}, p.stopReading)
	}
	if p.again.err != nil {
		return "", "", p.again.err
	}
	before := p.again.lying
	p.over = before.Exists
	way := outbox.WayPosixRename
	if !ahead || !p.renameAhead() {
		var err error
		if way, err = p.swap(before); err != nil {
			return "", "", err
		}
	}
	p.give() // what is left is a look
	proof, err := p.confirm(proof)
	if err != nil {
		return "", "", err
	}
	p.dropAsides()
	return way, proof, nil
}

// renameAhead gives the temporary file its final name without waiting for the answer to the close of what was read back, and reports
// whether it did. A refusal says nothing, for there are servers that rename no open file: it is asked for again in its turn.
func (p *replacement) renameAhead() bool {
	var err error
	p.r.side(p.stopReading, func() { err = p.r.ftp.PosixRename(p.temp, p.final) })
	if err == nil {
		p.r.prove(outbox.PosixRename)
	}
	return err == nil
}

func (p *replacement) fail(verb string, err error) error {
	return p.r.fail(fmt.Sprintf("%s %q", verb, p.final), err)
}

// ours refuses to replace what we did not put there: a second daemon, an old script, a person. A delivery that was tried before may
// have got as far as its name, but for one that met somebody else's file there.
func (p *replacement) ours(l lying) error {
	retried := p.d.Attempts > 0 && (l.Size == p.d.Size || !p.d.Foreign && p.partly(l.Size))
	if !l.Exists || p.d.Adopt || retried || slices.Contains(p.d.Known, l.Size) {
		return nil
	}
	return &outbox.Failure{Class: outbox.Foreign, Err: fmt.Errorf("replace %q: a file of %d bytes lies there that gondola did not put, "+
		"ours has %d: find out who else writes there, then run gondola push --adopt to replace it", p.final, l.Size, p.d.Size)}
}

// partly reports whether a size may be that of our own file, cut in the middle: one that could only be written in place.
func (p *replacement) partly(size int64) bool {
	most := p.d.Size
	if p.d.Previous != nil {
		most = max(most, p.d.Previous.Size) // it may have been cut while it was written back
	}
	return p.r.Passport().Way() == outbox.WayDirect && size < most
}

// refused reports whether the server has answered that it does not do such a thing, or not like this.
func (p *replacement) refused(err error) bool {
	if _, ok := errors.AsType[*outbox.Failure](err); ok {
		return false // it has been judged already
	}
	return err != nil && !p.r.isGone(err) && !isFull(err) && slices.Contains([]uint32{codeUnsupported, codeFailure, codeExists}, status(err))
}

// swap gives the temporary file its final name. The caller holds swaps.
func (p *replacement) swap(before lying) (string, error) {
	known := p.r.Passport()
	taken := before.Exists || !before.told
	if p.r.renamesOver(known) {
		err := p.into(p.r.ftp.PosixRename)
		if err == nil {
			p.r.prove(outbox.PosixRename)
			return outbox.WayPosixRename, nil
		}
		// Some servers announce the extension and refuse it, or refuse it over a file.
		if !p.refused(err) {
			return "", p.misplaced("rename over", err)
		}
		p.r.contradict(outbox.PosixRename, outbox.Cannot, err)
	}
	if taken && known.Has(outbox.RenameOver) {
		err := p.into(p.r.ftp.Rename)
		if err == nil {
			return outbox.WayRenameOver, nil
		}
		if !p.refused(err) {
			return "", p.misplaced("rename over", err)
		}
		p.r.contradict(outbox.RenameOver, outbox.Cannot, err)
	}
	if before.Exists {
		return outbox.WayAside, p.swapAside()
	}
	err := p.r.ftp.Rename(p.temp, p.final)
	if err == nil {
		p.r.prove(outbox.Rename)
		return outbox.WayRename, nil
	}
	if !p.refused(err) {
		return "", p.misplaced("rename to", err)
	}
	// Version 3 says "failure" for a name that is taken. Whatever came there in the meantime must be ours, too.
	now, serr := p.r.standing(p.final)
	if serr != nil {
		return "", serr
	}
	if now.told && !now.Exists {
		return "", p.misplaced("rename to", err)
	}
	if serr := p.ours(now); serr != nil {
		return "", serr
	}
	return outbox.WayAside, p.swapAside()
}

// into renames the temporary file to the final name. One that lies in the home folder and is refused is brought into the folder first
// and tried again from there: only then is it known which of the two the server does not do.
func (p *replacement) into(how func(from, to string) error) error {
	err := how(p.temp, p.final)
	if !p.refused(err) || path.Dir(p.temp) == p.folder {
		return err
	}
	inside := path.Join(p.folder, nameOf(p.d.Name, p.d.ID, suffixTemp, !p.r.Passport().Lacks(outbox.DotNames)))
	if berr := how(p.temp, inside); berr != nil {
		return p.misplaced("rename to", err)
	}
	p.temp = inside
	return how(p.temp, p.final)
}

// misplaced is fail for a rename into the folder. One from the home folder that is refused, as opposed to a line that breaks, may be
// refused because of where it comes from: the next attempt puts its temporary file beside the final one. One that is refused as
// unsupported where it starts there already leaves nothing but writing in place.
func (p *replacement) misplaced(verb string, err error) error {
	switch {
	case p.r.isGone(err) || isFull(err):
	case errors.Is(err, fs.ErrNotExist):
		p.r.forget(p.d.Folder) // the folder is no more
	case path.Dir(p.temp) != p.folder:
		p.r.contradict(outbox.RenameAcross, outbox.Cannot, err)
	case status(err) == codeUnsupported:
		p.r.contradict(outbox.Rename, outbox.Cannot, err)
	}
	return p.fail(verb, err)
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
		if status(err) == codeUnsupported {
			p.r.contradict(outbox.Rename, outbox.Cannot, err)
		}
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
		return p.misplaced("rename to", err)
	}
	if back := ftp.Rename(p.aside, p.final); back != nil {
		p.r.remember(p.final, p.aside)
		return p.misplaced("rename to", fmt.Errorf("%w; the old file could not be put back and lies at %q: %w", err, p.aside, back))
	}
	return p.misplaced("rename to", err)
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
	case proof == outbox.ProofDigest:
		return proof, nil
	default:
		return outbox.ProofSize, nil
	}
}

// discard removes the temporary file of a failed replace. It may take as long as any call, and no longer than cancelGrace once the
// caller has given up; Sweep gets what stays.
func (p *replacement) discard() {
	p.stopReading()
	if p.r.lost() != nil || p.temp == "" {
		return
	}
	if err := p.r.ftp.Remove(p.temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.r.c.Log.Debug("remove temporary file", "file", p.temp, "err", err)
	}
}
