package table

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Row is one row of a table.
type Row struct {
	// Line is where the row starts: the physical line of a text as an editor counts, the row's number in a sheet; the first is 1.
	Line  int
	Cells []string // ragged rows are as they are; the slice is valid until Next, the strings for ever
	// Typed says what each of Cells is. It is nil in a text, where a cell is its characters and nothing else. Valid until Next.
	Typed  []Cell
	Hidden bool // the row is hidden in its sheet, by a filter for instance
	// Open tells that a text ends behind the row without an end of the line: the writer never writes one there, or was stopped in the
	// middle of its last cell.
	Open bool
}

// Kind is what a cell of a sheet holds.
type Kind uint8

// The kinds, with what the row's Cells has for them.
const (
	Text         Kind = iota // the text, "" where the cell is blank
	Number                   // the number in full with a point, without grouping, exponent or superfluous zeros
	Date                     // a number shown as a date or a time; a serial, or what ISO 8601 has
	Bool                     // 1 or 0
	ErrorValue               // the error as it is shown: #N/A
	Uncalculated             // a formula whose value nobody has calculated: "=" and the formula
)

// Cell is what is known of a cell beside its text. The zero value is a text without format.
type Cell struct {
	Kind    Kind
	Formula bool   // the value was calculated
	Hidden  bool   // its column is hidden
	Inexact bool   // a whole number with more digits than spreadsheets keep: the last ones may be lost
	Style   *Style // nil for the format General
}

// Shown returns the cell as a person sees it, as far as that matters: numbers with the zeros that their format puts in front and
// with their percent sign, dates in ISO 8601, durations in hours, minutes and seconds, TRUE and FALSE. It is Cells[i] in a text, and ""
// behind the end of the row.
func (r Row) Shown(i int) string {
	if i >= len(r.Cells) {
		return ""
	}
	text := r.Cells[i]
	if i >= len(r.Typed) {
		return text
	}
	c := r.Typed[i]
	switch {
	case c.Kind == Bool:
		return pick(text == "1", "TRUE", "FALSE")
	case c.Kind == Date && c.Style != nil:
		return c.Style.date(text)
	case c.Kind == Number && c.Style != nil:
		return c.Style.number(text)
	}
	return text
}

// number returns a number as the format shows it: padded, or in percent.
func (s *Style) number(text string) string {
	switch {
	case s.Class == FormatPercent:
		return percent(text)
	case s.Zeros > 1 && !strings.ContainsAny(text, "-."):
		return strings.Repeat("0", max(0, s.Zeros-len(text))) + text
	}
	return text
}

// percent returns a canonical number times a hundred, with the sign behind it.
func percent(text string) string {
	sign, digits := "", text
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	fraction += strings.Repeat("0", max(0, 2-len(fraction)))
	whole, fraction = strings.TrimLeft(whole+fraction[:2], "0"), fraction[2:]
	if whole == "" {
		whole = "0"
	}
	if fraction != "" {
		whole += "." + fraction
	}
	return sign + whole + "%"
}

// lastSerial is 31 December 9999, the last day that spreadsheets know.
const lastSerial = 2958465

// date returns the day, or the time, that a serial stands for. What is none stays as it is.
func (s *Style) date(text string) string {
	serial, err := strconv.ParseFloat(text, 64)
	if err != nil || serial < 0 || serial >= lastSerial+1 {
		return text
	}
	// Rounded to what a person can have typed; binary fractions of a day are never a whole second.
	all := int64(serial*86400 + 0.5)
	days, seconds := int(all/86400), int(all%86400)
	switch {
	case s.elapsed:
		return fmt.Sprintf("%02d:%02d:%02d", all/3600, all/60%60, all%60)
	case days == 60 && !s.from1904:
		return text // the 29 February 1900 that Lotus 1-2-3 had and Excel kept
	}
	day := time.Date(1904, 1, 1, 0, 0, seconds, 0, time.UTC).AddDate(0, 0, days)
	if !s.from1904 {
		day = time.Date(1899, 12, 31, 0, 0, seconds, 0, time.UTC).AddDate(0, 0, days)
		if days > 60 {
			day = day.AddDate(0, 0, -1)
		}
	}
	switch {
	case days == 0 && seconds > 0:
		return day.Format(time.TimeOnly)
	case seconds == 0:
		return day.Format(time.DateOnly)
	}
	return day.Format(time.DateTime)
}

// significant is how many digits of a number spreadsheets keep and show. What lies behind them in a file is an artefact of binary
// fractions: Excel writes 8.4 as 8.4000000000000004.
const significant = 15

// largestExact is the largest whole number up to which a binary fraction of 64 bits holds every one.
const largestExact = 1 << 53

// appendNumber appends the number that raw stands for to dst, rounded to the digits that count. It works on the digits, so nothing
// is lost on the way. ok is false when raw is no number, inexact tells that the last digits of a whole number may be lost.
func appendNumber(dst, raw []byte) (out []byte, inexact, ok bool) {
	if isPlainNumber(raw) {
		return append(dst, raw...), false, true
	}
	n, ok := scanDecimal(raw)
	if !ok {
		return dst, false, false
	}
	if n.exponent || n.fraction || len(n.digits) <= significant {
		n.round()
	}
	if len(n.digits) == 0 {
		return append(dst, '0'), false, true
	}
	if n.negative {
		dst = append(dst, '-')
	}
	// More than fifteen digits, and yet trusted: a program wrote them as a whole number that a spreadsheet can hold, and the last is
	// not the zero that Excel puts where it has forgotten a digit.
	inexact = n.point > significant
	if inexact && !n.exponent && !n.fraction && len(n.digits) == significant+1 && n.digits[significant] != '0' {
		v, err := strconv.ParseInt(string(n.digits), 10, 64)
		inexact = err != nil || v > largestExact
	}
	return n.append(dst), inexact, true
}

// isPlainNumber reports whether a number is written as appendNumber writes it, as nearly all are: at most as many digits as count, perhaps
// with a point between them, and no zeros that say nothing.
func isPlainNumber(raw []byte) bool {
	if len(raw) == 0 || len(raw) > significant {
		return false
	}
	point := -1
	for i, c := range raw {
		switch {
		case isDigit(c):
		case c == '.' && point < 0:
			point = i
		default:
			return false
		}
	}
	whole := point
	if point < 0 {
		whole = len(raw)
	}
	if whole == 0 || raw[0] == '0' && whole > 1 {
		return false
	}
	return point < 0 || raw[len(raw)-1] != '0' && point < len(raw)-1
}

// decimal is a number as its digits: 0.digits times ten to the power of point.
type decimal struct {
	digits             []byte // without leading zeros
	point              int
	negative           bool
	fraction, exponent bool // it was written with a point, with an exponent
}

// maxExponent is beyond what the numbers of a spreadsheet can have.
const maxExponent = 310

// scanDecimal takes a number of XML's xsd:double apart.
func scanDecimal(raw []byte) (decimal, bool) {
	var n decimal
	if len(raw) > 0 && (raw[0] == '-' || raw[0] == '+') {
		n.negative, raw = raw[0] == '-', raw[1:]
	}
	seen := 0
	i := 0
	for ; i < len(raw); i++ {
		switch c := raw[i]; {
		case c >= '0' && c <= '9':
			seen++
			if len(n.digits) > 0 || c != '0' {
				n.digits = append(n.digits, c)
			} else if n.fraction {
				n.point--
			}
			if !n.fraction && len(n.digits) > 0 {
				n.point++
			}
			continue
		case c == '.' && !n.fraction:
			n.fraction = true
			continue
		}
		break
	}
	if seen == 0 || len(raw) > 2*maxExponent {
		return n, false
	}
	if i < len(raw) {
		if raw[i] != 'e' && raw[i] != 'E' {
			return n, false
		}
		e, err := strconv.Atoi(string(raw[i+1:]))
		if err != nil || e > maxExponent || e < -maxExponent {
			return n, false
		}
		n.exponent, n.point = true, n.point+e
	}
	return n, true
}

// round cuts the digits to those that count, half up, and then the zeros at their end.
func (n *decimal) round() {
	if len(n.digits) > significant {
		up := n.digits[significant] >= '5'
		n.digits = n.digits[:significant]
		for i := significant - 1; up && i >= 0; i-- {
			if up = n.digits[i] == '9'; up {
				n.digits[i] = '0'
			} else {
				n.digits[i]++
			}
		}
		if up { // only nines
			n.digits, n.point = append([]byte{'1'}, n.digits...), n.point+1
		}
	}
	for len(n.digits) > 0 && n.digits[len(n.digits)-1] == '0' {
		n.digits = n.digits[:len(n.digits)-1]
	}
}

// append writes the number in full.
func (n *decimal) append(dst []byte) []byte {
	if n.point <= 0 {
		dst = append(dst, '0', '.')
		for range -n.point {
			dst = append(dst, '0')
		}
		return append(dst, n.digits...)
	}
	if n.point >= len(n.digits) {
		dst = append(dst, n.digits...)
		for range n.point - len(n.digits) {
			dst = append(dst, '0')
		}
		return dst
	}
	dst = append(dst, n.digits[:n.point]...)
	dst = append(dst, '.')
	return append(dst, n.digits[n.point:]...)
}
