package sandbox

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// JobKind is what a job of the REST interface does.
type JobKind string

// The kinds.
const (
	JobCatalog   JobKind = "catalog"
	JobPromotion JobKind = "promotion"
	JobExport    JobKind = "export"
)

// APIJob is a job that came as a request (or, with RESTRules.SFTPEvents, as a file), and an element of /api-jobs.json.
type APIJob struct {
	ID       string    `json:"job_id"` // shaped as a UUID, counting up
	Kind     JobKind   `json:"kind"`
	Vendor   string    `json:"vendor,omitempty"` // of jobs about one store
	Status   Status    `json:"status"`
	Created  time.Time `json:"created_at"`
	Updated  time.Time `json:"updated_at"`
	Items    int       `json:"items"`    // products, or pairs of article and store of a promotion
	Rejected int       `json:"rejected"` // of them
	// Sequence counts jobs in the order in which they ended, from 1; 0 is one that has not.
	Sequence int `json:"sequence"`
}

// The states of items in feedback. What they are called is not known outside.
const (
	itemTaken    = "ACCEPTED"
	itemRejected = "REJECTED"
)

// itemFeedback is what became of one product.
type itemFeedback struct {
	SKU     string            `json:"sku"`
	Status  string            `json:"status"`
	Reasons []rejectionReason `json:"rejection_reasons"`
}

// rejectionReason is why a product was rejected.
type rejectionReason struct {
	Data   string `json:"rejected_data"`
	Reason string `json:"rejected_reason"`
}

// apiJob is a job with what it does and what came of it. Guarded by apiJobs.mu, but for work.
type apiJob struct {
	APIJob
	work func() jobResult // carried out once, one job at a time

	result jobResult
}

// jobResult is what came of a job.
type jobResult struct {
	status         Status
	items          []itemFeedback      // of the catalogue
	badVendors     []string            // of promotions, as are the next two
	missing        map[string][]string // vendor -> SKUs
	badPrices      map[string][]string // likewise
	pairs, refused int
	file           []byte // what can be downloaded
}

// apiJobs are the jobs that came as requests.
type apiJobs struct {
	opts   *Options
	agenda *agenda
	turn   *sync.Mutex // the reader's: one job or scan at a time
	ended  func(*apiJob)

	mu   sync.Mutex
	list []*apiJob  // oldest first; guarded by mu
	seq  int        // guarded by mu
	dice *rand.Rand // nil: in their order; guarded by mu
}

func newAPIJobs(o *Options, turn *sync.Mutex, ended func(*apiJob)) *apiJobs {
	j := &apiJobs{opts: o, agenda: newAgenda(), turn: turn, ended: ended}
	if o.API.JobSeed != 0 {
		j.dice = rand.New(rand.NewPCG(o.API.JobSeed, 1)) // a repeatable order is the point
	}
	return j
}

// add queues a job and returns it as it is then.
func (j *apiJobs) add(kind JobKind, vendor string, work func(id string) jobResult) APIJob {
	j.mu.Lock()
	now := j.opts.Now()
	id := fmt.Sprintf("00000000-0000-4000-9000-%012d", len(j.list)+1)
	job := &apiJob{
		APIJob: APIJob{ID: id, Kind: kind, Vendor: vendor, Status: Queued, Created: now, Updated: now},
		work:   func() jobResult { return work(id) },
	}
	j.list = append(j.list, job)
	delay := j.opts.API.JobDelay
	if j.dice != nil && delay > 0 {
		delay = time.Duration(j.dice.Int64N(int64(2 * delay)))
	}
	queued := job.APIJob
	j.mu.Unlock()
	if j.opts.API.JobDelay > 0 {
		j.agenda.after(delay, func(context.Context) { j.begin(job, delay) })
	}
	return queued
}

// addFile files away what became of a file, as if it had been a request, and tells of it. The reader's turn is ours.
func (j *apiJobs) addFile(file *Job, promotion bool, feedback func([]itemFeedback) []byte) {
	result := jobResult{status: file.Status, pairs: file.Rows, refused: file.Rejected, missing: map[string][]string{}, badPrices: map[string][]string{}}
	for _, e := range file.Errors {
		vendor, key := either(e.Vendor, file.Vendor), either(e.SKU, e.Barcode)
		result.items = append(result.items, itemFeedback{key, itemRejected, []rejectionReason{{key, e.Reason}}})
		if e.Reason == RowMissing || e.Reason == RowMissingBar {
			result.missing[vendor] = append(result.missing[vendor], key)
		} else {
			result.badPrices[vendor] = append(result.badPrices[vendor], key)
		}
	}
	result.file = feedback(result.items)
	kind := JobCatalog
	if promotion {
		kind = JobPromotion
	}
	j.mu.Lock()
	j.seq++
	job := &apiJob{result: result, APIJob: APIJob{
		ID: file.ID, Kind: kind, Vendor: file.Vendor, Status: file.Status, Created: file.At, Updated: file.At,
		Items: file.Rows, Rejected: file.Rejected, Sequence: j.seq,
	}}
	j.list = append(j.list, job)
	j.mu.Unlock()
	j.ended(job)
}

// begin puts a job in progress; promotions know no such status.
func (j *apiJobs) begin(job *apiJob, delay time.Duration) {
	j.mu.Lock()
	if job.Status == Queued && job.Kind != JobPromotion {
		job.Status, job.Updated = InProgress, j.opts.Now()
	}
	j.mu.Unlock()
	j.agenda.after(delay, func(context.Context) { j.finish(job) })
}

// finish carries a job out, unless it has been.
func (j *apiJobs) finish(job *apiJob) {
	j.turn.Lock()
	defer j.turn.Unlock()
	if j.sequence(job) != 0 {
		return
	}
	result := job.work()
	j.mu.Lock()
	job.result = result
	job.Status, job.Updated = cmp.Or(result.status, Completed), j.opts.Now()
	job.Items, job.Rejected = result.pairs, result.refused
	j.seq++
	job.Sequence = j.seq
	told := job.APIJob
	j.mu.Unlock()
	j.opts.Log.Info("job ended", "job", told.ID, "kind", string(told.Kind), "status", string(told.Status),
		"items", told.Items, "rejected", told.Rejected)
	j.ended(job)
}

func (j *apiJobs) sequence(job *apiJob) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return job.Sequence
}

// open returns the jobs that have not ended, in the order in which they will.
func (j *apiJobs) open() []*apiJob {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []*apiJob
	for _, job := range j.list {
		if job.Sequence == 0 {
			out = append(out, job)
		}
	}
	if j.dice != nil {
		j.dice.Shuffle(len(out), func(a, b int) { out[a], out[b] = out[b], out[a] })
	}
	return out
}

// find returns a copy of a job.
func (j *apiJobs) find(id string) (apiJob, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	at := slices.IndexFunc(j.list, func(job *apiJob) bool { return job.ID == id })
	if at < 0 {
		return apiJob{}, false
	}
	return *j.list[at], true
}

// ProcessJobs ends all jobs that came as requests and have not ended yet, whatever their delay. It must not be called from
// Options.OnRead.
func (s *Sandbox) ProcessJobs() {
	for _, job := range s.jobs.open() {
		s.jobs.finish(job)
	}
}

// APIJobs returns the jobs that came as requests, oldest first.
func (s *Sandbox) APIJobs() []APIJob {
	s.jobs.mu.Lock()
	defer s.jobs.mu.Unlock()
	out := make([]APIJob, 0, len(s.jobs.list))
	for _, job := range s.jobs.list {
		out = append(out, job.APIJob)
	}
	return out
}

// accepted is the answer to a request that became a job.
func accepted(job APIJob) answer {
	return reply(202, struct {
		ID     string `json:"job_id"`
		Status Status `json:"job_status"`
	}{job.ID, job.Status})
}

// getJob answers how a job stands. A job of the other kind is not found, as each has its own path.
func (r *rest) getJob(c *call) answer {
	job, ok := r.jobs.find(c.PathValue("job"))
	if !ok || strings.Contains(c.URL.Path, "/promotion/") != (job.Kind == JobPromotion) {
		return r.refuse(404, "JOB_NOT_FOUND", "no such job")
	}
	return reply(200, r.jobBody(&job))
}

// jobBody is a job as its path shows it.
func (r *rest) jobBody(job *apiJob) any {
	type promotionResult struct {
		BadVendors []string            `json:"invalid_vendors"`
		Missing    map[string][]string `json:"missing_skus"`
		BadPrices  map[string][]string `json:"invalid_discounted_skus"`
	}
	type catalogResult struct {
		Items []itemFeedback `json:"item_level_feedback"`
	}
	body := struct {
		ID       string    `json:"job_id"`
		Status   Status    `json:"job_status"`
		Created  time.Time `json:"created_at"`
		Updated  time.Time `json:"updated_at"`
		Result   any       `json:"result,omitempty"`
		Download string    `json:"download_url,omitempty"`
	}{ID: job.ID, Status: job.Status, Created: job.Created.UTC(), Updated: job.Updated.UTC()}
	if job.Sequence == 0 {
		return body
	}
	switch job.Kind {
	case JobPromotion:
		body.Result = promotionResult{orEmpty(job.result.badVendors), orNone(job.result.missing), orNone(job.result.badPrices)}
	case JobCatalog:
		body.Result = catalogResult{orEmpty(job.result.items)}
	}
	if r.opts.Rules.DownloadInJob && job.Kind != JobPromotion {
		body.Download = r.downloadURL(job.ID)
	}
	return body
}

// orNone makes a missing map an empty JSON object instead of null.
func orNone(m map[string][]string) map[string][]string {
	if m == nil {
		return map[string][]string{}
	}
	return m
}

// feedbackCSV writes what became of each product as the platform's feedback file does.
func (r *rest) feedbackCSV(items []itemFeedback) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write([]string{"sku", "state", "errors"}) // a buffer takes everything
	for _, it := range items {
		errors := "null"
		if r.opts.Rules.EmptyErrors {
			errors = ""
		}
		for i, reason := range it.Reasons {
			if i == 0 {
				errors = ""
			} else {
				errors += "; "
			}
			errors += reason.Reason
		}
		_ = w.Write([]string{it.SKU, it.Status, errors}) // likewise
	}
	w.Flush()
	return b.Bytes()
}
