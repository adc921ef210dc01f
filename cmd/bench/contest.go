package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// role is what a contender stands for.
type role string

const (
	ours  role = "gondola"
	limit role = "limit" // the least that the machine could do it in
	peer  role = "peer"
)

// contender is one way of doing the work of a contest.
type contender struct {
	name string
	role role
	need []string // programs and modules, by their names in peers; without them it is left out
	do   func(ctx context.Context) (measure, error)
	// share is how much of the others' work it does, where doing all of it would take until tomorrow; 0 = all. What it takes is scaled up.
	share float64
}

// measure is what one round of a contender took.
type measure struct {
	Seconds float64 `json:"seconds"`
	CPU     float64 `json:"cpu"`    // seconds of all processors, start included; what others do on the machine does not count
	RSS     int64   `json:"rss"`    // at most, bytes
	Stages  []stage `json:"stages"` // what the time went into, as far as it is told
	Facts   []fact  `json:"facts"`
}

// stage is a part of the work.
type stage struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

// fact is something else that was measured: records a second, the slowest of a hundred answers.
type fact struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
}

// goal is what has to come out of a contest.
type goal struct {
	text    string
	measure func(o *outcome) (spread, bool) // false: somebody whom it takes was not there
	most    float64                         // it is met at most at this value, or
	least   float64                         // at least at this one
	unit    string
}

// contest is one piece of work that contenders do in alternation.
type contest struct {
	name       string
	title      string
	contenders []contender
	goals      []goal
	rounds     int // 0 = as the size says
}

// outcome is what came out of a contest.
type outcome struct {
	contest
	rounds  map[string][]measure // of each contender
	failed  map[string]string    // contenders that failed, and why
	curve   *curve               // where the contest is one of costs that grow
	verdict []verdict
}

// verdict is a goal with what was measured.
type verdict struct {
	goal  goal
	value spread
	known bool
}

// met reports whether a goal was reached.
func (v verdict) met() bool {
	if v.goal.least > 0 {
		return v.value.median >= v.goal.least
	}
	return v.value.median <= v.goal.most
}

// run holds a contest.
func (b *bench) run(ctx context.Context, c contest) outcome {
	o := outcome{contest: c, rounds: map[string][]measure{}, failed: map[string]string{}}
	o.contenders = slices.DeleteFunc(slices.Clone(c.contenders), func(c contender) bool {
		return !b.peers.have(c.need) || b.alone && c.role == peer
	})
	rounds := c.rounds
	if rounds == 0 {
		rounds = b.size.rounds
	}
	for round := range rounds {
		for _, who := range o.contenders {
			if ctx.Err() != nil {
				return o
			}
			before := o.rounds[who.name]
			if o.failed[who.name] != "" || round >= 2 && who.role == peer && slow(before, who.share, b.size.patience) {
				continue
			}
			m, err := who.do(ctx)
			if err != nil {
				o.failed[who.name] = err.Error()
				fmt.Fprintf(b.log, "  %s: %s: %v\n", c.name, who.name, err)
				continue
			}
			if who.share > 0 {
				m.Seconds, m.CPU = m.Seconds/who.share, m.CPU/who.share
			}
			o.rounds[who.name] = append(before, m)
			fmt.Fprintf(b.log, "  %s: %-28s %8.3f s %6.0f MiB\n", c.name, who.name, m.Seconds, mebi(m.RSS))
		}
	}
	for _, g := range c.goals {
		v := verdict{goal: g}
		v.value, v.known = g.measure(&o)
		o.verdict = append(o.verdict, v)
	}
	return o
}

// slow reports whether a contender's first round took so long that two have to do.
func slow(before []measure, share float64, patience time.Duration) bool {
	if len(before) == 0 {
		return false
	}
	took := before[0].Seconds
	if share > 0 {
		took *= share
	}
	return took > patience.Seconds()
}

// spread is a median with the least and the most.
type spread struct {
	median, least, most float64
	n                   int
}

func spreadOf(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	v := slices.Sorted(slices.Values(values))
	s := spread{least: v[0], most: v[len(v)-1], n: len(v), median: v[len(v)/2]}
	if len(v)%2 == 0 {
		s.median = (v[len(v)/2-1] + v[len(v)/2]) / 2
	}
	return s
}

// seconds returns what the rounds of a contender took.
func (o *outcome) seconds(name string) spread {
	return o.of(name, func(m measure) float64 { return m.Seconds })
}

// of returns something else of the rounds of a contender.
func (o *outcome) of(name string, what func(measure) float64) spread {
	var all []float64
	for _, m := range o.rounds[name] {
		all = append(all, what(m))
	}
	return spreadOf(all)
}

// rss returns the most memory that a contender ever took.
func (o *outcome) rss(name string) int64 {
	var most int64
	for _, m := range o.rounds[name] {
		most = max(most, m.RSS)
	}
	return most
}

// fact returns something that a contender told about itself.
func (o *outcome) fact(name, what string) spread {
	return o.of(name, func(m measure) float64 {
		for _, f := range m.Facts {
			if f.Name == what {
				return f.Value
			}
		}
		return 0
	})
}

// ratio returns how many times as long as another one a contender takes, round by round.
func (o *outcome) ratio(a, b string) (spread, bool) {
	var all []float64
	for i := range min(len(o.rounds[a]), len(o.rounds[b])) {
		if d := o.rounds[b][i].Seconds; d > 0 {
			all = append(all, o.rounds[a][i].Seconds/d)
		}
	}
	return spreadOf(all), len(all) > 0
}

// The measures that goals take.

// times is how many times as long as another one a contender takes.
func times(who, other string) func(*outcome) (spread, bool) {
	return func(o *outcome) (spread, bool) { return o.ratio(who, other) }
}

// ahead is how many times as fast as the fastest of some peers a contender is; of all where none is named.
func ahead(who string, of ...string) func(*outcome) (spread, bool) {
	return func(o *outcome) (spread, bool) {
		best, fastest := "", 0.0
		for _, c := range o.contenders {
			if len(of) > 0 && !slices.Contains(of, c.name) {
				continue
			}
			if s := o.seconds(c.name); c.role == peer && s.n > 0 && (best == "" || s.median < fastest) {
				best, fastest = c.name, s.median
			}
		}
		return o.ratio(best, who)
	}
}

// memory is the most that a contender took, in MiB.
func memory(who string) func(*outcome) (spread, bool) {
	return func(o *outcome) (spread, bool) {
		s := o.of(who, func(m measure) float64 { return mebi(m.RSS) })
		return s, s.n > 0
	}
}

// told is something that a contender told about itself.
func told(who, what string) func(*outcome) (spread, bool) {
	return func(o *outcome) (spread, bool) { s := o.fact(who, what); return s, s.n > 0 }
}

// atMost returns the least time that so many of a hundred take at most, in milliseconds. It sorts them.
func atMost(all []time.Duration, percent int) float64 {
	slices.Sort(all)
	return 1000 * all[(len(all)*percent+99)/100-1].Seconds()
}

func mebi(bytes int64) float64 { return float64(bytes) / (1 << 20) }
