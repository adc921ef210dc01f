// Package schedule knows when: it reads a cron expression and says at which instants it is due in a time zone.
//
// # Slots
//
// A slot is a minute on the wall clock that matches the expression. The promise is that each local slot is due exactly once,
// whatever the clocks do:
//
//   - A slot in the hour that is skipped in spring is due at the first instant after the gap. Several of them, and a slot at that
//     very instant, are one run.
//   - A slot in the hour that is repeated in autumn is due the first time the clock shows it, and not again.
//   - It does not matter at what hour the clock changes (midnight in Chile), by how much (half an hour on Lord Howe Island), or
//     whether the zone gave its summer time up.
//
// # Slots that follow real time
//
// What runs all day long is better off following real time: a "*/15 * * * *" that stands still for the repeated hour leaves sold-out
// articles on sale. So a slot follows real time when its hour is one of at least three hours in a row that the hour field names:
// all of "*/15 * * * *", "5 * * * *" and "*/15 6-23 * * *"; the hours 8 to 20 of "0 2,8-20 * * *", not its 2. Hours are not counted
// across midnight. Such a slot is due whenever the clock shows it: in a repeated hour twice, and not at all in a skipped one, where
// its neighbours are an hour away at most. Three in a row, because of two hours one may be skipped, and nobody expects a list of
// two times to become one.
//
// # Expressions
//
// Five fields (minute, hour, day of month, month, day of week) or @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually.
// As in every cron, when both day fields are restricted either of them suffices. The reading of fields is the cron library's; when
// they are due is not, because it skips and doubles slots where clocks change at midnight.
package schedule

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// lookAhead is the longest time between two slots of any expression: a 29 February can be eight years away, around 2100.
const lookAhead = 8

// valid is what every refusal ends in.
const valid = `write five fields (minute 0-59, hour 0-23, day 1-31, month 1-12, weekday 0-6 with Sunday as 0), ` +
	`such as "*/15 6-23 * * *", or one of @hourly, @daily, @weekly, @monthly, @yearly`

// Schedule is an expression in a time zone. It does not change and may be used by several goroutines. The zero value is never due.
type Schedule struct {
	spec   string
	zone   *time.Location
	fields fields
}

// Parse reads an expression. The error says what is wrong with it and what is valid. Refused, besides what is no cron expression:
// a time zone in front (the zone is an argument), a seconds field, @every and @reboot (they know no wall clock), and expressions
// that are never due.
func Parse(spec string, zone *time.Location) (Schedule, error) {
	if zone == nil {
		return Schedule{}, errors.New("parse schedule: no time zone")
	}
	spec = strings.Join(strings.Fields(spec), " ")
	if why := refuse(spec); why != "" {
		return Schedule{}, fmt.Errorf("schedule %q: %s: %s", spec, why, valid)
	}
	parsed, err := parseFields(spec)
	if err != nil {
		return Schedule{}, fmt.Errorf("schedule %q: %w: %s", spec, err, valid)
	}
	f := newFields(parsed)
	// Any eight years with a 29 February tell, because month and day are all that can contradict each other.
	from := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	if _, ok := f.next(from, from.AddDate(lookAhead, 0, 0)); !ok {
		return Schedule{}, fmt.Errorf("schedule %q: no calendar has such a day, it is never due: %s", spec, valid)
	}
	return Schedule{spec: spec, zone: zone, fields: f}, nil
}

// refuse names what the library takes, or stumbles over, and we don't take. "" = nothing.
func refuse(spec string) string {
	words := strings.Fields(spec)
	switch {
	case len(words) == 0:
		return "it is empty"
	case strings.HasPrefix(spec, "TZ=") || strings.HasPrefix(spec, "CRON_TZ="):
		return "the time zone comes from the store or the chain, not from the expression"
	case strings.HasPrefix(spec, "@every"):
		return "@every counts from the start of the process, not by the clock"
	case strings.HasPrefix(spec, "@reboot"):
		return "@reboot is not a time"
	case strings.HasPrefix(spec, "@"):
		return ""
	case len(words) == 6:
		return "it has six fields, seconds are not supported"
	case len(words) == 1:
		return "it has 1 field"
	case len(words) != 5:
		return fmt.Sprintf("it has %d fields", len(words))
	case strings.Contains(spec, "*-") || strings.Contains(spec, "?-"):
		return "a range can't begin with a star" // the library would take it for the star alone
	}
	return ""
}

// parseFields calls the library's parser. It is known to panic on some input; that must not end a daemon.
func parseFields(spec string) (parsed *cron.SpecSchedule, err error) {
	defer func() {
		if r := recover(); r != nil {
			parsed, err = nil, fmt.Errorf("not a cron expression (%v)", r)
		}
	}()
	got, err := cron.ParseStandard(spec)
	if err != nil {
		return nil, err
	}
	parsed, ok := got.(*cron.SpecSchedule)
	if !ok {
		return nil, errors.New("not a time of day")
	}
	return parsed, nil
}

// String returns the expression and the zone, for people.
func (s Schedule) String() string {
	if s.zone == nil {
		return "never"
	}
	return s.spec + " " + s.zone.String()
}

// Next returns the first instant strictly after the given one at which the schedule is due, in the schedule's zone. Only the zero
// Schedule has none; it returns the zero time.
func (s Schedule) Next(after time.Time) time.Time {
	if s.zone == nil {
		return time.Time{}
	}
	// One missed 29 February more than the longest wait: a zone may skip just that slot.
	limit := after.AddDate(2*lookAhead, 0, 0)
	for at := after; !at.After(limit); {
		p := periodAt(at, s.zone)
		if t, ok := s.within(p, after, limit); ok {
			return t
		}
		if p.end.IsZero() {
			break
		}
		at = p.end
	}
	return time.Time{}
}

// Last returns the latest instant in (since, now] at which the schedule was due: however many were missed, they are one run, with the
// newest slot. It returns false when there was none.
func (s Schedule) Last(now, since time.Time) (time.Time, bool) {
	// Look at growing stretches before now: after a year's pause nobody wants to count through a year of quarter hours.
	longest := now.AddDate(-2*lookAhead, 0, 0)
	for span := time.Hour; ; span *= 4 {
		from := now.Add(-span)
		if from.Before(longest) {
			from = longest
		}
		if from.Before(since) {
			from = since
		}
		var last time.Time
		for t := range s.Between(from, now) {
			last = t
		}
		if !last.IsZero() {
			return last, true
		}
		if !from.After(since) || !from.After(longest) {
			return time.Time{}, false
		}
	}
}

// Between yields every instant in (from, to] at which the schedule is due, in order.
func (s Schedule) Between(from, to time.Time) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		for t := s.Next(from); !t.IsZero() && !t.After(to); t = s.Next(t) {
			if !yield(t) {
				return
			}
		}
	}
}
