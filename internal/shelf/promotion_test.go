package shelf

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"gondola/internal/catalog"
)

// noon is the local time that the tests of promotions stand at.
var noon = catalog.WallAt(2026, 5, 10, 12, 0, 0)

const day = catalog.Wall(24 * 60 * 60)

// offered reads a promotion in the short form that these tests are written in: "k/A=900" is a strikethrough of article k in campaign A,
// which runs now. The article may be left out: k. Instead of a price there may be a share, 20%, with the price that was fixed behind an
// at-sign, 20%@800, or a bundle, 2G1. What else there is follows, in any order: off, coming, next (week), past, long (past), x3 (uses an
// order), gone, and line7.
func offered(text string) Record {
	words := strings.Fields(text)
	name, value, _ := strings.Cut(words[0], "=")
	item, campaign, ok := strings.Cut(name, "/")
	if !ok {
		item, campaign = "k", name
	}
	p := catalog.Promotion{
		SKU: item, Campaign: campaign, Reason: "competitiveness", Start: noon - day, End: noon + 7*day,
		Type: catalog.Strikethrough, Active: true,
	}
	units := func(text string) catalog.Money {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			panic(text)
		}
		return catalog.Money(n * 1000)
	}
	share, price, _ := strings.Cut(value, "@")
	switch {
	case strings.HasSuffix(share, "%"):
		p.Percent = catalog.Percent(units(strings.TrimSuffix(share, "%")))
		if price != "" {
			p.Price = units(price)
		}
	case strings.Contains(value, "G"):
		p.Type, p.Benefit = catalog.SameItemBundle, catalog.FreeItem
		p.Buy, p.Get, _ = catalog.ParseDetails("B" + value)
	default:
		p.Price = units(value)
	}
	var r Record
	for _, w := range words[1:] {
		switch {
		case w == "off":
			p.Active = false
		case w == "coming":
			p.Start, p.End = noon+day, noon+7*day
		case w == "next":
			p.Start, p.End = noon+8*day, noon+14*day
		case w == "past":
			p.Start, p.End = noon-7*day, noon-1
		case w == "long":
			p.Start, p.End = noon-60*day, noon-31*day
		case w == "gone":
			r.Gone = Day(noon.Day())
		case strings.HasPrefix(w, "x"):
			p.UsageLimit, _ = strconv.ParseInt(w[1:], 10, 64)
		case strings.HasPrefix(w, "line"):
			r.Line, _ = strconv.Atoi(w[4:])
		default:
			panic(w)
		}
	}
	r.Key, r.Promotion = PromotionKey(item, p), &p
	return r
}

// short writes a promotion as offered reads it; an article by its key and price.
func short(r Record) string {
	p := r.Promotion
	if p == nil {
		return fmt.Sprintf("%s:%s", r.Key, r.Item.Price)
	}
	text := ItemKey(r.Key) + "/" + p.Campaign + "="
	switch {
	case p.Type == catalog.SameItemBundle:
		text += p.Details()[1:]
	case p.Percent != 0 && p.Price != 0:
		text += p.Percent.String() + "%@" + p.Price.String()
	case p.Percent != 0:
		text += p.Percent.String() + "%"
	default:
		text += p.Price.String()
	}
	for _, w := range []struct {
		holds bool
		word  string
	}{
		{p.Start == noon+day, "coming"},
		{p.Start == noon+8*day, "next"},
		{p.End == noon-1, "past"},
		{p.End == noon-31*day, "long"},
		{!p.Active, "off"},
		{r.Gone != 0, "gone"},
		{p.UsageLimit != 0, fmt.Sprint("x", p.UsageLimit)},
		{r.Line != 0, fmt.Sprint("line", r.Line)},
	} {
		if w.holds {
			text += " " + w.word
		}
	}
	return text
}

// tableOf reads promotions, separated by commas; "k:1000" is an article with a price.
func tableOf(text string) table {
	file := table{}
	for _, one := range strings.Split(text, ",") {
		one = strings.TrimSpace(one)
		if one == "" {
			continue
		}
		if key, price, ok := strings.Cut(one, ":"); ok {
			n, _ := strconv.Atoi(price)
			file[key] = priced(key, catalog.Money(n*1000))
			if n == 0 {
				file[key] = shown(key, true)
			}
			continue
		}
		r := offered(one)
		file[r.Key] = r
	}
	return file
}

// stackOf writes files, separated by bars, the lowest first.
func stackOf(t fataler, files Files, text string) []Digest {
	t.Helper()
	if text == "" {
		return nil
	}
	var all []Digest
	for _, file := range strings.Split(text, "|") {
		all = append(all, write(t, files, tableOf(file)))
	}
	return all
}

// shorts writes records as tableOf reads them.
func shorts(all []Record) string {
	var texts []string
	for _, r := range all {
		texts = append(texts, short(r))
	}
	return strings.Join(texts, ", ")
}

func TestPromotionKey(t *testing.T) {
	p := *offered("10/3x2=2G1").Promotion
	const want = "10\x013x2\x012026-05-09 12:00:00\x012026-05-17 12:00:00\x01same_item_bundle\x01free_item\x01B2G1"
	if got := PromotionKey("10", p); got != want {
		t.Errorf("PromotionKey = %q, want %q", got, want)
	}
	for key, item := range map[string]string{want: "10", "10": "10", "": ""} {
		if got := ItemKey(key); got != item {
			t.Errorf("ItemKey(%q) = %q, want %q", key, got, item)
		}
	}
	// What is not part of it: price, share, amount, reason, limits, status, the other identifier.
	q := p
	q.Price, q.Percent, q.Amount, q.Reason, q.UsageLimit, q.MaxOrders, q.MaxSales, q.Active, q.Barcode = 1, 2, 3, "x", 4, 5, 6, false, "77"
	if PromotionKey("10", q) != want {
		t.Error("a changed promotion has another key")
	}
	// Articles and promotions of all of them, in the order of files.
	keys := []string{"1", PromotionKey("1", p), PromotionKey("1", *offered("1/b=9").Promotion), "1!", PromotionKey("1!", p), "10", want, "100"}
	if !slices.IsSorted(keys) {
		t.Errorf("promotions are not right behind their article: %q", keys)
	}
}

// The form of a line is on disks: it may only change with a migration.
func TestPromotionLineForm(t *testing.T) {
	r := offered("A-1/Semana=20%@990 off x3 gone line7")
	r.Promotion.Barcode, r.Promotion.Reason, r.Promotion.MaxOrders, r.Promotion.MaxSales = "0077", "competitiveness", 999, 4
	r.Owner, r.Promotion.Stores = "promos 290056", "all;s8ym"
	want := r.Key + "\tA-1\t0077\tcompetitiveness\t990000\t20000\t\t3\t999\t4\tfalse\t20583\t7\tpromos 290056\tall;s8ym\n"
	if got, err := r.append(nil); err != nil || string(got) != want {
		t.Errorf("append = %q, %v; want %q", got, err, want)
	}
}

func aPromotion() *rapid.Generator[catalog.Promotion] {
	text := rapid.StringMatching(`[^\x00-\x1f\x7f]{0,12}`)
	number := rapid.SampledFrom([]int64{0, 0, 1, 999, 1_000_000_000_000})
	return rapid.Custom(func(t *rapid.T) catalog.Promotion {
		p := catalog.Promotion{
			SKU: text.Draw(t, "sku"), Barcode: text.Draw(t, "barcode"), Campaign: text.Draw(t, "campaign"), Reason: text.Draw(t, "reason"),
			Start: catalog.Wall(rapid.Int64Range(0, 4e9).Draw(t, "start")), End: catalog.Wall(rapid.Int64Range(0, 4e9).Draw(t, "end")),
			Type: catalog.Strikethrough, Price: catalog.Money(number.Draw(t, "price")), Percent: catalog.Percent(number.Draw(t, "percent")),
			Amount: catalog.Money(number.Draw(t, "amount")), UsageLimit: number.Draw(t, "uses"), MaxOrders: number.Draw(t, "orders"),
			MaxSales: number.Draw(t, "sales"), Active: rapid.Bool().Draw(t, "active"),
		}
		if rapid.Bool().Draw(t, "bundle") {
			p.Type, p.Benefit = catalog.SameItemBundle, rapid.SampledFrom([]catalog.Benefit{catalog.FreeItem, catalog.PercentOff}).Draw(t, "benefit")
			p.Buy, p.Get = rapid.IntRange(1, 99).Draw(t, "buy"), rapid.IntRange(1, 99).Draw(t, "get")
		}
		return p
	})
}

func TestPromotionLineRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := aPromotion().Draw(t, "promotion")
		item := rapid.StringMatching(`[^\x00-\x1f\x7f]{1,12}`).Draw(t, "item")
		want := Record{Key: PromotionKey(item, p), Promotion: &p, Gone: Day(rapid.Int32().Draw(t, "gone")), Line: rapid.IntRange(0, 1e6).Draw(t, "line")}
		line, err := want.append(nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseRecord(strings.TrimSuffix(string(line), "\n"))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatalf("line %q, %v (-want +got):\n%s", line, err, diff)
		}
	})
}

func TestPromotionRecordRefuses(t *testing.T) {
	for name, change := range map[string]func(*Record){
		"a tab in the campaign":         func(r *Record) { r.Promotion.Campaign = "a\tb" },
		"the separator in the campaign": func(r *Record) { r.Promotion.Campaign = "a\x01b" },
		"a line end in the reason":      func(r *Record) { r.Promotion.Reason = "a\nb" },
		"a control character in a SKU":  func(r *Record) { r.Promotion.SKU = "a\x7f" },
		"an unreadable bundle":          func(r *Record) { r.Promotion.Type, r.Promotion.Buy = catalog.SameItemBundle, 0 },
		"no article":                    func(r *Record) { r.Key = PromotionKey("", *r.Promotion) },
		"a year that no file can hold":  func(r *Record) { r.Promotion.End = catalog.WallAt(12026, 1, 1, 0, 0, 0) },
	} {
		r := offered("a=1")
		change(&r)
		if ItemKey(r.Key) != "" {
			r.Key = PromotionKey("k", *r.Promotion)
		}
		if line, err := r.append(nil); err == nil || len(line) != 0 {
			t.Errorf("%s: append = %q, %v; want it refused and nothing written", name, line, err)
		}
	}
	r := offered("a=1")
	r.Promotion.Campaign = "b"
	if _, err := r.append(nil); err == nil {
		t.Error("a promotion under the key of another one was taken")
	}
}

func TestParsePromotionRefusesDamage(t *testing.T) {
	line, err := offered("a=900 x3").append(nil)
	if err != nil {
		t.Fatal(err)
	}
	good := strings.TrimSuffix(string(line), "\n")
	if _, err := parseRecord(good); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"a field lost":       good[:strings.LastIndexByte(good, '\t')],
		"a field too many":   good + "\t",
		"no status":          strings.Replace(good, "true", "", 1),
		"price no number":    strings.Replace(good, "\t900000", "\t9x", 1),
		"no article":         good[1:],
		"no campaign at all": strings.Replace(good, "\x01a", "", 1),
		"no date":            strings.Replace(good, "2026-05-09", "2026-05-39", 1),
		"details of none":    strings.Replace(good, "\x01\x01\t", "\x01\x01B1G1\t", 1),
		"no day":             strings.Replace(good, "true\t\t", "true\t3000000000\t", 1),
	} {
		if bad == good {
			t.Fatalf("%s: nothing was damaged", name)
		}
		if r, err := parseRecord(bad); !errors.Is(err, errLine) || r != (Record{}) {
			t.Errorf("%s: parseRecord = %+v, %v; want %v", name, r, err, errLine)
		}
	}
}

// Of a promotion the topmost record holds as a whole, whichever way it is read.
func TestOverlayOfPromotions(t *testing.T) {
	for _, tc := range []struct{ stack, want string }{
		{"A=900 | A=800", "k/A=800"},
		{"A=900 x3 | A=800", "k/A=800"},
		{"A=900 | A=900 off gone", "k/A=900 off gone"},
		{"A=900 off gone | A=900", "k/A=900"},
		{"A=900 off gone | A=900 off", "k/A=900 off"},
		{"A=900 | B=800", "k/A=900, k/B=800"},
		{"k:1000, A=900 | k:950", "k:950, k/A=900"},
		{"A=900 | k/A=900 next", "k/A=900, k/A=900 next"},
	} {
		files := newTestFiles(t)
		stack := stackOf(t, files, tc.stack)
		if got := shorts(read(t, files, stack)); got != tc.want {
			t.Errorf("%s reads %s, want %s", tc.stack, got, tc.want)
		}
		one, err := files.Compact(stack, Day(noon.Day()))
		if err != nil {
			t.Fatal(err)
		}
		if got := linesOf(t, files, stack); got != tc.want {
			t.Errorf("%s has the lines %s, want %s", tc.stack, got, tc.want)
		}
		s, err := files.Diff(Question{Wanted: stack, Sent: []Digest{one.Digest}})
		if n := strings.Count(tc.want, ",") + 1; err != nil || s.Change.Same != n || s.Differs != 0 {
			t.Errorf("%s with itself: %+v, %v; want %d the same", tc.stack, s, err, n)
		}
	}
}

// linesOf reads a stack by its merged lines.
func linesOf(t *testing.T, files Files, stack []Digest) string {
	t.Helper()
	o, err := files.Overlay(stack)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	var all []Record
	for o.advance() {
		r, err := parseRecord(string(o.line()))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return shorts(all)
}

func TestSorterOfPromotions(t *testing.T) {
	row := func(line int, text string) Row {
		r := offered(text)
		p := *r.Promotion
		return Row{Vendor: "1", Item: catalog.Item{SKU: p.SKU}, Promotion: &p, Line: line}
	}
	rejected := func(line int, sku string) Row {
		return Row{Vendor: "1", Item: catalog.Item{SKU: sku}, Line: line, Rejected: true}
	}
	for _, tc := range []struct {
		name  string
		rows  []Row
		want  string // "!" is a rejected row
		twice []Twice
	}{
		{"by article, then campaign", []Row{row(2, "b/A=1"), row(3, "a/B=1"), row(4, "a/A=1")}, "a/A=1 line4, a/B=1 line3, b/A=1 line2", nil},
		{"two weeks of one campaign", []Row{row(2, "A=1 next"), row(3, "A=1")}, "k/A=1 line3, k/A=1 next line2", nil},
		{"the same twice", []Row{row(2, "A=1"), row(3, "A=1")}, "k/A=1 line3", []Twice{{"1", "k", 3, 2, true}}},
		{"with another price", []Row{row(2, "A=1"), row(3, "A=2")}, "k/A=2 line3", []Twice{{"1", "k", 3, 2, false}}},
		{"with another status", []Row{row(2, "A=1"), row(3, "A=1 off")}, "k/A=1 off line3", []Twice{{"1", "k", 3, 2, false}}},
		{"rejected rows of one article", []Row{rejected(2, "k"), row(3, "A=1"), rejected(4, "k")}, "k!, k/A=1 line3", nil},
		{"rejected between", []Row{row(2, "k/A=1"), rejected(3, "k"), row(4, "k/A=1")}, "k!, k/A=1 line4", []Twice{{"1", "k", 4, 2, true}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, _ := sortRows(t, catalog.BySKU, t.TempDir(), 1, tc.rows)
			var texts []string
			for _, r := range got.Rows {
				text := short(r.Record)
				if r.Rejected {
					text = r.Key + "!"
				}
				texts = append(texts, text)
			}
			if rows := strings.Join(texts, ", "); rows != tc.want {
				t.Errorf("rows = %s, want %s", rows, tc.want)
			}
			if diff := cmp.Diff(tc.twice, got.Twice); diff != "" {
				t.Errorf("twice (-want +got):\n%s", diff)
			}
		})
	}
}

// Layers of promotions pass the brake; the articles of an export beside them are judged as ever.
func TestBrakeLeavesPromotionsAlone(t *testing.T) {
	files := newTestFiles(t)
	running, ended := table{}, table{}
	for i := range 100 {
		r := offered(fmt.Sprintf("%03d/A=900", i))
		running[r.Key] = r
		if i < 40 {
			r = r.ended()
			r.Gone = today
			ended[r.Key] = r
		}
	}
	brake := Brake{Deactivate: 0.2, Shrink: 0.2}
	if got, err := files.Check(brake, []Digest{write(t, files, ended)}, []Digest{write(t, files, running)}, nil); err != nil || got != nil {
		t.Errorf("Check of promotions = %+v, %v; want nothing against them", got, err)
	}
	maps.Copy(running, layerOf(100, 0, 0))
	maps.Copy(ended, layerOf(70, 30, 0))
	if got, err := files.Check(brake, []Digest{write(t, files, ended)}, []Digest{write(t, files, running)}, nil); err != nil || len(got) != 1 {
		t.Errorf("Check of articles beside promotions = %+v, %v; want one finding", got, err)
	}
}
