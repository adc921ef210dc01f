package schedule

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // machines without zone files must run the same table

	"github.com/google/go-cmp/cmp"
)

const stamp = "2006-01-02T15:04Z"

// slotCase is one case of testdata/slots.txt.
type slotCase struct {
	zone, spec string
	from, to   time.Time
	want       []string
}

func TestSlotTable(t *testing.T) {
	cases := readCases(t, "testdata/slots.txt")
	if len(cases) < 25 {
		t.Fatalf("the table has %d cases only", len(cases))
	}
	for _, c := range cases {
		t.Run(c.zone+" "+c.spec+" "+c.from.Format("2006"), func(t *testing.T) {
			s := parse(t, c.spec, c.zone)
			var got []string
			for at := range s.Between(c.from, c.to) {
				if at.Location().String() != c.zone {
					t.Errorf("%v is not in the schedule's zone", at)
				}
				got = append(got, at.UTC().Format(stamp)+" "+at.Format("2006-01-02 15:04"))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("due (-want +got):\n%s", diff)
			}
		})
	}
}

func readCases(t testing.TB, path string) []slotCase {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var cases []slotCase
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		switch head := strings.Split(line, " | "); {
		case line == "" || strings.HasPrefix(line, "#"):
		case len(head) == 4:
			cases = append(cases, slotCase{zone: head[0], spec: head[1], from: instant(t, head[2]), to: instant(t, head[3])})
		case len(cases) == 0:
			t.Fatalf("%s: %q belongs to no case", path, line)
		default:
			c := &cases[len(cases)-1]
			c.want = append(c.want, line)
		}
	}
	return cases
}

func TestParseRefuses(t *testing.T) {
	for spec, word := range map[string]string{
		"":                                "empty",
		"   ":                             "empty",
		"TZ=America/Lima 0 4 * * *":       "time zone comes from",
		" CRON_TZ=UTC 0 4 * * *":          "time zone comes from",
		"TZ=":                             "time zone comes from",
		"@every 10m":                      "@every counts",
		"@reboot":                         "@reboot is not a time",
		"@fortnightly":                    "@fortnightly",
		"0 0 4 * * *":                     "seconds are not supported",
		"0 4 * *":                         "4 fields",
		"0":                               "it has 1 field:",
		"0 4 31 2 *":                      "never due",
		"0 4 30,31 2 *":                   "never due",
		"0 4 31 4,6,9,11 *":               "never due",
		", 4 * * *":                       "never due",
		"60 * * * *":                      "60",
		"* 24 * * *":                      "24",
		"0 4 * * 7":                       "Sunday as 0",
		"0 4 0 * *":                       "below minimum",
		"0 4 * * *-3":                     "range can't begin with a star",
		"*/0 * * * *":                     "step",
		"a b c d e":                       "a",
		"0 4 * * MO":                      "MO",
		"-1 * * * *":                      "-1",
		"99999999999999999999999 * * * *": "99999999999999999999999",
	} {
		_, err := Parse(spec, time.UTC)
		if err == nil {
			t.Errorf("Parse(%q) took it", spec)
			continue
		}
		if !strings.Contains(err.Error(), word) || !strings.Contains(err.Error(), "write five fields") {
			t.Errorf("Parse(%q): %v: want %q and what is valid", spec, err, word)
		}
	}
	if _, err := Parse("0 4 * * *", nil); err == nil {
		t.Error("Parse took no zone")
	}
}

func TestParseTakes(t *testing.T) {
	from := instant(t, "2026-11-21T10:07Z") // a Saturday
	for spec, want := range map[string]string{
		"*/15 6-23 * * *":   "2026-11-21T10:15Z",
		"0 4 29 2 *":        "2028-02-29T04:00Z",
		"  0   4 * *\tSUN ": "2026-11-22T04:00Z",
		"0 4 31 2 1":        "2027-02-01T04:00Z", // the weekday suffices
		"0 4 * dec ?":       "2026-12-01T04:00Z",
		"@hourly":           "2026-11-21T11:00Z",
		"@daily":            "2026-11-22T00:00Z",
		"@midnight":         "2026-11-22T00:00Z",
		"@weekly":           "2026-11-22T00:00Z",
		"@monthly":          "2026-12-01T00:00Z",
		"@yearly":           "2027-01-01T00:00Z",
		"@annually":         "2027-01-01T00:00Z",
	} {
		s, err := Parse(spec, time.UTC)
		if err != nil {
			t.Errorf("Parse(%q): %v", spec, err)
			continue
		}
		if got := s.Next(from).Format(stamp); got != want {
			t.Errorf("%q after %s: %s, want %s", spec, from.Format(stamp), got, want)
		}
	}
}

func TestNextIsStrictlyAfterToTheNanosecond(t *testing.T) {
	s := parse(t, "0 4 * * *", "UTC")
	four := instant(t, "2026-11-21T04:00Z")
	for _, c := range []struct {
		after, want time.Time
	}{
		{four.Add(-1), four},
		{four, four.AddDate(0, 0, 1)},
		{four.Add(1), four.AddDate(0, 0, 1)},
	} {
		if got := s.Next(c.after); !got.Equal(c.want) {
			t.Errorf("after %v: %v, want %v", c.after, got, c.want)
		}
	}
}

func TestLastTakesTheNewestMissedSlot(t *testing.T) {
	quarter := parse(t, "*/15 6-23 * * *", "America/Montevideo")
	leap := parse(t, "0 0 29 2 *", "America/Montevideo")
	for _, c := range []struct {
		name       string
		s          Schedule
		now, since string
		want       string // "" = none
	}{
		{"nothing missed", quarter, "2026-11-21T12:14Z", "2026-11-21T12:00Z", ""},
		{"due this very moment", quarter, "2026-11-21T12:15Z", "2026-11-21T12:00Z", "2026-11-21T12:15Z"},
		{"since is not itself due again", quarter, "2026-11-21T12:15Z", "2026-11-21T12:15Z", ""},
		{"a week's outage is one run", quarter, "2026-11-21T12:14Z", "2026-11-14T12:00Z", "2026-11-21T12:00Z"},
		{"outage that ends at night", quarter, "2026-11-21T06:00Z", "2026-11-14T12:00Z", "2026-11-21T02:45Z"},
		{"the clock went back", quarter, "2026-11-21T12:00Z", "2026-11-21T13:00Z", ""},
		{"six years", leap, "2026-11-21T12:00Z", "2020-01-01T00:00Z", "2024-02-29T03:00Z"},
		{"none in two years", leap, "2026-11-21T12:00Z", "2024-11-21T12:00Z", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := c.s.Last(instant(t, c.now), instant(t, c.since))
			if ok != (c.want != "") || (ok && got.UTC().Format(stamp) != c.want) {
				t.Errorf("got %v %v, want %q", got, ok, c.want)
			}
		})
	}
	if got, ok := quarter.Last(instant(t, "2026-11-21T12:14Z"), time.Time{}); !ok || got.UTC().Format(stamp) != "2026-11-21T12:00Z" {
		t.Errorf("since ever: %v %v", got, ok)
	}
}

func TestZeroScheduleIsNeverDue(t *testing.T) {
	var s Schedule
	now := instant(t, "2026-11-21T12:14Z")
	if got := s.Next(now); !got.IsZero() {
		t.Errorf("Next: %v", got)
	}
	if got, ok := s.Last(now, time.Time{}); ok {
		t.Errorf("Last: %v", got)
	}
	if s.String() != "never" {
		t.Errorf("String: %q", s)
	}
	if got := parse(t, " @daily", "Asia/Bangkok").String(); got != "@daily Asia/Bangkok" {
		t.Errorf("String: %q", got)
	}
}

func parse(t testing.TB, spec, zone string) Schedule {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Parse(spec, loc)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func instant(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(stamp, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// zones are those the properties are tried in: every way in which clocks change, and some that never do.
var zones = []string{
	"America/Santiago", "America/Asuncion", "America/Havana", "America/Sao_Paulo", "America/Montevideo", "America/New_York",
	"Europe/Madrid", "Europe/Istanbul", "Africa/Casablanca", "Africa/Cairo", "Asia/Tehran", "Asia/Beirut", "Asia/Gaza",
	"Australia/Lord_Howe", "Pacific/Easter", "Asia/Bangkok", "Asia/Kathmandu", "UTC",
}

// TestEachDailySlotIsDueOnce compares ten years with an oracle that shares nothing with the implementation: it walks through real time
// and watches the wall clock. A slot is due when the clock first shows it, or a later time.
func TestEachDailySlotIsDueOnce(t *testing.T) {
	decade := [2]time.Time{time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}
	// Where zone files end and rules take over, the standard library miscounts leap years.
	rules := [2]time.Time{time.Date(2039, 6, 1, 0, 0, 0, 0, time.UTC), time.Date(2041, 6, 1, 0, 0, 0, 0, time.UTC)}
	slots := []time.Duration{0, 30 * time.Minute, 105 * time.Minute, 150 * time.Minute, 3 * time.Hour, 23*time.Hour + 15*time.Minute}
	for _, zone := range zones {
		t.Run(zone, func(t *testing.T) {
			t.Parallel()
			for _, span := range [][2]time.Time{decade, rules} {
				want := oracle(t, zone, slots, span[0], span[1])
				for i, slot := range slots {
					s := parse(t, fmt.Sprintf("%d %d * * *", int(slot.Minutes())%60, int(slot.Hours())), zone)
					wantRuns(t, s, want[i], span[0].Add(-1), span[1])
				}
			}
		})
	}
}

// wantRuns holds Between and Last against the instants that s is due at in (from, to].
func wantRuns(t *testing.T, s Schedule, want []time.Time, from, to time.Time) {
	t.Helper()
	got := slices.Collect(s.Between(from, to))
	if !slices.EqualFunc(got, want, time.Time.Equal) {
		t.Fatalf("%v: %d runs, want %d, the first difference is at %v", s, len(got), len(want), firstDifference(got, want))
	}
	for i := 1; i < len(got); i += 11 { // often enough to meet every kind of change
		for _, now := range []time.Time{got[i-1], got[i-1].Add(time.Minute), got[i].Add(-1)} {
			if last, ok := s.Last(now, from); !ok || !last.Equal(got[i-1]) {
				t.Fatalf("%v: the last until %v is %v %v, want %v", s, now, last, ok, got[i-1])
			}
		}
	}
}

// oracle returns when daily slots are due. All zones of the list are at a multiple of a quarter of an hour in the years tried.
func oracle(t testing.TB, zone string, slots []time.Duration, from, to time.Time) [][]time.Time {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	due := make([][]time.Time, len(slots))
	next := make([]time.Time, len(slots)) // on the wall, as if it were UTC
	for at := from; !at.After(to); at = at.Add(15 * time.Minute) {
		local := at.In(loc)
		year, month, day := local.Date()
		wall := time.Date(year, month, day, local.Hour(), local.Minute(), 0, 0, time.UTC)
		for i, slot := range slots {
			if next[i].IsZero() {
				next[i] = time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Add(slot)
				if next[i].Before(wall) {
					next[i] = next[i].AddDate(0, 0, 1)
				}
			}
			if !wall.Before(next[i]) {
				due[i] = append(due[i], at)
				next[i] = next[i].AddDate(0, 0, 1)
			}
		}
	}
	return due
}

func firstDifference(a, b []time.Time) time.Time {
	for i := range min(len(a), len(b)) {
		if !a[i].Equal(b[i]) {
			return b[i]
		}
	}
	return time.Time{}
}

// TestRunningSlotsFollowTheClock holds jobs that run all day against real time, minute by minute.
func TestRunningSlotsFollowTheClock(t *testing.T) {
	for _, zone := range zones {
		t.Run(zone, func(t *testing.T) {
			t.Parallel()
			s := parse(t, "*/15 6-23 * * *", zone)
			for _, year := range []int{2018, 2024, 2026, 2040} {
				from := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
				to := from.AddDate(1, 0, 0)
				next := s.Next(from)
				for at := from.Add(15 * time.Minute); !at.After(to); at = at.Add(15 * time.Minute) {
					local := at.In(s.zone)
					if due := local.Hour() >= 6; due != next.Equal(at) {
						t.Fatalf("%v: due %v, but Next says %v", local, due, next)
					}
					if next.Equal(at) {
						next = s.Next(at)
					}
				}
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, spec := range []string{
		"*/15 6-23 * * *", "0 4 29 2 *", "TZ=x", "CRON_TZ=UTC 0 4 * * *", "@every 1s", "@daily", "0-59/7 */5 1,15 jan-dec mon",
		", , , , ,", "1/1/1 * * * *", "*-3 ? * * *", "0 0 31 2 *", "@", "0 4 * * 6-0",
	} {
		f.Add(spec)
	}
	zone, err := time.LoadLocation("America/Santiago")
	if err != nil {
		f.Fatal(err)
	}
	now := time.Date(2026, 4, 4, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, spec string) {
		s, err := Parse(spec, zone)
		if err != nil {
			return
		}
		at := now
		for range 50 {
			next := s.Next(at)
			if !next.After(at) {
				t.Fatalf("%q: after %v comes %v", spec, at, next)
			}
			at = next
		}
		if last, ok := s.Last(at, now); !ok || !last.Equal(at) {
			t.Fatalf("%q: the last until %v is %v", spec, at, last)
		}
	})
}
