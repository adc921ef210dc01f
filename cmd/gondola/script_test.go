package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write the help goldens and the scripts' expected files anew; read the difference before keeping it")

// TestMain lets the test binary be gondola too, so that scripts run the program as it is, in a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gondola": main})
}

// TestScripts drives the command line. Besides the usual commands the scripts have:
//
//	code N COMMAND...            the command ends with this exit code
//	until PATTERN COMMAND...     the command is run again and again until its output matches
//	platform ARGS...             gondola sandbox runs in the background; HOST, PORT, HOSTKEY, PLATFORM (its home), REST and the tokens are set
//	noplatform                   it is told to end, and must end well
//	fill FILE                    replaces $HOST and its like in a file
//	damage FOLDER                a byte of a file below it is another one
//	moment NAME                  a variable is set to the time that it is
//
// The variable SAMPLES is the repository's testdata, for what a script can't hold.
func TestScripts(t *testing.T) { testscript.Run(t, scriptParams(t)) }

// scriptParams returns how scripts run, those of testdata and those that tests make.
func scriptParams(t *testing.T) testscript.Params {
	t.Helper()
	samples, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	return testscript.Params{
		Dir: "testdata", UpdateScripts: *update, RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PASSWORD", "invented for the scripts")
			env.Setenv("SAMPLES", samples)
			env.Values[platformKey{}] = &running{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": scriptCode, "until": scriptUntil, "platform": scriptPlatform, "noplatform": scriptNoPlatform, "fill": scriptFill,
			"moment": scriptMoment, "damage": scriptDamage,
		},
	}
}

func scriptCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func scriptUntil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until PATTERN COMMAND...")
	}
	pattern, err := regexp.Compile(args[0])
	ts.Check(err)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		err := ts.Exec(args[1], args[2:]...)
		if pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("no %q in the output within half a minute (%v)", pattern, err)
		}
	}
}

// platformKey is where a script keeps its sandbox between commands.
type platformKey struct{}

func scriptPlatform(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: platform ARGS...")
	}
	home := ts.MkAbs("platform")
	cmd := exec.Command(filepath.Join(binFolder(ts), "gondola"), append([]string{"sandbox", "--json", "--dir", home}, args...)...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "GONDOLA_SFTP_PASSWORD=" + ts.Getenv("PASSWORD")}
	for _, name := range []string{tokenCatalogVar, tokenPromotionsVar, tokenOrdersVar} {
		ts.Setenv(name, "invented-for-the-scripts-"+name)
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	cmd.Stderr = io.Discard
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		_ = cmd.Process.Kill() // nothing to do where noplatform has ended it
		_ = cmd.Wait()
	})
	var facts sandboxed
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&facts); err != nil {
		ts.Fatalf("the sandbox says nothing: %v", err)
	}
	if facts.Password != "" {
		ts.Fatalf("the sandbox made up a password though there is one")
	}
	ts.Setenv("HOST", facts.Host)
	ts.Setenv("PORT", strconv.Itoa(facts.Port))
	ts.Setenv("HOSTKEY", facts.HostKey)
	ts.Setenv("PLATFORM", facts.Home)
	ts.Setenv("PAGE", facts.Page)
	ts.Setenv("REST", facts.REST)
	ts.Value(platformKey{}).(*running).cmd = cmd
}

// running holds the sandbox of a script.
type running struct{ cmd *exec.Cmd }

func scriptNoPlatform(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: noplatform")
	}
	cmd := ts.Value(platformKey{}).(*running).cmd
	ts.Check(cmd.Process.Signal(syscall.SIGTERM))
	if err := cmd.Wait(); err != nil {
		ts.Fatalf("the sandbox ended badly: %v", err)
	}
	if conn, err := net.Dial("tcp", net.JoinHostPort(ts.Getenv("HOST"), ts.Getenv("PORT"))); err == nil {
		_ = conn.Close()
		ts.Fatalf("the sandbox still listens")
	}
}

func scriptFill(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: fill FILE")
	}
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

func scriptMoment(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: moment NAME")
	}
	ts.Setenv(args[0], time.Now().UTC().Format(time.RFC3339Nano))
}

func scriptDamage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: damage FOLDER")
	}
	done := false
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || done {
			return err
		}
		done = true
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		data[len(data)/2] ^= 1
		return os.WriteFile(path, data, 0o600)
	}))
	if !done {
		ts.Fatalf("no file below %s", args[0])
	}
}

// binFolder returns where testscript put the program.
func binFolder(ts *testscript.TestScript) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if _, err := os.Stat(filepath.Join(dir, "gondola")); err == nil {
			return dir
		}
	}
	ts.Fatalf("no gondola in PATH")
	return ""
}
