package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/shelf"
)

// printPlan shows a plan like a diff, store by store.
func (a *app) printPlan(cfg *config.Config, all []plannedStore) {
	for i, s := range all {
		if i > 0 {
			a.printf("\n")
		}
		a.printf("%s: %s\n", shelfName(cfg, s.Vendor, s.Kind), planLine(s))
		for _, row := range s.Articles {
			a.printf("  %s\n", plain(articleLine(row)))
		}
		for _, row := range s.Promotions {
			a.printf("  %s\n", plain(promotionLine(row)))
		}
		if more := s.Rows - len(s.Articles) - len(s.Promotions); more > 0 {
			a.printf("  and %s more; --rows 0 shows all\n", count(more, rowNoun(s.Kind)))
		}
		if s.Waiting > 0 {
			a.printf("  %s until the end of another one of the article has been read\n",
				map[bool]string{true: "1 promotion waits", false: strconv.Itoa(s.Waiting) + " promotions wait"}[s.Waiting == 1])
		}
		for _, code := range slices.Sorted(maps.Keys(s.Withheld)) {
			a.printf("  %s not start: %s\n", map[bool]string{true: "1 promotion does", false: strconv.Itoa(s.Withheld[code]) + " promotions do"}[s.Withheld[code] == 1],
				map[catalog.Code]string{
					catalog.PromoNoPrice:  "it is a share off a price that is not known",
					catalog.PromoNotBelow: "its price is not below that of the article",
					catalog.PromoOverlap:  "another promotion of the article is sent in its place",
				}[code])
		}
		for _, f := range s.HeldRows {
			a.printf("  held by the brake: %s; gondola status says why\n", plain(heldLine(f)))
		}
		if len(s.Off) > 0 {
			first := s.Off[:min(len(s.Off), maxOff)]
			a.printf("  %s off by hand: %s; gondola off --list says more\n", count(len(s.Off), "article"), plain(strings.Join(first, ", ")))
		}
		if s.Paused != "" {
			a.printf("  paused: %s; nothing leaves until gondola resume\n", plain(s.Paused))
		}
		for _, seq := range s.Held {
			a.printf("  held by the brake: drop %d; gondola status says why\n", seq)
		}
	}
}

// shelfName names a target for people: the store, and the kind where it is not the catalogue.
func shelfName(cfg *config.Config, vendor string, kind catalog.Kind) string {
	name := "store " + storeName(cfg, vendor)
	if vendor == catalog.AllVendors {
		name = "all stores"
	}
	if kind != catalog.KindCatalog {
		name += ", " + string(kind)
	}
	return name
}

// rowNoun says what the rows of a kind of file are.
func rowNoun(kind catalog.Kind) string {
	switch kind {
	case catalog.KindCatalog:
		return "article"
	case catalog.KindPromotions:
		return "promotion"
	}
	return "row"
}

// storeName returns a store's id, with its name where it has another one.
func storeName(cfg *config.Config, vendor string) string {
	for _, v := range cfg.Vendors {
		if v.ID == vendor && v.Name != "" && v.Name != v.ID {
			return plain(fmt.Sprintf("%s (%s)", v.ID, v.Name))
		}
	}
	return vendor
}

// planLine says in one line what would be sent to a store.
func planLine(s plannedStore) string {
	if s.Rows == 0 {
		return "nothing to send"
	}
	kind := "changes"
	if s.Full {
		kind = "everything"
	}
	line := fmt.Sprintf("%s: %s, %d of them changed", kind, count(s.Rows, rowNoun(s.Kind)), s.Differs)
	if parts := changeParts(s.Change); parts != "" {
		line += " (" + parts + ")"
	}
	return line
}

// changeParts counts what changes, "" for nothing.
func changeParts(c shelf.Change) string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{
		{c.New, "new"},
		{c.PriceUp, "dearer"},
		{c.PriceDown, "cheaper"},
		{c.SwitchedOn, "back on sale"},
		{c.SwitchedOff, "off sale"},
		{c.Other, "otherwise"},
		{c.Started, "to start"},
		{c.Ended, "to end"},
		{c.Changed, "to end and start again"},
	} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return strings.Join(parts, ", ")
}

// articleLine shows one row as a line of a diff.
func articleLine(row plannedArticle) string {
	now, then := values(row.Row), values(row.Sent)
	if !row.Differs {
		return fmt.Sprintf("= %s repeated: %s", row.Key, strings.Join(told(now), ", "))
	}
	if row.New {
		return fmt.Sprintf("+ %s new: %s", row.Key, strings.Join(told(now), ", "))
	}
	var changed []string
	for i, v := range now {
		switch was := then[i].text; {
		case v.text == "" || v.text == was:
		case was == "":
			changed = append(changed, v.name+" "+v.text)
		default:
			changed = append(changed, v.name+" "+was+" -> "+v.text)
		}
	}
	if len(changed) == 0 {
		// The change is against what began to leave, not against what was verified.
		changed = told(now)
	}
	return fmt.Sprintf("~ %s changed: %s", row.Key, strings.Join(changed, ", "))
}

// promotionLine shows one promotion as a line of a diff.
func promotionLine(p plannedPromotion) string {
	mark, what := "=", "repeated"
	switch {
	case !p.Active && p.Differs:
		mark, what = "-", "ends"
	case !p.Active:
		what = "end repeated"
	case p.Differs:
		mark, what = "+", "starts"
	}
	offer := p.Offer
	if p.Details != "" {
		offer = strings.TrimSpace(p.Details + " " + p.Benefit + " " + p.Offer)
	}
	return fmt.Sprintf("%s %s %s: %s, %s, %s to %s", mark, p.Key, what, p.Campaign, offer, p.Start, p.End)
}

// value is one field of an article in words; text "" is one that it doesn't speak of.
type value struct{ name, text string }

// values returns the fields of an article, always all of them and in the same order.
func values(a article) []value {
	v := []value{{name: "price"}, {name: "on sale"}, {name: "quantity"}, {name: "at most"}}
	if a.Price != nil {
		v[0].text = *a.Price
	}
	if a.Active != nil {
		v[1].text = map[bool]string{true: "yes", false: "no"}[*a.Active]
	}
	if a.Quantity != nil {
		v[2].text = strconv.FormatInt(*a.Quantity, 10)
	}
	if a.MaxSales != nil {
		v[3].text = strconv.FormatInt(*a.MaxSales, 10)
	}
	return v
}

// told returns the fields that have a value, in words.
func told(all []value) []string {
	var words []string
	for _, v := range all {
		if v.text != "" {
			words = append(words, v.name+" "+v.text)
		}
	}
	return words
}

// heldLine says what is held of a plan.
func heldLine(f shelf.Finding) string {
	switch f.Code {
	case catalog.BrakeFirst:
		return "the first files for this store"
	case catalog.BrakeLate:
		return "everything, for it has waited too long"
	case catalog.BrakePrice, catalog.BrakeFactor:
		return count(f.Count, "price")
	}
	return count(f.Count, "promotion")
}
