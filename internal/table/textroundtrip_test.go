package table

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// words that a table is made of, each of which exists in every encoding.
var sampleWords = []string{
	"Jamón", "Azúcar", "PIÑA", "Café", "Maíz", "Açúcar", "Pão", "FEIJÃO", "Pêssego", "Limões", "Camarón", "Ñoquis", "MAÇÃ", "Índice",
	"leche", "1 kg", "10,50", "1.234", "x", "", "pan; queso", "uno, dos", "a|b", "two\nlines", "say \"hi\"", `24" tv`, "tab\there",
}

// dialect is a way to write a table.
type dialect struct {
	encoding  string // as encode has it
	delimiter string
	lineEnd   string
	sepLine   bool
	quoteAll  bool
	endMark   bool
}

func drawDialect(t *rapid.T) dialect {
	return dialect{
		encoding: rapid.SampledFrom([]string{
			"utf-8", "utf-8 bom", "utf-16le bom", "utf-16be bom", "utf-16le", "utf-16be", "windows-1252", "iso-8859-15", "cp850",
		}).Draw(t, "encoding"),
		delimiter: rapid.SampledFrom([]string{",", ";", "\t", "|"}).Draw(t, "delimiter"),
		lineEnd:   rapid.SampledFrom([]string{"\n", "\r\n", "\r"}).Draw(t, "line end"),
		sepLine:   rapid.Bool().Draw(t, "sep line"),
		quoteAll:  rapid.Bool().Draw(t, "quote all"),
		endMark:   rapid.Bool().Draw(t, "end mark"),
	}
}

// write returns rows as Writer writes them, in the dialect. Writer knows commas only: the delimiter and the comma change places before
// it and behind it.
func (d dialect) write(t testing.TB, rows [][]string) string {
	t.Helper()
	swap := strings.NewReplacer(",", d.delimiter, d.delimiter, ",")
	text := ""
	if d.sepLine {
		text = "sep=" + d.delimiter + d.lineEnd
	}
	for _, r := range rows {
		var b strings.Builder
		w := NewWriter(&b)
		cells := strings.Split(swap.Replace(strings.Join(r, "\x1f")), "\x1f")
		if err := errors.Join(w.Write(cells...), w.Flush()); err != nil {
			t.Fatal(err)
		}
		line := strings.TrimSuffix(b.String(), "\n")
		if d.quoteAll {
			line = `"` + strings.Join(strings.Split(strings.ReplaceAll(strings.Join(cells, "\x1f"), `"`, `""`), "\x1f"), `","`) + `"`
		}
		text += swap.Replace(line) + d.lineEnd
	}
	if d.endMark {
		text += endMark
	}
	raw, ok := encode(t, d.encoding, text)
	if !ok {
		t.Fatalf("%q is no text in %s", text, d.encoding)
	}
	return raw
}

// Any table that our Writer writes reads back the same from every encoding and dialect; where the encoding can't be told, it is asked
// for and never guessed wrongly.
func TestRoundTripInEveryDialect(t *testing.T) {
	dir := t.TempDir()
	decided := map[Encoding]int{}
	rapid.Check(t, func(rt *rapid.T) {
		d := drawDialect(rt)
		width := rapid.IntRange(2, 6).Draw(rt, "width")
		rows := rapid.SliceOfN(rapid.SliceOfN(rapid.SampledFrom(sampleWords), width, width), 2, 12).Draw(rt, "rows")
		header := make([]string, width)
		for i := range header {
			header[i] = fmt.Sprintf("column%c", 'A'+i)
		}
		rows = append([][]string{header}, rows...)
		path := filepath.Join(dir, "table.csv")
		if err := os.WriteFile(path, []byte(d.write(t, rows)), 0o600); err != nil {
			rt.Fatal(err)
		}
		configured, _, _ := strings.Cut(d.encoding, " ")
		for _, o := range []Options{{}, {Encoding: Encoding(configured)}} {
			tab, err := Open(path, o)
			if r, ok := errors.AsType[*Refusal](err); ok && r.Kind == RefusedGuess && o.Encoding == "" {
				continue
			}
			if err != nil {
				rt.Fatalf("%+v: %v", d, err)
			}
			f := tab.Sheets()[0].Format()
			got, err := collect(t, tab)
			if err != nil || !slices.EqualFunc(got, rows, func(r Row, w []string) bool { return slices.Equal(r.Cells, w) }) {
				rt.Fatalf("%+v: read as %+v: %v, want %q, error %v", d, f, got, rows, err)
			}
			decided[f.Encoding]++
		}
	})
	for _, e := range []Encoding{UTF8, UTF16LE, UTF16BE, Windows1252, CP850} {
		if decided[e] == 0 {
			t.Errorf("no table was read as %s", e)
		}
	}
}

// A file that is cut or damaged anywhere is read or refused, and never anything else.
func TestDamagedAnywhere(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		rows := rapid.SliceOfN(rapid.SliceOfN(rapid.SampledFrom(sampleWords), 3, 3), 1, 6).Draw(rt, "rows")
		raw := []byte(drawDialect(rt).write(t, rows))
		for range rapid.IntRange(0, 3).Draw(rt, "flips") {
			raw[rapid.IntRange(0, len(raw)-1).Draw(rt, "at")] = rapid.Byte().Draw(rt, "byte")
		}
		raw = raw[:rapid.IntRange(0, len(raw)).Draw(rt, "length")]
		path := filepath.Join(dir, "damaged.csv")
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			rt.Fatal(err)
		}
		tab, err := Open(path, Options{})
		if err == nil {
			_, err = collect(t, tab)
		}
		if err != nil && !errors.As(err, new(*Refusal)) {
			rt.Fatal(err)
		}
	})
}

// The fast look at the quotes of a line sees what the reader of rows sees.
func TestQuotesCloseAsTheReaderHasIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{`"`, `""`, ";", "a", " ", "long cell"}), 1, 24).Draw(t, "line"), "")
		r := newRows(nil, ';', Limits{}.orDefaults())
		r.buf, r.end, r.eof = []byte(line+"\nb"), len(line)+2, true
		whole := r.Next() && r.line == 2 && r.Err() == nil
		if quotesClose([]byte(line), ';') && !whole {
			t.Fatalf("%q: row %q, line %d, error %v", line, r.Row().Cells, r.line, r.Err())
		}
	})
}
