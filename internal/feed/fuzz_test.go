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
		likeWhole(t, spec, path)
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

// FuzzOffer holds that what is read as an offer is one that the platform can take, that blanks and case around it say nothing, and
// that every number in the reading stands in the text, in digits or in words.
func FuzzOffer(f *testing.F) {
	for _, seed := range []string{"3x2", "2da al 50%", "-20%", "lleve 3 pague 2", "50% na 2\u00aa unidade", "$ 990", "hasta 30%", "2x$1500", "half price"} {
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, text string, byComma bool) {
		mark := point
		if byComma {
			mark = comma
		}
		if m, code, ok := readOfferAmount(text, mark, 2); ok && (code == "" || code == catalog.PriceRounded) && (m <= 0 || m > catalog.MaxMoney || m != m.Round(2)) {
			t.Fatalf("%q read as the price %v", text, m)
		}
		w := readOffer(text)
		if again := readOffer("  " + text + "\u00a0"); again != w {
			t.Fatalf("%q reads as %+v, with blanks around as %+v", text, w, again)
		}
		if w.code != "" {
			if w.offer != (offer{}) {
				t.Fatalf("%q is wrong (%s) and reads as %+v", text, w.code, w.offer)
			}
			return
		}
		o := w.offer
		p := catalog.Promotion{Type: o.kind, Benefit: o.benefit, Buy: o.buy, Get: o.get, Percent: o.percent}
		if o.price != 0 || o.amount != 0 || o.percent < 0 || o.percent >= catalog.Hundred {
			t.Fatalf("%q read as %+v", text, o)
		}
		switch o.kind {
		case catalog.SameItemBundle:
			buy, get, err := catalog.ParseDetails(p.Details())
			if err != nil || buy != o.buy || get != o.get || (o.benefit == catalog.PercentOff) != (o.percent != 0) {
				t.Fatalf("%q read as %+v", text, o)
			}
		case catalog.Strikethrough:
			if o.percent == 0 || o.benefit != "" || o.buy != 0 || o.get != 0 {
				t.Fatalf("%q read as %+v", text, o)
			}
		default:
			t.Fatalf("%q read as %+v", text, o)
		}
	})
}

// FuzzDate holds that what is read as a date is a day that there is, and reads the same when it is written out again.
func FuzzDate(f *testing.F) {
	for _, seed := range []string{"2026-05-08", "08/05/2026 21:00 hs", "31/02/2026", "5-jun-26", "viernes 5 de junio de 2026", "8/5/2026 12:00:00 AM", "26-05-08"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, ok := readDate(text)
		if !ok {
			if d != (dateReading{}) {
				t.Fatalf("%q is no date and reads as %+v", text, d)
			}
			return
		}
		read := 0
		for _, o := range []dateOrder{noOrder, dayFirst, monthFirst} {
			w, code := d.wall(o, lastSecond)
			if code != "" {
				continue
			}
			read++
			if w < catalog.WallAt(firstYear, 1, 1, 0, 0, 0) || w > catalog.WallAt(lastYear, 12, 31, 23, 59, 59) {
				t.Fatalf("%q read as %s", text, w)
			}
			again, ok := readDate(w.String())
			if back, code := again.wall(noOrder, 0); !ok || code != "" || back != w {
				t.Fatalf("%q is %s, written out it is %s (%s)", text, w, back, code)
			}
		}
		if read == 0 {
			t.Fatalf("%q reads as %+v, which is no moment in any order", text, d)
		}
	})
}

// FuzzConvertPromotions holds what every Result of promotions promises, whatever the bytes.
func FuzzConvertPromotions(f *testing.F) {
	for _, c := range promotionExports {
		f.Add([]byte(strings.Join(c.lines, "\n")), c.spec.Full)
	}
	f.Fuzz(func(t *testing.T, data []byte, full bool) {
		path := filepath.Join(t.TempDir(), "export.csv")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		spec := specFor(promotions, func(s *Spec) { s.Full = full })
		records := 0
		res, err := Convert(t.Context(), spec, path, "export.csv", func(r Record) error {
			if r.Item.Set|r.Item.Blank != 0 || r.Rejected != (r.Promotion == nil) || r.Item.SKU == "" {
				t.Fatalf("%+v", r)
			}
			if p := r.Promotion; p != nil {
				records++
				if p.End <= p.Start || p.Start == 0 || !isLabel(p.Campaign) || !isLabel(p.Reason) || p.SKU != r.Item.SKU || p.Barcode != r.Item.Barcode ||
					p.UsageLimit < 0 || p.MaxOrders < 0 || p.MaxSales < 0 || p.Price != p.Price.Round(2) {
					t.Fatalf("%+v", *p)
				}
				offers := 0
				for _, is := range []bool{p.Price > 0, p.Percent > 0 && p.Percent < catalog.Hundred, p.Amount > 0, p.Benefit == catalog.FreeItem} {
					if is {
						offers++
					}
				}
				if offers != 1 || (p.Type == catalog.SameItemBundle) != (p.Details() != "") || (p.Benefit != "") != (p.Details() != "") {
					t.Fatalf("%+v", *p)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if res.Records != records || res.Rows < res.Rejected || res.Owned != 0 {
			t.Fatalf("rows %d, records %d of %d, rejected %d, owned %v", res.Rows, res.Records, records, res.Rejected, res.Owned)
		}
		told := false
		for _, is := range res.Issues {
			told = told || is.Severity == catalog.Error
		}
		if (res.Refused || res.Rejected > 0) != told {
			t.Fatalf("refused %v, rejected %d, errors told %v", res.Refused, res.Rejected, told)
		}
	})
}
