package shelf

import (
	"errors"
	"slices"
	"strconv"

	"gondola/internal/catalog"
)

// LintQuestion is what promotions are held against.
type LintQuestion struct {
	Promotions []Digest     // the layer files that an export has just become, the lowest first
	Prices     []Digest     // what the store's catalogue shelf should show
	Sent       []Digest     // what the platform was sent, nil where nothing was
	Now        catalog.Wall // local time of the store
	Decimals   int          // as Question.Decimals
}

// Lint is something that the two shelves of a store show only together.
type Lint struct {
	Key      string // the article's
	Line     int    // of the export
	Code     catalog.Code
	Severity catalog.Severity
	Args     []string // those of the code, but for the store at the end: the caller knows which one was asked about
}

// Lint calls fn for everything that is wrong, or worth a look, with the promotions that an export asks for in one store, in the order of
// articles. Of promotions that overlap, the one that is not sent is told, and which one is. Promotions that the export does not name
// itself, and those that it ends, are not looked at. A promotion that is over is told to be that and nothing else; one of an article that
// the catalogue does not have, not to be without a price too. An empty catalogue has not come yet: no article is missing in it.
func (f Files) Lint(q LintQuestion, fn func(Lint) error) (err error) {
	l := linter{q: q, fn: fn, prices: &priceList{files: f, stack: q.Prices}}
	defer func() { err = errors.Join(err, l.prices.close()) }()
	articles := func(a *aligned) bool { return !isPromotion(a.key) }
	err = f.walk([][]Digest{q.Promotions, q.Sent}, articles, func(r []Record) error {
		key := r[0].Key
		if key == "" {
			key = r[1].Key
		}
		if item := ItemKey(key); item != l.item {
			if err := l.flush(); err != nil {
				return err
			}
			l.item = item
		}
		asked := r[0].active() && r[0].Line > 0
		if asked {
			l.group = append(l.group, asking{r[0], r[1]})
		}
		if r[1].active() && !asked && !r[1].Promotion.Over(q.Now) {
			l.dropped = append(l.dropped, r[1])
		}
		return nil
	})
	if err != nil {
		return err
	}
	return l.flush()
}

// linter gathers the promotions of one article at a time.
type linter struct {
	q       LintQuestion
	fn      func(Lint) error
	prices  *priceList
	item    string
	group   []asking
	dropped []Record // what runs and the export does not ask for
}

// asking is a promotion that an export asks for, and what was sent of it.
type asking struct{ wanted, sent Record }

// flush looks at what was gathered, in the order of the export's lines.
func (l *linter) flush() error {
	slices.SortFunc(l.group, func(a, b asking) int { return a.wanted.Line - b.wanted.Line })
	instead, err := l.overlaps()
	for _, one := range l.group {
		r := one.wanted
		if other, ok := instead[r.Key]; ok && err == nil {
			err = l.tell(r, catalog.PromoOverlap, catalog.Warning, l.item, strconv.Itoa(other))
		}
		if r.Promotion.Over(l.q.Now) && err == nil {
			err = l.tell(r, catalog.PromoOver, catalog.Warning, r.Promotion.End.String())
			continue
		}
		if err == nil {
			err = l.renamed(one)
		}
		if err == nil {
			err = l.look(r)
		}
	}
	l.group, l.dropped = l.group[:0], l.dropped[:0]
	return err
}

// overlaps returns the promotions, by key, that are not sent because another one of the article is, and the line of that one.
func (l *linter) overlaps() (map[string]int, error) {
	if len(l.group) < 2 {
		return nil, nil
	}
	known, err := l.prices.of(l.item)
	if err != nil {
		return nil, err
	}
	var all []contender
	for _, one := range l.group {
		p, lives := *one.wanted.Promotion, one.sent.active() && one.wanted.Promotion.Same(*one.sent.Promotion)
		if p.Price == 0 && p.Type == catalog.Strikethrough {
			if p.Price = offer(known.price, p.Percent, l.q.Decimals); one.sent.Promotion != nil && one.sent.Promotion.Percent == p.Percent {
				p.Price = one.sent.Promotion.Price
			}
		}
		withheld := p.Type == catalog.Strikethrough && (p.Price == 0 || known.price != 0 && p.Price >= known.price)
		if !p.Over(l.q.Now) && (lives || !withheld) {
			all = append(all, contender{key: one.wanted.Key, p: p, line: one.wanted.Line, lives: lives})
		}
	}
	instead := map[string]int{}
	for i, other := range contest(all, known.price, l.q.Now) {
		if other != alone {
			instead[all[i].key] = all[other].line
		}
	}
	return instead, nil
}

// renamed warns of a promotion that was never sent and is, but for its name or its hours, one that runs and that the export does not ask
// for any more.
func (l *linter) renamed(one asking) error {
	if one.sent.Promotion != nil {
		return nil
	}
	p := *one.wanted.Promotion
	for _, r := range l.dropped {
		old := *r.Promotion
		sameDays := p.Start.Day() == old.Start.Day() && p.End.Day() == old.End.Day()
		if !sameDays || p.Type != old.Type || p.Benefit != old.Benefit || p.Details() != old.Details() {
			continue
		}
		now, before := p.Campaign, old.Campaign
		if now == before {
			now += " " + p.Start.String() + " - " + p.End.String()
			before += " " + old.Start.String() + " - " + old.End.String()
		}
		return l.tell(one.wanted, catalog.PromoRenamed, catalog.Warning, l.item, now, before)
	}
	return nil
}

// look holds a promotion against its article.
func (l *linter) look(r Record) error {
	known, err := l.prices.of(l.item)
	if err != nil {
		return err
	}
	if !known.known {
		some, err := l.prices.hasAny()
		if some && err == nil {
			return l.tell(r, catalog.PromoUnknown, catalog.Warning, l.item)
		}
		if err != nil {
			return err
		}
	}
	p := *r.Promotion
	if p.Type != catalog.Strikethrough {
		return nil
	}
	if p.Price == 0 {
		p.Price = offer(known.price, p.Percent, l.q.Decimals)
	}
	switch {
	case p.Price == 0:
		return l.tell(r, catalog.PromoNoPrice, catalog.Warning, l.item)
	case known.price != 0 && p.Price >= known.price:
		return l.tell(r, catalog.PromoNotBelow, catalog.Error, p.Price.String(), known.price.String())
	}
	return nil
}

func (l *linter) tell(r Record, code catalog.Code, severity catalog.Severity, args ...string) error {
	return l.fn(Lint{Key: l.item, Line: r.Line, Code: code, Severity: severity, Args: args})
}
