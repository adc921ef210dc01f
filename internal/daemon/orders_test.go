package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gondola/internal/alert"
	"gondola/internal/report"
	"gondola/internal/store"
)

// TestOrdersAreShown lists and shows orders, and masks what is personal.
func TestOrdersAreShown(t *testing.T) {
	r := newOrders(t, "format: csv")
	r.told("a", "1", "READY_FOR_PICKUP", "10.5")
	r.told("a", "1", "CANCELLED", "10.5")
	r.told("a", "1", "DELIVERED", "10.5")
	r.told("b", "9", "AT_THE_MOON", "7")
	r.must()
	lines, err := r.house.Orders(t.Context(), OrderAsk{Limit: 10})
	if err != nil || len(lines) != 2 {
		t.Fatalf("orders %+v, %v", lines, err)
	}
	if b := lines[0]; b.Listed || b.State != "" || b.Unknown != "AT_THE_MOON" || b.Waiting {
		t.Errorf("of another store, in an unknown state: %+v", b)
	}
	if a := lines[1]; !a.Listed || a.State != "CANCELLED" || a.Before != "DELIVERED" || !a.Contradiction || a.Total != "10.5" {
		t.Errorf("cancelled and delivered: %+v", a)
	}
	for _, personal := range []bool{false, true} {
		all, err := r.house.OrderDetails(t.Context(), "ext-a", personal)
		if err != nil || len(all) != 1 {
			t.Fatalf("details %+v, %v", all, err)
		}
		text, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		shown := string(text) + fmt.Sprintf("%+v", all[0].Order)
		if strings.Contains(shown, "Sentinela") != personal || strings.Contains(shown, "555 0000") != personal {
			t.Errorf("personal %t: %s", personal, shown)
		}
		if len(all[0].HandOvers) != 2 || len(all[0].Sightings) != 3 || all[0].HandOvers[0].File == "" {
			t.Errorf("details %+v", all[0])
		}
	}
	if _, err := r.house.OrderDetails(t.Context(), "nobody", false); !errors.Is(err, ErrNoOrder) {
		t.Errorf("error %v", err)
	}
	s, err := r.house.Status(t.Context())
	if err != nil || s.Orders == nil {
		t.Fatalf("status %+v, %v", s.Orders, err)
	}
	if o := s.Orders; o.Today["CANCELLED"] != 1 || o.Due != 0 || o.Unknown != 1 || o.Contradictions != 1 || o.Foreign != 1 || o.File == "" {
		t.Errorf("status %+v", o)
	}
	kinds := map[alert.Kind]string{}
	for _, p := range s.Problems {
		kinds[p.Kind] = p.Text
		if p.Do == "" {
			t.Errorf("%s does not say what to do", p.Key)
		}
	}
	if !strings.Contains(kinds[alert.OrderState], "AT_THE_MOON") || kinds[alert.Conflict] == "" {
		t.Errorf("problems %v", kinds)
	}
	r.clock = r.clock.Add(25 * time.Hour)
	if s, err = r.house.Status(t.Context()); err != nil || len(s.Orders.Today) != 0 || s.Orders.Unknown != 0 {
		t.Errorf("the next day: %+v, %v", s.Orders, err)
	}
}

// TestOrderAlarms have words of their own in every language.
func TestOrderAlarms(t *testing.T) {
	for _, lang := range []string{"es", "pt", "en"} {
		l := &problemList{say: report.NewPhrases(lang, time.UTC)}
		l.add(alert.Problem{Kind: alert.Orders}, ordersLoop)
		l.add(alert.Problem{Kind: alert.OrderState}, "AT_THE_MOON", 2)
		l.add(alert.Problem{Kind: alert.Conflict}, 1)
		other, _, err := l.say.Trouble("other", "x")
		if err != nil || l.phrase != nil {
			t.Fatal(err, l.phrase)
		}
		for _, p := range l.all {
			if p.Text == other || p.Text == "" {
				t.Errorf("%s: %s has no words", lang, p.Kind)
			}
		}
	}
}

// TestReplay hands over once more, and only what there is.
func TestReplay(t *testing.T) {
	r := newOrders(t, `name: "{order}_{asked}_{revision}"`)
	r.told("a", "1", "READY_FOR_PICKUP", "1")
	r.told("a", "1", "CANCELLED", "1")
	r.told("b", "1", "READY_FOR_PICKUP", "2")
	r.told("c", "9", "READY_FOR_PICKUP", "2")
	r.told("d", "1", "RECEIVED", "2")
	r.must()
	replay := func(a ReplayAsk) int {
		t.Helper()
		a.Who = "ana"
		ids, err := r.house.FindReplay(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		n, err := r.house.Replay(t.Context(), ids, a)
		if err != nil {
			t.Fatal(err)
		}
		r.must()
		return n
	}
	if n := replay(ReplayAsk{IDs: []string{"EXT-a", "ext-a"}[1:]}); n != 2 {
		t.Errorf("%d hand-overs of a, want 2", n)
	}
	if n := replay(ReplayAsk{Range: OrderAsk{Since: r.clock.Add(-time.Hour)}, State: "READY_FOR_PICKUP"}); n != 2 {
		t.Errorf("%d hand-overs of all that are ready, want 2", n)
	}
	if n := replay(ReplayAsk{IDs: []string{"c"}}); n != 0 {
		t.Errorf("%d hand-overs of an order of another store", n)
	}
	want := []string{
		"a_CANCELLED_1.csv", "a_CANCELLED_2.csv", "a_READY_FOR_PICKUP_1.csv", "a_READY_FOR_PICKUP_2.csv", "a_READY_FOR_PICKUP_3.csv",
		"b_READY_FOR_PICKUP_1.csv", "b_READY_FOR_PICKUP_2.csv",
	}
	if got := r.names(); !slices.Equal(got, want) {
		t.Errorf("files %v\nwant %v", got, want)
	}
	if text := r.files()["a_READY_FOR_PICKUP_3.csv"]; !strings.Contains(text, ",READY_FOR_PICKUP,READY_FOR_PICKUP,0,,3,1,") {
		t.Errorf("a replay: %s", text)
	}
	who := 0
	err := r.house.Ledger(t.Context(), time.Time{}, store.EntryReplay, func(e store.Entry) error {
		if e.Facts.Who == "ana" {
			who++
		}
		return nil
	})
	if err != nil || who != 2 {
		t.Errorf("%d replays in the ledger, %v", who, err)
	}
}

// TestPersonalDataGo looks for customers in all that is ours once their time is over.
func TestPersonalDataGo(t *testing.T) {
	r := newOrders(t, `customer: true, name: "{order}"`)
	r.told("lies", "1", "READY_FOR_PICKUP", "1")
	r.told("edited", "1", "READY_FOR_PICKUP", "1")
	r.told("eaten", "1", "READY_FOR_PICKUP", "1")
	r.must()
	r.remove("eaten.csv")
	edited := strings.ReplaceAll(r.files()["edited.csv"], "Sentinela", "Somebody")
	r.write("edited.csv", edited)
	r.write("foreign.csv", "not ours")
	if err := os.WriteFile(filepath.Join(r.cfg.State.Dir, "gondola-before-7.db"), []byte("Sentinela"), 0o600); err != nil {
		t.Fatal(err)
	}
	old := r.clock.Add(-100 * 24 * time.Hour)
	if err := os.Chtimes(filepath.Join(r.cfg.State.Dir, "gondola-before-7.db"), old, old); err != nil {
		t.Fatal(err)
	}
	r.clock = r.clock.Add(61 * 24 * time.Hour)
	r.customer = "Joven"
	r.told("young", "1", "RECEIVED", "1")
	for range 2 {
		if err := r.house.tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if names := r.names(); !slices.Equal(names, []string{"edited.csv", "foreign.csv"}) {
		t.Errorf("files %v", names)
	}
	if _, err := os.Stat(filepath.Join(r.cfg.State.Dir, "gondola-before-7.db")); err == nil {
		t.Error("an old copy of the database is there")
	}
	lines, err := r.house.Orders(t.Context(), OrderAsk{Limit: 9})
	if err != nil || len(lines) != 4 || !lines[0].Purged.IsZero() || lines[1].Purged.IsZero() || lines[1].Total != "1" || lines[1].ID == "" {
		t.Errorf("what is kept: %+v, %v", lines, err)
	}
	err = filepath.WalkDir(r.cfg.State.Dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if strings.Contains(string(data), "Sentinela") {
			t.Errorf("%s has a customer in it", filepath.Base(path))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
