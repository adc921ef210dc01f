package report

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/template"
	"time"
	"unicode"

	"gondola/internal/catalog"
	"gondola/templates"
)

// maxQuote is how many characters of foreign text are quoted: enough to find the cell by, not enough to fill the receipt.
const maxQuote = 60

// maxList is how many headers of an export are listed.
const maxList = 12

// words are one language's phrases.
type words struct {
	lang    string
	phrases *template.Template
	zone    *time.Location // the reader's; nil = times stay in the zone they came in
	kind    catalog.Kind   // what is spoken of; promotions have some phrases of their own
	err     error          // the first phrase that could not be said
}

// phrasebooks are the phrases of each language, read when they are first needed: reading them costs more than writing a small receipt,
// and they are part of the program.
var phrasebooks = map[string]func() (*template.Template, error){
	Spanish: phrasebook(Spanish), Portuguese: phrasebook(Portuguese), English: phrasebook(English),
}

func phrasebook(lang string) func() (*template.Template, error) {
	return sync.OnceValues(func() (*template.Template, error) {
		return template.ParseFS(templates.Files, "receipt."+lang+".txt.tmpl")
	})
}

// newWords returns the phrases of a language, those of the first one for a language that there is none of.
func newWords(lang string) *words {
	if !slices.Contains(Languages(), lang) {
		lang = Languages()[0]
	}
	t, err := phrasebooks[lang]()
	return &words{lang: lang, phrases: t, err: err}
}

func (w *words) has(key string) bool {
	return w.err == nil && w.phrases.Lookup(key) != nil
}

// say returns the phrase with that name. A phrase that is missing, or does not fit its arguments, is our mistake: it is remembered
// in w.err, and the name stands in for it.
func (w *words) say(key string, args ...any) string {
	return w.sayAs(key, false, args...)
}

func (w *words) sayAs(key string, isError bool, args ...any) string {
	texts := make([]string, len(args))
	for i, a := range args {
		texts[i] = fmt.Sprint(a)
	}
	if w.err != nil {
		return key
	}
	if w.kind == catalog.KindPromotions && w.has(instead+key) {
		key = instead + key
	}
	var b bytes.Buffer
	if err := w.phrases.ExecuteTemplate(&b, key, phrase{w: w, args: texts, Error: isError}); err != nil {
		w.err = err
		return key
	}
	return strings.Trim(b.String(), " \n")
}

// phrase is what a phrase sees. Its arguments come from other rooms, so one that is missing or is no number never breaks a sentence.
type phrase struct {
	w    *words
	args []string

	Error bool // the issue cost the row, or the export
}

// Has reports whether there is an n-th argument that says something.
func (p phrase) Has(n int) bool { return n < len(p.args) && strings.TrimSpace(p.args[n]) != "" }

// Arg returns the n-th argument, fit to stand in a line.
func (p phrase) Arg(n int) string {
	if n >= len(p.args) {
		return "…"
	}
	return p.args[n]
}

// List returns the arguments from the n-th on, with commas between.
func (p phrase) List(n int) string {
	if n >= len(p.args) {
		return "…"
	}
	list := slices.DeleteFunc(slices.Clone(p.args[n:]), func(s string) bool { return s == "" })
	if len(list) > maxList {
		list = append(list[:maxList:maxList], "…")
	}
	return strings.Join(list, ", ")
}

// Num returns the n-th argument as people write it in the language: with its thousands marked.
func (p phrase) Num(n int) string {
	i, err := strconv.Atoi(p.Arg(n))
	if err != nil {
		return p.Arg(n)
	}
	return p.w.number(i)
}

// Amount returns the n-th argument, a price with a decimal point, as people write it in the language.
func (p phrase) Amount(n int) string {
	whole, decimals, found := strings.Cut(p.Arg(n), ".")
	i, err := strconv.Atoi(whole)
	if err != nil || !found {
		return p.Num(n)
	}
	if len(decimals) == 1 {
		decimals += "0" // no shop writes 99,5
	}
	return p.w.number(i) + p.w.say("number.decimal") + decimals
}

// Count returns the n-th argument as a number with the word that goes with it.
func (p phrase) Count(n int, one, many string) string { return p.Num(n) + " " + p.Plural(n, one, many) }

// Plural returns the word that goes with the number that is the n-th argument.
func (p phrase) Plural(n int, one, many string) string {
	if p.Arg(n) == "1" {
		return one
	}
	return many
}

// Percent returns the n-th argument with a percent sign, whether it came with one or not, and as people write it in the language.
func (p phrase) Percent(n int) string {
	share := strings.TrimSuffix(p.Arg(n), "%")
	if _, err := strconv.ParseFloat(share, 64); err == nil {
		share = strings.Replace(share, ".", p.w.say("number.decimal"), 1)
	}
	return share + "%"
}

// Role returns what people call the field that the n-th argument names.
func (p phrase) Role(n int) string { return p.named("role.", n) }

// Kind returns what people call the kind of file that the n-th argument names.
func (p phrase) Kind(n int) string { return p.named("kind.", n) }

// Limit returns what people call the thing that the n-th argument names a limit for.
func (p phrase) Limit(n int) string { return p.named("limit.", n) }

func (p phrase) named(prefix string, n int) string {
	if key := prefix + p.Arg(n); p.w.has(key) {
		return p.w.say(key)
	}
	return p.Arg(n)
}

// When returns the n-th argument, a time in RFC 3339, as people write it. Other text stays as it is.
func (p phrase) When(n int) string {
	t, err := time.Parse(time.RFC3339, p.Arg(n))
	if err != nil {
		return p.Arg(n)
	}
	return p.w.date(t, "time.long")
}

// number writes n with its thousands marked, where the language marks numbers of that size.
func (w *words) number(n int) string {
	s := strconv.Itoa(n)
	if from, err := strconv.Atoi(w.say("number.from")); err != nil || n < from {
		return s
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + w.say("number.group") + s[i:]
	}
	return s
}

// date writes t in the reader's zone, with its weekday.
func (w *words) date(t time.Time, layout string) string {
	if w.zone != nil {
		t = t.In(w.zone)
	}
	days := strings.Fields(w.say("time.weekdays"))
	if len(days) != 7 {
		return t.Format(w.say(layout))
	}
	return days[t.Weekday()] + " " + t.Format(w.say(layout))
}

// clean returns foreign text fit to be quoted in a line: no line breaks or other controls, no bytes that are no text, not too long.
func clean(s string, limit int) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == '\ufeff' {
			return ' '
		}
		return r
	}, s)
	s = strings.Trim(s, " ")
	if runes := []rune(s); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return s
}
