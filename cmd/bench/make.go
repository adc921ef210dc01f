package main

import (
	"archive/zip"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"

	"gondola/internal/catalog"
)

// seed makes every run of the generator make the same.
const seed = 20261122

// path returns where a file of the output folder lies.
func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

// input returns the path of an input, which a worker makes when it is not there yet: this process has to stay small, for what it takes
// counts as its children's.
func (b *bench) input(ctx context.Context, name, kind string, args ...string) (string, error) {
	path := filepath.Join(b.dir, "inputs", name)
	if isThere(path) {
		return path, nil
	}
	fmt.Fprintf(b.log, "  makes %s\n", name)
	if err := errors.Join(os.RemoveAll(path+".part"), os.MkdirAll(filepath.Dir(path), 0o755)); err != nil {
		return "", err
	}
	if _, err := b.worker("make-"+kind, append([]string{path + ".part"}, args...)...)(ctx); err != nil {
		return "", err
	}
	return path, os.Rename(path+".part", path)
}

// makes makes a worker of what makes an input out of numbers.
func makes(make func(path string, numbers []int) error) func([]string, *measure) error {
	return func(args []string, _ *measure) error {
		var numbers []int
		for _, a := range args[1:] {
			n, err := strconv.Atoi(a)
			if err != nil {
				return err
			}
			numbers = append(numbers, n)
		}
		return make(args[0], numbers)
	}
}

// writeFile writes a file that is there as a whole or not at all.
func writeFile(path string, fill func(w *bufio.Writer) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path + ".part")
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	if err = errors.Join(fill(w), w.Flush(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}

// The columns of an export that are asked for, counted from 0.
const (
	columnStore   = 0
	columnSKU     = 1
	columnBarcode = 5
	columnPrice   = 10
	columnStock   = 12
	columnActive  = 13
	columns       = 20
)

// exportHeader names the columns as an ERP does, in Windows-1252.
const exportHeader = "Sucursal;Art\xedculo;Descripci\xf3n;Rubro;Marca;EAN;Unidad;Costo;Margen;IVA;Precio c/IVA;Lista;Stock;Activo;" +
	"Proveedor;Modificado;Ubicaci\xf3n;Observaciones;Peso;Usuario\r\n"

// writeExport writes an export as ERPs write them: semicolons, Windows-1252, decimal commas, quotes with line breaks inside. Every article
// comes once for each store, and articles are in no order.
func writeExport(w io.Writer, rows, stores int) error {
	if _, err := io.WriteString(w, exportHeader); err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(seed, 1))
	articles := max(rows/stores, 1)
	var line []byte
	for i := range rows {
		article := i / stores % articles * 7919 % articles
		if articles%7919 == 0 {
			article = i / stores
		}
		price := 990 + r.IntN(900_000)
		line = fmt.Appendf(line[:0], "%03d;%08d;Galletitas de lim\xf3n %d g;Almac\xe9n;Delta %d;%s;un;%s;%d,5;22;%s;", i%stores+1, 10_000_000+article,
			article%900+100, article%300, ean(article), comma(price*7/10), 20+article%30, comma(price))
		line = fmt.Appendf(line, "%s;%d;%s;%05d;22/11/2026;G%02d-%d;", comma(price*11/10), r.IntN(300), yesNo(r.IntN(10) > 0), article%700, article%40, article%9)
		if i%20 == 7 {
			line = fmt.Appendf(line, "\"Pedir a \"\"Delta\"\";\r\nviene en cajas de %d\"", 6+article%12)
		}
		line = fmt.Appendf(line, ";0,%03d;sistema\r\n", article%1000)
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// ean returns the barcode of an article, with its check digit.
func ean(article int) string {
	digits := fmt.Sprintf("779%09d", article)
	sum := 0
	for i, d := range digits {
		sum += int(d-'0') * (1 + 2*(i%2))
	}
	return digits + strconv.Itoa((10-sum%10)%10)
}

// comma writes cents as 1.234,56.
func comma(cents int) string {
	whole := cents / 100
	if whole >= 1000 {
		return fmt.Sprintf("%d.%03d,%02d", whole/1000, whole%1000, cents%100)
	}
	return fmt.Sprintf("%d,%02d", whole, cents%100)
}

func yesNo(yes bool) string {
	if yes {
		return "S\xed"
	}
	return "No"
}

// export returns an export of so many rows.
func (b *bench) export(ctx context.Context, rows, stores int) (string, error) {
	return b.input(ctx, fmt.Sprintf("export-%d-%d.csv", rows, stores), "export", strconv.Itoa(rows), strconv.Itoa(stores))
}

// workbook returns a workbook of so many rows with twenty cells each: half of them texts, most of which occur once, and half numbers.
func (b *bench) workbook(ctx context.Context, rows int, shared bool) (string, error) {
	return b.input(ctx, fmt.Sprintf("book-%d-%s.xlsx", rows, stringsIn(shared)), "book-"+stringsIn(shared), strconv.Itoa(rows))
}

func stringsIn(shared bool) string {
	if shared {
		return "shared"
	}
	return "inline"
}

const (
	mainSpace     = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
	relationSpace = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	packageSpace  = "http://schemas.openxmlformats.org/package/2006/relationships"
	xmlHead       = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
)

// bookParts are the parts of a workbook but for the large ones.
var bookParts = []struct{ name, text string }{
	{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>` +
		`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>` +
		`<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>` +
		`<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>`},
	{"_rels/.rels", `<Relationships xmlns="` + packageSpace + `"><Relationship Id="rId1" Type="` + relationSpace + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
	{"xl/workbook.xml", `<workbook xmlns="` + mainSpace + `" xmlns:r="` + relationSpace + `"><sheets><sheet name="Hoja1" sheetId="1" r:id="rId1"/></sheets></workbook>`},
	{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="` + packageSpace + `">` +
		`<Relationship Id="rId1" Type="` + relationSpace + `/worksheet" Target="worksheets/sheet1.xml"/>` +
		`<Relationship Id="rId2" Type="` + relationSpace + `/styles" Target="styles.xml"/>` +
		`<Relationship Id="rId3" Type="` + relationSpace + `/sharedStrings" Target="sharedStrings.xml"/></Relationships>`},
	{"xl/styles.xml", `<styleSheet xmlns="` + mainSpace + `"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>` +
		`<fills count="1"><fill><patternFill patternType="none"/></fill></fills><borders count="1"><border/></borders>` +
		`<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf/><xf numFmtId="4" applyNumberFormat="1"/></cellXfs></styleSheet>`},
}

// writeBook writes a workbook. Its first five columns are those of a catalogue, so that it can be converted as well as read.
func writeBook(w io.Writer, rows int, shared bool) error {
	z := zip.NewWriter(w)
	part := func(name string, fill func(w *bufio.Writer)) error {
		p, err := z.Create(name)
		if err != nil {
			return err
		}
		w := bufio.NewWriterSize(p, 1<<16)
		fill(w)
		return w.Flush()
	}
	for _, p := range bookParts {
		if err := part(p.name, func(w *bufio.Writer) { fmt.Fprint(w, xmlHead, p.text) }); err != nil {
			return err
		}
	}
	err := part("xl/worksheets/sheet1.xml", func(w *bufio.Writer) {
		fmt.Fprintf(w, `%s<worksheet xmlns="%s"><dimension ref="A1:T%d"/><sheetData>`, xmlHead, mainSpace, rows+1)
		list := 0
		for r := range rows + 1 {
			fmt.Fprintf(w, `<row r="%d" spans="1:20">`, r+1)
			for c := range columns {
				text, isText := bookCell(r, c)
				switch {
				case !isText:
					fmt.Fprintf(w, `<c r="%c%d" s="1"><v>%s</v></c>`, 'A'+c, r+1, text)
				case shared:
					fmt.Fprintf(w, `<c r="%c%d" t="s"><v>%d</v></c>`, 'A'+c, r+1, list)
					list++
				default:
					fmt.Fprintf(w, `<c r="%c%d" t="inlineStr"><is><t>%s</t></is></c>`, 'A'+c, r+1, text)
				}
			}
			fmt.Fprint(w, `</row>`)
		}
		fmt.Fprint(w, `</sheetData></worksheet>`)
	})
	if err != nil {
		return err
	}
	err = part("xl/sharedStrings.xml", func(w *bufio.Writer) {
		fmt.Fprintf(w, `%s<sst xmlns="%s">`, xmlHead, mainSpace)
		for r := range rows + 1 {
			for c := range columns {
				if text, isText := bookCell(r, c); isText && shared {
					fmt.Fprintf(w, `<si><t>%s</t></si>`, text)
				}
			}
		}
		fmt.Fprint(w, `</sst>`)
	})
	return errors.Join(err, z.Close())
}

// bookHeader names the columns of a workbook.
var bookHeader = [...]string{"Artículo", "Precio", "Descripción", "Stock", "EAN"}

// bookCell returns a cell of a workbook, and whether it is text.
func bookCell(row, column int) (text string, isText bool) {
	switch {
	case row == 0 && column < len(bookHeader):
		return bookHeader[column], true
	case row == 0:
		return fmt.Sprintf("Columna %d", column+1), true
	case column == 0:
		return fmt.Sprintf("%08d", 10_000_000+row), true
	case column == 1:
		return fmt.Sprintf("%d.%02d", 9+row*37%9000, row%100), false
	case column == 3:
		return strconv.Itoa(row % 300), false
	case column == 4:
		return ean(row), true
	case column%2 == 1:
		return fmt.Sprintf("%d.%02d", row+column, column), false
	default:
		return fmt.Sprintf("Galletitas de limón n.º %d", row*columns+column), true
	}
}

// article returns the i-th article of a large shelf, with every field that a shop has.
func article(i int) catalog.Item {
	return catalog.Item{
		SKU: fmt.Sprintf("%08d", i), Barcode: ean(i), Set: catalog.Price | catalog.Active | catalog.Quantity,
		Price: catalog.Money(990 + i%100_000*10), Active: i%10 != 0, Quantity: int64(i % 50),
	}
}
