package config

import (
	"fmt"
	"maps"
	"slices"
)

// Rules is what becomes of what the exports of a feed say, before it is wanted. A nil or empty value is a rule that is not there.
type Rules struct {
	Price    PriceRules            `yaml:"price"`
	Quantity QuantityRules         `yaml:"quantity"`
	Active   ActiveRules           `yaml:"active"`
	MaxSales MaxSalesRules         `yaml:"maximum_sales_quantity"`
	Exclude  Exclusion             `yaml:"exclude"`
	Stores   map[string]StoreRules `yaml:"stores"` // by id: what is different there
}

// StoreRules are the rules of one store. Of the file it is what differs from the rest; [Rules.For] puts the two together.
type StoreRules struct {
	Price    PriceRules    `yaml:"price"`
	Quantity QuantityRules `yaml:"quantity"`
	Active   ActiveRules   `yaml:"active"`
	MaxSales MaxSalesRules `yaml:"maximum_sales_quantity"`
	Exclude  Exclusion     `yaml:"exclude"`
}

// PriceRules are worked in the order of the fields: a formula or VAT and markup, then the step, the ending and the limits.
type PriceRules struct {
	Expr         string  `yaml:"expr"`          // a formula, instead of vat and markup
	VAT          *VAT    `yaml:"vat"`           // +22% puts it on, -22% takes it out
	Markup       *Rate   `yaml:"markup"`        // on top; may be negative
	Round        *Amount `yaml:"round"`         // to the nearest multiple, half up
	Ending       *Ending `yaml:"ending"`        // then to the nearest price that ends so, half up
	Floor        *Amount `yaml:"floor"`         // a price below it is refused
	Ceiling      *Amount `yaml:"ceiling"`       // above it is what above_ceiling says
	AboveCeiling string  `yaml:"above_ceiling"` // issue: refused; inactive: switched off; default issue
}

// QuantityRules are for the stock.
type QuantityRules struct {
	Expr      string `yaml:"expr"`      // a formula; rounded down, and none where it is below zero
	Threshold *int   `yaml:"threshold"` // so many or fewer count as none
}

// ActiveRules are for the switch.
type ActiveRules struct {
	Default *bool `yaml:"default"` // where the row says nothing
}

// MaxSalesRules are for how many units an order may hold.
type MaxSalesRules struct {
	Default *int `yaml:"default"` // where the row says nothing; 0 = none
	Ceiling *int `yaml:"ceiling"` // never more; 0 = none
}

// Exclusion is which articles are not offered.
type Exclusion struct {
	Columns []string `yaml:"columns"` // headers of the columns that are searched
	Words   []string `yaml:"words"`   // whole words or several in a row, without case and accents
	Then    string   `yaml:"then"`    // inactive: switched off; skip: the row is left out; default inactive
}

// The values of PriceRules.AboveCeiling and of Exclusion.Then.
const (
	RuleIssue    = "issue"
	RuleInactive = "inactive"
	RuleSkip     = "skip"
)

// For returns the rules of a store: key by key its own where it has one, else those for all. Of a formula and what excludes it, what
// the store says itself counts alone. An id without rules of its own, such as "", gets those for all.
func (r Rules) For(id string) StoreRules {
	own := r.Stores[id]
	general := r.Price
	switch {
	case own.Price.Expr != "":
		general.VAT, general.Markup = nil, nil
	case own.Price.VAT != nil || own.Price.Markup != nil:
		general.Expr = ""
	}
	return StoreRules{
		Price: PriceRules{
			Expr: first(own.Price.Expr, general.Expr), VAT: first(own.Price.VAT, general.VAT),
			Markup: first(own.Price.Markup, general.Markup), Round: first(own.Price.Round, general.Round),
			Ending: first(own.Price.Ending, general.Ending), Floor: first(own.Price.Floor, general.Floor),
			Ceiling: first(own.Price.Ceiling, general.Ceiling), AboveCeiling: first(own.Price.AboveCeiling, general.AboveCeiling),
		},
		Quantity: QuantityRules{
			Expr: first(own.Quantity.Expr, r.Quantity.Expr), Threshold: first(own.Quantity.Threshold, r.Quantity.Threshold),
		},
		Active: ActiveRules{Default: first(own.Active.Default, r.Active.Default)},
		MaxSales: MaxSalesRules{
			Default: first(own.MaxSales.Default, r.MaxSales.Default), Ceiling: first(own.MaxSales.Ceiling, r.MaxSales.Ceiling),
		},
		Exclude: Exclusion{
			Columns: firstList(own.Exclude.Columns, r.Exclude.Columns), Words: firstList(own.Exclude.Words, r.Exclude.Words),
			Then: first(own.Exclude.Then, r.Exclude.Then),
		},
	}
}

// first returns own where it says something, else general.
func first[T comparable](own, general T) T {
	var none T
	if own != none {
		return own
	}
	return general
}

// firstList is first for lists: an empty one that is written says something.
func firstList(own, general []string) []string {
	if own != nil {
		return own
	}
	return general
}

const (
	maxQuantity  = 1_000_000 // more pieces than any rule is about
	maxWords     = 500
	maxFormula   = 1000                // characters: a page of them is a program
	largestRound = Amount(100_000_000) // a hundred thousand units
)

// rules checks the rules of a feed; at is their path.
func (ck *checker) rules(at string, f Feed) {
	r := f.Rules
	general := StoreRules{Price: r.Price, Quantity: r.Quantity, Active: r.Active, MaxSales: r.MaxSales, Exclude: r.Exclude}
	ck.written(at, f, general, r.For(""))
	for _, id := range slices.Sorted(maps.Keys(r.Stores)) {
		path := join(at+".stores", id)
		ck.ruledStore(path, id, f.Vendor)
		ck.written(path, f, r.Stores[id], r.For(id))
	}
}

// ruledStore checks that the feed tells the store with rules of its own from the others.
func (ck *checker) ruledStore(at, id string, source VendorSource) {
	ids := make([]string, len(ck.c.Vendors))
	for i, v := range ck.c.Vendors {
		ids[i] = v.ID
		if ck.silent(fmt.Sprintf("vendors[%d].id", i)) {
			return
		}
	}
	switch {
	case ck.silent("vendors"):
	case !slices.Contains(ids, id):
		p := ck.c.Problem(at, "no store under vendors has the id %q", id)
		p.Suggest = suggest(id, ids)
		ck.add(p)
	case source.All:
		ck.wrong(at, "with vendor: all the feed says the same of every store; list them there as {ids: [...]}, or remove this")
	case len(source.IDs) > 0 && !slices.Contains(source.IDs, id):
		ck.wrong(at, "the feed is never about this store; add it to vendor.ids, or remove this")
	}
}

// written checks what a section of rules says; whole is what then holds, with the rules for all stores.
func (ck *checker) written(at string, f Feed, section, whole StoreRules) {
	if f.Kind == kindPromotions {
		ck.promotionRules(at, section)
	}
	ck.priceRules(at+".price", section.Price, whole.Price)
	ck.formula(at+".quantity.expr", section.Quantity.Expr)
	for _, n := range []struct {
		key   string
		value *int
	}{
		{".quantity.threshold", section.Quantity.Threshold},
		{".maximum_sales_quantity.default", section.MaxSales.Default},
		{".maximum_sales_quantity.ceiling", section.MaxSales.Ceiling},
	} {
		if n.value != nil {
			within(ck, at+n.key, *n.value, 0, maxQuantity)
		}
	}
	if m := whole.MaxSales; m.Default != nil && m.Ceiling != nil && *m.Ceiling > 0 && *m.Default > *m.Ceiling && section.MaxSales != (MaxSalesRules{}) {
		ck.wrong(at+".maximum_sales_quantity.default", "%d is above the ceiling %d; lower the one or raise the other", *m.Default, *m.Ceiling)
	}
	ck.exclusion(at+".exclude", section.Exclude, whole.Exclude)
}

// promotionRules reports rules that a feed of promotions has no use for.
func (ck *checker) promotionRules(at string, r StoreRules) {
	for _, only := range []struct {
		key string
		is  bool
	}{
		{"price", r.Price != PriceRules{}},
		{"quantity", r.Quantity != QuantityRules{}},
		{"active", r.Active != ActiveRules{}},
		{"maximum_sales_quantity", r.MaxSales != MaxSalesRules{}},
	} {
		if only.is {
			ck.wrong(join(at, only.key), "is for feeds with kind: catalog; of promotions only exclude can be said, because what they "+
				"offer stands in the export")
		}
	}
}

// priceRules checks what a section says of prices.
func (ck *checker) priceRules(at string, p, whole PriceRules) {
	ck.formula(at+".expr", p.Expr)
	if p.Expr != "" && (p.VAT != nil || p.Markup != nil) {
		ck.wrong(at+".expr", "excludes vat and markup; work them into the formula, or remove it")
	}
	if p.Round != nil && *p.Round > largestRound {
		ck.wrong(at+".round", "want a step of at most %s, found %s", largestRound, *p.Round)
	}
	if p.AboveCeiling != "" {
		ck.oneOf(at+".above_ceiling", p.AboveCeiling, RuleIssue, RuleInactive)
	}
	if (p.Floor != nil || p.Ceiling != nil) && whole.Floor != nil && whole.Ceiling != nil && *whole.Ceiling > 0 && *whole.Floor > *whole.Ceiling {
		ck.wrong(at+".floor", "%s is above the ceiling %s; lower the one or raise the other", *whole.Floor, *whole.Ceiling)
	}
}

// formula checks the length of a formula. What it may say is feed's to know.
func (ck *checker) formula(at, text string) {
	if n := len([]rune(text)); n > maxFormula {
		ck.wrong(at, "want at most %d characters, found %d; work it out in the export instead", maxFormula, n)
	}
}

// exclusion checks what a section says of articles that are not offered.
func (ck *checker) exclusion(at string, e, whole Exclusion) {
	if e.Then != "" {
		ck.oneOf(at+".then", e.Then, RuleInactive, RuleSkip)
	}
	if len(e.Words) > maxWords {
		ck.wrong(at+".words", "want at most %d, found %d", maxWords, len(e.Words))
	}
	switch {
	case len(e.Words) > 0 && len(whole.Columns) == 0 && !ck.silent(at+".columns"):
		ck.wrong(at+".words", "no columns to search; write columns: beside it, with the headers")
	case len(e.Columns) > 0 && len(whole.Words) == 0 && e.Words == nil && !ck.silent(at+".words"):
		ck.wrong(at+".columns", "no words to search for; write words: beside it")
	}
}
