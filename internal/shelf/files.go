package shelf

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gondola/internal/durable"
)

// Digest names a record file: the SHA-256 of its bytes, in hex.
type Digest string

// Files is the folder of record files. They never change: a file is named by its digest, is durable before anything may refer to
// it, and goes only when nothing refers to it any more.
type Files struct {
	Dir string
	// Scratch is where new files go instead, for those who may look at Dir but leave nothing there. "" = Dir.
	Scratch string

	group *durable.Group // what is written becomes durable with it; nil for at once
}

// In returns the same folder for files that become durable together, with a group: nothing may refer to one before the group's Commit.
// Through what In returns they can be read at once.
func (f Files) In(g *durable.Group) Files {
	f.group = g
	return f
}

// Path returns where the file of a digest lies.
func (f Files) Path(d Digest) string {
	if f.group != nil {
		if path := f.group.Lies(f.target(d)); path != "" {
			return path
		}
	}
	if f.Scratch != "" {
		if path := below(f.Scratch, d); isThere(path) {
			return path
		}
	}
	return below(f.Dir, d)
}

// target returns where a new file of a digest goes.
func (f Files) target(d Digest) string { return below(cmp.Or(f.Scratch, f.Dir), d) }

func below(dir string, d Digest) string { return filepath.Join(dir, string(d[:2]), string(d)+".tsv") }

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Writer writes one record file. Records must come in ascending order of their keys.
type Writer struct {
	files Files
	file  *durable.File
	buf   *bufio.Writer
	sum   hash.Hash
	line  []byte
	last  []byte // the key before
	rows  int
}

// A line that a writer let through must fit the buffer that it is read back with.
const (
	maxLine    = 64 << 10
	readBuffer = 2 * maxLine
)

// Create begins a new record file. The caller ends it with Commit or Abort.
func (f Files) Create() (*Writer, error) {
	dir := cmp.Or(f.Scratch, f.Dir)
	if err := durable.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("create shelf folder: %w", err)
	}
	file, err := durable.Create(filepath.Join(dir, "new"), 0o600)
	if err != nil {
		return nil, fmt.Errorf("create shelf file: %w", err)
	}
	w := &Writer{files: f, file: file, sum: sha256.New()}
	w.buf = bufio.NewWriterSize(io.MultiWriter(file, w.sum), 256<<10)
	return w, nil
}

// Add writes a record.
func (w *Writer) Add(r Record) error {
	var err error
	if w.line, err = r.append(w.line[:0]); err != nil {
		return fmt.Errorf("write shelf file: %w", err)
	}
	return w.addLine(w.line, len(r.Key))
}

// addLine writes a record that is a line already, with its end, of which the first bytes are the key.
func (w *Writer) addLine(line []byte, key int) error {
	if bytes.Compare(line[:key], w.last) <= 0 {
		return fmt.Errorf("write shelf file: key %q after %q", line[:key], w.last)
	}
	if len(line) > maxLine {
		return fmt.Errorf("write shelf file: article %.40q… has a line of %d bytes", line[:key], len(line))
	}
	w.last = append(w.last[:0], line[:key]...)
	w.rows++
	if _, err := w.buf.Write(line); err != nil {
		return fmt.Errorf("write shelf file: %w", err)
	}
	return nil
}

// Rows returns the number of records written so far.
func (w *Writer) Rows() int { return w.rows }

// Commit makes the file durable under its digest, at once or with the group of In.
func (w *Writer) Commit() (Digest, error) {
	if err := w.buf.Flush(); err != nil {
		w.Abort()
		return "", fmt.Errorf("write shelf file: %w", err)
	}
	d := Digest(hex.EncodeToString(w.sum.Sum(nil)))
	path := w.files.target(d)
	if g := w.files.group; g != nil {
		if err := w.file.CommitIn(g, path); err != nil {
			return "", fmt.Errorf("write shelf file: %w", err)
		}
		return d, nil
	}
	if err := durable.MkdirAll(filepath.Dir(path)); err != nil {
		w.Abort()
		return "", fmt.Errorf("create shelf folder: %w", err)
	}
	if err := w.file.CommitAs(path); err != nil {
		return "", fmt.Errorf("write shelf file: %w", err)
	}
	return d, nil
}

// Abort gives the file up. It does nothing after Commit.
func (w *Writer) Abort() { w.file.Abort() }

// cursor walks one record file. It splits off the key of each line at once and parses the rest only when asked.
type cursor struct {
	file *os.File
	r    *bufio.Reader
	line []byte // without its end; valid until next, like key
	key  []byte
	done bool

	room strings.Builder // where lines are kept as text; what is full is left to them
}

func (f Files) open(d Digest) (*cursor, error) {
	file, err := os.Open(f.Path(d))
	if err != nil {
		return nil, fmt.Errorf("open shelf file: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open shelf file: %w", err), file.Close())
	}
	// A stack of many partial exports is mostly small files.
	size := min(info.Size()+1, readBuffer)
	return &cursor{file: file, r: bufio.NewReaderSize(file, int(size))}, nil
}

// next moves to the next record; done is set at the end.
func (c *cursor) next() error {
	line, err := c.r.ReadSlice('\n')
	if err == io.EOF && len(line) == 0 {
		c.done, c.line, c.key = true, nil, nil
		return nil
	}
	if err != nil {
		// A last line without its end is a damaged file too: these are written whole or not at all.
		return c.damaged(errors.Join(err, errLine))
	}
	c.line = line[:len(line)-1]
	tab := bytes.IndexByte(c.line, '\t')
	if tab <= 0 {
		return c.damaged(errLine)
	}
	c.key = c.line[:tab]
	return nil
}

// ahead returns what has been read from the file behind the current record; skip passes over some of it, to the beginning of a line. The
// current record stays valid.
func (c *cursor) ahead() []byte {
	text, _ := c.r.Peek(c.r.Buffered()) // that much is there
	return text
}

func (c *cursor) skip(size int) { _, _ = c.r.Discard(size) } // likewise

// textRoom is how much room is made for the text of lines at a time. An article that is kept keeps that much.
const textRoom = 4 << 10

// text returns the line as text. Promotions share no room: some are kept of all that a shelf has.
func (c *cursor) text() string {
	if isPromotion(c.key) {
		return string(c.line)
	}
	if c.room.Cap()-c.room.Len() < len(c.line) {
		c.room = strings.Builder{}
		c.room.Grow(max(len(c.line), min(textRoom, c.r.Buffered())))
	}
	start := c.room.Len()
	c.room.Write(c.line)
	return c.room.String()[start:]
}

func (c *cursor) record() (Record, error) {
	r, err := parseRecord(c.text())
	if err != nil {
		return r, c.damaged(err)
	}
	return r, nil
}

func (c *cursor) damaged(err error) error {
	return fmt.Errorf("read shelf file %s: %w", filepath.Base(c.file.Name()), err)
}
