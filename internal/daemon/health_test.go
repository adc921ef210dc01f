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
