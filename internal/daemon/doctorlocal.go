package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"gondola/internal/config"
	"gondola/internal/drop"
	"gondola/internal/report"
)

const (
	// canaryPrefix begins the names of files that only try a folder. Watchers, and readers of orders, leave hidden files alone.
	canaryPrefix = ".gondola-doctor-"
	// canarySuffix ends them.
	canarySuffix = ".tmp"
	// eventWithin is how long a folder has to tell of a file: systems tell at once or never.
	eventWithin = time.Second
	// skewAllowed is how far the clock of a share may be from ours: an export whose time is older than the last one's is held.
	skewAllowed = time.Minute
	// folderRoom is the free space that answers beside an export may need.
	folderRoom = 50_000_000
)

// canary is a file that tries a folder.
type canary struct{ path string }

// newCanary makes one, after it has removed those that a doctor before could not.
func newCanary(folder string) (canary, error) {
	old, err := filepath.Glob(filepath.Join(escapeGlob(folder), canaryPrefix+"*"))
	if err != nil {
		return canary{}, err
	}
	for _, path := range old {
		if info, err := os.Lstat(path); err == nil && time.Since(info.ModTime()) > time.Hour {
			_ = os.Remove(path) // the next one tries again
		}
	}
	f, err := os.CreateTemp(folder, canaryPrefix+"*"+canarySuffix)
	if err != nil {
		return canary{}, err
	}
	c := canary{f.Name()}
	_, err = f.WriteString("gondola doctor\n")
	if err := errors.Join(err, f.Close()); err != nil {
		return c, errors.Join(err, c.remove())
	}
	return c, nil
}

func (c canary) remove() error { return os.Remove(c.path) }

// escapeGlob makes a folder's name mean itself in a pattern.
func escapeGlob(folder string) string {
	return strings.NewReplacer(`[`, `[[]`, `*`, `[*]`, `?`, `[?]`).Replace(folder)
}

// isFolder tells what is wrong with a folder before anything is tried in it, "" for nothing.
func isFolder(path string) (text, do string) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no folder " + path, "make it, or mount the share it is on"
	case err != nil:
		return err.Error(), "let the user that runs gondola read it"
	case !info.IsDir():
		return path + " is not a folder", "remove it, or correct the path in the config"
	}
	return "", ""
}

// dropFolder looks at a feed's folder: whether it can be read and written, whether the system tells of files in it, its space and clock.
func (e *examiner) dropFolder(ctx context.Context, f feedSetup) []Checkup {
	c := Checkup{groupFolders, f.Name, CheckOK, f.Drop, ""}
	bad := func(text, do string) []Checkup {
		c.State, c.Text, c.Do = CheckFail, text, do
		return []Checkup{c}
	}
	if text, do := isFolder(f.Drop); text != "" {
		return bad(text, do)
	}
	if _, err := os.ReadDir(f.Drop); err != nil {
		return bad(err.Error(), "let the user that runs gondola list the folder")
	}
	var made canary
	var at time.Time
	// Where nothing can be watched, no events come: that is all it says.
	told, _ := drop.Delivers(ctx, f.Drop, eventWithin, func() (err error) {
		at = time.Now()
		made, err = newCanary(f.Drop)
		return err
	})
	if made.path == "" {
		var err error
		if made, err = newCanary(f.Drop); err != nil {
			return bad(err.Error(), "let the user that runs gondola write there; on a share, look whether it is mounted read-only or full")
		}
	}
	defer func() { _ = made.remove() }() // the next doctor removes it
	text := []string{f.Drop + ": read, write"}
	if err := renames(&made); err != nil {
		return bad(fmt.Sprintf("%s: files can't be renamed there: %v", f.Drop, err), "drops are claimed by renaming: put the folder on another file system")
	}
	for _, sub := range []string{report.FolderNames(e.cfg.Chain.Language).Answers, ".gondola"} {
		if err := writes(filepath.Join(f.Drop, sub)); err != nil {
			return bad(err.Error(), "let the user that runs gondola write into what is in its drop folder")
		}
	}
	if told {
		text = append(text, "events come")
	} else {
		text = append(text, fmt.Sprintf("no events, looked through every %s", e.cfg.Drops.Scan))
	}
	warn := func(t, do string) {
		c.State, c.Do = CheckWarn, do
		text = append(text, t)
	}
	if info, err := os.Stat(made.path); err == nil && !at.IsZero() {
		if skew := info.ModTime().Sub(at).Round(time.Second); skew.Abs() > skewAllowed {
			warn(fmt.Sprintf("its clock is %s from ours", skew), "set the clock of the machine that has the share: an older export may count as the newer one")
		}
	}
	if free, err := freeSpace(f.Drop); err == nil && free < folderRoom {
		warn(fmt.Sprintf("%d MB free", free/1e6), "free some space: answers are written there")
	}
	c.Text = strings.Join(text, ", ")
	return []Checkup{c}
}

// renames tries whether a file in a folder can get another name.
func renames(c *canary) error {
	next := strings.TrimSuffix(c.path, canarySuffix) + "-renamed" + canarySuffix
	if err := os.Rename(c.path, next); err != nil {
		return err
	}
	c.path = next
	return nil
}

// writes tries to write into a folder. One that is not there is made when it is needed.
func writes(folder string) error {
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	c, err := newCanary(folder)
	if err != nil {
		return err
	}
	return c.remove()
}

// orderFolder looks at the folder that orders go to the ERP by.
func (e *examiner) orderFolder(context.Context) []Checkup {
	c := Checkup{groupOrders, "folder", CheckOK, e.orders.dir, ""}
	switch text, do := isFolder(e.orders.dir); {
	case e.orders.dir == "":
		c.State, c.Text = CheckSkipped, "orders do not go to an ERP"
	case text != "":
		c.State, c.Text, c.Do = CheckFail, text, do
	default:
		if err := writes(e.orders.dir); err != nil {
			c.State, c.Text, c.Do = CheckFail, err.Error(), "let the user that runs gondola write there"
		}
	}
	return []Checkup{c}
}

// stateFolder looks at the folder of state.
func (e *examiner) stateFolder(context.Context) []Checkup {
	dir := e.cfg.State.Dir
	c := Checkup{groupState, "folder", CheckOK, dir, ""}
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		c.State, c.Text, c.Do = CheckSkipped, "there is none yet", "gondola run or gondola once makes it"
		return []Checkup{c}
	}
	if text, do := isFolder(dir); text != "" {
		c.State, c.Text, c.Do = CheckFail, text, do
		return []Checkup{c}
	}
	if err := writes(dir); err != nil {
		c.State, c.Text, c.Do = CheckFail, err.Error(), "run this as the daemon's user; if it is, let it write there"
		return []Checkup{c}
	}
	all := []Checkup{c}
	warn := func(name, text, do string) { all = append(all, Checkup{groupState, name, CheckWarn, text, do}) }
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o007 != 0 {
		warn("rights", fmt.Sprintf("everybody on this machine can look into %s (%s)", dir, mode), "chmod o-rwx "+dir)
	}
	if owner := ownerOf(info); owner != "" {
		warn("user", fmt.Sprintf("belongs to %s, who is somebody else than who runs this: rights were tried for the wrong user", owner),
			"sudo -u "+owner+" gondola doctor")
	}
	if kind := networkDisk(dir); kind != "" {
		warn("disk", "is on a network file system ("+kind+"), where a database can be damaged", "put state.dir on a local disk")
	}
	free, err := freeSpace(dir)
	space := Checkup{groupState, "space", CheckOK, fmt.Sprintf("%d MB free, state.min_free is %d MB", free/1e6, int64(e.cfg.State.MinFree)/1e6), ""}
	switch {
	case err != nil:
		space.State, space.Text, space.Do = CheckWarn, err.Error(), "look at the disk"
	case free < int64(e.cfg.State.MinFree):
		space.State, space.Do = CheckFail, "free some space: no export is taken"
	case free < 2*int64(e.cfg.State.MinFree):
		space.State, space.Do = CheckWarn, "free some space before no export is taken any more"
	}
	return append(all, space)
}

// secrets looks whether every secret can be read here, and by how many others.
func (e *examiner) secrets(context.Context) []Checkup {
	var all []Checkup
	for _, r := range e.cfg.References() {
		c := Checkup{groupConfig, r.Path, CheckOK, "", ""}
		err := r.Readable()
		switch {
		case r.Scheme == "":
			continue // the file says so: it is among the warnings
		case err != nil && e.lives:
			c.State, c.Text, c.Do = CheckSkipped, err.Error(), "run this as the daemon's user, with its environment; the running daemon may well have it"
		case err != nil:
			c.State, c.Text, c.Do = CheckFail, err.Error(), "put the secret there, readable for the daemon's user"
		default:
			c = readableBy(c, r)
		}
		if c.State != CheckOK {
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		all = []Checkup{{groupConfig, "secrets", CheckOK, "can be read", ""}}
	}
	return all
}

// readableBy warns where a secret's file can be read by everybody.
func readableBy(c Checkup, r config.Reference) Checkup {
	if r.Scheme != "file" || runtime.GOOS == "windows" {
		return c
	}
	if info, err := os.Stat(r.Name); err == nil && info.Mode().Perm()&0o004 != 0 {
		c.State, c.Text, c.Do = CheckWarn, fmt.Sprintf("everybody on this machine can read %s (%s)", r.Name, info.Mode().Perm()), "chmod o-rwx "+r.Name
	}
	return c
}

// integrity asks the database whether it is whole.
func (e *examiner) integrity(ctx context.Context) []Checkup {
	c := Checkup{groupDatabase, "integrity", CheckOK, "whole", ""}
	if e.house == nil {
		return nil
	}
	switch problem, err := e.house.store.Sound(ctx); {
	case err != nil:
		c.State, c.Text, c.Do = CheckFail, err.Error(), "stop the daemon and "+doRecord
	case problem != "":
		c.State, c.Text, c.Do = CheckFail, problem, "stop the daemon and "+doRecord
	}
	return []Checkup{c}
}

// standing tells in a line how the work stands.
func (e *examiner) standing(ctx context.Context) []Checkup {
	if e.house == nil {
		return nil
	}
	c := Checkup{groupNow, "work", CheckOK, "", ""}
	s, err := e.house.Status(ctx)
	if err != nil {
		c.State, c.Text, c.Do = CheckFail, err.Error(), "gondola verify says more"
		return []Checkup{c}
	}
	problems := 0
	for _, p := range s.Problems {
		if p.Gone.IsZero() {
			problems++
		}
	}
	c.Text = fmt.Sprintf("%d documents on their way, %d exports and %d findings held, %d problems", len(s.Waiting), len(s.Held), len(s.Rows), problems)
	if len(s.Paused) > 0 {
		c.Text += ", paused"
	}
	if problems > 0 || !s.OK() {
		c.State, c.Do = CheckWarn, "gondola status says which"
	}
	all := []Checkup{c}
	if s.Refused != nil && len(s.Refused.Problems) > 0 {
		text := "the daemon goes on by the config before: " + s.Refused.Problems[0].Error()
		all = append(all, Checkup{groupConfig, "running", CheckFail, text, "correct it; it is taken by itself"})
	}
	return all
}

// alarms looks whether anybody is told when a person is needed. Nobody is told now.
func (e *examiner) alarms(context.Context) []Checkup {
	c := Checkup{groupAlerts, "targets", CheckOK, fmt.Sprintf("%d", len(e.cfg.Alerts)), ""}
	if len(e.cfg.Alerts) == 0 {
		c.State, c.Text, c.Do = CheckWarn, "nobody is told when a person is needed", "write alerts into the config, and try them with gondola alert test"
		return []Checkup{c}
	}
	c.Text += " (not tried; gondola alert test does)"
	return []Checkup{c}
}
