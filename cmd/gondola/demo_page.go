package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// demoLook is how the story looks.
type demoLook struct {
	Colors  bool
	Symbols bool // beyond ASCII
	Columns int  // of the terminal; 0 = there is none
}

// The widths of a line's columns: the time since the start, and the word that says what the line is about.
const (
	demoKindWidth = 10
	demoIndent    = len("00:00.0  ") + demoKindWidth
	demoWidth     = 100 // of the text behind them, on a wide terminal
	demoNarrow    = 40  // and on the narrowest
)

// tone is how a line is meant.
type tone string

// The tones, each an escape sequence of terminals.
const (
	plainly tone = ""
	quietly tone = "\x1b[2m"
	gladly  tone = "\x1b[32m"
	warily  tone = "\x1b[33m"
	gravely tone = "\x1b[31m"
	loudly  tone = "\x1b[1m"
)

// demoPage writes the story, line by line. Where nobody listens any more (a closed pipe), there is nobody to be told.
type demoPage struct {
	out   io.Writer
	look  demoLook
	width int               // of the text behind a line's columns
	ascii *strings.Replacer // what stands for our own signs where the terminal may not know them
	start time.Time
	last  string // line
}

func newDemoPage(out io.Writer, look demoLook) *demoPage {
	width := demoWidth
	if look.Columns > 0 {
		width = min(max(look.Columns-demoIndent, demoNarrow), demoWidth)
	}
	return &demoPage{
		out: out, look: look, width: width, start: time.Now(),
		ascii: strings.NewReplacer("✓ ", "", "─", "-", "│", "|", "…", "...", "×", "x", "“", `"`, "”", `"`, "‘", "'", "’", "'"),
	}
}

// line writes what happened just now: time, kind, text.
func (p *demoPage) line(t tone, kind, format string, args ...any) {
	since := time.Since(p.start)
	at := fmt.Sprintf("%02d:%04.1f", int(since.Minutes()), (since % time.Minute).Truncate(100*time.Millisecond).Seconds())
	lines := wrapped(plain(fmt.Sprintf(format, args...)), p.width)
	p.write(p.in(quietly, at) + "  " + p.in(t, fmt.Sprintf("%-*s", demoKindWidth, kind)) + lines[0])
	for _, line := range lines[1:] {
		p.write(strings.Repeat(" ", demoIndent) + line)
	}
}

// more writes a line that belongs to the one above. It is not wrapped: it may be made to be copied.
func (p *demoPage) more(t tone, format string, args ...any) {
	p.write(strings.Repeat(" ", demoIndent) + p.in(t, plain(fmt.Sprintf(format, args...))))
}

// text writes a line outside of the columns.
func (p *demoPage) text(t tone, text string) { p.write(p.in(t, plain(text))) }

// places writes where things are: what, where, and why one would look.
func (p *demoPage) places(rows [][3]string) {
	var widths [2]int
	for _, row := range rows {
		for i := range widths {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	for _, row := range rows {
		p.write("  " + padded(row[0], widths[0]) + "  " + padded(row[1], widths[1]) + "  " + p.in(quietly, row[2]))
	}
}

// columns writes rows under a header, in columns as wide as they need; all but the first and the last hold numbers.
func (p *demoPage) columns(header []string, rows [][]string, tones []tone) {
	widths := make([]int, len(header))
	for _, row := range append([][]string{header}, rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	format := func(row []string) string {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = padded(cell, widths[i])
			if i > 0 && i < len(row)-1 {
				cells[i] = strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)) + cell
			}
		}
		return "  " + plain(strings.TrimRight(strings.Join(cells, "   "), " "))
	}
	rule := 3 * (len(widths) - 1)
	for _, w := range widths {
		rule += w
	}
	p.write(p.in(loudly, format(header)))
	p.write(p.in(quietly, "  "+strings.Repeat("─", rule)))
	for i, row := range rows {
		p.write(p.in(tones[i], format(row)))
	}
}

// blank writes an empty line, never two of them.
func (p *demoPage) blank() {
	if p.last != "" {
		p.write("")
	}
}

func (p *demoPage) write(line string) {
	p.last = strings.TrimRight(line, " ")
	if !p.look.Symbols {
		p.last = p.ascii.Replace(p.last)
	}
	_, _ = io.WriteString(p.out, p.last+"\n")
}

// in colours a text.
func (p *demoPage) in(t tone, text string) string {
	if !p.look.Colors || t == plainly || text == "" {
		return text
	}
	return string(t) + text + "\x1b[0m"
}

// padded fills a text up with blanks.
func padded(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}

// wrapped breaks a text between words where it is wider than width. A word that is wider, such as a path, stays whole.
func wrapped(text string, width int) []string {
	var lines []string
	for {
		if utf8.RuneCountInString(text) <= width {
			return append(lines, text)
		}
		at := len(string([]rune(text)[:width+1]))
		if cut := strings.LastIndexByte(text[:at], ' '); cut > 0 {
			at = cut
		} else if cut := strings.IndexByte(text, ' '); cut > 0 {
			at = cut
		} else {
			return append(lines, text)
		}
		lines, text = append(lines, text[:at]), text[at+1:]
	}
}

// number writes a number with its thousands marked.
func number(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// numberOf writes a number with its noun: 1 row, 1,200 rows.
func numberOf(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}

// fileSize writes a size for people.
func fileSize(n int64) string {
	if n < 10_000 {
		return numberOf(int(n), "byte")
	}
	return number(int((n+500)/1000)) + " kB"
}
