//go:build ignore

// Command workbooks writes the XLSX exports of the cases anew: go run testdata/cases/workbooks.go, from the top of the repository.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/xuri/excelize/v2"
)

func main() {
	for name, fill := range map[string]func(*sheet){
		"xlsx-same-as-csv/2":           sameAsCSV,
		"xlsx-formula-without-value/1": formulaWithoutValue,
		"xlsx-sheet-by-header/1":       sheetByHeader,
		"xlsx-padded-barcodes/1":       paddedBarcodes,
	} {
		if err := write(filepath.Join("testdata", "cases", name, "drop", "catalogo", "catalogo.xlsx"), fill); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// sheet is the sheet of a workbook that is being filled. It remembers the first error.
type sheet struct {
	file *excelize.File
	name string
	err  error
}

func write(path string, fill func(*sheet)) error {
	f := excelize.NewFile()
	s := &sheet{file: f, name: "Sheet1"}
	fill(s)
	if s.err == nil {
		s.err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if s.err == nil {
		s.err = f.SaveAs(path)
	}
	return s.err
}

func (s *sheet) do(err error) {
	if s.err == nil {
		s.err = err
	}
}

func (s *sheet) row(first string, cells ...any) { s.do(s.file.SetSheetRow(s.name, first, &cells)) }

// format gives cells a number format.
func (s *sheet) format(from, to, code string) {
	id, err := s.file.NewStyle(&excelize.Style{CustomNumFmt: &code})
	s.do(err)
	s.do(s.file.SetCellStyle(s.name, from, to, id))
}

// use goes to another sheet, which is made.
func (s *sheet) use(name string) {
	_, err := s.file.NewSheet(name)
	s.do(err)
	s.name = name
}

func sameAsCSV(s *sheet) {
	s.row("A1", "Listado de precios")
	s.do(s.file.MergeCell(s.name, "A1", "E1"))
	s.row("A3", "Código", "Código de barras", "Precio", "Activo", "Stock")
	s.row("A4", 7, 9520000000011, 1234.5, true, 12)
	s.format("A4", "A4", "00000")
	s.format("C4", "C4", `"$" #,##0.00`)
	s.row("A5", "00008", "9520000000028", "2.345,60", "no", 3.0)
	s.row("A6", 1001.0, 9520000000035, 8.4, "Sí", 0)
	s.format("B6", "B6", "0.00E+00")
	s.row("A7", "A-9", nil, 990, 0, -2)
	s.do(s.file.SetRowVisible(s.name, 6, false))
}

func formulaWithoutValue(s *sheet) {
	s.row("A1", "Código", "Costo", "Precio")
	s.row("A2", 1001, 10)
	s.do(s.file.SetCellFormula(s.name, "C2", "B2*1.22"))
	s.row("A3", 1002, 20, 24.4)
	s.row("A4", 1003, 30, 0.15)
	s.format("C4", "C4", "0%")
}

func sheetByHeader(s *sheet) {
	s.row("A1", "Vigentes desde el lunes")
	s.row("A2", "Precio", "ver la otra hoja")
	s.use("Viejos")
	s.row("A1", "Código", "Precio", "Stock")
	s.row("A2", 1001, 1, 1)
	s.do(s.file.SetSheetVisible(s.name, false))
	s.use("Lista")
	s.row("B3", "Código", "Precio")
	s.row("B4", 1001, 10.5)
	s.row("B5", 1002, 20)
}

func paddedBarcodes(s *sheet) {
	s.row("A1", "EAN", "Precio")
	s.row("A2", 12345678905, 10.5)
	s.format("A2", "A2", "0000000000000")
	s.row("A3", 9520000000011, 20)
	s.format("A3", "A3", "0.00E+00")
	s.row("A4", "9,52E+12", 30)
	s.row("A5", 95200019, 5)
}
