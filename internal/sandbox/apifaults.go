package sandbox

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// apiKind is what befalls a request to the REST interface.
type apiKind string

const (
	apiReset        apiKind = "reset"
	apiTooMany      apiKind = "too many"
	apiServerError  apiKind = "server error"
	apiUnauthorized apiKind = "unauthorized"
	apiTruncated    apiKind = "truncated"
	apiCut          apiKind = "cut"
)

// apiStrike is what befalls one request.
type apiStrike struct {
	kind       apiKind
	retryAfter string
}

// apiFaults are the switches of the REST interface and of events. Guarded by Faults.mu.
type apiFaults struct {
	left       map[apiKind]int // requests that it still befalls; negative: all
	retryAfter string
	slow       time.Duration
	shift      bool
	clock      time.Duration
	events     eventFaults
}

// eventFaults are the switches of events.
type eventFaults struct {
	duplicate  float64
	times      int
	reorder    time.Duration
	drop       bool
	from, to   time.Time
	foreign    bool
	wrongToken bool
}

// Unauthorized answers the next n requests 401, whatever their token. Requests for a token are not counted. A negative n is all.
func (f *Faults) Unauthorized(n int) { f.armAPI(apiUnauthorized, n) }

// TooMany answers the next n requests 429, with Retry-After where retryAfter is not "". A negative n is all.
func (f *Faults) TooMany(n int, retryAfter string) {
	f.armAPI(apiTooMany, n)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.api.retryAfter = retryAfter
}

// ServerErrors answers the next n requests 500. A negative n is all.
func (f *Faults) ServerErrors(n int) { f.armAPI(apiServerError, n) }

// ResetRequests resets the connection of the next n requests instead of answering. Nothing is carried out. A negative n is all.
func (f *Faults) ResetRequests(n int) { f.armAPI(apiReset, n) }

// CutBodies carries the next n requests out and resets the connection in the middle of the answer's body, so that the client can't
// know. A negative n is all.
func (f *Faults) CutBodies(n int) { f.armAPI(apiCut, n) }

// TruncateBodies carries the next n requests out and answers with the first half of the body, as if it were all. A negative n is all.
func (f *Faults) TruncateBodies(n int) { f.armAPI(apiTruncated, n) }

// SlowBodies sends the body of each answer in ten pieces, so long apart; 0 ends it.
func (f *Faults) SlowBodies(apart time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.api.slow = apart
}

// ShiftPages makes every page of orders but the first begin one order late, as happens when an order before it leaves the list between
// two pages: that order is on no page.
func (f *Faults) ShiftPages(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.api.shift = on
}

// ClockOff sets how far the platform's clock, by which orders are stamped and listed, is ahead; negative is behind.
func (f *Faults) ClockOff(by time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.api.clock = by
}

// ExpireTokens ends every token that a client's login got so far.
func (f *Faults) ExpireTokens() { f.gate.expire() }

// Pardon lets blocked addresses in again.
func (f *Faults) Pardon() { f.gate.pardon() }

// DuplicateEvents sends a share (0 to 1) of the events to come once more; 0 ends it.
func (f *Faults) DuplicateEvents(share float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.api.events.duplicate = share
}

// RepeatEvents sends each of the events to come so many times in all, whatever is answered; 0 ends it.
func (f *Faults) RepeatEvents(times int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.api.events.times = times
}

// ReorderEvents holds each event to come back for a random time up to within; 0 ends it.
func (f *Faults) ReorderEvents(within time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.api.events.reorder = within
}

// DropEvents keeps all events to come to itself, as if they had been sent.
func (f *Faults) DropEvents(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.api.events.drop = on
}

// SilentBetween drops the events of a time, by the sandbox's clock: an hour in which the platform tells nothing.
func (f *Faults) SilentBetween(from, to time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.api.events.from, f.api.events.to = from, to
}

// ForeignChain gives events to come the id of another chain.
func (f *Faults) ForeignChain(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.api.events.foreign = on
}

// WrongSecret sends events with another secret than the one that was agreed.
func (f *Faults) WrongSecret(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.api.events.wrongToken = on
}

// faultSwitches are the faults of the REST interface and of events that have a name; on is false to end them.
var faultSwitches = map[string]func(f *Faults, on bool){
	"unauthorized-once": func(f *Faults, on bool) { f.Unauthorized(once(on)) },
	"expired-tokens":    func(f *Faults, _ bool) { f.ExpireTokens() },
	"too-many":          func(f *Faults, on bool) { f.TooMany(always(on), "") },
	"too-many-wait":     func(f *Faults, on bool) { f.TooMany(always(on), "3") },
	"too-many-once":     func(f *Faults, on bool) { f.TooMany(once(on), "1") },
	"server-errors":     func(f *Faults, on bool) { f.ServerErrors(always(on)) },
	"resets":            func(f *Faults, on bool) { f.ResetRequests(always(on)) },
	"cut-bodies":        func(f *Faults, on bool) { f.CutBodies(always(on)) },
	"truncated-bodies":  func(f *Faults, on bool) { f.TruncateBodies(always(on)) },
	"slow-bodies":       func(f *Faults, on bool) { f.SlowBodies(time.Duration(once(on)) * time.Second) },
	"shifting-pages":    func(f *Faults, on bool) { f.ShiftPages(on) },
	"clock-ten-ahead":   func(f *Faults, on bool) { f.ClockOff(time.Duration(once(on)) * 10 * time.Minute) },
	"clock-ten-behind":  func(f *Faults, on bool) { f.ClockOff(-time.Duration(once(on)) * 10 * time.Minute) },
	"duplicate-events":  func(f *Faults, on bool) { f.DuplicateEvents(float64(once(on)) / 2) },
	"reordered-events":  func(f *Faults, on bool) { f.ReorderEvents(time.Duration(once(on)) * 5 * time.Second) },
	"silence":           func(f *Faults, on bool) { f.DropEvents(on) },
	"foreign-chain":     func(f *Faults, on bool) { f.ForeignChain(on) },
	"wrong-secret":      func(f *Faults, on bool) { f.WrongSecret(on) },
}

func once(on bool) int {
	if on {
		return 1
	}
	return 0
}

func always(on bool) int { return -once(on) }

// FaultNames lists the names that Faults.Set takes.
func FaultNames() []string { return slices.Sorted(maps.Keys(faultSwitches)) }

// Set turns a fault of the REST interface or of events on or off, by its name.
func (f *Faults) Set(name string, on bool) error {
	set, ok := faultSwitches[name]
	if !ok {
		return fmt.Errorf("unknown fault %q (known: %s)", name, strings.Join(FaultNames(), ", "))
	}
	set(f, on)
	return nil
}

// armAPI sets how many requests something befalls.
func (f *Faults) armAPI(kind apiKind, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.api.left == nil {
		f.api.left = map[apiKind]int{}
	}
	f.api.left[kind] = n
}

// takeAPIStrike hands the next fault to a request: one at a time, the worst first.
func (f *Faults) takeAPIStrike(path string) apiStrike {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, kind := range []apiKind{apiReset, apiTooMany, apiServerError, apiUnauthorized, apiCut, apiTruncated} {
		if f.api.left[kind] == 0 || kind == apiUnauthorized && path == "/v2/oauth/token" {
			continue
		}
		if f.api.left[kind] > 0 {
			f.api.left[kind]--
		}
		return apiStrike{kind, f.api.retryAfter}
	}
	return apiStrike{}
}

// write sends an answer, as slowly and as far as the faults let it.
func (f *Faults) write(ctx context.Context, w http.ResponseWriter, status int, body []byte, strike apiStrike) {
	f.mu.Lock()
	slow := f.api.slow
	f.mu.Unlock()
	if strike.kind == apiTruncated {
		body = body[:len(body)/2]
	}
	if strike.kind == apiCut {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.WriteHeader(status)
		_, _ = w.Write(body[:len(body)/2])        // the connection is cut anyway
		_ = http.NewResponseController(w).Flush() // likewise
		cutHTTP(w)
		return
	}
	w.WriteHeader(status)
	const pieces = 10
	step := len(body)
	if slow > 0 {
		step = len(body)/pieces + 1
	}
	for len(body) > 0 {
		n := min(step, len(body))
		if _, err := w.Write(body[:n]); err != nil {
			return // the client is gone
		}
		if body = body[n:]; slow == 0 {
			continue
		}
		_ = http.NewResponseController(w).Flush() // what fails here fails at the next write
		select {
		case <-ctx.Done():
			cutHTTP(w) // else what is there would look like all of it
			return
		case <-time.After(slow):
		}
	}
}

// cutHTTP resets the connection of a request.
func cutHTTP(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // no HTTP/1: there is none here
	}
	if c, ok := conn.(*net.TCPConn); ok {
		_ = c.SetLinger(0) // fails only on a connection that is gone already
	}
	_ = conn.Close()
}

// shifted returns by how much pages are shifted.
func (f *Faults) shifted(page int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.api.shift && page > 0 {
		return 1
	}
	return 0
}

// clockOff returns how far the platform's clock is ahead.
func (f *Faults) clockOff() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.api.clock
}

// ofEvents returns the switches of events.
func (f *Faults) ofEvents() eventFaults {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.api.events
}
