package table

import "slices"

// How far a pass reads ahead: batches are large enough that handing one on costs nothing beside its rows, and few enough that memory
// stays small, whatever the rows are like.
const (
	aheadRows    = 256
	aheadBytes   = 256 << 10
	aheadBatches = 3 // one is read into, one waits, one is worked on
)

// cellBytes is what a cell takes beside its text, with what a workbook says of it: a sheet may have a thousand columns with next to
// nothing in them.
const cellBytes = 40

// ahead is a pass whose next rows are read while somebody works on the last ones: cutting rows out of bytes takes about as long as
// understanding them.
type ahead struct {
	rows  Rows // owned by read until it has ended
	full  chan *batch
	empty chan *batch
	stop  chan struct{}
	done  chan struct{} // closed when read has ended

	cells []string // of the current row, where the batch has a text
	brief []string // cells, as long as nothing but selected ones was put there

	closed bool
	now    *batch // nil before the first one and behind the last one
	at     int    // of its rows
	row    Row
	err    error
}

// batch is some rows in a row. The cells of all lie one behind another; those of a text are places in one string.
type batch struct {
	rows  []batchRow
	cells []string
	typed []Cell
	err   error // what ended the pass behind them
	last  bool

	isText bool
	text   string
	spans  []span
	want   []int // columns of the cells that brief rows have, beside their last one
}

// batchRow is a row without its cells, and where they begin.
type batchRow struct {
	row   Row
	cells int
	typed int // -1 where there are none
	width int
	brief bool // it has selected cells alone
}

// batcher is a pass that can fill a batch at once, cheaper than row by row.
type batcher interface {
	// fillBatch puts rows into an empty batch, as many as fill would.
	fillBatch(b *batch)
}

// readAhead begins to read a pass ahead. It closes it, too.
func readAhead(rows Rows) *ahead {
	a := &ahead{
		rows: rows, full: make(chan *batch, aheadBatches), empty: make(chan *batch, aheadBatches),
		stop: make(chan struct{}), done: make(chan struct{}), at: -1,
	}
	for range aheadBatches {
		a.empty <- &batch{}
	}
	go a.read()
	return a
}

// read fills batches until the pass ends, or nobody wants it any more.
func (a *ahead) read() {
	defer close(a.done)
	for {
		var b *batch
		select {
		case b = <-a.empty:
		case <-a.stop:
			return
		}
		b.fill(a.rows)
		a.full <- b // there is room for every batch there is
		if b.last {
			return
		}
	}
}

// fill reads rows into a batch.
func (b *batch) fill(rows Rows) {
	held := len(b.cells)
	b.rows, b.cells, b.typed, b.err, b.last = b.rows[:0], b.cells[:0], b.typed[:0], nil, false
	defer func() { // the strings of rows that nobody has any more
		if held > len(b.cells) {
			clear(b.cells[len(b.cells):held])
		}
	}()
	if r, ok := rows.(batcher); ok {
		r.fillBatch(b)
		return
	}
	for bytes := 0; len(b.rows) < aheadRows && bytes < aheadBytes; {
		if !rows.Next() {
			b.err, b.last = rows.Err(), true
			return
		}
		r := rows.Row()
		one := batchRow{row: r, cells: len(b.cells), typed: -1, width: len(r.Cells)}
		b.cells = append(b.cells, r.Cells...)
		if r.Typed != nil {
			one.typed = len(b.typed)
			b.typed = append(b.typed, r.Typed...)
		}
		b.rows = append(b.rows, one)
		bytes += cellBytes * len(r.Cells)
		for _, c := range r.Cells {
			bytes += len(c)
		}
	}
}

// Next implements Rows.
func (a *ahead) Next() bool {
	if a.closed {
		return false
	}
	a.at++
	for a.now == nil || a.at >= len(a.now.rows) {
		if a.now != nil {
			if a.now.last {
				a.at = len(a.now.rows)
				a.err = a.now.err
				return false
			}
			a.empty <- a.now
		}
		a.now, a.at = <-a.full, 0
	}
	one := &a.now.rows[a.at]
	a.row = one.row
	if a.now.isText {
		a.row.Cells = a.cut(one)
		return true
	}
	a.row.Cells = a.now.cells[one.cells : one.cells+one.width : one.cells+one.width]
	if one.typed >= 0 {
		a.row.Typed = a.now.typed[one.typed : one.typed+one.width : one.typed+one.width]
	}
	return true
}

// cut makes the cells of a row of a text.
func (a *ahead) cut(one *batchRow) []string {
	s, spans := a.now.text, a.now.spans[one.cells:]
	if !one.brief {
		a.cells = slices.Grow(a.cells[:0], one.width)[:one.width]
		for i := range a.cells {
			a.cells[i] = s[spans[i].from:spans[i].to]
		}
		a.brief = nil
		return a.cells
	}
	// The row before this one had the same few cells, nearly always.
	if len(a.brief) != one.width {
		a.cells = slices.Grow(a.cells[:0], one.width)[:one.width]
		clear(a.cells)
		a.brief = a.cells
	}
	last, picked := one.width-1, 0
	for _, i := range a.now.want {
		if i >= last {
			break
		}
		a.brief[i] = s[spans[picked].from:spans[picked].to]
		picked++
	}
	a.brief[last] = s[spans[picked].from:spans[picked].to]
	return a.brief
}

// Row implements Rows.
func (a *ahead) Row() Row { return a.row }

// Err implements Rows.
func (a *ahead) Err() error { return a.err }

// Close implements Rows. It waits until nothing is read any more.
func (a *ahead) Close() error {
	if !a.closed {
		a.closed = true
		close(a.stop)
		<-a.done
	}
	return a.rows.Close()
}
