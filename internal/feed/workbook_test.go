package feed

import (
	"archive/zip"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gondola/internal/catalog"
	"gondola/internal/table"
)

// testFormats are the number formats of the cells' styles 1, 2, … in the workbooks of these tests.
var testFormats = []string{"0000000000000", "0%", "dd/mm/yyyy", "0.00E+00", "000-0000"}

// workbook saves a workbook with sheets, given as a name and the XML of the rows in turn; a name that begins with "-" is hidden.
func workbook(t testing.TB, sheets ...string) string {
	t.Helper()
	const types = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
	path := filepath.Join(t.TempDir(), "export.xlsx")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	add := func(name, format string, args ...any) {
		w, err := z.Create(name)
		if err == nil {
			_, err = fmt.Fprintf(w, format, args...)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	add("_rels/.rels", `<Relationships><Relationship Id="a" Type="%sofficeDocument" Target="xl/workbook.xml"/></Relationships>`, types)
	list, links, formats, cells := "", "", "", "<xf/>"
	for i := 0; i < len(sheets); i += 2 {
		name, hidden := strings.CutPrefix(sheets[i], "-")
		list += fmt.Sprintf(`<sheet name="%s" r:id="s%d"%s/>`, name, i, map[bool]string{true: ` state="hidden"`}[hidden])
		links += fmt.Sprintf(`<Relationship Id="s%d" Type="%sworksheet" Target="sheet%d.xml"/>`, i, types, i)
		add(fmt.Sprintf("xl/sheet%d.xml", i), `<worksheet><cols><col min="9" max="9" hidden="1"/></cols><sheetData>%s</sheetData></worksheet>`, sheets[i+1])
	}
	for i, code := range testFormats {
		formats += fmt.Sprintf(`<numFmt numFmtId="%d" formatCode="%s"/>`, 164+i, code)
		cells += fmt.Sprintf(`<xf numFmtId="%d"/>`, 164+i)
	}
	add("xl/workbook.xml", `<workbook><sheets>%s</sheets></workbook>`, list)
	add("xl/_rels/workbook.xml.rels", `<Relationships>%s<Relationship Id="st" Type="%sstyles" Target="styles.xml"/></Relationships>`, links, types)
	add("xl/styles.xml", `<styleSheet><numFmts>%s</numFmts><cellXfs>%s</cellXfs></styleSheet>`, formats, cells)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// texts returns a row of text cells; "" is a cell that is not there.
func texts(line int, cells ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<row r="%d">`, line)
	for i, c := range cells {
		if c == "" {
			continue
		}
		fmt.Fprintf(&b, `<c r="%c%d" t="inlineStr"><is><t>`, 'A'+i, line)
		if err := xml.EscapeText(&b, []byte(c)); err != nil {
			panic(err) // a strings.Builder takes everything
		}
		b.WriteString(`</t></is></c>`)
	}
	return b.String() + "</row>"
}

// convertedFile converts the file at path.
func convertedFile(t testing.TB, s Spec, path string) ([]Record, Result) {
	t.Helper()
	var records []Record
	res, err := Convert(t.Context(), s, path, filepath.Base(path), func(r Record) error {
		records = append(records, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return records, res
}

// Every export of the table of CSV files says the same when its cells are texts of a sheet, but for what only a text can be: too
// long or too short in a row.
func TestTextCellsReadAsCSV(t *testing.T) {
	for _, c := range exports {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "ragged rows" || c.refused && strings.HasPrefix(c.issues[0], "G-FILE") && !strings.Contains(c.issues[0], "G-FILE-06") {
				return // about texts as such
			}
			csv := filepath.Join(t.TempDir(), "export.csv")
			if err := os.WriteFile(csv, []byte(strings.Join(c.lines, "\n")+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			records, res := convertedFile(t, c.spec, workbook(t, "Hoja1", sheetOf(t, csv)))
			wantLines(t, "records", said(records), c.records...)
			wantLines(t, "issues", told(res.Issues), c.issues...)
			if res.Refused != c.refused {
				t.Errorf("refused %v, want %v", res.Refused, c.refused)
			}
			for _, is := range res.Issues {
				if is.Sheet != "Hoja1" {
					t.Errorf("issue %+v does not name the sheet", is)
				}
			}
		})
	}
}

// sheetOf returns the rows of a CSV file as those of a sheet.
func sheetOf(t *testing.T, csv string) string {
	t.Helper()
	tab, err := table.Open(csv, table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := tab.Sheets()[0].Rows()
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := ""
	for rows.Next() {
		all += texts(rows.Row().Line, rows.Row().Cells...)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTypedCells(t *testing.T) {
	head := texts(1, "Código", "EAN", "Precio", "Activo", "Stock")
	for _, c := range []struct {
		name            string
		spec            Spec
		rows            string
		records, issues []string
	}{
		{
			name: "numbers need no convention, texts beside them prove their own",
			rows: `<row><c><v>1001</v></c><c r="C2"><v>1.234</v></c></row><row><c><v>1002.0</v></c><c r="C3" t="inlineStr"><is><t>1.234,50</t></is></c></row>` +
				`<row><c><v>1003</v></c><c r="C4" t="inlineStr"><is><t>1.234</t></is></c></row><row><c><v>1004</v></c><c r="C5"><v>8.4000000000000004</v></c></row>`,
			records: []string{"2 A1 1001/ price=1.23", "3 A1 1002/ price=1234.5", "4 A1 1003/ price=1234", "5 A1 1004/ price=8.4"},
			issues:  []string{"G-PRICE-05 note 2 Precio [1.234|1.23]"},
		},
		{
			name:    "numbers prove nothing for texts",
			rows:    `<row><c><v>1</v></c><c r="C2"><v>10.5</v></c></row><row><c><v>2</v></c><c r="C3" t="inlineStr"><is><t>1.234</t></is></c></row>`,
			records: []string{"2 A1 1/ price=10.5", "3 A1 2/ rejected"},
			issues:  []string{"G-PRICE-03 error 3 Precio [1.234|Precio]"},
		},
		{
			name: "long numbers",
			rows: `<row><c><v>123456789012345</v></c><c s="4"><v>7790895000997</v></c><c><v>1</v></c></row>` +
				`<row><c><v>1.2345678901234E14</v></c><c><v>7.790895000997E12</v></c><c><v>2</v></c></row>` +
				`<row><c><v>1234567890123456</v></c><c t="inlineStr"><is><t>7,79E+12</t></is></c><c><v>3</v></c></row>` +
				`<row><c><v>1234567890123450</v></c><c r="C5"><v>4</v></c></row>` +
				`<row><c><v>1.2345678901234501E+19</v></c><c r="C6"><v>5</v></c></row>` +
				`<row><c t="inlineStr"><is><t>1,23E+14</t></is></c><c r="C7"><v>6</v></c></row>`,
			records: []string{
				"2 A1 123456789012345/7790895000997 price=1", "3 A1 123456789012340/7790895000997 price=2", "4 A1 1234567890123456/ price=3",
			},
			issues: []string{
				"G-BARCODE-02 warning 4 EAN [7,79E+12]", "G-KEY-02 error 5 Código [1234567890123450]",
				"G-KEY-02 error 6 Código [12345678901234500000]", "G-KEY-02 error 7 Código [1,23E+14]",
			},
		},
		{
			name:    "zeros that the format shows",
			rows:    `<row><c s="1"><v>42</v></c><c s="1"><v>12345678905</v></c><c><v>1</v></c></row>`,
			records: []string{"2 A1 0000000000042/0012345678905 price=1"},
		},
		{
			name: "codes that are none by their type",
			rows: `<row><c t="b"><v>1</v></c><c r="C2"><v>1</v></c></row><row><c s="3"><v>46359</v></c><c r="C3"><v>1</v></c></row>` +
				`<row><c s="5"><v>71234</v></c><c r="C4"><v>1</v></c></row><row><c s="2"><v>0.5</v></c><c r="C5"><v>1</v></c></row>` +
				`<row><c t="e"><v>#REF!</v></c><c r="C6"><v>1</v></c></row><row><c><f>A1&amp;"x"</f></c><c r="C7"><v>1</v></c></row>` +
				`<row><c><v>7</v></c><c s="3"><v>46359</v></c><c><v>1</v></c></row>`,
			records: []string{"8 A1 7/ price=1"},
			issues: []string{
				"G-KEY-02 error 2 Código [TRUE]", "G-KEY-02 error 3 Código [2026-12-03]", "G-KEY-02 error 4 Código [71234]",
				"G-KEY-02 error 5 Código [50%]", "G-CELL-01 error 6 Código [#REF!]", `G-CELL-02 error 7 Código [=A1&"x"]`,
				"G-BARCODE-03 warning 8 EAN [2026-12-03]",
			},
		},
		{
			name: "cells that are no price, no stock and no flag",
			rows: `<row><c><v>1</v></c><c r="C2" s="2"><v>0.15</v></c></row><row><c><v>2</v></c><c r="C3" s="3"><v>46359</v></c></row>` +
				`<row><c><v>3</v></c><c r="C4" t="b"><v>1</v></c></row><row><c><v>4</v></c><c r="C5" t="e"><v>#N/A</v></c></row>` +
				`<row><c><v>5</v></c><c r="C6"><f>C5*1.22</f><v></v></c></row><row><c><v>6</v></c><c r="E7" s="2"><v>0.15</v></c></row>` +
				`<row><c><v>7</v></c><c r="E8" t="b"><v>0</v></c></row><row><c><v>8</v></c><c r="E9"><f>1+1</f></c></row>` +
				`<row><c><v>9</v></c><c r="D10" t="e"><v>#N/A</v></c></row><row><c><v>10</v></c><c r="D11" t="b"><v>0</v></c><c><v>2.5</v></c></row>`,
			records: []string{
				"2 A1 1/ rejected", "3 A1 2/ rejected", "4 A1 3/ rejected", "5 A1 4/ rejected", "6 A1 5/ rejected", "7 A1 6/ rejected",
				"8 A1 7/ rejected", "9 A1 8/ rejected", "10 A1 9/ rejected", "11 A1 10/ active=false quantity=2",
			},
			issues: []string{
				"G-PRICE-06 error 2 Precio [15%]", "G-PRICE-01 error 3 Precio [2026-12-03]", "G-PRICE-01 error 4 Precio [TRUE]",
				"G-CELL-01 error 5 Precio [#N/A]", "G-CELL-02 error 6 Precio [=C5*1.22]", "G-QTY-01 error 7 Stock [15%]",
				"G-QTY-01 error 8 Stock [FALSE]", "G-CELL-02 error 9 Stock [=1+1]", "G-CELL-01 error 10 Activo [#N/A]",
				"G-QTY-03 note 11 Stock [2.5|2]",
			},
		},
		{
			name:    "hidden rows are read and told, remarks beside the table are not",
			rows:    `<row hidden="1"><c><v>1</v></c><c r="C2"><v>5</v></c></row><row hidden="1"/><row><c><v>2</v></c><c r="C4"><v>6</v></c><c r="H4" t="inlineStr"><is><t>ver</t></is></c></row>`,
			records: []string{"2 A1 1/ price=5", "4 A1 2/ price=6"},
			issues:  []string{"G-ROW-07 note 0  [1]"},
		},
		{
			name:    "stores by number, error or formula",
			spec:    specFor(func(s *Spec) { s.Source = VendorSource{Column: "Stock"} }),
			rows:    `<row><c><v>1</v></c><c r="C2"><v>5</v></c><c r="E2"><v>2</v></c></row><row><c><v>2</v></c><c r="C3"><v>5</v></c><c r="E3" t="e"><v>#N/A</v></c></row>`,
			records: []string{"2 B2 1/ price=5"},
			issues:  []string{"G-CELL-01 error 3 Stock [#N/A]"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := c.spec
			if spec.By == "" {
				spec = specFor()
			}
			records, res := convertedFile(t, spec, workbook(t, "Hoja1", head+c.rows))
			wantLines(t, "records", said(records), c.records...)
			wantLines(t, "issues", told(res.Issues), c.issues...)
		})
	}
}

// What names a flag in one export and a count in another is told by the cells, also by typed ones.
func TestTypedDisponible(t *testing.T) {
	head := texts(1, "Código", "Disponible")
	for rows, want := range map[string]string{
		`<row><c><v>1</v></c><c t="b"><v>1</v></c></row>`:                                              "2 A1 1/ active=true",
		`<row><c><v>1</v></c><c><v>1</v></c></row>`:                                                    "2 A1 1/ active=true",
		`<row><c><v>1</v></c><c><v>12</v></c></row>`:                                                   "2 A1 1/ quantity=12",
		`<row><c><v>1</v></c><c><v>12</v></c></row><row><c><v>2</v></c><c t="e"><v>#N/A</v></c></row>`: "2 A1 1/ quantity=12",
	} {
		records, _ := convertedFile(t, specFor(), workbook(t, "Hoja1", head+rows))
		if got := said(records); len(got) == 0 || got[0] != want {
			t.Errorf("%s: %q, want %s", rows, got, want)
		}
	}
}

func TestSheetByHeader(t *testing.T) {
	prices := func(sku string) string { return texts(1, "Código", "Precio") + texts(2, sku, "10") }
	stock := texts(1, "Código", "Precio", "Stock") + texts(2, "s", "10", "5")
	notes := texts(1, "Notas") + texts(2, "Precio")
	none := "G-HEAD-01 error 0  [" + strings.Join(headerSample, "|") + "]"
	for _, c := range []struct {
		name    string
		sheets  []string
		sheet   string
		records []string
		issues  []string
	}{
		{"behind notes", []string{"Notas", notes, "Lista", prices("1")}, "Lista", []string{"2 A1 1/ price=10"}, nil},
		{"the better of two", []string{"A", prices("1"), "B", stock}, "B", []string{"2 A1 s/ price=10 quantity=5"}, []string{"G-HEAD-06 warning 0  [B|A]"}},
		{"the first of equals", []string{"A", prices("1"), "B", prices("2")}, "A", []string{"2 A1 1/ price=10"}, []string{"G-HEAD-06 warning 0  [A|B]"}},
		{"hidden ones don't count", []string{"-A", stock, "B", prices("2")}, "B", []string{"2 A1 2/ price=10"}, nil},
		{"unless no other fits", []string{"Notas", notes, "-B", prices("2")}, "B", []string{"2 A1 2/ price=10"}, nil},
		{"beside one that can't be read", []string{"Ancha", `<row><c r="ALM1"><v>1</v></c></row>`, "B", prices("2")}, "B", []string{"2 A1 2/ price=10"}, nil},
		{"none but one that can't be read", []string{"A", notes, "Ancha", `<row><c r="ALM1"><v>1</v></c></row>`}, "Ancha", nil, []string{"G-FILE-04 error 1  [columns|1000]"}},
		{"no identifier", []string{"A", "", "B", texts(3, "Precio", "Stock", "Nombre") + texts(4, "1", "2", "x")}, "B", nil, []string{"G-HEAD-02 error 0  [sku|Precio|Stock|Nombre]"}},
		{"no header", []string{"A", texts(1, "x"), "B", texts(1, "y")}, "", nil, []string{none}},
		{"nothing", []string{"A", "", "B", `<row r="1" s="1"><c s="1"/></row>`}, "", nil, []string{"G-FILE-01 error 0  []"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			records, res := convertedFile(t, specFor(), workbook(t, c.sheets...))
			wantLines(t, "records", said(records), c.records...)
			wantLines(t, "issues", told(res.Issues), c.issues...)
			for _, is := range res.Issues {
				if is.Sheet != c.sheet {
					t.Errorf("%s is about sheet %q, want %q", is.Code, is.Sheet, c.sheet)
				}
			}
			if c.sheet != "" && res.Format.Sheet != c.sheet && res.Format.Sheet != "" {
				t.Errorf("sheet %q, want %q", res.Format.Sheet, c.sheet)
			}
		})
	}
}

func TestHiddenColumn(t *testing.T) {
	rows := texts(3, "Código", "", "", "", "", "", "", "", "Precio") + texts(4, "1", "", "", "", "", "", "", "", "10")
	records, res := convertedFile(t, specFor(), workbook(t, "Hoja1", texts(1, "Listado de precios")+rows))
	wantLines(t, "records", said(records), "4 A1 1/ price=10")
	wantLines(t, "issues", told(res.Issues), "G-HEAD-07 note 3 Precio []")
}

func TestRefusedWorkbooks(t *testing.T) {
	write := func(content string) string {
		path := filepath.Join(t.TempDir(), "export.xlsx")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct{ name, path, want string }{
		{"old", write("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "G-FILE-02 error 0  [xls]"},
		{"row behind the last", workbook(t, "H", texts(1, "Código", "Precio")+`<row r="1048577"/>`), "G-FILE-04 error 1  [rows|1048576]"},
		{"a row twice", workbook(t, "H", texts(1, "Código", "Precio")+texts(2, "1", "5")+texts(2, "1", "6")), "G-FILE-07 error 2  [xl/sheet0.xml]"},
	} {
		_, res := convertedFile(t, specFor(), c.path)
		if got := told(res.Issues); !res.Refused || !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s: refused %v, %q, want %q", c.name, res.Refused, got, c.want)
		}
		if res.Counts[catalog.Code(c.want[:9])] != 1 {
			t.Errorf("%s: counts %v", c.name, res.Counts)
		}
	}
}
