package web

import (
	"crypto/sha256"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// How logins are slowed down. Who mistypes a password a few times notices nothing; who tries many waits twice as long each time. An
// address waits longer than a name, because a name can be anybody's victim.
const (
	freeTries    = 5
	firstWait    = time.Second
	mostForName  = time.Minute
	mostForPlace = 5 * time.Minute
	forgetTries  = time.Hour // without another one
	maxTried     = 4096      // addresses, and names that there are not, that are remembered
	maxFamiliar  = 16        // addresses of one user
)

// attempts counts logins that failed: by the address that they came from, and by the name that was tried, wherever that came from.
//
// Whoever tries the password of a user from many addresses slows that user down, by at most mostForName. That must keep nobody out: an
// address from which the user has logged in before, and this machine itself, answer for their own attempts only.
type attempts struct {
	now func() time.Time

	mu       sync.Mutex
	places   map[netip.Prefix]*tries
	names    map[string]*tries            // of users, so there are as many as users at most
	others   map[[sha256.Size]byte]*tries // of names that there are not, by their digest: people type passwords there
	familiar map[string][]netip.Prefix    // by user, where they have logged in from; the newest last
}

// tries are attempts that failed in a row.
type tries struct {
	failed int
	until  time.Time // the next one is refused before
	last   time.Time
}

func newAttempts(now func() time.Time) *attempts {
	return &attempts{
		now: now, places: map[netip.Prefix]*tries{}, names: map[string]*tries{}, others: map[[sha256.Size]byte]*tries{},
		familiar: map[string][]netip.Prefix{},
	}
}

// attempt is one login that is tried.
type attempt struct {
	place netip.Prefix
	here  bool   // from this machine
	name  string // as it was typed
	user  string // "" where there is none of the name
}

// begin counts an attempt as one that failed, so that many at once are as many; one that succeeds is forgiven. It returns how long to
// wait where it must not be made, and then counts nothing.
func (a *attempts) begin(t attempt) (wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	if wait = tried(a.places, t.place).wait(now); wait > 0 {
		return wait
	}
	byName, other := a.byName(t), t.digest()
	if byName {
		of := tried(a.others, other)
		if t.user != "" {
			of = tried(a.names, t.user)
		}
		if wait = of.wait(now); wait > 0 {
			return wait
		}
	}
	fail(a.places, t.place, now, mostForPlace)
	switch {
	case !byName:
	case t.user != "":
		fail(a.names, t.user, now, mostForName)
	default:
		fail(a.others, other, now, mostForName)
	}
	return 0
}

// forgive takes back what begin has counted, for an attempt that succeeded: the address is one that the user comes from. What others
// have tried with the name stays counted.
func (a *attempts) forgive(t attempt) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.places, t.place)
	known := slices.DeleteFunc(a.familiar[t.user], func(p netip.Prefix) bool { return p == t.place })
	if len(known) >= maxFamiliar {
		known = known[1:]
	}
	a.familiar[t.user] = append(known, t.place)
}

// unmade takes back what begin has counted, for an attempt whose password nobody could look at: who comes while many others try is not
// held up for that.
func (a *attempts) unmade(t attempt) {
	a.mu.Lock()
	defer a.mu.Unlock()
	unfail(a.places, t.place, mostForPlace)
	switch {
	case !a.byName(t):
	case t.user != "":
		unfail(a.names, t.user, mostForName)
	default:
		unfail(a.others, t.digest(), mostForName)
	}
}

// byName reports whether an attempt counts by its name, too. The caller holds mu.
func (a *attempts) byName(t attempt) bool {
	return !t.here && !slices.Contains(a.familiar[t.user], t.place)
}

// digest names the name that was typed.
func (t attempt) digest() [sha256.Size]byte { return sha256.Sum256([]byte(strings.ToLower(t.name))) }

// tried returns what was tried, nothing where there is nothing.
func tried[K comparable](all map[K]*tries, key K) tries {
	if t := all[key]; t != nil {
		return *t
	}
	return tries{}
}

// wait returns how long it is until the next attempt. One that is far away was noted before the clock was set back.
func (t tries) wait(now time.Time) time.Duration {
	if wait := t.until.Sub(now); wait > 0 && wait <= mostForPlace {
		return wait
	}
	return 0
}

// fail counts an attempt.
func fail[K comparable](all map[K]*tries, key K, now time.Time, most time.Duration) {
	t := all[key]
	if t == nil {
		if len(all) >= maxTried {
			forget(all, now)
		}
		t = &tries{}
		all[key] = t
	}
	if now.Sub(t.last) >= forgetTries {
		t.failed = 0
	}
	t.failed++
	t.last = now
	t.slow(most)
}

// unfail takes an attempt back.
func unfail[K comparable](all map[K]*tries, key K, most time.Duration) {
	if t := all[key]; t != nil && t.failed > 0 {
		t.failed--
		t.slow(most)
	}
}

// slow works out how long the next attempt waits, by those that failed.
func (t *tries) slow(most time.Duration) {
	t.until = time.Time{}
	if over := t.failed - freeTries; over >= 0 {
		t.until = t.last.Add(min(firstWait<<min(over, 20), most))
	}
}

// forgetAmong is how many are looked at to make room for one. Going through all of them at every attempt would be work that whoever tries
// from many addresses makes us do.
const forgetAmong = 32

// forget makes room: of some that chance chooses, what is over goes, and the one whose last attempt is the longest ago.
func forget[K comparable](all map[K]*tries, now time.Time) {
	var oldest K
	var last time.Time
	looked := 0
	for key, t := range all {
		if now.Sub(t.last) >= forgetTries {
			delete(all, key)
		} else if last.IsZero() || t.last.Before(last) {
			oldest, last = key, t.last
		}
		if looked++; looked >= forgetAmong {
			break
		}
	}
	if len(all) >= maxTried {
		delete(all, oldest)
	}
}
