package alert

import "time"

// remindWithin is how long after its time of day a reminder is still given: somebody is there then. What could not be said until then,
// because this machine was off, is said the next day and not at night.
const remindWithin = 8 * time.Hour

// Daily is the time of day at which what still stands is said again. The zero Daily is never.
type Daily struct {
	On   bool
	At   time.Duration  // since midnight, by the clock on the wall
	Zone *time.Location // whose clock it is; nil is UTC
}

// due reports whether it is time to remind who was last told something at last: on a day on which nothing was said yet. By days and not
// by hours, because days have 23 and 25 of them, and because who was told at half past eight needs no reminder at nine.
func (d Daily) due(last, now time.Time) bool {
	if !d.On {
		return false
	}
	zone := d.Zone
	if zone == nil {
		zone = time.UTC
	}
	now = now.In(zone)
	year, month, day := now.Date()
	if y, m, d := last.In(zone).Date(); y == year && m == month && d == day {
		return false
	}
	at := time.Date(year, month, day, 0, int(d.At/time.Minute), 0, 0, zone)
	return !now.Before(at) && now.Sub(at) < remindWithin
}
