package table

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strconv"
)

// proveQuotes goes over the rows of a file that has quotes, and decides that they are plain characters where they make no sense
// otherwise: where one opens and never closes, or closes in the middle of a cell further down. A row that vanishes within another
// one's cell is worse than a quote too many. refused is what was found out about the beginning of the file, or nil, and findDialect
// finds out how it is written.
func (f *Format) proveQuotes(file *os.File, refused error, findDialect func(*Format) error, l Limits) error {
	wraps := false
	if refused == nil {
		wraps, refused = f.tryQuotes(file, l)
		if refused != nil && !isQuoteRefusal(refused) {
			return refused
		}
		if refused == nil && !wraps {
			return nil
		}
	}
	plain := *f
	plain.QuotesPlain = true
	if isQuoteRefusal(refused) {
		plain.StrayQuote = strayLine(refused)
	}
	if err := findDialect(&plain); err != nil {
		return refused
	}
	t, err := plain.tally(file, l)
	switch {
	case err != nil:
		return err
	case refused != nil && !t.consistent():
		return refused
	case refused == nil && !t.perfect():
		return nil
	case refused == nil:
		plain.StrayQuote = t.firstOpen
	}
	*f = plain
	return nil
}

// isQuoteRefusal reports whether err refuses a file for a quote.
func isQuoteRefusal(err error) bool {
	r, ok := errors.AsType[*Refusal](err)
	return ok && r.Kind == RefusedQuote
}

// strayLine returns the line that a refusal for a quote names.
func strayLine(err error) int {
	r, ok := errors.AsType[*Refusal](err)
	if !ok || len(r.Args) == 0 {
		return 0
	}
	line, _ := strconv.Atoi(r.Args[0]) // our own text; 0 tells nothing
	return line
}

// pass returns a pass over the rows of file that only counts.
func (f *Format) pass(file *os.File, l Limits) (*textRows, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	r := newRows(f.text(file), byte(f.Delimiter), l)
	r.countOnly, r.quotesPlain = true, f.QuotesPlain
	if f.SepLine {
		r.Next()
	}
	return r, nil
}

// tryQuotes reads the file as its quotes say. It returns the refusal for a quote that makes no sense, and whether some cell goes on
// over several lines. Other refusals are left to those who read the rows.
func (f *Format) tryQuotes(file *os.File, l Limits) (wraps bool, err error) {
	r, err := f.pass(file, l)
	if err != nil {
		return false, err
	}
	for r.Next() {
		wraps = wraps || r.line > r.row.Line+1
	}
	if _, refused := errors.AsType[*Refusal](r.err); refused && !isQuoteRefusal(r.err) {
		return false, nil
	}
	return wraps, r.err
}

// tally is what the rows of a file look like when its quotes are plain characters.
type tally struct {
	rows      int
	widths    map[int]int // rows by the number of their cells
	firstOf   map[int]int // the index of the first of them
	stray     int         // the number of cells in the line of the quote that made no sense
	firstOpen int         // the first line with a cell that begins with a quote and does not end with one
	enclosed  bool        // some cell begins and ends with a quote
}

// tally counts the rows of the file.
func (f *Format) tally(file *os.File, l Limits) (tally, error) {
	t := tally{widths: map[int]int{}, firstOf: map[int]int{}}
	r, err := f.pass(file, l)
	if err != nil {
		return t, err
	}
	r.lookAt = func(line []byte) { t.look(line, r.line, r.delim) }
	for r.Next() {
		if t.widths[r.width] == 0 {
			t.firstOf[r.width] = t.rows
		}
		t.widths[r.width]++
		t.rows++
		if r.row.Line == f.StrayQuote {
			t.stray = r.width
		}
	}
	if errors.As(r.err, new(*Refusal)) {
		return tally{}, nil // too long without quotes: consistent in no way
	}
	return t, r.err
}

// look takes the quotes of a line into account.
func (t *tally) look(line []byte, number int, delim byte) {
	for len(line) > 0 && bytes.IndexByte(line, '"') >= 0 {
		cell, rest, _ := bytes.Cut(line, []byte{delim})
		switch {
		case isEnclosed(cell):
			t.enclosed = true
		case t.firstOpen == 0 && len(cell) > 0 && cell[0] == '"':
			t.firstOpen = number
		}
		line = rest
	}
}

// usual returns the number of cells that most rows have.
func (t *tally) usual() int {
	usual := 0
	for width, n := range t.widths {
		if n > t.widths[usual] || n == t.widths[usual] && width > usual {
			usual = width
		}
	}
	return usual
}

// consistent reports whether the rows are those of a table: no row has more cells than the usual one, since quotes then protected a
// delimiter, and hardly one below the first has less.
func (t *tally) consistent() bool {
	usual := t.usual()
	for width := range t.widths {
		if width > usual {
			return false
		}
	}
	return usual > 1 && t.stray == usual && t.widths[usual]*10 >= (t.rows-t.firstOf[usual])*9
}

// perfect reports whether all the rows are so alike that cells which seem to go on over several lines are rows of which the quotes
// fit together by accident.
func (t *tally) perfect() bool {
	return len(t.widths) == 1 && t.usual() > 2 && !t.enclosed
}
