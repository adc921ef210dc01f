package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"gondola/internal/order"
	"gondola/internal/platform"
)

// sentinels are what customers wrote in tests about personal data.
var sentinels = []string{"Sentinela", "Calle Centinela", "+598 5550000"}

// customerSeen is an order with a customer in it, in a body of some length.
func customerSeen(id string, state platform.OrderState, total string, minute, length int) order.Seen {
	seen := testSeen(id, state, total, minute)
	seen.Order.Raw = fmt.Appendf(nil, `{"order_id":%q,"status":%q,"customer":{"first_name":"Sentinela","street":"Calle Centinela","phone_number":"+598 5550000"},
		"comment":%q,"payment":{"order_total":%s}}`, id, state, strings.Repeat("Sentinela ", length), total)
	return seen
}

// find lists the files below a folder that hold one of the words.
func find(t *testing.T, dir string, words []string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		for _, w := range words {
			if n := bytes.Count(data, []byte(w)); n > 0 {
				found = append(found, fmt.Sprintf("%s: %d times %s", filepath.Base(path), n, w))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestPurgeLeavesNothing looks for customers in the bytes of every file of the state after a purge: of orders that came, changed their
// bodies and moved about in the database's pages.
func TestPurgeLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	s.OrderRules = order.Rules{On: []platform.OrderState{platform.StateReady}, Vendors: []string{"nbet"}}
	// With this seed SQLite leaves a copy of a row behind: VACUUM alone finds it.
	rnd := rand.New(rand.NewPCG(13, 2))
	for range 40 {
		var page []order.Seen
		for range 50 {
			state := order.States()[rnd.IntN(7)]
			page = append(page, customerSeen(fmt.Sprintf("o%d", rnd.IntN(700)), state, fmt.Sprint(rnd.IntN(9)), rnd.IntN(1000), 1<<rnd.IntN(11)))
		}
		merge(t, s, page...)
	}
	if len(find(t, dir, sentinels)) == 0 {
		t.Fatal("nothing to be purged")
	}
	young := customerSeen("young", platform.StateReady, "5", 5000, 1)
	young.Order.Raw = []byte(`{"order_id":"young","customer":{"first_name":"Joven"}}`)
	merge(t, s, young)
	now := time.Now()
	p, err := s.PurgeOrders(t.Context(), young.At, now)
	if err != nil || p.Orders < 600 || p.Dropped == 0 {
		t.Fatalf("purge: %+v, %v", p, err)
	}
	if err := s.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found := find(t, dir, sentinels); len(found) > 0 {
		t.Errorf("left: %s", strings.Join(found, ", "))
	}
	if body, err := s.OrderBody(t.Context(), "young", platform.StateReady); err != nil || !strings.Contains(string(body), "Joven") {
		t.Errorf("a young order: %s, %v", body, err)
	}
	all, err := s.ListOrders(t.Context(), OrderQuery{Until: young.At, Limit: 1})
	if err != nil || len(all) != 1 || all[0].ID == "" || all[0].Total == "" || all[0].State == "" || all[0].Purged.IsZero() || all[0].Waiting {
		t.Errorf("what is kept: %+v, %v", all, err)
	}
	if again, err := s.PurgeOrders(t.Context(), young.At, now); err != nil || again != (Purge{}) {
		t.Errorf("purged again: %+v, %v", again, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if found := find(t, dir, sentinels); len(found) > 0 {
		t.Errorf("left after closing: %s", strings.Join(found, ", "))
	}
}

// TestBackupForgetsCustomers keeps in a backup, and in the copy from before a migration, only what was not handed over yet.
func TestBackupForgetsCustomers(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	s.OrderRules = order.Rules{On: []platform.OrderState{platform.StateReady}, Vendors: []string{"nbet"}}
	done := customerSeen("done", platform.StateReady, "5", 1, 3000)
	merge(t, s, done, customerSeen("other", platform.StateReceived, "5", 1, 3))
	due, err := s.DueOrders(t.Context(), "nbet", 0, 10)
	if err != nil || len(due) != 1 {
		t.Fatalf("due: %+v, %v", due, err)
	}
	f := OrderFile{ID: due[0].Seq, Dir: "erp", Temp: "t", Name: "n", At: time.UnixMilli(1)}
	if err := s.StageOrderFile(t.Context(), f, due); err != nil {
		t.Fatal(err)
	}
	if err := s.OrderFileDone(t.Context(), f, time.UnixMilli(2)); err != nil {
		t.Fatal(err)
	}
	waits := testSeen("waits", platform.StateReady, "5", 1)
	waits.Order.Raw = []byte(`{"order_id":"waits","customer":{"first_name":"Pendiente"}}`)
	merge(t, s, waits)

	backup := t.TempDir()
	if _, err := s.Backup(t.Context(), backup, Mark{At: time.UnixMilli(3)}); err != nil {
		t.Fatal(err)
	}
	if err := s.migrate(t.Context(), dir, withStep(t)); err != nil {
		t.Fatal(err)
	}
	before := t.TempDir()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if IsCopy(e.Name()) {
			if err := os.Rename(filepath.Join(dir, e.Name()), filepath.Join(before, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	for what, where := range map[string]string{"backup": backup, "copy": before} {
		if found := find(t, where, sentinels); len(found) > 0 {
			t.Errorf("%s: %s", what, strings.Join(found, ", "))
		}
		if len(find(t, where, []string{"Pendiente"})) == 0 {
			t.Errorf("%s: what is not handed over is not in it", what)
		}
	}
	// After a restore the poller brings it back, and hands nothing over once more. What the lost state may have handed over is marked.
	restored, err := open(t.Context(), backup)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = restored.Close() }()
	restored.OrderRules = s.OrderRules
	if err := restored.Restored(t.Context(), Restoring{Dir: backup, At: done.At.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	merge(t, restored, done, testSeen("since", platform.StateReady, "5", 30), testSeen("later", platform.StateReady, "5", 90))
	body, err := restored.OrderBody(t.Context(), "done", platform.StateReady)
	if err != nil || !strings.Contains(string(body), "Sentinela") {
		t.Errorf("body %q, %v", body, err)
	}
	due, err = restored.DueOrders(t.Context(), "nbet", 0, 10)
	var words []string
	for _, d := range due {
		words = append(words, fmt.Sprintf("%s %t", d.Key, d.Replay))
	}
	if got := strings.Join(words, ", "); err != nil || got != "waits true, since true, later false" {
		t.Errorf("due: %s, %v", got, err)
	}
}

// withStep returns the migrations with one more.
func withStep(t *testing.T) fstest.MapFS {
	t.Helper()
	steps := fstest.MapFS{"migrations/9999_test.sql": {Data: []byte(`CREATE TABLE later (id INTEGER)`)}}
	entries, err := migrations.ReadDir("migrations")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := migrations.ReadFile("migrations/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		steps["migrations/"+e.Name()] = &fstest.MapFile{Data: text}
	}
	return steps
}
