package feed

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gondola/internal/catalog"
)

// Rules are what becomes of what an export says, before it is handed on. Promotions know no rule but Exclude.
type Rules struct {
	RuleSet                    // of the stores that have none of their own
	Stores  map[string]RuleSet // by id: all rules of that store, those that it shares with the others too
}

// RuleSet are the rules of one store. A zero value is a rule that is not there.
type RuleSet struct {
	Price          PriceRules
	Stock          string // a formula for the quantity: rounded down, none where it is below zero
	StockThreshold int64  // so many pieces or fewer count as none
	ActiveDefault  *bool  // where the row says nothing
	MaxDefault     int64  // the maximum sales quantity where the row says none
	MaxCeiling     int64  // it is never more
	Exclude        Exclusion
}

// PriceRules are worked in the order of the fields, with exact numbers: what is rounded is the result, once for each of step, ending and
// the currency's decimals that is needed.
type PriceRules struct {
	Formula string // instead of VAT and Markup
	VAT     Rate   // below zero it is taken out of the price
	Markup  Rate
	Round   catalog.Money // to the nearest multiple, half up, at least one; at most maxStep
	Ending  Ending
	Floor   catalog.Money // a price below it rejects the row
	Ceiling catalog.Money // so does one above it, unless CeilingOff
	// CeilingOff switches articles above the ceiling off, and says nothing of their price.
	CeilingOff bool
}

// Rate is a share in thousandths of a percent.
type Rate int64

// Ending is how prices end: Tail above a multiple of Every, a power of ten from 1 to 100,000 units. A price goes to the nearest
// one that ends so, half up; where that would be zero or less it stays.
type Ending struct{ Tail, Every catalog.Money }

// Exclusion is which articles are not offered: those that have one of the words in one of the columns. Skip leaves their rows out as
// if they were not there; else they are switched off, whatever else the row says.
type Exclusion struct {
	Columns []string // headers
	Words   []string // or several words in a row; whole ones, without case, accents and punctuation
	Skip    bool
}

// maxStep is the largest step and distance of endings: the arithmetic of 128 bits holds it.
const maxStep catalog.Money = 100_000_000

// computes reports whether the price is another one than the export's, but for the currency's decimals.
func (p PriceRules) computes() bool {
	return p.Formula != "" || p.VAT != 0 || p.Markup != 0 || p.Round != 0 || p.Ending.Every != 0
}

// switchesOff reports whether an article can be switched off by the rules.
func (s RuleSet) switchesOff() bool {
	return len(s.Exclude.Words) > 0 && !s.Exclude.Skip || s.Price.Ceiling > 0 && s.Price.CeilingOff
}

// isZero reports whether there is no rule.
func (s RuleSet) isZero() bool {
	return !s.Price.computes() && s.Price.Floor == 0 && s.Price.Ceiling == 0 && s.Stock == "" && s.StockThreshold == 0 &&
		s.ActiveDefault == nil && s.MaxDefault == 0 && s.MaxCeiling == 0 && len(s.Exclude.Words) == 0
}

// checkRules looks at the rules for all stores, then at those of each. What a store shares with the others is told once.
func (s Spec) checkRules(fault func(path, format string, args ...any)) {
	told := map[string]bool{}
	for _, id := range append([]string{""}, slices.Sorted(maps.Keys(s.Rules.Stores))...) {
		at, set := "rules.", s.Rules.RuleSet
		if id != "" {
			at, set = "rules.stores."+id+".", s.Rules.Stores[id]
		}
		s.checkRuleSet(set, func(key, format string, args ...any) {
			if text := key + ": " + fmt.Sprintf(format, args...); !told[text] {
				told[text] = true
				fault(at+key, format, args...)
			}
		})
	}
}

// checkRuleSet looks at the rules of one store; fault takes their keys.
func (s Spec) checkRuleSet(set RuleSet, fault func(key, format string, args ...any)) {
	step := roundingStep(s.PriceDecimals)
	for _, amount := range []struct {
		key   string
		value catalog.Money
	}{{"price.round", set.Price.Round}, {"price.ending", set.Price.Ending.Tail}} {
		if amount.value%step != 0 {
			fault(amount.key, "%s has more decimals than the currency; write at most %d, as chain.price_decimals has them",
				amount.value.Text(s.PriceDecimals), s.PriceDecimals)
		}
	}
	if set.Price.Round > maxStep || set.Price.Ending.Every > maxStep {
		fault("price.round", "want a step of at most %s", maxStep)
	}
	for _, text := range []struct{ key, formula string }{{"price.expr", set.Price.Formula}, {"quantity.expr", set.Stock}} {
		if text.formula == "" {
			continue
		}
		f, err := compileFormula(text.formula)
		switch {
		case err != nil:
			fault(text.key, "%v", err)
		case s.Source.All && f.store:
			fault(text.key, "with vendor: all there is no store to ask for; list the stores there as {ids: [...]}, or leave vendor out")
		}
	}
	for i, header := range set.Exclude.Columns {
		if squeeze(header) == "" {
			fault(fmt.Sprintf("exclude.columns[%d]", i), unfindable, header)
		}
	}
	for i, word := range set.Exclude.Words {
		if fold(word) == "" {
			fault(fmt.Sprintf("exclude.words[%d]", i), "%q has no letter or digit; write a word as it stands in the export", word)
		}
	}
}

// ruler holds the rules of one conversion, ready to be worked. A nil one has none.
type ruler struct {
	sets    []*ruleSet
	general *ruleSet
	byStore map[string]*ruleSet
	fixed   []ruleGroup // of the stores of every row, where a column does not tell them
	one     [1]ruleGroup

	// What any of the sets does.
	computes, skips, switchesOff bool
	// saysActive: no column tells whether an article is on, so that every row must say it, or what was switched off stays so.
	saysActive bool
}

// ruleSet is a RuleSet, ready to be worked.
type ruleSet struct {
	RuleSet
	price, stock *formula // nil where there is none
	words        []excludedWord
	columns      []*column // those that the words are searched in
	perStore     bool      // a formula asks for the store
}

// excludedWord is a word as the config has it, and as cells are compared.
type excludedWord struct {
	text   string
	folded []byte // between spaces
}

// ruleGroup are stores of a row for which it comes to the same.
type ruleGroup struct {
	set    *ruleSet
	stores []string
}

// newRuler prepares the rules; nil when there are none. A formula that does not compile is left out: Check has told.
func newRuler(r Rules) *ruler {
	ru := &ruler{byStore: map[string]*ruleSet{}}
	none := r.isZero()
	ru.general = ru.add(r.RuleSet)
	for id, set := range r.Stores {
		none = none && set.isZero()
		ru.byStore[id] = ru.add(set)
	}
	if none {
		return nil
	}
	return ru
}

// add prepares one set.
func (ru *ruler) add(rules RuleSet) *ruleSet {
	set := &ruleSet{RuleSet: rules}
	set.price, set.stock = formulaOf(rules.Price.Formula), formulaOf(rules.Stock)
	for _, f := range []*formula{set.price, set.stock} {
		set.perStore = set.perStore || f != nil && f.store
	}
	for _, w := range rules.Exclude.Words {
		if folded := fold(w); folded != "" {
			set.words = append(set.words, excludedWord{text: strings.TrimSpace(w), folded: []byte(" " + folded + " ")})
		}
	}
	ru.sets = append(ru.sets, set)
	ru.computes = ru.computes || rules.Price.computes()
	ru.skips = ru.skips || len(set.words) > 0 && rules.Exclude.Skip
	ru.switchesOff = ru.switchesOff || rules.switchesOff()
	return set
}

// of returns the set of a store.
func (ru *ruler) of(id string) *ruleSet {
	if set, ok := ru.byStore[id]; ok {
		return set
	}
	return ru.general
}

// fix prepares the groups of stores that every row is about.
func (ru *ruler) fix(stores []string) { ru.fixed = ru.split(stores) }

// groups returns the stores of a row by what rules they have, in the order of their first ones. The slice is valid until the next call.
func (ru *ruler) groups(stores []string) []ruleGroup {
	switch {
	case len(stores) == 1:
		ru.one[0] = ruleGroup{set: ru.of(stores[0]), stores: stores}
		return ru.one[:]
	case !ru.skips:
		return ru.fixed
	}
	return ru.split(stores) // some were left out
}

func (ru *ruler) split(stores []string) []ruleGroup {
	var groups []ruleGroup
	for i, id := range stores {
		set := ru.of(id)
		at := slices.IndexFunc(groups, func(g ruleGroup) bool { return g.set == set && !set.perStore })
		if at < 0 {
			at, groups = len(groups), append(groups, ruleGroup{set: set})
		}
		groups[at].stores = append(groups[at].stores, stores[i])
	}
	return groups
}

// owned returns the fields that rows have a word about by the rules alone.
func (ru *ruler) owned() catalog.Fields {
	var f catalog.Fields
	for _, set := range ru.sets {
		if set.price != nil {
			f |= catalog.Price
		}
		if set.stock != nil {
			f |= catalog.Quantity
		}
		if set.ActiveDefault != nil {
			f |= catalog.Active
		}
		if set.MaxDefault > 0 {
			f |= catalog.MaxSales
		}
	}
	return f
}

// gives reports whether a formula makes something of columns that have no role, so that an export may do without one that has.
func (ru *ruler) gives() bool { return ru != nil && ru.owned()&(catalog.Price|catalog.Quantity) != 0 }
