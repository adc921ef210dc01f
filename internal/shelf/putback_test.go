package shelf

import (
	"strings"
	"testing"

	"gondola/internal/catalog"
)

// itemFile writes a file of articles: "a 100 on", "b off", "c gone", with a day of its own for those that are gone, "" for no file.
func itemFile(t *testing.T, files Files, text string) []Digest {
	t.Helper()
	if text == "" {
		return nil
	}
	file := table{}
	for _, one := range strings.Split(text, ", ") {
		words := strings.Fields(one)
		r := Record{Key: words[0], Item: catalog.Item{SKU: words[0]}}
		for _, w := range words[1:] {
			switch w {
			case "on", "off":
				r.Item.Set, r.Item.Active = r.Item.Set|catalog.Active, w == "on"
			case "gone":
				r.Item.Set, r.Item.Active, r.Gone = r.Item.Set|catalog.Active, false, 7
			default:
				setCell(&r.Item, catalog.Price, w)
			}
		}
		file[r.Key] = r
	}
	return []Digest{write(t, files, file)}
}

// itemsOf reads a stack back in the form of itemFile.
func itemsOf(t *testing.T, files Files, stack []Digest) string {
	t.Helper()
	var all []string
	for _, r := range read(t, files, stack) {
		one := r.Key
		if price := cell(r.Item, catalog.Price); price != "" {
			one += " " + price
		}
		switch cell(r.Item, catalog.Active) {
		case "true":
			one += " on"
		case "false":
			if r.Gone == 0 {
				one += " off"
			}
		}
		if r.Gone != 0 {
			one += " gone"
		}
		all = append(all, one)
	}
	return strings.Join(all, ", ")
}

func TestPutBackArticles(t *testing.T) {
	for _, tc := range []struct {
		name      string
		then, now string
		want      string // "" = there is nothing to put back
	}{
		{name: "nothing has changed", then: "a 100 on, b 200", now: "a 100 on, b 200"},
		{name: "a price", then: "a 100, b 200", now: "a 150, b 200", want: "a 100, b 200"},
		{name: "nothing was said of it then", then: "a 100", now: "a 150, b 200 on", want: "a 100, b 200 on"},
		{name: "nothing was said of the field then", then: "a 100", now: "a 150 off", want: "a 100 off"},
		{name: "it is not in the layer any more", then: "a 100, b 200 on", now: "a 100", want: "a 100, b 200 on"},
		{name: "it went missing since", then: "a 100", now: "a gone", want: "a 100"},
		{name: "missing since, and what is new", then: "a 100", now: "a 100 gone, b 3", want: "a 100, b 3"},
		{name: "it was missing then", then: "a gone", now: "a 100 on", want: "a gone"},
		{name: "missing then and now", then: "a gone, b 1", now: "a gone, b 2", want: "a gone, b 1"},
		{name: "there was nothing", then: "", now: "a 100"},
		{name: "there is nothing", then: "a 100", now: "", want: "a 100"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := newTestFiles(t)
			now := itemFile(t, files, tc.now)
			l, differs, err := files.PutBack(PutBackSpec{Then: itemFile(t, files, tc.then), Now: now, Today: 20})
			if err != nil {
				t.Fatal(err)
			}
			if tc.want == "" {
				if differs != 0 || l.Digest != "" {
					t.Errorf("%d differ, file %q; want nothing to put back", differs, l.Digest)
				}
				return
			}
			if differs == 0 || !l.Full {
				t.Errorf("%d differ, full %t; want something, and full", differs, l.Full)
			}
			// A full file has nothing below it.
			if got := itemsOf(t, files, []Digest{l.Digest}); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

// What was switched off for being missing then goes with every full document as long as if it went missing today.
func TestPutBackTombstonesAreNew(t *testing.T) {
	files := newTestFiles(t)
	l, _, err := files.PutBack(PutBackSpec{Then: itemFile(t, files, "a gone"), Now: itemFile(t, files, "a 100"), Today: 20})
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, files, []Digest{l.Digest})[0].Gone; got != 20 || l.Tombstones != 1 || l.Present != 0 {
		t.Errorf("gone on day %d, %+v; want 20 and one tombstone", got, l)
	}
}

func TestPutBackPromotions(t *testing.T) {
	for _, tc := range []struct {
		name      string
		then, now string
		want      string
	}{
		{name: "nothing has changed", then: "A=900, b/B=20%", now: "A=900, b/B=20%"},
		{name: "ended since", then: "A=900", now: "A=900 off gone", want: "k/A=900"},
		{name: "forgotten since", then: "A=900, B=1", now: "B=1", want: "k/A=900, k/B=1"},
		{name: "started since", then: "A=900", now: "A=900, B=800", want: "k/A=900, k/B=800 off gone"},
		{name: "there was none", then: "", now: "A=900", want: "k/A=900 off gone"},
		{name: "ended then, running now", then: "A=900 off gone", now: "A=900", want: "k/A=900 off gone"},
		{name: "ended then and now", then: "A=900 off gone, B=1", now: "A=900 off gone, B=2", want: "k/A=900 off gone, k/B=1"},
		{name: "another price", then: "A=900", now: "A=800", want: "k/A=900"},
		{name: "status 0 stays what it is", then: "B=2", now: "A=900 off, B=1", want: "k/A=900 off, k/B=2"},
		{name: "over for long", then: "A=900 long, B=2", now: "B=1", want: "k/B=2"},
		{name: "articles of an earlier mapping", then: "k:1000, A=900", now: "A=800", want: "k/A=900"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := newTestFiles(t)
			l, differs, err := files.PutBack(PutBackSpec{
				Kind: catalog.KindPromotions, Then: stackOf(t, files, tc.then), Now: stackOf(t, files, tc.now), Owner: "f 1", Today: Day(noon.Day()),
			})
			if err != nil {
				t.Fatal(err)
			}
			if tc.want == "" {
				if differs != 0 {
					t.Errorf("%d differ, want none", differs)
				}
				return
			}
			all := read(t, files, []Digest{l.Digest})
			if got := shorts(all); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			for _, r := range all {
				if r.Owner != "f 1" {
					t.Errorf("%s is owned by %q", short(r), r.Owner)
				}
			}
		})
	}
}

func TestPutBackWithDamage(t *testing.T) {
	files := newTestFiles(t)
	then := itemFile(t, files, "a 100, b 200")
	damage(t, files, then[0])
	if _, _, err := files.PutBack(PutBackSpec{Then: then, Today: 20}); err == nil {
		t.Error("a damaged file was put back")
	}
	if rest := lying(t, files.Dir); len(rest) != 1 {
		t.Errorf("left behind: %v", rest)
	}
}
