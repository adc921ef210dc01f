package table

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// survey is the evidence on the bytes above ASCII of a whole file that is not UTF-16.
type survey struct {
	singleBytes bool // set before: each byte is a character, UTF-8 is out of the question

	visible bool // there is more than blanks
	nul     bool // a NUL byte: no text; the survey ends there

	multi  int // characters that only UTF-8 explains
	pairs  int // characters in UTF-8 that are as likely two of Windows-1252, like the É and ® of CAFÉ®
	single int // bytes above ASCII that are no UTF-8

	// Of the single bytes as Windows-1252:
	undefined int // stand for nothing
	fit       int // make sense beside their neighbours
	odd       int // make none; what is neither fit nor odd proves nothing
	seen      [256]int

	firstMulti, firstSingle, firstUndefined, firstOdd spot
}

// spot is a place in the file that a refusal may have to name.
type spot struct {
	offset int64
	bytes  []byte
}

// read goes over the whole of file once.
func (s *survey) read(file io.Reader) error {
	buf := make([]byte, headSize)
	n := 0              // bytes in buf
	var base int64      // offset of buf in the file
	before := byte(' ') // the byte in front of buf
	for {
		m, err := io.ReadFull(file, buf[n:])
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return err
		}
		n += m
		// No text has a NUL, in any encoding that is left here. Padding at the end is a file that was reserved and not written.
		if bytes.IndexByte(buf[:n], 0) >= 0 {
			s.nul = true
			return nil
		}
		s.visible = s.visible || hasVisible(buf[:n])
		done := n
		if !last {
			done -= utf8.UTFMax // so that a character and its neighbour are always in sight
		}
		done = s.block(buf[:n], done, before, base)
		if last {
			return nil
		}
		before = buf[done-1]
		base += int64(done)
		n = copy(buf, buf[done:n])
	}
}

// block looks at b up to stop, or a little further, and returns how far it came. The file has before in front of b, at base.
func (s *survey) block(b []byte, stop int, before byte, base int64) int {
	i := 0
	for i < stop {
		if i += asciiRun(b[i:stop]); i >= stop {
			break
		}
		prev, size := before, 1
		if i > 0 {
			prev = b[i-1]
		}
		if !s.singleBytes {
			// Strict: no overlong forms, no surrogates, nothing above U+10FFFF. What is none of UTF-8 has size 1.
			_, size = utf8.DecodeRune(b[i:])
		}
		at := spot{base + int64(i), b[i : i+size]}
		if size == 1 {
			next := byte(' ')
			if i+1 < len(b) {
				next = b[i+1]
			}
			s.addSingle(prev, next, at)
		} else {
			s.addMulti(at)
		}
		i += size
	}
	return i
}

// addMulti takes a character of UTF-8 into account.
func (s *survey) addMulti(at spot) {
	// á to ú begin with C3, º and ¿ with C2; as Windows-1252 they would be Ã and Â before a sign, which nobody writes. Other capital
	// letters do stand before signs.
	if b := at.bytes; len(b) == 2 && b[0] > 0xc3 && bytes.IndexByte([]byte{0x92, 0x94, 0x99, 0xa0, 0xaa, 0xae, 0xb0, 0xb4, 0xba}, b[1]) >= 0 {
		s.pairs++
		return
	}
	first(s.multi, &s.firstMulti, at)
	s.multi++
}

// addSingle takes a byte that is no UTF-8 into account; prev and next are its neighbours.
func (s *survey) addSingle(prev, next byte, at spot) {
	c := at.bytes[0]
	s.seen[c]++
	first(s.single, &s.firstSingle, at)
	s.single++
	switch judge(prev, c, next) {
	case undefined:
		first(s.undefined, &s.firstUndefined, at)
		s.undefined++
	case fit:
		s.fit++
	case odd:
		first(s.odd, &s.firstOdd, at)
		s.odd++
	}
}

// first keeps at in spot when it is the first of its kind: count is how many there were before. The bytes are copied, since the
// buffer they lie in is read into again.
func first(count int, to *spot, at spot) {
	if count == 0 {
		*to = spot{at.offset, bytes.Clone(at.bytes)}
	}
}

// western says in words why the file is Windows-1252.
func (s *survey) western() string {
	var spanish, portuguese int
	for _, c := range []byte("\xe1\xe9\xed\xf3\xfa\xf1\xc1\xc9\xcd\xd3\xda\xd1\xfc\xdc\xa1\xbf") { // áéíóúñÁÉÍÓÚÑüÜ¡¿
		spanish += s.seen[c]
	}
	for _, c := range []byte("\xe3\xf5\xe7\xe2\xea\xf4\xe0\xc3\xd5\xc7\xc2\xca\xd4\xc0") { // ãõçâêôàÃÕÇÂÊÔÀ
		portuguese += s.seen[c]
	}
	language := "Western European text"
	switch {
	// The acute vowels are in both languages, the rest of Portuguese is not in Spanish.
	case portuguese*4 > spanish:
		language = "Portuguese"
	case spanish > 0:
		language = "Spanish"
	}
	one, two := 0, 0
	for c := 0xc0; c <= 0xff; c++ { // the letters
		switch n := s.seen[c]; {
		case n > s.seen[one]:
			one, two = c, one
		case n > s.seen[two]:
			two = c
		}
	}
	switch {
	case one == 0:
		return "signs fit Windows-1252, no letters above ASCII"
	case two == 0:
		return fmt.Sprintf("byte 0x%02X fits %s in Windows-1252", one, language)
	}
	return fmt.Sprintf("bytes 0x%02X 0x%02X fit %s in Windows-1252", one, two, language)
}

// asciiRun returns how many bytes b begins with that are ASCII. It looks at eight at a time, which is why a survey of the whole file
// is affordable: exports are ASCII but for one byte in a hundred.
func asciiRun(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if binary.LittleEndian.Uint64(b[i:])&0x8080808080808080 != 0 {
			break
		}
	}
	for i < len(b) && b[i] < utf8.RuneSelf {
		i++
	}
	return i
}

func isASCII(b []byte) bool { return asciiRun(b) == len(b) }
