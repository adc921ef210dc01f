package sandbox

import (
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"
)

// How much the page shows.
const (
	pageRows = 200 // articles a store
	pageJobs = 20
)

//go:embed page.html
var pageText string

// pageData is what the page is made of.
type pageData struct {
	Chain, SFTP, HostKey, User string
	Now                        time.Time
	Vendors                    []pageVendor
	Jobs                       []Job // newest first
	AllJobs, Operations        int
}

// pageVendor is one store on the page.
type pageVendor struct {
	Vendor
	Shown         []Article
	Count, Active int
}

// handler serves the page and its data:
//
//	GET /                     the page
//	GET /shelf/<vendor>.json  the store's articles, sorted by SKU, with the field names of Article; 404 for an unknown store
//	GET /jobs.json            all jobs, oldest first, with the field names of Job
//	GET /operations.json      all SFTP operations, oldest first, with the field names of Op
//	GET /healthz              200 and "ok"
func (s *Sandbox) handler() http.Handler {
	page := template.Must(template.New("page").Parse(pageText))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		if err := page.Execute(w, s.pageData()); err != nil {
			s.opts.Log.Debug("page not written", "error", err)
		}
	})
	mux.HandleFunc("GET /shelf/{file}", func(w http.ResponseWriter, r *http.Request) {
		vendor, ok := strings.CutSuffix(r.PathValue("file"), ".json")
		if !ok || !s.stores.has(vendor) {
			http.NotFound(w, r)
			return
		}
		s.writeJSON(w, s.Shelf(vendor))
	})
	mux.HandleFunc("GET /jobs.json", func(w http.ResponseWriter, _ *http.Request) { s.writeJSON(w, orEmpty(s.Jobs())) })
	mux.HandleFunc("GET /operations.json", func(w http.ResponseWriter, _ *http.Request) { s.writeJSON(w, orEmpty(s.Operations())) })
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n")) // a client that is gone needs no answer
	})
	return mux
}

// orEmpty makes an empty list an empty JSON array instead of null.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// writeJSON answers with v.
func (s *Sandbox) writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		s.opts.Log.Debug("json not written", "error", err)
	}
}

// pageData looks at everything once, so that one view of the page is mostly of one moment.
func (s *Sandbox) pageData() pageData {
	jobs := s.Jobs()
	d := pageData{
		Chain: s.opts.Chain, SFTP: s.server.listener.Addr().String(), HostKey: s.HostKey(), User: s.opts.User,
		Now: s.opts.Now(), AllJobs: len(jobs), Operations: len(s.Operations()),
	}
	d.Jobs = jobs[max(0, len(jobs)-pageJobs):]
	slices.Reverse(d.Jobs)
	for _, v := range s.stores.order {
		shelf := s.Shelf(v.ID)
		pv := pageVendor{Vendor: v, Count: len(shelf), Shown: shelf[:min(len(shelf), pageRows)]}
		for _, a := range shelf {
			if a.Active {
				pv.Active++
			}
		}
		d.Vendors = append(d.Vendors, pv)
	}
	return d
}
