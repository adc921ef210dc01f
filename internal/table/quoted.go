package table

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// quotedRow makes a row of what begins at start and has a quote on its first line. It returns false when the row goes on behind the
// window, or with an error.
//
// Rows are read as RFC 4180 has them, and leniently beyond it, since exports are written by hand-made code:
//
//   - a quote inside a cell that does not begin with one is text: 24" monitor
//   - a quoted cell may be followed by blanks before the delimiter
//   - quotes inside a quoted cell that nobody doubled are text, where the cell's last byte is a quote: "Pipe 1/2" steel"
//   - a cell that begins with a quote and does not end with one is text as it stands: "24" monitor
func (r *textRows) quotedRow() bool {
	data := r.buf[r.start:r.end]
	r.text, r.spans = r.text[:r.textFrom], r.spans[:r.cellFrom]
	for i := 0; ; i++ {
		begin, ok := len(r.text), false
		if i < len(data) && data[i] == '"' {
			i, ok = r.quotedCell(data, i)
		} else {
			i, ok = r.bareCell(data, i)
		}
		if !ok || r.err != nil {
			return false
		}
		r.spans = append(r.spans, span{begin, len(r.text)})
		if len(r.spans)-r.cellFrom > r.limits.Columns {
			r.err = refuseLimit("columns", r.limits.Columns, r.line)
			return false
		}
		if i < len(data) && data[i] == r.delim {
			continue
		}
		width := lineEndWidth(data[i:])
		if width == 1 && data[i] == '\r' && i+1 == len(data) && !r.eof {
			return false
		}
		r.finish(data[:i], width)
		return true
	}
}

// bareCell adds the cell without quotes that begins at i, and returns where it ends.
func (r *textRows) bareCell(data []byte, i int) (int, bool) {
	stop := r.cellEnd(data, i)
	if stop == len(data) && !r.eof {
		return 0, false
	}
	r.add(i, stop)
	return stop, true
}

// quotedCell adds the cell whose opening quote is at i, and returns where it ends.
func (r *textRows) quotedCell(data []byte, at int) (int, bool) {
	r.quoted = true
	begin := len(r.text)
	for i := at + 1; ; {
		n := bytes.IndexByte(data[i:], '"')
		if n < 0 && !r.eof && len(data)-at <= r.limits.CellBytes {
			return 0, false
		}
		if n < 0 || i+n-at-1 > r.limits.CellBytes {
			r.err = refuseQuote(r.lineAt(at))
			return 0, false
		}
		r.add(i, i+n)
		i += n + 1
		if i == len(data) && !r.eof {
			return 0, false
		}
		if i == len(data) || data[i] != '"' {
			return r.afterQuote(data, cellSpan{from: at, to: i, begin: begin})
		}
		r.text = append(r.text, '"')
		i++
	}
}

// cellSpan is a quoted cell that seems to be closed.
type cellSpan struct {
	from, to int // with both quotes, counted from where the row starts in the window
	begin    int // in textRows.text
}

// afterQuote sees to what stands between a closing quote and the delimiter, and returns where the cell ends.
func (r *textRows) afterQuote(data []byte, c cellSpan) (int, bool) {
	stop := r.cellEnd(data, c.to)
	if stop == len(data) && !r.eof {
		return 0, false
	}
	junk := bytes.TrimRight(data[c.to:stop], " \t")
	switch last := len(junk) - 1; {
	case last < 0:
	case lineEnds(data[c.from:c.to]) > 0:
		// A quote that somebody forgot to close ends at the next one, lines later, in the middle of a cell.
		// The rows between would vanish in silence.
		r.err = refuseQuote(r.lineAt(c.from))
	case junk[last] == '"':
		r.text = append(r.text, '"')
		r.add(c.to, c.to+last)
	default:
		r.text = r.text[:c.begin]
		r.add(c.from, stop)
	}
	return stop, true
}

// cellEnd returns the index of the first delimiter or line end from i on.
func (r *textRows) cellEnd(data []byte, i int) int {
	for i < len(data) && data[i] != r.delim && data[i] != '\n' && data[i] != '\r' {
		i++
	}
	return i
}

// finish makes the row of the cells added, and goes behind it: raw is the row as it stands in the window, width what ends it.
func (r *textRows) finish(raw []byte, width int) {
	if len(raw) > r.limits.RowBytes {
		r.err = refuseLimit("row bytes", r.limits.RowBytes, r.line)
		return
	}
	r.row = Row{Line: r.line, Open: width == 0 && !r.marked}
	if !r.countOnly {
		if !r.valid() {
			return
		}
		if r.check(true); r.err != nil {
			return
		}
	}
	r.line += lineEnds(raw) + 1
	r.start += len(raw) + width
}

// unquote takes off the quotes that enclose whole cells, and makes one of those that are doubled, where they lie.
func (r *textRows) unquote() {
	for i := range r.spans[r.cellFrom:] {
		at := &r.spans[r.cellFrom+i]
		cell := r.text[at.from:at.to]
		if !isEnclosed(cell) {
			continue
		}
		inner := cell[1 : len(cell)-1]
		kept := cell[:0]
		for len(inner) > 0 {
			kept = append(kept, inner[0])
			inner = inner[1+pick(len(inner) > 1 && inner[0] == '"' && inner[1] == '"', 1, 0):]
		}
		at.to = at.from + len(kept)
		r.quoted = true
	}
}

// isEnclosed reports whether a cell begins and ends with a quote.
func isEnclosed[T string | []byte](c T) bool {
	return len(c) > 1 && c[0] == '"' && c[len(c)-1] == '"'
}

// quotesClose reports whether the quotes of a line are those of RFC 4180, or stand inside cells without, and none is open at its end:
// such a line is a row, and nothing is wrong with it. It looks at eight bytes at a time, as split does.
func quotesClose(line []byte, delim byte) bool {
	const low, high, quotes = 0x7f7f7f7f7f7f7f7f, 0x8080808080808080, '"' * 0x0101010101010101
	var tail [8]byte
	inside, skip := false, -1
	for i := 0; i < len(line); i += 8 {
		eight := line[i:]
		if len(eight) < 8 {
			copy(tail[:], eight)
			eight = tail[:]
		}
		x := binary.LittleEndian.Uint64(eight) ^ quotes
		for mask := ^((x&low + low) | x) & high; mask != 0; mask &= mask - 1 {
			at := i + bits.TrailingZeros64(mask)/8
			switch {
			case at == skip: // the second of two
			case !inside:
				inside = at == 0 || line[at-1] == delim
			case at+1 == len(line) || line[at+1] == delim:
				inside = false
			case line[at+1] == '"':
				skip = at + 1
			default:
				return false
			}
		}
	}
	return !inside
}

// lineEndWidth returns how many bytes end the line at the beginning of b: 0, 1 or 2.
func lineEndWidth(b []byte) int {
	switch {
	case len(b) == 0 || (b[0] != '\n' && b[0] != '\r'):
		return 0
	case b[0] == '\r' && len(b) > 1 && b[1] == '\n':
		return 2
	}
	return 1
}

// lineEnds counts the line ends in b, CR LF as one.
func lineEnds(b []byte) int {
	n := bytes.Count(b, []byte{'\n'})
	for {
		i := bytes.IndexByte(b, '\r')
		if i < 0 {
			return n
		}
		if i+1 == len(b) || b[i+1] != '\n' {
			n++
		}
		b = b[i+1:]
	}
}
