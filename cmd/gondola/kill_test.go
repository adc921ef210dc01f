package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gondola/internal/sandbox"
)

// kills is how often the daemon is killed in the middle of its work.
var kills = flag.Int("kills", 50, "how often TestKill kills the daemon")

// TestKill kills the real daemon at random moments of an end-to-end run, starts it again each time, and then looks from outside: every
// export was handled once, no final name ever showed a partial file, and the platform's shelf and promotions are what the exports say.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := newKillRun(t, rand.New(rand.NewPCG(seed, 1)))
	for n := range *kills {
		r.dropSome(n)
		r.dropPromotions()
		d := r.start()
		// Long enough to get somewhere, short enough to be in the middle of it: dropping, settling, reading, sending.
		r.sleep(200, 1400)
		if r.rand.IntN(2) == 0 {
			r.push(false)
			r.sleep(0, 400)
		}
		d.kill()
	}
	d := r.start()
	defer d.kill()
	r.finish()
	r.check()
}

// killRun is the world of TestKill: a folder, a platform, and what its shelves must show in the end.
type killRun struct {
	*testing.T
	rand     *rand.Rand
	dir      string
	binary   string
	platform *sandbox.Sandbox
	want     map[string]map[string]string // vendor, SKU, price
	offers   map[string]map[string]string // vendor, SKU, price that customers pay
	drops    int
}

var killVendors = []string{"s1", "s2", "s3"}

const killSKUs = 400

// killOffers is the number of articles that have promotions, which no export of the catalogue speaks of; they cost killPrice without one.
const (
	killOffers = 20
	killPrice  = "1000"
)

func newKillRun(t *testing.T, rnd *rand.Rand) *killRun {
	r := &killRun{T: t, rand: rnd, dir: t.TempDir(), want: map[string]map[string]string{}, offers: map[string]map[string]string{}}
	r.binary = buildBinary(t)
	o := sandbox.Options{
		Dir: t.TempDir(), User: "gondola", Password: "invented for the kill test", ScanEvery: 200 * time.Millisecond,
		OrderSeed: rnd.Uint64(),
	}
	if rnd.IntN(2) == 0 {
		o.Fate = sandbox.Eat
	}
	o.Features.PosixRename = rnd.IntN(2) == 0
	t.Logf("the platform eats what it has read: %t; it can rename over: %t", o.Fate == sandbox.Eat, o.Features.PosixRename)
	for _, id := range killVendors {
		v := sandbox.Vendor{ID: id, Name: id}
		for i := range killSKUs {
			v.Articles = append(v.Articles, sandbox.Article{SKU: fmt.Sprintf("A%03d", i), Price: "1", Active: true})
		}
		r.want[id], r.offers[id] = map[string]string{}, map[string]string{}
		for i := range killOffers {
			sku := fmt.Sprintf("P%02d", i)
			v.Articles = append(v.Articles, sandbox.Article{SKU: sku, Price: killPrice, Active: true})
			r.offers[id][sku] = killPrice
		}
		o.Vendors = append(o.Vendors, v)
	}
	var err error
	if r.platform, err = sandbox.Start(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.platform.Close() })
	host, port := r.platform.SFTPAddr()
	config := fmt.Sprintf(`
chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Montevideo}
vendors: [{id: s1}, {id: s2}, {id: s3}]
state: {dir: state, min_free: 1MB}
sftp: {host: %s, port: %d, user: gondola, password: "env:GONDOLA_KILL_PASSWORD", host_keys: ["%s"], read_window: 1s}
drops: {settle: 100ms, quiet: 1s, scan: 1s}
feeds:
  - {name: full, drop: drop/full, export: full, vendor: {column: tienda}}
  - {name: partial, drop: drop/partial, export: partial, vendor: {column: tienda}}
  - {name: promos, kind: promotions, drop: drop/promos, export: partial, vendor: {column: tienda}}
send: {catalog: {schedule: "* * * * *", full: "0 4 * * *"}, promotions: {schedule: "* * * * *"}}
brake: {min_rows: 100000, price_change: off, discount: off, unknown_articles: send}
`, host, port, r.platform.HostKey())
	r.write("config.yaml", config)
	r.write("drop/full/.keep", "")
	r.write("drop/partial/.keep", "")
	r.write("drop/promos/.keep", "")
	t.Setenv("GONDOLA_KILL_PASSWORD", o.Password)
	return r
}

// dropSome drops exports of the catalogue, and notes what they make the shelves say.
func (r *killRun) dropSome(n int) {
	for range r.rand.IntN(3) {
		// Exports of one feed are applied in the order of their times; two in the same instant would have no order.
		time.Sleep(20 * time.Millisecond)
		var b strings.Builder
		b.WriteString("tienda;sku;precio\n")
		vendor := killVendors[r.rand.IntN(len(killVendors))]
		feed, share := "partial", 40
		if n == 0 {
			feed, share = "full", 1
		}
		for i := range killSKUs {
			if r.rand.IntN(share) == 0 {
				sku, price := fmt.Sprintf("A%03d", i), fmt.Sprintf("%d,%d5", 1+r.rand.IntN(900), r.rand.IntN(10))
				fmt.Fprintf(&b, "%s;%s;%s\n", vendor, sku, price)
				r.want[vendor][sku] = strings.ReplaceAll(price, ",", ".")
			}
		}
		if strings.Count(b.String(), "\n") == 1 {
			continue
		}
		r.drop(feed, b.String())
	}
}

// dropPromotions drops an export that starts promotions, changes the prices of those that run, and ends some.
func (r *killRun) dropPromotions() {
	var b strings.Builder
	b.WriteString("tienda;sku;campaña;precio oferta;desde;hasta;activa\n")
	from, to := time.Now().AddDate(0, 0, -2), time.Now().AddDate(0, 0, 30)
	vendor := killVendors[r.rand.IntN(len(killVendors))]
	for i := range killOffers {
		if r.rand.IntN(6) != 0 {
			continue
		}
		sku, price, active := fmt.Sprintf("P%02d", i), fmt.Sprint(1+r.rand.IntN(900)), "sí"
		r.offers[vendor][sku] = price
		if r.rand.IntN(4) == 0 {
			active = "no"
			r.offers[vendor][sku] = killPrice
		}
		fmt.Fprintf(&b, "%s;%s;Semana;%s;%s;%s;%s\n", vendor, sku, price, from.Format(time.DateOnly), to.Format(time.DateOnly), active)
	}
	if strings.Count(b.String(), "\n") > 1 {
		r.drop("promos", b.String())
	}
}

// drop puts an export into a feed's drop folder as a careful writer does.
func (r *killRun) drop(feed, text string) {
	r.drops++
	r.write(".incoming", text)
	name := filepath.Join(r.dir, "drop", feed, fmt.Sprintf("export-%03d.csv", r.drops))
	if err := os.Rename(filepath.Join(r.dir, ".incoming"), name); err != nil {
		r.Fatal(err)
	}
}

func (r *killRun) write(name, text string) {
	path := filepath.Join(r.dir, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		r.Fatal(err)
	}
}

func (r *killRun) sleep(from, to int) {
	time.Sleep(time.Duration(from+r.rand.IntN(to-from)) * time.Millisecond)
}

// process is a running daemon.
type process struct {
	r    *killRun
	cmd  *exec.Cmd
	out  *lockedBuffer
	once sync.Once
}

func (r *killRun) start() *process {
	p := &process{r: r, cmd: exec.Command(r.binary, "run", "--config", filepath.Join(r.dir, "config.yaml")), out: &lockedBuffer{}}
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	if err := p.cmd.Start(); err != nil {
		r.Fatal(err)
	}
	return p
}

// kill ends the daemon as a power cut would, as far as a process can tell.
func (p *process) kill() {
	p.once.Do(func() {
		_ = p.cmd.Process.Kill()
		err := p.cmd.Wait()
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.Exited() {
			p.r.Errorf("the daemon ended by itself: %v\n%s", err, p.out)
		}
	})
}

func (r *killRun) push(wait bool) {
	args := []string{"push", "--config", filepath.Join(r.dir, "config.yaml"), "--wait", "0s"}
	if wait {
		args[len(args)-1] = "30s"
	}
	if out, err := exec.Command(r.binary, args...).CombinedOutput(); err != nil && wait {
		r.Fatalf("push: %v\n%s", err, out)
	}
}

// finish waits until every export was taken and sent, and the platform had time to read.
func (r *killRun) finish() {
	deadline := time.Now().Add(time.Minute)
	for {
		if left := r.left(); len(left) == 0 {
			break
		} else if time.Now().After(deadline) {
			r.Fatalf("still in the drop folders: %v", left)
		}
		time.Sleep(200 * time.Millisecond)
	}
	r.push(true)
	// A file that was eaten perhaps unread goes once more when its read window is over; a promotion starts at its new price after the
	// end of the one at the old price was read. The schedule's next tick would do both; asking for pushes is quicker.
	for deadline = time.Now().Add(time.Minute); len(r.wrong()) > 0 && time.Now().Before(deadline); r.push(true) {
		time.Sleep(time.Second)
	}
}

// wrong lists where the platform's shelves are not what the last exports say.
func (r *killRun) wrong() []string {
	var all []string
	for vendor, prices := range r.want {
		shown := map[string]string{}
		for _, a := range r.platform.Shelf(vendor) {
			shown[a.SKU] = a.Price
		}
		for sku, price := range prices {
			if short := strings.TrimSuffix(strings.TrimRight(price, "0"), "."); shown[sku] != short {
				all = append(all, fmt.Sprintf("store %s, %s: the platform shows %q, the last export says %q", vendor, sku, shown[sku], short))
			}
		}
		for sku, price := range r.offers[vendor] {
			if pays, ok := r.platform.EffectivePrice(vendor, sku); !ok || pays != price {
				all = append(all, fmt.Sprintf("store %s, %s: customers pay %q, the last export of promotions makes it %q", vendor, sku, pays, price))
			}
		}
	}
	return all
}

// left lists the exports that lie in a drop folder or its work folder.
func (r *killRun) left() []string {
	var left []string
	err := filepath.WalkDir(filepath.Join(r.dir, "drop"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.HasSuffix(path, ".csv") {
			left = append(left, path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	if err != nil {
		r.Fatal(err)
	}
	return left
}

func (r *killRun) check() {
	changes := r.platform.Changes()
	r.Logf("%d kills, %d exports, %d changes under final names, %d operations", *kills, r.drops, len(changes), len(r.platform.Operations()))
	if len(changes) < 3 || r.drops == 0 {
		r.Error("hardly anything happened: this run shows nothing")
	}
	for _, c := range changes {
		if !c.Gone && !c.Complete {
			r.Errorf("a final name showed a partial file: %+v", c)
		}
	}
	for _, wrong := range r.wrong() {
		r.Error(wrong)
	}
	archived := 0
	err := filepath.WalkDir(filepath.Join(r.dir, "state", "archive"), func(_ string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			archived++
		}
		return err
	})
	if err != nil || archived != r.drops {
		r.Errorf("%d exports in the archive, %d were dropped (%v)", archived, r.drops, err)
	}
	out, err := exec.Command(r.binary, "status", "--json", "--config", filepath.Join(r.dir, "config.yaml")).Output()
	if err != nil {
		r.Fatalf("status: %v\n%s", err, out)
	}
	var status struct {
		Stores []struct {
			ID      string `json:"id"`
			Kind    string `json:"kind"`
			Differs int    `json:"differs"`
		} `json:"stores"`
	}
	if err := json.Unmarshal(out, &status); err != nil || len(status.Stores) != 2*len(killVendors) {
		r.Fatalf("status: %v\n%s", err, out)
	}
	for _, s := range status.Stores {
		if s.Differs != 0 {
			r.Errorf("store %s, %s: still differs in %d", s.ID, s.Kind, s.Differs)
		}
	}
}

// lockedBuffer is a buffer that a process may write to while a test reads it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// buildBinary builds the program that is shipped.
func buildBinary(t testing.TB) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "gondola")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}
