package table

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"strconv"
)

// proveQuotes goes over the rows of a file that has quotes, and decides that they are plain characters where they make no sense
// otherwise: where one opens and never closes, or closes in the middle of a cell further down. A row that vanishes within another
// one's cell is worse than a quote too many. refused is what was found out about the beginning of the file, or nil, and findDialect
// finds out how it is written. tried is what became of the quotes before; nil where nobody tried them.
func (f *Format) proveQuotes(file *os.File, refused error, tried *trial, findDialect func(*Format) error, l Limits) error {
	if refused == nil {
		if tried == nil {
			tried = f.tryQuotes(file, l)
		}
		switch refused = tried.refused; {
		case tried.err != nil:
			return tried.err
		case refused == nil && !tried.wraps:
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
	t, err := plain.tally(file, refused == nil, l)
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
func (f *Format) pass(file *os.File, l Limits) *textRows {
	// Not by the file's own position, for several may be at it.
	r := newRows(f.text(io.NewSectionReader(file, 0, math.MaxInt64)), byte(f.Delimiter), l)
	r.countOnly, r.quotesPlain = true, f.QuotesPlain
	if f.SepLine {
		r.Next()
	}
	return r
}

// trial is what became of reading a file as its quotes say.
type trial struct {
	refused error // for a quote that makes no sense; other refusals are left to those who read the rows
	wraps   bool  // some cell goes on over several lines
	err     error // the file could not be read
}

// tryQuotes reads the file as its quotes say.
func (f *Format) tryQuotes(file *os.File, l Limits) *trial {
	r, t := f.pass(file, l), &trial{}
	for r.Next() {
		t.wraps = t.wraps || r.line > r.row.Line+1
	}
	switch _, refused := errors.AsType[*Refusal](r.err); {
	case isQuoteRefusal(r.err):
		t.refused = r.err
	case refused:
		t.wraps = false
	default:
		t.err = r.err
	}
	return t
}

// tryEarly begins to try the quotes of a file while its encoding is not known yet, where that is likely to be of use: each takes a pass
// over the whole file. What it returns waits for the end, and returns nil where it is of no use; it has to be called. Rows are cut at
// bytes of ASCII in every encoding but UTF-16, so whichever of the others it is makes no difference.
func (t *Table) tryEarly(file *os.File, head []byte, configured Encoding) func() *trial {
	mark := marked(head)
	guess := Format{BOM: mark != "", Encoding: UTF8}
	for _, e := range []Encoding{mark, configured, utf16ByParity(head)} {
		if e == UTF16LE || e == UTF16BE {
			return func() *trial { return nil }
		}
	}
	if bytes.IndexByte(head, '"') < 0 || looksBinary(head) || guess.findDialect(head[len(mark.mark()):], false, t.limits) != nil {
		return func() *trial { return nil }
	}
	done := make(chan *trial)
	go func() { done <- guess.tryQuotes(file, t.limits) }()
	return func() *trial { return <-done }
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

// tally counts the rows of the file, or as many as show that they are not perfect where only that is asked.
func (f *Format) tally(file *os.File, perfect bool, l Limits) (tally, error) {
	t := tally{widths: map[int]int{}, firstOf: map[int]int{}}
	r := f.pass(file, l)
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
		if perfect && (t.enclosed || len(t.widths) > 1) {
			break
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
