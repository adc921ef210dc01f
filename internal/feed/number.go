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

// Doubts that a column leaves about its mark, as bits beside it. What a cell alone shows is read all the same.
const (
	// twoDecimals: no cell proves the mark with three decimals or more. People who write 12.50 also write 1.500 for a thousand and a
	// half, so three digits behind the mark may be either.
	twoDecimals byte = 0x40
	// disputed: some cells prove the other mark. The column is from two hands, and whose 1.234 is nobody knows.
	disputed byte = 0x80

	doubts = twoDecimals | disputed
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
	millions    bool // an apostrophe before the other groups, as in 1'234,567.89; first is the kind of those
	lead, tail  int  // digits before the first and behind the last separator; without separators all are lead

	closed bool // a dash stands for what would follow, as in "10.-"
	// glued: the point before the digits ends a currency that is also written without it. S/.50 is fifty or a half.
	glued bool
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
	glued := false
	// A point right before the digits belongs to the number, unless it ends an abbreviation: ".50" and "Gs.50".
	if n := len(before); n > 0 && isMark(before[n-1]) {
		if word := lastWord(before); isWord(word, words) {
			glued = isWord(word[:len(word)-1], words)
		} else {
			before, from = before[:n-1], from-1
		}
	}
	if len(behind) > 0 && isMark(behind[0]) && trim(behind[1:]) == "" {
		behind, to = "", to+1 // "10." has a decimal mark without decimals
	}
	if !d.before(before, words) || !d.behind(behind, words) || d.open {
		return numeral{}, false
	}
	n := numeral{core: cell[from:to], negative: d.negative, closed: d.closed, uniform: true, threes: true}
	ok := n.measure()
	n.glued = glued && n.seps == 0 && n.lead <= 2
	return n, ok
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
			if n.seps == 2 && n.first == apostropheGroup && isMark(n.last) {
				n.millions, n.first = true, n.last
			}
			n.uniform = n.uniform && n.last == n.first && (!n.millions || n.seps == 2)
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

// reads reports whether the number is well written where mark is the decimal one, whatever the doubts about it.
func (n *numeral) reads(mark byte) bool {
	mark &^= doubts
	// Groups of thousands begin with one to three digits and never with a zero: nobody writes 0.500 for five hundred.
	grouped := n.threes && n.uniform && n.lead >= 1 && n.lead <= 3 && n.core[0] != '0'
	switch {
	case n.seps == 0, n.dangling():
		return true
	// No decimals: every separator groups, also the last. 1'250.000 groups with two kinds.
	case n.last != mark:
		alike := n.first == n.last && !n.millions || n.seps == 2 && n.first == apostropheGroup && isMark(n.last)
		return grouped && alike && n.tail == 3
	// The dash of 1.500.- stands for the cents, so the point is none of a decimal.
	case n.closed && grouped && n.tail == 3 && n.first == n.last:
		return false
	case n.seps == 1:
		return true
	// Decimals behind groups, and the two marks are not the same.
	default:
		return grouped && n.first != mark
	}
}

// marked reports whether the reading depends on the convention: it has a point or a comma.
func (n *numeral) marked() bool {
	return n.seps > 0 && (isMark(n.first) || isMark(n.last)) && !n.dangling()
}

// dangling reports whether the only separator ends the number, as in "10.": it says nothing, whatever it is.
func (n *numeral) dangling() bool { return n.seps == 1 && n.tail == 0 }

// open reports whether the number reads either way, and not the same: 1.234.
func (n *numeral) open() bool { return n.marked() && n.reads(comma) && n.reads(point) }

// doubtful reports whether it takes more than the column proves to read the number where mark is the decimal one.
func (n *numeral) doubtful(mark byte) bool {
	switch {
	case mark == noMark:
		return n.marked()
	case mark&disputed != 0:
		return n.open()
	case mark&twoDecimals != 0:
		return n.last == mark&^doubts && n.open()
	}
	return false
}

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

// isZero reports whether no digit is another one than 0.
func (n *numeral) isZero() bool {
	for i := range len(n.core) {
		if n.core[i] > '0' && n.core[i] <= '9' {
			return false
		}
	}
	return true
}

// split returns the digits before mark, with their separators, and those behind it.
func (n *numeral) split(mark byte) (whole, fraction string) {
	if n.seps == 0 || n.last != mark&^doubts {
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
	closed   bool // a dash ends the number
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
		word := firstWord(s)
		// Right before digits a small letter is a digit misread: l5 is 15.
		if word == "" || len(word) == 1 && word[0] >= 'a' && word[0] <= 'z' || !isWord(word, words) {
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
			s, d.closed = strings.TrimLeft(s[1:], "-=\u2013"), true
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
		word := firstWord(s)
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
	case c == '\'', c == '`':
		return apostropheGroup, 1
	case c < utf8.RuneSelf:
		return 0, 0
	}
	r, size := utf8.DecodeRuneInString(s)
	switch {
	case r == '\u00a0', r == '\u202f', r >= '\u2000' && r <= '\u200a': // no-break, narrow no-break, thin and its like
		return spaceGroup, size
	case r == '\u2019', r == '\u00b4': // the typographic one, and the accent beside it on the keyboard
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

// firstWord returns what s begins with up to the next blank, sign or parenthesis.
func firstWord(s string) string {
	if end := strings.IndexFunc(s, endsWord); end >= 0 {
		return s[:end]
	}
	return s
}

// lastWord returns what s ends with behind the last blank, sign or parenthesis.
func lastWord(s string) string {
	at := strings.LastIndexFunc(s, endsWord)
	if at < 0 {
		return s
	}
	_, size := utf8.DecodeRuneInString(s[at:])
	return s[at+size:]
}

// endsWord reports whether r can't be within a currency or a unit.
func endsWord(r rune) bool {
	switch r {
	case '(', ')', '+', '-', '\u2212':
		return true
	}
	return isBlank(r)
}

// isWord reports whether s is one of the words, whatever the case. Single letters count as they are listed: a small l is a digit
// misread before it is a lempira, a large M is a thousand or a million before it is a metre.
func isWord(s string, words []string) bool {
	single := len(strings.TrimSuffix(s, ".")) == 1
	for _, w := range words {
		if s == w || !single && strings.EqualFold(s, w) {
			return true
		}
	}
	return false
}
