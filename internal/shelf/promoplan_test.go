package shelf

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/catalog"
)

// promoCase is a question about promotions and what must come out, in the short form of offered.
type promoCase struct {
	name                            string
	wanted, sent, unsettled, prices string
	full                            bool
	rows                            string // "" and not full: no plan
	differs                         int
	change                          Change
	waiting                         int
	noPrice, notBelow, overlap      int
}

func (tc promoCase) question(t *testing.T, files Files) Question {
	t.Helper()
	return Question{
		Wanted: stackOf(t, files, tc.wanted), Sent: stackOf(t, files, tc.sent), Unsettled: stackOf(t, files, tc.unsettled),
		Prices: stackOf(t, files, tc.prices), Full: tc.full, Now: noon, Decimals: 2,
	}
}

// run plans, and holds Plan, Rows and Diff against each other and against the case.
func (tc promoCase) run(t *testing.T) {
	files := newTestFiles(t)
	q := tc.question(t, files)
	s, err := files.Plan(q)
	if err != nil {
		t.Fatal(err)
	}
	var got, walked []Record
	promotions := 0
	for _, p := range s.Parts {
		got = append(got, read(t, files, []Digest{p.Digest})...)
		promotions += p.Promotions
	}
	if shorts(got) != tc.rows {
		t.Errorf("rows %s\nwant %s", shorts(got), tc.rows)
	}
	if promotions != strings.Count(tc.rows, "=") {
		t.Errorf("%d rows are promotions, want %d", promotions, strings.Count(tc.rows, "="))
	}
	differs := 0
	rows, err := files.Rows(q, func(row, sent Record, d bool) error {
		walked = append(walked, row)
		if d {
			differs++
		}
		if sent.Promotion != nil && sent.Key != row.Key {
			t.Errorf("%s comes with %s as sent", short(row), short(sent))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Parts) > 0 {
		if diff := cmp.Diff(got, walked); diff != "" {
			t.Errorf("Rows (-Plan +Rows):\n%s", diff)
		}
	}
	if counts, err := files.Diff(q); err != nil || !cmp.Equal(counts, rows) || rows.Differs != differs {
		t.Errorf("Diff %+v, Rows %+v with %d that differ, %v", counts, rows, differs, err)
	}
	if s.Differs != tc.differs || s.Waiting != tc.waiting || s.Withheld[catalog.PromoNoPrice] != tc.noPrice ||
		s.Withheld[catalog.PromoNotBelow] != tc.notBelow || s.Withheld[catalog.PromoOverlap] != tc.overlap {
		t.Errorf("summary %+v, want %d that differ, %d waiting, %d without price, %d not below, %d for another one",
			s, tc.differs, tc.waiting, tc.noPrice, tc.notBelow, tc.overlap)
	}
	if diff := cmp.Diff(tc.change, s.Change); diff != "" {
		t.Errorf("change (-want +got):\n%s", diff)
	}
}

func TestPromotionPlanStarts(t *testing.T) {
	started, same := Change{Started: 1}, Change{Same: 1}
	for _, tc := range []promoCase{
		{name: "nothing at all"},

		{name: "over is never spoken of", wanted: "A=900 past", full: true},
		{name: "over, still sent as running", wanted: "A=900 past off gone", sent: "A=900 past"},
		{name: "over, and nothing has changed", wanted: "A=900 past", sent: "A=900 past"},
		{name: "over, with another price", wanted: "A=800 past", sent: "A=900 past"},
		{name: "over, and unsettled", unsettled: "A=900 past", full: true},
		{name: "the end of one that is over holds nothing up", wanted: "B=1", unsettled: "A=900 past off", rows: "k/B=1", differs: 1, change: started},

		{name: "a new one", wanted: "A=900", rows: "k/A=900", differs: 1, change: started},
		{name: "a coming one", wanted: "A=900 coming", rows: "k/A=900 coming", differs: 1, change: started},
		{name: "a bundle", wanted: "A=2G1", rows: "k/A=2G1", differs: 1, change: started},
		{name: "line and day of a layer stay there", wanted: "A=900 line7", rows: "k/A=900", differs: 1, change: started},
		{name: "one that ended runs again", wanted: "A=800", sent: "A=900 off", rows: "k/A=800", differs: 1, change: started},
		{name: "two articles at once", wanted: "a/A=1, b/A=1", rows: "a/A=1, b/A=1", differs: 2, change: Change{Started: 2}},

		{name: "it runs as wanted", wanted: "A=900", sent: "A=900", change: same},
		{name: "a full plan says so, in the words it was sent", wanted: "A=900", sent: "A=900", full: true, rows: "k/A=900", change: same},
		{name: "another line is no difference", wanted: "A=900 line9", sent: "A=900", change: same},
		{name: "wanted and unsettled", wanted: "A=900", sent: "A=900", unsettled: "A=900", change: same},
		{
			name: "unsettled goes along", wanted: "A=900, b/B=1", sent: "A=900", unsettled: "A=900",
			rows: "b/B=1, k/A=900", differs: 1, change: Change{Started: 1, Same: 1},
		},
		{name: "began to leave and did not arrive", wanted: "A=900", unsettled: "A=900", rows: "k/A=900", differs: 1, change: started},
	} {
		t.Run(tc.name, tc.run)
	}
}

// The stages: ends, then starts once the ends are settled.
func TestPromotionPlanEnds(t *testing.T) {
	started, ended, changed, same := Change{Started: 1}, Change{Ended: 1}, Change{Changed: 1}, Change{Same: 1}
	for _, tc := range []promoCase{
		{
			name: "another price: the end comes first, literally", wanted: "A=800", sent: "A=900",
			rows: "k/A=900 off", differs: 1, change: changed, waiting: 1,
		},
		{name: "another limit", wanted: "A=900 x2", sent: "A=900 x3", rows: "k/A=900 off x3", differs: 1, change: changed, waiting: 1},
		{name: "its end is unsettled", wanted: "A=800", sent: "A=900 off", unsettled: "A=900 off", change: started, waiting: 1},
		{
			name: "its end did not arrive", wanted: "A=800", sent: "A=900", unsettled: "A=900 off",
			rows: "k/A=900 off", differs: 1, change: changed, waiting: 1,
		},
		{name: "its end is settled", wanted: "A=800", sent: "A=900 off", rows: "k/A=800", differs: 1, change: started},
		{
			name: "back before the end settled", wanted: "A=900", sent: "A=900", unsettled: "A=900 off",
			rows: "k/A=900 off", differs: 1, change: same, waiting: 1,
		},
		{name: "an unread start changes", wanted: "A=800", unsettled: "A=900", rows: "k/A=900 off", differs: 1, change: started, waiting: 1},

		{
			name: "an end in this plan holds up starts of the article", wanted: "A=900 off, B=800", sent: "A=900",
			rows: "k/A=900 off", differs: 1, change: Change{Started: 1, Ended: 1}, waiting: 1,
		},
		{
			name: "whichever comes first", wanted: "A=800, B=900 off", sent: "B=900",
			rows: "k/B=900 off", differs: 1, change: Change{Started: 1, Ended: 1}, waiting: 1,
		},
		{
			name: "an unsettled end too, and it goes along", wanted: "B=800, z/Z=1", sent: "A=900", unsettled: "A=900 off",
			rows: "k/A=900 off, z/Z=1", differs: 2, change: Change{Started: 2}, waiting: 1,
		},
		{
			name: "an end that arrived goes along without a difference", wanted: "B=800, z/Z=1", sent: "A=900 off", unsettled: "A=900 off",
			rows: "k/A=900 off, z/Z=1", differs: 1, change: Change{Started: 2}, waiting: 1,
		},
		{
			name: "not starts of another article", wanted: "A=900 off, b/B=800", sent: "A=900",
			rows: "b/B=800, k/A=900 off", differs: 2, change: Change{Started: 1, Ended: 1},
		},
		{
			name: "nor what runs, nor what began", wanted: "A=900 off, B=800, C=700", sent: "A=900, B=800", unsettled: "C=700", full: true,
			rows: "k/A=900 off, k/B=800, k/C=700", differs: 2, change: Change{Started: 1, Ended: 1, Same: 1},
		},
		{
			name: "a settled end holds up nothing", wanted: "A=900 off gone, B=800", sent: "A=900 off",
			rows: "k/B=800", differs: 1, change: Change{Started: 1, Same: 1},
		},

		{name: "an end", wanted: "A=900 off gone", sent: "A=900", rows: "k/A=900 off", differs: 1, change: ended},
		{name: "in the words it was sent in", wanted: "A=800 off x9", sent: "A=20%@850 x2", rows: "k/A=20%@850 off x2", differs: 1, change: ended},
		{
			name: "what began to leave counts before what was sent", wanted: "A=900 off", sent: "A=900 off", unsettled: "A=800",
			rows: "k/A=800 off", differs: 1, change: same,
		},
		{name: "an end of what was never sent", wanted: "A=900 off gone", change: same},
		{name: "nor in a full plan", wanted: "A=900 off gone", full: true, change: same},
		{name: "ended already", wanted: "A=900 off gone", sent: "A=900 off", full: true, change: same},
		{name: "ended, unsettled", wanted: "A=900 off gone", sent: "A=900 off", unsettled: "A=900 off", full: true, rows: "k/A=900 off", change: same},

		{name: "of what nobody wants nothing is said", sent: "A=900"},
		{name: "nor in a full plan, which Remembered keeps", sent: "A=900", full: true},
		{name: "what began to leave goes along", unsettled: "A=900", wanted: "b/B=1", rows: "b/B=1, k/A=900", differs: 1, change: started},
		{name: "but makes no plan", unsettled: "A=900"},
		{name: "an end that did not arrive does", sent: "A=900", unsettled: "A=900 off", rows: "k/A=900 off", differs: 1},
	} {
		t.Run(tc.name, tc.run)
	}
}

func TestPromotionPlanPrices(t *testing.T) {
	started, changed, same := Change{Started: 1}, Change{Changed: 1}, Change{Same: 1}
	for _, tc := range []promoCase{
		{name: "a share of the price", wanted: "A=20%", prices: "k:1000", rows: "k/A=20%@800", differs: 1, change: started},
		{name: "rounded to two decimals", wanted: "A=33.333%", prices: "k:10", rows: "k/A=33.333%@6.67", differs: 1, change: started},
		{name: "fixed when first planned", wanted: "A=20%", sent: "A=20%@800", prices: "k:2000", full: true, rows: "k/A=20%@800", change: same},
		{
			name: "fixed while unsettled", wanted: "A=20%, z/Z=1", unsettled: "A=20%@800", prices: "k:2000",
			rows: "k/A=20%@800, z/Z=1", differs: 2, change: Change{Started: 2},
		},
		{name: "fixed through an end", wanted: "A=20%", sent: "A=20%@800 off", prices: "k:2000", rows: "k/A=20%@800", differs: 1, change: started},
		{name: "another share", wanted: "A=30%", sent: "A=20%@800 off", prices: "k:2000", rows: "k/A=30%@1400", differs: 1, change: started},
		{
			name: "another share while it runs", wanted: "A=30%", sent: "A=20%@800", prices: "k:2000",
			rows: "k/A=20%@800 off", differs: 1, change: changed, waiting: 1,
		},
		{name: "a share that comes to the price it has", wanted: "A=20%", sent: "A=800", prices: "k:1000", change: same},
		{name: "no price yet", wanted: "A=20%", prices: "a:1", change: started, noPrice: 1},
		{name: "an article without a price", wanted: "A=20%", prices: "k:0", change: started, noPrice: 1},
		{name: "no catalogue", wanted: "A=20%", change: started, noPrice: 1},
		{name: "nothing left of it", wanted: "A=100%", prices: "k:10", change: started, noPrice: 1},
		{name: "another share of no price leaves what runs", wanted: "A=30%", sent: "A=20%@800", change: changed, noPrice: 1},
		{name: "a bundle needs no price", wanted: "A=2G1", prices: "a:1", rows: "k/A=2G1", differs: 1, change: started},

		{name: "not below", wanted: "A=1000", prices: "k:1000", change: started, notBelow: 1},
		{name: "just below", wanted: "A=999.99", prices: "k:1000", rows: "k/A=999.99", differs: 1, change: started},
		{name: "a share that rounds to the price", wanted: "A=0.001%", prices: "k:10", change: started, notBelow: 1},
		{name: "the price of another article", wanted: "A=1000", prices: "a:1,k1:1", rows: "k/A=1000", differs: 1, change: started},
		{
			name: "what runs stays when the article gets cheaper", wanted: "A=900", sent: "A=900", prices: "k:800", full: true,
			rows: "k/A=900", change: same,
		},
		{
			name: "what changes ends, and does not start", wanted: "A=1100", sent: "A=900", prices: "k:1000",
			rows: "k/A=900 off", differs: 1, change: changed, notBelow: 1,
		},
		{
			name: "withheld is not waiting", wanted: "A=900 off, B=1100", sent: "A=900", prices: "k:1000",
			rows: "k/A=900 off", differs: 1, change: Change{Started: 1, Ended: 1}, notBelow: 1,
		},

		{
			name: "an assortment: the article tells the price", wanted: "k:1000, A=20%, B=1000",
			rows: "k:1000, k/A=20%@800", differs: 2, change: Change{New: 1, Started: 2}, notBelow: 1,
		},
		{
			name: "an assortment: its article agrees", wanted: "j:5, k:1000, A=20%", sent: "j:5, k:1000",
			rows: "k/A=20%@800", differs: 1, change: Change{Started: 1, Same: 2},
		},
		{
			name: "an assortment, full", wanted: "k:1000, A=900, l:7", sent: "k:1000, A=900, l:7", full: true,
			rows: "k:1000, k/A=900, l:7", change: Change{Same: 3},
		},
	} {
		t.Run(tc.name, tc.run)
	}
}

// Of promotions of one article that hold at the same time, the best one is sent.
func TestPromotionPlanSendsTheBest(t *testing.T) {
	one, two := Change{Started: 1, Same: 1}, Change{Started: 2}
	for _, tc := range []promoCase{
		{name: "the lower price", wanted: "A=900, B=800", prices: "k:1000", rows: "k/B=800", differs: 1, change: two, overlap: 1},
		{name: "without a catalogue too", wanted: "A=900, B=800", rows: "k/B=800", differs: 1, change: two, overlap: 1},
		{name: "a share that comes to less", wanted: "A=900, B=20%", prices: "k:1000", rows: "k/B=20%@800", differs: 1, change: two, overlap: 1},
		{name: "a bundle that costs less a piece", wanted: "A=900, B=2G1", prices: "k:1000", rows: "k/B=2G1", differs: 1, change: two, overlap: 1},
		{name: "a bundle that costs more a piece", wanted: "A=600, B=2G1", prices: "k:1000", rows: "k/A=600", differs: 1, change: two, overlap: 1},
		{name: "of bundles", wanted: "A=1G1, B=2G1", prices: "k:1000", rows: "k/A=1G1", differs: 1, change: two, overlap: 1},
		{name: "a bundle without a price: the later start", wanted: "A=1G1, B=2G1 coming", rows: "k/B=2G1 coming", differs: 1, change: two, overlap: 1},
		{name: "equal: the later line", wanted: "A=900 line3, B=900 line2", rows: "k/A=900", differs: 1, change: two, overlap: 1},
		{name: "weeks in a row", wanted: "A=900, B=800 next", rows: "k/A=900, k/B=800 next", differs: 2, change: two},
		{
			name: "a chain: the first and the last don't meet", wanted: "A=900, B=800 coming, C=850 next", rows: "k/B=800 coming, k/C=850 next",
			differs: 2, change: Change{Started: 3}, overlap: 1,
		},
		{name: "one that can't start takes no place", wanted: "A=900, B=20%", prices: "a:1", rows: "k/A=900", differs: 1, change: two, noPrice: 1},
		{name: "one that is not below takes no place", wanted: "A=900, B=1000", prices: "k:1000", rows: "k/A=900", differs: 1, change: two, notBelow: 1},

		{name: "what runs stays beside a dearer one", wanted: "A=800, B=900", sent: "A=800", change: one, overlap: 1},
		{name: "and beside an equal one", wanted: "A=800, B=800", sent: "A=800", change: one, overlap: 1},
		{
			name: "what runs ends for a lower price that has begun", wanted: "A=900, B=800", sent: "A=900", rows: "k/A=900 off",
			differs: 1, change: one, waiting: 1, overlap: 1,
		},
		{
			name: "in a full plan too", wanted: "A=900, B=800", sent: "A=900", full: true, rows: "k/A=900 off",
			differs: 1, change: one, waiting: 1, overlap: 1,
		},
		{name: "which starts then", wanted: "A=900, B=800", sent: "A=900 off", rows: "k/B=800", differs: 1, change: two, overlap: 1},
		{name: "and stays", wanted: "A=900, B=800", sent: "A=900 off, B=800", change: one, overlap: 1},
		{
			name: "and makes way when it ends", wanted: "A=900, B=800 off", sent: "A=900 off, B=800", rows: "k/B=800 off",
			differs: 1, change: Change{Started: 1, Ended: 1}, waiting: 1,
		},
		{name: "not for one that is to come", wanted: "A=900, B=800 coming", sent: "A=900", change: one, overlap: 1},
		{name: "nor for a bundle", wanted: "A=900, B=1G1", sent: "A=900", prices: "k:1000", change: one, overlap: 1},
		{name: "nor a bundle for a price", wanted: "A=2G1, B=1", sent: "A=2G1", prices: "k:1000", change: one, overlap: 1},
		{name: "nor for one that can't start", wanted: "A=900, B=30%", sent: "A=900", prices: "k:0", change: one, noPrice: 1},
		{name: "both run already", wanted: "A=900, B=800", sent: "A=900, B=800", change: Change{Same: 2}},
		{
			name: "its start is not read yet", wanted: "A=900, B=800", sent: "A=900", unsettled: "A=900", rows: "k/A=900 off",
			differs: 1, change: one, waiting: 1, overlap: 1,
		},
		{
			name: "what changes has its place no more", wanted: "A=850, B=800 coming", sent: "A=900", rows: "k/A=900 off",
			differs: 1, change: Change{Changed: 1, Started: 1}, waiting: 1, overlap: 1,
		},
	} {
		t.Run(tc.name, tc.run)
	}
}

// A preview compares what was wanted before a drop with what is wanted after it, and knows no prices.
func TestPreviewCountsWithoutPrices(t *testing.T) {
	for _, tc := range []struct {
		name, before, after string
		want                Change
	}{
		{"shares and prices", "A=20%, B=900", "A=20%, B=900, C=20%, D=5", Change{Started: 2, Same: 2}},
		{"ended by tombstones", "A=20%, B=900", "A=20% off gone, B=900", Change{Ended: 1, Same: 1}},
		{"changed", "A=20%, B=900, C=1 x2", "A=30%, B=800, C=1 x3", Change{Changed: 3}},
		{"a tombstone before and after", "A=20% off gone", "A=20% off gone", Change{Same: 1}},
		{"back from a tombstone", "A=20% off gone", "A=20%", Change{Started: 1}},
		{"kept silent about", "A=20%", "", Change{}},
		{"over", "", "A=20% past", Change{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := newTestFiles(t)
			s, err := files.Diff(Question{Wanted: stackOf(t, files, tc.after), Sent: stackOf(t, files, tc.before), Now: noon})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, s.Change); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOffer(t *testing.T) {
	for _, tc := range []struct {
		price    catalog.Money
		off      catalog.Percent
		decimals int
		want     catalog.Money
	}{
		{1_000_000, 20_000, 2, 800_000},
		{10_000, 33_333, 2, 6_670},                     // 6.6667
		{10_000, 33_333, 3, 6_670},                     // the platform keeps two
		{10_000, 33_333, 0, 7_000},                     // pesos without centavos
		{10_000, 33_333, 1, 6_700},                     //
		{990_000, 15_000, 0, 842_000},                  // 841.5: half goes up
		{989_000, 50_000, 0, 495_000},                  // 494.5
		{10, 10_000, 2, 10},                            // 0.009
		{10, 60_000, 2, 0},                             // 0.004: nothing is left
		{catalog.MaxMoney, 1, 2, 999_990_000_000},      // no overflow
		{catalog.MaxMoney, catalog.Hundred, 2, 0},      //
		{0, 20_000, 2, 0},                              // no price, no offer
		{10_000, 120_000, 2, 0},                        // more than all of it
		{1_005, 0, 2, 1_010},                           // half away from zero, as Money.Round does
		{123_450, 12_500, 2, 108_020},                  // 108.01875
		{123_450, 12_500, 0, 108_000},                  //
		{123_450, 12_500, catalog.MoneyScale, 108_020}, //
		{catalog.MaxMoney - 1, 99_999, 2, 10_000_000},  // 9999999.99999
	} {
		if got := offer(tc.price, tc.off, tc.decimals); got != tc.want {
			t.Errorf("offer(%s, %s %%, %d decimals) = %s, want %s", tc.price, tc.off, tc.decimals, got, tc.want)
		}
	}
}

// All of an article is in one part, whatever the key of a promotion looks like.
func TestPartsKeepArticlesTogether(t *testing.T) {
	files := newTestFiles(t)
	var all []string
	for i := range 40 {
		all = append(all, fmt.Sprintf("%02d:1000", i), fmt.Sprintf("%02d/A=900", i), fmt.Sprintf("%02d/B=2G1 next", i))
	}
	s, err := files.Plan(Question{Wanted: stackOf(t, files, strings.Join(all, ",")), Now: noon, Parts: 3})
	if err != nil || len(s.Parts) != 3 || s.Rows != 120 {
		t.Fatalf("Plan = %+v, %v", s, err)
	}
	for _, p := range s.Parts {
		items := map[string]int{}
		for _, r := range read(t, files, []Digest{p.Digest}) {
			items[ItemKey(r.Key)]++
			if partOf(ItemKey(r.Key), 3) != p.Number-1 {
				t.Errorf("%s is in part %d", short(r), p.Number)
			}
		}
		if p.Promotions != p.Rows/3*2 || p.Fields != catalog.Price || slices.Max(slices.Collect(maps.Values(items))) != 3 {
			t.Errorf("part %+v with articles %v", p, items)
		}
	}
}

func TestPromotionPlanStopsOnErrors(t *testing.T) {
	files := newTestFiles(t)
	wanted := stackOf(t, files, "a/A=20%, b/A=20%, k/A=20%, k/B=900 next")
	prices := stackOf(t, files, "a:1,b:1,k:1")
	boom := errors.New("boom")
	for n := range 4 {
		calls := 0
		_, err := files.Rows(Question{Wanted: wanted, Now: noon, Prices: stackOf(t, files, "a:1000,b:1000,k:1000")}, func(Record, Record, bool) error {
			if calls++; calls > n {
				return boom
			}
			return nil
		})
		if !errors.Is(err, boom) || calls != n+1 {
			t.Errorf("Rows = %v after %d rows, want %v after %d", err, calls, boom, n+1)
		}
	}
	damage(t, files, prices[0])
	if s, err := files.Plan(Question{Wanted: wanted, Prices: prices, Now: noon}); !errors.Is(err, errLine) || len(s.Parts) > 0 {
		t.Errorf("Plan over damaged prices = %+v, %v", s, err)
	}
	if s, err := files.Plan(Question{Wanted: wanted, Prices: []Digest{"00aa"}, Now: noon}); err == nil || len(s.Parts) > 0 {
		t.Errorf("Plan over lost prices = %+v, %v", s, err)
	}
}

// The plan gathers one article's promotions, not the shelf's.
func TestPromotionPlanMemoryIsFlat(t *testing.T) {
	const promotions, limit = 100_000, 8 << 20
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	files := newTestFiles(t)
	w, err := files.Create()
	if err != nil {
		t.Fatal(err)
	}
	for i := range promotions {
		if err := w.Add(offered(fmt.Sprintf("%06d/A=900 x3", i))); err != nil {
			t.Fatal(err)
		}
	}
	d, err := w.Commit()
	if err != nil {
		t.Fatal(err)
	}
	before, peak, n := heap(), uint64(0), 0
	_, err = files.Rows(Question{Wanted: []Digest{d}, Now: noon, Full: true}, func(Record, Record, bool) error {
		if n++; n%25_000 == 0 {
			peak = max(peak, heap())
		}
		return nil
	})
	if err != nil || n != promotions {
		t.Fatalf("%d rows, %v; want %d", n, err, promotions)
	}
	if peak > before+limit {
		t.Errorf("%d KB of heap for %d promotions, want at most %d KB: it must not grow with the shelf", (peak-before)>>10, promotions, limit>>10)
	}
}
