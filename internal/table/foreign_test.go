package table

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

// written is one line of a .cells file, in which the program that wrote a workbook tells what it has put into it: a cell, or a sheet
// where cell is "". See testdata/openpyxl/make.py.
type written struct {
	Sheet        string  `json:"sheet"`
	Hidden       bool    `json:"hidden"`
	Cell         string  `json:"cell"`
	Kind         string  `json:"kind"`
	Value        *string `json:"value"` // nil for a date, which is known by how it is shown
	Shown        *string `json:"shown"` // nil where it is the value
	Formula      bool    `json:"formula"`
	Inexact      bool    `json:"inexact"`
	RowHidden    bool    `json:"row_hidden"`
	ColumnHidden bool    `json:"column_hidden"`
}

// String puts into one line what is to be compared, with the name of the cell first.
func (w written) String() string {
	s := fmt.Sprintf("%s %s: %s", w.Sheet, w.Cell, w.Kind)
	if w.Kind != "date" {
		s += fmt.Sprintf(" %q", *w.Value)
	}
	shown := w.Shown
	if shown == nil {
		shown = w.Value
	}
	s += fmt.Sprintf(" shown %q", *shown)
	for _, flag := range []struct {
		is   bool
		name string
	}{{w.Formula, "formula"}, {w.Inexact, "inexact"}, {w.RowHidden, "row hidden"}, {w.ColumnHidden, "column hidden"}} {
		if flag.is {
			s += ", " + flag.name
		}
	}
	return s
}

// blindSpots are the sheets and cells on which excelize is no judge, by the path of their workbook below testdata. What is right there
// stands in the .cells file beside it.
var blindSpots = map[string][]string{
	"libreoffice/formats.xlsx": {
		"Fórmulas K1", // a formula that has come to an empty text: excelize can't tell it from one that nobody has calculated
	},
	"openpyxl/types.xlsx": {
		"Gráfico", // a chart, which excelize counts among the sheets
	},
	// Texts that are written as those of formulas, as SheetJS does without a list of shared ones: excelize leaves their escapes.
	"sheetjs/types.xlsx": {"Tipos A17", "Tipos A18"},
}

// unread are the workbooks that excelize does not read at all, with what it says. What is right stands in the .cells file.
var unread = map[string]string{
	"openpyxl/wide.xlsx": "invalid UTF-8", // UTF-16 is one of the two encodings that parts may have (ECMA-376 part 2, 8.1.1)
}

// The workbooks of other programs hold for us what their writer has put into them, and what excelize reads.
func TestForeignWorkbooks(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("testdata", "*", "*.xlsx"))
	if err != nil || len(paths) < 12 {
		t.Fatalf("%d workbooks, %v", len(paths), err)
	}
	for _, path := range paths {
		name := filepath.ToSlash(strings.TrimPrefix(path, "testdata"+string(filepath.Separator)))
		t.Run(name, func(t *testing.T) {
			if name != "libreoffice/types.xlsx" {
				sameAsWritten(t, path)
			}
			if why, ok := unread[name]; ok {
				if f, err := excelize.OpenFile(path); err == nil || !strings.Contains(err.Error(), why) {
					t.Errorf("excelize reads %v, %v: no more an exception", f, err)
				}
				return
			}
			except := map[string]bool{}
			for _, at := range blindSpots[name] {
				except[at] = true
			}
			sameAsOracle(t, path, except)
		})
	}
}

// sameAsWritten compares every cell, and every sheet, with the .cells file beside the workbook: none is missing, none too many.
func sameAsWritten(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(strings.TrimSuffix(path, ".xlsx") + ".cells")
	if err != nil {
		t.Fatal(err)
	}
	var sheets, want []string
	for line := range bytes.Lines(data) {
		var w written
		if err := json.Unmarshal(line, &w); err != nil {
			t.Fatal(err)
		}
		if w.Cell == "" {
			sheets = append(sheets, fmt.Sprint(w.Sheet, " ", w.Hidden))
		} else {
			want = append(want, w.String())
		}
	}
	var gotSheets, got []string
	for _, s := range openBook(t, path, Options{}).Sheets() {
		gotSheets = append(gotSheets, fmt.Sprint(s.Name, " ", s.Hidden))
		got = append(got, found(t, s)...)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(sheets, gotSheets); diff != "" {
		t.Errorf("sheets (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cells (-want +got):\n%s", diff)
	}
}

// found returns the cells of a sheet that are not blank, in the form of those that were written.
func found(t *testing.T, s *Sheet) []string {
	t.Helper()
	rows, err := s.Rows()
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		r := rows.Row()
		for i, text := range r.Cells {
			if text == "" {
				continue
			}
			ref, err := excelize.CoordinatesToCellName(i+1, r.Line)
			if err != nil {
				t.Fatal(err)
			}
			c, shown := r.Typed[i], r.Shown(i)
			all = append(all, written{
				Sheet: s.Name, Cell: ref, Kind: [...]string{"text", "number", "date", "bool", "error", "uncalculated"}[c.Kind],
				Value: &text, Shown: &shown, Formula: c.Formula, Inexact: c.Inexact, RowHidden: r.Hidden, ColumnHidden: c.Hidden,
			}.String())
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// What LibreOffice has made of testdata/libreoffice/types.fods.
func TestLibreOffice(t *testing.T) {
	path := filepath.Join("testdata", "libreoffice", "types.xlsx")
	got, err := read(t, openBook(t, path, Options{}).Sheets()[0])
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"1: Listado de precios",
		"3: 007|12345670 number shown 0000012345670|0.15 number shown 15%|46348 date shown 2026-11-22|7790895000997 number|" +
			"1234.56 number|1 bool shown TRUE|0.3 number formula|escondida hidden|#N/A error formula|ab formula",
		"4 hidden: Galletitas de limón|8.4 number|-0.001 number|una línea\ny otra <&>",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}
