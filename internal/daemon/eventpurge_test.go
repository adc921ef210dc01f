package daemon

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestEventsPutAsideAreForgotten has a customer in an event of another chain, which is judged once more with each change of the program or
// the chain: its time counts from when it came. Nothing of it stays in any file of the state, though no order is purged beside it.
func TestEventsPutAsideAreForgotten(t *testing.T) {
	m := newMarket(t, marketOptions{webhook: true})
	l := live{T: t, house: m.house}
	if code := l.hook(`{"order_id":"a","status":"READY_FOR_PICKUP","client":{"chain_id":"another"},"customer":{"first_name":"Sentinela"}}`); code != 200 {
		t.Fatalf("%d", code)
	}
	pass := func(days int) {
		m.mu.Lock()
		m.clock = m.clock.Add(time.Duration(days) * 24 * time.Hour)
		m.mu.Unlock()
		if err := m.house.drainInbox(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := m.house.tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	pass(1)
	m.stop()
	m.cfg.Chain.ID = "third"
	m.start()
	pass(49)
	if n := m.find("Sentinela"); n == 0 {
		t.Error("the event is gone before its time")
	}
	pass(12)
	if n := m.find("Sentinela"); n > 0 {
		t.Errorf("the customer is in %d files", n)
	}
	if all, err := m.house.AsideEvents(t.Context(), 10); err != nil || len(all) != 1 {
		t.Errorf("what is kept of it: %+v, %v", all, err)
	}
}

// find counts the files of the state that a word is in.
func (m *market) find(word string) (n int) {
	m.Helper()
	err := filepath.WalkDir(m.cfg.State.Dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(word)) {
			n++
		}
		return err
	})
	if err != nil {
		m.Fatal(err)
	}
	return n
}
