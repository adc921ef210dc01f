package daemon

import (
	"strings"
	"testing"
	"time"
)

// TestLife has loops that do not run yet, that work, and one that waits for what never comes.
func TestLife(t *testing.T) {
	var l life
	now := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	if err := l.check(now); err == nil {
		t.Error("healthy before the loops run")
	}
	l.run(true)
	endSend, endTidy := l.begin("send", now), l.begin("tidy", now)
	if err := l.check(now.Add(stuckAfter)); err != nil {
		t.Errorf("a turn that takes long: %v", err)
	}
	endTidy()
	if err := l.check(now.Add(stuckAfter + time.Second)); err == nil || !strings.Contains(err.Error(), `"send"`) {
		t.Errorf("a turn that takes for ever: %v", err)
	}
	endSend()
	if err := l.check(now.Add(stuckAfter + time.Second)); err != nil {
		t.Errorf("after the turn: %v", err)
	}
	l.run(false)
	if err := l.check(now); err == nil {
		t.Error("healthy after the loops ended")
	}
}

// TestReady asks before the loops run, while they do, when the state folder is gone, and when the end was asked for.
func TestReady(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	ready := func(want string) {
		t.Helper()
		err := c.house.Ready(t.Context())
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("ready: %v, want %q", err, want)
		}
	}
	ready("the loops do not run")
	c.house.life.run(true)
	ready("")
	dir := c.house.cfg.State.Dir
	c.house.cfg.State.Dir = dir + "/gone"
	ready("write to the state folder")
	c.house.cfg.State.Dir = dir
	c.house.life.end()
	ready("about to end")
}
