package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// Streamed is what came of a stream or script of orders that the page's port was asked for.
type Streamed struct {
	Orders []string `json:"orders"` // ids, in the order in which they were made
	Error  string   `json:"error,omitempty"`
}

// control adds what steers the sandbox from outside. It is no part of the platform, so it is on the page's port.
//
//	POST /control/orders        a Stream as JSON: runs it while the client waits, then answers with Streamed
//	POST /control/script        a script (see RunScript): likewise
//	POST /control/faults/NAME   turns a fault on, or with ?on=false off; 404 for one that is not there
//	POST /control/webhook       ?url= is where events go from now on
//
// Pages of other sites can't use it.
func (s *Sandbox) control(mux *http.ServeMux) {
	guard := http.NewCrossOriginProtection()
	handle := func(pattern string, do http.HandlerFunc) { mux.Handle("POST /control/"+pattern, guard.Handler(do)) }
	handle("orders", func(w http.ResponseWriter, q *http.Request) {
		var st Stream
		d := json.NewDecoder(io.LimitReader(q.Body, maxScript))
		d.DisallowUnknownFields()
		if err := errors.Join(d.Decode(&st), st.check()); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		ids, err := s.StreamOrders(q.Context(), st)
		s.streamed(q.Context(), w, ids, err)
	})
	handle("script", func(w http.ResponseWriter, q *http.Request) {
		ids, err := s.RunScript(q.Context(), io.LimitReader(q.Body, maxScript))
		s.streamed(q.Context(), w, ids, err)
	})
	handle("faults/{name}", func(w http.ResponseWriter, q *http.Request) {
		if err := s.faults.Set(q.PathValue("name"), q.FormValue("on") != "false"); err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	handle("webhook", func(w http.ResponseWriter, q *http.Request) {
		s.SetWebhook(q.FormValue("url"))
		w.WriteHeader(http.StatusNoContent)
	})
}

// streamed answers what came of orders.
func (s *Sandbox) streamed(ctx context.Context, w http.ResponseWriter, ids []string, err error) {
	out := Streamed{Orders: orEmpty(ids)}
	if err != nil {
		out.Error = err.Error()
	}
	// What the last orders are told by is on its way: whoever waits for the answer wants to look at what came of it.
	for end := time.Now().Add(s.opts.Webhook.Timeout); ctx.Err() == nil && s.PendingEvents() > 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	s.writeJSON(w, out)
}
