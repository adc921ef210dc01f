package table

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

// oracle is a workbook as excelize reads it.
type oracle struct {
	*excelize.File

	// except has sheets and cells, as "Sheet" and "Sheet A1", on which excelize is known to be wrong or blind.
	except map[string]bool
}

// sameAsOracle compares every cell with what excelize reads, except those.
func sameAsOracle(t *testing.T, path string, except map[string]bool) {
	t.Helper()
	file, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	o := oracle{file, except}
	tab := openBook(t, path, Options{})
	var names []string
	for _, s := range tab.Sheets() {
		names = append(names, s.Name)
		visible, err := o.GetSheetVisible(s.Name)
		if err != nil || visible == s.Hidden {
			t.Errorf("%s is hidden: %v, want %v (%v)", s.Name, s.Hidden, !visible, err)
		}
		o.sameSheet(t, s)
	}
	want := slices.DeleteFunc(o.GetSheetList(), func(name string) bool { return except[name] })
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("sheets (-want +got):\n%s", diff)
	}
}

func (o oracle) sameSheet(t *testing.T, s *Sheet) {
	t.Helper()
	want, err := o.GetRows(s.Name, excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := s.Rows()
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	line := 0
	for rows.Next() {
		r := rows.Row()
		for line++; line < r.Line; line++ {
			if line <= len(want) && slices.ContainsFunc(want[line-1], func(c string) bool { return c != "" }) {
				t.Errorf("%s row %d is not blank: %q", s.Name, line, want[line-1])
			}
		}
		if visible, err := o.GetRowVisible(s.Name, line); err != nil || visible == r.Hidden {
			t.Errorf("%s row %d is hidden: %v (%v)", s.Name, line, r.Hidden, err)
		}
		for i := range max(len(r.Cells), len(want[line-1])) {
			o.sameCell(t, s.Name, r, i)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if line < len(want) {
		t.Errorf("%s has %d rows, want %d", s.Name, line, len(want))
	}
}

// kinds are the ones that each of excelize's types may be.
var kinds = map[excelize.CellType][]Kind{
	excelize.CellTypeUnset: {Number, Date}, excelize.CellTypeNumber: {Number, Date}, excelize.CellTypeBool: {Bool},
	excelize.CellTypeError: {ErrorValue}, excelize.CellTypeDate: {Date}, excelize.CellTypeSharedString: {Text},
	excelize.CellTypeInlineString: {Text}, excelize.CellTypeFormula: {Text},
}

func (o oracle) sameCell(t *testing.T, sheet string, r Row, i int) {
	t.Helper()
	ref, err := excelize.CoordinatesToCellName(i+1, r.Line)
	if err != nil {
		t.Fatal(err)
	}
	at := fmt.Sprintf("%s %s", sheet, ref)
	if o.except[at] {
		return
	}
	raw, err := o.GetCellValue(sheet, ref, excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	formula, err := o.GetCellFormula(sheet, ref)
	if err != nil {
		t.Fatal(err)
	}
	var c Cell
	text := ""
	if i < len(r.Cells) {
		c, text = r.Typed[i], r.Cells[i]
	}
	switch {
	case raw == "" && formula != "":
		if c.Kind != Uncalculated {
			t.Errorf("%s: kind %d, %q; want the formula %q without value", at, c.Kind, text, formula)
		}
		return
	case raw == "":
		if text != "" {
			t.Errorf("%s: %q, want a blank cell", at, text)
		}
		return
	}
	column, _, _ := excelize.SplitCellName(ref)
	visible, err := o.GetColVisible(sheet, column)
	if err != nil || visible == c.Hidden {
		t.Errorf("%s: hidden %v (%v)", at, c.Hidden, err)
	}
	kind, err := o.GetCellType(sheet, ref)
	if err != nil || !slices.Contains(kinds[kind], c.Kind) || c.Formula != (formula != "") {
		t.Errorf("%s: kind %d, formula %v; excelize has type %d, formula %q (%v)", at, c.Kind, c.Formula, kind, formula, err)
	}
	if text != raw && (c.Kind == Number || c.Kind == Date) {
		sameNumber(t, at, text, raw)
	} else if text != raw {
		t.Errorf("%s: %q, want %q", at, text, raw)
	}
}

// sameNumber compares two numbers, up to the fifteen digits that count.
func sameNumber(t *testing.T, at, got, want string) {
	t.Helper()
	g, err := strconv.ParseFloat(got, 64)
	w, err2 := strconv.ParseFloat(want, 64)
	if err != nil || err2 != nil || math.Abs(g-w) > 5e-15*math.Abs(w) {
		t.Errorf("%s: %s, want %s", at, got, want)
	}
}

// Workbooks that excelize has written, in memory and streamed, with cells of every kind in random places.
func TestSameAsExcelize(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			f := excelize.NewFile()
			defer f.Close()
			r := rand.New(rand.NewPCG(seed, 1))
			fill(t, f, "Sheet1", r)
			stream(t, f, "Flujo & más", r)
			path := filepath.Join(t.TempDir(), "random.xlsx")
			if err := f.SaveAs(path); err != nil {
				t.Fatal(err)
			}
			sameAsOracle(t, path, nil)
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// value returns a random value of a cell.
func value(r *rand.Rand) any {
	texts := []string{"Galletitas de limón", " con espacios ", "<&>\"'", "línea\nnueva", "_x000D_", "007", "1.234,50", "🍋", "=1"}
	switch r.IntN(9) {
	case 0:
		return r.Int64N(1 << 53)
	case 1:
		return float64(r.IntN(1_000_000)) / 100
	case 2:
		return r.NormFloat64() * math.Pow(10, float64(r.IntN(30)-15))
	case 3:
		return r.IntN(2) == 0
	case 4:
		return time.Date(2026, 11, 1+r.IntN(30), r.IntN(24), 0, 0, 0, time.UTC)
	case 5:
		return nil
	}
	return texts[r.IntN(len(texts))]
}

// fill writes a sheet cell by cell.
func fill(t *testing.T, f *excelize.File, sheet string, r *rand.Rand) {
	styles := []int{0}
	for _, format := range []string{"0000000000000", "0%", "0.00E+00", "#,##0.00"} {
		id, err := f.NewStyle(&excelize.Style{CustomNumFmt: &format})
		must(t, err)
		styles = append(styles, id)
	}
	for range 150 {
		row := 1 + r.IntN(40)
		ref, err := excelize.CoordinatesToCellName(1+r.IntN(30), row)
		must(t, err)
		switch r.IntN(6) {
		case 0:
			must(t, f.SetCellFormula(sheet, ref, "A1*2"))
		case 1:
			must(t, f.SetCellRichText(sheet, ref, []excelize.RichTextRun{{Text: "uno "}, {Text: "dos", Font: &excelize.Font{Bold: true}}}))
		default:
			v := value(r)
			must(t, f.SetCellValue(sheet, ref, v))
			if _, isTime := v.(time.Time); !isTime {
				must(t, f.SetCellStyle(sheet, ref, ref, styles[r.IntN(len(styles))]))
			}
		}
		must(t, f.SetRowVisible(sheet, 1+r.IntN(40), false))
	}
	must(t, f.SetColVisible(sheet, "C:E", false))
	must(t, f.MergeCell(sheet, "A1", "D1"))
}

// stream writes a sheet row by row, with its strings in line.
func stream(t *testing.T, f *excelize.File, sheet string, r *rand.Rand) {
	_, err := f.NewSheet(sheet)
	must(t, err)
	w, err := f.NewStreamWriter(sheet)
	must(t, err)
	for line := 1; line < 40; line += 1 + r.IntN(2) {
		cells := make([]any, r.IntN(20))
		for i := range cells {
			cells[i] = value(r)
		}
		must(t, w.SetRow(fmt.Sprint("B", line), cells, excelize.RowOpts{Hidden: r.IntN(5) == 0}))
	}
	must(t, w.Flush())
	must(t, f.SetSheetVisible(sheet, false))
}
