package report

import (
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/catalog"
)

// checkHTML fails for what no page may have, whatever it is about.
func checkHTML(t *testing.T, page string) {
	t.Helper()
	for _, bad := range []string{
		"<no value>", "%!", "{{", "}}", "&lt;nil&gt;", "ZgotmplZ", "<script", "http://", "https://", "//cdn", "url(", "@import", "src=", "javascript:",
	} {
		if strings.Contains(page, bad) {
			t.Errorf("page holds %q", bad)
		}
	}
	// What is well-formed XML but for its doctype and the elements that HTML leaves open is surely read alike by every browser.
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = true, xml.HTMLAutoClose, xml.HTMLEntity
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Errorf("page is not well-formed: %v\n%s", err, body(page))
			break
		}
	}
}

// body returns a page without its head, which is the same for all.
func body(page string) string {
	_, body, _ := strings.Cut(page, "</head>\n")
	return body
}

// plain returns the words of a page.
func plain(page string) string {
	text := html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(body(page), " "))
	return strings.Join(strings.Fields(strings.ReplaceAll(text, nbsp, " ")), " ")
}

// golden compares what a test made with what is kept.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", name, diff)
	}
}

func TestHTMLGolden(t *testing.T) {
	for name, lang := range map[string]string{
		"accepted": English, "issues": Spanish, "held": Spanish, "sent": Portuguese, "rejected": Spanish, "promotions-sent": Portuguese,
	} {
		t.Run(name, func(t *testing.T) {
			page, err := HTML(answers(t, lang)[name])
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+"."+lang+".html", body(page))
		})
	}
}

// The page says what the text says: every sentence of the letter, in every language.
func TestHTMLSaysTheText(t *testing.T) {
	for _, lang := range Languages() {
		for name, a := range answers(t, lang) {
			page, err := HTML(a)
			if err != nil {
				t.Fatal(err)
			}
			checkHTML(t, page)
			if !strings.Contains(page, `<html lang="`+lang+`">`) {
				t.Errorf("%s %s: the page does not tell its language", lang, name)
			}
			l, err := newReceipt(a).letter()
			if err != nil {
				t.Fatal(err)
			}
			said := []string{sentenceCase(l.title), l.summary}
			for _, s := range l.sections {
				said = append(said, sentenceCase(s.title))
				for _, b := range s.stores {
					said = slices.Concat(said, []string{b.names}, b.promotions, b.same, b.standing)
					for _, tally := range b.tallies {
						said = append(said, tally.text)
					}
					for _, h := range b.held {
						said = append(said, h.what, h.do)
					}
				}
				for _, h := range s.pairs {
					said = append(said, h.what, h.do)
				}
				for _, e := range append(s.facts, l.facts...) {
					said = append(said, e.text)
				}
				for _, g := range s.groups {
					w := newReceipt(a).words
					said = append(said, w.title(g.code), w.say("issue.do", w.do(g.code)))
					for _, is := range g.issues {
						said = append(said, w.what(is))
					}
				}
			}
			text := plain(page)
			for _, s := range said {
				if s = strings.Join(strings.Fields(strings.ReplaceAll(s, nbsp, " ")), " "); !strings.Contains(text, s) {
					t.Errorf("%s %s: the page does not say %q", lang, name, s)
				}
			}
		}
	}
}

func TestHTMLEscapes(t *testing.T) {
	const evil = `"><script>alert('1')</script>&amp;<b onload=x>`
	for _, lang := range Languages() {
		a := answers(t, lang)["issues"]
		a.Name = "100% & <script>#?.csv"
		a.Feed, a.Reading.Sheet, a.Reading.Columns[1].Header = evil, evil, evil
		a.Issues = append(a.Issues, row(catalog.PriceText, catalog.Error, 2, evil, evil), row("G-<i>", catalog.Warning, 3, evil))
		a.Held = []catalog.Issue{{Code: catalog.HeadSheets, Severity: catalog.Error, Args: []string{evil, evil}}}
		a.Stores = append(a.Stores, StoreAnswer{ID: evil, Name: evil + "2", Trouble: evil, Moves: []Move{{Key: evil, Name: evil, Old: 1, New: 2}}})
		page, err := HTML(a)
		if err != nil {
			t.Fatal(err)
		}
		checkHTML(t, page)
		if strings.Contains(page, "<b onload") || strings.Contains(page, "<i>alert") {
			t.Errorf("foreign text became markup:\n%s", body(page))
		}
		want := `href="./100%25%20&amp;%20%3Cscript%3E%23%3F.csv` + FolderNames(lang).Workbook + `"`
		if !strings.Contains(page, want) {
			t.Errorf("%s: no %s in\n%s", lang, want, body(page))
		}
	}
}

func TestHTMLOfNothing(t *testing.T) {
	page, err := HTML(Answer{Verdict: Accepted})
	if err != nil {
		t.Fatal(err)
	}
	checkHTML(t, page)
	if _, err := HTML(Answer{Verdict: "unheard of"}); err == nil {
		t.Error("a verdict without words is no error")
	}
}

// A cause with many cells is one sentence with their addresses, and what is too much is counted.
func TestHTMLNamesCells(t *testing.T) {
	a := base(t, English)
	a.Verdict, a.Rows = AcceptedWithIssues, 1000
	a.Reading.Columns[2].Number = 28
	for i := range 100 {
		a.Issues = append(a.Issues, row(catalog.PriceZero, catalog.Error, 100-i, "Precio c/IVA", "0"))
	}
	for i := range 30 {
		a.Issues = append(a.Issues, row(catalog.KeyInvalid, catalog.Error, 100+i, "SKU", fmt.Sprint(i)))
	}
	page, err := HTML(a)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<b>AB1</b><b>AB2</b>", "<b>AB60</b>", "and 40 more", "<b>row 100</b>", "and 10 more"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, body(page))
		}
	}
	if strings.Contains(page, "AB61<") || strings.Count(page, "is not a price above") > 1 {
		t.Errorf("too much is said:\n%s", body(page))
	}
}

func TestCell(t *testing.T) {
	r := receipt{answer: Answer{Reading: Reading{Columns: []Column{
		{Header: "A", Number: 1},
		{Header: "Z", Number: 26},
		{Header: "AA", Number: 27},
		{Header: "XFD", Number: 16384},
		{Header: "unknown"},
		{Header: "twice", Number: 3},
		{Header: "twice", Number: 4},
		{Header: "same", Number: 5},
		{Header: "same", Number: 5},
	}}}}
	for header, want := range map[string]string{
		"A": "A14", "Z": "Z14", "AA": "AA14", "XFD": "XFD14", "unknown": "", "other": "", "": "", "twice": "", "same": "E14",
	} {
		if got := r.cell(catalog.Issue{Row: 14, Column: header}); got != want {
			t.Errorf("cell of %q is %q, want %q", header, got, want)
		}
	}
	if got := r.cell(catalog.Issue{Column: "A"}); got != "" {
		t.Errorf("cell without a row is %q", got)
	}
}

func TestMoves(t *testing.T) {
	var kept []Move
	for _, m := range moves() {
		kept = KeepMove(kept, m)
	}
	if diff := cmp.Diff(largest(moves()), kept); diff != "" {
		t.Errorf("kept one by one they differ (-want +got):\n%s", diff)
	}
	var keys []string
	for _, m := range kept {
		keys = append(keys, m.Key)
	}
	want := []string{"LS-34", "7730241003654", "LS-33", "A-111", "A-110", "A-109", "A-108", "A-107", "A-106", "A-105"}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Errorf("moves differ (-want +got):\n%s", diff)
	}
	w := newWords(Spanish)
	var shares []string
	for _, m := range kept[:4] {
		shares = append(shares, w.percent(m))
	}
	if diff := cmp.Diff([]string{"+900%", "+74,3%", "−19%", "+6%"}, shares); diff != "" {
		t.Errorf("percents differ (-want +got):\n%s", diff)
	}
	if got := w.percent(Move{Old: 1, New: 1_000_000}); got != "+99"+nbsp+"999"+nbsp+"900%" {
		t.Errorf("a huge percent is %q", got)
	}
	for _, c := range []struct {
		in   []catalog.Money
		want string
	}{
		{[]catalog.Money{990_000, 1_200_000}, "990 1200"},
		{[]catalog.Money{990_000, 12_345_500}, "990,00 12" + nbsp + "345,50"},
		{[]catalog.Money{1_005, 2_000}, "1,005 2,000"},
	} {
		if got := strings.Join(w.amounts(c.in...), " "); got != c.want {
			t.Errorf("amounts %v are %q, want %q", c.in, got, c.want)
		}
	}
}

func TestIndex(t *testing.T) {
	var all []Answer
	for i := range 60 {
		all = append(all, Answer{Name: fmt.Sprintf("precios_%02d.csv", i), Seq: int64(i), Time: at(t, 10, i), Verdict: Accepted})
	}
	all = append(all,
		Answer{Name: "precios_59.csv", Seq: 98, Time: at(t, 12, 0), Verdict: AcceptedWithIssues},
		Answer{Name: `a & "b": <c>.xlsx`, Seq: 99, Time: at(t, 12, 0), Verdict: Held},
		Answer{Name: "index", Seq: 100, Time: at(t, 12, 1), Verdict: Rejected},
	)
	for _, lang := range Languages() {
		page, err := Index(lang, zone(t), all)
		if err != nil {
			t.Fatal(err)
		}
		checkHTML(t, page)
		if n := strings.Count(page, "<li "); n != MaxIndexed {
			t.Errorf("%d answers are listed", n)
		}
	}
	page, err := Index(Spanish, zone(t), all[57:])
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "index.es.html", body(page))
	page, err = Index(English, nil, nil)
	if err != nil || !strings.Contains(page, "There are no answers yet.") {
		t.Errorf("an empty list, error %v:\n%s", err, body(page))
	}
	if _, err := Index(English, nil, []Answer{{Name: "a", Verdict: "unheard of"}}); err == nil {
		t.Error("a verdict without words is no error")
	}
}

func TestWriteIndex(t *testing.T) {
	folder := t.TempDir()
	own := filepath.Join(folder, "answers")
	if err := os.MkdirAll(filepath.Join(own, "a folder.html"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(own, "notes.txt"), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		if err := WriteIndex(folder, English, time.UTC, []Answer{{Name: "a.csv", Seq: int64(n), Verdict: Held}}); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(filepath.Join(own, "index.html"))
	if err != nil || !strings.Contains(string(data), `href="./a.csv.html"`) {
		t.Errorf("error %v, index\n%s", err, body(string(data)))
	}
	if entries, err := os.ReadDir(own); err != nil || len(entries) != 3 {
		t.Errorf("entries %v, error %v", entries, err)
	}
	if err := WriteIndex(filepath.Join(folder, "gone"), English, nil, nil); err == nil || !strings.Contains(err.Error(), "write permission") {
		t.Errorf("missing folder: %v", err)
	}
}

// A file may be called like the page that lists the answers.
func TestPageNameIsNotTheIndex(t *testing.T) {
	for name, want := range map[string]string{"index": "index~.html", "Index": "Index~.html", "index.csv": "index.csv.html", "a": "a.html"} {
		if got := pageName(Answer{Name: name}); got != want {
			t.Errorf("page of %q is %q, want %q", name, got, want)
		}
	}
}
