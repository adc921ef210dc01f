package table

import (
	"archive/zip"
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

const (
	benchColumns = 20
	mainSpace    = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
)

// bulkBook writes a workbook of so many rows with twenty cells each: half texts, most of them in one row only, and half numbers.
func bulkBook(tb testing.TB, rows int, shared bool) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "bulk.xlsx")
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	b := newBook("")
	if shared {
		b.withStrings()
	}
	// Without namespaces excelize reads nothing.
	b.replace("xl/workbook.xml", "<workbook", `<workbook xmlns="`+mainSpace+`"`)
	for _, name := range []string{"_rels/.rels", "xl/_rels/workbook.xml.rels"} {
		b.replace(name, "<Relationships>", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`)
	}
	const sheet, list = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
	delete(b, sheet)
	delete(b, list)
	z := zip.NewWriter(f)
	part := func(name string, fill func(w *bufio.Writer)) {
		p, err := z.Create(name)
		if err != nil {
			tb.Fatal(err)
		}
		w := bufio.NewWriterSize(p, 1<<16)
		fill(w)
		if err := w.Flush(); err != nil {
			tb.Fatal(err)
		}
	}
	for name, content := range b {
		part(name, func(w *bufio.Writer) { fmt.Fprint(w, content) })
	}
	part(sheet, func(w *bufio.Writer) { bulkRows(w, rows, shared) })
	if shared {
		part(list, func(w *bufio.Writer) {
			fmt.Fprint(w, `<sst xmlns="`+mainSpace+`">`)
			for i := range rows * benchColumns / 2 {
				fmt.Fprintf(w, `<si><t>%s</t></si>`, bulkText(i))
			}
			fmt.Fprint(w, `</sst>`)
		})
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	if err := f.Close(); err != nil {
		tb.Fatal(err)
	}
	return path
}

func bulkText(i int) string { return fmt.Sprintf("Galletitas de limón n.º %d", i) }

func bulkRows(w *bufio.Writer, rows int, shared bool) {
	fmt.Fprint(w, `<worksheet xmlns="`+mainSpace+`"><sheetData>`)
	n := 0
	for r := 1; r <= rows; r++ {
		fmt.Fprintf(w, `<row r="%d" spans="1:20">`, r)
		for c := range benchColumns {
			switch {
			case c%2 == 1:
				fmt.Fprintf(w, `<c r="%c%d"><v>%d.%02d</v></c>`, 'A'+c, r, r+c, c)
				continue
			case shared:
				fmt.Fprintf(w, `<c r="%c%d" t="s"><v>%d</v></c>`, 'A'+c, r, n)
			default:
				fmt.Fprintf(w, `<c r="%c%d" t="inlineStr"><is><t>%s</t></is></c>`, 'A'+c, r, bulkText(n))
			}
			n++
		}
		fmt.Fprint(w, `</row>`)
	}
	fmt.Fprint(w, `</sheetData></worksheet>`)
}

// BenchmarkSheet reads a workbook and says how that compares with the least that can be done, which is to unzip it and cut the cells
// out of the bytes, and with excelize.
func BenchmarkSheet(b *testing.B) {
	const rows = 100_000
	for _, shared := range []bool{true, false} {
		b.Run(map[bool]string{true: "shared", false: "inline"}[shared], func(b *testing.B) {
			path := bulkBook(b, rows, shared)
			began := time.Now()
			if n := bare(b, path); n != rows*benchColumns {
				b.Fatalf("%d cells", n)
			}
			limit := time.Since(began)
			began = time.Now()
			if n := peer(b, path); n != rows*benchColumns {
				b.Fatalf("%d cells", n)
			}
			excel := time.Since(began)
			read := rows
			perRow(b, &read)
			for b.Loop() {
				if n := ours(b, path); n != rows*benchColumns {
					b.Fatalf("%d cells", n)
				}
			}
			once := b.Elapsed() / time.Duration(b.N)
			b.ReportMetric(float64(once)/float64(limit), "x-bare")
			b.ReportMetric(float64(excel)/float64(once), "x-faster-than-excelize")
		})
	}
}

func ours(tb testing.TB, path string) (cells int) {
	tab, err := Open(path, Options{})
	if err != nil {
		tb.Fatal(err)
	}
	defer tab.Close()
	rows, err := tab.Sheets()[0].Rows()
	if err != nil {
		tb.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		cells += len(rows.Row().Cells)
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	return cells
}

// peer reads the workbook as users of excelize do who care: raw values, row by row.
func peer(tb testing.TB, path string) (cells int) {
	f, err := excelize.OpenFile(path, excelize.Options{RawCellValue: true})
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	rows, err := f.Rows("Hoja1")
	if err != nil {
		tb.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		columns, err := rows.Columns()
		if err != nil {
			tb.Fatal(err)
		}
		cells += len(columns)
	}
	return cells
}

// bare unzips the workbook and cuts the cells out, with no regard for anything that might go wrong.
func bare(tb testing.TB, path string) (cells int) {
	z, err := zip.OpenReader(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer z.Close()
	var list []string
	if strings := unzip(tb, z, "xl/sharedStrings.xml"); strings != nil {
		each(strings, "<t>", "</t>", func(text []byte) { list = append(list, string(text)) })
	}
	sheet := unzip(tb, z, "xl/worksheets/sheet1.xml")
	length := 0
	each(sheet, "<c ", "</c>", func(cell []byte) {
		cells++
		switch {
		case bytes.Contains(cell, []byte(`t="s"`)):
			each(cell, "<v>", "</v>", func(v []byte) {
				i, err := strconv.Atoi(string(v))
				if err != nil {
					tb.Fatal(err)
				}
				length += len(list[i])
			})
		case bytes.Contains(cell, []byte(`t="inlineStr"`)):
			each(cell, "<t>", "</t>", func(text []byte) { length += len(string(text)) })
		default:
			each(cell, "<v>", "</v>", func(v []byte) { length += len(string(v)) })
		}
	})
	if length == 0 {
		tb.Fatal("no text")
	}
	return cells
}

func unzip(tb testing.TB, z *zip.ReadCloser, name string) []byte {
	r, err := z.Open(name)
	if err != nil {
		return nil
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func each(data []byte, from, to string, do func([]byte)) {
	for {
		i := bytes.Index(data, []byte(from))
		if i < 0 {
			return
		}
		data = data[i+len(from):]
		i = bytes.Index(data, []byte(to))
		do(data[:i])
		data = data[i+len(to):]
	}
}
