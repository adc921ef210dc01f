package feed

import (
	"strings"
	"unicode/utf8"

	"gondola/internal/catalog"
)

// marks of a decimal convention; noMark where none is proved.
const (
	comma  byte = ','
	point  byte = '.'
	noMark byte = 0
)

// Separators that only ever group thousands; every kind of space counts as one kind, both apostrophes as another.
const (
	spaceGroup      byte = ' '
	apostropheGroup byte = '\''
)

// numeral is a cell that holds one number: its digits with the separators between them, and how those lie. Which separator is the
// decimal one is not decided here; reads and thousandths are told.
type numeral struct {
	core     string // from the first digit to the last, with a separator that opens or ends the number
	negative bool

	seps        int  // separators in core
	first, last byte // their kinds, outermost
	uniform     bool // all but the last one are of one kind
	threes      bool // between two separators lie three digits, everywhere
	lead, tail  int  // digits before the first and behind the last separator; without separators all are lead
}

// scanNumeral takes a cell apart. Around the number it allows signs, parentheses (negative in accounting), the decoration of a
// round price ("10.-"), and the given words: currencies or units. It returns false for anything else.
func scanNumeral(cell string, words []string) (numeral, bool) {
	from, to := 0, len(cell)
	for from < to && !isDigit(cell[from]) {
		from++
	}
	for to > from && !isDigit(cell[to-1]) {
		to--
	}
	if from == to {
		return numeral{}, false
	}
	var d decoration
	before, behind := cell[:from], cell[to:]
	// A point right before the digits belongs to the number, unless it ends an abbreviation: ".50" and "Gs.50".
	if n := len(before); n > 0 && isMark(before[n-1]) && !isWord(strings.TrimSpace(before), words) {
		before, from = before[:n-1], from-1
	}
	if len(behind) > 0 && isMark(behind[0]) && trim(behind[1:]) == "" {
		behind, to = "", to+1 // "10." has a decimal mark without decimals
	}
	if !d.before(before, words) || !d.behind(behind, words) || d.open {
		return numeral{}, false
	}
	n := numeral{core: cell[from:to], negative: d.negative, uniform: true, threes: true}
	return n, n.measure()
}

// measure fills in how the separators lie, and returns false when there is something else between the digits.
func (n *numeral) measure() bool {
	run := 0
	for i := 0; i < len(n.core); {
		if isDigit(n.core[i]) {
			run, i = run+1, i+1
			continue
		}
		kind, size := separator(n.core[i:])
		if size == 0 {
			return false
		}
		// What is known of the run and the kinds concerns the separators before this one: the last may be the decimal mark and
		// is judged apart.
		if n.seps == 0 {
			n.first, n.lead = kind, run
		} else {
			n.threes = n.threes && run == 3
			n.uniform = n.uniform && n.last == n.first
		}
		n.last = kind
		n.seps++
		run, i = 0, i+size
	}
	if n.seps == 0 {
		n.lead = run
	} else {
		n.tail = run
	}
	return true
}

// reads reports whether the number is well written where mark is the decimal one.
func (n *numeral) reads(mark byte) bool {
	// Groups of thousands begin with one to three digits and never with a zero: nobody writes 0.500 for five hundred.
	grouped := n.threes && n.uniform && n.lead >= 1 && n.lead <= 3 && n.core[0] != '0'
	switch {
	case n.seps == 0:
		return true
	// No decimals: every separator groups, also the last.
	case n.last != mark:
		return grouped && n.first == n.last && n.tail == 3
	case n.seps == 1:
		return true
	// Decimals behind groups, and the two marks are not the same.
	default:
		return grouped && n.first != mark
	}
}

// marked reports whether the reading depends on the convention: it has a point or a comma.
func (n *numeral) marked() bool { return n.seps > 0 && (isMark(n.first) || isMark(n.last)) }

// thousandths returns the number read with mark as the decimal one, rounded half up to decimals digits (0 to 3), without its sign.
// It works on the digits, so nothing is lost on the way. lost tells that digits other than zero were cut or rounded; ok is false
// for what is larger than catalog.MaxMoney.
func (n *numeral) thousandths(mark byte, decimals int) (m catalog.Money, lost, ok bool) {
	whole, fraction := n.split(mark)
	v, ok := wholeNumber(whole)
	if !ok {
		return 0, false, false
	}
	for i := range catalog.MoneyScale {
		v *= 10
		if i < decimals && i < len(fraction) {
			v += int64(fraction[i] - '0')
		}
	}
	m = catalog.Money(v)
	if len(fraction) > decimals {
		lost = !allZeros(fraction[decimals:])
		// The first digit that is cut decides alone: what follows can only make it more.
		if fraction[decimals] >= '5' {
			m += roundingStep(decimals)
		}
	}
	return m, lost, m <= catalog.MaxMoney
}

// floor returns the number read with mark as the decimal one, rounded down, without its sign. lost tells that it was not whole; ok
// is false for what is larger than largestWhole.
func (n *numeral) floor(mark byte) (v int64, lost, ok bool) {
	whole, fraction := n.split(mark)
	v, ok = wholeNumber(whole)
	return v, !allZeros(fraction), ok
}

// split returns the digits before mark, with their separators, and those behind it.
func (n *numeral) split(mark byte) (whole, fraction string) {
	if n.seps == 0 || n.last != mark {
		return n.core, ""
	}
	at := len(n.core) - n.tail
	return n.core[:at], n.core[at:]
}

// largestWhole is the largest whole part of a number that is believed: that of catalog.MaxMoney. In a column of prices or stock a
// larger one is a barcode.
const largestWhole = int64(catalog.MaxMoney / 1000)

// wholeNumber reads digits, passing over the separators between them.
func wholeNumber(s string) (v int64, ok bool) {
	for i := range len(s) {
		if isDigit(s[i]) {
			v = v*10 + int64(s[i]-'0')
		}
		if v > largestWhole {
			return 0, false
		}
	}
	return v, true
}

// roundingStep is the smallest amount with so many decimals.
func roundingStep(decimals int) catalog.Money {
	step := catalog.Money(1)
	for range catalog.MoneyScale - decimals {
		step *= 10
	}
	return step
}

// decoration is what stands around the digits.
type decoration struct {
	negative bool
	open     bool // a parenthesis is open
}

// before reads what precedes the digits: signs, an opening parenthesis and words, in any order.
func (d *decoration) before(s string, words []string) bool {
	for {
		s = trim(s)
		if s == "" {
			return true
		}
		if size := minus(s); size > 0 && !d.negative {
			d.negative, s = true, s[size:]
			continue
		}
		switch s[0] {
		case '(':
			if d.open || d.negative {
				return false
			}
			d.open, d.negative, s = true, true, s[1:]
			continue
		case '+':
			s = s[1:]
			continue
		}
		word := s
		if end := strings.IndexAny(s, " (+-\u2212\u00a0\u202f"); end >= 0 {
			word = s[:end]
		}
		if word == "" || !isWord(word, words) {
			return false
		}
		s = s[len(word):]
	}
}

// behind reads what follows the digits: a trailing minus, the closing parenthesis, words, and the dash for "no cents".
func (d *decoration) behind(s string, words []string) bool {
	for {
		s = trim(s)
		if s == "" {
			return true
		}
		if isMark(s[0]) && len(s) > 1 && (s[1] == '-' || s[1] == '=' || strings.HasPrefix(s[1:], "\u2013")) {
			s = strings.TrimLeft(s[1:], "-=\u2013")
			continue
		}
		if size := minus(s); size > 0 && !d.negative {
			d.negative, s = true, s[size:]
			continue
		}
		if s[0] == ')' && d.open {
			d.open, s = false, s[1:]
			continue
		}
		word := s
		if end := strings.IndexAny(s, " )-\u00a0\u202f"); end >= 0 {
			word = s[:end]
		}
		if word == "" || !isWord(word, words) {
			return false
		}
		s = s[len(word):]
	}
}

// separator returns the kind of the separator that s begins with, and its size; 0 when it is none.
func separator(s string) (kind byte, size int) {
	switch c := s[0]; {
	case isMark(c):
		return c, 1
	case c == ' ':
		return spaceGroup, 1
	case c == '\'':
		return apostropheGroup, 1
	case c < utf8.RuneSelf:
		return 0, 0
	}
	r, size := utf8.DecodeRuneInString(s)
	switch r {
	case '\u00a0', '\u202f', '\u2009': // no-break, narrow no-break, thin
		return spaceGroup, size
	case '\u2019':
		return apostropheGroup, size
	}
	return 0, 0
}

// minus returns the size of the minus sign that s begins with, 0 when there is none.
func minus(s string) int {
	switch {
	case s[0] == '-':
		return 1
	case strings.HasPrefix(s, "\u2212"):
		return len("\u2212")
	}
	return 0
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isMark reports whether c can be a decimal mark.
func isMark(c byte) bool { return c == comma || c == point }

// isWord reports whether s is one of the words, whatever the case.
func isWord(s string, words []string) bool {
	for _, w := range words {
		if strings.EqualFold(s, w) {
			return true
		}
	}
	return false
}
