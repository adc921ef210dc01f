package table

import (
	"archive/zip"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// book is a workbook that is put together by hand: the content of each part by its name.
type book map[string]string

const (
	relationship = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	xmlHead      = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
)

// newBook returns a workbook with one sheet that has these rows.
func newBook(rows string) book { return newSheets("Hoja1", rows) }

// newSheets returns a workbook with sheets: a name and the rows of each in turn. A name that begins with "-" is that of a hidden one.
func newSheets(namesAndRows ...string) book {
	b := book{
		"[Content_Types].xml": xmlHead + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`,
		"_rels/.rels": xmlHead + `<Relationships><Relationship Id="rId1" Type="` + relationship + `/officeDocument" Target="xl/workbook.xml"/>` +
			`</Relationships>`,
	}
	sheets, links := "", ""
	for i := 0; i < len(namesAndRows); i += 2 {
		n := i/2 + 1
		name, state := namesAndRows[i], ""
		if strings.HasPrefix(name, "-") {
			name, state = name[1:], ` state="hidden"`
		}
		sheets += fmt.Sprintf(`<sheet name="%s" sheetId="%d"%s r:id="rId%d"/>`, name, n, state, n)
		links += fmt.Sprintf(`<Relationship Id="rId%d" Type="%s/worksheet" Target="worksheets/sheet%d.xml"/>`, n, relationship, n)
		b[fmt.Sprintf("xl/worksheets/sheet%d.xml", n)] = xmlHead + `<worksheet><sheetData>` + namesAndRows[i+1] + `</sheetData></worksheet>`
	}
	b["xl/workbook.xml"] = xmlHead + `<workbook xmlns:r="` + relationship + `"><sheets>` + sheets + `</sheets></workbook>`
	b["xl/_rels/workbook.xml.rels"] = xmlHead + `<Relationships>` + links + `</Relationships>`
	return b
}

// with adds a part that the workbook names.
func (b book) with(kind, content string) book {
	const rels = "xl/_rels/workbook.xml.rels"
	b["xl/"+kind+".xml"] = content
	b[rels] = strings.Replace(b[rels], "</Relationships>",
		`<Relationship Id="x`+kind+`" Type="`+relationship+`/`+kind+`" Target="/xl/`+kind+`.xml"/></Relationships>`, 1)
	return b
}

// withStrings adds shared strings, each as the inside of its si element.
func (b book) withStrings(items ...string) book {
	all := ""
	for _, s := range items {
		all += "<si>" + s + "</si>"
	}
	return b.with("sharedStrings", xmlHead+`<sst count="9" uniqueCount="9">`+all+`</sst>`)
}

// withFormats adds styles: style 0 is General, the others have these number formats.
func (b book) withFormats(codes ...string) book {
	formats, cells := "", `<xf numFmtId="0"/>`
	for i, code := range codes {
		formats += fmt.Sprintf(`<numFmt numFmtId="%d" formatCode="%s"/>`, 164+i, strings.NewReplacer("&", "&amp;", `"`, "&quot;").Replace(code))
		cells += fmt.Sprintf(`<xf numFmtId="%d" applyNumberFormat="1"/>`, 164+i)
	}
	return b.with("styles", xmlHead+`<styleSheet><numFmts>`+formats+`</numFmts><cellStyleXfs><xf numFmtId="9"/></cellStyleXfs><cellXfs>`+
		cells+`</cellXfs></styleSheet>`)
}

// replace changes one part.
func (b book) replace(part, old, new string) book {
	b[part] = strings.Replace(b[part], old, new, 1)
	return b
}

// save writes the package and returns its path.
func (b book) save(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "export.xlsx")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	names := make([]string, 0, len(b))
	for name := range b {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(b[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// openBook opens a workbook and closes it at the end of the test.
func openBook(t testing.TB, path string, o Options) *Table {
	t.Helper()
	tab := mustOpen(t, path, o)
	t.Cleanup(func() {
		if err := tab.Close(); err != nil {
			t.Error(err)
		}
	})
	return tab
}

// read returns the rows of a sheet, each as a person would note it down: "2 hidden: A1|10 number|" with the kind of what is no text.
func read(t testing.TB, s *Sheet) ([]string, error) {
	t.Helper()
	rows, err := s.Rows()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
	}()
	var all []string
	for rows.Next() {
		r := rows.Row()
		line := fmt.Sprint(r.Line)
		if r.Hidden {
			line += " hidden"
		}
		cells := make([]string, len(r.Cells))
		for i, c := range r.Cells {
			cells[i] = c
			if r.Typed != nil {
				cells[i] += describe(r.Typed[i])
			}
			if shown := r.Shown(i); shown != c {
				cells[i] += " shown " + shown
			}
		}
		all = append(all, line+": "+strings.Join(cells, "|"))
	}
	return all, rows.Err()
}

func describe(c Cell) string {
	s := [...]string{"", " number", " date", " bool", " error", " uncalculated"}[c.Kind]
	for _, flag := range []struct {
		is   bool
		name string
	}{{c.Formula && c.Kind != Uncalculated, " formula"}, {c.Hidden, " hidden"}, {c.Inexact, " inexact"}} {
		if flag.is {
			s += flag.name
		}
	}
	return s
}
