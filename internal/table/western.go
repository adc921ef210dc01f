package table

import "unicode/utf8"

// upper1252 is what the bytes 80 to 9F are in Windows-1252; 0 is undefined. A0 to FF are the same in Unicode.
// (Microsoft's table, unicode.org/Public/MAPPINGS/VENDORS/MICSFT/WINDOWS/CP1252.TXT. The web's decoders map the five undefined bytes
// to control characters; a file that has them is in another encoding.)
var upper1252 = [32]rune{
	'€', 0, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0, 'Ž', 0,
	0, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0, 'ž', 'Ÿ',
}

// rune1252 returns the character of a byte above ASCII, 0 if it has none.
func rune1252(c byte) rune {
	if c < 0xa0 {
		return upper1252[c-0x80]
	}
	return rune(c)
}

// appendWindows1252 appends raw as UTF-8. When a byte stands for nothing it stops and returns the byte's index, else -1.
func appendWindows1252(text, raw []byte) ([]byte, int) {
	for i := 0; i < len(raw); {
		n := asciiRun(raw[i:])
		text = append(text, raw[i:i+n]...)
		for i += n; i < len(raw) && raw[i] >= utf8.RuneSelf; i++ {
			c := rune1252(raw[i])
			if c == 0 {
				return text, i
			}
			text = utf8.AppendRune(text, c)
		}
	}
	return text, -1
}

// verdict is what a byte says about a file being Windows-1252.
type verdict uint8

const (
	neutral   verdict = iota
	fit               // as one writes in Spanish, Portuguese or English
	odd               // as one doesn't
	undefined         // stands for nothing
)

// judge says whether c, between its neighbours, makes sense in Windows-1252. What it has to tell apart are the code pages of DOS
// (850: ñ is A4, ó A2, Ñ A5, Ó E0), of old Macs and of other alphabets: there, signs come out in the middle of words, small letters
// within capitals, and foreign letters in rows.
func judge(prev, c, next byte) verdict {
	r := rune1252(c)
	switch {
	case r == 0:
		return undefined
	case isWestern(r):
		return judgeLetter(prev, c, next)
	}
	inWord := isLetter(prev) && isLetter(next)
	switch r {
	case '¿', '¡':
		return pick(!isLetter(prev) && !isDigit(next), fit, odd)
	case 'º', 'ª', '°', '®', '™', '€', '£', '½', '¼', '¾', '²', '³', '×', '±', '“', '”', '•', '…', '«', '»', '§', '©', '—':
		return pick(inWord, odd, fit)
	case '\u00a0', '\u00ad', '´', '·', '‘', '’', '–', 'ß', 'Å', 'å', 'Æ', 'æ', 'Ø', 'ø', 'Œ', 'œ', 'µ', '¨':
		return neutral
	}
	// What is left is rare enough to be odd in any word, also at its end.
	return pick(isLetter(prev) || isLetter(next), odd, neutral)
}

func judgeLetter(prev, c, next byte) verdict {
	switch {
	case prev >= utf8.RuneSelf && next >= utf8.RuneSelf:
		return odd // no word has three in a row
	case prev >= utf8.RuneSelf || next >= utf8.RuneSelf:
		return pick(isLetter(prev) && isLetter(next), fit, neutral) // ção, maçã
	}
	// Programs that put text in capitals forget á, é, í, ó, ú, ñ and ç; they do not make others up.
	small := c >= 0xe0 && !isOneOf(rune(c), "áéíóúñç")
	return pick(small && isCapital(prev) && isCapital(next), odd, fit)
}

// isWestern reports whether r is a letter that words of Spanish, Portuguese or English, or the names of their neighbours' goods,
// are written with.
func isWestern(r rune) bool {
	return isOneOf(r, "áéíóúüñçãõâêôàèìòùëïöäîûÁÉÍÓÚÜÑÇÃÕÂÊÔÀÈÌÒÙËÏÖÄÎÛ")
}

func isOneOf(r rune, set string) bool {
	for _, s := range set {
		if s == r {
			return true
		}
	}
	return false
}

func isLetter(c byte) bool  { return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0xc0 }
func isCapital(c byte) bool { return c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool   { return c >= '0' && c <= '9' }

func pick[T any](cond bool, yes, no T) T {
	if cond {
		return yes
	}
	return no
}
