package shelf

// Differences calls fn, in order of keys, for every record that two stacks do not both have in the same words: with the one of each, a
// record without key where one of them has none.
func (f Files) Differences(before, after []Digest, fn func(before, after Record) error) error {
	same := func(a *aligned) bool {
		same := a.same(0, 1)
		if same {
			a.skipAlike(0, 1)
		}
		return same
	}
	return f.walk([][]Digest{before, after}, same, func(r []Record) error { return fn(r[0], r[1]) })
}
