package shelf

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"gondola/internal/catalog"
)

// world is a generated question with what its stacks read.
type world struct {
	q                       Question
	wanted, sent, unsettled table
}

// aWorld generates a question. What was sent, or began to leave, always says something: rows of plans do.
func aWorld(t *rapid.T, files Files) world {
	told := func(stack []table) ([]Digest, table) {
		for _, file := range stack {
			for key, r := range file {
				r.Item.Blank = 0
				if r.Item.Set == 0 {
					setCell(&r.Item, catalog.Price, "1000")
				}
				file[key] = r
			}
		}
		return writeAll(t, files, stack), overlaid(stack)
	}
	var w world
	wanted := someTables(3).Draw(t, "wanted")
	w.q.Wanted, w.wanted = writeAll(t, files, wanted), overlaid(wanted)
	sent, unsettled := someTables(2).Draw(t, "sent"), someTables(2).Draw(t, "unsettled")
	if rapid.Bool().Draw(t, "in step") {
		// As after a plan that arrived: what was sent is what is wanted, but for what a later export changed.
		sent = append(sent, plain(w.wanted))
	}
	w.q.Sent, w.sent = told(sent)
	w.q.Unsettled, w.unsettled = told(unsettled)
	w.q.Full = rapid.IntRange(0, 3).Draw(t, "full") == 0
	w.q.Parts = rapid.IntRange(0, 3).Draw(t, "parts")
	if rapid.Bool().Draw(t, "says") {
		w.q.Says = func(it catalog.Item) catalog.Fields { return it.Set &^ catalog.MaxSales }
	}
	return w
}

// plain returns the records of a table that say something, without blanks, as rows have them.
func plain(from table) table {
	file := table{}
	for key, r := range from {
		r.Item.Blank = 0
		if r.Item.Set != 0 {
			file[key] = r
		}
	}
	return file
}

func (w world) says(it catalog.Item) catalog.Fields {
	if w.q.Says == nil {
		return it.Set
	}
	return w.q.Says(it)
}

// want returns one field as the plan must take it: what is wanted, but that an article which is back is on.
func (w world) want(key string, f catalog.Fields) string {
	wanted := w.wanted[key]
	text := cell(wanted.Item, f)
	if f != catalog.Active || wanted.Key == "" || wanted.Gone != 0 || text == "true" || text == "false" {
		return text
	}
	for _, told := range []Record{w.sent[key], w.unsettled[key]} {
		if told.Gone != 0 && cell(told.Item, f) == "false" {
			return "true"
		}
	}
	return text
}

// row is the naive row of a key, and whether it differs.
func (w world) row(key string) (row Record, differs bool) {
	row = w.wanted[key]
	if row.Key == "" {
		row = w.unsettled[key]
	}
	sent, unsettled := w.sent[key], w.unsettled[key]
	if row.Item.SKU == "" {
		row.Item.SKU = unsettled.Item.SKU
	}
	if row.Item.Barcode == "" {
		row.Item.Barcode = unsettled.Item.Barcode
	}
	for _, f := range fields {
		want, left := w.want(key, f), cell(unsettled.Item, f)
		if want == "" || want == "." {
			setCell(&row.Item, f, left)
			continue
		}
		setCell(&row.Item, f, want)
		if want != cell(sent.Item, f) || left != "" && want != left {
			differs = true
		}
	}
	return row, differs && w.says(row.Item) != 0
}

func TestPlanLikeTheModel(t *testing.T) {
	files := newTestFiles(t)
	var planned, none, full int
	rapid.Check(t, func(t *rapid.T) {
		w := aWorld(t, files)
		s, err := files.Plan(w.q)
		if err != nil {
			t.Fatal(err)
		}
		want := table{}
		differs := map[string]bool{}
		for _, key := range keys {
			row, d := w.row(key)
			differs[key] = d
			if w.says(row.Item) != 0 && (d || w.q.Full || w.unsettled[key].Key != "") {
				want[key] = row
			}
		}
		count := 0
		for _, d := range differs {
			if d {
				count++
			}
		}
		if s.Differs != count {
			t.Fatalf("%d articles differ, want %d", s.Differs, count)
		}
		checkRows(t, files, w, want, differs)
		if count == 0 && !w.q.Full {
			none++
			if len(s.Parts) != 0 || s.Rows != 0 {
				t.Fatalf("a plan without a difference: %+v", s)
			}
			return
		}
		planned++
		if w.q.Full {
			full++
		}
		if s.Rows != len(want) {
			t.Fatalf("%d rows, want %d", s.Rows, len(want))
		}
		checkParts(t, files, w, s, want)
		again, err := files.Plan(w.q)
		if diff := cmp.Diff(s, again); err != nil || diff != "" {
			t.Fatalf("the same question again: %v (-first +second):\n%s", err, diff)
		}
	})
	if planned == 0 || none == 0 || full == 0 {
		t.Errorf("%d plans, %d of them full, %d empty ones: one kind was never tried", planned, full, none)
	}
}

// checkRows holds Rows and Diff against the model.
func checkRows(t *rapid.T, files Files, w world, want table, differs map[string]bool) {
	t.Helper()
	var got []Record
	rows, err := files.Rows(w.q, func(row, sent Record, d bool) error {
		got = append(got, row)
		if sent != w.sent[row.Key] || d != differs[row.Key] {
			t.Fatalf("row %q with sent %+v, differs %t; want %+v, %t", row.Key, sent, d, w.sent[row.Key], differs[row.Key])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sorted(want), got); diff != "" {
		t.Fatalf("rows (-want +got):\n%s", diff)
	}
	counts, err := files.Diff(w.q)
	if diff := cmp.Diff(rows, counts); err != nil || diff != "" {
		t.Fatalf("Diff: %v (-Rows +Diff):\n%s", err, diff)
	}
}

// checkParts checks that the parts are the rows, each where its key belongs.
func checkParts(t *rapid.T, files Files, w world, s Summary, want table) {
	t.Helper()
	parts := make([]table, max(w.q.Parts, 1))
	for key, r := range want {
		n := partOf(key, len(parts))
		if parts[n] == nil {
			parts[n] = table{}
		}
		parts[n][key] = r
	}
	left := s.Parts
	for n, rows := range parts {
		if rows == nil {
			continue
		}
		if len(left) == 0 || left[0].Number != n+1 || left[0].Rows != len(rows) {
			t.Fatalf("parts %+v, want part %d with %d rows next", left, n+1, len(rows))
		}
		if diff := cmp.Diff(sorted(rows), read(t, files, []Digest{left[0].Digest})); diff != "" {
			t.Fatalf("part %d (-want +got):\n%s", n+1, diff)
		}
		var said catalog.Fields
		for _, r := range rows {
			said |= w.says(r.Item)
		}
		if left[0].Fields != said {
			t.Fatalf("part %d has fields %b, want %b", n+1, left[0].Fields, said)
		}
		left = left[1:]
	}
	if len(left) > 0 {
		t.Fatalf("parts without rows: %+v", left)
	}
}

// Whatever was sent, with the plan on top the platform has all that is wanted; and a plan says nothing that a full one would not.
func TestPlanBringsThePlatformToWanted(t *testing.T) {
	files := newTestFiles(t)
	rapid.Check(t, func(t *rapid.T) {
		w := aWorld(t, files)
		w.q.Says = nil
		s, err := files.Plan(w.q)
		if err != nil {
			t.Fatal(err)
		}
		told := w.q.Sent
		for _, p := range s.Parts {
			told = append(told[:len(told):len(told)], p.Digest)
		}
		after := table{}
		for _, r := range read(t, files, told) {
			after[r.Key] = r
		}
		for key := range w.wanted {
			for _, f := range fields {
				want := w.want(key, f)
				if want != "" && want != "." && cell(after[key].Item, f) != want {
					t.Fatalf("article %q field %d: the platform has %q, wanted is %q", key, f, cell(after[key].Item, f), want)
				}
			}
		}
		// Once it arrived and settled there is nothing more to say.
		w.q.Sent, w.q.Unsettled, w.q.Full = told, nil, false
		if s, err := files.Plan(w.q); err != nil || len(s.Parts) > 0 {
			t.Fatalf("the plan after: %+v, %v; want nothing", s, err)
		}
		// Nor is there while it is unsettled, for its file lies there.
		w.q.Unsettled = told[len(told)-len(s.Parts):]
		if s, err := files.Plan(w.q); err != nil || len(s.Parts) > 0 {
			t.Fatalf("the plan after, unsettled: %+v, %v; want nothing", s, err)
		}
		// A full plan says at least what this one said.
		w.q.Sent, w.q.Full = told, true
		var fullRows []Record
		if _, err := files.Rows(w.q, func(row, _ Record, _ bool) error { fullRows = append(fullRows, row); return nil }); err != nil {
			t.Fatal(err)
		}
		for _, r := range fullRows {
			if d := r.Item.Differs(after[r.Key].Item); d != 0 && w.unsettled[r.Key].Key == "" {
				t.Fatalf("a full plan would say %+v and the platform has %+v", r, after[r.Key])
			}
		}
	})
}

func TestChangeCounts(t *testing.T) {
	files := newTestFiles(t)
	rapid.Check(t, func(t *rapid.T) {
		w := aWorld(t, files)
		s, err := files.Diff(w.q)
		if err != nil {
			t.Fatal(err)
		}
		var want Change
		for key := range w.wanted {
			has, diff := 0, map[catalog.Fields]bool{}
			it := catalog.Item{}
			for _, f := range fields {
				text := w.want(key, f)
				setCell(&it, f, text)
				if text == "" || text == "." {
					continue
				}
				has++
				if text != cell(w.sent[key].Item, f) {
					diff[f] = true
				}
			}
			sent, known := w.sent[key]
			switch {
			case has == 0:
				continue
			case len(diff) == 0:
				want.Same++
				continue
			case !known:
				want.New++
				continue
			}
			counted := false
			if diff[catalog.Price] && cell(sent.Item, catalog.Price) != "" {
				counted = true
				if it.Price > sent.Item.Price {
					want.PriceUp++
				} else {
					want.PriceDown++
				}
			}
			if off(it) != off(sent.Item) {
				counted = true
				if off(it) {
					want.SwitchedOff++
				} else {
					want.SwitchedOn++
				}
			}
			if !counted {
				want.Other++
			}
		}
		if diff := cmp.Diff(want, s.Change); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func shown(key string, active bool) Record {
	return Record{Key: key, Item: catalog.Item{SKU: key, Set: catalog.Active, Active: active}}
}

func both(r Record, price catalog.Money) Record {
	r.Item.Set |= catalog.Price
	r.Item.Price = price
	return r
}

// The rules of the package comment, one by one.
func TestPlanRules(t *testing.T) {
	grave := shown("a", false)
	grave.Gone = today
	for _, tc := range []struct {
		name                    string
		wanted, sent, unsettled []table
		full                    bool
		want                    []Record
	}{
		{name: "nothing at all"},
		{name: "nothing new", wanted: []table{{"a": priced("a", 1)}}, sent: []table{{"a": priced("a", 1)}}},
		{name: "a new article", wanted: []table{{"a": priced("a", 1)}}, want: []Record{priced("a", 1)}},
		{
			name: "what stays goes along with what changes", wanted: []table{{"a": both(shown("a", true), 2)}},
			sent: []table{{"a": both(shown("a", true), 1)}}, want: []Record{both(shown("a", true), 2)},
		},
		{name: "no longer wanted is no difference", sent: []table{{"a": priced("a", 1)}}},
		{
			name: "a full plan repeats what is wanted and nothing else", full: true, wanted: []table{{"a": priced("a", 1)}},
			sent: []table{{"a": priced("a", 1), "b": priced("b", 1)}}, want: []Record{priced("a", 1)},
		},
		{
			name: "unsettled goes along", wanted: []table{{"a": priced("a", 1), "b": priced("b", 2)}},
			sent: []table{{"a": priced("a", 1), "b": priced("b", 1)}}, unsettled: []table{{"a": priced("a", 1)}},
			want: []Record{priced("a", 1), priced("b", 2)},
		},
		{
			name: "unsettled alone is no plan", wanted: []table{{"a": priced("a", 1)}}, sent: []table{{"a": priced("a", 1)}},
			unsettled: []table{{"a": priced("a", 1)}},
		},
		{
			name: "back to what was sent, while another value may have been read", wanted: []table{{"a": priced("a", 1)}},
			sent: []table{{"a": priced("a", 1)}}, unsettled: []table{{"a": priced("a", 2)}}, want: []Record{priced("a", 1)},
		},
		{
			name: "of what left without a field, what was sent holds", wanted: []table{{"a": both(shown("a", true), 2)}},
			sent: []table{{"a": both(shown("a", true), 2)}}, unsettled: []table{{"a": priced("a", 2)}},
		},
		{
			name: "a field no longer wanted keeps what began to leave", wanted: []table{{"a": priced("a", 2)}},
			sent: []table{{"a": both(shown("a", true), 1)}}, unsettled: []table{{"a": both(shown("a", false), 1)}},
			want: []Record{both(shown("a", false), 2)},
		},
		{
			name: "an article no longer wanted keeps all that began to leave", wanted: []table{{"b": priced("b", 2)}},
			unsettled: []table{{"a": both(shown("a", false), 1)}}, want: []Record{both(shown("a", false), 1), priced("b", 2)},
		},
		{name: "a tombstone", wanted: []table{{"a": grave}}, sent: []table{{"a": priced("a", 1)}}, want: []Record{grave}},
		{
			name: "back, in an export that has no word for it", wanted: []table{{"a": priced("a", 1)}},
			sent: []table{{"a": priced("a", 1)}, {"a": grave}}, want: []Record{both(shown("a", true), 1)},
		},
		{
			name: "back before the tombstone arrived", wanted: []table{{"a": priced("a", 1)}},
			sent: []table{{"a": priced("a", 1)}}, unsettled: []table{{"a": grave}}, want: []Record{both(shown("a", true), 1)},
		},
		{
			name: "back, and a feed says that it is off", wanted: []table{{"a": both(shown("a", false), 1)}},
			sent: []table{{"a": priced("a", 1)}, {"a": grave}},
		},
		{
			name: "off for another reason stays off", wanted: []table{{"a": priced("a", 1)}},
			sent: []table{{"a": both(shown("a", false), 1)}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := newTestFiles(t)
			s, err := files.Plan(Question{
				Wanted: writeAll(t, files, tc.wanted), Sent: writeAll(t, files, tc.sent), Unsettled: writeAll(t, files, tc.unsettled), Full: tc.full,
			})
			if err != nil {
				t.Fatal(err)
			}
			var got []Record
			for _, p := range s.Parts {
				got = append(got, read(t, files, []Digest{p.Digest})...)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if tc.want == nil && s.Differs+s.Rows != 0 {
				t.Errorf("summary %+v of no plan", s)
			}
		})
	}
}

// A document can hold one of two fields: a change between what was told and what was not is still a difference. This is the
// platform's rule about active and quantity.
func TestPlanToldThroughAnotherField(t *testing.T) {
	files := newTestFiles(t)
	stocked := func(active bool) table {
		r := shown("a", active)
		r.Item.Set |= catalog.Quantity
		r.Item.Quantity = 5
		return table{"a": r}
	}
	says := func(it catalog.Item) catalog.Fields {
		if it.Active {
			return it.Set &^ catalog.Active
		}
		return it.Set &^ catalog.Quantity
	}
	s, err := files.Plan(Question{Wanted: []Digest{write(t, files, stocked(true))}, Sent: []Digest{write(t, files, stocked(false))}, Says: says})
	if err != nil || len(s.Parts) != 1 || s.Parts[0].Fields != catalog.Quantity {
		t.Errorf("switched on by its quantity: %+v, %v", s, err)
	}
}

// Parts are told apart by this for years: these numbers are the published test vectors of FNV-1a.
func TestPartOfNeverChanges(t *testing.T) {
	for key, hash := range map[string]uint32{"": 0x811c9dc5, "a": 0xe40c292c, "foobar": 0xbf9cf968} {
		for _, parts := range []int{2, 3, 7, 100} {
			if got, want := partOf(key, parts), int(hash%uint32(parts)); got != want {
				t.Errorf("partOf(%q, %d) = %d, want %d", key, parts, got, want)
			}
		}
		if partOf(key, 0) != 0 || partOf(key, 1) != 0 {
			t.Errorf("partOf(%q) of one part is not 0", key)
		}
	}
}

func TestPlanAbortsOnErrors(t *testing.T) {
	files := newTestFiles(t)
	d := write(t, files, table{"a": priced("a", 1), "b": priced("b", 1), "c": priced("c", 1)})
	damage(t, files, d)
	if s, err := files.Plan(Question{Wanted: []Digest{d}, Parts: 3}); err == nil || len(s.Parts) > 0 {
		t.Errorf("Plan over a damaged file = %+v, %v", s, err)
	}
	if all := lying(t, files.Dir); len(all) != 1 {
		t.Errorf("files = %v, want only the damaged one", all)
	}
}

// TestWalkPlan walks what was never said anything of as walk does, with what ends that early.
func TestWalkPlan(t *testing.T) {
	defer goleak.VerifyNone(t)
	const rows = (aheadBatches+1)*aheadRecords + 3
	files := Files{Dir: t.TempDir()}
	broken := errors.New("broken")
	for name, tc := range map[string]struct {
		files   int
		damaged bool
		stop    int // the record at which whoever walks has enough
	}{
		"nothing": {}, "one file": {files: 1}, "two files": {files: 2}, "damaged": {files: 2, damaged: true},
		"stopped at once": {files: 1, stop: 1}, "stopped later": {files: 2, stop: rows - 1}, "stopped before the damage": {files: 1, damaged: true, stop: 5},
	} {
		var wanted []Digest
		for n := range tc.files {
			w, err := files.Create()
			if err != nil {
				t.Fatal(err)
			}
			for i := range rows {
				if err := w.Add(priced(fmt.Sprintf("k%06d", i*(n+1)), catalog.Money(i))); err != nil {
					t.Fatal(err)
				}
			}
			d, err := w.Commit()
			if err != nil {
				t.Fatal(err)
			}
			if tc.damaged && n == 0 {
				text, err := os.ReadFile(files.Path(d))
				if err != nil {
					t.Fatal(err)
				}
				d = Digest(strings.Repeat("d", 64))
				cut := text[:bytes.LastIndexByte(text[:len(text)-1], '\n')+4]
				if err := errors.Join(os.MkdirAll(filepath.Dir(files.Path(d)), 0o700), os.WriteFile(files.Path(d), cut, 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			wanted = append(wanted, d)
		}
		take := func(into *[]Record) func([]Record) error {
			return func(r []Record) error {
				if len(r) != 6 || slices.ContainsFunc(r[1:], func(r Record) bool { return r.Key != "" }) {
					t.Errorf("%s: %v", name, r)
				}
				if *into = append(*into, r[atWanted]); len(*into) == tc.stop {
					return broken
				}
				return nil
			}
		}
		var got, want []Record
		gerr := files.walkPlan(Question{Wanted: wanted, Of: []Digest{}}, nil, take(&got))
		werr := files.walk([][]Digest{wanted, nil, nil, nil, nil, nil}, nil, take(&want))
		if diff := cmp.Diff(want, got); diff != "" || fmt.Sprint(gerr) != fmt.Sprint(werr) {
			t.Errorf("%s: %v, want %v (-want +got)\n%s", name, gerr, werr, diff)
		}
		if (gerr != nil) != (tc.damaged || tc.stop > 0) || tc.stop > 0 && !errors.Is(gerr, broken) {
			t.Errorf("%s: %v", name, gerr)
		}
	}
}
