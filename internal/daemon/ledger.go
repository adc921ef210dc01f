package daemon

import (
	"context"
	"time"

	"gondola/internal/store"
)

// noteStart tells the ledger which program works on the state from now on, and by which config.
func (h *House) noteStart(ctx context.Context) error {
	return h.store.Note(ctx, h.now(), store.EntryStart, store.Facts{Version: h.opts.Version, SHA256: h.cfg.Digest})
}

// Ledger calls fn for the rows of the ledger from a time on, the oldest first; of one kind, where it is given.
func (h *House) Ledger(ctx context.Context, since time.Time, kind store.EntryKind, fn func(store.Entry) error) error {
	return h.store.Entries(ctx, since, kind, fn)
}
