package sandbox

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// shown is what a test compares of an article at 290056.
type shown struct {
	price    string
	active   bool
	maxSales int
}

// untouched is store 290056 as it begins: A-1 has a sales buffer of 3, B-2 of 1.
func untouched() map[string]shown {
	return map[string]shown{"A-1": {"10.5", true, 0}, "B-2": {"120", true, 0}}
}

func shelfOf(s *Sandbox, vendor string) map[string]shown {
	out := map[string]shown{}
	for _, a := range s.Shelf(vendor) {
		out[a.SKU] = shown{a.Price, a.Active, a.MaxSales}
	}
	return out
}

func TestRows(t *testing.T) {
	tests := []struct {
		name, csv string
		rules     Rules
		want      map[string]shown // what differs from the beginning
		applied   int
		errors    []RowError
	}{
		{name: "price", csv: "sku,price\nA-1,9.99\n", want: map[string]shown{"A-1": {"9.99", true, 0}}, applied: 1},
		{name: "three decimals are kept", csv: "sku,price\nA-1,9.125\n", want: map[string]shown{"A-1": {"9.125", true, 0}}, applied: 1},
		{name: "further decimals are cut", csv: "sku,price\nA-1,9.12599\n", want: map[string]shown{"A-1": {"9.125", true, 0}}, applied: 1},
		{
			name: "further decimals are rounded", csv: "sku,price\nA-1,9.1255\nB-2,1.1254\n", rules: Rules{RoundPrices: true},
			want: map[string]shown{"A-1": {"9.126", true, 0}, "B-2": {"1.125", true, 0}}, applied: 2,
		},
		{name: "price of zero", csv: "sku,price\nA-1,0.00\n", errors: []RowError{{Line: 2, SKU: "A-1", Reason: RowPrice}}},
		{name: "price cut to zero", csv: "sku,price\nA-1,0.0009\n", errors: []RowError{{Line: 2, SKU: "A-1", Reason: RowPrice}}},
		{name: "decimal comma", csv: "sku,price\nA-1,\"9,99\"\n", errors: []RowError{{Line: 2, SKU: "A-1", Reason: RowPrice}}},
		{name: "thousands", csv: "sku,price\nA-1,1.234.5\n", errors: []RowError{{Line: 2, SKU: "A-1", Reason: RowPrice}}},
		{name: "negative", csv: "sku,price\nA-1,-1\n", errors: []RowError{{Line: 2, SKU: "A-1", Reason: RowPrice}}},
		{name: "currency", csv: "sku,price\nA-1,$ 1\n", errors: []RowError{{Line: 2, SKU: "A-1", Reason: RowPrice}}},
		{
			name: "point without digits", csv: "sku,price\nA-1,1.\nB-2,.5\n",
			errors: []RowError{{Line: 2, SKU: "A-1", Reason: RowPrice}, {Line: 3, SKU: "B-2", Reason: RowPrice}},
		},
		{
			name: "active", csv: "sku,active\nA-1,0\nB-2,false\n",
			want: map[string]shown{"A-1": {"10.5", false, 0}, "B-2": {"120", false, 0}}, applied: 2,
		},
		{name: "active the other way", csv: "sku,active\nA-1,1\nB-2,true\n", applied: 2},
		{
			name: "active in other words", csv: "sku,active\nA-1,TRUE\nB-2,no\n",
			errors: []RowError{{Line: 2, SKU: "A-1", Reason: RowActive}, {Line: 3, SKU: "B-2", Reason: RowActive}},
		},
		{
			name: "quantity at the buffer", csv: "sku,quantity\nA-1,3\nB-2,1\n",
			want: map[string]shown{"A-1": {"10.5", false, 0}, "B-2": {"120", false, 0}}, applied: 2,
		},
		{name: "quantity above the buffer", csv: "sku,quantity\nA-1,4\nB-2,2\n", applied: 2},
		{
			name: "quantity that is none", csv: "sku,quantity\nA-1,-1\nB-2,1.5\n",
			errors: []RowError{{Line: 2, SKU: "A-1", Reason: RowQuantity}, {Line: 3, SKU: "B-2", Reason: RowQuantity}},
		},
		{name: "quantity too large", csv: "sku,quantity\nA-1,99999999999999999999\n", errors: []RowError{{Line: 2, SKU: "A-1", Reason: RowQuantity}}},
		{
			name: "active and quantity", csv: "sku,active,quantity\nA-1,0,0\nB-2,,0\n",
			want: map[string]shown{"B-2": {"120", false, 0}}, applied: 1,
			errors: []RowError{{Line: 2, SKU: "A-1", Reason: RowBothStocks}},
		},
		{name: "empty cells change nothing", csv: "sku,price,active\nA-1,,\nB-2,5,\n", want: map[string]shown{"B-2": {"5", true, 0}}, applied: 2},
		{
			name: "unknown sku", csv: "sku,price\nA-9,1\nB-2,5\n", want: map[string]shown{"B-2": {"5", true, 0}}, applied: 1,
			errors: []RowError{{Line: 2, SKU: "A-9", Reason: RowMissing}},
		},
		{name: "sku in other case", csv: "sku,price\na-1,1\n", errors: []RowError{{Line: 2, SKU: "a-1", Reason: RowMissing}}},
		{name: "a bad cell rejects its whole row", csv: "sku,price,active\nA-1,5,x\n", errors: []RowError{{Line: 2, SKU: "A-1", Reason: RowActive}}},
		{name: "barcode", csv: "barcode,price\n07790001,5\n", want: map[string]shown{"A-1": {"5", true, 0}}, applied: 1},
		{name: "barcode padded", csv: "barcode,price\n00000007790001,5\n", want: map[string]shown{"A-1": {"5", true, 0}}, applied: 1},
		{name: "barcode stripped", csv: "barcode,price\n7790001,5\n", want: map[string]shown{"A-1": {"5", true, 0}}, applied: 1},
		{
			name: "barcode where zeros count", csv: "barcode,price\n7790001,5\n", rules: Rules{ExactBarcodes: true},
			errors: []RowError{{Line: 2, Barcode: "7790001", Reason: RowMissingBar}},
		},
		{
			name: "both identifiers", csv: "sku,barcode,price\nA-1,07790001,5\nB-2,,5\n", want: map[string]shown{"B-2": {"5", true, 0}}, applied: 1,
			errors: []RowError{{Line: 2, SKU: "A-1", Barcode: "07790001", Reason: RowBothKeys}},
		},
		{
			name: "both identifiers where allowed", csv: "sku,barcode,price\nA-1,07790001,5\n", rules: Rules{BothIdentifiers: true},
			want: map[string]shown{"A-1": {"5", true, 0}}, applied: 1,
		},
		{name: "no identifier", csv: "sku,barcode,price\n,,5\n", errors: []RowError{{Line: 2, Reason: RowNoKey}}},
		{name: "last row wins as a whole", csv: "sku,price,active\nA-1,5,\nA-1,,0\n", want: map[string]shown{"A-1": {"10.5", false, 0}}, applied: 2},
		{
			name: "first row wins", csv: "sku,price,active\nA-1,5,\nA-1,,0\n", rules: Rules{FirstRowWins: true},
			want: map[string]shown{"A-1": {"5", true, 0}}, applied: 2,
		},
		{
			name: "a rejected row does not win", csv: "sku,price\nA-1,5\nA-1,x\n", want: map[string]shown{"A-1": {"5", true, 0}}, applied: 1,
			errors: []RowError{{Line: 3, SKU: "A-1", Reason: RowPrice}},
		},
		{
			name: "maximum_sales_quantity", csv: "sku,maximum_sales_quantity\nA-1,6\nB-2,x\n", rules: Rules{MaxSales: true},
			want: map[string]shown{"A-1": {"10.5", true, 6}}, applied: 1, errors: []RowError{{Line: 3, SKU: "B-2", Reason: RowMaxSales}},
		},
		{
			name: "too few and too many cells", csv: "sku,price\nA-1\nB-2,5,6\n",
			errors: []RowError{{Line: 2, SKU: "A-1", Reason: RowCells}, {Line: 3, SKU: "B-2", Reason: RowCells}},
		},
		{name: "header in other case and order", csv: "Price,SKU\n5,A-1\n", want: map[string]shown{"A-1": {"5", true, 0}}, applied: 1},
		{
			name: "lines are counted in quoted cells", csv: "sku,price\n\"x\ny\",5\nnone,5\n",
			errors: []RowError{{Line: 2, SKU: "x\ny", Reason: RowMissing}, {Line: 4, SKU: "none", Reason: RowMissing}},
		},
		{name: "windows line ends, no end of the last line", csv: "sku,price\r\nA-1,5", want: map[string]shown{"A-1": {"5", true, 0}}, applied: 1},
		{name: "header only", csv: "sku,price\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newTestSandbox(t, func(o *Options) { o.Rules = tt.rules })
			put(t, s, "catalog/gondola_290056.csv", tt.csv)
			jobs := s.Scan()
			if len(jobs) != 1 {
				t.Fatalf("%d jobs, want 1", len(jobs))
			}
			want := Job{
				ID: "00000000-0000-4000-8000-000000000001", At: s.opts.Now(), File: "catalog/gondola_290056.csv", SHA256: digestOf(tt.csv),
				Vendor: "290056", Status: Completed, Rows: tt.applied + len(tt.errors), Applied: tt.applied,
				Rejected: len(tt.errors), Errors: tt.errors,
			}
			if diff := cmp.Diff(want, jobs[0]); diff != "" {
				t.Errorf("job (-want +got):\n%s", diff)
			}
			shelf := untouched()
			for sku, a := range tt.want {
				shelf[sku] = a
			}
			if diff := cmp.Diff(shelf, shelfOf(s, "290056"), cmp.AllowUnexported(shown{})); diff != "" {
				t.Errorf("shelf (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRefusedFiles(t *testing.T) {
	tests := []struct {
		name, file, csv, reason string
		rules                   Rules
	}{
		{name: "byte order mark", csv: "\uFEFFsku,price\nA-1,5\n", reason: ReasonBOM},
		{name: "not UTF-8", csv: "sku,price\nA-1\xe1,5\n", reason: ReasonEncoding},
		{name: "empty", csv: "", reason: ReasonNoHeader},
		{name: "semicolons", csv: "sku;price\nA-1;5\n", reason: ReasonColumn + `: "sku;price"`},
		{name: "unknown column", csv: "sku,precio\nA-1,5\n", reason: ReasonColumn + `: "precio"`},
		{name: "column with spaces", csv: "sku, price\nA-1,5\n", reason: ReasonColumn + `: " price"`},
		{name: "column twice", csv: "sku,price,Price\nA-1,5,6\n", reason: ReasonColumn + `: "Price"`},
		{name: "a column of other brands", csv: "sku,maximum_sales_quantity\nA-1,5\n", reason: ReasonColumn + `: "maximum_sales_quantity"`},
		{name: "no identifier", csv: "price\n5\n", reason: ReasonNoKey},
		{name: "bare quote", csv: "sku,price\nA-1,5\nB\"2,5\n", reason: ReasonMalformed},
		{name: "open quote", csv: "sku,price\nA-1,5\n\"B-2,5\n", reason: ReasonMalformed},
		{name: "too long", csv: "sku,price\nA-1,5\nA-1,6\nA-1,7\n", reason: ReasonTooLong, rules: Rules{MaxRows: 2}},
		{name: "exact header, case", csv: "SKU,price\nA-1,5\n", reason: ReasonColumn + `: "SKU"`, rules: Rules{ExactHeader: true}},
		{name: "exact header, order", csv: "price,sku\n5,A-1\n", reason: ReasonColumn + `: "sku"`, rules: Rules{ExactHeader: true}},
		{name: "vendors in a single-vendor file", csv: "sku,price,vendors\nA-1,5,all\n", reason: ReasonColumn + `: "vendors"`},
		{name: "no vendors in a multi-vendor file", file: "gondola.csv", csv: "sku,price\nA-1,5\n", reason: ReasonNoVendors},
		{name: "unknown vendor", file: "gondola_000.csv", csv: "sku,price\nA-1,5\n", reason: ReasonVendor},
		{name: "vendor in other case", file: "gondola_S8YM.csv", csv: "sku,price\nA-1,5\n", reason: ReasonVendor},
		{name: "digit in a multi-vendor prefix", file: "gondola2.csv", csv: "sku,price,vendors\nA-1,5,all\n", reason: ReasonName},
		{name: "underscore in a multi-vendor prefix", file: "my_gondola.csv", csv: "sku,price,vendors\nA-1,5,all\n", reason: ReasonVendor},
		{name: "no prefix", file: "_290056.csv", csv: "sku,price\nA-1,5\n", reason: ReasonName},
		{name: "no vendor", file: "gondola_.csv", csv: "sku,price\nA-1,5\n", reason: ReasonName},
		{name: "space", file: "gon dola_290056.csv", csv: "sku,price\nA-1,5\n", reason: ReasonName},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newTestSandbox(t, func(o *Options) { o.Rules = tt.rules })
			put(t, s, "catalog/"+either(tt.file, "gondola_290056.csv"), tt.csv)
			jobs := s.Scan()
			status := Failed
			if tt.reason == ReasonName {
				status = Ignored
			}
			if len(jobs) != 1 || jobs[0].Status != status || jobs[0].Applied != 0 {
				t.Fatalf("jobs are %+v, want one that is %s", jobs, status)
			}
			got := jobs[0].Reason
			if tt.reason == ReasonMalformed {
				got, _, _ = strings.Cut(got, ": ") // what follows is the CSV reader's word
			}
			if got != tt.reason {
				t.Errorf("reason is %q, want %q", got, tt.reason)
			}
			if diff := cmp.Diff(untouched(), shelfOf(s, "290056"), cmp.AllowUnexported(shown{})); diff != "" {
				t.Errorf("a refused file changed the shelf (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMultiVendorRows(t *testing.T) {
	tests := []struct {
		name, row      string
		centro, puerto string // prices of A-1
		errors         []RowError
	}{
		{"all", "A-1,5,all,", "5", "5", nil},
		{"all but one", `A-1,5,all,s8ym`, "5", "11", nil},
		{"all but both", `A-1,5,all,"s8ym, 290056"`, "10.5", "11", nil},
		{"one", "A-1,5,s8ym,", "10.5", "5", nil},
		{"list", `A-1,5,"290056,s8ym",`, "5", "5", nil},
		{"missing at one store", "B-2,5,all,", "10.5", "11", []RowError{{Line: 2, SKU: "B-2", Vendor: "s8ym", Reason: RowMissing}}},
		{"none", "A-1,5,,", "10.5", "11", []RowError{{Line: 2, SKU: "A-1", Reason: RowNoVendors}}},
		{"unknown", `A-1,5,"s8ym,zzz",`, "10.5", "11", []RowError{{Line: 2, SKU: "A-1", Vendor: "zzz", Reason: RowVendor}}},
		{"unknown exclude", "A-1,5,all,zzz", "10.5", "11", []RowError{{Line: 2, SKU: "A-1", Vendor: "zzz", Reason: RowVendor}}},
		{"exclude beside a list", "A-1,5,s8ym,290056", "10.5", "11", []RowError{{Line: 2, SKU: "A-1", Reason: RowExclude}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newTestSandbox(t, nil)
			put(t, s, "catalog/gondola.csv", "sku,price,vendors,exclude\n"+tt.row+"\n")
			jobs := s.Scan()
			if len(jobs) != 1 || jobs[0].Status != Completed || jobs[0].Vendor != "" {
				t.Fatalf("jobs are %+v, want one that completed", jobs)
			}
			if diff := cmp.Diff(tt.errors, jobs[0].Errors, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("row errors (-want +got):\n%s", diff)
			}
			if got := s.Shelf("290056")[0].Price; got != tt.centro {
				t.Errorf("price at 290056 is %s, want %s", got, tt.centro)
			}
			if got := s.Shelf("s8ym")[0].Price; got != tt.puerto {
				t.Errorf("price at s8ym is %s, want %s", got, tt.puerto)
			}
		})
	}
}

func TestRowErrorsAreCapped(t *testing.T) {
	s := newTestSandbox(t, nil)
	put(t, s, "catalog/gondola_290056.csv", "sku,price\n"+strings.Repeat("none,5\n", MaxRowErrors+5))
	job := s.Scan()[0]
	if job.Rejected != MaxRowErrors+5 || len(job.Errors) != MaxRowErrors {
		t.Errorf("rejected %d rows and kept %d errors", job.Rejected, len(job.Errors))
	}
}

func TestReadPrice(t *testing.T) {
	for in, want := range map[string]string{
		"10.50": "10.5", "990": "990", "0.125": "0.125", "007.10": "7.1", "1000000": "1000000", "0.001": "0.001", "999999999999.999": "999999999999.999",
		"": "", "0": "", "1e3": "", "1 000": "", "+1": "", "1.2.3": "", "9999999999999": "", "١": "",
	} {
		got, ok := readPrice(in, false)
		if ok != (want != "") || (ok && got != want) {
			t.Errorf("readPrice(%q) = %q, %t, want %q", in, got, ok, want)
		}
	}
}

func FuzzReadPrice(f *testing.F) {
	f.Add("10.50")
	f.Add("0.0009")
	f.Fuzz(func(t *testing.T, in string) {
		got, ok := readPrice(in, false)
		if !ok {
			return
		}
		if again, ok := readPrice(got, false); !ok || again != got {
			t.Errorf("readPrice(%q) = %q, which reads as %q, %t", in, got, again, ok)
		}
		if !strings.HasPrefix(strings.TrimLeft(in, "0")+".", strings.TrimLeft(got, "0")) && !strings.HasPrefix(strings.TrimLeft(in, "0"), strings.TrimLeft(got, "0")) {
			t.Errorf("readPrice(%q) = %q is no cut of it", in, got)
		}
	})
}

func FuzzTable(f *testing.F) {
	f.Add("sku,price,active\nA-1,5,1\n")
	f.Add("barcode,quantity,vendors,exclude\n1,2,all,\"a,b\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		stores, err := newStores([]Vendor{{ID: "a", Articles: []Article{{SKU: "A-1", Barcode: "1"}}}, {ID: "b"}}, Rules{})
		if err != nil {
			t.Fatal(err)
		}
		for _, vendor := range []string{"", "a"} {
			job := &Job{Vendor: vendor, Status: Completed}
			r := &reader{opts: &Options{Rules: Rules{MaxRows: 100}}, stores: stores}
			r.apply(job, kindCatalog, []byte(text))
			if job.Status == Completed && job.Applied+job.Rejected < job.Rows && vendor != "" {
				t.Errorf("of %d rows, %d were applied and %d rejected", job.Rows, job.Applied, job.Rejected)
			}
			if job.Status == Failed && job.Reason == "" {
				t.Error("failed for no reason")
			}
		}
	})
}
