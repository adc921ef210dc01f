package sandbox

import (
	"errors"
	"sync"
)

// Faults are the switches that break the servers at run time. All may be used at any moment, from any goroutine; they hold for
// existing sessions too unless they say otherwise.
//
// The faults of an upload (CutAfter, StallAfter, HangAfter) are armed for the next file that is opened for writing and are used up
// by it, whether or not it gets as far as n bytes. n counts bytes that arrived, at whatever offset; 0 strikes at the first one.
type Faults struct {
	mu          sync.Mutex
	refuse      bool
	down        bool
	silent      bool
	readOnly    bool
	noSpace     limit
	armed       strike
	cutOn       Kind
	cutDone     bool
	logins      int
	api         apiFaults
	gate        *gate
	connections func() []*line // of the sandbox, to cut and thaw them
	rotate      func() (string, error)
}

// limit is a number of bytes that may not be set.
type limit struct {
	set bool
	n   int64
}

// strike is what happens to an upload at some byte.
type strike struct {
	kind  strikeKind
	after int64
}

type strikeKind int

const (
	noStrike strikeKind = iota
	strikeCut
	strikeStall
	strikeHang
)

var (
	errNoSpace  = errors.New("no space left on device")
	errCut      = errors.New("connection cut")
	errReadOnly = errors.New("read-only file system")
)

// CutAfter cuts the TCP connection once the next upload has n bytes on disk.
func (f *Faults) CutAfter(n int64) { f.arm(strike{strikeCut, n}) }

// StallAfter freezes the TCP connection once the next upload has n bytes on disk: no byte moves in either direction, and nothing
// is closed, as behind a broken router. It ends with Clear, or with the sandbox.
func (f *Faults) StallAfter(n int64) { f.arm(strike{strikeStall, n}) }

// HangAfter leaves the next upload's writes unanswered once it has n bytes on disk, while SSH itself, keep-alives included, goes on
// answering: a server process that sleeps. It ends when the client hangs up.
func (f *Faults) HangAfter(n int64) { f.arm(strike{strikeHang, n}) }

// CutOn cuts the TCP connection at the next operation of a kind that a client asks for (not OpRead, OpEat). With done it is cut
// after the operation took effect but before the answer leaves, so that the client can't know; otherwise nothing happens to the
// files. The operation log has it in both cases. "" disarms it.
func (f *Faults) CutOn(kind Kind, done bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cutOn, f.cutDone = kind, done
}

// NoSpaceAfter fails every write beyond an upload's first n bytes with "no space left on device", as a full disk does. A negative
// n ends it.
func (f *Faults) NoSpaceAfter(n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.noSpace = limit{set: n >= 0, n: n}
}

// ReadOnly refuses everything that changes files with "permission denied".
func (f *Faults) ReadOnly(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readOnly = on
}

// RefuseLogin refuses every login, the right one too. Existing sessions go on.
func (f *Faults) RefuseLogin(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refuse = on
}

// LoginAttempts returns how many passwords and keys were offered so far, right and wrong ones.
func (f *Faults) LoginAttempts() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.logins
}

// Down resets every new connection before a word is said, and cuts the existing ones. The port stays ours, so that the server can
// come back on it.
func (f *Faults) Down(on bool) {
	f.mu.Lock()
	f.down = on
	f.mu.Unlock()
	if on {
		f.CutAll()
	}
}

// Silent takes new connections and says nothing on them, not even the SSH version. Existing ones go on. Clear wakes them.
func (f *Faults) Silent(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.silent = on
}

// CutAll cuts every existing connection. Clients can connect again at once.
func (f *Faults) CutAll() {
	for _, l := range f.connections() {
		l.cut()
	}
}

// RotateHostKey replaces the host key for connections to come, keeps the new one on disk and returns its fingerprint.
func (f *Faults) RotateHostKey() (string, error) { return f.rotate() }

// Clear ends all faults, disarms what is armed and thaws frozen connections. The host key stays as it is, and LoginAttempts too; so do
// expired tokens and blocked addresses.
func (f *Faults) Clear() {
	f.mu.Lock()
	f.refuse, f.down, f.silent, f.readOnly = false, false, false, false
	f.noSpace, f.armed, f.cutOn, f.cutDone = limit{}, strike{}, "", false
	f.api = apiFaults{}
	f.mu.Unlock()
	for _, l := range f.connections() {
		l.thaw()
	}
}

// arm sets what befalls the next upload; it replaces what was armed before.
func (f *Faults) arm(s strike) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = s
}

// takeStrike hands the armed fault to the upload that asks first.
func (f *Faults) takeStrike() strike {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.armed
	f.armed = strike{}
	return s
}

// cutNow reports whether an operation's connection is to be cut, before it or when it is done, and disarms the fault.
func (f *Faults) cutNow(kind Kind, done bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cutOn == "" || f.cutOn != kind || f.cutDone != done {
		return false
	}
	f.cutOn = ""
	return true
}

// space returns how much of an n byte write fits, an upload having written so far bytes.
func (f *Faults) space(sofar, n int64) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.noSpace.set {
		return n
	}
	return min(n, max(0, f.noSpace.n-sofar))
}

// attempt counts a login and reports whether it is refused whatever it is.
func (f *Faults) attempt() (refused bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.logins++
	return f.refuse
}

// mood returns how new connections are met.
func (f *Faults) mood() (down, silent bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.down, f.silent
}

// isReadOnly reports whether changes are refused.
func (f *Faults) isReadOnly() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.readOnly
}
