// Package table turns foreign bytes into rows, and rows into CSV and into workbooks for people.
//
// # Text
//
// What ERPs and people call "a CSV" has no declaration of its encoding, delimiter or line end, so all three are found by evidence:
//
//   - Encoding: a byte order mark; else the parity of NUL bytes (UTF-16); else strict UTF-8; else the code page (Windows-1252,
//     ISO 8859-15, CP850) in which the bytes make the most sense as letters and signs of Spanish, Portuguese or English words. The
//     evidence is gathered over the whole file, because the first ñ may stand in row 4,000, and each word counts once. Where two
//     code pages would make different texts and neither is clearly ahead, the file is refused with both readings: a question
//     costs less than names that no one can search for.
//   - Delimiter: a "sep=" line; else the candidate whose number a row is most even over the first rows, counted exactly as the
//     reader will count it.
//   - Line end: LF, CR LF and CR are all line ends, also in one file.
//   - Quotes: as RFC 4180 has them, and leniently beyond it. Where one opens that makes no sense, so that rows would vanish in a
//     cell, the file is read with quotes as plain characters, if that makes a table of it; [Format] tells it. Else it is refused.
//   - NUL bytes in what is not UTF-16 are what was reserved and never written. Such a file is refused: what is missing is not known.
//
// # Workbooks
//
// XLSX says what its cells are, and that is handed on: a number is no text, TRUE is not 1, a formula that nobody has calculated is
// not blank, and the digits that a format hides are there. Excel's own way to show a number is not imitated, but for what changes
// which number or code a person sees: percent, dates, zeros in front.
//
// Workbooks come from strangers, so that everything has a limit: the directory of the package, each part unzipped, how much larger
// it may be than zipped, rows, columns, texts. Shared strings spill into a temporary file. XML is read by a scanner of our own, which
// knows no entities and refuses what would declare some. What readers could understand in two ways (a part, a relation, a row or a
// cell twice) is refused.
//
// The library excelize, which knows the format best, is the judge in the tests and not in the reader: to open a package with it
// unpacks all of it into memory or temporary files before the first row, more than the reading itself takes in time and memory,
// for the one list of number formats that it would supply. It is the writer of the small workbooks that people are given to fill in:
// [WriteBook] says what a column is for, and the library how a spreadsheet is told so.
//
// # Promises
//
// No byte is ever replaced by U+FFFD, memory does not grow with the file, and the line of a row is the one that a person sees in an
// editor or a spreadsheet. Refusals are data about the file, of type [*Refusal]; other errors mean that it could not be read at all.
//
// How it is fast: delimiters, quotes and line ends are ASCII in every encoding but UTF-16, so rows are found in the raw bytes and
// only what has a byte above ASCII is decoded. A row without quotes, which is nearly every one, is cut where it lies, and of rows that
// are known for what they are only the cells that somebody reads ([Selection]). Some hundred rows become one string, so whoever keeps
// one cell for long keeps those rows. Sheets are read in the same manner: tokens lie where they were unzipped to, and a row's texts and
// numbers become one string.
package table

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// Encoding names how the bytes of a file stand for text.
type Encoding string

// The encodings. Auto is an option only; a [Format] always has one of the others.
const (
	Auto        Encoding = "auto"
	UTF8        Encoding = "utf-8"
	UTF16LE     Encoding = "utf-16le"
	UTF16BE     Encoding = "utf-16be"
	Windows1252 Encoding = "windows-1252" // also ISO 8859-1, which is a part of it as far as text goes
	Latin9      Encoding = "iso-8859-15"  // ISO 8859-15: the euro sign of Unix
	CP850       Encoding = "cp850"        // DOS in Western Europe and Latin America
)

// Options says how to read a file. The zero value finds everything out by itself and uses the default limits.
type Options struct {
	Encoding Encoding // "" is Auto; a byte order mark overrules it, since no text begins with one by accident
	Limits   Limits
}

// Limits bounds what a file may ask of memory. A zero field is its default.
type Limits struct {
	Columns   int   // cells in a row
	CellBytes int   // bytes of one cell; a quoted one that is longer counts as a quote that never closes
	RowBytes  int   // bytes of one row as it stands in the file, in UTF-8 where the file is UTF-16
	Sheets    int   // sheets of a workbook
	Unzipped  int64 // bytes of one part of a workbook
}

// The default limits. They are far above any price list and far below what would hurt.
const (
	DefaultColumns   = 1000       // wide exports have 200; Excel's 16,384 are a sign of a wrong delimiter
	DefaultCellBytes = 64 << 10   // Excel's longest cell is 32,767 characters
	DefaultRowBytes  = 1024 << 10 // also the most that a quote which never closes can make the reader hold
	DefaultSheets    = 200        // one a store, or one a day, and then some
	// DefaultUnzipped leaves room for a million rows with twenty cells each, about 1 GB.
	DefaultUnzipped int64 = 2 << 30
)

// MaxRatio is how many times larger a part of a workbook may be than zipped, where that is more than freeUnzipped. Sheets reach 30,
// and 100 when all their rows are the same; what was made to fill a disk has 1,000.
const MaxRatio = 200

// freeUnzipped is what a part may always have.
const freeUnzipped = 16 << 20

// headSize is how much of a file is looked at to find its kind and dialect: more than a hundred rows of the widest usual export.
const headSize = 256 << 10

// Table is a file that was found to be a readable table. It may be used by several goroutines at once, and must be closed after its
// last use.
type Table struct {
	path   string
	limits Limits
	format Format
	sheets []*Sheet
	book   *workbook // nil for a text
}

// Rows is one pass over the rows of a sheet. It belongs to one goroutine.
type Rows interface {
	// Next goes to the next row and reports whether there is one. After it returned false, Err says why.
	Next() bool
	// Row returns the row that Next went to.
	Row() Row
	// Err returns what ended the pass before the end of the sheet, or nil. It is a [*Refusal] when the content is at fault.
	Err() error
	// Close ends the pass. It may be called twice.
	Close() error
}

// Format is what was found out about a file. A workbook has none of it but the sheet.
type Format struct {
	Sheet     string // the sheet that it is about; "" for a text
	Encoding  Encoding
	Evidence  string // why this encoding, short and stable English
	Delimiter rune   // 0 when there is a single column
	Quoted    bool   // quoted cells occur among the first rows
	LineEnd   string // "\n", "\r\n" or "\r", the most frequent one among the first rows; "" when no line is ended
	BOM       bool   // begins with a byte order mark
	SepLine   bool   // the first line is "sep=" and a delimiter; it is no row
	// QuotesPlain tells that a quote opens somewhere and makes no sense as such, and that the file was therefore read without: every
	// line is a row, a delimiter is one also between quotes, and only quotes around a whole cell are taken off.
	QuotesPlain bool
	StrayQuote  int // with QuotesPlain, the line of the first quote that made no sense
}

// Open finds out what the file at path is. A text is read once as a whole, in bounded memory, to prove that the encoding holds to the
// end; of a workbook everything but its rows is. The error is a [*Refusal] when the file is not a readable table. A file must not
// change while it is being read.
func Open(path string, o Options) (*Table, error) {
	t, err := open(path, o)
	if err == nil {
		return t, nil
	}
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		return nil, refusal
	}
	return nil, fmt.Errorf("open table %q: %w", path, err)
}

func open(path string, o Options) (*Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	keep := false
	defer func() {
		if !keep {
			_ = f.Close() // read only: nothing can be lost
		}
	}()
	t := &Table{path: path, limits: o.Limits.orDefaults()}
	head, whole, err := readHead(f)
	if err != nil {
		return nil, err
	}
	kind, err := foreignKind(f, head)
	switch {
	case err != nil:
		return nil, err
	case kind == "xlsx":
		keep = true
		return t, t.openWorkbook(f)
	case kind != "":
		return nil, refuseKind(kind)
	}
	t.sheets = []*Sheet{{text: t}}
	return t, t.sniff(f, head, whole, o.Encoding)
}

// openWorkbook makes t the table of a workbook, which f belongs to from then on.
func (t *Table) openWorkbook(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	if t.book, err = openWorkbook(f, info.Size(), t.limits); err != nil {
		return err
	}
	t.sheets = t.book.sheets
	return nil
}

// Close ends the use of the table. Of a text nothing is open, so that it may be left out there.
func (t *Table) Close() error {
	if t.book == nil {
		return nil
	}
	b := t.book
	t.book = nil
	if err := b.close(); err != nil {
		return fmt.Errorf("close table: %w", err)
	}
	return nil
}

// Sheets returns the sheets of a workbook that have rows of cells, in their order, and the one sheet of a text. There is at least one.
func (t *Table) Sheets() []*Sheet { return t.sheets }

// Format returns what was found out about the file of the sheet.
func (s *Sheet) Format() Format {
	if s.text != nil {
		return s.text.format
	}
	return Format{Sheet: s.Name}
}

// rows begins a pass over a text.
func (t *Table) rows() (*textRows, error) {
	f, err := os.Open(t.path)
	if err != nil {
		return nil, fmt.Errorf("open table: %w", err)
	}
	r := newRows(t.format.text(f), byte(t.format.Delimiter), t.limits)
	r.file, r.quotesPlain = f, t.format.QuotesPlain
	switch r.page = pageOf(t.format.Encoding); {
	case r.page != nil:
		r.form = formPage
	case t.format.Encoding == UTF8:
		r.form = formUTF8
	}
	if t.format.SepLine {
		r.Next() // the line counts as one, so that the numbers of those below are right
	}
	return r, nil
}

// readHead returns the beginning of a file, and whether it is all of it.
func readHead(f *os.File) (head []byte, whole bool, err error) {
	head = make([]byte, headSize)
	n, err := io.ReadFull(f, head)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return head[:n], true, nil
	}
	return head[:n], false, err
}

// sniff finds out how a text is written, of which head is the beginning; whole says that it is all of it.
func (t *Table) sniff(f *os.File, head []byte, whole bool, configured Encoding) error {
	tried := func() *trial { return nil }
	if !whole {
		tried = t.tryEarly(f, head, configured)
	}
	quotes, err := t.format.findEncoding(f, head, configured)
	early := tried()
	if err != nil {
		return err
	}
	// The head ends in the middle of a character or a row; errors that come from there say nothing about the file.
	text, err := io.ReadAll(t.format.text(bytes.NewReader(head)))
	if err != nil && whole {
		return err
	}
	if kind := markupKind(text); kind != "" {
		return refuseKind(kind)
	}
	err = t.format.findDialect(text, whole, t.limits)
	if quotes && (err == nil || isQuoteRefusal(err)) {
		return t.format.proveQuotes(f, err, early, func(f *Format) error { return f.findDialect(text, whole, t.limits) }, t.limits)
	}
	return err
}

// text returns what of r is to be cut into rows: without the byte order mark, and as UTF-8 where r is UTF-16. A code page is left
// as it is: its delimiters, quotes and line ends are those of ASCII, and rows are cheaper to decode than files.
func (f *Format) text(r io.Reader) io.Reader {
	if f.BOM {
		r = &skipReader{r: r, skip: len(f.Encoding.mark())}
	}
	switch f.Encoding {
	case UTF16LE, UTF16BE:
		return newUTF16Reader(r, f.Encoding)
	}
	return r
}

func (l Limits) orDefaults() Limits {
	if l.Columns <= 0 {
		l.Columns = DefaultColumns
	}
	if l.CellBytes <= 0 {
		l.CellBytes = DefaultCellBytes
	}
	if l.RowBytes <= 0 {
		l.RowBytes = DefaultRowBytes
	}
	if l.Sheets <= 0 {
		l.Sheets = DefaultSheets
	}
	if l.Unzipped <= 0 {
		l.Unzipped = DefaultUnzipped
	}
	// A quote that never closes is then told as such, not as a row that is too long.
	l.CellBytes = min(l.CellBytes, l.RowBytes)
	return l
}

// unzipped returns how many bytes a part may have that has so many zipped.
func (l Limits) unzipped(zipped uint64) int64 {
	most := uint64(freeUnzipped)
	if zipped < uint64(l.Unzipped) {
		most = max(most, zipped*MaxRatio)
	}
	return min(l.Unzipped, int64(min(most, uint64(l.Unzipped))))
}
