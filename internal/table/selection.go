package table

import (
	"bytes"
	"slices"
)

// Selection says which cells of a text somebody wants: exports have twenty columns of which five are read, and those that nobody looks
// at need not become text.
type Selection struct {
	Cells []int // indexes of the columns that are wanted, Key among them, in any order
	Key   int   // the column by which a row is known for one that is about an article
	// IsKey reports whether the bytes of a row's cell in that column, as they stand in the file, show that the row is what it seems.
	IsKey func(cell []byte) bool
	Width int // how many columns there are; a row with more cells has shifted
}

// RowsOf begins a pass as Rows does for those who want some cells alone. Others are "" where that leaves nothing to doubt: in rows that
// IsKey holds for, that have no quotes and are not wider than the selection. Their last cell is there, too. All other rows are whole,
// and so are those of a workbook.
func (s *Sheet) RowsOf(want Selection) (Rows, error) {
	rows, err := s.rows()
	if err != nil {
		return nil, err
	}
	if r, ok := rows.(*textRows); ok && !r.quotesPlain {
		want.Cells = slices.Compact(slices.Sorted(slices.Values(want.Cells)))
		r.want = &want
	}
	return readAhead(rows), nil
}

// selectCells puts the cells of a line that are wanted behind the text, and nothing where the row has to be whole.
func (r *textRows) selectCells(line []byte) bool {
	want := r.want
	// Behind the cells that are wanted it is enough to count, and to find the last one.
	r.raw = split(r.raw[:0], line, 0, r.delim, want.Cells[len(want.Cells)-1])
	rest := &r.raw[len(r.raw)-1]
	more := bytes.Count(line[rest.from:], []byte{r.delim})
	rest.from += bytes.LastIndexByte(line[rest.from:], r.delim) + 1
	last := len(r.raw) - 1 + more
	if last < want.Key || last >= want.Width || len(line) > r.limits.CellBytes || last >= r.limits.Columns {
		return false
	}
	if at := r.raw[want.Key]; !want.IsKey(line[at.from:at.to]) {
		return false
	}
	for _, i := range want.Cells {
		if i >= last {
			break
		}
		r.spans = append(r.spans, r.take(line, r.raw[i]))
	}
	r.spans = append(r.spans, r.take(line, *rest))
	r.width, r.brief = last+1, true
	return true
}

// take puts a cell of a line behind the text.
func (r *textRows) take(line []byte, at span) span {
	begin, cell := len(r.text), line[at.from:at.to]
	if r.form == formPage && asciiRun(cell) < len(cell) {
		r.decode(at.from, cell)
	} else {
		r.text = append(r.text, cell...)
	}
	return span{begin, len(r.text)}
}
