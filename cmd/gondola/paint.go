package main

import (
	"io"
	"os"
)

// paint writes in colours, where it is true: on a terminal, unless $NO_COLOR or the terminal itself asks for none. Nothing is told by
// colours alone. Any value of $NO_COLOR but an empty one asks (no-color.org).
type paint bool

// paintFor returns the paint for what is written to w.
func paintFor(w io.Writer) paint {
	return paint(isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb")
}

func (p paint) bold(text string) string   { return p.with("1", text) }
func (p paint) red(text string) string    { return p.with("1;31", text) }
func (p paint) yellow(text string) string { return p.with("1;33", text) }

func (p paint) with(code, text string) string {
	if !p || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
