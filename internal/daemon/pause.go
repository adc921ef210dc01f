package daemon

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/store"
)

// Paused is a time in which nothing begins to leave for a store, or for any.
type Paused struct {
	Vendor string    `json:"vendor"` // * = all stores
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until,omitzero"` // zero = until gondola resume
	Who    string    `json:"who"`
	Reason string    `json:"reason,omitempty"`
}

// PauseAsk is what an admin wants paused.
type PauseAsk struct {
	Vendors []string  // ids; none = every store, those that join the config later included
	Until   time.Time // zero = until resumed
	Who     string
	Reason  string
}

// Pause keeps everything from beginning to leave for stores. Drops are read and plans made as ever; what is on its way finishes. It
// outlives the process, and the daemon that runs beside us heeds it at once: before each file it asks whether it may begin.
func (h *House) Pause(ctx context.Context, a PauseAsk) error {
	if _, err := h.Targets(a.Vendors); err != nil {
		return err
	}
	scopes := slices.Compact(slices.Sorted(slices.Values(a.Vendors)))
	if len(scopes) == 0 {
		scopes = []string{catalog.AllVendors}
	}
	pauses := make([]store.Pause, len(scopes))
	for i, scope := range scopes {
		pauses[i] = store.Pause{Scope: scope, Who: a.Who, Reason: a.Reason, At: h.now(), Until: a.Until}
	}
	return h.store.Pause(ctx, pauses)
}

// Resume ends pauses: of the stores, or all of them. What a slot asked for meanwhile leaves at once, as things stand now. It returns
// those that were in force.
func (h *House) Resume(ctx context.Context, vendors []string, who string) ([]Paused, error) {
	if _, err := h.Targets(vendors); err != nil {
		return nil, err
	}
	ended, err := h.store.Resume(ctx, vendors, who, h.now())
	return pausedOf(ended), err
}

// Paused lists the pauses in force, those of all stores first.
func (h *House) Paused(ctx context.Context) ([]Paused, error) {
	all, err := h.store.Pauses(ctx)
	if err != nil {
		return nil, err
	}
	// One whose time is over is ended by whoever plans next.
	return slices.DeleteFunc(pausedOf(all), func(p Paused) bool { return !p.Until.IsZero() && !p.Until.After(h.now()) }), nil
}

func pausedOf(pauses []store.Pause) []Paused {
	all := make([]Paused, len(pauses))
	for i, p := range pauses {
		all[i] = Paused{Vendor: p.Scope, Since: p.At, Until: p.Until, Who: p.Who, Reason: p.Reason}
	}
	return all
}

// covers reports whether nothing leaves for a target under a pause. A file for all stores waits with any of them.
func (p Paused) covers(t Target) bool {
	return p.Vendor == catalog.AllVendors || t.Vendor == catalog.AllVendors || p.Vendor == t.Vendor
}

// PauseOf returns the pause that keeps a target waiting longest, false where none does.
func PauseOf(all []Paused, t Target) (Paused, bool) {
	var longest Paused
	found := false
	for _, p := range all {
		if p.covers(t) && (!found || !longest.Until.IsZero() && (p.Until.IsZero() || p.Until.After(longest.Until))) {
			longest, found = p, true
		}
	}
	return longest, found
}

// Text says in English who paused what, and until when.
func (p Paused) Text(zone *time.Location) string {
	const form = "2006-01-02 15:04"
	what := "all stores are paused"
	if p.Vendor != catalog.AllVendors {
		what = "store " + p.Vendor + " is paused"
	}
	text := fmt.Sprintf("%s since %s by %s", what, p.Since.In(zone).Format(form), p.Who)
	if !p.Until.IsZero() {
		text += ", until " + p.Until.In(zone).Format(form)
	}
	if p.Reason != "" {
		text += " (" + p.Reason + ")"
	}
	return text
}

// endPauses ends the pauses whose time is over.
func (h *House) endPauses(ctx context.Context) error {
	ended, err := h.store.EndPauses(ctx, h.now())
	for _, p := range pausedOf(ended) {
		h.log.Info("pause is over", "vendor", p.Vendor, "until", p.Until.Format(time.RFC3339), "who", p.Who)
	}
	return err
}
