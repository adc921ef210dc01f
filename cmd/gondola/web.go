package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"gondola/internal/daemon"
)

// newWebCommand is the parent of what is about the page.
func newWebCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "web",
		Short: "Make passwords for the page",
		Long: `The running daemon serves a page at web.listen, on which people look, drop and approve. Who can log in, and
what they may do, stands in the config under web.users. password makes what is written there.`,
		Example:     "  gondola web password\n  gondola web password --bare",
		Annotations: codes(),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unknown %q", args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newWebPasswordCommand(a))
	return c
}

func newWebPasswordCommand(a *app) *cobra.Command {
	var bare bool
	c := &cobra.Command{
		Use:   "password",
		Short: "Ask for a password, and print what the config keeps of it",
		Long: `Reads a password, twice from a terminal, which does not show it, else from the first line of its input, and
prints its argon2id hash as the line for web.users. Nobody can read the password from that; write it into the
config, or with --bare into a file that the config refers to. It needs no config, and changes nothing.`,
		Example:     "  gondola web password\n  gondola web password --bare",
		Args:        cobra.NoArgs,
		Annotations: codes(),
		RunE:        func(c *cobra.Command, _ []string) error { return a.webPassword(c.Context(), bare) },
	}
	c.Flags().BoolVar(&bare, "bare", false, "print the hash alone, for a file")
	return c
}

// passwordHash is what web password --json prints.
type passwordHash struct {
	Hash string `json:"hash"`
}

func (a *app) webPassword(ctx context.Context, bare bool) error {
	password, err := a.readPassword(ctx)
	if err != nil {
		return err
	}
	hash, err := daemon.HashPassword(password)
	if err != nil {
		return usagef("%w", err)
	}
	switch {
	case a.JSON:
		return a.printJSON(passwordHash{hash})
	case bare:
		a.printf("%s\n", hash)
	default:
		a.printf("password: '%s'\n", hash) // quoted, because it has commas
	}
	return nil
}

// readPassword reads a password from a terminal, or the first line of the input.
func (a *app) readPassword(ctx context.Context) (string, error) {
	if f, ok := a.Stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		first, err := a.askPassword(ctx, f, "Password: ")
		if err != nil {
			return "", err
		}
		again, err := a.askPassword(ctx, f, "Once more: ")
		if err == nil && first != again {
			err = usagef("the two are not the same; nothing was made")
		}
		return first, err
	}
	line, err := bufio.NewReader(io.LimitReader(a.Stdin, maxPasswordLine)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read password: %w", err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), nil
}

// maxPasswordLine is more than any password that is taken.
const maxPasswordLine = 4 << 10

// askPassword reads a line that the terminal does not show. Who breaks off gets their terminal back as it was.
func (a *app) askPassword(ctx context.Context, f *os.File, prompt string) (string, error) {
	before, err := term.GetState(int(f.Fd()))
	if err != nil {
		return "", fmt.Errorf("ask for the password: %w", err)
	}
	_, _ = fmt.Fprint(a.Stderr, prompt)
	type read struct {
		text []byte
		err  error
	}
	done := make(chan read, 1)
	go func() {
		text, err := term.ReadPassword(int(f.Fd()))
		done <- read{text, err}
	}()
	defer func() { _, _ = fmt.Fprintln(a.Stderr) }()
	select {
	case r := <-done:
		if r.err != nil {
			return "", fmt.Errorf("read password: %w", r.err)
		}
		return string(r.text), nil
	case <-ctx.Done():
		_ = term.Restore(int(f.Fd()), before)
		return "", context.Cause(ctx)
	}
}
