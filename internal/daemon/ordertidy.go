package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"gondola/internal/durable"
	"gondola/internal/store"
)

// tidyOrders removes what is personal in orders that did not change since a time, wherever it is ours to remove: in the database, in files
// for the ERP that still lie where they were put, and in copies of the database from before a migration. Something else that is personal
// may have been removed from the database already.
func (h *House) tidyOrders(ctx context.Context, before time.Time, removed bool) error {
	p, err := h.store.PurgeOrders(ctx, before, h.now())
	if p.Orders > 0 {
		h.log.Info("orders purged", "orders", p.Orders, "dropped", p.Dropped)
	}
	if p.Dropped > 0 {
		h.tell(Event{Kind: EventTrouble, Text: fmt.Sprintf(
			"%d hand-overs of orders were never made and are dropped with the customers' data; see retention.orders", p.Dropped)})
	}
	return errors.Join(err, h.scrub(ctx, removed || p.Orders > 0), h.tidyOrderFiles(ctx, before), sweepCopies(h.cfg.State.Dir, before))
}

const (
	// scrubFact has when something was removed that the database is to be written anew for, or "" where that is done.
	scrubFact = "scrub due"
	// scrubSmall is the size up to which that is done at once: it takes a few seconds. A larger one is written anew once in scrubEvery.
	scrubSmall = 1 << 30
	scrubEvery = 7 * 24 * time.Hour
)

// scrub writes the database anew after something personal was removed from it, where that is not too much work.
func (h *House) scrub(ctx context.Context, removed bool) error {
	due, err := h.store.Fact(ctx, scrubFact)
	if err != nil {
		return err
	}
	if due == "" && removed {
		due = h.now().UTC().Format(time.RFC3339)
		if err := h.store.SetFact(ctx, scrubFact, due); err != nil {
			return err
		}
	}
	if due == "" {
		return nil
	}
	size, err := h.store.Size(ctx)
	if err != nil {
		return err
	}
	since, err := time.Parse(time.RFC3339, due)
	if size > scrubSmall && err == nil && h.now().Sub(since) < scrubEvery {
		return h.store.EmptyLog(ctx)
	}
	if free, err := freeSpace(h.cfg.State.Dir); err == nil && free < 2*size+int64(h.cfg.State.MinFree) {
		return fmt.Errorf("write the database anew, so that nothing is left of customers: that needs %d MB of free space on the disk of state.dir, and there are %d",
			2*size/1e6, free/1e6)
	}
	if err := h.store.Scrub(ctx); err != nil {
		return err
	}
	return h.store.SetFact(ctx, scrubFact, "")
}

// tidyOrderFiles removes old files with customers in them that the ERP left lying. One that somebody has changed is not ours any more.
func (h *House) tidyOrderFiles(ctx context.Context, before time.Time) error {
	old, err := h.store.OldOrderFiles(ctx, before)
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range old {
		errs = append(errs, h.tidyOrderFile(ctx, f))
	}
	return errors.Join(errs...)
}

func (h *House) tidyOrderFile(ctx context.Context, f store.OrderFile) error {
	path := filepath.Join(f.Dir, f.Name)
	sum, err := durable.Digest(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// Perhaps a share that comes back. One that the config does not name any more is gone for good.
		if _, err := os.Stat(f.Dir); err != nil && f.Dir == h.orders.dir {
			return fmt.Errorf("look for an old file for the ERP: %w", err)
		}
	case err != nil:
		return fmt.Errorf("look at an old file for the ERP: %w", err)
	case sum == f.SHA256:
		if err := durable.Remove(path); err != nil {
			return fmt.Errorf("remove an old file for the ERP: %w", err)
		}
		h.log.Info("old file for the ERP removed", "name", f.Name)
	}
	return h.store.OrderFileRemoved(ctx, f.ID, h.now())
}

// sweepCopies removes old copies of the database from before a migration.
func sweepCopies(dir string, before time.Time) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("look for copies of the database: %w", err)
	}
	var errs []error
	for _, e := range entries {
		if !store.IsCopy(e.Name()) {
			continue
		}
		if info, err := e.Info(); err == nil && info.ModTime().Before(before) {
			errs = append(errs, durable.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return errors.Join(errs...)
}
