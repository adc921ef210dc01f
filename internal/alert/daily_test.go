package alert

import (
	"testing"
	"time"
)

// TestReminders follows a target through days on which something stands. Between any two looks everything is written down and read again.
func TestReminders(t *testing.T) {
	santiago, err := time.LoadLocation("America/Santiago")
	if err != nil {
		t.Fatal(err)
	}
	nine := Daily{On: true, At: 9 * time.Hour, Zone: santiago}
	type look struct {
		at   string // local time
		bad  string // kind of what is wrong, "" for nothing
		says string // "", told, reminder or ok
	}
	for name, c := range map[string]struct {
		daily Daily
		way   Way
		looks []look
	}{
		"once a day, at its hour": {nine, Post, []look{
			{"2026-11-23 15:00", "credentials", "told"},
			{"2026-11-23 23:59", "credentials", ""},
			{"2026-11-24 00:01", "credentials", ""},
			{"2026-11-24 08:59", "credentials", ""},
			{"2026-11-24 09:00", "credentials", "reminder"},
			{"2026-11-24 09:01", "credentials", ""},
			{"2026-11-24 20:00", "credentials", ""},
			{"2026-11-25 09:07", "credentials", "reminder"},
			{"2026-11-25 10:00", "", "ok"},
			{"2026-11-26 09:00", "", ""},
		}},
		"mail, too": {nine, Mail, []look{
			{"2026-11-23 15:00", "held", "told"},
			{"2026-11-24 09:00", "held", "reminder"},
		}},
		"a check reminds by itself": {nine, Ping, []look{
			{"2026-11-23 15:00", "held", "told"}, {"2026-11-23 15:01", "held", "told"}, // start, fail
			{"2026-11-24 09:00", "held", ""},
		}},
		"off": {Daily{}, Post, []look{
			{"2026-11-23 15:00", "held", "told"},
			{"2026-11-24 09:00", "held", ""},
		}},
		"who was told this morning needs none": {nine, Post, []look{
			{"2026-11-23 08:50", "held", "told"},
			{"2026-11-23 09:00", "held", ""},
			{"2026-11-24 09:00", "held", "reminder"},
		}},
		"what becomes something else is told as such, and is this day's word": {nine, Post, []look{
			{"2026-11-23 15:00", "held", "told"},
			{"2026-11-24 07:00", "credentials", "told"},
			{"2026-11-24 09:00", "credentials", ""},
		}},
		"not at night, when the machine was off by day": {nine, Post, []look{
			{"2026-11-23 15:00", "held", "told"},
			{"2026-11-24 22:00", "held", ""},
			{"2026-11-25 03:00", "held", ""},
			{"2026-11-25 16:59", "held", "reminder"},
		}},
		"an evening's hour does not reach into the next day": {Daily{On: true, At: 20 * time.Hour, Zone: santiago}, Post, []look{
			{"2026-11-23 15:00", "held", "told"},
			{"2026-11-24 19:59", "held", ""},
			{"2026-11-25 00:30", "held", ""},
			{"2026-11-25 23:30", "held", "reminder"},
		}},
		"the clock is set back by a year": {nine, Post, []look{
			{"2027-11-23 15:00", "held", "told"},
			{"2026-11-23 15:00", "held", ""},
			{"2026-11-24 09:00", "held", "reminder"},
		}},
		"the clock is set back by an hour": {nine, Post, []look{
			{"2026-11-23 15:00", "held", "told"},
			{"2026-11-24 09:30", "held", "reminder"},
			{"2026-11-24 08:30", "held", ""},
			{"2026-11-24 09:00", "held", ""},
			{"2026-11-25 09:00", "held", "reminder"},
		}},
		// In Santiago the clock goes from 24:00 back to 23:00 on 4 April 2026, and from 24:00 on to 01:00 on 5 September.
		"a day of 25 hours": {nine, Post, []look{
			{"2026-04-04 09:00", "held", "told"},
			{"2026-04-05 08:59", "held", ""},
			{"2026-04-05 09:00", "held", "reminder"},
			{"2026-04-06 09:00", "held", "reminder"},
		}},
		"a day without midnight": {nine, Post, []look{
			{"2026-09-05 23:30", "held", "told"},
			{"2026-09-06 01:00", "held", ""},
			{"2026-09-06 09:00", "held", "reminder"},
			{"2026-09-06 09:30", "held", ""},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var book Book
			var told Told
			for _, l := range c.looks {
				now, err := time.ParseInLocation("2006-01-02 15:04", l.at, santiago)
				if err != nil {
					t.Fatal(err)
				}
				seen := Seen{Idle: true, RunID: "run"}
				if l.bad != "" {
					seen.Problems = []Problem{{Key: "x", Kind: Kind(l.bad)}}
				}
				book = again(t, book.Look(now, seen))
				told = again(t, told.Forget(book, now))
				m, ok := told.Next(c.way, book, now, c.daily)
				says := map[bool]string{true: "told"}[ok]
				switch {
				case ok && m.Reminder:
					says = "reminder"
				case ok && m.State == OK && c.way != Ping:
					says = "ok"
				}
				if says != l.says {
					t.Errorf("%s: %q, want %q", l.at, says, l.says)
				}
				if ok {
					told = again(t, told.Heard(m))
				}
			}
		})
	}
}

// TestReminderIsAnotherMessage keeps an attempt to remind from counting as one of what was told before, and the other way round.
func TestReminderIsAnotherMessage(t *testing.T) {
	m := Message{Way: Post, State: Failing}
	reminder := m
	reminder.Reminder = true
	if m.ID() == reminder.ID() {
		t.Error("a reminder has the ID of what it reminds of")
	}
}
