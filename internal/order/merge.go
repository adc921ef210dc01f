package order

import (
	"maps"
	"slices"
	"strings"
	"time"

	"gondola/internal/platform"
)

// Change is what one sighting changed. The zero value is nothing.
type Change struct {
	Row      bool                // the order itself
	Body     bool                // the body of Stored.Bodies[State] is the one just seen
	State    platform.OrderState // as it was seen, folded
	Sighting *Sighting           // new, or with a time that it did not have
	Due      []Due               // new hand-overs, in the order in which they are made, and those that were not begun and have another cart
}

// Any reports whether anything changed.
func (c Change) Any() bool { return c.Row || c.Body || c.Sighting != nil || len(c.Due) > 0 }

// Merge adds what was seen to what is known of an order. It changes neither of them.
//
// Whatever the order in which the same things are seen, and however often, the state, what it reached and the states that are owed come
// out the same.
func Merge(was Stored, seen Seen, rules Rules) (Stored, Change) {
	m := merge{was: was, now: was, o: seen.Order, by: seen.By, at: exact(seen.At), rules: rules, digest: Digest(seen.Order)}
	m.o.State, m.o.Created, m.o.Updated = fold(m.o.State), exact(m.o.Created), exact(m.o.Updated)
	m.now.Bodies, m.now.Owed, m.now.Sightings = maps.Clone(was.Bodies), maps.Clone(was.Owed), slices.Clone(was.Sightings)

	m.newest = m.newer(was.Cart)
	body, ok := was.Bodies[m.o.State]
	m.fresh = !ok || m.newer(body)
	// A body that was there and is not kept is taken again, unless it was removed on purpose.
	again := body.Gone && len(m.o.Raw) > 0 && was.Purged.IsZero() && body.Digest == m.digest && !m.o.Updated.Before(body.Updated)
	m.body = m.fresh || again

	m.sight()
	m.describe()
	m.move()
	m.keep()
	m.owe()
	return m.finish()
}

// merge is one call of Merge.
type merge struct {
	was, now Stored
	o        platform.Order // with its state folded, and times as the database keeps them
	by       Source
	at       time.Time
	rules    Rules
	digest   string

	newest bool // its body is newer than all others
	fresh  bool // its body is newer than the others in its state
	body   bool // its body is kept
	change Change
}

// newer reports whether the body that was seen is newer than another one. Two clocks are never compared: only the platform's own times,
// where both bodies have one. Where that decides nothing the later state is the newer one; in the same state a cart that was not seen
// before is, so that nothing which is told again counts as new.
func (m *merge) newer(than Cart) bool {
	if than == (Cart{}) {
		return true
	}
	if has, had := len(m.o.Items) > 0, m.was.Items > 0; has != had && m.o.State == than.State && m.o.State == m.was.Cart.State {
		return has // whether lists have all of an order is [unknown]; what is not in the bag is listed all the same [doc]
	}
	if !m.o.Updated.IsZero() && !than.Updated.IsZero() && !m.o.Updated.Equal(than.Updated) {
		return m.o.Updated.After(than.Updated)
	}
	if m.o.State != than.State {
		return place(m.o.State) > place(than.State)
	}
	return m.digest != than.Digest && !slices.ContainsFunc(m.was.Sightings, func(s Sighting) bool {
		return s.State == m.o.State && s.Digest == m.digest
	})
}

// place is where a state comes: those that are not known before all others, cancelled at last.
func place(s platform.OrderState) int {
	if s == platform.StateCancelled {
		return len(Lifecycle()) + 1
	}
	return rank(s)
}

// describe takes over what the body says of the order. An older body only fills what no other one said.
func (m *merge) describe() {
	n := &m.now
	said := func(field *string, value string) {
		if value != "" && (m.newest || *field == "") {
			*field = value
		}
	}
	if n.ID == "" {
		n.ID = m.o.ID
	}
	said(&n.ExternalID, m.o.ExternalID)
	said(&n.Code, m.o.Code)
	// The store is known for good once the config has it: we ask by store, and what the platform calls it itself may be another name.
	if v := m.rules.vendor(m.o); m.rules.listed(v) && !m.rules.listed(n.Vendor) {
		n.Vendor = v
	} else if m.rules.listed(v) || !m.rules.listed(n.Vendor) {
		said(&n.Vendor, v)
	}
	said(&n.Partner, m.o.Partner)
	said(&n.Type, m.o.Type)
	said(&n.Transport, m.o.Transport)
	said(&n.Reason, m.o.CancelReason)
	if n.Created.IsZero() {
		n.Created = m.o.Created
	}
	n.Updated = later(n.Updated, m.o.Updated)
	if m.newest {
		n.Cart = Cart{State: m.o.State, Updated: m.o.Updated, Digest: m.digest}
		n.Preorder, n.Total, n.Items = m.o.Preorder, m.o.Payment.Total, len(m.o.Items)
	}
}

// move moves the state forward. A state that is not known moves nothing.
func (m *merge) move() {
	n := &m.now
	n.Strange, n.Contradiction = strange(n.Sightings), contradicts(n.Sightings)
	switch s := m.o.State; {
	case s == platform.StateCancelled:
		n.State = s
	case rank(s) > rank(n.Reached):
		n.Reached = s
		if n.State != platform.StateCancelled {
			n.State = s
		}
	}
}

// strange returns the newest state that is not known.
func strange(all []Sighting) platform.OrderState {
	var newest Sighting
	for _, s := range all {
		if Known(s.State) || newest.State != "" && s.Updated.Before(newest.Updated) {
			continue
		}
		if newest.State == "" || s.Updated.After(newest.Updated) || s.State < newest.State {
			newest = s
		}
	}
	return newest.State
}

// keep keeps the body.
func (m *merge) keep() {
	if !m.body {
		return
	}
	if m.now.Bodies == nil {
		m.now.Bodies = map[platform.OrderState]Cart{}
	}
	m.now.Bodies[m.o.State] = Cart{State: m.o.State, Updated: m.o.Updated, Digest: m.digest, Gone: len(m.o.Raw) == 0}
	m.change.Body = true
}

// sight notes the way in which it was told.
func (m *merge) sight() {
	s := Sighting{State: m.o.State, By: m.by, Digest: m.digest, At: m.at, Updated: m.o.Updated}
	i := slices.IndexFunc(m.now.Sightings, func(o Sighting) bool { return o.State == s.State && o.By == s.By && o.Digest == s.Digest })
	if i < 0 {
		m.now.Sightings = append(m.now.Sightings, s)
		m.change.Sighting = &s
		return
	}
	have := m.now.Sightings[i]
	s.Updated = later(have.Updated, s.Updated)
	if s.At.After(have.At) {
		s.At = have.At
	}
	if !s.At.Equal(have.At) || !s.Updated.Equal(have.Updated) {
		m.now.Sightings[i] = s
		m.change.Sighting = &s
	}
}

// contradicts reports whether the platform went on with an order after its cancellation. A cancellation may come after any state, and
// older news may come late; an order that is picked up or delivered, and not surely before it was cancelled, needs a person.
func contradicts(all []Sighting) bool {
	var cancelled bool
	var at time.Time
	for _, s := range all {
		if s.State == platform.StateCancelled {
			cancelled, at = true, later(at, s.Updated)
		}
	}
	return cancelled && slices.ContainsFunc(all, func(s Sighting) bool {
		if rank(s.State) == 0 {
			return false
		}
		if at.IsZero() || s.Updated.IsZero() {
			return Final(s.State)
		}
		return s.Updated.After(at) || Final(s.State) && s.Updated.Equal(at)
	})
}

// owe finds what the ERP is owed now and was not before.
func (m *merge) owe() {
	if !m.rules.listed(m.now.Vendor) {
		return
	}
	was := m.was
	if !m.rules.listed(was.Vendor) && !strings.EqualFold(was.Vendor, m.now.Vendor) && !strings.EqualFold(was.Partner, m.now.Vendor) {
		was.State, was.Reached = "", "" // nothing could be owed as long as nobody knew whose order it is
	}
	if m.now.Owed == nil {
		m.now.Owed = map[platform.OrderState]Due{}
	}
	for _, asked := range m.rules.asked() {
		last, ever := m.now.Owed[asked]
		switch {
		case ever:
			m.revise(last)
		case asked == platform.StateCancelled && was.State != asked && m.now.State == asked,
			rank(asked) > rank(was.Reached) && rank(asked) <= rank(m.now.Reached):
			m.add(Due{Asked: asked, Seen: m.now.State, Skipped: m.now.State != asked, Revision: 1, Digest: m.now.Bodies[m.now.State].Digest})
		}
	}
}

// revise looks whether a hand-over has become another one. What is not in a file yet just says the newest; what is gets a revision, as
// long as the order is still in the state that it told of.
func (m *merge) revise(last Due) {
	if !m.fresh || last.Seen != m.o.State || last.Digest == m.digest {
		return
	}
	next := last
	next.Digest = m.digest
	if last.Begun {
		if !m.rules.OnChange || m.now.State != last.Seen {
			return
		}
		next.Revision, next.Begun = last.Revision+1, false
	}
	m.add(next)
}

func (m *merge) add(d Due) {
	m.now.Owed[d.Asked] = d
	m.change.Due = append(m.change.Due, d)
}

// finish says what is different, and since when.
func (m *merge) finish() (Stored, Change) {
	c, n := m.change, &m.now
	c.State = m.o.State
	moved := n.Head != m.was.Head || m.fresh
	if !moved && !m.body && c.Sighting == nil && len(c.Due) == 0 {
		return m.was, Change{State: c.State}
	}
	if n.First.IsZero() || m.at.Before(n.First) {
		n.First = m.at
	}
	if moved {
		n.Changed = later(n.Changed, m.at)
	}
	if m.fresh {
		n.Purged = time.Time{} // what is kept of it from now on is kept as long as that of any other
	}
	c.Row = n.Head != m.was.Head
	return m.now, c
}

// exact is a time as the database keeps it, so that times can be compared as values.
func exact(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Millisecond)
}

// later returns the later one of two times.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
