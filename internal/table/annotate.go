package table

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// Annotation is what is to be said about the rows of a sheet. Columns are named by their titles, as written in the row of titles.
type Annotation struct {
	Header int          // the line of the titles, 0 = there is none
	Title  string       // of the column that is added; one of that title is written over, so that copies of copies have one
	Marks  map[int]Mark // by line
	// Codes are the columns whose cells are codes. In a copy of a text they are kept as text, also what people type below.
	Codes []string
	// Used are the columns that are read at all.
	Used []string
	// OnlyMarked leaves out every row but the titles and those with a mark, which then are numbered anew. Never for a file that
	// speaks for all it holds: what is not in the copy would count as gone.
	OnlyMarked bool
	Sheet      string    // the name of the copy where the source has none, cut to what a name may be
	Help       BookSheet // a second sheet for who has never seen such a copy; no name, no sheet
}

// Mark is what is said about one row.
type Mark struct {
	Text     string   // for the column that is added
	Mild     bool     // somebody should look, but the row counts
	Wrong    []string // columns with a cell that is wrong
	Doubtful []string // columns with a cell that somebody should look at
	// Shifted says that the row of a text has more cells than there are titles, so that some stand below the wrong ones. A sheet would
	// not show that any more, and the row count as right. So what stands in Used columns is not copied but put behind Text.
	Shifted bool
}

// MaxAnnotated is how many rows a sheet may have that is copied whole: far above any price list, and what a person's spreadsheet
// still opens at once.
const MaxAnnotated = 200_000

// ErrTooLong says that a sheet has more rows than [MaxAnnotated], and is not to be copied but with OnlyMarked.
var ErrTooLong = errors.New("too many rows for an annotated copy")

// noValue stands in for what must not be read: a formula that nobody has calculated, the cells of a shifted row. No column takes it.
const noValue = "#N/A"

// Annotate writes a workbook with a copy of a sheet for people to correct: the rows on their own lines, with the values, types and
// number formats that they came with; the cells that are wrong in colour; and a last column that says what is wrong. A filter on that
// column shows the marked rows alone, and the titles stay in sight.
//
// The copy is read as the original is, with two differences that let nothing through. Error values are written as their text, and
// formulas that nobody has calculated, and shifted rows, as #N/A. Formulas are never written, only what they came to; texts that look like one get the format Text, so that
// they stay texts when somebody edits them. Fonts, colours, drawings and other sheets are left behind. The same sheet and annotation
// always make the same bytes.
//
// The sheet is read twice, and written through a temporary file: memory holds the zipped workbook and the marks.
func Annotate(w io.Writer, s *Sheet, n Annotation) (err error) {
	a := annotator{sheet: s, n: n, styles: map[copyStyle]int{}}
	if err := a.survey(); err != nil {
		return fmt.Errorf("annotate sheet %q: %w", s.Name, err)
	}
	if a.rows > MaxAnnotated && !n.OnlyMarked {
		return fmt.Errorf("annotate sheet %q: %w", s.Name, ErrTooLong)
	}
	a.file = excelize.NewFile()
	defer func() { err = errors.Join(err, a.file.Close()) }()
	if err := a.write(); err != nil {
		return fmt.Errorf("annotate sheet %q: %w", s.Name, err)
	}
	if err := a.file.Write(w); err != nil {
		return fmt.Errorf("write annotated workbook: %w", err)
	}
	return nil
}

// annotator makes one annotated copy.
type annotator struct {
	sheet *Sheet
	n     Annotation
	file  *excelize.File
	name  string // of the copy

	// What the survey found.
	rows, marked, last int      // rows of the source, those with a mark, the line of the last
	titles             []string // of the columns, trimmed
	columns            int      // without the one that is added
	extra              int      // the index of that one
	widths             []int    // characters of the longest of the first cells
	hidden             []bool   // columns that are hidden in the source and have no mark

	styles map[copyStyle]int
	line   int // of the copy, as far as it is written
}

// copyStyle is what decides the style of a copied cell.
type copyStyle struct {
	from  Style // the number format; the zero value is General
	look  copyLook
	top   bool // the row is a high one
	right bool // a number in a text
	gap   bool // a text, which would touch the number before it
}

// copyLook is how a copied cell stands out.
type copyLook uint8

const (
	copyPlain    copyLook = iota
	copyDoubtful          // yellow
	copyWrong             // red
	copyTitle             // of the source
	copyAdded             // the title of the added column
	copySaid              // a text in the added column
)

const (
	copyWidest  = 40 // of a column, in characters
	copyNarrow  = 9
	addedWidth  = 64
	surveyDepth = 500 // rows that the widths of columns are taken from
	deepest     = 30  // lines that may stay in sight: more titles would leave no room for rows
	widestGap   = 1000
)

// textFormat is the number format Text, built-in number 49.
var textFormat = Style{Class: FormatText, builtIn: 49}

// survey reads the sheet once for what has to be known before the first row is written.
func (a *annotator) survey() (err error) {
	rows, err := a.sheet.Rows()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	marks := map[string]bool{}
	for _, m := range a.n.Marks {
		for _, title := range slices.Concat(m.Wrong, m.Doubtful) {
			marks[title] = true
		}
	}
	for rows.Next() {
		r := rows.Row()
		a.rows++
		a.last = r.Line
		if r.Line == a.n.Header {
			for _, title := range r.Cells {
				a.titles = append(a.titles, strings.Clone(strings.TrimSpace(title)))
			}
		}
		if _, ok := a.n.Marks[r.Line]; ok {
			a.marked++
		}
		a.measure(r)
	}
	for i := range a.hidden {
		a.hidden[i] = a.hidden[i] && (i >= len(a.titles) || !marks[a.titles[i]])
	}
	a.extra = a.columns
	if i := slices.Index(a.titles, a.n.Title); i >= 0 && a.n.Title != "" {
		a.extra = i
	}
	return rows.Err()
}

// measure takes one row into account for the columns' number and widths.
func (a *annotator) measure(r Row) {
	filled := len(r.Cells)
	for filled > 0 && r.Cells[filled-1] == "" {
		filled--
	}
	a.columns = max(a.columns, filled)
	// Titles of reports stand above the row of titles and run over into the cells beside them.
	if a.rows > surveyDepth || r.Line < a.n.Header {
		return
	}
	for i := range filled {
		for len(a.widths) <= i {
			a.widths, a.hidden = append(a.widths, copyNarrow), append(a.hidden, false)
		}
		a.widths[i] = max(a.widths[i], min(utf8.RuneCountInString(r.Shown(i))+2, copyWidest))
		a.hidden[i] = a.hidden[i] || i < len(r.Typed) && r.Typed[i].Hidden
	}
}

// write fills the workbook.
func (a *annotator) write() error {
	f := a.file
	a.name = sheetName(a.sheet.Name, a.n.Sheet)
	if err := errors.Join(
		f.SetDocProps(&excelize.DocProperties{Creator: "Gondola", LastModifiedBy: "Gondola"}),
		f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: new(a.sheet.book != nil && a.sheet.book.from1904)}),
		f.SetSheetName(f.GetSheetName(0), a.name),
	); err != nil {
		return err
	}
	if err := a.help(); err != nil {
		return fmt.Errorf("sheet %q: %w", a.n.Help.Name, err)
	}
	// All but the rows comes first: a stream writes what is known when it begins.
	if err := a.frame(); err != nil {
		return err
	}
	out, err := f.NewStreamWriter(a.name)
	if err != nil {
		return err
	}
	if err := errors.Join(a.panes(out), a.setColumns(out)); err != nil {
		return err
	}
	if err := a.copyRows(out); err != nil {
		return err
	}
	return out.Flush()
}

// help writes the second sheet.
func (a *annotator) help() error {
	help := a.n.Help
	if help.Name == "" {
		return nil
	}
	if help.Name = sheetName(help.Name, ""); strings.EqualFold(help.Name, a.name) {
		help.Name = sheetName("2 "+help.Name, "")
	}
	if _, err := a.file.NewSheet(help.Name); err != nil {
		return err
	}
	b := bookWriter{file: a.file, styles: map[bookStyle]int{}}
	return b.sheet(help)
}

// lines returns how many lines the copy has, and which of them has the titles.
func (a *annotator) lines() (last, header int) {
	if !a.n.OnlyMarked {
		return max(a.last, a.n.Header, 1), a.n.Header
	}
	return a.marked + min(a.n.Header, 1), min(a.n.Header, 1)
}

// filtered tells whether rows are out of sight.
func (a *annotator) filtered() bool {
	return a.n.Header > 0 && !a.n.OnlyMarked && a.marked > 0
}

// frame sets what concerns the sheet as a whole.
func (a *annotator) frame() error {
	f := a.file
	last, header := a.lines()
	added, err := excelize.ColumnNumberToName(a.extra + 1)
	if err != nil {
		return err
	}
	end, err := excelize.CoordinatesToCellName(max(a.columns, a.extra+1), last)
	if err != nil {
		return err
	}
	if header > 0 && last > header {
		var only []excelize.AutoFilterOptions
		if a.filtered() {
			only = []excelize.AutoFilterOptions{{Column: added, Expression: "x == NonBlanks"}}
		}
		if err := f.AutoFilter(a.name, fmt.Sprintf("A%d:%s", header, end), only); err != nil {
			return err
		}
	}
	// Numbers in a text are texts, and that is what we want: nothing to warn about in every cell.
	if err := f.AddIgnoredErrors(a.name, "A1:"+end, excelize.IgnoredErrorsNumberStoredAsText); err != nil {
		return err
	}
	return (&bookWriter{file: f}).page(a.name)
}

// panes keeps the titles in sight.
func (a *annotator) panes(out *excelize.StreamWriter) error {
	_, header := a.lines()
	if header == 0 || header > deepest {
		return nil
	}
	below := fmt.Sprintf("A%d", header+1)
	return out.SetPanes(&excelize.Panes{
		Freeze: true, YSplit: header, TopLeftCell: below, ActivePane: "bottomLeft",
		Selection: []excelize.Selection{{SQRef: below, ActiveCell: below, Pane: "bottomLeft"}},
	})
}

// setColumns gives the columns their widths, and those of codes in a text their format down to the last row.
func (a *annotator) setColumns(out *excelize.StreamWriter) error {
	if err := out.SetColWidth(a.extra+1, a.extra+1, addedWidth); err != nil {
		return err
	}
	// From the last to the first: the library puts each in front of those it has, and applications want them in order.
	for i, width := range slices.Backward(a.widths) {
		if i == a.extra {
			continue
		}
		if err := out.SetColWidth(i+1, i+1, float64(width)); err != nil {
			return err
		}
		if a.isCode(i) {
			id, err := a.style(copyStyle{from: textFormat})
			if err != nil {
				return err
			}
			if err := out.SetColStyle(i+1, i+1, id); err != nil {
				return err
			}
		}
		if a.hidden[i] {
			if err := out.SetColVisible(i+1, i+1, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// isCode tells whether the cells of a column in a text are codes.
func (a *annotator) isCode(column int) bool {
	return a.sheet.text != nil && column < len(a.titles) && a.titles[column] != "" && slices.Contains(a.n.Codes, a.titles[column])
}

// sheetName returns a name fit for a sheet, the second one where the first is blank.
func sheetName(name, or string) string {
	if strings.TrimSpace(name) == "" {
		name = or
	}
	name = strings.ToValidUTF8(name, "")
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`:\/?*[]`, r) || r < ' ' {
			return ' '
		}
		return r
	}, name)
	for len(utf16.Encode([]rune(name))) > excelize.MaxSheetNameLength {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	if name = strings.Trim(name, " '"); name == "" {
		return "1"
	}
	return name
}
