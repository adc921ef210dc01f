package web

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// watch opens a stream and returns its messages, as kind and data, until the test ends.
func watch(t *testing.T, url string, headers ...string) <-chan [2]string {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/events", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req) //nolint:bodyclose // the goroutine below does that
	if err != nil {
		t.Fatal(err)
	}
	if kind := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || kind != "text/event-stream" {
		t.Fatalf("%d, %s", res.StatusCode, kind)
	}
	messages := make(chan [2]string)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(messages)
		defer res.Body.Close()
		var kind string
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			if text, is := strings.CutPrefix(lines.Text(), "event: "); is {
				kind = text
			}
			if text, is := strings.CutPrefix(lines.Text(), "data: "); is {
				select {
				case messages <- [2]string{kind, text}:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	t.Cleanup(func() {
		leave()
		<-done
	})
	return messages
}

// TestEvents tells readers what is new, says now and then that nothing is, outlives the patience for a request, and ends with the server.
func TestEvents(t *testing.T) {
	var differs atomic.Int64
	began := time.Now()
	c := Config{
		Language: "en", Listen: freeAddress(t),
		Now: func() time.Time { return began.Add(1000 * time.Since(began)) }, // views age at once
		Look: func(context.Context) (View, error) {
			// When that was is nothing new.
			return View{Page: Page{At: time.Now(), State: "ok", Stores: []Store{{ID: "1", Differs: int(differs.Load())}}}}, nil
		},
	}
	stop := serve(t, c, func(s *Server) {
		s.watch, s.still, s.patience = 5*time.Millisecond, 150*time.Millisecond, 100*time.Millisecond
	})
	first, second := watch(t, "http://"+c.Listen), watch(t, "http://"+c.Listen)
	var known string
	for _, messages := range []<-chan [2]string{first, second} {
		m := <-messages
		if m[0] != "new" || known != "" && m[1] != known {
			t.Fatalf("%v, after %q", m, known)
		}
		known = m[1]
		if m := <-messages; m[0] != "seen" || !strings.HasPrefix(m[1], "Seen ") {
			t.Fatalf("%v", m)
		}
	}
	for range 3 { // longer than a request may take
		if m := <-first; m[0] != "seen" {
			t.Fatalf("nothing is new, and it says %v", m)
		}
	}
	differs.Store(1)
	for m := range first {
		if m[0] == "new" {
			if m[1] == known {
				t.Errorf("what is new has the digest %s as before", known)
			}
			break
		}
	}
	stop() // serve looks at how long that takes
	for range first {
	}
	for range second {
	}
}

// TestEventsEndWithTheLogin logs out while the page is open somewhere else, too: nothing more is told there.
func TestEventsEndWithTheLogin(t *testing.T) {
	c := Config{
		Language: "es", Listen: freeAddress(t), Look: fixed(Page{State: "ok"}), Open: []Role{}, Users: []User{testUser("vera", RoleView)},
	}
	serve(t, c, func(s *Server) { s.watch, s.still = 5*time.Millisecond, 20*time.Millisecond })
	s := served{url: "http://" + c.Listen}
	b := s.reader(t)
	b.login("vera", testPassword)
	var headers []string
	for _, cookie := range b.cookies {
		headers = append(headers, "Cookie", cookie.Name+"="+cookie.Value)
	}
	messages := watch(t, s.url, headers...)
	for range 3 {
		<-messages
	}
	if res, _ := b.do(http.MethodPost, "/logout", url.Values{"csrf": {b.token("/")}}); res.code != http.StatusSeeOther {
		t.Fatalf("logout: %d", res.code)
	}
	late := time.After(10 * time.Second)
	for {
		select {
		case _, more := <-messages:
			if !more {
				return
			}
		case <-late:
			t.Fatal("it is still told")
		}
	}
}

// TestEventsOfALargeShelf goes on telling readers that we are there while a view takes long to work out.
func TestEventsOfALargeShelf(t *testing.T) {
	var looks atomic.Int64
	began := time.Now()
	c := Config{
		Language: "en", Listen: freeAddress(t),
		Now: func() time.Time { return began.Add(1000 * time.Since(began)) },
		Look: func(ctx context.Context) (View, error) {
			if looks.Add(1) > 1 {
				<-ctx.Done()
			}
			return View{Page: Page{At: began, State: "ok"}}, ctx.Err()
		},
	}
	stop := serve(t, c, func(s *Server) { s.watch, s.still = 5*time.Millisecond, 30*time.Millisecond })
	messages := watch(t, "http://"+c.Listen)
	first, second := <-messages, <-messages
	if first[0] != "new" || second[0] != "seen" {
		t.Fatalf("%v, %v", first, second)
	}
	for range 3 {
		if m := <-messages; m != second {
			t.Errorf("%v, want %v once more", m, second)
		}
	}
	if n := looks.Load(); n != 2 {
		t.Errorf("looked %d times, want a second time that lasts", n)
	}
	stop()
}

// TestTooManyWatchers sends away who finds no place, and takes the next one once somebody has left.
func TestTooManyWatchers(t *testing.T) {
	s := newServed(t, Config{Look: fixed(Page{State: "ok"})})
	for range maxWatchers {
		s.watchers <- struct{}{}
	}
	res, _ := ask(t, http.MethodGet, s.url+"/events")
	if res.code != http.StatusServiceUnavailable || res.header.Get("Retry-After") == "" {
		t.Errorf("one too many: %d, %v", res.code, res.header)
	}
	<-s.watchers
	if m := <-watch(t, s.url); m[0] != "new" {
		t.Errorf("%v", m)
	}
}

// TestLargeChain keeps the page of a chain of a thousand stores small, with what matters first, and finds the others.
func TestLargeChain(t *testing.T) {
	p := fullPage()
	p.Stores, p.Deliveries, p.Held = nil, nil, nil
	for i := range 1000 {
		name := fmt.Sprintf("Local de nombre largo %04d", i)
		s := Store{ID: fmt.Sprint(200000 + i), Name: name, Shelf: "catalog", Same: 12345, Differs: i, Verified: p.At, Next: p.At.Add(time.Hour), Settled: true}
		if i%5 == 0 {
			s.Problem = "La plataforma no deja escribir en la carpeta. Pídalo."
		}
		p.Stores = append(p.Stores, s, Store{ID: s.ID, Name: name, Shelf: "promotions", Verified: p.At, Next: p.At})
		p.Deliveries = append(p.Deliveries, Delivery{Name: "catalog/gondola_" + s.ID + ".csv", Store: name, State: "deferred", Why: "Se reintenta.", Detail: "EOF"})
		p.Held = append(p.Held, Held{Finding: fmt.Sprint("F", i), Store: name, Findings: []Finding{{Text: "Precios.", Worst: make([]Move, 10)}}})
	}
	s := newServed(t, Config{Language: "es", Look: fixed(p)})
	for path, want := range map[string][]string{
		"/":                       {"Local de nombre largo 0000", "En orden: 100", "Hay 1850 más", "… y 970 más."},
		"/?part&store=largo+0999": {"<div id=\"now\"", "Local de nombre largo 0999", "<details id=\"quiet-stores\" open>", "En orden: 2"},
		"/?store=200998":          {"Local de nombre largo 0998"},
		"/?store=nadie":           {"Ninguna tienda se llama así."},
	} {
		_, body := ask(t, http.MethodGet, s.url+path)
		t.Logf("%s: %d bytes", path, len(body))
		if len(body) > 300_000 {
			t.Errorf("%s has %d bytes", path, len(body))
		}
		for _, text := range want {
			if !strings.Contains(body, text) {
				t.Errorf("%s does not say %q", path, text)
			}
		}
	}
	if _, body := ask(t, http.MethodGet, s.url+"/?part"); strings.Contains(body, "<html") || strings.Contains(body, "Local de nombre largo 0001") && !strings.Contains(body, "quiet-stores") {
		t.Errorf("a part is a whole page, or quiet shelves are among the others")
	}
}
