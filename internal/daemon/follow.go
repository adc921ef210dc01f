package daemon

import (
	"context"
	"errors"
	"fmt"

	"gondola/internal/catalog"
	"gondola/internal/outbox"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

// followConfig brings the state in line with a config that has changed since it was written.
func (h *House) followConfig(ctx context.Context) error {
	// A store that left the config gets nothing any more; what lies on the server stays.
	if err := h.store.Abandon(ctx, h.targetNames()); err != nil {
		return err
	}
	for _, t := range h.targets {
		if err := h.store.Switch(ctx, t.String(), h.wayOf(t), h.now()); err != nil {
			return err
		}
	}
	names, err := h.store.SentNames(ctx)
	if err != nil {
		return err
	}
	for _, n := range names {
		if err := h.followName(ctx, n); err != nil {
			return err
		}
	}
	if err := h.followShape(ctx, names); err != nil {
		return err
	}
	if err := errors.Join(h.followStores(ctx), h.followIdentity(ctx)); err != nil {
		return err
	}
	if err := h.rereadChanged(ctx); err != nil {
		return err
	}
	h.rekeyed = false
	return h.store.SetFact(ctx, identityFact, string(h.by))
}

// followStores notices that a file for several stores is for others than before: one that is new gets everything.
func (h *House) followStores(ctx context.Context) error {
	for _, t := range h.targets {
		stores := h.stores(t)
		if stores == nil {
			continue
		}
		now, err := stores.Text()
		if err != nil {
			return err
		}
		name := "stores " + t.String()
		before, err := h.store.Fact(ctx, name)
		if err != nil {
			return err
		}
		if before == now {
			continue
		}
		if before != "" && t.Kind == catalog.KindCatalog {
			if err := h.store.OweFull(ctx, t.String()); err != nil {
				return err
			}
		}
		if err := h.store.SetFact(ctx, name, now); err != nil {
			return err
		}
	}
	return nil
}

// identityFact is where the identifier of articles is kept that the state was written by.
const identityFact = "identify by"

// followIdentity notices that articles are known by another identifier than before: everything is sent anew under it.
func (h *House) followIdentity(ctx context.Context) error {
	before, err := h.store.Fact(ctx, identityFact)
	if err != nil || before == "" || before == string(h.by) {
		return err
	}
	h.rekeyed = true
	if err := h.store.RetellOffs(ctx); err != nil {
		return err
	}
	// What was wanted under the other identifier can't be put back under this one.
	if err := h.store.HistoryFrom(ctx, h.now()); err != nil {
		return err
	}
	for _, t := range h.targets {
		if err := errors.Join(h.store.OweFull(ctx, t.String()), h.askFirst(ctx, t, t)); err != nil {
			return err
		}
	}
	h.tell(Event{
		Kind: EventTrouble,
		Text: fmt.Sprintf("articles were known by their %s and are by their %s now: everything is sent anew. What was switched off for being "+
			"missing stays so, and promotions that run go on to their end; end those in the Partner Portal that should not", before, h.by),
	})
	return nil
}

// askFirst has somebody look before anything leaves for a target that has nothing to be compared with any more, where the brake held
// rows of the one whose place it takes: what was held, or rejected, would else leave as if it were new.
func (h *House) askFirst(ctx context.Context, old, t Target) error {
	held, err := h.store.HoldsRows(ctx, old.String())
	if err != nil || !held {
		return err
	}
	return h.store.SetFact(ctx, askFact+t.String(), "ask")
}

// askedFirst ends what askFirst began: somebody has let the files leave.
func (h *House) askedFirst(ctx context.Context, t Target) error {
	ask, err := h.store.Fact(ctx, askFact+t.String())
	if err != nil || ask == "" {
		return err
	}
	return h.store.SetFact(ctx, askFact+t.String(), "")
}

// askFact begins the name of the fact that says that the next files of a target wait for a person.
const askFact = "ask first "

// followName looks whether a target's documents are still called what they were. In which order the platform reads two names is not
// known, so what lies under the old one is an admin's to remove.
func (h *House) followName(ctx context.Context, n store.SentName) error {
	t, old := parseTarget(n.Target), n.Folder+"/"+n.Name
	switch {
	case !h.isTarget(n.Target) && n.By == outbox.ByAPI:
		return nil // a request leaves nothing on a server
	case !h.isTarget(n.Target):
		return h.tellLeft(ctx, t, old)
	case n.By != h.wayOf(t):
		return h.followWay(ctx, t, n)
	case n.By == outbox.ByAPI:
		return nil // every request has a name of its own
	}
	now := h.folderOf(t) + "/" + h.fileOf(t, 1)
	if old == now {
		return nil
	}
	// Only a full document outlives the old file.
	if err := h.store.OweFull(ctx, n.Target); err != nil {
		return err
	}
	h.tell(Event{
		Kind: EventTrouble, Vendor: t.Vendor, Shelf: t.Kind, Name: old,
		Text: fmt.Sprintf("from now on documents are named %s and the next one says everything; "+
			"remove the old file from the server, or its prices may be read once more", now),
	})
	return nil
}

// followWay notices that a target's documents travel another way than before: the next plan says everything. What was made one way can't
// be ended the other way [doc], so that promotions which run go on to their end.
func (h *House) followWay(ctx context.Context, t Target, n store.SentName) error {
	if err := h.store.OweFull(ctx, n.Target); err != nil {
		return err
	}
	text := fmt.Sprintf("from now on it goes by %s and the next plan says everything", h.wayOf(t))
	if n.By == outbox.BySFTP {
		text += "; remove the old file from the server, or what it says may be read once more"
	}
	if t.Kind == catalog.KindPromotions {
		text += fmt.Sprintf(". Promotions that were started by %s run to their end: end those in the Partner Portal that should not", n.By)
	}
	h.tell(Event{Kind: EventTrouble, Vendor: t.Vendor, Shelf: t.Kind, Name: n.Folder + "/" + n.Name, Text: text})
	return nil
}

// tellLeft tells, once, of a file that the config does not write any more. A store that left the config is no news.
func (h *House) tellLeft(ctx context.Context, t Target, file string) error {
	if _, ok := h.vendor(t.Vendor); !ok && t.Vendor != catalog.AllVendors {
		return nil
	}
	name := "left " + t.String()
	told, err := h.store.Fact(ctx, name)
	if err != nil || told == file+" "+h.cfg.Digest {
		return err
	}
	h.tell(Event{
		Kind: EventTrouble, Vendor: t.Vendor, Shelf: t.Kind, Name: file,
		Text: "by this config the file is not written any more; remove it from the server, or what it says may be read once more. " +
			"Promotions that only it has started run to their end: end those in the Partner Portal that should not",
	})
	return h.store.SetFact(ctx, name, file+" "+h.cfg.Digest)
}

// followShape hands what was sent to a store on where the config sends it in files of another kind: one for both instead of two, or the
// other way round. Without it promotions that run could not be ended, and would be started once more.
func (h *House) followShape(ctx context.Context, sent []store.SentName) error {
	for _, t := range h.targets {
		own, err := h.store.LastVerified(ctx, t.String())
		if err != nil {
			return err
		}
		var stack []shelf.Digest
		for _, n := range sent {
			old := parseTarget(n.Target)
			if !h.isTarget(n.Target) && t.Vendor == catalog.AllVendors && (t.holds(old.Kind) || old.holds(t.Kind)) {
				if err := h.askFirst(ctx, old, t); err != nil {
					return err
				}
			}
			if h.isTarget(n.Target) || old.Vendor != t.Vendor || !t.holds(old.Kind) && !old.holds(t.Kind) {
				continue
			}
			// Of a shape that was left and taken up again, the one that was sent last knows what runs.
			last, err := h.store.LastVerified(ctx, n.Target)
			if err != nil {
				return err
			}
			if !last.After(own) {
				continue
			}
			rows, err := h.store.Sent(ctx, n.Target)
			if err != nil {
				return err
			}
			unsettled, err := h.store.Unsettled(ctx, n.Target)
			if err != nil {
				return err
			}
			// Two kinds share no key, so one stack is as good as two.
			stack = append(stack, append(rows, unsettled...)...)
		}
		if len(stack) == 0 {
			continue
		}
		known, err := h.files.Remembered(stack, shelf.DayOf(h.now()))
		if err != nil {
			return err
		}
		if known == "" {
			continue
		}
		if err := h.store.SeedSent(ctx, t.String(), known); err != nil {
			return err
		}
	}
	return nil
}
