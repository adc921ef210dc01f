package shelf

import "bytes"

// skipAlike passes over the articles behind the current one that two of the overlays have in the same words, in one file each, and that
// no other file speaks of: it compares the bytes that are in memory at once, for nearly everything on a shelf is alike nearly always. It
// returns how many they were; next goes on behind them. Call it where the two say the same of the current key. It stops before a
// promotion, and before anything that is not a whole record: going line by line finds out what that is.
func (a *aligned) skipAlike(i, j int) int {
	if len(a.overlays[i].at) != 1 || len(a.overlays[j].at) != 1 {
		return 0
	}
	x, y := a.overlays[i].at[0], a.overlays[j].at[0]
	var limit []byte // the first key that another file has
	for _, o := range a.overlays {
		for _, c := range o.cursors {
			if c != x && c != y && !c.done && (limit == nil || bytes.Compare(c.key, limit) < 0) {
				limit = c.key
			}
		}
	}
	size, lines := alike(x.ahead(), y.ahead(), limit)
	x.skip(size)
	y.skip(size)
	return lines
}

// alike returns how many bytes two texts begin with that are the same lines, and how many lines these are: all of articles whose keys lie
// below the limit, nil for none. It takes time by what it finds, not by what there is: another file may have the next key.
func alike(x, y, limit []byte) (size, lines int) {
	whole := min(len(x), len(y))
	for step, more := 256, true; step > 0; {
		if end := size + step; end <= whole && bytes.Equal(x[size:end], y[size:end]) && endsBelow(x[:end], limit) {
			size = end
		} else {
			more = false
		}
		if more {
			step *= 2
		} else {
			step /= 2
		}
	}
	block := wholeLines(x[:size])
	if i := bytes.IndexByte(block, keySeparator); i >= 0 {
		block = wholeLines(block[:i])
	}
	lines = bytes.Count(block, []byte{'\n'})
	if lines == 0 || bytes.Count(block, []byte{'\t'}) != lines*(fieldCount-1) || block[0] == '\t' || bytes.Contains(block, []byte("\n\t")) {
		return 0, 0
	}
	return len(block), lines
}

// endsBelow reports whether the key of the last whole line lies below the limit: the lines are in order, so all others do, too.
func endsBelow(text, limit []byte) bool {
	text = wholeLines(text)
	if limit == nil || len(text) == 0 {
		return true
	}
	text = text[:len(text)-1]
	key, _, _ := bytes.Cut(text[len(wholeLines(text)):], []byte{'\t'})
	return bytes.Compare(key, limit) < 0
}

// wholeLines cuts off what stands behind the last line end.
func wholeLines(text []byte) []byte { return text[:bytes.LastIndexByte(text, '\n')+1] }
