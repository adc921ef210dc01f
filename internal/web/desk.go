package web

import (
	"context"
	"time"
)

// Desk is where decisions are taken. What it declines with a [Declined] is told to the reader as it says; any other error is ours.
type Desk interface {
	// Question returns what there is to decide on something that is held: a finding such as F7, or the number of a drop.
	Question(ctx context.Context, what string) (Question, error)
	// Decide takes a decision. It is declined where what was shown is no longer what is held.
	Decide(ctx context.Context, d Decision) error
	// Pauses returns the pauses in force, and the stores that can be paused.
	Pauses(ctx context.Context) (Pauses, error)
	// Pause keeps everything from beginning to leave.
	Pause(ctx context.Context, p PauseOrder) error
	// Resume ends the pause of a store, or all of them for "". It returns how many there were.
	Resume(ctx context.Context, store, who string) (int, error)
}

// Question is something held that somebody is to decide on.
type Question struct {
	What string // what it is decided by: F7, or a drop's number
	Seen string // names all that is shown here; another one is another question

	Drop int64 // of an export, like Name and Feed
	Name string
	Feed string

	Findings []HeldPart
	Rejects  bool     // it can be rejected
	Along    []string // other drops, held in the same places, that the brake looks at again when this one is approved
	Covers   time.Duration
}

// HeldPart is one thing that the brake has found.
type HeldPart struct {
	Store string // "" for all of them
	Text  string
	Worst []HeldRow // those that it is most about, where it is about rows
}

// HeldRow is one article of it. A price that there is not is "".
type HeldRow struct {
	Key      string
	Line     int // of the export, 0 where it is not known
	Old, New string
}

// Decision is what somebody decided.
type Decision struct {
	What    string
	Seen    string // of the question that was shown
	Approve bool   // or reject
	Who     string
}

// Pauses is what is paused, and what can be.
type Pauses struct {
	Now    []PauseNow
	Stores []StoreName
}

// PauseNow is a pause in force.
type PauseNow struct {
	Store string // its id, "" for all of them
	Text  string // whose, since when, until when and why, in words
}

// StoreName is a store with what people call it.
type StoreName struct{ ID, Name string }

// PauseOrder is what somebody wants paused.
type PauseOrder struct {
	Stores []string  // ids; none = every store
	Until  time.Time // zero = until somebody ends it
	Reason string
	Who    string
}

// Declined is why something is not done, for the reader.
type Declined struct {
	Phrase string // what the words are called
	Args   []any
}

// Error implements error.
func (d *Declined) Error() string { return "declined: " + d.Phrase }
