package feed

import (
	"slices"
	"strings"

	"gondola/internal/catalog"
	"gondola/internal/table"
)

// The seconds of a day with which a promotion begins and ends whose cells tell no time: the last second counts.
const (
	firstSecond = 0
	lastSecond  = 24*60*60 - 1
)

// dateEvidence is what the cells of one column of dates prove about how it is written.
type dateEvidence struct {
	day, month proof // texts that can only be read with the day, with the month first
	short      proof // texts that would prove the day first, if their year is not the first of their pairs: 26-05-08
	yearLast   int   // texts of which the last number can only be the year
	open       int   // texts that read either way, and not the same
	midnights  int   // cells that tell a time, and it is 0:00
	timed      int   // cells that tell another time
	late       int   // dates of a spreadsheet behind the 12th: day and month can't have been swapped there
	midnight   bool  // midnights stand for the whole day: settled for the column of ends
	swapped    bool  // dates of the spreadsheet may have day and month swapped: settled when all is known
}

// dateIn returns the row's cell in a column of dates; false when it holds none.
func (c *converter) dateIn(r table.Row, col *column) (dateReading, bool) {
	cell := typed(r, col)
	switch cell.Kind {
	case table.Text, table.Number:
		return c.readKnown(unwrap(r.Cells[col.Index]))
	case table.Date:
		d, ok := c.readKnown(shown(r, col))
		if ok && !d.timed && showsTime(cell.Style) {
			d.timed = true // 0:00 on purpose, or by a program that writes no day without it
		}
		return d, ok
	}
	return dateReading{}, false
}

// readKnown is readDate with memory: an export has few dates, many times each.
func (c *converter) readKnown(text string) (dateReading, bool) {
	d, known := c.datesRead[text]
	if !known {
		d, _ = readDate(text)
		if len(c.datesRead) < maxKnown {
			c.datesRead[strings.Clone(text)] = d
		}
	}
	return d, d.year != 0
}

// showsTime reports whether a number format shows hours. Of the formats that a workbook need not spell out nobody can tell; most of
// them are days.
func showsTime(s *table.Style) bool {
	if s == nil {
		return false
	}
	quoted := false
	for i := range len(s.Format) {
		switch c := s.Format[i]; {
		case c == '"':
			quoted = !quoted
		case !quoted && (c == 'h' || c == 'H'):
			return true
		}
	}
	return false
}

// weighDate takes one cell of a column of dates into account.
func (c *converter) weighDate(r table.Row, col *column) {
	if unwrap(cell(r, col)) == "" {
		return
	}
	d, ok := c.dateIn(r, col)
	if !ok {
		return
	}
	e := &col.dates
	switch {
	case !d.timed:
	case d.clock == 0:
		e.midnights++
	default:
		e.timed++
	}
	if typed(r, col).Kind == table.Date {
		if d.first > 12 {
			e.late++
		}
		return
	}
	if d.sure {
		return
	}
	switch text := unwrap(r.Cells[col.Index]); {
	case d.short:
		e.short.add(text, r.Line)
		return
	case d.open():
		e.open++
	case d.only() == dayFirst:
		e.day.add(text, r.Line)
	case d.only() == monthFirst:
		e.month.add(text, r.Line)
	}
	e.yearLast++
}

// order returns what the column proves of its order, with the proof; noOrder where it contradicts itself too.
func (e *dateEvidence) order() (dateOrder, proof) {
	day := e.day
	if day.count == 0 && e.yearLast > 0 {
		day = e.short
	}
	switch {
	case day.count > 0 && e.month.count == 0:
		return dayFirst, day
	case e.month.count > 0 && day.count == 0:
		return monthFirst, e.month
	}
	return noOrder, proof{}
}

// settleDates decides how the columns of dates are to be read. A column whose dates prove no order is read in the one that the other
// column of dates proves: both are written by the same hand. Where a column contradicts itself, that hand writes both orders, and nothing
// is proved in either column.
func (c *converter) settleDates(columns []*column) {
	disputed := slices.ContainsFunc(columns, func(col *column) bool { return col.dates.day.count > 0 && col.dates.month.count > 0 })
	for _, col := range columns {
		e := &col.dates
		var ok bool
		if col.order, ok = configuredOrder(c.spec.Columns[string(col.Role)].Date); ok {
			e.yearLast++ // the config speaks of dates that begin with day or month
		} else if !disputed {
			var p proof
			col.order, p = e.order()
			col.Proof, col.ProofRow = p.text, p.row
		}
		col.Date = col.order.name()
		// A spreadsheet that takes the month for the first turns 05/06/2026 into a date, the wrong one, and leaves 13/06/2026 the text
		// it was. Where no date of it lies behind the 12th, that is what has happened.
		e.swapped = e.day.count+e.month.count > 0 && e.late == 0
		e.midnight = col.Role == RoleEnd && e.timed == 0
		if e.midnight && e.midnights > 0 {
			c.add(catalog.Issue{Code: catalog.DateMidnight, Severity: catalog.Note, Args: []string{excerpt(col.Name)}})
		}
	}
	for i, col := range columns {
		other := columns[len(columns)-1-i]
		e, of := &col.dates, &other.dates
		if other == col || e.day.count+e.month.count > 0 {
			continue
		}
		if col.order == noOrder && e.open > 0 && other.ProofColumn == "" {
			col.order, col.Date = other.order, other.Date
			col.Proof, col.ProofRow = other.Proof, other.ProofRow
			if col.Proof != "" {
				col.ProofColumn = other.Name
			}
		}
		if e.yearLast == 0 {
			e.yearLast = of.yearLast
		}
	}
}

// readDay reads a date of the promotion: at is the second of the day where the cell tells none. false rejects the row.
func (c *converter) readDay(r table.Row, col *column, at int) (catalog.Wall, bool) {
	if unwrap(cell(r, col)) == "" {
		c.fail(r, col, catalog.DateMissing, string(col.Role))
		return 0, false
	}
	if code := unreadable(typed(r, col)); code != "" {
		c.fail(r, col, code, excerpt(shown(r, col)))
		return 0, false
	}
	d, ok := c.dateIn(r, col)
	if !ok {
		c.fail(r, col, catalog.DateText, excerpt(unwrap(shown(r, col))))
		return 0, false
	}
	if d.timed && d.clock == 0 && col.dates.midnight {
		d.timed = false
	}
	w, code := d.wall(col.order, at)
	isDate := typed(r, col).Kind == table.Date
	if isDate && col.dates.swapped && d.first <= 12 && d.first != d.second || d.short && col.dates.yearLast == 0 {
		code = catalog.DateAmbiguous
	}
	switch code {
	case "":
		return w, true
	case catalog.DateAmbiguous:
		c.fail(r, col, code, excerpt(unwrap(shown(r, col))), excerpt(col.Name))
	default:
		c.fail(r, col, code, excerpt(unwrap(shown(r, col))))
	}
	return 0, false
}
