package table

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strings"
	"unicode/utf8"
)

// survey is the evidence on the bytes above ASCII of a whole file that is not UTF-16.
type survey struct {
	singleBytes bool // set before: each byte is a character, UTF-8 is left out of account

	visible bool  // there is more than blanks
	quotes  bool  // there is a quote
	nul     int64 // the offset of the first NUL, -1 if there is none; the survey ends there

	multi  int // characters that only UTF-8 explains
	pairs  int // characters in UTF-8 that are as likely two of a code page, like the É and ® of CAFÉ®
	single int // bytes above ASCII that are no UTF-8

	firstMulti, firstSingle spot

	// Of the bytes above ASCII as characters of a code page:
	seen    [256]int   // how often each occurs
	firstAt [256]int64 // where each occurs first
	judged  int64      // where the piece ends that was weighed last
	pieces  seenSet    // those that were weighed
	votes   [len(pages)]votes
	doubts  [len(pages)][len(pages)]doubt // by the pages that read differently, the earlier one first
}

// votes is what the pieces of a file say about one code page.
type votes struct {
	points   int
	good     int // pieces in which it makes sense
	bad      int // pieces in which it makes none
	firstBad spot
}

// doubt counts the pieces that two code pages read differently, and keeps the one that shows it best.
type doubt struct {
	pieces int
	gap    int // how far apart the code pages are on it
	shown  spot
}

// spot is a place in the file that a refusal may have to name.
type spot struct {
	offset int64
	bytes  []byte
}

// maxPiece is how much of a piece is looked at before and behind the byte that gives rise to it, and sight how much of the file lies
// around that byte at least, so that a piece is whole and its neighbours are seen.
const (
	maxPiece = 48
	sight    = 2 * maxPiece
)

// read goes over the whole of file once.
func (s *survey) read(file io.Reader) error {
	buf := make([]byte, headSize)
	n, from := 0, 0 // bytes in buf, and how many of them are done
	var base int64  // offset of buf in the file
	s.nul = -1
	for {
		m, err := io.ReadFull(file, buf[n:])
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return err
		}
		fresh := buf[n : n+m]
		// No text has a NUL, in any encoding that is left here.
		if i := bytes.IndexByte(fresh, 0); i >= 0 {
			s.nul = base + int64(n+i)
			return nil
		}
		s.visible = s.visible || hasVisible(fresh)
		s.quotes = s.quotes || bytes.IndexByte(fresh, '"') >= 0
		n += m
		stop := n
		if !last {
			stop -= sight
		}
		from = s.block(buf[:n], from, stop, base)
		if last {
			return nil
		}
		keep := max(0, from-sight)
		base += int64(keep)
		n = copy(buf, buf[keep:n])
		from -= keep
	}
}

// block looks at b from one index up to another, or a little further, and returns how far it came. b lies at base in the file.
func (s *survey) block(b []byte, from, stop int, base int64) int {
	i := from
	for i < stop {
		if i += asciiRun(b[i:stop]); i >= stop {
			break
		}
		size := 1
		if !s.singleBytes {
			// Strict: no overlong forms, no surrogates, nothing above U+10FFFF. What is none of UTF-8 has size 1.
			_, size = utf8.DecodeRune(b[i:])
		}
		at := base + int64(i)
		switch {
		case size > 1:
			s.addMulti(b[i:i+size], at)
		default:
			s.count(b[i], at)
			first(s.single, &s.firstSingle, at, b[i:i+1])
			s.single++
			if at >= s.judged && s.pieces.n < maxPieces {
				s.addPiece(b, i, base)
			}
		}
		i += size
	}
	return i
}

// count takes a byte into account that may be a character.
func (s *survey) count(c byte, at int64) {
	if s.seen[c] == 0 {
		s.firstAt[c] = at
	}
	s.seen[c]++
}

// addMulti takes a character of UTF-8 into account.
func (s *survey) addMulti(b []byte, at int64) {
	// á to ú begin with C3, º and ¿ with C2; as Windows-1252 they would be Ã and Â before a sign, which nobody writes. Other capital
	// letters do stand before signs, and the frames of DOS beside each other.
	if len(b) == 2 && b[0] > 0xc3 {
		s.pairs++
		s.count(b[0], at)
		s.count(b[1], at+1)
		return
	}
	first(s.multi, &s.firstMulti, at, b)
	s.multi++
}

// isPieceByte reports whether c is part of a piece: a letter, a digit or above ASCII.
func isPieceByte(c byte) bool {
	return c >= utf8.RuneSelf || c|0x20 >= 'a' && c|0x20 <= 'z' || isDigit(c)
}

// addPiece weighs the piece around the byte at i in every code page, unless it was weighed before: a word that is repeated says
// nothing more.
func (s *survey) addPiece(b []byte, i int, base int64) {
	from, to := i, i+1
	for from > max(0, i-maxPiece) && isPieceByte(b[from-1]) {
		from--
	}
	for to < min(len(b), i+maxPiece) && isPieceByte(b[to]) {
		to++
	}
	s.judged = base + int64(to)
	c := piece{raw: b[from:to]}
	c.before, c.touches = neighbour(b, from-1, -1)
	c.next, c.touchesNext = neighbour(b, to, 1)
	if !s.pieces.add(c.hash()) {
		return
	}
	at := base + int64(i)
	var points [len(pages)]int
	for k, p := range pages {
		v := &s.votes[k]
		points[k] = p.weigh(c)
		v.points += points[k]
		switch {
		case points[k] >= possible:
			v.good++
		case points[k] <= odd:
			first(v.bad, &v.firstBad, at, b[i:i+1])
			v.bad++
		}
	}
	for k := range pages {
		for l := range k {
			d, gap := &s.doubts[l][k], max(points[k], points[l])-min(points[k], points[l])
			if !differ(pages[k], pages[l], c.raw) {
				continue
			}
			if d.pieces++; d.pieces == 1 || gap < min(d.gap, threshold) {
				d.gap, d.shown = gap, spot{at, bytes.Clone(surroundings(b, from, to))}
			}
		}
	}
}

// differ reports whether two code pages make different texts of raw.
func differ(a, b *page, raw []byte) bool {
	for _, c := range raw {
		if a.rune(c) != b.rune(c) {
			return true
		}
	}
	return false
}

// isCellEnd reports whether c may stand between cells.
func isCellEnd(c byte) bool {
	return c == '\n' || c == '\r' || c == '\t' || c == ';' || c == ',' || c == '|' || c == '"'
}

// neighbour returns what lies at i in b, or behind the blank there in the direction of step, and whether it is at i. The edge of a
// cell is 0.
func neighbour(b []byte, i, step int) (c byte, touches bool) {
	touches = true
	if i >= 0 && i < len(b) && b[i] == ' ' {
		i, touches = i+step, false
	}
	if i < 0 || i >= len(b) || isCellEnd(b[i]) || b[i] == ' ' {
		return 0, touches
	}
	return b[i], touches
}

// surroundings returns b[from:to] with what stands around it in its cell.
func surroundings(b []byte, from, to int) []byte {
	const around = 24
	for low := max(0, from-around); from > low && !isCellEnd(b[from-1]); {
		from--
	}
	for high := min(len(b), to+around); to < high && !isCellEnd(b[to]); {
		to++
	}
	return bytes.TrimSpace(b[from:to])
}

// hash returns what tells the piece from others: which digits it has does not.
func (c piece) hash() uint64 {
	h := uint64(14695981039346656037) // FNV-1a
	add := func(b byte) {
		if isDigit(b) {
			b = '0'
		}
		h = (h ^ uint64(b)) * 1099511628211
	}
	for _, b := range c.raw {
		add(b)
	}
	add(0)
	add(c.before)
	add(c.next)
	add(pick[byte](c.touches, 1, 2))
	add(pick[byte](c.touchesNext, 1, 2))
	return h
}

// seenSet is a set of hashes that stops to grow when it is large enough.
type seenSet struct {
	slots []uint64
	n     int
}

// maxPieces is how many different pieces decide. More would change nothing, and a file may be made of nothing else.
const maxPieces = 1 << 13

// add puts h into the set and reports whether it is new there.
func (s *seenSet) add(h uint64) bool {
	if s.slots == nil {
		s.slots = make([]uint64, 2*maxPieces)
	}
	h |= 1 // 0 is an empty slot
	for i := (h >> 32) % uint64(len(s.slots)); ; i = (i + 1) % uint64(len(s.slots)) {
		switch s.slots[i] {
		case h:
			return false
		case 0:
			if s.n == maxPieces {
				return false
			}
			s.slots[i] = h
			s.n++
			return true
		}
	}
}

// undefined returns the first byte of the file that stands for nothing in p.
func (s *survey) undefined(p *page) (spot, bool) {
	var at spot
	for c := utf8.RuneSelf; c < 256; c++ {
		if s.seen[c] > 0 && p.rune(byte(c)) == 0 && (at.bytes == nil || s.firstAt[c] < at.offset) {
			at = spot{s.firstAt[c], []byte{byte(c)}}
		}
	}
	return at, at.bytes != nil
}

// first keeps a place in spot when it is the first of its kind: count is how many there were before. The bytes are copied, since the
// buffer they lie in is read into again.
func first(count int, to *spot, at int64, b []byte) {
	if count == 0 {
		*to = spot{at, bytes.Clone(b)}
	}
}

// evidence says in words why the file is in p.
func (s *survey) evidence(p *page) string {
	var spanish, portuguese, one, two int
	for c := utf8.RuneSelf; c < 256; c++ {
		n, r := s.seen[c], p.rune(byte(c))
		if n == 0 {
			continue
		}
		switch {
		case strings.ContainsRune("áéíóúñÁÉÍÓÚÑüÜ¡¿", r):
			spanish += n
		case strings.ContainsRune("ãõçâêôàÃÕÇÂÊÔÀ", r):
			portuguese += n
		}
		switch {
		case !isWordRune(r):
		case n > s.seen[one]:
			one, two = c, one
		case n > s.seen[two]:
			two = c
		}
	}
	language := "Western European text"
	switch {
	// The acute vowels are in both languages, the rest of Portuguese is not in Spanish.
	case portuguese*4 > spanish:
		language = "Portuguese"
	case spanish > 0:
		language = "Spanish"
	}
	switch {
	case one == 0:
		return fmt.Sprintf("signs fit %s, no letters above ASCII", p.title())
	case two == 0:
		return fmt.Sprintf("byte 0x%02X fits %s in %s", one, language, p.title())
	}
	return fmt.Sprintf("bytes 0x%02X 0x%02X fit %s in %s", one, two, language, p.title())
}

// title returns the name of p as it is written in sentences.
func (p *page) title() string {
	switch p.name {
	case Latin9:
		return "ISO-8859-15"
	case CP850:
		return "CP850"
	}
	return "Windows-1252"
}

// asciiRun returns how many bytes b begins with that are ASCII. It looks at eight at a time, which is why a survey of the whole file
// is affordable: exports are ASCII but for one byte in a hundred.
func asciiRun(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if above := binary.LittleEndian.Uint64(b[i:]) & 0x8080808080808080; above != 0 {
			return i + bits.TrailingZeros64(above)/8
		}
	}
	for i < len(b) && b[i] < utf8.RuneSelf {
		i++
	}
	return i
}
