package shelf

import "gondola/internal/catalog"

// campaigns plans promotions. The walk hands over one record after the other; they are gathered until an article's are together, for
// what becomes of one depends on the others, and decided on then. Memory is that of one article's promotions.
type campaigns struct {
	q      Question
	s      *Summary
	prices *priceList
	brake  *rowBrake
	emit   func(row, sent Record, differs bool) error

	former string // what a file for other stores than those of now said of them, whose promotions end first; "" = there is none

	item  string // the article whose promotions are gathered; "" = none
	group []campaign
	price *listed // of item, nil until it was looked up
}

// formerStores returns what the rows of promotions say of their stores that run, or may, for other stores than those of now. They are
// ended in a file of their own: all rows of one must name the same stores [partner].
func (f Files) formerStores(q Question) (former string, err error) {
	if q.Stores == "" {
		return "", nil
	}
	articles := func(a *aligned) bool { return !isPromotion(a.key) }
	err = f.walk([][]Digest{q.Sent, q.Unsettled}, articles, func(r []Record) error {
		live := r[0]
		if r[1].Promotion != nil {
			live = r[1]
		}
		p := live.Promotion
		if q.Elsewhere != nil && q.Elsewhere(p.Stores) {
			return nil
		}
		if p.Stores != q.Stores && !p.Over(q.Now) && (p.Active || r[1].Promotion != nil) && (former == "" || p.Stores < former) {
			former = p.Stores
		}
		return nil
	})
	return former, err
}

// campaign is one promotion: what is wanted of it, what was sent, what began to leave and may or may not have been read.
type campaign struct {
	wanted, sent, unsettled Record
	live                    Record // what the platform has, as far as anybody can know
	step                    step
	beaten                  bool // another promotion of the article is sent in its place
	elsewhere               bool // it runs, and was sent in a way that this plan does not go

	people decided
	told   bool         // findings of the brake speak of it
	why    catalog.Code // it must not start; "" = it may. Known where judged
	judged bool
}

// step is what a plan does about a promotion.
type step string

const (
	stepNone   step = ""       // nothing is said
	stepRepeat step = "repeat" // what began to leave is said again
	stepEnd    step = "end"    // it runs, and is not wanted like that any more
	stepStart  step = "start"  // it does not run, and is wanted
	stepTell   step = "tell"   // it runs as wanted; a full plan says so
)

func newCampaigns(f Files, q Question, s *Summary, emit func(row, sent Record, differs bool) error) *campaigns {
	prices := &priceList{files: f, stack: q.Prices}
	switch {
	case q.Prices == nil:
		// One file for both: the articles stand in the question itself.
		prices.stack = q.Wanted
		prices.shelf = CatalogShelf{Sent: q.Sent, Unsettled: q.Unsettled, Approved: q.Approved, Rejected: q.Rejected}
		prices.judge = Question{Brake: q.Brake, Decimals: q.Decimals, slip: q.slip}
	case q.Catalog != nil:
		prices.shelf = *q.Catalog
		prices.judge = Question{Brake: q.Brake, Decimals: q.Decimals, slip: slipOf(q.Catalog.Slip)}
	}
	return &campaigns{q: q, s: s, prices: prices, emit: emit}
}

// take gathers the records of a key and returns true, or false where they are an article's. What was gathered of an article before is
// planned first.
func (c *campaigns) take(r []Record, people decided, told bool) (promotion bool, err error) {
	one := campaign{wanted: r[atWanted], sent: r[atSent], unsettled: r[atUnsettled], people: people, told: told}
	key := ""
	for _, known := range [...]Record{one.wanted, one.sent, one.unsettled} {
		if known.Promotion != nil {
			key = known.Key
		}
	}
	if item := ItemKey(key); item != c.item {
		if err := c.flush(); err != nil {
			return false, err
		}
		c.item = item
	}
	if key == "" {
		return false, nil
	}
	one.live = one.sent
	if one.unsettled.Promotion != nil {
		one.live = one.unsettled
	}
	if one.over(c.q.Now) {
		// The platform has ended it by itself, whatever it was told last.
		return true, nil
	}
	c.group = append(c.group, one)
	return true, nil
}

// over reports whether the promotion has ended by itself. Start and end are part of what it is, so all records agree on them.
func (c campaign) over(now catalog.Wall) bool {
	p := c.wanted.Promotion
	if p == nil {
		p = c.live.Promotion
	}
	return p.Over(now)
}

// flush plans what was gathered.
func (c *campaigns) flush() error {
	ending := false
	for i := range c.group {
		one := &c.group[i]
		if err := c.fix(one); err != nil {
			return err
		}
		c.runsElsewhere(one)
		c.s.Change.promotion(one.wanted, one.sent)
		one.step = one.decide(c.q.Full)
	}
	if err := c.keepHeld(); err != nil {
		return err
	}
	if err := c.compare(); err != nil {
		return err
	}
	if err := c.keepEnding(); err != nil {
		return err
	}
	for _, one := range c.group {
		// Until an end is settled nobody knows which of the article's promotions the platform has.
		ending = ending || one.step == stepEnd || one.unsettled.Promotion != nil && !one.unsettled.active()
	}
	for i := range c.group {
		if err := c.plan(&c.group[i], ending); err != nil {
			return err
		}
	}
	c.item, c.group, c.price = "", c.group[:0], nil
	return c.brake.endGroup()
}

// keepHeld lets what runs run on where what is wanted in its place is held by the brake.
func (c *campaigns) keepHeld() error {
	for i := range c.group {
		one := &c.group[i]
		if one.step != stepEnd || !one.wanted.active() {
			continue
		}
		why, err := c.refused(one)
		if err != nil {
			return err
		}
		if heldByBrake(why) {
			c.goesOn(one)
		}
	}
	return nil
}

// keepEnding lets what would end run on where nobody knows what time it is.
func (c *campaigns) keepEnding() error {
	for i := range c.group {
		one := &c.group[i]
		if one.step != stepEnd {
			continue
		}
		held, err := c.brake.ends(one.live.ended(), one.people, one.told)
		if err != nil {
			return err
		}
		if held {
			c.goesOn(one)
		}
	}
	return nil
}

// runsElsewhere leaves a promotion as it is that runs and can't be told anything on the way that this plan goes. What would have become of
// it is withheld.
func (c *campaigns) runsElsewhere(one *campaign) {
	p := one.live.Promotion
	if p == nil || !p.Active || c.q.Elsewhere == nil || !c.q.Elsewhere(p.Stores) {
		return
	}
	one.elsewhere = true
	if w := one.wanted.Promotion; w != nil {
		as := *w
		as.Stores = p.Stores
		if !as.Active || !as.Same(*p) {
			c.withhold(catalog.PromoElsewhere)
		}
	}
	one.wanted, one.unsettled = one.live, Record{}
}

// goesOn leaves what runs as it is.
func (c *campaigns) goesOn(one *campaign) {
	one.wanted = one.live
	one.step = one.decide(c.q.Full)
}

// compare finds the promotions that give way to a better one of the article. What runs and gives way ends.
func (c *campaigns) compare() error {
	var all []contender
	var at []int
	for i, one := range c.group {
		lives := one.wanted.active() && one.live.active() && one.step != stepEnd
		if !one.wanted.active() {
			continue
		}
		all, at = append(all, contender{key: one.wanted.Key, p: *one.wanted.Promotion, line: one.wanted.Line, lives: lives}), append(at, i)
	}
	if len(all) < 2 {
		return nil
	}
	known, err := c.article()
	if err != nil {
		return err
	}
	kept := 0
	for n, one := range all {
		if !one.lives {
			refused, err := c.refused(&c.group[at[n]])
			if err != nil {
				return err
			}
			if refused != "" {
				continue // it takes nobody's place
			}
		}
		all[kept], at[kept] = one, at[n]
		kept++
	}
	for n, other := range contest(all[:kept], known.price, c.q.Now) {
		if other == alone {
			continue
		}
		one := &c.group[at[n]]
		if one.beaten = true; all[n].lives && !one.elsewhere {
			one.step = stepEnd
		}
	}
	return nil
}

// decide returns what is to be done about the promotion, were it the article's only one.
func (c campaign) decide(full bool) step {
	began := c.unsettled.Promotion != nil
	switch {
	case c.elsewhere:
		return stepNone
	case c.wanted.active() && c.live.active():
		if !c.wanted.priced() {
			// Whether it is another price, nobody knows yet.
			break
		}
		if !c.wanted.Promotion.Same(*c.live.Promotion) {
			return stepEnd
		}
		if full && !began {
			return stepTell
		}
	case c.wanted.active() && !began:
		return stepStart
	case c.wanted.Promotion != nil && !c.wanted.active() && c.live.active():
		return stepEnd
	}
	if began {
		return stepRepeat
	}
	return stepNone
}

// plan says what there is to say of one promotion.
func (c *campaigns) plan(one *campaign, ending bool) error {
	if one.elsewhere {
		return nil
	}
	if one.wanted.active() && (!one.live.active() || one.step == stepEnd || !one.wanted.priced()) {
		refused, err := catalog.PromoOverlap, error(nil)
		if !one.beaten {
			refused, err = c.refused(one)
		}
		switch {
		case err != nil:
			return err
		case refused != "":
			if !heldByBrake(refused) {
				c.withhold(refused)
			}
			if !one.sent.active() {
				c.s.Unstarted++
			}
			if one.step == stepStart {
				return nil
			}
		case one.step == stepStart && !ending:
			return c.say(one.wanted, one.sent, true)
		default:
			c.s.Waiting++
		}
	}
	switch one.step {
	case stepEnd:
		return c.say(one.live.ended(), one.sent, true)
	case stepRepeat:
		// An end that began to leave and never arrived is owed, whatever is wanted by now: others wait for it to be settled. A start that
		// nobody wants any more is not.
		owed := !one.live.active() || one.wanted.Promotion != nil
		return c.say(one.live, one.sent, owed && !one.arrived())
	case stepTell:
		return c.say(one.live, one.sent, false)
	}
	return nil
}

// arrived reports whether what was sent has the row that began to leave.
func (c campaign) arrived() bool {
	return c.sent.Promotion != nil && *c.sent.Promotion == *c.unsettled.Promotion
}

// say adds a row, or leaves it for a later plan where this one's file is for other stores.
func (c *campaigns) say(row, sent Record, differs bool) error {
	if c.former != "" && row.Promotion.Stores != c.former {
		if differs && row.Promotion.Active {
			c.s.Waiting++
		}
		return nil
	}
	row.Line, row.Gone, row.Owner = 0, 0, ""
	if differs {
		c.s.Differs++
	}
	c.s.Rows++
	return c.emit(row, sent, differs)
}

func (c *campaigns) withhold(code catalog.Code) {
	if c.s.Withheld == nil {
		c.s.Withheld = map[catalog.Code]int{}
	}
	c.s.Withheld[code]++
}

// fix gives a share off its price: the one that it was first sent with, whatever became of the article's price since, else the share of
// what the article should cost now.
func (c *campaigns) fix(one *campaign) error {
	if w := one.wanted.Promotion; w != nil && w.Stores != c.q.Stores {
		now := *w
		now.Stores = c.q.Stores
		one.wanted.Promotion = &now
	}
	w, live := one.wanted.Promotion, one.live.Promotion
	if !one.wanted.active() || one.wanted.priced() {
		return nil
	}
	priced := *w
	if live != nil && live.Percent == w.Percent && live.Price != 0 {
		priced.Price = live.Price
	} else {
		known, err := c.article()
		if err != nil {
			return err
		}
		priced.Price = offer(known.price, w.Percent, c.q.Decimals)
	}
	one.wanted.Promotion = &priced
	return nil
}

// article looks the gathered promotions' article up in the catalogue.
func (c *campaigns) article() (listed, error) {
	if c.price == nil {
		known, err := c.prices.of(c.item)
		if err != nil {
			return listed{}, err
		}
		c.price = &known
	}
	return *c.price, nil
}

// refused returns why a promotion is not started, "" where it is: the platform takes a strikethrough with a price below the current one
// only [doc], and the brake wants to be asked about some.
func (c *campaigns) refused(one *campaign) (catalog.Code, error) {
	if one.judged {
		return one.why, nil
	}
	p := *one.wanted.Promotion
	known, err := c.article()
	if err != nil {
		return "", err
	}
	one.judged = true
	if p.Type == catalog.Strikethrough {
		switch {
		case p.Price == 0:
			one.why = catalog.PromoNoPrice
		case known.price != 0 && p.Price >= known.price:
			one.why = catalog.PromoNotBelow
		}
	}
	// What may be running already is not the brake's any more.
	if one.why != "" && one.why != catalog.PromoNoPrice || one.live.active() && one.step != stepEnd {
		return one.why, nil
	}
	some, err := c.prices.hasAny()
	if err != nil {
		return "", err
	}
	held, err := c.brake.promotion(one.wanted, known, some, one.people, one.told)
	if held != "" {
		one.why = held
	}
	return one.why, err
}

// heldByBrake reports whether a promotion waits for a person, and not for its price.
func heldByBrake(why catalog.Code) bool {
	return why == catalog.BrakeDeep || why == catalog.BrakeUnknown || why == catalog.BrakeClock
}

// priced reports whether a promotion has all that the platform needs to know what it costs.
func (r Record) priced() bool {
	return r.Promotion.Type != catalog.Strikethrough || r.Promotion.Price != 0
}

// promotion counts what becomes of one promotion. It does not ask whether a share has a price yet.
func (c *Change) promotion(wanted, sent Record) {
	switch {
	case wanted.Promotion == nil:
	case wanted.active() && !sent.active():
		c.Started++
	case !wanted.active() && sent.active():
		c.Ended++
	case wanted.active() && !wanted.Promotion.Same(*sent.Promotion):
		c.Changed++
	default:
		c.Same++
	}
}
