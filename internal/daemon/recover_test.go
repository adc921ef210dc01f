package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gondola/internal/config"
	"gondola/internal/drop"
	"gondola/internal/outbox"
	"gondola/internal/store"
)

// Each of these is a history in which something of what was dropped could get lost, or stand still, without anybody being told.

// TestReceiptThatCouldNotBeKept has the disk full at the moment a document has arrived: the house lives on, and so does the document.
func TestReceiptThatCouldNotBeKept(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	c.export("full", articles(3, 0, "10.50"))
	c.house.outbox.Queue = deadQueue{c.house.queue}
	if err := c.house.store.RecordSlot(c.Context(), "test", c.clock, c.house.targetNames(), false); err != nil {
		t.Fatal(err)
	}
	if err := c.house.send(c.Context()); !errors.Is(err, errDead) {
		t.Fatalf("send: %v", err)
	}
	c.house.outbox.Queue = c.house.queue // there is room again
	if err := c.house.send(c.Context()); err != nil {
		t.Fatal(err)
	}
	if waiting, err := c.house.store.Waiting(c.Context()); err != nil || len(waiting) > 0 {
		t.Errorf("still waiting: %+v, %v", waiting, err)
	}
	c.put()
	c.export("full", articles(3, 0, "11.50"))
	if put := c.push(false); !strings.Contains(put["catalog/gondola_1.csv"], "A000,11.50,1\n") {
		t.Errorf("the next prices: %v", put)
	}
}

// TestPartThatWasReadAndTakenBack has one part of a plan read by the platform while the other one can't leave, and then the old
// prices are wanted again: what was read must be told back, though the plan never counted as sent.
func TestPartThatWasReadAndTakenBack(t *testing.T) {
	c := newRules(t, oneFullFeed, "send: {catalog: {max_rows: 4}}\nbrake: {equal_prices: off, min_rows: 1000}")
	c.export("full", articles(8, 0, "10.50"))
	c.push(false)
	first, err := os.ReadFile(filepath.Join(c.platform.Home(), "catalog", "gondola_1.csv"))
	if err != nil {
		t.Fatal(err)
	}
	second := filepath.Join(c.platform.Home(), "catalog", "gondola2_1.csv")
	if err := os.WriteFile(second, []byte("somebody else's"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.clock = c.clock.Add(time.Minute)
	c.export("full", articles(8, 0, "11.50"))
	if err := c.house.store.RecordSlot(c.Context(), "test", c.clock, c.house.targetNames(), false); err != nil {
		t.Fatal(err)
	}
	if err := c.house.planDue(c.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.house.flushAll(c.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the platform reads the first part; long after, that is known
		c.clock = c.clock.Add(3 * time.Hour)
		if _, err := c.house.flushAll(c.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(second); err != nil {
		t.Fatal(err)
	}
	c.put()
	c.export("full", articles(8, 0, "10.50"))
	put := c.push(false)
	for line := range strings.Lines(string(first)) {
		if !strings.Contains(put["catalog/gondola_1.csv"], line) {
			t.Errorf("the platform still shows another price than %q; put: %v", line, put)
		}
	}
	// Once everything has arrived and lay there long enough, nothing is open any more.
	c.clock = c.clock.Add(3 * time.Hour)
	c.flush()
	if unsettled, err := c.house.store.Unsettled(c.Context(), "catalog/1"); err != nil || len(unsettled) > 0 {
		t.Errorf("unsettled: %v, %v", unsettled, err)
	}
}

// TestPartsSettleBeforeThePlanIsDone has the first part known to be read before the second one arrives.
func TestPartsSettleBeforeThePlanIsDone(t *testing.T) {
	c := newRules(t, oneFullFeed, "send: {catalog: {max_rows: 4}}\nbrake: {equal_prices: off, min_rows: 1000}")
	second := filepath.Join(c.platform.Home(), "catalog", "gondola2_1.csv")
	if err := os.MkdirAll(filepath.Dir(second), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(second, []byte("somebody else's"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.export("full", articles(8, 0, "10.50"))
	if err := c.house.store.Request(c.Context(), c.house.targetNames(), false, false); err != nil {
		t.Fatal(err)
	}
	if err := c.house.send(c.Context()); err != nil {
		t.Fatal(err)
	}
	c.clock = c.clock.Add(3 * time.Hour)
	if err := c.house.send(c.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(second); err != nil {
		t.Fatal(err)
	}
	if err := c.house.store.Request(c.Context(), c.house.targetNames(), false, false); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := c.house.send(c.Context()); err != nil {
			t.Fatal(err)
		}
		c.clock = c.clock.Add(3 * time.Hour)
	}
	if unsettled, err := c.house.store.Unsettled(c.Context(), "catalog/1"); err != nil || len(unsettled) > 0 {
		t.Errorf("unsettled: %v, %v", unsettled, err)
	}
}

// TestLookingChangesNothing looks at a store whose history is long enough to be compacted: a status command may run as another user,
// whose files the daemon could not read.
func TestLookingChangesNothing(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	for i := range longStack {
		c.export("full", articles(3, 0, fmt.Sprintf("%d.50", 10+i)))
		c.push(false)
	}
	before, err := c.house.store.Sent(c.Context(), "catalog/1")
	if err != nil || len(before) != longStack {
		t.Fatalf("sent: %d files, %v", len(before), err)
	}
	if _, err := c.house.Status(c.Context()); err != nil {
		t.Fatal(err)
	}
	after, err := c.house.store.Sent(c.Context(), "catalog/1")
	if err != nil || len(after) != longStack {
		t.Errorf("after a look: %d files, %v", len(after), err)
	}
}

// TestStateRestoredFromBackup finds a claimed file with a number that the restored database has not given out yet. Exports that come
// later must lie on top of it, not below.
func TestStateRestoredFromBackup(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	f, _ := c.house.feed("full")
	tk := taker{c.house, []feedSetup{f}}
	file := filepath.Join(t.TempDir(), "export.csv")
	if err := os.WriteFile(file, []byte(articles(3, 0, "10.50")), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, done, err := tk.Known(c.Context(), 57); err != nil || done {
		t.Fatalf("known: %t, %v", done, err)
	}
	claim := drop.Claim{Seq: 57, Name: "export.csv", Archived: file, ModTime: c.clock, FirstSeen: c.clock}
	if _, err := tk.Take(c.Context(), claim); err != nil {
		t.Fatal(err)
	}
	c.push(false)
	c.clock = c.clock.Add(time.Minute)
	c.export("full", articles(3, 0, "11.50"))
	if put := c.push(false); !strings.Contains(put["catalog/gondola_1.csv"], "A000,11.50,1\n") {
		t.Errorf("the newer export is hidden below the older one: %v", put)
	}
}

// TestArchiveGone starts with a changed config after somebody has emptied the archive: the daemon has to come up all the same.
func TestArchiveGone(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	c.export("full", "sku,precio,precio oferta\nA,10.50,9.50\n")
	c.push(false)
	if err := os.RemoveAll(filepath.Join(c.house.cfg.State.Dir, archiveDir)); err != nil {
		t.Fatal(err)
	}
	c.restart(func(cfg *config.Config) {
		cfg.Feeds[0].Columns = map[string]config.Column{"price": {From: "precio oferta"}}
	})
	if put := c.push(true)["catalog/gondola_1.csv"]; put != "sku,price\nA,10.50\n" {
		t.Errorf("what the export said before: %q", put)
	}
}

// TestClockSetBack starts with a clock that is years ahead and is then put right: nothing may wait for those years to pass.
func TestClockSetBack(t *testing.T) {
	c := newRules(t, oneFullFeed, `send: {catalog: {schedule: "*/15 * * * *", full: "off"}}`)
	right := c.clock
	c.clock = right.AddDate(4, 0, 0)
	if err := c.house.startSchedules(c.Context()); err != nil {
		t.Fatal(err)
	}
	c.export("full", articles(3, 0, "10.50"))
	if err := c.house.store.Request(c.Context(), c.house.targetNames(), false, false); err != nil {
		t.Fatal(err)
	}
	dial := c.house.outbox.Dial
	c.house.outbox.Dial = func(context.Context) (outbox.Remote, error) { return nil, errors.New("no network") }
	if err := c.house.send(c.Context()); err != nil {
		t.Fatal(err)
	}
	c.house.outbox.Dial = dial
	c.clock = right
	if err := c.house.send(c.Context()); err != nil {
		t.Fatal(err)
	}
	if put := c.put(); !strings.Contains(put["catalog/gondola_1.csv"], "A000,10.50,1\n") {
		t.Errorf("what was to be tried again waits for years: %v", put)
	}
	c.clock = right.Add(16 * time.Minute)
	if err := c.house.runSlots(c.Context()); err != nil {
		t.Fatal(err)
	}
	if due, err := c.house.store.TargetsDue(c.Context()); err != nil || len(due) != 2 {
		t.Errorf("a quarter of an hour later: due %v, %v", due, err)
	}
}

// TestOfflineShareHoldsUpNobody has more answers due for a folder that is gone than one look writes.
func TestOfflineShareHoldsUpNobody(t *testing.T) {
	c := newRules(t, `  - {name: full, drop: drop, export: full, vendor: {ids: ["1"]}}
  - {name: other, drop: other, export: full, vendor: {ids: ["2"]}}`, "")
	other, _ := c.house.feed("other")
	for range 60 {
		c.export("full", articles(1, 0, "10.50")) // the folder of this feed does not exist
	}
	c.export("other", articles(1, 0, "10.50"))
	if err := os.MkdirAll(other.Drop, 0o750); err != nil {
		t.Fatal(err)
	}
	c.clock = c.clock.Add(receiptRetry)
	for range 3 {
		if err := c.house.writeReceipts(c.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(other.Drop, "export.csv.respuesta.txt")); err != nil {
		t.Errorf("the answer of another folder: %v", err)
	}
}

// TestAnswerAfterTheClockWasSetBack can't write an answer by a clock that is a year ahead: when that is put right the answer is tried
// again, and does not wait for a year.
func TestAnswerAfterTheClockWasSetBack(t *testing.T) {
	c := newRules(t, `  - {name: full, drop: drop, export: full, vendor: {ids: ["1"]}}`, "")
	full, _ := c.house.feed("full")
	c.export("full", articles(1, 0, "10.50"))
	if err := c.house.writeReceipts(c.Context()); err != nil { // the folder does not exist
		t.Fatal(err)
	}
	if err := os.MkdirAll(full.Drop, 0o750); err != nil {
		t.Fatal(err)
	}
	c.clock = c.clock.AddDate(-1, 0, 0)
	if err := c.house.writeReceipts(c.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(full.Drop, "export.csv.respuesta.txt")); err != nil {
		t.Error(err)
	}
}

// TestManyPartialExportsBetweenTwoSlots drops a partial export for every sale of a night: neither the files open at once nor the
// work for each may grow with how many came before.
func TestManyPartialExportsBetweenTwoSlots(t *testing.T) {
	c := newRules(t, `  - {name: full, drop: drop, export: partial, vendor: {ids: ["1"]}}`, "brake: {equal_prices: off, price_change: off, min_rows: 1000}")
	c.export("full", articles(20, 0, "10.50"))
	c.push(false)
	for i := range 3 * longStack {
		c.export("full", fmt.Sprintf("sku,precio\nA%03d,%d.25\n", i%20, 11+i))
		files, err := c.house.store.Layer(c.Context(), "full", "1")
		if err != nil {
			t.Fatal(err)
		}
		if len(files) > 2*longStack {
			t.Fatalf("after %d exports the layer has %d files", i+1, len(files))
		}
	}
	if put := c.push(false); !strings.Contains(put["catalog/gondola_1.csv"], "A011,82.25,1\n") {
		t.Errorf("put: %v", put)
	}
}

// TestHeldPartialExport holds one partial export, which nobody decides on, while others come and go.
func TestHeldPartialExport(t *testing.T) {
	c := newRules(t, `  - {name: full, drop: drop, export: partial, vendor: {ids: ["1"]}}`, "brake: {equal_prices: off, price_change: off, min_rows: 10}")
	c.export("full", articles(20, 0, "10.50"))
	c.push(false)
	c.export("full", articles(20, 15, "10.50"))
	c.push(false)
	for i := range 3 * longStack {
		c.export("full", fmt.Sprintf("sku,precio\nA%03d,%d.25\n", i%20, 11+i))
		c.push(false)
	}
	files, err := c.house.store.Layer(c.Context(), "full", "1")
	if err != nil || len(files) > 2*longStack {
		t.Errorf("the layer has %d files, %v", len(files), err)
	}
	held, err := c.house.HeldExports(c.Context())
	if err != nil || len(held) != 1 {
		t.Fatalf("held: %+v, %v", held, err)
	}
	if _, err := c.house.Approve(c.Context(), held[0].Seq, nil, "somebody"); err != nil {
		t.Fatal(err)
	}
	// What was approved counts, and lies below what came later.
	if put := c.push(true); !strings.Contains(put["catalog/gondola_1.csv"], "A011,82.25,0\n") {
		t.Errorf("put: %v", put)
	}
}

// TestReceiptNamesWhatWillBeHeld reads an export that the brake will hold: the answer says so at once, and so it does after later
// exports that are fine.
func TestReceiptNamesWhatWillBeHeld(t *testing.T) {
	c := newRules(t, oneFullFeed, "brake: {equal_prices: off, min_rows: 10}")
	c.export("full", articles(20, 0, "10.50"))
	c.push(false)
	c.export("full", articles(20, 15, "10.50"))
	d, _, err := c.house.store.Drop(c.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	a, err := c.house.answer(c.Context(), d)
	if err != nil || len(a.Stores) != 1 || len(a.Stores[0].Held) != 1 {
		t.Errorf("answer: %+v, %v", a, err)
	}
	effects, err := c.house.store.Effects(c.Context(), 2)
	if err != nil || len(effects) != 1 || effects[0].State != store.EffectWaiting {
		t.Errorf("effects: %+v, %v", effects, err)
	}
}

// TestChangedMappingKeepsWhatWasMerged reads a partial export again that is merged with those before it at one store and stands for
// itself at another.
func TestChangedMappingKeepsWhatWasMerged(t *testing.T) {
	c := newRules(t, `  - {name: full, drop: drop, export: partial, vendor: {column: Sucursal}}`, "brake: {equal_prices: off, min_rows: 1000}")
	for i := range longStack - 1 {
		c.export("full", fmt.Sprintf("Sucursal,sku,precio\n1,A%03d,10.50\n", i))
	}
	c.export("full", "Sucursal,sku,precio,precio oferta\n1,B,10.50,9.50\n2,B,10.50,9.50\n")
	c.push(false)
	c.clock = c.clock.Add(3 * time.Hour)
	c.flush() // settled: nothing is repeated for that
	c.restart(func(cfg *config.Config) {
		cfg.Feeds[0].Columns = map[string]config.Column{"price": {From: "precio oferta"}}
	})
	put := c.push(true)
	if !strings.Contains(put["catalog/gondola_1.csv"], "A000,10.50\n") {
		t.Errorf("store 1 lost what earlier exports said: %v", put)
	}
	if put["catalog/gondola_2.csv"] != "sku,price\nB,9.50\n" {
		t.Errorf("store 2: %v", put)
	}
}

// TestAnswerIsAboutTheNewestDropOfAName has a rejected file follow one of the same name that is on its way: what staff read beside the
// folder is what became of the one they dropped last.
func TestAnswerIsAboutTheNewestDropOfAName(t *testing.T) {
	c := newRules(t, oneFullFeed, "")
	f, _ := c.house.feed("full")
	if err := os.MkdirAll(f.Drop, 0o750); err != nil {
		t.Fatal(err)
	}
	c.export("full", articles(3, 0, "10.50"))
	c.export("full", "this is no price list\n")
	c.push(false) // the first one arrives only now
	if err := c.house.writeReceipts(c.Context()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(f.Drop, "export.csv.respuesta.txt"))
	if err != nil || !strings.Contains(string(text), "rechaz") && !strings.Contains(string(text), "RECHAZ") {
		t.Errorf("the answer: %s, %v", text, err)
	}
	if due, err := c.house.store.ReceiptsDue(c.Context()); err != nil || len(due) > 0 {
		t.Errorf("answers still due: %+v, %v", due, err)
	}
}

// TestArticleBackAfterALongTime follows an article that was switched off for being missing and comes back when its tombstone has long
// gone from the full documents: nobody else has a word for switching it on.
func TestArticleBackAfterALongTime(t *testing.T) {
	c := newRules(t, oneFullFeed, "brake: {equal_prices: off, min_rows: 1000}")
	c.export("full", "sku,precio\nA,10.50\nB,20.50\n")
	c.push(false)
	c.export("full", "sku,precio\nA,10.50\n")
	if put := c.push(false)["catalog/gondola_1.csv"]; !strings.Contains(put, "B,20.50,0\n") {
		t.Fatalf("put: %q", put)
	}
	for range 3 {
		c.clock = c.clock.Add(40 * 24 * time.Hour)
		c.flush()
		c.export("full", "sku,precio\nA,10.50\n")
		if put := c.push(true)["catalog/gondola_1.csv"]; put != "sku,price\nA,10.50\n" {
			t.Fatalf("full, long after: %q", put)
		}
	}
	if err := c.house.tidy(c.Context()); err != nil {
		t.Fatal(err)
	}
	c.clock = c.clock.Add(time.Hour * 3)
	c.flush()
	c.export("full", "sku,precio\nA,10.50\nB,21.50\n")
	if put := c.push(false)["catalog/gondola_1.csv"]; put != "sku,price,active\nB,21.50,1\n" {
		t.Errorf("back after months, and still switched off: %q", put)
	}
	// From then on it is an article like any other.
	c.clock = c.clock.Add(time.Hour * 3)
	c.flush()
	if put := c.push(true)["catalog/gondola_1.csv"]; put != "sku,price\nA,10.50\nB,21.50\n" && put != "sku,price,active\nA,10.50,\nB,21.50,1\n" {
		t.Errorf("full after it came back: %q", put)
	}
	if put := c.push(false); len(put) != 0 {
		t.Errorf("nothing has changed: %v", put)
	}
}
