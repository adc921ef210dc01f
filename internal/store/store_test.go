package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"gondola/internal/catalog"
	"gondola/internal/outbox"
	"gondola/internal/shelf"
)

// noon is when tests happen.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func at(after time.Duration) time.Time { return noon.Add(after) }

const window = 2 * time.Hour

// bench is a store in a folder of its own, with what tests do to it in short form. Every step must succeed.
type bench struct {
	*Store
	t   *testing.T
	dir string
}

func newTestStore(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir()}
	b.open()
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func (b *bench) open() {
	b.t.Helper()
	var err error
	if b.Store, err = Open(b.t.Context(), b.dir); err != nil {
		b.t.Fatal(err)
	}
}

// restart stops the process and starts it again.
func (b *bench) restart() {
	b.t.Helper()
	b.ok(b.Close())
	b.open()
}

func (b *bench) ok(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// must returns the value of a call that has to succeed.
func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (b *bench) queue() Queue { return Queue{Store: b.Store, Dir: b.dir, Window: window} }

// same fails the test unless got is want.
func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// drop records a drop that has not been read.
func (b *bench) drop(feed string) int64 {
	b.t.Helper()
	seq := must(b.NextSeq(b.t.Context()))(b.t)
	b.ok(b.Seen(b.t.Context(), Drop{
		Seq: seq, Feed: feed, Name: fmt.Sprintf("%s-%d.csv", feed, seq), Size: 10, SHA256: "aa", Modified: at(-time.Hour), FirstSeen: noon,
		Owner: "erp", Archived: fmt.Sprintf("archive/%d", seq),
	}))
	return seq
}

// commit reads a drop: a layer file of each scope and a waiting effect for the target of the same name.
func (b *bench) commit(feed string, full bool, scopes ...string) int64 {
	b.t.Helper()
	seq := b.drop(feed)
	b.ok(b.Commit(b.t.Context(), reading(seq, feed, full, scopes...)))
	return seq
}

func reading(seq int64, feed string, full bool, scopes ...string) Reading {
	r := Reading{Seq: seq, State: DropRead, At: noon, Fingerprint: "f1", Outcome: Outcome{Rows: 3, Records: 2}}
	for _, scope := range scopes {
		r.Layers = append(r.Layers, LayerFile{
			Feed: feed, Scope: scope, Full: full, Digest: shelf.Digest(fmt.Sprintf("layer-%s-%d", scope, seq)), Present: 2, Modified: noon,
		})
		r.Effects = append(r.Effects, Effect{Target: scope, State: EffectWaiting, Change: shelf.Change{New: 2}})
	}
	return r
}

// document is a document under a name; its size is that of no earlier one.
func (b *bench) document(name string) Document {
	b.t.Helper()
	n := must(b.highest())(b.t) + 1
	return Document{
		Part: 1, Folder: "catalog", Name: name, Path: fmt.Sprintf("documents/doc-%s-%d.csv", name, n), Size: 1000 + n, SHA256: "bb", Rows: 4,
		Records: shelf.Digest(fmt.Sprintf("rows-%s-%d", name, n)),
	}
}

func (b *bench) highest() (n int64, err error) {
	return n, b.read.QueryRow(`SELECT COALESCE(MAX(id), 0) FROM deliveries`).Scan(&n)
}

// plan enqueues a plan with a document under each name and returns the ids of its deliveries.
func (b *bench) plan(target string, full bool, names ...string) []int64 {
	b.t.Helper()
	p := Plan{Target: target, Full: full, Parts: 1, Upto: 1000, Differs: 1, Rows: 4, Decisions: 1000, At: noon}
	for _, name := range names {
		p.Documents = append(p.Documents, b.document(name))
	}
	last := must(b.highest())(b.t)
	must(b.Enqueue(b.t.Context(), p))(b.t)
	var ids []int64
	for _, d := range must(b.Deliveries(b.t.Context(), last))(b.t) {
		ids = append(ids, d.ID)
	}
	if len(ids) != len(names) {
		b.t.Fatalf("%d deliveries for %d documents", len(ids), len(names))
	}
	return ids
}

func (b *bench) begin(id int64, now time.Time) {
	b.t.Helper()
	if !must(b.queue().Begin(b.t.Context(), id, now))(b.t) {
		b.t.Fatalf("delivery %d can't begin", id)
	}
}

func (b *bench) verify(id int64, now time.Time, replaced bool) {
	b.t.Helper()
	b.begin(id, now)
	b.ok(b.queue().Verified(b.t.Context(), id, outbox.Receipt{Proof: outbox.ProofDigest, Way: "rename", Replaced: replaced, At: now}))
}

func (b *bench) delivery(id int64) Delivery {
	b.t.Helper()
	for _, d := range must(b.Deliveries(b.t.Context(), id-1))(b.t) {
		if d.ID == id {
			return d
		}
	}
	b.t.Fatalf("no delivery %d", id)
	return Delivery{}
}

func (b *bench) state(id int64, want string) {
	b.t.Helper()
	if d := b.delivery(id); d.State != want {
		b.t.Errorf("delivery %d is %s, want %s", id, d.State, want)
	}
}

// due lists the ids that are to be attempted.
func (b *bench) due(now time.Time) []int64 {
	b.t.Helper()
	var ids []int64
	for _, d := range must(b.queue().Due(b.t.Context(), now))(b.t) {
		ids = append(ids, d.ID)
	}
	return ids
}

func (b *bench) pending(now time.Time) []int64 {
	b.t.Helper()
	var ids []int64
	for _, p := range must(b.queue().Pending(b.t.Context(), now))(b.t) {
		ids = append(ids, p.ID)
	}
	return ids
}

// records returns the record files of deliveries, in their order.
func (b *bench) records(ids ...int64) []shelf.Digest {
	b.t.Helper()
	var all []shelf.Digest
	for _, id := range ids {
		var d shelf.Digest
		b.ok(b.read.QueryRow(`SELECT records FROM deliveries WHERE id = $1`, id).Scan(&d))
		all = append(all, d)
	}
	return all
}

func (b *bench) unsettled(target string, ids ...int64) {
	b.t.Helper()
	same(b.t, "unsettled at "+target, must(b.Unsettled(b.t.Context(), target))(b.t), b.records(ids...))
}

func (b *bench) sent(target string, ids ...int64) {
	b.t.Helper()
	same(b.t, "sent to "+target, must(b.Sent(b.t.Context(), target))(b.t), b.records(ids...))
}

func (b *bench) target(name string) Target {
	b.t.Helper()
	return must(b.TargetOf(b.t.Context(), name))(b.t)
}

// effects returns the states of a drop's effects by target.
func (b *bench) effects(seq int64) map[string]EffectState {
	b.t.Helper()
	all := map[string]EffectState{}
	for _, e := range must(b.Effects(b.t.Context(), seq))(b.t) {
		all[e.Target] = e.State
	}
	return all
}

// answered writes the receipt of a drop, and reports whether it was due.
func (b *bench) answered(seq int64) bool {
	b.t.Helper()
	r, due, err := b.ReceiptDue(b.t.Context(), seq)
	b.ok(err)
	if due {
		b.ok(b.ReceiptWritten(b.t.Context(), r))
	}
	return due
}

func TestOpenMakesTheFolderAndTheSchema(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "state")
	if _, err := OpenShared(t.Context(), dir); !errors.Is(err, ErrNone) || !strings.Contains(err.Error(), dir) {
		t.Errorf("OpenShared of nothing: %v, want %v and the folder", err, ErrNone)
	}
	for range 2 {
		s, err := Open(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		have, want, err := s.versions(t.Context(), migrations)
		if err != nil || have != want || want < 1 {
			t.Errorf("version %d of %d, %v", have, want, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "gondola-before-*")); len(left) > 0 {
		t.Errorf("a copy although nothing was migrated: %v", left)
	}
}

// A name is part of a URI for SQLite: a folder with such characters must not end up beside itself.
func TestOpenInAnyFolder(t *testing.T) {
	parent := t.TempDir()
	names := []string{"100%41 góndola", "a#b", "a b+c&d=e"}
	if runtime.GOOS != "windows" { // which has no such names
		names = append(names, "what?mode=ro")
	}
	for _, name := range names {
		dir := filepath.Join(parent, name)
		s, err := Open(t.Context(), dir)
		if err != nil {
			t.Errorf("Open(%q): %v", name, err)
			continue
		}
		if err := s.SetFact(t.Context(), "x", "y"); err != nil {
			t.Errorf("in %q: %v", name, err)
		}
		s.Close()
		if _, err := os.Stat(filepath.Join(dir, databaseName)); err != nil {
			t.Errorf("the database of %q lies elsewhere: %v", name, err)
		}
	}
	if all, _ := os.ReadDir(parent); len(all) != len(names) {
		t.Errorf("%v, want the folders and nothing else", all)
	}
}

func TestOpenRefusesANewerSchema(t *testing.T) {
	b := newTestStore(t)
	must(b.write.Exec("PRAGMA user_version = 99"))(t)
	b.ok(b.Close())
	for name, open := range map[string]func(context.Context, string) (*Store, error){"Open": Open, "OpenShared": OpenShared} {
		s, err := open(t.Context(), b.dir)
		if err == nil || !strings.Contains(err.Error(), "version 99") {
			t.Errorf("%s of a newer database = %v, want it refused", name, err)
		}
		if err == nil {
			s.Close()
		}
	}
	if running, err := Running(b.dir); running || err != nil {
		t.Errorf("Running = %t, %v after Open failed; want the lock free", running, err)
	}
}

func TestMigrateKeepsACopyAndGoesOn(t *testing.T) {
	b := newTestStore(t)
	b.ok(b.SetFact(t.Context(), "before", "yes"))
	steps, have := fstest.MapFS{}, 0
	for _, f := range must(fs.Glob(migrations, "migrations/*.sql"))(t) {
		steps[f] = &fstest.MapFile{Data: must(migrations.ReadFile(f))(t)}
		have++
	}
	steps["migrations/8001_more.sql"] = &fstest.MapFile{Data: []byte("CREATE TABLE more (n INTEGER); INSERT INTO more VALUES (7);")}
	steps["migrations/8002_last.sql"] = &fstest.MapFile{Data: []byte("INSERT INTO more VALUES (8); INSERT INTO nowhere VALUES (1);")}
	if err := b.migrate(t.Context(), b.dir, steps); err == nil || !strings.Contains(err.Error(), "8002_last.sql") {
		t.Errorf("migrate = %v, want an error that names the step", err)
	}
	var n, version int
	b.ok(b.read.QueryRow(`SELECT SUM(n) FROM more`).Scan(&n))
	b.ok(b.read.QueryRow(`PRAGMA user_version`).Scan(&version))
	if n != 7 || version != have+1 {
		t.Errorf("after a step that failed: sum %d, version %d; want the step before it whole and nothing of its own", n, version)
	}
	steps["migrations/8002_last.sql"].Data = []byte("INSERT INTO more VALUES (8);")
	b.ok(b.migrate(t.Context(), b.dir, steps))
	b.ok(b.read.QueryRow(`SELECT SUM(n) FROM more`).Scan(&n))
	if n != 15 {
		t.Errorf("sum %d after the second try, want 15", n)
	}
	// The copy is a database of its own, as it was before the last try.
	backup := must(sql.Open("sqlite", filepath.Join(b.dir, fmt.Sprintf("gondola-before-%d.db", have+2))))(t)
	defer backup.Close()
	var fact string
	b.ok(backup.QueryRow(`SELECT value FROM facts WHERE name = 'before'`).Scan(&fact))
	b.ok(backup.QueryRow(`PRAGMA user_version`).Scan(&version))
	if fact != "yes" || version != have+1 {
		t.Errorf("the copy has version %d and fact %q", version, fact)
	}
}

func TestOneProcessWorks(t *testing.T) {
	dir := t.TempDir()
	if running, err := Running(dir); running || err != nil {
		t.Errorf("Running in an empty folder = %t, %v", running, err)
	}
	b := &bench{t: t, dir: dir}
	b.open()
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := Open(short, dir)
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "state.dir") {
		t.Errorf("a second Open = %v, want %v, the folder and what to do", err, ErrLocked)
	}
	shared, err := OpenShared(t.Context(), dir)
	if err != nil {
		t.Fatal("beside the one that works:", err)
	}
	defer shared.Close()
	if running, err := Running(dir); !running || err != nil {
		t.Errorf("Running = %t, %v, want true", running, err)
	}
	// It may leave requests, and each sees what the other wrote.
	b.ok(shared.Request(t.Context(), []string{"1"}, false, false))
	if !b.target("1").PlanDue {
		t.Error("a request from beside is not seen")
	}
	b.ok(b.SetFact(t.Context(), "n", "1"))
	if got := must(shared.Fact(t.Context(), "n"))(t); got != "1" {
		t.Errorf("beside, the fact is %q", got)
	}
	b.ok(b.Close())
	if running, err := Running(dir); running || err != nil {
		t.Errorf("Running after Close = %t, %v", running, err)
	}
	b.open()
	b.ok(b.Close())
}

func TestReadersCantWrite(t *testing.T) {
	b := newTestStore(t)
	if _, err := b.read.Exec(`DELETE FROM drops`); err == nil {
		t.Error("the readers' connections can write")
	}
}

func TestNumbersNeverRepeat(t *testing.T) {
	b := newTestStore(t)
	seen := map[int64]bool{}
	last := int64(0)
	for i := range 12 {
		seq := must(b.NextSeq(t.Context()))(t)
		if seen[seq] || seq <= last {
			t.Fatalf("number %d after %d", seq, last)
		}
		seen[seq], last = true, seq
		if i%3 == 0 {
			must(b.write.Exec(`DELETE FROM drops`))(t)
			b.restart()
		}
	}
}

// Goroutines of one process and another process beside it draw numbers at once.
func TestNumbersDrawnAtOnce(t *testing.T) {
	b := newTestStore(t)
	shared := must(OpenShared(t.Context(), b.dir))(t)
	defer shared.Close()
	const each = 20
	drawn := make(chan int64, 4*each)
	var group errgroup.Group
	for _, s := range []*Store{b.Store, b.Store, shared, shared} {
		group.Go(func() error {
			for range each {
				seq, err := s.NextSeq(t.Context())
				if err != nil {
					return err
				}
				drawn <- seq
			}
			return nil
		})
	}
	b.ok(group.Wait())
	close(drawn)
	seen := map[int64]bool{}
	for seq := range drawn {
		seen[seq] = true
	}
	if len(seen) != 4*each {
		t.Errorf("%d different numbers of %d drawn", len(seen), 4*each)
	}
}

func TestTransactionsAreWhole(t *testing.T) {
	b := newTestStore(t)
	seq := b.drop("precios")
	// The second effect breaks: its drop does not exist.
	r := reading(seq, "precios", true, "1")
	must(b.write.Exec(`CREATE TRIGGER broken BEFORE INSERT ON effects BEGIN SELECT RAISE(ABORT, 'disk on fire'); END`))(t)
	if err := b.Commit(t.Context(), r); err == nil || !strings.Contains(err.Error(), "disk on fire") {
		t.Fatalf("Commit = %v", err)
	}
	if d, _, _ := b.Drop(t.Context(), seq); d.State != DropSeen {
		t.Errorf("the drop is %s although its reading failed half-way", d.State)
	}
	if all := must(b.Layers(t.Context()))(t); len(all) > 0 {
		t.Errorf("layers of a reading that failed: %+v", all)
	}
	if b.answered(seq) {
		t.Error("a receipt is due for a reading that failed")
	}
}

func TestTimesKeepTheirMilliseconds(t *testing.T) {
	for _, want := range []time.Time{{}, noon, at(7 * time.Millisecond), time.Date(2026, 3, 2, 9, 0, 0, 0, time.FixedZone("", -3*3600))} {
		if got := fromMillis(millis(want)); !got.Equal(want) || got.IsZero() != want.IsZero() || got.Location() != time.UTC && !got.IsZero() {
			t.Errorf("%v came back as %v", want, got)
		}
	}
}

func issue(code catalog.Code) catalog.Issue {
	return catalog.Issue{Code: code, Severity: catalog.Error}
}
