package table

import "unicode/utf8"

// weighSign returns what the sign text[i], which is above ASCII and no letter, is worth where it stands.
func weighSign(text []rune, i int, c piece) int {
	s := signPlace{before: c.edge(c.touches, c.before), next: c.edge(c.touchesNext, c.next)}
	s.nearBefore, s.nearNext = rune(c.before), rune(c.next)
	if i > 0 {
		s.before, s.nearBefore = text[i-1], text[i-1]
		s.stem = i
		for s.stem > 0 && isWordRune(text[s.stem-1]) {
			s.stem--
		}
		s.stem = i - s.stem
	}
	if i+1 < len(text) {
		s.next, s.nearNext = text[i+1], text[i+1]
		s.tail = wordLength(text[i+1:])
	}
	if isFrame(text[i]) {
		return s.frame(text, i)
	}
	if s.stem > 0 && s.tail > 0 {
		return s.inWord(text, i)
	}
	return s.weigh(text[i])
}

// edge returns a neighbour that touches the piece as a character of it.
func (piece) edge(touches bool, b byte) rune {
	if touches {
		return rune(b)
	}
	return 0
}

// signPlace is where a sign stands.
type signPlace struct {
	before, next         rune // what touches it, 0 for nothing
	nearBefore, nearNext rune // the same beyond a blank
	stem, tail           int  // how many letters touch it
}

func isFrame(r rune) bool { return r >= 0x2500 && r <= 0x25ff || r == '‗' }

// frame judges the lines that DOS programs draw around titles.
func (s signPlace) frame(text []rune, i int) int {
	switch {
	case s.stem > 0 || s.tail > 0 || isNumeral(s.before) || isNumeral(s.next):
		return impossible
	case i > 1 && text[i-1] == text[i] && text[i-2] == text[i]:
		return usual
	}
	return 0
}

// inWord judges a sign with letters on both sides.
func (s signPlace) inWord(text []rune, i int) int {
	switch r := text[i]; r {
	case '’':
		// L’Oréal, Johnson’s
		if s.stem == 1 || s.tail == 1 && lower(s.next) == 's' {
			return usual + possible
		}
		return -possible
	case '´':
		return possible
	case '·':
		return pick(lower(s.before) == 'l' && lower(s.next) == 'l', possible, odd)
	case '\u00a0':
		// Words that a hard space holds together have vowels and more than a letter each; Pl\xa0tano doesn't.
		if hasVowel(text[i-s.stem:i]) && hasVowel(text[i+1:i+1+s.tail]) && s.stem > 1 && s.tail > 1 {
			return possible
		}
		return odd
	case '\u00ad':
		return -possible
	}
	return impossible
}

func hasVowel(word []rune) bool {
	for _, r := range word {
		switch lower(r) {
		case 'a', 'e', 'i', 'o', 'u', 'y', 'á', 'é', 'í', 'ó', 'ú', 'â', 'ê', 'ô', 'ã', 'õ':
			return true
		}
	}
	return false
}

func isNumeral(r rune) bool { return r >= '0' && r <= '9' }

// weigh judges a sign that is not within a word.
func (s signPlace) weigh(r rune) int {
	letterBefore, letterNext := s.stem > 0 || isWordRune(s.before), s.tail > 0 || isWordRune(s.next)
	number := isNumeral(s.nearBefore) || isNumeral(s.nearNext)
	if !letterBefore && !letterNext && !isNumeral(s.before) && !isNumeral(s.next) && s.before < utf8.RuneSelf && s.next < utf8.RuneSelf {
		return s.alone(r, number)
	}
	switch r {
	case '¿':
		return pick(letterNext && !letterBefore && !isNumeral(s.before), usual+possible, odd)
	case '¡':
		return pick(letterNext && !letterBefore && !isNumeral(s.before), possible, odd)
	case 'º', 'ª', '°':
		switch {
		case isNumeral(s.before) && (!letterNext || r == '°' || r == 'º' && lower(s.next) == 'c'):
			return usual + possible
		case letterBefore && s.stem == 1 && lower(s.before) == 'n' && r != 'ª':
			return usual + possible
		}
		return pick(letterBefore && !letterNext, possible, odd)
	case '½', '¼', '¾':
		return pick(letterBefore, odd, pick(letterNext, possible, usual+possible))
	case '²', '³':
		return pick(letterBefore && !letterNext, pick(lower(s.before) == 'm', usual, -possible), odd)
	case '€':
		return pick(letterBefore || letterNext, odd, pick(isNumeral(s.before), usual+possible, possible))
	case '£':
		return pick(letterBefore || letterNext, odd, possible)
	case '¤':
		return pick(isNumeral(s.next) && !isNumeral(s.before), 0, odd)
	case '®', '™':
		return pick(letterBefore && !letterNext, usual, 0)
	case '©':
		return pick(letterNext || letterBefore, -possible, 0)
	case '“', '‘':
		return pick(letterBefore || isNumeral(s.before), odd, possible)
	case '”', '’':
		return pick(letterNext || isNumeral(s.next), odd, possible)
	case '«':
		return pick(letterBefore || isNumeral(s.before), odd, 0)
	case '»':
		return pick(letterNext || isNumeral(s.next), odd, 0)
	case '\u00a0':
		return s.space()
	case '×', '±', '–':
		return pick(letterBefore || letterNext, pick(r == '×' && number, 0, odd), possible)
	case '…', '—', '•', '·', '\u00ad', '´':
		return 0
	case 'µ', '‰', '¢', '÷', '§', '¹':
		return s.rare(r)
	}
	return odd
}

// space judges a hard space at the edge of a word.
func (s signPlace) space() int {
	switch {
	case isNumeral(s.before) && isNumeral(s.next):
		return usual + possible
	case isNumeral(s.before) || isNumeral(s.next):
		return usual
	}
	return pick(s.stem > 1 || s.tail > 1, possible, 0)
}

// rare judges the signs that have one use each.
func (s signPlace) rare(r rune) int {
	switch r {
	case 'µ': // µm, µg, µl
		return pick(isNumeral(s.nearBefore) && s.tail == 1 && s.next >= 'a', known, odd)
	case '¢', '‰':
		return pick(isNumeral(s.before) && s.next == 0, -possible, odd)
	case '§', '¹':
		return pick(s.before == 0, 0, odd)
	}
	return odd
}

// alone judges a sign that nothing touches.
func (s signPlace) alone(r rune, number bool) int {
	switch r {
	case '€':
		return pick(number, usual+possible, possible)
	case '½', '¼', '¾':
		return pick(isWordRune(s.nearNext) || number, usual+possible, possible)
	case '×', '±':
		return pick(number, usual, possible)
	case '–', '—', '•', '®', '™', '£', '°', 'º', 'ª', '…':
		return possible
	case '\u00a0', '·', '´', '©', '\u00ad':
		return 0
	case '¤':
		return unlikely
	}
	return odd
}
