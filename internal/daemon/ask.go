package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gondola/internal/catalog"
	"gondola/internal/outbox"
	"gondola/internal/store"
)

// Ask is what an admin wants pushed.
type Ask struct {
	Vendors []string // ids; none = every store
	Full    bool     // everything, not only what differs
	Adopt   bool     // files that lie under our names and are not ours may be replaced
}

// Push asks for a plan of stores as soon as possible: the daemon that runs beside us does it within a second; without one, call
// Once after it. It also ends the hold after a refused login, and gives parked files another chance.
func (h *House) Push(ctx context.Context, a Ask) error {
	targets, err := h.targetsNamed(a.Vendors)
	if err != nil {
		return err
	}
	return h.store.Request(ctx, targets, a.Full, a.Adopt)
}

// Progress is how far a push is.
type Progress struct {
	Done    bool   // everything that was asked for has been planned and sent
	Stopped bool   // it has not, and is not tried again by itself
	Paused  bool   // what is left waits for the end of a pause; Stopped is set too
	Working bool   // Done, and the platform still works on requests that it has accepted
	Trouble string // what keeps it from it
}

// Pushed reports how far the stores' push is.
func (h *House) Pushed(ctx context.Context, vendors []string) (Progress, error) {
	targets, err := h.targetsNamed(vendors)
	if err != nil {
		return Progress{}, err
	}
	working := false
	for _, name := range targets {
		t, err := h.store.TargetOf(ctx, name)
		if err != nil || t.PlanDue {
			return Progress{Trouble: stillWorked(t)}, err
		}
		working = working || t.Working
	}
	if switching, err := h.store.OffsNew(ctx); err != nil || len(switching) > 0 {
		return Progress{}, err
	}
	waiting, err := h.store.Waiting(ctx)
	if err != nil {
		return Progress{}, err
	}
	pauses, err := h.Paused(ctx)
	if err != nil {
		return Progress{}, err
	}
	p := Progress{Done: true, Paused: true, Working: working}
	pause := ""
	var ways []outbox.By
	for _, d := range waiting {
		if !slices.Contains(targets, d.Target) {
			continue
		}
		p.Done = false
		ways = append(ways, d.By)
		if by, ok := PauseOf(pauses, parseTarget(d.Target)); ok && d.State != "sending" {
			pause = by.Text(h.zone) + "; gondola resume ends it"
			continue
		}
		p.Paused = false
		if d.Error != "" {
			p.Trouble = d.Error
		}
	}
	if p.Paused = p.Paused && !p.Done; p.Paused {
		p.Stopped, p.Trouble = true, pause
		return p, nil
	}
	for _, way := range ways {
		hold, err := h.store.Hold(ctx, way)
		if err != nil {
			return p, err
		}
		if hold != nil {
			p.Stopped, p.Trouble = true, hold.Text
		}
	}
	return p, nil
}

// stillWorked says why a plan of a target has to wait, "" where it does not have to.
func stillWorked(t store.Target) string {
	if !t.Working {
		return ""
	}
	return "the platform still works on what was sent before to " + t.Target + "; the plan is made when it has told the end (gondola jobs)"
}

// ErrNoVendor says that the config has no store of an id.
var ErrNoVendor = errors.New("no such store")

func (h *House) targetsNamed(vendors []string) ([]string, error) {
	targets, err := h.Targets(vendors)
	return names(targets), err
}

// Targets lists where plans go that stores have a part in, in the order of the config; of all stores where none is named. A file for
// the whole chain is a part of every store's.
func (h *House) Targets(vendors []string) ([]Target, error) {
	for _, id := range vendors {
		if _, ok := h.vendor(id); !ok {
			return nil, fmt.Errorf("%w: %q; the config has: %s", ErrNoVendor, id, strings.Join(h.VendorIDs(), ", "))
		}
	}
	var all []Target
	for _, t := range h.targets {
		if len(vendors) == 0 || t.Vendor == catalog.AllVendors || slices.Contains(vendors, t.Vendor) {
			all = append(all, t)
		}
	}
	return all, nil
}

// VendorIDs lists the stores of the config, in its order.
func (s *setup) VendorIDs() []string {
	ids := make([]string, len(s.vendors))
	for i, v := range s.vendors {
		ids[i] = v.ID
	}
	return ids
}
