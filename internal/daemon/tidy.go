package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gondola/internal/durable"
)

// tidy removes what is older than its retention: archived exports, and files of shelves and documents that nothing points to any
// more. What wanted, sent, an open plan or an unsettled delivery stands on is never touched, nor is the export behind a current
// layer: a changed mapping reads it again.
func (h *House) tidy(ctx context.Context) error {
	now := h.now()
	err := h.tidyArchive(ctx, now.Add(-time.Duration(h.cfg.Retention.Drops)))
	err = errors.Join(err, h.store.ForgetEntries(ctx, now.Add(-time.Duration(h.cfg.Retention.Ledger)), now))
	// The row of an event stays as long again without its body: who sends it once more sends nothing new.
	keep := time.Duration(h.cfg.Retention.Orders)
	events, eventsErr := h.store.ForgetEvents(ctx, now.Add(-keep), now.Add(-2*keep))
	err = errors.Join(err, eventsErr, h.store.ForgetGaps(ctx, now.Add(-keep)), h.tidyOrders(ctx, now.Add(-keep), events > 0))
	h.uploads.forgetOld(now)
	err = errors.Join(err, h.store.ForgetPuts(ctx, now.Add(-time.Duration(h.cfg.Retention.Drops))))
	before := now.Add(-time.Duration(h.cfg.Retention.Layers))
	if forgetErr := h.store.Forget(ctx, before); forgetErr != nil {
		return errors.Join(err, forgetErr)
	}
	shelves, documents, keepErr := h.store.Referenced(ctx)
	if keepErr != nil {
		return errors.Join(err, keepErr)
	}
	return errors.Join(err,
		sweepUnreferenced(filepath.Join(h.cfg.State.Dir, shelfDir), shelves, before),
		sweepUnreferenced(filepath.Join(h.cfg.State.Dir, documentDir), documents, before))
}

// tidyArchive removes archived exports that were taken before a time.
func (h *House) tidyArchive(ctx context.Context, before time.Time) error {
	drops, err := h.store.Purgeable(ctx, before)
	if err != nil {
		return err
	}
	for _, d := range drops {
		if err := durable.Remove(d.Archived); err != nil {
			return fmt.Errorf("remove archived export of drop %d: %w", d.Seq, err)
		}
		// The day's folder goes with its last export; one that is not empty stays.
		_ = os.Remove(filepath.Dir(d.Archived))
		if err := h.store.Purged(ctx, d.Seq); err != nil {
			return err
		}
	}
	return nil
}

// sweepUnreferenced removes files older than a time whose name, a digest, is not in keep. The age keeps a file safe that was just
// written and is not in a row yet.
func sweepUnreferenced(dir string, keep map[string]bool, before time.Time) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name := e.Name()
		if keep[strings.TrimSuffix(name, filepath.Ext(name))] {
			return nil
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.ModTime().After(before) {
			return nil
		}
		if err != nil {
			return err
		}
		return durable.Remove(path)
	})
}
