package table

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// BookSheet is one sheet of a workbook that is to be written for people: a header row where any column has a header, and rows below it.
type BookSheet struct {
	Name    string // at most 31 characters, without : \ / ? * [ ]
	Columns []BookColumn
	Rows    [][]BookCell // none longer than Columns; a zero cell is blank
}

// BookColumn is how a column looks and what may be typed into it. All of it holds for the whole column, down to the sheet's last row,
// so that what people add below is treated like what is there.
type BookColumn struct {
	Header string // "" = none
	Kind   ColumnKind
	Width  float64 // in characters of the standard font, as spreadsheets count; 0 = the application's default
	// Prompt is shown beside the header while it is selected, at most 255 characters.
	Prompt string
	// List is what the cells' drop-down offers, 255 characters in all with the commas between; none may hold a comma. For ColumnText.
	List []string
	// Open: what is not in List is as good, and List only suggests. Without it Wrong is said, and may be overruled.
	Open bool
	// NotBefore is the header of another ColumnDay whose day in the same row this one's must not lie before; "" = none.
	NotBefore string
	// Wrong is said, at most 255 characters, when what is typed does not fit Kind or List. "" = anything goes.
	Wrong string
}

// ColumnKind says what the cells of a written column are for.
type ColumnKind uint8

// The kinds, with what is checked where Wrong is set.
const (
	ColumnText  ColumnKind = iota // kept as typed: zeros in front stay, long codes get no exponent; one of List, where there is one
	ColumnMoney                   // a number with two decimals; above zero, anything else is refused
	ColumnCount                   // a number; not below zero, anything else is asked about
	ColumnDay                     // a day, its month in letters so that nobody takes it for the day; not before NotBefore, or asked about
	ColumnProse                   // text to be read, as many lines as it takes; never checked
)

// BookCell is one cell to be written.
type BookCell struct {
	Kind Kind   // Text, Number or Date
	Text string // a number in digits with a point; a date as 2026-05-08, from 1 March 1900 to 31 December 9999; "" = blank
	Look Look
}

// Look is how a written cell stands out.
type Look uint8

// The looks.
const (
	LookPlain  Look = iota
	LookStrong      // bold
	LookTitle       // larger and bold: the first line of a sheet
)

const (
	// dayFormat has the month in letters, in the language of whoever opens the workbook: 08-may-2026.
	dayFormat = "dd-mmm-yyyy"
	// bookNote is how many UTF-16 units Excel takes in a prompt, a message, or a list.
	bookNote = 255
	// bookNoteTitle is how many it takes in the title above a prompt or a message.
	bookNoteTitle = 32
	// earliestDay is 1 January 2000 as a serial: an earlier day of a promotion, or of anything else in a shop, is a slip.
	earliestDay = 36526
	// The font is the one that spreadsheets begin with.
	bookFont  = "Calibri"
	bookColor = "1F6E54"
	// Heights of rows in points. Not every application works out by itself how high a row of several lines has to be.
	headerHeight = 24.0 // room for the filter's arrows
	titleHeight  = 30.0
	lineHeight   = 14.5
	proseGap     = 4.0 // between one row of prose and the next
	// proseFill is how many letters stand in the width of one digit, which is what widths are counted in: they are narrower, and
	// what is left over is for words that don't break. Measured with a wide font, so that others have room to spare.
	proseFill = 1.1
	// lastBookRow is the last row that a sheet can have.
	lastBookRow = excelize.TotalRows
)

// WriteBook writes a workbook (XLSX) in which the first sheet is open. The same sheets always make the same bytes: nothing of the
// machine or the moment is in them. It holds the whole workbook in memory; it is for starters and answers, not for price lists. An
// error says which sheet and column can't be written so.
func WriteBook(w io.Writer, sheets []BookSheet) (err error) {
	if len(sheets) == 0 {
		return errors.New("write workbook: it needs a sheet")
	}
	f := excelize.NewFile()
	defer func() { err = errors.Join(err, f.Close()) }()
	// The library would put its author's name; the times are fixed ones of its own.
	if err := f.SetDocProps(&excelize.DocProperties{Creator: "Gondola", LastModifiedBy: "Gondola"}); err != nil {
		return fmt.Errorf("write workbook: %w", err)
	}
	b := bookWriter{file: f, styles: map[bookStyle]int{}}
	for i, s := range sheets {
		if i == 0 {
			err = f.SetSheetName(f.GetSheetName(0), s.Name)
		} else {
			_, err = f.NewSheet(s.Name)
		}
		if err == nil {
			err = b.sheet(s)
		}
		if err != nil {
			return fmt.Errorf("write sheet %q: %w", s.Name, err)
		}
	}
	if err := f.Write(w); err != nil {
		return fmt.Errorf("write workbook: %w", err)
	}
	return nil
}

// bookWriter writes the sheets of one workbook.
type bookWriter struct {
	file   *excelize.File
	styles map[bookStyle]int // those made so far: a workbook has one of each
}

// bookStyle is what decides a cell's style.
type bookStyle struct {
	kind   ColumnKind
	look   Look
	header bool
}

// style returns the number of a style, which is made when it is first needed.
func (b *bookWriter) style(s bookStyle) (int, error) {
	if id, ok := b.styles[s]; ok {
		return id, nil
	}
	style := &excelize.Style{Alignment: &excelize.Alignment{Vertical: "top"}}
	// A font without a family is shown in whichever the application likes.
	style.Font = &excelize.Font{Family: bookFont, Size: 11, Bold: s.header || s.look != LookPlain}
	switch {
	case s.header:
		style.Font.Color = "FFFFFF"
		style.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{bookColor}}
		style.Alignment.Vertical = "center"
	case s.look == LookTitle:
		style.Font.Size, style.Font.Color = 16, bookColor
	}
	switch s.kind {
	case ColumnText:
		style.NumFmt = 49 // @
		// A text behind a number would touch it.
		style.Alignment.Horizontal, style.Alignment.Indent = "left", 1
	case ColumnMoney:
		style.NumFmt = 4 // #,##0.00, with the reader's own separators
	case ColumnDay:
		style.CustomNumFmt = new(dayFormat)
	case ColumnProse:
		// A title runs over into the cells beside it.
		style.Alignment.WrapText = s.look != LookTitle
	}
	id, err := b.file.NewStyle(style)
	if err == nil {
		b.styles[s] = id
	}
	return id, err
}

// sheet fills one sheet, which exists.
func (b *bookWriter) sheet(s BookSheet) error {
	headed := false
	for i, c := range s.Columns {
		if err := b.column(s, i); err != nil {
			return fmt.Errorf("column %d (%q): %w", i+1, c.Header, err)
		}
		headed = headed || c.Header != ""
	}
	if headed {
		if err := b.header(s); err != nil {
			return fmt.Errorf("header: %w", err)
		}
	}
	line := 1
	if headed {
		line = 2
	}
	for _, cells := range s.Rows {
		if len(cells) > len(s.Columns) {
			return fmt.Errorf("row %d has %d cells for %d columns", line, len(cells), len(s.Columns))
		}
		for i, c := range cells {
			if err := b.cell(s, i, line, c); err != nil {
				return fmt.Errorf("row %d, cell %d: %w", line, i+1, err)
			}
		}
		if height := s.height(cells); height > 0 {
			if err := b.file.SetRowHeight(s.Name, line, height); err != nil {
				return fmt.Errorf("row %d: %w", line, err)
			}
		}
		line++
	}
	return b.page(s.Name)
}

// column gives a whole column its width, its format and its checks.
func (b *bookWriter) column(s BookSheet, i int) error {
	c := s.Columns[i]
	name, err := excelize.ColumnNumberToName(i + 1)
	if err != nil {
		return err
	}
	id, err := b.style(bookStyle{kind: c.Kind})
	if err != nil {
		return err
	}
	if err := b.file.SetColStyle(s.Name, name, id); err != nil {
		return err
	}
	if c.Width > 0 {
		if err := b.file.SetColWidth(s.Name, name, name, c.Width); err != nil {
			return err
		}
	}
	below := fmt.Sprintf("%s2:%s%d", name, name, lastBookRow)
	if c.Kind == ColumnText && c.Header != "" {
		// That a code of digits is text is what we want, not something to warn about in every cell.
		if err := b.file.AddIgnoredErrors(s.Name, below, excelize.IgnoredErrorsNumberStoredAsText); err != nil {
			return err
		}
	}
	if c.Prompt != "" {
		hint := excelize.NewDataValidation(true)
		hint.SetSqref(name + "1")
		if err := fitsNote(c.Header, c.Prompt); err != nil {
			return fmt.Errorf("prompt: %w", err)
		}
		hint.SetInput(c.Header, c.Prompt)
		if err := b.file.AddDataValidation(s.Name, hint); err != nil {
			return err
		}
	}
	check, err := s.check(c)
	if err != nil || check == nil {
		return err
	}
	check.SetSqref(below)
	return b.file.AddDataValidation(s.Name, check)
}

// check returns what is checked of the cells in a column, nil where anything goes.
func (s BookSheet) check(c BookColumn) (*excelize.DataValidation, error) {
	check := excelize.NewDataValidation(true)
	alert := excelize.DataValidationErrorStyleWarning
	var err error
	switch {
	case len(c.List) > 0:
		if strings.Contains(strings.Join(c.List, ""), ",") || c.Kind != ColumnText {
			return nil, fmt.Errorf("list %q: want words without comma, in a column of texts", c.List)
		}
		err = check.SetDropList(c.List)
	case c.Wrong == "" || c.Kind == ColumnText || c.Kind == ColumnProse:
		return nil, nil
	case c.Kind == ColumnMoney:
		alert = excelize.DataValidationErrorStyleStop
		err = check.SetRange(0, 0, excelize.DataValidationTypeDecimal, excelize.DataValidationOperatorGreaterThan)
	case c.Kind == ColumnCount:
		err = check.SetRange(0, 0, excelize.DataValidationTypeDecimal, excelize.DataValidationOperatorGreaterThanOrEqual)
	case c.Kind == ColumnDay:
		var from string
		if from, err = s.earliest(c); err == nil {
			err = check.SetRange(from, "", excelize.DataValidationTypeDate, excelize.DataValidationOperatorGreaterThanOrEqual)
		}
	}
	if err != nil {
		return nil, err
	}
	// One-sided comparisons have no second value.
	check.Formula2 = ""
	if c.Wrong != "" && !c.Open {
		if err := fitsNote(c.Header, c.Wrong); err != nil {
			return nil, fmt.Errorf("message: %w", err)
		}
		check.SetError(alert, c.Header, c.Wrong)
	}
	return check, nil
}

// earliest returns the formula for the first day that a column takes.
func (s BookSheet) earliest(c BookColumn) (string, error) {
	if c.NotBefore == "" {
		return strconv.Itoa(earliestDay), nil
	}
	for i, other := range s.Columns {
		if other.Header == c.NotBefore && other.Kind == ColumnDay {
			name, err := excelize.ColumnNumberToName(i + 1)
			// Relative to the first checked row, so that each row looks at its own. The dollar keeps the column.
			return "$" + name + "2", err
		}
	}
	return "", fmt.Errorf("not before %q: no column of days has that header", c.NotBefore)
}

// fitsNote reports what Excel would not take: it repairs such workbooks by dropping every check.
func fitsNote(title, text string) error {
	if n := len(utf16.Encode([]rune(title))); n > bookNoteTitle {
		return fmt.Errorf("title %q has %d characters, at most %d are allowed", title, n, bookNoteTitle)
	}
	if n := len(utf16.Encode([]rune(text))); n > bookNote {
		return fmt.Errorf("%q has %d characters, at most %d are allowed", text, n, bookNote)
	}
	return nil
}

// header writes the header row: it stays in sight, and each column can be filtered.
func (b *bookWriter) header(s BookSheet) error {
	for i, c := range s.Columns {
		id, err := b.style(bookStyle{kind: ColumnText, header: true})
		if err != nil {
			return err
		}
		at, err := excelize.CoordinatesToCellName(i+1, 1)
		if err != nil {
			return err
		}
		if err := errors.Join(b.file.SetCellStr(s.Name, at, c.Header), b.file.SetCellStyle(s.Name, at, at, id)); err != nil {
			return err
		}
	}
	last, err := excelize.CoordinatesToCellName(len(s.Columns), 1+max(1, len(s.Rows)))
	if err != nil {
		return err
	}
	return errors.Join(
		b.file.SetRowHeight(s.Name, 1, headerHeight),
		b.file.SetPanes(s.Name, &excelize.Panes{
			Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft",
			Selection: []excelize.Selection{{SQRef: "A2", ActiveCell: "A2", Pane: "bottomLeft"}},
		}),
		b.file.AutoFilter(s.Name, "A1:"+last, nil),
	)
}

// cell writes one cell below the header.
func (b *bookWriter) cell(s BookSheet, column, line int, c BookCell) error {
	if c.Text == "" {
		return nil
	}
	at, err := excelize.CoordinatesToCellName(column+1, line)
	if err != nil {
		return err
	}
	id, err := b.style(bookStyle{kind: s.Columns[column].Kind, look: c.Look})
	if err != nil {
		return err
	}
	if err := b.file.SetCellStyle(s.Name, at, at, id); err != nil {
		return err
	}
	switch c.Kind {
	case Text:
		return b.file.SetCellStr(s.Name, at, c.Text)
	case Number:
		if _, ok := scanDecimal([]byte(c.Text)); !ok {
			return fmt.Errorf("%q is no number: want digits with a point", c.Text)
		}
		return b.file.SetCellDefault(s.Name, at, c.Text)
	case Date:
		serial, err := daySerial(c.Text)
		if err != nil {
			return err
		}
		return b.file.SetCellInt(s.Name, at, serial)
	}
	return fmt.Errorf("cells of kind %d can't be written", c.Kind)
}

// daySerial returns the number that a workbook keeps for a day.
func daySerial(text string) (int64, error) {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, fmt.Errorf("%q is no day: want YYYY-MM-DD", text)
	}
	serial := int64(day.Sub(time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)) / (24 * time.Hour))
	// Before it lies the 29 February 1900 that never was.
	if serial < 61 || serial > lastSerial {
		return 0, fmt.Errorf("day %s: want one from 1900-03-01 to 9999-12-31", text)
	}
	return serial, nil
}

// height returns how high a row has to be for its prose, 0 where it has none.
func (s BookSheet) height(cells []BookCell) float64 {
	height := 0.0
	for i, c := range cells {
		width := s.Columns[i].Width
		switch {
		case c.Look == LookTitle:
			height = max(height, titleHeight)
		case s.Columns[i].Kind == ColumnProse && width > 0 && c.Text != "":
			lines := math.Ceil(float64(utf8.RuneCountInString(c.Text)) / (width * proseFill))
			height = max(height, lines*lineHeight+proseGap)
		}
	}
	return height
}

// page makes a sheet print on as many pages as its rows take, each as wide as the sheet.
func (b *bookWriter) page(name string) error {
	return errors.Join(
		b.file.SetSheetProps(name, &excelize.SheetPropsOptions{FitToPage: new(true)}),
		b.file.SetPageLayout(name, &excelize.PageLayoutOptions{
			Orientation: new("landscape"), Size: new(9), FitToWidth: new(1), FitToHeight: new(0), // A4
		}),
	)
}
