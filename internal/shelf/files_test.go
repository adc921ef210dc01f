package shelf

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/catalog"
	"gondola/internal/durable"
)

// lying lists the files below a folder.
func lying(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			all = append(all, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func priced(key string, price catalog.Money) Record {
	return Record{Key: key, Item: catalog.Item{SKU: key, Set: catalog.Price, Price: price}}
}

func TestFilesAreNamedByTheirDigest(t *testing.T) {
	files := Files{Dir: filepath.Join(t.TempDir(), "state", "shelf")}
	d := write(t, files, table{"a": priced("a", 1), "b": priced("b", 2)})
	b, err := os.ReadFile(files.Path(d))
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(b); string(d) != hex.EncodeToString(sum[:]) {
		t.Errorf("digest %s of a file with SHA-256 %x", d, sum)
	}
	if want := string(d[:2]) + "/" + string(d) + ".tsv"; !cmp.Equal(lying(t, files.Dir), []string{want}) {
		t.Errorf("files = %v, want %s and nothing else", lying(t, files.Dir), want)
	}
	if again := write(t, files, table{"b": priced("b", 2), "a": priced("a", 1)}); again != d || len(lying(t, files.Dir)) != 1 {
		t.Errorf("the same records again = %s and files %v, want %s once", again, lying(t, files.Dir), d)
	}
	if other := write(t, files, table{"a": priced("a", 1)}); other == d || len(lying(t, files.Dir)) != 2 {
		t.Errorf("other records = %s and files %v, want two", other, lying(t, files.Dir))
	}
}

func TestOverlayWithoutAFile(t *testing.T) {
	files := newTestFiles(t)
	keep, gone := write(t, files, table{"a": priced("a", 1)}), write(t, files, table{"a": priced("a", 2)})
	if err := os.Remove(files.Path(gone)); err != nil {
		t.Fatal(err)
	}
	if len(lying(t, files.Dir)) != 1 {
		t.Errorf("files = %v, want the other one", lying(t, files.Dir))
	}
	if got := read(t, files, []Digest{keep}); len(got) != 1 {
		t.Errorf("kept file reads %v", got)
	}
	if _, err := files.Overlay([]Digest{keep, gone}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("overlay with a file that is gone: %v, want fs.ErrNotExist", err)
	}
}

// TestFilesOfAGroup can be read through it at once, and by others once it is durable.
func TestFilesOfAGroup(t *testing.T) {
	files := newTestFiles(t)
	group := &durable.Group{}
	in := files.In(group)
	kept := write(t, files, table{"a": priced("a", 1)})
	below, above := write(t, in, table{"a": priced("a", 2)}), write(t, in, table{"b": priced("b", 3)})
	want := []Record{priced("a", 2), priced("b", 3)}
	stack := []Digest{kept, below, above}
	if diff := cmp.Diff(want, read(t, in, stack)); diff != "" {
		t.Errorf("before (-want +got):\n%s", diff)
	}
	if _, err := files.Overlay(stack); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is not durable has its name: %v", err)
	}
	if err := group.Commit(); err != nil {
		t.Fatal(err)
	}
	for _, f := range []Files{files, in} {
		if diff := cmp.Diff(want, read(t, f, stack)); diff != "" {
			t.Errorf("after (-want +got):\n%s", diff)
		}
	}
}

func TestAbortLeavesNothing(t *testing.T) {
	files := newTestFiles(t)
	w, err := files.Create()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Add(priced("a", 1)); err != nil {
		t.Fatal(err)
	}
	w.Abort()
	if all := lying(t, files.Dir); len(all) != 0 {
		t.Errorf("after Abort: %v", all)
	}
	if _, err := w.Commit(); err == nil {
		t.Error("Commit after Abort succeeded")
	}
	if all := lying(t, files.Dir); len(all) != 0 {
		t.Errorf("after Commit after Abort: %v", all)
	}

	if w, err = files.Create(); err != nil {
		t.Fatal(err)
	}
	d, err := w.Commit()
	w.Abort()
	if err != nil || len(lying(t, files.Dir)) != 1 || len(read(t, files, []Digest{d})) != 0 {
		t.Errorf("an empty file, with Abort after Commit: %v, files %v", err, lying(t, files.Dir))
	}
}

func TestCommitThatFailsLeavesNothing(t *testing.T) {
	files := newTestFiles(t)
	d := write(t, files, table{"a": priced("a", 1)})
	if err := os.RemoveAll(filepath.Dir(files.Path(d))); err != nil {
		t.Fatal(err)
	}
	// A file where the folder of the digest should be.
	if err := os.WriteFile(filepath.Dir(files.Path(d)), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w, err := files.Create()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Add(priced("a", 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Commit(); err == nil {
		t.Error("Commit succeeded")
	}
	if all := lying(t, files.Dir); len(all) != 1 {
		t.Errorf("after a Commit that failed: %v, want only what stood in the way", all)
	}
}

func TestWriterRefuses(t *testing.T) {
	files := newTestFiles(t)
	w, err := files.Create()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if err := w.Add(priced("b", 1)); err != nil {
		t.Fatal(err)
	}
	for _, r := range []Record{
		priced("b", 2), priced("a", 2), {}, // the order of keys
		priced("c\t", 2), // a control character
		priced("c"+strings.Repeat("x", maxLine), 2), // a line that could not be read back
	} {
		if err := w.Add(r); err == nil {
			t.Errorf("Add(%.20q) after b succeeded", r.Key)
		}
	}
	if err := w.Add(priced("c", 2)); err != nil || w.Rows() != 2 {
		t.Errorf("Add of the next key: %v, %d rows; want 2", err, w.Rows())
	}
	d, err := w.Commit()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Record{priced("b", 1), priced("c", 2)}, read(t, files, []Digest{d})); diff != "" {
		t.Errorf("what was refused is not in the file (-want +got):\n%s", diff)
	}
}

func TestLongestLineIsReadBack(t *testing.T) {
	files := newTestFiles(t)
	long := priced("k", 1)
	long.Item.SKU = strings.Repeat("x", maxLine-len("k\t\t\t1\t\t\t\t\n"))
	if got := read(t, files, []Digest{write(t, files, table{"k": long})}); len(got) != 1 || got[0] != long {
		t.Errorf("a line of %d bytes is not read back", maxLine)
	}
}

func TestDamagedFiles(t *testing.T) {
	whole := "a\ta\t\t1\t\t\t\t\n"
	for name, text := range map[string]string{
		"last line cut":       whole + "b\tb\t\t1\t\t\t\t",
		"cut in the key":      whole + "b",
		"no key":              whole + "\tb\t\t1\t\t\t\t\n",
		"no tab":              whole + "bbbb\n",
		"a field lost":        whole + "b\tb\t\t1\t\t\t\n",
		"blank line":          whole + "\n",
		"longer than allowed": whole + "b\t" + strings.Repeat("x", readBuffer) + "\n",
		"zeros":               whole + strings.Repeat("\x00", 512),
	} {
		t.Run(name, func(t *testing.T) {
			files := newTestFiles(t)
			d := write(t, files, table{"a": priced("a", 1)})
			if err := os.WriteFile(files.Path(d), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			o, err := files.Overlay([]Digest{d})
			if err != nil {
				t.Fatal(err)
			}
			defer o.Close()
			n := 0
			for o.Next() {
				n++
			}
			if n != 1 || !errors.Is(o.Err(), errLine) || !strings.Contains(o.Err().Error(), string(d)) {
				t.Errorf("%d records, error %v; want 1, and an error that names the file", n, o.Err())
			}
			if o.Next() || o.Record() != (Record{}) {
				t.Error("the walk goes on behind the damage")
			}
			if _, err := files.Compact([]Digest{d}, today); !errors.Is(err, errLine) {
				t.Errorf("Compact: %v, want %v", err, errLine)
			}
			if _, err := files.Diff(Question{Wanted: []Digest{d}}); !errors.Is(err, errLine) {
				t.Errorf("Diff: %v, want %v", err, errLine)
			}
			if all := lying(t, files.Dir); len(all) != 1 {
				t.Errorf("files = %v, want only the damaged one", all)
			}
		})
	}
}

// damage cuts the last line of a record file.
func damage(t *testing.T, files Files, d Digest) {
	t.Helper()
	info, err := os.Stat(files.Path(d))
	if err == nil {
		err = os.Truncate(files.Path(d), info.Size()-3)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestKeptPromotions keeps the promotions of a shelf that has articles as well: they take about as much memory as their own lines.
func TestKeptPromotions(t *testing.T) {
	files := Files{Dir: t.TempDir()}
	w, err := files.Create()
	if err != nil {
		t.Fatal(err)
	}
	const rows, each = 50_000, 50
	for i := range rows {
		r := priced(fmt.Sprintf("k%06d", i), 1)
		if i%each == 0 {
			r = offered(fmt.Sprintf("k%06d/A=900", i))
		}
		if err := w.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	d, err := w.Commit()
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var kept []Record
	for r, err := range files.Records(d) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Promotion != nil {
			kept = append(kept, r)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if took := int64(after.HeapAlloc) - int64(before.HeapAlloc); len(kept) != rows/each || took > 1<<20 {
		t.Errorf("%d promotions, of %d, take %d bytes", len(kept), rows/each, took)
	}
	runtime.KeepAlive(kept)
}
