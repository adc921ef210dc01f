package shelf

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/catalog"
)

// rowBrakeCase is a shelf whose prices move.
type rowBrakeCase struct {
	name                         string
	sent, wanted, unsettled      table
	approved, rejected, speaking table
	full                         bool

	rows table // that leave, by key, with their price; nil: no plan
	want []Finding
}

func costing(kv ...any) table {
	file := table{}
	for i := 0; i < len(kv); i += 2 {
		key := kv[i].(string)
		file[key] = Record{Key: key, Item: catalog.Item{Set: catalog.Price, Price: catalog.Money(1000 * kv[i+1].(int))}}
	}
	return file
}

// scaled makes a shelf of n articles with prices that are by times as high.
func scaled(n int, by float64) table {
	return stall(n, func(i int) (catalog.Money, int64) {
		return catalog.Money(float64(1000*(i+100)) * by).Round(2), 0
	})
}

func TestRowBrake(t *testing.T) {
	off := func(file table, key string) table {
		file = maps.Clone(file)
		r := file[key]
		r.Item.Set |= catalog.Active
		file[key] = r
		return file
	}
	deep := func(count, of int, worst ...Move) []Finding {
		return []Finding{{Code: catalog.BrakePrice, Share: float64(count) / float64(of), Count: count, Of: of, Limit: 0.4, Worst: worst}}
	}
	because := func(f []Finding, kind, factor string) []Finding {
		f[0].Cause = Cause{kind, factor}
		return f
	}
	for _, tc := range []rowBrakeCase{
		{
			name: "within the limit", sent: costing("a", 100, "b", 100), wanted: costing("a", 140, "b", 60),
			rows: costing("a", 140, "b", 60),
		},
		{
			name: "beyond it, the rest goes", sent: costing("a", 100, "b", 100, "c", 100), wanted: costing("a", 141, "b", 59, "c", 101),
			rows: costing("c", 101), want: deep(2, 3, Move{Key: "b", Old: 100000, New: 59000}, Move{Key: "a", Old: 100000, New: 141000}),
		},
		{
			name: "a hundredfold", sent: costing("a", 10), wanted: costing("a", 1000),
			want: because(deep(1, 1, Move{Key: "a", Old: 10000, New: 1000000}), CauseDecimals, "100"),
		},
		{
			name: "only the price is held", sent: costing("a", 100), wanted: off(costing("a", 500), "a"), rows: off(costing("a", 100), "a"),
			want: deep(1, 1, Move{Key: "a", Old: 100000, New: 500000}),
		},
		{name: "a new article has no price to compare with", sent: costing("a", 1), wanted: costing("a", 1, "b", 9999), rows: costing("b", 9999)},
		{
			name: "a full plan says what was sent", sent: costing("a", 100, "b", 1), wanted: costing("a", 500, "b", 1), full: true,
			rows: costing("a", 100, "b", 1), want: deep(1, 2, Move{Key: "a", Old: 100000, New: 500000}),
		},
		{name: "approved", sent: costing("a", 100), wanted: costing("a", 500), approved: costing("a", 500), rows: costing("a", 500)},
		{name: "less than what was approved", sent: costing("a", 100), wanted: costing("a", 450), approved: costing("a", 500), rows: costing("a", 450)},
		{
			name: "worse than what was approved", sent: costing("a", 100), wanted: costing("a", 501), approved: costing("a", 500),
			want: deep(1, 1, Move{Key: "a", Old: 100000, New: 501000}),
		},
		{
			name: "approved up, gone down", sent: costing("a", 100), wanted: costing("a", 20), approved: costing("a", 500),
			want: deep(1, 1, Move{Key: "a", Old: 100000, New: 20000}),
		},
		{name: "rejected, not asked again", sent: costing("a", 100), wanted: costing("a", 500), rejected: costing("a", 500)},
		{
			name: "rejected, then another one", sent: costing("a", 100), wanted: costing("a", 501), rejected: costing("a", 500),
			want: deep(1, 1, Move{Key: "a", Old: 100000, New: 501000}),
		},
		{name: "what began to leave has passed", sent: costing("a", 100), unsettled: costing("a", 500), wanted: costing("a", 500), rows: costing("a", 500)},
		{
			name: "held beside what other exports say", sent: costing("a", 100, "b", 100), wanted: costing("a", 500, "b", 500), speaking: costing("b", 1),
			want: deep(1, 2, Move{Key: "b", Old: 100000, New: 500000}),
		},
		{name: "decided about an article that is gone", sent: costing("a", 100), wanted: costing("a", 100), approved: costing("x", 5), rejected: costing("y", 5)},
	} {
		t.Run(tc.name, func(t *testing.T) { tc.run(t, Brake{PriceChange: 0.4, SameFactor: 0.6, MinRows: 50}) })
	}
}

// run plans, and holds Plan, Rows and Diff against each other and against the case.
func (tc rowBrakeCase) run(t *testing.T, brake Brake) {
	t.Helper()
	files := newTestFiles(t)
	stack := func(file table) []Digest {
		if file == nil {
			return nil
		}
		return []Digest{write(t, files, file)}
	}
	q := Question{
		Wanted: stack(tc.wanted), Sent: stack(tc.sent), Unsettled: stack(tc.unsettled), Approved: stack(tc.approved),
		Rejected: stack(tc.rejected), Of: stack(tc.speaking), Full: tc.full, Brake: &brake, Decimals: 2,
	}
	s, err := files.Plan(q)
	if err != nil {
		t.Fatal(err)
	}
	var planned, walked []Record
	for _, p := range s.Parts {
		planned = append(planned, read(t, files, []Digest{p.Digest})...)
	}
	want := slices.SortedFunc(maps.Values(tc.rows), func(a, b Record) int { return strings.Compare(a.Key, b.Key) })
	if diff := cmp.Diff(want, planned); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	looked, err := files.Rows(q, func(row, _ Record, _ bool) error { walked = append(walked, row); return nil })
	if err != nil || len(s.Parts) > 0 && !cmp.Equal(planned, walked) {
		t.Errorf("Rows gives %v, %v; Plan %v", walked, err, planned)
	}
	if counted, err := files.Diff(q); err != nil || !cmp.Equal(counted, looked) {
		t.Errorf("Diff %+v, %v; Rows %+v", counted, err, looked)
	}
	held := 0
	for i, f := range s.Findings {
		held += f.Count
		kept := read(t, files, []Digest{f.Rows})
		if len(kept) != f.Count {
			t.Errorf("finding %s keeps %d rows, want %d", f.Code, len(kept), f.Count)
		}
		for _, r := range kept {
			if r.Item.Price != tc.wanted[r.Key].Item.Price {
				t.Errorf("finding %s keeps %v; want it as it is wanted", f.Code, r)
			}
		}
		s.Findings[i].Rows = ""
	}
	if diff := cmp.Diff(tc.want, s.Findings); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if s.Held != held {
		t.Errorf("Held is %d, want %d", s.Held, held)
	}
	if diff := cmp.Diff(s.Findings, looked.Findings); diff != "" {
		t.Errorf("findings of Rows (-Plan +Rows):\n%s", diff)
	}
}

// TestRowBrakeSameFactor is about a factor that is too small to be noticed in one price.
func TestRowBrakeSameFactor(t *testing.T) {
	brake := Brake{PriceChange: 0.4, SameFactor: 0.6, MinRows: 50}
	held := func(count, of int, kind, factor string) []Finding {
		return []Finding{{
			Code: catalog.BrakeFactor, Share: float64(count) / float64(of), Count: count, Of: of, Limit: 0.6, Cause: Cause{kind, factor},
		}}
	}
	part := func(n, all int, by float64) table {
		file := scaled(all, 1)
		maps.Copy(file, scaled(n, by))
		return file
	}
	for _, tc := range []struct {
		name         string
		sent, wanted table
		leaves       int
		want         []Finding
	}{
		{"the tax is put on", scaled(100, 1), scaled(100, 1.21), 0, held(100, 100, CauseVATOn, "1.21")},
		{"the tax is taken out", scaled(100, 1.22), scaled(100, 1), 0, held(100, 100, CauseVATOut, "1.22")},
		{"six of ten are allowed", scaled(100, 1), part(60, 100, 1.19), 60, nil},
		{"one more is not", scaled(100, 1), part(61, 100, 1.19), 0, held(61, 100, CauseVATOn, "1.19")},
		{"a rise that is no tax", scaled(100, 1), scaled(100, 1.07), 100, nil},
		{"few articles", scaled(49, 1), scaled(49, 1.21), 49, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := newTestFiles(t)
			q := Question{Wanted: []Digest{write(t, files, tc.wanted)}, Sent: []Digest{write(t, files, tc.sent)}, Brake: &brake, Decimals: 2}
			s, err := files.Plan(q)
			if err != nil {
				t.Fatal(err)
			}
			leaves := 0
			for _, p := range s.Parts {
				leaves += p.Rows
			}
			if leaves != tc.leaves {
				t.Errorf("%d rows leave, want %d", leaves, tc.leaves)
			}
			looked, err := files.Diff(q)
			if err != nil || looked.Differs != tc.leaves {
				t.Errorf("Diff %+v, %v", looked, err)
			}
			for i := range s.Findings {
				s.Findings[i].Rows, s.Findings[i].Worst = "", nil
			}
			if diff := cmp.Diff(tc.want, s.Findings); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRowBrakeNamesTheSlip takes every factor, with the rounding of prices and a shelf of cheap and dear articles.
func TestRowBrakeNamesTheSlip(t *testing.T) {
	for i, f := range factors {
		for _, old := range []catalog.Money{1990, 10500, 99900, 123450, 15_999_000} {
			now := catalog.Money(float64(old) * f.by).Round(2)
			if now < 100 {
				continue // a few cents may be anything
			}
			if at := slip(old, now, 2); at != i {
				t.Errorf("%s to %s: factor %v, want %v", old, now, fmt.Sprint(at), f.Cause)
			}
		}
	}
}

// TestRowBrakePromotions is about offers that are too good to be meant.
func TestRowBrakePromotions(t *testing.T) {
	brake := Brake{PriceChange: 0.4, Discount: 0.7, Unknown: true, SameFactor: 1}
	files := newTestFiles(t)
	offer := func(key string, change func(*catalog.Promotion)) Record {
		p := catalog.Promotion{
			SKU: key, Campaign: "Semana", Reason: "x", Start: noon, End: noon + 86400, Type: catalog.Strikethrough, Price: 50000, Active: true,
		}
		change(&p)
		return Record{Key: PromotionKey(key, p), Promotion: &p}
	}
	cheap := offer("a", func(p *catalog.Promotion) { p.Price = 29000 })
	fair := offer("b", func(p *catalog.Promotion) { p.Price = 30000 })
	stranger := offer("z", func(*catalog.Promotion) {})
	bundle := offer("c", func(p *catalog.Promotion) {
		p.Type, p.Price, p.Benefit, p.Buy, p.Get = catalog.SameItemBundle, 0, catalog.FreeItem, 1, 3
	})
	half := offer("d", func(p *catalog.Promotion) {
		p.Type, p.Price, p.Benefit, p.Buy, p.Get = catalog.SameItemBundle, 0, catalog.FreeItem, 1, 1
	})
	wanted := table{}
	for _, r := range []Record{cheap, fair, stranger, bundle, half} {
		wanted[r.Key] = r
	}
	q := Question{
		Wanted: []Digest{write(t, files, wanted)}, Prices: []Digest{write(t, files, costing("a", 100, "b", 100, "c", 100, "d", 100))},
		Now: noon, Decimals: 2, Brake: &brake,
	}
	s, err := files.Plan(q)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, r := range read(t, files, []Digest{s.Parts[0].Digest}) {
		keys = append(keys, ItemKey(r.Key))
	}
	if !slices.Equal(keys, []string{"b", "d"}) {
		t.Errorf("started %v, want b and d", keys)
	}
	if len(s.Findings) != 2 || s.Findings[0].Code != catalog.BrakeDeep || s.Findings[0].Count != 2 || s.Findings[1].Code != catalog.BrakeUnknown ||
		s.Unstarted != 3 || s.Withheld != nil {
		t.Errorf("summary %+v", s)
	}
	approved := []Digest{s.Findings[0].Rows, s.Findings[1].Rows}
	q.Approved = approved
	if s, err = files.Plan(q); err != nil || s.Rows != 5 || s.Findings != nil {
		t.Errorf("approved: %+v, %v", s, err)
	}
	q.Approved, q.Rejected = nil, approved
	if s, err = files.Plan(q); err != nil || s.Rows != 2 || s.Findings != nil || s.Unstarted != 3 {
		t.Errorf("rejected: %+v, %v", s, err)
	}

	// What runs goes on where the offer in its place is held.
	running := offer("a", func(p *catalog.Promotion) { p.Price = 90000 })
	q = Question{Wanted: q.Wanted, Sent: []Digest{write(t, files, table{running.Key: running})}, Prices: q.Prices, Now: noon, Decimals: 2, Brake: &brake}
	ends := 0
	if _, err := files.Rows(q, func(row, _ Record, _ bool) error {
		if row.Promotion != nil && !row.Promotion.Active {
			ends++
		}
		return nil
	}); err != nil || ends != 0 {
		t.Errorf("%d end, %v; want the running one to go on", ends, err)
	}
}

// TestRowBrakePromotionPrices: an offer is held against the price that the platform shows, not against one that is held.
func TestRowBrakePromotionPrices(t *testing.T) {
	brake := Brake{PriceChange: 0.4, Discount: 0.7, SameFactor: 1}
	files := newTestFiles(t)
	p := catalog.Promotion{
		SKU: "a", Campaign: "Semana", Reason: "x", Start: noon, End: noon + 86400, Type: catalog.Strikethrough, Percent: 20_000, Active: true,
	}
	r := Record{Key: PromotionKey("a", p), Promotion: &p}
	q := Question{
		Wanted: []Digest{write(t, files, table{r.Key: r})}, Prices: []Digest{write(t, files, costing("a", 1000))},
		Catalog: &CatalogShelf{Sent: []Digest{write(t, files, costing("a", 100))}}, Now: noon, Decimals: 2, Brake: &brake,
	}
	var got catalog.Money
	if _, err := files.Rows(q, func(row, _ Record, _ bool) error { got = row.Promotion.Price; return nil }); err != nil {
		t.Fatal(err)
	}
	if got != 80_000 {
		t.Errorf("the offer costs %s, want 80: a fifth off the 100 that customers see", got)
	}
}

// TestRowBrakeWithPromotions holds what the brake does about promotions against the rules that plans have for them: which of them give
// way, and which price they are held against.
func TestRowBrakeWithPromotions(t *testing.T) {
	for _, tc := range []struct {
		name                                                   string
		wanted, sent, unsettled, prices                        string
		approved, rejected                                     string
		catalogSent, catalogApproved, catalogLeft, catalogAway string
		clock                                                  time.Duration
		rows, held                                             string // held: code and rows
		overlap                                                int
	}{
		{
			name:   "the price of an offer is that of the approved price",
			wanted: "k:40, k/A=20%", sent: "k:100", approved: "k:40", rows: "k:40, k/A=20%@32",
		},
		{
			name:   "that which began to leave",
			wanted: "k:40, k/A=20%", sent: "k:100", unsettled: "k:40", rows: "k:40, k/A=20%@32",
		},
		{
			name:   "not of one that somebody rejected",
			wanted: "k:121, k/A=20%", sent: "k:100", rejected: "k:121", rows: "k/A=20%@80",
		},
		{name: "in two files, approved", wanted: "k/A=20%", prices: "k:40", catalogSent: "k:100", catalogApproved: "k:40", rows: "k/A=20%@32"},
		{name: "in two files, on its way", wanted: "k/A=20%", prices: "k:40", catalogSent: "k:100", catalogLeft: "k:40", rows: "k/A=20%@32"},
		{name: "in two files, rejected", wanted: "k/A=20%", prices: "k:121", catalogSent: "k:100", catalogAway: "k:121", rows: "k/A=20%@80"},
		{
			name:   "what runs on while its change is held has its place",
			wanted: "k/A=100, k/C=800", sent: "k/A=900", prices: "k:1000", rows: "k/A=900 off", held: "G-BRAKE-12 k/A=100", overlap: 1,
		},
		{
			name:   "what gives way is nobody's to look at",
			wanted: "k/A=100, k/C=50", sent: "k/A=100", prices: "k:1000", approved: "k/C=50", rows: "k/A=100 off", overlap: 1,
		},
		{
			name:   "several of an article are held in any order",
			wanted: "k/A=900, k/Z=900 off", sent: "k/Z=900", prices: "k:1000", clock: 5 * time.Minute, held: "G-BRAKE-14 k/A=900, k/Z=900 off",
		},
		{
			name:   "an end that somebody rejected is not asked about again",
			wanted: "k/Z=900 off", sent: "k/Z=900", prices: "k:1000", rejected: "k/Z=900 off", clock: 5 * time.Minute,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := newTestFiles(t)
			stack := func(text string) []Digest { return stackOf(t, files, text) }
			q := Question{
				Wanted: stack(tc.wanted), Sent: stack(tc.sent), Unsettled: stack(tc.unsettled), Prices: stack(tc.prices),
				Approved: stack(tc.approved), Rejected: stack(tc.rejected), Now: noon, Decimals: 2, Clock: tc.clock,
				Brake: &Brake{PriceChange: 0.4, SameFactor: 0.6, MinRows: 50, Discount: 0.85},
			}
			if tc.catalogSent != "" {
				q.Catalog = &CatalogShelf{
					Sent: stack(tc.catalogSent), Unsettled: stack(tc.catalogLeft), Approved: stack(tc.catalogApproved), Rejected: stack(tc.catalogAway),
				}
			}
			s, err := files.Plan(q)
			if err != nil {
				t.Fatal(err)
			}
			var rows []Record
			for _, p := range s.Parts {
				rows = append(rows, read(t, files, []Digest{p.Digest})...)
			}
			held := ""
			for _, f := range s.Findings {
				held += string(f.Code) + " " + shorts(read(t, files, []Digest{f.Rows}))
			}
			if shorts(rows) != tc.rows || held != tc.held || s.Withheld[catalog.PromoOverlap] != tc.overlap {
				t.Errorf("rows %s, held %s, %d give way\nwant %s, held %s, %d", shorts(rows), held, s.Withheld[catalog.PromoOverlap],
					tc.rows, tc.held, tc.overlap)
			}
		})
	}
}

// TestRowBrakeComparesWithWhatLeft: what began to leave is what the platform may show, and is all there is before a first plan is whole.
func TestRowBrakeComparesWithWhatLeft(t *testing.T) {
	held := func(old, now int) []Finding {
		m := Move{Key: "a", Old: catalog.Money(1000 * old), New: catalog.Money(1000 * now)}
		return []Finding{{Code: catalog.BrakePrice, Share: 1, Count: 1, Of: 1, Limit: 0.4, Worst: []Move{m}}}
	}
	for _, tc := range []rowBrakeCase{
		{name: "held, it stays what left last", sent: costing("a", 100), unsettled: costing("a", 130), wanted: costing("a", 500), rows: costing("a", 130), want: held(130, 500)},
		{name: "before anything arrived", unsettled: costing("a", 101), wanted: costing("a", 777), rows: costing("a", 101), want: held(101, 777)},
		{name: "back to what was sent", sent: costing("a", 100), unsettled: costing("a", 500), wanted: costing("a", 101), rows: costing("a", 101)},
	} {
		t.Run(tc.name, func(t *testing.T) { tc.run(t, Brake{PriceChange: 0.4, SameFactor: 0.6, MinRows: 50}) })
	}
}
