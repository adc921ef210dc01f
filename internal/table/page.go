package table

import "unicode/utf8"

// page is a code page: one byte is one character, and those below 80 are ASCII.
type page struct {
	name  Encoding
	upper [utf8.RuneSelf]rune   // what the bytes from 80 on stand for; 0 is undefined
	utf8  [utf8.RuneSelf]string // the same as UTF-8, "" for what is undefined
}

// pages are the code pages that a file can be in, the usual one first: at equal evidence the earlier one is it. The tables are those of
// unicode.org/Public/MAPPINGS (VENDORS/MICSFT/WINDOWS/CP1252.TXT, ISO8859/8859-15.TXT, VENDORS/MICSFT/PC/CP850.TXT), with \x00 for
// what is undefined. Decoders of the web map such bytes to control characters; a file that has them is in another encoding.
var pages = [...]*page{
	newPage(Windows1252,
		"€\x00‚ƒ„…†‡ˆ‰Š‹Œ\x00Ž\x00"+
			"\x00‘’“”•–—˜™š›œ\x00žŸ"+
			"\u00a0¡¢£¤¥¦§¨©ª«¬\u00ad®¯"+
			"°±²³´µ¶·¸¹º»¼½¾¿"+
			latinLetters),
	newPage(Latin9,
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"+
			"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"+
			"\u00a0¡¢£€¥Š§š©ª«¬\u00ad®¯"+
			"°±²³Žµ¶·ž¹º»ŒœŸ¿"+
			latinLetters),
	newPage(CP850,
		"ÇüéâäàåçêëèïîìÄÅ"+
			"ÉæÆôöòûùÿÖÜø£Ø×ƒ"+
			"áíóúñÑªº¿®¬½¼¡«»"+
			"░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐"+
			"└┴┬├─┼ãÃ╚╔╩╦╠═╬¤"+
			"ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀"+
			"ÓßÔÒõÕµþÞÚÛÙýÝ¯´"+
			"\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0"),
}

// latinLetters are C0 to FF in all the pages that come from ISO 8859-1.
const latinLetters = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ"

// newPage makes a page of the characters from 80 on.
func newPage(name Encoding, upper string) *page {
	p := &page{name: name}
	i := 0
	for _, r := range upper {
		p.upper[i] = r
		if r != 0 {
			p.utf8[i] = string(r)
		}
		i++
	}
	return p
}

// pageOf returns the code page that e names, nil if it names none.
func pageOf(e Encoding) *page {
	for _, p := range pages {
		if p.name == e {
			return p
		}
	}
	return nil
}

// rune returns the character of a byte, 0 if it has none.
func (p *page) rune(c byte) rune {
	if c < utf8.RuneSelf {
		return rune(c)
	}
	return p.upper[c-utf8.RuneSelf]
}

// append appends raw as UTF-8. When a byte stands for nothing it stops and returns the byte's index, else -1.
func (p *page) append(text, raw []byte) ([]byte, int) {
	for i := 0; i < len(raw); {
		n := asciiRun(raw[i:])
		text = append(text, raw[i:i+n]...)
		for i += n; i < len(raw) && raw[i] >= utf8.RuneSelf; i++ {
			c := p.utf8[raw[i]-utf8.RuneSelf]
			if c == "" {
				return text, i
			}
			text = append(text, c...)
		}
	}
	return text, -1
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0xc0 }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

func pick[T any](cond bool, yes, no T) T {
	if cond {
		return yes
	}
	return no
}
