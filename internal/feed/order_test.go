package feed

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The order of columns and rows of an export of promotions says nothing either.
func TestOrderOfPromotionsSaysNothing(t *testing.T) {
	cells := map[string][]string{
		"Desde":         {"05/06/2026", "2026-05-01", "25/05/2026", "1-jun-2026", "", "31/02/2026", "06/05/2026 08:00"},
		"Hasta":         {"05/07/2026", "2026-06-30", "30/06/2026", "30-jun-2026", "", "07/06/2026 00:00", "pronto"},
		"Oferta":        {"3x2", "2x1", "2da al 50%", "-20%", "99,90", "1.234", "consultar", "", "Llevando 2, 10% off"},
		"Precio oferta": {"99,90", "1.234", "1,234.50", "", "$ 80", "0"},
		"% dto":         {"20", "20%", "0,2", "", "120"},
		"Campaña":       {"Semana", "Mes", ""},
		"Activa":        {"Sí", "no", "", "quizás"},
		"Límite usos":   {"2", "", "varios"},
		"Precio":        {"100,00", "1.234", ""},
		"EAN":           {"95200019", "", "9,52E+12"},
		"Descripción":   {"Arroz", "Total 5 cereales", ""},
	}
	spec := promoSpec(full, byColumn)
	rapid.Check(t, func(rt *rapid.T) {
		more := rapid.Permutation(slices.Sorted(maps.Keys(cells))).Draw(rt, "columns")
		more = slices.DeleteFunc(more, func(s string) bool { return s == "Desde" || s == "Hasta" })
		names := append([]string{"Sucursal", "SKU", "Desde", "Hasta"}, more[:rapid.IntRange(0, 6).Draw(rt, "how many")]...)
		rows := make([][]string, rapid.IntRange(1, 8).Draw(rt, "rows"))
		for i := range rows {
			rows[i] = []string{rapid.SampledFrom([]string{"001", "002", "Puerto", "999", ""}).Draw(rt, "store"), fmt.Sprintf("a%02d", i)}
			for _, name := range names[2:] {
				rows[i] = append(rows[i], rapid.SampledFrom(cells[name]).Draw(rt, name))
			}
		}
		columns := rapid.Permutation(order(len(names))).Draw(rt, "order of columns")
		want, res := offeredIn(t, spec, names, rows, order(len(names)))
		got, other := offeredIn(t, spec, names, rapid.Permutation(rows).Draw(rt, "order of rows"), columns)
		if !slices.Equal(got, want) {
			rt.Fatalf("in one order\n  %s\nin another\n  %s", strings.Join(want, "\n  "), strings.Join(got, "\n  "))
		}
		if !maps.Equal(res.Counts, other.Counts) || res.Refused != other.Refused || !maps.Equal(res.Keyless, other.Keyless) {
			rt.Fatalf("in one order %v %v, in another %v %v", res.Counts, res.Keyless, other.Counts, other.Keyless)
		}
	})
}

// offeredIn converts rows with the columns in an order, and returns what was read without its place.
func offeredIn(t *testing.T, spec Spec, names []string, rows [][]string, columns []int) ([]string, Result) {
	t.Helper()
	var lines []string
	for _, row := range append([][]string{names}, rows...) {
		line := make([]string, len(columns))
		for i, at := range columns {
			line[i] = row[at]
		}
		lines = append(lines, strings.Join(line, ";"))
	}
	records, res := converted(t, spec, lines...)
	for i := range records {
		records[i].Row = 0
	}
	out := offered(records)
	slices.Sort(out)
	return out, res
}

// Where the machine stands, and which language it speaks, says nothing: dates are those of the store.
func TestPlaceOfTheMachineSaysNothing(t *testing.T) {
	here := time.Local
	defer func() { time.Local = here }()
	lines := []string{
		"SKU;Precio oferta;Desde;Hasta", "A1;1.234,50;05/04/2026;25/04/2026", "A2;12,00;2026-09-05 23:30;2026-09-06 00:30",
		"A3;7,00;1-ago-2026;31-dic-2026 23:59",
	}
	var want []string
	for _, place := range []string{"UTC", "America/Santiago", "Asia/Kathmandu", "Pacific/Kiritimati", "America/Sao_Paulo", "Africa/Casablanca"} {
		zone, err := time.LoadLocation(place)
		if err != nil {
			t.Fatal(err)
		}
		time.Local = zone
		for _, language := range []string{"C", "es_AR.UTF-8", "tr_TR.UTF-8", "de_DE.UTF-8"} {
			t.Setenv("LANG", language)
			t.Setenv("LC_ALL", language)
			t.Setenv("TZ", place)
			records, res := converted(t, promoSpec(), lines...)
			got := append(offered(records), told(res.Issues)...)
			if want == nil {
				want = got
			}
			wantLines(t, place+" "+language, got, want...)
		}
	}
	if len(want) < 3 {
		t.Errorf("only %q", want)
	}
}
