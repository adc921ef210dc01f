package table

import "unicode/utf8"

// lost stands for a character that an encoding does not have. People see that something was there.
const lost = '?'

// Encode returns UTF-8 text in another encoding: one of the code pages, or UTF-8 itself. A character that the encoding does not have
// becomes a question mark.
func Encode(e Encoding, text string) []byte {
	p := pageOf(e)
	if p == nil {
		return []byte(text)
	}
	out := make([]byte, 0, len(text))
	for _, r := range text {
		out = append(out, p.byte(r))
	}
	return out
}

// byte returns the byte that stands for a character.
func (p *page) byte(r rune) byte {
	if r < utf8.RuneSelf {
		return byte(r)
	}
	for i, have := range p.upper {
		if have == r {
			return byte(utf8.RuneSelf + i)
		}
	}
	return lost
}
