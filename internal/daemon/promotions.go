package daemon

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/outbox"
	"gondola/internal/platform"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

// PromotionState is how far a promotion has come, as far as anybody here can know.
type PromotionState string

// The states of a promotion.
const (
	PromotionPlanned   PromotionState = "planned"   // wanted, and nothing of it has begun to leave
	PromotionSending   PromotionState = "sending"   // it began to leave
	PromotionSent      PromotionState = "sent"      // its file has arrived, and may not have been read yet
	PromotionRead      PromotionState = "read"      // its file was there to be read; what the platform made of it is not known
	PromotionAccepted  PromotionState = "accepted"  // the platform took the request, and works on it
	PromotionConfirmed PromotionState = "confirmed" // the platform worked on it, and had nothing against the article
	PromotionRejected  PromotionState = "rejected"  // the platform did not take the article
	PromotionEnded     PromotionState = "ended"     // the platform was told of its end, or its last day is over
)

// PromotionStates lists the states, in the order in which a promotion goes through them.
func PromotionStates() []PromotionState {
	return []PromotionState{
		PromotionPlanned, PromotionSending, PromotionSent, PromotionRead, PromotionAccepted, PromotionConfirmed, PromotionRejected, PromotionEnded,
	}
}

// PromotionLine is one promotion in one store, or in all where one document is for all.
type PromotionLine struct {
	Vendor  string         `json:"vendor"` // * where one document is for all stores
	Article string         `json:"article"`
	Name    string         `json:"name"` // of the campaign
	Start   string         `json:"start"`
	End     string         `json:"end"`
	Says    Saying         `json:"says"`
	State   PromotionState `json:"state"`
	By      outbox.By      `json:"by,omitempty"`      // how it was sent; "" before
	Ending  bool           `json:"ending,omitempty"`  // the state is of its end, which the platform does not show yet
	Changes bool           `json:"changes,omitempty"` // wanted otherwise by now: the next slots end it, and start it anew
	Reason  string         `json:"reason,omitempty"`  // of one that was rejected: the platform's words
	Job     string         `json:"job,omitempty"`     // that works on it, or has rejected it
	Since   time.Time      `json:"since,omitzero"`    // of the state, where that is known
	Drop    int64          `json:"drop,omitempty"`    // of one that was rejected: the export that it comes from
	Row     int            `json:"row,omitempty"`     // in it
}

// PromotionQuery chooses promotions. Zero values choose all.
type PromotionQuery struct {
	Vendor  string
	Article string
	State   PromotionState
	Ended   bool // those that have ended, too
}

// Promotions lists the promotions that are wanted or were sent, by store and article. It works beside a running daemon.
func (h *House) Promotions(ctx context.Context, q PromotionQuery) ([]PromotionLine, error) {
	targets := h.targets
	if q.Vendor != "" {
		var err error
		if targets, err = h.Targets([]string{q.Vendor}); err != nil {
			return nil, err
		}
	}
	all := []PromotionLine{}
	for _, t := range targets {
		if !t.holds(catalog.KindPromotions) {
			continue
		}
		one, err := h.promotionsOf(ctx, t, q)
		if err != nil {
			return nil, fmt.Errorf("list promotions of %s: %w", t, err)
		}
		all = append(all, one...)
	}
	return all, nil
}

// leaving is what left of a promotion and has not settled.
type leaving struct {
	record shelf.Record
	store.SentDocument
	job string
}

func (h *House) promotionsOf(ctx context.Context, t Target, q PromotionQuery) ([]PromotionLine, error) {
	stack, err := h.wanted(ctx, t, h.stands)
	if err != nil {
		return nil, err
	}
	sentStack, err := h.store.Sent(ctx, t.String())
	if err != nil {
		return nil, err
	}
	wanted, err := h.promotionsIn(stack)
	if err != nil {
		return nil, err
	}
	sent, err := h.promotionsIn(sentStack)
	if err != nil {
		return nil, err
	}
	going, err := h.leaving(ctx, t)
	if err != nil {
		return nil, err
	}
	feedback, err := h.store.FeedbackOf(ctx, t.String())
	if err != nil {
		return nil, err
	}
	rejected := map[string]store.Feedback{}
	for _, f := range feedback {
		rejected[f.Key] = f
	}
	keys := maps.Clone(wanted)
	maps.Copy(keys, sent)
	for key, l := range going {
		keys[key] = l.record
	}
	var all []PromotionLine
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		line := h.promotionLine(t, wanted[key].Promotion, sent[key].Promotion, going[key])
		f, ok := rejected[key]
		if f.Key == "" { // the platform may not know the store at all
			if f, ok = rejected[""]; ok && (f.Vendor != t.Vendor || line.State == PromotionPlanned) {
				ok = false
			}
		}
		if ok && line.State != PromotionEnded {
			line.State, line.Reason, line.Job, line.Since, line.Drop, line.Row = PromotionRejected, f.Reason, f.Job, f.At, f.Seq, f.Line
		}
		line.Article = shelf.ItemKey(key)
		switch {
		case q.Article != "" && q.Article != line.Article, q.State != "" && q.State != line.State,
			line.State == PromotionEnded && !q.Ended && q.State != PromotionEnded:
		default:
			all = append(all, line)
		}
	}
	return all, nil
}

// promotionsIn returns the promotions of a stack, by key.
func (h *House) promotionsIn(stack []shelf.Digest) (map[string]shelf.Record, error) {
	all := map[string]shelf.Record{}
	o, err := h.files.Overlay(stack)
	if err != nil {
		return nil, err
	}
	defer func() { _ = o.Close() }() // it was only read
	for o.Next() {
		if r := o.Record(); r.Promotion != nil {
			all[r.Key] = r
		}
	}
	return all, o.Err()
}

// leaving returns what left of a target and has not settled, by key; of a key the newest.
func (h *House) leaving(ctx context.Context, t Target) (map[string]leaving, error) {
	docs, err := h.store.UnsettledDocuments(ctx, t.String())
	if err != nil {
		return nil, err
	}
	jobs, err := h.store.OpenJobs(ctx, t.String())
	if err != nil {
		return nil, err
	}
	open := map[int64]string{}
	for _, j := range jobs {
		open[j.Delivery] = j.ID
	}
	all := map[string]leaving{}
	for _, d := range docs {
		for r, err := range records(h.files, d.Records, func(r shelf.Record) shelf.Record { return r }) {
			if err != nil {
				return nil, err
			}
			if r.Promotion != nil {
				all[r.Key] = leaving{record: r, SentDocument: d, job: open[d.ID]}
			}
		}
	}
	return all, nil
}

// promotionLine tells how far a promotion has come: by what is wanted of it, what was sent, and what left and has not settled.
func (h *House) promotionLine(t Target, wanted, sent *catalog.Promotion, going leaving) PromotionLine {
	last := cmp.Or(going.record.Promotion, sent)
	p := cmp.Or(last, wanted)
	line := PromotionLine{
		Vendor: t.Vendor, Name: p.Campaign, Start: p.Start.String(), End: p.End.String(), Says: sayingOf(shelf.Record{Promotion: p}),
		State: PromotionPlanned,
	}
	if last != nil {
		line.By = outbox.BySFTP
		if platform.ByRequest(last.Stores) {
			line.By = outbox.ByAPI
		}
		line.State = stateOfLast(line.By, going, &line)
		line.Changes = last.Active && wanted != nil && !sameOffer(*wanted, *last)
	}
	switch {
	case p.Over(h.wall(t)):
		line.State = PromotionEnded
	case last == nil && !wanted.Active:
		line.State = PromotionEnded // it never began
	case last != nil && !last.Active && going.record.Promotion == nil:
		line.State = PromotionEnded
	case last != nil && !last.Active:
		line.Ending = true
	}
	return line
}

// sameOffer reports whether a promotion is wanted as it was sent, whatever the document said of stores.
func sameOffer(wanted, sent catalog.Promotion) bool {
	wanted.Stores = sent.Stores
	return wanted.Active && (wanted.Same(sent) || wanted.Percent != 0 && wanted.Price == 0 && wanted.Percent == sent.Percent)
}

// stateOfLast returns how far what was last said of a promotion has come.
func stateOfLast(by outbox.By, going leaving, line *PromotionLine) PromotionState {
	switch {
	case going.record.Promotion == nil && by == outbox.ByAPI:
		return PromotionConfirmed
	case going.record.Promotion == nil:
		return PromotionRead
	case going.Verified.IsZero():
		line.Since = going.Began
		return PromotionSending
	case by == outbox.ByAPI:
		line.Since, line.Job = going.Verified, going.job
		return PromotionAccepted
	}
	line.Since = going.Verified
	return PromotionSent
}
