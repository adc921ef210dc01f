package daemon

import (
	"context"
	"time"

	"gondola/internal/store"
)

// noteStart tells the ledger which program works on the state from now on, and by which config; or that it goes on by another config. A
// disk that is full does not keep the daemon from starting: it waits for room with everything else.
func (h *House) noteStart(ctx context.Context) {
	kind, facts := store.EntryStart, store.Facts{Version: h.opts.Version, SHA256: h.cfg.Digest}
	if h.follows != "" {
		kind, facts.Text = store.EntryConfig, "before "+h.follows
	}
	err := h.store.Note(ctx, h.now(), kind, facts)
	if err != nil {
		h.tell(Event{Kind: EventTrouble, Text: "the ledger does not know of this start: " + err.Error()})
	}
}

// Ledger calls fn for the rows of the ledger from a time on, the oldest first; of one kind, where it is given.
func (h *House) Ledger(ctx context.Context, since time.Time, kind store.EntryKind, fn func(store.Entry) error) error {
	return h.store.Entries(ctx, since, kind, fn)
}
