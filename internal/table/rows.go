package table

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"slices"
	"unicode/utf8"
)

// form says what has to be done to the bytes of a row before they are a string.
type form uint8

const (
	formPlain form = iota // nothing: they are known to be UTF-8
	formUTF8              // to be checked
	formPage              // to be decoded
)

// textRows is one pass over a text.
//
// A row lies in one piece in a window on the file, and is cut as bytes: the texts of many rows become strings at once, with one
// allocation. The window is kept as large as the largest row seen, and at most a little larger than the limit for a row.
type textRows struct {
	src    io.Reader
	file   *os.File // closed by Close; nil when src is no file
	delim  byte     // 0 when there is none: readable text has no NUL
	form   form
	page   *page // with formPage
	limits Limits

	quotesPlain bool              // quotes are characters like others, but for those around a cell
	countOnly   bool              // rows are counted, and nothing is made of them
	lookAt      func(line []byte) // with countOnly, is shown the lines without quotes; nil for nobody

	buf        []byte
	start, end int  // what of buf is not read yet
	lf         int  // index of the first line feed from start on, end if there is none; less than start if not known
	eof        bool // there is nothing behind end
	marked     bool // but the end mark of DOS

	line   int  // of the byte at start
	row    Row  // without its cells, until Next has made them
	width  int  // how many cells the row has; where it is brief, or counted without quotes
	brief  bool // it has selected cells alone
	quoted bool // a quoted cell was seen
	err    error

	want *Selection // nil for all cells
	raw  []span     // of the line; is used again

	text     []byte // of the rows that were scanned and are no strings yet
	spans    []span // of their cells
	textFrom int    // where in text the current row begins,
	cellFrom int    // and where in spans
	cells    []string
}

// span is where in a text a cell lies.
type span struct{ from, to int }

func newRows(src io.Reader, delim byte, l Limits) *textRows {
	return &textRows{src: src, delim: delim, limits: l, lf: -1, line: 1}
}

// Next implements Rows.
func (r *textRows) Next() bool {
	r.text, r.spans = r.text[:0], r.spans[:0]
	if !r.scan() {
		return false
	}
	if !r.countOnly {
		r.cells = appendCells(r.cells[:0], r.text, r.spans)
		r.row.Cells = r.cells
	}
	return true
}

// fillBatch implements batcher.
func (r *textRows) fillBatch(b *batch) {
	r.text, r.spans = r.text[:0], b.spans[:0]
	for len(b.rows) < aheadRows && len(r.text)+cellBytes*len(r.spans) < aheadBytes {
		if !r.scan() {
			b.err, b.last = r.err, true
			break
		}
		one := batchRow{row: r.row, cells: r.cellFrom, width: len(r.spans) - r.cellFrom}
		if r.brief {
			one.brief, one.width = true, r.width
		}
		b.rows = append(b.rows, one)
	}
	b.isText, b.text, b.spans = true, string(r.text), r.spans
	if r.want != nil {
		b.want = r.want.Cells
	}
}

// appendCells makes strings of cells, which share one.
func appendCells(cells []string, text []byte, spans []span) []string {
	s := string(text)
	cells = slices.Grow(cells, len(spans))
	for _, at := range spans {
		cells = append(cells, s[at.from:at.to])
	}
	return cells
}

// scan goes to the next row and puts its cells behind those of the rows before it. Blank lines are no rows.
func (r *textRows) scan() bool {
	r.textFrom, r.cellFrom, r.brief = len(r.text), len(r.spans), false
	for r.err == nil && (r.start < r.end || !r.eof) {
		stop, width, ok := r.lineEnd()
		line := r.buf[r.start:stop]
		switch {
		case !r.quotesPlain && bytes.IndexByte(line, '"') >= 0:
			if r.countOnly && ok && len(line) <= r.limits.CellBytes && quotesClose(line, r.delim) {
				r.row = Row{Line: r.line}
				r.start = stop + width
				r.line++
				return true
			}
			if r.quotedRow() {
				return r.err == nil
			}
			r.fill()
		case !ok:
			r.fill()
		case len(line) == 0:
			r.start += width
			r.line++
		default:
			r.plainRow(line)
			r.row.Open = width == 0 && !r.marked
			r.start = stop + width
			r.line++
			return r.err == nil
		}
	}
	return false
}

// Row implements Rows.
func (r *textRows) Row() Row { return r.row }

// Err implements Rows.
func (r *textRows) Err() error { return r.err }

// Close implements Rows.
func (r *textRows) Close() error {
	r.start, r.end, r.eof, r.src = 0, 0, true, nil
	if r.file == nil {
		return nil
	}
	f := r.file
	r.file = nil
	return f.Close()
}

// lineEnd returns where in the window the line that begins at start stops, and how many bytes end it. It is not ok, and stop is end,
// when the window is too short to tell.
func (r *textRows) lineEnd() (stop, width int, ok bool) {
	if r.lf < r.start {
		// Kept for later calls: without that, a file with bare CRs would be searched to the end of the window for every row.
		r.lf = r.end
		if i := bytes.IndexByte(r.buf[r.start:r.end], '\n'); i >= 0 {
			r.lf = r.start + i
		}
	}
	if i := bytes.IndexByte(r.buf[r.start:r.lf], '\r'); i >= 0 {
		stop = r.start + i
		switch {
		case stop+1 < r.end && r.buf[stop+1] == '\n':
			return stop, 2, true
		case stop+1 < r.end || r.eof:
			return stop, 1, true
		}
		return r.end, 0, false
	}
	if r.lf < r.end {
		return r.lf, 1, true
	}
	return r.end, 0, r.eof
}

// fill makes the window show more of the file. It does nothing after an error.
func (r *textRows) fill() {
	if r.err != nil {
		return
	}
	n := r.end - r.start
	most := max(headSize, r.limits.RowBytes+len("\r\n"))
	switch {
	case r.start > 0:
		copy(r.buf, r.buf[r.start:r.end])
	case n >= most:
		r.err = refuseLimit("row bytes", r.limits.RowBytes, r.line)
		return
	case n == len(r.buf):
		// Doubling keeps the price of reading an unfinished row again and again linear.
		r.buf = append(make([]byte, 0, min(max(headSize, 2*n), most)), r.buf...)
		r.buf = r.buf[:cap(r.buf)]
	}
	r.start, r.end, r.lf = 0, n, -1
	for r.end < len(r.buf) && !r.eof {
		n, err := r.src.Read(r.buf[r.end:])
		r.end += n
		switch {
		case errors.Is(err, io.EOF):
			r.eof = true
			// The marks can't be cut off by a window's edge: a row is only taken out once something behind it is in sight.
			whole := bytes.TrimRight(r.buf[:r.end], endMark)
			r.marked, r.end = len(whole) < r.end, len(whole)
		case err != nil:
			r.err = readError(err)
			return
		}
	}
}

// plainRow makes a row of a line without quotes.
func (r *textRows) plainRow(line []byte) {
	if len(line) > r.limits.RowBytes {
		r.err = refuseLimit("row bytes", r.limits.RowBytes, r.line)
		return
	}
	if r.countOnly {
		r.width, r.row = bytes.Count(line, []byte{r.delim})+1, Row{Line: r.line}
		if r.lookAt != nil {
			r.lookAt(line)
		}
		return
	}
	if r.want != nil && r.selectCells(line) {
		r.valid()
		r.row = Row{Line: r.line}
		return
	}
	whole := r.take(line, span{0, len(line)})
	if !r.valid() {
		return
	}
	r.spans = split(r.spans, r.text, whole.from, r.delim, r.limits.Columns)
	if r.quotesPlain && bytes.IndexByte(line, '"') >= 0 {
		r.unquote()
	}
	// A longer cell needs a longer line: most rows need no look at each.
	r.check(len(r.text)-r.textFrom > r.limits.CellBytes)
	r.row = Row{Line: r.line}
}

// split appends the cells that lie in text from a place on, cut at the delimiters, and stops when there are more than most.
//
// It looks at eight bytes at a time: cells are short, so that a search for each would be busy with beginning and ending. Of x, whose
// bytes are 0 where a delimiter is, mask gets the highest bit of just those bytes (exact, without borrows between bytes).
func split(spans []span, text []byte, from int, delim byte, most int) []span {
	const low, high = 0x7f7f7f7f7f7f7f7f, 0x8080808080808080
	pattern := uint64(delim) * 0x0101010101010101
	most += len(spans)
	i := from
	for ; i+8 <= len(text) && len(spans) <= most; i += 8 {
		x := binary.LittleEndian.Uint64(text[i:]) ^ pattern
		for mask := ^((x&low + low) | x) & high; mask != 0; mask &= mask - 1 {
			at := i + bits.TrailingZeros64(mask)/8
			spans = append(spans, span{from, at})
			from = at + 1
		}
	}
	for ; i < len(text) && len(spans) <= most; i++ {
		if text[i] == delim {
			spans = append(spans, span{from, i})
			from = i + 1
		}
	}
	return append(spans, span{from, len(text)})
}

// check holds the row's cells against the limits.
func (r *textRows) check(each bool) {
	cells := r.spans[r.cellFrom:]
	if len(cells) > r.limits.Columns {
		r.err = refuseLimit("columns", r.limits.Columns, r.line)
		return
	}
	if !each {
		return
	}
	for _, at := range cells {
		if at.to-at.from > r.limits.CellBytes {
			r.err = refuseLimit("cell bytes", r.limits.CellBytes, r.line)
			return
		}
	}
}

// valid reports whether the text of the row, which is UTF-8 or claims to be, is so. Open has proved as much; this holds should the file
// have changed since.
func (r *textRows) valid() bool {
	if r.err != nil {
		return false
	}
	text := r.text[r.textFrom:]
	if r.form != formUTF8 || utf8.Valid(text) {
		return true
	}
	for i, c := range string(text) {
		if c == utf8.RuneError && !bytes.HasPrefix(text[i:], []byte("\uFFFD")) {
			r.err = refuseEncoding(UTF8, text[i:i+1], r.line+lineEnds(text[:i]))
			break
		}
	}
	return false
}

// add puts bytes of the row behind its text; from and to count from where the row starts in the window.
func (r *textRows) add(from, to int) {
	if r.countOnly {
		return
	}
	raw := r.buf[r.start+from : r.start+to]
	if r.form != formPage {
		r.text = append(r.text, raw...)
		return
	}
	r.decode(from, raw)
}

// decode puts bytes of a code page, which begin at from in the row, behind its text.
func (r *textRows) decode(from int, raw []byte) {
	text, bad := r.page.append(r.text, raw)
	r.text = text
	if bad >= 0 && r.err == nil {
		r.err = refuseEncoding(r.page.name, raw[bad:bad+1], r.lineAt(from+bad))
	}
}

// lineAt returns the line of the byte that is n behind the start of the row.
func (r *textRows) lineAt(n int) int { return r.line + lineEnds(r.buf[r.start:r.start+n]) }

// readError keeps a refusal as it is, and says of other errors what was going on.
func readError(err error) error {
	if _, ok := errors.AsType[*Refusal](err); ok {
		return err
	}
	return fmt.Errorf("read table: %w", err)
}
