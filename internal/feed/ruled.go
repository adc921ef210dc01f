package feed

import (
	"bytes"
	"errors"
	"slices"
	"strconv"

	"gondola/internal/catalog"
	"gondola/internal/table"
)

// The roles of columns that only rules ask for. They stand in no header of a Result.
const (
	roleExcluded Role = "exclude" // searched for words; the role that issues name
	roleFormula  Role = "formula" // numbers and texts of a formula
)

// bindRules finds the columns that the rules ask for, and refuses an export that lacks one or has it twice.
func (c *converter) bindRules() {
	if c.rules == nil {
		return
	}
	missing := map[string]bool{} // told once, though many stores ask
	find := func(role Role, header string) *column {
		var at []int
		for i, name := range c.header.names {
			if squeeze(name) == squeeze(header) {
				at = append(at, i)
			}
		}
		if key := string(role) + " " + squeeze(header); len(at) != 1 && !missing[key] {
			missing[key] = true
			if len(at) == 0 {
				c.refuse(catalog.HeadConfig, append([]string{string(role), header}, c.header.listed()...)...)
			} else {
				c.refuse(catalog.HeadTwice, string(role), excerpt(c.header.names[at[0]]), excerpt(c.header.names[at[1]]))
			}
		}
		if len(at) == 0 {
			return nil
		}
		return &column{HeaderColumn: HeaderColumn{Role: roleFormula, Name: c.header.names[at[0]], Index: at[0], How: HowConfig}}
	}
	for _, set := range c.rules.sets {
		c.bindFormula(set.price, RolePrice, find)
		c.bindFormula(set.stock, RoleQuantity, find)
		if len(set.words) == 0 {
			continue
		}
		set.columns = nil
		for _, header := range set.Exclude.Columns {
			if col := find(roleExcluded, header); col != nil {
				set.columns = append(set.columns, col)
			}
		}
	}
}

// bindFormula gives a formula its columns.
func (c *converter) bindFormula(f *formula, role Role, find func(Role, string) *column) {
	if f == nil {
		return
	}
	columns := map[string]*column{}
	for _, header := range f.headers {
		key := squeeze(header)
		col, known := c.asked[key]
		if !known {
			col = find(role, header)
		}
		if col == nil {
			continue
		}
		// What the formula says of the marks counts for it; what the config says of a column with a role counts for all.
		said := f.decimal[key]
		if i := slices.IndexFunc(c.columns, func(other *column) bool { return other.Index == col.Index }); i >= 0 && said == "" {
			said = c.spec.Columns[string(c.columns[i].Role)].Decimal
		}
		if convention, ok := configured(said); ok {
			own := *col
			own.convention = convention
			columns[key] = &own
			continue
		}
		if !known {
			c.asked[key] = col
		}
		columns[key] = col
	}
	f.bind(columns)
}

// askedColumns are the columns of formulas whose decimal mark the evidence has to tell, in the order of the header.
func (c *converter) askedColumns() []*column {
	var all []*column
	for _, col := range c.asked {
		all = append(all, col)
	}
	slices.SortFunc(all, func(a, b *column) int { return a.Index - b.Index })
	return all
}

// ownByRules adds what the rules say by themselves to the fields that the export has columns for.
func (c *converter) ownByRules() {
	if c.rules == nil || c.promotions() {
		return
	}
	said := c.res.Owned
	c.res.Owned |= c.rules.owned()
	// A default, and the formula of a quantity, may be one store's alone, and say nothing of some rows.
	c.rules.saysActive = c.rules.switchesOff && !said.Has(catalog.Active) && !said.Has(catalog.Quantity)
	if c.rules.saysActive {
		c.res.Owned |= catalog.Active
	}
}

// offered returns those of the stores where the row's article is not left out.
func (c *converter) offered(r table.Row, stores []string) []string {
	if c.rules == nil || !c.rules.skips {
		return stores
	}
	var left []string
	told := false
	for _, g := range c.rules.split(stores) {
		word, col := "", (*column)(nil)
		if g.set.Exclude.Skip {
			word, col = c.excludedBy(r, g.set)
		}
		switch {
		case word == "":
			left = append(left, g.stores...)
			continue
		case !told:
			told = true
			c.note(r, col, catalog.RuleExcluded, excerpt(word))
		}
		c.trace.excluded(r, g.stores, word)
	}
	return left
}

// excludedBy returns the word that excludes the row's article, and the column that it stands in; "" when none does.
func (c *converter) excludedBy(r table.Row, set *ruleSet) (string, *column) {
	for _, col := range set.columns {
		text := shown(r, col)
		if text == "" {
			continue
		}
		c.scratch = append(appendFold(append(c.scratch[:0], ' '), text), ' ')
		for _, w := range set.words {
			if bytes.Contains(c.scratch, w.folded) {
				return w.text, col
			}
		}
	}
	return "", nil
}

// ruled reads what the row says about its article and hands on what the rules make of it for every store.
func (c *converter) ruled(r table.Row, item catalog.Item, stores []string) error {
	var full catalog.Item
	read, good, taken, told := false, false, false, false
	for _, g := range c.rules.groups(stores) {
		out := Record{Item: item, Row: r.Line, Rejected: true}
		word, col := c.excludedBy(r, g.set)
		c.trace.group()
		switch {
		case word != "" && !g.set.Exclude.Skip:
			// Whatever else is wrong with the row: what is not offered must not stay on sale.
			out.Item, out.Rejected = c.switchedOff(item, g.set), false
			c.trace.step("exclude", "", word, "switched off")
			if !told {
				told = true
				c.note(r, col, catalog.RuleExcluded, excerpt(word))
			}
		case !read:
			read = true
			full, good = c.readFields(r, item)
			fallthrough
		default:
			if !good {
				break
			}
			if it, ok := c.apply(r, g, full); ok {
				out.Item, out.Rejected = it, false
			}
		}
		if !out.Rejected {
			taken = true
			c.res.Records += len(g.stores)
		}
		if err := c.handOn(g.stores, out); err != nil {
			return err
		}
	}
	if !taken {
		c.res.Rejected++
	}
	return nil
}

// switchedOff returns the item when it is not offered: switched off in the words of its feed, as what is missing from it would be.
func (c *converter) switchedOff(item catalog.Item, set *ruleSet) catalog.Item {
	off := catalog.Active
	// Only what other rows of the store say, too, can be taken back by one of them.
	if c.active == nil && set.ActiveDefault == nil && !c.rules.saysActive {
		off = catalog.Quantity
	}
	return c.silent(catalog.Item{SKU: item.SKU, Barcode: item.Barcode, Set: off})
}

// silent notes that the row says nothing about the fields of the export that have no value.
func (c *converter) silent(item catalog.Item) catalog.Item {
	c.leaveBlank(c.res.Owned&^item.Set, &item)
	return item
}

// say gives a field a value, which the caller sets.
func say(item *catalog.Item, field catalog.Fields) {
	item.Set |= field
	item.Blank &^= field
}

// apply works the rules for stores that share them; false rejects the row there.
func (c *converter) apply(r table.Row, g ruleGroup, item catalog.Item) (catalog.Item, bool) {
	rules := g.set
	before := item
	if rules.ActiveDefault != nil && !item.Set.Has(catalog.Active) {
		item.Active = *rules.ActiveDefault
		say(&item, catalog.Active)
	}
	c.trace.fields("active.default", before, item)
	if c.rules.saysActive && !item.Set.Has(catalog.Active) {
		item.Active = true
		say(&item, catalog.Active)
	}
	before = item
	if rules.MaxDefault > 0 && !item.Set.Has(catalog.MaxSales) {
		item.MaxSales = rules.MaxDefault
		say(&item, catalog.MaxSales)
	}
	c.trace.fields("maximum_sales_quantity.default", before, item)
	before = item
	if item.Set.Has(catalog.MaxSales) && rules.MaxCeiling > 0 {
		item.MaxSales = min(item.MaxSales, rules.MaxCeiling)
	}
	c.trace.fields("maximum_sales_quantity.ceiling", before, item)
	said := item // formulas know the row as it is, not what other formulas made of it
	ok := c.applyStock(r, g, said, &item)
	on, okPrice := c.applyPrice(r, g, said, &item)
	if ok && okPrice && !on {
		before = item
		item = c.switchedOff(item, g.set)
		c.trace.fields("price.above_ceiling", before, item)
	}
	return item, ok && okPrice
}

// applyStock works the rules for the quantity; false rejects the row.
func (c *converter) applyStock(r table.Row, g ruleGroup, said catalog.Item, item *catalog.Item) bool {
	if f := g.set.stock; f != nil {
		x, err := f.result(r, g.stores[0], said)
		switch {
		case errors.Is(err, errBlank):
			item.Set &^= catalog.Quantity
			c.leaveBlank(catalog.Quantity, item)
			return true
		case err != nil:
			return c.noResult(r, RoleQuantity, err)
		}
		n := wholes(x, 0, 1).Num()
		if !n.IsInt64() || n.Int64() > largestWhole {
			return c.noResult(r, RoleQuantity, &noResult{text: x.FloatString(0)})
		}
		item.Quantity = max(n.Int64(), 0)
		say(item, catalog.Quantity)
	}
	c.trace.fields("quantity.expr", said, *item)
	before := *item
	if item.Set.Has(catalog.Quantity) && item.Quantity <= g.set.StockThreshold {
		item.Quantity = 0
	}
	c.trace.fields("quantity.threshold", before, *item)
	return true
}

// applyPrice works the rules for the price. on is false where it switches the article off, ok where it rejects the row.
func (c *converter) applyPrice(r table.Row, g ruleGroup, said catalog.Item, item *catalog.Item) (on, ok bool) {
	rules := &g.set.Price
	var amount exact
	switch f := g.set.price; {
	case f != nil:
		x, err := f.result(r, g.stores[0], said)
		if errors.Is(err, errBlank) {
			item.Set &^= catalog.Price
			c.leaveBlank(catalog.Price, item)
			return true, true
		}
		if err != nil {
			return true, c.noResult(r, RolePrice, err)
		}
		if amount, ok = resultOf(x); !ok {
			return true, c.noResult(r, RolePrice, &noResult{text: shortNumber(x.FloatString(catalog.MoneyScale))})
		}
		if c.trace != nil {
			c.trace.step("price.expr", string(RolePrice), fieldText(said, catalog.Price), amount.text())
		}
	case !item.Set.Has(catalog.Price):
		return true, true
	case !c.rules.computes && rules.Floor == 0 && rules.Ceiling == 0:
		return true, true
	default:
		amount = rated(item.Price, rules.VAT, rules.Markup)
		c.trace.amount("price.vat", amountOf(item.Price), rated(item.Price, rules.VAT, 0))
		c.trace.amount("price.markup", rated(item.Price, rules.VAT, 0), amount)
	}
	m, fits := rules.priced(amount, c.spec.PriceDecimals, c.trace)
	switch {
	case !fits && g.set.price != nil:
		return true, c.noResult(r, RolePrice, &noResult{text: "> " + catalog.MaxMoney.String()})
	case !fits:
		c.fail(r, c.price, catalog.PriceLarge, excerpt(shown(r, c.price)))
		return true, false
	case m <= 0 && g.set.price != nil:
		return true, c.noResult(r, RolePrice, &noResult{text: "0"})
	case m <= 0:
		c.fail(r, c.price, catalog.PriceZero, excerpt(shown(r, c.price)))
		return true, false
	}
	item.Price = m
	say(item, catalog.Price)
	return c.limit(r, rules, m)
}

// limit holds a price against floor and ceiling.
func (c *converter) limit(r table.Row, rules *PriceRules, m catalog.Money) (on, ok bool) {
	text := func(m catalog.Money) string { return m.Text(c.spec.PriceDecimals) }
	switch {
	case m < rules.Floor:
		c.fail(r, c.price, catalog.RuleFloor, text(m), text(rules.Floor))
		return true, false
	case rules.Ceiling == 0 || m <= rules.Ceiling:
		return true, true
	case rules.CeilingOff:
		c.warn(r, c.price, catalog.RuleCeilingOff, text(m), text(rules.Ceiling))
		return false, true
	}
	c.fail(r, c.price, catalog.RuleCeiling, text(m), text(rules.Ceiling))
	return true, false
}

// noResult tells why a formula has no result for the row, and returns false.
func (c *converter) noResult(r table.Row, role Role, err error) bool {
	text, col := "?", (*column)(nil)
	if none, ok := errors.AsType[*noResult](err); ok {
		text, col = none.text, none.col
	}
	c.fail(r, col, catalog.RuleNoResult, string(role), text)
	return false
}

// shortNumber cuts the zeros behind the point, and a number that is too long for an issue.
func shortNumber(text string) string {
	if x, err := strconv.ParseFloat(text, 64); err == nil && len(text) < 20 {
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return excerpt(text)
}
