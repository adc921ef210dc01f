package shelf

import (
	"cmp"
	"slices"
	"strings"

	"gondola/internal/catalog"
)

// Lookup is one article that is looked for.
type Lookup struct {
	Key   string       // of the article
	Found catalog.Item // as the stack has it; the zero one where it has none
	Near  []string     // keys that a slip of the finger makes of Key, the nearest first
}

const (
	maxNear  = 3 // keys that are named
	maxSlips = 3 // letters that may be wrong
)

// Look walks a stack for articles and fills them in. It may be called again with the same ones for another stack.
func (f Files) Look(stack []Digest, all []Lookup) error {
	articles := func(a *aligned) bool { return isPromotion(a.key) }
	return f.walk([][]Digest{stack}, articles, func(r []Record) error {
		for i := range all {
			l := &all[i]
			if r[0].Key == l.Key {
				l.Found = r[0].Item
				continue
			}
			l.near(r[0].Key)
		}
		return nil
	})
}

// near keeps a key that is not far from the one that is looked for.
func (l *Lookup) near(key string) {
	slips := func(of string) int {
		if strings.EqualFold(of, l.Key) || strings.TrimLeft(of, "0") == strings.TrimLeft(l.Key, "0") {
			return 0
		}
		return distance(of, l.Key, maxSlips)
	}
	if slips(key) > min(maxSlips, len(l.Key)/2) || slices.Contains(l.Near, key) {
		return
	}
	l.Near = append(l.Near, key)
	slices.SortStableFunc(l.Near, func(a, b string) int { return cmp.Or(cmp.Compare(slips(a), slips(b)), strings.Compare(a, b)) })
	l.Near = l.Near[:min(len(l.Near), maxNear)]
}

// distance returns how many bytes must be added, left out or replaced to make b of a; most+1 where it is more than most.
func distance(a, b string, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most {
		return most + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner, best := row[0], i+1
		row[0] = i + 1
		for j := range len(b) {
			replaced := corner
			if a[i] != b[j] {
				replaced++
			}
			corner = row[j+1]
			row[j+1] = min(replaced, row[j+1]+1, row[j]+1)
			best = min(best, row[j+1])
		}
		if best > most {
			return most + 1
		}
	}
	return min(row[len(b)], most+1)
}
