package shelf

import (
	"strings"
	"testing"

	"gondola/internal/catalog"
)

func TestOf(t *testing.T) {
	files := newTestFiles(t)
	stack := stackOf(t, files, "k:1000, k2:5, kk:7, k/A=900, k2/C=1 | k:1200, k/B=20%")
	for item, want := range map[string]string{
		"k": "k:1200, k/A=900, k/B=20%", "k2": "k2:5, k2/C=1", "kk": "kk:7", "a": "", "z": "", "k1": "",
	} {
		got, err := files.Of(stack, item)
		if err != nil {
			t.Fatal(err)
		}
		if shorts(got) != want {
			t.Errorf("%s: %s, want %s", item, shorts(got), want)
		}
	}
	damage(t, files, stack[0])
	if _, err := files.Of(stack, "zz"); err == nil {
		t.Error("a damaged file was read without a word")
	}
}

func TestKeyOf(t *testing.T) {
	files := newTestFiles(t)
	stack := []Digest{write(t, files, table{
		"A": {Key: "A", Item: catalog.Item{SKU: "A", Barcode: "0779089500", Set: catalog.Price, Price: 1}},
		"B": {Key: "B", Item: catalog.Item{SKU: "B", Set: catalog.Price, Price: 1}},
	})}
	promotions := stackOf(t, files, "k/A=900")
	for identifier, want := range map[string]string{"A": "A", "779089500": "A", "00779089500": "A", "B": "B", "0": "", "": "", "C": ""} {
		if got, err := files.KeyOf(stack, identifier); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", identifier, got, err, want)
		}
	}
	p := *read(t, files, promotions)[0].Promotion
	if got, err := files.KeyOf(promotions, p.SKU); err != nil || got != "k" {
		t.Errorf("of a promotion: %q, %v", got, err)
	}
}

// Nobody knows what was switched off while the state was lost: what says by itself that it is on, or is off as a tombstone, needs no doubt.
func TestDoubtful(t *testing.T) {
	files := newTestFiles(t)
	d, err := files.Doubtful(append(itemFile(t, files, "a 100, b 200 on, c 300 off, d gone, e 5"), stackOf(t, files, "k/A=900")...), 20)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := itemsOf(t, files, []Digest{d}), "a gone, e gone"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// On top of what was sent it makes the next plan say that they are on.
	wanted := itemFile(t, files, "a 100, b 200 on")
	var rows []string
	_, err = files.Rows(Question{Wanted: wanted, Sent: append(itemFile(t, files, "a 100, b 200 on"), d)}, func(row, _ Record, differs bool) error {
		rows = append(rows, row.Key+" "+cell(row.Item, catalog.Active))
		return nil
	})
	if err != nil || strings.Join(rows, ", ") != "a true" {
		t.Errorf("rows %v, %v; want that a is on", rows, err)
	}
	if none, err := files.Doubtful(itemFile(t, files, "b 200 on"), 20); err != nil || none != "" {
		t.Errorf("nothing to doubt: %q, %v", none, err)
	}
}

// TestScratch looks with files of its own and leaves nothing in the folder.
func TestScratch(t *testing.T) {
	files := newTestFiles(t)
	old := itemFile(t, files, "a 100")
	before := len(lying(t, files.Dir))
	look := Files{Dir: files.Dir, Scratch: t.TempDir()}
	stack := append(old, itemFile(t, look, "a 150, b 200")...)
	if got := itemsOf(t, look, stack); got != "a 150, b 200" {
		t.Errorf("read: %s", got)
	}
	if after := len(lying(t, files.Dir)); after != before {
		t.Errorf("%d files, %d before", after, before)
	}
	if _, err := files.Overlay(stack[1:]); err == nil {
		t.Error("a file beside the folder was found in it")
	}
}
