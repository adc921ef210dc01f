package store

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gondola/internal/catalog"
	"gondola/internal/outbox"
	"gondola/internal/shelf"
)

// kinds returns the kinds of the ledger's rows, the oldest first.
func (b *bench) kinds() string {
	b.t.Helper()
	var all []string
	b.ok(b.Entries(b.t.Context(), time.Time{}, "", func(e Entry) error {
		all = append(all, string(e.Kind))
		return nil
	}))
	return strings.Join(all, " ")
}

// lastFacts returns what the newest row of a kind says.
func (b *bench) lastFacts(kind EntryKind) (f Facts) {
	b.t.Helper()
	b.ok(b.Entries(b.t.Context(), time.Time{}, kind, func(e Entry) error {
		f = e.Facts
		return nil
	}))
	return f
}

// TestLedgerTellsTheWayOfADrop follows a drop from the folder to the server, and reads what the ledger says of it.
func TestLedgerTellsTheWayOfADrop(t *testing.T) {
	b := newTestStore(t)
	ctx, q := t.Context(), b.queue()
	drop := Drop{Seq: 1, Feed: "f", Name: "somebody's prices.csv", Owner: "caja1", SHA256: "abc", Size: 7, FirstSeen: noon}
	b.ok(b.Seen(ctx, drop))
	b.ok(b.Seen(ctx, drop)) // done again after a crash: nothing is new
	b.ok(b.Commit(ctx, Reading{
		Seq: 1, State: DropRead, At: noon, Outcome: Outcome{Rows: 3, Counts: map[catalog.Code]int{catalog.RowTwice: 2}},
		Layers:  []LayerFile{{Feed: "f", Scope: "1", Digest: "d1", Full: true}},
		Effects: []Effect{{Seq: 1, Target: "catalog/1", State: EffectWaiting}},
	}))
	held := LayerFile{Feed: "f", Scope: "1", Seq: 1, Digest: "d1", Full: true, State: LayerHeld, Findings: []catalog.Issue{{Code: catalog.BrakeShrunk}}}
	b.ok(b.Judged(ctx, []LayerFile{held}, []string{"catalog/1"}, noon))
	b.ok(b.Approve(ctx, []Approval{{Feed: "f", Scope: "1", Code: catalog.BrakeShrunk, Until: at(time.Hour), Who: "ana"}}, nil, noon))
	held.State = LayerPassed
	b.ok(b.Judged(ctx, []LayerFile{held}, []string{"catalog/1"}, noon))
	if _, err := b.Enqueue(ctx, Plan{Target: "catalog/1", Upto: 1, Differs: 3, Rows: 3, At: noon, Documents: []Document{
		{Part: 1, Folder: "catalog", Name: "g_1.csv", Path: "documents/x.csv", Size: 30, SHA256: "x", Rows: 3, Records: "r"},
	}}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if ok, err := q.Begin(ctx, 1, noon); err != nil || !ok {
			t.Fatalf("begin: %t, %v", ok, err)
		}
		b.ok(q.Deferred(ctx, 1, noon, "transient", "cut off"))
	}
	b.ok(q.Verified(ctx, 1, outbox.Receipt{Proof: outbox.ProofSize, Way: "rename", At: noon}))
	b.ok(q.Fate(ctx, 1, outbox.FateAlien, noon))
	b.ok(q.Fate(ctx, 1, outbox.FateAlien, noon)) // looked at again
	b.ok(q.Fate(ctx, 1, outbox.FateKept, noon))
	due, ok, err := b.ReceiptDue(ctx, 1)
	if err != nil || !ok {
		t.Fatalf("receipt: %t, %v", ok, err)
	}
	b.ok(b.ReceiptWritten(ctx, due))

	if got, want := b.kinds(), "drop read held approval plan begun failed verified fate fate answer"; got != want {
		t.Errorf("rows:\n%s\nwant:\n%s", got, want)
	}
	for kind, want := range map[EntryKind]Facts{
		EntryDrop:     {Drop: 1, Feed: "f", Owner: "caja1", SHA256: "abc", Size: 7},
		EntryRead:     {Drop: 1, Rows: 3, Issues: 2},
		EntryHeld:     {Drop: 1, Feed: "f", Scope: "1", Codes: []string{string(catalog.BrakeShrunk)}},
		EntryApproval: {Feed: "f", Scope: "1", Who: "ana", Codes: []string{string(catalog.BrakeShrunk)}, Until: at(time.Hour)},
		EntryPlan:     {Target: "catalog/1", Plan: 1, Differs: 3, Rows: 3},
		EntryFailed:   {Target: "catalog/1", Plan: 1, Delivery: 1, Document: "catalog/g_1.csv", Size: 30, SHA256: "x", Rows: 3, Class: "transient"},
		EntryVerified: {
			Target: "catalog/1", Plan: 1, Delivery: 1, Document: "catalog/g_1.csv", Size: 30, SHA256: "x", Rows: 3, Proof: "size", Way: "rename",
		},
		EntryAnswer: {Drop: 1, Feed: "f"},
	} {
		if diff := cmp.Diff(want, b.lastFacts(kind)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
	var raw string
	b.ok(b.read.QueryRowContext(ctx, `SELECT group_concat(body, '') FROM ledger`).Scan(&raw))
	if strings.Contains(raw, "somebody") {
		t.Errorf("the name of a file, which may be a person's, is in the ledger: %s", raw)
	}
	chain, err := b.VerifyLedger(ctx)
	if err != nil || chain.Rows != 11 || chain.Last != 11 || len(chain.Head) != 64 {
		t.Errorf("chain: %+v, %v", chain, err)
	}
}

// TestLedgerIsOnlyAddedTo tries what a person with the database open would: the database refuses, and where somebody goes past that, the
// chain shows it.
func TestLedgerIsOnlyAddedTo(t *testing.T) {
	b := newTestStore(t)
	for i := range 5 {
		b.ok(b.Note(t.Context(), at(time.Duration(i)*time.Hour), EntryStart, Facts{Version: fmt.Sprint(i)}))
	}
	for _, query := range []string{
		`UPDATE ledger SET body = '{}' WHERE id = 3`, `DELETE FROM ledger WHERE id = 5`, `DELETE FROM ledger WHERE id = 1`,
		`UPDATE ledger_kept SET first = 0`,
	} {
		if _, err := b.write.ExecContext(t.Context(), query); err == nil {
			t.Errorf("%s was taken", query)
		}
	}
	if _, err := b.VerifyLedger(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		query string
		row   int64
	}{
		"changed":         {`UPDATE ledger SET body = '{"version":"9"}' WHERE id = 3`, 3},
		"another time":    {`UPDATE ledger SET at = at + 1 WHERE id = 4`, 4},
		"another kind":    {`UPDATE ledger SET kind = 'plan' WHERE id = 1`, 1},
		"taken out":       {`DELETE FROM ledger WHERE id = 3`, 3},
		"the first taken": {`DELETE FROM ledger WHERE id = 1`, 1},
		"changed, and its hash": {`UPDATE ledger SET body = '{}', hash = '` + entryHash(3, millis(at(2*time.Hour)), EntryStart, "{}", "x") +
			`', before = 'x' WHERE id = 3`, 3},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestStore(t)
			for i := range 5 {
				b.ok(b.Note(t.Context(), at(time.Duration(i)*time.Hour), EntryStart, Facts{Version: fmt.Sprint(i)}))
			}
			for _, trigger := range []string{"ledger_update", "ledger_delete"} {
				if _, err := b.write.ExecContext(t.Context(), "DROP TRIGGER "+trigger); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := b.write.ExecContext(t.Context(), tc.query); err != nil {
				t.Fatal(err)
			}
			var broken *BrokenChain
			if _, err := b.VerifyLedger(t.Context()); !errors.As(err, &broken) || broken.Row != tc.row {
				t.Errorf("verify: %v, want row %d", err, tc.row)
			}
		})
	}
}

// TestLedgerForgets removes old rows: the rest is still a chain, and the next row follows it.
func TestLedgerForgets(t *testing.T) {
	b := newTestStore(t)
	ctx := t.Context()
	b.ok(b.ForgetEntries(ctx, at(0), at(0))) // there is nothing
	for i := range 5 {
		b.ok(b.Note(ctx, at(time.Duration(i)*time.Hour), EntryStart, Facts{Version: fmt.Sprint(i)}))
	}
	b.ok(b.ForgetEntries(ctx, at(-time.Hour), at(5*time.Hour))) // nothing is that old
	if got := b.kinds(); strings.Contains(got, "retention") {
		t.Errorf("rows: %s", got)
	}
	b.ok(b.ForgetEntries(ctx, at(3*time.Hour), at(5*time.Hour)))
	chain, err := b.VerifyLedger(ctx)
	if err != nil || chain.Rows != 3 || chain.Last != 6 || !chain.Since.Equal(at(3*time.Hour)) {
		t.Errorf("chain: %+v, %v", chain, err)
	}
	if f := b.lastFacts(EntryRetention); f.Rows != 3 {
		t.Errorf("retention: %+v", f)
	}
	// A year of silence: the last row stays, for the next one to follow it.
	b.ok(b.ForgetEntries(ctx, at(10000*time.Hour), at(20000*time.Hour)))
	b.ok(b.ForgetEntries(ctx, at(30000*time.Hour), at(30000*time.Hour)))
	b.ok(b.Note(ctx, at(30001*time.Hour), EntryStart, Facts{}))
	if chain, err := b.VerifyLedger(ctx); err != nil || chain.Last != 9 {
		t.Errorf("chain: %+v, %v", chain, err)
	}
}

// TestHistoryOfALayer asks which files counted when, through holds, a full export, compaction and reading anew.
func TestHistoryOfALayer(t *testing.T) {
	b := newTestStore(t)
	ctx := t.Context()
	commit := func(seq int64, full bool, digest shelf.Digest) {
		t.Helper()
		b.ok(b.Seen(ctx, Drop{Seq: seq, Feed: "f", FirstSeen: noon}))
		b.ok(b.Commit(ctx, Reading{Seq: seq, State: DropRead, At: noon, Layers: []LayerFile{{Feed: "f", Scope: "1", Digest: digest, Full: full}}}))
	}
	judge := func(hour int, states map[int64]LayerState) {
		t.Helper()
		files := must(b.Layer(ctx, "f", "1"))(t)
		var changed []LayerFile
		for _, l := range files {
			if s, ok := states[l.Seq]; ok {
				if l.State = s; s == LayerPassed {
					l.Was = ""
				}
				changed = append(changed, l)
			}
		}
		b.ok(b.Judged(ctx, changed, nil, at(time.Duration(hour)*time.Hour)))
	}
	stood := func(hour float64) string {
		t.Helper()
		var all []string
		for _, s := range must(b.StoodAt(ctx, "f", "1", at(time.Duration(hour*float64(time.Hour)))))(t) {
			all = append(all, string(s.Digest))
		}
		return strings.Join(all, " ")
	}
	commit(1, true, "full1")
	judge(1, map[int64]LayerState{1: LayerPassed})
	commit(2, false, "part2")
	commit(3, false, "part3")
	judge(2, map[int64]LayerState{2: LayerPassed, 3: LayerHeld})
	judge(3, map[int64]LayerState{3: LayerPassed})
	b.Now = func() time.Time { return at(4 * time.Hour) }
	files := must(b.Layer(ctx, "f", "1"))(t)
	one := files[2]
	one.Digest, one.Full = "one", true
	b.ok(b.Compacted(ctx, files, one))
	commit(5, false, "part5")
	judge(5, map[int64]LayerState{5: LayerPassed})
	// Read anew by other rules, the old file counts until the brake has passed the new one.
	b.ok(b.Commit(ctx, Reading{Seq: 5, State: DropRead, At: noon, Layers: []LayerFile{{Feed: "f", Scope: "1", Digest: "new5"}}}))
	judge(6, map[int64]LayerState{5: LayerHeld})
	judge(7, map[int64]LayerState{5: LayerPassed})
	commit(8, true, "full8")
	judge(8, map[int64]LayerState{3: LayerPast, 5: LayerPast, 8: LayerPassed})
	for hour, want := range map[float64]string{
		0.5: "", 1: "full1", 1.5: "full1", 2: "full1 part2", 2.5: "full1 part2", 3.5: "full1 part2 part3", 4.5: "one", 5.5: "one part5",
		6.5: "one part5", 7.5: "one new5", 8: "full8", 100: "full8",
	} {
		if got := stood(hour); got != want {
			t.Errorf("%v hours after noon: %s, want %s", hour, got, want)
		}
	}
	records, _, err := b.Referenced(ctx)
	if err != nil || !records["part2"] || !records["new5"] {
		t.Errorf("history's files are not kept: %v, %v", records, err)
	}
	b.ok(b.Forget(ctx, at(5*time.Hour+time.Minute)))
	if begins := must(b.HistoryBegins(ctx))(t); !begins.Equal(at(5*time.Hour + time.Minute)) {
		t.Errorf("history begins %v", begins)
	}
	if got := stood(5.5); got != "one part5" {
		t.Errorf("what retention has left: %s", got)
	}
	if records, _, err = b.Referenced(ctx); err != nil || records["part2"] {
		t.Errorf("what is older is kept: %v, %v", records, err)
	}
}

// TestHistoryOfBefore migrates a state from before there was a history: when a drop was read is when it began to count.
func TestHistoryOfBefore(t *testing.T) {
	b := newTestStore(t)
	ctx := t.Context()
	for seq := range int64(4) {
		seq++
		b.ok(b.Seen(ctx, Drop{Seq: seq, Feed: "f", FirstSeen: noon}))
		b.ok(b.Commit(ctx, Reading{
			Seq: seq, State: DropRead, At: at(time.Duration(seq) * time.Hour),
			Layers: []LayerFile{{Feed: "f", Scope: "1", Digest: shelf.Digest(fmt.Sprint("d", seq)), Full: seq != 2}},
		}))
	}
	for _, query := range []string{
		`UPDATE layers SET state = 'past' WHERE seq < 4`, `UPDATE layers SET state = 'passed' WHERE seq = 4`,
		`UPDATE layers SET findings = '[{"code":"X"}]' WHERE seq = 3`, // it was held
		`DROP TABLE ledger`, `DROP TABLE ledger_kept`, `DROP TABLE layer_history`, `DROP TABLE rollbacks`,
	} {
		if _, err := b.write.ExecContext(ctx, query); err != nil {
			t.Fatal(err)
		}
	}
	text, err := migrations.ReadFile("migrations/0005_ledger.sql")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.write.ExecContext(ctx, string(text)); err != nil {
		t.Fatal(err)
	}
	for hour, want := range map[int]string{0: "", 1: "d1", 2: "d1 d2", 3: "d1 d2", 4: "d4"} {
		var got []string
		for _, s := range must(b.StoodAt(ctx, "f", "1", at(time.Duration(hour)*time.Hour+time.Minute)))(t) {
			got = append(got, string(s.Digest))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("hour %d: %v, want %q", hour, got, want)
		}
	}
}

// TestRollbackOnce records a rollback twice, as after a crash: it became one drop.
func TestRollbackOnce(t *testing.T) {
	b := newTestStore(t)
	ctx := t.Context()
	id := must(b.AskRollback(ctx, Rollback{Back: noon, Who: "ana", Asked: at(time.Hour)}))(t)
	asked := must(b.RollbacksAsked(ctx))(t)
	if len(asked) != 1 || asked[0].ID != id || asked[0].Who != "ana" || !asked[0].Back.Equal(noon) {
		t.Fatalf("asked: %+v", asked)
	}
	for seq := range int64(2) {
		b.ok(b.RolledBack(ctx, asked[0], Drop{Seq: 7 + seq, Name: "rollback", FirstSeen: noon}, Reading{
			Seq: 7 + seq, State: DropRead, At: noon, Layers: []LayerFile{{Feed: "f", Scope: "1", Digest: "d", Full: true}},
		}, []string{"catalog/1"}))
	}
	if layers := must(b.Layer(ctx, "f", "1"))(t); len(layers) != 1 || layers[0].Seq != 7 {
		t.Errorf("layers: %+v", layers)
	}
	last, ok, err := b.LastRollback(ctx, 0)
	if err != nil || !ok || last.State != RollbackDone || last.Seq != 7 {
		t.Errorf("rollback: %+v, %t, %v", last, ok, err)
	}
	if due := must(b.TargetsDue(ctx))(t); len(due) != 1 {
		t.Errorf("due: %+v", due)
	}
	b.ok(b.RollbackFailed(ctx, id, "too late"))
	if last, _, _ = b.LastRollback(ctx, id); last.State != RollbackDone {
		t.Errorf("a done one failed: %+v", last)
	}
}

func TestArchivedBelow(t *testing.T) {
	for path, want := range map[string]string{
		"/srv/gondola/state/archive/2026-11-25/7-a.csv":      "archive/2026-11-25/7-a.csv",
		"state/archive/2026-11-25/7-a.csv":                   "archive/2026-11-25/7-a.csv",
		"/archive/of/all/state/archive/2026-11-25/7-archive": "archive/2026-11-25/7-archive",
		"/somewhere/else/7-a.csv":                            "archive/7-a.csv",
		"/srv/state/archive/1-archive/archive":               "archive/1-archive/archive",
	} {
		if got := filepath.ToSlash(below(filepath.FromSlash(path))); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// TestHistoryOfWhatIsOff knows afterwards what was switched off by hand, and that a file which was rejected does not count.
func TestHistoryOfWhatIsOff(t *testing.T) {
	b := newTestStore(t)
	ctx := t.Context()
	b.ok(b.SwitchOff(ctx, []Off{{Scope: "1", Key: "A", SKU: "A", Who: "ana", At: noon, Until: at(2 * time.Hour)}}))
	b.ok(b.OffApplied(ctx, LayerFile{Feed: "(off)", Scope: "1", Digest: "off", Present: 1, Modified: noon}, []int64{1}, nil))
	b.ok(b.EndOffs(ctx, at(3*time.Hour)))
	b.ok(b.OffApplied(ctx, LayerFile{Feed: "(off)", Scope: "1", Modified: at(3 * time.Hour)}, []int64{1}, nil))
	if stood := must(b.StoodAt(ctx, "(off)", "1", at(time.Hour)))(t); len(stood) != 1 || stood[0].Digest != "off" {
		t.Errorf("off an hour after noon: %+v", stood)
	}
	if stood := must(b.StoodAt(ctx, "(off)", "1", at(4*time.Hour)))(t); len(stood) != 0 {
		t.Errorf("off in the afternoon: %+v", stood)
	}
	// One that passed, was read anew, and held and rejected then.
	b.ok(b.Seen(ctx, Drop{Seq: 1, Feed: "f", FirstSeen: noon}))
	file := LayerFile{Feed: "f", Scope: "1", Seq: 1, Digest: "d", State: LayerPassed}
	reading := Reading{Seq: 1, State: DropRead, At: noon, Layers: []LayerFile{file}}
	b.ok(b.Commit(ctx, reading))
	b.ok(b.Judged(ctx, []LayerFile{file}, nil, noon))
	reading.Layers[0].Digest = "new"
	b.ok(b.Commit(ctx, reading))
	file.Digest, file.Was, file.State = "new", "d", LayerHeld
	b.ok(b.Judged(ctx, []LayerFile{file}, nil, at(time.Hour)))
	b.ok(b.Reject(ctx, []LayerFile{file}, nil, "ana", at(2*time.Hour)))
	for hour, want := range map[int]int{1: 1, 3: 0} {
		if stood := must(b.StoodAt(ctx, "f", "1", at(time.Duration(hour)*time.Hour+time.Minute)))(t); len(stood) != want {
			t.Errorf("%d hours after noon: %+v, want %d", hour, stood, want)
		}
	}
}

// TestVerifyBesideRetention verifies the ledger while its oldest rows are removed, one after the other: it is whole all the time.
func TestVerifyBesideRetention(t *testing.T) {
	b := newTestStore(t)
	const rows = 300
	b.ok(b.tx(t.Context(), func(tx *sql.Tx) error {
		for i := range rows {
			if err := note(t.Context(), tx, noon.Add(time.Duration(i)*time.Second), EntryRestored, Facts{Text: "x"}); err != nil {
				return err
			}
		}
		return nil
	}))
	done := make(chan error, 1)
	go func() {
		var err error
		for i := 0; i < rows && err == nil; i++ {
			err = b.ForgetEntries(t.Context(), noon.Add(time.Duration(i)*time.Second), noon.Add(rows*time.Second))
		}
		done <- err
	}()
	for {
		if _, err := b.VerifyLedger(t.Context()); err != nil {
			t.Errorf("beside retention: %v", err)
		}
		select {
		case err := <-done:
			b.ok(err)
			return
		default:
		}
	}
}
