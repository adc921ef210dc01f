package main

import (
	"io"
	"os"
	"strings"
	"unicode"

	"golang.org/x/term"
	"golang.org/x/text/width"

	"gondola/internal/config"
)

const (
	excerptIndent = 4
	usualWidth    = 100 // of what is no terminal: a log, a mail
	leastWidth    = 40
	tabWidth      = 4
)

// screenWidth returns how many columns there are for a line.
func screenWidth(w io.Writer) int {
	if f, ok := w.(*os.File); ok && isTerminal(w) {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
			return max(columns, leastWidth)
		}
	}
	return usualWidth
}

// cell is a character as a screen shows it.
type cell struct {
	text  string
	width int // in columns: 2 of most Asian characters and emoji, 0 of what is written on top of the one before
}

// excerptLines returns the line that a problem is about and a line of carets to put below it, each at most columns wide: of a long line
// the part around what is meant.
func excerptLines(e config.Excerpt, columns int) (text, mark string) {
	var cells []cell
	from, to, at := -1, 0, 0
	for i, r := range []rune(e.Text) {
		if i == e.Column-1 {
			from = len(cells)
		}
		c := cellOf(r, at)
		cells, at = append(cells, c), at+c.width
		if i == e.Column+e.Length-2 {
			to = len(cells)
		}
	}
	if from < 0 {
		from = len(cells)
	}
	to = max(to, from)
	first, last := window(cells, from, to, columns)
	var b, m strings.Builder
	if first > 0 {
		b.WriteString("…")
		m.WriteString(" ")
	}
	for i, c := range cells[first:last] {
		b.WriteString(c.text)
		sign := " "
		if n := first + i; n >= from && n < to {
			sign = "^"
		}
		m.WriteString(strings.Repeat(sign, c.width))
	}
	if last < len(cells) {
		b.WriteString("…")
	}
	if from == to { // nothing is there: the place itself is meant
		m.WriteString("^")
	}
	return strings.TrimRight(b.String(), " "), strings.TrimRight(m.String(), " ")
}

// cellOf returns how a character shows that begins in column at.
func cellOf(r rune, at int) cell {
	switch {
	case r == '\t':
		n := tabWidth - at%tabWidth
		return cell{strings.Repeat(" ", n), n}
	case unicode.Is(unicode.Cf, r):
		return cell{"\ufffd", 1} // it would turn the direction of the line, or not be seen
	case unicode.In(r, unicode.Mn, unicode.Me):
		return cell{string(r), 0}
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return cell{string(r), 2}
	}
	return cell{plain(string(r)), 1}
}

// window returns which cells to show of a line that may be too long: all, else its beginning where what is meant is in it, else a part
// around that.
func window(cells []cell, from, to, columns int) (first, last int) {
	end := func(first, columns int) int {
		for i := first; i < len(cells); i++ {
			if columns -= cells[i].width; columns < 0 {
				return i
			}
		}
		return len(cells)
	}
	if end(0, columns) == len(cells) {
		return 0, len(cells)
	}
	if last = end(0, columns-1); to <= last || from == 0 {
		return 0, last
	}
	first = from
	for before := columns / 3; first > 1 && before >= cells[first-1].width; first-- {
		before -= cells[first-1].width
	}
	if last = end(first, columns-1); last < len(cells) {
		last = end(first, columns-2)
	}
	return first, last
}
