package shelf

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/catalog"
)

// exported turns promotions in their short form into rows; "k!" is a rejected row of article k. Lines are not told apart here.
func exported(text string) []Row {
	var rows []Row
	for _, one := range strings.Split(text, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		if sku, ok := strings.CutSuffix(one, "!"); ok {
			rows = append(rows, Row{Item: catalog.Item{SKU: sku}, Rejected: true})
			continue
		}
		p := *offered(one).Promotion
		rows = append(rows, Row{Item: catalog.Item{SKU: p.SKU}, Promotion: &p})
	}
	return rows
}

func TestPromotionLayer(t *testing.T) {
	const (
		partial = iota
		full
		fullKeep
	)
	for _, tc := range []struct {
		name       string
		kind       int
		keyless    bool
		below      string // files separated by bars
		was        string // what the same export said before
		rows       string
		want       string
		present    int
		tombstones int
		suspended  int
	}{
		{name: "first export", kind: full, rows: "A=900, b/B=20%", want: "b/B=20%, k/A=900", present: 2},
		{name: "another price", kind: full, below: "A=900", rows: "A=800", want: "k/A=800", present: 1},
		{
			name: "no longer named", kind: full, below: "A=900, B=800 x3",
			rows: "A=900", want: "k/A=900, k/B=800 off gone x3", present: 1, tombstones: 1,
		},
		{
			name: "its article no longer named", kind: full, below: "a/A=900",
			rows: "k/A=900", want: "a/A=900 off gone, k/A=900", present: 1, tombstones: 1,
		},
		{
			name: "another week is another promotion", kind: full, below: "A=900",
			rows: "A=900 next", want: "k/A=900 off gone, k/A=900 next", present: 1, tombstones: 1,
		},
		{
			name: "a corrected day with keep", kind: fullKeep, below: "A=900",
			rows: "A=900 coming", want: "k/A=900 off gone, k/A=900 coming", present: 1, tombstones: 1,
		},
		{name: "keep says nothing", kind: fullKeep, below: "A=900, B=800", rows: "A=900", want: "k/A=900", present: 1},
		{name: "a tombstone stays", kind: full, below: "A=900 off gone", rows: "B=1", want: "k/A=900 off gone, k/B=1", present: 1, tombstones: 1},
		{name: "with keep too", kind: fullKeep, below: "A=900 off gone", rows: "B=1", want: "k/A=900 off gone, k/B=1", present: 1, tombstones: 1},
		{
			name: "over, and still told", kind: full, below: "A=900 past off gone",
			rows: "B=1", want: "k/A=900 past off gone, k/B=1", present: 1, tombstones: 1,
		},
		{name: "30 days past its end it leaves", kind: full, below: "A=900 long off gone, C=1 long", rows: "B=1", want: "k/B=1", present: 1},
		{name: "what the export itself names is kept for lint", kind: full, rows: "A=900 long", want: "k/A=900 long", present: 1},
		{name: "back again", kind: full, below: "A=900 off gone", rows: "A=900", want: "k/A=900", present: 1},
		{name: "status 0 in the export", kind: full, below: "A=900", rows: "A=900 off", want: "k/A=900 off", present: 1},
		{
			name: "of old files the topmost", kind: full, below: "A=900, B=1 | A=800 x2",
			rows: "B=1", want: "k/A=800 off gone x2, k/B=1", present: 1, tombstones: 1,
		},

		{
			name: "rejected keeps all of the article", kind: full, below: "A=900, B=800, c/C=1",
			rows: "k!", want: "c/C=1 off gone, k/A=900, k/B=800", present: 2, tombstones: 1,
		},
		{name: "rejected, and another row is taken", kind: full, below: "A=900, B=800", rows: "k!, A=700", want: "k/A=700, k/B=800", present: 2},
		{name: "rejected keeps with keep", kind: fullKeep, below: "A=900", rows: "k!", want: "k/A=900", present: 1},
		{name: "rejected, never seen", kind: full, rows: "k!, A=900", want: "k/A=900", present: 1},
		{name: "rejected keeps tombstones", kind: full, below: "A=900 off gone", rows: "k!", want: "k/A=900 off gone", tombstones: 1},

		{
			name: "keyless ends nothing", kind: full, keyless: true, below: "a/A=900, b/B=1 off gone",
			rows: "k/A=900", want: "a/A=900, b/B=1 off gone, k/A=900", present: 1, tombstones: 1, suspended: 1,
		},
		{name: "keyless with keep", kind: fullKeep, keyless: true, below: "a/A=900", rows: "k/A=900", want: "a/A=900, k/A=900", present: 1},

		{name: "partial adds", below: "A=900", rows: "B=800 next", want: "k/B=800 next", present: 1},
		{name: "partial replaces by identity", below: "A=900", rows: "A=800", want: "k/A=800", present: 1},
		{name: "corrected date", below: "A=900", rows: "A=900 coming", want: "k/A=900 off gone, k/A=900 coming", present: 1, tombstones: 1},
		{name: "corrected mechanic", below: "A=900", rows: "A=2G1", want: "k/A=2G1, k/A=900 off gone", present: 1, tombstones: 1},
		{name: "another campaign at the same time", below: "A=900", rows: "B=800", want: "k/B=800", present: 1},
		{name: "the same campaign another week", below: "A=900", rows: "A=900 next", want: "k/A=900 next", present: 1},
		{name: "the same campaign of another article", below: "a/A=900", rows: "k/A=900 coming", want: "k/A=900 coming", present: 1},
		{name: "both are named", below: "A=900, A=900 coming", rows: "A=900, A=900 coming", want: "k/A=900, k/A=900 coming", present: 2},
		{name: "status 0 corrects nothing", below: "A=900", rows: "A=900 coming off", want: "k/A=900 coming off", present: 1},
		{name: "ended already", below: "A=900 off", rows: "A=900 coming", want: "k/A=900 coming", present: 1},
		{name: "a tombstone already", below: "A=900 | A=900 off gone", rows: "A=900 coming", want: "k/A=900 coming", present: 1},
		{name: "a row could not be read", below: "A=900", rows: "k!, A=900 coming", want: "k/A=900 coming", present: 1},
		{name: "partial rejected", below: "A=900", rows: "k!", want: ""},

		{
			name: "read again under another name", was: "A=900", below: "C=1",
			rows: "B=900", want: "k/A=900 off gone, k/B=900", present: 1, tombstones: 1,
		},
		{
			name: "read again, full and keep", kind: fullKeep, was: "A=900", below: "C=1",
			rows: "B=900", want: "k/A=900 off gone, k/B=900", present: 1, tombstones: 1,
		},
		{
			name: "read again, its tombstones stay", kind: full, was: "A=900, B=1 off gone",
			rows: "A=900", want: "k/A=900, k/B=1 off gone", present: 1, tombstones: 1,
		},
		{name: "read again, partial tombstones stay", was: "A=900, B=1 off gone", rows: "A=900", want: "k/A=900, k/B=1 off gone", present: 1},
		{name: "read again, a row can't be read any more", was: "A=900", rows: "k!", want: "k/A=900"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := newTestFiles(t)
			spec := LayerSpec{
				Kind: catalog.KindPromotions, Full: tc.kind != partial, Missing: Keep, Keyless: tc.keyless,
				Below: stackOf(t, files, tc.below), Today: Day(noon.Day()),
			}
			if tc.kind == full {
				spec.Missing = Deactivate
			}
			if was := stackOf(t, files, tc.was); len(was) > 0 {
				spec.Was = was[0]
			}
			got := build(t, files, t.TempDir(), spec, exported(tc.rows))
			all := read(t, files, []Digest{got.Digest})
			for i := range all {
				all[i].Line = 0 // see TestPromotionLayerLines
			}
			if text := shorts(all); text != tc.want {
				t.Errorf("got  %s\nwant %s", text, tc.want)
			}
			want := Layer{Digest: got.Digest, Full: spec.Full, Present: tc.present, Tombstones: tc.tombstones, Suspended: tc.suspended}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("layer (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTombstonesAreTheirLayers lets one layer stop naming a promotion that another one wants.
func TestTombstonesAreTheirLayers(t *testing.T) {
	for _, tc := range []struct{ name, lower, upper, top, want string }{
		{name: "another layer still wants it", lower: "k/A=900", upper: "k/A=800 off gone", want: "k/A=900"},
		{name: "its own file below does not count", lower: "k/A=900 off gone", upper: "k/A=800 off gone", want: "k/A=800 off gone"},
		{name: "status 0 is a word, not a silence", lower: "k/A=900", upper: "k/A=800 off", want: "k/A=800 off"},
		{name: "wanted again above", lower: "k/A=900 off gone", upper: "k/A=800", want: "k/A=800"},
		{name: "the same layer twice", lower: "k/A=900", upper: "k/A=900", top: "k/A=900 off gone", want: "k/A=900"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := newTestFiles(t)
			var stack []Digest
			for i, text := range []string{tc.lower, tc.upper, tc.top} {
				if text == "" {
					continue
				}
				r := offered(text)
				if r.Owner = "one"; i > 0 {
					r.Owner = "two"
				}
				w, err := files.Create()
				if err != nil {
					t.Fatal(err)
				}
				if err := w.Add(r); err != nil {
					t.Fatal(err)
				}
				d, err := w.Commit()
				if err != nil {
					t.Fatal(err)
				}
				stack = append(stack, d)
			}
			if got := shorts(read(t, files, stack)); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// Lines are of what the export names: what is kept from before was on a line of another one.
func TestPromotionLayerLines(t *testing.T) {
	files := newTestFiles(t)
	spec := LayerSpec{Kind: catalog.KindPromotions, Full: true, Missing: Deactivate, Today: Day(noon.Day())}
	spec.Below = stackOf(t, files, "a/A=1 line5, b/A=1 line6, b/B=1 line7, c/C=1 off gone line8")
	got := build(t, files, t.TempDir(), spec, exported("b!, b/B=1, d/D=1"))
	// Rows of build begin at line 1.
	if text, want := shorts(read(t, files, []Digest{got.Digest})), "a/A=1 off gone, b/A=1, b/B=1 line2, c/C=1 off gone, d/D=1 line3"; text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

func TestCompactForgetsLongPast(t *testing.T) {
	files := newTestFiles(t)
	stack := stackOf(t, files, "k:1000, A=900 past, B=900 long | A=800 past, C=1 off gone, D=1 long off gone")
	one, err := files.Compact(stack, Day(noon.Day()))
	if err != nil || one.Present != 2 || one.Tombstones != 1 {
		t.Errorf("Compact = %+v, %v; want 2 present and 1 tombstone", one, err)
	}
	if text, want := shorts(read(t, files, []Digest{one.Digest})), "k:1000, k/A=800 past, k/C=1 off gone"; text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

// A promotion is remembered through its thirtieth day after the end, and not longer.
func TestPromotionIsForgotten(t *testing.T) {
	r := offered("A=900")
	end := Day(r.Promotion.End.Day())
	for _, tc := range []struct {
		today Day
		want  bool
	}{{end - 1, false}, {end, false}, {end + 30, false}, {end + 31, true}} {
		if got := r.forgotten(tc.today); got != tc.want {
			t.Errorf("%d days after its end: forgotten %t, want %t", tc.today-end, got, tc.want)
		}
	}
	if priced("k", 1).forgotten(end + 1000) {
		t.Error("an article was forgotten")
	}
}

func TestRemembered(t *testing.T) {
	grave := shown("g", false)
	grave.Gone = 1
	for _, tc := range []struct{ name, sent, want string }{
		{"nothing was sent", "", ""},
		{"articles on sale", "a:100", ""},
		{"promotions, running, coming, over and ended", "A=900, B=1 coming, C=1 past, D=1 off", "k/A=900, k/B=1 coming, k/C=1 past, k/D=1 off"},
		{"as they were sent last", "A=20%@800 x2 | A=20%@800 off x2", "k/A=20%@800 off x2"},
		{"long past", "A=900 long", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := newTestFiles(t)
			d, err := files.Remembered(stackOf(t, files, tc.sent), Day(noon.Day()))
			if err != nil {
				t.Fatal(err)
			}
			if tc.want == "" {
				if d != "" {
					t.Errorf("remembered %s, want nothing", shorts(read(t, files, []Digest{d})))
				}
				return
			}
			if got := shorts(read(t, files, []Digest{d})); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
	// Articles: what was switched off for being missing, and nothing else of it.
	files := newTestFiles(t)
	d, err := files.Remembered([]Digest{write(t, files, table{"a": priced("a", 1), "g": both(grave, 5), "h": shown("h", false)})}, today)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Record{grave}, read(t, files, []Digest{d})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Of an article with many promotions, and many articles, the layer comes out in the order of keys.
func TestPromotionLayerOfMany(t *testing.T) {
	files := newTestFiles(t)
	var below, rows []string
	for i := range 60 {
		below = append(below, fmt.Sprintf("%02d/A=900", i*7%60), fmt.Sprintf("%02d/C=900", i))
		rows = append(rows, fmt.Sprintf("%02d/B=%d", i*11%60, i+1))
	}
	spec := LayerSpec{Kind: catalog.KindPromotions, Full: true, Missing: Deactivate, Today: Day(noon.Day())}
	spec.Below = stackOf(t, files, strings.Join(below, ","))
	got := build(t, files, t.TempDir(), spec, exported(strings.Join(rows, ",")))
	if got.Present != 60 || got.Tombstones != 120 || len(read(t, files, []Digest{got.Digest})) != 180 {
		t.Errorf("layer %+v", got)
	}
}
