package daemon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"gondola/internal/report"
	"gondola/internal/table"
	"gondola/templates"
)

// starterWords are the texts of the starter spreadsheets in one language.
type starterWords struct {
	Yes            string `json:"yes"`
	No             string `json:"no"`
	Guide          string `json:"guide"` // the sheet that explains the other one
	ColumnsHeading string `json:"columns_heading"`
	OffersHeading  string `json:"offers_heading"`

	Catalogue  bookWords `json:"catalogue"`
	Promotions bookWords `json:"promotions"`

	Staff staffWords `json:"staff"` // the page in the drop folder
}

// bookWords are the texts of one workbook.
type bookWords struct {
	Name    string                 `json:"name"` // of the file without its ending, of the feed, and of its folder below drop
	Sheet   string                 `json:"sheet"`
	Title   string                 `json:"title"`
	Columns map[string]columnWords `json:"columns"` // by starterColumn.id
	Guide   [][2]string            `json:"guide"`   // question and answer; {drop}, {answers} and {suffix} stand for names of the drop folder
	Offers  [][2]string            `json:"offers"`  // wordings, which the drop-down suggests, and what each means
}

// columnWords are the texts of one column, and what stands in the example row.
type columnWords struct {
	Header  string `json:"header"`
	About   string `json:"about"` // beside the header, and in the guide
	Wrong   string `json:"wrong"` // when something else is typed; "" = anything goes
	Example string `json:"example"`
}

// starterColumn is what a column of a starter is in every language.
type starterColumn struct {
	id    string
	kind  table.ColumnKind
	width float64
	cell  table.Kind // of the example
}

// catalogueColumns and promotionColumns are the columns of the two starters. The example rows are rows as any other: articles that
// no store has, with a barcode of the range that GS1 keeps for examples, and a promotion that is over. Whoever drops an untouched
// starter learns how an answer looks and harms nothing. The prices are whole, so that they fit currencies without decimals too.
var (
	catalogueColumns = []starterColumn{
		{id: "store", width: 12},
		{id: "sku", width: 16},
		{id: "barcode", width: 20},
		{id: "product", width: 42},
		{id: "price", kind: table.ColumnMoney, width: 14, cell: table.Number},
		{id: "stock", kind: table.ColumnCount, width: 12, cell: table.Number},
		{id: "active", width: 12},
	}
	promotionColumns = []starterColumn{
		{id: "store", width: 12},
		{id: "sku", width: 16},
		{id: "barcode", width: 20},
		{id: "product", width: 42},
		{id: "campaign", width: 24},
		{id: "offer", width: 22},
		{id: "price", kind: table.ColumnMoney, width: 20, cell: table.Number},
		{id: "start", kind: table.ColumnDay, width: 15, cell: table.Date},
		{id: "end", kind: table.ColumnDay, width: 15, cell: table.Date},
		{id: "status", width: 12},
	}
)

// readStarterWords reads the texts of a language.
func readStarterWords(language string) (starterWords, error) {
	var w starterWords
	text, err := templates.Files.ReadFile("init/" + language + ".json")
	if err != nil {
		return w, fmt.Errorf("read starter texts: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&w); err != nil {
		return w, fmt.Errorf("read starter texts of %s: %w", language, err)
	}
	return w, nil
}

// starter returns a starter workbook: a sheet to fill in, and one that explains it.
func (w starterWords) starter(b bookWords, columns []starterColumn, names report.Folders) ([]byte, error) {
	data, err := w.dataSheet(b, columns)
	if err != nil {
		return nil, err
	}
	var file bytes.Buffer
	if err := table.WriteBook(&file, []table.BookSheet{data, w.guideSheet(b, columns, names)}); err != nil {
		return nil, err
	}
	return file.Bytes(), nil
}

// dataSheet returns the sheet to fill in, with its example row.
func (w starterWords) dataSheet(b bookWords, columns []starterColumn) (table.BookSheet, error) {
	s := table.BookSheet{Name: b.Sheet}
	var example []table.BookCell
	for _, c := range columns {
		words, ok := b.Columns[c.id]
		if !ok {
			return s, fmt.Errorf("starter %q has no words for its column %q", b.Name, c.id)
		}
		column := table.BookColumn{Header: words.Header, Kind: c.kind, Width: c.width, Prompt: words.About, Wrong: words.Wrong}
		switch c.id {
		case "active", "status":
			column.List = []string{w.Yes, w.No}
		case "offer":
			column.Open = true
			for _, offer := range b.Offers {
				column.List = append(column.List, offer[0])
			}
		case "end":
			column.NotBefore = b.Columns["start"].Header
		}
		s.Columns = append(s.Columns, column)
		example = append(example, table.BookCell{Kind: c.cell, Text: words.Example})
	}
	s.Rows = [][]table.BookCell{example}
	return s, nil
}

// guideSheet returns the sheet with the explanations. It has no header row and none of its rows may look like one: the reader would
// take it for a second sheet of data.
func (w starterWords) guideSheet(b bookWords, columns []starterColumn, names report.Folders) table.BookSheet {
	s := table.BookSheet{
		Name:    w.Guide,
		Columns: []table.BookColumn{{Kind: table.ColumnProse, Width: 26}, {Kind: table.ColumnProse, Width: 95}},
	}
	fill := strings.NewReplacer("{drop}", "drop/"+b.Name, "{answers}", "drop/"+b.Name+"/"+names.Answers, "{suffix}", names.AnswerSuffix)
	title := func(text string) {
		s.Rows = append(s.Rows, []table.BookCell{{Text: text, Look: table.LookTitle}})
	}
	row := func(label, text string) {
		s.Rows = append(s.Rows, []table.BookCell{{Text: label, Look: table.LookStrong}, {Text: fill.Replace(text)}})
	}
	gap := func() { s.Rows = append(s.Rows, nil) }

	title(b.Title)
	gap()
	for _, g := range b.Guide {
		row(g[0], g[1])
	}
	gap()
	title(w.ColumnsHeading)
	for _, c := range columns {
		row(b.Columns[c.id].Header, b.Columns[c.id].About)
	}
	if len(b.Offers) > 0 {
		gap()
		title(w.OffersHeading)
		for _, o := range b.Offers {
			row(o[0], o[1])
		}
	}
	return s
}
