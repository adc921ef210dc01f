package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newManCommand writes the manual pages. It is for who makes packages.
func newManCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:         "man DIR",
		Short:       "Write the manual pages into a folder",
		Long:        "Writes a manual page of gondola and one of each command, made from what --help prints, into an existing folder.",
		Example:     "  gondola man /usr/local/share/man/man1",
		Hidden:      true,
		Args:        oneArg("DIR"),
		Annotations: codes(),
		RunE:        func(c *cobra.Command, args []string) error { return a.writeManual(c.Root(), args[0]) },
	}
}

func (a *app) writeManual(root *cobra.Command, dir string) error {
	made := []string{}
	for _, c := range append([]*cobra.Command{root}, root.Commands()...) {
		if c != root && (!c.IsAvailableCommand() || c.Name() == "help") {
			continue
		}
		name := pageName(c) + ".1"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(manualPage(c, buildVersion())), 0o644); err != nil { //nolint:gosec // to be read by all
			return fmt.Errorf("write manual page: %w", err)
		}
		made = append(made, name)
	}
	if a.JSON {
		return a.printJSON(struct {
			Made []string `json:"made"`
		}{made})
	}
	a.printf("%s written\n", count(len(made), "page"))
	return nil
}

// pageName is what a command's page is called: gondola-run.
func pageName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// manualPage returns a command's page, in the language of man(7).
func manualPage(c *cobra.Command, v version) string {
	p := &manual{}
	date := ""
	if at, err := time.Parse(time.RFC3339, v.Time); err == nil {
		date = at.UTC().Format(time.DateOnly)
	}
	p.line(`.TH "%s" "1" "%s" "gondola %s" "Gondola"`, strings.ToUpper(troff(pageName(c))), troff(date), troff(v.Version))
	p.section("NAME")
	p.line(`%s \- %s`, troff(pageName(c)), troff(strings.ToLower(c.Short[:1])+c.Short[1:]))
	p.section("SYNOPSIS")
	if c.HasParent() {
		p.line(`\fB%s\fR`, troff(c.UseLine()))
	} else {
		p.line(`\fBgondola\fR \fICOMMAND\fR [flags]`)
	}
	p.section("DESCRIPTION")
	p.text(c.Long)
	if !c.HasParent() {
		p.commands(c)
	}
	c.InitDefaultHelpFlag()
	p.flags("OPTIONS", c.NonInheritedFlags())
	p.flags("OPTIONS OF ALL COMMANDS", c.InheritedFlags())
	if c.Example != "" {
		p.section("EXAMPLES")
		p.asIs(c.Example)
	}
	if text := c.Annotations[codesKey]; text != "" {
		p.section("EXIT STATUS")
		for _, m := range strings.Split(strings.TrimSpace(text), "\n") {
			code, meaning, _ := strings.Cut(strings.TrimSpace(m), "  ")
			p.term(`\fB`+code+`\fR`, meaning)
		}
	}
	p.section("ENVIRONMENT")
	p.term(`\fB`+configVar+`\fR`, "path of the config where --config is not given")
	p.term(`\fBNO_COLOR\fR`, "with any value but an empty one nothing is coloured")
	p.section("SEE ALSO")
	if c.HasParent() {
		p.line(`\fBgondola\fR(1)`)
	} else {
		p.line(`README.md and config.example.yaml, which explains every key of the config`)
	}
	return p.String()
}

// manual is a page that is being written.
type manual struct{ strings.Builder }

func (p *manual) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func (p *manual) section(name string) { p.line(".SH %s", name) }

// term writes a word, already in man(7)'s language, and what it means.
func (p *manual) term(word, meaning string) { p.line(".TP\n%s\n%s", word, troff(meaning)) }

// text writes paragraphs. Lines that are indented stay as they are.
func (p *manual) text(text string) {
	indented := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if is := strings.HasPrefix(line, " "); is != indented {
			indented = is
			p.line(map[bool]string{true: ".PP\n.nf", false: ".fi"}[is])
		}
		if line == "" {
			p.line(".PP")
			continue
		}
		p.line("%s", troff(line))
	}
	if indented {
		p.line(".fi")
	}
}

// asIs writes lines that stay as they are.
func (p *manual) asIs(text string) {
	p.line(".nf")
	for line := range strings.Lines(text) {
		p.line("%s", troff(strings.TrimSpace(line)))
	}
	p.line(".fi")
}

func (p *manual) commands(root *cobra.Command) {
	p.section("COMMANDS")
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" {
			p.term(`\fB`+troff(pageName(c))+`\fR(1)`, c.Short)
		}
	}
}

func (p *manual) flags(section string, all *pflag.FlagSet) {
	if !all.HasAvailableFlags() {
		return
	}
	p.section(section)
	all.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		what, usage := pflag.UnquoteUsage(f)
		word := `\fB` + troff("--"+f.Name) + `\fR`
		if f.Shorthand != "" {
			word = `\fB` + troff("-"+f.Shorthand) + `\fR, ` + word
		}
		if what != "" {
			word += ` \fI` + troff(what) + `\fR`
		}
		if d := f.DefValue; d != "" && d != "false" && d != "0" && d != "[]" && d != "0s" && !strings.Contains(usage, "default") {
			usage += " (default " + d + ")"
		}
		p.term(word, usage)
	})
}

// troff writes text so that it stays what it is: no line of it is an order, no hyphen becomes a dash.
func troff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
