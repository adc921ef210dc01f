package daemon

import (
	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/feed"
)

// rulesOf puts a feed's rules into feed's own values.
func rulesOf(r config.Rules) feed.Rules {
	rules := feed.Rules{RuleSet: ruleSetOf(r.For("")), Stores: make(map[string]feed.RuleSet, len(r.Stores))}
	for id := range r.Stores {
		rules.Stores[id] = ruleSetOf(r.For(id))
	}
	return rules
}

func ruleSetOf(r config.StoreRules) feed.RuleSet {
	p, ending := r.Price, orNone(r.Price.Ending)
	return feed.RuleSet{
		Price: feed.PriceRules{
			Formula: p.Expr, VAT: feed.Rate(orNone(p.VAT)), Markup: feed.Rate(orNone(p.Markup)),
			Round: catalog.Money(orNone(p.Round)), Ending: feed.Ending{Tail: catalog.Money(ending.Tail), Every: catalog.Money(ending.Every)},
			Floor: catalog.Money(orNone(p.Floor)), Ceiling: catalog.Money(orNone(p.Ceiling)), CeilingOff: p.AboveCeiling == config.RuleInactive,
		},
		Stock: r.Quantity.Expr, StockThreshold: int64(orNone(r.Quantity.Threshold)), ActiveDefault: r.Active.Default,
		MaxDefault: int64(orNone(r.MaxSales.Default)), MaxCeiling: int64(orNone(r.MaxSales.Ceiling)),
		Exclude: feed.Exclusion{Columns: r.Exclude.Columns, Words: r.Exclude.Words, Skip: r.Exclude.Then == config.RuleSkip},
	}
}

// orNone returns what a value of the config says, or the zero that is no rule.
func orNone[T any](v *T) T {
	if v == nil {
		var none T
		return none
	}
	return *v
}
