package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/term"
)

// errBrokenOff says that whoever was asked left: Ctrl-C, Ctrl-D, or the terminal is gone.
var errBrokenOff = errors.New("broken off: nothing was written")

// interview asks questions on a terminal. What it says goes to the standard error, so that --json has the standard output to itself.
type interview struct {
	ctx  context.Context
	in   *os.File
	out  io.Writer
	term *term.Terminal
}

// newInterview returns nil where nobody can be asked.
func newInterview(ctx context.Context, a *app) *interview {
	in, ok := a.Stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) || !isTerminal(a.Stderr) {
		return nil
	}
	type both struct {
		io.Reader
		io.Writer
	}
	return &interview{ctx: ctx, in: in, out: a.Stderr, term: term.NewTerminal(both{in, a.Stderr}, "")}
}

// say prints lines for whoever is asked.
func (v *interview) say(format string, args ...any) { _, _ = fmt.Fprintf(v.out, format+"\n", args...) }

// line reads one line. The terminal is raw only meanwhile: then Ctrl-C ends the interview as Ctrl-D does, and what is pasted in several
// lines waits for the next questions.
func (v *interview) line(prompt string, hidden bool) (string, error) {
	fd := int(v.in.Fd())
	state, err := term.MakeRaw(fd)
	if err != nil {
		return "", fmt.Errorf("ask on the terminal: %w; give the answers as flags", err)
	}
	defer func() { _ = term.Restore(fd, state) }()
	if columns, rows, err := term.GetSize(fd); err == nil && columns > 0 {
		_ = v.term.SetSize(columns, rows)
	}
	type answer struct {
		text string
		err  error
	}
	// A read of a terminal can't be called off. When a signal ends the program, this one ends with it.
	read := make(chan answer, 1)
	go func() {
		var got answer
		if hidden {
			got.text, got.err = v.term.ReadPassword(prompt)
		} else {
			v.term.SetPrompt(prompt)
			got.text, got.err = v.term.ReadLine()
		}
		read <- got
	}()
	select {
	case <-v.ctx.Done():
		return "", errBrokenOff
	case got := <-read:
		if got.err != nil {
			_, _ = fmt.Fprint(v.out, "\r\n")
			return "", errBrokenOff
		}
		return strings.TrimSpace(got.text), nil
	}
}

// ask asks until check is content. An empty answer is the proposal.
func (v *interview) ask(question, proposal string, check func(answer string) error) (string, error) {
	prompt := question
	if proposal != "" {
		prompt += " [" + proposal + "]"
	}
	for {
		answer, err := v.line(prompt+": ", false)
		if err != nil {
			return "", err
		}
		if answer == "" {
			answer = proposal
		}
		err = check(answer)
		if err == nil {
			return answer, nil
		}
		v.complain(err)
	}
}

// complain says what is wrong with an answer.
func (v *interview) complain(err error) { v.say("  ! %s", plain(err.Error())) }

// option is one of several answers.
type option struct{ name, about string }

// choose shows numbered options and returns the index of the chosen one. It takes the number or the name.
func (v *interview) choose(question string, options []option, proposal int) (int, error) {
	width := 0
	for _, o := range options {
		width = max(width, len([]rune(o.name)))
	}
	v.say("%s", question)
	for i, o := range options {
		v.say("%s", strings.TrimRight(fmt.Sprintf("  %d  %s%s  %s", i+1, o.name, strings.Repeat(" ", width-len([]rune(o.name))), o.about), " "))
	}
	chosen := proposal
	_, err := v.ask("Number", strconv.Itoa(proposal+1), func(answer string) error {
		if chosen = slices.IndexFunc(options, func(o option) bool { return strings.EqualFold(o.name, answer) }); chosen >= 0 {
			return nil
		}
		n, err := strconv.Atoi(answer)
		if err != nil || n < 1 || n > len(options) {
			return fmt.Errorf("%q is none of them; write a number from 1 to %d", answer, len(options))
		}
		chosen = n - 1
		return nil
	})
	return chosen, err
}

// yes asks a question that yes or no answers.
func (v *interview) yes(question string, proposal bool) (bool, error) {
	shown := map[bool]string{true: "Y/n", false: "y/N"}[proposal]
	yes := proposal
	_, err := v.ask(question, shown, func(answer string) error {
		switch strings.ToLower(answer) {
		case "y", "yes", "s", "si", "sí", "sim":
			yes = true
		case "n", "no", "não", "nao":
			yes = false
		case strings.ToLower(shown):
			yes = proposal
		default:
			return fmt.Errorf("write y or n")
		}
		return nil
	})
	return yes, err
}

// typedPath returns the path that somebody typed, or dragged onto the terminal: no shell takes quotes away here, or knows what ~ is.
func typedPath(answer string) string {
	for _, quote := range []string{"'", `"`} {
		if len(answer) > 1 && strings.HasPrefix(answer, quote) && strings.HasSuffix(answer, quote) {
			answer = answer[1 : len(answer)-1]
		}
	}
	if rest, ok := strings.CutPrefix(answer, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	return answer
}

// checkFile says why a path leads to no file.
func checkFile(path string) error {
	info, err := os.Stat(path)
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s: %w", path, inner.Err)
	}
	if err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", path)
	}
	return err
}
