package table

import (
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

// findEncoding decides the encoding of the file and proves it for all of it.
func (f *Format) findEncoding(file *os.File, head []byte, configured Encoding) error {
	switch configured {
	case "", Auto, UTF8, UTF16LE, UTF16BE, Windows1252:
	default:
		return fmt.Errorf("encoding %q is unknown; use auto, utf-8, utf-16le, utf-16be or windows-1252", configured)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
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
			return refuseEncoding(f.Encoding, head[:2], 1)
		}
		return proveUTF16(f.text(file))
	}
	if looksBinary(head) {
		return refuseKind("binary")
	}
	s := survey{singleBytes: f.Encoding == Windows1252}
	if err := s.read(file); err != nil {
		return err
	}
	switch {
	case s.nul:
		return refuseKind("binary")
	case !s.visible:
		return &Refusal{Kind: RefusedEmpty}
	}
	return f.decide(&s, file)
}

// decide chooses between UTF-8 and Windows-1252, where that is still open, and refuses what fits neither.
func (f *Format) decide(s *survey, file *os.File) error {
	open := f.Encoding == "" // neither marked nor configured
	refuse := func(e Encoding, at spot) error {
		line, err := lineOf(file, at.offset)
		if err != nil {
			return err
		}
		return refuseEncoding(e, at.bytes, line)
	}
	switch {
	case f.Encoding == UTF8 && s.single > 0:
		return refuse(UTF8, s.firstSingle)
	case f.Encoding == Windows1252 && s.undefined > 0:
		return refuse(Windows1252, s.firstUndefined)
	case !open:
		return nil
	case s.single == 0 && s.multi+s.pairs == 0:
		f.Encoding, f.Evidence = UTF8, "ASCII only"
	case s.single == 0:
		f.Encoding, f.Evidence = UTF8, "strict UTF-8"
	case s.multi >= s.single:
		// Both at once: two sources were pasted together. Which of them a row is from can't be known.
		return refuse(UTF8, s.firstSingle)
	case s.multi > 0: // the same, seen from the other side: name what is rarer
		return refuse(Windows1252, s.firstMulti)
	case s.undefined > 0:
		return refuse(Windows1252, s.firstUndefined)
	case s.odd*10 > s.fit:
		// A brand's odd spelling is forgiven in a list of names. A price list with every ñ wrong is not worth having: asking once for
		// the encoding is cheaper than names that no one can search for.
		return refuse(Windows1252, s.firstOdd)
	default:
		f.Encoding, f.Evidence = Windows1252, s.western()
	}
	return nil
}

// proveUTF16 reads text to the end, for the refusals that lie in it, so that a broken character is told before the first row is used.
func proveUTF16(text io.Reader) error {
	visible := false
	buf := make([]byte, 64<<10)
	for {
		n, err := text.Read(buf)
		visible = visible || hasVisible(buf[:n])
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	if !visible {
		return &Refusal{Kind: RefusedEmpty}
	}
	return nil
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
