package schedule

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestEveryChangeOfTheClock holds the slots around every change of ten years against a table, and Changes against its lines.
func TestEveryChangeOfTheClock(t *testing.T) {
	text, err := os.ReadFile("testdata/changes.txt")
	if err != nil {
		t.Fatal(err)
	}
	var slots []string
	want := map[string][]string{}
	for row := range strings.Lines(string(text)) {
		switch f := strings.Fields(row); {
		case len(f) == 0 || f[0] == "#":
		case f[0] == "slots":
			slots = f[1:]
		default:
			want[f[0]] = append(want[f[0]], strings.Join(f[1:], " "))
		}
	}
	if len(want) < 20 || len(slots) < 6 {
		t.Fatalf("the table has %d zones and %d slots", len(want), len(slots))
	}
	from, to := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, name := range strings.Fields(platformZones) {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range Changes(zone, from, to) {
			was, is := c.Shown()
			row := []string{c.At.UTC().Format(stamp), was.Format("15:04"), is.Format("15:04")}
			for _, slot := range slots {
				hour, minute, _ := strings.Cut(slot, ":")
				due := "-"
				for at := range parse(t, minute+" "+hour+" * * *", name).Between(c.At.Add(-4*time.Hour-1), c.At.Add(4*time.Hour-1)) {
					if due != "-" {
						t.Errorf("%s: %s is due twice around %v", name, slot, c.At)
					}
					due = at.UTC().Format("15:04Z")
				}
				row = append(row, due)
			}
			got = append(got, strings.Join(row, " "))
		}
		if diff := cmp.Diff(want[name], got); diff != "" {
			t.Errorf("%s (-table +got); where the zone database has moved a change, the table is to be written anew:\n%s", name, diff)
		}
	}
}

// TestAround tells what becomes of slots that a change skips or repeats.
func TestAround(t *testing.T) {
	for _, one := range []struct {
		zone, spec, change string
		want               []string
	}{
		{"America/Santiago", "30 0 * * *", "2026-09-06T04:00Z", []string{"00:30 -> 01:00"}},
		{"America/Santiago", "*/30 0-5 * * *", "2026-09-06T04:00Z", []string{"00:00 ->", "00:30 ->"}},
		{"America/Santiago", "0 1 * * *", "2026-09-06T04:00Z", nil},
		{"America/Santiago", "15,45 23 * * *", "2026-04-05T03:00Z", []string{"23:15 -> 23:15-03", "23:45 -> 23:45-03"}},
		{"America/Santiago", "30 * * * *", "2026-04-05T03:00Z", []string{"23:30 -> 23:30-03 23:30-04"}},
		{"Europe/Madrid", "30 2 * * 1", "2026-03-29T01:00Z", nil}, // it is a Sunday
		{"Australia/Lord_Howe", "15 2 * * *", "2026-10-03T15:30Z", []string{"02:15 -> 02:30"}},
	} {
		s := parse(t, one.spec, one.zone)
		at := instant(t, one.change)
		changes := Changes(s.zone, at.Add(-time.Hour), at)
		if len(changes) != 1 || !changes[0].At.Equal(at) {
			t.Fatalf("%s has no change at %s: %v", one.zone, one.change, changes)
		}
		var got []string
		for _, slot := range s.Around(changes[0]) {
			text := slot.Wall.Format("15:04") + " ->"
			for _, run := range slot.Runs {
				text += " " + run.Format("15:04")
				if changes[0].After < changes[0].Before {
					text += fmt.Sprintf("%+03d", offsetAt(run)/time.Hour)
				}
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(one.want, got); diff != "" {
			t.Errorf("%s in %s (-want +got):\n%s", one.spec, one.zone, diff)
		}
	}
	if got := (Schedule{}).Around(Change{}); got != nil {
		t.Errorf("a schedule that is never due: %v", got)
	}
}
