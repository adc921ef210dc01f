package main

import (
	"bufio"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gondola/internal/sandbox"
)

// TestOrderOnDisk reads from the system calls of the real program that every file is on the disk, and so is its name, before the database
// names it: written, flushed, closed, renamed, the folder flushed, in this order, and only then the row, and its flush.
func TestOrderOnDisk(t *testing.T) {
	strace := findStrace(t)
	binary := buildBinary(t)
	dir, err := filepath.EvalSymlinks(t.TempDir()) // the trace has the paths that the kernel knows
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GONDOLA_CRASH_PASSWORD", crashPassword)
	platform, err := sandbox.Start(t.Context(), sandbox.Options{
		Dir: t.TempDir(), User: "gondola", Password: crashPassword, Vendors: []sandbox.Vendor{{ID: "s1"}, {ID: "s2"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = platform.Close() })
	w := &crashWorld{T: t, binary: binary, dir: dir, platform: platform}
	for _, folder := range []string{"full", "partial", "promos"} {
		if err := os.MkdirAll(filepath.Join(dir, "drop", folder), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	w.configure()
	trace := filepath.Join(t.TempDir(), "trace")
	for _, step := range []struct{ name, text string }{
		{"full/todo.csv", crashExport(0, crashArticles)},
		{"partial/errores.csv", "tienda;sku;precio\ns1;A04;260,50\ns1;A05;dos mil\n"},
		{"partial/carta.csv", "Estimado cliente: no hay datos hoy.\n"},
	} {
		w.put(step.name, []byte(step.text))
		c := exec.CommandContext(context.Background(), strace, "-f", "-y", "-s", "6000", "-A", "-o", trace,
			"-e", "trace=openat,write,writev,pwrite64,fsync,fdatasync,close,rename,renameat,renameat2",
			binary, "once", "--config", filepath.Join(dir, "config.yaml"))
		if out, err := c.CombinedOutput(); c.ProcessState.ExitCode() == exitError || c.ProcessState.ExitCode() == exitRemote {
			t.Fatalf("gondola once: %v\n%s", err, out)
		}
	}
	d := newDiskOrder(t, dir, w.read(trace))
	d.checkFiles()
	d.checkClaims(3)
}

// findStrace returns the program that shows system calls. Where CI lacks it the test fails: it would be skipped for ever. Where the
// machine forbids one process to trace another there is nothing to be done.
func findStrace(t *testing.T) string {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal("strace is missing; .ci/run installs it")
	} else if err != nil {
		t.Skip("strace is not installed")
	}
	out, err := exec.Command(strace, "-o", os.DevNull, "true").CombinedOutput()
	switch {
	case err == nil:
		return strace
	case strings.Contains(string(out), "Operation not permitted"), strings.Contains(string(out), "Permission denied"):
		t.Skipf("this machine forbids tracing: %s", out)
	}
	t.Fatalf("strace true: %v\n%s", err, out)
	return ""
}

// diskCall is a system call, in the order in which they ended.
type diskCall struct {
	name string
	args string
	path string // of the file descriptor that it is about, or of the file that was opened
}

// diskOrder is what the program did with files.
type diskOrder struct {
	*testing.T
	dir   string
	calls []diskCall
}

var (
	callLine   = regexp.MustCompile(`^(\d+) +(\w+)\((.*)$`)
	resumeLine = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>(.*)$`)
	fdPath     = regexp.MustCompile(`^\d+<([^>]*)>`)
	opened     = regexp.MustCompile(` = \d+<([^>]*)>$`)
	renamed    = regexp.MustCompile(`^(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"([^"]*)", (?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"([^"]*)"`)
)

func newDiskOrder(t *testing.T, dir, trace string) *diskOrder {
	d := &diskOrder{T: t, dir: dir}
	begun := map[string]string{} // by process: the first half of a call that others ran beside
	lines := bufio.NewScanner(strings.NewReader(trace))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if m := resumeLine.FindStringSubmatch(line); m != nil {
			line = begun[m[1]] + m[3]
			delete(begun, m[1])
		} else if half, ok := strings.CutSuffix(line, " <unfinished ...>"); ok {
			begun[strings.Fields(line)[0]] = half
			continue
		}
		m := callLine.FindStringSubmatch(line)
		if m == nil || strings.Contains(m[3], ") = -1 ") {
			continue // a signal, an exit, a call that failed
		}
		c := diskCall{name: m[2], args: m[3]}
		if p := fdPath.FindStringSubmatch(c.args); p != nil && c.name != "openat" {
			c.path = strings.TrimSuffix(p[1], " (deleted)")
		} else if p := opened.FindStringSubmatch(c.args); p != nil {
			c.path = p[1]
		}
		d.calls = append(d.calls, c)
	}
	if len(d.calls) < 100 || lines.Err() != nil {
		t.Fatalf("only %d calls in the trace (%v)", len(d.calls), lines.Err())
	}
	return d
}

// names returns what a rename renames.
func (c diskCall) names() (from, to string, ok bool) {
	m := renamed.FindStringSubmatch(c.args)
	if !strings.HasPrefix(c.name, "rename") || m == nil {
		return "", "", false
	}
	at := func(dir, name string) string {
		if filepath.IsAbs(name) {
			return name
		}
		return filepath.Join(dir, name)
	}
	return at(m[1], m[2]), at(m[3], m[4]), true
}

func (c diskCall) flushes() bool { return c.name == "fsync" || c.name == "fdatasync" }

func (c diskCall) writes() bool {
	return c.name == "write" || c.name == "writev" || c.name == "pwrite64"
}

const walSuffix = "/gondola.db-wal"

// next returns the index of the first call from i on that fits, or the number of calls.
func (d *diskOrder) next(i int, fits func(diskCall) bool) int {
	for ; i < len(d.calls); i++ {
		if fits(d.calls[i]) {
			return i
		}
	}
	return i
}

// last returns the index of the last call before i that fits, or -1.
func (d *diskOrder) last(i int, fits func(diskCall) bool) int {
	for i--; i >= 0; i-- {
		if fits(d.calls[i]) {
			return i
		}
	}
	return -1
}

// checkFiles checks every file that lies where durable ones do.
func (d *diskOrder) checkFiles() {
	kinds := map[string]int{}
	for _, folder := range []string{"state/shelf", "state/documents", "state/archive", "drop"} {
		err := fs.WalkDir(os.DirFS(d.dir), folder, func(name string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() && !strings.Contains(name, "/rechazados/") {
				kinds[folder]++
				d.checkFile(folder, filepath.Join(d.dir, name))
			}
			return err
		})
		if err != nil {
			d.Fatal(err)
		}
	}
	d.Logf("%d calls; files, by where they lie: %v", len(d.calls), kinds)
	for _, folder := range []string{"state/shelf", "state/documents", "state/archive", "drop"} {
		if kinds[folder] < 2 {
			d.Errorf("only %d files in %s: this run shows little", kinds[folder], folder)
		}
	}
}

// checkFile checks how one file came under its name, each time that one did.
func (d *diskOrder) checkFile(folder, file string) {
	times := 0
	for i, c := range d.calls {
		temp, to, ok := c.names()
		if !ok || to != file {
			continue
		}
		times++
		about := func(c diskCall) bool { return c.path == temp }
		created := d.last(i, func(c diskCall) bool { return c.name == "openat" && about(c) && strings.Contains(c.args, "O_EXCL") })
		written := d.last(i, func(c diskCall) bool { return c.writes() && about(c) })
		flushed := d.last(i, func(c diskCall) bool { return c.flushes() && about(c) })
		closed := d.last(i, func(c diskCall) bool { return c.name == "close" && about(c) })
		folderFlushed := d.next(i, func(c diskCall) bool { return c.flushes() && c.path == filepath.Dir(file) })
		// Nothing is put into the database between the rename and the flush of the folder: not even a row about something else, as
		// the program does one thing after the other here.
		row := d.next(i, func(c diskCall) bool { return c.writes() && strings.HasSuffix(c.path, walSuffix) })
		if order := []int{0, created, written, flushed, closed, i, folderFlushed, row}; !slices.IsSorted(order) || folderFlushed == len(d.calls) {
			d.Errorf("%s: created, written, flushed, closed, renamed, folder flushed, database at the calls %v", file, order[1:])
		}
		// The same content is written again, for another store say, though it is there and named.
		if folder != "drop" && times == 1 {
			d.checkNamed(file, folderFlushed)
		}
	}
	if times == 0 {
		d.Errorf("%s came under its name without a rename", file)
	}
}

// checkNamed checks that the first row that names a file comes after the call, and is flushed.
func (d *diskOrder) checkNamed(file string, after int) {
	name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	if len(name) < 32 { // in the archive; the others are named by digest
		name = filepath.Base(file)
	}
	inDatabase := func(c diskCall) bool { return strings.HasSuffix(c.path, walSuffix) }
	first := d.next(0, func(c diskCall) bool { return c.writes() && inDatabase(c) && strings.Contains(c.args, name) })
	flushed := d.next(first, func(c diskCall) bool { return c.flushes() && inDatabase(c) })
	if first <= after || flushed == len(d.calls) {
		d.Errorf("%s: its folder is flushed at call %d, a row names it at %d, which is flushed at %d of %d", file, after, first, flushed, len(d.calls))
	}
}

// checkClaims checks that the claim of a drop is on the disk before a row knows of the drop.
func (d *diskOrder) checkClaims(want int) {
	found := 0
	for i, c := range d.calls {
		from, to, ok := c.names()
		if !ok || !strings.Contains(to, "/.gondola/work/") {
			continue
		}
		found++
		work := d.next(i, func(c diskCall) bool { return c.flushes() && c.path == filepath.Dir(to) })
		folder := d.next(i, func(c diskCall) bool { return c.flushes() && c.path == filepath.Dir(from) })
		row := d.next(0, func(c diskCall) bool {
			return c.writes() && strings.HasSuffix(c.path, walSuffix) && strings.Contains(c.args, "archive/") &&
				strings.Contains(c.args, "/"+filepath.Base(to))
		})
		if max(work, folder) >= row || row == len(d.calls) {
			d.Errorf("claim of %s: its folders are flushed at the calls %d and %d, the row that knows of it is written at %d", from, work, folder, row)
		}
	}
	if found != want {
		d.Errorf("%d claims in the trace, want %d", found, want)
	}
}
