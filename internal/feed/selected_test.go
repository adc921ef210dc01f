package feed

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"gondola/internal/table"
)

// likeWhole holds that an export says the same whether its rows come whole or with the cells alone that are read.
func likeWhole(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, spec Spec, path string,
) {
	t.Helper()
	read := func(watch func(table.Row)) (records []Record, res Result) {
		c := newConverter(spec, func(r Record) error { records = append(records, r); return nil })
		c.watch = watch
		if err := c.convert(context.Background(), path, "export.csv"); err != nil {
			t.Fatalf("%v", err)
		}
		return records, c.result()
	}
	records, res := read(nil)
	whole, wholeRes := read(func(table.Row) {})
	if diff := cmp.Diff(whole, records); diff != "" {
		t.Fatalf("records of whole rows and of selected cells:\n%s", diff)
	}
	if diff := cmp.Diff(wholeRes, res, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("results of whole rows and of selected cells:\n%s", diff)
	}
}

func TestSelectedCellsSayWhatWholeRowsSay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "export.csv")
	cell := rapid.SampledFrom([]string{
		"", "", " ", "001", "1001", "A-7", "a_7", "1001", "10 01", "T1", "TOTAL", "Total", "TOTAL-5", "Total 12", "Subtotal.", "Página 2 de 7",
		"7790000000003", "0790000000003", "7,79E+12", "1.234,50", "12,5", "990", "1,234.50", "$ 5", "U$S 4", "-3", "0", "Sí", "No", "Código",
		"Precio", "limón", "Almacén - Subtotal", "\ufeff9", "'77", `="12"`, "#N/A", "22/11/2026", `"7"`, `"a;b"`, "x\ty", "9\u00a0",
	})
	headers := []string{
		"Sucursal;Código;Descripción;EAN;Precio;Stock;Activo;Observaciones", "Descripción;Precio;Código;Rubro;Stock", "Código;Precio",
	}
	rapid.Check(t, func(rt *rapid.T) {
		var text strings.Builder
		header := rapid.SampledFrom(headers).Draw(rt, "header")
		if rapid.Bool().Draw(rt, "title") {
			text.WriteString("Lista de precios;Página 1 de 7\n")
		}
		text.WriteString(header + "\n")
		for range rapid.IntRange(0, 12).Draw(rt, "rows") {
			width := strings.Count(header, ";") + 1 + rapid.SampledFrom([]int{0, 0, 0, 0, -1, 1}).Draw(rt, "more")
			text.WriteString(strings.Join(rapid.SliceOfN(cell, width, width).Draw(rt, "row"), ";") + "\n")
		}
		content := text.String()
		if rapid.Bool().Draw(rt, "open") {
			content = strings.TrimSuffix(content, "\n")
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			rt.Fatal(err)
		}
		spec := specFor()
		if rapid.Bool().Draw(rt, "full") {
			full(&spec)
		}
		if header == headers[0] && rapid.Bool().Draw(rt, "by column") {
			byColumn(&spec)
		}
		if header == headers[0] && rapid.Bool().Draw(rt, "barcode") {
			byBarcode(&spec)
		}
		if rapid.Bool().Draw(rt, "rules") {
			spec.Rules.Price.Markup = 8_000
			spec.Rules.Exclude = Exclusion{Columns: []string{"Descripción"}, Words: []string{"limón", "990"}}
		}
		if rapid.Bool().Draw(rt, "earlier") {
			spec.Earlier = &Earlier{Rows: 3, Ended: rapid.Bool().Draw(rt, "ended")}
		}
		likeWhole(rt, spec, path)
	})
}
