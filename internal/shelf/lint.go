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
// articles. Promotions that the export does not name itself, and those that it ends, are not looked at. A promotion that is over is told
// to be that and nothing else; one of an article that the catalogue does not have, not to be without a price too. An empty catalogue
// has not come yet: no article is missing in it.
func (f Files) Lint(q LintQuestion, fn func(Lint) error) (err error) {
	l := linter{q: q, fn: fn, prices: &priceList{files: f, stack: q.Prices}}
	defer func() { err = errors.Join(err, l.prices.close()) }()
	articles := func(a *aligned) bool { return !isPromotion(a.key) }
	err = f.walk([][]Digest{q.Promotions}, articles, func(r []Record) error {
		if item := ItemKey(r[0].Key); item != l.item {
			if err := l.flush(); err != nil {
				return err
			}
			l.item = item
		}
		if r[0].active() && r[0].Line > 0 {
			l.group = append(l.group, r[0])
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
	q      LintQuestion
	fn     func(Lint) error
	prices *priceList
	item   string
	group  []Record
}

// flush looks at what was gathered, in the order of the export's lines.
func (l *linter) flush() error {
	slices.SortFunc(l.group, func(a, b Record) int { return a.Line - b.Line })
	var running []Record
	for _, r := range l.group {
		if r.Promotion.Over(l.q.Now) {
			if err := l.tell(r, catalog.PromoOver, catalog.Warning, r.Promotion.End.String()); err != nil {
				return err
			}
			continue
		}
		other := slices.IndexFunc(running, func(o Record) bool { return r.Promotion.Overlaps(*o.Promotion) })
		if other >= 0 {
			if err := l.tell(r, catalog.PromoOverlap, catalog.Warning, l.item, strconv.Itoa(running[other].Line)); err != nil {
				return err
			}
		}
		running = append(running, r)
		if err := l.look(r); err != nil {
			return err
		}
	}
	l.group = l.group[:0]
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
