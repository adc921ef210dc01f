package report

import "strings"

// Cause says what the prices that the brake holds look like. The n-th argument is the kind of slip, the next one the factor; "" where
// they look like none.
func (p phrase) Cause(n int) string {
	kind, factor := p.raw(n), p.raw(n+1)
	if kind == "" || factor == "" {
		return ""
	}
	if rest, small := strings.CutPrefix(factor, "0."); small {
		// 0.01 is a hundredth: nobody thinks in factors below one.
		kind, factor = kind+"-down", "1"+strings.Repeat("0", len(rest))
	}
	if !p.w.has("cause." + kind) {
		return ""
	}
	return p.w.say("cause."+kind, strings.Replace(factor, ".", p.w.say("number.decimal"), 1))
}

// Worst names the articles that a finding of the brake is about, which are the arguments from the n-th on: key, old price, new price and
// row, with bars between. "" where there are none.
func (p phrase) Worst(n int) string {
	var all []string
	for i := n; i < len(p.args); i++ {
		m := phrase{w: p.w, args: strings.Split(p.args[i], "|")}
		if len(m.args) != 4 || m.args[0] == "" {
			continue
		}
		text := m.args[0]
		if m.Has(3) {
			text = p.w.say("worst.row", text, m.args[3])
		}
		switch {
		case m.Has(1) && m.Has(2):
			text = p.w.say("worst.move", text, m.Amount(1), m.Amount(2))
		case m.Has(1):
			text = p.w.say("worst.price", text, m.Amount(1))
		case m.Has(2):
			text = p.w.say("worst.price", text, m.Amount(2))
		}
		all = append(all, text)
	}
	switch len(all) {
	case 0:
		return ""
	case 1:
		return p.w.say("worst.one", all[0])
	}
	return p.w.say("worst.many", strings.Join(all, "; "))
}

// Price returns the new price of the article that the n-th argument names as Worst does, "" where there is none.
func (p phrase) Price(n int) string {
	m := phrase{w: p.w, args: strings.Split(p.raw(n), "|")}
	if !m.Has(2) {
		return ""
	}
	return m.Amount(2)
}
