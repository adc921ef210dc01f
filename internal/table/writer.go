package table

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Writer writes CSV as RFC 4180 has it, but for its line ends: comma, UTF-8 without byte order mark, "\n" behind every row, quotes
// where they are needed and nowhere else. The same rows always make the same bytes. It belongs to one goroutine.
type Writer struct {
	w    *bufio.Writer
	row  []byte // is used again
	rows int
}

// NewWriter returns a Writer on w. It gathers what it writes: Flush must be called at the end.
func NewWriter(w io.Writer) *Writer {
	return &Writer{w: bufio.NewWriterSize(w, 64<<10)}
}

// Write writes one row. Once writing failed, it keeps returning that error; a row with a cell that is not UTF-8 is not written.
// A row that is a slice already is not kept.
func (w *Writer) Write(cells ...string) error {
	w.rows++
	w.row = w.row[:0]
	for i, c := range cells {
		if i > 0 {
			w.row = append(w.row, ',')
		}
		above, special := look(c)
		// Before anything of the row is written: a half row would spoil the ones behind it.
		if above && !utf8.ValidString(c) {
			return fmt.Errorf("write row %d: cell %d is not UTF-8: %q", w.rows, i+1, c)
		}
		// A single cell without anything would be a blank line, which readers pass over.
		if special || c == "" && len(cells) == 1 {
			w.quote(c)
		} else {
			w.row = append(w.row, c...)
		}
	}
	w.row = append(w.row, '\n')
	if _, err := w.w.Write(w.row); err != nil {
		return fmt.Errorf("write row %d: %w", w.rows, err)
	}
	return nil
}

// look reports whether a cell has bytes above ASCII, and whether it has any for which it must be quoted.
func look(cell string) (above, special bool) {
	for i := range len(cell) {
		switch c := cell[i]; {
		case c >= utf8.RuneSelf:
			above = true
		case c == ',', c == '"', c == '\r', c == '\n':
			special = true
		}
	}
	return above, special
}

// Flush hands everything written so far to the underlying writer.
func (w *Writer) Flush() error {
	if err := w.w.Flush(); err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	return nil
}

// quote writes c in quotes, those within it doubled.
func (w *Writer) quote(c string) {
	w.row = append(w.row, '"')
	w.row = append(w.row, strings.ReplaceAll(c, `"`, `""`)...)
	w.row = append(w.row, '"')
}
