package table

import (
	"encoding/binary"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// utf16Reader makes UTF-8 of UTF-16. Unlike the usual decoders it ends with a refusal at what is no text (half a surrogate pair, NUL,
// an odd byte at the end) instead of putting U+FFFD there.
type utf16Reader struct {
	r        io.Reader
	encoding Encoding
	order    binary.ByteOrder

	in         []byte
	start, end int // what of in is not decoded yet
	line       int
	cr         bool  // the last character was CR
	err        error // of r, told when all of in is decoded
}

func newUTF16Reader(r io.Reader, e Encoding) *utf16Reader {
	return &utf16Reader{r: r, encoding: e, order: e.order(), in: make([]byte, 64<<10), line: 1}
}

// order returns how the two bytes of UTF-16 lie; e is one of the two.
func (e Encoding) order() binary.ByteOrder {
	if e == UTF16BE {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// Read implements io.Reader. It needs room for one character: four bytes.
func (u *utf16Reader) Read(p []byte) (int, error) {
	if len(p) < utf8.UTFMax {
		return 0, io.ErrShortBuffer
	}
	n := 0
	for n == 0 {
		// A surrogate pair must be in sight as a whole: four bytes.
		if u.end-u.start < 4 && u.err == nil {
			u.fill()
		}
		if u.start == u.end {
			return 0, u.err
		}
		for n+utf8.UTFMax <= len(p) {
			c, size := u.next()
			if size == 0 {
				break
			}
			if c == 0 {
				return n, refuseEncoding(u.encoding, u.in[u.start:u.start+size], u.line)
			}
			u.count(c)
			n += utf8.EncodeRune(p[n:], c)
			u.start += size
		}
	}
	return n, nil
}

// next returns the next character and its size, or size 0 when it is not in sight. A character of 0 is no text.
func (u *utf16Reader) next() (rune, int) {
	in := u.in[u.start:u.end]
	more := u.err == nil
	switch {
	case len(in) == 0 || (len(in) < 2 && more):
		return 0, 0
	case len(in) < 2:
		return 0, 1 // the file was cut in the middle of a character
	}
	c := rune(u.order.Uint16(in))
	if !utf16.IsSurrogate(c) {
		return c, 2
	}
	switch {
	case len(in) < 4 && more:
		return 0, 0
	case len(in) < 4:
		return 0, 2
	}
	if c = utf16.DecodeRune(c, rune(u.order.Uint16(in[2:]))); c == utf8.RuneError {
		return 0, 2
	}
	return c, 4
}

// fill gets more of the file behind what is not decoded yet, at least one character unless the file ends.
func (u *utf16Reader) fill() {
	u.end = copy(u.in, u.in[u.start:u.end])
	u.start = 0
	for u.end < 4 && u.err == nil {
		var n int
		n, u.err = u.r.Read(u.in[u.end:])
		u.end += n
	}
}

// count keeps the line of what comes after c.
func (u *utf16Reader) count(c rune) {
	if c == '\r' || (c == '\n' && !u.cr) {
		u.line++
	}
	u.cr = c == '\r'
}
