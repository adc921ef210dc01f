package shelf

import "gondola/internal/catalog"

// Doubtful writes, of a stack of what is wanted, the articles of which no feed says whether they are on, as if the platform had been told
// that they went missing; "" where there are none. It belongs on top of what was sent when nobody knows what was sent last: an article that
// went missing in the meantime is then switched on again, as any other that comes back.
func (f Files) Doubtful(wanted []Digest, today Day) (_ Digest, err error) {
	w, err := f.Create()
	if err != nil {
		return "", err
	}
	defer w.Abort()
	spec := layerBuilder{spec: LayerSpec{Today: today}}
	err = f.walk([][]Digest{wanted}, func(a *aligned) bool { return isPromotion(a.key) }, func(r []Record) error {
		if r[0].Gone != 0 || r[0].Item.Set.Has(catalog.Active) {
			return nil
		}
		return w.Add(spec.tombstone(r[0]))
	})
	if err != nil || w.Rows() == 0 {
		return "", err
	}
	return w.Commit()
}
