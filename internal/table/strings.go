package table

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

const (
	// blockStrings is how many shared strings lie together: few enough that a cell's text costs little to fetch from a file, enough
	// that knowing where each block lies takes no memory to speak of.
	blockStrings = 64
	// stringMemory is how much of the shared strings stays in memory. More of them go into a temporary file, all at once.
	stringMemory = 16 << 20
	// maxStrings is how many there may be: a million rows with thirty texts each, all of them different.
	maxStrings = 1 << 25
	// cacheMemory is how much of that file one pass keeps in memory.
	cacheMemory = 2 << 20
)

// sharedStrings are the texts that cells of a workbook refer to by number. Those of a large one fill more memory than the rest of the
// reading takes, so that above a size they live in a file. After reading they never change, and may be asked from several goroutines.
//
// A block is the end of each of its strings, four bytes each, and then the strings.
type sharedStrings struct {
	memory int // blocks stay in memory up to that; less in tests
	count  int

	blocks [][]byte    // while they are in memory
	refs   []stringRef // where each block lies once they are not
	size   int64       // of all blocks
	file   *os.File    // nil while they are in memory
	out    *bufio.Writer

	ends []uint32 // of the block that is being filled
	text []byte
}

// stringRef is where a block lies in the file.
type stringRef struct {
	offset int64
	size   uint32
}

// read reads the strings from the part that has them. The result must be closed, also after an error.
func (s *sharedStrings) read(m *markup, limit int) error {
	m.inside(func() {
		if string(m.name) != "si" {
			return
		}
		from := len(s.text)
		if m.kind == tokenOpen {
			s.text = m.appendRich(s.text, limit)
		}
		s.added(m, from, limit)
		for m.err == nil {
			text, ok := m.plainItem()
			if !ok {
				return
			}
			from = len(s.text)
			s.text = unescape(append(s.text, text...), from)
			s.added(m, from, limit)
		}
	})
	if m.err != nil {
		return m.err
	}
	return s.done()
}

// appendRich appends the text of the element that was just opened, which holds rich text or plain, to dst, and goes behind its end.
// Phonetic runs repeat the text in another script: they are left out. The text may have limit bytes.
func (m *markup) appendRich(dst []byte, limit int) []byte {
	from, inText := len(dst), false
	for depth := 1; depth > 0 && m.next(); {
		switch m.kind {
		case tokenOpen:
			if string(m.name) == "rPh" {
				m.skip()
				continue
			}
			depth++
			inText = string(m.name) == "t"
		case tokenClose:
			depth--
			inText = false
		case tokenText:
			if inText {
				dst = m.appendLimited(dst, from, limit)
			}
		}
	}
	return unescape(dst, from)
}

// escapeSize is how many bytes may stand for one: _x000D_.
const escapeSize = 7

// appendLimited appends the text of the current token to dst, where from is the beginning of what may have limit bytes. Each piece of
// a text is bounded, but nothing bounds their number. What is only too long once its escapes are replaced is for the caller to see.
func (m *markup) appendLimited(dst []byte, from, limit int) []byte {
	dst = m.appendText(dst)
	if len(dst)-from > escapeSize*limit {
		m.err = refuseLimit("cell bytes", limit, 0)
	}
	return dst
}

// unescape replaces what dst has from there on of _x000D_: the way in which workbooks write characters that XML can't hold, and an
// underscore that would look like one (ECMA-376 part 1, 22.9.2.19).
func unescape(dst []byte, from int) []byte {
	first := bytes.IndexByte(dst[from:], '_')
	if first < 0 {
		return dst
	}
	to := from + first
	for i := to; i < len(dst); to++ {
		if r, ok := escaped(dst[i:]); ok {
			to += copy(dst[to:], string(r)) - 1 // never longer than the seven characters that it replaces
			i += escapeSize
			continue
		}
		dst[to] = dst[i]
		i++
	}
	return dst[:to]
}

// escaped returns the character that b begins with in that way.
func escaped(b []byte) (rune, bool) {
	if len(b) < escapeSize || b[0] != '_' || b[1] != 'x' || b[6] != '_' {
		return 0, false
	}
	var r rune
	for _, c := range b[2:6] {
		switch {
		case isDigit(c):
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	// Halves of a pair stay as they are written: alone they are no character.
	return r, r < 0xd800 || r > 0xdfff
}

// added ends the string that was put behind text, where from is its beginning. What is wrong becomes the markup's error.
func (s *sharedStrings) added(m *markup, from, limit int) {
	if len(s.text)-from > limit {
		m.err = refuseLimit("cell bytes", limit, 0)
	}
	if s.count == maxStrings {
		m.err = errMarkup
		return
	}
	s.count++
	s.ends = append(s.ends, uint32(len(s.text)))
	if len(s.ends) < blockStrings {
		return
	}
	if err := s.flush(); err != nil {
		m.err = err
	}
}

// flush puts the block that is being filled where the others are.
func (s *sharedStrings) flush() error {
	size := 4*len(s.ends) + len(s.text)
	if s.file == nil && s.size+int64(size) > int64(s.memory) {
		if err := s.spill(); err != nil {
			return err
		}
	}
	block := make([]byte, 0, size)
	for _, end := range s.ends {
		block = binary.LittleEndian.AppendUint32(block, end)
	}
	block = append(block, s.text...)
	s.ends, s.text = s.ends[:0], s.text[:0]
	return s.put(block)
}

// put adds a finished block.
func (s *sharedStrings) put(block []byte) error {
	if s.file == nil {
		s.blocks = append(s.blocks, block)
		s.size += int64(len(block))
		return nil
	}
	s.refs = append(s.refs, stringRef{offset: s.size, size: uint32(len(block))})
	s.size += int64(len(block))
	if _, err := s.out.Write(block); err != nil {
		return fmt.Errorf("write shared strings: %w", err)
	}
	return nil
}

// spill moves the blocks from memory into a file.
func (s *sharedStrings) spill() error {
	f, err := os.CreateTemp("", "gondola-strings-*")
	if err != nil {
		return fmt.Errorf("make room for shared strings: %w", err)
	}
	// Where the system lets one remove an open file nothing is left behind, whatever happens; elsewhere Close does it.
	_ = os.Remove(f.Name())
	s.file, s.out, s.size = f, bufio.NewWriterSize(f, windowSize), 0
	for _, block := range s.blocks {
		if err := s.put(block); err != nil {
			return err
		}
	}
	s.blocks = nil
	return nil
}

// done ends the reading.
func (s *sharedStrings) done() error {
	if len(s.ends) > 0 {
		if err := s.flush(); err != nil {
			return err
		}
	}
	s.ends, s.text = nil, nil
	if s.out == nil {
		return nil
	}
	if err := s.out.Flush(); err != nil {
		return fmt.Errorf("write shared strings: %w", err)
	}
	s.out = nil
	return nil
}

// close removes the file.
func (s *sharedStrings) close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if e := os.Remove(s.file.Name()); e != nil && !errors.Is(e, os.ErrNotExist) {
		err = errors.Join(err, e)
	}
	s.file = nil
	return err
}

// stringReader fetches shared strings for one pass.
type stringReader struct {
	from  *sharedStrings
	cache map[int][]byte // blocks
	room  int            // bytes that the cache may still take
}

// find returns a string by its number, valid until the next call; false when there is none.
func (r *stringReader) find(i int) ([]byte, bool, error) {
	s := r.from
	if s == nil || i < 0 || i >= s.count {
		return nil, false, nil
	}
	n := i / blockStrings
	var block []byte
	if s.file == nil {
		block = s.blocks[n]
	} else {
		var err error
		if block, err = r.block(n); err != nil {
			return nil, false, err
		}
	}
	in := i % blockStrings
	strings := min(blockStrings, s.count-n*blockStrings)
	from := uint32(0)
	if in > 0 {
		from = binary.LittleEndian.Uint32(block[4*(in-1):])
	}
	to := binary.LittleEndian.Uint32(block[4*in:])
	return block[4*strings:][from:to], true, nil
}

// block returns a block from the file. A workbook names its strings mostly in the order in which it has them, so that the cache may
// be as simple as to forget everything once it is full.
func (r *stringReader) block(n int) ([]byte, error) {
	if b, ok := r.cache[n]; ok {
		return b, nil
	}
	ref := r.from.refs[n]
	if r.cache == nil || r.room < int(ref.size) {
		r.cache, r.room = map[int][]byte{}, cacheMemory
	}
	b := slices.Grow([]byte(nil), int(ref.size))[:ref.size]
	if _, err := r.from.file.ReadAt(b, ref.offset); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read shared strings: %w", err)
	}
	r.cache[n], r.room = b, r.room-len(b)
	return b, nil
}
