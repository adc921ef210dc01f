package shelf

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
)

// Rows is one store's part of a sorted export, one record a key. It is valid until fn of Each returns.
type Rows struct {
	m      *merge
	vendor string
	twice  func(Twice)
}

// Each calls fn for every store that occurs, in ascending order, with its rows. fn need not read all of them. Articles that occur
// twice are told to twice and come once.
func (s *Sorter) Each(fn func(vendor string, rows *Rows) error, twice func(Twice)) error {
	if err := s.wait(); err != nil {
		return err
	}
	s.spare = nil
	m, err := s.merge()
	if err != nil {
		return err
	}
	defer m.lines.stop()
	m.advance()
	for m.err == nil && m.ok {
		rows := &Rows{m: m, vendor: m.line.vendor, twice: twice}
		if err := fn(rows.vendor, rows); err != nil {
			return err
		}
		for {
			if _, ok := rows.nextLine(); !ok {
				break
			}
		}
	}
	return m.err
}

// next is nextLine for those who want to know what the line says.
func (r *Rows) next() (sortedRow, bool) {
	line, ok := r.nextLine()
	if !ok {
		return sortedRow{}, false
	}
	rec, err := line.record()
	if err != nil {
		r.m.err = err
		return sortedRow{}, false
	}
	return sortedRow{Vendor: line.vendor, Record: rec, Line: line.number, Rejected: line.rejected}, true
}

// nextLine returns the next article, or promotion, of the store: the last of its rows that could be read, else the first one.
func (r *Rows) nextLine() (sortedText, bool) {
	if r.m.err != nil || !r.m.ok || r.m.line.vendor != r.vendor {
		return sortedText{}, false
	}
	best := r.m.line
	for {
		r.m.advance()
		if r.m.err != nil {
			return sortedText{}, false
		}
		again := r.m.line
		if !r.m.ok || again.vendor != best.vendor || !bytes.Equal(again.key(), best.key()) {
			return best, true
		}
		if again.rejected {
			// It has its own issue; a row that can be read counts, wherever it stands.
			continue
		}
		if !best.rejected && r.twice != nil {
			if r.m.err = r.tellTwice(best, again); r.m.err != nil {
				return sortedText{}, false
			}
		}
		best = again
	}
}

// tellTwice tells of two rows with one key, of which the later one counts.
func (r *Rows) tellTwice(best, again sortedText) error {
	a, err := best.record()
	if err != nil {
		return err
	}
	b, err := again.record()
	if err != nil {
		return err
	}
	r.twice(Twice{Vendor: r.vendor, Key: ItemKey(a.Key), Line: again.number, Other: best.number, Same: sameWords(a, b)})
	return nil
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

// sortedText is a row as its line in a record file: nearly all go into one as they are.
type sortedText struct {
	vendor   string
	line     []byte // with its end; for ever
	keyEnd   int
	number   int // of the line in the export
	rejected bool
}

func (t *sortedText) key() []byte { return t.line[:t.keyEnd] }

// record reads what the line says.
func (t *sortedText) record() (Record, error) {
	rec, err := parseRecord(string(t.line[:len(t.line)-1]))
	if err != nil {
		return rec, fmt.Errorf("sort export: %w", err)
	}
	return rec, nil
}

// merge brings the runs and what is left in memory together, rows of one article in the order they were added. Its sources belong to
// the goroutine that reads ahead.
type merge struct {
	sources []*source // those with a line, a heap: the least line is first
	vendors []string
	rank    []int
	known   map[string]uint32
	room    []byte // where lines are kept; what is full is left to them
	lines   *ahead[mergedLine]

	line sortedText
	ok   bool
	err  error
}

// mergedLine is a line, or what ended the merge.
type mergedLine struct {
	line sortedText
	err  error
}

// merge begins to bring the parts of an export together.
func (s *Sorter) merge() (*merge, error) {
	m := &merge{vendors: s.vendors, rank: ranks(s.vendors), known: s.known}
	for i, f := range s.runs {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return nil, fmt.Errorf("sort export: %w", err)
		}
		m.sources = append(m.sources, &source{run: newRun(f), order: i})
	}
	m.sources = append(m.sources, &source{pile: s.now, left: s.now.sorted(m.rank), order: len(s.runs)})
	all := m.sources
	m.sources = m.sources[:0]
	for _, from := range all {
		ok, err := m.read(from)
		if err != nil {
			return nil, err
		}
		if ok {
			m.sources = append(m.sources, from)
		}
	}
	for i := len(m.sources)/2 - 1; i >= 0; i-- {
		m.sink(i)
	}
	m.lines = readAhead(m.merged)
	return m, nil
}

// advance goes to the next line.
func (m *merge) advance() {
	next, ok := m.lines.next()
	m.line, m.err, m.ok = next.line, next.err, ok && next.err == nil
}

// merged yields the lines in order.
func (m *merge) merged(yield func(mergedLine) bool) {
	for len(m.sources) > 0 {
		first := m.sources[0]
		next := mergedLine{line: m.keep(first)}
		ok, err := m.read(first)
		if !ok {
			last := len(m.sources) - 1
			m.sources[0] = m.sources[last]
			m.sources = m.sources[:last]
		}
		m.sink(0)
		if !yield(next) {
			return
		}
		if err != nil {
			yield(mergedLine{err: err})
			return
		}
	}
}

// sink brings the source at i to its place in the heap.
func (m *merge) sink(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(m.sources); child++ {
			if m.sources[child].before(m.sources[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		m.sources[i], m.sources[least] = m.sources[least], m.sources[i]
		i = least
	}
}

// roomSize is how much room is made for lines at a time.
const roomSize = 64 << 10

// keep returns the line of a source for ever, without the store and the number.
func (m *merge) keep(s *source) sortedText {
	need := len(s.record) + 1
	if cap(m.room)-len(m.room) < need {
		m.room = make([]byte, 0, max(roomSize, need))
	}
	start := len(m.room)
	m.room = append(append(m.room, s.record...), '\n')
	return sortedText{
		vendor: m.vendors[s.vendor], line: m.room[start:len(m.room):len(m.room)], keyEnd: len(s.key), number: s.number, rejected: s.rejected,
	}
}

// source is one sorted part of an export: a run, or what is in memory.
type source struct {
	run   *run
	pile  *pile
	left  []sortLine
	order int // the oldest rows first

	// The current line, valid until the next one is read.
	vendor      uint32
	rank        int // of the store
	prefix      uint64
	key, record []byte
	number      int
	rejected    bool
}

// before reports whether the line of a source comes before that of another one.
func (s *source) before(other *source) bool {
	if s.rank != other.rank {
		return s.rank < other.rank
	}
	if s.prefix != other.prefix {
		return s.prefix < other.prefix
	}
	return cmp.Or(bytes.Compare(s.key, other.key), s.order-other.order) < 0
}

// read goes to the next line of a source; false at the end.
func (m *merge) read(s *source) (bool, error) {
	var line []byte
	if s.run == nil {
		if len(s.left) == 0 {
			return false, nil
		}
		l := &s.left[0]
		line, s.left = s.pile.arena[l.start:l.end], s.left[1:]
	} else {
		var err error
		if line, err = s.run.next(); line == nil || err != nil {
			return false, err
		}
	}
	if !m.parse(s, line[:len(line)-1]) {
		return false, fmt.Errorf("sort export: %w", errLine)
	}
	return true, nil
}

// parse takes a line apart as far as sorting needs it, and sees whether it has the fields that there must be.
func (m *merge) parse(s *source, line []byte) bool {
	vendor := bytes.IndexByte(line, '\t')
	tail := bytes.LastIndexByte(line, '\t')
	if vendor < 0 || tail == vendor {
		return false
	}
	if name := line[:vendor]; int(s.vendor) >= len(m.vendors) || string(name) != m.vendors[s.vendor] {
		n, ok := m.known[string(name)]
		if !ok {
			return false
		}
		s.vendor = n
	}
	s.rank = m.rank[s.vendor]
	s.record = line[vendor+1 : tail]
	key := bytes.IndexByte(s.record, '\t')
	if key <= 0 {
		return false
	}
	s.key = s.record[:key]
	s.prefix = prefixOf(s.key)
	fields := fieldCount
	if isPromotion(s.key) {
		fields = promotionFields
	}
	number, rejected := bytes.CutSuffix(line[tail+1:], []byte{'!'})
	n, err := strconv.Atoi(string(number))
	s.number, s.rejected = n, rejected
	return err == nil && bytes.Count(s.record, []byte{'\t'}) == fields-1
}

// run reads a spilled, sorted part of the export.
type run struct {
	r    *bufio.Reader
	long []byte // a line that does not fit the buffer
}

func newRun(f *os.File) *run { return &run{r: bufio.NewReaderSize(f, 64<<10)} }

// next returns the next line with its end, valid until the next call; nil behind the last one.
func (r *run) next() ([]byte, error) {
	line, err := r.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		r.long = append(r.long[:0], line...)
		line, err = r.r.ReadBytes('\n')
		r.long = append(r.long, line...)
		line = r.long
	}
	if len(line) == 0 && errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("sort export: read back: %w", err)
	}
	return line, nil
}
