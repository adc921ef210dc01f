package feed

import (
	"slices"
	"strings"
	"unicode"
)

// Reports made by people have headers of two rows: "Precio" over "c/IVA" and "s/IVA". Read alone, the upper row gives the price to
// whichever of the two comes first, and the lower one has none. So the two are put together where the export leaves no doubt that both
// are titles: they follow on each other, no cell of the lower one is a value, and it names no article.

// secondRowWords are what a row below the header says where it only explains the columns, beside currencies and units.
var secondRowWords = map[string]bool{
	"texto": true, "numero": true, "numerico": true, "moneda": true, "fecha": true, "entero": true, "decimal": true, "obligatorio": true,
	"opcional": true, "requerido": true, "si no": true, "s n": true, "data": true, "obrigatorio": true, "text": true, "number": true,
	"date": true, "required": true, "optional": true, "currency": true, "iva incl": true, "iva inc": true, "c iva": true,
}

// double returns the header that the row at a place is, put together with the row below or above it where they are one header. top is
// the first of its rows.
func (h headings) double(seen []headerRow, at int) (header headerRow, top int) {
	row := seen[at]
	if at+1 < len(seen) && h.continues(row, seen[at+1]) {
		return h.combine(row, seen[at+1], false), at
	}
	if at > 0 && !seen[at-1].data && seen[at-1].line+1 == row.line {
		if both := h.combine(seen[at-1], row, true); h.gains(row.names, both.names) {
			return both, at - 1
		}
	}
	return row, at
}

// continues reports whether the row below a header is part of it.
func (h headings) continues(up, low headerRow) bool {
	if low.line != up.line+1 || low.data {
		return false
	}
	if explains(low.names) {
		return true
	}
	// The name of an article is a value, whatever it looks like.
	known := false
	for i, name := range low.names {
		role, ok := h.role(nameAt(up, i))
		switch {
		case name == "" || nameAt(up, i) == "":
		case ok && (role == RoleSKU || role == RoleBarcode):
			return false
		default:
			_, together := h.role(nameAt(up, i) + " " + name)
			if ok && !together && !isUnit(name) && !spans(up, low, i) {
				return false // "Precio" over "consultar"
			}
			known = known || together || spans(up, low, i)
		}
	}
	return known
}

// spans reports whether a title of the upper row stands over two of the lower one.
func spans(up, low headerRow, i int) bool {
	return nameAt(up, i) != "" && nameAt(low, i) != "" && nameAt(up, i+1) == "" && nameAt(low, i+1) != ""
}

// explains reports whether a row says nothing but in which unit, or of what kind, the values of each column are.
func explains(names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return name != "" && !isUnit(name) })
}

// isUnit reports whether a text is a currency, a unit, a remark in parentheses, or the kind of a value.
func isUnit(name string) bool {
	if strings.HasPrefix(name, "(") && strings.HasSuffix(name, ")") {
		return true
	}
	return slices.Contains(currencyWords, name) || slices.Contains(unitWords, strings.ToLower(name)) || secondRowWords[fold(name)]
}

// combine puts two rows together: each title of the lower one with the one above it, or to the left of that where the title spans
// several columns. keep leaves a title of the lower row as it is where it is known and the two together are not.
func (h headings) combine(up, low headerRow, keep bool) headerRow {
	both := headerRow{line: low.line, rows: [][]string{up.names, low.names}}
	units := explains(low.names)
	parent := ""
	for i := range max(len(up.names), len(low.names)) {
		above, below := nameAt(up, i), nameAt(low, i)
		if above != "" || below == "" {
			parent = above
		}
		_, known := h.role(below)
		_, together := h.role(parent + " " + below)
		name := parent + " " + below
		switch {
		case below == "", units && above != "":
			name = above
		case parent == "", !together && known && (keep || above == ""):
			name = below
		}
		both.names = append(both.names, name)
		if up.hidden != nil || low.hidden != nil {
			both.hidden = append(both.hidden, i < len(up.hidden) && up.hidden[i] || i < len(low.hidden) && low.hidden[i])
		}
	}
	return both
}

// gains reports whether the names have every role that those of one row have, and more.
func (h headings) gains(one, both []string) bool {
	before, after := h.roles(one), h.roles(both)
	for role := range before {
		if !after[role] {
			return false
		}
	}
	return len(after) > len(before)
}

// roles returns the roles that a header has by its known words.
func (h headings) roles(names []string) map[Role]bool {
	has := map[Role]bool{}
	for _, name := range names {
		if role, ok := h.role(name); ok {
			has[role] = true
		}
	}
	return has
}

// nameAt returns a title of a row, "" where the row has none there.
func nameAt(row headerRow, i int) string {
	if i >= len(row.names) {
		return ""
	}
	return row.names[i]
}

// isValue reports whether a cell can't be a title: a number, an amount, a date, a barcode, or more text than a title has.
func isValue(cell string) bool {
	if len(cell) > maxTitle {
		return true
	}
	text := unwrap(cell)
	if !strings.ContainsAny(text, "0123456789") {
		return false
	}
	if _, ok := scanNumeral(text, currencyWords); ok {
		return true
	}
	if _, ok := scanNumeral(text, unitWords); ok {
		return true
	}
	_, isDate := readDate(text)
	return isDate || !strings.ContainsFunc(text, unicode.IsLetter)
}

// maxTitle is how long a title of two rows may be, in bytes: longer ones are descriptions.
const maxTitle = 60
