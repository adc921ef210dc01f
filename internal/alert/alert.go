// Package alert knows who is told that a person is needed, and when: once per change of state, never once per attempt.
//
// It is given what is wrong now, over and over, and keeps a [Book] of it: since when, and whether it deserves an alarm. What a person
// has to mend does at once; what may pass by itself does only once it has lasted a while, so that one lost packet wakes nobody. What
// has been alarmed of stays so until it is gone.
//
// A target is a check as healthchecks.io has them, or an address that takes JSON. A [Told] is what one was last told. What it is to
// hear next follows from book and told alone ([Told.Next]), so the newest state wins, and whoever keeps both on disk and writes the
// told down after each message loses nothing to a crash and doubles at most the message that was on its way.
//
// Everything but [Client] is pure. Addresses are secrets: no error and no answer that leaves this package contains one.
package alert

import (
	"slices"
	"time"
)

// Kind is what sort of problem it is.
type Kind string

// The kinds.
const (
	Config      Kind = "config"      // the config was changed and has mistakes: the one before goes on
	Unreachable Kind = "unreachable" // the server does not answer, or the line to it breaks
	Credentials Kind = "credentials" // it refused the login: nothing is sent until a person acts
	Login       Kind = "login"       // our own login can't be read, so the server is not asked
	HostKey     Kind = "host-key"    // it is not the pinned server: nothing is sent
	Permission  Kind = "permission"  // it refuses the folder or the file
	Full        Kind = "full"        // its disk is full
	Foreign     Kind = "foreign"     // a file that is not ours lies under our name
	Refused     Kind = "refused"     // the platform does not take what a request says
	Parked      Kind = "parked"      // a document that is not tried again by itself
	Held        Kind = "held"        // an export that the brake holds
	Drift       Kind = "drift"       // much of what was sent is otherwise at the platform
	Folder      Kind = "folder"      // a drop folder that can't be watched
	Answers     Kind = "answers"     // answers that can't be written
	Disk        Kind = "disk"        // too little space of our own
	Trouble     Kind = "trouble"     // something of our own does not work
	Alarm       Kind = "alarm"       // an alarm does not get through; nobody can be told of it, so it is shown only
	Poll        Kind = "poll"        // the platform can't be asked for orders
	Silent      Kind = "silent"      // the platform tells no events: what they should have told comes by asking
	Aside       Kind = "aside"       // events that could not be handled
	Orders      Kind = "orders"      // orders can't be handed to the ERP
	OrderState  Kind = "order-state" // orders are in a state that is not known
	Conflict    Kind = "conflict"    // orders went on after they were cancelled, or may have
)

// slow lists the kinds that may pass by themselves and deserve no alarm before they have lasted.
var slow = []Kind{Unreachable, Login, Folder, Answers, Disk, Trouble, Poll, Orders}

// fleeting lists the kinds that only the running daemon knows of. After a start it takes a moment to meet them again.
var fleeting = []Kind{Folder, Answers, Trouble, Orders}

// linger is how long a fleeting problem must not have been met to be gone: several rounds of the loops that meet it.
const linger = time.Minute

// Problem is one thing that is wrong.
type Problem struct {
	Key    string `json:"key"` // names it for as long as it lasts
	Kind   Kind   `json:"kind"`
	Store  string `json:"store,omitempty"`  // id of the store it is about, where it is about one
	Code   string `json:"code,omitempty"`   // of the brake's finding
	Text   string `json:"text"`             // what is wrong, for people
	Do     string `json:"do"`               // what to do
	Detail string `json:"detail,omitempty"` // what the machine said, word for word
}

// State is how things stand as a whole.
type State string

// The states, the worst last.
const (
	OK      State = "ok"
	Waiting State = "held"    // an export waits for a person; everything else goes on
	Failing State = "failing" // something does not work
	Stopped State = "stopped" // nothing is sent until a person acts
	Test    State = "test"    // of a message that only tries the way
)

// stateOf returns the state that problems of these kinds make.
func stateOf(kinds []Kind) State {
	switch {
	case slices.Contains(kinds, Credentials):
		return Stopped
	case slices.ContainsFunc(kinds, func(k Kind) bool { return k != Held }):
		return Failing
	case len(kinds) > 0:
		return Waiting
	}
	return OK
}
