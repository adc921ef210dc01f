package store

import (
	"context"
	"database/sql"
	"regexp"
	"strings"
	"testing"
	"time"

	"gondola/internal/catalog"
)

// TestHotQueriesUseTheirIndex asks SQLite how it would answer what the loops ask all the time: never by walking the whole table.
func TestHotQueriesUseTheirIndex(t *testing.T) {
	s := newTestHistory(t)
	for name, q := range map[string]struct {
		query string
		index string
	}{
		"due":     {dueQuery, "deliveries_due"},
		"next":    {nextQuery, "deliveries_due"},
		"jobs":    {jobsDueQuery, "jobs_due"},
		"job":     {nextJobQuery, "jobs_due"},
		"open":    {openJobsQuery, "jobs_open"},
		"last":    {lastJobsQuery, "jobs_made"},
		"arrived": {arrivedQuery, "sqlite_autoindex_deliveries_1"},
		"fates":   {fatesQuery, "ledger_kind"},
		"pending": {pendingQuery, "deliveries_look"},
		"waiting": {waitingQuery, "deliveries_open"},
		"audit":   {auditQuery, "audits_open"},
		"events":  {dueEventsQuery, "inbox_due"},
		"again":   {nextEventQuery, "inbox_due"},

		"last export":    {lastExportQuery, "drops_feed"},
		"last export of": {lastExportOfQuery, "sqlite_autoindex_layers_1"},
		"same exports":   {sameExportsQuery, "sqlite_autoindex_layers_1"},
		"last order":     {lastOrderQuery, "orders_changed"},
		"orders within":  {ordersWithinQuery, "orders_changed"},
		"answers":        {receiptsQuery, "drops_receipt"},

		"older of a name":  {dueQuery, "o USING INDEX deliveries_name_due"},
		"sizes of a name":  {dueQuery, "k USING INDEX deliveries_name (folder=? AND name=?)"},
		"last of a name":   {dueQuery, "e USING INDEX deliveries_name (folder=? AND name=? AND id<?)"},
		"begin":            {beginMany, "sqlite_autoindex_deliveries_1 (id=?)"},
		"verify":           {verifyMany, "sqlite_autoindex_deliveries_1 (id=?)"},
		"others":           {verifyMany, "SEARCH o USING INDEX deliveries_unsettled (target=?)"},
		"finish":           {finishMany, "sqlite_autoindex_plans_1 (id=?)"},
		"move":             {sendMany, "SEARCH d USING INDEX deliveries_plan (plan=?)"},
		"newer of a name":  {pendingQuery, "n USING INDEX deliveries_name_due"},
		"replaced":         {replacedUpdate, "deliveries_unsettled"},
		"contained":        {containedUpdate, "deliveries_open"},
		"held of drops":    {heldQuery, "effects_held"},
		"held receipts":    {heldReceipts, "effects_held"},
		"known by a plan":  {knownByPlan, "effects_target (target=? AND state=? AND seq<?)"},
		"staged by a plan": {knownByPlan, "effects_plan"},
		"on their way":     {heldUpReceipts, "effects_open"},
		"layer":            {layerQuery, "layers_now"},
		"layers":           {layersQuery, "layers_now"},
		"recent":           {recentQuery, "drops_feed"},
		"last named":       {lastNamedQuery, "drops_name (feed=? AND name=? AND seq<?)"},
		"newer named":      {newerNamedQuery, "drops_name (feed=? AND name=? AND seq>?)"},
		"findings":         {openFindingsQuery, "findings_open"},
		"last audits":      {lastAuditsQuery, "a USING INDEX audits_vendor"},
		"gaps":             {countGapsQuery, "order_gaps_found"},

		"ledger since":           {entriesQuery(time.UnixMilli(1), ""), "ledger_1 (id>?)"},
		"ledger since of a kind": {entriesQuery(time.UnixMilli(1), EntryDrop), "ledger_kind (kind=? AND id>?)"},
		"ledger of a kind":       {entriesQuery(time.Time{}, EntryDrop), "ledger_kind (kind=?)"},

		"purgeable":         {purgeableQuery, "drops_archived (first_seen<?)"},
		"forget layers":     {forgetLayers, "layers_drop (seq>? AND seq<?)"},
		"forget deliveries": {forgetDeliveries, "plans_old (created<?)"},
		"forget plans":      {forgetPlans, "plans_old (created<?)"},
		"forget history":    {forgetHistory, "layer_history_old"},
		"forget effects":    {forgetEffects, "effects_1 (seq>? AND seq<?)"},
		"forget issues":     {forgetIssues, "drops_issues (first_seen<?)"},
	} {
		steps, err := list(t.Context(), s.read, scanStep, "EXPLAIN QUERY PLAN "+q.query, 1, 2, 3, 4)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		plan := strings.Join(steps, "\n")
		if !strings.Contains(plan, q.index) {
			t.Errorf("%s does not use %s:\n%s", name, q.index, plan)
		}
		for _, step := range steps {
			// An index of the few that are looked for may be walked.
			walks := strings.HasPrefix(step, "SCAN ") && (!strings.Contains(step, "INDEX") || !strings.Contains(step, q.index))
			if walks && !few.MatchString(step) {
				t.Errorf("%s walks the table:\n%s", name, plan)
			}
		}
	}
}

// few matches steps that walk what is small whatever the history: parameters, stores, pauses, and the layers of now.
var few = regexp.MustCompile(`VIRTUAL TABLE|CONSTANT ROW|pauses_open|layers_now|^SCAN (v|t|newest|other|\(subquery-\d+\))`)

func scanStep(rows *sql.Rows) (step string, err error) {
	var a, b, c int
	return step, rows.Scan(&a, &b, &c, &step)
}

// newTestHistory opens a store in which one drop was read.
func newTestHistory(t *testing.T) *Store {
	t.Helper()
	s, err := Open(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Seen(t.Context(), Drop{Seq: 7, Feed: "f", Name: "a.csv", FirstSeen: time.UnixMilli(1)}); err != nil {
		t.Fatal(err)
	}
	err = s.Commit(t.Context(), Reading{
		Seq: 7, State: DropRead,
		Outcome: Outcome{
			Rows: 2, Counts: map[catalog.Code]int{catalog.RowTwice: 1},
			Issues: []catalog.Issue{{Code: catalog.RowTwice, Row: 2}},
		},
		Effects: []Effect{{Seq: 7, Target: "catalog/1", State: EffectWaiting}, {Seq: 7, Target: "catalog/2", State: EffectVerified}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestForgetThinsDrops forgets what an old drop meant for a store where that is over, and where its issues were.
func TestForgetThinsDrops(t *testing.T) {
	s := newTestHistory(t)
	forget := func() (effects, issues int) {
		t.Helper()
		if err := s.Forget(t.Context(), time.UnixMilli(2)); err != nil {
			t.Fatal(err)
		}
		all, err := s.Effects(t.Context(), 7)
		if err != nil {
			t.Fatal(err)
		}
		d, ok, err := s.Drop(t.Context(), 7)
		if err != nil || !ok || d.Outcome.Rows != 2 || d.Outcome.Counts[catalog.RowTwice] != 1 {
			t.Fatalf("drop: %+v, %t, %v", d, ok, err)
		}
		return len(all), len(d.Outcome.Issues)
	}
	if effects, _ := forget(); effects != 2 {
		t.Errorf("%d effects while the answer is due, want 2", effects)
	}
	due, ok, err := s.ReceiptDue(t.Context(), 7)
	if err != nil || !ok {
		t.Fatalf("receipt: %t, %v", ok, err)
	}
	if err := s.ReceiptWritten(t.Context(), due); err != nil {
		t.Fatal(err)
	}
	if effects, issues := forget(); effects != 1 || issues != 0 {
		t.Errorf("%d effects and %d issues, want the one that waits and none", effects, issues)
	}
}

// TestReserve keeps a number that was found outside the database from being given out again.
func TestReserve(t *testing.T) {
	s := newTestHistory(t)
	for _, n := range []int64{57, 3} {
		if err := s.Reserve(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	if seq, err := s.NextSeq(t.Context()); err != nil || seq != 58 {
		t.Errorf("next number: %d, %v; want 58", seq, err)
	}
}
