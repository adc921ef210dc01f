package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gondola/internal/order"
	"gondola/internal/outbox"
	"gondola/internal/platform"
	"gondola/internal/store"
)

// historyStores is how many stores share a history.
const historyStores = 10

// ordersPerFile is how many orders come while one file is dropped and sent: a million for a hundred thousand files.
const ordersPerFile = 10

// entriesPerFile is how many rows of the ledger come of it.
const entriesPerFile = 7

// historyBegins is where made-up histories begin.
var historyBegins = time.Date(2025, 11, 22, 0, 0, 0, 0, time.UTC)

// makeHistory makes a state folder in which so many files were dropped, sent and verified, of orders as many. The first ones are made by
// the store; the rest are copies of their rows, because nobody has the time to wait for a year's commits.
func makeHistory(dir string, n int) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	ctx := context.Background()
	st, err := store.Open(ctx, dir)
	if err != nil {
		return err
	}
	first := min(n, 10)
	for i := range first {
		if err := live(ctx, st, i, historyBegins.Add(time.Duration(i)*time.Minute), newClock(&measure{})); err != nil {
			return errors.Join(err, st.Close())
		}
	}
	if err := st.Close(); err != nil {
		return err
	}
	return multiply(ctx, filepath.Join(dir, "gondola.db"), first, n)
}

// live adds one drop with all that came of it, and an order.
func live(ctx context.Context, st *store.Store, i int, at time.Time, clock *clock) error {
	seq, err := st.NextSeq(ctx)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("gondola_%d.csv", 290_000+i%historyStores)
	target := fmt.Sprintf("catalog/%d", 290_000+i%historyStores)
	err = st.Seen(ctx, store.Drop{Seq: seq, Feed: "precios", Name: "export.csv", Size: 1000, SHA256: "aa", Modified: at, FirstSeen: at, Archived: "/nowhere"})
	if err != nil {
		return err
	}
	r := store.Reading{Seq: seq, State: store.DropRead, At: at, Outcome: store.Outcome{Rows: 10, Records: 10}}
	r.Effects = []store.Effect{{Seq: seq, Target: target, State: store.EffectWaiting}}
	if err := st.Commit(ctx, r); err != nil {
		return err
	}
	clock.lap("drop")
	if err := send(ctx, st, target, name, seq, at); err != nil {
		return err
	}
	clock.lap("send")
	// Only now: that the document arrived is told as well.
	due, ok, err := st.ReceiptDue(ctx, seq)
	if err == nil && ok {
		err = st.ReceiptWritten(ctx, due)
	}
	if err != nil {
		return err
	}
	clock.lap("answer")
	err = mergeOrder(ctx, st, fmt.Sprintf("bench-%d", i), i, at)
	clock.lap("merge an order")
	return err
}

// mergeOrder adds an order of one of the stores.
func mergeOrder(ctx context.Context, st *store.Store, id string, i int, at time.Time) error {
	o, err := platform.ParseOrder(fmt.Appendf(nil, `{"order_id":%q,"status":"DELIVERED","client":{"store_id":"%d"},"payment":{"order_total":1},
		"sys":{"created_at":%q,"updated_at":%q}}`, id, 290_000+i%historyStores, at.Format(time.RFC3339), at.Format(time.RFC3339)))
	if err != nil {
		return err
	}
	return st.MergeOrders(ctx, []order.Seen{{Order: o, By: order.ByWebhook, At: at}}, nil)
}

// send plans a document and brings it through all its states.
func send(ctx context.Context, st *store.Store, target, name string, upto int64, at time.Time) error {
	plan := store.Plan{Target: target, Upto: upto, Differs: 1, Rows: 1, At: at, Documents: []store.Document{{
		Part: 1, Folder: "catalog", Name: name, Path: "documents/aa.csv", Size: 100, SHA256: "aa", Rows: 1, Records: "aa",
	}}}
	if _, err := st.Enqueue(ctx, plan); err != nil {
		return err
	}
	q := store.Queue{Store: st, Dir: "/nowhere", Window: time.Hour}
	due, err := q.Due(ctx, at)
	if err != nil {
		return err
	}
	for _, d := range due {
		if _, err := q.Begin(ctx, d.ID, at); err != nil {
			return err
		}
		r := outbox.Receipt{Size: d.Size, SHA256: d.SHA256, Proof: outbox.ProofDigest, Way: outbox.WayRename, At: at}
		if err := errors.Join(q.Verified(ctx, d.ID, r), q.Fate(ctx, d.ID, outbox.FateKept, at)); err != nil {
			return err
		}
	}
	return nil
}

// copied are the tables whose rows are copied, in the order of their references, and what makes a copy another row: ? is how many there were.
var copied = []struct {
	table  string
	shifts map[string]string
}{
	{"drops", map[string]string{"seq": "seq + ?1", "first_seen": "first_seen + ?1 * 60000", "read_at": "read_at + ?1 * 60000"}},
	{"plans", map[string]string{"id": "id + ?1", "upto": "upto + ?1", "created": "created + ?1 * 60000", "done_at": "done_at + ?1 * 60000"}},
	{"deliveries", map[string]string{
		"id": "id + ?1", "plan": "plan + ?1", "verified_at": "verified_at + ?1 * 60000", "began_at": "began_at + ?1 * 60000",
	}},
	{"effects", map[string]string{"seq": "seq + ?1", "plan": "plan + ?1", "at": "at + ?1 * 60000"}},
	{"orders", map[string]string{"key": "key || '-' || ?1", "id": "id || '-' || ?1"}},
	{"order_bodies", map[string]string{"key": "key || '-' || ?1"}},
	{"order_sightings", map[string]string{"key": "key || '-' || ?1"}},
	{"ledger", map[string]string{"id": "id + ?2"}},
}

// multiply copies the rows of a small history until there are n of everything, in one transaction.
func multiply(ctx context.Context, path string, first, n int) (err error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=synchronous(OFF)&_pragma=foreign_keys(OFF)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after the commit
	for _, c := range copied {
		wanted := n
		if strings.HasPrefix(c.table, "order") {
			wanted = n * ordersPerFile
		}
		for have := first; have < wanted; have *= 2 {
			if err := double(ctx, tx, c.table, c.shifts, have, min(have, wanted-have)); err != nil {
				return fmt.Errorf("copy %s: %w", c.table, err)
			}
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE numbers SET last = MAX(last, ?)`, n); err != nil {
		return err
	}
	return tx.Commit()
}

// double copies the first rows of a table.
func double(ctx context.Context, tx *sql.Tx, table string, shifts map[string]string, have, more int) error {
	names, err := columnsOf(ctx, tx, table)
	if err != nil {
		return err
	}
	values := make([]string, len(names))
	for i, name := range names {
		if values[i] = name; shifts[name] != "" {
			values[i] = shifts[name]
		}
	}
	var count int
	if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+table).Scan(&count); err != nil {
		return err
	}
	// Of a table with several rows a drop, as many go as belong to the drops that are copied.
	limit := count * more / have
	query := fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s ORDER BY rowid LIMIT %d", table, strings.Join(names, ", "), strings.Join(values, ", "), table, limit)
	if table == "order_sightings" { // which has no row numbers
		query = strings.Replace(query, "ORDER BY rowid ", "", 1)
	}
	_, err = tx.ExecContext(ctx, query, have, count)
	return err
}

func columnsOf(ctx context.Context, tx *sql.Tx, table string) (names []string, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT * FROM "+table+" LIMIT 0")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Err(), rows.Close()) }()
	return rows.Columns()
}

// look asks for work as the loops do, whether or not there is any.
func look(ctx context.Context, st *store.Store, q store.Queue, clock *clock, now time.Time) error {
	_, err := q.Due(ctx, now)
	_, err2 := q.Pending(ctx, now)
	_, err3 := q.Next(ctx, now)
	clock.lap("look for deliveries")
	_, err4 := st.TargetsDue(ctx)
	clock.lap("for plans")
	_, err5 := st.ReceiptsDue(ctx)
	clock.lap("for answers")
	_, err6 := st.DueEvents(ctx, now, 100)
	_, err7 := st.DueOrders(ctx, "", 0, 100)
	clock.lap("for orders")
	return errors.Join(err, err2, err3, err4, err5, err6, err7)
}

// useHistory does what the loops do all day, in a state folder with a history, and says how long each takes.
func useHistory(args []string, m *measure) (err error) {
	ctx := context.Background()
	clock := newClock(m)
	st, err := store.Open(ctx, args[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	clock.lap("open")
	const times = 20
	now := time.Now()
	q := store.Queue{Store: st, Dir: args[0], Window: time.Hour}
	for i := range times {
		if err := look(ctx, st, q, clock, now); err != nil {
			return err
		}
		if err := live(ctx, st, 1_000_000_000+int(now.UnixNano()/1000%1e8)+i, now, clock); err != nil {
			return err
		}
		_, err = st.RecentDrops(ctx, []string{"precios"}, 50)
		_, err2 := st.Waiting(ctx)
		_, err3 := st.LastVerified(ctx, "catalog/290000")
		_, err4 := st.StandingOf(ctx, "catalog/290000")
		if err := errors.Join(err, err2, err3, err4); err != nil {
			return err
		}
		clock.lap("show")
	}
	m.Seconds = 0
	for _, s := range m.Stages {
		m.Seconds += s.Seconds
	}
	return nil
}

// useOrders asks of orders what pages and commands ask, and lets some change.
func useOrders(args []string, m *measure) error {
	return useFor(args, m, func(ctx context.Context, st *store.Store, i int, clock *clock) error {
		_, err := st.ListOrders(ctx, store.OrderQuery{Limit: 50})
		_, err2 := st.ListOrders(ctx, store.OrderQuery{Vendor: "290001", State: platform.StateDelivered, Limit: 50})
		clock.lap("list")
		_, err3 := st.FindOrders(ctx, "bench-1")
		_, err4 := st.CountOrders(ctx, time.Now().Add(-24*time.Hour), []string{"290000"})
		clock.lap("find and count")
		err5 := mergeOrder(ctx, st, fmt.Sprintf("late-%d-%d", time.Now().UnixNano(), i), i, time.Now())
		clock.lap("merge")
		return errors.Join(err, err2, err3, err4, err5)
	})
}

// useLedger asks the ledger for what came since a time, and for a kind that never came, and adds to it.
func useLedger(args []string, m *measure) error {
	return useFor(args, m, func(ctx context.Context, st *store.Store, _ int, clock *clock) error {
		nothing := func(store.Entry) error { return nil }
		err := st.Note(ctx, historyBegins, store.EntryConfig, store.Facts{Text: "bench"})
		clock.lap("add")
		err2 := st.Entries(ctx, time.Now().Add(time.Hour), "", nothing)
		err3 := st.Entries(ctx, time.Time{}, store.EntryHeld, nothing)
		clock.lap("read")
		return errors.Join(err, err2, err3)
	})
}

// useFor does something some times in a state folder.
func useFor(args []string, m *measure, do func(ctx context.Context, st *store.Store, i int, clock *clock) error) (err error) {
	ctx := context.Background()
	st, err := store.Open(ctx, args[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	clock := newClock(m)
	for i := range 100 {
		if err := do(ctx, st, i, clock); err != nil {
			return err
		}
	}
	for _, s := range m.Stages {
		m.Seconds += s.Seconds
	}
	return nil
}
