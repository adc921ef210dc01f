package daemon

import (
	"context"
	"log/slog"
	"time"

	"gondola/internal/catalog"
)

// EventKind is what happened.
type EventKind string

// The kinds, in the order in which a drop goes through them.
const (
	EventTaken       EventKind = "drop taken"         // a file was claimed
	EventRead        EventKind = "drop read"          // it was understood
	EventRejected    EventKind = "drop rejected"      // it was not taken
	EventHeld        EventKind = "export held"        // by the brake
	EventRowsHeld    EventKind = "rows held"          // likewise, while the rest goes
	EventDecided     EventKind = "decision taken"     // on what the brake holds
	EventPlanned     EventKind = "plan made"          // there is something to send
	EventDocument    EventKind = "document written"   // a file of a plan, ready to be sent
	EventNothing     EventKind = "nothing to send"    // wanted and sent agree
	EventSent        EventKind = "delivery sent"      // a document arrived, with proof
	EventFailed      EventKind = "delivery failed"    // an attempt failed
	EventSettled     EventKind = "delivery settled"   // what became of a document is known
	EventAgain       EventKind = "delivery repeated"  // a document may not have been read and goes once more
	EventHanded      EventKind = "orders handed over" // a file went to the ERP
	EventAudited     EventKind = "audit done"         // the platform's catalogue was compared
	EventAuditFailed EventKind = "audit failed"       // it was not
	EventTrouble     EventKind = "trouble"            // something of our own does not work
)

// Event is one unit of business. Fields that say nothing about its kind are zero.
type Event struct {
	At      time.Time
	Kind    EventKind
	Seq     int64        // drop
	Feed    string       // feed
	Name    string       // of the dropped file, or the remote path of a document
	Vendor  string       // a store's id, or catalog.AllVendors
	Shelf   catalog.Kind // of a plan or a document
	Rows    int          // of the export or document
	Records int          // articles understood
	Issues  int
	Differs int    // articles that a plan changes
	SHA256  string // of a document, hex
	Text    string // the problem, how it was proved, what became of it
}

// tell logs an event, one line, and passes it on.
func (h *House) tell(e Event) {
	e.At = h.now()
	level := slog.LevelInfo
	switch e.Kind {
	case EventFailed, EventHeld, EventRowsHeld, EventAuditFailed:
		level = slog.LevelWarn
	case EventTrouble:
		level = slog.LevelError
	}
	attrs := make([]slog.Attr, 0, 11)
	add := func(key string, set bool, v any) {
		if set {
			attrs = append(attrs, slog.Any(key, v))
		}
	}
	add("drop", e.Seq != 0, e.Seq)
	add("feed", e.Feed != "", e.Feed)
	add("name", e.Name != "", e.Name)
	add("vendor", e.Vendor != "", e.Vendor)
	add("shelf", e.Shelf != "", e.Shelf)
	add("rows", e.Rows != 0, e.Rows)
	add("records", e.Records != 0, e.Records)
	add("issues", e.Issues != 0, e.Issues)
	add("differs", e.Differs != 0, e.Differs)
	add("sha256", e.SHA256 != "", e.SHA256)
	add("text", e.Text != "", e.Text)
	h.log.LogAttrs(context.Background(), level, string(e.Kind), attrs...)
	if h.opts.Tell != nil {
		h.opts.Tell(e)
	}
}
