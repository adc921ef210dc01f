package shelf

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"gondola/internal/catalog"
)

// TestAlikeIsWhatLinesSay compares with what comes out line by line.
func TestAlikeIsWhatLinesSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var x, y []byte
		for i := range rapid.IntRange(0, 60).Draw(t, "articles") {
			r := priced(fmt.Sprintf("k%03d", 2*i), 5)
			x, _ = r.append(x)
			if rapid.IntRange(0, 40).Draw(t, "changed") == 0 {
				r.Item.Price++
			}
			y, _ = r.append(y)
		}
		// Memory ends anywhere.
		x = x[:rapid.IntRange(0, len(x)).Draw(t, "first ends")]
		y = y[:rapid.IntRange(0, len(y)).Draw(t, "second ends")]
		var limit []byte
		if rapid.Bool().Draw(t, "limited") {
			limit = fmt.Appendf(nil, "k%03d", rapid.IntRange(0, 125).Draw(t, "limit"))
		}
		wantSize, wantLines := 0, 0
		for {
			line, _, whole := bytes.Cut(x[wantSize:], []byte{'\n'})
			key, _, _ := bytes.Cut(line, []byte{'\t'})
			line = append(bytes.Clone(line), '\n')
			if !whole || !bytes.HasPrefix(y[wantSize:], line) || limit != nil && bytes.Compare(key, limit) >= 0 {
				break
			}
			wantSize, wantLines = wantSize+len(line), wantLines+1
		}
		if size, lines := alike(x, y, limit); size != wantSize || lines != wantLines {
			t.Fatalf("%d bytes, %d lines; want %d, %d", size, lines, wantSize, wantLines)
		}
	})
}

// TestAlikeStops before what is to be looked at line by line.
func TestAlikeStops(t *testing.T) {
	const article = "a\ta\t\t1\t\t\t\t\n"
	for name, tc := range map[string]struct {
		text  string
		lines int
	}{
		"an article":  {article, 1},
		"a promotion": {article + "a\x01p\tx\n" + article, 1},
		"no line end": {article + "b\tb", 1},
		"no key":      {article + "\tb\t\t1\t\t\t\t\n", 0},
		"no key yet":  {"\tb\t\t1\t\t\t\t\n", 0},
		"a tab lost":  {article + "bbbb\n", 0},
		"nothing":     {"", 0},
	} {
		if _, lines := alike([]byte(tc.text), []byte(tc.text), nil); lines != tc.lines {
			t.Errorf("%s: %d lines, want %d", name, lines, tc.lines)
		}
	}
}

// TestDiffOfLargeShelves goes through more than memory holds of a file, with articles that came, went and changed, and others on top.
func TestDiffOfLargeShelves(t *testing.T) {
	const articles = 30_000
	for _, every := range []int{2, 50, 3000, articles} {
		t.Run(fmt.Sprint("one of ", every), func(t *testing.T) {
			files, random := newTestFiles(t), rand.New(rand.NewPCG(1, uint64(every)))
			wanted, above, sent, unsettled := table{}, table{}, table{}, table{}
			want := Change{}
			differ := map[string]bool{}
			for i := range articles {
				r := priced(fmt.Sprintf("%06d", i), 1000)
				r.Item.Barcode = strings.Repeat("7", i%30)
				wanted[r.Key], sent[r.Key] = r, r
				dearer := priced(r.Key, 1001)
				switch n := random.IntN(6 * every); {
				case n < 2: // changed
					sent[r.Key] = dearer
					want.PriceDown++
					differ[r.Key] = true
				case n == 2: // came
					delete(sent, r.Key)
					want.New++
					differ[r.Key] = true
				case n == 3: // nothing is said of it any more
					delete(wanted, r.Key)
				case n == 4: // changed by a file on top
					above[r.Key] = dearer
					want.PriceUp++
					differ[r.Key] = true
				case n == 5: // the same, but it began to leave otherwise
					unsettled[r.Key] = dearer
					want.Same++
					differ[r.Key] = true
				default:
					want.Same++
				}
			}
			q := Question{
				Wanted:    []Digest{write(t, files, wanted), write(t, files, above)},
				Sent:      []Digest{write(t, files, sent)},
				Unsettled: []Digest{write(t, files, unsettled)},
			}
			got := map[string]bool{}
			s, err := files.Rows(q, func(row, _ Record, differs bool) error {
				if differs {
					got[row.Key] = true
				}
				return nil
			})
			if err != nil || s.Change != want || s.Differs != len(differ) || len(got) != len(differ) {
				t.Fatalf("%+v, %d differ, %v; want %+v, %d", s.Change, s.Differs, err, want, len(differ))
			}
			for key := range differ {
				if !got[key] {
					t.Errorf("%s is missing", key)
				}
			}
		})
	}
}

// TestAlikeBelowOtherFiles: what lies on top at every key counts.
func TestAlikeBelowOtherFiles(t *testing.T) {
	files := newTestFiles(t)
	sent, stock := table{}, table{}
	for i := range 5000 {
		r := priced(fmt.Sprintf("%05d", i), 1000)
		sent[r.Key] = r
		stock[r.Key] = Record{Key: r.Key, Item: catalog.Item{Set: catalog.Quantity, Quantity: 4}}
	}
	below := write(t, files, sent)
	s, err := files.Diff(Question{Wanted: []Digest{below, write(t, files, stock)}, Sent: []Digest{below}})
	if err != nil || s.Differs != len(sent) || s.Change.Same != 0 {
		t.Errorf("%+v, %d differ, %v; want all", s.Change, s.Differs, err)
	}
}
