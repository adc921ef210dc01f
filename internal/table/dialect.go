package table

import (
	"bytes"
	"errors"
	"strings"
)

// sampleRows is how many rows the delimiter is decided by.
const sampleRows = 100

// delimiters are the candidates. At equal evidence the earlier one wins: a comma is what prices and descriptions hold anyway, a tab
// is what they never hold.
const delimiters = "\t;|,"

// findDialect finds out delimiter, quotes and line end from text, the beginning of the table; whole says that it is all of it.
func (f *Format) findDialect(text []byte, whole bool, l Limits) error {
	f.LineEnd = commonLineEnd(text)
	if d, ok := sepLine(text); ok {
		f.Delimiter, f.SepLine = rune(d), true
		_, err := f.sample(text, whole, d, l)
		return err
	}
	best, bestScore := byte(0), 0.0
	for i := range len(delimiters) {
		s, err := f.sample(text, whole, delimiters[i], l)
		score := s.score(delimiters[i])
		if err != nil {
			score *= 0.75 // cut at the wrong sign, a good file may look broken; a broken file looks so cut at the right one, too
		}
		if score > bestScore {
			best, bestScore = delimiters[i], score
		}
	}
	f.Delimiter = rune(best)
	_, err := f.sample(text, whole, best, l)
	return err
}

// sample is what the first rows look like when they are cut at one delimiter.
type sample struct {
	rows   int // looked at
	mode   int // the number of delimiters that most of those rows have which have any
	even   int // rows with just so many
	first  int // index of the first of them
	amount int // of even, rows in which every delimiter has a digit on both sides, like a decimal comma
}

// sample cuts the first rows of text as the reader would. The error is what the reader would refuse about them; the end of a text
// that goes on is none.
func (f *Format) sample(text []byte, whole bool, delim byte, l Limits) (sample, error) {
	r := newRows(nil, delim, l)
	r.buf, r.end, r.eof, r.quotesPlain = text, len(text), true, f.QuotesPlain
	if whole {
		r.end = len(bytes.TrimRight(text, endMark))
	}
	var rows [][2]int // delimiters, and those between digits
	for len(rows) < sampleRows && r.Next() {
		rows = append(rows, [2]int{len(r.row.Cells) - 1, betweenDigits(r.row.Cells)})
	}
	if !whole && len(rows) > 1 && len(rows) < sampleRows {
		rows = rows[:len(rows)-1] // cut in the middle
	}
	f.Quoted = r.quoted

	if !whole && errors.As(r.err, new(*Refusal)) {
		return newSample(rows), nil
	}
	return newSample(rows), r.err
}

// newSample counts rows: of each the delimiters, and those between digits.
func newSample(rows [][2]int) sample {
	s := sample{rows: len(rows)}
	count := map[int]int{}
	for _, row := range rows {
		n := row[0]
		if n == 0 {
			continue // a title, or not the delimiter
		}
		count[n]++
		// Of two numbers as frequent the larger: the header and its rows have more than the titles above them.
		if count[n] > count[s.mode] || (count[n] == count[s.mode] && n > s.mode) {
			s.mode = n
		}
	}
	s.even = count[s.mode]
	for i := len(rows) - 1; i >= 0 && s.mode > 0; i-- {
		if rows[i][0] == s.mode {
			s.first = i
			if rows[i][1] == s.mode {
				s.amount++
			}
		}
	}
	return s
}

// score is the evidence for delim being the delimiter: the share of the rows that have the same number of it, 0 for none.
func (s *sample) score(delim byte) float64 {
	if s.even == 0 {
		return 0
	}
	if s.even == 1 && s.first > 0 && s.mode == 1 {
		return 0 // one comma in one line below others: a sentence
	}
	share := float64(s.even) / float64(s.rows)
	if s.even*4 < s.rows-s.first {
		return 0 // a single column of text in which the sign occurs now and then
	}
	if delim == ',' && s.amount*2 > s.even {
		// Amounts with decimal commas are as even as columns. The header of a table that is cut at commas has commas, too.
		if s.first > 0 {
			return 0
		}
		share /= 2
	}
	return share
}

// betweenDigits counts the delimiters between cells that have a digit on both sides.
func betweenDigits(cells []string) int {
	n := 0
	for i := 1; i < len(cells); i++ {
		left, right := cells[i-1], cells[i]
		if left != "" && right != "" && isDigit(left[len(left)-1]) && isDigit(right[0]) {
			n++
		}
	}
	return n
}

// sepLine returns the delimiter that the first line of text declares in the way of Excel, "sep=;".
func sepLine(text []byte) (byte, bool) {
	line := text[:min(len(text), len(`"sep=;"`)+1)]
	if i := bytes.IndexAny(line, "\r\n"); i >= 0 {
		line = line[:i]
	} else if len(line) < len(text) {
		return 0, false
	}
	s := string(line)
	if len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	}
	if len(s) != len("sep=;") || !strings.EqualFold(s[:4], "sep=") {
		return 0, false
	}
	d := s[4]
	return d, d != '"' && d >= '\t' && d < 0x7f && !isLetter(d) && !isDigit(d)
}

// commonLineEnd returns the line end that occurs most in text, "" for none.
func commonLineEnd(text []byte) string {
	crlf := bytes.Count(text, []byte("\r\n"))
	lf := bytes.Count(text, []byte("\n")) - crlf
	cr := bytes.Count(text, []byte("\r")) - crlf
	switch max(crlf, lf, cr) {
	case 0:
		return ""
	case crlf:
		return "\r\n"
	case lf:
		return "\n"
	}
	return "\r"
}
