package table

import (
	"errors"
	"strconv"
	"unicode/utf8"
)

// The size of a sheet, which is the same for all spreadsheets that write XLSX.
const (
	maxRow    = 1 << 20
	maxColumn = 1 << 14
)

// sheetRows is one pass over a sheet. Rows in which no cell has a value are no rows: they were formatted and not filled.
//
// As in a text, a row becomes one string that its cells share.
type sheetRows struct {
	part   *part
	name   string // of the part
	m      *markup
	book   *workbook
	shared stringReader
	limits Limits

	hidden  []bool // by column, as far as columns are read; nil while none is
	columns int    // elements that told of columns
	inData  bool
	done    bool

	line  int // of the last row
	row   Row
	cells []string
	typed []Cell
	text  []byte // of the row
	ends  []int  // where in text each cell ends
	value []byte // of the cell that is being read
	code  []byte // of its formula
	err   error
}

func newSheetRows(s *Sheet, p *part) *sheetRows {
	return &sheetRows{
		part: p, name: s.part, m: newMarkup(p.text(), nil), book: s.book,
		shared: stringReader{from: s.book.strings}, limits: s.book.limits,
	}
}

// Next implements Rows.
func (s *sheetRows) Next() bool {
	for s.err == nil && s.toRow() {
		if s.readRow(); len(s.ends) > 0 && s.err == nil {
			return s.finishRow()
		}
	}
	return false
}

// Row implements Rows.
func (s *sheetRows) Row() Row { return s.row }

// Err implements Rows.
func (s *sheetRows) Err() error { return s.err }

// Close implements Rows.
func (s *sheetRows) Close() error {
	s.done = true
	if s.part != nil {
		s.part.close()
		s.part = nil
	}
	return nil
}

// fail ends the pass with err, as what it says of the sheet.
func (s *sheetRows) fail(err error) {
	if s.err != nil {
		return
	}
	s.err = damaged(s.name, err)
	r, ok := errors.AsType[*Refusal](s.err)
	switch {
	case !ok || s.line == 0:
	case r.Kind == RefusedDamaged && len(r.Args) == 1:
		s.err = &Refusal{Kind: r.Kind, Args: append(r.Args, strconv.Itoa(s.line))}
	case r.Kind == RefusedLimit && r.Args[0] == "cell bytes" && r.Args[2] == "0": // the markup does not know the line
		s.err = refuseLimit(r.Args[0], s.limits.CellBytes, s.line)
	}
}

// toRow goes to the next row element.
func (s *sheetRows) toRow() bool {
	m := s.m
	for !s.done && m.next() {
		switch {
		case m.kind == tokenText:
		case m.kind == tokenClose:
			if s.inData && string(m.name) == "sheetData" {
				return s.toEnd()
			}
		case s.inData && string(m.name) == "row":
			return true
		case s.inData:
			if m.kind == tokenOpen {
				m.skip()
			}
		case string(m.name) == "sheetData":
			if m.kind == tokenEmpty {
				return s.toEnd()
			}
			s.inData = true
		case string(m.name) == "col":
			s.readColumn()
		}
	}
	switch {
	case s.done:
	case m.err != nil:
		s.fail(m.err)
	default:
		s.fail(errMarkup) // the part ends within the rows, or has none
	}
	return false
}

// toEnd reads the rest of the part, which has nothing for us but the proof that it is whole and has no other rows: which of them
// count would not be known.
func (s *sheetRows) toEnd() bool {
	s.done = true
	for m := s.m; m.next(); {
		if m.kind != tokenText && m.kind != tokenClose && string(m.name) == "sheetData" {
			m.err = errMarkup
		}
	}
	if s.m.err != nil {
		s.fail(s.m.err)
	}
	return false
}

// readColumn notes which columns are hidden.
func (s *sheetRows) readColumn() {
	first, last, hidden := 0, -1, false
	for name, value, ok := s.m.attr(); ok; name, value, ok = s.m.attr() {
		switch string(name) {
		case "min":
			first = number(value) - 1
		case "max":
			last = number(value) - 1
		case "hidden":
			hidden = isTrue(value)
		}
	}
	if s.columns++; s.columns > maxColumn {
		s.fail(errMarkup)
		return
	}
	if hidden && s.hidden == nil {
		s.hidden = make([]bool, s.limits.Columns)
	}
	for i := max(first, 0); hidden && i <= last && i < len(s.hidden); i++ {
		s.hidden[i] = true
	}
}

// readRow reads the row that was just opened, up to its end.
func (s *sheetRows) readRow() {
	s.text, s.ends, s.typed = s.text[:0], s.ends[:0], s.typed[:0]
	m := s.m
	line, hidden, empty := s.line+1, false, m.kind == tokenEmpty
	for name, value, ok := m.attr(); ok; name, value, ok = m.attr() {
		switch string(name) {
		case "r":
			line = number(value)
		case "hidden":
			hidden = isTrue(value)
		}
	}
	switch {
	case line > maxRow:
		s.fail(refuseLimit("rows", maxRow, s.line))
		return
	case line <= s.line: // twice the same, or backwards: which of them counts is not known
		s.fail(errMarkup)
		return
	}
	s.line = line
	s.row = Row{Line: line, Hidden: hidden}
	if !empty {
		s.readCells()
	}
}

// readCells reads what is inside a row.
func (s *sheetRows) readCells() {
	m := s.m
	column := -1
	for s.err == nil {
		if c, value, ok := s.plainCell(); ok {
			if !s.inOrder(&c, &column) {
				return
			}
			if c.valued {
				s.addCell(&c, value)
			}
			continue
		}
		if !m.next() {
			break
		}
		switch m.kind {
		case tokenClose:
			return
		case tokenText:
			continue
		}
		if string(m.name) != "c" {
			if m.kind == tokenOpen {
				m.skip()
			}
			continue
		}
		c := cellMarkup{column: column + 1, style: -1}
		s.readAttributes(&c)
		if !s.inOrder(&c, &column) {
			return
		}
		if m.kind == tokenOpen {
			s.readCell(&c)
			s.addCell(&c, s.value)
		}
	}
	if m.err != nil {
		s.fail(m.err)
	} else {
		s.fail(errMarkup)
	}
}

// inOrder goes to the column of the next cell. It fails where the row has been there already, or no sheet has it.
func (s *sheetRows) inOrder(c *cellMarkup, column *int) bool {
	if c.column <= *column || c.column >= maxColumn {
		s.fail(errMarkup)
		return false
	}
	*column = c.column
	return true
}

// finishRow makes the row of its cells, and reports whether it is one.
func (s *sheetRows) finishRow() bool {
	if !utf8.Valid(s.text) {
		s.fail(s.notText())
		return false
	}
	text := string(s.text)
	s.cells = s.cells[:0]
	from := 0
	for _, to := range s.ends {
		s.cells = append(s.cells, text[from:to])
		from = to
	}
	s.row.Cells, s.row.Typed = s.cells, s.typed
	return true
}

// notText returns the refusal of a row that is not in UTF-8.
func (s *sheetRows) notText() error {
	i := 0
	for i < len(s.text) {
		r, size := utf8.DecodeRune(s.text[i:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		i += size
	}
	return refuseEncoding(UTF8, s.text[i:i+1], s.line)
}
