package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"gondola/internal/catalog"
)

// letter is everything that an answer says, in its order, before it is laid out: as lines for a text, as a page for a browser. Both say
// the same sentences.
type letter struct {
	verdict  Verdict
	title    string
	summary  string
	facts    []entry
	sections []section
}

// section is a part of a letter under a heading. It has stores, pairs, groups or facts.
type section struct {
	key, title string
	stores     []storeBlock
	pairs      []pair
	groups     []group
	facts      []entry
}

// storeBlock is what is said of stores, in the order of its fields.
type storeBlock struct {
	names      string
	tallies    []tally // the parts of changes
	changes    string
	promotions []string
	same       []string
	held       []pair
	standing   []string
	state      storeState
	moves      []Move
}

// tally is a number of articles with what happens to them.
type tally struct{ key, text string }

// joined returns tallies in one line.
func joined(all []tally) string {
	texts := make([]string, len(all))
	for i, t := range all {
		texts[i] = t.text
	}
	return strings.Join(texts, ", ")
}

// storeState is where a store's part stands.
type storeState string

const (
	stateHeld  storeState = "held"
	stateDone  storeState = "done"
	stateNone  storeState = "none" // nothing is to be sent
	stateAlarm storeState = "alarm"
	stateGoing storeState = "going"
	stateWaits storeState = "waits"
)

// pair is something wrong, and the one thing to do.
type pair struct{ what, do string }

// receipt is one answer on its way to a letter.
type receipt struct {
	words  *words
	answer Answer
	ahead  bool // of a file that only may be dropped: it says what would be
}

func newReceipt(a Answer) *receipt {
	if a.Zone == nil {
		a.Zone = time.UTC
	}
	r := &receipt{words: newWords(a.Language), answer: a}
	r.words.zone, r.words.kind = a.Zone, a.Kind
	return r
}

// letter puts the answer into words. An error means that a phrase is broken, which is our mistake.
func (r *receipt) letter() (letter, error) {
	l := letter{
		verdict: r.answer.Verdict, title: r.words.say("verdict." + string(r.answer.Verdict)), summary: r.summary(), facts: r.file(),
	}
	for _, s := range slices.Concat(r.stores(), r.held(), r.issues(), r.support()) {
		s.title = r.words.say("section." + s.key)
		l.sections = append(l.sections, s)
	}
	return l, r.failed()
}

// failed returns the phrase that could not be said, or nil.
func (r *receipt) failed() error {
	if r.words.err != nil {
		return fmt.Errorf("write answer for %q: %w", r.answer.Name, r.words.err)
	}
	return nil
}

// summary says what became of the file.
func (r *receipt) summary() string {
	a, w := r.answer, r.words
	var says []string
	switch {
	case a.Verdict == Rejected:
		says = append(says, w.say("summary.rejected", w.say("folder.rejected")))
	case a.RowsRejected > 0:
		says = append(says, w.say("summary.partly", a.Rows-a.RowsRejected, a.Rows, a.RowsRejected))
	default:
		says = append(says, w.say("summary.used", a.Rows))
	}
	if a.Verdict == Held {
		key := "summary.held"
		if len(a.Held) == 0 && r.someStoreGoes() {
			key = "summary.held-part"
		}
		says = append(says, w.say(key))
	}
	return strings.Join(says, " ")
}

func (r *receipt) someStoreGoes() bool {
	return slices.ContainsFunc(r.answer.Stores, func(s StoreAnswer) bool { return len(s.Held) == 0 })
}

// file says which file this is about, as of when, and where there is more to read.
func (r *receipt) file() []entry {
	a, w := r.answer, r.words
	var received, updated string
	if !a.Time.IsZero() {
		received = r.words.date(a.Time, "time.long") + ", " + r.zoneName()
		if a.Updated.After(a.Time) {
			updated = r.words.date(a.Updated, "time.long")
		}
	}
	return []entry{
		{w.say("label.file"), clean(a.Name, maxName)},
		{w.say("label.received"), received},
		{w.say("label.updated"), updated},
	}
}

// support says how the file was read, and what to look it up by: nothing that store staff needs, so it comes last.
func (r *receipt) support() []section {
	a, w := r.answer, r.words
	var parts []string
	if a.Seq > 0 {
		parts = append(parts, w.say("read.number", a.Seq))
	}
	if a.Feed != "" {
		parts = append(parts, w.say("read.feed", clean(a.Feed, maxQuote)))
	}
	if a.By != "" {
		parts = append(parts, w.say("read.by", clean(a.By, maxQuote)))
	}
	if a.Reading.Encoding != "" {
		parts = append(parts, w.say("read.encoding", clean(a.Reading.Encoding, maxQuote), clean(a.Reading.Evidence, maxTrouble)))
	}
	entries := []entry{
		{w.say("label.read"), r.read()},
		{w.say("label.columns"), r.columns()},
		{w.say("label.support"), strings.Join(parts, ", ")},
	}
	if !slices.ContainsFunc(entries, func(e entry) bool { return e.text != "" }) {
		return nil
	}
	return []section{{key: "support", facts: entries}}
}

func (r *receipt) read() string {
	rd, w := r.answer.Reading, r.words
	var parts []string
	if rd.Sheet != "" {
		parts = append(parts, w.say("read.sheet", clean(rd.Sheet, maxQuote)))
	}
	if rd.HeaderRow > 0 {
		parts = append(parts, w.say("read.header", rd.HeaderRow))
	}
	if name := delimiterName(rd.Delimiter); name != "" {
		parts = append(parts, w.say("read.delimiter", w.say("delimiter."+name)))
	}
	return strings.Join(parts, ", ")
}

func (r *receipt) columns() string {
	var parts []string
	for _, c := range r.answer.Reading.Columns {
		key, proof := "read.column", ""
		if convention := cmp.Or(c.Decimal, c.Date); convention != "" && r.words.has(key+"-"+convention) {
			key += "-" + convention
		}
		if c.Proof != "" && c.ProofRow > 0 {
			proof = r.words.say("read.proof", clean(c.Proof, maxQuote), c.ProofRow)
		}
		parts = append(parts, r.words.say(key, c.Role, clean(c.Header, maxQuote), proof))
	}
	return strings.Join(parts, ", ")
}

// stores says what happens in each store. Stores of which the same is to be said stand together: an export for a whole chain would
// otherwise fill pages with one sentence.
func (r *receipt) stores() []section {
	if len(r.answer.Stores) == 0 {
		return nil
	}
	var blocks []storeBlock
	at := map[string]int{}
	for _, s := range r.answer.Stores {
		b := r.store(s)
		key := fmt.Sprint(b)
		i, ok := at[key]
		if !ok {
			i = len(blocks)
			at[key] = i
			blocks = append(blocks, b)
		}
		if blocks[i].names != "" {
			blocks[i].names += ", "
		}
		blocks[i].names += r.storeName(s)
	}
	return []section{{key: "stores", stores: blocks}}
}

func (r *receipt) storeName(s StoreAnswer) string {
	if s.ID == catalog.AllVendors {
		return r.words.say("store.all")
	}
	if s.Name == "" || s.Name == s.ID {
		return clean(s.ID, maxQuote)
	}
	return r.words.say("store.name", clean(s.Name, maxQuote), clean(s.ID, maxQuote))
}

// store says what changes in one store, then where it stands.
func (r *receipt) store(s StoreAnswer) storeBlock {
	w := r.words
	b := storeBlock{tallies: r.changes(s.Changes), promotions: r.promotions(s), moves: largest(s.Moves)}
	if len(b.tallies) > 0 {
		b.changes = w.say("store.changes", joined(b.tallies))
	}
	if s.Changes.Same > 0 {
		b.same = append(b.same, w.say("store.same", s.Changes.Same))
	}
	if s.Changes.Missing > 0 {
		b.same = append(b.same, w.say("store.missing", s.Changes.Missing))
	}
	for _, is := range s.Held {
		b.held = append(b.held, pair{w.say("store.held", small(w.what(is))), w.say("issue.do", w.do(is.Code))})
	}
	for _, is := range s.HeldRows {
		b.held = append(b.held, pair{w.say("store.held-rows", small(w.what(is))), w.say("issue.do", w.do(is.Code))})
	}
	for _, is := range s.RejectedRows {
		b.same = append(b.same, w.say("store.rejected-rows", small(w.what(is))))
	}
	if r.ahead {
		b.standing, b.state = r.upcoming(s)
		return b
	}
	if b.state = stateHeld; len(s.Held) == 0 && len(r.answer.Held) == 0 && !s.OnlyHeld {
		b.standing, b.state = r.standing(s)
	}
	return b
}

// standing says how far a store's part has come.
func (r *receipt) standing(s StoreAnswer) ([]string, storeState) {
	w := r.words
	switch {
	case !s.Verified.IsZero() && s.Requested:
		return r.requested(s)
	case !s.Verified.IsZero():
		lines := []string{w.say("store.verified", w.date(s.Verified, "time.short"))}
		if s.NotTaken > 0 {
			return append(lines, w.say("store.not-taken", s.NotTaken)), stateAlarm
		}
		return lines, stateDone
	case s.Superseded:
		return []string{w.say("store.superseded")}, stateNone
	case s.Rejected:
		return []string{w.say("store.rejected")}, stateNone
	case s.Unchanged:
		return []string{w.say("store.unchanged")}, stateNone
	case s.Paused && !s.PausedUntil.IsZero():
		return []string{w.say("store.paused-until", w.date(s.PausedUntil, "time.short"))}, stateWaits
	case s.Paused:
		return []string{w.say("store.paused")}, stateWaits
	case s.Trouble != "":
		lines := []string{w.say("store.trouble", clean(s.Trouble, maxTrouble))}
		if !s.Next.IsZero() {
			lines = append(lines, w.say("store.retry", w.date(s.Next, "time.short")))
		}
		return lines, stateAlarm
	case !s.Sent.IsZero():
		return []string{w.say("store.sent", w.date(s.Sent, "time.short"))}, stateGoing
	case !s.Next.IsZero():
		return []string{w.say("store.next", w.date(s.Next, "time.short"))}, stateWaits
	default:
		return []string{w.say("store.waiting")}, stateWaits
	}
}

// requested says how far requests have come that the platform has accepted: that it took them is not that it did what they say.
func (r *receipt) requested(s StoreAnswer) ([]string, storeState) {
	w := r.words
	var lines []string
	state := stateDone
	switch {
	case s.Answered.IsZero():
		lines, state = append(lines, w.say("store.accepted", w.date(s.Verified, "time.short"))), stateGoing
	case s.Unanswered:
		lines = append(lines, w.say("store.unanswered", w.date(s.Verified, "time.short")))
	default:
		lines = append(lines, w.say("store.confirmed", w.date(s.Answered, "time.short")))
	}
	if s.NotTaken > 0 {
		lines, state = append(lines, w.say("store.not-taken", s.NotTaken)), stateAlarm
	}
	return lines, state
}

// changes returns what changes about a store's articles.
func (r *receipt) changes(c Changes) []tally {
	return r.counts([]count{
		{"change.new", c.New},
		{"change.price-up", c.PriceUp},
		{"change.price-down", c.PriceDown},
		{"change.on", c.SwitchedOn},
		{"change.off", c.SwitchedOff},
		{"change.other", c.Other},
	})
}

// count is a number and the phrase that tells it.
type count struct {
	key string
	n   int
}

// counts returns the numbers that are not zero, in words.
func (r *receipt) counts(all []count) []tally {
	var parts []tally
	for _, one := range all {
		if one.n > 0 {
			parts = append(parts, tally{one.key, r.words.say(one.key, one.n)})
		}
	}
	return parts
}

// held asks the questions about the export as a whole.
func (r *receipt) held() []section {
	if len(r.answer.Held) == 0 {
		return nil
	}
	s := section{key: "held"}
	for _, is := range r.answer.Held {
		s.pairs = append(s.pairs, pair{r.words.what(is), r.words.say("issue.do", r.words.do(is.Code))})
	}
	return []section{s}
}

// issues says what is wrong, by severity and kind.
func (r *receipt) issues() []section {
	var all []section
	for _, g := range groups(r.answer.Issues, r.answer.Counts) {
		if n := len(all); n == 0 || all[n-1].key != string(g.severity) {
			all = append(all, section{key: string(g.severity)})
		}
		s := &all[len(all)-1]
		s.groups = append(s.groups, g)
	}
	return all
}

// zoneName returns what people call the zone: by its city, where it has one. Most zones have no short name of their own.
func (r *receipt) zoneName() string {
	name := r.answer.Zone.String()
	slash := strings.LastIndexByte(name, '/')
	if slash < 0 {
		return name
	}
	return r.words.say("time.zone", strings.ReplaceAll(name[slash+1:], "_", " "))
}

func delimiterName(d rune) string {
	switch d {
	case ';':
		return "semicolon"
	case ',':
		return "comma"
	case '\t':
		return "tab"
	case '|':
		return "bar"
	default:
		return ""
	}
}
