package sandbox

import (
	"cmp"
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
	pageRows   = 200 // articles a store, and promotions
	pageJobs   = 20
	pageErrors = 5 // row errors a job
)

//go:embed page.html
var pageText string

// pageData is what the page is made of.
type pageData struct {
	Chain, SFTP, HostKey, User string
	Now                        time.Time
	Vendors                    []pageVendor
	Jobs                       []pageJob // newest first
	AllJobs, Operations        int

	REST, ChainID, Webhook string
	API                    pageAPI
}

// pageVendor is one store on the page.
type pageVendor struct {
	Vendor
	Shown           []pageArticle
	Count, Active   int
	Promotions      []pagePromotion // those that run first
	Running, Known  int             // promotions
	OtherPromotions int             // promotions that are not shown
}

// pageArticle is one article on the page.
type pageArticle struct {
	Article
	Now   string    // what one unit costs, where that is not the price
	Offer Promotion // what is shown for it; the zero value is none
}

// pagePromotion is one promotion on the page.
type pagePromotion struct {
	Promotion
	Name string // of the article
	Old  string // the price of the shelf, for a strikethrough
}

// pageJob is one job on the page.
type pageJob struct {
	Job
	Shown []RowError
	More  int // row errors that are not shown
}

// handler serves the page and its data:
//
//	GET /                          the page
//	GET /shelf/<vendor>.json       the store's articles, sorted by SKU, with the field names of Article; 404 for an unknown store
//	GET /promotions/<vendor>.json  the store's promotions as Promotions returns them, with the field names of Promotion; ?at= an
//	                               RFC 3339 time for another moment, 400 for what is none; 404 for an unknown store
//	GET /jobs.json                 all jobs of files, oldest first, with the field names of Job
//	GET /api-jobs.json             all jobs that came as requests, oldest first, with the field names of APIJob
//	GET /orders.json               all orders, oldest first, with the field names of Order
//	GET /requests.json             all requests to the REST interface, oldest first, with the field names of Request
//	GET /deliveries.json           all attempts to tell an event, oldest first, with the field names of Delivery
//	GET /downloads/<job>.csv       a job's file, at a presigned address
//	POST /control/...              see control
//	GET /operations.json           all SFTP operations, oldest first, with the field names of Op
//	GET /healthz                   200 and "ok"
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
	mux.HandleFunc("GET /promotions/{file}", s.servePromotions)
	mux.HandleFunc("GET /jobs.json", func(w http.ResponseWriter, _ *http.Request) { s.writeJSON(w, orEmpty(s.Jobs())) })
	mux.HandleFunc("GET /api-jobs.json", func(w http.ResponseWriter, _ *http.Request) { s.writeJSON(w, orEmpty(s.APIJobs())) })
	mux.HandleFunc("GET /orders.json", func(w http.ResponseWriter, _ *http.Request) { s.writeJSON(w, orEmpty(s.Orders())) })
	mux.HandleFunc("GET /requests.json", func(w http.ResponseWriter, _ *http.Request) { s.writeJSON(w, orEmpty(s.Requests())) })
	mux.HandleFunc("GET /deliveries.json", func(w http.ResponseWriter, _ *http.Request) { s.writeJSON(w, orEmpty(s.Deliveries())) })
	mux.HandleFunc("GET /downloads/{file}", s.rest.servePresigned)
	s.control(mux)
	mux.HandleFunc("GET /operations.json", func(w http.ResponseWriter, _ *http.Request) { s.writeJSON(w, orEmpty(s.Operations())) })
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n")) // a client that is gone needs no answer
	})
	return mux
}

// servePromotions answers with a store's promotions.
func (s *Sandbox) servePromotions(w http.ResponseWriter, r *http.Request) {
	vendor, ok := strings.CutSuffix(r.PathValue("file"), ".json")
	if !ok || !s.stores.has(vendor) {
		http.NotFound(w, r)
		return
	}
	at := s.opts.Now()
	if text := r.FormValue("at"); text != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, text); err != nil {
			http.Error(w, "at is no time; write it as 2026-05-01T09:00:00Z", http.StatusBadRequest)
			return
		}
	}
	s.writeJSON(w, s.PromotionsAt(vendor, at))
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
		REST: s.RESTURL(), ChainID: s.opts.API.ChainID, Webhook: s.sender.to(), API: s.pageAPI(),
	}
	for _, j := range slices.Backward(jobs[max(0, len(jobs)-pageJobs):]) {
		shown := j.Errors[:min(len(j.Errors), pageErrors)]
		d.Jobs = append(d.Jobs, pageJob{Job: j, Shown: shown, More: j.Rejected - len(shown)})
	}
	for _, v := range s.stores.order {
		d.Vendors = append(d.Vendors, s.pageVendor(v, d.Now))
	}
	return d
}

// pageVendor looks at one store.
func (s *Sandbox) pageVendor(v Vendor, now time.Time) pageVendor {
	v.Zone = s.stores.zone(v.ID)
	shelf, promotions := s.Shelf(v.ID), s.stores.promotions(v.ID, now)
	pv := pageVendor{Vendor: v, Count: len(shelf), Known: len(promotions.list)}
	articles := make(map[string]Article, len(shelf))
	for i, a := range shelf {
		articles[a.SKU] = a
		if a.Active {
			pv.Active++
		}
		if i < pageRows {
			shown := pageArticle{Article: a, Offer: promotions.shown[a.SKU]}
			if price := s.opts.Rules.effective(a.Price, shown.Offer); price != a.Price {
				shown.Now = price
			}
			pv.Shown = append(pv.Shown, shown)
		}
	}
	order := []State{Running, Coming, Ended, Over}
	slices.SortStableFunc(promotions.list, func(a, b Promotion) int {
		return cmp.Compare(slices.Index(order, a.State), slices.Index(order, b.State))
	})
	for i, p := range promotions.list {
		if p.State == Running {
			pv.Running++
		}
		if i < pageRows {
			pp := pagePromotion{Promotion: p, Name: articles[p.SKU].Name}
			if p.Type == TypeStrikethrough {
				pp.Old = articles[p.SKU].Price
			}
			pv.Promotions = append(pv.Promotions, pp)
		}
	}
	pv.OtherPromotions = pv.Known - len(pv.Promotions)
	return pv
}
