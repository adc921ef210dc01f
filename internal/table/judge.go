package table

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// What a piece of text is worth as evidence for the code page that it was read with. Pieces that are right in their own code page are
// wrong in another in a way of its own: signs stand in the middle of words, capitals behind small letters, frames of DOS beside
// digits. So the impossible counts more than the usual.
const (
	known      = 6  // a word that price lists are full of
	usual      = 2  // as one writes in Spanish, Portuguese or English
	possible   = 1  // not against it
	unlikely   = -2 // a letter of the neighbours, which names of their goods have
	odd        = -3 // as nobody writes
	impossible = -6 // a frame in a word, a byte that stands for nothing
)

// piece is what stands between blanks and signs in a file: letters, digits and bytes above ASCII.
type piece struct {
	raw          []byte
	before, next byte // the neighbours beyond one blank at most, 0 for the edge of a cell
	touches      bool // the neighbour before is not behind a blank
	touchesNext  bool
}

// weigh returns what the piece is worth in the code page, 0 when it proves nothing.
func (p *page) weigh(c piece) int {
	var buf [2 * maxPiece]rune
	text := buf[:0]
	for _, b := range c.raw {
		text = append(text, p.rune(b))
	}
	points := 0
	for i := 0; i < len(text); {
		n := wordLength(text[i:])
		switch {
		case n > 0:
			points += weighWord(text, i, i+n, c)
			i += n
			continue
		case text[i] == 0:
			points += impossible
		case text[i] >= utf8.RuneSelf:
			points += weighSign(text, i, c)
		}
		i++
	}
	return max(points, 2*impossible)
}

// The letters above ASCII. What is not core occurs in names only.
const (
	coreLetters    = "áéíóúüñãõçâêôàÁÉÍÓÚÜÑÃÕÇÂÊÔÀ"
	foreignLetters = "èìòùëïöäîûÈÌÒÙËÏÖÄÎÛ"
	rareLetters    = "åæøœÿšžßÅÆØŒŸŠŽ"
	alienLetters   = "ðþýıÐÞÝƒ"
	stressed       = "áéíóúâêôà" // a word has one of them
)

// wordLength returns how many letters text begins with.
func wordLength(text []rune) int {
	n := 0
	for n < len(text) && isWordRune(text[n]) {
		n++
	}
	return n
}

func isWordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return r|0x20 >= 'a' && r|0x20 <= 'z'
	}
	return strings.ContainsRune(coreLetters+foreignLetters+rareLetters+alienLetters, r)
}

// isCapital reports whether r is a capital of our alphabets.
func isCapital(r rune) bool {
	return r >= 'A' && r <= 'Z' || r >= 0xc0 && r <= 0xde && r != '×' || r == 'Œ' || r == 'Š' || r == 'Ž' || r == 'Ÿ'
}

// lower returns r as a small letter.
func lower(r rune) rune {
	switch {
	case r >= 'A' && r <= 'Z', r >= 0xc0 && r <= 0xde && r != '×':
		return r + 0x20
	case r == 'Œ', r == 'Š', r == 'Ž':
		return r + 1
	case r == 'Ÿ':
		return 'ÿ'
	}
	return r
}

// weighWord returns what the word text[from:to] of a piece is worth.
func weighWord(text []rune, from, to int, c piece) int {
	word := text[from:to]
	if !slices.ContainsFunc(word, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return 0
	}
	if lower(word[0]) == 'ø' && to-from == 1 && (isNumeral(rune(c.next)) || to < len(text) && isNumeral(text[to])) {
		return possible // a diameter
	}
	if from > 0 && text[from-1] < utf8.RuneSelf || to-from == 1 && to < len(text) && text[to] < utf8.RuneSelf {
		return odd // a digit touches it
	}
	if to-from == 1 {
		return weighLetter(word[0], c)
	}
	var buf [2 * maxPiece]rune
	folded := buf[:0]
	for _, r := range word {
		folded = append(folded, lower(r))
	}
	wrong, points, stresses, most := 0, 0, 0, known
	for i, r := range word {
		if r < utf8.RuneSelf {
			continue
		}
		n := weighPlace(folded, i)
		switch {
		case clashes(word, i):
			n = odd
		case i > 0 && !isCapital(r) && isCapital(word[i-1]) && (i > 1 || i+1 < len(word) && isCapital(word[i+1])):
			most = usual + possible // a forgotten one
		}
		if strings.ContainsRune(stressed, folded[i]) {
			if stresses++; stresses > 1 && n > 0 {
				n = odd
			}
		}
		if n <= odd {
			wrong++
		}
		points += n
	}
	switch {
	case wrong > 0:
		return max(points, wrong*odd, impossible)
	case len(word) == 2 && isCapital(word[0]) && isCapital(word[1]) && c.next|0x20 == c.next && isWordRune(rune(c.next)):
		return unlikely // two capitals before a small letter
	case isKnown(folded):
		return most
	}
	return min(points, usual+possible)
}

// clashes reports whether the letter at i, which is above ASCII, has another case than its neighbours. Programs that put text in
// capitals forget á, é, í, ó, ú, ñ and ç; they do not make others up.
func clashes(word []rune, i int) bool {
	r := word[i]
	before, behind := i > 0, i+1 < len(word)
	if isCapital(r) {
		// Behind a letter, and one of the two neighbours is small.
		return before && (!isCapital(word[i-1]) || behind && !isCapital(word[i+1]))
	}
	if before && behind && !isCapital(word[i-1]) && isCapital(word[i+1]) {
		return true
	}
	if strings.ContainsRune("áéíóúñç", r) {
		return false
	}
	capitals := 0
	for _, other := range word {
		if isCapital(other) {
			capitals++
		}
	}
	return capitals > 1 && capitals >= len(word)-2 || behind && isCapital(word[i+1])
}

const vowels = "aeiouáéíóúâêôãõ"

// weighPlace returns what the letter at i, which is above ASCII, is worth between its neighbours; the word is in small letters.
func weighPlace(word []rune, i int) int {
	var before, next rune
	if i > 0 {
		before = word[i-1]
	}
	if i+1 < len(word) {
		next = word[i+1]
	}
	r := word[i]
	fits := func(ok bool) int { return pick(ok, usual, odd) }
	in := func(r rune, set string) bool { return r != 0 && strings.ContainsRune(set, r) }
	switch r {
	case 'á', 'é', 'í', 'ó', 'ú':
		plain := map[rune]rune{'á': 'a', 'é': 'e', 'í': 'i', 'ó': 'o', 'ú': 'u'}[r]
		switch {
		case next == plain || before == plain:
			return -possible
		case r == 'á':
			// In CP850 it is the byte of a hard space, which stands between and around words that were copied from somewhere.
			return pick(before == 0 || next == 0, 0, possible)
		case before == 0 || next == 0:
			return possible
		}
		return usual
	case 'â':
		return fits(next != 0 && !in(next, vowels))
	case 'ê':
		return fits(!in(next, "aoáéíóú"))
	case 'ô':
		return pick(in(next, vowels), unlikely, usual)
	case 'ã':
		return fits(next == 0 || in(next, "oeismnz"))
	case 'õ':
		return fits(in(next, "es"))
	case 'ç':
		return fits(in(next, "aouáóúâôãõ"))
	case 'ñ':
		return fits(in(next, vowels))
	case 'ü':
		return pick(in(before, "gq") && in(next, "eiéíê"), usual, unlikely)
	case 'à':
		return pick(slices.Contains([]string{"às", "àquele", "àqueles", "àquela", "àquelas", "àquilo"}, string(word)), usual,
			pick(i == 0, odd, unlikely))
	case 'œ':
		return pick(next == 'u', unlikely, odd)
	case 'ß':
		return odd // but in words that are known
	}
	switch {
	case in(r, alienLetters):
		return odd
	case in(r, rareLetters):
		return odd + 1
	case in(r, "îû") && (before == 0 || next == 0):
		return odd
	}
	return unlikely
}

// weighLetter returns what a letter above ASCII is worth that is a word of its own.
func weighLetter(r rune, c piece) int {
	small := func(b byte) bool { return b >= 'a' && b <= 'z' }
	capital := func(b byte) bool { return b >= 'A' && b <= 'Z' }
	touches := c.before != 0 && c.touches || c.next != 0 && c.touchesNext
	switch {
	case touches:
		return odd
	case strings.ContainsRune("àéó", r):
		return pick(capital(c.before) || capital(c.next), odd, pick(small(c.before) || small(c.next), usual+possible, 0))
	case strings.ContainsRune("ÀÉÓ", r):
		return pick(capital(c.before) || capital(c.next), usual+possible, -possible)
	}
	return odd
}
