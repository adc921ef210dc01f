package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gondola/internal/drop"
	"gondola/internal/durable"
	"gondola/internal/store"
	"gondola/internal/web"
)

// What a file is called in a drop folder before it has its own name: no watch looks at it.
const (
	stagedPrefix = ".gondola-put-"
	stagedSuffix = ".tmp"
)

// maxNumbered is how many numbers are tried behind a name that is taken.
const maxNumbered = 99

// Send implements web.Drops. The row that says whose the file is comes before its name in the folder: from then on it may be taken at any
// moment. A process that ends in between leaves a row that the next one removes.
func (p *dropPage) Send(ctx context.Context, token, who string) (string, error) {
	u, done, err := p.uploads.use(token)
	if err != nil {
		return "", err
	}
	defer done()
	u.sending.Lock() // who clicks twice gets the same answer
	defer u.sending.Unlock()
	p.uploads.mu.Lock()
	put, feed, reads := u.put, u.feed, u.reads
	p.uploads.mu.Unlock()
	if put != "" {
		return put, nil
	}
	f, ok := p.feed(feed)
	if !ok || f.fingerprint != reads {
		return "", web.ErrUnknown // nobody has seen what it would be, or not by the config of now
	}
	// Once begun it is ended, whether or not somebody waits for it.
	id, err := p.put(context.WithoutCancel(ctx), u, f, who)
	if err != nil {
		return "", err
	}
	p.uploads.sent(u, id)
	p.log.Info("file put into drop folder", "feed", f.Name, "name", u.name, "who", who)
	for _, w := range p.watchers {
		if w.folder == f.Drop {
			w.Wake()
		}
	}
	return id, nil
}

// put copies a received file into a drop folder and gives it its name there.
func (p *dropPage) put(ctx context.Context, u *upload, f feedSetup, who string) (string, error) {
	staged := filepath.Join(f.Drop, stagedPrefix+u.token+stagedSuffix)
	_, sum, err := durable.CopyFile(staged, u.path())
	if err != nil {
		return "", p.putError(f, err)
	}
	defer func() { _ = os.Remove(staged) }() // where it has got its name, nothing lies there
	if sum != u.sha256 {
		return "", fmt.Errorf("what was received as %q has changed on the disk: %w", u.name, web.ErrUnknown)
	}
	// As old as it was where it came from: an older export is asked about, wherever it came by.
	if err := os.Chtimes(staged, u.modified, u.modified); err != nil {
		return "", p.putError(f, err)
	}
	for n := 1; n <= maxNumbered; n++ {
		name := numberedName(u.name, n)
		if _, err := os.Lstat(filepath.Join(f.Drop, name)); err == nil || !p.same(f, u.name, name) {
			continue
		}
		put := store.Put{ID: newToken(), Feed: f.Name, Name: name, SHA256: sum, Who: who, At: p.now()}
		if err := p.store.AddPut(ctx, put); err != nil {
			return "", err
		}
		err := durable.Publish(staged, filepath.Join(f.Drop, name))
		if err == nil {
			return put.ID, nil
		}
		if removeErr := p.store.RemovePut(ctx, put.ID); removeErr != nil {
			return "", errors.Join(p.putError(f, err), removeErr)
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", p.putError(f, err)
		}
	}
	return "", web.ErrLies
}

// putError tells what a reader can do about trouble with a drop folder. What an admin can do is in the log.
func (p *dropPage) putError(f feedSetup, err error) error {
	p.log.Warn("file can't be put into drop folder", "feed", f.Name, "folder", f.Drop, "error", err)
	if err := spaceError(err); errors.Is(err, web.ErrFull) {
		return err
	}
	return errors.Join(web.ErrFolder, err)
}

// numberedName returns a name with a number behind it, as Windows has it: precios (2).csv. The first is the name itself.
func numberedName(name string, n int) string {
	if n == 1 {
		return name
	}
	ext := filepath.Ext(name)
	return strings.TrimSuffix(name, ext) + " (" + strconv.Itoa(n) + ")" + ext
}

// same reports whether a file means the same under another name: the same feed takes it, and it tells the same store.
func (p *dropPage) same(f feedSetup, name, other string) bool {
	if fit, ok := fitName(other); !ok || fit != other {
		return false
	}
	if !slices.ContainsFunc(p.takers(other), func(t feedSetup) bool { return t.Name == f.Name }) {
		return false
	}
	pattern := f.spec.Source.FileName
	return pattern == nil || storeIn(pattern, name) == storeIn(pattern, other)
}

// storeIn returns what a file's name says of its store.
func storeIn(pattern *regexp.Regexp, name string) string {
	match := pattern.FindStringSubmatch(name)
	for i, group := range pattern.SubexpNames() {
		if group != "" && match != nil {
			return group + "=" + match[i]
		}
	}
	return ""
}

// takers returns the feeds that take a file of a name, in the order of the config: of those that share a folder, one.
func (p *dropPage) takers(name string) []feedSetup {
	folders := map[string]taker{}
	for _, f := range p.feeds {
		t := folders[f.Drop]
		t.House, t.feeds = p.House, append(t.feeds, f)
		folders[f.Drop] = t
	}
	var all []feedSetup
	for _, f := range p.feeds {
		t := folders[f.Drop]
		// An approval is a file, too, and not everybody who may drop may approve.
		if !drop.Takes(withCorrections(f.Match), name) || p.isApproval(name) || t.isNobodys(name) {
			continue
		}
		if t.feedOf(name).Name == f.Name {
			all = append(all, f)
		}
	}
	return all
}

// patterns lists the names that feeds take.
func (p *dropPage) patterns() []string {
	var all []string
	for _, f := range p.feeds {
		for _, m := range f.Match {
			if !slices.Contains(all, m) {
				all = append(all, m)
			}
		}
	}
	if len(all) == 0 {
		all = []string{"*.xlsx", "*.csv"}
	}
	return all
}
