package drop

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// house is a Taker that keeps what it was given, as a database would: it survives the watchers that a test stops.
type house struct {
	seq       int64
	committed map[int64]string // bytes by number
	order     []string         // "<name> <bytes>" as committed
	claims    []Claim

	onSeq    func() // before a number is given out
	seqErr   error
	takeErr  error             // Take fails before it commits
	lostErr  error             // Take commits, and fails then
	rejected func(string) bool // by name
}

func (h *house) NextSeq(context.Context) (int64, error) {
	if h.onSeq != nil {
		h.onSeq()
	}
	if h.seqErr != nil {
		return 0, h.seqErr
	}
	h.seq++
	return h.seq, nil
}

func (h *house) Known(_ context.Context, seq int64) (Verdict, bool, error) {
	_, ok := h.committed[seq]
	if h.rejected != nil && h.rejected("") {
		return Rejected, ok, nil
	}
	return Read, ok, nil
}

func (h *house) Take(_ context.Context, c Claim) (Verdict, error) {
	if h.takeErr != nil {
		return Read, h.takeErr
	}
	data, err := os.ReadFile(c.Archived)
	if err != nil {
		return Read, err
	}
	if _, twice := h.committed[c.Seq]; twice {
		return Read, fmt.Errorf("number %d twice", c.Seq)
	}
	h.committed[c.Seq] = string(data)
	h.claims = append(h.claims, c)
	h.order = append(h.order, c.Name+" "+strings.TrimRight(string(data), "\n"))
	if h.lostErr != nil {
		return Read, h.lostErr
	}
	if h.rejected != nil && h.rejected(c.Name) {
		return Rejected, nil
	}
	return Read, nil
}

// bench is a folder on a real disk under a clock that the test moves.
type bench struct {
	t    testing.TB
	dir  string
	f    Folder
	now  time.Time
	h    *house
	w    *Watcher
	logs *bytes.Buffer
}

func newBench(t testing.TB, change ...func(*Folder)) *bench {
	t.Helper()
	b := &bench{
		t: t, dir: filepath.Join(t.TempDir(), "precios"), now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC),
		h: &house{committed: map[int64]string{}}, logs: &bytes.Buffer{},
	}
	b.f = Folder{
		Path: b.dir, Match: []string{"*.csv", "*.XLSX"}, Archive: filepath.Join(t.TempDir(), "archive"), Rejected: "rechazados",
		Answers: "respuestas", AnswerSuffixes: []string{".resposta.txt", ".respuesta.txt"}, Complete: endsLine, Now: func() time.Time { return b.now },
	}
	for _, c := range change {
		c(&b.f)
	}
	if err := os.MkdirAll(b.dir, 0o750); err != nil {
		t.Fatal(err)
	}
	b.restart()
	return b
}

func endsLine(path string) (bool, error) {
	data, err := os.ReadFile(path)
	return bytes.HasSuffix(data, []byte("\n")), err
}

// restart forgets the watcher as a crash would, and starts another one.
func (b *bench) restart() {
	b.t.Helper()
	w, err := New(b.f, b.h, slog.New(slog.NewTextHandler(b.logs, nil)))
	if err != nil {
		b.t.Fatal(err)
	}
	b.w = w
}

// pass lets time pass, with a look every glance.
func (b *bench) pass(d time.Duration) {
	b.t.Helper()
	for end := b.now.Add(d); b.now.Before(end); {
		b.w.look(context.Background())
		b.now = b.now.Add(glance)
	}
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

// write makes a file with a time of its own: two writes within one tick of the disk's clock must not look alike.
func (b *bench) write(name, text string) {
	b.t.Helper()
	if err := os.WriteFile(b.path(name), []byte(text), 0o640); err != nil {
		b.t.Fatal(err)
	}
	b.touch(name)
}

func (b *bench) add(name, text string) {
	b.t.Helper()
	f, err := os.OpenFile(b.path(name), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		b.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.touch(name)
}

func (b *bench) touch(name string) {
	b.t.Helper()
	if err := os.Chtimes(b.path(name), b.now, b.now); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) rename(from, to string) {
	b.t.Helper()
	if err := os.Rename(b.path(from), b.path(to)); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) remove(name string) {
	b.t.Helper()
	if err := os.Remove(b.path(name)); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) wantTaken(want ...string) {
	b.t.Helper()
	if diff := cmp.Diff(want, b.h.order); diff != "" {
		b.t.Errorf("taken (-want +got):\n%s", diff)
	}
}

// wantWaiting compares "<name>: <reason>" lines of the status.
func (b *bench) wantWaiting(want ...string) {
	b.t.Helper()
	var got []string
	for _, x := range b.w.Status().Waiting {
		got = append(got, x.Name+": "+string(x.Reason))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		b.t.Errorf("waiting (-want +got):\n%s", diff)
	}
}

// wantWork compares the names in the work folder.
func (b *bench) wantWork(want ...string) {
	b.t.Helper()
	if diff := cmp.Diff(want, names(b.t, b.path(workDir))); diff != "" {
		b.t.Errorf("work (-want +got):\n%s", diff)
	}
}

func names(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	return got
}

func TestDropIsTakenArchivedAndGone(t *testing.T) {
	b := newBench(t)
	b.write("precios.csv", "sku;price\n1;10\n")
	seen := b.now
	b.pass(DefaultSettle)
	b.wantTaken()
	b.pass(glance)
	b.wantTaken("precios.csv sku;price\n1;10")
	b.wantWork()
	got := b.h.claims[0]
	want := Claim{
		Seq: 1, Name: "precios.csv", Work: b.path(filepath.Join(workDir, "1-precios.csv")),
		Archived: filepath.Join(b.f.Archive, "2026-11-21", "1-precios.csv"), Size: 15,
		SHA256:  fmt.Sprintf("%x", sha256.Sum256([]byte("sku;price\n1;10\n"))),
		ModTime: seen, FirstSeen: seen, Owner: got.Owner,
	}
	got.ModTime = got.ModTime.UTC()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("claim (-want +got):\n%s", diff)
	}
	if _, err := os.Stat(b.path("precios.csv")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
	if diff := cmp.Diff([]string{"1-precios.csv"}, names(t, filepath.Dir(got.Archived))); diff != "" {
		t.Errorf("archive (-want +got):\n%s", diff)
	}
	// The same bytes under the same name again are another drop.
	b.write("precios.csv", "sku;price\n1;10\n")
	b.pass(3 * time.Second)
	if len(b.h.order) != 2 {
		t.Errorf("the second drop was not taken: %q", b.h.order)
	}
}

func TestRejectedDropIsPutAside(t *testing.T) {
	b := newBench(t)
	b.h.rejected = func(name string) bool { return strings.HasPrefix(name, "malo") }
	b.write("malo.csv", "?\n")
	b.write("ok.csv", "1\n")
	b.pass(3 * time.Second)
	b.wantWork()
	if diff := cmp.Diff([]string{"1-malo.csv"}, names(t, b.path("rechazados"))); diff != "" {
		t.Errorf("quarantine (-want +got):\n%s", diff)
	}
	b.pass(time.Minute)
	b.wantTaken("malo.csv ?", "ok.csv 1") // nothing in the quarantine is taken again
}

func TestWhatIsNotADropIsLeftAlone(t *testing.T) {
	b := newBench(t, func(f *Folder) { f.Match = nil })
	for _, name := range []string{
		".hidden.csv", "~$precios.xlsx", "a.csv.tmp", "a.CSV.TMP", "a.part", "a.partial", "a.csv.crdownload", ".a.csv.swp", "a.swp",
		".~lock.precios.ods#", "Thumbs.db", "THUMBS.DB", "desktop.ini", "precios.csv.respuesta.txt", "precios.csv.RESPUESTA.TXT",
		"precios.csv.resposta.txt",
	} {
		b.write(name, "1\n")
	}
	for _, dir := range []string{"respuestas", "rechazados", "backup.csv"} {
		if err := os.Mkdir(b.path(dir), 0o750); err != nil {
			t.Fatal(err)
		}
		b.write(filepath.Join(dir, "x.csv"), "1\n")
	}
	b.pass(2 * time.Minute)
	b.wantTaken()
	b.wantWaiting("backup.csv: " + string(SubFolder))
}

// A guide that we put there is no drop, whatever the patterns say, and nobody is told that no feed takes it. Another page is.
func TestGuideIsLeftAlone(t *testing.T) {
	for _, match := range [][]string{nil, {"*.html"}, {"*.csv"}} {
		b := newBench(t, func(f *Folder) { f.Match, f.Guides = match, []string{"LEEME.html", "README.html"} })
		for _, name := range []string{"LEEME.html", "readme.HTML", "NO LEEME.html"} {
			b.write(name, "<p>1</p>\n")
		}
		b.pass(2 * time.Minute)
		if match != nil && match[0] == "*.csv" {
			b.wantTaken()
			b.wantWaiting("NO LEEME.html: " + string(Unmatched))
		} else {
			b.wantTaken("NO LEEME.html <p>1</p>")
			b.wantWaiting()
		}
		if _, err := os.Stat(b.path("LEEME.html")); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(b.path("rechazados")); err == nil {
			t.Error("something was put aside")
		}
	}
}

func TestStatusNamesWhatIsNeverTaken(t *testing.T) {
	b := newBench(t)
	b.write("lista.pdf", "x")
	outside := filepath.Join(t.TempDir(), "secret.csv")
	if err := os.WriteFile(outside, []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, b.path("link.csv")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if info, err := os.Lstat(b.path("link.csv")); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Skip("a symbolic link does not look like one here: wine's don't")
	}
	b.pass(glance)
	b.write(filepath.Join(workDir, "mine.csv"), "1\n")
	b.pass(2 * time.Minute)
	b.wantTaken()
	b.wantWaiting(
		filepath.Join(workDir, "mine.csv")+": "+string(Stranger), "link.csv: "+string(Symlink), "lista.pdf: "+string(Unmatched))
}

func TestTakes(t *testing.T) {
	for _, c := range []struct {
		patterns, name string
		want           bool
	}{
		{"", "anything", true},
		{"*.csv", "PRECIOS.CSV", true},
		{"*.XLSX", "precios.xlsx", true},
		{"stock_??.csv *.txt", "stock_01.csv", true},
		{"stock_??.csv *.txt", "stock_1.csv", false},
		{"[a-c]*.csv", "B1.csv", true},
		{"año*.csv", "AÑO 2026.csv", true},
		{"*.csv", "caf\xe9.csv", true},
		{"*.csv", "a.csv.bak", false},
	} {
		if got := Takes(strings.Fields(c.patterns), c.name); got != c.want {
			t.Errorf("%q %q: %v", c.patterns, c.name, got)
		}
	}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("ñ", 120) + ".csv" // 244 bytes, more than fits behind a number
	for name, archived := range map[string]string{
		"Precios Año 2026 (última).csv": "1-Precios Año 2026 (última).csv",
		"1-2-3.csv":                     "1-1-2-3.csv",
		"-.csv":                         "1--.csv",
		"caf\xe9.csv":                   "1-caf_.csv",
		"a\nb\x1b[31m.csv":              "1-a_b_[31m.csv",
		`a:b*c?"<>|\.csv`:               "1-a_b_c______.csv",
		"UPPER.CSV":                     "1-UPPER.CSV",
		long:                            "1-" + strings.Repeat("ñ", 113) + ".csv",
	} {
		t.Run(archived, func(t *testing.T) {
			if runtime.GOOS == "windows" && !utf8.ValidString(name) {
				t.Skip("names are text on Windows")
			}
			b := newBench(t)
			if err := os.WriteFile(b.path(name), []byte("1\n"), 0o600); err != nil {
				t.Skip("this disk has no such names:", err)
			}
			b.h.takeErr = errors.New("stopped before the commit")
			b.pass(3 * time.Second)
			b.restart() // the name must come back from the work folder
			b.h.takeErr = nil
			b.pass(3 * time.Second)
			if len(b.h.claims) != 1 {
				t.Fatalf("taken %d times", len(b.h.claims))
			}
			if got := filepath.Base(b.h.claims[0].Archived); got != archived {
				t.Errorf("archived as %q, want %q", got, archived)
			}
			if name != long && b.h.claims[0].Name != name {
				t.Errorf("name %q, want %q", b.h.claims[0].Name, name)
			}
			b.wantWork()
		})
	}
}

func TestNewRefusesAFolderThatMakesNoSense(t *testing.T) {
	for name, change := range map[string]func(*Folder){
		"no path":           func(f *Folder) { f.Path = "" },
		"no archive":        func(f *Folder) { f.Archive = "" },
		"no quarantine":     func(f *Folder) { f.Rejected = "" },
		"quarantine is out": func(f *Folder) { f.Rejected = "../x" },
		"answers are deep":  func(f *Folder) { f.Answers = "a/b" },
		"broken pattern":    func(f *Folder) { f.Match = []string{"[*.csv"} },
	} {
		t.Run(name, func(t *testing.T) {
			f := newBench(t).f
			change(&f)
			if _, err := New(f, &house{}, slog.New(slog.DiscardHandler)); err == nil {
				t.Error("taken")
			}
		})
	}
}

func TestManyFilesAreOpenedOnceEach(t *testing.T) {
	opened := map[string]int{}
	b := newBench(t, func(f *Folder) {
		f.Complete = func(path string) (bool, error) {
			opened[filepath.Base(path)]++
			return false, nil // so that they wait for Quiet, looked at again and again
		}
	})
	const n = 1000
	for i := range n {
		b.write(fmt.Sprintf("%04d.csv", i), "1")
	}
	b.pass(DefaultQuiet - time.Second)
	if len(opened) != n {
		t.Errorf("%d files opened, want %d", len(opened), n)
	}
	for name, times := range opened {
		if times != 1 {
			t.Fatalf("%s opened %d times", name, times)
		}
	}
	if got := len(b.w.Status().Waiting); got != n {
		t.Errorf("%d wait, want %d", got, n)
	}
}

func FuzzNumbered(f *testing.F) {
	for _, s := range []string{"1-a.csv", "01-a", "-1-a", "1-", "9223372036854775808-a", "+1-a", "a", "1--", "7-\xff\x00/\\.. "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if seq, rest, ok := parseNumbered(s); ok && numbered(seq, rest) != s {
			t.Errorf("%q became %q", s, numbered(seq, rest))
		}
		if short := shortName(s); len(short) > maxName || (len(s) <= maxName && short != s) {
			t.Errorf("%q shortened to %q", s, short)
		}
		safe := archiveName(s)
		if s != "" && (strings.ContainsAny(safe, "/\\\x00\n") || strings.HasSuffix(safe, ".") || safe == "") {
			t.Errorf("%q archived as %q", s, safe)
		}
		if archiveName(safe) != safe {
			t.Errorf("%q changes again", safe)
		}
	})
}
