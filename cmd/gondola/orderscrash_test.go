package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gondola/internal/order"
	"gondola/internal/platform"
	"gondola/internal/store"
)

// TestOrdersCrash lets the program die at every seam, or at a sample of them, on the way of orders to the ERP, starts it again, and looks with the ERP's eyes: each
// order is there exactly once and whole, whether the ERP takes files away at once, takes everything that is not hidden, or leaves them.
func TestOrdersCrash(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	binary := filepath.Join(t.TempDir(), "gondola")
	if out, err := exec.Command("go", "build", "-tags", "crash", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, tc := range []struct {
		name, export string
		files        int
	}{
		{"a file for each order", "", 3},
		{"a file for all of them", "every: 1h", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rehearsal := newOrderWorld(t, binary, tc.export)
			log := filepath.Join(t.TempDir(), "seams")
			if code := rehearsal.export("GONDOLA_CRASH_LOG=" + log); code != exitDone {
				t.Fatalf("without any death it ends with %d", code)
			}
			rehearsal.inspect(tc.files)
			text, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			seams := strings.Count(string(text), "\n")
			t.Logf("%d seams", seams)
			if seams < 20 || !strings.Contains(string(text), "after rename\n") {
				t.Fatalf("seams:\n%s", text)
			}
			points := make(chan int)
			var wg sync.WaitGroup
			for range runtime.NumCPU() {
				wg.Go(func() {
					for n := range points {
						for _, eats := range []bool{false, true} {
							dieAt(t, binary, tc.export, n, eats, tc.files)
						}
					}
				})
			}
			first, step := 1, 1
			if !*crashAll {
				first, step = 1+rand.IntN(orderCrashStep), orderCrashStep
			}
			for n := first; n <= seams; n += step {
				points <- n
			}
			close(points)
			wg.Wait()
		})
	}
}

// orderCrashStep is how many seams lie between two of the sample.
const orderCrashStep = 4

// dieAt lets the program die once at a seam and once more at the same one, which is another place by then, and then finish.
func dieAt(t *testing.T, binary, export string, n int, eats bool, files int) {
	w := newOrderWorld(t, binary, export)
	w.point = fmt.Sprintf("seam %d, eats %t", n, eats)
	if eats {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); w.eat(ctx) }()
		defer func() { cancel(); <-done }()
	}
	at := fmt.Sprintf("GONDOLA_CRASH_AT=%d", n)
	if code := w.export(at); code >= 0 {
		t.Errorf("%s: it did not die but ended with %d", w.point, code)
	}
	w.export(at)
	if code := w.export(""); code != exitDone {
		t.Errorf("%s: started again it ends with %d", w.point, code)
	}
	if eats {
		w.swallow()
	}
	w.inspect(files)
}

// orderWorld is a folder of the program with three orders due, and the ERP.
type orderWorld struct {
	*testing.T
	binary, dir, erp string
	point            string

	mu    sync.Mutex
	eaten map[string][]string // what the ERP took away, by name
}

func newOrderWorld(t *testing.T, binary, export string) *orderWorld {
	w := &orderWorld{T: t, binary: binary, dir: t.TempDir(), eaten: map[string][]string{}}
	w.erp = filepath.Join(w.dir, "erp")
	text := `chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Montevideo}
vendors: [{id: "290056"}]
sftp: {host: localhost, user: gondola, password: invented, host_keys: ["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]}
state: {min_free: 0MB}
feeds: [{name: precios, drop: drop, vendor: {ids: ["290056"]}}]
orders: {export: {dir: erp, ` + export + `}}
`
	for _, err := range []error{
		os.Mkdir(filepath.Join(w.dir, "drop"), 0o750), os.Mkdir(w.erp, 0o750),
		os.WriteFile(filepath.Join(w.dir, "config.yaml"), []byte(text), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s, err := store.Open(context.Background(), filepath.Join(w.dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	s.OrderRules = order.Rules{On: []platform.OrderState{platform.StateReady}, Vendors: []string{"290056"}}
	var seen []order.Seen
	for i := range 3 {
		raw := fmt.Appendf(nil, `{"order_id":"o%d","status":"READY_FOR_PICKUP","client":{"store_id":"290056"},
			"customer":{"first_name":"Sentinela"},"payment":{"order_total":%d}}`, i, i)
		o, err := platform.ParseOrder(raw)
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, order.Seen{Order: o, By: order.ByWebhook, At: time.Now()})
	}
	if err := s.MergeOrders(context.Background(), seen, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return w
}

// export runs gondola orders export and returns its exit code, below 0 where it died.
func (w *orderWorld) export(env string) int {
	c := exec.Command(w.binary, "orders", "export")
	c.Dir = w.dir
	c.Env = append(os.Environ(), "GONDOLA_CONFIG=config.yaml")
	if env != "" {
		c.Env = append(c.Env, env)
	}
	out, err := c.CombinedOutput()
	if err != nil && c.ProcessState == nil {
		w.Errorf("%s: run: %v", w.point, err)
	}
	if code := c.ProcessState.ExitCode(); code > 0 {
		w.Errorf("%s: %s", w.point, out)
	}
	return c.ProcessState.ExitCode()
}

// eat takes files away as soon as they are there.
func (w *orderWorld) eat(ctx context.Context) {
	for ctx.Err() == nil {
		w.swallow()
		time.Sleep(time.Millisecond)
	}
}

func (w *orderWorld) swallow() {
	w.mu.Lock()
	defer w.mu.Unlock()
	entries, err := os.ReadDir(w.erp)
	if err != nil {
		w.Error(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		path := filepath.Join(w.erp, e.Name())
		text, err := os.ReadFile(path)
		if err == nil {
			err = os.Remove(path)
		}
		if err != nil {
			w.Error(err)
		}
		w.eaten[e.Name()] = append(w.eaten[e.Name()], string(text))
	}
}

// inspect holds that the ERP had each order once, in whole files, and that nothing half is left.
func (w *orderWorld) inspect(files int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	entries, err := os.ReadDir(w.erp)
	if err != nil {
		w.Fatal(err)
	}
	all := slices.Collect(func(yield func(string) bool) {
		for _, texts := range w.eaten {
			for _, text := range texts {
				yield(text)
			}
		}
	})
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".tmp") {
			w.Errorf("%s: %s is left", w.point, e.Name())
		}
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(w.erp, e.Name()))
		if err != nil {
			w.Error(err)
		}
		all = append(all, string(text))
	}
	if len(all) != files {
		w.Errorf("%s: the ERP had %d files, want %d", w.point, len(all), files)
	}
	for i := range 3 {
		line := fmt.Sprintf("order,o%d,", i)
		if n := strings.Count(strings.Join(all, ""), line); n != 1 {
			w.Errorf("%s: the ERP had order o%d %d times", w.point, i, n)
		}
	}
}
