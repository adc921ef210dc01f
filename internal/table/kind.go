package table

import (
	"bytes"
	"encoding/binary"
	"os"
	"slices"
	"strings"
)

// foreignKind returns what the file is, where its first bytes say that it is no text, else "".
func foreignKind(file *os.File, head []byte) (string, error) {
	for _, m := range []struct{ magic, kind string }{
		{oldMagic, "xls"},
		{"%PDF", "pdf"},
		{`{\rtf`, "rtf"},
		{"\x1f\x8b", "binary"},           // gzip
		{"7z\xbc\xaf\x27\x1c", "binary"}, // 7-Zip
		{"Rar!\x1a\x07", "binary"},       // RAR
		{"\x89PNG\r\n", "image"},
		{"\xff\xd8\xff", "image"}, // JPEG
		{"GIF8", "image"},
		{"II*\x00", "image"},
		{"MM\x00*", "image"},           // TIFF
		{"\xff\xfe\x00\x00", "binary"}, // UTF-32, which nothing exports
		{"\x00\x00\xfe\xff", "binary"}, // the same, big-endian
	} {
		if !bytes.HasPrefix(head, []byte(m.magic)) {
			continue
		}
		if m.magic == oldMagic {
			return oldKind(file, head)
		}
		return m.kind, nil
	}
	switch {
	case isZip(head):
		return zipKind(file, head)
	case isWebP(head), isHEIF(head):
		return "image", nil
	case isDBF(head):
		return "dbf", nil
	}
	return "", nil
}

// isWebP and isHEIF know the pictures that phones take and chat programs send.
func isWebP(head []byte) bool {
	return len(head) > 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP"
}

func isHEIF(head []byte) bool {
	return len(head) > 12 && string(head[4:8]) == "ftyp" && slices.Contains([]string{"heic", "heix", "mif1", "avif"}, string(head[8:12]))
}

// isDBF reports whether the file is a table of dBASE or FoxPro, which old shop programs keep their articles in: its version, a date that
// there is, and a header whose length fits 32 bytes a column.
func isDBF(head []byte) bool {
	if len(head) < 33 || !bytes.ContainsRune([]byte("\x02\x03\x04\x05\x30\x31\x32\x43\x63"), rune(head[0])) && head[0] != 0x83 && head[0] != 0x8b &&
		head[0] != 0xf5 {
		return false
	}
	size := int(binary.LittleEndian.Uint16(head[8:]))
	return head[2] >= 1 && head[2] <= 12 && head[3] >= 1 && head[3] <= 31 && size >= 33 && (size%32 == 1 || size%32 == 8) &&
		binary.LittleEndian.Uint16(head[10:]) > 0 && bytes.IndexByte(head[:32], 0) >= 0
}

// oldMagic is what the compound files begin with that Office wrote its documents in until 2003, and wraps encrypted ones in still.
const oldMagic = "\xd0\xcf\x11\xe0"

// oldKind tells a workbook with a password from one of the old format, by the name of the stream that it lies in. Names stand in
// UTF-16 in sectors that may lie anywhere; those of small files and of Office's own are near the beginning or the end.
func oldKind(file *os.File, head []byte) (string, error) {
	tail, _, err := readTail(file, zipTail)
	if err != nil {
		return "", err
	}
	if word := []byte("W\x00o\x00r\x00d\x00D\x00o\x00c\x00u\x00m\x00e\x00n\x00t"); bytes.Contains(head, word) || bytes.Contains(tail, word) {
		return "word", nil
	}
	name := []byte("E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e")
	if bytes.Contains(head, name) || bytes.Contains(tail, name) {
		return "encrypted", nil
	}
	return "xls", nil
}

func isZip(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06"))
}

// zipKind tells spreadsheets from other archives by the names of the files in them. Those stand in clear before each file and once
// more at the end of the archive; looking there is bounded, reading a directory that somebody else wrote is not.
func zipKind(file *os.File, head []byte) (string, error) {
	tail, _, err := readTail(file, zipTail)
	if err != nil {
		return "", err
	}
	for _, part := range [][]byte{head, tail} {
		switch {
		case bytes.Contains(part, []byte("application/vnd.oasis.opendocument.spreadsheet")):
			return "ods", nil
		case bytes.Contains(part, []byte("xl/workbook.bin")):
			return "xlsb", nil
		case containsFold(part, "xl/workbook.xml"), containsFold(part, `xl\workbook.xml`), containsFold(part, "xl/worksheets/"):
			return "xlsx", nil
		case bytes.Contains(part, []byte("Index/Document.iwa")), bytes.Contains(part, []byte("Index/Tables/")), bytes.Contains(part, []byte("Index.zip")):
			return "numbers", nil
		case bytes.Contains(part, []byte("word/document.xml")), bytes.Contains(part, []byte("application/vnd.oasis.opendocument.text")):
			return "word", nil
		}
	}
	return "zip", nil
}

// containsFold reports whether b contains lower, whatever its case: names of parts have none.
func containsFold(b []byte, lower string) bool {
	return bytes.Contains(bytes.ToLower(b), []byte(lower))
}

// markupKind returns what kind of markup text is, "" where it is none: what many a report server calls .xls or .csv is a web page, or
// the XML that Excel wrote in 2003.
func markupKind(text []byte) string {
	switch {
	case !looksLikeMarkup(text):
		return ""
	case bytes.Contains(text[:min(len(text), 4<<10)], []byte("urn:schemas-microsoft-com:office:spreadsheet")),
		bytes.Contains(text[:min(len(text), 4<<10)], []byte(`progid="Excel.Sheet"`)):
		return "xml"
	}
	return "html"
}

// looksLikeMarkup reports whether text is a web page or XML.
func looksLikeMarkup(text []byte) bool {
	text = bytes.TrimLeft(text[:min(len(text), 4<<10)], " \t\r\n")
	text = bytes.ToLower(text[:min(len(text), 16)])
	for _, p := range []string{"<html", "<!doctype", "<?xml", "<table", "<head", "<!--"} {
		if bytes.HasPrefix(text, []byte(p)) {
			return true
		}
	}
	return false
}

// looksBinary reports whether b holds more control characters than a text could have by accident. NULs are not counted: they also
// stand where a text was not written.
func looksBinary(b []byte) bool {
	n := 0
	for _, c := range b {
		if c < ' ' && c != 0 && !strings.ContainsRune("\t\n\v\f\r"+endMark, rune(c)) {
			n++
		}
	}
	return n > 2 && n*100 > len(b)
}
