package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// TestManual writes the pages: one of gondola and one of each command. groff finds nothing to warn of.
func TestManual(t *testing.T) {
	dir := t.TempDir()
	if code := run(t.Context(), []string{"man", dir}, nil, os.Stderr, os.Stderr); code != exitDone {
		t.Fatalf("exit code %d", code)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil || len(pages) != len(commands())+1 {
		t.Fatalf("%d pages (%v), want one a command and one of gondola", len(pages), err)
	}
	groff, lookErr := exec.LookPath("groff")
	for _, path := range pages {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH OPTIONS\n"} {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s has no %s", filepath.Base(path), want)
			}
		}
		if lookErr != nil {
			continue
		}
		if out, err := exec.Command(groff, "-man", "-Tutf8", "-K", "utf8", "-ww", "-z", path).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("groff: %v\n%s", err, out)
		}
	}
}

// TestManualPage is what the page of an invented command looks like, with everything in it that the language of pages could misread.
func TestManualPage(t *testing.T) {
	root := &cobra.Command{Use: "tool"}
	c := &cobra.Command{
		Use: "go PATH", Short: "Go there", Long: "Goes to C:\\temp.\n.hidden files stay; --far goes on.\n\n  a table  1\n  'quoted  2\nEnds.",
		Example: "  tool go .ssh --far", Run: func(*cobra.Command, []string) {}, Annotations: codes(),
	}
	c.Flags().Int("far", 3, "`MILES` to go")
	c.Flags().Bool("secret", false, "not told")
	if err := c.Flags().MarkHidden("secret"); err != nil {
		t.Fatal(err)
	}
	root.AddCommand(c)
	got := manualPage(c, version{Version: "v1.2.3", Time: "2026-11-26T08:15:00Z"})
	want := `.TH "TOOL\-GO" "1" "2026\-11\-26" "gondola v1.2.3" "Gondola"
.SH NAME
tool\-go \- go there
.SH SYNOPSIS
\fBtool go PATH [flags]\fR
.SH DESCRIPTION
Goes to C:\etemp.
\&.hidden files stay; \-\-far goes on.
.PP
.PP
.nf
  a table  1
  'quoted  2
.fi
Ends.
.SH OPTIONS
.TP
\fB\-\-far\fR \fIMILES\fR
MILES to go (default 3)
.TP
\fB\-h\fR, \fB\-\-help\fR
help for go
.SH EXAMPLES
.nf
tool go .ssh \-\-far
.fi
.SH EXIT STATUS
.TP
\fB0\fR
done
.TP
\fB1\fR
something went wrong on this machine
.TP
\fB2\fR
wrong command line or config
.SH ENVIRONMENT
.TP
\fBGONDOLA_CONFIG\fR
path of the config where --config is not given
.TP
\fBNO_COLOR\fR
with any value but an empty one nothing is coloured
.SH SEE ALSO
\fBgondola\fR(1)
`
	if diff := cmp.Diff(strings.Replace(want, "where --config", `where \-\-config`, 1), got); diff != "" {
		t.Errorf("page (-want +got):\n%s", diff)
	}
}
