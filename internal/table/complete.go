package table

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	zipEndMark = "PK\x05\x06"
	zipEndSize = 22 // of the end-of-central-directory record without its comment (PKWARE APPNOTE, section 4.3.16)
	// zipTail is where that record is to be found: its comment is at most 65,535 bytes long.
	zipTail = zipEndSize + 1<<16 - 1
)

// Complete reports whether the file at path looks finished: its last line is ended or followed by the end mark of DOS, or, where it
// is a zip archive as spreadsheets are, the archive has its end. An empty file is not finished. A file whose writer never ends the
// last line never looks finished either: whoever asks must be able to decide without.
func Complete(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("look at the end of a file: %w", err)
	}
	defer func() { _ = f.Close() }() // read only: nothing can be lost

	head := make([]byte, 512)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("look at the end of a file: %w", err)
	}
	head = head[:n]
	want := 2
	if isZip(head) {
		want = zipTail
	}
	tail, size, err := readTail(f, want)
	if err != nil {
		return false, err
	}
	if isZip(head) {
		return zipEnds(tail), nil
	}
	e := marked(head)
	if e == "" {
		e = utf16ByParity(head)
	}
	if e == UTF16LE || e == UTF16BE {
		return size%2 == 0 && isEnd(e.order().Uint16(tail)), nil
	}
	return size > 0 && isEnd(uint16(tail[len(tail)-1])), nil
}

func isEnd(c uint16) bool { return c == '\n' || c == '\r' || c == uint16(endMark[0]) }

// zipEnds reports whether tail ends with a whole end-of-central-directory record.
func zipEnds(tail []byte) bool {
	for i := bytes.LastIndex(tail, []byte(zipEndMark)); i >= 0; i = bytes.LastIndex(tail[:i], []byte(zipEndMark)) {
		if len(tail)-i < zipEndSize {
			continue
		}
		comment := int(binary.LittleEndian.Uint16(tail[i+zipEndSize-2:]))
		if len(tail)-i == zipEndSize+comment {
			return true
		}
	}
	return false
}

// readTail returns the last n bytes of f, all where it has fewer, and its size.
func readTail(f *os.File, n int) ([]byte, int64, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, 0, fmt.Errorf("look at the end of a file: %w", err)
	}
	size := info.Size()
	tail := make([]byte, min(int64(n), size))
	// A file that is being written may have become shorter; what can't be read any more is no end.
	m, err := f.ReadAt(tail, size-int64(len(tail)))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, 0, fmt.Errorf("look at the end of a file: %w", err)
	}
	if m < len(tail) {
		return nil, 0, nil
	}
	return tail, size, nil
}
