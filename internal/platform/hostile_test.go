package platform

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gondola/internal/catalog"
)

// TestEveryRequestCounts has a server hang up on every connection that was used before: what the transport repeats by itself is a
// request like any other.
func TestEveryRequestCounts(t *testing.T) {
	const gap = 200 * time.Millisecond
	var mu sync.Mutex
	var times []time.Time
	used := map[string]bool{}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		times = append(times, time.Now())
		if used[r.RemoteAddr] {
			panic(http.ErrAbortHandler)
		}
		used[r.RemoteAddr] = true
		_, _ = io.WriteString(w, `{"job_id":"j"}`)
	})
	c := newTestClient(t, s, func(cfg *ClientConfig) { cfg.PerMinute = int(time.Minute / gap) })
	for range 3 {
		if _, err := c.CatalogJob(t.Context(), "j"); err != nil {
			t.Error(err)
		}
	}
	if len(times) < 5 {
		t.Fatalf("%d requests: the transport repeated none", len(times))
	}
	for i, at := range times[1:] {
		if d := at.Sub(times[i]); d < gap*3/4 {
			t.Errorf("request %d came %s after the one before", i+1, d)
		}
	}
}

// TestAConnectionCostsNoRequest looks that nothing is counted twice, with either version of HTTP.
func TestAConnectionCostsNoRequest(t *testing.T) {
	for _, two := range []bool{false, true} {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if got := r.ProtoMajor == 2; got != two {
				t.Errorf("asked by %s", r.Proto)
			}
			_, _ = io.WriteString(w, `{"job_id":"j"}`)
		}))
		s.EnableHTTP2 = two
		s.StartTLS()
		t.Cleanup(s.Close)
		const gap = 100 * time.Millisecond
		c := newTestClient(t, s, func(cfg *ClientConfig) {
			cfg.PerMinute, cfg.Transport = int(time.Minute/gap), s.Client().Transport
		})
		start := time.Now()
		for range 5 {
			if _, err := c.CatalogJob(t.Context(), "j"); err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(start); took > 8*gap {
			t.Errorf("HTTP/2 %t: 5 requests took %s", two, took)
		}
	}
}

// TestLongestRange asks for all that may be asked for, with a fraction of a second at either end.
func TestLongestRange(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		from, err1 := time.Parse(timeForm, r.FormValue("start_time"))
		to, err2 := time.Parse(timeForm, r.FormValue("end_time"))
		if err := errors.Join(err1, err2); err != nil || to.Sub(from) > MaxOrderRange {
			t.Errorf("asked for %s, %v", to.Sub(from), err)
		}
		if want := time.Date(2026, 5, 1, 12, 0, 1, 0, time.UTC); !to.Equal(want) {
			t.Errorf("asked until %s, want %s", to, want)
		}
		_, _ = io.WriteString(w, `{"orders":[]}`)
	})
	to := time.Date(2026, 5, 1, 12, 0, 0, 500, time.UTC)
	_, err := newTestClient(t, s, nil).Orders(t.Context(), OrderQuery{Vendor: "v1", From: to.Add(-MaxOrderRange), To: to})
	if err != nil {
		t.Error(err)
	}
}

// TestPagesWithoutTotal reads a list that does not say how many pages it has: only an empty one proves that it ended, since a platform may
// give fewer orders in a page than were asked for.
func TestPagesWithoutTotal(t *testing.T) {
	for _, size := range []string{`,"page_size":2`, ""} {
		var asked atomic.Int32
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			asked.Add(1)
			orders := map[string]string{"1": `{"order_id":"a"},{"order_id":"b"}`, "2": `{"order_id":"c"}`}[r.FormValue("page")]
			_, _ = fmt.Fprintf(w, `{"orders":[%s]%s}`, orders, size)
		})
		var ids []string
		err := newTestClient(t, s, nil).AllOrders(t.Context(), OrderQuery{Vendor: "v1", PageSize: 2}, func(p OrderPage) error {
			for _, o := range p.Orders {
				ids = append(ids, o.ID)
			}
			return nil
		})
		if got := strings.Join(ids, " "); err != nil || got != "a b c" || asked.Load() != 3 {
			t.Errorf("%s: orders %s after %d requests, %v", size, got, asked.Load(), err)
		}
	}
}

// TestRefusedTogether has several requests refused that were under way together: that is one refusal, and the pause does not double.
func TestRefusedTogether(t *testing.T) {
	var come sync.WaitGroup
	come.Add(4)
	var n atomic.Int32
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) <= 4 {
			come.Done()
			come.Wait()
			w.WriteHeader(429)
			return
		}
		_, _ = io.WriteString(w, `{"job_id":"j"}`)
	})
	c := newTestClient(t, s, func(cfg *ClientConfig) { cfg.Pause = 300 * time.Millisecond })
	start := time.Now()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if _, err := c.CatalogJob(t.Context(), "j"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if took := time.Since(start); took > time.Second {
		t.Errorf("the pause was %s", took)
	}
}

// TestRetryAfterByTheirClock asks for a pause until a time of a clock that is ten minutes ahead of ours.
func TestRetryAfterByTheirClock(t *testing.T) {
	theirs := time.Now().Add(10 * time.Minute)
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", theirs.UTC().Format(http.TimeFormat))
		w.Header().Set("Retry-After", theirs.Add(90*time.Second).UTC().Format(http.TimeFormat))
		w.WriteHeader(429)
	})
	_, err := newTestClient(t, s, nil).CatalogJob(t.Context(), "j")
	if e, ok := errors.AsType[*APIError](err); !ok || e.RetryAfter != 90*time.Second {
		t.Errorf("%+v", err)
	}
}

// TestSignaturesDoNotLeak looks that what signs an address stands in no error, however the answer repeats it.
func TestSignaturesDoNotLeak(t *testing.T) {
	const signature = "X-Signature=0123456789abcdefSIGNED"
	for _, answer := range []func(w http.ResponseWriter, r *http.Request){
		func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "expired: "+r.URL.String(), http.StatusForbidden)
		},
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://files.invalid/%zz?"+signature)
			w.WriteHeader(302)
		},
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://files.invalid:x/?"+signature)
			w.WriteHeader(302)
		},
	} {
		s := serve(t, answer)
		c := newTestClient(t, s, nil)
		_, err := c.Download(t.Context(), s.URL+"/f?"+signature, UseCatalog)
		if err == nil || strings.Contains(err.Error(), "SIGNED") {
			t.Errorf("error %v", err)
		}
		if e, ok := errors.AsType[*APIError](err); ok && strings.Contains(e.Body, "SIGNED") {
			t.Errorf("body %s", e.Body)
		}
	}
}

// TestOddAddressesAreInside tries what netip takes for global and no server in the internet has.
func TestOddAddressesAreInside(t *testing.T) {
	for _, text := range []string{
		"::7f00:1", "::a00:1", "100::1", "2001:db8::1", "3fff::1", "2001:10::1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "fec0::1", "5f00::1",
		"192.0.2.1", "198.51.100.1", "203.0.113.1", "192.88.99.1", "2001:0:1::1", "::ffff:0:7f00:1", "ff0e::1",
	} {
		if isPublic(netip.MustParseAddr(text)) {
			t.Errorf("%s is public", text)
		}
	}
	for _, text := range []string{"2a03:2880:f003::1", "2001:4860:4860::8888", "192.0.1.1", "198.51.101.1"} {
		if !isPublic(netip.MustParseAddr(text)) {
			t.Errorf("%s is not public", text)
		}
	}
}

// TestRenewalGoesFirst has the audit need a new token while jobs wait: orders need it as much.
func TestRenewalGoesFirst(t *testing.T) {
	var o oauthServer
	var now atomic.Int64
	c := newOAuthClient(t, &o, &now)
	c.limiter.pause(time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { _, _ = c.CatalogPage(ctx, "v1", 1, 1) })
	var priority Priority
	for waiting := 0; waiting == 0; time.Sleep(time.Millisecond) {
		c.limiter.mu.Lock()
		if waiting = len(c.limiter.waiting); waiting > 0 {
			priority = c.limiter.waiting[0].priority
		}
		c.limiter.mu.Unlock()
	}
	if priority != PriorityOrders {
		t.Errorf("the renewal has priority %d", priority)
	}
	cancel()
	all.Wait()
}

// TestHugeEvents looks that ten megabytes of nothing do not become gigabytes.
func TestHugeEvents(t *testing.T) {
	for name, body := range map[string]string{
		"items":      `{"order_id":"o","items":[{}` + strings.Repeat(",{}", maxItems) + `]}`,
		"many items": `{"order_id":"o","items":[{}` + strings.Repeat(",{}", MaxBody/3-20) + `]}`,
		"barcodes":   `{"order_id":"o","items":[{"barcode":[1` + strings.Repeat(",1", MaxBody/2-40) + `]}]}`,
		"vendors":    `{"job_id":"j","invalid_vendors":[1` + strings.Repeat(",1", MaxBody/2-40) + `]}`,
		"fields":     `{"job_id":"j","x":{"":1` + strings.Repeat(`,"":1`, MaxBody/5-40) + `}}`,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := ParseEvent([]byte(body))
		runtime.ReadMemStats(&after)
		if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; err == nil || mb > 50 {
			t.Errorf("%s: %d MB, %v", name, mb, err)
		}
	}
}

// TestSwallowedRows reads files in which one quote has no other: what stands behind it is not silently gone, nor all in memory.
func TestSwallowedRows(t *testing.T) {
	rest := strings.Repeat("a,REJECTED,too cheap\n", 1<<14)
	err := ReadFeedback(strings.NewReader("sku,state,errors\n\"x,REJECTED,too cheap\n"+rest), "v1", func(Rejection) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "row") {
		t.Errorf("feedback: %v", err)
	}
	n := 0
	err = ReadExport(strings.NewReader("sku,price\na,1\n\"b,2\n"+rest), func(catalog.Item, int) error { n++; return nil })
	if err == nil || n != 1 {
		t.Errorf("export: %d articles, %v", n, err)
	}
	if err := ReadFeedback(strings.NewReader("sku,state,errors\n"+rest), "v1", func(Rejection) error { return nil }); err != nil {
		t.Error(err)
	}
}
