package table

import (
	"encoding/hex"
	"fmt"
	"strconv"
)

// RefusalKind says why a file is not a readable table.
type RefusalKind string

// The kinds of refusal. What stands in parentheses are the Args of a [Refusal], in order.
const (
	RefusedEmpty RefusalKind = "empty" // nothing in it but blanks
	// RefusedKind: something else (what: xls, xlsb, encrypted, ods, numbers, xml, dbf, word, pdf, html, rtf, image, zip or binary).
	RefusedKind     RefusalKind = "not-a-table"
	RefusedEncoding RefusalKind = "encoding" // bytes that are no text (encoding, bytes in hex, line)
	// RefusedGuess: bytes that are text in two encodings, and which one is right can't be told (the likelier encoding, a piece of the
	// text as it reads in it, the other encoding, the same piece in that, line).
	RefusedGuess RefusalKind = "guess"
	RefusedNUL   RefusalKind = "nul" // NUL bytes in what else is a text: a part of the file was never written (line)
	// RefusedLimit: larger than the limits. What is columns, cell bytes or row bytes; in a workbook also rows, sheets, styles or
	// unzipped bytes (what, limit, line; line 0 is the whole file).
	RefusedLimit   RefusalKind = "limit"
	RefusedQuote   RefusalKind = "quote"   // a quote that never closes, or too far behind (line on which it opens)
	RefusedDamaged RefusalKind = "damaged" // a workbook that is not as workbooks are (part of it, perhaps line)
)

// Refusal is the error for a file whose content can't be read as a table. Its text is for operators; words for the people who made
// the file belong to whoever knows their language.
type Refusal struct {
	Kind RefusalKind
	Args []string // see the kinds
}

// Error implements error.
func (r *Refusal) Error() string {
	var a [5]string // so that one made by hand, without its arguments, is printed too
	copy(a[:], r.Args)
	switch r.Kind {
	case RefusedEmpty:
		return "the file is empty; export it again"
	case RefusedKind:
		return fmt.Sprintf("the file is %s, not XLSX or CSV; save it as an Excel workbook (.xlsx) without password, or as CSV, and drop it again",
			a[0])
	case RefusedEncoding:
		return fmt.Sprintf("line %s: bytes %s are no text in %s; export the file as UTF-8, or set `encoding:` to what it is written in",
			a[2], a[1], a[0])
	case RefusedGuess:
		return fmt.Sprintf("line %s: %q in %s or %q in %s? set `encoding:` to the one that reads right, or export the file as UTF-8",
			a[4], a[1], a[0], a[3], a[2])
	case RefusedNUL:
		return fmt.Sprintf("line %s: NUL bytes, as where a file was not written to its end; export it again", a[0])
	case RefusedLimit:
		return fmt.Sprintf("line %s: more than %s %s; check the quotes and the delimiter there", a[2], a[1], a[0])
	case RefusedDamaged:
		return fmt.Sprintf("the workbook is damaged (part %q, row %q); open it in a spreadsheet program, save it as .xlsx and drop it again",
			a[0], a[1])
	case RefusedQuote:
		return fmt.Sprintf("line %s: a quote opens and never closes; double it or take it away", a[0])
	}
	return "the file can't be read as a table; save it as .xlsx or CSV and drop it again"
}

func refuseKind(what string) *Refusal {
	return &Refusal{Kind: RefusedKind, Args: []string{what}}
}

func refuseEncoding(e Encoding, raw []byte, line int) *Refusal {
	return &Refusal{Kind: RefusedEncoding, Args: []string{string(e), hex.EncodeToString(raw), strconv.Itoa(line)}}
}

// refuseGuess refuses a file for a piece that reads differently in two encodings.
func refuseGuess(line int, likelier, other reading) *Refusal {
	return &Refusal{Kind: RefusedGuess, Args: []string{
		string(likelier.encoding), likelier.text, string(other.encoding), other.text, strconv.Itoa(line),
	}}
}

func refuseNUL(line int) *Refusal {
	return &Refusal{Kind: RefusedNUL, Args: []string{strconv.Itoa(line)}}
}

func refuseLimit(what string, limit, line int) *Refusal {
	return &Refusal{Kind: RefusedLimit, Args: []string{what, strconv.Itoa(limit), strconv.Itoa(line)}}
}

func refuseQuote(line int) *Refusal {
	return &Refusal{Kind: RefusedQuote, Args: []string{strconv.Itoa(line)}}
}

// refuseDamaged refuses a workbook for one of its parts; "" is the package.
func refuseDamaged(part string) *Refusal {
	return &Refusal{Kind: RefusedDamaged, Args: []string{part}}
}
