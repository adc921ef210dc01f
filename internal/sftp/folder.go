package sftp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"gondola/internal/outbox"
)

// folder returns the configured folder as it is spelled on the server: Catalog and catalog are the same to people and to the
// platform's documents, and two names to the server. A folder that is not there is made, or "" is returned when make is false.
//
// The spelling is looked up once per connection: as it is configured first, which is one question, then in the listings of what it lies
// in. A server that does not let us list is taken at the configured word. A thousand folders are asked for at once, and listed and made
// one after another.
func (r *Remote) folder(configured string, create bool) (string, error) {
	if f, ok := r.resolved(configured); ok {
		return f, nil
	}
	clean := path.Clean(configured)
	info, err := r.ftp.Stat(clean)
	if r.isGone(err) {
		return "", r.fail(fmt.Sprintf("look for folder %q", clean), err)
	}
	r.resolve.Lock()
	defer r.resolve.Unlock()
	if f, ok := r.folders[configured]; ok {
		return f, nil // by somebody else meanwhile
	}
	if err == nil && info.IsDir() {
		r.folders[configured] = clean
		return clean, nil
	}
	at := "."
	if path.IsAbs(clean) {
		at = "/"
	}
	sure := true
	for part := range strings.SplitSeq(strings.Trim(clean, "/"), "/") {
		if part == "." || part == "" {
			continue
		}
		next, seen, err := r.step(at, part, create)
		if next == "" || err != nil {
			return "", err
		}
		at, sure = next, sure && seen
	}
	if sure {
		r.folders[configured] = at
	}
	return at, nil
}

// resolved returns how a folder is spelled that was looked up before.
func (r *Remote) resolved(configured string) (string, bool) {
	r.resolve.Lock()
	defer r.resolve.Unlock()
	f, ok := r.folders[configured]
	return f, ok
}

// step returns the folder that part means in parent, and whether it is known to be there.
func (r *Remote) step(parent, part string, create bool) (folder string, seen bool, err error) {
	wanted := path.Join(parent, part)
	infos, err := r.list(parent)
	if err != nil && r.isGone(err) {
		return "", false, r.fail(fmt.Sprintf("list folder %q", parent), err)
	}
	if name := match(namesOf(infos), part); name != "" {
		return path.Join(parent, name), true, nil
	}
	if !create {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return wanted, false, nil // a call that writes will make it
		}
		return "", false, nil
	}
	if merr := r.ftp.Mkdir(wanted); merr != nil {
		// Version 3 has no code for "exists already", so what counts is whether it is there. Where that can't be seen either, the
		// upload will tell.
		info, serr := r.ftp.Stat(wanted)
		switch {
		case r.isGone(merr) || r.isGone(serr):
			return "", false, r.fail(fmt.Sprintf("make folder %q", wanted), merr)
		case serr == nil && info.IsDir():
		case err == nil || errors.Is(serr, fs.ErrNotExist):
			return "", false, r.fail(fmt.Sprintf("make folder %q", wanted), merr)
		}
	}
	return wanted, true, nil
}

// list returns what is in a folder, from the first time it was listed.
func (r *Remote) list(folder string) ([]fs.FileInfo, error) {
	if infos, ok := r.listings[folder]; ok {
		return infos, nil
	}
	infos, err := r.ftp.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	r.listings[folder] = infos
	return infos, nil
}

func namesOf(infos []fs.FileInfo) []string {
	names := make([]string, 0, len(infos))
	for _, info := range infos {
		names = append(names, info.Name())
	}
	slices.Sort(names)
	return names
}

// match finds name as spelled: exactly, else without regard to case, else "".
func match(names []string, name string) string {
	if slices.Contains(names, name) {
		return name
	}
	if i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, name) }); i >= 0 {
		return names[i]
	}
	return ""
}

// forget makes the next call look the folder up again: it was not where it had been.
func (r *Remote) forget(configured string) {
	r.resolve.Lock()
	defer r.resolve.Unlock()
	delete(r.folders, configured)
	clear(r.listings)
}

// lying is what lies under a remote name. Where the server does not tell, told is false.
type lying struct {
	outbox.Seen
	told bool
	at   time.Time // when it was written, by the server's clock
}

func lyingOf(info fs.FileInfo) lying {
	return lying{Seen: outbox.Seen{Exists: true, Size: info.Size()}, told: true, at: info.ModTime()}
}

// standing finds out what lies under a name: by stat, and where that is refused, from the folder's listing.
func (r *Remote) standing(file string) (lying, error) {
	info, err := r.ftp.Stat(file)
	switch {
	case err == nil && info.IsDir():
		return lying{}, &outbox.Failure{
			Class: outbox.Foreign,
			Err:   fmt.Errorf("look at %q: it is a folder, not a file: ask the platform to remove it", file),
		}
	case err == nil:
		return lyingOf(info), nil
	case errors.Is(err, fs.ErrNotExist):
		return lying{told: true}, nil
	case r.isGone(err):
		return lying{}, r.fail(fmt.Sprintf("look at %q", file), err)
	}
	infos, lerr := r.ftp.ReadDir(path.Dir(file))
	if lerr != nil {
		if r.isGone(lerr) {
			return lying{}, r.fail(fmt.Sprintf("look at %q", file), lerr)
		}
		return lying{}, nil
	}
	for _, info := range infos {
		if info.Name() == path.Base(file) {
			return lyingOf(info), nil
		}
	}
	return lying{told: true}, nil
}

// Look implements [outbox.Remote].
func (r *Remote) Look(ctx context.Context, folder, name string) (outbox.Seen, error) {
	doing := fmt.Sprintf("look at %q", path.Join(folder, name))
	leave, err := r.enter(ctx, doing)
	if err != nil {
		return outbox.Seen{}, err
	}
	defer leave()
	at, err := r.folder(folder, false)
	if err != nil || at == "" {
		return outbox.Seen{}, err
	}
	l, err := r.standing(path.Join(at, name))
	if err != nil {
		return outbox.Seen{}, err
	}
	if !l.told {
		return outbox.Seen{}, &outbox.Failure{
			Class: outbox.Permission,
			Err:   fmt.Errorf("%s: %w: ask the platform to let user %q list the folder", doing, os.ErrPermission, r.c.User),
		}
	}
	return l.Seen, nil
}

// HasFolder reports whether a folder is there, in whatever spelling. It makes nothing. A server that does not let us list is believed to
// have it.
func (r *Remote) HasFolder(ctx context.Context, folder string) (bool, error) {
	leave, err := r.enter(ctx, fmt.Sprintf("look for folder %q", folder))
	if err != nil {
		return false, err
	}
	defer leave()
	at, err := r.folder(folder, false)
	return at != "", err
}
