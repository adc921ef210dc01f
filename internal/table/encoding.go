package table

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// endMark is the byte that DOS programs end a text with. At the end of a file it is no content.
const endMark = "\x1a"

// mark returns the byte order mark of e, "" where it has none.
func (e Encoding) mark() string {
	switch e {
	case UTF8:
		return "\xef\xbb\xbf"
	case UTF16LE:
		return "\xff\xfe"
	case UTF16BE:
		return "\xfe\xff"
	}
	return ""
}

// marked returns the encoding whose byte order mark b begins with, "" if there is none.
func marked(b []byte) Encoding {
	for _, e := range []Encoding{UTF8, UTF16LE, UTF16BE} {
		if strings.HasPrefix(string(b[:min(len(b), 3)]), e.mark()) {
			return e
		}
	}
	return ""
}

// utf16ByParity returns the kind of UTF-16 that b is in by its NUL bytes, "" if it is none. In text of a Latin script nearly every
// second byte is NUL, and none of the others; b begins at an even offset of the file.
func utf16ByParity(b []byte) Encoding {
	var even, odd int
	for i, c := range b {
		switch {
		case c != 0:
		case i%2 == 0:
			even++
		default:
			odd++
		}
	}
	// Typographic quotes, dashes and the euro sign have no NUL; more than 3 of 10 of them is no price list.
	// The letters whose low byte is NUL are not of this script.
	switch most := len(b) / 2 * 7 / 10; {
	case odd > most && even*100 <= odd:
		return UTF16LE
	case even > most && odd*100 <= even:
		return UTF16BE
	}
	return ""
}

// findEncoding decides the encoding of the file and proves it for all of it. It returns whether there may be quotes in the file.
func (f *Format) findEncoding(file *os.File, head []byte, configured Encoding) (quotes bool, err error) {
	switch configured {
	case "", Auto, UTF8, UTF16LE, UTF16BE, Windows1252, Latin9, CP850:
	default:
		return false, fmt.Errorf("encoding %q is unknown; use auto, utf-8, utf-16le, utf-16be, windows-1252, iso-8859-15 or cp850", configured)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return false, err
	}
	switch {
	case marked(head) != "":
		f.Encoding, f.Evidence, f.BOM = marked(head), "byte order mark", true
	case configured != "" && configured != Auto:
		f.Encoding, f.Evidence = configured, "set in the config"
	default:
		f.Encoding, f.Evidence = utf16ByParity(head), "every second byte is NUL"
	}
	if f.Encoding == UTF16LE || f.Encoding == UTF16BE {
		if !f.BOM && len(head) > 1 && utf16ByParity(head) != f.Encoding {
			// Nearly any bytes are UTF-16 of something; only this is UTF-16 of ours.
			return false, refuseEncoding(f.Encoding, head[:2], 1)
		}
		return proveUTF16(f.text(file))
	}
	if looksBinary(head) {
		return false, refuseKind("binary")
	}
	s := survey{singleBytes: pageOf(f.Encoding) != nil}
	if err := s.read(file); err != nil {
		return false, err
	}
	switch {
	case s.nul >= 0:
		line, err := lineOf(file, s.nul)
		if err != nil {
			return false, err
		}
		return false, refuseNUL(line)
	case !s.visible:
		return false, &Refusal{Kind: RefusedEmpty}
	}
	return s.quotes, f.decide(&s, file)
}

// decide chooses between UTF-8 and the code pages, where that is still open, and refuses what fits none.
func (f *Format) decide(s *survey, file *os.File) error {
	refuse := func(e Encoding, at spot) error {
		line, err := lineOf(file, at.offset)
		if err != nil {
			return err
		}
		return refuseEncoding(e, at.bytes, line)
	}
	if p := pageOf(f.Encoding); p != nil {
		if at, ok := s.undefined(p); ok {
			return refuse(p.name, at)
		}
		return nil
	}
	switch {
	case f.Encoding == UTF8 && s.single > 0:
		return refuse(UTF8, s.firstSingle)
	case f.Encoding == UTF8:
		return nil
	case s.single == 0 && s.multi+s.pairs == 0:
		f.Encoding, f.Evidence = UTF8, "ASCII only"
		return nil
	case s.single == 0 && s.multi == 0:
		f.Encoding, f.Evidence = UTF8, "strict UTF-8"
		return askUTF8(file)
	case s.single == 0:
		f.Encoding, f.Evidence = UTF8, "strict UTF-8"
		return nil
	case s.multi >= s.single:
		// Both at once: two sources were pasted together. Which of them a row is from can't be known.
		return refuse(UTF8, s.firstSingle)
	}
	best, rival, sure := s.elect()
	p, v := pages[best], &s.votes[best]
	at, undefined := s.undefined(p)
	switch {
	case s.multi > 0: // the same as above, seen from the other side: name what is rarer
		return refuse(p.name, s.firstMulti)
	case undefined:
		return refuse(p.name, at)
	case v.bad*10 > v.good && v.bad > 0:
		// A brand's odd spelling is forgiven in a list of names. A price list with every ñ wrong is not worth having: asking once for
		// the encoding is cheaper than names that no one can search for.
		return refuse(p.name, v.firstBad)
	case !sure:
		return s.ask(best, rival, file)
	}
	f.Encoding, f.Evidence = p.name, s.evidence(p)
	return nil
}

// threshold is by how many points a code page must at least be ahead of those that would make another text of the file. It is what a
// word makes that is usual in one code page and unlikely in the other.
const threshold = usual - unlikely

// elect returns the code page that makes most sense of the file, the next best of those that would make another text of it, and
// whether the difference is large enough to decide.
func (s *survey) elect() (best, rival int, sure bool) {
	for k := range pages {
		if s.votes[k].points > s.votes[best].points {
			best = k
		}
	}
	rival = -1
	for k := range pages {
		if k == best || s.doubt(best, k).pieces == 0 {
			continue
		}
		if rival < 0 || s.votes[k].points > s.votes[rival].points {
			rival = k
		}
	}
	// Where the two differ in many pieces, a lead in some of them is chance.
	lead := s.votes[best].points - s.votes[rival].points
	return best, rival, s.votes[best].points > 0 && lead >= max(threshold, s.doubt(best, rival).pieces/2)
}

// doubt returns what is known of the difference between two code pages.
func (s *survey) doubt(a, b int) *doubt { return &s.doubts[min(a, b)][max(a, b)] }

// ask refuses the file with a question: which of two readings is right?
func (s *survey) ask(best, rival int, file *os.File) error {
	at := s.doubt(best, rival).shown
	line, err := lineOf(file, at.offset)
	if err != nil {
		return err
	}
	return refuseGuess(line, pages[best].reading(at.bytes), pages[rival].reading(at.bytes))
}

// askUTF8 refuses a file that is UTF-8, perhaps by accident: every character above ASCII is as well a pair of a code page that makes
// sense, like the É and ® of CAFÉ®.
func askUTF8(file *os.File) error {
	s := survey{singleBytes: true}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := s.read(file); err != nil {
		return err
	}
	best, rival, sure := s.elect()
	p := pages[best]
	if _, undefined := s.undefined(p); undefined || !sure || s.votes[best].bad > 0 {
		return nil
	}
	at := s.doubt(best, rival).shown
	line, err := lineOf(file, at.offset)
	if err != nil {
		return err
	}
	return refuseGuess(line, p.reading(at.bytes), reading{UTF8, string(at.bytes)})
}

// reading is a piece of the file as it reads in an encoding.
type reading struct {
	encoding Encoding
	text     string
}

// reading returns raw as p reads it. What stands for nothing is left as an escape.
func (p *page) reading(raw []byte) reading {
	var text []byte
	for {
		var bad int
		if text, bad = p.append(text, raw); bad < 0 {
			return reading{p.name, string(text)}
		}
		text = fmt.Appendf(text, `\x%02x`, raw[bad])
		raw = raw[bad+1:]
	}
}

// proveUTF16 reads text to the end, for the refusals that lie in it, so that a broken character is told before the first row is used.
// It returns whether there are quotes in it.
func proveUTF16(text io.Reader) (quotes bool, err error) {
	visible := false
	buf := make([]byte, 64<<10)
	for {
		n, err := text.Read(buf)
		visible = visible || hasVisible(buf[:n])
		quotes = quotes || bytes.IndexByte(buf[:n], '"') >= 0
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return false, err
		}
	}
	if !visible {
		return false, &Refusal{Kind: RefusedEmpty}
	}
	return quotes, nil
}

// hasVisible reports whether b holds more than blanks, line ends and end marks.
func hasVisible(b []byte) bool {
	return slices.ContainsFunc(b, func(c byte) bool { return c > ' ' && c != 0x7f })
}

// lineOf returns the line in which the byte at offset stands.
func lineOf(file io.ReaderAt, offset int64) (int, error) {
	r := io.NewSectionReader(file, 0, offset)
	buf := make([]byte, 64<<10)
	line, last := 1, byte(0)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			line += lineEnds(buf[:n])
			if last == '\r' && buf[0] == '\n' {
				line--
			}
			last = buf[n-1]
		}
		if errors.Is(err, io.EOF) {
			return line, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// skipReader leaves out the first bytes of a reader.
type skipReader struct {
	r    io.Reader
	skip int
}

// Read implements io.Reader.
func (s *skipReader) Read(p []byte) (int, error) {
	if s.skip > 0 {
		if _, err := io.CopyN(io.Discard, s.r, int64(s.skip)); err != nil {
			return 0, err
		}
		s.skip = 0
	}
	return s.r.Read(p)
}
