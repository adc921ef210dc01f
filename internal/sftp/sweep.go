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
)

// Sweep implements [outbox.Remote]. It removes temporary files, and files that were moved aside and whose name is taken again. An
// aside file whose final name is free is the last that the platform has of that shelf: it stays until a replace of that name
// succeeds over this connection. Files of replaces under way are left alone, as is everything not named by us.
func (r *Remote) Sweep(ctx context.Context, folder string) error {
	doing := fmt.Sprintf("sweep folder %q", folder)
	leave, err := r.enter(ctx, doing)
	if err != nil {
		return err
	}
	defer leave()
	at, err := r.folder(folder, false)
	if err != nil || at == "" {
		return err
	}
	infos, err := r.ftp.ReadDirContext(ctx, at)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return r.fail(doing, err)
	}
	names := make(map[string]bool, len(infos))
	for _, info := range infos {
		names[info.Name()] = true
	}
	var errs []error
	for _, info := range infos {
		name := info.Name()
		final, suffix, ok := leftover(name)
		if !ok {
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

// sweepOne removes a leftover of a final name, unless that name is being replaced right now: then the leftover may not be one.
func (r *Remote) sweepOne(final, file string) error {
	release, _ := r.tryClaim(final)
	if release == nil {
		return nil
	}
	defer release()
	if err := r.ftp.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// leftover takes a name of ours apart: .<final>.<delivery id>.tmp or .old, where all our final names end in .csv.
func leftover(name string) (final, suffix string, ok bool) {
	rest, dot := strings.CutPrefix(name, ".")
	suffix = path.Ext(rest)
	if !dot || (suffix != suffixTemp && suffix != suffixAside) {
		return "", "", false
	}
	rest = strings.TrimSuffix(rest, suffix)
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
	for _, aside := range asides {
		if err := p.r.ftp.Remove(aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
			p.r.c.Log.Debug("remove old file", "file", aside, "err", err)
		}
	}
}
