package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

var (
	errTimeOfDay = errors.New("want a time of day from 00:00 to 23:59, such as 09:30, or off")
	errDays      = errors.New("want days of the week, such as mon-fri, or mon,wed,sat")
)

var timeOfDayForm = regexp.MustCompile(`^([01]?[0-9]|2[0-3]):([0-5][0-9])$`)

// ParseTimeOfDay reads what a [TimeOfDay] looks like in the file: 09:30, 9:30 or off.
func ParseTimeOfDay(text string) (TimeOfDay, error) {
	if text == scheduleOff {
		return TimeOfDay{}, nil
	}
	if !timeOfDayForm.MatchString(text) {
		return TimeOfDay{}, errTimeOfDay
	}
	hours, minutes, _ := strings.Cut(text, ":")
	at, err := time.ParseDuration(hours + "h" + minutes + "m")
	if err != nil {
		return TimeOfDay{}, errTimeOfDay
	}
	return TimeOfDay{On: true, At: at}, nil
}

// String returns the time as it would be written in the file.
func (t TimeOfDay) String() string {
	if !t.On {
		return scheduleOff
	}
	return fmt.Sprintf("%02d:%02d", int(t.At.Hours()), int(t.At.Minutes())%60)
}

// weekdays are the names of days in the file, by time.Weekday.
var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// Workdays are Monday to Friday.
func Workdays() Days { return Days{false, true, true, true, true, true, false} }

// ParseDays reads what [Days] look like in the file: names of days and ranges of them, which may go over the end of the week.
func ParseDays(text string) (d Days, err error) {
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(strings.Trim(part, " "), "-")
		from := slices.Index(weekdays, first)
		to := from
		if isRange {
			to = slices.Index(weekdays, last)
		}
		if from < 0 || to < 0 {
			return Days{}, errDays
		}
		for day := from; ; day = (day + 1) % len(weekdays) {
			d[day] = true
			if day == to {
				break
			}
		}
	}
	return d, nil
}

// String returns the days as they would be written in the file: from Monday on, three or more in a row as a range.
func (d Days) String() string {
	var parts []string
	for i := 0; i < len(d); i++ {
		from := i
		for i < len(d) && d[(i+1)%len(d)] {
			i++
		}
		switch name := func(n int) string { return weekdays[(n+1)%len(d)] }; i - from {
		case 0:
		case 1:
			parts = append(parts, name(from))
		case 2:
			parts = append(parts, name(from), name(from+1))
		default:
			parts = append(parts, name(from)+"-"+name(i-1))
		}
	}
	return strings.Join(parts, ",")
}
