package order

import (
	"encoding/xml"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/platform"
)

// longestTemplate is how long an admin's template may be.
const longestTemplate = 1 << 20

// ParseTemplate reads an admin's template and tries it on made-up orders, so that what is wrong with it is said before the first real one
// comes. The template is given .Orders, a list of [HandOver]; times are in the store's zone. Its errors have the line.
func (f Format) ParseTemplate(path string, text []byte) (Format, error) {
	if len(text) > longestTemplate {
		return f, fmt.Errorf("the template %s is longer than 1 MB", path)
	}
	t, err := template.New(filepath.Base(path)).Option("missingkey=error").Funcs(f.functions()).Parse(string(text))
	if err != nil {
		return f, err
	}
	f.Template, f.Ending = t, ending(path)
	out, err := f.Render(Sample(catalog.Vendor{ID: "290056", Name: "Sample", ERPCode: "001", Zone: time.UTC}))
	if err == nil && strings.TrimSpace(string(out)) == "" {
		err = errors.New("it writes nothing; orders are in .Orders, as in {{range .Orders}}{{.Order.ID}}{{end}}")
	}
	return f, err
}

// ending returns what names of files end in: orders.xml.tmpl makes orders.xml.
func ending(path string) string {
	name := filepath.Base(path)
	for _, suffix := range []string{".tmpl", ".tpl", ".gotmpl", ".template"} {
		name = strings.TrimSuffix(name, suffix)
	}
	if e := filepath.Ext(name); len(e) > 1 && len(e) <= 6 && strings.Trim(strings.ToLower(e[1:]), "abcdefghijklmnopqrstuvwxyz0123456789") == "" {
		return e
	}
	return ".txt"
}

// functions are what a template may call beside those of the language.
func (f Format) functions() template.FuncMap {
	return template.FuncMap{
		"number": f.decimal, // as orders.export.decimal says
		"comma":  func(n platform.Number) string { return strings.Replace(string(n), ".", ",", 1) },
		"date": func(layout string, t time.Time) string {
			if t.IsZero() {
				return ""
			}
			return t.Format(layout)
		},
		"cell":  func(v any) string { return f.cells([]any{v}) },
		"row":   func(v ...any) string { return f.cells(v) },
		"upper": func(v any) string { return strings.ToUpper(fmt.Sprint(v)) },
		"lower": func(v any) string { return strings.ToLower(fmt.Sprint(v)) },
		"left":  func(width int, v any) (string, error) { return fit(width, fmt.Sprint(v), false) },
		"right": func(width int, v any) (string, error) { return fit(width, fmt.Sprint(v), true) },
		"xml": func(v any) (string, error) {
			var b strings.Builder
			err := xml.EscapeText(&b, []byte(fmt.Sprint(v)))
			return b.String(), err
		},
	}
}

// cells writes values as cells of one line of CSV, without its end.
func (f Format) cells(values []any) string {
	row := make([]string, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case platform.Number:
			row[i] = f.decimal(v)
		case time.Time:
			row[i] = f.cell(moment(v))
		default:
			row[i] = harmless(fmt.Sprint(v))
		}
	}
	var b strings.Builder
	_ = f.rows(&b, [][]string{row}) // a builder takes everything
	return strings.TrimSuffix(b.String(), "\r\n")
}

// widest is how wide a cell of fixed width may be.
const widest = 1000

// fit cuts or fills a text to a width, in characters.
func fit(width int, s string, right bool) (string, error) {
	if width < 0 || width > widest {
		return "", fmt.Errorf("a width of %d; want 0 to %d", width, widest)
	}
	text := []rune(oneLine(s))
	if len(text) > width {
		return string(text[:width]), nil
	}
	blanks := strings.Repeat(" ", width-len(text))
	if right {
		return blanks + string(text), nil
	}
	return string(text) + blanks, nil
}
