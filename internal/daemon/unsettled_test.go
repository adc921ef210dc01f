package daemon

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gondola/internal/catalog"
	"gondola/internal/config"
	"gondola/internal/drop"
	"gondola/internal/outbox"
)

// TestUnsettled holds the house to its central promise: whenever the platform reads, whether it keeps or eats files, however sends
// break off and the process dies, after quiet time the platform's shelf shows what is wanted.
func TestUnsettled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "unsettled-*")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		w := newWorld(t, dir, rapid.Bool().Draw(t, "eats"))
		defer func() { _ = w.house.Close() }()
		t.Repeat(map[string]func(*rapid.T){
			"drop":  w.drop,
			"tick":  w.tick,
			"flush": w.flush,
			// All three at once, so that files follow each other closely.
			"push": func(t *rapid.T) { w.drop(t); w.tick(t); w.flush(t) },
			"scan": func(*rapid.T) { w.reader.begin(); w.reader.end() },
			// The reader is caught between reading a file and deleting it by name.
			"scan begins": func(*rapid.T) { w.reader.begin() },
			"scan ends":   func(*rapid.T) { w.reader.end() },
			"time":        func(t *rapid.T) { w.pass(time.Duration(rapid.IntRange(1, 90).Draw(t, "minutes")) * time.Minute) },
		})
		w.quiet(t)
	})
}

// TestEatenUnread is the rarest of those histories: the platform has read a file, a newer one takes its place, and then the platform
// deletes by name what it has not read.
func TestEatenUnread(t *testing.T) {
	w := newWorld(t, t.TempDir(), true)
	defer func() { _ = w.house.Close() }()
	for i, text := range []string{"sku,precio\nA,1.50\n", "sku,precio\nA,2.50\n"} {
		w.export(t, 0, text)
		w.tickNow(t, false)
		w.reader.scanWithin = i == 1
		w.flushWith(t, "")
	}
	if len(w.reader.files) != 0 || w.reader.shelf["A"]["price"] != "1.50" {
		t.Fatalf("the platform was to have eaten the second file unread: %q, %v", w.reader.files, w.reader.shelf)
	}
	w.quiet(t)
}

const unsettledConfig = `
chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Montevideo}
vendors: [{id: "1"}]
state: {dir: state, min_free: 0MB}
sftp: {host: sandbox, user: sandbox, password: "env:GONDOLA_CASE_PASSWORD", host_keys: ["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]}
feeds:
  - {name: full, drop: drop/full, export: full, missing: deactivate, vendor: {ids: ["1"]}}
  - {name: partial, drop: drop/partial, export: partial, vendor: {ids: ["1"]}}
brake: {min_rows: 1000, price_change: off}
`

// world is a house, a platform that reads when it likes, and the time.
type world struct {
	dir    string
	config string
	point  func(*config.Config) // changes the config; nil leaves it as it is
	clock  time.Time            // the house's
	erp    func() time.Time     // what exports are stamped with; nil is the house's
	dial   func(context.Context) (outbox.Remote, error)
	house  *House
	reader *reader
}

func newWorld(t rapid.TB, dir string, eats bool) *world {
	w := &world{dir: dir, config: unsettledConfig, clock: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	w.dial = func(context.Context) (outbox.Remote, error) { return w.reader, nil }
	w.reader = &reader{
		now: func() time.Time { return w.clock }, eats: eats,
		files: map[string][]byte{}, read: map[string][]byte{}, shelf: map[string]map[string]string{},
	}
	w.start(t)
	return w
}

func (w *world) start(t rapid.TB) {
	cfg, err := config.Parse(filepath.Join(w.dir, "config.yaml"), []byte(w.config))
	if err != nil {
		t.Fatal(err)
	}
	if w.point != nil {
		w.point(cfg)
	}
	w.house, err = Open(context.Background(), cfg, Options{
		Now:  func() time.Time { return w.clock },
		Dial: w.dial,
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) drop(t *rapid.T) {
	var b strings.Builder
	b.WriteString("sku,precio,activo\n")
	for _, sku := range []string{"A", "B", "C", "D"} {
		if rapid.IntRange(0, 2).Draw(t, sku) == 0 {
			continue
		}
		price, active := "", rapid.SampledFrom([]string{"", "S", "N"}).Draw(t, "active")
		if rapid.Bool().Draw(t, "priced") {
			price = fmt.Sprintf("%d.50", rapid.IntRange(1, 3).Draw(t, "price"))
		}
		fmt.Fprintf(&b, "%s,%s,%s\n", sku, price, active)
	}
	w.export(t, rapid.IntRange(0, 1).Draw(t, "feed"), b.String())
}

// export drops an export of the full feed (0), the partial one (1) or a later one in the config.
func (w *world) export(t rapid.TB, feed int, text string) {
	w.clock = w.clock.Add(time.Second)
	modified := w.clock
	if w.erp != nil {
		modified = w.erp()
	}
	seq, err := w.house.store.NextSeq(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(w.house.cfg.State.Dir, archiveDir, fmt.Sprintf("%d.csv", seq))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = taker{w.house, w.house.feeds[feed : feed+1]}.Take(context.Background(), drop.Claim{
		Seq: seq, Name: "export.csv", Archived: file, ModTime: modified, FirstSeen: w.clock,
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) tick(t *rapid.T) {
	w.tickNow(t, rapid.IntRange(0, 4).Draw(t, "full") == 0)
}

func (w *world) tickNow(t rapid.TB, full bool) {
	if err := w.house.store.RecordSlot(context.Background(), "test", w.clock, w.house.targetNames(), full); err != nil {
		t.Fatal(err)
	}
	if err := w.house.planDue(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func (w *world) flush(t *rapid.T) {
	w.reader.scanWithin = rapid.Bool().Draw(t, "scan within")
	w.flushWith(t, rapid.SampledFrom([]string{"", "", "before", "after", "die before", "die after"}).Draw(t, "fault"))
}

func (w *world) flushWith(t rapid.TB, fault string) {
	w.reader.fault = fault
	died := strings.HasPrefix(w.reader.fault, "die")
	if died {
		w.house.outbox.Queue = deadQueue{w.house.queue}
	}
	_, err := w.house.flush(context.Background())
	if !died && err != nil {
		t.Fatal(err)
	}
	if died {
		if err := w.house.Close(); err != nil {
			t.Fatal(err)
		}
		w.start(t)
	}
	w.reader.fault, w.reader.scanWithin = "", false
}

// pass lets time go by. The platform reads at least once in each read window; that much has to be assumed of it.
func (w *world) pass(d time.Duration) {
	for d > 0 {
		step := min(d, 30*time.Minute)
		w.clock = w.clock.Add(step)
		w.reader.begin()
		w.reader.end()
		d -= step
	}
}

// quiet lets everything settle and compares the platform's shelf with what is wanted.
func (w *world) quiet(t rapid.TB) {
	w.settle(t, 4, w.pass)
	w.compare(t, func(sku string) (price, active string) {
		price = w.reader.shelf[sku]["price"]
		if whole, ok := strings.CutSuffix(price, "0"); ok && strings.Contains(price, ".") {
			price = strings.TrimSuffix(whole, ".")
		}
		return price, w.reader.shelf[sku]["active"]
	})
}

// settle ticks, sends and lets time pass, several times.
func (w *world) settle(t rapid.TB, times int, pass func(time.Duration)) {
	for range times {
		w.tickNow(t, false)
		if _, err := w.house.flushAll(context.Background()); err != nil {
			t.Fatal(err)
		}
		pass(3 * time.Hour)
	}
}

// compare compares what the platform shows, a price in its shortest form and 1 or 0, with what is wanted.
func (w *world) compare(t rapid.TB, shows func(sku string) (price, active string)) {
	ctx := context.Background()
	wanted, err := w.house.wanted(ctx, Target{catalog.KindCatalog, "1"}, w.house.stands)
	if err != nil {
		t.Fatal(err)
	}
	o, err := w.house.files.Overlay(wanted)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	for o.Next() {
		r := o.Record()
		price, active := shows(r.Key)
		if r.Item.Set.Has(catalog.Price) && price != r.Item.Price.String() {
			t.Errorf("price of %s: the platform shows %q, wanted %s", r.Key, price, r.Item.Price)
		}
		want := map[bool]string{true: "1", false: "0"}[r.Item.Active]
		if r.Item.Set.Has(catalog.Active) && active != want {
			t.Errorf("active of %s: the platform shows %q, wanted %s", r.Key, active, want)
		}
	}
	if o.Err() != nil {
		t.Fatal(o.Err())
	}
	if unsettled, err := w.house.store.Unsettled(ctx, "catalog/1"); err != nil || len(unsettled) > 0 {
		t.Errorf("after quiet time %d files are still unsettled (%v)", len(unsettled), err)
	}
}

// deadQueue is a queue whose process dies before an attempt's end is written down.
type deadQueue struct{ outbox.Queue }

var errDead = errors.New("the process died")

func (deadQueue) Verified(context.Context, int64, outbox.Receipt) error { return errDead }

func (deadQueue) Deferred(context.Context, int64, time.Time, outbox.Class, string) error {
	return errDead
}

// reader is the platform: a folder, and somebody who reads it.
type reader struct {
	now        func() time.Time
	eats       bool
	files      map[string][]byte
	read       map[string][]byte            // what was read last of each file, when it is kept
	shelf      map[string]map[string]string // by SKU, then column
	caught     []string                     // names read and not yet deleted
	fault      string                       // of the next Replace
	scanWithin bool                         // a scan begins before the next Replace and ends after it
}

var _ outbox.Remote = (*reader)(nil)

// begin reads every file that is new.
func (r *reader) begin() {
	for _, name := range slices.Sorted(maps.Keys(r.files)) {
		data := r.files[name]
		if r.read[name] != nil && bytes.Equal(r.read[name], data) {
			continue
		}
		r.apply(data)
		if r.eats {
			r.caught = append(r.caught, name)
		} else {
			r.read[name] = data
		}
	}
}

// end deletes what was read, by name: whatever lies there by then.
func (r *reader) end() {
	for _, name := range r.caught {
		delete(r.files, name)
	}
	r.caught = nil
}

func (r *reader) apply(data []byte) {
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil || len(rows) == 0 {
		panic(fmt.Sprintf("the platform can't read %q: %v", data, err))
	}
	for _, row := range rows[1:] {
		article := r.shelf[row[0]]
		if article == nil {
			article = map[string]string{}
			r.shelf[row[0]] = article
		}
		for i, cell := range row[1:] {
			if cell != "" {
				article[rows[0][i+1]] = cell
			}
		}
	}
}

// Replace implements outbox.Remote.
func (r *reader) Replace(_ context.Context, d outbox.Delivery) (outbox.Receipt, error) {
	if strings.HasSuffix(r.fault, "before") {
		return outbox.Receipt{}, errors.New("cut before the file was put")
	}
	data, err := os.ReadFile(d.Path)
	if err != nil {
		return outbox.Receipt{}, err
	}
	if r.scanWithin {
		r.begin()
	}
	name := d.Folder + "/" + d.Name
	_, replaced := r.files[name]
	r.files[name] = data
	if r.scanWithin {
		r.end()
	}
	if strings.HasSuffix(r.fault, "after") {
		return outbox.Receipt{}, errors.New("cut after the file was put")
	}
	return outbox.Receipt{Size: d.Size, SHA256: d.SHA256, Proof: outbox.ProofSize, Way: "test", Replaced: replaced, At: r.now()}, nil
}

// Look implements outbox.Remote.
func (r *reader) Look(_ context.Context, folder, name string) (outbox.Seen, error) {
	data, ok := r.files[folder+"/"+name]
	return outbox.Seen{Exists: ok, Size: int64(len(data))}, nil
}

// Room implements outbox.Remote.
func (r *reader) Room(context.Context, outbox.Delivery) (func(), error) { return func() {}, nil }

// Sweep implements outbox.Remote.
func (r *reader) Sweep(context.Context, string, []string) (func(context.Context) error, error) {
	return func(context.Context) error { return nil }, nil
}

// Close implements outbox.Remote.
func (r *reader) Close() error { return nil }
