package outbox

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Feature is something that servers differ in.
type Feature string

// The features. Each is tried in the login's home folder, which the platform ignores, never in a folder that it scans.
const (
	Home           Feature = "home"             // files can be written in the home folder; where not, the rest can't be tried
	DotNames       Feature = "dot-names"        // a name may begin with a dot
	PosixRename    Feature = "posix-rename"     // renames over a file by the extension, in one step
	RenameOver     Feature = "rename-over"      // plain rename replaces a file
	Rename         Feature = "rename"           // plain rename to a free name
	RenameAcross   Feature = "rename-across"    // from one folder to another, by the best of the above
	Setstat        Feature = "setstat"          // changes mode or times; never needed, shown for people
	Stat           Feature = "stat"             // tells of a single path
	StatAfterClose Feature = "stat-after-close" // and of a file that was just written
	List           Feature = "list"             // tells what lies in a folder
	ReadBack       Feature = "read-back"        // lets us read what we wrote
	Delete         Feature = "delete"           // removes a file
	Fsync          Feature = "fsync"            // writes a file through to its disk when asked
	EatsOnClose    Feature = "eats-on-close"    // takes a file away as soon as it is closed
)

// Features returns all features, in the order in which people read them.
func Features() []Feature {
	return []Feature{
		Home, DotNames, PosixRename, RenameOver, Rename, RenameAcross, EatsOnClose, Stat, StatAfterClose, List, ReadBack, Delete, Setstat, Fsync,
	}
}

// Ability says whether a server has a feature.
type Ability string

// The abilities. What was not tried, or not told apart, is Unknown.
const (
	Unknown Ability = ""
	Can     Ability = "yes"
	Cannot  Ability = "no"
)

// The ways a final name is taken, as receipts name them.
const (
	WayPosixRename = "posix-rename" // renamed over what lay there, in one step
	WayRenameOver  = "rename-over"  // renamed over a file by a server whose plain rename replaces
	WayRename      = "rename"       // renamed to a name that was free
	WayAside       = "aside"        // the old file was moved aside first
	WayDirect      = "direct"       // written under its final name, since no rename works there

	WayRequest = "request" // no name: the body of a request
)

// ProbeTries is how often a server is probed that breaks off each time. What is known by then is used from there on.
const ProbeTries = 3

// Passport is what a server was found to allow one login, and with it the safest way to replace a file there. The zero value knows nothing.
type Passport struct {
	At        time.Time           `json:"at"`
	Server    string              `json:"server"` // the software, as it names itself
	Abilities map[Feature]Ability `json:"abilities"`
	Sessions  int                 `json:"sessions,omitempty"` // on one connection, as far as was asked for; 0 not known
	Files     int                 `json:"files,omitempty"`    // open for writing at once, as far as was asked for; 0 not known
	Most      int                 `json:"most,omitempty"`     // at once, since more were refused in use; 0 where none was. It grows again in use; a probe forgets it

	// Skew is how far the server's clock is ahead of ours, where it tells the time of a file.
	Skew      time.Duration `json:"skew"`
	SkewKnown bool          `json:"skew_known"`

	// Probing is the number that the files of a probe have that began and is not known to have ended: whoever probes or sweeps next removes
	// them. 0 where there is none.
	Probing int64 `json:"probing,omitempty"`

	Left    []string  `json:"left,omitempty"`     // what the probe wrote and could not remove
	Broke   string    `json:"broke,omitempty"`    // the step at which the connection ended; what follows it is not known
	Tries   int       `json:"tries,omitempty"`    // probes that broke off
	Doubts  []Feature `json:"doubts,omitempty"`   // what use has contradicted since; the server is probed again
	InUse   []Feature `json:"in_use,omitempty"`   // what use contradicted and a probe would say otherwise: use counts
	DoubtBy string    `json:"doubt_by,omitempty"` // the server's words to the last contradiction
}

// Says returns what is known of a feature.
func (p Passport) Says(f Feature) Ability { return p.Abilities[f] }

// Has reports whether the server is known to have a feature.
func (p Passport) Has(f Feature) bool { return p.Abilities[f] == Can }

// Lacks reports whether the server is known not to have a feature.
func (p Passport) Lacks(f Feature) bool { return p.Abilities[f] == Cannot }

// With returns the passport with one more thing known.
func (p Passport) With(f Feature, a Ability) Passport {
	p.Abilities = maps.Clone(p.Abilities)
	if p.Abilities == nil {
		p.Abilities = make(map[Feature]Ability)
	}
	p.Abilities[f] = a
	return p
}

// Doubted returns the passport after use has shown that a feature is not what the passport said.
func (p Passport) Doubted(f Feature, a Ability, by string) Passport {
	p = p.With(f, a)
	p.DoubtBy = by
	if !slices.Contains(p.Doubts, f) {
		p.Doubts = append(slices.Clone(p.Doubts), f)
	}
	return p
}

// Renewed returns a fresh passport in place of p. What use had contradicted keeps what use has shown: a folder may be stricter than
// the home that is probed, and to believe the probe once more would fail once more.
func (p Passport) Renewed(fresh Passport) Passport {
	for _, f := range slices.Concat(p.Doubts, p.InUse) {
		if fresh.Says(f) != p.Says(f) {
			fresh = fresh.With(f, p.Says(f))
			fresh.InUse = append(slices.Clone(fresh.InUse), f)
		}
	}
	if fresh.Broke != "" {
		fresh.Tries = p.Tries + 1
	}
	return fresh
}

// Stale reports whether the server should be probed again: something contradicts the passport, or the probe broke off.
func (p Passport) Stale() bool {
	return p.At.IsZero() || len(p.Doubts) > 0 || p.Broke != "" && p.Tries < ProbeTries
}

// Way returns how a file is replaced there. What is not known is taken for the weaker one, and found out in use.
func (p Passport) Way() string {
	switch {
	case p.Has(EatsOnClose):
		return WayDirect
	case p.Has(PosixRename):
		return WayPosixRename
	case p.Has(RenameOver):
		return WayRenameOver
	case p.Lacks(Rename):
		return WayDirect
	default:
		return WayAside
	}
}

// Proof returns the best proof that the server allows for a file of a size, where files of up to readBack bytes are read back.
func (p Passport) Proof(size, readBack int64) Proof {
	switch {
	case p.Has(ReadBack) && !p.Has(EatsOnClose) && readBack > 0 && size <= readBack:
		return ProofDigest
	case p.Has(StatAfterClose) || p.Has(List) || p.Has(EatsOnClose) && p.Has(Stat):
		return ProofSize
	default:
		return ProofClosed
	}
}

// guarantees says what holds while a file is replaced, by the way.
var guarantees = map[string]string{
	WayPosixRename: "the name is never absent and never shows a part of a file",
	WayRenameOver:  "the name never shows a part of a file, and is never absent where the server renames in one step",
	WayAside: "the name never shows a part of a file, and is absent for one or two round trips; " +
		"the old file is put back when the new one can't take its place",
	WayDirect: "no rename works there, so a reader may see a part of a file while it is written; the old one is written back when that fails",
}

const eatenGuarantee = "files are taken away as soon as they are closed, so each is written under its name in one go; " +
	"one that is cut in the middle may be taken in part, and is sent again first thing"

// Line says in one line how a file is replaced there, what holds meanwhile, and how arrival is proved.
func (p Passport) Line(readBack int64) string {
	if p.At.IsZero() {
		return "not known yet: the server is probed at the first connection"
	}
	way := p.Way()
	guarantee := guarantees[way]
	if p.Has(EatsOnClose) {
		guarantee = eatenGuarantee
	}
	line := way + ": " + guarantee + "; proof by " + string(p.Proof(0, readBack))
	if p.Proof(0, readBack) == ProofDigest {
		line += fmt.Sprintf(" up to %.4g MB, by %s beyond", float64(readBack)/1e6, p.Proof(readBack+1, readBack))
	}
	if p.Lacks(Home) {
		line += "; nothing can be written in the home folder, so most was not tried and is found out in use"
	}
	if p.SkewKnown && p.Skew.Abs() >= time.Second {
		side := "ahead"
		if p.Skew < 0 {
			side = "behind"
		}
		line += fmt.Sprintf("; its clock is %s %s", p.Skew.Abs().Round(time.Second), side)
	}
	if p.Most > 0 {
		line += fmt.Sprintf("; in use it refused more than %d files at once", p.Most)
	}
	if len(p.InUse) > 0 {
		line += "; in use it refused " + joined(p.InUse)
	}
	if len(p.Doubts) > 0 {
		line += "; it is probed again, since use contradicts " + joined(p.Doubts)
	}
	return line
}

func joined(features []Feature) string {
	words := make([]string, len(features))
	for i, f := range features {
		words[i] = string(f)
	}
	return strings.Join(words, ", ")
}
