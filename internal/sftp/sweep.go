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
func (r *Remote) Sweep(ctx context.Context, folder string) error {
	doing := fmt.Sprintf("sweep folder %q", folder)
	leave, err := r.enter(ctx, doing)
	if err != nil {
		return err
	}
	defer leave()
	var here, home error
	r.side(func() { here = r.sweepFolder(ctx, folder, doing) }, func() {
		if r.Passport().Has(outbox.RenameAcross) && path.Clean(folder) != "." {
			infos, err := r.ftp.ReadDirContext(ctx, ".")
			home = r.sweep(ctx, ".", doing, infos, err)
		}
	})
	return errors.Join(here, home)
}

// sweepFolder clears a folder. It is listed by the name that the config has for it, while its spelling is looked up.
func (r *Remote) sweepFolder(ctx context.Context, folder, doing string) error {
	var at string
	var err, lerr error
	var infos []fs.FileInfo
	guess := path.Clean(folder)
	r.side(func() { at, err = r.folder(folder, false) }, func() { infos, lerr = r.ftp.ReadDirContext(ctx, guess) })
	if err != nil || at == "" {
		return err
	}
	if at != guess {
		infos, lerr = r.ftp.ReadDirContext(ctx, at)
	}
	return r.sweep(ctx, at, doing, infos, lerr)
}

// sweep clears one folder of which there is a listing.
func (r *Remote) sweep(ctx context.Context, at, doing string, infos []fs.FileInfo, err error) error {
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return r.fail(doing, err)
	}
	names, files := make(map[string]bool, len(infos)), make(map[string]lying)
	for _, info := range infos {
		names[info.Name()] = true
		if info.Mode().IsRegular() && strings.HasSuffix(info.Name(), ".csv") {
			files[path.Join(at, info.Name())] = lyingOf(info)
		}
	}
	r.mu.Lock()
	r.swept[at] = files
	r.mu.Unlock()
	var errs []error
	for _, info := range infos {
		name := info.Name()
		final, suffix, ok := leftover(name)
		if !ok || probing(name, r.Passport().Probing, r.c.Now()) {
			continue
		}
		if ctx.Err() != nil {
			return r.fail(doing, ctx.Err())
		}
		if suffix == suffixAside && !names[final] {
			r.remember(path.Join(at, final), path.Join(at, name))
			continue
		}
		if err := r.sweepOne(path.Join(at, final), path.Join(at, name)); err != nil {
			errs = append(errs, r.fail(fmt.Sprintf("remove leftover %q", path.Join(at, name)), err))
		}
	}
	return errors.Join(errs...)
}

// sweptAt returns what a sweep saw under a name, where the folder was swept over this connection. It tells of each name once: after
// that it may be otherwise.
func (r *Remote) sweptAt(folder, file string) (lying, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	files, ok := r.swept[folder]
	if !ok {
		return lying{}, false
	}
	l, there := files[file]
	files[file] = lying{}
	if there && !l.told {
		return lying{}, false
	}
	l.told = true
	return l, true
}

// sweepOne removes a leftover of a final name, unless that name is being replaced right now, or the file is on its way to a name in
// another folder: then the leftover may not be one.
func (r *Remote) sweepOne(final, file string) error {
	for _, name := range []string{final, file} {
		release, _ := r.tryClaim(name)
		if release == nil {
			return nil
		}
		defer release()
	}
	if err := r.ftp.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
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
