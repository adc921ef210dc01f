package sandbox

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	promotionHead = "barcode,sku,campaign_name,reason,start_date,end_date,promotion_type,promotion_sub_type,discount_usage_limit," +
		"bundle_details,bundle_discount,discounted_price,max_no_of_orders,campaign_status"
	centroPromotions = "promotions/gondola_290056.csv"

	// The test's clock stands at noon of 2026-03-01 UTC, within this period.
	strikeRow = ",B-2,Semana,competitiveness,2026-03-01 09:00:00,2026-03-08 09:00:00,strikethrough,,,,,99,999,1"
	freeRow   = ",A-1,3x2,competitiveness,2026-03-01,2026-03-08,same_item_bundle,free_item,,B2G1,,,,"
	offRow    = ",A-1,2do al 40,competitiveness,2026-03-01,2026-03-08,same_item_bundle,percentage_value_off,3,B1G1,40,,,1"
)

// with returns a row with some cells replaced, by column name.
func with(t testing.TB, row string, cells ...string) string {
	t.Helper()
	names, values := strings.Split(promotionHead, ","), strings.Split(row, ",")
	for i := 0; i < len(cells); i += 2 {
		found := false
		for j, name := range names {
			if name == cells[i] {
				values[j], found = cells[i+1], true
			}
		}
		if !found {
			t.Fatalf("no column %s", cells[i])
		}
	}
	return strings.Join(values, ",")
}

// promotionsOf returns a promotion file with rows.
func promotionsOf(rows ...string) string {
	return promotionHead + "\n" + strings.Join(rows, "\n") + "\n"
}

// newPromotionSandbox starts a sandbox that has the folder for promotions too.
func newPromotionSandbox(t testing.TB, change func(*Options)) *Sandbox {
	t.Helper()
	s := newTestSandbox(t, change)
	if err := os.Mkdir(filepath.Join(s.Home(), "promotions"), 0o755); err != nil {
		t.Fatal(err)
	}
	return s
}

// scanOne reads one new file and returns its job.
func scanOne(t testing.TB, s *Sandbox, name, text string) Job {
	t.Helper()
	put(t, s, name, text)
	jobs := s.Scan()
	if len(jobs) != 1 || jobs[0].File != name {
		t.Fatalf("jobs are %+v, want one for %s", jobs, name)
	}
	return jobs[0]
}

// reasons returns the row errors of a job without their places.
func reasons(j Job) (out []string) {
	for _, e := range j.Errors {
		out = append(out, e.Reason)
	}
	return out
}

// live describes the promotions of a store in short, those that run and are shown with an asterisk.
func live(s *Sandbox, vendor string, at time.Time) (out []string) {
	for _, p := range s.PromotionsAt(vendor, at) {
		text := p.SKU + " " + p.Label + " " + string(p.State)
		if p.Shown {
			text += "*"
		}
		out = append(out, text)
	}
	return out
}

func TestPromotionsAreTaken(t *testing.T) {
	s := newPromotionSandbox(t, nil)
	job := scanOne(t, s, centroPromotions, promotionsOf(strikeRow, freeRow, with(t, offRow, "start_date", "2026-03-02")))
	if job.Status != Completed || job.Vendor != "290056" || job.Rows != 3 || job.Applied != 3 || job.Rejected != 0 {
		t.Fatalf("job is %+v", job)
	}
	day := func(d, h int) time.Time { return time.Date(2026, 3, d, h, 0, 0, 0, time.UTC) }
	want := []Promotion{
		{
			SKU: "A-1", Campaign: "3x2", Reason: "competitiveness", Start: day(1, 0), End: day(8, 0), Type: TypeBundle, SubType: SubTypeFree,
			Buy: 2, Benefit: 1, Label: "2+1", File: centroPromotions, State: Running, Shown: true,
		},
		{
			SKU: "A-1", Campaign: "2do al 40", Reason: "competitiveness", Start: day(2, 0), End: day(8, 0), Type: TypeBundle,
			SubType: SubTypePercent, Buy: 1, Benefit: 1, Discount: "40", UsageLimit: 3, Label: "2nd at 40% off", File: centroPromotions,
			State: Coming,
		},
		{
			SKU: "B-2", Campaign: "Semana", Reason: "competitiveness", Start: day(1, 9), End: day(8, 9), Type: TypeStrikethrough, Price: "99",
			MaxOrders: 999, Label: "99", File: centroPromotions, State: Running, Shown: true,
		},
	}
	if diff := cmp.Diff(want, s.Promotions("290056")); diff != "" {
		t.Errorf("promotions (-want +got):\n%s", diff)
	}
	if got := s.Promotions("s8ym"); len(got) != 0 {
		t.Errorf("the other store has %v", got)
	}
	if got := s.Promotions("nobody"); len(got) != 0 {
		t.Errorf("an unknown store has %v", got)
	}
	if diff := cmp.Diff(untouched(), shelfOf(s, "290056"), cmp.AllowUnexported(shown{})); diff != "" {
		t.Errorf("promotions changed the shelf (-want +got):\n%s", diff)
	}
}

func TestStatesAndEffectivePrice(t *testing.T) {
	s := newPromotionSandbox(t, nil)
	later := with(t, strikeRow, "campaign_name", "Finde", "start_date", "2026-03-05", "end_date", "2026-03-07", "discounted_price", "80")
	scanOne(t, s, centroPromotions, promotionsOf(later, strikeRow))
	for _, tt := range []struct {
		at, price string
		want      []string
	}{
		{"2026-03-01 08:59:59", "120", []string{"B-2 99 coming", "B-2 80 coming"}},
		{"2026-03-01 09:00:00", "99", []string{"B-2 99 running*", "B-2 80 coming"}},
		{"2026-03-05 00:00:00", "80", []string{"B-2 99 running", "B-2 80 running*"}},
		{"2026-03-07 00:00:00", "99", []string{"B-2 99 running*", "B-2 80 over"}},
		{"2026-03-08 09:00:00", "120", []string{"B-2 99 over", "B-2 80 over"}},
	} {
		at, err := time.Parse(time.DateTime, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, live(s, "290056", at)); diff != "" {
			t.Errorf("at %s (-want +got):\n%s", tt.at, diff)
		}
		if got, ok := s.EffectivePriceAt("290056", "B-2", at); !ok || got != tt.price {
			t.Errorf("at %s the price is %s, %t, want %s", tt.at, got, ok, tt.price)
		}
	}
	if got, ok := s.EffectivePrice("290056", "B-2"); !ok || got != "99" {
		t.Errorf("now the price is %s, %t", got, ok)
	}
	if got, ok := s.EffectivePrice("290056", "none"); ok {
		t.Errorf("an unknown article costs %s", got)
	}
	scanOne(t, s, centroPromotions, promotionsOf(with(t, later, "campaign_status", "0"), freeRow))
	at := time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)
	if diff := cmp.Diff([]string{"A-1 2+1 running*", "B-2 99 running*", "B-2 80 ended"}, live(s, "290056", at)); diff != "" {
		t.Errorf("after an end (-want +got):\n%s", diff)
	}
	if got, _ := s.EffectivePriceAt("290056", "A-1", at); got != "10.5" {
		t.Errorf("a bundle changed the price of one unit to %s", got)
	}
}

func TestOverlapsOfOneStart(t *testing.T) {
	for earlier, want := range map[bool][]string{
		false: {"B-2 99 running", "B-2 80 running*"},
		true:  {"B-2 99 running*", "B-2 80 running"},
	} {
		s := newPromotionSandbox(t, func(o *Options) { o.Rules.EarlierShown = earlier })
		scanOne(t, s, centroPromotions, promotionsOf(strikeRow))
		scanOne(t, s, centroPromotions, promotionsOf(with(t, strikeRow, "campaign_name", "Afuera", "discounted_price", "80")))
		if diff := cmp.Diff(want, live(s, "290056", s.opts.Now())); diff != "" {
			t.Errorf("earlier %t (-want +got):\n%s", earlier, diff)
		}
	}
}

func TestLifeOfAPromotion(t *testing.T) {
	off := func(row string) string { return with(t, row, "campaign_status", "0") }
	lower := with(t, strikeRow, "discounted_price", "90")
	bundle := with(t, strikeRow, "promotion_type", "same_item_bundle", "promotion_sub_type", "free_item", "bundle_details", "B2G1",
		"discounted_price", "")
	type step struct {
		row  string
		why  string // of the row error
		want []string
	}
	const on, ended = "B-2 99 running*", "B-2 99 ended"
	started := step{strikeRow, "", []string{on}}
	tests := []struct {
		name  string
		rules PromotionRules
		steps []step
	}{
		{"resent unchanged", PromotionRules{}, []step{started, {strikeRow, "", []string{on}}}},
		{"status left out", PromotionRules{}, []step{started, {with(t, strikeRow, "campaign_status", ""), "", []string{on}}}},
		{"ended", PromotionRules{}, []step{started, {off(strikeRow), "", []string{ended}}, {off(strikeRow), "", []string{ended}}}},
		{"end of nothing", PromotionRules{}, []step{{off(strikeRow), RowNoPromotion, nil}}},
		{"end with another price", PromotionRules{}, []step{started, {off(lower), RowEndChanged, []string{on}}}},
		{"end in other digits", PromotionRules{}, []step{started, {off(with(t, strikeRow, "discounted_price", "99.0")), RowEndChanged, []string{on}}}},
		{"end with another reason", PromotionRules{}, []step{started, {off(with(t, strikeRow, "reason", "trading")), RowEndChanged, []string{on}}}},
		{"end with another limit", PromotionRules{}, []step{started, {off(with(t, strikeRow, "max_no_of_orders", "")), RowEndChanged, []string{on}}}},
		{"end with another campaign", PromotionRules{}, []step{started, {off(with(t, strikeRow, "campaign_name", "semana")), RowNoPromotion, []string{on}}}},
		{"end with another end", PromotionRules{}, []step{started, {off(with(t, strikeRow, "end_date", "2026-03-08")), RowNoPromotion, []string{on}}}},
		{"changed", PromotionRules{}, []step{started, {lower, RowChanged, []string{on}}}},
		{"changed where that is an update", PromotionRules{UpdateInPlace: true}, []step{started, {lower, "", []string{"B-2 90 running*"}}}},
		{"ended, then started again", PromotionRules{}, []step{started, {off(strikeRow), "", []string{ended}}, {strikeRow, "", []string{on}}}},
		{"ended, then started with another price", PromotionRules{}, []step{started, {off(strikeRow), "", []string{ended}}, {lower, "", []string{"B-2 90 running*"}}}},
		{
			"ended for good",
			PromotionRules{EndIsFinal: true},
			[]step{started, {off(strikeRow), "", []string{ended}}, {strikeRow, RowEnded, []string{ended}}, {lower, RowEnded, []string{ended}}},
		},
		{"another type is another promotion", PromotionRules{}, []step{started, {bundle, "", []string{"B-2 99 running", "B-2 2+1 running*"}}}},
		{"another type is the same promotion", PromotionRules{BriefIdentity: true}, []step{started, {bundle, RowChanged, []string{on}}}},
		{"too dear by now", PromotionRules{}, []step{{with(t, strikeRow, "discounted_price", "120"), RowNotBelow, nil}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newPromotionSandbox(t, func(o *Options) { o.Rules.PromotionRules = tt.rules; o.Fate = Eat })
			for i, st := range tt.steps {
				job := scanOne(t, s, centroPromotions, promotionsOf(st.row))
				var want []string
				if st.why != "" {
					want = []string{st.why}
				}
				if diff := cmp.Diff(want, reasons(job)); diff != "" {
					t.Errorf("step %d: row errors (-want +got):\n%s", i+1, diff)
				}
				if diff := cmp.Diff(st.want, live(s, "290056", s.opts.Now())); diff != "" {
					t.Errorf("step %d: promotions (-want +got):\n%s", i+1, diff)
				}
			}
		})
	}
}

func TestPriceFallsBelowAPromotion(t *testing.T) {
	for _, switched := range []bool{false, true} {
		s := newPromotionSandbox(t, func(o *Options) {
			o.Fate = Eat
			o.Rules.PromotionRules = PromotionRules{PriceWithEnds: switched, RaisedPrice: switched}
		})
		scanOne(t, s, centroPromotions, promotionsOf(strikeRow))
		if err := s.SetPrice("290056", "B-2", "98.5"); err != nil {
			t.Fatal(err)
		}
		price, why, state := "98.5", []string(nil), Ended
		if switched {
			price, why, state = "99", []string{RowNotBelow}, Running
		}
		if got, _ := s.EffectivePrice("290056", "B-2"); got != price {
			t.Errorf("switched %t: the price is %s, want %s", switched, got, price)
		}
		if diff := cmp.Diff(why, reasons(scanOne(t, s, centroPromotions, promotionsOf(strikeRow)))); diff != "" {
			t.Errorf("switched %t: unchanged row (-want +got):\n%s", switched, diff)
		}
		job := scanOne(t, s, centroPromotions, promotionsOf(with(t, strikeRow, "campaign_status", "0")))
		if diff := cmp.Diff(why, reasons(job)); diff != "" {
			t.Errorf("switched %t: end (-want +got):\n%s", switched, diff)
		}
		if got := s.Promotions("290056")[0].State; got != state {
			t.Errorf("switched %t: it is %s, want %s", switched, got, state)
		}
	}
}

func TestTwoRowsAboutOnePromotion(t *testing.T) {
	off := with(t, strikeRow, "campaign_status", "0")
	for _, tt := range []struct {
		name  string
		rows  []string
		first bool
		want  []string
		why   []string
	}{
		{"last wins", []string{strikeRow, off}, false, []string{"B-2 99 ended"}, nil},
		{"last wins, the other way", []string{strikeRow, off, strikeRow}, false, []string{"B-2 99 running*"}, nil},
		{"first wins", []string{strikeRow, off}, true, []string{"B-2 99 running*"}, nil},
		{"other values", []string{strikeRow, with(t, strikeRow, "reason", "x")}, false, []string{"B-2 99 running*"}, []string{RowChanged}},
		{"a rejected row does not win", []string{off, strikeRow}, true, []string{"B-2 99 running*"}, []string{RowNoPromotion}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newPromotionSandbox(t, func(o *Options) { o.Rules.FirstRowWins = tt.first })
			job := scanOne(t, s, centroPromotions, promotionsOf(tt.rows...))
			if diff := cmp.Diff(tt.want, live(s, "290056", s.opts.Now())); diff != "" {
				t.Errorf("promotions (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.why, reasons(job)); diff != "" {
				t.Errorf("row errors (-want +got):\n%s", diff)
			}
		})
	}
}

func TestZones(t *testing.T) {
	montevideo, err := time.LoadLocation("America/Montevideo")
	if err != nil {
		t.Fatal(err)
	}
	bogota, err := time.LoadLocation("America/Bogota")
	if err != nil {
		t.Fatal(err)
	}
	row := ",A-1,Semana,competitiveness,2026-03-01 09:00:00,2026-03-08,strikethrough,,,,,5,,"
	for _, tt := range []struct {
		name                       string
		utc, endDay                bool
		centro, puerto, puertoOver string // in UTC
	}{
		{"local time of each store", false, false, "2026-03-01 12:00:00", "2026-03-01 14:00:00", "2026-03-08 05:00:00"},
		{"UTC", true, false, "2026-03-01 09:00:00", "2026-03-01 09:00:00", "2026-03-08 00:00:00"},
		{"the last day counts", false, true, "2026-03-01 12:00:00", "2026-03-01 14:00:00", "2026-03-09 05:00:00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newPromotionSandbox(t, func(o *Options) {
				o.Zone, o.Vendors[1].Zone = montevideo, bogota
				o.Rules.UTCDates, o.Rules.EndDayCounts = tt.utc, tt.endDay
			})
			scanOne(t, s, "promotions/gondola.csv", promotionHead+",vendors\n"+row+",all\n")
			centro, puerto := s.Promotions("290056")[0], s.Promotions("s8ym")[0]
			for _, c := range []struct {
				what, want string
				got        time.Time
			}{
				{"start at 290056", tt.centro, centro.Start}, {"start at s8ym", tt.puerto, puerto.Start}, {"end at s8ym", tt.puertoOver, puerto.End},
			} {
				if got := c.got.UTC().Format(time.DateTime); got != c.want {
					t.Errorf("%s is %s, want %s", c.what, got, c.want)
				}
			}
			if !tt.utc && (centro.Start.Location() != montevideo || puerto.Start.Location() != bogota) {
				t.Errorf("dates are in %s and %s", centro.Start.Location(), puerto.Start.Location())
			}
		})
	}
}

func TestAddArticle(t *testing.T) {
	s := newPromotionSandbox(t, func(o *Options) { o.Fate = Eat })
	text := promotionsOf(strings.Replace(strikeRow, "B-2", "N-1", 1))
	if diff := cmp.Diff([]string{RowMissing}, reasons(scanOne(t, s, centroPromotions, text))); diff != "" {
		t.Errorf("before (-want +got):\n%s", diff)
	}
	if err := s.AddArticle("290056", Article{SKU: "N-1", Barcode: "77", Price: "120.0", Active: true}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string(nil), reasons(scanOne(t, s, centroPromotions, text))); diff != "" {
		t.Errorf("after (-want +got):\n%s", diff)
	}
	scanOne(t, s, centroFile, "barcode,price\n077,130\n")
	if got := shelfOf(s, "290056")["N-1"].price; got != "130" {
		t.Errorf("its price by barcode is %s", got)
	}
	for name, bad := range map[string]struct {
		vendor string
		Article
	}{
		"store": {"nobody", Article{SKU: "x"}}, "twice": {"290056", Article{SKU: "N-1"}}, "price": {"290056", Article{SKU: "y", Price: "1,0"}},
	} {
		if err := s.AddArticle(bad.vendor, bad.Article); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
}

func TestPromotionsAreCopied(t *testing.T) {
	s := newPromotionSandbox(t, nil)
	scanOne(t, s, centroPromotions, promotionsOf(strikeRow))
	before := s.Promotions("290056")
	before[0].Price = "1"
	if got := s.Promotions("290056")[0].Price; got != "99" {
		t.Errorf("changing the answer changed the store: %s", got)
	}
}

func TestRulesByName(t *testing.T) {
	names := RuleNames()
	for _, want := range []string{"end-day-counts", "utc-dates", "single-file", "update-in-place", "first-row-wins"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not among %v", want, names)
		}
	}
	var r Rules
	for _, name := range names {
		if err := r.Set(name); err != nil {
			t.Error(err)
		}
	}
	if !r.UTCDates || !r.EndDayCounts || !r.SingleFile || !r.FirstRowWins || r.MaxRows != 0 {
		t.Errorf("all of them set: %+v", r)
	}
	if err := r.Set("max-rows"); err == nil || !strings.Contains(err.Error(), "utc-dates") {
		t.Errorf("a number is taken for a switch, or the choices are not told: %v", err)
	}
}
