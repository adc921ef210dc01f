package feed

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// excerptRunes is how much of a cell an issue quotes: enough to find it, not a whole description that slipped into the column.
const excerptRunes = 60

// trim cuts blanks of every kind, and byte order marks that programs leave inside a file, from both ends.
func trim(s string) string {
	if len(s) > 0 && (isEdge(s[0]) || isEdge(s[len(s)-1])) {
		return trimBlanks(s)
	}
	return s
}

// isEdge reports whether a byte may be part of what trim cuts.
func isEdge(c byte) bool { return c <= ' ' || c >= utf8.RuneSelf }

// trimBlanks is trim for the few cells that have something to cut, or letters above ASCII at their ends.
func trimBlanks(s string) string {
	for len(s) > 0 && (s[0] <= ' ' || s[0] >= utf8.RuneSelf) {
		r, size := utf8.DecodeRuneInString(s)
		if !isBlank(r) {
			break
		}
		s = s[size:]
	}
	for len(s) > 0 && (s[len(s)-1] <= ' ' || s[len(s)-1] >= utf8.RuneSelf) {
		r, size := utf8.DecodeLastRuneInString(s)
		if !isBlank(r) {
			break
		}
		s = s[:len(s)-size]
	}
	return s
}

// isBlank counts as blank what a person can't see and does not mean: spaces, and marks without width that chats, pages and
// spreadsheets leave around what is copied from them.
func isBlank(r rune) bool {
	switch r {
	case '\u200b', '\u200e', '\u2060', '\ufeff':
		return true
	}
	return unicode.IsSpace(r)
}

// unwrap returns what a cell means to say when tricks are taken off that keep a number text: a leading apostrophe, the two of a
// database, and the formula ="00123".
func unwrap(cell string) string {
	s := trim(cell)
	if len(s) == 0 || s[0] != '\'' && s[0] != '=' {
		return s
	}
	if s[0] == '\'' {
		return trim(strings.TrimSuffix(s[1:], "'"))
	}
	if len(s) >= 3 && s[1] == '"' && s[len(s)-1] == '"' {
		return trim(s[2 : len(s)-1])
	}
	return s
}

// fold returns text as headers and words are compared: lower case, without accents, every run of other characters than letters
// and digits as one space.
func fold(s string) string { return string(appendFold(nil, s)) }

// appendFold appends the folded s to dst, without allocating where dst has room and s is ASCII.
func appendFold(dst []byte, s string) []byte {
	start, gap := len(dst), false
	// A gap becomes a space only when something follows it, so none is left at the end.
	put := func(r rune) {
		if gap && len(dst) > start {
			dst = append(dst, ' ')
		}
		gap = false
		dst = utf8.AppendRune(dst, r)
	}
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			// NFKD also takes apart what only looks different: "№" is "No", "1º" is "1o".
			s = norm.NFKD.String(s)
			break
		}
	}
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			put(r)
		case r == '%': // a price in percent is another column
			put(r)
		case r >= 'A' && r <= 'Z':
			put(r + 'a' - 'A')
		case r >= utf8.RuneSelf && unicode.Is(unicode.Mn, r):
		case r >= utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			put(unicode.ToLower(r))
		default:
			gap = true
		}
	}
	return dst
}

// excerpt returns the cell as an issue quotes it: its own copy, on one line, not too long.
func excerpt(cell string) string {
	s := strings.Join(strings.Fields(cell), " ")
	n := 0
	for i := range s {
		if n == excerptRunes {
			return s[:i] + "\u2026"
		}
		n++
	}
	return strings.Clone(s)
}

// isSheetError reports whether the cell is the error value of a spreadsheet formula: #N/A, #¡VALOR!, #REF!.
func isSheetError(s string) bool {
	return len(s) > 2 && s[0] == '#' && (s[len(s)-1] == '!' || s[len(s)-1] == '?' || strings.EqualFold(s, "#N/A") ||
		strings.EqualFold(s, "#N/D"))
}

// isScientific reports whether the cell shows a number as spreadsheets shorten long ones: 7,79E+12.
func isScientific(s string) bool {
	mantissa, exponent, found := cutExponent(s)
	if !found || mantissa == "" || exponent == "" {
		return false
	}
	marks := 0
	for i := range len(mantissa) {
		switch c := mantissa[i]; {
		case isMark(c):
			marks++
		case c < '0' || c > '9':
			return false
		}
	}
	if marks != 1 || mantissa[0] < '0' || mantissa[0] > '9' {
		return false
	}
	for i := range len(exponent) {
		if exponent[i] < '0' || exponent[i] > '9' {
			return false
		}
	}
	return true
}

// cutExponent cuts around an E and its sign. found is false where nothing follows the E.
func cutExponent(s string) (mantissa, exponent string, found bool) {
	i := 0
	for i < len(s) && s[i]|0x20 != 'e' { // every identifier comes by here
		i++
	}
	if i+1 >= len(s) {
		return s, "", false
	}
	exponent = s[i+1:]
	if exponent[0] == '+' || exponent[0] == '-' {
		exponent = exponent[1:]
	}
	return s[:i], exponent, true
}
