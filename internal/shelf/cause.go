package shelf

import (
	"math"
	"slices"
	"strconv"

	"gondola/internal/catalog"
)

// Cause is what prices that all change by one factor are most likely due to. The zero Cause is none that is known.
type Cause struct {
	Kind   string `json:"kind"`   // one of the causes
	Factor string `json:"factor"` // "100", "0.1", "1.21"; of a clock a duration, "3m20s"
}

// The causes.
const (
	CauseDecimals = "decimals" // a point or comma was lost or moved, or the prices are in cents
	CauseVATOn    = "vat-on"   // the tax was put on prices that have it
	CauseVATOut   = "vat-out"  // the tax was taken out, or net prices were exported

	// CauseClock is why promotions wait, not a slip: the clock is wrong, by so much as Factor says.
	CauseClock = "clock"
	// CauseLate is why nothing leaves for a shelf any more: what waited was read too long ago, at the time in Factor.
	CauseLate = "late"
)

// factor is a factor that slips are known by.
type factor struct {
	Cause
	by   float64
	near float64 // how far, as a share, a price may be from it
}

// Prices move on their own besides, so what is a hundredfold need not be so to the cent; a tax is, but for rounding.
const (
	nearDecimals = 0.05
	nearTax      = 0.003
)

// factors are those that slips are known by: powers of ten, and the taxes of the countries that the platform is in.
var factors = append(
	decimalFactors("1000", "100", "10", "0.1", "0.01", "0.001"),
	taxFactors("1.10", "1.18", "1.19", "1.21", "1.22")...,
)

func decimalFactors(all ...string) []factor {
	list := make([]factor, 0, len(all))
	for _, text := range all {
		list = append(list, factor{Cause{CauseDecimals, text}, mustFloat(text), nearDecimals})
	}
	return list
}

func taxFactors(all ...string) []factor {
	list := make([]factor, 0, 2*len(all))
	for _, text := range all {
		by := mustFloat(text)
		list = append(list, factor{Cause{CauseVATOn, text}, by, nearTax}, factor{Cause{CauseVATOut, text}, 1 / by, nearTax})
	}
	return list
}

func mustFloat(text string) float64 {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic("shelf: " + err.Error()) // the texts stand above
	}
	return f
}

// slip returns the index of the factor that a price changes by, -1 where it is none of them. decimals is the currency's: prices are
// rounded to them.
func slip(old, now catalog.Money, decimals int) int {
	step := 1.0
	for range catalog.MoneyScale - decimals {
		step *= 10
	}
	best, least := -1, math.Inf(1)
	for i, f := range factors {
		expected := float64(old) * f.by
		off := math.Abs(float64(now) - expected)
		if off <= max(expected*f.near, step) && off/expected < least {
			best, least = i, off/expected
		}
	}
	return best
}

// slipOf returns the factor of a cause, counted from 1; 0 for none.
func slipOf(c Cause) int {
	return 1 + slices.IndexFunc(factors, func(f factor) bool { return f.Cause == c })
}

// slips counts price changes by the factor that they are.
type slips [32]int

// add counts one more. There is room for more factors than there are.
func (s *slips) add(at int) {
	if at >= 0 {
		s[at]++
	}
}

// most returns the factor that most of them are, -1 where there is none.
func (s *slips) most() (at, n int) {
	at = -1
	for i, count := range s {
		if count > n {
			at, n = i, count
		}
	}
	return at, n
}
