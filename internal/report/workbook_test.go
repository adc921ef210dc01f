package report

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"gondola/internal/catalog"
	"gondola/internal/feed"
	"gondola/internal/table"
)

// export is a price list with something wrong in many of its rows.
const export = "Lista de precios;;;;;\n" +
	"Sucursal;SKU;Código de barras;Precio;Stock;Descripción\n" +
	"001;00012;7791234567898;1.234,50;10;Yerba 1 kg\n" +
	"001;00013;7,79E+12;consultar;3;=HYPERLINK(A1)\n" +
	"009;00014;7791234567898;99,90;1;@cmd\n" +
	"001;;7791234567898;15,00;2;sin código\n" +
	"001;00015;7791234567899;0,00;-3;+598 99\n" +
	"001;00016;;12,00;4;\"dos\nlíneas\"\n" +
	"001;00017;;13,50;5;bien\n" +
	"TOTAL;;;;29;\n"

func spec() feed.Spec {
	return feed.Spec{
		By: catalog.BySKU, PriceDecimals: 2, Source: feed.VendorSource{Column: "Sucursal"},
		Vendors: []catalog.Vendor{{ID: "290056", ERPCode: "001", Name: "Centro"}},
	}
}

// convert returns what package feed makes of a file: its records as text, and the result.
func convert(t *testing.T, path string) ([]string, feed.Result) {
	t.Helper()
	var all []string
	result, err := feed.Convert(context.Background(), spec(), path, filepath.Base(path), func(r feed.Record) error {
		all = append(all, fmt.Sprintf("%+v", r))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all, result
}

// answerOf is the answer for a result, as the daemon makes it.
func answerOf(lang, name string, r feed.Result) Answer {
	a := Answer{
		Language: lang, Name: name, Seq: 7, Verdict: AcceptedWithIssues, Rows: r.Rows, RowsRejected: r.Rejected, Issues: r.Issues, Counts: r.Counts,
		Reading: Reading{Sheet: r.Format.Sheet, HeaderRow: r.Header.Row},
	}
	for _, c := range r.Header.Columns {
		a.Reading.Columns = append(a.Reading.Columns, Column{Role: string(c.Role), Header: c.Name, Number: c.Index + 1})
	}
	return a
}

// open opens the sheet with rows of a file.
func open(t *testing.T, path string) *table.Sheet {
	t.Helper()
	tab, err := table.Open(path, table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tab.Close() })
	return tab.Sheets()[0]
}

// bookExport writes an export as a workbook with numbers, a date and codes, and returns its path.
func bookExport(t *testing.T) string {
	t.Helper()
	text := func(s string) table.BookCell { return table.BookCell{Text: s} }
	number := func(s string) table.BookCell { return table.BookCell{Kind: table.Number, Text: s} }
	var b bytes.Buffer
	err := table.WriteBook(&b, []table.BookSheet{{
		Name: "Precios",
		Columns: []table.BookColumn{
			{Header: "Sucursal"},
			{Header: "SKU"},
			{Header: "Precio", Kind: table.ColumnMoney},
			{Header: "Stock", Kind: table.ColumnCount},
			{Header: "Desde", Kind: table.ColumnDay},
			{Header: "Descripción"},
		},
		Rows: [][]table.BookCell{
			{text("001"), text("00012"), number("1234.5"), number("3"), {Kind: table.Date, Text: "2026-05-08"}, text("=1+1")},
			{text("001"), text("00013"), text("consultar"), number("3.5"), {}, text("  con espacios ")},
			{text("001"), number("14"), number("8.4"), text("muchos"), {}, {}},
			{text("001"), text("00015"), number("9.999"), number("-2"), {}, text("_x0041_")},
			{text("001"), text("00016"), number("15"), number("2"), {}, {}},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return save(t, "precios.xlsx", b.String())
}

func save(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// The copy, dropped as it is, says what the original said: the same records, the same issues, the same columns.
func TestWorkbookIsReadAsItsOriginal(t *testing.T) {
	for _, path := range []string{save(t, "precios.csv", export), bookExport(t)} {
		for _, lang := range Languages() {
			t.Run(lang+"/"+filepath.Ext(path), func(t *testing.T) {
				records, result := convert(t, path)
				if result.Rejected < 2 || result.Records < 2 {
					t.Fatalf("the export is no example: %+v", result)
				}
				folder := t.TempDir()
				a := answerOf(lang, filepath.Base(path), result)
				if written, err := WriteWorkbook(folder, a, open(t, path)); err != nil || !written {
					t.Fatalf("written %v, error %v", written, err)
				}
				again, read := convert(t, WorkbookPath(folder, a))
				if diff := cmp.Diff(records, again); diff != "" {
					t.Errorf("records differ (-want +got):\n%s", diff)
				}
				// What the filter hides is told, and nothing else is new. A short row of a text is a whole one in a sheet.
				delete(read.Counts, catalog.RowHidden)
				if diff := cmp.Diff(result.Counts, read.Counts); diff != "" {
					t.Errorf("issues differ (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(columnNames(result), columnNames(read)); diff != "" {
					t.Errorf("columns differ (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func columnNames(r feed.Result) []string {
	var all []string
	for _, c := range r.Header.Columns {
		all = append(all, fmt.Sprint(c.Role, c.Name, c.Index))
	}
	return all
}

// Only what was repaired changes.
func TestWorkbookRepaired(t *testing.T) {
	path := save(t, "precios.csv", export)
	records, result := convert(t, path)
	folder := t.TempDir()
	a := answerOf(Spanish, "precios.csv", result)
	if _, err := WriteWorkbook(folder, a, open(t, path)); err != nil {
		t.Fatal(err)
	}
	copied := WorkbookPath(folder, a)
	f, err := excelize.OpenFile(copied)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := f.GetCellValue("precios", "D4"); err != nil || got != "consultar" {
		t.Fatalf("D4 is %q, error %v", got, err)
	}
	// As a person does: a number typed into a cell.
	if err := errors.Join(f.SetCellValue("precios", "D4", 55.5), f.Save(), f.Close()); err != nil {
		t.Fatal(err)
	}
	again, _ := convert(t, copied)
	for i := range records {
		if changed := records[i] != again[i]; changed != strings.Contains(records[i], "00013") {
			t.Errorf("record %d was %s and is %s", i, records[i], again[i])
		}
	}
	if !strings.Contains(strings.Join(again, "\n"), "Price:55.5 ") {
		t.Errorf("the repaired price is not read: %q", again)
	}
}

// A row with a cell too many looks like a whole one in a sheet. What stands below the wrong titles must not come back as data.
func TestWorkbookOfShiftedRow(t *testing.T) {
	content := "SKU;Descripción;Precio;Stock\n1;Arroz;10,50;3\n2;Vino; 750 ml;20;5\n3;Sal;7,25;1\n"
	path := save(t, "precios.csv", content)
	one := spec()
	one.Source = feed.VendorSource{IDs: []string{"290056"}}
	read := func(path string) (keys []string, r feed.Result) {
		r, err := feed.Convert(context.Background(), one, path, "precios.csv", func(rec feed.Record) error {
			if !rec.Rejected {
				keys = append(keys, rec.Item.SKU+" "+rec.Item.Price.String())
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return keys, r
	}
	want, result := read(path)
	if result.Counts[catalog.RowLong] != 1 {
		t.Fatalf("issues are %v", result.Issues)
	}
	folder := t.TempDir()
	a := answerOf(Spanish, "precios.csv", result)
	if _, err := WriteWorkbook(folder, a, open(t, path)); err != nil {
		t.Fatal(err)
	}
	got, again := read(WorkbookPath(folder, a))
	if diff := cmp.Diff(want, got); diff != "" || again.Rejected != 1 || again.Keyless["290056"] != 1 {
		t.Errorf("records differ (-want +got):\n%s%+v", diff, again)
	}
	rows, err := open(t, WorkbookPath(folder, a)).Rows()
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for range 3 {
		rows.Next()
	}
	if said := rows.Row().Cells; !strings.HasSuffix(said[len(said)-1], "La fila era:\n2 | Vino |  750 ml | 20 | 5") {
		t.Errorf("the row is %q", said)
	}
}

// What the last column says, by language.
func TestWorkbookSays(t *testing.T) {
	path := save(t, "precios.csv", export)
	_, result := convert(t, path)
	for lang, want := range map[string]map[string]string{
		Spanish: {
			"G2": "Gondola: qué corregir", "G3": "", "G9": "",
			"G4": "Precio: “consultar” no es un precio. Escriba solo el número, por ejemplo 1234,50.\n" +
				"Código de barras: “7,79E+12” perdió dígitos; el artículo se tomó sin código de barras. Exporte otra vez sin abrir el archivo en " +
				"Excel, o dé a la columna el formato Texto.",
		},
		Portuguese: {"G2": "Gondola: o que corrigir", "G5": "Sucursal: não conhecemos a loja “009”. "},
		English:    {"G2": "Gondola: what to correct", "G6": "SKU: there is no article code"},
	} {
		var b bytes.Buffer
		if err := Workbook(&b, answerOf(lang, "precios.csv", result), open(t, path)); err != nil {
			t.Fatal(err)
		}
		f, err := excelize.OpenReader(&b)
		if err != nil {
			t.Fatal(err)
		}
		for at, want := range want {
			got, err := f.GetCellValue("precios", at)
			if err != nil || !strings.HasPrefix(got, want) || want == "" && got != "" {
				t.Errorf("%s: %s is %q, %v, want %q", lang, at, got, err, want)
			}
		}
		help := newWords(lang).say("workbook.help")
		rows, err := f.GetRows(help)
		if err != nil || len(rows) < 4 {
			t.Errorf("%s: the help is %q, %v", lang, rows, err)
		}
		if got := f.GetSheetName(f.GetActiveSheetIndex()); got != "precios" {
			t.Errorf("%s: the workbook opens with sheet %q", lang, got)
		}
		f.Close()
	}
}

// The title of the added column is no word that exports use for anything.
func TestWorkbookColumnIsUnknown(t *testing.T) {
	for _, lang := range Languages() {
		title := newWords(lang).say("workbook.column")
		if !strings.HasPrefix(title, "Gondola") {
			t.Errorf("%s: %q does not tell whose it is", lang, title)
		}
		_, result := convert(t, save(t, "a.csv", "Sucursal;SKU;Precio;"+title+"\n001;1;10,50;x\n"))
		if result.Refused || len(result.Header.Columns) != 3 || result.Records != 1 {
			t.Errorf("%s: %q is taken for something: %+v", lang, title, result)
		}
	}
}

func TestWriteWorkbook(t *testing.T) {
	path := save(t, "precios.csv", export)
	_, result := convert(t, path)
	folder := t.TempDir()
	a := answerOf(Spanish, "precios.csv", result)
	if written, err := WriteWorkbook(folder, a, open(t, path)); err != nil || !written {
		t.Fatalf("written %v, error %v", written, err)
	}
	if want := filepath.Join(folder, "respuestas", "precios.csv.corregir.xlsx"); WorkbookPath(folder, a) != want {
		t.Errorf("it lies at %s, want %s", WorkbookPath(folder, a), want)
	}
	// Of a later file of the name there is nothing to mark.
	good := a
	good.Issues = slices.DeleteFunc(slices.Clone(a.Issues), func(is catalog.Issue) bool { return is.Severity != catalog.Note })
	if len(good.Issues) == 0 || Marked(good) || !Marked(a) {
		t.Errorf("marked %v and %v", Marked(good), Marked(a))
	}
	for range 2 {
		if written, err := WriteWorkbook(folder, good, open(t, path)); err != nil || written {
			t.Errorf("written %v, error %v", written, err)
		}
	}
	if entries, err := os.ReadDir(filepath.Join(folder, "respuestas")); err != nil || len(entries) != 0 {
		t.Errorf("left are %v, %v", entries, err)
	}
	a.Name = "../x.csv"
	if _, err := WriteWorkbook(folder, a, open(t, path)); err == nil {
		t.Error("a path is taken for a name")
	}
	a.Name = "x.csv"
	if _, err := WriteWorkbook(filepath.Join(folder, "gone"), a, open(t, path)); err == nil || !strings.Contains(err.Error(), "permission") {
		t.Errorf("missing folder: %v", err)
	}
}

// The copy of a copy does not get a longer name with every round.
func TestWorkbookName(t *testing.T) {
	for name, want := range map[string]string{
		"precios.csv":               "precios.csv.corregir.xlsx",
		"precios.csv.corregir.xlsx": "precios.csv.corregir.xlsx",
		strings.Repeat("a", 255):    strings.Repeat("a", 239) + "~7.corregir.xlsx",
	} {
		if got := workbookName(Answer{Name: name, Seq: 7}); got != want || len(got) > maxFileName {
			t.Errorf("workbook of %q is %q, want %q", name, got, want)
		}
	}
}

// A file that is too long is copied in part, unless the part would speak for all.
func TestWorkbookOfLongFile(t *testing.T) {
	path := save(t, "long.csv", "Sucursal;SKU;Precio\n001;1;x\n"+strings.Repeat("001;2;10,50\n", table.MaxAnnotated))
	a := Answer{
		Name: "long.csv", Language: English, Reading: Reading{HeaderRow: 1}, Counts: map[catalog.Code]int{catalog.PriceText: 9},
		Issues: []catalog.Issue{row(catalog.PriceText, catalog.Error, 2, "Precio", "x")},
	}
	folder := t.TempDir()
	if written, err := WriteWorkbook(folder, a, open(t, path)); written || err != nil {
		t.Errorf("of a full export: written %v, error %v", written, err)
	}
	a.Partial = true
	if written, err := WriteWorkbook(folder, a, open(t, path)); !written || err != nil {
		t.Fatalf("of a partial export: written %v, error %v", written, err)
	}
	f, err := excelize.OpenFile(WorkbookPath(folder, a))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows("long")
	if err != nil || len(rows) != 2 || !strings.HasPrefix(rows[1][3], "Row 2: Precio: ") {
		t.Errorf("rows %q, error %v", rows, err)
	}
	help, err := f.GetRows("Help")
	if said := fmt.Sprint(help); err != nil || !strings.Contains(said, "too long") || !strings.Contains(said, "8 more problems") {
		t.Errorf("the help is %q, %v", help, err)
	}
}
