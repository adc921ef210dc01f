package table

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// copyRows reads the sheet once more and writes its rows.
func (a *annotator) copyRows(out *excelize.StreamWriter) (err error) {
	rows, err := a.sheet.Rows()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		r := rows.Row()
		mark, marked := a.n.Marks[r.Line]
		line := r.Line
		if a.n.OnlyMarked {
			if !marked && r.Line != a.n.Header {
				continue
			}
			line = a.line + 1
		}
		if err := a.fillGap(out, line); err != nil {
			return err
		}
		if err := a.copyRow(out, line, r, mark, marked); err != nil {
			return err
		}
		a.line = line
	}
	return rows.Err()
}

// fillGap takes the blank lines before the next row out of sight, where the unmarked ones are: they have nothing to correct.
func (a *annotator) fillGap(out *excelize.StreamWriter, line int) error {
	if !a.filtered() || line-a.line > widestGap {
		return nil
	}
	for blank := max(a.line, a.n.Header) + 1; blank < line; blank++ {
		at, err := excelize.CoordinatesToCellName(1, blank)
		if err != nil {
			return err
		}
		if err := out.SetRow(at, nil, excelize.RowOpts{Hidden: true}); err != nil {
			return err
		}
	}
	return nil
}

// copyRow writes one row.
func (a *annotator) copyRow(out *excelize.StreamWriter, line int, r Row, mark Mark, marked bool) error {
	if mark.Shifted {
		mark.Text += "\n" + strings.Join(r.Cells, " | ")
	}
	values := make([]any, max(len(r.Cells), a.extra+1))
	header := r.Line == a.n.Header
	for i := range r.Cells {
		if i == a.extra || r.Cells[i] == "" && !marked && !header {
			continue
		}
		look := a.lookOf(i, header, mark)
		if mark.Shifted && a.isUsed(i) {
			r.Cells[i], look = noValue, copyWrong // the cells are ours until the next row
		}
		c, err := a.copyCell(r, i, look, marked)
		if err != nil {
			return err
		}
		values[i] = c
	}
	options := excelize.RowOpts{Hidden: r.Hidden && !marked}
	switch {
	case header:
		id, err := a.style(copyStyle{from: textFormat, look: copyAdded})
		if err != nil {
			return err
		}
		values[a.extra] = excelize.Cell{StyleID: id, Value: a.n.Title}
		options = excelize.RowOpts{Height: headerHeight}
	case marked:
		look := copyWrong
		if mark.Mild {
			look = copyDoubtful
		}
		if err := a.markBlanks(values, len(r.Cells), mark); err != nil {
			return err
		}
		id, err := a.style(copyStyle{from: textFormat, look: look, top: true})
		if err != nil {
			return err
		}
		said, err := a.style(copyStyle{from: textFormat, look: copySaid, top: true})
		if err != nil {
			return err
		}
		// Where no cell of the row is in colour, what is said of it is.
		if len(mark.Wrong)+len(mark.Doubtful) > 0 {
			id = said
		}
		values[a.extra] = excelize.Cell{StyleID: id, Value: mark.Text}
		options.Height = saidHeight(mark.Text)
	case a.filtered() && r.Line > a.n.Header:
		options.Hidden = true
	}
	at, err := excelize.CoordinatesToCellName(1, line)
	if err != nil {
		return err
	}
	return out.SetRow(at, values, options)
}

// markBlanks colours the cells that are wrong because there is none: the row ends before them.
func (a *annotator) markBlanks(values []any, from int, mark Mark) error {
	for i := from; i < min(len(values), len(a.titles)); i++ {
		if look := a.lookOf(i, false, mark); look != copyPlain && i != a.extra {
			id, err := a.style(copyStyle{look: look, top: true})
			if err != nil {
				return err
			}
			values[i] = excelize.Cell{StyleID: id}
		}
	}
	return nil
}

// lookOf returns how the row's cell in a column stands out.
func (a *annotator) lookOf(column int, header bool, mark Mark) copyLook {
	title := ""
	if column < len(a.titles) {
		title = a.titles[column]
	}
	switch {
	case header:
		return copyTitle
	case title == "":
		return copyPlain
	case slices.Contains(mark.Wrong, title):
		return copyWrong
	case slices.Contains(mark.Doubtful, title):
		return copyDoubtful
	}
	return copyPlain
}

// isUsed tells whether a column is read.
func (a *annotator) isUsed(column int) bool {
	return column < len(a.titles) && a.titles[column] != "" && slices.Contains(a.n.Used, a.titles[column])
}

// copyCell returns the row's cell in a column as it is to be written.
func (a *annotator) copyCell(r Row, column int, look copyLook, top bool) (excelize.Cell, error) {
	text, cell := r.Cells[column], Cell{}
	if column < len(r.Typed) {
		cell = r.Typed[column]
	}
	s := copyStyle{look: look, top: top}
	if cell.Style != nil {
		s.from = *cell.Style
	}
	var value any
	switch cell.Kind {
	case Number:
		value = numberValue(text)
	case Date:
		value = dateValue(text, s.from.from1904)
	case Bool:
		value = text == "1"
	case Uncalculated:
		value = noValue
	default:
		value = text
	}
	if kept, ok := value.(string); ok {
		switch {
		case kept == "":
			value = nil
		case looksLikeFormula(kept) || r.Typed == nil && a.isCode(column):
			s.from = textFormat
		case r.Typed == nil && look != copyTitle:
			s.right = looksLikeNumber(kept)
		}
		s.gap = top && !s.right && value != nil
	}
	if value == nil && look == copyPlain {
		return excelize.Cell{}, nil
	}
	id, err := a.style(s)
	return excelize.Cell{StyleID: id, Value: value}, err
}

// looksLikeFormula tells whether a text is one that spreadsheets take for a formula or a command when it is typed or opened as CSV:
// whoever writes it for people must keep it a text. Numbers with a sign are none.
func looksLikeFormula(text string) bool {
	if text == "" || !strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return false
	}
	_, number := scanDecimal([]byte(strings.ReplaceAll(text, ",", ".")))
	return !number
}

// looksLikeNumber tells whether a text is digits, perhaps with a sign before and marks between them.
func looksLikeNumber(text string) bool {
	digits := strings.TrimLeft(text, "-")
	for i := range len(digits) {
		if mark := strings.IndexByte(".,", digits[i]) >= 0; !isDigit(digits[i]) && (!mark || i == 0) {
			return false
		}
	}
	return digits != "" && isDigit(digits[len(digits)-1])
}

// numberValue returns a number of a row for the writer: whole ones to the last digit, others with the digits that count.
func numberValue(text string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	if x, err := strconv.ParseFloat(text, 64); err == nil && !math.IsInf(x, 0) {
		return x
	}
	return text
}

// dateValue returns a date of a row for the writer, as its serial. Some programs keep dates in ISO 8601.
func dateValue(text string, from1904 bool) any {
	if n := numberValue(text); n != any(text) {
		return n
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04:05", "2006-01-02T15:04:05Z", "2006-01-02T15:04:05.999"} {
		at, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		first := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
		if from1904 {
			first = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		return at.Sub(first).Hours() / 24
	}
	return text
}

// saidHeight returns how high a row has to be for what is said of it.
func saidHeight(text string) float64 {
	lines := 0.0
	for line := range strings.SplitSeq(text, "\n") {
		lines += max(1, math.Ceil(float64(utf8.RuneCountInString(line))/(addedWidth*proseFill)))
	}
	return min(lines*lineHeight+proseGap, excelize.MaxRowHeight)
}

// style returns the number of a style, which is made when it is first needed; 0 is the application's own.
func (a *annotator) style(s copyStyle) (int, error) {
	s.from.ID = 0 // formats that are the same are one
	if s == (copyStyle{from: Style{from1904: s.from.from1904}}) {
		return 0, nil
	}
	if id, ok := a.styles[s]; ok {
		return id, nil
	}
	style := &excelize.Style{
		Font: &excelize.Font{Family: bookFont, Size: 11}, Alignment: &excelize.Alignment{}, NumFmt: s.from.builtIn,
	}
	switch id := s.from.builtIn; {
	case s.from.Format != "":
		style.CustomNumFmt = new(s.from.Format)
	case id < 0 || id > 22 && id < 37 || id > 49:
		// Formats that only some languages have: the library does not write their numbers, so they become what they come to.
		style.NumFmt = 0
		if code := builtIn(id); code != "" {
			style.CustomNumFmt = new(code)
		}
	}
	if s.top {
		style.Alignment.Vertical = "top"
	}
	if s.right {
		style.Alignment.Horizontal = "right"
	}
	if s.gap {
		style.Alignment.Horizontal, style.Alignment.Indent = "left", 1
	}
	fill := ""
	switch s.look {
	case copyDoubtful:
		fill, style.Font.Color = "FFEB9C", "7A4B00"
	case copyWrong:
		fill, style.Font.Color, style.Font.Bold = "FFC7CE", "9C0006", true
	case copyTitle:
		fill, style.Font.Color, style.Font.Bold = bookColor, "FFFFFF", true
		style.Alignment.Vertical = "center"
	case copyAdded:
		fill, style.Font.Color, style.Font.Bold = "9C0006", "FFFFFF", true
		style.Alignment.Vertical = "center"
	}
	if s.look == copySaid || s.from == textFormat && s.top && s.look != copyPlain {
		style.Alignment.WrapText = true
	}
	if fill != "" {
		style.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{fill}}
	}
	id, err := a.file.NewStyle(style)
	if err == nil {
		a.styles[s] = id
	}
	return id, err
}
