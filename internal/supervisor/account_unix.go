//go:build !windows

package supervisor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"gondola/internal/durable"
)

// account is the user that the service runs as.
type account struct {
	name     string
	uid, gid int
	groups   []int // with gid
}

func accountOf(u *user.User) (account, error) {
	a := account{name: u.Username}
	var err error
	if a.uid, err = strconv.Atoi(u.Uid); err != nil {
		return a, fmt.Errorf("read number of user %q: %w", u.Username, err)
	}
	if a.gid, err = strconv.Atoi(u.Gid); err != nil {
		return a, fmt.Errorf("read group of user %q: %w", u.Username, err)
	}
	ids, err := u.GroupIds()
	if err != nil {
		return a, fmt.Errorf("read groups of user %q: %w", u.Username, err)
	}
	for _, id := range append(ids, u.Gid) {
		if n, err := strconv.Atoi(id); err == nil && !slices.Contains(a.groups, n) {
			a.groups = append(a.groups, n)
		}
	}
	return a, nil
}

// sharedMode is of a folder that store staff and the service use: who is in the service's group puts files there, and what is put there
// stays the group's.
const sharedMode = 0o775 | fs.ModeSetgid

// handOver gives the user what it needs of the service's folders and files. The state is its own: all of it is handed over, because
// somebody may have run gondola as root before. A shared folder is handed over when nobody has it but root. The notes are what it can't do.
func (a account) handOver(s Service) (notes []string, err error) {
	if err := durable.MkdirAll(s.State); err != nil {
		return nil, fmt.Errorf("make state folder: %w", err)
	}
	err = filepath.WalkDir(s.State, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, a.uid, a.gid)
	})
	if err != nil {
		return nil, fmt.Errorf("hand the state folder over to %s: %w", a.name, err)
	}
	for _, folder := range s.Shared {
		notes = append(notes, a.share(folder)...)
	}
	for _, file := range append([]string{s.Config, s.Program}, s.Secret...) {
		notes = append(notes, a.reads(file)...)
	}
	for _, path := range append([]string{s.State}, s.Shared...) {
		notes = append(notes, a.enters(filepath.Dir(path))...)
	}
	slices.Sort(notes)
	return slices.Compact(notes), nil
}

// share hands a folder over that is root's, and says what to do about one that the user can't write to.
func (a account) share(folder string) []string {
	info, err := os.Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []string{fmt.Sprintf("There is no folder %s yet: make it, or mount its share, and install once more.", folder)}
	case err != nil:
		return []string{fmt.Sprintf("The folder %s can't be looked at (%v).", folder, err)}
	case a.may(info, 0o7):
		return nil
	case ownerOf(info) != 0:
		return []string{fmt.Sprintf("%s can't write to %s, which somebody else owns. Let it: setfacl -m u:%s:rwx %s", a.name, folder, a.name, folder)}
	}
	err = errors.Join(a.takeRoots(folder), os.Chmod(folder, sharedMode))
	if err != nil {
		// A share decides by itself who its files belong to.
		return []string{fmt.Sprintf("%s can't be handed over to %s (%v). Where it is a share, mount it with uid=%s.", folder, a.name, err, a.name)}
	}
	return []string{fmt.Sprintf("%s is now the group %s's: whoever puts files there must be in it, or come through a share that writes "+
		"as it.", folder, a.name)}
}

// takeRoots hands over what is root's below a folder: what gondola made there when it ran as root. What others put there stays theirs. A file
// with a second name stays, too: somebody may have given it that name to be handed it.
func (a account) takeRoots(folder string) error {
	return filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		sys, ok := info.Sys().(*syscall.Stat_t)
		switch {
		case !ok, sys.Uid != 0 && e.IsDir():
			return fs.SkipDir
		case sys.Uid != 0, !e.IsDir() && sys.Nlink > 1:
			return nil
		}
		return os.Lchown(path, a.uid, a.gid)
	})
}

// reads says what to do about a file that the user can't read. Files that are not there yet are found by gondola check.
func (a account) reads(file string) []string {
	if file == "" {
		return nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil
	}
	notes := a.enters(filepath.Dir(file))
	if !a.may(info, 0o4) {
		notes = append(notes, fmt.Sprintf("%s can't read %s. Let it: chown %s %s", a.name, file, a.name, file))
	}
	return notes
}

// enters says what to do about a folder on the way that the user can't go through.
func (a account) enters(folder string) []string {
	for {
		if info, err := os.Stat(folder); err == nil && !a.may(info, 0o1) {
			return []string{fmt.Sprintf("%s can't enter %s. Let it (chmod o+x %s), or move what lies below to /srv or /etc.", a.name, folder, folder)}
		}
		if folder == filepath.Dir(folder) {
			return nil
		}
		folder = filepath.Dir(folder)
	}
}

// may reports whether the mode of a file gives the user the rights, bits of 7. Access lists are not looked at: with one of them a note
// too many is made.
func (a account) may(info fs.FileInfo, rights fs.FileMode) bool {
	mode := info.Mode().Perm()
	sys, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case a.uid == 0:
		return true
	case ok && int(sys.Uid) == a.uid:
		mode >>= 6
	case ok && slices.Contains(a.groups, int(sys.Gid)):
		mode >>= 3
	}
	return mode&rights == rights
}

// ownerOf returns the number of the user that a file belongs to.
func ownerOf(info fs.FileInfo) int {
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(sys.Uid)
	}
	return -1
}
