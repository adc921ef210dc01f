package feed

import (
	"math/big"
	"math/bits"

	"gondola/internal/catalog"
)

// exact is an amount above zero as a fraction of thousandths, so that nothing is lost before it is rounded: the numerator has 128 bits.
type exact struct{ hi, lo, den uint64 }

// hundred is a hundred percent.
const hundred Rate = 100_000

// amountOf returns the amount as it is.
func amountOf(m catalog.Money) exact { return exact{lo: uint64(m), den: 1} }

// rated returns the amount with VAT put on or taken out, and a markup on top. With amounts up to catalog.MaxMoney and rates that the
// config takes, numerators have at most 80 bits and denominators 35.
func rated(m catalog.Money, vat, markup Rate) exact {
	num, den := uint64(hundred+vat), uint64(hundred)
	if vat < 0 {
		num, den = den, uint64(hundred-vat)
	}
	var e exact
	e.hi, e.lo = bits.Mul64(uint64(m)*uint64(hundred+markup), num)
	e.den = den * uint64(hundred)
	return e
}

// formulaDecimals is how many decimals of a thousandth a formula's result counts with: far behind any that is rounded.
const formulaDecimals = 1_000_000_000

// resultOf returns a formula's result; false when it is larger than any price.
func resultOf(r *big.Rat) (exact, bool) {
	if r.Sign() <= 0 || r.Cmp(largestResult) > 0 {
		return exact{}, false
	}
	n := new(big.Int).Mul(r.Num(), big.NewInt(1000*formulaDecimals))
	n.Add(n.Lsh(n, 1), r.Denom()) // half up
	n.Quo(n, new(big.Int).Lsh(r.Denom(), 1))
	lo := new(big.Int).And(n, new(big.Int).SetUint64(1<<64-1)).Uint64()
	return exact{hi: n.Rsh(n, 64).Uint64(), lo: lo, den: formulaDecimals}, true
}

var largestResult = new(big.Rat).SetInt64(largestWhole)

// nearest returns the nearest amount that is tail above a multiple of every, half up; zero or less where there is none above it, and
// false for what is too large. every must be above tail and at most maxStep.
func (e exact) nearest(tail, every catalog.Money) (catalog.Money, bool) {
	// How often every fits: (amount - tail) / every + 1/2, rounded down, with both sides doubled.
	hi, lo := e.hi<<1|e.lo>>63, e.lo<<1
	shift, carry := every-2*tail, uint64(0)
	if shift >= 0 {
		lo, carry = bits.Add64(lo, e.den*uint64(shift), 0)
		hi += carry
	} else if lo, carry = bits.Sub64(lo, e.den*uint64(-shift), 0); carry > hi {
		return 0, true // nearer to what would be below zero
	} else {
		hi -= carry
	}
	den := 2 * e.den * uint64(every)
	if hi >= den {
		return 0, false
	}
	times, _ := bits.Div64(hi, lo, den)
	if times > uint64(catalog.MaxMoney/every) {
		return 0, false
	}
	m := tail + catalog.Money(times)*every
	return m, m <= catalog.MaxMoney
}

// priced works the rules that come after formula, VAT and markup. It returns zero for what rounds to nothing, and false for what is too
// large.
func (p PriceRules) priced(e exact, decimals int, t *tracer) (catalog.Money, bool) {
	if p.Round > 0 {
		m, ok := e.nearest(0, p.Round)
		if !ok {
			return 0, false
		}
		t.amount("price.round", e, amountOf(max(m, p.Round)))
		e = amountOf(max(m, p.Round))
	}
	if p.Ending.Every > 0 {
		if m, ok := e.nearest(p.Ending.Tail, p.Ending.Every); !ok || m > 0 {
			t.amount("price.ending", e, amountOf(m))
			return m, ok
		}
	}
	m, ok := e.nearest(0, roundingStep(decimals))
	t.amount("chain.price_decimals", e, amountOf(m))
	return m, ok
}
