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

// orderQueries are what the loops, the page and the commands ask of orders, with the numbers of their arguments.
func orderQueries() map[string]string {
	all := map[string]string{
		"head": headQuery, "carts": cartsQuery, "sightings": sightingsQuery, "owed": owedQuery, "find": findQuery,
		"due": dueOrdersQuery, "oldest due": oldestDueQuery, "count due": countDueQuery, "hand-overs": handOversQuery,
		"staged": stagedFilesQuery, "named": fileNamedQuery, "old files": oldFilesQuery, "purge": purgeQuery,
		"state": countStateQuery, "strange": countStrangeQuery, "contradictions": countContradictionsQuery, "foreign": countForeignQuery,
	}
	at := time.UnixMilli(1)
	for name, q := range map[string]OrderQuery{
		"all": {}, "of a store": {Vendor: "nbet"}, "in a state": {State: platform.StateReady}, "since": {Since: at, Until: at},
		"of a store in a state since": {Vendor: "nbet", State: platform.StateReady, Since: at}, "in a strange state": {State: "X"},
		"waiting": {Waiting: true}, "waiting of a store": {Waiting: true, Vendor: "nbet"},
	} {
		all["list "+name], _ = q.query()
	}
	return all
}

// TestOrderQueriesUseTheirIndex asks SQLite how it would answer what is asked of a million orders: never by walking a table, nor by sorting
// more than a page.
func TestOrderQueriesUseTheirIndex(t *testing.T) {
	s := newTestOrders(t)
	for name, query := range orderQueries() {
		steps, err := list(t.Context(), s.read, scanStep, "EXPLAIN QUERY PLAN "+query, "1", "2", "3", "4", "5")
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, step := range steps {
			walks := strings.HasPrefix(step, "SCAN") && !strings.Contains(step, "USING") && !strings.HasPrefix(step, "SCAN v") &&
				!strings.Contains(step, "VIRTUAL TABLE") && step != "SCAN CONSTANT ROW"
			few := name == "find" || name == "sightings" || name == "hand-overs" || strings.HasPrefix(name, "list waiting")
			sorts := strings.Contains(step, "TEMP B-TREE") && !few
			if walks || sorts {
				t.Errorf("%s: %s:\n%s", name, step, strings.Join(steps, "\n"))
			}
		}
	}
}

// million is how many orders there are in a large chain in two months.
const million = 1_000_000

// TestMillionOrders asks everything of a million orders, and merges some more: nothing takes long.
func TestMillionOrders(t *testing.T) {
	if testing.Short() {
		t.Skip("makes a million orders")
	}
	s := newTestOrders(t)
	fill(t, s)
	begin := time.Now()
	for i := range 200 {
		merge(t, s, testSeen(fmt.Sprintf("%08x", i*4999), platform.StateDelivered, "7", 1))
	}
	if took := time.Since(begin); took > time.Minute {
		t.Errorf("merging 200 orders took %s", took)
	} else {
		t.Logf("merging an order: %s", took/200)
	}
	mark := &Watermark{Vendor: "nbet", Upto: time.UnixMilli(5)}
	var window []order.Seen
	for i := range 500 {
		window = append(window, testSeen(fmt.Sprintf("%08x", i*2003), platform.StateReady, "7", 1))
	}
	begin = time.Now()
	if err := s.MergeOrders(t.Context(), window, mark); err != nil {
		t.Fatal(err)
	}
	t.Logf("merging a page of 500: %s", time.Since(begin))
	now := time.UnixMilli(1_777_000_000_000)
	for name, ask := range map[string]func() error{
		"list": func() error { _, err := s.ListOrders(t.Context(), OrderQuery{Limit: 100}); return err },
		"list some": func() error {
			_, err := s.ListOrders(t.Context(), OrderQuery{Vendor: "s8ym", State: platform.StateCancelled, Since: now, Limit: 100})
			return err
		},
		"waiting": func() error { _, err := s.ListOrders(t.Context(), OrderQuery{Waiting: true, Limit: 100}); return err },
		"find":    func() error { _, err := s.FindOrders(t.Context(), "ext-77777"); return err },
		"due":     func() error { _, err := s.DueOrders(t.Context(), "nbet", 0, 100); return err },
		"oldest":  func() error { _, err := s.OldestDue(t.Context()); return err },
		"count": func() error {
			_, err := s.CountOrders(t.Context(), now.Add(-time.Minute), s.OrderRules.Vendors)
			return err
		},
		"count due": func() error { _, err := s.CountDue(t.Context(), s.OrderRules.Vendors); return err },
	} {
		begin := time.Now()
		if err := ask(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		took := time.Since(begin)
		t.Logf("%-10s %s", name, took)
		if took > 5*time.Second { // on a machine that is busy with other tests; alone it is a few milliseconds
			t.Errorf("%s took %s", name, took)
		}
	}
}

// fill makes a million orders, nearly all of them over and handed over, without going through all that makes one.
func fill(t *testing.T, s *Store) {
	t.Helper()
	begin := time.Now()
	tx, err := s.write.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	// Indexes are made afterwards: that takes a fraction of the time.
	indexes, err := list(t.Context(), tx, scanOne[string], `SELECT sql FROM sqlite_master WHERE type = 'index' AND name LIKE 'order%' AND sql IS NOT NULL`)
	if err != nil {
		t.Fatal(err)
	}
	for _, index := range indexes {
		if _, err := tx.ExecContext(t.Context(), "DROP INDEX "+strings.Fields(strings.Replace(index, "UNIQUE ", "", 1))[2]); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range append([]string{
		`CREATE TEMP TABLE n AS WITH RECURSIVE c (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < $1 - 1)
			SELECT i, printf('%08x', i) AS key, CASE WHEN i % 3 = 0 THEN 's8ym' ELSE 'nbet' END AS vendor, i % 100 = 0 AS open,
				1777000000000 + i * 5 - $1 * 5 AS at FROM c`,
		`INSERT INTO orders (key, final, ` + headColumns + `) SELECT key, NOT open, key, 'ext-' || i, 'code-' || i, vendor, '', '', '', 0,
			CASE WHEN open THEN 'READY_FOR_PICKUP' WHEN i % 50 = 1 THEN 'CANCELLED' ELSE 'PICKED_UP' END, 'READY_FOR_PICKUP', '', 0,
			'READY_FOR_PICKUP', at, 'cart', '5', 1, '', at, at, at, at, 0 FROM n WHERE $1 > 0`,
		`INSERT INTO order_sightings SELECT key, 'READY_FOR_PICKUP', 'webhook', 'cart', at, at FROM n WHERE $1 > 0`,
		`INSERT INTO order_bodies SELECT key, 'READY_FOR_PICKUP', at, 'cart', x'7b7d' FROM n WHERE $1 > 0`,
		`INSERT INTO order_dues SELECT i + 1, key, 'READY_FOR_PICKUP', 1, vendor, 'READY_FOR_PICKUP', 0, 'cart', 0,
			CASE WHEN open THEN 'due' ELSE 'done' END, at, i + 1 FROM n WHERE $1 > 0`,
		`INSERT INTO order_files SELECT i + 1, 'erp', 't' || i, 'n' || i, '', 1, 1, 0, 'done', at, at, 0 FROM n WHERE NOT open AND $1 > 0`,
		`INSERT INTO numbers (name, last) VALUES ('order dues', $1)`,
	}, indexes...) {
		if _, err := tx.ExecContext(t.Context(), step, million); err != nil {
			t.Fatalf("%s: %v", step, err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	t.Logf("made in %s", time.Since(begin).Round(time.Second))
}
