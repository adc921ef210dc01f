package sftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"gondola/internal/outbox"
)

// The names that a probe uses in the home folder. They are shaped like leftovers of ours, so that a later sweep or probe finds what an
// interrupted one left, and never end in .csv.
const (
	probeFinal  = "gondola-probe.csv"
	probeFolder = "gondola-probe"
)

// probeTime is how long a probe may take: files of a younger one are those of one that may be under way, of the daemon beside a command.
const probeTime = time.Hour

// perProbe is how many numbers a probe has for its names: from its time in milliseconds, times this.
const perProbe = 100

// acrossName is the number of the file that a probe moves into its folder, lastName the highest one that it uses.
const (
	acrossName = 5
	lastName   = 31
)

// askedFor is how many sessions, and files at once, a probe asks for: more sessions are never used, and more files are found out about in
// use, where they are not left lying in somebody's home.
const askedFor = 4

// The two contents differ in size, so that a stat tells them apart.
const (
	probeOne = "gondola probe\n"
	probeTwo = "gondola probe, another file\n"
)

// Probe finds out what the server allows, by trying it in the login's home folder and nowhere else, and cleans up behind itself. What
// is refused is a result; the error is about a connection that broke, and the passport then has what was found until there. What use
// had taught about the server before still counts. Nothing else may use the Remote meanwhile.
func (r *Remote) Probe(ctx context.Context) (outbox.Passport, error) {
	const doing = "probe the server"
	leave, err := r.enter(ctx, doing)
	if err != nil {
		return outbox.Passport{}, err
	}
	defer leave()
	pr := &prober{
		r: r, ctx: ctx, base: r.c.Now().UnixMilli() * perProbe, dead: r.Passport().Probing,
		has: make(map[outbox.Feature]outbox.Ability), made: make(map[string]bool),
	}
	pr.announce()
	err = pr.run()
	p := outbox.Passport{
		At: r.c.Now(), Server: string(r.ssh.ServerVersion()), Abilities: pr.has, Sessions: pr.sessions, Files: pr.files,
		Skew: pr.skew, SkewKnown: pr.skewKnown, Left: pr.left,
	}
	if err != nil {
		p.Broke, p.Probing = pr.step, pr.base
	}
	r.known.Lock()
	p = r.passport.Renewed(p)
	r.passport = p
	r.known.Unlock()
	r.limit()
	if err != nil {
		return p, r.fail(doing, err)
	}
	return p, nil
}

// prober is one probe. Its steps return an error only when the connection, or the caller's patience, has ended.
type prober struct {
	r   *Remote
	ctx context.Context

	has       map[outbox.Feature]outbox.Ability
	sessions  int
	files     int
	skew      time.Duration
	skewKnown bool

	step string          // under way
	base int64           // of the numbers in the names: no other probe's, whose files may have been left there
	dead int64           // of a probe whose process died, 0 = none
	dot  bool            // names begin with a dot
	made map[string]bool // files that may be there
	dirs []string        // folders that were made
	left []string
}

// announce has it kept, before the first file is written, which files this probe will write: if the process dies, the next one knows
// them. A command beside the daemon keeps nothing: the daemon would take its files away while they are in use.
func (pr *prober) announce() {
	if pr.r.c.Learned == nil {
		return
	}
	p := pr.r.Passport()
	p.Probing = pr.base
	pr.r.c.Learned(p)
}

// run takes the steps, those that a server might take amiss last.
func (pr *prober) run() error {
	for _, s := range []struct {
		name string
		do   func() error
	}{
		{"write", pr.write},
		{"look", pr.look},
		{"read back", pr.readBack},
		{"rename", pr.rename},
		{"rename over", pr.renameOver},
		{"posix-rename", pr.posixRename},
		{"rename across", pr.renameAcross},
		{"delete", pr.remove},
		{"files at once", pr.together},
		{"fsync", pr.fsync},
		{"setstat", pr.setstat},
		{"clean up", pr.cleanUp},
		{"sessions", pr.openSessions},
	} {
		if pr.ctx.Err() != nil {
			_ = pr.cleanUp()
			return pr.ctx.Err()
		}
		pr.step = s.name
		if err := s.do(); err != nil {
			return err
		}
	}
	return nil
}

// name returns the n-th name.
func (pr *prober) name(n int) string { return nameOf(probeFinal, pr.base+int64(n), suffixTemp, pr.dot) }

// note records whether a feature is there and returns err when the connection has ended.
func (pr *prober) note(f outbox.Feature, err error) error {
	if err != nil && pr.r.isGone(err) {
		return err
	}
	pr.has[f] = outbox.Can
	if err != nil {
		pr.has[f] = outbox.Cannot
	}
	return nil
}

func (pr *prober) is(f outbox.Feature) bool { return pr.has[f] == outbox.Can }

// put writes a file.
func (pr *prober) put(name, content string) (err error) {
	f, err := pr.r.ftp.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	pr.made[name] = true
	_, err = f.Write([]byte(content))
	return errors.Join(err, f.Close())
}

// write finds out which names may be written.
func (pr *prober) write() error {
	for _, dot := range []bool{true, false} {
		pr.dot = dot
		begun := time.Now()
		err := pr.put(pr.name(1), probeOne)
		if err != nil && pr.r.isGone(err) {
			return err
		}
		if err == nil {
			pr.has[outbox.Home], pr.has[outbox.DotNames] = outbox.Can, ability(dot)
			return pr.clock(begun)
		}
	}
	pr.has[outbox.Home] = outbox.Cannot
	return nil
}

func ability(yes bool) outbox.Ability {
	if yes {
		return outbox.Can
	}
	return outbox.Cannot
}

// clock compares the time of the file that was just written with ours.
func (pr *prober) clock(begun time.Time) error {
	ended := time.Now()
	info, err := pr.r.ftp.Stat(pr.name(1))
	if err != nil {
		if pr.r.isGone(err) {
			return err
		}
		if info, err = pr.listed(pr.name(1)); err != nil && pr.r.isGone(err) {
			return err
		}
	}
	if err == nil && info != nil {
		pr.skew, pr.skewKnown = skewOf(begun, ended, info.ModTime())
	}
	return nil
}

// listed finds a name in the home folder's listing; nil is one that is not there.
func (pr *prober) listed(name string) (fs.FileInfo, error) {
	infos, err := pr.r.ftp.ReadDir(".")
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(infos, func(i fs.FileInfo) bool { return i.Name() == name })
	if i < 0 {
		return nil, nil //nolint:nilnil // what is not there is a result
	}
	return infos[i], nil
}

// look finds out how the server tells what lies there, and whether it still does.
func (pr *prober) look() error {
	_, err := pr.r.ftp.Stat(".")
	if err := pr.note(outbox.Stat, err); err != nil {
		return err
	}
	info, err := pr.listed(pr.name(1))
	if err := pr.note(outbox.List, err); err != nil || !pr.is(outbox.Home) {
		return err
	}
	written, err := pr.r.ftp.Stat(pr.name(1))
	if err != nil && pr.r.isGone(err) {
		return err
	}
	gone, gerr := pr.gone(pr.name(1), info != nil)
	if gerr == nil && gone {
		// Somebody may have tidied up. A server that takes files takes any.
		gone, gerr = pr.takes()
	}
	if gerr == nil && !gone && !pr.is(outbox.Stat) && pr.is(outbox.List) && info == nil && pr.dot {
		gerr = pr.unhide()
	}
	if gerr != nil {
		return gerr
	}
	if !gone || !pr.is(outbox.Stat) {
		pr.has[outbox.StatAfterClose] = ability(err == nil && written.Size() == int64(len(probeOne)))
	}
	pr.has[outbox.EatsOnClose] = ability(gone)
	return nil
}

// gone reports whether a file that was just written is no longer there. That a listing lacks it proves nothing: there are servers that
// do not list what begins with a dot.
func (pr *prober) gone(name string, listed bool) (bool, error) {
	if listed {
		return false, nil
	}
	if pr.is(outbox.Stat) {
		_, err := pr.r.ftp.Stat(name)
		if err != nil && pr.r.isGone(err) {
			return false, err
		}
		return errors.Is(err, fs.ErrNotExist), nil
	}
	// Only what is done with it can show whether it is still there.
	err := pr.r.ftp.Rename(name, pr.name(2))
	if err == nil {
		pr.made[pr.name(2)] = true
		err = pr.move(pr.r.ftp.Rename, pr.name(2), name)
	}
	if err != nil && pr.r.isGone(err) {
		return false, err
	}
	return errors.Is(err, fs.ErrNotExist), nil
}

// visible is a name that does not begin with a dot: that of the first file, or where that has none either, one of its own.
func (pr *prober) visible() string {
	n := pr.base + 1
	if !pr.dot {
		n = pr.base + 3
	}
	return nameOf(probeFinal, n, suffixTemp, false)
}

// takes reports whether another file, with a name that anybody sees, is gone as well once it was written.
func (pr *prober) takes() (bool, error) {
	if err := pr.put(pr.visible(), probeOne); err != nil {
		if pr.r.isGone(err) {
			return false, err
		}
		return false, nil // not known
	}
	return pr.gone(pr.visible(), false)
}

// unhide finds out whether the listing, which is all that tells here, leaves out what begins with a dot. Names without one are used then.
func (pr *prober) unhide() error {
	err := pr.put(pr.visible(), probeOne)
	var info fs.FileInfo
	if err == nil {
		info, err = pr.listed(pr.visible())
	}
	if err != nil && pr.r.isGone(err) {
		return err
	}
	if info != nil {
		pr.dot, pr.has[outbox.DotNames] = false, outbox.Cannot
	}
	return nil
}

// there reports whether there is a file to try things with.
func (pr *prober) there() bool { return pr.is(outbox.Home) && !pr.is(outbox.EatsOnClose) }

func (pr *prober) readBack() error {
	if !pr.there() {
		return nil
	}
	f, err := pr.r.ftp.Open(pr.name(1))
	if err == nil {
		var data []byte
		if data, err = io.ReadAll(io.LimitReader(f, 1<<10)); err == nil && string(data) != probeOne {
			err = errors.New("other bytes came back")
		}
		err = errors.Join(err, f.Close())
	}
	return pr.note(outbox.ReadBack, err)
}

// rename moves the first file to a free name and leaves it there.
func (pr *prober) rename() error {
	if !pr.there() {
		return nil
	}
	return pr.note(outbox.Rename, pr.move(pr.r.ftp.Rename, pr.name(1), pr.name(2)))
}

// move renames a file and notes where it may lie.
func (pr *prober) move(how func(from, to string) error, from, to string) error {
	pr.made[to] = true
	err := how(from, to)
	if err == nil {
		delete(pr.made, from)
	}
	return err
}

// over tries a rename onto a file and looks whether it did what it said. Each try has names of its own, the n-th and the next: there
// are servers on which a file that lies there can't be written again.
func (pr *prober) over(f outbox.Feature, n int, how func(from, to string) error) error {
	from, to := pr.name(n), pr.name(n+1)
	if err := errors.Join(pr.put(from, probeTwo), pr.put(to, probeOne)); err != nil {
		if pr.r.isGone(err) {
			return err
		}
		return nil // not known
	}
	err := pr.move(how, from, to)
	if err == nil && pr.is(outbox.StatAfterClose) {
		var info fs.FileInfo
		if info, err = pr.r.ftp.Stat(to); err == nil && info.Size() != int64(len(probeTwo)) {
			err = errors.New("the old file is still there")
		}
	}
	return pr.note(f, err)
}

func (pr *prober) renameOver() error {
	if !pr.there() {
		return nil
	}
	return pr.over(outbox.RenameOver, 20, pr.r.ftp.Rename)
}

func (pr *prober) posixRename() error {
	switch {
	case !pr.r.advertised:
		pr.has[outbox.PosixRename] = outbox.Cannot
		return nil
	case !pr.there():
		return nil
	}
	return pr.over(outbox.PosixRename, 30, pr.r.ftp.PosixRename)
}

// renameAcross moves a file into a folder of the probe's own, by the rename that a replace would use.
func (pr *prober) renameAcross() error {
	how := pr.r.ftp.Rename
	if pr.is(outbox.PosixRename) {
		how = pr.r.ftp.PosixRename
	} else if !pr.is(outbox.Rename) && !pr.is(outbox.RenameOver) {
		return nil
	}
	if !pr.there() {
		return nil
	}
	if err := pr.put(pr.name(acrossName), probeOne); err != nil {
		if pr.r.isGone(err) {
			return err
		}
		return nil // not known
	}
	if err := pr.r.ftp.Mkdir(probeFolder); err != nil && pr.r.isGone(err) {
		return err
	}
	pr.dirs = append(pr.dirs, probeFolder) // an earlier probe may have left it
	return pr.note(outbox.RenameAcross, pr.move(how, pr.name(acrossName), path.Join(probeFolder, pr.name(acrossName))))
}

// remove deletes one of the files that must be there.
func (pr *prober) remove() error {
	if !pr.there() {
		return nil
	}
	name := pr.name(6)
	if err := pr.put(name, probeOne); err != nil {
		if pr.r.isGone(err) {
			return err
		}
		return nil // not known
	}
	err := pr.r.ftp.Remove(name)
	if err == nil {
		delete(pr.made, name)
	}
	return pr.note(outbox.Delete, err)
}

// together opens files until one is refused.
func (pr *prober) together() error {
	if !pr.is(outbox.Home) {
		return nil
	}
	var open []*sftp.File
	var refused error
	for n := range askedFor {
		f, err := pr.r.ftp.OpenFile(pr.name(10+n), os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
		if err != nil {
			refused = err
			break
		}
		pr.made[pr.name(10+n)] = true
		open = append(open, f)
	}
	pr.files = len(open)
	for _, f := range open {
		if err := f.Close(); err != nil && refused == nil {
			refused = err
		}
	}
	if refused != nil && pr.r.isGone(refused) {
		return refused
	}
	return nil
}

func (pr *prober) fsync() error {
	if !pr.is(outbox.Home) {
		return nil
	}
	if _, ok := pr.r.ftp.HasExtension("fsync@openssh.com"); !ok {
		pr.has[outbox.Fsync] = outbox.Cannot
		return nil
	}
	f, err := pr.r.ftp.OpenFile(pr.name(7), os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err == nil {
		pr.made[pr.name(7)] = true
		err = errors.Join(f.Sync(), f.Close())
	}
	return pr.note(outbox.Fsync, err)
}

func (pr *prober) setstat() error {
	if !pr.there() {
		return nil
	}
	name := pr.name(8)
	err := pr.put(name, probeOne)
	if err == nil {
		err = pr.r.ftp.Chtimes(name, time.Now(), time.Now())
	}
	return pr.note(outbox.Setstat, err)
}

// openSessions opens sessions beside ours until one is refused. Servers that cut the whole connection for it have told everything else.
func (pr *prober) openSessions() error {
	pr.sessions = 1
	var open []*ssh.Session
	defer func() {
		for _, s := range open {
			_ = s.Close()
		}
	}()
	for pr.sessions < askedFor {
		s, err := pr.r.ssh.NewSession()
		if err == nil {
			open = append(open, s)
			err = s.RequestSubsystem("sftp")
		}
		if err != nil {
			if pr.r.lost() != nil {
				return fmt.Errorf("open another session: %w", err)
			}
			return nil
		}
		pr.sessions++
	}
	return nil
}

// skewOf compares the time of a file that was written between begun and ended with them. Servers tell whole seconds, and may mean the
// begin or the end of the writing, so whatever lies between the two is no skew at all.
func skewOf(begun, ended, told time.Time) (skew time.Duration, known bool) {
	switch {
	case told.Unix() <= 0:
		return 0, false
	case told.After(ended):
		return told.Sub(ended), true
	case told.Before(begun.Truncate(time.Second)):
		return told.Sub(begun.Truncate(time.Second)), true
	default:
		return 0, true
	}
}
