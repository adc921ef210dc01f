package daemon

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"gondola/internal/drop"
	"gondola/internal/store"
)

// approvalName is a file that approves: APROBAR-12, in any of the languages of the answers, with whatever ending the system adds.
// A finding about rows (F7) is approved likewise.
var approvalName = regexp.MustCompile(`(?i)^(?:aprobar|aprovar|approve)[-_ ]?(f?)(\d{1,15})(?:\.[a-z]{1,5})?$`)

// approvalPatterns are what the watcher of a drop folder takes for approvals.
func approvalPatterns() []string { return []string{"aprobar*", "aprovar*", "approve*"} }

// isApproval reports whether a file in a drop folder approves something, which it may only where the config says so.
func (s *setup) isApproval(name string) bool {
	return s.cfg.Brake.ApproveByFile && approvalName.MatchString(name)
}

// approveByFile does what an approval in a drop folder asks for, in the name of the file's owner. One that names nothing that is held
// is put aside with the exports that can't be used, where whoever put it there finds it.
func (h *House) approveByFile(ctx context.Context, c drop.Claim) (drop.Verdict, error) {
	m := approvalName.FindStringSubmatch(c.Name)
	id, err := strconv.ParseInt(m[2], 10, 64)
	if err != nil {
		return drop.Rejected, nil //nolint:nilerr // fifteen digits always fit
	}
	who := c.Owner
	if who == "" {
		who = "file " + c.Name
	}
	done := false
	if m[1] != "" {
		done, err = h.ApproveFinding(ctx, id, who)
	} else {
		var parts int
		parts, err = h.Approve(ctx, id, nil, who)
		done = parts > 0
	}
	if others, ok := errors.AsType[*OthersRowsError](err); ok {
		h.tell(Event{Kind: EventTrouble, Name: c.Name, Text: others.Error()})
		return drop.Rejected, nil
	}
	if err != nil {
		return drop.Read, fmt.Errorf("approve by file %s: %w", c.Name, err)
	}
	if !done {
		// Taken twice, because the process ended between the decision and the file's end.
		done, err = h.decidedBy(ctx, m[1] != "", id, who, c.FirstSeen)
		if err != nil {
			return drop.Read, fmt.Errorf("approve by file %s: %w", c.Name, err)
		}
	}
	if !done {
		h.tell(Event{Kind: EventTrouble, Name: c.Name, Text: "the brake holds nothing of that number; gondola status shows what it holds"})
		return drop.Rejected, nil
	}
	h.tell(Event{Kind: EventDecided, Name: c.Name, Text: "approved by " + who})
	return drop.Read, nil
}

// decidedBy reports whether somebody has approved a finding, or what was held of a drop, at a time or later.
func (h *House) decidedBy(ctx context.Context, finding bool, id int64, who string, from time.Time) (bool, error) {
	isTheirs := func(f store.Finding) bool {
		return f.State == store.FindingApproved && f.Who == who && !f.At.Before(from.Truncate(time.Millisecond))
	}
	if finding {
		f, _, err := h.store.Finding(ctx, id)
		return isTheirs(f), err
	}
	effects, err := h.store.Effects(ctx, id)
	if err != nil {
		return false, err
	}
	for _, e := range effects {
		all, err := h.store.Approved(ctx, e.Target)
		if err != nil || slices.ContainsFunc(all, isTheirs) {
			return err == nil, err
		}
	}
	layers, err := h.store.LayersOf(ctx, id)
	if err != nil {
		return false, err
	}
	for _, l := range layers {
		all, err := h.store.Approvals(ctx, l.Feed, l.Scope, h.now())
		if err != nil || slices.ContainsFunc(all, func(a store.Approval) bool {
			return a.Who == who && !a.Until.Before(from.Truncate(time.Millisecond).Add(time.Duration(h.cfg.Brake.Approval)))
		}) {
			return err == nil, err
		}
	}
	return false, nil
}
