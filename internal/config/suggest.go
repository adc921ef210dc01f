package config

import "strings"

// maxTypo is the length in bytes beyond which a text is no typo of a key or an id, and not worth comparing.
const maxTypo = 64

// suggest returns the choice that text was probably meant to be, "" when none is near. Case, hyphens and underscores don't count:
// time-zone is time_zone.
func suggest(text string, choices []string) string {
	if len(text) > maxTypo {
		return ""
	}
	best, least := "", maxTypo
	for _, choice := range choices {
		a, b := squash(text), squash(choice)
		if d := distance(a, b); d < least && d*3 <= max(len(a), len(b)) {
			best, least = choice, d
		}
	}
	return best
}

// squash removes what people mix up between one program's keys and another's.
func squash(s string) string {
	return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(s))
}

// distance counts the letters to insert, delete, replace or swap with their neighbour to get from a to b (Levenshtein's distance
// with Damerau's swaps: exprot is one slip away from export).
func distance(a, b string) int {
	// Three rows of the table of all prefixes are enough: a swap looks two rows back.
	older, old, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		older, old, row = old, row, older
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(old[j]+1, row[j-1]+1, old[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], older[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
