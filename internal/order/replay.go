package order

import (
	"gondola/internal/platform"
)

// Replay returns the hand-overs of an order that are made once more, as new revisions: of each state that is asked for and was reached,
// or of one. What waits to be handed over anyway is not among them, nor what there is no body for any more. An order of a store that is
// not in the config has none.
func Replay(o Stored, rules Rules, only platform.OrderState) []Due {
	if o.ID == "" || !rules.listed(o.Vendor) {
		return nil
	}
	var all []Due
	for _, asked := range rules.asked() {
		if only != "" && asked != only {
			continue
		}
		next, ever := o.Owed[asked]
		switch {
		case ever && !next.Begun:
			continue
		case ever:
			next.Revision, next.Begun = next.Revision+1, false
		case asked == platform.StateCancelled && o.State != asked, asked != platform.StateCancelled && rank(asked) > rank(o.Reached):
			continue
		default:
			next = Due{Asked: asked, Seen: asked, Revision: 1}
			// Of an order that was cancelled nobody is told as if it were not.
			if _, seen := o.Bodies[asked]; !seen || o.State == platform.StateCancelled && asked != o.State {
				next.Seen, next.Skipped = o.State, true
			}
		}
		body, ok := o.Bodies[next.Seen]
		if !ok || body.Gone {
			continue
		}
		next.Digest = body.Digest
		all = append(all, next)
	}
	return all
}
