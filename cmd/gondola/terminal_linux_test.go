package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is a pseudo-terminal with gondola on it, and a person before it.
type terminal struct {
	t      *testing.T
	master *os.File
	cmd    *exec.Cmd
	ended  chan error

	mu   sync.Mutex // guards what follows
	said bytes.Buffer
	seen int // how much of it was waited for
}

// newTerminal starts a command line of gondola on a terminal of its own.
func newTerminal(t *testing.T, dir string, env []string, args ...string) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 50, Col: 160}); err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The test binary is gondola, too, when it is called so: see TestMain.
	bin := filepath.Join(t.TempDir(), "gondola")
	if err := os.Symlink(program, bin); err != nil {
		t.Fatal(err)
	}
	x := &terminal{t: t, master: master, cmd: exec.Command(bin, args...), ended: make(chan error, 1)}
	x.cmd.Dir, x.cmd.Env = dir, append(append(os.Environ(), "TERM=xterm", "LANG=C.UTF-8", "TZ=UTC"), env...)
	x.cmd.Stdin, x.cmd.Stdout, x.cmd.Stderr = slave, slave, slave
	x.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := x.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = slave.Close()
	read := make(chan struct{})
	go func() {
		defer close(read)
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf) // EIO once nobody has the other end
			x.mu.Lock()
			x.said.Write(buf[:n])
			x.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	go func() {
		err := x.cmd.Wait()
		<-read
		x.ended <- err
	}()
	t.Cleanup(func() {
		_ = x.cmd.Process.Kill() // nothing to do where it has ended
		_ = master.Close()
	})
	return x
}

// controls are what a terminal draws with.
var controls = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]")

// text returns what was said so far, as lines.
func (x *terminal) text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return strings.ReplaceAll(controls.ReplaceAllString(x.said.String(), ""), "\r", "")
}

// expect waits until the terminal shows a text behind all that was expected before.
func (x *terminal) expect(text string) {
	x.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		shown := x.text()
		if at := strings.Index(shown[x.seen:], text); at >= 0 {
			x.seen += at + len(text)
			return
		}
		if time.Now().After(deadline) {
			x.t.Fatalf("the terminal does not show %q:\n%s", text, shown)
		}
	}
}

// answer waits for a question and types an answer.
func (x *terminal) answer(question, answer string) {
	x.t.Helper()
	x.expect(question)
	x.send(answer + "\r")
}

// send types.
func (x *terminal) send(keys string) {
	x.t.Helper()
	if _, err := x.master.WriteString(keys); err != nil {
		x.t.Fatal(err)
	}
}

// end waits for the program's end and returns its exit code.
func (x *terminal) end() int {
	x.t.Helper()
	select {
	case <-x.ended:
	case <-time.After(time.Minute):
		x.t.Fatalf("gondola does not end:\n%s", x.text())
	}
	return x.cmd.ProcessState.ExitCode()
}
