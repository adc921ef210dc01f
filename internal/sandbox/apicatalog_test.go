package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sameJSON compares JSON by what it says.
func sameJSON(t testing.TB, what, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Errorf("%s: %v in %s", what, err, got)
		return
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestCatalogUpdate(t *testing.T) {
	l := newListener(t)
	s := newRESTSandbox(t, func(o *Options) { o.Webhook.URL = l.URL })
	status, body := ask(t, s, "PUT", vendorPath+"/catalog", `{"products":[
		{"sku":"A-1","barcode":"7790001","price":12.3456,"quantity":3,"maximum_sales_quantity":5},
		{"sku":"B-2","active":false}, {"sku":"zzz","price":1}, {"sku":"B-2","price":-1}]}`)
	job := jobOf(t, status, body)
	path := chainPath + "/catalog/jobs/" + job
	status, body = ask(t, s, "GET", path, "")
	at := "2026-03-01T12:00:00Z"
	sameJSON(t, "queued job", body, `{"job_id":"`+job+`","job_status":"QUEUED","created_at":"`+at+`","updated_at":"`+at+`"}`)
	if status != http.StatusOK || !s.Shelf("290056")[1].Active {
		t.Errorf("%d, or it was carried out already", status)
	}
	s.ProcessJobs()
	want := []Article{
		{SKU: "A-1", Barcode: "07790001", Name: "Arroz", Price: "12.345", SalesBuffer: 3, MaxSales: 5}, // 3 is not above the buffer
		{SKU: "B-2", Name: "Yerba", Price: "120", SalesBuffer: 1},
	}
	if diff := cmp.Diff(want, s.Shelf("290056")); diff != "" {
		t.Errorf("shelf (-want +got):\n%s", diff)
	}
	_, body = ask(t, s, "GET", path, "")
	sameJSON(t, "ended job", body, `{"job_id":"`+job+`","job_status":"COMPLETED","created_at":"`+at+`","updated_at":"`+at+`","result":{"item_level_feedback":[
		{"sku":"A-1","status":"ACCEPTED","rejection_reasons":[]},
		{"sku":"B-2","status":"ACCEPTED","rejection_reasons":[]},
		{"sku":"zzz","status":"REJECTED","rejection_reasons":[{"rejected_data":"sku","rejected_reason":"missing sku"}]},
		{"sku":"B-2","status":"REJECTED","rejection_reasons":[{"rejected_data":"price","rejected_reason":"invalid price"}]}]}}`)
	download := s.RESTURL() + chainPath + "/catalog/files/" + job + ".csv"
	events := l.got(t, s)
	if len(events) != 1 {
		t.Fatalf("events: %v", events)
	}
	sameJSON(t, "event", events[0], `{"job_id":"`+job+`","status":"COMPLETED","platform_vendor_id":"290056","download_url":"`+download+`"}`)
	_, body = ask(t, s, "GET", strings.TrimPrefix(download, s.RESTURL()), "")
	if want := "sku,state,errors\nA-1,ACCEPTED,null\nB-2,ACCEPTED,null\nzzz,REJECTED,missing sku\nB-2,REJECTED,invalid price\n"; body != want {
		t.Errorf("feedback:\n%s", body)
	}
	if a, err := askWith(t, "", "GET", download, "", nil); err != nil || a.status != http.StatusUnauthorized {
		t.Errorf("feedback without a token: %v (%v)", a, err)
	}
	if status, _ := ask(t, s, "GET", chainPath+"/promotion/jobs/"+job, ""); status != http.StatusNotFound {
		t.Errorf("as a promotion's job: %d", status)
	}
}

func TestRefusedUpdates(t *testing.T) {
	s := newRESTSandbox(t, nil)
	for body, want := range map[string]string{
		`{"products":[]}`:                                     "no products",
		`{"products":[{"price":1}]}`:                          "no sku",
		`{"products":[{"sku":"A-1"}]}`:                        "no change",
		`{"products":[{"sku":"A-1","price":"1"}]}`:            "malformed",
		`{"products":[{"sku":1,"price":1}]}`:                  "malformed",
		`{"products":[{"sku":"A-1","prize":1}]}`:              "prize",
		`{"products":[{"sku":"A-1","max_sales_quantity":1}]}`: "unknown field",
		`{"products":[{"sku":"A-1","price":1}]} x`:            "follows",
		`{"products":[{"sku":"A-1",`:                          "malformed",
	} {
		if status, got := ask(t, s, "PUT", vendorPath+"/catalog", body); status != http.StatusBadRequest || !strings.Contains(got, want) {
			t.Errorf("%s: %d %s, want %q", body, status, got, want)
		}
	}
	if jobs := s.APIJobs(); len(jobs) != 0 {
		t.Errorf("jobs: %+v", jobs)
	}
}

func TestCatalogSwitches(t *testing.T) {
	const two = `{"products":[{"sku":"A-1","price":5},{"sku":"zzz","price":1}]}`
	l := newListener(t)
	s := newRESTSandbox(t, func(o *Options) {
		o.Webhook.URL = l.URL
		r := &o.Rules
		r.OneProductNow, r.MaxSalesShort, r.UnknownFields, r.RejectionsFail = true, true, true, true
		r.OnlyRejected, r.EmptyErrors, r.JobNames, r.DownloadInJob, r.Presigned, r.FirstPageIsZero = true, true, true, true, true, true
	})
	status, body := ask(t, s, "PUT", vendorPath+"/catalog", `{"products":[{"sku":"A-1","max_sales_quantity":4,"colour":"red"}]}`)
	if status != http.StatusOK || body != `{"sku":"A-1"}` || s.Shelf("290056")[0].MaxSales != 4 {
		t.Errorf("one product: %d %s", status, body)
	}
	if status, _ := ask(t, s, "PUT", vendorPath+"/catalog", `{"products":[{"sku":"zzz","price":1}]}`); status != http.StatusBadRequest {
		t.Errorf("one unknown product: %d", status)
	}
	status, body = ask(t, s, "PUT", vendorPath+"/catalog", two)
	job := jobOf(t, status, body)
	s.ProcessJobs()
	_, body = ask(t, s, "GET", chainPath+"/catalog/jobs/"+job, "")
	var got struct {
		Status   string `json:"job_status"`
		Download string `json:"download_url"`
		Result   struct {
			Items []itemFeedback `json:"item_level_feedback"`
		}
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil || got.Status != "FAILED" || len(got.Result.Items) != 1 || got.Result.Items[0].SKU != "zzz" {
		t.Errorf("%s (%v)", body, err)
	}
	sameJSON(t, "event", l.got(t, s)[0], `{"job_id":"`+job+`","job_status":"FAILED","vendor_id":"290056","download_url":"`+got.Download+`"}`)
	if !strings.HasPrefix(got.Download, s.HTTPURL()+"/downloads/") {
		t.Fatalf("download %s", got.Download)
	}
	for name, c := range map[string]struct {
		url, token string
		want       int
	}{
		"signed":             {got.Download, "", 200},
		"with a token":       {got.Download, "Bearer " + catalogToken, 400},
		"not signed":         {strings.Split(got.Download, "?")[0], "", 403},
		"signed for another": {strings.Replace(got.Download, job, job[:35]+"9", 1), "", 403},
	} {
		h := http.Header{}
		if c.token != "" {
			h.Set("Authorization", c.token)
		}
		if a, err := askWith(t, "", "GET", c.url, "", h); err != nil || a.status != c.want {
			t.Errorf("%s: %v (%v), want %d", name, a, err, c.want)
		}
	}
	_, body = ask(t, s, "GET", vendorPath+"/catalog?page=0&page_size=1", "")
	sameJSON(t, "page 0", body, `{"page_number":0,"page_size":1,"total_pages":2,"products":[
		{"sku":"A-1","barcode":"00000007790001","name":"Arroz","price":5,"active":true,"max_sales_quantity":4}]}`)
}

func TestCatalogList(t *testing.T) {
	s := newRESTSandbox(t, nil)
	_, body := ask(t, s, "GET", vendorPath+"/catalog?page=2&page_size=1", "")
	sameJSON(t, "page 2", body, `{"page_number":2,"page_size":1,"total_pages":2,"products":[
		{"sku":"B-2","barcode":"","name":"Yerba","price":120,"active":true,"maximum_sales_quantity":0}]}`)
	_, body = ask(t, s, "GET", vendorPath+"/catalog?page=3&page_size=1", "")
	sameJSON(t, "page 3", body, `{"page_number":3,"page_size":1,"total_pages":2,"products":[]}`)
	for _, query := range []string{"?page=0", "?page=x", "?page_size=501", "?page_size=0"} {
		if status, body := ask(t, s, "GET", vendorPath+"/catalog"+query, ""); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
	if _, body := ask(t, s, "GET", vendorPath+"/categories?only_leaves=true", ""); !strings.HasPrefix(body, `{"categories":[{"id":"11"`) {
		t.Errorf("categories: %s", body)
	}
}

func TestExport(t *testing.T) {
	l := newListener(t)
	s := newRESTSandbox(t, func(o *Options) { o.Webhook.URL = l.URL })
	status, body := ask(t, s, "POST", vendorPath+"/catalog/export", "")
	job := jobOf(t, status, body)
	if status, _ := ask(t, s, "GET", chainPath+"/catalog/files/"+job+".csv", ""); status != http.StatusNotFound {
		t.Errorf("a file before the job ended: %d", status)
	}
	s.ProcessJobs()
	var event struct {
		Download string `json:"download_url"`
	}
	if err := json.Unmarshal([]byte(l.got(t, s)[0]), &event); err != nil {
		t.Fatal(err)
	}
	_, body = ask(t, s, "GET", strings.TrimPrefix(event.Download, s.RESTURL()), "")
	if want := `"sku","barcode","price","active","maximum_sales_quantity"` + "\n" + `"A-1","00000007790001","10.5","true",""` + "\n" +
		`"B-2","","120","true",""` + "\n"; body != want {
		t.Errorf("export:\n%s", body)
	}
}

// TestJobLife watches a job on real time.
func TestJobLife(t *testing.T) {
	s := newRESTSandbox(t, func(o *Options) { o.API.JobDelay, o.Rules.NoBan = 20*time.Millisecond, true })
	status, body := ask(t, s, "PUT", vendorPath+"/catalog", `{"products":[{"sku":"A-1","price":5}]}`)
	job := jobOf(t, status, body)
	var seen []string
	eventually(t, "the job ends", func() bool {
		_, body := ask(t, s, "GET", chainPath+"/catalog/jobs/"+job, "")
		var got struct {
			Status string `json:"job_status"`
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
		if len(seen) == 0 || seen[len(seen)-1] != got.Status {
			seen = append(seen, got.Status)
		}
		return got.Status == "COMPLETED"
	})
	if got := strings.Join(seen, " "); got != "QUEUED IN_PROGRESS COMPLETED" {
		t.Errorf("the job was %s", got)
	}
}

// TestJobsOutOfOrder: of two updates of one article the later one may end first.
func TestJobsOutOfOrder(t *testing.T) {
	s := newRESTSandbox(t, func(o *Options) { o.API.JobSeed = 7 })
	for price := range 8 {
		updates(t, s, `{"products":[{"sku":"A-1","price":`+string(rune('1'+price))+`}]}`)
	}
	s.ProcessJobs()
	last, sorted := 0, true
	for _, j := range s.APIJobs() {
		sorted = sorted && j.Sequence > last
		last = j.Sequence
	}
	if sorted {
		t.Errorf("all jobs ended in their order: %+v", s.APIJobs())
	}
}

func updates(t *testing.T, s *Sandbox, body string) {
	t.Helper()
	status, answer := ask(t, s, "PUT", vendorPath+"/catalog", body)
	jobOf(t, status, answer)
}

func TestFilesAreToldOf(t *testing.T) {
	l := newListener(t)
	s := newRESTSandbox(t, func(o *Options) { o.Webhook.URL, o.Rules.SFTPEvents = l.URL, true })
	put(t, s, "catalog/gondola_290056.csv", "sku,price\nA-1,5\nx,1\n")
	job := s.Scan()[0]
	sameJSON(t, "event", l.got(t, s)[0], `{"job_id":"`+job.ID+`","status":"COMPLETED","platform_vendor_id":"290056",
		"download_url":"`+s.RESTURL()+chainPath+"/catalog/files/"+job.ID+`.csv"}`)
	if _, body := ask(t, s, "GET", chainPath+"/catalog/files/"+job.ID+".csv", ""); body != "sku,state,errors\nx,REJECTED,missing sku\n" {
		t.Errorf("feedback:\n%s", body)
	}
}
