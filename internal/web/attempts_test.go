package web

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// clock is a time that tests move.
type clock struct{ t time.Time }

func newClock() *clock { return &clock{time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time       { return c.t }
func (c *clock) pass(d time.Duration) { c.t = c.t.Add(d) }

func from(address string) netip.Prefix { return netip.PrefixFrom(netip.MustParseAddr(address), 32) }

// TestAttemptsSlowDown mistypes a password from one address: the first times cost nothing, then each costs twice the time.
func TestAttemptsSlowDown(t *testing.T) {
	c := newClock()
	a := newAttempts(c.now)
	try := attempt{place: from("192.0.2.7"), name: "ana", user: "ana"}
	for i := range freeTries {
		if wait := a.begin(try); wait != 0 {
			t.Fatalf("attempt %d waits %s", i, wait)
		}
	}
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300} {
		if got := a.begin(try); got != want*time.Second {
			t.Fatalf("waits %s, want %ds", got, want)
		}
		c.pass(want*time.Second - time.Millisecond)
		if a.begin(try) == 0 {
			t.Fatalf("it could be tried before %ds were over", want)
		}
		c.pass(time.Millisecond)
		if wait := a.begin(try); wait != 0 {
			t.Fatalf("after %ds it still waits %s", want, wait)
		}
	}
	a.forgive(try)
	for range freeTries {
		if wait := a.begin(try); wait != 0 {
			t.Errorf("after the right password it waits %s", wait)
		}
	}
	c.pass(forgetTries)
	if wait := a.begin(try); wait != 0 {
		t.Errorf("after an hour it waits %s", wait)
	}
	if wait := a.begin(try); wait != 0 {
		t.Errorf("after an hour the second attempt waits %s", wait)
	}
}

// TestAttackKeepsNobodyOut tries ana's password from many addresses for a day. Ana's own address and this machine are not held up; a
// new address waits a minute at most; other names are not touched.
func TestAttackKeepsNobodyOut(t *testing.T) {
	c := newClock()
	a := newAttempts(c.now)
	office := attempt{place: from("198.51.100.1"), name: "ana", user: "ana"}
	if a.begin(office) != 0 {
		t.Fatal("the first login waits")
	}
	a.forgive(office)
	made := 0
	for i := range 100_000 {
		other := attempt{place: from(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)), name: "ana", user: "ana"}
		if a.begin(other) == 0 {
			made++
		}
		c.pass(time.Second)
	}
	if made > 2000 || made < 1000 {
		t.Errorf("%d guesses got through in a day", made)
	}
	if wait := a.begin(office); wait != 0 {
		t.Errorf("ana in the office waits %s", wait)
	}
	if wait := a.begin(attempt{place: from("127.0.0.1"), here: true, name: "ana", user: "ana"}); wait != 0 {
		t.Errorf("ana at the machine waits %s", wait)
	}
	if wait := a.begin(attempt{place: from("203.0.113.9"), name: "ana", user: "ana"}); wait > mostForName {
		t.Errorf("ana somewhere else waits %s", wait)
	}
	if wait := a.begin(attempt{place: from("203.0.113.9"), name: "luis", user: "luis"}); wait != 0 {
		t.Errorf("luis waits %s", wait)
	}
	if n := len(a.places); n > maxTried {
		t.Errorf("%d addresses are kept", n)
	}
}

// TestUnknownNamesAreSlowedDownAlike tries a name that there is not: it must not tell itself by being answered faster.
func TestUnknownNamesAreSlowedDownAlike(t *testing.T) {
	c := newClock()
	a := newAttempts(c.now)
	for i := range 40 {
		place := from(fmt.Sprintf("10.0.0.%d", i))
		known := a.begin(attempt{place: place, name: "ana", user: "ana"})
		place = from(fmt.Sprintf("10.0.1.%d", i))
		if unknown := a.begin(attempt{place: place, name: "Eva"}); unknown != known {
			t.Fatalf("attempt %d: a name that there is waits %s, one that there is not %s", i, known, unknown)
		}
		c.pass(3 * time.Second)
	}
	for i := range 3 * maxTried {
		a.begin(attempt{place: from(fmt.Sprintf("11.%d.%d.%d", i>>16, i>>8&255, i&255)), name: fmt.Sprint("x", i)})
	}
	if len(a.others) > maxTried || len(a.places) > maxTried {
		t.Errorf("%d names and %d addresses are kept", len(a.others), len(a.places))
	}
}

// TestAttemptsWhenTheClockIsSetBack keeps nobody out for a year.
func TestAttemptsWhenTheClockIsSetBack(t *testing.T) {
	c := newClock()
	a := newAttempts(c.now)
	try := attempt{place: from("192.0.2.7"), name: "ana", user: "ana"}
	for range freeTries + 1 {
		a.begin(try)
	}
	c.pass(-365 * 24 * time.Hour)
	if wait := a.begin(try); wait > mostForPlace {
		t.Errorf("waits %s", wait)
	}
}
