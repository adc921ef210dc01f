package main

import (
	"os"
	"strings"
	"unicode/utf8"

	"gondola/internal/config"
)

// sourceLines reads a file's lines, to show problems in. What can't be read has none: the problem says so already.
func sourceLines(path string) []string {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return strings.Split(string(data), "\n")
}

// excerpt returns the part of the file that a problem is about and a line of carets to put below it.
//
// It shows no more than the problem's own text and the key in front of it, because a config may hold a password and what check prints
// gets mailed around: no end of the line, nothing where the text isn't known (a syntax error may be in the password itself), and
// nothing of a flow mapping of the server's or the alarms' section, in which a secret may come first.
func excerpt(lines []string, p config.Problem) (text, mark string, ok bool) {
	if p.Line < 1 || p.Line > len(lines) || p.Text == "" {
		return "", "", false
	}
	line := []rune(lines[p.Line-1])
	if p.Column < 1 || p.Column > len(line) {
		return "", "", false
	}
	before, rest := string(line[:p.Column-1]), string(line[p.Column-1:])
	if (strings.HasPrefix(p.Path, "sftp") || strings.HasPrefix(p.Path, "alerts")) && strings.ContainsAny(before, "{,") {
		return "", "", false
	}
	for _, quote := range []string{"", `"`, "'"} {
		if shown := quote + p.Text + quote; strings.HasPrefix(rest, shown) {
			indent := strings.Map(func(r rune) rune {
				if r == '\t' {
					return r
				}
				return ' '
			}, before)
			return before + shown, indent + strings.Repeat("^", utf8.RuneCountInString(shown)), true
		}
	}
	return "", "", false
}
