package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// commands returns the commands that users see, by name.
func commands() map[string]*cobra.Command {
	all := map[string]*cobra.Command{}
	for _, c := range newRoot(&app{}).Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" {
			all[c.Name()] = c
		}
	}
	return all
}

// TestHelp compares what each command says of itself with testdata/help.
func TestHelp(t *testing.T) {
	names := []string{""}
	for name := range commands() {
		names = append(names, name)
	}
	for _, name := range names {
		t.Run("gondola "+name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), append(strings.Fields(name), "--help"), nil, &stdout, &stderr); code != exitDone || stderr.Len() > 0 {
				t.Fatalf("exit code %d, %s", code, stderr.String())
			}
			golden := filepath.Join("testdata", "help", "gondola"+strings.TrimSuffix("-"+name, "-")+".golden")
			if *update {
				if err := os.WriteFile(golden, stdout.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), stdout.String()); diff != "" {
				t.Errorf("help of gondola %s (-want +got):\n%s", name, diff)
			}
		})
	}
}

// TestHelpIsComplete holds every command to what a newcomer needs: what it does, an example that works, and its exit codes.
func TestHelpIsComplete(t *testing.T) {
	for name, c := range commands() {
		if c.Short == "" || c.Long == "" {
			t.Errorf("gondola %s does not say what it does", name)
		}
		if c.Annotations[codesKey] == "" {
			t.Errorf("gondola %s does not name its exit codes", name)
		}
		if name == "completion" {
			continue // the library's, whose examples are in the help of each shell
		}
		if c.Example == "" {
			t.Errorf("gondola %s has no example", name)
		}
		for line := range strings.Lines(c.Example) {
			if problem := parses(strings.TrimSpace(line)); problem != "" {
				t.Errorf("example of gondola %s: %s", name, problem)
			}
		}
	}
}

// TestHelpHasNoLeftovers finds goldens of commands that are gone.
func TestHelpHasNoLeftovers(t *testing.T) {
	goldens, err := filepath.Glob("testdata/help/*.golden")
	if err != nil {
		t.Fatal(err)
	}
	if want := len(commands()) + 1; len(goldens) != want {
		t.Errorf("%d files in testdata/help, want %d: one a command and one for gondola itself", len(goldens), want)
	}
}
