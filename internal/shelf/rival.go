package shelf

import (
	"cmp"
	"slices"

	"gondola/internal/catalog"
)

// contender is a promotion that may be sent, beside others of its article.
type contender struct {
	key   string
	p     catalog.Promotion // with its price, where a price is what it offers
	line  int
	lives bool // the platform has it as it is wanted
}

// alone is what contest says of a promotion that is sent.
const alone = -1

// contest returns for each promotion of one article the one that is sent in its place, alone for those that are sent themselves. The
// rules are in the comment of the package. price is that of the article, 0 where it is not known.
func contest(all []contender, price catalog.Money, now catalog.Wall) []int {
	beaten, order := make([]int, len(all)), make([]int, len(all))
	known := true
	for i, c := range all {
		beaten[i], order[i] = alone, i
		_, _, ok := perPiece(c.p, price)
		known = known && ok
	}
	better := func(a, b int) int { return preferred(all[a], all[b], price, known) }
	slices.SortFunc(order, func(a, b int) int {
		if all[a].lives != all[b].lives {
			return map[bool]int{true: -1, false: 1}[all[a].lives]
		}
		return better(a, b)
	})
	var sent []int
	for _, i := range order {
		if all[i].lives {
			sent = append(sent, i)
			continue
		}
		for _, other := range sent {
			if all[i].p.Overlaps(all[other].p) && (!yields(all[other], all[i], now) || better(i, other) > 0) {
				beaten[i] = other
				break
			}
		}
		if beaten[i] != alone {
			continue
		}
		for _, other := range sent {
			if all[i].p.Overlaps(all[other].p) {
				beaten[other] = i
			}
		}
		sent = append(slices.DeleteFunc(sent, func(other int) bool { return beaten[other] != alone }), i)
	}
	return beaten
}

// yields reports whether a promotion that runs makes way for another one: both are prices, the other one's is lower, and it has begun.
func yields(running, other contender, now catalog.Wall) bool {
	return running.lives && running.p.Type == catalog.Strikethrough && other.p.Type == catalog.Strikethrough &&
		running.p.Price != 0 && other.p.Price < running.p.Price && other.p.Start <= now
}

// preferred compares two promotions as the customer does: what costs less for each piece comes first. Where known is false some can't be
// compared, and none is by its price; then, as between equals, the one that starts later comes first, for that is what the platform
// shows [doc for REST], and of those the one on the later line.
func preferred(a, b contender, price catalog.Money, known bool) int {
	if known {
		costA, piecesA, _ := perPiece(a.p, price)
		costB, piecesB, _ := perPiece(b.p, price)
		if c := cmp.Compare(costA*piecesB, costB*piecesA); c != 0 {
			return c
		}
	}
	return cmp.Or(cmp.Compare(b.p.Start, a.p.Start), cmp.Compare(b.line, a.line), cmp.Compare(b.key, a.key))
}

// perPiece returns what so many pieces cost with a promotion; false where that can't be told without the article's price.
func perPiece(p catalog.Promotion, price catalog.Money) (cost, pieces int64, ok bool) {
	if p.Type != catalog.SameItemBundle {
		return int64(p.Price), 1, p.Price != 0
	}
	if price == 0 {
		return 0, 1, false
	}
	last := catalog.Money(0)
	switch p.Benefit {
	case catalog.PercentOff:
		last = price * catalog.Money(catalog.Hundred-min(p.Percent, catalog.Hundred)) / catalog.Money(catalog.Hundred)
	case catalog.AmountOff:
		last = max(0, price-p.Amount)
	}
	return int64(p.Buy)*int64(price) + int64(p.Get)*int64(last), int64(p.Buy + p.Get), true
}
