package table

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestWriter(t *testing.T) {
	var b strings.Builder
	w := NewWriter(&b)
	err := errors.Join(
		w.Write("sku", "price", "vendors"),
		w.Write("LS-33", "10.50", "512089,277730"),
		w.Write(`24" tv`, "two\nlines", "cr\r"),
		w.Write("", " lead", "ñ;\t'"),
		w.Write(""),
		w.Write("", ""),
		w.Flush(),
	)
	want := "sku,price,vendors\n" +
		"LS-33,10.50,\"512089,277730\"\n" +
		"\"24\"\" tv\",\"two\nlines\",\"cr\r\"\n" +
		", lead,ñ;\t'\n" +
		"\"\"\n" +
		",\n"
	if err != nil || b.String() != want {
		t.Errorf("wrote %q, error %v, want %q", b.String(), err, want)
	}
}

func TestWriterRefusesWhatIsNoText(t *testing.T) {
	var b strings.Builder
	w := NewWriter(&b)
	err := w.Write("sku", "Jam\xf3n")
	if err == nil || !strings.Contains(err.Error(), `write row 1: cell 2 is not UTF-8: "Jam\xf3n"`) {
		t.Errorf("error %v", err)
	}
	if err := errors.Join(w.Write("A1", "x"), w.Flush()); err != nil || b.String() != "A1,x\n" {
		t.Errorf("wrote %q, error %v", b.String(), err)
	}
}

type fullDisk struct{}

var errFull = errors.New("no space left")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestWriterKeepsItsError(t *testing.T) {
	w := NewWriter(fullDisk{})
	if err := errors.Join(w.Write("a"), w.Write("b")); err != nil {
		t.Fatalf("before the buffer is full: %v", err)
	}
	if err := w.Flush(); !errors.Is(err, errFull) {
		t.Errorf("flush: %v", err)
	}
	if err := w.Write("c"); !errors.Is(err, errFull) {
		t.Errorf("write after an error: %v", err)
	}
}

// FuzzRoundTrip: what Writer writes, Rows reads. The cells of a row are separated by \x1f, rows by \x1e.
func FuzzRoundTrip(f *testing.F) {
	f.Add("sku\x1fprice\x1eA1\x1f10")
	f.Add("\"\x1f\r\n\x1e\x1f\x1e,\x1f;")
	f.Add("ñ\x1e\x1e ")
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsAny(s, "\x00\x1a") || strings.ToValidUTF8(s, "") != s || looksBinary([]byte(s)) {
			return // no text
		}
		content := &strings.Builder{}
		content.WriteString("sep=,\n") // what follows is not a matter of evidence
		w := NewWriter(content)
		var want [][]string
		for r := range strings.SplitSeq(s, "\x1e") {
			cells := strings.Split(r, "\x1f")
			want = append(want, cells)
			if err := w.Write(cells...); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		rows, err := collect(t, mustOpen(t, write(t, content.String()), Options{Encoding: UTF8}))
		if err != nil {
			t.Fatalf("%q: %v", content, err)
		}
		if !slices.EqualFunc(rows, want, func(r Row, w []string) bool { return slices.Equal(r.Cells, w) }) {
			t.Fatalf("%q: read %v, want %q", content, rows, want)
		}
	})
}

// FuzzRows: foreign bytes never make a panic, an error that is no refusal, or text that is no UTF-8; lines ascend, and quotes
// are judged before the first row.
func FuzzRows(f *testing.F) {
	for _, s := range []string{
		"sku;price\nA1;10\n", "\xff\xfea\x00;\x00", "a\x00\n\x00", "\"a\"b\";\"\n\"", "sep=;\r\"", "\xef\xbb\xbf\"", "a;\xf1\r\r\n\x1a", "PI\xa5A;\xc4\xbf\n1;\xa0", "a\xa4;1\x80",
		"a;b;c\n1;\"2;3\n4;5\";6\n", "a;b\n1;\"x\n2;\"y\"\n", "a\x00;b\n", "PK\x03\x04xl/workbook.",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		path := write(t, s)
		if _, err := Complete(path); err != nil {
			t.Fatal(err)
		}
		tab, err := Open(path, Options{Limits: Limits{Columns: 20, CellBytes: 100, RowBytes: 300}})
		if err == nil {
			var rows []Row
			rows, err = collect(t, tab)
			line := 0
			for _, r := range rows {
				if r.Line <= line || len(r.Cells) == 0 || strings.ToValidUTF8(strings.Join(r.Cells, ""), "") != strings.Join(r.Cells, "") {
					t.Fatalf("line %d after %d: %q", r.Line, line, r.Cells)
				}
				line = r.Line
			}
			wantSelected(t, tab, Selection{Cells: []int{2, 0}, Key: 0, IsKey: isCode, Width: 5})
		}
		r, refused := errors.AsType[*Refusal](err)
		if err != nil && !refused {
			t.Fatal(err)
		}
		if tab != nil && refused && r.Kind == RefusedQuote {
			t.Fatalf("Open let a quote pass that makes no sense: %v", r)
		}
	})
}
