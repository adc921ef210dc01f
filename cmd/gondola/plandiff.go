package main

import (
	"fmt"
	"strconv"
	"strings"

	"gondola/internal/config"
)

// printPlan shows a plan like a diff, store by store.
func (a *app) printPlan(cfg *config.Config, all []plannedStore) {
	for i, s := range all {
		if i > 0 {
			a.printf("\n")
		}
		a.printf("store %s: %s\n", storeName(cfg, s.Vendor), planLine(s))
		for _, row := range s.Articles {
			a.printf("  %s\n", plain(articleLine(row)))
		}
		if more := s.Rows - len(s.Articles); more > 0 {
			a.printf("  and %s more; --rows 0 shows all\n", count(more, "article"))
		}
		for _, seq := range s.Held {
			a.printf("  held by the brake: drop %d; gondola status says why\n", seq)
		}
	}
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
	line := fmt.Sprintf("%s: %s, %d of them changed", kind, count(s.Rows, "article"), s.Differs)
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{
		{s.Change.New, "new"},
		{s.Change.PriceUp, "dearer"},
		{s.Change.PriceDown, "cheaper"},
		{s.Change.SwitchedOn, "back on sale"},
		{s.Change.SwitchedOff, "off sale"},
		{s.Change.Other, "otherwise"},
	} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	if len(parts) > 0 {
		line += " (" + strings.Join(parts, ", ") + ")"
	}
	return line
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
