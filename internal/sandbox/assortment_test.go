package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	assortmentHead = "sku,barcode,price,active,campaign_name,reason,start_date,end_date,promotion_type,promotion_sub_type," +
		"bundle_details,bundle_discount,discounted_price,campaign_status"
	assortmentFile = "Assortment/assortment_290056.csv"
)

// newAssortmentSandbox starts a sandbox of a brand with the single-file format, which takes one identifier as others do.
func newAssortmentSandbox(t testing.TB, change func(*Options)) *Sandbox {
	t.Helper()
	s := newTestSandbox(t, func(o *Options) {
		o.Rules.SingleFile = true
		if change != nil {
			change(o)
		}
	})
	if err := os.Mkdir(filepath.Join(s.Home(), "Assortment"), 0o755); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAssortment(t *testing.T) {
	const strike = ",Semana,competitiveness,2026-03-01,2026-03-08,strikethrough,,,,"
	tests := []struct {
		name       string
		rows       []string
		rules      Rules
		price      string // of B-2; it begins with 120
		promotions []string
		errors     []string
	}{
		{name: "catalogue alone", rows: []string{"B-2,,130,1,,,,,,,,,,"}, price: "130"},
		{name: "both", rows: []string{"B-2,,130,1" + strike + "125,"}, price: "130", promotions: []string{"B-2 125 running*"}},
		{name: "promotion alone", rows: []string{"B-2,,," + strike + "99,1"}, price: "120", promotions: []string{"B-2 99 running*"}},
		{
			name: "one row with, one without", rows: []string{"A-1,,9,," + ",,,,,,,,,", "B-2,,130,1" + strike + "125,"}, price: "130",
			promotions: []string{"B-2 125 running*"},
		},
		{name: "half", rows: []string{"B-2,,130,1,Semana,,,,,,,,,"}, price: "120", errors: []string{RowHalf}},
		{name: "half, no campaign", rows: []string{"B-2,,130,1,,competitiveness,2026-03-01,2026-03-08,strikethrough,,,,99,"}, price: "120", errors: []string{RowHalf}},
		{name: "an optional cell alone", rows: []string{"B-2,,130,1,,,,,,,,,99,"}, price: "120", errors: []string{RowHalf}},
		{name: "a status alone", rows: []string{"B-2,,130,1,,,,,,,,,,0"}, price: "120", errors: []string{RowHalf}},
		{name: "a bad promotion rejects its row", rows: []string{"B-2,,130,1" + strike + "x,"}, price: "120", errors: []string{about(RowInvalid, colDiscounted)}},
		{name: "a bad price rejects the promotion", rows: []string{"B-2,,x,1" + strike + "99,"}, price: "120", errors: []string{RowPrice}},
		{name: "above its own new price", rows: []string{"B-2,,90,1" + strike + "99,"}, price: "120", errors: []string{RowNotBelow}},
		{
			name: "above its own new price, where the old one counts", rows: []string{"B-2,,90,1" + strike + "99,"}, price: "90",
			rules: Rules{PromotionRules: PromotionRules{OldPrice: true}}, promotions: []string{"B-2 99 running*"},
		},
		{
			name: "above the old price, where that counts", rows: []string{"B-2,,130,1" + strike + "125,"}, price: "120",
			rules: Rules{PromotionRules: PromotionRules{OldPrice: true}}, errors: []string{RowNotBelow},
		},
		{
			name: "the first row's price counts where that wins", rows: []string{"B-2,,90,,,,,,,,,,,", "B-2,,130,1" + strike + "99,"}, price: "90",
			rules: Rules{FirstRowWins: true}, errors: []string{RowNotBelow},
		},
		{
			name: "resent with another catalogue part", rows: []string{"B-2,,130,1" + strike + "99,", "B-2,,140,0" + strike + "99,"}, price: "140",
			promotions: []string{"B-2 99 running*"},
		},
		{
			name: "ended with another catalogue part", rows: []string{"B-2,,130,1" + strike + "99,", "B-2,,140,0" + strike + "99,0"}, price: "140",
			promotions: []string{"B-2 99 ended"},
		},
		{name: "barcode that was not announced", rows: []string{",7790001,9,1,,,,,,,,,,", ",7790001,," + strike + "5,"}, price: "120", rules: Rules{NoBarcodes: true}, errors: []string{RowBarcodeKey}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newAssortmentSandbox(t, func(o *Options) { o.Rules = tt.rules; o.Rules.SingleFile = true })
			job := scanOne(t, s, assortmentFile, assortmentHead+"\n"+strings.Join(tt.rows, "\n")+"\n")
			if job.Status != Completed || job.Vendor != "290056" || job.Applied != len(tt.rows)-len(tt.errors) {
				t.Errorf("job is %+v", job)
			}
			if diff := cmp.Diff(tt.errors, reasons(job)); diff != "" {
				t.Errorf("row errors (-want +got):\n%s", diff)
			}
			if got := shelfOf(s, "290056")["B-2"].price; got != tt.price {
				t.Errorf("price is %s, want %s", got, tt.price)
			}
			if diff := cmp.Diff(tt.promotions, live(s, "290056", s.opts.Now())); diff != "" {
				t.Errorf("promotions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAssortmentHeaders(t *testing.T) {
	for _, tt := range []struct {
		csv, reason string
		status      Status
	}{
		{"sku,price\nB-2,130\n", "", Completed},
		{"sku,price,campaign_name\nB-2,130,\n", ReasonMissing + `: "reason"`, Failed},
		{"sku,price,discounted_price\nB-2,130,\n", ReasonMissing + `: "campaign_name"`, Failed},
		{"sku,price,vendors\nB-2,130,all\n", ReasonColumn + `: "vendors"`, Failed},
	} {
		job := scanOne(t, newAssortmentSandbox(t, nil), assortmentFile, tt.csv)
		if job.Status != tt.status || job.Reason != tt.reason {
			t.Errorf("%q: %s, %q, want %s, %q", tt.csv, job.Status, job.Reason, tt.status, tt.reason)
		}
	}
}

func TestAssortmentNames(t *testing.T) {
	for name, want := range map[string]Job{
		"assortment_290056.csv":        {Status: Completed},
		"assortment_zzz.csv":           {Status: Failed, Reason: ReasonVendor},
		"gondola_290056.csv":           {Status: Ignored, Reason: ReasonName},
		"Assortment_290056.csv":        {Status: Ignored, Reason: ReasonName},
		"my_assortment_290056.csv":     {Status: Ignored, Reason: ReasonName},
		"assortment.csv":               {Status: Ignored, Reason: ReasonName},
		"assortment_.csv":              {Status: Ignored, Reason: ReasonName},
		"assortment_290056_290056.csv": {Status: Ignored, Reason: ReasonName},
	} {
		s := newAssortmentSandbox(t, func(o *Options) { o.Fate = Eat })
		job := scanOne(t, s, "Assortment/"+name, "sku,price\nB-2,130\n")
		if job.Status != want.Status || job.Reason != want.Reason {
			t.Errorf("%s: %s, %q, want %s, %q", name, job.Status, job.Reason, want.Status, want.Reason)
		}
		if got := exists(t, s, "Assortment/"+name); got != (want.Status == Ignored) {
			t.Errorf("%s: after the scan it is there: %t", name, got)
		}
	}
}

func TestAssortmentOfABrandWithoutIt(t *testing.T) {
	s := newAssortmentSandbox(t, func(o *Options) { o.Rules.SingleFile = false; o.Fate = Eat })
	job := scanOne(t, s, assortmentFile, "sku,price\nB-2,130\n")
	if job.Status != Ignored || job.Reason != ReasonFolder {
		t.Errorf("job is %+v", job)
	}
	if got := shelfOf(s, "290056")["B-2"].price; got != "120" || !exists(t, s, assortmentFile) {
		t.Errorf("the price is %s, or the file was eaten", got)
	}
	if again := s.Scan(); len(again) != 0 {
		t.Errorf("unchanged, it made jobs again: %+v", again)
	}
}

func TestBrandRules(t *testing.T) {
	single := Rules{SingleFile: true}
	for brand, want := range map[string]Rules{
		"pedidosya": {}, "PedidosYa": {}, "foodpanda": {SingleFile: true, BothIdentifiers: true, MaxSales: true},
		"talabat": single, "hungerstation": single, "foodora": single, "yemeksepeti": single, "glovo": single,
	} {
		if got, err := BrandRules(brand); err != nil || got != want {
			t.Errorf("%s: %+v, %v", brand, got, err)
		}
	}
	if _, err := BrandRules("rappi"); err == nil {
		t.Error("a strange brand has rules")
	}
}
