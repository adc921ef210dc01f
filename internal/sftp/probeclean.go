package sftp

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"gondola/internal/outbox"
)

// cleanUp removes everything that may be there. What the server won't remove is named.
func (pr *prober) cleanUp() error {
	names := make([]string, 0, len(pr.made))
	for name := range pr.made {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := pr.r.ftp.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			if pr.r.isGone(err) {
				return err
			}
			pr.left = append(pr.left, name)
		}
	}
	if err := pr.clearOld(); err != nil {
		return err
	}
	for _, dir := range pr.dirs {
		if err := pr.r.ftp.RemoveDirectory(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			if pr.r.isGone(err) {
				return err
			}
			pr.left = append(pr.left, dir)
		}
	}
	if len(pr.left) > 0 && (pr.is(outbox.List) || pr.is(outbox.Stat)) {
		// A refused rename may have left nothing behind to be removed.
		pr.left = slices.DeleteFunc(pr.left, func(name string) bool {
			_, err := pr.r.ftp.Stat(name)
			return errors.Is(err, fs.ErrNotExist)
		})
	}
	return nil
}

// clearOld removes what earlier probes left that were cut in the middle, as far as it can be found. Where nothing is listed the names of
// the last one that died are tried.
func (pr *prober) clearOld() error {
	if !pr.is(outbox.List) {
		return pr.clearDead()
	}
	for _, dir := range append([]string{"."}, pr.dirs...) {
		infos, err := pr.r.ftp.ReadDir(dir)
		if err != nil && pr.r.isGone(err) {
			return err
		}
		for _, info := range infos {
			file := path.Join(dir, info.Name())
			final, _, ok := leftover(info.Name())
			if !ok || final != probeFinal || slices.Contains(pr.left, file) || probing(info.Name(), pr.dead, pr.r.c.Now()) {
				continue
			}
			if err := pr.r.ftp.Remove(file); err != nil && pr.r.isGone(err) {
				return err
			}
		}
	}
	return nil
}

// clearDead removes whatever a probe that died may have written.
func (pr *prober) clearDead() error {
	if pr.dead == 0 {
		return nil
	}
	for n := range int64(lastName + 1) {
		for _, dot := range []bool{true, false} {
			files := []string{nameOf(probeFinal, pr.dead+n, suffixTemp, dot)}
			if n == acrossName {
				files = append(files, path.Join(probeFolder, files[0]))
			}
			for _, file := range files {
				if err := pr.r.ftp.Remove(file); err != nil && pr.r.isGone(err) {
					return err
				}
			}
		}
	}
	return nil
}

// probing reports whether a name is one of a probe that may be under way; the one numbered dead is not.
func probing(name string, dead int64, now time.Time) bool {
	final, _, ok := leftover(name)
	if !ok || final != probeFinal {
		return false
	}
	_, rest, _ := strings.Cut(name, probeFinal+".")
	digits, _, _ := strings.Cut(rest, ".")
	n, err := strconv.ParseInt(digits, 10, 64)
	return err == nil && n/perProbe*perProbe != dead && now.Sub(time.UnixMilli(n/perProbe)).Abs() < probeTime
}
