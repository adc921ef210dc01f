package order

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/template"
	"time"
	"unicode"

	"gondola/internal/platform"
	"gondola/internal/table"
)

// Shape is how a file is laid out.
type Shape string

// The shapes of files.
const (
	ShapeCSV      Shape = "csv"      // a line that begins with order, then one that begins with item for each article
	ShapeFlat     Shape = "flat"     // titles, then a line for each article with the order in it
	ShapeJSON     Shape = "json"     // one object with a list of orders
	ShapeTemplate Shape = "template" // whatever the admin's template makes
)

// Format is how files for the ERP are written. It is made once, and may be used by several goroutines.
type Format struct {
	Shape     Shape
	Template  *template.Template // of ShapeTemplate; see ParseTemplate
	Ending    string             // of names of ShapeTemplate, such as .xml
	Comma     bool               // decimals have a comma
	Separator rune               // of CSV
	Encoding  table.Encoding     // UTF8, Windows1252 or Latin9; what it does not have becomes a question mark
	Mark      bool               // begins with a byte order mark
	Customer  bool               // what is personal goes with it
}

// longestFile is how long a file may become. A template that never ends must not fill the disk.
const longestFile = 64 << 20

// errTooLong says that a template writes without end.
var errTooLong = errors.New("the file becomes longer than 64 MB")

// Extension returns what names of such files end in.
func (f Format) Extension() string {
	switch f.Shape {
	case ShapeJSON:
		return ".json"
	case ShapeTemplate:
		return f.Ending
	}
	return ".csv"
}

// Render returns a file with some hand-overs in their order. The same ones always make the same bytes. Errors are those of the
// admin's template.
func (f Format) Render(all []HandOver) ([]byte, error) {
	local := make([]HandOver, len(all))
	for i, h := range all {
		if !f.Customer {
			h.Order = Impersonal(h.Order)
		}
		local[i] = h.local()
	}
	var b bytes.Buffer
	var err error
	switch f.Shape {
	case ShapeJSON:
		err = f.json(&b, local)
	case ShapeTemplate:
		err = f.Template.Execute(&limited{w: &b, left: longestFile}, struct{ Orders []HandOver }{local})
	case ShapeFlat:
		err = f.rows(&b, f.flat(local))
	default:
		err = f.rows(&b, f.lines(local))
	}
	if err != nil {
		return nil, fmt.Errorf("write orders as %s: %w", f.Shape, err)
	}
	out := table.Encode(f.Encoding, b.String())
	if f.Mark {
		out = append([]byte("\xef\xbb\xbf"), out...)
	}
	return out, nil
}

// limited is a writer that takes so much and no more.
type limited struct {
	w    io.Writer
	left int
}

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return 0, errTooLong
	}
	return l.w.Write(p)
}

// columns returns the columns of orders and of articles.
func (f Format) columns() ([]column[HandOver], []column[article]) {
	orders, items := orderColumns(), itemColumns()
	if f.Customer {
		orders, items = append(orders, customerColumns()...), append(items, noteColumns()...)
	}
	return orders, items
}

// lines lays orders out in lines of two kinds.
func (f Format) lines(all []HandOver) (rows [][]string) {
	orders, items := f.columns()
	for _, h := range all {
		row := []string{"order"}
		for _, c := range orders {
			row = append(row, f.cell(c.of(h)))
		}
		rows = append(rows, row)
		for _, a := range articles(h.Order) {
			row := []string{"item", f.cell(text(h.Order.ID))}
			for _, c := range items {
				row = append(row, f.cell(c.of(a)))
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// flat lays orders out as one table. An order without articles has a line of its own.
func (f Format) flat(all []HandOver) [][]string {
	orders, items := f.columns()
	var titles []string
	for _, c := range orders {
		titles = append(titles, c.name)
	}
	for _, c := range items {
		titles = append(titles, c.name)
	}
	rows := [][]string{titles}
	for _, h := range all {
		var head []string
		for _, c := range orders {
			head = append(head, f.cell(c.of(h)))
		}
		for _, a := range articles(h.Order) {
			row := append([]string{}, head...)
			for _, c := range items {
				row = append(row, f.cell(c.of(a)))
			}
			rows = append(rows, row)
		}
		if len(h.Order.Items) == 0 {
			rows = append(rows, append(head, make([]string, len(items))...))
		}
	}
	return rows
}

// rows writes CSV with the line ends of RFC 4180, which ERPs on Windows want.
func (f Format) rows(w io.Writer, rows [][]string) error {
	c := csv.NewWriter(w)
	c.UseCRLF = true
	if f.Separator != 0 {
		c.Comma = f.Separator
	}
	return c.WriteAll(rows)
}

// cell writes a value for CSV.
func (f Format) cell(v value) string {
	switch v.kind {
	case kindNumber:
		return f.decimal(v.number)
	case kindTime:
		if v.at.IsZero() {
			return ""
		}
		return v.at.Format(time.DateTime)
	case kindFlag:
		if v.yes {
			return "1"
		}
		return "0"
	}
	return harmless(v.text)
}

// decimal writes a number as the ERP reads it.
func (f Format) decimal(n platform.Number) string {
	if f.Comma {
		return strings.Replace(string(n), ".", ",", 1)
	}
	return string(n)
}

// harmless returns a text for a cell of CSV: in one line, and nothing that a spreadsheet takes for a formula or a command. Whoever
// orders writes what he likes, and somebody at the store opens the file.
func harmless(s string) string {
	s = oneLine(s)
	if s != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(s)[0]) && !plainNumber(s) {
		return "'" + s
	}
	return s
}

// oneLine returns a text without what would break a line.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd")))
}

// plainNumber reports whether a text is digits with a sign before and at most one mark between them.
func plainNumber(s string) bool {
	s = strings.TrimLeft(s, "+-")
	whole, fraction, marked := strings.Cut(strings.Replace(s, ",", ".", 1), ".")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	return digits(whole) && (!marked || digits(fraction))
}

// json writes one object. Keys are in the order of the columns.
func (f Format) json(b *bytes.Buffer, all []HandOver) error {
	orders, items := f.columns()
	b.WriteString(`{"orders":[`)
	for i, h := range all {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n{")
		members(b, orders, h)
		b.WriteString(`,"items":[`)
		for k, a := range articles(h.Order) {
			if k > 0 {
				b.WriteByte(',')
			}
			b.WriteString("\n  {")
			members(b, items, a)
			b.WriteByte('}')
		}
		b.WriteString("]}")
	}
	b.WriteString("\n]}\n")
	if !json.Valid(b.Bytes()) {
		return errors.New("it is no JSON: that is a mistake of gondola")
	}
	return nil
}

// JSON returns a hand-over as the object that files have, with the columns of the customer; times are in the store's zone. Whoever shows
// it masks what is personal before.
func JSON(h HandOver) json.RawMessage {
	var b bytes.Buffer
	f := Format{Customer: true}
	_ = f.json(&b, []HandOver{h.local()}) // buffers take everything
	var file struct{ Orders []json.RawMessage }
	if err := json.Unmarshal(b.Bytes(), &file); err != nil || len(file.Orders) != 1 {
		return json.RawMessage("null")
	}
	return file.Orders[0]
}

// members writes the members of an object.
func members[T any](b *bytes.Buffer, columns []column[T], of T) {
	for i, c := range columns {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(encode(c.name))
		b.WriteByte(':')
		b.WriteString(literal(c.of(of)))
	}
}

// literal writes a value for JSON. What was not said is null, but for texts.
func literal(v value) string {
	switch {
	case v.kind == kindNumber && json.Valid([]byte(v.number)):
		return string(v.number)
	case v.kind == kindNumber, v.kind == kindTime && v.at.IsZero():
		return "null"
	case v.kind == kindTime:
		return encode(v.at.Format(time.RFC3339))
	case v.kind == kindFlag:
		return encode(v.yes)
	}
	return encode(v.text)
}
