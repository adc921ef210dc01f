package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/config"
	"gondola/internal/outbox"
	"gondola/internal/platform"
	"gondola/internal/report"
	"gondola/internal/store"
)

// fakeAPI is a REST interface whose answers a test decides on: to inject what the real one does rarely.
type fakeAPI struct {
	mu    sync.Mutex
	sent  []fakeRequest
	jobs  map[string]platform.Job
	send  func(n int) error // of the n-th request, from 1
	asked func(id string) error
	files map[string]string
}

type fakeRequest struct{ Path, Body string }

func (f *fakeAPI) CatalogPath(vendor string) string { return "/" + vendor + "/catalog" }
func (f *fakeAPI) PromotionPath() string            { return "/promotion" }

func (f *fakeAPI) Send(_ context.Context, _ platform.Use, method, path string, body []byte) (platform.JobRef, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, body, "", " "); err != nil {
		return platform.JobRef{}, err
	}
	f.sent = append(f.sent, fakeRequest{path, pretty.String()})
	n := len(f.sent)
	if f.send != nil {
		if err := f.send(n); err != nil {
			return platform.JobRef{}, err
		}
	}
	id := fmt.Sprintf("job-%d", n)
	kind := platform.JobCatalog
	if path == "/promotion" {
		kind = platform.JobPromotion
	}
	f.jobs[id] = platform.Job{ID: id, Kind: kind, Status: platform.JobQueued}
	return platform.JobRef{ID: id, Status: "QUEUED"}, nil
}

func (f *fakeAPI) CatalogJob(_ context.Context, id string) (platform.Job, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.asked != nil {
		if err := f.asked(id); err != nil {
			return platform.Job{}, err
		}
	}
	job, ok := f.jobs[id]
	if !ok {
		return job, &platform.APIError{Status: http.StatusNotFound, Method: http.MethodGet, Path: "/jobs/" + id}
	}
	return job, nil
}

func (f *fakeAPI) PromotionJob(ctx context.Context, id string) (platform.Job, error) {
	return f.CatalogJob(ctx, id)
}

func (f *fakeAPI) Download(_ context.Context, address string, _ platform.Use) (io.ReadCloser, error) {
	text, ok := f.files[address]
	if !ok {
		return nil, errors.New("no such file")
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

// end ends a job.
func (f *fakeAPI) end(id string, status platform.JobStatus, rejected ...platform.Rejection) {
	f.mu.Lock()
	defer f.mu.Unlock()
	job := f.jobs[id]
	job.ID, job.Status, job.Rejected = id, status, rejected
	f.jobs[id] = job
}

// endAll ends every job, each with what a line (an article, then the platform's words) says of the articles in its request.
func (f *fakeAPI) endAll(rejected []string) {
	for id, job := range f.jobs {
		if job.Status.Final() {
			continue
		}
		var all []platform.Rejection
		for _, line := range rejected {
			sku, reason, _ := strings.Cut(line, " ")
			all = append(all, platform.Rejection{SKU: sku, Reason: reason})
		}
		f.end(id, platform.JobCompleted, all...)
	}
}

// bodies returns what was sent since the last call, as one line each.
func (f *fakeAPI) bodies(t testing.TB) []string {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]string, len(f.sent))
	for i, r := range f.sent {
		var flat bytes.Buffer
		if err := json.Compact(&flat, []byte(r.Body)); err != nil {
			t.Fatal(err)
		}
		all[i] = r.Path + " " + flat.String()
	}
	return all
}

// requestRun is a house that sends by requests.
type requestRun struct {
	*caseRun
	api *fakeAPI
}

const apiSection = `
api: {tokens: {catalog: "env:GONDOLA_CASE_PASSWORD", promotions: "env:GONDOLA_CASE_PASSWORD"}, locale: es_CL}
brake: {equal_prices: off, min_rows: 1000, price_change: off, unknown_articles: send}
`

func newRequests(t *testing.T, feeds, send string) *requestRun {
	t.Helper()
	c := newRules(t, feeds, apiSection+send)
	return &requestRun{caseRun: c, api: c.requests}
}

// tick makes the plans of all stores and sends what it can.
func (r *requestRun) tick(full bool) outbox.Report {
	r.Helper()
	r.clock = r.clock.Add(time.Minute)
	if err := r.house.store.RecordSlot(r.Context(), "test", r.clock, r.house.targetNames(), full); err != nil {
		r.Fatal(err)
	}
	return r.proceed()
}

// proceed does what the loops do.
func (r *requestRun) proceed() outbox.Report {
	r.Helper()
	if err := errors.Join(r.house.askJobs(r.Context()), r.house.planDue(r.Context())); err != nil {
		r.Fatal(err)
	}
	report, err := r.house.flushAll(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	return report
}

// later lets time pass.
func (r *requestRun) later(d time.Duration) outbox.Report {
	r.Helper()
	r.clock = r.clock.Add(d)
	return r.proceed()
}

func (r *requestRun) wantSent(from int, want ...string) {
	r.Helper()
	if diff := cmp.Diff(want, r.api.bodies(r)[from:]); diff != "" {
		r.Errorf("requests (-want +got):\n%s", diff)
	}
}

// receipt returns the words of the answer about a drop.
func (r *requestRun) receipt(seq int64) string {
	r.Helper()
	d, ok, err := r.house.store.Drop(r.Context(), seq)
	if err != nil || !ok {
		r.Fatal(ok, err)
	}
	dir := r.TempDir()
	a, err := r.house.answer(r.Context(), d)
	if err == nil {
		err = report.Write(dir, a)
	}
	if err != nil {
		r.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(files) != 1 {
		r.Fatalf("receipts: %v, %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		r.Fatal(err)
	}
	return strings.Join(strings.Fields(string(text)), " ")
}

func (r *requestRun) unsettled(target string) int {
	r.Helper()
	all, err := r.house.store.Unsettled(r.Context(), target)
	if err != nil {
		r.Fatal(err)
	}
	return len(all)
}

const catalogByAPI = "send: {catalog: {by: api}}"

// TestRequestIsFollowedToItsEnd has a request accepted, worked on and answered: one row is not taken, and the answer of its export
// names it.
func TestRequestIsFollowedToItsEnd(t *testing.T) {
	c := newRequests(t, oneFullFeed, catalogByAPI)
	c.export("full", "sku,precio,activo\nA1,10.50,S\nA2,7,N\n")
	c.tick(false)
	c.wantSent(0, `/1/catalog {"products":[{"sku":"A1","price":10.5,"active":true},{"sku":"A2","price":7,"active":false}]}`)
	if text := c.receipt(1); !strings.Contains(text, "falta que lo confirme") || strings.Contains(text, "Confirmado") {
		t.Errorf("accepted and no more:\n%s", text)
	}
	// Nothing more leaves for the store while the platform works on it.
	c.export("full", "sku,precio,activo\nA1,11.50,S\nA2,7,N\n")
	c.tick(false)
	c.api.end("job-1", platform.JobInProgress)
	c.later(time.Minute)
	if n := len(c.api.bodies(t)); n != 1 {
		t.Fatalf("%d requests while a job is open", n)
	}
	if c.unsettled("catalog/1") != 1 {
		t.Error("settled before its end")
	}
	c.api.end("job-1", platform.JobCompleted, platform.Rejection{SKU: "A2", Reason: "price: below the minimum"})
	c.later(time.Minute)
	c.wantSent(1, `/1/catalog {"products":[{"sku":"A1","price":11.5,"active":true}]}`)
	c.api.end("job-2", platform.JobCompleted)
	c.later(time.Minute)
	if n := c.unsettled("catalog/1"); n != 0 {
		t.Errorf("%d unsettled", n)
	}
	// The row that was not taken stands in both exports; the newer one counts.
	text := c.receipt(2)
	for _, want := range []string{"Confirmado por la plataforma", "no tomó A2 en Uno", "below the minimum", "celda B3", "no tomó 1 fila"} {
		if !strings.Contains(text, want) {
			t.Errorf("the answer does not say %q:\n%s", want, text)
		}
	}
	// Until something else is wanted of it, or everything is said, it does not go again.
	c.tick(false)
	if n := len(c.api.bodies(t)); n != 2 {
		t.Errorf("%d requests, though nothing changed", n)
	}
	c.export("full", "sku,precio,activo\nA1,11.50,S\nA2,8,N\n")
	c.tick(false)
	c.wantSent(2, `/1/catalog {"products":[{"sku":"A2","price":8,"active":false}]}`)
	c.api.end("job-3", platform.JobCompleted)
	c.later(time.Minute)
	if text := c.receipt(3); strings.Contains(text, "no tomó") || !strings.Contains(text, "Confirmado") {
		t.Errorf("taken at last:\n%s", text)
	}
	if all, err := c.house.store.FeedbackOf(t.Context(), "catalog/1"); err != nil || len(all) > 0 {
		t.Errorf("feedback is left: %+v, %v", all, err)
	}
}

// TestRequestsAreDivided has more articles than a request takes. One that is refused keeps the plan open, and no other from being accepted.
func TestRequestsAreDivided(t *testing.T) {
	c := newRequests(t, oneFullFeed, "send: {catalog: {by: api, max_rows: 2}}")
	c.api.send = func(n int) error {
		if n == 2 {
			return &platform.APIError{Status: http.StatusBadRequest, Method: http.MethodPut, Path: "/1/catalog", Body: "sku A3 is odd"}
		}
		return nil
	}
	c.export("full", "sku,precio\nA1,1\nA2,2\nA3,3\nA4,4\nA5,5\n")
	r := c.tick(false)
	c.wantSent(0,
		`/1/catalog {"products":[{"sku":"A1","price":1},{"sku":"A2","price":2}]}`,
		`/1/catalog {"products":[{"sku":"A3","price":3},{"sku":"A4","price":4}]}`,
		`/1/catalog {"products":[{"sku":"A5","price":5}]}`)
	if r.Parked != 1 && len(r.Failures) != 1 {
		t.Errorf("report: %+v", r)
	}
	s, err := c.house.Status(t.Context())
	if err != nil || len(s.Waiting) != 1 || s.Waiting[0].State != "parked" || !strings.Contains(s.Waiting[0].Error, "sku A3 is odd") {
		t.Errorf("status: %+v, %v", s.Waiting, err)
	}
	if len(s.Problems) == 0 || s.Problems[0].Kind != "refused" {
		t.Errorf("problems: %+v", s.Problems)
	}
	c.api.end("job-1", platform.JobCompleted)
	c.api.end("job-3", platform.JobCompleted)
	c.later(time.Minute)
	// The next plan contains everything that began to leave.
	c.export("full", "sku,precio\nA1,1\nA2,2\nA3,33\nA4,4\nA5,5\n")
	c.tick(false)
	if got := strings.Join(c.api.bodies(t)[3:], "\n"); !strings.Contains(got, `"A3","price":33`) || !strings.Contains(got, `"A5"`) {
		t.Errorf("the plan in place of the one that was refused:\n%s", got)
	}
}

// TestFailedJobGoesAgain has the platform fail a request as a whole, more often than is tried by itself.
func TestFailedJobGoesAgain(t *testing.T) {
	c := newRequests(t, oneFullFeed, catalogByAPI)
	c.export("full", "sku,precio\nA1,1\n")
	c.tick(false)
	for n := 1; n <= len(againSteps())+1; n++ {
		if got := len(c.api.bodies(t)); got != n {
			t.Fatalf("%d requests, want %d", got, n)
		}
		c.api.end(fmt.Sprintf("job-%d", n), platform.JobFailed)
		c.later(11 * time.Second)
		c.later(30 * time.Minute)
	}
	s, err := c.house.Status(t.Context())
	if err != nil || len(s.Waiting) != 1 || s.Waiting[0].State != "parked" {
		t.Fatalf("status: %+v, %v", s.Waiting, err)
	}
	if n := len(c.api.bodies(t)); n != len(againSteps())+1 {
		t.Errorf("%d requests", n)
	}
	if err := c.house.Push(t.Context(), Ask{Full: true}); err != nil {
		t.Fatal(err)
	}
	c.proceed()
	c.api.end(fmt.Sprintf("job-%d", len(c.api.bodies(t))), platform.JobCompleted)
	c.later(time.Minute)
	s, err = c.house.Status(t.Context())
	if err != nil || len(s.Waiting) != 0 || c.unsettled("catalog/1") != 0 {
		t.Errorf("after a push: %+v, unsettled %d, %v", s.Waiting, c.unsettled("catalog/1"), err)
	}
}

// TestJobsWake has the loop of jobs wait for the next question, not for the next look around.
func TestJobsWake(t *testing.T) {
	c := newRequests(t, oneFullFeed, catalogByAPI)
	c.tick(false)
	if !c.house.jobsNext.IsZero() {
		t.Errorf("without jobs: %s", c.house.jobsNext)
	}
	c.export("full", "sku,precio\nA1,1\n")
	c.tick(false)
	job := func() store.Job {
		t.Helper()
		j, there, err := c.house.store.JobOf(t.Context(), "job-1")
		if err != nil || !there {
			t.Fatalf("job: %v, %v", there, err)
		}
		return j
	}
	ask := func() {
		t.Helper()
		if err := c.house.askJobs(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ask()
	if got, want := c.house.jobsNext, job().Made.Add(jobSteps()[0]); !got.Equal(want) {
		t.Errorf("after the platform has accepted it: %s, want %s", got, want)
	}
	c.later(jobSteps()[0])
	ask()
	if got, want := c.house.jobsNext, job().Next; !got.Equal(want) || !got.After(c.clock) {
		t.Errorf("after it was asked for: %s, want %s", got, want)
	}
	c.api.end("job-1", platform.JobCompleted)
	c.later(time.Minute)
	ask()
	if !c.house.jobsNext.IsZero() {
		t.Errorf("after it has ended: %s", c.house.jobsNext)
	}
}

// TestJobThatNeverEnds has the platform never tell the end of a job, and forget another.
func TestJobThatNeverEnds(t *testing.T) {
	c := newRequests(t, oneFullFeed, catalogByAPI)
	c.export("full", "sku,precio\nA1,1\n")
	c.tick(false)
	c.export("full", "sku,precio\nA1,2\n")
	c.tick(false)
	for range 14 {
		c.later(5 * time.Minute)
	}
	c.wantSent(1, `/1/catalog {"products":[{"sku":"A1","price":2}]}`)
	if text := c.receipt(1); !strings.Contains(text, "no dijo qué hizo") {
		t.Errorf("answer:\n%s", text)
	}
	// It is heard of after all, late: that is taken, and changes nothing else.
	if err := c.house.jobEvent(t.Context(), platform.Job{ID: "job-1", Status: platform.JobCompleted}); err != nil {
		t.Fatal(err)
	}
	if j, _, err := c.house.store.JobOf(t.Context(), "job-1"); err != nil || j.Heard != store.HeardEvent {
		t.Errorf("job: %+v, %v", j, err)
	}
	// The second one is forgotten, and goes again once that has lasted.
	delete(c.api.jobs, "job-2")
	c.later(time.Minute)
	if n := len(c.api.bodies(t)); n != 2 {
		t.Fatalf("sent again at once")
	}
	c.later(20 * time.Minute)
	c.later(2 * time.Minute)
	c.wantSent(2, `/1/catalog {"products":[{"sku":"A1","price":2}]}`)
}

// TestRefusedTokenHoldsRequestsAlone has the token refused: it is tried once, files go on, and another token ends it.
func TestRefusedTokenHoldsRequestsAlone(t *testing.T) {
	t.Setenv("GONDOLA_CASE_TOKEN", "old")
	c := newRequests(t, oneFullFeed+`
  - {name: promos, kind: promotions, drop: promos, vendor: {ids: ["1"]}}`, catalogByAPI)
	c.house.cfg.API.Tokens.Catalog = secretOf(t, "env:GONDOLA_CASE_TOKEN")
	refused := true
	c.api.send = func(int) error {
		if refused {
			return &platform.APIError{Status: http.StatusUnauthorized, Method: http.MethodPut, Path: "/1/catalog"}
		}
		return nil
	}
	c.export("full", "sku,precio\nA1,100\n")
	c.export("promos", "sku,campaña,desde,hasta,precio oferta\nA1,Semana,2026-11-20,2026-12-31,90\n")
	if r := c.tick(false); r.Held == nil {
		t.Fatalf("no hold: %+v", r)
	}
	if put := c.put(); put["promotions/gondola_1.csv"] == "" {
		t.Errorf("files did not leave: %v", put)
	}
	c.later(time.Hour)
	if n := len(c.api.bodies(t)); n != 1 {
		t.Errorf("%d knocks with a refused token", n)
	}
	s, err := c.house.Status(t.Context())
	if err != nil || s.Hold == "" || s.State != "stopped" {
		t.Errorf("status: %+v, %v", s, err)
	}
	refused = false
	t.Setenv("GONDOLA_CASE_TOKEN", "new")
	c.later(time.Minute)
	if n := len(c.api.bodies(t)); n != 2 {
		t.Errorf("%d requests after another token", n)
	}
}

func secretOf(t *testing.T, text string) config.Secret {
	t.Helper()
	var c struct {
		Secret config.Secret
	}
	cfg, err := config.Parse("x.yaml", []byte(`
chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Santiago}
vendors: [{id: "1"}]
sftp: {host: sandbox, user: gondola, password: "`+text+`", host_keys: ["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]}
feeds: [{name: f, drop: drop, vendor: all}]
`))
	if err != nil {
		t.Fatal(err)
	}
	c.Secret = cfg.SFTP.Password
	return c.Secret
}

// TestRequestThatWasCut has the process stop between the beginning of a request and its answer: it goes again at the next start.
func TestRequestThatWasCut(t *testing.T) {
	c := newRequests(t, oneFullFeed, catalogByAPI)
	c.export("full", "sku,precio\nA1,1\n")
	c.house.outAPI.Queue = deadQueue{c.house.queueAPI} // the answer can't be written down
	if err := c.house.store.RecordSlot(t.Context(), "test", c.clock, c.house.targetNames(), false); err != nil {
		t.Fatal(err)
	}
	if err := c.house.send(t.Context()); !errors.Is(err, errDead) {
		t.Fatalf("send: %v", err)
	}
	cfg := c.config(filepath.Join(c.dir, "config.yaml"))
	c.close()
	c.open(cfg)
	c.proceed()
	c.wantSent(0, `/1/catalog {"products":[{"sku":"A1","price":1}]}`, `/1/catalog {"products":[{"sku":"A1","price":1}]}`)
	c.api.end("job-2", platform.JobCompleted)
	// The job of the first one is heard of by an event: none of ours is known by it, and it is shown.
	if err := c.house.jobEvent(t.Context(), platform.Job{ID: "job-1", Kind: platform.JobCatalog, Status: platform.JobCompleted, Vendor: "1"}); err != nil {
		t.Fatal(err)
	}
	c.later(time.Minute)
	if n := c.unsettled("catalog/1"); n != 0 {
		t.Errorf("%d unsettled", n)
	}
	jobs, err := c.house.store.Jobs(t.Context(), time.Time{})
	if err != nil || len(jobs) != 2 {
		t.Errorf("jobs: %+v, %v", jobs, err)
	}
}

// TestHandsOnRequests has an admin pause, switch off and put back what goes by requests.
func TestHandsOnRequests(t *testing.T) {
	c := newRequests(t, oneFullFeed, catalogByAPI)
	answered := func() {
		t.Helper()
		c.api.endAll(nil)
		c.later(time.Minute)
	}
	c.export("full", "sku,precio\nA1,10\nA2,20\n")
	c.pause(PauseAsk{Vendors: []string{"1"}})
	c.tick(false)
	if n := len(c.api.bodies(t)); n != 0 {
		t.Fatalf("%d requests while it is paused", n)
	}
	c.resume("1")
	c.later(time.Second)
	c.wantSent(0, `/1/catalog {"products":[{"sku":"A1","price":10},{"sku":"A2","price":20}]}`)
	answered()
	before := c.clock
	c.switchOff(OffAsk{Articles: []string{"A2"}, Vendors: []string{"1"}, Reason: "recalled"})
	c.later(time.Second)
	c.wantSent(1, `/1/catalog {"products":[{"sku":"A2","price":20,"active":false}]}`)
	answered()
	c.export("full", "sku,precio\nA1,11\nA2,20\n")
	c.tick(false)
	c.wantSent(2, `/1/catalog {"products":[{"sku":"A1","price":11}]}`)
	answered()
	if _, err := c.house.store.AskRollback(t.Context(), store.Rollback{Back: before, Vendor: "1", Who: "ana", Asked: c.clock}); err != nil {
		t.Fatal(err)
	}
	c.later(time.Second)
	c.wantSent(3, `/1/catalog {"products":[{"sku":"A1","price":10}]}`)
	answered()
	c.tick(true)
	c.wantSent(4, `/1/catalog {"products":[{"sku":"A1","price":10},{"sku":"A2","price":20,"active":false}]}`)
}

// TestCatalogueAfterFiles has the catalogue change from files to requests while a file waits to leave: it does not go any more, and the
// first requests say everything.
func TestCatalogueAfterFiles(t *testing.T) {
	c := newRequests(t, oneFullFeed, "")
	c.export("full", "sku,precio\nA1,10\nA2,20\n")
	c.push(false)
	c.export("full", "sku,precio\nA1,11\nA2,20\n")
	c.clock = c.clock.Add(time.Minute)
	if err := c.house.store.RecordSlot(t.Context(), "test", c.clock, c.house.targetNames(), false); err != nil {
		t.Fatal(err)
	}
	if err := c.house.planDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(c.dir, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Parse(filepath.Join(c.work, "config.yaml"), append(text, catalogByAPI...))
	if err != nil {
		t.Fatal(err)
	}
	c.close()
	c.open(cfg)
	c.tick(false)
	c.wantSent(0, `/1/catalog {"products":[{"sku":"A1","price":11},{"sku":"A2","price":20}]}`)
	for name := range c.put() {
		if strings.HasSuffix(name, ".csv") {
			t.Errorf("a file left: %s", name)
		}
	}
	c.api.endAll(nil)
	c.later(time.Minute)
	if n := c.unsettled("catalog/1"); n != 0 {
		t.Errorf("%d unsettled", n)
	}
	if all, err := c.house.store.Waiting(t.Context()); err != nil || len(all) > 0 {
		t.Errorf("waiting: %+v, %v", all, err)
	}
}
