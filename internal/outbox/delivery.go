package outbox

import (
	"context"
	"errors"
	"time"
)

// ErrLost is wrapped by errors of a Remote whose connection is gone: every further call on that Remote would fail too.
var ErrLost = errors.New("connection lost")

// By is how deliveries travel. Each way has its own login and its own hold: one that is refused stops nothing of the other.
type By string

// The ways to the platform.
const (
	BySFTP By = "sftp" // as files
	ByAPI  By = "api"  // as requests to its REST interface
)

// Delivery is a document on its way to one remote name. Of a request, folder and name only tell it from others.
type Delivery struct {
	ID     int64
	Target string // whose shelf it is; one target's deliveries go in the order of their ids
	Folder string // remote folder as configured, relative to the login's home
	Name   string // final remote name

	Path   string // the document's bytes, a file of ours that does not change
	Size   int64
	SHA256 string // hex
	Rows   int

	Attempts int     // begun so far, this one not counted
	Foreign  bool    // the last of them ended at a file that is not ours
	Known    []int64 // sizes of files that we began to put under this name and that may lie there
	Adopt    bool    // an admin said that whatever lies there may be replaced

	// Previous is our last document that was verified under this name, nil where there is none. Where a file can only be written in
	// place, it is written back when the new one can't be.
	Previous *Document
}

// Document is a file of ours that was sent before.
type Document struct {
	Path   string // it may have been purged since
	Size   int64
	SHA256 string // hex
}

// Proof is how well a receipt proves that the bytes arrived.
type Proof string

// The proof levels, best first. The best one the server allows is "verified" there.
const (
	ProofDigest Proof = "digest" // read back and hashed
	ProofSize   Proof = "size"   // the server says the size is right
	ProofClosed Proof = "closed" // the server took every byte and closed the file without complaint

	// ProofAccepted is of requests: the platform answered that it took it, and has not said yet what it made of it.
	ProofAccepted Proof = "accepted"
)

// Receipt is the proof for bytes: what lies, or lay, under the final name.
type Receipt struct {
	Size     int64
	SHA256   string // of the bytes sent, hex
	Proof    Proof
	Way      string    // how the name was taken: one of the ways
	Job      string    // of a request: the platform's job that works on it; "" = there is none to follow
	Done     bool      // of a request: it was worked on at once
	Replaced bool      // a file of ours lay under the name before
	At       time.Time // when it was verified

	// Skew is how far the server's clock is ahead of ours by the time of the file, where SkewKnown. It is right to a second.
	Skew      time.Duration
	SkewKnown bool
	Passport  string // in one line, what the server was known to allow
}

// Seen is what a look at a remote name found.
type Seen struct {
	Exists bool
	Size   int64
}

// Fate is what became of a verified file.
type Fate string

// The fates.
const (
	FateKept  Fate = "kept"  // still there, with our size, after the read window: it was there to be read
	FateTaken Fate = "taken" // put on an absent name, not replaced, gone: somebody took it
	FateAgain Fate = "again" // gone, but it had replaced another file: which of the two was read is not known, so it goes once more
	FateAlien Fate = "alien" // something else lies there: not ours

	// Of requests.

	FateConfirmed Fate = "confirmed" // the platform worked on it, and told what it did not take
	FateSilent    Fate = "silent"    // the platform told of no end for so long that it is taken as worked on
)

// Class says what kind of failure stopped an attempt, and with it what happens next.
type Class string

// The classes.
const (
	Transient   Class = "transient"   // network, timeouts, a busy server: again later, with back-off
	Credentials Class = "credentials" // login refused: one attempt, then everything waits until the login changes or an admin says so
	HostKey     Class = "host-key"    // the server is not the pinned one: nothing is sent; asked again now and then, before any login
	Permission  Class = "permission"  // the server refuses the folder or the file: again later, told at once
	NoSpace     Class = "no-space"    // the server is full: again later, told at once
	Protocol    Class = "protocol"    // the server's answers make no sense: the connection is cut; again later, told at once
	Foreign     Class = "foreign"     // a file that we did not put lies under our name: held until an admin adopts it
	Local       Class = "local"       // our own document can't be read: parked, our bug or our disk
	Refused     Class = "refused"     // the platform does not take what the request says: parked, a person's turn
)

// Failure is an error with its class. Errors without one are Transient.
type Failure struct {
	Class Class
	Err   error
}

// Error implements error.
func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap implements errors.Unwrap.
func (f *Failure) Unwrap() error { return f.Err }

// Parks reports whether a failure can't be healed by another attempt: a person's turn.
func (c Class) Parks() bool { return c == Foreign || c == Local || c == Refused }

// Remote is a connection to the platform's server. A Remote may be used by several goroutines at once, for different names.
type Remote interface {
	// Room waits until an attempt at d may begin: what only waits for others that are on their way has not begun, and can still be
	// superseded or paused. Leave must be called once the attempt has ended. On an error, of ctx or of the connection, none may begin.
	Room(ctx context.Context, d Delivery) (leave func(), err error)
	// Replace puts d's bytes under its final name, by the safest way that the server allows, and returns the proof. Where any rename
	// works, the name never shows a partial file. When it fails, the file that lay there before still lies there, or is put back.
	// Errors are *Failure where the class is known.
	Replace(ctx context.Context, d Delivery) (Receipt, error)
	// Look says what lies under a name now. A missing folder is a missing file.
	Look(ctx context.Context, folder, name string) (Seen, error)
	// Sweep looks for folder, and at names that are about to be replaced there. It returns what removes the temporary files of ours that
	// an earlier attempt left, which may run beside any other call, once, and not after Close. The end of its context may cut the
	// connection, as that of any call's.
	Sweep(ctx context.Context, folder string, names []string) (rest func(ctx context.Context) error, err error)
	// Close ends the connection.
	Close() error
}

// Pending is a verified delivery whose fate is not known yet.
type Pending struct {
	ID           int64
	Folder, Name string
	Size         int64
	Replaced     bool
	VerifiedAt   time.Time
}

// Hold is why nothing is sent at all: a refused login.
type Hold struct {
	Class Class
	Login string // fingerprint of the login that was refused; another one ends the hold
	Text  string
	At    time.Time
}

// Queue is where deliveries wait; package store has it. Every method is one durable transaction, and safe to repeat.
type Queue interface {
	// Due lists the deliveries to attempt at now: at most one per target and remote name, the oldest first. It is asked while no
	// attempt is under way: a delivery that was begun and whose end was never written down, by a stopped process or on a full disk,
	// is due at once.
	Due(ctx context.Context, now time.Time) ([]Delivery, error)
	// Begin records that an attempt begins. From here on the delivery's keys may be read by the platform.
	// It returns false when the delivery was superseded or paused in the meantime, or ctx has ended, and must not be sent.
	Begin(ctx context.Context, id int64, now time.Time) (bool, error)
	// Verified records the receipt; with the last one of a plan, what was sent moves.
	Verified(ctx context.Context, id int64, r Receipt) error
	// Deferred records a failed attempt and when the next one is due.
	Deferred(ctx context.Context, id int64, next time.Time, class Class, text string) error
	// Parked records a delivery that must not be tried again by itself.
	Parked(ctx context.Context, id int64, class Class, text string) error
	// Pending lists verified deliveries whose fate is to be looked at: at now, or all of a remote name that is about to be replaced.
	Pending(ctx context.Context, now time.Time) ([]Pending, error)
	// Fate records what became of a verified delivery.
	Fate(ctx context.Context, id int64, fate Fate, now time.Time) error
	// Held returns the hold that is in force, or nil.
	Held(ctx context.Context) (*Hold, error)
	// SetHold puts a hold in force, or ends it with nil.
	SetHold(ctx context.Context, h *Hold) error
	// Next returns when something becomes due after now, zero when nothing will.
	Next(ctx context.Context, now time.Time) (time.Time, error)
}
