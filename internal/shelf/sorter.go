package shelf

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"gondola/internal/catalog"
)

// sortBuffer is how many bytes of rows a Sorter holds before it spills to a temporary file. With the index beside it about twice
// as much memory is used, however large the export is.
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
	by      catalog.IdentifyBy
	dir     string
	arena   []byte
	lines   []sortLine // in arena
	order   []sortLine // the same in order, when they are asked for
	vendors []string   // in the order in which they came
	vendor  uint32     // of the last row, which is often the next one's, too
	known   map[string]uint32
	runs    []*os.File
	buffer  int
}

// NewSorter returns a sorter that spills into files in dir, which must exist.
func NewSorter(by catalog.IdentifyBy, dir string) *Sorter {
	return &Sorter{by: by, dir: dir, known: map[string]uint32{}, buffer: sortBuffer}
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
	from := start + len(r.Vendor) + 1
	s.lines = append(s.lines, sortLine{
		prefix: prefixOf(rec.Key), vendor: s.vendorOf(r.Vendor), start: uint32(start), end: uint32(len(s.arena)),
		key: uint32(from), behind: uint32(from + len(rec.Key)),
	})
	if len(s.arena) >= s.buffer {
		return s.spill()
	}
	return nil
}

// sortLine is a line in the arena, and what it is sorted by.
type sortLine struct {
	prefix     uint64 // the first bytes of the key, as a number that is compared in one step
	vendor     uint32 // index of vendors
	start, end uint32
	key        uint32 // where the key begins
	behind     uint32 // and where it ends
}

// prefixOf returns the first eight bytes of a key as a number: numbers compare as the bytes do. Behind the end of a short one are zeros,
// which are less than what any key may hold.
func prefixOf(key string) uint64 {
	var first [8]byte
	copy(first[:], key)
	return binary.BigEndian.Uint64(first[:])
}

// vendorOf returns the number of a store.
func (s *Sorter) vendorOf(vendor string) uint32 {
	if int(s.vendor) < len(s.vendors) && s.vendors[s.vendor] == vendor {
		return s.vendor
	}
	n, ok := s.known[vendor]
	if !ok {
		n = uint32(len(s.vendors))
		s.vendors = append(s.vendors, vendor)
		s.known[vendor] = n
	}
	s.vendor = n
	return n
}

// head returns the part of a line that it is sorted by: store, tab, key.
func (s *Sorter) head(l *sortLine) []byte { return s.arena[l.start:l.behind] }

// text returns a line.
func (s *Sorter) text(l *sortLine) []byte { return s.arena[l.start:l.end] }

// sorted returns the lines held in memory in order: by store, by key, and those of one article in the order in which they came. Most
// exports have the articles of a store in order, and then a look at each is all.
func (s *Sorter) sorted() []sortLine {
	counts := make([]int, len(s.vendors))
	for i := range s.lines {
		counts[s.lines[i].vendor]++
	}
	order := make([]int, len(s.vendors))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(s.vendors[a], s.vendors[b]) })
	next, ends := make([]int, len(s.vendors)), make([]int, len(s.vendors))
	at := 0
	for _, v := range order {
		next[v] = at
		at += counts[v]
		ends[v] = at
	}
	s.order = slices.Grow(s.order[:0], len(s.lines))[:len(s.lines)]
	lines := s.order
	for _, l := range s.lines {
		lines[next[l.vendor]] = l
		next[l.vendor]++
	}
	for v, end := range ends {
		store := lines[end-counts[v] : end]
		if !slices.IsSortedFunc(store, s.compare) {
			slices.SortFunc(store, s.compare)
		}
	}
	return lines
}

// compare compares two lines of a store.
func (s *Sorter) compare(a, b sortLine) int {
	if c := cmp.Compare(a.prefix, b.prefix); c != 0 {
		return c
	}
	if c := bytes.Compare(s.arena[a.key:a.behind], s.arena[b.key:b.behind]); c != 0 {
		return c
	}
	return cmp.Compare(a.start, b.start)
}

func (s *Sorter) spill() error {
	f, err := os.CreateTemp(s.dir, "sort-*.tmp")
	if err != nil {
		return fmt.Errorf("sort export: %w", err)
	}
	s.runs = append(s.runs, f)
	w := bufio.NewWriterSize(f, 256<<10)
	lines := s.sorted()
	for i := range lines {
		if _, err := w.Write(s.text(&lines[i])); err != nil {
			return fmt.Errorf("sort export: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("sort export: %w", err)
	}
	s.arena, s.lines = s.arena[:0], s.lines[:0]
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
	m := &merge{sorter: s, memory: s.sorted()}
	for _, f := range s.runs {
		if _, err := f.Seek(0, 0); err != nil {
			return fmt.Errorf("sort export: %w", err)
		}
		m.runs = append(m.runs, &run{r: bufio.NewReaderSize(f, 64<<10)})
	}
	if err := m.start(); err != nil {
		return err
	}
	defer m.rows.stop()
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

// merge brings the runs and what is left in memory together, rows of one article in the order they were added. Its runs and memory
// belong to the goroutine that reads ahead.
type merge struct {
	runs   []*run // the oldest rows first
	sorter *Sorter
	memory []sortLine // of sorter
	rows   *ahead[mergedRow]

	row sortedRow
	ok  bool
	err error
}

// mergedRow is a row, or what ended the merge.
type mergedRow struct {
	row sortedRow
	err error
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
	m.rows = readAhead(m.merged)
	m.advance()
	return nil
}

// advance goes to the next row.
func (m *merge) advance() {
	next, ok := m.rows.next()
	m.row, m.err, m.ok = next.row, next.err, ok && next.err == nil
}

// merged yields the rows in order.
func (m *merge) merged(yield func(mergedRow) bool) {
	for {
		line, err := m.line()
		if err == nil && line == "" {
			return
		}
		var next mergedRow
		if next.err = err; err == nil {
			next.row, next.err = parseSorted(line)
		}
		if !yield(next) || next.err != nil {
			return
		}
	}
}

// line returns the next line, "" behind the last one.
func (m *merge) line() (line string, err error) {
	var from *run
	for _, r := range m.runs {
		if r.head != "" && (from == nil || r.head < from.head) {
			from = r
		}
	}
	switch {
	case len(m.memory) > 0 && (from == nil || string(m.sorter.head(&m.memory[0])) < from.head):
		line, m.memory = string(m.sorter.text(&m.memory[0])), m.memory[1:]
	case from != nil:
		line = from.line
		err = from.advance()
	}
	return line, err
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
