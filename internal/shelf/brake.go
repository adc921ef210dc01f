package shelf

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"gondola/internal/catalog"
)

// Brake decides what looks so unusual that a person has to look at it before it leaves. Shares are between 0 and 1, and more than the
// limit is too much. The zero Brake holds everything that it can hold; a nil one holds nothing.
type Brake struct {
	// About an export: the layer stays as it was.
	Deactivate float64 // of the articles on sale, how many an export may switch off
	Shrink     float64 // of the articles of the last export, how many a full one may lack
	New        float64 // of the articles of an export, how many the layer may not know
	Equal      float64 // of the prices of an export, how many may be one and the same
	MinRows    int     // layers, and shelves, with fewer articles are not braked by shares: one article of three is no catastrophe

	// FirstDeactivate is what Deactivate is for the first export of a layer: of its articles, how many may be off.
	FirstDeactivate float64
	// FirstAsk holds everything for a shelf that was never sent anything.
	FirstAsk bool

	// About rows: the article keeps its price, the promotion does not start.
	PriceChange float64 // how much a price may rise or fall
	SameFactor  float64 // of a shelf's articles, how many prices may change by one factor that looks like a slip
	Discount    float64 // how much a promotion may take off the price of the article
	Unknown     bool    // promotions of articles that the catalogue does not have are held
}

// swapped is the share of an export's articles whose price is the old quantity and whose quantity the old price from which on the two
// columns have changed places. By chance that happens to one article, not to half of them.
const swapped = 0.5

// MaxWorst is how many articles a finding names: enough to see what is wrong, few enough to be read.
const MaxWorst = 10

// Finding is what the brake has against an export, or against rows of a plan.
type Finding struct {
	Code  catalog.Code `json:"code"`
	Share float64      `json:"share"`
	Count int          `json:"count"`
	Of    int          `json:"of"`
	Limit float64      `json:"limit"`
	Cause Cause        `json:"cause,omitzero"`
	Worst []Move       `json:"worst,omitempty"` // the worst ones first; what a move does not have is 0
	Rows  Digest       `json:"rows,omitempty"`  // of a plan's finding: the record file of what is held, as it is wanted
}

// Issue returns the finding in the form that receipts show. Its arguments are the same for every code: count, of, share, limit, cause,
// factor, and the worst articles as texts of [Move].
func (f Finding) Issue() catalog.Issue {
	is := catalog.Issue{Code: f.Code, Severity: catalog.Error, Args: []string{
		strconv.Itoa(f.Count), strconv.Itoa(f.Of), percent(f.Share), percent(f.Limit), f.Cause.Kind, f.Cause.Factor,
	}}
	for _, m := range f.Worst {
		is.Args = append(is.Args, m.Text())
	}
	return is
}

func percent(share float64) string { return fmt.Sprintf("%.0f%%", share*100) }

// Text returns the move with bars between: key, old price, new price, line of the export; "" for what it does not have.
func (m Move) Text() string {
	amount := func(a catalog.Money) string {
		if a == 0 {
			return ""
		}
		return a.String()
	}
	line := ""
	if m.Line > 0 {
		line = strconv.Itoa(m.Line)
	}
	return m.Key + "|" + amount(m.Old) + "|" + amount(m.New) + "|" + line
}

// worst gathers the moves that a finding names.
type worst []Move

// add keeps a move as far as it is among the worst: by the factor between its prices, then by the higher price, then by the key.
func (w *worst) add(m Move) {
	i, _ := slices.BinarySearchFunc(*w, m, compareMoves)
	if i < MaxWorst {
		*w = slices.Insert(*w, i, m)[:min(len(*w)+1, MaxWorst)]
	}
}

func compareMoves(a, b Move) int {
	return cmp.Or(cmp.Compare(b.strength(), a.strength()), cmp.Compare(max(b.Old, b.New), max(a.Old, a.New)), cmp.Compare(a.Key, b.Key))
}

// strength says how far apart the prices are, whichever is higher.
func (m Move) strength() float64 {
	if m.Old <= 0 || m.New <= 0 {
		return 0
	}
	return math.Abs(math.Log(float64(m.New) / float64(m.Old)))
}

// far reports whether a price changes too much.
func (b Brake) far(old, now catalog.Money) bool {
	return old > 0 && math.Abs(float64(now-old))/float64(old) > b.PriceChange
}

// shareOf returns what share n is of all, 0 where there is nothing to have a share of.
func shareOf(n, all int) float64 {
	if all == 0 {
		return 0
	}
	return float64(n) / float64(all)
}
