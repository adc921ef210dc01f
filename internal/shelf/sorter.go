package shelf

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"gondola/internal/catalog"
)

// sortBuffer is how many bytes of rows a Sorter holds before it spills to a temporary file. With the index beside it about half
// as much again is used, however large the export is.
const sortBuffer = 16 << 20

// Row is one row of an export as it goes into a layer.
type Row struct {
	Vendor string // or catalog.AllVendors
	Item   catalog.Item
	// Promotion is what a row of a promotions feed asks for; Item holds the identity alone then. Nil for an article, and for a rejected
	// row of either kind.
	Promotion *catalog.Promotion
	Line      int  // in the export, for messages
	Rejected  bool // the article is there, but a cell of it is wrong: it keeps its old values, or all its promotions
}

// Twice is an article, or one and the same promotion of an article, that an export names twice for one store. The later line counts.
type Twice struct {
	Vendor, Key string // the article's key
	Line, Other int    // the line that counts, and the one that does not
	Same        bool   // both say the same
}

// Sorter brings the rows of one export into the order of record files: by store, then by key. It spills to disk. It is used by one
// goroutine: Add all rows, then Each once, then Close.
type Sorter struct {
	by     catalog.IdentifyBy
	dir    string
	arena  []byte
	ends   []int32 // of each line in arena, which is far from 2 GB
	runs   []*os.File
	buffer int
}

// NewSorter returns a sorter that spills into files in dir, which must exist.
func NewSorter(by catalog.IdentifyBy, dir string) *Sorter {
	return &Sorter{by: by, dir: dir, buffer: sortBuffer}
}

// Add takes a row. Its item must have a key.
func (s *Sorter) Add(r Row) error {
	key := r.Item.Key(s.by)
	if key == "" {
		return fmt.Errorf("sort export: line %d has no key", r.Line)
	}
	if hasControl(r.Vendor) {
		return fmt.Errorf("sort export: line %d: store %q holds a control character", r.Line, r.Vendor)
	}
	rec := Record{Key: key, Item: r.Item}
	if r.Promotion != nil {
		rec = Record{Key: PromotionKey(key, *r.Promotion), Promotion: r.Promotion, Line: r.Line}
	}
	start := len(s.arena)
	s.arena = append(append(s.arena, r.Vendor...), '\t')
	var err error
	if s.arena, err = rec.append(s.arena); err != nil {
		s.arena = s.arena[:start]
		return fmt.Errorf("sort export: line %d: %w", r.Line, err)
	}
	// The line number goes behind the record: rows of one article stay in the order of the export, and a mark tells rejected ones.
	s.arena = append(s.arena[:len(s.arena)-1], '\t')
	s.arena = strconv.AppendInt(s.arena, int64(r.Line), 10)
	if r.Rejected {
		s.arena = append(s.arena, '!')
	}
	s.arena = append(s.arena, '\n')
	s.ends = append(s.ends, int32(len(s.arena)))
	if len(s.arena) >= s.buffer {
		return s.spill()
	}
	return nil
}

// sortLine is where a line lies in the arena. It is sorted by what stands before head: store, tab, key.
type sortLine struct{ start, head, end int32 }

// sorted returns the lines held in memory in order; lines of one key stay in the order in which they were added, which is that of the
// arena. A tab sorts before every character that a vendor or key may hold, so lines compare as (vendor, key) do when the part up to the
// second tab is compared bytewise.
func (s *Sorter) sorted() []sortLine {
	lines := make([]sortLine, len(s.ends))
	start := int32(0)
	for i, end := range s.ends {
		line := s.arena[start:end]
		vendor := bytes.IndexByte(line, '\t') + 1
		head := vendor + bytes.IndexByte(line[vendor:], '\t')
		lines[i] = sortLine{start, start + int32(head), end}
		start = end
	}
	slices.SortFunc(lines, func(a, b sortLine) int {
		if c := bytes.Compare(s.arena[a.start:a.head], s.arena[b.start:b.head]); c != 0 {
			return c
		}
		return cmp.Compare(a.start, b.start)
	})
	return lines
}

func (s *Sorter) spill() error {
	f, err := os.CreateTemp(s.dir, "sort-*.tmp")
	if err != nil {
		return fmt.Errorf("sort export: %w", err)
	}
	s.runs = append(s.runs, f)
	w := bufio.NewWriterSize(f, 256<<10)
	for _, l := range s.sorted() {
		if _, err := w.Write(s.arena[l.start:l.end]); err != nil {
			return fmt.Errorf("sort export: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("sort export: %w", err)
	}
	s.arena, s.ends = s.arena[:0], s.ends[:0]
	return nil
}

// Close removes what was spilled.
func (s *Sorter) Close() error {
	var errs []error
	for _, f := range s.runs {
		errs = append(errs, f.Close(), os.Remove(f.Name()))
	}
	s.runs = nil
	return errors.Join(errs...)
}

// Rows is one store's part of a sorted export, one record a key. It is valid until fn of Each returns.
type Rows struct {
	m      *merge
	vendor string
	twice  func(Twice)
}

// Each calls fn for every store that occurs, in ascending order, with its rows. fn need not read all of them. Articles that occur
// twice are told to twice and come once.
func (s *Sorter) Each(fn func(vendor string, rows *Rows) error, twice func(Twice)) error {
	m := &merge{arena: s.arena, memory: s.sorted()}
	for _, f := range s.runs {
		if _, err := f.Seek(0, 0); err != nil {
			return fmt.Errorf("sort export: %w", err)
		}
		m.runs = append(m.runs, &run{r: bufio.NewReaderSize(f, 64<<10)})
	}
	if err := m.start(); err != nil {
		return err
	}
	for m.err == nil && m.ok {
		rows := &Rows{m: m, vendor: m.row.Vendor, twice: twice}
		if err := fn(rows.vendor, rows); err != nil {
			return err
		}
		for {
			if _, ok := rows.next(); !ok {
				break
			}
		}
	}
	return m.err
}

// next returns the next article, or promotion, of the store: the last of its rows that could be read, else the first one.
func (r *Rows) next() (sortedRow, bool) {
	if r.m.err != nil || !r.m.ok || r.m.row.Vendor != r.vendor {
		return sortedRow{}, false
	}
	best := r.m.row
	for {
		r.m.advance()
		if r.m.err != nil {
			return sortedRow{}, false
		}
		again := r.m.row
		if !r.m.ok || again.Vendor != best.Vendor || again.Key != best.Key {
			return best, true
		}
		if again.Rejected {
			// It has its own issue; a row that can be read counts, wherever it stands.
			continue
		}
		if !best.Rejected && r.twice != nil {
			r.twice(Twice{Vendor: r.vendor, Key: ItemKey(best.Key), Line: again.Line, Other: best.Line, Same: sameWords(best.Record, again.Record)})
		}
		best = again
	}
}

// sameWords reports whether two rows with one key say the same.
func sameWords(a, b Record) bool {
	if a.Promotion != nil && b.Promotion != nil {
		return *a.Promotion == *b.Promotion
	}
	return a.Item.Set == b.Item.Set && b.Item.Differs(a.Item) == 0
}

// sortedRow is a row on its way out of the sorter.
type sortedRow struct {
	Vendor string
	Record
	Line     int // in the export, of any row
	Rejected bool
}

// merge brings the runs and what is left in memory together, rows of one article in the order they were added.
type merge struct {
	runs   []*run // the oldest rows first
	arena  []byte
	memory []sortLine // in arena
	row    sortedRow
	ok     bool
	err    error
}

// run is a spilled, sorted part of the export.
type run struct {
	r    *bufio.Reader
	line string
	head string // "" at the end
}

func (r *run) advance() error {
	line, err := r.r.ReadString('\n')
	if line == "" {
		r.line, r.head = "", ""
		return nil
	}
	if err != nil {
		return fmt.Errorf("sort export: read back: %w", err)
	}
	r.line, r.head = line, headOf(line)
	return nil
}

func headOf(line string) string {
	vendor := strings.IndexByte(line, '\t') + 1
	return line[:vendor+strings.IndexByte(line[vendor:], '\t')]
}

func (m *merge) start() error {
	for _, r := range m.runs {
		if err := r.advance(); err != nil {
			return err
		}
	}
	m.advance()
	return m.err
}

func (m *merge) advance() {
	var from *run
	for _, r := range m.runs {
		if r.head != "" && (from == nil || r.head < from.head) {
			from = r
		}
	}
	var line string
	switch {
	case len(m.memory) > 0 && (from == nil || string(m.arena[m.memory[0].start:m.memory[0].head]) < from.head):
		line, m.memory = string(m.arena[m.memory[0].start:m.memory[0].end]), m.memory[1:]
	case from != nil:
		line = from.line
		if m.err = from.advance(); m.err != nil {
			return
		}
	default:
		m.ok = false
		return
	}
	m.row, m.err = parseSorted(line)
	m.ok = m.err == nil
}

func parseSorted(line string) (sortedRow, error) {
	vendor, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
	tail := strings.LastIndexByte(rest, '\t')
	number, rejected := strings.CutSuffix(rest[tail+1:], "!")
	n, err := strconv.Atoi(number)
	if err != nil {
		return sortedRow{}, fmt.Errorf("sort export: %w", errLine)
	}
	rec, err := parseRecord(rest[:tail])
	if err != nil {
		return sortedRow{}, fmt.Errorf("sort export: %w", err)
	}
	return sortedRow{Vendor: vendor, Record: rec, Line: n, Rejected: rejected}, nil
}
