package shelf

import (
	"maps"
	"slices"
	"strings"
	"time"

	"gondola/internal/catalog"
)

// rowBrake holds rows back while a plan is made. What it holds keeps what the platform was sent: an article its price, while its stock
// goes on; a promotion does not start.
type rowBrake struct {
	q     Question
	files *Files // where what is held is written; nil where a plan is only looked at

	found map[catalog.Code]*heldRows
	known int   // articles whose price was sent before
	slips slips // of them, by factor; those that somebody has decided on are not counted
}

// heldRows is what is held for one reason.
type heldRows struct {
	count  int
	worst  worst
	slips  slips
	writer *Writer
	group  []Record // promotions of the article under way, not written yet
}

// decided is what people have decided about a key: the records that they let pass, and those that they want to stay away.
type decided struct{ approved, rejected Record }

func newRowBrake(q Question, files *Files) *rowBrake {
	return &rowBrake{q: q, files: files, found: map[catalog.Code]*heldRows{}}
}

// abort gives up what was being written. It does nothing after findings.
func (b *rowBrake) abort() {
	for _, h := range b.found {
		if h.writer != nil {
			h.writer.Abort()
		}
	}
}

// article returns what an article may be wanted as. told tells whether findings speak of it.
func (b *rowBrake) article(wanted, sent, unsettled Record, d decided, told bool) (Record, error) {
	v := b.q.judge(wanted, sent, unsettled, d)
	if v.known {
		b.known++
	}
	if told && v.open {
		b.slips.add(v.slip)
	}
	if !v.held {
		return wanted, nil
	}
	kept := wanted
	kept.Item.Price = v.kept
	if v.code == "" {
		return kept, nil // somebody has decided that it stays away
	}
	return kept, b.hold(v.code, wanted, Move{Key: wanted.Key, Old: v.kept, New: wanted.Item.Price}, v.slip, told)
}

// verdict is what the brake says of an article's price.
type verdict struct {
	known bool          // there is a price to compare with
	open  bool          // it changes, and nobody has decided about it
	held  bool          // it stays what it is
	kept  catalog.Money // what it stays: the price that began to leave last, else the one that was sent
	code  catalog.Code  // why; "" where somebody has rejected it
	slip  int           // the factor that it changes by, -1 for none
}

// judge decides on the price of an article. What began to leave has passed the brake, so a price is as good as far from it as from what
// was sent.
func (q Question) judge(wanted, sent, unsettled Record, d decided) (v verdict) {
	v.slip = -1
	if q.Brake == nil || !wanted.Item.Set.Has(catalog.Price) {
		return v
	}
	now, far := wanted.Item.Price, true
	for _, told := range [...]Record{sent, unsettled} {
		if !told.Item.Set.Has(catalog.Price) {
			continue
		}
		old := told.Item.Price
		v.known, v.kept = true, old
		if old == now || between(now, old, d.approved) {
			return verdict{known: true, slip: -1}
		}
		far = far && q.Brake.far(old, now)
	}
	if !v.known {
		return v
	}
	if d.rejected.Item.Set.Has(catalog.Price) && d.rejected.Item.Price == now {
		v.held = true
		return v
	}
	v.open, v.slip = true, slip(v.kept, now, q.Decimals)
	switch {
	case v.slip >= 0 && v.slip == q.slip-1:
		v.held, v.code = true, catalog.BrakeFactor
	case far:
		v.held, v.code = true, catalog.BrakePrice
	}
	return v
}

// between reports whether an approved price covers another one: it is no further from what the platform was told.
func between(now, old catalog.Money, approved Record) bool {
	if !approved.Item.Set.Has(catalog.Price) {
		return false
	}
	limit := approved.Item.Price
	return min(old, limit) <= now && now <= max(old, limit)
}

// promotion returns why a promotion must not start before somebody has looked at it, "" where it may. It is held in the words of the
// record.
func (b *rowBrake) promotion(r Record, article listed, catalogue bool, d decided, told bool) (catalog.Code, error) {
	if b.q.Brake == nil {
		return "", nil
	}
	p := *r.Promotion
	code, move := catalog.Code(""), Move{Key: ItemKey(r.Key), Old: article.price, New: p.Price}
	switch {
	case b.q.Clock != 0:
		code = catalog.BrakeClock
	case b.q.Brake.Unknown && catalogue && !article.known:
		code = catalog.BrakeUnknown
	case article.price > 0:
		cost, pieces, ok := perPiece(p, article.price)
		if !ok || 1-float64(cost)/float64(pieces)/float64(article.price) <= b.q.Brake.Discount {
			return "", nil
		}
		code, move.New = catalog.BrakeDeep, catalog.Money(cost/pieces)
	}
	if code == "" || d.approved.Promotion != nil && d.approved.Promotion.Same(p) {
		return "", nil
	}
	if d.rejected.Promotion != nil && d.rejected.Promotion.Same(p) {
		return code, nil
	}
	return code, b.hold(code, r, move, -1, told)
}

// ends reports whether the end of what runs must wait because nobody knows what time it is. asked is the record of the end.
func (b *rowBrake) ends(asked Record, d decided, told bool) (held bool, err error) {
	if b.q.Brake == nil || b.q.Clock == 0 || d.approved.Promotion != nil && d.approved.Promotion.Same(*asked.Promotion) {
		return false, nil
	}
	if d.rejected.Promotion != nil && d.rejected.Promotion.Same(*asked.Promotion) {
		return true, nil
	}
	return true, b.hold(catalog.BrakeClock, asked, Move{Key: ItemKey(asked.Key), New: asked.Promotion.Price}, -1, told)
}

// hold notes a row that is held, and writes it as it is wanted.
func (b *rowBrake) hold(code catalog.Code, asked Record, m Move, at int, told bool) error {
	if !told {
		return nil
	}
	h := b.found[code]
	if h == nil {
		h = &heldRows{}
		b.found[code] = h
		if b.files != nil {
			var err error
			if h.writer, err = b.files.Create(); err != nil {
				return err
			}
		}
	}
	h.count++
	m.Line = asked.Line
	h.worst.add(m)
	h.slips.add(at)
	if h.writer == nil {
		return nil
	}
	asked.Line, asked.Gone, asked.Owner = 0, 0, ""
	if asked.Promotion == nil {
		asked.Item.Blank = 0
		return h.writer.Add(asked)
	}
	h.group = append(h.group, asked)
	return nil
}

// endGroup writes the held promotions of one article, which are found in no order.
func (b *rowBrake) endGroup() error {
	for _, h := range b.found {
		slices.SortFunc(h.group, func(a, b Record) int { return strings.Compare(a.Key, b.Key) })
		for _, r := range h.group {
			if err := h.writer.Add(r); err != nil {
				return err
			}
		}
		h.group = h.group[:0]
	}
	return nil
}

// most returns the factor that so many prices change by that it can't be chance, counted from 1; 0 = there is none.
func (b *rowBrake) most() int {
	if b.q.Brake == nil {
		return 0
	}
	at, n := b.slips.most()
	if at < 0 || n < max(b.q.Brake.MinRows, 2) || shareOf(n, b.known) <= b.q.Brake.SameFactor {
		return 0
	}
	return at + 1
}

// findings returns what is held, in the order of the codes, and makes the files of it durable.
func (b *rowBrake) findings() ([]Finding, error) {
	var all []Finding
	for _, code := range slices.Sorted(maps.Keys(b.found)) {
		h := b.found[code]
		f := Finding{Code: code, Count: h.count, Of: b.known, Worst: h.worst}
		switch code {
		case catalog.BrakePrice:
			f.Limit = b.q.Brake.PriceChange
		case catalog.BrakeFactor:
			f.Limit = b.q.Brake.SameFactor
		case catalog.BrakeDeep:
			f.Limit = b.q.Brake.Discount
		}
		// A cause is named where it explains most of what is held.
		if at, n := h.slips.most(); at >= 0 && 2*n > h.count {
			f.Cause = factors[at].Cause
		}
		switch code {
		case catalog.BrakeDeep, catalog.BrakeUnknown:
			f.Of = 0
		case catalog.BrakeClock:
			f.Of, f.Cause = 0, Cause{CauseClock, b.q.Clock.Abs().Round(time.Second).String()}
		}
		f.Share = shareOf(f.Count, f.Of)
		if h.writer != nil {
			var err error
			if f.Rows, err = h.writer.Commit(); err != nil {
				return nil, err
			}
		}
		all = append(all, f)
	}
	return all, nil
}
