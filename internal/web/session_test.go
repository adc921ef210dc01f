package web

import (
	"crypto/sha256"
	"testing"
	"time"
)

func newSessions(c *clock) *sessions {
	return &sessions{now: c.now, all: map[[sha256.Size]byte]*session{}}
}

func TestSessionsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		uses []time.Duration // between one and the next
		want bool            // after the last
	}{
		"at once":                       {[]time.Duration{0}, true},
		"just before it is idle":        {[]time.Duration{sessionIdle - 1}, true},
		"idle":                          {[]time.Duration{sessionIdle}, false},
		"used, and then idle":           {[]time.Duration{time.Hour, sessionIdle}, false},
		"used all day":                  {hours(11), true},
		"used longer than it may last":  {hours(12), false},
		"the clock was set back a year": {[]time.Duration{-365 * 24 * time.Hour}, false},
		"the clock was corrected":       {[]time.Duration{-time.Second}, true},
	} {
		clock := newClock()
		s := newSessions(clock)
		id := s.begin("ana", "hash")
		ok := true
		for _, d := range c.uses {
			clock.pass(d)
			_, ok = s.find(id)
		}
		if ok != c.want {
			t.Errorf("%s: the session is there: %v", name, ok)
		}
		if !ok && len(s.all) != 0 {
			t.Errorf("%s: it is kept", name)
		}
	}
}

// hours returns so many uses, one an hour.
func hours(n int) []time.Duration {
	all := make([]time.Duration, n)
	for i := range all {
		all[i] = time.Hour
	}
	return all
}

// TestSessionsAreBounded logs in over and over: the ones used longest ago end, of the same user first.
func TestSessionsAreBounded(t *testing.T) {
	c := newClock()
	s := newSessions(c)
	luis := s.begin("luis", "hash")
	var ids []string
	for range 3 * userMost {
		c.pass(time.Second)
		ids = append(ids, s.begin("ana", "hash"))
	}
	if _, ok := s.find(luis); !ok || len(s.all) != userMost+1 {
		t.Errorf("luis is there: %v, %d sessions", ok, len(s.all))
	}
	if _, ok := s.find(ids[len(ids)-userMost]); !ok {
		t.Error("a young session of ana has ended")
	}
	if _, ok := s.find(ids[len(ids)-userMost-1]); ok {
		t.Error("an old session of ana is there")
	}
	for i := range 2 * sessionMost {
		s.begin(string(rune('a'+i%26))+time.Duration(i).String(), "hash")
	}
	if len(s.all) > sessionMost {
		t.Errorf("%d sessions", len(s.all))
	}
	for _, id := range []string{"", "x", ids[0] + "x"} {
		if _, ok := s.find(id); ok {
			t.Errorf("there is a session %q", id)
		}
	}
	if ids[0] == ids[1] || len(ids[0]) < 43 {
		t.Errorf("ids: %q, %q", ids[0], ids[1])
	}
}
