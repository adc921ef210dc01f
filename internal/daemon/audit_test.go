package daemon

import (
	"context"
	"errors"
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

	"github.com/google/go-cmp/cmp"

	"gondola/internal/alert"
	"gondola/internal/config"
	"gondola/internal/inbox"
	"gondola/internal/platform"
	"gondola/internal/shelf"
	"gondola/internal/store"
)

// shop answers as the platform's catalogue does: pages of two articles of store 1, none of others.
type shop struct {
	products []string // JSON
	status   atomic.Int32
	asked    atomic.Int32
	url      string // its own
}

// ServeHTTP implements http.Handler.
func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked.Add(1)
	if status := int(s.status.Load()); status != 0 {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "not now")
		return
	}
	switch {
	case strings.HasSuffix(r.URL.Path, "/catalog/export"):
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"job_id":"j1","job_status":"QUEUED"}`)
		return
	case strings.Contains(r.URL.Path, "/catalog/jobs/"):
		_, _ = io.WriteString(w, `{"job_id":"j1","job_status":"IN_PROGRESS"}`)
		return
	case r.URL.Path == "/file.csv":
		_, _ = io.WriteString(w, "\"sku\",\"barcode\",\"price\",\"active\",\"maximum_sales_quantity\"\n\"A000\",\"\",\"10\",\"true\",\"\"\n")
		return
	}
	if r.URL.Query().Get("page_size") == "500" { // larger than it makes them
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var page int
	_, _ = fmt.Sscan(r.URL.Query().Get("page"), &page)
	all := s.products
	if !strings.Contains(r.URL.Path, "/vendors/1/") {
		all = nil
	}
	const size = 2
	from := min((page-1)*size, len(all))
	_, _ = fmt.Fprintf(w, `{"page_number":%d,"page_size":2,"total_pages":%d,"products":[%s]}`, page, (len(all)+size-1)/size,
		strings.Join(all[from:min(from+size, len(all))], ","))
}

// newAudited starts a house with one full feed of store 1, and a platform that has a catalogue.
func newAudited(t *testing.T, rest string) (*caseRun, *shop) {
	t.Helper()
	s := &shop{products: []string{
		`{"sku":"A001","price":10,"active":true}`, `{"sku":"A000","price":9.99,"active":true}`, `{"sku":"A002","price":10.000,"active":false}`,
		`{"sku":"Z1","price":1}`, `{"name":"nothing"}`,
	}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	t.Setenv("CATALOG_TOKEN", "c-token")
	c := newRules(t, oneFullFeed, "api: {url: "+server.URL+", tokens: {catalog: env:CATALOG_TOKEN}}\nbrake: {equal_prices: off}\n"+rest)
	cfg := c.house.cfg
	c.close()
	c.house = nil
	c.openWith(cfg, Options{API: func(cfg *platform.ClientConfig) { cfg.PerMinute = 600_000 }})
	return c, s
}

// auditNow audits and returns what was found, and the audits.
func (c *caseRun) auditNow(ask AuditAsk) ([]string, []store.Audit) {
	c.Helper()
	run, err := c.house.Audit(c.Context(), ask)
	if err != nil {
		c.Fatal(err)
	}
	if err := c.house.makeAudits(c.Context()); err != nil {
		c.Fatal(err)
	}
	all, err := c.house.AuditRun(c.Context(), run)
	if err != nil {
		c.Fatal(err)
	}
	var rows []string
	for _, a := range all {
		rows = append(rows, c.auditRows(a)...)
	}
	return rows, all
}

func (c *caseRun) auditRows(a store.Audit) []string {
	c.Helper()
	var rows []string
	err := c.house.AuditRows(c.Context(), a, func(r AuditRow) error {
		rows = append(rows, strings.Join(strings.Fields(fmt.Sprint(r.Vendor, " ", r.SKU, " ", r.Finding, " ", r.Field, " ", r.Sent, " ", r.There)), " "))
		return nil
	})
	if err != nil && a.State == store.AuditDone {
		c.Fatal(err)
	}
	return rows
}

func TestAuditFindsWhatDrifted(t *testing.T) {
	c, s := newAudited(t, "")
	c.export("full", articles(4, 0, "10.00"))
	c.push(false)
	rows, _ := c.auditNow(AuditAsk{})
	if diff := cmp.Diff([]string{"1 Z1 unsent"}, rows); diff != "" {
		t.Errorf("what left just now is judged (-want +got):\n%s", diff)
	}
	c.clock = c.clock.Add(3 * time.Hour) // it was read by now
	c.flush()
	rows, all := c.auditNow(AuditAsk{Who: "ana"})
	want := []string{"1 A000 drifted price 10 9.99", "1 A002 drifted active true false", "1 A003 unknown", "1 Z1 unsent"}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	wantCounts := shelf.AuditCounts{There: 4, Sent: 4, Same: 1, Unknown: 1, Unsent: 1, Drifted: 2, Price: 1, State: 1, Odd: 1, Size: 3}
	if all[0].Counts != wantCounts || all[0].State != store.AuditDone {
		t.Errorf("%+v\nwant counts %+v", all[0], wantCounts)
	}
	if all[1].Counts.There != 0 || all[1].State != store.AuditDone {
		t.Errorf("store 2: %+v", all[1])
	}
	// What is sent after an audit changes nothing of what it found.
	c.export("full", articles(4, 0, "11.00"))
	c.push(false)
	last, err := c.house.LastAudits(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, c.auditRows(last[0])); diff != "" {
		t.Errorf("findings later (-want +got):\n%s", diff)
	}
	// What can't be fetched now is fetched later; a login that is refused is not.
	for status, want := range map[int32]store.AuditState{http.StatusBadGateway: store.AuditAsked, http.StatusForbidden: store.AuditFailed} {
		s.status.Store(status)
		run, err := c.house.Audit(t.Context(), AuditAsk{Vendors: []string{"1"}})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.house.makeAudits(t.Context()); err != nil {
			t.Error(err)
		}
		if all, err = c.house.AuditRun(t.Context(), run); err != nil || all[0].State != want || all[0].Error == "" {
			t.Errorf("%d: %+v, %v", status, all, err)
		}
		if want == store.AuditAsked && !all[0].Next.After(c.clock) {
			t.Error("it is tried again at once")
		}
		c.clock = c.clock.Add(time.Hour)
		s.status.Store(0)
		if err := c.house.makeAudits(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// TestAuditMakesTheFirstPushSmall takes what the platform has for what was sent: only what differs leaves, and only once.
func TestAuditMakesTheFirstPushSmall(t *testing.T) {
	for _, way := range []string{"list", "file"} {
		t.Run(way, func(t *testing.T) {
			c, _ := newAudited(t, "")
			ask := AuditAsk{Vendors: []string{"1"}, SetSent: true, Who: "ana"}
			audit := func() store.Audit {
				if way == "list" {
					_, all := c.auditNow(ask)
					return all[0]
				}
				path := filepath.Join(t.TempDir(), "portal.csv")
				text := "SKU;Barcode;Price;Active\nA001;;10.00;true\nA000;;9.99;true\nA002;;10;false\nZ1;;1;\n"
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				a, err := c.house.AuditFile(t.Context(), path, "1", true, "ana")
				if err != nil {
					t.Fatal(err)
				}
				return a
			}
			c.export("full", articles(4, 0, "10.00"))
			if a := audit(); !a.Took || a.Counts.Unsent != 4 {
				t.Errorf("%+v", a)
			}
			sent := c.push(false)
			want := map[string]string{"catalog/gondola_1.csv": "sku,price,active\nA000,10.00,1\nA002,10.00,1\nA003,10.00,1\n"}
			if diff := cmp.Diff(want, sent); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
			if a := audit(); a.Took || !a.SetSent {
				t.Errorf("taken once more: %+v", a)
			}
		})
	}
}

func TestAuditByExport(t *testing.T) {
	c, s := newAudited(t, "")
	c.export("full", articles(2, 0, "10.00"))
	c.push(false)
	c.clock = c.clock.Add(3 * time.Hour)
	c.flush()
	_, all := c.auditNow(AuditAsk{Vendors: []string{"1"}, ByExport: true})
	if all[0].State != store.AuditExporting || all[0].Job != "j1" {
		t.Fatalf("%+v", all[0])
	}
	asked := s.asked.Load()
	if err := c.house.makeAudits(t.Context()); err != nil || s.asked.Load() != asked {
		t.Errorf("%v, and the platform was asked again at once", err)
	}
	c.clock = c.clock.Add(exportLook)
	if err := c.house.makeAudits(t.Context()); err != nil || s.asked.Load() != asked+1 {
		t.Errorf("%v, and the platform was not asked again", err)
	}
	event := inbox.Event{Body: []byte(`{"job_id":"j1","status":"COMPLETED","platform_vendor_id":"1","download_url":"` + s.url + `/file.csv"}`)}
	if err := c.house.handleEvents(t.Context(), []inbox.Event{event}); err != nil {
		t.Fatal(err)
	}
	if err := c.house.makeAudits(t.Context()); err != nil {
		t.Fatal(err)
	}
	all, err := c.house.AuditRun(t.Context(), all[0].Run)
	if err != nil || all[0].State != store.AuditDone || all[0].URL != "" {
		t.Fatalf("%+v, %v", all, err)
	}
	if diff := cmp.Diff([]string{"1 A001 unknown"}, c.auditRows(all[0])); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	// No event ever comes.
	_, all = c.auditNow(AuditAsk{Vendors: []string{"1"}, ByExport: true})
	c.clock = c.clock.Add(exportWithin + time.Minute)
	if err := c.house.makeAudits(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all, err = c.house.AuditRun(t.Context(), all[0].Run); err != nil || all[0].State != store.AuditFailed {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestAuditOnASchedule(t *testing.T) {
	c, _ := newAudited(t, `audit: {schedule: "0 5 * * *"}`)
	for range 2 { // the first time sets where it begins
		if err := c.house.audit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	last := func() int {
		all, err := c.house.LastAudits(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	if last() != 0 {
		t.Error("audited before its time")
	}
	c.clock = c.clock.Add(48 * time.Hour)
	if err := c.house.audit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if last() != 2 {
		t.Errorf("%d audits after a slot, want one of each store", last())
	}
}

func TestAuditsThatCannotBe(t *testing.T) {
	c, _ := newAudited(t, "")
	for _, ask := range []AuditAsk{{Vendors: []string{"9"}}} {
		if _, err := c.house.Audit(t.Context(), ask); !errors.Is(err, ErrCannotAudit) {
			t.Errorf("%+v: %v", ask, err)
		}
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"empty.csv": "", "other.csv": "a;b\n1;2\n", "binary.csv": "\x00\x01\x02\x03"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := c.house.AuditFile(t.Context(), path, "1", false, "ana"); !errors.Is(err, ErrNotExport) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if all, err := c.house.LastAudits(context.Background()); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
	if left, err := filepath.Glob(filepath.Join(c.house.cfg.State.Dir, sortDir, "*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestMuchDriftIsAProblem looks that somebody is told when a store is otherwise than it was sent, and no more once it is not.
func TestMuchDriftIsAProblem(t *testing.T) {
	c, s := newAudited(t, "")
	c.house.cfg.Brake.MinRows = 4
	c.export("full", articles(4, 0, "10.00"))
	c.push(false)
	c.clock = c.clock.Add(3 * time.Hour)
	c.flush()
	drift := func() []string {
		t.Helper()
		c.auditNow(AuditAsk{Vendors: []string{"1"}})
		status, err := c.house.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, p := range status.Problems {
			if p.Kind == alert.Drift {
				texts = append(texts, p.Store+": "+p.Text)
			}
		}
		if len(status.Audits) != 1 || status.Audits[0].Much != (len(texts) > 0) {
			t.Errorf("status %+v", status.Audits)
		}
		return texts
	}
	want := []string{"1: En Uno, la plataforma muestra 3 de 4 artículos distintos de como se enviaron."}
	if diff := cmp.Diff(want, drift()); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	measured := func() string {
		t.Helper()
		all, err := c.house.measureAudits(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, m := range all[1:] { // the first is the time
			for _, one := range m.Samples {
				texts = append(texts, fmt.Sprintf("%s %s=%v", strings.TrimPrefix(m.Name, "gondola_audit_"), one.Label, one.Value))
			}
		}
		return strings.Join(texts, ", ")
	}
	if got, want := measured(), "failed 1=0, unknown_articles 1=1, unsent_articles 1=1, price_drift 1=1, state_drift 1=1"; got != want {
		t.Errorf("measured %s, want %s", got, want)
	}
	s.products = []string{
		`{"sku":"A000","price":10,"active":true}`, `{"sku":"A001","price":10,"active":true}`, `{"sku":"A002","price":10,"active":true}`,
		`{"sku":"A003","price":10,"active":true}`,
	}
	if got := drift(); len(got) > 0 {
		t.Errorf("problems %v when all is well", got)
	}
}

func TestAuditScheduleIsChecked(t *testing.T) {
	for rest, want := range map[string]string{
		`audit: {schedule: "0 5 * * *"}`: "token for the catalogue",
		"audit: {schedule: \"0 25 * * *\"}\napi: {tokens: {catalog: env:GONDOLA_CASE_PASSWORD}}": "0 25",
		"audit: {schedule: \"0 5 * * *\"}\napi: {tokens: {catalog: env:GONDOLA_CASE_PASSWORD}}":  "",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "password"), []byte(casePassword), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := config.Parse(filepath.Join(dir, "config.yaml"), []byte(liveConfig("drop")+rest+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		found := Check(cfg)
		if want == "" {
			if len(found) > 0 {
				t.Errorf("%s: %v", rest, found)
			}
			continue
		}
		if len(found) != 1 || found[0].Path != "audit.schedule" || !strings.Contains(found[0].Message, want) {
			t.Errorf("%s: %v, want %q", rest, found, want)
		}
	}
}
