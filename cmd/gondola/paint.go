package main

import "io"

// paint writes in colours, where it is true. Nothing is told by colours alone.
type paint bool

// paintFor returns the paint for what is written to w.
func paintFor(w io.Writer) paint {
	return paint(inColour(w))
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
