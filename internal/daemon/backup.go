package daemon

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/durable"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

// BackedUp is a backup that was made.
type BackedUp struct {
	Path    string    `json:"path"`
	At      time.Time `json:"at"`
	Files   int       `json:"files"`             // beside the database
	Bytes   int64     `json:"bytes"`             // of them
	Missing []string  `json:"missing,omitempty"` // what the state points to and is not there, or damaged
}

// archiveSuffixes are the endings of a backup that is one file.
var archiveSuffixes = []string{".tar.gz", ".tgz"}

// Backup copies the state to path: the database as it is at one moment, and every file that it points to. It works while the daemon
// does. A path that ends in .tar.gz becomes one file, any other one a folder, which must not be there yet, or be empty.
func (h *House) Backup(ctx context.Context, path string) (_ BackedUp, err error) {
	b := BackedUp{Path: path, At: h.now()}
	if err := h.freeForBackup(path); err != nil {
		return b, err
	}
	parent := filepath.Dir(filepath.Clean(path))
	if err := durable.MkdirAll(parent); err != nil {
		return b, fmt.Errorf("back up to %s: %w", path, err)
	}
	// It gets its name when it is whole: half a backup must not be taken for one.
	temp, err := os.MkdirTemp(parent, ".gondola-backup-*")
	if err != nil {
		return b, fmt.Errorf("back up to %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	h.step("copying the database", 0, 0)
	contents, err := h.store.Backup(ctx, temp, store.Mark{At: b.At})
	if err != nil {
		return b, fmt.Errorf("back up: %w", err)
	}
	if err := h.copyContents(ctx, temp, contents, &b); err != nil {
		return b, fmt.Errorf("back up to %s: %w", path, err)
	}
	if isArchive(path) {
		h.step("packing", 0, 0)
		err = durable.WriteFile(path, 0o600, func(w io.Writer) error { return pack(w, temp) })
	} else if err = removeEmpty(path); err == nil {
		if err = os.Rename(temp, path); err == nil {
			err = durable.SyncDir(parent)
		}
	}
	if err != nil {
		return b, fmt.Errorf("back up to %s: %w", path, err)
	}
	return b, nil
}

func isArchive(path string) bool {
	for _, suffix := range archiveSuffixes {
		if strings.HasSuffix(strings.ToLower(path), suffix) {
			return true
		}
	}
	return false
}

// ErrBackupPath says that a backup can't be where it was asked for.
var ErrBackupPath = errors.New("no place for a backup")

// freeForBackup says why a backup can't be made at path.
func (h *House) freeForBackup(path string) error {
	state, err := filepath.Abs(h.cfg.State.Dir)
	if err != nil {
		return err
	}
	whole, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if rel, err := filepath.Rel(state, whole); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return fmt.Errorf("%w: %s lies in the state folder itself; put it on another disk", ErrBackupPath, path)
	}
	entries, err := os.ReadDir(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case isArchive(path) && err != nil, isArchive(path):
		return fmt.Errorf("%w: %s is there already; give another name", ErrBackupPath, path)
	case err != nil:
		return fmt.Errorf("%w: %s is not a folder (%w); give another name", ErrBackupPath, path, err)
	case len(entries) > 0:
		return fmt.Errorf("%w: %s is not empty; give another name", ErrBackupPath, path)
	}
	return nil
}

// removeEmpty removes an empty folder, so that another one can take its name.
func removeEmpty(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// copyContents copies what a copy of the database points to below dir.
func (h *House) copyContents(ctx context.Context, dir string, c store.Contents, b *BackedUp) error {
	total := len(c.Records) + len(c.Documents) + len(c.Exports)
	one := func(from, below, digest string) error {
		if ctx.Err() != nil {
			return errors.New("stopped by a signal; nothing is left of it")
		}
		h.step("copying files", b.Files+len(b.Missing), total)
		to := filepath.Join(dir, below)
		if err := durable.MkdirAll(filepath.Dir(to)); err != nil {
			return err
		}
		size, sum, err := durable.CopyFile(to, from)
		if errors.Is(err, fs.ErrNotExist) {
			b.Missing = append(b.Missing, from)
			return nil
		}
		if err != nil {
			return err
		}
		if sum != digest {
			b.Missing = append(b.Missing, from)
		}
		b.Files, b.Bytes = b.Files+1, b.Bytes+size
		return nil
	}
	for _, d := range c.Records {
		from := h.files.Path(d)
		if err := one(from, filepath.Join(shelfDir, string(d[:2]), filepath.Base(from)), string(d)); err != nil {
			return err
		}
	}
	for _, path := range c.Documents {
		digest := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		if err := one(filepath.Join(h.cfg.State.Dir, filepath.FromSlash(path)), filepath.FromSlash(path), digest); err != nil {
			return err
		}
	}
	for _, e := range c.Exports {
		if err := one(e.Path, e.Below, e.SHA256); err != nil {
			return err
		}
	}
	return nil
}

// pack writes a folder as a compressed archive, with names that begin below it.
func pack(w io.Writer, dir string) error {
	zip := gzip.NewWriter(w)
	out := tar.NewWriter(zip)
	if err := out.AddFS(os.DirFS(dir)); err != nil {
		return err
	}
	return errors.Join(out.Close(), zip.Close())
}

// takeOver makes a state that was restored from a backup fit for use: whatever the platform was sent since, it is sent everything anew.
func (h *House) takeOver(ctx context.Context) error {
	mark, err := h.store.Marked(ctx)
	if err != nil || mark == nil {
		return err
	}
	dir, err := filepath.Abs(h.cfg.State.Dir)
	if err != nil {
		return err
	}
	r := store.Restoring{Dir: dir, Targets: h.targetNames(), Doubtful: map[string]shelf.Digest{}, At: h.now()}
	for _, t := range h.targets {
		if r.Doubtful[t.String()], err = h.doubtful(ctx, t); err != nil {
			return fmt.Errorf("take over a backup: %w", err)
		}
	}
	if err := h.store.Restored(ctx, r); err != nil {
		return err
	}
	h.tell(Event{Kind: EventTrouble, Text: fmt.Sprintf("the state is a backup of %s: everything is sent anew. Promotions that were started "+
		"since are not known and run to their end; end those in the Partner Portal that should not",
		mark.At.In(h.zone).Format("2006-01-02 15:04"))})
	return nil
}

// doubtful returns the articles of a target that may have been switched off since the backup, by a feed or by hand, and that no feed would
// say anything of.
func (h *House) doubtful(ctx context.Context, t Target) (shelf.Digest, error) {
	if !t.holds(catalog.KindCatalog) {
		return "", nil
	}
	wanted, err := h.wanted(ctx, t, h.stands)
	if err != nil {
		return "", err
	}
	return h.files.Doubtful(wanted, shelf.DayOf(h.now()))
}
