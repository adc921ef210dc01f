package table

import "bytes"

// Nearly every cell of nearly every workbook is written in one of a few ways. Those are read here in one go over their bytes, without
// cutting them into tokens first. Whatever is written otherwise, or does not lie in the window as a whole, is left to the tokens: what
// comes out is the same, and what is wrong is refused there.

// plainCell reads the cell that comes next in the row, if it is written plainly: <c r="A1" s="2" t="s"><v>7</v></c>, or with
// <is><t>text</t></is>, or without content. Where it is not it reads nothing, and is not ok.
func (s *sheetRows) plainCell() (c cellMarkup, value []byte, ok bool) {
	data := s.m.buf[s.m.pos:s.m.end]
	if !bytes.HasPrefix(data, []byte("<c ")) {
		return c, nil, false
	}
	i, ok := s.plainAttributes(data[2:], &c)
	i += 2
	switch rest := data[i:]; {
	case !ok:
		return c, nil, false
	case bytes.HasPrefix(rest, []byte("/>")):
		s.m.pos += i + 2
		return c, nil, true
	case bytes.HasPrefix(rest, []byte("><v>")):
		value, i, ok = plainText(data, i+4, "</v></c>")
	case bytes.HasPrefix(rest, []byte("><is><t")):
		if value, i, ok = plainString(data, i+7, "</t></is></c>"); ok { // else the tokens read these bytes once more
			value = unescape(value, 0)
		}
	default:
		ok = false
	}
	// The tokens have other words for what is too long.
	if !ok || len(value) > s.limits.CellBytes {
		return c, nil, false
	}
	c.valued = true
	s.m.pos += i
	return c, value, true
}

// plainAttributes reads attributes of a cell, each of letters and digits behind one blank, and returns where they end.
func (s *sheetRows) plainAttributes(data []byte, c *cellMarkup) (end int, ok bool) {
	c.column, c.style = -1, -1
	i := 0
	for i+4 < len(data) && data[i] == ' ' {
		name := data[i+1]
		if data[i+2] != '=' || data[i+3] != '"' {
			return 0, false
		}
		i += 4
		from := i
		for i < len(data) && isAlphanumeric(data[i]) {
			i++
		}
		if i == len(data) || data[i] != '"' {
			return 0, false
		}
		switch value := data[from:i]; name {
		case 'r':
			var line int
			if c.column, line = position(value); line != s.line || c.column < 0 {
				return 0, false
			}
		case 's':
			c.style = number(value)
		case 't':
			c.kind = typeOf(value)
		default:
			return 0, false
		}
		i++
	}
	return i, c.column >= 0
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// plainItem reads the shared string that comes next, if it is written plainly: <si><t>text</t></si>. Where it is not it reads nothing,
// and is not ok.
func (m *markup) plainItem() (text []byte, ok bool) {
	const begin = "<si><t"
	data := m.buf[m.pos:m.end]
	if !bytes.HasPrefix(data, []byte(begin)) {
		return nil, false
	}
	text, end, ok := plainString(data, len(begin), "</t></si>")
	if ok {
		m.pos += end
	}
	return text, ok
}

// plainString reads the text of an element whose name ends at i.
func plainString(data []byte, i int, closing string) (text []byte, end int, ok bool) {
	const keep = ` xml:space="preserve"`
	if bytes.HasPrefix(data[i:], []byte(keep)) {
		i += len(keep)
	}
	if i == len(data) || data[i] != '>' {
		return nil, 0, false
	}
	return plainText(data, i+1, closing)
}

// plainText reads a text of data from i on that stands there as it is meant, and what closes it.
func plainText(data []byte, i int, closing string) (text []byte, end int, ok bool) {
	for end = i; end < len(data); end++ {
		switch data[end] {
		case '&', '\r':
			return nil, 0, false
		case '<':
			text, data = data[i:end], data[end:]
			return text, end + len(closing), bytes.HasPrefix(data, []byte(closing))
		}
	}
	return nil, 0, false
}
