package report

import (
	"maps"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gondola/templates"
)

var defined = regexp.MustCompile(`{{define "([^"]+)"}}`)

// TestStatusPhrasesMatch holds the languages against each other, and every phrase against arguments: none may fail.
func TestStatusPhrasesMatch(t *testing.T) {
	names := map[string]map[string]bool{}
	for _, lang := range Languages() {
		text, err := templates.Files.ReadFile("status." + lang + ".txt.tmpl")
		if err != nil {
			t.Fatal(err)
		}
		receipt, err := templates.Files.ReadFile("receipt." + lang + ".txt.tmpl")
		if err != nil {
			t.Fatal(err)
		}
		taken := map[string]bool{}
		for _, m := range defined.FindAllStringSubmatch(string(receipt), -1) {
			taken[m[1]] = true
		}
		names[lang] = map[string]bool{}
		p := NewPhrases(lang, time.UTC)
		for _, m := range defined.FindAllStringSubmatch(string(text), -1) {
			if taken[m[1]] || names[lang][m[1]] {
				t.Errorf("%s: %s is there twice", lang, m[1])
			}
			names[lang][m[1]] = true
			if said, err := p.Say(m[1], "1", "2", "3"); err != nil || said == "" {
				t.Errorf("%s: %s is %q, %v", lang, m[1], said, err)
			}
		}
	}
	for lang, have := range names {
		if diff := cmp.Diff(slices.Sorted(maps.Keys(names[Spanish])), slices.Sorted(maps.Keys(have))); diff != "" {
			t.Errorf("phrases of %s (-es +%s):\n%s", lang, lang, diff)
		}
	}
	if len(names[Spanish]) < 60 {
		t.Errorf("only %d phrases were found", len(names[Spanish]))
	}
}

// TestPhrasesOfReceiptsAreInMemoryOnce guards what the daemon takes at rest: they are read for receipts and for the page.
func TestPhrasesOfReceiptsAreInMemoryOnce(t *testing.T) {
	for _, lang := range Languages() {
		receipts, status := newWords(lang).phrases, NewPhrases(lang, time.UTC).w.phrases
		for _, phrase := range receipts.Templates() {
			if mine := status.Lookup(phrase.Name()); mine == nil || mine.Tree != phrase.Tree {
				t.Errorf("%s: the page has a %q of its own", lang, phrase.Name())
			}
		}
		if receipts.Lookup("page.title") != nil || len(receipts.Templates()) >= len(status.Templates()) {
			t.Errorf("%s: receipts have got the page's phrases", lang)
		}
	}
}

func TestStatusPhrases(t *testing.T) {
	zone, err := time.LoadLocation("America/Montevideo")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 26, 17, 5, 0, 0, time.UTC)
	for lang, want := range map[string]string{
		"es": "Visto el jue 26/11/2026 14:05, UY.", "pt": "Visto em qui 26/11/2026 14:05, UY.", "en": "Seen Thu 26 Nov 2026 14:05, UY.",
		"xx": "Visto el jue 26/11/2026 14:05, UY.",
	} {
		p := NewPhrases(lang, zone)
		if got, err := p.Say("page.at", at, "UY"); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", lang, got, err, want)
		}
		if text, do, err := p.Trouble("no such kind", "x"); err != nil || text == "" || do == "" {
			t.Errorf("%s: %q, %q, %v", lang, text, do, err)
		}
	}
	p := NewPhrases("en", zone)
	if got := p.SayOr("drop.unheard", "unheard"); got != "unheard" {
		t.Errorf("got %q", got)
	}
	if got := p.When(time.Time{}); got != "" {
		t.Errorf("no time is %q", got)
	}
	if _, err := p.Say("no such phrase"); err == nil {
		t.Error("a missing phrase is no error")
	}
}
