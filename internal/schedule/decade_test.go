package schedule

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The zones of the countries in which the platform's brands are, and beside those that change their clocks one for each way of doing
// it. Zones that are the same clock stand in one line.
const platformZones = `
America/Montevideo America/Argentina/Buenos_Aires America/Punta_Arenas America/Asuncion
America/Santiago
America/La_Paz America/Caracas America/Santo_Domingo
America/Lima America/Bogota America/Guayaquil America/Panama
America/Guatemala America/Costa_Rica America/El_Salvador America/Tegucigalpa America/Managua
Pacific/Galapagos Pacific/Easter
Asia/Singapore Asia/Kuala_Lumpur Asia/Manila Asia/Taipei Asia/Hong_Kong
Asia/Bangkok Asia/Phnom_Penh Asia/Vientiane
Asia/Dhaka Asia/Karachi Asia/Yangon
Asia/Riyadh Asia/Kuwait Asia/Qatar Asia/Bahrain Asia/Amman Asia/Baghdad Europe/Istanbul
Asia/Dubai Asia/Muscat
Asia/Beirut Africa/Cairo
Europe/Budapest Europe/Vienna Europe/Stockholm Europe/Oslo Europe/Prague Europe/Madrid Europe/Rome Europe/Warsaw Europe/Copenhagen
Europe/Bucharest Europe/Athens Europe/Kyiv Europe/Helsinki Europe/Sofia Asia/Nicosia
Europe/Lisbon Atlantic/Canary`

// Fifty lines: what people write, and what is awkward about days, hours that are skipped or come twice, and midnight.
var fiftyLines = strings.Split(strings.TrimSpace(`
30 4 * * *
0 0 * * *
1 0 * * *
30 0 * * *
59 0 * * *
0 1 * * *
30 1 * * *
0 2 * * *
15 2 * * *
30 2 * * *
59 2 * * *
0 3 * * *
30 3 * * *
0 4 * * *
0 23 * * *
30 23 * * *
59 23 * * *
0 22,23 * * *
0 0,12 * * *
15,45 0,1 * * *
0,30 2,3 * * *
5 6,14,22 * * *
0 8-9 * * *
30 2 * * 0
30 0 * * 0
0 0 * * 6
30 23 * * 6
0 1 * * 0,6
0 3 * * 1-5
30 2 * * 1
0 0 1 * *
30 2 1 * *
0 12 15 * *
0 0 31 * *
30 1 29 2 *
0 6 28-31 * *
30 2 25-31 3,10 0
30 2 25-31 3,10 *
0 0 5 4 *
0 0 6 9 *
0 0 1 1 *
15 1 1,15 1-12/2 *
0 2 */2 * *
0 3 13 * 5
*/15 6-23 * * *
*/15 * * * *
5 * * * *
0 */2 * * *
0 2,8-20 * * *
10 0-3 * * *`), "\n")

// often tells lines that are due so often that they are compared around every change of the clock, and around a leap day: between two
// changes a clock is a clock.
func often(l line) bool { return len(l.daily) > 1 }

// line is an expression as the oracle reads it, which shares nothing with the implementation.
type line struct {
	minute, hour, day, month, weekday []bool
	anyDay, anyWeekday                bool
	follows                           [24]bool  // hours of at least three in a row
	daily                             []minutes // of a day that matches
}

func readLine(t testing.TB, spec string) line {
	f := strings.Fields(spec)
	l := line{
		minute: readField(t, f[0], 0, 59), hour: readField(t, f[1], 0, 23), day: readField(t, f[2], 1, 31), month: readField(t, f[3], 1, 12),
		weekday: readField(t, f[4], 0, 6), anyDay: f[2][0] == '*', anyWeekday: f[4][0] == '*',
	}
	for first := 0; first < 24; {
		after := first
		for after < 24 && l.hour[after] {
			after++
		}
		for h := first; after-first >= 3 && h < after; h++ {
			l.follows[h] = true
		}
		first = after + 1
	}
	for n := range day {
		if l.hour[n/60] && l.minute[n%60] {
			l.daily = append(l.daily, n)
		}
	}
	return l
}

func readField(t testing.TB, text string, least, most int) []bool {
	set := make([]bool, most+1)
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil || n < least || n > most {
			t.Fatalf("the oracle can't read %q", text)
		}
		return n
	}
	for part := range strings.SplitSeq(text, ",") {
		span, every, stepped := strings.Cut(part, "/")
		from, to := least, most
		if a, b, ranged := strings.Cut(span, "-"); ranged {
			from, to = number(a), number(b)
		} else if span != "*" {
			from, to = number(span), number(span)
		}
		step := 1
		if stepped {
			step = number(every)
		}
		for n := from; n <= to; n += step {
			set[n] = true
		}
	}
	return set
}

func (l line) onDay(wall time.Time) bool {
	day, weekday := l.day[wall.Day()], l.weekday[wall.Weekday()]
	switch {
	case !l.month[wall.Month()]:
		return false
	case l.anyDay, l.anyWeekday:
		return day && weekday
	}
	return day || weekday
}

// minutes are instants, or what a clock on a wall shows, in minutes since 1970.
type minutes = int64

const day minutes = 24 * 60

func (l line) matches(wall minutes) bool {
	at := time.Unix(wall*60, 0).UTC()
	return l.hour[at.Hour()] && l.minute[at.Minute()] && l.onDay(at)
}

// clockRun is a stretch of time in which a clock runs without being set.
type clockRun struct {
	from, to minutes // [from, to)
	ahead    minutes // of UTC
}

// clockOf watches the clock of a zone and notes when it is set. It asks for nothing but what the clock shows.
func clockOf(t testing.TB, zone *time.Location, from, to time.Time) []clockRun {
	shows := func(at minutes) minutes {
		local := time.Unix(at*60, 0).In(zone)
		wall := time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), 0, time.UTC)
		if wall.Second() != 0 {
			t.Fatalf("%s is not at whole minutes", zone)
		}
		return wall.Unix()/60 - at
	}
	begin, end := from.Unix()/60, to.Unix()/60
	all := []clockRun{{from: begin, ahead: shows(begin)}}
	for at := begin; at < end; at += 12 * 60 {
		run := &all[len(all)-1]
		if shows(at+12*60) == run.ahead {
			continue
		}
		low, high := at, at+12*60
		for high-low > 1 {
			if middle := (low + high) / 2; shows(middle) == run.ahead {
				low = middle
			} else {
				high = middle
			}
		}
		run.to = high
		all = append(all, clockRun{from: high, ahead: shows(high)})
	}
	all[len(all)-1].to = end
	return all
}

// around is how long the oracle walks minute by minute before and after a clock is set.
const around = 4 * 60

// due returns when a line is due on a clock, in [from, to), by the package's rule, as somebody would who watches the clock: minute by
// minute around its changes, by the calendar where it only runs.
func (l line) due(clock []clockRun, from, to minutes) []minutes {
	var all []minutes
	for i, run := range clock {
		if run.to < from-around || run.from > to+around {
			continue
		}
		first, last := run.from, run.to
		if i > 0 {
			all = l.watch(all, clock[i-1], run)
			first += around
		}
		if i < len(clock)-1 {
			last -= around
		}
		all = l.calendar(all, run, max(first, from), min(last, to))
	}
	for len(all) > 0 && all[0] < from {
		all = all[1:]
	}
	for len(all) > 0 && all[len(all)-1] >= to {
		all = all[:len(all)-1]
	}
	return all
}

// watch walks over a change of the clock. A slot that follows the clock is due whenever the clock shows it; any other when the clock
// first shows it, or a later time.
func (l line) watch(all []minutes, before, after clockRun) []minutes {
	set := after.from
	shown := set - around + before.ahead - 1
	for at := set - around; at < set+around; at++ {
		wall := at + before.ahead
		if at >= set {
			wall = at + after.ahead
		}
		hit := l.matches(wall) && l.follows[wall%day/60]
		for ; shown < wall; shown++ {
			slot := shown + 1
			hit = hit || l.matches(slot) && !l.follows[slot%day/60]
		}
		if hit {
			all = append(all, at)
		}
	}
	return all
}

// calendar lists the slots of [from, to) while a clock only runs.
func (l line) calendar(all []minutes, run clockRun, from, to minutes) []minutes {
	for midnight := (from + run.ahead) / day * day; midnight < to+run.ahead; midnight += day {
		if !l.onDay(time.Unix(midnight*60, 0).UTC()) {
			continue
		}
		for _, slot := range l.daily {
			if at := midnight + slot - run.ahead; at >= from && at < to {
				all = append(all, at)
			}
		}
	}
	return all
}

// TestFiftyLinesTenYears holds every line in every zone against the oracle, from 2026 to 2035: none missed, none doubled. What is due
// at most once a day is compared day by day through all the years, on one zone for each clock that is set. For one that never is, a leap
// year is enough, and for zones that are the same clock, which the oracle has watched, too, the hours around its changes and a leap day.
func TestFiftyLinesTenYears(t *testing.T) {
	from, to := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC)
	leap := [2]minutes{time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC).Unix() / 60, time.Date(2029, 1, 1, 0, 0, 0, 0, time.UTC).Unix() / 60}
	if len(fiftyLines) != 50 {
		t.Fatalf("%d lines", len(fiftyLines))
	}
	seen := map[string]bool{}
	for _, name := range strings.Fields(platformZones) {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		clock := clockOf(t, zone, from, to)
		first := !seen[fmt.Sprint(clock)]
		seen[fmt.Sprint(clock)] = true
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, spec := range fiftyLines {
				l, s := readLine(t, spec), parse(t, spec, name)
				var spans [][2]minutes
				switch {
				case often(l), !first:
					spans = append(spans, [2]minutes{leap[0] + 57*day, leap[0] + 61*day})
					for _, run := range clock[1:] {
						spans = append(spans, [2]minutes{run.from - 12*60, run.from + 12*60})
					}
				case len(clock) > 1:
					spans = append(spans, [2]minutes{from.Unix() / 60, to.Unix() / 60})
				default:
					spans = append(spans, leap)
				}
				for _, span := range spans {
					compare(t, s, l.due(clock, span[0], span[1]), span)
				}
			}
		})
	}
	if len(seen) < 15 {
		t.Errorf("only %d different clocks", len(seen))
	}
}

func compare(t *testing.T, s Schedule, want []minutes, span [2]minutes) {
	t.Helper()
	i := 0
	for at := range s.Between(time.Unix(span[0]*60-1, 0), time.Unix(span[1]*60-1, 0)) {
		if i == len(want) || at.Unix() != want[i]*60 {
			t.Errorf("%v: run %d is at %v", s, i, at)
			if i < len(want) {
				t.Errorf("want %v", time.Unix(want[i]*60, 0).In(s.zone))
			}
			return
		}
		i++
	}
	if i < len(want) {
		t.Errorf("%v: %d runs, want %d, the first missed one at %v", s, i, len(want), time.Unix(want[i]*60, 0).In(s.zone))
	}
}
