package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gondola/internal/report"
)

// tableRow is a row of the README's table of commands: | `gondola NAME` | what it does | exit codes |.
var tableRow = regexp.MustCompile("(?m)^\\| `gondola ([a-z]+)[^`]*` \\|.*\\|([^|]*)\\|\\s*$")

// exitLine is a line about one exit code in a command's help.
var exitLine = regexp.MustCompile(`(?m)^  (\d)  `)

// codeSpan is code within a line of Markdown, or within a comment of the config.
var codeSpan = regexp.MustCompile("`([^`]+)`")

// mention is a command in the midst of words or of another command line, with the flags that follow it at once.
var mention = regexp.MustCompile(`(?:^|[^/\w-])gondola((?: [a-z]+)+(?: --[a-z-]+)*)`)

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

// TestDocumentsNameCommands tries every command, flag and target of make that the README, the example of a config and what init writes speak
// of.
func TestDocumentsNameCommands(t *testing.T) {
	all := documents(t)
	targets, flags := makeTargets(t), allFlags()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, problem := range wrongMentions(all[name], targets, flags) {
			t.Errorf("%s: %s", name, problem)
		}
	}
	if n := len(spans(all["README.md"])); n < 100 {
		t.Errorf("README.md has %d pieces of code: they are not found", n)
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
		"sudo -u gondola gondola doctor": true, "sudo gondola doktor": false, "gondola web password --bare > ana.hash": true,
	} {
		if problem := parses(line); (problem == "") != want {
			t.Errorf("parses(%q) = %q, want that it does: %v", line, problem, want)
		}
	}
	targets, flags := map[string]bool{"check": true}, map[string]bool{"--json": true}
	for text, want := range map[string]bool{
		"`gondola once`": true, "`gondola convert`": true, "`gondola pauze`": false, "`gondola once extra`": false, "`gondola\npauze`": false,
		"# say gondola web\n  # password, then": true, "# say gondola webb": false, "# (gondola status --jason)": false, "`--json`": true,
		"`--jason x`": false, "`make check`": true, "`make it`": false, "Gondola reads it": true, "```console\nmake it\n```\n": false,
		"`source <(gondola completion bush)`": false, "`gondola web passwort`": false,
	} {
		if problems := wrongMentions(text, targets, flags); (len(problems) == 0) != want {
			t.Errorf("wrongMentions(%q) = %q, want none: %v", text, problems, want)
		}
	}
}

func readme(t *testing.T) string {
	t.Helper()
	return documentText(t, "../../README.md")
}

func documentText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// documents returns what people read to learn how to run this, by name: README, example, and in every language what init makes.
func documents(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{"README.md": readme(t), "config.example.yaml": documentText(t, "../../config.example.yaml")}
	for _, language := range report.Languages() {
		dir := filepath.Join(t.TempDir(), language)
		if code := run(t.Context(), []string{"init", dir, "--yes", "--language", language}, nil, io.Discard, io.Discard); code != exitDone {
			t.Fatalf("init --language %s: exit code %d", language, code)
		}
		guides, err := filepath.Glob(filepath.Join(dir, "drop", "*", "*.html"))
		if err != nil || len(guides) != 2 {
			t.Fatalf("%d pages for staff below %s (%v), want 2", len(guides), dir, err)
		}
		for _, path := range append(guides, filepath.Join(dir, defaultConfig)) {
			all[language+"/"+filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path)] = documentText(t, path)
		}
	}
	return all
}

// tableOf returns the commands of a README's table with their exit codes.
func tableOf(text string) map[string]string {
	table := map[string]string{}
	for _, m := range tableRow.FindAllStringSubmatch(text, -1) {
		table[m[1]] = strings.TrimSpace(m[2])
	}
	return table
}

// blocks returns the fenced blocks of a Markdown text in these languages.
func blocks(text string, languages ...string) []string {
	var found []string
	open, wanted := false, false
	for line := range strings.Lines(text) {
		if language, fence := strings.CutPrefix(strings.TrimSpace(line), "```"); fence {
			open = !open
			if wanted = open && slices.Contains(languages, language); wanted {
				found = append(found, "")
			}
			continue
		}
		if wanted {
			found[len(found)-1] += line
		}
	}
	return found
}

// shellLines returns the command lines of this program in a README's shell blocks.
func shellLines(text string) []string {
	var found []string
	for _, block := range blocks(text, "console", "sh", "shell", "bash") {
		for line := range strings.Lines(block) {
			line = strings.TrimPrefix(strings.TrimSpace(line), "$ ")
			if arguments(line) != nil {
				found = append(found, line)
			}
		}
	}
	return found
}

// arguments returns what this program is given by a command line, without what is the shell's, and nil for lines of other programs.
func arguments(line string) []string {
	line, _, _ = strings.Cut(line, " #")
	line, _, _ = strings.Cut(line, " > ")
	words := strings.Fields(line)
	if len(words) > 0 && words[0] == "sudo" {
		words = words[1:]
		if len(words) > 1 && words[0] == "-u" {
			words = words[2:]
		}
	}
	if len(words) == 0 || words[0] != "gondola" && !strings.HasSuffix(words[0], "/gondola") {
		return nil
	}
	return append([]string{}, words[1:]...)
}

// parses reports what is wrong with a command line, without running it: the command, the flags, those that are needed, and the number
// of arguments.
func parses(line string) string {
	words := arguments(line)
	root := newRoot(&app{Stdout: io.Discard, Stderr: io.Discard})
	c, args, err := root.Find(words)
	if err == nil {
		err = c.ParseFlags(args)
	}
	if err == nil {
		err = c.ValidateRequiredFlags()
	}
	if err == nil {
		err = c.ValidateArgs(c.Flags().Args())
	}
	if err == nil && (!c.Runnable() || c.HasAvailableSubCommands()) && c.Flags().NArg() > 0 {
		err = fmt.Errorf("no such command: %q", c.Flags().Arg(0))
	}
	if err == nil && !c.Runnable() && len(words) > 0 {
		err = fmt.Errorf("nothing to run")
	}
	if err != nil && !errors.Is(err, pflag.ErrHelp) {
		return fmt.Sprintf("%s: %v", line, err)
	}
	return ""
}

// prose matches the marks that comments of a config begin their lines with.
var prose = regexp.MustCompile(`\s*\n\s*#?\s*`)

// fenced matches a block of code with its fences.
var fenced = regexp.MustCompile("(?ms)^\\s*```.*?^\\s*```[a-z]*\\n")

// spans returns the pieces of code within the lines of a text, each in one line.
func spans(text string) []string {
	var found []string
	for _, m := range codeSpan.FindAllStringSubmatch(withoutBlocks(text), -1) {
		found = append(found, prose.ReplaceAllString(m[1], " "))
	}
	return found
}

// withoutBlocks returns a Markdown text without what is fenced.
func withoutBlocks(text string) string { return fenced.ReplaceAllString(text, "\n") }

// wrongMentions lists what a text says of commands, flags and targets of make that are not so. A command alone names it; with anything
// behind it, in code, it has to be one that can be typed.
func wrongMentions(text string, targets, flags map[string]bool) []string {
	var wrong []string
	lines := strings.Split(strings.Join(blocks(text, "console"), "\n"), "\n")
	for _, code := range append(lines, spans(text)...) {
		code = strings.TrimSpace(code)
		first, rest, _ := strings.Cut(code, " ")
		flag, _, _ := strings.Cut(first, "=")
		switch {
		case first == "make" && !targets[strings.SplitN(rest, " ", 2)[0]]:
			wrong = append(wrong, code+": the Makefile has no such target")
		case strings.HasPrefix(flag, "--") && !flags[flag]:
			wrong = append(wrong, code+": no command has such a flag")
		case arguments(code) != nil && !names(arguments(code)):
			if problem := parses(code); problem != "" {
				wrong = append(wrong, problem)
			}
		}
	}
	for _, m := range mention.FindAllStringSubmatch(prose.ReplaceAllString(withoutBlocks(text), " "), -1) {
		if problem := wrongMention(strings.Fields(m[1])); problem != "" {
			wrong = append(wrong, m[0]+": "+problem)
		}
	}
	return wrong
}

// names reports whether words are a command's name and nothing else.
func names(words []string) bool {
	c, rest, err := newRoot(&app{}).Find(words)
	return err == nil && c.HasParent() && len(rest) == 0
}

// wrongMention says what is wrong with words after gondola: the first must be a command, one below it too where it does nothing itself, and
// flags its own. Other words are the sentence's.
func wrongMention(words []string) string {
	if words[0] == "gondola" { // sudo -u gondola gondola ...
		words = words[1:]
	}
	c := newRoot(&app{})
	for _, word := range words {
		next := slices.IndexFunc(c.Commands(), func(s *cobra.Command) bool { return s.Name() == word })
		switch {
		case next >= 0:
			c = c.Commands()[next]
		case !c.HasParent():
			return "no such command"
		case strings.HasPrefix(word, "--"):
			c.InitDefaultHelpFlag()
			if name := word[2:]; c.Flags().Lookup(name) == nil && c.InheritedFlags().Lookup(name) == nil {
				return "no such flag: " + word
			}
		case c.HasAvailableSubCommands():
			return "no such command: " + word
		default:
			return ""
		}
	}
	return ""
}

// makeTargets returns what make can be asked for.
func makeTargets(t *testing.T) map[string]bool {
	t.Helper()
	targets := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z]+):`).FindAllStringSubmatch(documentText(t, "../../Makefile"), -1) {
		targets[m[1]] = true
	}
	return targets
}

// allFlags returns the flags of all commands, as they are typed.
func allFlags() map[string]bool {
	all := map[string]bool{}
	var add func(c *cobra.Command)
	add = func(c *cobra.Command) {
		c.InitDefaultHelpFlag()
		c.Flags().VisitAll(func(f *pflag.Flag) { all["--"+f.Name] = true })
		c.PersistentFlags().VisitAll(func(f *pflag.Flag) { all["--"+f.Name] = true })
		for _, s := range c.Commands() {
			add(s)
		}
	}
	add(newRoot(&app{}))
	return all
}
