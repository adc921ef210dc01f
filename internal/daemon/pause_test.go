package daemon

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gondola/internal/config"
	"gondola/internal/outbox"
	"gondola/internal/report"
)

const twoPartialFeeds = `  - {name: precios, drop: drop/precios, export: partial, vendor: {column: Sucursal}}
  - {name: stock, drop: drop/stock, export: partial, vendor: {column: Sucursal}}`

// slot plans and sends as a slot does, and returns what was put.
func (c *caseRun) slot(full bool) map[string]string {
	c.Helper()
	c.clock = c.clock.Add(time.Minute)
	if err := c.house.store.RecordSlot(c.Context(), "test", c.clock, c.house.targetNames(), full); err != nil {
		c.Fatal(err)
	}
	return c.send()
}

// send does what the loop does once a second, and returns what was put.
func (c *caseRun) send() map[string]string {
	c.Helper()
	if err := c.house.send(c.Context()); err != nil {
		c.Fatal(err)
	}
	return c.put()
}

func (c *caseRun) pause(a PauseAsk) {
	c.Helper()
	if a.Who == "" {
		a.Who = "ana"
	}
	if err := c.house.Pause(c.Context(), a); err != nil {
		c.Fatal(err)
	}
}

func (c *caseRun) resume(vendors ...string) []Paused {
	c.Helper()
	ended, err := c.house.Resume(c.Context(), vendors, "ana")
	if err != nil {
		c.Fatal(err)
	}
	return ended
}

func (c *caseRun) status() Status {
	c.Helper()
	s, err := c.house.Status(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	return s
}

// answered returns what the answer of the newest drop says, as a text.
func (c *caseRun) answered(seq int64) string {
	c.Helper()
	d, ok, err := c.house.store.Drop(c.Context(), seq)
	if err != nil || !ok {
		c.Fatal(ok, err)
	}
	a, err := c.house.answer(c.Context(), d)
	if err != nil {
		c.Fatal(err)
	}
	text, err := report.Text(a)
	if err != nil {
		c.Fatal(err)
	}
	return text
}

const bothStores = "Sucursal;sku;precio\n001;A;10,50\n002;A;11,50\n"

// TestPauseOfOneStore keeps one store's files from leaving while the other's go, and lets the newest state out afterwards.
func TestPauseOfOneStore(t *testing.T) {
	c := newRules(t, twoPartialFeeds, "")
	c.pause(PauseAsk{Vendors: []string{"1"}, Reason: "stocktaking"})
	c.export("precios", bothStores)
	put := c.slot(false)
	if put["catalog/gondola_1.csv"] != "" || !strings.Contains(put["catalog/gondola_2.csv"], "A,11.50") {
		t.Fatalf("put: %v", put)
	}
	if got := c.answered(1); !strings.Contains(got, "pausa") || !strings.Contains(got, "comprobamos que llegó") {
		t.Errorf("the answer tells of no pause, or not of the other store:\n%s", got)
	}
	s := c.status()
	if s.OK() || len(s.Paused) != 1 || s.Paused[0].Vendor != "1" || s.Paused[0].Who != "ana" || s.Paused[0].Reason != "stocktaking" {
		t.Errorf("status: %+v", s.Paused)
	}

	// A full slot passes, and newer prices come: none of it is lost, and the old ones never leave.
	c.slot(true)
	c.export("precios", "Sucursal;sku;precio\n001;A;12,50\n001;B;20,00\n")
	if put := c.send(); len(put) > 0 {
		t.Errorf("put during the pause: %v", put)
	}
	c.restart(func(*config.Config) {})
	if put := c.slot(false); put["catalog/gondola_1.csv"] != "" {
		t.Errorf("put after a restart: %v", put)
	}
	c.export("precios", "Sucursal;sku;precio\n001;B;21,00\n")
	due := func() int {
		drops, err := c.house.store.ReceiptsDue(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(drops)
	}
	before := due()
	if ended := c.resume(); len(ended) != 1 || ended[0].Vendor != "1" {
		t.Errorf("resume ended %+v", ended)
	}
	if after := due(); before == 0 || after < before {
		t.Errorf("answers due: %d before, %d after", before, after)
	}
	put = c.send()
	if want := "sku,price\nA,12.50\nB,21.00\n"; put["catalog/gondola_1.csv"] != want || len(put) != 1 {
		t.Errorf("after the pause: %v, want %q", put, want)
	}
	if full, err := c.house.store.TargetOf(t.Context(), "catalog/1"); err != nil || full.FullDue {
		t.Errorf("a full plan is still owed: %+v, %v", full, err)
	}
	if got := c.answered(1); strings.Contains(got, "pausa") {
		t.Errorf("the answer still tells of a pause:\n%s", got)
	}
	if put := c.send(); len(put) > 0 {
		t.Errorf("put once more: %v", put)
	}
}

// TestResumeAloneSendsNothing: what no slot asked for does not leave because a pause ends.
func TestResumeAloneSendsNothing(t *testing.T) {
	c := newRules(t, twoPartialFeeds, "")
	c.export("precios", bothStores)
	c.slot(false)
	c.pause(PauseAsk{})
	c.export("precios", "Sucursal;sku;precio\n001;A;12,50\n")
	c.resume()
	if put := c.send(); len(put) > 0 {
		t.Errorf("put: %v", put)
	}
}

// TestPauseEndsByItself has the time come while the daemon runs, and while it does not.
func TestPauseEndsByItself(t *testing.T) {
	for _, down := range []bool{false, true} {
		c := newRules(t, twoPartialFeeds, "")
		until := c.clock.Add(2 * time.Hour)
		c.pause(PauseAsk{Until: until})
		c.export("precios", bothStores)
		if put := c.slot(false); len(put) > 0 {
			t.Fatalf("put: %v", put)
		}
		if got := c.answered(1); !strings.Contains(got, "hasta el") {
			t.Errorf("the answer does not say until when:\n%s", got)
		}
		c.clock = until.Add(-time.Second)
		if put := c.send(); len(put) > 0 {
			t.Errorf("put a second too early: %v", put)
		}
		if down {
			c.restart(func(*config.Config) {})
		}
		c.clock = until
		if len(c.status().Paused) > 0 {
			t.Error("status shows a pause that is over")
		}
		if put := c.send(); len(put) != 2 {
			t.Errorf("put: %v", put)
		}
	}
}

// TestPushDoesNotOverrideAPause asks for everything while all stores are paused.
func TestPushDoesNotOverrideAPause(t *testing.T) {
	c := newRules(t, twoPartialFeeds, "")
	c.export("precios", bothStores)
	c.pause(PauseAsk{Vendors: []string{"1"}})
	c.pause(PauseAsk{Reason: "wrong prices"})
	out, err := c.house.PushNow(t.Context(), Ask{Full: true})
	if err != nil || out.Documents != 2 || out.Verified != 0 || out.Paused != 2 || out.Remote != "" {
		t.Errorf("push: %+v, %v", out, err)
	}
	p, err := c.house.Pushed(t.Context(), nil)
	if err != nil || p.Done || !p.Stopped || !p.Paused || !strings.Contains(p.Trouble, "all stores are paused since") ||
		!strings.Contains(p.Trouble, "by ana (wrong prices)") {
		t.Errorf("progress: %+v, %v", p, err)
	}
	if put := c.put(); len(put) > 0 {
		t.Errorf("put: %v", put)
	}
	// Whoever ends the one for all stores ends no other.
	if _, err := c.house.store.Resume(t.Context(), []string{"*"}, "ana", c.clock); err != nil {
		t.Fatal(err)
	}
	if put := c.send(); len(put) != 1 || put["catalog/gondola_2.csv"] == "" {
		t.Errorf("put: %v", put)
	}
}

// TestPauseBetweenFiles pauses while files leave one after the other: the one on its way arrives, the next does not begin.
func TestPauseBetweenFiles(t *testing.T) {
	c := newRules(t, twoPartialFeeds, "")
	c.house.outbox.Parallel = 1
	dial := c.house.outbox.Dial
	c.house.outbox.Dial = func(ctx context.Context) (outbox.Remote, error) {
		r, err := dial(ctx)
		return during{r, func() { c.pause(PauseAsk{}) }}, err
	}
	c.export("precios", bothStores)
	if put := c.slot(false); len(put) != 1 {
		t.Errorf("put: %v", put)
	}
	waiting, err := c.house.store.Waiting(t.Context())
	if err != nil || len(waiting) != 1 || waiting[0].State != "queued" || waiting[0].Attempts != 0 {
		t.Errorf("waiting: %+v, %v", waiting, err)
	}
	c.house.outbox.Dial = dial
	c.resume()
	if put := c.send(); len(put) != 1 {
		t.Errorf("put after the pause: %v", put)
	}
}

// during does something in the middle of every replace.
type during struct {
	outbox.Remote
	do func()
}

// Replace implements outbox.Remote.
func (d during) Replace(ctx context.Context, delivery outbox.Delivery) (outbox.Receipt, error) {
	d.do()
	return d.Remote.Replace(ctx, delivery)
}

// TestPausedRetryWaits pauses a store whose file failed: the next attempt waits, too, and goes with the newest state behind it.
func TestPausedRetryWaits(t *testing.T) {
	c := newRules(t, twoPartialFeeds, "")
	c.platform.Faults().NoSpaceAfter(0)
	c.export("precios", "Sucursal;sku;precio\n001;A;10,50\n")
	c.slot(false)
	if waiting, err := c.house.store.Waiting(t.Context()); err != nil || len(waiting) != 1 || waiting[0].State != "deferred" {
		t.Fatalf("waiting: %+v, %v", waiting, err)
	}
	c.platform.Faults().Clear()
	c.pause(PauseAsk{Vendors: []string{"1"}})
	c.clock = c.clock.Add(3 * time.Hour)
	if put := c.send(); len(put) > 0 {
		t.Fatalf("a second attempt began: %v", put)
	}
	c.export("precios", "Sucursal;sku;precio\n001;A;12,50\n")
	c.slot(false)
	c.resume()
	c.send()
	c.put()
	c.send()
	got, err := os.ReadFile(filepath.Join(c.platform.Home(), "catalog", "gondola_1.csv"))
	if err != nil || string(got) != "sku,price\nA,12.50\n" {
		t.Errorf("the platform has %q, %v", got, err)
	}
}

// TestChainFileWaitsWithAnyStore: one file for all stores can't leave one out.
func TestChainFileWaitsWithAnyStore(t *testing.T) {
	c := newRules(t, `  - {name: full, drop: drop, export: full, vendor: all}`, "send: {catalog: {shape: chain}}")
	c.export("full", "sku,precio\nA,10.50\n")
	c.pause(PauseAsk{Vendors: []string{"2"}})
	if put := c.slot(false); len(put) > 0 {
		t.Errorf("put: %v", put)
	}
	c.resume("2")
	if put := c.send(); put["catalog/gondola.csv"] == "" {
		t.Errorf("put: %v", put)
	}
}

// TestPauseIsRemembered keeps who paused what and when, after it is over.
func TestPauseIsRemembered(t *testing.T) {
	c := newRules(t, twoPartialFeeds, "")
	c.pause(PauseAsk{Vendors: []string{"1", "2", "1"}})
	c.pause(PauseAsk{Vendors: []string{"1"}, Until: c.clock.Add(time.Hour)})
	all, err := c.house.Paused(t.Context())
	if err != nil || len(all) != 2 || all[0].Until.IsZero() || !all[1].Until.IsZero() {
		t.Errorf("paused: %+v, %v", all, err)
	}
	if _, err := c.house.Resume(t.Context(), []string{"3"}, "ana"); err == nil {
		t.Error("a store that is not there was resumed")
	}
	if err := c.house.Pause(t.Context(), PauseAsk{Vendors: []string{"3"}}); err == nil {
		t.Error("a store that is not there was paused")
	}
	if ended := c.resume("2"); len(ended) != 1 || ended[0].Vendor != "2" {
		t.Errorf("ended: %+v", ended)
	}
	if rest, err := c.house.store.Pauses(t.Context()); err != nil || len(rest) != 1 || rest[0].Scope != "1" {
		t.Errorf("left: %+v, %v", rest, err)
	}
}
