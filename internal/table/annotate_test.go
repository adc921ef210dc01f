package table

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

// annotated writes an annotated copy of the first sheet of the table at path and returns the path of the copy.
func annotated(t testing.TB, path string, n Annotation) string {
	t.Helper()
	source := openBook(t, path, Options{})
	var b bytes.Buffer
	if err := Annotate(&b, source.Sheets()[0], n); err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := Annotate(&again, source.Sheets()[0], n); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Errorf("the second copy differs from the first, error %v", err)
	}
	copied := filepath.Join(t.TempDir(), "copy.xlsx")
	if err := os.WriteFile(copied, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return copied
}

func textFile(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// cells returns the rows of a sheet as package feed sees them: each cell with all that is known of it but its style's number.
func cells(t testing.TB, s *Sheet, columns int) map[int][]string {
	t.Helper()
	rows, err := s.Rows()
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[int][]string{}
	for rows.Next() {
		r := rows.Row()
		var list []string
		for i := range min(len(r.Cells), columns) {
			c := Cell{}
			if i < len(r.Typed) {
				c = r.Typed[i]
			}
			said := r.Cells[i] + describe(Cell{Kind: c.Kind, Inexact: c.Inexact, Hidden: c.Hidden}) + " shown " + r.Shown(i)
			if c.Style != nil && c.Kind != Text && *c.Style != (Style{ID: c.Style.ID, builtIn: c.Style.builtIn}) {
				said += fmt.Sprint(" class ", c.Style.Class, " zeros ", c.Style.Zeros)
			}
			list = append(list, said)
		}
		for len(list) > 0 && list[len(list)-1] == " shown " {
			list = list[:len(list)-1]
		}
		if len(list) > 0 {
			all[r.Line] = list
		}
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return all
}

// inline returns a cell with a text.
func inline(at, text string) string {
	return `<c r="` + at + `" t="inlineStr"><is><t>` + text + `</t></is></c>`
}

// typedBook is a workbook with a cell of every kind and format.
func typedBook(t testing.TB) string {
	return newSheets("Precios Ñ", `<row r="2">`+inline("A2", "Lista de precios")+`</row>`+
		`<row r="4">`+inline("A4", "SKU")+inline("B4", "Precio")+inline("C4", "EAN")+inline("D4", "Activo")+inline("E4", "Desde")+
		inline("F4", "Nota")+`</row>`+
		`<row r="5"><c r="A5" s="1"><v>42</v></c><c r="B5" s="2"><v>1234.5</v></c><c r="C5"><v>7791234567898</v></c>`+
		`<c r="D5" t="b"><v>1</v></c><c r="E5" s="3"><v>46000</v></c>`+inline("F5", "=1+1")+`</row>`+
		`<row r="6"><c r="A6" s="1"><v>7</v></c>`+inline("B6", "consultar")+`<c r="C6"><v>7.79123456789E+12</v></c>`+
		`<c r="D6" t="b"><v>0</v></c><c r="E6" s="3"><v>46000.5</v></c>`+inline("F6", " con espacios &amp; &lt;b&gt; ")+`</row>`+
		`<row r="7" hidden="1"><c r="A7"><v>12345678901234567</v></c><c r="B7"><v>8.4000000000000004</v></c>`+
		`<c r="D7" s="4"><v>0.15</v></c><c r="F7" s="5"><v>1234567</v></c></row>`+
		`<row r="9"><c r="A9"><f>A5*2</f><v>84</v></c><c r="B9" t="e"><v>#N/A</v></c><c r="C9" s="6"><v>5</v></c>`+
		`<c r="F9"><f>B5*2</f></c></row>`+
		`<row r="10"><c r="A10"><v>99</v></c></row>`).
		withFormats("00000", "#,##0.00", "dd/mm/yyyy", "0.0%", "000-0000", "@").save(t)
}

func typedMarks() map[int]Mark {
	return map[int]Mark{
		6:  {Text: "Precio: “consultar” no es un precio.", Wrong: []string{"Precio"}},
		9:  {Text: "Precio: #N/A.\nFila corta.", Wrong: []string{"Precio"}, Doubtful: []string{"EAN"}},
		10: {Text: "Precio: falta.", Wrong: []string{"Precio"}},
	}
}

func TestAnnotateKeepsCells(t *testing.T) {
	n := Annotation{Header: 4, Title: "Gondola: qué corregir", Marks: typedMarks(), Help: BookSheet{
		Name: "Precios ñ", Columns: []BookColumn{{Kind: ColumnProse, Width: 60}}, Rows: [][]BookCell{{{Text: "Ayuda"}}},
	}}
	path := typedBook(t)
	want := cells(t, openBook(t, path, Options{}).Sheets()[0], 6)
	copied := openBook(t, annotated(t, path, n), Options{})
	got := cells(t, copied.Sheets()[0], 6)
	// What has no value is told as the text that is shown.
	want[9] = []string{"84 number shown 84", "#N/A shown #N/A", want[9][2], " shown ", " shown ", "#N/A shown #N/A"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cells differ (-want +got):\n%s", diff)
	}
	if name := copied.Sheets()[0].Name; name != "Precios Ñ" {
		t.Errorf("the sheet is called %q", name)
	}
	if name := copied.Sheets()[1].Name; name != "2 Precios ñ" {
		t.Errorf("the help is called %q", name)
	}
	rows, err := read(t, copied.Sheets()[0])
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(rows[1], "|Gondola: qué corregir") || !strings.Contains(rows[3], "|Precio: “consultar” no es un precio.") {
		t.Errorf("rows are %q", rows)
	}
	for _, r := range rows {
		line, _, _ := strings.Cut(r, ":")
		if out := slices.Contains([]string{"5", "7"}, strings.TrimSuffix(line, " hidden")); out != strings.HasSuffix(line, " hidden") {
			t.Errorf("row %s: only rows without a mark are to be out of sight", line)
		}
	}
}

// Formats without a code of their own keep what they do to a number.
func TestAnnotateKeepsBuiltInFormats(t *testing.T) {
	row, formats := "", ""
	for i, id := range []int{1, 2, 9, 10, 11, 12, 14, 22, 30, 45, 49, 57, 99} {
		at, err := excelize.CoordinatesToCellName(i+1, 2)
		if err != nil {
			t.Fatal(err)
		}
		row += fmt.Sprintf(`<c r="%s" s="%d"><v>46000.25</v></c>`, at, i)
		formats += fmt.Sprintf(`<xf numFmtId="%d"/>`, id)
	}
	path := newSheets("a", `<row r="1">`+inline("A1", "SKU")+`</row><row r="2">`+row+`</row>`).
		with("styles", xmlHead+`<styleSheet><cellXfs>`+formats+`</cellXfs></styleSheet>`).save(t)
	want := cells(t, openBook(t, path, Options{}).Sheets()[0], 13)
	got := cells(t, openBook(t, annotated(t, path, Annotation{Header: 1, Title: "T"}), Options{}).Sheets()[0], 13)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cells differ (-want +got):\n%s", diff)
	}
}

// A copy of a copy has one added column, and forgets the marks of the first.
func TestAnnotateCopies(t *testing.T) {
	n := Annotation{Header: 4, Title: "Gondola: qué corregir", Marks: typedMarks()}
	first := annotated(t, typedBook(t), n)
	n.Marks = map[int]Mark{10: {Text: "otra cosa", Mild: true}}
	got, err := read(t, openBook(t, annotated(t, first, n), Options{}).Sheets()[0])
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(got, "\n")
	if strings.Count(all, n.Title) != 1 || strings.Contains(all, "no es un precio") || strings.Count(all, "otra cosa") != 1 {
		t.Errorf("rows are:\n%s", all)
	}
}

func TestAnnotateText(t *testing.T) {
	const content = "SKU;EAN;Precio;Nota\n00012;0779123456789;1.234,50;=HYPERLINK(\"x\")\n\n" +
		"00013;7,79E+12;consultar;@SUM(A1)\n00014;1;-3,5;+59899\n00015;2\n"
	path := textFile(t, "precios.csv", content)
	n := Annotation{
		Header: 1, Title: "Gondola: what to correct", Sheet: "precios [1]", Codes: []string{"SKU", "EAN"},
		Marks: map[int]Mark{
			4: {Text: "Precio: no", Wrong: []string{"Precio"}, Doubtful: []string{"EAN"}},
			6: {Text: "corta", Wrong: []string{"Precio"}},
		},
	}
	want := cells(t, openBook(t, path, Options{}).Sheets()[0], 4)
	copied := annotated(t, path, n)
	s := openBook(t, copied, Options{}).Sheets()[0]
	if diff := cmp.Diff(want, cells(t, s, 4)); diff != "" {
		t.Errorf("cells differ (-want +got):\n%s", diff)
	}
	if s.Name != "precios  1" {
		t.Errorf("the sheet is called %q", s.Name)
	}
	noFormulas(t, copied)

	f, err := excelize.OpenFile(copied)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for at, want := range map[string]struct {
		format int
		color  string
	}{
		"A2": {49, ""}, "A60": {49, ""}, "D2": {49, ""}, "D4": {49, ""}, "D5": {0, ""},
		"B4": {49, "FFEB9C"}, "C4": {0, "FFC7CE"}, "C6": {0, "FFC7CE"}, "C5": {0, ""}, "E1": {49, "9C0006"},
	} {
		id, err := f.GetCellStyle(s.Name, at)
		if err != nil {
			t.Fatal(err)
		}
		style, err := f.GetStyle(id)
		if err != nil {
			t.Fatal(err)
		}
		color := strings.Join(style.Fill.Color, "")
		if style.NumFmt != want.format || color != want.color {
			t.Errorf("%s has format %d and color %q, want %d and %q", at, style.NumFmt, color, want.format, want.color)
		}
	}
	if panes, err := f.GetPanes(s.Name); err != nil || !panes.Freeze || panes.YSplit != 1 {
		t.Errorf("the titles do not stay: %+v, %v", panes, err)
	}
	filter := parts(t, copied)["xl/worksheets/sheet1.xml"]
	if !strings.Contains(filter, `<autoFilter ref="$A$1:$E$6">`) || !strings.Contains(filter, `<filterColumn colId="4">`) {
		t.Errorf("the filter is not set")
	}
	if !strings.Contains(filter, `<cols><col min="1"`) {
		t.Error("the columns are not in order")
	}
	if !strings.Contains(filter, `<row r="3" hidden="1">`) {
		t.Errorf("the blank line is in sight:\n%s", filter)
	}
}

func parts(t testing.TB, path string) map[string]string {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	all := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		all[f.Name] = string(data)
	}
	return all
}

// noFormulas fails for a formula anywhere in the workbook.
func noFormulas(t testing.TB, path string) {
	t.Helper()
	for name, content := range parts(t, path) {
		if strings.Contains(content, "<f>") || strings.Contains(content, "<f ") {
			t.Errorf("%s has a formula", name)
		}
	}
}

func TestAnnotateOnlyMarked(t *testing.T) {
	n := Annotation{Header: 4, Title: "Gondola: qué corregir", Marks: typedMarks(), OnlyMarked: true}
	got, err := read(t, openBook(t, annotated(t, typedBook(t), n), Options{}).Sheets()[0])
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, r := range got {
		line, _, _ := strings.Cut(r, "|")
		lines = append(lines, line)
	}
	if diff := cmp.Diff([]string{"1: SKU", "2: 7 number shown 00007", "3: 84 number", "4: 99 number"}, lines); diff != "" {
		t.Errorf("rows differ (-want +got):\n%s", diff)
	}
}

func TestAnnotateWithoutTitlesOrMarks(t *testing.T) {
	for _, n := range []Annotation{
		{},
		{Marks: map[int]Mark{2: {Text: "x"}, 99: {Text: "y"}}},
		{Header: 1, Title: "T"},
		{Header: 50, Title: "T", Marks: map[int]Mark{2: {Text: "x"}}},
	} {
		got, err := read(t, openBook(t, annotated(t, textFile(t, "a.csv", "SKU,Precio\nA1,10\n"), n), Options{}).Sheets()[0])
		if err != nil || len(got) != 2 {
			t.Errorf("%+v: rows %q, error %v", n, got, err)
		}
	}
}

func TestAnnotateRefusesLongSheets(t *testing.T) {
	path := textFile(t, "long.csv", "SKU,Precio\n"+strings.Repeat("A1,10\n", MaxAnnotated))
	s := openBook(t, path, Options{}).Sheets()[0]
	n := Annotation{Header: 1, Title: "T", Marks: map[int]Mark{9: {Text: "x"}}}
	if err := Annotate(io.Discard, s, n); !errors.Is(err, ErrTooLong) {
		t.Errorf("error %v, want ErrTooLong", err)
	}
	n.OnlyMarked = true
	if err := Annotate(io.Discard, s, n); err != nil {
		t.Errorf("only the marked rows: %v", err)
	}
}

func TestLooksLikeFormula(t *testing.T) {
	for _, s := range []string{"=1", "+59899 12", "-x", "@a", "\t1", "\r=", "=", "-", "+1+1"} {
		if !looksLikeFormula(s) {
			t.Errorf("%q is let through", s)
		}
	}
	for _, s := range []string{"", "a=1", "-3", "-3,5", "+2.50", " =1", "ñ", "10"} {
		if looksLikeFormula(s) {
			t.Errorf("%q is taken for a formula", s)
		}
	}
}

func TestSheetName(t *testing.T) {
	for _, c := range []struct{ name, or, want string }{
		{"Precios", "x", "Precios"},
		{"", "precios/2026", "precios 2026"},
		{"", strings.Repeat("ñ", 40), strings.Repeat("ñ", 31)},
		{strings.Repeat("😀", 20), "", strings.Repeat("😀", 15)},
		{"'a'", "", "a"},
		{"\xff", "", "1"},
		{"[]", "", "1"},
	} {
		if got := sheetName(c.name, c.or); got != c.want {
			t.Errorf("sheetName(%q, %q) = %q, want %q", c.name, c.or, got, c.want)
		}
	}
}

// BenchmarkAnnotate copies a text of 100,000 rows with 20 columns.
func BenchmarkAnnotate(b *testing.B) {
	row := "00012;7791234567898;Yerba mate compuesta 1 kg;1.234,50" + strings.Repeat(";algo", 16) + "\n"
	path := textFile(b, "precios.csv", "SKU;EAN;Nombre;Precio"+strings.Repeat(";X", 16)+"\n"+strings.Repeat(row, 100_000))
	s := openBook(b, path, Options{}).Sheets()[0]
	n := Annotation{Header: 1, Title: "T", Codes: []string{"SKU"}, Marks: map[int]Mark{500: {Text: "x", Wrong: []string{"Precio"}}}}
	for b.Loop() {
		if err := Annotate(io.Discard, s, n); err != nil {
			b.Fatal(err)
		}
	}
}
