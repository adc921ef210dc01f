package table

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		raw, want string
		inexact   bool
	}{
		{"0", "0", false},
		{"-0", "0", false},
		{"0.00", "0", false},
		{"1001.0", "1001", false},
		{"007", "7", false},
		{"+5", "5", false},
		{".5", "0.5", false},
		{"-12.50", "-12.5", false},
		{"8.4000000000000004", "8.4", false},
		{"0.30000000000000004", "0.3", false},
		{"10.289999999999999", "10.29", false},
		{"999999999999999.9", "1000000000000000", true},
		{"1E-3", "0.001", false},
		{"1.5e+3", "1500", false},
		{"7.790895000997E12", "7790895000997", false},
		{"123456789012345", "123456789012345", false},
		{"1234567890123456", "1234567890123456", false},
		{"1234567890123450", "1234567890123450", true},
		{"9007199254740993", "9007199254740993", true},
		{"1.2345678901234501E+19", "12345678901234500000", true},
		{"12345678901234567890", "12345678901234567890", true},
	} {
		got, inexact, ok := appendNumber(nil, []byte(c.raw))
		if string(got) != c.want || inexact != c.inexact || !ok {
			t.Errorf("%s: %s, inexact %v, %v; want %s, %v", c.raw, got, inexact, ok, c.want, c.inexact)
		}
	}
	for _, raw := range []string{"", "-", ".", "1,5", "1e", "1e999", "0x10", "NaN", "1 2", "1.2.3", "--1", strings.Repeat("1", 700)} {
		if got, _, ok := appendNumber(nil, []byte(raw)); ok {
			t.Errorf("%q is %s", raw, got)
		}
	}
}

// A number of up to fifteen digits comes back as it was typed, whatever a binary fraction makes of it on its way through a file.
func TestNumberSurvivesBinary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := strconv.FormatInt(rapid.Int64Range(1, 999_999_999_999_999).Draw(t, "digits"), 10)
		digits = strings.TrimRight(digits, "0")
		typed := digits
		if at := rapid.IntRange(0, len(digits)).Draw(t, "point"); at < len(digits) {
			typed = digits[:at] + "." + digits[at:]
			if at == 0 {
				typed = "0" + typed
			}
		}
		v, err := strconv.ParseFloat(typed, 64)
		if err != nil {
			t.Fatal(err)
		}
		for _, precision := range []int{-1, 17} {
			raw := strconv.FormatFloat(v, 'G', precision, 64)
			got, inexact, ok := appendNumber(nil, []byte(raw))
			if string(got) != typed || inexact || !ok {
				t.Fatalf("%s written as %s reads %s, inexact %v, %v", typed, raw, got, inexact, ok)
			}
		}
	})
}

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		code  string
		class FormatClass
		zeros int
	}{
		{"General", FormatPlain, 0},
		{"0", FormatPlain, 1},
		{"0000000000000", FormatPlain, 13},
		{"000000;-000000;;@", FormatPlain, 6},
		{"0.00", FormatPlain, 1},
		{"#,##0.00", FormatPlain, 0},
		{`"R$" #,##0.00`, FormatPlain, 0},
		{`_-[$$-2C0A] * #,##0.00_-;-[$$-2C0A] * #,##0.00_-`, FormatPlain, 0},
		{`[Red]0`, FormatPlain, 1},
		{`#,##0 "días"`, FormatPlain, 0},
		{"0%", FormatPercent, 0},
		{"0.00%", FormatPercent, 0},
		{"0.00E+00", FormatScientific, 0},
		{"# ?/?", FormatFraction, 0},
		{"@", FormatText, 0},
		{"dd/mm/yyyy", FormatDate, 0},
		{`[$-F800]dddd\,\ mmmm\ dd\,\ yyyy`, FormatDate, 0},
		{"[h]:mm", FormatDate, 0},
		{"[h]", FormatDate, 0},
		{"mm:ss.0", FormatDate, 0},
		{"000-0000", FormatMasked, 0},
		{`"7"000000`, FormatMasked, 0},
		{`00\-000`, FormatMasked, 0},
		{"", FormatPlain, 0},
		{`"open`, FormatPlain, 0},
		{`\`, FormatPlain, 0},
		{"[", FormatPlain, 0},
	} {
		if class, zeros := classify(c.code); class != c.class || zeros != c.zeros {
			t.Errorf("%s: class %d, %d zeros; want %d, %d", c.code, class, zeros, c.class, c.zeros)
		}
	}
	for id, want := range map[int]FormatClass{
		0: FormatPlain, 1: FormatPlain, 4: FormatPlain, 9: FormatPercent, 10: FormatPercent, 11: FormatScientific, 12: FormatFraction,
		14: FormatDate, 18: FormatDate, 22: FormatDate, 37: FormatPlain, 44: FormatPlain, 47: FormatDate, 48: FormatScientific, 49: FormatText,
		58: FormatDate, 163: FormatPlain,
	} {
		if class, _ := classify(builtIn(id)); class != want {
			t.Errorf("built-in format %d: class %d, want %d", id, class, want)
		}
	}
}

func TestShown(t *testing.T) {
	style := func(code string) *Style {
		s := &Style{Format: code}
		s.read(code)
		return s
	}
	for _, c := range []struct {
		cell       Cell
		text, want string
	}{
		{Cell{Kind: Number, Style: style("0%")}, "0.155", "15.5%"},
		{Cell{Kind: Number, Style: style("0%")}, "-0.005", "-0.5%"},
		{Cell{Kind: Number, Style: style("0%")}, "1", "100%"},
		{Cell{Kind: Number, Style: style("000")}, "1234", "1234"},
		{Cell{Kind: Number, Style: style("000")}, "1.5", "1.5"},
		{Cell{Kind: Date, Style: style("d/m/yy")}, "1", "1900-01-01"},
		{Cell{Kind: Date, Style: style("d/m/yy")}, "59", "1900-02-28"},
		{Cell{Kind: Date, Style: style("d/m/yy")}, "60", "60"}, // there was no 29 February 1900
		{Cell{Kind: Date, Style: style("d/m/yy")}, "61", "1900-03-01"},
		{Cell{Kind: Date, Style: style("[h]:mm")}, "0.25", "06:00:00"},
		{Cell{Kind: Date, Style: style("[h]:mm")}, "1.25", "30:00:00"},
		{Cell{Kind: Date, Style: style("[mm]:ss")}, "0", "00:00:00"},
		{Cell{Kind: Date, Style: style(builtIn(46))}, "100", "2400:00:00"},
		{Cell{Kind: Date, Style: style("d/m/yy")}, "2958465", "9999-12-31"},
		{Cell{Kind: Date, Style: style("d/m/yy")}, "2958466", "2958466"},
		{Cell{Kind: Date, Style: style("d/m/yy")}, "-1", "-1"},
		{Cell{Kind: Date, Style: style("h:mm")}, "0.99999999", "1900-01-01"},
		{Cell{Kind: Date}, "2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z"},
	} {
		if got := (Row{Cells: []string{c.text}, Typed: []Cell{c.cell}}).Shown(0); got != c.want {
			t.Errorf("%s in %v is shown as %s, want %s", c.text, c.cell.Style, got, c.want)
		}
	}
}

// Above a size the strings lie in a file; that must not be seen in what is read.
func TestStringsSpill(t *testing.T) {
	const count = 1000
	text := func(i int) string { return strings.Repeat("ñ", i%37) + fmt.Sprint(i) }
	var b strings.Builder
	for i := range count {
		fmt.Fprintf(&b, "<si><t>%s</t></si>", text(i))
	}
	for _, memory := range []int{0, 4000, stringMemory} {
		s := &sharedStrings{memory: memory}
		m := newMarkup(strings.NewReader("<sst>"+b.String()+"</sst>"), nil)
		if err := s.read(m, DefaultCellBytes); err != nil {
			t.Fatal(err)
		}
		if spilled := s.file != nil; spilled != (memory < stringMemory) {
			t.Errorf("with %d bytes of memory spilled is %v", memory, spilled)
		}
		r := stringReader{from: s}
		for i := range count {
			at := i * 617 % count
			if got, ok, err := r.find(at); string(got) != text(at) || !ok || err != nil {
				t.Fatalf("string %d is %q, %v, %v", at, got, ok, err)
			}
		}
		for _, i := range []int{-1, count, math.MaxInt} {
			if _, ok, err := r.find(i); ok || err != nil {
				t.Errorf("string %d: %v, %v", i, ok, err)
			}
		}
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}
}

// Nothing is left of the file with the strings once the table is closed.
func TestSpillIsRemoved(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
	s := &sharedStrings{}
	if err := s.read(newMarkup(strings.NewReader("<sst><si><t>a</t></si></sst>"), nil), 10); err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// A token may lie anywhere in the window, whatever the pieces in which the part is unzipped.
func TestMarkupInPieces(t *testing.T) {
	const text = `<?xml version="1.0" encoding="utf-8"?><!-- > --><a x='1>2' y = "&lt;"><b/>one &amp; two<![CDATA[<c>]]></a>` + "\n"
	want := `a x=1>2 y=&lt; . b . "one & two" "<c>" /a "\n"`
	for _, window := range []int{1, 2, 7, 64} {
		m := newMarkup(iotest.OneByteReader(strings.NewReader(text)), make([]byte, window))
		var got []string
		for m.next() {
			switch m.kind {
			case tokenText:
				got = append(got, strconv.Quote(string(m.appendText(nil))))
			case tokenClose:
				got = append(got, "/"+string(m.name))
			default:
				got = append(got, string(m.name))
				for name, value, ok := m.attr(); ok; name, value, ok = m.attr() {
					got = append(got, string(name)+"="+string(value))
				}
				got = append(got, ".")
			}
		}
		if s := strings.Join(got, " "); s != want || m.err != nil {
			t.Errorf("window of %d: %s, %v", window, s, m.err)
		}
	}
}

// The last row and the last column are cells like the others, for whoever allows so many.
func TestLastCell(t *testing.T) {
	path := newBook(`<row r="1048576"><c r="XFD1048576"><v>7</v></c></row>`).save(t)
	got, err := read(t, openBook(t, path, Options{Limits: Limits{Columns: maxColumn}}).Sheets()[0])
	if want := "1048576: " + strings.Repeat("|", maxColumn-1) + "7 number"; err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("%d rows, %v", len(got), err)
	}
	if got := refusalOf(t, path, Options{}); got != "limit columns 1000 1048576" {
		t.Errorf("with the usual limits: %s", got)
	}
}

// Conditional formats and tables have number formats of their own, under numbers that may be those of cells.
func TestFormatsOfOthers(t *testing.T) {
	b := newBook(`<row><c s="1"><v>7</v></c><c s="2"><v>8</v></c></row>`).withFormats("0000", "0.0").
		replace("xl/styles.xml", "</styleSheet>", `<dxfs><dxf><numFmt numFmtId="164" formatCode="yyyy"/></dxf></dxfs></styleSheet>`)
	got, err := read(t, openBook(t, b.save(t), Options{}).Sheets()[0])
	if err != nil || len(got) != 1 || got[0] != "1: 7 number shown 0007|8 number" {
		t.Errorf("%q, %v", got, err)
	}
}

// A sheet of formatted empty rows, as a click on a column's head makes it, costs neither rows nor memory.
func TestFormattedEmptyRows(t *testing.T) {
	var b strings.Builder
	b.WriteString(`<row r="1"><c r="A1"><v>1</v></c></row>`)
	for i := 2; i <= 100_000; i++ {
		fmt.Fprintf(&b, `<row r="%d" s="1" customFormat="1"><c r="A%d" s="1"/><c r="B%d" s="1"/></row>`, i, i, i)
	}
	got, err := read(t, openBook(t, newBook(b.String()).save(t), Options{}).Sheets()[0])
	if err != nil || len(got) != 1 {
		t.Errorf("%d rows, %v", len(got), err)
	}
}

// Ten times the rows must not take more memory, wherever the texts are.
func TestSheetMemoryIsFlat(t *testing.T) {
	peak := func(rows int) uint64 {
		tab := openBook(t, bulkBook(t, rows, true), Options{})
		r, err := tab.Sheets()[0].Rows()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		var most uint64
		var m runtime.MemStats
		for n := 1; r.Next(); n++ {
			if n%(rows/4) == 0 {
				runtime.GC()
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
		}
		if r.Err() != nil {
			t.Fatal(r.Err())
		}
		return most
	}
	small, large := peak(1_000), peak(10_000)
	if large > small+stringMemory {
		t.Errorf("%d bytes live for 1,000 rows, %d for 10,000", small, large)
	}
}

// FuzzSheet holds what every row promises, whatever stands in a sheet.
func FuzzSheet(f *testing.F) {
	for _, rows := range []string{
		`<row r="1" hidden="1"><c r="A1" t="s"><v>0</v></c><c r="C1" s="1"><f>A1</f><v>1.5E3</v></c></row>`,
		`<row><c t="inlineStr"><is><r><t>a_x000D_</t></r><rPh><t>b</t></rPh></is></c><c t="b"><v>1</v></c><c t="e"><v>#N/A</v></c></row>`,
		`<x:row r='7'><x:c t="str"><x:f/><x:v><![CDATA[<]]></x:v></x:c></x:row></sheetData><sheetData>`,
		`<row r="1048577"/>`, `<row r="3"/><row r="2"/>`, `<row><c r="XFE1"><v>1</v></c></row>`, `<row><c><v>&#x0;</v></c></row>`, "<!DOCTYPE a>",
	} {
		f.Add([]byte(rows))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		limits := Limits{Columns: 30, CellBytes: 200, RowBytes: 1000}.orDefaults()
		shared := &sharedStrings{}
		if err := shared.read(newMarkup(strings.NewReader("<sst><si><t>x</t></si></sst>"), nil), 10); err != nil {
			t.Fatal(err)
		}
		defer shared.close()
		book := &workbook{limits: limits, strings: shared, styles: []Style{{}, {Class: FormatDate}}}
		text := "<worksheet><sheetData>" + string(data) + "</sheetData></worksheet>"
		s := newSheetRows(&Sheet{book: book}, &part{body: openReader{strings.NewReader(text)}, limit: 1 << 30})
		line := 0
		for s.Next() {
			r := s.Row()
			if r.Line <= line || r.Line > maxRow || len(r.Cells) != len(r.Typed) || len(r.Cells) == 0 || len(r.Cells) > limits.Columns {
				t.Fatalf("row %d after %d: %d cells, %d typed", r.Line, line, len(r.Cells), len(r.Typed))
			}
			line = r.Line
			for i, c := range r.Cells {
				if len(c) > limits.CellBytes || !utf8.ValidString(c) || r.Typed[i].Kind != Text && c == "" {
					t.Fatalf("cell %d of row %d: %q, %+v", i, line, c, r.Typed[i])
				}
				_ = r.Shown(i)
			}
		}
		if _, refused := errors.AsType[*Refusal](s.Err()); s.Err() != nil && !refused {
			t.Fatal(s.Err())
		}
	})
}

// openReader is a reader that needs no closing.
type openReader struct{ *strings.Reader }

func (openReader) Close() error { return nil }

// FuzzWorkbook opens whatever bytes: they are refused, or the rows can be read, and nothing panics.
func FuzzWorkbook(f *testing.F) {
	paths, err := filepath.Glob(filepath.Join("testdata", "*", "*.xlsx"))
	if err != nil {
		f.Fatal(err)
	}
	paths = append(paths, newBook(`<row><c t="s"><v>0</v></c></row>`).withStrings("<t>a</t>").withFormats("0%").save(f))
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tab, err := Open(write(t, string(data)), Options{})
		if err == nil {
			defer tab.Close()
			for _, s := range tab.Sheets() {
				if _, err = read(t, s); err != nil {
					break
				}
			}
		}
		if _, refused := errors.AsType[*Refusal](err); err != nil && !refused {
			t.Fatal(err)
		}
	})
}
