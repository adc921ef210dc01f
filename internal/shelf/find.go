package shelf

import (
	"errors"
	"strings"
)

// Of returns what a stack says of one article: its record, where there is one, and those of its promotions. It reads no further than
// the article and parses nothing else.
func (f Files) Of(stack []Digest, item string) (_ []Record, err error) {
	o, err := f.Overlay(stack)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	var found []Record
	for o.advance() {
		switch key := string(o.key()); {
		case ItemKey(key) == item:
			r := o.load()
			if o.err != nil {
				return nil, o.err
			}
			found = append(found, r)
		case key > item: // an article's promotions come right behind it
			return found, nil
		}
	}
	return found, o.err
}

// KeyOf returns the key of the first article in a stack that is known by an identifier which need not be its key: a barcode where articles
// are known by their SKU, or the other way round. "" where there is none. Barcodes compare without leading zeros.
func (f Files) KeyOf(stack []Digest, identifier string) (_ string, err error) {
	o, err := f.Overlay(stack)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	digits := strings.TrimLeft(identifier, "0")
	for o.Next() {
		r := o.Record()
		sku, barcode := r.Item.SKU, r.Item.Barcode
		if r.Promotion != nil {
			sku, barcode = r.Promotion.SKU, r.Promotion.Barcode
		}
		if sku == identifier || barcode != "" && strings.TrimLeft(barcode, "0") == digits {
			return ItemKey(r.Key), nil
		}
	}
	return "", o.Err()
}
