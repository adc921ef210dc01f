package feed

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"unicode"

	"gondola/internal/catalog"
	"gondola/internal/table"
)

// A header that is close to a known one is suggested and never assumed: "Preico" is the price, and "Previo" is another one. Two headers
// are compared word by word, for "c/IVA" and "s/IVA" are one letter apart and mean the opposite. A word is close when it has a
// typing mistake, as many as its length bears, or is an abbreviation. Numbers and short words must be the same.

// maxSuggested is how many headers are suggested for one export.
const maxSuggested = 5

// suggestion is a header that may be meant for a role.
type suggestion struct {
	role  Role
	index int
	known string // the known word, or what the config names
	cost  int    // how far they are apart
}

// knownHeader is a header that is understood, taken apart.
type knownHeader struct {
	role  Role
	text  string
	words []string
}

// smallWords are left out of the comparison.
var smallWords = map[string]bool{
	"de": true, "del": true, "da": true, "do": true, "das": true, "dos": true, "la": true, "el": true, "al": true, "ao": true, "of": true,
	"the": true,
}

// otherWords make a header mean something else, however close the rest is to a known one; some are themselves a letter away.
var otherWords = map[string]bool{
	"costo": true, "coste": true, "custo": true, "cost": true, "lista": true, "list": true, "mayorista": true, "mayor": true,
	"atacado": true, "wholesale": true, "minimo": true, "minima": true, "anterior": true, "viejo": true, "neto": true, "net": true,
	"sin": true, "sem": true, "without": true, "sugerido": true, "compra": true, "proveedor": true, "fornecedor": true, "premio": true,
	"previo": true, "previa": true, "previos": true, "clase": true, "desc": true, "est": true, "competencia": true, "predio": true,
	"preciso": true, "preferencia": true, "cuenta": true, "base": true, "promedio": true, "medio": true, "margen": true,
	"calidad": true,
}

// abbreviations are short forms that no rule makes.
var abbreviations = map[string]string{
	"vta": "venta", "vtas": "venta", "vda": "venda", "pr": "precio", "prc": "precio", "pcio": "precio", "stk": "stock", "ctd": "cantidad",
	"cdad": "cantidad", "qtde": "quantidade", "qtd": "quantidade", "pub": "publico", "unit": "unitario", "cb": "barras", "cbarras": "barras",
}

// suggest tells of headers that nobody read and that may be meant for columns that are not there.
func (c *converter) suggest() {
	has, used := map[Role]bool{}, map[int]bool{}
	for _, col := range c.columns {
		has[col.Role], used[col.Index] = true, true
	}
	severity := catalog.Note
	if c.res.Refused {
		severity = catalog.Warning
	}
	for _, s := range c.headings.closest(c.header.names, has, used) {
		header := excerpt(c.header.names[s.index])
		c.add(catalog.Issue{
			Code: catalog.HeadClose, Severity: severity, Row: c.header.line, Column: c.header.names[s.index],
			Args: []string{string(s.role), header, s.known},
		})
	}
}

// suggestRow tells of the row that has the most headers like known ones, where no row has a known one. One alone is chance.
func (c *converter) suggestRow() error {
	var best []suggestion
	var row headerRow
	var sheet *table.Sheet
	for _, s := range c.sheets {
		if s.Hidden {
			continue
		}
		err := firstRows(s, func(r headerRow) {
			if r.data {
				return
			}
			if found := c.headings.closest(r.names, nil, nil); len(found) > max(1, len(best)) {
				best, row, sheet = found, r, s
			}
		})
		// What can't be read was told, or has no part in it.
		if _, refused := errors.AsType[*table.Refusal](err); err != nil && !refused {
			return err
		}
	}
	for _, s := range best {
		c.journal.add(catalog.Issue{
			Code: catalog.HeadClose, Severity: catalog.Warning, Sheet: sheet.Name, Row: row.line, Column: row.names[s.index],
			Args: []string{string(s.role), excerpt(row.names[s.index]), s.known},
		})
	}
	return nil
}

// firstRows calls do for the rows of a sheet that may be its header.
func firstRows(s *table.Sheet, do func(headerRow)) (err error) {
	rows, err := s.Rows()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for n := 0; n < headerDepth && rows.Next(); n++ {
		do(newHeaderRow(rows.Row()))
	}
	return rows.Err()
}

// closest returns the headers that may be meant for roles that are not there: for each role one, for each header one role, in the order
// of the columns. used are the columns that were read.
func (h headings) closest(names []string, has map[Role]bool, used map[int]bool) []suggestion {
	words := h.wanting(has)
	var all []suggestion
	for i, name := range names {
		if name == "" || used[i] {
			continue
		}
		ours := wordsOf(name)
		if len(ours) == 0 || slices.ContainsFunc(ours, func(w string) bool { return otherWords[w] }) {
			continue
		}
		meaning, isKnown := meanings[squeeze(name)]
		for _, k := range words {
			if _, named := h.named[k.role]; isKnown && (!named || meaning != k.role && squeeze(name) != squeeze(k.text)) {
				continue // another column, or the second one of its kind
			}
			if cost, ok := distance(ours, k); ok {
				if name, named := h.named[k.role]; named {
					k.text = name
				}
				all = append(all, suggestion{role: k.role, index: i, known: k.text, cost: cost})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b suggestion) int { return cmp.Compare(a.cost, b.cost) })
	var best []suggestion
	for _, s := range all {
		taken := func(o suggestion) bool { return o.role == s.role || o.index == s.index }
		if len(best) < maxSuggested && !slices.ContainsFunc(best, taken) {
			best = append(best, s)
		}
	}
	slices.SortFunc(best, func(a, b suggestion) int { return cmp.Compare(a.index, b.index) })
	return best
}

// meanings are all known headers of any kind of export.
var meanings = allMeanings()

func allMeanings() map[string]Role {
	all := knownWords(catalog.KindPromotions)
	for word, role := range knownWords(catalog.KindCatalog) {
		all[word] = role
	}
	return all
}

// wanting returns the known headers of the roles that are not there, and what the config names for them.
func (h headings) wanting(has map[Role]bool) []knownHeader {
	var all []knownHeader
	add := func(role Role, text string) { all = append(all, knownHeader{role, text, wordsOf(text)}) }
	for _, role := range h.order {
		either := (role == RoleActive || role == RoleQuantity) && has[roleEither]
		name, named := h.named[role]
		if has[role] || either || role == RoleVendor && !named {
			continue
		}
		if named {
			add(role, name)
		}
		for _, groups := range [][]roleWords{headerWords, promotionWords} {
			for _, group := range groups {
				for _, w := range group.words {
					if group.role == role && h.words[squeeze(w)] == role {
						add(role, w)
					}
				}
			}
		}
	}
	return all
}

// wordsOf takes a header apart, without the small words.
func wordsOf(name string) []string {
	return slices.DeleteFunc(strings.Fields(fold(name)), func(w string) bool { return smallWords[w] })
}

// distance returns how far a header is from a known one, and false where they are not close.
func distance(ours []string, k knownHeader) (int, bool) {
	theirs := k.words
	// "Precio ARS": the money of the country says nothing new. That of another one would have to be asked for.
	if (k.role == RolePrice || k.role == RoleOfferPrice) && len(ours) == len(theirs)+1 && localCurrency(ours[len(ours)-1]) {
		if slices.Equal(ours[:len(theirs)], theirs) {
			return 1, true
		}
	}
	if len(ours) != len(theirs) {
		return joined(ours, theirs)
	}
	total := 0
	for i, w := range ours {
		cost, ok := wordDistance(w, theirs[i], len(ours) == 1)
		if !ok {
			return 0, false
		}
		total += cost
	}
	return total, true
}

// joined compares a header in one word with a known one in several: "Codigobaras". A letter that stands for another one could be the one
// that matters.
func joined(ours, theirs []string) (int, bool) {
	whole := strings.Join(theirs, "")
	if whole == "" || len(ours) != 1 || len(ours[0]) < 8 || ours[0][0] != whole[0] || hasDigit(ours[0]) || hasDigit(whole) {
		return 0, false
	}
	edits, replaced := edits(ours[0], whole, 1)
	return 2 * edits, edits <= 1 && !replaced
}

// wordDistance returns how far a word is from a known one. alone tells that it is the whole header: then an abbreviation of three
// letters says too little.
func wordDistance(ours, theirs string, alone bool) (int, bool) {
	if ours == theirs {
		return 0, true
	}
	if len(ours) < 2 || hasDigit(ours) || hasDigit(theirs) || strings.Contains(ours, "%") || ours[0] != theirs[0] && !swapped(ours, theirs) {
		return 0, false
	}
	if abbreviations[ours] == theirs {
		return 2, true
	}
	limit := 1
	switch {
	case len(theirs) < 4:
		return 0, false
	case len(theirs) >= 8:
		limit = 2
	}
	if n, replaced := edits(ours, theirs, limit); n <= limit && (len(theirs) > 4 || !replaced && len(ours) >= 4) {
		return 2 * n, true
	}
	return 3, isAbbreviation(ours, theirs, alone)
}

// isAbbreviation reports whether a word is a short form of another one: its beginning, or some of its letters, the first and the last
// one among them.
func isAbbreviation(short, long string, alone bool) bool {
	least := 3
	if alone {
		least = 4
	}
	if len(short) < least || len(short)+2 > len(long) {
		return false
	}
	if strings.HasPrefix(long, short) {
		return true
	}
	if len(short) < 4 || short[len(short)-1] != long[len(long)-1] {
		return false
	}
	rest := long
	for i := range len(short) {
		at := strings.IndexByte(rest, short[i])
		if at < 0 {
			return false
		}
		rest = rest[at+1:]
	}
	return true
}

// swapped reports whether the first two letters are the other way round: "rpecio".
func swapped(a, b string) bool {
	return len(a) > 2 && len(b) > 2 && a[0] == b[1] && a[1] == b[0]
}

func hasDigit(s string) bool { return strings.ContainsFunc(s, unicode.IsDigit) }

// edits returns how many letters are missing, too many, wrong or swapped with their neighbour between two words, more than limit where
// it is more than that; replaced tells that the words have the same length and it is not a swap.
func edits(a, b string, limit int) (n int, replaced bool) {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1, false
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			wrong := 1
			if a[i] == b[j] {
				wrong = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+wrong)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	sorted := func(s string) string { l := []byte(s); slices.Sort(l); return string(l) }
	return last[len(b)], len(a) == len(b) && sorted(a) != sorted(b)
}
