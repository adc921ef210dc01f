package shelf

import (
	"fmt"
	"strconv"

	"gondola/internal/catalog"
)

// Brake decides whether an export looks sane before anything of it leaves. Shares are between 0 and 1.
type Brake struct {
	Deactivate float64 // of the articles on sale, how many an export may switch off
	Shrink     float64 // of the articles of the last export, how many a full one may lack
	MinRows    int     // layers with fewer articles are not braked: one article of three is no catastrophe
}

// Finding is what the brake has against an export.
type Finding struct {
	Code  catalog.Code `json:"code"`
	Share float64      `json:"share"`
	Count int          `json:"count"`
	Of    int          `json:"of"`
	Limit float64      `json:"limit"`
}

// Issue returns the finding in the form that receipts show.
func (f Finding) Issue() catalog.Issue {
	return catalog.Issue{Code: f.Code, Severity: catalog.Error, Args: []string{
		strconv.Itoa(f.Count), strconv.Itoa(f.Of), percent(f.Share), percent(f.Limit),
	}}
}

func percent(share float64) string { return fmt.Sprintf("%.0f%%", share*100) }

// Check compares a layer as it would be with what it was when it last passed. There is nothing to compare a first export with: it
// passes.
//
// It counts articles, so layers of promotions pass always: that half of them end, or that next week's export names none of this
// week's, is what promotions are for. An export that ends them by mistake costs a discount, and takes nothing off the shelf.
func (f Files) Check(b Brake, candidate, passed []Digest) ([]Finding, error) {
	if len(passed) == 0 {
		return nil, nil
	}
	var on, off, before, after int
	promotions := func(a *aligned) bool { return isPromotion(a.key) }
	err := f.walk([][]Digest{candidate, passed}, promotions, func(r []Record) error {
		now, then := r[0], r[1]
		if now.Key != "" && now.Gone == 0 {
			after++
		}
		if then.Key == "" || then.Gone != 0 {
			return nil
		}
		before++
		if then.Item.On() {
			on++
			if now.Key != "" && !now.Item.On() {
				off++
			}
		}
		return nil
	})
	if err != nil || before < b.MinRows {
		return nil, err
	}
	var found []Finding
	// Shares are compared, not counts with a share of the rest: 29 of 100 is 29 % then, whatever floats make of 0.29 * 100.
	if share := shareOf(off, on); share > b.Deactivate {
		found = append(found, Finding{Code: catalog.BrakeInactive, Share: share, Count: off, Of: on, Limit: b.Deactivate})
	}
	if share := shareOf(before-after, before); share > b.Shrink {
		found = append(found, Finding{Code: catalog.BrakeShrunk, Share: share, Count: after, Of: before, Limit: b.Shrink})
	}
	return found, nil
}

// shareOf returns what share n is of all, 0 where there is nothing to have a share of.
func shareOf(n, all int) float64 {
	if all == 0 {
		return 0
	}
	return float64(n) / float64(all)
}
