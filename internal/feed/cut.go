package feed

import (
	"slices"
	"unicode/utf8"

	"gondola/internal/catalog"
	"gondola/internal/table"
)

// A text whose last line has no end is one of two things. Its writer never ends the last line, and all is well; or its writer was
// stopped, and what is left of the last cell reads like any other: 1250.00 becomes 12. The row itself tells often, the feed's earlier
// files tell nearly always, and where nothing tells the row is taken with a warning.

// ends is what the rows seen so far have in common at their end.
type ends struct {
	rows     int
	cells    int // each has so many; -1 where they differ
	length   int // characters of the last cell where it is like a date; -1 where they differ
	decimals int // digits behind the last mark of the last cell; -1 where they differ
	marks    int // of a date in the last cell; -1 where they differ
	tail     int // characters behind the last of them; -1 where they differ

	last string // the last cell of the row before
	wide int    // and how many that had
}

// see takes a whole row into account.
func (e *ends) see(r table.Row) {
	if len(r.Cells) == 0 {
		return
	}
	last := r.Cells[len(r.Cells)-1]
	if e.rows > 0 && len(r.Cells) == e.wide && last == e.last {
		e.rows++ // most exports end their rows alike
		return
	}
	now := endsOf(r)
	if e.rows == 0 {
		now.rows, now.last, now.wide = 1, last, len(r.Cells)
		*e = now
		return
	}
	e.rows++
	e.last, e.wide = last, len(r.Cells)
	agree(&e.cells, now.cells)
	agree(&e.length, now.length)
	agree(&e.decimals, now.decimals)
	agree(&e.marks, now.marks)
	agree(&e.tail, now.tail)
}

// agree keeps what rows have in common, -1 once they differ.
func agree(have *int, now int) {
	if *have != now {
		*have = -1
	}
}

// custom is how many rows have to be alike before the last one must be.
const custom = 5

func endsOf(r table.Row) ends {
	text := trim(r.Cells[len(r.Cells)-1])
	e := ends{cells: len(r.Cells)}
	// Every row of every export comes by here, so that one look at the bytes has to be enough.
	date, marks, decimal := -1, 0, -1
	for i := range len(text) {
		switch text[i] {
		case '-', '/', ':': // they part days and times
			date, marks = i, marks+1
		case '.', ',':
			decimal = i
		}
	}
	if date > 0 {
		e.length, e.tail, e.marks = utf8.RuneCountInString(text), utf8.RuneCountInString(text[date+1:]), marks
	}
	if decimal >= 0 {
		e.decimals = len(text) - decimal - 1
	}
	return e
}

// shortens reports whether a row ends before the others do: it has fewer cells than all of them, or less in the last one.
func (e *ends) shortens(r table.Row) bool {
	now := endsOf(r)
	if e.rows >= 2 && now.cells < e.cells {
		return true
	}
	// Two prices with two decimals and one without are no rarity; after some more it is.
	return e.rows >= custom && now.cells == e.cells && (e.length > 0 && now.length < e.length || e.decimals > 0 && now.decimals != e.decimals)
}

// stops is shortens for a feed that never ends its last line, where whole texts are told from cut ones by what the column is for: a
// whole price has its decimals and a whole date all its parts, and of anything else nobody knows.
func (c *converter) stops(r table.Row, e *ends) bool {
	now := endsOf(r)
	if e.rows >= 2 && now.cells < e.cells {
		return true
	}
	i := slices.IndexFunc(c.columns, func(col *column) bool { return col.Index == len(r.Cells)-1 })
	if e.rows < custom || now.cells != e.cells || i < 0 {
		return false
	}
	switch c.columns[i].Role {
	case RolePrice, RoleOfferPrice:
		return e.decimals > 0 && now.decimals != e.decimals
	case RoleStart, RoleEnd:
		return now.marks < e.marks || now.tail < e.tail
	default:
		return false
	}
}

// breaksOff reports whether the file ends in the middle of the row. Each pass over the rows has ends of its own.
func (c *converter) breaksOff(r table.Row, e *ends) bool {
	if !r.Open {
		e.see(r)
		return false
	}
	if len(r.Cells) <= c.last {
		return true
	}
	earlier := c.spec.Earlier
	switch {
	case earlier == nil || earlier.Rows == 0:
		return e.shortens(r)
	case earlier.Ended:
		return true
	default:
		return c.stops(r, e) || c.lacksRows(e)
	}
}

// lacksRows reports whether a full export of a feed that never ends its last line has fewer rows than the one before: it may lack them
// for having been cut.
func (c *converter) lacksRows(e *ends) bool {
	earlier := c.spec.Earlier
	return earlier != nil && earlier.Rows > 0 && !earlier.Ended && c.spec.Full && e.rows+1 < earlier.Rows
}

// open warns of a last line without an end where nothing tells what that means.
func (c *converter) open(r table.Row) {
	if r.Open && c.spec.Earlier != nil && (c.spec.Earlier.Rows == 0 || c.ends.shortens(r)) {
		c.warn(r, nil, catalog.RowOpen)
	}
}

// cutRow rejects the row in which the file breaks off. What would have come behind it is not missing.
func (c *converter) cutRow(r table.Row) error {
	c.fail(r, nil, catalog.RowCut)
	c.res.Fewer = len(r.Cells) > c.last && !c.stops(r, &c.ends) && c.lacksRows(&c.ends)
	c.res.Rows++
	c.res.Rejected++
	c.res.Keyless[catalog.AllVendors]++
	return nil
}
