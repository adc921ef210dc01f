package daemon

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestAskedOnceIsDoneOnce asks for files now while one order can't be written: after that, files come again in their time.
func TestAskedOnceIsDoneOnce(t *testing.T) {
	r := newOrders(t, "every: 5m")
	r.told("a", "1", "READY_FOR_PICKUP", "1")
	if _, err := r.house.store.ForgetBodies(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if err := r.house.AskHandOver(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.handOver(); err == nil {
		t.Error("an order without a body was written")
	}
	if done, left, err := r.house.HandedOver(t.Context()); !done || left != 1 || err != nil {
		t.Errorf("asked: %t, %d left, %v", done, left, err)
	}
	r.told("b", "2", "READY_FOR_PICKUP", "2")
	_ = r.handOver()
	if names := r.names(); len(names) > 0 {
		t.Errorf("too early: %v", names)
	}
}

// TestFolderIsAnotherOne has the config name another folder while a file waits in the one before, which is not there: the file may be
// there or at the ERP, so it waits, and no other one does.
func TestFolderIsAnotherOne(t *testing.T) {
	for name, tc := range map[string]struct {
		away func(r *orderRun, old string)
	}{
		"gone": {func(r *orderRun, old string) {}},
		"an empty one in its place": {func(r *orderRun, old string) {
			if err := os.Mkdir(old, 0o750); err != nil {
				r.Fatal(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newOrders(t, "format: csv")
			r.told("a", "1", "READY_FOR_PICKUP", "1")
			f := r.stage()
			old := r.dir
			if err := os.Rename(old, old+"-away"); err != nil {
				t.Fatal(err)
			}
			tc.away(r, old)
			r.dir = filepath.Join(filepath.Dir(old), "other")
			r.cfg.Orders.Export.Dir = r.dir
			r.again()
			r.told("b", "1", "READY_FOR_PICKUP", "2")
			if err := r.handOver(); err == nil || !strings.Contains(err.Error(), old) {
				t.Errorf("error %v", err)
			}
			if names := r.names(); len(names) != 1 {
				t.Errorf("files of the other order: %v", names)
			}
			overs, err := r.house.store.HandOvers(t.Context(), "a")
			if err != nil || len(overs) != 1 || overs[0].State != "staged" {
				t.Errorf("it waits: %+v, %v", overs, err)
			}
			_ = os.Remove(old)
			if err := os.Rename(old+"-away", old); err != nil {
				t.Fatal(err)
			}
			r.must()
			r.dir = old
			if names := r.names(); !slices.Equal(names, []string{f.Name}) {
				t.Errorf("files in the folder before: %v", names)
			}
		})
	}
}

// TestOldFolderIsRemoved is at peace with a folder that nobody has any more.
func TestOldFolderIsRemoved(t *testing.T) {
	r := newOrders(t, "customer: true")
	r.told("a", "1", "READY_FOR_PICKUP", "1")
	r.must()
	if err := os.RemoveAll(r.dir); err != nil {
		t.Fatal(err)
	}
	r.clock = r.clock.Add(61 * 24 * time.Hour)
	if err := r.house.tidy(t.Context()); err == nil {
		t.Error("the folder of the config is away, and nobody says so")
	}
	r.cfg.Orders.Export.Dir = filepath.Join(filepath.Dir(r.dir), "other")
	r.again()
	if err := r.house.tidy(t.Context()); err != nil {
		t.Error(err)
	}
}
