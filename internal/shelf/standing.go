package shelf

import "gondola/internal/catalog"

// Standing returns what the brake has left of the prices of a shelf, to lie on top of what is wanted: for the articles of held, which
// are rows as they are wanted, the prices that were sent. before has all of them, after those that an export (own) does not speak of.
// So two stacks that are wanted compare as customers see them. "" stands for a file with nothing in it.
func (f Files) Standing(held, sent []Digest, own Digest) (before, after Digest, err error) {
	all, err := f.Create()
	if err != nil {
		return "", "", err
	}
	defer all.Abort()
	others, err := f.Create()
	if err != nil {
		return "", "", err
	}
	defer others.Abort()
	skip := func(a *aligned) bool { return !a.has[0] || !a.has[1] || isPromotion(a.key) }
	err = f.walk([][]Digest{held, sent, {own}}, skip, func(r []Record) error {
		it := r[1].Item
		if !r[0].Item.Set.Has(catalog.Price) || !it.Set.Has(catalog.Price) {
			return nil
		}
		kept := Record{Key: r[1].Key, Item: catalog.Item{SKU: it.SKU, Barcode: it.Barcode, Set: catalog.Price, Price: it.Price}}
		if err := all.Add(kept); err != nil || r[2].Item.Set.Has(catalog.Price) {
			return err
		}
		return others.Add(kept)
	})
	if err != nil {
		return "", "", err
	}
	if before, err = all.commitSome(); err != nil {
		return "", "", err
	}
	after, err = others.commitSome()
	return before, after, err
}

// commitSome is Commit for a file that is not needed when it is empty.
func (w *Writer) commitSome() (Digest, error) {
	if w.Rows() == 0 {
		w.Abort()
		return "", nil
	}
	return w.Commit()
}
