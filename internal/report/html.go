package report

import (
	"bytes"
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"sync"

	"gondola/internal/catalog"
	"gondola/templates"
)

// MaxCells is how many cells of one kind of issue a page names: they take less room there than a line each.
const MaxCells = 60

// HTML returns the receipt as a page that stands for itself: it says the sentences of [Text], and beside them the largest price
// changes and where the annotated workbook lies. It refers to the files beside it in the folder of answers and to nothing else.
func HTML(a Answer) (string, error) {
	r := newReceipt(a)
	l, err := r.letter()
	if err != nil {
		return "", err
	}
	p := answerPage{
		Lang: r.words.lang, File: clean(a.Name, maxName), Verdict: string(l.verdict), Title: sentenceCase(l.title), Summary: l.summary,
		Facts: factsOf(l.facts), All: r.words.say("page.all"),
	}
	if a.Workbook && a.Name != "" {
		p.Workbook = &linkView{Href: hrefOf(workbookName(a)), Label: r.words.say("page.workbook"), How: r.words.say("page.workbook-how")}
	}
	for _, s := range l.sections {
		p.Sections = append(p.Sections, r.section(s))
	}
	if err := r.failed(); err != nil {
		return "", err
	}
	return execute("answer", p)
}

// pages are the templates of both pages and of parts of others, read when they are first needed.
var pages = sync.OnceValues(func() (*template.Template, error) {
	return template.ParseFS(templates.Files, "answer.html.tmpl", "answers.html.tmpl", "part.html.tmpl")
})

// execute fills one of the page templates.
func execute(name string, data any) (string, error) {
	t, err := pages()
	if err != nil {
		return "", fmt.Errorf("read page templates: %w", err)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, data); err != nil {
		return "", fmt.Errorf("fill page %s: %w", name, err)
	}
	return b.String(), nil
}

// The views are what the templates see: words, and classes for the style.
type (
	answerPage struct {
		Lang, File, Verdict, Title, Summary, All string
		Facts                                    []factView
		Workbook                                 *linkView
		Sections                                 []sectionView
	}
	factView    struct{ Label, Text string }
	linkView    struct{ Href, Label, How any }
	sectionView struct {
		Class, Title string
		Stores       []storeView
		Pairs        []pairView
		Groups       []groupView
		Facts        []factView
	}
	storeView struct {
		Names, State               string
		Standing, Promotions, Same []string
		Held                       []pairView
		Tallies                    []tallyView
		Moves                      []moveView
		Words                      moveWords
	}
	pairView  struct{ What, Do string }
	tallyView struct{ Class, Text string }
	moveView  struct{ Name, Key, Old, New, Percent string }
	moveWords struct{ Caption, Article, Before, Now, Percent string }
	groupView struct {
		Title, Do, More string
		Runs            []*runView
	}
	// runView is the issues of which the same is said: the sentence, and the cells.
	runView struct {
		What, Place string
		Cells       []string
	}
)

func (r *receipt) section(s section) sectionView {
	v := sectionView{Class: s.key, Title: sentenceCase(s.title), Facts: factsOf(s.facts), Pairs: pairsOf(s.pairs)}
	for _, b := range s.stores {
		v.Stores = append(v.Stores, r.storeView(b))
	}
	for _, g := range s.groups {
		v.Groups = append(v.Groups, r.groupView(g))
	}
	return v
}

func (r *receipt) storeView(b storeBlock) storeView {
	w := r.words
	v := storeView{
		Names: b.names, State: string(b.state), Standing: b.standing, Promotions: b.promotions, Same: b.same, Held: pairsOf(b.held),
	}
	for _, t := range b.tallies {
		v.Tallies = append(v.Tallies, tallyView{Class: strings.TrimPrefix(t.key, "change."), Text: t.text})
	}
	if len(b.moves) == 0 {
		return v
	}
	v.Words = moveWords{w.say("store.moves"), w.say("move.article"), w.say("move.before"), w.say("move.now"), w.say("move.percent")}
	var prices []catalog.Money
	for _, m := range b.moves {
		prices = append(prices, m.Old, m.New)
	}
	amounts := w.amounts(prices...)
	for i, m := range b.moves {
		mv := moveView{
			Name: clean(m.Name, maxQuote), Key: clean(m.Key, maxQuote), Old: amounts[2*i], New: amounts[2*i+1], Percent: w.percent(m),
		}
		if mv.Name == "" {
			mv.Name, mv.Key = mv.Key, ""
		}
		v.Moves = append(v.Moves, mv)
	}
	return v
}

// groupView puts issues of which the same is said together.
func (r *receipt) groupView(g group) groupView {
	w := r.words
	v := groupView{Title: w.say("issue.title", w.title(g.code), g.total), Do: w.say("issue.do", w.do(g.code))}
	runs := map[runKey]*runView{}
	shown := 0
	for _, is := range g.issues {
		key := runKey{w.what(is), is.Sheet, is.Column}
		run := runs[key]
		if run == nil {
			if len(runs) == MaxLines {
				continue
			}
			run = &runView{What: key.what, Place: capital(w.place(catalog.Issue{Sheet: is.Sheet, Column: is.Column}, ""))}
			runs[key] = run
			v.Runs = append(v.Runs, run)
		}
		if shown == MaxCells {
			continue
		}
		shown++
		if cell := r.cell(is); cell != "" {
			run.Cells = append(run.Cells, cell)
		} else if is.Row > 0 {
			run.Cells = append(run.Cells, w.say("place.row", is.Row))
		}
	}
	if more := g.total - shown; more > 0 && shown > 0 {
		v.More = w.say("issue.more", more)
	}
	return v
}

// runKey is what issues of one run have in common.
type runKey struct{ what, sheet, column string }

func factsOf(entries []entry) []factView {
	var all []factView
	for _, e := range entries {
		if e.text != "" {
			all = append(all, factView{e.label, e.text})
		}
	}
	return all
}

func pairsOf(pairs []pair) []pairView {
	var all []pairView
	for _, p := range pairs {
		all = append(all, pairView{p.what, p.do})
	}
	return all
}

// sentenceCase returns a heading in capitals as a page shows it, which has other ways to make it stand out.
func sentenceCase(s string) string { return capital(strings.ToLower(s)) }

// hrefOf returns the address of a file in the same folder.
func hrefOf(name string) template.URL {
	// The name is escaped whole, so it can be no address of anything else. "./" keeps a colon in it from naming a scheme.
	return template.URL("./" + url.PathEscape(name))
}
