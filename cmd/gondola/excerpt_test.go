package main

import (
	"bytes"
	"strings"
	"testing"

	"gondola/internal/config"
)

// TestExcerptLines draws lines on a screen of 40 columns.
func TestExcerptLines(t *testing.T) {
	long := "match: [" + strings.Repeat("abcdefgh, ", 10) + "x]"
	for _, tc := range []struct {
		name       string
		e          config.Excerpt
		text, mark string
	}{
		{"plain", config.Excerpt{Text: "a: bcd", Column: 4, Length: 3}, "a: bcd", "   ^^^"},
		{"tabs", config.Excerpt{Text: "\ta:\tb", Column: 5, Length: 1}, "    a:  b", "        ^"},
		{"wide and combining", config.Excerpt{Text: "n: 商店 Cafe\u0301 x", Column: 13, Length: 1}, "n: 商店 Cafe\u0301 x", "             ^"},
		{"wide is meant", config.Excerpt{Text: "n: 商店 b", Column: 4, Length: 2}, "n: 商店 b", "   ^^^^"},
		{"direction and control", config.Excerpt{Text: "n: \u202eab\u0085c", Column: 5, Length: 2}, "n: \ufffdab c", "    ^^"},
		{"behind the end", config.Excerpt{Text: "n:", Column: 3, Length: 0}, "n:", "  ^"},
		{"just fits", config.Excerpt{Text: strings.Repeat("x", 40), Column: 40, Length: 1}, strings.Repeat("x", 40), strings.Repeat(" ", 39) + "^"},
		{"long, at its beginning", config.Excerpt{Text: long, Column: 1, Length: 5}, long[:39] + "…", "^^^^^"},
		{"long, in its middle", config.Excerpt{Text: long, Column: 59, Length: 8}, "…" + long[45:83] + "…", strings.Repeat(" ", 14) + "^^^^^^^^"},
		{"long, at its end", config.Excerpt{Text: long, Column: 109, Length: 1}, "…" + long[95:], strings.Repeat(" ", 14) + "^"},
		{"long, and all of it is meant", config.Excerpt{Text: long, Column: 1, Length: len(long)}, long[:39] + "…", strings.Repeat("^", 39)},
	} {
		text, mark := excerptLines(tc.e, leastWidth)
		if text != tc.text || mark != tc.mark {
			t.Errorf("%s:\n%s\n%s\nwant\n%s\n%s", tc.name, text, mark, tc.text, tc.mark)
		}
	}
}

// TestProblemTextInColours: without the colours the words are the same.
func TestProblemTextInColours(t *testing.T) {
	p := config.Problem{
		File: "c.yaml", Line: 2, Column: 3, Path: "a.b", Message: "no", Warning: true, Excerpt: &config.Excerpt{Text: "  b: c", Column: 3, Length: 1},
	}
	want := "\x1b[1mc.yaml:2:3\x1b[0m: \x1b[1;33mwarning:\x1b[0m a.b: no\n      b: c\n      \x1b[1;33m^\x1b[0m\n"
	if got := problemText(true, 80, p); got != want {
		t.Errorf("warning %q, want %q", got, want)
	}
	p.Warning = false
	for ink, want := range map[paint]string{
		true:  "\x1b[1mc.yaml:2:3\x1b[0m: a.b: no\n      b: c\n      \x1b[1;31m^\x1b[0m\n",
		false: "c.yaml:2:3: a.b: no\n      b: c\n      ^\n",
	} {
		if got := problemText(ink, 80, p); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := problemText(false, 80, config.Problem{Message: "disk on fire"}); got != "disk on fire\n" {
		t.Errorf("without a place: %q", got)
	}
	if paintFor(&bytes.Buffer{}) {
		t.Error("colours for what is no terminal")
	}
}
