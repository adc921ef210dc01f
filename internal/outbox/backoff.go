package outbox

import (
	"cmp"
	"math/rand/v2"
	"time"
)

// The default back-off. The first steps are short because most outages are a lost packet or a restart; the last ones are long
// because a server that is down for hours needs nobody knocking. What a person has to mend is asked for more rarely.
const (
	DefaultFirst     = time.Second
	DefaultLast      = 15 * time.Minute
	DefaultSlowFirst = time.Minute
	DefaultSlowLast  = 30 * time.Minute
)

// Backoff spaces attempts out: a random time between First and a ceiling that doubles with every attempt up to Last. The
// randomness covers the whole span, so that the stores of a chain do not come back in step after an outage.
type Backoff struct {
	First, Last         time.Duration  // optional: of what heals by itself
	SlowFirst, SlowLast time.Duration  // optional: of what a person has to mend (permission, space, host key, nonsense, our own configuration)
	Rand                func() float64 // optional: a number in [0, 1)
}

// Delay returns how long to wait after a failure of class that followed attempts earlier ones. It is never less than the first step.
func (b Backoff) Delay(class Class, attempts int) time.Duration {
	first, last := cmp.Or(b.First, DefaultFirst), cmp.Or(b.Last, DefaultLast)
	if class != Transient {
		first, last = cmp.Or(b.SlowFirst, DefaultSlowFirst), cmp.Or(b.SlowLast, DefaultSlowLast)
	}
	ceiling := first
	for range attempts + 1 {
		if ceiling >= last {
			break
		}
		ceiling *= 2
	}
	span := max(min(ceiling, last)-first, 0)
	random := b.Rand
	if random == nil {
		random = rand.Float64
	}
	return first + time.Duration(random()*float64(span))
}
