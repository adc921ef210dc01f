package shelf

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"gondola/internal/catalog"
)

// fussy is a platform that takes promotions row by row and literally: a start of one that runs in other words, and an end in other words
// than it runs in, are refused. An end of what it does not know does nothing. The order of rows in a file means nothing to it.
type fussy struct {
	live    map[string]catalog.Promotion
	refused []string
}

func (p *fussy) read(t *rapid.T, rows []Record, now catalog.Wall) {
	for _, r := range rapid.Permutation(rows).Draw(t, "order") {
		if r.Promotion.Over(now) {
			continue
		}
		runs, ok := p.live[r.Key]
		row := *r.Promotion
		row.Active = true
		switch {
		case ok && runs != row:
			p.refused = append(p.refused, fmt.Sprintf("%s while it has %s", short(r), short(Record{Key: r.Key, Promotion: &runs})))
		case r.Promotion.Active:
			p.live[r.Key] = row
		default:
			delete(p.live, r.Key)
		}
	}
}

// letter is a document on its way, with what the state knows of it.
type letter struct {
	name      int // the part
	records   Digest
	plan      int
	verified  bool
	unsettled bool
	taken     bool // it was seen to be read
}

// courier is a house in small around the shelf: layers, a plan at a time, files under names, the platform that reads them.
type courier struct {
	files    Files
	dir      string
	mode     LayerSpec
	now      catalog.Wall
	layer    []Digest
	prices   []Digest
	priced   map[string]catalog.Money
	sent     []Digest
	letters  []*letter
	plans    int
	full     bool // the open plan is
	below    Digest
	open     bool
	platform fussy

	remote map[int]*letter  // what lies under each name
	began  map[int][]Record // what the platform has opened and not yet taken in

	starts, ends, waits int
}

var simKeys = []string{"k", "m"}

// simTerms are the times that campaigns have, in days since the simulation began.
var simTerms = [][2]catalog.Wall{{0, 3}, {0, 9}, {2, 5}, {6, 12}, {40, 50}}

// export draws an export and lays it on the layer.
func (c *courier) export(t *rapid.T) {
	var rows []Row
	for _, key := range simKeys {
		if rapid.IntRange(0, 9).Draw(t, "rejected") == 0 {
			rows = append(rows, Row{Item: catalog.Item{SKU: key}, Rejected: true})
		}
		for range rapid.IntRange(0, 3).Draw(t, "rows") {
			what := rapid.SampledFrom([]string{"900", "900", "800", "20%", "30%", "2G1", "800 x2", "900 off"}).Draw(t, "what")
			p := *offered(key + "/" + rapid.SampledFrom([]string{"A", "A", "B"}).Draw(t, "campaign") + "=" + what).Promotion
			term := rapid.SampledFrom(simTerms).Draw(t, "term")
			p.Start, p.End = noon+term[0]*day, noon+term[1]*day
			rows = append(rows, Row{Item: catalog.Item{SKU: key}, Promotion: &p})
		}
	}
	if len(rows) == 0 {
		return
	}
	spec := c.mode
	spec.Below, spec.Today = c.layer, Day(c.now.Day())
	spec.Keyless = rapid.IntRange(0, 9).Draw(t, "keyless") == 0
	l := build(t, c.files, c.dir, spec, rows)
	if l.Full {
		c.layer = nil
	}
	c.layer = append(slices.Clone(c.layer), l.Digest)
}

// catalogue draws what the articles cost; some have no price yet.
func (c *courier) catalogue(t *rapid.T) {
	file := table{"a": priced("a", 5)}
	c.priced = map[string]catalog.Money{}
	for _, key := range simKeys {
		if price := rapid.SampledFrom([]catalog.Money{0, 1_000_000, 1_000_000, 1_200_000, 850_000}).Draw(t, "price"); price != 0 {
			file[key], c.priced[key] = priced(key, price), price
		}
	}
	c.prices = []Digest{write(t, c.files, file)}
}

func (c *courier) unsettled() []Digest {
	var all []Digest
	for _, l := range c.letters {
		if l.unsettled {
			all = append(all, l.records)
		}
	}
	return all
}

func (c *courier) question() Question {
	return Question{Wanted: c.layer, Sent: c.sent, Unsettled: c.unsettled(), Prices: c.prices, Parts: 2, Now: c.now, Decimals: 2}
}

// slot plans, in place of the open plan, and sends: attempts may end before the file is put, or before anybody knows that it was.
func (c *courier) slot(t *rapid.T, full bool, luck func() bool) Summary {
	q := c.question()
	q.Full = full
	s, err := c.files.Plan(q)
	if err != nil {
		t.Fatal(err)
	}
	c.waits += s.Waiting
	if len(s.Parts) == 0 {
		return s
	}
	c.plans++
	c.open, c.full, c.below = true, full, ""
	if full {
		if c.below, err = c.files.Remembered(q.Sent, Day(c.now.Day())); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range s.Parts {
		l := &letter{name: p.Number, records: p.Digest, plan: c.plans}
		c.letters = append(c.letters, l)
		for _, r := range read(t, c.files, []Digest{p.Digest}) {
			if r.active() {
				c.starts++
			} else {
				c.ends++
			}
		}
	}
	c.flush(luck)
	return s
}

// flush tries what the open plan has not brought over yet.
func (c *courier) flush(luck func() bool) {
	if !c.open {
		return
	}
	whole := true
	for _, l := range c.letters {
		if l.plan != c.plans || l.verified {
			continue
		}
		l.unsettled = true
		if !luck() {
			whole = false
			continue
		}
		c.remote[l.name] = l
		if !luck() {
			whole = false
			continue
		}
		l.verified = true
		for _, old := range c.letters {
			if old != l && old.name == l.name && old.plan < l.plan {
				old.unsettled = false
			}
		}
	}
	if whole {
		c.done()
	}
}

// done moves sent.
func (c *courier) done() {
	c.open = false
	if c.full {
		c.sent = nil
		if c.below != "" {
			c.sent = []Digest{c.below}
		}
	}
	for _, l := range c.letters {
		if l.plan == c.plans {
			c.sent = append(slices.Clone(c.sent), l.records)
			l.unsettled = l.unsettled && !l.taken
		}
	}
}

// isDone reports whether the plan of a letter is done, so that it can settle.
func (c *courier) isDone(l *letter) bool {
	for _, other := range c.letters {
		if other.plan == l.plan && !other.verified {
			return false
		}
	}
	return true
}

// look lets the platform open what lies under a name, or take in what it opened before, which may have been replaced meanwhile.
func (c *courier) look(t *rapid.T, name int) {
	if rows, ok := c.began[name]; ok {
		c.platform.read(t, rows, c.now)
		delete(c.began, name)
		return
	}
	if l := c.remote[name]; l != nil {
		c.began[name] = read(t, c.files, []Digest{l.records})
	}
}

// settle lets the read window pass: by its end the platform has read what lies there, and perhaps eaten it.
func (c *courier) settle(t *rapid.T, eat bool) {
	c.now += day / 12
	for name := 1; name <= 2; name++ {
		if _, ok := c.began[name]; ok {
			c.look(t, name)
		}
		l := c.remote[name]
		if l == nil {
			continue
		}
		c.look(t, name)
		c.look(t, name)
		if eat {
			delete(c.remote, name)
		}
		if l.verified {
			l.taken = true
			l.unsettled = l.unsettled && !c.isDone(l)
		}
	}
}

func (c *courier) compact(t *rapid.T, stack []Digest) []Digest {
	if len(stack) < 2 {
		return stack
	}
	one, err := c.files.Compact(stack, Day(c.now.Day()))
	if err != nil {
		t.Fatal(err)
	}
	return []Digest{one.Digest}
}

// check holds the platform against what is wanted, when all is quiet.
func (c *courier) check(t *rapid.T) {
	wanted, sent := table{}, table{}
	for _, r := range read(t, c.files, c.layer) {
		wanted[r.Key] = r
	}
	for _, r := range read(t, c.files, c.sent) {
		sent[r.Key] = r
	}
	for key, w := range wanted {
		runs, ok := c.platform.live[key]
		price := w.Promotion.Price
		if was := sent[key].Promotion; price == 0 && was != nil && was.Percent == w.Promotion.Percent {
			price = was.Price
		}
		now := c.priced[ItemKey(key)]
		if price == 0 {
			price = now * (catalog.Money(catalog.Hundred-w.Promotion.Percent) / 1000) / 100
		}
		asked, bundle := *w.Promotion, w.Promotion.Type == catalog.SameItemBundle
		if !bundle {
			asked.Price = price
		}
		switch {
		case w.Promotion.Over(c.now):
		case !w.Promotion.Active && ok:
			t.Fatalf("%s still runs", short(w))
		case !w.Promotion.Active:
		case !ok && (bundle || price != 0 && (now == 0 || price < now)):
			if c.outdone(wanted, w, price) {
				continue
			}
			t.Fatalf("%s does not run, and the article costs %s", short(w), now)
		case ok && !asked.Same(runs) && (bundle || price != 0):
			t.Fatalf("wanted %s, and %s runs", short(w), short(Record{Key: key, Promotion: &runs}))
		}
	}
	for key, runs := range c.platform.live {
		_, named := wanted[key]
		if !named && !runs.Over(c.now) && (!c.mode.Full || c.mode.Missing == Deactivate) {
			t.Fatalf("%q runs and nobody wants it", key)
		}
		if !runs.Over(c.now) && (sent[key].Promotion == nil || *sent[key].Promotion != runs) && len(c.unsettled()) == 0 {
			t.Fatalf("%q runs as %+v and was sent as %+v", key, runs, sent[key].Promotion)
		}
	}
}

// outdone reports whether a promotion that does not run has its reason in one that does: it holds at the same time, and is not a higher
// price that the one in question, which has begun, must have ended.
func (c *courier) outdone(wanted table, w Record, price catalog.Money) bool {
	const lately = day / 4 // the clock has moved since the last plan
	better := true
	rivals := 0
	for key, runs := range c.platform.live {
		other, ok := wanted[key]
		if !ok || !other.active() || key == w.Key || ItemKey(key) != ItemKey(w.Key) || !runs.Overlaps(*w.Promotion) || runs.Over(c.now-lately) {
			continue
		}
		rivals++
		plain := runs.Type == catalog.Strikethrough && w.Promotion.Type == catalog.Strikethrough
		better = better && plain && price < runs.Price
	}
	return rivals > 0 && (!better || w.Promotion.Start > c.now-lately || c.incomparable(wanted, ItemKey(w.Key)))
}

// incomparable reports whether an article has a promotion that can't be compared by its price alone: a bundle, or a share of no known price.
// Beside one the best of two may be the worse of three, and what runs stays.
func (c *courier) incomparable(wanted table, item string) bool {
	for key, w := range wanted {
		share := w.active() && w.Promotion.Price == 0 && c.priced[item] == 0
		if ItemKey(key) == item && w.active() && (share || w.Promotion.Type == catalog.SameItemBundle) {
			return true
		}
	}
	return false
}

// single holds that no two promotions of an article that are wanted and hold at the same time were ever started beside each other.
func (c *courier) single(t *rapid.T) {
	if !c.mode.Full || c.mode.Missing != Deactivate {
		return // what an export leaves out is left to run, and may be wanted again
	}
	wanted := table{}
	for _, r := range read(t, c.files, c.layer) {
		wanted[r.Key] = r
	}
	for key, a := range c.platform.live {
		for other, b := range c.platform.live {
			if key < other && ItemKey(key) == ItemKey(other) && a.Overlaps(b) && !a.Over(c.now) && !b.Over(c.now) &&
				wanted[key].active() && wanted[other].active() {
				t.Fatalf("both run: %s and %s", short(Record{Key: key, Promotion: &a}), short(Record{Key: other, Promotion: &b}))
			}
		}
	}
}

// Exports, slots that fail anywhere, a platform that reads whenever it likes, files that are replaced while they are read, a clock that
// moves: no row is ever refused, and when it gets quiet the platform has what is wanted.
func TestPromotionsReachAFussyPlatform(t *testing.T) {
	files, dir := newTestFiles(t), t.TempDir()
	starts, ends, waits := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		c := &courier{
			files: files, dir: dir, now: noon, remote: map[int]*letter{}, began: map[int][]Record{},
			platform: fussy{live: map[string]catalog.Promotion{}},
			mode: LayerSpec{
				Kind: catalog.KindPromotions, Full: rapid.Bool().Draw(t, "full"),
				Missing: rapid.SampledFrom([]Missing{Deactivate, Deactivate, Keep}).Draw(t, "missing"),
			},
		}
		c.catalogue(t)
		luck := func() bool { return rapid.IntRange(0, 3).Draw(t, "luck") > 0 }
		steps := map[string]func(){
			"export":    func() { c.export(t) },
			"catalogue": func() { c.catalogue(t) },
			"slot":      func() { c.slot(t, false, luck) },
			"full":      func() { c.slot(t, true, luck) },
			"retry":     func() { c.flush(luck) },
			"look 1":    func() { c.look(t, 1) },
			"look 2":    func() { c.look(t, 2) },
			"settle":    func() { c.settle(t, false) },
			"eat":       func() { c.settle(t, true) },
			"hours":     func() { c.now += catalog.Wall(rapid.IntRange(1, 50).Draw(t, "hours") * 3600) },
			"compact":   func() { c.sent, c.layer = c.compact(t, c.sent), c.compact(t, c.layer) },
		}
		names := []string{
			"export", "export", "export", "slot", "slot", "slot", "look 1", "look 2", "look 1", "look 2", "settle", "settle", "eat",
			"full", "retry", "catalogue", "hours", "compact",
		}
		for range rapid.IntRange(5, 50).Draw(t, "steps") {
			steps[rapid.SampledFrom(names).Draw(t, "step")]()
			if len(c.platform.refused) > 0 {
				t.Fatalf("refused: %v", c.platform.refused)
			}
		}
		// What failed is tried again until it arrives, as the outbox does.
		c.flush(func() bool { return true })
		for quiet := 0; ; quiet++ {
			c.settle(t, false)
			s := c.slot(t, false, func() bool { return true })
			if len(s.Parts) == 0 && s.Waiting == 0 {
				break
			}
			if quiet > 6 {
				t.Fatalf("it does not come to rest: %+v", s)
			}
		}
		c.settle(t, false)
		if len(c.platform.refused) > 0 {
			t.Fatalf("refused: %v", c.platform.refused)
		}
		c.check(t)
		c.single(t)
		starts, ends, waits = starts+c.starts, ends+c.ends, waits+c.waits
	})
	if starts == 0 || ends == 0 || waits == 0 {
		t.Errorf("%d starts, %d ends, %d waiting: one kind was never tried", starts, ends, waits)
	}
}
