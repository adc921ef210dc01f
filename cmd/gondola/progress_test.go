package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gondola/internal/daemon"
)

// screen returns what a terminal shows of what was written to it: lines, without the blanks at their ends.
func screen(text string) string {
	var lines []string
	var line []rune
	at := 0
	for _, r := range text {
		switch r {
		case '\r':
			at = 0
		case '\n':
			lines, line, at = append(lines, strings.TrimRight(string(line), " ")), nil, 0
		default:
			if at == len(line) {
				line = append(line, r)
			} else {
				line[at] = r
			}
			at++
		}
	}
	return strings.Join(append(lines, strings.TrimRight(string(line), " ")), "\n")
}

// TestProgress follows a command's line: none within a second, then what is done and how far, taken away before anything else is said,
// and gone for good once the result is written.
func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tty bytes.Buffer
		p := newProgress(&tty, "verify", func() int { return 50 })
		defer p.end()
		stdout, stderr := &overProgress{p, &tty, true}, &overProgress{p, &tty, false}
		want := func(text string) {
			t.Helper()
			synctest.Wait()
			p.mu.Lock()
			defer p.mu.Unlock()
			if got := screen(tty.String()); got != text {
				t.Fatalf("the terminal shows\n%q, want\n%q", got, text)
			}
		}
		p.counted(daemon.Work{Doing: "reading files", Done: 1, Total: 4})
		time.Sleep(progressAfter - time.Millisecond)
		want("")
		time.Sleep(2 * time.Millisecond)
		want("verify: reading files, 1 of 4 (25 %), 1s")
		time.Sleep(time.Second)
		want("verify: reading files, 1 of 4 (25 %), 2s")
		fmt.Fprintln(stderr, "a line of the log")
		want("a line of the log\n")
		p.heard(daemon.Event{Kind: daemon.EventTaken, Name: "precios \x1b[31m muy largos de todos los locales.csv"})
		time.Sleep(progressEvery)
		want("a line of the log\nverify: drop taken: precios  [31m muy largos de t")
		p.counted(daemon.Work{Doing: "packing"})
		time.Sleep(progressEvery)
		want("a line of the log\nverify: packing, 2s")
		fmt.Fprintln(stdout, "a result")
		want("a line of the log\na result\n")
		time.Sleep(3 * time.Second)
		want("a line of the log\na result\n")
	})
}

// TestProgressIsForTerminals has none where nobody looks: what a program or a file gets is the same with and without it.
func TestProgressIsForTerminals(t *testing.T) {
	a := &app{Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}}
	defer a.showProgress(newVerifyCommand(a))()
	if a.shows != nil {
		t.Error("a line where there is no terminal")
	}
	a.shows.say("nobody hears this")
	a.shows.counted(daemon.Work{})
	a.shows.heard(daemon.Event{})
}

// onTerminal runs a command line of gondola on a terminal and returns what it writes there.
func onTerminal(t *testing.T, line string, env ...string) string {
	t.Helper()
	script, err := exec.LookPath("script")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("script(1) is missing; .ci/run installs it")
		}
		t.Skip("no script(1) here (Debian's package bsdutils), which has terminals")
	}
	// The test binary is gondola, too, when it is called so: see TestMain.
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(t.TempDir(), "gondola")
	if err := os.Symlink(program, bin); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, script, "-qec", bin+" "+line, "/dev/null")
	cmd.Env = append(os.Environ(), append([]string{"TERM=xterm", "NO_COLOR=", "LANG=C.UTF-8"}, env...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Logf("%s: %v", line, err)
	}
	return string(out)
}

// TestColour has a terminal that is coloured, and the two ways to say no.
func TestColour(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yaml")
	// One warning is logged: the secret stands in the file.
	text := `chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Montevideo}
vendors: [{id: "290056"}]
state: {dir: /dev/null/state}
sftp: {host: 127.0.0.1, port: 9, user: someone, password: invented, host_keys: ["SHA256:q3VJm0XyT5ZkL8r1WcN7bHfE2uAoPdSiG6RtY9xKvBw"]}
feeds: [{name: precios, drop: drop, vendor: all}]
`
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		env  string
		want bool
	}{{"NO_COLOR=", true}, {"NO_COLOR=1", false}, {"NO_COLOR=0", false}, {"TERM=dumb", false}} {
		out := onTerminal(t, "run --config "+config, tt.env)
		if !strings.Contains(out, "inline secret") {
			t.Fatalf("%s: no warning:\n%s", tt.env, out)
		}
		if got := strings.Contains(out, "\x1b["); got != tt.want {
			t.Errorf("%s: coloured is %v, want %v:\n%q", tt.env, got, tt.want, out)
		}
	}
}
