package catalog

import (
	"fmt"
	"time"
)

// Wall is a moment as the clock on a store's wall shows it, in seconds since its 1970-01-01 00:00:00. It has no zone: promotions begin
// and end in the local time of each store, so one row for stores of two zones means two moments. The zero value means no time.
type Wall int64

// wallForm is how the platform writes and reads a Wall [doc].
const wallForm = "2006-01-02 15:04:05"

// WallOf returns what a clock in t's location shows at t.
func WallOf(t time.Time) Wall {
	_, offset := t.Zone()
	return Wall(t.Unix() + int64(offset))
}

// WallAt returns the moment of a date and a time of day. It does not look whether that date exists.
func WallAt(year, month, day, hour, minute, second int) Wall {
	return Wall(time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC).Unix())
}

// ParseWall reads what String wrote.
func ParseWall(text string) (Wall, error) {
	t, err := time.Parse(wallForm, text)
	if err != nil {
		return 0, fmt.Errorf("parse local time %q: want YYYY-MM-DD HH:MM:SS", text)
	}
	return Wall(t.Unix()), nil
}

// String returns the moment as 2026-05-08 23:59:59.
func (w Wall) String() string { return time.Unix(int64(w), 0).UTC().Format(wallForm) }

// Day returns the day since 1970-01-01 that the moment lies in.
func (w Wall) Day() int32 {
	const day = 24 * 60 * 60
	d := w / day
	if w%day < 0 {
		d--
	}
	return int32(d) //nolint:gosec // a day of any year that a clock shows fits
}
