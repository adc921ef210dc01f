package shelf

import (
	"maps"
	"slices"

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
	if b.q.Brake == nil || !wanted.Item.Set.Has(catalog.Price) || !sent.Item.Set.Has(catalog.Price) {
		return wanted, nil
	}
	b.known++
	now, old := wanted.Item.Price, sent.Item.Price
	// What began to leave has passed the brake.
	if left := unsettled.Item; now == old || left.Set.Has(catalog.Price) && left.Price == now {
		return wanted, nil
	}
	if between(now, old, d.approved) {
		return wanted, nil
	}
	asked := wanted
	wanted.Item.Price = old
	if d.rejected.Item.Set.Has(catalog.Price) && d.rejected.Item.Price == now {
		return wanted, nil
	}
	at := slip(old, now, b.q.Decimals)
	if told {
		b.slips.add(at)
	}
	move := Move{Key: asked.Key, Old: old, New: now}
	switch {
	case at >= 0 && at == b.q.slip-1:
		return wanted, b.hold(catalog.BrakeFactor, asked, move, at, told)
	case b.q.Brake.far(old, now):
		return wanted, b.hold(catalog.BrakePrice, asked, move, at, told)
	}
	return asked, nil
}

// between reports whether an approved price covers another one: it is no further from what was sent.
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
	}
	return h.writer.Add(asked)
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
		if code == catalog.BrakeDeep || code == catalog.BrakeUnknown {
			f.Of = 0
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
