package platform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gondola/internal/catalog"
)

// testToken is long and odd enough to be found wherever it leaks.
const testToken = "tok-5f2c9a17-SECRET-e0d4"

// newTestClient returns a client of a server. Requests do not wait for each other.
func newTestClient(t testing.TB, s *httptest.Server, change func(*ClientConfig)) *Client {
	t.Helper()
	cfg := ClientConfig{
		BaseURL: s.URL, Chain: "c1", Token: func(Use) (string, error) { return testToken, nil },
		PerMinute: 600_000, Timeout: 5 * time.Second, Pause: time.Millisecond,
	}
	if change != nil {
		change(&cfg)
	}
	c := NewClient(cfg)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// serve returns a server that answers with fn.
func serve(t testing.TB, fn http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(fn)
	t.Cleanup(s.Close)
	return s
}

func TestOrderFallsBackAndRemembers(t *testing.T) {
	var paths []string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.Path)
		if r.Header.Get("Authorization") != "Bearer "+testToken {
			t.Errorf("Authorization %q", r.Header.Get("Authorization"))
		}
		switch r.URL.Path {
		case "/v2/orders/o1":
			_, _ = io.WriteString(w, `{"order_id":"o1","status":"picked_up"}`)
		case "/v2/orders/o2":
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"message":"order not found"}`)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	var found Forms
	c := newTestClient(t, s, func(cfg *ClientConfig) { cfg.FormsFound = func(f Forms) { found = f } })
	for range 2 {
		order, err := c.Order(t.Context(), "o1")
		if err != nil || order.State != StatePickedUp {
			t.Fatalf("order %+v, %v", order, err)
		}
	}
	if _, err := c.Order(t.Context(), "o2"); !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown order: %v", err)
	}
	want := "/v2/chains/c1/orders/o1 /v2/orders/o1 /v2/orders/o1 /v2/orders/o2"
	if got := strings.Join(paths, " "); got != want {
		t.Errorf("asked %s\nwant  %s", got, want)
	}
	if found.Order != FormShort {
		t.Errorf("form %+v was told", found)
	}
}

func TestOrdersPagesAndForms(t *testing.T) {
	var asked []string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.String())
		if !strings.HasSuffix(r.URL.Path, "/orders") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		page := r.URL.Query().Get("page")
		_, _ = fmt.Fprintf(w, `{"orders":[{"order_id":"o%s","status":"RECEIVED"},{"nothing":1}],"page_number":%s,"page_size":1,"total_pages":"2"}`, page, page)
	})
	c := newTestClient(t, s, func(cfg *ClientConfig) { cfg.Forms = Forms{List: FormBare} })
	from := time.Date(2026, 5, 1, 9, 0, 0, 1, time.FixedZone("UYT", -3*3600))
	var ids []string
	err := c.AllOrders(t.Context(), OrderQuery{Vendor: "v1", From: from, To: from.Add(time.Hour), PageSize: 1}, func(p OrderPage) error {
		ids = append(ids, p.Orders[0].ID)
		if len(p.Unread) != 1 {
			t.Errorf("%d unread", len(p.Unread))
		}
		return nil
	})
	if err != nil || strings.Join(ids, " ") != "o1 o2" {
		t.Fatalf("orders %v, %v", ids, err)
	}
	want := "/v2/chains/c1/vendors/v1?end_time=2026-05-01T13%3A00%3A01&page=1&page_size=1&start_time=2026-05-01T12%3A00%3A00"
	if asked[0] != want || len(asked) != 3 {
		t.Errorf("asked %v\nwant  %s first, and 3", asked, want)
	}
}

func TestRepeats(t *testing.T) {
	answers := map[string]func(w http.ResponseWriter){
		"500":       func(w http.ResponseWriter) { w.WriteHeader(500) },
		"429":       func(w http.ResponseWriter) { w.WriteHeader(429) },
		"429 after": func(w http.ResponseWriter) { w.Header().Set("Retry-After", "0.01"); w.WriteHeader(429) },
		"401":       func(w http.ResponseWriter) { w.WriteHeader(401) },
		"cut": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "50")
			_, _ = io.WriteString(w, `{"job_id`)
		},
		"no JSON": func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"job_id":"j1","job_st`) },
		"hang up": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var n atomic.Int32
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if string(body) != `{"products":[]}` {
					t.Errorf("body %q", body)
				}
				if n.Add(1) == 1 {
					answer(w)
					return
				}
				w.WriteHeader(202)
				_, _ = io.WriteString(w, `{"job_id":"j1","job_status":"QUEUED"}`)
			})
			c := newTestClient(t, s, nil)
			ref, err := c.Send(t.Context(), UseCatalog, http.MethodPut, c.CatalogPath("v1"), []byte(`{"products":[]}`))
			if err != nil || ref != (JobRef{ID: "j1", Status: "QUEUED"}) || n.Load() != 2 {
				t.Errorf("%+v, %v, after %d requests", ref, err, n.Load())
			}
		})
	}
}

func TestNotRepeated(t *testing.T) {
	for status, want := range map[int]int32{400: 1, 403: 1, 404: 1, 409: 1, 422: 1, 301: 1, 501: 1, 401: 2} {
		var n atomic.Int32
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			n.Add(1)
			w.Header().Set("Location", "http://192.0.2.1/elsewhere")
			w.WriteHeader(status)
		})
		c := newTestClient(t, s, nil)
		_, err := c.Send(t.Context(), UseCatalog, http.MethodPut, "/v2/x", nil)
		e, ok := errors.AsType[*APIError](err)
		if !ok || e.Status != status || n.Load() != want {
			t.Errorf("%d: %v after %d requests, want %d", status, err, n.Load(), want)
		}
	}
}

// TestPauseIsForAll has one request refused, and looks that none of the others leaves meanwhile.
func TestPauseIsForAll(t *testing.T) {
	var mu sync.Mutex
	var times []time.Time
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		times = append(times, time.Now())
		if len(times) == 1 {
			w.Header().Set("Retry-After", "0.4")
			w.WriteHeader(429)
			return
		}
		_, _ = io.WriteString(w, `{"job_id":"j"}`)
	})
	c := newTestClient(t, s, nil)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			time.Sleep(time.Duration(i) * 30 * time.Millisecond)
			if _, err := c.CatalogJob(t.Context(), "j"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, at := range times[1:] {
		if d := at.Sub(times[0]); d < 390*time.Millisecond {
			t.Errorf("a request left %s after the refusal", d)
		}
	}
}

// TestTokensDoNotLeak makes everything go wrong with a server that repeats what it is told, and searches all errors and logs.
func TestTokensDoNotLeak(t *testing.T) {
	var logged bytes.Buffer
	var mode atomic.Int32
	var foreign atomic.Value
	elsewhere := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			foreign.Store(r.Header.Get("Authorization"))
		}
	}))
	t.Cleanup(elsewhere.Close)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		said := r.Header.Get("Authorization") + " " + r.URL.String()
		if r.Method == http.MethodPost {
			body, _ := io.ReadAll(r.Body)
			said += string(body)
		}
		switch mode.Load() {
		case 0:
			w.WriteHeader(401)
			_, _ = io.WriteString(w, said)
		case 1:
			w.WriteHeader(400)
			_, _ = io.WriteString(w, strings.Repeat("x", maxErrorBody-len("Bearer ")-12)+said)
		case 2:
			w.Header().Set("Location", elsewhere.URL+"/?"+testToken)
			w.WriteHeader(302)
			_, _ = io.WriteString(w, said)
		case 3:
			w.WriteHeader(429)
			_, _ = io.WriteString(w, said)
		case 4:
			_, _ = io.WriteString(w, `{"x`+said)
		}
	})
	log := slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	static := func(cfg *ClientConfig) { cfg.Log = log }
	oauth := func(cfg *ClientConfig) {
		cfg.Log, cfg.Token = log, nil
		cfg.OAuth = &OAuthLogin{ClientID: "id", Secret: func() (string, error) { return testToken, nil }}
	}
	for _, config := range []func(*ClientConfig){static, oauth} {
		for m := range int32(5) {
			mode.Store(m)
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			c := newTestClient(t, s, config)
			_, err1 := c.CatalogJob(ctx, "j1")
			body, err2 := c.Download(ctx, s.URL+"/file", UseCatalog)
			if err2 == nil && m == 4 { // whatever a file holds is a file
				_ = body.Close()
				err2 = err1
			}
			for _, err := range []error{err1, err2} {
				if err == nil {
					t.Errorf("mode %d: no error", m)
					continue
				}
				text := fmt.Sprintf("%v %+v %#v", err, err, err)
				for e := err; e != nil; e = errors.Unwrap(e) {
					text += fmt.Sprintf(" %v %+v", e, e)
				}
				if e, ok := errors.AsType[*APIError](err); ok {
					text += e.Body
				}
				if strings.Contains(text, testToken[:8]) {
					t.Errorf("mode %d: the token is in %s", m, text)
				}
			}
			cancel()
		}
	}
	if strings.Contains(logged.String(), testToken[:8]) || logged.Len() == 0 {
		t.Errorf("the token is in the log, or nothing is:\n%s", logged.String())
	}
	if got := foreign.Load(); got != nil {
		t.Errorf("a foreign host was told %q", got)
	}
}

func TestCatalogPage(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"page_number":1,"page_size":3,"total_pages":7,"products":[
			{"sku":"a","barcode":["0779","12"],"price":10.5009,"active":true,"max_sales_quantity":3},
			{"sku":"b","barcode":"x","price":"1e2","active":"false"},{"sku":7,"price":null,"active":null},{"other":1}]}`)
	})
	got, err := newTestClient(t, s, nil).CatalogPage(t.Context(), "v1", 1, 3)
	want := []catalog.Item{
		{SKU: "a", Barcode: "0779", Set: catalog.Price | catalog.Active | catalog.MaxSales, Price: 10500, Active: true, MaxSales: 3},
		{SKU: "b", Set: catalog.Price | catalog.Active, Price: 100_000},
		{SKU: "7"},
	}
	if err != nil || got.Pages != 7 || fmt.Sprint(got.Products) != fmt.Sprint(want) {
		t.Errorf("%+v, %v\nwant %+v", got, err, want)
	}
}
