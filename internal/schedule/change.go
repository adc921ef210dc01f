package schedule

import "time"

// Change is an instant at which a zone's clock is set.
type Change struct {
	At            time.Time     // the first instant of the new time, in the zone
	Before, After time.Duration // what the clock on the wall is ahead of UTC
}

// Shown returns what the clock on the wall would have shown at the change, and what it shows, both as if they were UTC.
func (c Change) Shown() (was, is time.Time) {
	return c.At.UTC().Add(c.Before), c.At.UTC().Add(c.After)
}

// Changes returns the changes of a zone's clock in (from, to], in order.
func Changes(zone *time.Location, from, to time.Time) []Change {
	var all []Change
	for p := periodAt(from, zone); !p.end.IsZero() && !p.end.After(to); {
		next := periodAt(p.end, zone)
		// A zone may change its name alone.
		if next.offset != p.offset {
			all = append(all, Change{At: p.end.In(zone), Before: p.offset, After: next.offset})
		}
		p = next
	}
	return all
}

// Slot is a slot that a change of the clock skips or repeats.
type Slot struct {
	Wall time.Time   // what the clock shows, as if it were UTC
	Runs []time.Time // when it is due: not at all, once or twice
}

// Around returns what becomes of the slots that a change of the clock skips or repeats.
func (s Schedule) Around(c Change) []Slot {
	if s.zone == nil {
		return nil
	}
	from, until := c.Shown()
	repeated := until.Before(from)
	if repeated {
		from, until = until, from
	}
	var all []Slot
	for w := ceilMinute(from); ; w = w.Add(time.Minute) {
		var ok bool
		if w, ok = s.fields.next(w, until); !ok {
			return all
		}
		slot := Slot{Wall: w}
		switch follows := s.fields.follows(w); {
		case repeated && follows:
			slot.Runs = []time.Time{w.Add(-c.Before).In(s.zone), w.Add(-c.After).In(s.zone)}
		case repeated:
			slot.Runs = []time.Time{w.Add(-c.Before).In(s.zone)}
		case !follows:
			slot.Runs = []time.Time{c.At}
		}
		all = append(all, slot)
	}
}
