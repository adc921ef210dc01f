package daemon

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gondola/internal/platform"
	"gondola/internal/store"
)

// TestRequestsOverHTTP sends an export through the real client to a server, has the end told by an event whose feedback lies in a file,
// and finds the row in the answer.
func TestRequestsOverHTTP(t *testing.T) {
	var puts atomic.Int32
	mux := http.NewServeMux()
	const chain = "7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3"
	mux.HandleFunc("PUT /v2/chains/"+chain+"/vendors/1/catalog", func(w http.ResponseWriter, r *http.Request) {
		puts.Add(1)
		if got := r.Header.Get("Authorization"); got != "Bearer made-up-token" {
			t.Errorf("authorization: %q", got)
		}
		var body struct{ Products []map[string]any }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || len(body.Products) != 2 {
			t.Errorf("body: %+v, %v", body, err)
		}
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, `{"job_id":"5f1c","job_status":"QUEUED"}`)
	})
	mux.HandleFunc("GET /files/5f1c.csv", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "sku,state,errors\nA1,SUCCESS,null\nA2,FAILED,price: not allowed\n")
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	t.Setenv("GONDOLA_CASE_TOKEN", "made-up-token")
	c := newRequests(t, oneFullFeed, catalogByAPI)
	c.house.cfg.API.Tokens.Catalog = secretOf(t, "env:GONDOLA_CASE_TOKEN")
	c.house.cfg.API.URL, c.house.cfg.API.PerMinute = server.URL, 59
	client := platform.NewClient(c.house.clientConfig())
	t.Cleanup(func() { _ = client.Close() })
	c.house.rest = client
	c.house.outAPI.Dial = apiDial(client, c.house.now)

	c.export("full", "sku,precio\nA1,10.50\nA2,7\n")
	r := c.tick(false)
	if n := puts.Load(); n != 1 {
		t.Fatalf("%d requests: %+v", n, r)
	}
	event, err := platform.ParseEvent(fmt.Appendf(nil,
		`{"job_id":"5f1c","status":"COMPLETED","platform_vendor_id":"1","download_url":%q}`, server.URL+"/files/5f1c.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.house.jobEvent(t.Context(), *event.Job); err != nil {
		t.Fatal(err)
	}
	j, ok, err := c.house.store.JobOf(t.Context(), "5f1c")
	if err != nil || !ok || j.Heard != store.HeardEvent || j.Rejected != 1 || j.Ended.IsZero() {
		t.Errorf("job: %+v, %t, %v", j, ok, err)
	}
	text := c.receipt(1)
	for _, want := range []string{"Confirmado por la plataforma", "no tomó A2 en Uno: “price: not allowed”", "celda B3"} {
		if !strings.Contains(text, want) {
			t.Errorf("the answer does not say %q:\n%s", want, text)
		}
	}
	// The same event once more changes nothing.
	if err := c.house.jobEvent(t.Context(), *event.Job); err != nil {
		t.Fatal(err)
	}
	e, err := c.house.Explain(t.Context(), About{Article: "A2"})
	if err != nil || len(e.Stores) == 0 || len(e.Stores[0].Feedback) != 1 || e.Stores[0].Feedback[0].Row != 3 {
		t.Errorf("explained: %+v, %v", e.Stores, err)
	}
	s, err := c.house.Status(t.Context())
	if err != nil || s.Stores[0].NotTaken != 1 || s.Stores[0].Jobs != 0 || !s.Stores[0].Settled {
		t.Errorf("status: %+v, %v", s.Stores, err)
	}
}

// TestWorkbookMarksWhatWasNotTaken has the platform's word stand in the copy that staff corrects.
func TestWorkbookMarksWhatWasNotTaken(t *testing.T) {
	c := newRequests(t, oneFullFeed, catalogByAPI)
	c.export("full", "sku,precio\nA1,10.50\nA2,7\n")
	c.tick(false)
	dir := c.TempDir()
	write := func() string {
		t.Helper()
		if err := c.house.writeReceiptNow(t.Context(), dir, 1); err != nil {
			t.Fatal(err)
		}
		books, err := filepath.Glob(filepath.Join(dir, "*", "*.xlsx"))
		if err != nil || len(books) == 0 {
			return ""
		}
		info, err := os.Stat(books[0])
		if err != nil {
			t.Fatal(err)
		}
		return info.Name()
	}
	if name := write(); name != "" {
		t.Errorf("a copy with nothing to correct: %s", name)
	}
	c.api.end("job-1", platform.JobCompleted, platform.Rejection{SKU: "A2", Reason: "price: not allowed"})
	c.later(time.Minute)
	if name := write(); name == "" {
		t.Error("no copy with what was not taken")
	}
}

// TestPromotionsAreListed walks promotions through their states.
func TestPromotionsAreListed(t *testing.T) {
	c := newRequests(t, `  - {name: promos, kind: promotions, drop: promos, export: partial, vendor: {ids: ["1"]}}`, "send: {promotions: {by: api}}")
	state := func(article string) PromotionLine {
		t.Helper()
		all, err := c.house.Promotions(t.Context(), PromotionQuery{Article: article, Ended: true})
		if err != nil || len(all) != 1 {
			t.Fatalf("%s: %+v, %v", article, all, err)
		}
		return all[0]
	}
	want := func(article string, want PromotionState) {
		t.Helper()
		if got := state(article); got.State != want {
			t.Errorf("%s: %s, want %s", article, got.State, want)
		}
	}
	const head = "sku,campaña,desde,hasta,precio oferta,activa\n"
	c.export("promos", head+"A1,Semana,2026-11-20,2026-12-31,90,\nA2,Semana,2026-11-20,2026-12-31,80,\nA3,Semana,2026-11-20,2026-12-31,70,\n")
	c.tick(false)
	want("A1", PromotionAccepted)
	c.api.end("job-1", platform.JobCompleted, platform.Rejection{Vendor: "1", SKU: "A2", Reason: platform.ReasonMissing})
	c.later(time.Minute)
	want("A1", PromotionConfirmed)
	want("A2", PromotionRejected)
	if p := state("A2"); p.Drop != 1 || p.Row != 3 || p.Reason != platform.ReasonMissing {
		t.Errorf("rejected: %+v", p)
	}
	c.export("promos", head+"A1,Semana,2026-11-20,2026-12-31,90,no\n")
	c.tick(false)
	if p := state("A1"); p.State != PromotionAccepted || !p.Ending {
		t.Errorf("its end was accepted: %+v", p)
	}
	c.api.end("job-2", platform.JobCompleted)
	c.later(time.Minute)
	want("A1", PromotionEnded)
	c.export("promos", head+"A3,Semana,2026-11-20,2026-12-31,60,\n")
	if _, err := c.house.judged(t.Context(), "promos", "1"); err != nil {
		t.Fatal(err)
	}
	c.tick(false)
	if p := state("A3"); !p.Ending || !strings.Contains(c.receipt(3), "cambia") {
		t.Errorf("it changes in two steps: %+v\n%s", p, c.receipt(3))
	}
	c.api.end("job-3", platform.JobCompleted)
	c.later(time.Minute)
	c.tick(false)
	want("A3", PromotionAccepted)
	if got := c.api.bodies(t)[3]; !strings.Contains(got, `"discount_value":60,"active":true,"sku":["A3"]`) {
		t.Errorf("started anew: %s", got)
	}
	if all, err := c.house.Promotions(t.Context(), PromotionQuery{State: PromotionRejected}); err != nil || len(all) != 1 {
		t.Errorf("rejected: %+v, %v", all, err)
	}
	jobs, err := c.house.JobList(t.Context(), time.Time{})
	if err != nil || len(jobs) != 4 || jobs[3].Drops == nil || jobs[3].NotTaken != 1 {
		t.Errorf("jobs: %+v, %v", jobs, err)
	}
}

// TestFileIsAnsweredByEvent has the platform tell by an event what it did not take of a file, as some may.
func TestFileIsAnsweredByEvent(t *testing.T) {
	c := newRequests(t, oneFullFeed, "")
	c.export("full", "sku,precio\nA1,10.50\nA2,7\n")
	c.push(false)
	c.requests.files["https://files.example.net/f.csv"] = "sku,state,errors\nA2,FAILED,unknown article\n"
	c.requests.files["https://files.example.net/export.csv"] = "\"sku\",\"price\"\nA1,10.5\n"
	event := func(id, address string) {
		t.Helper()
		job := platform.Job{ID: id, Kind: platform.JobCatalog, Status: platform.JobCompleted, Vendor: "1", DownloadURL: address}
		if err := c.house.jobEvent(t.Context(), job); err != nil {
			t.Fatal(err)
		}
	}
	event("f-1", "https://files.example.net/f.csv")
	if text := c.receipt(1); !strings.Contains(text, "no tomó A2") || !strings.Contains(text, "comprobamos que llegó") {
		t.Errorf("answer:\n%s", text)
	}
	all, err := c.house.JobList(t.Context(), time.Time{})
	if err != nil || len(all) != 1 || all[0].Ours || all[0].NotTaken != 1 {
		t.Errorf("jobs: %+v, %v", all, err)
	}
	page := c.pageNow().Jobs
	if len(page) != 1 || page[0].Kind != "catalog" || page[0].Store != "Uno" || page[0].NotTaken != 1 || len(page[0].Refused) != 1 ||
		page[0].Refused[0].Article != "A2" || page[0].Refused[0].Reason != "unknown article" || page[0].Refused[0].Drop != 1 || page[0].Refused[0].Row != 3 {
		t.Errorf("page: %+v", page)
	}
	event("f-2", "https://files.example.net/export.csv") // an export is no answer, and one that can't be read is none
	event("f-3", "https://files.example.net/gone.csv")
	if left, err := c.house.store.FeedbackOf(t.Context(), "catalog/1"); err != nil || len(left) != 1 {
		t.Errorf("feedback: %+v, %v", left, err)
	}
}
