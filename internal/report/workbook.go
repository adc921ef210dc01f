package report

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gondola/internal/catalog"
	"gondola/internal/durable"
	"gondola/internal/table"
)

// codeRoles are the columns whose cells must stay the texts that they are, as package feed names them: codes, and dates, which a
// spreadsheet would turn into days of its own reading as somebody corrects them.
var codeRoles = []string{"sku", "barcode", "vendor", "start_date", "end_date"}

// WriteWorkbook writes the annotated copy of a dropped file into the drop folder's folder of answers, for people to correct and to drop
// as it is: see [Workbook]. sheet is the sheet that was read, opened again. It reports whether there is such a copy; where there is
// nothing to mark, or the file is too long to be copied, there is none, and that of an earlier file of the name is removed.
//
// It comes before [Write], whose answer then has Workbook set. Like that it may be called again until it succeeds; once is enough, since
// issues do not change.
func WriteWorkbook(folder string, a Answer, sheet *table.Sheet) (bool, error) {
	if err := checkName(a); err != nil {
		return false, err
	}
	path := WorkbookPath(folder, a)
	fail := func(err error) (bool, error) {
		return false, fmt.Errorf("write annotated workbook for %q: %w; %s", a.Name, err, permission)
	}
	err := errNothing
	if Marked(a) && sheet != nil {
		if err := makeFolder(filepath.Dir(path)); err != nil {
			return fail(err)
		}
		err = durable.WriteFile(path, answerPerm, func(w io.Writer) error { return Workbook(w, a, sheet) })
	}
	switch {
	case err == nil:
		return true, nil
	case !errors.Is(err, errNothing) && !errors.Is(err, table.ErrTooLong):
		return fail(err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fail(err)
	}
	return false, nil
}

// errNothing says that there is nothing to write a workbook about.
var errNothing = errors.New("nothing to mark")

// Marked tells whether an answer has issues that an annotated workbook can show: about rows, and more than notes. Of a file that breaks
// off there is none: what is missing behind the end can't be corrected in it, and would be missing in the copy for good.
func Marked(a Answer) bool {
	return a.Counts[catalog.RowCut] == 0 && slices.ContainsFunc(a.Issues, marks)
}

func marks(is catalog.Issue) bool { return is.Row > 0 && is.Severity != catalog.Note }

// Workbook writes the annotated copy of a sheet: the rows as they came, the cells of the answer's issues in colour, and a last column
// that says what is wrong and what to do; see [table.Annotate]. The title of that column is one that no export has, so it is passed
// over when the copy is dropped, and rows that nobody repaired are rejected as before.
//
// A sheet of more than [table.MaxAnnotated] rows is copied without the rows that are right, where the answer is Partial. Where the file
// speaks for all articles the error is [table.ErrTooLong]: such a copy, dropped, would switch all the others off.
func Workbook(w io.Writer, a Answer, sheet *table.Sheet) error {
	r := newReceipt(a)
	n := r.annotation(sheet)
	if err := r.failed(); err != nil {
		return err
	}
	err := table.Annotate(w, sheet, n)
	if !errors.Is(err, table.ErrTooLong) || !a.Partial {
		return err
	}
	n.OnlyMarked = true
	n.Help = r.help(n)
	for line, m := range n.Marks {
		m.Text = capital(r.words.say("place.row", line)) + ": " + m.Text
		n.Marks[line] = m
	}
	if err := r.failed(); err != nil {
		return err
	}
	return table.Annotate(w, sheet, n)
}

// annotation says what the workbook says.
func (r *receipt) annotation(sheet *table.Sheet) table.Annotation {
	a := r.answer
	n := table.Annotation{
		Header: a.Reading.HeaderRow, Title: r.words.say("workbook.column"), Marks: map[int]table.Mark{},
		Sheet: strings.TrimSuffix(clean(a.Name, maxName), filepath.Ext(a.Name)),
	}
	for _, c := range a.Reading.Columns {
		n.Used = append(n.Used, c.Header)
		if slices.Contains(codeRoles, c.Role) {
			n.Codes = append(n.Codes, c.Header)
		}
	}
	// The gravest first: of a row with several that is what is read.
	for _, g := range groups(a.Issues, nil) {
		for _, is := range g.issues {
			if marks(is) && (is.Sheet == "" || is.Sheet == sheet.Name) {
				m, ok := n.Marks[is.Row]
				n.Marks[is.Row] = r.marked(m, ok, is)
			}
		}
	}
	n.Help = r.help(n)
	return n
}

// marked returns what is said of a row with one issue more.
func (r *receipt) marked(m table.Mark, more bool, is catalog.Issue) table.Mark {
	w := r.words
	text := w.what(is)
	if is.Column != "" {
		text = clean(is.Column, maxQuote) + ": " + small(text)
	}
	// A shifted row is repaired in another way in a sheet than in a text.
	if is.Code == catalog.RowLong {
		text, m.Shifted = text+" "+w.say("workbook.shifted"), true
	} else {
		text += " " + capital(w.do(is.Code))
	}
	if more {
		text = m.Text + "\n" + text
	}
	mild := is.Severity != catalog.Error
	m.Text, m.Mild = text, mild && (m.Mild || !more)
	switch {
	case is.Column == "":
	case mild:
		m.Doubtful = append(m.Doubtful, is.Column)
	default:
		m.Wrong = append(m.Wrong, is.Column)
	}
	return m
}

// help is the second sheet: how to correct the first.
func (r *receipt) help(n table.Annotation) table.BookSheet {
	w, name := r.words, clean(r.answer.Name, maxName)
	lines := []string{w.say("workbook.rows", name, len(n.Marks), n.Title), w.say("workbook.colors", n.Title), w.say("workbook.drop")}
	if n.OnlyMarked {
		lines[0] = w.say("workbook.part", name, len(n.Marks))
	}
	if more := r.unmarked(); more > 0 {
		lines = append(lines, w.say("workbook.more", more))
	}
	s := table.BookSheet{Name: w.say("workbook.help"), Columns: []table.BookColumn{{Kind: table.ColumnProse, Width: 80}}}
	s.Rows = append(s.Rows, []table.BookCell{{Text: w.say("workbook.title"), Look: table.LookTitle}})
	for _, l := range lines {
		s.Rows = append(s.Rows, []table.BookCell{{Text: l}})
	}
	return s
}

// unmarked returns how many issues with rows there are beside those that were kept.
func (r *receipt) unmarked() int {
	kept := map[catalog.Code]int{}
	for _, is := range r.answer.Issues {
		if marks(is) {
			kept[is.Code]++
		}
	}
	more := 0
	for code, n := range kept {
		more += max(0, r.answer.Counts[code]-n)
	}
	return more
}
