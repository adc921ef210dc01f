package feed

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/catalog"
)

// TestLastLineWithoutEnd says what becomes of it, by the rows above it and by what the feed's files are like.
func TestLastLineWithoutEnd(t *testing.T) {
	ended, openBefore, first := &Earlier{Ended: true, Rows: 6}, &Earlier{Rows: 6}, &Earlier{}
	prices := func(last string) string {
		var b strings.Builder
		b.WriteString("sku;precio\n")
		for i := range 5 {
			fmt.Fprintf(&b, "%d;%d.00\n", i, 1250+i)
		}
		return b.String() + last
	}
	for _, c := range []struct {
		name    string
		earlier *Earlier
		full    bool
		text    string
		want    string // the last record
		issues  []string
	}{
		{"ended", ended, false, prices("9;12\n"), "7 A1 9/ price=12", nil},
		{"end mark of DOS", ended, false, prices("9;12\x1a"), "7 A1 9/ price=12", nil},
		{"fewer decimals than the others", nil, false, prices("9;12"), "", []string{"G-ROW-08 error 7  []"}},
		{"a decimal too few", openBefore, false, prices("9;1259.0"), "", []string{"G-ROW-08 error 7  []"}},
		{"without its price", openBefore, false, prices("9"), "", []string{"G-ROW-08 error 7  []"}},
		{"nothing tells, nobody follows", nil, false, prices("9;1259.00"), "7 A1 9/ price=1259", nil},
		{"nothing tells, the first export", first, false, prices("9;1259.00"), "7 A1 9/ price=1259", []string{"G-ROW-09 warning 7  []"}},
		{"the feed's files end their lines", ended, false, prices("9;1259.00"), "", []string{"G-ROW-08 error 7  []"}},
		{"the feed's files never do", openBefore, false, prices("9;1259.00"), "7 A1 9/ price=1259", nil},
		{"never, and as many rows", openBefore, true, prices("9;1259.00"), "7 A1 9/ price=1259", nil},
		{"never, and rows lack", &Earlier{Rows: 7}, true, prices("9;1259.00"), "", []string{"G-ROW-08 error 7  []"}},
		{"few rows make no custom", openBefore, false, "sku;precio\n1;12.50\n2;13.50\n3;14", "4 A1 3/ price=14", nil},
		{"no proof from what is left", ended, false, "sku;precio\n1;1.250\n2;1.251\n3;1.2", "", []string{
			"G-DROP-02 error 0  [3]", "G-PRICE-03 error 2 precio [1.250|precio]", "G-PRICE-03 error 3 precio [1.251|precio]", "G-ROW-08 error 4  []",
		}},
		{"quotes", ended, false, "sku;precio\n\"1\";\"12\"\n\"2\";\"13\"", "", []string{"G-ROW-08 error 3  []"}},
		{"a total", ended, false, prices("Total: 5 artículos"), "6 A1 4/ price=1254", []string{"G-ROW-03 note 7  [Total: 5 artículos]"}},
		{"too little for a row", ended, true, prices("x"), "", []string{"G-ROW-08 error 7  []"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			records, res := convertedText(t, specFor(func(s *Spec) { s.Earlier, s.Full = c.earlier, c.full }), c.text)
			last := ""
			if lines := said(records); len(lines) > 0 {
				last = lines[len(lines)-1]
			}
			cut := res.Counts[catalog.RowCut] > 0
			if cut && strings.HasPrefix(last, fmt.Sprint(strings.Count(c.text, "\n")+1)+" ") || !cut && last != c.want {
				t.Errorf("the last record is %q, want %q", last, c.want)
			}
			if diff := cmp.Diff(c.issues, told(res.Issues), cmp.Transformer("nil", func(s []string) string { return strings.Join(s, "\n") })); diff != "" {
				t.Errorf("issues (-want +got):\n%s", diff)
			}
			if got := res.Keyless[catalog.AllVendors] == 1; got != cut {
				t.Errorf("absences are believed: %t, and it was cut: %t", !got, cut)
			}
		})
	}
}

// A date that lacks a digit is another day.
func TestCutDate(t *testing.T) {
	var b strings.Builder
	b.WriteString("sku;oferta;desde;hasta\n")
	for i := range 6 {
		fmt.Fprintf(&b, "%d;3x2;2026-12-01;2026-12-2%d\n", i, i)
	}
	_, res := convertedText(t, specFor(func(s *Spec) { s.Kind, s.Earlier = catalog.KindPromotions, &Earlier{Rows: 1} }), b.String()+"9;3x2;2026-12-01;2026-12-2")
	if res.Counts[catalog.RowCut] != 1 || res.Records != 6 {
		t.Errorf("%d records, issues %v", res.Records, told(res.Issues))
	}
}

// A feed that never ends its last line has last rows that look shorter than the others, and are whole.
func TestWholeLastLine(t *testing.T) {
	for name, c := range map[string]struct {
		header, rows, last string
		kind               catalog.Kind
	}{
		"a date":      {"sku;oferta;desde;hasta", "%d;3x2;2026-10-01;1%[1]d/11/2026", "9;3x2;2026-10-01;9/11/2026", catalog.KindPromotions},
		"a name":      {"sku;precio;nombre", "%d;10.50;Fanta 1.5", "9;10.50;Pan lactal", ""},
		"a code":      {"sku;precio;estante", "%d;10.50;A-00%[1]d", "9;10.50;A-6", ""},
		"a number":    {"sku;precio;peso", "%d;10.50;12.5", "9;10.50;12", ""},
		"a time":      {"sku;precio;hora", "%d;10.50;10:0%[1]d", "9;10.50;9:05", ""},
		"a last cell": {"sku;precio;nota", "%d;10.50;1-2", "9;10.50;", ""},
	} {
		t.Run(name, func(t *testing.T) {
			text := c.header + "\n"
			for i := range 6 {
				text += fmt.Sprintf(c.rows, i) + "\n"
			}
			_, res := convertedText(t, specFor(func(s *Spec) { s.Kind, s.Earlier = c.kind, &Earlier{Rows: 7} }), text+c.last)
			if res.Counts[catalog.RowCut] != 0 || res.Records != 7 || res.Counts[catalog.RowOpen] != 1 {
				t.Errorf("%d records, issues %v", res.Records, told(res.Issues))
			}
		})
	}
}

// convertedText converts a text as it is.
func convertedText(t *testing.T, s Spec, text string) ([]Record, Result) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "export.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var records []Record
	res, err := Convert(t.Context(), s, path, "export.csv", func(r Record) error {
		records = append(records, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return records, res
}
