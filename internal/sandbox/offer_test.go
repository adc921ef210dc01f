package sandbox

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestPromotionRows(t *testing.T) {
	amountRow := with(t, offRow, "promotion_sub_type", "absolute_value_off", "bundle_discount", "4")
	tests := []struct {
		name  string
		row   string
		cells []string // what is replaced in the row
		rules Rules
		why   string // "" is a row that is taken
	}{
		{name: "strikethrough", row: strikeRow},
		{name: "free item", row: freeRow},
		{name: "percentage off", row: offRow},
		{name: "amount off", row: amountRow},
		{name: "no campaign", row: strikeRow, cells: []string{"campaign_name", ""}, why: "empty cell: campaign_name"},
		{name: "no reason", row: strikeRow, cells: []string{"reason", ""}, why: "empty cell: reason"},
		{name: "no start", row: strikeRow, cells: []string{"start_date", ""}, why: "empty cell: start_date"},
		{name: "no end", row: strikeRow, cells: []string{"end_date", ""}, why: "empty cell: end_date"},
		{name: "no type", row: strikeRow, cells: []string{"promotion_type", ""}, why: "empty cell: promotion_type"},
		{name: "no discounted price", row: strikeRow, cells: []string{"discounted_price", ""}, why: "empty cell: discounted_price"},
		{name: "no sub-type", row: offRow, cells: []string{"promotion_sub_type", ""}, why: "empty cell: promotion_sub_type"},
		{name: "no details", row: freeRow, cells: []string{"bundle_details", ""}, why: "empty cell: bundle_details"},
		{name: "no discount", row: offRow, cells: []string{"bundle_discount", ""}, why: "empty cell: bundle_discount"},
		{name: "any reason", row: strikeRow, cells: []string{"reason", "porque sí"}},

		{name: "date only", row: strikeRow, cells: []string{"start_date", "2026-03-01", "end_date", "2026-03-02"}},
		{name: "day first", row: strikeRow, cells: []string{"start_date", "01/03/2026"}, why: "invalid cell: start_date"},
		{name: "no seconds", row: strikeRow, cells: []string{"start_date", "2026-03-01 09:00"}, why: "invalid cell: start_date"},
		{name: "fractions", row: strikeRow, cells: []string{"start_date", "2026-03-01 09:00:00.5"}, why: "invalid cell: start_date"},
		{name: "ISO 8601", row: strikeRow, cells: []string{"end_date", "2026-03-08T09:00:00Z"}, why: "invalid cell: end_date"},
		{name: "no such day", row: strikeRow, cells: []string{"end_date", "2026-02-30"}, why: "invalid cell: end_date"},
		{name: "one digit", row: strikeRow, cells: []string{"end_date", "2026-3-8 09:00:00"}, why: "invalid cell: end_date"},
		{name: "space behind", row: strikeRow, cells: []string{"end_date", "2026-03-08 "}, why: "invalid cell: end_date"},
		{name: "end at the start", row: strikeRow, cells: []string{"end_date", "2026-03-01 09:00:00"}, why: RowPeriod},
		{name: "one day", row: strikeRow, cells: []string{"start_date", "2026-03-01", "end_date", "2026-03-01"}, why: RowPeriod},
		{
			name: "one day where the last day counts", row: strikeRow, cells: []string{"start_date", "2026-03-01", "end_date", "2026-03-01"},
			rules: Rules{PromotionRules: PromotionRules{EndDayCounts: true}},
		},

		{name: "type in capitals", row: strikeRow, cells: []string{"promotion_type", "STRIKETHROUGH"}, why: "invalid cell: promotion_type"},
		{name: "other type", row: strikeRow, cells: []string{"promotion_type", "basket"}, why: "invalid cell: promotion_type"},
		{name: "other sub-type", row: offRow, cells: []string{"promotion_sub_type", "percentage"}, why: "invalid cell: promotion_sub_type"},
		{name: "status in words", row: strikeRow, cells: []string{"campaign_status", "true"}, why: "invalid cell: campaign_status"},

		{name: "price of zero", row: strikeRow, cells: []string{"discounted_price", "0"}, why: "invalid cell: discounted_price"},
		{name: "decimal comma", row: strikeRow, cells: []string{"discounted_price", "99;5"}, why: "invalid cell: discounted_price"},
		{name: "two decimals", row: strikeRow, cells: []string{"discounted_price", "99.25"}},
		{name: "three decimals", row: strikeRow, cells: []string{"discounted_price", "99.250"}, why: "invalid cell: discounted_price"},
		{
			name: "three decimals where they may be", row: strikeRow, cells: []string{"discounted_price", "99.250"},
			rules: Rules{PromotionRules: PromotionRules{ManyDecimals: true}},
		},
		{name: "price as it is", row: strikeRow, cells: []string{"discounted_price", "120.00"}, why: RowNotBelow},
		{name: "just below", row: strikeRow, cells: []string{"discounted_price", "119.99"}},
		{name: "above, with fewer digits before the point", row: strikeRow, cells: []string{"sku", "A-1", "discounted_price", "10.6"}, why: RowNotBelow},

		{name: "bundle turned round", row: freeRow, cells: []string{"bundle_details", "G1B2"}, why: "invalid cell: bundle_details"},
		{name: "small letters", row: freeRow, cells: []string{"bundle_details", "b2g1"}, why: "invalid cell: bundle_details"},
		{name: "nothing to buy", row: freeRow, cells: []string{"bundle_details", "B0G1"}, why: "invalid cell: bundle_details"},
		{name: "nothing to get", row: freeRow, cells: []string{"bundle_details", "B2G"}, why: "invalid cell: bundle_details"},
		{name: "too many", row: freeRow, cells: []string{"bundle_details", "B100G1"}, why: "invalid cell: bundle_details"},
		{name: "one for one", row: freeRow, cells: []string{"bundle_details", "B1G1"}},
		{
			name: "one for one of one", row: freeRow, cells: []string{"bundle_details", "B1G1"},
			rules: Rules{PromotionRules: PromotionRules{BundleTotal: true}}, why: "invalid cell: bundle_details",
		},
		{name: "no percentage", row: offRow, cells: []string{"bundle_discount", "40%"}, why: "invalid cell: bundle_discount"},
		{name: "nothing off", row: offRow, cells: []string{"bundle_discount", "0"}, why: "invalid cell: bundle_discount"},
		{name: "all off", row: offRow, cells: []string{"bundle_discount", "100"}, why: "invalid cell: bundle_discount"},
		{
			name: "all off where it may be", row: offRow, cells: []string{"bundle_discount", "100"},
			rules: Rules{PromotionRules: PromotionRules{AnyDiscount: true}},
		},
		{name: "the whole price off", row: amountRow, cells: []string{"bundle_discount", "10.50"}, why: RowNotBelow},
		{
			name: "the whole price off where it may be", row: amountRow, cells: []string{"bundle_discount", "10.50"},
			rules: Rules{PromotionRules: PromotionRules{AnyDiscount: true}},
		},

		{name: "sub-type of a strikethrough", row: strikeRow, cells: []string{"promotion_sub_type", "free_item"}, why: RowIdle + " promotion_sub_type"},
		{name: "details of a strikethrough", row: strikeRow, cells: []string{"bundle_details", "B2G1"}, why: RowIdle + " bundle_details"},
		{name: "discount of a strikethrough", row: strikeRow, cells: []string{"bundle_discount", "1"}, why: RowIdle + " bundle_discount"},
		{name: "price of a bundle", row: freeRow, cells: []string{"discounted_price", "5"}, why: RowIdle + " discounted_price"},
		{name: "discount of a free item", row: freeRow, cells: []string{"bundle_discount", "100"}, why: RowIdle + " bundle_discount"},
		{
			name: "idle cells where they may be filled", row: freeRow, cells: []string{"bundle_discount", "x", "discounted_price", "y"},
			rules: Rules{PromotionRules: PromotionRules{IdleCells: true}},
		},

		{name: "usage limit", row: strikeRow, cells: []string{"discount_usage_limit", "x"}, why: "invalid cell: discount_usage_limit"},
		{name: "orders", row: strikeRow, cells: []string{"max_no_of_orders", "1.5"}, why: "invalid cell: max_no_of_orders"},
		{name: "zero is no limit", row: strikeRow, cells: []string{"discount_usage_limit", "0"}},

		{name: "no identifier", row: strikeRow, cells: []string{"sku", ""}, why: RowNoKey},
		{name: "barcode", row: strikeRow, cells: []string{"sku", "", "barcode", "7790001", "discounted_price", "9"}},
		{
			name: "barcode that was not announced", row: strikeRow, cells: []string{"sku", "", "barcode", "7790001", "discounted_price", "9"},
			rules: Rules{NoBarcodes: true}, why: RowBarcodeKey,
		},
		{name: "both identifiers", row: strikeRow, cells: []string{"barcode", "7790001"}, why: RowBothKeys},
		{name: "both identifiers where allowed", row: strikeRow, cells: []string{"barcode", "7790001"}, rules: Rules{BothIdentifiers: true}},
		{name: "unknown sku", row: strikeRow, cells: []string{"sku", "zzz"}, why: RowMissing},
		{name: "unknown barcode", row: strikeRow, cells: []string{"sku", "", "barcode", "123"}, why: RowMissingBar},
		{name: "too few cells", row: "B-2,Semana", why: RowCells},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newPromotionSandbox(t, func(o *Options) { o.Rules = tt.rules })
			job := scanOne(t, s, centroPromotions, promotionsOf(with(t, freeRow, "campaign_name", "Base"), with(t, tt.row, tt.cells...)))
			if job.Status != Completed || job.Rows != 2 {
				t.Fatalf("job is %+v", job)
			}
			var want []string
			if tt.why != "" {
				want = []string{tt.why}
			}
			if diff := cmp.Diff(want, reasons(job)); diff != "" {
				t.Errorf("row errors (-want +got):\n%s", diff)
			}
			if job.Rejected != len(want) || job.Applied != 2-len(want) {
				t.Errorf("%d applied, %d rejected", job.Applied, job.Rejected)
			}
			for _, e := range job.Errors {
				if e.Line != 3 {
					t.Errorf("the error is at line %d", e.Line)
				}
			}
			// The good row beside it counts in any case.
			if got := live(s, "290056", s.opts.Now()); len(got) != 2-len(want) || !strings.HasPrefix(got[0], "A-1 ") {
				t.Errorf("promotions are %v", got)
			}
		})
	}
}

func TestArticleWithoutPrice(t *testing.T) {
	s := newPromotionSandbox(t, func(o *Options) { o.Vendors[0].Articles[0].Price = "" })
	job := scanOne(t, s, centroPromotions, promotionsOf(strikeRow))
	if diff := cmp.Diff([]string{RowNoPrice}, reasons(job)); diff != "" {
		t.Errorf("row errors (-want +got):\n%s", diff)
	}
}

func TestPromotionMaxSales(t *testing.T) {
	text := promotionHead + ",maximum_sales_quantity\n" + strikeRow + ",4\n" + freeRow + ",x\n"
	s := newPromotionSandbox(t, func(o *Options) { o.Rules.MaxSales = true })
	job := scanOne(t, s, centroPromotions, text)
	if diff := cmp.Diff([]string{RowMaxSales}, reasons(job)); diff != "" {
		t.Errorf("row errors (-want +got):\n%s", diff)
	}
	if got := s.Promotions("290056"); len(got) != 1 || got[0].MaxSales != 4 {
		t.Errorf("promotions are %+v", got)
	}
	if got := shelfOf(s, "290056")["B-2"].maxSales; got != 0 {
		t.Errorf("the article's own limit became %d", got)
	}
	strict := newPromotionSandbox(t, nil)
	if job := scanOne(t, strict, centroPromotions, text); job.Status != Failed || job.Reason != ReasonColumn+`: "maximum_sales_quantity"` {
		t.Errorf("a brand without the column: %+v", job)
	}
}

func TestRefusedPromotionFiles(t *testing.T) {
	multi := promotionHead + ",vendors,exclude\n"
	tests := []struct {
		name, file, csv, reason string // an empty reason is a file that is read
		rules                   Rules
	}{
		{name: "unknown column", csv: promotionHead + ",color\n", reason: ReasonColumn + `: "color"`},
		{name: "a catalogue column", csv: promotionHead + ",price\n", reason: ReasonColumn + `: "price"`},
		{name: "no campaign column", csv: strings.Replace(promotionsOf(), "campaign_name,", "", 1), reason: ReasonMissing + `: "campaign_name"`},
		{name: "no type column", csv: strings.Replace(promotionsOf(), "promotion_type,", "", 1), reason: ReasonMissing + `: "promotion_type"`},
		{name: "no identifier", csv: strings.Replace(promotionsOf(), "barcode,sku,", "", 1), reason: ReasonNoKey},
		{name: "byte order mark", csv: "\uFEFF" + promotionsOf(strikeRow), reason: ReasonBOM},
		{name: "case", csv: strings.ToUpper(promotionHead) + "\n" + strikeRow + "\n"},
		{name: "exact header, case", csv: "Barcode" + promotionHead[7:] + "\n", reason: ReasonColumn + `: "Barcode"`, rules: Rules{ExactHeader: true}},
		{name: "exact header", csv: promotionsOf(strikeRow), rules: Rules{ExactHeader: true}},
		{
			name: "exact header, order", csv: "sku,barcode" + promotionHead[11:] + "\n", reason: ReasonColumn + `: "barcode"`,
			rules: Rules{ExactHeader: true},
		},
		{name: "vendors in a single-vendor file", csv: multi, reason: ReasonColumn + `: "vendors"`},
		{name: "no vendors in a multi-vendor file", file: "gondola.csv", csv: promotionsOf(strikeRow), reason: ReasonNoVendors},
		{name: "unknown vendor", file: "gondola_1.csv", csv: promotionsOf(strikeRow), reason: ReasonVendor},
		{name: "digit in a multi-vendor prefix", file: "promo1.csv", csv: multi + strikeRow + ",all,\n", reason: ReasonName},
		{name: "underscore in a multi-vendor prefix", file: "mis_promos.csv", csv: multi + strikeRow + ",all,\n", reason: ReasonVendor},
		{name: "other stores on another row", file: "gondola.csv", csv: multi + strikeRow + ",all,\n" + freeRow + ",290056,\n", reason: ReasonMixed},
		{name: "other exclude on another row", file: "gondola.csv", csv: multi + strikeRow + ",all,\n" + freeRow + ",all,s8ym\n", reason: ReasonMixed},
		{
			name: "other stores where they may be", file: "gondola.csv", csv: multi + strikeRow + ",all,\n" + freeRow + ",290056,\n",
			rules: Rules{PromotionRules: PromotionRules{MixedVendors: true}},
		},
		{name: "as long as it may be", csv: promotionsOf(strikeRow, freeRow), rules: Rules{MaxPromotionRows: 3}},
		{name: "too long with its header", csv: promotionsOf(strikeRow, freeRow, offRow), reason: ReasonTooLong, rules: Rules{MaxPromotionRows: 3}},
		{name: "the catalogue's limit is another", csv: promotionsOf(strikeRow, freeRow), rules: Rules{MaxRows: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newPromotionSandbox(t, func(o *Options) { o.Rules = tt.rules })
			job := scanOne(t, s, "promotions/"+either(tt.file, "gondola_290056.csv"), tt.csv)
			want := Failed
			switch tt.reason {
			case "":
				want = Completed
			case ReasonName:
				want = Ignored
			}
			if job.Status != want || job.Reason != tt.reason {
				t.Errorf("%s, %q, want %s, %q", job.Status, job.Reason, want, tt.reason)
			}
			if got := live(s, "290056", s.opts.Now()); (len(got) > 0) != (want == Completed) {
				t.Errorf("promotions are %v", got)
			}
		})
	}
}

func TestTwentyThousandRows(t *testing.T) {
	for rows, want := range map[int]Status{DefaultMaxPromotionRows - 1: Completed, DefaultMaxPromotionRows: Failed} {
		s := newPromotionSandbox(t, nil)
		var b strings.Builder
		b.WriteString(promotionHead + "\n")
		for i := range rows {
			b.WriteString(strings.Replace(strikeRow, "Semana", "S"+strconv.Itoa(i), 1) + "\n")
		}
		job := scanOne(t, s, centroPromotions, b.String())
		if got := len(s.Promotions("290056")); job.Status != want || (want == Completed) != (got == rows) {
			t.Errorf("%d rows: %s %q, %d promotions", rows, job.Status, job.Reason, got)
		}
	}
}

func TestMultiVendorPromotions(t *testing.T) {
	one := with(t, freeRow, "campaign_name", "Uno")
	off := with(t, one, "campaign_status", "0")
	on := []string{"A-1 2+1 running*"}
	ended := []string{"A-1 2+1 ended"}
	tests := []struct {
		name, scope, next, nextScope string
		loose                        bool
		centro, puerto               []string
		errors                       []RowError
	}{
		{name: "all", scope: ",all,", centro: on, puerto: on},
		{name: "all but one", scope: ",all,s8ym", centro: on},
		{name: "list", scope: `,"290056,s8ym",`, centro: on, puerto: on},
		{name: "unknown", scope: ",zzz,", errors: []RowError{{Line: 2, SKU: "A-1", Vendor: "zzz", Reason: RowVendor}}},
		{name: "none", scope: ",,", errors: []RowError{{Line: 2, SKU: "A-1", Reason: RowNoVendors}}},
		{name: "exclude beside a list", scope: ",290056,s8ym", errors: []RowError{{Line: 2, SKU: "A-1", Reason: RowExclude}}},
		{name: "ended", scope: ",all,", next: off, nextScope: ",all,", centro: ended, puerto: ended},
		{
			name: "ended at one store", scope: ",all,", next: off, nextScope: ",s8ym,", centro: on, puerto: on,
			errors: []RowError{{Line: 2, SKU: "A-1", Vendor: "s8ym", Reason: RowEndChanged}},
		},
		{name: "ended at one store where it can be", scope: ",all,", next: off, nextScope: ",s8ym,", loose: true, centro: on, puerto: ended},
		{
			name: "ended where one store never had it", scope: ",all,s8ym", next: off, nextScope: ",all,s8ym", centro: ended,
		},
		{
			name: "one store more", scope: ",290056,", next: one, nextScope: ",all,", centro: on, puerto: on,
			errors: []RowError{{Line: 2, SKU: "A-1", Vendor: "290056", Reason: RowChanged}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newPromotionSandbox(t, func(o *Options) { o.Rules.LooseVendors, o.Fate = tt.loose, Eat })
			head := promotionHead + ",vendors,exclude\n"
			job := scanOne(t, s, "promotions/gondola.csv", head+one+tt.scope+"\n")
			if tt.next != "" {
				job = scanOne(t, s, "promotions/gondola.csv", head+tt.next+tt.nextScope+"\n")
			}
			if diff := cmp.Diff(tt.errors, job.Errors, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("row errors (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.centro, live(s, "290056", s.opts.Now())); diff != "" {
				t.Errorf("290056 (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.puerto, live(s, "s8ym", s.opts.Now())); diff != "" {
				t.Errorf("s8ym (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPriceIsThatOfEachStore(t *testing.T) {
	s := newPromotionSandbox(t, nil) // A-1 costs 10.5 at 290056 and 11 at s8ym
	job := scanOne(t, s, "promotions/gondola.csv", promotionHead+",vendors\n"+with(t, strikeRow, "sku", "A-1", "discounted_price", "10.75")+",all\n")
	want := []RowError{{Line: 2, SKU: "A-1", Vendor: "290056", Reason: RowNotBelow}}
	if diff := cmp.Diff(want, job.Errors); diff != "" || job.Applied != 1 {
		t.Errorf("%d applied; row errors (-want +got):\n%s", job.Applied, diff)
	}
	if got, _ := s.EffectivePrice("s8ym", "A-1"); got != "10.75" {
		t.Errorf("the price at s8ym is %s", got)
	}
}

func TestLabels(t *testing.T) {
	for _, tt := range []struct{ details, sub, discount, label, total string }{
		{"B2G1", SubTypeFree, "", "2+1", "1+1"},
		{"B1G1", SubTypePercent, "40", "2nd at 40% off", ""},
		{"B2G1", SubTypePercent, "33.5", "3rd at 33.5% off", "2nd at 33.5% off"},
		{"B3G2", SubTypePercent, "50", "3+2, 2 at 50% off", "1+2, 2 at 50% off"},
		{"B10G1", SubTypeAmount, "5.00", "11th at 5 off", "10th at 5 off"},
		{"B20G1", SubTypeAmount, "5", "21st at 5 off", "20th at 5 off"},
	} {
		for total, want := range map[bool]string{false: tt.label, true: tt.total} {
			if want == "" {
				continue
			}
			o := &offer{cells: cells{colType: TypeBundle, colSubType: tt.sub, colDetails: tt.details, colDiscount: tt.discount}}
			if why := o.benefits(o.cells, Rules{PromotionRules: PromotionRules{BundleTotal: total}}); why != "" {
				t.Errorf("%s, %s: %s", tt.details, tt.sub, why)
			}
			if got := o.label(); got != want {
				t.Errorf("%s, %s, total %t: %q, want %q", tt.details, tt.sub, total, got, want)
			}
		}
	}
}

func TestThousandths(t *testing.T) {
	for in, want := range map[string]int64{"": 0, "10.5": 10500, "990": 990000, "0.001": 1, "999999999999.999": 999999999999999} {
		if got := thousandths(in); got != want {
			t.Errorf("thousandths(%q) = %d, want %d", in, got, want)
		}
	}
}

func FuzzPromotions(f *testing.F) {
	f.Add(promotionsOf(strikeRow, freeRow, offRow), "")
	f.Add("sku,price\nA-1,5\n", promotionsOf(strikeRow))
	f.Add(promotionHead+",vendors,exclude\n"+strikeRow+",all,b\n", promotionHead+",vendors,exclude\n"+strikeRow+",\"a,b\",\n")
	at := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, first, second string) {
		rules := Rules{MaxSales: true, SingleFile: true, MaxRows: 100, MaxPromotionRows: 100}
		stores, err := newStores([]Vendor{{ID: "a", Articles: []Article{{SKU: "A-1", Barcode: "1", Price: "10"}, {SKU: "B-2", Price: "120"}}}, {ID: "b"}}, rules)
		if err != nil {
			t.Fatal(err)
		}
		r := &reader{opts: &Options{Rules: rules}, stores: stores}
		for _, k := range []kind{kindPromotions, kindAssortment} {
			for _, text := range []string{first, second, first} {
				for _, vendor := range []string{"", "a"} {
					job := &Job{Vendor: vendor, Status: Completed}
					r.apply(job, k, []byte(text))
					if job.Status == Completed && vendor != "" && job.Applied+job.Rejected != job.Rows {
						t.Errorf("of %d rows, %d were applied and %d rejected", job.Rows, job.Applied, job.Rejected)
					}
				}
			}
		}
		for _, vendor := range []string{"a", "b"} {
			for _, p := range stores.promotions(vendor, at).list {
				if p.Label == "" || !p.End.After(p.Start) || p.SKU == "" || (p.Shown && p.State != Running) {
					t.Errorf("%s has %+v", vendor, p)
				}
			}
		}
	})
}
