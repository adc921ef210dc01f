package feed

import (
	"strings"
	"unicode"

	"gondola/internal/table"
)

// Reports have lines between the articles that are about none: titles and page numbers at the top of every page, the names of
// departments, notes below the table. Where their text stands in the column of the identifiers, it is told from one by what the other
// identifiers of the export prove.

// keyShape is what the identifiers of rows that say something about an article have in common.
type keyShape struct {
	proven int
	spaced bool // one of them has a space
	worded bool // one of them has no digit
}

// pageWords stand before the number of a page.
var pageWords = map[string]bool{
	"pagina": true, "pag": true, "hoja": true, "folha": true, "page": true, "p": true, "pg": true,
}

// shape takes the identifier of a row into account, where the row has a value for its article.
func (c *converter) shape(r table.Row) {
	text := trim(cell(r, c.key))
	spaced, worded := strings.Contains(text, " "), !strings.ContainsFunc(text, unicode.IsDigit)
	if (!spaced || c.keys.spaced) && (!worded || c.keys.worded) {
		c.keys.proven++
		return
	}
	if c.isTotal(r) {
		return
	}
	for _, col := range c.columns {
		text := unwrap(cell(r, col))
		if text == "" || col == c.sku || col == c.barcode || col == c.vendor {
			continue
		}
		_, amount := scanNumeral(text, currencyWords)
		_, count := scanNumeral(text, unitWords)
		_, flag := c.yesOrNo(text)
		_, date := readDate(text)
		if amount || count || flag || date || typed(r, col).Kind == table.Date {
			c.keys = keyShape{proven: c.keys.proven + 1, spaced: c.keys.spaced || spaced, worded: c.keys.worded || worded}
			return
		}
	}
}

// isHeading reports whether the row is a line of text in the column of the identifiers: nothing else is filled in, and the text is not
// shaped as any identifier of the export that stands beside a value.
func (c *converter) isHeading(r table.Row) bool {
	text := trim(cell(r, c.key))
	if text == "" || c.keys.proven == 0 || typed(r, c.key).Kind != table.Text {
		return false
	}
	if at := firstFilled(r.Cells); at != c.key.Index || firstFilled(r.Cells[at+1:]) >= 0 {
		return false
	}
	return strings.Contains(text, " ") && !c.keys.spaced || !strings.ContainsFunc(text, unicode.IsDigit) && !c.keys.worded
}

// isPage reports whether the row belongs to the top or the end of a page: it says what a row above the header says, the numbers aside,
// or nothing but which page it is.
func (c *converter) isPage(r table.Row) bool {
	// What has an identifier like those of articles is one.
	if text := trim(cell(r, c.key)); text != "" && !strings.Contains(text, " ") && strings.ContainsFunc(text, unicode.IsDigit) {
		return false
	}
	at := firstFilled(r.Cells)
	if firstFilled(r.Cells[at+1:]) < 0 && isPageNumber(r.Cells[at]) {
		return true
	}
	if len(c.header.titles) == 0 {
		return false
	}
	title := titleOf(r.Cells)
	for _, t := range c.header.titles {
		if t == title && title != "" {
			return true
		}
	}
	return false
}

// isDepartmentTotal reports whether a text in the column of the identifiers ends as totals do: "Almacén - Subtotal".
func isDepartmentTotal(text string) bool {
	if !strings.Contains(text, " ") || strings.ContainsFunc(text, unicode.IsDigit) {
		return false
	}
	words := strings.Fields(fold(text))
	if len(words) < 2 {
		return false
	}
	switch words[len(words)-1] {
	case "total", "totales", "totais", "subtotal", "subtotales", "subtotais":
		return true
	}
	return false
}

// isPageNumber reports whether a cell is "Página 2 de 7" or the like.
func isPageNumber(text string) bool {
	words := strings.Fields(fold(text))
	if len(words) < 2 || len(words) > 4 || !pageWords[words[0]] {
		return false
	}
	for i, w := range words[1:] {
		if of := i == 1 && (w == "de" || w == "of" || w == "di"); !of && strings.Trim(w, "0123456789") != "" {
			return false
		}
	}
	return true
}

// titleOf writes a row of titles so that it compares on every page: without case, and without the numbers.
func titleOf(cells []string) string {
	var b strings.Builder
	for _, cell := range cells {
		for _, w := range strings.Fields(fold(cell)) {
			if w = strings.Trim(w, "0123456789"); w != "" {
				b.WriteString(w)
				b.WriteByte(' ')
			}
		}
	}
	return b.String()
}
