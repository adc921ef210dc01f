package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tableRow is a row of the README's table of commands: | `gondola NAME` | what it does | exit codes |.
var tableRow = regexp.MustCompile("(?m)^\\| `gondola ([a-z]+)[^`]*` \\|.*\\|([^|]*)\\|\\s*$")

// exitLine is a line about one exit code in a command's help.
var exitLine = regexp.MustCompile(`(?m)^  (\d)  `)

// TestReadmeNamesCommands holds the README's table against the command tree: the same commands, with the same exit codes.
func TestReadmeNamesCommands(t *testing.T) {
	got := tableOf(readme(t))
	want := map[string]string{}
	for name, c := range commands() {
		var codes []string
		for _, m := range exitLine.FindAllStringSubmatch(c.Annotations[codesKey], -1) {
			codes = append(codes, m[1])
		}
		want[name] = strings.Join(codes, " ")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("commands and exit codes in README.md (-program +README):\n%s", diff)
	}
}

// TestReadmeCommandsParse tries every command line in the README's shell blocks, as far as the flags.
func TestReadmeCommandsParse(t *testing.T) {
	lines := shellLines(readme(t))
	if len(lines) == 0 {
		t.Error("no command line found in README.md")
	}
	for _, line := range lines {
		if problem := parses(line); problem != "" {
			t.Errorf("README.md: %s", problem)
		}
	}
}

// TestReadmeTestsCanFail shows that a wrong table and a wrong command line are found.
func TestReadmeTestsCanFail(t *testing.T) {
	text := "| `gondola once` | does | 0 1 |\n| `gondola dance` | hops | 0 |\n\n```console\n$ gondola once --now\nmake demo\ngondola check\n" +
		"```\n\n```yaml\ngondola: no\n```\n"
	if diff := cmp.Diff(map[string]string{"once": "0 1", "dance": "0"}, tableOf(text)); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
	lines := shellLines(text)
	if diff := cmp.Diff([]string{"gondola once --now", "gondola check"}, lines); diff != "" {
		t.Errorf("shell lines (-want +got):\n%s", diff)
	}
	for line, want := range map[string]bool{
		"gondola once --now": false, "gondola dance": false, "gondola once extra": false, "gondola convert --feed x y": false,
		"gondola check": true, "gondola convert --feed x --out y z.csv": true, "bin/gondola init shop --json   # a note": true,
	} {
		if problem := parses(line); (problem == "") != want {
			t.Errorf("parses(%q) = %q, want that it does: %v", line, problem, want)
		}
	}
}

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// tableOf returns the commands of a README's table with their exit codes.
func tableOf(text string) map[string]string {
	table := map[string]string{}
	for _, m := range tableRow.FindAllStringSubmatch(text, -1) {
		table[m[1]] = strings.TrimSpace(m[2])
	}
	return table
}

// shellLines returns the command lines of this program in a README's shell blocks.
func shellLines(text string) []string {
	var found []string
	shell := false
	for line := range strings.Lines(text) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "$ ")
		if language, fence := strings.CutPrefix(line, "```"); fence {
			shell = slices.Contains([]string{"console", "sh", "shell", "bash"}, language)
			continue
		}
		if name, _, _ := strings.Cut(line, " "); shell && (name == "gondola" || strings.HasSuffix(name, "/gondola")) {
			found = append(found, line)
		}
	}
	return found
}

// parses reports what is wrong with a command line, without running it: the command, the flags, those that are needed, and the number
// of arguments.
func parses(line string) string {
	line, _, _ = strings.Cut(line, " #")
	words := strings.Fields(line)
	root := newRoot(&app{Stdout: io.Discard, Stderr: io.Discard})
	c, args, err := root.Find(words[1:])
	if err == nil {
		err = c.ParseFlags(args)
	}
	if err == nil {
		err = c.ValidateRequiredFlags()
	}
	if err == nil {
		err = c.ValidateArgs(c.Flags().Args())
	}
	if err == nil && !c.Runnable() && len(words) > 1 {
		err = fmt.Errorf("nothing to run")
	}
	if err != nil {
		return fmt.Sprintf("%s: %v", line, err)
	}
	return ""
}
