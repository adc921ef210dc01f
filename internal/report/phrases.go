package report

import (
	"fmt"
	"sync"
	"text/template"
	"time"

	"gondola/templates"
)

// Phrases are the words in which the status page and alarms tell how the house stands, in one language. They are for one goroutine.
type Phrases struct{ w *words }

// statusBooks are the phrases of receipts, whose dates and numbers these use, together with those of how the house stands.
var statusBooks = map[string]func() (*template.Template, error){
	Spanish: statusBook(Spanish), Portuguese: statusBook(Portuguese), English: statusBook(English),
}

func statusBook(lang string) func() (*template.Template, error) {
	return sync.OnceValues(func() (*template.Template, error) {
		receipts, err := phrasebooks[lang]()
		if err != nil {
			return nil, err
		}
		book, err := receipts.Clone() // what is in both is in memory once
		if err != nil {
			return nil, err
		}
		return book.ParseFS(templates.Files, "status."+lang+".txt.tmpl")
	})
}

// NewPhrases returns the phrases of a language, those of the first one for a language that there is none of. Times are told in zone.
func NewPhrases(lang string, zone *time.Location) *Phrases {
	w := newWords(lang)
	w.zone = zone
	if w.err == nil {
		w.phrases, w.err = statusBooks[w.lang]()
	}
	return &Phrases{w}
}

// Lang returns the language, as HTML names it.
func (p *Phrases) Lang() string { return p.w.lang }

// Say returns the phrase with that name. A missing one is our mistake.
func (p *Phrases) Say(key string, args ...any) (string, error) {
	texts := make([]any, len(args))
	for i, a := range args {
		if t, ok := a.(time.Time); ok {
			a = t.Format(time.RFC3339)
		}
		texts[i] = clean(fmt.Sprint(a), maxTrouble)
	}
	text := p.w.say(key, texts...)
	return text, p.w.err
}

// SayOr returns the phrase with that name, or where there is none the text itself: states come from other rooms.
func (p *Phrases) SayOr(key, text string) string {
	if !p.w.has(key) {
		return text
	}
	return p.w.say(key)
}

// Trouble returns the words for a kind of problem: what is wrong, and what to do. A kind without words of its own is told in general ones.
func (p *Phrases) Trouble(kind string, args ...any) (text, do string, err error) {
	if !p.w.has(kind + ".text") {
		kind = "other"
	}
	if text, err = p.Say(kind+".text", args...); err != nil {
		return text, "", err
	}
	do, err = p.Say(kind+".do", args...)
	return text, do, err
}

// When returns a time as people write it, "" for none.
func (p *Phrases) When(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return p.w.date(t, "time.short")
}

// Number returns a number as people write it.
func (p *Phrases) Number(n int) string { return p.w.number(n) }

// Amount returns a price with a decimal point as people write it.
func (p *Phrases) Amount(text string) string { return phrase{w: p.w, args: []string{text}}.Amount(0) }
