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

// sortBuffer is how many bytes of rows a Sorter holds before it spills to a temporary file. With the index beside them, and those that are
// being spilled meanwhile, about four times as much memory is used, however large the export is.
const sortBuffer = 6 << 20

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

// Sorter brings the rows of one export into the order of record files: by store, then by key. It spills to disk, while more rows come.
// It is used by one goroutine: Add all rows, or Fill it with them, then Each once, then Close.
type Sorter struct {
	by       catalog.IdentifyBy
	dir      string
	now      *pile    // rows that are not spilled yet
	vendors  []string // in the order in which they came
	vendor   uint32   // of the last row, which is often the next one's, too
	known    map[string]uint32
	runs     []*os.File
	spilling chan spilled // receives once; nil when nothing is being spilled
	spare    *pile        // empty; nil before the first one was spilled
	buffer   int
}

// spilled is a pile that is empty again, or why it is not.
type spilled struct {
	pile *pile
	err  error
}

// NewSorter returns a sorter that spills into files in dir, which must exist.
func NewSorter(by catalog.IdentifyBy, dir string) *Sorter {
	return &Sorter{by: by, dir: dir, now: &pile{}, known: map[string]uint32{}, buffer: sortBuffer}
}

// Add takes a row. Its item must have a key.
func (s *Sorter) Add(r Row) error {
	key := r.Item.Key(s.by)
	if key == "" {
		return fmt.Errorf("sort export: line %d has no key", r.Line)
	}
	vendor, err := s.vendorOf(r.Vendor)
	if err != nil {
		return fmt.Errorf("sort export: line %d: %w", r.Line, err)
	}
	rec := Record{Key: key, Item: r.Item}
	if r.Promotion != nil {
		rec = Record{Key: PromotionKey(key, *r.Promotion), Promotion: r.Promotion, Line: r.Line}
	}
	p := s.now
	p.makeRoom(s.buffer)
	start := len(p.arena)
	p.arena = append(append(p.arena, r.Vendor...), '\t')
	if p.arena, err = rec.append(p.arena); err != nil {
		p.arena = p.arena[:start]
		return fmt.Errorf("sort export: line %d: %w", r.Line, err)
	}
	// The line number goes behind the record: rows of one article stay in the order of the export, and a mark tells rejected ones.
	p.arena = append(p.arena[:len(p.arena)-1], '\t')
	p.arena = strconv.AppendInt(p.arena, int64(r.Line), 10)
	if r.Rejected {
		p.arena = append(p.arena, '!')
	}
	p.arena = append(p.arena, '\n')
	from := start + len(r.Vendor) + 1
	p.lines = append(p.lines, sortLine{
		prefix: prefixOf(rec.Key), vendor: vendor, start: uint32(start), end: uint32(len(p.arena)),
		key: uint32(from), behind: uint32(from + len(rec.Key)),
	})
	if len(p.arena) >= s.buffer {
		return s.spill()
	}
	return nil
}

// Fill adds the rows that from puts, while it makes the next ones: adding takes about as long as reading a row does. Put tells of the
// first row that could not be added as soon as that is known, Fill in the end.
func (s *Sorter) Fill(from func(put func(Row) error) error) error { return beside(s.Add, from) }

// vendorOf returns the number of a store.
func (s *Sorter) vendorOf(vendor string) (uint32, error) {
	if int(s.vendor) < len(s.vendors) && s.vendors[s.vendor] == vendor {
		return s.vendor, nil
	}
	n, ok := s.known[vendor]
	if !ok {
		if hasControl(vendor) {
			return 0, fmt.Errorf("store %q holds a control character", vendor)
		}
		n = uint32(len(s.vendors))
		vendor = strings.Clone(vendor)
		s.vendors = append(s.vendors, vendor)
		s.known[vendor] = n
	}
	s.vendor = n
	return n, nil
}

// ranks returns the place of each store among them in ascending order.
func ranks(vendors []string) []int {
	order := make([]int, len(vendors))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(vendors[a], vendors[b]) })
	rank := make([]int, len(vendors))
	for i, v := range order {
		rank[v] = i
	}
	return rank
}

// spill begins to write the rows in memory to a file, when those before them are written.
func (s *Sorter) spill() error {
	if err := s.wait(); err != nil {
		return err
	}
	f, err := os.CreateTemp(s.dir, "sort-*.tmp")
	if err != nil {
		return fmt.Errorf("sort export: %w", err)
	}
	s.runs = append(s.runs, f)
	full, rank := s.now, ranks(s.vendors)
	if s.now = s.spare; s.now == nil {
		// It becomes as large as the first.
		s.now = &pile{arena: make([]byte, 0, cap(full.arena)), lines: make([]sortLine, 0, cap(full.lines))}
	}
	s.spare, s.spilling = nil, make(chan spilled, 1)
	go func(done chan<- spilled) {
		err := full.write(f, rank)
		full.arena, full.lines = full.arena[:0], full.lines[:0]
		done <- spilled{full, err}
	}(s.spilling)
	return nil
}

// wait waits until nothing is being spilled.
func (s *Sorter) wait() error {
	if s.spilling == nil {
		return nil
	}
	done := <-s.spilling
	s.spilling, s.spare = nil, done.pile
	if done.err != nil {
		return fmt.Errorf("sort export: %w", done.err)
	}
	return nil
}

// Close removes what was spilled.
func (s *Sorter) Close() error {
	errs := []error{s.wait()}
	for _, f := range s.runs {
		errs = append(errs, f.Close(), os.Remove(f.Name()))
	}
	s.runs = nil
	return errors.Join(errs...)
}

// pile is rows in memory.
type pile struct {
	arena []byte
	lines []sortLine // in arena
	order []sortLine // the same in order, when they are asked for
}

// makeRoom makes room for some more lines at once, where there is none. It doubles what there is: growing by small steps costs as much as
// sorting.
func (p *pile) makeRoom(most int) {
	const some = 4 << 10
	if free := cap(p.arena) - len(p.arena); free < some {
		p.arena = slices.Grow(p.arena, max(some, min(len(p.arena), most-len(p.arena))+some))
	}
	if len(p.lines) == cap(p.lines) {
		p.lines = slices.Grow(p.lines, max(len(p.lines), some/64))
	}
}

// sortLine is a line in the arena, and what it is sorted by.
type sortLine struct {
	prefix     uint64 // the first bytes of the key, as a number that is compared in one step
	vendor     uint32 // index of Sorter.vendors
	start, end uint32
	key        uint32 // where the key begins
	behind     uint32 // and where it ends
}

// prefixOf returns the first eight bytes of a key as a number: numbers compare as the bytes do. Behind the end of a short one are zeros,
// which are less than what any key may hold.
func prefixOf[T string | []byte](key T) uint64 {
	var first [8]byte
	copy(first[:], key)
	return binary.BigEndian.Uint64(first[:])
}

// sorted returns the lines in order: by store, by key, and those of one article in the order in which they came. Most exports have the
// articles of a store in order, and then a look at each is all. rank is the place of each store.
func (p *pile) sorted(rank []int) []sortLine {
	counts := make([]int, len(rank)+1) // by rank, each behind the one before it
	for i := range p.lines {
		counts[rank[p.lines[i].vendor]+1]++
	}
	ends := make([]int, len(rank))
	for i := range ends {
		counts[i+1] += counts[i]
		ends[i] = counts[i]
	}
	p.order = slices.Grow(p.order[:0], len(p.lines))[:len(p.lines)]
	for i := range p.lines {
		l := &p.lines[i]
		p.order[ends[rank[l.vendor]]] = *l
		ends[rank[l.vendor]]++
	}
	for i, end := range ends {
		store := p.order[counts[i]:end]
		if !slices.IsSortedFunc(store, p.compare) {
			slices.SortFunc(store, p.compare)
		}
	}
	return p.order
}

// compare compares two lines of a store.
func (p *pile) compare(a, b sortLine) int {
	if c := cmp.Compare(a.prefix, b.prefix); c != 0 {
		return c
	}
	if c := bytes.Compare(p.arena[a.key:a.behind], p.arena[b.key:b.behind]); c != 0 {
		return c
	}
	return cmp.Compare(a.start, b.start)
}

// write writes the lines in order.
func (p *pile) write(f *os.File, rank []int) error {
	w := bufio.NewWriterSize(f, 256<<10)
	lines := p.sorted(rank)
	for i := range lines {
		if _, err := w.Write(p.arena[lines[i].start:lines[i].end]); err != nil {
			return err
		}
	}
	return w.Flush()
}
