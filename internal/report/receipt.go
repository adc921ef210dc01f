package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"gondola/internal/catalog"
)

// Text returns the receipt as plain text, with "\n" at the line ends. An error means that a phrase is broken, which is our mistake.
func Text(a Answer) (string, error) {
	if a.Zone == nil {
		a.Zone = time.UTC
	}
	r := receipt{words: newWords(a.Language), answer: a}
	r.words.zone, r.words.kind = a.Zone, a.Kind
	r.verdict()
	r.file()
	r.stores()
	r.held()
	r.issues()
	r.support()
	if r.words.err != nil {
		return "", fmt.Errorf("write answer for %q: %w", a.Name, r.words.err)
	}
	return r.page.String(), nil
}

// receipt is one answer on its way to a page.
type receipt struct {
	words  *words
	answer Answer
	page   page
}

// verdict writes what became of the file, as a headline and a paragraph: the part that everybody reads.
func (r *receipt) verdict() {
	a, w := r.answer, r.words
	r.page.line(0, w.say("verdict."+string(a.Verdict)))
	r.page.blank()
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
	r.page.line(0, strings.Join(says, " "))
	r.page.blank()
}

func (r *receipt) someStoreGoes() bool {
	for _, s := range r.answer.Stores {
		if len(s.Held) == 0 {
			return true
		}
	}
	return false
}

// file writes which file this is about, and as of when.
func (r *receipt) file() {
	a, w := r.answer, r.words
	var received, updated string
	if !a.Time.IsZero() {
		received = r.words.date(a.Time, "time.long") + ", " + r.zoneName()
		if a.Updated.After(a.Time) {
			updated = r.words.date(a.Updated, "time.long")
		}
	}
	r.page.list([]entry{
		{w.say("label.file"), clean(a.Name, maxName)},
		{w.say("label.received"), received},
		{w.say("label.updated"), updated},
	})
}

// support writes how the file was read, and what to look it up by: nothing that store staff needs, so it comes last.
func (r *receipt) support() {
	a, w := r.answer, r.words
	var parts []string
	if a.Seq > 0 {
		parts = append(parts, w.say("read.number", a.Seq))
	}
	if a.Feed != "" {
		parts = append(parts, w.say("read.feed", clean(a.Feed, maxQuote)))
	}
	if a.Reading.Encoding != "" {
		parts = append(parts, w.say("read.encoding", clean(a.Reading.Encoding, maxQuote)))
	}
	entries := []entry{
		{w.say("label.read"), r.read()},
		{w.say("label.columns"), r.columns()},
		{w.say("label.support"), strings.Join(parts, ", ")},
	}
	if !slices.ContainsFunc(entries, func(e entry) bool { return e.text != "" }) {
		return
	}
	r.section("section.support")
	r.page.list(entries)
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

// stores writes what happens in each store. Stores of which the same is to be said stand together: an export for a whole chain would
// otherwise fill pages with one sentence.
func (r *receipt) stores() {
	if len(r.answer.Stores) == 0 {
		return
	}
	r.section("section.stores")
	type block struct{ names, lines []string }
	var blocks []*block
	at := map[string]*block{}
	for _, s := range r.answer.Stores {
		lines := r.store(s)
		key := strings.Join(lines, "\n")
		b := at[key]
		if b == nil {
			b = &block{lines: lines}
			at[key] = b
			blocks = append(blocks, b)
		}
		b.names = append(b.names, r.storeName(s))
	}
	for i, b := range blocks {
		if i > 0 {
			r.page.blank()
		}
		r.page.line(2, strings.Join(b.names, ", "))
		for _, l := range b.lines {
			r.page.line(4, l)
		}
	}
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

// store returns the sentences about one store: what changes, then where it stands.
func (r *receipt) store(s StoreAnswer) []string {
	w := r.words
	var lines []string
	if changes := r.changes(s.Changes); changes != "" {
		lines = append(lines, w.say("store.changes", changes))
	}
	lines = append(lines, r.promotions(s)...)
	if s.Changes.Same > 0 {
		lines = append(lines, w.say("store.same", s.Changes.Same))
	}
	if s.Changes.Missing > 0 {
		lines = append(lines, w.say("store.missing", s.Changes.Missing))
	}
	for _, is := range s.Held {
		lines = append(lines, w.say("store.held", small(w.what(is))), w.say("issue.do", w.do(is.Code)))
	}
	if len(s.Held) > 0 || len(r.answer.Held) > 0 {
		return lines
	}
	return append(lines, r.standing(s)...)
}

// standing returns how far a store's part has come.
func (r *receipt) standing(s StoreAnswer) []string {
	w := r.words
	switch {
	case !s.Verified.IsZero():
		return []string{w.say("store.verified", r.words.date(s.Verified, "time.short"))}
	case s.Superseded:
		return []string{w.say("store.superseded")}
	case s.Unchanged:
		return []string{w.say("store.unchanged")}
	case s.Trouble != "":
		lines := []string{w.say("store.trouble", clean(s.Trouble, maxTrouble))}
		if !s.Next.IsZero() {
			lines = append(lines, w.say("store.retry", r.words.date(s.Next, "time.short")))
		}
		return lines
	case !s.Sent.IsZero():
		return []string{w.say("store.sent", r.words.date(s.Sent, "time.short"))}
	case !s.Next.IsZero():
		return []string{w.say("store.next", r.words.date(s.Next, "time.short"))}
	default:
		return []string{w.say("store.waiting")}
	}
}

// changes returns what changes about a store's articles.
func (r *receipt) changes(c Changes) string {
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
func (r *receipt) counts(all []count) string {
	var parts []string
	for _, one := range all {
		if one.n > 0 {
			parts = append(parts, r.words.say(one.key, one.n))
		}
	}
	return strings.Join(parts, ", ")
}

// held writes the questions about the export as a whole.
func (r *receipt) held() {
	if len(r.answer.Held) == 0 {
		return
	}
	r.section("section.held")
	for _, is := range r.answer.Held {
		r.page.line(2, r.words.what(is))
		r.page.line(2, r.words.say("issue.do", r.words.do(is.Code)))
	}
}

// issues writes what is wrong, by severity and kind.
func (r *receipt) issues() {
	var under catalog.Severity
	for i, g := range groups(r.answer.Issues, r.answer.Counts) {
		if i == 0 || g.severity != under {
			under = g.severity
			r.section("section." + string(under))
		} else {
			r.page.blank()
		}
		r.group(g)
	}
}

func (r *receipt) group(g group) {
	w := r.words
	r.page.line(2, w.say("issue.title", w.title(g.code), g.total))
	r.page.line(2, w.say("issue.do", w.do(g.code)))
	shown := min(len(g.issues), MaxLines)
	for _, is := range g.issues[:shown] {
		line := w.what(is)
		if place := w.place(is); place != "" {
			line = place + ": " + small(line)
		}
		r.page.hang(4, 6, line)
	}
	if more := g.total - shown; more > 0 && shown > 0 {
		r.page.line(4, w.say("issue.more", more))
	}
}

func (r *receipt) section(key string) {
	r.page.blank()
	r.page.line(0, r.words.say(key))
	r.page.blank()
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
