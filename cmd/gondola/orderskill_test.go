package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gondola/internal/sandbox"
)

// How much TestOrdersKill does. Half of the events are delivered orderRepeats times, some more often because the daemon was away. The
// others are told again only until they are taken over: one that got lost then would not be healed by a copy.
const (
	orderEvents     = 1000
	orderRepeats    = 20
	orderDeliveries = 10_000
	orderSecret     = "user:invented for the kill test"
)

// TestOrdersKill kills the real daemon at random moments while events come in, many times each and in disorder, and an ERP eats its
// files at once. Then it looks from outside: each order went to the ERP exactly once for each state that is asked for, and nothing that
// the platform was told to have arrived is missing. There is no poll that could repair it.
func TestOrdersKill(t *testing.T) {
	if testing.Short() {
		t.Skip("takes two minutes")
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := newOrderKillRun(t, rand.New(rand.NewPCG(seed, 1)))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var others sync.WaitGroup
	defer others.Wait()
	others.Go(func() { r.erp.eat(ctx) })
	made, lives := make(chan struct{}), r.rand.Uint64()
	others.Go(func() {
		defer close(made)
		r.makeOrders(ctx, lives)
	})
	for range *kills {
		d := r.start()
		// Long enough to get somewhere, short enough to be in the middle of it: taking events, merging, writing files.
		r.sleep(150, 1200)
		d.kill()
		r.sleep(0, 150)
	}
	d := r.start()
	defer d.kill()
	<-made
	r.finish()
	stop()
	others.Wait()
	r.check()
}

// orderKillRun is the world of TestOrdersKill.
type orderKillRun struct {
	*killRun
	erp *eatingERP
}

func newOrderKillRun(t *testing.T, rnd *rand.Rand) *orderKillRun {
	r := &orderKillRun{killRun: &killRun{T: t, rand: rnd, dir: t.TempDir()}}
	r.binary = buildBinary(t)
	address := freeAddress(t)
	o := sandbox.Options{
		Dir: t.TempDir(), User: "gondola", Password: "invented for the kill test",
		API:     sandbox.API{OrderSeed: rnd.Uint64()},
		Webhook: sandbox.Webhook{URL: "http://" + address + "/webhook", Secret: orderSecret, Timeout: 5 * time.Second, Senders: 8},
	}
	for range 600 { // a daemon that is away is asked again until it is there: the platform's patience is not what is tried here
		o.Webhook.Retries = append(o.Webhook.Retries, 200*time.Millisecond)
	}
	for _, id := range killVendors {
		o.Vendors = append(o.Vendors, sandbox.Vendor{ID: id, Articles: []sandbox.Article{
			{SKU: "A", Price: "10.5", Active: true}, {SKU: "B", Price: "99", Active: true}, {SKU: "C", Price: "1250", Active: true},
		}})
	}
	var err error
	if r.platform, err = sandbox.Start(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.platform.Close() })
	r.platform.Faults().ReorderEvents(4 * time.Second)
	host, port := r.platform.SFTPAddr()
	r.write("config.yaml", fmt.Sprintf(`
chain: {id: %s, time_zone: America/Montevideo}
vendors: [{id: s1}, {id: s2}, {id: s3}]
state: {dir: state, min_free: 1MB}
sftp: {host: %s, port: %d, user: gondola, password: "env:GONDOLA_KILL_PASSWORD", host_keys: ["%s"]}
feeds: [{name: full, drop: drop/full, export: full, vendor: {column: tienda}}]
orders:
  webhook: {listen: "%s", secrets: ["env:GONDOLA_KILL_SECRET"]}
  poll: {every: 0s}
  export: {dir: erp, format: json, on: [READY_FOR_PICKUP, CANCELLED], on_change: ignore}
`, sandbox.DefaultChainID, host, port, r.platform.HostKey(), address))
	r.write("drop/full/.keep", "")
	r.write("erp/.keep", "")
	t.Setenv("GONDOLA_KILL_PASSWORD", o.Password)
	t.Setenv("GONDOLA_KILL_SECRET", orderSecret)
	r.erp = &eatingERP{T: t, dir: filepath.Join(r.dir, "erp"), eaten: map[handedOver]int{}}
	return r
}

// freeAddress returns an address on this machine that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// makeOrders lets orders live, by a seed, until there are events enough. Most of them are cancelled, so that there are several events about one.
func (r *orderKillRun) makeOrders(ctx context.Context, seed uint64) {
	st := sandbox.Stream{Rate: 15, Count: orderEvents, Step: 300 * time.Millisecond, Seed: seed, Cancel: 0.6, Cart: 0.2}
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	go func() {
		for times := orderRepeats; ctx.Err() == nil; times = orderRepeats + 1 - times {
			r.platform.Faults().RepeatEvents(times)
			if len(r.asked()) >= orderEvents {
				enough()
			}
			time.Sleep(100 * time.Millisecond)
		}
	}()
	if _, err := r.platform.StreamOrders(ctx, st); err != nil {
		r.Error(err)
	}
}

// handedOver is one order and the state that it was asked for with.
type handedOver struct{ ID, Asked string }

// asked returns what the ERP is owed: each order in each state that an event told of.
func (r *orderKillRun) asked() map[handedOver]bool {
	want := map[handedOver]bool{}
	for _, o := range r.platform.Orders() {
		for _, state := range o.States {
			if state == sandbox.StateReady || state == sandbox.StateCancelled {
				want[handedOver{o.ID, state}] = true
			}
		}
	}
	return want
}

// finish waits until all events were taken over and all orders handed over, and a little for what should not come.
func (r *orderKillRun) finish() {
	deadline := time.Now().Add(2 * time.Minute)
	for r.platform.PendingEvents() > 0 || r.erp.count() < len(r.asked()) {
		if time.Now().After(deadline) {
			r.Errorf("in vain: %d events are not taken over, %d of %d hand-overs are there", r.platform.PendingEvents(), r.erp.count(), len(r.asked()))
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	time.Sleep(3 * time.Second)
}

// check compares what the platform told with what the ERP ate.
func (r *orderKillRun) check() {
	want, got := r.asked(), r.erp.all()
	tries := r.platform.Deliveries()
	taken, events := map[handedOver]bool{}, map[int]bool{}
	acknowledged := 0
	for _, d := range tries {
		events[d.Event] = true
		if d.Acknowledged() {
			acknowledged++
			taken[handedOver{d.ID, d.State}] = true
		}
	}
	r.Logf("%d kills, %d orders, %d events, %d attempts to deliver them, %d acknowledged, %d hand-overs",
		*kills, len(r.platform.Orders()), len(events), len(tries), acknowledged, len(got))
	if len(events) < orderEvents || acknowledged < orderDeliveries || len(tries) == acknowledged {
		r.Error("too little happened: this run shows nothing")
	}
	for h := range taken {
		if got[h] == 0 {
			r.Errorf("acknowledged and lost: order %s, %s", h.ID, h.Asked)
		}
	}
	for h, n := range got {
		switch {
		case n > 1:
			r.Errorf("handed over %d times: order %s, %s", n, h.ID, h.Asked)
		case !want[h]:
			r.Errorf("handed over and never told of: order %s, %s", h.ID, h.Asked)
		}
	}
	for h := range want {
		if got[h] == 0 && !taken[h] {
			r.Errorf("never taken over: order %s, %s", h.ID, h.Asked)
		}
	}
}

// eatingERP takes its files away as soon as they are there, and reads them.
type eatingERP struct {
	*testing.T
	dir string

	mu    sync.Mutex
	eaten map[handedOver]int // guarded by mu
}

// eat eats until ctx ends, and then what is left.
func (e *eatingERP) eat(ctx context.Context) {
	for last := false; !last; {
		last = ctx.Err() != nil
		entries, err := os.ReadDir(e.dir)
		if err != nil {
			e.Error(err)
			return
		}
		for _, entry := range entries {
			if !strings.HasPrefix(entry.Name(), ".") {
				e.file(filepath.Join(e.dir, entry.Name()))
			}
		}
		time.Sleep(time.Millisecond) // the daemon wants to work too
	}
}

// file eats one file. It must be whole the moment it has its name.
func (e *eatingERP) file(path string) {
	data, err := os.ReadFile(path)
	if err == nil {
		err = os.Remove(path)
	}
	var file struct {
		Orders []struct {
			ID    string `json:"order_id"`
			Asked string `json:"asked"`
		} `json:"orders"`
	}
	if err == nil {
		err = json.Unmarshal(data, &file)
	}
	if err != nil || len(file.Orders) == 0 {
		e.Errorf("a file for the ERP is not whole: %s, %v", path, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, o := range file.Orders {
		e.eaten[handedOver{o.ID, o.Asked}]++
	}
}

func (e *eatingERP) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.eaten)
}

// all returns how often each hand-over was made.
func (e *eatingERP) all() map[handedOver]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := map[handedOver]int{}
	for h, n := range e.eaten {
		out[h] = n
	}
	return out
}
