package feed

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"gondola/internal/catalog"
)

// grid is a report as people make it, a line a row, cells between semicolons.
type grid struct {
	name    string
	spec    Spec
	lines   []string
	merged  []string // of the sheet, two corners in turn
	refused bool
	records []string
	csv     []string // the records where lines of a text count otherwise; nil: the same
	issues  []string // without those that only a text can have: G-ROW-01
}

// save makes a workbook with what change does to it, beside the lines.
func (g grid) save(t *testing.T, change func(*excelize.File)) string {
	t.Helper()
	f := excelize.NewFile()
	for i, line := range g.lines {
		for j, text := range strings.Split(line, ";") {
			if text == "" {
				continue
			}
			at, err := excelize.CoordinatesToCellName(j+1, i+1)
			if err == nil {
				err = f.SetCellStr("Sheet1", at, strings.ReplaceAll(text, "|", "\n"))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := 0; i+1 < len(g.merged); i += 2 {
		if err := f.MergeCell("Sheet1", g.merged[i], g.merged[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if change != nil {
		change(f)
	}
	path := filepath.Join(t.TempDir(), "export.xlsx")
	if err := f.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// check holds what was read against what a person wrote down.
func (g grid) check(t *testing.T, records []Record, res Result) {
	t.Helper()
	wantLines(t, "records", said(records), g.records...)
	issues := slices.DeleteFunc(told(res.Issues), func(s string) bool { return strings.HasPrefix(s, "G-ROW-01") })
	wantLines(t, "issues", issues, g.issues...)
	if res.Refused != g.refused {
		t.Errorf("refused %v, want %v", res.Refused, g.refused)
	}
	if len(res.Keyless) > 0 && !g.refused && !slices.ContainsFunc(g.issues, func(s string) bool { return strings.HasPrefix(s, "G-KEY") }) {
		t.Errorf("%v rows without identifier", res.Keyless)
	}
}

// remarks is a cover of n lines.
func remarks(n int, lines ...string) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("Condición %d: los precios valen hasta agotar el stock;;", i+1))
	}
	return append(all, lines...)
}

var grids = []grid{
	{
		name: "two rows of titles", spec: specFor(),
		lines: []string{
			"Código;Descripción;Precio;;Stock", ";;c/IVA;s/IVA;", "1001;Yerba;122,00;100,00;7", "1002;Arroz;61,00;50,00;3",
		},
		merged:  []string{"A1", "A2", "B1", "B2", "C1", "D1", "E1", "E2"},
		records: []string{"3 A1 1001/ price=122 quantity=7", "4 A1 1002/ price=61 quantity=3"}, issues: []string{},
	},
	{
		name: "the price without tax comes first", spec: specFor(),
		lines:  []string{"Código;Descripción;Precio;;Stock", ";;s/IVA;c/IVA;", "1001;Yerba;100,00;122,00;7"},
		merged: []string{"C1", "D1"}, records: []string{"3 A1 1001/ price=122 quantity=7"}, issues: []string{},
	},
	{
		name: "no price that is known below the title", spec: specFor(),
		lines:  []string{"Código;Descripción;Precio;;Stock", ";;s/IVA;mayorista;", "1001;Yerba;100,00;90,00;7"},
		merged: []string{"C1", "D1"}, records: []string{"3 A1 1001/ quantity=7"}, issues: []string{},
	},
	{
		name: "the lower row has the other titles", spec: specFor(),
		lines:  []string{";;Precio;;", "Código;Descripción;c/IVA;s/IVA;Stock", "1001;Yerba;122,00;100,00;7"},
		merged: []string{"C1", "D1"}, records: []string{"3 A1 1001/ price=122 quantity=7"}, issues: []string{},
	},
	{
		name: "groups of columns above the titles", spec: specFor(),
		lines:  []string{"Artículo;;Venta;;", "Código;Descripción;Precio;Stock;", "1001;Yerba;122,00;7;"},
		merged: []string{"A1", "B1", "C1", "D1"}, records: []string{"3 A1 1001/ price=122 quantity=7"}, issues: []string{},
	},
	{
		name: "dates of a promotion below a title", spec: specFor(promotions, func(s *Spec) { s.Campaign = "Mes" }),
		lines:  []string{"Código;Oferta;Vigencia;", ";;desde;hasta", "1001;3x2;2026-05-01;2026-05-31"},
		merged: []string{"C1", "D1"}, records: []string{"3 A1 1001/"},
		issues: []string{"G-PROMO-03 note 3 Oferta [3x2|same_item_bundle|free_item|B2G1|]"},
	},
	{
		name: "two rows of titles on every page", spec: specFor(),
		lines: []string{
			"Lista de precios;;;;", "Código;Descripción;Precio;;Stock", ";;c/IVA;s/IVA;", "1001;Yerba;122,00;100,00;7",
			"Lista de precios;;;;", "Código;Descripción;Precio;;Stock", ";;c/IVA;s/IVA;", "1002;Arroz;61,00;50,00;3",
		},
		records: []string{"4 A1 1001/ price=122 quantity=7", "8 A1 1002/ price=61 quantity=3"}, issues: []string{},
	},
	{
		name: "an article below the header is none of its rows", spec: specFor(),
		lines:   []string{"Código;Precio;;Stock", "A-1;consultar;consultar;0", "1002;61,00;;3"},
		records: []string{"2 A1 A-1/ rejected", "3 A1 1002/ price=61 quantity=3"}, issues: []string{"G-PRICE-01 error 2 Precio [consultar]"},
	},
	{
		name: "an article without a code below the header is none either", spec: specFor(),
		lines:   []string{"Código;Descripción;;Precio;Stock", ";Yerba;bolsa;consultar;mucho", "1001;Arroz;bolsa;122,00;7"},
		records: []string{"3 A1 1001/ price=122 quantity=7"}, issues: []string{"G-KEY-01 error 2 Código [sku]"},
	},
	{
		name: "a department below the header", spec: specFor(),
		lines:   []string{"Código;Descripción;Precio;Stock", ";ALMACÉN;;", "1001;Yerba;122,00;7", ";BEBIDAS;;", "1002;Agua;61,00;3"},
		records: []string{"3 A1 1001/ price=122 quantity=7", "5 A1 1002/ price=61 quantity=3"}, issues: []string{},
	},
	{
		name: "a row of units", spec: specFor(),
		lines:   []string{"Código;Precio;Stock", ";$;u.", "1001;122,00;7"},
		records: []string{"3 A1 1001/ price=122 quantity=7"}, issues: []string{},
	},
	{
		name: "a row of kinds", spec: specFor(),
		lines:   []string{"Código;Precio;Stock", "(texto);(UYU);(unidades)", "1001;122,00;7"},
		records: []string{"3 A1 1001/ price=122 quantity=7"}, issues: []string{},
	},
	{
		name: "titles of several lines", spec: specFor(),
		lines:   []string{"Código|de|artículo;Precio|c/IVA;Stock|actual", "1001;122,00;7"},
		csv:     []string{"6 A1 1001/ price=122 quantity=7"},
		records: []string{"2 A1 1001/ price=122 quantity=7"}, issues: []string{},
	},
	{
		name: "the currency in the title", spec: specFor(),
		lines:   []string{"Código;Precio ($);Stock", "1001;122,00;7"},
		records: []string{"2 A1 1001/ price=122 quantity=7"}, issues: []string{},
	},
	{
		name: "the country's money in the title, and another one's", spec: specFor(),
		lines:   []string{"Código;Precio (USD);Precio (UYU);Stock", "1001;3,00;122,00;7"},
		records: []string{"2 A1 1001/ price=122 quantity=7"}, issues: []string{},
	},
	{
		name: "nothing but another country's money", spec: specFor(),
		lines: []string{"Código;Precio (USD)", "1001;3,00"}, refused: true,
		records: []string{}, issues: []string{"G-HEAD-05 error 0  [Código|Precio (USD)]"},
	},
	{
		name: "titles, dates and page numbers on every page", spec: specFor(full),
		lines: []string{
			"Supermercado Ejemplo;;Emitido 12/03/2026", "Lista de precios;;Página 1 de 2", ";;", "Código;Precio;Stock", "1001;122,00;7",
			"Supermercado Ejemplo;;Emitido 12/03/2026", "Lista de precios;;Página 2 de 2", ";;", "Código;Precio;Stock", "1002;61,00;3",
			";;Página 2 de 2", "Hoja 2;;",
		},
		records: []string{"5 A1 1001/ price=122 quantity=7", "10 A1 1002/ price=61 quantity=3"}, issues: []string{},
	},
	{
		name: "departments and their totals", spec: specFor(full),
		lines: []string{
			"Código;Descripción;Precio;Stock", "ALMACÉN;;;", "1001;Yerba;122,00;7", "Subtotal Almacén;;;7", "FRUTAS Y VERDURAS;;;",
			"1002;Banana;61,00;3", "Frutas y verduras - Subtotal;;;3", "Total general:;;;10",
		},
		records: []string{"3 A1 1001/ price=122 quantity=7", "6 A1 1002/ price=61 quantity=3"},
		issues: []string{
			"G-ROW-03 note 4  [Subtotal Almacén]", "G-ROW-03 note 7  [Frutas y verduras - Subtotal]", "G-ROW-03 note 8  [Total general:]",
		},
	},
	{
		name: "departments between barcodes", spec: specFor(byBarcode),
		lines:   []string{"EAN;Precio", "ALMACÉN;", "7790895000997;122,00"},
		records: []string{"3 A1 /7790895000997 price=122"}, issues: []string{},
	},
	{
		name: "articles whose code is a word", spec: specFor(full),
		lines:   []string{"Código;Precio", "PAN FRESCO;122,00", "BANANA;", "1002;61,00"},
		records: []string{"2 A1 PAN FRESCO/ price=122", "3 A1 BANANA/ price blank", "4 A1 1002/ price=61"}, issues: []string{},
	},
	{
		name: "notes below the table", spec: specFor(full),
		lines: []string{
			"Código;Precio;Stock", "1001;122,00;7", ";;", "* Precios con IVA incluido, válidos hasta el 31/12;;", "Consultas: int. 114;;",
		},
		records: []string{"2 A1 1001/ price=122 quantity=7"}, issues: []string{},
	},
	{
		name: "empty columns on the left, and one without a title", spec: specFor(),
		lines:   []string{";;Código;;Precio;Stock", ";;1001;Yerba;122,00;7"},
		records: []string{"2 A1 1001/ price=122 quantity=7"}, issues: []string{},
	},
	{
		name: "the table begins at row 40", spec: specFor(),
		lines:   remarks(39, "Código;Precio;Stock", "1001;122,00;7"),
		records: []string{"41 A1 1001/ price=122 quantity=7"}, issues: []string{},
	},
	{
		name: "the same article twice", spec: specFor(),
		lines:   []string{"Código;Precio", "1001;122,00", "1001;122,00", "1001;130,00"},
		records: []string{"2 A1 1001/ price=122", "3 A1 1001/ price=122", "4 A1 1001/ price=130"}, issues: []string{}, // package shelf's to tell
	},
	{
		name: "stores that nobody knows, rows without a code", spec: specFor(byColumn),
		lines:   []string{"Sucursal;Código;Precio", "001;1001;122,00", "099;1001;122,00", ";1001;122,00", "002;;61,00"},
		records: []string{"2 A1 1001/ price=122"},
		issues: []string{
			"G-STORE-01 error 3 Sucursal [099]", "G-STORE-02 error 4 Sucursal []", "G-KEY-01 error 5 Código [sku]",
		},
	},
}

// Reports as people make them read the same as a text and as a workbook.
func TestReportsOfPeople(t *testing.T) {
	for _, g := range grids {
		t.Run(g.name+"/csv", func(t *testing.T) {
			lines := slices.Clone(g.lines)
			for i, line := range lines {
				lines[i] = quoteBreaks(line)
			}
			g := g
			if g.csv != nil {
				g.records = g.csv
			}
			records, res := converted(t, g.spec, lines...)
			g.check(t, records, res)
		})
		t.Run(g.name+"/xlsx", func(t *testing.T) {
			records, res := convertedFile(t, g.spec, g.save(t, nil))
			g.check(t, records, res)
		})
	}
}

// quoteBreaks writes the cells that have several lines as CSV has them.
func quoteBreaks(line string) string {
	cells := strings.Split(line, ";")
	for i, c := range cells {
		if strings.Contains(c, "|") {
			cells[i] = `"` + strings.ReplaceAll(c, "|", "\n") + `"`
		}
	}
	return strings.Join(cells, ";")
}

// What only a workbook has.
func TestWorkbooksOfPeople(t *testing.T) {
	g := grid{
		spec: specFor(full), lines: []string{"Código;Precio;Stock", "1001;122,00;7", "1002;61,00;3"},
		records: []string{"2 A1 1001/ price=122 quantity=7", "3 A1 1002/ price=61 quantity=3"}, issues: []string{},
	}
	must := func(t *testing.T, errs ...error) {
		for _, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	sheet := func(t *testing.T, f *excelize.File, name string, cells ...string) {
		_, err := f.NewSheet(name)
		must(t, err)
		for i := 0; i+1 < len(cells); i += 2 {
			must(t, f.SetCellStr(name, cells[i], cells[i+1]))
		}
	}
	for _, c := range []struct {
		name   string
		issues []string
		change func(t *testing.T, f *excelize.File)
	}{
		{"a filter on the header", nil, func(t *testing.T, f *excelize.File) { must(t, f.AutoFilter("Sheet1", "A1:C3", nil)) }},
		{
			"a filter that hides a row",
			[]string{"G-ROW-07 note 0  [1]"},
			func(t *testing.T, f *excelize.File) {
				must(t, f.AutoFilter("Sheet1", "A1:C3", nil), f.SetRowVisible("Sheet1", 3, false))
			},
		},
		{"a cover sheet", nil, func(t *testing.T, f *excelize.File) {
			sheet(t, f, "Portada", "A1", "Supermercado Ejemplo", "A3", "Precios y stock de marzo", "A5", "Contacto: compras")
			f.SetActiveSheet(1)
		}},
		{"last month in a hidden sheet", nil, func(t *testing.T, f *excelize.File) {
			sheet(t, f, "Febrero", "A1", "Código", "B1", "Precio", "C1", "Stock", "D1", "Activo", "A2", "1001", "B2", "1", "C2", "1")
			must(t, f.SetSheetVisible("Febrero", false))
		}},
		{"a chart, a comment, a frozen pane", nil, func(t *testing.T, f *excelize.File) {
			must(
				t, f.AddComment("Sheet1", excelize.Comment{Cell: "B1", Author: "ana", Text: "con IVA"}),
				f.SetPanes("Sheet1", &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}),
			)
		}},
		{"a hundred thousand empty rows with borders", nil, func(t *testing.T, f *excelize.File) {
			style, err := f.NewStyle(&excelize.Style{Border: []excelize.Border{{Type: "bottom", Color: "000000", Style: 1}}})
			must(t, err, f.SetCellStyle("Sheet1", "A4", "C100003", style))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := g
			if g.issues = c.issues; g.issues == nil {
				g.issues = []string{}
			}
			path := g.save(t, func(f *excelize.File) { c.change(t, f) })
			began := time.Now()
			records, res := convertedFile(t, g.spec, path)
			g.check(t, records, res)
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
			if res.Rows != 2 {
				t.Errorf("%d rows, want 2", res.Rows)
			}
		})
	}
}

// A note of a total is no article, whatever stands beside it, and an article that is called so is one.
func TestTotalsAreNoArticles(t *testing.T) {
	records, res := converted(t, specFor(), "Código;Precio", "TOTAL-5;12,00", "Colgate Total 12;80,00", "Ventas total;92,00")
	wantLines(t, "records", said(records), "2 A1 TOTAL-5/ price=12", "3 A1 Colgate Total 12/ price=80")
	if res.Counts[catalog.RowTotal] != 1 {
		t.Errorf("totals: %v", res.Counts)
	}
}
