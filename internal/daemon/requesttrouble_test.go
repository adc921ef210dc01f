package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gondola/internal/config"
	"gondola/internal/platform"
)

// TestOutageEndsNoJob has the platform be out of reach for longer than a job may take: nobody has heard how it ended, and it may have
// failed, so that its request goes again. The end of that job counts.
func TestOutageEndsNoJob(t *testing.T) {
	c := newRequests(t, oneFullFeed, catalogByAPI)
	c.export("full", "sku,precio\nA1,1\n")
	c.tick(false)
	c.api.asked = func(string) error { return errors.New("no route to host") }
	for range 20 {
		c.later(5 * time.Minute)
	}
	if n := len(c.api.bodies(t)); n != 2 {
		t.Errorf("%d requests: a job that may have failed while nobody could ask for it did not go again", n)
	}
	c.api.asked = nil
	c.api.end("job-2", platform.JobCompleted)
	c.later(6 * time.Minute)
	c.wantJobs(0)
	if n := c.unsettled("catalog/1"); n != 0 {
		t.Errorf("%d unsettled", n)
	}
}

// reopen stops the house and starts it with something else in its config.
func (r *requestRun) reopen(change func(text string) string) {
	r.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, "config.yaml"))
	if err != nil {
		r.Fatal(err)
	}
	cfg, err := config.Parse(filepath.Join(r.work, "config.yaml"), []byte(change(string(text))))
	if err != nil {
		r.Fatal(err)
	}
	r.close()
	r.open(cfg)
}

// TestFilesAfterRequests has the catalogue change from requests to files while a job is open that nobody can ask for any more: the files
// do not wait for it, and settle what it left.
func TestFilesAfterRequests(t *testing.T) {
	c := newRequests(t, oneFullFeed, catalogByAPI)
	c.export("full", "sku,precio\nA1,10\nA2,20\n")
	c.tick(false)
	c.reopen(func(text string) string {
		text = strings.Replace(text, catalogByAPI, "", 1)
		return strings.Replace(text, `api: {tokens: {catalog: "env:GONDOLA_CASE_PASSWORD", promotions: "env:GONDOLA_CASE_PASSWORD"}, locale: es_CL}`, "", 1)
	})
	c.tick(false)
	if got := c.put()["catalog/gondola_1.csv"]; !strings.Contains(got, "A1,10") || !strings.Contains(got, "A2,20") {
		t.Fatalf("the file after the requests:\n%s", got)
	}
	c.later(3 * time.Hour)
	if n := c.unsettled("catalog/1"); n != 0 {
		t.Errorf("%d unsettled", n)
	}
}

// TestLateFailureIsMadeGood has a job fail after it was taken as ended, and after something else was sent: what it should have changed goes
// with the next plan.
func TestLateFailureIsMadeGood(t *testing.T) {
	c := newRequests(t, oneFullFeed, catalogByAPI)
	c.export("full", "sku,precio\nA1,1\nA2,2\n")
	c.tick(false)
	for range 14 {
		c.later(5 * time.Minute)
	}
	c.export("full", "sku,precio\nA1,1\nA2,3\n")
	c.tick(false)
	c.wantSent(1, `/1/catalog {"products":[{"sku":"A2","price":3}]}`)
	if err := c.house.jobEvent(t.Context(), platform.Job{ID: "job-1", Kind: platform.JobCatalog, Status: platform.JobFailed}); err != nil {
		t.Fatal(err)
	}
	c.api.end("job-2", platform.JobCompleted)
	c.later(time.Minute)
	c.tick(false)
	if got := c.api.bodies(t); len(got) != 3 || !strings.Contains(got[2], `{"sku":"A1","price":1}`) {
		t.Errorf("A1 did not go again:\n%s", strings.Join(got, "\n"))
	}
}

// TestFailedRequestOutlivesThePlanInItsPlace has a request that is to go again be contained in a plan which never begins and whose end is
// wanted no more: then it goes by itself.
func TestFailedRequestOutlivesThePlanInItsPlace(t *testing.T) {
	c := newRequests(t, oneFullFeed, catalogByAPI)
	c.export("full", "sku,precio\nA1,1\n")
	c.tick(false)
	c.api.end("job-1", platform.JobFailed)
	c.clock = c.clock.Add(20 * time.Second)
	if err := c.house.askJobs(t.Context()); err != nil {
		t.Fatal(err)
	}
	plan := func() {
		t.Helper()
		if err := c.house.store.RecordSlot(t.Context(), "test", c.clock, c.house.targetNames(), false); err != nil {
			t.Fatal(err)
		}
		if err := c.house.planDue(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	c.export("full", "sku,precio\nA1,2\n")
	plan()
	c.export("full", "sku,precio\nA1,1\n")
	plan()
	c.later(30 * time.Minute)
	c.wantSent(1, `/1/catalog {"products":[{"sku":"A1","price":1}]}`)
	if n := c.unsettled("catalog/1"); n != 1 {
		t.Errorf("%d unsettled", n)
	}
}

const promosForAll = oneFullFeed + `
  - {name: promos, kind: promotions, drop: promos, vendor: all}`

// TestOfferRefusedInOneStore has a promotion for the chain refused where one store does not have the article. It runs in the others, so a
// request that adds an article to it repeats it: whether a request replaces the list is not known.
func TestOfferRefusedInOneStore(t *testing.T) {
	c := newRequests(t, promosForAll, "send: {promotions: {by: api, shape: chain}}")
	const head = "sku,campaña,desde,hasta,precio oferta\n"
	c.export("promos", head+"A1,Semana,2026-11-20,2026-12-31,90\n")
	c.tick(false)
	c.api.end("job-1", platform.JobCompleted, platform.Rejection{Vendor: "2", SKU: "A1", Reason: platform.ReasonMissing})
	c.later(time.Minute)
	c.export("promos", head+"A1,Semana,2026-11-20,2026-12-31,90\nA2,Semana,2026-11-20,2026-12-31,80\n")
	c.tick(false)
	got := c.api.bodies(t)
	if len(got) != 2 || !strings.Contains(got[1], `"A1"`) || !strings.Contains(got[1], `"A2"`) {
		t.Errorf("A1 runs in all stores but one, and is not repeated:\n%s", strings.Join(got, "\n"))
	}
}

// TestFailedJobNamesOneArticleTwice has a job fail that says twice why of one article, and nothing of the other: it has not been worked on.
func TestFailedJobNamesOneArticleTwice(t *testing.T) {
	c := newRequests(t, oneFullFeed, catalogByAPI)
	c.export("full", "sku,precio\nA1,1\nA2,2\n")
	c.tick(false)
	c.api.end("job-1", platform.JobFailed, platform.Rejection{SKU: "A1", Reason: "price: odd"}, platform.Rejection{SKU: "A1", Reason: "sku: odd"})
	c.later(time.Minute)
	c.later(2 * time.Minute)
	if n := len(c.api.bodies(t)); n != 2 {
		t.Errorf("%d requests", n)
	}
}

// TestDuplicateKeepsWhatWasSaid has the same request sent twice. That the platform has had it says nothing new of what it refused.
func TestDuplicateKeepsWhatWasSaid(t *testing.T) {
	c := newRequests(t, promosForAll, "send: {promotions: {by: api, shape: chain}}")
	c.export("promos", "sku,campaña,desde,hasta,precio oferta\nA1,Semana,2026-11-20,2026-12-31,90\n")
	c.tick(false)
	c.api.end("job-1", platform.JobCompleted, platform.Rejection{Vendor: "1", SKU: "A1", Reason: platform.ReasonDiscounted})
	c.later(time.Minute)
	c.tick(true)
	c.api.end("job-2", platform.JobDuplicate)
	c.later(time.Minute)
	c.wantJobs(0)
	all, err := c.house.store.FeedbackOf(t.Context(), "promotions/*")
	if err != nil || len(all) != 1 || all[0].Job != "job-1" {
		t.Errorf("feedback after a duplicate: %+v, %v", all, err)
	}
}

func (r *requestRun) wantJobs(open int) {
	r.Helper()
	jobs, err := r.house.store.Jobs(r.Context(), r.clock)
	if err != nil || len(jobs) != open {
		r.Errorf("jobs that are open: %+v, %v", jobs, err)
	}
}

// TestUnknownStoreRefusesItsOffers has the platform say that it does not know the store of a request: none of its promotions runs there.
func TestUnknownStoreRefusesItsOffers(t *testing.T) {
	c := newRequests(t, oneFullFeed+`
  - {name: promos, kind: promotions, drop: promos, vendor: {ids: ["1"]}}`, "send: {promotions: {by: api}}")
	c.export("promos", "sku,campaña,desde,hasta,precio oferta\nA1,Semana,2026-11-20,2026-12-31,90\n")
	c.tick(false)
	c.api.end("job-1", platform.JobCompleted)
	job := c.api.jobs["job-1"]
	job.InvalidVendors = []string{"1"}
	c.api.jobs["job-1"] = job
	c.later(time.Minute)
	lines, err := c.house.Promotions(t.Context(), PromotionQuery{})
	if err != nil || len(lines) != 1 || lines[0].State != PromotionRejected || lines[0].Reason != reasonVendor {
		t.Errorf("promotions: %s, %v", fmt.Sprintf("%+v", lines), err)
	}
}

// TestOffersByFileAfterRequests has promotions change from requests to files while the end of one is being worked on: what takes its place
// does not wait for it for ever.
func TestOffersByFileAfterRequests(t *testing.T) {
	const byAPI = "send: {promotions: {by: api}}"
	c := newRequests(t, oneFullFeed+`
  - {name: promos, kind: promotions, drop: promos, vendor: {ids: ["1"]}}`, byAPI)
	const head = "sku,campaña,desde,hasta,precio oferta,activa\n"
	c.export("promos", head+"A1,Semana,2026-11-20,2026-12-31,90,si\n")
	c.tick(false)
	c.api.end("job-1", platform.JobCompleted)
	c.later(time.Minute)
	c.export("promos", head+"A1,Semana,2026-11-20,2026-12-31,90,no\n")
	c.tick(false)
	if n := len(c.api.bodies(t)); n != 2 {
		t.Fatalf("%d requests", n)
	}
	c.reopen(func(text string) string { return strings.Replace(text, byAPI, "", 1) })
	c.export("promos", head+"A1,Semana,2026-11-20,2026-12-31,90,no\nA1,Otra,2026-11-21,2026-12-31,80,si\n")
	c.tick(false)
	for range 4 {
		c.later(3 * time.Hour)
		c.tick(false)
	}
	if got := c.put()["promotions/gondola_1.csv"]; !strings.Contains(got, "Otra") {
		t.Errorf("the file:\n%s\n%d unsettled", got, c.unsettled("promotions/1"))
	}
}
