package web

import (
	"slices"
	"time"
)

// Page is what the status page shows: facts, which the templates put into words. Fields without a value are left out of it. Lists may
// be long: the page shows their beginnings, so what matters most comes first.
type Page struct {
	At    time.Time // as of when
	State string    // ok, held, failing or stopped
	Since time.Time // of the state

	Paused string // why, and until when, an admin has stopped all sending
	Server string // what the platform's server allows, and what that guarantees, in one line

	Problems   []Problem
	Held       []Held
	Stores     []Store
	Feeds      []Feed
	Deliveries []Delivery // on their way
	Done       []Delivery // that arrived, the newest first
	Jobs       []Job
	Orders     *Orders   // nil where there are none to speak of
	Incoming   *Incoming // nil where orders don't come
	Gaps       []Gap     // between what the platform's events and its answers tell of orders
	Audits     []Audit
	ByHand     []string // what was paused, switched off or put back by hand, in words
}

// Orders is how orders stand today.
type Orders struct {
	States  []string // as the platform calls them
	Numbers []int    // of orders in each of them
	Due     int      // hand-overs that wait
	File    string   // the last one that was handed over
	FileAt  time.Time
	Foreign int // orders of stores that are not in the config
}

// Incoming is how orders come.
type Incoming struct {
	Listens bool // for the platform's events
	Events  int
	Last    time.Time // event
	Waiting int       // events to be handled
	Aside   int       // events that were put aside
	Refused int       // calls that were not the platform's
	Asks    bool      // the platform for orders
	Oldest  time.Time // when the store that waits longest was asked for; zero: one never was
	Failing int       // stores that could not be asked for the last time
}

// Gap is an order of which events and answers tell different things.
type Gap struct {
	Kind    string // not-told, not-listed or differs
	Order   string
	Store   string
	State   string // that one side does not have
	Found   time.Time
	Outcome string // repaired, confirmed or gone; "" = not known yet
}

// Problem is one thing that is wrong, in the reader's language.
type Problem struct {
	Kind   string
	Text   string
	Do     string
	Detail string // what the machine said, in English
	Since  time.Time
	Told   bool // it has lasted long enough to be told
}

// Held is an export, or rows of a store's shelf, that wait for somebody to decide.
type Held struct {
	Finding  string // of rows: what approve and reject call it; "" for an export
	Drop     int64  // of an export, like Name and Feed
	Name     string
	Feed     string
	Store    string // "" for all of them
	ID       string // of the store, "" for all of them
	Since    time.Time
	Findings []Finding
}

// Finding is one thing that the brake has against what it holds.
type Finding struct {
	Text  string
	Worst []Move // the articles that it is most about
}

// HasRows reports whether it is known of some article in which row of an export it stands.
func (f Finding) HasRows() bool {
	return slices.ContainsFunc(f.Worst, func(m Move) bool { return m.Row != "" })
}

// Move is an article that the brake holds. Prices have a decimal point; one that there is not is "".
type Move struct {
	Key      string
	Row      string // of the export, "" where it is not known
	Old, New string
}

// Store is one shelf of a store.
type Store struct {
	ID, Name string // both "" for all of them
	Shelf    string // catalog, promotions or assortment
	Same     int
	Differs  int
	Pending  int
	Withheld int
	Verified time.Time
	Next     time.Time
	Settled  bool
	Jobs     int    // requests that the platform works on
	NotTaken int    // rows that the platform did not take
	Problem  string // in words
	Held     bool   // the brake holds something of it
	Paused   bool
}

// Loud reports whether somebody should look at a shelf.
func (s Store) Loud() bool {
	return s.Problem != "" || s.Held || s.Paused || s.NotTaken > 0 || s.Withheld > 0
}

// Feed is one kind of export.
type Feed struct {
	Name    string
	Folder  string
	Drop    string // number and name of the last one, "" before the first
	Seq     int64  // its number
	Came    time.Time
	State   string // seen, read or rejected
	Rows    int
	Issues  int
	Waiting []string // files that are not taken yet
	Problem string
}

// Delivery is a document on its way, or one that arrived.
type Delivery struct {
	Name     string
	Store    string // "" for all of them
	State    string
	Rows     int
	Attempts int
	Next     time.Time
	Stopped  bool   // it is not tried again before somebody has done something
	Why      string // in words
	Detail   string // what the machine said, in English

	// Of one that arrived. A time that there is not is zero.
	Planned, Began, Verified time.Time
	Proof                    string // digest, size, closed or accepted
	Fate                     string // what is known to have become of it, "" = nothing yet
	FateAt                   time.Time
}

// Job is something that the platform works on by itself.
type Job struct {
	ID       string
	Kind     string // catalog or promotion
	Store    string // "" for all of them
	Ours     bool   // it works on a request of ours
	Drops    []int64
	Rows     int
	Made     time.Time
	Status   string // as the platform says
	Ended    time.Time
	Heard    string // how its end is known: event, poll, silent or lost
	NotTaken int
	Refused  []Refusal // the first rows that it did not take
	Problem  string    // what the machine said, in English
}

// Refusal is a row that the platform did not take.
type Refusal struct {
	Article string
	Reason  string // its words
	Drop    int64  // the export that it comes from, 0 = not known
	Row     int    // in it, 0 = not known
	At      time.Time
	Store   string
}

// Audit is the newest audit of a store.
type Audit struct {
	Store   string
	At      time.Time
	Sent    int
	Same    int
	Unknown int // that the platform does not know
	Drifted int // that it shows otherwise
	Unsent  int // that it has and that were not sent
	Error   string
}

// Loud reports whether somebody should look at an audit.
func (a Audit) Loud() bool { return a.Error != "" || a.Unknown+a.Drifted > 0 }
