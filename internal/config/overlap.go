package config

import (
	"path"
	"strings"
	"unicode/utf8"
)

// overlap reports whether some file name matches both patterns, case ignored. The patterns are those of path.Match, without
// escapes: patterns with a backslash were refused.
func overlap(a, b string) bool {
	return meet(tokens(strings.ToLower(a)), tokens(strings.ToLower(b)), map[[2]int]bool{})
}

// tokens splits a pattern into stars and what stands for one character: a letter, a question mark, a class.
func tokens(pattern string) []string {
	var all []string
	for pattern != "" {
		_, n := utf8.DecodeRuneInString(pattern)
		if end := strings.IndexByte(pattern, ']'); pattern[0] == '[' && end > 0 {
			n = end + 1
		}
		all = append(all, pattern[:n])
		pattern = pattern[n:]
	}
	return all
}

// meet reports whether both token lists match some common text. tried holds the pairs of rests that were looked at, by length:
// without it patterns with many stars would take for ever.
func meet(a, b []string, tried map[[2]int]bool) bool {
	at := [2]int{len(a), len(b)}
	switch {
	case len(a) == 0 && len(b) == 0:
		return true
	case tried[at]:
		return false
	}
	tried[at] = true
	switch {
	case len(a) > 0 && a[0] == "*":
		return meet(a[1:], b, tried) || len(b) > 0 && meet(a, b[1:], tried)
	case len(b) > 0 && b[0] == "*":
		return meet(a, b[1:], tried) || len(a) > 0 && meet(a[1:], b, tried)
	case len(a) == 0 || len(b) == 0:
		return false
	}
	return common(a[0], b[0]) && meet(a[1:], b[1:], tried)
}

// common reports whether two tokens that stand for one character share one. Classes are tried on every letter that the platform's
// countries put into file names: their alphabets end before U+0250.
func common(a, b string) bool {
	if a == b || a == "?" || b == "?" {
		return true
	}
	if a[0] != '[' && b[0] != '[' {
		return false
	}
	for r := range rune(0x250) {
		inA, _ := path.Match(a, string(r))
		inB, _ := path.Match(b, string(r))
		if inA && inB {
			return true
		}
	}
	return false
}
