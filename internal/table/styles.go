package table

import "strings"

// FormatClass is what a number format makes of a number.
type FormatClass uint8

// The classes.
const (
	FormatPlain      FormatClass = iota // a number as it is, with whatever decimals, groups or currency
	FormatPercent                       // times a hundred
	FormatDate                          // a day, a time or a duration
	FormatScientific                    // 7.79E+12: only shown so, the digits are there
	FormatFraction                      // 3 1/2
	FormatText                          // @
	FormatMasked                        // digits between other letters and signs, like 000-0000: what is shown is not the number
)

// Style is how the cells of one format are shown.
type Style struct {
	ID     int    // its place among the formats of the workbook
	Format string // the number format, "" for one of the built-in ones that has no code of its own
	Class  FormatClass
	Zeros  int // digits that whole numbers are filled up to with zeros in front; 0 and 1 are none

	elapsed  bool // the format shows a duration, whose hours, minutes or seconds go on counting
	builtIn  int  // the number of a built-in format, which Format has no code for
	from1904 bool // days count from 1 January 1904
}

// maxStyles is how many formats a workbook may have: Excel's own limit is 65,490.
const maxStyles = 1 << 16

// builtIn are the number formats that a workbook uses without writing their codes, as far as they are not plain (ECMA-376 part 1,
// 18.8.30, with the ones of East Asian versions, which are all dates).
func builtIn(id int) string {
	switch {
	case id == 9, id == 10:
		return "0%"
	case id == 11, id == 48:
		return "0.00E+00"
	case id == 12, id == 13:
		return "# ?/?"
	case id == 49:
		return "@"
	case id >= 14 && id <= 17, id == 22, id >= 27 && id <= 31, id == 36, id >= 50 && id <= 58:
		return "yyyy-mm-dd"
	case id >= 18 && id <= 21, id >= 32 && id <= 35, id == 45, id == 47:
		return "hh:mm:ss"
	case id == 46:
		return "[h]:mm:ss"
	}
	return ""
}

// readStyles reads the formats of cells, in their order, from the part that has them.
func readStyles(m *markup, from1904 bool) ([]Style, error) {
	codes := map[int]string{}
	var styles []Style
	m.inside(func() {
		switch string(m.name) {
		case "numFmts":
			if m.kind == tokenOpen {
				m.numberFormats(codes)
			}
		case "cellXfs":
			if m.kind == tokenOpen {
				styles = m.cellFormats()
			}
		}
	})
	if m.err == nil && len(styles) > maxStyles {
		return nil, refuseLimit("styles", maxStyles, 0)
	}
	for i := range styles {
		s := &styles[i]
		// The codes are known once all is read: nothing says that they come first.
		code, own := codes[s.ID]
		if !own {
			code, s.builtIn = builtIn(s.ID), s.ID
		} else {
			s.Format = code
		}
		s.read(code)
		s.ID, s.from1904 = i, from1904
	}
	return styles, m.err
}

// read finds out what the number format code does.
func (s *Style) read(code string) {
	s.Class, s.Zeros = classify(code)
	s.elapsed = s.Class == FormatDate && shapeOf(code).elapsed
}

// numberFormats reads what is inside numFmts. Elsewhere there are others: those of conditional formats and tables, whose numbers are
// their own.
func (m *markup) numberFormats(codes map[int]string) {
	m.inside(func() {
		if string(m.name) != "numFmt" || len(codes) >= maxStyles {
			return
		}
		id, code := -1, ""
		for name, value, ok := m.attr(); ok; name, value, ok = m.attr() {
			switch string(name) {
			case "numFmtId":
				id = number(value)
			case "formatCode":
				code = m.decoded(value)
			}
		}
		codes[id] = code
	})
}

// cellFormats reads what is inside cellXfs; the ID of each style is that of its number format.
func (m *markup) cellFormats() []Style {
	var styles []Style
	m.inside(func() {
		if string(m.name) != "xf" || len(styles) > maxStyles {
			return
		}
		var s Style
		for name, value, ok := m.attr(); ok; name, value, ok = m.attr() {
			if string(name) == "numFmtId" {
				s.ID = number(value)
			}
		}
		styles = append(styles, s)
	})
	return styles
}

// classify says what a number format does, by its first section: that is the one for numbers above zero.
func classify(code string) (FormatClass, int) {
	f := shapeOf(code)
	switch {
	case f.general:
		return FormatPlain, 0
	case f.date:
		return FormatDate, 0
	case f.percent:
		return FormatPercent, 0
	case f.scientific:
		return FormatScientific, 0
	case f.fraction && f.digits > 0:
		return FormatFraction, 0
	case f.text:
		return FormatText, 0
	case f.masked && f.digits > 0:
		return FormatMasked, 0
	case f.grouped:
		return FormatPlain, 0
	}
	return FormatPlain, f.zeros
}

func shapeOf(code string) formatShape {
	var f formatShape
	for rest := code; rest != "" && !f.ended; {
		rest = f.take(rest)
	}
	return f
}

// formatShape is what occurs in one section of a number format.
type formatShape struct {
	ended, general, date, elapsed, percent, scientific, fraction, text, masked, grouped, point bool

	digits, zeros int // places for digits; those of them before the point that are filled with zeros
}

// take looks at what code begins with, and returns what follows it.
func (f *formatShape) take(code string) string {
	c := code[0]
	switch {
	case len(code) >= 7 && strings.EqualFold(code[:7], "general"):
		f.general = true
		return code[7:]
	case c == ';':
		f.ended = true
	case c == '"':
		literal, rest, _ := strings.Cut(code[1:], `"`)
		f.literal(literal)
		return rest
	case c == '\\' && len(code) > 1:
		f.literal(code[1:2])
		return code[2:]
	case (c == '_' || c == '*') && len(code) > 1:
		return code[2:] // a gap as wide as the character, or filled with it
	case c == '[':
		inner, rest, _ := strings.Cut(code[1:], "]")
		// Colours, conditions and currencies say nothing; [h] is a duration.
		f.elapsed = f.elapsed || strings.Trim(strings.ToLower(inner), "hms") == "" && inner != ""
		f.date = f.date || f.elapsed
		return rest
	case (c == 'E' || c == 'e') && len(code) > 1 && (code[1] == '+' || code[1] == '-'):
		f.scientific = true
		return code[2:]
	default:
		f.sign(c)
	}
	return code[1:]
}

// sign takes one character that stands for itself or for a digit.
func (f *formatShape) sign(c byte) {
	switch c {
	case '0', '#', '?':
		f.digits++
		if c == '0' && !f.point {
			f.zeros++
		}
	case '.':
		f.point = true
	case ',':
		f.grouped = true
	case '%':
		f.percent = true
	case '/':
		f.fraction = true
	case '@':
		f.text = true
	case 'y', 'Y', 'm', 'M', 'd', 'D', 'h', 'H', 's', 'S':
		f.date = true
	case '-':
		f.masked = f.masked || f.digits > 0
	}
}

// literal takes text that is shown beside the digits. A currency does not change what the number is; digits and letters between
// or behind zeros do, for whoever reads them as a code.
func (f *formatShape) literal(s string) {
	for i := range len(s) {
		if isDigit(s[i]) || s[i] == '-' && f.digits > 0 || s[i] == '/' {
			f.masked = true
		}
	}
}

// number reads digits; -1 for anything else.
func number(b []byte) int {
	if len(b) == 0 || len(b) > 9 {
		return -1
	}
	n := 0
	for _, c := range b {
		if !isDigit(c) {
			return -1
		}
		n = 10*n + int(c-'0')
	}
	return n
}
