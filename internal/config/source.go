package config

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Excerpt is the line of the file that a problem is about, as it may be shown to anybody, and which part of it is meant. What check
// prints gets mailed around, so of a secret only its reference is there, and values are only there where their key is known to hold no
// secret: everything else is "…", and comments are left out.
type Excerpt struct {
	Text   string `json:"text"`
	Column int    `json:"column"` // where what is meant begins in Text, in characters from 1
	Length int    `json:"length"` // how many characters of Text are meant
}

// hidden stands for what may not be shown.
const hidden = "…"

// source is the file's text while it is decoded, and what of it may be shown.
type source struct {
	lines []string
	show  map[*yaml.Node]bool
	mask  map[*yaml.Node]string // stands for a node, whoever says that it may be shown
}

func newSource(data []byte) source {
	return source{lines: strings.Split(string(data), "\n"), show: map[*yaml.Node]bool{}, mask: map[*yaml.Node]string{}}
}

// reveal lets a key, or a value that is no secret, be shown.
func (s source) reveal(n *yaml.Node) {
	s.show[n] = true
	if withoutLogin(n.Value) != n.Value {
		s.mask[n] = masked
	}
}

// shownLine is a line as it may be shown.
type shownLine struct {
	text  string
	parts []part
}

// part is a stretch of a line: the columns from to to of the file, both from 1 and to excluded, are what at and length say in the text.
type part struct {
	from, to   int
	at, length int
	word       bool // a key or a value, which is meant as a whole
}

// shown returns every line on which something of the document stands, as it may be shown.
func (s source) shown(root *yaml.Node) map[int]shownLine {
	byLine := map[int][]*yaml.Node{}
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode || n.Kind == yaml.AliasNode {
			byLine[n.Line] = append(byLine[n.Line], n)
		} else if n.Line > 0 && byLine[n.Line] == nil {
			byLine[n.Line] = []*yaml.Node{}
		}
		for _, inner := range n.Content {
			walk(inner)
		}
	}
	walk(root)
	all := make(map[int]shownLine, len(byLine))
	for line, nodes := range byLine {
		if line < 1 || line > len(s.lines) {
			continue
		}
		slices.SortFunc(nodes, func(a, b *yaml.Node) int { return cmp.Compare(a.Column, b.Column) })
		all[line] = s.shownLine(line, nodes)
	}
	return all
}

// shownLine puts one line together: the words that stand on it and the signs in between. From the first thing on that is neither, the
// rest is hidden: the end of a text that began on a line above, say.
func (s source) shownLine(line int, nodes []*yaml.Node) shownLine {
	var b lineBuilder
	b.raw = []rune(strings.TrimSuffix(s.lines[line-1], "\r"))
	if line == 1 && len(b.raw) > 0 && b.raw[0] == '\ufeff' {
		b.raw = b.raw[1:] // the mark in front of the file is no column
	}
	for _, n := range nodes {
		if n.Column-1 < b.at || n.Column-1 > len(b.raw) || !b.signs(n.Column-1) {
			return b.rest()
		}
		if n.Anchor != "" && n.Kind != yaml.AliasNode && !b.anchor(n.Anchor) {
			return b.rest()
		}
		end, ok := endOf(b.raw, b.at, n)
		mask, isMasked := s.mask[n]
		switch {
		case !ok:
			return b.rest()
		case isMasked:
			b.word(end, mask)
		case s.show[n] || n.Kind == yaml.AliasNode:
			b.word(end, string(b.raw[b.at:end]))
		default:
			b.word(end, hidden)
		}
	}
	end := len(b.raw)
	for i := b.at; i < len(b.raw); i++ {
		if b.raw[i] == '#' { // no word stands here any more: a comment, and what is in front of it goes with it
			end = i
			break
		}
	}
	for end > b.at && (b.raw[end-1] == ' ' || b.raw[end-1] == '\t') {
		end--
	}
	if !b.signs(end) {
		return b.rest()
	}
	return b.line()
}

// lineBuilder writes a line as it may be shown.
type lineBuilder struct {
	raw   []rune
	at    int // how far raw was read
	text  []rune
	parts []part
}

// signs copies what is between two words, up to index end of raw. It reports whether nothing but signs of YAML is there.
func (b *lineBuilder) signs(end int) bool {
	between := b.raw[b.at:end]
	if strings.Trim(string(between), " \t{}[],:-?|>") != "" {
		return false
	}
	b.add(end, between, false)
	return true
}

// anchor copies &name, which stands in front of a value.
func (b *lineBuilder) anchor(name string) bool {
	rest := string(b.raw[b.at:])
	if !strings.HasPrefix(rest, "&"+name) {
		return true // it stands elsewhere
	}
	end := b.at + 1 + len([]rune(name))
	b.add(end, b.raw[b.at:end], false)
	for end < len(b.raw) && b.raw[end] == ' ' {
		end++
	}
	return b.signs(end)
}

// word writes text for what raw has up to index end.
func (b *lineBuilder) word(end int, text string) { b.add(end, []rune(text), true) }

func (b *lineBuilder) add(end int, text []rune, word bool) {
	if end == b.at {
		return
	}
	b.parts = append(b.parts, part{from: b.at + 1, to: end + 1, at: len(b.text) + 1, length: len(text), word: word})
	b.text, b.at = append(b.text, text...), end
}

// rest hides what follows.
func (b *lineBuilder) rest() shownLine {
	if b.at < len(b.raw) {
		b.word(len(b.raw), hidden)
	}
	return b.line()
}

func (b *lineBuilder) line() shownLine { return shownLine{text: string(b.text), parts: b.parts} }

// endOf returns the index behind a word that begins at index at; ok is false where it does not end on this line, or is not there.
func endOf(raw []rune, at int, n *yaml.Node) (end int, ok bool) {
	rest := raw[at:]
	if n.Kind == yaml.AliasNode {
		name := []rune("*" + n.Value)
		return at + len(name), strings.HasPrefix(string(rest), string(name))
	}
	if len(rest) == 0 {
		return at, n.Value == "" // an empty value has no place of its own
	}
	switch quote := rest[0]; {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return 0, false
	case n.Style&yaml.DoubleQuotedStyle != 0 || n.Style&yaml.SingleQuotedStyle != 0:
		for i := 1; i < len(rest); i++ {
			switch {
			case quote == '"' && rest[i] == '\\':
				i++
			case rest[i] != quote:
			case quote == '\'' && i+1 < len(rest) && rest[i+1] == quote:
				i++
			default:
				return at + i + 1, true
			}
		}
		return 0, false
	}
	value := []rune(n.Value)
	if !strings.HasPrefix(string(rest), n.Value) {
		return 0, false
	}
	return at + len(value), true
}

// excerpt returns the line of a problem, nil where nothing may be shown or the problem is not about a line.
func (f positions) excerpt(p Problem) *Excerpt {
	line, ok := f.shown[p.Line]
	if _, near := f.nearest(p.Path); !ok || line.text == hidden || p.Line == 1 && p.Column == 1 && p.Text == "" && !near {
		return nil // something is missing in the file as a whole
	}
	for _, part := range line.parts {
		switch {
		case p.Column < part.from || p.Column >= part.to:
		case part.word:
			return &Excerpt{Text: line.text, Column: part.at, Length: part.length}
		default:
			return &Excerpt{Text: line.text, Column: part.at + p.Column - part.from, Length: 1}
		}
	}
	return nil
}

var keyForm = regexp.MustCompile(`^([ \t]*(?:- +)*)([a-z_]+)[ \t]*:(.*)$`)

// brokenExcerpt is excerpt for a line of a file that is no YAML: only its key is sure to be no secret, and only where the file may have
// such a key.
func brokenExcerpt(text string, column int, known func(key string) bool) *Excerpt {
	parts := keyForm.FindStringSubmatch(strings.TrimSuffix(text, "\r"))
	if parts == nil || !known(parts[2]) {
		return nil
	}
	shown := parts[1] + parts[2] + ":"
	if strings.TrimSpace(parts[3]) != "" {
		shown += " " + hidden
	}
	return &Excerpt{Text: shown, Column: min(max(column, 1), len([]rune(shown))), Length: 1}
}
