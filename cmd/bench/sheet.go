package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/xuri/excelize/v2"

	"gondola/internal/feed"
	"gondola/internal/table"
)

// holdSheets compares what it takes to read workbooks of both kinds.
func (b *bench) holdSheets(ctx context.Context) ([]outcome, error) {
	var all []outcome
	for _, shared := range []bool{true, false} {
		path, err := b.workbook(ctx, b.size.sheet, shared)
		if err != nil {
			return all, err
		}
		c := contest{
			name:  "xlsx-" + stringsIn(shared),
			title: fmt.Sprintf("XLSX (%s rows, 20 columns, %s strings) to CSV", thousands(b.size.sheet), stringsIn(shared)),
			contenders: append(b.sheetContenders(path),
				contender{name: "excelize, raw values", role: peer, do: b.worker("sheet-excelize", path, b.path("printed"), "raw")},
				contender{name: "excelize, as formatted", role: peer, do: b.worker("sheet-excelize", path, b.path("printed"), "formatted")},
				contender{name: "xlsx2csv", role: peer, need: []string{"xlsx2csv"}, do: b.program("xlsx2csv", path, b.path("printed.csv"))},
				contender{name: "ssconvert", role: peer, need: []string{"ssconvert"}, do: b.program("ssconvert", path, b.path("printed.csv"))},
				contender{name: "LibreOffice", role: peer, need: []string{"libreoffice"}, do: b.program("libreoffice",
					"-env:UserInstallation=file://"+b.path("libreoffice"), "--headless", "--convert-to", "csv", "--outdir", b.path("converted"), path)},
				contender{name: "openpyxl", role: peer, need: []string{"python3:openpyxl"}, do: b.program(b.peers.path("python3:openpyxl"), b.script("workbook.py"), path)},
				contender{name: "SheetJS", role: peer, need: []string{"node", "node:xlsx"}, do: b.program("node", b.script("sheetjs.cjs"), b.peers.path("node:xlsx"), path, b.path("printed"))},
				contender{name: "exceljs, streaming", role: peer, need: []string{"node", "node:exceljs"}, do: b.program("node", b.script("exceljs.cjs"), b.peers.path("node:exceljs"), path)},
			),
			goals: append(sheetGoals(64), goal{text: "rows, ahead of the fastest peer", least: 4, unit: "×", measure: ahead("gondola: rows")}),
		}
		all = append(all, b.run(ctx, c))
	}
	for _, shared := range []bool{true, false} {
		path, err := b.workbook(ctx, b.size.large, shared)
		if err != nil {
			return all, err
		}
		all = append(all, b.run(ctx, contest{
			name:       "xlsx-large-" + stringsIn(shared),
			title:      fmt.Sprintf("XLSX (%s rows, 20 columns, %s strings) to CSV", thousands(b.size.large), stringsIn(shared)),
			contenders: b.sheetContenders(path),
			goals:      sheetGoals(128),
		}))
	}
	return all, nil
}

func (b *bench) sheetContenders(path string) []contender {
	return []contender{
		{name: "gondola: rows", role: ours, do: b.worker("sheet-rows", path, b.path("printed"))},
		{name: "gondola: records", role: ours, do: b.worker("sheet-records", path)},
		{name: "gondola: documents", role: ours, do: b.worker("sheet-documents", path, b.path("work"))},
		{name: "limit: inflate and scan", role: limit, do: b.worker("sheet-limit", path, b.path("printed"))},
	}
}

func sheetGoals(most float64) []goal {
	return []goal{
		{text: "rows, to the bare limit", most: 2.5, unit: "×", measure: times("gondola: rows", "limit: inflate and scan")},
		{text: "records, to the bare limit", most: 2.5, unit: "×", measure: times("gondola: records", "limit: inflate and scan")},
		{text: "memory of rows", most: most, unit: "MiB", measure: memory("gondola: rows")},
		{text: "memory of documents", most: most, unit: "MiB", measure: memory("gondola: documents")},
	}
}

// sheetLimit inflates the parts of a workbook and cuts the cells out of the bytes, knowing that nothing is wrong with them.
func sheetLimit(args []string, _ *measure) error {
	z, err := zip.OpenReader(args[0])
	if err != nil {
		return err
	}
	out, err := os.Create(args[1])
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 256<<10)
	var texts []byte
	var ends []int
	err = pieces(z, "xl/sharedStrings.xml", "</t>", func(si []byte) {
		texts = append(texts, si[bytes.LastIndexByte(si, '>')+1:]...)
		ends = append(ends, len(texts))
	})
	if err != nil {
		return err
	}
	cells := 0
	err = errors.Join(err, pieces(z, "xl/worksheets/sheet1.xml", "</c>", func(cell []byte) {
		begin := bytes.LastIndex(cell, []byte("<c "))
		if begin > 0 && bytes.Contains(cell[:begin], []byte("</row>")) {
			_ = w.WriteByte('\n') // the flush tells
		}
		cell = bytes.TrimSuffix(bytes.TrimSuffix(cell[begin:], []byte("</is>")), []byte("</t>"))
		cell = bytes.TrimSuffix(cell, []byte("</v>"))
		value := cell[bytes.LastIndexByte(cell, '>')+1:]
		if bytes.Contains(cell[:len(cell)-len(value)], []byte(`t="s"`)) {
			n := 0
			for _, d := range value {
				n = n*10 + int(d-'0')
			}
			from := 0
			if n > 0 {
				from = ends[n-1]
			}
			value = texts[from:ends[n]]
		}
		_, _ = w.Write(value) // likewise
		_ = w.WriteByte(';')  // likewise
		cells++
	}))
	if cells == 0 {
		return errors.Join(err, errNoWork)
	}
	return errors.Join(err, w.Flush(), out.Close(), z.Close())
}

// pieces inflates a part and calls fn for everything up to each end.
func pieces(z *zip.ReadCloser, name, end string, fn func([]byte)) error {
	r, err := z.Open(name)
	if err != nil {
		return err
	}
	buffer := make([]byte, 256<<10)
	filled := 0
	for {
		n, err := r.Read(buffer[filled:])
		filled += n
		data := buffer[:filled]
		for {
			i := bytes.Index(data, []byte(end))
			if i < 0 {
				break
			}
			fn(data[:i])
			data = data[i+len(end):]
		}
		filled = copy(buffer, data)
		if errors.Is(err, io.EOF) {
			return r.Close()
		}
		if err != nil {
			return err
		}
	}
}

// sheetRows reads every cell of a workbook and writes them as CSV.
func sheetRows(args []string, m *measure) error {
	t, err := table.Open(args[0], table.Options{})
	if err != nil {
		return err
	}
	out, err := os.Create(args[1])
	if err != nil {
		return err
	}
	rows, err := t.Sheets()[0].Rows()
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 256<<10)
	n := 0
	for rows.Next() {
		for _, c := range rows.Row().Cells {
			_, _ = w.WriteString(c) // the flush tells
			_ = w.WriteByte(';')    // likewise
		}
		_ = w.WriteByte('\n') // likewise
		n++
	}
	if n == 0 {
		return errNoWork
	}
	return errors.Join(rows.Err(), rows.Close(), t.Close(), w.Flush(), out.Close())
}

// bookSpec says how the generator's workbooks are to be understood.
func bookSpec() feed.Spec {
	s := exportSpec(1)
	s.Source = feed.VendorSource{IDs: []string{s.Vendors[0].ID}}
	s.Columns[string(feed.RolePrice)] = feed.Column{From: "Precio"}
	delete(s.Columns, string(feed.RoleActive))
	return s
}

func sheetRecords(args []string, m *measure) error { return convert(bookSpec(), args[0], m) }

func sheetDocuments(args []string, m *measure) error {
	return documents(bookSpec(), args[0], args[1], m)
}

// sheetExcelize reads a workbook as those users of excelize do who mind memory: row by row.
func sheetExcelize(args []string, _ *measure) error {
	f, err := excelize.OpenFile(args[0], excelize.Options{RawCellValue: args[2] == "raw"})
	if err != nil {
		return err
	}
	out, err := os.Create(args[1])
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 256<<10)
	rows, err := f.Rows("Hoja1")
	if err != nil {
		return err
	}
	n := 0
	for rows.Next() {
		cells, err := rows.Columns()
		if err != nil {
			return err
		}
		for _, c := range cells {
			_, _ = w.WriteString(strconv.Quote(c)) // the flush tells
			_ = w.WriteByte(';')                   // likewise
		}
		_ = w.WriteByte('\n') // likewise
		n++
	}
	if n == 0 {
		return errNoWork
	}
	return errors.Join(rows.Error(), rows.Close(), f.Close(), w.Flush(), out.Close())
}
