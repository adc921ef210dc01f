package catalog

import "strconv"

// Money is an amount in thousandths of the currency's unit: 10.50 is Money(10500).
//
// Three decimals are what the platform keeps (contract: further ones are cut), so a whole number of thousandths is exact for every
// amount that can leave, compares with ==, and costs nothing in a shelf of a million rows. Arithmetic that needs more digits belongs
// in front of this type.
type Money int64

// MoneyScale is the number of decimals that Money holds.
const MoneyScale = 3

// MaxMoney is the largest amount that is taken for a price: a thousand million units.
const MaxMoney Money = 1_000_000_000_000

// String returns the canonical form: no trailing zeros, no point when whole. "10.5", "990", "-0.25".
func (m Money) String() string { return m.Text(0) }

// Text returns the amount with at least decimals digits behind the point (0 to 3), and more where the amount has them.
func (m Money) Text(decimals int) string {
	var room [24]byte
	n, text := int64(m), room[:0]
	if n < 0 {
		text, n = append(text, '-'), -n
	}
	text = strconv.AppendInt(text, n/1000, 10)
	frac := n % 1000
	if frac == 0 && decimals == 0 {
		return string(text)
	}
	text = append(text, '.', byte('0'+frac/100), byte('0'+frac/10%10), byte('0'+frac%10))
	for cut := MoneyScale - decimals; cut > 0 && text[len(text)-1] == '0'; cut-- {
		text = text[:len(text)-1]
	}
	return string(text)
}

// Round returns the amount rounded half away from zero to decimals digits (0 to 3), as shops round.
func (m Money) Round(decimals int) Money {
	step := Money(1)
	for range MoneyScale - decimals {
		step *= 10
	}
	half := step / 2
	if m < 0 {
		half = -half
	}
	return (m + half) / step * step
}
