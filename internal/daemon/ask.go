package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/report"
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
	Trouble string // what keeps it from it
}

// Pushed reports how far the stores' push is.
func (h *House) Pushed(ctx context.Context, vendors []string) (Progress, error) {
	targets, err := h.targetsNamed(vendors)
	if err != nil {
		return Progress{}, err
	}
	for _, name := range targets {
		t, err := h.store.TargetOf(ctx, name)
		if err != nil || t.PlanDue {
			return Progress{}, err
		}
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
	p := Progress{Done: true, Paused: true}
	pause := ""
	for _, d := range waiting {
		if !slices.Contains(targets, d.Target) {
			continue
		}
		p.Done = false
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
	hold, err := h.store.Hold(ctx)
	if err == nil && hold != nil && !p.Done {
		p.Stopped, p.Trouble = true, hold.Text
	}
	return p, err
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

// Held is an export that the brake holds.
type Held struct {
	Seq      int64       `json:"drop"`
	Feed     string      `json:"feed"`
	Vendor   string      `json:"vendor"`
	Name     string      `json:"name"`
	Findings []IssueText `json:"findings"`
}

// HeldExports lists what the brake holds.
func (h *House) HeldExports(ctx context.Context) ([]Held, error) {
	layers, err := h.store.Layers(ctx)
	if err != nil {
		return nil, err
	}
	var all []Held
	for _, l := range layers {
		if _, ok := h.vendor(l.Scope); l.State != store.LayerHeld || !ok && l.Scope != catalog.AllVendors {
			continue
		}
		d, _, err := h.store.Drop(ctx, l.Seq)
		if err != nil {
			return nil, err
		}
		held := Held{Seq: l.Seq, Feed: l.Feed, Vendor: l.Scope, Name: d.Name}
		for _, f := range l.Findings {
			// What is wrong, without what staff should do: whoever reads this is the one they ask.
			words := h.words(f)
			words.Text, _ = report.Sentence(h.cfg.Chain.Language, f)
			held.Findings = append(held.Findings, words)
		}
		all = append(all, held)
	}
	return all, nil
}

// Approve accepts what the brake has against a drop: it counts, and the same finding does not ask again for brake.approval. Who is
// kept beside it. It returns the number of layers that were freed.
func (h *House) Approve(ctx context.Context, seq int64, who string) (int, error) {
	layers, err := h.store.Layers(ctx)
	if err != nil {
		return 0, err
	}
	var approvals []store.Approval
	var targets []string
	freed := 0
	until := h.now().Add(time.Duration(h.cfg.Brake.Approval))
	for _, l := range layers {
		if l.State != store.LayerHeld || l.Seq != seq {
			continue
		}
		freed++
		targets = append(targets, names(h.targetsOf(l.Feed, l.Scope))...)
		for _, f := range l.Findings {
			approvals = append(approvals, store.Approval{
				Feed: l.Feed, Scope: l.Scope, Code: f.Code, Share: shareOf(f), Until: until, Who: who,
			})
		}
	}
	if freed == 0 {
		return 0, nil
	}
	return freed, h.store.Approve(ctx, approvals, targets, h.now())
}

// shareOf reads the share of a brake finding back from its arguments; findings without one have share 0. The share that is shown is
// rounded, so half a percent is granted on top.
func shareOf(f catalog.Issue) float64 {
	if f.Code != catalog.BrakeInactive && f.Code != catalog.BrakeShrunk || len(f.Args) < 3 {
		return 0
	}
	var percent float64
	if _, err := fmt.Sscanf(f.Args[2], "%f%%", &percent); err != nil {
		return 0
	}
	return (percent + 0.5) / 100
}
