package daemon

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/config"
	"gondola/internal/inbox"
	"gondola/internal/order"
	"gondola/internal/platform"
	"gondola/internal/store"
)

// orderRun is a house that hands orders to an ERP, on a clock that only the test moves.
type orderRun struct {
	*testing.T
	house *House
	cfg   *config.Config
	dir   string // the ERP's folder
	clock time.Time

	customer string // who orders
}

// newOrders opens a house with the stores 1 and 2 and something in orders.export.
func newOrders(t *testing.T, export string) *orderRun {
	t.Helper()
	root := t.TempDir()
	r := &orderRun{T: t, customer: "Sentinela", dir: filepath.Join(root, "erp"), clock: time.Date(2026, 5, 1, 15, 0, 0, 0, time.UTC)}
	text := fmt.Sprintf(`
chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Montevideo}
vendors: [{id: "1", name: Uno, erp_code: "001"}, {id: "2", name: Dos}]
sftp: {host: sandbox, user: gondola, password: invented, host_keys: ["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]}
feeds: [{name: precios, drop: drop, vendor: {ids: ["1"]}}]
orders: {export: {dir: erp, %s}}
`, export)
	var err error
	if r.cfg, err = config.Parse(filepath.Join(root, "config.yaml"), []byte(text)); err != nil {
		t.Fatal(err)
	}
	r.cfg.State.Dir = filepath.Join(root, "state")
	r.open()
	t.Cleanup(func() { r.close() })
	return r
}

func (r *orderRun) open() {
	r.Helper()
	var err error
	if r.house, err = Open(context.Background(), r.cfg, Options{Now: func() time.Time { return r.clock }}); err != nil {
		r.Fatal(err)
	}
}

func (r *orderRun) close() {
	r.Helper()
	if err := r.house.Close(); err != nil {
		r.Error(err)
	}
}

// again closes the house and opens it, as after a stop.
func (r *orderRun) again() { r.close(); r.open() }

// told merges an order.
func (r *orderRun) told(id, vendor, state, total string) {
	r.Helper()
	r.clock = r.clock.Add(time.Second)
	raw := fmt.Sprintf(`{"order_id":%q,"external_order_id":"ext-%s","status":%q,"client":{"store_id":%q},
		"customer":{"first_name":%q,"last_name":"Privada","phone_number":"+598 555 0000"},"comment":%q,
		"items":[{"sku":"A-1","name":"Ñandú €","pricing":{"pricing_type":"UNIT","quantity":1,"unit_price":%s,"total_price":%s}}],
		"payment":{"order_total":%s},"sys":{"created_at":"2026-05-01T14:00:00Z","updated_at":%q}}`,
		id, id, state, vendor, r.customer, r.customer, total, total, total, r.clock.Format(time.RFC3339))
	o, err := platform.ParseOrder([]byte(raw))
	if err != nil {
		r.Fatal(err)
	}
	if err := r.house.store.MergeOrders(r.Context(), []order.Seen{{Order: o, By: order.ByPoll, At: r.clock}}, nil); err != nil {
		r.Fatal(err)
	}
}

// handOver runs the loop's work once.
func (r *orderRun) handOver() error { return r.house.handOverOrders(r.Context()) }

func (r *orderRun) must() {
	r.Helper()
	if err := r.handOver(); err != nil {
		r.Fatal(err)
	}
}

// files returns what the ERP finds, by name, and fails where it finds something half.
func (r *orderRun) files() map[string]string {
	r.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		r.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(r.dir, e.Name()))
		if err != nil {
			r.Fatal(err)
		}
		all[e.Name()] = string(text)
	}
	return all
}

func (r *orderRun) names() []string {
	var names []string
	for name := range r.files() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func TestOrdersAreHandedOver(t *testing.T) {
	r := newOrders(t, `format: csv, decimal: comma, separator: semicolon, encoding: windows-1252`)
	r.told("a", "1", "RECEIVED", "10.5")
	r.told("a", "1", "READY_FOR_PICKUP", "10.5")
	r.told("b", "2", "PICKED_UP", "7")
	r.told("c", "9", "READY_FOR_PICKUP", "7") // a store that is not in the config
	r.must()
	want := []string{"1_20260501-120004_a_READY_FOR_PICKUP.csv", "2_20260501-120004_b_PICKED_UP.csv"}
	if diff := cmp.Diff(want, r.names()); diff != "" {
		t.Fatal(diff)
	}
	text := r.files()[want[0]]
	wantText := "order;a;ext-a;;1;001;READY_FOR_PICKUP;READY_FOR_PICKUP;0;;1;0;0;;;0;2026-05-01 11:00:00;2026-05-01 12:00:02;;;;;;;;;10,5;;;;;1\r\n" +
		"item;a;1;A-1;;\xd1and\xfa \x80;;UNIT;1;;10,5;;10,5;;;;;;;;\r\n"
	if diff := cmp.Diff(wantText, text); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(r.files()[want[1]], ";PICKED_UP;READY_FOR_PICKUP;1;;1;") {
		t.Errorf("a state that was jumped over: %s", r.files()[want[1]])
	}
	r.told("a", "1", "CANCELLED", "10.5")
	r.told("a", "1", "READY_FOR_PICKUP", "10.5")
	r.must()
	r.must()
	if names := r.names(); len(names) != 3 || !strings.Contains(r.files()["1_20260501-120006_a_CANCELLED.csv"], ";CANCELLED;CANCELLED;0;READY_FOR_PICKUP;1;") {
		t.Errorf("files %v", names)
	}
	rows := 0
	err := r.house.Ledger(t.Context(), time.Time{}, store.EntryOrders, func(e store.Entry) error {
		rows++
		if text := fmt.Sprintf("%+v", e.Facts); strings.Contains(text, "Sentinela") || len(e.Facts.Orders) != 1 {
			t.Errorf("ledger: %s", text)
		}
		return nil
	})
	if err != nil || rows != 3 {
		t.Errorf("%d rows of the ledger, %v", rows, err)
	}
}

// TestLoopsThatTimeWakes has orders that wait for others, and watchers that write nothing down: their loops are not late.
func TestLoopsThatTimeWakes(t *testing.T) {
	r := newOrders(t, "every: 5s")
	quiet := func(name string) time.Duration {
		t.Helper()
		for _, l := range r.house.loops() {
			if l.name == name {
				return l.quiet(r.clock)
			}
		}
		t.Fatalf("no loop %s", name)
		return 0
	}
	r.must()
	if got := quiet(ordersLoop); (got - quietEvery).Abs() > lookEvery/2 {
		t.Errorf("without orders: %s", got)
	}
	r.told("a", "1", "READY_FOR_PICKUP", "1")
	r.must()
	first := quiet(ordersLoop)
	if first <= 0 || first > 5*time.Second {
		t.Errorf("with an order that waits: %s", first)
	}
	r.clock = r.clock.Add(first)
	r.must()
	if names := r.names(); len(names) != 1 {
		t.Errorf("when its time has come: %v", names)
	}
	if got := quiet("inbox"); (got - quietEvery).Abs() > lookEvery/2 {
		t.Errorf("without events: %s", got)
	}
	if err := r.house.store.AcceptEvents(t.Context(), []inbox.Event{{Body: []byte("{}"), At: r.clock}}); err != nil {
		t.Fatal(err)
	}
	events, err := r.house.store.DueEvents(t.Context(), r.clock, 1)
	if err != nil || len(events) != 1 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	if err := r.house.store.DeferEvent(t.Context(), events[0].ID, inbox.Failure{Attempts: 1, Next: r.clock.Add(time.Second)}); err != nil {
		t.Fatal(err)
	}
	if err := r.house.drainInbox(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := quiet("inbox"); got != time.Second {
		t.Errorf("with an event that failed: %s", got)
	}
	if got := quiet("folders"); got > 0 {
		t.Errorf("folders: %s", got)
	}
}

// TestOrdersInOneFile gathers orders for a while, of one store or of all.
func TestOrdersInOneFile(t *testing.T) {
	for _, tc := range []struct {
		export string
		want   []string
	}{
		{"every: 5m", []string{"1_20260501-120502.csv", "2_20260501-120502.csv"}},
		{`every: 5m, name: "pedidos_{time}", format: json`, []string{"pedidos_20260501-120502.json"}},
	} {
		r := newOrders(t, tc.export)
		r.told("a", "1", "READY_FOR_PICKUP", "1")
		r.told("b", "2", "READY_FOR_PICKUP", "2")
		r.must()
		if names := r.namesOrNone(); len(names) > 0 {
			t.Errorf("%s: too early: %v", tc.export, names)
		}
		r.clock = r.clock.Add(5 * time.Minute)
		r.must()
		if diff := cmp.Diff(tc.want, r.names()); diff != "" {
			t.Errorf("%s: %s", tc.export, diff)
		}
		// Somebody who asks does not wait.
		r.told("c", "1", "READY_FOR_PICKUP", "3")
		if err := r.house.AskHandOver(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.must()
		if done, left, err := r.house.HandedOver(t.Context()); !done || left != 0 || err != nil || len(r.names()) != len(tc.want)+1 {
			t.Errorf("%s: asked: %t, %d left, %v", tc.export, done, left, err)
		}
	}
}

func (r *orderRun) namesOrNone() []string {
	if _, err := os.Stat(r.dir); err != nil {
		return nil
	}
	return r.names()
}

// TestOrderRevision hands another cart over once more, where that is wanted.
func TestOrderRevision(t *testing.T) {
	for onChange, want := range map[string]int{"export": 2, "ignore": 1} {
		r := newOrders(t, `name: "{order}_{revision}", on_change: `+onChange)
		r.told("a", "1", "READY_FOR_PICKUP", "1")
		r.must()
		r.told("a", "1", "READY_FOR_PICKUP", "1")
		r.told("a", "1", "READY_FOR_PICKUP", "2")
		r.must()
		if names := r.names(); len(names) != want {
			t.Errorf("%s: files %v", onChange, names)
		}
	}
}

// TestOrdersAfterAStop finds a folder as a process may have left it, and hands over what is not handed over yet.
func TestOrdersAfterAStop(t *testing.T) {
	for name, tc := range map[string]struct {
		left  func(r *orderRun, f store.OrderFile) // what happens between staging and the next start
		files int
	}{
		"staged":                {func(*orderRun, store.OrderFile) {}, 1},
		"renamed, not noted":    {func(r *orderRun, f store.OrderFile) { r.rename(f.Temp, f.Name) }, 1},
		"renamed and eaten":     {func(r *orderRun, f store.OrderFile) { r.remove(f.Temp) }, 0},
		"eaten with everything": {func(r *orderRun, f store.OrderFile) { r.remove(f.Temp); r.remove(orderMark) }, 0},
		"spoiled":               {func(r *orderRun, f store.OrderFile) { r.write(f.Temp, "half") }, 1},
		"another lies there":    {func(r *orderRun, f store.OrderFile) { r.write(f.Name, "not ours") }, 2},
		"a stray one":           {func(r *orderRun, f store.OrderFile) { r.write(orderTemp(77), "stray") }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newOrders(t, "format: csv")
			r.told("a", "1", "READY_FOR_PICKUP", "1")
			f := r.stage()
			if names := r.names(); len(names) > 0 {
				t.Fatalf("the ERP sees %v", names)
			}
			tc.left(r, f)
			r.again()
			r.must()
			r.must()
			files := r.files()
			if len(files) != tc.files {
				t.Fatalf("files %v", r.names())
			}
			whole := 0
			for name, text := range files {
				if strings.HasPrefix(text, "order,a,") {
					whole++
				} else if text != "not ours" || name != f.Name {
					t.Errorf("%s holds %q", name, text)
				}
			}
			if whole != min(tc.files, 1) {
				t.Errorf("%d files of the order", whole)
			}
			entries, err := os.ReadDir(r.dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				if strings.HasSuffix(e.Name(), orderTempSuffix) {
					t.Errorf("%s is left", e.Name())
				}
			}
			overs, err := r.house.store.HandOvers(t.Context(), "a")
			if err != nil || len(overs) != 1 || overs[0].State != "done" {
				t.Errorf("hand-overs %+v, %v", overs, err)
			}
		})
	}
}

// stage brings what is due as far as a process gets that ends before the file has its name.
func (r *orderRun) stage() store.OrderFile {
	r.Helper()
	if err := r.house.readyOrderFolder(r.Context()); err != nil {
		r.Fatal(err)
	}
	page, err := r.house.duePage(r.Context(), []string{"1"}, map[string]int64{})
	if err != nil || len(page) != 1 {
		r.Fatalf("due: %+v, %v", page, err)
	}
	good, err := r.house.readable(page, map[string]bool{})
	if err != nil {
		r.Fatal(err)
	}
	f, _, err := r.house.stageOrders(r.Context(), good)
	if err != nil {
		r.Fatal(err)
	}
	return f
}

func (r *orderRun) rename(from, to string) {
	r.Helper()
	if err := os.Rename(filepath.Join(r.dir, from), filepath.Join(r.dir, to)); err != nil {
		r.Fatal(err)
	}
}

func (r *orderRun) remove(name string) {
	r.Helper()
	if err := os.Remove(filepath.Join(r.dir, name)); err != nil {
		r.Fatal(err)
	}
}

func (r *orderRun) write(name, text string) {
	r.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
		r.Fatal(err)
	}
}

// TestOrdersWaitForTheirFolder loses nothing while the folder is away, and does not take another folder for it.
func TestOrdersWaitForTheirFolder(t *testing.T) {
	r := newOrders(t, "format: csv")
	r.told("a", "1", "READY_FOR_PICKUP", "1")
	r.must()
	r.told("b", "1", "READY_FOR_PICKUP", "2")
	f := r.stage()
	away := r.dir + "-away"
	if err := os.Rename(r.dir, away); err != nil {
		t.Fatal(err)
	}
	if err := r.handOver(); err == nil || !strings.Contains(err.Error(), "mounted") {
		t.Errorf("no folder: %v", err)
	}
	if err := os.Mkdir(r.dir, 0o750); err != nil { // what lies below where a share is mounted
		t.Fatal(err)
	}
	if err := r.handOver(); err == nil || !strings.Contains(err.Error(), orderMark) {
		t.Errorf("another folder: %v", err)
	}
	if names := r.names(); len(names) > 0 {
		t.Errorf("files in the wrong folder: %v", names)
	}
	if err := os.Remove(r.dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.handOver(); err == nil {
		t.Error("a file in place of the folder")
	}
	if err := os.Remove(r.dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(away, r.dir); err != nil {
		t.Fatal(err)
	}
	r.must()
	if names := r.names(); len(names) != 2 || !slices.Contains(names, f.Name) {
		t.Errorf("files %v", names)
	}
}

// TestOneOrderDoesNotStopOthers keeps an order back that can't be written, with what comes later of it, and no other one.
func TestOneOrderDoesNotStopOthers(t *testing.T) {
	for _, export := range []string{"name: '{order}_{state}'", "every: 1s, name: '{seq}'"} {
		r := newOrders(t, export)
		r.told("a", "1", "READY_FOR_PICKUP", "1")
		if _, err := r.house.store.ForgetBodies(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		r.told("b", "1", "READY_FOR_PICKUP", "2")
		r.told("a", "1", "CANCELLED", "1")
		r.clock = r.clock.Add(time.Minute)
		if err := r.handOver(); err == nil || !strings.Contains(err.Error(), "order a") {
			t.Errorf("error %v", err)
		}
		text := ""
		for _, one := range r.files() {
			text += one
		}
		if !strings.Contains(text, "order,b,") || strings.Contains(text, "order,a,") {
			t.Errorf("%s: files %v: %s", export, r.names(), text)
		}
		// The next poll brings it back.
		r.clock = r.clock.Add(-time.Hour)
		r.told("a", "1", "READY_FOR_PICKUP", "1")
		r.clock = r.clock.Add(2 * time.Hour)
		r.told("a", "1", "READY_FOR_PICKUP", "1")
		r.clock = r.clock.Add(time.Minute)
		r.must()
	}
}

// TestOrderSetup tells what is wrong with orders.export, and where.
func TestOrderSetup(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "bad.tmpl"), []byte("one\n{{.Nothing}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for export, want := range map[string]string{
		"on: [READY]":                             "orders.export.on[0]: unknown state \"READY\"",
		"name: '{orden}'":                         "unknown placeholder {orden}",
		"name: 'a/{order}'":                       "'/' can't be in the name",
		"every: 5m, name: '{order}'":              "{order} is of one order",
		"format: json, encoding: windows-1252":    "json is always utf-8",
		"format: template, template: bad.tmpl":    "bad.tmpl:2:2",
		"format: template, template: gone.tmpl":   "read the template",
		"format: csv, on: [picked_up], every: 0s": "",
	} {
		text := fmt.Sprintf(`chain: {id: 7d3f9b52-40c8-4f1e-9a67-c25e8b01d4f3, time_zone: America/Montevideo}
vendors: [{id: "1"}]
sftp: {host: sandbox, user: gondola, password: invented, host_keys: ["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]}
feeds: [{name: precios, drop: drop, vendor: {ids: ["1"]}}]
orders: {export: {dir: erp, %s}}
`, export)
		cfg, err := config.Parse(filepath.Join(dir, "config.yaml"), []byte(text))
		if err != nil {
			t.Errorf("%s: %v", export, err)
			continue
		}
		var all []string
		for _, p := range Check(cfg) {
			all = append(all, p.Error())
		}
		got := strings.Join(all, "\n")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: problems %q, want %q", export, got, want)
		}
	}
}
