package shelf

import (
	"errors"
	"slices"

	"gondola/internal/catalog"
)

// AuditFinding is how what the platform has differs from what it was sent.
type AuditFinding string

// The findings.
const (
	AuditUnknown AuditFinding = "unknown" // it was sent, and the store's catalogue at the platform does not have it
	AuditUnsent  AuditFinding = "unsent"  // the platform has it, and nothing was ever sent of it
	AuditDrifted AuditFinding = "drifted" // the platform says something else than it was sent
)

// AuditQuestion is what is compared: the articles that a store has at the platform with what it was sent.
type AuditQuestion struct {
	There []Digest // a record file of what the platform has
	Sent  []Digest // the stack of what it was sent, the lowest first
	// Unread is what began to leave and may not have been read when the platform was asked. Nothing is said of its articles.
	Unread []Digest
}

// Audited is an article that differs.
type Audited struct {
	Key         string
	Finding     AuditFinding
	Fields      catalog.Fields // of a drifted one, those that differ
	Sent, There catalog.Item
}

// AuditCounts sums up an audit. An article with two fields that differ counts in both.
type AuditCounts struct {
	There    int `json:"at_platform"`
	Sent     int `json:"sent"` // those that were taken off the shelf for good not included
	Same     int `json:"same"`
	Unknown  int `json:"unknown"`
	Unsent   int `json:"unsent"`
	Drifted  int `json:"drifted"`
	Price    int `json:"price"`
	State    int `json:"state"`
	MaxSales int `json:"max_sales"`
	Unread   int `json:"unread"`         // what was sent of them may not have been read yet
	Odd      int `json:"odd,omitempty"`  // articles that the platform has without what identifies them here
	Size     int `json:"size,omitempty"` // pages, or bytes of the file, that were read
}

// Audit compares what the platform has with what it was sent, and calls fn for every article that differs, in the order of keys.
//
// Only what was sent can drift. A quantity is not kept by the platform, which only decides by it whether the article is on [doc], with a
// threshold that nobody here knows; so the state is compared where a state was sent, and not where a quantity was. A field that the
// platform does not tell is not compared. Memory does not depend on the number of articles.
func (f Files) Audit(q AuditQuestion, fn func(Audited) error) (c AuditCounts, err error) {
	sent, err := f.Overlay(q.Sent)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, sent.Close()) }()
	there, err := f.Overlay(q.There)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, there.Close()) }()
	unread, err := f.Overlay(slices.Clone(q.Unread))
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, unread.Close()) }()

	a := auditor{sent: sent, there: there, unread: unread, counts: &c, tell: fn}
	sent.Next()
	there.Next()
	unread.Next()
	for err == nil && (sent.current.Key != "" || there.current.Key != "") {
		err = a.step()
	}
	return c, errors.Join(err, sent.Err(), there.Err(), unread.Err())
}

// auditor walks the three side by side.
type auditor struct {
	sent, there, unread *Overlay
	counts              *AuditCounts
	tell                func(Audited) error
}

// step looks at the next article of either side.
func (a *auditor) step() error {
	key := a.sent.current.Key
	if k := a.there.current.Key; key == "" || k != "" && k < key {
		key = k
	}
	one := Audited{Key: key}
	isSent, isThere := a.sent.current.Key == key, a.there.current.Key == key
	var gone bool
	if isSent {
		one.Sent, gone = a.sent.current.Item, a.sent.current.Gone != 0
		// One file may hold promotions, too: they are no articles.
		if isPromotion([]byte(key)) {
			a.sent.Next()
			return nil
		}
		a.sent.Next()
	}
	if isThere {
		one.There = a.there.current.Item
		a.there.Next()
		a.counts.There++
	}
	if isSent && (!gone || isThere) {
		a.counts.Sent++
	}
	switch {
	case a.isUnread(key):
		a.counts.Unread++
		return nil
	case isSent && !isThere && gone: // it was switched off, and is not even there any more
		return nil
	case isSent && !isThere:
		one.Finding = AuditUnknown
		a.counts.Unknown++
	case !isSent:
		one.Finding = AuditUnsent
		a.counts.Unsent++
	default:
		if one.Fields = drift(one.Sent, one.There); one.Fields == 0 {
			a.counts.Same++
			return nil
		}
		one.Finding = AuditDrifted
		a.count(one.Fields)
	}
	return a.tell(one)
}

// isUnread reports whether something of an article may not have been read yet. Keys come in order.
func (a *auditor) isUnread(key string) bool {
	for a.unread.current.Key != "" && a.unread.current.Key < key {
		a.unread.Next()
	}
	return a.unread.current.Key == key
}

func (a *auditor) count(fields catalog.Fields) {
	a.counts.Drifted++
	if fields.Has(catalog.Price) {
		a.counts.Price++
	}
	if fields.Has(catalog.Active) {
		a.counts.State++
	}
	if fields.Has(catalog.MaxSales) {
		a.counts.MaxSales++
	}
}

// drift returns the fields that were sent and that the platform says otherwise.
func drift(sent, there catalog.Item) catalog.Fields {
	const kept = catalog.Price | catalog.Active | catalog.MaxSales
	both := sent.Set & there.Set & kept
	// What was sent beside a quantity may have been decided by the quantity.
	if sent.Set.Has(catalog.Quantity) {
		both &^= catalog.Active
	}
	sent.Set &= both
	return sent.Differs(there)
}

// Stock writes what one source has of one store as a record file, as it is: the rows of a sorted export, or none at all.
func (f Files) Stock(rows *Rows) (_ Digest, n int, err error) {
	w, err := f.Create()
	if err != nil {
		return "", 0, err
	}
	defer w.Abort()
	if rows != nil {
		for {
			row, ok := rows.next()
			if !ok {
				break
			}
			if err := w.Add(row.Record); err != nil {
				return "", 0, err
			}
		}
		if rows.m.err != nil {
			return "", 0, rows.m.err
		}
	}
	d, err := w.Commit()
	return d, w.Rows(), err
}
