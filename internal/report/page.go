package report

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// nbsp is a space that a line is never broken at.
const nbsp = "\u00a0"

// maxName and maxTrouble are how many characters of a file's name and of a sentence from elsewhere are shown: room enough for any
// that is meant to be read.
const (
	maxName    = 200
	maxTrouble = 400
)

// page is text in lines of at most Width characters.
type page struct {
	b     strings.Builder
	empty bool // the last line is blank
}

// String returns the page, ending in one line end.
func (p *page) String() string { return strings.TrimRight(p.b.String(), "\n") + "\n" }

// blank ends a paragraph. Two in a row are one.
func (p *page) blank() {
	if p.b.Len() > 0 && !p.empty {
		p.b.WriteByte('\n')
		p.empty = true
	}
}

// line writes s indented, on as many lines as it needs.
func (p *page) line(indent int, s string) { p.hang(indent, indent, s) }

// hang writes s with its first line indented by first and the others by rest.
func (p *page) hang(first, rest int, s string) {
	p.empty = false
	indent, room := first, Width-first
	for _, l := range wrap(s, room, Width-rest) {
		p.b.WriteString(strings.Repeat(" ", indent))
		p.b.WriteString(strings.ReplaceAll(l, nbsp, " "))
		p.b.WriteByte('\n')
		indent = rest
	}
}

// entry is a line with a label.
type entry struct{ label, text string }

// list writes entries with their texts below one another. Those without text are left out.
func (p *page) list(entries []entry) {
	entries = slices.DeleteFunc(entries, func(e entry) bool { return e.text == "" })
	indent := 0
	for _, e := range entries {
		indent = max(indent, utf8.RuneCountInString(e.label)+2)
	}
	for _, e := range entries {
		p.hang(0, indent, e.label+strings.Repeat(nbsp, indent-utf8.RuneCountInString(e.label))+e.text)
	}
}

// wrap breaks s at spaces into lines of at most first characters, then rest. A word that is longer than a line is cut: it is a file
// name or a number of somebody else's, and the line must not run off the paper.
func wrap(s string, first, rest int) []string {
	var lines []string
	room, line, length := first, "", 0
	end := func() {
		lines = append(lines, line)
		room, line, length = rest, "", 0
	}
	for _, word := range strings.Split(s, " ") {
		if word == "" {
			continue
		}
		n := utf8.RuneCountInString(word)
		if length > 0 && length+1+n > room {
			end()
		}
		for n > room {
			cut := len(string([]rune(word)[:room]))
			line, word = word[:cut], word[cut:]
			n -= room
			end()
		}
		if length > 0 {
			line, length = line+" ", length+1
		}
		line, length = line+word, length+n
	}
	if length > 0 || len(lines) == 0 {
		end()
	}
	return lines
}

// capital returns s with its first letter in upper case.
func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

// small returns a sentence fit to stand behind a colon: with its first letter in lower case, unless its first word is an
// abbreviation or a code.
func small(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	second, _ := utf8.DecodeRuneInString(s[n:])
	if !unicode.IsLower(second) && second != ' ' {
		return s
	}
	return string(unicode.ToLower(first)) + s[n:]
}
