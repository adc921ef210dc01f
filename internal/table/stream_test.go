package table

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// writeSample writes about size bytes of what an ERP exports: 20 columns, semicolons, Windows-1252, CR LF. Rows from accents on
// have an accented letter.
func writeSample(t testing.TB, size, accents int) (path string, rows int) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "sample.csv")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	n, err := w.WriteString("codigo;nombre;precio" + strings.Repeat(";columna", 17) + "\r\n")
	for rows = 1; err == nil && n < size; rows++ {
		name := "Yerba mate 500 g"
		if rows >= accents {
			name = "Az\xfacar ru\xf1a 1 kg"
		}
		var m int
		m, err = fmt.Fprintf(w, "%08d;%s;1.234,50;77%011d;S;12;0;UN;001;Centro;;;21,00;0,00;2026-05-01;;10;A;B;fin\r\n", rows, name, rows)
		n += m
	}
	if err := errors.Join(err, w.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path, rows
}

// The first accented letter far behind the head decides the encoding of the whole file.
func TestFirstAccentFarBehind(t *testing.T) {
	path, rows := writeSample(t, 4<<20, 30_000)
	tab := mustOpen(t, path, Options{})
	if got := tab.Sheets()[0].Format().Encoding; got != Windows1252 {
		t.Fatalf("encoding %s", got)
	}
	got, err := collect(t, tab)
	if err != nil || len(got) != rows {
		t.Fatalf("%d rows of %d, error %v", len(got), rows, err)
	}
	if first, last := got[1].Cells[1], got[rows-1].Cells[1]; first != "Yerba mate 500 g" || last != "Azúcar ruña 1 kg" {
		t.Errorf("first %q, last %q", first, last)
	}
}

func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 40 MB")
	}
	path, rows := writeSample(t, 40<<20, 0)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)

	tab := mustOpen(t, path, Options{})
	r, err := tab.Sheets()[0].Rows()
	if err != nil {
		t.Fatal(err)
	}
	n, most := 0, uint64(0)
	for r.Next() {
		if n++; n%100_000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&after)
			most = max(most, after.HeapAlloc)
		}
	}
	if err := errors.Join(r.Err(), r.Close()); err != nil || n != rows {
		t.Fatalf("%d rows of %d, error %v", n, rows, err)
	}
	if most == 0 || most > before.HeapAlloc+4<<20 {
		t.Errorf("heap grew from %d to %d bytes", before.HeapAlloc, most)
	}
}

// Rows that lie across the edges of the window come out as the others.
func TestRowsAcrossTheWindow(t *testing.T) {
	for _, end := range []string{"\n", "\r\n", "\r"} {
		var b strings.Builder
		var want [][]string
		for i := range 3000 {
			cells := []string{fmt.Sprint(i), strings.Repeat("x", i%1013), strings.Repeat("\"", i%3) + end + strings.Repeat("é", i%7), ""}
			want = append(want, cells)
			fmt.Fprintf(&b, `%s;%s;"%s";%s`, cells[0], cells[1], strings.ReplaceAll(cells[2], `"`, `""`), end)
		}
		got, err := collect(t, mustOpen(t, write(t, b.String()), Options{}))
		if err != nil || len(got) != len(want) {
			t.Fatalf("end %q: %d rows of %d, error %v", end, len(got), len(want), err)
		}
		for i, g := range got {
			if !slices.Equal(g.Cells, want[i]) || g.Line != 2*i+1 {
				t.Fatalf("end %q: row %d on line %d is %q, want %q on line %d", end, i, g.Line, g.Cells, want[i], 2*i+1)
			}
		}
	}
}

// A row may be much larger than the first window, up to its limit.
func TestLargeRow(t *testing.T) {
	big := strings.Repeat("y", 60_000)
	line := "a,b" + strings.Repeat(",\""+big+"\"", 10) + "\n"
	content := "a,b,c\n" + strings.Repeat(line, 3)
	got, err := collect(t, mustOpen(t, write(t, content), Options{}))
	if err != nil || len(got) != 4 || len(got[3].Cells) != 12 || got[3].Cells[11] != big {
		t.Fatalf("%d rows, error %v", len(got), err)
	}
	_, err = collect(t, mustOpen(t, write(t, content), Options{Limits: Limits{RowBytes: 600_000}}))
	if r, ok := errors.AsType[*Refusal](err); !ok || r.Kind != RefusedLimit || !slices.Equal(r.Args, []string{"row bytes", "600000", "2"}) {
		t.Errorf("a row over the limit: %v", err)
	}
	_, err = collect(t, mustOpen(t, write(t, "a,b\n1,2\n3,"+strings.Repeat("z", 3<<20)), Options{}))
	if r, ok := errors.AsType[*Refusal](err); !ok || r.Kind != RefusedLimit || !slices.Equal(r.Args, []string{"row bytes", "1048576", "3"}) {
		t.Errorf("a line without end: %v", err)
	}
}

func TestQuoteOpenFarBehind(t *testing.T) {
	above := strings.Repeat("1,2\n", 200_000)
	for _, rest := range []string{
		"5,\"open\n" + strings.Repeat("1,\"2,3\"\n", 100_000), // others make sense
		"5,\"" + strings.Repeat("z", 3<<20),
		"5,\"open\n6,7,8\n",
	} {
		_, err := Open(write(t, above+rest), Options{})
		if r, ok := errors.AsType[*Refusal](err); !ok || r.Kind != RefusedQuote || r.Args[0] != "200001" {
			t.Errorf("error %v", err)
		}
	}
	rows, f, err := readAll(t, above+"5,\"open\n"+strings.Repeat("1,\"2\"\n", 100_000), Options{})
	if err != nil || !f.QuotesPlain || f.StrayQuote != 200_001 || len(rows) != 300_001 || rows[200_000] != "5|\"open" || rows[200_001] != "1|2" {
		t.Errorf("%d rows, %+v, error %v", len(rows), f, err)
	}
}

// A file that changes between Open and Rows must not slip foreign bytes in.
func TestFileChangedSinceOpen(t *testing.T) {
	for content, later := range map[string]string{
		"a;b\n1;ñ\n":         "a;b\n1;\xf1\n",
		"a;b\n1;ma\xedz\n":   "a;b\n1;\x81\n",
		"a;b\n1;\"ma\xedz\"": "a;b\n1;\"\n\x81\"\n",
	} {
		path := write(t, content)
		tab := mustOpen(t, path, Options{})
		if err := os.WriteFile(path, []byte(later), 0o600); err != nil {
			t.Fatal(err)
		}
		rows, err := collect(t, tab)
		if r, ok := errors.AsType[*Refusal](err); !ok || r.Kind != RefusedEncoding || len(rows) != 1 {
			t.Errorf("%q became %q: %v, error %v", content, later, rows, err)
		}
	}
}

func TestCloseEndsThePass(t *testing.T) {
	tab := mustOpen(t, write(t, "a;b\n1;2\n3;4\n"), Options{})
	r, err := tab.Sheets()[0].Rows()
	if err != nil {
		t.Fatal(err)
	}
	if !r.Next() {
		t.Fatal("no row")
	}
	kept := r.Row().Cells[0]
	if err := errors.Join(r.Close(), r.Close()); err != nil {
		t.Error(err)
	}
	if r.Next() || r.Err() != nil || kept != "a" {
		t.Errorf("after Close: a row %q, error %v, kept %q", r.Row().Cells, r.Err(), kept)
	}
}

// What encoding/csv reads without complaint reads the same here.
func TestSameAsStandardLibrary(t *testing.T) {
	pieces := []string{"a", "", "1,5", "two words", "x\ny", `say "hi"`, "ñandú", " lead", "trail ", ";", "\t", "1.0", "'"}
	next := uint32(1) // a fixed sequence: the same files every time
	pick := func(n int) int {
		next = next*1664525 + 1013904223
		return int(next>>8) % n
	}
	for range 200 {
		var b strings.Builder
		w := csv.NewWriter(&b)
		w.UseCRLF = pick(2) == 0
		cols := 2 + pick(6)
		for range 2 + pick(30) {
			cells := make([]string, cols)
			for i := range cells {
				cells[i] = pieces[pick(len(pieces))]
			}
			if err := w.Write(cells); err != nil {
				t.Fatal(err)
			}
		}
		w.Flush()
		content := "sep=,\n" + b.String()
		if w.UseCRLF {
			// encoding/csv writes and reads CR LF in cells as LF; here they stay what they are.
			content = strings.ReplaceAll(content, "x\r\ny", "x\ny")
		}
		std := csv.NewReader(strings.NewReader(content[len("sep=,\n"):]))
		std.FieldsPerRecord = -1
		got, err := collect(t, mustOpen(t, write(t, content), Options{}))
		if err != nil {
			t.Fatalf("%q: %v", content, err)
		}
		for i := 0; ; i++ {
			want, err := std.Read()
			if err == io.EOF {
				if i != len(got) {
					t.Fatalf("%q: %d rows, want %d", content, len(got), i)
				}
				break
			}
			line, _ := std.FieldPos(0)
			if err != nil || i >= len(got) || !slices.Equal(got[i].Cells, want) || got[i].Line != line+1 {
				t.Fatalf("%q: row %d, want %q on line %d, error %v; rows %v", content, i, want, line+1, err, got)
			}
		}
	}
}

// perRow reports how often memory is asked for a row, when the benchmark ends. read counts the rows of one pass.
func perRow(b *testing.B, read *int) {
	b.ReportAllocs()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b.Cleanup(func() {
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(*read*b.N), "allocs/row")
	})
}

func BenchmarkRows(b *testing.B) {
	path, _ := writeSample(b, 32<<20, 0)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	read := func(name string, of func(*Sheet) (Rows, error)) {
		b.Run(name, func(b *testing.B) {
			tab := mustOpen(b, path, Options{})
			b.SetBytes(info.Size())
			rows := 0
			perRow(b, &rows)
			for b.Loop() {
				r, err := of(tab.Sheets()[0])
				if err != nil {
					b.Fatal(err)
				}
				for rows = 0; r.Next(); rows++ {
					_ = r.Row()
				}
				if err := errors.Join(r.Err(), r.Close()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	read("table", (*Sheet).Rows)
	read("selected", func(s *Sheet) (Rows, error) {
		return s.RowsOf(Selection{Cells: []int{0, 1, 2}, Key: 0, IsKey: isCode, Width: DefaultColumns})
	})
	b.Run("open", func(b *testing.B) {
		b.SetBytes(info.Size())
		for b.Loop() {
			mustOpen(b, path, Options{})
		}
	})
	b.Run("quoted", func(b *testing.B) {
		content, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		quoted := strings.NewReplacer(";", `";"`, "\r\n", "\"\r\n\"").Replace(string(content))
		tab := mustOpen(b, write(b, `"`+strings.TrimSuffix(quoted, `"`)), Options{})
		b.SetBytes(int64(len(quoted)))
		b.ReportAllocs()
		for b.Loop() {
			r, err := tab.Sheets()[0].Rows()
			if err != nil {
				b.Fatal(err)
			}
			for r.Next() {
				_ = r.Row()
			}
			if err := errors.Join(r.Err(), r.Close()); err != nil {
				b.Fatal(err)
			}
		}
	})
	// The standard library does not decode; it is given the bytes as they are.
	b.Run("encoding-csv", func(b *testing.B) {
		b.SetBytes(info.Size())
		b.ReportAllocs()
		for b.Loop() {
			f, err := os.Open(path)
			if err != nil {
				b.Fatal(err)
			}
			r := csv.NewReader(bufio.NewReaderSize(f, headSize))
			r.Comma, r.ReuseRecord, r.LazyQuotes = ';', true, true
			for err == nil {
				_, err = r.Read()
			}
			if closed := f.Close(); closed != nil || !errors.Is(err, io.EOF) {
				b.Fatal(err, closed)
			}
		}
	})
}
