package shelf

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLint(t *testing.T) {
	for _, tc := range []struct {
		name, promotions, prices string
		want                     []string // line, code, severity, arguments
	}{
		{"nothing wrong", "k/A=900 line2, b/B=20% line3, b/C=2G1 next line4", "b:10, k:1000", nil},
		{"over", "A=900 past line2", "k:1000", []string{"2 G-PROMO-11 warning 2026-05-10 11:59:59"}},
		{"over, and nothing else", "A=900 past line2, B=20% past line3", "a:1", []string{
			"2 G-PROMO-11 warning 2026-05-10 11:59:59", "3 G-PROMO-11 warning 2026-05-10 11:59:59",
		}},

		{"two at a time, the dearer one is told", "A=900 line8, B=800 line3", "k:1000", []string{"8 G-PROMO-07 warning k 3"}},
		{"three at a time", "A=900 line2, B=800 line3, C=700 line4", "k:1000", []string{"2 G-PROMO-07 warning k 4", "3 G-PROMO-07 warning k 4"}},
		{"one campaign with two mechanics", "A=900 line2, A=2G1 line3", "k:1000", []string{"2 G-PROMO-07 warning k 3"}},
		{"weeks in a row", "A=900 line2, A=800 next line3", "k:1000", nil},
		{"the second of three", "A=900 line2, B=800 next line3, C=700 coming line4", "k:1000", []string{"2 G-PROMO-07 warning k 4"}},
		{"one of them ends", "A=900 off line2, B=800 line3", "k:1000", nil},
		{"one of them is over", "A=900 past line2, B=800 line3", "k:1000", []string{"2 G-PROMO-11 warning 2026-05-10 11:59:59"}},
		{"equal: the later start", "A=900 coming line2, B=900 line3", "k:1000", []string{"3 G-PROMO-07 warning k 2"}},
		{"equal in all: the later line", "A=900 line3, B=900 line2", "k:1000", []string{"2 G-PROMO-07 warning k 3"}},
		{"a price and a bundle that costs more", "A=600 line2, B=2G1 line3", "k:1000", []string{"3 G-PROMO-07 warning k 2"}},
		{"a bundle of an article without a price: the later start", "A=1 line2, B=2G1 coming line3", "k:0", []string{"2 G-PROMO-07 warning k 3"}},
		{"one that is not sent takes nobody's place", "A=1000 line2, B=900 line3", "k:1000", []string{"2 G-PROMO-08 error 1000 1000"}},
		{"two articles", "a/A=900 line2, b/A=900 line3", "a:1000, b:1000", nil},
		{"kept from before", "A=900, B=800 line3", "k:1000", nil},

		{"unknown", "A=900 line2", "a:1", []string{"2 G-PROMO-10 warning k"}},
		{"unknown wins over no price", "A=20% line2", "a:1", []string{"2 G-PROMO-10 warning k"}},
		{"unknown bundle", "A=2G1 line2", "z:1", []string{"2 G-PROMO-10 warning k"}},
		{"no catalogue yet", "A=900 line2", "", nil},
		{"no catalogue yet, and a share", "A=20% line2, B=2G1 next line3", "", []string{"2 G-PROMO-09 warning k"}},
		{"the article has no price", "A=20% line2, B=900 next line3", "k:0", []string{"2 G-PROMO-09 warning k"}},

		{"not below", "A=1000 line2", "k:1000", []string{"2 G-PROMO-08 error 1000 1000"}},
		{"above", "A=1000.5 line2", "k:999", []string{"2 G-PROMO-08 error 1000.5 999"}},
		{"just below", "A=999.99 line2", "k:1000", nil},
		{"a share that rounds to the price", "A=0.001% line2", "k:10", []string{"2 G-PROMO-08 error 10 10"}},
		{"the price of a share is not asked where there is one", "A=20%@800 line2", "k:0", nil},
		{"several at once", "A=1000 line2, B=1100 line3", "k:1000", []string{
			"2 G-PROMO-08 error 1000 1000", "3 G-PROMO-08 error 1100 1000",
		}},
		{"status 0 asks for nothing", "A=1000 off line2, B=1 past off line3", "k:1000", nil},
		{"the topmost price counts", "A=900 line2", "k:1000 | k:800", []string{"2 G-PROMO-08 error 900 800"}},
		{"prices of an assortment", "A=900 line2", "k:1000, k/A=800", nil},
		{"tombstones do not", "A=1000 off gone", "k:1000", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := newTestFiles(t)
			q := LintQuestion{Promotions: stackOf(t, files, tc.promotions), Prices: stackOf(t, files, tc.prices), Now: noon, Decimals: 2}
			var got []string
			err := files.Lint(q, func(l Lint) error {
				if l.Key == "" || !strings.Contains(tc.promotions, l.Key+"/") && l.Key != "k" {
					t.Errorf("article %q", l.Key)
				}
				got = append(got, fmt.Sprintf("%d %s %s %s", l.Line, l.Code, l.Severity, strings.Join(l.Args, " ")))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(got)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What was sent counts: what runs stays, and what it is called is what the platform knows it by.
func TestLintBesideWhatWasSent(t *testing.T) {
	for _, tc := range []struct {
		name, promotions, sent string
		want                   []string // line, code, arguments
	}{
		{"a dearer one comes beside what runs", "A=800 line2, B=900 line3", "A=800", []string{"3 G-PROMO-07 k 2"}},
		{"a cheaper one that has begun takes its place", "A=900 line2, B=800 line3", "A=900", []string{"2 G-PROMO-07 k 3"}},
		{"a cheaper one that is to come waits", "A=900 line2, B=800 coming line3", "A=900", []string{"3 G-PROMO-07 k 2"}},
		{"a bundle takes no place", "A=900 line2, B=1G1 line3", "A=900", []string{"3 G-PROMO-07 k 2"}},
		{"both run already", "A=900 line2, B=800 line3", "A=900, B=800", nil},
		{"another name", "B=900 line2", "A=900", []string{"2 G-PROMO-14 k B A"}},
		{"another name, and the old one ends", "A=900 off gone, B=900 line2", "A=900", []string{"2 G-PROMO-14 k B A"}},
		{"another name beside the old one", "A=900 line2, B=900 line3", "A=900", []string{"3 G-PROMO-07 k 2"}},
		{"another name and other dates", "B=900 next line2", "A=900", nil},
		{"another name and mechanic", "B=2G1 line2", "A=900", nil},
		{"the old one was ended", "B=900 line2", "A=900 off", nil},
		{"the same name as before", "A=900 line2", "A=900, b/A=900", nil},
		{"the name of another article", "B=900 line2", "b/A=900", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := newTestFiles(t)
			got := lintLines(t, files, LintQuestion{
				Promotions: stackOf(t, files, tc.promotions), Sent: stackOf(t, files, tc.sent), Prices: stackOf(t, files, "k:1000"), Now: noon, Decimals: 2,
			})
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Two of one name are told apart by their hours.
func TestLintOfOtherHours(t *testing.T) {
	files := newTestFiles(t)
	sent, asked := offered("A=900"), offered("A=900 line2")
	moved := *asked.Promotion
	moved.Start += 3600
	asked.Promotion, asked.Key = &moved, PromotionKey("k", moved)
	got := lintLines(t, files, LintQuestion{
		Promotions: []Digest{write(t, files, table{"x": asked})}, Sent: []Digest{write(t, files, table{"x": sent})}, Now: noon, Decimals: 2,
	})
	want := []string{fmt.Sprintf("2 G-PROMO-14 k A %s - %s A %s - %s", moved.Start, moved.End, sent.Promotion.Start, sent.Promotion.End)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func lintLines(t *testing.T, files Files, q LintQuestion) []string {
	t.Helper()
	var got []string
	err := files.Lint(q, func(l Lint) error {
		got = append(got, fmt.Sprintf("%d %s %s", l.Line, l.Code, strings.Join(l.Args, " ")))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestLintStopsOnErrors(t *testing.T) {
	files := newTestFiles(t)
	promotions, prices := stackOf(t, files, "a/A=900 line2, b/A=900 line3, c/A=900 line4"), stackOf(t, files, "a:1, b:1, c:1")
	boom, calls := errors.New("boom"), 0
	err := files.Lint(LintQuestion{Promotions: promotions, Prices: prices, Now: noon}, func(Lint) error { calls++; return boom })
	if !errors.Is(err, boom) || calls != 1 {
		t.Errorf("Lint = %v after %d calls, want the first one's error", err, calls)
	}
	damage(t, files, prices[0])
	silent := func(Lint) error { return nil }
	if err := files.Lint(LintQuestion{Promotions: promotions, Prices: prices, Now: noon}, silent); !errors.Is(err, errLine) {
		t.Errorf("Lint over damaged prices = %v", err)
	}
	damage(t, files, promotions[0])
	if err := files.Lint(LintQuestion{Promotions: promotions, Now: noon}, silent); !errors.Is(err, errLine) {
		t.Errorf("Lint of a damaged layer = %v", err)
	}
}

// Lines come before codes: what a row is told stands together, in the order that people read the export.
func TestLintIsInTheOrderOfLines(t *testing.T) {
	files := newTestFiles(t)
	var lines []int
	err := files.Lint(LintQuestion{
		Promotions: stackOf(t, files, "A=900 line30, B=900 line4, C=900 past line7, D=900 line100"), Prices: stackOf(t, files, "k:1000"), Now: noon,
	}, func(l Lint) error { lines = append(lines, l.Line); return nil })
	if err != nil || !slices.IsSorted(lines) || len(lines) != 3 {
		t.Errorf("lines %v, %v; want three in order", lines, err)
	}
}
