package table

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

// newTestSheets returns a workbook with a column of every kind, and a sheet of prose.
func newTestSheets() []BookSheet {
	return []BookSheet{{
		Name: "Promociones",
		Columns: []BookColumn{
			{Header: "Código", Width: 16, Prompt: "El código del artículo."},
			{Header: "Oferta", List: []string{"3x2", "2da al 50%"}, Open: true, Wrong: "nunca se dice"},
			{Header: "Precio", Kind: ColumnMoney, Width: 12, Wrong: "Tiene que ser mayor que cero."},
			{Header: "Stock", Kind: ColumnCount, Wrong: "No puede ser menor que cero."},
			{Header: "Desde", Kind: ColumnDay, Wrong: "Un día."},
			{Header: "Hasta", Kind: ColumnDay, NotBefore: "Desde", Wrong: "No antes de Desde."},
			{Header: "Activa", List: []string{"Sí", "No"}, Wrong: "Sí o No."},
			{Header: "Costo", Kind: ColumnMoney},
		},
		Rows: [][]BookCell{
			{
				{Text: "00123"},
				{Text: "-20%"},
				{Kind: Number, Text: "1250.50"},
				{Kind: Number, Text: "24"},
				{Kind: Date, Text: "1900-03-01"},
				{Kind: Date, Text: "2026-05-08"},
				{Text: "=SUM(A1)"},
			},
			nil,
			{{Text: "7790000000003"}},
		},
	}, {
		Name:    "Instrucciones",
		Columns: []BookColumn{{Kind: ColumnProse, Width: 10}, {Kind: ColumnProse, Width: 20}},
		Rows: [][]BookCell{
			{{Text: "Cómo se usa", Look: LookTitle}},
			{{Text: "Código", Look: LookStrong}, {Text: strings.Repeat("palabra ", 6)}},
		},
	}}
}

func writeBook(t *testing.T, sheets []BookSheet) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteBook(&b, sheets); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// oracleOf opens a written workbook with the library that knows the format best.
func oracleOf(t *testing.T, data []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func TestWrittenBookReadsBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "libro.xlsx")
	if err := os.WriteFile(path, writeBook(t, newTestSheets()), 0o600); err != nil {
		t.Fatal(err)
	}
	if done, err := Complete(path); err != nil || !done {
		t.Errorf("complete: %v, %v", done, err)
	}
	tab := openBook(t, path, Options{})
	var got [][]string
	var kinds []Kind
	for _, s := range tab.Sheets() {
		rows, err := s.Rows()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			r := rows.Row()
			shown := make([]string, len(r.Cells))
			for i := range r.Cells {
				shown[i] = r.Shown(i)
			}
			got = append(got, shown)
			if s.Name == "Promociones" && r.Line == 2 {
				for _, c := range r.Typed {
					kinds = append(kinds, c.Kind)
				}
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
	want := [][]string{
		{"Código", "Oferta", "Precio", "Stock", "Desde", "Hasta", "Activa", "Costo"},
		{"00123", "-20%", "1250.5", "24", "1900-03-01", "2026-05-08", "=SUM(A1)"},
		{"7790000000003"},
		{"Cómo se usa"},
		{"Código", strings.Repeat("palabra ", 6)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if want := []Kind{Text, Text, Number, Number, Date, Date, Text}; !slices.Equal(kinds, want) {
		t.Errorf("kinds %v, want %v: a text that looks like a formula stays a text", kinds, want)
	}
}

// The same sheets make the same bytes, on any day.
func TestWrittenBookIsDeterministic(t *testing.T) {
	first := writeBook(t, newTestSheets())
	for range 5 {
		if !bytes.Equal(first, writeBook(t, newTestSheets())) {
			t.Fatal("the same sheets made other bytes")
		}
	}
	props, err := oracleOf(t, first).GetDocProps()
	if err != nil || props.Creator != "Gondola" || props.Created != "2006-09-16T00:00:00Z" || props.Modified != props.Created {
		t.Errorf("properties %+v, %v: want our name and no moment", props, err)
	}
}

// What is typed below the last written row is treated like what is above it.
func TestWrittenColumnsAreFormattedToTheEnd(t *testing.T) {
	f := oracleOf(t, writeBook(t, newTestSheets()))
	for column, want := range map[string]string{"A": "@", "B": "@", "C": "#,##0.00", "E": dayFormat, "G": "@"} {
		id, err := f.GetColStyle("Promociones", column)
		if err != nil {
			t.Fatal(err)
		}
		style, err := f.GetStyle(id)
		if err != nil {
			t.Fatal(err)
		}
		got := map[int]string{49: "@", 4: "#,##0.00"}[style.NumFmt]
		if style.CustomNumFmt != nil {
			got = *style.CustomNumFmt
		}
		if got != want {
			t.Errorf("column %s has format %q, want %q", column, got, want)
		}
	}
	if width, err := f.GetColWidth("Promociones", "A"); err != nil || width != 16 {
		t.Errorf("column A is %v wide, %v", width, err)
	}
	panes, err := f.GetPanes("Promociones")
	if err != nil || !panes.Freeze || panes.YSplit != 1 {
		t.Errorf("panes %+v, %v: want a frozen header", panes, err)
	}
	names := f.GetDefinedName()
	if len(names) != 1 || names[0].Name != "_xlnm._FilterDatabase" || names[0].RefersTo != "'Promociones'!$A$1:$H$4" {
		t.Errorf("names %+v: want the filter over header and rows", names)
	}
	id, err := f.GetCellStyle("Promociones", "A1")
	if err != nil {
		t.Fatal(err)
	}
	if style, err := f.GetStyle(id); err != nil || !style.Font.Bold {
		t.Errorf("header style %+v, %v: want it bold", style, err)
	}
	// 48 characters in a column of 20 are three lines.
	if height, err := f.GetRowHeight("Instrucciones", 2); err != nil || height != 3*lineHeight+proseGap {
		t.Errorf("row of prose is %v high, %v", height, err)
	}
	if f.GetActiveSheetIndex() != 0 {
		t.Errorf("sheet %d is open, want the first", f.GetActiveSheetIndex())
	}
}

func TestWrittenChecks(t *testing.T) {
	checks, err := oracleOf(t, writeBook(t, newTestSheets())).GetDataValidations("Promociones")
	if err != nil {
		t.Fatal(err)
	}
	type check struct{ At, Type, Operator, Formula, Alert, Message, Prompt string }
	text := func(p *string) string {
		if p == nil {
			return ""
		}
		return *p
	}
	var got []check
	for _, c := range checks {
		one := check{At: c.Sqref, Type: c.Type, Operator: c.Operator, Formula: c.Formula1}
		if c.ShowErrorMessage {
			one.Alert, one.Message = text(c.ErrorStyle), text(c.Error)
		}
		if c.ShowInputMessage {
			one.Prompt = text(c.Prompt)
		}
		if !c.AllowBlank || c.Formula2 != "" || c.ShowDropDown { // which in the format means to hide it
			t.Errorf("%s: blank allowed %v, second value %q, drop-down hidden %v", c.Sqref, c.AllowBlank, c.Formula2, c.ShowDropDown)
		}
		got = append(got, one)
	}
	want := []check{
		{At: "A1", Prompt: "El código del artículo."},
		{At: "B2:B1048576", Type: "list", Formula: `"3x2,2da al 50%"`},
		{
			At: "C2:C1048576", Type: "decimal", Operator: "greaterThan", Formula: "0",
			Alert: "stop", Message: "Tiene que ser mayor que cero.",
		},
		{
			At: "D2:D1048576", Type: "decimal", Operator: "greaterThanOrEqual", Formula: "0",
			Alert: "warning", Message: "No puede ser menor que cero.",
		},
		{At: "E2:E1048576", Type: "date", Operator: "greaterThanOrEqual", Formula: "36526", Alert: "warning", Message: "Un día."},
		{
			At: "F2:F1048576", Type: "date", Operator: "greaterThanOrEqual", Formula: "$E2",
			Alert: "warning", Message: "No antes de Desde.",
		},
		{At: "G2:G1048576", Type: "list", Formula: `"Sí,No"`, Alert: "warning", Message: "Sí o No."},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}
}

// What Excel would repair by throwing it away is refused here.
func TestWriteBookRefuses(t *testing.T) {
	column := func(c BookColumn) []BookSheet { return []BookSheet{{Name: "Hoja", Columns: []BookColumn{c}}} }
	cell := func(c BookCell) []BookSheet {
		return []BookSheet{{Name: "Hoja", Columns: []BookColumn{{Header: "A"}}, Rows: [][]BookCell{{c}}}}
	}
	for _, c := range []struct {
		name   string
		sheets []BookSheet
		want   string
	}{
		{"no sheets", nil, "it needs a sheet"},
		{"name", []BookSheet{{Name: "a/b"}}, `write sheet "a/b"`},
		{"prompt", column(BookColumn{Header: "A", Prompt: strings.Repeat("é", 256)}), "has 256 characters, at most 255"},
		{"title", column(BookColumn{Header: strings.Repeat("a", 33), Prompt: "b"}), "has 33 characters, at most 32"},
		{"message", column(BookColumn{Header: "A", Kind: ColumnMoney, Wrong: strings.Repeat("x", 256)}), "message: "},
		{"list", column(BookColumn{Header: "A", List: []string{"1,50"}}), "without comma"},
		{"list of numbers", column(BookColumn{Header: "A", Kind: ColumnMoney, List: []string{"1"}}), "in a column of texts"},
		{"long list", column(BookColumn{Header: "A", List: []string{strings.Repeat("x", 256)}}), `column 1 ("A")`},
		{"not before", column(BookColumn{Header: "A", Kind: ColumnDay, NotBefore: "B", Wrong: "x"}), `not before "B"`},
		{"cells", []BookSheet{{Name: "Hoja", Rows: [][]BookCell{{{Text: "x"}}}}}, "row 1 has 1 cells for 0 columns"},
		{"number", cell(BookCell{Kind: Number, Text: "1,5"}), `row 2, cell 1: "1,5" is no number`},
		{"day", cell(BookCell{Kind: Date, Text: "31/12/2026"}), "want YYYY-MM-DD"},
		{"early day", cell(BookCell{Kind: Date, Text: "1900-02-28"}), "want one from 1900-03-01"},
		{"kind", cell(BookCell{Kind: Bool, Text: "1"}), "cells of kind 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := WriteBook(&bytes.Buffer{}, c.sheets)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
	if err := WriteBook(fullDisk{}, newTestSheets()); !errors.Is(err, errFull) {
		t.Errorf("on a full disk: %v", err)
	}
}
