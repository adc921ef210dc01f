package sftp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"gondola/internal/outbox"
)

// Suffixes of the names that are ours besides the final ones. Where a name may begin with a dot it is .<final>.<delivery id><suffix>;
// where it may not, <final>.<delivery id>.gondola<suffix>: the mark stands for the dot, since anybody may have an x.csv.1.tmp.
const (
	suffixTemp  = ".tmp"
	suffixAside = ".old"
	mark        = ".gondola"
)

// nameOf returns a name of ours for a final one.
func nameOf(final string, id int64, suffix string, dot bool) string {
	stem := final + "." + strconv.FormatInt(id, 10)
	if dot {
		return "." + stem + suffix
	}
	return stem + mark + suffix
}

// leftover takes a name of ours apart, where all our final names end in .csv.
func leftover(name string) (final, suffix string, ok bool) {
	suffix = path.Ext(name)
	if suffix != suffixTemp && suffix != suffixAside {
		return "", "", false
	}
	rest := strings.TrimSuffix(name, suffix)
	hidden, dot := strings.CutPrefix(rest, ".")
	if dot {
		rest = hidden
	} else if rest, ok = strings.CutSuffix(rest, mark); !ok {
		return "", "", false
	}
	i := strings.LastIndexByte(rest, '.')
	if i <= 0 {
		return "", "", false
	}
	final, id := rest[:i], rest[i+1:]
	if n, err := strconv.ParseInt(id, 10, 64); err != nil || strconv.FormatInt(n, 10) != id {
		return "", "", false
	}
	return final, suffix, strings.HasSuffix(final, ".csv") && len(final) > len(".csv")
}

// Sweep implements [outbox.Remote]. It removes temporary files, in the folder and, where they are put there, in the home folder, and
// files that were moved aside and whose name is taken again. An aside file whose final name is free is the last that the platform has
// of that shelf: it stays until a replace of that name succeeds over this connection. Files of replaces and probes under way are left
// alone, as is everything not named by us. Where nothing can be listed there is nothing to sweep by.
//
// The folder and the names that something is about to be put under are looked at first, all at once; the rest lists and removes. The
// home folder is cleared with one of the folders that were looked for before.
func (r *Remote) Sweep(ctx context.Context, folder string, names []string) (rest func(ctx context.Context) error, err error) {
	doing := fmt.Sprintf("sweep folder %q", folder)
	leave, err := r.enter(ctx, doing)
	if err != nil {
		return nil, err
	}
	defer leave()
	r.homeDue.Store(true)
	var at string
	r.side(func() { at, err = r.folder(folder, false) }, func() { r.lookAhead(path.Clean(folder), names) })
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		leave, err := r.enter(ctx, doing)
		if err != nil {
			return err
		}
		defer leave()
		var here, home error
		r.side(func() {
			if at != "" {
				here = r.sweep(ctx, at, doing)
			}
		}, func() {
			if at != "." && r.Passport().Has(outbox.RenameAcross) && r.homeDue.Swap(false) {
				home = r.sweep(ctx, ".", doing)
			}
		})
		return errors.Join(here, home)
	}, nil
}

// sweep clears one folder. Its listing is one more open file.
func (r *Remote) sweep(ctx context.Context, at, doing string) error {
	one, err := r.files.take(ctx, 1)
	if err != nil {
		return r.fail(doing, err)
	}
	infos, err := r.ftp.ReadDirContext(ctx, at)
	r.files.give(one)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return r.fail(doing, err)
	}
	r.noteListed(at, infos)
	names := namesOf(infos)
	remove := make(map[string][]leaving)
	for _, info := range infos {
		final, suffix, ok := leftover(info.Name())
		if !ok || probing(info.Name(), r.Passport().Probing, r.c.Now()) {
			continue
		}
		name, last := path.Join(at, info.Name()), suffix == suffixAside
		_, taken := slices.BinarySearch(names, final)
		if final = path.Join(at, final); last && !taken {
			r.remember(final, name)
			continue
		}
		remove[final] = append(remove[final], leaving{final, name, last})
	}
	all := make([][]leaving, 0, len(remove))
	for _, final := range slices.Sorted(maps.Keys(remove)) { // one at a time they go in the same order each time
		all = append(all, remove[final])
	}
	return r.removeAll(ctx, doing, all)
}

// leaving is a leftover that is to be removed.
type leaving struct {
	final, name string
	last        bool // it may be the last that the platform has of its final name
}

// removesAhead is how many leftovers are removed at once: a connection that broke leaves as many as were on their way.
const removesAhead = 64

// removeAll removes leftovers, those of a final name one after the other.
func (r *Remote) removeAll(ctx context.Context, doing string, all [][]leaving) error {
	ahead := removesAhead
	if r.c.Parallel == 1 {
		ahead = 1
	}
	errs := make([]error, min(ahead, len(all))) // one a worker, so that they share nothing
	var next atomic.Int64
	var wait sync.WaitGroup
	for i := range errs {
		wait.Go(func() {
			for n := next.Add(1); n <= int64(len(all)); n = next.Add(1) {
				for _, l := range all[n-1] {
					if ctx.Err() != nil {
						errs[i] = r.fail(doing, ctx.Err())
						return
					}
					if err := r.sweepOne(l); err != nil {
						errs[i] = errors.Join(errs[i], r.fail(fmt.Sprintf("remove leftover %q", l.name), err))
					}
					if r.lost() != nil {
						return
					}
				}
			}
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

// lookAhead looks at names before their turn, as many as may begin at once. Those that can't be looked at are looked at again: to find
// them in a listing, as standing does, would be a listing for each, and the sweep makes one of all.
func (r *Remote) lookAhead(folder string, names []string) {
	if r.c.Parallel == 1 {
		return
	}
	if most, _ := r.files.state(); most > 0 {
		names = names[:min(int64(len(names)), lanes(most))]
	}
	var wait sync.WaitGroup
	for _, name := range names {
		wait.Go(func() {
			file := path.Join(folder, name)
			l := lying{told: true}
			info, err := r.ftp.Stat(file)
			switch {
			case err == nil && !info.IsDir():
				l = lyingOf(info)
			case !errors.Is(err, fs.ErrNotExist):
				return
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			r.saw[file] = l
		})
	}
	wait.Wait()
}

// noteListed notes what a listing says about names whose turn has not come.
func (r *Remote) noteListed(folder string, infos []fs.FileInfo) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listed[folder] = true
	for _, info := range infos {
		file := path.Join(folder, info.Name())
		if l, known := r.saw[file]; info.Mode().IsRegular() && strings.HasSuffix(file, ".csv") && (!known || l.told) {
			r.saw[file] = lyingOf(info)
		}
	}
}

// sawAt returns what a sweep saw under a name, where it looked over this connection. It tells of each name once: after that it may be
// otherwise.
func (r *Remote) sawAt(folder, file string) (lying, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l, known := r.saw[file]
	if !known && r.listed[folder] {
		l = lying{told: true}
	}
	r.saw[file] = lying{}
	return l, l.told
}

// sweepOne removes a leftover of a final name, unless that name is being replaced right now, or the file is on its way to a name in
// another folder: then the leftover may not be one. One that may be the last that the platform has stays unless the final name is taken
// still: a replace may have failed since the folder was listed.
func (r *Remote) sweepOne(l leaving) error {
	for _, name := range []string{l.final, l.name} {
		release, _ := r.tryClaim(name)
		if release == nil {
			return nil
		}
		defer release()
	}
	if l.last {
		now, err := r.standing(l.final)
		if err != nil {
			return err
		}
		if !now.Exists {
			r.remember(l.final, l.name)
			return nil
		}
	}
	if err := r.ftp.Remove(l.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// remember notes an aside file that is to be removed once its final name has a new file.
func (r *Remote) remember(final, aside string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.asides[final], aside) {
		r.asides[final] = append(r.asides[final], aside)
	}
}

// dropAsides removes the old files that the new one made obsolete. One that can't be removed is the next sweep's.
func (p *replacement) dropAsides() {
	p.r.mu.Lock()
	asides := p.r.asides[p.final]
	delete(p.r.asides, p.final)
	p.r.mu.Unlock()
	if p.d.Attempts > 0 && !slices.Contains(asides, p.aside) && !p.r.Passport().Has(outbox.List) {
		asides = append(asides, p.aside) // where no sweep can find it, an earlier attempt's is looked for by its name
	}
	for _, aside := range asides {
		if err := p.r.ftp.Remove(aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
			p.r.c.Log.Debug("remove old file", "file", aside, "err", err)
		}
	}
}
