package table

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"unicode/utf8"
)

// tokenKind says what a token of XML is.
type tokenKind uint8

const (
	tokenOpen  tokenKind = iota
	tokenEmpty           // an element without content: <c r="A1"/>
	tokenClose
	tokenText
)

// maxToken is how long one tag, comment or text may be. The longest texts are cells, whose limit is far below.
const maxToken = 1 << 20

// windowSize is how much of a part is in memory at a time.
const windowSize = 64 << 10

// markup cuts the XML of a workbook's part into tokens. It knows as much of XML as workbooks use, and is strict beyond that: a
// document type, which is where entities are declared, ends it, and so do a tag that never closes and an encoding other than UTF-8.
// Prefixes of names are cut off. What a token holds lies in the window and is valid until the next call of next.
type markup struct {
	src      io.Reader
	buf      []byte
	pos, end int // what of buf is not read yet
	eof      bool
	begun    bool // something was read, so no byte order mark can come

	kind  tokenKind
	name  []byte // of a tag, without its prefix
	attrs []byte // of a tag, what attr has not read yet
	text  []byte // of a text, as it stands there
	plain bool   // the text is CDATA, where & is a letter like any other
	err   error
}

// errMarkup is what is wrong with a part that is no proper XML. Whoever knows which part it is makes a refusal of it.
var errMarkup = errors.New("not well-formed")

// newMarkup returns a markup that reads src; buf is its window and may be nil.
func newMarkup(src io.Reader, buf []byte) *markup {
	if buf == nil {
		buf = make([]byte, windowSize)
	}
	return &markup{src: src, buf: buf}
}

// next goes to the next token and reports whether there is one. After it returned false, err says why.
func (m *markup) next() bool {
	for m.err == nil {
		if m.pos == m.end {
			if !m.more() {
				return false
			}
			continue
		}
		data := m.buf[m.pos:m.end]
		if data[0] == '<' {
			if size, token := m.tag(data); size > 0 {
				m.pos += size
				if token {
					return true
				}
				continue
			}
		} else if i := bytes.IndexByte(data, '<'); i > 0 || m.eof {
			if i < 0 {
				i = len(data)
			}
			m.kind, m.text, m.plain = tokenText, data[:i], false
			m.pos += i
			return true
		}
		if m.err == nil && !m.more() && m.err == nil && m.buf[m.pos] == '<' {
			m.err = errMarkup // the part ends inside a tag
		}
	}
	return false
}

// tag reads what begins with the "<" that data begins with. size is 0 when the window is too short for it, or m.err is set; token is
// false for what says nothing, like a comment.
func (m *markup) tag(data []byte) (size int, token bool) {
	if len(data) < 2 {
		return 0, false
	}
	switch data[1] {
	case '!':
		return m.declaration(data)
	case '?':
		i := bytes.Index(data, []byte("?>"))
		if i < 0 {
			return 0, false
		}
		m.checkEncoding(data[:i])
		return i + 2, false
	case '/':
		i := bytes.IndexByte(data, '>')
		if i < 0 {
			return 0, false
		}
		m.kind, m.name = tokenClose, localName(bytes.TrimRight(data[2:i], " \t\r\n"))
		return i + 1, true
	}
	i := tagEnd(data)
	if i < 0 {
		return 0, false
	}
	inner := data[1:i]
	m.kind = tokenOpen
	if n := len(inner); n > 0 && inner[n-1] == '/' {
		m.kind, inner = tokenEmpty, inner[:n-1]
	}
	n := 0
	for n < len(inner) && !isSpace(inner[n]) {
		n++
	}
	if n == 0 {
		m.err = errMarkup
		return 0, false
	}
	m.name, m.attrs = localName(inner[:n]), inner[n:]
	return i + 1, true
}

// declaration reads a comment or CDATA, which is text, and ends at anything else.
func (m *markup) declaration(data []byte) (size int, token bool) {
	const comment, cdata = "<!--", "<![CDATA["
	begins := func(s string) bool { return bytes.HasPrefix(data, []byte(s)) }
	switch {
	case begins(comment):
		if i := bytes.Index(data[len(comment):], []byte("-->")); i >= 0 {
			return len(comment) + i + 3, false
		}
	case begins(cdata):
		if i := bytes.Index(data, []byte("]]>")); i >= 0 {
			m.kind, m.text, m.plain = tokenText, data[len(cdata):i], true
			return i + 3, true
		}
	case len(data) >= len(cdata) || m.eof:
		m.err = errMarkup
	}
	return 0, false
}

// tagEnd returns the index of the ">" that ends the tag at the beginning of data, -1 when it is not in sight. A ">" within quotes
// is none, but rare: the quotes are only followed one by one when their number shows that there is one.
func tagEnd(data []byte) int {
	i := bytes.IndexByte(data, '>')
	if i < 0 || bytes.Count(data[:i], []byte{'"'})%2 == 0 && bytes.IndexByte(data[:i], '\'') < 0 {
		return i
	}
	quote := byte(0)
	for i, c := range data {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i
		}
	}
	return -1
}

// attr returns the next attribute of the tag, its name with its prefix and its value as it stands there.
func (m *markup) attr() (name, value []byte, ok bool) {
	a := m.attrs
	i := 0
	for i < len(a) && isSpace(a[i]) {
		i++
	}
	if i == len(a) {
		m.attrs = nil
		return nil, nil, false
	}
	from := i
	for i < len(a) && a[i] != '=' && !isSpace(a[i]) {
		i++
	}
	name = a[from:i]
	for i < len(a) && (a[i] == '=' || isSpace(a[i])) {
		i++
	}
	if i < len(a) && (a[i] == '"' || a[i] == '\'') {
		if n := bytes.IndexByte(a[i+1:], a[i]); n >= 0 {
			m.attrs = a[i+n+2:]
			return name, a[i+1 : i+1+n], true
		}
	}
	m.err, m.attrs = errMarkup, nil
	return nil, nil, false
}

// skip goes behind the end of the element that was just opened.
func (m *markup) skip() {
	for depth := 1; depth > 0 && m.next(); {
		switch m.kind {
		case tokenOpen:
			depth++
		case tokenClose:
			depth--
		}
	}
}

// inside calls do for every element within the one that was just opened, whatever its depth, and goes behind its end. do may go
// behind the end of its element itself.
func (m *markup) inside(do func()) {
	for depth := 1; depth > 0 && m.next(); {
		switch m.kind {
		case tokenOpen:
			if do(); m.kind == tokenOpen { // else do has seen its end
				depth++
			}
		case tokenEmpty:
			do()
		case tokenClose:
			depth--
		}
	}
}

// appendText appends the text of the current token to dst, with its references replaced.
func (m *markup) appendText(dst []byte) []byte {
	if m.plain {
		return appendLines(dst, m.text)
	}
	return m.appendDecoded(dst, m.text)
}

// appendDecoded appends raw with its references replaced. One that is not of XML's own five, or no number, is an error.
func (m *markup) appendDecoded(dst, raw []byte) []byte {
	for {
		i := bytes.IndexByte(raw, '&')
		if i < 0 {
			return appendLines(dst, raw)
		}
		dst = appendLines(dst, raw[:i])
		raw = raw[i+1:]
		end := bytes.IndexByte(raw[:min(len(raw), 12)], ';')
		r := rune(-1)
		if end > 0 {
			r = reference(string(raw[:end]))
		}
		if r < 0 {
			m.err = errMarkup
			return dst
		}
		dst = utf8.AppendRune(dst, r)
		raw = raw[end+1:]
	}
}

// maxAttribute is how long an attribute that is kept may be: names of sheets and parts, number formats. Excel's own have 255 letters.
const maxAttribute = 4 << 10

// decoded returns the value of an attribute with its references replaced. A package has many of those that are kept, and each could
// be as long as a token: one that is absurdly long is an error.
func (m *markup) decoded(value []byte) string {
	if len(value) > maxAttribute {
		m.err = errMarkup
		return ""
	}
	return string(m.appendDecoded(nil, value))
}

// reference returns the character that a reference stands for, -1 when it stands for none.
func reference(name string) rune {
	switch name {
	case "lt":
		return '<'
	case "gt":
		return '>'
	case "amp":
		return '&'
	case "quot":
		return '"'
	case "apos":
		return '\''
	}
	base, digits := 10, ""
	switch {
	case len(name) > 2 && name[:2] == "#x":
		base, digits = 16, name[2:]
	case len(name) > 1 && name[0] == '#':
		digits = name[1:]
	}
	n, err := strconv.ParseUint(digits, base, 31)
	if err != nil || n == 0 || !utf8.ValidRune(rune(n)) {
		return -1
	}
	return rune(n)
}

// appendLines appends raw with CR LF and CR as LF, as XML has it: a CR that is meant is written as a reference.
func appendLines(dst, raw []byte) []byte {
	for {
		i := bytes.IndexByte(raw, '\r')
		if i < 0 {
			return append(dst, raw...)
		}
		dst = append(append(dst, raw[:i]...), '\n')
		raw = raw[i+1:]
		if len(raw) > 0 && raw[0] == '\n' {
			raw = raw[1:]
		}
	}
}

// more makes the window show more of the part, and reports whether there is more.
func (m *markup) more() bool {
	if m.eof || m.err != nil {
		return false
	}
	n := m.end - m.pos
	switch {
	case m.pos > 0:
		copy(m.buf, m.buf[m.pos:m.end])
	case n >= maxToken:
		m.err = errMarkup
		return false
	case n == len(m.buf):
		m.buf = append(make([]byte, 0, 2*n), m.buf...)
		m.buf = m.buf[:cap(m.buf)]
	}
	m.pos, m.end = 0, n
	// What is not a whole token yet would be looked at again for every few bytes that come.
	for m.end < len(m.buf) && !m.eof {
		n, err := m.src.Read(m.buf[m.end:])
		m.end += n
		if errors.Is(err, io.EOF) {
			m.eof = true
		} else if err != nil {
			m.err = err
			return false
		}
	}
	if !m.begun {
		m.begun = true
		if bytes.HasPrefix(m.buf[:m.end], []byte(UTF8.mark())) {
			m.pos = len(UTF8.mark())
		}
	}
	return m.end-m.pos > n || !m.eof
}

// checkEncoding ends at an XML declaration that names another encoding than the part is read in.
func (m *markup) checkEncoding(declaration []byte) {
	m.attrs = bytes.TrimPrefix(declaration, []byte("<?xml"))
	if len(m.attrs) == len(declaration) {
		return // another instruction
	}
	for name, value, ok := m.attr(); ok; name, value, ok = m.attr() {
		if string(name) != "encoding" {
			continue
		}
		switch string(bytes.ToLower(value)) {
		// UTF-16 has been decoded in front of here, by its byte order mark.
		case "utf-8", "utf8", "us-ascii", "ascii", "utf-16":
		default:
			m.err = errMarkup
		}
	}
}

// localName returns a name without its prefix.
func localName(name []byte) []byte {
	if i := bytes.IndexByte(name, ':'); i >= 0 {
		return name[i+1:]
	}
	return name
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }
