package feed

import (
	"slices"
	"strings"

	"gondola/internal/catalog"
	"gondola/internal/table"
)

// headerDepth is how many rows that are not blank are looked at for the header. Reports put a title, a date and filters above it, and
// some a whole page of remarks: forty lines have been seen.
const headerDepth = 60

// listedHeaders is how many headers an issue lists: enough to see what file this is.
const listedHeaders = 20

// column is a column with a role, and how its numbers or dates are to be read.
type column struct {
	HeaderColumn
	convention convention
	evidence   evidence
	flags      int // in a column of roleEither: cells that are no count
	counts     int // in a column of roleEither: numbers that can't be a flag
	local      int // in a column of money: amounts that are not in dollars or euros, as far as they say
	order      dateOrder
	dates      dateEvidence
}

// headerRow is the row that was taken for the header, or two that are one header together.
type headerRow struct {
	line  int      // of the lower one of two
	names []string // as written, trimmed
	// hidden tells of each whether its column is hidden in the sheet; nil when none is.
	hidden []bool
	// rows are the rows as they stand in the export, where there are two; nil where names is the only one.
	rows [][]string
	// data tells that a cell is a value: no row of titles has one.
	data bool
	// titles are the rows above it, as titleOf compares them.
	titles []string
}

// headings knows which headers mean what: the known words, and above them what the config names.
type headings struct {
	order []Role          // of columns: that of the roles' constants, the store's last
	words map[string]Role // by squeezed header
	named map[Role]string // what the config names, as written there
	// promotional has the words of promotions where the catalogue is read: a header may be theirs.
	promotional map[string]Role
}

// newHeadings puts the known words of the kind and the config's names together.
func newHeadings(s Spec) headings {
	h := headings{order: append(Roles(s.Kind), RoleVendor), words: knownWords(s.Kind), named: map[Role]string{}}
	if s.Kind != catalog.KindPromotions {
		h.promotional = knownWords(catalog.KindPromotions)
	}
	for role, c := range s.Columns {
		if c.From != "" {
			h.named[Role(role)] = c.From
		}
	}
	if s.Source.Column != "" {
		h.named[RoleVendor] = s.Source.Column
	}
	return h
}

// squeeze is fold without spaces: "P.V.P." and "PVP", "CodBarras" and "Cod. barras" are the same header.
func squeeze(s string) string { return strings.ReplaceAll(fold(s), " ", "") }

// score returns how many roles the row has a header for. A single hit among numbers is a row of data that happens to hold the word,
// "Activo" for instance, and counts as none.
func (h headings) score(cells []string) int {
	hit := map[Role]bool{}
	numbers := 0
	for _, cell := range cells {
		s := squeeze(cell)
		if s == "" {
			continue
		}
		if role, ok := h.role(cell); ok {
			hit[role] = true
		}
		for role, name := range h.named {
			if squeeze(name) == s {
				hit[role] = true
			}
		}
		if _, ok := scanNumeral(unwrap(cell), currencyWords); ok {
			numbers++
		}
	}
	if len(hit) == 1 && numbers > 0 {
		return 0
	}
	return len(hit)
}

// role returns what a header is known to mean. A sign of the country's money in parentheses behind a price changes nothing.
func (h headings) role(name string) (Role, bool) {
	role, ok := h.words[squeeze(name)]
	if !ok {
		if bare, found := cutCurrency(name); found {
			role, ok = h.words[squeeze(bare)]
			ok = ok && (role == RolePrice || role == RoleOfferPrice)
		}
	}
	return role, ok
}

// find returns the row among the first ones that looks most like a header, the first of several, and how many roles it has; 0 when
// none looks so. filled tells whether there are rows at all.
func (h headings) find(rows table.Rows) (best headerRow, most int, filled bool) {
	var seen []headerRow
	at := -1
	for len(seen) < headerDepth && rows.Next() {
		r := rows.Row()
		if firstFilled(r.Cells) < 0 {
			continue
		}
		if score := h.score(r.Cells); score > most {
			at, most = len(seen), score
		}
		seen = append(seen, newHeaderRow(r))
	}
	if at < 0 {
		return best, 0, len(seen) > 0
	}
	best, top := h.double(seen, at)
	for _, title := range seen[:top] {
		best.titles = append(best.titles, titleOf(title.names))
	}
	return best, max(most, h.score(best.names)), true
}

// newHeaderRow copies a row that may be the header.
func newHeaderRow(r table.Row) headerRow {
	row := headerRow{line: r.Line, names: make([]string, len(r.Cells))}
	for i, cell := range r.Cells {
		row.names[i] = strings.Clone(trim(cell))
		row.data = row.data || isValue(row.names[i])
	}
	for _, cell := range r.Typed {
		row.hidden = append(row.hidden, cell.Hidden)
		row.data = row.data || cell.Kind != table.Text
	}
	return row
}

// assign gives columns their roles, and reports what is wrong with the header. Columns come in the order of the roles.
func (h headings) assign(row headerRow, report func(catalog.Code, ...string)) []*column {
	taken := map[int]bool{}
	found := map[Role][]int{}
	for _, role := range h.order {
		name, ok := h.named[role]
		if !ok {
			continue
		}
		for i, header := range row.names {
			if squeeze(header) == squeeze(name) {
				found[role] = append(found[role], i)
				taken[i] = true
			}
		}
		if len(found[role]) == 0 {
			report(catalog.HeadConfig, append([]string{string(role), name}, row.listed()...)...)
		}
	}
	// The known words come second, and only for roles that the config leaves open. The store's column is always the config's to
	// name: an export for one fixed store may have such a column for something else.
	for i, header := range row.names {
		role, ok := h.role(header)
		if _, named := h.named[role]; ok && !named && !taken[i] && role != RoleVendor {
			found[role] = append(found[role], i)
		}
	}
	if _, named := h.named[RoleActive]; named || len(found[RoleActive]) > 0 {
		if _, named := h.named[RoleQuantity]; named || len(found[RoleQuantity]) > 0 {
			delete(found, roleEither) // both are there already, so it is neither
		}
	}
	if len(found[RolePrice])+len(found[RoleQuantity])+len(found[roleEither]) == 0 && h.isPromotional(row) {
		// "Activa" beside nothing but an offer and its dates means the promotion. Who drops such an export in the catalogue's folder must
		// not switch articles off by ending promotions.
		for _, role := range []Role{RoleActive, RoleMaxSales} {
			if _, named := h.named[role]; !named {
				delete(found, role)
			}
		}
	}
	return h.columns(row, found, report)
}

// isPromotional reports whether a header found for the catalogue is one of promotions: it has both dates, and something offered.
func (h headings) isPromotional(row headerRow) bool {
	has := map[Role]bool{}
	for _, name := range row.names {
		if role, ok := h.promotional[squeeze(name)]; ok {
			has[role] = true
		}
	}
	return has[RoleStart] && has[RoleEnd] && isOffering(has)
}

// isOffering reports whether the roles of a header are enough to tell what a promotion offers.
func isOffering(has map[Role]bool) bool {
	return has[RoleOffer] || has[RoleOfferPrice] || has[RolePercent] || has[RoleBenefit] && has[RoleDetails]
}

// columns makes the columns from what was found, and reports roles that were found twice: which of two prices is the right one
// only the config can say.
func (h headings) columns(row headerRow, found map[Role][]int, report func(catalog.Code, ...string)) []*column {
	var columns []*column
	for _, role := range append(slices.Clone(h.order), roleEither) {
		at := found[role]
		if len(at) == 0 {
			continue
		}
		if len(at) > 1 {
			reported := role
			if role == roleEither {
				reported = RoleQuantity
			}
			report(catalog.HeadTwice, string(reported), excerpt(row.names[at[0]]), excerpt(row.names[at[1]]))
		}
		how := HowName
		if _, named := h.named[role]; named {
			how = HowConfig
		}
		columns = append(columns, &column{HeaderColumn: HeaderColumn{Role: role, Name: row.names[at[0]], Index: at[0], How: how}})
	}
	return columns
}

// listed returns the headers as issues list them.
func (r headerRow) listed() []string {
	var names []string
	for _, name := range r.names {
		if name != "" && len(names) < listedHeaders {
			names = append(names, excerpt(name))
		}
	}
	return names
}

// firstFilled returns the index of the first cell that is not blank, -1 when all are.
func firstFilled(cells []string) int {
	for i, cell := range cells {
		if trim(cell) != "" {
			return i
		}
	}
	return -1
}
