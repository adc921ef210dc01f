package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// TestOrdersCommands goes through what an admin does with orders.
func TestOrdersCommands(t *testing.T) {
	w := newOrderWorld(t, "", `name: "{order}_{revision}"`)
	gondola := func(code int, args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		got := run(t.Context(), append(args, "--config", filepath.Join(w.dir, "config.yaml")), nil, &stdout, &stderr)
		if got != code {
			t.Errorf("gondola %s ends with %d, want %d: %s", strings.Join(args, " "), got, code, stderr.String())
		}
		return stdout.String() + stderr.String()
	}
	contains := func(text string, words ...string) {
		t.Helper()
		for _, word := range words {
			if !strings.Contains(text, word) {
				t.Errorf("%q is not in:\n%s", word, text)
			}
		}
	}
	contains(gondola(exitDone, "orders", "list", "--waiting"), "READY_FOR_PICKUP", "o0", "o1", "o2", "yes")
	contains(gondola(exitDone, "orders", "export", "--dry-run"), "== o0_1.csv", "order,o2,")
	if entries, err := filepath.Glob(filepath.Join(w.erp, "*")); err != nil || len(entries) > 0 {
		t.Errorf("a dry run made %v, %v", entries, err)
	}
	contains(gondola(exitDone, "orders", "export"), "Everything that was due is handed over.")
	contains(gondola(exitDone, "orders", "export"), "Everything that was due is handed over.")
	if out := gondola(exitDone, "orders", "list", "--waiting"); !strings.Contains(out, "No such orders") {
		t.Errorf("after the export: %s", out)
	}
	contains(gondola(exitDone, "orders", "show", "o1"), "o1_1.csv", "webhook", "***")
	if out := gondola(exitDone, "orders", "show", "o1", "--json"); strings.Contains(out, "Sentinela") {
		t.Errorf("not masked: %s", out)
	}
	contains(gondola(exitDone, "orders", "show", "O1", "--personal"), "Sentinela")
	contains(gondola(exitUsage, "orders", "show", "nobody"), "no such order")
	contains(gondola(exitUsage, "orders", "dance"), "unknown")
	contains(gondola(exitUsage, "orders", "replay"), "ID or --since is missing")
	contains(gondola(exitUsage, "orders", "replay", "o1", "--since", "1h"), "not both")
	contains(gondola(exitUsage, "orders", "list", "--since", "yesterday"), "--since is a time")
	contains(gondola(exitDone, "orders", "replay", "o1", "--who", "ana"), "1 order found, 1 hand-over due now")
	gondola(exitDone, "orders", "export")
	contains(gondola(exitDone, "orders", "show", "o1"), "o1_2.csv", "once more")
	contains(gondola(exitDone, "ledger", "--kind", "replay"), "ana", "o1")
	var list orderList
	if err := json.Unmarshal([]byte(gondola(exitDone, "orders", "list", "--json", "--limit", "2")), &list); err != nil || len(list.Orders) != 2 {
		t.Errorf("list: %+v, %v", list, err)
	}
	contains(gondola(exitDone, "status"), "orders    today 3 READY_FOR_PICKUP; last file o1_2.csv")
}
