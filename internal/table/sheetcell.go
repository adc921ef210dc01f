package table

import (
	"bytes"
	"unicode/utf8"
)

// maxFormula is how much of a formula without value is kept: enough to recognise it by.
const maxFormula = 200

// cellMarkup is a cell as it stands in the sheet.
type cellMarkup struct {
	column, style int
	kind          cellType
	formula       bool
	valued        bool // there is an element for the value, be it without content
}

// cellType is the attribute t of a cell.
type cellType uint8

const (
	typeNumber cellType = iota
	typeShared
	typeFormula // str: the text that a formula has come to
	typeInline
	typeBool
	typeError
	typeDate
	typeUnknown
)

// readAttributes reads where the cell is, and of what type.
func (s *sheetRows) readAttributes(c *cellMarkup) {
	for name, value, ok := s.m.attr(); ok; name, value, ok = s.m.attr() {
		if len(name) != 1 {
			continue
		}
		switch name[0] {
		case 'r':
			var line int
			if c.column, line = position(value); line != s.line {
				c.column = -1 // it is said to be in another row than it is in
			}
		case 's':
			c.style = number(value)
		case 't':
			c.kind = typeOf(value)
		}
	}
}

func typeOf(value []byte) cellType {
	switch string(value) {
	case "n":
		return typeNumber
	case "s":
		return typeShared
	case "str":
		return typeFormula
	case "inlineStr":
		return typeInline
	case "b":
		return typeBool
	case "e":
		return typeError
	case "d":
		return typeDate
	}
	return typeUnknown
}

// position returns the index of the column and the line in a reference like AB12, -1 where there is none.
func position(ref []byte) (column, line int) {
	n, i := 0, 0
	for ; i < len(ref) && i < 4; i++ {
		c := ref[i] &^ 0x20
		if c < 'A' || c > 'Z' {
			break
		}
		n = n*26 + int(c-'A') + 1
	}
	return n - 1, number(ref[i:])
}

// readCell reads what is inside a cell into value, up to the cell's end.
func (s *sheetRows) readCell(c *cellMarkup) {
	m := s.m
	s.value, s.code = s.value[:0], s.code[:0]
	for m.next() {
		switch m.kind {
		case tokenClose:
			return
		case tokenText:
			continue
		}
		switch name := string(m.name); name {
		case "v", "is":
			if c.valued { // two values: which of them counts is not known
				m.err = errMarkup
				return
			}
			c.valued = true
			if name == "v" {
				s.value = s.content(s.value)
			} else if m.kind == tokenOpen {
				s.value = m.appendRich(s.value, s.limits.CellBytes)
			}
		case "f":
			c.formula = true
			s.code = s.content(s.code)
		default:
			if m.kind == tokenOpen {
				m.skip()
			}
		}
	}
}

// content appends the text of the element that the current token opens to dst, which is the cell's, and goes behind its end.
func (s *sheetRows) content(dst []byte) []byte {
	m := s.m
	if m.kind == tokenEmpty {
		return dst
	}
	for m.next() {
		switch m.kind {
		case tokenText:
			dst = m.appendLimited(dst, 0, s.limits.CellBytes)
		case tokenOpen:
			m.skip()
		case tokenClose:
			return dst
		}
	}
	return dst
}

// addCell puts a cell that was read into the row. value is what stands there, and not kept.
func (s *sheetRows) addCell(c *cellMarkup, value []byte) {
	if s.m.err != nil {
		s.fail(s.m.err)
		return
	}
	cell := Cell{Formula: c.formula}
	begin := len(s.text)
	switch c.kind {
	case typeShared:
		s.addShared(value)
	case typeFormula, typeInline:
		s.text = append(s.text, value...)
		if c.kind == typeFormula {
			s.text = unescape(s.text, begin)
		}
	case typeNumber:
		cell.Kind = s.addNumber(&cell, value, c.style)
	case typeBool:
		cell.Kind = Bool
		s.text = append(s.text, pick(isTrue(value), "1", "0")...)
	case typeError:
		cell.Kind = ErrorValue
		s.text = append(s.text, value...)
	case typeDate:
		cell.Kind = Date
		s.text = append(s.text, value...)
	default:
		s.fail(errMarkup)
	}
	// A formula that has come to an empty text has an element for it; one that nobody has calculated has none, or one for a number.
	if c.formula && len(value) == 0 && (c.kind != typeFormula || !c.valued) {
		cell.Kind = Uncalculated
		s.text = append(append(s.text[:begin], '='), excerpt(s.code)...)
	} else if len(value) == 0 || len(s.text) == begin {
		s.text = s.text[:begin]
		return // formatted and not filled
	}
	if c.style >= 0 && c.style < len(s.book.styles) {
		cell.Style = &s.book.styles[c.style]
	}
	s.place(c.column, begin, cell)
}

// addShared puts the shared string that value names behind the row's text.
func (s *sheetRows) addShared(value []byte) {
	if len(value) == 0 {
		return
	}
	text, ok, err := s.shared.find(number(bytes.TrimSpace(value)))
	switch {
	case err != nil:
		s.fail(err)
	case !ok:
		s.fail(errMarkup)
	default:
		s.text = append(s.text, text...)
	}
}

// addNumber puts the number that value is behind the row's text, and returns the cell's kind. What is no number at all is text:
// then the column must prove how it is to be read.
func (s *sheetRows) addNumber(cell *Cell, value []byte, style int) Kind {
	raw := bytes.TrimSpace(value)
	text, inexact, ok := appendNumber(s.text, raw)
	if !ok {
		s.text = append(s.text, raw...)
		return Text
	}
	s.text, cell.Inexact = text, inexact
	if style >= 0 && style < len(s.book.styles) && s.book.styles[style].Class == FormatDate {
		return Date
	}
	return Number
}

// place makes what text has from begin on the cell of a column; the columns before it that have none are blank.
func (s *sheetRows) place(column, begin int, cell Cell) {
	switch {
	case column >= s.limits.Columns:
		s.fail(refuseLimit("columns", s.limits.Columns, s.line))
		return
	case len(s.text)-begin > s.limits.CellBytes:
		s.fail(refuseLimit("cell bytes", s.limits.CellBytes, s.line))
		return
	case len(s.text) > s.limits.RowBytes:
		s.fail(refuseLimit("row bytes", s.limits.RowBytes, s.line))
		return
	}
	for len(s.ends) < column {
		s.ends = append(s.ends, begin)
		s.typed = append(s.typed, Cell{})
	}
	cell.Hidden = column < len(s.hidden) && s.hidden[column]
	s.ends = append(s.ends, len(s.text))
	s.typed = append(s.typed, cell)
}

// excerpt returns the beginning of a formula.
func excerpt(code []byte) []byte {
	if len(code) <= maxFormula {
		return code
	}
	n := maxFormula
	for n > 0 && !utf8.RuneStart(code[n]) {
		n--
	}
	return code[:n]
}
