package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in the file, or with Warning something that only deserves a look. Line and Column count from 1, columns
// in characters; both are 0 where the problem has no place in the file.
type Problem struct {
	File    string   `json:"file"`
	Line    int      `json:"line,omitempty"`
	Column  int      `json:"column,omitempty"`
	Path    string   `json:"path,omitempty"`    // feeds[0].drop; "" = the file as a whole
	Text    string   `json:"text,omitempty"`    // what is written there; "<secret>" for secrets
	Message string   `json:"message"`           // what is wrong and what to do
	Choices []string `json:"choices,omitempty"` // what may stand there, where that is a short list
	Suggest string   `json:"suggest,omitempty"` // the choice that was probably meant
	Warning bool     `json:"warning,omitempty"` // does not keep the daemon from starting
	Excerpt *Excerpt `json:"excerpt,omitempty"` // the line; nil where there is none to be shown
}

// Error returns the problem in one line, in the form editors and terminals make clickable:
// place, path, message, suggestion, choices.
func (p Problem) Error() string {
	var b strings.Builder
	if place := p.Place(); place != "" {
		b.WriteString(place + ": ")
	}
	if p.Warning {
		b.WriteString("warning: ")
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	if p.Suggest != "" {
		fmt.Fprintf(&b, "; did you mean %q?", p.Suggest)
	}
	if len(p.Choices) > 0 {
		fmt.Fprintf(&b, " (known: %s)", strings.Join(p.Choices, ", "))
	}
	return b.String()
}

// Place returns where the problem is: file, or file:line:column.
func (p Problem) Place() string {
	if p.File == "" || p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Problems is everything that was found, warnings included, in the order of the file. [Load] and [Parse] return it as *Problems,
// and only when at least one of them is not a warning.
type Problems []Problem

// Error returns the problems, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find a [Problem].
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

// As lets errors.As find problems as a value and as a pointer, whichever of the two was returned.
func (ps Problems) As(target any) bool {
	switch t := target.(type) {
	case *Problems:
		*t = ps
	case **Problems:
		*t = &ps
	default:
		return false
	}
	return true
}

// fatal reports whether one of the problems is more than a warning.
func (ps Problems) fatal() bool {
	return slices.ContainsFunc(ps, func(p Problem) bool { return !p.Warning })
}

// sort orders the problems as a reader of the file meets them.
func (ps Problems) sort() {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Path, b.Path))
	})
}

// positions remembers where each config path stands in the file. It never holds the text of a secret.
type positions struct {
	name  string // the file, as the caller called it
	at    map[string]place
	shown map[int]shownLine // by line; filled when all is decoded
}

// place is where a path stands: a value, or the key of a section or a list.
type place struct {
	line, column int
	text         string
	null         bool // nothing is written there
}

// find returns the place of path, or of its nearest parent that is in the file; the root is the file's first character.
// exact tells the two apart: a parent's text says nothing about the path.
func (f positions) find(path string) (at place, exact bool) {
	near, found := f.nearest(path)
	if !found {
		return place{line: 1, column: 1}, false
	}
	return f.at[near], near == path
}

// written reports whether the file has a value at path.
func (f positions) written(path string) bool {
	at, ok := f.at[path]
	return ok && !at.null
}

// nearest returns path, or its nearest parent that is in the file.
func (f positions) nearest(path string) (near string, found bool) {
	for p := path; p != ""; p = p[:max(strings.LastIndexAny(p, ".["), 0)] {
		if _, ok := f.at[p]; ok {
			return p, true
		}
	}
	return "", false
}

// problem returns a problem at the place of path.
func (f positions) problem(path, message string) Problem {
	at, exact := f.find(path)
	p := Problem{File: f.name, Line: at.line, Column: at.column, Path: path, Message: message}
	if exact {
		p.Text = at.text
	}
	p.Excerpt = f.excerpt(p)
	return p
}
