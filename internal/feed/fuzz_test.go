package feed

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gondola/internal/catalog"
)

// FuzzMoney holds that what is read as an amount reads the same when it is written out again in the same convention, with groups
// and without.
func FuzzMoney(f *testing.F) {
	for _, seed := range []string{"1.234,50", "(5,00)", "$ -5", "10.-", "1'234.5", "S/.4", ".5", "5.", "1\u00a0234,5", "--1", "="} {
		f.Add(seed, true, 2)
	}
	f.Fuzz(func(t *testing.T, cell string, byComma bool, decimals int) {
		mark, group := point, comma
		if byComma {
			mark, group = comma, point
		}
		decimals = ((decimals % 4) + 4) % 4
		m, code := readMoney(unwrap(cell), mark, decimals)
		if code != "" && code != catalog.PriceRounded {
			return
		}
		if m <= 0 || m > catalog.MaxMoney {
			t.Fatalf("%q read as %v", cell, m)
		}
		if m != m.Round(decimals) {
			t.Fatalf("%q with %d decimals read as %v", cell, decimals, m)
		}
		for _, grouped := range []bool{false, true} {
			text := render(m, mark, group, grouped)
			if again, code := readMoney(text, mark, decimals); again != m || code != "" {
				t.Fatalf("%q is %v, written %q it is %v (%s)", cell, m, text, again, code)
			}
		}
	})
}

// render writes an amount in a convention.
func render(m catalog.Money, mark, group byte, grouped bool) string {
	whole, fraction, _ := strings.Cut(m.Text(2), ".")
	if grouped {
		for i := len(whole) - 3; i > 0; i -= 3 {
			whole = whole[:i] + string(group) + whole[i:]
		}
	}
	return whole + string(mark) + fraction
}

// FuzzBarcode holds that what is taken is a barcode, and that it is the number in the cell.
func FuzzBarcode(f *testing.F) {
	for _, seed := range []string{"95200019", "7,79E+12", `="12345678905"`, "9-520000-000011", "12345678905.0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		read := readBarcode(cell)
		if read.digits == "" {
			return
		}
		if !catalog.GTINValid(read.digits) {
			t.Fatalf("%q read as %q", cell, read.digits)
		}
		var seen strings.Builder
		for _, r := range cell {
			if r >= '0' && r <= '9' {
				seen.WriteRune(r)
			}
		}
		if !strings.HasPrefix(seen.String(), strings.TrimLeft(read.digits, "0")) && !strings.Contains(seen.String(), strings.TrimLeft(read.digits, "0")) {
			t.Fatalf("%q read as %q", cell, read.digits)
		}
	})
}

// FuzzConvert holds what every Result promises, whatever the bytes.
func FuzzConvert(f *testing.F) {
	for _, c := range exports {
		f.Add([]byte(strings.Join(c.lines, "\n")), c.spec.Full, c.spec.By == catalog.ByBarcode)
	}
	f.Fuzz(func(t *testing.T, data []byte, full, barcode bool) {
		path := filepath.Join(t.TempDir(), "export.csv")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		spec := specFor(func(s *Spec) { s.Full = full })
		if barcode {
			spec.By = catalog.ByBarcode
		}
		row, records := 0, 0
		res, err := Convert(t.Context(), spec, path, "export.csv", func(r Record) error {
			if r.Row <= row {
				t.Fatalf("row %d after row %d", r.Row, row)
			}
			row = r.Row
			if !r.Rejected {
				records++
			}
			checkItem(t, r, spec, full)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if res.Records != records || res.Rows < res.Rejected || res.Records > res.Rows {
			t.Fatalf("rows %d, records %d of %d, rejected %d", res.Rows, res.Records, records, res.Rejected)
		}
		errorsTold := false
		for _, is := range res.Issues {
			errorsTold = errorsTold || is.Severity == catalog.Error
			if is.Code == "" || is.Severity == "" {
				t.Fatalf("issue %+v", is)
			}
		}
		if (res.Refused || res.Rejected > 0) != errorsTold {
			t.Fatalf("refused %v, rejected %d, errors told %v", res.Refused, res.Rejected, errorsTold)
		}
	})
}

func checkItem(t *testing.T, r Record, spec Spec, full bool) {
	it := r.Item
	switch {
	case it.Key(spec.By) == "":
		t.Fatalf("row %d has no key", r.Row)
	case it.Set&it.Blank != 0, !full && it.Blank != 0, r.Rejected && it.Set|it.Blank != 0:
		t.Fatalf("row %d: set %b, blank %b, rejected %v", r.Row, it.Set, it.Blank, r.Rejected)
	case it.Set.Has(catalog.Price) && it.Price <= 0, it.Quantity < 0, it.Set.Has(catalog.MaxSales) && it.MaxSales <= 0:
		t.Fatalf("row %d: %+v", r.Row, it)
	case it.Barcode != "" && !catalog.GTINValid(it.Barcode):
		t.Fatalf("row %d: barcode %q", r.Row, it.Barcode)
	}
}
