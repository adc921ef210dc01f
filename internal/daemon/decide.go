package daemon

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/report"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

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
			held.Findings = append(held.Findings, h.finding(f))
		}
		all = append(all, held)
	}
	return all, nil
}

// brakeFacts is how many arguments a finding of the brake has before those that name articles.
const brakeFacts = 6

// finding puts a finding of the brake into words: what is wrong, without what staff should do. Whoever reads this is the one they ask.
func (h *House) finding(is catalog.Issue) IssueText {
	words := h.words(is)
	words.Text, _ = report.Sentence(h.cfg.Chain.Language, is)
	words.Short = words.Text
	if len(is.Args) <= brakeFacts || is.Code == catalog.BrakeEqual {
		return words // of prices that are all the same, the text names no article, but the price
	}
	words.Moves = is.Args[brakeFacts:]
	is.Args = is.Args[:brakeFacts]
	words.Short, _ = report.Sentence(h.cfg.Chain.Language, is)
	return words
}

// HeldRows are rows of a store's shelf that the brake holds, or a store that nothing is sent to before somebody has approved it.
type HeldRows struct {
	ID     string       `json:"finding"` // F7: what approve and reject call it
	Vendor string       `json:"vendor"`
	Kind   catalog.Kind `json:"kind"`
	IssueText
	Count int          `json:"count"`
	Worst []shelf.Move `json:"worst,omitempty"`
	Since time.Time    `json:"since"`
}

// HeldFindings lists the rows that the brake holds.
func (h *House) HeldFindings(ctx context.Context) ([]HeldRows, error) {
	open, err := h.store.OpenFindings(ctx)
	if err != nil {
		return nil, err
	}
	all := []HeldRows{}
	for _, f := range open {
		if !h.isTarget(f.Target) {
			continue // the store left the config
		}
		t := parseTarget(f.Target)
		issue := f.Issue()
		words := h.finding(issue)
		all = append(all, HeldRows{
			ID: findingName(f.ID), Vendor: t.Vendor, Kind: t.Kind, IssueText: words, Count: f.Count, Worst: f.Worst, Since: f.First,
		})
	}
	return all, nil
}

func findingName(id int64) string { return "F" + strconv.FormatInt(id, 10) }

// FindingID reads what HeldRows.ID is; ok is false for anything else.
func FindingID(text string) (id int64, ok bool) {
	digits, found := strings.CutPrefix(strings.ToUpper(text), "F")
	id, err := strconv.ParseInt(digits, 10, 64)
	if !found || err != nil || id < 1 {
		return 0, false
	}
	return id, true
}

// ApproveFinding lets the rows of a finding leave, at once. It returns false when the finding is not open.
func (h *House) ApproveFinding(ctx context.Context, id int64, who string) (bool, error) {
	now := h.now()
	return h.store.Decide(ctx, id, store.FindingApproved, who, now, now.Add(time.Duration(h.cfg.Brake.Approval)))
}

// RejectFinding keeps the rows of a finding as they were sent, and asks no more as long as they are wanted like that. It returns false
// when the finding is not open. A store that waits as a whole goes on waiting, and can't be rejected.
func (h *House) RejectFinding(ctx context.Context, id int64, who string) (bool, error) {
	f, ok, err := h.store.Finding(ctx, id)
	if err != nil || !ok {
		return false, err
	}
	switch f.Code {
	case catalog.BrakeFirst:
		return false, fmt.Errorf("finding F%d waits for the first files of store %s to be approved; "+
			"to send it nothing, take the store out of the config", id, parseTarget(f.Target).Vendor)
	case catalog.BrakeLate:
		return false, fmt.Errorf("finding F%d is about everything that waits for store %s, which stays where it is until somebody approves it; "+
			"to send something else, drop a newer export", id, parseTarget(f.Target).Vendor)
	}
	return h.store.Decide(ctx, id, store.FindingRejected, who, h.now(), time.Time{})
}

// heldParts returns the parts of a drop that the brake holds, one a store, and the targets that they are for.
func (h *House) heldParts(ctx context.Context, seq int64) (parts []store.LayerFile, targets []string, err error) {
	layers, err := h.store.Layers(ctx)
	for _, l := range layers {
		if l.State == store.LayerHeld && l.Seq == seq {
			parts = append(parts, l)
			targets = append(targets, names(h.targetsOf(l.Feed, l.Scope))...)
		}
	}
	return parts, targets, err
}

// heldRowsOf returns the open findings about rows that a drop has, or that the target as a whole waits for while the drop does. Where
// other drops have rows of a finding too it is an OthersRowsError: their rows were not shown to whoever decides on the drop.
func (h *House) heldRowsOf(ctx context.Context, seq int64) ([]store.Finding, error) {
	own, err := h.countingIn(ctx, seq)
	if err != nil {
		return nil, err
	}
	open, err := h.store.OpenFindings(ctx)
	if err != nil {
		return nil, err
	}
	open = slices.DeleteFunc(open, func(f store.Finding) bool { return !own[f.Target].holds(f.Code) })
	if !slices.ContainsFunc(open, func(f store.Finding) bool { return f.Rows != "" }) {
		return open, nil
	}
	layers, err := h.store.Layers(ctx)
	if err != nil {
		return nil, err
	}
	looked := map[int64]bool{seq: true}
	for _, l := range layers {
		if looked[l.Seq] {
			continue
		}
		looked[l.Seq] = true
		others, err := h.countingIn(ctx, l.Seq)
		if err != nil {
			return nil, err
		}
		for _, f := range open {
			if f.Rows != "" && others[f.Target].holds(f.Code) {
				return nil, &OthersRowsError{Drop: seq, Finding: f.ID, Other: l.Seq}
			}
		}
	}
	return open, nil
}

// OthersRowsError says that a finding about rows of a drop is about rows of another drop too.
type OthersRowsError struct{ Drop, Finding, Other int64 }

// Error implements error.
func (e *OthersRowsError) Error() string {
	return fmt.Sprintf("what is held of drop %d is held together with rows of drop %d as finding F%d: look at it with gondola status and decide on F%d",
		e.Drop, e.Other, e.Finding, e.Finding)
}

// counting is an effect of a drop on a target where the drop counts; the zero value holds nothing.
type counting struct {
	waits bool
	held  []catalog.Issue
}

func (c counting) holds(code catalog.Code) bool {
	return c.waits && code == catalog.BrakeLate || slices.ContainsFunc(c.held, func(is catalog.Issue) bool { return is.Code == code })
}

// countingIn returns what is held of a drop in the targets in which it counts: not of one that the brake holds as a whole, or that a
// later one has replaced.
func (h *House) countingIn(ctx context.Context, seq int64) (map[string]counting, error) {
	layers, err := h.store.LayersOf(ctx, seq)
	if err != nil {
		return nil, err
	}
	var targets []string
	for _, l := range layers {
		if l.State == store.LayerPassed {
			targets = append(targets, names(h.targetsOf(l.Feed, l.Scope))...)
		}
	}
	effects, err := h.store.Effects(ctx, seq)
	in := map[string]counting{}
	for _, e := range effects {
		if slices.Contains(targets, e.Target) {
			in[e.Target] = counting{e.State == store.EffectWaiting, e.Held}
		}
	}
	return in, err
}

// Approve accepts what the brake has against a drop and against rows of it, or only the codes, where some are given: it counts once
// nothing is left against it, and the same finding does not ask again for brake.approval. Who is kept beside it. It returns how much it
// was: the number of parts, one a store, that the brake looks at again, and of findings about rows.
func (h *House) Approve(ctx context.Context, seq int64, codes []catalog.Code, who string) (int, error) {
	parts, targets, err := h.heldParts(ctx, seq)
	if err != nil {
		return 0, err
	}
	rows, err := h.heldRowsOf(ctx, seq)
	if err != nil {
		return 0, err
	}
	var approvals []store.Approval
	until := h.now().Add(time.Duration(h.cfg.Brake.Approval))
	for _, l := range parts {
		for _, f := range l.Findings {
			if len(codes) > 0 && !slices.Contains(codes, f.Code) {
				continue
			}
			approvals = append(approvals, store.Approval{
				Feed: l.Feed, Scope: l.Scope, Code: f.Code, Share: shareOf(f), Until: until, Who: who,
			})
		}
	}
	n := 0
	if len(approvals) > 0 {
		n = len(parts)
		if err := h.store.Approve(ctx, approvals, targets, h.now()); err != nil {
			return 0, err
		}
	}
	for _, f := range rows {
		if err != nil || len(codes) > 0 && !slices.Contains(codes, f.Code) {
			continue
		}
		n++
		_, err = h.ApproveFinding(ctx, f.ID, who)
	}
	return n, err
}

// Reject decides that what the brake holds of a drop, and of rows of it, does not count. It returns how much it was, as Approve does.
func (h *House) Reject(ctx context.Context, seq int64, who string) (int, error) {
	parts, targets, err := h.heldParts(ctx, seq)
	if err != nil {
		return 0, err
	}
	rows, err := h.heldRowsOf(ctx, seq)
	if err != nil {
		return 0, err
	}
	if err := h.store.Reject(ctx, parts, targets, who, h.now()); err != nil {
		return 0, err
	}
	n := len(parts)
	for _, f := range rows {
		if f.Rows == "" {
			continue // it is about the store as a whole, and can't be rejected
		}
		if _, err := h.RejectFinding(ctx, f.ID, who); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// shareOf reads the share of a brake finding back from its arguments; findings without one have share 0. The share that is shown is
// rounded, so half a percent is granted on top.
func shareOf(f catalog.Issue) float64 {
	if f.Code == catalog.DropOlder || len(f.Args) < 3 {
		return 0
	}
	var percent float64
	if _, err := fmt.Sscanf(f.Args[2], "%f%%", &percent); err != nil {
		return 0
	}
	return (percent + 0.5) / 100
}
