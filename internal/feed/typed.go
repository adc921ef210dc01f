package feed

import (
	"gondola/internal/catalog"
	"gondola/internal/table"
)

// The cells of a workbook say what they are. A number there needs no decimal convention, and what is no number is none, however much
// it looks like one: TRUE is stored as 1, the 3rd of December as 46359, 15 % as 0.15. Cells of a text, and text cells of a workbook,
// are read as text, by what their column proves.

// typed returns what is known of the row's cell in the column beside its text; a plain text when nothing is.
func typed(r table.Row, col *column) table.Cell {
	if col == nil || col.Index >= len(r.Typed) {
		return table.Cell{}
	}
	return r.Typed[col.Index]
}

// shown returns the row's cell in the column as the person sees it who has the file open.
func shown(r table.Row, col *column) string {
	if col == nil {
		return ""
	}
	return r.Shown(col.Index)
}

// decimalMark returns the decimal mark that the row's cell in the column is to be read with.
func decimalMark(r table.Row, col *column) byte {
	if typed(r, col).Kind == table.Number {
		return point
	}
	return col.convention.mark
}

// unreadable returns what is wrong with a cell that has no value to read, whatever its column is for; "" for any other cell.
func unreadable(cell table.Cell) catalog.Code {
	switch cell.Kind {
	case table.ErrorValue:
		return catalog.CellError
	case table.Uncalculated:
		return catalog.CellFormula
	}
	return ""
}

// noAmount returns what is wrong with a cell that can't be an amount or a count by its type; other and percent are the codes for
// what is something else, and for shares.
func noAmount(cell table.Cell, other, percent catalog.Code) catalog.Code {
	switch {
	case cell.Kind == table.Bool, cell.Kind == table.Date:
		return other
	case cell.Kind == table.Number && isClass(cell, table.FormatPercent):
		return percent
	}
	return unreadable(cell)
}

// identifier returns the row's cell in a column of identifiers as it is meant, with the zeros that its format puts in front. wrong
// tells why it can't be one by its type; lost is the code for digits that a spreadsheet has forgotten, other for the rest.
func identifier(r table.Row, col *column, lost, other catalog.Code) (text string, wrong catalog.Code) {
	cell := typed(r, col)
	switch cell.Kind {
	case table.Text:
		return shown(r, col), ""
	case table.Number:
		switch {
		case cell.Inexact:
			return "", lost
		// What is seen is not the number: 007-1234, 50%, 1 1/2.
		case isClass(cell, table.FormatMasked), isClass(cell, table.FormatPercent), isClass(cell, table.FormatFraction):
			return "", other
		}
		return shown(r, col), ""
	case table.Bool, table.Date:
		return "", other
	}
	return "", unreadable(cell)
}

func isClass(cell table.Cell, class table.FormatClass) bool {
	return cell.Style != nil && cell.Style.Class == class
}
