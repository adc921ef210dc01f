package shelf

import (
	"errors"

	"gondola/internal/catalog"
)

// promotionDecimals is how many decimals the platform keeps of a promotion's price [partner], however many the currency has.
const promotionDecimals = 2

// offer returns what a share off leaves of a price, rounded as shops round. decimals is the currency's. 0 means that nothing is left.
func offer(price catalog.Money, off catalog.Percent, decimals int) catalog.Money {
	step := int64(1)
	for range catalog.MoneyScale - min(decimals, promotionDecimals) {
		step *= 10
	}
	// One division, so that it is rounded once. The largest price times a hundred percent is far from overflowing.
	whole := int64(catalog.Hundred) * step
	off = min(off, catalog.Hundred)
	return catalog.Money((int64(price)*int64(catalog.Hundred-off) + whole/2) / whole * step)
}

// priceList looks articles up in a catalogue stack, in ascending order of their keys. It opens the files when first asked, so whoever
// never asks pays nothing. Lookups parse one record each, whatever lies between.
type priceList struct {
	files Files
	stack []Digest
	shelf CatalogShelf // how the stack stands, for the brake
	judge Question     // with its limits; without a Brake every price goes through

	overlay *Overlay
	stands  []*Overlay // of shelf: sent, unsettled, approved, rejected; nil where the brake is not asked
	more    bool       // the overlay stands at a record
	some    bool       // there is any article at all
}

// listed is what a price list knows of an article.
type listed struct {
	known bool          // the catalogue has the article
	price catalog.Money // 0 where it tells none
}

// of looks an article up. Keys must ascend from call to call; the same one may come again.
func (l *priceList) of(itemKey string) (listed, error) {
	if err := l.open(); err != nil {
		return listed{}, err
	}
	for l.more && string(l.overlay.key()) < itemKey {
		l.advance()
	}
	if l.more && string(l.overlay.key()) == itemKey {
		r := l.overlay.load()
		if l.overlay.err != nil {
			return listed{}, l.overlay.err
		}
		price, err := l.through(itemKey, r)
		return listed{known: true, price: price}, err
	}
	return listed{}, l.err()
}

// through returns the price that the brake lets through.
func (l *priceList) through(itemKey string, wanted Record) (catalog.Money, error) {
	if l.stands == nil {
		return wanted.Item.Price, nil
	}
	records := make([]Record, len(l.stands))
	for i, o := range l.stands {
		for o.key() != nil && string(o.key()) < itemKey {
			o.advance()
		}
		if o.key() != nil && string(o.key()) == itemKey {
			records[i] = o.load()
		}
		if o.err != nil {
			return 0, o.err
		}
	}
	if v := l.judge.judge(wanted, records[0], records[1], decided{records[2], records[3]}); v.held {
		return v.kept, nil
	}
	return wanted.Item.Price, nil
}

// hasAny reports whether the catalogue has any article.
func (l *priceList) hasAny() (bool, error) { err := l.open(); return l.some, err }

func (l *priceList) open() (err error) {
	if l.overlay != nil {
		return nil
	}
	if l.overlay, err = l.files.Overlay(l.stack); err != nil {
		return err
	}
	if l.judge.Brake != nil {
		for _, stack := range [][]Digest{l.shelf.Sent, l.shelf.Unsettled, l.shelf.Approved, l.shelf.Rejected} {
			o, err := l.files.Overlay(stack)
			if err != nil {
				return err
			}
			o.advance()
			l.stands = append(l.stands, o)
		}
	}
	l.advance()
	l.some = l.more
	return l.overlay.err
}

// advance moves to the next article.
func (l *priceList) advance() {
	l.more = l.overlay.advance()
	for l.more && isPromotion(l.overlay.key()) {
		l.more = l.overlay.advance()
	}
}

func (l *priceList) err() error {
	if l.overlay == nil {
		return nil
	}
	return l.overlay.err
}

func (l *priceList) close() error {
	if l.overlay == nil {
		return nil
	}
	err := l.overlay.Close()
	for _, o := range l.stands {
		err = errors.Join(err, o.Close())
	}
	return err
}
