package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"gondola/internal/catalog"
	"gondola/internal/feed"
	"gondola/internal/outbox"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

// What is known of the platform's own answer: by SFTP there is none.
const (
	noFeedback  = "none: the platform answers nothing by SFTP; it is known that a file lay there to be read, not what was made of it"
	hasFeedback = "the platform answers requests: what it did not take is told with the store, what is sent by SFTP it does not answer"
)

// Explanation tells why a shelf shows of an article what it shows.
type Explanation struct {
	Article  string             `json:"article"` // as it was asked for
	Key      string             `json:"key"`
	At       time.Time          `json:"at"` // the moment that is explained
	Stores   []StoreExplanation `json:"stores"`
	Feedback string             `json:"feedback"`
}

// StoreExplanation is the part of one store, or of all where one file is for all of them, and of one kind.
type StoreExplanation struct {
	Vendor  string         `json:"vendor"`
	Name    string         `json:"name,omitempty"`
	Kind    catalog.Kind   `json:"kind"`
	Wanted  []Saying       `json:"wanted"`            // what the shelf should show
	Sources []Source       `json:"sources"`           // the exports that say so, the one that counts most first
	Pending []Source       `json:"pending,omitempty"` // exports that wait for the next slot, or that the brake holds
	Sent    []Saying       `json:"sent,omitempty"`    // what the platform has verifiably been sent, up to now
	Next    *NextOfArticle `json:"next,omitempty"`    // what the next slot does about it; not of a day that is over

	Feedback []FeedbackLine `json:"feedback,omitempty"` // what the platform did not take of it, by its last word

	Documents []Evidence `json:"documents"`        // that name it, the newest first
	Before    *Evidence  `json:"before,omitempty"` // what held when the day began
}

// FeedbackLine is what the platform said of an article that it did not take.
type FeedbackLine struct {
	Vendor string    `json:"vendor"`
	Reason string    `json:"reason"` // its words
	Job    string    `json:"job"`
	At     time.Time `json:"at"`
	Drop   int64     `json:"drop,omitempty"` // the export that it comes from
	Sheet  string    `json:"sheet,omitempty"`
	Row    int       `json:"row,omitempty"`
}

// NextOfArticle is what the next plan would do about an article and its promotions.
type NextOfArticle struct {
	Differs   bool           `json:"differs"` // something of it would be sent
	Says      []Saying       `json:"says,omitempty"`
	Unsettled bool           `json:"unsettled"`          // what left of it may not have been read yet
	Waiting   int            `json:"waiting,omitempty"`  // promotions that start once the end of others has been read
	Withheld  []catalog.Code `json:"withheld,omitempty"` // why promotions of it can't start
	Held      []string       `json:"held,omitempty"`     // the findings by which the brake keeps it as it was sent
}

// Source is a file of a layer that speaks of the article.
type Source struct {
	Feed   string    `json:"feed"`
	Vendor string    `json:"vendor"` // * where it is of all stores
	Drop   int64     `json:"drop"`
	Name   string    `json:"name"`
	Came   time.Time `json:"came,omitzero"`
	Since  time.Time `json:"since,omitzero"` // it counts since
	State  string    `json:"state"`          // counts; waiting, held: not yet
	Says   []Saying  `json:"says"`
	Wins   []string  `json:"wins"` // the fields that are not hidden by a source above
	Codes  []string  `json:"codes,omitempty"`
	Origin []Origin  `json:"origin,omitempty"` // the rows that it comes from
	Note   string    `json:"note,omitempty"`
}

// Origin is a row of an export, and what became of it.
type Origin struct {
	Drop     int64       `json:"drop"`
	Name     string      `json:"name"`
	Sheet    string      `json:"sheet,omitempty"`
	Row      int         `json:"row"`
	Cells    []Cell      `json:"cells"`
	Steps    []Step      `json:"steps"`
	Rejected bool        `json:"rejected,omitempty"` // the row was not taken: what was said before holds on
	Excluded bool        `json:"excluded,omitempty"` // rules leave it out
	Issues   []IssueText `json:"issues,omitempty"`
}

// Step is one thing that was done to a field.
type Step struct {
	Rule   string `json:"rule"` // the key below the feed's rules; "read" for what the cell was understood as
	Field  string `json:"field"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Cell is a cell that has a say in it.
type Cell struct {
	Cell   string `json:"cell"` // B17
	Header string `json:"header"`
	Role   string `json:"role"`
	Text   string `json:"text"` // as a person sees it
}

// Explain tells for an article where what is wanted of it comes from, cell by cell and rule by rule, what was sent of it, and what is
// known to have become of that. It works beside a running daemon and leaves nothing in the state folder.
func (h *House) Explain(ctx context.Context, a About) (_ Explanation, err error) {
	key, err := h.keyOf(ctx, a)
	if err != nil {
		return Explanation{}, err
	}
	temp, err := os.MkdirTemp("", "gondola-explain-*")
	if err != nil {
		return Explanation{}, fmt.Errorf("make work folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	look := newHouse(h.setup, h.store, h.opts)
	look.files.Scratch = temp
	targets, err := h.targetsAbout(a)
	if err != nil {
		return Explanation{}, err
	}
	e := Explanation{Article: a.Article, Key: key, At: h.now(), Feedback: noFeedback, Stores: []StoreExplanation{}}
	if slices.Contains(h.ways(), outbox.ByAPI) {
		e.Feedback = hasFeedback
	}
	x := &explainer{House: look, about: a, key: key, traces: map[int64][]feed.Trace{}, notes: map[int64]string{}}
	for _, t := range targets {
		s, err := x.store(ctx, t)
		if err != nil {
			return e, fmt.Errorf("explain %s: %w", t, err)
		}
		_, e.At = h.day(t, a)
		e.Stores = append(e.Stores, s)
	}
	return e, nil
}

// explainer explains one article. It reads every export once.
type explainer struct {
	*House
	about  About
	key    string
	traces map[int64][]feed.Trace
	notes  map[int64]string // of drops that can't be read again, why
}

func (x *explainer) store(ctx context.Context, t Target) (s StoreExplanation, err error) {
	_, at := x.day(t, x.about)
	s = StoreExplanation{Vendor: t.Vendor, Kind: t.Kind, Sources: []Source{}, Wanted: []Saying{}}
	if v, ok := x.vendor(t.Vendor); ok {
		s.Name = v.Name
	}
	evidence, err := x.evidence(ctx, t, x.key, x.about)
	if err != nil {
		return s, err
	}
	s.Documents, s.Before = evidence.Documents, evidence.Before
	stack, err := x.wantedAt(ctx, t, at)
	if err != nil {
		return s, err
	}
	wanted, err := x.files.Of(stack, x.key)
	if err != nil {
		return s, err
	}
	s.Wanted = sayingsOf(wanted)
	if err := x.sources(ctx, t, at, &s); err != nil {
		return s, err
	}
	if !x.about.Day.IsZero() {
		return s, nil
	}
	sentStack, err := x.House.store.Sent(ctx, t.String())
	if err != nil {
		return s, err
	}
	sent, err := x.files.Of(sentStack, x.key)
	if err != nil {
		return s, err
	}
	s.Sent = sayingsOf(sent)
	if err := x.refusals(ctx, t, &s); err != nil {
		return s, err
	}
	s.Next, err = x.next(ctx, t)
	return s, err
}

// refusals adds what the platform did not take of the article, and of its promotions.
func (x *explainer) refusals(ctx context.Context, t Target, s *StoreExplanation) error {
	all, err := x.House.store.FeedbackOf(ctx, t.String())
	for _, f := range all {
		if shelf.ItemKey(f.Key) == x.key {
			s.Feedback = append(s.Feedback, FeedbackLine{
				Vendor: f.Vendor, Reason: f.Reason, Job: f.Job, At: f.At, Drop: f.Seq, Sheet: f.Sheet, Row: f.Line,
			})
		}
	}
	return err
}

// sources lists the files of the layers that speak of the article, the topmost first.
func (x *explainer) sources(ctx context.Context, t Target, at time.Time, s *StoreExplanation) error {
	said := map[string]bool{} // fields, and promotions, that a source above speaks of
	if t.holds(catalog.KindCatalog) {
		if err := x.byHand(ctx, t, at, said, s); err != nil {
			return err
		}
	}
	feeds := x.byPriority(t)
	for _, scope := range slices.Backward(t.scopes()) {
		for _, f := range slices.Backward(feeds) {
			stood, err := x.House.store.StoodAt(ctx, f.Name, scope, at)
			if err != nil {
				return err
			}
			for _, file := range slices.Backward(stood) {
				source, ok, err := x.source(ctx, f, file, said)
				if err != nil {
					return err
				}
				if ok {
					s.Sources = append(s.Sources, source)
				}
			}
			if x.about.Day.IsZero() {
				if err := x.pending(ctx, f, scope, s); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// byHand adds what an admin switched off, which lies above every export.
func (x *explainer) byHand(ctx context.Context, t Target, at time.Time, said map[string]bool, s *StoreExplanation) error {
	for _, scope := range slices.Backward(t.scopes()) {
		stood, err := x.House.store.StoodAt(ctx, offFeed, scope, at)
		if err != nil {
			return err
		}
		for _, file := range stood {
			records, err := x.files.Of([]shelf.Digest{file.Digest}, x.key)
			if err != nil {
				return err
			}
			if len(records) == 0 {
				continue
			}
			source := Source{
				Feed: offFeed, Vendor: scope, Name: "switched off by hand", Since: file.Since, State: "counts", Says: sayingsOf(records), Wins: []string{},
				Note: "gondola off --list shows by whom and why, gondola on undoes it",
			}
			if !said["active"] {
				said["active"] = true
				source.Wins = append(source.Wins, "active")
			}
			s.Sources = append(s.Sources, source)
		}
	}
	return nil
}

// source tells what one file of a layer says of the article, false where that is nothing.
func (x *explainer) source(ctx context.Context, f feedSetup, file store.Stood, said map[string]bool) (Source, bool, error) {
	records, err := x.files.Of([]shelf.Digest{file.Digest}, x.key)
	if err != nil || len(records) == 0 {
		return Source{}, false, err
	}
	d, _, err := x.House.store.Drop(ctx, file.Seq)
	if err != nil {
		return Source{}, false, err
	}
	s := Source{
		Feed: f.Name, Vendor: file.Scope, Drop: file.Seq, Name: d.Name, Came: d.FirstSeen, Since: file.Since, State: "counts",
		Says: sayingsOf(records), Wins: []string{},
	}
	for _, r := range records {
		for _, name := range spoken(r) {
			if !said[name] {
				said[name] = true
				s.Wins = append(s.Wins, name)
			}
		}
	}
	if file.Merged {
		s.Note = "this file stands for several exports; it was written anew to keep the layer short"
	}
	if d.Feed == "" {
		s.Note = "put back by " + d.Owner
	}
	s.Origin, err = x.origin(ctx, f, file, records, &s)
	return s, true, err
}

// spoken names what a record speaks of.
func spoken(r shelf.Record) []string {
	if r.Promotion != nil {
		return []string{"promotion " + r.Promotion.Campaign + " " + r.Promotion.Start.String()}
	}
	return (r.Item.Set | r.Item.Blank).Names()
}

// longestSearch is how many exports of a feed are read at most for the row that something comes from.
const longestSearch = 12

// origin finds the rows that a file of a layer has the article from: in its own export, or, where that has no row of it that was taken,
// in the newest one before it that has.
func (x *explainer) origin(ctx context.Context, f feedSetup, file store.Stood, records []shelf.Record, s *Source) ([]Origin, error) {
	earlier, err := x.House.store.StoodBefore(ctx, f.Name, file.Scope, file.Since)
	if err != nil {
		return nil, err
	}
	candidates := []int64{file.Seq}
	for _, other := range earlier {
		if other.Seq >= file.Seq || slices.Contains(candidates, other.Seq) {
			continue
		}
		before, err := x.files.Of([]shelf.Digest{other.Digest}, x.key)
		if err != nil {
			return nil, err
		}
		if agree(before, records) {
			candidates = append(candidates, other.Seq)
		}
	}
	if slices.IndexFunc(records, func(r shelf.Record) bool { return r.Gone == 0 }) < 0 {
		s.Note = join(s.Note, "a full export no longer has it: it is switched off, or ended, for that")
		candidates = candidates[:1]
	}
	var all []Origin
	for i, seq := range candidates {
		rows, taken, note, err := x.rowsIn(ctx, f, seq, file.Scope)
		if err != nil {
			return nil, err
		}
		s.Note = join(s.Note, note)
		if all = append(all, rows...); taken || i == longestSearch {
			break
		}
	}
	return all, nil
}

// agree reports whether what an earlier file says may be where a later one has it from: it speaks of some of the same, and says nothing
// else of it.
func agree(before, records []shelf.Record) bool {
	some := false
	for _, r := range records {
		for _, b := range before {
			if b.Key != r.Key || b.Gone != 0 {
				continue
			}
			if r.Promotion != nil {
				some = true
				continue
			}
			both := b.Item.Set & r.Item.Set
			if b.Item.Differs(r.Item)&both != 0 {
				return false
			}
			some = some || both != 0
		}
	}
	return some
}

// join puts two remarks into one.
func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

// rowsIn returns the rows of a drop about the article in one scope, and whether one of them was taken. note says why there are none.
func (x *explainer) rowsIn(ctx context.Context, f feedSetup, seq int64, scope string) (rows []Origin, taken bool, note string, err error) {
	d, ok, err := x.House.store.Drop(ctx, seq)
	if err != nil || !ok || d.Feed != f.Name { // a rollback has no rows of its own
		return nil, false, "", err
	}
	traces, note, err := x.trace(ctx, f, d)
	if err != nil {
		return nil, false, "", err
	}
	for _, tr := range traces {
		if !slices.Contains(tr.Stores, scope) {
			continue
		}
		o := Origin{
			Drop: seq, Name: d.Name, Sheet: tr.Sheet, Row: tr.Row, Cells: []Cell{}, Steps: []Step{}, Rejected: tr.Record.Rejected,
			Excluded: tr.Excluded,
		}
		for _, c := range tr.Cells {
			o.Cells = append(o.Cells, Cell{Cell: c.Cell, Header: c.Header, Role: string(c.Role), Text: c.Text})
		}
		for _, s := range tr.Steps {
			o.Steps = append(o.Steps, Step(s))
		}
		for _, is := range tr.Issues {
			o.Issues = append(o.Issues, x.words(is))
		}
		taken = taken || !o.Rejected && !o.Excluded
		rows = append(rows, o)
	}
	return rows, taken, note, nil
}

// trace reads an archived drop once more for the rows about the article.
func (x *explainer) trace(ctx context.Context, f feedSetup, d store.Drop) ([]feed.Trace, string, error) {
	if traces, known := x.traces[d.Seq]; known {
		return traces, x.notes[d.Seq], nil
	}
	note, gone := "", true
	switch _, err := os.Stat(d.Archived); {
	case d.Archived == "":
		note = fmt.Sprintf("drop %d is not in the archive any more (retention.drops)", d.Seq)
	case errors.Is(err, os.ErrNotExist):
		note = fmt.Sprintf("drop %d is missing from the archive: gondola verify says what else is", d.Seq)
	case err != nil:
		note = fmt.Sprintf("drop %d can't be read: %v", d.Seq, err)
	case d.Fingerprint != f.fingerprint:
		note, gone = fmt.Sprintf("the feed's config has changed since drop %d was read: the steps are those of today's", d.Seq), false
	default:
		gone = false
	}
	x.notes[d.Seq] = note
	if gone {
		x.traces[d.Seq] = nil
		return nil, note, nil
	}
	wanted := func(it catalog.Item) bool { return it.Key(x.by) == x.key }
	traces, _, err := feed.Explain(ctx, f.spec, d.Archived, correctionOf(d.Name), wanted)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		err, x.notes[d.Seq] = nil, fmt.Sprintf("drop %d can't be read: %v", d.Seq, err)
	}
	x.traces[d.Seq] = traces
	return traces, x.notes[d.Seq], err
}

// pending adds what exports say of the article that don't count yet.
func (x *explainer) pending(ctx context.Context, f feedSetup, scope string, s *StoreExplanation) error {
	files, err := x.House.store.Layer(ctx, f.Name, scope)
	if err != nil {
		return err
	}
	for _, l := range files {
		if l.State != store.LayerNew && l.State != store.LayerHeld {
			continue
		}
		source, ok, err := x.source(ctx, f, store.Stood{Feed: f.Name, Scope: scope, Seq: l.Seq, Digest: l.Digest, Since: x.now()}, map[string]bool{})
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		source.State, source.Since, source.Wins = "waiting", time.Time{}, []string{}
		if l.State == store.LayerHeld {
			source.State = "held"
		}
		for _, is := range l.Findings {
			source.Codes = append(source.Codes, string(is.Code))
		}
		s.Pending = append(s.Pending, source)
	}
	return nil
}

// next plans the article alone: what is wanted and was sent of it, and nothing else, in files of its own.
func (x *explainer) next(ctx context.Context, t Target) (*NextOfArticle, error) {
	due, err := x.House.store.TargetOf(ctx, t.String())
	if err != nil {
		return nil, err
	}
	q, err := x.question(ctx, due, x.stands)
	if err != nil {
		return nil, err
	}
	// The brake looks at a shelf as a whole; what it holds of this article is looked up.
	q.Brake, q.Approved, q.Rejected, q.Catalog = nil, nil, nil, nil
	for _, stack := range []*[]shelf.Digest{&q.Wanted, &q.Sent, &q.Unsettled, &q.Prices} {
		if len(*stack) == 0 {
			continue
		}
		if *stack, err = x.alone(*stack); err != nil {
			return nil, err
		}
	}
	n := &NextOfArticle{}
	unsettled, err := x.files.Of(q.Unsettled, x.key)
	if err != nil {
		return nil, err
	}
	n.Unsettled = len(unsettled) > 0
	q.Parts = 1
	s, err := x.files.Rows(q, func(row, _ shelf.Record, _ bool) error {
		n.Says = append(n.Says, sayingOf(row))
		return nil
	})
	n.Differs, n.Waiting = s.Differs > 0, s.Waiting
	if !n.Differs && !q.Full {
		n.Says = nil
	}
	for code := range s.Withheld {
		n.Withheld = append(n.Withheld, code)
	}
	slices.Sort(n.Withheld)
	if err == nil && n.Differs {
		n.Held, err = x.heldBy(ctx, t)
	}
	return n, err
}

// rejectedRows is what heldBy calls rows that somebody has rejected.
const rejectedRows = "rejected"

// heldBy names the open findings of a target whose rows are, among others, the article's.
func (x *explainer) heldBy(ctx context.Context, t Target) (all []string, err error) {
	open, err := x.House.store.OpenFindings(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range open {
		if f.Target != t.String() || f.Rows == "" {
			continue
		}
		rows, err := x.files.Of([]shelf.Digest{f.Rows}, x.key)
		if err != nil {
			return nil, err
		}
		if len(rows) > 0 {
			all = append(all, findingName(f.ID)+" "+string(f.Code))
		}
	}
	decided, err := x.House.store.Decided(ctx, t.String(), x.now())
	if err != nil || len(decided.Rejected) == 0 {
		return all, err
	}
	rows, err := x.files.Of(decided.Rejected, x.key)
	if len(rows) > 0 {
		all = append(all, rejectedRows)
	}
	return all, err
}

// alone writes what a stack says of the article as a file of its own, beside the state.
func (x *explainer) alone(stack []shelf.Digest) ([]shelf.Digest, error) {
	records, err := x.files.Of(stack, x.key)
	if err != nil {
		return nil, err
	}
	w, err := x.files.Create()
	if err != nil {
		return nil, err
	}
	defer w.Abort()
	for _, r := range records {
		if err := w.Add(r); err != nil {
			return nil, err
		}
	}
	d, err := w.Commit()
	return []shelf.Digest{d}, err
}
