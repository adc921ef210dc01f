package report

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"gondola/internal/catalog"
)

// MaxMoves is how many price changes an answer shows for a store.
const MaxMoves = 10

// Move is one article whose price changes.
type Move struct {
	Key      string // the chain's identifier of the article
	Name     string // what people call it, where that is known
	Old, New catalog.Money
}

// KeepMove returns moves with one more, as far as it is among the [MaxMoves] that change the price most: so that who goes through a
// plan need not hold all of it. It uses the array of moves. A move without an old or a new price is none.
func KeepMove(moves []Move, m Move) []Move {
	if m.Old <= 0 || m.New <= 0 || m.Old == m.New {
		return moves
	}
	i, _ := slices.BinarySearchFunc(moves, m, compareMoves)
	if i >= MaxMoves {
		return moves
	}
	return slices.Insert(moves, i, m)[:min(len(moves)+1, MaxMoves)]
}

// largest returns the moves that an answer shows, the largest first.
func largest(moves []Move) []Move {
	var kept []Move
	for _, m := range moves {
		kept = KeepMove(kept, m)
	}
	return kept
}

// compareMoves orders moves: the largest share first, then by key.
func compareMoves(a, b Move) int {
	return cmp.Or(cmp.Compare(math.Abs(b.share()), math.Abs(a.share())), strings.Compare(a.Key, b.Key))
}

// share returns how much the price changes, as a share of the old one.
func (m Move) share() float64 { return float64(m.New-m.Old) / float64(m.Old) }

// percent returns the change as people write it: with its sign, and with a decimal where that says something.
func (w *words) percent(m Move) string {
	share := m.share() * 100
	decimals := 1
	if math.Abs(share) >= 100 {
		decimals = 0
	}
	sign, digits := "+", strconv.FormatFloat(math.Abs(share), 'f', decimals, 64)
	if share < 0 {
		sign = "\u2212"
	}
	whole, rest, found := strings.Cut(digits, ".")
	if n, err := strconv.Atoi(whole); err == nil {
		whole = w.number(n)
	}
	if found && rest != "0" {
		whole += w.say("number.decimal") + rest
	}
	return sign + whole + "%"
}

// amounts returns prices as people write them, all with as many decimals as the one with the most: so that they can be compared at a
// glance.
func (w *words) amounts(all ...catalog.Money) []string {
	decimals := 0
	for _, m := range all {
		switch _, rest, _ := strings.Cut(m.String(), "."); {
		case rest != "":
			decimals = max(decimals, 2, len(rest))
		}
	}
	texts := make([]string, len(all))
	for i, m := range all {
		whole, rest, found := strings.Cut(m.Text(decimals), ".")
		if n, err := strconv.Atoi(whole); err == nil {
			whole = w.number(n)
		}
		if found {
			whole += w.say("number.decimal") + rest
		}
		texts[i] = whole
	}
	return texts
}
