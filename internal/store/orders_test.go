package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/order"
	"gondola/internal/platform"
)

// newTestOrders opens a store that hands over what is ready or cancelled in the store nbet.
func newTestOrders(t testing.TB) *Store {
	t.Helper()
	s, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	s.OrderRules = order.Rules{
		On: []platform.OrderState{platform.StateReady, platform.StateCancelled}, OnChange: true, Vendors: []string{"nbet", "s8ym"},
	}
	return s
}

// testSeen is an order of the store nbet that costs some pesos.
func testSeen(id string, state platform.OrderState, total string, minute int) order.Seen {
	at := time.UnixMilli(1_777_000_000_000).Add(time.Duration(minute) * time.Minute)
	o := platform.Order{
		ID: id, ExternalID: "ext-" + id, Code: "wxfr-" + id, Vendor: "nbet", State: state, Updated: at,
		Items:   []platform.OrderItem{{SKU: "a", Pricing: platform.Pricing{Total: platform.Number(total)}}},
		Payment: platform.Payment{Total: platform.Number(total)},
	}
	o.Raw = fmt.Appendf(nil, `{"order_id":%q,"status":%q,"client":{"store_id":"nbet"},"customer":{"first_name":"Sentinela"},
		"payment":{"order_total":%s}}`, id, state, total)
	return order.Seen{Order: o, By: order.ByWebhook, At: at}
}

func merge(t testing.TB, s *Store, seen ...order.Seen) {
	t.Helper()
	if err := s.MergeOrders(t.Context(), seen, nil); err != nil {
		t.Fatal(err)
	}
}

// TestMergeOrders keeps what was seen, and nothing twice.
func TestMergeOrders(t *testing.T) {
	s := newTestOrders(t)
	seen := []order.Seen{
		testSeen("A1", platform.StateReceived, "5", 1), testSeen("A1", platform.StatePickedUp, "6", 3),
		testSeen("a1", platform.StateReady, "6", 2), testSeen("B2", platform.StateCancelled, "9", 4),
	}
	dump := func() string {
		var all []string
		for _, table := range []string{"orders", "order_bodies", "order_sightings", "order_dues"} {
			rows, err := list(t.Context(), s.read, scanOne[string], `SELECT group_concat(r, char(10)) FROM (SELECT json_array(`+columnsOf(t, s, table)+`) AS r FROM `+table+` ORDER BY 1)`)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, rows...)
		}
		return strings.Join(all, "\n")
	}
	merge(t, s, seen...)
	first := dump()
	merge(t, s, seen...)
	merge(t, s, seen[2], seen[0])
	if diff := cmp.Diff(first, dump()); diff != "" {
		t.Errorf("merged again:\n%s", diff)
	}

	o, ok, err := s.Order(t.Context(), "a1")
	if err != nil || !ok {
		t.Fatalf("order: %t, %v", ok, err)
	}
	if o.ID != "A1" || o.State != platform.StatePickedUp || o.Total != "6" || len(o.Sightings) != 3 || len(o.Bodies) != 3 {
		t.Errorf("order: %+v", o)
	}
	if d := o.Owed[platform.StateReady]; d.Seen != platform.StatePickedUp || !d.Skipped || d.Revision != 1 || len(o.Owed) != 1 {
		t.Errorf("owed: %+v", o.Owed)
	}
	body, err := s.OrderBody(t.Context(), "A1", platform.StateReady)
	if err != nil || !strings.Contains(string(body), `"READY_FOR_PICKUP"`) {
		t.Errorf("body %s, %v", body, err)
	}
	for _, word := range []string{"A1", "ext-A1", "wxfr-A1"} {
		if found, err := s.FindOrders(t.Context(), word); err != nil || len(found) == 0 || found[0].ID != "A1" {
			t.Errorf("found by %s: %+v, %v", word, found, err)
		}
	}
	open, err := s.OpenOrders(t.Context(), "nbet", "", 10)
	if err != nil || len(open) != 0 {
		t.Errorf("open: %+v, %v", open, err)
	}
}

// columnsOf lists the columns of a table, bodies as text.
func columnsOf(t *testing.T, s *Store, table string) string {
	t.Helper()
	names, err := list(t.Context(), s.read, scanOne[string], `SELECT CASE type WHEN 'BLOB' THEN 'CAST(' || name || ' AS TEXT)' ELSE name END
		FROM pragma_table_info($1)`, table)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, ", ")
}

// TestMergeOrdersIsOneTransaction changes nothing where one of the orders can't be told from others, and keeps the watermark with the orders.
func TestMergeOrdersIsOneTransaction(t *testing.T) {
	s := newTestOrders(t)
	upto := time.UnixMilli(77).UTC()
	nameless := testSeen(" ", platform.StateReady, "5", 1)
	err := s.MergeOrders(t.Context(), []order.Seen{testSeen("A1", platform.StateReady, "5", 1), nameless}, &Watermark{Vendor: "nbet", Upto: upto})
	if !errors.Is(err, ErrNoOrderID) {
		t.Errorf("error %v", err)
	}
	if _, ok, err := s.Order(t.Context(), "A1"); ok || err != nil {
		t.Errorf("order kept: %t, %v", ok, err)
	}
	if err := s.MergeOrders(t.Context(), nil, &Watermark{Vendor: "nbet", Upto: upto}); err != nil {
		t.Fatal(err)
	}
	for vendor, want := range map[string]time.Time{"nbet": upto, "s8ym": {}} {
		if got, err := s.OrderMark(t.Context(), vendor); err != nil || !got.Equal(want) {
			t.Errorf("mark of %s: %v, %v", vendor, got, err)
		}
	}
}

// TestOrderQueriesUseTheirIndex asks SQLite how it would answer what is asked of a million orders.
func TestOrderQueriesUseTheirIndex(t *testing.T) {
	s := newTestOrders(t)
	for name, query := range map[string]string{
		"head": headQuery, "carts": cartsQuery, "sightings": sightingsQuery, "owed": owedQuery, "find": findQuery, "open": openQuery,
	} {
		steps, err := list(t.Context(), s.read, scanStep, "EXPLAIN QUERY PLAN "+query, "nbet", "1", "2", "3", "4", "5")
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, step := range steps {
			if strings.HasPrefix(step, "SCAN") && !strings.Contains(step, "USING") {
				t.Errorf("%s walks a table:\n%s", name, strings.Join(steps, "\n"))
			}
		}
	}
}
