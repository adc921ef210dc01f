package report

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"gondola/internal/catalog"
)

// Sentence returns the words for an issue, without its place: what is wrong, and the one thing to do. Both are whole sentences.
// An issue that this version has no words for gives its code. It speaks of articles: see SentenceFor.
func Sentence(lang string, is catalog.Issue) (what, do string) {
	return SentenceFor(lang, catalog.KindCatalog, is)
}

// Meaning returns what a code means and what to do about it, without any place or argument: for lists of codes. An unknown code is
// told as it is.
func Meaning(lang string, code catalog.Code) (title, do string) {
	w := newWords(lang)
	return w.title(code), capital(w.do(code))
}

// SentenceFor is Sentence for an issue with an export of a kind: of one of promotions some things are said in other words.
func SentenceFor(lang string, kind catalog.Kind, is catalog.Issue) (what, do string) {
	w := newWords(lang)
	w.kind = kind
	return w.what(is), capital(w.do(is.Code))
}

func (w *words) what(is catalog.Issue) string {
	key := string(is.Code) + ".what"
	if !w.has(key) {
		return string(is.Code)
	}
	args := make([]any, len(is.Args))
	for i, a := range is.Args {
		args[i] = clean(a, maxQuote)
	}
	return w.sayAs(key, is.Severity == catalog.Error, args...)
}

func (w *words) do(code catalog.Code) string {
	if key := string(code) + ".do"; w.has(key) {
		return w.say(key)
	}
	return string(code)
}

func (w *words) title(code catalog.Code) string {
	if key := string(code) + ".title"; w.has(key) {
		return w.say(key)
	}
	return string(code)
}

// place says where an issue is. cell is the address of its cell, "" where that is not known.
func (w *words) place(is catalog.Issue, cell string) string {
	var parts []string
	if is.Sheet != "" {
		parts = append(parts, w.say("place.sheet", clean(is.Sheet, maxQuote)))
	}
	switch {
	case cell != "":
		parts = append(parts, w.say("place.cell", cell))
	case is.Row > 0:
		parts = append(parts, w.say("place.row", is.Row))
	}
	if is.Column != "" {
		parts = append(parts, w.say("place.column", clean(is.Column, maxQuote)))
	}
	return strings.Join(parts, ", ")
}

// cell returns the address of an issue's cell as spreadsheets tell it: C14. It is "" where there is no one cell, or its column's place
// is not known.
func (r *receipt) cell(is catalog.Issue) string {
	if is.Row <= 0 || is.Column == "" {
		return ""
	}
	at := 0
	for _, c := range r.answer.Reading.Columns {
		switch {
		case c.Header != is.Column || c.Number <= 0 || c.Number == at:
		case at > 0:
			return "" // two columns of one title: which is meant is not known
		default:
			at = c.Number
		}
	}
	if at == 0 {
		return ""
	}
	letters := ""
	for ; at > 0; at = (at - 1) / 26 {
		letters = string(rune('A'+(at-1)%26)) + letters
	}
	return letters + strconv.Itoa(is.Row)
}

// group is the issues of one code.
type group struct {
	code     catalog.Code
	severity catalog.Severity // the gravest of them
	issues   []catalog.Issue  // by place
	total    int              // there were so many; not all of them may have been kept
}

// groups sorts issues into groups: the gravest first, then what concerns the whole export, then in the order of the codes.
func groups(issues []catalog.Issue, counts map[catalog.Code]int) []group {
	at := map[catalog.Code]int{}
	var all []group
	for _, is := range issues {
		i, ok := at[is.Code]
		if !ok {
			i = len(all)
			at[is.Code] = i
			all = append(all, group{code: is.Code, severity: is.Severity})
		}
		g := &all[i]
		g.issues = append(g.issues, is)
		if gravity(is.Severity) > gravity(g.severity) {
			g.severity = is.Severity
		}
	}
	// Only so many issues are kept, so a code may have a count and none to show.
	for code, n := range counts {
		if _, ok := at[code]; !ok && n > 0 {
			all = append(all, group{code: code, severity: catalog.Warning})
		}
	}
	for i := range all {
		g := &all[i]
		g.total = max(counts[g.code], len(g.issues))
		slices.SortStableFunc(g.issues, func(a, b catalog.Issue) int { return cmp.Compare(a.Row, b.Row) })
	}
	slices.SortStableFunc(all, func(a, b group) int {
		return cmp.Or(
			cmp.Compare(gravity(b.severity), gravity(a.severity)),
			cmp.Compare(codeOrder(a.code), codeOrder(b.code)),
			strings.Compare(string(a.code), string(b.code)),
		)
	})
	return all
}

// codeOrder returns a code's place in the list of codes, which goes from the file to the row. Unknown ones come last.
func codeOrder(code catalog.Code) int {
	if i := slices.Index(catalog.Codes, code); i >= 0 {
		return i
	}
	return len(catalog.Codes)
}

func gravity(s catalog.Severity) int {
	switch s {
	case catalog.Error:
		return 2
	case catalog.Warning:
		return 1
	default:
		return 0
	}
}
