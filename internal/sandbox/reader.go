package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// Status is where a job stands, or how it ended.
type Status string

// The statuses.
const (
	Completed Status = "COMPLETED" // the file was read; rows of it may still have been rejected
	Failed    Status = "FAILED"    // nothing of the file was applied
	Ignored   Status = "IGNORED"   // the file is never synchronised: its name is wrong, or it lies where the platform does not look

	// Of jobs that came as requests.

	Queued     Status = "QUEUED"
	InProgress Status = "IN_PROGRESS"
	Duplicate  Status = "DUPLICATE" // the same promotion came before, unchanged
)

// The reasons of jobs that did not complete; ReasonMalformed, ReasonColumn and ReasonMissing are followed by ": " and a
// detail.
const (
	ReasonFolder    = "wrong folder"
	ReasonName      = "wrong name"
	ReasonVendor    = "unknown vendor"
	ReasonBOM       = "byte order mark"
	ReasonEncoding  = "not UTF-8"
	ReasonMalformed = "malformed csv"
	ReasonNoHeader  = "no header"
	ReasonColumn    = "wrong column"
	ReasonNoKey     = "neither sku nor barcode column"
	ReasonNoVendors = "no vendors column"
	ReasonTooLong   = "too many rows"
	ReasonMissing   = "missing column"                              // of promotions
	ReasonMixed     = "vendors or exclude not the same on each row" // of promotions
)

// MaxRowErrors is how many row errors a job keeps; Rejected counts on.
const MaxRowErrors = 1000

// Job is what became of one reading of one file, and an element of /jobs.json.
type Job struct {
	ID       string     `json:"job_id"` // shaped as a UUID, counting up
	At       time.Time  `json:"at"`
	File     string     `json:"file"`   // relative to home
	SHA256   string     `json:"sha256"` // of the bytes that were read, hex
	Vendor   string     `json:"vendor"` // of single-vendor files
	Status   Status     `json:"status"`
	Reason   string     `json:"reason,omitempty"` // why not completed
	Rows     int        `json:"rows"`             // without the header
	Applied  int        `json:"applied"`          // rows that at least one store took
	Rejected int        `json:"rejected"`         // row errors in all
	Errors   []RowError `json:"errors,omitempty"` // the first MaxRowErrors of them
}

// RowError is why a row, or for one store of a multi-vendor row the row's effect there, was rejected.
type RowError struct {
	Line    int    `json:"line"` // of the file, the header's is 1
	SKU     string `json:"sku"`
	Barcode string `json:"barcode,omitempty"`
	Vendor  string `json:"vendor,omitempty"` // of multi-vendor files, where only one store is meant
	Reason  string `json:"reason"`
}

// reader is the process that looks for files and puts them on the shelves.
type reader struct {
	opts   *Options
	files  *tree
	stores *stores

	ended func(*Job) // is told of every job; set before the first one

	scan sync.Mutex       // one scan, or job that came as a request, at a time
	seen map[string]stamp // last reading of what lies there; guarded by scan
	dice *rand.Rand       // nil: sorted order; guarded by scan

	started int // promotions that were started so far; guarded by scan

	mu   sync.Mutex
	jobs []Job // guarded by mu
}

// singleFile is the only prefix that files in the folder Assortment may have.
const singleFile = "assortment"

// stamp is what a file looked like when it was read.
type stamp struct {
	modified time.Time
	size     int64
	sha256   string
}

// newReader returns a reader that has read nothing yet.
func newReader(o *Options, files *tree, s *stores) *reader {
	r := &reader{opts: o, files: files, stores: s, seen: map[string]stamp{}}
	if o.OrderSeed != 0 {
		r.dice = rand.New(rand.NewPCG(o.OrderSeed, 0)) // a repeatable order is the point
	}
	return r
}

// Scan looks for files now, as the platform does every ScanEvery, and returns what came of those that were new or had changed.
func (s *Sandbox) Scan() []Job { return s.reader.run() }

// Jobs returns all jobs so far, oldest first.
func (s *Sandbox) Jobs() []Job {
	s.reader.mu.Lock()
	defer s.reader.mu.Unlock()
	return slices.Clone(s.reader.jobs)
}

// run is one look at all files.
func (r *reader) run() []Job {
	r.scan.Lock()
	defer r.scan.Unlock()
	names := r.names()
	for name := range r.seen {
		if !slices.Contains(names, name) {
			delete(r.seen, name)
		}
	}
	if r.dice != nil {
		r.dice.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	}
	var jobs []Job
	for _, name := range names {
		if job, ok := r.file(name); ok {
			jobs = append(jobs, job)
		}
	}
	return jobs
}

// names lists the files that matter, sorted: those in the home root, which are only noted, and those in the folders for catalogue,
// promotions and single files, in whatever spelling. Other folders, hidden names and names that don't end in .csv are nothing to the platform.
func (r *reader) names() []string {
	var out []string
	for _, e := range r.entries(".") {
		switch {
		case e.IsDir() && r.opts.kind(e.Name()) != noKind:
			for _, f := range r.entries(e.Name()) {
				if f.Type().IsRegular() && isFinal(f.Name()) {
					out = append(out, path.Join(e.Name(), f.Name()))
				}
			}
		case e.Type().IsRegular() && isFinal(e.Name()):
			out = append(out, e.Name())
		}
	}
	slices.Sort(out)
	return out
}

// entries lists a folder, sorted by name; as much of it as can be listed.
func (r *reader) entries(dir string) []fs.DirEntry {
	entries, err := fs.ReadDir(r.files.root.FS(), dir)
	if err != nil {
		r.opts.Log.Warn("folder not listed; look at its permissions", "folder", dir, "error", err)
	}
	return entries
}

// file reads one file, unless it is the same as last time, and does what it says.
func (r *reader) file(name string) (Job, bool) {
	data, now, err := r.read(name)
	if err != nil {
		// It was renamed, removed or replaced between the listing and the opening: the next scan sees what is there then.
		r.opts.Log.Debug("file not read", "file", name, "error", err)
		return Job{}, false
	}
	if last, ok := r.seen[name]; ok && last.size == now.size && last.sha256 == now.sha256 && last.modified.Equal(now.modified) {
		r.opts.Log.Debug("unchanged", "file", name)
		return Job{}, false
	}
	r.seen[name] = now
	job := Job{At: r.opts.Now(), File: name, SHA256: now.sha256, Status: Completed}
	k := r.opts.kind(path.Dir(name))
	vendor, named := vendorOf(path.Base(name))
	switch {
	case !r.opts.scanned(k):
		job.Status, job.Reason = Ignored, ReasonFolder
	case !named, k == kindAssortment && path.Base(name) != singleFile+"_"+vendor+".csv":
		job.Status, job.Reason = Ignored, ReasonName
	default:
		job.Vendor = vendor
		if r.opts.OnRead != nil {
			r.opts.OnRead(name)
		}
		switch r.opts.Fate {
		case Eat:
			r.eat(name)
		case Move:
			r.move(name)
		}
		r.apply(&job, k, data)
	}
	r.record(&job)
	return job, true
}

// closed takes a file away that a client has closed, and reads it first if it is one of ours to read.
func (r *reader) closed(name string) {
	r.scan.Lock()
	defer r.scan.Unlock()
	if isFinal(path.Base(name)) {
		if job, ok := r.file(name); ok && job.Status != Ignored && r.opts.Fate == Eat {
			return // it is eaten
		}
	}
	r.eat(name)
}

// read opens a file and reads it whole before anything is done with it, so that replacing the name meanwhile changes nothing. A file
// that is being written in place is read as far as it is there: the platform can't know better.
func (r *reader) read(name string) ([]byte, stamp, error) {
	f, err := r.files.root.Open(name)
	if err != nil {
		return nil, stamp{}, fmt.Errorf("open %s: %w", name, err)
	}
	defer func() { _ = f.Close() }() // read only
	info, err := f.Stat()
	if err != nil {
		return nil, stamp{}, fmt.Errorf("look at %s: %w", name, err)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, stamp{}, fmt.Errorf("read %s: %w", name, err)
	}
	digest := sha256.Sum256(data)
	return data, stamp{modified: info.ModTime(), size: int64(len(data)), sha256: hex.EncodeToString(digest[:])}, nil
}

// eat deletes a name. It does not look at what lies there by now: a platform on object storage could not tell either.
func (r *reader) eat(name string) {
	delete(r.seen, name)
	r.files.mu.Lock()
	defer r.files.mu.Unlock()
	err := plain(r.files.root.Remove(name))
	n := r.files.log.add(Op{Kind: OpEat, Path: name}, err)
	if err == nil {
		r.files.log.removed(n, OpEat, name)
	}
}

// move moves a name away, likewise without looking.
func (r *reader) move(name string) {
	delete(r.seen, name)
	to := path.Join(path.Dir(name), MovedTo, path.Base(name))
	r.files.mu.Lock()
	defer r.files.mu.Unlock()
	err := r.files.root.Mkdir(path.Dir(to), 0o755)
	if err == nil || errors.Is(err, fs.ErrExist) {
		err = r.files.root.Rename(name, to)
	}
	n := r.files.log.add(Op{Kind: OpMove, Path: name, To: to}, plain(err))
	if err == nil {
		r.files.log.moved(n, OpMove, name, to, &content{})
	}
}

// record files a job away.
func (r *reader) record(job *Job) {
	r.mu.Lock()
	job.ID = fmt.Sprintf("00000000-0000-4000-8000-%012d", len(r.jobs)+1)
	r.jobs = append(r.jobs, *job)
	r.mu.Unlock()
	if job.Status == Ignored {
		r.opts.Log.Warn("file is never synchronised; correct its folder or name", "file", job.File, "reason", job.Reason)
		return
	}
	r.opts.Log.Info("file read", "file", job.File, "status", string(job.Status), "reason", job.Reason,
		"rows", job.Rows, "applied", job.Applied, "rejected", job.Rejected)
	r.ended(job)
}

// isFinal reports whether a name is one that the platform would read.
func isFinal(name string) bool {
	return strings.HasSuffix(name, ".csv") && !strings.HasPrefix(name, ".")
}

// vendorOf reads a file name. What follows the last underscore is the vendor; without one the file is for several vendors, and its
// name must hold no digit. ok is false for every other name.
func vendorOf(name string) (vendor string, ok bool) {
	stem := strings.TrimSuffix(name, ".csv")
	at := strings.LastIndexByte(stem, '_')
	if at < 0 {
		return "", isWord(stem, false) && !strings.ContainsAny(stem, "0123456789")
	}
	return stem[at+1:], isWord(stem[:at], true) && isWord(stem[at+1:], false)
}

// isWord reports whether s is one or more letters, digits and hyphens of ASCII, or underscores where they are allowed.
func isWord(s string, underscore bool) bool {
	other := func(c rune) bool {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-'
		return !letter && (c != '_' || !underscore)
	}
	return s != "" && strings.IndexFunc(s, other) < 0
}
