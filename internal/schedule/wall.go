package schedule

import (
	"time"

	"github.com/robfig/cron/v3"
)

// Wall-clock times are time.Time values in UTC that show what the clock on the wall shows. Arithmetic on them knows no clock change.

// star marks a field that was written as a star, in the library's bit sets.
const star = 1 << 63

// inARow is how many hours in a row make slots follow real time; see the package comment.
const inARow = 3

// fields are the bit sets of an expression: bit n is set when the value n matches.
type fields struct {
	minute, hour, day, month, weekday uint64
	running                           uint64 // hours whose slots follow real time
}

func newFields(c *cron.SpecSchedule) fields {
	f := fields{minute: c.Minute, hour: c.Hour, day: c.Dom, month: c.Month, weekday: c.Dow}
	for h := 0; h+inARow <= 24; h++ {
		row := uint64(1<<inARow-1) << h
		if f.hour&row == row {
			f.running |= row
		}
	}
	return f
}

// next returns the first matching wall time in [from, until). from is a whole minute.
func (f fields) next(from, until time.Time) (time.Time, bool) {
	for w := from; w.Before(until); {
		year, month, day := w.Date()
		switch {
		case f.month&(1<<month) == 0:
			w = time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC)
		case !f.matchesDay(w):
			w = time.Date(year, month, day+1, 0, 0, 0, 0, time.UTC)
		case f.hour&(1<<w.Hour()) == 0:
			w = w.Truncate(time.Hour).Add(time.Hour)
		case f.minute&(1<<w.Minute()) == 0:
			w = w.Add(time.Minute)
		default:
			return w, true
		}
	}
	return time.Time{}, false
}

// matchesDay applies cron's oldest rule: with both day fields restricted, one of them suffices.
func (f fields) matchesDay(w time.Time) bool {
	day := f.day&(1<<w.Day()) != 0
	weekday := f.weekday&(1<<w.Weekday()) != 0
	if f.day&star != 0 || f.weekday&star != 0 {
		return day && weekday
	}
	return day || weekday
}

// follows reports whether the slot at w follows real time.
func (f fields) follows(w time.Time) bool { return f.running&(1<<w.Hour()) != 0 }

// period is a stretch of time in which a zone's clock runs without a jump.
type period struct {
	zone       *time.Location
	start, end time.Time     // [start, end); zero = unbounded
	offset     time.Duration // wall time minus UTC
	before     time.Duration // the offset up to start
}

func periodAt(t time.Time, zone *time.Location) period {
	t = t.In(zone)
	p := period{zone: zone, offset: offsetAt(t)}
	p.start, p.end = t.ZoneBounds()
	// Past the table of changes, where a rule is extended, the library takes every year for 365 days long: on the last day of a leap
	// year the end that it reports is over. An hour is a safe step: a period may be looked at in pieces.
	if !p.end.IsZero() && !p.end.After(t) {
		p.end = t.Add(time.Hour)
	}
	p.before = p.offset
	if !p.start.IsZero() {
		p.before = offsetAt(p.start.Add(-1).In(zone))
	}
	return p
}

func offsetAt(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}

func (p period) wall(t time.Time) time.Time    { return t.UTC().Add(p.offset) }
func (p period) instant(w time.Time) time.Time { return w.Add(-p.offset).In(p.zone) }

// within returns the first instant of p strictly after the given one at which s is due. Nothing is looked for past limit.
func (s Schedule) within(p period, after, limit time.Time) (time.Time, bool) {
	from := p.wall(after).Truncate(time.Minute).Add(time.Minute)
	// shown is the wall time up to which the period before has shown everything already.
	var shown time.Time
	if !p.start.IsZero() {
		shown = p.start.UTC().Add(p.before)
		if p.start.After(after) {
			if s.skipped(shown, p.wall(p.start)) {
				return p.start.In(p.zone), true
			}
			from = ceilMinute(p.wall(p.start))
		}
	}
	until := p.wall(limit)
	if !p.end.IsZero() && p.end.Before(limit) {
		until = p.wall(p.end)
	}
	for {
		w, ok := s.fields.next(from, until)
		if !ok {
			return time.Time{}, false
		}
		if s.fields.follows(w) || !w.Before(shown) {
			return p.instant(w), true
		}
		from = w.Add(time.Minute) // a repeated slot
	}
}

// skipped reports whether the wall clock jumped over a slot, from to until, that must be made up for.
func (s Schedule) skipped(from, until time.Time) bool {
	from = ceilMinute(from)
	for {
		w, ok := s.fields.next(from, until)
		if !ok {
			return false
		}
		if !s.fields.follows(w) {
			return true
		}
		from = w.Add(time.Minute)
	}
}

func ceilMinute(w time.Time) time.Time {
	if down := w.Truncate(time.Minute); !down.Equal(w) {
		return down.Add(time.Minute)
	}
	return w
}
