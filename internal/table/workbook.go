package table

import (
	"archive/zip"
	"errors"
	"io"
	"os"
	"path"
	"slices"
	"strings"
)

// workbook is an open XLSX package.
type workbook struct {
	file     *os.File
	limits   Limits
	parts    map[string]*zip.File // by lower-case name: the names of parts have no case
	sheets   []*Sheet
	styles   []Style
	strings  *sharedStrings
	from1904 bool
}

// relation is what one part says of another.
type relation struct {
	kind   string // the last element of its type, which is what the transitional and the strict standard have in common
	target string // name of the part; "" when it is outside the package
}

// openWorkbook reads everything but the rows. It closes file when it returns an error; after that the workbook's close does.
func openWorkbook(file *os.File, size int64, l Limits) (*workbook, error) {
	w := &workbook{file: file, limits: l, parts: map[string]*zip.File{}, strings: &sharedStrings{memory: stringMemory}}
	err := w.open(size)
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *workbook) open(size int64) error {
	if err := checkDirectory(w.file, size); err != nil {
		return err
	}
	z, err := zip.NewReader(w.file, size)
	if err != nil {
		return damaged("", err)
	}
	for _, f := range z.File {
		name := strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(f.Name, `\`, "/"), "/"))
		if w.parts[name] != nil {
			// Readers differ in which of two parts of one name they take. There is no right one.
			return refuseDamaged(f.Name)
		}
		w.parts[name] = f
	}
	root, err := w.relations("")
	if err != nil {
		return err
	}
	main, err := only(root, "officeDocument")
	if err != nil {
		return err
	}
	if strings.HasSuffix(main, ".bin") {
		return refuseKind("xlsb")
	}
	return w.readMain(main)
}

// readMain reads the workbook's main part and those that it names, but for the sheets.
func (w *workbook) readMain(main string) error {
	relations, err := w.relations(main)
	if err != nil {
		return err
	}
	if err := w.readPart(main, func(m *markup) error { return w.readSheets(m, relations) }); err != nil {
		return err
	}
	if len(w.sheets) == 0 {
		return &Refusal{Kind: RefusedEmpty}
	}
	styles, err := only(relations, "styles")
	if err != nil {
		return err
	}
	if styles != "" {
		err = w.readPart(styles, func(m *markup) (err error) {
			w.styles, err = readStyles(m, w.from1904)
			return err
		})
		if err != nil {
			return err
		}
	}
	list, err := only(relations, "sharedStrings")
	if err != nil || list == "" {
		return err
	}
	return w.readPart(list, func(m *markup) error { return w.strings.read(m, w.limits.CellBytes) })
}

// only returns the target of the relation of a kind that there may be one of, "" where there is none. Of two parts, which counts is
// not known.
func only(relations map[string]relation, kind string) (string, error) {
	target := ""
	for _, r := range relations {
		if r.kind != kind {
			continue
		}
		if target != "" && target != r.target {
			return "", refuseDamaged(max(target, r.target)) // the same of the two every time, though maps have no order
		}
		target = r.target
	}
	return target, nil
}

// readSheets reads the names of the sheets, their order and what is hidden.
func (w *workbook) readSheets(m *markup, relations map[string]relation) error {
	m.inside(func() {
		switch string(m.name) {
		case "workbookPr":
			for name, value, ok := m.attr(); ok; name, value, ok = m.attr() {
				if string(name) == "date1904" {
					w.from1904 = isTrue(value)
				}
			}
		case "sheet":
			s, id := &Sheet{book: w}, ""
			for name, value, ok := m.attr(); ok; name, value, ok = m.attr() {
				switch {
				case string(name) == "name":
					s.Name = m.decoded(value)
				case string(name) == "state":
					s.Hidden = string(value) == "hidden" || string(value) == "veryHidden"
				case string(localName(name)) == "id" && len(name) > len("id"):
					id = m.decoded(value)
				}
			}
			switch r, ok := relations[id]; {
			case !ok || r.kind == "worksheet" && w.parts[strings.ToLower(r.target)] == nil:
				m.err = refuseDamaged(s.Name)
			case r.kind == "worksheet": // others hold charts and macros
				s.part = r.target
				w.sheets = append(w.sheets, s)
			}
			if len(w.sheets) > w.limits.Sheets {
				m.err = refuseLimit("sheets", w.limits.Sheets, 0)
			}
		}
	})
	return m.err
}

// relations returns what a part, or for "" the package, says of others, by id.
func (w *workbook) relations(of string) (map[string]relation, error) {
	dir, base := path.Split(of)
	name := dir + "_rels/" + base + ".rels"
	all := map[string]relation{}
	err := w.readPart(name, func(m *markup) error {
		m.inside(func() {
			if string(m.name) != "Relationship" {
				return
			}
			var r relation
			id, outside := "", false
			for name, value, ok := m.attr(); ok; name, value, ok = m.attr() {
				text := m.decoded(value)
				switch string(name) {
				case "Id":
					id = text
				case "Type":
					r.kind = path.Base(text)
				case "Target":
					r.target = text
				case "TargetMode":
					outside = text == "External"
				}
			}
			if outside {
				r.target = ""
			} else if rest, ok := strings.CutPrefix(r.target, "/"); ok {
				r.target = path.Clean(rest)
			} else {
				r.target = path.Join(dir, r.target)
			}
			if _, twice := all[id]; twice || len(all) == maxRelations {
				m.err = errMarkup // of two relations of one name, which counts is not known
				return
			}
			all[id] = r
		})
		return m.err
	})
	return all, err
}

// maxRelations is how many relations a part may have: a workbook has one a sheet and a few more.
const maxRelations = 10_000

// readPart calls read with the markup of a part.
func (w *workbook) readPart(name string, read func(*markup) error) error {
	p, err := w.part(name)
	if err != nil {
		return err
	}
	defer p.close()
	m := newMarkup(p.text(), nil)
	if err := read(m); err != nil {
		return damaged(name, err)
	}
	if !m.eof {
		_, err = io.Copy(io.Discard, p) // the checksum is compared at the end
	}
	return damaged(name, err)
}

// part opens a part of the package.
func (w *workbook) part(name string) (*part, error) {
	f := w.parts[strings.ToLower(name)]
	if f == nil {
		return nil, refuseDamaged(name)
	}
	if f.Flags&1 != 0 {
		return nil, refuseKind("encrypted")
	}
	p := &part{limit: w.limits.unzipped(f.CompressedSize64), told: w.limits.Unzipped}
	// What the package says of its size is believed only where it is a reason to stop before having begun.
	if f.UncompressedSize64 > uint64(p.limit) {
		return nil, p.tooLarge()
	}
	body, err := f.Open()
	if err != nil {
		return nil, damaged(name, err)
	}
	p.body = body
	return p, nil
}

// close ends the use of the package.
func (w *workbook) close() error {
	return errors.Join(w.strings.close(), w.file.Close())
}

// part is an open part, which ends with a refusal when it is too large.
type part struct {
	body        io.ReadCloser
	read, limit int64
	told        int64 // the limit that a refusal names
}

// Read implements io.Reader.
func (p *part) Read(b []byte) (int, error) {
	n, err := p.body.Read(b)
	if p.read += int64(n); p.read > p.limit {
		return 0, p.tooLarge()
	}
	return n, err
}

// close ends the reading. What closing would say concerns the content, of which what matters came with Read.
func (p *part) close() { _ = p.body.Close() }

func (p *part) tooLarge() *Refusal {
	return refuseLimit("unzipped bytes", int(min(p.told, p.limit)), 0)
}

// text returns the part as UTF-8: workbooks may be written in UTF-16, with a byte order mark.
func (p *part) text() io.Reader {
	head := make([]byte, 2)
	n, _ := io.ReadFull(p, head) // an error comes again with the next Read
	head = head[:n]
	rest := io.MultiReader(strings.NewReader(string(head)), p)
	if e := marked(head); e == UTF16LE || e == UTF16BE {
		return newUTF16Reader(&skipReader{r: rest, skip: len(e.mark())}, e)
	}
	return rest
}

// damaged makes a refusal of what is wrong with the content of a part; refusals, errors of the disk and nil stay as they are.
func damaged(name string, err error) error {
	if err == nil || isDisk(err) {
		return err
	}
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		return refusal
	}
	return refuseDamaged(name)
}

// isDisk reports whether err says that a file could not be read or written, which says nothing about what is in it.
func isDisk(err error) bool {
	_, ok := errors.AsType[*os.PathError](err)
	return ok || errors.Is(err, os.ErrClosed)
}

// checkDirectory looks at the end of a zip archive before its directory is read into memory, which may be made to be large.
func checkDirectory(file *os.File, size int64) error {
	tail, _, err := readTail(file, zipTail)
	if err != nil {
		return err
	}
	at := strings.LastIndex(string(tail), zipEndMark)
	if at < 0 || len(tail)-at < zipEndSize {
		return refuseDamaged("")
	}
	field := func(i int) int64 {
		b := tail[at+i:]
		return int64(b[0]) | int64(b[1])<<8 | int64(b[2])<<16 | int64(b[3])<<24
	}
	end := size - int64(len(tail)-at)
	// The directory is read from where it is said to begin, or from where its size says, to its end.
	offset, length := field(16), field(12)
	if offset+length > end || end-min(offset, end-length) > maxDirectory {
		return refuseDamaged("")
	}
	return nil
}

// maxDirectory is how large the directory of a package may be: room for ten thousand parts.
const maxDirectory = 1 << 20

// isTrue reads xsd:boolean.
func isTrue(value []byte) bool { return slices.Contains([]string{"1", "true", "on"}, string(value)) }

// Sheet is one sheet of a table. A text has one without a name.
type Sheet struct {
	Name   string
	Hidden bool // not shown in the workbook

	text *Table    // nil for a sheet of a workbook
	book *workbook // nil for a text
	part string
}

// Rows begins a pass over the rows from the top. It may be called any number of times, also while another pass is going on; each
// pass must be closed, and all before the table is. While somebody works on a row the next ones are read.
func (s *Sheet) Rows() (Rows, error) {
	rows, err := s.rows()
	if err != nil {
		return nil, err
	}
	return readAhead(rows), nil
}

func (s *Sheet) rows() (Rows, error) {
	if s.text != nil {
		return s.text.rows()
	}
	p, err := s.book.part(s.part)
	if err != nil {
		return nil, err
	}
	return newSheetRows(s, p), nil
}
